"""Reasons of models with several outputs, of values, and of products of two inputs."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.reasons import (
    Explainer,
    Reason,
    ReasonCode,
    ReasonCodes,
    attributions,
    expected_margin,
    reasons_for,
    subject_of,
    unit_of,
)
from ordain.runtime.reasons.errors import ReasonsError, ReplayError
from ordain.runtime.scoring import RowPlan
from ordain.specs.canonical import canonical_json
from tests.support import task_plans
from tests.support.task_plans import forest, linear, number, plan, stump

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.artifacts import Artifact

Row = dict[str, Any]
BACKGROUND: list[Row] = [
    {"income": 1.0, "debt": 3.0},
    {"income": -2.0, "debt": 0.5},
    {"income": None, "debt": -1.0},
]
ROW: Row = {"income": 2.0, "debt": 1.0}


def by_definition(plan: RowPlan, background: list[Row], row: Row, output: int) -> Row:
    """Shapley's sum over all subsets of inputs (1953)."""
    names = [given.name for given in plan.inputs]

    @cache
    def worth(known: frozenset[str]) -> float:
        mixed = [other | {name: row.get(name) for name in known} for other in background]
        return math.fsum(plan.margins(plan.encode(one))[output] for one in mixed) / len(mixed)

    def share(name: str) -> float:
        others = [other for other in names if other != name]
        total = 0.0
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(names) - size - 1)
            for subset in map(frozenset, combinations(others, size)):
                total += weight * (worth(subset | {name}) - worth(subset))
        return total / math.factorial(len(names))

    return {name: share(name) for name in names}


def assert_by_definition(plan: RowPlan, row: Row, output: int = 0) -> None:
    (found,) = attributions(plan, BACKGROUND, [row], output)
    expected = by_definition(plan, BACKGROUND, row, output)
    assert found == pytest.approx(expected, abs=1e-9)
    total = expected_margin(plan, BACKGROUND, output) + math.fsum(found.values())
    assert total == pytest.approx(plan.margins(plan.encode(row))[output], abs=1e-9)


@pytest.mark.parametrize("output", [0, 1, 2])
def test_each_class_of_a_linear_model_is_explained_by_its_own_margin(output: int) -> None:
    assert_by_definition(task_plans.read(task_plans.MULTICLASS), ROW, output)


def several_trees() -> RowPlan:
    trees = [
        stump(0, -1.0, 0.5, output=0),
        stump(1, 2.0, -0.25, output=1, at=0.75),
        stump(0, 0.125, 0.25, output=1, at=1.5),
        stump(1, 0.5, 0.0, output=2),
    ]
    model = forest((0.1, 0.2, 0.3), *trees)
    return task_plans.read(plan("classification", "softmax", model, classes=task_plans.CLASSES))


@pytest.mark.parametrize("output", [0, 1, 2])
def test_each_class_of_a_tree_model_is_explained_by_its_own_trees(output: int) -> None:
    assert_by_definition(several_trees(), ROW, output)
    assert_by_definition(several_trees(), {"income": None, "debt": -3.0}, output)


def test_a_forest_is_explained_in_probability() -> None:
    model = forest((0.0,), stump(0, 0.1, 0.4), stump(1, 0.05, 0.5, at=0.75))
    forest_plan = task_plans.read(plan("classification", "identity", model))
    assert unit_of(forest_plan) == "probability"
    assert_by_definition(forest_plan, ROW)
    (found,) = attributions(forest_plan, BACKGROUND, [ROW])
    total = expected_margin(forest_plan, BACKGROUND) + math.fsum(found.values())
    assert total == pytest.approx(forest_plan.score(ROW), abs=1e-12)


@pytest.mark.parametrize(
    ("data", "unit"),
    [
        (task_plans.REGRESSION, "value"),
        (task_plans.COUNTS, "logarithm of the value"),
        (task_plans.MULTICLASS, "log-odds"),
    ],
)
def test_a_margin_is_explained_in_the_unit_of_its_link(data: bytes, unit: str) -> None:
    assert unit_of(task_plans.read(data)) == unit
    assert_by_definition(task_plans.read(data), ROW)


