"""A fitted pipeline is stored as the same bytes every time, and comes back to the same bits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from ordain.runtime.errors import FormError
from ordain.runtime.formats.archives import read_archive
from ordain.runtime.formats.skops_files import dump_pipeline, load_pipeline

pytestmark = pytest.mark.training

Fit = Callable[[str], Any]
Matrix = np.ndarray[Any, Any]

ROOT = Path(__file__).parents[3]


def answers(fitted: Any, given: Any) -> list[Any]:  # noqa: ANN401 - any estimator, any rows
    asked = [name for name in ("predict_proba", "predict", "transform") if hasattr(fitted, name)]
    found = [getattr(fitted, name)(given) for name in asked]
    return [one.toarray() if hasattr(one, "toarray") else one for one in found]


def given_to(family: str, matrix: Any, gaps: Any) -> Any:  # noqa: ANN401 - arrays
    match family.partition("/")[0]:
        case "texts":
            return ["cat and dog", "", "the dog sat"]
        case "target_encoder":
            return matrix[:, 4:]
        case "columns" | "hist_gradient_boosting" | "xgboost" | "lightgbm":
            return gaps
        case _:
            return matrix


def test_every_family_comes_back_to_the_same_bits(
    any_family: str, fit: Fit, matrix: Matrix, gaps: Matrix
) -> None:
    fitted = fit(any_family)
    loaded = load_pipeline(dump_pipeline(fitted))
    assert type(loaded) is type(fitted)
    given = given_to(any_family, matrix, gaps)
    for one, other in zip(answers(fitted, given), answers(loaded, given), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


def test_two_fits_and_what_was_read_back_are_the_same_bytes(
    any_family: str, fit: Fit, fit_again: Fit
) -> None:
    stored = dump_pipeline(fit(any_family))
    assert dump_pipeline(fit_again(any_family)) == stored
    assert dump_pipeline(load_pipeline(stored)) == stored


def test_the_archive_holds_no_time_no_address_and_no_id(fit: Fit) -> None:
    stored = dump_pipeline(fit("hist_gradient_boosting/3"))
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        names = archive.namelist()
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names == ["schema.json", *(f"{number}.npy" for number in range(len(names) - 1))]
    schema = read_archive(stored)["schema.json"]
    assert b"__id__" not in schema
    assert json.loads(schema)["protocol"] == 2


def test_equal_arrays_are_stored_once() -> None:
    fitted = LogisticRegression()
    fitted.one_, fitted.other_ = np.arange(9.0), np.arange(9.0)
    assert sorted(read_archive(dump_pipeline(fitted))) == ["0.npy", "schema.json"]


def test_the_unused_bytes_of_records_are_zero(fit: Fit) -> None:
    """Reading them back field by field would hide them, so the bytes of the file are looked at."""
    members = read_archive(dump_pipeline(fit("random_forest/3")))
    arrays = [(data, np.load(io.BytesIO(data))) for name, data in members.items() if "npy" in name]
    trees = [(data, array) for data, array in arrays if array.dtype.names]
    assert len(trees) == 3
    for data, tree in trees:
        used = sum(tree.dtype[name].itemsize for name in tree.dtype.names)
        assert used < tree.dtype.itemsize
        raw = np.frombuffer(data[-tree.nbytes :], np.uint8).reshape(len(tree), -1)
        assert raw.any()
        assert not raw[:, used:].any()


def test_what_no_model_can_declare_has_no_form() -> None:
    fitted = GaussianNB().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(FormError) as caught:
        dump_pipeline(fitted)
    assert caught.value.message == (
        "the fitted pipeline cannot be stored: pipeline.skops names "
        "sklearn.naive_bayes.GaussianNB as a ObjectNode, which no pipeline of ordain holds"
    )


LOOK = """
import sys
from ordain.runtime.formats.skops_files import check_pipeline
check_pipeline(open(sys.argv[1], "rb").read())
print(sorted(name for name in sys.modules if name in {"numpy", "skops", "sklearn", "pickle"}))
"""


def test_looking_through_a_pipeline_loads_no_library(fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / "pipeline.skops"
    path.write_bytes(dump_pipeline(fit("columns/columns")))
    ran = subprocess.run(
        [sys.executable, "-c", LOOK, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
