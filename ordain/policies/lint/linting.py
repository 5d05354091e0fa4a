"""The findings on policies themselves.

Errors are policies that cannot do what they say: a kind or field that does not exist, an answer
that never changes, a variable that nobody declared. Warnings are parts that do nothing. Notes are
what a reader of a finding will miss: a remedy, a control.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.extents import extent, passage
from ordain.policies.lint.constants import Constants
from ordain.policies.lint.failing import failing
from ordain.policies.lint.inference import Inference, Problem
from ordain.policies.lint.scope import scope_of
from ordain.policies.lint.types import base, record, words
from ordain.policies.lint.uses import Use, uses
from ordain.policies.rules import compile_rules
from ordain.specs.findings import Finding, Severity
from ordain.specs.insides import place_inside
from ordain.specs.kinds import kind_names
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ordain.policies.cel.tree import Node, Tree
    from ordain.policies.engine import Engine, Program
    from ordain.policies.lint.types import Type
    from ordain.policies.rules import Check, Rule
    from ordain.specs.documents import Document, Step
    from ordain.specs.findings import Location
    from ordain.specs.kinds.policy import Policy

# Every other code is an error: the policy cannot do what it says.
_WARNINGS: Final = frozenset(
    {"LINT004", "LINT005", "LINT013", "LINT014", "LINT021", "LINT023", "LINT030"}
)
_NOTES: Final = frozenset({"LINT031", "LINT032"})


def lint(policies: Iterable[Document], engine: Engine) -> tuple[Finding, ...]:
    """What is wrong with some Policy documents, in the order of their files."""
    found = [finding for document in policies for finding in _policy(document, engine)]
    return tuple(sorted(dict.fromkeys(found), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    at = finding.location
    return (at.path, at.line, at.column, finding.code) if at else ("~", 0, 0, finding.code)


def _policy(document: Document, engine: Engine) -> Iterator[Finding]:
    rules, broken = compile_rules(document, engine)
    yield from _unknown_kinds(document)
    yield from broken
    if rules:
        yield from _Linting(rules, engine).findings()


def _unknown_kinds(document: Document) -> Iterator[Finding]:
    kinds = document.spec.match.kinds
    for index, kind in enumerate(kinds):
        place = document.marks.value("spec", "match", "kinds", index)
        if kind not in kind_names():
            remedy = did_you_mean(kind, kind_names()) or f"known: {', '.join(kind_names())}"
            yield _finding("LINT001", f"there is no kind {kind}", place, remedy)
        elif kind in kinds[:index]:
            yield _finding("LINT004", f"the kind {kind} is named twice", place, "name it once")


@dataclass(frozen=True, slots=True)
class _Part:
    """One expression of a policy, whose tree can be read."""

    role: str
    name: str
    path: tuple[Step, ...]
    program: Program
    tree: Tree

    @property
    def text(self) -> str:
        return self.program.text


class _Linting:
    """One policy that compiles: its validations and its transitions."""

    def __init__(self, rules: Sequence[Rule], engine: Engine) -> None:
        self._rule = rule = rules[0]
        self._rules = rules
        self._engine = engine
        self._document = rule.document
        self._spec: Policy = rule.document.spec
        self._parts = tuple(_parts(rules))
        kinds = tuple(kind for kind in self._spec.match.kinds if kind in kind_names())
        self._scope = scope_of(kinds, rule.params)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong with it."""
        variables: dict[str, Type] = {}
        unsure: list[tuple[str, Finding]] = []
        guards: set[str] = set()
        for part in self._parts:
            scope = {**self._scope, "variables": record("variables", variables)}
            inference = Inference(scope)
            found = inference.infer(part.tree.root)
            yield from (self._problem(part, problem) for problem in inference.problems)
            yield from self._answers(part, inference.decided)
            unsure += [(path, self._problem(part, one)) for path, one in inference.unsure]
            guards |= inference.guards
            yield from self._fails(part, found)
            if part.role == "variable":
                variables[part.name] = found
            elif part.role == "message":
                yield from self._message(part, found)
        yield from _unguarded(unsure, guards)
        yield from self._uses()
        yield from self._repeated()
        yield from self._words()

    def _problem(self, part: _Part, problem: Problem) -> Finding:
        start, end = extent(part.text, part.tree, problem.node)
        if problem.word:
            at = part.text.rfind(problem.word, start, end)
            start, end = (at, at + len(problem.word)) if at >= 0 else (start, end)
        place = place_inside(self._document.marks, part.path, part.text, start, end)
        return _finding(problem.code, problem.message, place, problem.remedy)

    # ── constants ────────────────────────────────────────────────────────────────────────────

    def _answers(self, part: _Part, decided: dict[int, bool]) -> Iterator[Finding]:
        tree = part.tree
        constants = Constants(part.program, self._engine, decided)
        whole = constants.answer(tree, tree.root)
        if whole is not None and part.role in _WHOLE:
            yield self._constant(part, whole)
            return
        for node, answer in constants.parts(tree):
            said = "true" if answer else "false"
            text = passage(part.text, tree, node)
            message = f"`{text}` is always {said}, whatever the object"
            remedy = "remove what decides nothing, or mend it"
            yield _finding("LINT004", message, self._place(part, node), remedy)

    def _fails(self, part: _Part, of: Type) -> Iterator[Finding]:
        """What can never be evaluated, and what is evaluated to no answer."""
        for node, error in failing(part.program, part.tree, self._engine):
            message = f"`{passage(part.text, part.tree, node)}` cannot be evaluated: {error}"
            yield _finding("LINT012", message, self._place(part, node), "mend it")
        if part.role in _WHOLE and of and "bool" not in {base(one) for one in of}:
            message = f"{part.name} is {words(of)}, and only true is a pass"
            place = self._place(part, part.tree.root)
            yield _finding("LINT012", message, place, "ask something about it, as with ==")

    def _constant(self, part: _Part, whole: bool) -> Finding:  # noqa: FBT001 - an answer
        place = self._place(part, part.tree.root)
        if part.role == "condition" and not whole:
            message = f"{part.name} is never true, so this policy asks about nothing"
            return _finding("LINT002", message, place, "mend the condition")
        if part.role == "condition":
            message = f"{part.name} is always true, so it decides nothing"
            return _finding("LINT004", message, place, "remove the condition, or mend it")
        if whole:
            message = f"{part.name} is always true, so it can never find anything"
        else:
            message = f"{part.name} is never true, so it finds every object"
        return _finding("LINT003", message, place, "let it depend on the object")

    def _place(self, part: _Part, node: Node) -> Location:
        start, end = extent(part.text, part.tree, node)
        return place_inside(self._document.marks, part.path, part.text, start, end)

    def _message(self, part: _Part, of: Type) -> Iterator[Finding]:
        place = self._place(part, part.tree.root)
        if of and "text" not in {base(one) for one in of}:
            message = "this message is no text, so it is never used"
            yield _finding("LINT030", message, place, "convert it with string(...)")
        elif not part.program.names:
            message = "this message is the same for every object"
            yield _finding(
                "LINT030", message, place, "write it as `message`, or name what is wrong"
            )

    # ── variables, params, repetitions ───────────────────────────────────────────────────────

    def _uses(self) -> Iterator[Finding]:
        """Variables and params that are used and not declared, or the other way round."""
        declared = {"variables": set[str](), "params": set(self._rule.params)}
        every = {one.name for one in self._spec.variables}
        used: set[tuple[str, str]] = set()
        for part in self._parts:
            for use in uses(part.tree):
                used.add((use.bag, use.field))
                if use.field and use.field not in declared[use.bag]:
                    yield self._problem(part, _undeclared(use, every, declared))
            if part.role == "variable":
                declared["variables"].add(part.name)
        yield from self._unused(used)

    def _unused(self, used: set[tuple[str, str]]) -> Iterator[Finding]:
        marks = self._document.marks
        for index, one in enumerate(self._spec.variables):
            if not used & {("variables", one.name), ("variables", "")}:
                place = marks.value("spec", "variables", index, "name")
                yield _finding(
                    "LINT021", f"no expression uses variables.{one.name}", place, _REMOVE
                )
        for name in self._spec.params:
            if not used & {("params", name), ("params", "")}:
                place = marks.key("spec", "params", name)
                yield _finding("LINT023", f"no expression uses params.{name}", place, _REMOVE)

    def _repeated(self) -> Iterator[Finding]:
        """Names and validations that stand there twice."""
        spec = self._spec
        named: tuple[tuple[str, list[str | None]], ...] = (
            ("matchConditions", [one.name for one in spec.match_conditions]),
            ("variables", [one.name for one in spec.variables]),
            *((rule.field, [check.spec.name for check in rule.checks]) for rule in self._rules),
        )
        for field, names in named:
            for index, name in enumerate(names):
                if name and name in names[:index]:
                    place = self._document.marks.value("spec", field, index, "name")
                    message = f"two {_PLURALS[field]} of this policy are named {name}"
                    yield _finding("LINT006", message, place, "rename one of the two")
        for rule in self._rules:
            texts = [check.spec.expression.split() for check in rule.checks]
            for index, text in enumerate(texts):
                if text in texts[:index]:
                    place = self._document.marks.value("spec", rule.field, index, "expression")
                    first = rule.checks[texts.index(text)].code
                    message = f"this is the expression of {first}, so it never says anything new"
                    yield _finding("LINT005", message, place, "remove it, or say what was meant")

    def _words(self) -> Iterator[Finding]:
        """What a reader of a finding will look for."""
        for at, check in _checks(self._rules):
            place = self._document.marks.key("spec", *at, "message")
            code, one = check.code, check.spec
            if not one.message.strip():
                where = self._document.marks.value("spec", *at, "message")
                yield _finding("LINT030", f"{code} has no message", where, "say what is wrong")
            if not one.remedy.strip():
                yield _finding("LINT031", f"{code} has no remedy", place, "say how to mend it")
            if not one.controls:
                remedy = "name the controls that it serves: `controls: [ID]`"
                yield _finding("LINT032", f"{code} serves no control", place, remedy)


