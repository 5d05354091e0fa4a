"""A search beside those of other tools: equal processor seconds, one thread, the same rows.

Each set is divided once for each repeat. A peer gets a budget in seconds of the processor; a search
of ordain has a budget in trials, so that a first run of few trials tells how many fit into the same
seconds. What the search and the last fit took is counted, as it is for a peer; what evidence and
proofs take beside that is printed apart. Ranks are by log-loss, for a regression by RMSE; the
interval of the difference of two areas under the curve is of a paired bootstrap over the rows of
the test part.

    python bench/automl.py [--sets german_credit,...] [--repeats 5] [--seconds 60] [--peers ...]
                           [--trials N]

The sets are public tables below ORDAIN_TEST_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench._floor import ROOT
from bench._peers import environment
from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.environment import installed, render_lock
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.metrics import Sample, estimate
from ordain.runtime.training.order import Job, numeric_environment, write_job
from ordain.runtime.training.splits import split_rows
from ordain.specs.canonical import sha256
from ordain.specs.kinds import kind_validator
from ordain.specs.recipes import recipe_of
from ordain.specs.tasks import estimators_named

Row = dict[str, Any]
Array = Any  # Of NumPy, Arrow or a library of a peer.

# Target and what is left out: `duration` is known only after the call, ids say nothing.
SETS: Final = {
    "german_credit": ("bad", ("personal_status_sex",)),
    "taiwan_default": ("default_next_month", ()),
    "bank_marketing": ("subscribed", ("duration", "row_order", "contact_date")),
    "kc_house": ("price", ("id",)),
}
PEERS: Final = {
    "flaml": ("flaml[automl]", "pyarrow"),
    "autogluon": ("autogluon.tabular[catboost,lightgbm,xgboost]", "pyarrow"),
    "optuna_lightgbm": (),
    "hgb": (),
    "lr": (),
}
RANKED: Final = ("ours", "flaml", "autogluon", "optuna_lightgbm")
FAMILIES: Final = {
    "classification": ["logistic_spline", "hist_gradient_boosting", "extra_trees"],
    "regression": ["ridge_spline", "hist_gradient_boosting", "extra_trees"],
}
PROBE: Final = 10
TRIALS: Final = (8, 150)
BOOTSTRAPS: Final = 1_000
KINDS: Final = {"i": "int", "f": "float", "b": "bool", "M": "date"}


@dataclass(frozen=True, slots=True)
class Table:
    """One set: its rows, the target, and the task."""

    name: str
    rows: Array
    target: str
    task: str

    @property
    def features(self) -> list[str]:
        return [name for name in self.rows.column_names if name != self.target]


def read(name: str) -> Table:
    target, without = SETS[name]
    folder = Path(os.environ["ORDAIN_TEST_DATA"]) / name
    rows = parquet.read_table(folder / f"{name}.parquet")
    rows = rows.select([one for one in rows.column_names if one not in without])
    return Table(name, rows, target, "regression" if name == "kc_house" else "classification")


def declared(table: Table) -> Row:
    """The Dataset of a set, as a person would write it down."""
    columns = {}
    for field in table.rows.schema:
        if pa.types.is_temporal(field.type):
            columns[field.name] = {"type": "date"}
        elif pa.types.is_floating(field.type):
            columns[field.name] = {"type": "float"}
        elif pa.types.is_integer(field.type):
            columns[field.name] = {"type": "int"}
        elif pa.types.is_boolean(field.type):
            columns[field.name] = {"type": "bool"}
        else:
            columns[field.name] = {"type": "category"}
    for name, column in columns.items():
        if table.rows[name].null_count:
            column["missing"] = "50%"
    target = {"column": table.target, **({} if table.task == "regression" else {"positive": 1})}
    source = {"type": "parquet", "uri": "rows.parquet"}
    return {"source": source, "columns": columns, "target": target}


def order(table: Table, root: Path, trials: int, seed: int) -> Job:
    """A search over a set, with everything pinned as in an estate."""
    dates = any(pa.types.is_temporal(field.type) for field in table.rows.schema)
    automl = {"families": FAMILIES[table.task], "budget": {"trials": trials}}
    model = kind_validator("Model").validate_python(
        {
            "purpose": "a comparison of searches",
            "tier": 3,
            "owner": "bench",
            "task": table.task,
            "dataset": "rows",
            "split": {"train": "80%", "validation": "0%", "test": "20%"},
            "training": {"automl": automl, "seed": seed},
            "preprocessing": {"dates": {"parts": ["days", "month"]}} if dates else {},
        }
    )
    parquet.write_table(table.rows, root / "rows.parquet")
    data = kind_validator("Dataset").validate_python(declared(table))
    snapshots = Snapshots(ArtifactStore(root / "store"))
    with drafted(Origin("rows", data, root, {}), snapshots) as draft:
        kept = draft.keep(snapshots, Taker("", datetime(2026, 1, 1, tzinfo=UTC), "0"))
    data = replace(data, digest=kept.snapshot.digest)
    lock = render_lock(installed(estimators_named([model])))
    recipe = recipe_of("search", model, data, sha256(lock))
    assert recipe is not None
    return Job(
        model="search",
        spec=model,
        dataset="rows",
        data=data,
        recipe=recipe,
        environment=lock.decode(),
        store=root / "store",
        champion=None,
        tool="0",
    )


def ours(table: Table, place: Path, trials: int, seed: int, test: Array) -> Row:
    """Run a search as the reconciler does, and ask the plan that would be served."""
    root = place / f"ours-{trials}"
    root.mkdir()
    job = order(table, root, trials, seed)
    write_job(root / "job", job)
    begun = os.times()
    command = (sys.executable, "-m", "ordain.runtime.training", str(root / "job"))
    told = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | numeric_environment(1),
        capture_output=True,
        text=True,
        check=False,
    )
    ended = os.times()
    result = json.loads((root / "job" / "result.json").read_bytes())
    if told.returncode:
        raise RuntimeError(result, told.stderr)
    artifact = load_artifact(ArtifactStore(root / "store"), result["artifact"])
    tried = json.loads((root / "job" / "trials.json").read_bytes())["trials"]
    evidence = json.loads((root / "job" / "evidence.json").read_bytes())
    plan = RowPlan.read(artifact.member("plan.json"))
    rows = raw_rows(table.rows, [one.name for one in plan.inputs], test)
    begun_row = time.process_time()
    given = np.array([plan.answer(row).output for row in rows])
    row = (time.process_time() - begun_row) / len(rows) * 1000
    chosen = evidence["search"]["chosen"]
    return {
        "given": given,
        "seconds": sum(one["seconds"] for one in tried),
        "whole": sum(ended[2:4]) - sum(begun[2:4]),
        "bytes": sum(map(len, artifact.members.values())),
        "row": row,
        "onnx": _onnx_row(artifact, plan, rows[:200]),
        "said": f"{chosen['family']} #{chosen['number']} of {len(tried)}",
    }


def _onnx_row(artifact: Array, plan: RowPlan, rows: list[Row]) -> float | None:
    """Milliseconds of one row by the ONNX form, encoding included; None without one."""
    if "model.onnx" not in artifact.members:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(artifact.member("model.onnx"), options)
    encoded = [np.array([plan.encode(row)], dtype=np.float64) for row in rows]
    begun = time.process_time()
    for one in encoded:
        session.run(["scores"], {"encoded": one})
    return (time.process_time() - begun) / len(encoded) * 1000


def peer(name: str, table: Table, place: Path, seconds: float) -> Row:
    """Another tool, in its own environment."""
    python = environment(*PEERS[name])
    script = Path(__file__).with_name("_automl_peers.py")
    command = (str(python), str(script), name, table.task, str(seconds), str(place))
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    told = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(told.stderr[-2000:])
    return {
        "given": np.load(place / f"{name}.npy"),
        **json.loads((place / f"{name}.json").read_text()),
    }


def matrices(table: Table, train: Array, test: Array) -> tuple[Any, Any]:
    """Numbers as they are and levels as codes, for what takes no table."""
    columns = []
    for name in table.features:
        column = table.rows[name].combine_chunks()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.dictionary_encode().indices
        elif pa.types.is_temporal(column.type):
            column = column.cast(pa.timestamp("us")).cast(pa.int64())
        columns.append(
            np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        )
    whole = np.column_stack(columns)
    return whole[train], whole[test]


def optuna_lightgbm(table: Table, train: Array, test: Array, truth: Array, seconds: float) -> Row:
    """TPE over LightGBM with early stopping on a fifth of the training part, until time is over."""
    import lightgbm
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    learn, asked = matrices(table, train, test)
    values = truth[train]
    held = np.random.default_rng(0).random(len(learn)) < 0.2
    objective = "regression" if table.task == "regression" else "binary"
    metric = "rmse" if table.task == "regression" else "binary_logloss"
    begun = time.process_time()

    def settings(trial: Array) -> Row:
        return {
            "objective": objective,
            "metric": metric,
            "verbosity": -1,
            "num_threads": 1,
            "seed": 0,
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 4, 256, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 5, 200, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 100.0, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.4, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "bagging_freq": 1,
        }

    def loss(trial: Array) -> float:
        rows = lightgbm.Dataset(learn[~held], values[~held])
        judged = lightgbm.Dataset(learn[held], values[held], reference=rows)
        stop = lightgbm.early_stopping(30, verbose=False)
        made = lightgbm.train(settings(trial), rows, 1000, valid_sets=[judged], callbacks=[stop])
        trial.set_user_attr("trees", made.best_iteration)
        return float(made.best_score["valid_0"][metric])

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    while time.process_time() - begun < seconds * 0.9:
        study.optimize(loss, n_trials=1)
    best = study.best_trial
    last = settings(optuna.trial.FixedTrial(best.params))
    made = lightgbm.train(last, lightgbm.Dataset(learn, values), best.user_attrs["trees"])
    spent = time.process_time() - begun
    return {
        "given": made.predict(asked),
        "seconds": spent,
        "bytes": len(made.model_to_string()),
        "row": float("nan"),
        "said": f"{len(study.trials)} trials",
    }


def floor(name: str, table: Table, train: Array, test: Array, truth: Array) -> Row:
    """Default boosting, and the linear model of a textbook."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    learn, asked = matrices(table, train, test)
    levels = [
        place
        for place, one in enumerate(table.features)
        if pa.types.is_string(table.rows[one].type)
        or pa.types.is_large_string(table.rows[one].type)
    ]
    numbers = [place for place in range(learn.shape[1]) if place not in levels]
    regression = table.task == "regression"
    if name == "hgb":
        model: Any = (
            HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        )(random_state=0)
    else:
        columns = ColumnTransformer(
            [
                ("n", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
                ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), levels),
            ]
        )
        model = make_pipeline(columns, Ridge() if regression else LogisticRegression(max_iter=1000))
    begun = time.process_time()
    model.fit(learn, truth[train])
    given = model.predict(asked) if regression else model.predict_proba(asked)[:, 1]
    return {"given": given, "seconds": time.process_time() - begun, "bytes": 0, "row": float("nan")}


