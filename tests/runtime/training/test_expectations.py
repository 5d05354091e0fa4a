"""Everything that is expected of a table is looked at, and all that is wrong is told at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.datasets.expectations import check_expectations, check_freshness, examine
from ordain.runtime.errors import DataError, MaturityError
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset

pytestmark = pytest.mark.training

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def declare(columns: dict[str, Any], **changed: object) -> Dataset:
    spec = {"source": {"type": "csv", "uri": "t.csv"}, "columns": columns}
    declared: Dataset = kind_validator("Dataset").validate_python(spec | changed)
    return declared


def refused(dataset: Dataset, table: pa.Table) -> DataError:
    with pytest.raises(DataError) as caught:
        check_expectations(dataset, table)
    assert caught.value.remedy
    return caught.value


def days(*texts: str | None) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.timestamp("us"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    columns = {
        "income": {"type": "float", "range": [0, 100]},
        "purpose": {"type": "category", "levels": ["car"], "unknown": "refuse"},
        "number": {"type": "int", "unique": True},
        "region": {"type": "category", "missing": "10%"},
    }
    table = pa.table(
        {
            "income": [5.0, -1.0, 200.0, None],
            "purpose": pa.array(["car", "car", "boat", None], pa.large_string()),
            "number": [1, 2, 2, 3],
            "region": pa.array(["a", None, None, "b"], pa.large_string()),
        }
    )
    error = refused(declare(columns, expect={"rows": [10, 20]}), table)
    assert error.message.splitlines() == [
        "t.csv: 5 expectations are not met",
        (
            "  there are 4 rows, expected are 10 to 20; "
            "bring the rows that belong there, or correct spec.expect.rows"
        ),
        (
            "  column income: 2 of 4 rows (50.00%) outside of 0 to 100, first row 2: -1.0; "
            "correct the values, or spec.columns.income.range"
        ),
        (
            "  column number: 1 of 4 rows (25.00%) with a value that stood before, first row 3: "
            "2; take the repeated rows out, or set spec.columns.number.unique to false"
        ),
        (
            "  column purpose: 1 of 4 rows (25.00%) with an unknown level, first row 3: 'boat'; "
            "correct the values, extend spec.columns.purpose.levels, or set unknown: bucket"
        ),
        (
            "  column region: 50.00% of the values are missing, accepted are 10.00%; "
            "mend the data, or raise spec.columns.region.missing"
        ),
    ]
    assert error.remedy == "mend the data, or what the Dataset declares"


def test_a_table_in_which_everything_is_wrong_is_told_in_twenty_lines() -> None:
    columns = {f"c{place:02}": {"type": "int", "range": [0, 1]} for place in range(30)}
    lines = refused(declare(columns), pa.table({name: [7] for name in columns})).message
    assert len(lines.splitlines()) == 22
    assert lines.endswith("\n  and 10 more")


def test_what_was_looked_at_is_listed_where_all_is_well() -> None:
    columns = {"low": {"type": "int", "unique": True, "missing": "0%"}, "high": {"type": "float"}}
    expect = {"rows": [1, 9], "relations": [{"left": "low", "op": "lt", "right": "high"}]}
    table = pa.table({"low": [1, 2], "high": [1.5, 2.5]})
    found = check_expectations(declare(columns, expect=expect), table)
    assert all(one.ok for one in found)
    assert [(one.name, one.column, one.expected, one.observed) for one in found] == [
        ("rows", "", "1 to 9 rows", "2 rows"),
        ("missing", "column low", "at most 0.00% missing", "0.00% of the values are missing"),
        ("unique", "column low", "no value twice", "all 2 rows"),
        ("relation", "low < high", "low < high", "all 2 rows"),
    ]


@pytest.mark.parametrize("role", ["protected", "id", "entity"])
def test_values_that_name_or_protect_somebody_are_not_shown(role: str) -> None:
    columns = {
        "code": {"type": "int", "role": role, "range": [0, 10], "unique": True},
        "limit": {"type": "int"},
    }
    expect = {
        "unique": [["code", "limit"]],
        "relations": [{"left": "code", "op": "le", "right": "limit"}],
    }
    table = pa.table({"code": [777, 777, 3], "limit": [5, 5, 5]})
    message = refused(declare(columns, expect=expect), table).message
    assert message.count(f"the value (not shown, its role is {role})") == 4
    assert "777" not in message


@pytest.mark.parametrize("how", ["type", "entity"])
def test_whoever_is_named_without_a_role_is_not_shown_either(how: str) -> None:
    code = {"type": "id" if how == "type" else "category", "unique": True, "unknown": "refuse"}
    columns = {"code": code | ({} if how == "type" else {"levels": ["A1"]})}
    entity = {"entity": "code"} if how == "entity" else {}
    expect = {"unique": [["code"]]}
    table = pa.table({"code": pa.array(["A006000", "A006000"], pa.large_string())})
    message = refused(declare(columns, expect=expect, **entity), table).message
    assert "the value (not shown, it names somebody)" in message
    assert "A006000" not in message


@pytest.mark.parametrize(
    ("op", "left", "right", "wrong"),
    [
        ("lt", [1, 2, 3, None], [2, 2, 2, 2], [2, 3]),
        ("le", [1, 2, 3, None], [2, 2, 2, 2], [3]),
        ("eq", [1, 2, 3, 4], [2, 2, 2, None], [1, 3]),
        ("ne", [1, 2, 3, 4], [2, 2, 2, None], [2]),
        ("ge", [1, 2, 3, None], [2.0, 2.0, 2.0, 2.0], [1]),
        ("gt", [1, 2, 3, None], [2.5, 2.0, 2.0, 2.0], [1, 2]),
    ],
)
def test_two_numbers_stand_in_their_order_where_both_are_there(
    op: str, left: list[Any], right: list[Any], wrong: list[int]
) -> None:
    columns = {"a": {"type": "int"}, "b": {"type": "float"}}
    expect = {"relations": [{"left": "a", "op": op, "right": "b"}]}
    table = pa.table({"a": left, "b": pa.array(right, pa.float64())})
    sign = {"lt": "<", "le": "<=", "eq": "=", "ne": "!=", "ge": ">=", "gt": ">"}[op]
    row = wrong[0] - 1
    expected = (
        f"t.csv: a {sign} b: {len(wrong)} of 4 rows ({len(wrong) / 4:.2%}) where this does not "
        f"hold, first row {wrong[0]}: {left[row]} and {float(right[row])}"
    )
    assert refused(declare(columns, expect=expect), table).message == expected


def test_two_dates_stand_in_their_order() -> None:
    columns = {"opened": {"type": "date"}, "closed": {"type": "date"}}
    expect = {"relations": [{"left": "opened", "op": "le", "right": "closed"}]}
    table = pa.table(
        {"opened": days("2024-01-01", "2024-02-01"), "closed": days(None, "2024-01-31")}
    )
    error = refused(declare(columns, expect=expect), table)
    assert error.message.startswith(
        "t.csv: opened <= closed: 1 of 2 rows (50.00%) where this does not hold, first row 2: "
    )


def test_a_group_of_columns_occurs_once_where_all_of_it_is_there() -> None:
    columns = {"who": {"type": "category"}, "when": {"type": "int"}}
    table = pa.table(
        {
            "who": pa.array(["a", "a", "b", "b", None, None], pa.large_string()),
            "when": [1, 2, 1, 1, 5, 5],
        }
    )
    error = refused(declare(columns, expect={"unique": [["who", "when"]]}), table)
    assert error.message == (
        "t.csv: columns who, when: 1 of 6 rows (16.67%) with values that stood together before, "
        "first row 4: who 'b', when 1"
    )


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("abc")),
        min_size=1,
        max_size=30,
    )
)
def test_repeated_rows_are_counted_as_a_plain_loop_would(rows: list[tuple[Any, Any]]) -> None:
    columns = {"n": {"type": "int", "role": "time"}, "t": {"type": "category", "role": "time"}}
    table = pa.table(
        {
            "n": pa.array([row[0] for row in rows], pa.int64()),
            "t": pa.array([row[1] for row in rows], pa.large_string()),
        }
    )
    counts = Counter(row for row in rows if None not in row)
    repeated = sum(count - 1 for count in counts.values())
    (found,) = examine(declare(columns, expect={"unique": [["n", "t"]]}), table)
    assert found.ok == (repeated == 0)
    assert found.observed.startswith(f"{repeated} of" if repeated else "all ")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (0, "t.csv: there are no rows"),
        (1, "t.csv: there are 1 rows, expected are 2 to 3"),
        (4, "t.csv: there are 4 rows, expected are 2 to 3"),
    ],
)
def test_the_number_of_rows_is_expected(rows: int, message: str) -> None:
    table = pa.table({"x": pa.array(range(rows), pa.int64())})
    dataset = declare({"x": {"type": "int"}}, expect={"rows": [2, 3]})
    assert refused(dataset, table).message == message


@pytest.mark.parametrize(
    ("newest", "message"),
    [
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), ""),
        (dt.datetime(2026, 2, 1), ""),  # noqa: DTZ001 - as a table has it
        (
            dt.datetime(2025, 12, 31),  # noqa: DTZ001 - as a table has it
            "t.csv: expect.fresh: the newest row is of 2025-12-31, 31d old; accepted is 31d",
        ),
        (
            dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
            "t.csv: expect.fresh: the newest row is of 2027-01-01, which is still to come",
        ),
        (None, "t.csv: expect.fresh: no row has a day"),
    ],
)
def test_the_newest_row_is_fresh_when_data_are_pinned(
    newest: dt.datetime | None, message: str
) -> None:
    dataset = declare({"day": {"type": "date"}}, time="day", expect={"fresh": "31d"})
    if not message:
        check_freshness(dataset, newest, NOW)
        return
    with pytest.raises(DataError) as caught:
        check_freshness(dataset, newest, NOW)
    assert caught.value.message == message
    assert caught.value.remedy


def test_nobody_asks_how_old_rows_are_where_nothing_is_declared() -> None:
    check_freshness(declare({"x": {"type": "int"}}), None, NOW)


def looped(**loop: str) -> Dataset:
    columns = {"y": {"type": "int"}, "seen": {"type": "bool"}, "drawn": {"type": "bool"}}
    target = {"column": "y", "feedback": {"observed": "seen", **loop}}
    return declare(columns, target=target)


@pytest.mark.parametrize(
    ("outcomes", "seen", "message"),
    [
        ([1, 0, None, None], [True, True, False, False], ""),
        (
            [1, 0, None, 1],
            [True, True, False, False],
            "target y: 1 of 4 rows (25.00%) with an outcome although seen is false, first row 4",
        ),
        (
            [1, None, 0, None],
            [True, True, True, False],
            "target y: 1 of 4 rows (25.00%) without an outcome although seen is true, first row 2",
        ),
        (
            [1, 0, None, None],
            [True, True, False, None],
            "column seen: 1 of 4 rows (25.00%) without a value, first row 4",
        ),
    ],
)
def test_an_outcome_is_there_exactly_where_it_could_be_seen(
    outcomes: list[Any], seen: list[Any], message: str
) -> None:
    table = pa.table({"y": outcomes, "seen": seen, "drawn": [False] * 4})
    if message:
        assert refused(looped(), table).message == f"t.csv: {message}"
    else:
        assert all(one.ok for one in check_expectations(looped(), table))


def test_it_is_said_of_every_row_whether_it_was_drawn_by_chance() -> None:
    table = pa.table({"y": [1, 0], "seen": [True, True], "drawn": [True, None]})
    expected = "t.csv: column drawn: 1 of 2 rows (50.00%) without a value, first row 2"
    assert refused(looped(explored="drawn"), table).message == expected


def delayed(**changed: object) -> Dataset:
    columns = {"y": {"type": "int"}, "day": {"type": "date", "role": "time"}}
    target = {"column": "y", "matureAfter": "365d"}
    return declare(columns, target=target, time="day", **changed)


def test_an_outcome_that_is_not_final_may_be_missing() -> None:
    table = pa.table({"y": [1, 0, None], "day": days("2023-01-01", "2023-12-31", "2024-01-01")})
    check_expectations(delayed(asOf="2024-12-30"), table)
    expected = "t.csv: target y: 1 of 3 rows (33.33%) without an outcome, first row 3"
    assert refused(delayed(asOf="2024-12-31"), table).message == expected
    # The day up to which outcomes were seen is written by the first pin, after this was asked.
    check_expectations(delayed(), table)


def test_the_age_of_an_outcome_needs_the_time_of_its_row() -> None:
    table = pa.table({"y": [1, 0], "day": days("2023-01-01", None)})
    with pytest.raises(MaturityError) as caught:
        check_expectations(delayed(asOf="2025-01-01"), table)
    assert caught.value.message == "target.matureAfter: 1 row has no day"
    assert caught.value.remedy == "give every row its time"


def test_a_wide_table_is_looked_at_quickly() -> None:
    rng = np.random.default_rng(1)
    columns = {f"c{place}": {"type": "float", "range": [0, 1]} for place in range(50)}
    table = pa.table({name: rng.random(20_000) for name in columns})
    assert len(check_expectations(declare(columns), table)) == 50
