"""Google's C++ evaluator of CEL: the front end of every expression, and the last word on its value.

It parses and type-checks; it evaluates what no code is made for; and it is asked again wherever the
code has raised, because it absorbs errors as CEL wants it (`false && error` is false). It copies
every value that it is given, which is why it is not asked first.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.engine import NAMES, Outcome
from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG: Final = "name: ordain\nextensions:\n  - name: optional\n  - name: strings\n  - name: sets\n"
# What is longer takes a second to compile, and nobody reads it.
MAXIMUM_LENGTH: Final = 32_768
_LONGEST_MESSAGE: Final = 500
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_NOISE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$| \(in container ''\)")


class ExactEngine:
    """The evaluator with the environment of policies."""

    def __init__(self) -> None:
        from cel_expr_python import cel

        self._cel = cel
        self._environment = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(CONFIG),
            variables=dict.fromkeys(NAMES, cel.Type.DYN),
        )

    @property
    def name(self) -> str:
        from importlib.metadata import version

        return f"cel-expr-python {version('cel-expr-python')}"

    def compile(self, expression: str) -> Any:  # noqa: ANN401 - the evaluator's own type
        """Parse and type-check.

        Raises:
            ExpressionError: with line and column inside the expression.
        """
        if len(expression) > MAXIMUM_LENGTH:
            raise ExpressionError(f"the expression is longer than {MAXIMUM_LENGTH:,} characters")
        try:
            return self._environment.compile(expression)
        except (RuntimeError, ValueError, TypeError) as error:
            raise _located(str(error)) from error

    def bind(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the evaluator's own type
        """The values in the evaluator's own form; names that are left out are null."""
        return self._environment.Activation({**dict.fromkeys(NAMES), **values})

    @cached_property
    def _search(self) -> tuple[Any, Any]:
        kinds = {"text": self._cel.Type.STRING, "pattern": self._cel.Type.STRING}
        environment = self._cel.NewEnv(variables=kinds)
        return environment, environment.compile("text.matches(pattern)")

    def matches(self, text: object, pattern: object) -> bool:
        """Whether RE2 finds a pattern in a text.

        Raises:
            ValueError: where this is no pattern, or one of the two no text.
        """
        if text.__class__ is not str or pattern.__class__ is not str:
            raise ValueError("matches() is of two texts")
        environment, search = self._search
        found = run(search, environment.Activation({"text": text, "pattern": pattern}))
        if found.error:
            raise ValueError(found.error)
        return bool(found.value)


def run(expression: Any, activation: Any) -> Outcome:  # noqa: ANN401 - the evaluator's own types
    """Evaluate; errors of the evaluator are values for most causes and exceptions for some."""
    try:
        value = expression.eval(activation)
        if value.type().name() == "ERROR":
            return Outcome(error=_plain_message(str(value.value())))
        return Outcome(value=_python_of(value))
    except (TypeError, SystemError):
        # The binding has no Python form for an optional or a type, alone or inside a list.
        return Outcome(error="the result is no plain value; call orValue() on optionals")
    except RecursionError:
        return Outcome(error="the value is nested too deeply")
    except MemoryError:
        return Outcome(error="the expression takes too much memory")
    except (RuntimeError, ValueError, OverflowError) as error:
        return Outcome(error=_plain_message(str(error)) or type(error).__name__)


def _python_of(value: Any) -> Any:  # noqa: ANN401 - the evaluator's own type
    """The value as Python has it, built here from its parts.

    The binding's own `plain_value()` gives one reference to None back too many for every null that
    it converts, which ends a process of Python 3.11 after some thousands of them.

    Raises:
        TypeError: for a value that has no form in Python.
    """
    kind = value.type().name()
    if kind == "NULL":
        return None
    if kind == "ERROR":
        raise TypeError(str(value.value()))
    found = value.value()
    if isinstance(found, list):
        return [_python_of(one) for one in found]
    if isinstance(found, dict):
        return {key: _python_of(one) for key, one in found.items()}
    return found


def _plain_message(text: str) -> str:
    """The first line, and not all of a long pattern or key that it may quote."""
    lines = text.strip().splitlines()
    return _NOISE.sub("", lines[0])[:_LONGEST_MESSAGE] if lines else ""


def _located(text: str) -> ExpressionError:
    """The first error of the compiler, with its place."""
    match = _ERROR.search(text)
    if match is None:
        return ExpressionError(_plain_message(text) or "no CEL expression")
    line, column, message = match.groups()
    # What is about the whole text has no place, which is written as -1.
    at = {"line": max(1, int(line)), "column": max(1, int(column))}
    return ExpressionError(_plain_message(message), **at)
