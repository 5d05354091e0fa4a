"""What a file of policy tests may say.

The shape is that of the examples of a pack: an estate, and for each policy the edits of it that
must pass (`good`) and those that must be found (`bad`). It is read by the validators of the
language, so that a misspelt field is a finding with a caret and not a test that tests nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Instant, Scalar, about
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import SchemaValidator

    from ordain.specs.documents import Marks, Step

# The time of a case that names none: a test must not depend on the day on which it runs.
WHEN: Final = "2026-11-20T09:30:00Z"

# A change that nobody made would be none; a case that cares says who.
_SOMEBODY: Final = "data-scientist"

Edits = dict[str, dict[str, Any] | str | None]


@declared
class Expected:
    """A finding that must be there."""

    code: Annotated[str, about("code of the finding")]
    at: Annotated[Scalar | None, about("the text that it points at")] = None
    on: Annotated[str | None, about("Kind/name of the object that it is about")] = None
    line: Annotated[int | None, about("line that it points at", ge=1)] = None
    message: Annotated[str | None, about("text that stands in its message")] = None


@declared
class People:
    """Who made a change; only a repository knows."""

    contributors: Annotated[tuple[str, ...], about("people who contributed")] = (_SOMEBODY,)
    pusher: Annotated[str | None, about("who pushed")] = _SOMEBODY
    signers: Annotated[tuple[str | None, ...], about("who signed each commit")] = (_SOMEBODY,)


@declared
class GivenChange:
    """What replaces a computed fact about the change."""

    kind: Annotated[
        Literal["estate", "intention", "promotion"] | None, about("kind of the change")
    ] = None
    paths: Annotated[tuple[str, ...] | None, about("files that the change touches")] = None


@declared
class GivenApproval:
    """An approval that counts."""

    person: Annotated[str, about("who approved")]
    role: Annotated[str, about("as what")]
    time: Annotated[Instant | None, about("when; the time of the case otherwise")] = None
    key: Annotated[str, about("fingerprint of the key that signed")] = ""


@declared
class Case:
    """One estate and what must be found in it.

    `before`, `by`, `approvals` and `change` make a change of it: from the estate with the edits of
    `before` to that with those of `documents` and `set` as well.
    """

    name: Annotated[str, about("what the case shows")] = ""
    set: Annotated[
        Edits, about("edits of documents and files; null takes away, a whole spec adds")
    ] = field(default_factory=dict)
    documents: Annotated[
        tuple[dict[str, Any], ...], about("whole documents, in the place of those of their names")
    ] = ()
    before: Annotated[Edits | None, about("edits that make the base of a change")] = None
    by: Annotated[People | None, about("who made the change")] = None
    change: Annotated[GivenChange | None, about("facts that are not to be computed")] = None
    approvals: Annotated[
        dict[str, str] | tuple[GivenApproval, ...], about("approvals that count: role by person")
    ] = ()
    evidence: Annotated[dict[str, dict[str, Any]], about("evidence, by ModelVersion/name")] = field(
        default_factory=dict
    )
    now: Annotated[Instant | None, about("time of the case")] = None
    params: Annotated[dict[str, Any], about("values that replace params of the policies")] = field(
        default_factory=dict
    )
    finds: Annotated[
        str | Expected | tuple[str | Expected, ...], about("findings that must be there, no others")
    ] = ()
    at: Annotated[Scalar | None, about("the text that the only finding points at")] = None
    line: Annotated[int | None, about("line that the only finding points at", ge=1)] = None
    message: Annotated[str | None, about("text in the message of the only finding")] = None
    also: Annotated[
        tuple[str, ...], about("codes that are found too, once or more, of other policies as well")
    ] = ()

    @property
    def expected(self) -> tuple[Expected, ...]:
        """The findings that must be there."""
        found = self.finds if isinstance(self.finds, tuple) else (self.finds,)
        expected = tuple(
            Expected(code=one) if isinstance(one, str) else one for one in found if one != ""
        )
        if len(expected) != 1:
            return expected
        (only,) = expected
        return (
            Expected(
                code=only.code,
                at=self.at if only.at is None else only.at,
                on=only.on,
                line=only.line or self.line,
                message=only.message or self.message,
            ),
        )

    @property
    def of_change(self) -> bool:
        """Whether the case is about a change."""
        given = (self.before, self.by, self.change)
        return any(one is not None for one in given) or bool(self.approvals)

    @property
    def approved(self) -> tuple[GivenApproval, ...]:
        """The approvals, however they are written."""
        if isinstance(self.approvals, tuple):
            return self.approvals
        return tuple(GivenApproval(person=one, role=role) for one, role in self.approvals.items())


@declared
class Cases:
    """The cases of one policy."""

    good: Annotated[tuple[Case, ...], about("cases in which it finds nothing")] = ()
    bad: Annotated[tuple[Case, ...], about("cases in which it finds something")] = ()


@declared
class Suite:
    """A file of tests."""

    estate: Annotated[
        tuple[dict[str, Any], ...] | None,
        about("documents that the cases edit; those of this estate otherwise"),
    ] = None
    files: Annotated[dict[str, str], about("further files of that estate, by path")] = field(
        default_factory=dict
    )
    now: Annotated[Instant | None, about("time of the cases that name none")] = None
    policies: Annotated[dict[str, Cases], about("cases by the policy that is asked")] = field(
        default_factory=dict
    )
    cases: Annotated[tuple[Case, ...], about("cases in which all policies in force are asked")] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a file of tests: its marks and the path to it."""

    marks: Marks
    path: tuple[Step, ...] = ()

    def at(self, *steps: Step) -> Place:
        """A part of this part."""
        return Place(self.marks, (*self.path, *steps))

    @property
    def key(self) -> Location:
        """Where its key stands; of an item, the item."""
        return self.marks.key(*self.path)

    @property
    def value(self) -> Location:
        """Where its value stands."""
        return self.marks.value(*self.path)

    @property
    def span(self) -> tuple[int, int]:
        """The code-point offsets of its value."""
        return self.marks.span(*self.path)


