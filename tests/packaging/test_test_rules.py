"""The rules that the tests themselves run under: honest skips, limits, isolation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__)
ROOT = HERE.parents[2]

SKIPS = """
import pytest

def test_data(needs_data):
    needs_data("nowhere/nothing.parquet")

def test_plane(kube_assets):
    raise AssertionError

@pytest.mark.xfail(reason="known")
def test_known():
    raise AssertionError
"""

SKIPPED_MODULE = """
import pytest
pytest.skip("no such library", allow_module_level=True)
"""

ENDLESS = """
import threading
import pytest

@pytest.mark.{marker}
def test_waits_for_nobody():
    threading.Event().wait()
"""


def run_pytest(directory: Path, source: str, **environment: str) -> list[str]:
    """The lines that pytest prints for one test file under this project's rules."""
    shutil.copy(ROOT / "tests" / "conftest.py", directory)
    shutil.copy(ROOT / "pyproject.toml", directory)
    (directory / "tests").mkdir()
    (directory / "tests" / "test_it.py").write_text(source)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"ORDAIN_TEST_DATA", "KUBE_ASSETS", "ORDAIN_REQUIRE_ALL"}
    }
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp=base"],
        cwd=directory,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout.splitlines()


@pytest.mark.contract
def test_a_skip_gives_its_reason(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SKIPS)
    assert any("needs nowhere/nothing.parquet: ORDAIN_TEST_DATA is not set" in one for one in lines)
    assert any("KUBE_ASSETS is not set" in one for one in lines)
    assert "2 skipped, 1 xfailed in" in lines[-1]


@pytest.mark.contract
def test_a_skip_fails_where_everything_is_required(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SKIPS, ORDAIN_REQUIRE_ALL="1")
    assert any("(ORDAIN_REQUIRE_ALL=1 accepts no skip)" in one for one in lines)
    assert "1 failed, 1 xfailed, 1 error in" in lines[-1]


@pytest.mark.contract
def test_a_skipped_module_fails_where_everything_is_required(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, SKIPPED_MODULE, ORDAIN_REQUIRE_ALL="1")
    assert any("no such library (ORDAIN_REQUIRE_ALL=1 accepts no skip)" in one for one in lines)
    assert "1 error in" in lines[-1]


@pytest.mark.contract
def test_a_marker_decides_the_limit(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, ENDLESS.format(marker="timeout(0.2)"))
    assert any("Timeout (>0.2s)" in one for one in lines)
    assert "1 failed in" in lines[-1]


def test_a_contract_has_three_times_the_limit_of_a_unit(request: pytest.FixtureRequest) -> None:
    limits = {
        item.name: marker.args[0]
        for item in request.session.items
        if item.path == HERE and (marker := item.get_closest_marker("timeout"))
    }
    unit = limits["test_a_contract_has_three_times_the_limit_of_a_unit"]
    assert unit >= 20
    assert limits["test_a_marker_decides_the_limit"] == pytest.approx(3 * unit)


def test_git_knows_nothing_of_whoever_runs_the_tests(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "config", "--list"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert listed.stdout == ""
    assert os.environ["GIT_AUTHOR_NAME"] == "data-scientist"


def test_home_is_empty_and_time_is_utc() -> None:
    assert list(Path.home().iterdir()) == []
    assert os.environ["ORDAIN_HOME"].startswith(str(Path.home()))
    assert time.tzname == ("UTC", "UTC")
