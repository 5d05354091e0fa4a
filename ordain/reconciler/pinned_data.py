"""The rows that the documents pin, in the artifact store of this machine.

People pin on their machines and the reconciler trains on another, so whoever orders a training run
makes sure first that the rows are there. Where they are not, but the source still has them, the
reconciler takes the snapshot itself: the digest that was approved decides, not who read the rows. A
file that git has is read from the commit and never from the work tree, in which anybody may write.

Who takes a snapshot signs what it is, with the key they approve with. A signature is no condition
for training, which goes by content alone; it says whom to ask where rows came from.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ordain
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.review import Reviewer, actor_of, identity_of, key_of_git
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.digests import check_digest
from ordain.runtime.datasets.snapshots import Snapshots, missing
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.errors import DataError
from ordain.specs.people import RECONCILER
from ordain.vcs.errors import BadSignature, KeyUnusable
from ordain.vcs.keygen import open_signer
from ordain.vcs.keys import Actor, Holder, holder, load_signer
from ordain.vcs.signatures import SNAPSHOT, sign, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.source import Source
    from ordain.runtime.datasets.snapshots import Kept
    from ordain.specs.kinds.dataset import Dataset
    from ordain.vcs.keys import AllowedKey


@dataclass(frozen=True, slots=True)
class Readable:
    """Where a source can be read: the files of a commit, the work tree, and a place to write to."""

    files: Mapping[str, bytes]
    root: Path
    scratch: Path


def ensure_snapshot(
    name: str,
    dataset: Dataset,
    place: Readable,
    store: Path,
    *,
    taker: Taker,
    tell: Callable[[str], None],
) -> None:
    """Have the rows of a pinned Dataset in the artifact store.

    Raises:
        SnapshotError: they are not there, and the source does not give them either.
        DataError: the source gives other rows than the pinned ones.
        ArtifactError: they cannot be written.
    """
    snapshots = Snapshots(ArtifactStore(store))
    if dataset.digest is None or snapshots.get(dataset.digest) is not None:
        return
    tell(f"taking the snapshot of Dataset/{name}")
    try:
        with _read_from(place, dataset) as root:
            found = _take(Origin(name, dataset, root, os.environ), snapshots, taker)
    except DataError as error:
        raise missing(name, error.message) from error
    check_digest(name, dataset, found)


def _take(origin: Origin, snapshots: Snapshots, taker: Taker) -> str:
    """Keep what the source gives if it is what was pinned; returns its digest in any case."""
    with drafted(origin, snapshots) as draft:
        if draft.digest == origin.dataset.digest:
            draft.keep(snapshots, taker)
        return draft.digest


@contextmanager
def _read_from(place: Readable, dataset: Dataset) -> Iterator[Path]:
    """The root that the paths of a source are relative to: files of git are those of the commit."""
    declared = dataset.source
    if declared.query is not None and place.files and declared.query not in place.files:
        # What a server is asked is reviewed; whatever lies in the work tree is not.
        message = f"{declared.query}: the commit has no such file"
        raise DataError(message, remedy="commit the query")
    paths = [path for path in (declared.uri, declared.query) if path in place.files]
    if not paths or declared.type == "dvc":
        # A pointer of DVC names a file beside it, which git does not have; its content decides.
        yield place.root
        return
    try:
        for path in paths:
            if path is not None:
                file = place.scratch / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(place.files[path])
        yield place.scratch
    finally:
        shutil.rmtree(place.scratch, ignore_errors=True)


def reconciling_taker(source: Source, now: datetime) -> Taker:
    """The reconciler, who signs with its key; without one nothing it takes is signed."""

    def signed(data: bytes) -> str:
        return sign(load_signer(source.home.key(RECONCILER)), SNAPSHOT, data)

    has_key = (source.home.keys / RECONCILER).is_file()
    return Taker(RECONCILER, now, ordain.__version__, signed if has_key else None)


def pinning_actor(source: Source, person: str | None, key: Path | None, now: datetime) -> Actor:
    """Who pins: the person named, else whoever the key belongs to that is given or git signs with.

    Raises:
        ProposalRefused: the key is not the person's, or nobody's.
        KeyUnusable: there is no key, or it cannot be read.
    """
    base = read_side(source, source.head())
    if person is not None:
        return actor_of(source, base, Reviewer(person, key), now)
    place = key or key_of_git(source.repository)
    if place is None:
        raise KeyUnusable("git signs with no key here", remedy="say who you are with --as")
    signer = open_signer(place)
    found = holder(signer.public, allowed_keys(organization_of(base.estate)), now)
    if found.person is None:
        message = f"{place} is nobody's key: {found.reason}"
        raise ProposalRefused(message, remedy="use the key that the Organization lists for you")
    return Actor(found.person, identity_of(found.person), signer)


def taker_of(actor: Actor, now: datetime) -> Taker:
    """A person who signs what they pin."""
    return Taker(
        actor.person, now, ordain.__version__, lambda data: sign(actor.signer, SNAPSHOT, data)
    )


def signer_of(kept: Kept, allowed: Iterable[AllowedKey], now: datetime) -> Holder:
    """Who has signed a snapshot, or the reason why nobody has."""
    if kept.signature is None:
        return Holder(None, "it is unsigned")
    try:
        key = verify(kept.signature, SNAPSHOT, kept.snapshot.to_json())
    except BadSignature as error:
        return Holder(None, error.message)
    return holder(key, allowed, now)
