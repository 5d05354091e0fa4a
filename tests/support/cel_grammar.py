# ruff: noqa: C901, E501, PLR0911, RUF001 - tables and a grammar: one return for each production
"""Expressions and documents by chance, for comparing two engines.

A grammar with types, because expressions without them almost never compile, and with exceptions on
purpose: now and then a part has another type, mostly behind `dyn()`, where only the evaluation can
find out. The constants stand at the edges where two implementations part ways: the ends of int64,
the last double below 2^63, NaN, minus zero, characters outside the basic plane, time zones, regexes
that Python's own engine reads otherwise than RE2 does.

Everything is drawn from one `random.Random`, so that hypothesis may stand behind it and shrink, and
a seed alone repeats a long run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

INTS: Final = (
    "0", "1", "-1", "2", "3", "5", "7", "10", "-7", "42", "100", "1000", "0x1f", "-0x10",
    "2147483648", "4294967296", "9007199254740993", "9223372036854775807", "-9223372036854775808",
    "253402300799", "-62135596800",
)  # fmt: skip
UINTS: Final = ("0u", "1u", "2u", "5u", "0xffu", "9223372036854775808u", "18446744073709551615u")
DOUBLES: Final = (
    "0.0", "-0.0", "1.0", "-1.0", "2.0", "0.5", "1.5", "-2.5", "0.1", "1e3", "1e15", "1e16", "1e17",
    "1e21", "1e-5", "1e-7", "123456789.125", "9007199254740992.0", "9223372036854775807.0",
    "9223372036854774784.0", "-9223372036854775808.0", "18446744073709551615.0", "1e308", "-1e308",
    "5e-324", "double('NaN')", "double('inf')", "double('-inf')", "3.141592653589793",
)  # fmt: skip
TEXTS: Final = (
    "", "a", "b", "A", "z", "abc", "aXbXc", "true", "1", "-1", "0x10", " 1", "1.5", "NaN", "1e400",
    "é", "e\u0301", "ß", "İ", "ſ", "😀", "a😀b", "👩‍👩‍👧", "\u0661", "\t", "a\n", "line\r\nline", "  pad ",
    "\u00a0nbsp\u00a0", "\u2003em", "\ufeff", "quote\"'`", "back\\slash", "%s", "a,b,c", ",", "--",
    "sha256:915e71e0", "a.b.c", "ab" * 20, "\x7f", "\u2028", "2026-11-20T00:00:00Z", "UTC",
)  # fmt: skip
BYTES: Final = ("b''", "b'a'", "b'abc'", r"b'\xff'", r"b'\x00\x80'", "b'é'", r"b'\303\251'")
INSTANTS: Final = (
    "1970-01-01T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-20T12:34:56.789Z",
    "2024-02-29T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "1969-12-31T23:59:59.5Z", "2026-03-29T01:30:00+01:00", "2026-11-20T00:00:00-08:00",
)  # fmt: skip
NO_INSTANTS: Final = (
    "", "2026-11-20", "2026-11-20 00:00:00Z", "2026-11-20t00:00:00z", "2026-02-30T00:00:00Z",
    "2026-11-20T00:00:00", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "2026-11-20T00:00:00.Z", "2026-11-20T00:00:00.1234567890Z",
    "2026-11-20T00:00:00+25:00", " 2026-11-20T00:00:00Z", "2026-1-2T00:00:00Z", "٢026-11-20T00:00:00Z",
    "2026-11-20T00:00:00+0100", "2026-11-20T00:00:00,5Z",
)  # fmt: skip
SPANS: Final = (
    "0s", "1s", "-1s", "1h", "1h30m", "90m", "1.5h", "-1.5s", "100ms", "1us", "1ns", "0.000000001s",
    "315576000000s", "-315576000000s", "86400s", "2562047h",
)  # fmt: skip
NO_SPANS: Final = (
    "", "1", "0", "s", "1d", "1 s", "1µs", "+1s", "1s1h", ".5s", "1.s", "--1s", "1e3s", "1h-1m",
    "9223372036s", "9223372037s", "999999999999h", "1.0000000001s", "inf", "1S", "٣s",
)  # fmt: skip
ZONES: Final = (
    "UTC",
    "",
    "+05:30",
    "-08:00",
    "05:30",
    "America/New_York",
    "Europe/Berlin",
    "Mars",
    "Z",
)
PATTERNS: Final = (
    "a", "^a", "a$", "^a*$", "^(a+)+$", "[a-z]+", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a|b", ".", "^.$",
    "(?i)abc", "(?i)k", "(?i)ſ", r"\\d", r"\\d+", r"\\w", r"\\s", r"\\bb", r"\\pL", r"\\p{Greek}", "[[:alpha:]]",
    r"\\x{1F600}", r"(a)\\1", "(?=a)", "(?<!a)b", "a{2,3}", "a{1001}", "(?P<n>a)", "(?<n>a)", "(", "[", "*", "a**",
    r"\\z", r"\\Z", r"\\A", r"\\Qa.b\\E", "(?s).", "(?m)^b", "(?U)a+", "^$", "", r"\\C", "é", "[^a]", "$", r"\\.",
    "^sha256:[0-9a-f]{8}$", "(?x) a", "a++", "(?>a)", r"\\u0061", r"\\n", "[a-", "[]a]", "[a&&b]", "x*", r"[\\d]", r"\\h",
)  # fmt: skip
FORMATS: Final = (
    "%s", "%d", "%f", "%.3f", "%e", "%.2e", "%x", "%X", "%o", "%b", "%%", "%s-%s", "%d%d", "%.0f", "%.1s",
    "%5d", "%", "%q", "%s %", "%c", "%.100f", "%.1001f", "%-5s",
)  # fmt: skip
GETTERS: Final = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours",
    "getMinutes", "getSeconds", "getMilliseconds",
)  # fmt: skip
KINDS: Final = (
    "bool", "int", "uint", "double", "string", "bytes", "list", "map", "timestamp", "duration",
    "null", "type", "any",
)  # fmt: skip
# Pairs of numbers whose order depends on whether they are compared exactly or as doubles.
NEAR: Final = (
    "9007199254740993", "9007199254740992", "9007199254740992.0", "9007199254740994.0",
    "9223372036854775807", "9223372036854775807.0", "9223372036854774784.0", "9007199254740993u",
    "-9223372036854775808", "-9223372036854775808.0", "18446744073709551615u", "1.8446744073709552e19",
    "object.n", "object.f", "double('NaN')", "0", "0u", "-0.0", "1", "1.0", "1u", "true", "1e300",
)  # fmt: skip
# Words of Python that are plain identifiers in CEL, and names of our own.
LOCALS: Final = (
    "x",
    "y",
    "i",
    "k",
    "v",
    "e",
    "_",
    "__x",
    "def",
    "lambda",
    "None",
    "self",
    "object",
    "variables",
)
ROOTS: Final = (
    *(("object",) * 14), "oldObject", "params", "params", "variables", "estate", "model", "change",
    "linked", *(("approvals", "facts") * 1),
)  # fmt: skip
# A document's keys and what they mostly hold; `gone` is mostly missing.
FIELDS: Final = {
    "n": "int", "m": "int", "f": "double", "s": "string", "t": "bool", "r": "string", "z": "null",
    "l": "ints", "ls": "strings", "lm": "maps", "ld": "doubles", "o": "map", "p": "map", "w": "any",
    "at": "instant", "span": "span", "gone": "any", "a-b": "int",
}  # fmt: skip
_BY_TYPE: Final = {
    "bool": ("t",), "int": ("n", "m"), "double": ("f",), "string": ("s", "r", "at", "span"),
    "list": ("l", "ls", "lm", "ld"), "map": ("o", "p", ""), "null": ("z",),
}  # fmt: skip


def quoted(text: str) -> str:
    """The text as a CEL literal."""
    out = ["'"]
    for char in text:
        if char in "\\'":
            out.append("\\" + char)
        elif char < " " or char in "\x7f\u2028\ufeff":
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return "".join(out) + "'"


class Documents:
    """Values as a loader makes them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def values(self) -> dict[str, Any]:
        """What the names are bound to."""
        pick = self.chance.random
        found: dict[str, Any] = {"object": self.document(3) if pick() < 0.97 else self.any(2)}
        for name in ("oldObject", "params", "variables", "estate", "model", "change", "linked"):
            if pick() < 0.9:
                found[name] = self.document(1) if pick() < 0.95 else self.any(1)
        found["approvals"] = [self.document(0) for _ in range(self.chance.randrange(3))]
        found["now"] = "2026-11-20T00:00:00Z"
        return found

    def document(self, depth: int) -> dict[str, Any]:
        found = {}
        for key, kind in FIELDS.items():
            if self.chance.random() < (0.2 if key == "gone" else 0.9):
                found[key] = self.of(kind if self.chance.random() < 0.93 else "any", depth)
        return found

    def of(self, kind: str, depth: int) -> Any:  # noqa: ANN401 - any JSON
        choice = self.chance.choice
        match kind:
            case "int":
                return choice((0, 1, 2, 3, -1, 7, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)))
            case "double":
                return choice((0.0, -0.0, 1.0, 0.5, 1e15, 1e308, -2.5, 2.0**63, 0.1, 5e-324))
            case "string":
                return choice(TEXTS)
            case "instant":
                return choice(INSTANTS if self.chance.random() < 0.9 else NO_INSTANTS)
            case "span":
                return choice(SPANS if self.chance.random() < 0.9 else NO_SPANS)
            case "bool":
                return choice((True, False))
            case "null":
                return None
            case "map":
                return self.document(depth - 1) if depth > 0 else {}
            case "ints" | "doubles" | "strings" | "maps":
                return [self.of(kind[:-1], min(depth, 1)) for _ in range(choice((0, 1, 2, 3)))]
            case _:
                return self.any(depth)

    def any(self, depth: int) -> Any:  # noqa: ANN401 - any JSON
        kinds = ("null", "bool", "int", "double", "string", "ints", "strings", "list", "map")
        kind = self.chance.choice(kinds[: 9 if depth > 0 else 5])
        if kind == "list":
            return [self.any(depth - 1) for _ in range(self.chance.randrange(3))]
        return self.of(kind, depth)


