"""The stub of GitLab keeps to what is published, and really merges, pages and refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from forges import GitLabStub
from forges.asking import ask, rels
from forges.published import read
from forges.sample import bare_repository, git, push

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECT = f"/projects/{quote('group/estate', safe='')}"
ONE = f"{PROJECT}/merge_requests/1"
ABSENT = "0" * 39 + "1"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return bare_repository(tmp_path)


@pytest.fixture
def gitlab(bare: Path) -> Iterator[GitLabStub]:
    with GitLabStub(bare) as stub:
        stub.open_merge_request("topic", title="Promote")
        yield stub


def lacks(schema: str, found: Mapping[str, object]) -> list[str]:
    return [field for field in read("gitlab/required")[schema] if field not in found]


def test_each_answer_has_the_documented_fields(gitlab: GitLabStub, bare: Path) -> None:
    head = git(bare, "rev-parse", "topic")
    manager = gitlab.person("manager")
    gitlab.approve(1, "manager")
    gitlab.approval_rule("validation", 1, ["manager"])
    gitlab.set_status(head, "manager", "success", "ordain")
    gitlab.protect()
    gitlab.push_rule = {"reject_unsigned_commits": True}
    approvals = ask(gitlab, f"{ONE}/approvals").body
    state = ask(gitlab, f"{ONE}/approval_state").body
    answers = {
        "user": ask(gitlab, "/users?username=manager").body[0],
        "single-user": ask(gitlab, f"/users/{manager.id}").body,
        "merge-request": ask(gitlab, ONE).body,
        "approvals": approvals,
        "approvals-free": approvals,
        "approval": approvals["approved_by"][0],
        "approval-state": state,
        "approval-state-rule": state["rules"][0],
        "approval-rule": ask(gitlab, f"{PROJECT}/approval_rules").body[0],
        "approval-settings": ask(gitlab, f"{PROJECT}/approvals").body,
        "version": ask(gitlab, f"{ONE}/versions").body[0],
        "note": ask(gitlab, f"{ONE}/notes").body[0],
        "commit-status": ask(gitlab, f"{PROJECT}/repository/commits/{head}/statuses").body[0],
        "protected-branch": ask(gitlab, f"{PROJECT}/protected_branches/main").body,
        "push-rule": ask(gitlab, f"{PROJECT}/push_rule").body,
    }
    missing = {name: lacks(name, body) for name, body in answers.items()}
    assert missing == {name: [] for name in read("gitlab/required")}


def test_a_token_without_scope_role_or_membership_is_told_so(gitlab: GitLabStub) -> None:
    reader = gitlab.token_for("validator", scope="read_api")
    stranger = gitlab.token_for("cto", level=None)
    developer = gitlab.token_for("data-scientist", scope="api", level=30)
    gitlab.protect()
    assert ask(gitlab, ONE, Authorization="", PRIVATE_TOKEN=reader).status == 200
    assert ask(gitlab, ONE, PRIVATE_TOKEN="no").body == {"message": "401 Unauthorized"}
    write = ask(gitlab, f"{ONE}/merge", "PUT", PRIVATE_TOKEN=reader)
    assert (write.status, write.body["error"]) == (403, "insufficient_scope")
    assert ask(gitlab, ONE, PRIVATE_TOKEN=stranger).body == {"message": "404 Project Not Found"}
    merge = ask(gitlab, f"{ONE}/merge", "PUT", PRIVATE_TOKEN=developer)
    assert (merge.status, merge.body) == (401, {"message": "401 Unauthorized"})


def test_pages_are_told_by_headers(gitlab: GitLabStub) -> None:
    for number in range(5):
        gitlab.comment(1, "manager", str(number))
    path = f"{ONE}/notes?sort=asc&per_page=2"
    first, last = ask(gitlab, path), ask(gitlab, f"{path}&page=3")
    names = ("X-Page", "X-Per-Page", "X-Prev-Page", "X-Next-Page", "X-Total", "X-Total-Pages")
    assert [first.headers[name] for name in names] == ["1", "2", "", "2", "5", "3"]
    assert [last.headers[name] for name in names] == ["3", "2", "2", "", "5", "3"]
    assert [one["body"] for one in last.body] == ["4"]
    assert sorted(rels(first.headers["Link"])) == ["first", "last", "next"]
    assert ask(gitlab, rels(first.headers["Link"])["next"]).body[0]["body"] == "2"


def test_a_merge_is_of_whoever_merges(gitlab: GitLabStub, bare: Path) -> None:
    head, base = git(bare, "rev-parse", "topic"), git(bare, "rev-parse", "main")
    done = ask(gitlab, f"{ONE}/merge", "PUT", {"sha": head})
    assert (done.status, done.body["state"], done.body["sha"]) == (200, "merged", head)
    assert done.body["merge_commit_sha"] == git(bare, "rev-parse", "main")
    assert git(bare, "log", "-1", "--format=%P|%cn|%s", "main") == (
        f"{base} {head}|reconciler|Merge branch 'topic' into 'main'"
    )
    assert done.body["merge_user"]["username"] == "reconciler"
    assert done.body["squash_commit_sha"] is None
    assert git(bare, "fsck", "--strict") == ""


def test_a_squash_is_merged_as_a_second_parent(gitlab: GitLabStub, bare: Path) -> None:
    done = ask(gitlab, f"{ONE}/merge", "PUT", {"squash": True}).body
    assert git(bare, "rev-parse", "main^2") == done["squash_commit_sha"]
    assert git(bare, "log", "-1", "--format=%an|%s", "main^2") == "data-scientist|Promote"
    assert git(bare, "show", "main:model.yaml") == "a: 0\nb: 2\nc: 4"


def test_a_merge_is_refused_in_the_documented_order(gitlab: GitLabStub, bare: Path) -> None:
    head = git(bare, "rev-parse", "topic")
    gitlab.block(1)
    moved = ask(gitlab, f"{ONE}/merge", "PUT", {"sha": ABSENT})
    refused = ask(gitlab, f"{ONE}/merge", "PUT", {"sha": head})
    gitlab.block(1, None)
    gitlab.settings["merge_method"] = "ff"
    behind = ask(gitlab, ONE).body["detailed_merge_status"]
    sentence = f"SHA does not match HEAD of source branch: {head}"
    assert (moved.status, moved.body) == (409, {"message": sentence})
    assert (refused.status, refused.body) == (405, {"message": "405 Method Not Allowed"})
    assert behind == "need_rebase"


def test_a_target_that_moves_under_the_merge_is_422(gitlab: GitLabStub, bare: Path) -> None:
    gitlab.before_move = lambda: push(bare, "main")
    got = ask(gitlab, f"{ONE}/merge", "PUT")
    assert (got.status, got.body) == (422, {"message": "Branch cannot be merged"})
    assert git(bare, "log", "-1", "--format=%s", "main") == "more"


def test_an_approval_names_a_time_and_no_commit(gitlab: GitLabStub, bare: Path) -> None:
    gitlab.approve(1, "manager")
    gitlab.approval_settings["reset_approvals_on_push"] = False
    gitlab.now += timedelta(minutes=5)
    new = push(bare)
    (approval,) = ask(gitlab, f"{ONE}/approvals").body["approved_by"]
    newest, oldest = ask(gitlab, f"{ONE}/versions").body
    assert sorted(approval) == ["approved_at", "user"]
    assert approval["user"]["username"] == "manager"
    assert approval["approved_at"] == "2026-11-20T09:00:00.000Z"
    assert (newest["head_commit_sha"], newest["created_at"]) == (new, "2026-11-20T09:05:00.000Z")
    assert oldest["id"] < newest["id"]


def test_a_push_resets_approvals_and_says_so(gitlab: GitLabStub, bare: Path) -> None:
    gitlab.approve(1, "manager")
    push(bare)
    assert ask(gitlab, f"{ONE}/approvals").body["approved_by"] == []
    notes = ask(gitlab, f"{ONE}/notes?sort=asc").body
    assert [(each["body"], each["system"]) for each in notes] == [
        ("approved this merge request", True),
        ("added 1 commit", True),
        ("reset approvals from @manager by pushing to the branch", True),
    ]


def test_a_rule_counts_those_it_names_and_approvals_show_everybody(gitlab: GitLabStub) -> None:
    gitlab.approval_rule("validation", 1, ["validator"])
    gitlab.approve(1, "manager")
    approvals = ask(gitlab, f"{ONE}/approvals").body
    (rule,) = ask(gitlab, f"{ONE}/approval_state").body["rules"]
    assert [each["user"]["username"] for each in approvals["approved_by"]] == ["manager"]
    assert (approvals["approved"], approvals["approvals_left"]) == (False, 1)
    assert (rule["approved_by"], rule["approved"]) == ([], False)


def test_what_a_deleted_account_approved_is_gone_and_what_it_wrote_is_the_ghosts(
    gitlab: GitLabStub,
) -> None:
    gitlab.approve(1, "manager")
    gitlab.delete_user("manager")
    gitlab.delete_user("data-scientist")
    assert ask(gitlab, f"{ONE}/approvals").body["approved_by"] == []
    assert ask(gitlab, f"{ONE}/notes").body[0]["author"]["username"] == "ghost"
    assert ask(gitlab, ONE).body["author"]["username"] == "ghost"


def test_only_a_single_user_says_whether_it_is_a_bot(gitlab: GitLabStub) -> None:
    (listed,) = ask(gitlab, "/users?username=RECONCILER").body
    assert "bot" not in listed
    assert ask(gitlab, f"/users/{listed['id']}").body["bot"] is True
    assert ask(gitlab, "/users?username=nobody").body == []


def test_the_free_edition_has_no_rules(bare: Path) -> None:
    with GitLabStub(bare, tier="free") as stub:
        stub.open_merge_request("topic")
        stub.approve(1, "manager")
        assert ask(stub, f"{PROJECT}/approval_rules").status == 404
        assert ask(stub, f"{PROJECT}/push_rule").status == 404
        found = ask(stub, f"{ONE}/approvals").body
    assert sorted(found) == sorted(read("gitlab/required")["approvals-free"])


def test_a_status_cannot_be_set_to_where_it_stands(gitlab: GitLabStub, bare: Path) -> None:
    path = f"{PROJECT}/statuses/{git(bare, 'rev-parse', 'topic')}"
    states = ("pending", "pending", "success")
    sent = [ask(gitlab, path, "POST", {"state": state}) for state in states]
    assert [one.status for one in sent] == [201, 400, 201]
    assert sent[1].body["message"] == (
        "Cannot transition status via :enqueue from :pending "
        '(Reason(s): Status cannot transition via "enqueue")'
    )
    assert sent[0].body["id"] == sent[2].body["id"]


def test_notes_are_edited_but_not_the_systems(gitlab: GitLabStub) -> None:
    gitlab.approve(1, "manager")
    (said,) = ask(gitlab, f"{ONE}/notes").body
    made = ask(gitlab, f"{ONE}/notes", "POST", {"body": "one"})
    path = f"{ONE}/notes/{made.body['id']}"
    edited = ask(gitlab, path, "PUT", {"body": "two"})
    refused = ask(gitlab, f"{ONE}/notes/{said['id']}", "PUT", {"body": "two"})
    long = ask(gitlab, path, "PUT", {"body": "x" * 1_000_001})
    assert (made.status, edited.status, edited.body["body"]) == (201, 200, "two")
    assert refused.status == 403
    assert long.body == {"message": {"note": ["is too long (maximum is 1000000 characters)"]}}


def test_push_rules_that_were_never_set_are_a_null(gitlab: GitLabStub) -> None:
    got = ask(gitlab, f"{PROJECT}/push_rule")
    assert (got.status, got.body, got.headers["Content-Length"]) == (200, None, "4")


def test_a_merge_request_is_opened_once_closed_and_found_by_its_commits(
    gitlab: GitLabStub, bare: Path
) -> None:
    second = git(bare, "rev-parse", "topic~1")
    new = {"source_branch": "topic", "target_branch": "main", "title": "t"}
    again = ask(gitlab, f"{PROJECT}/merge_requests", "POST", new)
    sentence = "Another open merge request already exists for this source branch: !1"
    assert (again.status, again.body) == (409, {"message": [sentence]})
    found = ask(gitlab, f"{PROJECT}/repository/commits/{second}/merge_requests").body
    assert [one["iid"] for one in found] == [1]
    closed = ask(gitlab, ONE, "PUT", {"state_event": "close"}).body
    assert (closed["state"], closed["detailed_merge_status"]) == ("closed", "not_open")
    assert ask(gitlab, f"{PROJECT}/merge_requests?state=opened").body == []
    assert ask(gitlab, f"{PROJECT}/merge_requests", "POST", new).body["iid"] == 2


def test_a_project_is_asked_by_number_or_by_its_quoted_path(gitlab: GitLabStub) -> None:
    numbered = f"/projects/{gitlab.project_id}"
    assert ask(gitlab, numbered).body["path_with_namespace"] == "group/estate"
    assert ask(gitlab, PROJECT).status == 200
    assert ask(gitlab, "/projects/group/estate").body == {"error": "404 Not Found"}
    gitlab.rename_project("group/other")
    moved = ask(gitlab, PROJECT)
    assert (moved.status, moved.headers["Location"]) == (301, gitlab.url + numbered)
