"""A report says what its task has, and of what it does not have says so."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ordain.ledger.records import Prediction
from ordain.reports import tasks
from ordain.reports.facts import ReportInput, count_volumes
from ordain.reports.model_reports import model_report
from ordain.reports.summaries import parts
from ordain.runtime.monitoring.profiles import profile_rows
from ordain.runtime.monitoring.windows import evaluate
from ordain.specs.evidence import Metric
from ordain.specs.findings import Verdict
from ordain.specs.kinds.model import Model, Training
from ordain.specs.kinds.monitor import Monitor
from tests.reports.conftest import AS_OF, digest
from tests.reports.test_model_reports import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ordain.runtime.monitoring.windows import DriftReport

Row = tuple[dict[str, object], float, str | None]
GRADES = ("good", "watch", "bad")
SEGMENTS = ("cluster 1", "cluster 2")


def metric(name: str, value: float, limit: str = "") -> Metric:
    low, high = value * 0.96, value * 1.05
    verdict = "pass" if limit else "insufficient"
    return Metric(name, "test", value, low, high, 0.95, 1200, limit, verdict)


def rows(
    count: int, seed: int, output: Callable[[random.Random], float], choices: Sequence[str]
) -> list[Row]:
    generator = random.Random(seed)
    return [
        (
            {"income": generator.gauss(0, 1), "purpose": generator.choice(["car", "home"])},
            output(generator),
            generator.choice(choices) if choices else None,
        )
        for _ in range(count)
    ]


def predictions(table: list[Row]) -> list[Prediction]:
    return [
        Prediction(
            id=f"{place:036}",
            time=AS_OF - timedelta(minutes=len(table) - place),
            route="grade",
            rule=None,
            draw=None,
            deployment="grade",
            model="grade",
            version="3",
            artifact=digest("a"),
            inputs=row,
            output=output,
            decision=decision,
            threshold=None,
            latency_us=210,
            key_id=None,
        )
        for place, (row, output, decision) in enumerate(table)
    ]


def drift(before: list[Row], after: list[Row], *, choosing: bool) -> DriftReport:
    profile = profile_rows(
        [row for row, _, _ in before],
        [("income", "float"), ("purpose", "category")],
        [output for _, output, _ in before],
        [choice for _, _, choice in before] if choosing else None,
    )
    monitor = Monitor(deployment="grade")
    return evaluate(monitor, profile, predictions(after), artifact=digest("a"), now=AS_OF)


def of_task(
    facts: ReportInput,
    task: str,
    estimator: str,
    metrics: tuple[Metric, ...],
    output: Callable[[random.Random], float],
    choices: Sequence[str] = (),
    **changes: Any,  # noqa: ANN401 - fields of Evidence
) -> ReportInput:
    assert facts.evidence is not None
    model = Model(
        purpose=f"A {task} for the tests",
        tier=2,
        owner="credit-risk",
        task=task,  # type: ignore[arg-type]
        training=Training(estimator=estimator),  # type: ignore[arg-type]
    )
    after = rows(1200, 2, output, choices)
    return replace(
        facts,
        name="grade",
        model=model,
        evidence=replace(facts.evidence, task=task, metrics=metrics, **changes),
        drift=drift(rows(3000, 1, output, choices), after, choosing=bool(choices)),
        volumes=count_volumes(predictions(after)),
    )


def base_rates(rate: object) -> dict[str, Any]:
    parts_ = {"train": 3600, "validation": 1200, "test": 1200}
    return {"rows": 6000, "parts": parts_, "base_rate": dict.fromkeys(parts_, rate)}


@pytest.fixture
def multiclass(facts: ReportInput) -> ReportInput:
    return of_task(
        facts,
        "classification",
        "logistic_regression",
        (metric("roc_auc", 0.81, "value >= 0.7"), metric("macro_f1", 0.64)),
        lambda generator: generator.uniform(0.4, 1),
        GRADES,
        data=base_rates({"good": 0.5, "watch": 0.3, "bad": 0.2}),
    )


@pytest.fixture
def regression(facts: ReportInput) -> ReportInput:
    return of_task(
        facts,
        "regression",
        "ridge",
        (metric("rmse", 1843.25, "value <= 2000"), metric("r2", 0.62)),
        lambda generator: generator.gauss(12_000, 2_500),
        fairness=(),
        data=base_rates(11876.4),
        importance=(("income", 912.5), ("purpose", 88.25)),
    )


@pytest.fixture
def clustering(facts: ReportInput) -> ReportInput:
    return of_task(
        facts,
        "clustering",
        "kmeans",
        (metric("silhouette", 0.31, "value >= 0.2"), metric("davies_bouldin", 1.21)),
        lambda generator: abs(generator.gauss(0, 1)),
        SEGMENTS,
        fairness=(),
        data=base_rates({"cluster 1": 0.7, "cluster 2": 0.3}),
        importance=(),
    )


def text_of(facts: ReportInput) -> tuple[str, dict[str, str]]:
    page = Page(model_report(facts))
    return " ".join(page.sections.values()), page.sections


def test_a_model_of_several_classes_names_them_and_watches_their_choice(
    multiclass: ReportInput,
) -> None:
    page = model_report(multiclass).decode()
    assert "classification; the most probable of 3 classes: good, watch, bad" in page
    text, sections = text_of(multiclass)
    assert "of the model: probability of the chosen class" in sections["Drift"]
    assert "decisions what the model chose" in sections["Drift"]
    assert "contribution to the log-odds of each class per feature" in text
    assert "share of each class test good 50.0 %" in text
    assert "threshold" not in text


def test_a_regression_has_values_and_neither_decisions_nor_probabilities(
    regression: ReportInput,
) -> None:
    text, sections = text_of(regression)
    assert "probability" not in text
    assert "log-odds" not in text
    assert "base rate" not in text
    assert "mean outcome test 11876.4000" in text
    assert (
        "A regression makes no decisions that groups could be compared by" in sections["Fairness"]
    )
    assert "Predictions by route and version" in sections["Use"]
    assert "no decision" not in sections["Use"]
    assert "contribution to the value per feature" in sections["Explanations"]
    assert "rmse" in sections["Performance"]


def test_a_clustering_has_clusters_and_no_attributions(clustering: ReportInput) -> None:
    text, sections = text_of(clustering)
    assert "log-odds" not in text
    assert sections["Explanations"] == (
        "Explanations The distance to a cluster is no sum over the features, so a clustering has "
        "no attributions"
    )
    assert "Predictions by cluster, route and version" in sections["Use"]
    assert "share of each cluster test cluster 1 70.0 %" in text
    assert b"clustering; one of 2 clusters: cluster 1, cluster 2" in model_report(clustering)


def test_fairness_is_no_part_of_a_model_that_decides_nothing(
    regression: ReportInput, multiclass: ReportInput
) -> None:
    assert "Fairness" not in [part.title for part in parts(regression)]
    assert "Fairness" in [part.title for part in parts(multiclass)]
    assert all(part.verdict is not Verdict.INSUFFICIENT for part in parts(regression))


@pytest.mark.parametrize(
    ("task", "training", "unit"),
    [
        ("classification", Training(estimator="logistic_regression"), "log-odds"),
        ("classification", Training(estimator="random_forest"), "probability"),
        ("regression", Training(estimator="random_forest"), "value"),
        ("regression", Training(estimator="gamma"), "logarithm of the value"),
        (
            "regression",
            Training(estimator="xgboost", parameters={"objective": "count:poisson"}),
            "logarithm of the value",
        ),
        (
            "regression",
            Training(estimator="hist_gradient_boosting", parameters={"loss": "gamma"}),
            "logarithm of the value",
        ),
        ("regression", None, "value"),
    ],
)
def test_attributions_are_told_in_the_unit_of_the_margin(
    task: str, training: Training | None, unit: str
) -> None:
    model = Model(purpose="p", tier=3, owner="o", task=task, training=training)  # type: ignore[arg-type]
    assert tasks.margin_of(model) == unit


def test_a_search_has_the_margin_of_what_it_has_found(multiclass: ReportInput) -> None:
    assert multiclass.evidence is not None
    for estimator, unit in (("extra_trees", "probability"), ("logistic_regression", "log-odds")):
        chosen = {"estimator": estimator, "training": {"estimator": estimator, "parameters": {}}}
        evidence = replace(multiclass.evidence, search={"chosen": chosen})
        assert tasks.margin_of(replace(multiclass.model, training=Training()), evidence) == unit


def test_the_summary_says_that_the_choices_have_moved(multiclass: ReportInput) -> None:
    before = rows(3000, 1, lambda generator: generator.uniform(0.4, 1), GRADES)
    after = rows(1200, 2, lambda generator: generator.uniform(0.4, 1), ("good", "bad"))
    moved = replace(multiclass, drift=drift(before, after, choosing=True))
    (part,) = [part for part in parts(moved) if part.title == "Drift in production"]
    assert part.verdict is Verdict.FAIL
    assert part.sentence.startswith("2 features on 1,000 rows: 2 pass; the largest index is ")
    assert part.sentence.endswith("; decisions: fail.")


def test_many_classes_are_counted_and_not_all_named(multiclass: ReportInput) -> None:
    assert multiclass.evidence is not None
    shares = {f"class {place}": 0.05 for place in range(20)}
    evidence = replace(multiclass.evidence, data=base_rates(shares))
    line = tasks.task_of(replace(multiclass, evidence=evidence))
    assert line.startswith("classification; the most probable of 20 classes: class 0, ")
    assert line.endswith("class 11 and 8 more")
