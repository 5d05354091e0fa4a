from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from ordain.specs.kinds import kind_names
from ordain.specs.loader import parse
from ordain.specs.schema import add_modelines, combined_schema, kind_schema, modeline, write_schemas

if TYPE_CHECKING:
    from pathlib import Path

Edit = Callable[[str, str, str], dict[str, str]]


def documents(text: str) -> list[Any]:
    return [node.value for node in parse(text.encode(), "f.yaml").nodes]


@pytest.mark.parametrize("kind", kind_names())
def test_every_schema_is_valid_draft_07(kind: str) -> None:
    schema = kind_schema(kind)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("kind", kind_names())
def test_every_field_of_every_kind_has_a_description(kind: str) -> None:
    schema = kind_schema(kind)

    def undescribed(part: dict[str, Any], path: str) -> Iterator[str]:
        for name, field in part.get("properties", {}).items():
            if not field.get("description"):
                yield f"{path}.{name}"

    found = list(undescribed(schema, kind))
    for name, part in schema["definitions"].items():
        assert part["description"], name
        found += undescribed(part, name)
    assert found == []


def test_the_combined_schema_accepts_what_the_loader_accepts(files: dict[str, str]) -> None:
    schema = combined_schema()
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    for path, text in files.items():
        for document in documents(text):
            assert [error.message for error in validator.iter_errors(document)] == [], path


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("model", "tier: 2", "teir: 2"),
        ("model", "tier: 2", "tier: 4"),
        ("model", "tier: 2", "tier: two"),
        ("model", "classification", "clasification"),
        ("model", "kind: Model", "kind: Modle"),
        ("model", "ordain.dev/v1", "ordain.dev/v2"),
        ("model", "name: credit", "name: Credit"),
        ("model", "name: credit", "name: credit, label: {}"),
        ("model", "  owner: credit-risk\n", ""),
        ("route", "op: gt", "op: above"),
        ("route", "[{deployment: credit, weight: 100}]", "[]"),
        ("dataset", "income: {type: float}", "income: {type: float, range: [1]}"),
        ("version", "version: 1", "version: 0"),
    ],
)
def test_the_combined_schema_refuses_what_the_loader_refuses(
    edit: Edit, name: str, old: str, new: str
) -> None:
    validator = Draft7Validator(combined_schema())
    (text,) = edit(name, old, new).values()
    assert not all(validator.is_valid(document) for document in documents(text))


def test_a_kind_that_holds_itself_is_referred_to(files: dict[str, str]) -> None:
    deep = {"not": {"any": [{"all": [{"field": "a", "op": "exists"}]}]}}
    route = documents(files["specs/route.yaml"])[0]
    route["spec"]["rules"][0]["when"] = deep
    validator = Draft7Validator(kind_schema("Route"))
    assert validator.is_valid(route)
    deep["not"]["any"][0]["all"][0]["op"] = "above"
    assert not validator.is_valid(route)


def test_defaults_are_shown_to_editors() -> None:
    fields = kind_schema("Model")["definitions"]["model.Split"]["properties"]
    assert fields["by"] == {
        "enum": ["random", "time", "entity"],
        "description": "what divides the rows",
        "default": "random",
    }


def test_schemas_are_the_same_bytes_on_every_run(tmp_path: Path) -> None:
    first = write_schemas(tmp_path / "one")
    second = write_schemas(tmp_path / "two")
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert json.loads((tmp_path / "one/ordain.schema.json").read_text())["title"] == (
        "A document of an ordain estate"
    )


def test_a_modeline_is_relative_to_its_document(tmp_path: Path) -> None:
    line = modeline(tmp_path / "specs/models/credit.yaml", tmp_path / "schemas")
    assert line == "# yaml-language-server: $schema=../../schemas/ordain.schema.json"


def test_modelines_are_added_once_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    texts = {
        "ordain.yaml": b"kind: Estate\n",
        "specs/crlf.yaml": b"a: 1\r\n",
        "specs/bom.yaml": b"\xef\xbb\xbfa: 1\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    changed = add_modelines(tmp_path, tmp_path / "schemas")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in changed) == sorted(texts)
    line = b"# yaml-language-server: $schema="
    up = line + b"../schemas/ordain.schema.json"
    assert (tmp_path / "ordain.yaml").read_bytes() == (
        line + b"schemas/ordain.schema.json\nkind: Estate\n"
    )
    assert (tmp_path / "specs/crlf.yaml").read_bytes() == up + b"\r\na: 1\r\n"
    assert (tmp_path / "specs/bom.yaml").read_bytes() == b"\xef\xbb\xbf" + up + b"\na: 1\n"
    assert add_modelines(tmp_path, tmp_path / "schemas") == ()
