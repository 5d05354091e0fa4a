"""What a promotion must prove, and every way in which one can lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.acceptance import judge_row
from ordain.policies.changes import Kind
from ordain.specs.chance import Counts, lower_rate
from ordain.specs.evidence import FairnessRow, Metric, read_evidence
from ordain.specs.findings import Finding, Severity, Verdict
from ordain.specs.kinds.model import FairnessGate
from tests.policies.conftest import Case, evidence_for, evidence_in, promote, validation_for

if TYPE_CHECKING:
    from tests.policies.conftest import Workshop


METRIC = Metric("roc_auc", "test", 0.78, 0.75, 0.81, 0.95, 1200, ">= 0.7", "pass")


def approved(case: Case) -> Case:
    return case.quorum()


def errors(case: Case) -> list[tuple[str, str]]:
    return [
        (one.code, one.message)
        for one in approved(case).judge().findings
        if one.severity is Severity.ERROR
    ]


def the_error(case: Case) -> Finding:
    (found,) = [one for one in approved(case).judge().findings if one.severity is Severity.ERROR]
    return found


def _fairness(workshop: Workshop) -> tuple[FairnessRow, ...]:
    files = workshop.promotion().after.files
    path = evidence_in(files)
    return read_evidence(files[path], path).fairness


def test_a_promotion_with_its_quorum_passes(workshop: Workshop) -> None:
    judgement = approved(workshop.promotion()).judge()
    assert judgement.findings == ()
    assert judgement.verdict is Verdict.PASS
    assert judgement.kind is Kind.PROMOTION
    assert [one.person for one in judgement.approvals] == [
        "compliance-manager",
        "cto",
        "manager",
    ]
    assert [str(one) for one in judgement.required] == [
        "a manager and a cto and a compliance-manager"
    ]
    assert judgement.engine.startswith("cel-expr-python ")
    assert dict(judgement.policies)["route-fallback"].startswith("sha256:")


def test_a_second_version_is_held_against_the_first(workshop: Workshop) -> None:
    assert errors(workshop.second()) == []


@pytest.mark.parametrize("signers", [(), (None,), ("data-scientist",), ("reconciler", "manager")])
def test_it_is_signed_by_the_reconciler_and_by_nobody_else(
    workshop: Workshop, signers: tuple[str | None, ...]
) -> None:
    found = the_error(replace(workshop.promotion(), signers=signers))
    names = ", ".join(one or "nobody" for one in signers) or "nobody"
    assert found.code == "PRO004"
    assert found.message == (
        f"versions and evidence must be signed by the reconciler; signed by {names}"
    )


def test_the_number_is_the_next_one(workshop: Workshop) -> None:
    case = workshop.promotion()
    case.after.set("ModelVersion/credit-1", "spec.version", 3)
    case.after.set("Deployment/credit", "spec.version", 3)
    assert errors(case) == [
        ("PRO005", "ModelVersion/credit-1 is version 3 of credit; the next one is 1")
    ]


@pytest.mark.parametrize(
    ("key", "path", "value", "field"),
    [
        ("Model/credit", "spec.training.seed", 99, "spec"),
        ("Dataset/applications", "spec.digest", "sha256:" + "e" * 64, "data"),
        ("Dataset/applications", "spec.columns.income.type", "int", "dataset"),
    ],
)
def test_it_was_made_by_the_recipe_of_its_tree(
    workshop: Workshop, key: str, path: str, value: object, field: str
) -> None:
    case = workshop.promotion()
    case.before.set(key, path, value)
    case.after.set(key, path, value)
    found = the_error(case)
    assert found.code == "PRO006"
    assert (
        found.message == "ModelVersion/credit-1 was made by another recipe than this tree declares"
    )
    assert field in {line.partition(" = ")[0] for line in found.evidence}


def test_an_upgraded_environment_is_another_recipe(workshop: Workshop) -> None:
    case = workshop.promotion()
    case.before.files["environment.lock"] = b"numpy==3.0.0\n"
    case.after.files["environment.lock"] = b"numpy==3.0.0\n"
    found = the_error(case)
    assert found.code == "PRO006"
    assert [line.partition(" = ")[0] for line in found.evidence] == ["environment"]


def test_a_recipe_that_its_inputs_do_not_give_is_refused(workshop: Workshop) -> None:
    case = workshop.promotion()
    case.after.set("ModelVersion/credit-1", "spec.inputs.seed", 8)
    assert the_error(case).code == "PRO006"


def test_an_owner_or_a_purpose_is_no_part_of_the_recipe(workshop: Workshop) -> None:
    case = workshop.promotion()
    for sketch in (case.before, case.after):
        sketch.set("Model/credit", "spec.owner", "somebody-else")
    assert errors(case) == []


def test_its_evidence_is_in_the_tree(workshop: Workshop) -> None:
    case = workshop.promotion()
    path = evidence_in(case.after.files)
    del case.after.files[path]
    assert errors(case) == [
        ("PRO007", f"{path}, the evidence of ModelVersion/credit-1, is not in this tree")
    ]


def test_evidence_that_was_touched_is_not_what_its_name_promises(workshop: Workshop) -> None:
    case = workshop.promotion()
    path = evidence_in(case.after.files)
    case.after.files[path] = case.after.files[path].replace(b"0.78", b"0.98")
    assert errors(case) == [("PRO007", f"{path} does not hold the evidence that its name promises")]


@pytest.mark.parametrize("claim", ["artifact", "split"])
def test_evidence_is_about_exactly_this_version(workshop: Workshop, claim: str) -> None:
    case = workshop.promotion()
    case.after.set("ModelVersion/credit-1", f"spec.{claim}", "sha256:" + "f" * 64)
    found = the_error(case)
    assert found.code == "PRO007"
    assert found.message == "the evidence of ModelVersion/credit-1 is about something else"
    assert found.evidence[0].startswith(f"{claim} = sha256:")


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": (replace(METRIC, value="0.9"),)},  # type: ignore[arg-type]
        {"metrics": (replace(METRIC, value=True),)},
        {"metrics": (replace(METRIC, low=[]),)},  # type: ignore[arg-type]
        {"drift": {"income": "low"}},
        {"drift": ["low"]},
        {"parity": {"plan": None}},
    ],
)
def test_evidence_whose_numbers_are_none_is_refused(
    workshop: Workshop, changes: dict[str, Any]
) -> None:
    found = the_error(workshop.promotion(**changes))
    assert found.code == "PRO007"
    assert found.message.endswith("is not an evidence document of the format ordain.evidence/1")


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"{}", b"[" * 100_000, b"x" * 300_000, b'{"format": NaN}'],
    ids=["empty", "bytes", "object", "deep", "large", "nan"],
)
def test_bytes_that_are_no_evidence_are_one_finding(workshop: Workshop, data: bytes) -> None:
    case = workshop.promotion()
    path = evidence_in(case.after.files)
    case.after.files[path] = data
    assert [code for code, _ in errors(case)] == ["PRO007"]


def test_evidence_with_a_value_that_is_no_number_is_one_finding(workshop: Workshop) -> None:
    case = workshop.promotion()
    path = evidence_in(case.after.files)
    case.after.files[path] = case.after.files[path].replace(b'"value":0.78', b'"value":NaN')
    assert [code for code, _ in errors(case)] == ["PRO007"]


def test_a_rollback_pins_no_data(workshop: Workshop) -> None:
    before = workshop.second().after
    after = before.copy().set("Deployment/credit", "spec.version", 1)
    after.set("Dataset/applications", "spec.digest", "sha256:" + "e" * 64)
    assert errors(workshop.intention(before, after)) == [
        (
            "PRO008",
            (
                "the data of Dataset/applications changes, "
                "and no version of this change was made from it"
            ),
        )
    ]


def test_evidence_of_no_version_is_refused(workshop: Workshop) -> None:
    case = workshop.promotion()
    case.after.files["evidence/" + "0" * 64 + ".json"] = b"{}\n"
    path = "evidence/" + "0" * 64 + ".json"
    assert errors(case) == [("PRO009", f"{path} belongs to no version of this change")]


def test_the_verdict_of_the_evidence_is_not_believed(workshop: Workshop) -> None:
    low = Metric("roc_auc", "test", 0.72, 0.61, 0.8, 0.95, 1200, ">= 0.7", "pass")
    found = the_error(workshop.promotion(metrics=(low,), verdict="pass"))
    assert found.code == "ACC-METRIC"
    assert found.message == (
        "credit: lower bound of roc_auc is 0.61; required is at least 0.7 (lower bound at 0.95)"
    )
    assert found.evidence == ("roc_auc = 0.72 [0.61, 0.8], n = 1200",)
    assert found.controls == ("HR-BATCH", "SR262-VAL-OUT", "AIA-15")
    assert str(found.location).startswith("specs/modelversion/credit-1.yaml:")


def test_evidence_that_says_it_failed_is_believed(workshop: Workshop) -> None:
    assert errors(workshop.promotion(verdict="fail")) == [
        ("ACC-VERDICT", "credit: the evidence itself says that it failed")
    ]


@pytest.mark.parametrize(
    "metrics",
    [
        (),
        (Metric("roc_auc", "train", 0.9, 0.88, 0.92, 0.95, 3600),),
        (Metric("roc_auc", "test", 0.9, 0.88, 0.92, 0.8, 1200),),
        (Metric("roc_auc", "test", 0.9, None, None, 0.95, 1200),),
    ],
    ids=["nothing", "another part", "another confidence", "no interval"],
)
def test_a_required_metric_that_was_not_measured_blocks(
    workshop: Workshop, metrics: tuple[Metric, ...]
) -> None:
    assert errors(workshop.promotion(metrics=metrics)) == [
        (
            "ACC-METRIC",
            (
                "credit: required is roc_auc of at least 0.7 (lower bound at 0.95), "
                "and the evidence does not hold it"
            ),
        )
    ]


def coverage(*bands: tuple[int, int, int]) -> dict[str, Any]:
    names = ("n", "labelled", "explored")
    return {"coverage": {"bands": [dict(zip(names, band, strict=True)) for band in bands]}}


SHOWN = coverage((600, 600, 0), (600, 300, 40))
NOBODY_SEEN = "credit: roc_auc is required of all cases, and is not shown: "


@pytest.mark.parametrize(
    ("data", "gap"),
    [
        ({"rows": 6000}, "the evidence does not say whose outcomes were seen"),
        (coverage(), "the evidence does not say whose outcomes were seen"),
        (coverage((600, 700, 0)), "the evidence does not say whose outcomes were seen"),
        (coverage((600, 300, 301)), "the evidence does not say whose outcomes were seen"),
        ({"coverage": {"bands": "all"}}, "the evidence does not say whose outcomes were seen"),
        (
            coverage((600, 600, 0), (600, 300, 0)),
            "1 of 2 score bands have fewer than 10 outcomes that were seen by chance",
        ),
        (
            coverage((600, 600, 0), (600, 300, 9)),
            "1 of 2 score bands have fewer than 10 outcomes that were seen by chance",
        ),
        (
            coverage((9_000, 9_000, 9_000), (1_200, 300, 11)),
            (
                "0.92% of the cases of score bands that were not seen whole were seen by chance, "
                "1% are needed"
            ),
        ),
        (SHOWN, ""),
        (coverage((600, 600, 0), (600, 600, 0)), ""),
    ],
)
def test_a_claim_on_all_cases_needs_outcomes_that_were_seen_by_chance(
    workshop: Workshop, data: dict[str, Any], gap: str
) -> None:
    loop = {"observed": "granted", "explored": "drawn"}
    fresh = workshop.fresh.set("Dataset/applications", "spec.target.feedback", loop)
    for name in loop.values():
        fresh.set("Dataset/applications", f"spec.columns.{name}", {"type": "bool"})
    found = errors(workshop.promotion(fresh, data=data))
    assert found == ([("ACC-METRIC", NOBODY_SEEN + gap)] if gap else [])
    [gate] = fresh.documents["Model/credit"]["spec"]["acceptance"]["metrics"]
    labelled = [{**gate, "population": "labelled"}]
    fresh.set("Model/credit", "spec.acceptance.metrics", labelled)
    assert errors(workshop.promotion(fresh, data=data)) == []


def with_champion(workshop: Workshop, *deltas: Metric) -> Case:
    """A second version of a model that has a champion gate."""
    gates = [
        {"name": "roc_auc", "min": 0.7, "bound": "lower"},
        {"name": "roc_auc", "versus": "champion", "minDelta": -0.002},
    ]
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.metrics", gates)
    return workshop.second(fresh, metrics=(METRIC, *deltas))


@pytest.mark.parametrize(("delta", "accepted"), [(0.004, True), (-0.002, True), (-0.01, False)])
def test_a_version_is_not_worse_than_the_one_it_replaces(
    workshop: Workshop, delta: float, *, accepted: bool
) -> None:
    measured = Metric("roc_auc_delta", "test", delta, -0.02, 0.02, 0.95, 1200)
    found = errors(with_champion(workshop, measured))
    expected = [
        (
            "ACC-CHAMPION",
            (
                "credit: difference of roc_auc to the version now running is -0.01, "
                "and at least -0.002 is required"
            ),
        )
    ]
    assert found == ([] if accepted else expected)


def test_a_version_that_was_not_compared_is_refused(workshop: Workshop) -> None:
    empty = Metric("roc_auc_delta", "test", 0.0, None, None, 0.95, 0, "(no champion yet)")
    for rows in ((), (empty,)):
        assert errors(with_champion(workshop, *rows)) == [
            ("ACC-CHAMPION", "credit: roc_auc was not compared with the version now running")
        ]


def test_the_first_version_has_nothing_to_be_compared_with(workshop: Workshop) -> None:
    gates = [
        {"name": "roc_auc", "min": 0.7},
        {"name": "roc_auc", "versus": "champion", "minDelta": 0.0},
    ]
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.metrics", gates)
    assert errors(workshop.promotion(fresh)) == []


def unfair(row: FairnessRow, **changes: Any) -> FairnessRow:  # noqa: ANN401 - fields of any type
    """A favourable decision in 300 of 500 cases, and in 560 of 700 of the reference."""
    return replace(row, favourable=300, value=(300 / 500) / (560 / 700), **changes)


def fairness_findings(workshop: Workshop, row: FairnessRow) -> list[tuple[Severity, str]]:
    judgement = approved(workshop.promotion(fairness=(row,))).judge()
    return [(one.severity, one.message) for one in judgement.findings]


def test_a_disparity_fails_on_size_and_significance(workshop: Workshop) -> None:
    (fair,) = _fairness(workshop)
    claimed = unfair(fair, p_value=1e-9, p_holm=1e-9, verdict="pass")
    about = "credit: adverse_impact_ratio of sex female against male: "
    assert fairness_findings(workshop, claimed) == [
        (Severity.ERROR, about + "the ratio is 0.750, below 0.8")
    ]
    assert fairness_findings(workshop, chance(fair)) == [
        (
            Severity.WARNING,
            about + "the ratio is 0.769, below 0.8, but within what chance explains",
        )
    ]


def chance(row: FairnessRow, **changes: Any) -> FairnessRow:  # noqa: ANN401 - fields of any type
    """6 of 60 against 91 of 700, which happens without any disparity."""
    p_value = lower_rate(Counts(6, 60), Counts(91, 700))
    given: dict[str, Any] = {
        "n": 60, "favourable": 6, "favourable_reference": 91, "value": (6 / 60) / (91 / 700),
        "p_value": p_value, "p_holm": p_value, "verdict": "warn", **changes,
    }  # fmt: skip
    return replace(row, **given)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"p_value": None, "p_holm": None},
            "the ratio is 0.769, below 0.8, and no test says that it is chance",
        ),
        ({"p_holm": None}, "of the p-value and the corrected one only one is there"),
        (
            {"p_value": 0.2, "p_holm": 0.9},
            "p (Holm) is 0.9, and 0.2 to 0.2 are possible of 1 tests",
        ),
        (
            {"p_value": 0.2, "p_holm": 0.1},
            "p (Holm) is 0.1, and 0.2 to 0.2 are possible of 1 tests",
        ),
        (
            {"p_value": 1e-20, "p_holm": 0.9},
            "p (Holm) is 0.9, and 1e-20 to 1e-20 are possible of 1 tests",
        ),
        (
            {"favourable": 300, "n": 500, "favourable_reference": 560, "value": 0.75},
            "the counts give a p-value of 5.25e-14, and the evidence says 0.333",
        ),
    ],
)
def test_a_p_value_is_not_believed(
    workshop: Workshop, changes: dict[str, Any], reason: str
) -> None:
    (fair,) = _fairness(workshop)
    about = "credit: adverse_impact_ratio of sex female against male: "
    found = fairness_findings(workshop, chance(fair, **changes))
    assert found == [(Severity.ERROR, about + reason)]


def test_two_gates_of_one_metric_have_rows_of_their_own(workshop: Workshop) -> None:
    gates = [{"attributes": ["sex"], "min": 0.8}, {"min": 0.9}]
    fresh = workshop.fresh.set("Model/credit", "spec.acceptance.fairness", gates)
    (fair,) = _fairness(workshop)
    both = (fair, replace(fair, minimum=0.9))

    def found(*rows: FairnessRow) -> list[tuple[str, str]]:
        evidence = evidence_for(fresh, fairness=rows)
        report = validation_for(fresh, evidence, fairness=both)
        after = promote(fresh, evidence, 1, report)
        return errors(Case(fresh, after, pusher="reconciler", signers=("reconciler",)))

    assert found(*both) == []
    assert found(fair) == [
        (
            "ACC-FAIRNESS",
            (
                "credit: adverse_impact_ratio of sex female against male: "
                "measured against other limits than the model declares"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": 20, "favourable": 16}, "20 rows, 30 are needed"),
        (
            {"n_reference": 29, "favourable_reference": 20},
            "29 rows in the reference group, 30 are needed",
        ),
        (
            {"favourable": 2, "favourable_reference": 2, "value": 1.4},
            "1.7 favourable decisions expected, 5 are needed",
        ),
        ({"value": None}, "nothing was measured"),
        (
            {"power": 0.31},
            (
                "a disparity of the size of the limit would be found with a probability of 0.31, "
                "0.5 is needed"
            ),
        ),
    ],
)
def test_a_group_too_small_is_never_a_pass(
    workshop: Workshop, changes: dict[str, Any], reason: str
) -> None:
    (fair,) = _fairness(workshop)
    found = fairness_findings(workshop, replace(fair, **changes))
    assert found == [
        (
            Severity.WARNING,
            f"credit: adverse_impact_ratio of sex female against male: {reason}",
        )
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"minimum": 0.5}, "measured against other limits than the model declares"),
        ({"alpha": 0.0001}, "measured against other limits than the model declares"),
        ({"favourable": 200}, "the counts give 0.5, and the evidence says 1"),
    ],
)
def test_fairness_that_was_tuned_is_refused(
    workshop: Workshop, changes: dict[str, Any], reason: str
) -> None:
    (fair,) = _fairness(workshop)
    found = fairness_findings(workshop, replace(fair, **changes))
    assert found == [
        (Severity.ERROR, f"credit: adverse_impact_ratio of sex female against male: {reason}")
    ]


def test_the_gate_counts_a_difference_again(workshop: Workshop) -> None:
    (fair,) = _fairness(workshop)
    gate = FairnessGate(metric="demographic_parity_difference")
    row = replace(
        fair, metric=gate.metric, minimum=None, maximum=0.1, value=0.0, low=-0.05, high=0.05
    )
    assert judge_row(gate, row, 2, 1) == (Verdict.PASS, "")
    assert judge_row(gate, replace(row, favourable=300), 2, 1) == (
        Verdict.FAIL,
        "the counts give -0.2, and the evidence says 0",
    )
    lower = replace(row, favourable=300, value=-0.2, low=-0.25, high=-0.15)
    lower = replace(lower, p_value=1e-14, p_holm=1e-14)
    assert judge_row(gate, lower, 2, 1) == (Verdict.FAIL, "the difference is -0.200, more than 0.1")
    assert judge_row(gate, replace(lower, maximum=0.3), 2, 1) == (
        Verdict.FAIL,
        "measured against other limits than the model declares",
    )
    held = replace(row, verdict="fail", reason="looked at by hand")
    assert judge_row(gate, held, 2, 1) == (Verdict.FAIL, "looked at by hand")


def test_an_attribute_that_was_not_measured_blocks(workshop: Workshop) -> None:
    assert errors(workshop.promotion(fairness=())) == [
        ("ACC-FAIRNESS", "credit: adverse_impact_ratio by sex is required and was not measured")
    ]


def test_drift_between_the_parts_is_limited(workshop: Workshop) -> None:
    assert errors(workshop.promotion(drift={"income": 0.31, "amount": 0.01})) == [
        (
            "ACC-DRIFT",
            (
                "credit: PSI of income between training and test is 0.310, above 0.2, "
                "acceptance.drift.psi.max"
            ),
        )
    ]
    judgement = approved(workshop.promotion(drift={})).judge()
    assert judgement.verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("parity", "message"),
    [
        ({}, "credit: parity of the fitted pipeline and its plan was not measured"),
        (
            {"plan": 1e-3},
            "credit: the plan differs from the fitted pipeline by 0.001, more than 1e-09",
        ),
    ],
)
def test_what_serves_equals_what_was_measured(
    workshop: Workshop, parity: dict[str, float], message: str
) -> None:
    assert errors(workshop.promotion(parity=parity)) == [("ACC-PARITY", message)]


@pytest.mark.parametrize(
    ("parity", "message"),
    [
        ({}, "credit: parity of the fitted pipeline and its onnx was not measured"),
        (
            {"onnx": 2e-5},
            "credit: the onnx differs from the fitted pipeline by 2e-05, more than 1e-05",
        ),
    ],
)
def test_a_form_that_the_artifact_holds_equals_what_was_measured(
    workshop: Workshop, parity: dict[str, float], message: str
) -> None:
    case = workshop.promotion(parity={"plan": 1e-15} | parity, forms=("onnx", "skops"))
    assert errors(case) == [("ACC-PARITY", message)]


def test_an_artifact_from_before_there_were_forms_is_judged_by_its_plan(
    workshop: Workshop,
) -> None:
    assert errors(workshop.promotion(parity={"plan": 1e-15}, forms=())) == []


def test_a_rollback_needs_the_quorum_and_no_machine(workshop: Workshop) -> None:
    before = workshop.second().after
    after = before.copy().set("Deployment/credit", "spec.version", 1)
    case = replace(
        workshop.intention(before, after), signers=("manager",), contributors=("manager",)
    )
    judgement = case.quorum().judge()
    assert judgement.kind is Kind.PROMOTION
    assert [one.code for one in judgement.refused] == ["SOD-SELF"]
    assert [one.code for one in judgement.findings] == ["SOD-QUORUM", "SOD-SELF"]


def test_a_deployment_cannot_move_to_a_version_that_does_not_exist(workshop: Workshop) -> None:
    before = workshop.promotion().after
    after = before.copy().set("Deployment/credit", "spec.version", 7)
    codes = [code for code, _ in errors(workshop.intention(before, after))]
    assert codes == ["REF010"]