def quality(table: Table, truth: Array, given: Array) -> dict[str, float]:
    if table.task == "regression":
        return {"rmse": float(np.sqrt(np.mean((truth - given) ** 2)))}
    sample = Sample(truth.astype(np.int64), np.asarray(given, dtype=float), 0.5, 0)
    return {name: estimate(name, sample, 0.95).value for name in ("log_loss", "roc_auc")}


def auc_difference(truth: Array, mine: Array, theirs: Array) -> tuple[float, float, float]:
    """How much larger the area under the curve is, with its 95 % interval."""
    generator = np.random.default_rng(0)

    def area(rows: Array, given: Array) -> float:
        return estimate(
            "roc_auc", Sample(truth[rows].astype(np.int64), given[rows], 0.5, 0), 0.95
        ).value

    everything = np.arange(len(truth))
    found = area(everything, mine) - area(everything, theirs)
    drawn = [generator.integers(0, len(truth), len(truth)) for _ in range(BOOTSTRAPS)]
    gaps = [
        area(rows, mine) - area(rows, theirs) for rows in drawn if 0 < truth[rows].sum() < len(rows)
    ]
    low, high = np.quantile(gaps, [0.025, 0.975])
    return found, float(low), float(high)


def run(table: Table, repeat: int, given: argparse.Namespace) -> dict[str, Row]:
    """Everybody on one division of one set."""
    split = (
        kind_validator("Model")
        .validate_python(
            {
                "purpose": "x",
                "tier": 3,
                "owner": "x",
                "task": table.task,
                "split": {"train": "80%", "validation": "0%", "test": "20%"},
            }
        )
        .split
    )
    data = kind_validator("Dataset").validate_python(declared(table))
    parts = split_rows(split, data, table.rows, repeat)
    train, test = parts.train, parts.test
    truth = table.rows[table.target].to_numpy().astype(float)
    found: dict[str, Row] = {}
    with TemporaryDirectory() as name:
        place = Path(name)
        for part, rows in (("train", train), ("test", test)):
            kept = table.rows.take(pa.array(rows))
            names = ["outcome" if one == table.target else one for one in kept.column_names]
            parquet.write_table(kept.rename_columns(names), place / f"{part}.parquet")
        trials = given.trials or calibrated(table, place, repeat, test, given.seconds)
        found["ours"] = ours(table, place, trials, repeat, test)
        for one in given.peers:
            if one in ("hgb", "lr"):
                found[one] = floor(one, table, train, test, truth)
            elif one == "optuna_lightgbm":
                found[one] = optuna_lightgbm(table, train, test, truth, given.seconds)
            else:
                found[one] = peer(one, table, place, given.seconds)
    for row in found.values():
        row["quality"] = quality(table, truth[test], row["given"])
    return found | {"truth": truth[test]}  # type: ignore[operator]


