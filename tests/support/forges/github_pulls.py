"""Pull requests, their reviews, commits, files and comments.

Sources: the pages "pulls", "reviews" and "issue comments" of the REST API, version 2022-11-28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges.github_answers import Answers
from forges.github_auth import message
from forges.web import Answer, Request, refuse

if TYPE_CHECKING:
    from forges.github_auth import Grant
    from forges.github_state import Pull

DOCS = "https://docs.github.com/rest/pulls/pulls"
COMMENT_LIMIT = 65_536


class PullEndpoints(Answers):
    """One method for each endpoint."""

    def pulls(self, request: Request, grant: Grant, owner: str, repo: str) -> Answer:
        del grant
        self._ours(owner, repo)
        found = [self.stub.refreshed(one) for one in self.stub.pulls.values()]
        kept = [one for one in found if self._asked_for(one, request.query)]
        by = request.query.get("sort", "created")
        order = request.query.get("direction") or ("desc" if by == "created" else "asc")
        kept.sort(
            key=lambda one: (one.updated if by == "updated" else one.created, one.number),
            reverse=order == "desc",
        )
        return self._page(request, [self.stub.views.pull_simple(one) for one in kept])

    def _asked_for(self, pull: Pull, query: dict[str, str]) -> bool:
        owner = self.stub.name.partition("/")[0]
        state = query.get("state", "open")
        right_state = state in {"all", pull.state}
        # Without an owner before the branch the parameter is ignored.
        head = query.get("head", "")
        right_head = ":" not in head or head == f"{owner}:{pull.head}"
        return right_state and right_head and query.get("base", pull.base) == pull.base

    def open_pull(self, request: Request, grant: Grant, owner: str, repo: str) -> Answer:
        self._ours(owner, repo)
        stub, body = self.stub, request.json
        for field in ("title", "head", "base"):
            if not isinstance(body.get(field), str):
                self._invalid("PullRequest", field, "missing_field")
        head, base = body["head"].removeprefix(f"{owner}:"), body["base"]
        for field, branch in (("base", base), ("head", head)):
            if stub.bare is not None and stub.bare.branch(branch) is None:
                self._invalid("PullRequest", field, "invalid")
        self._check_new(owner, head, base)
        text, draft = body.get("body"), bool(body.get("draft"))
        author = grant.person.login
        pull = stub.open_pull(
            head, base, author=author, title=body["title"], body=text, draft=draft
        )
        shown = stub.views.pull(pull)
        return Answer(201, shown, {"Location": shown["url"]})

    def _check_new(self, owner: str, head: str, base: str) -> None:
        stub = self.stub
        same = [one for one in stub.pulls.values() if (one.head, one.base) == (head, base)]
        if any(one.state == "open" for one in same):
            text = f"A pull request already exists for {owner}:{head}."
            self._invalid("PullRequest", "", "custom", text)
        if stub.bare is not None and not stub.bare.between(f"refs/heads/{base}", head):
            text = f"No commits between {base} and {head}"
            self._invalid("PullRequest", "", "custom", text)

    def pull(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        del request, grant
        return Answer(200, self.stub.views.pull(self._pull(owner, repo, number)))

    def edit_pull(
        self, request: Request, grant: Grant, owner: str, repo: str, number: str
    ) -> Answer:
        pull, body = self._pull(owner, repo, number), request.json
        state = body.get("state", pull.state)
        if state not in {"open", "closed"} or (state == "open" and pull.merged is not None):
            self._invalid("PullRequest", "state", "invalid")
        pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
        if body.get("base", pull.base) != pull.base:
            self.stub.retarget(pull.number, body["base"], grant.person.login)
        if state != pull.state:
            pull.state, pull.closed = state, self.stub.now if state == "closed" else None
        pull.updated = self.stub.now
        return Answer(200, self.stub.views.pull(self.stub.refreshed(pull)))

    def merge(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        pull = self._pull(owner, repo, number)
        body = request.json if request.body else {}
        docs = f"{DOCS}#merge-a-pull-request"
        if body.get("sha", pull.head_sha) != pull.head_sha:
            text = "Head branch was modified. Review and try the merge again."
            refuse(409, message(409, text, docs))
        method = body.get("merge_method", "merge")
        if method not in {"merge", "squash", "rebase"}:
            self._invalid("PullRequest", "merge_method", "invalid")
        refusal = self._merge_refusal(pull, method)
        words = body.get("commit_title"), body.get("commit_message")
        made = refusal or self.stub.merge(pull, method, grant.person, *words)
        if refusal or made is None:
            refuse(405, message(405, refusal or "Pull Request is not mergeable", docs))
        done = "Pull Request successfully merged"
        return Answer(200, {"sha": made, "merged": True, "message": done})

    def _merge_refusal(self, pull: Pull, method: str) -> str | None:
        if pull.state == "closed":
            return "Pull Request is not mergeable"
        if pull.draft:
            return "Pull Request is still a draft"
        switch = {"merge": "allow_merge_commit"}.get(method, f"allow_{method}_merge")
        if not self.stub.settings.get(switch, True):
            plural = {
                "merge": "Merge commits",
                "squash": "Squash merges",
                "rebase": "Rebase merges",
            }
            return f"{plural[method]} are not allowed on this repository."
        return pull.blocked

    def reviews(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        """In the order of time; a review that is not submitted is its author's alone."""
        pull = self._pull(owner, repo, number)
        shown = [
            one for one in pull.reviews if one.state != "PENDING" or one.person is grant.person
        ]
        return self._page(request, [self.stub.views.review(pull, one) for one in shown])

    def commits(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        del grant
        found = self.stub.commits_of(self._pull(owner, repo, number))
        return self._page(request, [self.stub.views.commit(one) for one in found])

    def files(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        del grant
        pull = self._pull(owner, repo, number)
        found = self.stub.files_of(pull)
        return self._page(request, [self.stub.views.file(one, pull.head_sha) for one in found])

    def events(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        del grant
        pull = self._pull(owner, repo, number)
        return self._page(request, [self.stub.views.event(one) for one in pull.events])

    def comments(
        self, request: Request, grant: Grant, owner: str, repo: str, number: str
    ) -> Answer:
        del grant
        pull = self._pull(owner, repo, number)
        shown = [self.stub.views.comment(pull.number, one) for one in pull.comments]
        return self._page(request, shown)

    def comment(self, request: Request, grant: Grant, owner: str, repo: str, number: str) -> Answer:
        pull, text = self._pull(owner, repo, number), self._text(request)
        made = self.stub.comment(pull.number, grant.person.login, text)
        shown = self.stub.views.comment(pull.number, made)
        return Answer(201, shown, {"Location": shown["url"]})

    def edit_comment(
        self, request: Request, grant: Grant, owner: str, repo: str, number: str
    ) -> Answer:
        del grant
        self._ours(owner, repo)
        pulls = self.stub.pulls.values()
        everywhere = {str(one.id): (pull.number, one) for pull in pulls for one in pull.comments}
        found = everywhere.get(number)
        if found is None:
            refuse(404, message(404, "Not Found"))
        found[1].body, found[1].updated = self._text(request), self.stub.now
        return Answer(200, self.stub.views.comment(*found))

    def _text(self, request: Request) -> str:
        text = request.json.get("body")
        if not isinstance(text, str) or not text.strip():
            self._invalid("IssueComment", "body", "missing_field")
        if len(text) > COMMENT_LIMIT:
            sentence = f"Body is too long (maximum is {COMMENT_LIMIT} characters)"
            self._invalid("IssueComment", "data", "unprocessable", sentence)
        return str(text)
