"""Who contributed: whoever signed, and whoever a commit names beside (see `claims`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ordain.reconciler.claims import Names
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.people import UNKNOWN
from ordain.specs.trees import is_document_path
from ordain.vcs.errors import GitError
from ordain.vcs.keys import AllowedKey, PublicKey
from ordain.vcs.known_signatures import commit_keys, commit_signers
from ordain.vcs.process import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.organization import Organization

    # The documents of files in which nothing was found, by path and blob.
    ReadFiles = Mapping[tuple[str, str], tuple[Document, ...]]
    from ordain.vcs.git import Repository
    from ordain.vcs.objects import Commit


# One entry of `git log --raw -z`: mode before and after, blob before and after, status, path.
_RAW = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*\0([^\0]+)\0")
_FILES = frozenset({b"100644", b"100755"})


def commits_between(repository: Repository, base: str | None, head: str) -> tuple[str, ...]:
    """Every commit that `head` has and `base` has not, oldest first."""
    span = head if base is None else f"{base}..{head}"
    return _listed(repository, "rev-list", "--topo-order", "--reverse", span)


def signers(
    repository: Repository, commits: Sequence[str], allowed: Sequence[AllowedKey], now: datetime
) -> tuple[str | None, ...]:
    """Who signed each commit, None where nobody known did."""
    return commit_signers(repository, commits, allowed, now)


def contributors_to_model(  # noqa: PLR0913 - what is known already is handed over
    repository: Repository,
    estate: LoadedEstate,
    model: str,
    head: str,
    behind: Callable[[Commit], frozenset[str] | None] | None = None,
    *,
    ever: bool = False,
    read: ReadFiles | None = None,
    names: Names | None = None,
) -> frozenset[str]:
    """Everyone who signed a change of what a promotion of the model pins, or is named by one, since
    the version now running was proposed; without such a version, or with `ever`, since the
    beginning.

    A commit that nobody known signed contributes `UNKNOWN`, of which nobody is independent: with it
    the gate refuses promotions and Validations (SOD-UNKNOWN). The root commit is trusted by its id,
    and what the branch has undone brings nothing; neither is anybody unknown. `behind` may know who
    made what a host has committed. Names are those of the people of the estate, where no others are
    given; `read` are the documents of files that are read already.
    """
    since = None if ever else _proposed_at(repository, estate, model, head)
    span = head if since is None else f"{since}..{head}"
    paths = sorted(
        _pinned_paths(estate, model) | _former_paths(repository, estate, model, span, read or {})
    )
    commits = _listed(
        repository, "log", "--format=%H", "--full-history", "--simplify-merges", span, "--", *paths
    )
    merges = _listed(repository, "rev-list", "--merges", span)
    chosen = _choosing(repository, merges, paths) - set(commits)
    commits = (*commits, *(one for one in merges if one in chosen))
    present = allowed_keys(organization_of(estate))
    named = names or Names(estate)
    found = makers(repository, commits, present, head)
    touching = repository.commits(commits)
    if any(UNKNOWN in people for people in found):
        found = _without_excused(repository, commits, found, head)
    if behind is not None:
        told = (
            behind(commit) if UNKNOWN in people else None
            for commit, people in zip(touching, found, strict=True)
        )
        pairs = zip(found, told, strict=True)
        found = tuple(people if better is None else better for people, better in pairs)
    return frozenset[str]().union(*found, *map(named.claimed, touching))


def _without_excused(
    repository: Repository,
    commits: Sequence[str],
    found: Sequence[frozenset[str]],
    head: str,
) -> tuple[frozenset[str], ...]:
    """The makers of commits, without the unknown one of the root and of what was undone.

    Without the latter a refused commit would stand in the way of every promotion to come, although
    the branch was put right: its history goes on.
    """
    excused = {repository.root_commit(head)}
    if any(UNKNOWN in who and one not in excused for one, who in zip(commits, found, strict=True)):
        excused |= _undone(repository, head)
    return tuple(
        who - {UNKNOWN} if one in excused else who for one, who in zip(commits, found, strict=True)
    )


def _undone(repository: Repository, head: str) -> set[str]:
    """The commits of every stretch of the branch that ends with the very tree it began with.

    A tree is looked for among what still stands, so that what was undone and comes again is made by
    whoever brings it again.
    """
    standing: dict[str, str] = {}
    found: set[str] = set()
    for step in repository.commits(repository.first_parent(None, head)):
        start = standing.setdefault(step.tree, step.id)
        if start != step.id:
            found.update(commits_between(repository, start, step.id))
            while next(reversed(standing)) != step.tree:
                standing.popitem()
    return found


def makers(
    repository: Repository, commits: Sequence[str], present: Sequence[AllowedKey], head: str
) -> tuple[frozenset[str], ...]:
    """Who has made each commit, whether or not their key is good by now.

    A key that the Organization lists no more is looked for in all that the branch of `head` has
    ever listed: having a new key must not make anybody a stranger who may approve their own work.
    One that it lists still is not, so that no list that was refused can name somebody else.
    """
    keys = commit_keys(repository, commits)
    found = [_holders(key, present) for key in keys]
    if not all(found):
        ever = keys_ever(repository, head)
        found = [names or _holders(key, ever) for key, names in zip(keys, found, strict=True)]
    return tuple(names or frozenset({UNKNOWN}) for names in found)


def _holders(key: PublicKey | None, listed: Sequence[AllowedKey]) -> frozenset[str]:
    """Everyone for whom a list has this key, because any of them may have used it."""
    if key is None:
        return frozenset()
    return frozenset(one.person for one in listed if key.is_same(PublicKey.parse(one.public)))


def keys_ever(repository: Repository, head: str) -> tuple[AllowedKey, ...]:
    """Every key that the branch of `head` has ever listed, good at any time."""
    found: dict[AllowedKey, None] = {}
    for organization in organizations_ever(repository, head):
        for key in allowed_keys(organization):
            found[AllowedKey(key.person, key.public)] = None
    return tuple(found)


def organizations_ever(repository: Repository, head: str) -> Iterator[Organization]:
    """Every Organization that the branch of `head` has ever had."""
    from ordain.specs.estates import load_estate

    touched = sorted(_documents_in(repository, head, "--first-parent"))
    contents = repository.read_many(blob for _, blob in touched)
    for path, blob in touched:
        for document in load_estate({path: contents[blob]}).all("Organization"):
            yield document.spec


def commits_on_model(
    repository: Repository, estate: LoadedEstate, model: str, head: str
) -> list[Commit]:
    """The commits that changed what a model pins, its versions or its deployments, newest first."""
    paths = _pinned_paths(estate, model)
    paths |= {
        document.path
        for document in estate.documents.values()
        if getattr(document.spec, "model", None) == model
    }
    found = _listed(repository, "log", "--format=%H", head, "--", *sorted(paths))
    return repository.commits(found)


def merged_by(repository: Repository, head: str, path: str) -> tuple[str, str] | None:
    """The first-parent step (from, to) that brought a file to the branch of `head` at first.

    Only steps of the branch count: what stands in a side of a merge was never in force.
    """
    command = ("log", "--format=%H", "--first-parent", "-m", "--diff-filter=A", "--no-renames")
    added = _listed(repository, *command, head, "--", path)
    if not added:
        return None
    commit = repository.commit(added[-1])
    return (commit.parents[0], commit.id) if commit.parents else None


def untouched(repository: Repository, seen: str, base: str, paths: Sequence[str]) -> bool:
    """Whether `base` goes on from `seen` and no step of the branch between touched these files."""
    if seen == base:
        return True
    try:
        if not repository.is_ancestor(seen, base):
            return False
    except GitError:
        # Nobody has ever seen that commit here.
        return False
    command = ("log", "--first-parent", "--format=%H", f"{seen}..{base}")
    return not _listed(repository, *command, "--", *paths)


def signers_of(
    repository: Repository, path: str, commits: Sequence[str], signed: Sequence[str | None]
) -> frozenset[str]:
    """Who signed those of the commits that touch a file, merges that choose its content too."""
    if not commits:
        # Without one, git would look at the newest of all.
        return frozenset()
    command = ("log", "--no-walk=unsorted", "--format=%H", *commits, "--", path)
    touching = set(_listed(repository, *command)) | _choosing(repository, commits, [path])
    return known(who for one, who in zip(commits, signed, strict=True) if one in touching)


def _choosing(
    repository: Repository, commits: Sequence[str], paths: Sequence[str]
) -> frozenset[str]:
    """The merges that hold at one of the paths what merging their parents does not give.

    Git takes a merge with the content of one parent for one that has changed nothing. But whoever
    puts back what the other parent has replaced decides what the file says.
    """
    differing = repository.merges_differing(commits, paths)
    return frozenset(
        merge for merge, found in differing.items() if repository.holds_of_its_own(merge, found)
    )


def _pinned_paths(estate: LoadedEstate, model: str) -> set[str]:
    """The files whose content decides what a promotion of the model brings."""
    document = estate.get("Model", model)
    if document is None:
        return set()
    dataset = estate.get("Dataset", document.spec.dataset or "")
    paths = {document.path, *_named_files(document)}
    if dataset is not None:
        paths |= {dataset.path, *_named_files(dataset)}
    for settings in estate.all("Estate"):
        paths.update(_named_files(settings))
    return paths


def _former_paths(
    repository: Repository,
    estate: LoadedEstate,
    model: str,
    span: str,
    read: ReadFiles,
) -> set[str]:
    """Files in which a pinned document stood during the span, and files that it named then.

    Without them, who edits a model, its data or the lock, and then has the file moved by somebody
    else, would be no contributor. Renames are not guessed as git does; the documents themselves
    are looked for.
    """
    from ordain.specs.estates import load_estate

    document = estate.get("Model", model)
    if document is None:
        return set()
    wanted = {document.key, f"Dataset/{document.spec.dataset}"}
    touched = _documents_in(repository, span)
    contents = repository.read_many(blob for _, blob in touched - read.keys())
    found: set[str] = set()
    for path, blob in touched:
        # Each is read: a name can be written in YAML without its letters standing there.
        documents = read.get((path, blob))
        if documents is None:
            documents = tuple(load_estate({path: contents[blob]}).documents.values())
        for one in documents:
            if one.key in wanted or one.kind == "Estate":
                found |= {path, *_named_files(one)}
    return found


def _named_files(document: Document) -> tuple[str, ...]:
    """The files of the estate that a Model, a Dataset or the Estate names."""
    spec = document.spec
    if document.kind == "Model":
        named = [spec.explanation.reasons]
    elif document.kind == "Dataset":
        named = [spec.source.uri, spec.source.query]
    else:
        named = [spec.environment_lock]
    # Addresses and absolute paths lead out of the repository, where git refuses to look.
    return tuple(path for path in named if path and not path.startswith(("/", ":", "..")))


def _documents_in(repository: Repository, span: str, *options: str) -> set[tuple[str, str]]:
    """(path, blob) of every document that a span of commits has touched, before and after it."""
    command = (
        "log",
        "-m",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--format=",
        *options,
        span,
    )
    answer = repository.ask(*command)
    if answer.code != 0:
        raise failure(command, answer)
    found = set()
    for old_mode, new_mode, old, new, name in _RAW.findall(answer.out):
        path = name.decode("utf-8", "surrogateescape")
        if is_document_path(path):
            sides = ((old_mode, old), (new_mode, new))
            found |= {(path, blob.decode()) for mode, blob in sides if mode in _FILES}
    return found


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
    step = merged_by(repository, head, oldest.path)
    if step is None:
        return None
    before, after = step
    # What was merged between proposal and merge is not in what was approved.
    offered = repository.commit(after).parents[1:2]
    return repository.merge_base(before, offered[0]) if offered else before


def _listed(repository: Repository, *command: str) -> tuple[str, ...]:
    answer = repository.ask(*command)
    if answer.code != 0:
        raise failure(command, answer)
    return tuple(answer.out.decode().split())


def known(names: Iterable[str | None]) -> frozenset[str]:
    """Signers as contributors: nobody known is `UNKNOWN`."""
    return frozenset(name or UNKNOWN for name in names)
