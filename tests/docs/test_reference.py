"""The reference is printed from the code: whoever changes the code prints it again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ordain.cli import COMMANDS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process of its own prints now; other tests may have registered codes of theirs."""
    out = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, ROOT / "docs/generate.py", out], check=True)
    return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}


def test_the_pages_are_those_that_the_code_prints(printed: dict[str, str]) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.iterdir()}
    assert sorted(written) == sorted(printed), "run: make docs"
    assert [name for name in printed if written[name] != printed[name]] == [], "run: make docs"


def test_every_command_is_documented() -> None:
    headings = re.findall(
        r"^## ordain (\S+)$", (REFERENCE / "commands.md").read_text(), re.MULTILINE
    )
    assert headings == list(COMMANDS)


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\((\w+\.md)\)", (REFERENCE / "README.md").read_text()))
    assert linked == {path.name for path in REFERENCE.iterdir()} - {"README.md"}


def test_printing_twice_gives_the_same_bytes(printed: dict[str, str], tmp_path: Path) -> None:
    """Also over pages that are there already, and one of a kind that is gone."""
    (tmp_path / "Gone.md").write_text("a kind that was")
    for name, text in printed.items():
        (tmp_path / name).write_text(text + "edited by hand\n", encoding="utf-8")
    subprocess.run([sys.executable, ROOT / "docs/generate.py", tmp_path], check=True)
    again = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert again == printed
