"""Whether a table is what its Dataset says: every expectation is looked at, and all that fail are
told at once, because whoever mends a table wants the whole list and not one line a day.

An expectation that is not declared is not checked, except that a feature has values and that an
outcome differs. Each failure says how many rows are wrong, which share that is, and the first of
them (rows count from 1, the header is not one). A missing value is wrong only where `missing` says
so: ranges, relations and uniqueness speak of the values that are there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ordain.runtime.datasets.casting import shown_value
from ordain.runtime.datasets.labels import mature_rows, observed_rows, truth_of
from ordain.runtime.errors import DataError
from ordain.specs.durations import parse_duration
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.runtime.datasets.labels import Mask
    from ordain.specs.kinds.dataset import Column, Dataset, Relation, Target

OUTCOMES = 2
TOLD = 20  # Failures that one error lists; a table with more of them is another table.
SIGNS = {"lt": "<", "le": "<=", "eq": "=", "ne": "!=", "ge": ">=", "gt": ">"}
_FUNCTIONS = {
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "ge": "greater_equal",
    "gt": "greater",
}
_TOLERATED = dt.timedelta(days=1)  # A day may have begun elsewhere that has not begun in UTC.


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that was looked at; `observed` of a failure names the first row."""

    name: str
    column: str
    expected: str
    observed: str
    remedy: str
    ok: bool = False

    @property
    def failure(self) -> str:
        """What is wrong, in one line."""
        return f"{self.column}: {self.observed}" if self.column else self.observed


def check_expectations(dataset: Dataset, table: Any) -> tuple[Expectation, ...]:  # noqa: ANN401
    """Check a cast `pyarrow.Table`; what was looked at, all of it met.

    Raises:
        DataError: listing every expectation that is not met.
    """
    found = tuple(examine(dataset, table))
    failed = [one for one in found if not one.ok]
    if len(failed) == 1:
        raise _error(dataset, failed[0].failure, failed[0].remedy)
    if failed:
        lines = [f"  {one.failure}; {one.remedy}" for one in failed[:TOLD]]
        if len(failed) > TOLD:
            lines.append(f"  and {len(failed) - TOLD} more")
        message = "\n".join([f"{len(failed)} expectations are not met", *lines])
        raise _error(dataset, message, "mend the data, or what the Dataset declares")
    return found


def examine(dataset: Dataset, table: Any) -> Iterator[Expectation]:  # noqa: ANN401 - pa.Table
    """Every expectation with what was found: the table, columns by name, groups, the outcome."""
    yield from _rows(dataset, table)
    if table.num_rows == 0:
        return
    for name, column in sorted(dataset.columns.items()):
        yield from _column(name, column, dataset, table[name])
    for names in dataset.expect.unique:
        yield _unique(names, dataset, table)
    for relation in dataset.expect.relations:
        yield _relation(relation, dataset, table)
    if dataset.target is not None:
        yield from _target(dataset, dataset.target, table)


def check_freshness(dataset: Dataset, newest: dt.datetime | None, now: dt.datetime) -> None:
    """Refuse a table whose newest row is older than `expect.fresh`, or of a day to come.

    This is asked when data are pinned and never again: training has no clock. Times without a zone
    are UTC; `newest` is None where no row has a time.

    Raises:
        DataError: when the table is not fresh.
    """
    if dataset.expect.fresh is None:
        return
    if newest is None:
        message = f"expect.fresh: no row has a {dataset.time or 'time'}"
        raise _error(dataset, message, "give the rows their time, or take expect.fresh out")
    newest, now = _utc(newest), _utc(now)
    day, remedy = newest.date().isoformat(), "bring newer rows, or raise spec.expect.fresh"
    if newest - now > _TOLERATED:
        message = f"expect.fresh: the newest row is of {day}, which is still to come"
        raise _error(dataset, message, "correct the times of the rows, or the clock")
    if now - newest > parse_duration(dataset.expect.fresh):
        message = (
            f"expect.fresh: the newest row is of {day}, {_age(now - newest)} old; "
            f"accepted is {dataset.expect.fresh}"
        )
        raise _error(dataset, message, remedy)


def _utc(instant: dt.datetime) -> dt.datetime:
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant


