"""Small plans of every task, written by hand so that their answers can be computed by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ordain.ledger.records import Prediction
from ordain.runtime.scoring import RowPlan
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.artifacts import Artifact

Plain = dict[str, Any]
CLASSES = ("good", "watch", "bad")


def an_input(name: str, kind: str = "float", **changed: object) -> Plain:
    usual = {"missing": True, "range": None, "levels": None, "unknown": "bucket"}
    return {"name": name, "type": kind, **usual, **changed}


def number(name: str, **changed: object) -> Plain:
    usual = {"impute": 0.0, "low": None, "high": None, "center": 0.0, "scale": 1.0}
    return {"op": "number", "input": name, **usual, **changed}


def plan(
    task: str,
    link: str,
    model: Plain,
    *,
    names: Sequence[str] = ("income", "debt"),
    classes: Sequence[str] = (),
    **changed: object,
) -> bytes:
    """A plan over numbers that are taken as they are."""
    raw: Plain = {
        "format": "ordain.plan/2",
        "task": task,
        "classes": list(classes),
        "inputs": [an_input(name) for name in names],
        "columns": [number(name) for name in names],
        "keep": None,
        "names": list(names),
        "sources": [[name] for name in names],
        "model": model,
        "link": link,
        "calibration": None,
        "decision": None,
    }
    return canonical_json(raw | changed)


def linear(*outputs: Sequence[float]) -> Plain:
    """One output for each list of coefficients, the last of which is its intercept."""
    return {
        "kind": "linear",
        "coefficients": [list(one[:-1]) for one in outputs],
        "intercepts": [one[-1] for one in outputs],
    }


def stump(column: int, low: float, high: float, *, output: int = 0, at: float = 0.0) -> Plain:
    """A tree of one split: `low` up to `at` and where missing, else `high`."""
    return {
        "output": output,
        "feature": [column, -1, -1],
        "threshold": [at, 0.0, 0.0],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
        "missing_left": [True, False, False],
        "value": [0.0, low, high],
    }


def forest(baselines: Sequence[float], *trees: Plain) -> Plain:
    return {"kind": "trees", "baselines": list(baselines), "trees": list(trees)}


MULTICLASS = plan(
    "classification",
    "softmax",
    linear((0.5, -1.0, 0.25), (0.0, 0.25, 0.0), (-0.5, 1.0, -0.25)),
    classes=CLASSES,
)
REGRESSION = plan("regression", "identity", linear((120.0, -35.5, 1000.0)))
COUNTS = plan("regression", "log", linear((0.25, -0.125, 0.5)))
CLUSTERING = plan(
    "clustering",
    "none",
    {"kind": "centres", "centres": [[0.0, 0.0], [3.0, 4.0]]},
    classes=("cluster 1", "cluster 2"),
)


def read(data: bytes) -> RowPlan:
    return RowPlan.read(data)


def predicted(artifact: Artifact, row: Plain) -> Prediction:
    """The record of an answer to `row` by the artifact of one of these plans."""
    scored = RowPlan.read(artifact.member("plan.json")).answer(row)
    return Prediction(
        id="0193-1",
        time=datetime(2026, 11, 20, tzinfo=UTC),
        route="grade",
        rule=None,
        draw=None,
        deployment="grade",
        model="grade",
        version="1",
        artifact=artifact.digest,
        inputs=row,
        output=scored.output,
        decision=scored.decision,
        threshold=None,
        latency_us=90,
        key_id=None,
    )
