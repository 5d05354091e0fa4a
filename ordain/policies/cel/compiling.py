"""From checked trees to Python functions.

An expression becomes one function. All policies of one kind become a single function too, the
*screen*: it says which of them are not content with an object, and whoever wants to know why asks
those one by one. Nearly every object of an estate passes nearly every rule, so the screen is what
the time of the gate goes into, and calling a function for each rule would cost more than the rules.

The code is made of a checked tree and nothing else, in a namespace that holds the functions of this
package and none of Python's own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.cel import texts, times, values
from ordain.policies.cel.emitter import BOOL, Emitter, Untranslatable
from ordain.policies.cel.tree import Literal, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from types import CodeType


_RUNTIME: Final = {
    **{name: getattr(values, name) for name in dir(values) if name[0].islower()},
    **{name: getattr(texts, name) for name in dir(texts) if name[0].islower()},
    **{name: getattr(times, name) for name in ("timestamp", "duration", "part")},
    "ABSENT": values.ABSENT,
    "SIZED": frozenset((str, list, dict)),
    "TYPES": values.TYPES,
    # Generated code can name nothing but what stands here.
    "__builtins__": {
        "dict": dict,
        "list": list,
        "int": int,
        "float": float,
        "str": str,
        "len": len,
        "Exception": Exception,
    },
}
# What Python cannot compile: too deep in parentheses or blocks. The exact evaluator can.
_TOO_DEEP: Final = (SyntaxError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screen needs to know of one policy."""

    conditions: Sequence[Tree]
    variables: Sequence[tuple[str, Tree]]
    validations: Sequence[Tree]
    params: Mapping[str, Any]


# A policy that a screen lets nothing pass of.
NEVER: Final = Screened((), (), (Tree(Literal(0, value=False), b""),), {})


def compile_expression(
    tree: Tree,
    names: Container[str],
    matches: Callable[[Any, Any], bool],
    probe: Callable[[int, bool], bool] | None = None,
) -> Callable[[Mapping[str, Any]], Any]:
    """The function of one expression; it takes the values of the names and is right or raises.

    `matches` asks RE2. `probe` is told the answer of every bool, by the id of its node, and gives
    it back.

    Raises:
        Untranslatable: when no code is made for this expression.
    """
    emitter = Emitter(names, probe=probe is not None)
    try:
        result = emitter.value(tree.root)
        lines = [*_steps(emitter, "    "), *_names(emitter.used, "    ")]
        source = "\n".join(["def run(scope):", *lines, *emitter.lines, f"    return {result.text}"])
        code = _compiled(source)
    except _TOO_DEEP as error:
        raise Untranslatable("too deep") from error
    return _function(code, {**emitter.constants, "matches": matches, "probe_": probe})


def compile_screen(
    rules: Sequence[Screened], names: Container[str], matches: Callable[[Any, Any], bool]
) -> Callable[[Mapping[str, Any]], list[int]]:
    """One function for many policies: the numbers of those that are not sure to be content.

    A policy for which no code is made is never content here.
    """
    constants: dict[str, object] = {"matches": matches}
    parts = [_lines(number, rule, names, constants) for number, rule in enumerate(rules)]
    try:
        code = _compiled(_screen(parts))
    except _TOO_DEEP:
        # One policy that is too deep for Python must not take the others along.
        parts = [
            part if _compiles(part) else [f"    found.append({number})"]
            for number, part in enumerate(parts)
        ]
        code = _compiled(_screen(parts))
    return _function(code, constants)


def _screen(parts: Sequence[Sequence[str]]) -> str:
    lines = (line for part in parts for line in part)
    return "\n".join(["def run(scope):", "    found = []", *lines, "    return found"])


def _compiles(part: Sequence[str]) -> bool:
    try:
        _compiled(_screen([part]))
    except _TOO_DEEP:
        return False
    return True


def _lines(
    number: int, rule: Screened, names: Container[str], constants: dict[str, object]
) -> list[str]:
    try:
        return _screened(number, rule, names, constants)
    except (Untranslatable, RecursionError):
        return [f"    found.append({number})"]


def _screened(
    number: int, rule: Screened, names: Container[str], constants: dict[str, object]
) -> list[str]:
    """The lines of one policy in a screen."""
    emitter = Emitter(names)
    # Conditions see no variables, and a variable sees those above it. A name that is not there yet
    # must not be taken from the policy before this one, which uses the same names.
    emitter.variables = {}
    with emitter.deeper():
        conditions = [emitter.truth(tree.root) for tree in rule.conditions]
        first, emitter.lines = emitter.lines, []
        early = set(emitter.used)
        with emitter.deeper():
            second = _judged(emitter, rule, number)
    own = {name: f"c{number}_{name}" for name in emitter.constants}
    constants |= {own[name]: value for name, value in emitter.constants.items()}
    constants[f"p{number}"] = dict(rule.params)
    inside = " " * 12
    return [
        "    try:",
        *(f"        {name} = {held}" for name, held in own.items()),
        *_steps(emitter, " " * 8),
        *_names(early, " " * 8, number),
        *first,
        f"        if {' and '.join(conditions) or 'True'}:",
        *_names(emitter.used - early, inside, number),
        *second,
        "    except Exception:",
        f"        found.append({number})",
    ]


def _judged(emitter: Emitter, rule: Screened, number: int) -> list[str]:
    """The variables that are used, and the validations."""
    held = []
    needed = _needed(rule)
    for place, (name, tree) in enumerate(rule.variables):
        if name in needed:
            emitter.line(f"v_{place} = {emitter.value(tree.root).text}")
            emitter.variables = {**(emitter.variables or {}), name: f"v_{place}"}
    for tree in rule.validations:
        code = emitter.value(tree.root)
        held.append(code.text if code.type == BOOL else f"({code.text}) is True")
    emitter.line(f"if not ({' and '.join(held)}):")
    with emitter.deeper():
        emitter.line(f"found.append({number})")
    return emitter.lines


def _needed(rule: Screened) -> set[str]:
    """The variables that a validation uses, directly or through another variable."""
    trees = dict(rule.variables)
    waiting = [name for tree in rule.validations for name in tree.variables]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in trees and name not in needed:
            needed.add(name)
            waiting.extend(trees[name].variables)
    return needed


def _steps(emitter: Emitter, indent: str) -> list[str]:
    lines = [f"{indent}steps = {values.MAXIMUM_STEPS}"] if emitter.loops else []
    return [*lines, f"{indent}meter = [{values.MAXIMUM_WORK}]"] if emitter.meters else lines


def _names(used: set[str], indent: str, number: int | None = None) -> list[str]:
    """Lines that fetch the values of names; a policy's `params` are its own."""
    return [
        f"{indent}n_{name} = p{number}"
        if name == "params" and number is not None
        else f"{indent}n_{name} = scope[{name!r}]"
        for name in sorted(used)
    ]


def _compiled(source: str) -> CodeType:
    with warnings.catch_warnings():
        # Python's compiler warns of `1 is None`, which is how it is told that `1 == null`.
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(source, "<policy>", "exec")


def _function(code: CodeType, constants: Mapping[str, object]) -> Callable[..., Any]:
    namespace = {**_RUNTIME, **constants}
    # The source is made above, of a tree that was parsed and type-checked; see the module's head.
    exec(code, namespace)  # noqa: S102
    made: Callable[..., Any] = namespace["run"]
    return made
