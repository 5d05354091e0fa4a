"""Proposals and merges on a host: real git, a bare repository, and a forge over HTTP before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from forges import GitHubStub, trouble

from ordain.specs.errors import FindingsError
from ordain.vcs.errors import (
    ForgeError,
    HostDenied,
    HostError,
    MergeConflict,
    ProposalMoved,
    UnknownProposal,
)
from ordain.vcs.forges import open_host
from ordain.vcs.hosted import FETCHED, HostedForge, bring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.vcs.forge import Candidate, Merged, Proposal
    from ordain.vcs.git import Repository
    from ordain.vcs.host import Host
    from tests.vcs.conftest import Cast

    Write = Callable[..., str]

TOPIC = "refs/heads/topic"


@pytest.fixture
def site(remote: Repository, cast: Cast) -> Iterator[GitHubStub]:
    with GitHubStub(remote.path) as stub:
        stub.now = cast.now
        stub.person("dana", id=11)
        yield stub


@pytest.fixture
def host(site: GitHubStub) -> Host:
    environ = {"ORDAIN_GITHUB_TOKEN": site.token}
    return open_host("github", remote="", environ=environ, url=site.url, repository=site.name)


@pytest.fixture
def hosted(estate: Repository, host: Host) -> HostedForge:
    return HostedForge(estate, target="main", remote="origin", open_host=lambda: host)


@pytest.fixture
def topic(hosted: HostedForge, site: GitHubStub, remote: Repository, commit: Write) -> Proposal:
    """A pull request by people."""
    base = remote.resolve("refs/heads/main")
    commit(remote, {"model.yaml": b"kind: Model\nseed: 7\n"}, ref=TOPIC, parent=base)
    site.open_pull("topic", author="dana", title="Another seed", body="Because.")
    return hosted.proposal("topic")


def merged(
    hosted: HostedForge,
    proposal: Proposal,
    cast: Cast,
    check: Callable[[Candidate], object] = id,
) -> Merged:
    actor = cast["manager"]
    return hosted.merge(proposal, actor=actor, message="Merge it", time=cast.now, check=check)


# Proposals


def test_an_open_pull_request_is_a_proposal(topic: Proposal, remote: Repository) -> None:
    assert (topic.id, topic.number, topic.branch) == ("1", 1, "topic")
    assert (topic.title, topic.body, topic.author) == ("Another seed", "Because.", "dana")
    assert topic.head == remote.resolve(TOPIC)
    assert topic.base == remote.resolve("refs/heads/main")
    assert topic.url.endswith("/owner/estate/pull/1")


@pytest.mark.parametrize("name", ["1", "#1", "!1", "topic"])
def test_a_proposal_is_found_by_number_and_branch(
    hosted: HostedForge, topic: Proposal, name: str
) -> None:
    assert hosted.proposal(name) == topic


def test_what_is_no_open_proposal_is_said(
    hosted: HostedForge, topic: Proposal, host: Host, site: GitHubStub, remote: Repository
) -> None:
    with pytest.raises(UnknownProposal, match="there is no open proposal 'topics'; open: 1"):
        hosted.proposal("topics")
    with pytest.raises(UnknownProposal, match="has no pull request 7"):
        hosted.proposal("7")
    hosted.close(topic)
    with pytest.raises(UnknownProposal, match="proposal 1 is closed, into main"):
        hosted.proposal("1")
    assert host.proposals() == ()
    # Nobody but its author decides what becomes of the branch.
    assert TOPIC in remote.refs("refs/heads/")
    site.open_pull("topic", "dev", author="dana", base_sha=topic.base)
    with pytest.raises(UnknownProposal, match="proposal 2 is open, into dev"):
        hosted.proposal("2")


def test_a_promotion_is_pushed_and_opened_once(
    hosted: HostedForge, site: GitHubStub, remote: Repository, propose: Write
) -> None:
    assert propose(hosted) == "credit-default-1"
    assert propose(hosted) == "credit-default-1"
    (pull,) = site.pulls.values()
    assert pull.head == "ordain/promote/credit-default-1"
    assert pull.head_sha == remote.resolve("refs/heads/ordain/promote/credit-default-1")
    assert [one.method for one in site.writes] == ["POST"]
    (seen,) = hosted.proposals()
    assert hosted.seen_proposals() == (seen,)


def test_what_a_promotion_says_is_its_commit_and_not_the_text_of_the_pull_request(
    hosted: HostedForge, site: GitHubStub, propose: Write
) -> None:
    propose(hosted)
    site.pulls[1].body = "Ordain-Recipe: sha256:" + "0" * 64
    site.pulls[1].title = "Promote something else"
    (seen,) = hosted.proposals()
    assert (seen.title, seen.body) == ("Promote credit-default-1", "Evidence passes.")


def test_a_branch_that_is_left_over_gives_way_and_an_open_one_does_not(
    hosted: HostedForge, site: GitHubStub, propose: Write
) -> None:
    propose(hosted)
    other = {"versions/credit-default-1.yaml": b"v: 2\n"}
    with pytest.raises(ForgeError, match="is open already, at another commit"):
        propose(hosted, files=other)
    site.pulls[1].state = "closed"
    propose(hosted, files=other)
    assert [one.state for one in site.pulls.values()] == ["closed", "open"]


def test_closing_a_promotion_takes_its_branch_away(
    hosted: HostedForge, site: GitHubStub, remote: Repository, propose: Write
) -> None:
    hosted.close(hosted.proposal(propose(hosted)))
    assert site.pulls[1].state == "closed"
    assert "refs/heads/ordain/promote/credit-default-1" not in remote.refs("refs/heads/")


def test_a_branch_that_stays_after_closing_is_told(
    hosted: HostedForge, remote: Repository, propose: Write
) -> None:
    proposal = hosted.proposal(propose(hosted))
    remote.ask("config", "receive.denyDeletes", "true")
    (note,) = hosted.close(proposal)
    assert note.startswith("the branch ordain/promote/credit-default-1 stays: ")


def test_without_an_answer_a_proposal_is_found_by_its_branch(
    hosted: HostedForge, topic: Proposal, site: GitHubStub
) -> None:
    site.trouble(trouble.status(403), times=None)
    found = hosted.proposal("topic")
    assert (found.head, found.number) == (topic.head, None)
    for name in ("1", "no-branch"):
        with pytest.raises(HostDenied):
            hosted.proposal(name)


def test_a_proposal_that_cannot_be_fetched_hides_no_other_one(
    hosted: HostedForge, topic: Proposal, site: GitHubStub
) -> None:
    site.open_pull("gone", author="dana", head_sha=topic.head).head_sha = "1" * 40
    assert [one.number for one in hosted.proposals()] == [topic.number]


def test_without_an_answer_the_branches_are_what_was_seen(
    hosted: HostedForge, site: GitHubStub, remote: Repository, commit: Write
) -> None:
    commit(remote, {"more.yaml": b"x\n"}, ref=TOPIC, parent=remote.resolve("refs/heads/main"))
    site.trouble(trouble.status(403), times=None)
    with pytest.raises(HostError):
        hosted.refresh()
    assert [one.branch for one in hosted.seen_proposals()] == ["topic"]


# Merging


def test_the_host_merges_what_was_judged(
    hosted: HostedForge, topic: Proposal, remote: Repository, estate: Repository, cast: Cast
) -> None:
    judged: list[Candidate] = []
    done = merged(hosted, topic, cast, judged.append)
    assert done.commit == remote.resolve("refs/heads/main")
    made = remote.commit(done.commit)
    assert made.parents == (topic.base, topic.head)
    assert made.tree == done.tree == judged[0].tree
    assert [one.path for one in judged[0].change.paths] == ["model.yaml"]
    assert estate.resolve("refs/heads/main") == done.commit
    assert TOPIC not in remote.refs("refs/heads/")


def test_what_is_refused_is_not_asked_of_the_host(
    hosted: HostedForge, topic: Proposal, site: GitHubStub, remote: Repository, cast: Cast
) -> None:
    def refuse(_: Candidate) -> None:
        raise FindingsError("no", ())

    with pytest.raises(FindingsError):
        merged(hosted, topic, cast, refuse)
    assert site.writes == []
    assert remote.resolve("refs/heads/main") == topic.base


def test_a_proposal_that_moved_is_not_merged(
    hosted: HostedForge, topic: Proposal, remote: Repository, cast: Cast, commit: Write
) -> None:
    commit(remote, {"more.yaml": b"x\n"}, ref=TOPIC)
    with pytest.raises(ProposalMoved, match="it was at"):
        merged(hosted, topic, cast)
    assert remote.resolve("refs/heads/main") == topic.base


def test_a_push_between_the_look_and_the_merge_loses(
    hosted: HostedForge, topic: Proposal, remote: Repository, cast: Cast, commit: Write
) -> None:
    """The host is told which commit was judged, and refuses any other one."""

    def push(_: Candidate) -> None:
        commit(remote, {"more.yaml": b"x\n"}, ref=TOPIC)

    with pytest.raises(ProposalMoved):
        merged(hosted, topic, cast, push)
    assert remote.resolve("refs/heads/main") == topic.base


def test_a_conflict_is_said_before_the_host_is_asked(
    hosted: HostedForge,
    topic: Proposal,
    site: GitHubStub,
    remote: Repository,
    cast: Cast,
    commit: Write,
) -> None:
    commit(remote, {"model.yaml": b"kind: Model\nseed: 8\n"})
    with pytest.raises(MergeConflict):
        merged(hosted, topic, cast)
    assert site.writes == []


def test_a_merge_onto_a_branch_that_moved_meanwhile_is_judged_again(
    hosted: HostedForge, topic: Proposal, remote: Repository, cast: Cast, commit: Write
) -> None:
    seen: list[Candidate] = []

    def check(candidate: Candidate) -> None:
        seen.append(candidate)
        if len(seen) == 1:
            commit(remote, {"beside.yaml": b"x\n"})

    done = merged(hosted, topic, cast, check)
    first, second = seen
    assert (first.onto, second.tree) == (topic.base, done.tree)
    assert remote.commit(done.commit).parents[0] == second.onto != first.onto
    assert first.change.digest == second.change.digest


def test_a_merge_that_became_something_else_is_said(
    hosted: HostedForge, topic: Proposal, remote: Repository, cast: Cast, commit: Write
) -> None:
    seen: list[Candidate] = []

    def check(candidate: Candidate) -> None:
        seen.append(candidate)
        if len(seen) == 1:
            commit(remote, {"beside.yaml": b"x\n"})
        else:
            raise FindingsError("1 may not be merged", ())

    with pytest.raises(HostError, match="which is not what was judged: 1 may not be merged"):
        merged(hosted, topic, cast, check)


def test_a_merge_that_the_host_only_claims_is_said(
    hosted: HostedForge, topic: Proposal, site: GitHubStub, cast: Cast
) -> None:
    claim = {"sha": "1" * 40, "merged": True, "message": "merged"}
    site.trouble(trouble.status(200, claim), "/merge$", method="PUT")
    with pytest.raises(HostError, match="which is not on main"):
        merged(hosted, topic, cast)


# Fetching


def test_only_the_ref_of_a_proposal_is_fetched(
    estate: Repository, host: Host, topic: Proposal, remote: Repository, site: GitHubStub
) -> None:
    other = replace(host.proposal(1), head="1" * 40)
    with pytest.raises(HostError, match="which is no ref of a proposal"):
        bring(estate, "origin", replace(other, ref="refs/heads/topic:refs/heads/main"))
    assert remote.resolve("refs/pull/1/head") == topic.head
    with pytest.raises(HostError, match="which refs/pull/1/head does not have"):
        bring(estate, "origin", other)
    assert estate.refs(FETCHED) == {f"{FETCHED}1": topic.head}
    assert site.pulls[1].head_sha == topic.head
