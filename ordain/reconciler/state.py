"""What the reconciler remembers between passes, in SQLite with a write-ahead log.

Nothing in here is the truth: git, the artifact store and the ledger are, and everything but the
routing keys can be found again from them. It is written before and after every step, so that a
killed reconciler knows where it was, and people can see what it did.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ordain.reconciler.errors import StateDamaged
from ordain.reconciler.outcomes import Outcome, Validated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

SCHEMA_VERSION = "2"
_REBUILT = "moved away, it is rebuilt from git, and routing keys must be made again"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS passes (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, ended TEXT, revision TEXT NOT NULL,
    result TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE IF NOT EXISTS steps (
    pass INTEGER NOT NULL REFERENCES passes(id), position INTEGER NOT NULL, stage TEXT NOT NULL,
    state TEXT NOT NULL, started TEXT, ended TEXT, detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (pass, position)) STRICT;
CREATE TABLE IF NOT EXISTS models (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, since TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outcomes (
    recipe TEXT PRIMARY KEY, model TEXT NOT NULL, result TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS validations (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, result TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS routing_keys (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, routes TEXT NOT NULL, created TEXT NOT NULL,
    revoked TEXT) STRICT;
"""


def glance(path: Path, key: str) -> str | None:
    """A remembered fact, without opening the store for writing; None where none can be read."""
    # Without a log beside it nothing is being written, and "immutable" makes no log either.
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)) as database:
            row = database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


