"""What differs between two forms of one document, field by field.

A diff of lines shows what was typed; a reviewer asks what is declared otherwise. Specs are compared
as they were read, so that a default that is now written out, another order of keys and a comment
are no difference, and each difference says whether it is *material* (see `kinds.fields`). Metadata
is what describes: labels, annotations, and every field of that change class.

Entries of a list have no identity of their own. Those that have a `name` are told apart by it; of
all others the equal ones at both ends are set aside, and the rest is compared place by place. A
longest common subsequence was refused: for lists of a handful it explains nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.canonical import same
from ordain.specs.plain import to_plain
from ordain.specs.secrets import without_secrets
from ordain.specs.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.documents import Document, Step

_SCALARS: Final = frozenset((str, int, float, bool, type(None)))


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is declared otherwise; None stands for a value that is not there.

    `path` begins at the document's root; an entry of a list stands in it under its name, or its
    number where it has none.
    """

    path: tuple[Step, ...]
    before: Any
    after: Any
    material: bool

    @property
    def field(self) -> str:
        """The path as text, such as `spec.acceptance.metrics.0.min`."""
        return ".".join(map(str, self.path))


def _difference(path: tuple[Step, ...], before: Any, after: Any, *, material: bool) -> Difference:  # noqa: ANN401 - JSON values
    """A difference, as it may be printed."""
    return Difference(path, without_secrets(before), without_secrets(after), material)


def differences(old: Document, new: Document) -> tuple[Difference, ...]:
    """Every field of a document that is declared otherwise in `new`."""
    before, after = ({**one.raw["metadata"], "name": None} for one in (old, new))
    found = _compared(before, after, ("metadata",), material=False)
    return (*found, *_compared(old.spec, new.spec, ("spec",), material=True))


def spec_differences(old: Any, new: Any) -> tuple[Difference, ...]:  # noqa: ANN401 - specs of one kind
    """Every field of a spec that is declared otherwise in `new`."""
    return tuple(_compared(old, new, ("spec",), material=True))


def _compared(
    old: Any,  # noqa: ANN401 - any declared value
    new: Any,  # noqa: ANN401 - any declared value
    path: tuple[Step, ...],
    *,
    material: bool,
) -> Iterator[Difference]:
    if type(old) in _SCALARS and type(new) in _SCALARS:
        # Most fields are these, and most are the same.
        if not same(old, new):
            yield _difference(path, old, new, material=material)
    elif is_dataclass(new) and not isinstance(new, type) and type(old) is type(new):
        for shape in shapes(type(new)).values():
            was, now = getattr(old, shape.attribute), getattr(new, shape.attribute)
            below = material and shape.change == "material"
            yield from _compared(was, now, (*path, shape.name), material=below)
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _entries(old, new, path, material=material)
    elif _structured(old) and _structured(new):
        yield from _items(old, new, path, material=material)
    else:
        before, after = to_plain(old), to_plain(new)
        if not same(before, after):
            yield _difference(path, before, after, material=material)


def _structured(value: Any) -> bool:  # noqa: ANN401 - any declared value
    """Whether it is a list of more than plain values; a list of names is read as one value."""
    return isinstance(value, list | tuple) and any(
        is_dataclass(item) or isinstance(item, dict) for item in value
    )


def _entries(
    old: dict[str, Any], new: dict[str, Any], path: tuple[Step, ...], *, material: bool
) -> Iterator[Difference]:
    for key in dict.fromkeys((*old, *new)):
        yield from _compared(old.get(key), new.get(key), (*path, key), material=material)


def _items(
    old: Sequence[Any], new: Sequence[Any], path: tuple[Step, ...], *, material: bool
) -> Iterator[Difference]:
    before, after = _by_name(old), _by_name(new)
    if before is not None and after is not None:
        yield from _entries(before, after, path, material=material)
        return
    start, end = _ends(old, new)
    for index in range(start, max(len(old), len(new)) - end):
        was, now = (one[index] if index < len(one) - end else None for one in (old, new))
        yield from _compared(was, now, (*path, index), material=material)


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """The items by their names; None where one has none, or two have the same."""
    named = {
        name: item
        for item in items
        if isinstance(
            name := item.get("name") if isinstance(item, dict) else getattr(item, "name", None), str
        )
    }
    return named if len(named) == len(items) else None


def _ends(old: Sequence[Any], new: Sequence[Any]) -> tuple[int, int]:
    """How many items are equal at the beginning and, of the others, at the end."""
    before, after = ([to_plain(item) for item in one] for one in (old, new))
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    rest = shorter - start
    end = next((i for i in range(rest) if not same(before[-1 - i], after[-1 - i])), rest)
    return start, end
