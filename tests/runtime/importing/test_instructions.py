"""What a pickle may do with the names that it may look up: what NumPy and Boosters write."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pytest
import xgboost

from ordain.runtime.errors import ImportRefused
from ordain.runtime.importing.unpickling import read_model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

REMEDY = "export the model to ONNX"
FOREIGN = "the file holds an element type that NumPy does not write"
CHANGED = "the file changes a class, a function or a module"
OLD = "the file makes objects as only Python 2 did"


class Built:
    """Pickled as a call and a state, whatever these are."""

    def __init__(self, call: Any, arguments: tuple[object, ...], state: object = None) -> None:  # noqa: ANN401
        self.parts = (call, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts if self.parts[2] is not None else self.parts[:2]


def refusal(data: bytes) -> str:
    with pytest.raises(ImportRefused) as caught:
        read_model(data)
    assert (caught.value.code, caught.value.remedy) == ("RUN165", REMEDY)
    return caught.value.message


def record(*flags: int, size: int = 16, kind: str = "O8") -> Built:
    """An element type of two fields, whose flags are what the file says."""
    field = np.dtype(kind)
    fields = {"a": (field, 0), "b": (field, 8)}
    state = (3, "|", None, ("a", "b"), fields, size, *flags)
    return Built(np.dtype, (f"V{size}", False, True), state)


@pytest.mark.parametrize(
    "kind",
    [
        record(1, 0),
        record(1, 63),
        record(1, 27, kind="f8"),
        Built(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0)),
        Built(np.dtype, ("f8", False, True), (3, "<", None, None, None, 64, -1, 0)),
        Built(np.dtype, ("V8", False, True), (3, "|", None, None, None, 800, 1, 0)),
        Built(np.dtype, ("V8", False, True), (3, "|", (np.dtype("f8"), (9,)), None, None, 8, 1, 0)),
        Built(np.dtype, ("f8", False, True), ("no state",)),
    ],
)
def test_an_element_type_with_flags_or_a_size_of_its_own_is_refused(kind: Built) -> None:
    assert refusal(pickle.dumps([kind, {}])) == FOREIGN


def test_a_record_is_not_built_twice() -> None:
    good = pickle.dumps(np.dtype([("a", "<f8")]), protocol=2)
    twice = good[:-1] + pickle.dumps((3, "|", None, None, None, 8, 1, 0), protocol=2)[2:-1] + b"b."
    assert refusal(twice) == FOREIGN


@pytest.mark.parametrize(
    "array",
    [
        np.arange(3.0),
        np.arange(3, dtype=">i4"),
        np.array(["a", "bcd"]),
        np.array([True]),
        np.array(["a", None], dtype=object),
        np.zeros(2, np.dtype([("a", "<f8"), ("b", "<u4")])),
        np.zeros(2, np.dtype([("a", "u1"), ("b", "<f8")], align=True)),
        np.float32(1.5),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_arrays_as_numpy_writes_them_are_read(array: Any, protocol: int) -> None:  # noqa: ANN401
    found = read_model(pickle.dumps(array, protocol=protocol))
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.tolist() == array.tolist()


@pytest.mark.parametrize("target", ["numpy\nclip", "lightgbm.basic\nBooster", "numpy\ndtype"])
def test_classes_and_functions_are_not_changed(target: str) -> None:
    assert refusal(f"c{target}\n(N}}S'__doc__'\nI1\nstb.".encode()) == CHANGED


@pytest.mark.parametrize("library", ["lightgbm.basic", "xgboost.core"])
@pytest.mark.parametrize("instruction", ["R", "\x81", "\x92"])
def test_a_booster_reads_no_other_file(library: str, instruction: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    rows, outcomes = np.arange(20.0).reshape(20, 1), np.arange(20) % 2
    if library == "xgboost.core":
        xgboost.XGBClassifier(n_estimators=1).fit(rows, outcomes).save_model(f"{path}.json")
    else:
        made = lightgbm.LGBMClassifier(n_estimators=1, verbose=-1).fit(rows, outcomes)
        made.booster_.save_model(f"{path}.json")
    keywords = "}S'model_file'\nS'" + f"{path}.json'\ns" if instruction == "\x92" else ""
    arguments = ")" if keywords else f"(NNS'{path}.json'\nt"
    data = f"c{library}\nBooster\n{arguments}{keywords}{instruction}.".encode("latin-1")
    message = "the file makes a Booster from arguments, which may name other files"
    assert refusal(data) == message


@pytest.mark.parametrize(
    "data", [b"(cxgboost.core\nBooster\nNNo.", b"(NNixgboost.core\nBooster\n."]
)
def test_objects_as_python_2_made_them_are_refused(data: bytes) -> None:
    assert refusal(data) == OLD
