"""What follows from the state of the stub and from the repository behind it."""

from __future__ import annotations

import fnmatch
import itertools
from typing import TYPE_CHECKING, Any

from forges.github_auth import message
from forges.github_merges import GITHUB, merged_commit
from forges.github_pulls import DOCS
from forges.github_views import Views
from forges.people import People, Person
from forges.plumbing import PLATFORM_SIGNATURE, Bare
from forges.web import Site, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forges.github_state import CheckRun, MergeMethod, Pull, Ruleset, Status
    from forges.plumbing import Commit, FileChange

ZERO = "0" * 40


class GitHubFacts(Site):
    """One repository with what people have said about it."""

    prefix = "/api/v3"

    def __init__(self, repository: Path | None, name: str) -> None:
        super().__init__()
        self.name = name
        self.repo_id = 1296269
        self.default_branch = "main"
        self.settings: dict[str, Any] = {}
        self.bare = None if repository is None else Bare(repository)
        self.people = People()
        self.pulls: dict[int, Pull] = {}
        self.statuses: list[Status] = []
        self.check_runs: list[CheckRun] = []
        self.protections: dict[str, dict[str, Any]] = {}
        self.rulesets: list[Ruleset] = []
        self.views = Views(self)
        # What another does between the look at the base branch and the move of it.
        self.before_move: Callable[[], object] = lambda: None
        self._ids = itertools.count(80)

    def refreshed(self, pull: Pull) -> Pull:
        """An open pull request follows its branches; a push may dismiss its approvals."""
        if pull.state == "closed":
            return pull
        head, base = self._tip(pull.head) or pull.head_sha, self._tip(pull.base) or pull.base_sha
        if head != pull.head_sha:
            pull.updated = self.now
            self._dismiss_stale(pull)
        if (head, base) != (pull.head_sha, pull.base_sha):
            pull.head_sha, pull.base_sha = head, base
            self.point(pull)
        return pull

    def point(self, pull: Pull) -> None:
        """The refs that GitHub keeps of a pull request, for whoever fetches."""
        if self.bare is None or pull.head_sha == ZERO:
            return
        self.bare.must("update-ref", f"refs/pull/{pull.number}/head", pull.head_sha)
        test = self.test_merge(pull)
        if test is not None:
            self.bare.must("update-ref", f"refs/pull/{pull.number}/merge", test)

    def test_merge(self, pull: Pull) -> str | None:
        """The commit that tries the merge out; it is on no branch and says nothing of a merge."""
        if self.bare is None or ZERO in {pull.base_sha, pull.head_sha} or pull.computing > 0:
            return None
        tree = self.bare.merged_tree(pull.base_sha, pull.head_sha)
        if tree is None:
            return None
        return self.bare.commit(
            tree,
            (pull.base_sha, pull.head_sha),
            author=(pull.author.name, pull.author.email),
            committer=GITHUB,
            message=f"Merge {pull.head_sha} into {pull.base_sha}",
            time=pull.created,
            signature=PLATFORM_SIGNATURE,
        )

    def _dismiss_stale(self, pull: Pull) -> None:
        rules = self.protections.get(pull.base, {}).get("required_pull_request_reviews") or {}
        ruled = [one.get("parameters", {}) for one in self.rules_for(pull.base)]
        by_rule = any(one.get("dismiss_stale_reviews_on_push") for one in ruled)
        if rules.get("dismiss_stale_reviews") or by_rule:
            for review in pull.reviews:
                if review.state == "APPROVED":
                    review.state = "DISMISSED"

    def commits_of(self, pull: Pull) -> list[Commit]:
        """The commits of a pull request, oldest first; the API shows 250 at most."""
        base = None if self.bare is None else self.bare.merge_base(pull.base_sha, pull.head_sha)
        if self.bare is None or base is None:
            return []
        shas = self.bare.between(base, pull.head_sha)[:250]
        return [self.bare.read(sha) for sha in shas]

    def files_of(self, pull: Pull) -> list[FileChange]:
        """Its files against where it left the base; the API shows 3,000 at most."""
        base = None if self.bare is None else self.bare.merge_base(pull.base_sha, pull.head_sha)
        if self.bare is None or base is None:
            return []
        return self.bare.files(base, pull.head_sha)[:3000]

    def mergeability(self, pull: Pull) -> tuple[bool | None, str]:
        """`mergeable` and `mergeable_state`; null while it is worked out, and when closed."""
        if pull.state == "closed" or pull.computing > 0:
            pull.computing = max(pull.computing - 1, 0)
            return None, "unknown"
        if self._conflicts(pull):
            return False, "dirty"
        if pull.draft:
            return True, "draft"
        return True, "clean" if pull.blocked is None else "blocked"

    def _conflicts(self, pull: Pull) -> bool:
        known = self.bare is not None and ZERO not in {pull.base_sha, pull.head_sha}
        return known and self._bare().merged_tree(pull.base_sha, pull.head_sha) is None

    def rules_for(self, branch: str) -> list[dict[str, Any]]:
        """The rules of all active rulesets that apply to a branch."""
        active = (one for one in self.rulesets if one.enforcement == "active")
        applying = (one for one in active if self._applies(one, branch))
        return [rule for one in applying for rule in self.views.rule_sources(one)]

    def _applies(self, ruleset: Ruleset, branch: str) -> bool:
        names = ruleset.conditions["ref_name"]
        included = any(self._names(pattern, branch) for pattern in names["include"])
        return included and not any(self._names(pattern, branch) for pattern in names["exclude"])

    def _names(self, pattern: str, branch: str) -> bool:
        if pattern == "~DEFAULT_BRANCH":
            return branch == self.default_branch
        return pattern == "~ALL" or fnmatch.fnmatchcase(f"refs/heads/{branch}", pattern)

    def merge(
        self,
        pull: Pull,
        method: MergeMethod,
        by: Person,
        title: str | None = None,
        text: str | None = None,
    ) -> str | None:
        """Merge in the repository; None where it conflicts, 405 where the base moved meanwhile."""
        old = pull.base_sha
        made = self._merge_on(pull, old, method, by, title, text)
        if made is None:
            return None
        self.before_move()
        if not self._bare().move(f"refs/heads/{pull.base}", made, old):
            sentence = "Base branch was modified. Review and try the merge again."
            refuse(405, message(405, sentence, f"{DOCS}#merge-a-pull-request"))
        self._closed_as_merged(pull, made, by)
        return made

    def _merge_on(
        self,
        pull: Pull,
        onto: str,
        method: MergeMethod,
        by: Person,
        title: str | None = None,
        text: str | None = None,
    ) -> str | None:
        owner = self.name.partition("/")[0]
        return merged_commit(
            self._bare(),
            pull,
            onto=onto,
            method=method,
            by=by,
            owner=owner,
            time=self.now,
            title=title,
            message=text,
        )

    def _closed_as_merged(self, pull: Pull, made: str, by: Person) -> None:
        pull.state, pull.merge_commit_sha, pull.merged_by = "closed", made, by
        pull.closed = pull.merged = pull.updated = self.now

    def _bare(self) -> Bare:
        assert self.bare is not None, "this needs a repository"
        return self.bare

    def _tip(self, branch: str) -> str | None:
        return None if self.bare is None else self.bare.branch(branch)

    def _next_number(self) -> int:
        return max(self.pulls, default=0) + 1

    def next_id(self) -> int:
        return next(self._ids)
