"""An alternative is confirmed on rows that it was not chosen by, or it is not found."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ordain.runtime.errors import DataError
from ordain.runtime.fairness.alternatives import (
    NONE_FOUND,
    Candidate,
    Frontier,
    Question,
    area,
    confirmed,
    frontier,
    threshold_for,
)
from ordain.runtime.fairness.candidates import candidate_overrides
from ordain.specs.kinds.dataset import Column, Dataset, Source, Target
from ordain.specs.kinds.model import Features, Model, Training

pytestmark = pytest.mark.training

N = 6000
GENERATOR = np.random.default_rng(17)
GROUPS = np.where(GENERATOR.random(N) < 0.4, "female", "male")
SKILL = GENERATOR.normal(size=N)
TRUTH = SKILL + GENERATOR.normal(size=N) > 0
SELECT, CONFIRM = np.arange(0, N // 2), np.arange(N // 2, N)
QUESTION = Question(TRUTH, GROUPS, "male", 0.5)


def scored(number: int, against: float, noise: float = 0.0) -> Candidate:
    """A model that sees the skill, takes something off for one group, and errs at random."""
    generator = np.random.default_rng(number)
    margin = SKILL - against * (GROUPS == "female") + noise * generator.normal(size=N)
    return Candidate(number, "linear", 1 / (1 + np.exp(-2 * margin)))


def part(candidate: Candidate, rows: np.ndarray) -> Candidate:
    return replace(candidate, scores=candidate.scores[rows])


def searched(candidates: list[Candidate], *, max_loss: float, seed: int = 0) -> Frontier:
    """Chosen on one half of the rows, confirmed on the other."""
    found = frontier(
        [part(one, SELECT) for one in candidates], QUESTION.at(SELECT), max_loss=max_loss
    )
    if found.chosen is None:
        return found
    others = {one.number: part(one, CONFIRM) for one in candidates}
    pair = others[found.performer], others[found.chosen]
    return confirmed(found, QUESTION.at(CONFIRM), *pair, seed=seed)


def test_the_area_is_that_of_scikit_learn_also_with_ties() -> None:
    scores = np.round(scored(1, 0.3, 0.5).scores, 1)
    assert area(TRUTH, scores) == pytest.approx(roc_auc_score(TRUTH, scores), abs=1e-12)


def test_a_model_that_is_about_as_good_and_fairer_is_found_and_confirmed() -> None:
    unfair = scored(0, 0.05)
    fair = replace(scored(1, -0.35), number=1)
    worse = scored(2, -0.2, noise=2.0)
    best = replace(scored(3, 0.0), number=3)
    found = searched([unfair, fair, worse, best], max_loss=0.02)
    assert found.chosen == 1
    assert found.reason == "confirmed"
    assert found.confirmation is not None
    assert 0 < found.confirmation.low < found.confirmation.gain < found.confirmation.high
    assert found.confirmation.loss <= 0.02
    assert found.confirmation.n == len(CONFIRM)
    assert [one.number for one in found.points if one.best] == sorted(
        {found.performer, 1} | {one.number for one in found.points if one.best}
    )
    assert not next(one for one in found.points if one.number == 2).best


def test_a_loss_beyond_the_budget_is_no_alternative() -> None:
    found = searched([scored(0, 0.4), scored(1, 0.0, noise=2.0)], max_loss=0.005)
    assert (found.chosen, found.confirmation, found.reason) == (None, None, NONE_FOUND)


def test_the_luckiest_of_many_equal_models_is_not_confirmed() -> None:
    """Sixty models that differ by noise: the gain is there by selection, and gone elsewhere."""
    equal = [scored(number, 0.2, noise=0.4) for number in range(60)]
    found = searched(equal, max_loss=0.02, seed=1)
    points = {one.number: one.ratio for one in found.points}
    assert found.chosen is not None
    assert found.confirmation is not None
    assert points[found.chosen] - points[found.performer] > 2 * abs(found.confirmation.gain)
    assert found.reason == "none found: the gain was not confirmed"


def test_the_answer_is_the_same_in_any_order_and_is_plain() -> None:
    many = [scored(number, 0.01 * number, noise=0.2) for number in range(70)]
    found = searched(many, max_loss=0.02, seed=4)
    again = searched(many[::-1], max_loss=0.02, seed=4)
    assert json.dumps(found.plain()) == json.dumps(again.plain())
    plain = found.plain()
    assert (plain["candidates"], len(plain["points"])) == (70, 50)
    numbers = [one["number"] for one in plain["points"]]
    assert {found.performer, found.chosen} == set(numbers[:2])


NOBODY = replace(QUESTION, threshold=2.0)
EVERYBODY = replace(QUESTION, threshold=0.0)


@pytest.mark.parametrize(
    ("candidates", "question", "problem"),
    [
        ([], QUESTION, "there is no candidate"),
        ([scored(1, 0), scored(1, 0)], QUESTION, "two candidates have the same number"),
        (
            [Candidate(1, "linear", np.full(N, np.nan))],
            QUESTION,
            "a candidate has scores that are no numbers",
        ),
        (
            [scored(1, 0)],
            replace(QUESTION, min_cell=N),
            "no group beside male has 6000 rows",
        ),
        (
            [scored(1, 0), scored(2, 0.3)],
            NOBODY,
            "the best performer (trial 1) decides favourably about nobody of male",
        ),
        (
            [scored(1, 0), scored(2, 0.3)],
            EVERYBODY,
            "the best performer (trial 1) decides favourably about everybody",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    candidates: list[Candidate], question: Question, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        frontier(candidates, question, max_loss=0.5)
    assert caught.value.message == f"less discriminatory alternatives: {problem}"


@pytest.mark.parametrize("moved", [-3.0, 3.0])
def test_a_model_that_approves_nobody_or_everybody_is_no_fairer(moved: float) -> None:
    """At the threshold of the Model its smallest ratio would be 1, and the area is the same."""
    performer = scored(0, 0.3)
    margin = np.log(performer.scores / (1 - performer.scores))
    shifted = Candidate(1, "linear", 1 / (1 + np.exp(-margin - 4 * moved)))
    assert float(np.mean(shifted.scores >= 0.5)) == pytest.approx(float(moved > 0), abs=0.001)
    found = searched([performer, shifted], max_loss=0.5)
    assert (found.chosen, found.reason) == (None, NONE_FOUND)
    one, other = found.points
    assert (one.rate, one.ratio) == (other.rate, other.ratio)


def test_candidates_are_compared_at_the_rate_of_the_best_performer() -> None:
    fair = scored(1, -0.35)
    timid = replace(fair, scores=fair.scores**3)
    found = searched([scored(0, 0.05), timid], max_loss=0.02)
    assert found.reason == "confirmed"
    points = {one.number: one for one in found.points}
    performer = points[found.performer]
    assert performer.threshold == 0.5
    assert {round(one.rate, 3) for one in points.values()} == {round(performer.rate, 3)}
    assert points[1].threshold < 0.2
    assert found.confirmation is not None
    told = found.confirmation
    assert abs(told.rate - told.rate_performer) < 0.02


def test_ties_that_keep_a_candidate_off_the_rate_leave_it_out() -> None:
    two = Candidate(1, "linear", np.where(SKILL > 1, 0.7, 0.2))
    same = Candidate(2, "linear", np.full(N, 0.9))
    found = searched([scored(0, 0.05), two, same], max_loss=0.5)
    assert [one.number for one in found.points] == [0]
    assert found.incomparable == 2


def test_a_threshold_lies_halfway_between_two_scores() -> None:
    scores = np.array([0.1, 0.2, 0.4, 0.8])
    assert threshold_for(scores, 2) == pytest.approx(0.3)
    assert threshold_for(np.full(4, 0.5), 2) is None


def test_a_gain_by_more_favourable_decisions_is_not_confirmed() -> None:
    """The thresholds stay; scores that rise on the other rows give more people what they want."""
    unfair, fair = scored(0, 0.05), scored(1, -0.35)
    found = frontier([part(unfair, SELECT), part(fair, SELECT)], QUESTION.at(SELECT), max_loss=0.02)
    risen = replace(part(fair, CONFIRM), scores=np.sqrt(fair.scores[CONFIRM]))
    told = confirmed(found, QUESTION.at(CONFIRM), part(unfair, CONFIRM), risen)
    assert told.reason == "none found: it does not decide favourably about as many"
    assert told.confirmation is not None
    assert not told.confirmation.confirmed


def test_where_nobody_is_left_to_confirm_by_it_is_not_confirmed() -> None:
    pair = scored(0, 0.05), scored(1, -0.35)
    found = frontier([part(one, SELECT) for one in pair], QUESTION.at(SELECT), max_loss=0.02)
    few = CONFIRM[:40]
    told = confirmed(found, QUESTION.at(few), *(part(one, few) for one in pair))
    assert told.reason == "none found: no group beside male has 30 rows to confirm it by"
    assert told.confirmation is None
    none = [replace(part(one, CONFIRM), scores=np.zeros(len(CONFIRM))) for one in pair]
    told = confirmed(found, QUESTION.at(CONFIRM), *none)
    assert told.reason == (
        "none found: nobody of male gets a favourable decision on the rows to confirm it by"
    )


DATASET = Dataset(
    source=Source(type="csv"),
    columns={
        "income": Column(type="float"),
        "postcode": Column(type="category"),
        "sex": Column(type="category", role="protected"),
        "y": Column(type="int"),
    },
    target=Target(column="y"),
)


def test_other_ways_to_train_take_turns_and_are_always_the_same() -> None:
    model = Model(
        purpose="p", tier=1, owner="o", task="classification",
        training=Training(estimator="logistic_regression", seed=7),
    )  # fmt: skip
    found = candidate_overrides(model, DATASET, 6)
    assert found == (
        {"features": {"exclude": ["income"]}},
        {"training": {"parameters": {"C": 10.0}}},
        {"training": {"seed": 8}},
        {"features": {"exclude": ["postcode"]}},
        {"training": {"parameters": {"C": 0.1}}},
        {"training": {"seed": 9}},
    )
    assert len(candidate_overrides(model, DATASET, 40)) == 40
    assert candidate_overrides(replace(model, training=None), DATASET, 6) == ()
    only = replace(model, features=Features(include=("income",)))
    assert all("features" not in one for one in candidate_overrides(only, DATASET, 9))
