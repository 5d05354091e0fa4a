"""Verdicts on commits, said on the host where people look: one commit status each.

A status is a courtesy. Nothing is decided by it, it is never read back, and a host that does not
take one costs the pass a warning and nothing else. What has to be said is written down when it is
known and said after production has been looked after, so that a slow host delays nothing, one that
was down hears it at a later pass, and what was said is not said again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Severity
from ordain.vcs.errors import ForgeError
from ordain.vcs.host import CommitState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.reconciler.gating import Gated, Judged, Refusal
    from ordain.reconciler.state import StateStore
    from ordain.vcs.host import Host

CONTEXT: Final = "ordain/reconciler"
# What both forges take, and what a person reads in a list of checks.
_LONGEST: Final = 140
# A first pass over a long history tells of its end only, and no pass says more than this.
_MOST: Final = 20
_WAITING: Final = "statuses.waiting"
_ABSENT: Final = "GATE010"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict as people see it beside a commit."""

    commit: str
    state: CommitState
    text: str


def verdicts(gated: Gated) -> tuple[Said, ...]:
    """What is to be said after a gate, oldest first."""
    passed = map(_passed, gated.judged[-_MOST:])
    refused = map(_refused, gated.refused[-_MOST:])
    return (*passed, *refused)


def hold(state: StateStore, found: Iterable[Said]) -> None:
    """Write down what is to be said, beside what was put off before."""
    waiting = {one.commit: one for one in (*_waiting(state), *found)}
    _wait(state, [one for one in waiting.values() if state.get(_key(one)) != _fact(one)])


def say(host: Host, state: StateStore) -> tuple[str, ...]:
    """Tell the host what it has not heard yet, oldest first; returns warnings."""
    left = _waiting(state)
    try:
        for one in left[:_MOST]:
            host.report(one.commit, one.state, CONTEXT, one.text, "")
            state.put(_key(one), _fact(one))
            left = left[1:]
    except ForgeError as error:
        return untold(state, error)
    finally:
        _wait(state, left)
    return ()


def untold(state: StateStore, error: ForgeError) -> tuple[str, ...]:
    """A warning that what waits could not be said."""
    left = [one for one in _waiting(state) if state.get(_key(one)) != _fact(one)]
    return (f"{_number(left)} could not be set on the forge: {error.message}",) if left else ()


def _passed(judged: Judged) -> Said:
    people = sorted({one.person for one in judged.judgement.approvals})
    by = f", approved by {' and '.join(people)}" if people else ""
    return Said(judged.revision, CommitState.SUCCESS, _short(f"{judged.facts.kind.value}{by}"))


def _refused(refusal: Refusal) -> Said:
    errors = [one for one in refusal.findings if one.severity is Severity.ERROR]
    absent = any(one.code == _ABSENT for one in errors)
    text = f"{errors[0].code}: {errors[0].message}" if errors else "refused"
    state = CommitState.PENDING if absent else CommitState.FAILURE
    return Said(refusal.revision, state, _short(text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _key(one: Said) -> str:
    return f"status:{one.commit}"


def _fact(one: Said) -> str:
    return f"{one.state.value} {one.text}"


def _number(left: list[Said]) -> str:
    return "one commit status" if len(left) == 1 else f"{len(left)} commit statuses"


def _waiting(state: StateStore) -> list[Said]:
    rows = json.loads(state.get(_WAITING) or "[]")
    return [Said(commit, CommitState(word), text) for commit, word, text in rows]


def _wait(state: StateStore, left: list[Said]) -> None:
    if left:
        rows = [[one.commit, one.state.value, one.text] for one in left]
        state.put(_WAITING, json.dumps(rows))
    else:
        state.drop(_WAITING)
