"""A check, its answer, and what all checks look at.

Each check is one function from `Surroundings` to an `Answer`. What several of them need (the
repository, the estate) is opened once; where it cannot be had, the reason stands in its place and
every check that needs it says so. None of them raises: see `examination`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ordain.specs.errors import OrdainError
from ordain.specs.findings import blocking
from ordain.specs.trees import find_root, work_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from ordain.reconciler.hooks import Hook
    from ordain.reconciler.source import Source
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.estate import ForgeSettings
    from ordain.vcs.git import Repository
    from ordain.vcs.host import Host, Protection

_T = TypeVar("_T")
_BARE: Final = "a bare repository has no files"


class State(StrEnum):
    """What a check says; `SKIP` is a check that could not look, or was not asked to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen, and what to do about it."""

    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination."""

    name: str
    state: State
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "name": self.name,
            "state": self.state.value,
            "detail": self.detail,
            "remedy": self.remedy,
        }


def ok(detail: str) -> Answer:
    return Answer(State.OK, detail)


def warn(detail: str, remedy: str) -> Answer:
    return Answer(State.WARN, detail, remedy)


def fail(detail: str, remedy: str) -> Answer:
    return Answer(State.FAIL, detail, remedy)


def skip(detail: str, remedy: str = "") -> Answer:
    return Answer(State.SKIP, detail, remedy)


class NotThere(Exception):
    """Something that a check needs cannot be had; it becomes an answer and never reaches a user."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Missing:
    """Why something is not there, and what to do about it."""

    reason: str
    remedy: str = ""


def need(value: _T | Missing) -> _T:
    """The value, or the end of a check that cannot go on without it.

    Raises:
        NotThere: it is missing.
    """
    if isinstance(value, Missing):
        raise NotThere(value.reason, value.remedy)
    return value


def forge_settings(around: Surroundings) -> ForgeSettings:
    """Which forge the estate names.

    Raises:
        NotThere: nobody can say.
    """
    return need(around.source).settings.forge


def desk(around: Surroundings) -> Repository:
    """The repository, if somebody could commit in it.

    Raises:
        NotThere: there is none, or it is bare, as on a server.
    """
    found = need(around.repository)
    if found.bare:
        raise NotThere(_BARE)
    return found


def serving(around: Surroundings) -> tuple[str, str] | None:
    """The protected ref and the root of trust, where this is the repository of a git server.

    Raises:
        NotThere: there is no repository.
    """
    found = need(around.repository)
    if not found.bare:
        return None
    from ordain.reconciler.errors import ServerUnready
    from ordain.reconciler.served import trusted

    try:
        return trusted(found)
    except ServerUnready:
        return None


def hook_of_server(repository: Repository, server: tuple[str, str]) -> Answer:
    """Whether every push to a server is judged."""
    from ordain.reconciler.hooks import SERVER, status

    (hook,) = status(repository, SERVER)
    if hook.state == "ours":
        return ok(f"{hook.name} judges every push to {server[0]}")
    if hook.state == "foreign" and os.access(hook.path, os.X_OK) and _calls(hook):
        message = f"{hook.name} is of somebody else and seems to call ordain ({hook.path})"
        return warn(message, "see that it ends with the code of `ordain hook run pre-receive`")
    message = f"pushes to {server[0]} are not held back: {hook.name} is {hook.state}"
    return fail(f"{message} ({hook.path})", "ordain hook install --server")


def _calls(hook: Hook) -> bool:
    return hook.path.is_file() and f"hook run {hook.name}".encode() in hook.path.read_bytes()


def whole(around: Surroundings) -> LoadedEstate:
    """The estate, if all of it could be read.

    Raises:
        NotThere: there is none, or what is asked about may be among what has errors.
    """
    found = need(around.estate)
    if blocking(found.findings):
        raise NotThere("the estate has errors")
    return found


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that checks look at.

    `package` is where the modules of ordain stand, `bytecode` whether this interpreter keeps what
    it compiled. `settings` are those of git by lower-case name, without what ordain itself
    overrides. `root` holds `ordain.yaml`, and `estate` is loaded from the files there, in a bare
    repository from the newest commit. With `remote` the network may be asked, for `patience`
    seconds.
    """

    directory: Path
    environ: Mapping[str, str]
    now: datetime
    package: Path
    bytecode: bool
    remote: bool
    patience: float
    repository: Repository | Missing
    settings: Mapping[str, str] | Missing
    source: Source | Missing
    root: Path | Missing
    estate: LoadedEstate | Missing
    forge: bool = False
    host: Host | Missing = Missing("the forge was not asked")
    protection: Protection | Missing = Missing("the forge was not asked")


