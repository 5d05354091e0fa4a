"""From whatever a source holds to the declared types, so that equal tables are equal bytes.

    declared            Arrow             missing
    float               float64           null, NaN
    int                 int64             null, NaN
    bool                bool              null
    category, text, id  large_string      null, empty text
    date                timestamp[us]     null, empty text; UTC without zone, a day is its midnight

In text, numbers may also be missing as NA, N/A, NaN or null. A category keeps NA, which may well be
a level (no answer, North America). Nothing is guessed beyond this: a value that does not fit its
type is an error that names the row, never a missing value. Zero has no sign, because not every
database keeps one, and no model tells the two apart. A decimal becomes a float by way of its
digits, as it does in a CSV: Arrow divides by a power of ten, which often gives the float beside the
nearest one.

What becomes of a value depends on the value and the type of its column, never on its neighbours:
a table that is cast batch by batch is the table that is cast whole, wherever it was cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import DataError
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.specs.kinds.dataset import Dataset

NUMBER_MISSING = ("", "na", "n/a", "nan", "null")
# Up to here a whole number and its float are one to one; 2**53 is also the float of 2**53 + 1.
EXACT = 2**53 - 1
# Text that Arrow reads as a whole number of 64 bits, without a detour over floats.
WHOLE = "^(-?[0-9]+|0[xX][0-9a-fA-F]+)$"
# A time of day with its offset from UTC at the end; the end of a day such as 2024-06-30 is none.
ZONED = "[T ][0-9:.]+(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
# Microseconds of 0001-01-01 and 9999-12-31T23:59:59.999999, which is all that Python can write.
FIRST_INSTANT, LAST_INSTANT = -62_135_596_800_000_000, 253_402_300_799_999_999
SHOWN = 40


class _Misfit(ValueError):
    """The values do not fit; `rows` is a boolean Arrow mask of those that do not, if known.

    `problem` is what is said of the value, where it is more than that it is not of its type.
    """

    def __init__(self, rows: Any = None, problem: str = "") -> None:  # noqa: ANN401 - Arrow
        super().__init__()
        self.rows = rows
        self.problem = problem


def cast_batch(dataset: Dataset, batch: Any, before: int = 0) -> Any:  # noqa: ANN401 - Arrow
    """A `pyarrow.RecordBatch` with every declared column in its declared type, sorted by name.

    `before` rows came before it.

    Raises:
        DataError: naming the first value that does not fit, by its row in the whole.
    """
    import pyarrow as pa

    columns = _cast_columns(dataset, batch, before)
    return pa.RecordBatch.from_pydict(columns, schema=declared_schema(dataset))


def cast_batches(dataset: Dataset, batches: Iterable[Any]) -> Iterator[Any]:
    """Every batch, cast.

    Raises:
        DataError: as `cast_batch`.
    """
    before = 0
    for batch in batches:
        yield cast_batch(dataset, batch, before)
        before += batch.num_rows


def declared_schema(dataset: Dataset) -> Any:  # noqa: ANN401 - pa.Schema
    """The `pyarrow.Schema` of a cast table."""
    import pyarrow as pa

    types = {
        "float": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "date": pa.timestamp("us"),
    }
    columns = sorted(dataset.columns.items())
    return pa.schema([(name, types.get(one.type, pa.large_string())) for name, one in columns])


def _cast_columns(dataset: Dataset, table: Any, before: int) -> dict[str, Any]:  # noqa: ANN401
    columns = {}
    for name, column in sorted(dataset.columns.items()):
        values = _plain(table[name])
        try:
            columns[name] = _cast(values, column.type)
        except _Misfit as misfit:
            raise _error(dataset, name, values, misfit, before) from None
    return columns


def _plain(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """One array without chunks and without a dictionary; text in one layout, as is what is null."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    # A column of the type null has no value in any row, which is so in every declared type.
    if pa.types.is_string_view(values.type) or pa.types.is_null(values.type):
        values = values.cast(pa.large_string())
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _cast(values: Any, declared: str) -> Any:  # noqa: ANN401 - Arrow arrays
    match declared:
        case "float":
            return _float(values)
        case "int":
            return _int(values)
        case "bool":
            return _bool(values)
        case "date":
            return _date(values)
        case _:
            return _string(values)


def _float(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(values):
        values = _number_text(values)
    elif pa.types.is_decimal(values.type):
        values = values.cast(pa.string())
    elif not _is_number(values):
        raise _Misfit
    floats = unsigned_zeros(_try_cast(values, pa.float64()))
    floats = pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)
    infinite = pc.is_inf(floats)
    if pc.any(infinite).as_py():
        raise _Misfit(infinite)
    return floats


