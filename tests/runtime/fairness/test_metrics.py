"""Each metric gives what other libraries and published examples give."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from ordain.runtime.fairness.metrics import Measured, difference_of, measure
from ordain.runtime.fairness.power import power_of_rates
from ordain.runtime.fairness.rates import (
    Stratum,
    difference_interval,
    pooled_ratio,
    ratio_interval,
)
from ordain.runtime.fairness.samples import Decided, Sample
from ordain.runtime.fairness.significance import (
    across_strata,
    lower_in_strata,
    other_calibration,
    other_mean,
)
from ordain.specs.chance import Counts, fisher, other_rate
from ordain.specs.kinds.model import FairnessGate

with warnings.catch_warnings():
    # Both oracles load libraries that warn of their own futures.
    warnings.simplefilter("ignore")
    from fairlearn import metrics as fairlearn
    from holisticai.bias import metrics as holistic

pytestmark = pytest.mark.training

GENERATOR = np.random.default_rng(11)
N = 900
FEMALE = GENERATOR.random(N) < 0.4
SCORES = np.clip(GENERATOR.beta(2, 2, N) - 0.08 * FEMALE, 0.01, 0.99)
TRUTH = GENERATOR.random(N) < SCORES
GRANTED = SCORES >= 0.45
SEX = np.where(FEMALE, "female", "male")
REGION = np.where(GENERATOR.random(N) < 0.3 + 0.3 * FEMALE, "north", "south")


def found(metric: str, **fields: object) -> Measured:
    sample = Sample(Decided(GRANTED, TRUTH, SCORES), FEMALE, ~FEMALE, REGION)
    return measure(sample, FairnessGate(metric=metric, **fields))  # type: ignore[arg-type]


def frame(rate: object) -> float:
    """The difference of a rate between the two groups by fairlearn."""
    by = fairlearn.MetricFrame(
        metrics=rate, y_true=TRUTH, y_pred=GRANTED, sensitive_features=SEX
    ).by_group
    return float(by["female"] - by["male"])


def test_the_ratio_is_that_of_both_libraries() -> None:
    value = found("adverse_impact_ratio").value
    expected = fairlearn.demographic_parity_ratio(TRUTH, GRANTED, sensitive_features=SEX)
    assert value == pytest.approx(expected, abs=1e-12)
    assert value == pytest.approx(holistic.disparate_impact(FEMALE, ~FEMALE, GRANTED), abs=1e-12)


def test_the_difference_of_rates_is_that_of_both_libraries() -> None:
    value = found("demographic_parity_difference").value
    expected = fairlearn.demographic_parity_difference(TRUTH, GRANTED, sensitive_features=SEX)
    assert value == pytest.approx(-expected, abs=1e-12)
    assert value == pytest.approx(holistic.statistical_parity(FEMALE, ~FEMALE, GRANTED), abs=1e-12)


def test_equal_opportunity_is_that_of_both_libraries() -> None:
    value = found("equal_opportunity_difference").value
    assert value == pytest.approx(frame(fairlearn.true_positive_rate), abs=1e-12)
    assert value == pytest.approx(
        holistic.equal_opportunity_diff(FEMALE, ~FEMALE, GRANTED, TRUTH), abs=1e-12
    )


def test_equalised_odds_are_those_of_fairlearn() -> None:
    expected = fairlearn.equalized_odds_difference(TRUTH, GRANTED, sensitive_features=SEX)
    assert abs(found("equalised_odds_difference").value or 0) == pytest.approx(expected, abs=1e-12)


def test_equalised_odds_correct_for_having_looked_twice() -> None:
    odds, one = found("equalised_odds_difference"), found("equal_opportunity_difference")
    counts = Sample(Decided(GRANTED), FEMALE, ~FEMALE).counts(GRANTED, ~TRUTH)
    other = difference_of(*counts, FairnessGate(metric="equal_opportunity_difference"))
    raw = sorted([one.p_value or 0, other.p_value or 0])
    assert max(abs(one.value or 0), abs(other.value or 0)) == abs(odds.value or 0)
    assert odds.p_value == pytest.approx(min(1.0, 2 * raw[0]))
    assert odds.power == min(one.power or 0, other.power or 0)


def test_predictive_parity_is_the_difference_of_precisions() -> None:
    from sklearn.metrics import precision_score

    value = found("predictive_parity_difference").value
    assert value == pytest.approx(frame(precision_score), abs=1e-12)


def test_the_mean_difference_is_cohens_d() -> None:
    """The library takes variances of rates without Bessel's correction, so decisions are scores."""
    granted = GRANTED.astype(float)
    sample = Sample(Decided(GRANTED, None, granted), FEMALE, ~FEMALE)
    value = measure(sample, FairnessGate(metric="standardised_mean_difference")).value
    expected = holistic.cohen_d(FEMALE, ~FEMALE, GRANTED)
    assert value == pytest.approx(expected, rel=2 / N)
    assert (found("standardised_mean_difference").value or 0) < 0


