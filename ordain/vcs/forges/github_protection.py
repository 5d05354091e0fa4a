"""What GitHub enforces on a branch: the older branch protection and the rulesets together.

Either may require something; what one of them requires is required. The two differ in who may look:
branch protection is shown to administrators, rulesets to everybody who may read. So an answer has
three values, and "the rulesets do not require it, and the rest may not be seen" is no "no".

Whether administrators are bound is asked of each source that holds back a merge. One that lets
them past is enough for a no: a report that is too bright helps nobody. What a ruleset refuses is
refused where nobody may bypass that ruleset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ordain.vcs.errors import HostError
from ordain.vcs.host import Protection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.vcs.forges.http import Client
    from ordain.vcs.forges.reading import Reading

_DENIED: Final = (403, 404)
# What may be bypassed with the ruleset that it is of.
_HOLDING: Final = frozenset(
    {"pull_request", "required_status_checks", "non_fast_forward", "deletion", "update"}
)
# Any App: https://docs.github.com/en/rest/branches/branch-protection#update-branch-protection
_ANY_APP: Final = -1


@dataclass(frozen=True, slots=True)
class _Source:
    """What one source says; None is what it does not tell."""

    protected: bool = False
    checks: tuple[str, ...] | None = ()
    strict: bool | None = False
    approvals: int | None = 0
    stale: bool | None = False
    owners: bool | None = False
    last_pusher: bool | None = False
    bound: bool | None = None
    holds: bool | None = False
    force: bool | None = False
    deletion: bool | None = False
    direct: bool | None = False
    signed: bool | None = False
    of_app: tuple[str, ...] = ()
    head_only: bool = False


_HIDDEN: Final = _Source(
    checks=None,
    strict=None,
    approvals=None,
    stale=None,
    owners=None,
    last_pusher=None,
    holds=None,
    force=None,
    deletion=None,
    direct=None,
    signed=None,
)

_SIMPLE: Final = {
    "required_signatures": _Source(protected=True, signed=True),
}


def protection(client: Client, repository: str, branch: str) -> Protection:
    """Everything that can be seen with this token; `repository` is its path in the API."""
    name = quote(branch, safe="")
    answer = client.get(f"{repository}/branches/{name}", accept=(404,))
    if answer.status == 404:  # noqa: PLR2004
        raise HostError(
            f"GitHub shows no branch {branch}: {answer.said}",
            remedy="push the protected branch, and see that the token may read the repository",
        )
    flagged = answer.reading.flag("protected")
    sources = [_classic(client, f"{repository}/branches/{name}/protection")]
    sources += _rules(client, repository, name)
    return _together(sources, flagged=flagged)


def _together(sources: Sequence[_Source], *, flagged: bool) -> Protection:
    holding = [one for one in sources if one.holds is not False]
    return Protection(
        protected=flagged or any(one.protected for one in sources),
        checks=_names(sources),
        strict_checks=_any(one.strict for one in sources),
        approvals=_most(sources),
        stale_dismissed=_any(one.stale for one in sources),
        code_owners=_any(one.owners for one in sources),
        last_pusher_excluded=_any(one.last_pusher for one in sources),
        # GitHub lets nobody approve their own pull request, whatever the settings are.
        author_excluded=True,
        administrators_bound=_all(one.bound for one in holding) if holding else False,
        force_push_refused=_any(one.force for one in sources),
        deletion_refused=_any(one.deletion for one in sources),
        direct_push_refused=_any(one.direct for one in sources),
        signatures_required=_any(one.signed for one in sources),
        open_checks=_open(sources),
        queue_merges_unjudged=any(one.head_only for one in sources),
    )


def _any(values: Iterable[bool | None]) -> bool | None:
    found = set(values)
    return True if True in found else None if None in found else False


def _all(values: Iterable[bool | None]) -> bool | None:
    found = set(values)
    return False if False in found else None if None in found else True


def _names(sources: Sequence[_Source]) -> tuple[str, ...] | None:
    """The required checks; those that can be seen are required, whatever else is."""
    names = sorted({name for one in sources for name in one.checks or ()})
    return None if not names and any(one.checks is None for one in sources) else tuple(names)


def _open(sources: Sequence[_Source]) -> tuple[str, ...]:
    """The required checks that no source takes from one App only."""
    of_app = {name for one in sources for name in one.of_app}
    return tuple(name for name in _names(sources) or () if name not in of_app)


def _of_app(checks: Iterable[Reading], key: str) -> tuple[str, ...]:
    return tuple(
        one.name("context") for one in checks if one.has(key) and one.number(key) != _ANY_APP
    )


def _most(sources: Sequence[_Source]) -> int | None:
    most = max(one.approvals or 0 for one in sources)
    return None if not most and any(one.approvals is None for one in sources) else most


def _classic(client: Client, path: str) -> _Source:
    """Branch protection. "Not protected" and "you may not look" are both a 404."""
    answer = client.get(path, accept=_DENIED)
    if answer.status in _DENIED:
        said = answer.said
        return _Source() if said == "Branch not protected" else _HIDDEN
    found = answer.reading
    checks, reviews = _part(found, "required_status_checks"), _reviews(found)
    return _Source(
        protected=True,
        checks=tuple(_contexts(checks)) if checks else (),
        strict=checks is not None and checks.flag("strict"),
        approvals=_count(reviews),
        stale=reviews is not None and reviews.flag("dismiss_stale_reviews"),
        owners=reviews is not None and reviews.flag("require_code_owner_reviews"),
        last_pusher=reviews is not None and _flag(reviews, "require_last_push_approval"),
        bound=_enabled(found, "enforce_admins") and not _passed_by(reviews),
        holds=checks is not None or reviews is not None,
        force=not _enabled(found, "allow_force_pushes"),
        deletion=not _enabled(found, "allow_deletions"),
        direct=reviews is not None,
        signed=_enabled(found, "required_signatures"),
        of_app=_of_app(checks.items("checks"), "app_id")
        if checks is not None and checks.has("checks")
        else (),
    )


def _passed_by(reviews: Reading | None) -> bool:
    """Whether somebody may merge without the reviews that are required."""
    key = "bypass_pull_request_allowances"
    allowed = _part(reviews, key) if reviews is not None else None
    kinds = ("users", "teams", "apps")
    return allowed is not None and any(
        list(allowed.items(kind)) for kind in kinds if allowed.has(kind)
    )


def _part(found: Reading, key: str) -> Reading | None:
    """A part that is left out where it is not set."""
    return found.at(key) if found.has(key) else None


def _reviews(found: Reading) -> Reading | None:
    return _part(found, "required_pull_request_reviews")


def _flag(found: Reading, key: str) -> bool:
    return found.has(key) and found.flag(key)


def _enabled(found: Reading, key: str) -> bool:
    part = _part(found, key)
    return part is not None and part.flag("enabled")


def _count(reviews: Reading | None) -> int:
    key = "required_approving_review_count"
    return reviews.number(key) if reviews is not None and reviews.has(key) else 0


def _contexts(checks: Reading) -> Iterable[str]:
    """The names, of the newer field where there is one."""
    if checks.has("checks"):
        return [one.name("context") for one in checks.items("checks")]
    return checks.texts("contexts")


def _rules(client: Client, repository: str, name: str) -> list[_Source]:
    """The active rules of all rulesets that hold for the branch."""
    found = client.pages(f"{repository}/rules/branches/{name}", accept=_DENIED)
    if found is None:
        return [_HIDDEN]
    asked: dict[int, bool | None] = {}
    sources = []
    for rule in found:
        # Which ruleset a rule is of is told by newer servers only.
        holds = rule.name("type") in _HOLDING and rule.has("ruleset_id")
        ruleset = rule.identifier("ruleset_id") if holds else 0
        if holds and ruleset not in asked:
            asked[ruleset] = _binds(client, repository, ruleset)
        sources.append(_rule(rule, bound=asked.get(ruleset)))
    return sources


def _binds(client: Client, repository: str, ruleset: int) -> bool | None:
    """Whether nobody may bypass a ruleset, which only those are told who may write it."""
    answer = client.get(f"{repository}/rulesets/{ruleset}", accept=_DENIED)
    if answer.status in _DENIED or not answer.reading.has("bypass_actors"):
        return None
    return not list(answer.reading.items("bypass_actors"))


def _rule(rule: Reading, *, bound: bool | None) -> _Source:
    """One rule; those that are not known here require nothing that is asked for."""
    match rule.name("type"):
        case "pull_request":
            return _pull_request(rule.at("parameters"), bound)
        case "required_status_checks":
            return _status_checks(rule.at("parameters"), bound)
        case "non_fast_forward" | "deletion" | "update" as kind:
            return _Source(
                protected=True,
                force=bound if kind == "non_fast_forward" else False,
                deletion=bound if kind == "deletion" else False,
                direct=bound if kind == "update" else False,
            )
        case "merge_queue":
            strategy = rule.at("parameters").text("grouping_strategy")
            return _Source(protected=True, head_only=strategy != "ALLGREEN")
        case kind:
            return _SIMPLE.get(kind, _Source(protected=True))


def _pull_request(said: Reading, bound: bool | None) -> _Source:  # noqa: FBT001 - one of three
    return _Source(
        protected=True,
        approvals=said.number("required_approving_review_count"),
        stale=said.flag("dismiss_stale_reviews_on_push"),
        owners=said.flag("require_code_owner_review"),
        last_pusher=said.flag("require_last_push_approval"),
        bound=bound,
        holds=True,
        direct=bound,
    )


def _status_checks(said: Reading, bound: bool | None) -> _Source:  # noqa: FBT001 - one of three
    checks = list(said.items("required_status_checks"))
    return _Source(
        protected=True,
        checks=tuple(one.name("context") for one in checks),
        strict=said.flag("strict_required_status_checks_policy"),
        bound=bound,
        holds=True,
        of_app=_of_app(checks, "integration_id"),
    )
