"""A room imports only rooms below it, and the contract that says so really bites."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

ROOT = Path(__file__).parents[2]


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        env={"PYTHONPATH": str(directory), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package that a test may damage."""
    shutil.copytree(ROOT / "ordain", tmp_path / "ordain", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_room_imports_only_rooms_below_it() -> None:
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("room", "imported"),
    [
        ("specs", "ordain.vcs"),
        ("vcs", "ordain.ledger"),
        ("policies", "ordain.runtime"),
        ("reports", "ordain.compilers"),
        ("reconciler", "ordain.cli"),
        ("reconciler", "ordain.examples"),
    ],
)
def test_an_import_that_goes_up_or_across_is_refused(house: Path, room: str, imported: str) -> None:
    (house / "ordain" / room / "intruder.py").write_text(f"import {imported}\n")
    linted = lint_imports(house)
    assert linted.returncode == 1
    assert f"ordain.{room}.intruder -> {imported}" in linted.stdout


def test_a_room_that_the_contract_does_not_know_is_refused(house: Path) -> None:
    (house / "ordain" / "attic").mkdir()
    (house / "ordain" / "attic" / "__init__.py").write_text('"""Things nobody needs."""\n')
    linted = lint_imports(house)
    assert linted.returncode == 1
    assert "attic" in linted.stdout
