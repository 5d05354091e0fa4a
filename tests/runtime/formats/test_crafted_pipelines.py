"""A stored pipeline that would run code, read files or memory, or fill it, is refused by name."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import skops.io

from ordain.runtime.errors import SkopsError
from ordain.runtime.formats import archives, schemas
from ordain.runtime.formats.archives import SCHEMA, read_archive, write_archive
from ordain.runtime.formats.skops_files import dump_pipeline, load_pipeline

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.training

Fit = Callable[[str], Any]
Rewrite = Callable[..., bytes]
Node = dict[str, Any]


def node(loader: str, module: str, name: str, **parts: Any) -> Node:  # noqa: ANN401 - JSON
    return {"__loader__": loader, "__module__": module, "__class__": name, **parts}


def said(value: object) -> Node:
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def listed(*items: Node) -> Node:
    return node("ListNode", "builtins", "list", content=list(items))


def grouped(*items: Node) -> Node:
    return node("TupleNode", "builtins", "tuple", content=list(items))


def mapped(kind: Node | None = None, **items: Node) -> Node:
    kinds = [kind or node("TypeNode", "builtins", "str") for _ in items]
    return node("DictNode", "builtins", "dict", content=items, key_types=listed(*kinds))


def stored(root: Node, **members: bytes) -> bytes:
    renamed = {name.removeprefix("n").replace("_", "."): data for name, data in members.items()}
    schema = json.dumps(root | {"protocol": 2}).encode()
    return write_archive({SCHEMA: schema, **renamed})


def refusal(data: bytes) -> str:
    with pytest.raises(SkopsError) as caught:
        load_pipeline(data)
    assert (caught.value.code, caught.value.remedy) == ("RUN111", schemas.REMEDY)
    return caught.value.message


SYSTEM = node("FunctionNode", "posix", "system")


def running(command: str) -> dict[str, tuple[Node, str]]:
    """Files that run a command while they are opened, and what the refusal says of each."""
    text = said(command)
    key = mapped(node("TypeNode", "posix", "system"))
    key["content"], key["key_types"] = (
        {command: said(1)},
        listed(node("TypeNode", "posix", "system")),
    )
    call = node("OperatorFuncNode", "operator", "call", attrs=listed(SYSTEM, text))
    reduce = node("LossNode", "posix", "system", content=mapped())
    reduce["__reduce__"] = {"args": grouped(text)}
    constructor = node("ConstructorFromReduceNode", "posix", "system", content=grouped(text))
    names = node("ListNode", "posix", "system", content=[text])
    array = node("NdArrayNode", "posix", "system", type="numpy", file="0.npy")
    no = "which no pipeline of ordain holds"
    return {
        "a constructor": (
            constructor,
            f"names posix.system as a ConstructorFromReduceNode, {no}",
        ),
        "a key type": (key, "has a dict whose keys are posix.system"),
        "an operator": (call, f"names operator.call as a OperatorFuncNode, {no}"),
        "a loss": (reduce, f"names posix.system as a LossNode, {no}"),
        "a list": (listed(names), f"names posix.system as a ListNode, {no}"),
        "an array": (array, f"names posix.system as a NdArrayNode, {no}"),
    }


def command_array(command: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(command.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize("how", ["a constructor", "a key type", "an operator", "a loss"])
def test_what_runs_when_its_types_are_trusted_is_refused_by_name(how: str, tmp_path: Path) -> None:
    """The way that trusts what the file says it needs is shown to run the file's command."""
    marker = tmp_path / "ran"
    crafted, message = running(f"touch {marker}")[how]
    data = stored(crafted)
    assert refusal(data) == f"pipeline.skops {message}"
    assert not marker.exists()
    types = skops.io.get_untrusted_types(data=data)
    with contextlib.suppress(TypeError, AttributeError, ValueError):
        skops.io.loads(data, trusted=types)
    assert marker.exists()


