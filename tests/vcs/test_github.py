"""GitHub as it answers, by its published description, and what is believed of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from forges import trouble
from forges.github import GitHubStub

from ordain.vcs.errors import (
    ForgeError,
    HostDenied,
    HostError,
    HostUnreachable,
    ProposalMoved,
    UnknownProposal,
)
from ordain.vcs.forges import open_host
from ordain.vcs.forges.http import Times
from ordain.vcs.git import Repository
from ordain.vcs.host import (
    CommitState,
    HostAccount,
    HostState,
    Posted,
    Protection,
    ReviewState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forges.web import Trouble

    from ordain.vcs.host import Host, HostProposal

    Write = Callable[..., str]

MARKER = "gate"
BODY = "<!-- ordain:gate 1f2e -->\n**pass**\n"
OTHER = "1" * 40


@pytest.fixture
def bare(tmp_path: Path, commit: Write) -> Iterator[Repository]:
    with Repository.init(tmp_path / "remote.git", bare=True) as bare:
        first = commit(bare, {"ordain.yaml": b"kind: Estate\n"})
        commit(bare, {"model.yaml": b"kind: Model\n"}, ref="refs/heads/topic", parent=first)
        yield bare


@pytest.fixture
def site(tmp_path: Path, bare: Repository) -> Iterator[GitHubStub]:
    assert bare.resolve("refs/heads/main")
    with GitHubStub(tmp_path / "remote.git", me="robot") as site:
        yield site


def host_of(site: GitHubStub, token: str = "", **environ: str) -> Host:
    """The host as it is opened, except that nobody waits."""
    return open_host(
        "github",
        remote="git@git.example:owner/estate.git",
        url=site.url,
        environ={"ORDAIN_GITHUB_TOKEN": token or site.token, **environ},
        times=Times(sleep=lambda _: None),
    )


@pytest.fixture
def host(site: GitHubStub) -> Host:
    return host_of(site)


def pulled(site: GitHubStub, host: Host, **fields: Any) -> HostProposal:  # noqa: ANN401
    return host.proposal(site.open_pull("topic", **fields).number)


def edit(change: Callable[[Any], object]) -> Trouble:
    """The honest answer after something was done to it."""

    def make(found: Any) -> Any:  # noqa: ANN401
        change(found)
        return found

    return trouble.edited(make)


def lie(key: str, value: object) -> Trouble:
    """One field of the answer, or of each item of it, is another than it should be."""

    def edit(found: Any) -> Any:  # noqa: ANN401
        for one in found if isinstance(found, list) else [found]:
            one[key] = value
        return found

    return trouble.edited(edit)


# ── proposals ────────────────────────────────────────────────────────────────────────────────────


def test_a_pull_request_is_what_git_and_github_say(
    site: GitHubStub, host: Host, bare: Repository
) -> None:
    site.person("data-scientist", id=41)
    at = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
    one = pulled(site, host, title="Widen", body="Because.", at=at)
    assert (one.number, one.title, one.body) == (1, "Widen", "Because.")
    assert (one.branch, one.target, one.ref) == ("topic", "main", "refs/pull/1/head")
    assert one.head == bare.resolve("refs/heads/topic")
    assert one.author == HostAccount("data-scientist", 41)
    assert (one.created, one.state, one.fork) == (at, HostState.OPEN, False)
    assert (one.merged, one.merged_by) == ("", None)
    assert one.url.endswith("/owner/estate/pull/1")


def test_all_open_pull_requests_come_oldest_first_and_whole() -> None:
    with GitHubStub() as site:
        host = host_of(site)
        for number in range(103):
            at = site.now + timedelta(seconds=number)
            site.open_pull("topic", at=at, head_sha=OTHER, base_sha=OTHER)
        host.close(host.proposal(7))
        found = [one.number for one in host.proposals()]
        assert found == [number for number in range(1, 104) if number != 7]


def test_a_closed_pull_request_is_no_open_one(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    host.close(one)
    assert host.proposal(one.number).state is HostState.CLOSED
    assert host.proposals() == ()


def test_a_pull_request_without_a_text_has_an_empty_one(site: GitHubStub, host: Host) -> None:
    assert pulled(site, host, body=None).body == ""


def test_a_pull_request_that_is_not_there_is_unknown(host: Host) -> None:
    with pytest.raises(UnknownProposal) as caught:
        host.proposal(9)
    assert caught.value.message == "owner/estate has no pull request 9"


def test_a_repository_that_may_not_be_seen_has_no_unknown_pull_requests(site: GitHubStub) -> None:
    token = site.token_for("manager", sees=False)
    with pytest.raises(HostDenied) as caught:
        host_of(site, token).proposal(9)
    assert caught.value.message == "GitHub shows no repository owner/estate"


def test_a_renamed_repository_is_found_under_its_old_name(site: GitHubStub, host: Host) -> None:
    number = site.open_pull("topic").number
    site.rename_repository("owner/models")
    assert host.proposal(number).branch == "topic"


def test_the_same_branch_is_the_same_proposal(site: GitHubStub, host: Host) -> None:
    first = host.open("topic", "main", "Promote", "Evidence passes.")
    assert (first.title, first.body) == ("Promote", "Evidence passes.")
    assert host.open("topic", "main", "Again", "") == first
    assert len(site.writes) == 1


def test_a_proposal_that_somebody_opened_meanwhile_is_ours(site: GitHubStub, host: Host) -> None:
    site.trouble(trouble.meanwhile(lambda: site.open_pull("topic")), "/pulls", method="POST")
    assert host.open("topic", "main", "Promote", "").number == 1


def test_a_branch_without_a_commit_of_its_own_is_no_proposal(host: Host, bare: Repository) -> None:
    bare.update_ref("refs/heads/empty", bare.resolve("refs/heads/main"), None)
    with pytest.raises(ForgeError, match="takes no pull request of empty into main: ") as caught:
        host.open("empty", "main", "Nothing", "")
    assert "No commits between" in caught.value.message


# ── reviews ──────────────────────────────────────────────────────────────────────────────────────


def test_every_review_that_was_sent_is_told_in_the_order_of_time(
    site: GitHubStub, host: Host
) -> None:
    site.person("manager", id=7)
    one = pulled(site, host)
    late, early = site.now + timedelta(hours=1), site.now - timedelta(hours=1)
    site.review(1, "manager", "APPROVED", at=late)
    site.review(1, "cto", "CHANGES_REQUESTED", commit_id=OTHER)
    site.review(1, "validator", "COMMENTED", at=early)
    site.dismiss(site.review(1, "cto", "APPROVED", at=late + timedelta(hours=1)))
    # Nobody but its author sees a review that was not sent yet.
    site.review(1, "robot", "PENDING")
    found = host.reviews(one)
    assert [one.state for one in found] == [
        ReviewState.COMMENTED,
        ReviewState.CHANGES_REQUESTED,
        ReviewState.APPROVED,
        ReviewState.DISMISSED,
    ]
    assert [review.commit for review in found] == [one.head, OTHER, one.head, one.head]
    assert found[2].account == HostAccount("manager", 7)
    assert found[2].time == late
    assert "/owner/estate/pull/1#pullrequestreview-" in found[2].proof


def test_a_review_of_a_commit_that_is_gone_is_of_none(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.review(1, "manager", commit_id=None)
    assert [review.commit for review in host.reviews(one)] == [""]


def test_a_review_of_a_deleted_account_is_nobodys(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    site.delete_user("manager")
    site.delete_user("data-scientist")
    assert [review.account for review in host.reviews(one)] == [None]
    assert host.proposal(1).author is None


def test_a_renamed_account_keeps_its_number(site: GitHubStub, host: Host) -> None:
    site.person("manager", id=7)
    one = pulled(site, host)
    site.review(1, "manager")
    site.rename_user("manager", "director")
    site.person("manager", id=8)
    assert [review.account for review in host.reviews(one)] == [HostAccount("director", 7)]


def test_a_bot_is_a_machine(site: GitHubStub, host: Host) -> None:
    site.person("helper[bot]", id=9, bot=True)
    one = pulled(site, host)
    site.review(1, "helper[bot]")
    (review,) = host.reviews(one)
    assert review.account == HostAccount("helper[bot]", 9, machine=True)


@pytest.mark.parametrize("kind", ["Bot", "Organization", "Mannequin", "Unheard-of"])
def test_what_is_no_user_is_a_machine(site: GitHubStub, host: Host, kind: str) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    user = {"login": "manager", "id": 7, "type": kind}
    site.trouble(lie("user", user), "/reviews")
    (review,) = host.reviews(one)
    assert review.account == HostAccount("manager", 7, machine=True)


def test_the_reviews_of_all_pages_are_read(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    for _ in range(150):
        site.review(1, "manager", "COMMENTED")
    site.review(1, "manager", "CHANGES_REQUESTED", at=site.now + timedelta(1))
    assert len(host.reviews(one)) == 151
    assert host.reviews(one)[-1].state is ReviewState.CHANGES_REQUESTED


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("state", "approved", "[0].state is not a state of a review that is known"),
        ("state", None, "[0].state is not a text"),
        ("commit_id", "main", "[0].commit_id is not the name of a commit"),
        ("commit_id", "../../etc", "[0].commit_id is not the name of a commit"),
        ("submitted_at", "yesterday", "[0].submitted_at is not a time"),
        ("submitted_at", "2026-11-20T09:00:00", "[0].submitted_at is not a time with a zone"),
        ("user", {"login": "manager"}, "[0].user.type is not there, where a text is documented"),
        (
            "user",
            {"login": "manager", "type": "User", "id": "7"},
            "[0].user.id is not a whole number",
        ),
        (
            "user",
            {"login": "manager", "type": "User", "id": 0},
            "[0].user.id is not a number above 0",
        ),
        ("user", "manager", "[0].user is not an object"),
        ("html_url", "", "[0].html_url is not a text with anything in it"),
    ],
)
def test_a_review_that_is_not_as_documented_is_an_error(
    site: GitHubStub, host: Host, key: str, value: object, message: str
) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    site.trouble(lie(key, value), "/reviews")
    with pytest.raises(HostError) as caught:
        host.reviews(one)
    assert (
        caught.value.message == f"GitHub GET /api/v3/repos/owner/estate/pulls/1/reviews: {message}"
    )


@pytest.mark.parametrize("value", [{}, None, "no", [1], [[]], [None]])
def test_reviews_of_another_shape_are_an_error(
    site: GitHubStub,
    host: Host,
    value: Any,  # noqa: ANN401
) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    site.trouble(trouble.edited(lambda _: value), "/reviews")
    with pytest.raises(HostError, match=r"GET /api/v3/repos/owner/estate/pulls/1/reviews: "):
        host.reviews(one)


@pytest.mark.parametrize(
    "bad",
    [
        trouble.not_json(),
        trouble.endless,
        trouble.redirect("https://evil.example"),
        trouble.huge(17 << 20),
        trouble.cut_off(),
        trouble.hang_up,
        trouble.server_error(),
        trouble.primary_limit(2_000_000_000),
        trouble.secondary_limit(retry_after=None),
    ],
)
def test_reviews_on_a_bad_day_are_an_error_and_not_none(
    site: GitHubStub, host: Host, bad: Trouble
) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    site.trouble(bad, "/reviews", times=None)
    with pytest.raises(HostError):
        host.reviews(one)


def test_an_approval_ends_where_the_base_becomes_another_one(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    early, late = site.now - timedelta(minutes=1), site.now + timedelta(minutes=1)
    site.review(1, "manager", at=early)
    site.review(1, "cto", at=site.now)
    site.review(1, "validator", "CHANGES_REQUESTED", at=early)
    site.happen(1, "data-scientist", "labeled")
    assert ReviewState.RETARGETED not in {one.state for one in host.reviews(one)}
    site.retarget(1, "topic", "data-scientist")
    site.retarget(1, "main", "data-scientist")
    site.review(1, "compliance-manager", at=late)
    assert [(one.account.login, one.state) for one in host.reviews(one) if one.account] == [
        ("manager", ReviewState.RETARGETED),
        ("validator", ReviewState.CHANGES_REQUESTED),
        ("cto", ReviewState.RETARGETED),
        ("compliance-manager", ReviewState.APPROVED),
    ]


@pytest.mark.parametrize("name", ["automatic_base_change_succeeded", "base_ref_force_pushed"])
def test_a_base_that_github_or_a_push_replaced_is_another_one(
    site: GitHubStub, host: Host, name: str
) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    site.happen(1, "data-scientist", name)
    assert [one.state for one in host.reviews(one)] == [ReviewState.RETARGETED]


def test_a_base_of_which_nothing_is_told_is_an_error(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.review(1, "manager")
    for bad in (trouble.edited(lambda _: [{}]), trouble.server_error()):
        site.trouble(bad, "/events", times=None)
        with pytest.raises(HostError):
            host.reviews(one)


# ── merges ───────────────────────────────────────────────────────────────────────────────────────


def test_exactly_the_commit_that_was_seen_is_merged(
    site: GitHubStub, host: Host, bare: Repository
) -> None:
    one = pulled(site, host)
    made = host.merge(one, "Merge the wider model")
    assert bare.resolve("refs/heads/main") == made
    assert bare.commit(made).parents[1] == one.head
    assert bare.commit(made).message.startswith("Merge the wider model")
    merged = host.proposal(1)
    assert (merged.state, merged.merged) == (HostState.MERGED, made)
    assert merged.merged_by is not None
    assert merged.merged_by.login == "robot"


def test_a_branch_that_moved_is_not_merged(
    site: GitHubStub, host: Host, bare: Repository, commit: Write
) -> None:
    one = pulled(site, host)
    before = bare.resolve("refs/heads/main")
    commit(bare, {"late.yaml": b"x: 1\n"}, ref="refs/heads/topic")
    with pytest.raises(ProposalMoved, match="pull request 1 is not what it was: "):
        host.merge(one, "Merge")
    assert bare.resolve("refs/heads/main") == before


def test_what_github_does_not_merge_is_told_in_its_words(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.block(1, "At least 1 approving review is required.")
    with pytest.raises(ForgeError) as caught:
        host.merge(one, "Merge")
    assert caught.value.message == (
        "GitHub does not merge pull request 1: At least 1 approving review is required."
    )


def test_a_merge_whose_answer_is_lost_is_not_tried_again(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.trouble(trouble.hang_up_after, "/merge", times=None)
    with pytest.raises(HostUnreachable) as caught:
        host.merge(one, "Merge")
    assert caught.value.remedy == "look whether it was done before you try again"
    assert host.proposal(1).state is HostState.MERGED
    assert len(site.writes) == 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("merged", False, "merged is not true after a merge"),
        ("sha", None, "sha is not a text"),
    ],
)
def test_a_merge_that_is_not_told_as_documented_is_none(
    site: GitHubStub, host: Host, key: str, value: object, message: str
) -> None:
    one = pulled(site, host)
    site.trouble(lie(key, value), "/merge$")
    with pytest.raises(HostError) as caught:
        host.merge(one, "Merge")
    path = "/api/v3/repos/owner/estate/pulls/1/merge"
    assert caught.value.message == f"GitHub PUT {path}: {message}"
    assert caught.value.remedy == "look whether it was done before you try again"


def test_a_merge_is_found_from_its_commit(site: GitHubStub, host: Host, bare: Repository) -> None:
    one = pulled(site, host)
    made = host.merge(one, "Merge")
    found = host.proposal_of(made, "main")
    assert found == host.proposal(1)
    assert host.proposal_of(made, "release") is None
    assert host.proposal_of(one.head, "main") is None
    assert host.proposal_of(bare.commit(made).parents[0], "main") is None


def test_a_commit_that_github_does_not_know_is_no_merge(host: Host) -> None:
    assert host.proposal_of(OTHER, "main") is None


def of_a_fork(found: list[dict[str, Any]]) -> None:
    """The same merge as that of a pull request in a fork, which its owner can merge alone."""
    (one,) = found
    base = {**one["base"], "repo": {**one["base"]["repo"], "id": 999, "full_name": "mallory/x"}}
    head = {**one["head"], "sha": OTHER}
    found.append({**one, "number": 77, "head": head, "base": base})
    found.append({**one, "number": 78, "head": head, "base": {**base, "repo": None}})


def test_a_pull_request_of_a_fork_is_no_merge_here(site: GitHubStub, host: Host) -> None:
    made = host.merge(pulled(site, host), "Merge")
    site.trouble(edit(of_a_fork), r"/commits/\w+/pulls", times=None)
    parents = trouble.status(200, {"parents": [{"sha": OTHER}]})
    site.trouble(parents, "/commits/[0-9a-f]+$", times=None)
    found = host.proposal_of(made, "main")
    assert found == host.proposal(1)


def test_a_merge_is_found_under_the_old_name_of_a_repository(site: GitHubStub, host: Host) -> None:
    made = host.merge(pulled(site, host), "Merge")
    site.rename_repository("owner/renamed")
    found = host.proposal_of(made, "main")
    assert found is not None
    assert found.number == 1


def test_an_open_pull_request_is_no_merge_of_its_trial(site: GitHubStub, host: Host) -> None:
    pulled(site, host)
    site.trouble(lie("merge_commit_sha", OTHER), r"/pulls/1$")
    assert host.proposal(1).merged == ""


def several(found: list[dict[str, Any]], heads: list[str], made: str) -> list[dict[str, Any]]:
    """The same pull request several times, with other numbers and heads."""
    (one,) = found
    return [
        {
            **one,
            "number": number,
            "head": {**one["head"], "sha": head},
            "merge_commit_sha": made,
        }
        for number, head in enumerate(heads, 1)
    ]


def test_of_several_merges_in_one_commit_its_parent_is_the_one(
    site: GitHubStub, host: Host
) -> None:
    one = pulled(site, host)
    site.open_pull("topic", title="second")
    made = host.merge(host.proposal(2), "Merge")
    lying = trouble.edited(lambda found: several(found[:1], [OTHER, one.head], made))
    site.trouble(lying, "/commits/.*/pulls")
    parents = {"parents": [{"sha": "2" * 40}, {"sha": one.head}]}
    site.trouble(trouble.status(200, parents), "/commits/[0-9a-f]+$")
    found = host.proposal_of(made, "main")
    assert found is not None
    assert found.number == 2


def test_several_merges_in_one_commit_without_a_parent_are_an_error(
    site: GitHubStub, host: Host
) -> None:
    made = host.merge(pulled(site, host), "Merge")
    lying = trouble.edited(lambda found: several(found, [OTHER, "2" * 40], made))
    site.trouble(lying, "/commits/.*/pulls")
    site.trouble(trouble.status(200, {"parents": []}), "/commits/[0-9a-f]+$")
    with pytest.raises(HostError) as caught:
        host.proposal_of(made, "main")
    assert caught.value.message == (
        f"the forge names several proposals for the merge {made}, and none is its parent"
    )


# ── comments and statuses ────────────────────────────────────────────────────────────────────────


def test_a_comment_is_made_once_and_then_kept_up_to_date(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    assert host.comment(one, MARKER, BODY) is Posted.MADE
    assert host.comment(one, MARKER, BODY) is Posted.UNCHANGED
    site.trouble(lie("body", BODY.replace("\n", "\r\n")), "/comments")
    assert host.comment(one, MARKER, BODY) is Posted.UNCHANGED
    assert len(site.writes) == 1
    newer = "<!-- ordain:gate 77aa -->\n**fail**\n"
    assert host.comment(one, MARKER, newer) is Posted.EDITED
    assert host.comment(one, "plan", "<!-- ordain:plan 1 -->\nx") is Posted.MADE
    assert [comment.body for comment in site.pulls[1].comments] == [
        newer,
        "<!-- ordain:plan 1 -->\nx",
    ]


def test_a_comment_of_somebody_else_with_the_marker_is_left_alone(
    site: GitHubStub, host: Host
) -> None:
    one = pulled(site, host)
    site.comment(1, "manager", BODY)
    assert host.comment(one, MARKER, BODY) is Posted.MADE
    assert [comment.person.login for comment in site.pulls[1].comments] == ["manager", "robot"]


@pytest.mark.parametrize(
    "body",
    ["**pass**", "<!-- ordain:plan 1 -->\n", "<!-- ordain:gate 1\n-->", f"{BODY}{'Ω' * 30_000}"],
)
def test_a_comment_that_could_not_be_found_again_is_a_mistake(
    site: GitHubStub, host: Host, body: str
) -> None:
    one = pulled(site, host)
    with pytest.raises(ValueError, match=r"^the (first line of the comment|comment has more)"):
        host.comment(one, MARKER, body)
    assert site.writes == []


def test_the_token_of_a_workflow_finds_its_own_comment(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.person("github-actions[bot]", bot=True)
    rights = {"pull_requests": "write", "issues": "write", "metadata": "read"}
    token = site.token_for("github-actions[bot]", rights)
    workflow = open_host(
        "github",
        remote="https://git.example/owner/estate",
        url=site.url,
        environ={"GITHUB_TOKEN": token, "GITHUB_ACTIONS": "true"},
    )
    no = trouble.status(403, {"message": "Resource not accessible by integration"})
    site.trouble(no, "/user$", times=None)
    assert workflow.comment(one, MARKER, BODY) is Posted.MADE
    assert workflow.comment(one, MARKER, BODY) is Posted.UNCHANGED


def test_a_token_whose_owner_is_not_told_edits_nothing(site: GitHubStub, host: Host) -> None:
    one = pulled(site, host)
    site.comment(1, "manager", BODY)
    site.trouble(trouble.status(403, {"message": "no"}), "/user$", times=None)
    with pytest.raises(HostDenied) as caught:
        host.comment(one, MARKER, BODY)
    assert caught.value.message == ("GitHub does not say whose the token in ORDAIN_GITHUB_TOKEN is")


def test_a_status_is_set_with_what_github_has_room_for(site: GitHubStub, host: Host) -> None:
    head = pulled(site, host).head
    host.report(head, CommitState.FAILURE, "ordain/gate", "é" * 200, "https://ci.example/1")
    host.report(head, CommitState.SUCCESS, "ordain/gate", "pass", "")
    long, short = site.statuses
    assert (long.state, long.context, long.target_url) == (
        "failure",
        "ordain/gate",
        "https://ci.example/1",
    )
    assert long.description == "é" * 139 + "…"
    assert (short.state, short.description, short.target_url) == ("success", "pass", None)


def test_a_token_without_the_right_is_told_which_right_it_lacks(site: GitHubStub) -> None:
    host = host_of(site, site.token_for("manager"))
    with pytest.raises(HostDenied) as caught:
        host.report(OTHER, CommitState.SUCCESS, "ordain/gate", "pass", "")
    assert caught.value.message == (
        f"GitHub refuses POST /api/v3/repos/owner/estate/statuses/{OTHER} with 403: "
        "Resource not accessible by personal access token"
    )
    assert caught.value.remedy == (
        "give the token in ORDAIN_GITHUB_TOKEN the rights that docs/forges.md lists"
    )


def test_a_wrong_token_is_told_without_being_shown(site: GitHubStub) -> None:
    with pytest.raises(HostDenied) as caught:
        host_of(site, "ghp_wrong").proposals()
    assert caught.value.message == (
        "GitHub refuses GET /api/v3/repos/owner/estate/pulls with 401: Bad credentials"
    )


# ── protection ───────────────────────────────────────────────────────────────────────────────────

REVIEWS = {
    "dismiss_stale_reviews": True,
    "require_code_owner_reviews": True,
    "required_approving_review_count": 1,
    "require_last_push_approval": True,
}
CHECKS = {
    "strict": True,
    "contexts": ["ordain"],
    "checks": [{"context": "ordain", "app_id": None}],
}
RULES: list[dict[str, Any]] = [
    {
        "type": "pull_request",
        "parameters": {
            "dismiss_stale_reviews_on_push": False,
            "require_code_owner_review": False,
            "require_last_push_approval": False,
            "required_approving_review_count": 2,
            "required_review_thread_resolution": False,
        },
    },
    {
        "type": "required_status_checks",
        "parameters": {
            "required_status_checks": [{"context": "build"}],
            "strict_required_status_checks_policy": False,
        },
    },
    {"type": "non_fast_forward"},
    {"type": "deletion"},
    {"type": "required_signatures"},
    {"type": "creation"},
]


def test_a_branch_that_nothing_protects_is_told_so(host: Host) -> None:
    assert host.protection("main") == Protection(
        protected=False,
        checks=(),
        strict_checks=False,
        approvals=0,
        stale_dismissed=False,
        code_owners=False,
        last_pusher_excluded=False,
        author_excluded=True,
        administrators_bound=False,
        force_push_refused=False,
        deletion_refused=False,
        direct_push_refused=False,
        signatures_required=False,
    )


def test_protection_is_read_back(site: GitHubStub, host: Host) -> None:
    site.protect(
        required_pull_request_reviews=REVIEWS,
        required_status_checks=CHECKS,
        enforce_admins=True,
        required_signatures=True,
    )
    assert host.protection("main") == Protection(
        protected=True,
        checks=("ordain",),
        strict_checks=True,
        approvals=1,
        stale_dismissed=True,
        code_owners=True,
        last_pusher_excluded=True,
        author_excluded=True,
        administrators_bound=True,
        force_push_refused=True,
        deletion_refused=True,
        direct_push_refused=True,
        signatures_required=True,
        open_checks=("ordain",),
    )


def test_what_either_source_requires_is_required(site: GitHubStub, host: Host) -> None:
    site.protect(
        required_pull_request_reviews=REVIEWS,
        required_status_checks=CHECKS,
        enforce_admins=True,
        allow_force_pushes=True,
        allow_deletions=True,
    )
    site.ruleset("main", RULES)
    found = host.protection("main")
    assert (found.checks, found.strict_checks, found.approvals) == (("build", "ordain"), True, 2)
    assert (found.force_push_refused, found.deletion_refused) == (True, True)
    assert (found.signatures_required, found.administrators_bound) == (True, True)


def test_rules_alone_protect_a_branch(site: GitHubStub, host: Host) -> None:
    site.ruleset("main", RULES)
    found = host.protection("main")
    assert (found.protected, found.checks, found.approvals) == (True, ("build",), 2)
    assert (found.strict_checks, found.direct_push_refused) == (False, True)
    assert found.administrators_bound is True


def test_one_source_that_lets_administrators_past_is_enough(site: GitHubStub, host: Host) -> None:
    site.protect(required_status_checks=CHECKS, enforce_admins=True)
    actor = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    site.ruleset("main", RULES, bypass_actors=[actor])
    assert host.protection("main").administrators_bound is False


def test_whom_a_ruleset_binds_may_not_be_told(site: GitHubStub, host: Host) -> None:
    site.ruleset("main", RULES)
    site.trouble(lie("ruleset_id", None), "/rules/branches/main")
    assert host.protection("main").administrators_bound is None
    site.trouble(edit(lambda found: found.pop("bypass_actors")), "/rulesets/")
    found = host.protection("main")
    assert found.administrators_bound is None
    assert (found.force_push_refused, found.direct_push_refused) == (None, None)


def test_what_a_ruleset_refuses_is_not_refused_to_whom_it_lets_past(
    site: GitHubStub, host: Host
) -> None:
    actor = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    site.ruleset("main", RULES, bypass_actors=[actor])
    found = host.protection("main")
    refused = (found.force_push_refused, found.deletion_refused, found.direct_push_refused)
    assert refused == (False, False, False)
    # What one ruleset refuses to everybody is refused, whoever may bypass another one.
    site.ruleset("main", [{"type": "deletion"}])
    assert host.protection("main").deletion_refused is True


@pytest.mark.parametrize("kind", ["users", "teams", "apps"])
def test_whoever_may_merge_without_reviews_is_not_bound(
    site: GitHubStub, host: Host, kind: str
) -> None:
    nobody: dict[str, object] = {"users": [], "teams": [], "apps": []}
    for allowed, bound in ((nobody, True), (nobody | {kind: [{"id": 1}]}, False)):
        reviews = REVIEWS | {"bypass_pull_request_allowances": allowed}
        site.protect(required_pull_request_reviews=reviews, enforce_admins=True)
        assert host.protection("main").administrators_bound is bound
    assert host.protection("main").administrators_bound is False


def test_a_check_of_one_app_is_not_open_to_others(site: GitHubStub, host: Host) -> None:
    def requires(**source: int) -> list[dict[str, object]]:
        checks = [{"context": "build", **source}]
        return [
            {"type": "required_status_checks", "parameters": {"required_status_checks": checks}}
        ]

    site.ruleset("main", requires())
    assert host.protection("main").open_checks == ("build",)
    site.ruleset("main", requires(integration_id=15368))
    assert host.protection("main").open_checks == ()
    site.protect(required_status_checks={"strict": True, "checks": [{"context": "a", "app_id": 1}]})
    assert host.protection("main").open_checks == ()
    checks = [{"context": "a", "app_id": -1}]
    site.protect(required_status_checks={"strict": True, "checks": checks})
    assert host.protection("main").open_checks == ("a",)


@pytest.mark.parametrize("strategy", ["ALLGREEN", "HEADGREEN"])
def test_a_queue_that_needs_the_last_check_only_is_told(
    site: GitHubStub, host: Host, strategy: str
) -> None:
    site.ruleset("main", [{"type": "merge_queue", "parameters": {"grouping_strategy": strategy}}])
    assert host.protection("main").queue_merges_unjudged is (strategy == "HEADGREEN")


def test_what_may_not_be_seen_is_not_told_as_missing(site: GitHubStub) -> None:
    site.protect(required_pull_request_reviews=REVIEWS, enforce_admins=True)
    site.ruleset("main", [{"type": "deletion"}])
    rights = {"metadata": "read", "contents": "read"}
    found = host_of(site, site.token_for("manager", rights)).protection("main")
    # Who may bypass the ruleset is not shown to this token.
    assert (found.protected, found.deletion_refused) == (True, None)
    assert (found.checks, found.approvals, found.stale_dismissed) == (None, None, None)
    assert (found.administrators_bound, found.force_push_refused) == (None, None)


def test_a_branch_that_is_not_there_has_no_protection(host: Host) -> None:
    with pytest.raises(HostError) as caught:
        host.protection("release")
    assert caught.value.message == "GitHub shows no branch release: Branch not found"


# ── a GitHub App ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def app_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    file = path / "app.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(file)


def public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Now:
    """Seconds since 1970, moved by the test."""

    def __init__(self, site: GitHubStub) -> None:
        self.site = site

    def __call__(self) -> float:
        return self.site.now.timestamp()


def test_an_app_finds_its_installation_and_its_own_comment(
    tmp_path: Path, bare: Repository, app_key: rsa.RSAPrivateKey
) -> None:
    assert bare.resolve("refs/heads/topic")
    with GitHubStub(tmp_path / "remote.git", public_key=public(app_key)) as site:
        site.install(99)
        site.open_pull("topic")
        host = open_host(
            "github",
            remote="https://git.example/owner/estate",
            url=site.url,
            environ={
                "ORDAIN_GITHUB_APP_ID": "123456",
                "ORDAIN_GITHUB_APP_KEY": pem(tmp_path, app_key),
            },
            times=Times(now=Now(site)),
        )
        site.trouble(trouble.status(200, {"id": 99}), "/repos/owner/estate/installation$")
        one = host.proposal(1)
        assert host.comment(one, MARKER, BODY) is Posted.MADE
        login = site.pulls[1].comments[0].person.login
        no = trouble.status(403, {"message": "Resource not accessible by integration"})
        site.trouble(no, "/user$")
        app = trouble.status(200, {"slug": login.removesuffix("[bot]")})
        site.trouble(app, "/app$")
        assert host.comment(one, MARKER, BODY) is Posted.UNCHANGED


def test_an_app_asks_for_a_token_and_keeps_it_until_shortly_before_its_end(
    tmp_path: Path, app_key: rsa.RSAPrivateKey
) -> None:
    with GitHubStub(public_key=public(app_key)) as site:
        site.install(99)
        host = open_host(
            "github",
            remote="https://git.example/owner/estate",
            url=site.url,
            environ={
                "ORDAIN_GITHUB_APP_ID": "123456",
                "ORDAIN_GITHUB_APP_KEY": pem(tmp_path, app_key),
                "ORDAIN_GITHUB_APP_INSTALLATION": "99",
            },
            times=Times(now=Now(site)),
        )
        assert host.proposals() == host.proposals() == ()
        assert [one.path for one in site.writes] == ["/api/v3/app/installations/99/access_tokens"]
        assert json.loads(site.writes[0].body) == {"repositories": ["estate"]}
        site.now += timedelta(minutes=57)
        assert host.proposals() == ()
        assert len(site.writes) == 1
        site.now += timedelta(minutes=2)
        assert host.proposals() == ()
        assert len(site.writes) == 2


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "there is no token for GitHub"),
        (
            {"ORDAIN_GITHUB_APP_ID": "1"},
            "a GitHub App is named, but ORDAIN_GITHUB_APP_KEY is not set",
        ),
        (
            {"ORDAIN_GITHUB_APP_KEY": "x.pem"},
            "a GitHub App is named, but ORDAIN_GITHUB_APP_ID is not set",
        ),
        (
            {
                "ORDAIN_GITHUB_APP_ID": "1",
                "ORDAIN_GITHUB_APP_KEY": "x.pem",
                "ORDAIN_GITHUB_APP_INSTALLATION": "all",
            },
            "ORDAIN_GITHUB_APP_INSTALLATION is no number",
        ),
        (
            {"ORDAIN_GITHUB_APP_ID": "1", "ORDAIN_GITHUB_APP_KEY": "/no/such.pem"},
            "the file that ORDAIN_GITHUB_APP_KEY names cannot be read: No such file or directory",
        ),
        ({"ORDAIN_GITHUB_TOKEN": "a b"}, "ORDAIN_GITHUB_TOKEN holds something that is no token"),
        (
            {"ORDAIN_GITHUB_TOKEN": "a\r\nX: y"},
            "ORDAIN_GITHUB_TOKEN holds something that is no token",
        ),
        ({"GITHUB_TOKEN": "  "}, "GITHUB_TOKEN holds something that is no token"),
    ],
)
def test_a_credential_that_cannot_be_used_is_told(environ: dict[str, str], message: str) -> None:
    with pytest.raises(HostDenied) as caught:
        open_host("github", remote="https://github.com/owner/estate", environ=environ)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the key that ORDAIN_GITHUB_APP_KEY names is no RSA key"),
        (
            b"secret words",
            "the file that ORDAIN_GITHUB_APP_KEY names holds no private key without a password",
        ),
    ],
)
def test_a_key_that_is_none_of_an_app_is_told(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = pem(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    if content is not None:
        (tmp_path / "app.pem").write_bytes(content)
    environ = {"ORDAIN_GITHUB_APP_ID": "1", "ORDAIN_GITHUB_APP_KEY": path}
    with pytest.raises(HostDenied) as caught:
        open_host("github", remote="https://github.com/owner/estate", environ=environ)
    assert caught.value.message == message
