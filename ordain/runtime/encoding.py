"""From the values of one row to the numbers that a fitted model takes.

Each entry of a plan's `columns` becomes one closure that appends its columns. The closures repeat
what scikit-learn's transformers do to one value: impute, clip, centre and scale a number or a part
of a date; bend it into curves; spread a category over indicator columns, give it a code or the mean
outcome of its level; weigh the words of a text; multiply two columns that stand before. Nothing is
looked up by name when a row comes. An empty text is missing, as it is in every source that training
reads (`datasets.casting`). What selection has not kept is left out at the end, because a product
may need it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ordain.runtime.dates import PARTS, as_date
from ordain.runtime.errors import PlanError, RowError
from ordain.runtime.texts import terms_of, weights_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TYPES = ("float", "int", "bool", "category", "date", "text")
REMEDY = "train the recipe again with this version"

Encoder = Callable[[Mapping[str, object], list[float]], None]

_INFINITE = (math.inf, -math.inf)
_LOWEST, _CUBIC = 2, 4  # Coefficients of a line, and of a polynomial of the third degree.


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


def finite(value: Any) -> float:  # noqa: ANN401 - what JSON holds
    """The number of a plan.

    Raises:
        PlanError: when it is infinite, or none.
        ValueError, TypeError, OverflowError: when it cannot be one.
    """
    number = float(value)
    agree(math.isfinite(number), f"{value!r} is no finite number")
    return number


def read_input(raw: dict[str, Any]) -> Input:
    agree(raw["type"] in TYPES, f"input {raw['name']} has the type {raw['type']!r}")
    bounds = raw["range"]
    levels = raw["levels"]
    return Input(
        name=raw["name"],
        type=raw["type"],
        missing=raw["missing"] is True,
        range=None if bounds is None else (finite(bounds[0]), finite(bounds[1])),
        levels=None if levels is None else tuple(levels),
        unknown=raw["unknown"],
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """How a row becomes the encoded columns of a model.

    `sources` are, for each encoded column that was kept, the inputs that it is made from: one, or
    the two of a product. `operands` are the places of a product's factors among all columns, None
    for what is no product. `keep` is None where every column was kept. `ops` are the entries that
    the encoders were read from.
    """

    encoders: tuple[Encoder, ...]
    sources: tuple[tuple[str, ...], ...]
    operands: tuple[tuple[int, int] | None, ...]
    keep: tuple[int, ...] | None
    ops: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)

    def every(self, row: Mapping[str, object]) -> list[float]:
        """All columns, also those that were not kept.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        encoded: list[float] = []
        for encoder in self.encoders:
            encoder(row, encoded)
        return encoded

    def kept(self, every: list[float]) -> list[float]:
        """The columns that the model takes, out of all."""
        keep = self.keep
        return every if keep is None else [every[place] for place in keep]


def read_columns(
    raw: Sequence[dict[str, Any]], keep: Sequence[int] | None, inputs: dict[str, Input]
) -> Columns:
    """The entries `columns` and `keep` of a plan.

    Raises:
        PlanError: when they contradict each other or the inputs.
    """
    encoders: list[Encoder] = []
    sources: list[tuple[str, ...]] = []
    operands: list[tuple[int, int] | None] = []
    for column in raw:
        if column["op"] == "product":
            first, second = _operands(column, sources)
            encoders.append(_product(first, second))
            sources.append((*sources[first], *sources[second]))
            operands.append((first, second))
            continue
        encoders.append(_read_encoder(column, inputs))
        width = width_of(column)
        sources += [(column["input"],)] * width
        operands += [None] * width
    if keep is None:
        return Columns(tuple(encoders), tuple(sources), tuple(operands), None, tuple(raw))
    places = tuple(keep)
    whole = all(type(place) is int and 0 <= place < len(sources) for place in places)
    agree(bool(places) and whole, "it keeps a column that is none")
    agree(list(places) == sorted(set(places)), "the columns that it keeps do not ascend")
    return Columns(
        tuple(encoders),
        tuple(sources[place] for place in places),
        tuple(operands[place] for place in places),
        places,
        tuple(raw),
    )


