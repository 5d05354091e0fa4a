"""Whether a probability of 20 % comes true in a fifth of the cases.

    error       expected calibration error in ten bins, as in training (`metrics`)
    intercept,  of logit(y) ~ a + b logit(score), fitted by damped Newton steps (Cox 1958): 0 and 1
    slope       for scores that are right; a slope below 1 means scores that are too sure. Wald
                intervals
    brier       its parts in ten bins: reliability, resolution, uncertainty (Murphy 1973); the Brier
                score is reliability - resolution + uncertainty, but for what differs inside a bin
    band        of ten bands of the score with equally many rows: outcomes seen over outcomes
                expected, with the interval of Jeffreys around the seen share

Only two outcomes have all of it; the error of more classes is among the metrics of performance.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.intervals import Estimate, quantile
from ordain.runtime.training.measuring import estimate, smallest_class
from ordain.runtime.training.metrics import Sample
from ordain.runtime.training.metrics import calibration_error as error_of_two
from ordain.runtime.training.metrics_classes import ClassSample
from ordain.runtime.training.metrics_classes import calibration_error as error_of_classes
from ordain.runtime.validation.checks import at_most, estimated, measured, rows_told, untold
from ordain.runtime.validation.performance import sample_at
from ordain.specs.findings import Verdict
from ordain.specs.gates import few_cases
from ordain.specs.tasks import CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

SECTION = "calibration"
ERROR = "error"
BINS = 10
# Ten rows for each of the ten bins: below it the error of a bin is mostly the luck of few rows.
FEWEST = 100
CONFIDENCE = 0.95
_EDGE = 1e-9  # Probabilities are kept this far from 0 and 1, where log-odds end.
_STEPS = 50
_STEEP = 1e4  # A slope that no fit of real outcomes has: they are parted by the score.
_FEWEST = 10
DRAWS = 300


def examine(scene: Scene) -> Iterator[Check]:
    """The error with its limit, then what tells where it comes from."""
    declared = scene.order.spec.validation.calibration
    sample = sample_at(scene)
    if scene.served.plan.task != CLASSIFICATION:
        return
    if isinstance(sample, str) or not isinstance(sample, Sample | ClassSample):
        limit = "" if declared is None else f"<= {declared.max_error:g}"
        yield untold(SECTION, ERROR, str(sample), limit=limit)
        return
    yield judge_error(sample, None if declared is None else declared.max_error)
    if isinstance(sample, Sample):
        yield from _line(sample)
        yield from _parts(sample)
        yield from _bands(sample)


def judge_error(sample: Sample | ClassSample, limit: float | None) -> Check:
    """The error, held against its limit and against what chance gives scores that are right.

    It is a sum of absolute values: of a hundred rows whose scores are right it is above .05 almost
    always. So it fails only where it is above both; above the limit alone it asks for a look.
    """
    error = estimated(SECTION, ERROR, estimate("ece", sample, CONFIDENCE), sample.n)
    if limit is None:
        return error
    text = f"<= {limit:g}"
    if few := _too_few(sample):
        return replace(error, limit=text, reason=few)
    if error.value is None or error.value <= limit:
        return at_most(error, limit)
    chance = chance_error(sample)
    if error.value > chance:
        return at_most(error, limit)
    reason = f"scores that are right have an error up to {chance:.3f} by chance"
    return replace(error, limit=text, verdict=Verdict.WARN.value, reason=reason)


def _too_few(sample: Sample | ClassSample) -> str:
    """Why the error says nothing; empty where rows and classes are enough."""
    if sample.n < FEWEST:
        return f"{rows_told(sample.n)}, {FEWEST} are needed"
    return few_cases(smallest_class(sample) or 0).replace("in the test part", "in these rows")


def chance_error(sample: Sample | ClassSample) -> float:
    """The 95 % quantile of the error of outcomes that are drawn from the scores themselves."""
    rng = np.random.default_rng([sample.seed, 16])
    errors = [_error(_drawn(sample, rng)) for _ in range(DRAWS)]
    return float(np.quantile(errors, CONFIDENCE))


def _error(sample: Sample | ClassSample) -> float:
    return error_of_two(sample) if isinstance(sample, Sample) else error_of_classes(sample)


def _drawn(sample: Sample | ClassSample, rng: np.random.Generator) -> Sample | ClassSample:
    chance = rng.random(sample.n)
    if isinstance(sample, Sample):
        return replace(sample, positive=(chance < sample.scores).astype(np.int64))
    ends = np.cumsum(sample.scores, axis=1)
    right = np.sum(chance[:, None] * ends[:, -1:] >= ends, axis=1)
    return replace(sample, right=np.minimum(right, ends.shape[1] - 1))


def _line(sample: Sample) -> Iterator[Check]:
    found = fit_line(sample.scores, sample.positive)
    for name, one in zip(("intercept", "slope"), found or (None, None), strict=True):
        if one is None:
            reason = "no line fits: the scores are all equal, or part the outcomes"
            yield untold(SECTION, name, reason, n=sample.n)
        else:
            yield estimated(SECTION, name, one, sample.n)


def fit_line(scores: Floats, positive: Indices) -> tuple[Estimate, Estimate] | None:
    """Intercept and slope of the outcomes over the log-odds of the scores; None where none fits."""
    kept = np.clip(scores, _EDGE, 1 - _EDGE)
    design = np.column_stack([np.ones(len(kept)), np.log(kept) - np.log1p(-kept)])
    if float(np.ptp(design[:, 1])) < _EDGE:
        return None
    base = float(np.clip(np.mean(positive), _EDGE, 1 - _EDGE))
    line = np.array([math.log(base) - math.log1p(-base), 0.0])
    for _ in range(_STEPS):
        chance = 0.5 * (1.0 + np.tanh(0.5 * (design @ line)))
        weights = chance * (1.0 - chance)
        information = design.T @ (design * weights[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1 / _EDGE:
            return None
        step = np.linalg.solve(information, design.T @ (positive - chance))
        step = _damped(design, positive, line, step)
        line += step
        if not np.isfinite(line).all() or abs(line[1]) > _STEEP:
            return None
        if float(np.max(np.abs(step))) < _EDGE:
            errors = np.sqrt(np.diagonal(np.linalg.inv(information))) * quantile(CONFIDENCE)
            return _wald(line[0], errors[0]), _wald(line[1], errors[1])
    return None


def _damped(design: Floats, positive: Indices, line: Floats, step: Floats) -> Floats:
    """The step, halved for as long as the likelihood would fall: undamped, bad models diverge."""
    before = _log_likelihood(design @ line, positive)
    for _ in range(_STEPS):
        if _log_likelihood(design @ (line + step), positive) >= before - _EDGE:
            break
        step = step / 2.0
    return step


def _log_likelihood(margin: Floats, positive: Indices) -> float:
    return float(np.sum(positive * margin - np.logaddexp(0.0, margin)))


def _wald(value: float, half: float) -> Estimate:
    return Estimate(float(value), float(value - half), float(value + half))


def _parts(sample: Sample) -> Iterator[Check]:
    """Murphy's parts of the Brier score."""
    base, n = float(np.mean(sample.positive)), sample.n
    places = np.minimum((sample.scores * BINS).astype(np.int64), BINS - 1)
    reliability = resolution = 0.0
    for place in np.unique(places):
        inside = places == place
        share, seen = float(np.mean(inside)), float(np.mean(sample.positive[inside]))
        reliability += share * (float(np.mean(sample.scores[inside])) - seen) ** 2
        resolution += share * (seen - base) ** 2
    yield measured(SECTION, "reliability", reliability, n)
    yield measured(SECTION, "resolution", resolution, n)
    yield measured(SECTION, "uncertainty", base * (1.0 - base), n)


