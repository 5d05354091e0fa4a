# ruff: noqa: E501, T201 - expressions stand on one line; what was found is printed
"""Expressions that are written to hang the gate or to fill the memory, and what they are run over.

As a program it evaluates one of them and prints, as JSON, what came of it and what it cost; the
memory of a process can be told only from inside of it.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from typing import Any, Final


def let_in(levels: int, times: int, seed: str, tail: str, join: str = "{}") -> str:
    """Values that grow `times` times at each of some levels, with `all` as a way to name them."""
    text = tail.format(f"v{levels - 1}")
    for level in reversed(range(levels)):
        before = f"v{level - 1}" if level else seed
        text = f"[{join.format(before, times)}].all(v{level}, {text})"
    return text


def added(levels: int, seed: str, tail: str = "{}.size() == 0") -> str:
    text = tail.format(f"v{levels - 1}")
    for level in reversed(range(levels)):
        before = f"v{level - 1}" if level else seed
        text = f"[{' + '.join([before] * 10)}].all(v{level}, {text})"
    return text


def shared(levels: int, tail: str, macro: str = "all") -> str:
    """Small in memory, large to whoever walks through it: each level holds the last ten times."""
    text = tail.format(f"v{levels}")
    for level in reversed(range(levels)):
        inner = ", ".join([f"v{level}"] * 10)
        text = f"[[{inner}]].{macro}(v{level + 1}, {text})"
    return f"[[[1, 1]]].{macro}(v0, {text})"


def nested(levels: int) -> str:
    text = "true"
    for level in range(levels):
        text = f"[1, 2].all(x{level}, {text})"
    return text


def deep(levels: int, *, lists: bool) -> Any:  # noqa: ANN401 - any JSON
    value: Any = {}
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


def in_turns(question: str) -> str:
    return f"object.l.exists(y, object.l.exists(x, {question}))"


CASES: Final = {
    "a pattern that goes back": in_turns(
        "(object.big.substring(0, 990) + string(x)).matches('a*a{400}b')"
    ),
    "a pattern that begins anywhere": in_turns(
        "(object.big.substring(0, 990) + string(x)).matches('a{400}b')"
    ),
    "patterns made anew": in_turns("'a'.matches('(((a{10}){10}){9}|b' + string(x) + ')c')"),
    "patterns made anew, exactly": in_turns(
        "(x == y && object.gone) || 'a'.matches('(((a{10}){10}){9}|b' + string(x) + ')c')"
    ),
    "parentheses": "(" * 10_000 + "true" + ")" * 10_000,
    "brackets": "[" * 10_000 + "]" * 10_000 + " == []",
    "negations": "!" * 10_001 + "true",
    "minus signs": "-" * 10_001 + "1 == 1",
    "and": " && ".join(["true"] * 3_000 + ["false"]),
    "many loops": " && ".join(["object.l.all(x, x >= 0)"] * 1_100 + ["false"]),
    "long": " && ".join(["object.l.all(x, x >= 0)"] * 10_000),
    "plus": "+".join(["1"] * 20_000) + " < 0",
    "selects": "object" + ".a" * 10_000 + " == 1",
    "long literal": "'" + "a" * 1_000_000 + "' == object.text",
    "long list": "[" + ",".join(["1"] * 50_000) + "].size() == 0",
    "macros 12": f"{nested(12)} && false",
    "macros 20": nested(20),
    "macros 30": nested(30),
    "loops": "object.l.all(x, object.l.all(y, object.l.all(z, x + y + z >= 0)))",
    "loops of maps": "object.l.map(x, object.l.map(y, object.l.map(z, z))).size() > 0",
    "loops that err": "object.l.all(x, object.l.all(y, object.l.all(z, object.gone)))",
    "loops of equality": "object.l.all(x, object.l.all(y, object.l == oldObject.l)) && false",
    "loops of search": "object.l.all(x, object.l.all(y, object.l.all(z, !(-1 in object.l)))) && false",
    "loops in text": "object.l.all(x, object.l.all(y, !object.big.contains('aaaaaaaab'))) && false",
    "loops of sets": "object.l.all(x, object.l.all(y, sets.contains(object.l, object.l))) && false",
    "loops of texts": "object.l.map(x, object.l.map(y, object.big + object.big)).size() > 0 && false",
    "loops of upper": "object.l.map(x, object.l.map(y, object.big.upperAscii())).size() > 0 && false",
    "loops of regexes": "object.l.all(x, object.l.all(y, !object.big.matches('(a|aa)+b'))) && false",
    "loops of plain regexes": "object.l.all(x, object.l.all(y, !object.short.matches('.*a{500}b'))) && false",
    "loops of counted regexes": "object.l.all(x, object.l.all(y, !object.short.matches('(a{10}){90}b'))) && false",
    "loops of classes": "object.l.all(x, object.l.all(y, !object.short.matches('\\\\pL{50}b'))) && false",
    "loops of classes after an error": "object.gone || object.l.all(x, object.l.all(y, !object.short.matches('\\\\pL{50}b'))) && false",
    "loops of computed regexes after an error": "object.gone || object.l.all(x, object.l.all(y, !object.short.matches('\\\\pL{5' + '0}b'))) && false",
    "regex of many states": "object.huge.matches('[ab]*a[ab]{900}c')",
    "regex of many states after an error": "object.gone || object.huge.matches('[ab]*a[ab]{900}c')",
    "regex of open brackets": "object.big.matches(object.brackets)",
    "regex": "object.big.matches('^(a+)+$') && false",
    "regex of choices": "object.big.matches('(a|a)*b')",
    "regex of counts": "object.big.matches('((((a{10}){10}){10}){10}){10}')",
    "regex of the document": "object.big.matches(object.regex)",
    "join": "object.l.map(x, object.big).join('').size() == 0",
    "replace of nothing": "object.big.replace('', object.big).size() == 0",
    "replace": "object.big.replace('a', object.big).size() == 0",
    "replace some": "object.big.replace('a', object.big, 90000).size() == 0",
    "replace after an error": "object.gone == 1 || object.big.replace('a', object.big).size() == 0",
    "format": "'%.999999999f'.format([1.0]).size() > 0",
    "format of many": "'%s'.replace('%s', '%s%s%s%s').format(object.l.map(x, object.big)).size() == 0",
    "growing texts": added(8, "'aaaaaaaaaa'"),
    "growing bytes": added(8, "b'aaaaaaaaaa'"),
    "growing lists": added(8, "[1, 1, 1, 1]"),
    "growing after an error": f"object.gone == 1 || {added(8, repr('aaaaaaaaaa'))}",
    "growing with an unsigned": f"1u == 2u || {added(8, repr('aaaaaaaaaa'))}",
    "shared and equal": shared(12, "{0} == {0} && false"),
    "shared and searched": shared(12, "{0} in [{0}] && false"),
    "shared and printed": shared(10, "'%s'.format([{0}]).size() == 0"),
    "shared as a result": shared(7, "{0}", "map"),
    "deep and equal": "object.maps == oldObject.maps && object.lists == oldObject.lists && false",
    "deep and searched": "object.maps in [oldObject.maps] && false",
}


def values() -> dict[str, Any]:
    document = {
        "l": list(range(200)),
        "big": "a" * 100_000,
        "short": "a" * 1_000,
        # A text without a period leads an automaton into ever new states.
        "huge": "".join(random.Random(1).choices("ab", k=1_000_000)),
        "brackets": "[" * 100_000,
        "regex": "^(a+)+b$",
        "maps": deep(900, lists=False),
        "lists": deep(900, lists=True),
    }
    other = {**document, "l": list(range(200)), "maps": deep(900, lists=False)}
    return {"object": document, "oldObject": {**other, "lists": deep(900, lists=True)}}


def main() -> None:
    from ordain.policies.cel.programs import CelEngine
    from ordain.policies.errors import ExpressionError

    engine = CelEngine()
    binding = engine.bind(values())
    engine.compile("object.l.size() == 200").run(binding)
    start = time.process_time()
    try:
        outcome = engine.compile(CASES[sys.argv[1]]).run(binding)
        found = {"passed": outcome.passed, "error": outcome.error}
    except ExpressionError as refused:
        found = {"passed": False, "error": refused.message}
    spent = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "seconds": spent, "mebibytes": memory}))


if __name__ == "__main__":
    main()
