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

from ordain.policies.errors import ExpressionError
from ordain.policies.places import place_of, reads_of, with_variables
from ordain.specs.canonical import digest
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.engine import Binding, Engine, Outcome, Program
    from ordain.policies.world import World
    from ordain.specs.documents import Document
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
    """One validation; `text` is its expression with that of the variables it uses."""

    code: str
    spec: PolicyValidation
    severity: Severity
    program: Program
    message: Program | None
    text: str


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
    whole: Program | None = field(default=None, compare=False)

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

    def ask(self, document: Document, world: World) -> tuple[Finding, ...]:
        """The findings on one object."""
        values = world.values(document, self.names) | {"params": self.params, "variables": {}}
        binding = self.engine.bind(values)
        if self._holds(binding):
            return ()
        applies = self._applies(binding)
        if isinstance(applies, str):
            return (self._unanswered(document, values, self._condition_text, applies),)
        if not applies:
            return ()
        errors = dict[str, str]()
        binding = self._with_variables(values, binding, errors)
        found = (self._answer(check, document, values, binding, errors) for check in self.checks)
        return tuple(finding for finding in found if finding is not None)

    def _holds(self, binding: Binding) -> bool:
        """Whether the policy as one expression says that it does not apply or that all is true.

        Only these two answers are taken; whoever needs to know more asks one by one.
        """
        if self.whole is None:
            return False
        outcome = self.whole.run(binding)
        answers = outcome.value
        return (
            not outcome.error
            and isinstance(answers, list)
            and len(answers) in {0, len(self.checks)}
            and all(answer is True for answer in answers)
        )

    def _applies(self, binding: Binding) -> bool | str:
        """Whether every condition holds; the reason where that cannot be said."""
        trouble = ""
        for name, program in self.conditions:
            outcome = program.run(binding)
            if outcome.value is False and not outcome.error:
                return False
            if not outcome.passed:
                trouble = trouble or f"{name}: {_why(outcome)}"
        return trouble or True

    def _with_variables(
        self, values: dict[str, Any], binding: Binding, errors: dict[str, str]
    ) -> Binding:
        """A binding that holds the variables; one that fails is left out and its reason kept."""
        found: dict[str, Any] = {}
        stale = False
        for name, program in self.variables:
            if stale and "variables" in program.names:
                binding = self.engine.bind({**values, "variables": dict(found)})
                stale = False
            outcome = program.run(binding)
            if outcome.error or not _is_json(outcome.value):
                errors[name] = outcome.error or "a variable must be what JSON can say"
                continue
            found[name] = outcome.value
            stale = True
        values["variables"] = found
        return self.engine.bind(values) if found else binding

    def _answer(
        self,
        check: Check,
        document: Document,
        values: Mapping[str, Any],
        binding: Binding,
        errors: Mapping[str, str],
    ) -> Finding | None:
        outcome = check.program.run(binding)
        if outcome.passed:
            return None
        if outcome.value is False and not outcome.error:
            return self._violated(check, document, values, binding)
        failed = [f"variables.{name}: {why}" for name, why in errors.items() if name in check.text]
        reason = "; ".join([f"{check.code}: {_why(outcome)}", *failed])
        return self._unanswered(document, values, check.text, reason)

    def _violated(
        self, check: Check, document: Document, values: Mapping[str, Any], binding: Binding
    ) -> Finding:
        better = check.message.run(binding).value if check.message else None
        return Finding(
            code=check.code,
            severity=check.severity,
            message=better if isinstance(better, str) and better else check.spec.message,
            location=place_of(document, check.text, self._condition_text),
            evidence=(f"object = {document.key}", *reads_of(values, check.text)),
            remedy=check.spec.remedy,
            controls=check.spec.controls,
            related=self._here,
        )

    def _unanswered(
        self, document: Document, values: Mapping[str, Any], text: str, reason: str
    ) -> Finding:
        return Finding(
            code="POL002",
            severity=Severity.ERROR,
            message=f"the policy {self.name} could not be evaluated on {document.key}: {reason}",
            location=place_of(document, text, self._condition_text),
            evidence=(f"object = {document.key}", *reads_of(values, text)),
            remedy="guard optional fields in the policy with has(...) or .? and orValue(...)",
            related=self._here,
        )

    @property
    def _condition_text(self) -> str:
        match = self.document.spec.match
        return " ".join([match.when, *(c.expression for c in self.document.spec.match_conditions)])

    @property
    def _here(self) -> tuple[tuple[Location, str], ...]:
        """The policy's own place, where it is a file of the estate."""
        return ((self.document.location, "the policy"),) if self.origin == ESTATE else ()


def _why(outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    return f"the answer is {outcome.value!r}, which is neither true nor false"


def _is_json(value: Any) -> bool:  # noqa: ANN401 - whatever the engine gave
    """Whether the evaluator takes the value back; a time or a duration it does not."""
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    return value is None or isinstance(value, bool | int | float | str)


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
        _whole(spec, engine, origin),
    )
    return rule, ()


def _whole(spec: Policy, engine: Engine, origin: str) -> Program | None:
    """The policy as one expression, where that is sure to say what the policy says.

    Variables are put into it by their text, and a variable of an expression is more than its text:
    a comprehension may call its own one `variables`, and a whole can hold values (a time, an
    optional) that a variable cannot. Policies that ship with ordain are tested for it; an estate's
    may say anything.
    """
    if spec.variables and origin == ESTATE:
        return None
    conditions = [spec.match.when] if spec.match.when else []
    conditions += [one.expression for one in spec.match_conditions]
    variables = [(one.name, one.expression) for one in spec.variables]
    return engine.compile_whole(conditions, variables, [one.expression for one in spec.validations])


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
        variables = {one.name: one.expression for one in spec.variables}
        for index, one in enumerate(spec.validations):
            at = ("validations", index)
            program = self.program(one.expression, *at, "expression")
            better = None
            if one.message_expression:
                better = self.program(one.message_expression, *at, "messageExpression")
            if program is not None:
                severity = Severity(one.severity) if one.severity else SEVERITY[spec.enforcement]
                text = with_variables(one.expression, variables)
                yield Check(self._code(index, one), one, severity, program, better, text)

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
            location=_inside(self.document.marks.value("spec", *path), expression, error),
            evidence=(f"expression = {expression.strip()[:200]}",),
            remedy=error.remedy,
        )


def _inside(start: Location, expression: str, error: ExpressionError) -> Location:
    """The place inside the expression, where the text stands in the file as it was compiled.

    A plain or quoted scalar on one line does; in a block scalar only the start is known.
    """
    quotes = start.length - len(expression)
    if "\n" in expression or quotes not in (0, 2):
        return start
    return Location(start.path, start.line, start.column + quotes // 2 + error.column - 1)
