"""Metrics of a clustering: there is no right answer, so they ask how well the clusters hold.

    silhouette      mean over rows of (b - a) / max(a, b), with a the mean distance to the own
                    cluster and b that to the nearest other one (Rousseeuw 1987); normal interval
                    from the standard error over rows
    davies_bouldin  mean over clusters of the worst (s_i + s_j) / d_ij, with s the mean distance to
                    the centre and d that between centres (Davies and Bouldin 1979); seeded
                    percentile bootstrap over rows
    stability       mean adjusted Rand index (Hubert and Arabie 1985) between the clusters and those
                    of models that were fitted to bootstraps of the training rows, on the rows of
                    the part; normal interval over the models (after Ben-Hur et al. 2002)

The first two look at distances between all rows and are measured on at most 2,000, drawn with the
seed. Every index of this kind finds clusters in noise too; stability is the one that does not. A
test against rows whose columns were shuffled belongs beside it and is not made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.training.intervals import Estimate, bootstrapped, mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

ROWS = 2_000
REFITS = 20
REFIT_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class ClusterSample:
    """What was judged: encoded rows, (rows, columns), and the cluster of each.

    `others` are the clusters that models fitted to bootstraps give the same rows.
    """

    points: Floats
    chosen: Indices
    others: tuple[Indices, ...]
    seed: int

    @property
    def n(self) -> int:
        return len(self.points)

    def measured(self, name: str) -> int:
        """Of how many rows a metric is, or, for a stability, of how many refits."""
        return len(self.others) if name == "stability" else min(self.n, ROWS)

    def drawn(self) -> tuple[Floats, Indices]:
        """At most `ROWS` of the rows, and their clusters."""
        if self.n <= ROWS:
            return self.points, self.chosen
        generator = np.random.default_rng(self.seed)
        rows = np.sort(generator.choice(self.n, size=ROWS, replace=False))
        return self.points[rows], self.chosen[rows]


def estimate(name: str, sample: ClusterSample, confidence: float) -> Estimate:
    """One metric with its interval at this confidence.

    Raises:
        KeyError: for a name of no metric of a clustering.
    """
    from sklearn.metrics import adjusted_rand_score, silhouette_samples

    match name:
        case "silhouette":
            return mean_interval(silhouette_samples(*sample.drawn()), confidence)
        case "davies_bouldin":
            points, chosen = sample.drawn()
            measure = _davies_bouldin(points, chosen)
            return bootstrapped(measure, len(points), sample.seed, confidence)
        case "stability":
            found = [adjusted_rand_score(sample.chosen, other) for other in sample.others]
            return mean_interval(np.array(found), confidence)
        case _:
            raise KeyError(name)


def _davies_bouldin(points: Floats, chosen: Indices) -> Callable[[Indices], float]:
    """The index of these rows, given how often each of them counts.

    scikit-learn has it without counts; over bootstraps that would mean to copy all rows each time.
    """
    members = [np.flatnonzero(chosen == place) for place in np.unique(chosen)]

    def measure(drawn: Indices) -> float:
        present = [rows for rows in members if drawn[rows].any()]
        if len(present) == 1:
            return float("nan")
        centres = np.array(
            [np.average(points[rows], axis=0, weights=drawn[rows]) for rows in present]
        )
        spreads = np.array(
            [
                np.average(np.linalg.norm(points[rows] - centre, axis=1), weights=drawn[rows])
                for rows, centre in zip(present, centres, strict=True)
            ]
        )
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
        apart[apart == 0] = (
            np.inf
        )  # A centre and itself, or two in one place, as scikit-learn does.
        return float(np.mean(np.max((spreads[:, None] + spreads[None]) / apart, axis=1)))

    return measure


def bootstraps(train: Indices, seed: int) -> Iterator[Indices]:
    """Rows of the training part, drawn with replacement, at most `REFIT_ROWS` for each refit."""
    generator = np.random.default_rng(seed)
    for _ in range(REFITS):
        yield np.sort(generator.choice(train, size=min(len(train), REFIT_ROWS), replace=True))
