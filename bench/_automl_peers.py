"""One peer on one table, in the interpreter of its own environment: `PEER TASK SECONDS DIRECTORY`.

The directory has `train.parquet` and `test.parquet` with the column `outcome`; the answers go to
`PEER.npy` and what they cost to `PEER.json`. Budgets of the peers are of time on the wall, which
says nothing on a machine that does other things too: `time.time` is that of the processor here.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import Any

Array = Any  # Of libraries that are only there.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
REPEATS = 20


def flaml(train: Array, task: str, seconds: float, place: Path) -> Array:
    """FLAML with its defaults."""
    from flaml import AutoML

    model = AutoML()
    metric = "rmse" if task == "regression" else "log_loss"
    features = train.drop(columns="outcome")
    model.fit(
        features,
        train["outcome"],
        task=task,
        metric=metric,
        time_budget=seconds,
        n_jobs=1,
        seed=0,
        verbose=0,
        early_stop=False,
    )
    import pickle

    (place / "flaml.model").write_bytes(pickle.dumps(model.model))
    return model.predict if task == "regression" else lambda rows: model.predict_proba(rows)[:, 1]


def autogluon(train: Array, task: str, seconds: float, place: Path) -> Array:
    """AutoGluon, medium quality."""
    from autogluon.tabular import TabularPredictor

    metric, kind = ("rmse", "regression") if task == "regression" else ("log_loss", "binary")
    path = place / "autogluon.model"
    shutil.rmtree(path, ignore_errors=True)
    model = TabularPredictor(
        "outcome", problem_type=kind, eval_metric=metric, path=str(path), verbosity=0
    )
    model.fit(train, time_limit=seconds, presets="medium_quality", num_cpus=1, num_gpus=0)
    if task == "regression":
        return lambda rows: model.predict(rows).to_numpy()
    return lambda rows: model.predict_proba(rows)[1].to_numpy()


def _size(path: Path) -> int:
    return (
        sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        if path.is_dir()
        else path.stat().st_size
    )


def main(peer: str, task: str, seconds: str, directory: str) -> None:
    for name in THREADS:
        os.environ[name] = "1"
    place = Path(directory)
    import numpy as np
    import pandas as pd

    train, test = (pd.read_parquet(place / f"{part}.parquet") for part in ("train", "test"))
    for table in (train, test):
        for name in table.columns:
            if table[name].dtype.kind not in "fiubM":
                table[name] = table[name].astype("category")
    rows = test.drop(columns="outcome")
    time.time = time.process_time
    begun = time.process_time()
    ask = {"flaml": flaml, "autogluon": autogluon}[peer](train, task, float(seconds), place)
    spent = time.process_time() - begun
    np.save(place / f"{peer}.npy", np.asarray(ask(rows), dtype=float))
    begun = time.process_time()
    for number in range(REPEATS):
        ask(rows.iloc[number : number + 1])
    row = (time.process_time() - begun) / REPEATS * 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    cost = {"seconds": spent, "bytes": _size(place / f"{peer}.model"), "row": row, "peak": peak}
    (place / f"{peer}.json").write_text(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