def test_columns_of_one_input_are_known_together_in_a_tree_as_well() -> None:
    """A date's parts, or a value and whether it is missing, are no players of their own."""
    columns = [number("income"), {"op": "missing", "input": "income"}, number("debt")]
    tree = {
        "output": 0,
        "feature": [0, 1, 2, -1, -1, -1, -1],
        "threshold": [0.5, 0.5, 0.75, 0.0, 0.0, 0.0, 0.0],
        "left": [1, 3, 5, 0, 0, 0, 0],
        "right": [2, 4, 6, 0, 0, 0, 0],
        "missing_left": [True, False, False, False, False, False, False],
        "value": [0.0, 0.0, 0.0, 1.0, -2.0, 4.0, 0.5],
    }
    data = plan(
        "classification",
        "logit",
        forest((0.0,), tree),
        columns=columns,
        sources=[["income"], ["income"], ["debt"]],
    )
    read = RowPlan.read(data.replace(b'"names":["income","debt"]', b'"names":["a","b","c"]'))
    for row in (ROW, {"income": None, "debt": 5.0}, {"income": 0.25, "debt": -1.0}):
        assert_by_definition(read, row)


def with_product(model: Row) -> RowPlan:
    """A plan whose last column is the product of the first two."""
    data = plan(
        "regression",
        "identity",
        model,
        columns=[number("income"), number("debt"), {"op": "product", "inputs": [0, 1]}],
        sources=[["income"], ["debt"], ["income", "debt"]],
    )
    data = data.replace(b'"names":["income","debt"]', b'"names":["income","debt","income x debt"]')
    return RowPlan.read(data)


@pytest.mark.parametrize("row", [ROW, {"income": -3.0}, {"income": None, "debt": 7.0}])
def test_a_product_of_two_inputs_is_shared_between_them_by_the_definition(row: Row) -> None:
    assert_by_definition(with_product(linear((0.5, -1.0, 0.75, 3.0))), row)


def test_a_tree_over_a_product_of_two_inputs_is_estimated() -> None:
    product = with_product(forest((0.0,), stump(2, -1.0, 2.0)))
    (found,) = Explainer.of(product, BACKGROUND).explain([ROW])
    # Two of three background rows are on the other side, and both inputs can bring them over.
    assert math.fsum(found.values.values()) == pytest.approx(2.0)
    assert set(found.values) == {"income", "debt"}
    assert not found.exact


def test_a_clustering_has_no_reasons() -> None:
    with pytest.raises(ReasonsError) as caught:
        attributions(task_plans.read(task_plans.CLUSTERING), BACKGROUND, [ROW])
    assert caught.value.message == (
        "a clustering has no reasons: its distances are no sum over the inputs"
    )


def test_an_output_that_the_plan_does_not_have_is_refused() -> None:
    with pytest.raises(ReasonsError) as caught:
        attributions(task_plans.read(task_plans.MULTICLASS), BACKGROUND, [ROW], 3)
    assert caught.value.message == "the plan has 3 outputs, and none with the number 3"


@pytest.mark.training
@pytest.mark.filterwarnings("ignore")
def test_trees_of_several_classes_agree_with_shap() -> None:
    import shap
    from sklearn.ensemble import ExtraTreesClassifier

    generator = np.random.default_rng(3)
    x = np.round(generator.normal(size=(400, 3)) * 8) / 8
    y = np.digitize(x[:, 0] + x[:, 1] * x[:, 2], [-0.5, 0.7])
    model = ExtraTreesClassifier(n_estimators=5, max_depth=4, random_state=0).fit(x, y)
    names = ("a", "b", "c")
    trees = []
    for fitted in model.estimators_:
        nodes = fitted.tree_
        for output in range(3):
            shares = nodes.value[:, 0, output] / nodes.value[:, 0].sum(axis=1) / 5
            leaf = nodes.children_left < 0
            trees.append(
                {
                    "output": output,
                    "feature": np.where(leaf, -1, nodes.feature).tolist(),
                    "threshold": np.where(leaf, 0.0, nodes.threshold).tolist(),
                    "left": np.where(leaf, 0, nodes.children_left).tolist(),
                    "right": np.where(leaf, 0, nodes.children_right).tolist(),
                    "missing_left": [False] * len(leaf),
                    "value": np.where(leaf, shares, 0.0).tolist(),
                }
            )
    read = task_plans.read(
        plan(
            "classification",
            "identity",
            forest((0.0, 0.0, 0.0), *trees),
            names=names,
            classes=task_plans.CLASSES,
        )
    )

    def rows(table: Any) -> list[Row]:  # noqa: ANN401 - an array
        return [dict(zip(names, map(float, line), strict=True)) for line in table]

    background, explained = x[:50], x[60:90]
    expected = shap.TreeExplainer(model, background).shap_values(explained)
    for output in range(3):
        found = attributions(read, rows(background), rows(explained), output)
        table = np.array([list(row.values()) for row in found])
        assert np.abs(table - expected[:, :, output]).max() < 1e-6


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def saved(store: ArtifactStore, data: bytes) -> Artifact:
    members = {"plan.json": data, "background.json": canonical_json({"rows": BACKGROUND})}
    return save_artifact(store, "grade", "sha256:" + "c" * 64, members)


