"""Whether the outcomes of the newest rows look as final as those of the older ones.

`matureAfter` is somebody's belief. The rows tell whether it is long enough: where only cases that
are over are in the table, the newest of them are those that went wrong early, and the share of
positive outcomes climbs towards the end; where a case counts as good until it has gone wrong, the
share falls. Both also happen when the world changes, which is why a falling share, or a climbing
one where nobody has declared a delay, is told and does not stop the training.

    bins    the rows before the newest quarter are one bin with the score 0; the newest quarter is
            cut into five by time, with the scores 1 to 5. Rows of one instant stay together.
    trend   Cochran 1954, Armitage 1955: with n rows, x positive ones and a share p of them over all
            bins, z = sum x (s - m) / sqrt(p (1 - p) sum n (s - m)^2), m the mean score over rows
    size    odds ratio of the newest quarter against the rest, 0.5 added to each count

A trend counts when it is one-sided significant at 0.001 and the odds ratio is at least 1.25 or at
most its inverse: with a million rows any wave of the economy is significant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.datasets.labels import row_times, untold_time
from ordain.runtime.errors import MaturityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.datasets.labels import Labels
    from ordain.specs.kinds.dataset import Dataset

    Numbers = NDArray[np.int64]

BINS = 5
NEWEST = 0.75  # The quantile of time at which the newest quarter begins.
SIGNIFICANT = 3.090  # The normal quantile of 0.999.
ODDS = 1.25


@dataclass(frozen=True, slots=True)
class Trend:
    """The share of positive outcomes before and in the newest quarter, and the statistic."""

    before: float
    newest: float
    odds: float
    z: float

    @property
    def climbs(self) -> bool:
        return self.z >= SIGNIFICANT and self.odds >= ODDS

    @property
    def falls(self) -> bool:
        return self.z <= -SIGNIFICANT and self.odds <= 1 / ODDS

    @property
    def shares(self) -> str:
        """From where to where, in words."""
        return f"from {self.before:.1%} to {self.newest:.1%} in the newest quarter of the rows"


def check_trend(dataset: Dataset, table: Any, positive: Numbers, labels: Labels) -> str:  # noqa: ANN401
    """What has to be said of the trend, or an empty text.

    `positive` is 0 or 1 for each row; of other outcomes nothing is said.

    Raises:
        MaturityError: when the share climbs although outcomes are declared as delayed.
    """
    target = dataset.target
    if target is None or dataset.time is None:
        return ""
    if not np.isin(positive[labels.known], (0, 1)).all():
        return ""
    if untold := untold_time(dataset, table):
        return f"Whether outcomes have a trend was not looked at: {untold[0]}."
    times = row_times(dataset, table)[labels.known]
    trend = trend_of(times, positive[labels.known])
    if trend is None or not (trend.climbs or trend.falls):
        return ""
    moved = f"the share of positive outcomes {'climbs' if trend.climbs else 'falls'} {trend.shares}"
    if target.mature_after is None:
        return f"{moved[0].upper()}{moved[1:]}, and no delay of outcomes is declared."
    if trend.climbs:
        message = (
            f"target {target.column}: {moved} (z = {trend.z:.1f}), so outcomes are not final "
            f"after {target.mature_after}"
        )
        raise MaturityError(
            message, remedy="raise target.matureAfter, or leave the newest rows out"
        )
    return f"{moved[0].upper()}{moved[1:]}: outcomes may not be final after {target.mature_after}."


def trend_of(times: Numbers, positive: Numbers) -> Trend | None:
    """The trend over rows in any order; None where all rows, or no two of them, are new."""
    begin = np.quantile(times, NEWEST, method="higher") if len(times) else 0
    newest = times >= begin
    if newest.all() or not newest.any():
        return None
    scores = np.zeros(len(times))
    inside = np.quantile(times[newest], np.arange(1, BINS) / BINS, method="higher")
    scores[newest] = 1 + np.searchsorted(np.unique(inside), times[newest], side="right")
    counts = [int(positive[part].sum()) for part in (~newest, newest)]
    sizes = [int(part.sum()) for part in (~newest, newest)]
    old, new = (
        (count + 0.5) / (size - count + 0.5) for count, size in zip(counts, sizes, strict=True)
    )
    shares = [count / size for count, size in zip(counts, sizes, strict=True)]
    return Trend(shares[0], shares[1], new / old, armitage(scores, positive))


def armitage(scores: NDArray[np.float64], positive: Numbers) -> float:
    """The statistic of Cochran and Armitage; 0 where all outcomes are equal."""
    share, centred = float(np.mean(positive)), scores - np.mean(scores)
    variance = share * (1 - share) * float(np.sum(centred**2))
    return float(np.sum(positive * centred)) / variance**0.5 if variance > 0 else 0.0