def test_means_are_compared_by_the_test_of_welch() -> None:
    expected = stats.ttest_ind(SCORES[FEMALE], SCORES[~FEMALE], equal_var=False).pvalue
    assert other_mean(SCORES[FEMALE], SCORES[~FEMALE]) == pytest.approx(expected, rel=1e-10)


# Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
    ((10, 10), (0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("ours", "reference", "expected"), NEWCOMBE)
def test_the_interval_of_a_difference_is_that_of_newcombe(
    ours: tuple[int, int], reference: tuple[int, int], expected: tuple[float, float]
) -> None:
    interval = difference_interval(Counts(*ours), Counts(*reference), 0.95)
    assert interval == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("x", "x_r"), [(3, 11), (0, 9), (12, 4), (12, 12)])
def test_fisher_in_both_directions_is_that_of_scipy(x: int, x_r: int) -> None:
    expected = stats.fisher_exact([[x, 12 - x], [x_r, 14 - x_r]]).pvalue
    assert fisher(Counts(x, 12), Counts(x_r, 14), sided=2) == pytest.approx(expected, abs=1e-10)


def test_the_pooled_z_in_both_directions_is_chi_squared() -> None:
    other = other_rate(Counts(860, 1200), Counts(775, 1000))
    assert other == fisher(Counts(860, 1200), Counts(775, 1000), sided=2)
    expected = stats.chi2_contingency([[860, 340], [785, 316]], correction=False).pvalue
    assert other_rate(Counts(860, 1200), Counts(785, 1101)) == pytest.approx(expected, abs=1e-12)


# Obesity and heart disease by age, of the lecture of Boston University on confounding
# (sphweb.bumc.bu.edu, BS704-EP713): 1.79 over all, 1.44 by Mantel and Haenszel.
HEARTS = [
    Stratum(Counts(10, 100), Counts(35, 500)),
    Stratum(Counts(36, 200), Counts(25, 200)),
]
# Admissions to Berkeley by sex and department (Bickel et al. 1975), as R has them. The help page of
# its mantelhaen.test gives 1.4269 with a correction for continuity.
BERKELEY = [
    Stratum(Counts(*female), Counts(*male))
    for female, male in [
        ((89, 108), (512, 825)),
        ((17, 25), (353, 560)),
        ((202, 593), (120, 325)),
        ((131, 375), (138, 417)),
        ((94, 393), (53, 191)),
        ((24, 341), (22, 373)),
    ]
]


def test_the_ratio_over_strata_is_that_of_a_published_example() -> None:
    pooled = pooled_ratio(HEARTS)
    assert pooled is not None
    assert round(pooled[0], 2) == 1.44


def test_the_test_over_strata_is_that_of_a_published_example() -> None:
    gap, variance = across_strata(BERKELEY)
    assert round((abs(gap) - 0.5) ** 2 / variance, 4) == 1.4269
    assert lower_in_strata(BERKELEY) == pytest.approx(
        stats.norm.cdf(gap / math.sqrt(variance)), abs=1e-12
    )
    crude = Counts(557, 1835).rate / Counts(1198, 2691).rate
    pooled = pooled_ratio(BERKELEY)
    assert pooled is not None
    assert (crude < 0.8, pooled[0] > 1) == (True, True)


def test_one_stratum_is_the_ratio_itself() -> None:
    one = Stratum(Counts(30, 100), Counts(60, 120))
    pooled = pooled_ratio([one])
    assert pooled is not None
    half = math.exp(stats.norm.ppf(0.975) * pooled[1])
    assert (pooled[0] / half, pooled[0] * half) == pytest.approx(
        ratio_interval(one.ours, one.reference, 0.95), rel=1e-12
    )


def test_strata_that_decide_explain_a_gap() -> None:
    """Women apply where few are taken: nobody is treated worse there, and the ratio says so."""
    north = GENERATOR.random(4000) < 0.5
    female = GENERATOR.random(4000) < np.where(north, 0.8, 0.2)
    granted = GENERATOR.random(4000) < np.where(north, 0.3, 0.7)
    sample = Sample(Decided(granted), female, ~female, np.where(north, "n", "s"))
    crude = measure(sample, FairnessGate())
    inside = measure(sample, FairnessGate(metric="conditional_parity", within=("region",)))
    assert (crude.value or 0) < 0.8
    assert inside.low is not None
    assert inside.low > 0.8
    assert inside.detail == "2 strata"


