"""The types of the names that an expression sees; `world` says what each of them is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from ordain.policies.changes import ChangeFacts, Kind
from ordain.policies.lint.types import (
    BOOL,
    NULL,
    TEXT,
    UNKNOWN,
    Choice,
    Record,
    Type,
    entries,
    items,
    of_dataclass,
    of_hint,
    of_value,
    record,
    union,
)
from ordain.specs.evidence import Evidence
from ordain.specs.kinds import kind_names, kind_type
from ordain.specs.validations import ValidationReport
from ordain.vcs.changes import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

# The kinds that belong to a model, and those that evidence is on; see `lookups` and `world`.
OF_MODEL: Final = frozenset(
    {"Model", "ModelVersion", "Deployment", "Compliance", "Validation", "Monitor", "Route"}
)
WITH_EVIDENCE: Final = frozenset({"ModelVersion", "Deployment"})
_TEXTS: Final = items(TEXT)
_PEOPLE: Final = entries(record("a person", {"roles": _TEXTS, "teams": _TEXTS}))
_REASON: Final = record(
    "a reason", {**dict.fromkeys(("code", "text", "words"), TEXT), "features": _TEXTS}
)
_FACTS: Final[dict[str, Type]] = {
    "Model": record(
        "facts of a Model",
        {
            "features": _TEXTS,
            "protected": _TEXTS,
            "proxies": entries(_TEXTS),
            "reasons": items(_REASON),
            "alternatives": BOOL,
            "people": _PEOPLE,
        },
    ),
    "Route": record(
        "facts of a Route",
        {"fields": _TEXTS, "sensitive": entries(_TEXTS), "people": _PEOPLE},
    ),
}
_LIMIT: Final = record("a limit", dict.fromkeys(("object", "field", "before", "after"), TEXT))
_CHANGE: Final[dict[str, Type]] = {
    "kind": frozenset(Choice(kind.value) for kind in Kind if kind is not Kind.LOOSENING),
    "contributors": _TEXTS,
    "paths": _TEXTS,
    "added": _TEXTS,
    "changed": _TEXTS,
    "removed": _TEXTS,
    "pusher": TEXT | NULL,
    "loosened": items(_LIMIT),
}
_APPROVALS: Final = items(
    record(
        "an approval",
        {**dict.fromkeys(("person", "role", "time", "key"), TEXT), "roles": _TEXTS},
    )
)


@cache
def document_type(kind: str) -> Type:
    """A whole document of one kind."""
    return frozenset({Record(kind, lambda: _document(kind))})


@cache
def _document(kind: str) -> dict[str, Type]:
    texts = entries(TEXT)
    return {
        "apiVersion": TEXT,
        "kind": frozenset({Choice(kind)}),
        "metadata": record("metadata", {"name": TEXT, "labels": texts, "annotations": texts}),
        "spec": of_hint(kind_type(kind)),
    }


def scope_of(kinds: tuple[str, ...], params: Mapping[str, object]) -> dict[str, Type]:
    """The type of every name but `variables`, in a policy that matches these kinds."""
    matched = kinds or kind_names()
    documents = union(*map(document_type, matched))
    belongs = bool(OF_MODEL.intersection(matched))
    return {
        "object": documents,
        "oldObject": union(documents, NULL),
        "model": union(document_type("Model"), NULL) if belongs else NULL,
        "compliance": union(document_type("Compliance"), NULL) if belongs else NULL,
        "evidence": _evidence() if WITH_EVIDENCE.intersection(matched) else NULL,
        "validation": _validation() if WITH_EVIDENCE.intersection(matched) else NULL,
        "validations": items(document_type("Validation")),
        "linked": frozenset({Record("linked", _linked)}),
        "estate": frozenset({Record("estate", _estate)}),
        # Facts of other kinds are free: this table does not say what there is not.
        "facts": union(*(_FACTS.get(kind, UNKNOWN) for kind in matched)),
        "change": union(_change(), NULL),
        "approvals": _APPROVALS,
        "params": record("params", {name: of_value(value) for name, value in params.items()}),
        "now": TEXT,
    }


def _linked() -> dict[str, Type]:
    return {kind: items(document_type(kind)) for kind in kind_names()}


def _estate() -> dict[str, Type]:
    return {kind: entries(document_type(kind)) for kind in kind_names()}


def _evidence() -> Type:
    known = of_dataclass(Evidence).fields()
    return union(record("evidence", {"format": TEXT, **known}), NULL)


def _validation() -> Type:
    known = of_dataclass(ValidationReport).fields()
    return union(record("validation", {"format": TEXT, **known}), NULL)


@cache
def _change() -> Type:
    """What a change shows of itself; what it shows beside what is known here is free."""
    shown = ChangeFacts(Kind.INTENTION, Change("", "", ())).to_plain()
    return record("change", {name: _CHANGE.get(name, UNKNOWN) for name in shown})
