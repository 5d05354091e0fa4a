"""One estate for each module of end-to-end tests, and ready ones to copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import Place

Copy = Callable[[Path], Place]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A directory for one estate; whatever serves is ended."""
    root = tmp_path_factory.mktemp("place")
    found = Place(root, root / "estate")
    yield found
    found.stop()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic whose training job has run, and of whose reconciler nothing else is left."""
    root = tmp_path_factory.mktemp("trained")
    place = Place(root, root / "estate")
    place.ordain("init", str(place.estate), "--example", "clinic", "--port", "0", at=root)
    place.ordain("reconcile", "--once")
    for file in place.home.glob("state.db*"):
        file.unlink()
    shutil.rmtree(place.home / "ledger")
    for ref in ("refs/heads/ordain/promote/malignancy-1", "refs/ordain/anchors"):
        place.git("update-ref", "-d", ref)
    return root


@pytest.fixture(scope="session")
def proposed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its promotion proposed and approved."""
    place = _copied(trained, tmp_path_factory.mktemp("proposed") / "root")
    place.ordain("reconcile", "--once")
    place.ordain("proposals", "approve", "malignancy-1", "--as", "manager")
    return place.root


@pytest.fixture(scope="session")
def merged(proposed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its promotion merged and nothing served yet."""
    place = _copied(proposed, tmp_path_factory.mktemp("merged") / "root")
    place.ordain("proposals", "merge", "malignancy-1", "--as", "manager")
    return place.root


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """Copies of a ready estate; whatever serves in them is ended."""
    made: list[Place] = []

    def one(template: Path) -> Place:
        made.append(_copied(template, tmp_path / f"copy-{len(made)}"))
        return made[-1]

    yield one
    for place in made:
        place.stop()


def _copied(template: Path, root: Path) -> Place:
    shutil.copytree(template, root)
    place = Place(root, root / "estate")
    # A copy has other times than its index says; git merges only what it knows to be unchanged.
    place.git("status")
    return place
