"""Whether the gate is really on: what the forge says that it enforces on the protected branch.

A workflow that runs and is not required stops nothing, and a required check that administrators may
pass over stops whom it need not. Nobody sees that until somebody has merged. So the settings are
read back and each is said by its own line. What the token may not see is never taken for "on".

A plain git server tells nobody which hooks it has; that is said, too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ordain.reconciler.doctor.checks import (
    Missing,
    fail,
    forge_settings,
    hook_of_server,
    need,
    ok,
    serving,
    skip,
    warn,
    whole,
)
from ordain.reconciler.workflows import GATE
from ordain.specs.diagnostics import plural
from ordain.specs.findings import Severity
from ordain.vcs.approvals import SKEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.reconciler.doctor.checks import Answer, Surroundings
    from ordain.vcs.host import Protection

# Where a workflow is called, its check is named after both jobs.
_CALLED: Final = f" / {GATE}"
# GitLab asks for the pipeline as a whole, by the name that its client gives to that.
_PIPELINE: Final = "pipeline"
_NOTICED: Final = timedelta(seconds=30)
_SETTINGS: Final = {
    "github": "Settings, Branches or Rules, the rule of the protected branch",
    "gitlab": "Settings, Repository, Protected branches, and Settings, Merge requests",
}


def forge(around: Surroundings) -> Answer:
    """The forge answers, and knows the protected branch."""
    settings = forge_settings(around)
    source = need(around.source)
    if settings.type == "git":
        server = serving(around)
        if server is not None:
            return hook_of_server(need(around.repository), server)
        if source.forge.remote is None:
            return ok("plain git without a remote: nothing but the reconciler holds a merge back")
        return skip(
            f"plain git: nobody can read back which hooks {source.forge.remote} has",
            "on the server: ordain hook install --server",
        )
    if not around.forge:
        return skip("not asked whether the gate is on", "ordain doctor --forge")
    found = around.protection
    if isinstance(found, Missing):
        return fail(f"{settings.type} cannot be asked: {found.reason}", found.remedy)
    return ok(f"{settings.type} answers about {source.settings.protected_branch}")


def workflow(around: Surroundings) -> Answer:
    """The pipeline that leaves the required check is in the protected branch, and is the gate."""
    from ordain.reconciler.doctor.pipelines import judge_pipelines

    source = need(around.source)
    branch = source.settings.protected_branch
    return judge_pipelines(forge_settings(around).type, source.tree(source.head()), branch)


def protected(around: Surroundings) -> Answer:
    """The branch is protected at all."""
    found = need(around.protection)
    return ok("it is") if found.protected else fail("it is not", _click(around, "protect it"))


def required_check(around: Surroundings) -> Answer:
    """Nothing is merged without the check of the gate."""
    found = need(around.protection)
    if found.checks is None:
        return _unseen(around, "which checks are required")
    wanted = _PIPELINE if forge_settings(around).type == "gitlab" else GATE
    gates = [one for one in found.checks if one == wanted or one.endswith(_CALLED)]
    if gates and set(gates).issubset(found.open_checks):
        message = f"any App or token that may write checks can leave {gates[0]} there"
        return warn(message, _click(around, "choose GitHub Actions as the source of the check"))
    if gates:
        return ok(f"required: {', '.join(found.checks)}")
    required = f"required are {', '.join(found.checks)}" if found.checks else "none is required"
    what = "require pipelines to succeed" if wanted == _PIPELINE else f"require the check {GATE}"
    return fail(f"the gate stops nothing: {required}", _click(around, what))


def queue(around: Surroundings) -> Answer:
    """Where proposals wait for each other, each of them is judged."""
    if need(around.protection).queue_merges_unjudged:
        message = "its merge queue needs the checks of the last of a group only"
        return fail(message, _click(around, "merge queue: only merge non-failing pull requests"))
    return ok("what a merge queue merges is judged one by one")


def approvals(around: Surroundings) -> Answer:
    """The forge itself asks for a review, which holds also after the check has run."""
    found = need(around.protection)
    if found.approvals is None:
        return _unseen(around, "how many approvals are required")
    if found.approvals < 1:
        message = "none is required there: a review that is taken back leaves the check green"
        return warn(message, _click(around, "require at least one approval"))
    return ok(f"{plural(found.approvals, 'approval')} required")


def _switch(
    field: str, what: str, *, off: str, click: str, grave: bool
) -> Callable[[Surroundings], Answer]:
    """A check of one switch: on, off, or not to be seen."""

    def look(around: Surroundings) -> Answer:
        value = getattr(need(around.protection), field)
        if value is None:
            return _unseen(around, f"whether {what}")
        if value:
            return ok(what)
        return (fail if grave else warn)(off, _click(around, click))

    return look


strict = _switch(
    "strict_checks",
    "a branch is brought up to date before it is merged",
    off="what was judged may not be what is merged; the reconciler judges that again",
    click="require branches to be up to date, or use a merge queue",
    grave=False,
)
stale = _switch(
    "stale_dismissed",
    "new commits dismiss approvals",
    off="approvals stay after new commits there; ordain does not count them",
    click="dismiss stale approvals when new commits are pushed",
    grave=False,
)
code_owners = _switch(
    "code_owners",
    "code owners must approve what is theirs",
    off="anybody's review is enough there, also for workflows and policies",
    click="require review from code owners",
    grave=False,
)
last_pusher = _switch(
    "last_pusher_excluded",
    "whoever pushed last cannot be the one who approves",
    off="whoever pushed last can approve there; ordain does not count that",
    click="require approval of the most recent push by somebody else",
    grave=False,
)
author = _switch(
    "author_excluded",
    "nobody approves their own proposal",
    off="authors can approve their own proposals there; ordain does not count that",
    click="prevent approval by the author",
    grave=False,
)
administrators = _switch(
    "administrators_bound",
    "administrators are held to it, too",
    off="administrators can merge past it",
    click="do not allow bypassing, and leave the list of who may empty",
    grave=True,
)
force_push = _switch(
    "force_push_refused",
    "no history can be rewritten",
    off="the history can be rewritten",
    click="refuse force pushes",
    grave=True,
)
deletion = _switch(
    "deletion_refused",
    "the branch cannot be deleted",
    off="the branch can be deleted and made anew",
    click="refuse deletion",
    grave=True,
)
direct_push = _switch(
    "direct_push_refused",
    "nothing gets there without a proposal",
    off="it can be pushed to without a proposal",
    click="require a pull request, or let no one push",
    grave=True,
)


def signatures(around: Surroundings) -> Answer:
    """The forge does not insist on signatures that only it can make.

    It knows the keys of accounts. The reconciler's key is no account's, so its promotions would
    stand there as unverified and could never be merged; and what the forge rebases loses the
    signatures that ordain counts.
    """
    found = need(around.protection)
    if found.signatures_required is None:
        return _unseen(around, "whether it insists on signed commits")
    if found.signatures_required:
        message = "signed commits are required there: the reconciler's are signed by no account"
        what = "do not require signed commits; ordain verifies every signature itself"
        return warn(message, _click(around, what))
    return ok("left to ordain, which verifies every one")


def owners_file(around: Surroundings) -> Answer:
    """The forge knows whom to ask, and the gate finds nothing wrong with that."""
    from ordain.policies.files import OWNERS_FILE
    from ordain.policies.gate import check

    source = need(around.source)
    path = OWNERS_FILE[forge_settings(around).type]
    estate, tree = whole(around), source.tree(source.head())
    if path not in tree:
        return warn(f"{path} is missing", "ordain codeowners --write, and commit it")
    said = [one for one in check(estate, around.now, tree=tree).findings if _is_owners(one.code)]
    if any(one.severity is Severity.ERROR for one in said):
        return fail(said[0].message, said[0].remedy)
    return ok(f"{path} is there, and the gate has nothing against it")


def _is_owners(code: str) -> bool:
    return code.startswith("OWN")


def rights(around: Surroundings) -> Answer:
    """The token may see everything that is asked here."""
    hidden = list(_hidden(need(around.protection)))
    if hidden:
        remedy = "use a token that may read the settings (docs/forges.md); what is hidden is not on"
        return warn(f"not to be seen with this token: {', '.join(hidden)}", remedy)
    return ok("every setting can be seen")


def _hidden(found: Protection) -> Iterator[str]:
    for name in found.__dataclass_fields__:
        if getattr(found, name) is None:
            yield name.replace("_", " ")


def clock(around: Surroundings) -> Answer:
    """The forge's clock and this one agree: what is approved in the future does not count."""
    from ordain.vcs.forges.clocks import time_of

    there = time_of(need(around.host))
    if there is None:
        return skip("the forge does not say what time it is")
    apart = abs(around.now - there)
    seconds = f"{apart.total_seconds():.0f} s apart"
    if apart > SKEW:
        return fail(f"{seconds}; approvals would be dated in the future", "set the clock")
    return warn(seconds, "set the clock") if apart > _NOTICED else ok(seconds)


def _unseen(around: Surroundings, what: str) -> Answer:
    kind = forge_settings(around).type
    return warn(
        f"{kind} does not tell this token {what}", f"look there: {_SETTINGS.get(kind, kind)}"
    )


def _click(around: Surroundings, what: str) -> str:
    kind = forge_settings(around).type
    return f"{what}: {_SETTINGS.get(kind, kind)}"
