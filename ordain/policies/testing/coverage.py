"""Which answers of a policy the cases have seen.

What counts: every condition of the policy (`match.when`, `matchConditions`), every validation, and
inside of these and of variables every part that is true or false, such as an operand of `&&`, a
comparison, `has(...)`, the body of `all(...)`. Each can be true and can be false, which makes two
outcomes; the percentage is that of the outcomes that were seen. A negation is not counted beside
what it negates. That an expression could not be evaluated is reported and not asked for, because
most expressions always can be.

The functions that are watched are those of the gate, compiled once more with a probe at every
bool. Where an expression has none, because only the exact evaluator knows it, its parts cannot be
seen and only its own answers count.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.conditions import conditions
from ordain.policies.cel.extents import extent, passage
from ordain.specs.insides import place_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ordain.policies.cel.tree import Node
    from ordain.policies.engine import Program
    from ordain.policies.rules import Rule
    from ordain.policies.world import World
    from ordain.specs.documents import Document, Step
    from ordain.specs.findings import Location

BOTH: Final = (True, False)


@dataclass(slots=True)
class Watched:
    """One expression of a policy, and what it has answered.

    `answers` may hold True, False and the reason why there was none; a variable has no answer that
    counts.
    """

    policy: Document
    label: str
    path: tuple[Step, ...]
    program: Program
    counts: bool
    nodes: tuple[Node, ...]
    function: Callable[[Mapping[str, Any]], Any] | None = None
    answers: set[bool] = field(default_factory=set)
    errors: int = 0
    seen: dict[int, set[bool]] = field(default_factory=dict)

    def note(self, node: int, answer: bool) -> bool:  # noqa: FBT001 - the protocol of a probe
        """Told by the function; gives the answer back."""
        self.seen.setdefault(node, set()).add(answer)
        return answer

    @property
    def possible(self) -> int:
        """How many outcomes there are."""
        return 2 * (len(self.nodes) + self.counts)

    @property
    def covered(self) -> int:
        """How many of them were seen."""
        parts = sum(len(self.seen.get(node.id, ())) for node in self.nodes)
        return parts + (len(self.answers) if self.counts else 0)

    def gaps(self) -> Iterator[Gap]:
        """What was not seen; of what was never asked, nothing that is inside of it."""
        text, tree = self.program.text, self.program.tree
        unasked = (0, 0)
        if self.counts and (never := _never(self.answers)):
            yield self._gap(0, len(text.rstrip()), " ".join(text.split()), never)
            unasked = (0, len(text)) if never == BOTH and not self.seen else unasked
        for node in self.nodes if tree is not None else ():
            never = _never(self.seen.get(node.id, ()))
            if tree is None or not never:
                continue
            start, end = extent(text, tree, node)
            if unasked[0] <= start and end <= unasked[1]:
                continue
            yield self._gap(start, end, passage(text, tree, node), never)
            unasked = (start, end) if never == BOTH else unasked

    def _gap(self, start: int, end: int, text: str, never: tuple[bool, ...]) -> Gap:
        place = place_inside(self.policy.marks, self.path, self.program.text, start, end)
        return Gap(self.policy.name, self.label, place, text, never)


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that was never true, never false, or never asked at all."""

    policy: str
    label: str
    location: Location
    text: str
    never: tuple[bool, ...]

    @property
    def words(self) -> str:
        """Such as `never false`."""
        if len(self.never) == len(BOTH):
            return "never asked"
        return "never true" if self.never[0] else "never false"


def _never(answers: Iterable[bool]) -> tuple[bool, ...]:
    seen = set(answers)
    return tuple(answer for answer in BOTH if answer not in seen)


@dataclass(frozen=True, slots=True)
class Covered:
    """The coverage of one policy."""

    policy: str
    covered: int
    possible: int
    expressions: tuple[Watched, ...]

    @property
    def percent(self) -> float:
        """Outcomes seen of all that are possible."""
        return 100.0 * self.covered / self.possible if self.possible else 100.0

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What was not seen."""
        return tuple(gap for one in self.expressions for gap in one.gaps())


class Coverage:
    """What the cases have seen of some policies."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._watched = {rule.name: tuple(_watched(rule)) for rule in rules}

    def watch(self, rule: Rule, document: Document, world: World) -> None:
        """Ask a rule about an object and note every answer on the way."""
        watched = self._watched.get(rule.name)
        if watched is None:
            return
        values = world.values(document, rule.names)
        values |= {"params": rule.params, "variables": {}}
        parts = iter(watched)
        # As the rule does: a condition that is false ends it, one without an answer does not.
        if any(_answer(rule, next(parts), values) is False for _ in rule.conditions):
            return
        found: dict[str, Any] = {}
        for name, _ in rule.variables:
            values = {**values, "variables": dict(found)}
            answer = _answer(rule, next(parts), values)
            if answer is not None:
                found[name] = answer
        for one in parts:
            _answer(rule, one, {**values, "variables": found})

    def covered(self) -> tuple[Covered, ...]:
        """The coverage of every policy, by name; one that no case asks has none."""
        return tuple(
            Covered(
                name, sum(one.covered for one in found), sum(one.possible for one in found), found
            )
            for name, found in sorted(self._watched.items())
        )


def percent(covered: Iterable[Covered]) -> float:
    """Outcomes seen of all that are possible, over several policies."""
    found = list(covered)
    possible = sum(one.possible for one in found)
    return 100.0 * sum(one.covered for one in found) / possible if possible else 100.0


def _answer(rule: Rule, one: Watched, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any CEL value
    """The value of an expression, noted; None where there is none."""
    outcome = one.program.value(rule.engine.bind(values))
    if one.function is not None:
        # Whatever raises: what the expression answers is known from its program.
        with suppress(Exception):
            one.function({**dict.fromkeys(one.program.names), **values})
    if outcome.error:
        one.errors += 1
        return None
    if outcome.value is True or outcome.value is False:
        one.answers.add(outcome.value)
    return outcome.value


def _watched(rule: Rule) -> Iterator[Watched]:
    """Every expression of a rule that has outcomes."""
    # The conditions of transitions are those of the validations beside them.
    if not (rule.transition and rule.document.spec.validations):
        for path, name, program in rule.declared:
            yield _watch(rule, name, path, program)
    for index, (name, program) in enumerate(rule.variables):
        at = ("variables", index, "expression")
        yield _watch(rule, f"variables.{name}", at, program, counts=False)
    for index, check in enumerate(rule.checks):
        yield _watch(rule, check.code, (rule.field, index, "expression"), check.program)


def _watch(
    rule: Rule, label: str, path: tuple[Step, ...], program: Program, *, counts: bool = True
) -> Watched:
    made = Watched(rule.document, label, ("spec", *path), program, counts, ())
    made.function = program.probed(made.note)
    if made.function is not None and program.tree is not None:
        made.nodes = conditions(program.tree)
    return made
