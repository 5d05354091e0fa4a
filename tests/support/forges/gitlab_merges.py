"""How GitLab merges, in a bare repository.

Source: "Merge methods" and "Squash and merge" of GitLab's documentation. A merge and a squash are
commits of the person who merges, in that person's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from forges.gitlab_state import MergeRequest
    from forges.people import Person
    from forges.plumbing import Bare


@dataclass(frozen=True, slots=True)
class Landed:
    """Where the target goes, and the commits that were made on the way."""

    tip: str
    merge: str | None
    squash: str | None


@dataclass(frozen=True, slots=True)
class Merging:
    """One merge: by whom, when, onto what, and by which method of the project."""

    bare: Bare
    request: MergeRequest
    onto: str
    by: Person
    time: datetime
    path: str
    method: str = "merge"
    message: str | None = None
    squash_message: str | None = None

    def land(self) -> Landed | None:
        """None where it conflicts, or where a fast-forward is asked and impossible."""
        head, squashed = self.request.sha, None
        base = self.bare.merge_base(self.onto, head)
        if base is None or (self.method == "ff" and base != self.onto):
            return None
        if self.request.squash and len(self.bare.between(base, head)) > 1:
            tree = self.bare.must("rev-parse", f"{head}^{{tree}}").strip()
            text = self.squash_message or self.request.title
            head = squashed = self._commit(tree, (base,), text, self.request.author)
        if self.method == "ff":
            return Landed(head, None, squashed)
        merged = self.bare.merged_tree(self.onto, head)
        if merged is None:
            return None
        made = self._commit(merged, (self.onto, head), self.message or self._message(), self.by)
        return Landed(made, made, squashed)

    def _commit(self, tree: str, parents: tuple[str, ...], text: str, author: Person) -> str:
        names = (author.name, author.email), (self.by.name, self.by.email)
        return self.bare.commit(
            tree, parents, author=names[0], committer=names[1], message=text, time=self.time
        )

    def _message(self) -> str:
        one = self.request
        first = f"Merge branch '{one.source}' into '{one.target}'"
        return f"{first}\n\n{one.title}\n\nSee merge request {self.path}!{one.iid}"
