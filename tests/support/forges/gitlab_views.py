"""The JSON of GitLab's REST API: the published examples with the stub's facts laid over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forges.gitlab_state import stamp
from forges.people import GHOST
from forges.published import render

if TYPE_CHECKING:
    from datetime import datetime

    from forges.gitlab_facts import GitLabFacts
    from forges.gitlab_state import CommitStatus, Grant, MergeRequest, Note, Version
    from forges.people import Person
    from forges.plumbing import Commit


class Views:
    """One method for each entity of the API."""

    def __init__(self, stub: GitLabFacts) -> None:
        self._stub = stub

    def _render(self, file: str, **places: object) -> dict[str, Any]:
        stub = self._stub
        known = {"web": stub.origin, "path": stub.path, "project_id": stub.project_id}
        found: dict[str, Any] = render(f"gitlab/{file}", **known, **places)
        return found

    def user(self, person: Person) -> dict[str, Any]:
        """What was done by an account that is gone was done by the ghost."""
        shown = GHOST if person.deleted else person
        found = self._render("user", id=shown.id, username=shown.login, name=shown.name)
        return found | {"state": "blocked" if shown.blocked else "active"}

    def maybe_user(self, person: Person | None) -> dict[str, Any] | None:
        return None if person is None else self.user(person)

    def full_user(self, person: Person) -> dict[str, Any]:
        """Only here does it say whether the account is a bot."""
        more = self._render("full_user") | {"bot": person.kind == "Bot"}
        return self.user(person) | more

    def project(self, grant: Grant) -> dict[str, Any]:
        namespace, _, name = self._stub.path.rpartition("/")
        places = {"name": name, "namespace": namespace}
        found = self._render("project", default_branch=self._stub.default_branch, **places)
        found["permissions"]["project_access"]["access_level"] = grant.level
        return found | self._stub.settings

    def basic(self, one: MergeRequest) -> dict[str, Any]:
        """What a list shows."""
        found = self._render("merge_request_basic", id=one.iid + 155000, iid=one.iid, sha=one.sha)
        status = self._stub.status_of(one)
        conflict = status == "conflict"
        checking = {"checking": "checking", "conflict": "cannot_be_merged"}
        return found | {
            "title": one.title,
            "description": one.description,
            "state": one.state,
            "created_at": stamp(one.created),
            "updated_at": stamp(one.updated),
            "merged_by": self.maybe_user(one.merged_by),
            "merge_user": self.maybe_user(one.merged_by),
            "merged_at": _maybe(one.merged),
            "closed_by": self.maybe_user(one.closed_by),
            "closed_at": _maybe(one.closed),
            "target_branch": one.target,
            "source_branch": one.source,
            "user_notes_count": sum(not note.system for note in one.notes),
            "author": self.user(one.author),
            "draft": one.draft,
            "work_in_progress": one.draft,
            "merge_status": checking.get(status, "can_be_merged"),
            "detailed_merge_status": status,
            "merge_commit_sha": one.merge_commit_sha,
            "squash_commit_sha": one.squash_commit_sha,
            "squash": one.squash,
            "squash_on_merge": one.squash,
            "has_conflicts": conflict,
        }

    def merge_request(self, one: MergeRequest, grant: Grant) -> dict[str, Any]:
        last = one.versions[-1]
        more = self._render(
            "merge_request", sha=last.head, base_sha=last.base, start_sha=last.start
        )
        files = self._stub.changed(last)
        may = self._stub.may_merge(one, grant)
        count = None if files is None else str(len(files))
        return self.basic(one) | more | {"changes_count": count, "user": {"can_merge": may}}

    def approvals(self, one: MergeRequest, grant: Grant) -> dict[str, Any]:
        """Who approved and when, of whatever rule; the rest depends on the edition."""
        by = [
            {"user": self.user(each.person), "approved_at": stamp(each.at)}
            for each in one.approvals
        ]
        mine = any(each.person is grant.person for each in one.approvals)
        who = {"approved_by": by, "user_has_approved": mine, "user_can_approve": not mine}
        if self._stub.tier == "free":
            return self._render("approvals_free") | who | {"approved": bool(by)}
        required = sum(rule["approvals_required"] for rule in self._stub.approval_rules)
        left = sum(self._left(rule, one) for rule in self._stub.approval_rules)
        found = self._render("approvals", id=one.iid + 155000, iid=one.iid)
        return (
            found
            | who
            | {
                "title": one.title,
                "description": one.description,
                "state": one.state,
                "created_at": stamp(one.created),
                "updated_at": stamp(one.updated),
                "approved": left == 0,
                "approvals_required": required,
                "approvals_left": left,
            }
        )

    def _left(self, rule: dict[str, Any], one: MergeRequest) -> int:
        return max(int(rule["approvals_required"]) - len(self._counting(rule, one)), 0)

    def _counting(self, rule: dict[str, Any], one: MergeRequest) -> list[Person]:
        """Those who approved and whom the rule names; one that names nobody counts everybody."""
        named = {user["id"] for user in rule["eligible_approvers"]}
        return [each.person for each in one.approvals if not named or each.person.id in named]

    def approval_state(self, one: MergeRequest) -> dict[str, Any]:
        rules = []
        for rule in self._stub.approval_rules:
            by = [self.user(person) for person in self._counting(rule, one)]
            state = {"approved_by": by, "approved": self._left(rule, one) == 0}
            rules.append(rule | state | {"source_rule": None, "overridden": False})
        return {"approval_rules_overwritten": False, "rules": rules}

    def approval_rule(self, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        scope = {"applies_to_all_protected_branches": True, "protected_branches": []}
        return self._render("approval_rule", id=number) | scope | fields

    def approval_settings(self) -> dict[str, Any]:
        return self._render("approval_settings") | self._stub.approval_settings

    def version(self, one: MergeRequest, version: Version) -> dict[str, Any]:
        ends = {"head": version.head, "base": version.base, "start": version.start}
        number = one.iid + 155000
        found = self._render("version", id=version.id, merge_request_id=number, **ends)
        return found | {"created_at": stamp(version.created)}

    def commit(self, commit: Commit) -> dict[str, Any]:
        ends = {"author": commit.author, "committer": commit.committer}
        places = {
            f"{role}_{part}": value
            for role, end in ends.items()
            for part, value in zip(("name", "email", "date"), end, strict=True)
        }
        return self._render("commit", sha=commit.sha, **places) | {
            "short_id": commit.sha[:8],
            "parent_ids": list(commit.parents),
            "title": commit.message.partition("\n")[0],
            "message": commit.message + "\n",
        }

    def note(self, one: MergeRequest, note: Note) -> dict[str, Any]:
        places = {"noteable_id": one.iid + 155000, "noteable_iid": one.iid}
        return self._render("note", id=note.id, **places) | {
            "body": note.body,
            "author": self.user(note.person),
            "system": note.system,
            "created_at": stamp(note.created),
            "updated_at": stamp(note.updated),
        }

    def status(self, status: CommitStatus) -> dict[str, Any]:
        ended = status.status in {"success", "failed", "canceled", "skipped"}
        return self._render("commit_status", id=status.id, sha=status.sha) | {
            "ref": status.ref,
            "status": status.status,
            "name": status.name,
            "target_url": status.target_url,
            "description": status.description,
            "created_at": stamp(status.at),
            "finished_at": stamp(status.at) if ended else None,
            "author": self.user(status.person),
        }

    def protected_branch(self, number: int, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Without a paid edition the entry says nothing about single people and groups."""
        found = self._render("protected_branch", id=number) | {"name": name} | fields
        if self._stub.tier == "free":
            found.pop("inherited")
            for kind in ("push_access_levels", "merge_access_levels"):
                hidden = {"user_id", "group_id"}
                found[kind] = [_without(level, hidden) for level in found[kind]]
        return found

    def push_rule(self) -> dict[str, Any] | None:
        """`null` where push rules were never set, with status 200."""
        fields = self._stub.push_rule
        return None if fields is None else self._render("push_rule") | fields


def _without(level: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {name: value for name, value in level.items() if name not in hidden}


def _maybe(time: datetime | None) -> str | None:
    return None if time is None else stamp(time)
