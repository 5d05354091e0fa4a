"""Is there a model that is about as good and discriminates less?

Three parts of the rows have one use each: candidates are trained on the first, chosen on the second
(`frontier`), and the two that are left are compared on a third that nobody has looked at
(`confirmed`): whoever takes the best of many has also taken the luckiest, and its gain is
overstated on the rows that it was chosen by. Rows that a candidate did not learn from because they
were held out of a fold may serve as the second part; they may not as the third, because it was by
them that candidates were made. What may be lost in performance for a gain in fairness (`max_loss`)
is declared before anything is measured.

Performance is the area under the ROC curve, fairness the smallest adverse impact ratio of any group
that is large enough. The candidate that performs best is the one that would have been proposed, and
it decides at the threshold of the Model. Every other one decides at a threshold of its own, the one
that gives as many people the favourable decision: a ratio rises with the share of favourable
decisions, up to 1 where everybody gets one, and the area sees nothing of it. A candidate that
cannot be brought to that share (too many have the same score), or that gives nobody of the
reference a favourable decision, is compared with nobody.

An alternative loses no more than the budget and has a higher ratio. It is confirmed where, on the
third part and at the thresholds that were chosen on the second, the whole interval of its gain is
above zero, its loss is within the budget, and it still gives as many the favourable decision.
Decisions of both are about the same people, so the interval is of the pairs: a seeded bootstrap
within each group of how many both, one or none decided favourably about (Efron 1979), which needs
four counts of a group and no row.

`none found` is an answer and no failure: it is what a search can honestly say. That there is none
to be found it cannot say.

Refused: weights that trade performance against fairness in one number (nobody can say what the
number means), and cut-offs per group, which are disparate treatment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.fairness.groups import Indices
    from ordain.runtime.fairness.samples import Floats, Labels, Mask

SHOWN: Final = 50
NONE_FOUND: Final = "none found"
_DRAWS: Final = 2000
_CONFIDENCE: Final = 0.95
# How far the shares of favourable decisions of two candidates may be apart to be called the same.
APART: Final = 0.02


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model: its number and family, and a probability for every row of a question.

    `scores`, of the shape (rows,), are probabilities of the favourable outcome.
    """

    number: int
    family: str
    scores: Floats


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate on the rows that it is chosen by; `best` if none is better in both.

    Scores at or above `threshold` are favourable decisions here, and `rate` is their share.
    """

    number: int
    family: str
    performance: float
    ratio: float
    rate: float
    threshold: float
    best: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The alternative beside the best performer, on rows that neither was chosen by.

    `gain` is the difference of their smallest ratios, with its interval; `loss` that of their
    performances; `rate` and `rate_performer` are their shares of favourable decisions. `groups` are
    (group, ratio of the best performer, ratio of the alternative).
    """

    gain: float
    low: float
    high: float
    loss: float
    rate: float
    rate_performer: float
    n: int
    groups: tuple[tuple[str, float, float], ...]
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a search for a less discriminatory alternative has found.

    `chosen` is None where none was found; `reason` says why, or whether it was confirmed.
    `incomparable` candidates are no points.
    """

    points: tuple[Point, ...]
    performer: int
    chosen: int | None
    max_loss: float
    reason: str
    confirmation: Confirmation | None = None
    incomparable: int = 0

    def point(self, number: int) -> Point:
        """The candidate of this number."""
        return next(one for one in self.points if one.number == number)

    def plain(self) -> dict[str, Any]:
        """For the record of a search: at most `SHOWN` points, those of the frontier first."""
        kept = {self.performer, self.chosen}
        first = sorted(
            self.points, key=lambda one: (one.number not in kept, not one.best, one.number)
        )
        return asdict(self) | {
            "candidates": len(self.points),
            "points": [asdict(one) for one in first[:SHOWN]],
        }


@dataclass(frozen=True, slots=True)
class Question:
    """Who is compared with whom, by which decisions, on one part of the rows.

    Scores of the best performer at or above `threshold` are favourable decisions. `groups` name the
    group of every row, `truth` tells whose favourable outcome came true. Groups with fewer rows
    than `min_cell` say nothing.
    """

    truth: Mask
    groups: Labels
    reference: str
    threshold: float
    min_cell: int = 30

    def at(self, rows: Indices) -> Question:
        """The same question about some of the rows."""
        return replace(self, truth=self.truth[rows], groups=self.groups[rows])

    @property
    def compared(self) -> tuple[str, ...]:
        """The groups that are large enough, beside the reference."""
        names, counts = np.unique(self.groups, return_counts=True)
        large = {str(name) for name, n in zip(names, counts, strict=True) if n >= self.min_cell}
        if self.reference not in large:
            return ()
        return tuple(sorted(large - {self.reference}))

    @property
    def nobody(self) -> str:
        """That there is nobody to compare."""
        return f"no group beside {self.reference} has {self.min_cell} rows"


def frontier(candidates: Sequence[Candidate], question: Question, *, max_loss: float) -> Frontier:
    """Performance and fairness of every candidate, and the less discriminatory one if there is one.

    All candidates are compared at the share of favourable decisions of the best performer, which
    decides at the threshold of the question. No candidate may have learnt from the rows.

    Raises:
        DataError: when there is no candidate, a score is no number, no group is large enough to be
            compared, or the best performer decides about everybody alike.
    """
    _refuse_unusable(candidates, question)
    areas = {one.number: area(question.truth, one.scores) for one in candidates}
    first = min(candidates, key=lambda one: (-areas[one.number], one.number))
    performer = _point(first, question, areas[first.number], question.threshold)
    if performer is None or performer.rate == 1.0:
        whom = "everybody" if performer else f"nobody of {question.reference}"
        message = f"the best performer (trial {first.number}) decides favourably about {whom}"
        raise _unusable(message)
    favourable = int(np.count_nonzero(first.scores >= question.threshold))
    found = [performer]
    for one in candidates:
        threshold = None if one is first else threshold_for(one.scores, favourable)
        point = None
        if threshold is not None:
            point = _point(one, question, areas[one.number], threshold)
        found += [] if point is None else [point]
    points = _best(sorted(found, key=lambda one: one.number))
    chosen = _alternative(points, performer, max_loss)
    reason = NONE_FOUND if chosen is None else f"{NONE_FOUND}: nothing was confirmed yet"
    left_out = len(candidates) - len(points)
    return Frontier(points, performer.number, chosen, max_loss, reason, incomparable=left_out)


def _alternative(points: Sequence[Point], performer: Point, max_loss: float) -> int | None:
    within = [
        one
        for one in points
        if performer.performance - one.performance <= max_loss and one.ratio > performer.ratio
    ]
    best = min(within, key=lambda one: (-one.ratio, -one.performance, one.number), default=None)
    return None if best is None else best.number


def threshold_for(scores: Floats, favourable: int) -> float | None:
    """The threshold that so many scores are at or above; None where ties keep it too far off.

    It lies halfway between two scores, so that a rounded score is on the same side.
    """
    levels, counts = np.unique(scores, return_counts=True)
    above = len(scores) - np.cumsum(counts)[:-1]  # At or above the threshold after each level.
    if not len(above):
        return None
    place = int(np.argmin(np.abs(above - favourable)))
    if abs(int(above[place]) - favourable) > APART * len(scores):
        return None
    return float(levels[place] + (levels[place + 1] - levels[place]) / 2)


def _refuse_unusable(candidates: Sequence[Candidate], question: Question) -> None:
    problem = ""
    if not candidates:
        problem = "there is no candidate"
    elif len({one.number for one in candidates}) < len(candidates):
        problem = "two candidates have the same number"
    elif not all(np.isfinite(one.scores).all() for one in candidates):
        problem = "a candidate has scores that are no numbers"
    elif not question.compared:
        problem = question.nobody
    if problem:
        raise _unusable(problem)


def _unusable(problem: str) -> DataError:
    message = f"less discriminatory alternatives: {problem}"
    remedy = "give trained candidates that decide both ways, and rows that hold every group"
    return DataError(message, remedy=remedy)


def _point(
    candidate: Candidate, question: Question, performance: float, threshold: float
) -> Point | None:
    """None where nobody of the reference gets a favourable decision: no ratio says anything."""
    favourable = candidate.scores >= threshold
    ratios = _ratios(favourable, question)
    if not ratios:
        return None
    rate = float(np.mean(favourable))
    smallest = min(ratios.values())
    return Point(candidate.number, candidate.family, performance, smallest, rate, threshold)


def _best(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, with those marked that no other one beats in both ways."""
    return tuple(
        replace(one, best=not any(_beats(other, one) for other in points)) for one in points
    )