def width_of(column: dict[str, Any]) -> int:
    """How many encoded columns this entry makes."""
    match column["op"]:
        case "one_hot":
            return len(column["levels"]) + bool(column["rare"])
        case "text":
            return len(column["terms"])
        case "spline":
            return len(column["knots"]) + len(column["pieces"][0][0]) - 3
        case _:
            return 1


def _read_encoder(column: dict[str, Any], inputs: dict[str, Input]) -> Encoder:
    name = column["input"]
    agree(name in inputs, f"a column is made from {name!r}, which is no input")
    reader = _READERS.get(column["op"])
    if reader is None:
        raise contradiction(f"column operation {column['op']!r} is not known")
    return reader(column, inputs[name])


def _operands(column: dict[str, Any], sources: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Two columns that stand before, each of one input and not of the same."""
    first, second = column["inputs"]
    for place in (first, second):
        agree(type(place) is int and 0 <= place < len(sources), "a product has no such factor")
        agree(len(sources[place]) == 1, "a factor of a product is itself a product")
    agree(sources[first] != sources[second], "a product has one input twice")
    return first, second


def _product(first: int, second: int) -> Encoder:
    def encode(_: Mapping[str, object], encoded: list[float]) -> None:
        encoded.append(encoded[first] * encoded[second])

    return encode


def _number(column: dict[str, Any], given: Input) -> Encoder:
    name = given.name
    finish = _finish(column, name)

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        value = row.get(name)
        # Most values are finite floats; only these differ from themselves by zero.
        if type(value) is not float or value - value != 0.0:
            value = number_of(name, value)
        encoded.append(finish(value))

    return encode


def _finish(column: dict[str, Any], name: str) -> Callable[[float], float]:
    """Impute, clip, then centre and scale; or `factor` and `offset`, as MinMaxScaler does it."""
    impute = math.nan if column["impute"] is None else finite(column["impute"])
    low = -math.inf if column["low"] is None else finite(column["low"])
    high = math.inf if column["high"] is None else finite(column["high"])
    center, scale = finite(column["center"]), finite(column["scale"])
    agree(scale != 0.0, f"the scale of {name} is zero")
    factor, offset = finite(column.get("factor", 1.0)), finite(column.get("offset", 0.0))

    def finish(value: float) -> float:
        if value != value:  # noqa: PLR0124 - only NaN differs from itself
            value = impute
        if value < low:
            value = low
        elif value > high:
            value = high
        return (value - center) / scale

    def stretch(value: float) -> float:
        return finish(value) * factor + offset

    return finish if (factor, offset) == (1.0, 0.0) else stretch


def _date(column: dict[str, Any], given: Input) -> Encoder:
    name = given.name
    agree(column["part"] in PARTS, f"a date has no part {column['part']!r}")
    part_of = PARTS[column["part"]]
    finish = _finish(column, name)

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        moment = as_date(name, row.get(name))
        encoded.append(finish(math.nan if moment is None else part_of(moment)))

    return encode


def _text(column: dict[str, Any], given: Input) -> Encoder:
    name = given.name
    places = {term: place for place, term in enumerate(column["terms"])}
    idf = tuple(map(finite, column["idf"]))
    agree(len(places) == len(column["terms"]), f"a term of {name} is listed twice")
    agree(len(idf) == len(places), f"the weights of {name} do not agree with its terms")
    fewest, most = map(int, column["ngrams"])
    empty = [0.0] * len(places)

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        start = len(encoded)
        encoded.extend(empty)
        value = row.get(name)
        if type(value) is str:
            terms = terms_of(value, fewest, most)
            for place, weight in weights_of(terms, places, idf).items():
                encoded[start + place] = weight
        elif not (value is None or value != value):  # noqa: PLR0124 - NaN
            raise RowError(name, f"a text was expected, not {type(value).__name__}")

    return encode


def _missing(_: dict[str, Any], given: Input) -> Encoder:
    name = given.name

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        value = row.get(name)
        absent = value is None or value == "" or value != value  # noqa: PLR0124 - NaN
        encoded.append(1.0 if absent else 0.0)

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
    unknown = finite(column["unknown"])
    missing = math.nan if column["missing"] is None else finite(column["missing"])
    level_of = _levels_of(given, tuple(codes))

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        level = level_of(row.get(given.name))
        encoded.append(missing if level is None else codes.get(level, unknown))

    return encode


def _target(column: dict[str, Any], given: Input) -> Encoder:
    means = {level: finite(mean) for level, mean in column["levels"].items()}
    default, missing = finite(column["default"]), finite(column["missing"])
    level_of = _levels_of(given, tuple(means))

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        level = level_of(row.get(given.name))
        encoded.append(missing if level is None else means.get(level, default))

    return encode


def _spline(column: dict[str, Any], given: Input) -> Encoder:
    """A number, then the basis of curves over it: on each piece only a few columns are not zero.

    Each is a polynomial of the distance from the knot on the left; beyond the outer knots it keeps
    the value that it has there.
    """
    name = given.name
    finish = _finish(column, name)
    knots = tuple(map(finite, column["knots"]))
    pieces = read_pieces(name, knots, column["pieces"])
    first, last, inner = knots[0], knots[-1], knots[1:-1]
    empty = [0.0] * width_of(column)

    def encode(row: Mapping[str, object], encoded: list[float]) -> None:
        value = row.get(name)
        if type(value) is not float or value - value != 0.0:
            value = number_of(name, value)
        x = finish(value)
        if x < first:
            x = first
        elif x > last:
            x = last
        place = bisect_right(inner, x)
        t = x - knots[place]
        start = len(encoded) + place
        encoded.extend(empty)
        encoded[start : start + len(pieces[place])] = [
            ((a * t + b) * t + c) * t + d for a, b, c, d in pieces[place]
        ]

    return encode


def read_pieces(
    name: str, knots: tuple[float, ...], raw: Sequence[Sequence[Sequence[float]]]
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """The polynomials of each piece as four coefficients, the highest power first.

    Every piece has as many as its degree and one more, the last one fewer: the basis adds up to
    one, and its last column would say nothing that an intercept does not.
    """
    agree(all(a < b for a, b in pairwise(knots)), f"the knots of {name} do not ascend")
    agree(len(raw) == len(knots) - 1 > 0, f"the pieces of {name} do not agree with its knots")
    order = len(raw[0][0])
    agree(_LOWEST <= order <= _CUBIC, f"the curves of {name} have no degree from 1 to 3")
    counts = [len(piece) for piece in raw]
    agree(counts == [order] * (len(raw) - 1) + [order - 1], f"the pieces of {name} are uneven")
    degrees = {len(polynomial) for piece in raw for polynomial in piece}
    agree(degrees == {order}, f"the polynomials of {name} are uneven")
    lead = (0.0,) * (_CUBIC - order)
    return tuple(tuple((*lead, *map(finite, one)) for one in piece) for piece in raw)


_READERS: dict[str, Callable[[dict[str, Any], Input], Encoder]] = {
    "number": _number,
    "spline": _spline,
    "missing": _missing,
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "target": _target,
    "date": _date,
    "text": _text,
}


def _levels_of(given: Input, seen: Iterable[str]) -> Callable[[object], str | None]:
    """What turns a value into a level, or None where it is missing."""
    name = given.name
    known = frozenset(given.levels or ()) | frozenset(seen)
    refuse = given.unknown == "refuse"

    def level_of(value: object) -> str | None:
        if value == "":
            return None
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


def number_of(name: str, value: object) -> float:
    """The value as a float; NaN where it is missing, never an infinity.

    Raises:
        RowError: when it is no number, or too large.
    """
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
