"""Proposals, approvals and merges on plain git, with a bare remote and without."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.specs.errors import FindingsError
from ordain.vcs.errors import (
    ForgeError,
    GitError,
    MergeConflict,
    NoCommits,
    ProposalMoved,
    PushRejected,
    RefMoved,
    UnknownProposal,
    WorkTreeInTheWay,
)
from ordain.vcs.git import Repository
from ordain.vcs.objects import Identity
from ordain.vcs.plain import PlainGit
from ordain.vcs.signatures import signed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from ordain.vcs.approvals import Approval
    from ordain.vcs.forge import Candidate, Forge, Merged, Proposal
    from ordain.vcs.keys import Actor
    from tests.vcs.conftest import Cast

    Write = Callable[..., str]
    Merge = Callable[..., Merged]


@pytest.fixture
def merge(cast: Cast) -> Merge:
    def run(
        forge: Forge,
        proposal: Proposal,
        *,
        actor: Actor = cast["manager"],
        check: Callable[[Candidate], object] = id,
    ) -> Merged:
        title = f"Merge {proposal.id}"
        return forge.merge(proposal, actor=actor, message=title, time=cast.now, check=check)

    return run


@pytest.fixture
def local(tmp_path: Path, commit: Write) -> Iterator[PlainGit]:
    """A repository without a remote, `main` checked out and clean."""
    with Repository.init(tmp_path / "local") as repository:
        head = commit(repository, {"ordain.yaml": b"kind: Estate\n", "gone.yaml": b"x\n"})
        repository.switch_files(repository.write_tree(None, {}), head)
        assert repository.dirty_paths() == ()
        yield PlainGit(repository)


def _fsck(repository: Repository) -> str:
    command = ["git", "fsck", "--full", "--strict"]
    done = subprocess.run(command, cwd=repository.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


# Proposals


def test_a_proposal_is_a_branch_on_the_remote(
    forge: PlainGit, remote: Repository, propose: Write, now: datetime
) -> None:
    identifier = propose(forge)
    (proposal,) = forge.proposals()
    assert identifier == proposal.id == "credit-default-1"
    assert proposal.branch == "ordain/promote/credit-default-1"
    assert (proposal.title, proposal.body) == ("Promote credit-default-1", "Evidence passes.")
    assert (proposal.base, proposal.created) == (remote.resolve("main"), now)
    assert proposal.author == "reconciler <reconciler@example.org>"
    assert remote.resolve(proposal.branch) == proposal.head
    assert forge.change(proposal).names == ("versions/credit-default-1.yaml",)


def test_a_proposal_is_found_by_id_and_by_branch(forge: PlainGit, propose: Write) -> None:
    propose(forge, "a-1")
    propose(forge, "b-1")
    assert forge.proposal("a-1") == forge.proposal("ordain/promote/a-1")
    assert [one.id for one in forge.proposals()] == ["a-1", "b-1"]


def test_a_branch_that_people_have_pushed_is_a_proposal(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write
) -> None:
    head = commit(remote, {"routes.yaml": b"a: 1\n"}, ref="refs/heads/new-route", parent="main")
    propose(forge)
    assert {one.id for one in forge.proposals()} == {"new-route", "credit-default-1"}
    assert forge.proposal("new-route").head == head
    assert forge.change(forge.proposal("new-route")).names == ("routes.yaml",)


def test_a_merged_branch_of_people_is_no_proposal(
    forge: PlainGit, remote: Repository, commit: Write, merge: Merge
) -> None:
    commit(remote, {"routes.yaml": b"a: 1\n"}, ref="refs/heads/new-route", parent="main")
    merge(forge, forge.proposal("new-route"))
    assert forge.proposals() == ()


def test_seen_proposals_ask_nobody(
    forge: PlainGit, remote: Repository, propose: Write, tmp_path: Path
) -> None:
    propose(forge)
    forge.refresh()
    remote.path.rename(tmp_path / "gone.git")
    assert [one.id for one in forge.seen_proposals()] == ["credit-default-1"]
    with pytest.raises(GitError):
        forge.refresh()


def test_a_branch_that_cannot_be_read_hides_no_other(
    forge: PlainGit, remote: Repository, propose: Write
) -> None:
    branch = propose(forge)
    head = remote.refs("refs/heads/main")["refs/heads/main"]
    tree = remote.commit(head).tree
    raw = f"tree {tree}\nparent {head}\nauthor A <a@b> x +0000\ncommitter A <a@b> x +0000\n\nx\n"
    command = ("git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally")
    done = subprocess.run(
        command, cwd=remote.path, input=raw.encode(), capture_output=True, check=True
    )
    odd = done.stdout.decode().strip()
    remote.update_ref("refs/heads/odd", odd, None)
    assert [one.id for one in forge.proposals()] == [forge.proposal(branch).id]
    said = f"the branch odd is no proposal: commit {odd} is malformed"
    assert list(forge.unreadable) == [said]
    remote.update_ref("refs/heads/odd", None, odd)
    forge.proposals()
    assert list(forge.unreadable) == []


def test_no_name_of_a_branch_hides_the_machines_proposal(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write
) -> None:
    name = propose(forge)
    for other in (name, f"ordain/promote/ordain/promote/{name}"):
        commit(remote, {other: b"a: 1\n"}, ref=f"refs/heads/{other}", parent="main")
    assert forge.proposal(f"ordain/promote/{name}").id == name
    assert len({one.id for one in forge.proposals()}) == 2


def test_a_ref_in_the_way_does_not_stop_approvals_and_anchors(
    forge: PlainGit, remote: Repository, commit: Write
) -> None:
    """Git cannot keep a file and a directory of one name; what was approved stays all the same."""
    stem = f"refs/ordain/approvals/{'0' * 64}/manager"
    other = f"refs/ordain/approvals/{'1' * 64}/cto/cto/{'0' * 40}"
    kept = {f"{stem}/manager/{'0' * 40}": "", other: ""}
    for ref in kept:
        kept[ref] = commit(remote, {"a": ref.encode()}, ref=ref)
    forge.refresh()
    assert forge.repository.refs("refs/ordain/approvals/") == kept
    for ref, at in kept.items():
        remote.update_ref(ref, None, at)
    commit(remote, {"a": b"2"}, ref=stem)
    anchored = commit(remote, {"heads.json": b"1"}, ref="refs/ordain/anchors")
    forge.refresh()
    assert forge.repository.refs("refs/ordain/approvals/") == kept
    theirs = "refs/ordain/remote-anchors"
    assert forge.repository.refs(theirs) == {theirs: anchored}


def test_the_anchors_of_the_remote_are_not_taken_for_our_own(
    forge: PlainGit, remote: Repository, commit: Write
) -> None:
    anchors, theirs = "refs/ordain/anchors", "refs/ordain/remote-anchors"
    first = commit(remote, {"heads.json": b"1"}, ref=anchors)
    second = commit(remote, {"heads.json": b"2"}, ref=anchors)
    forge.refresh()
    assert forge.repository.refs("refs/ordain/") == {theirs: second}
    remote.update_ref(anchors, first, second)
    forge.refresh()
    assert forge.repository.refs("refs/ordain/") == {theirs: first}


def test_a_name_that_means_two_proposals_is_refused(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write
) -> None:
    """A branch of people called like the machine's could be approved in its place."""
    name = propose(forge)
    commit(remote, {"routes.yaml": b"a: 1\n"}, ref=f"refs/heads/{name}", parent="main")
    with pytest.raises(ForgeError) as caught:
        forge.proposal(name)
    assert caught.value.message == (f"'{name}' names 2 proposals: {name} and ordain/promote/{name}")
    assert forge.proposal(f"ordain/promote/{name}").branch == f"ordain/promote/{name}"


