from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path

import pytest

import ordain
from ordain.specs.estates import load_estate
from ordain.specs.kinds import kind_names, kind_type, kind_validator
from ordain.specs.kinds.fields import yaml_name
from ordain.specs.plain import to_plain
from ordain.specs.reference import parts
from ordain.specs.references import check_references
from ordain.specs.shapes import shapes
from ordain.specs.trees import work_tree

EXAMPLES = Path(ordain.__file__).parent / "examples"

FULL = """\
apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: applications}
spec:
  source: {type: parquet, uri: data/applications.parquet}
  digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
  entity: applicant_id
  time: applied_on
  target: {column: default_12m, favourable: 0, matureAfter: 365d}
  columns:
    income:  {type: float, unit: EUR/month, range: [0, 1000000], missing: 5%}
    purpose: {type: category, rare: 20, unknown: bucket}
    sex:     {type: category, role: protected, reference: male}
  leaks: [days_past_due_12m]
---
apiVersion: ordain.dev/v1
kind: Model
metadata: {name: credit-default, labels: {line: consumer-lending}}
spec:
  purpose: Probability that an applicant defaults within 12 months
  tier: 1
  owner: credit-risk
  task: classification
  dataset: applications
  split: {by: time, train: ..2024-06-30, validation: 2024-07..2024-09, test: 2024-10.., purge: 30d}
  features: {exclude: [applicant_id], select: {method: mutual_info, keep: 40}}
  preprocessing:
    numeric:
      {impute: median, indicator: true, outliers: {clip: [p01, p99]}, monotone: {usage: increasing}}
    categorical: {encode: ordinal_by_target}
  training:
    automl:
      families: [logistic_spline, hist_gradient_boosting, extra_trees]
      budget: {trials: 24, abortAfter: 15m}
      metric: log_loss
    calibrate: isotonic
    seed: 7
    threads: 1
  acceptance:
    metrics:
      - {name: roc_auc, min: 0.74, bound: lower, confidence: 0.95}
      - {name: roc_auc, versus: champion, minDelta: -0.002}
    fairness: [{metric: adverse_impact_ratio, min: 0.80, alpha: 0.05, minCell: 30}]
    drift: {psi: {max: 0.25}}
    parity: {onnx: 1e-5}
  explanation:
    {method: shap, space: margin, background: {rows: 200, seed: 7}, reasons: reason-codes.yaml}
---
apiVersion: ordain.dev/v1
kind: Route
metadata: {name: credit}
spec:
  endpoint: /v1/credit
  rules:
    - when:
        all:
          - {field: amount, op: gt, value: 40000}
          - any:
              - {field: channel, op: in, value: [branch, phone]}
              - not: {field: term, op: lt, value: 12}
      to:
        - {deployment: credit-default, weight: 90}
        - {deployment: credit-default-challenger, weight: 10}
      sticky: applicant_id
  default: {deployment: credit-default}
  shadow: [{deployment: credit-default-challenger}]
  fallback: {decision: refer-to-underwriter}
---
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: tier1-two-approvers}
spec:
  match: {kinds: [ModelVersion, Deployment], when: "model.spec.tier == 1"}
  enforcement: block
  validations:
    - expression: "approvals.filter(a, !(a.person in change.contributors)).size() >= 2"
      message: "a tier-1 model needs two approvals from people who did not contribute to it"
      remedy: "ask for a review from a manager and the CTO"
      controls: [SR262-CHANGE, HR-SOD]
"""
ESTATE = """\
apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: e}
spec: {environments: [{name: production}]}
"""


def test_the_whole_language_is_accepted_even_where_nobody_acts_on_it_yet() -> None:
    estate = load_estate({"ordain.yaml": ESTATE.encode(), "specs/all.yaml": FULL.encode()})
    assert estate.findings == ()
    model = estate.get("Model", "credit-default")
    assert model is not None
    assert model.spec.training.automl.budget.abort_after == "15m"
    route = estate.get("Route", "credit")
    assert route is not None
    assert route.spec.rules[0].when.all[1].any[1].not_.value == 12


@pytest.mark.parametrize("example", ["credit-union", "clinic"])
def test_the_examples_have_no_findings(example: str) -> None:
    estate = load_estate(work_tree(EXAMPLES / example))
    assert (*estate.findings, *check_references(estate)) == ()
    assert len(estate.documents) > 5


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_is_described_named_for_yaml_and_has_its_change_class(kind: str) -> None:
    seen: list[type] = []

    def look(cls: type) -> None:
        if cls in seen:
            return
        seen.append(cls)
        assert (cls.__doc__ or "").strip()
        for shape in shapes(cls).values():
            assert shape.description, shape.name
            assert shape.name not in {"on", "no", "yes", "off", "y", "n"}
            assert shape.change in {"material", "metadata"}
            for part in parts(shape.type):
                look(part)

    look(kind_type(kind))
    assert all(is_dataclass(cls) for cls in seen)


def test_specs_cannot_be_changed() -> None:
    spec = kind_validator("Comment").validate_python(
        {"model": "credit", "breach": "b1", "author": "manager", "text": "why"}
    )
    assert [field.name for field in fields(spec)] == ["model", "breach", "author", "text"]
    with pytest.raises(FrozenInstanceError):
        spec.text = "other"


def test_a_spec_goes_back_to_the_values_it_came_from() -> None:
    estate = load_estate({"ordain.yaml": ESTATE.encode(), "specs/all.yaml": FULL.encode()})
    policy, route = estate.get("Policy", "tier1-two-approvers"), estate.get("Route", "credit")
    assert policy is not None
    assert route is not None
    assert to_plain(policy.spec) == {
        name: value for name, value in policy.raw["spec"].items() if name != "enforcement"
    }
    assert to_plain(route.spec) == route.raw["spec"]


def test_yaml_names_are_camel_cased() -> None:
    assert yaml_name("latency_p99") == "latencyP99"
    assert yaml_name("model") == "model"


def test_checking_a_right_estate_loads_nothing_that_it_does_not_need() -> None:
    script = """
import sys
from ordain.specs.estates import load_estate
from ordain.specs.references import check_references
estate = load_estate({"ordain.yaml": sys.argv[1].encode()})
assert not estate.findings and not check_references(estate)
heavy = {"pydantic", "jsonschema", "difflib", "ordain.specs.kinds.compliance",
         "ordain.specs.problems", "ordain.specs.codes"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, ESTATE], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
