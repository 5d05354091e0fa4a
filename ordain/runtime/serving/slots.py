"""A deployment with its model in memory, verified and proven.

Verified: manifest and members are the bytes that the promotion named, and the reconciler has signed
where they came from; before that nothing of them is read. Proven: the plan gives the outputs that
training wrote down for held-out rows, missing values and unknown levels included, and where there
are more than two classes (`all` of parity.json) the probability of each. A version that fails
either is never ready; that is how a new Python, a new runtime or a flipped bit is kept from
answering.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import ArtifactError, ProvenanceError
from ordain.runtime.provenance.dsse import read_keys
from ordain.runtime.provenance.statements import verify_statement
from ordain.runtime.scoring import RowPlan
from ordain.runtime.serving.errors import ModelUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.runtime.artifacts import Artifact
    from ordain.runtime.serving.config import ServerConfig, SlotConfig

# The largest difference that rounding may explain: of a probability as it is, of a value above 1 as
# a share of it, because the larger a float is the coarser it is.
PARITY = 1e-9


@dataclass(frozen=True, slots=True)
class Slot:
    """What answers for a deployment."""

    name: str
    model: str
    version: int
    artifact: str
    plan: RowPlan


def load_slots(config: ServerConfig) -> Mapping[str, Slot]:
    """Load every deployment's artifact; equal artifacts share one plan.

    Raises:
        ArtifactError: missing or changed bytes.
        ProvenanceError: nobody who is trusted has signed where a version came from.
        PlanError: a plan of another format.
        ModelUnusable: parity rows are missing or not reproduced.
    """
    store = ArtifactStore(config.artifacts)
    if not config.preview:
        _verify(store, config)
    digests = {slot.artifact for slot in config.slots.values()}
    loaded = {digest: _load(store, digest) for digest in sorted(digests)}
    return {name: _slot(one, *loaded[one.artifact]) for name, one in config.slots.items()}


def _verify(store: ArtifactStore, config: ServerConfig) -> None:
    trusted = read_keys(config.trusted)
    for slot in config.slots.values():
        if not slot.statement:
            message = f"deployment {slot.name}: {slot.model}@{slot.version} names no provenance"
            remedy = "let the reconciler propose the version again, and merge the new one"
            raise ProvenanceError(message, remedy=remedy)
        try:
            verify_statement(store.get(slot.statement), slot.artifact, trusted)
        except ArtifactError as error:
            message = f"deployment {slot.name}: {error.message}"
            raise type(error)(message, remedy=error.remedy) from error


def _load(store: ArtifactStore, digest: str) -> tuple[Artifact, RowPlan]:
    artifact = load_artifact(store, digest, ("plan.json", "parity.json"))
    plan = RowPlan.read(artifact.member("plan.json"))
    prove_parity(plan, artifact.member("parity.json"), digest)
    return artifact, plan


def _slot(config: SlotConfig, artifact: Artifact, plan: RowPlan) -> Slot:
    if artifact.model != config.model:
        raise ModelUnusable(
            f"deployment {config.name}: artifact {config.artifact} is of model {artifact.model}, "
            f"not {config.model}",
            remedy="correct the version of the Deployment",
        )
    return Slot(config.name, config.model, config.version, config.artifact, plan)


def prove_parity(plan: RowPlan, data: bytes, digest: str) -> None:
    """Score the parity rows of an artifact again.

    Raises:
        ModelUnusable: there are none, or an output or a probability differs by more than `PARITY`.
    """
    for place, (row, score, every) in enumerate(_parity_rows(data, digest)):
        scored = plan.answer(row)
        if not _same([scored.output], [score]):
            raise _differs(digest, place, f"scores {scored.output!r}", score)
        if every is not None and not _same(scored.scores, every):
            raise _differs(digest, place, f"has the probabilities {list(scored.scores)!r}", every)


def _same(found: Sequence[float], written: Sequence[float]) -> bool:
    """Whether rounding explains every difference; NaN is equal to nothing."""
    return len(found) == len(written) and all(
        math.isclose(one, other, rel_tol=PARITY, abs_tol=PARITY)
        for one, other in zip(found, written, strict=True)
    )


def _differs(digest: str, place: int, found: str, written: object) -> ModelUnusable:
    return ModelUnusable(
        f"artifact {digest}: parity row {place} {found}, training wrote {written!r}",
        remedy="serve it with the Python and ordain that made it, or train it again",
    )


def _parity_rows(
    data: bytes, digest: str
) -> list[tuple[dict[str, Any], float, list[float] | None]]:
    """Each row with its output and, where they are written down, all its probabilities."""
    try:
        raw = json.loads(data)
        rows, scores, every = raw["rows"], raw["scores"], raw.get("all")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unproven(digest, f"parity.json cannot be read: {error!r}") from error
    if not rows or len(rows) != len(scores):
        raise _unproven(digest, f"parity.json has {len(rows)} rows and {len(scores)} scores")
    if every is None:
        every = [None] * len(rows)
    if len(every) != len(rows):
        message = f"parity.json has {len(rows)} rows and probabilities of {len(every)}"
        raise _unproven(digest, message)
    return list(zip(rows, scores, every, strict=True))


def _unproven(digest: str, message: str) -> ModelUnusable:
    remedy = "train the recipe again with this version"
    return ModelUnusable(f"artifact {digest}: {message}", remedy=remedy)
