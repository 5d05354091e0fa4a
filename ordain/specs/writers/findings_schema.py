"""The JSON Schema of what `ordain check -o json` prints, for whoever reads it with a program.

Draft-07, like the schemas of the language. Objects are open: a field that is added later must not
break a reader that checks what it reads.
"""

from __future__ import annotations

from typing import Any, Final

from ordain.specs.schema import DRAFT
from ordain.specs.writers.documents import FORMAT

FILE: Final = "findings.schema.json"

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}


def _text(description: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keywords of the schema
    return {"type": "string", **more, "description": description}


def _maybe(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


def _object(properties: dict[str, Any], description: str = "") -> dict[str, Any]:
    """An object of which every property is required."""
    found = {"type": "object", "required": list(properties), "properties": properties}
    return {**found, "description": description} if description else found


def _list(name: str, description: str) -> dict[str, Any]:
    items = {"$ref": f"#/definitions/{name}"}
    return {"type": "array", "items": items, "description": description}


def _position(what: str) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return _object({"line": number, "column": number}, what)


def _place() -> dict[str, Any]:
    snippet = "the line, where it can be shown and is not longer than 500 code points"
    span = _object(
        {"start": _position("the first code point"), "end": _position("behind the last one")}
    )
    return {
        "path": _text("the file, relative to the root of the estate, with `/`"),
        "range": {
            "oneOf": [span, {"type": "null"}],
            "description": "lines and columns from 1, in code points; null is the whole file",
        },
        "snippet": _maybe(snippet),
    }


def _finding() -> dict[str, Any]:
    location = {
        "oneOf": [{"$ref": "#/definitions/location"}, {"type": "null"}],
        "description": "where it is; null for the estate or the change as a whole",
    }
    texts = {"type": "array", "items": _TEXT}
    return {
        "code": _text("what `ordain explain` explains"),
        "severity": {"enum": ["error", "warning", "note"], "description": "errors block"},
        "message": _text("what is wrong, in one sentence"),
        "location": location,
        "evidence": {**texts, "description": "facts that led here, as `name = value`"},
        "remedy": _text("how to mend it; may be empty"),
        "controls": {**texts, "description": "ids of the control catalogue"},
        "related": _list("related", "other places that matter"),
        "fingerprint": _text("the same on every run until the line changes", pattern="^[0-9a-f]+$"),
    }


def _waiver() -> dict[str, Any]:
    return _object(
        {
            "name": _text("the Waiver's key"),
            "subject": _text("the key of the document that it covers"),
            "reason": _text("why the finding is accepted"),
            "approved_by": _text("who accepted it"),
            "expires": _text("the last day"),
        },
        "what covers the finding",
    )


def _summary() -> dict[str, Any]:
    names = ("error", "warning", "note", "suppressed", "files")
    return _object(dict.fromkeys(names, _COUNT), "counts of what is listed, and of documents")


def findings_schema() -> dict[str, Any]:
    """The schema of one document as `-o json` writes it."""
    policy = _object({"name": _TEXT, "digest": _TEXT})
    properties = {
        "format": {"const": FORMAT, "description": "changes when a field goes or means another"},
        "tool": _object({"name": {"const": "ordain"}, "version": _TEXT}, "what wrote this"),
        "verdict": {
            "enum": ["pass", "warn", "fail", "insufficient"],
            "description": "fail with an error, warn with a warning",
        },
        "as_of": _text("the time the verdict is made as of, in UTC", format="date-time"),
        "revision": _maybe("the commit that was judged; null for a work tree"),
        "base": _maybe("the commit that a change was judged against"),
        "change": _maybe("the kind of the change"),
        "engine": _text("what evaluated the policies"),
        "policies": {"type": "array", "items": policy, "description": "the rules that were asked"},
        "summary": _summary(),
        "findings": _list("finding", "what stands"),
        "suppressed": _list("suppressed", "what waivers cover"),
    }
    return {
        "$schema": DRAFT,
        "title": "What ordain check has found",
        **_object(properties),
        "definitions": {
            "location": _object(_place()),
            "related": _object({"message": _text("what the place has to do with it"), **_place()}),
            "finding": _object(_finding()),
            "suppressed": _object({**_finding(), "waiver": _waiver()}),
        },
    }
