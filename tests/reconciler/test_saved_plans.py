"""A saved plan holds back what moved, and never adds anything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.errors import PlanStale, PlanUnreadable
from ordain.reconciler.planning import Plan
from ordain.reconciler.saved_plans import read_plan, refuse_stale
from ordain.reconciler.stages import Enrol, Retire

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan("c" * 40, "sha256:" + "1" * 64, (Enrol("credit"),), ())


def saved(path: Path, plan: Plan = PLAN) -> Path:
    path.write_text(json.dumps(plan.to_json()))
    return path


def test_the_same_plan_is_carried_out(tmp_path: Path) -> None:
    found = read_plan(saved(tmp_path / "plan.json"))
    refuse_stale(found, PLAN)
    assert found["stages"] == [{"stage": "Enrol", "model": "credit"}]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (
            replace(PLAN, revision="d" * 40),
            "it was made for cccccccccccc, git is at dddddddddddd",
        ),
        (
            replace(PLAN, observed="sha256:" + "2" * 64),
            "production is not as it was when the plan was made",
        ),
        (
            replace(PLAN, stages=(Retire("credit"),)),
            "its stages are not those that would be planned now",
        ),
    ],
)
def test_a_stale_plan_is_refused_with_the_reason(tmp_path: Path, now: Plan, reason: str) -> None:
    found = read_plan(saved(tmp_path / "plan.json"))
    with pytest.raises(PlanStale) as caught:
        refuse_stale(found, now)
    assert caught.value.message == f"the plan is out of date: {reason}"
    assert caught.value.remedy == "look at it again: ordain plan --out plan.json"
    assert caught.value.exit_code == 2


def test_a_stage_that_was_written_into_the_file_is_never_carried_out(tmp_path: Path) -> None:
    raw = PLAN.to_json()
    raw["stages"].append(Retire("churn").to_json())
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(PlanStale, match="its stages are not those"):
        refuse_stale(read_plan(path), PLAN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{not json", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[]", "is no saved plan of the format ordain.plan-file/1"),
        (b'{"format": "other/1"}', "is no saved plan of the format ordain.plan-file/1"),
    ],
)
def test_what_is_no_plan_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(PlanUnreadable) as caught:
        read_plan(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize("missing", ["absent.json", "."])
def test_a_plan_that_cannot_be_read_is_one_clear_error(tmp_path: Path, missing: str) -> None:
    with pytest.raises(PlanUnreadable, match="cannot be read: "):
        read_plan(tmp_path / missing)
