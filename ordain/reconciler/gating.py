"""The gate, asked again for every commit before anything acts on it.

The reconciler trusts neither a merge button nor a check mark: it walks the first-parent history
from the last good commit to the tip and judges each step on the documents, signatures and
approvals that git holds. A refused step leaves production on the last good commit; what comes after
it is judged against that one, so that a revert heals the branch and nothing slips in behind a
refusal.

Git is asked first and alone. Only where that does not suffice, or where git cannot say who made
something, a host is asked for reviews and for what its merge button did; while it does not answer,
what rests on it is refused and what people have signed goes on counting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.policies.gate import check, judge
from ordain.reconciler.claims import Names, borrowed_names
from ordain.reconciler.commit_findings import commit_findings, merge_findings, rewritten
from ordain.reconciler.history import commits_between
from ordain.reconciler.offers import approvals_of, facts_of, offer_of
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.errors import OrdainError
from ordain.specs.estates import load_estate
from ordain.specs.findings import Finding, Severity, blocking
from ordain.specs.people import UNKNOWN
from ordain.vcs.approvals import Approvals
from ordain.vcs.errors import ForgeError, GitError
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.gate import Judgement
    from ordain.reconciler.recollections import Heard
    from ordain.reconciler.source import Source
    from ordain.reconciler.testimony import Testimony, Witness
    from ordain.reconciler.trees import CommitTree
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.changes import Change


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a change: its tree and what it declares."""

    revision: str
    tree: CommitTree
    estate: LoadedEstate

    @property
    def read(self) -> dict[tuple[str, str], tuple[Document, ...]]:
        """The documents of its files in which nothing was found, by path and blob."""
        return {(path, self.tree.blob(path)): one for path, one in self.estate.clean.items()}


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate said about one change, and what it looked at; `told` is what a host said."""

    revision: str
    change: Change
    facts: ChangeFacts
    judgement: Judgement
    approvals: Approvals
    commits: tuple[Finding, ...] = ()
    told: Testimony | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the gate found, in the commits themselves and in what they change."""
        return (*self.commits, *self.judgement.findings)

    @property
    def blocked(self) -> bool:
        """Whether the change must not be merged or acted on."""
        return blocking(self.findings)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A commit that must not be acted on; `judged` is absent where it could not be judged."""

    revision: str
    findings: tuple[Finding, ...]
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Gated:
    """The newest commit that may be acted on, and what was refused and judged on the way."""

    good: str | None
    judged: tuple[Judged, ...]
    refused: tuple[Refusal, ...]


def read_side(
    source: Source, revision: str, beside: Side | None = None, *, tree: CommitTree | None = None
) -> Side:
    """Load the estate of a commit or tree, from its files where somebody has them already.

    What has the same path and the same bytes in a side that is loaded already is not parsed again.
    """
    if beside is None:
        tree = tree or source.tree(revision)
        return Side(revision, tree, load_estate(tree, known=source.known))
    tree = source.tree(revision, beside.tree)
    clean = beside.estate.clean
    shared = {path: clean[path] for path in tree.shared_with(beside.tree) if path in clean}
    return Side(revision, tree, load_estate(tree, read=shared, known=source.known))


def gate_history(
    source: Source,
    last_good: str | None,
    head: str,
    now: datetime,
    *,
    passed: Mapping[str, datetime] | None = None,
    heard: Mapping[str, Heard] | None = None,
) -> Gated:
    """Judge every first-parent step after `last_good`; without one, from the root commit on.

    `passed` says when the ledger let a commit pass: judged again, its keys are looked at as of
    then. The date that a commit claims is never believed. `heard` is what a host said then.
    """
    good = last_good
    judged: list[Judged] = []
    refused: list[Refusal] = []
    try:
        steps = source.repository.first_parent(good, head)
    except GitError:
        return Gated(good, (), (Refusal(head, (rewritten(head, good),)),))
    base = read_side(source, good) if steps and good is not None else None
    for revision in steps:
        try:
            side = read_side(source, revision, base)
            moment = (passed or {}).get(revision, now)
            verdict = judge_commit(source, base, side, moment, heard=heard)
        except OrdainError as error:
            finding = Finding(error.code, Severity.ERROR, error.message, error.location)
            refused.append(Refusal(revision, (finding,)))
            continue
        if verdict.blocked:
            refused.append(Refusal(revision, verdict.findings, verdict))
            continue
        judged.append(verdict)
        good, base, refused = revision, side, []
    if steps:
        source.remember()
    return Gated(good, tuple(judged), tuple(refused))


def judge_commit(
    source: Source,
    base: Side | None,
    side: Side,
    now: datetime,
    *,
    reviewed: bool = False,
    number: int | None = None,
    heard: Mapping[str, Heard] | None = None,
) -> Judged:
    """Judge one commit on the protected branch against what was good before it.

    A merge adds nothing of its own, which is checked; everything else that came since the good
    commit counts, so that what was refused before is not forgotten when something is merged on top.
    With `number` it is a host's trial of merging that proposal.
    """

    def ask(witness: Witness) -> Testimony:
        return witness.of_commit(side.revision, number=number)

    def judged(told: Testimony | None) -> Judged:
        return _judge_commit(source, base, side, now, told, reviewed=reviewed)

    return _heard(source, base, now, judged, ask, heard=heard)


def judge_merge(
    source: Source,
    base: Side,
    side: Side,
    head: str,
    now: datetime,
    *,
    reviewed: bool = False,
    number: int | None = None,
) -> Judged:
    """Judge the tree that merging `head` onto the base gives; `number` is its proposal's."""

    def judged(told: Testimony | None) -> Judged:
        commits = commits_between(source.repository, base.revision, head)
        if told is not None:
            commits = told.brought
        pushed = head if told is None else told.pushed
        return judge_side(
            source,
            base,
            side,
            commits=commits,
            pushed=pushed,
            now=now,
            reviewed=reviewed,
            told=told,
        )

    if number is None:
        return judged(None)
    return _heard(source, base, now, judged, lambda witness: witness.of_proposal(number, head))


