"""GitLab, hosted and self-managed, behind `Host`.

What is asked and believed follows https://docs.gitlab.com/api/rest (version 4).

An approval on GitLab names no commit. It is taken to be of the newest version of the merge request
that was there when it was given; GitLab keeps the versions with their times. A version is recorded
a moment after its push, so that an approval in between counts for the older one and not for what
nobody has seen. Where no time of an approval is known, the note tells it that GitLab itself writes
on every approval; where no note does either, the approval is of no commit and counts for nothing.
Its notes tell as well when the target was another one; nobody can edit or delete them.

Whether an account is a machine is not in the merge request. It is asked of the account, once each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ordain.vcs.errors import ForgeError, HostDenied, ProposalMoved, UnknownProposal
from ordain.vcs.forges.gitlab_protection import protection
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
    from collections.abc import Sequence
    from datetime import datetime

    from ordain.vcs.forges.http import Client
    from ordain.vcs.forges.reading import Reading
    from ordain.vcs.host import Protection

_GHOST: Final = "ghost"
_DESCRIPTION: Final = 255
_APPROVED: Final = "approved this merge request"
_UNAPPROVED: Final = "unapproved this merge request"
_STATES: Final = {
    "opened": HostState.OPEN,
    "locked": HostState.OPEN,  # It is being merged at this moment.
    "closed": HostState.CLOSED,
    "merged": HostState.MERGED,
}
# What GitLab calls the states of a commit, which has no error.
_REPORTS: Final = {
    CommitState.PENDING: "pending",
    CommitState.SUCCESS: "success",
    CommitState.FAILURE: "failed",
    CommitState.ERROR: "failed",
}


class GitLab:
    """One project on GitLab."""

    name = "gitlab"

    def __init__(self, client: Client, repository: str) -> None:
        self.client = client
        self.repository = repository
        self._path = f"/projects/{quote(repository, safe='')}"
        self._own: int | None = None
        self._number: int | None = None
        self._machines: dict[int, bool | None] = {}

    def proposals(self) -> tuple[HostProposal, ...]:
        asked = {"state": "opened", "order_by": "created_at", "sort": "asc"}
        found = self.client.pages(f"{self._path}/merge_requests", asked) or []
        return tuple(self._proposal(one) for one in found)

    def proposal(self, number: int) -> HostProposal:
        answer = self.client.get(f"{self._path}/merge_requests/{number}", accept=(404,))
        if answer.status == 404:  # noqa: PLR2004
            self._check_visible()
            raise UnknownProposal(
                f"{self.repository} has no merge request {number}",
                remedy="see the open ones: ordain proposals list",
            )
        return self._proposal(answer.reading)

    def proposal_of(self, commit: str, target: str) -> HostProposal | None:
        """See `Host`; a commit that GitLab does not know was put nowhere by a merge there."""
        path = f"{self._path}/repository/commits/{commit}/merge_requests"
        found = self.client.pages(path, accept=(404,))
        if found is None:
            self._check_visible()
            return None
        # Those that merely contain the commit are listed, too.
        merged = [one for one in found if _STATES.get(one.text("state")) is HostState.MERGED]
        asked = [one for one in merged if one.text("target_branch") == target]
        made = [one for one in asked if _merged_as(one) == commit]
        fits = [self._proposal(one) for one in made if self._is_here(one)]
        one = the_one(fits, commit, lambda: self._parents(commit))
        return None if one is None else self.proposal(one.number)

    def reviews(self, proposal: HostProposal) -> tuple[HostReview, ...]:
        path = f"{self._path}/merge_requests/{proposal.number}"
        approvals = self.client.get(f"{path}/approvals").reading
        given = list(approvals.items("approved_by"))
        if not given:
            return ()
        versions = list(self.client.pages(f"{path}/versions") or [])
        notes = self._system_notes(path)
        reviews = [self._review(one, proposal, versions, notes) for one in given]
        turns = [one.time("created_at") for one in notes if _turns(one.text("body"))]
        return since(turns, sorted(reviews, key=lambda one: one.time))

    def open(self, branch: str, target: str, title: str, body: str) -> HostProposal:
        there = self._open_from(branch, target)
        if there is not None:
            return there
        wanted = {
            "source_branch": branch,
            "target_branch": target,
            "title": title,
            "description": body,
        }
        path = f"{self._path}/merge_requests"
        answer = self.client.send("POST", path, wanted, accept=(400, 409, 422))
        if answer.status not in {400, 409, 422}:
            return self._proposal(answer.reading)
        # Somebody may have opened it between the two questions; that is as good as ours.
        there = self._open_from(branch, target)
        if there is None:
            raise ForgeError(
                f"{self.repository} takes no merge request of {branch} into {target}: "
                f"{answer.said}",
                remedy=f"push {branch} with a commit that {target} does not have",
            )
        return there

    def close(self, proposal: HostProposal) -> None:
        path = f"{self._path}/merge_requests/{proposal.number}"
        answer = self.client.send("PUT", path, {"state_event": "close"})
        if answer.reading.text("state") != "closed":
            raise answer.reading.wrong("state", "closed")

    def merge(self, proposal: HostProposal, title: str) -> str:
        """See `Host`. A project that is set to fast-forward merges makes no merge commit."""
        path = f"{self._path}/merge_requests/{proposal.number}/merge"
        wanted = {"sha": proposal.head, "squash": False, "merge_commit_message": title}
        answer = self.client.send("PUT", path, wanted, accept=(405, 406, 409, 422))
        if answer.status == 409:  # noqa: PLR2004
            raise ProposalMoved(
                f"merge request {proposal.number} is not what it was: {answer.said}",
                remedy="look at it again, and merge what you have seen",
            )
        if answer.status in {405, 406, 422}:
            raise ForgeError(
                f"GitLab does not merge merge request {proposal.number}: {answer.said}",
                remedy="mend what GitLab says about the merge request",
            )
        if answer.reading.text("state") != "merged":
            raise answer.reading.wrong("state", "merged after a merge")
        return _merged_as(answer.reading)

    def comment(self, proposal: HostProposal, marker: str, body: str) -> Posted:
        """See `Host`. Raises `ValueError` for a body without its first line, or too long."""
        path = f"{self._path}/merge_requests/{proposal.number}/notes"
        asked = {"sort": "asc", "order_by": "created_at"}
        comments = Comments(
            path,
            lambda: self.client.pages(path, asked) or [],
            self._is_own,
            lambda number: ("PUT", f"{path}/{number}"),
        )
        return post(self.client, comments, marker, body)

    def report(self, commit: str, state: CommitState, context: str, text: str, url: str) -> None:
        short = text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 1]}…"
        wanted = {"state": _REPORTS[state], "name": context, "description": short}
        if url:
            wanted["target_url"] = url
        path = f"{self._path}/statuses/{commit}"
        answer = self.client.send("POST", path, wanted, accept=(400,))
        if answer.status == 400:  # noqa: PLR2004
            self._check_reported(commit, wanted["state"], context, answer.said)
        else:
            answer.reading.identifier("id")

    def protection(self, branch: str) -> Protection:
        return protection(self.client, self._path, branch)

    def _check_reported(self, commit: str, state: str, context: str, said: str) -> None:
        """Some versions refuse a status that is there already; then nothing was to do."""
        path = f"{self._path}/repository/commits/{commit}/statuses"
        found = self.client.pages(path, {"name": context}) or []
        if not any(one.text("name") == context and one.text("status") == state for one in found):
            raise ForgeError(
                f"GitLab takes no status {state} for {commit}: {said}",
                remedy="see what the forge says",
            )

    def _proposal(self, found: Reading) -> HostProposal:
        """A merge request, from a list or alone."""
        number = found.identifier("iid")
        state = _STATES.get(found.text("state"))
        if state is None:
            raise found.wrong("state", "a state of a merge request that is known")
        merged = state is HostState.MERGED
        # The field `merged_by` gives way to `merge_user`; either says who merged.
        key = "merge_user" if found.has("merge_user") else "merged_by"
        project = found.identifier("target_project_id")
        return HostProposal(
            number=number,
            title=found.text("title"),
            body=found.text_or_null("description"),
            branch=found.name("source_branch"),
            target=found.name("target_branch"),
            head=found.commit_or_null("sha"),
            ref=f"refs/merge-requests/{number}/head",
            state=state,
            author=self._account(found.at_or_null("author")),
            created=found.time("created_at"),
            merged=_merged_as(found) if merged else "",
            merged_by=self._account(found.at(key)) if merged and found.has(key) else None,
            fork=not found.has("source_project_id")
            or found.identifier("source_project_id") != project,
            url=found.name("web_url"),
        )

    def _review(
        self,
        given: Reading,
        proposal: HostProposal,
        versions: Sequence[Reading],
        notes: Sequence[Reading],
    ) -> HostReview:
        user = given.at_or_null("user")
        time = given.time("approved_at") if given.has("approved_at") else _told(user, notes)
        seen = None if time is None else version_at(versions, time)
        return HostReview(
            account=self._account(user),
            state=ReviewState.APPROVED,
            commit="" if seen is None else seen.commit_or_null("head_commit_sha"),
            # One without a time counts for nothing; it stands where the merge request began.
            time=time or proposal.created,
            proof=proposal.url,
            base="" if seen is None else seen.commit_or_null("base_commit_sha"),
        )

    def _system_notes(self, path: str) -> list[Reading]:
        """What GitLab itself wrote, newest first; a person's note never has the flag."""
        asked = {"sort": "desc", "order_by": "created_at"}
        found = self.client.pages(f"{path}/notes", asked) or []
        notes = [one for one in found if one.flag("system")]
        return sorted(notes, key=lambda one: (one.time("created_at"), one.identifier("id")))[::-1]

    def _account(self, user: Reading | None) -> HostAccount | None:
        if user is None:
            return None
        login, identifier = user.name("username"), user.identifier("id")
        if login.lower() == _GHOST:
            return None
        if identifier not in self._machines:
            self._machines[identifier] = self._is_machine(user, identifier)
        machine = self._machines[identifier]
        return None if machine is None else HostAccount(login, identifier, machine)

    def _is_machine(self, user: Reading, identifier: int) -> bool | None:
        """Whether it has the flag of bots, as users of access tokens have; None if it is gone."""
        if user.has("bot"):
            return user.flag("bot")
        answer = self.client.get(f"/users/{identifier}", accept=(404,))
        return None if answer.status == 404 else answer.reading.flag("bot")  # noqa: PLR2004

    def _open_from(self, branch: str, target: str) -> HostProposal | None:
        asked = {"state": "opened", "source_branch": branch, "target_branch": target}
        found = self.client.pages(f"{self._path}/merge_requests", asked) or []
        all_ = [self._proposal(one) for one in found]
        fits = [
            one for one in all_ if (one.branch, one.target, one.fork) == (branch, target, False)
        ]
        return min(fits, key=lambda one: one.number, default=None)

    def _is_here(self, found: Reading) -> bool:
        """Whether it is proposed to this project, and not to a fork that has the commit, too."""
        if self._number is None:
            self._number = self.client.get(self._path).reading.identifier("id")
        return found.identifier("target_project_id") == self._number

    def _parents(self, commit: str) -> tuple[str, ...]:
        found = self.client.get(f"{self._path}/repository/commits/{commit}").reading
        return found.texts("parent_ids")

    def _check_visible(self) -> None:
        """Tell "there is none" from "you may not see it", which GitLab answers alike."""
        if self.client.get(self._path, accept=(404,)).status == 404:  # noqa: PLR2004
            raise HostDenied(
                f"GitLab shows no project {self.repository}",
                remedy="see that spec.forge.repository is its path, and that the token in "
                f"{self.client.credential.source} may see it",
            )

    def _is_own(self, note: Reading) -> bool:
        if self._own is None:
            self._own = self.client.get("/user").reading.identifier("id")
        author = note.at_or_null("author")
        return author is not None and author.identifier("id") == self._own