def unsigned_zeros(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Floats with 0.0 for -0.0, which IEEE 754 gives for the sum of -0.0 and 0.0."""
    import pyarrow.compute as pc

    return pc.add(values, 0.0)


def _int(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_text(values):
        return _int_of_text(_number_text(values))
    if pa.types.is_decimal(values.type):
        return _int_of_text(values.cast(pa.string()))
    if not _is_number(values):
        raise _Misfit
    if pa.types.is_floating(values.type):
        values = _float(values)
        broken = pc.or_(
            pc.not_equal(pc.floor(values), values), pc.greater(pc.abs(values), float(EXACT))
        )
        if pc.any(broken).as_py():
            raise _Misfit(broken)
    return _try_cast(values, pa.int64())


def _int_of_text(text: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Digits as they are; what is written as a float, such as 3.0, only where a float is exact."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:
        whole = pc.match_substring_regex(text, WHOLE)
        nothing = pa.scalar(None, text.type)
        digits = _try_cast(pc.if_else(whole, text, nothing), pa.int64())
        return pc.coalesce(digits, _int(_float(pc.if_else(whole, nothing, text))))


def _bool(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(values.type):
        return values
    if _is_text(values):
        return _try_cast(_number_text(values), pa.bool_())
    numbers = _int(values)
    broken = pc.invert(pc.is_in(numbers, pa.array([0, 1, None], pa.int64())))
    if pc.any(broken).as_py():
        raise _Misfit(broken)
    return numbers.cast(pa.bool_())


def _date(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    micros = pa.timestamp("us")
    if _is_text(values):
        instants = _instants(pc.utf8_trim_whitespace(values))
    elif pa.types.is_timestamp(values.type):
        instants = _try_cast(values, pa.timestamp("us", values.type.tz)).cast(micros)
    elif pa.types.is_date(values.type):
        instants = _try_cast(values, micros)
    else:
        raise _Misfit
    numbers = instants.cast(pa.int64())
    beyond = pc.or_(pc.less(numbers, FIRST_INSTANT), pc.greater(numbers, LAST_INSTANT))
    if pc.any(beyond).as_py():
        raise _Misfit(beyond, "is outside of the years 1 to 9999")
    return instants


def _instants(text: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Days and times as they are written, those with an offset in UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar(None, text.type)
    zoned = pc.match_substring_regex(text, ZONED)
    plain = pc.if_else(pc.or_(zoned, pc.equal(text, "")), nothing, text)
    instants = _try_cast(plain, pa.timestamp("us"))
    moved = _try_cast(pc.if_else(zoned, text, nothing), pa.timestamp("us", "UTC"))
    return pc.coalesce(instants, moved.cast(pa.timestamp("us")))


def _string(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    import pyarrow as pa
    import pyarrow.compute as pc

    if _is_number(values) and pa.types.is_floating(values.type):
        values = _int(values)
    if not (_is_text(values) or _is_number(values) or pa.types.is_boolean(values.type)):
        raise _Misfit
    text = _try_cast(values, pa.large_string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)


def _number_text(values: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Text without the white space around it, and null where a number is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(values)
    missing = pc.is_in(pc.utf8_lower(text), pa.array(NUMBER_MISSING, text.type))
    return pc.if_else(missing, pa.scalar(None, text.type), text)


def _try_cast(values: Any, wanted: Any) -> Any:  # noqa: ANN401 - Arrow types
    import pyarrow as pa

    try:
        return values.cast(wanted)
    except pa.ArrowInvalid as error:
        raise _Misfit(_first_bad(values, wanted)) from error
    except pa.ArrowNotImplementedError as error:
        raise _Misfit from error


def _first_bad(values: Any, wanted: Any) -> Any:  # noqa: ANN401 - Arrow types
    """A mask that marks the first value that cannot be cast, found by halving."""
    import pyarrow as pa

    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            values.slice(low, middle - low).cast(wanted)
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return pa.array([index == low for index in range(low + 1)])


def _is_text(values: Any) -> bool:  # noqa: ANN401 - Arrow types
    import pyarrow as pa

    return bool(pa.types.is_string(values.type) or pa.types.is_large_string(values.type))


def _is_number(values: Any) -> bool:  # noqa: ANN401 - Arrow types
    import pyarrow as pa

    return bool(pa.types.is_integer(values.type) or pa.types.is_floating(values.type))


def _error(
    dataset: Dataset,
    name: str,
    values: Any,  # noqa: ANN401 - an Arrow array
    misfit: _Misfit,
    before: int,
) -> DataError:
    """The error for a person; a protected, entity or id value is never repeated."""
    uri = dataset.source.place
    column = dataset.columns[name]
    remedy = f"correct the value, or the type in spec.columns.{name}"
    if misfit.rows is None:
        message = f"{uri}: column {name} holds {values.type}, which is no {column.type}"
        return DataError(message, remedy=remedy, location=Location(uri))
    row = first_true(misfit.rows)
    shown = _shown(dataset, name, values[row])
    problem = misfit.problem or f"is no {column.type}"
    message = f"{uri}: column {name}, row {before + row + 1}: {shown} {problem}"
    return DataError(message, remedy=remedy, location=Location(uri))


def _shown(dataset: Dataset, name: str, value: Any) -> str:  # noqa: ANN401 - an Arrow scalar
    """The value as an error may show it; a day that Python has no word for is `the date`."""
    try:
        return shown_value(dataset, name, value.as_py())
    except (ValueError, OverflowError):
        return "the date"


def first_true(mask: Any) -> int:  # noqa: ANN401 - an Arrow array
    """The place of the first true value of a boolean Arrow array; -1 where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return int(pc.index(mask, pa.scalar(value=True)).as_py())


def names_somebody(dataset: Dataset, name: str) -> bool:
    """Whether the values of a column name a person or a case; most are declared without a role."""
    column = dataset.columns[name]
    return column.role in {"entity", "id"} or column.type == "id" or name == dataset.entity


def shown_value(dataset: Dataset, name: str, value: object) -> str:
    """A value as an error may show it: short, and never one that names or protects a person."""
    role = dataset.columns[name].role
    if role in {"protected", "entity", "id"}:
        return f"the value (not shown, its role is {role})"
    if names_somebody(dataset, name):
        return "the value (not shown, it names somebody)"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
