"""`ordain check` remembers outside of the estate, and only where it may."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from ordain.cli.caching import cache_of, tool_digest

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

pytestmark = pytest.mark.e2e


def caches(place: Place) -> list[Path]:
    return sorted((place.root / "home" / "cache").glob("*"))


def printed(place: Place, output: str, *options: str) -> str:
    """What a check prints, but for the moment at which it was made."""
    said = place.ordain("check", "-o", output, *options, expect=1).stdout
    return re.sub(r'"as_of": "[^"]*"', '"as_of": "now"', said)


def test_a_warm_check_prints_the_same(place: Place) -> None:
    path = place.estate / "specs" / "extra.yaml"
    path.write_text(
        "apiVersion: ordain.dev/v1\nkind: Model\nmetadata: {name: x}\nspec: {teir: 1}\n"
    )
    said = [printed(place, output) for output in ("text", "json")]
    path.unlink()
    quiet = place.ordain("check").stdout
    assert len(caches(place)) == 1
    assert place.ordain("check").stdout == quiet
    path.write_text(
        "apiVersion: ordain.dev/v1\nkind: Model\nmetadata: {name: x}\nspec: {teir: 1}\n"
    )
    assert [printed(place, output) for output in ("text", "json")] == said
    assert printed(place, "json", "--no-cache") == said[1]


def test_nothing_is_remembered_where_that_is_not_wanted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ordain("check", "--no-cache")
    monkeypatch.setenv("ORDAIN_NO_CACHE", "1")
    place.ordain("check")
    assert caches(place) == []
    monkeypatch.setenv("ORDAIN_NO_CACHE", "0")
    place.ordain("check")
    assert len(caches(place)) == 1


def test_the_reconciler_and_the_judge_of_a_change_remember_nothing(place: Place) -> None:
    place.ordain("plan", expect=None)
    place.ordain("check", "--base", "HEAD")
    assert caches(place) == []


def test_the_cache_stands_in_the_home_of_all_estates_or_in_that_of_the_user(
    tmp_path: Path,
) -> None:
    root = tmp_path / "estate"
    root.mkdir()
    for name, directory in (
        ("ORDAIN_HOME", "cache"),
        ("XDG_CACHE_HOME", "ordain"),
        ("HOME", ".cache/ordain"),
    ):
        home = tmp_path / name
        cache = cache_of(root, {name: str(home)})
        assert cache is not None
        assert (home / directory).is_dir()
    assert cache_of(root, {"ORDAIN_HOME": str(root)}) is None
    assert cache_of(root, {"HOME": str(tmp_path), "ORDAIN_NO_CACHE": "1"}) is None


def test_the_tool_is_known_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    import ordain

    package = tmp_path / "ordain"
    shutil.copytree(os.path.dirname(ordain.__file__), package)  # noqa: PTH120
    monkeypatch.setattr(ordain, "__file__", str(package / "__init__.py"))
    same = tool_digest()
    assert same == tool_digest()
    for changed in ("specs/columns.py", "policies/packs/baseline/1.0.0.yaml"):
        before = tool_digest()
        (package / changed).write_text((package / changed).read_text() + "\n# changed\n")
        assert tool_digest() != before
    before = tool_digest()
    (package / "cli" / "check.py").write_text("")
    assert tool_digest() == before
    monkeypatch.setattr(ordain, "__version__", "0.0.0")
    assert tool_digest() != before