@pytest.mark.parametrize("how", ["a list", "an array"])
def test_a_class_is_no_list_and_no_array_because_it_says_so(how: str, tmp_path: Path) -> None:
    command = f"touch {tmp_path / 'ran'}"
    crafted, message = running(command)[how]
    assert refusal(stored(crafted, n0_npy=command_array(command))) == f"pipeline.skops {message}"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("crafted", "message"),
    [
        (
            node("FunctionNode", "builtins", "eval"),
            "names builtins.eval as a FunctionNode, which no pipeline of ordain holds",
        ),
        (
            node("FunctionNode", "builtins", "dict"),
            "names builtins.dict as a FunctionNode, which no pipeline of ordain holds",
        ),
        (
            node("ObjectNode", "subprocess", "Popen"),
            "names subprocess.Popen as a ObjectNode, which no pipeline of ordain holds",
        ),
        (
            node("MethodNode", "builtins", "dict", content={"func": "clear", "obj": mapped()}),
            "names builtins.dict as a MethodNode, which no pipeline of ordain holds",
        ),
        (
            node("OperatorFuncNode", "operator", "attrgetter", attrs=listed(said("__class__"))),
            "names operator.attrgetter as a OperatorFuncNode, which no pipeline of ordain holds",
        ),
        (
            node(
                "PartialNode",
                "functools",
                "partial",
                content={
                    "func": SYSTEM,
                    "args": grouped(said("true")),
                    "kwds": mapped(),
                    "namespace": said(None),
                },
            ),
            "has a partial of posix.system, which no pipeline of ordain holds",
        ),
        (
            node(
                "PartialNode",
                "functools",
                "partial",
                content={
                    "func": node("TypeNode", "builtins", "str"),
                    "args": grouped(),
                    "kwds": mapped(),
                    "namespace": said(None),
                },
            ),
            "has a partial of something that is no function",
        ),
        (
            node("CachedNode", "builtins", "dict", __id__=1),
            "names builtins.dict as a CachedNode, which no pipeline of ordain holds",
        ),
        (
            mapped() | {"__id__": 1},
            "has a DictNode with other keys than it is read by",
        ),
        (
            node("ListNode", "builtins", "list", content="abc"),
            "has a node whose content is no list",
        ),
        (listed({"content": []}), "has a node that names no type"),
        (
            mapped(node("TypeNode", "collections", "OrderedDict"), a=said(1)),
            "has a dict whose keys are collections.OrderedDict",
        ),
        (
            mapped(said("str"), a=said(1)),
            "has a dict whose keys have no types",
        ),
        (
            node("JsonNode", "builtins", "str", content="{", is_json=True),
            "has a value that is no JSON",
        ),
        (
            node("NdArrayNode", "numpy", "ndarray", type="numpy", file="../../etc/passwd"),
            "names '../../etc/passwd', which is not in it",
        ),
        (
            node("NdArrayNode", "numpy", "ndarray", type="memmap", file="0.npy"),
            "has an array of the kind 'memmap'",
        ),
        (
            node("SliceNode", "builtins", "slice", content={"start": [], "stop": 1, "step": 1}),
            "has a slice that is none",
        ),
    ],
)
def test_a_crafted_node_is_refused_by_name(crafted: Node, message: str) -> None:
    assert refusal(stored(crafted)) == f"pipeline.skops {message}"


@pytest.mark.parametrize(
    ("family", "setting", "value", "message"),
    [
        (
            "texts/columns",
            "input",
            "filename",
            'TfidfVectorizer whose input is another than "content"',
        ),
        ("texts/columns", "tokenizer", "x", "TfidfVectorizer whose tokenizer is another than null"),
        ("columns/columns", "n_jobs", 2, "ColumnTransformer whose n_jobs is another than null"),
    ],
)
def test_settings_that_would_reach_out_are_pinned(
    fit: Fit, rewrite: Rewrite, family: str, setting: str, value: object, message: str
) -> None:
    def change(schema: Any) -> None:  # noqa: ANN401 - JSON
        schema["content"]["content"][setting] = said(value)

    data = rewrite(dump_pipeline(fit(family)), change)
    assert refusal(data) == f"pipeline.skops has a {message}"


