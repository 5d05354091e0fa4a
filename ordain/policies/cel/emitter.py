"""Python for a checked tree: one statement or expression for each node.

The code handles the classes that documents are made of in place, and calls `values` and its kin for
the rest; a loop becomes a loop. It is right or it raises: see `values`. Nothing of the text of a
policy ever becomes code: names are made here, and texts go in as literals by `repr`.

An optional is its value, or ABSENT. That is only the same as long as nobody looks at an optional as
if it were a value, so an optional is taken by `orValue`, `hasValue` and their kin alone, and
anything else that is done with one is not translated. What is not translated (`Untranslatable`) is
evaluated exactly, more slowly: bytes, unsigned integers, maps with keys that are no text, and the
functions that no table here names.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.macros import Loop, is_bind, is_name, loop_of
from ordain.policies.cel.patterns import LONGEST, simple
from ordain.policies.cel.times import GETTERS
from ordain.policies.cel.tree import (
    Call,
    Fold,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
    children,
)
from ordain.policies.cel.values import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

BOOL: Final = "bool"
INT: Final = "int"
DOUBLE: Final = "double"
TEXT: Final = "text"
LIST: Final = "list"
ANY: Final = "any"
OPTIONAL: Final = "optional"


class Untranslatable(Exception):
    """An expression that is evaluated exactly, because no code is made for it."""


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression and what is known about its value.

    `plain` says that it is a name or a literal, which may stand twice.
    """

    text: str
    type: str = ANY
    plain: bool = False


# By name and number of operands: the function of the runtime and the type of its answer.
_FUNCTIONS: Final = {
    ("lowerAscii", 1): ("lower", TEXT),
    ("upperAscii", 1): ("upper", TEXT),
    ("trim", 1): ("trim", TEXT),
    ("join", 1): ("join", TEXT),
    ("join", 2): ("join", TEXT),
    ("split", 2): ("split", LIST),
    ("replace", 3): ("replace", TEXT),
    ("substring", 2): ("substring", TEXT),
    ("substring", 3): ("substring", TEXT),
    ("indexOf", 2): ("index_of", INT),
    ("charAt", 2): ("character", TEXT),
    ("string", 1): ("to_text", TEXT),
    ("int", 1): ("to_integer", INT),
    ("double", 1): ("to_double", DOUBLE),
    ("bool", 1): ("to_bool", BOOL),
    ("type", 1): ("type_of", ANY),
    ("timestamp", 1): ("timestamp", ANY),
    ("duration", 1): ("duration", ANY),
    ("_+_", 2): ("add", ANY),
    ("_-_", 2): ("subtract", ANY),
    ("_*_", 2): ("multiply", ANY),
    ("_/_", 2): ("divide", ANY),
    ("_%_", 2): ("remainder", INT),
    ("-_", 1): ("negate", ANY),
    ("_[_]", 2): ("index", ANY),
}
# What walks through large values, or makes them: in a loop its work is counted.
_WORKERS: Final = frozenset(
    {"add", "includes", "index_of", "join", "lower", "replace", "split", "substring", "trim"}
    | {"upper"}
)
_NODES_OF_A_STEP: Final = 32
_ORDERS: Final = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "at_most"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "at_least"),
}
_TAKERS: Final = frozenset({"orValue", "hasValue", "value", "or"})
_OPTIONALS: Final = frozenset({"_?._", "_[?_]", "optional.of", "optional.none"})
_RESULTS: Final = {"_+_": frozenset({INT, DOUBLE, TEXT}), "_-_": frozenset({INT, DOUBLE})}


