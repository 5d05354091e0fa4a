"""The stubs of the forges fail on demand, in each way that a client must survive."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING

import pytest
from forges import Answer, GitHubStub, Site, trouble
from forges.asking import Got, ask, rels
from forges.sample import bare_repository, git, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forges.web import Trial, Trouble

REPO = "/repos/owner/estate"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def test_trouble_strikes_as_often_as_asked_and_where(site: Site) -> None:
    planned = site.trouble(trouble.server_error(503), "/a", method="GET", times=2)
    statuses = [ask(site, path).status for path in ("/b", "/a", "/a", "/a")]
    assert (statuses, planned.met) == ([200, 503, 503, 200], 2)
    assert [one.path for one in site.requests] == ["/b", "/a", "/a", "/a"]


def test_limits_are_told_as_each_forge_tells_them(site: Site) -> None:
    site.trouble(trouble.primary_limit(1_795_168_800), "/primary")
    site.trouble(trouble.secondary_limit(code=429, retry_after=7), "/secondary")
    site.trouble(trouble.gitlab_limit(1_795_168_800), "/gitlab")
    primary, secondary, gitlab = (
        ask(site, f"/{name}") for name in ("primary", "secondary", "gitlab")
    )
    assert (primary.status, primary.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert primary.headers["X-RateLimit-Reset"] == "1795168800"
    assert (secondary.status, secondary.headers["Retry-After"]) == (429, "7")
    assert (gitlab.status, gitlab.body) == (429, b"Retry later\n")
    assert gitlab.headers["RateLimit-Remaining"] == "0"


def test_a_slow_answer_waits_for_its_event_and_holds_up_nobody_else(site: Site) -> None:
    event = threading.Event()
    site.trouble(trouble.slow(event), "/slow")
    got: list[Got] = []
    asking = threading.Thread(target=lambda: got.append(ask(site, "/slow")))
    asking.start()
    assert ask(site, "/other").status == 200
    assert got == []
    event.set()
    asking.join()
    assert got[0].status == 200


@pytest.mark.parametrize("make", [trouble.slow(), trouble.slow_after(), trouble.drip(60)])
def test_an_answer_that_never_ends_ends_with_the_site(make: Trouble) -> None:
    begun = threading.Event()
    ended: list[Exception] = []

    def noticed(trial: Trial) -> Answer:
        begun.set()
        return make(trial)

    def wait(site: Site) -> None:
        try:
            ask(site, "/never")
        except (ConnectionError, http.client.HTTPException) as end:
            ended.append(end)

    with Site() as site:
        site.trouble(noticed)
        waiting = threading.Thread(target=wait, args=(site,))
        waiting.start()
        assert begun.wait(2)
    waiting.join()
    assert len(ended) == 1


def test_a_body_in_single_bytes_arrives_whole(site: Site) -> None:
    site.trouble(trouble.drip(0.001))
    assert ask(site, "/drip").body == {"path": "/drip"}


def test_a_connection_that_closes_in_the_middle(site: Site) -> None:
    site.trouble(trouble.cut_off(), "/cut")
    site.trouble(trouble.hang_up, "/hang")
    with pytest.raises(http.client.IncompleteRead):
        ask(site, "/cut")
    with pytest.raises(http.client.RemoteDisconnected):
        ask(site, "/hang")
    assert ask(site, "/after").status == 200


def test_something_else_than_what_was_asked_for(site: Site) -> None:
    site.trouble(trouble.not_json(), "/html")
    site.trouble(trouble.other_shape(), "/shape")
    site.trouble(trouble.edited(lambda body: body | {"path": "a lie"}), "/lie")
    site.trouble(trouble.huge(1 << 20), "/huge")
    assert ask(site, "/html").body == b"<html>Sign in</html>"
    assert ask(site, "/shape").body == [{"path": "/shape"}]
    assert ask(site, "/lie").body == {"path": "a lie"}
    assert len(ask(site, "/huge").body[0]) == 1 << 20


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return bare_repository(tmp_path)


@pytest.fixture
def github(bare: Path) -> Iterator[GitHubStub]:
    with GitHubStub(bare) as stub:
        stub.open_pull("topic", title="Promote")
        yield stub


def test_a_link_without_end_leads_to_itself(github: GitHubStub) -> None:
    github.trouble(trouble.endless, "/reviews", times=None)
    first = ask(github, f"{REPO}/pulls/1/reviews")
    again = ask(github, rels(first.headers["Link"])["next"])
    assert rels(again.headers["Link"])["next"] == rels(first.headers["Link"])["next"]


def test_a_redirect_leads_to_another_host_with_the_same_path(
    github: GitHubStub, site: Site
) -> None:
    github.trouble(trouble.redirect(site.url, code=307), "/files")
    moved = ask(github, f"{REPO}/pulls/1/files?page=2")
    assert (moved.status, site.requests) == (307, [])
    assert moved.headers["Location"] == f"{site.url}/api/v3{REPO}/pulls/1/files?page=2"


def test_something_happens_between_two_requests(github: GitHubStub, bare: Path) -> None:
    head = git(bare, "rev-parse", "topic")
    github.trouble(trouble.meanwhile(lambda: push(bare)), "/merge$", method="PUT")
    assert ask(github, f"{REPO}/pulls/1/merge", "PUT", {"sha": head}).status == 409


def test_what_was_done_may_lose_its_answer(github: GitHubStub) -> None:
    github.trouble(trouble.hang_up_after, "/merge$")
    with pytest.raises(http.client.RemoteDisconnected):
        ask(github, f"{REPO}/pulls/1/merge", "PUT")
    assert ask(github, f"{REPO}/pulls/1").body["merged"] is True


def test_a_fault_of_the_stub_fails_the_test_that_met_it() -> None:
    def broken(_: Trial) -> Answer:
        raise KeyError("broken")

    site = Site().__enter__()
    site.trouble(broken)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(site, "/")
    with pytest.raises(AssertionError, match=r"^the stub itself failed$"):
        site.__exit__()