def _beats(other: Point, one: Point) -> bool:
    as_good = other.performance >= one.performance and other.ratio >= one.ratio
    return as_good and (other.performance, other.ratio) != (one.performance, one.ratio)


def _ratios(favourable: Mask, question: Question) -> dict[str, float]:
    """The ratio of each group; none where nobody of the reference gets a favourable decision."""
    rates = {
        name: float(np.mean(favourable[question.groups == name]))
        for name in (*question.compared, question.reference)
    }
    reference = rates.pop(question.reference)
    return {name: rate / reference for name, rate in rates.items()} if reference else {}


def confirmed(
    found: Frontier,
    question: Question,
    performer: Candidate,
    alternative: Candidate,
    *,
    seed: int = 0,
) -> Frontier:
    """The frontier with what the two of it are on rows that neither was made or chosen by.

    Both decide at the thresholds that they were chosen with.

    Raises:
        DataError: when a score is no number.
    """
    pair = (performer, alternative)
    if not all(np.isfinite(one.scores).all() for one in pair):
        raise _unusable("a candidate has scores that are no numbers")
    if not question.compared:
        return replace(found, reason=f"{NONE_FOUND}: {question.nobody} to confirm it by")
    first, second = (one.scores >= found.point(one.number).threshold for one in pair)
    if not (_ratios(first, question) and _ratios(second, question)):
        nobody = f"nobody of {question.reference} gets a favourable decision"
        return replace(found, reason=f"{NONE_FOUND}: {nobody} on the rows to confirm it by")
    loss = area(question.truth, performer.scores) - area(question.truth, alternative.scores)
    told = _confirmation(first, second, question, loss, found.max_loss, seed)
    return replace(found, confirmation=told, reason=_reason(told))


