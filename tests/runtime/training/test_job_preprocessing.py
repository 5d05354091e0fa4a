"""A whole job with everything declared at once: proven, explained, monitored, and made again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.monitoring.profiles import Profile
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.job import run_job
from ordain.specs.kinds.dataset import Column, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.runtime.training.order import Job
    from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

SENTENCES = ["repay another loan", "a used car", "new car; my first!", "straße", None]
BOTH: dict[str, Any] = {
    "categorical": {"encode": "target"},
    "dates": {"parts": ["month", "weekday", "days"]},
    "texts": {"terms": 6, "ngrams": [1, 2]},
}
LINEAR = BOTH | {"interactions": [["income", "debts"]], "numeric": {"indicator": True}}


@pytest.fixture
def data(lending: Callable[..., pa.Table], dataset: Callable[..., Dataset]) -> Dataset:
    table, rng = lending(), np.random.default_rng(3)
    moments = np.datetime64("2019-06-30T05:00:07") + rng.integers(0, 10**8, table.num_rows)
    asked = pa.array(moments.astype("datetime64[us]"), mask=rng.random(table.num_rows) < 0.05)
    reason = pa.array([SENTENCES[place] for place in rng.integers(0, 5, table.num_rows)])
    plain = dataset(table.append_column("asked_on", asked).append_column("reason", reason))
    more = {"asked_on": Column(type="date"), "reason": Column(type="text")}
    return replace(plain, columns=plain.columns | more)


def quiet(stage: str, fraction: float) -> None:
    """Nobody looks at the progress."""


@pytest.mark.parametrize(
    ("estimator", "preprocessing"),
    [("logistic_regression", LINEAR), ("hist_gradient_boosting", BOTH)],
)
def test_everything_that_is_declared_is_proven_explained_and_monitored(
    data: Dataset,
    model: Callable[..., Model],
    job: Callable[..., Job],
    estimator: str,
    preprocessing: dict[str, Any],
) -> None:
    chosen = {"select": {"method": "mutual_info", "keep": 10}}
    order = job(model(estimator, preprocessing=preprocessing, features=chosen), data)
    outcome = run_job(order, quiet)
    assert outcome.evidence.parity["plan"] <= 1e-9
    assert {"asked_on", "reason", "income"} <= dict(outcome.evidence.importance).keys()
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    plan = RowPlan.read(artifact.member("plan.json"))
    assert len(plan.names) == len(plan.sources) == 10
    profile = Profile.read(artifact.member("profile.json"))
    measures = {name: bins.to_plain().get("measure") for name, bins in profile.features.items()}
    assert (measures["asked_on"], measures["reason"]) == ("days", "words")
    rows = json.loads(artifact.member("parity.json"))["rows"]
    assert any(row["asked_on"] == "9999-12-31" for row in rows)
    assert outcome.evidence.forms == ("onnx",)
    assert (
        "The artifact has no pipeline.skops: a model that reads free text needs the texts of the "
        "training part beside it."
    ) in outcome.evidence.limitations
    assert run_job(order, quiet).artifact == outcome.artifact
