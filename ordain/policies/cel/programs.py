"""The engine of the gate: checked in C++, run as Python, and exact where Python cannot tell.

The fast function of an expression is right or raises. Whatever it raises, the exact evaluator is
asked, except where the expression has cost too much: asking again would cost it again.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel.compiling import Screened, compile_expression, compile_screen
from ordain.policies.cel.costs import costly, may_grow, weight
from ordain.policies.cel.emitter import Untranslatable
from ordain.policies.cel.exact import ExactEngine, run
from ordain.policies.cel.tree import Tree, read_tree
from ordain.policies.cel.values import MAXIMUM_SIZE, Exceeded
from ordain.policies.engine import NAMES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SCALARS: Final = frozenset((bool, int, float, str, type(None)))


class Values:
    """The values of one object; the evaluator's copy of them is made when it is asked for."""

    def __init__(self, values: Mapping[str, Any], exact: ExactEngine) -> None:
        self.plain = {**dict.fromkeys(NAMES), **values}
        self._exact = exact

    @cached_property
    def copied(self) -> Any:  # noqa: ANN401 - the evaluator's own type
        """For the evaluator, which takes no variable that JSON could not say."""
        variables = self.plain["variables"]
        if isinstance(variables, dict):
            variables = {name: value for name, value in variables.items() if _is_plain(value)}
        return self._exact.bind({**self.plain, "variables": variables})


class CelProgram:
    """One expression."""

    def __init__(self, text: str, compiled: Any, exact: ExactEngine) -> None:  # noqa: ANN401
        self.text = text
        self._compiled = compiled
        self._exact = exact

    @cached_property
    def tree(self) -> Tree | None:
        """The checked tree; None where it is too deep to be read."""
        try:
            return read_tree(self._compiled.serialize())
        except RecursionError:
            return None

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the environment that it mentions.

        Of an expression whose tree cannot be read nobody knows; it must not be taken for one about
        a change, which a tree is not asked.
        """
        if self.tree is None:
            return frozenset(NAMES) - {"change", "approvals"}
        return self.tree.names.intersection(NAMES)

    @cached_property
    def function(self) -> Callable[[Mapping[str, Any]], Any] | None:
        """The fast function, which takes every name that is mentioned; None where there is none."""
        return self.probed(None)

    def probed(
        self, probe: Callable[[int, bool], bool] | None
    ) -> Callable[[Mapping[str, Any]], Any] | None:
        """A fast function that tells `probe` the answer of every bool by the id of its node."""
        if self.tree is None:
            return None
        try:
            return compile_expression(self.tree, NAMES, self._exact.matches, probe)
        except Untranslatable:
            return None

    def run(self, binding: Values) -> Outcome:
        """Evaluate; never raises for anything that the values or the expression do."""
        found = self.fast(binding.plain)
        return self._asked(binding) if found is None else found

    def value(self, binding: Values) -> Outcome:
        """As `run`; the value may be one that only other expressions know what to do with."""
        found = self._tried(binding.plain)
        if found is None:
            found = self._asked(binding)
            if not _is_plain(found.value):
                return Outcome(error="the value is none that JSON can say, and no time")
        return found

    def fast(self, values: Mapping[str, Any]) -> Outcome | None:
        """The answer of the fast function alone, or None where it has none."""
        found = self._tried(values)
        if found is None or found.value.__class__ in _SCALARS:
            return found
        if weight(found.value) > MAXIMUM_SIZE:
            return Outcome(error=f"the answer has more than {MAXIMUM_SIZE:,} characters or items")
        return found if _is_plain(found.value) else None

    def _tried(self, values: Mapping[str, Any]) -> Outcome | None:
        if self.function is None:
            return None
        try:
            return Outcome(value=self.function(values))
        except Exceeded as error:
            return Outcome(error=str(error))
        except Exception:  # noqa: BLE001 - whatever it was: the exact evaluator has the last word
            return None

    @cached_property
    def _grows(self) -> bool:
        return self.tree is not None and may_grow(self.tree.nodes())

    def _is_costly(self, values: Mapping[str, Any]) -> bool:
        # The evaluator copies the variables; a list that is small here may be large when copied.
        if self.tree is None or weight(values["variables"]) > MAXIMUM_SIZE:
            return True
        return self._grows and costly(self.tree.root, values)

    def _asked(self, binding: Values) -> Outcome:
        """The answer of the exact evaluator, which is not asked for what it could not stop at."""
        if self._is_costly(binding.plain):
            return Outcome(error="it could take too long, or too much memory, to evaluate this")
        return run(self._compiled, binding.copied)

    def exact(self, binding: Values) -> Outcome:
        """The answer of the exact evaluator alone, whatever it costs."""
        return run(self._compiled, binding.copied)


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - any CEL value
    """Whether JSON can say the value; a time, a span or a type it cannot."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one.__class__ in _SCALARS:
            continue
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict) and all(isinstance(key, str) for key in one):
            waiting.extend(one.values())
        else:
            return False
    return True


class CelEngine:
    """The engine; an expression that two policies share is compiled once."""

    def __init__(self) -> None:
        self._exact = ExactEngine()
        self._programs: dict[str, CelProgram] = {}

    @property
    def name(self) -> str:
        """Name and version, for the record of a verdict."""
        import ordain

        return f"{self._exact.name}, translated by ordain {ordain.__version__}"

    def compile(self, expression: str) -> CelProgram:
        """Parse and type-check.

        Raises:
            ExpressionError: with line and column inside the expression.
        """
        found = self._programs.get(expression)
        if found is None:
            compiled = self._exact.compile(expression)
            found = CelProgram(expression, compiled, self._exact)
            self._programs[expression] = found
        return found

    def screen(self, rules: Sequence[Screened]) -> Callable[[Mapping[str, Any]], list[int]]:
        """One function that says which of these policies are not sure to be content."""
        return compile_screen(rules, NAMES, self._exact.matches)

    def bind(self, values: Mapping[str, Any]) -> Values:
        """Take the values of one object; names that are left out are null."""
        return Values(values, self._exact)
