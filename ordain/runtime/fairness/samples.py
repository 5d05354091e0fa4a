"""The rows of one group and of its reference, and what was decided about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.fairness.rates import Stratum
from ordain.specs.chance import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.str_]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about rows; every array is of the shape (rows,).

    `favourable` tells who gets the decision that is good for the person, `truth` for whom the good
    outcome came true (None without labels), and `seen` whose outcome is known (None for all);
    `truth` says nothing about the others. `scores` are probabilities of the favourable outcome,
    None for models that give none.
    """

    favourable: Mask
    truth: Mask | None = None
    scores: Floats | None = None
    seen: Mask | None = None

    def labelled(self) -> Mask:
        """The rows whose outcome is known."""
        if self.truth is None:
            return np.zeros(len(self.favourable), dtype=bool)
        return np.ones(len(self.truth), dtype=bool) if self.seen is None else self.seen


@dataclass(frozen=True, slots=True)
class Sample:
    """A group (`ours`) and its reference among decided rows; `strata` name the stratum of each."""

    decided: Decided
    ours: Mask
    reference: Mask
    strata: Labels = field(default_factory=lambda: np.empty(0, dtype=np.str_))

    def counts(self, counted: Mask, among: Mask | None = None) -> tuple[Counts, Counts]:
        """Counted cases of both groups, of all their rows or of those among some."""
        ours, reference = (
            group if among is None else group & among for group in (self.ours, self.reference)
        )
        return _counts(counted, ours), _counts(counted, reference)

    def by_stratum(self) -> Iterator[Stratum]:
        """Favourable decisions inside of each stratum that both groups are in."""
        for name in np.unique(self.strata):
            ours, reference = self.counts(self.decided.favourable, self.strata == name)
            if ours.n and reference.n:
                yield Stratum(ours, reference)


def _counts(counted: Mask, group: Mask) -> Counts:
    return Counts(int(np.count_nonzero(counted & group)), int(np.count_nonzero(group)))
