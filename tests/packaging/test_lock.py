"""The lock pins everything by hash and names no place to get it from."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(name: str) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement with what follows it on its continued line."""
    joined = (ROOT / name).read_text().replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        requirement, *hashes = line.split(" --hash=")
        found.append((Requirement(requirement), ["--hash=" + part.strip() for part in hashes]))
    return found


def declared() -> list[Requirement]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [
        *project["project"]["dependencies"],
        *project["build-system"]["requires"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    return [found for found in map(Requirement, lines) if found.name != "ordain"]


@pytest.mark.parametrize("name", ["requirements.lock", "bootstrap.lock"])
def test_every_entry_is_one_version_with_hashes(name: str) -> None:
    found = entries(name)
    assert found
    for requirement, hashes in found:
        assert [pin.operator for pin in requirement.specifier] == ["=="], str(requirement)
        assert requirement.url is None
        assert hashes, str(requirement)
        assert all(HASH.fullmatch(one) for one in hashes), str(requirement)


@pytest.mark.parametrize("name", ["requirements.lock", "bootstrap.lock"])
def test_no_host_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


def test_every_declared_dependency_is_locked_within_its_bounds() -> None:
    locked: defaultdict[str, list[str]] = defaultdict(list)
    for pinned, _ in entries("requirements.lock"):
        locked[canonicalize_name(pinned.name)] += [pin.version for pin in pinned.specifier]
    for requirement in declared():
        versions = locked[canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not in requirements.lock: run `make lock`"
        assert all(version in requirement.specifier for version in versions), str(requirement)


def test_every_declared_dependency_has_an_upper_bound() -> None:
    unbounded = [
        str(requirement)
        for requirement in declared()
        if not any(pin.operator == "<" for pin in requirement.specifier)
    ]
    assert unbounded == []
