"""GitLab as it answers, by its published description, and what is believed of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from forges import trouble
from forges.gitlab import GitLabStub

from ordain.vcs.errors import (
    ForgeError,
    HostBusy,
    HostDenied,
    HostError,
    HostUnreachable,
    ProposalMoved,
    UnknownProposal,
)
from ordain.vcs.forges import open_host
from ordain.vcs.forges.gitlab_protection import covers
from ordain.vcs.forges.http import Times
from ordain.vcs.git import Repository
from ordain.vcs.host import CommitState, HostAccount, HostState, Posted, Protection, ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forges.web import Trouble

    from ordain.vcs.host import Host, HostProposal

    Write = Callable[..., str]

MARKER = "gate"
BODY = "<!-- ordain:gate 1f2e -->\n**pass**\n"
OTHER = "1" * 40
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bare(tmp_path: Path, commit: Write) -> Iterator[Repository]:
    with Repository.init(tmp_path / "remote.git", bare=True) as bare:
        first = commit(bare, {"ordain.yaml": b"kind: Estate\n"})
        commit(bare, {"model.yaml": b"kind: Model\n"}, ref="refs/heads/topic", parent=first)
        yield bare


@pytest.fixture
def site(tmp_path: Path, bare: Repository) -> Iterator[GitLabStub]:
    assert bare.resolve("refs/heads/main")
    with GitLabStub(tmp_path / "remote.git", me="robot") as site:
        yield site


def host_of(site: GitLabStub, token: str = "") -> Host:
    """The host as it is opened, except that nobody waits."""
    return open_host(
        "gitlab",
        remote="git@git.example:group/estate.git",
        url=site.url,
        environ={"ORDAIN_GITLAB_TOKEN": token or site.token},
        times=Times(sleep=lambda _: None),
    )


@pytest.fixture
def host(site: GitLabStub) -> Host:
    return host_of(site)


def opened(site: GitLabStub, host: Host, **fields: Any) -> HostProposal:  # noqa: ANN401
    return host.proposal(site.open_merge_request("topic", **fields).iid)


def edit(change: Callable[[Any], object]) -> Trouble:
    """The honest answer after something was done to it."""

    def make(found: Any) -> Any:  # noqa: ANN401
        change(found)
        return found

    return trouble.edited(make)


def undated(found: Any) -> None:  # noqa: ANN401
    """As GitLab answered before it told when an approval was given."""
    for one in found["approved_by"]:
        one.pop("approved_at", None)


# ── proposals ────────────────────────────────────────────────────────────────────────────────────


def test_a_merge_request_is_what_git_and_gitlab_say(
    site: GitLabStub, host: Host, bare: Repository
) -> None:
    site.person("data-scientist", id=41)
    at = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
    one = opened(site, host, title="Widen", description="Because.", at=at)
    assert (one.number, one.title, one.body) == (1, "Widen", "Because.")
    assert (one.branch, one.target, one.ref) == ("topic", "main", "refs/merge-requests/1/head")
    assert one.head == bare.resolve("refs/heads/topic")
    assert one.author == HostAccount("data-scientist", 41)
    assert (one.created, one.state, one.fork) == (at, HostState.OPEN, False)
    assert (one.merged, one.merged_by) == ("", None)
    assert one.url.endswith("/group/estate/-/merge_requests/1")


def test_all_open_merge_requests_come_oldest_first_and_whole() -> None:
    with GitLabStub() as site:
        host = host_of(site)
        for number in range(103):
            site.open_merge_request("topic", at=site.now + timedelta(seconds=number), sha=OTHER)
        host.close(host.proposal(7))
        found = [one.number for one in host.proposals()]
        assert found == [number for number in range(1, 104) if number != 7]
        assert sum("/users/" in one.path for one in site.requests) == 1


def test_a_closed_merge_request_is_no_open_one(site: GitLabStub, host: Host) -> None:
    host.close(opened(site, host))
    assert host.proposal(1).state is HostState.CLOSED
    assert host.proposals() == ()


def test_a_merge_request_that_is_not_there_is_unknown(host: Host) -> None:
    with pytest.raises(UnknownProposal) as caught:
        host.proposal(9)
    assert caught.value.message == "group/estate has no merge request 9"


def test_a_project_that_may_not_be_seen_has_no_unknown_merge_requests(site: GitLabStub) -> None:
    token = site.token_for("manager", level=None)
    with pytest.raises(HostDenied) as caught:
        host_of(site, token).proposal(9)
    assert caught.value.message == "GitLab shows no project group/estate"


def test_a_renamed_project_is_found_under_its_old_path(site: GitLabStub, host: Host) -> None:
    number = site.open_merge_request("topic").iid
    site.rename_project("group/models")
    assert host.proposal(number).branch == "topic"


def test_the_same_branch_is_the_same_proposal(site: GitLabStub, host: Host) -> None:
    first = host.open("topic", "main", "Promote", "Evidence passes.")
    assert (first.title, first.body) == ("Promote", "Evidence passes.")
    assert host.open("topic", "main", "Again", "") == first
    assert len(site.writes) == 1


def test_a_proposal_that_somebody_opened_meanwhile_is_ours(site: GitLabStub, host: Host) -> None:
    meanwhile = trouble.meanwhile(lambda: site.open_merge_request("topic"))
    site.trouble(meanwhile, "/merge_requests", method="POST")
    assert host.open("topic", "main", "Promote", "").number == 1


def test_a_branch_that_is_not_there_is_no_proposal(host: Host) -> None:
    with pytest.raises(
        ForgeError, match="group/estate takes no merge request of no-such into main"
    ):
        host.open("no-such", "main", "Nothing", "")


def test_a_merge_request_of_another_project_is_from_a_fork(site: GitLabStub, host: Host) -> None:
    site.open_merge_request("topic")
    gone = edit(lambda found: found.update(source_project_id=None))
    other = edit(lambda found: found.update(source_project_id=999))
    for change in (gone, other):
        site.trouble(change, "/merge_requests/1$")
        assert host.proposal(1).fork is True


# ── approvals ────────────────────────────────────────────────────────────────────────────────────


def test_an_approval_is_of_the_version_that_was_there(
    site: GitLabStub, host: Host, bare: Repository, commit: Write
) -> None:
    site.person("manager", id=7)
    site.approval_settings["reset_approvals_on_push"] = False
    one = opened(site, host, at=site.now)
    first = one.head
    site.approve(1, "manager", at=site.now + MINUTE)
    approved = site.now + MINUTE
    site.now += 2 * MINUTE
    second = commit(bare, {"late.yaml": b"x: 1\n"}, ref="refs/heads/topic")
    site.new_version(1)
    site.approve(1, "cto", at=site.now + MINUTE)
    found = host.reviews(host.proposal(1))
    assert [one.state for one in found] == [ReviewState.APPROVED] * 2
    assert [one.commit for one in found] == [first, second]
    assert found[0].account == HostAccount("manager", 7)
    assert (found[0].time, found[0].proof) == (approved, one.url)


def test_an_approval_at_the_moment_of_a_version_is_of_it(site: GitLabStub, host: Host) -> None:
    one = opened(site, host, at=site.now)
    site.approve(1, "manager", at=site.now)
    assert [review.commit for review in host.reviews(one)] == [one.head]


def test_an_approval_before_every_version_is_of_none(site: GitLabStub, host: Host) -> None:
    one = opened(site, host, at=site.now)
    site.approve(1, "manager", at=site.now - MINUTE)
    assert [review.commit for review in host.reviews(one)] == [""]


def test_an_approval_that_was_taken_back_is_none(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    site.unapprove(1, "manager")
    assert host.reviews(one) == ()


def test_an_approval_without_a_time_is_dated_by_gitlabs_own_note(
    site: GitLabStub, host: Host, bare: Repository, commit: Write
) -> None:
    site.approval_settings["reset_approvals_on_push"] = False
    first = opened(site, host, at=site.now).head
    site.approve(1, "manager", at=site.now + MINUTE)
    told = site.now + MINUTE
    site.now += 2 * MINUTE
    commit(bare, {"late.yaml": b"x: 1\n"}, ref="refs/heads/topic")
    site.new_version(1)
    site.now += MINUTE
    # A person's note says nothing of when they approved, and neither does that of somebody else.
    site.comment(1, "manager", "approved this merge request")
    site.comment(1, "cto", "approved this merge request", system=True)
    site.trouble(edit(undated), "/approvals$")
    (review,) = host.reviews(host.proposal(1))
    assert (review.commit, review.time) == (first, told)


def test_an_approval_that_nothing_dates_is_of_no_commit(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    site.trouble(edit(undated), "/approvals$", times=None)
    site.comment(1, "manager", "unapproved this merge request", system=True)
    assert [review.commit for review in host.reviews(one)] == [""]
    site.trouble(edit(lambda found: found.clear()), "/notes", times=None)
    assert [review.commit for review in host.reviews(one)] == [""]


def test_an_approval_ends_where_the_target_becomes_another_one(
    site: GitLabStub, host: Host
) -> None:
    one = opened(site, host, at=site.now)
    site.approve(1, "manager", at=site.now)
    site.comment(1, "manager", "changed target branch from `main` to `other`")
    assert [review.state for review in host.reviews(one)] == [ReviewState.APPROVED]
    site.retarget(1, "topic", "data-scientist")
    site.retarget(1, "main", "data-scientist")
    site.now += MINUTE
    site.approve(1, "cto")
    assert [review.state for review in host.reviews(one)] == [
        ReviewState.RETARGETED,
        ReviewState.APPROVED,
    ]


def test_a_target_that_was_deleted_is_another_one(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    told = "deleted the `other` branch. This merge request now targets the `main` branch"
    site.comment(1, "data-scientist", told, system=True)
    assert [review.state for review in host.reviews(one)] == [ReviewState.RETARGETED]


def test_an_account_of_an_access_token_is_a_machine(site: GitLabStub, host: Host) -> None:
    site.person("project_1_bot_4ffca233d8298ea1", id=9, bot=True)
    one = opened(site, host)
    site.approve(1, "project_1_bot_4ffca233d8298ea1")
    (review,) = host.reviews(one)
    assert review.account == HostAccount("project_1_bot_4ffca233d8298ea1", 9, machine=True)


def test_an_account_that_is_gone_is_nobody(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    gone = trouble.status(404, {"message": "404 User Not Found"})
    site.trouble(gone, "/users/", times=None)
    assert [review.account for review in host.reviews(one)] == [None]


def test_the_author_who_left_is_nobody(site: GitLabStub, host: Host) -> None:
    opened(site, host)
    site.delete_user("data-scientist")
    assert host.proposal(1).author is None


def test_a_renamed_account_keeps_its_number(site: GitLabStub, host: Host) -> None:
    site.person("manager", id=7)
    one = opened(site, host)
    site.approve(1, "manager")
    site.rename_user("manager", "director")
    site.person("manager", id=8)
    assert [review.account for review in host.reviews(one)] == [HostAccount("director", 7)]


@pytest.mark.parametrize(
    ("where", "change", "message"),
    [
        (
            "/approvals$",
            lambda found: found.pop("approved_by"),
            "/approvals: approved_by is not there, where a list is documented",
        ),
        (
            "/approvals$",
            lambda found: found.update(approved_by=[{"approved_at": "now", "user": None}]),
            "/approvals: approved_by[0].approved_at is not a time",
        ),
        (
            "/approvals$",
            lambda found: found["approved_by"][0].update(user={"username": "x"}),
            "/approvals: approved_by[0].user.id is not there, where a number is documented",
        ),
        (
            "/versions",
            lambda found: found[0].update(head_commit_sha="HEAD"),
            "/versions: [0].head_commit_sha is not the name of a commit",
        ),
        (
            "/versions",
            lambda found: found[0].pop("created_at"),
            "/versions: [0].created_at is not there, where a text is documented",
        ),
    ],
)
def test_an_approval_that_is_not_as_documented_is_an_error(
    site: GitLabStub, host: Host, where: str, change: Callable[[Any], object], message: str
) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    site.trouble(edit(change), where)
    with pytest.raises(HostError) as caught:
        host.reviews(one)
    path = "/api/v4/projects/group%2Festate/merge_requests/1"
    assert caught.value.message == f"GitLab GET {path}{message}"


@pytest.mark.parametrize("where", ["/approvals$", "/versions"])
@pytest.mark.parametrize(
    "bad",
    [
        trouble.not_json(),
        trouble.other_shape(),
        trouble.redirect("https://evil.example"),
        trouble.huge(17 << 20),
        trouble.cut_off(),
        trouble.hang_up,
        trouble.server_error(),
        trouble.status(404, {"message": "404 Not Found"}),
    ],
)
def test_approvals_on_a_bad_day_are_an_error_and_not_none(
    site: GitLabStub, host: Host, bad: Trouble, where: str
) -> None:
    one = opened(site, host)
    site.approve(1, "manager")
    site.trouble(bad, where, times=None)
    with pytest.raises(HostError):
        host.reviews(one)


def test_a_limit_in_plain_words_is_a_limit(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    reset = int(site.now.timestamp()) + 90
    site.trouble(trouble.gitlab_limit(reset, retry_after=90), "/approvals$")
    with pytest.raises(HostBusy) as caught:
        host.reviews(one)
    assert caught.value.seconds == 90


# ── merges ───────────────────────────────────────────────────────────────────────────────────────


def test_exactly_the_commit_that_was_seen_is_merged(
    site: GitLabStub, host: Host, bare: Repository
) -> None:
    one = opened(site, host)
    made = host.merge(one, "Merge the wider model")
    assert bare.resolve("refs/heads/main") == made
    assert bare.commit(made).parents[1] == one.head
    assert bare.commit(made).message.startswith("Merge the wider model")
    merged = host.proposal(1)
    assert (merged.state, merged.merged) == (HostState.MERGED, made)
    assert merged.merged_by is not None
    assert merged.merged_by.login == "robot"


def test_a_branch_that_moved_is_not_merged(
    site: GitLabStub, host: Host, bare: Repository, commit: Write
) -> None:
    one = opened(site, host)
    before = bare.resolve("refs/heads/main")
    commit(bare, {"late.yaml": b"x: 1\n"}, ref="refs/heads/topic")
    with pytest.raises(ProposalMoved, match="merge request 1 is not what it was: SHA does not"):
        host.merge(one, "Merge")
    assert bare.resolve("refs/heads/main") == before


def test_what_gitlab_does_not_merge_is_told_in_its_words(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.block(1)
    with pytest.raises(ForgeError) as caught:
        host.merge(one, "Merge")
    assert caught.value.message == ("GitLab does not merge merge request 1: 405 Method Not Allowed")


def test_a_merge_whose_answer_is_lost_is_not_tried_again(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    site.trouble(trouble.hang_up_after, "/merge$", times=None)
    with pytest.raises(HostUnreachable) as caught:
        host.merge(one, "Merge")
    assert caught.value.remedy == "look whether it was done before you try again"
    assert host.proposal(1).state is HostState.MERGED
    assert len(site.writes) == 1


def test_a_merge_is_found_from_its_commit(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    made = host.merge(one, "Merge")
    assert host.proposal_of(made, "main") == host.proposal(1)
    assert host.proposal_of(made, "release") is None
    assert host.proposal_of(one.head, "main") is None


def of_a_fork(found: list[dict[str, Any]]) -> None:
    (one,) = found
    found.append({**one, "iid": 77, "sha": OTHER, "target_project_id": 999})


def test_a_merge_request_of_a_fork_is_no_merge_here(site: GitLabStub, host: Host) -> None:
    made = host.merge(opened(site, host), "Merge")
    site.trouble(edit(of_a_fork), r"/commits/\w+/merge_requests", times=None)
    parents = trouble.status(200, {"parent_ids": [OTHER]})
    site.trouble(parents, "/commits/[0-9a-f]+$", times=None)
    assert host.proposal_of(made, "main") == host.proposal(1)


@pytest.mark.parametrize(
    ("squashed", "merged"), [(OTHER, OTHER), (None, "head")], ids=["squash", "fast-forward"]
)
def test_a_merge_without_a_merge_commit_is_found(
    site: GitLabStub, host: Host, squashed: str | None, merged: str
) -> None:
    one = opened(site, host)
    host.merge(one, "Merge")
    merge = site.merge_requests[1]
    merge.merge_commit_sha, merge.squash_commit_sha = None, squashed
    assert host.proposal(1).merged == (one.head if merged == "head" else merged)


def test_a_commit_that_gitlab_does_not_know_is_no_merge(host: Host) -> None:
    assert host.proposal_of(OTHER, "main") is None


# ── comments and statuses ────────────────────────────────────────────────────────────────────────


def test_a_comment_is_made_once_and_then_kept_up_to_date(site: GitLabStub, host: Host) -> None:
    one = opened(site, host)
    assert host.comment(one, MARKER, BODY) is Posted.MADE
    assert host.comment(one, MARKER, BODY) is Posted.UNCHANGED
    assert len(site.writes) == 1
    newer = "<!-- ordain:gate 77aa -->\n**fail**\n"
    assert host.comment(one, MARKER, newer) is Posted.EDITED
    assert [note.body for note in site.merge_requests[1].notes] == [newer]


def test_a_comment_of_somebody_else_with_the_marker_is_left_alone(
    site: GitLabStub, host: Host
) -> None:
    one = opened(site, host)
    site.comment(1, "manager", BODY)
    assert host.comment(one, MARKER, BODY) is Posted.MADE
    logins = [note.person.login for note in site.merge_requests[1].notes]
    assert logins == ["manager", "robot"]


def test_a_status_is_set_in_gitlabs_words(site: GitLabStub, host: Host) -> None:
    head = opened(site, host).head
    host.report(head, CommitState.PENDING, "ordain/gate", "judging", "")
    host.report(head, CommitState.ERROR, "ordain/gate", "é" * 300, "https://ci.example/1")
    last = site.requests[-1]
    assert last.json == {
        "state": "failed",
        "name": "ordain/gate",
        "description": "é" * 254 + "…",
        "target_url": "https://ci.example/1",
    }
    assert [one.status for one in site.statuses][-1] == "failed"


def test_a_status_that_is_there_already_needs_no_other(site: GitLabStub, host: Host) -> None:
    head = opened(site, host).head
    site.set_status(head, "robot", "success", "ordain/gate")
    said = "Cannot transition status via :enqueue from :success"
    site.trouble(trouble.status(400, {"message": said}), "/statuses/", times=None, method="POST")
    host.report(head, CommitState.SUCCESS, "ordain/gate", "pass", "")
    with pytest.raises(ForgeError) as caught:
        host.report(head, CommitState.FAILURE, "ordain/gate", "fail", "")
    assert caught.value.message == f"GitLab takes no status failed for {head}: {said}"


def test_a_token_without_the_right_is_told_so(site: GitLabStub) -> None:
    host = host_of(site, site.token_for("manager"))
    with pytest.raises(HostDenied, match=r"^GitLab refuses POST .* with 403: "):
        host.report(OTHER, CommitState.SUCCESS, "ordain/gate", "pass", "")


def test_a_wrong_token_is_told_without_being_shown(site: GitLabStub) -> None:
    with pytest.raises(HostDenied) as caught:
        host_of(site, "glpat-wrong").proposals()
    assert caught.value.message == (
        "GitLab refuses GET /api/v4/projects/group%2Festate/merge_requests with 401: "
        "401 Unauthorized"
    )


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "there is no token for GitLab"),
        (
            {"CI_JOB_TOKEN": "glcbt-x"},
            "the token of a job on GitLab may read no approvals, and there is no other",
        ),
    ],
)
def test_a_credential_that_does_not_suffice_is_told(environ: dict[str, str], message: str) -> None:
    with pytest.raises(HostDenied) as caught:
        open_host("gitlab", remote="https://gitlab.com/group/estate", environ=environ)
    assert caught.value.message == message


# ── protection ───────────────────────────────────────────────────────────────────────────────────

NO_ONE = [{"id": 1, "access_level": 0, "access_level_description": "No one"}]
MAINTAINERS = [{"id": 2, "access_level": 40, "access_level_description": "Maintainers"}]
KEY = [{"id": 3, "access_level": 0, "access_level_description": "Key", "deploy_key_id": 5}]


def test_a_branch_that_nothing_protects_is_told_so(site: GitLabStub, host: Host) -> None:
    site.settings["only_allow_merge_if_pipeline_succeeds"] = False
    found = host.protection("main")
    assert (found.protected, found.checks, found.approvals) == (False, (), 0)
    assert (found.force_push_refused, found.deletion_refused) == (False, False)
    assert (found.direct_push_refused, found.administrators_bound) == (False, False)


def test_protection_is_read_back(site: GitLabStub, host: Host) -> None:
    site.protect(push_access_levels=NO_ONE, code_owner_approval_required=True)
    site.settings |= {"only_allow_merge_if_pipeline_succeeds": True, "merge_method": "ff"}
    site.approval_settings |= {
        "reset_approvals_on_push": True,
        "merge_requests_author_approval": False,
        "merge_requests_disable_committers_approval": True,
    }
    site.approval_rule("risk", 2)
    site.approval_rule(
        "elsewhere",
        5,
        protected_branches=[{"name": "release/*"}],
        applies_to_all_protected_branches=False,
    )
    site.approval_rule("scan", 9, rule_type="report_approver")
    site.push_rule = {"id": 1, "reject_unsigned_commits": True}
    assert host.protection("main") == Protection(
        protected=True,
        checks=("pipeline",),
        strict_checks=True,
        approvals=2,
        stale_dismissed=True,
        code_owners=True,
        last_pusher_excluded=True,
        author_excluded=True,
        administrators_bound=True,
        force_push_refused=True,
        deletion_refused=True,
        direct_push_refused=True,
        signatures_required=True,
    )


@pytest.mark.parametrize("levels", [MAINTAINERS, KEY, NO_ONE + MAINTAINERS, []])
def test_whoever_may_push_past_a_merge_request_is_noticed(
    site: GitLabStub, host: Host, levels: list[dict[str, Any]]
) -> None:
    site.protect(push_access_levels=levels)
    assert host.protection("main").direct_push_refused is False


def test_the_mildest_of_several_patterns_is_what_holds(site: GitLabStub, host: Host) -> None:
    site.protect("main", push_access_levels=NO_ONE)
    site.protect("ma*", push_access_levels=MAINTAINERS, allow_force_push=True)
    found = host.protection("main")
    assert (found.protected, found.direct_push_refused) == (True, False)
    assert (found.force_push_refused, found.deletion_refused) == (False, True)


def test_what_the_free_tier_does_not_have_is_not_told(tmp_path: Path, bare: Repository) -> None:
    assert bare.resolve("refs/heads/main")
    with GitLabStub(tmp_path / "remote.git", tier="free") as site:
        site.protect(push_access_levels=NO_ONE)
        found = host_of(site).protection("main")
    assert (found.protected, found.direct_push_refused) == (True, True)
    assert (found.approvals, found.author_excluded, found.signatures_required) == (None,) * 3


@pytest.mark.parametrize(
    ("pattern", "branch", "fits"),
    [
        ("main", "main", True),
        ("main", "main2", False),
        ("m.in", "main", False),
        ("*", "a/b", True),
        ("release/*", "release/1/2", True),
        ("release/*", "main", False),
        ("*-stable", "14-stable", True),
    ],
)
def test_a_star_stands_for_anything(pattern: str, branch: str, fits: bool) -> None:  # noqa: FBT001
    assert covers(pattern, branch) is fits
