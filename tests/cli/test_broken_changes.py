"""Whatever a change contains is told in the report; nothing in it may keep the report away."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.state import StateStore
from ordain.specs.writers import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Place

MODEL = "specs/models/credit-default.yaml"
MOVE = "move the estate to the root of the repository, or give it one of its own"


@pytest.fixture
def topic(place: Place) -> Place:
    """An estate with a second branch checked out."""
    place.git("checkout", "-q", "-b", "topic")
    return place


def link_a_document(place: Place) -> None:
    (place.estate / "specs" / "l.yaml").symlink_to("/etc/passwd")


def link_a_directory(place: Place) -> None:
    (place.estate / "specs" / "more").symlink_to("/etc")


def break_the_estate(place: Place) -> None:
    (place.estate / "ordain.yaml").write_text("a: [\n")


def delete_the_estate(place: Place) -> None:
    (place.estate / "ordain.yaml").unlink()


def name_a_file_in_latin_1(place: Place) -> None:
    (place.estate / "data" / os.fsdecode(b"b\xe9d")).write_text("")


# What is done, and the finding: its code, its file and its words.
CHANGES: dict[str, tuple[Callable[[Place], None], str, str, str]] = {
    "a link": (
        link_a_document,
        "SPEC021",
        "specs/l.yaml",
        "specs/l.yaml is a symbolic link or submodule, not a file",
    ),
    "a link to a directory": (
        link_a_directory,
        "SPEC021",
        "specs/more",
        "specs/more is a symbolic link or submodule, not a file",
    ),
    "a broken estate": (
        break_the_estate,
        "SPEC012",
        "ordain.yaml",
        "a value is missing, or a bracket is not closed",
    ),
    "no estate": (
        delete_the_estate,
        "SPEC111",
        "ordain.yaml",
        "there is no `ordain.yaml` that declares the Estate",
    ),
    "a name that is not UTF-8": (
        name_a_file_in_latin_1,
        "VCS030",
        "data/b\ufffdd",
        r"the path b'data/b\xe9d' is not UTF-8, so no approval can bind to it",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_a_change_contains_is_a_finding_in_every_format(topic: Place, case: str) -> None:
    change, code, path, message = CHANGES[case]
    change(topic)
    topic.edit(MODEL, "owner: ", "ownr: ")
    topic.commit("A change")
    out = topic.root / "out"
    out.mkdir()
    outputs = [f"--output={name}={out / name}" for name in FORMATS]
    topic.ordain("check", "--base", "main", *outputs, expect=1)
    for name in FORMATS:
        assert code.encode() in (out / name).read_bytes(), name
    found = json.loads((out / "json").read_bytes())["findings"]
    told = [(one["code"], one["location"]["path"], one["message"]) for one in found]
    assert (code, path, message) in told
    # Everything else that is wrong is told beside it.
    assert ("SPEC104", MODEL) in {(one[0], one[1]) for one in told}


@pytest.mark.parametrize("case", [case for case in CHANGES if "UTF-8" not in case])
def test_what_a_commit_contains_is_a_finding(topic: Place, case: str) -> None:
    change, code, path, _ = CHANGES[case]
    change(topic)
    topic.commit("A change")
    found = json.loads(topic.ordain("check", "--rev", "HEAD", "-o", "json", expect=1).stdout)
    assert [(one["code"], one["location"]["path"]) for one in found["findings"]] == [(code, path)]


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
@pytest.mark.parametrize("case", CHANGES)
def test_what_a_change_contains_is_planned_all_the_same(
    topic: Place, case: str, output: str
) -> None:
    change, code, _, _ = CHANGES[case]
    change(topic)
    topic.commit("A change")
    told = topic.ordain("plan", "--base", "main", "-o", output).stdout
    assert code in told
    told.encode()


def test_what_nobody_can_name_nobody_can_approve_or_merge(topic: Place) -> None:
    name_a_file_in_latin_1(topic)
    topic.commit("A change")
    shown = topic.ordain("proposals", "show", "topic").stdout
    assert "change without a digest\n" in shown
    assert "error[VCS030]: data/b\\udce9d: " in shown
    for verb in ("approve", "merge"):
        done = topic.ordain("proposals", verb, "topic", "--as", "manager", expect=2)
        assert done.stderr.startswith(
            r"error[VCS030]: the path b'data/b\xe9d' is not UTF-8, so no approval can bind to it"
        )
    assert topic.git("for-each-ref", "refs/ordain/approvals") == ""


def test_a_conflict_with_the_base_is_a_finding_at_its_file(topic: Place) -> None:
    topic.edit(MODEL, "tier: 2", "tier: 3")
    topic.commit("Less")
    topic.git("checkout", "-q", "main")
    topic.edit(MODEL, "tier: 2", "tier: 1")
    topic.commit("More")
    done = topic.ordain("check", "--base", "main", "--rev", "topic", "-o", "json", expect=1)
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["code"], found["location"]["path"]) == ("VCS009", MODEL)
    assert found["message"] == "the two sides changed the same lines of this file"


def test_a_history_of_its_own_is_a_finding(topic: Place) -> None:
    base = topic.git("rev-parse", "main").strip()
    topic.git("checkout", "-q", "--orphan", "alone")
    topic.git("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "-m", "Alone")
    head = topic.git("rev-parse", "HEAD").strip()
    done = topic.ordain("check", "--base", "main", expect=1)
    assert done.stdout.startswith(
        f"error[VCS014]: {head} has no history in common with {base}\n"
        "  = help: begin the branch at a commit of the estate\n"
    )


@pytest.mark.parametrize("change", [break_the_estate, delete_the_estate])
def test_a_broken_estate_keeps_nobody_from_asking_what_production_follows(
    place: Place, change: Callable[[Place], None]
) -> None:
    good = place.git("rev-parse", "HEAD").strip()
    place.ordain("status")
    with closing(StateStore(place.home / "state.db")) as state:
        state.put("good", good)
    change(place)
    bad = place.commit("Break the estate")[:12]
    status = place.ordain("status").stdout
    assert status.startswith(f"revision  {good[:12]}   branch at {bad}   last pass never\n")
    plan = place.ordain("plan", expect=1).stderr
    assert f"error[ORD001]: {bad} does not pass the check, so there is nothing to plan\n" in plan


# ── places ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def below(founded: Place, tmp_path: Path) -> Place:
    """An estate that is committed in a subdirectory of a repository."""
    place = type(founded)(tmp_path, tmp_path / "mono" / "banks" / "one")
    shutil.copytree(founded.estate, place.estate, ignore=shutil.ignore_patterns(".git"))
    top = tmp_path / "mono"
    place.git("init", "-q", at=top)
    place.git("add", "-A", at=top)
    place.git(
        *("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "-m", "All"), at=top
    )
    return place


@pytest.mark.parametrize(
    "command",
    ["check --rev HEAD", "check --base HEAD", "plan", "plan --base HEAD", "status"],
)
def test_an_estate_in_a_subdirectory_is_one_clear_error(below: Place, command: str) -> None:
    assert below.ordain(*command.split(), expect=2).stderr.splitlines() == [
        "error[SPEC026]: ordain.yaml stands in banks/one, which is not the root of the repository",
        " --> ordain.yaml",
        f"  = help: {MOVE}",
    ]


def test_a_check_of_files_warns_of_an_estate_in_a_subdirectory(below: Place) -> None:
    found = json.loads(below.ordain("check", "-o", "json").stdout)["findings"]
    assert [(one["code"], one["severity"], one["remedy"]) for one in found] == [
        ("SPEC026", "warning", MOVE)
    ]


def test_a_bare_clone_has_commits_to_check(founded: Place, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    founded.git("clone", "-q", "--bare", str(founded.estate), str(bare))
    assert founded.ordain("check", expect=2, at=bare).stderr.splitlines() == [
        "error[SPEC001]: . is a bare repository, which has commits and no files",
        "  = help: name a commit: ordain check --rev COMMIT",
    ]
    founded.ordain("check", "--rev", "HEAD", at=bare)
