"""Progress is a bar on a terminal and JSON lines elsewhere, on the error stream."""

from __future__ import annotations

import io
import json
import re

import pytest

from ordain.cli.progress import Bar, parsed, shortened, told

LINE = json.dumps({"stage": "fitting", "fraction": 0.5, "elapsed": 1.5, "rss": 7})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_programs_get_each_line_with_the_model() -> None:
    out = io.StringIO()
    with told("auto", "credit", out) as take:
        take(LINE)
        take("adopting the run that is going on")
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"model": "credit", "stage": "fitting", "fraction": 0.5, "elapsed": 1.5, "rss": 7},
        {"model": "credit", "note": "adopting the run that is going on"},
    ]


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    with told("auto", "credit", out) as take:
        take(LINE)
    assert json.loads(out.getvalue())["stage"] == "fitting"


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with told("auto", "credit", out) as take:
        take(LINE)
    text = out.getvalue()
    assert text.startswith("\r\x1b[Kcredit  [")
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


def test_a_bar_says_stage_share_and_time_in_one_line() -> None:
    bar = Bar("a-model-with-a-name-that-is-far-too-long", io.StringIO())
    bar.take(LINE)
    assert re.fullmatch(r"a-model-with-a-name…  \[#{8}-{8}\]  50 %  +\d\.\d s  fitting", bar.text())
    bar.take("adopting the run that is going on, whatever it may be")
    assert bar.text().endswith("adopting the run th…")
    assert len(bar.text()) < 80


def test_nothing_is_told_where_nothing_is_asked() -> None:
    out = io.StringIO()
    with told("none", "credit", out) as take:
        take(LINE)
    assert out.getvalue() == ""


@pytest.mark.parametrize("line", ["", "text", "[1]", "3", '{"no": "stage"}'])
def test_what_is_no_stage_is_a_remark(line: str) -> None:
    assert parsed(line) == {"note": line}


def test_a_text_that_fits_is_left_alone() -> None:
    assert (shortened("abc", 3), shortened("abcd", 3)) == ("abc", "ab…")