def _age(age: dt.timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{age.days}d" if age.days else f"{hours}h"


def missing_share(column: Column) -> float | None:
    """The accepted share of missing values, in [0, 1]; None where none is declared."""
    if column.missing is None:
        return None
    return float(Decimal(column.missing.removesuffix("%")) / 100)


# ── the table and its columns ────────────────────────────────────────────────────────────────────


def _rows(dataset: Dataset, table: Any) -> Iterator[Expectation]:  # noqa: ANN401 - pa.Table
    count, limits = table.num_rows, dataset.expect.rows
    if count == 0:
        remedy = "write at least one row"
        yield Expectation("rows", "", "at least one row", "there are no rows", remedy)
    elif limits is not None:
        low, high = limits
        wanted, ok = f"{low} to {high} rows", low <= count <= high
        told = f"{count} rows" if ok else f"there are {count} rows, expected are {low} to {high}"
        remedy = "bring the rows that belong there, or correct spec.expect.rows"
        yield Expectation("rows", "", wanted, told, remedy, ok)


def _column(
    name: str,
    column: Column,
    dataset: Dataset,
    values: Any,  # noqa: ANN401 - an Arrow column
) -> Iterator[Expectation]:
    yield from _missing(name, column, values)
    if column.range is not None and column.type in {"float", "int"}:
        yield _range(name, dataset, values)
    if column.levels is not None and column.type == "category" and column.unknown == "refuse":
        yield _levels(name, dataset, values)
    if column.unique:
        yield _unique_column(name, dataset, values)


def _missing(name: str, column: Column, values: Any) -> Iterator[Expectation]:  # noqa: ANN401
    subject, share = f"column {name}", values.null_count / len(values)
    told = f"{share:.2%} of the values are missing"
    accepted = missing_share(column)
    if values.null_count == len(values) and column.role == "feature":
        remedy = f"mend the data, or take {name} out of spec.columns"
        yield Expectation("missing", subject, "values", "all values are missing", remedy)
    elif accepted is not None:
        ok, wanted = share <= accepted, f"at most {accepted:.2%} missing"
        told = told if ok else f"{told}, accepted are {accepted:.2%}"
        remedy = f"mend the data, or raise spec.columns.{name}.missing"
        yield Expectation("missing", subject, wanted, told, remedy, ok)


def _range(name: str, dataset: Dataset, values: Any) -> Expectation:  # noqa: ANN401
    import pyarrow.compute as pc

    low, high = dataset.columns[name].range or (0.0, 0.0)
    wrong = truth_of(pc.or_(pc.less(values, low), pc.greater(values, high)))
    told = f"outside of {low:g} to {high:g}"
    remedy = f"correct the values, or spec.columns.{name}.range"
    found = f"{told}, {_first(wrong, dataset, name, values)}" if wrong.any() else told
    return _judged("range", f"column {name}", wrong, f"{low:g} to {high:g}", found, remedy)


def _levels(name: str, dataset: Dataset, values: Any) -> Expectation:  # noqa: ANN401
    import pyarrow as pa
    import pyarrow.compute as pc

    levels = dataset.columns[name].levels or ()
    known = pa.array(levels, pa.large_string())
    wrong = truth_of(pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, known))))
    found = "with an unknown level"
    found = f"{found}, {_first(wrong, dataset, name, values)}" if wrong.any() else found
    remedy = f"correct the values, extend spec.columns.{name}.levels, or set unknown: bucket"
    wanted = f"one of {len(levels)} levels"
    return _judged("levels", f"column {name}", wrong, wanted, found, remedy)


def _unique_column(name: str, dataset: Dataset, values: Any) -> Expectation:  # noqa: ANN401
    wrong = _repeated([values])
    found = "with a value that stood before"
    found = f"{found}, {_first(wrong, dataset, name, values)}" if wrong.any() else found
    remedy = f"take the repeated rows out, or set spec.columns.{name}.unique to false"
    return _judged("unique", f"column {name}", wrong, "no value twice", found, remedy)


def _unique(names: Sequence[str], dataset: Dataset, table: Any) -> Expectation:  # noqa: ANN401
    """A group of columns; a row that lacks one of the values is not compared."""
    wrong = _repeated([table[name] for name in names])
    found = "with values that stood together before"
    if wrong.any():
        row = int(wrong.argmax())
        shown = ", ".join(
            f"{name} {shown_value(dataset, name, table[name][row].as_py())}" for name in names
        )
        found = f"{found}, first row {row + 1}: {shown}"
    remedy = "take the repeated rows out, or correct spec.expect.unique"
    return _judged("unique", f"columns {', '.join(names)}", wrong, "no values twice", found, remedy)


def _repeated(columns: Sequence[Any]) -> Mask:
    """Rows whose values stood together in a row before."""
    import numpy as np

    codes = np.zeros(len(columns[0]), dtype=np.int64)
    whole = np.ones(len(codes), dtype=bool)
    for values in columns:
        coded = values.combine_chunks().dictionary_encode()
        whole &= truth_of(coded.is_valid())
        places = coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        # Made dense after every column, so that no product of counts can run over.
        pairs = codes * (len(coded.dictionary) + 1) + places
        codes = np.unique(pairs, return_inverse=True)[1].reshape(-1)
    places = np.flatnonzero(whole)
    wrong = whole.copy()
    wrong[places[np.unique(codes[places], return_index=True)[1]]] = False
    return wrong


