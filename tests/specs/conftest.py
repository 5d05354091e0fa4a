"""A small estate that is right, and what is found when something in it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.estates import load_estate
from ordain.specs.references import check_references

if TYPE_CHECKING:
    from ordain.specs.findings import Finding

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]

DIGEST = "sha256:" + "9" * 64

ESTATE = """apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: test}
spec:
  environments:
    - {name: production}
"""
DATASET = """apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: applications}
spec:
  source: {type: csv, uri: data/applications.csv}
  entity: applicant
  time: applied_on
  target: {column: outcome, favourable: 0}
  leaks: [arrears]
  columns:
    applicant: {type: id, role: entity}
    applied_on: {type: date, role: time}
    income: {type: float}
    purpose: {type: category, levels: [car, home]}
    arrears: {type: int}
    sex: {type: category, role: protected, reference: male}
    outcome: {type: int}
"""
MODEL = """apiVersion: ordain.dev/v1
kind: Model
metadata: {name: credit}
spec:
  purpose: Probability of default
  tier: 2
  owner: credit-risk
  task: classification
  dataset: applications
  training: {estimator: hist_gradient_boosting}
  decision: {threshold: 0.3}
"""
VERSION = f"""apiVersion: ordain.dev/v1
kind: ModelVersion
metadata: {{name: credit-1}}
spec:
  model: credit
  version: 1
  recipe: {DIGEST}
  inputs:
    spec: {DIGEST}
    dataset: {DIGEST}
    data: {DIGEST}
    environment: {DIGEST}
    seed: 7
    threads: 1
  artifact: {DIGEST}
  evidence: {DIGEST}
  split: {DIGEST}
"""
DEPLOYMENT = """apiVersion: ordain.dev/v1
kind: Deployment
metadata: {name: credit}
spec:
  model: credit
  environment: production
  version: 1
"""
ROUTE = """apiVersion: ordain.dev/v1
kind: Route
metadata: {name: credit}
spec:
  endpoint: /v1/credit
  rules:
    - when: {field: amount, op: gt, value: 40000}
      to: [{deployment: credit, weight: 100}]
  default: {deployment: credit}
"""
MONITOR = """apiVersion: ordain.dev/v1
kind: Monitor
metadata: {name: credit}
spec:
  deployment: credit
  features: [income]
"""


@pytest.fixture
def files() -> dict[str, str]:
    """The estate as text by path."""
    return {
        "ordain.yaml": ESTATE,
        "specs/dataset.yaml": DATASET,
        "specs/model.yaml": MODEL,
        "specs/version.yaml": VERSION,
        "specs/deployment.yaml": DEPLOYMENT,
        "specs/route.yaml": ROUTE,
        "specs/monitor.yaml": MONITOR,
    }


def _encoded(files: Mapping[str, str | None]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items() if text is not None}


@pytest.fixture
def load(files: dict[str, str]) -> Load:
    """Load the estate with some files replaced, added, or taken away (None)."""

    def load_with(changed: Mapping[str, str | None] | None = None) -> LoadedEstate:
        return load_estate(_encoded({**files, **(changed or {})}))

    return load_with


@pytest.fixture
def check(load: Load) -> Check:
    """Every finding as `CODE path:line:column severity message | remedy`."""

    def check_with(changed: Mapping[str, str | None] | None = None) -> list[str]:
        estate = load(changed)
        return [_line(finding) for finding in (*estate.findings, *check_references(estate))]

    return check_with


def _line(finding: Finding) -> str:
    place = f"{finding.location}".removeprefix("specs/")
    return f"{finding.code} {place} {finding.severity.value}: {finding.message} | {finding.remedy}"


@pytest.fixture
def edit(files: dict[str, str]) -> Callable[[str, str, str], dict[str, str]]:
    """One file with some text replaced, ready for `check`."""

    def edited(name: str, old: str, new: str) -> dict[str, str]:
        path = name if name in files else f"specs/{name}.yaml"
        assert old in files[path]
        return {path: files[path].replace(old, new)}

    return edited
