"""What cannot be read at all, in plain words.

libyaml names the rule of its grammar that failed; a reader wants to know what to look for. What it
said stays in the evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.marks import Source

if TYPE_CHECKING:
    from yaml import YAMLError


def syntax_finding(error: YAMLError, source: Source) -> Finding:
    """The finding for what libyaml cannot read."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    at = mark.index if mark is not None else getattr(error, "position", 0)
    place = source.location(at, at + 1)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", error))
    context = getattr(error, "context", None)
    evidence = (f"YAML says: {problem}" + (f" {context}" if context else ""),)
    for known, message, remedy in _SYNTAX:
        if known in problem:
            return Finding("SPEC012", Severity.ERROR, message, place, evidence, remedy)
    remedy = "look at this line and the one above it: indentation, quotes, brackets, colons"
    return Finding("SPEC012", Severity.ERROR, "this is not YAML", place, evidence, remedy)


_SYNTAX: Final = (
    (
        "cannot start any token",
        "no value can begin with this character",
        "indent with spaces instead of tabs, and quote text that begins with @, ` or %",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` on one line, or a field that is indented too deep",
        "quote text that has `: ` in it, and align the field with its neighbours",
    ),
    (
        "could not find expected ':'",
        "a key without its `:`",
        "write `key: value`; quote text that goes over several lines",
    ),
    (
        "did not find expected node content",
        "a value is missing, or a bracket is not closed",
        "write the value, close the bracket, or remove the second of two commas",
    ),
    (
        "did not find expected key",
        "this line fits neither the block above it nor one around it",
        "align it with its neighbours; look for a missing quote or comma above",
    ),
    (
        "did not find expected '-' indicator",
        "this line is no item of the list above it",
        "begin it with `- `, or indent it under its item",
    ),
    (
        "expected ',' or",
        "a bracket that is not closed",
        "close it, and put a comma between its items",
    ),
    (
        "unexpected end of stream",
        "the file ends inside of a quoted text",
        "close the quote",
    ),
    (
        "control characters are not allowed",
        "a control character",
        r"remove it, or write it as `\x..` in double quotes",
    ),
)


def encoding_finding(data: bytes, error: UnicodeDecodeError, path: str) -> Finding:
    readable = Source(path, data[: error.start].decode("utf-8-sig"))
    place = readable.location(len(readable.text), len(readable.text) + 1)
    byte = f"0x{data[error.start]:02x}"
    return Finding(
        "SPEC010",
        Severity.ERROR,
        f"the file is not UTF-8: the byte {byte} stands for no character",
        place,
        remedy="save the file as UTF-8",
    )
