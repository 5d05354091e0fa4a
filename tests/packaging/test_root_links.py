"""The names in the root show the rooms to people; nothing may depend on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINKS = ("specs", "policies", "compilers", "reconciler", "reports", "examples")

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import ordain
for module in pkgutil.walk_packages(ordain.__path__, "ordain."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
print(*sorted(sys.modules))
"""


@pytest.mark.parametrize("name", LINKS)
def test_link_is_relative_and_leads_into_the_package(name: str) -> None:
    assert (ROOT / name).readlink() == Path("ordain", name)
    assert (ROOT / name / "__init__.py").is_file()


def test_no_other_link_stands_in_the_root() -> None:
    links = {path.name for path in ROOT.iterdir() if path.is_symlink()}
    assert links - {".venv"} == set(LINKS)


@pytest.mark.e2e
def test_no_module_is_imported_through_a_link() -> None:
    # Run from the root, where every bare name would resolve if somebody asked for it.
    listed = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    modules = set(listed.stdout.split())
    assert "ordain.specs" in modules
    assert {name.split(".")[0] for name in modules} & set(LINKS) == set()
