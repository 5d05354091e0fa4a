"""The door of the room: `check` a tree, `judge` a change.

Both are pure: trees, facts, approvals and the time come in, findings and a verdict go out, so that
a laptop, CI, an examiner and the reconciler get the same answer from the same bytes. Neither reads
an artifact or a state store.

`judge` asks in the order of what can be trusted. What the language refuses is said first and alone,
because documents with errors are absent and everything after that would be guesses. Then what no
change may do, then the policies of base and head, then what a promotion must prove, then the
approvals. Waivers take out what they cover at the end, and leave it visible.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.approvers import emptied, standing
from ordain.policies.challenges import challenges
from ordain.policies.changes import Kind, integrity
from ordain.policies.checking import ask_tree
from ordain.policies.emergencies import emergencies
from ordain.policies.engine import cel_engine
from ordain.policies.futures import futures
from ordain.policies.independence import challenged, shaped_by_unknown, withdrawn
from ordain.policies.mixtures import mixed_loosening
from ordain.policies.owners import check_owners, generated_file
from ordain.policies.promotions import Promotion, prove, serving_evidence
from ordain.policies.requirements import required
from ordain.policies.rulebook import Rulebook, ask_all, rulebook
from ordain.policies.separation import Refused, Requirement, authority, count, notes, unmet
from ordain.policies.waivers import Suppressed, Terms, Weighed, brought, weigh
from ordain.policies.world import World
from ordain.specs.findings import Finding, Severity, Verdict, blocking
from ordain.specs.references import check_references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.engine import Engine
    from ordain.policies.loosening import Loosened
    from ordain.policies.separation import Counted, Standing
    from ordain.specs.cache import Cache
    from ordain.specs.documents import LoadedEstate
    from ordain.vcs.approvals import Approval


# How the codes of files begin that cannot be read as they stand there.
_UNREAD: Final = "SPEC0"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says, and all that it rests on.

    `findings` stand; `suppressed` are covered by waivers. `approvals` count, `refused` do not.
    `policies` are (name, digest) of the rules that were asked, `asked` what evaluated them.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    kind: Kind | None = None
    approvals: tuple[Approval, ...] = ()
    refused: tuple[Refused, ...] = ()
    required: tuple[Requirement, ...] = ()
    loosened: tuple[Loosened, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()
    asked: Engine | None = None

    @property
    def engine(self) -> str:
        """Name and version of the evaluator; looked up when somebody wants to know."""
        return self.asked.name if self.asked is not None else ""

    @property
    def blocked(self) -> bool:
        """Whether the change must not be merged, or the tree not be acted on."""
        return blocking(self.findings)


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Fail with an error, warn with a warning, pass otherwise."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Verdict.FAIL
    return Verdict.WARN if Severity.WARNING in severities else Verdict.PASS


def instant(now: datetime) -> str:
    """A time as expressions see it: RFC 3339, in UTC, to the second."""
    from datetime import UTC

    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check(
    estate: LoadedEstate,
    now: datetime,
    *,
    tree: Mapping[str, bytes] | None = None,
    engine: Engine | None = None,
    cache: Cache | None = None,
) -> Judgement:
    """Judge a tree without a change: language, references, policies, evidence of what serves.

    `tree` holds the estate's files by path; without it no evidence is looked at. Policies about
    changes and approvals are not asked. A cache must be the one that the estate was loaded with.
    """
    engine = engine or cel_engine()
    book = rulebook(estate, engine)
    broken = blocking(estate.findings)
    spoken, found = ask_tree(
        book, engine, estate, instant(now), tree=tree, broken=broken, cache=cache
    )
    weighed = _weighed(found, estate, book, now)
    fixed = (*estate.findings, *spoken, *futures(estate, now), *book.findings)
    findings = _sorted((*fixed, *weighed.standing, *weighed.remarks))
    return Judgement(
        verdict_of(findings),
        findings,
        weighed.suppressed,
        policies=book.digests,
        asked=engine,
    )


def _weighed(
    found: Iterable[tuple[str, Finding]], estate: LoadedEstate, book: Rulebook, now: datetime
) -> Weighed:
    """Findings and waivers; where there is neither, nobody's roles have to be known."""
    outcomes = list(found)
    if not outcomes and not estate.all("Waiver"):
        return Weighed((), (), ())
    return weigh(outcomes, None, estate, Terms(authority(None, estate), now, book.closed))


def _language(estate: LoadedEstate) -> tuple[tuple[Finding, ...], bool]:
    """What the loader and the references say, and whether documents are absent for it."""
    broken = blocking(estate.findings)
    return (*estate.findings, *check_references(estate)), broken


