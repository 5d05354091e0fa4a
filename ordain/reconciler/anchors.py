"""Heads of the ledger's chains, kept in git under `refs/ordain/anchors`.

A writer who can rewrite a whole chain can make it consistent again; what it cannot do is to rewrite
the commits in which its heads were signed by the reconciler and pushed away. Each anchor is one
signed commit on top of the last, so that the list of heads is itself a history.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from ordain.ledger.chain import Anchor, Head
from ordain.reconciler.errors import AnchorInvalid
from ordain.reconciler.people import RECONCILER
from ordain.reconciler.promotions import MACHINE
from ordain.specs.canonical import canonical_json
from ordain.vcs.errors import MissingPath
from ordain.vcs.keys import load_signer
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import Source
    from ordain.vcs.keys import AllowedKey, Signer


REF = "refs/ordain/anchors"
FILE = "heads.json"


def anchor(source: Source, ledger: Ledger, now: datetime) -> str | None:
    """Record the heads of all chains in git, if any has moved; returns the commit.

    Raises:
        AnchorInvalid: a chain that was anchored is missing or shorter than it was; anchoring what
            is left would bless the loss.
        OrdainError: the ledger, the key or git refuses.
    """
    heads = ledger.heads()
    for chain, said in (_anchored(source) or {}).items():
        _refuse_loss(chain, Head(said["seq"], said["hash"]), heads.get(chain))
    if not heads or _as_json(heads) == _anchored(source):
        return None
    signer = load_signer(source.home.key(RECONCILER))
    return _commit(source, ledger.anchor(time=now, actor=RECONCILER), signer, now)


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
    source: Source, allowed: Sequence[AllowedKey], now: datetime
) -> tuple[Anchor, ...]:
    """Every head that was ever anchored, oldest first; none where nothing was anchored yet.

    All of them, because the newest anchor says nothing of a chain that was gone when it was made.

    Raises:
        AnchorInvalid: an anchor was not signed by the reconciler, or is no anchor.
    """
    repository = source.repository
    last = repository.refs(REF).get(REF)
    if last is None:
        return ()
    found: dict[Anchor, None] = {}
    for commit in repository.commits(repository.first_parent(None, last)):
        if commit_signer(commit, allowed, now).person != RECONCILER:
            raise _invalid(commit.id, "is not signed by the reconciler")
        said = _heads_in(source, commit.id)
        if said is None:
            raise _invalid(commit.id, "cannot be read")
        found |= dict.fromkeys(
            Anchor(chain, head["seq"], head["hash"]) for chain, head in said.items()
        )
    return tuple(found)


def _invalid(commit: str, reason: str) -> AnchorInvalid:
    message = f"the anchor {commit[:12]} under {REF} {reason}"
    return AnchorInvalid(message, remedy="fetch the ref again from a clone that you trust")


def _commit(source: Source, heads: Mapping[str, Head], signer: Signer, now: datetime) -> str:
    """Commit the heads on top of the last anchor and push it; a remote may lag behind."""
    repository = source.repository
    last = repository.refs(REF).get(REF)
    tree = repository.write_tree(None, {FILE: canonical_json(_as_json(heads)) + b"\n"})
    parents = () if last is None else (last,)
    commit = repository.write_commit(tree, parents, "Anchor the ledger", MACHINE, now, signer)
    repository.update_ref(REF, commit, last)
    if source.forge.remote is not None:
        repository.push(source.forge.remote, [f"{commit}:{REF}"], {})
    return commit


def _as_json(heads: Mapping[str, Head]) -> dict[str, Any]:
    return {chain: {"hash": head.hash, "seq": head.seq} for chain, head in sorted(heads.items())}


def _anchored(source: Source) -> dict[str, dict[str, Any]] | None:
    """The heads that the newest anchor holds."""
    last = source.repository.refs(REF).get(REF)
    return None if last is None else _heads_in(source, last)


def _heads_in(source: Source, commit: str) -> dict[str, dict[str, Any]] | None:
    """The heads that an anchor holds, None where it is no anchor."""
    try:
        said = json.loads(source.repository.read(commit, FILE))
    except (MissingPath, ValueError):
        return None
    return said if _are_heads(said) else None


def _are_heads(said: object) -> TypeGuard[dict[str, dict[str, Any]]]:
    """Whether this is what `_as_json` writes."""
    return isinstance(said, dict) and all(
        isinstance(head, dict)
        and set(head) == {"hash", "seq"}
        and isinstance(head["hash"], str)
        and isinstance(head["seq"], int)
        for head in said.values()
    )
