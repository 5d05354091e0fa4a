"""A policy, compiled: its conditions, its variables, and what it demands.

A policy that mentions `change` or `approvals` is a question about a change. It is asked of the
documents that a change adds or edits. Where it leaves none, because it only removes documents or
changes other files, a policy for every kind is asked of the Estate. Transitions are asked of those
documents that were there before: they compare `object` with `oldObject`, which nothing else has.

The code of a finding is `POL-<policy>` for the first validation and `POL-<policy>.<name>` (without
a name: its position, from 2) for the others, so that a validation added later renames no code.
Without a name of its own a transition is `POL-<policy>.transition-<position>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.compiling import Screened
from ordain.policies.errors import ExpressionError
from ordain.policies.questions import Question
from ordain.specs.canonical import digest
from ordain.specs.findings import Finding, Severity
from ordain.specs.insides import offset_of, place_inside
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.cel.tree import Tree
    from ordain.policies.engine import Engine, Program
    from ordain.policies.world import World
    from ordain.specs.documents import Document
    from ordain.specs.findings import Location
    from ordain.specs.kinds.policy import Policy, PolicyValidation
    from ordain.specs.paths import Path

ESTATE: Final = "estate"
_MOST_PARTS: Final = 128
_MOST_TEXT: Final = 65_536
SEVERITY: Final = {
    "block": Severity.ERROR,
    "review": Severity.WARNING,
    "advise": Severity.NOTE,
}
_OF_A_CHANGE: Final = frozenset({"change", "approvals"})
# What can be wrong because another document has errors and is therefore absent.
_OF_OTHERS: Final = frozenset(
    {
        "model",
        "compliance",
        "evidence",
        "validation",
        "validations",
        "linked",
        "estate",
        "facts",
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One validation."""

    code: str
    spec: PolicyValidation
    severity: Severity
    program: Program
    message: Program | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled policy; `origin` is `estate`, or the pack it came with.

    `transition` says that `checks` are those of a change to something that was there before.
    """

    document: Document
    engine: Engine
    params: dict[str, Any]
    conditions: tuple[tuple[str, Program], ...]
    variables: tuple[tuple[str, Program], ...]
    checks: tuple[Check, ...]
    origin: str = ESTATE
    names: frozenset[str] = field(default=frozenset(), compare=False)
    transition: bool = False

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def field(self) -> str:
        """The field of the document that its checks stand in."""
        return "transitions" if self.transition else "validations"

    @property
    def declared(self) -> Iterator[tuple[Path, str, Program]]:
        """The conditions that the document declares, with their places in its spec.

        A transition has one more, which stands nowhere.
        """
        places = _conditions(self.document.spec)
        for (path, name, _), (_, program) in zip(places, self.conditions, strict=False):
            yield path, name, program

    @property
    def digest(self) -> str:
        """The identity of the rule: equal digests give equal findings."""
        return digest({"policy": to_plain(self.document.spec), "params": self.params})

    @property
    def of_change(self) -> bool:
        """Whether this is a question about a change and not about a tree."""
        return self.transition or bool(self.names & _OF_A_CHANGE)

    @property
    def of_others(self) -> bool:
        """Whether the answer depends on documents beside the object."""
        return bool(self.names & _OF_OTHERS)

    @property
    def matches_all(self) -> bool:
        """Whether objects of every kind are asked."""
        return not self.document.spec.match.kinds

    def matches(self, kind: str) -> bool:
        """Whether objects of this kind are asked at all."""
        kinds = self.document.spec.match.kinds
        return not kinds or kind in kinds

    @property
    def screened(self) -> Screened | None:
        """The rule as a part of a screen; None where a tree of it cannot be read."""
        conditions = _trees(program for _, program in self.conditions)
        variables = _trees(program for _, program in self.variables)
        validations = _trees(check.program for check in self.checks)
        if conditions is None or variables is None or validations is None:
            return None
        named = tuple(zip((name for name, _ in self.variables), variables, strict=True))
        return Screened(conditions, named, validations, self.params)

    def concerns(self, document: Document, world: World) -> bool | Finding:
        """Whether every condition holds for one object; a finding where that cannot be said."""
        return Question(self, document, world).concerns()

    def ask(self, document: Document, world: World) -> tuple[Finding, ...]:
        """The findings on one object."""
        return Question(self, document, world).findings()

    @property
    def here(self) -> tuple[tuple[Location, str], ...]:
        """The policy's own place, where it is a file of the estate."""
        return ((self.document.location, "the policy"),) if self.origin == ESTATE else ()


def _trees(programs: Iterable[Program]) -> tuple[Tree, ...] | None:
    found = tuple(program.tree for program in programs)
    read = tuple(tree for tree in found if tree is not None)
    return read if len(read) == len(found) else None


