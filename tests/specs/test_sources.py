"""What a source lacks, has too much or contradicts is found where it stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

SOURCE = "{type: csv, uri: data/applications.csv}"
DATABASE = "query: q.sql, dsnFrom: DSN, orderBy: [applicant]"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{type: postgres, query: q.sql, orderBy: [applicant]}",
            [
                (
                    "SPEC125 dataset.yaml:5:3 error: a source of the type postgres needs "
                    "`dsnFrom` | name the environment variable that holds the connection string"
                )
            ],
        ),
        (
            "{type: mysql, dsnFrom: DSN}",
            [
                (
                    "SPEC125 dataset.yaml:5:3 error: a source of the type mysql needs `orderBy` | "
                    "name columns that together are a key"
                ),
                (
                    "SPEC125 dataset.yaml:5:3 error: a source of the type mysql needs `query` | "
                    "name a file in the estate that holds one SELECT"
                ),
            ],
        ),
        (
            "{type: s3}",
            [
                (
                    "SPEC125 dataset.yaml:5:3 error: a source of the type s3 needs `uri` | "
                    "say where the rows are"
                )
            ],
        ),
        (
            "{type: csv, uri: data/a.csv, query: q.sql}",
            [
                (
                    "SPEC126 dataset.yaml:5:47 error: a source of the type csv does not use "
                    "`query` | remove it, or correct the type"
                )
            ],
        ),
        (
            "{type: parquet, uri: data/a.parquet, format: csv}",
            [
                (
                    "SPEC126 dataset.yaml:5:56 error: a source of the type parquet does not use "
                    "`format` | remove it, or correct the type"
                )
            ],
        ),
        (
            f"{{type: postgres, uri: 'postgres://reader:hunter2@db.example.org/risk', {DATABASE}}}",
            [
                (
                    "SPEC127 dataset.yaml:5:33 error: the address of a source holds a password or "
                    "a key | change that password now, and keep the new one in an environment "
                    "variable"
                )
            ],
        ),
        (
            "{type: s3, uri: data/a.csv}",
            [
                (
                    "SPEC128 dataset.yaml:5:27 error: a source of the type s3 is at s3://… | "
                    "correct `uri`, or the type"
                )
            ],
        ),
        (
            "{type: csv, uri: 's3://risk/a.csv'}",
            [
                (
                    "SPEC128 dataset.yaml:5:28 error: a source of the type csv is a file in the "
                    "estate | give its path from the root"
                )
            ],
        ),
        *(
            (
                f"{{type: {kind}, uri: {path}}}",
                [
                    (
                        f"SPEC128 dataset.yaml:5:{25 + len(kind)} error: `{path}` leads out of "
                        "the estate | give its path from the root"
                    )
                ],
            )
            for kind, path in (
                ("csv", "/etc/passwd"),
                ("parquet", "data/../../x.parquet"),
                ("delta", "/tables/loans"),
            )
        ),
        (
            "{type: s3, uri: 's3://risk/a'}",
            [
                (
                    "SPEC129 dataset.yaml:5:27 error: the name does not say whether this is CSV or "
                    "Parquet | add `format`"
                )
            ],
        ),
        (
            "{type: delta, uri: tables/a, version: newest}",
            [
                (
                    "SPEC129 dataset.yaml:5:49 error: `newest` is no version of a Delta table | "
                    "write a whole number"
                )
            ],
        ),
        (
            "{type: dvc, uri: data/a.csv}",
            [
                (
                    "SPEC129 dataset.yaml:5:28 error: a DVC pointer is a file whose name ends in "
                    ".dvc | name the file that `dvc add` wrote"
                )
            ],
        ),
        (
            "{type: postgres, query: q.sql, dsnFrom: DSN, orderBy: [aplicant]}",
            [
                (
                    "REF003 dataset.yaml:5:66 error: there is no column `aplicant` | "
                    "did you mean `applicant`?"
                )
            ],
        ),
    ],
)
def test_a_source_that_cannot_be_read_is_found_before_anybody_reads_it(
    check: Check, edit: Edit, source: str, expected: list[str]
) -> None:
    assert sorted(check(edit("dataset", SOURCE, source))) == expected


@pytest.mark.parametrize(
    "source",
    [
        f"{{type: postgres, {DATABASE}}}",
        f"{{type: postgres, uri: 'postgres://db.example.org/risk', {DATABASE}}}",
        f"{{type: mysql, uri: 'mariadb://db.example.org', {DATABASE}}}",
        "{type: s3, uri: 's3://risk/a.PARQUET', version: abc}",
        "{type: azure, uri: 'abfss://risk@account.dfs.core.windows.net/a', format: csv}",
        "{type: gcs, uri: 'gs://risk/a.csv'}",
        "{type: delta, uri: tables/a, version: '3'}",
        "{type: delta, uri: 's3://risk/table'}",
        "{type: dvc, uri: data/a.csv.dvc}",
    ],
)
def test_a_source_that_says_all_is_accepted(check: Check, edit: Edit, source: str) -> None:
    assert check(edit("dataset", SOURCE, source)) == []
