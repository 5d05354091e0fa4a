"""Is there a model that is about as good and discriminates less?

Candidates are trained on one part of the rows, chosen on a second (`select`) and confirmed on a
third that nobody has looked at (`confirm`): whoever takes the best of many has also taken the
luckiest, and its gain is overstated on the rows that it was chosen by. What may be lost in
performance for a gain in fairness (`max_loss`) is declared before anything is measured.

Performance is the area under the ROC curve, fairness the smallest adverse impact ratio of any group
that is large enough. The candidate that performs best on `select` is the one that would have been
proposed; an alternative loses no more than the budget to it there and has a higher ratio. It is
confirmed where, on the other rows, the whole interval of its gain is above zero and its loss is
within the budget. Decisions of both are about the same people, so the interval is of the pairs: a
seeded bootstrap within each group of how many both, one or none decided favourably about (Efron
1979), which needs four counts of a group and no row.

`none found` is an answer and no failure: it is what a search can honestly say. That there is none
to be found it cannot say.

Refused: weights that trade performance against fairness in one number (nobody can say what the
number means), and cut-offs per group, which are disparate treatment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model: its number and family, and a probability for every row of the table.

    `scores`, of the shape (rows,), are probabilities of the favourable outcome.
    """

    number: int
    family: str
    scores: Floats


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate on the rows that it is chosen by; `best` if none is better in both."""

    number: int
    family: str
    performance: float
    ratio: float
    best: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The alternative beside the best performer, on rows that neither was chosen by.

    `gain` is the difference of their smallest ratios, with its interval; `loss` that of their
    performances. `groups` are (group, ratio of the best performer, ratio of the alternative).
    """

    gain: float
    low: float
    high: float
    loss: float
    n: int
    groups: tuple[tuple[str, float, float], ...]
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a search for a less discriminatory alternative has found.

    `chosen` is None where none was found; `reason` says why, or whether it was confirmed.
    """

    points: tuple[Point, ...]
    performer: int
    chosen: int | None
    confirmation: Confirmation | None
    max_loss: float
    reason: str

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
    """Who is compared with whom, by which decisions.

    Scores at or above `threshold` are favourable decisions. `groups` name the group of every row,
    `truth` tells whose favourable outcome came true. Groups with fewer rows than `min_cell` in a
    part, or with no favourable decision expected, say nothing there.
    """

    truth: Mask
    groups: Labels
    reference: str
    threshold: float
    min_cell: int = 30

    def decisions(self, candidate: Candidate, rows: Indices) -> Mask:
        """Who of these rows gets the favourable decision."""
        favourable: Mask = candidate.scores[rows] >= self.threshold
        return favourable

    def compared(self, rows: Indices) -> tuple[str, ...]:
        """The groups that are large enough among these rows, beside the reference."""
        names, counts = np.unique(self.groups[rows], return_counts=True)
        large = {str(name) for name, n in zip(names, counts, strict=True) if n >= self.min_cell}
        if self.reference not in large:
            return ()
        return tuple(sorted(large - {self.reference}))


def frontier(
    candidates: Sequence[Candidate],
    question: Question,
    select: Indices,
    confirm: Indices,
    *,
    max_loss: float,
    seed: int = 0,
) -> Frontier:
    """Performance and fairness of every candidate, and the less discriminatory one if there is one.

    `select` and `confirm` are places of rows; neither may share rows with the other, and no
    candidate may have learnt from them.

    Raises:
        DataError: when there is no candidate, a score is no number, the parts share rows, or no
            group is large enough to be compared.
    """
    _refuse_unusable(candidates, question, select, confirm)
    points = _best([_point(one, question, select) for one in candidates])
    by_number = {one.number: one for one in candidates}
    performer = min(points, key=lambda one: (-one.performance, -one.ratio, one.number))
    within = [
        one
        for one in points
        if performer.performance - one.performance <= max_loss and one.ratio > performer.ratio
    ]
    if not within:
        return Frontier(points, performer.number, None, None, max_loss, NONE_FOUND)
    chosen = min(within, key=lambda one: (-one.ratio, -one.performance, one.number))
    pair = (by_number[performer.number], by_number[chosen.number])
    found = _confirm(pair, question, confirm, max_loss, seed)
    said = "confirmed" if found.confirmed else f"{NONE_FOUND}: the gain was not confirmed"
    return Frontier(points, performer.number, chosen.number, found, max_loss, said)


def _refuse_unusable(
    candidates: Sequence[Candidate], question: Question, select: Indices, confirm: Indices
) -> None:
    problem = ""
    if not candidates:
        problem = "there is no candidate"
    elif len({one.number for one in candidates}) < len(candidates):
        problem = "two candidates have the same number"
    elif not all(np.isfinite(one.scores).all() for one in candidates):
        problem = "a candidate has scores that are no numbers"
    elif len(np.intersect1d(select, confirm)):
        problem = "rows to select by are rows to confirm by"
    elif not (question.compared(select) and question.compared(confirm)):
        problem = f"no group beside {question.reference} has {question.min_cell} rows in each part"
    if problem:
        message = f"less discriminatory alternatives: {problem}"
        remedy = "give trained candidates, and parts that share no row and hold every group"
        raise DataError(message, remedy=remedy)


def _point(candidate: Candidate, question: Question, rows: Indices) -> Point:
    ratios = _ratios(question.decisions(candidate, rows), question, rows)
    performance = area(question.truth[rows], candidate.scores[rows])
    return Point(candidate.number, candidate.family, performance, min(ratios.values()))


def _best(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, with those marked that no other one beats in both ways."""
    return tuple(
        Point(
            one.number,
            one.family,
            one.performance,
            one.ratio,
            best=not any(_beats(other, one) for other in points),
        )
        for one in points
    )


