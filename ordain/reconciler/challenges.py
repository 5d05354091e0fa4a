"""What git knows of the documents that a change brings and one person answers for: who wrote each
Validation and each trace of an emergency, and about whose work a Validation is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ordain.reconciler.history import contributors_to_model, signers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ordain.policies.changes import ChangeFacts
    from ordain.reconciler.claims import Names
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.git import Repository
    from ordain.vcs.objects import Commit


_SIGNED: Final = frozenset({"Validation", "BreakGlass"})


@dataclass(frozen=True, slots=True)
class Written:
    """The commits of a change and who signed each of them.

    `heads` are the newest commit of the branch and the newest one that was offered; `behind` may
    know who made what a host has committed.
    """

    repository: Repository
    commits: Sequence[str]
    signed: Sequence[str | None]
    heads: tuple[str, str]
    behind: Callable[[Commit], frozenset[str] | None] | None = None


def _gone(base: LoadedEstate, facts: ChangeFacts) -> Iterator[Document]:
    """The records of validators that a change removes: somebody has signed that, too."""
    removed = (base.documents[key] for key in facts.removed)
    return (one for one in removed if one.kind == "Validation")


def with_challenges(
    written: Written,
    sides: tuple[LoadedEstate, LoadedEstate],
    facts: ChangeFacts,
    names: Names,
) -> ChangeFacts:
    """The facts with who wrote each of these documents, and who has ever shaped what a Validation
    is about.

    The branch and the change are asked both, because each may have commits that the other has not.
    A side without exactly one Organization has no keys; it is refused for that.
    """
    touched = (sides[1].documents[key] for key in sorted(facts.touched))
    records = [one for one in touched if one.kind in _SIGNED]
    records += _gone(sides[0], facts)
    if not records:
        return facts
    asked = [
        (estate, head)
        for estate, head in zip(sides, written.heads, strict=True)
        if len(estate.all("Organization")) == 1
    ]

    def makers(model: str) -> frozenset[str]:
        found = (
            contributors_to_model(
                written.repository, estate, model, head, written.behind, ever=True, names=names
            )
            for estate, head in asked
        )
        return frozenset[str]().union(*found)

    return replace(
        facts,
        shaped={
            model: makers(model)
            for model in {one.spec.model for one in records if one.kind == "Validation"}
        },
        wrote={
            one.key: signers_of(written.repository, one.path, written.commits, written.signed)
            for one in records
        },
    )
