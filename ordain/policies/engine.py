"""CEL behind a protocol so small that another engine can stand in its place.

An engine compiles an expression once and evaluates it over the values of one object. The engine of
today is Google's C++ evaluator; Python generated from its checked syntax tree is the next one, and
nothing outside this module may tell the two apart. The dialect is that of Kubernetes 1.29: standard
macros, optionals (`object.spec.?tier.orValue(3)`), the string functions.

Three answers, not two. An expression gives a value, or it cannot be evaluated (a missing key, a
division by zero, more than 10,000 loop steps), which is an outcome of its own and never a pass.
Only the literal `true` passes.

Values must be what JSON can say. The evaluator refuses dates, tuples and sets, and so does the
loader, which makes none; `now` is therefore a string (RFC 3339) and is read by `timestamp(now)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Everything that an expression may name; `world` says what each of them is.
NAMES: Final = (
    "object",
    "oldObject",
    "model",
    "compliance",
    "evidence",
    "linked",
    "facts",
    "estate",
    "change",
    "approvals",
    "params",
    "variables",
    "now",
)

_CONFIG: Final = "name: ordain\nextensions:\n  - name: optional\n  - name: strings\n"
_LOCAL: Final = "local__"
_VARIABLE = re.compile(r"(?<![\w.])variables\s*\.\s*([A-Za-z_]\w*)")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_WORD = re.compile(r"(?<![\w.?])[A-Za-z_]\w*")
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_NOISE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$| \(in container ''\)")


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
    """The values of one object in the engine's own form, made once for many expressions."""


class Program(Protocol):
    """One compiled expression."""

    @property
    def names(self) -> frozenset[str]:
        """The top-level names that it mentions."""

    def run(self, binding: Binding) -> Outcome:
        """Evaluate; never raises for anything that the values or the expression do."""


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

    def compile_whole(
        self,
        conditions: Sequence[str],
        variables: Sequence[tuple[str, str]],
        validations: Sequence[str],
    ) -> Program | None:
        """One program for a whole policy, or None where it cannot be made.

        Its answer is the list of the answers of the validations, or an empty list where a condition
        is false. Any other answer, an error above all, says nothing: ask one by one.
        """

    def bind(self, values: Mapping[str, Any]) -> Binding:
        """Take the values of one object; names that are left out are null."""


def names_in(expression: str) -> frozenset[str]:
    """The names of the language that an expression mentions; a comprehension's own may be too."""
    return frozenset(_WORD.findall(_STRING.sub("''", expression))).intersection(NAMES)


def _plain_message(text: str) -> str:
    lines = text.strip().splitlines()
    return _NOISE.sub("", lines[0]) if lines else ""


@dataclass(frozen=True, slots=True)
class _CelProgram:
    """An expression of the C++ evaluator."""

    expression: Any
    names: frozenset[str]

    def run(self, binding: Any) -> Outcome:  # noqa: ANN401 - the evaluator's own type
        """Evaluate; errors of the evaluator are values for most causes and exceptions for some."""
        try:
            value = self.expression.eval(binding)
            if value.type().name() == "ERROR":
                return Outcome(error=_plain_message(str(value.value())))
            return Outcome(value=value.plain_value())
        except (TypeError, SystemError):
            # The binding has no Python form for an optional or a type, alone or inside a list.
            return Outcome(error="the result is no plain value; call orValue() on optionals")
        except (RuntimeError, ValueError, OverflowError) as error:
            return Outcome(error=_plain_message(str(error)) or type(error).__name__)


def _whole(
    conditions: Sequence[str], variables: Sequence[tuple[str, str]], validations: Sequence[str]
) -> str | None:
    """The text of a whole policy, or None where its parts cannot be put together as text.

    Each part has compiled alone and stands in parentheses of its own, which begin and end a line so
    that no comment reaches beyond it. A variable's name inside a string, and a name that could be
    taken for one of ours, would change what is said.
    """
    texts = [*(text for _, text in variables), *validations]
    if any("variables." in literal for text in texts for literal in _STRING.findall(text)):
        return None
    if any(_LOCAL in text for text in (*conditions, *texts)):
        return None
    whole = f"[{', '.join(_part(_local(text)) for text in validations)}]"
    for name, text in reversed(variables):
        whole = f"cel.bind({_LOCAL}{name}, {_part(_local(text))}, {whole})"
    held = " && ".join(map(_part, conditions)) or "true"
    return f"({held}) ? {whole} : []"


def _part(expression: str) -> str:
    return f"({expression}\n)"


def _local(expression: str) -> str:
    """An expression with its variables under local names."""
    return _VARIABLE.sub(rf"{_LOCAL}\1", expression)


class CelEngine:
    """The C++ evaluator; an expression that two policies share is compiled once."""

    def __init__(self) -> None:
        from cel_expr_python import cel

        self._environment = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_CONFIG),
            variables=dict.fromkeys(NAMES, cel.Type.DYN),
        )
        self._programs: dict[str, Program] = {}

    @property
    def name(self) -> str:
        from importlib.metadata import version

        return f"cel-expr-python {version('cel-expr-python')}"

    def compile(self, expression: str) -> Program:
        """Parse and type-check.

        Raises:
            ExpressionError: with line and column inside the expression.
        """
        found = self._programs.get(expression)
        if found is None:
            try:
                compiled = self._environment.compile(expression)
            except (RuntimeError, ValueError, TypeError) as error:
                raise _located(str(error)) from error
            found = self._programs[expression] = _CelProgram(compiled, names_in(expression))
        return found

    def compile_whole(
        self,
        conditions: Sequence[str],
        variables: Sequence[tuple[str, str]],
        validations: Sequence[str],
    ) -> Program | None:
        """One program for a whole policy; see `Engine.compile_whole`.

        The evaluator copies an object for every expression that touches it, so one expression costs
        a third of what its parts do.
        """
        text = _whole(conditions, variables, validations)
        if text is None:
            return None
        try:
            return _CelProgram(self._binding_environment.compile(text), frozenset())
        except (RuntimeError, ValueError, TypeError):
            return None

    @cached_property
    def _binding_environment(self) -> Any:  # noqa: ANN401 - the evaluator's own type
        """With local names, which authors of policies do not have: Kubernetes has none."""
        from cel_expr_python import cel

        return cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_CONFIG + "  - name: bindings\n"),
            variables=dict.fromkeys(NAMES, cel.Type.DYN),
        )

    def bind(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the evaluator's own type
        """Take the values of one object; names that are left out are null."""
        return self._environment.Activation({**dict.fromkeys(NAMES), **values})


def _located(text: str) -> ExpressionError:
    """The first error of the compiler, with its place."""
    match = _ERROR.search(text)
    if match is None:
        return ExpressionError(_plain_message(text) or "no CEL expression")
    line, column, message = match.groups()
    return ExpressionError(_plain_message(message), line=int(line), column=int(column))


@cache
def cel_engine() -> CelEngine:
    """The engine of this process."""
    return CelEngine()
