"""One estate for each module of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from places import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A directory for one estate; whatever serves is ended."""
    root = tmp_path_factory.mktemp("place")
    found = Place(root, root / "estate")
    yield found
    found.stop()
