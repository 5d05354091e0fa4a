"""Every limit that the base declares is held against the numbers, whatever the document says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.limits_held import chance_error
from ordain.specs.findings import Severity
from ordain.specs.validations import Check
from tests.policies.conftest import Case as Change
from tests.policies.conftest import evidence_for, promote, validation_for

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

EDGES = "edge-cases/credit.yaml"
CASES = b"""cases:
  - {name: no-income, inputs: {income: 0}, expect: {min: 0.5}, why: nobody repays from nothing}
"""
SEGMENTS = {"columns": ["channel"], "min": 0.9}
PROXIES = {"max": 0.1, "joint": 0.55}
GATES = {"agreement": 0.9, "flips": 0.95}


def check(section: str, name: str, subject: str, value: float, **more: Any) -> Check:  # noqa: ANN401
    """A check that bears the limit and the verdict of whoever wrote the document."""
    given: dict[str, Any] = {"n": 1000, "limit": "<= 9", "verdict": "pass", **more}
    return Check(section, name, subject, value, **given)


# Where a limit is declared, its value, the check that keeps it, a value beyond it, what is said of
# that value and what is said where there is no such check.
FIELDS: dict[str, tuple[str, Any, Check, float, str, str]] = {
    "drift": (
        "acceptance.drift.psi.max",
        0.1,
        check("drift", "psi", "(score)", 0.05),
        9.9,
        "drift: PSI of (score) is 9.900, above 0.1",
        "drift: a PSI of the score of at most 0.1 is required, and none was judged",
    ),
    "calibration": (
        "validation.calibration",
        {"maxError": 0.05},
        check("calibration", "error", "", 0.04),
        0.5,
        "calibration: error is 0.5, above 0.05",
        "calibration: an error of at most 0.05 is required, and none was judged",
    ),
    "segments, min": (
        "validation.segments",
        SEGMENTS,
        check("segments", "roc_auc", "channel=car", 0.93),
        0.55,
        "segments: roc_auc of channel=car is 0.55, below 0.9",
        "segments: a limit of roc_auc by channel is required, and no group was judged",
    ),
    "segments, max": (
        "validation.segments",
        {"columns": ["channel"], "metric": "brier", "max": 0.2},
        check("segments", "brier", "channel=car", 0.1),
        0.4,
        "segments: brier of channel=car is 0.4, above 0.2",
        "segments: a limit of brier by channel is required, and no group was judged",
    ),
    "robustness, noise": (
        "validation.robustness",
        {"maxFlips": "1%"},
        check("robustness", "noise: flips", "", 0.01),
        0.4,
        "robustness: noise: flips are 0.4, above 1%",
        "robustness: at most 1% of flips by noise are accepted, and none were judged",
    ),
    "robustness, missing": (
        "validation.robustness",
        {"maxFlips": "1%"},
        check("robustness", "missing: flips", "", 0.0),
        0.02,
        "robustness: missing: flips are 0.02, above 1%",
        "robustness: at most 1% of flips by missing are accepted, and none were judged",
    ),
    "edge cases": (
        "validation.edgeCases",
        EDGES,
        check("edge-cases", "no-income", "", 0.7, limit="output >= 0.5"),
        0.2,
        "edge-cases: no-income is 0.2, expected output >= 0.5",
        f"edge-cases: no case of {EDGES} was judged",
    ),
    "proxies, joint": (
        "acceptance.proxies",
        PROXIES,
        check("proxies", "joint_auc", "sex", 0.54, low=0.5, high=0.58),
        0.9,
        "proxies: joint_auc of sex is 0.9, above 0.55",
        "proxies: a joint_auc of at most 0.55 is required, and none was judged",
    ),
    "proxies, max": (
        "acceptance.proxies",
        PROXIES,
        check("proxies", "cramers_v", "channel for sex", 0.05, low=0.01, high=0.1),
        0.6,
        "proxies: cramers_v of channel for sex is 0.6, above 0.1",
        "",
    ),
    "explanations, agreement": (
        "explanation.gates",
        GATES,
        check("explanations", "agreement", "", 0.95),
        0.86,
        "explanations: agreement is 0.86, below 0.9",
        "explanations: agreement of at least 0.9 is required, and was not judged",
    ),
    "explanations, flips": (
        "explanation.gates",
        GATES,
        check("explanations", "flips", "", 0.97),
        0.9,
        "explanations: flips is 0.9, below 0.95",
        "explanations: flips of at least 0.95 is required, and was not judged",
    ),
}
KEPT = [one[2] for one in FIELDS.values()]


def about(workshop: Workshop, field: str) -> Sketch:
    path, value = FIELDS[field][:2]
    before = workshop.fresh.set("Model/credit", f"spec.{path}", value)
    before.files[EDGES] = CASES
    return before


def missed(before: Sketch, *checks: Check, **changes: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What the gate says of a promotion whose validation holds these checks and good metrics."""
    evidence = evidence_for(before)
    report = validation_for(before, evidence)
    metrics = tuple(one for one in report.checks if one.section in {"performance", "champion"})
    report = replace(report, checks=(*metrics, *checks), **changes)
    after = promote(before, evidence, 1, report)
    case = Change(before, after, pusher="reconciler", signers=("reconciler",)).quorum()
    found = [one for one in case.judge().findings if one.severity is Severity.ERROR]
    assert {one.code for one in found} <= {"PRO013"}
    return tuple(line for one in found for line in one.evidence)


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_within_the_limit_of_the_base_passes(workshop: Workshop, field: str) -> None:
    assert missed(about(workshop, field), *KEPT) == ()


