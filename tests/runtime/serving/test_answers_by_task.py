"""Models of every task are served, proven and recorded."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.ledger.ledger import Ledger
from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.encoding import Input
from ordain.runtime.scoring import RowPlan, Scored
from ordain.runtime.serving import client
from ordain.runtime.serving.contract import Contract
from ordain.runtime.serving.errors import ModelUnusable, Problem
from ordain.runtime.serving.outputs import is_answer
from ordain.runtime.serving.slots import prove_parity
from ordain.specs.canonical import canonical_json
from tests.runtime.serving.conftest import Place
from tests.support import task_plans

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = {"income": 2.0, "debt": 1.0}
ROWS: list[dict[str, Any]] = [ROW, {"income": None, "debt": 4.0}, {"income": -3.0, "debt": 0.5}]
PLANS = {
    "grade": task_plans.MULTICLASS,
    "loss": task_plans.REGRESSION,
    "calls": task_plans.COUNTS,
    "segment": task_plans.CLUSTERING,
}


def parity(data: bytes, **changed: object) -> bytes:
    answers = [RowPlan.read(data).answer(row) for row in ROWS]
    raw: dict[str, Any] = {"rows": ROWS, "scores": [one.output for one in answers]}
    if answers[0].scores:
        raw["all"] = [list(one.scores) for one in answers]
    return canonical_json(raw | changed)


def config_of(place: Place) -> dict[str, Any]:
    """A route for a model of each task, which is its own shadow as well."""
    (route,) = place.config()["routes"]
    routes: list[dict[str, Any]] = []
    deployments: dict[str, dict[str, Any]] = {}
    for name, data in PLANS.items():
        members = {"plan.json": data, "parity.json": parity(data)}
        saved = save_artifact(ArtifactStore(place.store), name, "sha256:" + "0" * 64, members)
        one = {"model": name, "version": 1, "artifact": saved.digest}
        deployments |= {name: one, f"{name}-shadow": one}
        changed = {
            "name": name,
            "endpoint": f"/v1/{name}",
            "rules": [],
            "default": {"deployment": name},
            "shadow": [{"deployment": f"{name}-shadow"}],
        }
        routes.append(route | changed)
    # The bench signs what it is given.
    return place.config(deployments=deployments) | {"routes": routes}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("tasks"))
    place.start(config_of(place))
    yield place
    client.stop(place.rundir, timeout=30)


def ask(place: Place, name: str, row: dict[str, Any] = ROW) -> dict[str, Any]:
    status, _, answer = place.ask(row, path=f"/v1/{name}")
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


@pytest.mark.e2e
def test_an_answer_of_more_than_two_classes_names_the_probability_of_each(served: Place) -> None:
    answer = ask(served, "grade")
    margins = [0.5 * 2 - 1 + 0.25, 0.25, -0.5 * 2 + 1 - 0.25]
    total = math.fsum(map(math.exp, margins))
    assert answer["scores"] == {
        name: pytest.approx(math.exp(margin) / total, rel=1e-12)
        for name, margin in zip(task_plans.CLASSES, margins, strict=True)
    }
    # good and watch are equally likely: the first in the order of the plan is chosen.
    assert (answer["decision"], answer["score"]) == ("good", answer["scores"]["good"])


@pytest.mark.e2e
def test_an_answer_of_a_regression_is_its_value_without_a_decision(served: Place) -> None:
    answer = ask(served, "loss")
    assert (answer["score"], answer["decision"]) == (1000.0 + 240.0 - 35.5, None)
    assert "scores" not in answer
    assert ask(served, "calls")["score"] == math.exp(0.5 + 0.5 - 0.125)


@pytest.mark.e2e
def test_an_answer_of_a_clustering_is_the_cluster_and_how_far_it_is(served: Place) -> None:
    answer = ask(served, "segment", {"income": 3.0, "debt": 3.0})
    assert (answer["decision"], answer["score"]) == ("cluster 2", 1.0)
    assert "scores" not in answer


@pytest.mark.e2e
@pytest.mark.parametrize("name", PLANS)
def test_answers_of_every_task_are_recorded_and_replay_to_the_bit(served: Place, name: str) -> None:
    ledger = Ledger(served.ledger)
    for row in ROWS:
        answer = ask(served, name, row)
        found = ledger.prediction(answer["id"])
        assert found is not None
        assert (found.output, found.decision) == (answer["score"], answer["decision"])
        assert found.threshold is None
        replayed = RowPlan.read(PLANS[name]).answer(found.inputs)
        assert (replayed.output, replayed.decision) == (found.output, found.decision)


@pytest.mark.e2e
def test_a_shadow_of_any_task_is_recorded_as_one(place: Place) -> None:
    place.start(config_of(place))
    answers = {name: ask(place, name) for name in PLANS}
    _, _, page = place.ask(method="GET", path="/metrics")
    named = 'ordain_predictions_total{route="grade",model="grade",version="1",decision="good"} 1'
    assert named in page
    client.stop(place.rundir)
    shadows = [one for one in Ledger(place.ledger).predictions() if one.rule == "shadow"]
    assert {one.model: (one.output, one.decision) for one in shadows} == {
        name: (answer["score"], answer["decision"]) for name, answer in answers.items()
    }


@pytest.mark.e2e
def test_a_value_beyond_the_floats_is_the_route_s_fallback_or_503(served: Place) -> None:
    status, _, answer = served.ask({"income": 1e307, "debt": 0}, path="/v1/loss")
    assert status == 503
    assert answer["error"]["message"] == (
        "route loss: deployment loss gave an output that no model of its task can give"
    )
    assert answer["error"]["code"] == "REQ142"
    status, _, answer = served.ask({"income": 1e6, "debt": 0}, path="/v1/calls")
    assert (status, answer["error"]["code"]) == (503, "REQ142")


@pytest.mark.parametrize(
    ("task", "scored", "holds"),
    [
        ("classification", Scored(0.5, (), "a"), True),
        ("classification", Scored(1.2, (), "a"), False),
        ("classification", Scored(-0.1, (), "a"), False),
        ("classification", Scored(math.nan, (), "a"), False),
        ("classification", Scored(0.5, (0.5, 0.6, -0.1), "a"), False),
        ("classification", Scored(0.5, (0.5, math.nan, 0.2), "a"), False),
        ("classification", Scored(1.0, (0.0, 0.0, 1.0), "a"), True),
        ("regression", Scored(-1e300, (), None), True),
        ("regression", Scored(math.inf, (), None), False),
        ("clustering", Scored(12.5, (), "a"), True),
        ("clustering", Scored(-1.0, (), "a"), False),
    ],
)
def test_an_output_is_held_against_what_its_task_can_give(
    task: str, scored: Scored, *, holds: bool
) -> None:
    plan = replace(task_plans.read(task_plans.REGRESSION), task=task)
    assert is_answer(plan, scored) is holds


def test_parity_rows_of_every_task_are_proven() -> None:
    for data in PLANS.values():
        prove_parity(RowPlan.read(data), parity(data), "sha256:1")


def test_every_probability_of_a_parity_row_is_proven() -> None:
    plan = RowPlan.read(task_plans.MULTICLASS)
    answers = [plan.answer(row) for row in ROWS]
    every = [list(one.scores) for one in answers]
    every[1][0] += 1e-6
    with pytest.raises(ModelUnusable) as caught:
        prove_parity(plan, parity(task_plans.MULTICLASS, all=every), "sha256:1")
    assert caught.value.message == (
        "artifact sha256:1: parity row 1 has the probabilities "
        f"{list(answers[1].scores)!r}, training wrote {every[1]!r}"
    )
    with pytest.raises(ModelUnusable) as caught:
        prove_parity(plan, parity(task_plans.MULTICLASS, all=every[:2]), "sha256:1")
    assert caught.value.message == (
        "artifact sha256:1: parity.json has 3 rows and probabilities of 2"
    )


def test_a_large_value_may_differ_by_what_rounding_explains_and_no_more() -> None:
    plan = RowPlan.read(task_plans.REGRESSION)
    row = {"income": 1e9, "debt": 0.0}
    value = plan.score(row)

    def prove(score: float) -> None:
        prove_parity(plan, canonical_json({"rows": [row], "scores": [score]}), "sha256:1")

    prove(math.nextafter(value, math.inf))
    with pytest.raises(ModelUnusable):
        prove(value * (1 + 1e-8))


def accept(type_: str, value: object) -> tuple[object, Problem | None]:
    problems: list[Problem] = []
    one = Input("seen", type_, missing=True, range=None, levels=None, unknown="bucket")
    accepted = Contract.read([one], ()).accept({"seen": value}, problems)
    return accepted.get("seen"), problems[0] if problems else None


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31",
        "2024-02-29T09:30",
        "2026-01-31T09:30:00",
        "2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.25Z",
    ],
)
def test_a_day_or_time_of_utc_is_kept_as_it_was_sent(value: str) -> None:
    assert accept("date", value) == (value, None)


def test_an_empty_text_is_a_missing_day_as_in_training() -> None:
    assert accept("date", "") == (None, None)


@pytest.mark.parametrize(
    "value",
    [
        "31.01.2026",
        "2026-02-30",
        "2026-13-01",
        "2026-01-31 09:30",
        "2026-01-31T24:30",
        "2026-01-31T09:30:00+02:00",
        "20260131",
        "2026-W05-6",
        "0000-01-01",
        "\u0662\u0660\u0662\u0666-01-31",
        "2026-01-31\n",
    ],
)
def test_what_is_no_day_or_time_of_utc_is_refused(value: str) -> None:
    _, problem = accept("date", value)
    assert problem is not None
    assert (problem.code, problem.message) == ("REQ124", "seen is no day or time of UTC")
    assert problem.remedy == "send 2026-01-31, or 2026-01-31T09:30:00Z"


@pytest.mark.parametrize(
    ("type_", "value", "code", "message"),
    [
        ("date", 20260131, "REQ112", "seen is not a text"),
        ("text", ["a"], "REQ112", "seen is not a text"),
        ("text", "\ud800", "REQ112", "seen is not valid Unicode"),
        ("text", "x" * 10_001, "REQ119", "seen is longer than 10000 characters"),
    ],
)
def test_a_text_has_a_type_and_a_length(type_: str, value: object, code: str, message: str) -> None:
    _, problem = accept(type_, value)
    assert problem is not None
    assert (problem.code, problem.message) == (code, message)


def test_a_free_text_may_be_longer_than_a_level() -> None:
    text = "wörter " * 1_400
    assert accept("text", text) == (text, None)
