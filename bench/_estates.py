"""Estates of any size in which nothing is wrong, for measuring what judging and reconciling cost.

Documents have the length that they have in practice: a Model takes 90 lines. Every ModelVersion is
made by the recipe that its Model declares and has its evidence, so that a reconciler finds nothing
to train; the served ones have real artifacts, all with the plan of one small linear model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.specs.canonical import canonical_json, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.reconciler.attesting import Attested
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.specs.evidence import Evidence
    from ordain.specs.recipes import Recipe
    from ordain.vcs.keys import Signer

LINES = 90
SERVED = 10
LOCK = b"numpy==2.3.0\n"
COLUMNS = 62
DATA = sha256(b"the data of the benchmark")
_HEAD = "apiVersion: ordain.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"


def model(number: int) -> str:
    """A Model of 90 lines that the baseline has nothing to say about."""
    head = f"""apiVersion: ordain.dev/v1
kind: Model
metadata:
  name: model-{number}
  labels: {{line: consumer-lending, region: north}}
spec:
  purpose: Probability that an applicant defaults within twelve months
  tier: 2
  owner: credit-risk
  task: classification
  dataset: applications
  split: {{by: random, train: 60%, validation: 20%, test: 20%}}
  preprocessing:
    numeric:
      impute: median
      indicator: true
  training:
    estimator: hist_gradient_boosting
    parameters: {{max_iter: 90, learning_rate: 0.06, max_leaf_nodes: 12, min_samples_leaf: 40}}
    seed: {number}
    threads: 1
  decision: {{threshold: 0.3, above: refer, below: approve}}
  acceptance:
    metrics:
      - {{name: roc_auc, min: 0.7, bound: lower, confidence: 0.95}}
      - {{name: ece, max: 0.08}}
    fairness:
      - metric: adverse_impact_ratio
        min: 0.8
        alpha: 0.05
        minCell: 30
    drift: {{psi: {{max: 0.25}}}}
  explanation: {{reasons: reasons.yaml, background: {{rows: 200, seed: 7}}, top: 4}}
  features:
    include:
"""
    rest = LINES - head.count("\n")
    return head + "".join(f"      - column_{index}\n" for index in range(rest))


def reasons() -> str:
    """A reason for every feature that a Model includes."""
    features = [line.strip("- \n") for line in model(0).splitlines() if "- column_" in line]
    return f"reasons:\n  - {{code: R01, text: What was told, features: [{', '.join(features)}]}}\n"


def dataset() -> str:
    """The Dataset that all models share."""
    columns = "".join(f"    column_{index}: {{type: float}}\n" for index in range(COLUMNS))
    return (
        _HEAD.format(kind="Dataset", name="applications")
        + f"""  source: {{type: csv, uri: data/applications.csv}}
  digest: {DATA}
  target: {{column: outcome, favourable: 0}}
  columns:
    outcome: {{type: int}}
    sex: {{type: category, role: protected, reference: male}}
{columns}"""
    )


def compliance(number: int) -> str:
    """What people have written about a model that serves."""
    return (
        _HEAD.format(kind="Compliance", name=f"model-{number}")
        + f"""  model: model-{number}
  model_info:
    isModel: true
    rationale: A statistical method turns an application into a probability
    tierRationale: Moderate exposure, and an underwriter decides on every referral
    accountable: cto
    developers: [data-scientist]
    validator: cto
  methodology_limitations:
    theory: Boosted trees find thresholds and interactions
    targetDefinition: Ninety days past due within twelve months
    alternatives: [logistic regression]
    limitations:
      - text: outcomes take a year to mature, so performance is known late
        control: drift of every feature is watched until outcomes are known
