"""What a file says is remembered by its bytes, and everything else is asked again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ordain.specs import known_values as module
from ordain.specs.estates import load_estate
from ordain.specs.known_values import KnownValues
from ordain.specs.loader import parse
from ordain.specs.memory import recall

if TYPE_CHECKING:
    from pathlib import Path

YAML = b"""text: no
number: 7
large: 9007199254740991
share: 0.1
small: 1.0e-300
negative: -0.0
flag: true
nothing: null
quoted: "7"
letters: gr\xc3\xb6\xc3\x9fer \xe2\x80\x94 \xf0\x9f\x8c\x8d
list: [1, 2.5, {a: b}]
---
second: document
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "values.json"


def _kept(file: Path, *contents: bytes) -> KnownValues:
    known = KnownValues(file)
    for data in contents:
        parse(data, "x.yaml", known)
    known.keep()
    return KnownValues(file)


def test_values_come_back_as_they_were(file: Path) -> None:
    fresh = [node.value for node in parse(YAML, "x.yaml").nodes]
    found = _kept(file, YAML).of(YAML)
    assert found == fresh
    assert json.dumps(found) == json.dumps(fresh)
    assert [type(one) for one in found[0].values()] == [type(one) for one in fresh[0].values()]
    assert str(found[0]["negative"]) == "-0.0"


def test_marks_are_those_of_the_file_that_is_read(file: Path) -> None:
    known = _kept(file, YAML)
    node = parse(YAML, "elsewhere.yaml", known).nodes[0]
    place = node.marks.value("number")
    assert (place.path, place.line, place.column) == ("elsewhere.yaml", 2, 9)


def test_one_more_byte_is_another_file(file: Path) -> None:
    known = _kept(file, YAML)
    assert known.of(YAML + b"\n") is None


@pytest.mark.parametrize(
    "data",
    [
        b"a: 1\na: 2\n",
        b"a: &x 1\nb: *x\n",
        b"a: [\n",
        b"a: \xff\n",
        b"a: x\xe2\x80\xa8y\n",
        b'a: "\\0"\n',
    ],
)
def test_what_is_not_ordinary_is_read_every_time(file: Path, data: bytes) -> None:
    known = _kept(file, data)
    assert known.of(data) is None
    assert parse(data, "x.yaml", known).findings == parse(data, "x.yaml").findings


def test_an_empty_file_is_known_too(file: Path) -> None:
    assert _kept(file, b"# nothing\n").of(b"# nothing\n") == []


def test_what_was_not_used_is_forgotten_when_there_is_something_to_write(file: Path) -> None:
    _kept(file, b"a: 1\n")
    assert _kept(file, b"a: 2\n").of(b"a: 1\n") is None


def test_little_that_is_new_is_not_worth_the_writing(file: Path) -> None:
    many = [f"a: {number}\n".encode() for number in range(100)]
    _kept(file, *many)
    before = file.stat().st_ino
    _kept(file, *many, b"b: 1\n")
    assert file.stat().st_ino == before
    new = [f"b: {number}\n".encode() for number in range(3)]
    assert _kept(file, *many, *new).of(new[2]) is not None
    assert file.stat().st_ino != before


def test_another_parser_does_not_take_its_word(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _kept(file, YAML).of(YAML) is not None
    monkeypatch.setattr(module, "_name", lambda: "ordain.values/1 of another parser")
    assert KnownValues(file).of(YAML) is None


def test_a_flipped_bit_is_no_value(file: Path) -> None:
    _kept(file, b"limit: 25\n")
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"limit":25', b'"limit":29'))
    assert file.read_bytes() != whole
    assert KnownValues(file).of(b"limit: 25\n") is None


def test_without_a_place_nothing_is_written(tmp_path: Path) -> None:
    known = KnownValues()
    parse(YAML, "x.yaml", known)
    known.keep()
    assert known.of(YAML) is not None
    assert list(tmp_path.iterdir()) == []


def test_a_schema_is_asked_of_known_values_again(file: Path) -> None:
    tree = {
        "ordain.yaml": b"apiVersion: ordain.dev/v1\nkind: Estate\nmetadata: {name: x}\nspec: {}\n"
    }
    cold = load_estate(tree).findings
    for _ in range(2):
        known = KnownValues(file)
        assert load_estate(tree, known=known).findings == cold
        known.keep()
    assert cold != ()
    assert recall(file, module._name()) is not None


def test_when_it_is_full_it_learns_no_more(file: Path) -> None:
    files = [f"a: {number}\n".encode() for number in range(4)]
    known = KnownValues(file, most=3)
    for data in files:
        parse(data, "x.yaml", known)
    known.keep()
    again = KnownValues(file)
    assert [again.of(data) is not None for data in files] == [True, True, True, False]
