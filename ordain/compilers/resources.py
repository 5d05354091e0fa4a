"""What a compiler gives: resources that should be, and documents that wait.

A resource is data. Its digest says whether two are the same desire; most often that is all of its
spec. A training is the exception: its spec carries the whole Model, because the job needs it, but
only the recipe decides whether the work is the same. An owner's new name must not retrain a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ordain.specs.canonical import digest


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that a target should have; `spec` is plain JSON.

    `identity` is what the digest covers where that is less than the spec; `depends_on` are keys of
    resources that must be there first.
    """

    kind: str
    name: str
    spec: dict[str, Any] = field(hash=False)
    depends_on: tuple[str, ...] = ()
    identity: str | None = None

    @property
    def key(self) -> str:
        """`Kind/name`, the identity inside one target."""
        return f"{self.kind}/{self.name}"

    @property
    def digest(self) -> str:
        """Equal digests are the same desire."""
        covered = self.spec if self.identity is None else self.identity
        return digest({"kind": self.kind, "name": self.name, "covers": covered})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that has no resource yet, which is not an error; `reason` is a stable word."""

    key: str
    reason: str
    message: str


NO_APPROVED_VERSION = "NoApprovedVersion"
DIGEST_NOT_PINNED = "DigestNotPinned"
EXTERNAL = "External"
NOT_ONLINE = "NotOnline"


def in_order(resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """Resources so that each stands behind those it depends on; by key where that is free.

    A dependency that is not among them is one that somebody else takes care of.
    """
    waiting = {resource.key: resource for resource in sorted(resources, key=lambda one: one.key)}
    ordered: list[Resource] = []
    while waiting:
        ready = [
            one for one in waiting.values() if not any(key in waiting for key in one.depends_on)
        ]
        # A circle cannot come out of a compiler; if one did, its order would not matter.
        ordered += ready or list(waiting.values())
        for one in ready or list(waiting.values()):
            del waiting[one.key]
    return tuple(ordered)
