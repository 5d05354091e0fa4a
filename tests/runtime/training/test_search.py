"""A search tries what it may, in the training part alone, and ends in an ordinary model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import LockError, SearchAborted, TrainingError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.inputs import Data, read_inputs
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import Job, Outcome, write_job
from ordain.runtime.training.pinned import pinned_rows
from ordain.runtime.training.search.searching import Searched, search
from ordain.runtime.training.search.spaces import Facts, Range, first_values, space_of, spec_of
from ordain.specs.evidence import read_evidence
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from ordain.runtime.training.search.trials import Trial

pytestmark = pytest.mark.training

MakeTable = Callable[..., pa.Table]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

ROOT = Path(__file__).parents[3]
BOOSTING = "hist_gradient_boosting"
LINEAR = "logistic_regression"


def automl(*families: str, trials: int = 3, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """A `training` block."""
    declared = {"families": list(families), "budget": {"trials": trials}, "folds": 2}
    return {"automl": declared | changed}


def silent(stage: str, fraction: float) -> None:
    """Nobody waits for progress."""


def inputs(order: Job) -> Data:
    with pinned_rows(order) as table:
        return read_inputs(order, table)


def searched(order: Job) -> Searched:
    return search(order, inputs(order), silent)


def run(order: Job) -> tuple[Outcome, list[Trial]]:
    """The outcome, and the trials as they were told last."""
    told: list[Trial] = []

    def keep(trials: Any) -> None:  # noqa: ANN401 - a sequence of trials
        told[:] = trials

    return run_job(order, silent, keep), told


def test_a_search_ends_in_an_ordinary_model(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(training=automl(LINEAR, trials=4)), dataset())
    outcome, trials = run(order)
    assert [one.number for one in trials] == [1, 2, 3, 4]
    assert {one.state for one in trials} <= {"done", "stopped"}
    evidence = outcome.evidence
    assert read_evidence(evidence.to_json(), evidence.path) == evidence
    chosen = evidence.search["chosen"]
    assert (chosen["family"], chosen["estimator"]) == (LINEAR, LINEAR)
    assert chosen["mean"] == min(one.mean for one in trials if one.state == "done" and one.mean)
    by_hand = spec_of(
        order.spec, {name: chosen[name] for name in ("training", "preprocessing") if name in chosen}
    )
    same = job(by_hand, order.data)
    assert _plan(order, outcome) == _plan(same, run(same)[0])


def _plan(order: Job, outcome: Outcome) -> bytes:
    return load_artifact(ArtifactStore(order.store), outcome.artifact).member("plan.json")


def test_progress_tells_every_trial_and_never_goes_back(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    told: list[tuple[str, float]] = []
    order = job(model(training=automl(LINEAR, trials=4)), dataset())
    run_job(order, lambda stage, fraction: told.append((stage, fraction)))
    searching = [fraction for stage, fraction in told if stage == "searching"]
    assert searching == pytest.approx([0.0, 0.2, 0.4, 0.6])
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert told[-1] == ("done", 1.0)


def test_evidence_says_what_was_tried_and_how(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    found = searched(job(model(training=automl(BOOSTING, trials=2)), dataset())).facts
    assert found["metric"] == "log_loss"
    assert sum(found["trials"].values()) == 2
    assert found["folds"] == {"declared": 2, "judged": 6, "rows": 1080}
    assert {row[1] for row in found["candidates"]} <= {BOOSTING, LINEAR}
    assert found["notes"] == [
        "logistic_regression was tried although no family names it.",
        "The budget of 2 trials was spent on fixed ones.",
    ]


def test_evidence_without_a_search_does_not_speak_of_one(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    evidence = run_job(job(model(LINEAR), dataset()), silent).evidence
    assert b'"search"' not in evidence.to_json()


def test_the_number_of_trees_is_read_off_the_folds(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    trials = searched(job(model(training=automl(BOOSTING, trials=2)), dataset())).trials
    boosted = next(one for one in trials if one.family == BOOSTING)
    assert 1 <= boosted.parameters["max_iter"] < 60
    assert boosted.parameters["learning_rate"] == 0.1


def test_trials_are_the_same_whatever_test_and_validation_part_hold(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    declared = model(training=automl(LINEAR, trials=3), split={"by": "time"})
    before = searched(job(declared, dataset(table)))
    held = np.arange(600) >= 400
    turned = np.where(held, 1 - table["defaulted"].to_numpy(), table["defaulted"].to_numpy())
    place = table.column_names.index("defaulted")
    other = table.set_column(place, "defaulted", pa.array(turned))
    after = searched(job(declared, dataset(other)))
    assert _scores(before) == _scores(after)


def _scores(found: Searched) -> list[tuple[float, ...]]:
    return [one.scores for one in found.trials]


def test_ranks_of_levels_are_learnt_inside_each_fold(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    rows = 900
    rng = np.random.default_rng(5)
    table = pa.table(
        {
            "purpose": rng.choice([f"level {number}" for number in range(300)], rows),
            "debts": rng.integers(0, 3, rows),
            "defaulted": rng.integers(0, 2, rows),
        }
    )
    without = ("applicant_id", "applied_on", "income", "age", "employed", "sex", "days_past_due")
    gone: dict[str, Any] = {name: {"type": ""} for name in without}
    data = dataset(table, **gone, purpose={"rare": None}, entity=None, time=None, leaks=[])
    declared = model(
        training=automl(BOOSTING, trials=2, metric="roc_auc"),
        preprocessing={"categorical": {"encode": "ordinal_by_target"}},
    )
    trials = searched(job(declared, data)).trials
    best = max(one.mean for one in trials if one.mean is not None)
    assert best < 0.58


def test_a_trial_that_fails_is_told_and_the_search_goes_on(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    # Codes are four columns, and there are more only where each level has its own.
    declared = model(
        training=automl(BOOSTING, trials=2), features={"select": {"method": "variance", "keep": 5}}
    )
    trials = searched(job(declared, dataset())).trials
    failed = [one for one in trials if one.state == "failed"]
    assert [(one.family, one.why) for one in failed] == [
        (BOOSTING, "features.select.keep: 5 columns are to be kept of 4")
    ]


def test_a_search_of_which_every_trial_fails_is_an_error(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    declared = model(
        training=automl(LINEAR, trials=1), features={"select": {"method": "variance", "keep": 50}}
    )
    with pytest.raises(TrainingError) as caught:
        searched(job(declared, dataset()))
    assert caught.value.message == (
        "training.automl: the only trial failed, the first one: features.select.keep: 50 columns "
        "are to be kept of 7"
    )


def test_time_ends_a_run_and_never_shortens_a_search(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    budget = {"trials": 5, "abortAfter": "10s"}
    order = job(model(training=automl(LINEAR, budget=budget)), dataset())
    told: list[int] = []
    with pytest.raises(SearchAborted) as caught:
        # Every look at the clock takes a second; a trial looks as often as it has folds.
        search(order, inputs(order), silent, lambda trials: told.append(len(trials)), _ticks())
    assert caught.value.code == "RUN155"
    assert told[-1] < 5
    assert caught.value.message == (
        f"training.automl: abortAfter (10s) was over when {told[-1]} of 5 trials were done"
    )


def _ticks() -> Callable[[], float]:
    numbers = iter(range(10_000))
    return lambda: float(next(numbers))


def test_directions_of_the_dataset_leave_only_families_that_hold_them(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    data = dataset(income={"monotone": "decreasing"})
    order = job(model(training=automl(LINEAR, BOOSTING, trials=2)), data)
    outcome, trials = run(order)
    assert {one.family for one in trials} == {BOOSTING}
    assert outcome.evidence.search["notes"][0] == (
        "logistic_regression was left out: logistic_regression cannot be held to a direction."
    )
    plan = RowPlan.read(_plan(order, outcome))
    row = {"debts": 3, "employed": True, "purpose": "car"}
    answers = [plan.score(row | {"income": float(income)}) for income in range(500, 9_000, 50)]
    assert answers == sorted(answers, reverse=True)
    assert answers[0] > answers[-1]


def test_no_family_that_holds_a_direction_is_an_error(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    data = dataset(income={"monotone": "decreasing"})
    with pytest.raises(TrainingError) as caught:
        searched(job(model(training=automl(LINEAR)), data))
    assert caught.value.message == (
        "training.automl: no family that is named can hold the directions of the features"
    )


def test_a_named_linear_model_must_have_learnt_the_direction_of_the_dataset(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    run_job(job(model(LINEAR), dataset(income={"monotone": "decreasing"})), silent)
    with pytest.raises(TrainingError) as caught:
        run_job(job(model(LINEAR), dataset(income={"monotone": "increasing"})), silent)
    assert caught.value.message == (
        "feature income is declared increasing, and logistic_regression has learnt the opposite"
    )


def test_a_protected_column_is_in_no_trial(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(training=automl(BOOSTING, trials=2)), dataset())
    outcome, _ = run(order)
    assert outcome.evidence.data["features"] == ["debts", "employed", "income", "purpose"]
    for member in load_artifact(ArtifactStore(order.store), outcome.artifact).members.values():
        assert b"female" not in member


def test_candidates_answer_rows_that_they_have_not_seen(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    found = searched(job(model(training=automl(LINEAR, trials=2)), dataset()))
    done = [one.number for one in found.trials if one.state == "done"]
    assert [one.number for one in found.candidates] == done
    assert found.candidates[0].scores_oof.shape == (360,)
    assert np.isfinite(found.candidates[0].scores_oof).all()


def test_optuna_must_be_in_the_lock(model: MakeModel, dataset: MakeDataset, job: MakeJob) -> None:
    order = job(model(training=automl(LINEAR)), dataset())
    lines = order.environment.splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith("optuna"))
    digest = _digest(without)
    other = replace(order, environment=without, recipe=replace(order.recipe, environment=digest))
    with pytest.raises(LockError) as caught:
        run_job(other, silent)
    assert caught.value.message == "training.automl: optuna is not in the environment lock"
    assert caught.value.remedy.startswith("install ordain[automl], run `ordain lock`")


def _digest(text: str) -> str:
    from ordain.specs.canonical import sha256

    return sha256(text.encode())


def test_two_processes_find_the_same_to_the_byte(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, tmp_path: Path
) -> None:
    order = job(model(training=automl(LINEAR, BOOSTING, trials=5)), dataset())
    results = []
    for hash_seed in ("1", "2"):
        place = tmp_path / f"job-{hash_seed}"
        write_job(place, order)
        told = subprocess.run(
            [sys.executable, "-m", "ordain.runtime.training", str(place)],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        trials = json.loads((place / "trials.json").read_bytes())["trials"]
        for one in trials:
            one.pop("seconds")
        results.append(((place / "result.json").read_bytes(), trials))
        assert '"stage": "searching"' in told.stdout or '"stage":"searching"' in told.stdout
    assert results[0] == results[1]


@pytest.mark.parametrize("encode", ["one_hot", "target"])
def test_more_than_two_classes_are_searched_by_the_same_loop(
    encode: str, model: MakeModel, dataset: MakeDataset, job: MakeJob, lending: MakeTable
) -> None:
    table = lending()
    grades = np.digitize(table["income"].fill_null(3_000).to_numpy(), [2_200, 3_800])
    names = pa.array(np.array(["low", "middle", "high"])[grades])
    table = table.set_column(table.column_names.index("defaulted"), "defaulted", names)
    data = dataset(table, defaulted={"type": "category"}, target={"column": "defaulted"})
    declared = model(
        training=automl(BOOSTING, trials=2),
        decision=None,
        preprocessing={"categorical": {"encode": encode}},
        features={"exclude": ["income"]},
    )
    found = searched(job(declared, data))
    assert found.facts["trials"]["failed"] == 0
    assert found.candidates[0].scores_oof.size == 0


def test_a_regression_is_searched_by_the_same_loop(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    declared = model(training=automl(BOOSTING, trials=3), decision=None, task="regression")
    data = dataset(target={"column": "debts"})
    found = searched(job(declared, data))
    assert found.facts["metric"] == "rmse"
    assert {one.family for one in found.trials} == {"ridge", BOOSTING}


@pytest.mark.parametrize(("rows", "starts"), [(4_999, 1), (5_000, 2)])
def test_lightgbm_begins_with_half_of_the_columns_as_well_where_rows_are_many(
    rows: int, starts: int
) -> None:
    facts = Facts("classification", rows, 2, categories=True, missing=False, lowest=0.0)
    found = first_values("lightgbm", facts)
    assert [one["colsample_bytree"] for one in found] == [1.0, 0.5][:starts]
    space = space_of("lightgbm", facts)
    assert all(one.keys() == space.keys() for one in found)
    limits = {name: one for name, one in space.items() if isinstance(one, Range)}
    assert all(
        limits[name].low <= one[name] <= limits[name].high for one in found for name in limits
    )
