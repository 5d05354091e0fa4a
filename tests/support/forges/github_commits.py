"""The repository itself: commits and what is said about them, branches and the rules on them.

Sources: the pages "commit statuses", "check runs", "branches", "branch protection" and "rules" of
the REST API, version 2022-11-28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges.github_answers import Answers
from forges.github_auth import message
from forges.web import Answer, Request, page_of, refuse

if TYPE_CHECKING:
    from forges.github_auth import Grant
    from forges.github_state import Pull, Status

STATES = {"error", "failure", "pending", "success"}
DESCRIPTION_LIMIT = 140


class CommitEndpoints(Answers):
    """One method for each endpoint."""

    def repository(self, request: Request, grant: Grant, owner: str, repo: str) -> Answer:
        del request, grant
        self._ours(owner, repo)
        return Answer(200, self.stub.views.full_repository())

    def pulls_of_commit(
        self, request: Request, grant: Grant, owner: str, repo: str, sha: str
    ) -> Answer:
        """The merged one that brought it into the default branch, or all that have it."""
        del grant
        self._ours(owner, repo)
        commit = self._commit(sha)
        stub = self.stub
        found = [one for one in map(stub.refreshed, stub.pulls.values()) if self._has(one, commit)]
        landed = stub.bare is not None and stub.bare.is_ancestor(
            commit, f"refs/heads/{stub.default_branch}"
        )
        kept = [one for one in found if one.merged is not None or not landed]
        return self._page(request, [stub.views.pull_simple(one) for one in kept])

    def _has(self, pull: Pull, commit: str) -> bool:
        own = commit in {pull.merge_commit_sha, pull.head_sha}
        return own or any(one.sha == commit for one in self.stub.commits_of(pull))

    def combined_status(
        self, request: Request, grant: Grant, owner: str, repo: str, ref: str
    ) -> Answer:
        """The newest of each context; pending without any."""
        del grant
        self._ours(owner, repo)
        sha, stub = self._commit(ref), self.stub
        latest: dict[str, Status] = {}
        for one in (one for one in stub.statuses if one.sha == sha):
            latest[one.context] = one
        page, size = page_of(request, 30)
        shown = list(latest.values())[(page - 1) * size : page * size]
        url = f"{stub.url}/repos/{stub.name}/commits/{sha}"
        body = {
            "state": _combined({one.state for one in latest.values()}),
            "statuses": [stub.views.simple_status(one) for one in shown],
            "sha": sha,
            "total_count": len(latest),
            "repository": stub.views.repository(),
            "commit_url": url,
            "url": f"{url}/status",
        }
        return Answer(200, body, self._links(request, len(latest)))

    def check_runs(self, request: Request, grant: Grant, owner: str, repo: str, ref: str) -> Answer:
        del grant
        self._ours(owner, repo)
        sha = self._commit(ref)
        wanted = request.query.get("check_name")
        found = [one for one in self.stub.check_runs if one.sha == sha]
        kept = [one for one in found if wanted in {None, one.name}]
        page, size = page_of(request, 30)
        shown = [self.stub.views.check_run(one) for one in kept[(page - 1) * size : page * size]]
        body = {"total_count": len(kept), "check_runs": shown}
        return Answer(200, body, self._links(request, len(kept)))

    def set_status(self, request: Request, grant: Grant, owner: str, repo: str, sha: str) -> Answer:
        self._ours(owner, repo)
        commit, body = self._commit(sha), request.json
        if body.get("state") not in STATES:
            self._invalid("Status", "state", "custom", "State is not included in the list")
        description = body.get("description")
        if description is not None and len(description) > DESCRIPTION_LIMIT:
            text = "description is too long (maximum is 140 characters)"
            self._invalid("Status", "description", "custom", text)
        context, target = body.get("context", "default"), body.get("target_url")
        login = grant.person.login
        made = self.stub.set_status(commit, login, body["state"], context, description, target)
        return Answer(201, self.stub.views.status(made))

    def branch(self, request: Request, grant: Grant, owner: str, repo: str, name: str) -> Answer:
        del request, grant
        self._ours(owner, repo)
        tip = None if self.stub.bare is None else self.stub.bare.branch(name)
        if tip is None or self.stub.bare is None:
            refuse(404, message(404, "Branch not found"))
        return Answer(200, self.stub.views.branch(name, self.stub.bare.read(tip)))

    def protection(
        self, request: Request, grant: Grant, owner: str, repo: str, name: str
    ) -> Answer:
        del request, grant
        self._ours(owner, repo)
        docs = "https://docs.github.com/rest/branches/branch-protection#get-branch-protection"
        if self.stub.bare is not None and self.stub.bare.branch(name) is None:
            refuse(404, message(404, "Branch not found", docs))
        fields = self.stub.protections.get(name)
        if fields is None:
            refuse(404, message(404, "Branch not protected", docs))
        return Answer(200, self.stub.views.protection(name, fields))

    def rules(self, request: Request, grant: Grant, owner: str, repo: str, name: str) -> Answer:
        """Also for a branch that does not exist; classic protection is not among them."""
        del grant
        self._ours(owner, repo)
        return self._page(request, self.stub.rules_for(name))

    def rulesets(self, request: Request, grant: Grant, owner: str, repo: str) -> Answer:
        del grant
        self._ours(owner, repo)
        return self._page(request, [self.stub.views.ruleset(one) for one in self.stub.rulesets])

    def ruleset(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        del request
        self._ours(owner, repo)
        editor = grant.allows(("administration", "write"))
        found = next((one for one in self.stub.rulesets if str(one.id) == number), None)
        if found is None:
            refuse(404, message(404, "Not Found"))
        return Answer(200, self.stub.views.full_ruleset(found, editor=editor))


def _combined(states: set[str]) -> str:
    """Failure if any failed or broke; pending if any waits or there is none; else success."""
    if states & {"error", "failure"}:
        return "failure"
    return "pending" if not states or "pending" in states else "success"
