from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.writers.annotations import escape_message, escape_property

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]

# How the runner reads a line: a command, properties parted by commas, two colons, a message.
COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:\r\n]*,?)+)::([^\r\n]*)")


@pytest.mark.parametrize(
    ("text", "message", "value"),
    [
        ("50%", "50%25", "50%25"),
        ("a\nb", "a%0Ab", "a\\u000ab"),
        ("a\r\nb", "a%0Ab", "a%0Ab".replace("%0A", "\\u000d\\u000a")),
        ("::error::x", "::error::x", "%3A%3Aerror%3A%3Ax"),
        ("a,b", "a,b", "a%2Cb"),
        ("%0A", "%250A", "%250A"),
        ("\x1b[2J", "\\u001b[2J", "\\u001b[2J"),
    ],
)
def test_what_a_command_would_obey_is_escaped(text: str, message: str, value: str) -> None:
    assert escape_message(text) == message
    assert escape_property(text) == value


def test_an_annotation_stands_beside_its_line(make: Make, write: Write) -> None:
    first, second, third, last = write("github", make()).splitlines()
    assert first == (
        "::error file=specs/monitor.yaml,line=2,endLine=2,col=26,endColumn=27,"
        "title=POL-drift-limit.features::the limit is above 0.25"
        "%0Aobject = Monitor/credit%0Aobject.spec.psi.fail = 5"
        "%0Ahelp: set psi.fail to 0.25 or less"
    )
    assert second == "::warning title=ACC-METRIC::a warning"
    assert third == "::notice file=ordain.yaml,title=WVR006::a note"
    assert last == "1 error, 1 warning, 1 note in 3 files, 1 waived"


def test_every_line_is_one_command_whatever_it_quotes(everywhere: Checked, write: Write) -> None:
    *commands, last = write("github", everywhere).split("\n")[:-1]
    assert len(commands) == 2
    assert all(COMMAND.fullmatch(line) for line in commands)
    assert last == "2 errors in 3 files, 1 waived"


def test_ten_of_a_kind_are_shown_and_the_others_counted(many: Checked, write: Write) -> None:
    lines = write("github", many).splitlines()
    kinds = [line.split()[0] for line in lines[:-1]]
    assert kinds == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
    assert lines[-1] == (
        "10,000 errors, 10,000 warnings, 10,000 notes in 3 files;"
        " 29,970 more than GitHub shows, see: ordain check"
    )


def test_the_summary_is_a_page_within_its_limit(many: Checked, write: Write) -> None:
    text = write("github-summary", many)
    assert text.startswith("### ❌ ordain: fail\n")
    assert 900_000 < len(text.encode()) <= 1024 * 1024
    assert "`ordain check`" in text


def test_no_findings_are_one_line(make: Make, write: Write) -> None:
    assert write("github", make((), ())) == "no findings in 3 files\n"
    one = Finding("X", Severity.ERROR, "x", Location("a,b:c.yaml", 1, 1))
    assert "file=a%2Cb%3Ac.yaml,line=1" in write("github", make((one,), ()))