def test_an_unknown_proposal_gets_a_suggestion(forge: PlainGit, propose: Write) -> None:
    with pytest.raises(UnknownProposal, match=r"no open proposal 'x'; open: none$"):
        forge.proposal("x")
    propose(forge)
    with pytest.raises(UnknownProposal) as caught:
        forge.proposal("credit-defualt-1")
    assert caught.value.message == (
        "there is no open proposal 'credit-defualt-1'; open: credit-default-1"
    )
    assert caught.value.remedy == "did you mean credit-default-1?"


def test_opening_the_same_twice_is_one_proposal(forge: PlainGit, propose: Write) -> None:
    assert propose(forge) == propose(forge)
    with pytest.raises(ForgeError, match="is open already, at another commit"):
        propose(forge, files={"versions/credit-default-1.yaml": b"v: 2\n"})
    assert len(forge.proposals()) == 1


@pytest.mark.parametrize(
    "branch", ["main", "ordain/promote/", "ordain/promote/a/b", "promote/a", "refs/heads/main"]
)
def test_only_a_branch_of_its_own_is_a_proposal(
    forge: PlainGit, commit: Write, branch: str
) -> None:
    head = commit(forge.repository, {"x": b"1"}, ref="refs/heads/x", parent="HEAD")
    with pytest.raises(ForgeError, match="is not the name of a proposal"):
        forge.open_proposal(branch, head, "change", "")


