"""Snapshots: the rows that a digest names, kept in the artifact store.

Data moves on: a table is appended to, a query gives other rows tomorrow. What a version was made
from must still be there when somebody asks, so pinning keeps the rows themselves, as one Parquet
file under the digest of its bytes, and training reads nothing else. A manifest says what they are,
where they came from and who took them; the key of that person signs it. An index by logical digest
leads from a Dataset's document to the manifest, so that a document names its data by content alone
and a pod that has the store needs no path.

One content is one snapshot, whoever pins it again and from whatever source. The manifest that is
there stays, unless its file is gone or damaged, or its signature is none and the new one is signed.

Refused: keeping the source's own file. A CSV has no types, a query has no file, and a compressed
Parquet file of our own is smaller than most.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.datasets.newfiles import new_file, refused_writes
from ordain.runtime.errors import ArtifactError, SnapshotError
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ordain.runtime.artifacts import ArtifactStore

FORMAT: Final = "ordain.snapshot/1"
INDEX_FORMAT: Final = "ordain.snapshot-index/1"
DIRECTORY: Final = "snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a snapshot is: the record that is signed.

    `digest` is logical, `blob` is of the file; `columns` are names and Arrow types, sorted; `size`
    is the file's and `memory` that of the Arrow table, in bytes. `source` has the type and address
    without secrets, and what the source said of itself.
    """

    dataset: str
    digest: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    blob: str
    size: int
    memory: int
    query: str | None
    source: Mapping[str, Any]
    taken_at: str
    taken_by: str
    tool: str

    def to_json(self) -> bytes:
        """The bytes of the manifest, which are what is signed."""
        return canonical_json({"format": FORMAT, **asdict(self)})


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot as the store has it, with the armoured signature over its manifest, if any."""

    snapshot: Snapshot
    signature: str | None


class Snapshots:
    """The snapshots of an artifact store."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store

    @property
    def directory(self) -> Path:
        """Where the index is, and where snapshots are written before they have a name."""
        return self.store.root / DIRECTORY

    def find(self, name: str, digest: str) -> Kept:
        """The snapshot of a Dataset's pinned digest, its file not yet read.

        Raises:
            SnapshotError: when there is none, or what leads to it cannot be read.
        """
        found = self.get(digest)
        if found is None:
            raise missing(name)
        return found

    def get(self, digest: str) -> Kept | None:
        """The snapshot of a logical digest; None where there is none, or its file is gone.

        Raises:
            SnapshotError: when what leads to it cannot be read.
        """
        place = self._place(digest)
        try:
            entry = json.loads(place.read_bytes())
            if entry["format"] != INDEX_FORMAT:
                raise ValueError(entry["format"])
            snapshot = _read(self.store.get(entry["manifest"]))
            if snapshot.digest != digest:
                raise ValueError(snapshot.digest)
            signature = entry["signature"]
            if not isinstance(signature, str | None):
                raise TypeError(signature)
            found = Kept(snapshot, signature)
        except FileNotFoundError:
            return None
        except (OSError, ArtifactError, ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"{place}: this does not lead to the snapshot of {digest}"
            remedy = "remove the file and run `ordain pin` again, or restore the store"
            raise SnapshotError(message, remedy=remedy) from error
        return found if self.store.has(snapshot.blob) else None

    def is_whole(self, kept: Kept) -> bool:
        """Whether the file of a snapshot has the bytes that its manifest names."""
        blob = kept.snapshot.blob
        return self.store.digest_now(blob) == blob

    def prove(self, name: str, kept: Kept) -> None:
        """Refuse a snapshot whose file is not the one that was taken.

        Raises:
            SnapshotError: naming both digests.
        """
        blob = kept.snapshot.blob
        now = self.store.digest_now(blob)
        if now is None:
            raise missing(name)
        if now != blob:
            message = (
                f"the snapshot of Dataset/{name} was changed: the bytes under {blob} are {now}"
            )
            remedy = f"never use these bytes; restore the store, or run `ordain pin {name}`"
            raise SnapshotError(message, remedy=remedy)

    def add(
        self,
        snapshot: Snapshot,
        sign: Callable[[bytes], str] | None,
        holds: Callable[[Kept], bool] | None = None,
    ) -> Kept:
        """Write manifest and index of a snapshot whose file is in the store.

        A signed manifest stays, unless `holds` says that its signature is none; an unsigned one
        stays where nobody signs.

        Raises:
            ArtifactError: when they cannot be written; then nothing leads to the snapshot.
        """
        kept = self.standing(snapshot.digest)
        if kept is not None and kept.signature is not None and (holds is None or holds(kept)):
            return kept
        if kept is not None and kept.signature is None and sign is None:
            return kept
        data = snapshot.to_json()
        signature = None if sign is None else sign(data)
        entry = {
            "format": INDEX_FORMAT,
            "manifest": self.store.put(data),
            "signature": signature,
        }
        place = self._place(snapshot.digest)
        try:
            write_atomically(place, canonical_json(entry))
        except OSError as error:
            message = f"{place}: cannot be written: {error.strerror}"
            raise ArtifactError(message, remedy="free space, or mend the rights") from error
        return Kept(snapshot, signature)

    def lend(self, digest: str, other: Snapshots) -> bool:
        """Give a snapshot to another store on this machine; whether there is one to give.

        Raises:
            ArtifactError: when it cannot be written there.
        """
        kept = self.standing(digest)
        if kept is None:
            return False
        with new_file(other.directory) as copy:
            with refused_writes(copy):
                shutil.copyfile(self.store.path(kept.snapshot.blob), copy)
            other.store.put_file(copy)
        signature = kept.signature
        other.add(kept.snapshot, None if signature is None else lambda _data: signature)
        return True

    def standing(self, digest: str) -> Kept | None:
        """The snapshot of a logical digest if it is there and whole; any other is taken anew."""
        try:
            kept = self.get(digest)
        except SnapshotError:
            return None
        return kept if kept is not None and self.is_whole(kept) else None

    def _place(self, digest: str) -> Path:
        # The store knows what a digest looks like; nothing else becomes a path.
        self.store.path(digest)
        return self.directory / f"{digest.removeprefix('sha256:')}.json"


def missing(name: str, why: str = "") -> SnapshotError:
    """The error of data that training cannot have."""
    message = f"the snapshot of Dataset/{name} is not in the artifact store"
    remedy = f"run `ordain pin {name}` on this machine, or restore the store"
    return SnapshotError(f"{message}: {why}" if why else message, remedy=remedy)


def _read(data: bytes) -> Snapshot:
    """A manifest; ValueError, TypeError or KeyError when it is none."""
    raw = json.loads(data)
    if raw.pop("format") != FORMAT:
        raise ValueError(FORMAT)
    columns = raw["columns"] = tuple((name, kind) for name, kind in raw["columns"])
    found = Snapshot(**raw)
    texts = (found.dataset, found.blob, found.taken_at, found.taken_by, found.tool)
    if not all(type(one) is int for one in (found.rows, found.size, found.memory)):
        raise TypeError(found.rows)
    if not all(isinstance(one, str) for one in (*texts, found.query or "", *sum(columns, ()))):
        raise TypeError(found.blob)
    return found
