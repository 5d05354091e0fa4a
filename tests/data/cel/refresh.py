"""Reduce the public CEL conformance cases to what a policy can say; run by hand, not by tests.

The cases are those of github.com/google/cel-spec; the npm package @bufbuild/cel-spec carries them
as data, so that no protobuf parser is needed here. `python tests/data/cel/refresh.py` asks `npm`
for the pinned version, `node` for the data as JSON, and writes conformance.json beside itself.

A case is left out only for one of the reasons below, which are counted per file and told in
docs/cel.md. Two things are said differently, because the values of a policy come from YAML: a
variable gets one of our names, or the literal of its value where JSON has none; and a result that
JSON cannot carry is stated as the literal that it must equal.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.engine import cel_engine
from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = "@bufbuild/cel-spec@0.6.1"
TARGET: Final = Path(__file__).with_name("conformance.json")
SOURCE: Final = {
    "origin": "https://github.com/google/cel-spec, tests/simple/testdata",
    "version": "v0.25.1",
    "through": f"npm {PACKAGE}, dist/esm/testdata/conformance.js",
    "licence": "Apache-2.0, Copyright Google LLC; the selection, Copyright Buf Technologies, Inc.",
    "made by": "tests/data/cel/refresh.py",
}

MESSAGES: Final = "protobuf messages, enums or wrappers"
FUNCTIONS: Final = "a library that is not enabled"
CHECK_ONLY: Final = "asks for a deduced type only"
NAMESPACES: Final = "a container or a variable with a dotted name"
UNCHECKED: Final = "asks for a value without the type check, which is always on"

# Whole files of libraries that a policy cannot call.
_LIBRARIES: Final = {
    "bindings_ext": FUNCTIONS,
    "block_ext": FUNCTIONS,
    "encoders_ext": FUNCTIONS,
    "macros2": FUNCTIONS,
    "math_ext": FUNCTIONS,
    "enums": MESSAGES,
    "proto2": MESSAGES,
    "proto2_ext": MESSAGES,
    "proto3": MESSAGES,
    "wrappers": MESSAGES,
}
_NAMES: Final = ("object", "oldObject", "params")
_MESSAGE = re.compile(r"TestAllTypes|google\.protobuf|cel\.expr\.|GlobalEnum|NestedEnum|NestedTest")
_WORD = re.compile(
    r"(?P<string>[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'))"
    r"|(?<![\w.])(?P<word>[A-Za-z_]\w*)",
    re.DOTALL,
)
# JSON has a negative zero, JavaScript's writer of it does not.
_DECODE: Final = """
import(process.argv[1]).then(({tests}) => process.stdout.write(
    JSON.stringify(tests, (key, value) => Object.is(value, -0) ? "-0" : value)))
"""


class NoJson(ValueError):
    """A value that JSON cannot carry."""


class LeftOut(Exception):
    """Why a case does not apply."""


def _run(directory: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=directory, check=True, capture_output=True).stdout


def fetch(directory: Path) -> dict[str, Any]:
    """The suites of the package."""
    _run(directory, "npm", "pack", PACKAGE)
    (archive,) = directory.glob("*.tgz")
    _run(directory, "tar", "xf", archive.name)
    module = directory / "package/dist/esm/testdata/conformance.js"
    found = _run(directory, "node", "-e", _DECODE, module.as_uri())
    suites: dict[str, Any] = json.loads(found)
    return suites


def cases(suite: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for test in suite.get("tests", ()):
        yield test["original"]
    for inner in suite.get("suites", ()):
        yield from cases(inner)


def plain(value: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The value as JSON."""
    ((kind, held),) = value.items()
    match kind:
        case "nullValue" | "boolValue" | "stringValue":
            return held
        case "int64Value":
            return int(held)
        case "doubleValue":
            return float(held)
        case "listValue":
            return [plain(one) for one in held.get("values", ())]
        case "mapValue":
            return {_text(one["key"]): plain(one["value"]) for one in held.get("entries", ())}
        case _:
            raise NoJson(kind)


def _text(key: dict[str, Any]) -> str:
    if "stringValue" not in key:
        raise NoJson("key")
    return str(key["stringValue"])


