"""Heads of the ledger in git: written when they moved, believed when the machine signed them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.reconciler.anchors import REF, anchor, read_anchors
from ordain.reconciler.errors import AnchorInvalid, KeyMissing
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.reconciler.source import Source
    from ordain.vcs.keys import AllowedKey
    from tests.reconciler.conftest import Bench


def allowed(source: Source) -> Sequence[AllowedKey]:
    return allowed_keys(organization_of(read_side(source, source.head()).estate))


def record(bench: Bench, ledger: Ledger) -> None:
    ledger.record(Event(bench.now, "test", "test.happened", "thing", {}))


def test_nothing_is_anchored_before_anything_is_recorded(bench: Bench) -> None:
    source = bench.source()
    assert anchor(source, Ledger(source.home.ledger), bench.now) is None
    assert read_anchors(source, allowed(source), bench.now) == ()


def test_an_anchor_is_made_when_a_head_moved_and_only_then(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    first = anchor(source, ledger, bench.now)
    assert first is not None
    assert anchor(source, ledger, bench.now) is None
    record(bench, ledger)
    second = anchor(source, ledger, bench.now)
    assert second not in {None, first}
    assert source.repository.commit(str(second)).parents == (first,)
    earlier, latest = read_anchors(source, allowed(source), bench.now)
    (head,) = ledger.heads().values()
    assert (latest.chain, latest.seq, latest.hash) == ("control", head.seq, head.hash)
    assert earlier.seq < latest.seq


def test_an_anchor_is_kept_with_the_remote(bench: Bench) -> None:
    from ordain.vcs.git import Repository

    with Repository.clone(str(bench.estate), bench.root / "remote.git", bare=True) as remote:
        source = bench.source()
        _remember(source, remote.path)
        source = bench.source()
        source.fetch()
        ledger = Ledger(source.home.ledger)
        record(bench, ledger)
        made = anchor(source, ledger, bench.now)
        assert remote.refs(REF) == {REF: made}


def _remember(source: Source, path: object) -> None:
    source.repository.ask("remote", "add", "origin", str(path))


def test_a_record_that_lost_what_was_anchored_is_not_anchored_over(bench: Bench) -> None:
    """A new anchor on top would make the loss look like the beginning."""
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    first = anchor(source, ledger, bench.now)
    shutil.rmtree(source.home.ledger)
    record(bench, ledger)
    with pytest.raises(AnchorInvalid, match="the chain control ends at record"):
        anchor(source, ledger, bench.now)
    assert source.repository.refs(REF) == {REF: first}


@pytest.mark.parametrize("by", ["data-scientist", "manager", None])
def test_an_anchor_that_the_machine_did_not_sign_is_refused(bench: Bench, by: str | None) -> None:
    source = bench.source()
    heads = {"control": {"hash": "0" * 64, "seq": 1}}
    forged = _write(bench, source, json.dumps(heads).encode(), by)
    with pytest.raises(AnchorInvalid) as caught:
        read_anchors(source, allowed(source), bench.now)
    assert caught.value.message == (
        f"the anchor {forged[:12]} under {REF} is not signed by the reconciler"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"{not json",
        b"\xff\xfe",
        b"[]",
        b'{"control": 7}',
        b'{"control": {"seq": 1}}',
        b'{"control": {"seq": "1", "hash": "x"}}',
        None,
    ],
)
def test_an_anchor_that_cannot_be_read_is_refused(bench: Bench, data: bytes | None) -> None:
    source = bench.source()
    made = _write(bench, source, data, "reconciler")
    with pytest.raises(AnchorInvalid) as caught:
        read_anchors(source, allowed(source), bench.now)
    assert caught.value.message == f"the anchor {made[:12]} under {REF} cannot be read"


def test_without_the_machines_key_nothing_is_anchored_and_the_error_says_so(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    source.home.key("reconciler").unlink()
    with pytest.raises(KeyMissing, match="there is no private key for reconciler"):
        anchor(source, ledger, bench.now)
    assert source.repository.refs(REF) == {}


def _write(bench: Bench, source: Source, data: bytes | None, by: str | None) -> str:
    repository = source.repository
    tree = repository.write_tree(None, {} if data is None else {"heads.json": data})
    who = Identity("ordain reconciler", "reconciler@ordain.invalid")
    signer = None if by is None else bench.signer(by)
    commit = repository.write_commit(tree, (), "Anchor the ledger", who, bench.now, signer)
    repository.update_ref(REF, commit, None)
    return commit