def test_title_and_body_are_the_message(forge: PlainGit, commit: Write) -> None:
    head = commit(forge.repository, {"x": b"1"}, ref="refs/heads/x", parent="HEAD")
    with pytest.raises(ForgeError, match="are its last commit's message"):
        forge.open_proposal("ordain/promote/x", head, "something else", "")


def test_a_commit_that_is_merged_already_is_no_proposal(forge: PlainGit) -> None:
    head = forge.repository.commit("HEAD")
    with pytest.raises(ForgeError, match="brings nothing: main contains"):
        forge.open_proposal("ordain/promote/x", head.id, head.title, "")


def test_another_clone_sees_the_proposal_and_its_end(
    forge: PlainGit, remote: Repository, propose: Write, tmp_path: Path
) -> None:
    with Repository.clone(str(remote.path), tmp_path / "other") as clone:
        other = PlainGit(clone)
        propose(forge)
        proposal = other.proposal("credit-default-1")
        other.close(proposal)
        assert other.proposals() == ()
    assert forge.proposals() == ()
    with pytest.raises(ProposalMoved, match="is gone"):
        forge.close(proposal)


def test_an_empty_remote_has_no_proposals_and_says_so_when_asked_for_more(
    tmp_path: Path, cast: Cast, now: datetime
) -> None:
    Repository.init(tmp_path / "empty.git", bare=True).close()
    with Repository.clone(str(tmp_path / "empty.git"), tmp_path / "clone") as clone:
        forge = PlainGit(clone)
        assert forge.proposals() == ()
        with pytest.raises(NoCommits) as caught:
            forge.approvals("sha256:" + "0" * 64, allowed=cast.allowed, now=now)
        assert caught.value.message == "there is no branch main on origin yet"


def test_a_remote_that_is_gone_is_an_error_and_not_an_empty_list(
    forge: PlainGit, remote: Repository
) -> None:
    remote.path.rename(remote.path.with_name("moved.git"))
    with pytest.raises(GitError, match=r"^git fetch: fatal: "):
        forge.proposals()


def test_the_remote_is_named_or_clear(estate: Repository, tmp_path: Path) -> None:
    with pytest.raises(ForgeError, match="there is no remote 'other'; there are: origin"):
        PlainGit(estate, remote="other")
    for name in ("one", "two"):
        command = ["git", "remote", "add", name, str(tmp_path / "remote.git")]
        subprocess.run(command, cwd=estate.path, check=True)
    assert PlainGit(estate).remote == "origin"
    subprocess.run(["git", "remote", "remove", "origin"], cwd=estate.path, check=True)
    with pytest.raises(ForgeError, match="none of the remotes is origin; there are: one, two"):
        PlainGit(estate)
    assert PlainGit(estate, remote="two").remote == "two"


