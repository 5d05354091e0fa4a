"""Ref, remote and root commit are pinned at the first pass; another one is refused, loudly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.errors import Untrusted
from ordain.reconciler.gating import read_side
from ordain.reconciler.source import forget_trust, open_source, pin_trust
from ordain.specs.errors import SpecError
from ordain.vcs.errors import GitError, NoCommits, NotARepository
from ordain.vcs.git import Repository
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reconciler.conftest import Bench

MAIN = "refs/heads/main"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
AGAIN = "if the move is right, tell the reconciler with: ordain reconcile --trust-again"


def remote_of(bench: Bench, name: str = "remote.git") -> Path:
    """A bare copy of the estate, known to it as origin."""
    path = bench.root / name
    Repository.clone(str(bench.estate), path, bare=True).close()
    with Repository.open(bench.estate) as repository:
        command = "set-url" if "origin" in repository.remotes() else "add"
        repository.ask("remote", command, "origin", str(path))
    return path


def test_with_a_remote_its_branch_is_the_truth(bench: Bench) -> None:
    local = bench.owner("histology")
    with Repository.open(bench.estate) as repository:
        root = repository.root_commit(local)
        repository.update_ref(MAIN, root, local)
    remote_of(bench)
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, local, root)
    source = bench.source()
    source.fetch()
    assert source.ref == "refs/remotes/origin/main"
    assert source.head() != local
    source.repository.push("origin", [f"{local}:{MAIN}"], {})
    source.fetch()
    assert source.head() == local


def test_what_was_trusted_once_is_trusted_again(bench: Bench) -> None:
    state = bench.state()
    for _ in range(2):
        pin_trust(bench.source(), state)
    assert state.get("trust.remote") == "local"
    assert state.get("trust.ref") == MAIN
    assert state.get("trust.root") == bench.source().root_commit


def test_another_remote_is_refused_until_it_is_trusted(bench: Bench) -> None:
    first = remote_of(bench)
    state = bench.state()
    source = bench.source()
    source.fetch()
    pin_trust(source, state)
    second = remote_of(bench, "elsewhere.git")
    source = bench.source()
    source.fetch()
    with pytest.raises(Untrusted) as caught:
        pin_trust(source, state)
    assert caught.value.message == (
        f"the remote is {second}, but {first} was trusted at the first pass"
    )
    assert caught.value.remedy == AGAIN
    forget_trust(state)
    pin_trust(source, state)
    assert state.get("trust.remote") == str(second)


def test_a_remote_that_disappears_does_not_make_the_local_branch_the_truth(bench: Bench) -> None:
    remote_of(bench)
    state = bench.state()
    source = bench.source()
    source.fetch()
    pin_trust(source, state)
    source.repository.ask("remote", "remove", "origin")
    with pytest.raises(Untrusted, match="the remote is local, but"):
        pin_trust(bench.source(), state)


def test_another_branch_is_refused(bench: Bench) -> None:
    state = bench.state()
    pin_trust(bench.source(), state)
    head = bench.head()
    with Repository.open(bench.estate) as repository:
        repository.update_ref("refs/heads/other", head, None)
    bench.commit(
        bench.edited("ordain.yaml", "protectedBranch: main", "protectedBranch: other"),
        branch="refs/heads/desk",
    )
    with pytest.raises(Untrusted) as caught:
        pin_trust(bench.source(), state)
    assert caught.value.message == (
        f"the ref is refs/heads/other, but {MAIN} was trusted at the first pass"
    )


def test_another_history_is_refused(bench: Bench) -> None:
    state = bench.state()
    pin_trust(bench.source(), state)
    with Repository.open(bench.estate) as repository:
        old = repository.resolve("main")
        tree = repository.commit(old).tree
        who = Identity("data-scientist", "data-scientist@example.org")
        signer = bench.signer("data-scientist")
        new = repository.write_commit(tree, (), "Another beginning", who, bench.now, signer)
        repository.update_ref(MAIN, new, old)
    with pytest.raises(Untrusted) as caught:
        pin_trust(bench.source(), state)
    assert caught.value.message == f"the root is {new}, but {old} was trusted at the first pass"


def test_trusting_again_judges_the_history_from_its_beginning(bench: Bench) -> None:
    reconciler = bench.reconciler()
    head = bench.owner("histology")
    pin_trust(reconciler.source, reconciler.state)
    assert len(reconciler.gate(head).judged) == 2
    assert reconciler.gate(head).judged == ()
    forget_trust(reconciler.state)
    assert reconciler.state.get("good") is None
    assert [one.revision for one in reconciler.gate(head).judged] == [
        reconciler.source.root_commit,
        head,
    ]


def test_the_verdicts_are_in_the_record_and_a_refusal_is_recorded_once(bench: Bench) -> None:
    reconciler = bench.reconciler()
    root = bench.head()
    bad = bench.loosen()
    for _ in range(2):
        gated = reconciler.gate(bad)
        assert gated.good == root
    events = [(one.kind, one.subject) for one in reconciler.ledger.events(kind="gate")]
    assert events == [("gate.passed", root), ("gate.refused", bad)]


# What is no estate


def test_a_directory_without_a_repository_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NotARepository):
        open_source(tmp_path, {"ORDAIN_HOME": str(tmp_path)})


def test_a_repository_without_commits_is_one_clear_error(tmp_path: Path) -> None:
    Repository.init(tmp_path / "estate").close()
    with pytest.raises(NoCommits, match="has no commits yet"):
        open_source(tmp_path / "estate", {"ORDAIN_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "there is no ordain.yaml in the newest commit of"),
        (b"kind: Estate\n", "ordain.yaml is not a valid Estate"),
        (b"{", "ordain.yaml is not a valid Estate"),
    ],
)
def test_a_repository_that_is_no_estate_is_one_clear_error(
    tmp_path: Path, data: bytes | None, said: str
) -> None:
    with Repository.init(tmp_path / "estate") as repository:
        first = None
        for number in (b"1", b"2"):
            files = {"ordain.yaml": data, "other": number} if data else {"other": number}
            commit = repository.write_commit(
                repository.write_tree(first, files),
                () if first is None else (first,),
                "No estate",
                Identity("manager", "manager@example.org"),
                NOW,
            )
            repository.update_ref(MAIN, commit, first)
            first = commit
        with pytest.raises(SpecError, match=said) as caught:
            open_source(repository.path, {"ORDAIN_HOME": str(tmp_path)})
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "there is no ordain.yaml in the newest commit of"),
        (b"kind: Estate\n", "ordain.yaml is not a valid Estate"),
        (b"{", "ordain.yaml is not a valid Estate"),
    ],
)
def test_a_broken_estate_in_the_newest_commit_leaves_the_settings_as_they_were(
    bench: Bench, data: bytes | None, said: str
) -> None:
    desk = "refs/heads/desk"
    bench.commit(
        bench.edited("ordain.yaml", "protectedBranch: main", "protectedBranch: desk"), branch=desk
    )
    bench.commit({"ordain.yaml": b"["}, branch=desk)
    bench.commit({"data/other.csv": b"a\n1\n"}, branch=desk)
    bench.commit({"ordain.yaml": data}, branch=desk)
    source = bench.source()
    assert source.settings.protected_branch == "desk"
    assert source.unusable is not None
    assert source.unusable.message.startswith(said)


def test_a_broken_estate_in_the_newest_commit_cannot_move_the_trusted_ref(bench: Bench) -> None:
    pin_trust(bench.source(), bench.state())
    desk = "refs/heads/desk"
    bench.commit(
        bench.edited("ordain.yaml", "protectedBranch: main", "protectedBranch: desk"), branch=desk
    )
    bench.commit({"ordain.yaml": None}, branch=desk)
    with pytest.raises(Untrusted, match="the ref is refs/heads/desk, but refs/heads/main"):
        pin_trust(bench.source(), bench.state())


def test_an_estate_whose_branch_is_not_there_is_one_clear_error(bench: Bench) -> None:
    bench.commit(
        bench.edited("ordain.yaml", "protectedBranch: main", "protectedBranch: absent"),
        branch="refs/heads/desk",
    )
    with pytest.raises(GitError, match="absent"):
        bench.head()


def test_a_tree_that_cannot_be_read_whole_is_not_planned(bench: Bench) -> None:
    bad = bench.commit({"specs/routes/malignancy.yaml": b"kind: Route\n"})
    reconciler = bench.reconciler()
    with pytest.raises(Exception, match="cannot be read whole"):
        reconciler.plan(read_side(reconciler.source, bad))