@dataclass(frozen=True, slots=True)
class RoutingKey:
    """A key that may call routes; only its hash is kept."""

    id: str
    sha256: str
    routes: tuple[str, ...]
    created: str
    revoked: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a pass and how it went: waiting, running, done, skipped or failed."""

    position: int
    stage: dict[str, Any]
    state: str
    started: str | None
    ended: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Pass:
    """One reconcile pass: running, done, refused, failed or interrupted."""

    id: int
    started: str
    ended: str | None
    revision: str
    result: str
    detail: str


class StateStore:
    """The state of one estate. Every method is one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        try:
            self._prepare()
        except StateDamaged:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """Make the tables where they are missing, and refuse those of another version."""
        with self._errors():
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
        found = self.get("schema")
        if found != SCHEMA_VERSION:
            message = f"{self._path} was written by another version of ordain (schema {found})"
            raise StateDamaged(message, remedy=f"use that version; {_REBUILT}")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            message = f"the state store {self._path} failed: {error}"
            remedy = f"check space and permissions; {_REBUILT}"
            raise StateDamaged(message, remedy=remedy) from error

    def _run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - SQL values
        with self._errors():
            return self._db.execute(sql, values).fetchall()

    # Facts

    def get(self, key: str) -> str | None:
        """A remembered fact."""
        rows = self._run("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def put(self, key: str, value: str) -> None:
        """Remember a fact."""
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def drop(self, key: str) -> None:
        """Forget a fact."""
        self._run("DELETE FROM meta WHERE key = ?", key)

    # Passes and their steps

    def begin_pass(self, revision: str, now: datetime) -> int:
        """Open a pass; one that was left running was interrupted."""
        self._run("UPDATE steps SET state = 'interrupted' WHERE state = 'running'")
        self._run("UPDATE passes SET result = 'interrupted' WHERE result = 'running'")
        rows = self._run(
            "INSERT INTO passes (started, revision, result) VALUES (?, ?, 'running') RETURNING id",
            now.isoformat(),
            revision,
        )
        return int(rows[0][0])

    def end_pass(self, number: int, result: str, detail: str, now: datetime) -> None:
        """Close a pass."""
        self._run(
            "UPDATE passes SET ended = ?, result = ?, detail = ? WHERE id = ?",
            now.isoformat(),
            result,
            detail,
            number,
        )

    def drop_pass(self, number: int, now: datetime) -> None:
        """Keep of a pass that had nothing to do only that it was; a row a minute helps nobody."""
        self._run("DELETE FROM passes WHERE id = ?", number)
        self.put("checked", now.isoformat())

    def last_pass(self) -> Pass | None:
        """The newest pass."""
        rows = self._run(
            "SELECT id, started, ended, revision, result, detail FROM passes"
            " ORDER BY id DESC LIMIT 1"
        )
        return Pass(*rows[0]) if rows else None

    def write_step(
        self,
        number: int,
        position: int,
        stage: dict[str, Any],
        state: str,
        now: datetime,
        detail: str = "",
    ) -> None:
        """Record a step before (`running`) and after (anything else) it is carried out."""
        column = "started" if state in {"waiting", "running"} else "ended"
        self._run(
            f"INSERT INTO steps (pass, position, stage, state, {column}, detail)"  # noqa: S608 - a constant
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (pass, position)"
            f" DO UPDATE SET state = excluded.state, {column} = excluded.{column},"
            " detail = excluded.detail",
            number,
            position,
            json.dumps(stage, sort_keys=True),
            state,
            now.isoformat(),
            detail,
        )

    def steps(self, number: int) -> tuple[Step, ...]:
        """The steps of a pass in their order."""
        rows = self._run(
            "SELECT position, stage, state, started, ended, detail FROM steps"
            " WHERE pass = ? ORDER BY position",
            number,
        )
        return tuple(Step(row[0], json.loads(row[1]), *row[2:]) for row in rows)

    # Models, outcomes

    def models(self) -> dict[str, str]:
        """Every model that was ever seen, and whether it is active or retired."""
        rows = self._run("SELECT name, state FROM models")
        return {str(name): str(state) for name, state in rows}

    def put_model(self, name: str, state: str, now: datetime) -> None:
        """Record that a model is active or retired; `since` is kept while the state stays."""
        self._run(
            "INSERT INTO models VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
            " since = CASE state WHEN excluded.state THEN since ELSE excluded.since END,"
            " state = excluded.state",
            name,
            state,
            now.isoformat(),
        )

    def outcomes(self, *, failed_since: datetime | None = None) -> dict[str, Outcome]:
        """The result of every training run that ended, by recipe.

        A run that failed counts only if it did so after `failed_since`: what broke may be mended.
        """
        since = "" if failed_since is None else failed_since.isoformat()
        rows = self._run("SELECT recipe, result, at FROM outcomes")
        found = ((recipe, Outcome.from_json(json.loads(text)), at) for recipe, text, at in rows)
        return {
            recipe: outcome
            for recipe, outcome, at in found
            if outcome.fate != "broken" or at > since
        }

    def put_outcome(self, recipe: str, model: str, outcome: Outcome, now: datetime) -> None:
        """Record how a training run ended."""
        self._run(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)",
            recipe,
            model,
            json.dumps(outcome.to_json(), sort_keys=True),
            now.isoformat(),
        )

    def validations(self, *, failed_since: datetime | None = None) -> dict[str, Validated]:
        """The result of every validation that ended, by its key; see `outcomes`."""
        since = "" if failed_since is None else failed_since.isoformat()
        rows = self._run("SELECT key, result, at FROM validations")
        found = ((key, Validated.from_json(json.loads(text)), at) for key, text, at in rows)
        return {key: one for key, one, at in found if one.fate != "broken" or at > since}

    def put_validation(self, key: str, model: str, found: Validated, now: datetime) -> None:
        """Record how a validation ended."""
        self._run(
            "INSERT OR REPLACE INTO validations VALUES (?, ?, ?, ?)",
            key,
            model,
            json.dumps(found.to_json(), sort_keys=True),
            now.isoformat(),
        )

    # Routing keys

    def routing_keys(self) -> tuple[RoutingKey, ...]:
        """Every routing key, revoked ones too."""
        rows = self._run(
            "SELECT id, sha256, routes, created, revoked FROM routing_keys ORDER BY created, id"
        )
        return tuple(RoutingKey(r[0], r[1], tuple(json.loads(r[2])), r[3], r[4]) for r in rows)

    def add_routing_key(self, key: RoutingKey) -> None:
        """Keep the hash of a new key."""
        self._run(
            "INSERT INTO routing_keys (id, sha256, routes, created) VALUES (?, ?, ?, ?)",
            key.id,
            key.sha256,
            json.dumps(key.routes),
            key.created,
        )

    def revoke_routing_key(self, identifier: str, now: datetime) -> bool:
        """Revoke a key; False when there is no such key in force."""
        rows = self._run(
            "UPDATE routing_keys SET revoked = ? WHERE id = ? AND revoked IS NULL RETURNING id",
            now.isoformat(),
            identifier,
        )
        return bool(rows)
