"""One training job from order to outcome: the steps of this package in their order.

The same function runs in a process of its own (`python -m ordain.runtime.training`), in a
Kubernetes Job and in a test. It writes blobs into the store and nothing else; a job that fails has
written nothing that anybody refers to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.environment import check_environment, check_estimator, read_lock
from ordain.runtime.training.evidencing import evidence_of
from ordain.runtime.training.fitting import train
from ordain.runtime.training.inputs import read_inputs
from ordain.runtime.training.members import background_rows, importance_of, members_of
from ordain.runtime.training.order import Outcome, check_recipe
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.pipeline import refuse_undone

if TYPE_CHECKING:
    from ordain.runtime.training.order import Job


class Progress(Protocol):
    """Told the name of each stage as it begins, and how much of the work lies behind."""

    def __call__(self, stage: str, fraction: float) -> None: ...


def run_job(job: Job, progress: Progress) -> Outcome:
    """Train what is ordered, keep the artifact in the store, and say what it is worth.

    Raises:
        RunError: for everything that can be mended: environment, data, declaration, store.
    """
    check_recipe(job)
    lock = read_lock(job.environment.encode())
    check_environment(lock)
    training = refuse_undone(job.spec)
    check_estimator(lock, training.estimator)
    progress("reading", 0.0)
    with threadpool_limits(limits=training.threads), pinned_rows(job) as table:
        data = read_inputs(job, table)
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
    return Outcome(artifact.digest, replace(evidence, artifact=artifact.digest))