"""
    )


def place(number: int) -> str:
    """The Deployment, the Route and the Monitor of a model."""
    name = f"model-{number}"
    return "---\n".join(
        (
            _HEAD.format(kind="Deployment", name=name)
            + f"  model: {name}\n  environment: production\n  version: 1\n",
            _HEAD.format(kind="Route", name=name)
            + f"  endpoint: /v1/{name}\n  default: {{deployment: {name}}}\n"
            "  fallback: {decision: refer-to-underwriter}\n  access: {keys: required}\n",
            _HEAD.format(kind="Monitor", name=name)
            + f"  deployment: {name}\n  psi: {{warn: 0.1, fail: 0.25}}\n",
        )
    )


def settings() -> str:
    """The Estate: one environment on this machine, at any free port."""
    return (
        _HEAD.format(kind="Estate", name="bench")
        + "  environments: [{name: production, target: local, port: 0}]\n"
        + "  environmentLock: environment.lock\n"
    )


def organization(public: Mapping[str, str]) -> str:
    """The people of the estate and the reconciler, by their public keys."""
    roles = {"data-scientist": "data-scientist", "manager": "manager", "cto": "cto"}
    people = "".join(
        f"    - {{name: {name}, roles: [{role}], team: {name},"
        f' keys: [{{public: "{public[name]}"}}]}}\n'
        for name, role in roles.items()
    )
    machine = f'  reconciler: {{keys: [{{public: "{public["reconciler"]}"}}]}}\n'
    return _HEAD.format(kind="Organization", name="bench") + "  people:\n" + people + machine


def plan() -> dict[str, bytes]:
    """The members of an artifact: a linear model of one number, and the row that proves it."""
    from ordain.runtime.scoring import RowPlan

    number = {"name": "column_0", "type": "float", "missing": True, "range": None}
    column = {"op": "number", "input": "column_0", "impute": 0.0, "low": None, "high": None}
    made = canonical_json(
        {
            "format": "ordain.plan/2",
            "task": "classification",
            "classes": [],
            "inputs": [number | {"levels": None, "unknown": "bucket"}],
            "columns": [column | {"center": 0.0, "scale": 1.0}],
            "keep": None,
            "names": ["column_0"],
            "sources": [["column_0"]],
            "model": {"kind": "linear", "coefficients": [[0.5]], "intercepts": [-1.0]},
            "link": "logit",
            "calibration": None,
            "decision": {"threshold": 0.3, "above": "refer", "below": "approve"},
        }
    )
    rows = [{"column_0": 1.5}]
    scores = [RowPlan.read(made).score(row) for row in rows]
    return {"plan.json": made, "parity.json": canonical_json({"rows": rows, "scores": scores})}


def documents(models: int, public: Mapping[str, str]) -> dict[str, bytes]:
    """The files that people write, by path; the first ten models serve."""
    files = {
        "ordain.yaml": settings(),
        "environment.lock": LOCK.decode(),
        "reasons.yaml": reasons(),
        "specs/organization.yaml": organization(public),
        "specs/datasets/applications.yaml": dataset(),
    }
    for number in range(models):
        files[f"specs/models/model-{number}.yaml"] = model(number)
    for number in range(min(SERVED, models)):
        files[f"specs/compliance/model-{number}.yaml"] = compliance(number)
        files[f"specs/places/model-{number}.yaml"] = place(number)
    return {path: text.encode() for path, text in files.items()}


def promotions(
    files: Mapping[str, bytes],
    versions: int,
    store: ArtifactStore | None,
    signer: Signer | None = None,
) -> dict[str, bytes]:
    """A ModelVersion and its evidence for the first `versions` models.

    With a store the artifacts of the served ones are put into it; without one they only have names.
    With a signer each has a statement that a server would believe.
    """
    from ordain.reconciler.promotions import Version, promotion_files
    from ordain.specs.estates import load_estate
    from ordain.specs.recipes import recipe_of

    estate = load_estate({path: data for path, data in files.items() if "/places/" not in path})
    assert not estate.findings, estate.findings[0]
    data = estate.get("Dataset", "applications")
    assert data is not None
    made: dict[str, bytes] = {}
    for number in range(versions):
        found = estate.get("Model", f"model-{number}")
        assert found is not None
        recipe = recipe_of(found.name, found.spec, data.spec, sha256(LOCK))
        assert recipe is not None
        artifact = _artifact(recipe, store if number < SERVED else None)
        measured = evidence(recipe, artifact)
        papers = None if signer is None else _papers(recipe, measured, signer)
        version = Version(1, recipe, artifact, measured, "0.1.0", papers)
        made |= promotion_files(files, estate, version)
    return made


def _artifact(recipe: Recipe, store: ArtifactStore | None) -> str:
    from ordain.runtime.artifacts import save_artifact

    if store is None:
        return sha256(recipe.digest.encode())
    return save_artifact(store, recipe.model, recipe.digest, plan()).digest


def evidence(recipe: Recipe, artifact: str) -> Any:  # noqa: ANN401 - imported where it is used
    """What was measured on an artifact, within all limits."""
    from ordain.specs.evidence import Evidence, Metric

    test = [
        Metric("roc_auc", "test", 0.81, 0.79, 0.83, 0.95, 2000, "at least 0.7", "pass"),
        Metric("ece", "test", 0.02, None, None, 0.95, 2000, "at most 0.08", "pass"),
    ]
    return Evidence(
        model=recipe.model,
        recipe=recipe.digest,
        artifact=artifact,
        split=sha256(b"the split of the benchmark"),
        data={"rows": 10_000},
        metrics=tuple(test),
        fairness=(),
        importance=(("column_0", 0.4),),
        parity={"plan": 0.0},
        verdict="pass",
    )


def _papers(recipe: Recipe, measured: Evidence, signer: Signer) -> Attested:
    from datetime import UTC, datetime

    from ordain.reconciler.attesting import Attested
    from ordain.runtime.provenance.statements import (
        Invocation,
        Produced,
        provenance_of,
        sign_statement,
    )

    made = Produced(measured.artifact, {}, measured.digest)
    run = Invocation("bench", "0.1.0", "", datetime(2026, 11, 20, tzinfo=UTC))
    statement = sign_statement(provenance_of(recipe, {}, made, run), signer)
    return Attested(statement, b'{"bill":"%s"}' % recipe.model.encode())


def ordinary_estate(directory: Path, count: int) -> None:
    """Files of about `count` documents in a directory, without git and without artifacts."""
    from ordain.vcs.keys import generate_key

    names = ("data-scientist", "manager", "cto", "reconciler")
    public = {name: generate_key(name)[1] for name in names}
    # Estate, Organization, Dataset; four documents for each that serves; the rest in pairs.
    models = (count - 3 - 4 * SERVED) // 2
    files = documents(models, public)
    write(directory, files | promotions(files, models, None))


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths."""
    for path, data in files.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def estate_of_models(directory: Path, count: int) -> None:
    """Files of `count` documents without a finding, nearly all of them Models of 90 lines."""
    from ordain.vcs.keys import generate_key

    public = {name: generate_key(name)[1] for name in ("data-scientist", "manager", "cto")}
    public["reconciler"] = generate_key("reconciler")[1]
    # Estate, Organization, Dataset; five documents more for each that serves.
    files = documents(count - 3 - 5 * SERVED, public)
    write(directory, files | promotions(files, SERVED, None))
