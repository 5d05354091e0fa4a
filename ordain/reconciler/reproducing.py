"""Making a version again from what git and the store hold, and saying whether it is the same.

The documents, the lock and the order come from the commit that brought the version, the rows from
their snapshot, and everything is made in a directory of its own: neither the estate nor its store
is written to. Equal means equal: the artifact with every member, the split, the metrics, all by
their bytes. Where it is not, what differs is named, beginning with what decides: packages,
processor, split, members, metrics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.compilers.serving import champion
from ordain.policies.lookups import recipe_in
from ordain.reconciler.errors import NotReproducible
from ordain.reconciler.gating import read_side
from ordain.reconciler.jobs import carry_out
from ordain.reconciler.lending import lend_artifact
from ordain.reconciler.orders import Ground, order_job
from ordain.reconciler.pinned_data import Readable, ensure_snapshot, reconciling_taker
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.environment import mismatches, read_lock
from ordain.runtime.errors import ArtifactError, RunError
from ordain.runtime.machines import processor
from ordain.runtime.training.comparison import Made, differences
from ordain.specs.canonical import sha256
from ordain.specs.evidence import evidence_path, read_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.specs.documents import Document
    from ordain.specs.kinds.model_version import ModelVersion
    from ordain.specs.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What came of it: equal where there is no difference, byte for byte.

    `made` is the new artifact, empty where nothing was trained because it could not come out equal.
    """

    version: str
    artifact: str
    made: str
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Birth:
    """The commit that brought a version: its own side, and that of the tree it was made from."""

    document: Document
    after: Side
    before: Side
    recipe: Recipe

    @property
    def version(self) -> ModelVersion:
        """What the document says of the version."""
        found: ModelVersion = self.document.spec
        return found

    @property
    def lock(self) -> bytes:
        """The environment lock that the version was made with."""
        (settings,) = self.after.estate.all("Estate")
        found: bytes = self.after.tree.get(settings.spec.environment_lock, b"")
        return found


def reproduce(
    source: Source,
    birth: Birth,
    directory: Path,
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> Reproduced:
    """Train in a new directory and compare.

    Raises:
        NotReproducible: rows, the version it was compared with, or the process are not to be had.
    """
    version = birth.version
    name = f"{version.model}@{version.version}"
    packages = mismatches(read_lock(birth.lock))
    if packages:
        # Training refuses another environment, and would be right to: nothing could be compared.
        return Reproduced(name, version.artifact, "", tuple(f"packages: {one}" for one in packages))
    store = ArtifactStore(directory / "store")
    _provide(source, birth, directory, store, clock(), tell)
    ground = Ground(birth.after.estate, birth.after.tree, store.root)
    job = order_job(ground, birth.recipe, champion=champion(birth.before.estate, version.model))
    outcome = carry_out(directory / "job", job, clock, tell).outcome
    if outcome.fate == "broken":
        message = f"{name} could not be made again: {outcome.summary}"
        raise NotReproducible(message, remedy=outcome.remedy)
    found = load_artifact(store, outcome.artifact)
    members = {member: sha256(data) for member, data in found.members.items()}
    new = Made(found.digest, members, found.members, outcome.evidence)
    old = _made(source, birth)
    told = differences(old, new)
    where = _machines(birth) if told else ()
    return Reproduced(name, version.artifact, found.digest, (*where, *told))


def birth_of(source: Source, side: Side, document: Document) -> Birth:
    """The commit that brought a version, found in the history of the side.

    Raises:
        NotReproducible: it is not in this clone, or declares another recipe than the version's.
    """
    repository = source.repository
    command = ("log", "--diff-filter=A", "--format=%H", side.revision, "--", document.path)
    commits = repository.ask(*command).out.decode().split()
    name = f"{document.spec.model}@{document.spec.version}"
    parents = repository.commit(commits[-1]).parents if commits else ()
    if not parents:
        message = f"the commit that brought {name} is not in this clone"
        raise NotReproducible(message, remedy="fetch the whole history: git fetch --unshallow")
    after, before = read_side(source, commits[-1]), read_side(source, parents[0])
    recipe = recipe_in(after.estate, document.spec.model, after.tree)
    if recipe is None or recipe.digest != document.spec.recipe:
        message = f"commit {commits[-1][:12]} declares another recipe than that of {name}"
        raise NotReproducible(message, remedy="see: ordain audit verify")
    return Birth(document, after, before, recipe)


def _provide(
    source: Source,
    birth: Birth,
    directory: Path,
    store: ArtifactStore,
    now: datetime,
    tell: Callable[[str], None],
) -> None:
    """Have the rows, and the version that was running, in the store of the new run."""
    estate, model = birth.after.estate, birth.version.model
    kept = ArtifactStore(source.home.artifacts)
    dataset = estate.documents[f"Dataset/{estate.documents[f'Model/{model}'].spec.dataset}"]
    try:
        if not Snapshots(kept).lend(birth.recipe.data, Snapshots(store)):
            place = Readable(birth.after.tree, source.repository.path, directory / "data")
            taker = reconciling_taker(source, now)
            ensure_snapshot(dataset.name, dataset.spec, place, store.root, taker=taker, tell=tell)
        running = champion(birth.before.estate, model)
        if running is not None and not lend_artifact(kept, running, store):
            message = f"{running}, the version that ran then, is not in the artifact store"
            raise NotReproducible(message, remedy="restore the artifact store")
    except RunError as error:
        raise NotReproducible(error.message, remedy=error.remedy) from error


def _made(source: Source, birth: Birth) -> Made:
    """What the version is, by what git says; the bytes of its members where the store has them."""
    version = birth.version
    path = evidence_path(version.evidence)
    evidence = read_evidence(birth.after.tree[path], path)
    try:
        content: Mapping[str, bytes] = load_artifact(
            ArtifactStore(source.home.artifacts), version.artifact
        ).members
    except ArtifactError:
        content = {}
    members = {name: sha256(data) for name, data in content.items()} or _stated(birth)
    return Made(version.artifact, members, content, evidence)


def _stated(birth: Birth) -> dict[str, str]:
    """The members by the digests that the signed statement names; the manifest is the first."""
    subjects = _statement(birth).get("subject", ())[1:]
    return {one["name"]: f"sha256:{one['digest']['sha256']}" for one in subjects}


def _machines(birth: Birth) -> tuple[str, ...]:
    """Where the processors differ, which is the one thing that a recipe cannot pin."""
    definition = _statement(birth).get("predicate", {}).get("buildDefinition", {})
    then, now = definition.get("internalParameters", {}).get("machine", {}), processor()
    return tuple(
        f"machine: the {name} was {then[name]}, it is {now.get(name, 'unknown')}"
        for name in sorted(then)
        if then[name] != now.get(name)
    )


def _statement(birth: Birth) -> dict[str, Any]:
    """The statement of the version as git holds it, unverified: it only helps to explain."""
    import base64

    named = birth.version.provenance
    data = None if named is None else birth.after.tree.get(evidence_path(named.statement))
    if data is None:
        return {}
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(data)["payload"]))
    return found
