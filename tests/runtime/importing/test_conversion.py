"""A pickle is read where nothing of it can run, and what comes back is no pickle."""

from __future__ import annotations

import functools
import os
import pickle
from typing import TYPE_CHECKING, Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import pytest

from ordain.runtime.errors import ImportRefused
from ordain.runtime.formats.skops_files import load_pipeline
from ordain.runtime.importing.conversion import convert
from ordain.runtime.importing.unpickling import read_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.training

FORMS: dict[str, Callable[[Any, Path], object]] = {
    "pickle": lambda model, path: path.write_bytes(pickle.dumps(model, protocol=2)),
    "joblib": joblib.dump,
    "gzip": lambda model, path: joblib.dump(model, path, compress=("gzip", 3)),
    "zlib": lambda model, path: joblib.dump(model, path, compress=3),
    "xz": lambda model, path: joblib.dump(model, path, compress=("xz", 3)),
    "bz2": lambda model, path: joblib.dump(model, path, compress=("bz2", 3)),
}


@pytest.mark.parametrize("form", ["pickle", "joblib"])
def test_every_form_of_one_pipeline_gives_the_same_bytes(
    fitted: Any,  # noqa: ANN401
    tmp_path: Path,
    form: str,
) -> None:
    path = tmp_path / "model"
    FORMS[form](fitted, path)
    found = convert(path)
    assert (found.task, found.width, found.classes) == ("classification", 4, ("0", "1"))
    assert found.steps == ("ColumnTransformer", "HistGradientBoostingClassifier")
    assert "memory, time and disk" in found.held
    rows = np.array([[0.5, None, -1.0, "a"], [1.0, 2.0, 3.0, "b"]], dtype=object)
    again = load_pipeline(found.data)
    assert again.predict_proba(rows).tolist() == fitted.predict_proba(rows).tolist()


def test_compressed_forms_are_read_as_what_they_hold(fitted: Any, tmp_path: Path) -> None:  # noqa: ANN401
    for form in ("gzip", "zlib", "xz", "bz2"):
        FORMS[form](fitted, tmp_path / form)
        found = read_model((tmp_path / form).read_bytes())
        assert [type(step).__name__ for _, step in found.steps] == [
            "ColumnTransformer",
            "HistGradientBoostingClassifier",
        ]


class Calls:
    """A pickle that calls something when it is read."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:  # noqa: ANN401
        return self.call


def gadgets(canary: Path) -> dict[str, tuple[object, str]]:
    """What a file may try, and the name that stops it."""
    import builtins
    import importlib
    import subprocess

    touch = f"open({str(canary)!r}, 'w').close()"
    return {
        "os.system": (Calls(os.system, f"touch {canary}"), "posix.system"),
        "eval": (Calls(builtins.eval, touch), "builtins.eval"),
        "exec": (Calls(builtins.exec, touch), "builtins.exec"),
        "open": (Calls(builtins.open, str(canary), "w"), "io.open"),
        "getattr": (Calls(getattr, "", "join"), "builtins.getattr"),
        "import": (Calls(importlib.import_module, "antigravity"), "importlib.import_module"),
        "partial": (Calls(functools.partial, os.system, "true"), "functools.partial"),
        "process": (Calls(subprocess.Popen, ["touch", str(canary)]), "subprocess.Popen"),
        "numpy": (Calls(np.load, str(canary)), "numpy.load"),
        "joblib": (Calls(joblib.load, str(canary)), "joblib.numpy_pickle.load"),
    }


@pytest.mark.parametrize("name", [*gadgets(__import__("pathlib").Path("x"))])
def test_a_pickle_that_calls_something_calls_nothing(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    gadget, named = gadgets(canary)[name]
    # Read here, without the second wall: the first one has to hold alone.
    with pytest.raises(ImportRefused) as caught:
        read_model(pickle.dumps(gadget))
    assert f"the file names {named}" in caught.value.message
    assert caught.value.code == "RUN165"
    assert not canary.exists()


def test_the_child_says_what_it_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Calls(os.system, "true")))
    with pytest.raises(ImportRefused) as caught:
        convert(path)
    assert caught.value.message == (
        f"{path}: the file names posix.system, which no imported model may use"
    )


def test_one_inside_of_an_array_of_objects_calls_nothing_either(tmp_path: Path) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.joblib"
    joblib.dump(np.array([Calls(os.system, f"touch {canary}")], dtype=object), path)
    with pytest.raises(ImportRefused, match=r"the file names posix\.system"):
        read_model(path.read_bytes())
    assert not canary.exists()


def test_names_with_dots_are_not_followed() -> None:
    # STACK_GLOBAL of `sklearn.pipeline` and `Pipeline.fit`.
    data = b"\x80\x04\x8c\x10sklearn.pipeline\x8c\x0cPipeline.fit\x93."
    with pytest.raises(ImportRefused, match=r"names sklearn\.pipeline\.Pipeline\.fit"):
        read_model(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "this is no pickle of a fitted model that can be read: UnpicklingError"),
        (b"", "this is no pickle of a fitted model that can be read: EOFError"),
        (b"\x1f\x8b\x08\x00damaged", "the file is compressed, and damaged"),
        (b"\x80\x04P1\n.", "the file refers to objects outside of it"),
        # A text of four gigabytes is announced, and ends at once.
        (
            b"\x80\x04\x8d" + (1 << 42).to_bytes(8, "little") + b"x.",
            "this is no pickle of a fitted",
        ),
        (b"\x80\x04" + b"(" * 1_000_000, "this is no pickle of a fitted model that can be read"),
    ],
    ids=["text", "empty", "damaged", "persistent", "announced", "deep"],
)
def test_what_is_no_pickle_is_said_to_be_none(data: bytes, message: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        read_model(data)
    assert message in caught.value.message


def test_what_is_no_estimator_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ImportRefused, match="the file holds dict, and no estimator of scikit"):
        convert(path)


def test_an_array_beyond_the_memory_of_the_reader_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Calls(np.ndarray, (1 << 33,))))
    with pytest.raises(ImportRefused, match="more memory than an import may use"):
        convert(path)


def test_an_estimator_that_was_never_fitted_or_predicts_nothing_is_refused(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression()))
    with pytest.raises(ImportRefused, match="the LogisticRegression in the file was never fitted"):
        convert(path)
    path.write_bytes(pickle.dumps(StandardScaler().fit([[1.0], [2.0]])))
    with pytest.raises(ImportRefused, match="the StandardScaler in the file predicts nothing"):
        convert(path)


def test_an_estimator_that_cannot_be_stored_is_named() -> None:
    from sklearn.svm import SVC

    data = pickle.dumps(SVC().fit([[0.0], [1.0]], [0, 1]))
    with pytest.raises(ImportRefused, match=r"the file names sklearn\.svm\._classes\.SVC"):
        read_model(data)


def test_another_version_of_the_library_is_refused(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    data = pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    path = tmp_path / "model.pkl"
    current = __import__("sklearn").__version__.encode()
    path.write_bytes(data.replace(current, b"0" * (len(current) - 2) + b".1"))
    with pytest.raises(ImportRefused, match="its answers could be others"):
        convert(path)


def test_a_reading_that_takes_too_long_is_ended(tmp_path: Path, fitted: Any) -> None:  # noqa: ANN401
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted))
    with pytest.raises(ImportRefused, match=r"took more than 0\.01 seconds, and was ended"):
        convert(path, seconds=0.01)
