"""An estate in memory, sketched from the examples of the baseline pack, and changes of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sketches import Sketch, sketch_of

from ordain.policies.changes import ChangeFacts, describe
from ordain.policies.gate import Judgement, judge
from ordain.policies.lookups import recipe_in
from ordain.policies.packs import pack_file
from ordain.policies.validated import running_artifact
from ordain.specs.canonical import sha256
from ordain.specs.evidence import Evidence, FairnessRow, Metric, evidence_path
from ordain.specs.validations import Behaviour, Check, Shift, ValidationReport, texts_of
from ordain.vcs.approvals import Approval
from ordain.vcs.changes import Change, PathChange

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MODE = "100644"
# What is signed of a version; the gate looks for the files, and serving at what they hold.
PAPERS = {"statement": b'{"a statement":1}', "bom": b'{"a bill of materials":1}'}


def blob(data: bytes | None) -> str | None:
    """The id that git gives these bytes."""
    if data is None:
        return None
    header = f"blob {len(data)}\0".encode()
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()


def change_of(before: Sketch, after: Sketch) -> Change:
    old, new = before.tree, after.tree
    paths = tuple(
        PathChange(
            path,
            blob(old.get(path)),
            blob(new.get(path)),
            MODE if path in old else None,
            MODE if path in new else None,
        )
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
    return Change("1" * 40, "2" * 40, paths)


@dataclass
class Case:
    """A change between two sketches, to be judged."""

    before: Sketch
    after: Sketch
    contributors: tuple[str, ...] = ("data-scientist",)
    pusher: str | None = "data-scientist"
    signers: tuple[str | None, ...] = ("data-scientist",)
    approvals: list[Approval] = field(default_factory=list)

    @property
    def change(self) -> Change:
        return change_of(self.before, self.after)

    @property
    def facts(self) -> ChangeFacts:
        return describe(
            self.before.load(),
            self.after.load(),
            self.change,
            contributors=self.contributors,
            pusher=self.pusher,
            signers=self.signers,
        )

    def approve(
        self,
        person: str,
        role: str | None = None,
        change: str | None = None,
        key: str = "SHA256:fingerprint",
    ) -> Case:
        digest = change or self.change.digest
        role = person if role is None else role
        self.approvals.append(Approval(person, role, digest, NOW, key, "refs/ordain/x"))
        return self

    def quorum(self) -> Case:
        """The approvals that a promotion of tier 1 takes."""
        return self.approve("manager").approve("cto").approve("compliance-manager")

    def judge(self, *, enforce: bool = True) -> Judgement:
        return judge(
            self.before.load(),
            self.after.load(),
            self.facts,
            self.approvals,
            NOW,
            tree=self.after.tree,
            enforce_intentions=enforce,
        )


def evidence_for(
    sketch: Sketch,
    model: str = "credit",
    **changes: Any,  # noqa: ANN401 - fields of Evidence, of any type
) -> Evidence:
    """Evidence that meets every gate of the example's model."""
    recipe = recipe_in(sketch.load(), model, sketch.tree)
    assert recipe is not None
    evidence = Evidence(
        model=model,
        recipe=recipe.digest,
        artifact="sha256:" + "a" * 64,
        split="sha256:" + "b" * 64,
        data={"rows": 6000},
        metrics=(Metric("roc_auc", "test", 0.78, 0.75, 0.81, 0.95, 1200, ">= 0.7", "pass"),),
        fairness=(
            FairnessRow(
                attribute="sex",
                group="female",
                reference="male",
                metric="adverse_impact_ratio",
                n=500,
                n_reference=700,
                favourable=400,
                favourable_reference=560,
                value=1.0,
                low=0.94,
                high=1.06,
                p_value=1.0,
                p_holm=1.0,
                minimum=0.8,
                alpha=0.05,
                verdict="pass",
            ),
        ),
        importance=(("income", 0.4),),
        parity={"plan": 1e-15},
        drift={"income": 0.01},
        verdict="pass",
    )
    return replace(evidence, **changes)


