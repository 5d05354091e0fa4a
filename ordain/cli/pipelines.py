"""Which change a pipeline runs for, as its forge says in the environment.

A gate that guesses what to judge can be made to judge the wrong thing, so nothing is guessed: the
event names base, head and number, or whoever calls says them, or it is an error. What the event
says is read strictly, because a field of another type is a forge that we do not know.

`pull_request_target` is refused whatever else is said: it runs with the rights of the base
repository on what a stranger wrote, and its commit is the base itself, so a gate there would hand
out a green check for a change that it never looked at.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.vcs.git import Repository
    from ordain.vcs.host import Host

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# No branch of git has any of these in its name; none of them may get into a refspec.
_NO_BRANCH: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/]|/$|^$")
_HEADS: Final = "refs/heads/"
# The queue names its branches after the last pull request of the group.
_QUEUE: Final = re.compile(r"gh-readonly-queue/(.+)/pr-([1-9][0-9]{0,9})-[0-9a-f]{7,64}")
_LARGEST_EVENT: Final = 32 * 2**20


class PipelineUnknown(OrdainError):
    """The environment does not say which change the pipeline runs for.

    The gate judges what the event names, or what `--base` and `--head` name, and never a guess. It
    judges no merge into another branch than the protected one, because the check stands at the
    commit and would count there, too, and none that is queued behind a merge which is not on that
    branch yet.
    """

    code = "CLI010"


class PipelineUnsafe(OrdainError):
    """The workflow runs on an event that gives a stranger's change the rights of the repository.

    With `pull_request_target` the workflow runs on the base, with secrets, for a change that
    anybody may have opened. The check it leaves stands at a commit that it did not judge.
    """

    code = "CLI011"


class System(StrEnum):
    """Whose pipeline it is."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = ""


class Occasion(StrEnum):
    """What a pipeline runs for."""

    PROPOSAL = "proposal"
    QUEUE = "queue"
    PUSH = "push"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The change that a pipeline runs for.

    `base` is a commit, or empty for the tip of the branch `target`; `head` is the commit that the
    check stands at; `ref` is where the head can be fetched. `fork` says that the head is from
    another repository, whose pipelines get no right to write here.
    `into` is the branch that a proposal or a queue merges into, where the event names it.
    """

    system: System = System.NONE
    occasion: Occasion = Occasion.NONE
    target: str = ""
    base: str = ""
    head: str = ""
    proposal: int | None = None
    ref: str = ""
    fork: bool = False
    into: str = ""


def pipeline_of(environ: Mapping[str, str]) -> Pipeline:
    """What the environment says; nothing outside of a pipeline.

    Raises:
        PipelineUnsafe: the event must not run a gate.
        PipelineUnknown: the event is not what its forge documents.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ)
    return Pipeline()


def settled(
    pipeline: Pipeline, base: str | None, head: str | None, proposal: int | None
) -> Pipeline:
    """The pipeline with what somebody has said in words in the place of what the event says.

    Raises:
        PipelineUnknown: nobody says what to judge against.
    """
    found = replace(
        pipeline,
        base=base or pipeline.base,
        target="" if base else pipeline.target,
        into="" if base else pipeline.into,
        head=head or pipeline.head or "HEAD",
        proposal=proposal if proposal is not None else pipeline.proposal,
    )
    if found.base or found.target:
        return found
    message = "nothing here says which change to judge"
    raise PipelineUnknown(message, remedy="say it: ordain gate --base COMMIT --head COMMIT")


def _github(environ: Mapping[str, str]) -> Pipeline:
    # https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    name = environ.get("GITHUB_EVENT_NAME", "")
    if name == "pull_request_target":
        raise PipelineUnsafe(
            "pull_request_target runs with the rights of the repository for a change of a stranger",
            remedy="run the gate on pull_request; a fork gets a verdict and no comment",
        )
    readers = {"pull_request": _github_proposal, "merge_group": _github_queue, "push": _github_push}
    if name not in readers:
        return Pipeline(System.GITHUB)
    return readers[name](_Event(_read_event(environ)))


