"""Rows that were decided, for the examination of reasons: which decisions are unfavourable.

Of two decisions the declared side of the threshold is the unfavourable one; of more than two
classes every one but the favourable is. A model that decides nothing has no such rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from statistics import median_low
from typing import TYPE_CHECKING

from ordain.runtime.reasons.ranking import is_missing, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ordain.runtime.encoding import Input
    from ordain.runtime.reasons.ranking import Side, Subject
    from ordain.runtime.scoring import RowPlan

    Row = Mapping[str, object]

ANSWERED = 2_000
_CATEGORIES = {"category", "bool", "text"}


@dataclass(frozen=True, slots=True)
class Case:
    """A row, and what its reasons are about."""

    row: Row
    subject: Subject

    def margin(self, plan: RowPlan, row: Row) -> float:
        """How far a row in place of this one is towards what is explained."""
        return (self.subject.sign or 1) * plan.margins(plan.encode(row))[self.subject.output]


@dataclass(frozen=True, slots=True)
class Deciding:
    """Which decisions of a plan are unfavourable."""

    plan: RowPlan
    unfavourable: Side
    favourable: str | None

    @property
    def without(self) -> str:
        """Why no decision of this plan is unfavourable; empty where some are."""
        if self.plan.task != "classification":
            return f"a {self.plan.task} decides nothing that could be unfavourable"
        if self.plan.classes:
            known = self.favourable in self.plan.classes
            return "" if known else "it is not declared which class is the favourable one"
        return "" if self.plan.decision else "the Model declares no decision"

    def against(self, row: Row) -> bool:
        """Whether a row gets an unfavourable decision.

        Raises:
            RowError: the row does not fit the plan.
        """
        decided = self.plan.answer(row).decision
        if self.plan.classes:
            return decided != self.favourable
        decision = self.plan.decision
        return decision is not None and decided == getattr(decision, self.unfavourable)

    def case(self, row: Row) -> Case:
        """The row as a case."""
        decided = self.plan.answer(row).decision
        subject = subject_of(self.plan, decided, self.unfavourable, self.favourable)
        return Case(row, subject)

    def cases(self, rows: Sequence[Row], most: int, seed: int) -> list[Case]:
        """Some unfavourable rows, drawn with a seed; no more than `ANSWERED` rows are looked at."""
        found: list[Case] = []
        for row in drawn(rows, ANSWERED, seed):
            if self.against(row):
                found.append(self.case(row))
            if len(found) == most:
                break
        return found


def drawn(rows: Sequence[Row], most: int, seed: int) -> list[Row]:
    """Different rows, in a random order."""
    places = Random(seed).sample(range(len(rows)), min(most, len(rows)))  # noqa: S311 - nothing to guess
    return [rows[place] for place in places]


def usual_row(inputs: Iterable[Input], rows: Sequence[Row]) -> dict[str, object]:
    """The usual value of each input: the lower median, of a category the most frequent level.

    Where most rows have none, and the model takes that, the usual value is a missing one.
    """
    return {given.name: _usual(given, [row.get(given.name) for row in rows]) for given in inputs}


def _usual(given: Input, values: list[object]) -> object:
    present = [value for value in values if not is_missing(value)]
    if not present or (given.missing and 2 * len(present) < len(values)):
        return None
    if given.type in _CATEGORIES:
        return max(sorted(set(present), key=str), key=present.count)
    return median_low(present)  # type: ignore[type-var]  # Values of one column have an order.


def mean_of(rows: Sequence[Row], name: str) -> float | None:
    """The mean of a number over the rows that have one; None for what is no number."""
    values = [row.get(name) for row in rows]
    present = [value for value in values if not is_missing(value)]
    numbers = [value for value in present if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(present) or any(isinstance(one, bool) for one in numbers):
        return None
    return math.fsum(numbers) / len(numbers)
