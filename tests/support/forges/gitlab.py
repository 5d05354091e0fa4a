"""A stub of GitLab's REST API over one project, to be set up by tests with plain methods.

Written from the published documentation alone, like the stub of GitHub. The two forges differ where
it hurts: an approval here names no commit, a list is paged by other headers, the kind of an account
is told in one place only, and a limit is told in plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forges import gitlab_api
from forges.gitlab_facts import ZERO, GitLabFacts
from forges.gitlab_state import Approval, CommitStatus, Grant, MergeRequest, Note
from forges.web import Answer, Request, find_route, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from forges.people import Person
    from forges.published import Json


class GitLabStub(GitLabFacts):
    """GitLab with one project. `repository` is the bare repository behind it, if any.

    `token` is that of the account `me`, a maintainer with the scope `api`; `token_for` makes
    others. With `tier="free"` the endpoints of the paid editions are not there.
    """

    def __init__(
        self,
        repository: Path | None = None,
        *,
        path: str = "group/estate",
        me: str = "reconciler",
        tier: Literal["free", "premium"] = "premium",
    ) -> None:
        super().__init__(repository, path, tier)
        self.me = self.people.add(me, bot=True)
        self.token = "glpat-token"
        self.grants = {self.token: Grant(self.me)}
        self.former_paths: set[str] = set()
        self.routes = gitlab_api.routes(self)

    # ── what tests set up ────────────────────────────────────────────────────────────────────────

    def person(
        self,
        username: str,
        *,
        id: int | None = None,  # noqa: A002 - the API's own name
        bot: bool = False,
        name: str | None = None,
        email: str | None = None,
    ) -> Person:
        return self.people.add(username, id=id, bot=bot, name=name, email=email)

    def rename_user(self, username: str, new: str) -> Person:
        person = self.people.need(username)
        person.login = new
        return person

    def block_user(self, username: str) -> Person:
        """Still there, with another `state`; tokens are dead, approvals stay."""
        person = self.people.need(username)
        person.blocked = True
        return person

    def delete_user(self, username: str) -> Person:
        """Merge requests and notes go to the ghost; approvals are not kept."""
        person = self.people.need(username)
        for one in self.merge_requests.values():
            one.approvals = [each for each in one.approvals if each.person is not person]
        person.deleted = True
        return person

    def token_for(
        self,
        username: str,
        *,
        scope: Literal["api", "read_api"] = "read_api",
        level: int | None = 30,
        expires: datetime | None = None,
    ) -> str:
        """A token with a scope and a role (30 developer, 40 maintainer; None: no member)."""
        token = f"glpat-{len(self.grants)}"
        self.grants[token] = Grant(self.people.need(username), scope, level, expires)
        return token

    def open_merge_request(
        self,
        source: str,
        target: str = "main",
        *,
        author: str = "data-scientist",
        title: str | None = None,
        description: str | None = None,
        at: datetime | None = None,
        sha: str | None = None,
    ) -> MergeRequest:
        """A merge request of a branch, with its first version."""
        iid = max(self.merge_requests, default=0) + 1
        time, person = at or self.now, self.people.need(author)
        head = sha or self.tip(source) or ZERO
        one = MergeRequest(
            iid, person, title or source, description, source, target, head, time, time
        )
        self.pushed(one, head)
        self.merge_requests[iid] = one
        return one

    def approve(self, iid: int, username: str, *, at: datetime | None = None) -> Approval:
        """An approval of what is there now, with the system note that says so."""
        one, person = self.refreshed(self.merge_requests[iid]), self.people.need(username)
        approval = Approval(person, at or self.now)
        one.approvals.append(approval)
        said = self.note(one, person, "approved this merge request", system=True)
        said.created = said.updated = approval.at
        return approval

    def unapprove(self, iid: int, username: str) -> None:
        one, person = self.merge_requests[iid], self.people.need(username)
        one.approvals = [each for each in one.approvals if each.person is not person]
        self.note(one, person, "unapproved this merge request", system=True)

    def new_version(self, iid: int, sha: str | None = None) -> None:
        """Look at the source branch now; without a repository the new head is given.

        Requests do the same on their own, with `now` as the time of the version.
        """
        one = self.merge_requests[iid]
        if sha is None:
            self.refreshed(one)
        else:
            self.pushed(one, sha)

    def retarget(self, iid: int, target: str, username: str) -> None:
        """Another target for the same branch: another version of the same head, and a note."""
        one = self.merge_requests[iid]
        old, one.target = one.target, target
        self.compared(one, one.sha)
        text = f"changed target branch from `{old}` to `{target}`"
        self.note(one, self.people.need(username), text, system=True)

    def comment(self, iid: int, username: str, body: str, *, system: bool = False) -> Note:
        return self.note(self.merge_requests[iid], self.people.need(username), body, system=system)

    def set_status(self, sha: str, username: str, status: str, name: str = "default") -> None:
        person = self.people.need(username)
        made = CommitStatus(next(self.ids), sha, status, name, None, None, None, person, self.now)
        self.statuses.append(made)

    def protect(self, branch: str = "main", **fields: Json) -> None:
        """A protected branch (or wildcard) with the documented fields."""
        self.protections[branch] = fields

    def approval_rule(
        self, name: str, required: int, usernames: Iterable[str] = (), **fields: Json
    ) -> None:
        """A rule of the project; without names anybody counts (`rule_type` `any_approver`)."""
        users = [self.views.user(self.people.need(one)) for one in usernames]
        kind = "regular" if users else "any_approver"
        people = {"users": users, "eligible_approvers": users, "rule_type": kind}
        number = len(self.approval_rules) + 1
        facts = {"name": name, "approvals_required": required, **people, **fields}
        self.approval_rules.append(self.views.approval_rule(number, facts))

    def block(self, iid: int, status: str | None = "not_approved") -> None:
        """Refuse the merge with this `detailed_merge_status`; None lifts it."""
        self.merge_requests[iid].status = status

    def checking(self, iid: int, answers: int = 1) -> None:
        """Leave the merge status at `checking` for so many answers."""
        self.merge_requests[iid].checking = answers

    def rename_project(self, path: str) -> None:
        """The old path answers 301 to the number from now on."""
        self.former_paths.add(self.path)
        self.path = path

    # ── the way in ───────────────────────────────────────────────────────────────────────────────

    def headers(self, answer: Answer) -> dict[str, str]:
        del answer
        return {
            "Cache-Control": "max-age=0, private, must-revalidate",
            "Vary": "Origin",
            "X-Request-Id": f"01{next(self.ids):024}",
            "X-Runtime": "0.108688",
        }

    def handle(self, request: Request) -> Answer:
        if not request.path.startswith(self.prefix + "/"):
            refuse(404, {"error": "404 Not Found"})
        path = request.path[len(self.prefix) :]
        found = find_route(self.routes, request.method, path)
        if found is None:
            refuse(404, {"error": "404 Not Found"})
        grant = self._grant(request)
        route, parts = found
        if ("paid", "") in route.needs and self.tier == "free":
            refuse(404, {"error": "404 Not Found"})
        if path.startswith("/projects/"):
            self._check_project(request, grant, parts.pop(0))
        return route.handler(request, grant, *parts)

    def _grant(self, request: Request) -> Grant:
        """A `PRIVATE-TOKEN`, or the same as a bearer; the scope is looked at before all else."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        given = request.headers.get("private-token") or (token if kind == "Bearer" else None)
        grant = self.grants.get(given or "")
        if grant is None or grant.person.deleted or grant.person.blocked:
            refuse(401, {"message": "401 Unauthorized"})
        if grant.expires is not None and grant.expires <= self.now:
            text = "Token is expired. You can either do re-authorization or token refresh."
            refuse(401, {"error": "invalid_token", "error_description": text})
        if request.is_write and grant.scope != "api":
            text = "The request requires higher privileges than provided by the access token."
            refuse(403, {"error": "insufficient_scope", "error_description": text, "scope": "api"})
        return grant

    def _check_project(self, request: Request, grant: Grant, name: str) -> None:
        if name in self.former_paths:
            old = request.path.split("/projects/", 1)[1].split("/", 1)[0]
            numbered = f"/projects/{self.project_id}"
            target = self.origin + request.target.replace(f"/projects/{old}", numbered, 1)
            text = f"This resource has been moved permanently to {target}"
            refuse(301, text.encode(), Location=target, Content_Type="text/plain")
        if grant.level is None or name not in {self.path, str(self.project_id)}:
            refuse(404, {"message": "404 Project Not Found"})