# Approvals


def _approve(forge: PlainGit, proposal: Proposal, actor: Actor, time: datetime) -> Approval:
    change = forge.change(proposal)
    return forge.approve(proposal, change=change, actor=actor, role="manager", time=time)


def test_an_approval_is_pushed_and_seen_by_all(
    forge: PlainGit, remote: Repository, propose: Write, cast: Cast, tmp_path: Path
) -> None:
    proposal = forge.proposal(propose(forge))
    given = _approve(forge, proposal, cast["manager"], cast.now)
    with Repository.clone(str(remote.path), tmp_path / "other") as clone:
        digest = forge.change(proposal).digest
        found = PlainGit(clone).approvals(digest, allowed=cast.allowed, now=cast.now)
    assert found.valid == (given,)
    assert forge.approvals(digest, allowed=cast.allowed, now=cast.now) == found


def test_an_approval_can_be_renewed(
    forge: PlainGit, propose: Write, cast: Cast, now: datetime
) -> None:
    proposal = forge.proposal(propose(forge))
    actor, later = cast["manager"], now + timedelta(hours=1)
    _approve(forge, proposal, actor, now)
    second = _approve(forge, proposal, actor, later)
    digest = forge.change(proposal).digest
    assert forge.approvals(digest, allowed=cast.allowed, now=later).valid == (second,)


@pytest.mark.parametrize("first", ["the approval", "something else"])
def test_what_somebody_puts_in_the_place_of_an_approval_does_not_undo_it(
    forge: PlainGit, remote: Repository, propose: Write, cast: Cast, tmp_path: Path, first: str
) -> None:
    """Whatever a clone has seen first under that name, it keeps both."""
    proposal = forge.proposal(propose(forge))
    given = _approve(forge, proposal, cast["manager"], cast.now)
    digest = forge.change(proposal).digest
    ref, _, commit = given.proof.partition("@")
    other = remote.write_commit(remote.write_tree(None, {}), (), "x", *_nobody(cast.now))
    order = [commit, other, commit, other] if first == "the approval" else [other, commit, other]
    with Repository.clone(str(remote.path), tmp_path / "other") as clone:
        for content in order:
            remote.update_ref(ref, content, remote.refs(ref).get(ref))
            found = PlainGit(clone).approvals(digest, allowed=cast.allowed, now=cast.now)
        assert found.valid == (given,)
        assert [one.proof for one in found.rejected] == [f"{ref}@{other}"]


def _nobody(time: datetime) -> tuple[Identity, datetime]:
    return Identity("nobody", "nobody@example.org"), time


def test_what_has_changed_since_it_was_looked_at_is_not_approved_or_merged(
    forge: PlainGit,
    remote: Repository,
    propose: Write,
    commit: Write,
    merge: Merge,
    cast: Cast,
) -> None:
    proposal = forge.proposal(propose(forge))
    new = commit(remote, {"more": b"1"}, ref=f"refs/heads/{proposal.branch}")
    for act in (
        lambda: _approve(forge, proposal, cast["manager"], cast.now),
        lambda: merge(forge, proposal),
        lambda: forge.close(proposal),
    ):
        with pytest.raises(ProposalMoved) as caught:
            act()
        assert caught.value.message == (
            f"{proposal.branch} is at {new}, it was at {proposal.head} when it was looked at"
        )