def judge(  # noqa: PLR0913 - every input of a verdict is named
    base: LoadedEstate | None,
    head: LoadedEstate,
    facts: ChangeFacts,
    approvals: Iterable[Approval],
    now: datetime,
    *,
    tree: Mapping[str, bytes],
    enforce_intentions: bool,
    reviewed: bool = False,
    engine: Engine | None = None,
) -> Judgement:
    """Judge a change from `base` to `head`; `base` is None for the first commit.

    `tree` holds the files of head by path; evidence and the environment lock are read from it.
    Approvals must be verified signatures or a forge's word; here their people and roles are judged.
    With `enforce_intentions` a missing approval blocks an intention as it always blocks a
    promotion; without it it asks for a look. With `reviewed` nothing passes unseen by others.
    """
    engine = engine or cel_engine()
    spoken, broken = _language(head)
    if broken:
        findings = _sorted(spoken)
        return Judgement(verdict_of(findings), findings, kind=facts.kind, asked=engine)
    book = _both(base, head, engine)
    terms, people = Terms(authority(base, head), now, book.closed), standing(base, head, now)
    counted = count(approvals, facts, terms.roles, people)
    owned = tuple(check_owners(head, tree))
    generated = None if owned or tree is None else generated_file(head)
    requirements = required(facts, base, head, reviewed=reviewed, generated=generated)
    others = {one: held for one, held in terms.roles.items() if one not in facts.contributors}
    plain = tuple(map(_plain_approval, counted.used))
    world = World(
        head, instant(now), before=base, tree=tree, change=facts.to_plain(), approvals=plain
    )
    weighed = weigh(list(_asked(world, book, base, facts)), base, head, terms)
    strict = enforce_intentions or facts.kind is Kind.PROMOTION
    weight = Severity.ERROR if strict else Severity.WARNING
    days = futures(head, now)
    fixed = (*spoken, *integrity(base, head, facts.change), *days, *book.findings)
    findings = _sorted(
        (
            *fixed,
            *owned,
            *weighed.standing,
            *weighed.remarks,
            *unmet(requirements, counted, weight, others),
            *notes(counted),
            *_of_changes(_Parties(base, head, facts, terms, people, counted, generated), weight),
            *emergencies(facts, base, head, terms.roles),
        )
    )
    return Judgement(
        verdict_of(findings),
        findings,
        weighed.suppressed,
        facts.kind,
        counted.used,
        counted.refused,
        requirements,
        facts.loosened,
        book.digests,
        engine,
    )


@dataclass(frozen=True, slots=True)
class _Parties:
    """A change with all that is known of its people."""

    base: LoadedEstate | None
    head: LoadedEstate
    facts: ChangeFacts
    terms: Terms
    people: Standing
    counted: Counted
    generated: str | None


def _of_changes(one: _Parties, weight: Severity) -> Iterator[Finding]:
    """What no approval mends: power that would be gone, records of insiders, hidden loosenings."""
    if one.base is None:
        return
    yield from mixed_loosening(one.facts, one.base, one.head, one.generated)
    yield from emptied(one.base, one.head, one.terms.now)
    yield from shaped_by_unknown(one.facts, one.head)
    yield from challenged(one.facts, one.head, one.terms.roles, one.people)
    yield from withdrawn(one.facts, one.base, one.head)
    yield from challenges(one.facts, one.base, one.head, one.terms.now)
    yield from brought(one.facts.touched, one.head, one.terms, one.counted.used, weight)


def _both(base: LoadedEstate | None, head: LoadedEstate, engine: Engine) -> Rulebook:
    """The rules of base and of head."""
    book = rulebook(head, engine)
    if base is None:
        return book
    old = book if _same_rules(base, head) else rulebook(base, engine)
    return old.before(book).joined(book)


def _same_rules(base: LoadedEstate, head: LoadedEstate) -> bool:
    """Whether both declare the very same documents, so that their rules need no second compiling.

    Documents are the same ones where a change has left their files alone (see `load_estate`).
    """
    return all(
        len(before := base.all(kind)) == len(after := head.all(kind))
        and all(map(operator.is_, before, after))
        for kind in ("Policy", "PolicySet")
    )


def _asked(
    world: World, book: Rulebook, base: LoadedEstate | None, facts: ChangeFacts
) -> Iterator[tuple[str, Finding]]:
    """What policies and measurements find, each with the key of its object."""
    yield from ask_all(book, world, facts.touched, broken=False)
    if base is None:
        yield from serving_evidence(world.estate, world.tree)
    elif facts.kind is Kind.PROMOTION:
        yield from prove(Promotion(base, world.estate, facts, world.tree))


def _plain_approval(approval: Approval) -> dict[str, Any]:
    return {
        "person": approval.person,
        "role": approval.role,
        "time": instant(approval.time),
        "key": approval.key,
    }


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By place, then weight, without repetition, so that the same tree prints the same bytes.

    What cannot be read comes first: whatever else is said may be because of it.
    """

    def order(finding: Finding) -> tuple[bool, str, int, int, int, str, str]:
        at = finding.location
        place = (at.path, at.line, at.column) if at else ("~", 0, 0)
        read = not finding.code.startswith(_UNREAD)
        return (read, *place, finding.severity.rank, finding.code, finding.message)

    return tuple(sorted(dict.fromkeys(findings), key=order))
