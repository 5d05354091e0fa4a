"""A search for clusters, to which "there are none" is an answer.

Every index of a clustering finds clusters in noise. Two questions do not: are the same clusters
found again in rows that are drawn anew (adjusted Rand index of Hubert and Arabie 1985 between the
clusters and those of bootstraps, after Ben-Hur et al. 2002), and is the silhouette greater than in
rows that were made by shuffling each feature on its own, which keeps every distribution and takes
away what features have in common (a permutation test)? Of what passes both, the greatest silhouette
is chosen. If nothing does, the run ends with an error that is its result, and the table of what was
tried stands beside it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ordain.runtime.errors import NoStableClusters, RunError, SearchAborted
from ordain.runtime.training.judging import refitted
from ordain.runtime.training.metrics_clusters import bootstraps
from ordain.runtime.training.pipeline import fit
from ordain.runtime.training.search.searching import Searched
from ordain.runtime.training.search.spaces import spec_of
from ordain.runtime.training.search.telling import TOLD
from ordain.runtime.training.search.trials import Trial, untold
from ordain.specs.durations import parse_duration
from ordain.specs.searches import FAMILIES, K_MAX, automl_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.features import Floats, Indices
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.job import Progress
    from ordain.runtime.training.order import Job
    from ordain.runtime.training.pipeline import Fitted
    from ordain.runtime.training.search.searching import Clock, Keep
    from ordain.specs.kinds.model import AutoML

STABLE: Final = 0.8
LEVEL: Final = 0.01
SHUFFLES: Final = 199
ROWS: Final = 1_000  # That a silhouette, and each of its shuffles, is measured on.
_COUNTS: Final = {"kmeans": "n_clusters", "gaussian_mixture": "n_components"}


def search_clusters(
    job: Job,
    data: Data,
    progress: Progress,
    keep: Keep = untold,
    clock: Clock = time.monotonic,
) -> Searched:
    """Search for clusters in the training part.

    Raises:
        NoStableClusters: when there are none that hold.
        SearchAborted: when it takes longer than it may.
    """
    automl = automl_of(job.spec)
    limit = automl.budget.abort_after
    end = clock() + parse_duration(limit).total_seconds() if limit else float("inf")
    tried = list(_grid(automl))
    trials: list[Trial] = []
    fitted: dict[int, Fitted] = {}
    for number, (family, count) in enumerate(tried, 1):
        progress("searching", (number - 1) / len(tried))
        if clock() > end:
            message = (
                f"training.automl: abortAfter ({limit}) was over when {len(trials)} of "
                f"{len(tried)} trials were done"
            )
            remedy = "raise abortAfter, or lower kMax"
            raise SearchAborted(message, remedy=remedy)
        trials.append(_tried(job, data, number, family, count, fitted))
        keep(trials)
    chosen = _chosen(job, data, trials, fitted)
    keep(trials)
    if chosen is None:
        raise _none(trials)
    return Searched(
        spec_of(job.spec, chosen.changes), _told(trials, chosen, tried, automl), tuple(trials)
    )


def _grid(automl: AutoML) -> Iterator[tuple[str, int]]:
    """Few clusters first, and no more trials than the budget has."""
    families = [name for name in FAMILIES["clustering"] if name in set(automl.families)]
    most = K_MAX if automl.k_max is None else automl.k_max
    pairs = [(family, count) for count in range(2, most + 1) for family in families]
    yield from pairs[: automl.budget.trials]


def _tried(
    job: Job, data: Data, number: int, family: str, count: int, fitted: dict[int, Fitted]
) -> Trial:
    """Fit once, and again to bootstraps; `scores` are stability and silhouette."""
    start = time.process_time()
    changes: dict[str, Any] = {
        "training": {"estimator": family, "parameters": {_COUNTS[family]: count}}
    }
    trial = Trial(number=number, family=family, changes=changes, state="failed")
    try:
        found = fit(spec_of(job.spec, changes), data.frame, data.parts.train, data.outcomes)
        points = _encoded(found, data.frame.matrix[data.parts.train])
        stability, error = _stability(found, points, job.recipe.seed)
        sample = points[_sampled(len(points), job.recipe.seed)]
        score = _silhouette(sample, found.estimator.predict(sample))
    except (RunError, ValueError, ArithmeticError) as broken:
        why = broken.message if isinstance(broken, RunError) else str(broken).partition("\n")[0]
        return replace(trial, why=why, seconds=_since(start))
    fitted[number] = found
    why = "" if stability >= STABLE else f"stability {stability:.2f} is below {STABLE}"
    return replace(
        trial,
        state="stopped" if why else "done",
        scores=(stability, score),
        mean=stability,
        error=error,
        why=why,
        seconds=_since(start),
    )


def _since(start: float) -> float:
    return round(time.process_time() - start, 3)


def _encoded(fitted: Fitted, matrix: Floats) -> Floats:
    return np.asarray(fitted.columns.transform(matrix), dtype=np.float64)


def _sampled(rows: int, seed: int) -> Indices:
    if rows <= ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, size=ROWS, replace=False))


def _stability(fitted: Fitted, points: Floats, seed: int) -> tuple[float, float]:
    """The mean agreement of bootstraps with the clusters, and its standard error."""
    from sklearn.metrics import adjusted_rand_score

    judged = points[_sampled(len(points), seed)]
    own = fitted.estimator.predict(judged)
    found = [
        adjusted_rand_score(own, refitted(fitted, points[rows], judged))
        for rows in bootstraps(np.arange(len(points)), seed)
    ]
    return float(np.mean(found)), float(np.std(found, ddof=1)) / float(np.sqrt(len(found)))


def _silhouette(points: Floats, chosen: Indices) -> float:
    from sklearn.metrics import silhouette_score

    if len(np.unique(chosen)) < 2:  # noqa: PLR2004 - one cluster is as near as any other
        return -1.0
    return float(silhouette_score(points, chosen))


def _chosen(job: Job, data: Data, trials: list[Trial], fitted: dict[int, Fitted]) -> Trial | None:
    """The stable trial of the greatest silhouette that shuffled rows do not reach.

    The level is not corrected for the number of trials: 199 shuffles show no p-value below .005,
    which is not enough for more than one of them, and ten times as many would cost more than the
    search. Rows without clusters pass at most once in (100 / stable trials) searches, and have to
    be stable before.
    """
    stable = [one for one in trials if one.state == "done"]
    for trial in sorted(stable, key=lambda one: (-one.scores[1], one.number)):
        start = time.process_time()
        share = _chance(fitted[trial.number], data, job.recipe.seed)
        known = trials.index(trial)
        passed = share < LEVEL
        told = replace(
            trial,
            state="done" if passed else "stopped",
            why=f"shuffled rows reach its silhouette with p = {share:.3g}",
            seconds=round(trial.seconds + time.process_time() - start, 3),
        )
        trials[known] = told
        if passed:
            return told
    return None


def _chance(fitted: Fitted, data: Data, seed: int) -> float:
    """The p-value of the silhouette: how often rows with shuffled features reach it.

    Each feature is shuffled before it is encoded, so that levels stay levels, and the same
    estimator is fitted to the shuffled rows.
    """
    train = data.parts.train
    matrix = data.frame.matrix[train[_sampled(len(train), seed)]]
    observed = _refit(fitted, matrix)
    generator = np.random.default_rng(seed)
    reached = sum(
        _refit(fitted, generator.permuted(matrix, axis=0)) >= observed for _ in range(SHUFFLES)
    )
    return (1 + reached) / (1 + SHUFFLES)


def _refit(fitted: Fitted, matrix: Floats) -> float:
    points = _encoded(fitted, matrix)
    return _silhouette(points, refitted(fitted, points, points))


def _none(trials: list[Trial]) -> NoStableClusters:
    judged = [one for one in trials if one.mean is not None]
    best = max((one.mean or 0.0 for one in judged), default=0.0)
    message = (
        f"no stable clusters: of {len(trials)} trials none holds; the greatest stability is "
        f"{best:.2f}, and {STABLE} is needed with a silhouette that shuffled rows do not reach"
    )
    remedy = "see what was tried with `ordain runs show`; other features may have clusters"
    return NoStableClusters(message, remedy=remedy)


def _told(
    trials: list[Trial], chosen: Trial, tried: list[tuple[str, int]], automl: AutoML
) -> dict[str, Any]:
    states = [one.state for one in trials]
    most = K_MAX if automl.k_max is None else automl.k_max
    whole = (most - 1) * len(set(automl.families))
    notes = (
        [f"The budget ends at {tried[-1][1]} clusters; kMax is {most}."]
        if len(tried) < whole
        else []
    )
    return {
        "metric": "stability",
        "trials": {state: states.count(state) for state in ("done", "stopped", "failed")},
        "chosen": {
            "number": chosen.number,
            "family": chosen.family,
            "estimator": chosen.family,
            **chosen.changes,
            "mean": chosen.mean,
            "error": chosen.error,
            "silhouette": chosen.scores[1],
            "chance": chosen.why,
        },
        "candidates": [
            [one.number, one.family, one.mean, one.error] for one in trials if one.mean is not None
        ][:TOLD],
        "notes": notes,
    }
