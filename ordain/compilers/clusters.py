"""What the CEL of a cluster understands, by the version of Kubernetes.

A cluster accepts a new expression only if the version before it would run it too, so that it can be
rolled back (`DefaultCompatibilityVersion` in k8s.io/apiserver, pkg/cel/environment/base.go, which
is also the source of the table). What was introduced with 1.28 can therefore be written from 1.29
on. A function that is not in the table is refused: no version is known to have it.

Two rules of a cluster are stricter than the gate's. The items of a list, and the values of a map,
that are written in an expression must be of one type; and a literal pattern, time or duration must
be one that can be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.policies.cel.tree import (
    DYN,
    Call,
    Fold,
    ListOf,
    Literal,
    MapOf,
    Message,
    Name,
    Node,
    Select,
)
from ordain.policies.engine import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.tree import Kind, Reference, Tree
    from ordain.policies.engine import Engine

FLOOR: Final = 26
# Names of an expression that a cluster knows as well; `params` and `variables` are rewritten.
PORTABLE: Final = frozenset({"object", "oldObject", "params", "variables"})
_ALWAYS: Final = (
    "_&&_ _||_ !_ @not_strictly_false _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ _+_ _-_ _*_ _/_ _%_ -_ "
    "_[_] @in size contains startsWith endsWith matches type dyn int uint double string bytes bool "
    "timestamp duration getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear "
    "getHours getMinutes getSeconds getMilliseconds charAt indexOf lastIndexOf join lowerAscii "
    "upperAscii replace split substring trim"
)
_INTRODUCED: Final = {
    28: "_?._ _[?_] optional.of optional.none optional.ofNonZeroValue hasValue value or orValue",
    29: "format strings.quote sets.contains sets.equivalent sets.intersects",
}
_FUNCTIONS: Final[dict[str, int]] = {
    **dict.fromkeys(_ALWAYS.split(), 0),
    **{name: since for since, names in _INTRODUCED.items() for name in names.split()},
}
_OPTIONALS: Final = 28
_PAIRS: Final = 32
_WITH_OPTIONALS: Final = "optionals, such as `.?` and `orValue`"
_READ_WHEN_COMPILED: Final = frozenset({"timestamp", "duration", "matches"})
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
_DOTTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*$")


@dataclass(frozen=True, slots=True)
class Version:
    """A minor version of Kubernetes 1."""

    minor: int

    def __str__(self) -> str:
        return f"1.{self.minor}"

    def has(self, introduced: int) -> bool:
        """Whether a new expression may use what was introduced with a version of the CEL library.

        The very first functions are older than any version that is compiled for.
        """
        return introduced == 0 or self.minor > introduced


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something in an expression that a cluster would not take: from where to where, and why."""

    code: str
    start: int
    end: int
    message: str
    remedy: str


ONLY_THE_GATE: Final = "CMP002"
NOT_IN_VERSION: Final = "CMP003"
NOT_IN_CLUSTERS: Final = "CMP004"