@pytest.mark.parametrize("verdict", ["pass", "warn"])
@pytest.mark.parametrize("field", FIELDS)
def test_a_value_beyond_the_limit_of_the_base_passes_under_no_verdict(
    workshop: Workshop, field: str, verdict: str
) -> None:
    kept, value, line = FIELDS[field][2:5]
    wrong = replace(kept, value=value, low=value - 0.01, high=value + 0.01, verdict=verdict)
    if field == "segments, min":
        wrong = replace(wrong, limit=">= 0.5")
    others = [one for one in KEPT if one is not kept]
    assert missed(about(workshop, field), *others, wrong) == (line,)


@pytest.mark.parametrize("field", [name for name in FIELDS if FIELDS[name][5]])
def test_a_limit_of_the_base_has_to_be_judged(workshop: Workshop, field: str) -> None:
    kept = FIELDS[field][2]
    others = [one for one in KEPT if (one.section, one.name) != (kept.section, kept.name)]
    if kept.section == "segments":
        others = [one for one in KEPT if one.section != "segments"]
    informing = replace(kept, limit="", verdict="insufficient")
    line = FIELDS[field][5]
    assert missed(about(workshop, field), *others) == (line,)
    assert line in missed(about(workshop, field), *others, informing)


def test_an_interval_that_reaches_the_limit_asks_for_a_look(workshop: Workshop) -> None:
    before = about(workshop, "segments, min")
    wide = check("segments", "roc_auc", "channel=car", 0.85, low=0.78, high=0.92)
    others = [one for one in KEPT if one.section != "segments"]
    assert missed(before, *others, replace(wide, verdict="warn")) == ()
    line = "segments: roc_auc of channel=car is 0.85, below 0.9"
    assert missed(before, *others, wide) == (line,)


def test_a_declared_proxy_over_its_limit_asks_for_a_look(workshop: Workshop) -> None:
    before = about(workshop, "proxies, max")
    told = check("proxies", "cramers_v", "channel for sex", 0.6, low=0.5, high=0.7, verdict="warn")
    others = [one for one in KEPT if one.subject != told.subject]
    assert missed(before, *others, told) == (
        "proxies: cramers_v of channel for sex is 0.6, above 0.1",
    )
    before.set("Dataset/applications", "spec.columns.channel.proxyFor", ["sex"])
    assert missed(before, *others, told) == ()


def test_a_slope_is_no_calibration_error(workshop: Workshop) -> None:
    others = [one for one in KEPT if one.section != "calibration"]
    slope = check("calibration", "slope", "", 1.0)
    assert missed(about(workshop, "calibration"), *others, slope) == (FIELDS["calibration"][5],)


def test_a_calibration_error_of_few_rows_may_be_chance(workshop: Workshop) -> None:
    others = [one for one in KEPT if one.section != "calibration"]
    few = check("calibration", "error", "", 0.12, n=100, verdict="warn")
    before = about(workshop, "calibration")
    assert missed(before, *others, few) == ()
    assert missed(before, *others, replace(few, n=1000)) == (
        "calibration: error is 0.12, above 0.05",
    )
    assert chance_error(100) == pytest.approx(0.1757, abs=1e-3)
    assert chance_error(0) == 0.0


def test_every_case_of_the_file_is_asked(workshop: Workshop) -> None:
    before = about(workshop, "edge cases")
    others = [one for one in KEPT if one.section != "edge-cases"]
    other = check("edge-cases", "no-income", "", 0.2, limit="output >= 0.1")
    assert missed(before, *others, other) == (
        "edge-cases: no-income (output >= 0.5) was not judged",
    )


def test_a_validation_of_no_rows_is_none(workshop: Workshop) -> None:
    assert missed(about(workshop, "drift"), *KEPT, rows=0) == ("rows: none were looked at",)
