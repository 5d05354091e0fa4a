"""A table is what its Dataset says, or there is one error that says what is wrong and where."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest

from ordain.runtime.datasets.digests import check_digest, logical_digest
from ordain.runtime.datasets.expectations import check_expectations
from ordain.runtime.datasets.reading import digest_of, read_table
from ordain.runtime.errors import DataError
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ordain.specs.kinds.dataset import Dataset

pytestmark = pytest.mark.training


def declare(uri: str, columns: dict[str, Any], **changed: object) -> Dataset:
    kind = "csv" if uri.endswith(".csv") else "parquet"
    spec = {"source": {"type": kind, "uri": uri}, "columns": columns}
    declared: Dataset = kind_validator("Dataset").validate_python(spec | changed)
    return declared


def read(dataset: Dataset, root: Path) -> None:
    table = read_table(dataset, root)
    check_digest("applications", dataset, logical_digest(table))
    check_expectations(dataset, table)


def refused(dataset: Dataset, root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read(dataset, root)
    assert caught.value.remedy
    return caught.value


def csv_of(root: Path, text: str | bytes) -> None:
    (root / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())


def one_column(root: Path, kind: str, values: list[str]) -> pa.Table:
    csv_of(root, "\n".join(["x", *(f'"{value}"' for value in values)]) + "\n")
    return read_table(declare("t.csv", {"x": {"type": kind}}), root)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("float", ["1.5", " 2e3 ", "", "NA", "nan", "7."], [1.5, 2000.0, None, None, None, 7.0]),
        ("int", ["1", "", "-7", "9007199254740993"], [1, None, -7, 9007199254740993]),
        ("int", ["3.0", "4", "9007199254740993"], [3, 4, 9007199254740993]),
        ("bool", ["true", "False", "1", "0", ""], [True, False, True, False, None]),
        ("category", ["car", "NA", "", " x "], ["car", "NA", None, " x "]),
        ("text", ["5", "é"], ["5", "é"]),
    ],
)
def test_text_becomes_the_declared_type(
    tmp_path: Path, kind: str, values: list[str], expected: list[object]
) -> None:
    assert one_column(tmp_path, kind, values)["x"].to_pylist() == expected


def test_a_float_that_stands_for_two_whole_numbers_is_neither(tmp_path: Path) -> None:
    """9007199254740993 has no float of its own: that of ...992 stands for both."""
    values = ["9007199254740991.0", "-9007199254740991.0"]
    found = one_column(tmp_path, "int", values)["x"].to_pylist()
    assert found == [9007199254740991, -9007199254740991]
    for text in ("9007199254740993.0", "9007199254740992.0", "-9007199254740992.0"):
        with pytest.raises(DataError) as caught:
            one_column(tmp_path, "int", [text])
        assert caught.value.message.endswith(f"column x, row 1: {text!r} is no int")


def test_a_zero_has_no_sign(tmp_path: Path) -> None:
    values = one_column(tmp_path, "float", ["-0", "0", "-0.0"])["x"]
    assert [str(value) for value in values.to_pylist()] == ["0.0", "0.0", "0.0"]


def test_days_and_instants_are_utc(tmp_path: Path) -> None:
    found = one_column(tmp_path, "date", ["2024-06-30", "2024-06-30 12:00:00", ""])["x"]
    instants = [str(value) for value in found.to_pylist()]
    assert instants == ["2024-06-30 00:00:00", "2024-06-30 12:00:00", "None"]


def test_an_instant_of_another_zone_becomes_utc(tmp_path: Path) -> None:
    texts = ["2024-01-01T08:00:00Z", "2024-01-01 08:00:00.5+01:00", "2024-01-01T08:00-0130", ""]
    found = one_column(tmp_path, "date", [*texts, "2024-01-01 00:30:00+01", "2024-01-01"])["x"]
    assert [str(value) for value in found.to_pylist()] == [
        "2024-01-01 08:00:00",
        "2024-01-01 07:00:00.500000",
        "2024-01-01 09:30:00",
        "None",
        "2023-12-31 23:30:00",
        "2024-01-01 00:00:00",
    ]


@pytest.mark.parametrize("kind", ["float", "int", "bool", "category", "text", "date", "id"])
def test_a_parquet_column_without_a_type_has_no_values(tmp_path: Path, kind: str) -> None:
    table = pa.table({"x": pa.nulls(2), "y": [1, 2]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    columns = {"x": {"type": kind}, "y": {"type": "int"}}
    assert read_table(declare("t.parquet", columns), tmp_path)["x"].to_pylist() == [None, None]
    csv_of(tmp_path, "x,y\n,1\n,2\n")
    digests = {digest_of(declare(uri, columns), tmp_path) for uri in ("t.csv", "t.parquet")}
    assert len(digests) == 1


@pytest.mark.parametrize(("kind", "expected"), [("float", 1.5), ("category", "1.5")])
def test_text_in_any_layout_of_arrow_is_text(tmp_path: Path, kind: str, expected: object) -> None:
    values = pa.array(["1.5", "", None], pa.string_view())
    pyarrow.parquet.write_table(pa.table({"x": values}), tmp_path / "t.parquet")
    found = read_table(declare("t.parquet", {"x": {"type": kind}}), tmp_path)
    assert found["x"].to_pylist() == [expected, None, None]


def test_decimals_are_the_floats_of_their_digits_in_every_file(tmp_path: Path) -> None:
    values = [Decimal("3000000000000.07"), Decimal("123456789012.35"), Decimal("0.10"), None]
    table = pa.table({"x": pa.array(values, pa.decimal128(17, 2)), "y": [1, 2, 3, 4]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    columns = {"x": {"type": "float"}, "y": {"type": "int"}}
    digests = {digest_of(declare(uri, columns), tmp_path) for uri in ("t.csv", "t.parquet")}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            "date",
            ["2024-01-01", "2024-13-01T08:00Z"],
            "t.csv: column x, row 2: '2024-13-01T08:00Z' is no date",
        ),
        (
            "date",
            ["0001-01-01T00:00+05:00"],
            "t.csv: column x, row 1: '0001-01-01T00:00+05:00' is outside of the years 1 to 9999",
        ),
        ("float", ["1", "2", "abc", "x"], "t.csv: column x, row 3: 'abc' is no float"),
        ("float", ["1", "inf"], "t.csv: column x, row 2: 'inf' is no float"),
        ("int", ["1", "2.5"], "t.csv: column x, row 2: '2.5' is no int"),
        ("int", ["", "1O"], "t.csv: column x, row 2: '1O' is no int"),
        ("bool", ["yes"], "t.csv: column x, row 1: 'yes' is no bool"),
        ("date", ["2024-06-30", "30.6.2024"], "t.csv: column x, row 2: '30.6.2024' is no date"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_row(
    tmp_path: Path, kind: str, values: list[str], message: str
) -> None:
    csv_of(tmp_path, "\n".join(["x", *(f'"{value}"' for value in values)]) + "\n")
    error = refused(declare("t.csv", {"x": {"type": kind}}), tmp_path)
    assert error.message == message
    assert error.remedy == "correct the value, or the type in spec.columns.x"


def test_a_value_that_names_a_person_is_not_repeated(tmp_path: Path) -> None:
    csv_of(tmp_path, "x\n12\nsecret\n")
    error = refused(declare("t.csv", {"x": {"type": "int", "role": "protected"}}), tmp_path)
    expected = "t.csv: column x, row 2: the value (not shown, its role is protected) is no int"
    assert error.message == expected


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("../t.csv", "the path '../t.csv' does not lie inside the estate"),
        ("/etc/passwd.csv", "the path '/etc/passwd.csv' does not lie inside the estate"),
        ("none.csv", "none.csv: there is no such file"),
        ("directory.csv", "directory.csv: this is no file"),
        ("link.csv", "link.csv: this link leads out of the estate"),
    ],
)
def test_a_path_is_confined_to_the_estate(tmp_path: Path, uri: str, message: str) -> None:
    root = tmp_path / "estate"
    (root / "directory.csv").mkdir(parents=True)
    csv_of(tmp_path, "x\n1\n")
    (root / "link.csv").symlink_to(tmp_path / "t.csv")
    assert refused(declare(uri, {"x": {"type": "int"}}), root).message == message


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    name = "n" * 300 + ".csv"
    error = refused(declare(name, {"x": {"type": "int"}}), tmp_path)
    assert error.message == f"{name}: cannot be read: File name too long"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "t.csv: the file is empty"),
        (b"y\n1\n", "t.csv: column x not found"),
        (b"x,y,x\n1,2,3\n", "t.csv: column x stands in the header 2 times"),
        (b"x,y\n1,2\n3\n", "t.csv: row 2 has 1 values, the header has 2"),
        (b"x\n1\n\xff\xfe\n", "t.csv: line 3 is not UTF-8 text"),
        (b"\xe9\n1\n", "t.csv: line 1 is not UTF-8 text"),
        (b"x\n", "t.csv: there are no rows"),
        (b"x;y\n1;2\n", "t.csv: values are separated by semicolons, not by commas"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    csv_of(tmp_path, content)
    assert refused(declare("t.csv", {"x": {"type": "text"}}), tmp_path).message == message


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    csv_of(tmp_path, "a\n1\n")
    columns = {name: {"type": "int"} for name in ("a", "b", "c")}
    assert refused(declare("t.csv", columns), tmp_path).message == "t.csv: columns b, c not found"


def test_a_mark_of_byte_order_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    csv_of(tmp_path, b"\xef\xbb\xbfx\n1\n")
    table = read_table(declare("t.csv", {"x": {"type": "int"}}), tmp_path)
    assert table["x"].to_pylist() == [1]


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"x\n1\n")
    error = refused(declare("t.parquet", {"x": {"type": "int"}}), tmp_path)
    assert error.message == "t.parquet: this is no Parquet file that can be read"


def test_a_parquet_column_of_a_foreign_type_is_named(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [[1], [2]]}), tmp_path / "t.parquet")
    error = refused(declare("t.parquet", {"x": {"type": "int"}}), tmp_path)
    assert error.message == "t.parquet: column x holds list<element: int64>, which is no int"


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (
            {"type": "float", "missing": "20%"},
            [1.0, None, None, 2.0],
            "column x: 50.00% of the values are missing, accepted are 20.00%",
        ),
        ({"type": "float"}, [None, None, None, None], "column x: all values are missing"),
        (
            {"type": "int", "range": [0.0, 10.0]},
            [1, 11, -1, 5],
            "column x: 2 of 4 rows (50.00%) outside of 0 to 10, first row 2: 11",
        ),
        (
            {"type": "category", "levels": ["a"], "unknown": "refuse"},
            ["a", "b", None, "a"],
            "column x: 1 of 4 rows (25.00%) with an unknown level, first row 2: 'b'",
        ),
    ],
)
def test_an_expectation_that_is_not_met_is_named(
    tmp_path: Path, column: dict[str, Any], values: list[object], message: str
) -> None:
    table = pa.table({"x": pa.array(values, pa.float64() if not any(values) else None)})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    error = refused(declare("t.parquet", {"x": column}), tmp_path)
    assert error.message == f"t.parquet: {message}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 1, 1], "target y: all 3 rows have the same outcome"),
        ([1, None, 0], "target y: 1 of 3 rows (33.33%) without an outcome, first row 2"),
    ],
)
def test_outcomes_must_be_there_and_differ(
    tmp_path: Path, values: list[object], message: str
) -> None:
    pyarrow.parquet.write_table(pa.table({"y": values}), tmp_path / "t.parquet")
    dataset = declare("t.parquet", {"y": {"type": "int"}}, target={"column": "y"})
    assert refused(dataset, tmp_path).message == f"t.parquet: {message}"


def test_a_target_must_be_declared(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [1]}), tmp_path / "t.parquet")
    dataset = declare("t.parquet", {"x": {"type": "int"}}, target={"column": "y"})
    expected = "t.parquet: target y is not declared in spec.columns"
    assert refused(dataset, tmp_path).message == expected


def test_csv_and_parquet_copies_have_one_digest(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: Callable[..., Dataset]
) -> None:
    table = lending()
    found = {kind: digest_of(dataset(table, kind), tmp_path) for kind in ("csv", "parquet")}
    assert found["csv"] == found["parquet"]


def test_compression_chunks_and_dictionaries_do_not_change_the_digest(
    tmp_path: Path, lending: Callable[..., pa.Table], dataset: Callable[..., Dataset]
) -> None:
    table = lending()
    declared = dataset(table)
    before = digest_of(declared, tmp_path)
    place = table.column_names.index("purpose")
    coded = table.set_column(place, "purpose", table["purpose"].dictionary_encode())
    path = tmp_path / declared.source.uri
    pyarrow.parquet.write_table(coded, path, row_group_size=50, compression="none")
    assert digest_of(declared, tmp_path) == before


@pytest.mark.parametrize("change", ["value", "missing", "order", "name"])
def test_any_change_of_content_changes_the_digest(change: str) -> None:
    values, names = [1.0, 2.0, 3.0], ["x"]
    before = logical_digest(pa.table([values], names=names))
    changed: dict[str, pa.Table] = {
        "value": pa.table([[1.0, 2.0, 3.0000000000000004]], names=names),
        "missing": pa.table([[1.0, 2.0, None]], names=names),
        "order": pa.table([[2.0, 1.0, 3.0]], names=names),
        "name": pa.table([values], names=["y"]),
    }
    assert logical_digest(changed[change]) != before


def test_missing_is_not_zero_and_neighbours_do_not_run_together() -> None:
    strings = pa.large_string()
    first = pa.table({"x": pa.array(["ab", "c"], strings)})
    second = pa.table({"x": pa.array(["a", "bc"], strings)})
    assert logical_digest(first) != logical_digest(second)
    zero, none = pa.table({"x": [0.0, 1.0]}), pa.table({"x": [None, 1.0]})
    assert logical_digest(zero) != logical_digest(none)


def test_the_order_of_declarations_changes_nothing(
    tmp_path: Path, dataset: Callable[..., Dataset]
) -> None:
    declared = dataset()
    turned = replace(declared, columns=dict(reversed(declared.columns.items())))
    assert digest_of(turned, tmp_path) == digest_of(declared, tmp_path)


def test_content_that_is_not_the_pinned_one_names_both_digests(tmp_path: Path) -> None:
    csv_of(tmp_path, "x\n1\n2\n")
    columns = {"x": {"type": "int"}}
    actual = digest_of(declare("t.csv", columns), tmp_path)
    pinned = "sha256:" + "0" * 64
    error = refused(declare("t.csv", columns, digest=pinned), tmp_path)
    expected = f"dataset applications: t.csv has the digest {actual}, pinned is {pinned}"
    assert error.message == expected
    assert "`ordain pin applications`" in error.remedy
    read(declare("t.csv", columns, digest=actual), tmp_path)


def test_real_data_have_one_digest_as_csv_and_parquet(
    tmp_path: Path, needs_data: Callable[[str], Path]
) -> None:
    path = needs_data("taiwan_default/taiwan_default.parquet")
    table = pyarrow.parquet.read_table(path)
    pyarrow.csv.write_csv(table, tmp_path / "t.csv")
    texts = {"SEX", "EDUCATION", "MARRIAGE"}
    columns = {
        name: {"type": "category" if name in texts else "int"} for name in table.column_names
    }
    of_csv = digest_of(declare("t.csv", columns), tmp_path)
    assert of_csv == digest_of(declare(path.name, columns), path.parent)
    assert pc.sum(table["default_next_month"]).as_py() == 6636
