"""Results on standard output, everything else on the other stream, colours for eyes only."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from places import Place

if TYPE_CHECKING:
    from pathlib import Path

ORDAIN = (sys.executable, "-m", "ordain.cli")
ESCAPE = "\x1b["


def on_a_terminal(place: Place, *arguments: str, **environment: str) -> str:
    """What a command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*ORDAIN, *arguments],
        cwd=place.estate,
        env=place.environment | {"TERM": "xterm"} | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:
        # Linux ends a terminal whose other side has gone with an error instead of an end of file.
        pass
    finally:
        os.close(ours)
        running.wait()
    return shown.decode()


@pytest.mark.parametrize("command", ["status", "plan", "explain NOPE"])
def test_a_terminal_gets_colours(founded: Place, command: str) -> None:
    assert ESCAPE in on_a_terminal(founded, *command.split())


@pytest.mark.parametrize("command", ["status", "plan", "explain NOPE"])
def test_a_pipe_gets_none(founded: Place, command: str) -> None:
    done = founded.ordain(*command.split(), expect=None)
    assert ESCAPE not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["status", "plan", "explain NOPE"])
def test_no_color_is_heard_as_an_option(founded: Place, command: str) -> None:
    assert ESCAPE not in on_a_terminal(founded, "--no-color", *command.split())


@pytest.mark.parametrize("command", ["status", "plan", "explain NOPE"])
def test_no_color_is_heard_as_a_variable(founded: Place, command: str) -> None:
    assert ESCAPE not in on_a_terminal(founded, *command.split(), NO_COLOR="1")


def test_an_empty_no_color_asks_for_nothing(founded: Place) -> None:
    assert ESCAPE in on_a_terminal(founded, "explain", "NOPE", NO_COLOR="")


@pytest.fixture
def found(place: Place) -> Place:
    """An estate with a finding."""
    place.edit("specs/models/credit-default.yaml", "tier: 2", "tier: two")
    return place


def test_findings_are_coloured_on_a_terminal(found: Place) -> None:
    assert ESCAPE in on_a_terminal(found, "check")


def test_findings_have_no_colour_where_none_is_wanted(found: Place) -> None:
    assert ESCAPE not in on_a_terminal(found, "--no-color", "check")
    assert ESCAPE not in on_a_terminal(found, "check", NO_COLOR="1")


def test_findings_have_no_colour_in_a_pipe(found: Place) -> None:
    assert ESCAPE not in found.ordain("check", expect=1).stdout


def test_a_dumb_terminal_gets_no_colour(found: Place) -> None:
    assert ESCAPE not in on_a_terminal(found, "check", TERM="dumb")


