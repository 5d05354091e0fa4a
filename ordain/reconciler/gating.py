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

from ordain.policies.changes import Kind, describe
from ordain.policies.gate import check, judge
from ordain.reconciler.challenges import Written, with_challenges
from ordain.reconciler.claims import Names, borrowed_names, claimed
from ordain.reconciler.hands import changed_accounts
from ordain.reconciler.history import (
    UNKNOWN,
    commits_between,
    contributors_to_model,
    keys_ever,
    known,
    signers,
    untouched,
)
from ordain.reconciler.host_reviews import joined
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.testimony import cannot_ask, unexplained, witness_of
from ordain.specs.errors import OrdainError
from ordain.specs.estates import load_estate
from ordain.specs.findings import Finding, Location, Severity, blocking
from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import Approvals, RejectedApproval, read_approvals
from ordain.vcs.changes import change_between, unnameable
from ordain.vcs.errors import ForgeError, GitError, MergeConflict
from ordain.vcs.keys import PublicKey
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.gate import Judgement
    from ordain.reconciler.recollections import Heard
    from ordain.reconciler.source import Source
    from ordain.reconciler.testimony import Testimony, Witness
    from ordain.reconciler.trees import CommitTree
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.changes import Change
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey
    from ordain.vcs.objects import Commit


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
        return Gated(good, (), (Refusal(head, (_rewritten(head, good),)),))
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
    try:
        witness = witness_of(source, base, now, heard)
        return alone if witness is None else judged(ask(witness))
    except (ForgeError, GitError) as error:
        source.lose_host(base.estate, error)
        return replace(alone, commits=(cannot_ask(error), *alone.commits))


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
        *_merge_findings(source, commit, allowed, now, told),
        *borrowed_names([commit], [signed], names),
    ]
    return replace(judged, commits=tuple(found))


def _merge_findings(
    source: Source,
    commit: Commit,
    allowed: Sequence[AllowedKey],
    now: datetime,
    told: Testimony | None,
) -> Iterator[Finding]:
    """A merge is signed by somebody known, and holds what merging its parents gives."""
    if commit_signer(commit, allowed, now).person is None:
        yield _stranger(commit.id, told)
    try:
        honest = source.repository.merge_tree(*commit.parents) == commit.tree
    except (MergeConflict, TypeError):
        honest = False
    if not honest:
        yield Finding(
            code="GATE002",
            severity=Severity.ERROR,
            message=f"the merge {commit.id[:12]} holds something else than its two parents give",
            remedy="merge with ordain proposals merge, or change it in a commit of its own",
            controls=("HR-SOD",),
        )


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
    repository = source.repository
    allowed = allowed_keys(organization_of((base or side).estate))
    change = _change(source, base, side)
    if base is not None and not change.paths:
        # Nothing is brought, so nothing has to be signed or approved: a revert heals the branch.
        commits = ()
    signed = signers(repository, commits, allowed, now)
    names = Names(None if base is None else base.estate, side.estate)
    brought = repository.commits(commits)
    facts = describe(
        None if base is None else base.estate,
        side.estate,
        change,
        contributors=known(signed) | claimed(brought, names),
        pusher=signers(repository, [pushed], allowed, now)[0],
        signers=signed,
    )
    if base is not None and facts.kind is Kind.PROMOTION:
        facts = _with_contributors(source, base, side, facts, told, names)
    if told is not None:
        facts = replace(facts, contributors=facts.contributors | told.authors)
    if base is not None:
        behind = None if told is None else told.witness.makers_behind(base.revision)
        history = Written(repository, commits, signed, (base.revision, pushed), behind)
        facts = with_challenges(history, (base.estate, side.estate), facts, names)
    approvals = Approvals((), ())
    if change.unnameable:
        # No approval can bind to it and no rule about changes can be asked, so it is refused below.
        judgement = replace(check(side.estate, now, tree=side.tree), kind=facts.kind)
    else:
        approvals = read_approvals(
            repository, change.digest, estate=source.root_commit, allowed=allowed, now=now
        )
        if told is not None:
            approvals = joined(approvals, told.approvals(change))
        if base is not None:
            approvals = _fresh(repository, approvals, change)
        judgement = judge(
            None if base is None else base.estate,
            side.estate,
            facts,
            approvals.valid,
            now,
            tree=side.tree,
            enforce_intentions=True,
            reviewed=reviewed,
        )
    # The root commit is trusted by its id, whoever signed it.
    strangers = (
        [] if base is None else [c for c, who in zip(commits, signed, strict=True) if not who]
    )
    found = (
        *(() if told is None or not change.paths else told.findings),
        *(_stranger(one, told) for one in strangers),
        *(() if base is None else borrowed_names(brought, signed, names)),
        *map(_unnameable, change.unnameable),
        *_without_people(side),
        *_changed_hands(source, base, side),
    )
    return Judged(side.revision, change, facts, judgement, approvals, found, told)


