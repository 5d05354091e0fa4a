"""`ordain init --ci`: files for a forge, in a new estate or in one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

import ordain
from ordain.reconciler.workflows import GITHUB_GATE, GITLAB_ENTRY, GITLAB_GATE

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

NEXT = (
    "Next: ordain codeowners --write, commit the files, protect the branch, "
    "then ordain doctor --forge"
)


def test_an_estate_gets_the_workflows_and_is_told_what_follows(place: Place) -> None:
    place.edit("ordain.yaml", "protectedBranch: main", "protectedBranch: trunk")
    told = place.ordain("init", ".", "--ci", "github").stdout.splitlines()
    assert told == [
        "Wrote .github/workflows/ordain.yml.",
        "Wrote .github/workflows/ordain-reviews.yml.",
        "Wrote .github/workflows/ordain-reconcile.yml.",
        "Reviews there count when ordain.yaml says: spec.forge.type: github",
        NEXT,
    ]
    gate = yaml.safe_load((place.estate / GITHUB_GATE).read_text())
    assert gate["on"]["push"]["branches"] == ["trunk"]
    install = next(
        step for step in gate["jobs"]["gate"]["steps"] if "VERSION" in step.get("env", {})
    )
    assert install["env"]["VERSION"] == ordain.__version__
    # They are files of the forge and no documents.
    place.ordain("check")


def test_what_is_there_is_never_replaced(place: Place) -> None:
    entry = place.estate / GITLAB_ENTRY
    entry.write_text("include: []\n")
    (place.estate / ".gitlab").mkdir()
    (place.estate / GITLAB_GATE).symlink_to("nowhere")
    told = place.ordain("init", ".", "--ci", "gitlab").stdout.splitlines()
    assert told[:5] == [
        f"Kept {GITLAB_GATE}, which was there already.",
        f"Kept {GITLAB_ENTRY}, which was there already.",
        f"It runs no gate until it includes {GITLAB_GATE}; add:",
        "include:",
        f"  - local: {GITLAB_GATE}",
    ]
    assert entry.read_text() == "include: []\n"
    assert (place.estate / GITLAB_GATE).is_symlink()


def test_an_entry_that_includes_the_gate_is_left_in_peace(place: Place) -> None:
    (place.estate / GITLAB_ENTRY).write_text(f"include: [{{local: /{GITLAB_GATE}}}]\n")
    told = place.ordain("init", ".", "--ci", "gitlab").stdout
    assert f"Kept {GITLAB_ENTRY}, which was there already.\n" in told
    assert "include" not in told


def test_without_ci_an_estate_that_is_there_is_still_refused(place: Place) -> None:
    refused = place.ordain("init", ".", expect=2)
    assert "exists and is not empty" in refused.stderr


def test_an_estate_that_cannot_be_read_gets_no_workflow(place: Place) -> None:
    (place.estate / "ordain.yaml").write_text("kind: Estate\n")
    refused = place.ordain("init", ".", "--ci", "github", expect=2)
    assert "nobody can say which branch is protected" in refused.stderr
    assert not (place.estate / ".github").exists()


@pytest.mark.training
def test_a_new_estate_has_them_in_its_first_commit(founded: Place, tmp_path: Path) -> None:
    place = type(founded)(tmp_path, tmp_path / "new")
    place.ordain("init", "new", "--ci", "github", "--port", "0", at=tmp_path)
    assert GITHUB_GATE in place.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert place.git("status", "--porcelain") == ""
