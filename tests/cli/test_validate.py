"""Validating without rights: any artifact of this machine on any rows of a work tree."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from places import Place

from ordain.specs.evidence import evidence_path
from ordain.specs.validations import read_validation

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.training, pytest.mark.timeout(60)]

MODEL = "malignancy"
MODEL_FILE = "specs/models/malignancy.yaml"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A clinic whose model was trained by somebody without any key; to be looked at only."""
    root = tmp_path_factory.mktemp("clinic")
    place = Place(root, root / "estate")
    place.ordain("init", str(place.estate), "--example", "clinic", "--port", "0", at=root)
    shutil.rmtree(place.home / "keys")
    place.ordain("train", "--progress", "none")
    return place


@pytest.fixture
def own(clinic: Place, tmp_path: Path) -> Place:
    """The same, to be changed."""
    shutil.copytree(clinic.root, tmp_path / "own", symlinks=True)
    copy = Place(tmp_path / "own", tmp_path / "own/estate")
    copy.git("update-index", "-q", "--refresh")
    return copy


def validated(place: Place, *more: str, expect: int = 0) -> dict[str, Any]:
    done = place.ordain("validate", MODEL, *more, "-o", "json", "--progress", "none", expect=expect)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(place: Place, *more: str) -> str:
    done = place.ordain("validate", *more, "--progress", "none", expect=2)
    return done.stderr


def declare(place: Place, text: str) -> None:
    path = place.estate / MODEL_FILE
    path.write_text(path.read_text() + f"  validation: {text}\n")


def test_a_preview_is_validated_on_its_test_part(clinic: Place) -> None:
    found = validated(clinic)
    assert (found["preview"], found["signed"], found["verdict"]) == (True, False, "pass")
    document = found["document"]
    assert (document["part"], document["dataset"]) == ("test", "biopsies")
    path = clinic.root / found["path"]
    report = read_validation(path.read_bytes(), evidence_path(found["digest"]))
    assert report.rows == document["rows"]
    assert clinic.git("status", "--short") == ""


def test_people_get_a_page_of_what_matters(clinic: Place) -> None:
    said = clinic.ordain("validate", MODEL, "--progress", "none").stdout
    assert "unsigned preview of a validation" in said
    assert "SECTION" in said
    assert "roc_auc" in said
    assert said.splitlines()[-2:] == [
        "Passes what the model declares; nobody has signed it.",
        "Next: ordain plan",
    ]
    assert max(map(len, said.splitlines())) < 160
    assert len(said.splitlines()) < 40


def test_a_file_of_new_cases_without_outcomes_is_read_as_the_dataset_is(own: Place) -> None:
    with (own.estate / "data/biopsies.csv").open() as file:
        rows = list(csv.DictReader(file))[::9]
    outcome = next(name for name in rows[0] if name in {"malignant", "diagnosis", "target"})
    names = [name for name in rows[0] if name != outcome]
    with (own.estate / "data/new.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    found = validated(own, "--data", "data/new.csv", expect=1)
    document = found["document"]
    assert (found["verdict"], document["rows"], document["part"]) == ("insufficient", 64, "")
    reasons = {one["reason"] for one in document["checks"] if one["section"] == "performance"}
    assert reasons == {f"column {outcome} is not in the rows"}
    assert "no decision is favourable" not in json.dumps(document)


def test_edge_cases_of_the_work_tree_are_asked(own: Place) -> None:
    (own.estate / "cases").mkdir()
    case = "{name: empty, inputs: {}, expect: {min: 2}, why: no probability is}"
    (own.estate / "cases/malignancy.yaml").write_text(f"cases:\n  - {case}\n")
    declare(own, "{edgeCases: cases/malignancy.yaml}")
    found = validated(own, expect=1)
    (check,) = [one for one in found["document"]["checks"] if one["section"] == "edge-cases"]
    assert (check["name"], check["verdict"]) == ("empty", "fail")
    assert found["verdict"] == "fail"


def test_a_validation_declared_later_is_of_the_same_run(own: Place) -> None:
    before = validated(own)
    declare(own, "{calibration: {maxError: 0.001}}")
    after = validated(own)
    assert after["verdict"] == "warn"  # What chance explains asks for a look.
    assert after["subject"] == before["subject"]
    assert after["document"]["artifact"] == before["document"]["artifact"]
    said = own.ordain("validate", MODEL, "--progress", "none").stdout
    assert said.splitlines()[-1] == "Next: ordain plan"
    path = own.estate / MODEL_FILE
    stricter = path.read_text().replace(
        "calibration: {maxError: 0.001}", "robustness: {maxFlips: 0%}"
    )
    path.write_text(stricter)
    said = own.ordain("validate", MODEL, "--progress", "none", expect=1).stdout
    assert said.splitlines()[-1] == "Next: ordain explain PRO013"


def test_a_run_is_validated_by_its_name(clinic: Place) -> None:
    (run,) = json.loads(clinic.ordain("runs", "list", "-o", "json").stdout)["runs"]
    found = validated(clinic, "--run", run["id"])
    assert found["subject"] == f"{MODEL}, run {run['id']}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("malignancy@1",), "error[REC015]: Model malignancy has no version 1"),
        (("malignancy", "--data", "nothing"), "error[REC015]: there is no Dataset 'nothing'"),
        (
            ("malignancy", "--data", "data/none.csv"),
            "error[RUN140]: data/none.csv: cannot be read: No such file or directory",
        ),
        (("malignancy", "--run", "nothing"), "error[REC014]: there is no run 'nothing'"),
        (("malignancy@last",), "Error: Invalid value for MODEL: 'last' is no number of a version"),
        (("malignancy@1", "--run", "a"), "Error: give a version or --run, not both"),
    ],
)
def test_what_is_not_there_is_one_clear_error(
    clinic: Place, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(clinic, *arguments)
