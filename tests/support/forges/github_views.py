"""The JSON of GitHub's REST API: the published examples with the stub's facts laid over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from forges.github_state import stamp
from forges.people import GHOST
from forges.published import render

if TYPE_CHECKING:
    from datetime import datetime

    from forges.github_facts import GitHubFacts
    from forges.github_state import CheckRun, Comment, Event, Pull, Review, Ruleset, Status
    from forges.people import Person
    from forges.plumbing import Commit, FileChange


class Views:
    """One method for each schema of the description."""

    def __init__(self, stub: GitHubFacts) -> None:
        self._stub = stub

    def _render(self, file: str, **places: object) -> dict[str, Any]:
        stub = self._stub
        known = {"api": stub.url, "web": stub.origin, "repo": stub.name, "repo_id": stub.repo_id}
        found: dict[str, Any] = render(f"github/{file}", **known, **places)
        return found

    def user(self, person: Person) -> dict[str, Any]:
        node = f"U_{person.id}"
        places = {"login": person.login, "id": person.id, "type": person.kind, "node_id": node}
        return self._render("user", **places)

    def maybe_user(self, person: Person | None) -> dict[str, Any] | None:
        """Null for nobody and for an account that was deleted."""
        return None if person is None or person.deleted else self.user(person)

    def public_user(self, person: Person) -> dict[str, Any]:
        return self.user(person) | self._render("public_user", name=person.name)

    def repository(self) -> dict[str, Any]:
        owner, _, name = self._stub.name.partition("/")
        owner_user = self.user(self._stub.people.need(owner)) | {"type": "Organization"}
        branch = self._stub.default_branch
        return self._render("repository", name=name, owner_user=owner_user, default_branch=branch)

    def full_repository(self) -> dict[str, Any]:
        return self.repository() | self._render("full_repository") | self._stub.settings

    def pull_simple(self, pull: Pull) -> dict[str, Any]:
        """What a list shows: no `merged`, no `mergeable`, no counts."""
        found = self._render(
            "pull_simple", number=pull.number, id=pull.number + 9000, head_sha=pull.head_sha
        )
        return found | {
            "state": pull.state,
            "title": pull.title,
            "body": pull.body,
            "user": self.maybe_user(pull.author),
            "draft": pull.draft,
            "created_at": stamp(pull.created),
            "updated_at": stamp(pull.updated),
            "closed_at": _maybe(pull.closed),
            "merged_at": _maybe(pull.merged),
            "merge_commit_sha": pull.merge_commit_sha or self._stub.test_merge(pull),
            "head": self._end(pull.head, pull.head_sha),
            "base": self._end(pull.base, pull.base_sha),
        }

    def _end(self, ref: str, sha: str) -> dict[str, Any]:
        owner = self._stub.name.partition("/")[0]
        user, repo = self.user(self._stub.people.need(owner)), self.repository()
        return {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": user, "repo": repo}

    def pull(self, pull: Pull) -> dict[str, Any]:
        files, commits = self._stub.files_of(pull), self._stub.commits_of(pull)
        mergeable, state = self._stub.mergeability(pull)
        # Here the description does not allow a null author: a stand-in takes the place.
        author = GHOST if pull.author.deleted else pull.author
        facts = {
            "user": self.user(author),
            "merged": pull.merged is not None,
            "merged_by": self.maybe_user(pull.merged_by),
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": state,
            "comments": len(pull.comments),
            "commits": len(commits),
            "additions": sum(one.additions for one in files),
            "deletions": sum(one.deletions for one in files),
            "changed_files": len(files),
        }
        return self.pull_simple(pull) | self._render("pull") | facts

    def review(self, pull: Pull, review: Review) -> dict[str, Any]:
        found = self._render("review", number=pull.number, id=review.id, state=review.state)
        found |= {
            "user": self.maybe_user(review.person),
            "body": review.body,
            "commit_id": review.commit_id,
            "submitted_at": stamp(review.at),
        }
        if review.state == "PENDING":
            del found["submitted_at"]
        return found

    def commit(self, commit: Commit) -> dict[str, Any]:
        ends = {"author": commit.author, "committer": commit.committer}
        places = {
            f"{role}_{part}": value
            for role, end in ends.items()
            for part, value in zip(("name", "email", "date"), end, strict=True)
        }
        found = self._render("commit", sha=commit.sha, tree=commit.tree, **places)
        found["commit"]["message"] = commit.message
        found["commit"]["verification"] |= self._verification(commit)
        for role, (_, email, _) in ends.items():
            found[role] = self.maybe_user(self._stub.people.mailed(email))
        found["parents"] = [self._parent(one) for one in commit.parents]
        return found

    def _parent(self, sha: str) -> dict[str, str]:
        stub = self._stub
        url = f"{stub.url}/repos/{stub.name}/commits/{sha}"
        return {"sha": sha, "url": url, "html_url": f"{stub.origin}/{stub.name}/commit/{sha}"}

    def _verification(self, commit: Commit) -> dict[str, Any]:
        """What the forge says about a signature; ours on platform commits count as its own."""
        if commit.signature is None:
            return {}
        own = commit.committer[1] == "noreply@github.com"
        reason = "valid" if own else "unknown_key"
        signed = {"signature": commit.signature, "payload": f"tree {commit.tree}\n"}
        return {"verified": own, "reason": reason, **signed}

    def file(self, change: FileChange, head: str) -> dict[str, Any]:
        quoted = quote(change.path)
        found = self._render("file", sha=change.sha, head=head, quoted=quoted)
        found |= {
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
        }
        optional = {"patch": change.patch, "previous_filename": change.previous}
        return found | {name: value for name, value in optional.items() if value is not None}

    def comment(self, number: int, comment: Comment) -> dict[str, Any]:
        found = self._render("issue_comment", number=number, id=comment.id)
        return found | {
            "body": comment.body,
            "user": self.maybe_user(comment.person),
            "created_at": stamp(comment.created),
            "updated_at": stamp(comment.updated),
        }

    def event(self, event: Event) -> dict[str, Any]:
        found = self._render("issue_event", id=event.id)
        actor = self.maybe_user(event.person)
        return found | {"actor": actor, "event": event.name, "created_at": stamp(event.at)}

    def simple_status(self, status: Status) -> dict[str, Any]:
        found = self._render("status", id=status.id, sha=status.sha)
        return found | {
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
            "created_at": stamp(status.at),
            "updated_at": stamp(status.at),
        }

    def status(self, status: Status) -> dict[str, Any]:
        return self.simple_status(status) | {"creator": self.maybe_user(status.person)}

    def check_run(self, run: CheckRun) -> dict[str, Any]:
        found = self._render("check_run", id=run.id, sha=run.sha)
        ended = stamp(run.at) if run.status == "completed" else None
        facts = {"name": run.name, "status": run.status, "conclusion": run.conclusion}
        return found | facts | {"started_at": stamp(run.at), "completed_at": ended}

    def branch(self, name: str, commit: Commit) -> dict[str, Any]:
        found = self._render("branch", quoted=quote(name, safe=""))
        protection = self._stub.protections.get(name)
        ruled = bool(self._stub.rules_for(name))
        found |= {"name": name, "commit": self.commit(commit)}
        found["protected"] = protection is not None or ruled
        if protection is None:
            return found
        checks = protection.get("required_status_checks")
        found["protection"]["enabled"] = True
        if checks is not None:
            kept = {key: checks[key] for key in ("contexts", "checks") if key in checks}
            level = {"enforcement_level": "non_admins"}
            found["protection"]["required_status_checks"] |= level | kept
        return found

    def protection(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """A part that is not set is not there; a switch that is not set is off."""
        stub = self._stub
        url = f"{stub.url}/repos/{stub.name}/branches/{quote(name, safe='')}/protection"
        found = self._render("protection", url=url)
        parts = self._render("protection_parts", url=url)
        for key, value in fields.items():
            if value is None:
                continue
            switch = {"enabled": value} if isinstance(value, bool) else value
            found[key] = found.get(key, parts.get(key, {})) | switch
        return _both_spellings(found)

    def ruleset(self, ruleset: Ruleset) -> dict[str, Any]:
        """The short form of a list."""
        found = self._render("ruleset", id=ruleset.id)
        return found | {"name": ruleset.name, "enforcement": ruleset.enforcement}

    def full_ruleset(self, ruleset: Ruleset, *, editor: bool) -> dict[str, Any]:
        """Who may bypass is shown only to whoever may edit the ruleset."""
        more: dict[str, Any] = {"conditions": ruleset.conditions, "rules": self.rules(ruleset)}
        if editor:
            more["bypass_actors"] = ruleset.bypass_actors
        more["current_user_can_bypass"] = ruleset.current_user_can_bypass
        return self.ruleset(ruleset) | more

    def rules(self, ruleset: Ruleset) -> list[dict[str, Any]]:
        """Parameters that a test leaves out are as documented by default."""
        defaults = self._render("rule_parameters")
        found = []
        for rule in ruleset.rules:
            full = defaults.get(rule["type"], {}) | rule.get("parameters", {})
            found.append({"type": rule["type"], **({"parameters": full} if full else {})})
        return found

    def rule_sources(self, ruleset: Ruleset) -> list[dict[str, Any]]:
        """The rules of a branch, each with the ruleset that it comes from."""
        source = {
            "ruleset_source_type": "Repository",
            "ruleset_source": self._stub.name,
            "ruleset_id": ruleset.id,
        }
        return [rule | source for rule in self.rules(ruleset)]


def _maybe(time: datetime | None) -> str | None:
    return None if time is None else stamp(time)


def _both_spellings(protection: dict[str, Any]) -> dict[str, Any]:
    """Required checks are listed twice: by name (the old way) and with the app that must report."""
    checks = protection.get("required_status_checks")
    if checks is None:
        return protection
    if checks["contexts"] and not checks["checks"]:
        checks["checks"] = [{"context": one, "app_id": None} for one in checks["contexts"]]
    if checks["checks"] and not checks["contexts"]:
        checks["contexts"] = [one["context"] for one in checks["checks"]]
    return protection
