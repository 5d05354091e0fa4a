"""The JSON Schema of a verdict's record, for whoever reads one with a program.

Draft-07 and open objects, like the schema of findings, from which the findings are taken.
"""

from __future__ import annotations

from typing import Any, Final

from ordain.policies.records import FORMAT
from ordain.specs.schema import DRAFT
from ordain.specs.writers.findings_schema import findings_schema

FILE: Final = "verdict.schema.json"

_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_DIGEST: Final = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_OBJECT_ID: Final = {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}


def record_schema() -> dict[str, Any]:
    """The schema of one record."""
    shared = findings_schema()
    names = ("tool", "verdict", "as_of", "engine", "policies", "findings", "suppressed")
    taken = {name: shared["properties"][name] for name in names}
    counted = {name: {"type": "integer", "minimum": 0} for name in _COUNTED}
    properties = {
        **taken,
        "format": {"const": FORMAT, "description": "changes when a field goes or means another"},
        "digest": _said("the digest of everything else, in canonical JSON", _DIGEST),
        "blocked": _said("whether the change must not be merged", {"type": "boolean"}),
        "revision": _said("the commit that was offered; null for a tree alone", _MAYBE),
        "tree": _said("git's id of the tree that was judged", _OBJECT_ID),
        "base": _said("the commit that it was judged against", _MAYBE),
        "base_tree": _said("git's id of the tree of the base", _MAYBE),
        "change": _said("what would change", {"oneOf": [_change(), {"type": "null"}]}),
        "evidence": _said(
            "the files of evidence in the tree, with git's ids of their content",
            _list({"path": _TEXT, "blob": _OBJECT_ID}),
        ),
        "summary": _object(counted),
        "required": _said(
            "whose approval the change asks for",
            _list({"roles": _TEXTS, "reason": _TEXT, "missing": _TEXTS}),
        ),
        "approvals": _approvals(),
    }
    return {
        "$schema": DRAFT,
        "title": "The record of a verdict of ordain",
        **_object(properties),
        "definitions": shared["definitions"],
    }


_COUNTED: Final = ("error", "warning", "note", "suppressed")


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _list(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _object(properties)}


def _said(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "description": description}


def _change() -> dict[str, Any]:
    row = {"type": "array", "items": _MAYBE, "minItems": 5, "maxItems": 5}
    rows = {"type": "array", "items": row}
    return _object(
        {
            "kind": _TEXT,
            "digest": _said("what approvals bind to", {"type": ["string", "null"]}),
            "paths": _said("path, old blob, new blob, old mode, new mode", rows),
            "added": _TEXTS,
            "changed": _TEXTS,
            "removed": _TEXTS,
            "loosened": {"type": "array", "items": {"type": "object"}},
            "contributors": _TEXTS,
            "pusher": _MAYBE,
            "signers": {"type": "array", "items": _MAYBE},
        }
    )


def _approvals() -> dict[str, Any]:
    names = ("person", "role", "change", "base", "time", "key", "proof")
    approval = dict.fromkeys(names, _TEXT)
    rejected = dict.fromkeys(("person", "change", "reason", "proof"), _TEXT)
    return _object(
        {
            "counted": _list(approval),
            "refused": _said(
                "not counted, and why", _list({**approval, "code": _TEXT, "reason": _TEXT})
            ),
            "rejected": _said("were no approvals at all", _list(rejected)),
        }
    )
