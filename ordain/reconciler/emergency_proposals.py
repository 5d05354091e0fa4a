"""The trace of an emergency in git: a commit by whoever acted, proposed on a branch of its own.

The commit holds the BreakGlass document and, for a rollback, the version of the Deployment. It is
made and signed when the person acts, because no machine can sign for a person later; the branch
follows when the remote answers. A branch that somebody deletes, or moves to where the commit is
not, comes back as long as nobody has approved the emergency.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ordain.reconciler.emergencies import document_path
from ordain.specs.document_edits import set_in_document
from ordain.vcs.approvals import TIME
from ordain.vcs.emergencies import ROLLBACK, STOP, Signed, branch_of, tell
from ordain.vcs.errors import ForgeError, GitError, PushRejected, RefMoved
from ordain.vcs.hosted import is_here

if TYPE_CHECKING:
    from ordain.reconciler.emergencies import Emergencies, Emergency
    from ordain.reconciler.gating import Side
    from ordain.reconciler.source import Source
    from ordain.vcs.emergencies import Statement
    from ordain.vcs.errors import VcsError
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Actor


def propose_act(source: Source, side: Side, said: Statement, actor: Actor) -> Statement:
    """Commit what an order brings to git on top of the last good commit, signed by who acts.

    Returns the order with that commit; no branch is moved.
    """
    files: dict[str, bytes | None] = {document_path(said.id): _document(said)}
    if said.action == ROLLBACK:
        deployment = side.estate.documents[f"Deployment/{said.name}"]
        files[deployment.path] = set_in_document(
            side.tree[deployment.path], deployment, ("spec", "version"), said.version
        )
    return _committed(source, said, (side.revision,), files, actor)


def propose_end(source: Source, said: Statement, ended: Emergency, actor: Actor) -> Statement:
    """Commit that an emergency was ended: the document says so, and the version goes back.

    It stands on the proposal of the emergency, whose signature it needs. What somebody has to
    approve is then the record of an act that has no effect any more.
    """
    act = ended.statement
    repository = source.repository
    files: dict[str, bytes | None] = {document_path(act.id): _document(act, ended_by=said)}
    if not is_here(repository, act.proposal):
        # It is lost, so what was done is told by the end alone.
        return _committed(source, said, (said.revision,), files, actor)
    (base,) = repository.commit(act.proposal).parents
    for path, entry in repository.tree(act.proposal).items():
        before = repository.tree(base).get(path)
        if path != document_path(act.id) and before is not None and before.blob != entry.blob:
            files[path] = repository.read(base, path)
    return _committed(source, said, (act.proposal,), files, actor)


def _committed(
    source: Source,
    said: Statement,
    parents: tuple[str, ...],
    files: dict[str, bytes | None],
    actor: Actor,
) -> Statement:
    repository = source.repository
    tree = repository.write_tree(parents[0], files)
    message = f"{_title(said)}\n\n{said.reason}\n\nOrdain-Emergency: {said.id}"
    commit = repository.write_commit(tree, parents, message, actor.who, said.time, actor.signer)
    return replace(said, proposal=commit)


def _title(said: Statement) -> str:
    if said.action == STOP:
        return f"Stop the route {said.name} in an emergency"
    if said.action == ROLLBACK:
        return f"Roll {said.name} back to version {said.version} in an emergency"
    return f"End the emergency {said.name}"


def _document(said: Statement, *, ended_by: Statement | None = None) -> bytes:
    """The BreakGlass document as YAML; JSON scalars are YAML scalars, so json does the quoting."""
    spec: dict[str, Any] = {"action": said.action}
    if said.action == STOP:
        spec["route"] = said.name
    else:
        spec |= {"deployment": said.name, "version": said.version}
    spec |= {
        "reason": said.reason,
        "requestedBy": said.person,
        "requestedAt": said.time.strftime(TIME),
    }
    if ended_by is not None:
        spec |= {"endedBy": ended_by.person, "endedAt": ended_by.time.strftime(TIME)}
    lines = [
        "# The trace of an emergency: approved by somebody else within 24 hours, never edited.",
        "apiVersion: ordain.dev/v1",
        "kind: BreakGlass",
        "metadata:",
        f"  name: {said.id}",
        "spec:",
        *(f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in spec.items()),
    ]
    return ("\n".join(lines) + "\n").encode()


# Making it public


def publish(
    source: Source, found: Emergencies, repository: Repository | None = None
) -> tuple[str, ...]:
    """Tell the remote what it has not heard yet, and open the proposals that are not open.

    Returns what could not be done, in words; the next pass tries again. Another `repository` of the
    same clone may have less patience with the network; a forge with accounts is asked after git has
    answered, and never where it did not.
    """
    if not found.all:
        return ()
    hands = repository or source.repository
    remote = source.forge.remote
    trouble: list[VcsError] = []
    try:
        if remote is not None:
            here = (one.signed for one in (*found.all, *found.ends))
            trouble += tell(hands, remote, (one for one in here if isinstance(one, Signed)))
        for one in found.waiting:
            try:
                wanted = _open(source, hands, one)
            except (PushRejected, RefMoved) as error:
                # What keeps one branch away says nothing of the others.
                trouble.append(error)
                continue
            if wanted is not None:
                source.forge.offer(branch_of(one.id), wanted)
    except (GitError, ForgeError) as error:
        trouble.append(error)
    where = f"the remote {remote}" if remote is not None else "this clone"
    told = f"the emergencies could not all be proposed on {where} yet"
    return tuple(f"{told}: {error.message}; the next pass tries again" for error in trouble)


def _open(source: Source, hands: Repository, one: Emergency) -> str | None:
    """Put the branch of an emergency where it should be; where people went on from it, it stays.

    Returns the commit that it stands for, None where there is nothing to propose.
    """
    remote, branch = source.forge.remote, branch_of(one.id)
    wanted = (one.ended or one.signed).statement.proposal
    ref = f"refs/heads/{branch}"
    seen = ref if remote is None else f"refs/remotes/{remote}/{branch}"
    present = hands.refs(seen).get(seen)
    if not is_here(hands, wanted):
        # It is told as lost; nothing else may stand in its place.
        return None
    if hands.is_ancestor(wanted, source.head()):
        return None
    if present == wanted:
        return wanted
    act = one.statement.proposal
    if present not in {None, act} and is_here(hands, act) and hands.is_ancestor(act, present):
        return wanted
    if remote is None and present is not None and ref in hands.checked_out():
        # It is not moved under whoever works on it; the next pass looks again.
        return wanted
    if remote is None:
        hands.update_ref(ref, wanted, present)
    else:
        hands.push(remote, [f"{wanted}:{ref}"], {ref: present})
    return wanted
