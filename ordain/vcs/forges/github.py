"""GitHub and GitHub Enterprise Server behind `Host`.

What is asked and believed follows https://docs.github.com/en/rest (version 2022-11-28). GraphQL was
refused: it would need one question where REST needs three, but its errors come with status 200 and
half an answer, which is what a gate must never read.

A review names the commit that it was given on. Its state becomes DISMISSED when somebody dismisses
it or, if the branch is protected so, when a commit is pushed; neither is relied on, because commits
are compared. A review of a deleted account has no user, or the account `ghost` that stands for all
of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ordain.vcs.errors import ForgeError, HostDenied, ProposalMoved, UnknownProposal
from ordain.vcs.forges.github_protection import protection
from ordain.vcs.forges.marks import Comments, post, the_one
from ordain.vcs.forges.retargets import since
from ordain.vcs.host import (
    CommitState,
    HostAccount,
    HostProposal,
    HostReview,
    HostState,
    Posted,
    ReviewState,
)

if TYPE_CHECKING:
    from datetime import datetime

    from ordain.vcs.forges.http import Client
    from ordain.vcs.forges.reading import Reading
    from ordain.vcs.host import Protection

HEADERS: Final = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}

_GHOST: Final = "ghost"
_DESCRIPTION: Final = 140
_TURNS: Final = (
    "automatic_base_change_succeeded",
    "base_ref_changed",
    "base_ref_force_pushed",
)
_STATES: Final = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "COMMENTED": ReviewState.COMMENTED,
    "DISMISSED": ReviewState.DISMISSED,
}


class GitHub:
    """One repository on GitHub."""

    name = "github"

    def __init__(self, client: Client, repository: str) -> None:
        self.client = client
        self.repository = repository
        self._path = f"/repos/{quote(repository, safe='/')}"
        self._own: tuple[str, int | None] | None = None
        self._number: int | None = None

    def proposals(self) -> tuple[HostProposal, ...]:
        asked = {"state": "open", "sort": "created", "direction": "asc"}
        found = self.client.pages(f"{self._path}/pulls", asked) or []
        return tuple(proposal_in(one) for one in found)

    def proposal(self, number: int) -> HostProposal:
        path = f"{self._path}/pulls/{number}"
        answer = self.client.get(path, accept=(404,))
        if answer.status == 404:  # noqa: PLR2004
            self._check_visible()
            raise UnknownProposal(
                f"{self.repository} has no pull request {number}",
                remedy="see the open ones: ordain proposals list",
            )
        return proposal_in(answer.reading)

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """See `Host`; a commit that GitHub does not know was put nowhere by a merge there."""
        found = self.client.pages(f"{self._path}/commits/{commit}/pulls", accept=(404, 409, 422))
        if found is None:
            self._check_visible()
            return None
        # A commit is shared with all forks, and so the pull requests of them are listed as well.
        ours = filter(self._is_here, found)
        merged = [one for one in map(proposal_in, ours) if _is_merge(one, commit, target)]
        one = the_one(merged, commit, lambda: self._parents(commit))
        return None if one is None else self.proposal(one.number)

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        found = self.client.pages(f"{self._path}/pulls/{proposal.number}/reviews") or []
        reviews = [review_in(one) for one in found if one.text("state") != "PENDING"]
        reviews.sort(key=lambda one: one.time)
        if all(one.state is not ReviewState.APPROVED for one in reviews):
            return tuple(reviews)
        return since(self._turns(proposal.number), reviews)

    def open(self, branch: str, target: str, title: str, body: str) -> HostProposal:
        there = self._open_from(branch, target)
        if there is not None:
            return there
        wanted = {"title": title, "body": body, "head": branch, "base": target}
        answer = self.client.send("POST", f"{self._path}/pulls", wanted, accept=(422,))
        if answer.status != 422:  # noqa: PLR2004
            return proposal_in(answer.reading)
        # Somebody may have opened it between the two questions; that is as good as ours.
        there = self._open_from(branch, target)
        if there is None:
            raise ForgeError(
                f"{self.repository} takes no pull request of {branch} into {target}: {answer.said}",
                remedy=f"push {branch} with a commit that {target} does not have",
            )
        return there

    def close(self, proposal: HostProposal) -> None:
        path = f"{self._path}/pulls/{proposal.number}"
        answer = self.client.send("PATCH", path, {"state": "closed"})
        if answer.reading.text("state") != "closed":
            raise answer.reading.wrong("state", "closed")

    def merge(self, proposal: HostProposal, title: str) -> str:
        path = f"{self._path}/pulls/{proposal.number}/merge"
        wanted = {"sha": proposal.head, "merge_method": "merge", "commit_title": title}
        answer = self.client.send("PUT", path, wanted, accept=(405, 409))
        if answer.status == 409:  # noqa: PLR2004
            raise ProposalMoved(
                f"pull request {proposal.number} is not what it was: {answer.said}",
                remedy="look at it again, and merge what you have seen",
            )
        if answer.status == 405:  # noqa: PLR2004
            raise ForgeError(
                f"GitHub does not merge pull request {proposal.number}: {answer.said}",
                remedy="mend what GitHub says, and allow merge commits in its settings",
            )
        if not answer.reading.flag("merged"):
            raise answer.reading.wrong("merged", "true after a merge")
        return answer.reading.commit("sha")

    def comment(self, proposal: HostProposal, marker: str, body: str) -> Posted:
        """See `Host`. Raises `ValueError` for a body without its first line, or too long."""
        path = f"{self._path}/issues/{proposal.number}/comments"
        comments = Comments(
            path,
            lambda: self.client.pages(path) or [],
            self._is_own,
            lambda number: ("PATCH", f"{self._path}/issues/comments/{number}"),
        )
        return post(self.client, comments, marker, body)

    def report(self, commit: str, state: CommitState, context: str, text: str, url: str) -> None:
        short = text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 1]}…"
        wanted = {"state": state.value, "context": context, "description": short}
        if url:
            wanted["target_url"] = url
        answer = self.client.send("POST", f"{self._path}/statuses/{commit}", wanted)
        answer.reading.identifier("id")

    def protection(self, branch: str) -> Protection:
        return protection(self.client, self._path, branch)

    def _open_from(self, branch: str, target: str) -> HostProposal | None:
        owner = self.repository.partition("/")[0]
        asked = {"state": "open", "head": f"{owner}:{branch}", "base": target}
        found = self.client.pages(f"{self._path}/pulls", asked) or []
        open_ = (
            one for one in map(proposal_in, found) if (one.branch, one.fork) == (branch, False)
        )
        return next((one for one in open_ if one.target == target), None)

    def _is_here(self, pull: Reading) -> bool:
        """Whether it is proposed to this repository, whatever name it has now."""
        repository = pull.at("base").at_or_null("repo")
        if repository is None:
            return False
        if repository.name("full_name").lower() == self.repository.lower():
            return True
        if self._number is None:
            self._number = self.client.get(self._path).reading.identifier("id")
        return repository.identifier("id") == self._number

    def _turns(self, number: int) -> list[datetime]:
        """When the base of a pull request became another one; nobody can delete such an event."""
        found = self.client.pages(f"{self._path}/issues/{number}/events") or []
        return [one.time("created_at") for one in found if one.text("event") in _TURNS]

    def _parents(self, commit: str) -> list[str]:
        found = self.client.get(f"{self._path}/commits/{commit}").reading
        return [one.commit("sha") for one in found.items("parents")]

    def _check_visible(self) -> None:
        """Tell "there is none" from "you may not see it", which GitHub answers alike."""
        if self.client.get(self._path, accept=(404,)).status == 404:  # noqa: PLR2004
            raise HostDenied(
                f"GitHub shows no repository {self.repository}",
                remedy="see that spec.forge.repository is its name, and that the token in "
                f"{self.client.credential.source} may see it",
            )

    def _is_own(self, comment: Reading) -> bool:
        user = comment.at_or_null("user")
        if user is None:
            return False
        if self._own is None:
            self._own = self._ask_own()
        login, identifier = self._own
        if identifier is not None:
            return user.identifier("id") == identifier
        return user.name("login").lower() == login.lower() and user.name("type") == "Bot"

    def _ask_own(self) -> tuple[str, int | None]:
        """Who we are. A token of an App or a workflow may not ask; its login has brackets."""
        credential = self.client.credential
        answer = self.client.get("/user", accept=(403,))
        if answer.status != 403:  # noqa: PLR2004
            return answer.reading.name("login"), answer.reading.identifier("id")
        login = credential.machine()
        if not login:
            raise HostDenied(
                f"GitHub does not say whose the token in {credential.source} is",
                remedy=f"use a token of an account or of a GitHub App in {credential.source}",
            )
        return login, None


def account_in(user: Reading | None) -> HostAccount | None:
    """The account; None for one that is gone.

    Only `User` is somebody: a bot, an organization and the placeholder of an import are not.
    """
    if user is None:
        return None
    login, kind = user.name("login"), user.name("type")
    if login.lower() == _GHOST:
        return None
    machine = kind != "User" or login.endswith("[bot]")
    return HostAccount(login, user.identifier("id"), machine)


def proposal_in(pull: Reading) -> HostProposal:
    """A pull request, from a list or alone; only alone it says who merged it."""
    head, base = pull.at("head"), pull.at("base")
    source = head.at_or_null("repo")
    number = pull.identifier("number")
    merged = pull.has("merged_at")
    return HostProposal(
        number=number,
        title=pull.text("title"),
        body=pull.text_or_null("body"),
        branch=head.name("ref"),
        target=base.name("ref"),
        head=head.commit("sha"),
        ref=f"refs/pull/{number}/head",
        state=HostState.MERGED if merged else _state(pull),
        author=account_in(pull.at_or_null("user")),
        created=pull.time("created_at"),
        # While it is open this is a trial merge that is on no branch.
        merged=pull.commit_or_null("merge_commit_sha") if merged else "",
        merged_by=account_in(pull.at("merged_by")) if pull.has("merged_by") else None,
        fork=source is None or source.identifier("id") != base.at("repo").identifier("id"),
        url=pull.name("html_url"),
    )


def _state(pull: Reading) -> HostState:
    match pull.text("state"):
        case "open":
            return HostState.OPEN
        case "closed":
            return HostState.CLOSED
    raise pull.wrong("state", "open or closed")


def _is_merge(one: HostProposal, commit: str, target: str) -> bool:
    return one.state is HostState.MERGED and one.target == target and one.merged == commit


def review_in(review: Reading) -> HostReview:
    state = _STATES.get(review.text("state"))
    if state is None:
        raise review.wrong("state", "a state of a review that is known")
    return HostReview(
        account=account_in(review.at_or_null("user")),
        state=state,
        commit=review.commit_or_null("commit_id"),
        time=review.time("submitted_at"),
        proof=review.name("html_url"),
    )
