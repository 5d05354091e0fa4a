"""Clusters are found where there are some, and "none" is what is said of noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.errors import NoStableClusters, SearchAborted
from ordain.runtime.training.inputs import read_inputs
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.search import clusters
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from ordain.runtime.training.search.trials import Trial

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

KEPT = ("income", "debts")
GONE = (
    "applicant_id",
    "applied_on",
    "age",
    "employed",
    "purpose",
    "sex",
    "days_past_due",
    "defaulted",
)


def silent(stage: str, fraction: float) -> None:
    """Nobody waits for progress."""


@pytest.fixture
def order(model: MakeModel, dataset: MakeDataset, job: MakeJob) -> Callable[..., Job]:
    """`order(points, budget={...})`: a search for clusters among points of two numbers."""

    def make(points: Any, **changed: Any) -> Job:  # noqa: ANN401
        table = pa.table({"income": points[:, 0], "debts": points[:, 1]})
        columns: dict[str, Any] = {name: {"type": ""} for name in GONE}
        number = {"type": "float", "range": None, "missing": None}
        numbers: dict[str, Any] = dict.fromkeys(KEPT, number)
        plain: dict[str, Any] = {"entity": None, "time": None, "leaks": [], "target": None}
        data = dataset(table, **columns, **numbers, **plain)
        automl = {"families": ["kmeans"], "budget": {"trials": 20}, "kMax": 4} | changed
        return job(model(training={"automl": automl}, task="clustering", decision=None), data)

    return make


def blobs(rows: int = 400) -> Any:  # noqa: ANN401
    rng = np.random.default_rng(2)
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [4.0, 7.0]])
    return centres[rng.integers(0, 3, rows)] + rng.normal(scale=0.6, size=(rows, 2))


def test_three_groups_are_found(order: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SHUFFLES", 100)
    found = run_job(order(blobs()), silent)
    chosen = found.evidence.search["chosen"]
    assert chosen["training"] == {"estimator": "kmeans", "parameters": {"n_clusters": 3}}
    assert chosen["chance"] == "shuffled rows reach its silhouette with p = 0.0099"
    assert [row[1] for row in found.evidence.search["candidates"]] == ["kmeans"] * 3


def test_noise_has_no_clusters_and_what_was_tried_is_told(order: Callable[..., Job]) -> None:
    noise = np.random.default_rng(4).normal(size=(300, 2))
    told: list[Trial] = []
    with pytest.raises(NoStableClusters) as caught:
        run_job(
            order(noise, kMax=3),
            silent,
            lambda trials: told.__setitem__(slice(None), trials),
        )
    assert caught.value.code == "RUN156"
    assert caught.value.message.startswith("no stable clusters: of 2 trials none holds; the ")
    assert [(one.number, one.state) for one in told] == [(1, "stopped"), (2, "stopped")]
    assert all(one.why for one in told)


def test_a_search_for_clusters_is_ended_by_its_clock(order: Callable[..., Job]) -> None:
    job = order(blobs(60), budget={"trials": 20, "abortAfter": "1s"})
    ticks = iter(range(100))
    with pinned_rows(job) as table:
        data = read_inputs(job, table)
    with pytest.raises(SearchAborted) as caught:
        clusters.search_clusters(job, data, silent, clock=lambda: float(next(ticks)))
    assert caught.value.message == (
        "training.automl: abortAfter (1s) was over when 1 of 3 trials were done"
    )
