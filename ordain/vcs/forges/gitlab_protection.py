"""What GitLab enforces on a branch.

The settings stand in five places, and some of them are of paid tiers or for maintainers only, so
that each may be hidden on its own. Where several patterns protect one branch GitLab lets through
what the mildest of them does (https://docs.gitlab.com/user/project/repository/branches/protected/),
and that is what is told here.

GitLab has no required checks by name on every tier: a project may demand that the pipeline
succeeds, and a commit status is a job of the pipeline. That demand is told as the check `pipeline`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ordain.vcs.errors import HostError
from ordain.vcs.host import Protection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.vcs.forges.http import Client
    from ordain.vcs.forges.reading import Reading

PIPELINE: Final = "pipeline"
_DENIED: Final = (403, 404)
_NO_ONE: Final = 0
_COUNTED: Final = frozenset({"regular", "any_approver"})


def protection(client: Client, project: str, branch: str) -> Protection:
    """Everything that can be seen with this token; `project` is its path in the API."""
    rules = client.pages(f"{project}/protected_branches", accept=_DENIED)
    settings = _seen(client, project)
    if settings is None:
        raise HostError(
            "GitLab shows no project with this name",
            remedy="see that spec.forge.repository is its path, and that the token may see it",
        )
    approvals = _seen(client, f"{project}/approvals")
    fits = [one for one in rules or () if covers(one.name("name"), branch)]
    none_pushes = _none_pushes(fits) if rules is not None else None
    return Protection(
        protected=bool(fits),
        checks=_checks(settings),
        strict_checks=_strict(settings),
        approvals=_required(client, project, branch, protected=bool(fits)),
        stale_dismissed=_flag(approvals, "reset_approvals_on_push"),
        code_owners=None if rules is None else _everywhere(fits, "code_owner_approval_required"),
        last_pusher_excluded=_flag(approvals, "merge_requests_disable_committers_approval"),
        author_excluded=_not(_flag(approvals, "merge_requests_author_approval")),
        # "No one" is the one setting that holds administrators as well.
        administrators_bound=none_pushes,
        force_push_refused=None if rules is None else _no_force(fits),
        deletion_refused=None if rules is None else bool(fits),
        direct_push_refused=none_pushes,
        signatures_required=_signed(client, project),
    )


def covers(pattern: str, branch: str) -> bool:
    """Whether a protected name, in which `*` stands for anything, is that of a branch."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), branch, re.DOTALL) is not None


def _seen(client: Client, path: str) -> Reading | None:
    answer = client.get(path, accept=_DENIED)
    return None if answer.status in _DENIED else answer.reading


def _flag(found: Reading | None, key: str) -> bool | None:
    return None if found is None or not found.has(key) else found.flag(key)


def _not(value: bool | None) -> bool | None:  # noqa: FBT001 - one of three
    return None if value is None else not value


def _everywhere(fits: Sequence[Reading], key: str) -> bool:
    """Whether every pattern has a flag; a tier without the feature leaves it out."""
    return bool(fits) and all(_flag(one, key) is True for one in fits)


def _no_force(fits: Sequence[Reading]) -> bool:
    return bool(fits) and not any(one.flag("allow_force_push") for one in fits)


def _none_pushes(fits: Sequence[Reading]) -> bool:
    """Whether there is no way past a merge request: nobody, no group and no key may push."""
    levels = [list(one.items("push_access_levels")) for one in fits]
    return bool(levels) and all(of and all(map(_is_no_one, of)) for of in levels)


def _is_no_one(level: Reading) -> bool:
    if any(level.has(key) for key in ("user_id", "group_id", "deploy_key_id")):
        return False
    return level.has("access_level") and level.number("access_level") == _NO_ONE


def _checks(settings: Reading) -> tuple[str, ...] | None:
    demanded = _flag(settings, "only_allow_merge_if_pipeline_succeeds")
    skipped = _flag(settings, "allow_merge_on_skipped_pipeline")
    if demanded is None:
        return None
    return (PIPELINE,) if demanded and not skipped else ()


def _strict(settings: Reading) -> bool | None:
    """Whether a branch has to be up to date before it is merged."""
    if not settings.has("merge_method"):
        return None
    return settings.text("merge_method") in {"ff", "rebase_merge"}


def _required(client: Client, project: str, branch: str, *, protected: bool) -> int | None:
    """The most approvals that a rule for this branch asks for; one person may serve in several."""
    rules = client.pages(f"{project}/approval_rules", accept=_DENIED)
    if rules is None:
        return None
    counted = [one for one in rules if one.text("rule_type") in _COUNTED]
    holding = [one for one in counted if _holds(one, branch, protected=protected)]
    return max((one.number("approvals_required") for one in holding), default=0)


def _holds(rule: Reading, branch: str, *, protected: bool) -> bool:
    """Whether a rule is for a branch; one that names no branches is for all."""
    if _flag(rule, "applies_to_all_protected_branches"):
        return protected
    if not rule.has("protected_branches"):
        return True
    names = [one.name("name") for one in rule.items("protected_branches")]
    return not names or any(covers(name, branch) for name in names)


def _signed(client: Client, project: str) -> bool | None:
    """Whether unsigned commits are refused; a project without push rules answers null."""
    found = _seen(client, f"{project}/push_rule")
    if found is None:
        return None
    if found.value is None:
        return False
    return _flag(found, "reject_unsigned_commits")
