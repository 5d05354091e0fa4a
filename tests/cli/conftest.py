"""One founded estate for all tests of the command line; a test that changes it gets a copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from places import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The credit union, as `ordain init` leaves it; to be looked at only."""
    root = tmp_path_factory.mktemp("founded")
    place = Place(root, root / "estate")
    place.ordain("init", str(place.estate), "--port", "0", at=root)
    return place


@pytest.fixture
def place(founded: Place, tmp_path: Path) -> Place:
    """The same estate with its keys, to be broken."""
    root = tmp_path / "place"
    # What checks of the original remember is theirs.
    beside = shutil.ignore_patterns("cache")
    shutil.copytree(founded.root, root, symlinks=True, ignore=beside)
    copy = Place(root, root / "estate")
    # The index remembers the files of the original; git would call the copies changed.
    copy.git("update-index", "-q", "--refresh")
    return copy
