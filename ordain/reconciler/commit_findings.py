"""What is wrong with the commits of a change, whatever they declare.

Each is signed by somebody known, in nobody else's name; a merge adds nothing of its own; keys and
accounts stay with who has them; and somebody is left who could mend the estate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.reconciler.claims import borrowed_names
from ordain.reconciler.hands import changed_hands
from ordain.reconciler.web_merges import adds_nothing
from ordain.specs.findings import Finding, Location, Severity, blocking
from ordain.vcs.changes import unnameable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.reconciler.gating import Side
    from ordain.reconciler.offers import Offer
    from ordain.reconciler.testimony import Testimony
    from ordain.vcs.git import Repository
    from ordain.vcs.objects import Commit


def commit_findings(offer: Offer) -> Iterator[Finding]:
    """Findings about what brings a change; the root commit is trusted by its id."""
    base, side, told = offer.base, offer.side, offer.told
    if told is not None and offer.change.paths:
        yield from told.findings
    if base is not None:
        pairs = zip(offer.commits, offer.signed, strict=True)
        yield from (_stranger(one.id, told) for one, person in pairs if not person)
        yield from borrowed_names(offer.commits, offer.signed, offer.names)
    yield from map(_unnameable, offer.change.unnameable)
    yield from _without_people(side)
    if base is not None and len(side.estate.all("Organization")) == 1:
        yield from changed_hands(offer.repository, base.revision, base.estate, side.estate)


def merge_findings(
    repository: Repository, commit: Commit, signer: str | None, told: Testimony | None
) -> Iterator[Finding]:
    """A merge is signed by somebody known, and holds what merging its parents gives."""
    if signer is None:
        yield _stranger(commit.id, told)
    if not adds_nothing(repository, commit):
        yield Finding(
            code="GATE002",
            severity=Severity.ERROR,
            message=f"the merge {commit.id[:12]} holds something else than its two parents give",
            remedy="merge with ordain proposals merge, or change it in a commit of its own",
            controls=("HR-SOD",),
        )


def rewritten(head: str, good: str | None) -> Finding:
    """That a branch does not go on from where it was good."""
    return Finding(
        code="GATE003",
        severity=Severity.ERROR,
        message=(
            f"the branch is at {head[:12]} and does not go on from {str(good)[:12]},"
            " the last good commit"
        ),
        remedy="put the branch back and merge with a merge commit, or judge it anew: --trust-again",
        controls=("HR-SOD",),
    )


def _stranger(commit: str, told: Testimony | None) -> Finding:
    if told is None or commit not in told.platform:
        return _unsigned(commit)
    from ordain.reconciler.testimony import unexplained

    return unexplained(commit)


def _unsigned(commit: str) -> Finding:
    return Finding(
        code="GATE001",
        severity=Severity.ERROR,
        message=f"commit {commit[:12]} is not signed by anybody in the Organization",
        remedy="sign it: git commit --amend -S, with a key that specs/organization.yaml lists",
        controls=("HR-SOD",),
    )


def _without_people(side: Side) -> Iterator[Finding]:
    """After a commit without an Organization no key would count, so none could mend it."""
    if len(side.estate.all("Organization")) != 1 and not blocking(side.estate.findings):
        yield Finding(
            code="GATE004",
            severity=Severity.ERROR,
            message="the estate must declare exactly one Organization, or nobody could change it",
            remedy="keep one Organization document, with the keys of people and reconciler",
            controls=("HR-SOD",),
        )


def _unnameable(path: str) -> Finding:
    why = unnameable(path)
    return Finding(why.code, Severity.ERROR, why.message, Location(path), remedy=why.remedy)
