"""The home of the estate on this machine: state, trust, ledger, the reconciler's key; the clock.

A home is made by the first pass, so on a laptop that never reconciles there is none, and that is
right. What is there is read without being touched: the state store is opened for reading only,
because even looking at a database in write-ahead mode would otherwise leave files behind.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ordain.reconciler.anchors import LAST_ANCHOR, read_anchors
from ordain.reconciler.doctor.checks import fail, need, ok, skip, warn
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.source import CLONE, trust_facts
from ordain.reconciler.state import SCHEMA_VERSION
from ordain.specs.people import RECONCILER
from ordain.vcs.errors import GitError
from ordain.vcs.keys import FOREIGN, holder, load_signer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.reconciler.doctor.checks import Answer, Surroundings
    from ordain.reconciler.home import Home
    from ordain.reconciler.source import Source

_LEAST: Final = 100 * 2**20
_LITTLE: Final = 2**30
# Reading so much takes about a second; whoever has more asks for it.
_QUICKLY: Final = 32 * 2**20
_TOLERANCE: Final = timedelta(minutes=5)
_CLOCK: Final = "set the clock, or find out whose was wrong"
_UNUSED: Final = "no pass has run here yet"


def home(around: Surroundings) -> Answer:
    """The home is for its owner alone, can be written, and has room."""
    place = need(around.source).home
    free = shutil.disk_usage(_existing(place.root)).free
    room = f"{free / 2**30:,.1f} GiB free"
    if free < _LEAST:
        return fail(f"{room} at {place.root}", "make room, or set ORDAIN_HOME to another disk")
    refused = _refused(place)
    if refused is not None:
        return refused
    if free < _LITTLE:
        return warn(f"only {room} at {place.root}", "make room before the ledger has none")
    made = "" if place.root.exists() else " is made by the first pass"
    return ok(f"{place.root}{made}; {room}")


def _refused(place: Home) -> Answer | None:
    """What is wrong with the rights to the home."""
    if not os.access(_existing(place.root), os.W_OK | os.X_OK):
        return fail(f"{place.root} cannot be written", "make it yours, or set ORDAIN_HOME")
    open_to = [one for one in (place.root, place.keys) if one.exists() and _foreign(one)]
    if open_to:
        return fail(f"others may look into {open_to[0]}", f"chmod 700 {open_to[0]}")
    return None


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())


def _foreign(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & FOREIGN)


def state(around: Surroundings) -> Answer:
    """The state store can be read and is of this version."""
    facts = _facts(need(around.source).home)
    if facts is None:
        return ok(_UNUSED)
    if facts.get("schema") != SCHEMA_VERSION:
        found, remedy = facts.get("schema"), "use the version of ordain that wrote it"
        return fail(f"its schema is {found}, this version reads {SCHEMA_VERSION}", remedy)
    good = facts.get("good")
    return ok(f"last good commit {good[:12]}" if good else _UNUSED)


def trust(around: Surroundings) -> Answer:
    """What is trusted was pinned, and is still what is here."""
    source = need(around.source)
    pinned = _facts(source.home) or {}
    if "trust.root" not in pinned:
        return ok("nothing is pinned yet; the first pass pins what it finds")
    other = _other_clone(source, pinned)
    # The root first: no clone of this estate has another one.
    for name, value in reversed(trust_facts(source).items()):
        trusted = pinned.get(name, "")
        if trusted == value:
            continue
        message = f"the {name.removeprefix('trust.')} is {value}, but {trusted} was trusted"
        if other is None or name == "trust.root":
            return fail(message, "if the move is right: ordain reconcile --trust-again")
        if not (name == "trust.remote" and _same_place(source, value, trusted, other)):
            # To trust what this clone follows would move production to it.
            there = shlex.join(("ordain", "-C", other, "doctor"))
            return warn(f"{message} in {other}, where passes run", f"look there: {there}")
    return ok(
        f"{pinned['trust.ref']} of {pinned['trust.remote']}, from {pinned['trust.root'][:12]}"
    )


def _other_clone(source: Source, facts: Mapping[str, str]) -> str | None:
    """The clone in which passes run, where that is known and is not this one."""
    clone = facts.get(CLONE)
    return None if clone == str(source.repository.path.resolve()) else clone


def _same_place(source: Source, here: str, there: str, other: str) -> bool:
    """Whether two clones follow one repository on this machine, by whatever path."""
    if any(one == "local" or ":" in one for one in (here, there)):
        return False
    return (source.repository.path / here).resolve() == (Path(other) / there).resolve()


def _facts(place: Home) -> dict[str, str] | None:
    """What the state store remembers, without writing a byte; None where there is no store.

    Raises:
        sqlite3.Error: it is damaged.
    """
    if not place.state.is_file():
        return None
    # Without a log beside it nothing is being written, and "immutable" makes no log either.
    log = place.state.with_name(f"{place.state.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(place.state))}?{how}", uri=True)) as database:
        if database.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("it is damaged")
        return dict(database.execute("SELECT key, value FROM meta"))


def ledger(around: Surroundings) -> Answer:
    """The record holds, chain by chain, and against what git anchors."""
    from ordain.ledger.ledger import Ledger
    from ordain.ledger.verification import verify

    source = need(around.source)
    size = _size(source.home.ledger)
    if not size:
        return ok("nothing is recorded yet")
    if size > _QUICKLY:
        return skip(f"{size / 2**20:,.0f} MiB are too much to read here", "ordain audit verify")
    facts = _facts(source.home) or {}
    organization = organization_of(read_side(source, facts.get("good") or source.head()).estate)
    known, remote = facts.get(LAST_ANCHOR), source.forge.remote
    other = _other_clone(source, facts)
    if known and other and remote and not _has(source, known):
        fetch = f"git fetch {shlex.quote(remote)} 'refs/ordain/*:refs/ordain/*'"
        return warn(f"not compared: the newest anchor is in {other} and not here", fetch)
    anchors = read_anchors(source, allowed_keys(organization), around.now, known=known)
    report = verify(Ledger(source.home.ledger), anchors=anchors)
    if not report.ok:
        return fail(report.findings[0].message, "ordain audit verify")
    return ok(f"everything holds (chains: {len(report.chains)}, records: {report.records:,})")


def _has(source: Source, commit: str) -> bool:
    try:
        return source.repository.is_ancestor(commit, commit)
    except GitError:
        return False


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*.jsonl"))


def reconciler_key(around: Surroundings) -> Answer:
    """Which part this machine has: with the key it may reconcile, without it is a desk."""
    source = need(around.source)
    path = source.home.keys / RECONCILER
    if not path.is_file():
        if source.home.state.is_file():
            remedy = f"put the key back to {path}, or reconcile where it is"
            return warn("absent, although passes have run here", remedy)
        return ok("absent: this machine is a desk, and does not reconcile")
    public = load_signer(path).public
    found = holder(public, allowed_keys(organization_of(need(around.estate))), around.now)
    if found.person != RECONCILER:
        reason = found.reason or f"it is a key of {found.person}"
        remedy = "list its public half under `reconciler` in specs/organization.yaml"
        return fail(f"{path} is not the reconciler's: {reason}", remedy)
    return ok(f"present: this machine can reconcile ({public.fingerprint})")


def clock(around: Surroundings) -> Answer:
    """Nothing was committed or recorded in what this machine takes for the future."""
    source = need(around.source)
    late = around.now + _TOLERANCE
    newest = max(one.time for one in source.repository.commits({"HEAD", *_tips(source)}))
    if newest > late:
        behind = f"the newest commit is of {newest.isoformat()}"
        return fail(f"{behind}, the clock says {around.now.isoformat()}", _CLOCK)
    recorded = _recorded_after(source.home, late)
    if recorded:
        return fail(f"{recorded}, the clock says {around.now.isoformat()}", _CLOCK)
    return ok(f"{around.now.isoformat(timespec='seconds')}, after everything that is known")


def _tips(source: Source) -> set[str]:
    return {source.ref} & source.repository.refs(source.ref).keys()


def _recorded_after(place: Home, late: datetime) -> str:
    """What the ledger recorded after a time; empty without any, or where it is long to read."""
    from ordain.ledger.chain import CONTROL
    from ordain.ledger.ledger import Ledger

    record = Ledger(place.ledger)
    if _size(record.directory(CONTROL)) > _QUICKLY:
        return ""
    event = next(record.events(since=late), None)
    return f"the ledger has {event.kind} of {event.time.isoformat()}" if event else ""
