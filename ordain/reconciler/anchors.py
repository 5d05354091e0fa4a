"""Heads of the record's chains, kept in git under `refs/ordain/anchors`.

A writer who can rewrite a whole chain can make it consistent again; what it cannot do is to rewrite
the commits in which its heads were signed by the reconciler and pushed away. Each anchor is one
signed commit on top of the last, so that the list of heads is itself a history.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard

from ordain.ledger.chain import Anchor
from ordain.reconciler.errors import ReconcilerError
from ordain.reconciler.people import RECONCILER
from ordain.reconciler.promotions import MACHINE
from ordain.specs.canonical import canonical_json
from ordain.vcs.errors import MissingPath
from ordain.vcs.keys import load_signer
from ordain.vcs.signatures import signed_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ordain.ledger.chain import Head
    from ordain.ledger.ledger import Ledger
    from ordain.reconciler.source import Source
    from ordain.vcs.keys import AllowedKey, Signer


class AnchorInvalid(ReconcilerError):
    """What git holds as an anchor is none."""

    code = "REC011"


REF = "refs/ordain/anchors"
FILE = "heads.json"


def anchor(source: Source, ledger: Ledger, now: datetime) -> str | None:
    """Record the heads of all chains in git, if any has moved; returns the commit.

    Without the reconciler's private key there is nothing to sign with and nothing is anchored.

    Raises:
        OrdainError: the record, the key or git refuses.
    """
    heads = ledger.heads()
    if not heads or _as_json(heads) == _anchored(source):
        return None
    signer = load_signer(source.home.key(RECONCILER))
    return _commit(source, ledger.anchor(time=now, actor=RECONCILER), signer, now)


def read_anchors(
    source: Source, allowed: Sequence[AllowedKey], now: datetime
) -> tuple[Anchor, ...]:
    """The newest anchored head of every chain; none where nothing was anchored yet.

    Older anchors are implied: a chain that holds the newest holds what came before it.

    Raises:
        AnchorInvalid: the anchor was not signed by the reconciler, or is no anchor.
    """
    last = source.repository.refs(REF).get(REF)
    if last is None:
        return ()
    if signed_by(source.repository, last, allowed, now) != RECONCILER:
        message = f"the anchor {last[:12]} under {REF} is not signed by the reconciler"
        raise AnchorInvalid(message, remedy="fetch the ref again from a clone that you trust")
    said = _anchored(source)
    if said is None:
        message = f"the anchor {last[:12]} under {REF} cannot be read"
        raise AnchorInvalid(message, remedy="fetch the ref again from a clone that you trust")
    return tuple(Anchor(chain, head["seq"], head["hash"]) for chain, head in said.items())


def _commit(source: Source, heads: Mapping[str, Head], signer: Signer, now: datetime) -> str:
    """Commit the heads on top of the last anchor and push it; a remote may lag behind."""
    repository = source.repository
    last = repository.refs(REF).get(REF)
    tree = repository.write_tree(None, {FILE: canonical_json(_as_json(heads)) + b"\n"})
    parents = () if last is None else (last,)
    commit = repository.write_commit(tree, parents, "Anchor the record", MACHINE, now, signer)
    repository.update_ref(REF, commit, last)
    if source.forge.remote is not None:
        repository.push(source.forge.remote, [f"{commit}:{REF}"], {})
    return commit


def _as_json(heads: Mapping[str, Head]) -> dict[str, Any]:
    return {chain: {"hash": head.hash, "seq": head.seq} for chain, head in sorted(heads.items())}


def _anchored(source: Source) -> dict[str, dict[str, Any]] | None:
    """The heads that the newest anchor holds."""
    last = source.repository.refs(REF).get(REF)
    if last is None:
        return None
    try:
        said = json.loads(source.repository.read(last, FILE))
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