def _merged_as(found: Reading) -> str:
    """The last commit that a merge put on the target branch.

    That is the merge commit if there is one, the squashed one if it was squashed without, and the
    head itself after a fast-forward.
    """
    keys = ("merge_commit_sha", "squash_commit_sha", "sha")
    return next((one for one in map(found.commit_or_null, keys) if one), "")


def version_at(versions: Sequence[Reading], time: datetime) -> Reading | None:
    """The newest version that was there at a time, None if none was."""
    there = [one for one in versions if one.time("created_at") <= time]
    return max(there, key=lambda one: (one.time("created_at"), one.identifier("id")), default=None)


def _turns(note: str) -> bool:
    """Whether GitLab tells of another target: somebody chose one, or the old one was deleted."""
    first = note.partition("\n")[0].lower()
    return "target branch" in first or "merge request now targets" in first


def _told(user: Reading | None, notes: Sequence[Reading]) -> datetime | None:
    """When this user approved last, as GitLab noted it; notes come newest first."""
    if user is None:
        return None
    identifier = user.identifier("id")
    for note in notes:
        author = note.at_or_null("author")
        if author is None or author.identifier("id") != identifier:
            continue
        text = note.text("body").strip()
        if text == _UNAPPROVED:
            return None
        if text == _APPROVED:
            return note.time("created_at")
    return None
