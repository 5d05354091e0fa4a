"""The searches that the docs show find what they say, on the tables of scikit-learn."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from sklearn.datasets import load_diabetes, load_wine

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.job import run_job
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.training.order import Job

pytestmark = pytest.mark.training

DOCS = Path(__file__).parents[3] / "docs" / "training.md"


def silent(stage: str, fraction: float) -> None:
    """Nobody waits for progress."""


def shown(name: str) -> Any:  # noqa: ANN401 - the spec of a Model
    """The Model of this name in the docs."""
    section = DOCS.read_text().partition("\n## Search\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```yaml\n(apiVersion.*?)```", section, re.DOTALL)
    documents = [one for block in blocks for one in yaml.safe_load_all(block)]
    spec = next(one["spec"] for one in documents if one["metadata"]["name"] == name)
    return kind_validator("Model").validate_python(spec)


def table_of(bunch: Any, outcome: str) -> tuple[pa.Table, dict[str, Any]]:  # noqa: ANN401
    """The table that scikit-learn has, and its Dataset."""
    names = [re.sub(r"\W+", "_", name) for name in bunch.feature_names]
    columns = {name: bunch.data[:, place] for place, name in enumerate(names)}
    declared: dict[str, Any] = {name: {"type": "float"} for name in names}
    classes = hasattr(bunch, "target_names")
    values = [bunch.target_names[one] for one in bunch.target] if classes else bunch.target
    declared[outcome] = {"type": "category" if classes else "float"}
    spec = {
        "source": {"type": "parquet", "uri": "rows.parquet"},
        "columns": declared,
        "target": {"column": outcome},
    }
    return pa.table({**columns, outcome: values}), spec


@pytest.fixture
def ordered(job: Callable[..., Job], tmp_path: Path) -> Callable[..., Job]:
    def make(name: str, bunch: Any, outcome: str) -> Job:  # noqa: ANN401
        table, spec = table_of(bunch, outcome)
        pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
        return job(shown(name), kind_validator("Dataset").validate_python(spec))

    return make


def test_three_cultivars_are_told_apart(ordered: Callable[..., Job]) -> None:
    order = ordered("cultivar", load_wine(), "cultivar")
    outcome = run_job(replace(order), silent)
    assert outcome.evidence.verdict == "pass"
    assert outcome.evidence.search["chosen"]["estimator"] == "logistic_regression"
    assert sum(outcome.evidence.search["trials"].values()) == 6
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    assert RowPlan.read(artifact.member("plan.json")).classes == ("class_0", "class_1", "class_2")


def test_the_progress_of_a_disease_is_a_regression(ordered: Callable[..., Job]) -> None:
    outcome = run_job(ordered("progression", load_diabetes(), "progression"), silent)
    assert outcome.evidence.verdict == "pass"
    assert outcome.evidence.search["metric"] == "mae"
    assert outcome.evidence.search["chosen"]["estimator"] in {"ridge", "hist_gradient_boosting"}
