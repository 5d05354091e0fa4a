"""The population stability index over frozen bins, and a verdict that knows how noisy it is.

    PSI = Σ (q - p) ln(q / p)          p, q: shares of reference and window in one bin

which is the symmetrised Kullback-Leibler divergence (Jeffreys 1946). Every term is at least zero.

A bin that is empty on one side would make it infinite. Such a count, and no other, is taken as one
half (the correction of Haldane 1956 and Anscombe 1956) and the rest is left as it is, so that the
index is the plain one wherever the plain one exists. A bin that is empty on both sides is no bin.

Fixed limits mislead at small n. Without any drift the index is about

    chi-squared(B - 1) x (1/n + 1/m)   n rows in the window, m in the reference, B bins

(Yurdakul 2018, "Statistical properties of population stability index"), whose mean is
(B - 1)(1/n + 1/m): with ten bins and a window of 100, more than one feature in three is above 0.1
by chance. So a limit alarms only when the difference is also beyond the noise:

- the index is above a high quantile of that distribution, and
- so is Pearson's chi-squared statistic of the two samples. At n = 100 the index has a heavier tail
  than its approximation and alone would alarm two to six times as often as declared; together they
  stay below the declared rate from n = 100 to 10,000 (a test simulates it).

Above a limit but inside the noise, the honest answer is `insufficient`: the window cannot tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from ordain.runtime.monitoring.bins import follows_calendar
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.monitoring.bins import Bins
    from ordain.runtime.monitoring.profiles import Profile
    from ordain.specs.kinds.monitor import Limits

# The chance that stable data makes any feature of one window exceed its noise limit.
ALPHA = 0.01


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of the picture: rows of the reference and rows of the window."""

    label: str
    reference: int
    window: int


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature has moved.

    `psi` is None when there is nothing to compare; `expected` is its mean without drift and
    `null_limit` what it exceeds without drift with the chance that was asked for; `p_value` is that
    of Pearson's test.
    """

    feature: str
    n: int
    n_reference: int
    psi: float | None
    expected: float
    null_limit: float
    p_value: float
    limit_warn: float
    limit_fail: float
    verdict: Verdict
    reason: str
    bins: tuple[Bin, ...]


def psi(reference: Sequence[int], window: Sequence[int]) -> float:
    """The index of two counts over the same bins; 0 for equal shares, at least 0.

    Raises:
        ValueError: the numbers of bins differ, or one side has no rows.
    """
    pairs = used_bins(reference, window)
    m, n = sum(reference), sum(window)
    if not m or not n:
        raise ValueError("no rows to compare")
    return math.fsum(_term((a or 0.5) / m, (b or 0.5) / n) for a, b in pairs)


def psi_by_feature(reference: Profile, window: Profile) -> dict[str, float]:
    """The index of every feature of two profiles with the same bins, without a verdict.

    Dates are left out: later rows have later ones, which is no drift.

    Raises:
        ValueError: one of them has no rows, or the numbers of bins differ.
    """
    return {
        name: psi(bins.all_counts, window.features[name].all_counts)
        for name, bins in reference.features.items()
        if not follows_calendar(bins)
    }


def _term(p: float, q: float) -> float:
    return (q - p) * math.log(q / p)


def used_bins(reference: Sequence[int], window: Sequence[int]) -> list[tuple[int, int]]:
    """The bins that hold a row on either side.

    Raises:
        ValueError: the numbers of bins differ.
    """
    return [(a, b) for a, b in zip(reference, window, strict=True) if a or b]


def expected_psi(bins: int, n: int, m: int) -> float:
    """The mean of the index without drift (Yurdakul 2018)."""
    return (bins - 1) * (1 / n + 1 / m)


def null_limit(bins: int, n: int, m: int, alpha: float) -> float:
    """What the index exceeds with the chance `alpha` without drift; 0 for a single bin."""
    if bins < 2:  # noqa: PLR2004 - one bin cannot differ from itself
        return 0.0
    return chi_squared_quantile(1 - alpha, bins - 1) * (1 / n + 1 / m)


def chi_squared_quantile(probability: float, degrees: int) -> float:
    """The quantile by the cube of Wilson and Hilferty (1931).

    Within 3 % of the exact value for 3 degrees and more and probabilities from 0.9 to 0.9999, which
    a test holds against scipy; one degree is the square of a normal, two are an exponential.
    """
    if degrees == 1:
        return NormalDist().inv_cdf((1 + probability) / 2) ** 2
    if degrees == 2:  # noqa: PLR2004 - the exponential distribution
        return -2 * math.log(1 - probability)
    spread = 2 / (9 * degrees)
    return float(
        degrees * (1 - spread + NormalDist().inv_cdf(probability) * math.sqrt(spread)) ** 3
    )


def pearson(reference: Sequence[int], window: Sequence[int]) -> float:
    """Pearson's chi-squared statistic of two samples over the same bins; B - 1 degrees (1900).

    Raises:
        ValueError: the numbers of bins differ, or one side has no rows.
    """
    m, n = sum(reference), sum(window)
    if not m or not n:
        raise ValueError("no rows to compare")
    # The form for two samples: each bin adds (n·a - m·b)² / (n·m·(a + b)).
    return math.fsum(
        (n * a - m * b) ** 2 / (n * m * (a + b)) for a, b in used_bins(reference, window)
    )


def chi_squared_tail(value: float, degrees: int) -> float:
    """The chance to exceed `value`; the inverse of `chi_squared_quantile`."""
    if degrees < 1 or value <= 0:
        return 1.0
    if degrees == 1:
        return 2 * NormalDist().cdf(-math.sqrt(value))
    if degrees == 2:  # noqa: PLR2004 - the exponential distribution
        return math.exp(-value / 2)
    spread = 2 / (9 * degrees)
    return NormalDist().cdf((1 - spread - (value / degrees) ** (1 / 3)) / math.sqrt(spread))


def feature_drift(
    feature: str,
    reference: Bins,
    window: Bins,
    limits: Limits,
    *,
    min_rows: int,
    alpha: float = ALPHA,
) -> FeatureDrift:
    """Judge one feature; `alpha` is the chance of a false alarm that this feature may spend.

    Raises:
        ValueError: the two have different bins.
    """
    before, after = reference.all_counts, window.all_counts
    m, n = sum(before), sum(after)
    noise = _noise(before, after, alpha) if n and m else _NOTHING
    value = psi(before, after) if n and m else None
    is_noise = value is not None and (value <= noise.limit or noise.p_value > alpha)
    verdict, reason = _judge(value, limits, n, is_noise=is_noise)
    if value is not None and n < min_rows:
        verdict, reason = Verdict.INSUFFICIENT, f"{n} rows, at least {min_rows} are needed"
    labelled = zip(reference.labels, before, after, strict=True)
    return FeatureDrift(
        feature=feature,
        n=n,
        n_reference=m,
        psi=value,
        expected=noise.expected,
        null_limit=noise.limit,
        p_value=noise.p_value,
        limit_warn=limits.warn,
        limit_fail=limits.fail,
        verdict=verdict,
        reason=reason,
        bins=tuple(Bin(label, a, b) for label, a, b in labelled),
    )


class _Noise(NamedTuple):
    """What chance alone does to one comparison."""

    expected: float
    limit: float
    p_value: float


_NOTHING = _Noise(0.0, 0.0, 1.0)


def _noise(before: Sequence[int], after: Sequence[int], alpha: float) -> _Noise:
    m, n, used = sum(before), sum(after), len(used_bins(before, after))
    tail = chi_squared_tail(pearson(before, after), used - 1)
    return _Noise(expected_psi(used, n, m), null_limit(used, n, m, alpha), tail)


def _judge(value: float | None, limits: Limits, n: int, *, is_noise: bool) -> tuple[Verdict, str]:
    if value is None:
        return Verdict.INSUFFICIENT, "no rows to compare"
    if value < limits.warn:
        return Verdict.PASS, ""
    if is_noise:
        return Verdict.INSUFFICIENT, f"over the limit, but within the noise of {n} rows"
    failed = value >= limits.fail
    limit = limits.fail if failed else limits.warn
    return (Verdict.FAIL if failed else Verdict.WARN), f"PSI {value:.3f} ≥ {limit:g}"
