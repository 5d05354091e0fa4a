"""People with clones, keys and passwords of their own, and the server that they push to.

The estate is founded once; each test gets a copy of the server's repository, with the hook that
`ordain hook install --server` has written there, and a real HTTP server in front of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from git_servers import GitServer, serving
from passing import passing_validation

from ordain.cli.founding import found_estate
from ordain.compilers.serving import champion
from ordain.policies.lookups import recipe_in
from ordain.reconciler.attesting import Attested
from ordain.reconciler.gating import read_side
from ordain.reconciler.promotions import MACHINE, Version, promotion_files
from ordain.reconciler.source import open_source
from ordain.specs.evidence import Evidence, Metric
from ordain.vcs.approvals import write_approval
from ordain.vcs.changes import change_between
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, Signer, load_signer
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ordain.reconciler.gating import Side
    from ordain.specs.recipes import Recipe

MAIN = "refs/heads/main"
MODEL = "malignancy"
MODEL_FILE = "specs/models/malignancy.yaml"
MONITOR_FILE = "specs/monitors/malignancy.yaml"
PEOPLE = ("data-scientist", "manager", "cto", "reconciler")
PASSWORDS = {name: f"word-of-{name}" for name in (*PEOPLE, "stranger")}


@dataclass(frozen=True)
class Pushed:
    """What a push said: its exit code, and the lines of the server."""

    code: int
    text: str

    @property
    def said(self) -> list[str]:
        lines = self.text.splitlines()
        return [one.removeprefix("remote: ").rstrip() for one in lines if one.startswith("remote:")]

    @property
    def codes(self) -> list[str]:
        return [one.partition("[")[2].partition("]")[0] for one in self.said if "error[" in one]


@dataclass
class Person:
    """Somebody at their own desk: a clone, a key, a password, and git as they have set it up."""

    name: str
    place: Path
    keys: Path
    server: GitServer
    account: str = ""

    @property
    def clone(self) -> Path:
        return self.place / "estate"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return kept | {
            "HOME": str(self.place),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "ORDAIN_HOME": str(self.place / "home"),
        }

    @property
    def signer(self) -> Signer:
        return load_signer(self.keys / self.name)

    def url(self, password: str | None = None) -> str:
        return self.server.address(self.account or self.name, password)

    def git(self, *arguments: str, expect: int | None = 0) -> str:
        done = self.run("git", *arguments)
        assert expect is None or done.returncode == expect, f"{arguments}: {done.stderr}"
        return done.stdout.strip()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def ordain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "ordain.cli", *arguments)

    def push(self, *refspecs: str, options: tuple[str, ...] = (), url: str = "") -> Pushed:
        done = self.run("git", "push", *options, url or self.url(), *refspecs)
        return Pushed(done.returncode, done.stderr)

    # Work

    def fetch(self) -> None:
        refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/ordain/*:refs/ordain/*")
        self.git("fetch", "--quiet", "--prune", "origin", *refs)

    def branch(self, name: str, files: Mapping[str, str], *options: str) -> str:
        """A branch on top of the server's main with one commit, made by real git."""
        self.fetch()
        self.git("switch", "--quiet", "--force-create", name, "origin/main")
        return self.commit(files, *options)

    def commit(self, files: Mapping[str, str], *options: str) -> str:
        for path, text in files.items():
            file = self.clone / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            self.git("add", "--", path)
        self.git("commit", "--quiet", "-m", f"Change {', '.join(files) or 'nothing'}", *options)
        return self.git("rev-parse", "HEAD")

    def text(self, path: str) -> str:
        return self.git("show", f"origin/main:{path}") + "\n"

    def edited(self, path: str, old: str, new: str) -> dict[str, str]:
        text = self.text(path)
        assert old in text, f"{old!r} is not in {path}"
        return {path: text.replace(old, new, 1)}

    def owned_by(self, owner: str) -> dict[str, str]:
        """A harmless change: who owns the model."""
        line = next(one for one in self.text(MODEL_FILE).splitlines() if "  owner:" in one)
        return self.edited(MODEL_FILE, line, f"  owner: {owner}")

    def approval(
        self, head: str, role: str = "", *, name: str = "", onto: str = "origin/main"
    ) -> str:
        """A statement about what merging a commit brings, as a refspec; not pushed yet."""
        self.fetch()
        with Repository.open(self.clone) as repository:
            base = repository.resolve(onto)
            change = change_between(repository, base, repository.merge_tree(base, head))
            person = name or self.name
            ref, commit = write_approval(
                repository,
                change,
                actor=Actor(person, Identity(person, f"{person}@example.org"), self.signer),
                role=role or person,
                time=datetime.now(tz=UTC),
                estate=repository.root_commit(base),
            )
        return f"{commit}:{ref}"

    def approve(self, head: str, role: str = "") -> None:
        pushed = self.push(self.approval(head, role))
        assert pushed.code == 0, pushed.text

    def merge(self, head: str, *options: str) -> str:
        """The merge of a commit into the server's main, on a local branch."""
        self.fetch()
        self.git("switch", "--quiet", "--detach", "origin/main")
        self.git("merge", "--quiet", "--no-ff", "-m", "Merge a proposal", *options, head)
        return self.git("rev-parse", "HEAD")