def literal(value: dict[str, Any]) -> str:  # noqa: C901, PLR0911 - one for each kind
    """The value in CEL."""
    ((kind, held),) = value.items()
    match kind:
        case "nullValue":
            return "null"
        case "boolValue" | "stringValue":
            return json.dumps(held)
        case "int64Value":
            return str(held)
        case "uint64Value":
            return f"{held}u"
        case "doubleValue":
            return f"double('{held}')"
        case "bytesValue":
            return "b'" + "".join(f"\\x{byte:02x}" for byte in base64.b64decode(held)) + "'"
        case "typeValue":
            return str(held)
        case "listValue":
            return "[" + ", ".join(literal(one) for one in held.get("values", ())) + "]"
        case "mapValue":
            pairs = held.get("entries", ())
            parts = (f"{literal(one['key'])}: {literal(one['value'])}" for one in pairs)
            return "{" + ", ".join(parts) + "}"
        case "objectValue":
            return _well_known(held)
        case _:
            raise LeftOut(MESSAGES)


def _well_known(held: dict[str, Any]) -> str:
    name = held["@type"].rpartition(".")[2]
    if name not in {"Timestamp", "Duration"}:
        raise LeftOut(MESSAGES)
    return f"{name.lower()}({json.dumps(held['value'])})"


def renamed(expression: str, names: dict[str, str]) -> str:
    def other(match: re.Match[str]) -> str:
        return names.get(match["word"] or "", match[0])

    return _WORD.sub(other, expression)


def bound(case: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The expression under our names, and what they are bound to."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    held = {name: one["value"] for name, one in case.get("bindings", {}).items()}
    if any("." in name for name in held):
        raise LeftOut(NAMESPACES)
    free = iter(_NAMES)
    for name, value in held.items():
        if name in {"true", "false", "null"} or name not in case["expr"]:
            continue
        try:
            json_value = plain(value)
        except NoJson:
            names[name] = literal(value)
        else:
            names[name] = next(free)
            values[names[name]] = json_value
    return renamed(case["expr"], names), values


def result(case: dict[str, Any]) -> dict[str, Any]:
    if "evalError" in case:
        return {"fails": case["evalError"]["errors"][0]["message"]}
    value = case.get("value") or case.get("typedResult", {}).get("result") or {"boolValue": True}
    try:
        return {"gives": plain(value)}
    except NoJson:
        return {"equals": literal(value)}


def reduced(file: str, case: dict[str, Any]) -> dict[str, Any]:
    """The case as the tests read it.

    Raises:
        LeftOut: with the reason why it does not apply.
    """
    if file in _LIBRARIES:
        raise LeftOut(_LIBRARIES[file])
    if case.get("checkOnly"):
        raise LeftOut(CHECK_ONLY)
    if _MESSAGE.search(json.dumps([case["expr"], case.get("typeEnv")])):
        raise LeftOut(MESSAGES)
    if any("function" in one for one in case.get("typeEnv", ())):
        raise LeftOut(FUNCTIONS)
    if any("." in one["name"] for one in case.get("typeEnv", ())):
        raise LeftOut(NAMESPACES)
    # Containers of the messages are set on many a case that names none of them.
    if not case.get("container", "cel.expr").startswith("cel.expr"):
        raise LeftOut(NAMESPACES)
    expression, values = bound(case)
    found = {"name": case["name"], "expr": expression, **({"with": values} if values else {})}
    if case.get("disableCheck") and "evalError" not in case and not _compiles(expression):
        raise LeftOut(UNCHECKED)
    return found | result(case)


def _compiles(expression: str) -> bool:
    try:
        cel_engine().compile(expression)
    except ExpressionError:
        return False
    return True


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        suites = fetch(Path(name))
    files: dict[str, Any] = {}
    for suite in suites["suites"]:
        kept: list[dict[str, Any]] = []
        left: Counter[str] = Counter()
        for case in cases(suite):
            try:
                kept.append(reduced(suite["name"], case))
            except LeftOut as reason:
                left[str(reason)] += 1
        if kept or left:
            files[suite["name"]] = {"left out": dict(left), "cases": kept}
    TARGET.write_text(_written(files), encoding="utf-8")
    print(sum(len(one["cases"]) for one in files.values()), "cases")  # noqa: T201 - a tool
    return 0


def _written(files: dict[str, Any]) -> str:
    """One case on a line, so that a refresh shows as a difference of cases."""
    parts = [f'{{"source": {json.dumps(SOURCE)},\n"files": {{']
    for number, (name, held) in enumerate(files.items()):
        comma = ",\n" if number else "\n"
        parts.append(f'{comma}{json.dumps(name)}: {{"left out": {json.dumps(held["left out"])},')
        parts.append(' "cases": [\n' + ",\n".join(map(json.dumps, held["cases"])) + "]}")
    return "".join(parts) + "\n}}\n"


if __name__ == "__main__":
    sys.exit(main())
