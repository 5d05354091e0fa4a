"""What follows from the state of the stub and from the repository behind it."""

from __future__ import annotations

import fnmatch
import itertools
from typing import TYPE_CHECKING, Any

from forges.gitlab_merges import Merging
from forges.gitlab_state import CommitStatus, Grant, MergeRequest, Note, Version
from forges.gitlab_views import Views
from forges.people import People, Person
from forges.plumbing import Bare
from forges.web import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forges.plumbing import Commit, FileChange

ZERO = "0" * 40


class GitLabFacts(Site):
    """One project with what people have said about it."""

    prefix = "/api/v4"

    def __init__(self, repository: Path | None, path: str, tier: str) -> None:
        super().__init__()
        self.path = path
        self.tier = tier
        self.project_id = 15513260
        self.default_branch = "main"
        self.settings: dict[str, Any] = {}
        self.bare = None if repository is None else Bare(repository)
        self.people = People()
        self.merge_requests: dict[int, MergeRequest] = {}
        self.statuses: list[CommitStatus] = []
        self.protections: dict[str, dict[str, Any]] = {}
        self.approval_rules: list[dict[str, Any]] = []
        self.approval_settings: dict[str, Any] = {}
        self.push_rule: dict[str, Any] | None = None
        self.views = Views(self)
        # What another does between the look at the target branch and the move of it.
        self.before_move: Callable[[], object] = lambda: None
        self.ids = itertools.count(301)

    def refreshed(self, one: MergeRequest) -> MergeRequest:
        """An open merge request follows its source branch; a push may reset its approvals."""
        tip = self.tip(one.source)
        if one.state == "opened" and tip not in {None, one.sha}:
            self.pushed(one, tip or one.sha)
        return one

    def pushed(self, one: MergeRequest, sha: str) -> None:
        """A new version, a system note, and the end of the approvals if the project says so."""
        one.sha, one.updated = sha, self.now
        self.compared(one, sha)
        if self.bare is not None and sha != ZERO:
            self.bare.must("update-ref", f"refs/merge-requests/{one.iid}/head", sha)
        if len(one.versions) == 1:
            return
        self.note(one, one.author, "added 1 commit", system=True)
        reset = self.approval_settings.get("reset_approvals_on_push", True)
        if self.tier != "free" and reset and one.approvals:
            names = ", ".join(f"@{each.person.login}" for each in one.approvals)
            text = f"reset approvals from {names} by pushing to the branch"
            one.approvals.clear()
            self.note(one, one.author, text, system=True)

    def compared(self, one: MergeRequest, sha: str) -> None:
        """A version: what stands between the target and a head."""
        start = self.tip(one.target) or ZERO
        base = None if self.bare is None else self.bare.merge_base(start, sha)
        one.versions.append(Version(next(self.ids), sha, base or start, start, self.now))

    def note(self, one: MergeRequest, person: Person, body: str, *, system: bool = False) -> Note:
        made = Note(next(self.ids), person, body, system, self.now, self.now)
        one.notes.append(made)
        return made

    def status_of(self, one: MergeRequest) -> str:
        """`detailed_merge_status`; reading it is what brings the check to its end."""
        if one.state != "opened":
            return "not_open"
        if one.checking > 0:
            one.checking -= 1
            return "checking"
        if one.draft:
            return "draft_status"
        return self._stands(one) or one.status or "mergeable"

    def _stands(self, one: MergeRequest) -> str | None:
        """What the branches themselves have against it."""
        target = self.tip(one.target)
        if self.bare is None or target is None:
            return None
        if self.bare.merged_tree(target, one.sha) is None:
            return "conflict"
        behind = not self.bare.is_ancestor(target, one.sha)
        return "need_rebase" if behind and self.settings.get("merge_method") == "ff" else None

    def changed(self, version: Version) -> list[FileChange] | None:
        if self.bare is None or ZERO in {version.base, version.head}:
            return None
        return self.bare.files(version.base, version.head)

    def commits_of(self, one: MergeRequest) -> list[Commit]:
        """Newest first."""
        last = one.versions[-1]
        if self.bare is None or ZERO in {last.base, last.head}:
            return []
        return [self.bare.read(sha) for sha in reversed(self.bare.between(last.base, last.head))]

    def may_merge(self, one: MergeRequest, grant: Grant) -> bool:
        """By the level of the role alone; people and groups by name are left out here."""
        level = grant.level or 0
        fields = self.protection_of(one.target)
        if fields is None:
            return level >= 30
        shown = self.views.protected_branch(0, one.target, fields)
        allowed = [each["access_level"] for each in shown["merge_access_levels"]]
        return any(needed is not None and 0 < needed <= level for needed in allowed)

    def protection_of(self, branch: str) -> dict[str, Any] | None:
        """The protection of a branch, by its name or by a wildcard."""
        wild = (name for name in self.protections if fnmatch.fnmatchcase(branch, name))
        found = branch if branch in self.protections else next(wild, None)
        return None if found is None else self.protections[found]

    def merge(
        self, one: MergeRequest, by: Person, message: str | None, squash_message: str | None
    ) -> bool:
        """Merge in the repository; False where it conflicts or the target has moved meanwhile."""
        assert self.bare is not None, "this needs a repository"
        onto = self.tip(one.target)
        assert onto is not None
        method = "ff" if self.settings.get("merge_method") == "ff" else "merge"
        merging = Merging(
            self.bare, one, onto, by, self.now, self.path, method, message, squash_message
        )
        landed = merging.land()
        self.before_move()
        if landed is None or not self.bare.move(f"refs/heads/{one.target}", landed.tip, onto):
            return False
        one.state, one.merged, one.merged_by, one.updated = "merged", self.now, by, self.now
        one.merge_commit_sha, one.squash_commit_sha = landed.merge, landed.squash
        self.note(one, by, "merged", system=True)
        return True

    def tip(self, branch: str) -> str | None:
        return None if self.bare is None else self.bare.branch(branch)
