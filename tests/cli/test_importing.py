"""Models that exist already, taken over from the command line."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest
import yaml

from ordain.cli.importing import _lines
from ordain.runtime.errors import ImportRefused

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

SAID = ("--purpose", "Old score", "--owner", "credit-risk", "--tier", "2")


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    from sklearn.linear_model import LogisticRegression

    path = tmp_path / "Old Score.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1])))
    return path


@pytest.mark.training
def test_a_pickle_becomes_a_document_and_a_file_in_the_store(place: Place, pickled: Path) -> None:
    done = place.ordain("import", "sklearn", str(pickled), *SAID)
    assert "+ specs/models/old-score.yaml" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        "Next: add a Compliance document for each, then ordain check"
    )
    path = place.estate / "specs/models/old-score.yaml"
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]
    assert (spec["task"], spec["imported"]["format"]) == ("classification", "skops")
    digest = spec["imported"]["file"].removeprefix("sha256:")
    (kept,) = (place.root / "home").glob(f"*/artifacts/sha256/{digest[:2]}/{digest[2:]}")
    assert kept.read_bytes().startswith(b"PK")
    assert "no findings" in place.ordain("check").stdout
    again = place.ordain("import", "sklearn", str(pickled), *SAID, expect=2)
    assert "specs/models/old-score.yaml is there already; add --force" in again.stderr
    place.ordain("import", "sklearn", str(pickled), *SAID, "--force")


@pytest.mark.training
def test_a_dry_run_writes_nothing(place: Place, pickled: Path) -> None:
    done = place.ordain("import", "sklearn", str(pickled), *SAID, "--dry-run")
    assert "Nothing was written." in done.stdout
    assert place.git("status", "--short") == ""


@pytest.mark.training
def test_json_says_what_was_found_and_how_it_was_read(place: Place, pickled: Path) -> None:
    directory = pickled.parent / "run"
    directory.mkdir()
    pickled.rename(directory / "model.pkl")
    (directory / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}")
    done = place.ordain("import", "mlflow", str(directory), *SAID, "-o", "json")
    said = json.loads(done.stdout)
    assert (said["format"], said["written"]) == ("ordain.import/1", True)
    found = said["found"]
    assert (found["steps"], found["columns"]) == (["LogisticRegression"], 1)
    assert len(found["confined"] + found["missing"]) == 5
    document = yaml.safe_load((place.estate / said["models"][0]["path"]).read_text("utf-8"))
    assert document["spec"]["imported"]["file"] == said["file"]["digest"]


@pytest.mark.training
def test_what_a_machine_does_not_offer_is_told() -> None:
    found = {"confined": ("network",), "missing": ("new rights", "x"), "classes": ()}
    assert list(_lines({"found": found})) == [
        "the process that read it was confined in: network",
        "not available here: new rights; x",
    ]


@pytest.mark.training
def test_what_would_run_is_refused_and_nothing_is_written(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    done = place.ordain("import", "sklearn", str(path), *SAID, expect=2)
    assert done.stderr.startswith(
        f"error[{ImportRefused.code}]: {path}: the file names posix.system"
    )
    assert place.git("status", "--short") == ""


@pytest.mark.training
def test_a_directory_of_mlflow_and_an_onnx_file(place: Place, pickled: Path) -> None:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    directory = pickled.parent / "run"
    directory.mkdir()
    (directory / "model.pkl").write_bytes(pickled.read_bytes())
    (directory / "MLmodel").write_text("flavors: {sklearn: {pickled_model: model.pkl}}")
    done = place.ordain("import", "mlflow", str(directory), *SAID, "--name", "from-mlflow")
    assert "+ specs/models/from-mlflow.yaml" in done.stdout
    sides = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in ("x", "y")]
    one = numpy_helper.from_array(np.ones(1, dtype=np.float32), "one")
    node = helper.make_node("Add", ["x", "one"], ["y"])
    graph = helper.make_graph([node], "g", sides[:1], sides[1:], [one])
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    file = pickled.parent / "m.onnx"
    file.write_bytes(model.SerializeToString())
    done = place.ordain("import", "onnx", str(file), "--task", "regression", *SAID)
    assert "  takes: x: float[n]" in done.stdout
    assert "+ specs/models/m.yaml" in done.stdout
    place.ordain("check")


def test_a_vendors_endpoint_is_written_down_and_not_asked(place: Place) -> None:
    url = "https://bureau.example.org/score"
    done = place.ordain("import", "endpoint", url, "--provider", "a bureau", *SAID)
    assert "+ specs/models/bureau-example-org.yaml" in done.stdout
    place.ordain("check")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://a:b@c.example.org/", "the address holds credentials or a query"),
        ("https://c.example.org/?key=1", "the address holds credentials or a query"),
        ("http://c.example.org/", "the address has no TLS"),
        ("file:///etc/passwd", "the address is none of the form https://HOST/PATH"),
        ("https://[", "this is no address"),
    ],
)
def test_an_address_that_cannot_stand_in_a_document(place: Place, url: str, message: str) -> None:
    done = place.ordain("import", "endpoint", url, "--provider", "x", *SAID, expect=2)
    assert message in done.stderr
    assert "a:b@" not in done.stderr


def test_an_inventory_becomes_documents_all_or_none(place: Place, tmp_path: Path) -> None:
    table = tmp_path / "models.csv"
    table.write_text("name,purpose,owner,tier\na,b,c,1\nb,b,c,high\n", encoding="utf-8")
    done = place.ordain("import", "inventory", str(table), expect=1)
    assert "the tier is 'high', and not 1, 2 or 3" in done.stderr
    assert place.git("status", "--short") == ""
    table.write_text("name,purpose,owner,tier\na,b,c,1\nb,b,c,2\n", encoding="utf-8-sig")
    done = place.ordain("import", "inventory", str(table), "-o", "json")
    assert json.loads(done.stdout)["models"][1] == {"model": "b", "path": "specs/models/b.yaml"}
    place.ordain("check")
    again = place.ordain("import", "inventory", str(table), expect=2)
    assert "specs/models/a.yaml and 1 more is there already" in again.stderr


def test_a_workbook_or_another_encoding_is_refused(place: Place, tmp_path: Path) -> None:
    table = tmp_path / "models.xlsx"
    table.write_bytes(b"PK\x03\x04rest")
    done = place.ordain("import", "inventory", str(table), expect=2)
    assert "is a workbook\n  = help: save the sheet as CSV in UTF-8" in done.stderr
    table.write_bytes("name,purpose\nä,b\n".encode("latin-1"))
    done = place.ordain("import", "inventory", str(table), expect=2)
    assert "is not UTF-8 text: byte 13" in done.stderr