def test_an_approval_outlives_a_merge_beside_it(
    forge: PlainGit, propose: Write, merge: Merge, cast: Cast, now: datetime
) -> None:
    first, second = (forge.proposal(propose(forge, name)) for name in ("a-1", "b-1"))
    _approve(forge, second, cast["manager"], now)
    merge(forge, first)
    seen: list[Candidate] = []
    merge(forge, forge.proposal("b-1"), check=seen.append)
    digest = seen[0].change.digest
    assert len(forge.approvals(digest, allowed=cast.allowed, now=now).valid) == 1


# Merging with a remote


def test_a_merge_has_two_parents_and_the_signature_of_who_merged(
    forge: PlainGit, remote: Repository, propose: Write, merge: Merge, cast: Cast
) -> None:
    before = remote.resolve("main")
    proposal = forge.proposal(propose(forge))
    merged = merge(forge, proposal)
    commit = remote.commit("main")
    assert (commit.id, commit.tree, merged.notes) == (merged.commit, merged.tree, ())
    assert commit.parents == (before, proposal.head)
    assert commit.title == "Merge credit-default-1"
    assert signed_by(remote, "main", cast.allowed, cast.now) == "manager"
    assert set(remote.refs("refs/heads/")) == {"refs/heads/main"}
    assert forge.proposals() == ()
    assert _fsck(remote) == ""


def test_a_clean_work_tree_on_main_follows(forge: PlainGit, propose: Write, merge: Merge) -> None:
    (forge.repository.path / "untracked").write_text("mine")
    merged = merge(forge, forge.proposal(propose(forge)))
    assert forge.repository.resolve("HEAD") == merged.commit
    assert forge.repository.branch() == "main"
    assert forge.repository.dirty_paths() == ("untracked",)
    assert (forge.repository.path / "versions" / "credit-default-1.yaml").read_text() == "v: 1\n"


def test_main_follows_while_another_branch_is_checked_out(
    forge: PlainGit, propose: Write, merge: Merge
) -> None:
    subprocess.run(["git", "switch", "-qc", "x"], cwd=forge.repository.path, check=True)
    merged = merge(forge, forge.proposal(propose(forge)))
    assert merged.notes == ()
    assert forge.repository.resolve("main") == merged.commit
    assert forge.repository.resolve("x") != merged.commit
    assert forge.repository.dirty_paths() == ()


