"""A deployment with its model in memory, verified and proven.

Verified: manifest and members are the bytes that the promotion named. Proven: the plan gives the
scores that training wrote down for held-out rows, missing values and unknown levels included. A
version that fails either is never ready; that is how a new Python, a new runtime or a flipped bit
is kept from answering.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.scoring import RowPlan
from ordain.runtime.serving.errors import ModelUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.artifacts import Artifact
    from ordain.runtime.serving.config import ServerConfig, SlotConfig

PARITY = 1e-9  # the largest difference of a probability that rounding may explain


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
        PlanError: a plan of another format.
        ModelUnusable: parity rows are missing or not reproduced.
    """
    store = ArtifactStore(config.artifacts)
    digests = {slot.artifact for slot in config.slots.values()}
    loaded = {digest: _load(store, digest) for digest in sorted(digests)}
    return {name: _slot(one, *loaded[one.artifact]) for name, one in config.slots.items()}


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
        ModelUnusable: there are none, or a score differs by more than `PARITY`.
    """
    rows, scores = _parity_rows(data, digest)
    for place, (row, score) in enumerate(zip(rows, scores, strict=True)):
        # Written so that a NaN on either side is a difference.
        if not abs((found := plan.score(row)) - score) <= PARITY:
            raise ModelUnusable(
                f"artifact {digest}: parity row {place} scores {found!r}, training wrote {score!r}",
                remedy="serve it with the Python and ordain that made it, or train it again",
            )


def _parity_rows(data: bytes, digest: str) -> tuple[list[dict[str, Any]], list[float]]:
    try:
        raw = json.loads(data)
        rows, scores = raw["rows"], raw["scores"]
    except (ValueError, TypeError, KeyError) as error:
        raise _unproven(digest, f"parity.json cannot be read: {error!r}") from error
    if not rows or len(rows) != len(scores):
        raise _unproven(digest, f"parity.json has {len(rows)} rows and {len(scores)} scores")
    return rows, scores


def _unproven(digest: str, message: str) -> ModelUnusable:
    remedy = "train the recipe again with this version"
    return ModelUnusable(f"artifact {digest}: {message}", remedy=remedy)
