"""A loosening stands alone.

A limit that is loosened beside twenty other edits is loosened unseen, so a change that loosens
something declares nothing else otherwise. What only describes may change with it, tests of policies
may, and several limits may be loosened together: that is one question. Whatever is taken away
together, and nothing put in its place, is one act too: a model that is retired takes its monitor
and its sections along, and neither can go before the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.policies.changes import Kind
from ordain.policies.files import decides_merges, named_files
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.loosening import Loosened
    from ordain.specs.documents import LoadedEstate

_SHOWN: Final = 10
_WHOLE: Final = "spec"
_RULES: Final = ("Policy/", "PolicySet/", "Waiver/")


def mixed_loosening(
    facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate, generated: str | None = None
) -> Iterator[Finding]:
    """One finding where a change loosens limits and declares something else otherwise.

    `generated` is a file that only follows the documents.
    """
    if facts.kind is not Kind.LOOSENING:
        return
    files = (path for path in _files(facts, base, head) if path != generated)
    beside = (*_documents(facts), *files)
    if not beside:
        return
    subjects = ", ".join(dict.fromkeys(one.subject for one in facts.loosened))
    shown = [f"beside it = {what}" for what in beside[:_SHOWN]]
    if len(beside) > _SHOWN:
        shown.append(f"beside it = {len(beside) - _SHOWN} more")
    yield Finding(
        code="CHG002",
        severity=Severity.ERROR,
        message=f"limits are loosened beside other changes: {subjects}",
        location=facts.loosened[0].location,
        evidence=tuple(shown),
        remedy="loosen the limits in a change of their own, and propose the rest in another",
        controls=("HR-LOOSEN", "SR262-CHANGE"),
    )


def _documents(facts: ChangeFacts) -> Iterator[str]:
    """What is declared otherwise and is no part of a loosening."""
    only_removals = all(one.key in facts.removed for one in facts.loosened)
    for key, field in facts.material:
        if only_removals and key in facts.removed:
            continue
        if not any(_explains(one, key, field) for one in facts.loosened):
            yield f"{key} {field}" if field != _WHOLE else key


def _explains(one: Loosened, key: str, field: str) -> bool:
    """Whether a difference is the loosening: the same field, one above it or one below it.

    Every change of a rule is one, with the words that it has for people.
    """
    if one.key != key:
        return False
    if not one.field or field == _WHOLE or key.startswith(_RULES):
        return True
    a, b = f"{one.field}.", f"{field}."
    return a.startswith(b) or b.startswith(a)


def _files(facts: ChangeFacts, base: LoadedEstate, head: LoadedEstate) -> Iterator[str]:
    """Files that decide what is trained or said, or how later changes are merged."""
    named = {path for path, _ in named_files(base) | named_files(head)}
    yield from (path for path in facts.change.names if path in named or decides_merges(path))
