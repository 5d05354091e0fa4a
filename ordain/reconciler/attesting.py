"""What the reconciler signs of a version: where its artifact came from, and what it is made of.

Both envelopes stand in git beside the evidence, under the digest of their bytes, and not only in
the artifact store: a lost artifact can be made again, byte for byte, and what holds a time cannot.
What serves reads them from the store, where they are put from git when one is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.environment import read_lock
from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.bom import PAYLOAD, Versioned, bill_of_materials
from ordain.runtime.provenance.dsse import REMEDY, seal, unseal
from ordain.runtime.provenance.statements import (
    Made,
    Run,
    provenance_of,
    sign_statement,
    verify_statement,
)
from ordain.specs.canonical import sha256
from ordain.specs.evidence import evidence_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.model_version import ModelVersion
    from ordain.specs.recipes import Recipe
    from ordain.vcs.keys import PublicKey, Signer

# A name and not an address: SLSA asks for a URI that tells builders apart.
BUILDER: Final = "https://ordain.dev/reconciler"


@dataclass(frozen=True, slots=True)
class Attested:
    """The envelopes of statement and bill of materials."""

    statement: bytes
    bom: bytes

    def files(self) -> dict[str, bytes]:
        """Both by their path in the estate."""
        return {evidence_path(sha256(data)): data for data in (self.statement, self.bom)}


def builder_of(key: PublicKey) -> str:
    """The URI of the reconciler that holds a key."""
    return f"{BUILDER}/{key.fingerprint}"


def attest(
    store: ArtifactStore,
    recipe: Recipe,
    lock: bytes,
    versioned: Versioned,
    run: Run,
    signer: Signer,
) -> Attested:
    """Sign both documents on the artifact that the evidence is about.

    Raises:
        ArtifactError: the artifact is not in the store, or was changed.
    """
    evidence = versioned.evidence
    artifact = load_artifact(store, evidence.artifact)
    members = {name: sha256(data) for name, data in artifact.members.items()}
    made = Made(evidence.artifact, members, evidence.digest)
    statement = provenance_of(recipe, read_lock(lock), made, run)
    bill = bill_of_materials(versioned)
    return Attested(sign_statement(statement, signer), seal(PAYLOAD, bill, signer))


def restore(store: ArtifactStore, tree: Mapping[str, bytes], estate: LoadedEstate) -> None:
    """Put back the envelopes of versions that deployments run; git has what a store has lost.

    Raises:
        ArtifactError: one cannot be written.
    """
    for digest in _pinned(estate):
        data = tree.get(evidence_path(digest))
        if data is not None and not store.has(digest):
            store.put(data)


@dataclass(frozen=True, slots=True)
class Proven:
    """What the reconciler has signed of a version, verified; `key` is the one that signed."""

    statement: dict[str, Any]
    bom: dict[str, Any]
    key: PublicKey


def prove_origin(
    tree: Mapping[str, bytes], version: ModelVersion, trusted: Sequence[PublicKey]
) -> Proven:
    """Verify what git holds: the bytes by their digests, the signatures, and what they speak of.

    Raises:
        ProvenanceError: naming what is missing or does not hold.
    """
    named = version.provenance
    if named is None:
        message = f"{version.model}@{version.version} names no provenance"
        raise ProvenanceError(message, remedy="it was made before there was any; make it again")
    statement = verify_statement(_held(tree, named.statement), version.artifact, trusted)
    payload, key = unseal(_held(tree, named.bom), PAYLOAD, trusted)
    bom: dict[str, Any] = json.loads(payload)
    made = bom["metadata"]["component"]
    hashes = [one["content"] for one in made["hashes"]]
    if hashes != [version.artifact.removeprefix("sha256:")]:
        message = f"the bill of materials is about another artifact than {version.artifact}"
        raise ProvenanceError(message, remedy=REMEDY)
    return Proven(statement, bom, key)


def _held(tree: Mapping[str, bytes], digest: str) -> bytes:
    path = evidence_path(digest)
    data = tree.get(path)
    if data is None or sha256(data) != digest:
        what = "is not in this tree" if data is None else "does not hold what its name promises"
        raise ProvenanceError(f"{path} {what}", remedy="restore the file from git")
    return data


def _pinned(estate: LoadedEstate) -> Iterator[str]:
    for version in estate.all("ModelVersion"):
        if version.spec.provenance is not None:
            yield version.spec.provenance.statement
            yield version.spec.provenance.bom
