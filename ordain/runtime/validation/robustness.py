"""What becomes of the answers when values change a little: seeded, on a bounded sample of rows.

    noise     every number moves by a normal share of its standard deviation, whole numbers stay
              whole and no value leaves the range that is believed
    missing   values are left out by chance, of the inputs that may be missing
    swap      one category or truth value of the row is another level that the rows have
    monotone  a feature with a declared direction is moved over its deciles, all else equal; the
              output may never go the other way

A decision that a rounding of the income turns over is no decision that anybody can defend.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training.evaluation import CONFIDENCE
from ordain.runtime.training.intervals import share_interval
from ordain.runtime.validation.answering import Answered, answer_rows
from ordain.runtime.validation.checks import (
    at_most,
    estimated,
    judged,
    listed,
    measured,
    rows_told,
    untold,
)
from ordain.specs.findings import Verdict
from ordain.specs.searches import directions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ordain.runtime.encoding import Input
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

    Indices = NDArray[np.int64]
    Generator = np.random.Generator
    Row = dict[str, object]

SECTION = "robustness"
ROWS = 1_000
# A limit is a share in per cent: below a hundred rows one flip is more than one of them.
FEWEST = 100
MOVED_ROWS = 100
TOLERANCE = 1e-9
_NUMBERS, _LEVELS = ("float", "int"), ("category", "bool")


def share_of(percent: str) -> float:
    """A share such as 5% as a number."""
    return float(percent.removesuffix("%")) / 100


def examine(scene: Scene) -> Iterator[Check]:
    """Three kinds of change, then the directions that are declared."""
    declared = scene.order.spec.validation.robustness
    places = sampled(scene, ROWS, 0)
    limit = declared.max_flips
    if not len(places):
        reason = scene.unreadable or "no row has an answer"
        yield untold(SECTION, "noise", reason, limit=f"<= {limit}" if limit else "")
        return
    rows = [dict(scene.raw[place]) for place in places.tolist()]
    before = taken(scene.given, places)
    changes: tuple[tuple[str, Callable[[Scene, list[Row], Generator], list[Row]], bool], ...] = (
        ("noise", _noisy, True),
        ("missing", _emptied, True),
        ("swap", _swapped, False),
    )
    for number, (name, change, limited) in enumerate(changes, start=1):
        rng = np.random.default_rng([scene.order.seed, number])
        changed = change(scene, rows, rng)
        after = answer_rows(scene.served, changed)
        yield from compared(name, before, after, limit if limited else None)
    yield from _needed(scene)
    yield from _directions(scene)


def sampled(scene: Scene, most: int, stream: int) -> Indices:
    """Places of answered rows, drawn without replacement, in their order."""
    places = np.flatnonzero(scene.given.answered)
    if len(places) <= most:
        return places
    rng = np.random.default_rng([scene.order.seed, stream])
    return np.sort(rng.choice(places, size=most, replace=False))


def taken(given: Answered, places: Indices) -> Answered:
    """Some answers, none of them refused."""
    return Answered(
        given.output[places], given.scores[places], given.decision[places], given.decisions, {}
    )


def compared(name: str, before: Answered, after: Answered, limit: str | None) -> Iterator[Check]:
    """What a change has done to answers; with a limit the share of flips decides."""
    both = after.answered
    n = int(both.sum())
    refused = len(after.refused)
    if refused:
        check = measured(SECTION, f"{name}: refused", refused / len(both), len(both))
        yield replace(check, reason=listed(sorted(set(after.refused.values()))[:3]))
    if before.decisions:
        # A row that is refused after a small change has lost its decision, as one that flips.
        flips = refused + int(np.sum(before.decision[both] != after.decision[both]))
        found = share_interval(flips, len(both), CONFIDENCE)
        check = estimated(SECTION, f"{name}: flips", found, len(both))
        yield check if limit is None else _held(check, limit)
    elif limit is not None:
        yield untold(SECTION, f"{name}: flips", "the model makes no decision", limit=f"<= {limit}")
    if n:
        yield measured(SECTION, f"{name}: largest change", _change(before, after, both).max(), n)


def _held(check: Check, limit: str) -> Check:
    """Flips against their limit, where the rows are enough for a share of them to say anything."""
    held = at_most(check, share_of(limit), limit)
    if check.n >= FEWEST:
        return held
    reason = f"{rows_told(check.n)}, {FEWEST} are needed"
    return replace(held, verdict=Verdict.INSUFFICIENT.value, reason=reason)


def _change(before: Answered, after: Answered, both: Any) -> Any:  # noqa: ANN401 - arrays
    """By how much the output of each row has moved; of classes the largest of all probabilities."""
    if before.scores.shape[1]:
        return np.abs(before.scores[both] - after.scores[both]).max(axis=1)
    return np.abs(before.output[both] - after.output[both])


# ── changes ──────────────────────────────────────────────────────────────────────────────────────


def _noisy(scene: Scene, rows: list[Row], rng: Generator) -> list[Row]:
    share = share_of(scene.order.spec.validation.robustness.noise)
    changed = [dict(row) for row in rows]
    for given in _inputs(scene, _NUMBERS):
        moves = rng.normal(size=len(rows)) * share * _spread(scene, given.name)
        for row, move in zip(changed, moves.tolist(), strict=True):
            value = row[given.name]
            if isinstance(value, int | float):
                row[given.name] = _moved(given, value + move)
    return changed


def _moved(given: Input, value: float) -> float:
    if given.range is not None:
        value = min(max(value, given.range[0]), given.range[1])
    return round(value) if given.type == "int" else value


def _spread(scene: Scene, name: str) -> float:
    values = _present(scene, name)
    return float(np.std(values)) if len(values) else 0.0


def _present(scene: Scene, name: str) -> Any:  # noqa: ANN401 - an array
    """The finite values of a number in the rows that have an answer."""
    rows = (scene.raw[place].get(name) for place in np.flatnonzero(scene.given.answered).tolist())
    values = np.array([value for value in rows if value is not None], dtype=float)
    return values[np.isfinite(values)]


def _emptied(scene: Scene, rows: list[Row], rng: Generator) -> list[Row]:
    share = share_of(scene.order.spec.validation.robustness.missing)
    names = [given.name for given in scene.served.plan.inputs if given.missing]
    gone = rng.random((len(rows), len(names))) < share
    return [
        row | {name: None for name, empty in zip(names, drawn, strict=True) if empty}
        for row, drawn in zip(rows, gone.tolist(), strict=True)
    ]


def _swapped(scene: Scene, rows: list[Row], rng: Generator) -> list[Row]:
    """One level of each row becomes another; a row without any stays as it is."""
    known = {
        given.name: sorted({str(row[given.name]) for row in rows if row[given.name] is not None})
        for given in _inputs(scene, _LEVELS)
    }
    names = [name for name, levels in known.items() if len(levels) > 1]
    truths = {given.name for given in _inputs(scene, ("bool",))}
    changed = []
    for row in rows:
        if not names:
            changed.append(row)
            continue
        name = names[int(rng.integers(len(names)))]
        others = [level for level in known[name] if level != str(row[name])]
        level = others[int(rng.integers(len(others)))]
        changed.append(row | {name: level == "True" if name in truths else level})
    return changed


def _inputs(scene: Scene, types: tuple[str, ...]) -> list[Input]:
    return [given for given in scene.served.plan.inputs if given.type in types]


# ── what must be there, and directions ───────────────────────────────────────────────────────────


def _needed(scene: Scene) -> Iterator[Check]:
    """Inputs without which a row is refused."""
    names = [given.name for given in scene.served.plan.inputs if not given.missing]
    if names:
        check = measured(SECTION, "inputs that must be there", len(names), len(scene.raw))
        yield replace(check, reason=listed(names))


def _directions(scene: Scene) -> Iterator[Check]:
    """Every direction of the Model or the Dataset: the share of rows that once go the other way."""
    inputs = {given.name: given for given in scene.served.plan.inputs}
    columns = {name: one for name, one in scene.order.data.columns.items() if name in inputs}
    declared = directions(scene.order.spec, columns)
    places = sampled(scene, MOVED_ROWS, 9)
    for name, direction in sorted(declared.items()):
        if name not in inputs or scene.served.plan.classes:
            yield untold(SECTION, "monotone", "it is no input of the artifact", subject=name)
            continue
        values = _present(scene, name)
        if not len(values):
            yield untold(SECTION, "monotone", "it has no values", subject=name, limit="<= 0")
            continue
        grid = np.unique(np.quantile(values, np.arange(11) / 10, method="nearest"))
        steps = [_moved(inputs[name], float(value)) for value in grid]
        against = sum(_goes_back(scene, place, name, steps, direction) for place in places.tolist())
        check = measured(SECTION, "monotone", against / len(places), len(places), subject=name)
        told = f"the output of {rows_told(against)} goes against {direction}" if against else ""
        yield judged(check, "<= 0", ok=not against, reason=told)


def _goes_back(scene: Scene, place: int, name: str, steps: list[float], direction: str) -> bool:
    row = dict(scene.raw[place])
    asked = [scene.served.ask(row | {name: value}) for value in steps]
    outputs = np.array([one.output for one in asked if not isinstance(one, str)])
    sign = 1.0 if direction == "increasing" else -1.0
    return bool((sign * np.diff(outputs) < -TOLERANCE).any())
