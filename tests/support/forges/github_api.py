"""The endpoints of GitHub's REST API that the stub answers.

Source: the published OpenAPI description, version 2022-11-28; SOURCE.md names the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges.github_answers import Answers
from forges.github_auth import Grant, an_hour_after, bearer, check_app_token, message
from forges.github_commits import CommitEndpoints
from forges.github_pulls import PullEndpoints
from forges.github_state import stamp
from forges.published import render
from forges.web import Answer, Request, Route, refuse, route

if TYPE_CHECKING:
    from forges.github import GitHubStub

# A pull request is an issue as well: either permission will do.
COMMENTS = "issues:write|pull_requests:write"


def routes(stub: GitHubStub) -> list[Route]:
    """The table; the first that fits is taken, so the longer paths stand before the shorter."""
    people, pulls, commits = PeopleEndpoints(stub), PullEndpoints(stub), CommitEndpoints(stub)
    repo = "/repos/{owner}/{repo}"
    return [
        route("POST", "/app/installations/{id}/access_tokens", people.installation_token, ""),
        route("GET", "/user", people.me, ""),
        route("GET", "/user/{id}", people.user_by_id, ""),
        route("GET", "/users/{login}", people.user, ""),
        route("GET", repo, commits.repository),
        route("GET", f"{repo}/pulls", pulls.pulls, "pull_requests:read"),
        route("POST", f"{repo}/pulls", pulls.open_pull, "pull_requests:write"),
        route("GET", f"{repo}/pulls/{{n}}", pulls.pull, "pull_requests:read"),
        route("PATCH", f"{repo}/pulls/{{n}}", pulls.edit_pull, "pull_requests:write"),
        route("PUT", f"{repo}/pulls/{{n}}/merge", pulls.merge, "contents:write"),
        route("GET", f"{repo}/pulls/{{n}}/reviews", pulls.reviews, "pull_requests:read"),
        route("GET", f"{repo}/pulls/{{n}}/commits", pulls.commits, "pull_requests:read"),
        route("GET", f"{repo}/pulls/{{n}}/files", pulls.files, "pull_requests:read"),
        route("GET", f"{repo}/commits/{{s}}/pulls", commits.pulls_of_commit, "pull_requests:read"),
        route("GET", f"{repo}/commits/{{s+}}/status", commits.combined_status, "statuses:read"),
        route("GET", f"{repo}/commits/{{s+}}/check-runs", commits.check_runs, "checks:read"),
        route("POST", f"{repo}/statuses/{{s}}", commits.set_status, "statuses:write"),
        route(
            "GET", f"{repo}/issues/{{n}}/comments", pulls.comments, "issues:read|pull_requests:read"
        ),
        route("GET", f"{repo}/issues/{{n}}/events", pulls.events, "issues:read|pull_requests:read"),
        route("POST", f"{repo}/issues/{{n}}/comments", pulls.comment, COMMENTS),
        route("PATCH", f"{repo}/issues/comments/{{id}}", pulls.edit_comment, COMMENTS),
        route(
            "GET", f"{repo}/branches/{{b+}}/protection", commits.protection, "administration:read"
        ),
        route("GET", f"{repo}/branches/{{b+}}", commits.branch, "contents:read"),
        route("GET", f"{repo}/rules/branches/{{b+}}", commits.rules),
        route("GET", f"{repo}/rulesets", commits.rulesets),
        route("GET", f"{repo}/rulesets/{{id}}", commits.ruleset),
    ]


class PeopleEndpoints(Answers):
    """Accounts and installations."""

    def installation_token(self, request: Request, number: str) -> Answer:
        stub = self.stub
        token = bearer(request)
        if token is None or stub.public_key is None:
            refuse(401, message(401, "A JSON web token could not be decoded"))
        check_app_token(token, stub.public_key, stub.app_id, stub.now)
        permissions = stub.installations.get(int(number) if number.isdecimal() else -1)
        if permissions is None:
            refuse(404, message(404, "Not Found"))
        asked = (request.json if request.body else {}).get("permissions", permissions)
        return self._installed(asked, permissions)

    def _installed(self, asked: dict[str, str], permissions: dict[str, str]) -> Answer:
        if not asked.items() <= permissions.items():
            text = "The permissions requested are not granted to this installation."
            refuse(422, message(422, text))
        stub, ends = self.stub, an_hour_after(self.stub.now)
        made = f"ghs_{len(stub.grants)}"
        stub.grants[made] = Grant(stub.me, asked, app=True, expires=ends)
        body = render("github/installation_token", token=made)
        return Answer(201, body | {"expires_at": stamp(ends), "permissions": asked})

    def me(self, request: Request, grant: Grant) -> Answer:
        """An installation is nobody."""
        del request
        if grant.app:
            refuse(403, message(403, "Resource not accessible by integration"))
        return Answer(200, self.stub.views.public_user(grant.person))

    def user(self, request: Request, grant: Grant, login: str) -> Answer:
        del request, grant
        person = self.stub.people.find(login)
        if person is None:
            refuse(404, message(404, "Not Found"))
        return Answer(200, self.stub.views.public_user(person))

    def user_by_id(self, request: Request, grant: Grant, number: str) -> Answer:
        del request, grant
        person = self.stub.people.numbered(int(number)) if number.isdecimal() else None
        if person is None:
            refuse(404, message(404, "Not Found"))
        return Answer(200, self.stub.views.public_user(person))
