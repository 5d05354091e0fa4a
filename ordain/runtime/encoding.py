"""From the values of one row to the numbers that a fitted model takes.

Each entry of a plan's `columns` becomes one closure that appends its columns. The closures repeat
what scikit-learn's transformers do to one value: impute, clip, centre and scale a number; spread a
category over indicator columns or give it a code. Nothing is looked up by name when a row comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import PlanError, RowError

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPES = ("float", "int", "bool", "category")
REMEDY = "train the recipe again with this version"

Encoder = Callable[[Mapping[str, object], list[float]], None]

_INFINITE = (math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class Input:
    """One value that a row brings: `missing` says whether it may be absent."""

    name: str
    type: str
    missing: bool
    range: tuple[float, float] | None
    levels: tuple[str, ...] | None
    unknown: str


def contradiction(message: str) -> PlanError:
    """The error of a plan that can be parsed and says two things at once."""
    return PlanError(f"plan.json: {message}", remedy=REMEDY)


def agree(holds: bool, message: str) -> None:  # noqa: FBT001 - an assertion that stays
    """Check what a plan must hold.

    Raises:
        PlanError: with the message, when it does not.
    """
    if not holds:
        raise contradiction(message)


def read_input(raw: dict[str, Any]) -> Input:
    agree(raw["type"] in TYPES, f"input {raw['name']} has the type {raw['type']!r}")
    bounds = raw["range"]
    levels = raw["levels"]
    return Input(
        name=raw["name"],
        type=raw["type"],
        missing=raw["missing"] is True,
        range=None if bounds is None else (float(bounds[0]), float(bounds[1])),
        levels=None if levels is None else tuple(levels),
        unknown=raw["unknown"],
    )


def width_of(column: dict[str, Any]) -> int:
    """How many encoded columns this entry makes."""
    if column["op"] == "one_hot":
        return len(column["levels"]) + bool(column["rare"])
    return 1


def read_encoder(column: dict[str, Any], inputs: dict[str, Input]) -> Encoder:
    name = column["input"]
    agree(name in inputs, f"a column is made from {name!r}, which is no input")
    match column["op"]:
        case "number":
            return _number(column, name)
        case "missing":
            return _missing(name)
        case "one_hot":
            return _one_hot(column, inputs[name])
        case "ordinal":
            return _ordinal(column, inputs[name])
        case other:
            raise contradiction(f"column operation {other!r} is not known")


def _number(column: dict[str, Any], name: str) -> Encoder:
    impute = math.nan if column["impute"] is None else float(column["impute"])
    low = -math.inf if column["low"] is None else float(column["low"])
    high = math.inf if column["high"] is None else float(column["high"])
    center, scale = float(column["center"]), float(column["scale"])
    agree(scale != 0.0, f"the scale of {name} is zero")

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        value = _as_number(name, row.get(name))
        if value != value:  # noqa: PLR0124 - only NaN differs from itself
            value = impute
        if value < low:
            value = low
        elif value > high:
            value = high
        encoded.append((value - center) / scale)

    return encode


def _missing(name: str) -> Encoder:
    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        value = row.get(name)
        encoded.append(1.0 if value is None or value != value else 0.0)  # noqa: PLR0124 - NaN

    return encode


def _one_hot(column: dict[str, Any], given: Input) -> Encoder:
    places = {level: place for place, level in enumerate(column["levels"])}
    agree(len(places) == len(column["levels"]), f"a level of {given.name} is listed twice")
    empty = [0.0] * width_of(column)
    bucket = len(places) if column["rare"] else None
    missing_level = column["missing_level"]
    level_of = _levels_of(given, (*column["levels"], *column["rare"]))

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        start = len(encoded)
        encoded.extend(empty)
        level = level_of(row.get(given.name))
        if level is None:
            level = missing_level
        if level is not None:
            place = places.get(level, bucket)
            if place is not None:
                encoded[start + place] = 1.0

    return encode


def _ordinal(column: dict[str, Any], given: Input) -> Encoder:
    rare = column.get("rare", [])
    codes = {level: float(place) for place, level in enumerate(column["levels"])}
    codes |= dict.fromkeys(rare, float(len(codes)))
    unknown = float(column["unknown"])
    missing = math.nan if column["missing"] is None else float(column["missing"])
    level_of = _levels_of(given, tuple(codes))

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        level = level_of(row.get(given.name))
        encoded.append(missing if level is None else codes.get(level, unknown))

    return encode


def _levels_of(given: Input, seen: Iterable[str]) -> Callable[[object], str | None]:
    """What turns a value into a level, or None where it is missing."""
    name = given.name
    known = frozenset(given.levels or ()) | frozenset(seen)
    refuse = given.unknown == "refuse"

    def level_of(value: object) -> str | None:
        if type(value) is str:
            if refuse and value not in known:
                remedy = "send a level that the Dataset declares"
                raise RowError(
                    name, "this level is not known, and unknown levels are refused", remedy=remedy
                )
            return value
        if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
            return None
        raise RowError(name, f"a category is text, not {type(value).__name__}")

    return level_of


def _as_number(name: str, value: object) -> float:
    """The value as a float; NaN where it is missing, never an infinity."""
    if value is None:
        return math.nan
    if not isinstance(value, int | float):
        raise RowError(name, f"a number was expected, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number in _INFINITE:
        raise RowError(name, "this number is too large", remedy="send a finite number")
    return number
