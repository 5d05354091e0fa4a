"""What every endpoint of the stub of GitHub needs: finding, refusing, paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from forges.github_auth import message
from forges.web import Answer, Request, links, page_of, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forges.github import GitHubStub
    from forges.github_state import Pull
    from forges.published import Json


class Answers:
    """The ground that the endpoints stand on."""

    def __init__(self, stub: GitHubStub) -> None:
        self.stub = stub

    def _ours(self, owner: str, repo: str) -> None:
        if f"{owner}/{repo}".casefold() != self.stub.name.casefold():
            refuse(404, message(404, "Not Found"))

    def _pull(self, owner: str, repo: str, number: str) -> Pull:
        self._ours(owner, repo)
        found = self.stub.pulls.get(int(number)) if number.isdecimal() else None
        if found is None:
            refuse(404, message(404, "Not Found"))
        return self.stub.refreshed(found)

    def _commit(self, name: str) -> str:
        """A full id, or with a repository any ref of it."""
        bare = self.stub.bare
        found = name if bare is None else bare.commit_of(name) or bare.branch(name)
        if found is None:
            refuse(422, message(422, f"No commit found for SHA: {name}"))
        return found

    def _invalid(self, resource: str, field: str, code: str, text: str | None = None) -> NoReturn:
        error = {"resource": resource, "code": code}
        error |= {"field": field} if field else {}
        error |= {"message": text} if text is not None else {}
        refuse(422, message(422, "Validation Failed") | {"errors": [error]})

    def _page(self, request: Request, items: Sequence[Json]) -> Answer:
        page, size = page_of(request, 30)
        shown = list(items[(page - 1) * size : page * size])
        return Answer(200, shown, self._links(request, len(items)))

    def _links(self, request: Request, total: int) -> dict[str, str]:
        """No header where there is one page only.

        The links name the number of the repository, not the path that was asked.
        """
        page, size = page_of(request, 30)
        last = max(-(-total // size), 1)
        if last == 1 and page == 1:
            return {}
        stub = self.stub
        named, numbered = f"/repos/{stub.name}", f"/repositories/{stub.repo_id}"
        base = stub.origin + request.path.replace(named, numbered, 1)
        before = {"prev": page - 1 if page > 1 else None}
        after = {"next": page + 1 if page < last else None, "last": last if page < last else None}
        return {"Link": links(base, request, before | after | {"first": 1 if page > 1 else None})}
