"""`ordain reasons` says what it explains, for models of every task."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.cli.reasons import lines_of
from ordain.reports.decisions import Explained, explain_decision
from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.reasons import Reason
from ordain.runtime.reasons.errors import ReasonsError
from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.estates import load_estate
from tests.support import task_plans

if TYPE_CHECKING:
    from pathlib import Path

BACKGROUND = {"income": 1.0, "debt": 2.0}
METHOD = (
    f"Exact Shapley values against 1 training row, {sha256(canonical_json({'rows': [BACKGROUND]}))}"
)
DATASET = """apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: customers}
spec:
  source: {type: csv, uri: customers.csv}
  target: {column: grade, favourable: FAVOURABLE}
  columns: {income: {type: float}, debt: {type: float}, grade: {type: category}}
"""
MODEL = """apiVersion: ordain.dev/v1
kind: Model
metadata: {name: grade}
spec:
  purpose: Grade of a customer
  tier: 3
  owner: credit-risk
  task: TASK
  dataset: customers
  training: {estimator: logistic_regression}
"""


def explained(
    root: Path,
    data: bytes,
    task: str,
    row: dict[str, Any],
    *,
    favourable: str = "good",
    background: dict[str, Any] = BACKGROUND,
) -> Explained:
    store = ArtifactStore(root / "store")
    members = {"plan.json": data, "background.json": canonical_json({"rows": [background]})}
    artifact = save_artifact(store, "grade", "sha256:" + "c" * 64, members)
    prediction = task_plans.predicted(artifact, row)
    tree = {
        "specs/dataset.yaml": DATASET.replace("FAVOURABLE", favourable).encode(),
        "specs/model.yaml": MODEL.replace("TASK", task).encode(),
    }
    return explain_decision(prediction, store, load_estate(tree), tree)


def test_the_class_that_was_decided_is_named(tmp_path: Path) -> None:
    row = {"income": -1.0, "debt": 4.0}
    found = explained(tmp_path, task_plans.MULTICLASS, "classification", row)
    assert list(lines_of(found)) == [
        "0193-1  2026-11-20 00:00:00 UTC  route grade  grade@1",
        "output 0.962485, decision bad (replayed: identical)",
        "Explained is the class bad, in the unit: log-odds",
        "  1. debt  debt  (+2.000 log-odds; debt = 4.0)",
        "  2. income  income  (+1.000 log-odds; income = -1.0)",
        METHOD,
    ]
    plain = found.to_json()
    assert (plain["format"], plain["about"], plain["unit"]) == (
        "ordain.reasons/1",
        "the class bad",
        "log-odds",
    )
    digest = sha256(canonical_json({"rows": [BACKGROUND]}))
    assert plain["method"] == "exact"
    assert plain["background"] == {"digest": digest, "rows": 1, "of": "all"}


def test_the_favourable_class_is_told_with_what_spoke_against_it(tmp_path: Path) -> None:
    row = {"income": 9.0, "debt": 3.0}
    found = explained(tmp_path, task_plans.MULTICLASS, "classification", row)
    assert list(lines_of(found))[2:] == [
        "Explained is what spoke against the class good, in the unit: log-odds",
        "  1. debt  debt  (+1.000 log-odds; debt = 3.0)",
        METHOD,
    ]


@pytest.mark.parametrize(("favourable", "name"), [("true", "true"), ("1.0", "1"), ("1", "1")])
def test_the_favourable_class_is_found_by_the_name_that_plans_give_it(
    tmp_path: Path, favourable: str, name: str
) -> None:
    data = task_plans.MULTICLASS.replace(b'"good"', f'"{name}"'.encode())
    row = {"income": 9.0, "debt": 3.0}
    found = explained(tmp_path, data, "classification", row, favourable=favourable)
    assert found.subject.about == f"what spoke against the class {name}"


def test_a_value_is_told_in_its_own_unit_and_in_both_directions(tmp_path: Path) -> None:
    found = explained(tmp_path, task_plans.REGRESSION, "regression", {"income": 3.0, "debt": 4.0})
    assert list(lines_of(found))[1:] == [
        "output 1218.000000 (replayed: identical)",
        "Explained is the value, in the unit: value",
        "  1. income  income  (+240; income = 3.0)",
        "  2. debt  debt  (-71; debt = 4.0)",
        METHOD,
    ]


def test_a_logarithm_is_called_one(tmp_path: Path) -> None:
    found = explained(tmp_path, task_plans.COUNTS, "regression", {"income": 3.0, "debt": 2.0})
    assert list(lines_of(found))[2:] == [
        "Explained is the value, in the unit: logarithm of the value",
        "  1. income  income  (+0.500 logarithm of the value; income = 3.0)",
        METHOD,
    ]


def test_a_cluster_has_no_reasons(tmp_path: Path) -> None:
    with pytest.raises(ReasonsError) as caught:
        explained(tmp_path, task_plans.CLUSTERING, "clustering", {"income": 3.0, "debt": 4.0})
    assert caught.value.message == (
        "a clustering has no reasons: its distances are no sum over the inputs"
    )


def test_of_a_long_text_the_beginning_is_shown(tmp_path: Path) -> None:
    text = "late with every rate, " * 20
    row = {"income": text, "debt": 4.0}
    data = task_plans.plan(
        "regression",
        "identity",
        task_plans.linear((2.0, 0.0, 0.0)),
        inputs=[task_plans.an_input("income", "category"), task_plans.an_input("debt")],
        columns=[
            {
                "op": "one_hot",
                "input": "income",
                "levels": [text],
                "rare": [],
                "missing_level": None,
            },
            task_plans.number("debt"),
        ],
    )
    background = {"income": "another", "debt": 2.0}
    found = explained(tmp_path, data, "regression", row, background=background)
    shown = "late with every rate, late with every rate, late with every…"
    assert list(lines_of(found))[-2] == f"  1. income  income  (+2; income = {shown})"


def test_an_estimate_is_told_with_its_error(tmp_path: Path) -> None:
    step = task_plans.forest((0.0,), task_plans.stump(2, -1.0, 2.0, at=4.0))
    data = task_plans.plan(
        "regression",
        "identity",
        step,
        names=["income", "debt", "income x debt"],
        inputs=[task_plans.an_input(name) for name in ("income", "debt")],
        columns=[
            task_plans.number("income"),
            task_plans.number("debt"),
            {"op": "product", "inputs": [0, 1]},
        ],
        sources=[["income"], ["debt"], ["income", "debt"]],
    )
    found = explained(tmp_path, data, "regression", {"income": 3.0, "debt": 4.0})
    # The income decides alone, whichever of the two is taken first, so that the error is 0.
    assert list(lines_of(found))[2:] == [
        "Explained is the value, in the unit: value",
        "  1. income  income  (+3, estimated, ± 0; income = 3.0)",
        METHOD.replace("Exact", "Estimated"),
    ]
    assert found.to_json()["method"] == "estimated"
    close = Reason(1, "R01", "Too little", "income", 0.5, error=0.1, separated=False)
    assert list(lines_of(replace(found, reasons=(close,))))[3:5] == [
        "  1. R01  Too little  (+0.5, estimated, ± 0.2; income = 3.0)",
        "     Its place before the next one is within the error of the estimate.",
    ]