def test_calibration_is_compared_by_the_likelihood_of_scipys_optimum() -> None:
    from scipy.optimize import minimize

    def best(margins: np.ndarray, outcomes: np.ndarray) -> float:
        def lost(line: np.ndarray) -> float:
            z = line[0] + line[1] * margins
            return float(np.sum(np.logaddexp(0, z) - outcomes * z))

        return -float(minimize(lost, np.zeros(2)).fun)

    margins, outcomes = np.log(SCORES / (1 - SCORES)), TRUTH.astype(float)
    parts = [(margins[one], outcomes[one]) for one in (FEMALE, ~FEMALE)]
    gain = best(*parts[0]) + best(*parts[1]) - best(margins, outcomes)
    assert other_calibration(parts[0], parts[1]) == pytest.approx(
        stats.chi2.sf(2 * gain, 2), rel=1e-4
    )


def test_a_score_that_promises_one_group_too_little_is_found() -> None:
    scores = np.where(FEMALE, np.clip(SCORES - 0.15, 0.01, 0.99), SCORES)
    sample = Sample(Decided(scores >= 0.45, TRUTH, scores), FEMALE, ~FEMALE)
    measured = measure(sample, FairnessGate(metric="calibration_within_groups"))
    assert measured.high is not None
    assert measured.high < -0.05
    assert (measured.p_value or 0) < 1e-4
    assert measured.detail.endswith("10.9 expected; lines: p = 1.44e-09")
    fair = found("calibration_within_groups")
    assert (fair.p_value or 0) > 0.05


def test_outcomes_that_a_score_parts_wholly_have_a_likelihood() -> None:
    margins = np.array([-2.0, -1.0, 1.0, 2.0])
    outcomes = np.array([0.0, 0.0, 1.0, 1.0])
    assert other_calibration((margins, outcomes), (margins, outcomes)) == pytest.approx(1.0)


def test_the_test_of_calibration_is_about_its_value() -> None:
    """One line fits both groups, and what the score promises is missed by a third in both ways."""
    margins = np.concatenate([GENERATOR.normal(middle, 0.5, 4000) for middle in (-1.5, 1.5)])
    outcomes = GENERATOR.random(8000) < 1 / (1 + np.exp(-0.4 * margins))
    ours = np.arange(8000) < 4000
    decided = Decided(margins > 0, outcomes, 1 / (1 + np.exp(-margins)))
    measured = measure(
        Sample(decided, ours, ~ours), FairnessGate(metric="calibration_within_groups")
    )
    assert measured.value == pytest.approx(-0.33, abs=0.03)
    assert (measured.p_value or 0) < 1e-12
    assert float(measured.detail.rpartition(" = ")[2]) > 0.01


@pytest.mark.parametrize("slope", [0.2, 3.0])
def test_calibration_is_no_chance_exactly_where_its_interval_is_on_one_side(slope: float) -> None:
    ours = np.arange(600) < 300
    for seed in range(40):
        generator = np.random.default_rng(seed)
        margins = generator.normal(0, 1.5, 600)
        scores = 1 / (1 + np.exp(-margins))
        truth = generator.random(600) < 1 / (1 + np.exp(-margins * np.where(ours, slope, 1)))
        sample = Sample(Decided(scores > 0.5, truth, scores), ours, ~ours)
        found = measure(sample, FairnessGate(metric="calibration_within_groups"))
        assert ((found.low or 0) <= 0 <= (found.high or 0)) == ((found.p_value or 0) >= 0.05)


def test_one_outcome_alone_does_not_make_a_gap_certain() -> None:
    """In the group 30 people with a chance of .06 each, none of whom pays back: .94**30 is .16."""
    ours = np.arange(60) < 30
    scores = np.full(60, 0.06)
    decided = Decided(scores > 0.5, ~ours & (np.arange(60) % 16 == 0), scores)
    found = measure(Sample(decided, ours, ~ours), FairnessGate(metric="calibration_within_groups"))
    assert (found.p_value or 0) > 0.05


