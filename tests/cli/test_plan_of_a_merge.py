"""`ordain plan --base`: what a merge changes, from git alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

MODEL = "specs/models/credit-default.yaml"


@pytest.fixture
def topic(place: Place) -> Place:
    """A branch on which the owner of the model is another one."""
    place.git("checkout", "-q", "-b", "topic")
    place.edit(MODEL, "  owner: ", "  owner: retail-")
    place.commit("Another owner")
    return place


def test_the_plan_ends_with_one_line_that_sums_up_and_the_next_step(topic: Place) -> None:
    told = topic.ordain("plan", "--base", "main").stdout.splitlines()
    assert told[-2:] == [
        "Plan: 0 to add, 1 to change, 0 to remove; 0 models retrain; 0 approvals missing.",
        "Next: ordain proposals list",
    ]
    assert "  nothing is trained, served or watched otherwise" in told


def test_what_the_gate_refuses_is_planned_all_the_same(topic: Place) -> None:
    topic.edit("specs/monitors/credit-default.yaml", "fail: ", "fail: 9")
    topic.commit("A looser limit")
    done = topic.ordain("plan", "--base", "main", "--rev", "topic")
    told = done.stdout.splitlines()
    assert told[-3].startswith("Verdict: fail (")
    assert told[-2].endswith("1 approval missing.")
    assert told[-1] == "Next: ordain check --base main --rev topic"


def test_where_only_an_approval_is_missing_the_proposals_come_next(topic: Place) -> None:
    topic.edit("specs/routes/credit.yaml", "endpoint: /v1/credit", "endpoint: /v1/loans")
    topic.commit("Another endpoint")
    told = topic.ordain("plan", "--base", "main").stdout.splitlines()
    assert told[-3].startswith("Verdict: fail (1 error, 0 warnings); first SOD-QUORUM: ")
    assert told[-1] == "Next: ordain proposals list"


def test_it_runs_where_there_is_no_home(topic: Place) -> None:
    shutil.rmtree(topic.root / "home")
    found = json.loads(topic.ordain("plan", "--base", "main", "-o", "json").stdout)
    assert found["verdict"] == "pass"
    assert not (topic.root / "home").exists()


def test_markdown_is_written_for_a_change_only(topic: Place) -> None:
    text = topic.ordain("plan", "--base", "main", "-o", "markdown").stdout
    assert text.startswith("<!-- ordain:plan sha256:")
    assert text.endswith("</sub>\n")
    refused = topic.ordain("plan", "-o", "markdown", expect=2)
    assert "say into what, with --base" in refused.stderr


def test_a_plan_of_a_merge_is_not_saved(topic: Place) -> None:
    refused = topic.ordain("plan", "--base", "main", "--out", "plan.json", expect=2)
    assert "cannot be applied, so it is not saved" in refused.stderr
    assert not (topic.estate / "plan.json").exists()


def test_the_exit_code_says_whether_there_is_a_change(topic: Place) -> None:
    topic.ordain("plan", "--base", "main", "--exit-code", expect=1)
    topic.ordain("plan", "--base", "topic", "--exit-code", expect=0)


def test_what_is_not_committed_is_not_looked_at_and_that_is_said(topic: Place) -> None:
    topic.edit(MODEL, "  tier: 2", "  tier: 3")
    done = topic.ordain("plan", "--base", "main")
    assert (
        done.stderr == "note: 1 file differs from the newest commit, which is what is looked at\n"
    )
    assert "spec.tier" not in done.stdout


def test_sides_that_do_not_merge_are_an_error(topic: Place) -> None:
    topic.git("checkout", "-q", "main")
    topic.edit(MODEL, "  owner: ", "  owner: other-")
    topic.commit("Yet another owner")
    done = topic.ordain("plan", "--base", "main", "--rev", "topic", expect=2)
    assert f"the two sides changed the same lines of {MODEL}" in done.stderr