def validation_for(
    sketch: Sketch,
    evidence: Evidence,
    **changes: Any,  # noqa: ANN401 - fields of ValidationReport, of any type
) -> ValidationReport:
    """A validation of the artifact of this evidence that meets every gate of the example."""
    recipe = recipe_in(sketch.load(), evidence.model, sketch.tree)
    assert recipe is not None
    good = evidence_for(sketch, evidence.model)
    (metric,) = good.metrics
    checks = (
        Check(
            section="performance", name=metric.name, value=metric.value, low=metric.low,
            high=metric.high, n=metric.n, limit=">= 0.7", verdict="pass",
        ),
        Check("champion", "roc_auc_delta", value=0.01, low=-0.01, high=0.03, n=1200),
        Check("drift", "psi", "(score)", 0.02, n=1200, limit="<= 0.25", verdict="pass"),
        Check("drift", "psi", "income", 0.01, n=1200, limit="<= 0.25", verdict="pass"),
        Check("explanations", "agreement", "", 0.9, n=200, limit=">= 0.8", verdict="pass"),
        Check("explanations", "flips", "", 0.95, n=200, limit=">= 0.9", verdict="pass"),
    )  # fmt: skip
    model = sketch.load().documents[f"Model/{evidence.model}"].spec
    texts = {name: sketch.files.get(path or "") for name, path in texts_of(model).items()}
    running = running_artifact(sketch.load(), evidence.model) or ""
    shift = Shift("", 1200, 12, 9, 0.81, 0.8, 0.66)
    report = ValidationReport(
        model=evidence.model,
        artifact=evidence.artifact,
        dataset=model.dataset,
        data=recipe.data,
        part="test",
        rows=1200,
        task=evidence.task,
        checks=checks,
        fairness=good.fairness,
        behaviour=Behaviour(running, (shift,)) if running else None,
        verdict="pass",
        champion=running,
        inputs={name: sha256(text) for name, text in texts.items() if text is not None},
    )
    return replace(report, **changes)


def evidence_in(files: Mapping[str, bytes]) -> str:
    """The path of the only evidence, which is no signed paper and no validation."""
    papers = {evidence_path(sha256(data)) for data in PAPERS.values()}
    (path,) = [
        one
        for one in files
        if one.startswith("evidence/") and one not in papers and b"ordain.evidence" in files[one]
    ]
    return path


def validation_in(files: Mapping[str, bytes]) -> str:
    """The path of the only validation."""
    (path,) = [one for one, data in files.items() if b'"ordain.validation/1"' in data]
    return path


def promote(
    sketch: Sketch,
    evidence: Evidence,
    number: int = 1,
    validation: ValidationReport | None = None,
) -> Sketch:
    """The promotion that the reconciler would propose."""
    validation = validation or validation_for(sketch, evidence)
    after = sketch.copy()
    recipe = recipe_in(sketch.load(), evidence.model, sketch.tree)
    assert recipe is not None
    after.add(
        "ModelVersion",
        f"{evidence.model}-{number}",
        model=evidence.model,
        version=number,
        recipe=recipe.digest,
        inputs={
            "spec": recipe.spec,
            "dataset": recipe.dataset,
            "data": recipe.data,
            "environment": recipe.environment,
            "seed": recipe.seed,
            "threads": recipe.threads,
        },
        artifact=evidence.artifact,
        evidence=evidence.digest,
        split=evidence.split,
        validation=validation.digest,
        provenance={name: sha256(data) for name, data in PAPERS.items()},
    )
    after.files |= {evidence_path(sha256(data)): data for data in PAPERS.values()}
    after.files[evidence.path] = evidence.to_json()
    after.files[validation.path] = validation.to_json()
    return after.set("Deployment/credit", "spec.version", number)


class Workshop:
    """What the tests of this room are written with."""

    now = NOW

    def __init__(self) -> None:
        examples = yaml.safe_load(pack_file("baseline/1.0.0.examples.yaml"))
        self._serving = self.sketch(examples)

    sketch = staticmethod(sketch_of)

    @property
    def serving(self) -> Sketch:
        """The example estate, in which version 1 runs."""
        return self._serving.copy()

    @property
    def fresh(self) -> Sketch:
        """The same before its first promotion, with an environment lock."""
        sketch = self.serving.drop("ModelVersion/credit-1")
        sketch.files["environment.lock"] = b"numpy==2.4.6\n"
        return sketch.set("Deployment/credit", "spec.version", None)

    def intention(self, before: Sketch, after: Sketch) -> Case:
        return Case(before, after)

    def promotion(self, sketch: Sketch | None = None, **changes: Any) -> Case:  # noqa: ANN401
        """A promotion as the reconciler makes it, with nobody's approval yet."""
        before = sketch or self.fresh
        after = promote(before, evidence_for(before, **changes))
        return Case(before, after, pusher="reconciler", signers=("reconciler",))

    def second(self, sketch: Sketch | None = None, **changes: Any) -> Case:  # noqa: ANN401
        """The promotion of version 2 over a running version 1, after another seed."""
        fresh = sketch or self.fresh
        before = promote(fresh, evidence_for(fresh))
        before.set("Model/credit", "spec.training.seed", 8)
        after = promote(before, evidence_for(before, **changes), 2)
        return Case(before, after, pusher="reconciler", signers=("reconciler",))


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    return Workshop()
