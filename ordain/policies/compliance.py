"""What the Compliance documents say of each model, and what a change takes away of it.

Sections belong to the model that they describe, not to the document in which they happen to stand.
A comparison document by document is refused: a document that is given another model, and a second
one that stands in for the first, would each take a section away and be no change of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.specs.kinds.fields import yaml_name
from ordain.specs.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.gate_limits import Pair
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.compliance import Compliance, FairnessBias

# Lists of columns: a name that goes is tested, or kept out, no longer.
_COLUMNS: Final = ("attributes", "prohibited_features")


def compliance_of(estate: LoadedEstate) -> dict[str, tuple[Document, ...]]:
    """The Compliance documents of each model, by name."""
    found: dict[str, tuple[Document, ...]] = {}
    for document in estate.all("Compliance"):
        found[document.spec.model] = (*found.get(document.spec.model, ()), document)
    return found


def lost(base: LoadedEstate, head: LoadedEstate) -> Iterator[tuple[Document, Pair]]:
    """(where it is to be looked for now, what was lost) for every model of the base."""
    after = compliance_of(head)
    for model, documents in compliance_of(base).items():
        for old, new in _successors(documents, after.get(model, ())):
            place = new or head.documents.get(old.key)
            # A document that is gone, with nothing in its place, is reported as a whole.
            if place is not None:
                yield from ((place, pair) for pair in _less(old.spec, new.spec if new else None))


def _successors(
    before: tuple[Document, ...], after: tuple[Document, ...]
) -> Iterator[tuple[Document, Document | None]]:
    """What each document became, and what stands for the one in force: the last by name."""
    later = {one.key: one for one in after}
    successors = {old.key: (old, later[old.key]) for old in before if old.key in later}
    in_force = after[-1] if after else None
    yield from successors.values()
    if successors.get(before[-1].key) != (before[-1], in_force):
        yield before[-1], in_force


def _less(old: Compliance, new: Compliance | None) -> Iterator[Pair]:
    kind: Any = type(old)
    for name, shape in shapes(kind).items():
        if name == "model" or getattr(old, shape.attribute) is None:
            continue
        if new is None or getattr(new, shape.attribute) is None:
            yield (name,), "present", "removed"
    if new is None or old.fairness_bias is None or new.fairness_bias is None:
        return
    for attribute in _COLUMNS:
        columns = set(getattr(old.fairness_bias, attribute))
        for column in sorted(columns - set(getattr(new.fairness_bias, attribute))):
            yield ("fairness_bias", yaml_name(attribute)), column, "removed"
    yield from _excused(old.fairness_bias, new.fairness_bias)


def _excused(old: FairnessBias, new: FairnessBias) -> Iterator[Pair]:
    """What stood in the way of a promotion and is justified now: it acts like a waiver."""
    features = {one.feature for one in new.proxies} - {one.feature for one in old.proxies}
    for feature in sorted(features):
        yield ("fairness_bias", "proxies"), f"{feature} is not justified", "justified"
    attributes = {one.attribute for one in new.small_groups}
    for attribute in sorted(attributes - {one.attribute for one in old.small_groups}):
        yield ("fairness_bias", "smallGroups"), f"{attribute} is not excused", "excused"