@contextmanager
def look_around(  # noqa: PLR0913 - what is looked at is told apart by name
    directory: Path,
    environ: Mapping[str, str],
    now: datetime,
    *,
    package: Path,
    bytecode: bool,
    remote: bool = False,
    forge: bool = False,
    patience: float = 10.0,
) -> Iterator[Surroundings]:
    """Open what there is, and close it at the end of the `with` block."""
    repository = _tried(lambda: _repository(directory))
    settings: Mapping[str, str] | Missing = Missing("there is no repository")
    source: Source | Missing = Missing("there is no repository")
    if not isinstance(repository, Missing):
        settings = _tried(lambda: _settings(repository))
        source = _tried(lambda: _source(directory, environ))
    bare = not isinstance(repository, Missing) and repository.bare
    root = Missing(_BARE) if bare else _tried(lambda: find_root(directory))
    place = source if bare else root
    estate = place if isinstance(place, Missing) else _tried(lambda: _estate(place))
    unasked = Missing("the forge was not asked")
    host = _tried(lambda: _host(need(source), environ, patience)) if forge else unasked
    protection = _tried(lambda: _protection(need(source), need(host))) if forge else unasked
    try:
        yield Surroundings(
            directory=directory,
            environ=environ,
            now=now,
            package=package,
            bytecode=bytecode,
            remote=remote,
            patience=patience,
            repository=repository,
            settings=settings,
            source=source,
            root=root,
            estate=estate,
            forge=forge,
            host=host,
            protection=protection,
        )
    finally:
        if not isinstance(repository, Missing):
            repository.close()
        if not isinstance(source, Missing):
            source.repository.close()


def _tried(make: Callable[[], _T]) -> _T | Missing:
    try:
        return make()
    except OrdainError as error:
        return Missing(error.message, error.remedy)
    except NotThere as error:
        return Missing(str(error), error.remedy)
    except OSError as error:
        return Missing(str(error), "check that it exists and is yours")
    except ImportError as error:
        return Missing(f"a library cannot be loaded: {error}", "see the packages above")


# These import where they are used: whatever is broken, the checks of the machine must still run.


def _repository(directory: Path) -> Repository:
    from ordain.vcs.git import Repository

    return Repository.open(directory)


def _source(directory: Path, environ: Mapping[str, str]) -> Source:
    from ordain.reconciler.source import open_source

    return open_source(directory, environ)


def _host(source: Source, environ: Mapping[str, str], patience: float) -> Host:
    from ordain.reconciler.hosts import open_for
    from ordain.vcs.forges.timed import Limits

    settings, remote = source.settings.forge, source.forge.remote
    address = "" if remote is None else source.repository.remotes()[remote]
    limits = Limits(connect=patience, silence=patience, whole=2 * patience)
    return open_for(settings, address, environ, limits)


def _protection(source: Source, host: Host) -> Protection:
    return host.protection(source.settings.protected_branch)


def _settings(repository: Repository) -> dict[str, str]:
    """Git's settings as the user has them; the last one of a name is in force."""
    answer = repository.ask("config", "--list", "--show-scope", "-z")
    fields = answer.out.decode("utf-8", "replace").split("\0")[:-1]
    found: dict[str, str] = {}
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        name, has_value, value = entry.partition("\n")
        if scope != "command":
            # A name without a value is git's way to say yes.
            found[name] = value if has_value else "true"
    return found


def _estate(place: Path | Source) -> LoadedEstate:
    """What the files declare, or the newest commit where there are no files."""
    from ordain.specs.estates import load_estate

    if isinstance(place, Path):
        return load_estate(work_tree(place))
    return load_estate(place.tree(place.repository.resolve("HEAD")))
