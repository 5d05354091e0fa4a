"""Every attempt at a training or a validation, kept beside it: what began when, and how it ended.

The newest attempt stands in the directory of the job itself, where a restarted reconciler looks for
its result; when the next one begins, its files move to `attempts/NNN`. What an attempt was given
and what it made is in its own files already (order, result, evidence, resources, log), so
`run.json` holds only what they cannot: its number, when it began and ended by the clock of whoever
ran it, and how. None of it is in the artifact, which must come out the same at any time.

A database of runs was refused: it could tell another story than the files, and a directory can be
copied to whoever is to look at it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.training.order import EVIDENCE, JOB, RESOURCES, RESULT, TRIALS
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ordain.specs.errors import OrdainError

FORMAT: Final = "ordain.run/1"
RUN: Final = "run.json"
LOG: Final = "log"
# What a validation writes where a training writes evidence.
VALIDATION: Final = "validation.json"
PAGE: Final = "report.html"
EARLIER: Final = "attempts"
# A daemon tries a broken recipe again for as long as nobody mends it.
KEPT: Final = 20
CANCELLED: Final = "RUN154"
_PRIVATE: Final = 0o600
_UNFINISHED: Final = ".new-*"
# What an attempt leaves; what is written down of it comes last.
FILES: Final = (JOB, EVIDENCE, VALIDATION, RESULT, RESOURCES, TRIALS, LOG, PAGE, RUN)

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What is written down of an attempt; times are ISO 8601 in UTC.

    `champion` is the artifact that its evidence compares with.
    """

    attempt: int
    model: str
    recipe: str
    preview: bool
    champion: str | None
    started: str
    ended: str | None = None
    state: State = "running"
    error: dict[str, str] | None = None

    def write(self, directory: Path) -> None:
        """Write `run.json`, whole or not at all."""
        plain = {"format": FORMAT, **asdict(self)}
        write_atomically(directory / RUN, canonical_json(plain), mode=_PRIVATE)


def read_run(directory: Path) -> Begun | None:
    """What is written down of the attempt in this directory; None where nothing can be read."""
    try:
        raw = json.loads((directory / RUN).read_bytes())
        raw.pop("trials", None)  # What older versions wrote down, and never filled.
        return Begun(**raw) if raw.pop("format") == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def begin(
    directory: Path,
    now: datetime,
    *,
    model: str,
    recipe: str,
    preview: bool,
    champion: str | None,
) -> Begun:
    """Set the attempt before aside and write down that a new one begins.

    Whoever calls it holds the lock of the directory.
    """
    number = _set_aside(directory) + 1
    begun = Begun(
        attempt=number,
        model=model,
        recipe=recipe,
        preview=preview,
        champion=champion,
        started=_text(now),
    )
    begun.write(directory)
    return begun


def end(directory: Path, begun: Begun, now: datetime, error: OrdainError | None) -> None:
    """Write down how an attempt ended; without an error its result tells."""
    _sweep(directory)
    state, why = ("failed", _plain(error)) if error is not None else _by_result(directory)
    replace(begun, ended=_text(now), state=state, error=why).write(directory)


def cancel(directory: Path, begun: Begun, now: datetime) -> None:
    """Write down that an attempt was cancelled, unless its result was there already."""
    _sweep(directory)
    state, why = _by_result(directory)
    if state != "done":
        (directory / RESULT).unlink(missing_ok=True)
        why = {"code": CANCELLED, "message": "cancelled", "remedy": "run it again"}
        state = "cancelled"
    replace(begun, ended=_text(now), state=state, error=why).write(directory)


def settle(directory: Path, clock: Callable[[], datetime]) -> None:
    """Write down the end of an attempt whose starter was killed; the lock says that it is over."""
    begun = read_run(directory)
    if begun is not None and begun.state == "running":
        _sweep(directory)
        state, why = _by_result(directory)
        replace(begun, ended=_text(clock()), state=state, error=why).write(directory)


def _by_result(directory: Path) -> tuple[State, dict[str, str] | None]:
    """How an attempt ended by what it left."""
    return outcome_of(read_json(directory / RESULT))


def outcome_of(result: dict[str, Any] | None) -> tuple[State, dict[str, str] | None]:
    """The state that a result speaks of; none at all is a failure."""
    if result is None:
        lost = "the process ended without a result, and nobody saw why"
        return "failed", {"code": "REC007", "message": lost, "remedy": "read its log"}
    error = result.get("error")
    if error is None:
        return "done", None
    return ("cancelled" if error["code"] == CANCELLED else "failed"), error


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None where there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def earlier(directory: Path) -> list[Path]:
    """The directories of the attempts before the newest one, oldest first."""
    place = directory / EARLIER
    found = [one for one in place.iterdir() if one.name.isdigit()] if place.is_dir() else []
    return sorted(found, key=lambda one: int(one.name))


def _set_aside(directory: Path) -> int:
    """Move the files of the newest attempt away and give its number, 0 where there is none.

    `run.json` goes last: until then a second call goes on where a first one was killed.
    """
    before = earlier(directory)
    highest = int(before[-1].name) if before else 0
    present = [name for name in FILES if (directory / name).exists()]
    if not present:
        return highest
    known = read_run(directory)
    number = highest + 1 if known is None else known.attempt
    place = directory / EARLIER / f"{number:03}"
    place.mkdir(parents=True, exist_ok=True)
    for name in present:
        (directory / name).replace(place / name)
    for old in earlier(directory)[:-KEPT]:
        shutil.rmtree(old)
    return max(highest, number)


def _sweep(directory: Path) -> None:
    """Remove what a process had begun to write when it ended."""
    for path in directory.glob(_UNFINISHED):
        path.unlink(missing_ok=True)


def _plain(error: OrdainError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
