"""A MariaDB (or MySQL) server of the tests' own, without a system service."""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from servers import account, free_port, home_of, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIRECTORIES = ("/usr/sbin", "/usr/local/sbin")
PASSWORD = "correct:horse/battery"
QUOTED = "correct%3Ahorse%2Fbattery"


@dataclass(frozen=True)
class MariaDB:
    port: int

    @property
    def dsn(self) -> str:
        return f"mysql://owner:{QUOTED}@127.0.0.1:{self.port}/estate"

    def run(self, *statements: str) -> None:
        import pymysql

        with (
            closing(
                pymysql.connect(
                    host="127.0.0.1",
                    port=self.port,
                    user="owner",
                    password=PASSWORD,
                    database="estate",
                    charset="utf8mb4",
                    autocommit=True,
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def running_mariadb() -> Iterator[MariaDB]:
    install, server = program("mariadb-install-db"), program("mariadbd", *DIRECTORIES)
    owner = account("mysql")
    with home_of(owner) as home:
        port = free_port()
        first = home / "first.sql"
        first.write_text(
            "CREATE DATABASE estate CHARACTER SET utf8mb4;\n"
            f"CREATE USER owner@'%' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO owner@'%';\n"
        )
        first.chmod(0o644)
        subprocess.run(
            [install, "--no-defaults", f"--datadir={home / 'data'}", "--skip-test-db"],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            **owner,
        )
        with subprocess.Popen(
            _command(server, home, port, first),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            **owner,
        ) as process:
            try:
                _wait(process)
                yield MariaDB(port)
            finally:
                process.kill()


def _command(server: str, home: Path, port: int, first: Path) -> list[str]:
    return [
        server,
        "--no-defaults",
        f"--datadir={home / 'data'}",
        f"--socket={home / 'socket'}",
        f"--pid-file={home / 'pid'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        f"--init-file={first}",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=16M",
    ]


def _wait(process: subprocess.Popen[str]) -> None:
    """Until it listens, which it says; a server that ends instead has said why."""
    said: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if "ready for connections" in line:
            return
    pytest.fail(f"the server did not start: {''.join(said)}")
