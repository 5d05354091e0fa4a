"""Adverse impact needs size and significance; what is too small is never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.fairness.groups import favourable_decisions, grouped
from ordain.runtime.fairness.judging import Compared, judge
from ordain.runtime.fairness.metrics import ratio_of
from ordain.runtime.fairness.rates import ratio_interval
from ordain.specs.chance import Counts, fisher, holm, lower_rate
from ordain.specs.kinds.dataset import Column, Dataset, Source, Target
from ordain.specs.kinds.model import Decision, FairnessGate, Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.evidence import FairnessRow

pytestmark = pytest.mark.training

GATE = FairnessGate()


def one(ours: Counts, reference: Counts, gate: FairnessGate = GATE) -> FairnessRow:
    return judge([compared("female", ours, reference, gate)], 2)[0]


def compared(group: str, ours: Counts, reference: Counts, gate: FairnessGate = GATE) -> Compared:
    return Compared(gate, "sex", group, "male", ratio_of(ours, reference, gate))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_fisher_is_that_of_scipy(n: int, n_r: int, x: int, x_r: int) -> None:
    x, x_r = min(x, n), min(x_r, n_r)
    expected = stats.fisher_exact([[x, n - x], [x_r, n_r - x_r]], alternative="less").pvalue
    assert fisher(Counts(x, n), Counts(x_r, n_r)) == pytest.approx(expected, abs=1e-10)


def test_the_pooled_z_is_the_square_root_of_chi_squared() -> None:
    table = [[860, 340], [885, 216]]
    expected = stats.chi2_contingency(table, correction=False).pvalue / 2
    assert lower_rate(Counts(860, 1200), Counts(885, 1101)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (Counts(38, 40), Counts(40, 40)),
        (Counts(600, 1000), Counts(1700, 2500)),
        (Counts(2, 4000), Counts(7, 5000)),
    ],
)
def test_small_groups_and_small_expected_counts_go_to_fisher(
    ours: Counts, reference: Counts
) -> None:
    assert lower_rate(ours, reference) == fisher(ours, reference)


def test_the_interval_of_the_ratio_is_that_of_scipy() -> None:
    expected = stats.contingency.relative_risk(30, 100, 60, 120).confidence_interval(0.95)
    found = ratio_interval(Counts(30, 100), Counts(60, 120), 0.95)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_an_empty_cell_has_a_finite_interval() -> None:
    low, high = ratio_interval(Counts(0, 40), Counts(20, 40), 0.95)
    assert low == 0 < high < 1


def test_an_interval_has_a_width_where_everybody_is_favoured() -> None:
    """0.5 in each of the four cells, because one of them, those refused, is 0."""
    error = (1 / 30.5 - 1 / 31 + 1 / 60.5 - 1 / 61) ** 0.5
    middle = (30.5 / 31) / (60.5 / 61)
    expected = (middle * np.exp(-1.959964 * error), middle * np.exp(1.959964 * error))
    found = ratio_interval(Counts(30, 30), Counts(60, 60), 0.95)
    assert found == pytest.approx(expected, rel=1e-6)
    strict = FairnessGate(min=0.95, min_power=0.0)
    row = judge([compared("female", Counts(30, 30), Counts(60, 60), strict)], 1)[0]
    assert row.reason == "within the limit, but its interval 0.943 to 1.043 is not"


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_its_definition(values: list[float]) -> None:
    corrected = holm(values)
    order = np.argsort(values, kind="stable")
    expected = np.empty(len(values))
    running = 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(values) - rank) * values[place]))
        expected[place] = running
    assert corrected == pytest.approx(expected.tolist(), abs=0)
    assert all(a >= b for a, b in zip(corrected, values, strict=True))


@pytest.mark.parametrize(
    ("ours", "reference", "verdict", "reason"),
    [
        (Counts(300, 500), Counts(310, 500), "pass", ""),
        (Counts(100, 500), Counts(300, 500), "fail", "the ratio is 0.333, below 0.8"),
        (
            Counts(14, 40),
            Counts(23, 50),
            "insufficient",
            (
                "the ratio is 0.761, below 0.8, within what chance explains; a disparity of the "
                "size of the limit would be found with a probability of 0.17, 0.5 is needed"
            ),
        ),
        (
            Counts(4200, 5000),
            Counts(4900, 5000),
            "warn",
            "within the limit, but the gap is not chance",
        ),
        (
            Counts(360, 400),
            Counts(240, 600),
            "warn",
            "the ratio is 2.250, above 1.25: the reference group is worse off",
        ),
        (Counts(2, 29), Counts(300, 500), "insufficient", "29 rows, 30 are needed"),
        (
            Counts(20, 40),
            Counts(3, 10),
            "insufficient",
            "10 rows in the reference group, 30 are needed",
        ),
        (
            Counts(1, 40),
            Counts(2, 40),
            "insufficient",
            "1.5 favourable decisions expected, 5 are needed",
        ),
        (
            Counts(30, 40),
            Counts(0, 40),
            "insufficient",
            "no favourable decision in the reference group",
        ),
    ],
)
def test_a_row_has_one_of_four_verdicts(
    ours: Counts, reference: Counts, verdict: str, reason: str
) -> None:
    found = one(ours, reference)
    assert (found.verdict, found.reason) == (verdict, reason)


def test_the_correction_goes_over_every_row_that_was_tested() -> None:
    """What is significant alone is not beside eleven other groups."""
    low, reference = Counts(36, 100), Counts(255, 510)
    alone = one(low, reference)
    assert alone.p_value is not None
    assert alone.p_value < 0.05
    assert alone.verdict == "fail"
    counts = {f"g{place:02}": Counts(50, 100) for place in range(11)}
    groups = counts | {"low": low, "small": Counts(1, 3)}
    everyone = [compared(name, ours, reference) for name, ours in groups.items()]
    rows = {row.group: row for row in judge(everyone, 2)}
    assert rows["low"].p_holm == pytest.approx(12 * (alone.p_value or 0))
    assert rows["low"].verdict == "warn"
    assert (rows["small"].p_value, rows["small"].verdict) == (None, "insufficient")


def simulated(rate: float, ratio: float, n: int, rounds: int = 400) -> float:
    """How often the gate fails for a group of n against a reference of 1,000."""
    rng = np.random.default_rng(3)
    fails = 0
    for x, x_r in zip(
        rng.binomial(n, rate * ratio, rounds), rng.binomial(1000, rate, rounds), strict=True
    ):
        fails += one(Counts(int(x), n), Counts(int(x_r), 1000)).verdict == "fail"
    return fails / rounds


@pytest.mark.parametrize("n", [30, 50, 100, 250])
def test_false_alarms_are_rare_without_disparity(n: int) -> None:
    assert simulated(0.3, 1.0, n) <= 0.05


@pytest.mark.parametrize(("n", "power"), [(100, 0.55), (250, 0.8)])
def test_a_real_disparity_is_found(n: int, power: float) -> None:
    assert simulated(0.3, 0.7, n) >= power


def declared(**columns: Column) -> Dataset:
    target = Target(column="y", positive=1, favourable=0)
    return Dataset(source=Source(type="csv"), columns=columns, target=target)


def sizes(column: Column, values: list[object]) -> tuple[dict[str, int], str]:
    """How many rows each group has, and the reference."""
    found = grouped(["g"], declared(g=column), pa.table({"g": values}), np.arange(len(values)))
    names, counts = np.unique(found.labels, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True)), found.reference


def test_groups_are_the_levels_and_those_who_do_not_say() -> None:
    column = Column(type="category", role="protected", reference="a")
    found = sizes(column, ["a", "b", None, "a", "b"])
    assert found == ({"a": 2, "b": 2, "(missing)": 1}, "a")


def test_the_largest_group_is_the_reference_unless_one_is_declared() -> None:
    column = Column(type="category", role="protected")
    assert sizes(column, ["b", "a", "b", "a", "c"])[1] == "a"
    assert sizes(column, ["b", "a", "b"])[1] == "b"


def test_numbers_are_cut_at_their_quartiles() -> None:
    column = Column(type="int", role="protected")
    assert sizes(column, [*range(1, 101), None])[0] == {
        "up to 25.75": 25,
        "over 25.75 to 50.5": 25,
        "over 50.5 to 75.25": 25,
        "over 75.25": 25,
        "(missing)": 1,
    }


def test_numbers_are_cut_at_declared_bands() -> None:
    column = Column(type="int", role="protected", levels=("18..24", "25..61", "62.."))
    assert sizes(column, [17, 18, 24, 25, 61, 62, 90])[0] == {
        "(other)": 1,
        "18..24": 2,
        "25..61": 2,
        "62..": 2,
    }


def test_a_band_that_is_none_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        sizes(Column(type="int", role="protected", levels=("young",)), [1, 2])
    assert caught.value.message == "column g: the level 'young' is no band of numbers"


def test_a_reference_that_nobody_belongs_to_is_refused() -> None:
    with pytest.raises(TrainingError) as caught:
        sizes(Column(type="category", role="protected", reference="z"), ["a", "b"])
    assert caught.value.message == "acceptance.fairness: g has no group z among the measured rows"
    assert caught.value.remedy == "set reference in spec.columns.g to one of a, b"


def test_an_attribute_must_be_protected() -> None:
    dataset = declared(g=Column(type="category"))
    with pytest.raises(TrainingError) as caught:
        grouped(["g"], dataset, pa.table({"g": ["a"]}), np.arange(1))
    assert caught.value.message == "acceptance.fairness: g is no protected column of the Dataset"


def a_model(decision: Decision | None) -> Model:
    return Model(purpose="p", tier=1, owner="o", task="classification", decision=decision)


@pytest.mark.parametrize(
    ("favourable", "expected"), [(0, [True, False, False]), (1, [False, True, True])]
)
def test_the_favourable_decision_follows_from_the_favourable_outcome(
    favourable: int, expected: list[bool]
) -> None:
    target = Target(column="y", positive=1, favourable=favourable)
    dataset = Dataset(source=Source(type="csv"), columns={}, target=target)
    scores = np.array([0.2, 0.4, 0.9])
    found = favourable_decisions(a_model(Decision(threshold=0.4)), dataset, scores)
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("dataset", "decision", "message"),
    [
        (
            lambda: Dataset(source=Source(type="csv"), columns={}, target=Target(column="y")),
            Decision(),
            "acceptance.fairness needs to know which outcome is good for the person",
        ),
        (
            declared,
            None,
            "acceptance.fairness compares decisions, and the Model declares none",
        ),
    ],
)
def test_fairness_needs_an_outcome_and_a_decision(
    dataset: Callable[[], Dataset], decision: Decision | None, message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        favourable_decisions(a_model(decision), dataset(), np.array([0.5]))
    assert caught.value.message == message
