"""What every test may count on: isolation, honest skips, and limits of time.

Isolation is automatic: no test sees the git configuration, the home directory, the proxies or the
time zone of whoever runs it. Data and control planes come by environment variable; without them a
test says what it lacks and is skipped. With `ORDAIN_REQUIRE_ALL=1` no skip is accepted at all: a
check that silently ran half of the tests is worse than one that fails.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mariadb import MariaDB
    from object_store import ObjectStore
    from postgres import Postgres

NeedsData = Callable[[str], Path]

# Seconds for one test function with this marker; the default is in pyproject.toml.
LIMITS = {"e2e": 120, "contract": 60, "property": 30, "training": 30}

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager")

IDENTITY = {
    "GIT_AUTHOR_NAME": "data-scientist",
    "GIT_AUTHOR_EMAIL": "data-scientist@example.org",
    "GIT_COMMITTER_NAME": "data-scientist",
    "GIT_COMMITTER_EMAIL": "data-scientist@example.org",
}

# Whoever runs the tests in the background has switched Ctrl-C off for all that they start, and a
# program that was born so never hears it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline per example would measure the machine; the limit of the test holds instead. The same
# examples on every run: a failure in CI must be a failure at the desk.
settings.register_profile("ordain", deadline=None, derandomize=True)
settings.load_profile("ordain")


def busy() -> float:
    """Runnable processes per core, at least 1: what a limit in seconds is stretched by.

    A limit is there to end a test that hangs, not to fail a good one on a machine that is shared.
    """
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unit, stretch = float(config.getini("timeout")), busy()
    for item in items:
        limits = [seconds for marker, seconds in LIMITS.items() if item.get_closest_marker(marker)]
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(max(limits, default=unit) * stretch))


def refuse_skip(report: pytest.CollectReport | pytest.TestReport) -> None:
    """Turn a skip into a failure that keeps its reason; an expected failure is not a skip."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    if os.environ.get("ORDAIN_REQUIRE_ALL") != "1":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{reason} (ORDAIN_REQUIRE_ALL=1 accepts no skip)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.fixture(autouse=True)
def isolation(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The environment of a person who has just opened a new account."""
    inherited = [name for name in os.environ if name.startswith("GIT_")]
    inherited += [name for name in os.environ if name.lower().endswith("_proxy")]
    for name in inherited:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ORDAIN_HOME", str(home / "ordain"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def needs_data() -> NeedsData:
    """`needs_data("taiwan_default/taiwan_default.parquet")` is its path, or skips the test."""

    def find(name: str) -> Path:
        root = os.environ.get("ORDAIN_TEST_DATA")
        if not root:
            pytest.skip(f"needs {name}: ORDAIN_TEST_DATA is not set")
        path = Path(root).resolve() / name
        if not path.exists():
            pytest.skip(f"needs {name}: not found in ORDAIN_TEST_DATA={root}")
        return path

    return find


@pytest.fixture(scope="session")
def kube_assets() -> Path:
    """The directory of a control plane's programs, from `KUBE_ASSETS`."""
    root = os.environ.get("KUBE_ASSETS")
    if not root:
        pytest.skip("needs a Kubernetes control plane: KUBE_ASSETS is not set")
    directory = Path(root).resolve()
    missing = [name for name in CONTROL_PLANE if not (directory / name).is_file()]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: not found in KUBE_ASSETS={root}")
    return directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run, started by the first test that asks for it."""
    from postgres import running_postgres

    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server for the whole run, started by the first test that asks for it."""
    from mariadb import running_mariadb

    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectStore]:
    """An object store for the whole run, started by the first test that asks for it."""
    from object_store import running_object_store

    with running_object_store() as store:
        yield store


@pytest.fixture(scope="session")
def control_catalogue() -> Path:
    """The catalogue of controls that rules refer to, from `ORDAIN_TEST_CONTROLS`."""
    name = os.environ.get("ORDAIN_TEST_CONTROLS")
    if not name:
        pytest.skip("needs the control catalogue: ORDAIN_TEST_CONTROLS is not set")
    path = Path(name).resolve()
    if not path.is_file():
        pytest.skip(f"needs the control catalogue: not found at ORDAIN_TEST_CONTROLS={name}")
    return path