def calibrated(table: Table, place: Path, seed: int, test: Array, seconds: float) -> int:
    """How many trials fit into the seconds, from a first run of few."""
    probe = ours(table, place, PROBE, seed, test)
    each = probe["seconds"] / PROBE
    fewest, most = TRIALS
    return max(fewest, min(most, int(0.95 * seconds / each)))


def tell(table: Table, repeat: int, found: dict[str, Row]) -> dict[str, int]:
    """Print one division and give the ranks."""
    truth: Any = found.pop("truth")
    metric = "rmse" if table.task == "regression" else "log_loss"
    print(f"\n{table.name}, repeat {repeat}")
    for name, row in sorted(found.items(), key=lambda one: one[1]["quality"][metric]):
        numbers = "  ".join(f"{key} {value:.4f}" for key, value in row["quality"].items())
        size = f"{row['bytes'] / 1e6:.2f} MB" if row["bytes"] else ""
        cost = f"{row['seconds']:.0f} s CPU"
        line = f"  {name:<16}{numbers}  {cost}  {size}  {row['row']:.3f} ms a row"
        if row.get("onnx") is not None:
            line += f" ({row['onnx']:.3f} by ONNX; job {row['whole']:.0f} s CPU)"
        print(line, row.get("said", ""))
    if table.task != "regression":
        for name, row in found.items():
            if name != "ours":
                gap, low, high = auc_difference(truth, found["ours"]["given"], row["given"])
                print(f"  AUC against {name}: {gap:+.4f} [{low:+.4f}, {high:+.4f}]")
    judged = [name for name in RANKED if name in found]
    ordered = sorted(judged, key=lambda name: found[name]["quality"][metric])
    return {name: place for place, name in enumerate(ordered, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description="A search beside those of other tools.")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS))
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first repeat")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--trials", type=int, default=0, help="instead of as many as fit")
    given = parser.parse_args()
    os.environ.update(numeric_environment(1))
    ranks: dict[str, list[int]] = {}
    for name in given.sets:
        table = read(name)
        for repeat in range(given.first, given.first + given.repeats):
            for who, rank in tell(table, repeat, run(table, repeat, given)).items():
                ranks.setdefault(who, []).append(rank)
            sys.stdout.flush()
    print("\nmean rank")
    for who, own in sorted(ranks.items(), key=lambda one: sum(one[1]) / len(one[1])):
        print(f"  {who:<16}{sum(own) / len(own):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
