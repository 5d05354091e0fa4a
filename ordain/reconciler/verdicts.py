"""The record of a verdict, made from a judged change and kept where the ledger can point at it.

The ledger gets one line of bounded length with the digest; the whole record is a file of that name
in the home. The file alone proves nothing and the line alone says little: `audit verdict` reads the
file and believes it when it has the digest that the chain holds. The record in the ledger itself
was refused, because five thousand findings would make every later reading of the chain slower.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.errors import RecordDamaged
from ordain.policies.records import (
    MOST_IN_LEDGER,
    Inputs,
    described,
    essentials,
    read_record,
    record_bytes,
    verdict_record,
)
from ordain.reconciler.errors import StateDamaged
from ordain.specs.evidence import FOLDER
from ordain.specs.files import write_whole
from ordain.vcs.errors import UnknownRevision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.gating import Judged, Refusal
    from ordain.reconciler.source import Source
    from ordain.vcs.git import Repository

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def record_of(
    source: Source, judged: Judged, now: datetime, *, revision: str = ""
) -> dict[str, Any]:
    """The record of one judged change.

    `revision` names the commit that was offered where the tree of a merge was judged.
    """
    change, tree = judged.change, source.tree(judged.revision)
    inputs = inputs_of(source.repository, judged.revision, change.base, judged)
    # What the first commit of an estate goes on from is the empty tree and no commit.
    first = not inputs.base_tree
    told = described(
        judged.judgement,
        now,
        tree,
        findings=judged.findings,
        revision=revision or judged.revision,
        base="" if first else change.base,
    )
    return verdict_record(told, judged.judgement, inputs)


def inputs_of(repository: Repository, revision: str, base: str, judged: Judged | None) -> Inputs:
    """What a verdict about a commit or tree rests on, also where no change could be judged."""
    before = tree_id(repository, base)
    entries = repository.tree(revision)
    return Inputs(
        tree=tree_id(repository, revision),
        base_tree="" if before == base else before,
        facts=None if judged is None else judged.facts,
        evidence=tuple(
            (path, one.blob) for path, one in sorted(entries.items()) if path.startswith(FOLDER)
        ),
        rejected=() if judged is None else judged.approvals.rejected,
    )


def tree_id(repository: Repository, revision: str) -> str:
    """Git's id of the tree of a commit, by its whole id; a tree is its own."""
    try:
        return repository.commit(revision).tree
    except UnknownRevision:
        # The tree of a merge that is not made yet, or the empty one before the first commit.
        return revision


def keep_verdict(source: Source, judged: Judged, now: datetime) -> dict[str, Any]:
    """Write the record of a verdict into the home, and return what the ledger holds of it.

    Raises:
        StateDamaged: it cannot be written; nothing may be acted on that left no record.
    """
    record = record_of(source, judged, now)
    place = _place(source.home.verdicts, record["digest"])
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(place, record_bytes(record))
    except OSError as error:
        message = f"the record of a verdict cannot be written to {place}: {error.strerror}"
        raise StateDamaged(message, remedy="make it writable, or set ORDAIN_HOME") from error
    return essentials(record)


def keep_refusal(source: Source, refusal: Refusal, now: datetime) -> dict[str, Any]:
    """The same for a commit that was refused; one that could not even be judged has no record."""
    if refusal.judged is not None:
        return keep_verdict(source, refusal.judged, now)
    found = [[one.code, one.severity.value, one.message] for one in refusal.findings]
    return {"findings": found[:MOST_IN_LEDGER], "more": max(0, len(found) - MOST_IN_LEDGER)}


def kept_record(home: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """The whole record that an event of the ledger names; `home` holds the records.

    Raises:
        RecordDamaged: it is gone, or is not the one that the ledger holds the digest of.
    """
    digest = str(data.get("record", ""))
    remedy = "judge the commit again: ordain check --base BASE --rev COMMIT --record FILE"
    if not _DIGEST.fullmatch(digest):
        raise RecordDamaged("this event names no record of a verdict", remedy=remedy)
    with suppress(OSError):
        record = read_record(_place(home, digest).read_bytes())
        if record["digest"] == digest:
            return record
        message = f"the record of {digest[:19]} is not the one that the ledger holds"
        raise RecordDamaged(message, remedy=remedy)
    raise RecordDamaged(f"the record {digest[:19]} is not in {home}", remedy=remedy)


def _place(home: Path, digest: str) -> Path:
    return home / f"{digest.removeprefix('sha256:')}.json"
