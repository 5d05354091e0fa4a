"""A job makes an artifact and evidence, the same bytes every time, or one clear error."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from ordain.runtime.artifacts import ArtifactStore, load_artifact
from ordain.runtime.errors import JobError, LockError, RunError, TrainingError
from ordain.runtime.monitoring.profiles import Profile
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.job import run_job
from ordain.runtime.training.order import (
    Job,
    Outcome,
    numeric_environment,
    read_order,
    refuse_processor,
    write_job,
)
from ordain.specs.canonical import sha256
from ordain.specs.evidence import read_evidence
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model

pytestmark = pytest.mark.training

MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]
MakeJob = Callable[..., Job]

ROOT = Path(__file__).parents[3]
LINEAR = "logistic_regression"
STAGES = ["reading", "fitting", "explaining", "evaluating", "saving", "done"]


def run(job: Job) -> Outcome:
    return run_job(job, lambda _stage, _fraction: None)


def refused(job: Job) -> RunError:
    with pytest.raises(RunError) as caught:
        run(job)
    assert caught.value.remedy
    return caught.value


def train(directory: Path, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """The process that the reconciler starts."""
    inherited = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    return subprocess.run(
        [sys.executable, "-m", "ordain.runtime.training", str(directory)],
        cwd=ROOT,
        env=inherited | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_job_makes_an_artifact_that_scores(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    outcome = run(order)
    artifact = load_artifact(ArtifactStore(order.store), outcome.artifact)
    assert sorted(artifact.members) == [
        "background.json",
        "model.onnx",
        "parity.json",
        "pipeline.skops",
        "plan.json",
        "profile.json",
    ]
    assert (artifact.model, artifact.recipe) == ("credit-default", order.recipe.digest)
    plan = RowPlan.read(artifact.member("plan.json"))
    row = {"income": 900.0, "debts": 6, "employed": False, "purpose": "study"}
    assert plan.decide(plan.score(row)) == "decline"
    assert plan.decide(plan.score(row | {"income": 9_000.0, "debts": 0})) == "approve"


def test_evidence_says_what_was_measured(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gates = {
        "metrics": [
            {"name": "roc_auc", "min": 0.6},
            {"name": "roc_auc", "versus": "champion", "minDelta": 0.0},
        ],
        "fairness": [{"attributes": ["sex"]}],
    }
    order = job(model(LINEAR, acceptance=gates), dataset())
    evidence = run(order).evidence
    assert read_evidence(evidence.to_json(), evidence.path) == evidence
    # Two groups among 120 rows cannot show that neither is below four fifths of the other.
    assert (evidence.recipe, evidence.verdict) == (order.recipe.digest, "insufficient")
    assert evidence.data["parts"] == {"train": 360, "validation": 120, "test": 120}
    assert evidence.data["digest"] == order.data.digest
    assert 0.2 < evidence.data["base_rate"]["test"] < 0.5
    assert {name for name, _ in evidence.importance} == {"debts", "employed", "income", "purpose"}
    assert {name for name, _ in evidence.importance[:2]} == {"debts", "income"}
    assert set(evidence.drift) == {"debts", "employed", "income", "purpose"}
    assert evidence.parity["plan"] <= evidence.parity["limit"] == 1e-9
    assert {row.attribute for row in evidence.fairness} == {"sex"}
    assert evidence.environment["ordain"] == "0.1.0"
    expected = "The split is not by time: performance on later data is not shown."
    assert evidence.limitations[0] == expected


def test_protected_values_are_in_no_member_of_the_artifact(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    artifact = load_artifact(ArtifactStore(order.store), run(order).artifact)
    for data in artifact.members.values():
        assert b"female" not in data
        assert b'"age"' not in data
        assert b"A00" not in data


def test_the_profile_is_made_of_rows_that_were_held_out(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    artifact = load_artifact(ArtifactStore(order.store), run(order).artifact)
    profile = Profile.read(artifact.member("profile.json"))
    assert profile.rows == 240
    assert set(profile.features) == {"debts", "employed", "income", "purpose"}


def test_a_limit_that_is_missed_fails_the_evidence_and_not_the_job(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "min": 0.999}]}
    evidence = run(job(model(acceptance=gate), dataset())).evidence
    assert (evidence.metrics[0].verdict, evidence.verdict) == ("fail", "fail")


def test_a_group_that_is_too_small_is_no_pass(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"fairness": [{"attributes": ["sex"], "minCell": 500}]}
    evidence = run(job(model(acceptance=gate), dataset())).evidence
    assert [row.verdict for row in evidence.fairness] == ["insufficient"]
    assert evidence.verdict == "insufficient"


def test_fairness_without_a_gate_informs_and_does_not_count(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    evidence = run(job(model(), dataset())).evidence
    assert evidence.fairness[0].reason.endswith("no gate is declared")
    assert evidence.verdict == "pass"
    assert "No fairness gate is declared: fairness is not judged." in evidence.limitations


def test_a_version_is_compared_with_the_champion_on_the_same_rows(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": -0.05}]}
    first = run(job(model(LINEAR), dataset()))
    again = run(job(model(LINEAR, acceptance=gate), dataset(), champion=first.artifact))
    delta = next(row for row in again.evidence.metrics if row.name == "roc_auc_delta")
    assert (delta.value, delta.n, delta.verdict) == (0.0, 120, "pass")


def test_a_champion_is_judged_by_its_own_threshold(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "accuracy", "versus": "champion", "minDelta": -1.0}]}
    lower = {"threshold": 0.1, "above": "decline", "below": "approve"}
    first = run(job(model(LINEAR, decision=lower), dataset()))
    again = run(job(model(LINEAR, acceptance=gate), dataset(), champion=first.artifact))
    accuracy = [
        next(row.value for row in one.evidence.metrics if row.name == "accuracy")
        for one in (first, again)
    ]
    delta = next(row for row in again.evidence.metrics if row.name == "accuracy_delta")
    assert accuracy[0] != accuracy[1]
    assert delta.value == pytest.approx(accuracy[1] - accuracy[0], abs=1e-12)


def test_a_champion_of_another_outcome_is_not_compared(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": -0.05}]}
    paid = dataset(target={"column": "defaulted", "positive": 0, "favourable": 0})
    first = run(job(model(LINEAR), paid))
    evidence = run(job(model(LINEAR, acceptance=gate), dataset(), champion=first.artifact)).evidence
    delta = next(row for row in evidence.metrics if row.name == "roc_auc_delta")
    assert delta.limit.endswith(
        "(the champion cannot read these data: its probability is of '0', and not of '1')"
    )
    assert evidence.verdict == "insufficient"


def test_an_artifact_that_is_too_large_is_not_kept(
    model: MakeModel, dataset: MakeDataset, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = job(model(LINEAR), dataset())
    before = sorted(order.store.rglob("*"))
    monkeypatch.setattr("ordain.runtime.training.export.MAXIMUM_BYTES", 20_000)
    with pytest.raises(TrainingError) as caught:
        run(order)
    assert caught.value.message.startswith("training: the artifact has ")
    assert caught.value.message.endswith(" bytes, an artifact may have 20,000")
    assert caught.value.remedy.startswith("take fewer encoded columns")
    assert sorted(order.store.rglob("*")) == before


def test_a_champion_that_cannot_read_the_data_is_held_against_the_version(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    gate = {"metrics": [{"name": "roc_auc", "versus": "champion", "minDelta": -0.05}]}
    first = run(job(model(LINEAR), dataset()))
    narrower = dataset(debts={"type": None})
    evidence = run(job(model(LINEAR, acceptance=gate), narrower, champion=first.artifact)).evidence
    delta = next(row for row in evidence.metrics if row.name == "roc_auc_delta")
    assert delta.limit.endswith(
        "(the champion cannot read these data: column debts is not in the dataset)"
    )
    assert evidence.verdict == "insufficient"


def test_a_split_by_time_is_learnt_from_the_past(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    split = {
        "by": "time",
        "train": "..2023-12-31",
        "validation": "2024-01..2024-05",
        "test": "2024-06..",
        "purge": "10d",
    }
    evidence = run(job(model(split=split), dataset())).evidence
    assert evidence.data["left_out"] == {"immature": 0, "purged": 23, "outside": 0}
    assert not any("not by time" in text for text in evidence.limitations)


def test_progress_names_every_stage(model: MakeModel, dataset: MakeDataset, job: MakeJob) -> None:
    told: list[tuple[str, float]] = []
    run_job(job(model(), dataset()), lambda stage, fraction: told.append((stage, fraction)))
    assert [stage for stage, _ in told] == STAGES
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)


@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", LINEAR])
def test_two_processes_make_the_same_bytes(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob, estimator: str
) -> None:
    made = []
    for seed in ("1", "2"):
        directory = tmp_path / seed
        declared = model(estimator, acceptance={"fairness": [{}]})
        write_job(directory, job(declared, dataset(), store=directory / "store"))
        ran = train(directory, seed)
        assert (ran.returncode, ran.stderr) == (0, "")
        files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
        made.append({path.relative_to(directory): path.read_bytes() for path in files})
    for names in made:
        # The order names its own place, and what a run cost is of the machine and the hour.
        del names[Path("job.json")], names[Path("resources.json")]
    assert made[0] == made[1]
    # Evidence, result and seven blobs of the job; file, manifest and index of the snapshot.
    assert len(made[0]) == 9 + 3


def test_a_process_tells_its_progress_and_leaves_a_result(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    directory = tmp_path / "job"
    order = job(model(), dataset())
    write_job(directory, order)
    ran = train(directory)
    assert [json.loads(line)["stage"] for line in ran.stdout.splitlines()] == STAGES
    cost = json.loads((directory / "resources.json").read_bytes())
    assert cost["blas"] == ["Haswell"] or platform.machine() != "x86_64"
    result = json.loads((directory / "result.json").read_bytes())
    evidence = (directory / "evidence.json").read_bytes()
    assert result["evidence"] == sha256(evidence)
    assert result["recipe"] == order.recipe.digest
    assert ArtifactStore(order.store).has(result["artifact"])
    assert result["metrics"]["roc_auc"] > 0.6


def test_a_process_that_fails_says_why_in_its_result(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    directory = tmp_path / "job"
    order = job(model(), dataset())
    write_job(directory, order)
    shutil.rmtree(order.store)
    ran = train(directory)
    message = "the snapshot of Dataset/applications is not in the artifact store"
    assert ran.returncode == 1
    assert ran.stderr == f"error[RUN142]: {message}\n"
    assert json.loads((directory / "result.json").read_bytes()) == {
        "error": {
            "code": "RUN142",
            "message": message,
            "remedy": "run `ordain pin applications` on this machine, or restore the store",
        }
    }
    assert not (directory / "evidence.json").exists()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"format":"ordain.job/2"}'])
def test_an_order_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    reason = ": cannot be read: No such file or directory"
    if content is not None:
        (tmp_path / "job.json").write_bytes(content)
        reason = " is no order of the format ordain.job/2"
    with pytest.raises(JobError) as caught:
        read_order(tmp_path / "job.json")
    assert caught.value.message == f"{tmp_path / 'job.json'}{reason}"


def test_an_order_comes_back_whole(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    write_job(tmp_path / "job", order)
    written = tmp_path / "job" / "job.json"
    assert read_order(written) == replace(order, data=read_order(written).data)
    assert read_order(written).to_json() == order.to_json()


def test_an_order_of_another_recipe_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    error = refused(replace(order, recipe=replace(order.recipe, seed=8, spec=sha256(b""))))
    assert error.message == "model credit-default: the recipe names another spec, seed"


def test_data_that_are_not_pinned_are_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    error = refused(replace(order, data=replace(order.data, digest=None)))
    expected = "model credit-default has no recipe: no training, or dataset applications unpinned"
    assert error.message == expected


def test_another_environment_is_refused(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    lock = order.environment.replace("numpy==", "numpy==0.")
    recipe = replace(order.recipe, environment=sha256(lock.encode()))
    with pytest.raises(LockError, match="the environment is not the locked one: numpy is"):
        run(replace(order, environment=lock, recipe=recipe))


def test_only_the_snapshot_is_read(
    tmp_path: Path, model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    order = job(model(), dataset())
    (tmp_path / order.data.source.uri).unlink()
    assert run(order).evidence.data["digest"] == order.data.digest


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (2, "applications.parquet: target defaulted: all 2 rows have the same outcome"),
        (
            10,
            "too few rows: 10 (6 to learn from, 2 to judge by), a split needs at least 20 and 10",
        ),
    ],
)
def test_a_handful_of_rows_is_refused(
    model: MakeModel,
    dataset: MakeDataset,
    job: MakeJob,
    lending: Callable[..., pa.Table],
    rows: int,
    message: str,
) -> None:
    assert refused(job(model(), dataset(lending(rows)))).message.endswith(message)


def test_fairness_needs_a_protected_column(
    model: MakeModel, dataset: MakeDataset, job: MakeJob
) -> None:
    nobody = dataset(sex={"role": "id"}, age={"role": "id"})
    with pytest.raises(TrainingError) as caught:
        run(job(model(acceptance={"fairness": [{}]}), nobody))
    expected = "acceptance.fairness is declared, and the Dataset has no protected column"
    assert caught.value.message == expected


TAIWAN = "taiwan_default/taiwan_default.parquet"


@pytest.mark.e2e
@pytest.mark.parametrize(("estimator", "area"), [("hist_gradient_boosting", 0.765), (LINEAR, 0.71)])
def test_thirty_thousand_real_clients_are_learnt(
    job: MakeJob, needs_data: Callable[[str], Path], estimator: str, area: float
) -> None:
    path = needs_data(TAIWAN)
    protected = {"SEX", "EDUCATION", "MARRIAGE"}
    columns: dict[str, Any] = {
        name: {"type": "category", "role": "protected"}
        if name in protected
        else {"type": "int", "role": "protected" if name == "AGE" else "feature"}
        for name in pa.parquet.read_schema(path).names
    }
    data = kind_validator("Dataset").validate_python(
        {
            "source": {"type": "parquet", "uri": path.name},
            "columns": columns,
            "target": {"column": "default_next_month", "positive": 1, "favourable": 0},
        }
    )
    declared = kind_validator("Model").validate_python(
        {
            "purpose": "Probability that a client does not pay next month",
            "tier": 1,
            "owner": "credit-risk",
            "task": "classification",
            "training": {"estimator": estimator},
            "decision": {"threshold": 0.5, "above": "refuse", "below": "accept"},
            "acceptance": {
                "metrics": [{"name": "roc_auc", "min": area, "bound": "value"}],
                "fairness": [{"attributes": ["SEX"]}],
            },
        }
    )
    evidence = run(job(declared, data, path.parent)).evidence
    assert evidence.verdict == "pass"
    assert evidence.importance[0][0] == "PAY_1"
    assert len(evidence.to_json()) < 20_000


@pytest.mark.parametrize(
    ("architecture", "kernel"), [("x86_64", "Haswell"), ("aarch64", "ARMV8"), ("riscv64", None)]
)
def test_the_loops_of_linear_algebra_are_those_of_the_architecture(
    architecture: str, kernel: str | None
) -> None:
    found = numeric_environment(3, architecture)
    assert found.get("OPENBLAS_CORETYPE") == kernel
    assert {found[name] for name in found if name.endswith("_THREADS")} == {"3"}


@pytest.mark.parametrize("level", ["x86-64", "x86-64-v2"])
def test_a_processor_that_cannot_run_these_loops_is_refused(level: str) -> None:
    with pytest.raises(JobError) as caught:
        refuse_processor({"architecture": "x86_64", "level": level})
    message = f"this processor is of the level {level}, and training needs x86-64-v3 (AVX2)"
    assert caught.value.message == message
    remedy = "train on a processor with AVX2: other loops would give other numbers"
    assert caught.value.remedy == remedy


@pytest.mark.parametrize("machine", [{}, {"level": "x86-64-v3"}, {"level": "x86-64-v4"}])
def test_any_other_processor_is_taken(machine: dict[str, str]) -> None:
    refuse_processor(machine)