class Emitter:
    """Writes the body of one Python function.

    The value of a name of the environment, such as `object`, is expected under `n_object`; `used`
    are those that are. `constants` are values that the function finds under the names given here.
    Where `variables` is given, `variables.x` stands under the name that it says. With `probe` the
    answer of every bool is told to `probe_(node, answer)`.
    """

    def __init__(self, names: Container[str], *, probe: bool = False) -> None:
        self.lines: list[str] = []
        self.used: set[str] = set()
        self.constants: dict[str, object] = {}
        self.loops = False
        self.meters = False
        self.variables: Mapping[str, str] | None = None
        self._names = names
        self._probe = probe
        self._locals: dict[str, Code] = {}
        self._depth = 1
        self._turning = 0
        self._made = 0

    # ── lines and names ──────────────────────────────────────────────────────────────────────

    def line(self, text: str) -> None:
        """One line at the present depth."""
        self.lines.append(f"{'    ' * self._depth}{text}")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of indentation."""
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def aside(self) -> Iterator[list[str]]:
        """Collect the lines of what may not be evaluated at all."""
        kept, self.lines = self.lines, []
        self._depth += 1
        yield self.lines
        self._depth -= 1
        self.lines = kept

    def fresh(self, stem: str = "t") -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"{stem}{self._made}"

    def constant(self, value: object, stem: str = "K") -> str:
        """The name of a value that is made once."""
        name = self.fresh(stem)
        self.constants[name] = value
        return name

    def _named(self, code: Code) -> Code:
        """The same value in a form that may stand twice."""
        if code.plain:
            return code
        name = self.fresh()
        self.line(f"{name} = {code.text}")
        return Code(name, code.type, plain=True)

    # ── nodes ────────────────────────────────────────────────────────────────────────────────

    def value(self, node: Node) -> Code:
        """Code for a value; an optional is none."""
        code = self.any(node)
        if code.type == OPTIONAL:
            raise Untranslatable("an optional as a value")
        return code

    def truth(self, node: Node) -> str:
        """Code for a bool."""
        code = self.value(node)
        if code.type == BOOL:
            return code.text
        held = f"truth({code.text})"
        return f"probe_({node.id}, {held})" if self._probe else held

    def any(self, node: Node) -> Code:
        """Code for a value or an optional."""
        match node:
            case Literal():
                code = self._literal(node)
            case Name():
                code = self._name(node)
            case Select():
                code = self._select(node)
            case Call():
                code = self._call(node)
            case ListOf() if not node.optional:
                code = self._list(node)
            case MapOf():
                code = self._map(node)
            case Fold():
                code = self._fold(node)
            case _:
                raise Untranslatable(type(node).__name__)
        if self._probe and code.type == BOOL and not isinstance(node, Literal):
            return Code(f"probe_({node.id}, {code.text})", BOOL)
        return code

    def _literal(self, node: Literal) -> Code:
        value = node.value
        if value is None or isinstance(value, bool):
            return Code(repr(value), BOOL if value is not None else ANY, plain=True)
        if isinstance(value, int):
            return Code(f"({value})" if value < 0 else repr(value), INT, plain=True)
        if isinstance(value, float):
            if isfinite(value):
                return Code(f"({value!r})" if value < 0 else repr(value), DOUBLE, plain=True)
            return Code(self.constant(value), DOUBLE, plain=True)
        if isinstance(value, str):
            return Code(repr(value), TEXT, plain=True)
        raise Untranslatable("bytes or an unsigned integer")

    def _name(self, node: Name) -> Code:
        if node.name in self._locals:
            return self._locals[node.name]
        if node.name in self._names:
            if node.name == "variables" and self.variables is not None:
                raise Untranslatable("all variables as one value")
            self.used.add(node.name)
            return Code(f"n_{node.name}", plain=True)
        if node.name in TYPES:
            return Code(f"TYPES[{node.name!r}]")
        raise Untranslatable(f"the name {node.name}")

    def _select(self, node: Select) -> Code:
        if self.variables is not None and self._is_variable(node):
            # A variable was evaluated before, under a name of its own.
            if node.test or node.field not in self.variables:
                raise Untranslatable("a question about a variable")
            return Code(self.variables[node.field], plain=True)
        operand = self.any(node.operand)
        key = repr(node.field)
        if operand.type == OPTIONAL:
            chained = self._maybe(operand, key)
            return Code(f"({chained.text} is not ABSENT)", BOOL) if node.test else chained
        if node.test:
            return Code(self._inside(operand, key), BOOL)
        return Code(f"{operand.text}[{key}]")

    def _is_variable(self, node: Select) -> bool:
        operand = node.operand
        return is_name(operand, "variables") and "variables" not in self._locals

    def _inside(self, operand: Code, key: str) -> str:
        name, first = self._held(operand)
        return f"({key} in {name} if {first}.__class__ is dict else has({name}, {key}))"

    def _maybe(self, operand: Code, key: str) -> Code:
        name, first = self._held(operand)
        found = f"{name}.get({key}, ABSENT) if {first}.__class__ is dict"
        return Code(f"({found} else maybe({name}, {key}))", OPTIONAL)

    def _list(self, node: ListOf) -> Code:
        return Code(f"[{', '.join(self.value(one).text for one in node.items)}]", LIST)

    def _map(self, node: MapOf) -> Code:
        if any(optional for _, _, optional in node.entries):
            raise Untranslatable("a map with optional entries")
        keys = [key.value if isinstance(key, Literal) else None for key, _, _ in node.entries]
        if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
            raise Untranslatable("a map whose keys are no texts of their own")
        parts = [f"{key!r}: {self.value(value).text}" for key, (_, value, _) in _zip(keys, node)]
        return Code("{" + ", ".join(parts) + "}")

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    def _call(self, node: Call) -> Code:
        name, operands = node.function, node.operands
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, *operands)
        if name in _ORDERS:
            return Code(self._order(name, *operands), BOOL)
        if name in _OPTIONALS:
            return self._optional(name, operands)
        if name in _TAKERS:
            return self._taken(name, operands)
        if name in GETTERS and len(operands) == 1:
            return Code(f"part({self.value(operands[0]).text}, {name!r})", INT)
        return self._function(name, operands)

    def _not(self, operand: Node) -> Code:
        return Code(f"(not {self.truth(operand)})", BOOL)

    def _and(self, left: Node, right: Node) -> Code:
        return self._either(left, right, "and")

    def _or(self, left: Node, right: Node) -> Code:
        return self._either(left, right, "or")

    def _same(self, left: Node, right: Node) -> Code:
        return Code(self._equal(left, right), BOOL)

    def _other(self, left: Node, right: Node) -> Code:
        return Code(f"(not {self._equal(left, right)})", BOOL)

    def _size(self, operand: Node) -> Code:
        code = self.value(operand)
        if code.type in {TEXT, LIST}:
            return Code(f"len({code.text})", INT)
        name, first = self._held(code)
        return Code(f"(len({name}) if {first}.__class__ in SIZED else size({name}))", INT)

    def _starts(self, text: Node, part: Node) -> Code:
        return self._compared(text, part, "{}.startswith({})", "starts_with")

    def _ends(self, text: Node, part: Node) -> Code:
        return self._compared(text, part, "{}.endswith({})", "ends_with")

    def _includes(self, text: Node, part: Node) -> Code:
        return self._compared(text, part, "{1} in {0}", "includes")

    def _compared(self, text: Node, part: Node, form: str, function: str) -> Code:
        """A question about a text and a part of it."""
        one, other = self.value(text), self.value(part)
        if other.type != TEXT or not other.plain:
            return Code(self._work(function, one.text, other.text), BOOL)
        name, first = self._held(one)
        fast = f"{form.format(name, other.text)} if {first}.__class__ is str"
        if self._turning and function in _WORKERS:
            fast += f" and (len({name}) < {LONGEST} or take({self._meter()}, len({name}) >> 5))"
        return Code(f"({fast} else {self._work(function, name, other.text)})", BOOL)

    def _dyn(self, operand: Node) -> Code:
        return Code(self.value(operand).text)

    def _function(self, name: str, operands: tuple[Node, ...]) -> Code:
        found = _FUNCTIONS.get((name, len(operands)))
        if found is None:
            raise Untranslatable(f"the function {name}")
        codes = [self.value(one) for one in operands]
        function, result = found
        types = {code.type for code in codes}
        if name in _RESULTS and len(types) == 1 and types <= _RESULTS[name]:
            (result,) = types
        return Code(self._work(function, *(code.text for code in codes)), result)

    def _work(self, function: str, *operands: str) -> str:
        """A call of the runtime; what may be much work is counted in a loop."""
        if self._turning and function in _WORKERS:
            name = "meter=" if function in {"join", "substring"} else ""
            operands = (*operands, f"{name}{self._meter()}")
        return f"{function}({', '.join(operands)})"

    def _meter(self) -> str:
        """The name of what counts the work inside of the steps."""
        self.meters = True
        return "meter"

    def _either(self, first: Node, second: Node, word: str) -> Code:
        """`&&` or `||`: what stands on the right is evaluated only where it decides."""
        left = self.truth(first)
        with self.aside() as lines:
            right = self.truth(second)
        if not lines:
            return Code(f"({left} {word} {right})", BOOL)
        name = self.fresh()
        self.line(f"{name} = {left}")
        self.line(f"if {'' if word == 'and' else 'not '}{name}:")
        self.lines.extend(lines)
        with self.deeper():
            self.line(f"{name} = {right}")
        return Code(name, BOOL, plain=True)

    def _choice(self, which: Node, first: Node, second: Node) -> Code:
        condition = self.truth(which)
        with self.aside() as yes_lines:
            yes = self.any(first)
        with self.aside() as no_lines:
            no = self.any(second)
        if (yes.type == OPTIONAL) != (no.type == OPTIONAL):
            raise Untranslatable("an optional or a value")
        kind = yes.type if yes.type == no.type else ANY
        if not yes_lines and not no_lines:
            return Code(f"({yes.text} if {condition} else {no.text})", kind)
        name = self.fresh()
        for head, lines, code in ((f"if {condition}:", yes_lines, yes), ("else:", no_lines, no)):
            self.line(head)
            self.lines.extend(lines)
            with self.deeper():
                self.line(f"{name} = {code.text}")
        return Code(name, kind, plain=True)

    def _equal(self, left: Node, right: Node) -> str:
        one, other = self.value(left), self.value(right)
        if not isinstance(right, Literal) and isinstance(left, Literal):
            one, other, left, right = other, one, right, left
        if isinstance(right, Literal):
            if right.value is None or isinstance(right.value, bool):
                return f"({one.text} is {other.text})"
            if isinstance(right.value, str):
                return f"({one.text} == {other.text})"
            if isinstance(right.value, int):
                held, first = self._held(one)
                fast = f"{held} == {other.text} if {first}.__class__ is int"
                return f"({fast} else equal({held}, {other.text}, {self._meter()}))"
        if one.type == other.type and one.type in {BOOL, INT, DOUBLE}:
            return f"({one.text} == {other.text})"
        return f"equal({one.text}, {other.text}, {self._meter()})"

    def _order(self, name: str, left: Node, right: Node) -> str:
        sign, function = _ORDERS[name]
        one, other = self.value(left), self.value(right)
        if one.type == other.type and one.type in {INT, DOUBLE}:
            return f"({one.text} {sign} {other.text})"
        if other.type in {INT, DOUBLE} and other.plain:
            held, first = self._held(one)
            kind = "int" if other.type == INT else "float"
            fast = f"{held} {sign} {other.text} if {first}.__class__ is {kind}"
            return f"({fast} else {function}({held}, {other.text}))"
        return f"{function}({one.text}, {other.text})"

    def _held(self, code: Code) -> tuple[str, str]:
        """A name for a value, and what stands where it is used first."""
        if code.plain:
            return code.text, code.text
        name = self.fresh()
        return name, f"({name} := {code.text})"

    def _in(self, left: Node, right: Node) -> Code:
        if isinstance(right, ListOf) and right.items and _all_texts(right):
            # No other value equals a text, so Python's own search says the same.
            held = ", ".join(repr(one.value) for one in right.items if isinstance(one, Literal))
            return Code(f"({self.value(left).text} in ({held},))", BOOL)
        if isinstance(right, ListOf) and right.items and _all_integers(right):
            held, first = self._held(self.value(left))
            among = f"({', '.join(self.value(one).text for one in right.items)},)"
            fast = f"{held} in {among} if {first}.__class__ is int"
            slow = f"contains({held}, [*{among}], {self._meter()})"
            return Code(f"({fast} else {slow})", BOOL)
        value, many = self.value(left).text, self.value(right).text
        return Code(f"contains({value}, {many}, {self._meter()})", BOOL)

    def _matches(self, left: Node, right: Node) -> Code:
        text = self.value(left)
        known = None
        if isinstance(right, Literal) and isinstance(right.value, str):
            known = simple(right.value)
        pattern = self.value(right).text
        if known is None:
            return Code(self._searched(text.text, pattern), BOOL)
        name, first = self._held(text)
        fast = f"{first}.__class__ is str and len({name}) <= {LONGEST}"
        if self._turning:
            fast += f" and take({self._meter()}, len({name}) * {known.steps})"
        found = f"{self.constant(known.search, 'M')}({name}) is not None"
        return Code(f"({found} if {fast} else {self._searched(name, pattern)})", BOOL)

    def _searched(self, text: str, pattern: str) -> str:
        """A question to RE2."""
        return f"searched(matches, {text}, {pattern}, {self._meter()})"

    def _index(self, left: Node, right: Node) -> Code:
        operand, key = self.any(left), self.value(right)
        if operand.type == OPTIONAL:
            return Code(f"chained({operand.text}, {key.text})", OPTIONAL)
        if key.type == TEXT and operand.type != LIST:
            # Only a dict has items under a text; a list or a text raises.
            return Code(f"{operand.text}[{key.text}]")
        return Code(f"index({operand.text}, {key.text})")

    # ── optionals ────────────────────────────────────────────────────────────────────────────

    def _optional(self, name: str, operands: tuple[Node, ...]) -> Code:
        match name:
            case "optional.none":
                return Code("ABSENT", OPTIONAL, plain=True)
            case "optional.of":
                return Code(self.value(operands[0]).text, OPTIONAL)
            case "_[?_]":
                operand, key = self.any(operands[0]), self.value(operands[1])
                return Code(f"maybe_index({operand.text}, {key.text})", OPTIONAL)
        field = operands[1]
        if not isinstance(field, Literal):
            raise Untranslatable("a field that is no literal")
        return self._maybe(self.any(operands[0]), repr(field.value))

    def _taken(self, name: str, operands: tuple[Node, ...]) -> Code:
        optional = self.any(operands[0])
        if optional.type != OPTIONAL:
            raise Untranslatable(f"{name} of a value")
        if name == "hasValue":
            return Code(f"({optional.text} is not ABSENT)", BOOL)
        if name == "value":
            return Code(f"present({optional.text})")
        held = self.fresh()
        with self.aside() as lines:
            other = self.any(operands[1]) if name == "or" else self.value(operands[1])
        if name == "or" and other.type != OPTIONAL:
            raise Untranslatable("or() with a value")
        kind = OPTIONAL if name == "or" else ANY
        if not lines:
            first = f"({held} := {optional.text})"
            return Code(f"({held} if {first} is not ABSENT else {other.text})", kind)
        self.line(f"{held} = {optional.text}")
        self.line(f"if {held} is ABSENT:")
        self.lines.extend(lines)
        with self.deeper():
            self.line(f"{held} = {other.text}")
        return Code(held, kind, plain=True)

    # ── comprehensions ───────────────────────────────────────────────────────────────────────

    def _fold(self, node: Fold) -> Code:
        if is_bind(node):
            return self._bind(node)
        loop = loop_of(node)
        if loop is None:
            raise Untranslatable("a comprehension of an unknown shape")
        return self._loop(node, loop)

    def _bind(self, node: Fold) -> Code:
        value = self._named(self.value(node.initial))
        with self._local(node.accumulator, value):
            return self.value(node.result)

    @contextmanager
    def _local(self, name: str, code: Code) -> Iterator[None]:
        kept = self._locals
        self._locals = {**kept, name: code}
        yield
        self._locals = kept

    def _loop(self, node: Fold, loop: Loop) -> Code:
        result, many, one = self.fresh("r"), self.fresh("m"), self.fresh("x")
        self.line(f"{many} = {self.value(node.range).text}")
        self.line(f"if {many}.__class__ is not list:")
        with self.deeper():
            self.line(f"{many} = items({many})")
        self.loops = True
        weight = f" * {_weight(node.step)}" if _weight(node.step) > 1 else ""
        self.line(f"if (steps := steps - len({many}){weight}) < 0:")
        with self.deeper():
            self.line("spent()")
        self.line(f"{result} = {_START[loop.kind]}")
        self.line(f"for {one} in {many}:")
        self._turning += 1
        with self.deeper(), self._local(node.variable, Code(one, plain=True)):
            self._turn(loop, result)
        self._turning -= 1
        if loop.kind == "exists_one":
            return Code(f"({result} == 1)", BOOL)
        return Code(result, BOOL if loop.kind in {"all", "exists"} else LIST, plain=True)

    def _turn(self, loop: Loop, result: str) -> None:
        """The body of a loop."""
        if loop.kind in {"all", "exists"} and loop.predicate is not None:
            held = self.truth(loop.predicate)
            self.line(f"if {'not ' if loop.kind == 'all' else ''}{held}:")
            with self.deeper():
                self.line(f"{result} = {loop.kind == 'exists'}")
                self.line("break")
            return
        if loop.predicate is not None:
            self.line(f"if {self.truth(loop.predicate)}:")
        with self.deeper() if loop.predicate is not None else nullcontext():
            if loop.item is None:
                self.line(f"{result} += 1")
            else:
                made = self.value(loop.item).text
                self.line(f"{result}.append({made})")


_START: Final = {"all": "True", "exists": "False", "exists_one": "0", "map": "[]"}


def _zip(keys: Sequence[object], node: MapOf) -> Iterator[tuple[object, tuple[Node, Node, bool]]]:
    return zip(keys, node.entries, strict=True)


def _weight(body: Node) -> int:
    """How many steps one turn of a loop counts for: a long body takes longer than a short one."""
    nodes, waiting = 0, [body]
    while waiting:
        nodes += 1
        waiting.extend(children(waiting.pop()))
    return 1 + nodes // _NODES_OF_A_STEP


def _all_texts(node: ListOf) -> bool:
    return all(isinstance(one, Literal) and isinstance(one.value, str) for one in node.items)


def _all_integers(node: ListOf) -> bool:
    return all(isinstance(one, Literal) and type(one.value) is int for one in node.items)


_SPECIAL: Final[dict[str, Callable[..., Code]]] = {
    "!_": Emitter._not,  # noqa: SLF001 - the table is part of the class
    "_&&_": Emitter._and,  # noqa: SLF001
    "_||_": Emitter._or,  # noqa: SLF001
    "_?_:_": Emitter._choice,  # noqa: SLF001
    "_==_": Emitter._same,  # noqa: SLF001
    "_!=_": Emitter._other,  # noqa: SLF001
    "_[_]": Emitter._index,  # noqa: SLF001
    "@in": Emitter._in,  # noqa: SLF001
    "matches": Emitter._matches,  # noqa: SLF001
    "size": Emitter._size,  # noqa: SLF001
    "startsWith": Emitter._starts,  # noqa: SLF001
    "endsWith": Emitter._ends,  # noqa: SLF001
    "contains": Emitter._includes,  # noqa: SLF001
    "dyn": Emitter._dyn,  # noqa: SLF001
}
