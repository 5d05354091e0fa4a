"""Size of the forms of a model, and what it costs to write, look through and open them.

The rows are those of `bench/training.py`; a hundred boosted trees, and a forest of a hundred trees
of depth 10. Times are of the processor, the best of five. Beside each pipeline stands the size of
what skops itself writes.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import skops.io
from sklearn.pipeline import Pipeline

from bench.training import order
from ordain.runtime.formats.onnx_files import write_onnx
from ordain.runtime.formats.skops_files import check_pipeline, dump_pipeline, load_pipeline
from ordain.runtime.training.export import export
from ordain.runtime.training.inputs import read_inputs
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.pipeline import fit

if TYPE_CHECKING:
    from collections.abc import Callable

FOREST = {"n_estimators": 100, "max_depth": 10, "max_leaf_nodes": None}
WANTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hist_gradient_boosting", {}),
    ("random_forest", FOREST),
)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and the least of five times in milliseconds of the processor."""
    taken = []
    for _ in range(5):
        began = time.process_time()
        found = work()
        taken.append((time.process_time() - began) * 1000)
    return found, min(taken)


def main() -> None:
    with TemporaryDirectory() as name:
        job = order(Path(name))
        with pinned_rows(job) as table:
            data = read_inputs(job, table)
    for estimator, parameters in WANTED:
        assert job.spec.training is not None
        training = replace(job.spec.training, estimator=estimator, parameters=parameters)
        spec = replace(job.spec, training=training)
        fitted = fit(spec, data.frame, data.parts.train, data.outcomes)
        plan = json.loads(export(fitted, data.frame, data.frame.matrix[data.parts.train], None))
        whole = Pipeline([("columns", fitted.columns), ("estimator", fitted.estimator)])
        stored, writing = timed(lambda whole=whole: dump_pipeline(whole))  # type: ignore[misc]
        _, looking = timed(lambda stored=stored: check_pipeline(stored))  # type: ignore[misc]
        _, opening = timed(lambda stored=stored: load_pipeline(stored))  # type: ignore[misc]
        graph, graphing = timed(lambda plan=plan: write_onnx(plan))  # type: ignore[misc]
        raw = len(skops.io.dumps(whole))
        print(
            f"{estimator}: pipeline {len(stored):,} bytes (skops: {raw:,}), written in "
            f"{writing:.0f} ms, looked through in {looking:.0f} ms, opened in {opening:.0f} ms; "
            f"ONNX {len(graph):,} bytes, written in {graphing:.0f} ms"
        )


if __name__ == "__main__":
    main()
