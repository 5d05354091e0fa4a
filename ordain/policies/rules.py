"""One policy, compiled, asked of one object.

A rule is silent where it does not match, gives a finding where a validation is not `true`, and
gives `POL002` where something in it cannot be evaluated: its condition, a validation, or a variable
that one of them uses. `POL002` always blocks, whatever the policy's enforcement, because a rule
that cannot be asked has not been answered. As in a Kubernetes ValidatingAdmissionPolicy a condition
that is false wins over one that cannot be evaluated, and a variable costs nothing until it is used.

A policy that mentions `change` or `approvals` is a question about a change. It is asked of the
documents that a change touches and of nothing else.

The code of a finding is `POL-<policy>` for the first validation and `POL-<policy>.<name>` (without
a name: its position, from 2) for the others, so that a validation added later renames no code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.compiling import Screened
from ordain.policies.errors import ExpressionError
from ordain.policies.passages import offset_of, passage_location
from ordain.policies.tracing import trace
from ordain.specs.canonical import digest
from ordain.specs.findings import Finding, Severity
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.cel.tree import Tree
    from ordain.policies.engine import Engine, Outcome, Program
    from ordain.policies.world import World
    from ordain.specs.documents import Document
    from ordain.specs.findings import Location
    from ordain.specs.kinds.policy import Policy, PolicyValidation

ESTATE: Final = "estate"
SEVERITY: Final = {
    "block": Severity.ERROR,
    "review": Severity.WARNING,
    "advise": Severity.NOTE,
}
_OF_A_CHANGE: Final = frozenset({"change", "approvals"})
# What can be wrong because another document has errors and is therefore absent.
_OF_OTHERS: Final = frozenset({"model", "compliance", "evidence", "linked", "estate", "facts"})


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
    """A compiled policy; `origin` is `estate`, or the pack it came with."""

    document: Document
    engine: Engine
    params: dict[str, Any]
    conditions: tuple[tuple[str, Program], ...]
    variables: tuple[tuple[str, Program], ...]
    checks: tuple[Check, ...]
    origin: str = ESTATE
    names: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def digest(self) -> str:
        """The identity of the rule: equal digests give equal findings."""
        return digest({"policy": to_plain(self.document.spec), "params": self.params})

    @property
    def of_change(self) -> bool:
        """Whether this is a question about a change and not about a tree."""
        return bool(self.names & _OF_A_CHANGE)

    @property
    def of_others(self) -> bool:
        """Whether the answer depends on documents beside the object."""
        return bool(self.names & _OF_OTHERS)

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

    def ask(self, document: Document, world: World) -> tuple[Finding, ...]:
        """The findings on one object."""
        return _Question(self, document, world).findings()

    @property
    def here(self) -> tuple[tuple[Location, str], ...]:
        """The policy's own place, where it is a file of the estate."""
        return ((self.document.location, "the policy"),) if self.origin == ESTATE else ()


def _trees(programs: Iterable[Program]) -> tuple[Tree, ...] | None:
    found = tuple(program.tree for program in programs)
    read = tuple(tree for tree in found if tree is not None)
    return read if len(read) == len(found) else None


