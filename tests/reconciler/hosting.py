"""A founded estate whose truth is on a stub of a forge: a bare repository and its API.

What people do there is done in the bare repository, as a forge does it; the clone only fetches.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from forges.plumbing import Bare

from ordain.policies.files import OWNERS_FILE
from ordain.policies.owners import owners
from ordain.reconciler.source import Source, open_source
from ordain.reconciler.trees import CommitTree
from ordain.specs.estates import load_estate
from ordain.vcs.git import Repository
from ordain.vcs.keys import load_signer
from ordain.vcs.objects import Identity
from tests.reconciler.conftest import MAIN, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from forges.github import GitHubStub
    from forges.github_state import MergeMethod, Pull
    from forges.gitlab import GitLabStub

    from ordain.reconciler.hosts import Opener
    from ordain.vcs.keys import Signer

ORGANIZATION = "specs/organization.yaml"
ROUTE = "specs/routes/malignancy.yaml"
Settled = TypeVar("Settled", bound="Forged")
# Login and number of each person, and of a second account of the manager.
ACCOUNTS = {"data-scientist": ("dana", 11), "manager": ("mona", 12), "cto": ("cleo", 13)}
SECOND = ("mona-at-home", 22)


@dataclass
class Forged(Bench):
    """An estate whose remote is a bare repository behind some forge."""

    site: Any = None
    opener: Opener | None = None
    forge = ""

    @property
    def bare(self) -> Path:
        return self.root / "forge.git"

    @property
    def name(self) -> str:
        """Owner and name of the repository there."""
        raise NotImplementedError

    def source(self) -> Source:
        how: dict[str, Any] = {} if self.opener is None else {"opener": self.opener}
        found = open_source(self.estate, self.environ, **how)
        found.repository.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"], prune=True)
        self._open.append(found)
        return found

    def move_in(self) -> None:
        """Found the estate again with the forge's address, accounts and remote."""
        signer = super().source().home.key("cto")
        with Repository.open(self.estate) as repository:
            old = repository.resolve(MAIN)
            settings = repository.read(old, "ordain.yaml").decode()
            forge = (
                f"forge: {{type: {self.forge}, remote: origin, url: '{self.site.url}',"
                f" repository: {self.name}}}"
            )
            settings = settings.replace("forge: {type: git, remote: origin}", forge)
            people = repository.read(old, ORGANIZATION).decode()
            for name, (login, number) in ACCOUNTS.items():
                accounts = [(login, number), *([SECOND] if name == "manager" else [])]
                listed = ", ".join(
                    f"{{forge: {self.forge}, login: {one}, id: {identifier}}}"
                    for one, identifier in accounts
                )
                line = f"- name: {name}\n"
                people = people.replace(line, f"{line}      accounts: [{listed}]\n")
            files = {"ordain.yaml": settings.encode(), ORGANIZATION: people.encode()}
            tree = repository.write_tree(old, self._with_owners(repository, old, files))
            who = Identity("cto", "cto@example.org")
            root = repository.write_commit(tree, (), "Found it", who, self.now, load_signer(signer))
            for branch in (MAIN, "refs/heads/desk"):
                repository.update_ref(branch, root, repository.refs(branch)[branch])
            before, after = repository.root_commit(old), root
        home = self.root / "home"
        (home / before[:16]).rename(home / after[:16])
        Repository.clone(str(self.estate), self.bare, bare=True).close()
        with Repository.open(self.estate) as repository:
            repository.ask("remote", "add", "origin", str(self.bare))
            self.site.bare = Bare(self.bare)
            for login, number in (*ACCOUNTS.values(), SECOND):
                self.site.person(login, id=number)

    def _with_owners(
        self, repository: Repository, above: str, files: Mapping[str, bytes | None]
    ) -> dict[str, bytes | None]:
        """These files and the CODEOWNERS that the documents then give."""
        estate = load_estate(CommitTree(repository, repository.write_tree(above, files)))
        return {**files, OWNERS_FILE[self.forge]: owners(estate, self.forge)}

    # What people do on the forge

    def owned(self, files: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """An edit on top of main, with the code owners that go with it."""
        with Repository.open(self.bare) as repository:
            return self._with_owners(repository, repository.resolve(MAIN), files)

    def push(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        by: str | Signer | None = "data-scientist",
        *,
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """A commit on a branch of the forge; a new branch begins where main is."""
        signer = self.signer(by) if isinstance(by, str) else by
        ref = f"refs/heads/{branch}"
        with Repository.open(self.bare) as repository:
            old = repository.refs(ref).get(ref)
            above = parents if parents is not None else (old or repository.resolve(MAIN),)
            tree = repository.write_tree(above[0], files)
            name = by if isinstance(by, str) else "somebody"
            who = Identity(name, f"{name}@example.org")
            commit = repository.write_commit(tree, above, "A change", who, self.now, signer)
            repository.update_ref(ref, commit, old)
        self.mirror()
        return commit

    def text(self, path: str) -> str:
        with Repository.open(self.bare) as repository:
            return repository.read(repository.resolve(MAIN), path).decode()

    def route(self, name: str = "read-twice") -> dict[str, bytes | None]:
        """A change that a manager has to approve."""
        return self.edited(ROUTE, "read-by-pathologist", name)

    def mirror(self) -> None:
        """Keep the refs that the forge has of its own."""


@dataclass
class Hosted(Forged):
    """An estate on GitHub, as far as anybody can tell over HTTP."""

    site: GitHubStub = None  # type: ignore[assignment]
    forge = "github"

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "ORDAIN_GITHUB_TOKEN": self.site.token}

    @property
    def name(self) -> str:
        return self.site.name

    def pull(self, branch: str, *, author: str = "dana", base: str = "main") -> Pull:
        found = self.site.open_pull(branch, base, author=author)
        self.mirror()
        return found

    def mirror(self) -> None:
        """`refs/pull/N/head`, which the forge keeps for every pull request that is open."""
        bare = Bare(self.bare)
        for number, one in self.site.pulls.items():
            self.site.refreshed(one)
            if one.state == "open":
                bare.must("update-ref", f"refs/pull/{number}/head", one.head_sha)

    def press(self, pull: Pull, method: MergeMethod = "merge", by: str = "mona") -> str:
        """The merge button."""
        self.site.refreshed(pull)
        made = self.site.merge(pull, method, self.site.people.need(by))
        assert made is not None, "it conflicts"
        return made


@dataclass
class OnGitLab(Forged):
    """The same on GitLab."""

    site: GitLabStub = None  # type: ignore[assignment]
    forge = "gitlab"

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "ORDAIN_GITLAB_TOKEN": self.site.token}

    @property
    def name(self) -> str:
        return self.site.path

    def open(self, branch: str, author: str = "dana") -> int:
        """A merge request; its commits are kept under `refs/merge-requests/`."""
        found = self.site.open_merge_request(branch, author=author)
        self.mirror()
        return found.iid

    def mirror(self) -> None:
        bare = Bare(self.bare)
        for number, one in self.site.merge_requests.items():
            self.site.refreshed(one)
            if one.state == "opened":
                bare.must("update-ref", f"refs/merge-requests/{number}/head", one.sha)

    def press(self, number: int, *, squash: bool = False) -> None:
        """The merge button."""
        one = self.site.refreshed(self.site.merge_requests[number])
        one.squash = squash
        assert self.site.merge(one, self.site.people.need("mona"), None, None), "it conflicts"


@contextmanager
def moved_in(kind: type[Settled], founded: Path, root: Path, site: Any) -> Iterator[Settled]:  # noqa: ANN401 - either stub
    """A copy of the founded estate that has moved to a forge."""
    shutil.copytree(founded, root, symlinks=True)
    with site:
        bench = kind(root, site=site)
        site.now = bench.now
        bench.move_in()
        yield bench
        bench.close()
