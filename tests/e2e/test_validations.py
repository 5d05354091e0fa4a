"""Validations of models of real applicants and clients, on rows that they have not learnt from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from places import Place

pytestmark = pytest.mark.e2e

GERMAN = """\
apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: applicants}
spec:
  source: {type: parquet, uri: data/applicants.parquet}
  target: {column: bad, positive: 1, favourable: 0}
  columns:
    checking_status: {type: category}
    duration_months: {type: int}
    credit_history: {type: category}
    purpose: {type: category}
    credit_amount: {type: float, range: [0, 100000]}
    savings_status: {type: category}
    employment_since: {type: category}
    installment_rate: {type: int}
    property: {type: category}
    housing: {type: category}
    age: {type: int, role: protected, levels: [18..24, 25..]}
    sex: {type: category, role: protected, reference: male}
    bad: {type: int}
---
apiVersion: ordain.dev/v1
kind: Model
metadata: {name: applicant-risk}
spec:
  purpose: Probability that a credit is not paid back
  tier: 2
  owner: data
  task: classification
  dataset: applicants
  training: {estimator: logistic_regression}
  decision: {threshold: 0.4, above: decline, below: approve}
  acceptance:
    metrics: [{name: roc_auc, min: 0.7}]
    fairness: [{attributes: [sex]}]
  validation:
    segments: {columns: [housing], min: 0.6, minCell: 50}
    edgeCases: cases/applicants.yaml
    robustness: {noise: 5%, maxFlips: 10%}
"""
CASES = """\
cases:
  - name: a negative amount
    inputs: {credit_amount: -1, duration_months: 12, installment_rate: 2}
    expect: {refused: true}
    why: nobody borrows less than nothing
"""
CLIENTS = """\
apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: clients}
spec:
  source: {type: parquet, uri: data/clients.parquet}
  target: {column: DEFAULT, positive: 1, favourable: 0}
  columns:
    LIMIT_BAL: {type: float}
    SEX: {type: category, role: protected}
    AGE: {type: int, role: protected}
    PAY_1: {type: int}
    PAY_2: {type: int}
    PAY_3: {type: int}
    BILL_AMT1: {type: float}
    PAY_AMT1: {type: float}
    PAY_AMT2: {type: float}
    DEFAULT: {type: int}
---
apiVersion: ordain.dev/v1
kind: Model
metadata: {name: client-risk}
spec:
  purpose: Probability that a client does not pay next month
  tier: 2
  owner: data
  task: classification
  dataset: clients
  training: {estimator: hist_gradient_boosting, parameters: {max_iter: 60}}
  decision: {threshold: 0.3, above: review, below: keep}
  acceptance:
    metrics: [{name: roc_auc, min: 0.7, bound: lower}]
  validation:
    segments: {columns: [AGE], min: 0.65}
    calibration: {maxError: 0.05}
"""


@pytest.fixture(scope="module")
def estate(place: Place, needs_data: Callable[[str], Path]) -> Place:
    """A clinic that has begun to lend money."""
    from pyarrow import parquet

    place.ordain("init", str(place.estate), "--example", "clinic", "--port", "0", at=place.root)
    german = parquet.read_table(needs_data("german_credit/german_credit.parquet"))
    parquet.write_table(german, place.estate / "data/applicants.parquet")
    taiwan = parquet.read_table(needs_data("taiwan_default/taiwan_default.parquet"))
    outcome = next(name for name in taiwan.column_names if "default" in name.lower())
    taiwan = taiwan.rename_columns(
        ["DEFAULT" if name == outcome else name for name in taiwan.column_names]
    )
    parquet.write_table(taiwan.slice(0, 25_000), place.estate / "data/clients.parquet")
    parquet.write_table(taiwan.slice(25_000), place.estate / "data/later.parquet")
    (place.estate / "cases").mkdir()
    (place.estate / "cases/applicants.yaml").write_text(CASES)
    (place.estate / "specs/models/applicants.yaml").write_text(GERMAN)
    (place.estate / "specs/models/clients.yaml").write_text(CLIENTS)
    return place


def validated(place: Place, *arguments: str) -> dict[str, Any]:
    done = place.ordain("validate", *arguments, "-o", "json", "--progress", "none", expect=None)
    assert done.returncode in {0, 1}, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def checks(found: dict[str, Any], section: str) -> list[dict[str, Any]]:
    return [one for one in found["document"]["checks"] if one["section"] == section]


def test_applicants_are_validated_in_every_section(estate: Place) -> None:
    found = validated(estate, "applicant-risk")
    sections = {one["section"] for one in found["document"]["checks"]}
    expected = {"schema", "quality", "drift", "performance", "calibration", "segments"}
    expected |= {"robustness", "edge-cases", "stability", "champion", "explanations", "proxies"}
    assert expected == sections
    (case,) = checks(found, "edge-cases")
    assert case["verdict"] == "pass"
    (row,) = found["document"]["fairness"]
    assert (row["attribute"], row["group"], row["reference"]) == ("sex", "female", "male")
    assert Path(found["path"]).stat().st_size < 256_000


def test_clients_of_a_file_are_validated_as_those_of_the_dataset(estate: Place) -> None:
    found = validated(estate, "client-risk", "--data", "data/later.parquet")
    document = found["document"]
    assert (document["rows"], document["part"]) == (5_000, "")
    (area,) = [one for one in checks(found, "performance") if one["name"] == "roc_auc"]
    assert area["verdict"] == "pass"
    assert area["n"] == 5_000
    (error,) = [one for one in checks(found, "calibration") if one["name"] == "error"]
    assert error["limit"] == "<= 0.05"