def _read_event(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    place = environ.get("GITHUB_EVENT_PATH", "")
    try:
        with Path(place).open("rb") as file:
            data = file.read(_LARGEST_EVENT + 1)
        if len(data) > _LARGEST_EVENT:
            raise ValueError("it is larger than any event")
        return json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        message = f"the event of this run cannot be read from {place or 'GITHUB_EVENT_PATH'}"
        raise PipelineUnknown(f"{message}: {error}", remedy=_BY_HAND) from error


_BY_HAND: Final = "run it in a workflow, or say the change: ordain gate --base COMMIT --head COMMIT"


@dataclass(frozen=True, slots=True)
class _Event:
    """An event whose fields are of the type that is documented, or an error that names them."""

    content: Any

    def _at(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        value = self.content
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value

    def text(self, path: str) -> str:
        value = self._at(path)
        if not isinstance(value, str):
            raise _undocumented(path)
        return value

    def maybe(self, path: str) -> str:
        value = self._at(path)
        return value if isinstance(value, str) else ""

    def commit(self, path: str) -> str:
        value = self.text(path)
        if not _COMMIT.fullmatch(value):
            raise _undocumented(path)
        return value

    def branch(self, path: str) -> str:
        return _branch(self.text(path), path)

    def number(self, path: str) -> int:
        value = self._at(path)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise _undocumented(path)
        return value


def _undocumented(path: str) -> PipelineUnknown:
    return PipelineUnknown(f"{path} of this run is not what its forge documents", remedy=_BY_HAND)


def _branch(name: str, path: str) -> str:
    if _NO_BRANCH.search(name) or not _has_bytes(name):
        raise _undocumented(path)
    return name


def _has_bytes(name: str) -> bool:
    """Whether a text can be said to git: JSON can name half a character, which has no bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _github_proposal(event: _Event) -> Pipeline:
    number = event.number("pull_request.number")
    into = event.branch("pull_request.base.ref")
    # A repository that was deleted is null; what came from it is a fork's all the same.
    source, here = (
        event.maybe("pull_request.head.repo.full_name"),
        event.text("pull_request.base.repo.full_name"),
    )
    return Pipeline(
        System.GITHUB,
        Occasion.PROPOSAL,
        # Not `base.sha`, which is where the branch was when the pull request was last looked at.
        target=into,
        into=into,
        head=event.commit("pull_request.head.sha"),
        proposal=number,
        ref=f"refs/pull/{number}/head",
        fork=source != here,
    )


def _github_queue(event: _Event) -> Pipeline:
    ref = event.text("merge_group.head_ref")
    into = _branch(event.text("merge_group.base_ref").removeprefix(_HEADS), "merge_group.base_ref")
    found = _QUEUE.fullmatch(ref.removeprefix(_HEADS))
    if found and found[1] != into:
        raise _undocumented("merge_group.head_ref")
    return Pipeline(
        System.GITHUB,
        Occasion.QUEUE,
        base=event.commit("merge_group.base_sha"),
        head=event.commit("merge_group.head_sha"),
        proposal=int(found[2]) if found else None,
        ref=f"{_HEADS}{_branch(ref.removeprefix(_HEADS), 'merge_group.head_ref')}",
        into=into,
    )


def _github_push(event: _Event) -> Pipeline:
    ref = event.text("ref")
    if not ref.startswith(_HEADS):
        raise PipelineUnknown(
            "this run is for a tag, which changes nothing", remedy="run the gate on branches"
        )
    return _pushed(System.GITHUB, event.commit("before"), event.commit("after"), ref)


def _pushed(system: System, before: str, after: str, ref: str) -> Pipeline:
    _branch(ref.removeprefix(_HEADS), "the branch")
    if not after.strip("0"):
        raise PipelineUnknown(
            "this push deleted the branch, so there is nothing to judge",
            remedy="forbid deletions of the protected branch, and do not start the gate on them",
        )
    if not before.strip("0"):
        raise PipelineUnknown(
            "this push made the branch, so there is no commit before it to judge against",
            remedy="say it: ordain gate --base COMMIT",
        )
    return Pipeline(system, Occasion.PUSH, base=before, head=after, ref=ref)


def _gitlab(environ: Mapping[str, str]) -> Pipeline:
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    event = _Event(dict(environ))
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if source == "merge_request_event":
        return _gitlab_proposal(event, environ)
    if source == "push" and environ.get("CI_COMMIT_BRANCH"):
        before, after = event.commit("CI_COMMIT_BEFORE_SHA"), event.commit("CI_COMMIT_SHA")
        return _pushed(System.GITLAB, before, after, f"{_HEADS}{event.text('CI_COMMIT_BRANCH')}")
    return Pipeline(System.GITLAB)


def _gitlab_proposal(event: _Event, environ: Mapping[str, str]) -> Pipeline:
    text = event.text("CI_MERGE_REQUEST_IID")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", text):
        raise _undocumented("CI_MERGE_REQUEST_IID")
    into = event.branch("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    found = Pipeline(
        System.GITLAB,
        Occasion.PROPOSAL,
        target=into,
        into=into,
        head=event.commit("CI_COMMIT_SHA"),
        proposal=int(text),
        ref=f"refs/merge-requests/{text}/head",
        fork=event.text("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")
        != event.text("CI_MERGE_REQUEST_PROJECT_PATH"),
    )
    kind = environ.get("CI_MERGE_REQUEST_EVENT_TYPE", "")
    if kind == "merge_train":
        # The commit is the merge onto whatever stands before it in the train.
        base = event.commit("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
        ref = f"refs/merge-requests/{text}/train"
        return replace(found, occasion=Occasion.QUEUE, target="", base=base, ref=ref)
    if environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"):
        # In a pipeline of merged results the commit is a merge by the forge; the offer is this one.
        return replace(found, head=event.commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"))
    return found


def open_host(pipeline: Pipeline, repository: Repository, environ: Mapping[str, str]) -> Host:
    """The forge that runs the pipeline, by the word of its runner and never by the estate's.

    A proposal may rewrite what the estate says of its forge; the token must not go there.

    Raises:
        ForgeError: it cannot be told which repository is meant, or there is no token.
    """
    from ordain.vcs.forges import open_host as opened

    github = pipeline.system is System.GITHUB
    name = environ.get("GITHUB_REPOSITORY" if github else "CI_MERGE_REQUEST_PROJECT_PATH", "")
    url = environ.get("GITHUB_API_URL" if github else "CI_API_V4_URL", "")
    address = next(iter(repository.remotes().values()), "")
    return opened(pipeline.system.value, remote=address, environ=environ, url=url, repository=name)
