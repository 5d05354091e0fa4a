"""The git side: one repository, one exact ref, and where its history is trusted to begin.

The truth is the protected branch of the remote when there is one, else the local branch. What is
trusted is pinned in the state store at the first pass (ref, remote address, root commit), because
an estate that names its own trust root could rename it in the commit that needs it.

A host is opened when something is asked of it, and the gate asks the one that the *base* of a
change names: a change of `forge:` must not choose who vouches for it.

For all that is asked of a forge besides, the settings of the last good commit count where there is
one: a commit that is refused chooses nobody to speak with.

A newest commit whose `ordain.yaml` is broken or gone does not keep the estate from being opened:
then nobody could be told what is wrong with that commit, or what production still follows. The
settings are taken from the newest commit of its line that has them; the gate judges the commit.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ordain.reconciler.errors import Untrusted
from ordain.reconciler.home import Home, home_of
from ordain.reconciler.hosts import Hosts, open_for
from ordain.reconciler.trees import CommitTree
from ordain.specs.errors import SpecError
from ordain.specs.known_values import KnownValues
from ordain.specs.trees import ESTATE_FILE, misplaced
from ordain.vcs.errors import (
    HostError,
    MissingPath,
    VcsError,
)
from ordain.vcs.git import Repository
from ordain.vcs.known_signatures import KnownSignatures
from ordain.vcs.plain import PlainGit
from ordain.vcs.process import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.reconciler.answers import Answers
    from ordain.reconciler.hosts import Opener
    from ordain.reconciler.state import StateStore
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.estate import Estate
    from ordain.vcs.forge import Forge
    from ordain.vcs.host import Host

# The fact in the state store that says in which clone passes run.
CLONE: Final = "clone"


@dataclass(frozen=True, slots=True)
class Source:
    """An opened estate: its repository, its settings at HEAD, and its home.

    `unusable` says why the settings are not those of HEAD but of a commit before it. `known` are
    the values of files that were read before.
    """

    repository: Repository
    settings: Estate
    forge: Forge
    home: Home
    root_commit: str
    unusable: SpecError | None = None
    known: KnownValues = field(default_factory=KnownValues)
    hosts: Hosts | None = None

    @property
    def host(self) -> Host | None:
        """The host of the newest settings; what judges a change asks `host_of` its base.

        Raises:
            ForgeError: it cannot be opened.
        """
        return None if self.hosts is None else self.hosts.of(self.settings.forge)

    def host_of(self, estate: LoadedEstate) -> Host | None:
        """The host that an estate names, None for plain git.

        Raises:
            ForgeError: it cannot be opened.
        """
        found = self.answers_of(estate)
        return None if found is None else found.host

    def answers_of(self, estate: LoadedEstate) -> Answers | None:
        """The host that an estate names, asked every question once until the next fetch.

        Raises:
            ForgeError: it cannot be opened.
        """
        found = estate.all("Estate")
        hosts = self.hosts
        return hosts.answers_of(found[0].spec.forge) if found and hosts is not None else None

    def lose_host(self, estate: LoadedEstate, error: VcsError) -> None:
        """Ask the host of an estate no more until the next fetch, if the error says it is away."""
        for one in estate.all("Estate"):
            if self.hosts is not None:
                self.hosts.lose(one.spec.forge, error)

    @property
    def ref(self) -> str:
        """The one ref that production follows."""
        return self.forge.target_ref

    def fetch(self) -> None:
        """Bring the remote's branches, approvals and anchors here; nothing without a remote.

        Raises:
            GitError: the remote does not answer.
            HostError: the host does not; what is in git is here all the same.
        """
        if self.hosts is not None:
            self.hosts.look_again()
        try:
            self.forge.refresh()
        except HostError as error:
            if self.hosts is not None:
                self.hosts.lose(self.settings.forge, error)
            raise

    def head(self) -> str:
        """The commit that production should follow now."""
        return self.repository.resolve(self.ref)

    def remember(self) -> None:
        """Leave to the next run what this one has found out about files and signatures.

        Only where the home can be written; neither is needed for anything but speed.
        """
        with suppress(OSError):
            self.home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.known.keep()
        self.repository.signatures.keep()

    def declared_names(self, kind: str) -> tuple[str, ...]:
        """The names of a kind's documents in the newest commit of the work tree's branch."""
        from ordain.specs.estates import load_estate

        estate = load_estate(self.tree(self.repository.resolve("HEAD")))
        return tuple(document.name for document in estate.all(kind))

    def tree(self, revision: str, beside: CommitTree | None = None) -> CommitTree:
        """The files of a commit or tree; those of another one that is read already cost nothing."""
        return CommitTree(self.repository, revision, beside)


def open_source(path: Path, environ: Mapping[str, str], *, opener: Opener = open_for) -> Source:
    """Open the estate whose repository holds `path`; `opener` opens a host when one is needed.

    Raises:
        SpecError: no commit up to the newest one has an `ordain.yaml` that is a valid Estate, or
            the estate is not the root of the repository.
        VcsError: there is no repository, or no commit yet.
    """
    repository = Repository.open(path)
    head = repository.resolve("HEAD")
    newest, unusable = _newest_settings(repository, head, path)
    root = repository.root_commit(head)
    home = home_of(root, environ)
    settings = _speaking_as_before(repository, home, newest)
    remotes = repository.remotes()
    remote = settings.forge.remote if settings.forge.remote in remotes else None
    hosts = Hosts(repository, environ, opener)
    forge = _forge(hosts, settings, remote)
    known = _remembered(repository, home, environ)
    return Source(repository, settings, forge, home, root, unusable, known, hosts)


def _speaking_as_before(repository: Repository, home: Home, newest: Estate) -> Estate:
    """The newest settings, with the forge of the last commit that passed the gate here.

    A commit that is refused must not choose with whom the reconciler speaks. Before any pass there
    is no other than the newest, and neither is there in a clone that does not have that commit.
    """
    if not home.state.is_file():
        return newest
    from ordain.reconciler.state import glance

    good = glance(home.state, "good")
    with suppress(SpecError, VcsError):
        if good is not None:
            return replace(newest, forge=_settings(repository, good).forge)
    return newest


def _remembered(repository: Repository, home: Home, environ: Mapping[str, str]) -> KnownValues:
    """What earlier runs have read, for signatures and values; nothing where that is not wanted."""
    if environ.get("ORDAIN_NO_CACHE", "") not in {"", "0"}:
        return KnownValues()
    repository.signatures = KnownSignatures(home.signatures)
    return KnownValues(home.values)


def _forge(hosts: Hosts, settings: Estate, remote: str | None) -> Forge:
    """Plain git, or a host where the settings name one and its remote is here."""
    target = settings.protected_branch
    if settings.forge.type == "git" or remote is None:
        return PlainGit(hosts.repository, target=target, remote=remote)
    from ordain.vcs.hosted import HostedForge

    open_host = partial(hosts.opened, settings.forge, hosts.repository.remotes()[remote])
    return HostedForge(hosts.repository, target=target, remote=remote, open_host=open_host)


def served_source(
    repository: Repository, branch: str, revision: str, environ: Mapping[str, str]
) -> Source:
    """The estate that a git server keeps, with the settings of one of its commits.

    Which branch counts is said by whoever runs the server, and not by the estate.

    Raises:
        SpecError: that commit has no valid Estate.
    """
    settings, root = _settings(repository, revision), repository.root_commit(revision)
    forge = PlainGit(repository, target=branch, alone=True)
    home = home_of(root, environ)
    return Source(
        repository, settings, forge, home, root, known=_remembered(repository, home, environ)
    )


def protected_branch_of(repository: Repository, revision: str) -> str:
    """The branch that production follows, as a commit says it; `SpecError` without an Estate."""
    return _settings(repository, repository.resolve(revision)).protected_branch


def pin_trust(source: Source, state: StateStore) -> None:
    """Pin ref, remote and root commit at the first pass, and refuse any other one later.

    The clone is noted too: all clones on a machine share the state, and one of them reconciles.

    Raises:
        Untrusted: the ref, the remote's address or the root commit is not the pinned one.
    """
    for key, value in trust_facts(source).items():
        known = state.get(key)
        if known is None:
            state.put(key, value)
        elif known != value:
            name = key.removeprefix("trust.")
            message = f"the {name} is {value}, but {known} was trusted at the first pass"
            remedy = (
                "if the move is right, tell the reconciler with: ordain reconcile --trust-again"
            )
            raise Untrusted(message, remedy=remedy)
    here = str(source.repository.path.resolve())
    if state.get(CLONE) != here:
        state.put(CLONE, here)


def trust_facts(source: Source) -> dict[str, str]:
    """What is pinned at the first pass, as it is now."""
    remote = source.forge.remote
    address = "local" if remote is None else _without_secret(source.repository.remotes()[remote])
    return {
        "trust.ref": f"refs/heads/{source.settings.protected_branch}",
        "trust.remote": address,
        "trust.root": source.repository.root_commit(source.head()),
    }


def _without_secret(address: str) -> str:
    """The address of a remote without the name and token that may stand in it."""
    scheme, found, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if found else address


def forget_trust(state: StateStore) -> None:
    """Let the next pass trust what it finds, and judge the history from its beginning again."""
    for key in ("trust.ref", "trust.remote", "trust.root", "good"):
        state.drop(key)


def _newest_settings(
    repository: Repository, head: str, path: Path
) -> tuple[Estate, SpecError | None]:
    """The settings of the newest commit that has them, and why it is not `head`."""
    try:
        return _settings(repository, head), None
    except SpecError as error:
        if (elsewhere := misplaced(path)) is not None:
            raise elsewhere from error
        for before in _settled_before(repository, head):
            with suppress(SpecError):
                return _settings(repository, before), error
        raise


def _settled_before(repository: Repository, head: str) -> tuple[str, ...]:
    """The commits on the line of `head` that wrote `ordain.yaml`, newest first."""
    command = ("log", "--first-parent", "-m", "--format=%H", head, "--", ESTATE_FILE)
    return tuple(dict.fromkeys(checked(repository.ask(*command), command).decode().split()))


def _settings(repository: Repository, head: str) -> Estate:
    from ordain.specs.estates import load_estate

    # Only this file is read: what else stands in that commit is for the gate to judge.
    try:
        data = repository.read(head, ESTATE_FILE)
    except MissingPath as error:
        message = f"there is no ordain.yaml in the newest commit of {repository.path}"
        raise SpecError(message, remedy="make an estate with: ordain init DIRECTORY") from error
    estate = load_estate({ESTATE_FILE: data})
    found = estate.all("Estate")
    if not found:
        first = estate.findings[0]
        raise SpecError(
            f"ordain.yaml is not a valid Estate: {first.message}",
            remedy=first.remedy or "see: ordain check",
            location=first.location,
        )
    settings: Estate = found[0].spec
    return settings
