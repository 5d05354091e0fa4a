"""Artifacts copied from one store of this machine to another, proven on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ordain.runtime.artifacts import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.runtime.artifacts import ArtifactStore


def lend_artifact(store: ArtifactStore, artifact: str, other: ArtifactStore) -> bool:
    """Copy manifest and members; false where the store has no such artifact.

    Raises:
        ArtifactError: a blob is missing or was changed.
        OSError: one cannot be written.
    """
    if not store.has(artifact):
        return False
    for blob in _blobs(store, artifact):
        if not other.has(blob):
            write_atomically(other.path(blob), store.get(blob))
    return True


def _blobs(store: ArtifactStore, artifact: str) -> Iterator[str]:
    """The members of an artifact, and last its manifest, so that a copy is whole or not there."""
    members: Iterable[Mapping[str, str]] = json.loads(store.get(artifact))["members"].values()
    yield from (member["digest"] for member in members)
    yield artifact
