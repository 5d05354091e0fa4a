"""What the report of a model says of its validation, of behaviour, and of the validator."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.reports import charts, svg
from ordain.reports.model_reports import model_report
from ordain.reports.summaries import parts
from ordain.specs.evidence import FairnessRow
from ordain.specs.findings import Verdict
from ordain.specs.kinds.validation import Issue, Validation
from ordain.specs.validation_text import validation_lines
from ordain.specs.validations import Behaviour, Check, Shift, ValidationReport

if TYPE_CHECKING:
    from ordain.reports.facts import ReportInput

DIGEST = "sha256:" + "a" * 64
HOSTILE = "purpose=<script>|alert(1)"
MOVEMENT = tuple(
    tuple(80 if row == column else 10 if abs(row - column) == 1 else 0 for column in range(10))
    for row in range(10)
)
BEHAVIOUR = Behaviour(
    DIGEST,
    (
        Shift("", 1561, 31, 58, 0.712, 0.729, 0.0055),
        Shift("sex=female", 755, 11, 41, 0.69, 0.73, 0.00003, -0.061, -0.02, 0.00006),
        Shift("sex=male", 806, 20, 17, 0.733, 0.729, 0.743),
        Shift(HOSTILE, 90, 0, 0, 0.5, 0.5, 1.0),
    ),
    (("High use of credit lines", 0.41, 0.36), ("Short time at address", 0.2, 0.28)),
    MOVEMENT,
)


def report(**changes: object) -> ValidationReport:
    found = ValidationReport(
        model="credit-default",
        artifact=DIGEST,
        dataset="applications",
        data=DIGEST,
        part="test",
        rows=1561,
        task="classification",
        checks=(
            Check("schema", "columns", value=0.0, n=1561, limit="<= 0", verdict="pass"),
            Check("performance", "roc_auc", "", 0.778, 0.751, 0.805, 0.95, 1561, ">= 0.7", "pass"),
            Check("segments", "roc_auc", "purpose=car", 0.77, 0.73, 0.81, n=700, verdict="pass"),
            Check("segments", "roc_auc", HOSTILE, n=9, reason="fewer than 100 cases"),
        ),
        behaviour=BEHAVIOUR,
        limitations=("The split is not by time.",),
        verdict="pass",
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def record(outcome: str = "approved", *findings: Issue) -> Validation:
    return Validation(
        model="credit-default",
        artifact=DIGEST,
        validator="validator",
        outcome=outcome,  # type: ignore[arg-type]
        performed_on="2026-11-02",
        findings=findings,
    )


def issue(status: str) -> Issue:
    return Issue(id="drift", severity="high", text="It drifts.", status=status)  # type: ignore[arg-type]


def text_of(page: bytes) -> str:
    section = page.decode().partition('id="validation"')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def part_of(facts: ReportInput) -> tuple[Verdict, str]:
    (found,) = [one for one in parts(facts) if one.anchor == "validation"]
    return found.verdict, found.sentence


def test_a_version_from_before_there_were_validations_has_no_such_part(facts: ReportInput) -> None:
    assert "validation" not in {one.anchor for one in parts(facts)}
    assert b'id="validation"' not in model_report(facts)


def test_a_validation_is_shown_with_its_sections_groups_and_behaviour(facts: ReportInput) -> None:
    page = model_report(replace(facts, validation=report(), records=(record(),)))
    text = text_of(page)
    assert "answered 1,561 rows of applications , test part" in text
    assert "schema ✓ pass 1 1" in text
    assert "segments for information 0 2" in text
    assert "all rows 1,561 31 58 72.9 % 71.2 % -1.7 % 0.005" in text
    female = "sex=female 755 11 41 73.0 % 69.0 % -4.0 %, -6.1 % to -2.0 % &lt; 0.0005 &lt; 0.0005"
    assert female in text
    assert "High use of credit lines 36.0 % 41.0 %" in text
    assert "2026-11-02 validator approved none" in text
    assert b"<script>" not in page
    assert model_report(replace(facts, validation=report(), records=(record(),))) == page


def test_groups_that_do_not_pass_are_named_with_their_numbers(facts: ReportInput) -> None:
    unfair = FairnessRow(
        "sex", "female", "male", "adverse_impact_ratio", 700, 800, 350, 600,
        0.667, 0.61, 0.73, 1e-9, 2e-9, 0.8, 0.05, "fail", "the ratio is 0.667, below 0.8",
    )  # fmt: skip
    fine = replace(unfair, group="diverse", verdict="pass", reason="")
    found = report(fairness=(fine, unfair), verdict="fail")
    told = (
        "sex=female against male", "adverse_impact_ratio", "700 against 800", "0.667",
        "0.610 to 0.730", "minimum 0.8", "fail", "the ratio is 0.667, below 0.8",
    )  # fmt: skip
    lines = validation_lines(found)
    assert f"| {' | '.join(told)} |" in lines
    assert not [line for line in lines if "diverse" in line]
    text = text_of(model_report(replace(facts, validation=found)))
    assert " ".join((*told[:6], "✕", *told[6:])) in text
    assert "sex=diverse" not in text


def test_the_summary_says_what_decides(facts: ReportInput) -> None:
    assert part_of(replace(facts, validation=report())) == (
        Verdict.PASS,
        "2 checks that decide on 1,561 rows of applications.",
    )
    failing = Check("edge-cases", "no-income", "", 0.02, n=1, limit=">= 0.5", verdict="fail")
    broken = report(checks=(failing,), verdict="fail")
    assert part_of(replace(facts, validation=broken)) == (
        Verdict.FAIL,
        (
            "1 check that decides on 1,561 rows of applications. "
            "edge-cases: no-income is 0.02 (>= 0.5): fail."
        ),
    )
    page = model_report(replace(facts, validation=broken))
    assert "Limits that are not met edge-cases: no-income is 0.02" in text_of(page)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (record(), Verdict.PASS),
        (record("rejected"), Verdict.FAIL),
        (record("approved-with-findings", issue("open")), Verdict.FAIL),
        (record("approved", issue("closed")), Verdict.PASS),
    ],
)
def test_a_validator_who_says_no_decides(
    facts: ReportInput, found: Validation, verdict: Verdict
) -> None:
    said = part_of(replace(facts, validation=report(), records=(found,)))
    assert said[0] is verdict
    assert said[1].endswith(f"The validator validator says {found.outcome}.")


def test_a_validation_that_cannot_be_read_is_no_pass(facts: ReportInput) -> None:
    assert facts.version is not None
    lost = replace(facts, version=replace(facts.version, validation=DIGEST))
    assert part_of(lost) == (
        Verdict.INSUFFICIENT,
        "The validation of this version cannot be read.",
    )
    assert "no data" in text_of(model_report(lost))


def test_bars_of_both_sides_have_one_scale() -> None:
    chart = ET.fromstring(svg.pairs([("a", 0.1, 0.2), ("b", 0.0, 0.05)], label=""))  # noqa: S314
    rects = [(one.get("class"), float(one.get("width", ""))) for one in chart.iter("rect")]
    assert rects == [("was", 75.0), ("now", 150.0), ("was", 0.0), ("now", 37.5)]


def test_a_cell_is_as_dark_as_its_share_of_the_row() -> None:
    chart = ET.fromstring(svg.grid([[3, 1], [0, 0]], label=""))  # noqa: S314
    assert [one.get("fill-opacity") for one in chart.iter("rect")] == ["0.77", "0.31"]


def test_every_picture_has_a_sentence_that_says_the_same() -> None:
    label = charts.flips(BEHAVIOUR).partition('aria-label="')[2].replace("\xa0", "")
    assert label.startswith(
        "Favourable decisions by group: all rows: 3.7% lose it, 2.0% gain it; sex=female: 5.4%"
    )
    label = charts.movement(BEHAVIOUR).partition('aria-label="')[2].partition('"')[0]
    label = label.replace("\xa0", "")
    assert label == (
        "Tenths of the score of the version before (down) and of this one (across): "
        "81.6% of 980 rows stay in theirs"
    )