def _relation(relation: Relation, dataset: Dataset, table: Any) -> Expectation:  # noqa: ANN401
    import pyarrow.compute as pc

    left, right = table[relation.left], table[relation.right]
    compared = pc.and_(pc.is_valid(left), pc.is_valid(right))
    holds = getattr(pc, _FUNCTIONS[relation.op])(left, right)
    wrong = truth_of(compared) & ~truth_of(holds)
    wanted = f"{relation.left} {SIGNS[relation.op]} {relation.right}"
    found = "where this does not hold"
    if wrong.any():
        row = int(wrong.argmax())
        one, two = (
            shown_value(dataset, name, table[name][row].as_py())
            for name in (relation.left, relation.right)
        )
        found = f"{found}, first row {row + 1}: {one} and {two}"
    return _judged(
        "relation", wanted, wrong, wanted, found, "correct the values, or spec.expect.relations"
    )


# ── the outcome ──────────────────────────────────────────────────────────────────────────────────


def _target(dataset: Dataset, target: Target, table: Any) -> Iterator[Expectation]:  # noqa: ANN401
    import pyarrow.compute as pc

    name, subject = target.column, f"target {target.column}"
    if name not in table.column_names:
        told, remedy = f"{subject} is not declared in spec.columns", f"declare spec.columns.{name}"
        yield Expectation("outcome", "", "a column", told, remedy)
        return
    values = table[name]
    yield from _presence(dataset, target, table)
    if len(pc.unique(values.drop_null())) < OUTCOMES:
        known = len(values) - values.null_count
        told = f"all {known} rows have the same outcome"
        remedy = "take rows with both outcomes"
        yield Expectation("outcome", subject, "different outcomes", told, remedy)


def _presence(dataset: Dataset, target: Target, table: Any) -> Iterator[Expectation]:  # noqa: ANN401
    """An outcome where it is final and could be seen; none where it could not."""
    subject, values = f"target {target.column}", table[target.column]
    absent = ~truth_of(values.is_valid())
    # A first pin has no day yet from which the age of a row could be counted: nothing is due.
    undated = target.mature_after is not None and dataset.as_of is None
    due = absent & ~absent if undated else mature_rows(dataset, table)
    observed = observed_rows(dataset, table)
    if observed is None or target.feedback is None:
        remedy = "leave out rows whose outcome is not known yet, or declare target.matureAfter"
        yield _at("outcome", subject, absent & due, "an outcome", "without an outcome", remedy)
        return
    name = target.feedback.observed
    remedy = f"correct the outcome, or {name}"
    for column in filter(None, (name, target.feedback.explored)):
        empty, always = ~truth_of(table[column].is_valid()), f"say in every row whether {column}"
        yield _at("outcome", f"column {column}", empty, "a truth value", "without a value", always)
    if target.feedback.explored is not None:
        yield _by_chance(
            target.feedback.explored, observed, truth_of(table[target.feedback.explored])
        )
    said = f"without an outcome although {name} is true"
    yield _at("outcome", subject, absent & due & observed, "an outcome if seen", said, remedy)
    said = f"with an outcome although {name} is false"
    wanted = "no outcome if not seen"
    yield _at("outcome", subject, ~absent & due & ~observed, wanted, said, remedy)


def _by_chance(name: str, observed: Mask, explored: Mask) -> Expectation:
    """Exploration is a part of what was seen; all of it would make every old decision a lottery."""
    seen, drawn = int(observed.sum()), int((observed & explored).sum())
    told = f"{drawn} of {seen} cases whose outcome was seen"
    remedy = f"let {name} mark only the cases that were drawn by chance"
    whole = seen == len(observed) or drawn < seen or seen == 0
    wanted = "some cases whose outcome was seen, not all"
    return Expectation("exploration", f"column {name}", wanted, told, remedy, ok=whole)


def _at(
    name: str,
    subject: str,
    wrong: Mask,
    expected: str,
    found: str,
    remedy: str,
) -> Expectation:
    if wrong.any():
        found = f"{found}, first row {int(wrong.argmax()) + 1}"
    return _judged(name, subject, wrong, expected, found, remedy)


def _judged(
    name: str,
    subject: str,
    wrong: Mask,
    expected: str,
    found: str,
    remedy: str,
) -> Expectation:
    """How many rows are wrong and how; where none is, that all were looked at."""
    count, rows = int(wrong.sum()), len(wrong)
    if not count:
        return Expectation(name, subject, expected, f"all {rows} rows", remedy, ok=True)
    told = f"{count} of {rows} rows ({count / rows:.2%}) {found}"
    return Expectation(name, subject, expected, told, remedy)


def _first(wrong: Mask, dataset: Dataset, name: str, values: Any) -> str:  # noqa: ANN401
    row = int(wrong.argmax())
    return f"first row {row + 1}: {shown_value(dataset, name, values[row].as_py())}"


def _error(dataset: Dataset, message: str, remedy: str) -> DataError:
    uri = dataset.source.place
    return DataError(f"{uri}: {message}", remedy=remedy, location=Location(uri))