def _bands(sample: Sample) -> Iterator[Check]:
    """Seen over expected outcomes; equal scores stay in one band."""
    edges = np.unique(np.quantile(sample.scores, np.arange(1, BINS) / BINS, method="higher"))
    band = np.searchsorted(edges, sample.scores, side="right")
    for place in np.unique(band):
        inside = band == place
        n, seen = int(inside.sum()), int(sample.positive[inside].sum())
        scores = sample.scores[inside]
        subject = f"{float(scores.min()):.3f} to {float(scores.max()):.3f}"
        expected = float(np.mean(scores))
        if n < _FEWEST or expected <= 0.0:
            yield untold(SECTION, "observed/expected", "too few rows", subject=subject, n=n)
            continue
        low, high = jeffreys(seen, n)
        found = Estimate(seen / n / expected, low / expected, high / expected)
        yield estimated(SECTION, "observed/expected", found, n, subject=subject)


def jeffreys(count: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of a share by Jeffreys' prior (Brown, Cai and DasGupta 2001)."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    ends = [float(betaincinv(count + 0.5, n - count + 0.5, end)) for end in (tail, 1 - tail)]
    low, high = (0.0 if math.isnan(end) else end for end in ends)
    return (0.0 if count == 0 else low), (1.0 if count == n else high)
