"""Whether a pipeline that is called the gate is the gate: what the protected branch lets run.

A required check of the right name says nothing about what runs behind it. A job that is skipped
counts as passed on GitHub, a job that no rule starts is not missed on GitLab, and a shell can end
well whatever a command in it said. So a job is read: what lets it pass or stay away is a failure.
What its shell says can be read by no machine, and a list of what lets a job pass is never whole. So
whatever is not as `ordain init --ci` writes it is told, because it may be right; the words that a
project must choose itself (its runner, a newer version of an action, the image) are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ordain.reconciler.doctor.checks import State, fail, ok, warn
from ordain.reconciler.workflows import (
    GATE,
    GITHUB_GATE,
    GITHUB_REVIEWS,
    GITLAB_ENTRY,
    GITLAB_GATE,
    pipeline_files,
)
from ordain.specs.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.reconciler.doctor.checks import Answer

# In a job of GitHub or of GitLab, what lets it pass whatever it finds.
_FORGIVING: Final = ("continue-on-error", "allow_failure")
_ANYHOW: Final = re.compile(r"ordain\"? gate\b[^\n]*\|\|")
_RUNS_GATE: Final = re.compile(r"ordain\"? gate\b|/gate\.yml@|/ordain(/[^@]*)?@")
_WORKFLOWS: Final = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_RUN_AGAIN: Final = re.compile(r"workflows/([^/\s\"']+\.ya?ml)/runs")
# What somebody may say of a workflow, a job, a step without changing what the gate says.
_FLOW: Final = frozenset({"name", "run-name", "on", True, "permissions", "concurrency", "jobs"})
_JOB: Final = frozenset({"name", "runs-on", "timeout-minutes", "permissions", "concurrency"})
_CALL: Final = frozenset({"uses", "with", "secrets"})
_STEP: Final = frozenset({"name", "id", "timeout-minutes"})
_TOKENS: Final = frozenset({"VERSION", "GITHUB_TOKEN", "ORDAIN_GITHUB_TOKEN"})
_INPUTS: Final = frozenset({"version", "python", "args", "token"})
_CHOOSING: Final = re.compile(r"--(base|head|proposal|no-fetch)\b")
# The activities of a pull request that bring another commit, or the first one.
_ACTIVITIES: Final = frozenset({"opened", "synchronize", "reopened"})
_GITLAB_JOB: Final = frozenset({"stage", "image", "timeout", "interruptible", "tags", "artifacts"})
_OFFICIAL: Final = re.compile(r"(\S+/)?python:\S+")
_ONE_SOURCE: Final = re.compile(r"""\s*\$CI_PIPELINE_SOURCE\s*==\s*(["'])(\w+)\1\s*""")
_NOT_BY_ITSELF: Final = frozenset({"manual", "never", "delayed", "on_failure"})
# What GitLab says of every merge request; any more to it, and it is some of them.
_MERGE_REQUEST: Final = re.compile(
    r"""\s*\$CI_(PIPELINE_SOURCE\s*==\s*(["'])merge_request_event\2|MERGE_REQUEST_I?ID)\s*"""
)
_NARROWING: Final = ("changes", "exists")


def judge_pipelines(kind: str, tree: Mapping[str, bytes], branch: str) -> Answer:
    """What the files of a forge let run before a merge into the protected branch."""
    return _on_gitlab(tree) if kind == "gitlab" else _on_github(tree, branch)


def _missing(kind: str) -> Answer:
    remedy = f"ordain init --ci {kind} . && git add -A, and merge that"
    return fail(f"no pipeline of {kind} on the protected branch has a job named {GATE}", remedy)


# GitHub


def _on_github(tree: Mapping[str, bytes], branch: str) -> Answer:
    flows = {path: _mapping(tree[path]) for path in tree if _WORKFLOWS.fullmatch(path)}
    gates = [(path, flow, one) for path, flow in flows.items() for one in _gate_jobs(flow)]
    if not gates:
        return _missing("github")
    paths = tuple(dict.fromkeys(path for path, _, _ in gates))
    answers = [one for path, flow, job in gates for one in _of_gate(path, flow, job, branch)]
    said = [one for one in (*answers, _not_again(paths, tree, flows)) if one is not None]
    if said:
        return next((one for one in said if one.state is State.FAIL), said[0])
    return ok(f"{', '.join(paths)}: the job {GATE} runs on pull_request and merge_group")


def _of_gate(
    path: str, flow: Mapping[Any, Any], job: Mapping[Any, Any], branch: str
) -> Iterator[Answer | None]:
    yield _hollow(path, job) or _skipped(path, job)
    yield _wrong_events(path, _events(flow)) or _narrowed(path, flow, branch)
    yield _unlike(path, flow, job)


def _hollow(path: str, job: Mapping[Any, Any]) -> Answer | None:
    """What lets a job with the name of the gate pass, whatever the gate says."""
    steps = _steps(job)
    said = [*(_says(one) for one in steps), *_shell(job), str(job.get("uses") or "")]
    forgiven = any(one.get(key) for one in (job, *steps) for key in _FORGIVING)
    if forgiven or any(_ANYHOW.search(one) for one in said):
        return fail(f"the job {GATE} in {path} may fail and pass all the same", _remedy(path))
    if not any(_RUNS_GATE.search(one) for one in said):
        return fail(f"the job {GATE} in {path} does not run ordain gate", _remedy(path))
    return None


def _skipped(path: str, job: Mapping[Any, Any]) -> Answer | None:
    gates = [one for one in _steps(job) if _RUNS_GATE.search(_says(one))]
    if {"if", "needs"}.isdisjoint(job) and not any("if" in one for one in gates):
        return None
    message = f"the job {GATE} in {path} can be skipped (`if`, `needs`), which counts as passed"
    return fail(message, _remedy(path))


def _steps(job: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    return [one for one in _listed(job.get("steps")) if isinstance(one, dict)]


def _remedy(path: str) -> str:
    return f"let it run `ordain gate`, and let it fail: see what ordain init writes, in {path}"


def _unlike(path: str, flow: Mapping[Any, Any], job: Mapping[Any, Any]) -> Answer | None:
    """Said where what runs is none that ordain writes, so that nobody can vouch for it.

    The version in a file may be another than this one, as may those of actions.
    """
    if not _FLOW.issuperset(flow):
        return _unread(path)
    if "uses" in job:
        return None if (_JOB | _CALL).issuperset(job) else _unread(path)
    steps = _listed(job.get("steps"))
    if not (_JOB | {"steps"}).issuperset(job) or not all(map(_as_written, _until_gate(steps))):
        return _unread(path)
    return None


def _until_gate(steps: list[Any]) -> Iterator[Any]:
    """The steps up to that of the gate: nothing after it can take back that it failed."""
    for one in steps:
        yield one
        if isinstance(one, dict) and _RUNS_GATE.search(_says(one)):
            return


def _unread(path: str) -> Answer:
    message = f"the job {GATE} in {path} is not as ordain init writes it, and was not understood"
    return warn(message, f"compare it with what `ordain init --ci` writes; it stays yours: {path}")


def _as_written(step: Any) -> bool:  # noqa: ANN401 - anything that YAML can say
    """Whether a step is one that `ordain init` writes, or the action that is the gate."""
    if not isinstance(step, dict):
        return False
    if "uses" in step and _RUNS_GATE.search(_says(step)):
        words = step.get("with") or {}
        plain = isinstance(words, dict) and _INPUTS.issuperset(words)
        chosen = plain and _CHOOSING.search(str(words.get("args", "")))
        return (_STEP | {"uses", "with"}).issuperset(step) and plain and not chosen
    (job,) = _gate_jobs(_mapping(_template("github", GITHUB_GATE)))
    return _essence(step) in [_essence(one) for one in _steps(job)]


def _essence(step: Mapping[Any, Any]) -> dict[Any, Any]:
    """A step without what a project may choose: names, versions, which of two tokens."""
    found = {key: value for key, value in step.items() if key not in _STEP}
    if "uses" in found:
        found["uses"] = str(found["uses"]).partition("@")[0]
    if "run" in found:
        found["run"] = str(found["run"]).strip()
    for key, mine in (("env", _TOKENS), ("with", frozenset({"python-version"}))):
        if isinstance(found.get(key), dict):
            found[key] = {name: value for name, value in found[key].items() if name not in mine}
        if found.get(key) == {}:
            del found[key]
    return found


def _template(kind: str, path: str) -> bytes:
    return pipeline_files(kind, version="", branch="")[path].encode()


def _says(step: Mapping[Any, Any]) -> str:
    return str(step.get("run") or step.get("uses") or "")


def _wrong_events(path: str, events: frozenset[str]) -> Answer | None:
    if "pull_request_target" in events:
        return fail(f"{path} runs on pull_request_target", "run it on pull_request instead")
    if "pull_request" not in events:
        return fail(f"{path} does not run on pull_request", f"add it to `on:` in {path}")
    if "merge_group" not in events:
        message = f"{path} does not run on merge_group, so a merge queue would wait for ever"
        return warn(message, f"add merge_group to `on:` in {path}")
    return None


def _narrowed(path: str, flow: Mapping[Any, Any], branch: str) -> Answer | None:
    """Said where some changes of the protected branch do not start the workflow."""
    on = flow.get("on", flow.get(True))
    for event in ("pull_request", "merge_group"):
        said = on.get(event) if isinstance(on, dict) else None
        if said is not None and not _whole(said, branch):
            message = f"{path} does not surely run on every {event} into {branch}"
            return warn(message, f"say no more there than `branches: [{branch}]`, in {path}")
    return None


def _whole(said: Any, branch: str) -> bool:  # noqa: ANN401 - anything that YAML can say
    if not isinstance(said, dict) or not {"branches", "types"}.issuperset(said):
        return False
    branches, types = _listed(said.get("branches")), _listed(said.get("types"))
    # A pattern with `!` takes away again what stands before it.
    named = branch in branches and not any(str(one).startswith("!") for one in branches)
    wanted = {"checks_requested"} if "checks_requested" in types else _ACTIVITIES
    return ("branches" not in said or named) and ("types" not in said or wanted.issubset(types))


def _not_again(
    gates: tuple[str, ...], tree: Mapping[str, bytes], flows: Mapping[str, Mapping[Any, Any]]
) -> Answer | None:
    """Said where a review does not lead to another run of the workflow that has the gate."""
    names = {path.rpartition("/")[2] for path in gates}
    name = gates[0].rpartition("/")[2]
    remedy = f"ordain init --ci github . && git add {GITHUB_REVIEWS}, and merge that"
    if GITHUB_GATE not in gates:
        remedy = f"take ordain's {GITHUB_REVIEWS} (docs/ci.md), with {name} for ordain.yml in it"
    after = [path for path, flow in flows.items() if "pull_request_review" in _events(flow)]
    if not after:
        return warn("a review that comes or is taken back does not run the gate again", remedy)
    for path in after:
        again = set(_RUN_AGAIN.findall(tree[path].decode("utf-8", "replace")))
        if again and not again & names:
            message = f"after a review {path} runs {min(again)} again, and the gate is in {name}"
            return warn(message, f"put {name} in the place of {min(again)} in {path}")
    return None


def _gate_jobs(flow: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """The jobs of a workflow whose check is the gate's."""
    jobs = flow.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if isinstance(job, dict) and (job.get("name") == GATE or _calls_gate(job)):
            yield job


def _calls_gate(job: Mapping[Any, Any]) -> bool:
    return "/gate.yml@" in str(job.get("uses", ""))


def _events(one: Mapping[Any, Any]) -> frozenset[str]:
    # YAML 1.1 reads a bare `on` as true.
    found = one.get("on", one.get(True, ()))
    return frozenset({found} if isinstance(found, str) else map(str, found or ()))


# GitLab


def includes_gate(entry: bytes) -> bool:
    """Whether a `.gitlab-ci.yml` includes the file of the gate in every pipeline."""
    return any(_brings_gate(one) for one in _listed(_mapping(entry).get("include")))


def _brings_gate(one: Any) -> bool:  # noqa: ANN401 - anything that YAML can say
    if isinstance(one, dict):
        return "rules" not in one and _brings_gate(one.get("local"))
    return isinstance(one, str) and matches(one, GITLAB_GATE)


def _on_gitlab(tree: Mapping[str, bytes]) -> Answer:
    entry = tree.get(GITLAB_ENTRY, b"")
    own = _mapping(entry).get(GATE)
    there = _mapping(tree.get(GITLAB_GATE, b"")).get(GATE)
    if isinstance(there, dict) and includes_gate(entry):
        # What the file that includes says of a job is put over what is included.
        job, path = {**there, **(own if isinstance(own, dict) else {})}, GITLAB_GATE
    elif isinstance(own, dict):
        job, path = own, GITLAB_ENTRY
    elif isinstance(there, dict):
        message = f"{GITLAB_GATE} runs in no merge request: {GITLAB_ENTRY} does not include it"
        remedy = f"add to {GITLAB_ENTRY}: include: [{{local: {GITLAB_GATE}}}]"
        return fail(message, remedy)
    else:
        return _missing("gitlab")
    return (
        _hollow(path, job)
        or _not_started(path, job)
        or _no_pipeline(_mapping(entry))
        or _unlike_job(path, job)
        or _put_over(entry)
        or ok(f"{path} has the job {GATE}")
    )


def _not_started(path: str, job: Mapping[Any, Any]) -> Answer | None:
    """What keeps a job of GitLab out of merge requests, or lets it fail in some of them."""
    rules = [one for one in _listed(job.get("rules")) if isinstance(one, dict)]
    if any(one.get("allow_failure") for one in rules):
        return fail(f"the job {GATE} in {path} may fail and pass all the same", _remedy(path))
    if any(str(one.get("when")) in _NOT_BY_ITSELF for one in (job, *rules)):
        return fail(f"the job {GATE} in {path} does not start by itself (`when`)", _remedy(path))
    if not any(_always_in_merge_requests(one) for one in rules):
        message = f"no rule of the job {GATE} in {path} starts it for every merge request"
        return fail(message, f"give it the rules that ordain init writes, in {path}")
    return None


def _always_in_merge_requests(rule: Mapping[Any, Any]) -> bool:
    if any(key in rule for key in _NARROWING):
        return False
    return "if" not in rule or _MERGE_REQUEST.fullmatch(str(rule["if"])) is not None


def _no_pipeline(entry: Mapping[Any, Any]) -> Answer | None:
    """Said where `workflow` does not surely let a merge request have a pipeline at all."""
    said = entry.get("workflow")
    rules = _listed(said.get("rules")) if isinstance(said, dict) else []
    first = next((one for one in rules if isinstance(one, dict) and _of_merge_requests(one)), None)
    if not rules or (first is not None and _starts(first)):
        return None
    message = f"`workflow` in {GITLAB_ENTRY} does not surely start a pipeline for merge requests"
    remedy = 'put first among its rules: if: $CI_PIPELINE_SOURCE == "merge_request_event"'
    return warn(message, remedy)


def _of_merge_requests(rule: Mapping[Any, Any]) -> bool:
    """Whether a rule may hold for a merge request: all but those that name another source."""
    source = _ONE_SOURCE.fullmatch(str(rule.get("if")))
    return source is None or source[2] == "merge_request_event"


def _starts(rule: Mapping[Any, Any]) -> bool:
    return _always_in_merge_requests(rule) and rule.get("when", "always") == "always"


def _unlike_job(path: str, job: Mapping[Any, Any]) -> Answer | None:
    """Said of a job that is none that ordain writes; see `_unlike`."""
    wanted = _mapping(_template("gitlab", GITLAB_GATE))[GATE]
    return None if _frame(job) == _frame(wanted) else _unread(path)


def _frame(job: Mapping[Any, Any]) -> dict[Any, Any]:
    """A job without what a project may choose: version, runner, time, image, other rules."""
    found = {key: value for key, value in job.items() if key not in _GITLAB_JOB | {"rules"}}
    found["image"] = bool(_OFFICIAL.fullmatch(str(job.get("image"))))
    variables = found.get("variables")
    if isinstance(variables, dict):
        found["variables"] = {**variables, "ORDAIN_VERSION": ""}
    rules = [one for one in _listed(job.get("rules")) if isinstance(one, dict)]
    found["rules"] = all({"if", "when"}.issuperset(one) for one in rules)
    found["script"] = _shell(job)
    return found


def _put_over(entry: bytes) -> Answer | None:
    """Said of what is included after the gate and can say something else of its job."""
    included = _listed(_mapping(entry).get("include"))
    gate = next((at for at, one in enumerate(included) if _brings_gate(one)), len(included))
    if not included[gate + 1 :]:
        return None
    message = f"{GITLAB_ENTRY} includes more after {GITLAB_GATE}, which may change its job"
    return warn(message, f"include {GITLAB_GATE} last")


def _shell(job: Mapping[Any, Any]) -> list[str]:
    return [str(one).strip() for one in _listed(job.get("script"))]


# YAML


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - anything that YAML can say
    return value if isinstance(value, list) else [] if value is None else [value]


def _mapping(data: bytes) -> dict[Any, Any]:
    import yaml

    class Reader(yaml.SafeLoader):
        """Takes the words of GitLab's own (`!reference`) for nothing, and refuses no file."""

    Reader.add_multi_constructor("!", lambda *_: None)
    try:
        found = yaml.load(data, Reader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
