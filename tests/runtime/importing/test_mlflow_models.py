from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.runtime.errors import ImportRefused
from ordain.runtime.importing.mlflow_models import find_model
from ordain.runtime.importing.native_models import check_native

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Directory = Callable[..., Path]

SIGNATURE = """\
signature:
  inputs: '[{"name": "income", "type": "double"}, {"name": "age", "type": "long"}]'
"""


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """A model directory with this description and one file."""

    def make(description: str, file: str = "model.pkl") -> Path:
        (tmp_path / "MLmodel").write_text(description, encoding="utf-8")
        (tmp_path / file).write_bytes(b"x")
        return tmp_path

    return make


def test_the_file_of_a_flavour_and_the_inputs_of_the_signature(directory: Directory) -> None:
    place = directory(
        "flavors:\n"
        "  python_function: {loader_module: mlflow.sklearn}\n"
        "  sklearn: {pickled_model: model.pkl, sklearn_version: 1.9.1}\n" + SIGNATURE
    )
    found = find_model(place)
    assert (found.flavour, found.file, found.inputs, found.library) == (
        "sklearn",
        place / "model.pkl",
        ("income", "age"),
        "1.9.1",
    )


def test_a_model_that_only_code_can_load_is_refused(directory: Directory) -> None:
    place = directory("flavors: {python_function: {loader_module: mine, code: code}}")
    with pytest.raises(ImportRefused, match="only the flavours python_function, which load by"):
        find_model(place)
    place = directory("flavors: {sklearn: {pickled_model: model.pkl, code: code}}")
    with pytest.raises(ImportRefused, match="loads code of its own for the flavour sklearn"):
        find_model(place)


@pytest.mark.parametrize("name", ["../model.pkl", "/etc/passwd", "missing.pkl", "link.pkl"])
def test_a_file_outside_of_the_directory_is_refused(directory: Directory, name: str) -> None:
    place = directory(f"flavors: {{sklearn: {{pickled_model: {name}}}}}")
    (place / "link.pkl").symlink_to("/etc/passwd")
    with pytest.raises(ImportRefused, match=r"(in|out of) the directory"):
        find_model(place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is no mapping"),
        ("a: [", "is no YAML that can be read"),
        ("a: 1", "lists no flavours"),
        ("flavors: !!python/object/apply:os.system ['true']", "is no YAML that can be read"),
    ],
)
def test_a_description_that_is_none(directory: Directory, text: str, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        find_model(directory(text))


BOMB = "a: &a [x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "a: &x 1", "flavors: *x", "a: !!timestamp x", "a: !!bool x"],
    ids=["bomb", "anchor", "alias", "timestamp", "bool"],
)
def test_anchors_aliases_and_tags_are_not_read(directory: Directory, text: str) -> None:
    with pytest.raises(ImportRefused, match="is no YAML that can be read"):
        find_model(directory(text))


def test_a_version_is_the_text_that_was_written(directory: Directory) -> None:
    text = "flavors: {sklearn: {pickled_model: model.pkl, code: null, sklearn_version: %s}}"
    for written in ("2024-99-99", "1.10", "2024"):
        assert find_model(directory(text % written)).library == written
    for written in ("9" * 5000, "[1]", "{a: b}", '"\\e[31m"'):
        with pytest.raises(ImportRefused, match="names a version of sklearn that is none"):
            find_model(directory(text % written))


@pytest.mark.parametrize("name", ["[model.pkl]", "{a: b}", "x" * 5000, "é" * 200])
def test_a_file_that_has_no_name_is_refused(directory: Directory, name: str) -> None:
    with pytest.raises(ImportRefused, match="names no file"):
        find_model(directory(f"flavors: {{sklearn: {{pickled_model: {name}}}}}"))


def test_a_directory_without_a_description_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="holds no MLmodel, so it is no model directory"):
        find_model(tmp_path)


def test_files_of_boosting_libraries_are_what_they_say() -> None:
    check_native("lightgbm", b"tree\nversion=v4\n\nend of trees\n", "m.txt")
    check_native("xgboost", b'{"learner": {}, "version": [3, 2, 0]}', "m.json")
    with pytest.raises(ImportRefused, match=r"m\.txt is no model that lightgbm saved as text"):
        check_native("lightgbm", b"\x80\x04K\x01.", "m.txt")
    for data in (b"\x80\x04K\x01.", b"[1]", b"[" * 100_000):
        with pytest.raises(ImportRefused, match=r"m\.json is no model that xgboost saved as JSON"):
            check_native("xgboost", data, "m.json")
