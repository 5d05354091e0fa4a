"""What a Model stands on without saying so itself: the rows of its validation, and its labels.

Other rows under the same name pass or fail a model as surely as another limit does, and easier ones
look like any others; so whoever exchanges them is looked at, as whoever names another Dataset. A
policy finds its models by their labels: what loses one leaves whatever the policy asks. Neither has
a direction, so that every change counts. What is declared for the first time takes nothing away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.specs.canonical import canonical_json, same
from ordain.specs.kinds.fields import yaml_name
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.gate_limits import Pair
    from ordain.specs.documents import Document, LoadedEstate

# Which rows a Dataset stands for; a query is part of its source.
_ROWS: Final = ("digest", "source", "as_of")


def other_ground(base: LoadedEstate, head: LoadedEstate) -> Iterator[tuple[Document, Pair]]:
    """(document, path from its root, before, after) of each change of such a ground."""
    yield from _rows(base, head)
    yield from _labels(base, head)


def _rows(base: LoadedEstate, head: LoadedEstate) -> Iterator[tuple[Document, Pair]]:
    declared = (one.spec.validation.dataset for one in base.all("Model"))
    for name in sorted({one for one in declared if one is not None}):
        old, new = base.get("Dataset", name), head.get("Dataset", name)
        if old is None or new is None:
            continue
        for attribute in _ROWS:
            before, after = (to_plain(getattr(one.spec, attribute)) for one in (old, new))
            if before is not None and not same(before, after):
                path = ("spec", yaml_name(attribute))
                yield new, (path, _text(before), _text(after))


def _labels(base: LoadedEstate, head: LoadedEstate) -> Iterator[tuple[Document, Pair]]:
    for old in base.all("Model"):
        new = head.documents.get(old.key)
        if new is None:
            continue
        for name, value in sorted(old.labels.items()):
            if new.labels.get(name) != value:
                path = ("metadata", "labels", name)
                yield new, (path, value, new.labels.get(name, "removed"))


def _text(value: Any) -> str:  # noqa: ANN401 - a field of a Dataset
    if value is None:
        return "removed"
    return canonical_json(value).decode() if isinstance(value, dict) else str(value)
