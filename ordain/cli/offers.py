"""A change as a pipeline has it: often a shallow clone of one commit, without base or approvals.

What is missing is fetched, and where that fails the command ends without a verdict: a gate that
cannot see the approvals, the base or the history must not say anything. Branches and approvals are
taken from the remote by plain git, whatever forge the estate names: a proposal may rewrite
`ordain.yaml`, and must not choose whom this machine talks to.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ordain.cli.pipelines import Occasion, Pipeline, PipelineUnknown, System
from ordain.specs.errors import SpecError
from ordain.vcs.errors import GitError, ShallowClone, UnknownRevision
from ordain.vcs.git import Repository
from ordain.vcs.plain import PlainGit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ordain.reconciler.source import Source


@dataclass(frozen=True, slots=True)
class Offer:
    """A head that is offered to a base, both as commits that are here."""

    source: Source
    base: str
    head: str


@contextmanager
def prepared(
    directory: Path, pipeline: Pipeline, environ: Mapping[str, str], *, fetch: bool
) -> Iterator[Offer]:
    """Bring here what the verdict needs, and open the estate for the length of the block.

    Raises:
        GitError: something cannot be fetched, or is not there after all.
        PipelineUnknown: what is pushed does not go on from what was there.
    """
    from ordain.cli.askpass import lent_token
    from ordain.reconciler.source import open_source

    with lent_token(environ), Repository.open(directory) as repository:
        remote = PlainGit(repository, target=pipeline.target or "main").remote
        if fetch and remote is not None:
            _complete(repository, remote)
            _fetch(repository, remote, pipeline)
        source = open_source(directory, environ)
        try:
            base = _base(source.repository, remote, pipeline)
            _refuse_beside(source, remote, pipeline, base)
            head = source.repository.resolve(pipeline.head)
            _refuse_rewritten(source.repository, pipeline, base, head)
            yield Offer(source, base, head)
        finally:
            source.repository.close()


def _complete(repository: Repository, remote: str) -> None:
    """The whole history: contributors are read from it, and so is where it is trusted to begin."""
    if repository.ask("rev-parse", "--is-shallow-repository").out.strip() != b"true":
        return
    command = ("fetch", "--quiet", "--no-tags", "--unshallow", "--", remote)
    answer = repository.ask(*command)
    if answer.code != 0:
        from ordain.vcs.process import last_line

        raise ShallowClone(
            f"{repository.path} is a shallow clone, and the rest cannot be fetched:"
            f" {last_line(answer.error)}",
            remedy="check out with the whole history (fetch-depth: 0, GIT_DEPTH: 0)",
        )


def _fetch(repository: Repository, remote: str, pipeline: Pipeline) -> None:
    """Branches, approvals, and the two commits that the event names."""
    PlainGit(repository, target=pipeline.target or "main", remote=remote).refresh()
    for commit, ref in ((pipeline.base, ""), (pipeline.head, pipeline.ref)):
        if not commit or _is_here(repository, commit):
            continue
        try:
            repository.fetch(remote, [ref or commit])
        except GitError as error:
            raise UnknownRevision(
                f"{commit[:12]} is not here and cannot be fetched: {error.message}",
                remedy="see that the token of this run may read the repository",
            ) from error


def _is_here(repository: Repository, commit: str) -> bool:
    try:
        repository.resolve(commit)
    except UnknownRevision:
        return False
    return True


def _base(repository: Repository, remote: str | None, pipeline: Pipeline) -> str:
    """The commit that is judged against: the one that is named, or the tip of the target."""
    if pipeline.base:
        return repository.resolve(pipeline.base)
    where = "refs/heads" if remote is None else f"refs/remotes/{remote}"
    return repository.resolve(f"{where}/{pipeline.target}")


def _refuse_beside(source: Source, remote: str | None, pipeline: Pipeline, base: str) -> None:
    """A check stands at a commit, so one of a merge into another branch would count for this one.

    A base that is not on the branch yet is a merge that waits in a queue before this one. Whether
    it may be merged is not known here, and its rules would be those that are judged by. In a train
    of GitLab it must have passed, or GitLab makes the train anew.
    """
    if not pipeline.into:
        return
    branch = _followed(source, base)
    if pipeline.into != branch:
        raise PipelineUnknown(
            f"this is for a merge into {pipeline.into}, and production follows {branch}",
            remedy=f"run the gate for merges into {branch} only",
        )
    if pipeline.occasion is not Occasion.QUEUE or pipeline.system is not System.GITHUB:
        return
    tip = _base(source.repository, remote, replace(pipeline, base="", target=pipeline.into))
    if not source.repository.is_ancestor(base, tip):
        raise PipelineUnknown(
            f"{base[:12]}, which this merge is queued behind, is not on {branch} yet",
            remedy="let the merge queue build one group at a time (build concurrency 1)",
        )


def _followed(source: Source, base: str) -> str:
    """The branch that production follows, by the word of the base and not of the change."""
    from ordain.reconciler.source import protected_branch_of

    try:
        return protected_branch_of(source.repository, base)
    except SpecError:
        return source.settings.protected_branch


def _refuse_rewritten(repository: Repository, pipeline: Pipeline, base: str, head: str) -> None:
    """What was pushed or queued is judged as it is, which is only what it adds to its base."""
    if pipeline.occasion not in {Occasion.PUSH, Occasion.QUEUE}:
        return
    if not repository.is_ancestor(base, head):
        raise PipelineUnknown(
            f"{head[:12]} does not go on from {base[:12]}: the history was rewritten",
            remedy="put the branch back; the reconciler stays on its last good commit",
        )