def _unguarded(unsure: list[tuple[str, Finding]], guards: set[str]) -> Iterator[Finding]:
    """Reads of what may be absent, where nothing in the policy asks whether it is there.

    Whether the guard stands where it helps is not judged. Below what may be absent only the first
    step is named.
    """
    open_paths = {path for path, _ in unsure} - guards
    for path, finding in unsure:
        if path in open_paths and not any(path.startswith(f"{one}.") for one in open_paths):
            yield finding


_WHOLE: Final = frozenset({"condition", "validation"})
_REMOVE: Final = "remove it, or use it"
_PLURALS: Final = {
    "matchConditions": "conditions",
    "variables": "variables",
    "validations": "validations",
    "transitions": "transitions",
}


def _parts(rules: Sequence[Rule]) -> Iterator[_Part]:
    """The expressions of a policy in the order in which they are asked."""
    for role, name, path, program in _programs(rules):
        if program.tree is not None:
            yield _Part(role, name, ("spec", *path), program, program.tree)


def _checks(rules: Sequence[Rule]) -> Iterator[tuple[tuple[Step, ...], Check]]:
    """Every validation and transition with its place in the spec."""
    for rule in rules:
        for index, check in enumerate(rule.checks):
            yield (rule.field, index), check


def _programs(
    rules: Sequence[Rule],
) -> Iterator[tuple[str, str, tuple[Step, ...], Program]]:
    rule = rules[0]
    for path, name, program in rule.declared:
        yield "condition", name, path, program
    for index, (name, program) in enumerate(rule.variables):
        yield "variable", name, ("variables", index, "expression"), program
    for at, check in _checks(rules):
        yield "validation", check.code, (*at, "expression"), check.program
        if check.message is not None:
            yield "message", check.code, (*at, "messageExpression"), check.message


def _undeclared(use: Use, every: set[str], declared: dict[str, set[str]]) -> Problem:
    """A variable or parameter that is not there, or not yet."""
    field, node = use.field, use.node
    if use.bag == "params":
        message = f"the policy has no parameter {field}"
        remedy = did_you_mean(field, declared["params"])
        remedy = remedy or f"declare it: `params: {{{field}: ...}}`"
        return Problem("LINT022", node, message, remedy, field)
    if field in every:
        message = f"variables.{field} is not there yet: it is declared further down"
        return Problem("LINT020", node, message, "write it out, or move its declaration up", field)
    message = f"the policy has no variable {field}"
    remedy = did_you_mean(field, every) or "declare it under `variables`"
    return Problem("LINT020", node, message, remedy, field)


def _finding(code: str, message: str, place: Location, remedy: str) -> Finding:
    severity = Severity.ERROR
    if code in _WARNINGS:
        severity = Severity.WARNING
    elif code in _NOTES:
        severity = Severity.NOTE
    return Finding(code, severity, message, place, remedy=remedy)
