"""What commands share: the estate they work on, the clock, the stores."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.gating import Side
    from ordain.reconciler.passes import Reconciler
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.runtime.artifacts import ArtifactStore


def now() -> datetime:
    """The wall clock; the only place of the command line that reads it."""
    return datetime.now(tz=UTC)


class Session:
    """An opened estate with its stores.

    The state store is opened when it is asked for: an examiner verifies a record on a disk that
    cannot be written.
    """

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self.source = source
        self.ledger = ledger

    @cached_property
    def state(self) -> StateStore:
        """What the reconciler remembers."""
        from ordain.reconciler.state import StateStore

        return StateStore(self.source.home.state)

    def close(self) -> None:
        """Let go of whatever was opened."""
        if "state" in self.__dict__:
            self.state.close()
        self.source.repository.close()

    @property
    def artifacts(self) -> ArtifactStore:
        """The artifact store of this machine."""
        from ordain.runtime.artifacts import ArtifactStore

        return ArtifactStore(self.source.home.artifacts)

    def in_force(self) -> Side:
        """The estate that production follows: the last good commit, or the tip before any pass."""
        from ordain.reconciler.gating import read_side

        return read_side(self.source, self.state.get("good") or self.source.head())


def reconciler_of(
    session: Session, tell: Callable[[str], None], *, retry_after: timedelta = timedelta()
) -> Reconciler:
    """The reconciler of an opened estate, with the hands of this machine."""
    from ordain.reconciler.drivers import LocalDriver
    from ordain.reconciler.passes import Reconciler

    source = session.source
    driver = LocalDriver(source.home, now)
    return Reconciler(
        source, session.state, session.ledger, driver, now, tell, retry_after=retry_after
    )


@contextmanager
def open_session(directory: Path) -> Iterator[Session]:
    """Open the estate of a directory, its state and its record; close them at the end."""
    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    session = Session(source, Ledger(source.home.ledger))
    try:
        yield session
    finally:
        session.close()


def mention_dirty(source: Source, revision: str) -> None:
    """Say that files differ from the commit that a command looks at."""
    dirty = dirty_files(source, revision)
    if dirty:
        click.echo(f"note: {differ(dirty)}, which is what is looked at", err=True)


def dirty_files(source: Source, revision: str) -> tuple[str, ...]:
    """The files that differ from what is looked at, where somebody may think otherwise."""
    return source.repository.dirty_paths() if revision == "HEAD" else ()


def differ(dirty: Sequence[str]) -> str:
    """How many files differ, in words."""
    number = "1 file differs" if len(dirty) == 1 else f"{len(dirty)} files differ"
    return f"{number} from the newest commit"
