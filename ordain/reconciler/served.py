"""The repository that a git server keeps, as a hook finds it in the middle of a push.

What is trusted is in the configuration of the repository (`ordain.ref`, `ordain.root`), written by
whoever runs the server, and never in the estate: a merge could change it there. Refs are listed by
git once; one that cannot be read stops everything, because a branch that looks absent could be
pushed anew. Taking `HEAD` for the protected branch was refused, since it can name any branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.reconciler.errors import ServerUnready
from ordain.reconciler.people import organization_of
from ordain.reconciler.source import served_source
from ordain.specs.errors import SpecError
from ordain.specs.estates import load_estate
from ordain.specs.trees import is_document_path
from ordain.vcs.errors import UnknownRevision, VcsError
from ordain.vcs.process import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.reconciler.source import Source
    from ordain.reconciler.trees import CommitTree
    from ordain.specs.kinds.organization import Organization
    from ordain.vcs.git import Repository

REF: Final = "ordain.ref"
ROOT: Final = "ordain.root"
HEADS: Final = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Served:
    """An estate on a server before a push.

    `ref` is the protected branch, `base` the commit that it is on, or the root of trust while it is
    not there (`founded` is false then). `symbolic` are refs that stand for others, `tree` are the
    files of `base`, which are read once for all that is asked of them.
    """

    source: Source
    ref: str
    root: str
    base: str
    founded: bool
    refs: Mapping[str, str]
    symbolic: frozenset[str]
    organization: Organization
    tree: CommitTree

    @property
    def repository(self) -> Repository:
        return self.source.repository

    @property
    def branch(self) -> str:
        """The protected branch by its short name."""
        return self.ref.removeprefix(HEADS)


def open_served(repository: Repository, environ: Mapping[str, str]) -> Served:
    """Read what a push is judged by.

    Raises:
        ServerUnready: nobody has said where trust begins, or it cannot be read.
    """
    ref, root = trusted(repository)
    refs, symbolic = _all_refs(repository)
    founded = ref in refs
    base = refs.get(ref, root)
    try:
        repository.commit(base)
        source = served_source(repository, ref.removeprefix(HEADS), base, environ)
        tree = source.tree(base)
        organization = _people_in(source, tree)
    except UnknownRevision as error:
        raise _unfounded(ref, root, founded=founded) from error
    except (SpecError, VcsError) as error:
        message = f"{ref} is at {base[:12]}, which cannot be read: {error.message}"
        raise ServerUnready(message, remedy=f"whoever runs the server: {error.remedy}") from error
    served = Served(source, ref, root, base, founded, refs, symbolic, organization, tree)
    _refuse_other_branch(served)
    return served


def trusted(repository: Repository) -> tuple[str, str]:
    """The protected ref and the root of trust that whoever runs the server has set."""
    answer = repository.ask("config", "--local", "-z", "--get-regexp", r"^ordain\.(ref|root)$")
    pairs = (one.split("\n", 1) for one in answer.out.decode("utf-8", "replace").split("\0")[:-1])
    found = {pair[0]: pair[-1] for pair in pairs}
    if not found.get(REF, "").startswith(HEADS) or not found.get(ROOT):
        message = "this repository does not know which branch it protects, or where trust begins"
        remedy = "whoever runs the server: ordain hook install --server --root COMMIT"
        raise ServerUnready(message, remedy=remedy)
    return found[REF], found[ROOT]


def _all_refs(repository: Repository) -> tuple[dict[str, str], frozenset[str]]:
    """Every ref with the object it points to, and which of them are symbolic."""
    command = ("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)")
    answer = repository.ask(*command)
    # Not by `splitlines`: a name may hold what Unicode takes for the end of a line.
    lines = checked(answer, command).decode("utf-8", "surrogateescape").split("\n")[:-1]
    if answer.error.strip():
        # Git leaves a broken ref out, says so here, and ends well.
        message = f"a ref of this repository cannot be read: {answer.error.strip().splitlines()[0]}"
        remedy = "whoever runs the server: see git fsck, and put the ref back from a good clone"
        raise ServerUnready(message, remedy=remedy)
    rows = [line.split("\0") for line in lines]
    return {name: at for name, at, _ in rows}, frozenset(name for name, _, to in rows if to)


def _people_in(source: Source, tree: CommitTree) -> Organization:
    """The Organization of a commit that has passed the gate, without loading all of it.

    The gate has let exactly one through (GATE004). A file that declares it without the word's own
    letters is found by loading everything.
    """
    documents = ((path, tree[path]) for path in tree if is_document_path(path))
    near = {path: data for path, data in documents if b"Organization" in data}
    estate = load_estate(near, known=source.known)
    if len(estate.all("Organization")) != 1:
        estate = load_estate(tree, known=source.known)
    return organization_of(estate)


def _unfounded(ref: str, root: str, *, founded: bool) -> ServerUnready:
    if founded:
        message = f"{ref} points to a commit that is not there"
        remedy = "whoever runs the server: see git fsck, and put it back from a good clone"
        return ServerUnready(message, remedy=remedy)
    message = f"there is no {ref} yet, and the push does not bring {root[:12]}, where trust begins"
    remedy = f"push the branch of the estate first: git push REMOTE {ref.removeprefix(HEADS)}"
    return ServerUnready(message, remedy=remedy)


def _refuse_other_branch(served: Served) -> None:
    """Where estate and server name two branches, nobody knows which one production follows."""
    declared = served.source.settings.protected_branch
    if served.ref != f"{HEADS}{declared}":
        message = f"the estate follows the branch {declared}, this server protects {served.branch}"
        remedy = f"whoever runs the server: git config {REF} {HEADS}{declared}"
        raise ServerUnready(message, remedy=remedy)
