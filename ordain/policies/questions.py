"""One rule asked of one object, and the answer with its reasons.

A rule is silent where it does not match, gives a finding where a validation is not `true`, and
gives `POL002` where something in it cannot be evaluated: its condition, a validation, or a variable
that one of them uses. `POL002` always blocks, whatever the policy's enforcement, because a rule
that cannot be asked has not been answered. As in a Kubernetes ValidatingAdmissionPolicy a condition
that is false wins over one that cannot be evaluated, and a variable costs nothing until it is used.
A variable that fails is declared all the same: whoever asks `has(variables.x)` is not told that it
is absent, for that would make a guard of a mistake.

Only the few objects come here that a screen does not let pass, so this may take its time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.tree import Call, Literal, Select
from ordain.policies.tracing import trace
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from ordain.policies.cel.tree import Tree
    from ordain.policies.engine import Outcome, Program
    from ordain.policies.rules import Check, Rule
    from ordain.policies.world import World
    from ordain.specs.documents import Document

# Every variable, where an expression looks at all of them or at one whose name it computes.
_ANY: Final = ""
# Nobody reads a longer message, and an expression may make one of a million characters.
_LONGEST: Final = 1_000


class Question:
    """One rule and one object: the answer, with reasons."""

    def __init__(self, rule: Rule, document: Document, world: World) -> None:
        self.rule = rule
        self.document = document
        self.world = world
        self.values = world.values(document, rule.names)
        self.values |= {"params": rule.params, "variables": {}}
        self.binding = rule.engine.bind(self.values)
        self.failed: dict[str, str] = {}

    def concerns(self) -> bool | Finding:
        """Whether every condition holds; a finding where that cannot be said."""
        applies = self._applies()
        return self._unanswered((), applies) if isinstance(applies, str) else applies

    def findings(self) -> tuple[Finding, ...]:
        """What the rule finds; nothing where it does not apply or is content."""
        concerned = self.concerns()
        if not isinstance(concerned, bool):
            return (concerned,)
        if not concerned:
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
            error = outcome.error or self._hidden(program)
            if error:
                self.failed[name] = error
                continue
            found[name] = outcome.value
            stale = True
        self.values["variables"] = found
        if found:
            self.binding = self.rule.engine.bind(self.values)

    def _answer(self, check: Check) -> Finding | None:
        outcome = check.program.run(self.binding)
        hidden = self._hidden(check.program)
        if hidden:
            return self._unanswered((check.program,), f"{check.code}: {hidden}")
        if outcome.passed:
            return None
        if outcome.value is False and not outcome.error:
            return self._violated(check)
        used = self._used(check.program)
        failed = [f"variables.{name}: {why}" for name, why in self.failed.items() if name in used]
        reason = "; ".join([f"{check.code}: {_why(outcome)}", *failed])
        return self._unanswered((check.program,), reason)

    def _hidden(self, program: Program) -> str:
        """Why an answer rests on a failed variable being absent; empty where it does not."""
        if not self.failed or program.tree is None:
            return ""
        asked = _asked_for(program.tree)
        failed = [
            f"variables.{name}: {why}"
            for name, why in self.failed.items()
            if name in asked or _ANY in asked
        ]
        return "; ".join(["it asks whether variables are there", *failed]) if failed else ""

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
        if len(message) > _LONGEST:
            message = f"{message[: _LONGEST - 1]}…"
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


def _asked_for(tree: Tree) -> set[str]:
    """The variables of which an expression would see that they are absent, and not fail."""
    found: set[str] = set()
    for one in tree.references():
        if one.node.name != "variables":
            continue
        match one.parent:
            case Select(test=False) | Call(function="_[_]"):
                continue
            case Select(field=name):
                found.add(name)
            case Call(function="_?._" | "_[?_]", arguments=(_, Literal(value=str(name)))):
                found.add(name)
            case _:
                found.add(_ANY)
    return found


def _why(outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    return f"the answer is {outcome.value!r}, which is neither true nor false"