def _heard(
    source: Source,
    base: Side | None,
    now: datetime,
    judged: Callable[[Testimony | None], Judged],
    ask: Callable[[Witness], Testimony],
    *,
    heard: Mapping[str, Heard] | None = None,
) -> Judged:
    """The verdict of git alone where it suffices, else that of git and the host of the base.

    Who contributed must be known too: of somebody unknown nobody can be told apart.
    """
    alone = judged(None)
    if base is None or not (alone.blocked or UNKNOWN in alone.facts.contributors):
        return alone
    # What is heard of a host is loaded where there is somebody to ask.
    from ordain.reconciler.testimony import unheard, witness_of

    try:
        witness = witness_of(source, base, now, heard)
        return alone if witness is None else judged(ask(witness))
    except (ForgeError, GitError) as error:
        source.lose_host(base.estate, error)
        return replace(alone, commits=(unheard(error), *alone.commits))


def _judge_commit(
    source: Source,
    base: Side | None,
    side: Side,
    now: datetime,
    told: Testimony | None,
    *,
    reviewed: bool,
) -> Judged:
    commit = source.repository.commit(side.revision)
    merged = len(commit.parents) > 1
    pushed = commit.parents[1] if merged else commit.id
    since = None if base is None else base.revision
    brought = commits_between(source.repository, since, commit.id)
    if told is not None:
        brought, pushed = told.brought, told.pushed
    commits = [one for one in brought if not (merged and one == commit.id)]
    judged = judge_side(
        source,
        base,
        side,
        commits=commits,
        pushed=pushed,
        now=now,
        reviewed=reviewed,
        told=told,
    )
    by_host = told is not None and commit.id in told.merged
    if base is None or not merged or by_host or not judged.change.paths:
        return judged
    allowed = allowed_keys(organization_of(base.estate))
    names = Names(base.estate, side.estate)
    signed = commit_signer(commit, allowed, now).person
    found = [
        *judged.commits,
        *merge_findings(source.repository, commit, signed, told),
        *borrowed_names([commit], [signed], names),
    ]
    return replace(judged, commits=tuple(found))


def judge_side(  # noqa: PLR0913 - every input of a verdict is named
    source: Source,
    base: Side | None,
    side: Side,
    *,
    commits: Sequence[str],
    pushed: str,
    now: datetime,
    reviewed: bool = False,
    told: Testimony | None = None,
) -> Judged:
    """Judge a tree that would follow `base`.

    `commits` are those that the change brings, `pushed` is the newest one that was offered (for a
    merge the proposal's head, not the merge): its signer is the one who pushed.
    """
    offer = offer_of(source, base, side, commits=commits, pushed=pushed, now=now, told=told)
    change, facts, approvals = offer.change, facts_of(offer), Approvals((), ())
    if change.unnameable:
        # No approval can bind to it and no rule about changes can be asked, so it is refused below.
        judgement = replace(check(side.estate, now, tree=side.tree), kind=facts.kind)
    else:
        approvals = approvals_of(offer)
        judgement = judge(
            offer.before,
            side.estate,
            facts,
            approvals.valid,
            now,
            tree=side.tree,
            enforce_intentions=True,
            reviewed=reviewed,
        )
    found = tuple(commit_findings(offer))
    return Judged(side.revision, change, facts, judgement, approvals, found, told)
