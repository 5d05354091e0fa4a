"""A validation is a process: an order in a directory, a document, and a result that comes last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from validated import find, measure

from ordain.runtime.errors import ValidationOrderError, ValidationRefused
from ordain.runtime.validation.order import ValidationOrder, read_order, write_order
from ordain.specs.canonical import sha256
from ordain.specs.validations import read_validation

if TYPE_CHECKING:
    from ordain.specs.validations import ValidationReport

pytestmark = pytest.mark.training

ROOT = Path(__file__).parents[3]


def start(directory: Path) -> subprocess.CompletedProcess[str]:
    """The process that the reconciler starts."""
    return subprocess.run(
        [sys.executable, "-m", "ordain.runtime.validation", str(directory)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_writes_the_document_and_then_the_result(
    order: ValidationOrder, tmp_path: Path
) -> None:
    write_order(tmp_path, order)
    ended = start(tmp_path)
    assert ended.returncode == 0, ended.stderr
    data = (tmp_path / "validation.json").read_bytes()
    digest = sha256(data)
    report = read_validation(data, f"evidence/{digest.removeprefix('sha256:')}.json")
    assert json.loads((tmp_path / "result.json").read_bytes()) == {
        "format": "ordain.validation-result/1",
        "model": "credit-default",
        "artifact": order.artifact,
        "data": order.data.digest,
        "part": "test",
        "validation": digest,
        "verdict": report.verdict,
    }
    stages = [json.loads(line)["stage"] for line in ended.stdout.splitlines()]
    assert (stages[0], stages[-1]) == ("reading", "done")
    assert json.loads((tmp_path / "resources.json").read_bytes())["rows"] == report.rows


def test_an_order_survives_its_file(order: ValidationOrder, tmp_path: Path) -> None:
    write_order(tmp_path, order)
    assert read_order(tmp_path / "job.json") == order


def test_a_file_that_is_no_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"format": "ordain.job/2"}')
    with pytest.raises(ValidationOrderError) as caught:
        read_order(tmp_path / "job.json")
    assert caught.value.code == "RUN181"
    expected = f"{tmp_path / 'job.json'} is no order of the format ordain.validation-job/1"
    assert caught.value.message == expected


def test_another_split_than_that_of_the_evidence_is_refused(order: ValidationOrder) -> None:
    with pytest.raises(ValidationRefused) as caught:
        measure(replace(order, seed=order.seed + 1))
    assert caught.value.code == "RUN180"
    assert caught.value.message.endswith(f"and the evidence of the training is of {order.split}")


def test_an_artifact_of_another_model_is_refused(order: ValidationOrder) -> None:
    with pytest.raises(ValidationRefused) as caught:
        measure(replace(order, model="churn"))
    assert caught.value.message == f"artifact {order.artifact} is of model credit-default"


def test_the_test_part_gives_the_numbers_of_the_training_again(order: ValidationOrder) -> None:
    report: ValidationReport = measure(order)
    (area,) = find(report, "performance", "roc_auc")
    assert area.n == report.rows
    assert area.value is not None
    assert area.value > 0.6


def test_sigterm_cancels_a_validation_with_a_result(order: ValidationOrder, tmp_path: Path) -> None:
    write_order(tmp_path, order)
    process = subprocess.Popen(
        [sys.executable, "-m", "ordain.runtime.validation", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["stage"] == "reading"
    process.terminate()
    _, said = process.communicate()
    assert process.returncode == 1
    assert said == "error[RUN154]: the validation was cancelled\n"
    assert json.loads((tmp_path / "result.json").read_bytes()) == {
        "error": {
            "code": "RUN154",
            "message": "the validation was cancelled",
            "remedy": "run it again",
        }
    }
    assert not (tmp_path / "validation.json").exists()


def test_an_error_is_a_result_with_its_code(order: ValidationOrder, tmp_path: Path) -> None:
    write_order(tmp_path, replace(order, model="churn"))
    ended = start(tmp_path)
    assert ended.returncode == 1
    error = json.loads((tmp_path / "result.json").read_bytes())["error"]
    assert error["code"] == "RUN180"
    assert error["message"] == f"artifact {order.artifact} is of model credit-default"
