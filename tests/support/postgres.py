"""A PostgreSQL server of the tests' own, without a system service."""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from servers import account, free_port, home_of, program

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
PASSWORD = "correct horse"
QUIET: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
}


@dataclass(frozen=True)
class Postgres:
    port: int

    @property
    def dsn(self) -> str:
        return f"postgresql://owner:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        """Each in a transaction of its own, as the owner of everything."""
        from adbc_driver_postgresql import dbapi

        with (
            closing(dbapi.connect(self.dsn, autocommit=True)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    initdb, control = (program(name, *DIRECTORIES) for name in ("initdb", "pg_ctl"))
    owner = account("postgres")
    with home_of(owner) as home:
        words = home / "password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        data, port = str(home / "data"), free_port()
        here: dict[str, Any] = {**QUIET, **owner, "cwd": home}
        make = ("-U", "owner", "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256")
        subprocess.run([initdb, "-D", data, "-N", *make, f"--pwfile={words}"], check=True, **here)
        options = f"-p {port} -h 127.0.0.1 -k {home} -F -c shared_buffers=16MB"
        start = ("-D", data, "-l", str(home / "log"), "-o", options, "-w", "start")
        subprocess.run([control, *start], check=True, **here)
        try:
            yield Postgres(port)
        finally:
            subprocess.run(
                [control, "-D", data, "-m", "immediate", "-w", "stop"], check=True, **here
            )