class _Question:
    """One rule and one object: the answer, with reasons."""

    def __init__(self, rule: Rule, document: Document, world: World) -> None:
        self.rule = rule
        self.document = document
        self.world = world
        self.values = world.values(document, rule.names)
        self.values |= {"params": rule.params, "variables": {}}
        self.binding = rule.engine.bind(self.values)
        self.failed: dict[str, str] = {}

    def findings(self) -> tuple[Finding, ...]:
        applies = self._applies()
        if isinstance(applies, str):
            return (self._unanswered((), applies),)
        if not applies:
            return ()
        self._evaluate_variables()
        found = (self._answer(check) for check in self.rule.checks)
        return tuple(finding for finding in found if finding is not None)

    def _applies(self) -> bool | str:
        """Whether every condition holds; the reason where that cannot be said."""
        trouble = ""
        for name, program in self.rule.conditions:
            outcome = program.run(self.binding)
            if outcome.value is False and not outcome.error:
                return False
            if not outcome.passed:
                trouble = trouble or f"{name}: {_why(outcome)}"
        return trouble or True

    def _evaluate_variables(self) -> None:
        """Bind the variables; one that fails is left out and its reason kept."""
        found: dict[str, Any] = {}
        stale = False
        for name, program in self.rule.variables:
            if stale and "variables" in program.names:
                self.binding = self.rule.engine.bind({**self.values, "variables": dict(found)})
                stale = False
            outcome = program.value(self.binding)
            if outcome.error:
                self.failed[name] = outcome.error
                continue
            found[name] = outcome.value
            stale = True
        self.values["variables"] = found
        if found:
            self.binding = self.rule.engine.bind(self.values)

    def _answer(self, check: Check) -> Finding | None:
        outcome = check.program.run(self.binding)
        if outcome.passed:
            return None
        if outcome.value is False and not outcome.error:
            return self._violated(check)
        used = self._used(check.program)
        failed = [f"variables.{name}: {why}" for name, why in self.failed.items() if name in used]
        reason = "; ".join([f"{check.code}: {_why(outcome)}", *failed])
        return self._unanswered((check.program,), reason)

    def _used(self, program: Program) -> set[str]:
        """The variables that an expression uses, directly or through another one."""
        programs = dict(self.rule.variables)
        waiting, used = [program], set[str]()
        while waiting:
            one = waiting.pop()
            for name in one.tree.variables if one.tree else programs:
                if name in programs and name not in used:
                    used.add(name)
                    waiting.append(programs[name])
        return used

    def _violated(self, check: Check) -> Finding:
        better = check.message.run(self.binding).value if check.message else None
        message = better if isinstance(better, str) and better else check.spec.message
        return self._finding(
            check.code,
            check.severity,
            message,
            (check.program,),
            remedy=check.spec.remedy,
            controls=check.spec.controls,
        )

    def _unanswered(self, programs: tuple[Program, ...], reason: str) -> Finding:
        name, key = self.rule.name, self.document.key
        return self._finding(
            "POL002",
            Severity.ERROR,
            f"the policy {name} could not be evaluated on {key}: {reason}",
            programs,
            remedy="guard optional fields in the policy with has(...) or .? and orValue(...)",
        )

    def _finding(
        self,
        code: str,
        severity: Severity,
        message: str,
        programs: tuple[Program, ...],
        *,
        remedy: str,
        controls: tuple[str, ...] = (),
    ) -> Finding:
        """A finding at the value that decided, with the reads that led there."""
        conditions = [program for _, program in self.rule.conditions]
        found = trace(
            self.world,
            self.document,
            self.values,
            programs or conditions,
            conditions,
            dict(self.rule.variables),
        )
        beside = ((self.document.location, "the object"),) if found.elsewhere else ()
        return Finding(
            code=code,
            severity=severity,
            message=message,
            location=found.location,
            evidence=(f"object = {self.document.key}", *found.reads),
            remedy=remedy,
            controls=controls,
            related=(*beside, *self.rule.here),
        )


def _why(outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    return f"the answer is {outcome.value!r}, which is neither true nor false"


def compile_rule(
    document: Document,
    engine: Engine,
    *,
    params: Mapping[str, Any] | None = None,
    origin: str = ESTATE,
) -> tuple[Rule | None, tuple[Finding, ...]]:
    """The rule of a Policy document, or what is wrong with its expressions.

    `params` replace the policy's own, by name.
    """
    maker = _Maker(document, engine)
    spec: Policy = document.spec
    conditions = list(maker.conditions(spec))
    variables = list(maker.variables(spec))
    checks = list(maker.checks(spec))
    if maker.findings:
        return None, tuple(maker.findings)
    rule = Rule(
        document,
        engine,
        {**spec.params, **(params or {})},
        tuple(conditions),
        tuple(variables),
        tuple(checks),
        origin,
        frozenset(maker.names),
    )
    return rule, ()


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
        texts: list[tuple[str, str, tuple[str | int, ...]]] = []
        if spec.match.when:
            texts.append(("match.when", spec.match.when, ("match", "when")))
        for index, one in enumerate(spec.match_conditions):
            texts.append((one.name, one.expression, ("matchConditions", index, "expression")))
        for name, text, path in texts:
            program = self.program(text, *path)
            if program is not None:
                yield name, program

    def variables(self, spec: Policy) -> Iterator[tuple[str, Program]]:
        for index, one in enumerate(spec.variables):
            program = self.program(one.expression, "variables", index, "expression")
            if program is not None:
                yield one.name, program

    def checks(self, spec: Policy) -> Iterator[Check]:
        for index, one in enumerate(spec.validations):
            at = ("validations", index)
            program = self.program(one.expression, *at, "expression")
            better = None
            if one.message_expression:
                better = self.program(one.message_expression, *at, "messageExpression")
            if program is not None:
                severity = Severity(one.severity) if one.severity else SEVERITY[spec.enforcement]
                yield Check(self._code(index, one), one, severity, program, better)

    def _code(self, index: int, validation: PolicyValidation) -> str:
        base = f"POL-{self.document.name}"
        if validation.name:
            return f"{base}.{validation.name}"
        return f"{base}.{index + 1}" if index else base

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
    return passage_location(document, path, expression, at, at + 1)
