from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs.canonical import canonical_json, digest, sha256
from ordain.specs.evidence import (
    Evidence,
    EvidenceError,
    FairnessRow,
    Metric,
    evidence_path,
    read_evidence,
)
from ordain.specs.kinds import kind_validator
from ordain.specs.plain import material_digest, spec_digest
from ordain.specs.recipes import recipe_of

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

DIGEST = "sha256:" + "9" * 64


def model(**more: object) -> Model:
    spec = {
        "purpose": "p",
        "tier": 2,
        "owner": "risk",
        "task": "classification",
        "dataset": "d",
        "training": {"estimator": "logistic_regression"},
    }
    validated: Model = kind_validator("Model").validate_python({**spec, **more})
    return validated


def dataset(**more: object) -> Dataset:
    spec = {"source": {"type": "csv"}, "columns": {"a": {"type": "int"}}, "digest": DIGEST}
    validated: Dataset = kind_validator("Dataset").validate_python({**spec, **more})
    return validated


def test_one_value_has_one_form() -> None:
    assert canonical_json({"b": [1, 1.5, None], "a": "é"}) == '{"a":"é","b":[1,1.5,null]}'.encode()
    assert digest({}) == sha256(b"{}")
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))


def test_metadata_never_retrains() -> None:
    assert material_digest(model()) == material_digest(model(owner="other", purpose="q", tier=1))
    assert spec_digest(model()) != spec_digest(model(owner="other"))


def test_a_default_that_is_written_out_changes_nothing() -> None:
    training = {"estimator": "logistic_regression", "seed": 7, "threads": 1}
    assert spec_digest(model()) == spec_digest(model(training=training, split={"by": "random"}))


def test_one_is_not_true_and_a_material_change_is_seen() -> None:
    training = {"estimator": "logistic_regression", "parameters": {"C": 1}}
    other = {"estimator": "logistic_regression", "parameters": {"C": True}}
    assert material_digest(model(training=training)) != material_digest(model(training=other))


def test_a_recipe_covers_all_that_decides_the_weights() -> None:
    recipe = recipe_of("credit", model(), dataset(), DIGEST)
    assert recipe is not None
    same = recipe_of("credit", model(owner="x"), dataset(licence="MIT"), DIGEST)
    assert same is not None
    assert recipe.digest == same.digest
    other = recipe_of("credit", model(), dataset(), "sha256:" + "8" * 64)
    assert other is not None
    assert recipe.digest != other.digest


def test_without_a_pinned_dataset_there_is_nothing_to_train() -> None:
    assert recipe_of("credit", model(), dataset(digest=None), DIGEST) is None


def evidence() -> Evidence:
    metric = Metric("roc_auc", "test", 0.8, 0.78, 0.82, 0.95, 1000)
    return Evidence(
        "credit", DIGEST, DIGEST, DIGEST, {"rows": 1}, (metric,), (), (("a", 1.0),), {"plan": 0.0}
    )


def test_evidence_is_read_back_from_the_file_that_its_digest_names() -> None:
    written = evidence()
    assert read_evidence(written.to_json(), written.path) == written


def test_forms_are_said_where_there_are_any() -> None:
    assert b"forms" not in evidence().to_json()
    written = replace(evidence(), forms=("onnx", "skops"))
    assert b'"forms":["onnx","skops"]' in written.to_json()
    assert read_evidence(written.to_json(), written.path) == written


def test_evidence_that_was_edited_is_refused() -> None:
    written = evidence()
    edited = written.to_json().replace(b"0.8,", b"0.9,")
    assert edited != written.to_json()
    with pytest.raises(EvidenceError, match="does not hold the evidence that its name promises"):
        read_evidence(edited, written.path)
    with pytest.raises(EvidenceError, match="is not an evidence document of the format"):
        read_evidence(b"{}", written.path)


FAIRNESS = FairnessRow(
    *("sex", "female", "male", "adverse_impact_ratio", 500, 700, 400, 560),
    *(1.0, 0.9, 1.1, 1.0, 1.0, 0.8, 0.05, "pass"),
)
METRIC = Metric("roc_auc", "test", 0.8, 0.78, 0.82, 0.95, 1000)


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": (replace(METRIC, value=math.nan),)},
        {"metrics": (replace(METRIC, low=-math.inf),)},
        {"metrics": (replace(METRIC, value="0.9"),)},  # type: ignore[arg-type]
        {"metrics": (replace(METRIC, value=True),)},
        {"metrics": (replace(METRIC, n=1000.0),)},  # type: ignore[arg-type]
        {"metrics": (replace(METRIC, name=1),)},  # type: ignore[arg-type]
        {"metrics": (replace(METRIC, verdict="passed"),)},
        {"metrics": (replace(METRIC, limit=["x"]),)},  # type: ignore[arg-type]
        {"fairness": (replace(FAIRNESS, p_value="0"),)},  # type: ignore[arg-type]
        {"fairness": (replace(FAIRNESS, favourable=None),)},  # type: ignore[arg-type]
        {"importance": (("a", "1.0"),)},
        {"parity": {"plan": "0"}},
        {"drift": {"income": None}},
        {"drift": ["low"]},
        {"limitations": (3,)},
        {"environment": {"numpy": 2}},
        {"data": ["rows"]},
        {"model": "\ud800"},
        {"verdict": 1},
    ],
)
def test_what_is_no_number_or_no_text_is_no_evidence(changes: dict[str, Any]) -> None:
    """Also where the name is the digest of exactly these bytes."""
    forged = replace(evidence(), **changes)
    plain = {"format": "ordain.evidence/1", **asdict(forged)}
    data = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(EvidenceError, match="is not an evidence document of the format"):
        read_evidence(data, evidence_path(sha256(data)))


def test_numbers_that_are_whole_and_values_that_are_absent_are_evidence() -> None:
    metric = replace(METRIC, value=1, low=None, high=None)
    written = replace(evidence(), metrics=(metric,), fairness=(FAIRNESS,))
    assert read_evidence(written.to_json(), written.path) == written
