"""What a person reads of a validation: on which rows, and whether anybody compared decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ordain.specs.validation_text import record_lines, validation_lines
from ordain.specs.validation_verdicts import NO_CHAMPION, sections, uncompared
from ordain.specs.validations import Behaviour, Check, ValidationReport

DATA, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
UNASKED = Check("champion", "difference", reason="the champion cannot be loaded: it is not there")
REPORT = ValidationReport(
    model="credit",
    artifact="sha256:" + "a" * 64,
    dataset="recent",
    data=DATA,
    part="",
    rows=200,
    task="classification",
    checks=(UNASKED,),
    verdict="pass",
)


@pytest.mark.parametrize(
    ("last", "line"),
    [
        (None, "Rows: recent sha256:111111111111"),
        (REPORT, "Rows: recent sha256:111111111111, as for the version before"),
        (
            replace(REPORT, data=OTHER, rows=40),
            (
                "Rows: recent sha256:111111111111; other ones than for the version before "
                "(recent sha256:222222222222, 40 rows)"
            ),
        ),
    ],
)
def test_the_rows_are_named_and_held_against_those_of_before(
    last: ValidationReport | None, line: str
) -> None:
    assert validation_lines(REPORT, last)[2] == line


def test_why_decisions_were_not_compared_is_told() -> None:
    assert validation_lines(REPORT)[-1] == (
        "Decisions against the version now running: not compared, "
        "the champion cannot be loaded: it is not there"
    )
    first = replace(REPORT, checks=(replace(UNASKED, reason=NO_CHAMPION),))
    assert uncompared(first) == ""
    assert uncompared(replace(REPORT, behaviour=Behaviour(OTHER, ()))) == ""


def test_a_record_can_be_copied() -> None:
    assert record_lines(REPORT) == [
        "The record of a validator on it (kind: Validation):",
        "",
        "    spec:",
        "      model: credit",
        f"      artifact: {REPORT.artifact}",
        f"      evidence: {REPORT.digest}",
        "      validator: NAME",
        "      outcome: approved",
        "      performedOn: DAY",
    ]


def test_what_has_no_value_informs_nobody() -> None:
    assert "| champion | not measured | 0 | 1 |" in validation_lines(REPORT)
    told = replace(REPORT, checks=(replace(UNASKED, value=0.1),))
    assert [one.said for one in sections(told)] == ["for information"]
