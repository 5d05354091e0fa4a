from __future__ import annotations

import pytest

from ordain.specs.loader import parse


def value(text: str) -> object:
    parsed = parse(f"key: {text}\n".encode(), "f.yaml")
    assert not parsed.findings
    return parsed.nodes[0].value["key"]


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "2024-01-01",
        "12:30",
        "12:30:45",
        "1_000",
        "0b1",
        "1e",
        ".",
    ],
)
def test_what_other_readers_of_yaml_guess_about_stays_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-12", -12),
        ("+12", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1.5", 1.5),
        ("1e6", 1_000_000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("! 12", "12"),
        ("9223372036854775807", 2**63 - 1),
        ("00000000000000000000000000001", 1),
    ],
)
def test_scalars_follow_the_core_schema(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_every_document_of_a_file_is_read() -> None:
    parsed = parse(b"a: 1\n---\nb: 2\n---\n", "f.yaml")
    assert [node.value for node in parsed.nodes] == [{"a": 1}, {"b": 2}, None]


def test_an_alias_repeats_its_value() -> None:
    parsed = parse(b"a: &x {k: [1]}\nb: *x\nc: &y 3\nd: *y\n&k key: 1\n", "f.yaml")
    assert not parsed.findings
    assert parsed.nodes[0].value == {"a": {"k": [1]}, "b": {"k": [1]}, "c": 3, "d": 3, "key": 1}


def test_a_file_without_documents_has_none() -> None:
    assert parse(b"# only a comment\n", "f.yaml").nodes == ()
