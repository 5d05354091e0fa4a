"""Whether a statement of an emergency is of somebody who may order one, and may be let in.

Production looks under these refs in an emergency, and nothing there is ever deleted. So a server
lets nothing in that a reconciler would have to call unsound or powerless for ever: the statement is
read as everywhere else, and its signer is asked for the same as where it takes effect. Only whether
its commit is of the history is left to the reconciler.

It is brought by the one who signed it, by another manager, or by the reconciler: a statement is
made while the server is down and pushed later, from a clone that others use too. A manager gains
nothing by that, because they could give the same order. Letting anybody bring one was refused,
because whoever can read a clone could then send an order and keep back the word that ended it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.policies.emergencies import MANAGER
from ordain.reconciler.people import allowed_keys, find_person
from ordain.specs.people import RECONCILER
from ordain.vcs.approvals import SIGNATURE, STATEMENT
from ordain.vcs.emergencies import dated_ahead, read_statement
from ordain.vcs.errors import VcsError
from ordain.vcs.keys import holder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ordain.reconciler.served import Served
    from ordain.specs.kinds.organization import Organization
    from ordain.vcs.emergencies import Signed


def objection_to(one: Signed, organization: Organization, now: datetime) -> str:
    """Why somebody may not give an order, or not yet; empty when they may."""
    said = one.statement
    if dated_ahead(said, now):
        return f"it is dated in the future ({said.time:%Y-%m-%d %H:%M} UTC)"
    owner = holder(one.key, allowed_keys(organization), now)
    if owner.person != said.person:
        return owner.reason or f"it is signed by {owner.person}, not by {said.person}"
    # The reconciler has keys and is none of the people.
    roles = {person.name: person.roles for person in organization.people}
    if said.role != MANAGER or MANAGER not in roles.get(said.person, ()):
        return f"{said.person} is no manager"
    return ""


def emergency_problem(served: Served, ref: str, commit: str, *, pusher: str, now: datetime) -> str:
    """Why a commit is no emergency statement that the pusher may bring; empty if it is one."""
    try:
        one = read_statement(served.repository, ref, commit)
    except (VcsError, ValueError) as error:
        return f"the statement does not hold: {error}"
    return next(_problems(served, one, pusher, now), "")


def _problems(served: Served, one: Signed, pusher: str, now: datetime) -> Iterator[str]:
    person, organization = one.statement.person, served.organization
    if one.statement.estate != served.source.root_commit:
        yield f"the statement of {person} is of another estate"
    objection = objection_to(one, organization, now)
    if objection:
        yield f"the statement of {person} has no effect: {objection}"
    beside = sorted(set(served.repository.tree(one.commit)) - {STATEMENT, SIGNATURE})
    if beside:
        yield f"the statement brings the file {beside[0]} with it"
    bearers = {person, RECONCILER}
    if pusher not in bearers and MANAGER not in find_person(organization, pusher).roles:
        yield f"{pusher} cannot push an emergency of {person}"
