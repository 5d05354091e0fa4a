"""A promotion carries a passing validation of exactly its artifact, or it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs.findings import Finding, Severity
from ordain.specs.validations import Behaviour, Check, Shift, ValidationReport
from tests.policies.conftest import Case as Change
from tests.policies.conftest import evidence_for, promote, validation_for, validation_in

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

OTHER = "sha256:" + "f" * 64
HELD_OUT = "sha256:" + "7" * 64


def promotion(
    workshop: Workshop,
    before: Sketch | None = None,
    **changes: Any,  # noqa: ANN401 - fields of ValidationReport, of any type
) -> Change:
    """A promotion with its quorum whose validation is changed."""
    before = before or workshop.fresh
    evidence = evidence_for(before)
    after = promote(before, evidence, 1, validation_for(before, evidence, **changes))
    return Change(before, after, pusher="reconciler", signers=("reconciler",)).quorum()


def errors(case: Change) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in findings(case)]


def findings(case: Change) -> list[Finding]:
    return [one for one in case.judge().findings if one.severity is Severity.ERROR]


def checks(workshop: Workshop, *more: Check) -> tuple[Check, ...]:
    """Those of a good validation, and more."""
    fresh = workshop.fresh
    return (*validation_for(fresh, evidence_for(fresh)).checks, *more)


# That there is one


def test_a_promotion_with_its_validation_passes(workshop: Workshop) -> None:
    assert errors(promotion(workshop)) == []


def test_a_version_without_a_validation_is_refused(workshop: Workshop) -> None:
    case = promotion(workshop)
    del case.after.documents["ModelVersion/credit-1"]["spec"]["validation"]
    del case.after.files[validation_in(case.after.files)]
    (found,) = findings(replace(case, approvals=[]).quorum())
    assert found.code == "PRO011"
    assert found.message == "ModelVersion/credit-1 names no validation of its artifact"
    assert found.controls == ("HR-BATCH", "SR262-VAL-OUT")


def test_a_validation_that_no_version_names_belongs_to_none(workshop: Workshop) -> None:
    case = promotion(workshop)
    path = validation_in(case.after.files)
    del case.after.documents["ModelVersion/credit-1"]["spec"]["validation"]
    assert errors(replace(case, approvals=[]).quorum()) == [
        ("PRO009", f"{path} belongs to no version of this change"),
        ("PRO011", "ModelVersion/credit-1 names no validation of its artifact"),
    ]


def test_its_document_is_in_the_tree(workshop: Workshop) -> None:
    case = promotion(workshop)
    path = validation_in(case.after.files)
    del case.after.files[path]
    assert errors(replace(case, approvals=[]).quorum()) == [
        ("PRO011", f"{path}, the validation of ModelVersion/credit-1, is not in this tree")
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"rows":1200', b'"rows":9200', "does not hold the validation that its name promises"),
        (b'"value":0.78', b'"value":NaN', "is not a validation of the format ordain.validation/1"),
        (b'"checks":', b'"cheques":', "is not a validation of the format ordain.validation/1"),
    ],
)
def test_a_document_that_was_touched_is_none(
    workshop: Workshop, old: bytes, new: bytes, message: str
) -> None:
    case = promotion(workshop)
    path = validation_in(case.after.files)
    case.after.files[path] = case.after.files[path].replace(old, new)
    assert errors(replace(case, approvals=[]).quorum()) == [("PRO011", f"{path} {message}")]


def test_a_version_from_before_there_were_validations_can_be_rolled_back_to(
    workshop: Workshop,
) -> None:
    before = workshop.second().after
    del before.documents["ModelVersion/credit-1"]["spec"]["validation"]
    after = before.copy().set("Deployment/credit", "spec.version", 1)
    assert errors(workshop.intention(before, after).quorum()) == []


# That it is about this


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"artifact": OTHER}, f"artifact = {OTHER}, expected sha256:{'a' * 64}"),
        ({"model": "churn"}, "model = churn, expected credit"),
        ({"task": "regression"}, "task = regression, expected classification"),
        ({"dataset": "holdout"}, "dataset = holdout, expected applications"),
        ({"part": ""}, "part = all rows, expected test"),
    ],
)
def test_a_validation_of_something_else_is_refused(
    workshop: Workshop, changes: dict[str, Any], line: str
) -> None:
    (found,) = findings(promotion(workshop, **changes))
    assert found.code == "PRO012"
    assert found.message == "the validation of ModelVersion/credit-1 is about something else"
    assert found.evidence == (line,)


def test_a_validation_of_other_rows_is_refused(workshop: Workshop) -> None:
    (found,) = findings(promotion(workshop, data=OTHER))
    assert found.code == "PRO012"
    assert found.evidence[0].startswith(f"data = {OTHER}, expected sha256:")


def held_out(workshop: Workshop, digest: str | None = HELD_OUT) -> Sketch:
    """A model that is validated on a Dataset of its own."""
    fresh = workshop.fresh
    spec = fresh.documents["Dataset/applications"]["spec"]
    fresh.add("Dataset", "holdout", **{**spec, "digest": digest})
    return fresh.set("Model/credit", "spec.validation", {"dataset": "holdout"})


def test_the_rows_are_those_that_the_model_declares(workshop: Workshop) -> None:
    before = held_out(workshop)
    rows: dict[str, Any] = {"dataset": "holdout", "data": HELD_OUT, "part": ""}
    assert errors(promotion(workshop, before, **rows)) == []
    (found,) = findings(promotion(workshop, before))
    assert found.code == "PRO012"
    assert found.evidence[0] == "dataset = applications, expected holdout"
    (found,) = findings(promotion(workshop, before, **{**rows, "data": OTHER}))
    assert found.evidence == (f"data = {OTHER}, expected {HELD_OUT}",)


def test_a_comparison_with_another_version_than_the_one_that_runs_is_refused(
    workshop: Workshop,
) -> None:
    shift = Shift("", 100, 1, 2, 0.5, 0.51, 1.0)
    (found,) = findings(promotion(workshop, behaviour=Behaviour(OTHER, (shift,))))
    line = f"champion of the behaviour = {OTHER}, expected none"
    assert (found.code, found.evidence) == ("PRO012", (line,))
    (found,) = findings(promotion(workshop, champion=OTHER))
    assert (found.code, found.evidence) == ("PRO012", (f"champion = {OTHER}, expected none",))


# That it passed


def test_what_did_not_pass_is_named(workshop: Workshop) -> None:
    more = (
        Check("edge-cases", "no-income", "", 0.02, n=1, limit=">= 0.5", verdict="fail"),
        Check("calibration", "ece", limit="<= 0.05", reason="no outcomes"),
    )
    (found,) = findings(promotion(workshop, checks=checks(workshop, *more), verdict="pass"))
    assert found.code == "PRO013"
    assert found.message == (
        "the validation of ModelVersion/credit-1 did not pass: "
        "edge-cases: no-income is 0.02 (>= 0.5): fail and 1 more"
    )
    assert found.evidence == (
        "edge-cases: no-income is 0.02 (>= 0.5): fail",
        "calibration: ece is not known (<= 0.05): insufficient, no outcomes",
    )
    assert found.controls == ("HR-BATCH", "SR262-VAL-OUT", "SS123-4.1")


def test_what_has_no_limit_decides_nothing(workshop: Workshop) -> None:
    check = Check("segments", "roc_auc", "purpose=car", 0.5, n=90, verdict="fail")
    assert errors(promotion(workshop, checks=checks(workshop, check))) == []


@pytest.mark.parametrize("verdict", ["fail", "insufficient"])
def test_what_the_document_says_against_itself_is_believed(
    workshop: Workshop, verdict: str
) -> None:
    assert errors(promotion(workshop, verdict=verdict)) == [
        (
            "PRO013",
            (
                "the validation of ModelVersion/credit-1 did not pass: "
                f"the document itself says {verdict}"
            ),
        )
    ]


def test_the_limits_of_the_base_are_held_against_its_numbers(workshop: Workshop) -> None:
    low = [
        replace(one, value=0.72, low=0.61) if one.section == "performance" else one
        for one in checks(workshop)
    ]
    assert errors(promotion(workshop, checks=tuple(low))) == [
        (
            "ACC-METRIC",
            (
                "credit, validation: lower bound of roc_auc is 0.61; "
                "required is at least 0.7 (lower bound at 0.95)"
            ),
        )
    ]


def test_a_required_metric_has_to_be_measured_again(workshop: Workshop) -> None:
    others = tuple(one for one in checks(workshop) if one.section != "performance")
    assert [code for code, _ in errors(promotion(workshop, checks=others))] == ["ACC-METRIC"]


def test_drift_by_the_limit_of_the_base_is_no_pass(workshop: Workshop) -> None:
    check = Check("drift", "psi", "income", 0.31, n=1200, limit="<= 5", verdict="pass")
    assert errors(promotion(workshop, checks=checks(workshop, check))) == [
        (
            "PRO013",
            (
                "the validation of ModelVersion/credit-1 did not pass: "
                "drift: PSI of income is 0.310, above 0.2"
            ),
        )
    ]


def test_what_the_base_declares_of_a_validation_has_to_be_judged(workshop: Workshop) -> None:
    declared = {"edgeCases": "edge-cases/credit.yaml", "calibration": {"maxError": 0.05}}
    before = workshop.fresh.set("Model/credit", "spec.validation", declared)
    before.files["edge-cases/credit.yaml"] = b"[]\n"
    about = "the validation of ModelVersion/credit-1 did not pass: "
    (found,) = [one for one in findings(promotion(workshop, before)) if one.code == "PRO013"]
    assert found.message == (
        about + "calibration: an error of at most 0.05 is required, and none was judged and 1 more"
    )
    assert found.evidence[1] == "edge-cases: no case of edge-cases/credit.yaml was judged"
    judged = checks(
        workshop,
        Check("edge-cases", "no-income", value=0.7, n=1, limit=">= 0.5", verdict="pass"),
        Check("calibration", "error", value=0.08, n=1200, limit="<= 0.2", verdict="pass"),
    )
    again = findings(promotion(workshop, before, checks=judged))
    assert [one.message for one in again if one.code == "PRO013"] == [
        about + "calibration: error is 0.08, above 0.05"
    ]


def test_fairness_is_judged_by_the_gate_again(workshop: Workshop) -> None:
    fresh = workshop.fresh
    report: ValidationReport = validation_for(fresh, evidence_for(fresh))
    (row,) = report.fairness
    unfair = replace(row, favourable=300, value=0.75, p_value=1e-9, p_holm=1e-9)
    about = "credit, validation: adverse_impact_ratio of sex female against male: "
    assert errors(promotion(workshop, fairness=(unfair,))) == [
        ("ACC-FAIRNESS", about + "the ratio is 0.750, below 0.8")
    ]
    small = replace(row, n=20, favourable=16, verdict="insufficient")
    diverse = replace(small, group="diverse")
    case = promotion(workshop, fairness=(row, diverse))
    assert errors(case) == []
    told = about.replace("female", "diverse") + "20 rows, 30 are needed"
    assert [one.message for one in case.judge().findings] == [told]
    assert [code for code, _ in errors(promotion(workshop, fairness=()))] == ["ACC-FAIRNESS"]


# What runs, and what was read


def over_a_running_version(
    workshop: Workshop,
    **changes: Any,  # noqa: ANN401 - fields of ValidationReport, of any type
) -> Change:
    """The promotion of version 2 over version 1, whose validation is changed."""
    before = workshop.second().before
    evidence = evidence_for(before)
    after = promote(before, evidence, 2, validation_for(before, evidence, **changes))
    return Change(before, after, pusher="reconciler", signers=("reconciler",)).quorum()


def test_a_validation_names_the_version_that_runs_compared_or_not(workshop: Workshop) -> None:
    assert errors(over_a_running_version(workshop)) == []
    (found,) = findings(over_a_running_version(workshop, champion="", behaviour=None))
    line = f"champion = none, expected sha256:{'a' * 64}"
    assert (found.code, found.evidence) == ("PRO012", (line,))


def test_a_version_that_could_not_be_compared_asks_for_a_look(workshop: Workshop) -> None:
    case = over_a_running_version(workshop, behaviour=None)
    (found,) = [one for one in case.judge().findings if one.code == "PRO014"]
    assert found.severity is Severity.WARNING
    assert found.message == (
        "the validation of ModelVersion/credit-2 does not show what would be decided otherwise "
        "than by the version now running"
    )
    assert errors(case) == []


def test_a_validation_of_other_edge_cases_or_reasons_is_refused(workshop: Workshop) -> None:
    before = workshop.fresh.set("Model/credit", "spec.validation", {"edgeCases": "cases.yaml"})
    before.files |= {"cases.yaml": b"cases: []\n", "reasons/credit.yaml": b"reasons: []\n"}
    evidence = evidence_for(before)
    report = validation_for(before, evidence)
    assert sorted(report.inputs) == ["edge_cases", "reasons"]
    for name, digest in report.inputs.items():
        changed = promotion(workshop, before, inputs={**report.inputs, name: OTHER})
        (found,) = [one for one in findings(changed) if one.code == "PRO012"]
        assert found.evidence == (f"{name} = {OTHER}, expected {digest}",)


def test_a_document_from_before_keeps_its_digest(workshop: Workshop) -> None:
    fresh = workshop.fresh
    old = validation_for(fresh, evidence_for(fresh), champion="", inputs={})
    assert b"inputs" not in old.to_json()
    assert b'"champion":' not in old.to_json().replace(b'"section":"champion"', b"")


def test_a_fairness_gate_of_which_no_group_could_be_judged_is_not_met(workshop: Workshop) -> None:
    fresh = workshop.fresh
    (row,) = validation_for(fresh, evidence_for(fresh)).fairness
    small = replace(row, n=20, favourable=16, verdict="insufficient", reason="20 rows")
    version = "ModelVersion/credit-1"
    told = "fairness: no group of adverse_impact_ratio by sex could be judged: female: 20 rows"
    assert errors(promotion(workshop, fairness=(small,))) == [
        (
            "PRO013",
            f"the validation of {version} did not pass: {told}",
        )
    ]