def _stranger(commit: str, told: Testimony | None) -> Finding:
    return (
        unexplained(commit) if told is not None and commit in told.platform else _unsigned(commit)
    )


def _fresh(repository: Repository, approvals: Approvals, change: Change) -> Approvals:
    """Set aside approvals of another time when these files looked the same.

    Going back and forth gives the same change digest again; without this an approval given once
    could be used by anybody for ever. Each names the commit that it was given on, and since then
    nothing may have touched what it would change.
    """
    kept, aside = [], list(approvals.rejected)
    for one in approvals.valid:
        if untouched(repository, one.base, change.base, change.names):
            kept.append(one)
            continue
        reason = f"it was given on {one.base[:12]}, and these files have changed since"
        aside.append(RejectedApproval(one.person, one.change, reason, one.proof))
    return Approvals(tuple(kept), tuple(aside))


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


def _changed_hands(source: Source, base: Side | None, side: Side) -> Iterator[Finding]:
    """Work that is signed with a key is its holder's; nobody may pass it on to somebody else.

    Not in two steps either: a key that was taken off the list is still the one of who had it.
    """
    if base is None or len(side.estate.all("Organization")) != 1:
        return
    yield from changed_accounts(source.repository, base.revision, base.estate, side.estate)
    before = _holdings(allowed_keys(organization_of(base.estate)))
    new = _holdings(allowed_keys(organization_of(side.estate))) - before
    if not new:
        return
    ever = before | _holdings(keys_ever(source.repository, base.revision))
    for person, blob in sorted(new):
        for other in sorted(who for who, key in ever if key == blob and who != person):
            yield Finding(
                code="GATE005",
                severity=Severity.ERROR,
                message=f"a key of {other} is to become one of {person}",
                remedy="give every person keys of their own: ssh-keygen -t ed25519",
                controls=("HR-SOD",),
            )


def _holdings(keys: Sequence[AllowedKey]) -> set[tuple[str, bytes]]:
    """(person, key) of every entry, whatever time it is good at."""
    return {(one.person, PublicKey.parse(one.public).blob) for one in keys}


def _rewritten(head: str, good: str | None) -> Finding:
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


def _unnameable(path: str) -> Finding:
    why = unnameable(path)
    return Finding(why.code, Severity.ERROR, why.message, Location(path), remedy=why.remedy)


def _unsigned(commit: str) -> Finding:
    return Finding(
        code="GATE001",
        severity=Severity.ERROR,
        message=f"commit {commit[:12]} is not signed by anybody in the Organization",
        remedy="sign it: git commit --amend -S, with a key that specs/organization.yaml lists",
        controls=("HR-SOD",),
    )


def _change(source: Source, base: Side | None, side: Side) -> Change:
    """The change of a side; the first commit changes everything."""
    start = source.repository.write_tree(None, {}) if base is None else base.revision
    return change_between(source.repository, start, side.revision)


def _with_contributors(
    source: Source,
    base: Side,
    side: Side,
    facts: ChangeFacts,
    told: Testimony | None,
    names: Names,
) -> ChangeFacts:
    """A promotion is contributed to by everyone who shaped what it pins, and who wrote itself.

    The machine writes most promotions and is no person; a rollback is written by one.
    """
    models = {
        side.estate.documents[key].spec.model
        for key in (*facts.added, *facts.changed)
        if side.estate.documents[key].kind in {"ModelVersion", "Deployment"}
    }
    people = set(facts.contributors) - {RECONCILER}
    behind = None if told is None else told.witness.makers_behind(base.revision)
    for model in sorted(models):
        people |= contributors_to_model(
            source.repository,
            base.estate,
            model,
            base.revision,
            behind,
            read=base.read,
            names=names,
        )
    return replace(facts, contributors=frozenset(people))
