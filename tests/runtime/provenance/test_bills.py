from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ordain.runtime.provenance.bom import Versioned, bill_of_materials
from ordain.specs.evidence import Evidence, FairnessRow, Metric
from ordain.specs.kinds import kind_validator

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


@pytest.fixture
def made() -> Versioned:
    model = {
        "purpose": "Probability that an applicant defaults within 12 months",
        "tier": 1,
        "owner": "credit-risk",
        "task": "classification",
        "dataset": "applications",
        "training": {"estimator": "logistic_regression"},
    }
    dataset = {
        "source": {"type": "parquet", "uri": "data/applications.parquet"},
        "columns": {"income": {"type": "float"}},
        "licence": "internal",
        "provenance": "from the branches",
    }
    row = FairnessRow(
        "sex",
        "female",
        "male",
        "adverse_impact_ratio",
        120,
        130,
        90,
        100,
        0.975,
        0.9,
        1.05,
        0.4,
        0.8,
        0.8,
        0.05,
        "pass",
    )
    evidence = Evidence(
        model="credit",
        recipe=A,
        artifact=B,
        split=C,
        data={"digest": A, "rows": 600},
        metrics=(
            Metric("roc_auc", "test", 0.75, 0.7, 0.8, 0.95, 120, "lower >= 0.6", "pass"),
            Metric("roc_auc_delta", "test", 0.0, None, None, 0.95, 0),
        ),
        fairness=(row,),
        importance=(),
        parity={"plan": 0.0},
        environment={"python": "3.11", "numpy": "2.4.6"},
        limitations=("The split is not by time.",),
        verdict="pass",
    )
    return Versioned(
        "credit",
        3,
        kind_validator("Model").validate_python(model),
        "applications",
        kind_validator("Dataset").validate_python(dataset),
        evidence,
    )


def faults(data: bytes) -> Any:  # noqa: ANN401 - None or the library's error
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())


def test_the_bill_is_one_of_cyclonedx(made: Versioned) -> None:
    assert faults(bill_of_materials(made)) is None


def test_without_what_may_be_absent_it_still_is(made: Versioned) -> None:
    evidence = replace(made.evidence, metrics=(), fairness=(), limitations=(), environment={})
    dataset = replace(made.dataset, licence="", provenance="")
    model = replace(made.model, training=None)
    bare = replace(made, evidence=evidence, dataset=dataset, model=model)
    assert faults(bill_of_materials(bare)) is None


def test_the_card_says_what_was_measured(made: Versioned) -> None:
    bill = json.loads(bill_of_materials(made))
    component = bill["metadata"]["component"]
    assert component["type"] == "machine-learning-model"
    assert component["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    card = component["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "roc_auc",
            "value": "0.75",
            "slice": "test",
            "confidenceInterval": {"lowerBound": "0.7", "upperBound": "0.8"},
        },
        {"type": "roc_auc_delta", "value": "0.0", "slice": "test"},
    ]
    assert card["modelParameters"]["modelArchitecture"] == "logistic_regression"
    assert card["modelParameters"]["datasets"] == [{"ref": "data/applications"}]
    assert card["considerations"]["technicalLimitations"] == ["The split is not by time."]
    (assessed,) = card["considerations"]["fairnessAssessments"]
    assert assessed == {
        "groupAtRisk": "sex=female",
        "harms": "adverse_impact_ratio against male: 0.9750, n = 120, verdict pass",
    }


def test_rows_and_packages_are_components_that_the_model_depends_on(made: Versioned) -> None:
    bill = json.loads(bill_of_materials(made))
    assert [one["bom-ref"] for one in bill["components"]] == [
        "data/applications",
        "pkg:pypi/numpy@2.4.6",
        "pkg:generic/python@3.11",
    ]
    assert bill["components"][0]["properties"] == [{"name": "ordain:logicalDigest", "value": A}]
    (dependency,) = bill["dependencies"]
    assert dependency["ref"] == "model/credit@3"
    assert len(dependency["dependsOn"]) == 3


def test_the_same_version_has_the_same_bill_and_another_has_another_number(
    made: Versioned,
) -> None:
    assert bill_of_materials(made) == bill_of_materials(replace(made))
    other = replace(made, evidence=replace(made.evidence, artifact=C))
    numbers = {json.loads(bill_of_materials(one))["serialNumber"] for one in (made, other)}
    assert len(numbers) == 2


def test_the_card_names_what_a_search_has_found(made: Versioned) -> None:
    automl = {"families": ["extra_trees"], "budget": {"trials": 3}}
    model = {"purpose": "x", "tier": 1, "owner": "x", "task": "classification"}
    searching = kind_validator("Model").validate_python(model | {"training": {"automl": automl}})
    search = {"chosen": {"number": 2, "family": "extra_trees", "estimator": "extra_trees"}}
    found = replace(made, model=searching, evidence=replace(made.evidence, search=search))
    data = bill_of_materials(found)
    card = json.loads(data)["metadata"]["component"]["modelCard"]
    assert card["modelParameters"]["modelArchitecture"] == "extra_trees"
    assert faults(data) is None