def test_uncommitted_changes_stay_and_are_mentioned(
    forge: PlainGit, remote: Repository, propose: Write, merge: Merge
) -> None:
    (forge.repository.path / "README.md").write_text("mine")
    before = forge.repository.resolve("main")
    merged = merge(forge, forge.proposal(propose(forge)))
    assert merged.notes == (
        (
            "the local main has uncommitted changes and stays; "
            "bring it up by hand: git merge --ff-only origin/main"
        ),
    )
    assert remote.resolve("main") == merged.commit
    assert forge.repository.resolve("main") == before
    assert (forge.repository.path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("ignored", [False, True])
def test_an_untracked_file_in_the_way_is_not_overwritten(
    forge: PlainGit,
    propose: Write,
    merge: Merge,
    ignored: bool,  # noqa: FBT001
) -> None:
    path = forge.repository.path
    (path / "new.yaml").write_text("mine")
    (path / ".git" / "info").mkdir(exist_ok=True)
    (path / ".git" / "info" / "exclude").write_text("new.yaml\n" if ignored else "")
    merged = merge(forge, forge.proposal(propose(forge, files={"new.yaml": b"theirs"})))
    assert len(merged.notes) == 1
    assert merged.notes[0].startswith("the local main stays (git merge: ")
    assert (path / "new.yaml").read_text() == "mine"
    assert forge.repository.resolve("main") != merged.commit


def test_commits_of_ones_own_stay_and_are_mentioned(
    forge: PlainGit, propose: Write, commit: Write, merge: Merge
) -> None:
    mine = commit(forge.repository, {"mine": b"1"})
    merged = merge(forge, forge.proposal(propose(forge)))
    assert merged.notes[0].startswith("the local main has commits of its own and stays")
    assert forge.repository.resolve("main") == mine


def test_main_in_another_work_tree_stays_and_is_mentioned(
    forge: PlainGit, propose: Write, merge: Merge, tmp_path: Path
) -> None:
    path = forge.repository.path
    subprocess.run(["git", "switch", "-qc", "x"], cwd=path, check=True)
    command = ["git", "worktree", "add", "-q", str(tmp_path / "second"), "main"]
    subprocess.run(command, cwd=path, check=True)
    merged = merge(forge, forge.proposal(propose(forge)))
    assert f"is checked out in {tmp_path / 'second'} and stays" in merged.notes[0]


def test_the_check_sees_the_result_before_anything_moves(
    forge: PlainGit, remote: Repository, propose: Write, merge: Merge
) -> None:
    proposal = forge.proposal(propose(forge))
    before = remote.refs("refs/")

    def refuse(candidate: Candidate) -> None:
        assert remote.refs("refs/") == before
        assert candidate.proposal == proposal
        assert candidate.onto == remote.resolve("main")
        tree = forge.repository.tree(candidate.tree)
        assert set(tree) == {
            "README.md",
            "model.yaml",
            "ordain.yaml",
            "versions/credit-default-1.yaml",
        }
        assert candidate.change.digest == forge.change(proposal).digest
        raise FindingsError("two approvals are missing", ())

    with pytest.raises(FindingsError, match="two approvals are missing"):
        merge(forge, proposal, check=refuse)
    assert remote.refs("refs/") == before


def test_the_change_is_another_when_main_touched_the_same_file(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write, merge: Merge
) -> None:
    lines = [f"line {number}\n".encode() for number in range(9)]
    commit(remote, {"long": b"".join(lines)})
    forge.proposals()
    proposal = forge.proposal(propose(forge, files={"long": b"".join([b"top\n", *lines])}))
    commit(remote, {"long": b"".join([*lines, b"end\n"])})
    seen: list[Candidate] = []
    merge(forge, proposal, check=seen.append)
    assert seen[0].change.digest != forge.change(proposal).digest
    assert remote.read("main", "long") == b"".join([b"top\n", *lines, b"end\n"])


def test_a_conflict_changes_nothing(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write, merge: Merge
) -> None:
    proposal = forge.proposal(propose(forge, files={"README.md": b"One.\n"}))
    commit(remote, {"README.md": b"Other.\n"})
    before = remote.refs("refs/")
    with pytest.raises(MergeConflict, match=r"changed the same lines of README\.md"):
        merge(forge, proposal)
    assert remote.refs("refs/") == before


def test_a_push_between_check_and_merge_wins(
    forge: PlainGit, remote: Repository, commit: Write, propose: Write, merge: Merge
) -> None:
    proposal = forge.proposal(propose(forge))
    with pytest.raises(PushRejected) as caught:
        merge(forge, proposal, check=lambda _: commit(remote, {"fast": b"1"}))
    assert caught.value.reason == "stale info"
    assert set(remote.tree("main")) == {"README.md", "fast", "model.yaml", "ordain.yaml"}
    assert merge(forge, forge.proposal(proposal.id)).commit == remote.resolve("main")


def test_a_branch_that_cannot_be_deleted_is_mentioned_and_no_longer_listed(
    forge: PlainGit, remote: Repository, propose: Write, merge: Merge
) -> None:
    command = ["git", "config", "receive.denyDeletes", "true"]
    subprocess.run(command, cwd=remote.path, check=True)
    merged = merge(forge, forge.proposal(propose(forge)))
    assert remote.resolve("main") == merged.commit
    assert merged.notes[0].startswith("the branch ordain/promote/credit-default-1 stays: ")
    assert forge.proposals() == ()


def test_of_eight_merges_at_once_exactly_one_wins(
    remote: Repository, estate: Repository, propose: Write, merge: Merge, tmp_path: Path
) -> None:
    names = [f"m-{number}" for number in range(8)]
    for name in names:
        propose(PlainGit(estate), name)
    before, together = remote.resolve("main"), threading.Barrier(8)
    results: dict[str, Merged | Exception] = {}

    def run(name: str) -> None:
        with Repository.clone(str(remote.path), tmp_path / name) as clone:
            forge = PlainGit(clone)
            try:
                proposal = forge.proposal(name)
                results[name] = merge(forge, proposal, check=lambda _: together.wait(5))
            except PushRejected as error:
                results[name] = error

    _all(run, names)
    winners = [one for one in results.values() if not isinstance(one, Exception)]
    assert len(results) == 8
    assert len(winners) == 1
    assert remote.resolve("main") == winners[0].commit
    assert remote.first_parent(before, "main") == (winners[0].commit,)
    assert _fsck(remote) == ""


def _all(run: Callable[[str], None], names: list[str]) -> None:
    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Without a remote


def test_without_a_remote_all_of_it_is_local(
    local: PlainGit, propose: Write, merge: Merge, cast: Cast, now: datetime
) -> None:
    proposal = local.proposal(propose(local, files={"new.yaml": b"v: 1\n", "gone.yaml": None}))
    _approve(local, proposal, cast["manager"], now)
    digest = local.change(proposal).digest
    found = local.approvals(digest, allowed=cast.allowed, now=now)
    assert [one.person for one in found.valid] == ["manager"]
    merged = merge(local, proposal)
    assert merged.notes == ()
    assert local.repository.resolve("HEAD") == merged.commit
    assert local.repository.dirty_paths() == ()
    assert {path.name for path in local.repository.path.iterdir()} == {
        ".git",
        "new.yaml",
        "ordain.yaml",
    }
    assert set(local.repository.refs("refs/heads/")) == {"refs/heads/main"}


def test_a_bare_repository_is_a_forge_too(
    tmp_path: Path, commit: Write, propose: Write, merge: Merge
) -> None:
    with Repository.init(tmp_path / "bare.git", bare=True) as bare:
        commit(bare, {"ordain.yaml": b"x"})
        forge = PlainGit(bare)
        merged = merge(forge, forge.proposal(propose(forge)))
        assert bare.resolve("main") == merged.commit


def test_a_dirty_work_tree_stops_a_local_merge_before_it_begins(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    proposal = local.proposal(propose(local))
    before = local.repository.refs("refs/")
    (local.repository.path / "ordain.yaml").write_text("mine")
    with pytest.raises(WorkTreeInTheWay) as caught:
        merge(local, proposal)
    assert caught.value.message == (
        "the merge would tread on the work tree: main is checked out and has uncommitted changes"
    )
    assert local.repository.refs("refs/") == before


def test_a_file_that_was_only_touched_stops_nothing(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    (local.repository.path / "ordain.yaml").touch()
    proposal = local.proposal(propose(local, files={"ordain.yaml": b"kind: Estate # 2\n"}))
    merged = merge(local, proposal)
    assert merged.notes == ()
    assert (local.repository.path / "ordain.yaml").read_bytes() == b"kind: Estate # 2\n"


def test_an_untracked_file_stops_a_local_merge_only_when_it_is_in_the_way(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    path = local.repository.path
    (path / "beside.yaml").write_text("mine")
    merge(local, local.proposal(propose(local, "a-1")))
    (path / "new.yaml").write_text("mine")
    proposal = local.proposal(propose(local, "b-1", files={"new.yaml": b"theirs"}))
    with pytest.raises(WorkTreeInTheWay, match=r"'new.yaml' would be overwritten"):
        merge(local, proposal)
    assert (path / "new.yaml").read_text() == "mine"
    assert local.repository.dirty_paths() == ("beside.yaml", "new.yaml")


def test_a_detached_head_lets_the_branch_move_alone(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    before = local.repository.resolve("HEAD")
    subprocess.run(["git", "checkout", "-q", before], cwd=local.repository.path, check=True)
    merged = merge(local, local.proposal(propose(local)))
    assert local.repository.resolve("main") == merged.commit
    assert local.repository.resolve("HEAD") == before
    assert local.repository.dirty_paths() == ()


def test_a_checked_out_proposal_is_merged_and_its_branch_kept(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    proposal = local.proposal(propose(local))
    path = local.repository.path
    subprocess.run(["git", "switch", "-q", proposal.branch], cwd=path, check=True)
    with pytest.raises(WorkTreeInTheWay, match="it is checked out in"):
        local.close(proposal)
    merged = merge(local, proposal)
    assert merged.notes == (f"the branch {proposal.branch} stays: it is checked out in {path}",)
    assert local.repository.resolve("HEAD") == proposal.head


def test_a_commit_between_check_and_local_merge_wins(
    local: PlainGit, commit: Write, propose: Write, merge: Merge
) -> None:
    subprocess.run(["git", "switch", "-qc", "x"], cwd=local.repository.path, check=True)
    proposal = local.proposal(propose(local))
    with pytest.raises(RefMoved, match=r"^refs/heads/main is not at "):
        merge(local, proposal, check=lambda _: commit(local.repository, {"fast": b"1"}))


def test_of_eight_local_merges_at_once_exactly_one_wins(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    names = [f"m-{number}" for number in range(8)]
    for name in names:
        propose(local, name)
    before, together = local.repository.resolve("main"), threading.Barrier(8)
    won: list[str] = []
    lost: list[str] = []

    def run(name: str) -> None:
        with Repository.open(local.repository.path) as repository:
            forge = PlainGit(repository)
            try:
                proposal = forge.proposal(name)
                won.append(merge(forge, proposal, check=lambda _: together.wait(5)).commit)
            except RefMoved:
                lost.append(name)

    _all(run, names)
    assert (len(won), len(lost)) == (1, 7)
    assert local.repository.first_parent(before, "main") == (won[0],)
    assert local.repository.dirty_paths() == ()
    assert _fsck(local.repository) == ""


def test_the_author_a_branch_names_has_no_say(
    forge: PlainGit, remote: Repository, propose: Write, merge: Merge, cast: Cast
) -> None:
    spoofed = replace(cast["data-scientist"], who=cast["manager"].who)
    merge(forge, forge.proposal(propose(forge)), actor=spoofed)
    assert remote.commit("main").author.name == "manager"
    assert signed_by(remote, "main", cast.allowed, cast.now) == "data-scientist"


def test_a_rehearsal_does_not_need_the_index_for_itself(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    proposal = local.proposal(propose(local))
    lock = local.repository.path / ".git" / "index.lock"

    def let_go(_: Candidate) -> None:
        lock.unlink()

    lock.touch()
    assert merge(local, proposal, check=let_go).notes == ()


def test_an_index_in_use_leaves_the_files_behind_and_says_how_to_go_on(
    local: PlainGit, propose: Write, merge: Merge
) -> None:
    before = local.repository.resolve("main")
    proposal = local.proposal(propose(local))
    lock = local.repository.path / ".git" / "index.lock"
    lock.touch()
    merged = merge(local, proposal)
    assert local.repository.resolve("main") == merged.commit
    assert merged.notes[0].startswith(f"the work tree still has the files of {before} (")
    lock.unlink()
    command = merged.notes[0].partition("by hand: ")[2].split()
    subprocess.run(command, cwd=local.repository.path, check=True)
    assert local.repository.dirty_paths() == ()


def test_a_repository_that_is_the_truth_itself_asks_none_of_its_remotes(estate: Repository) -> None:
    """The copy that a server keeps was cloned from somewhere, and has gone its own way since."""
    assert PlainGit(estate).target_ref == "refs/remotes/origin/main"
    assert PlainGit(estate, alone=True).target_ref == "refs/heads/main"
    assert PlainGit(estate, alone=True).remote is None
