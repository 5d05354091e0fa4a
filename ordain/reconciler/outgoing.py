"""What a clone is about to push, judged as far as it can be before others have seen it.

A proposal is pushed so that others can approve it, so a missing approval only is told; everything
else would be refused later and is refused now. What goes to the protected branch itself is judged
in full. This is a convenience of whoever pushes: it can be left out with `--no-verify`, and holds
nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.reconciler.gating import read_side
from ordain.reconciler.review import judge_sides
from ordain.reconciler.served import HEADS
from ordain.specs.findings import Finding, Severity
from ordain.vcs.errors import MergeConflict, UnrelatedHistories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ordain.reconciler.source import Source

# What is said of approvals by the gate, and by rules that a proposal cannot meet before it is seen.
_WAITS = ("SOD-QUORUM",)
_APPROVALS = "approvals"


def judge_outgoing(
    source: Source, remote: str, lines: str, now: datetime
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """(ref of the remote, what is found) for each branch that git says it is about to push."""
    target = source.settings.protected_branch
    seen = source.repository.refs(f"refs/remotes/{remote}/{target}")
    onto = next(iter(seen.values()), None)
    for line in filter(None, lines.split("\n")):
        _, head, ref, _ = line.split(" ")
        if not head.strip("0") or not ref.startswith(HEADS) or head == onto:
            continue
        found = _found(source, onto, head, now)
        yield ref, found if ref == f"{HEADS}{target}" else _waiting(found)


def _found(source: Source, onto: str | None, head: str, now: datetime) -> tuple[Finding, ...]:
    if onto is None:
        # The first push: there is nothing yet that it would change.
        from ordain.policies.gate import check

        side = read_side(source, head)
        return check(side.estate, now, tree=side.tree).findings
    if source.repository.is_ancestor(head, onto):
        return ()
    try:
        return judge_sides(source, onto, head, now)[2].findings
    except (MergeConflict, UnrelatedHistories) as error:
        return (Finding(error.code, Severity.ERROR, error.message, remedy=error.remedy),)


def _waiting(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A missing approval is no reason not to ask for it."""
    return tuple(
        replace(one, severity=Severity.WARNING)
        if one.code in _WAITS or any(line.startswith(_APPROVALS) for line in one.evidence)
        else one
        for one in found
    )