class Payload:
    """A pickle that makes a directory when it is opened."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.place,)


def test_an_array_of_objects_is_a_pickle_and_is_refused_by_its_header(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload(str(tmp_path / "ran"))]), allow_pickle=True)
    array = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="0.npy")
    data = stored(array, n0_npy=buffer.getvalue())
    assert refusal(data) == "pipeline.skops has an array that holds '|O', and not numbers"
    assert not (tmp_path / "ran").exists()


def numbers() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(4.0))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps([1]), "is no .npy file of the version 1.0"),
        (numbers()[:-1], "holds fewer or more values than its header says"),
        (numbers().replace(b"(4,)", b"(9,)"), "holds fewer or more values than its header says"),
        (numbers().replace(b"(4,)", b"(-4)"), "has no shape"),
        (numbers().replace(b"'<f8'", b"'|O8'"), "holds '|O8', and not numbers"),
        (numbers().replace(b"{'de", b"f('de"), "has a header that cannot be read"),
        (numbers().replace(b"{'descr'", b"{['escr']"), "has a header that cannot be read"),
        (numbers().replace(b"'<f8'", b"'<U0'"), "holds '<U0', and not numbers"),
        (numbers()[:8] + b"\xff\xff" + numbers()[10:], "has a header of a wrong length"),
    ],
)
def test_an_array_holds_what_its_header_says(data: bytes, message: str) -> None:
    array = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="0.npy")
    assert refusal(stored(array, n0_npy=data)) == f"pipeline.skops has an array that {message}"


def test_a_member_that_nothing_names_is_refused() -> None:
    data = stored(mapped(), n0_npy=numbers())
    assert refusal(data) == "pipeline.skops holds 0.npy, which nothing in it names"


def test_another_protocol_would_choose_other_loaders() -> None:
    data = write_archive({SCHEMA: json.dumps(mapped() | {"protocol": 0}).encode()})
    assert refusal(data) == "pipeline.skops is not of the protocol 2"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (b"{", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"protocol": 2, "protocol": 2}', "cannot be read"),
        (b"[]", "is no object"),
    ],
)
def test_a_schema_that_is_none_is_refused(schema: bytes, message: str) -> None:
    data = write_archive({SCHEMA: schema})
    assert refusal(data) == f"pipeline.skops has a schema.json that {message}"


def test_depth_is_bounded() -> None:
    deep = said(1)
    for _ in range(80):
        deep = listed(deep)
    assert refusal(stored(deep)) == (
        "pipeline.skops is too large or too deep to be a fitted pipeline"
    )


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAXIMUM_BYTES", 1_000_000)
    data = stored(mapped(), n0_npy=bytes(2_000_000))
    assert len(data) < 5_000
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    assert refusal(data) == "pipeline.skops unpacks to more than 1000000 bytes"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/passwd", "holds '/etc/passwd', which is no member of a pipeline"),
        ("../0.npy", "holds '../0.npy', which is no member of a pipeline"),
        ("0.pkl", "holds '0.pkl', which is no member of a pipeline"),
    ],
)
def test_members_have_numbers_and_no_paths(name: str, message: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(SCHEMA, b"{}")
        archive.writestr(name, b"")
    assert refusal(buffer.getvalue()) == f"pipeline.skops {message}"


def test_what_is_no_archive_is_refused() -> None:
    message = "pipeline.skops is no zip archive that can be read: File is not a zip file"
    assert refusal(pickle.dumps({"a": 1})) == message


def change_array(data: bytes, field: str, place: int, value: int) -> bytes:
    """The same pipeline with one number of its first tree changed."""
    members = read_archive(data)
    for name in sorted(members):
        if not name.endswith(".npy"):
            continue
        array = np.load(io.BytesIO(members[name]))
        if field in (array.dtype.names or ()):
            array[field][place] = value
            buffer = io.BytesIO()
            np.save(buffer, array)
            return write_archive(members | {name: buffer.getvalue()})
    raise LookupError(field)


@pytest.mark.parametrize(
    ("family", "field", "value", "message"),
    [
        ("decision_tree/2", "left_child", 10**6, "a tree names place 1000000 of "),
        ("decision_tree/2", "right_child", 0, "a tree runs in a circle"),
        ("decision_tree/2", "feature", 99, "a tree names place 99 of 5"),
        ("decision_tree/2", "right_child", -1, "a node of a tree has one child"),
        ("decision_tree/2", "right_child", -2, "a tree names place -2 of "),
        ("random_forest/value", "feature", -7, "a tree names place -7 of 5"),
        ("hist_gradient_boosting/2", "left", 10**6, "a tree names place 1000000 of "),
        ("hist_gradient_boosting/2", "right", 0, "a tree runs in a circle"),
        ("hist_gradient_boosting/2", "feature_idx", 99, "a tree names place 99 of 5"),
        ("hist_gradient_boosting/2", "is_categorical", 1, "a tree splits a number by categories"),
    ],
)
def test_a_tree_that_would_read_foreign_memory_is_refused(
    fit: Fit, family: str, field: str, value: int, message: str
) -> None:
    data = change_array(dump_pipeline(fit(family)), field, 0, value)
    assert refusal(data).startswith(f"pipeline.skops cannot be opened: {message}")


def test_a_tree_of_another_size_than_it_says_is_refused(fit: Fit, rewrite: Rewrite) -> None:
    def change(schema: Any) -> None:  # noqa: ANN401 - JSON
        tree = schema["content"]["content"]["tree_"]
        tree["__reduce__"]["args"]["content"][0] = said(99)

    data = rewrite(dump_pipeline(fit("decision_tree/2")), change)
    message = "pipeline.skops cannot be opened: a tree has another size than it says"
    assert refusal(data) == message


def test_the_text_of_lightgbm_is_walked_too(fit: Fit, rewrite: Rewrite) -> None:
    def change(schema: Any) -> None:  # noqa: ANN401 - JSON
        handle = schema["content"]["content"]["_Booster"]["content"]["content"]["_handle"]
        text = json.loads(handle["content"])
        start = text.index("left_child=") + len("left_child=")
        end = text.index("\n", start)
        turned = " ".join(["0", *text[start:end].split()[1:]])
        handle["content"] = json.dumps(text[:start] + turned + text[end:])

    data = rewrite(dump_pipeline(fit("lightgbm/2")), change)
    assert refusal(data) == "pipeline.skops cannot be opened: a tree runs in a circle"


def test_bytes_that_xgboost_did_not_write_are_refused(fit: Fit) -> None:
    members = read_archive(dump_pipeline(fit("xgboost/2")))
    name = next(name for name in members if name.endswith(".bin"))
    data = write_archive(members | {name: members[name][:200]})
    assert refusal(data).startswith("pipeline.skops cannot be opened: ")


def test_values_that_contradict_each_other_are_one_clear_error(fit: Fit, rewrite: Rewrite) -> None:
    def change(schema: Any) -> None:  # noqa: ANN401 - JSON
        tree = schema["content"]["content"]["tree_"]
        tree["content"]["content"]["max_depth"] = said("deep")

    data = rewrite(dump_pipeline(fit("decision_tree/2")), change)
    assert refusal(data) == (
        "pipeline.skops cannot be opened: 'str' object cannot be interpreted as an integer"
    )


def scaled(model: Any) -> None:  # noqa: ANN401 - sklearn's
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import StandardScaler

    rows = np.arange(20.0).reshape(4, 5)
    model._preprocessor = ColumnTransformer([("a", StandardScaler(), [0])]).fit(rows)


def wider(model: Any) -> None:  # noqa: ANN401 - sklearn's
    model.n_features_in_ = 5_000_000


def categories(model: Any) -> None:  # noqa: ANN401 - sklearn's
    """A category of a code that no set of 256 bits has."""
    model._bin_mapper.is_categorical_[0] = 1
    model._bin_mapper.bin_thresholds_[0] = np.array([0.0, 70_000.0])


def narrower(model: Any) -> None:  # noqa: ANN401 - sklearn's
    for (predictor,) in model._predictors:
        predictor.raw_left_cat_bitsets = np.zeros((1, 1), np.uint32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (scaled, "a boosted model changes its columns"),
        (wider, "a boosted model has bins of other columns"),
        (categories, "a boosted model has a category beyond its sets"),
        (narrower, "a tree has sets of categories of another size"),
    ],
)
def test_boosted_trees_look_at_the_columns_that_they_are_given(
    fit: Fit, change: Callable[[Any], None], message: str
) -> None:
    model = copy.deepcopy(fit("hist_gradient_boosting/2"))
    boosted = model.steps[-1][1] if hasattr(model, "steps") else model
    change(boosted)
    assert refusal(dump_pipeline(model)) == f"pipeline.skops cannot be opened: {message}"


@pytest.mark.parametrize("said_depth", [0, 99])
def test_a_tree_has_the_depth_that_it_says(fit: Fit, rewrite: Rewrite, said_depth: int) -> None:
    """The way of a row is written into as much room as the tree says that it needs."""

    def change(schema: Any) -> None:  # noqa: ANN401 - JSON
        tree = schema["content"]["content"]["tree_"]
        tree["content"]["content"]["max_depth"] = said(said_depth)

    message = refusal(rewrite(dump_pipeline(fit("decision_tree/2")), change))
    assert message.startswith("pipeline.skops cannot be opened: a tree has the depth ")
    assert message.endswith(f", and says {said_depth}")


def test_a_schema_that_would_fill_the_memory_is_refused_before_it_is_unpacked() -> None:
    data = write_archive({SCHEMA: b'{"a":[' + b"[]," * 11_000_000 + b"0]}"})
    assert len(data) < 100_000
    assert refusal(data) == "pipeline.skops has a schema.json of more than 32000000 bytes"


def test_a_name_that_is_a_list_is_refused_as_any_other() -> None:
    kind: Node = {**node("TypeNode", "builtins", "str"), "__class__": ["str"]}
    assert refusal(stored(mapped(kind, a=said(1)))) == (
        "pipeline.skops has a dict whose keys are builtins.['str']"
    )
    function: Node = {**node("FunctionNode", "numpy", "clip"), "__class__": ["clip"]}
    parts = {"func": function, "args": grouped(), "kwds": mapped(), "namespace": mapped()}
    assert refusal(stored(node("PartialNode", "functools", "partial", content=parts))) == (
        "pipeline.skops has a partial of numpy.['clip'], which no pipeline of ordain holds"
    )