class Reading:
    """One expression, read for one version."""

    def __init__(self, text: str, tree: Tree, version: Version, engine: Engine) -> None:
        self.text, self.tree, self.version, self.engine = text, tree, version, engine

    def refusals(self, known: frozenset[str]) -> list[Refusal]:
        """What a cluster would not take, by place.

        `known` are the variables that can be read here; in a condition none.
        """
        found = [*self._references(known), *self._nodes()]
        unique = {(one.start, one.code, one.message): one for one in found}
        return sorted(unique.values(), key=lambda one: (one.start, one.message))

    def _references(self, known: frozenset[str]) -> Iterator[Refusal]:
        for one in self.tree.references():
            if one.node.name not in NAMES:
                continue  # The name of a type.
            if one.node.name not in PORTABLE:
                message = f"`{one.node.name}` is known to the gate only, and to no cluster"
                remedy = "ask about object and oldObject only, or leave this to the gate"
                yield self._refusal(ONLY_THE_GATE, one.node, message, remedy)
            elif self._absolute(one.node):
                message = f"`.{one.node.name}` with a leading dot is not read alike everywhere"
                yield self._refusal(NOT_IN_CLUSTERS, one.node, message, "leave out the dot")
            elif one.node.name == "variables":
                yield from self._variable(one, known)
            elif one.node.name == "params" and "variables" in one.hidden:
                message = "parameters become a variable, which a loop over `variables` hides here"
                yield self._refusal(NOT_IN_CLUSTERS, one.node, message, "name the loop otherwise")

    def _absolute(self, node: Name) -> bool:
        return self.text[: self.start(node)].rstrip().endswith(".")

    def _variable(self, one: Reference, known: frozenset[str]) -> Iterator[Refusal]:
        if not isinstance(one.parent, Select) or one.parent.test:
            message = "variables of a cluster can be read as variables.NAME and in no other way"
            yield self._refusal(NOT_IN_CLUSTERS, one.node, message, "read them by name")
        elif one.parent.field not in known:
            message = f"variables.{one.parent.field} is not declared before it is used"
            remedy = "declare it, above where it is used"
            yield self._refusal(NOT_IN_CLUSTERS, one.node, message, remedy)

    def _nodes(self) -> Iterator[Refusal]:
        for node in self.tree.nodes():
            match node:
                case Call():
                    yield from self._call(node)
                case ListOf(optional=optional):
                    yield from self._alike(node.items, optional)
                    yield from self._since(node, _OPTIONALS if optional else 0, _WITH_OPTIONALS)
                case MapOf(entries=entries):
                    optional = frozenset(at for at, (_, _, one) in enumerate(entries) if one)
                    yield from self._alike(tuple(value for _, value, _ in entries), optional)
                    yield from self._since(node, _OPTIONALS if optional else 0, _WITH_OPTIONALS)
                case Fold(second=second) if second:
                    yield from self._since(node, _PAIRS, "loop over two variables")
                case Message(name=name):
                    message = f"`{name}` is no type that expressions of a cluster can make"
                    yield self._refusal(NOT_IN_CLUSTERS, node, message, "use plain values")
                case _:
                    pass

    def _call(self, node: Call) -> Iterator[Refusal]:
        since = _FUNCTIONS.get(node.function)
        if since is None:
            message = f"no version of Kubernetes has the function `{node.function}`"
            remedy = "write it with other functions, or leave this to the gate"
            yield self._refusal(NOT_IN_VERSION, node, message, remedy)
            return
        what = _WITH_OPTIONALS if since == _OPTIONALS else f"function `{node.function}`"
        yield from self._since(node, since, what)
        if node.function in _READ_WHEN_COMPILED:
            yield from self._readable(node)

    def _since(self, node: Node, introduced: int, what: str) -> Iterator[Refusal]:
        if not self.version.has(introduced):
            message = f"Kubernetes {self.version} has no {what}; 1.{introduced + 1} has"
            remedy = f"compile with --kube-version 1.{introduced + 1}, or write it without"
            yield self._refusal(NOT_IN_VERSION, node, message, remedy)

    def _alike(self, items: tuple[Node, ...], optional: frozenset[int]) -> Iterator[Refusal]:
        kinds = [self.tree.types.get(one.id, DYN) for one in items]
        # What is optional holds the item in question.
        kinds = [kind.of[0] if at in optional else kind for at, kind in enumerate(kinds)]
        for one, kind in zip(items, kinds, strict=True):
            if not _same(kinds[0], kind):
                message = f"a cluster wants one type in a literal: {kinds[0].name} and {kind.name}"
                remedy = "write dyn(…) around the values that differ"
                yield self._refusal(NOT_IN_CLUSTERS, one, message, remedy)
                return

    def _readable(self, node: Call) -> Iterator[Refusal]:
        """A literal that a cluster reads when it compiles must be one that can be read."""
        argument = node.arguments[-1] if node.arguments else None
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            return
        quoted = quote(argument.value)
        call = (
            f"''.matches({quoted})" if node.function == "matches" else f"{node.function}({quoted})"
        )
        why = self.engine.compile(f"string({call})").run(self.engine.bind({})).error
        if why:
            message = f"{node.function}() cannot read this literal: {why}"
            yield self._refusal(NOT_IN_CLUSTERS, argument, message, "mend the literal")

    def start(self, node: Node) -> int:
        """Where a node begins that is a name, a literal or a call; of other nodes, where it is."""
        at = self.tree.positions.get(node.id, 0)
        if not isinstance(node, Call) or self.text[at : at + 1] != "(":
            return at
        word = (_WORD if node.target else _DOTTED).search(self.text[:at])
        return word.start() if word else at

    def _refusal(self, code: str, node: Node, message: str, remedy: str) -> Refusal:
        start = self.start(node)
        word = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\.\?|\[\?").match(self.text, start)
        return Refusal(code, start, word.end() if word else start + 1, message, remedy)


def _same(left: Kind, right: Kind) -> bool:
    """Whether a cluster takes these two for one type; dyn is like any other."""
    if DYN in (left, right):
        return True
    if left.name != right.name or len(left.of) != len(right.of):
        return False
    return all(map(_same, left.of, right.of))


def quote(text: str) -> str:
    """A text as a literal of CEL; every escape that JSON has CEL has too."""
    import json

    return json.dumps(text, ensure_ascii=False)
