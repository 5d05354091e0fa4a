"""Every command that a page shows is run as it stands, in the order of the page.

A block fenced as `console` holds commands after `$ ` and some of what they print. Each page gets a
directory of its own, its blocks one after another. A command must end with 0, or with the code that
stands behind it as `# exit 1`. What is shown below a command must be in what it prints, in this
order; numbers and digests may differ, and `...` stands for anything. Blocks fenced as
`console no-run` are for what needs a browser or a package index, and must stay rare.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```console([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\s+# exit (\d)$")
# Keys, digests, ids and numbers, each as one mark, so that another run may print others.
_VARYING = re.compile(r"\bord_[\w-]+|\b[0-9a-f]{12,}\b|\b[0-9a-f]{8}(-[0-9a-f]+)+|[+-]?\d+(\.\d+)?")


@dataclass(slots=True)
class Step:
    """One command, the exit code it must have, and the lines that are shown below it."""

    line: str
    code: int
    shown: list[str] = field(default_factory=list)


def steps(page: Path) -> Iterator[Step]:
    """The commands of a page, in order."""
    for info, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if info.strip() == "no-run":
            continue
        assert not info.strip(), f"{page.name}: a console block is marked {info!r}"
        step: Step | None = None
        for line in body.splitlines():
            if line.startswith("$ "):
                if step is not None:
                    yield step
                found = _EXIT.search(line)
                step = Step(_EXIT.sub("", line[2:]), int(found[1]) if found else 0)
            elif line.strip():
                assert step is not None, f"{page.name}: output without a command: {line}"
                step.shown.append(line)
        if step is not None:
            yield step


TOLD = {page: list(steps(page)) for page in PAGES}


def alike(text: str) -> str:
    """A line without what differs from run to run; runs of spaces are one."""
    return " ".join(_VARYING.sub("#", text).split())


def pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in alike(line).split("...")))


@dataclass(slots=True)
class Reader:
    """Somebody who types what the page says."""

    place: Place
    directory: Path

    def type(self, step: Step) -> str:
        words = shlex.split(step.line)
        if words[0] == "cd":
            self.directory = (self.directory / words[1]).resolve(strict=True)
            return ""
        environment = self.place.environment
        beside = Path(sys.executable).parent
        environment["PATH"] = f"{beside}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        told = done.stdout + done.stderr
        assert "Traceback" not in told, told
        assert done.returncode == step.code, f"$ {step.line}\n{told}"
        return told


def check_shown(step: Step, told: str) -> None:
    """The shown lines are among the printed ones, in their order."""
    printed = iter(alike(line) for line in told.splitlines())
    for line in step.shown:
        wanted = pattern(line)
        assert any(wanted.search(one) for one in printed), (
            f"$ {step.line}\nshows, and does not print in this order:\n{line}\nbut:\n{told}"
        )


@pytest.mark.e2e
@pytest.mark.parametrize(
    "page", [page for page in PAGES if TOLD[page]], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_page_can_be_followed_from_its_top_to_its_end(page: Path, tmp_path: Path) -> None:
    if any(step.line.startswith("git commit") for step in TOLD[page]) and not shutil.which(
        "ssh-keygen"
    ):
        pytest.skip("needs ssh-keygen: git signs with it")
    reader = Reader(Place(tmp_path, tmp_path), tmp_path)
    try:
        for step in TOLD[page]:
            check_shown(step, reader.type(step))
    finally:
        reader.place.stop()


def test_the_readme_shows_the_loop() -> None:
    """The extractor finds what a newcomer types, and not nothing."""
    typed = [step.line for step in TOLD[ROOT / "README.md"]]
    for words in ("ordain init", "ordain check", "ordain reconcile --once", "ordain audit verify"):
        assert any(line.startswith(words) for line in typed)


def test_blocks_that_are_not_run_are_rare() -> None:
    blocks = [info for page in PAGES for info, _ in _BLOCK.findall(page.read_text())]
    unrun = [info for info in blocks if info.strip() == "no-run"]
    assert len(unrun) <= 2
    assert len(blocks) - len(unrun) >= 5


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("Wrote page.html (32 kB).", "Wrote page.html (7 kB).", True),
        ("(commit 9a514519b345)", "made (commit 0b3eec121ec6).", True),
        ("ord_6xM...", "ord_any-thing_", True),
        ("took 1.2 s: ... of b", "took 0.3 s: a of b", True),
        ("error[X1]: ...: no approval", "error[X1]: specs/a.yaml:5:9: no approval of b", True),
        ("a  b", "a b", True),
        ("no findings", "1 finding", False),
    ],
)
def test_what_differs_from_run_to_run_is_no_difference(
    shown: str,
    printed: str,
    same: bool,  # noqa: FBT001 - pytest hands it over by name
) -> None:
    assert bool(pattern(shown).search(alike(printed))) is same
