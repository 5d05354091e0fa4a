"""The stub of GitHub keeps to what is published, and really merges, pages and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from forges import GitHubStub
from forges.asking import ask, rels
from forges.published import read
from forges.sample import bare_repository, git, push

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REPO = "/repos/owner/estate"
ABSENT = "0" * 39 + "1"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return bare_repository(tmp_path)


@pytest.fixture
def github(bare: Path) -> Iterator[GitHubStub]:
    with GitHubStub(bare) as stub:
        stub.open_pull("topic", title="Promote")
        yield stub


def lacks(schema: str, found: Mapping[str, object]) -> list[str]:
    return [field for field in read("github/required")[schema] if field not in found]


def test_each_answer_has_the_required_fields(github: GitHubStub, bare: Path) -> None:
    head = git(bare, "rev-parse", "topic")
    github.review(1, "manager")
    github.comment(1, "manager", "Looks right.")
    github.happen(1, "manager", "labeled")
    ruleset = github.ruleset("gate", [{"type": "deletion"}])
    github.set_status(head, "manager", "success", "ordain")
    github.check_run(head, "ordain")
    github.protect(
        required_status_checks={"contexts": ["ordain"]},
        required_pull_request_reviews={"required_approving_review_count": 2},
        restrictions={},
    )
    pull = ask(github, f"{REPO}/pulls/1").body
    commit = ask(github, f"{REPO}/pulls/1/commits").body[0]
    run = ask(github, f"{REPO}/commits/{head}/check-runs").body["check_runs"][0]
    status = ask(github, f"{REPO}/commits/{head}/status").body
    protection = ask(github, f"{REPO}/branches/main/protection").body
    answers = {
        "simple-user": ask(github, "/users/manager").body,
        "repository": ask(github, REPO).body,
        "pull-request": pull,
        "pull-request-simple": ask(github, f"{REPO}/pulls").body[0],
        "pull-request-head": pull["head"],
        "pull-request-links": pull["_links"],
        "pull-request-review": ask(github, f"{REPO}/pulls/1/reviews").body[0],
        "issue-comment": ask(github, f"{REPO}/issues/1/comments").body[0],
        "issue-event": ask(github, f"{REPO}/issues/1/events").body[0],
        "repository-ruleset": ask(github, f"{REPO}/rulesets/{ruleset.id}").body,
        "commit": commit,
        "commit-inner": commit["commit"],
        "verification": commit["commit"]["verification"],
        "diff-entry": ask(github, f"{REPO}/pulls/1/files").body[0],
        "combined-commit-status": status,
        "simple-commit-status": status["statuses"][0],
        "status": ask(github, f"{REPO}/statuses/{head}", "POST", {"state": "success"}).body,
        "check-run": run,
        "check-run-output": run["output"],
        "branch-with-protection": ask(github, f"{REPO}/branches/main").body,
        "protected-branch": protection,
        "status-check-policy": protection["required_status_checks"],
        "protected-branch-pull-request-review": protection["required_pull_request_reviews"],
        "branch-restriction-policy": protection["restrictions"],
        "pull-request-merge-result": ask(github, f"{REPO}/pulls/1/merge", "PUT").body,
    }
    missing = {name: lacks(name, body) for name, body in answers.items()}
    assert missing == {name: [] for name in read("github/required")}


def test_a_list_promises_less_than_a_single_answer(github: GitHubStub) -> None:
    single = ask(github, f"{REPO}/pulls/1").body
    (listed,) = ask(github, f"{REPO}/pulls").body
    assert sorted(single.keys() - listed.keys()) == sorted(read("github/pull"))


def test_a_wrong_token_none_and_one_that_may_not_differ(github: GitHubStub) -> None:
    blind = github.token_for("cto", sees=False)
    reader = github.token_for("validator", {"pull_requests": "read"})
    wrong = ask(github, f"{REPO}/pulls", Authorization="Bearer nobody")
    none = ask(github, f"{REPO}/pulls", Authorization="")
    unseen = ask(github, f"{REPO}/pulls", Authorization=f"Bearer {blind}")
    seen = ask(github, f"{REPO}/pulls", Authorization=f"token {reader}")
    merge = ask(github, f"{REPO}/pulls/1/merge", "PUT", {}, Authorization=f"Bearer {reader}")
    assert (wrong.status, wrong.body["message"]) == (401, "Bad credentials")
    assert (none.status, none.body["message"]) == (401, "Requires authentication")
    assert (unseen.status, unseen.body["message"], seen.status) == (404, "Not Found", 200)
    assert merge.status == 403
    assert merge.body["message"] == "Resource not accessible by personal access token"
    assert merge.headers["X-Accepted-GitHub-Permissions"] == "contents=write"


def test_pages_are_linked_by_the_number_of_the_repository(github: GitHubStub) -> None:
    for number in range(5):
        github.comment(1, "manager", str(number))
    path, seen = f"{REPO}/issues/1/comments?per_page=2", []
    while path:
        got = ask(github, path)
        seen += [one["body"] for one in got.body]
        path = rels(got.headers["Link"]).get("next", "")
    assert seen == ["0", "1", "2", "3", "4"]
    assert sorted(rels(got.headers["Link"])) == ["first", "prev"]
    assert github.requests[1].path == "/api/v3/repositories/1296269/issues/1/comments"
    assert ask(github, f"{REPO}/issues/1/comments").headers["Link"] is None


def test_either_of_two_permissions_is_enough_for_a_comment(github: GitHubStub) -> None:
    path = f"{REPO}/issues/1/comments"
    tokens = [
        github.token_for("cto", {name: "write"}) for name in ("issues", "pull_requests", "contents")
    ]
    got = [ask(github, path, "POST", {"body": "x"}, Authorization=f"token {one}") for one in tokens]
    assert [one.status for one in got] == [201, 201, 403]
    either = got[2].headers["X-Accepted-GitHub-Permissions"]
    assert either == "issues=write; pull_requests=write"


@pytest.mark.parametrize(("asked", "given"), [("500", 100), ("0", 1), ("x", 30)])
def test_a_page_is_never_larger_than_a_hundred(asked: str, given: int) -> None:
    with GitHubStub() as stub:
        stub.open_pull("topic")
        for number in range(120):
            stub.comment(1, "manager", str(number))
        got = ask(stub, f"{REPO}/issues/1/comments?per_page={asked}")
    assert len(got.body) == given


def test_a_merge_is_the_platforms_commit(github: GitHubStub, bare: Path) -> None:
    head, base = git(bare, "rev-parse", "topic"), git(bare, "rev-parse", "main")
    done = ask(github, f"{REPO}/pulls/1/merge", "PUT", {"sha": head})
    assert done.body["merged"] is True
    assert done.body["sha"] == git(bare, "rev-parse", "main")
    assert git(bare, "log", "-1", "--format=%P%n%cn <%ce>%n%s", "main").splitlines() == [
        f"{base} {head}",
        "GitHub <noreply@github.com>",
        "Merge pull request #1 from owner/topic",
    ]
    assert "-----BEGIN PGP SIGNATURE-----" in git(bare, "cat-file", "commit", "main")
    assert git(bare, "show", "main:model.yaml") == "a: 0\nb: 2\nc: 4"
    pull = ask(github, f"{REPO}/pulls/1").body
    assert (pull["state"], pull["merged"], pull["mergeable"]) == ("closed", True, None)
    assert pull["merge_commit_sha"] == done.body["sha"]
    assert pull["merged_by"]["login"] == "reconciler[bot]"
    assert git(bare, "fsck", "--strict") == ""


def test_a_squash_has_one_parent_and_the_authors_name(github: GitHubStub, bare: Path) -> None:
    base = git(bare, "rev-parse", "main")
    ask(github, f"{REPO}/pulls/1/merge", "PUT", {"merge_method": "squash"})
    shown = git(bare, "log", "-1", "--format=%P%n%an%n%cn%n%s", "main").splitlines()
    assert shown == [base, "data-scientist", "GitHub", "Promote (#1)"]
    assert git(bare, "show", "main:model.yaml") == "a: 0\nb: 2\nc: 4"


def test_a_rebase_makes_unsigned_commits_of_whoever_merges(github: GitHubStub, bare: Path) -> None:
    done = ask(github, f"{REPO}/pulls/1/merge", "PUT", {"merge_method": "rebase"})
    shown = git(bare, "log", "-2", "--format=%an|%cn|%s", "main").splitlines()
    assert shown == [
        "data-scientist|reconciler[bot]|third",
        "data-scientist|reconciler[bot]|second",
    ]
    assert done.body["sha"] == git(bare, "rev-parse", "main")
    assert "gpgsig" not in git(bare, "cat-file", "commit", "main")


def test_a_head_that_moved_is_409_and_merges_nothing(github: GitHubStub, bare: Path) -> None:
    old, base = git(bare, "rev-parse", "topic"), git(bare, "rev-parse", "main")
    new = push(bare)
    got = ask(github, f"{REPO}/pulls/1/merge", "PUT", {"sha": old})
    sentence = "Head branch was modified. Review and try the merge again."
    assert (got.status, got.body["message"]) == (409, sentence)
    assert git(bare, "rev-parse", "main") == base
    assert ask(github, f"{REPO}/pulls/1").body["head"]["sha"] == new


def test_what_conflicts_or_is_blocked_is_405(github: GitHubStub, bare: Path) -> None:
    reason = "At least 1 approving review is required by reviewers with write access."
    github.block(1, reason)
    blocked = ask(github, f"{REPO}/pulls/1/merge", "PUT")
    github.block(1, None)
    push(bare, "topic", "both.yaml")
    push(bare, "main", "both.yaml")
    conflict = ask(github, f"{REPO}/pulls/1/merge", "PUT")
    pull = ask(github, f"{REPO}/pulls/1").body
    assert (blocked.status, blocked.body["message"]) == (405, reason)
    assert (conflict.status, conflict.body["message"]) == (405, "Pull Request is not mergeable")
    assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")


def test_a_base_that_moves_under_the_merge_is_405(github: GitHubStub, bare: Path) -> None:
    github.before_move = lambda: push(bare, "main")
    got = ask(github, f"{REPO}/pulls/1/merge", "PUT")
    sentence = "Base branch was modified. Review and try the merge again."
    assert (got.status, got.body["message"]) == (405, sentence)
    assert git(bare, "log", "-1", "--format=%s", "main") == "more"


def test_what_is_not_merged_names_a_test_merge(github: GitHubStub, bare: Path) -> None:
    pull = ask(github, f"{REPO}/pulls/1").body
    assert pull["merged"] is False
    assert pull["merge_commit_sha"] == git(bare, "rev-parse", "refs/pull/1/merge")
    assert git(bare, "branch", "--contains", pull["merge_commit_sha"]) == ""
    github.computing(1)
    assert ask(github, f"{REPO}/pulls/1").body["mergeable"] is None
    assert ask(github, f"{REPO}/pulls/1").body["mergeable"] is True


def test_a_merge_queue_builds_each_on_the_one_before(github: GitHubStub, bare: Path) -> None:
    git(bare, "branch", "other", "main")
    push(bare, "other", "other.yaml")
    github.open_pull("other")
    base = git(bare, "rev-parse", "main")
    first, second = github.enqueue(1), github.enqueue(2, "squash")
    tip = git(bare, "rev-parse", first)
    assert first == f"refs/heads/gh-readonly-queue/main/pr-1-{base}"
    assert second == f"refs/heads/gh-readonly-queue/main/pr-2-{tip}"
    assert git(bare, "rev-parse", f"{second}^") == tip
    assert github.land(first) == tip == git(bare, "rev-parse", "main")
    pull = ask(github, f"{REPO}/pulls/1").body
    assert (pull["merged"], pull["merge_commit_sha"]) == (True, tip)
    assert pull["merged_by"]["type"] == "Bot"
    left = git(bare, "for-each-ref", "--format=%(refname)", "refs/heads/gh-readonly-queue")
    assert left == second


def test_reviews_keep_their_commit_and_lose_their_state(github: GitHubStub, bare: Path) -> None:
    old = git(bare, "rev-parse", "topic")
    github.review(1, "manager")
    github.review(1, "validator", "CHANGES_REQUESTED", commit_id=None)
    github.protect(required_pull_request_reviews={"dismiss_stale_reviews": True})
    push(bare)
    found = ask(github, f"{REPO}/pulls/1/reviews").body
    assert [(one["state"], one["commit_id"]) for one in found] == [
        ("DISMISSED", old),
        ("CHANGES_REQUESTED", None),
    ]


def test_a_pending_review_is_its_authors_alone(github: GitHubStub) -> None:
    github.review(1, "manager", "PENDING")
    mine = github.token_for("manager")
    assert ask(github, f"{REPO}/pulls/1/reviews").body == []
    (shown,) = ask(github, f"{REPO}/pulls/1/reviews", Authorization=f"Bearer {mine}").body
    assert (shown["state"], "submitted_at" in shown) == ("PENDING", False)


def test_a_deleted_account_is_null_and_a_renamed_one_keeps_its_number(github: GitHubStub) -> None:
    number = github.person("manager").id
    github.review(1, "cto")
    github.review(1, "manager")
    github.delete_user("cto")
    github.delete_user("data-scientist")
    github.rename_user("manager", "head-of-risk")
    users = [one["user"] for one in ask(github, f"{REPO}/pulls/1/reviews").body]
    assert users[0] is None
    assert (users[1]["login"], users[1]["id"]) == ("head-of-risk", number)
    assert ask(github, "/users/manager").status == 404
    assert ask(github, "/users/Head-of-Risk").body["id"] == number
    assert ask(github, f"/user/{number}").body["login"] == "head-of-risk"
    assert ask(github, f"{REPO}/pulls").body[0]["user"] is None
    assert ask(github, f"{REPO}/pulls/1").body["user"]["login"] == "ghost"


def test_comments_are_edited_and_too_long_ones_refused(github: GitHubStub) -> None:
    path = f"{REPO}/issues/1/comments"
    made = ask(github, path, "POST", {"body": "one"})
    edited = ask(github, made.headers["Location"], "PATCH", {"body": "two"})
    long = ask(github, path, "POST", {"body": "x" * 65_537})
    assert (made.status, edited.status, edited.body["body"]) == (201, 200, "two")
    assert (long.status, long.body["message"]) == (422, "Validation Failed")
    assert long.body["errors"][0]["message"] == "Body is too long (maximum is 65536 characters)"
    assert ask(github, path, "POST", {"body": "x" * 65_536}).status == 201
    assert [one.method for one in github.writes] == ["POST", "PATCH", "POST", "POST"]


def test_statuses_are_combined_by_context(github: GitHubStub, bare: Path) -> None:
    head = git(bare, "rev-parse", "topic")
    states = []
    for context, state in (("a", "pending"), ("a", "success"), ("b", "failure")):
        ask(github, f"{REPO}/statuses/{head}", "POST", {"state": state, "context": context})
        states.append(ask(github, f"{REPO}/commits/{head}/status").body["state"])
    assert states == ["pending", "success", "failure"]
    assert ask(github, f"{REPO}/commits/{head}/status").body["total_count"] == 2
    absent = ask(github, f"{REPO}/statuses/{ABSENT}", "POST", {"state": "success"})
    assert (absent.status, absent.body["message"]) == (422, f"No commit found for SHA: {ABSENT}")


def test_a_branch_without_protection_is_404_and_needs_the_right_to_ask(github: GitHubStub) -> None:
    path = f"{REPO}/branches/main/protection"
    unprotected = ask(github, path)
    github.protect(enforce_admins=True)
    reader = github.token_for("cto", {"contents": "read"})
    assert (unprotected.status, unprotected.body["message"]) == (404, "Branch not protected")
    assert ask(github, path).body["enforce_admins"]["enabled"] is True
    assert ask(github, path, Authorization=f"Bearer {reader}").status == 403
    assert ask(github, f"{REPO}/branches/gone/protection").body["message"] == "Branch not found"


def test_only_active_rules_that_name_the_branch_apply(github: GitHubStub) -> None:
    rule = {"type": "pull_request", "parameters": {"required_approving_review_count": 2}}
    made = github.ruleset("gate", [rule, {"type": "non_fast_forward"}])
    github.ruleset("tried", [{"type": "deletion"}], enforcement="evaluate")
    github.ruleset("elsewhere", [{"type": "deletion"}], include=["refs/heads/release/*"])
    rules = ask(github, f"{REPO}/rules/branches/main").body
    assert [(one["type"], one["ruleset_id"]) for one in rules] == [
        ("pull_request", made.id),
        ("non_fast_forward", made.id),
    ]
    assert rules[0]["parameters"]["required_approving_review_count"] == 2
    assert ask(github, f"{REPO}/branches/main").body["protected"] is True


def test_who_may_bypass_a_ruleset_is_shown_to_its_editors(github: GitHubStub) -> None:
    made = github.ruleset("gate", [{"type": "deletion"}])
    path, reader = f"{REPO}/rulesets/{made.id}", github.token_for("validator")
    (listed,) = ask(github, f"{REPO}/rulesets").body
    assert "rules" not in listed
    assert ask(github, path).body["bypass_actors"] == []
    assert "bypass_actors" not in ask(github, path, Authorization=f"Bearer {reader}").body


def test_a_pull_request_is_found_by_its_branch_and_by_its_commits(
    github: GitHubStub, bare: Path
) -> None:
    second = git(bare, "rev-parse", "topic~1")
    new = {"title": "t", "head": "topic", "base": "main"}
    again = ask(github, f"{REPO}/pulls", "POST", new)
    assert again.status == 422
    assert again.body["errors"][0]["message"] == "A pull request already exists for owner:topic."
    assert len(ask(github, f"{REPO}/pulls?head=owner:topic").body) == 1
    assert ask(github, f"{REPO}/pulls?head=owner:none").body == []
    assert [one["number"] for one in ask(github, f"{REPO}/commits/{second}/pulls").body] == [1]
    closed = ask(github, f"{REPO}/pulls/1", "PATCH", {"state": "closed"}).body
    assert (closed["state"], closed["merged"]) == ("closed", False)
    assert ask(github, f"{REPO}/pulls").body == []
    made = ask(github, f"{REPO}/pulls", "POST", new)
    assert (made.status, made.body["number"], made.body["user"]["type"]) == (201, 2, "Bot")


def test_files_and_commits_are_those_of_the_branch(github: GitHubStub) -> None:
    files = ask(github, f"{REPO}/pulls/1/files").body
    assert [(one["filename"], one["status"], one["changes"]) for one in files] == [
        ("model.yaml", "modified", 2),
        ("version.yaml", "added", 1),
    ]
    assert files[1]["patch"] == "@@ -0,0 +1 @@\n+v: 2"
    messages = [one["commit"]["message"] for one in ask(github, f"{REPO}/pulls/1/commits").body]
    assert messages == ["second", "third\n\nwith a body"]


def test_a_renamed_repository_answers_301_with_its_number(github: GitHubStub) -> None:
    github.rename_repository("owner/other")
    moved = ask(github, f"{REPO}/pulls/1")
    assert moved.status == 301
    assert moved.headers["Location"] == f"{github.url}/repositories/1296269/pulls/1"
    assert ask(github, moved.headers["Location"]).body["number"] == 1


def test_what_did_not_change_is_304(github: GitHubStub) -> None:
    first = ask(github, REPO)
    again = ask(github, REPO, If_None_Match=first.headers["ETag"])
    assert (first.status, again.status, again.body) == (200, 304, None)
