"""The hooks for pre-commit: their commands exist, and they wake for the files that matter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import ordain
from ordain.policies.files import decides_merges
from ordain.specs.trees import ESTATE_FILE, belongs_to_estate

if TYPE_CHECKING:
    from places import Place

HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (Path(ordain.__file__).parents[1] / ".pre-commit-hooks.yaml").read_text()
)


def test_every_hook_has_what_pre_commit_asks_for() -> None:
    names = ["ordain-check", "ordain-lint", "ordain-test", "ordain-check-commit"]
    assert [one["id"] for one in HOOKS] == names
    for one in HOOKS:
        assert one.keys() >= {"id", "name", "entry", "language", "pass_filenames", "stages"}
        assert one["language"] == "python"
        assert one["pass_filenames"] is False


@pytest.mark.parametrize("hook", HOOKS, ids=lambda one: str(one["id"]))
def test_the_command_of_a_hook_runs_in_an_estate(founded: Place, hook: dict[str, Any]) -> None:
    words = hook["entry"].split()
    assert words[0] == "ordain"
    # An estate without tests of policies is told so, which is no wrong use of the command.
    done = founded.ordain(*words[1:], expect=None)
    assert (done.returncode, "Usage:" in done.stderr) in {(0, False), (1, False)} or (
        "TEST005" in done.stderr
    )


def test_the_check_wakes_for_every_file_that_belongs_to_an_estate(founded: Place) -> None:
    pattern = re.compile(next(one["files"] for one in HOOKS if one["id"] == "ordain-check"))
    files = [one for one in founded.git("ls-files").splitlines() if belongs_to_estate(one)]
    assert ESTATE_FILE in files
    assert [one for one in files if not pattern.search(one)] == []
    # What decides over merges is judged by the check, too.
    places = ("CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS")
    others = (".github/workflows/ordain.yml", ".gitlab/ordain.gitlab-ci.yml", ".gitlab-ci.yml")
    for path in (*places, *others):
        assert decides_merges(path)
        assert pattern.search(path), path
    for path in ("notes/specs.md", "notes/CODEOWNERS", "docs/ci.md", "x.gitlab-ci.yml"):
        assert not pattern.search(path), path


def test_a_change_that_is_refused_stops_the_commit(place: Place) -> None:
    place.edit("specs/monitors/credit-default.yaml", "fail: 0.25", "fail: 5")
    words = next(one["entry"] for one in HOOKS if one["id"] == "ordain-check").split()
    place.ordain(*words[1:], expect=1)
