"""What went into an artifact, as an in-toto statement with SLSA provenance.

Sources: in-toto Attestation Framework, Statement v1; SLSA 1.0, Provenance v1. The subject is the
manifest of the artifact and each of its members; the parameters are those of the recipe; the
resolved dependencies are the rows, the commit of the estate and the packages of the lock. Times and
the builder stand here and nowhere in the artifact, which must not depend on them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.dsse import REMEDY, seal, unseal
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ordain.specs.recipes import Recipe
    from ordain.vcs.keys import PublicKey, Signer

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
PAYLOAD: Final = "application/vnd.in-toto+json"
BUILD_TYPE: Final = "https://ordain.dev/build/training/v1"
MANIFEST: Final = "artifact.json"
_TOP: Final = {"_type": STATEMENT, "predicateType": PREDICATE}


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a recipe: who ran it, on which commit of the estate, when it was accepted.

    `builder` is a URI that names the reconciler; `commit` may be empty, where there is none. When
    the run began is None where nobody knows it any more; `machine` is what of it may decide a
    digit.
    """

    builder: str
    tool: str
    commit: str
    finished: datetime
    started: datetime | None = None
    machine: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Produced:
    """What the run made: digests of the manifest, of every member by name, and of the evidence.

    `snapshot` is the blob that the rows were read from, empty where they were read from a file.
    """

    artifact: str
    members: Mapping[str, str]
    evidence: str
    snapshot: str = ""


def provenance_of(
    recipe: Recipe, lock: Mapping[str, str], made: Produced, run: Invocation
) -> bytes:
    """The statement as canonical JSON."""
    subjects = [(MANIFEST, made.artifact), *sorted(made.members.items())]
    return canonical_json(
        {
            **_TOP,
            "subject": [{"name": name, "digest": _digest(digest)} for name, digest in subjects],
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": {"recipe": asdict(recipe) | {"digest": recipe.digest}},
                    "internalParameters": {"machine": dict(run.machine)},
                    "resolvedDependencies": _dependencies(recipe, lock, made, run),
                },
                "runDetails": {
                    "builder": {"id": run.builder, "version": {"ordain": run.tool}},
                    "metadata": {"invocationId": recipe.digest, **_times(run)},
                    "byproducts": [{"name": "evidence.json", "digest": _digest(made.evidence)}],
                },
            },
        }
    )


def _times(run: Invocation) -> dict[str, str]:
    times = {"startedOn": run.started, "finishedOn": run.finished}
    return {name: _instant(moment) for name, moment in times.items() if moment is not None}


def _dependencies(
    recipe: Recipe, lock: Mapping[str, str], made: Produced, run: Invocation
) -> list[dict[str, Any]]:
    rows: dict[str, Any] = {
        "name": "rows",
        # A name of our own: this digest is over columns, and not over the bytes of a file.
        "digest": {"ordainTable": recipe.data.removeprefix("sha256:")},
    }
    if made.snapshot:
        rows["digest"] |= _digest(made.snapshot)
    found = [rows]
    if run.commit:
        found.append({"name": "estate", "digest": {"gitCommit": run.commit}})
    found.append({"name": "environment.lock", "digest": _digest(recipe.environment)})
    found += [
        {"name": name, "uri": package_url(name, version)} for name, version in sorted(lock.items())
    ]
    return found


def package_url(name: str, version: str) -> str:
    """The purl of a package of the lock; the language itself is no package of an index."""
    kind = "generic" if name == "python" else "pypi"
    return f"pkg:{kind}/{name}@{version}"


def sign_statement(statement: bytes, signer: Signer) -> bytes:
    """The statement in its envelope."""
    return seal(PAYLOAD, statement, signer)


def verify_statement(
    envelope: bytes, artifact: str, trusted: Sequence[PublicKey]
) -> dict[str, Any]:
    """The statement on an artifact, once it is proven to be signed and to speak of it.

    Raises:
        ProvenanceError: nobody trusted has signed it, or it is about something else.
    """
    payload, _ = unseal(envelope, PAYLOAD, trusted)
    try:
        statement: dict[str, Any] = json.loads(payload)
        kinds = {name: statement[name] for name in _TOP}
        subjects = [one["digest"].get("sha256") for one in statement["subject"]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ProvenanceError("the envelope holds no in-toto statement", remedy=REMEDY) from error
    if kinds != _TOP:
        message = f"the statement is not of the type {STATEMENT} with {PREDICATE}"
        raise ProvenanceError(message, remedy=REMEDY)
    if not subjects or subjects[0] != artifact.removeprefix("sha256:"):
        message = f"the statement is about another artifact than {artifact}"
        raise ProvenanceError(message, remedy=REMEDY)
    return statement


def _digest(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}


def _instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    from datetime import UTC

    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
