"""What the environment of a pipeline says, and that nothing in it is guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ordain.cli.pipelines import (
    Occasion,
    Pipeline,
    PipelineUnknown,
    PipelineUnsafe,
    System,
    pipeline_of,
    settled,
)

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = "a" * 40, "b" * 40, "c" * 64
MERGE_REQUEST = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "12",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "bank/estate",
    "CI_MERGE_REQUEST_PROJECT_PATH": "bank/estate",
    "CI_COMMIT_SHA": A,
}


def github(place: Path, name: str, event: object) -> Pipeline:
    file = place / "event.json"
    file.write_bytes(event if isinstance(event, bytes) else json.dumps(event).encode())
    return pipeline_of(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
        }
    )


def pull(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of JSON
    """The event of a pull request with other fields, by their dotted path with `__`."""
    event: dict[str, Any] = {
        "pull_request": {
            "number": 7,
            "head": {"sha": A, "repo": {"full_name": "bank/estate"}},
            "base": {"ref": "main", "sha": B, "repo": {"full_name": "bank/estate"}},
        }
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner = event["pull_request"]
        for one in parents:
            inner = inner[one]
        inner[last] = value
    return event


def test_elsewhere_nothing_is_said() -> None:
    assert pipeline_of({}) == Pipeline()
    assert pipeline_of({"CI": "true", "GITHUB_EVENT_NAME": "pull_request"}) == Pipeline()


def test_a_pull_request_is_judged_onto_the_tip_of_its_target(tmp_path: Path) -> None:
    assert github(tmp_path, "pull_request", pull()) == Pipeline(
        System.GITHUB,
        Occasion.PROPOSAL,
        target="main",
        head=A,
        proposal=7,
        ref="refs/pull/7/head",
        into="main",
    )


@pytest.mark.parametrize("repository", [None, {"full_name": "other/estate"}, {}])
def test_what_is_not_surely_ours_is_a_fork(tmp_path: Path, repository: object) -> None:
    assert github(tmp_path, "pull_request", pull(head__repo=repository)).fork


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "7"}, "number"),
        ({"number": True}, "number"),
        ({"number": 0}, "number"),
        ({"head__sha": "HEAD"}, "head.sha"),
        ({"head__sha": A.upper()}, "head.sha"),
        ({"head__sha": f"{A}\n"}, "head.sha"),
        ({"head": None}, "head.sha"),
        ({"base__ref": ""}, "base.ref"),
        ({"base__ref": "--upload-pack=x"}, "base.ref"),
        ({"base__ref": "a..b"}, "base.ref"),
        ({"base__ref": "a:b"}, "base.ref"),
        ({"base__ref": "*"}, "base.ref"),
        ({"base__ref": "a b"}, "base.ref"),
        ({"base__ref": "a\n"}, "base.ref"),
        ({"base__ref": "\ud800"}, "base.ref"),
        ({"base__repo": None}, "base.repo.full_name"),
    ],
)
def test_a_field_of_another_shape_is_named(
    tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(PipelineUnknown) as refused:
        github(tmp_path, "pull_request", pull(**changes))
    assert refused.value.message.startswith(f"pull_request.{field} of this run is not what")


@pytest.mark.parametrize("event", [b"", b"{", b"\xff", b"[]", b'"x"', b"[" * 100_000])
def test_an_event_that_is_none_is_an_error(tmp_path: Path, event: bytes) -> None:
    with pytest.raises(PipelineUnknown):
        github(tmp_path, "pull_request", event)


def test_an_event_without_a_file_is_an_error(tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}
    for path in ("", str(tmp_path), str(tmp_path / "gone")):
        with pytest.raises(PipelineUnknown, match="the event of this run cannot be read from"):
            pipeline_of({**environ, "GITHUB_EVENT_PATH": path})


def test_the_base_s_rights_for_a_stranger_are_refused_before_anything_is_read() -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"}
    with pytest.raises(PipelineUnsafe) as refused:
        pipeline_of(environ)
    assert refused.value.remedy.startswith("run the gate on pull_request;")


@pytest.mark.parametrize(
    ("ref", "into", "number"),
    [
        (f"refs/heads/gh-readonly-queue/main/pr-31-{B}", "main", 31),
        (f"refs/heads/gh-readonly-queue/release/1.0/pr-31-{B}", "release/1.0", 31),
        (f"refs/heads/gh-readonly-queue/main/pr-0-{B}", "main", None),
        (f"refs/heads/elsewhere/gh-readonly-queue/main/pr-31-{B}", "main", None),
    ],
)
def test_a_merge_group_names_base_and_head_and_its_branch_the_number(
    tmp_path: Path, ref: str, into: str, number: int | None
) -> None:
    group = {"head_sha": A, "base_sha": B, "head_ref": ref, "base_ref": f"refs/heads/{into}"}
    found = github(tmp_path, "merge_group", {"merge_group": group})
    assert (found.occasion, found.base, found.head) == (Occasion.QUEUE, B, A)
    assert (found.proposal, found.ref, found.into) == (number, ref, into)


def test_a_queue_of_another_branch_than_the_event_names_is_an_error(tmp_path: Path) -> None:
    ref = f"refs/heads/gh-readonly-queue/dev/pr-31-{B}"
    group = {"head_sha": A, "base_sha": B, "head_ref": ref, "base_ref": "refs/heads/main"}
    with pytest.raises(PipelineUnknown, match=r"merge_group\.head_ref of this run is not what"):
        github(tmp_path, "merge_group", {"merge_group": group})


def test_a_push_that_deletes_the_branch_leaves_nothing_to_judge(tmp_path: Path) -> None:
    event = {"ref": "refs/heads/main", "before": A, "after": "0" * 40}
    with pytest.raises(PipelineUnknown, match="this push deleted the branch") as refused:
        github(tmp_path, "push", event)
    assert refused.value.remedy.startswith("forbid deletions of the protected branch")


def test_a_push_names_what_was_there_before(tmp_path: Path) -> None:
    event = {"ref": "refs/heads/main", "before": C, "after": A}
    found = github(tmp_path, "push", event)
    assert (found.occasion, found.base, found.head) == (Occasion.PUSH, C, A)
    assert found.proposal is None


@pytest.mark.parametrize("name", ["schedule", "workflow_run", "issue_comment", ""])
def test_other_events_name_no_change(tmp_path: Path, name: str) -> None:
    found = github(tmp_path, name, b"not even read")
    assert found == Pipeline(System.GITHUB)
    with pytest.raises(PipelineUnknown, match="nothing here says which change to judge"):
        settled(found, None, A, 7)


# GitLab


def test_a_merge_request_is_judged_onto_the_tip_of_its_target() -> None:
    assert pipeline_of(MERGE_REQUEST) == Pipeline(
        System.GITLAB,
        Occasion.PROPOSAL,
        target="main",
        head=A,
        proposal=12,
        ref="refs/merge-requests/12/head",
        into="main",
    )


def test_of_merged_results_the_offered_commit_is_judged() -> None:
    merged = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": B, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": C}
    found = pipeline_of({**MERGE_REQUEST, **merged})
    assert (found.occasion, found.target, found.head) == (Occasion.PROPOSAL, "main", B)


def test_in_a_train_the_merge_is_judged_onto_what_goes_before_it() -> None:
    train = {"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": B}
    found = pipeline_of({**MERGE_REQUEST, **train})
    assert (found.occasion, found.base, found.head) == (Occasion.QUEUE, B, A)
    assert (found.target, found.proposal) == ("", 12)


def test_a_push_to_gitlab_names_what_was_there_before() -> None:
    environ = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_BEFORE_SHA": B,
        "CI_COMMIT_SHA": A,
    }
    found = pipeline_of(environ)
    assert (found.occasion, found.base, found.head) == (Occasion.PUSH, B, A)
    with pytest.raises(PipelineUnknown, match="this push made the branch"):
        pipeline_of({**environ, "CI_COMMIT_BEFORE_SHA": "0" * 40})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CI_MERGE_REQUEST_IID", "12 "),
        ("CI_MERGE_REQUEST_IID", "-1"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "+refs/heads/*:refs/heads/*"),
        ("CI_COMMIT_SHA", "main"),
    ],
)
def test_a_variable_of_another_shape_is_named(name: str, value: str) -> None:
    with pytest.raises(PipelineUnknown, match=f"{name} of this run is not what its forge"):
        pipeline_of({**MERGE_REQUEST, name: value})


@pytest.mark.parametrize("name", [name for name in MERGE_REQUEST if name.startswith("CI_MERGE")])
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    left = {key: value for key, value in MERGE_REQUEST.items() if key != name}
    with pytest.raises(PipelineUnknown, match=name):
        pipeline_of(left)


def test_words_of_the_command_stand_in_the_place_of_the_event_s() -> None:
    found = settled(pipeline_of(MERGE_REQUEST), "main~1", None, None)
    assert (found.base, found.target, found.head) == ("main~1", "", A)
    assert settled(Pipeline(), "main", None, 3).head == "HEAD"
