"""A version is made again from git and its snapshot, and where it came from can be proven."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Place

pytestmark = pytest.mark.e2e

NAME = "malignancy@1"


@pytest.fixture(scope="module")
def running(place: Place, merged: Path) -> Place:
    """The clinic with its first version in force."""
    shutil.copytree(merged, place.root, dirs_exist_ok=True)
    place.git("status")
    place.ordain("reconcile", "--once")
    return place


def files_of(place: Place) -> dict[str, bytes]:
    """All of the artifact store and the work tree."""
    roots = (place.home / "artifacts", place.estate)
    found = [file for root in roots for file in root.rglob("*") if file.is_file()]
    return {str(file): file.read_bytes() for file in found if ".git/" not in str(file)}


def test_a_version_comes_out_equal_byte_for_byte(running: Place) -> None:
    before = files_of(running)
    done = running.ordain("reproduce", NAME)
    assert done.stdout.startswith(f"{NAME} was made again and is equal, byte for byte: sha256:")
    assert done.stdout.splitlines()[-1] == f"Next: ordain provenance {NAME}"
    assert files_of(running) == before


def test_it_needs_nothing_of_the_artifact_that_was_lost(
    running: Place, copy: Callable[[Path], Place]
) -> None:
    lost = copy(running.root)
    manifest = json.loads(lost.ordain("provenance", NAME, "-o", "json").stdout)["statement"]
    for subject in manifest["subject"]:
        digest = subject["digest"]["sha256"]
        (lost.home / "artifacts/sha256" / digest[:2] / digest[2:]).unlink()
    found = json.loads(lost.ordain("reproduce", NAME, "-o", "json").stdout)
    assert (found["equal"], found["differences"]) == (True, [])
    assert found["made"] == found["artifact"]


def test_rows_that_are_gone_everywhere_are_said_to_be(
    running: Place, copy: Callable[[Path], Place]
) -> None:
    """The clinic's file is in git, so that only other content of it is left to be missing."""
    lost = copy(running.root)
    shutil.rmtree(lost.home / "artifacts")
    done = lost.ordain("reproduce", NAME)
    assert "is equal, byte for byte" in done.stdout


def test_provenance_is_verified_shown_and_written(running: Place, tmp_path: Path) -> None:
    done = running.ordain("provenance", NAME, "--out", str(tmp_path / "papers"))
    assert done.stdout.startswith(f"{NAME} was signed by SHA256:")
    assert "  from   rows               ordainTable:" in done.stdout
    assert "  from   scikit-learn       pkg:pypi/scikit-learn@" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Next: ordain reproduce {NAME}"
    names = sorted(file.name for file in (tmp_path / "papers").iterdir())
    papers = ["bom.dsse.json", "bom.json", "statement.dsse.json", "statement.json"]
    statement = json.loads((tmp_path / "papers/statement.json").read_bytes())
    members = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    written = {name: tmp_path / "papers" / name for name in names if name not in papers}
    assert written.keys() >= {"plan.json", "pipeline.skops", "model.onnx"}
    for name, file in written.items():
        assert sha256(file.read_bytes()).hexdigest() == members[name]
    machine = statement["predicate"]["buildDefinition"]["internalParameters"]["machine"]
    assert machine["architecture"]


def test_the_bill_is_one_of_cyclonedx(running: Place, tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    running.ordain("provenance", NAME, "--out", str(tmp_path))
    text = (tmp_path / "bom.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("malignancy@2", "malignancy has no version 2", "one of: 1"),
        ("malignacy@1", "no version of a model 'malignacy'", "did you mean `malignancy`?"),
    ],
)
@pytest.mark.parametrize("command", ["reproduce", "provenance"])
def test_a_version_that_there_is_none_of(
    running: Place, command: str, name: str, message: str, remedy: str
) -> None:
    done = running.ordain(command, name, expect=2)
    assert done.stderr.startswith(f"error[REC016]: {message}")
    assert remedy in done.stderr


def test_a_name_that_is_none(running: Place) -> None:
    done = running.ordain("reproduce", "malignancy", expect=2)
    assert "'malignancy' is no version such as credit-default@3" in done.stderr
