"""Training without rights: what a work tree declares, tried out before anybody has approved it.

An unsigned preview is made by the same order and the same process as a version, from documents and
data that nobody has committed yet, with no key and in no role. It must never become one. Therefore
its artifacts go to a store of their own (`Home.previews`), where neither the reconciler nor a
server of the estate looks for anything; nothing is written to the state store, the ledger or git.
The reconciler trains the recipe again when it is merged, and gets the same bytes.

Keeping previews in the estate's store was refused. It would save a second training, and whoever
may run a command on that machine could then put bytes where the loop takes them from.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ordain
from ordain.compilers.serving import champion
from ordain.policies.acceptance import Case, accept
from ordain.reconciler.attempts import read_run
from ordain.reconciler.errors import DriverFailed, Untrainable
from ordain.reconciler.jobs import carry_out, is_done, system_errors
from ordain.reconciler.lending import lend_artifact
from ordain.reconciler.orders import Ground, order_job
from ordain.reconciler.runs import Run, runs_in
from ordain.reconciler.sweeping import keeping_blobs
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.errors import Cancelled
from ordain.specs.canonical import sha256
from ordain.specs.errors import FindingsError
from ordain.specs.estates import load_estate
from ordain.specs.findings import blocking
from ordain.specs.recipes import recipe_of
from ordain.specs.spelling import did_you_mean
from ordain.specs.trees import WorkTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.home import Home
    from ordain.reconciler.jobs import Job
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.evidence import Evidence
    from ordain.specs.findings import Finding
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Workshop:
    """A work tree whose documents pass their schema, and the home that previews are kept in."""

    home: Home
    root: Path
    files: Mapping[str, bytes]
    estate: LoadedEstate


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model and the recipe it would be trained by; `pinned` is false for data as they are now."""

    document: Document
    dataset: Document
    recipe: Recipe
    pinned: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What was trained, what was measured, and what the gate would find in that.

    `worked` is false where an equal recipe had been trained before.
    """

    candidate: Candidate
    run: Run
    artifact: str
    evidence: Evidence
    findings: tuple[Finding, ...]
    worked: bool

    @property
    def accepted(self) -> bool:
        """Whether the evidence meets what the model declares."""
        return not blocking(self.findings)


def open_workshop(home: Home, root: Path) -> Workshop:
    """The estate that the work tree declares now, committed or not.

    Raises:
        FindingsError: its documents do not pass their schema.
    """
    files = WorkTree(root)
    estate = load_estate(files)
    if blocking(estate.findings):
        message = "the documents must pass their schema before anything is trained"
        raise FindingsError(message, estate.findings, remedy="mend what is listed above")
    return Workshop(home, root, files, estate)


def chosen_models(estate: LoadedEstate, names: Sequence[str]) -> tuple[Document, ...]:
    """The named models, or all that are trained here.

    Raises:
        Untrainable: there is no such model, or it is trained elsewhere.
    """
    known = {document.name: document for document in estate.all("Model")}
    if not names:
        found = tuple(one for one in known.values() if one.spec.training is not None)
        if not found:
            raise Untrainable("no Model of this estate has `training`", remedy="declare one")
        return found
    for name in names:
        if name not in known:
            remedy = did_you_mean(name, known) or f"one of: {', '.join(known) or 'none'}"
            raise Untrainable(f"there is no Model {name!r}", remedy=remedy)
        if known[name].spec.training is None:
            message = f"Model {name} has no `training`: it was not made here"
            raise Untrainable(message, remedy="name a model that is trained here")
    return tuple(known[name] for name in dict.fromkeys(names))


@contextmanager
def cancellable(model: str, work: str = "training", command: str = "train") -> Iterator[None]:
    """Whoever stops a preview is told so, at whatever it was.

    Raises:
        Cancelled: somebody stopped it.
    """
    try:
        yield
    except KeyboardInterrupt:
        remedy = f"nothing of it is kept; run it again: ordain {command} {model}"
        raise Cancelled(f"{work} of {model} was cancelled", remedy=remedy) from None


def candidate_of(workshop: Workshop, document: Document) -> Candidate:
    """What training the model now would be; data that nobody has pinned are read for it.

    Raises:
        Untrainable: the model names no dataset.
        DataError: the data cannot be read.
        Cancelled: somebody stopped it while they were read.
    """
    from ordain.runtime.datasets.reading import digest_of

    estate = workshop.estate
    dataset = estate.get("Dataset", document.spec.dataset) if document.spec.dataset else None
    if dataset is None:
        message = f"Model {document.name} names no dataset"
        raise Untrainable(message, remedy="set spec.dataset")
    data = dataset.spec
    if data.digest is None:
        with cancellable(document.name):
            data = replace(data, digest=digest_of(data, workshop.root, dataset.name))
    (settings,) = estate.all("Estate")
    lock = workshop.files.get(settings.spec.environment_lock, b"")
    recipe = recipe_of(document.name, document.spec, data, sha256(lock))
    if recipe is None:
        raise Untrainable(f"Model {document.name} has no recipe", remedy="set spec.training")
    return Candidate(document, dataset, recipe, pinned=dataset.spec.digest is not None)


def rows_told(workshop: Workshop, candidate: Candidate) -> str:
    """Which rows a preview is made of, to be asked before it is made.

    Whoever has changed a source and not pinned it again would otherwise believe that the change was
    learnt from.

    Raises:
        SnapshotError: what leads to a snapshot cannot be read.
    """
    from ordain.runtime.datasets.snapshots import Snapshots

    place = candidate.dataset.spec.source.place
    if not candidate.pinned:
        return f"{place} as it is now; nobody has pinned it"
    stores = (workshop.home.preview_artifacts, workshop.home.artifacts)
    if any(Snapshots(ArtifactStore(store)).get(candidate.recipe.data) for store in stores):
        return f"the pinned snapshot; {place} was not read"
    return f"the pinned rows, taken from {place}"


def train_preview(
    workshop: Workshop,
    candidate: Candidate,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
    *,
    again: bool = False,
) -> Preview:
    """Train, or take what an equal recipe has made and was compared with the same version.

    Raises:
        DriverFailed: the job failed, with the code of its error, or ended without a result.
        Cancelled: somebody stopped it.
    """
    home, name = workshop.home, candidate.document.name
    directory = home.preview(candidate.recipe.digest)
    with cancellable(name), system_errors(home.previews), keeping_blobs(home):
        job = _order(workshop, candidate, directory, clock())

        def stands(directory: Path) -> bool:
            return not again and _stands(home, directory, job.order.champion)

        carried = carry_out(directory, job, clock, progress, preview=True, stands=stands)
    run = next(runs_in(directory))
    if carried.outcome.fate == "broken":
        said = run.error or {}
        code = said.get("code", DriverFailed.code)
        raise DriverFailed(carried.outcome.summary, remedy=carried.outcome.remedy, code=code)
    return _preview(workshop, candidate, run, carried.outcome.evidence, worked=carried.worked)


def standing_preview(workshop: Workshop, candidate: Candidate) -> Preview | None:
    """The preview of what the work tree declares now, if it was trained."""
    directory = workshop.home.preview(candidate.recipe.digest)
    running = _lent(workshop.home, champion(workshop.estate, candidate.document.name))
    run = next(runs_in(directory), None)
    if run is None or run.evidence is None or not _stands(workshop.home, directory, running):
        return None
    return _preview(workshop, candidate, run, run.evidence, worked=False)


def _order(workshop: Workshop, candidate: Candidate, directory: Path, now: datetime) -> Job:
    home = workshop.home
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    running = _lent(home, champion(workshop.estate, candidate.document.name))
    _rows(workshop, candidate, directory, now)
    ground = Ground(workshop.estate, workshop.files, home.preview_artifacts)
    return order_job(ground, candidate.recipe, champion=running)


def _rows(workshop: Workshop, candidate: Candidate, directory: Path, now: datetime) -> None:
    data = replace(candidate.dataset.spec, digest=candidate.recipe.data)
    have_rows(workshop, candidate.dataset.name, data, directory, now)


def have_rows(workshop: Workshop, name: str, data: Dataset, directory: Path, now: datetime) -> None:
    """Have the rows of a digest where a preview may read them: from the estate's store, or from
    their source.

    Raises:
        SnapshotError: neither has them.
        DataError: the source gives other rows than the pinned ones.
    """
    from ordain.reconciler.pinned_data import Readable, ensure_snapshot
    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.runtime.datasets.taking import Taker

    home = workshop.home
    previews = Snapshots(ArtifactStore(home.preview_artifacts))
    if data.digest is not None and previews.get(data.digest) is None:
        Snapshots(ArtifactStore(home.artifacts)).lend(data.digest, previews)
    place = Readable({}, workshop.root, directory / "data")
    ensure_snapshot(
        name,
        data,
        place,
        home.preview_artifacts,
        taker=Taker("preview", now, ordain.__version__),
        tell=lambda _line: None,
    )


def _stands(home: Home, directory: Path, running: str | None) -> bool:
    """Whether a result is there, was compared with that version, and still has its artifact."""
    begun = read_run(directory)
    if begun is None or not is_done(directory) or begun.champion != running:
        return False
    run = next(runs_in(directory))
    made = run.result
    return made is not None and ArtifactStore(home.preview_artifacts).has(made["artifact"])


def _preview(
    workshop: Workshop, candidate: Candidate, run: Run, evidence: Evidence, *, worked: bool
) -> Preview:
    document = candidate.document
    case = Case(
        name=document.name,
        model=document.spec,
        dataset=candidate.dataset.spec,
        evidence=evidence,
        champion=champion(workshop.estate, document.name) is not None,
        location=document.location,
        declared=document.marks,
    )
    return Preview(candidate, run, evidence.artifact, evidence, tuple(accept(case)), worked)


def _lent(home: Home, artifact: str | None) -> str | None:
    """The version now running, copied to where a preview may read it; None if it is not here.

    A clone on a laptop has no artifacts of production. What then cannot be compared is a finding of
    the preview, as it would be one of a promotion.
    """
    if artifact is None:
        return None
    previews = ArtifactStore(home.preview_artifacts)
    return artifact if lend_artifact(ArtifactStore(home.artifacts), artifact, previews) else None