def _confirmation(
    first: Mask, second: Mask, question: Question, loss: float, max_loss: float, seed: int
) -> Confirmation:
    before, after = _ratios(first, question), _ratios(second, question)
    low, high = _interval_of_gain(first, second, question, seed)
    rate, rate_performer = float(np.mean(second)), float(np.mean(first))
    return Confirmation(
        gain=min(after.values()) - min(before.values()),
        low=low,
        high=high,
        loss=loss,
        rate=rate,
        rate_performer=rate_performer,
        n=len(first),
        groups=tuple((name, before[name], after[name]) for name in before),
        confirmed=low > 0 and loss <= max_loss and abs(rate - rate_performer) <= APART,
    )


def _reason(told: Confirmation) -> str:
    if told.confirmed:
        return "confirmed"
    if told.low > 0 and abs(told.rate - told.rate_performer) > APART:
        return f"{NONE_FOUND}: it does not decide favourably about as many"
    return f"{NONE_FOUND}: the gain was not confirmed"


def _interval_of_gain(
    first: Mask, second: Mask, question: Question, seed: int
) -> tuple[float, float]:
    """The percentile interval of the gain in the smallest ratio, from pairs of decisions."""
    generator = np.random.default_rng(seed)
    drawn = {}
    for name in (*question.compared, question.reference):
        inside = question.groups == name
        cells = np.bincount(2 * first[inside] + second[inside], minlength=4)
        n = int(cells.sum())
        draws = generator.multinomial(n, cells / n, size=_DRAWS) / n
        drawn[name] = (draws[:, 2] + draws[:, 3], draws[:, 1] + draws[:, 3])
    reference = drawn.pop(question.reference)
    told = (reference[0] > 0) & (reference[1] > 0)
    smallest = [
        np.min([rates[place] / np.where(told, reference[place], 1) for rates in drawn.values()], 0)
        for place in (0, 1)
    ]
    # A draw with no favourable decision about the reference has no ratio: it counts as no gain.
    gains = np.where(told, smallest[1] - smallest[0], -1.0)
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(gains, [tail, 1 - tail])
    return float(low), float(high)


def area(truth: Mask, scores: Floats) -> float:
    """The area under the ROC curve by ranks (Mann and Whitney 1947); .5 where an outcome lacks."""
    from scipy.stats import rankdata

    good = int(np.count_nonzero(truth))
    bad = len(truth) - good
    if not (good and bad):
        return 0.5
    ranks = float(np.sum(rankdata(scores)[truth]))
    return (ranks - good * (good + 1) / 2) / (good * bad)
