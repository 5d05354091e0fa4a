"""What it costs to get a table out of PostgreSQL, beside SQLAlchemy, psycopg and pandas.

150,000 rows of 25 columns (a key, numbers, whole numbers, categories, dates), read to the declared
types: ours as cast Arrow batches, in order and in a transaction that can only read; the peer with
`pandas.read_sql`, which gives no order and casts nothing. Processor time of the reading process;
the time of the server is the same for both but for our sorting.

    python bench/sources.py [ROWS]

Without the programs of a PostgreSQL server it says so and measures nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from _peers import environment

from ordain.runtime.datasets.casting import cast_batches
from ordain.runtime.datasets.sources import open_rows
from ordain.specs.kinds import kind_validator

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from postgres import Postgres, running_postgres

KINDS = (("float8", "float"), ("int8", "int"), ("text", "category"), ("date", "date"))
ROUNDS = 3
PEER = """
import json, sys, time
import pandas, sqlalchemy
engine = sqlalchemy.create_engine(sys.argv[1])
best = None
for _ in range(int(sys.argv[2])):
    cpu, wall = time.process_time(), time.perf_counter()
    rows = len(pandas.read_sql("SELECT * FROM loans", engine))
    spent = [time.process_time() - cpu, time.perf_counter() - wall, rows]
    best = spent if best is None else min(best, spent)
print(json.dumps(best))
"""


def fill(server: Postgres, rows: int) -> dict[str, str]:
    """The table; returns the declared types of its columns."""
    made = {
        "float8": "random() * 1000",
        "int8": "(random() * 1000000)::int8",
        "text": "(ARRAY['car', 'home', 'boat', 'school'])[1 + (random() * 3)::int]",
        "date": "'2024-01-01'::date + (random() * 700)::int",
    }
    columns, types = ["i::int8 AS loan"], {"loan": "id"}
    for place in range(24):
        sql, declared = KINDS[place % len(KINDS)]
        columns.append(f"{made[sql]} AS c{place}")
        types[f"c{place}"] = declared
    rows_of = f"SELECT {', '.join(columns)} FROM generate_series(1, {rows}) AS i"  # noqa: S608
    server.run(f"CREATE TABLE loans AS {rows_of}")
    return types


def ours(server: Postgres, types: dict[str, str], root: Path) -> tuple[float, float, int]:
    (root / "loans.sql").write_text("SELECT * FROM loans")
    source = {"type": "postgres", "query": "loans.sql", "dsnFrom": "DSN", "orderBy": ["loan"]}
    columns = {name: {"type": kind} for name, kind in types.items()}
    declared = kind_validator("Dataset").validate_python({"source": source, "columns": columns})
    processor, wall = time.process_time(), time.perf_counter()
    with open_rows("loans", declared, root, {"DSN": server.dsn}) as rows:
        count = sum(batch.num_rows for batch in cast_batches(declared, rows.batches()))
    return time.process_time() - processor, time.perf_counter() - wall, count


def theirs(server: Postgres) -> tuple[float, float, int]:
    python = environment("pandas", "sqlalchemy", "psycopg[binary]")
    address = server.dsn.replace("postgresql://", "postgresql+psycopg://")
    command = (str(python), "-c", PEER, address, str(ROUNDS))
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    processor, wall, count = json.loads(ran.stdout)
    return processor, wall, count


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150_000
    with running_postgres() as server, tempfile.TemporaryDirectory() as directory:
        types = fill(server, count)
        root = Path(directory)
        # The first round loads the libraries, as it does for the peer.
        here = min(ours(server, types, root) for _ in range(ROUNDS))
        there = theirs(server)
    assert here[2] == there[2] == count
    print(f"{count:,} rows of {len(types)} columns from PostgreSQL, best of {ROUNDS}")
    for name, (processor, wall, _) in (("ordain", here), ("pandas", there)):
        print(f"  {name:8} {processor:6.2f} s of processor  {wall:6.2f} s")
    print(f"ratio of processor time, pandas to ordain: {there[0] / here[0]:.1f}")


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as missing:
        print(f"not measured: {missing}")
