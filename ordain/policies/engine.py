"""CEL behind a protocol so small that another engine can stand in its place.

An engine compiles an expression once and evaluates it over the values of one object. That of today
(`cel`) has Google's C++ front end check an expression, runs Python made from the checked tree, and
asks the C++ evaluator where that Python cannot tell; nothing outside may tell the two apart. The
dialect is that of Kubernetes 1.29: standard macros, optionals (`object.spec.?tier.orValue(3)`), the
string functions, sets.

Three answers, not two. An expression gives a value, or it cannot be evaluated (a missing key, a
division by zero, too many steps), which is an outcome of its own and never a pass. Only the literal
`true` passes.

Values must be what JSON can say. The evaluator refuses dates, tuples and sets, and so does the
loader, which makes none; `now` is therefore a string (RFC 3339) and is read by `timestamp(now)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ordain.policies.cel.compiling import Screened
    from ordain.policies.cel.tree import Tree

# Everything that an expression may name; `world` says what each of them is.
NAMES: Final = (
    "object",
    "oldObject",
    "model",
    "compliance",
    "evidence",
    "validation",
    "validations",
    "linked",
    "facts",
    "estate",
    "change",
    "approvals",
    "params",
    "variables",
    "now",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluation gave: a plain value, or the reason why there is none."""

    value: Any = None
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is the literal `true`; 1 and "true" are not."""
        return not self.error and self.value is True


class Binding(Protocol):
    """The values of one object, for many expressions."""

    @property
    def plain(self) -> Mapping[str, Any]:
        """The values by name."""


class Program(Protocol):
    """One compiled expression."""

    @property
    def text(self) -> str:
        """What was compiled."""

    @property
    def names(self) -> frozenset[str]:
        """The top-level names that it mentions."""

    @property
    def tree(self) -> Tree | None:
        """Its checked syntax tree; None where it is too deep to be read."""

    @property
    def function(self) -> Callable[[Mapping[str, Any]], Any] | None:
        """A function of the values that is right or raises; None where there is none."""

    def probed(
        self, probe: Callable[[int, bool], bool]
    ) -> Callable[[Mapping[str, Any]], Any] | None:
        """The same function, which tells `probe` the answer of every bool by the id of its node."""

    def run(self, binding: Any) -> Outcome:  # noqa: ANN401 - the engine's own kind of binding
        """Evaluate; never raises for anything that the values or the expression do."""

    def value(self, binding: Any) -> Outcome:  # noqa: ANN401
        """As `run`; the value may be one that only other expressions know what to do with."""


class Engine(Protocol):
    """What compiles and binds."""

    @property
    def name(self) -> str:
        """Name and version, for the record of a verdict."""

    def compile(self, expression: str) -> Program:
        """Parse and type-check.

        Raises:
            ExpressionError: with line and column inside the expression.
        """

    def screen(self, rules: Sequence[Screened]) -> Callable[[Mapping[str, Any]], list[int]]:
        """One function that says which of these policies are not sure to be content."""

    def bind(self, values: Mapping[str, Any]) -> Binding:
        """Take the values of one object; names that are left out are null."""


@cache
def cel_engine() -> Engine:
    """The engine of this process."""
    from ordain.policies.cel.programs import CelEngine

    return CelEngine()
