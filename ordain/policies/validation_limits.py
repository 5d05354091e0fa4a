"""What a Model asks of a validation, and asks no longer.

A change here trains nothing, so that nothing but this keeps a limit from going quietly. Other rows,
groups or cases are neither more nor less than the old ones: whoever exchanges them has to say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.kinds.model import Model, Segments

    Pair = tuple[tuple[str, ...], Any, Any]

_HERE: Final = "validation"


def weaker_validation(old: Model, new: Model) -> Iterator[Pair]:
    """Every limit that is gone or asks for less: path, before, after."""
    before, after = old.validation, new.validation
    if before.dataset != after.dataset:
        own = "the test part"
        yield (_HERE, "dataset"), before.dataset or own, after.dataset or own
    if before.edge_cases and before.edge_cases != after.edge_cases:
        yield (_HERE, "edgeCases"), before.edge_cases, after.edge_cases or "removed"
    yield from _segments(before.segments, after.segments)
    was, now = before.robustness, after.robustness
    for name in ("noise", "missing"):
        if _share(getattr(now, name)) < _share(getattr(was, name)):
            yield (_HERE, "robustness", name), getattr(was, name), getattr(now, name)
    if was.max_flips is not None and _above(_share(was.max_flips), _share(now.max_flips)):
        yield (_HERE, "robustness", "maxFlips"), was.max_flips, now.max_flips or "removed"
    if before.calibration is not None:
        limit = None if after.calibration is None else after.calibration.max_error
        if _above(before.calibration.max_error, limit):
            place = () if limit is None else ("maxError",)
            yield (_HERE, "calibration", *place), before.calibration.max_error, limit or "removed"


def _segments(old: Segments | None, new: Segments | None) -> Iterator[Pair]:
    if old is None:
        return
    if new is None:
        yield (_HERE, "segments"), "present", "removed"
        return
    if not set(old.columns) <= set(new.columns):
        yield (_HERE, "segments", "columns"), ", ".join(old.columns), ", ".join(new.columns)
    if old.metric != new.metric:
        yield (_HERE, "segments", "metric"), old.metric or "the first", new.metric or "the first"
    if old.min is not None and (new.min is None or new.min < old.min):
        yield (_HERE, "segments", "min"), old.min, "removed" if new.min is None else new.min
    if old.max is not None and (new.max is None or new.max > old.max):
        yield (_HERE, "segments", "max"), old.max, "removed" if new.max is None else new.max
    if new.min_cell > old.min_cell:
        yield (_HERE, "segments", "minCell"), old.min_cell, new.min_cell


def _above(old: float | None, new: float | None) -> bool:
    """Whether a largest accepted value has gone up, or gone."""
    return old is not None and (new is None or new > old)


def _share(percent: str | None) -> Any:  # noqa: ANN401 - a number, or nothing
    return None if percent is None else float(percent.removesuffix("%"))
