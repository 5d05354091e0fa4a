"""Heads of the ledger's chains, kept in git under `refs/ordain/anchors`.

A writer who can rewrite a whole chain can make it consistent again; what it cannot do is to rewrite
the commits in which its heads were signed by the reconciler and pushed away. Each anchor is one
signed commit on top of the last, so that the list of heads is itself a history. A signed commit
speaks for those under it: the newest needs a key that is good now, the others one of their time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from ordain.ledger.chain import Anchor, Head
from ordain.reconciler.errors import AnchorInvalid
from ordain.reconciler.history import makers
from ordain.reconciler.promotions import MACHINE
from ordain.specs.canonical import canonical_json
from ordain.specs.people import RECONCILER
from ordain.vcs.errors import GitError, MissingPath
from ordain.vcs.keys import load_signer
from ordain.vcs.plain import ANCHORS, REMOTE_ANCHORS
from ordain.vcs.signatures import signed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import Source
    from ordain.reconciler.state import StateStore
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey, Signer


FILE = "heads.json"

# Under this key the state store remembers the last anchor made here.
LAST_ANCHOR = "anchor"


def anchor(
    source: Source, ledger: Ledger, now: datetime, *, known: str | None = None
) -> str | None:
    """Record the heads of all chains in git, if any has moved; returns the commit.

    `known` is the last anchor that the caller remembers.

    Raises:
        AnchorInvalid: a chain that was anchored is missing or shorter than it was, or the anchors
            do not go on from the known one; anchoring what is left would bless the loss.
        OrdainError: the ledger, the key or git refuses.
    """
    last = _newest(source, known)
    anchored = None if last is None else _heads_in(source, last)
    heads = ledger.heads()
    for chain, said in (anchored or {}).items():
        _refuse_loss(chain, Head(said["seq"], said["hash"]), heads.get(chain))
    if not heads or _as_json(heads) == anchored:
        if last is not None:
            _push(source, last)
        return None
    signer = load_signer(source.home.key(RECONCILER))
    return _commit(source, last, ledger.anchor(time=now, actor=RECONCILER), signer, now)


def anchor_and_remember(source: Source, ledger: Ledger, state: StateStore, now: datetime) -> None:
    """Anchor, and remember the anchor where no git can take it back; raises what `anchor` does."""
    known = state.get(LAST_ANCHOR)
    try:
        # It may be there although pushing it has failed.
        anchor(source, ledger, now, known=known)
    finally:
        last = _newest(source, known)
        if last is not None and last != known:
            state.put(LAST_ANCHOR, last)


def accept(source: Source, allowed: Sequence[AllowedKey], now: datetime) -> None:
    """Take over what the remote has anchored on top of the anchors that are here.

    Raises:
        AnchorInvalid: the remote's anchors are another history, or were not made by the reconciler.
    """
    repository = source.repository
    refs = repository.refs("refs/ordain/")
    here, there = refs.get(ANCHORS), refs.get(REMOTE_ANCHORS)
    if there is None or there == here:
        return
    if here is not None and repository.is_ancestor(there, here):
        # The remote lags behind; the next anchor brings it up.
        return
    if here is not None and not repository.is_ancestor(here, there):
        message = f"the remote anchors {there[:12]}, which does not go on from {here[:12]}"
        raise AnchorInvalid(message, remedy=f"find out who moved {ANCHORS} there, and put it back")
    _refuse_strangers(source, repository.first_parent(here, there), allowed, now)
    repository.update_ref(ANCHORS, there, here)


def _newest(source: Source, known: str | None) -> str | None:
    """The newest anchor, which must go on from the one that is known."""
    repository = source.repository
    last = repository.refs(ANCHORS).get(ANCHORS)
    if known is None or last == known:
        return last
    try:
        goes_on = last is not None and repository.is_ancestor(known, last)
    except GitError:
        goes_on = False
    if not goes_on:
        state = "is gone" if last is None else f"is at {last[:12]}"
        message = f"{ANCHORS} {state} and does not hold the anchor {known[:12]} that was made here"
        raise AnchorInvalid(message, remedy=f"put it back: git update-ref {ANCHORS} {known}")
    return last


def _refuse_strangers(
    source: Source, commits: Sequence[str], allowed: Sequence[AllowedKey], now: datetime
) -> None:
    """Refuse anchors, oldest first, that the reconciler has not signed."""
    repository = source.repository
    *older, newest = commits
    found = makers(repository, older, allowed, source.head())
    strangers = [one for one, who in zip(older, found, strict=True) if RECONCILER not in who]
    if signed_by(repository, newest, allowed, now) != RECONCILER:
        strangers.append(newest)
    if strangers:
        raise _invalid(strangers[0], "is not signed by the reconciler")


def _refuse_loss(chain: str, anchored: Head, found: Head | None) -> None:
    if found is None:
        state = "is missing"
    elif found.seq < anchored.seq:
        state = f"ends at record {found.seq}"
    elif found.seq == anchored.seq and found.hash != anchored.hash:
        state = "is another one"
    else:
        return
    message = f"the chain {chain} {state}, git anchors its record {anchored.seq}"
    raise AnchorInvalid(message, remedy="see: ordain audit verify; keep what is left, untouched")


def read_anchors(
    source: Source, allowed: Sequence[AllowedKey], now: datetime, *, known: str | None = None
) -> tuple[Anchor, ...]:
    """Every head that was ever anchored, oldest first; none where nothing was anchored yet.

    All of them, because the newest anchor says nothing of a chain that was gone when it was made.

    Raises:
        AnchorInvalid: an anchor was not signed by the reconciler, or is no anchor, or the anchors
            do not go on from the known one.
    """
    last = _newest(source, known)
    if last is None:
        return ()
    commits = source.repository.first_parent(None, last)
    _refuse_strangers(source, commits, allowed, now)
    found: dict[Anchor, None] = {}
    for commit in commits:
        said = _heads_in(source, commit)
        if said is None:
            raise _invalid(commit, "cannot be read")
        found |= dict.fromkeys(
            Anchor(chain, head["seq"], head["hash"]) for chain, head in said.items()
        )
    return tuple(found)


def _invalid(commit: str, reason: str) -> AnchorInvalid:
    message = f"the anchor {commit[:12]} under {ANCHORS} {reason}"
    return AnchorInvalid(message, remedy="fetch the ref again from a clone that you trust")


def _commit(
    source: Source, last: str | None, heads: Mapping[str, Head], signer: Signer, now: datetime
) -> str:
    """Commit the heads on top of the last anchor and push it; a remote may lag behind."""
    repository = source.repository
    tree = repository.write_tree(None, {FILE: canonical_json(_as_json(heads)) + b"\n"})
    parents = () if last is None else (last,)
    commit = repository.write_commit(tree, parents, "Anchor the ledger", MACHINE, now, signer)
    repository.update_ref(ANCHORS, commit, last)
    _push(source, commit)
    return commit


def _push(source: Source, commit: str) -> None:
    """Bring an anchor to the remote, if there is one and it is not known to have it."""
    if source.forge.remote is None:
        return
    there = source.repository.refs(REMOTE_ANCHORS).get(REMOTE_ANCHORS)
    if there == commit:
        return
    source.repository.push(source.forge.remote, [f"{commit}:{ANCHORS}"], {})
    source.repository.update_ref(REMOTE_ANCHORS, commit, there)


def _as_json(heads: Mapping[str, Head]) -> dict[str, Any]:
    return {chain: {"hash": head.hash, "seq": head.seq} for chain, head in sorted(heads.items())}


def _heads_in(source: Source, commit: str) -> dict[str, dict[str, Any]] | None:
    """The heads that an anchor holds, None where it is no anchor."""
    try:
        said = json.loads(source.repository.read(commit, FILE))
    except (MissingPath, ValueError):
        return None
    return said if _are_heads(said) else None


def is_anchor(repository: Repository, commit: str) -> bool:
    """Whether a commit holds heads of chains; whose it is, is another question."""
    try:
        return _are_heads(json.loads(repository.read(commit, FILE)))
    except (MissingPath, ValueError):
        return False


def _are_heads(said: object) -> TypeGuard[dict[str, dict[str, Any]]]:
    """Whether this is what `_as_json` writes."""
    return isinstance(said, dict) and all(
        isinstance(head, dict)
        and set(head) == {"hash", "seq"}
        and isinstance(head["hash"], str)
        and isinstance(head["seq"], int)
        for head in said.values()
    )