@dataclass
class World:
    """The server with its repository, and everybody who works on the estate."""

    root: Path
    server: GitServer
    keys: Path
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def bare(self) -> Path:
        return self.root / "srv" / "estate.git"

    def person(self, name: str, *, account: str = "", desk: str = "") -> Person:
        """Somebody with a fresh clone."""
        place = self.root / "desks" / (desk or name)
        place.mkdir(parents=True)
        lines = [
            f"[user]\n\tname = {name}\n\temail = {name}@example.org",
            f"\tsigningkey = {self.keys / name}",
            "[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n[advice]\n\tdetachedHead = false",
            "[init]\n\tdefaultBranch = main",
        ]
        (place / ".gitconfig").write_text("\n".join(lines) + "\n")
        found = Person(name, place, self.keys, self.server, account)
        found.clone.mkdir()
        found.git("init", "--quiet")
        found.git("remote", "add", "origin", found.url())
        found.fetch()
        return found

    def __getitem__(self, name: str) -> Person:
        if name not in self.people:
            self.people[name] = self.person(name)
        return self.people[name]

    def refs(self) -> dict[str, str]:
        with Repository.open(self.bare) as repository:
            return repository.refs("refs/")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.bare, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def hook(self, lines: str, **environment: str) -> Pushed:
        """Run the hook as git would, without a push around it."""
        done = subprocess.run(
            [self.bare / "hooks" / "pre-receive"],
            cwd=self.bare,
            input=lines.encode("utf-8", "surrogateescape"),
            env={"PATH": os.environ["PATH"], "HOME": str(self.root)} | environment,
            capture_output=True,
            check=False,
        )
        return Pushed(done.returncode, done.stderr.decode("utf-8", "replace"))

    def promotion(self, number: int = 1, *, signed_by: str = "reconciler", **evidence: str) -> str:
        """A promotion as training would have made it, in the clone of the reconciler."""
        machine = self["reconciler"]
        machine.fetch()
        machine.git("switch", "--quiet", "--detach", "origin/main")
        source = open_source(machine.clone, machine.environment)
        try:
            onto = source.repository.resolve("origin/main")
            side = read_side(source, onto)
            recipe = recipe_in(side.estate, MODEL, side.tree)
            assert recipe is not None
            version = _version(number, recipe, side)
            files = promotion_files(side.tree, side.estate, version)
            files = {
                path: data.replace(b"0.9900", evidence["auc"].encode())
                if "auc" in evidence and path.startswith("evidence/")
                else data
                for path, data in files.items()
            }
            tree = source.repository.write_tree(onto, dict(files))
            signer = load_signer(self.keys / signed_by)
            title = f"Promote {MODEL} to version {number}"
            now = datetime.now(tz=UTC)
            return source.repository.write_commit(tree, (onto,), title, MACHINE, now, signer)
        finally:
            source.repository.close()


def _version(number: int, recipe: Recipe, side: Side) -> Version:
    metric = Metric("roc_auc", "test", 0.9900, 0.98, 1.0, 0.95, 142, ">= 0.95", "pass")
    found = Evidence(
        model=MODEL,
        recipe=recipe.digest,
        artifact="sha256:" + f"{number:x}" * 64,
        split="sha256:" + "b" * 64,
        data={"rows": 569},
        metrics=(metric,),
        fairness=(),
        importance=(("worst_radius", 0.4),),
        parity={"plan": 1e-15},
        verdict="pass",
    )
    # The server asks that papers are there; who signed them is asked before a version is loaded.
    papers = Attested(b'{"a statement":1}', b'{"a bill of materials":1}')
    model, runs = side.estate.documents[f"Model/{MODEL}"].spec, champion(side.estate, MODEL)
    validation = passing_validation(recipe, model, found, side.tree, runs)
    return Version(number, recipe, found.artifact, found, "0.1.0", papers, validation)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clinic in a bare repository with the hook installed, and everybody's private keys."""
    root = tmp_path_factory.mktemp("founded")
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        settings.setenv("GIT_CONFIG_NOSYSTEM", "1")
        environ = {"ORDAIN_HOME": str(root / "home")}
        when = datetime.now(tz=UTC) - timedelta(days=1)
        made = found_estate(root / "estate", "clinic", port=0, now=when, environ=environ)
        made.home.keys.rename(root / "keys")
        Repository.clone(str(root / "estate"), root / "srv" / "estate.git", bare=True).close()
        install = [sys.executable, "-m", "ordain.cli", "hook", "install", "--server"]
        subprocess.run(install, cwd=root / "srv" / "estate.git", check=True, capture_output=True)
    return root


@pytest.fixture
def world(founded: Path, tmp_path: Path) -> Iterator[World]:
    root = tmp_path / "world"
    shutil.copytree(founded / "srv", root / "srv", symlinks=True)
    with serving(root / "srv", PASSWORDS, root) as server:
        yield World(root, server, founded / "keys")
