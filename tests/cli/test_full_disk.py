"""What a command leaves behind, and what it says, where the disk takes no more."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

ORDAIN = (sys.executable, "-m", "ordain.cli")
HELP = "  = help: check that the path exists, is yours, and that the disk has room\n"
DATASET = "specs/datasets/applications.yaml"
ROOM = 150 * 1024
TOO_LONG = "# a note of a person\n" * 10_000


def limited(place: Place, *arguments: str, room: int = ROOM) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write a file of more than so many bytes."""
    return subprocess.run(
        [*ORDAIN, *arguments],
        cwd=place.estate,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )


def beside(file: Path) -> list[str]:
    return sorted(one.name for one in file.parent.iterdir())


@pytest.mark.training
@pytest.mark.parametrize("command", ["pin", "schema --modelines"])
def test_a_document_without_room_stays_as_the_person_wrote_it(place: Place, command: str) -> None:
    file = place.estate / DATASET
    text = re.sub("digest: .*", f"digest: sha256:{'0' * 64}", file.read_text())
    file.write_text(TOO_LONG + text)
    before, names = file.read_bytes(), beside(file)
    done = limited(place, *command.split())
    assert done.stderr == f"error[ORD002]: {file}: File too large\n{HELP}"
    assert done.returncode == 2
    assert file.read_bytes() == before
    assert beside(file) == names


def test_a_file_system_that_is_full_is_no_defect(founded: Place) -> None:
    done = founded.ordain("plan", "--out", "/dev/full", expect=2)
    assert done.stderr == f"error[ORD002]: /dev/full: No space left on device\n{HELP}"


def test_an_error_without_a_file_s_name_is_no_defect(place: Place) -> None:
    """What led to a defect cannot be written either; the exit code never means findings."""
    done = limited(place, "init", "another", room=1024)
    assert done.returncode == 2
    assert done.stderr.startswith("error[ORD002]: ")
    assert "Traceback" not in done.stderr


def test_the_name_of_a_file_cannot_write_on_the_terminal(founded: Place) -> None:
    done = founded.ordain("plan", "--out", "none\x1b[2J/plan", expect=2)
    assert done.stderr.splitlines()[0] == (
        "error[ORD002]: none\\u001b[2J/plan: No such file or directory"
    )


@pytest.mark.parametrize(
    "command",
    ["check", "check -o json", "test", "lint", "plan", "doctor", "explain Model", "--help"],
)
def test_standard_output_that_takes_no_more_is_one_error(founded: Place, command: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*ORDAIN, *command.split()],
            cwd=founded.estate,
            env=founded.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == f"error[ORD002]: standard output: No space left on device\n{HELP}"
    assert done.returncode == 2


def test_nobody_can_be_told_where_standard_error_takes_no_more(founded: Place) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*ORDAIN, "explain", "nothing"],
            cwd=founded.estate,
            env=founded.environment,
            stdout=subprocess.PIPE,
            stderr=full,
            check=False,
        )
    assert done.returncode == 2
