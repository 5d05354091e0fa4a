"""Every run of this machine: of the reconciler and of previews, whatever became of it.

A run is an attempt at a recipe. It is read from the files that it left, newest first; a run that
nobody saw the end of is told by the lock of its directory. Its id is the beginning of the recipe
and the number of the attempt, with a `p` for a preview: `3fa2c91b04-2`, `3fa2c91b04-p1`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ordain.policies.acceptance import Case, accept
from ordain.reconciler import attempts
from ordain.reconciler.attempts import read_json, read_run
from ordain.reconciler.errors import RunUnknown
from ordain.reconciler.jobs import idle, is_running
from ordain.runtime.training.order import EVIDENCE, JOB, RESOURCES, RESULT, TRIALS
from ordain.specs.canonical import sha256
from ordain.specs.evidence import EvidenceError, evidence_path, read_evidence
from ordain.specs.findings import Location
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ordain.reconciler.attempts import Begun, State
    from ordain.reconciler.home import Home
    from ordain.specs.evidence import Evidence
    from ordain.specs.findings import Finding

_SHORT = 10


@dataclass(frozen=True)
class Run:
    """One attempt and the directory that it left.

    `newest` says that it is the last one of its recipe.
    """

    begun: Begun
    directory: Path
    newest: bool

    @property
    def id(self) -> str:
        """The name of the run on this machine."""
        short = self.begun.recipe.removeprefix("sha256:")[:_SHORT]
        return f"{short}-{'p' if self.begun.preview else ''}{self.begun.attempt}"

    @cached_property
    def state(self) -> State:
        """How it ended, or that it goes on."""
        return self._ended[0]

    @property
    def error(self) -> dict[str, str] | None:
        """Why it has no result: code, message and remedy."""
        return self._ended[1]

    @cached_property
    def _ended(self) -> tuple[State, dict[str, str] | None]:
        if self.begun.state != "running":
            return self.begun.state, self.begun.error
        if self.result is None and self.newest and is_running(self.directory):
            return "running", None
        return attempts.outcome_of(read_json(self.directory / RESULT))

    @cached_property
    def order(self) -> dict[str, Any]:
        """The order, as it was given; empty where it cannot be read."""
        return read_json(self.directory / JOB) or {}

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """What it made, None where it made nothing."""
        found = read_json(self.directory / RESULT)
        return None if found is None or "error" in found else found

    @cached_property
    def resources(self) -> dict[str, Any]:
        """What it cost; empty where it was killed."""
        return read_json(self.directory / RESOURCES) or {}

    @cached_property
    def trials(self) -> list[dict[str, Any]]:
        """What a search has tried so far, in the order of the trials; empty without a search."""
        found = read_json(self.directory / TRIALS) or {}
        return list(found.get("trials", ()))

    @cached_property
    def evidence(self) -> Evidence | None:
        """The evidence, checked again; None without one, or where it was changed."""
        try:
            data = (self.directory / EVIDENCE).read_bytes()
            return read_evidence(data, evidence_path(sha256(data)))
        except (OSError, EvidenceError):
            return None

    @property
    def verdict(self) -> str:
        """The verdict of its evidence; empty without one."""
        return "" if self.result is None else str(self.result["verdict"])

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics on the test part."""
        return {} if self.result is None else dict(self.result["metrics"])

    @property
    def started(self) -> datetime:
        """When it began, by the clock of whoever ran it."""
        return datetime.fromisoformat(self.begun.started)

    @property
    def ended(self) -> datetime | None:
        """When it ended; of a run that nobody watched to its end, as it measured itself."""
        if self.begun.ended is not None:
            return datetime.fromisoformat(self.begun.ended)
        wall = self.resources.get("wall_seconds")
        return None if wall is None else self.started + timedelta(seconds=wall)

    @property
    def seconds(self) -> float | None:
        """How long it took on the wall."""
        ended = self.ended
        return None if ended is None else (ended - self.started).total_seconds()


def list_runs(home: Home) -> tuple[Run, ...]:
    """Every run, the one that began last first."""
    found = [run for directory in _directories(home) for run in runs_in(directory)]
    return tuple(sorted(found, key=lambda run: (run.begun.started, run.id), reverse=True))


def runs_in(directory: Path) -> Iterator[Run]:
    """The attempts at one recipe, the newest first."""
    places = [directory, *reversed(attempts.earlier(directory))]
    for place in places:
        begun = read_run(place)
        if begun is not None:
            yield Run(begun, place, newest=place is places[0])


def find_run(home: Home, wanted: str) -> Run:
    """The run of an id, of its beginning, or the newest one of a model.

    Raises:
        RunUnknown: there is none, or several.
    """
    runs = list_runs(home)
    for run in runs:
        if wanted in (run.id, run.begun.model):
            return run
    close = [run for run in runs if wanted and run.id.startswith(wanted)]
    if len(close) == 1:
        return close[0]
    if close:
        names = ", ".join(run.id for run in close[:5])
        raise RunUnknown(f"several runs begin with {wanted!r}", remedy=f"one of: {names}")
    raise RunUnknown(f"there is no run {wanted!r}", remedy="see: ordain runs list")


def findings_of(run: Run) -> tuple[Finding, ...]:
    """What the gate finds in the evidence of a run, by what was declared when it was ordered."""
    from pydantic_core import ValidationError

    evidence, order = run.evidence, run.order
    try:
        model = kind_validator("Model").validate_python(order["spec"])
        dataset = kind_validator("Dataset").validate_python(order["dataset"]["spec"])
    except (KeyError, TypeError, ValidationError):
        return ()  # An order of an older language; its evidence says what came of it.
    if evidence is None:
        return ()
    nowhere = Location("", 1, 1)
    case = Case(run.begun.model, model, dataset, evidence, run.begun.champion is not None, nowhere)
    return tuple(replace(one, location=None) for one in accept(case))


def prune(home: Home, keep: int) -> tuple[str, ...]:
    """Remove all but the newest runs of each model; gives the ids of those that are gone.

    The newest attempt of the reconciler at a recipe stays, because its result is what a restarted
    reconciler goes on from. So does whatever is running.
    """
    seen: dict[str, int] = {}
    gone = []
    for run in list_runs(home):
        place = seen[run.begun.model] = seen.get(run.begun.model, 0) + 1
        held = run.newest and (not run.begun.preview or run.state == "running")
        if place > keep and not held:
            gone.append(run)
    # The oldest first: a recipe without any other attempt is then removed with its directory.
    removed = {run.id for run in reversed(gone) if _remove(run)}
    return tuple(run.id for run in gone if run.id in removed)


def _remove(run: Run) -> bool:
    """Remove the files of a run; of a recipe without any other attempt, its directory.

    False where a run has begun in it since it was listed.
    """
    if not run.newest:
        shutil.rmtree(run.directory)
        return True
    with idle(run.directory) as held:
        if not held or read_run(run.directory) != run.begun:
            return False
        if not attempts.earlier(run.directory):
            shutil.rmtree(run.directory)
        for name in attempts.FILES:
            (run.directory / name).unlink(missing_ok=True)
    return True


def _directories(home: Home) -> Iterable[Path]:
    for place in (home.root / "jobs", home.previews):
        if place.is_dir():
            yield from sorted(one for one in place.iterdir() if one.is_dir())