def strata_of(ours: int, reference: int) -> tuple[Measured, Measured]:
    """Conditional parity and the plain ratio of 500 people each, in two strata."""
    favourable = np.concatenate([np.arange(500) < ours, np.arange(500) < reference])
    group = np.arange(1000) < 500
    strata = np.where(np.arange(1000) % 2 == 0, "a", "b")
    sample = Sample(Decided(favourable), group, ~group, strata)
    gates = (FairnessGate(metric="conditional_parity", within=("product",)), FairnessGate())
    return measure(sample, gates[0]), measure(sample, gates[1])


def test_nobody_favoured_inside_of_strata_is_a_ratio_of_0() -> None:
    inside, plain = strata_of(0, 250)
    assert (inside.value, inside.low, plain.value) == (0, 0, 0)
    assert 0 < (inside.high or 0) < 0.05
    assert (inside.p_value or 0) < 1e-12
    none, _ = strata_of(250, 0)
    assert (none.value, none.reason) == (None, "no favourable decision in the reference group")


def test_everybody_favoured_inside_of_strata_has_an_interval() -> None:
    inside, _ = strata_of(500, 500)
    assert inside.value == 1
    assert (inside.low or 0) < 1 < (inside.high or 0)
    assert inside.p_value == 1


def odds_of(unfavourable: int, gap: float) -> Measured:
    """Equalised odds of 500 favourable outcomes in each group and few unfavourable ones."""
    n = 500 + unfavourable
    truth = np.tile(np.arange(n) < 500, 2)
    favourable = np.concatenate([np.arange(n) % 500 < 400 - 500 * gap, np.arange(n) % 500 < 400])
    ours = np.arange(2 * n) < n
    gate = FairnessGate(metric="equalised_odds_difference")
    return measure(Sample(Decided(favourable, truth), ours, ~ours), gate)


def test_a_certain_gap_of_one_side_is_not_hidden_by_the_other() -> None:
    found = odds_of(20, 0.5)
    assert found.value == pytest.approx(-0.5)
    assert (found.p_value or 0) < 1e-12
    assert found.detail == (
        "favourable decisions among favourable outcomes; 20 rows on the other side, 30 are needed"
    )
    chance = odds_of(20, 0.02)
    assert (chance.value, chance.ours.n) == (None, 20)


def test_two_scores_without_spread_are_as_far_apart_as_is_shown() -> None:
    scores = np.where(FEMALE, 0.2, 0.9)
    gate = FairnessGate(metric="standardised_mean_difference")
    found = measure(Sample(Decided(GRANTED, None, scores), FEMALE, ~FEMALE), gate)
    assert (found.value, found.low, found.high, found.p_value) == (-100, -100, -100, 0)
    assert found.detail == "each group has one score, and they differ"
    shaken = scores + GENERATOR.normal(0, 1e-9, N)
    hardly = measure(Sample(Decided(GRANTED, None, shaken), FEMALE, ~FEMALE), gate)
    assert (hardly.value, hardly.low) == (-100, -100)


@pytest.mark.parametrize(
    ("n", "reference", "ratio", "sided"),
    [
        (30, Counts(50, 100), 0.8, 1),
        (50, Counts(35, 50), 0.8, 1),
        (30, Counts(29, 30), 0.8, 1),
        (40, Counts(20, 60), 1.5, 2),
    ],
)
def test_power_in_small_groups_is_the_chance_of_fishers_region(
    n: int, reference: Counts, ratio: float, sided: int
) -> None:
    """Every pair of counts, weighed by its chance."""
    rate, n_r = reference.rate * ratio, reference.n
    tested = fisher if sided == 1 else other_rate
    share = sum(
        float(stats.binom.pmf(x, n, rate) * stats.binom.pmf(x_r, n_r, reference.rate))
        for x_r in range(n_r + 1)
        for x in range(n + 1)
        if (x / n < x_r / n_r) == (ratio < 1)
        and stats.binom.pmf(x_r, n_r, reference.rate) > 1e-7
        and tested(Counts(x, n), Counts(x_r, n_r)) < 0.05
    )
    found = power_of_rates(n, reference, rate, 0.05, sided=sided)
    assert found == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("n", [60, 100, 250])
def test_power_is_how_often_the_test_finds_it(n: int) -> None:
    """The approximation against 2,000 samples."""
    generator = np.random.default_rng(5)
    rate, reference = 0.4, Counts(500, 1000)
    drawn = generator.binomial(n, rate, 2000).tolist()
    share = np.mean([other_rate(Counts(x, n), reference) < 0.05 for x in drawn])
    assert power_of_rates(n, reference, rate, 0.05, sided=2) == pytest.approx(share, abs=0.05)