class Expressions:
    """A CEL expression of a given type, mostly."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.locals: list[tuple[str, str]] = []
        self._makers: dict[str, Callable[[int], str]] = {
            kind: getattr(self, f"_{kind}") for kind in KINDS
        }

    def expression(self, depth: int = 4, kind: str = "") -> str:
        self.locals = []
        kind = kind or ("bool" if self.chance.random() < 0.6 else self.one(KINDS))
        return self.of(kind, depth)

    def one(self, among: Sequence[str]) -> str:
        return self.chance.choice(among)

    def of(self, kind: str, depth: int) -> str:
        luck = self.chance.random()
        if luck < 0.03:
            return f"dyn({self._makers[self.one(KINDS)](depth - 1)})"
        if luck < 0.035:
            return self._makers[self.one(KINDS)](depth - 1)
        if luck < 0.25 or (depth <= 0 and luck < 0.5):
            return self.read(kind)
        if depth > 0 and luck < 0.29:
            return f"({self.of('bool', depth - 1)} ? {self.of(kind, depth - 1)} : {self.of(kind, depth - 1)})"
        if depth > 0 and luck < 0.33:
            return self.chosen(kind, depth)
        return self._makers[kind](depth)

    def chosen(self, kind: str, depth: int) -> str:
        """By way of an optional or an element."""
        inner = self.of(kind, depth - 1)
        match self.chance.randrange(7):
            case 0:
                return f"{self.optional(kind, depth)}.orValue({inner})"
            case 1:
                return f"{self.optional(kind, depth)}.value()"
            case 2:
                return f"[{inner}, {self.of(kind, depth - 1)}][{self.one(('0', '1', '2', '-1', '0u', '1.0', 'object.n'))}]"
            case 3:
                return f"{{'a': {inner}}}[{self.one(('object.s', repr('a')))}]"
            case 4:
                return f"{{'a': {inner}}}.a"
            case 5:
                return f"{self.optional(kind, depth)}.or({self.optional(kind, depth)}).orValue({inner})"
            case _:
                return f"dyn({inner})"

    def optional(self, kind: str, depth: int) -> str:
        match self.chance.randrange(11):
            case 0:
                return "optional.none()"
            case 1:
                return f"optional.of({self.of(kind, depth - 1)})"
            case 2:
                return f"optional.ofNonZeroValue({self.of(kind, depth - 1)})"
            case 3:
                return f"{self.of('list', depth - 1)}[?{self.of('int', depth - 1)}]"
            case 4:
                return f"{self.of('map', depth - 1)}[?{self.of('string', depth - 1)}]"
            case 5:
                with_local = self.one(LOCALS)
                return (
                    f"{self.optional(kind, depth - 2)}.{self.one(('optMap', 'optFlatMap'))}({with_local}, {self.under(with_local, kind, kind, depth - 1)})"
                    if depth > 0
                    else "optional.none()"
                )
            case 6:
                return f"{self.of('list', depth - 1)}.{self.one(('first', 'last'))}()"
            case _:
                return f"{self.one(ROOTS)}.?{self.field(kind)}" + (
                    f".{self.field(kind)}" if self.chance.random() < 0.3 else ""
                )

    def field(self, kind: str) -> str:
        luck = self.chance.random()
        if luck < 0.75 and kind in _BY_TYPE:
            return self.one(_BY_TYPE[kind]) or "o"
        return self.one([name for name in FIELDS if "-" not in name])

    def read(self, kind: str) -> str:
        """A value out of the document, or of a local name."""
        fitting = [name for name, of in self.locals if of in {kind, "any"} or kind == "any"]
        if fitting and self.chance.random() < 0.6:
            name = self.one(fitting)
            return name if self.chance.random() < 0.7 else f"{name}.{self.field(kind)}"
        root = self.one(ROOTS)
        luck = self.chance.random()
        if kind == "map" and luck < 0.3:
            return root
        if luck < 0.1:
            return f"{root}.{self.one(('o', 'p'))}.{self.field(kind)}"
        if luck < 0.15:
            return f"{root}[{quoted(self.one(list(FIELDS)))}]"
        if luck < 0.2:
            return f"{root}.{self.one(('l', 'ls', 'lm', 'ld'))}[{self.one(('0', '1', '2', '-1'))}]"
        if luck < 0.25:
            return f"{root}.?{self.field(kind)}.orValue({self.of(kind, 0)})"
        return f"{root}.{self.field(kind)}"

    def under(self, name: str, local: str, kind: str, depth: int) -> str:
        """An expression inside a comprehension, where `name` is a `local`."""
        self.locals.append((name, local))
        text = self.of(kind, depth)
        self.locals.pop()
        return text

    def sequence(self, depth: int) -> tuple[str, str]:
        """Something to walk over, and the type of what it yields."""
        kind = self.one(("int", "string", "double", "any", "map"))
        match self.chance.randrange(5):
            case 0:
                return self.of("map", depth), "string"
            case 1:
                return f"{self.one(ROOTS)}.{self.one(('l', 'ls', 'lm', 'ld'))}", "any"
            case 2:
                return self.of("list", depth), "any"
            case _:
                items = (self.of(kind, depth - 1) for _ in range(self.chance.randrange(4)))
                return f"[{', '.join(items)}]", kind

    # ── one method per type ──────────────────────────────────────────────────────────────────

    def _bool(self, depth: int) -> str:
        if depth <= 0:
            return self.one(("true", "false", "object.t"))
        sub = depth - 1
        match self.chance.randrange(17):
            case 0 | 1 | 2:
                operator = self.one(("&&", "||"))
                return f"({self.of('bool', sub)} {operator} {self.of('bool', sub)})"
            case 3:
                return f"!{self.of('bool', sub)}"
            case 4 | 5 | 6:
                return self._comparison(sub)
            case 7:
                kind = self.one(("int", "string", "double", "any", "uint", "bool"))
                return (
                    f"({self.of(kind, sub)} in {self.of(self.one(('list', 'list', 'map')), sub)})"
                )
            case 8:
                path = ".".join(
                    self.one(list("nflopmsw")) for _ in range(self.chance.choice((1, 1, 2)))
                )
                return f"has({self.one(ROOTS)}.{path})"
            case 9 | 10:
                return self._quantified(sub)
            case 11 | 12:
                function = self.one(("contains", "startsWith", "endsWith"))
                return f"{self.of('string', sub)}.{function}({self.of('string', sub)})"
            case 13:
                pattern = "'" + self.one(PATTERNS).replace("'", "\\'") + "'"
                return f"{self.of('string', sub)}.matches({pattern})"
            case 14:
                return f"{self.optional(self.one(KINDS), sub)}.hasValue()"
            case 15:
                function = self.one(("contains", "equivalent", "intersects"))
                return f"sets.{function}({self.of('list', sub)}, {self.of('list', sub)})"
            case _:
                return f"bool({self.one((self.of('string', sub), 'true', repr('t'), repr('TRUE'), repr('tRue'), repr('0')))})"

    def _comparison(self, depth: int) -> str:
        operator = self.one(("==", "!=", "<", "<=", ">", ">=", "==", "!="))
        if self.chance.random() < 0.1:
            wrap = self.one(("dyn({})", "[dyn({})]", "{{'a': dyn({})}}"))
            left, right = wrap.format(self.one(NEAR)), wrap.format(self.one(NEAR))
            return f"({left} {operator} {right})"
        left = right = self.one(KINDS)
        if self.chance.random() < 0.3:
            right = self.one(("int", "uint", "double", "any", *KINDS))
            return f"(dyn({self.of(left, depth)}) {operator} dyn({self.of(right, depth)}))"
        return f"({self.of(left, depth)} {operator} {self.of(right, depth)})"

    def _quantified(self, depth: int) -> str:
        over, kind = self.sequence(depth)
        name = self.one(LOCALS)
        macro = self.one(("all", "exists", "exists_one"))
        return f"{over}.{macro}({name}, {self.under(name, kind, 'bool', depth - 1)})"

    def _number(self, kind: str, depth: int) -> str:
        operators = ("+", "-", "*", "/", "%") if kind != "double" else ("+", "-", "*", "/")
        return f"({self.of(kind, depth)} {self.one(operators)} {self.of(kind, depth)})"

    def _int(self, depth: int) -> str:
        sub = depth - 1
        match self.chance.randrange(9) if depth > 0 else 0:
            case 0 | 1:
                return self.one(INTS)
            case 2 | 3:
                return self._number("int", sub)
            case 4:
                return f"-({self.of('int', sub)})"
            case 5:
                kind = self.one(("string", "list", "map", "bytes", "any"))
                return self.one(("size({})", "{}.size()")).format(self.of(kind, sub))
            case 6:
                kind = self.one(("double", "uint", "string", "timestamp", "duration", "int", "any"))
                return f"int({self.of(kind, sub)})"
            case 7:
                zone = self.one(("", quoted(self.one(ZONES))))
                of = self.one(("timestamp", "timestamp", "duration"))
                return f"{self.of(of, sub)}.{self.one(GETTERS)}({zone})"
            case _:
                at = self.one(("", f", {self.of('int', 0)}"))
                function = self.one(("indexOf", "lastIndexOf"))
                return f"{self.of('string', sub)}.{function}({self.of('string', sub)}{at})"

    def _uint(self, depth: int) -> str:
        match self.chance.randrange(4) if depth > 0 else 0:
            case 0:
                return self.one(UINTS)
            case 1:
                return self._number("uint", depth - 1)
            case _:
                kind = self.one(("double", "int", "string", "uint", "any"))
                return f"uint({self.of(kind, depth - 1)})"

    def _double(self, depth: int) -> str:
        match self.chance.randrange(5) if depth > 0 else 0:
            case 0 | 1:
                return self.one(DOUBLES)
            case 2:
                return self._number("double", depth - 1)
            case 3:
                return f"-({self.of('double', depth - 1)})"
            case _:
                kind = self.one(("int", "uint", "string", "double", "any"))
                return f"double({self.of(kind, depth - 1)})"

    def _string(self, depth: int) -> str:
        sub = depth - 1
        text = self.of("string", sub) if depth > 0 else quoted(self.one(TEXTS))
        match self.chance.randrange(16) if depth > 0 else 0:
            case 0 | 1 | 2 | 3:
                return quoted(self.one(TEXTS))
            case 4 | 5:
                return f"({text} + {self.of('string', sub)})"
            case 6 | 7:
                kind = self.one((*KINDS, "int", "double", "timestamp", "duration"))
                return f"string({self.of(kind, sub)})"
            case 8:
                return f"{text}.{self.one(('lowerAscii', 'upperAscii', 'trim', 'reverse'))}()"
            case 9:
                return f"strings.quote({text})"
            case 10:
                return f"{text}.charAt({self.of('int', 0)})"
            case 11:
                end = self.one(("", f", {self.of('int', 0)}"))
                return f"{text}.substring({self.of('int', 0)}{end})"
            case 12:
                limit = self.one(("", f", {self.of('int', 0)}"))
                return f"{text}.replace({self.of('string', 0)}, {self.of('string', 0)}{limit})"
            case 13:
                by = self.one(("", self.of("string", 0)))
                return f"{self._strings(sub)}.join({by})"
            case 14:
                items = (self.of(self.one(KINDS), sub) for _ in range(self.chance.randrange(3)))
                return f"{quoted(self.one(FORMATS))}.format([{', '.join(items)}])"
            case _:
                return f"{self._strings(sub)}[0]"

    def _strings(self, depth: int) -> str:
        if self.chance.random() < 0.5:
            items = (self.of("string", depth) for _ in range(self.chance.randrange(3)))
            return f"[{', '.join(items)}]"
        limit = self.one(("", f", {self.of('int', 0)}"))
        return f"{self.of('string', depth)}.split({self.of('string', 0)}{limit})"

    def _bytes(self, depth: int) -> str:
        match self.chance.randrange(4) if depth > 0 else 0:
            case 0 | 1:
                return self.one(BYTES)
            case 2:
                return f"bytes({self.of(self.one(('string', 'bytes')), depth - 1)})"
            case _:
                return f"({self.of('bytes', depth - 1)} + {self.of('bytes', depth - 1)})"

    def _list(self, depth: int) -> str:
        if depth <= 0:
            return self.one(("[]", "[1, 2]", "['a']", "[1.0]", "[null]", "object.l"))
        sub = depth - 1
        match self.chance.randrange(8):
            case 0 | 1:
                kind = self.one(KINDS)
                items = (self.of(kind, sub) for _ in range(self.chance.randrange(4)))
                return f"[{', '.join(items)}]"
            case 2:
                return f"[{self.of('any', sub)}, ?{self.optional('any', sub)}]"
            case 3:
                return f"({self.of('list', sub)} + {self.of('list', sub)})"
            case 4:
                return self._strings(sub)
            case _:
                return self._mapped(sub)

    def _mapped(self, depth: int) -> str:
        over, kind = self.sequence(depth)
        name = self.one(LOCALS)
        holds = self.under(name, kind, "bool", depth - 1)
        gives = self.under(name, kind, self.one(KINDS), depth - 1)
        match self.chance.randrange(3):
            case 0:
                return f"{over}.filter({name}, {holds})"
            case 1:
                return f"{over}.map({name}, {gives})"
            case _:
                return f"{over}.map({name}, {holds}, {gives})"

    def _map(self, depth: int) -> str:
        if depth <= 0:
            return self.one(("{}", "{'a': 1}", "{1: 'a'}", "{true: null}", "{1u: 2.0}", "object"))
        sub = depth - 1
        pairs = []
        for _ in range(self.chance.randrange(3)):
            key = self.of(self.one(("string", "string", "int", "uint", "bool", "double")), 0)
            pairs.append(f"{key}: {self.of('any', sub)}")
        if self.chance.random() < 0.2:
            pairs.append(f"?'q': {self.optional('any', sub)}")
        return f"{{{', '.join(pairs)}}}"

    def _timestamp(self, depth: int) -> str:
        instants = INSTANTS if self.chance.random() < 0.85 else NO_INSTANTS
        match self.chance.randrange(6) if depth > 0 else 0:
            case 0 | 1:
                return f"timestamp({quoted(self.one(instants))})"
            case 2:
                return f"timestamp({self.one(('now', 'object.at', self.of('int', depth - 1)))})"
            case 3:
                return f"({self.of('duration', depth - 1)} + {self.of('timestamp', depth - 1)})"
            case _:
                operator = self.one(("+", "-"))
                return f"({self.of('timestamp', depth - 1)} {operator} {self.of('duration', depth - 1)})"

    def _duration(self, depth: int) -> str:
        spans = SPANS if self.chance.random() < 0.85 else NO_SPANS
        match self.chance.randrange(6) if depth > 0 else 0:
            case 0 | 1 | 2:
                return f"duration({quoted(self.one(spans))})"
            case 3:
                return "duration(object.span)"
            case 4:
                return f"({self.of('timestamp', depth - 1)} - {self.of('timestamp', depth - 1)})"
            case _:
                operator = self.one(("+", "-"))
                return f"({self.of('duration', depth - 1)} {operator} {self.of('duration', depth - 1)})"

    def _null(self, _depth: int) -> str:
        return self.one(("null", "object.z"))

    def _type(self, depth: int) -> str:
        if depth > 0 and self.chance.random() < 0.6:
            return f"type({self.of(self.one(KINDS), depth - 1)})"
        return self.one(
            ("int", "string", "bool", "double", "list", "map", "null_type", "uint", "type")
        )

    def _any(self, depth: int) -> str:
        kind = self.one(KINDS[:-1])
        return self.of(kind, depth) if kind != "type" else self._null(depth)


def same(left: object, right: object) -> bool:
    """Equal to the last bit: 1 is neither true nor 1.0, zero has a sign, and NaN is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        # Keys of several types (1 and true) may meet in one dict, but not under one key of both.
        if {(type(key), key) for key in left} != {(type(key), key) for key in right}:
            return False
        return all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        if left != left or right != right:  # noqa: PLR0124 - NaN is what differs from itself
            return left != left and right != right  # noqa: PLR0124
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right
