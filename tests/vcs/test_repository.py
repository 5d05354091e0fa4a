"""Opening, reading and writing repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.errors import (
    CorruptObject,
    GitError,
    GitMissing,
    GitTimeout,
    GitTooOld,
    MergeConflict,
    MissingPath,
    NoCommits,
    NotARepository,
    PushRejected,
    RefMoved,
    ShallowClone,
    UnknownRevision,
    UnrelatedHistories,
)
from ordain.vcs.git import Repository
from ordain.vcs.objects import Identity, parse_commit

if TYPE_CHECKING:
    from collections.abc import Callable

WHO = Identity("data-scientist", "data-scientist@example.org")
TIME = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ODD = ("with space.yaml", "zürich/größe.yaml", "two\nlines.yaml", "tab\there", '"quoted".yaml')


def test_a_directory_inside_leads_to_the_top(estate: Repository) -> None:
    inner = estate.path / "specs" / "models"
    inner.mkdir(parents=True)
    with Repository.open(inner) as found:
        assert (found.path, found.bare) == (estate.path, False)


def test_a_plain_directory_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(NotARepository) as caught:
        Repository.open(tmp_path)
    assert "not a git repository" in caught.value.message
    assert caught.value.remedy == "run git init, or name the directory of the estate"


def test_a_missing_directory_and_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotARepository, match=r"nowhere does not exist$"):
        Repository.open(tmp_path / "nowhere")
    with pytest.raises(NotARepository, match="is a file, not a directory"):
        Repository.open(tmp_path / "file")


def test_the_inside_of_a_git_directory_is_not_an_estate(estate: Repository) -> None:
    with pytest.raises(NotARepository, match="lies inside a git directory"):
        Repository.open(estate.path / ".git")


def test_a_machine_without_git_is_told_so(
    estate: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.close()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GitMissing, match="the program git is not on the PATH"):
        estate.resolve("HEAD")
    with pytest.raises(GitMissing):
        estate.commit("a" * 40)


def test_variables_of_a_hook_do_not_lead_elsewhere(
    estate: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "remote.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "broken")
    with Repository.open(estate.path) as found:
        assert found.path == estate.path
        assert found.dirty_paths() == ()


def test_a_repository_without_commits_says_so(repository: Repository) -> None:
    for ask in (repository.resolve, repository.tree, repository.commit):
        with pytest.raises(NoCommits) as caught:
            ask("HEAD")
        assert caught.value.message == (
            f"{repository.path} has no commits yet, so 'HEAD' names nothing"
        )
    assert repository.branch() == "main"
    assert repository.dirty_paths() == ()
    assert repository.refs("refs/") == {}


@pytest.mark.parametrize("name", ["nothing", "", "a b", "--all", "-n1", "f" * 39, "HEAD~99"])
def test_an_unknown_revision_is_named(estate: Repository, name: str) -> None:
    with pytest.raises(UnknownRevision) as caught:
        estate.resolve(name)
    assert caught.value.message == f"{name!r} names no commit in {estate.path}"


def test_an_unknown_id_is_not_a_commit(estate: Repository) -> None:
    with pytest.raises(UnknownRevision, match="is not a commit of"):
        estate.commit("a" * 40)
    with pytest.raises(UnknownRevision, match="Not a valid commit name"):
        estate.is_ancestor("a" * 40, "HEAD")


def test_a_detached_head_reads_like_any_other(estate: Repository) -> None:
    subprocess.run(["git", "checkout", "-q", "HEAD~1"], cwd=estate.path, check=True)
    assert estate.branch() is None
    assert estate.resolve("HEAD") == estate.commit("main").parents[0]
    assert set(estate.tree("HEAD")) == {"ordain.yaml", "model.yaml"}


def test_any_path_that_git_holds_can_be_read_and_written(
    repository: Repository, commit: Callable[..., str]
) -> None:
    files = {path: path.encode() for path in ODD}
    head = commit(repository, files)
    assert sorted(repository.tree(head)) == sorted(ODD)
    assert {path: repository.read(head, path) for path in ODD} == files
    head = commit(repository, dict.fromkeys(ODD[1:]))
    assert list(repository.tree(head)) == [ODD[0]]


def test_a_path_outside_utf8_survives(repository: Repository, commit: Callable[..., str]) -> None:
    path = os.fsdecode(b"caf\xe9.yaml")
    head = commit(repository, {path: b"x"})
    assert repository.read(head, path) == b"x"


@pytest.mark.parametrize("path", ["../x", ".git/config", "a//b", "/etc/x", "", "a/./b"])
def test_a_path_that_git_refuses_is_not_left_out_in_silence(
    repository: Repository, path: str
) -> None:
    with pytest.raises(GitError, match="git update-index: "):
        repository.write_tree(None, {path: b"x"})


def test_removing_a_refused_path_is_an_error_too(repository: Repository) -> None:
    with pytest.raises(GitError, match="git update-index: "):
        repository.write_tree(None, {"../x": None})


def test_links_and_submodules_are_shown_with_their_modes(estate: Repository) -> None:
    (estate.path / "link").symlink_to("/etc/passwd")
    line = f"160000,{estate.resolve('HEAD')},vendor"
    subprocess.run(["git", "add", "link"], cwd=estate.path, check=True)
    subprocess.run(
        ["git", "update-index", "--add", "--cacheinfo", line], cwd=estate.path, check=True
    )
    done = subprocess.run(
        ["git", "write-tree"], cwd=estate.path, check=True, capture_output=True, text=True
    )
    entries = estate.tree(done.stdout.strip())
    assert entries["link"].mode == "120000"
    assert entries["vendor"].mode == "160000"
    assert entries["ordain.yaml"].mode == "100644"


def test_a_missing_file_and_a_directory_are_not_files(
    estate: Repository, commit: Callable[..., str]
) -> None:
    head = commit(estate, {"specs/model.yaml": b"x"}, ref="refs/heads/other")
    for path in ("nothing.yaml", "specs", ""):
        with pytest.raises(MissingPath, match=f"there is no file {path!r} in {head}"):
            estate.read(head, path)


def test_writing_a_tree_touches_neither_index_nor_files(estate: Repository) -> None:
    before = (estate.path / ".git" / "index").read_bytes()
    tree = estate.write_tree("HEAD", {"new.yaml": b"new", "README.md": None})
    assert set(estate.tree(tree)) == {"ordain.yaml", "model.yaml", "new.yaml"}
    assert (estate.path / ".git" / "index").read_bytes() == before
    assert estate.dirty_paths() == ()
    assert not (estate.path / "new.yaml").exists()


def test_an_executable_file_stays_executable(estate: Repository) -> None:
    subprocess.run(["git", "update-index", "--chmod=+x", "README.md"], cwd=estate.path, check=True)
    done = subprocess.run(
        ["git", "write-tree"], cwd=estate.path, check=True, capture_output=True, text=True
    )
    tree = estate.write_tree(done.stdout.strip(), {"README.md": b"other"})
    assert estate.tree(tree)["README.md"].mode == "100755"


def test_a_commit_comes_back_as_it_was_written(repository: Repository) -> None:
    tree = repository.write_tree(None, {"a": b"1"})
    first = repository.write_commit(tree, (), "First\n\nWhy: größer.\n", WHO, TIME)
    second = repository.write_commit(tree, (first,), "Second", WHO, TIME)
    read = repository.commit(second)
    assert (read.tree, read.parents, read.title) == (tree, (first,), "Second")
    assert (read.author, read.committer, read.time, read.signature) == (WHO, WHO, TIME, None)
    read = repository.commit(first)
    assert (read.title, read.body, read.parents) == ("First", "Why: größer.", ())


def test_an_identity_cannot_smuggle_a_header(repository: Repository) -> None:
    tree = repository.write_tree(None, {"a": b"1"})
    with pytest.raises(ValueError, match="cannot hold"):
        repository.write_commit(tree, (), "x", Identity("a>\nparent 0", "a@example.org"), TIME)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"tree a\n\nno author",
        b"parent a\ntree b\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx",
        b"tree a\nauthor a <a> zero +0000\ncommitter a <a> 0 +0000\n\nx",
        b"tree a\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\nparent late\n\nx",
    ],
)
def test_a_malformed_commit_is_refused(raw: bytes) -> None:
    with pytest.raises(CorruptObject, match=r"^commit abc is malformed$"):
        parse_commit("abc", raw)


@pytest.mark.parametrize("zone", ["+9999", "-2400", "+2359"])
def test_whatever_zone_a_commit_is_dated_in_the_moment_is_known(zone: str) -> None:
    stamp = f"a <a> 1700000000 {zone}"
    raw = f"tree a\nauthor {stamp}\ncommitter {stamp}\n\nx".encode()
    assert parse_commit("abc", raw).time.timestamp() == 1_700_000_000


def test_two_thousand_blobs_cost_one_process(repository: Repository) -> None:
    tree = repository.write_tree(None, {"start": b""})
    assert tree
    lines = "".join(
        f"blob\nmark :{number}\ndata {len(str(number) * 300)}\n{str(number) * 300}\n"
        for number in range(1, 2001)
    )
    subprocess.run(
        ["git", "fast-import", "--quiet", "--export-marks=marks"],
        cwd=repository.path,
        input=lines.encode(),
        check=True,
    )
    ids = [line.split()[1] for line in (repository.path / "marks").read_text().splitlines()]
    repository.read_many(ids[:1])
    start = time.process_time()
    contents = repository.read_many(ids)
    assert time.process_time() - start < 0.2
    assert len(contents) == 2000
    assert repository._objects._process is not None


def test_a_new_object_is_seen_by_the_open_process(
    repository: Repository, commit: Callable[..., str]
) -> None:
    first = commit(repository, {"a": b"1"})
    assert repository.read(first, "a") == b"1"
    second = commit(repository, {"a": b"2"})
    assert repository.read(second, "a") == b"2"


def _loose(repository: Repository, name: str) -> Path:
    path = repository.path / ".git" / "objects" / name[:2] / name[2:]
    path.chmod(0o600)
    return path


def test_a_damaged_object_is_a_clear_error_and_not_the_end(repository: Repository) -> None:
    good, bad = repository.write_blob(b"good"), repository.write_blob(b"bad")
    _loose(repository, bad).write_bytes(b"garbage")
    with pytest.raises(CorruptObject) as caught:
        repository.read_many([bad])
    assert bad in caught.value.message
    assert caught.value.remedy.startswith("run git fsck")
    assert repository.read_many([good]) == {good: b"good"}


def test_an_object_under_a_false_name_is_found_out(repository: Repository) -> None:
    good, bad = repository.write_blob(b"good"), repository.write_blob(b"bad")
    _loose(repository, bad).write_bytes(_loose(repository, good).read_bytes())
    with pytest.raises(CorruptObject, match=f"object {bad} cannot be read"):
        repository.read_many([bad])


def test_a_missing_object_is_a_clear_error(repository: Repository) -> None:
    with pytest.raises(CorruptObject, match=f"object {'a' * 40} is missing"):
        repository.read_many(["a" * 40])


def test_a_damaged_commit_is_corrupt_and_not_unknown(
    repository: Repository, commit: Callable[..., str]
) -> None:
    head = commit(repository, {"a": b"1"})
    _loose(repository, head).write_bytes(b"")
    with pytest.raises(CorruptObject):
        repository.resolve("HEAD")


def test_replace_refs_and_grafts_do_not_change_history(
    repository: Repository, commit: Callable[..., str]
) -> None:
    first = commit(repository, {"a": b"1"})
    second = commit(repository, {"a": b"2"})
    subprocess.run(["git", "replace", second, first], cwd=repository.path, check=True)
    (repository.path / ".git" / "info").mkdir(exist_ok=True)
    (repository.path / ".git" / "info" / "grafts").write_text(second + "\n")
    assert repository.read(second, "a") == b"2"
    assert repository.root_commit("HEAD") == first


def test_the_first_parent_line_is_oldest_first(
    repository: Repository, commit: Callable[..., str]
) -> None:
    ids = [commit(repository, {"a": str(n).encode()}) for n in range(3)]
    assert repository.first_parent(ids[0], "main") == tuple(ids[1:])
    assert repository.first_parent(None, "main") == tuple(ids)
    assert repository.first_parent("main", "main") == ()


def test_a_base_beside_the_line_is_refused(
    repository: Repository, commit: Callable[..., str]
) -> None:
    root = commit(repository, {"a": b"1"})
    side = commit(repository, {"b": b"1"}, ref="refs/heads/side", parent=root)
    main = commit(repository, {"c": b"1"})
    tree = repository.merge_tree(main, side)
    merge = repository.write_commit(tree, (main, side), "merge", WHO, TIME)
    assert repository.first_parent(root, merge) == (main, merge)
    with pytest.raises(GitError, match=f"{side} is not on the first-parent line of {merge}"):
        repository.first_parent(side, merge)
    with pytest.raises(GitError, match="is not on the first-parent line"):
        repository.first_parent(merge, main)


def test_ancestry(repository: Repository, commit: Callable[..., str]) -> None:
    root = commit(repository, {"a": b"1"})
    side = commit(repository, {"b": b"1"}, ref="refs/heads/side", parent=root)
    main = commit(repository, {"c": b"1"})
    tree = repository.write_tree(None, {})
    alone = repository.write_commit(tree, (), "alone", WHO, TIME)
    assert repository.is_ancestor(root, main)
    assert not repository.is_ancestor(side, main)
    assert repository.merge_base(side, main) == root
    assert repository.merge_base(alone, main) is None


def test_a_merged_in_root_does_not_change_the_identity_of_an_estate(
    repository: Repository, commit: Callable[..., str]
) -> None:
    root = commit(repository, {"a": b"1"})
    tree = repository.write_tree(None, {})
    alone = repository.write_commit(tree, (), "alone", WHO, TIME)
    merge = repository.write_commit(tree, (root, alone), "merge", WHO, TIME)
    assert repository.root_commits(merge) == tuple(sorted((root, alone)))
    assert repository.root_commit(merge) == root


def test_a_shallow_clone_does_not_know_its_root(tmp_path: Path, estate: Repository) -> None:
    url = f"file://{estate.path}"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, tmp_path / "shallow"], check=True)
    with Repository.open(tmp_path / "shallow") as shallow, pytest.raises(ShallowClone) as caught:
        shallow.root_commit("HEAD")
    assert caught.value.remedy == "fetch the whole history: git fetch --unshallow"


def test_dirty_paths_are_all_that_differ(estate: Repository) -> None:
    (estate.path / "model.yaml").write_text("changed")
    (estate.path / "README.md").unlink()
    (estate.path / "new file").write_text("new")
    (estate.path / ".gitignore").write_text("ignored\n")
    (estate.path / "ignored").write_text("x")
    assert estate.dirty_paths() == (".gitignore", "README.md", "model.yaml", "new file")
    assert estate.dirty_paths(untracked=False) == ("README.md", "model.yaml")


def test_a_conflict_names_the_files(repository: Repository, commit: Callable[..., str]) -> None:
    root = commit(repository, {"a b": b"1\n", "c": b"1\n"})
    side = commit(repository, {"a b": b"2\n"}, ref="refs/heads/side", parent=root)
    main = commit(repository, {"a b": b"3\n"})
    with pytest.raises(MergeConflict) as caught:
        repository.merge_tree(main, side)
    assert caught.value.paths == ("a b",)
    assert caught.value.message == "the two sides changed the same lines of a b"


@pytest.mark.parametrize("place", [".gitattributes", ".git/info/attributes", "user", "HEAD"])
def test_what_a_merge_gives_does_not_depend_on_attributes(
    place: str,
    repository: Repository,
    commit: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A work tree that lets git keep both sides would see another merge than everybody else."""
    line = b"* merge=union\n"
    root = commit(repository, {"a": b"1\n", ".gitattributes": line if place == "HEAD" else b""})
    side = commit(repository, {"a": b"2\n"}, ref="refs/heads/side", parent=root)
    main = commit(repository, {"a": b"3\n"})
    if place == "user":
        (tmp_path / "attributes").write_bytes(line)
        (tmp_path / "config").write_text(f"[core]\n\tattributesFile = {tmp_path / 'attributes'}\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    elif place == "HEAD":
        repository.switch_files(repository.write_tree(None, {}), main)
    else:
        (repository.path / place).parent.mkdir(exist_ok=True)
        (repository.path / place).write_bytes(line)
    with pytest.raises(MergeConflict):
        repository.merge_tree(main, side)


def test_a_merge_of_a_repository_with_longer_ids(tmp_path: Path) -> None:
    where = tmp_path / "longer"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", where], check=True)
    with Repository.open(where) as longer:
        root = longer.write_commit(longer.write_tree(None, {"a": b"1\n"}), (), "x", WHO, TIME)
        one, other = (
            longer.write_commit(longer.write_tree(root, {name: b"2\n"}), (root,), "x", WHO, TIME)
            for name in ("b", "c")
        )
        assert sorted(longer.tree(longer.merge_tree(one, other))) == ["a", "b", "c"]


def test_a_damaged_git_directory_is_not_to_be_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(NotARepository) as caught:
        Repository.open(tmp_path)
    assert caught.value.remedy == (
        f"see whether {tmp_path / '.git'} is yours, can be read and is whole"
    )


def test_unrelated_histories_do_not_merge(
    repository: Repository, commit: Callable[..., str]
) -> None:
    main = commit(repository, {"a": b"1\n"})
    tree = repository.write_tree(None, {})
    alone = repository.write_commit(tree, (), "alone", WHO, TIME)
    with pytest.raises(UnrelatedHistories) as caught:
        repository.merge_tree(main, alone)
    assert caught.value.message == f"{alone} has no history in common with {main}"
    assert caught.value.remedy == "begin the branch at a commit of the estate"


def test_a_ref_moves_only_from_where_it_is_expected(
    repository: Repository, commit: Callable[..., str]
) -> None:
    first = commit(repository, {"a": b"1"})
    second = commit(repository, {"a": b"2"})
    for new, old in ((first, first), (None, first), (first, None)):
        with pytest.raises(RefMoved, match=r"^refs/heads/main is not at "):
            repository.update_ref("refs/heads/main", new, old)
    with pytest.raises(RefMoved):
        repository.update_ref("refs/heads/gone", first, second)
    assert repository.refs("refs/") == {"refs/heads/main": second}
    repository.update_ref("refs/heads/main", first, second)
    repository.update_ref("refs/ordain/x", first, None)
    repository.update_ref("refs/heads/main", None, first)
    assert repository.refs("refs/") == {"refs/ordain/x": first}


def test_a_forgotten_lock_is_told_from_a_race(
    repository: Repository, commit: Callable[..., str]
) -> None:
    first = commit(repository, {"a": b"1"})
    (repository.path / ".git" / "refs" / "heads" / "main.lock").write_text("")
    with pytest.raises(GitError) as caught:
        repository.update_ref("refs/heads/main", None, first)
    assert type(caught.value) is GitError
    assert "remove the lock file" in caught.value.remedy


def test_a_push_without_its_lease_is_rejected(
    estate: Repository, remote: Repository, commit: Callable[..., str]
) -> None:
    old = estate.resolve("main")
    newer = commit(remote, {"a": b"1"})
    mine = commit(estate, {"b": b"1"}, ref="refs/heads/mine", parent=old)
    with pytest.raises(PushRejected) as caught:
        estate.push("origin", [f"{mine}:refs/heads/main"], {"refs/heads/main": old})
    assert caught.value.reason == "stale info"
    assert caught.value.message == "the remote refused refs/heads/main (stale info)"
    with pytest.raises(PushRejected, match="fetch first"):
        estate.push("origin", [f"{mine}:refs/heads/main"], {})
    assert remote.resolve("main") == newer


def test_what_a_hook_of_the_remote_says_is_passed_on(
    estate: Repository, remote: Repository
) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\necho 'SOD001: not your own' >&2\nexit 1\n")
    hook.chmod(0o700)
    with pytest.raises(PushRejected) as caught:
        estate.push("origin", ["HEAD:refs/heads/x"], {"refs/heads/x": None})
    assert caught.value.reason == "pre-receive hook declined"
    assert caught.value.said == ("SOD001: not your own",)
    assert caught.value.message.endswith(": SOD001: not your own")


HOOK = """#!{python}
import sys
sys.path.insert(0, {path!r})
from ordain.vcs.git import Repository
with Repository.open(".") as repository:
    for line in sys.stdin:
        old, new, ref = line.split()
        print("sees", repository.commit(new).title, repository.read(new, "b"), file=sys.stderr)
sys.exit(1)
"""


def test_a_server_hook_reads_what_is_still_in_quarantine(
    estate: Repository, remote: Repository, commit: Callable[..., str]
) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    root = str(Path(__file__).parents[2])
    hook.write_text(HOOK.format(python=sys.executable, path=root))
    hook.chmod(0o700)
    commit(estate, {"b": b"1"}, ref="refs/heads/mine", parent="main", message="not yet there")
    with pytest.raises(PushRejected) as caught:
        estate.push("origin", ["refs/heads/mine"], {})
    assert caught.value.said == ("sees not yet there b'1'",)


def test_a_push_is_all_or_nothing(
    estate: Repository, remote: Repository, commit: Callable[..., str]
) -> None:
    old = estate.resolve("main")
    mine = commit(estate, {"b": b"1"}, ref="refs/heads/mine", parent=old)
    refspecs = [f"{mine}:refs/heads/one", f"{mine}:refs/heads/main"]
    with pytest.raises(PushRejected) as caught:
        estate.push("origin", refspecs, {"refs/heads/main": mine})
    assert "refs/heads/main (stale info)" in caught.value.message
    assert "refs/heads/one" not in remote.refs("refs/heads/")


def test_a_remote_that_is_not_there_is_an_error_of_git(tmp_path: Path) -> None:
    with Repository.init(tmp_path / "alone") as alone:
        with pytest.raises(GitError) as caught:
            alone.fetch(str(tmp_path / "nothing.git"), ["refs/heads/*:refs/heads/*"])
        assert "Could not read from remote repository" in caught.value.message
        assert alone.remotes() == {}


def test_a_remote_that_does_not_answer_runs_into_the_limit(
    estate: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    monkeypatch.setenv("GIT_SSH_COMMAND", f"read x <{fifo}; true")
    with (
        Repository.open(estate.path, network_timeout=0.2) as slow,
        pytest.raises(GitTimeout, match=r"^git fetch did not end within 0\.2 s$"),
    ):
        slow.fetch("ssh://localhost/x", ["refs/heads/*:refs/remotes/x/*"])
    # Opening both ends lets the reader go.
    os.close(os.open(fifo, os.O_RDWR))


def test_remotes_and_their_addresses(estate: Repository, tmp_path: Path) -> None:
    assert estate.remotes() == {"origin": str(tmp_path / "remote.git")}


def test_a_repository_of_sha256_objects_works_the_same(tmp_path: Path) -> None:
    command = ["git", "init", "-q", "--object-format=sha256", str(tmp_path / "long")]
    subprocess.run(command, check=True)
    with Repository.open(tmp_path / "long") as long:
        tree = long.write_tree(None, {"a": b"1", "b": b"2"})
        first = long.write_commit(tree, (), "first", WHO, TIME)
        tree = long.write_tree(first, {"a": None})
        second = long.write_commit(tree, (first,), "second", WHO, TIME)
        long.update_ref("refs/heads/x", second, None)
        assert len(second) == 64
        assert long.read("x", "b") == b"2"
        assert set(long.tree("x")) == {"b"}
        assert long.root_commit("x") == first


def test_a_git_that_cannot_merge_without_a_work_tree_is_too_old(
    estate: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, old = shutil.which("git"), tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\ncase "$*" in *--write-tree*) exit 129;; esac\nexec {real} "$@"\n')
    old.chmod(0o700)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    with pytest.raises(GitTooOld) as caught:
        estate.merge_tree("main", "main")
    assert caught.value.message.endswith(" cannot merge without a work tree")
    assert caught.value.remedy == "install git 2.38 or later"


def test_a_name_may_hold_what_unicode_takes_for_the_end_of_a_line(estate: Repository) -> None:
    head = estate.resolve("HEAD")
    estate.update_ref("refs/heads/a\u2028b\x85c", head, None)
    assert estate.refs("refs/heads/a\u2028b\x85c") == {"refs/heads/a\u2028b\x85c": head}


def test_the_tree_of_an_index_is_that_of_the_commit_it_would_make(estate: Repository) -> None:
    before = estate.commit("HEAD").tree
    assert estate.index_tree() == before
    (estate.path / "model.yaml").write_bytes(b"kind: Other\n")
    assert estate.index_tree() == before
    estate.ask("add", "model.yaml")
    assert estate.read(estate.index_tree(), "model.yaml") == b"kind: Other\n"
    other = str(estate.path / "other-index")
    assert estate.tree(estate.index_tree(other)) == {}
