"""What a Model promises of its reasons, its directions and its search, and promises no longer.

Each of these trains again, or asks less of what was trained: reasons that hold under another
background, an output that never falls where the income rises, a look for a model that discriminates
less. None of them is an acceptance gate, so that nothing else would see them go.

A direction that the Dataset declares holds as well, and goes with the Dataset (`loosening`). A
direction that is added or turned round is another model and no weaker limit when there was none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.specs.kinds.fields import yaml_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.kinds.model import Alternatives, Explanation, Model

    Pair = tuple[tuple[str | int, ...], Any, Any]

_SEARCH: Final = ("training", "automl", "alternatives")


def weaker_promises(old: Model, new: Model) -> Iterator[Pair]:
    """Every promise that is gone or says less: path, before, after."""
    yield from _reasons(old.explanation, new.explanation)
    before, after = old.preprocessing.numeric.monotone, new.preprocessing.numeric.monotone
    for name, direction in before.items():
        if after.get(name) != direction:
            now = after.get(name, "removed")
            yield ("preprocessing", "numeric", "monotone", name), direction, now
    yield from _search(_alternatives(old), _alternatives(new))


def _reasons(old: Explanation, new: Explanation) -> Iterator[Pair]:
    if old.reasons is None:
        return
    if new.reasons is None:
        yield ("explanation", "reasons"), old.reasons, "removed"
    for name in ("agreement", "flips"):
        before, after = getattr(old.gates, name), getattr(new.gates, name)
        if after < before:
            yield ("explanation", "gates", name), before, after


def _alternatives(model: Model) -> Alternatives | None:
    automl = None if model.training is None else model.training.automl
    return None if automl is None else automl.alternatives


def _search(old: Alternatives | None, new: Alternatives | None) -> Iterator[Pair]:
    if old is None:
        return
    if new is None:
        yield _SEARCH, "present", "removed"
        return
    # An empty list means all protected columns.
    if new.attributes and not set(old.attributes or ("",)) <= set(new.attributes):
        yield (
            (*_SEARCH, "attributes"),
            ", ".join(old.attributes) or "all",
            ", ".join(new.attributes),
        )
    for name, direction in (("max_loss", +1), ("variants", -1)):
        before, after = getattr(old, name), getattr(new, name)
        if (after - before) * direction > 0:
            yield (*_SEARCH, yaml_name(name)), before, after
