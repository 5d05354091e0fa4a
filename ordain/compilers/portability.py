"""Whether a cluster of some version can hold a policy, and every reason why not.

A reason in an expression is at its very place inside of it; one in a field is at the field. Fields
that a version of the API lacks (KEP-3488, KEP-3716), and what the API server refuses when it
validates a policy, are looked at here; what its expression language lacks is known to `clusters`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.compilers.clusters import NOT_IN_CLUSTERS, NOT_IN_VERSION, Reading, Refusal, Version
from ordain.compilers.rewriting import literal, with_params
from ordain.specs.findings import Finding, Severity
from ordain.specs.insides import place_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.engine import Program
    from ordain.policies.rules import Rule
    from ordain.specs.documents import Step

# The versions of the API that brought these fields.
CONDITIONS: Final = 27
MESSAGES: Final = 27
ACTIONS: Final = 27
VARIABLES: Final = 28
_MOST_CONDITIONS: Final = 64
# Code points that the parser of a cluster takes (cel-go), less what is put around an expression.
_LONGEST: Final = 100_000 - 20
# Words that CEL keeps for itself, which a cluster takes for no name of a variable.
_RESERVED: Final = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
        *("void", "while"),
    }
)


@dataclass(frozen=True, slots=True)
class _Expression:
    """One expression of a policy: where it is, and the variables that it may know."""

    path: tuple[Step, ...]
    program: Program
    known: frozenset[str]


class Portability:
    """One rule, looked at with the eyes of one version."""

    def __init__(self, rule: Rule, version: Version, severity: Severity) -> None:
        self.rule, self.version, self.severity = rule, version, severity
        self.spec = rule.document.spec
        self._params = literal(rule.params)

    def findings(self, *, taken: bool) -> tuple[Finding, ...]:
        """Every reason why a cluster cannot hold this policy."""
        if self.spec.python is not None:
            message = "a rule in Python is not portable to the cluster"
            remedy = "say in CEL what can be said in CEL; the gate asks the rest"
            return (self._finding(NOT_IN_CLUSTERS, message, remedy, ("python",)),)
        found = [*self._of_fields()]
        if taken:
            message = "another version of this policy has the same name in the cluster"
            found.append(self._finding(NOT_IN_CLUSTERS, message, "keep one of them", ()))
        for one in self._expressions():
            found += self._of_expression(one)
        return tuple(dict.fromkeys(found))

    def _of_expression(self, one: _Expression) -> Iterator[Finding]:
        if one.program.tree is None:
            message = "the expression is nested too deeply for a cluster"
            yield self._finding(NOT_IN_CLUSTERS, message, "divide it by variables", one.path)
            return
        if len(with_params(one.program.text, one.program.tree, self._params)) > _LONGEST:
            message = "with its parameters the expression is longer than 100,000 characters"
            yield self._finding(NOT_IN_CLUSTERS, message, "divide it by variables", one.path)
        reading = Reading(one.program.text, one.program.tree, self.version, self.rule.engine)
        said: set[str] = set()
        for refusal in reading.refusals(one.known):
            # The first place of a reason in an expression is enough to find the others.
            if refusal.message not in said:
                said.add(refusal.message)
                yield self._refused(one, refusal)

    def _of_fields(self) -> Iterator[Finding]:
        """What the API of the version lacks, and what its validation refuses."""
        yield from self._since(self.rule.conditions, CONDITIONS, "conditions", self._first())
        yield from self._since(self.rule.variables, VARIABLES, "variables", ("variables",))
        for index, check in enumerate(self.rule.checks):
            path: tuple[Step, ...] = (self.rule.field, index)
            message = (*path, "messageExpression")
            yield from self._since(check.message, MESSAGES, "messageExpression", message)
            lenient = check.severity is not Severity.ERROR
            yield from self._since(lenient, ACTIONS, "way to let a violation pass", path)
            if "\n" in check.spec.message.strip():
                words = "a message of a cluster has one line"
                where = (*path, "message")
                yield self._finding(NOT_IN_CLUSTERS, words, "say it in one line", where)
        yield from self._of_names()

    def _of_names(self) -> Iterator[Finding]:
        variables = [one.name for one in self.spec.variables]
        conditions = [one.name for one in self.spec.match_conditions]
        for field_name, names in (("variables", variables), ("matchConditions", conditions)):
            twice = {name for name, times in Counter(names).items() if times > 1}
            for index, name in enumerate(names):
                if name in twice and name in names[:index]:
                    message = f"a cluster takes the name {name} once only"
                    path: tuple[Step, ...] = (field_name, index, "name")
                    yield self._finding(NOT_IN_CLUSTERS, message, "give each its own", path)
        for index, name in enumerate(variables):
            if name in _RESERVED:
                message = f"{name} is a word of the expression language"
                at = ("variables", index, "name")
                yield self._finding(NOT_IN_CLUSTERS, message, "choose another name", at)
        if len(self.rule.conditions) > _MOST_CONDITIONS:
            message = f"a cluster takes {_MOST_CONDITIONS} conditions at most"
            last = ("matchConditions", _MOST_CONDITIONS - 1)
            yield self._finding(NOT_IN_CLUSTERS, message, "join them with &&", last)

    def _first(self) -> tuple[Step, ...]:
        return ("match", "when") if self.spec.match.when else ("matchConditions",)

    def _since(
        self, used: object, introduced: int, what: str, path: tuple[Step, ...]
    ) -> Iterator[Finding]:
        if used and self.version.minor < introduced:
            message = f"policies of Kubernetes {self.version} have no {what}; 1.{introduced} has"
            remedy = f"compile with --kube-version 1.{introduced}"
            yield self._finding(NOT_IN_VERSION, message, remedy, path)

    def _refused(self, one: _Expression, refusal: Refusal) -> Finding:
        document, text = self.rule.document, one.program.text
        path = ("spec", *one.path)
        return Finding(
            refusal.code,
            self.severity,
            f"the policy {self.rule.name} cannot go to a cluster: {refusal.message}",
            place_inside(document.marks, path, text, refusal.start, refusal.end),
            remedy=refusal.remedy,
        )

    def _finding(self, code: str, message: str, remedy: str, path: tuple[Step, ...]) -> Finding:
        where = self.rule.document.marks
        return Finding(
            code,
            self.severity,
            f"the policy {self.rule.name} cannot go to a cluster: {message}",
            where.value("spec", *path) if path else self.rule.document.location,
            remedy=remedy,
        )

    def _expressions(self) -> Iterator[_Expression]:
        """Every expression of the policy with what it may know."""
        for at, _, program in self.rule.declared:
            yield _Expression(at, program, frozenset())
        names = [name for name, _ in self.rule.variables]
        for index, (_, program) in enumerate(self.rule.variables):
            known = frozenset(names[:index])
            yield _Expression(("variables", index, "expression"), program, known)
        for index, check in enumerate(self.rule.checks):
            path, known = (self.rule.field, index), frozenset(names)
            yield _Expression((*path, "expression"), check.program, known)
            if check.message:
                yield _Expression((*path, "messageExpression"), check.message, known)
