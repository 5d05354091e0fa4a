"""What the reconciler signs of a version: where its artifact came from, and what it is made of.

Both envelopes stand in git beside the evidence, under the digest of their bytes, and not only in
the artifact store: a lost artifact can be made again, byte for byte, and what holds a time cannot.
What serves reads them from the store, where they are put from git when one is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import ordain
from ordain.reconciler.attempts import read_json, read_run
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.environment import read_lock
from ordain.runtime.errors import ProvenanceError, SnapshotError
from ordain.runtime.machines import processor
from ordain.runtime.provenance.bom import PAYLOAD, Versioned, bill_of_materials
from ordain.runtime.provenance.dsse import REMEDY, seal, unseal
from ordain.runtime.provenance.statements import (
    Invocation,
    Produced,
    provenance_of,
    sign_statement,
    verify_statement,
)
from ordain.runtime.training.order import RESULT
from ordain.specs.canonical import sha256
from ordain.specs.evidence import evidence_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.evidence import Evidence
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
    run: Invocation,
    signer: Signer,
) -> Attested:
    """Sign both documents on the artifact that the evidence is about.

    Raises:
        ArtifactError: the artifact is not in the store, or was changed.
    """
    evidence = versioned.evidence
    artifact = load_artifact(store, evidence.artifact)
    members = {name: sha256(data) for name, data in artifact.members.items()}
    blob = _snapshot(store, recipe)
    made = Produced(evidence.artifact, members, evidence.digest, snapshot=blob)
    statement = provenance_of(recipe, read_lock(lock), made, run)
    bill = bill_of_materials(versioned)
    return Attested(sign_statement(statement, signer), seal(PAYLOAD, bill, signer))


def _snapshot(store: ArtifactStore, recipe: Recipe) -> str:
    """The blob of the rows; empty where it is gone since, and the digest of the rows has to do."""
    try:
        rows = Snapshots(store).get(recipe.data)
    except SnapshotError:
        return ""
    return "" if rows is None else rows.snapshot.blob


def invocation_of(
    directory: Path, evidence: Evidence, signer: Signer, commit: str, now: datetime
) -> Invocation:
    """The run that left its files in the directory of the job, signed for on a commit.

    Where another run stands there by now, nobody knows when this one began, and the time of the
    proposal is the latest at which it can have ended.
    """
    begun = read_run(directory)
    mine = begun is not None and begun.recipe == evidence.recipe and _left(directory, evidence)
    started, ended = (begun.started, begun.ended) if begun is not None and mine else (None, None)
    return Invocation(
        builder=builder_of(signer.public),
        tool=evidence.environment.get("ordain", ordain.__version__),
        commit=commit,
        started=None if started is None else datetime.fromisoformat(started),
        finished=now if ended is None else datetime.fromisoformat(ended),
        machine=processor(),
    )


def _left(directory: Path, evidence: Evidence) -> bool:
    """Whether the run that stands in a directory made this artifact."""
    result = read_json(directory / RESULT)
    return result is not None and result.get("artifact") == evidence.artifact


def restore(store: ArtifactStore, tree: Mapping[str, bytes], estate: LoadedEstate) -> None:
    """Put back the envelopes of every version of the estate that are missing or were changed.

    Raises:
        ArtifactError: one cannot be written.
    """
    for digest in _pinned(estate):
        data = tree.get(evidence_path(digest))
        # What is there as it should be is left as it is; a file that git holds under a digest of
        # other bytes would be kept under its own.
        if data is not None and sha256(data) == digest:
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
        raise ProvenanceError(message, remedy=REMEDY)
    statement = verify_statement(_held(tree, named.statement), version.artifact, trusted)
    payload, key = unseal(_held(tree, named.bom), PAYLOAD, trusted)
    bom: dict[str, Any] = json.loads(payload)
    _compare(
        "statement", _stated(statement), {"recipe": version.recipe, "evidence": version.evidence}
    )
    expected = {
        "artifact": version.artifact,
        "model": version.model,
        "version": str(version.version),
        "evidence": version.evidence,
    }
    _compare("bill of materials", _billed(bom), expected)
    return Proven(statement, bom, key)


def _stated(statement: Mapping[str, Any]) -> dict[str, str]:
    """What a statement speaks of, beside the artifact."""
    predicate = statement["predicate"]
    (evidence,) = predicate["runDetails"]["byproducts"]
    return {
        "recipe": predicate["buildDefinition"]["externalParameters"]["recipe"]["digest"],
        "evidence": f"sha256:{evidence['digest']['sha256']}",
    }


def _billed(bom: Mapping[str, Any]) -> dict[str, str]:
    """What a bill of materials speaks of."""
    made = bom["metadata"]["component"]
    said = {one["name"]: one["value"] for one in made["properties"]}
    (artifact,) = made["hashes"]
    return {
        "artifact": f"sha256:{artifact['content']}",
        "model": made["name"],
        "version": made["version"],
        "evidence": said["ordain:evidence"],
    }


def _compare(document: str, found: Mapping[str, str], expected: Mapping[str, str]) -> None:
    for name, value in expected.items():
        if found[name] != value:
            message = f"the {document} is about another {name} than {value}"
            raise ProvenanceError(message, remedy=REMEDY)


def is_believed(
    tree: Mapping[str, bytes], version: ModelVersion, trusted: Sequence[PublicKey]
) -> bool:
    """Whether a server that trusts these keys would load the version."""
    try:
        if version.provenance is not None:
            envelope = _held(tree, version.provenance.statement)
            verify_statement(envelope, version.artifact, trusted)
    except ProvenanceError:
        return False
    return version.provenance is not None


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
