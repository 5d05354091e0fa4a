"""One training job from order to outcome: the steps of this package in their order.

The same function runs in a process of its own (`python -m ordain.runtime.training`), in a
Kubernetes Job and in a test. It writes blobs into the store and nothing else; a job that fails has
written nothing that anybody refers to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.environment import check_environment, check_estimator, read_lock
from ordain.runtime.training.evidencing import evidence_of
from ordain.runtime.training.fitting import train
from ordain.runtime.training.inputs import read_inputs, reframed
from ordain.runtime.training.members import background_rows, importance_of, members_of
from ordain.runtime.training.order import Outcome, check_recipe
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.pipeline import refuse_undone
from ordain.runtime.training.search.trials import untold
from ordain.specs.parity import plan_limit
from ordain.specs.tasks import CLUSTERING, estimators_named

if TYPE_CHECKING:
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job
    from ordain.runtime.training.search.searching import Keep

SEARCHED: Final = 0.8  # The share of the work that a search is.


class Progress(Protocol):
    """Told the name of each stage as it begins, and how much of the work lies behind."""

    def __call__(self, stage: str, fraction: float) -> None: ...


def run_job(job: Job, progress: Progress, keep: Keep = untold) -> Outcome:
    """Train what is ordered, keep the artifact in the store, and say what it is worth.

    `keep` gets the trials of a search as they end.

    Raises:
        RunError: for everything that can be mended: environment, data, declaration, store.
    """
    check_recipe(job)
    lock = read_lock(job.environment.encode())
    check_environment(lock)
    training = refuse_undone(job.spec)
    for name in sorted(estimators_named([job.spec])):
        check_estimator(lock, name)
    progress("reading", 0.0)
    with threadpool_limits(limits=training.threads), pinned_rows(job) as table:
        data = read_inputs(job, table)
        facts: dict[str, Any] = {}
        if training.automl is not None:
            job, data, facts = _searched(job, data, progress, keep)
            progress = _later(progress)
        progress("fitting", 0.2)
        trained = train(job, data)
        progress("explaining", 0.5)
        background = background_rows(job, data, trained.plan)
        importance = importance_of(job, data, trained.plan, background)
        progress("evaluating", 0.7)
        members = members_of(job, data, trained, background)
        evidence = evidence_of(job, data, trained, importance)
        progress("saving", 0.9)
        store = ArtifactStore(job.store)
        artifact = save_artifact(store, job.model, job.recipe.digest, members)
    progress("done", 1.0)
    return Outcome(artifact.digest, replace(evidence, artifact=artifact.digest, search=facts))


def _searched(
    job: Job, data: Data, progress: Progress, keep: Keep
) -> tuple[Job, Data, dict[str, Any]]:
    """The order of the trial that was chosen, its data, and what the evidence says of the search.

    The recipe stays that of the search: what was ordered is the search and not the trial. So does
    the limit of parity, which the gate knows from the declared Model alone.
    """
    from ordain.runtime.training.search.clusters import search_clusters
    from ordain.runtime.training.search.searching import search

    find = search_clusters if job.spec.task == CLUSTERING else search
    found = find(job, data, lambda stage, share: progress(stage, SEARCHED * share), keep)
    parity = replace(job.spec.acceptance.parity, plan=plan_limit(job.spec))
    acceptance = replace(job.spec.acceptance, parity=parity)
    chosen = replace(job, spec=replace(found.spec, acceptance=acceptance))
    return chosen, reframed(chosen, data), found.facts


def _later(progress: Progress) -> Progress:
    """What comes after a search is the smaller part of the work."""

    def tell(stage: str, fraction: float) -> None:
        progress(stage, SEARCHED + (1.0 - SEARCHED) * fraction)

    return tell
