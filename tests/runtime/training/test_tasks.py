"""One job for every task: classes, numbers and clusters become artifacts with evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from sklearn.datasets import load_digits, load_wine

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import LockError, RunError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job, Outcome
from ordain.specs.canonical import sha256
from ordain.specs.evidence import Evidence, read_evidence
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

BOOSTING = {"estimator": "hist_gradient_boosting", "parameters": {"max_iter": 10}}
GRADES = {"type": "category", "levels": ["good", "late", "lost"]}
CLASSES = {"column": "grade", "favourable": "good"}


def run(job: Job) -> Outcome:
    return run_job(job, lambda _stage, _fraction: None)


def refused(job: Job) -> RunError:
    with pytest.raises(RunError) as caught:
        run(job)
    assert caught.value.remedy
    return caught.value


def plan_of(job: Job, outcome: Outcome) -> RowPlan:
    artifact = load_artifact(ArtifactStore(job.store), outcome.artifact)
    return RowPlan.read(artifact.member("plan.json"))


def values(evidence: Evidence, part: str = "test") -> dict[str, float]:
    return {row.name: row.value for row in evidence.metrics if row.part == part}


def graded(table: pa.Table) -> pa.Table:
    """Three outcomes, which follow income and debts."""
    debts = table["debts"].to_numpy()
    income = np.nan_to_num(table["income"].to_numpy(zero_copy_only=False), nan=3_000.0)
    noise = np.random.default_rng(5).normal(0, 0.8, table.num_rows)
    place = np.digitize(debts - 2 - np.log(income / 3_000.0) + noise, [0.2, 1.8])
    return table.append_column("grade", pa.array(np.array(GRADES["levels"])[place]))


@pytest.fixture
def classes(lending: MakeTable, dataset: MakeDataset) -> MakeDataset:
    """A Dataset whose target has three classes."""

    def make(**changed: Any) -> Dataset:  # noqa: ANN401
        found = dataset(graded(lending()), target=CLASSES, leaks=["days_past_due", "defaulted"])
        return replace(found, columns=found.columns | {"grade": column_of(GRADES)}, **changed)

    return make


def column_of(raw: dict[str, Any]) -> Any:  # noqa: ANN401
    spec = {"source": {"type": "csv", "uri": "a.csv"}, "columns": {"c": raw}}
    return kind_validator("Dataset").validate_python(spec).columns["c"]


def test_three_classes_are_learnt_and_measured(
    model: MakeModel, classes: MakeDataset, job: MakeJob
) -> None:
    gates = {
        "metrics": [
            {"name": "roc_auc", "min": 0.6, "bound": "lower"},
            {"name": "macro_f1", "min": 0.3},
        ],
        "fairness": [{"attributes": ["sex"], "min": 0.5}],
    }
    order = job(model(training=BOOSTING, decision=None, acceptance=gates), classes())
    outcome = run(order)
    evidence = outcome.evidence
    assert read_evidence(evidence.to_json(), evidence.path) == evidence
    assert (evidence.task, evidence.verdict) == ("classification", "pass")
    assert 0.6 < values(evidence)["balanced_accuracy"] < 1.0
    assert {row.n for row in evidence.metrics if row.part == "test"} == {120}
    rates = evidence.data["base_rate"]["test"]
    assert list(rates) == ["good", "late", "lost"]
    assert sum(rates.values()) == pytest.approx(1.0)
    assert {name for name, _ in evidence.importance[:2]} == {"debts", "income"}
    (fair,) = evidence.fairness
    assert (fair.attribute, fair.verdict) == ("sex", "pass")
    answer = plan_of(order, outcome).answer(
        {"income": 900.0, "debts": 7, "employed": False, "purpose": "study"}
    )
    assert answer.decision == "lost"
    assert answer.output == max(answer.scores)


@pytest.mark.parametrize(
    ("task", "what"), [("classification", "3 outcomes"), ("regression", "a regression")]
)
def test_a_threshold_is_for_two_outcomes(
    model: MakeModel, classes: MakeDataset, dataset: MakeDataset, job: MakeJob, task: str, what: str
) -> None:
    data = classes() if task == "classification" else dataset(target={"column": "debts"})
    error = refused(job(model(task=task), data))
    expected = f"decision: a threshold decides between two outcomes, and this is {what}"
    assert error.message == expected


def test_versions_of_classes_are_compared_on_the_same_rows(
    model: MakeModel, classes: MakeDataset, job: MakeJob
) -> None:
    gate = {
        "metrics": [
            {"name": name, "versus": "champion", "minDelta": -0.01}
            for name in ("roc_auc", "log_loss", "macro_f1", "ece")
        ]
    }
    first = run(job(model(training=BOOSTING, decision=None), classes()))
    declared = model(training=BOOSTING, decision=None, acceptance=gate)
    again = run(job(declared, classes(), champion=first.artifact)).evidence
    deltas = [row for row in again.metrics if row.name.endswith("_delta")]
    assert [row.verdict for row in deltas] == ["pass"] * 4
    assert [row.value for row in deltas] == pytest.approx([0.0] * 4, abs=1e-12)


def test_a_champion_of_other_classes_is_not_compared(
    model: MakeModel, classes: MakeDataset, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": -0.01}]}
    binary = run(job(model(), dataset()))
    declared = model(training=BOOSTING, decision=None, acceptance=gate)
    evidence = run(job(declared, classes(), champion=binary.artifact)).evidence
    delta = next(row for row in evidence.metrics if row.name == "roc_auc_delta")
    assert delta.limit.endswith(
        "(the champion cannot read these data: it answers with other classes)"
    )
    assert evidence.verdict == "insufficient"


def test_a_class_that_the_test_part_lacks_is_told(
    model: MakeModel, lending: MakeTable, dataset: MakeDataset, job: MakeJob
) -> None:
    table = graded(lending())
    days = table["applied_on"].to_pylist()
    late = sorted(days)[480]
    grades = [
        "good" if day >= late and grade == "lost" else grade
        for day, grade in zip(days, table["grade"].to_pylist(), strict=True)
    ]
    table = table.set_column(table.column_names.index("grade"), "grade", pa.array(grades))
    data = dataset(table, target=CLASSES, leaks=["days_past_due", "defaulted"])
    data = replace(data, columns=data.columns | {"grade": column_of(GRADES)}, entity=None)
    declared = model(training=BOOSTING, decision=None, split={"by": "time"})
    evidence = run(job(declared, data)).evidence
    told = "No row of the test part has the class lost: performance on it is not shown."
    assert told in evidence.limitations


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"column": "grade"},
            "acceptance.fairness needs to know which outcome is good for the person",
        ),
        (
            {"column": "grade", "favourable": "fine"},
            "acceptance.fairness: no row has the favourable outcome fine",
        ),
    ],
)
def test_fairness_of_classes_needs_the_one_that_is_good(
    model: MakeModel,
    classes: MakeDataset,
    job: MakeJob,
    target: dict[str, Any],
    message: str,
) -> None:
    data = classes()
    spec = {"source": {"type": "csv", "uri": "a.csv"}, "columns": {"c": GRADES}, "target": target}
    declared = kind_validator("Dataset").validate_python(spec)
    order = job(
        model(training=BOOSTING, decision=None, acceptance={"fairness": [{}]}),
        replace(data, target=declared.target),
    )
    assert refused(order).message == message


def test_classes_cannot_rank_the_levels_of_a_category(
    model: MakeModel, classes: MakeDataset, job: MakeJob
) -> None:
    ranked = {"categorical": {"encode": "ordinal_by_target"}}
    order = job(model(training=BOOSTING, decision=None, preprocessing=ranked), classes())
    expected = "preprocessing.categorical.encode: ordinal_by_target ranks by one outcome"
    assert refused(order).message == expected


def test_classes_cannot_follow_a_direction(
    model: MakeModel, classes: MakeDataset, job: MakeJob
) -> None:
    directed = {"numeric": {"monotone": {"income": "decreasing"}}}
    for name in ("lightgbm", "xgboost", "hist_gradient_boosting"):
        declared = model(training={"estimator": name}, decision=None, preprocessing=directed)
        assert refused(job(declared, classes())).message == (
            "preprocessing.numeric.monotone: a direction is of one output, and there are 3 classes"
        )


@pytest.mark.parametrize(
    ("estimator", "parameters", "objective"),
    [
        ("gamma", {}, "gamma"),
        ("hist_gradient_boosting", {"loss": "gamma"}, "gamma"),
        ("lightgbm", {"objective": "gamma"}, "gamma"),
        ("xgboost", {"objective": "reg:gamma"}, "reg:gamma"),
    ],
)
def test_a_number_that_an_objective_cannot_learn_is_refused(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    estimator: str,
    parameters: dict[str, str],
    objective: str,
) -> None:
    training = {"estimator": estimator, "parameters": parameters}
    declared = model(training=training, task="regression", decision=None)
    error = refused(job(declared, dataset(target={"column": "debts"})))
    expected = f"target: {objective} takes outcomes above 0, and the training part has 0"
    assert error.message == expected


REGRESSION = {"estimator": "gamma"}


def test_a_number_is_learnt_and_measured(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    gates = {"metrics": [{"name": "r2", "min": -1.0}, {"name": "rmse", "max": 1e6}]}
    complete = lending().filter(pa.compute.is_valid(lending()["income"]))
    data = dataset(complete, target={"column": "income"})
    order = job(
        model(task="regression", training=REGRESSION, decision=None, acceptance=gates), data
    )
    outcome = run(order)
    evidence = outcome.evidence
    assert (evidence.task, evidence.verdict) == ("regression", "pass")
    assert set(values(evidence)) == {"rmse", "mae", "r2"}
    assert set(values(evidence, "train")) == {"rmse", "mae", "r2"}
    assert 2_000 < evidence.data["base_rate"]["test"] < 5_000
    assert evidence.fairness == ()
    assert "A regression makes no decisions: fairness is not shown." in evidence.limitations
    assert "defaulted" in {name for name, _ in evidence.importance}
    row = {"debts": 1, "employed": True, "purpose": "car", "defaulted": 0}
    assert plan_of(order, outcome).answer(row).output > 0


def test_versions_of_a_number_are_compared_on_the_same_rows(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {
        "metrics": [
            {"name": name, "versus": "champion", "minDelta": -1e-9}
            for name in ("rmse", "mae", "r2")
        ]
    }
    data = dataset(target={"column": "debts"})
    plain = {"task": "regression", "decision": None}
    first = run(job(model(training={"estimator": "poisson"}, **plain), data))
    declared = model(training={"estimator": "poisson"}, acceptance=gate, **plain)
    again = run(job(declared, data, champion=first.artifact)).evidence
    deltas = [row for row in again.metrics if row.name.endswith("_delta")]
    assert [row.verdict for row in deltas] == ["pass"] * 3
    assert [row.value for row in deltas] == pytest.approx([0.0] * 3, abs=1e-12)


@pytest.mark.parametrize(("task", "estimator"), [("regression", "ridge"), ("clustering", "kmeans")])
def test_fairness_without_a_decision_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, task: str, estimator: str
) -> None:
    declared = model(
        task=task,
        training={"estimator": estimator},
        decision=None,
        acceptance={"fairness": [{}]},
    )
    error = refused(job(declared, dataset(target={"column": "debts"})))
    expected = f"acceptance.fairness compares decisions, and a {task} makes none"
    assert error.message == expected


@pytest.mark.parametrize(
    ("estimator", "parameters"),
    [("kmeans", {"n_clusters": 3}), ("gaussian_mixture", {"n_components": 3})],
)
def test_clusters_are_found_and_measured_without_a_target(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    lending: MakeTable,
    estimator: str,
    parameters: dict[str, int],
) -> None:
    gates = {"metrics": [{"name": "stability", "min": 0.0}]}
    training = {"estimator": estimator, "parameters": parameters}
    declared = model(task="clustering", training=training, decision=None, acceptance=gates)
    order = job(declared, dataset(lending(300), target=None, leaks=["days_past_due", "defaulted"]))
    outcome = run(order)
    evidence = outcome.evidence
    assert (evidence.task, evidence.verdict) == ("clustering", "pass")
    assert set(values(evidence)) == {"silhouette", "davies_bouldin", "stability"}
    assert values(evidence)["stability"] > 0.2
    assert evidence.importance == ()
    expected = "Distances to clusters are no sum over the features: importance is not shown."
    assert expected in evidence.limitations
    assert set(evidence.data["base_rate"]["train"]) == {"cluster-1", "cluster-2", "cluster-3"}
    row = {"income": 900.0, "debts": 7, "employed": False, "purpose": "study"}
    assert plan_of(order, outcome).answer(row).decision in {"cluster-1", "cluster-2", "cluster-3"}


def test_a_library_that_is_not_locked_trains_nothing(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    declared = model(training={"estimator": "lightgbm", "parameters": {"n_estimators": 5}})
    order = job(declared, dataset())
    assert run(order).evidence.environment["lightgbm"]
    lines = order.environment.splitlines(keepends=True)
    lock = "".join(line for line in lines if "lightgbm" not in line)
    recipe = replace(order.recipe, environment=sha256(lock.encode()))
    with pytest.raises(LockError) as caught:
        run(replace(order, environment=lock, recipe=recipe))
    assert caught.value.message == "training.estimator: lightgbm is not in the environment lock"


@pytest.mark.parametrize("estimator", ["random_forest", "lightgbm", "xgboost", "kmeans"])
def test_the_same_order_makes_the_same_bytes(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, tmp_path: Path, estimator: str
) -> None:
    size = "n_clusters" if estimator == "kmeans" else "n_estimators"
    task = "clustering" if estimator == "kmeans" else "regression"
    training = {"estimator": estimator, "parameters": {size: 4}}
    declared = model(task=task, training=training, decision=None)
    data = dataset(target={"column": "debts"})
    made = [run(job(declared, data, store=tmp_path / name)) for name in ("one", "two")]
    assert made[0] == made[1]


# ── real data ────────────────────────────────────────────────────────────────────────────────────

BLANK = 32  # A pixel that no digit touches, which is no feature.


def real(table: pa.Table, root: Path, target: str | None, kind: str = "category") -> Dataset:
    (root / "real").mkdir()
    pa.parquet.write_table(table, root / "real" / "table.parquet")
    columns: dict[str, Any] = {name: {"type": "float"} for name in table.column_names}
    if target is not None:
        columns[target] = {"type": kind}
    spec = {
        "source": {"type": "parquet", "uri": "real/table.parquet"},
        "columns": columns,
        "target": None if target is None else {"column": target},
    }
    found: Dataset = kind_validator("Dataset").validate_python(spec)
    return found


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("estimator", "parameters", "accuracy"),
    [
        ("logistic_regression", {}, 0.91),
        ("extra_trees", {"n_estimators": 30, "max_leaf_nodes": 300}, 0.93),
    ],
)
def test_ten_digits_are_told_apart(
    model: MakeModel,
    job: MakeJob,
    tmp_path: Path,
    estimator: str,
    parameters: dict[str, int],
    accuracy: float,
) -> None:
    digits = load_digits()
    shown = np.flatnonzero(np.count_nonzero(digits.data, axis=0) > 100).tolist()
    table = pa.table(
        {f"pixel_{place:02}": digits.data[:, place] for place in shown if place % 3}
        | {"digit": pa.array(digits.target.astype(str))}
    )
    gates = {"metrics": [{"name": "accuracy", "min": accuracy, "bound": "value"}]}
    training = {"estimator": estimator, "parameters": parameters}
    explanation = {"background": {"rows": 100}}
    declared = model(training=training, decision=None, acceptance=gates, explanation=explanation)
    evidence = run(job(declared, real(table, tmp_path, "digit"))).evidence
    assert evidence.verdict == "pass"
    assert values(evidence)["roc_auc"] > 0.99


@pytest.mark.e2e
def test_three_wines_are_clusters(model: MakeModel, job: MakeJob, tmp_path: Path) -> None:
    wine = load_wine()
    table = pa.table(dict(zip(wine.feature_names, wine.data.T, strict=True)))
    table = table.rename_columns([name.replace("/", "_") for name in table.column_names])
    training = {"estimator": "kmeans", "parameters": {"n_clusters": 3}}
    gates = {"metrics": [{"name": "stability", "min": 0.7}, {"name": "silhouette", "min": 0.1}]}
    declared = model(task="clustering", training=training, decision=None, acceptance=gates)
    order = job(declared, real(table, tmp_path, None))
    outcome = run(order)
    assert outcome.evidence.verdict == "pass"
    plan = plan_of(order, outcome)
    rows = table.to_pylist()
    found = [plan.answer(row).decision for row in rows]
    from sklearn.metrics import adjusted_rand_score

    assert adjusted_rand_score(wine.target, found) > 0.8


HOUSES = "kc_house/kc_house.parquet"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("estimator", "parameters", "r2"),
    [
        ("ridge", {}, 0.6),
        ("hist_gradient_boosting", {"loss": "gamma"}, 0.82),
        ("xgboost", {}, 0.82),
        ("random_forest", {"n_estimators": 10, "max_leaf_nodes": 200}, 0.75),
    ],
)
def test_prices_of_real_houses_are_learnt(
    model: MakeModel,
    job: MakeJob,
    needs_data: Callable[[str], Path],
    estimator: str,
    parameters: dict[str, Any],
    r2: float,
) -> None:
    path = needs_data(HOUSES)
    schema = pa.parquet.read_schema(path)
    wanted = [
        field.name
        for field in schema
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]
    columns = {
        name: {"type": "float", "role": "id" if name == "id" else "feature"} for name in wanted
    }
    spec = {
        "source": {"type": "parquet", "uri": path.name},
        "columns": columns,
        "target": {"column": "price"},
    }
    data = kind_validator("Dataset").validate_python(spec)
    training = {"estimator": estimator, "parameters": parameters}
    gates = {"metrics": [{"name": "r2", "min": r2, "bound": "value"}]}
    declared = model(
        task="regression",
        training=training,
        decision=None,
        acceptance=gates,
        explanation={"background": {"rows": 100}},
    )
    evidence = run(job(declared, data, root=path.parent)).evidence
    assert evidence.verdict == "pass"
    assert len(evidence.to_json()) < 20_000
