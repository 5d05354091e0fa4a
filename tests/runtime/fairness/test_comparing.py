"""Every gate on decided rows; what is too little says so, and what is wrong is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.fairness import Decided, rows_of
from ordain.specs.kinds.dataset import Column, Dataset, Source, Target
from ordain.specs.kinds.model import Acceptance, Decision, FairnessGate, Model

if TYPE_CHECKING:
    from ordain.specs.evidence import FairnessRow

pytestmark = pytest.mark.training

N = 2000
GENERATOR = np.random.default_rng(3)
SEX = np.where(GENERATOR.random(N) < 0.45, "female", "male")
AGE = GENERATOR.integers(18, 80, N)
REGION = np.where(GENERATOR.random(N) < 0.5, "north", "south")
SCORES = np.clip(GENERATOR.beta(3, 3, N), 0.01, 0.99)
TRUTH = GENERATOR.random(N) < SCORES
GRANTED = SCORES >= 0.5
TABLE = pa.table({"sex": SEX, "age": AGE, "region": REGION, "one": ["a"] * N})
DATASET = Dataset(
    source=Source(type="csv"),
    columns={
        "sex": Column(type="category", role="protected", reference="male"),
        "age": Column(type="int", role="protected", levels=("18..39", "40..")),
        "region": Column(type="category"),
    },
    target=Target(column="y", positive=1, favourable=1),
)


def a_model(*gates: FairnessGate, tier: int = 2) -> Model:
    return Model(
        purpose="p", tier=tier, owner="o", task="classification", decision=Decision(),
        acceptance=Acceptance(fairness=gates),
    )  # fmt: skip


def rows(
    *gates: FairnessGate,
    decided: Decided | None = None,
    dataset: Dataset = DATASET,
    tier: int = 2,
    **columns: Any,  # noqa: ANN401 - values of the table
) -> tuple[FairnessRow, ...]:
    table = pa.table({**{name: TABLE[name] for name in TABLE.column_names}, **columns})
    given = decided or Decided(GRANTED, TRUTH, SCORES)
    places = np.arange(len(given.favourable))
    return rows_of(a_model(*gates, tier=tier), dataset, table, places, given)


METRICS = (
    "adverse_impact_ratio",
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "equalised_odds_difference",
    "predictive_parity_difference",
    "standardised_mean_difference",
    "calibration_within_groups",
)


def test_decisions_that_do_not_know_the_group_pass_every_metric() -> None:
    gates = tuple(FairnessGate(metric=one, attributes=("sex",)) for one in METRICS)  # type: ignore[arg-type]
    inside = FairnessGate(metric="conditional_parity", attributes=("sex",), within=("region",))
    found = rows(*gates, inside)
    assert [row.metric for row in found] == [*METRICS, "conditional_parity"]
    assert [(row.verdict, row.reason) for row in found] == [("pass", "")] * 8
    assert all((row.power or 0) > 0.5 for row in found)
    assert found[-1].named == "conditional_parity within region"


@pytest.mark.parametrize("metric", METRICS)
def test_decisions_against_a_group_fail_every_metric(metric: str) -> None:
    low = np.where(SEX == "female", np.clip(SCORES - 0.3, 0.01, 0.99), SCORES)
    # Of those who got it in spite of a lower score more pay back: precision is higher for them.
    (row,) = rows(
        FairnessGate(metric=metric, attributes=("sex",)),  # type: ignore[arg-type]
        decided=Decided(low >= 0.5, TRUTH, low),
    )
    assert (row.group, row.verdict) == ("female", "fail")
    kind = "ratio" if row.maximum is None else "difference"
    assert row.reason.startswith(f"the {kind} is ")


def test_all_rows_of_all_gates_are_one_family() -> None:
    """A gap has to be significant beside everything else that was tested."""
    granted = GRANTED.copy()
    granted[np.flatnonzero((SEX == "female") & GRANTED)[:90]] = False
    gate = FairnessGate(metric="demographic_parity_difference", attributes=("sex",))
    (alone,) = rows(gate, decided=Decided(granted, TRUTH, SCORES))
    many = rows(gate, FairnessGate(attributes=("age",)), decided=Decided(granted, TRUTH, SCORES))
    assert alone.p_holm == alone.p_value
    assert many[0].p_value == alone.p_value
    assert many[0].p_holm == pytest.approx(2 * (alone.p_value or 0))


def test_intersections_are_compared_with_both_references() -> None:
    gate = FairnessGate(attributes=("sex",), intersections=(("sex", "age"),))
    age = replace(DATASET.columns["age"], reference="40..")
    found = rows(gate, dataset=replace(DATASET, columns={**DATASET.columns, "age": age}))
    assert [(row.attribute, row.group, row.reference) for row in found] == [
        ("sex", "female", "male"),
        ("sex + age", "female + 18..39", "male + 40.."),
        ("sex + age", "female + 40..", "male + 40.."),
        ("sex + age", "male + 18..39", "male + 40.."),
    ]


def women_refused(**column: Any) -> tuple[FairnessRow, ...]:  # noqa: ANN401 - fields of a column
    """240 of 600 women and 320 of 400 men: the larger group is the one that is treated worse."""
    sex = np.repeat(["female", "male"], [600, 400])
    granted = np.concatenate([np.arange(600) < 240, np.arange(400) < 320])
    columns = {"sex": Column(type="category", role="protected", **column)}
    dataset = replace(DATASET, columns=columns)
    table, gate = pa.table({"sex": sex}), FairnessGate()
    return rows_of(a_model(gate), dataset, table, np.arange(1000), Decided(granted))


def test_without_a_declared_reference_it_is_the_group_of_the_highest_rate() -> None:
    (row,) = women_refused()
    assert (row.group, row.reference, row.value) == ("female", "male", 0.5)
    assert (row.verdict, row.reason) == ("fail", "the ratio is 0.500, below 0.8")


def test_a_declared_reference_that_is_worse_off_warns() -> None:
    (row,) = women_refused(reference="female")
    assert (row.group, row.reference, row.value) == ("male", "female", 2.0)
    reason = "the ratio is 2.000, above 1.25: the reference group is worse off"
    assert (row.verdict, row.reason) == ("warn", reason)
    assert (row.p_holm or 1) < 1e-12


def test_the_best_of_several_groups_is_not_better_by_chance() -> None:
    """Two equal groups: the p-value beside the better one is taken twice."""
    gate = FairnessGate(min_power=0.0, min=0.95)
    columns = {"region": Column(type="category", role="protected")}
    failed = 0
    for seed in range(300):
        granted = np.random.default_rng(seed).random(400) < 0.5
        dataset = replace(DATASET, columns=columns)
        table = pa.table({"region": np.repeat(["north", "south"], 200)})
        (row,) = rows_of(a_model(gate), dataset, table, np.arange(400), Decided(granted))
        assert row.favourable <= row.favourable_reference
        failed += row.verdict == "fail"
    assert failed / 300 <= 0.05


@pytest.mark.parametrize("missing", [True, False])
def test_neither_a_small_group_nor_those_who_do_not_say_are_chosen(*, missing: bool) -> None:
    other = None if missing else "west"
    n = 200 if missing else 20
    groups = ["north"] * 500 + ["south"] * 300 + [other] * n
    granted = np.concatenate([np.arange(500) < 250, np.arange(300) < 180, np.ones(n, dtype=bool)])
    dataset = replace(DATASET, columns={"region": Column(type="category", role="protected")})
    table = pa.table({"region": groups})
    found = rows_of(a_model(FairnessGate()), dataset, table, np.arange(800 + n), Decided(granted))
    assert {row.reference for row in found} == {"south"}


def test_differences_keep_the_largest_group_as_their_reference() -> None:
    gate = FairnessGate(metric="demographic_parity_difference", attributes=("age",))
    assert [row.reference for row in rows(gate)] == ["40.."]


def test_without_a_gate_the_four_fifths_rule_informs() -> None:
    found = rows()
    assert {row.attribute for row in found} == {"sex", "age"}
    assert all(row.informs and row.metric == "adverse_impact_ratio" for row in found)
    nobody = replace(DATASET, columns={"region": Column(type="category")})
    assert rows(dataset=nobody) == ()


def test_a_protected_column_with_one_level_is_insufficient() -> None:
    columns = {"one": Column(type="category", role="protected")}
    (row,) = rows(FairnessGate(), dataset=replace(DATASET, columns=columns))
    assert (row.group, row.n, row.verdict) == ("(no other group)", 0, "insufficient")
    assert row.reason == "every row is of the group a"


def test_a_number_that_nobody_gave_is_one_group() -> None:
    columns = {"one": Column(type="float", role="protected")}
    empty = pa.array([None] * N, pa.float64())
    (row,) = rows(FairnessGate(), dataset=replace(DATASET, columns=columns), one=empty)
    assert (row.reference, row.verdict) == ("(missing)", "insufficient")


def test_a_group_of_three_is_insufficient_whatever_happens_to_it() -> None:
    small = SEX.astype("U8")
    small[:3] = "other"
    granted = GRANTED.copy()
    granted[:3] = False
    found = rows(FairnessGate(attributes=("sex",)), decided=Decided(granted), sex=small)
    assert [(row.group, row.verdict, row.reason, row.p_value) for row in found if row.n == 3] == [
        ("other", "insufficient", "3 rows, 30 are needed", None)
    ]


def test_metrics_of_outcomes_count_only_rows_that_have_one() -> None:
    seen = np.arange(N) < 700
    gate = FairnessGate(metric="equal_opportunity_difference", attributes=("sex",))
    (row,) = rows(gate, decided=Decided(GRANTED, TRUTH, SCORES, seen))
    good = TRUTH & seen & (SEX == "female")
    assert (row.n, row.favourable) == (good.sum(), (good & GRANTED).sum())
    assert row.detail == "favourable decisions among favourable outcomes"


@pytest.mark.parametrize(
    "decided",
    [
        Decided(GRANTED, None, SCORES),
        Decided(GRANTED, TRUTH, SCORES, np.zeros(N, dtype=bool)),
    ],
)
@pytest.mark.parametrize("metric", ["equalised_odds_difference", "calibration_within_groups"])
def test_metrics_of_outcomes_are_insufficient_without_any(metric: str, decided: Decided) -> None:
    gate = FairnessGate(metric=metric, attributes=("sex",))  # type: ignore[arg-type]
    (row,) = rows(gate, decided=decided)
    assert (row.value, row.verdict, row.reason) == (None, "insufficient", "no row has an outcome")


@pytest.mark.parametrize(("value", "verdict"), [(True, "pass"), (False, "insufficient")])
def test_decisions_that_are_all_equal_crash_nothing(value: object, verdict: str) -> None:
    everybody = np.full(N, value)
    scores = np.full(N, 0.7)
    ratio, *others = rows(
        *(FairnessGate(metric=one, attributes=("sex",)) for one in METRICS),  # type: ignore[arg-type]
        decided=Decided(everybody, TRUTH, scores),
    )
    assert ratio.verdict == verdict
    means = next(row for row in others if row.metric == "standardised_mean_difference")
    assert means.reason == "the scores of each group are all the same"


def test_models_without_scores_have_no_metric_of_scores() -> None:
    gate = FairnessGate(metric="standardised_mean_difference", attributes=("sex",))
    (row,) = rows(gate, decided=Decided(GRANTED, TRUTH))
    assert (row.verdict, row.reason) == ("insufficient", "the model gives no score")


def test_tier_one_takes_an_interval_within_the_limit() -> None:
    granted = GRANTED.copy()
    granted[np.flatnonzero((SEX == "female") & GRANTED)[:60]] = False
    gate = FairnessGate(attributes=("sex",), min=0.9)
    (second,) = rows(gate, decided=Decided(granted), tier=2)
    (first,) = rows(gate, decided=Decided(granted), tier=1)
    assert (second.verdict, second.reason) == ("pass", "")
    reason = "within the limit, but its interval 0.851 to 1.026 is not"
    assert (first.verdict, first.reason) == ("warn", reason)


@pytest.mark.parametrize("score", [float("nan"), 1.5])
def test_scores_that_are_no_probabilities_are_refused(score: float) -> None:
    scores = SCORES.copy()
    scores[:2] = score
    with pytest.raises(DataError) as caught:
        rows(FairnessGate(), decided=Decided(GRANTED, TRUTH, scores))
    assert caught.value.message == "2 of 2000 scores are no probabilities"


def test_decisions_about_other_rows_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        rows(FairnessGate(), decided=Decided(GRANTED, TRUTH[:5]))
    assert caught.value.message == "fairness of 2000 rows was asked for, and others were decided"


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (FairnessGate(attributes=("region",)), "region is no protected column of the Dataset"),
        (
            FairnessGate(metric="conditional_parity", within=("town",)),
            "town is no column of the Dataset",
        ),
        (
            FairnessGate(metric="conditional_parity"),
            "`conditional_parity` compares inside of strata, and names no column of them",
        ),
        (FairnessGate(max=0.1), "`adverse_impact_ratio` is a ratio and has no largest difference"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_refused(gate: FairnessGate, message: str) -> None:
    with pytest.raises(TrainingError) as caught:
        rows(gate)
    assert caught.value.message == f"acceptance.fairness: {message}"


def test_a_gate_without_a_protected_column_is_refused() -> None:
    columns = {"region": Column(type="category")}
    with pytest.raises(TrainingError) as caught:
        rows(FairnessGate(), dataset=replace(DATASET, columns=columns))
    message = "acceptance.fairness is declared, and the Dataset has no protected column"
    assert caught.value.message == message
