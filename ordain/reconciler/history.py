"""Who contributed: read from signatures, never from what a commit says of its author."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.vcs.process import failure
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ordain.specs.documents import LoadedEstate
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey
    from ordain.vcs.objects import Commit

UNKNOWN = "an unknown signer"


def commits_between(repository: Repository, base: str | None, head: str) -> tuple[str, ...]:
    """Every commit that `head` has and `base` has not, oldest first."""
    span = head if base is None else f"{base}..{head}"
    return _listed(repository, "rev-list", "--topo-order", "--reverse", span)


def signers(
    repository: Repository, commits: Sequence[str], allowed: Sequence[AllowedKey], now: datetime
) -> tuple[str | None, ...]:
    """Who signed each commit, None where nobody known did."""
    found = repository.commits(commits)
    return tuple(commit_signer(commit, allowed, now).person for commit in found)


def contributors_to_model(
    repository: Repository,
    estate: LoadedEstate,
    model: str,
    head: str,
    allowed: Sequence[AllowedKey],
    now: datetime,
) -> frozenset[str]:
    """Everyone who signed a change of what a promotion of the model pins, since the version now
    running was proposed; without such a version, since the beginning.

    A commit that nobody known signed contributes `UNKNOWN`, which no approval can be independent of.
    """
    paths = _pinned_paths(estate, model)
    since = _proposed_at(repository, estate, model, head)
    span = head if since is None else f"{since}..{head}"
    commits = _listed(
        repository, "log", "--format=%H", "--full-history", "--simplify-merges", span, "--", *paths
    )
    found = signers(repository, commits, allowed, now)
    return frozenset(name or UNKNOWN for name in found)


def commits_on_model(
    repository: Repository, estate: LoadedEstate, model: str, head: str
) -> list[Commit]:
    """The commits that changed what a model pins, its versions or its deployments, newest first."""
    paths = set(_pinned_paths(estate, model))
    paths |= {
        document.path
        for document in estate.documents.values()
        if getattr(document.spec, "model", None) == model
    }
    found = _listed(repository, "log", "--format=%H", head, "--", *sorted(paths))
    return repository.commits(found)


def merged_by(repository: Repository, head: str, path: str) -> tuple[str, str] | None:
    """The first-parent step (from, to) that brought a file to the branch of `head`."""
    command = ("log", "--format=%H", "--first-parent", "-m", "--diff-filter=A", "--no-renames")
    added = _listed(repository, *command, head, "--", path)
    if not added:
        return None
    commit = repository.commit(added[-1])
    return (commit.parents[0], commit.id) if commit.parents else None


def _pinned_paths(estate: LoadedEstate, model: str) -> tuple[str, ...]:
    """The files whose content decides what a promotion of the model brings."""
    document = estate.get("Model", model)
    if document is None:
        return ()
    paths = {document.path}
    dataset = estate.get("Dataset", document.spec.dataset or "")
    if dataset is not None:
        paths.add(dataset.path)
    if document.spec.explanation.reasons is not None:
        paths.add(document.spec.explanation.reasons)
    paths.update(settings.spec.environment_lock for settings in estate.all("Estate"))
    return tuple(sorted(paths))


def _proposed_at(repository: Repository, estate: LoadedEstate, model: str, head: str) -> str | None:
    """The commit on top of which the newest running version of the model was proposed."""
    running = {
        deployment.spec.version
        for deployment in estate.all("Deployment")
        if deployment.spec.model == model and deployment.spec.version is not None
    }
    versions = [
        document
        for document in estate.all("ModelVersion")
        if document.spec.model == model and document.spec.version in running
    ]
    if not versions:
        return None
    oldest = min(versions, key=lambda document: int(document.spec.version))
    added = _listed(
        repository, "log", "--format=%H", "--diff-filter=A", "--no-renames", head, "--", oldest.path
    )
    parents = repository.commit(added[-1]).parents if added else ()
    return parents[0] if parents else None


def _listed(repository: Repository, *command: str) -> tuple[str, ...]:
    answer = repository.ask(*command)
    if answer.code != 0:
        raise failure(command, answer)
    return tuple(answer.out.decode().split())


def known(names: Iterable[str | None]) -> frozenset[str]:
    """Signers as contributors: nobody known is `UNKNOWN`."""
    return frozenset(name or UNKNOWN for name in names)
