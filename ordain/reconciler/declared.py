"""Which versions the branch has declared for a Deployment, one step after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.vcs.git import Repository


def declared(
    repository: Repository, deployment: Document, span: str
) -> Iterator[tuple[str, int | None]]:
    """The steps of the branch in a span that touch a Deployment, newest first, and its version.

    A step in which it cannot be read, or is of another model, says nothing and is left out.

    Raises:
        GitError: the span is not of this clone.
    """
    from ordain.specs.estates import load_estate

    command = ("log", "--first-parent", "-m", "--format=%H", span, "--", deployment.path)
    for commit in dict.fromkeys(repository.ask(*command).out.decode().split()):
        try:
            data = repository.read(commit, deployment.path)
        except OrdainError:
            continue
        found = load_estate({deployment.path: data}).get("Deployment", deployment.name)
        if found is not None and found.spec.model == deployment.spec.model:
            yield commit, found.spec.version


def ran_before(
    versions: Sequence[int], running: int | None, estate: LoadedEstate, model: str
) -> tuple[int, ...]:
    """The versions that a rollback may go to, the last one first; `versions` are newest first.

    They ran before the one that runs, are older, have a ModelVersion, and nobody has moved away
    from them to an older one: what was withdrawn once comes back by a promotion and its quorum.
    """
    withdrawn: set[int] = set()
    for old, new in pairwise(reversed(versions)):
        if new < old:
            withdrawn.add(old)
        withdrawn.discard(new)
    after = versions[versions.index(running) + 1 :] if running in versions else versions
    return tuple(
        one
        for one in dict.fromkeys(after)
        if one not in withdrawn
        and (running is None or one < running)
        and estate.versions(model, one)
    )