@dataclass(frozen=True, slots=True)
class Stated:
    """One case with its place; `policy` is empty where all policies in force are asked."""

    policy: str
    verdict: str
    number: int
    case: Case
    place: Place

    @property
    def name(self) -> str:
        """What reports call it."""
        said = self.case.name or f"{self.verdict} {self.number}"
        return f"{self.policy}: {said}" if self.policy else said


@dataclass(frozen=True, slots=True)
class Read:
    """A file of tests that could be read."""

    path: str
    suite: Suite
    place: Place

    def stated(self) -> Iterator[Stated]:
        """Every case, in the order of the file."""
        for policy, cases in self.suite.policies.items():
            for verdict, found in (("bad", cases.bad), ("good", cases.good)):
                for index, case in enumerate(found):
                    place = self.place.at("policies", policy, verdict, index)
                    yield Stated(policy, verdict, index + 1, case, place)
        for index, case in enumerate(self.suite.cases):
            yield Stated("", "case", index + 1, case, self.place.at("cases", index))


@cache
def _validator() -> SchemaValidator:
    from ordain.specs.validators import validator

    return validator(Suite)


def read_suite(data: bytes, path: str) -> tuple[Read | None, tuple[Finding, ...]]:
    """The tests in a file, or what is wrong with it."""
    parsed = parse(data, path)
    if parsed.findings:
        return None, parsed.findings
    if len(parsed.nodes) != 1 or not isinstance(parsed.nodes[0].value, dict):
        return None, (_no_suite(path),)
    node = parsed.nodes[0]
    from pydantic_core import ValidationError

    try:
        suite: Suite = _validator().validate_python(node.value)
    except ValidationError as error:
        from ordain.specs.problems import Translator

        errors = error.errors(include_url=False)
        return None, Translator(Suite, node.value, node.marks, ()).findings(errors)
    read = Read(path, suite, Place(node.marks))
    wrong = (*_empty(read), *_misplaced(read))
    return (None if wrong else read), wrong


def _no_suite(path: str) -> Finding:
    return Finding(
        "TEST003",
        Severity.ERROR,
        "a file of tests is one mapping with `policies` or `cases`",
        Location(path),
        remedy="write `policies: {NAME: {good: [...], bad: [...]}}`",
    )


def _empty(read: Read) -> Iterator[Finding]:
    """What looks like a test and asks nothing."""
    remedy = "write a case, such as `good: [{}]`, or remove it"
    if not (read.suite.policies or read.suite.cases):
        message = "this file of tests has no case"
        yield Finding("TEST003", Severity.ERROR, message, Location(read.path), remedy=remedy)
    for policy, cases in read.suite.policies.items():
        if not (cases.good or cases.bad):
            place = read.place.at("policies", policy).key
            message = f"there is no case for {policy}"
            yield Finding("TEST003", Severity.ERROR, message, place, remedy=remedy)


def _misplaced(read: Read) -> Iterator[Finding]:
    """Cases that expect what their place denies."""
    for stated in read.stated():
        expects = bool(stated.case.expected)
        if stated.verdict == "bad" and not expects:
            message, remedy = "a bad case finds something", "say what: `finds: CODE`"
        elif stated.verdict == "good" and expects:
            message, remedy = "a good case finds nothing", "move it to `bad`, or remove `finds`"
        else:
            continue
        yield Finding("TEST003", Severity.ERROR, message, stated.place.key, remedy=remedy)
