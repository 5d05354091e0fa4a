"""From checked trees to Python functions.

An expression becomes one function. A policy becomes one too, and all policies of a kind a *screen*:
it says which of them are not content with an object, and whoever wants to know why asks those one
by one. Nearly every object of an estate passes nearly every rule, so the screen is what the time of
the gate goes into.

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


_SCREEN: Final = ("def run(scope):", "    found = []", "    n_object = scope['object']")
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

    A policy for which no code is made is never content here. Every policy is a function of its own,
    so that nothing that one has computed can be taken for something of another.
    """
    made = [_compile_policy(rule, names, matches) for rule in rules]
    # A line for each, because a loop would cost a third of what the policies do.
    contents = {f"content_{number}": one for number, one in enumerate(made)}
    lines = (line for number in range(len(made)) for line in _ask(number))
    source = "\n".join([*_SCREEN, *lines, "    return found"])
    return _function(_compiled(source), contents)


def _ask(number: int) -> tuple[str, ...]:
    """The lines that ask one policy; whatever it raises, it is asked again, exactly."""
    return (
        "    try:",
        f"        if not content_{number}(scope, n_object): found.append({number})",
        "    except Exception:",
        f"        found.append({number})",
    )


def _compile_policy(
    rule: Screened, names: Container[str], matches: Callable[[Any, Any], bool]
) -> Callable[[Mapping[str, Any], Any], bool]:
    """A function that is true where a policy does not apply, or is sure to be content.

    It takes the object beside the other names, because nearly every policy reads it.
    """
    emitter = Emitter(names)
    try:
        code = _compiled("\n".join(["def run(scope, n_object):", *_policy(emitter, rule)]))
    except (Untranslatable, *_TOO_DEEP):
        return lambda *_: False
    own = {"matches": matches, "params_": dict(rule.params)}
    return _function(code, {**emitter.constants, **own})


def _policy(emitter: Emitter, rule: Screened) -> list[str]:
    """The body of that function."""
    # Conditions see no variables, and a variable sees those above it.
    emitter.variables = {}
    conditions = [emitter.truth(tree.root) for tree in rule.conditions]
    first, emitter.lines = emitter.lines, []
    early = emitter.used | {"object"}
    with emitter.deeper():
        second = _judged(emitter, rule)
    return [
        *_steps(emitter, " " * 4),
        *_names(early - {"object"}, " " * 4, "params_"),
        *first,
        f"    if {' and '.join(conditions) or 'True'}:",
        *_names(emitter.used - early, " " * 8, "params_"),
        *second,
        "    return True",
    ]


def _judged(emitter: Emitter, rule: Screened) -> list[str]:
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
    emitter.line(f"return {' and '.join(held)}")
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


def _names(used: set[str], indent: str, params: str = "scope['params']") -> list[str]:
    """Lines that fetch the values of names."""
    return [
        f"{indent}n_{name} = {params if name == 'params' else f'scope[{name!r}]'}"
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
