"""Signatures that were verified before are not verified again, and nothing else is remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ordain.specs.memory import keep, recall
from ordain.vcs.git import Repository
from ordain.vcs.keys import AllowedKey
from ordain.vcs.known_signatures import _FORMAT, KnownSignatures, commit_keys, commit_signers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ordain.vcs.objects import Commit
    from tests.vcs.conftest import Cast


class Watched(Repository):
    """A repository that says which commits were read."""

    looked: tuple[str, ...] = ()

    def commits(self, revisions: object) -> list[Commit]:
        self.looked = (*self.looked, *revisions)  # type: ignore[misc]
        return super().commits(revisions)  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "signatures.json"


@pytest.fixture
def opened(estate: Repository, file: Path) -> Callable[[], Watched]:
    """The estate as each new process finds it."""

    def again() -> Watched:
        found = Watched(estate.path)
        found.signatures = KnownSignatures(file)
        return found

    return again


def _ids(repository: Repository) -> list[str]:
    return list(repository.first_parent(None, "HEAD"))


def test_the_second_time_no_commit_is_read(opened: Callable[[], Watched], cast: Cast) -> None:
    with opened() as first:
        ids = _ids(first)
        keys = commit_keys(first, ids)
        first.signatures.keep()
        assert first.looked == tuple(ids)
    with opened() as second:
        assert commit_keys(second, ids) == keys
        assert second.looked == ()
    assert set(keys) == {cast["data-scientist"].signer.public}


def test_whose_a_key_is_and_whether_it_is_good_is_asked_every_time(
    opened: Callable[[], Watched], cast: Cast, now: datetime
) -> None:
    line = cast["data-scientist"].signer.public.line
    with opened() as repository:
        ids = _ids(repository)

        def signers(*allowed: AllowedKey) -> set[str | None]:
            return set(commit_signers(repository, ids, allowed, now))

        assert signers(*cast.allowed) == {"data-scientist"}
        assert signers(AllowedKey("somebody", line)) == {"somebody"}
        assert signers(AllowedKey("data-scientist", line, revoked=True)) == {None}
        assert signers(AllowedKey("data-scientist", line, valid_until=now)) == {None}
        assert signers() == {None}
        assert repository.looked == tuple(ids)


def test_what_is_not_signed_is_looked_at_again(
    opened: Callable[[], Watched], cast: Cast, now: datetime
) -> None:
    with opened() as repository:
        who, parent = cast["manager"].who, _ids(repository)[-1]
        tree = repository.commit(parent).tree
        unsigned = repository.write_commit(tree, (parent,), "x", who, now)
        for _ in range(2):
            assert commit_keys(repository, [unsigned]) == (None,)
        assert repository.looked.count(unsigned) == 2


def test_what_others_have_learnt_meanwhile_stays(file: Path, cast: Cast) -> None:
    mine, others = KnownSignatures(file), KnownSignatures(file)
    for memory, commit, person in ((mine, "a" * 40, "manager"), (others, "b" * 40, "cto")):
        assert memory.of(commit) is None
        memory.learn(commit, cast[person].signer.public)
        memory.keep()
    again = KnownSignatures(file)
    assert again.of("a" * 40) == cast["manager"].signer.public
    assert again.of("b" * 40) == cast["cto"].signer.public


def test_it_keeps_the_newest_when_there_are_too_many(file: Path, cast: Cast) -> None:
    memory = KnownSignatures(file, most=3)
    ids = [f"{number:040x}" for number in range(5)]
    for commit in ids:
        memory.learn(commit, cast["manager"].signer.public)
    memory.keep()
    again = KnownSignatures(file)
    assert [commit for commit in ids if again.of(commit)] == ids[2:]


def test_what_is_damaged_is_not_there(file: Path, cast: Cast) -> None:
    memory = KnownSignatures(file)
    memory.learn("a" * 40, cast["manager"].signer.public)
    memory.keep()
    whole = file.read_bytes()
    for data in (whole[:-1], whole[:40], b"", whole.replace(b"aaaa", b"aaab"), b"\xff" * 300):
        file.write_bytes(data)
        assert KnownSignatures(file).of("a" * 40) is None
    file.write_bytes(whole)
    assert KnownSignatures(file).of("a" * 40) is not None


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_write_is_not_believed(file: Path, cast: Cast, mode: int) -> None:
    memory = KnownSignatures(file)
    memory.learn("a" * 40, cast["manager"].signer.public)
    memory.keep()
    file.chmod(mode)
    assert KnownSignatures(file).of("a" * 40) is None


def test_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    keep(tmp_path / "elsewhere", _FORMAT, b"{}")
    file.symlink_to(tmp_path / "elsewhere")
    assert recall(tmp_path / "elsewhere", _FORMAT) == b"{}"
    assert recall(file, _FORMAT) is None


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path, cast: Cast) -> None:
    memory = KnownSignatures(tmp_path / "nowhere" / "signatures.json")
    memory.learn("a" * 40, cast["manager"].signer.public)
    memory.keep()
    assert memory.of("a" * 40) == cast["manager"].signer.public
    assert list(tmp_path.iterdir()) == []


def test_many_processes_at_once_leave_one_whole_file(file: Path, cast: Cast) -> None:
    line = cast["manager"].signer.public.line
    code = (
        "import sys; from pathlib import Path\n"
        "from ordain.vcs.keys import PublicKey\n"
        "from ordain.vcs.known_signatures import KnownSignatures\n"
        "memory = KnownSignatures(Path(sys.argv[1]))\n"
        "for number in range(200):\n"
        "    memory.learn(sys.argv[2] * 37 + f'{number:03x}', PublicKey.parse(sys.argv[3]))\n"
        "    memory.keep()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(file), name, line], env=os.environ)
        for name in "ab"
    ]
    assert [one.wait() for one in running] == [0, 0]
    body = recall(file, _FORMAT)
    assert body is not None
    (found,) = json.loads(body).values()
    # Whoever wrote last knew at least all of their own.
    assert {len([one for one in found if one[0] == name]) for name in "ab"} & {200}


def test_an_id_that_is_no_commit_is_told(opened: Callable[[], Watched]) -> None:
    from ordain.vcs.errors import UnknownRevision

    with opened() as repository, pytest.raises(UnknownRevision):
        commit_keys(repository, ["0" * 40])


def test_a_repository_without_a_place_for_it_remembers_for_itself(
    estate: Repository, cast: Cast
) -> None:
    ids = _ids(estate)
    assert set(commit_keys(estate, ids)) == {cast["data-scientist"].signer.public}
    assert estate.signatures.of(ids[0]) is not None