def compile_rules(
    document: Document,
    engine: Engine,
    *,
    params: Mapping[str, Any] | None = None,
    origin: str = ESTATE,
) -> tuple[tuple[Rule, ...], tuple[Finding, ...]]:
    """The rules of a Policy document, or what is wrong with it.

    `params` replace the policy's own, by name. The validations are one rule and the transitions
    another, because they are asked of other objects. A rule in Python has neither; it is asked
    beside these.
    """
    spec: Policy = document.spec
    if (excess := _too_large(document)) is not None:
        return (), (excess,)
    maker = _Maker(document, engine)
    conditions = tuple(maker.conditions(spec))
    variables = tuple(maker.variables(spec))
    checks = tuple(maker.checks("validations", spec.validations))
    transitions = tuple(maker.checks("transitions", spec.transitions))
    if maker.findings:
        return (), tuple(maker.findings)
    own = {**spec.params, **(params or {})}
    names = frozenset(maker.names).union(spec.python.reads if spec.python else ())
    rules = []
    if checks or spec.python is not None:
        rules.append(Rule(document, engine, own, conditions, variables, checks, origin, names))
    if transitions:
        changed = (*conditions, ("transition", engine.compile("oldObject != null")))
        parts = (changed, variables, transitions, origin, names | {"oldObject"})
        rules.append(Rule(document, engine, own, *parts, transition=True))
    return tuple(rules), ()


def _conditions(spec: Policy) -> Iterator[tuple[Path, str, str]]:
    """Every condition of a policy: its place in the spec, its name and its text."""
    if spec.match.when:
        yield ("match", "when"), "match.when", spec.match.when
    for index, one in enumerate(spec.match_conditions):
        yield ("matchConditions", index, "expression"), one.name, one.expression


def _too_large(document: Document) -> Finding | None:
    """A finding on a policy that would take longer to read than all others together."""
    spec: Policy = document.spec
    demands = (*spec.validations, *spec.transitions)
    parts = [one.expression for one in demands] + [one.expression for one in spec.variables]
    parts += [one.expression for one in spec.match_conditions]
    size = sum(map(len, (spec.match.when, *parts, *(one.message_expression for one in demands))))
    if len(parts) <= _MOST_PARTS and size <= _MOST_TEXT:
        return None
    return Finding(
        code="POL005",
        severity=Severity.ERROR,
        message=(
            f"the policy {document.name} has {len(parts):,} expressions of {size:,} characters;"
            f" at most are {_MOST_PARTS} of {_MOST_TEXT:,} together"
        ),
        location=document.location,
        remedy="make several policies of it",
    )


def code_of(policy: str, field: str, index: int, name: str | None) -> str:
    """The code of the findings of one validation or transition of a policy."""
    base = f"POL-{policy}"
    if name:
        return f"{base}.{name}"
    if field == "transitions":
        return f"{base}.transition-{index + 1}"
    return f"{base}.{index + 1}" if index else base


class _Maker:
    """Compiles the expressions of one policy and collects what does not compile."""

    def __init__(self, document: Document, engine: Engine) -> None:
        self.document = document
        self.engine = engine
        self.findings: list[Finding] = []
        self.names: set[str] = set()

    def program(self, expression: str, *path: str | int) -> Program | None:
        try:
            program = self.engine.compile(expression)
        except ExpressionError as error:
            self.findings.append(self._broken(error, expression, path))
            return None
        self.names |= program.names
        return program

    def conditions(self, spec: Policy) -> Iterator[tuple[str, Program]]:
        for path, name, text in _conditions(spec):
            program = self.program(text, *path)
            if program is None:
                continue
            if "variables" in program.names:
                self.findings.append(self._early(path))
            yield name, program

    def variables(self, spec: Policy) -> Iterator[tuple[str, Program]]:
        for index, one in enumerate(spec.variables):
            program = self.program(one.expression, "variables", index, "expression")
            if program is not None:
                yield one.name, program

    def checks(self, field: str, validations: Iterable[PolicyValidation]) -> Iterator[Check]:
        enforcement = self.document.spec.enforcement
        for index, one in enumerate(validations):
            at = (field, index)
            program = self.program(one.expression, *at, "expression")
            better = None
            if one.message_expression:
                better = self.program(one.message_expression, *at, "messageExpression")
            if program is not None:
                severity = Severity(one.severity) if one.severity else SEVERITY[enforcement]
                yield Check(
                    code_of(self.document.name, field, index, one.name),
                    one,
                    severity,
                    program,
                    better,
                )

    def _early(self, path: Path) -> Finding:
        """A condition that reads variables would never hold, and nothing would be asked."""
        return Finding(
            code="POL001",
            severity=Severity.ERROR,
            message=(
                f"the policy {self.document.name} does not compile: its conditions are asked"
                " before there are variables"
            ),
            location=self.document.marks.value("spec", *path),
            remedy="write in the condition what the variable says",
        )

    def _broken(
        self, error: ExpressionError, expression: str, path: Iterable[str | int]
    ) -> Finding:
        return Finding(
            code="POL001",
            severity=Severity.ERROR,
            message=f"the policy {self.document.name} does not compile: {error.message}",
            location=_inside(self.document, ("spec", *path), expression, error),
            evidence=(f"expression = {expression.strip()[:200]}",),
            remedy=error.remedy,
        )


def _inside(
    document: Document, path: tuple[str | int, ...], expression: str, error: ExpressionError
) -> Location:
    """The place inside the expression at which the compiler has stumbled."""
    at = offset_of(expression, error.line, error.column)
    return place_inside(document.marks, path, expression, at, at + 1)
