"""What may reach the protected branch of a server: merges of proposals, and nothing else.

Each first-parent step is one merge of one proposal onto what was there, made and pushed by the same
person, who may approve. The gate judges it as it does everywhere, with one addition: on a server
nothing gets in that nobody else has looked at. A direct commit was refused even where it is signed,
because whoever pushes it has merged their own work. The first push is held to the same from the
root of trust on, which whoever runs the server has named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.policies.separation import APPROVERS
from ordain.reconciler.gating import judge_commit, read_side
from ordain.reconciler.people import allowed_keys, find_person, organization_of
from ordain.reconciler.refusals import problem, refusal
from ordain.specs.findings import Finding, Severity, blocking
from ordain.specs.people import RECONCILER
from ordain.vcs.errors import GitError
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ordain.reconciler.gating import Judged, Side
    from ordain.reconciler.served import Served
    from ordain.vcs.approvals import RejectedApproval

MERGE = "push it as a branch, then: ordain approve BRANCH, ordain proposals merge BRANCH"


def judge_merges(
    served: Served, new: str | None, person: str, now: datetime
) -> tuple[Finding, ...]:
    """Why the protected branch must not move to `new`; nothing if it may.

    Raises:
        FindingsError: it is no way forward from where the branch is.
    """
    if new is None:
        raise refusal(
            "PUSH007", f"{served.branch} is not deleted", "leave it; revert by a proposal"
        )
    steps = _steps(served, new)
    base = served.base
    for revision in steps:
        _refuse_form(served, revision, base)
        base = revision
    side = read_side(served.source, served.base, tree=served.tree)
    if not served.founded and (found := _blocked(judge_commit(served.source, None, side, now))):
        return found
    for revision in steps:
        found, side = _judge_step(served, side, revision, person, now)
        if found:
            return found
    served.source.remember()
    return ()


def _steps(served: Served, new: str) -> tuple[str, ...]:
    try:
        return served.repository.first_parent(served.base, new)
    except GitError as error:
        if not served.founded:
            message = f"{new[:12]} does not go on from {served.base[:12]}, where trust begins"
            remedy = "push the branch of the estate whose root this server trusts"
            raise refusal("PUSH022", message, remedy) from error
        message = f"{new[:12]} does not go on from {served.base[:12]}, where {served.branch} is"
        remedy = "fetch, and merge the proposal again: its first parent is the protected branch"
        raise refusal("PUSH008", message, remedy) from error


def _refuse_form(served: Served, revision: str, base: str) -> None:
    """Asked of all steps before anything is loaded: most mistakes are a direct push."""
    parents = served.repository.commit(revision).parents
    if len(parents) != 2 or parents[0] != base:  # noqa: PLR2004 - the branch and one proposal
        message = f"{revision[:12]} is no merge of one proposal into {served.branch}"
        raise refusal("PUSH009", message, MERGE)


def _judge_step(
    served: Served, base: Side, revision: str, person: str, now: datetime
) -> tuple[tuple[Finding, ...], Side]:
    """What stands against one merge; the side after it is the base of the next."""
    organization = organization_of(base.estate)
    commit = served.repository.commit(revision)
    signer = commit_signer(commit, allowed_keys(organization), now)
    if signer.person != person:
        who = signer.person or f"nobody in the Organization ({signer.reason})"
        message = f"the merge {revision[:12]} is signed by {who} and pushed by {person}"
        return (problem("PUSH010", message, "merge as yourself, with your own key"),), base
    names = {one.name for one in organization.people} - {RECONCILER}
    roles = find_person(organization, person).roles if person in names else ()
    if not set(roles) & set(APPROVERS):
        message = f"{person} has no role that may merge"
        return (problem("PUSH011", message, "ask a manager to merge it"),), base
    side = read_side(served.source, revision, base)
    judged = judge_commit(served.source, base, side, now, reviewed=True)
    return tuple(_said(judged, person)), side


def _said(judged: Judged, person: str) -> Iterator[Finding]:
    if not judged.change.paths:
        message = f"the merge {judged.revision[:12]} brings nothing that is not there already"
        yield problem("PUSH012", message, "close the proposal instead")
    if person in judged.facts.contributors and not judged.judgement.approvals:
        message = f"{person} made this change and merges it, and nobody else has approved it"
        remedy = "ask somebody who did not contribute: ordain approve"
        yield problem("PUSH013", message, remedy)
    yield from _blocked(judged)


def _blocked(judged: Judged) -> tuple[Finding, ...]:
    """What blocks, and which approvals did not count; nothing if nothing blocks."""
    if not blocking(judged.findings):
        return ()
    errors = [one for one in judged.findings if one.severity is Severity.ERROR]
    notes = [one for one in judged.findings if one.severity is Severity.NOTE]
    about = [one for one in notes if one.code.startswith("SOD-")]
    return (*errors, *about, *map(_not_counted, judged.approvals.rejected))


def _not_counted(approval: RejectedApproval) -> Finding:
    return Finding(
        "PUSH024",
        Severity.NOTE,
        f"an approval of {approval.person} does not count: {approval.reason}",
        remedy="look at the change as it is now, and approve it again",
        controls=("HR-SOD",),
    )