def to_nobody(place: Place, command: str) -> subprocess.CompletedProcess[str]:
    """The reading end is closed before the command begins, as `| head -0` does."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [*ORDAIN, *command.split()],
            cwd=place.estate,
            env=place.environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    "command", ["check", "check -o json", "plan", "status", "--help", "explain Model"]
)
def test_a_reader_that_has_gone_changes_nothing(founded: Place, command: str) -> None:
    done = to_nobody(founded, command)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_verdict_does_not_depend_on_its_reader(found: Place) -> None:
    done = to_nobody(found, "check")
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.parametrize("command", ["check", "check -o json", "test", "--help"])
@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2)])
def test_streams_that_are_closed_change_nothing(
    founded: Place, command: str, closed: tuple[int, ...]
) -> None:
    ends = " ".join(f"{number}>&-" for number in closed)
    words = shlex.join((*ORDAIN, *command.split()))
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {words} {ends}"],
        cwd=founded.estate,
        env=founded.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_stopping_before_the_command_has_begun_is_no_traceback(tmp_path: Path) -> None:
    """Ctrl-C comes at the moment when click is imported."""
    # Whoever runs the tests in the background has switched it off for all that they start.
    lines = (
        "import os, signal",
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        "os.kill(os.getpid(), signal.SIGINT)",
    )
    (tmp_path / "click.py").write_text("\n".join(lines))
    search = os.pathsep.join((str(tmp_path), *sys.path))
    done = subprocess.run(
        [*ORDAIN, "--version"],
        env=os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("Stopped.\n", 2)


@pytest.mark.e2e
def test_the_way_to_a_new_estate_can_be_pasted(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    done = place.ordain("init", "it's here", "--port", "0")
    next_one = done.stdout.splitlines()[-1].removeprefix("Next: ")
    assert shlex.split(next_one) == ["cd", "it's here", "&&", "ordain", "check"]


def test_another_directory_is_worked_on_from_anywhere(founded: Place) -> None:
    here = founded.ordain("status", "-o", "json").stdout
    there = founded.ordain("-C", str(founded.estate), "status", "-o", "json", at=founded.root)
    assert there.stdout == here


@pytest.mark.parametrize("command", ["check", "plan"])
def test_an_estate_is_found_from_below(founded: Place, command: str) -> None:
    below = founded.estate / "specs" / "models"
    assert founded.ordain(command, at=below).stdout == founded.ordain(command).stdout


@pytest.mark.parametrize(
    ("command", "key", "value"),
    [
        ("check -o json", "format", "ordain.findings/1"),
        ("plan -o json", "format", "ordain.plan-file/1"),
        ("status -o json", "format", "ordain.status/1"),
    ],
)
def test_json_is_one_document_with_the_version_of_its_shape(
    founded: Place, command: str, key: str, value: object
) -> None:
    done = founded.ordain(*command.split())
    assert json.loads(done.stdout)[key] == value
    assert done.stderr == ""


def test_json_of_findings_says_where_and_what(place: Place) -> None:
    place.edit("specs/models/credit-default.yaml", "tier: 2", "tier: two")
    found: dict[str, Any] = json.loads(place.ordain("check", "-o", "json", expect=1).stdout)
    (finding,) = [one for one in found["findings"] if one["code"] == "SPEC102"]
    assert finding["location"]["path"] == "specs/models/credit-default.yaml"
    assert found["summary"]["error"] == len(found["findings"])


def test_compiled_resources_are_lines_of_json_with_their_version(founded: Place) -> None:
    lines = founded.ordain("compile", "-t", "local").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["kind"] for one in found] == ["Training"]
    assert {one["format"] for one in found} == {"ordain.resource/1"}


def test_records_are_lines_of_json_with_their_version(place: Place) -> None:
    place.ordain("keys", "create", "--route", "credit")
    lines = place.ordain("audit", "query", "-o", "json").stdout.splitlines()
    (found,) = [json.loads(line) for line in lines]
    assert found["format"] == "ordain.record/1"
    assert (found["type"], found["kind"]) == ("event", "key.created")


def test_a_saved_plan_is_the_plan_that_is_shown(founded: Place, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    shown = founded.ordain("plan", "-o", "json", "--out", str(out)).stdout
    assert json.loads(out.read_text()) == json.loads(shown)


def test_a_new_key_is_all_that_stands_on_standard_output(place: Place) -> None:
    """`KEY=$(ordain keys create ...)` must hold the key and nothing else."""
    done = place.ordain("keys", "create", "--route", "credit")
    (secret,) = done.stdout.splitlines()
    assert secret.startswith("ord_")
    assert secret not in done.stderr
    assert "shown this once" in done.stderr


def test_an_error_leaves_standard_output_empty(founded: Place) -> None:
    done = founded.ordain("report", "nope", expect=2)
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith("error[CLI003]: ")


@pytest.mark.parametrize("command", ["check", "plan", "status", "proposals list", "keys list"])
def test_looking_leaves_the_work_tree_as_it_was(founded: Place, command: str) -> None:
    founded.ordain(*command.split())
    assert founded.git("status", "--porcelain") == ""
