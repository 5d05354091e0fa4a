"""Where an estate keeps what is not in git: state, artifacts, records, running processes, keys.

It lies outside the work tree, because nothing in it may be committed by accident and a fresh clone
of the estate on the same machine is the same estate. The root commit names it: paths and remotes
change, the first commit does not.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ordain.reconciler.errors import Busy, KeyMissing, StateDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one estate and the places in it."""

    root: Path

    @property
    def state(self) -> Path:
        """The SQLite state store."""
        return self.root / "state.db"

    @property
    def artifacts(self) -> Path:
        """Artifacts by digest."""
        return self.root / "artifacts"

    @property
    def ledger(self) -> Path:
        """The ledger of events and predictions."""
        return self.root / "ledger"

    @property
    def verdicts(self) -> Path:
        """Records of verdicts, each under its digest, which the ledger names."""
        return self.root / "verdicts"

    @property
    def keys(self) -> Path:
        """Private keys of this machine."""
        return self.root / "keys"

    @property
    def values(self) -> Path:
        """What files of the estate say, from runs before."""
        return self.root / "values.json"

    @property
    def signatures(self) -> Path:
        """Which key has signed which commit, from runs before."""
        return self.root / "signatures.json"

    def job(self, recipe: str) -> Path:
        """Where the training run of a recipe works."""
        return self.root / "jobs" / recipe.removeprefix("sha256:")[:32]

    def validation(self, key: str) -> Path:
        """Where the validation of an artifact works."""
        return self.root / "validations" / key.removeprefix("sha256:")[:32]

    @property
    def previews(self) -> Path:
        """Everything unsigned: what `ordain train` and `ordain serve --local` work on.

        Its artifacts are kept apart from those of the estate. What production may serve is looked
        for in the other store alone, so that no mistake can put a preview in force.
        """
        return self.root / "previews"

    @property
    def preview_artifacts(self) -> Path:
        """Artifacts of unsigned previews by digest."""
        return self.previews / "artifacts"

    @property
    def preview_server(self) -> Path:
        """Where the server of unsigned previews has its files, and a record of its own."""
        return self.previews / "serving"

    def preview(self, recipe: str) -> Path:
        """Where the preview of a recipe is trained, and what came of it."""
        return self.previews / recipe.removeprefix("sha256:")[:32]

    def server(self, environment: str) -> Path:
        """Where the serving processes of an environment have their files."""
        return self.root / "run" / environment

    def turn(self, environment: str) -> Path:
        """The lock of whoever changes what an environment serves."""
        return self.root / "turns" / environment

    def key(self, person: str) -> Path:
        """The private key of a person, or of the reconciler.

        Raises:
            KeyMissing: there is none.
        """
        path = self.keys / person
        if not path.is_file():
            message = f"there is no private key for {person} at {path}"
            raise KeyMissing(message, remedy="give the key's file with --key")
        return path


def home_of(root_commit: str, environ: Mapping[str, str]) -> Home:
    """The home of the estate whose history begins at `root_commit`; nothing is created.

    `ORDAIN_HOME` names the directory of all estates, otherwise the user's data directory does.
    """
    base = environ.get("ORDAIN_HOME")
    if base is None:
        data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")) / ".local/share")
        base = str(Path(data).expanduser() / "ordain")
    return Home(Path(base).absolute() / root_commit[:16])


@contextmanager
def sole_reconciler(home: Home) -> Iterator[None]:
    """Hold the estate alone; two reconcilers would train and propose twice.

    Raises:
        Busy: another process holds it.
        StateDamaged: the home cannot be written.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(
            home.root / "reconciler.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        message = f"{home.root} cannot be written: {error.strerror}"
        raise StateDamaged(message, remedy="make it writable, or set ORDAIN_HOME") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another reconciler works on this estate ({home.root})"
            raise Busy(message, remedy="wait for it, or stop it") from error
        yield
    finally:
        os.close(handle)
