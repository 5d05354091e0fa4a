"""What a clone is about to push, judged as far as it can be before others have seen it.

A proposal is pushed so that others can approve it. What would be well if everybody who may approve
did so is therefore told and does not stop the push; what no approval mends would be refused later
and is refused now. What goes to the protected branch itself is judged as it is. This is a
convenience of whoever pushes: it can be left out with `--no-verify`, and holds nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.policies.gate import check, judge
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import organization_of
from ordain.reconciler.review import judge_sides
from ordain.reconciler.served import HEADS
from ordain.specs.findings import Finding, Severity
from ordain.vcs.approvals import Approval
from ordain.vcs.errors import MergeConflict, UnrelatedHistories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ordain.reconciler.gating import Judged, Side
    from ordain.reconciler.source import Source


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A branch that is about to be pushed, by its ref at the remote, and what is found in it.

    `compared` is false where it was only checked, because this clone knows no protected branch of
    that remote; `command` shows all that is found.
    """

    ref: str
    findings: tuple[Finding, ...]
    compared: bool
    command: str


def judge_outgoing(source: Source, remote: str, lines: str, now: datetime) -> Iterator[Outgoing]:
    """Judge each branch that git says it is about to push.

    `lines` are those of the hook: local ref, local commit, remote ref, remote commit.
    """
    target = source.settings.protected_branch
    seen = source.repository.refs(f"refs/remotes/{remote}/{target}")
    onto = next(iter(seen.values()), None)
    for line in filter(None, lines.split("\n")):
        _, head, ref, there = line.split(" ")
        if head.strip("0") and ref.startswith(HEADS) and head != onto:
            whole = ref == f"{HEADS}{target}"
            found = _found(source, onto, head, now, whole=whole)
            # Where the remote has no protected branch yet, there is nothing to compare it with.
            compared = onto is not None or (whole and not there.strip("0"))
            against = "" if onto is None else f"--base {remote}/{target} "
            yield Outgoing(ref, found, compared, f"ordain check {against}--rev {head[:12]}")


def _found(
    source: Source, onto: str | None, head: str, now: datetime, *, whole: bool
) -> tuple[Finding, ...]:
    if onto is None:
        # The first push: there is nothing yet that it would change.
        side = read_side(source, head)
        return check(side.estate, now, tree=side.tree).findings
    if source.repository.is_ancestor(head, onto):
        return ()
    try:
        base, side, judged = judge_sides(source, onto, head, now)
    except (MergeConflict, UnrelatedHistories) as error:
        return (Finding(error.code, Severity.ERROR, error.message, remedy=error.remedy),)
    return judged.findings if whole else _waiting(base, side, judged, now)


def _waiting(base: Side, side: Side, judged: Judged, now: datetime) -> tuple[Finding, ...]:
    """Errors that approvals would mend as warnings, all others as they are."""
    if not judged.blocked or judged.change.unnameable:
        return judged.findings
    approved = judge(
        base.estate,
        side.estate,
        judged.facts,
        _everybody(base, judged, now),
        now,
        tree=side.tree,
        enforce_intentions=True,
    )
    left = {_place(one) for one in (*judged.commits, *approved.findings)}
    return tuple(
        one if _place(one) in left else replace(one, severity=Severity.WARNING)
        for one in judged.findings
    )


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.location, finding.severity


def _everybody(base: Side, judged: Judged, now: datetime) -> list[Approval]:
    """As if each person had approved in each of their roles; the gate takes out who may not."""
    change = judged.change
    return [
        Approval(person.name, role, change.digest, now, "", "", change.base)
        for person in organization_of(base.estate).people
        for role in person.roles
    ]
