"""An alternative is confirmed on rows that it was not chosen by, or it is not found."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ordain.runtime.errors import DataError
from ordain.runtime.fairness.alternatives import NONE_FOUND, Candidate, Question, area, frontier
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


def test_the_area_is_that_of_scikit_learn_also_with_ties() -> None:
    scores = np.round(scored(1, 0.3, 0.5).scores, 1)
    assert area(TRUTH, scores) == pytest.approx(roc_auc_score(TRUTH, scores), abs=1e-12)


def test_a_model_that_is_about_as_good_and_fairer_is_found_and_confirmed() -> None:
    unfair = scored(0, 0.05)
    fair = replace(scored(1, -0.35), number=1)
    worse = scored(2, -0.2, noise=2.0)
    best = replace(scored(3, 0.0), number=3)
    found = frontier([unfair, fair, worse, best], QUESTION, SELECT, CONFIRM, max_loss=0.02)
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
    found = frontier(
        [scored(0, 0.4), scored(1, 0.0, noise=2.0)], QUESTION, SELECT, CONFIRM, max_loss=0.005
    )
    assert (found.chosen, found.confirmation, found.reason) == (None, None, NONE_FOUND)


def test_the_luckiest_of_many_equal_models_is_not_confirmed() -> None:
    """Sixty models that differ by noise: the gain is there by selection, and gone elsewhere."""
    equal = [scored(number, 0.2, noise=0.4) for number in range(60)]
    found = frontier(equal, QUESTION, SELECT, CONFIRM, max_loss=0.02, seed=1)
    points = {one.number: one.ratio for one in found.points}
    assert found.chosen is not None
    assert found.confirmation is not None
    assert points[found.chosen] - points[found.performer] > 2 * abs(found.confirmation.gain)
    assert found.reason == "none found: the gain was not confirmed"


def test_the_answer_is_the_same_in_any_order_and_is_plain() -> None:
    many = [scored(number, 0.01 * number, noise=0.2) for number in range(70)]
    found = frontier(many, QUESTION, SELECT, CONFIRM, max_loss=0.02, seed=4)
    again = frontier(many[::-1], QUESTION, SELECT, CONFIRM, max_loss=0.02, seed=4)
    assert json.dumps(found.plain()) == json.dumps(again.plain())
    plain = found.plain()
    assert (plain["candidates"], len(plain["points"])) == (70, 50)
    numbers = [one["number"] for one in plain["points"]]
    assert {found.performer, found.chosen} == set(numbers[:2])


@pytest.mark.parametrize(
    ("candidates", "confirm", "problem"),
    [
        ([], CONFIRM, "there is no candidate"),
        ([scored(1, 0), scored(1, 0)], CONFIRM, "two candidates have the same number"),
        (
            [Candidate(1, "linear", np.full(N, np.nan))],
            CONFIRM,
            "a candidate has scores that are no numbers",
        ),
        ([scored(1, 0)], SELECT, "rows to select by are rows to confirm by"),
        ([scored(1, 0)], CONFIRM[:40], "no group beside male has 30 rows in each part"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    candidates: list[Candidate], confirm: np.ndarray, problem: str
) -> None:
    with pytest.raises(DataError) as caught:
        frontier(candidates, QUESTION, SELECT, confirm, max_loss=0.01)
    assert caught.value.message == f"less discriminatory alternatives: {problem}"


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
