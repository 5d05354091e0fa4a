"""What a push may do to the refs under refs/ordain: statements are added, anchors go forward.

Nothing there is replaced or deleted, and nothing rides along, so that whoever reads these refs
later finds what was judged here and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.reconciler.emergency_refs import emergency_problem
from ordain.reconciler.history import commits_between, signers
from ordain.reconciler.people import allowed_keys, find_person
from ordain.reconciler.refusals import problem, refusal
from ordain.specs.errors import OrdainError
from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import PREFIX as APPROVALS
from ordain.vcs.approvals import SIGNATURE, STATEMENT, is_approval_ref, read_approval
from ordain.vcs.plain import ANCHORS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ordain.reconciler.pushes import Update
    from ordain.reconciler.served import Served
    from ordain.specs.findings import Finding

_ORDER: Final = "order it as a manager, with your own key: ordain stop, or ordain rollback"


def judge_approval(served: Served, update: Update, person: str, now: datetime) -> Iterable[Finding]:
    """An approval is one's own, in a role that one holds, once, and the statement holds.

    Raises:
        FindingsError: why the ref must not move.
    """
    new = _added(update, "an approval")
    owner, _, role = update.ref.removeprefix(APPROVALS).partition("/")[2].partition("/")
    role = role.partition("/")[0]
    if not is_approval_ref(update.ref):
        message = f"{update.ref} is not named as an approval is"
        raise refusal("PUSH017", message, "approve with: ordain approve")
    if owner != person:
        message = f"{person} cannot push an approval of {owner}"
        raise refusal("PUSH015", message, "approve as yourself, with your own key and account")
    if role not in find_person(served.organization, person).roles:
        message = f"{person} does not hold the role {role}"
        raise refusal("PUSH015", message, "approve in a role that the Organization gives you")
    estate = served.source.root_commit
    keys = allowed_keys(served.organization)
    try:
        read_approval(served.repository, update.ref, new, estate=estate, allowed=keys, now=now)
    except OrdainError as error:
        message = f"the approval does not hold: {error.message}"
        raise refusal("PUSH017", message, error.remedy) from error
    return _only_statement(served, new)


def _only_statement(served: Served, commit: str) -> Iterable[Finding]:
    """Nothing rides along: neither other files nor a history."""
    beside = sorted(set(served.repository.tree(commit)) - {STATEMENT, SIGNATURE})
    if beside or served.repository.commit(commit).parents:
        what = f"the file {beside[0]}" if beside else "a history"
        message = f"the statement brings {what} with it"
        return [problem("PUSH017", message, "push what ordain has written, as it is")]
    return []


def judge_anchor(served: Served, update: Update, now: datetime) -> Iterable[Finding]:
    """Anchors go forward, each signed by the reconciler.

    Raises:
        FindingsError: why the ref must not move.
    """
    from ordain.reconciler.anchors import is_anchor

    remedy = "let the reconciler push it; a broken one is put back from a good clone"
    if update.new is None:
        raise refusal("PUSH018", f"{ANCHORS} is not deleted", remedy)
    if update.old is not None and not served.repository.is_ancestor(update.old, update.new):
        raise refusal("PUSH018", f"{ANCHORS} only goes forward", remedy)
    brought = commits_between(served.repository, update.old, update.new)
    found = signers(served.repository, brought, allowed_keys(served.organization), now)
    for commit, signer in zip(brought, found, strict=True):
        if signer != RECONCILER:
            message = f"the anchor {commit[:12]} is not signed by the reconciler"
            raise refusal("PUSH018", message, remedy)
        if not is_anchor(served.repository, commit):
            raise refusal("PUSH018", f"{commit[:12]} is no anchor", remedy)
    return []


def judge_emergency(
    served: Served, update: Update, person: str, now: datetime
) -> Iterable[Finding]:
    """A statement of an emergency counts, and is brought once by somebody who may.

    Raises:
        FindingsError: why the ref must not move.
    """
    new = _added(update, "an emergency")
    said = emergency_problem(served, update.ref, new, pusher=person, now=now)
    if said:
        raise refusal("PUSH019", said, _ORDER)
    return []


def _added(update: Update, what: str) -> str:
    """The commit of a ref that is made once and stays."""
    if update.new is not None and update.old is None:
        return update.new
    verb = "deleted" if update.new is None else "replaced"
    message = f"{what} is evidence, it is not {verb}: {update.ref}"
    raise refusal("PUSH016", message, "leave it; what is no longer true is said anew beside it")
