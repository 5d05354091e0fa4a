"""Real estates in temporary directories: founded once, copied for each test.

The work tree of a copy stands on a branch of its own, because the reconciler reads commits and
never files; a test writes its commits straight onto `main`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from passing import passing_validation

from ordain.cli.founding import found_estate
from ordain.compilers.serving import champion
from ordain.ledger.ledger import Ledger
from ordain.policies.lookups import recipe_in
from ordain.reconciler.attesting import attest, builder_of
from ordain.reconciler.drivers import LocalDriver
from ordain.reconciler.gating import Gated, gate_history, read_side
from ordain.reconciler.outcomes import Outcome, Validated
from ordain.reconciler.passes import Reconciler
from ordain.reconciler.planning import validation_key
from ordain.reconciler.promotions import Version, promotion_files, propose
from ordain.reconciler.review import Reviewer, approve, merge
from ordain.reconciler.source import Source, open_source
from ordain.reconciler.state import StateStore
from ordain.reconciler.validating import basis_of
from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.provenance.bom import Versioned
from ordain.runtime.provenance.statements import Invocation
from ordain.specs.evidence import Evidence, Metric
from ordain.vcs.git import Repository
from ordain.vcs.keys import Signer, load_signer
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ordain.reconciler.attesting import Attested
    from ordain.reconciler.gating import Side
    from ordain.specs.recipes import Recipe
    from ordain.vcs.forge import Proposal
    from tests.reconciler.hosting import Hosted, OnGitLab

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MODEL = "malignancy"
MAIN = "refs/heads/main"
MODEL_FILE = "specs/models/malignancy.yaml"
MONITOR_FILE = "specs/monitors/malignancy.yaml"
DEPLOYMENT_FILE = "specs/deployments/malignancy.yaml"


@dataclass
class Bench:
    """One estate with its home, its stores, and a clock that moves when it is told to."""

    root: Path
    now: datetime = NOW
    told: list[str] = field(default_factory=list)
    _open: list[Source | StateStore] = field(default_factory=list)

    @property
    def estate(self) -> Path:
        return self.root / "estate"

    @property
    def environ(self) -> dict[str, str]:
        return {"ORDAIN_HOME": str(self.root / "home")}

    def source(self) -> Source:
        found = open_source(self.estate, self.environ)
        self._open.append(found)
        return found

    def state(self) -> StateStore:
        found = StateStore(self.source().home.state)
        self._open.append(found)
        return found

    def close(self) -> None:
        for one in self._open:
            (one.repository if isinstance(one, Source) else one).close()

    def reconciler(self, source: Source | None = None) -> Reconciler:
        source = source or self.source()
        ledger = Ledger(source.home.ledger)
        driver = LocalDriver(source.home, lambda: self.now)
        return Reconciler(source, self.state(), ledger, driver, lambda: self.now, self.told.append)

    def gate(self, good: str | None) -> Gated:
        """The verdict on everything after `good`."""
        source = self.source()
        return gate_history(source, good, source.head(), self.now)

    # Writing history

    def signer(self, person: str) -> Signer:
        return load_signer(self.source().home.key(person))

    def head(self) -> str:
        return self.source().head()

    def text(self, path: str) -> str:
        source = self.source()
        return source.repository.read(source.head(), path).decode()

    def edited(self, path: str, old: str, new: str) -> dict[str, bytes | None]:
        text = self.text(path)
        assert old in text, f"{old!r} is not in {path}"
        return {path: text.replace(old, new, 1).encode()}

    def commit(
        self,
        files: Mapping[str, bytes | None],
        by: str | Signer | None = "data-scientist",
        *,
        author: str | None = None,
        branch: str = MAIN,
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """Commit files on top of a branch; `by` signs (None: nobody), `author` is only claimed."""
        signer = self.signer(by) if isinstance(by, str) else by
        name = author or (by if isinstance(by, str) else "stranger")
        with Repository.open(self.estate) as repository:
            old = repository.refs(branch).get(branch)
            above = parents if parents is not None else (old or repository.resolve(MAIN),)
            tree = repository.write_tree(above[0], files)
            who = Identity(name, f"{name}@example.org")
            commit = repository.write_commit(tree, above, "A change", who, self.now, signer)
            repository.update_ref(branch, commit, old)
        return commit

    def owner(self, owner: str, **how: str | Signer | None) -> str:
        """A harmless change: who owns the model."""
        text = self.text(MODEL_FILE)
        line = next(line for line in text.splitlines() if line.startswith("  owner:"))
        return self.commit(self.edited(MODEL_FILE, line, f"  owner: {owner}"), **how)  # type: ignore[arg-type]

    def loosen(self, **how: str | Signer | None) -> str:
        """A change that the policies refuse: the drift limit is put out of reach."""
        return self.commit(self.edited(MONITOR_FILE, "fail: 0.25", "fail: 5"), **how)  # type: ignore[arg-type]

    # Promotions

    def version(self, number: int = 1, *, auc: float = 0.99, by: str = "reconciler") -> Version:
        """A version as training would have made it from the tree at main's tip; `by` attests it."""
        source = self.source()
        side = read_side(source, source.head())
        recipe = recipe_in(side.estate, MODEL, side.tree)
        assert recipe is not None
        metric = Metric(
            "roc_auc", "test", auc, auc - 0.01, auc + 0.01, 0.95, 142, ">= 0.95", "pass"
        )
        # Nothing that could serve, but something that is there and can be signed for.
        store, members = ArtifactStore(source.home.artifacts), {"plan.json": b'{"of":%d}' % number}
        evidence = Evidence(
            model=MODEL,
            recipe=recipe.digest,
            artifact=save_artifact(store, MODEL, recipe.digest, members).digest,
            split="sha256:" + "b" * 64,
            data={"rows": 569},
            metrics=(metric,),
            fairness=(),
            importance=(("worst_radius", 0.4),),
            parity={"plan": 1e-15},
            verdict="pass",
        )
        papers = self._papers(side, number, recipe, evidence, self.signer(by))
        model = side.estate.documents[f"Model/{MODEL}"].spec
        runs = champion(side.estate, MODEL)
        basis = basis_of(side.estate, side.tree, recipe)
        assert isinstance(basis, str)
        return Version(
            number,
            recipe,
            evidence.artifact,
            evidence,
            "0.1.0",
            papers,
            passing_validation(recipe, model, evidence, side.tree, runs),
            basis,
        )

    def remember(self, state: StateStore, version: Version, outcome: Outcome | None = None) -> None:
        """As if this version had been trained and validated by a pass before."""
        assert version.validation is not None
        made = outcome or Outcome.success(version.artifact, version.evidence.to_json().decode())
        state.put_outcome(version.recipe.digest, MODEL, made, self.now)
        key = validation_key(version.basis, version.artifact)
        passed = Validated.success(version.validation.to_json().decode())
        state.put_validation(key, MODEL, passed, self.now)

    def _papers(
        self, side: Side, number: int, recipe: Recipe, evidence: Evidence, signer: Signer
    ) -> Attested:
        model = side.estate.documents[f"Model/{MODEL}"]
        dataset = side.estate.documents[f"Dataset/{model.spec.dataset}"]
        made = Versioned(MODEL, number, model.spec, dataset.name, dataset.spec, evidence)
        run = Invocation(builder_of(signer.public), "0.1.0", side.revision, self.now)
        store = ArtifactStore(self.source().home.artifacts)
        return attest(store, recipe, side.tree["environment.lock"], made, run, signer)

    def files(self, version: Version) -> dict[str, bytes]:
        source = self.source()
        side = read_side(source, source.head())
        return promotion_files(side.tree, side.estate, version)

    def propose(self, version: Version | None = None, by: str = "reconciler") -> Proposal:
        version = version or self.version()
        source = self.source()
        files = self.files(version)
        return propose(source, source.head(), files, version, self.signer(by), self.now)

    def approve(self, proposal: Proposal, person: str = "manager") -> None:
        source = self.source()
        ledger = Ledger(source.home.ledger)
        approve(source, ledger, proposal.id, by=Reviewer(person), now=self.now)

    def merge(self, proposal: Proposal, person: str = "manager") -> str:
        source = self.source()
        ledger = Ledger(source.home.ledger)
        merged = merge(source, ledger, proposal.id, by=Reviewer(person), now=self.now)
        return merged.commit

    def promote(self, version: Version | None = None) -> str:
        """A promotion as it should be: proposed, approved, merged."""
        proposal = self.propose(version)
        self.approve(proposal)
        return self.merge(proposal)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clinic, founded once; its `main` has one commit, and HEAD is on another branch."""
    root = tmp_path_factory.mktemp("founded")
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        settings.setenv("GIT_CONFIG_NOSYSTEM", "1")
        found_estate(
            root / "estate",
            "clinic",
            port=0,
            now=NOW - timedelta(days=1),
            environ={"ORDAIN_HOME": str(root / "home")},
        )
        with Repository.open(root / "estate") as repository:
            head = repository.resolve("HEAD")
            repository.update_ref("refs/heads/desk", head, None)
            repository.ask("symbolic-ref", "HEAD", "refs/heads/desk")
        # What the first verdict of a process has to load is paid for here.
        Bench(root).gate(None)
    return root


@pytest.fixture
def bench(founded: Path, tmp_path: Path) -> Iterator[Bench]:
    shutil.copytree(founded, tmp_path / "bench", symlinks=True)
    bench = Bench(tmp_path / "bench")
    yield bench
    bench.close()


@pytest.fixture
def hosted(founded: Path, tmp_path: Path) -> Iterator[Hosted]:
    """The same estate on GitHub."""
    from forges import GitHubStub

    from tests.reconciler.hosting import Hosted, moved_in

    with moved_in(Hosted, founded, tmp_path / "bench", GitHubStub()) as bench:
        yield bench


@pytest.fixture
def gitlab(founded: Path, tmp_path: Path) -> Iterator[OnGitLab]:
    """The same estate on GitLab."""
    from forges import GitLabStub

    from tests.reconciler.hosting import OnGitLab, moved_in

    with moved_in(OnGitLab, founded, tmp_path / "bench", GitLabStub()) as bench:
        yield bench