def values(reasons: tuple[Reason, ...]) -> dict[str, float]:
    return {reason.code: reason.contribution for reason in reasons}


def test_of_more_than_two_classes_the_one_that_was_decided_is_explained(
    store: ArtifactStore,
) -> None:
    artifact = saved(store, task_plans.MULTICLASS)
    asked = task_plans.predicted(artifact, {"income": -2.0, "debt": 4.0})
    assert asked.decision == "bad"
    found = reasons_for(asked, artifact)
    # income -0.5·(-2 + 1/3) and debt 1·(4 - 2.5/3) towards bad.
    assert values(found) == pytest.approx({"debt": 4 - 2.5 / 3, "income": -0.5 * (-2 + 1 / 3)})
    assert [reason.code for reason in found] == ["debt", "income"]
    subject = subject_of(RowPlan.read(task_plans.MULTICLASS), "bad")
    assert (subject.about, subject.unit, subject.output) == ("the class bad", "log-odds", 2)


def test_against_the_favourable_class_is_told_what_spoke_against_it(store: ArtifactStore) -> None:
    artifact = saved(store, task_plans.MULTICLASS)
    asked = task_plans.predicted(artifact, {"income": 9.0, "debt": 2.0})
    assert asked.decision == "good"
    assert values(reasons_for(asked, artifact)) == pytest.approx({"income": 0.5 * (9 + 1 / 3)})
    against = reasons_for(asked, artifact, favourable="good")
    assert values(against) == pytest.approx({"debt": 2 - 2.5 / 3})
    subject = subject_of(RowPlan.read(task_plans.MULTICLASS), "good", favourable="good")
    assert subject.about == "what spoke against the class good"


def test_a_value_is_explained_in_both_directions(store: ArtifactStore) -> None:
    artifact = saved(store, task_plans.REGRESSION)
    asked = task_plans.predicted(artifact, {"income": 1.0, "debt": 9.0})
    found = reasons_for(asked, artifact)
    assert [reason.code for reason in found] == ["debt", "income"]
    assert values(found) == pytest.approx(
        {"debt": -35.5 * (9 - 2.5 / 3), "income": 120 * (1 + 1 / 3)}
    )
    codes = ReasonCodes((ReasonCode("R1", "Debt and income", ("income", "debt")),))
    (family,) = reasons_for(asked, artifact, codes)
    assert (family.feature, family.contribution < 0) == ("debt", True)


def test_a_recorded_cluster_replays_and_is_refused_clearly(store: ArtifactStore) -> None:
    artifact = saved(store, task_plans.CLUSTERING)
    with pytest.raises(ReasonsError, match="a clustering has no reasons") as caught:
        reasons_for(task_plans.predicted(artifact, ROW), artifact)
    assert caught.value.code == "RUN170"
    other = replace(task_plans.predicted(artifact, ROW), decision="cluster 2")
    with pytest.raises(ReplayError) as caught:
        reasons_for(other, artifact)
    assert caught.value.message == (
        "prediction 0193-1 replays to the decision 'cluster 1', the ledger says 'cluster 2'"
    )


@pytest.mark.parametrize("data", [task_plans.MULTICLASS, task_plans.REGRESSION, task_plans.COUNTS])
def test_an_output_of_any_task_that_does_not_replay_is_not_explained(
    store: ArtifactStore, data: bytes
) -> None:
    artifact = saved(store, data)
    asked = task_plans.predicted(artifact, ROW)
    changed = replace(asked, output=math.nextafter(asked.output, math.inf))
    with pytest.raises(ReplayError, match="replays to"):
        reasons_for(changed, artifact)
