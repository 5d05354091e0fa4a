"""Real git in temporary directories, and keys made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, AllowedKey, generate_key, parse_signer
from ordain.vcs.objects import Identity
from ordain.vcs.plain import PlainGit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PEOPLE = ("data-scientist", "manager", "cto", "reconciler")


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody with a key, and the list that allows these keys."""

    actors: dict[str, Actor]
    allowed: tuple[AllowedKey, ...]
    now: datetime = NOW

    def __getitem__(self, person: str) -> Actor:
        return self.actors[person]


@pytest.fixture(scope="session")
def cast() -> Cast:
    actors = {}
    for person in PEOPLE:
        pem, _ = generate_key(person)
        who = Identity(person, f"{person}@example.org")
        actors[person] = Actor(person, who, parse_signer(pem, person))
    allowed = tuple(AllowedKey(actor.person, actor.signer.public.line) for actor in actors.values())
    return Cast(actors, allowed)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository.init(tmp_path / "estate") as repository:
        yield repository


@pytest.fixture
def commit(cast: Cast) -> Callable[..., str]:
    """Write files as a commit on top of a ref and move the ref; the work tree is left alone."""
    count = iter(range(10_000))

    def write(
        repository: Repository,
        files: dict[str, bytes | None],
        *,
        ref: str = "refs/heads/main",
        message: str = "change",
        parent: str | None = None,
    ) -> str:
        old = repository.refs(ref).get(ref)
        base = parent or old
        tree = repository.write_tree(base, files)
        actor = cast["data-scientist"]
        time = NOW - timedelta(days=1) + timedelta(seconds=next(count))
        new = repository.write_commit(
            tree, [base] if base else [], message, actor.who, time, actor.signer
        )
        repository.update_ref(ref, new, old)
        return new

    return write


@pytest.fixture
def estate(tmp_path: Path, commit: Callable[..., str]) -> Iterator[Repository]:
    """A clone with two commits on `main`, its files in the work tree, and a bare remote."""
    with Repository.init(tmp_path / "remote.git", bare=True) as remote:
        commit(remote, {"ordain.yaml": b"kind: Estate\n", "model.yaml": b"kind: Model\n"})
        commit(remote, {"README.md": b"An estate.\n"})
    with Repository.clone(str(tmp_path / "remote.git"), tmp_path / "estate") as clone:
        yield clone


@pytest.fixture
def remote(estate: Repository) -> Iterator[Repository]:
    with Repository.open(estate.remotes()["origin"]) as repository:
        yield repository


@pytest.fixture
def forge(estate: Repository) -> PlainGit:
    return PlainGit(estate)


@pytest.fixture
def propose(cast: Cast) -> Callable[..., str]:
    """Open a proposal of the reconciler and return its id."""

    def write(
        forge: PlainGit, name: str = "credit-default-1", files: dict[str, bytes] | None = None
    ) -> str:
        repository = forge.repository
        base = repository.resolve(forge.target_ref)
        tree = repository.write_tree(base, dict(files or {f"versions/{name}.yaml": b"v: 1\n"}))
        bot = cast["reconciler"]
        message = f"Promote {name}\n\nEvidence passes."
        head = repository.write_commit(tree, [base], message, bot.who, NOW, bot.signer)
        branch = f"ordain/promote/{name}"
        return forge.open_proposal(branch, head, f"Promote {name}", "Evidence passes.").id

    return write
