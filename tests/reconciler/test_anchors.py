"""Heads of the ledger in git: written when they moved, believed when the machine signed them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.reconciler.anchors import (
    LAST_ANCHOR,
    accept,
    anchor,
    anchor_and_remember,
    read_anchors,
)
from ordain.reconciler.errors import AnchorInvalid, KeyMissing
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.vcs.keys import generate_key
from ordain.vcs.objects import Identity
from ordain.vcs.plain import ANCHORS, REMOTE_ANCHORS

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
        assert remote.refs(ANCHORS) == {ANCHORS: made}


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
    assert source.repository.refs(ANCHORS) == {ANCHORS: first}


@pytest.mark.parametrize("by", ["data-scientist", "manager", None])
def test_an_anchor_that_the_machine_did_not_sign_is_refused(bench: Bench, by: str | None) -> None:
    source = bench.source()
    heads = {"control": {"hash": "0" * 64, "seq": 1}}
    forged = _write(bench, source, json.dumps(heads).encode(), by)
    with pytest.raises(AnchorInvalid) as caught:
        read_anchors(source, allowed(source), bench.now)
    assert caught.value.message == (
        f"the anchor {forged[:12]} under {ANCHORS} is not signed by the reconciler"
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
    assert caught.value.message == f"the anchor {made[:12]} under {ANCHORS} cannot be read"


def test_what_the_remote_has_anchored_further_on_is_taken_over(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    first = str(anchor(source, ledger, bench.now))
    record(bench, ledger)
    second = str(anchor(source, ledger, bench.now))
    _receive(source, second, own=first)
    accept(source, allowed(source), bench.now)
    assert source.repository.refs(ANCHORS) == {ANCHORS: second}
    # A remote that lags behind changes nothing.
    _receive(source, first, own=second)
    accept(source, allowed(source), bench.now)
    assert source.repository.refs(ANCHORS) == {ANCHORS: second}


def test_anchors_of_the_remote_that_the_machine_did_not_sign_are_refused(bench: Bench) -> None:
    source = bench.source()
    forged = _write(bench, source, b'{"control": {"hash": "0", "seq": 1}}', "data-scientist")
    _receive(source, forged, own=None)
    with pytest.raises(AnchorInvalid, match="is not signed by the reconciler"):
        accept(source, allowed(source), bench.now)
    assert source.repository.refs(ANCHORS) == {}


def test_another_history_of_anchors_on_the_remote_is_refused(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    mine = str(anchor(source, ledger, bench.now))
    source.repository.update_ref(ANCHORS, None, mine)
    other = _write(bench, source, b'{"control": {"hash": "0", "seq": 1}}', "reconciler")
    _receive(source, other, own=mine)
    with pytest.raises(AnchorInvalid) as caught:
        accept(source, allowed(source), bench.now)
    assert caught.value.message == (
        f"the remote anchors {other[:12]}, which does not go on from {mine[:12]}"
    )
    assert source.repository.refs(ANCHORS) == {ANCHORS: mine}


@pytest.mark.parametrize("what", ["gone", "earlier"])
def test_anchors_that_were_lost_are_missed(bench: Bench, what: str) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    first = str(anchor(source, ledger, bench.now))
    record(bench, ledger)
    last = str(anchor(source, ledger, bench.now, known=first))
    source.repository.update_ref(ANCHORS, None if what == "gone" else first, last)
    state = "is gone" if what == "gone" else f"is at {first[:12]}"
    for look in (
        lambda: anchor(source, ledger, bench.now, known=last),
        lambda: read_anchors(source, allowed(source), bench.now, known=last),
    ):
        with pytest.raises(AnchorInvalid) as caught:
            look()
        assert caught.value.message == (
            f"{ANCHORS} {state} and does not hold the anchor {last[:12]} that was made here"
        )
        assert caught.value.remedy == f"put it back: git update-ref {ANCHORS} {last}"


def test_an_anchor_that_could_not_be_pushed_is_remembered_and_pushed_later(bench: Bench) -> None:
    from ordain.reconciler.state import StateStore
    from ordain.vcs.errors import GitError
    from ordain.vcs.git import Repository

    place = bench.root / "remote.git"
    Repository.clone(str(bench.estate), place, bare=True).close()
    _remember(bench.source(), place)
    source = bench.source()
    source.fetch()
    ledger, state = Ledger(source.home.ledger), StateStore(bench.root / "state.db")
    record(bench, ledger)
    away = place.rename(bench.root / "away.git")
    with pytest.raises(GitError):
        anchor_and_remember(source, ledger, state, bench.now)
    made = source.repository.refs(ANCHORS)[ANCHORS]
    assert state.get(LAST_ANCHOR) == made
    away.rename(place)
    anchor_and_remember(source, ledger, state, bench.now)
    with Repository.open(place) as remote:
        assert remote.refs(ANCHORS) == {ANCHORS: made}
    state.close()


def test_a_new_key_of_the_machine_leaves_the_old_anchors_good(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    assert anchor(source, ledger, bench.now)
    pem, line = generate_key("reconciler")
    path = "specs/organization.yaml"
    old = next(key.public for key in allowed(source) if key.person == "reconciler")
    bench.commit(bench.edited(path, old, line))
    source.home.key("reconciler").write_bytes(pem)
    # Nothing has been anchored with the new key yet, so nothing vouches for the old one.
    with pytest.raises(AnchorInvalid, match="is not signed by the reconciler"):
        read_anchors(source, allowed(source), bench.now)
    record(bench, ledger)
    assert anchor(source, ledger, bench.now)
    assert len(read_anchors(source, allowed(source), bench.now)) == 2


def _receive(source: Source, anchored: str, *, own: str | None) -> None:
    """As if the remote had been fetched with this anchor while ours is at `own`."""
    repository = source.repository
    present = repository.refs("refs/ordain/")
    repository.update_ref(REMOTE_ANCHORS, anchored, present.get(REMOTE_ANCHORS))
    if present.get(ANCHORS) != own:
        repository.update_ref(ANCHORS, own, present.get(ANCHORS))


def test_without_the_machines_key_nothing_is_anchored_and_the_error_says_so(bench: Bench) -> None:
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    record(bench, ledger)
    source.home.key("reconciler").unlink()
    with pytest.raises(KeyMissing, match="there is no private key for reconciler"):
        anchor(source, ledger, bench.now)
    assert source.repository.refs(ANCHORS) == {}


def _write(bench: Bench, source: Source, data: bytes | None, by: str | None) -> str:
    repository = source.repository
    tree = repository.write_tree(None, {} if data is None else {"heads.json": data})
    who = Identity("ordain reconciler", "reconciler@ordain.invalid")
    signer = None if by is None else bench.signer(by)
    commit = repository.write_commit(tree, (), "Anchor the ledger", who, bench.now, signer)
    repository.update_ref(ANCHORS, commit, None)
    return commit
