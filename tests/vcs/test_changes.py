"""A change digest binds to content, and to nothing but content."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.changes import PathChange, change_between, proposed_change
from ordain.vcs.errors import UnnameableChange, UnrelatedHistories

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ordain.vcs.git import Repository
    from tests.vcs.conftest import Cast

    Write = Callable[..., str]


@pytest.fixture
def root(repository: Repository, commit: Write) -> str:
    return commit(repository, {"a.yaml": b"1\n", "b.yaml": b"1\n", "c.yaml": b"1\n"})


def test_a_change_lists_what_was_and_what_is(
    repository: Repository, commit: Write, root: str
) -> None:
    head = commit(repository, {"b.yaml": b"2\n", "a.yaml": None, "new\nname.yaml": b"3\n"})
    change = change_between(repository, root, head)
    before, after = repository.tree(root), repository.tree(head)
    assert change.paths == (
        PathChange("a.yaml", before["a.yaml"].blob, None, "100644", None),
        PathChange("b.yaml", before["b.yaml"].blob, after["b.yaml"].blob, "100644", "100644"),
        PathChange("new\nname.yaml", None, after["new\nname.yaml"].blob, None, "100644"),
    )
    assert change.names == ("a.yaml", "b.yaml", "new\nname.yaml")


def test_the_digest_is_of_paths_blobs_and_modes_and_can_be_computed_by_anybody(
    repository: Repository, commit: Write, root: str
) -> None:
    head = commit(repository, {"b.yaml": b"2\n"})
    one = "d00491fd7e5bb6fa28c517a0bb32b8b506539d4d"  # git hash-object of "1" and a line break
    two = "0cfbf08886fca9a91cb753ec8734c84fcbe52c9f"
    row = f'["b.yaml","{one}","{two}","100644","100644"]'
    text = f'{{"format":"ordain.change/1","paths":[{row}]}}'
    expected = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert change_between(repository, root, head).digest == expected


def test_a_renamed_file_is_one_gone_and_one_new(
    repository: Repository, commit: Write, root: str
) -> None:
    head = commit(repository, {"a.yaml": None, "z.yaml": b"1\n"})
    assert change_between(repository, root, head).names == ("a.yaml", "z.yaml")


def test_rebase_squash_and_a_merge_beside_keep_the_digest(
    repository: Repository, commit: Write, root: str, cast: Cast, now: datetime
) -> None:
    commit(repository, {"a.yaml": b"draft\n"}, ref="refs/heads/side", parent=root)
    side = commit(repository, {"a.yaml": b"2\n"}, ref="refs/heads/side")
    digest = proposed_change(repository, root, side).digest
    main = commit(repository, {"b.yaml": b"2\n"})
    assert proposed_change(repository, main, side).digest == digest
    rebased = commit(repository, {"a.yaml": b"2\n"}, ref="refs/heads/rebased", parent=main)
    assert proposed_change(repository, main, rebased).digest == digest
    tree = repository.merge_tree(side, main)
    updated = repository.write_commit(tree, (side, main), "update", cast["manager"].who, now)
    assert proposed_change(repository, main, updated).digest == digest
    assert change_between(repository, main, tree).digest == digest


@pytest.mark.parametrize(
    "files",
    [{"a.yaml": b"3\n"}, {"c.yaml": b"2\n"}, {"a.yaml": b"1\n"}, {"a.yaml": None}],
)
def test_any_more_content_changes_the_digest(
    repository: Repository, commit: Write, root: str, files: dict[str, bytes | None]
) -> None:
    side = commit(repository, {"a.yaml": b"2\n"}, ref="refs/heads/side", parent=root)
    more = commit(repository, files, ref="refs/heads/side")
    first, second = (proposed_change(repository, root, head) for head in (side, more))
    assert first.digest != second.digest


def test_the_same_file_changed_in_the_base_changes_the_digest(
    repository: Repository, commit: Write, root: str
) -> None:
    side = commit(repository, {"a.yaml": b"2\n"}, ref="refs/heads/side", parent=root)
    digest = proposed_change(repository, root, side).digest
    main = commit(repository, {"a.yaml": b"other\n"})
    rebased = commit(repository, {"a.yaml": b"2\n"}, ref="refs/heads/rebased", parent=main)
    assert proposed_change(repository, main, rebased).digest != digest


def test_a_mode_is_content(repository: Repository, root: str) -> None:
    link = repository.tree(root)["a.yaml"].blob
    tree = repository._written("mktree", stdin=f"120000 blob {link}\ta.yaml\n".encode())
    change = change_between(repository, root, tree)
    path = change.paths[0]
    assert (path.old_blob, path.new_blob) == (link, link)
    assert (path.old_mode, path.new_mode) == ("100644", "120000")


def test_no_change_has_a_digest_and_no_paths(repository: Repository, root: str) -> None:
    assert change_between(repository, root, root).paths == ()


def test_a_path_outside_utf8_cannot_be_approved(
    repository: Repository, commit: Write, root: str
) -> None:
    head = commit(repository, {os.fsdecode(b"caf\xe9.yaml"): b"x"})
    change = change_between(repository, root, head)
    assert change.unnameable == change.names == (os.fsdecode(b"caf\xe9.yaml"),)
    with pytest.raises(UnnameableChange) as caught:
        _ = change.digest
    assert caught.value.message == (
        r"the path b'caf\xe9.yaml' is not UTF-8, so no approval can bind to it"
    )


def test_unrelated_histories_are_no_change(
    repository: Repository, root: str, cast: Cast, now: datetime
) -> None:
    tree = repository.write_tree(None, {})
    alone = repository.write_commit(tree, (), "alone", cast["manager"].who, now)
    with pytest.raises(UnrelatedHistories, match="has no history in common with"):
        proposed_change(repository, root, alone)
