"""The endpoints of GitLab's REST API that the stub answers.

Source: the pages of "REST API resources" that `published/SOURCE.md` names. The order of refusals of
a merge is GitLab's own: 401, 409, 405, 422.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from forges.gitlab_state import CommitStatus, MergeRequest
from forges.web import Answer, Request, Route, links, page_of, refuse, route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forges.gitlab import GitLabStub
    from forges.gitlab_state import Grant, Note
    from forges.published import Json

NOTE_LIMIT = 1_000_000
STATES = {"pending", "running", "success", "failed", "canceled", "skipped"}


def routes(stub: GitLabStub) -> list[Route]:
    """The table; `paid` marks what the free edition has not."""
    api = Endpoints(stub)
    project, paid = "/projects/{id}", "paid:"
    one = f"{project}/merge_requests/{{iid}}"
    return [
        route("GET", "/user", api.me),
        route("GET", "/users", api.users),
        route("GET", "/users/{id}", api.user),
        route("GET", project, api.project),
        route("GET", f"{project}/merge_requests", api.merge_requests),
        route("POST", f"{project}/merge_requests", api.open_merge_request),
        route("GET", one, api.merge_request),
        route("PUT", one, api.edit),
        route("PUT", f"{one}/merge", api.merge),
        route("POST", f"{one}/approve", api.approve),
        route("POST", f"{one}/unapprove", api.unapprove),
        route("GET", f"{one}/approvals", api.approvals),
        route("GET", f"{one}/approval_state", api.approval_state, paid),
        route("GET", f"{one}/versions", api.versions),
        route("GET", f"{one}/commits", api.commits),
        route("GET", f"{one}/notes", api.notes),
        route("POST", f"{one}/notes", api.add_note),
        route("PUT", f"{one}/notes/{{note}}", api.edit_note),
        route("GET", f"{project}/repository/commits/{{sha}}/merge_requests", api.of_commit),
        route("GET", f"{project}/repository/commits/{{sha}}/statuses", api.statuses),
        route("POST", f"{project}/statuses/{{sha}}", api.set_status),
        route("GET", f"{project}/protected_branches", api.protected_branches),
        route("GET", f"{project}/protected_branches/{{name}}", api.protected_branch),
        route("GET", f"{project}/approvals", api.approval_settings, paid),
        route("GET", f"{project}/approval_rules", api.approval_rules, paid),
        route("GET", f"{project}/push_rule", api.push_rule, paid),
    ]


class Endpoints:
    """One method for each endpoint."""

    def __init__(self, stub: GitLabStub) -> None:
        self.stub = stub

    # ── people and the project ───────────────────────────────────────────────────────────────────

    def me(self, request: Request, grant: Grant) -> Answer:
        del request
        return Answer(200, self.stub.views.full_user(grant.person))

    def users(self, request: Request, grant: Grant) -> Answer:
        """By name: a list of one or of none, never a 404."""
        del grant
        wanted, people = request.query.get("username"), self.stub.people
        named = [] if wanted is None else [people.find(wanted)]
        living = [one for one in people.all if not one.deleted] if wanted is None else named
        return self._page(request, [self.stub.views.user(one) for one in living if one])

    def user(self, request: Request, grant: Grant, number: str) -> Answer:
        del request, grant
        person = self.stub.people.numbered(int(number)) if number.isdecimal() else None
        if person is None:
            refuse(404, {"message": "404 User Not Found"})
        return Answer(200, self.stub.views.full_user(person))

    def project(self, request: Request, grant: Grant) -> Answer:
        del request
        return Answer(200, self.stub.views.project(grant))

    # ── merge requests ───────────────────────────────────────────────────────────────────────────

    def merge_requests(self, request: Request, grant: Grant) -> Answer:
        del grant
        stub, query = self.stub, request.query
        found = [stub.refreshed(one) for one in stub.merge_requests.values()]
        kept = [one for one in found if _asked_for(one, query)]
        by_update = query.get("order_by") == "updated_at"
        kept.sort(
            key=lambda one: (one.updated if by_update else one.created, one.iid),
            reverse=query.get("sort", "desc") == "desc",
        )
        return self._page(request, [stub.views.basic(one) for one in kept])

    def open_merge_request(self, request: Request, grant: Grant) -> Answer:
        stub, body = self.stub, self._body(request)
        missing = [
            name for name in ("source_branch", "target_branch", "title") if not body.get(name)
        ]
        if missing:
            refuse(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        source, target = body["source_branch"], body["target_branch"]
        for one in stub.merge_requests.values():
            if (one.source, one.target, one.state) == (source, target, "opened"):
                text = (
                    f"Another open merge request already exists for this source branch: !{one.iid}"
                )
                refuse(409, {"message": [text]})
        if stub.bare is not None and stub.tip(source) is None:
            refuse(400, {"message": {"source_branch": ["does not exist"]}})
        author, words = grant.person.login, body.get("description")
        made = stub.open_merge_request(
            source, target, author=author, title=body["title"], description=words
        )
        return Answer(201, stub.views.merge_request(made, grant))

    def merge_request(self, request: Request, grant: Grant, iid: str) -> Answer:
        del request
        return Answer(200, self.stub.views.merge_request(self._one(iid), grant))

    def edit(self, request: Request, grant: Grant, iid: str) -> Answer:
        one, body = self._one(iid), self._body(request)
        if not {"title", "description", "target_branch", "state_event", "squash"} & body.keys():
            text = "title, state_event are missing, at least one parameter must be provided"
            refuse(400, {"error": text})
        self._turn(one, body.get("state_event"), grant)
        one.title = body.get("title", one.title)
        if body.get("target_branch", one.target) != one.target:
            self.stub.retarget(one.iid, body["target_branch"], grant.person.login)
        one.description = body.get("description", one.description)
        one.squash, one.updated = bool(body.get("squash", one.squash)), self.stub.now
        return Answer(200, self.stub.views.merge_request(one, grant))

    def _turn(self, one: MergeRequest, event: str | None, grant: Grant) -> None:
        if event not in {None, "close", "reopen"}:
            refuse(400, {"error": "state_event does not have a valid value"})
        if event == "close" and one.state == "opened":
            one.state, one.closed, one.closed_by = "closed", self.stub.now, grant.person
            self.stub.note(one, grant.person, "closed", system=True)
        if event == "reopen" and one.state == "closed":
            one.state, one.closed, one.closed_by = "opened", None, None

    def merge(self, request: Request, grant: Grant, iid: str) -> Answer:
        stub, one, body = self.stub, self._one(iid), self._body(request)
        if not stub.may_merge(one, grant):
            refuse(401, {"message": "401 Unauthorized"})
        self._check_sha(one, body)
        if body.get("squash"):
            one.squash = True
        if stub.status_of(one) != "mergeable":
            refuse(405, {"message": "405 Method Not Allowed"})
        words = body.get("merge_commit_message"), body.get("squash_commit_message")
        if not stub.merge(one, grant.person, *words):
            refuse(422, {"message": "Branch cannot be merged"})
        if body.get("should_remove_source_branch") and stub.bare is not None:
            stub.bare.must("update-ref", "-d", f"refs/heads/{one.source}")
        return Answer(200, stub.views.merge_request(one, grant))

    def _check_sha(self, one: MergeRequest, body: dict[str, Json]) -> None:
        if body.get("sha", one.sha) != one.sha:
            text = f"SHA does not match HEAD of source branch: {one.sha}"
            refuse(409, {"message": text})

    # ── approvals ────────────────────────────────────────────────────────────────────────────────

    def approve(self, request: Request, grant: Grant, iid: str) -> Answer:
        one = self._one(iid)
        self._check_sha(one, self._body(request))
        own = one.author is grant.person
        allowed = self.stub.approval_settings.get("merge_requests_author_approval", False)
        again = any(each.person is grant.person for each in one.approvals)
        if again or one.state != "opened" or (own and not allowed):
            refuse(401, {"message": "401 Unauthorized"})
        self.stub.approve(one.iid, grant.person.login)
        return Answer(201, self.stub.views.approvals(one, grant))

    def unapprove(self, request: Request, grant: Grant, iid: str) -> Answer:
        del request
        one = self._one(iid)
        if all(each.person is not grant.person for each in one.approvals):
            refuse(404, {"message": "404 Not found"})
        self.stub.unapprove(one.iid, grant.person.login)
        return Answer(201, self.stub.views.approvals(one, grant))

    def approvals(self, request: Request, grant: Grant, iid: str) -> Answer:
        del request
        return Answer(200, self.stub.views.approvals(self._one(iid), grant))

    def approval_state(self, request: Request, grant: Grant, iid: str) -> Answer:
        del request, grant
        return Answer(200, self.stub.views.approval_state(self._one(iid)))

    def approval_settings(self, request: Request, grant: Grant) -> Answer:
        del request
        if (grant.level or 0) < 40:
            refuse(403, {"message": "403 Forbidden"})
        return Answer(200, self.stub.views.approval_settings())

    def approval_rules(self, request: Request, grant: Grant) -> Answer:
        del grant
        return self._page(request, self.stub.approval_rules)

    def push_rule(self, request: Request, grant: Grant) -> Answer:
        del request, grant
        return Answer(200, self.stub.views.push_rule())

    # ── versions, commits, notes ─────────────────────────────────────────────────────────────────

    def versions(self, request: Request, grant: Grant, iid: str) -> Answer:
        """Newest first."""
        del grant
        one = self._one(iid)
        shown = [self.stub.views.version(one, each) for each in reversed(one.versions)]
        return self._page(request, shown)

    def commits(self, request: Request, grant: Grant, iid: str) -> Answer:
        del grant
        found = self.stub.commits_of(self._one(iid))
        return self._page(request, [self.stub.views.commit(each) for each in found])

    def notes(self, request: Request, grant: Grant, iid: str) -> Answer:
        """Newest first unless asked otherwise; what the system noted is among them."""
        del grant
        one, query = self._one(iid), request.query
        by_update = query.get("order_by") == "updated_at"
        found = sorted(
            one.notes,
            key=lambda each: (each.updated if by_update else each.created, each.id),
            reverse=query.get("sort", "desc") == "desc",
        )
        return self._page(request, [self.stub.views.note(one, each) for each in found])

    def add_note(self, request: Request, grant: Grant, iid: str) -> Answer:
        one = self._one(iid)
        made = self.stub.note(one, grant.person, self._text(request))
        return Answer(201, self.stub.views.note(one, made))

    def edit_note(self, request: Request, grant: Grant, iid: str, number: str) -> Answer:
        one = self._one(iid)
        found = next((each for each in one.notes if str(each.id) == number), None)
        if found is None:
            refuse(404, {"message": "404 Not found"})
        self._check_editor(found, grant)
        found.body, found.updated = self._text(request), self.stub.now
        return Answer(200, self.stub.views.note(one, found))

    def _check_editor(self, note: Note, grant: Grant) -> None:
        """One's own, or anybody's for a maintainer; the system's for nobody."""
        if note.system or (note.person is not grant.person and (grant.level or 0) < 40):
            refuse(403, {"message": "403 Forbidden"})

    def _text(self, request: Request) -> str:
        text = self._body(request).get("body")
        if not isinstance(text, str):
            refuse(400, {"error": "body is missing"})
        if len(text) > NOTE_LIMIT:
            why = f"is too long (maximum is {NOTE_LIMIT} characters)"
            refuse(400, {"message": {"note": [why]}})
        return text

    # ── commits of the repository ────────────────────────────────────────────────────────────────

    def of_commit(self, request: Request, grant: Grant, sha: str) -> Answer:
        """The merge requests that have the commit, or made it."""
        del grant
        commit, stub = self._commit(sha), self.stub
        found = map(stub.refreshed, stub.merge_requests.values())
        kept = [one for one in found if commit in self._commits_made(one)]
        return self._page(request, [stub.views.basic(one) for one in kept])

    def _commits_made(self, one: MergeRequest) -> set[str | None]:
        own = {commit.sha for commit in self.stub.commits_of(one)}
        return {*own, one.sha, one.merge_commit_sha, one.squash_commit_sha}

    def statuses(self, request: Request, grant: Grant, sha: str) -> Answer:
        """The last of each name, or with `all` every one."""
        del grant
        commit = self._commit(sha)
        found = [one for one in self.stub.statuses if one.sha == commit]
        if request.query.get("all") != "true":
            found = list({one.name: one for one in found}.values())
        return self._page(request, [self.stub.views.status(one) for one in found])

    def set_status(self, request: Request, grant: Grant, sha: str) -> Answer:
        """A status that waits or runs is moved on and cannot be set to where it stands."""
        commit, body = self._commit(sha), self._body(request)
        state = body.get("state")
        if state not in STATES:
            why = "is missing" if state is None else "does not have a valid value"
            refuse(400, {"error": f"state {why}"})
        name = body.get("name") or body.get("context") or "default"
        open_ones = (one for one in self.stub.statuses if (one.sha, one.name) == (commit, name))
        unfinished = [one for one in open_ones if one.status in {"pending", "running"}]
        if unfinished:
            return self._moved_on(unfinished[-1], state, body)
        made = CommitStatus(
            next(self.stub.ids),
            commit,
            state,
            name,
            body.get("ref"),
            body.get("description"),
            body.get("target_url"),
            grant.person,
            self.stub.now,
        )
        self.stub.statuses.append(made)
        return Answer(201, self.stub.views.status(made))

    def _moved_on(self, status: CommitStatus, state: str, body: dict[str, Json]) -> Answer:
        if status.status == state:
            event = {"pending": "enqueue", "running": "run"}[state]
            text = f"Cannot transition status via :{event} from :{state} (Reason(s): Status cannot "
            refuse(400, {"message": f'{text}transition via "{event}")'})
        status.status = state
        status.description = body.get("description", status.description)
        status.target_url = body.get("target_url", status.target_url)
        return Answer(201, self.stub.views.status(status))

    def protected_branches(self, request: Request, grant: Grant) -> Answer:
        del grant
        items = enumerate(self.stub.protections.items(), 101)
        shown = [self.stub.views.protected_branch(number, *item) for number, item in items]
        return self._page(request, shown)

    def protected_branch(self, request: Request, grant: Grant, name: str) -> Answer:
        """By the name it was protected under: a wildcard is not found by what it covers."""
        del request, grant
        if name not in self.stub.protections:
            refuse(404, {"message": "404 Not found"})
        number = 101 + list(self.stub.protections).index(name)
        fields = self.stub.protections[name]
        return Answer(200, self.stub.views.protected_branch(number, name, fields))

    # ── shared ───────────────────────────────────────────────────────────────────────────────────

    def _one(self, iid: str) -> MergeRequest:
        found = self.stub.merge_requests.get(int(iid)) if iid.isdecimal() else None
        if found is None:
            self._missing()
        return self.stub.refreshed(found)

    def _missing(self) -> NoReturn:
        refuse(404, {"message": "404 Not found"})

    def _commit(self, name: str) -> str:
        found = name if self.stub.bare is None else self.stub.bare.commit_of(name)
        if found is None:
            refuse(404, {"message": "404 Commit Not Found"})
        return found

    def _body(self, request: Request) -> dict[str, Json]:
        """Parameters come in the body as JSON, or in the query."""
        if not request.body:
            return dict(request.query)
        try:
            body = request.json
        except ValueError:
            body = None
        if not isinstance(body, dict):
            refuse(400, {"error": "Problem processing request"})
        return {**request.query, **body}

    def _page(self, request: Request, items: Sequence[Json]) -> Answer:
        page, size = page_of(request, 20)
        last = max(-(-len(items) // size), 1)
        after, before = (page + 1 if page < last else None), (page - 1 if page > 1 else None)
        pages = {"prev": before, "next": after, "first": 1, "last": last}
        headers = {
            "X-Next-Page": str(after or ""),
            "X-Page": str(page),
            "X-Per-Page": str(size),
            "X-Prev-Page": str(before or ""),
            "X-Total": str(len(items)),
            "X-Total-Pages": str(last),
            "Link": links(self.stub.origin + request.path, request, pages),
        }
        return Answer(200, list(items[(page - 1) * size : page * size]), headers)


def _asked_for(one: MergeRequest, query: dict[str, str]) -> bool:
    """Every filter of the query that the stub knows; all states unless one is asked for."""
    state = query.get("state", "all")
    return (
        state in {"all", one.state}
        and query.get("source_branch", one.source) == one.source
        and query.get("target_branch", one.target) == one.target
        and query.get("author_username", one.author.login) == one.author.login
    )