def _beats(other: Point, one: Point) -> bool:
    as_good = other.performance >= one.performance and other.ratio >= one.ratio
    return as_good and (other.performance, other.ratio) != (one.performance, one.ratio)


def _ratios(favourable: Mask, question: Question, rows: Indices) -> dict[str, float]:
    """The ratio of each group; whoever approves nobody of the reference treats nobody worse."""
    labels = question.groups[rows]
    rates = {
        name: float(np.mean(favourable[labels == name]))
        for name in (*question.compared(rows), question.reference)
    }
    reference = rates.pop(question.reference)
    return {name: rate / reference if reference else 1.0 for name, rate in rates.items()}


def _confirm(
    pair: tuple[Candidate, Candidate],
    question: Question,
    rows: Indices,
    max_loss: float,
    seed: int,
) -> Confirmation:
    first, second = (question.decisions(one, rows) for one in pair)
    before, after = (_ratios(one, question, rows) for one in (first, second))
    gain = min(after.values()) - min(before.values())
    low, high = _interval_of_gain(first, second, question, rows, seed)
    truth = question.truth[rows]
    loss = area(truth, pair[0].scores[rows]) - area(truth, pair[1].scores[rows])
    return Confirmation(
        gain=gain,
        low=low,
        high=high,
        loss=loss,
        n=len(rows),
        groups=tuple((name, before[name], after[name]) for name in before),
        confirmed=low > 0 and loss <= max_loss,
    )


def _interval_of_gain(
    first: Mask, second: Mask, question: Question, rows: Indices, seed: int
) -> tuple[float, float]:
    """The percentile interval of the gain in the smallest ratio, from pairs of decisions."""
    generator = np.random.default_rng(seed)
    labels, drawn = question.groups[rows], {}
    for name in (*question.compared(rows), question.reference):
        inside = labels == name
        cells = np.bincount(2 * first[inside] + second[inside], minlength=4)
        n = int(cells.sum())
        draws = generator.multinomial(n, cells / n, size=_DRAWS) / n
        drawn[name] = (draws[:, 2] + draws[:, 3], draws[:, 1] + draws[:, 3])
    reference = drawn.pop(question.reference)
    smallest = [
        np.min([_divided(rates[place], reference[place]) for rates in drawn.values()], axis=0)
        for place in (0, 1)
    ]
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(smallest[1] - smallest[0], [tail, 1 - tail])
    return float(low), float(high)


def _divided(rates: Floats, reference: Floats) -> Floats:
    found: Floats = np.where(reference > 0, rates / np.where(reference > 0, reference, 1), 1.0)
    return found


def area(truth: Mask, scores: Floats) -> float:
    """The area under the ROC curve by ranks (Mann and Whitney 1947); .5 where an outcome lacks."""
    from scipy.stats import rankdata

    good = int(np.count_nonzero(truth))
    bad = len(truth) - good
    if not (good and bad):
        return 0.5
    ranks = float(np.sum(rankdata(scores)[truth]))
    return (ranks - good * (good + 1) / 2) / (good * bad)
