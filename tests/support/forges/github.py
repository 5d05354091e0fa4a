"""A stub of GitHub's REST API over one repository, to be set up by tests with plain methods.

It is written from the published description alone, without having seen the client that it tests,
so that a wrong belief of the client shows. What the description leaves open is left uncomfortable:
a null where one is allowed, links that work only if taken as they are, and no field that a list
does not promise.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forges import github_api
from forges.github_auth import FULL, Grant, bearer, forbid, message
from forges.github_facts import ZERO, GitHubFacts
from forges.github_state import CheckRun, Comment, Event, Pull, Review, Ruleset, Status
from forges.web import Answer, Request, find_route, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from forges.github_state import MergeMethod, ReviewState
    from forges.people import Person
    from forges.published import Json

VERSIONS = {"2022-11-28", "2026-03-10"}


class GitHubStub(GitHubFacts):
    """GitHub with one repository. `repository` is the bare repository behind it, if any.

    `token` is that of the account `me`, which may do everything; `token_for` makes others. `url` is
    the root of the API as GitHub Enterprise Server has it. Times of what happens are `now`.
    """

    def __init__(
        self,
        repository: Path | None = None,
        *,
        name: str = "owner/estate",
        me: str = "reconciler[bot]",
        app_id: str = "123456",
        public_key: bytes | None = None,
    ) -> None:
        super().__init__(repository, name)
        self.me = self.people.need(me)
        self.token = "ghp_token"
        self.app_id = app_id
        self.public_key = public_key
        self.installations: dict[int, dict[str, str]] = {}
        self.grants: dict[str, Grant] = {self.token: Grant(self.me, FULL)}
        self.former_names: set[str] = set()
        self.routes = github_api.routes(self)
        self._left = itertools.count(4999, -1)

    # ── what tests set up ────────────────────────────────────────────────────────────────────────

    def person(
        self,
        login: str,
        *,
        id: int | None = None,  # noqa: A002 - the API's own name
        bot: bool = False,
        name: str | None = None,
        email: str | None = None,
    ) -> Person:
        """An account; `email` is the address by which commits are attributed to it."""
        return self.people.add(login, id=id, bot=bot, name=name, email=email)

    def rename_user(self, login: str, new: str) -> Person:
        """A new login for the same number; the old one is free for anybody."""
        person = self.people.need(login)
        person.login = new
        return person

    def delete_user(self, login: str) -> Person:
        """Null in reviews and lists, the ghost as the author of a single pull request."""
        person = self.people.need(login)
        person.deleted = True
        return person

    def token_for(
        self,
        login: str,
        permissions: Mapping[str, str] | None = None,
        *,
        sees: bool = True,
        expires: datetime | None = None,
    ) -> str:
        """A token of an account with these fine-grained permissions (default: read everything)."""
        read = dict.fromkeys(FULL, "read") if permissions is None else permissions
        token = f"github_pat_{len(self.grants)}"
        self.grants[token] = Grant(self.people.need(login), read, sees, expires=expires)
        return token

    def install(self, installation: int, permissions: Mapping[str, str] | None = None) -> None:
        """An installation of the app whose public key the stub was given."""
        self.installations[installation] = dict(FULL if permissions is None else permissions)

    def open_pull(  # noqa: PLR0913 - all but one are what a pull request has
        self,
        head: str,
        base: str = "main",
        *,
        author: str = "data-scientist",
        title: str | None = None,
        body: str | None = None,
        draft: bool = False,
        at: datetime | None = None,
        head_sha: str | None = None,
        base_sha: str | None = None,
    ) -> Pull:
        """A pull request of a branch; the ids are read from the repository where there is one."""
        number, time = self._next_number(), at or self.now
        head_id = head_sha or self._tip(head) or ZERO
        base_id = base_sha or self._tip(base) or ZERO
        person, text = self.people.need(author), title or head
        pull = Pull(number, person, text, body, head, base, head_id, base_id, time, time, draft)
        self.pulls[number] = pull
        self.point(pull)
        return pull

    def review(
        self,
        number: int,
        login: str,
        state: ReviewState = "APPROVED",
        *,
        commit_id: str | None = "head",
        at: datetime | None = None,
        body: str = "",
    ) -> Review:
        """A review of the present head, of another commit, or (None) of one that is gone."""
        pull = self.refreshed(self.pulls[number])
        commit = pull.head_sha if commit_id == "head" else commit_id
        person = self.people.need(login)
        review = Review(next(self._ids), person, state, commit, at or self.now, body)
        pull.reviews.append(review)
        return review

    def dismiss(self, review: Review) -> None:
        """The same review with another state: nothing tells what it was before."""
        review.state = "DISMISSED"

    def happen(self, number: int, login: str, name: str) -> None:
        """An event of a pull request that changes nothing else here."""
        event = Event(next(self._ids), self.people.need(login), name, self.now)
        self.pulls[number].events.append(event)

    def retarget(self, number: int, base: str, login: str) -> None:
        """Another base for the same branch; reviews stay as they are."""
        self.pulls[number].base = base
        self.happen(number, login, "base_ref_changed")
        self.refreshed(self.pulls[number])

    def protect(self, branch: str = "main", **fields: Json) -> None:
        """Classic protection with the documented fields; `True` stands for `{"enabled": true}`."""
        self.protections[branch] = fields

    def unprotect(self, branch: str = "main") -> None:
        self.protections.pop(branch, None)

    def ruleset(
        self,
        name: str,
        rules: Sequence[dict[str, Any]],
        *,
        enforcement: str = "active",
        include: Iterable[str] = ("~DEFAULT_BRANCH",),
        exclude: Iterable[str] = (),
        bypass_actors: Sequence[dict[str, Any]] = (),
        bypass: str = "never",
    ) -> Ruleset:
        """A ruleset; rules are `{"type": …, "parameters": {…}}`, missing parameters by default.

        `bypass` is what the asking account may: always, pull_requests_only, never or exempt.
        """
        names = {"ref_name": {"include": list(include), "exclude": list(exclude)}}
        number = 42 + len(self.rulesets)
        made = Ruleset(number, name, enforcement, names, list(rules), list(bypass_actors), bypass)
        self.rulesets.append(made)
        return made

    def check_run(
        self, sha: str, name: str, conclusion: str | None = "success", status: str = "completed"
    ) -> CheckRun:
        run = CheckRun(next(self._ids), sha, name, status, conclusion, self.now)
        self.check_runs.append(run)
        return run

    def comment(self, number: int, login: str, body: str) -> Comment:
        made = Comment(next(self._ids), self.people.need(login), body, self.now, self.now)
        self.pulls[number].comments.append(made)
        return made

    def set_status(
        self,
        sha: str,
        login: str,
        state: str,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
    ) -> Status:
        number, person = next(self._ids), self.people.need(login)
        made = Status(number, sha, state, context, description, target_url, person, self.now)
        self.statuses.append(made)
        return made

    def rename_repository(self, name: str) -> None:
        """The old name answers 301 from now on."""
        self.former_names.add(self.name)
        self.name = name

    def block(self, number: int, reason: str | None) -> None:
        """Refuse the merge with this sentence, as a rule of the branch would; None lifts it."""
        self.pulls[number].blocked = reason

    def computing(self, number: int, answers: int = 1) -> None:
        """Leave `mergeable` null for so many answers."""
        self.pulls[number].computing = answers

    def enqueue(self, number: int, method: MergeMethod = "merge") -> str:
        """Build a merge queue's commit on the branch's tip, or on what waits in its queue.

        Returns the name of the ref, `refs/heads/gh-readonly-queue/BASE/pr-N-SHA`.
        """
        pull = self.refreshed(self.pulls[number])
        bare = self._bare()
        prefix = f"refs/heads/gh-readonly-queue/{pull.base}/"
        form = "--format=%(refname)", "--sort=-committerdate"
        waiting = bare.must("for-each-ref", *form, prefix).split()
        onto = bare.commit_of(waiting[0]) if waiting else self._tip(pull.base)
        assert onto is not None
        made = self._merge_on(pull, onto, method, self.people.need("github-merge-queue[bot]"))
        assert made is not None, f"pull request {number} conflicts"
        ref = f"{prefix}pr-{number}-{onto}"
        assert bare.move(ref, made, ZERO)
        return ref

    def land(self, ref: str) -> str:
        """Move the base branch to a queue's commit and close the pull request as merged."""
        bare, number = self._bare(), int(ref.rpartition("/pr-")[2].partition("-")[0])
        pull, made = self.pulls[number], bare.commit_of(ref)
        old = self._tip(pull.base)
        assert made is not None
        assert old is not None
        assert bare.move(f"refs/heads/{pull.base}", made, old)
        bare.must("update-ref", "-d", ref)
        self._closed_as_merged(pull, made, self.people.need("github-merge-queue[bot]"))
        return made

    # ── the way in ───────────────────────────────────────────────────────────────────────────────

    def headers(self, answer: Answer) -> dict[str, str]:
        del answer
        left = next(self._left)
        return {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": f"0001:{5000 - left}",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Used": str(5000 - left),
            "X-RateLimit-Reset": str(int((self.now + timedelta(hours=1)).timestamp())),
            "X-RateLimit-Resource": "core",
            "Content-Type": "application/json; charset=utf-8",
        }

    def handle(self, request: Request) -> Answer:
        self._check_form(request)
        path = self._moved(request)
        found = find_route(self.routes, request.method, path)
        if path.startswith("/app/") and found is not None:
            return found[0].handler(request, *found[1])
        grant = self._grant(request)
        if found is None or not (grant.sees or not found[0].needs):
            refuse(404, message(404, "Not Found"))
        route, parts = found
        if not grant.allows(*route.needs):
            forbid(grant, *route.needs)
        return route.handler(request, grant, *parts)

    def _check_form(self, request: Request) -> None:
        if "user-agent" not in request.headers:
            text = b"Request forbidden by administrative rules. Please make sure your request has "
            refuse(403, text + b"a User-Agent header.", Content_Type="text/html")
        if request.headers.get("x-github-api-version", "2022-11-28") not in VERSIONS:
            refuse(400, message(400, "The requested API version is not supported."))
        if request.body:
            try:
                body = request.json
            except ValueError:
                body = None
            if not isinstance(body, dict):
                refuse(400, message(400, "Problems parsing JSON"))

    def _moved(self, request: Request) -> str:
        """The path after the root, with the repository's number turned into its name."""
        if not request.path.startswith(self.prefix + "/"):
            refuse(404, message(404, "Not Found"))
        path = request.path[len(self.prefix) :]
        numbered = f"/repositories/{self.repo_id}"
        if path == numbered or path.startswith(numbered + "/"):
            return f"/repos/{self.name}{path[len(numbered) :]}"
        for old in self.former_names:
            if path.startswith(f"/repos/{old}"):
                target = request.target.replace(f"/repos/{old}", numbered, 1)
                body = message(301, "Moved Permanently") | {"url": self.origin + target}
                refuse(301, body, Location=self.origin + target)
        return path

    def _grant(self, request: Request) -> Grant:
        """Everything needs a token here: the repository is private."""
        token = bearer(request)
        if token is None:
            refuse(401, message(401, "Requires authentication"))
        grant = self.grants.get(token)
        ended = grant is not None and grant.expires is not None and grant.expires <= self.now
        if grant is None or ended or grant.person.deleted:
            refuse(401, message(401, "Bad credentials"))
        return grant
