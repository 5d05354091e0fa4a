"""Which cache is believed, where it stands, and that it stays small."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs import cache as module
from ordain.specs.cache import Cache, open_cache
from ordain.specs.documents import Deferred, Document
from ordain.specs.estates import load_estate
from ordain.specs.reads import blob_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.specs.conftest import Load

TOOL = "0" * 64


@pytest.fixture
def tree(files: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "caches"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "estate"
    found.mkdir()
    return found


def opened(directory: Path, root: Path, tool: str = TOOL) -> Cache:
    found = open_cache(directory, root, tool)
    assert found is not None
    return found


def remember(directory: Path, root: Path, tree: dict[str, bytes]) -> Path:
    cache = opened(directory, root)
    load_estate(tree, cache)
    cache.save()
    (path,) = directory.iterdir()
    return path


def is_read(document: Document) -> bool:
    """Whether the content is there, without making it be there."""
    slot: Any = Document.__dict__["raw"]
    try:
        slot.__get__(document)
    except AttributeError:
        return False
    return True


def test_a_file_that_is_known_is_parsed_when_it_is_used(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    remember(directory, root, tree)
    cold = load_estate(tree)
    warm = load_estate(tree, opened(directory, root))
    assert list(warm.documents) == list(cold.documents)
    assert not any(map(is_read, warm.documents.values()))
    assert warm.met == []
    assert list(map(id, cold.met)) == list(map(id, cold.documents.values()))
    for key, document in warm.documents.items():
        assert isinstance(document, Deferred)
        same = cold.documents[key]
        assert (document.kind, document.name, document.path) == (same.kind, same.name, same.path)
        assert document.ties == same.ties
        assert not is_read(document)
        assert (document.raw, document.spec) == (same.raw, same.spec)
        assert (document.labels, document.location) == (same.labels, same.location)
        assert warm.met[-1] is document
        with pytest.raises(AttributeError, match="nothing"):
            _ = document.nothing
    assert len(warm.met) == len(warm.documents)


def test_a_file_that_has_changed_is_read(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    remember(directory, root, tree)
    tree["specs/model.yaml"] = tree["specs/model.yaml"].replace(b"tier: 2", b"tier: 9")
    found = load_estate(tree, opened(directory, root))
    assert [one.code for one in found.findings] == ["SPEC105"]
    assert found.refused == {"Model/credit"}


def test_a_file_with_a_finding_is_not_remembered(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    wrong = tree["specs/model.yaml"] + b"# a comment\nextra: 1\n"
    remember(directory, root, {**tree, "specs/model.yaml": wrong})
    cache = opened(directory, root)
    assert cache.documents(blob_id(wrong)) is None
    assert cache.documents(blob_id(tree["specs/monitor.yaml"])) is not None


def test_a_blob_is_called_what_git_calls_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some\0bytes\n")
    done = subprocess.run(
        ("git", "hash-object", "file"), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert blob_id(b"some\0bytes\n") == done.stdout.strip()


def test_another_tool_believes_nothing(directory: Path, root: Path, tree: dict[str, bytes]) -> None:
    remember(directory, root, tree)
    assert opened(directory, root).remembers
    assert not opened(directory, root, "1" * 64).remembers


def test_every_estate_has_a_file_of_its_own(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    remember(directory, root, tree)
    assert not opened(directory, root / "specs").remembers


@pytest.mark.parametrize("inside", [".", ".cache", "specs/.cache"])
def test_a_cache_inside_of_the_estate_is_none(root: Path, inside: str) -> None:
    assert open_cache(root / inside, root, TOOL) is None
    assert list(root.iterdir()) == []


def test_a_link_from_outside_into_the_estate_is_no_cache(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    assert open_cache(link / "cache", root, TOOL) is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_may_write_is_no_cache(
    directory: Path, root: Path, mode: int
) -> None:
    directory.mkdir()
    directory.chmod(mode)
    assert open_cache(directory, root, TOOL) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_no_cache(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    path = remember(directory, root, tree)
    os.chown(path, 12345, -1)
    assert not opened(directory, root).remembers
    os.chown(directory, 12345, -1)
    assert open_cache(directory, root, TOOL) is None


def test_a_file_that_others_may_write_is_not_believed(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    remember(directory, root, tree).chmod(0o666)
    assert not opened(directory, root).remembers


def test_a_link_is_not_believed(directory: Path, root: Path, tree: dict[str, bytes]) -> None:
    path = remember(directory, root, tree)
    path.rename(root / "cache.json")
    path.symlink_to(root / "cache.json")
    assert not opened(directory, root).remembers


def test_a_pipe_in_its_place_does_not_block(directory: Path, root: Path) -> None:
    name = opened(directory, root)._path
    os.mkfifo(name)
    assert not opened(directory, root).remembers


def test_a_directory_in_its_place_is_not_believed(directory: Path, root: Path) -> None:
    opened(directory, root)._path.mkdir()
    assert not opened(directory, root).remembers


def test_a_directory_that_cannot_be_made_is_no_cache(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert open_cache(tmp_path / "file/cache", root, TOOL) is None


def test_a_cache_that_cannot_be_written_is_no_failure(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    cache = opened(directory, root)
    load_estate(tree, cache)
    directory.rmdir()
    cache.save()
    assert not directory.exists()


def test_a_cache_in_use_is_not_the_oldest(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    path = remember(directory, root, tree)
    os.utime(path, (1, 1))
    opened(directory, root).touch()
    assert path.stat().st_mtime > 1


def test_the_oldest_estates_are_forgotten(
    directory: Path, root: Path, tree: dict[str, bytes]
) -> None:
    directory.mkdir(mode=0o700)
    for number in range(module._MOST_FILES + 5):
        old = directory / f"{number:02}.json"
        old.write_text("old")
        os.utime(old, (number, number))
    opened(directory, root)
    cache = opened(directory, root)
    load_estate(tree, cache)
    cache.save()
    left = sorted(path.name for path in directory.iterdir())
    assert len(left) == module._MOST_FILES
    assert left[0] == "06.json"
    assert opened(directory, root).remembers


WRITE = """
import sys
from pathlib import Path
from ordain.specs.cache import open_cache
for number in range(200):
    cache = open_cache(Path(sys.argv[1]), Path(sys.argv[2]), "0" * 64)
    cache.keep_documents(f"{sys.argv[3]}{number}", [])
    cache.save()
"""


@pytest.mark.timeout(20)
def test_checks_at_the_same_time_leave_a_whole_cache(directory: Path, root: Path) -> None:
    opened(directory, root)
    commands = [
        (sys.executable, "-c", WRITE, str(directory), str(root), name) for name in ("a", "b")
    ]
    writers = [subprocess.Popen(command) for command in commands]
    seen = False
    while any(writer.poll() is None for writer in writers):
        found = opened(directory, root)
        assert found.remembers or not seen
        seen = found.remembers
    assert [writer.returncode for writer in writers] == [0, 0]
    assert opened(directory, root).remembers
    assert len(list(directory.iterdir())) == 1


def test_without_a_cache_no_document_waits(load: Load) -> None:
    assert all(map(is_read, load().documents.values()))
