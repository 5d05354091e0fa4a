"""A command that only looks must not wait for libraries that compute."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

HEAVY = {
    "git",
    "jinja2",
    "kubernetes",
    "numba",
    "numpy",
    "pandas",
    "prometheus_client",
    "pyarrow",
    "pydantic",
    "scipy",
    "shap",
    "sklearn",
    "uvicorn",
}
WATCH = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
from ordain.cli import main
main(sys.argv[1:])
"""
LIGHT = (
    "--help",
    "--version",
    "check",
    "check -o json",
    "gate --base HEAD",
    "plan",
    "plan -o json",
    "plan --base HEAD",
    "plan --base HEAD -o markdown",
    "doctor",
    "status",
    "explain Model",
    "runs list",
)


def modules(place: Place, command: str) -> set[str]:
    """The top-level modules that a real process has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *command.split()],
        cwd=place.estate,
        env=place.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize("command", LIGHT)
def test_looking_loads_no_library_that_computes(founded: Place, command: str) -> None:
    found = modules(founded, command)
    assert "ordain" in found
    assert sorted(found & HEAVY) == []


@pytest.mark.parametrize("command", ["--help", "--version"])
def test_help_does_not_even_load_the_language(founded: Place, command: str) -> None:
    found = modules(founded, command)
    assert sorted(found & {"yaml", "pydantic_core", "cel_expr_python", "sqlite3", "asyncio"}) == []


def test_a_plain_check_loads_no_writer(founded: Place) -> None:
    """Text on a terminal must not wait for SARIF and its kin."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, "check"],
        cwd=founded.estate,
        env=founded.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stderr.splitlines()[-1].split()
    assert [name for name in loaded if name.startswith("ordain.specs.writers")] == []
    assert "ordain.specs.diagnostics" in loaded


def test_help_loads_no_command(founded: Place) -> None:
    """The table in the package is all that it needs."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, "--help"],
        cwd=founded.estate,
        env=founded.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stderr.splitlines()[-1].split()
    found = [name for name in loaded if name.startswith("ordain")]
    assert found == ["ordain", "ordain.cli", "ordain.cli.streams"]
