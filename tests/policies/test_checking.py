"""What a check asks again, and when it is worth to write down what it has learnt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.gate import check
from ordain.specs.cache import Cache
from ordain.specs.documents import Document
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HEAD = "apiVersion: ordain.dev/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
COMMENTS = 250


@pytest.fixture
def tree() -> dict[str, bytes]:
    """An estate of one model, a channel and many comments, about which no baseline rule is."""
    model = "{purpose: a test, tier: 3, owner: risk, task: classification, external: {provider: x}}"
    channel = "{type: webhook, addressFrom: DESK}"
    files = {
        "ordain.yaml": HEAD.format("Estate", "test", "{environments: [{name: production}]}"),
        "specs/model.yaml": HEAD.format("Model", "credit", model),
        "specs/channel.yaml": HEAD.format("AlertChannel", "desk", channel),
    }
    for number in range(COMMENTS):
        spec = f"{{model: credit, breach: one, author: somebody, text: number {number}}}"
        files[f"specs/{number}.yaml"] = HEAD.format("Comment", f"comment-{number}", spec)
    return {path: text.encode() for path, text in files.items()}


def checked(tree: dict[str, bytes], path: Path) -> LoadedEstate:
    cache = Cache(path, "this tool")
    estate = load_estate(tree, cache)
    check(estate, NOW, tree=tree, cache=cache)
    return estate


def read(estate: LoadedEstate) -> set[str]:
    """The documents whose content somebody wanted."""
    raw: Any = Document.__dict__["raw"]
    found = set()
    for key, document in estate.documents.items():
        try:
            raw.__get__(document)
        except AttributeError:
            continue
        found.add(key)
    return found


def change(tree: dict[str, bytes], *numbers: int) -> None:
    for number in numbers:
        tree[f"specs/{number}.yaml"] += b"# read again\n"


def test_only_what_has_changed_and_what_is_not_silent_is_read_again(
    tree: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "estate.json"
    assert len(read(checked(tree, path))) == COMMENTS + 3
    # That no alert is sent yet is a warning, which is made anew every time.
    assert read(checked(tree, path)) == {"AlertChannel/desk"}
    change(tree, 7, 9)
    again = {"AlertChannel/desk", "Comment/comment-7", "Comment/comment-9"}
    assert read(checked(tree, path)) == again


def test_what_a_changed_document_is_asked_about_is_read_again(
    tree: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "estate.json"
    checked(tree, path)
    del tree["specs/model.yaml"]
    found = read(checked(tree, path))
    # The Estate counts its models.
    assert len([key for key in found if key.startswith("Comment/")]) == COMMENTS


def test_little_that_is_new_is_not_written_down(tree: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "estate.json"
    checked(tree, path)
    first = path.stat().st_ino
    change(tree, 1, 2)
    checked(tree, path)
    checked(tree, path)
    assert path.stat().st_ino == first
    change(tree, 3)
    checked(tree, path)
    assert path.stat().st_ino != first


def test_where_documents_are_missing_nothing_is_forgotten(
    tree: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "estate.json"
    checked(tree, path)
    whole = path.read_bytes()
    model = tree["specs/model.yaml"]
    tree["specs/model.yaml"] = b"kind: Model\n"
    checked(tree, path)
    assert path.read_bytes() == whole
    tree["specs/model.yaml"] = model
    assert read(checked(tree, path)) == {"AlertChannel/desk"}
