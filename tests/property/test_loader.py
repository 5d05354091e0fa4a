from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.specs.estates import load_estate
from ordain.specs.kinds import kind_names, kind_type
from ordain.specs.loader import _Builder, _Parser, parse
from ordain.specs.marks import Source
from ordain.specs.ordinary import ordinary_values
from ordain.specs.reference import parts
from ordain.specs.shapes import shapes
from ordain.specs.spelling import meant

if TYPE_CHECKING:
    from ordain.specs.documents import Marks

pytestmark = pytest.mark.property

# What JSON may hold unescaped and YAML may not, and pairs of surrogates, are left out.
TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=("Cs", "Cc")),
    max_size=20,
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXT, inner, max_size=5)),
    max_leaves=25,
)
PIECES = st.sampled_from(
    [
        "a", ": ", "- ", "\n", "  ", "\t", "{", "}", "[", "]", ", ", "&a ", "*a", "!!str ", "!x ",
        "|\n", ">\n", "'", '"', "#", "? ", "---\n", "...\n", "%YAML 1.1\n", "<<", "~", "1", ".inf",
        "\r", "\x00", "\x85", "\u2028", "\ufeff", "é", "😀", "@", "`", "\\",
    ]
)  # fmt: skip


def same(left: object, right: object) -> bool:
    """Equal, and 1 is neither true nor 1.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(VALUES)
@settings(max_examples=300)
def test_json_is_yaml(value: object) -> None:
    for text in (json.dumps(value, ensure_ascii=False), json.dumps(value, indent=2)):
        parsed = parse(text.encode(), "f.yaml")
        assert parsed.findings == ()
        assert same(parsed.nodes[0].value, value)


@given(VALUES)
@settings(max_examples=150)
def test_marks_stand_where_the_values_stand(value: object) -> None:
    text = json.dumps({"root": value}, ensure_ascii=False)
    marks = parse(text.encode(), "f.yaml").nodes[0].marks

    def look(found: object, path: tuple[str | int, ...], marks: Marks) -> None:
        start, end = marks.span(*path)
        assert same(json.loads(text[start:end]), found)
        if isinstance(found, dict):
            for key, inner in found.items():
                look(inner, (*path, key), marks)
        elif isinstance(found, list):
            for index, inner in enumerate(found):
                look(inner, (*path, index), marks)

    look({"root": value}, (), marks)


def survives(data: bytes) -> None:
    begun = time.process_time()
    estate = load_estate({"ordain.yaml": data})
    assert time.process_time() - begun < 1
    assert estate.findings
    for finding in estate.findings:
        assert finding.location is not None
        assert finding.message
        assert finding.remedy


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_no_bytes_crash_the_loader(data: bytes) -> None:
    survives(data)


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=500)
def test_no_text_crashes_the_loader(text: str) -> None:
    survives(text.encode())


def as_the_long_way(data: bytes) -> bool:
    """Whether the short way answers; if so, it must be what the long way says."""
    values = ordinary_values(data, _Parser)
    builder = _Builder(data, Source("f.yaml", data.decode("utf-8-sig")))
    nodes = builder.documents()
    if values is None:
        return False
    assert builder.findings == []
    assert same(values, [node.value for node in nodes])
    parsed = parse(data, "f.yaml")
    if {one.code for one in parsed.findings} in ({"SPEC023"}, {"SPEC025"}):
        # Such a character is refused before either way is taken.
        return False
    for node, later in zip(nodes, parsed.nodes, strict=True):
        paths = [(), ("a",), ("a", "b"), (0,), ("a", 0)]
        assert [later.marks.key(*path) for path in paths] == [
            node.marks.key(*path) for path in paths
        ]
        assert [later.marks.value(*path) for path in paths] == [
            node.marks.value(*path) for path in paths
        ]
    return True


@given(VALUES, st.booleans())
@settings(max_examples=300)
def test_the_short_way_reads_what_the_long_way_reads(value: object, flow: bool) -> None:  # noqa: FBT001
    text = yaml.safe_dump({"a": value}, default_flow_style=flow, allow_unicode=True)
    as_the_long_way(text.encode())


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=1000)
def test_the_short_way_refuses_what_the_long_way_refuses(text: str) -> None:
    as_the_long_way(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\n",
        "a: !!str 1\n",
        "a: *x\n",
        "a: 1\na: 2\n",
        "<<: {}\n",
        "1: a\n",
        "~: a\n",
        "? [a]\n: 1\n",
        "a: .inf\n",
        "a: 99999999999999999999\n",
        "a: [\n",
        "[" * 40 + "]" * 40,
        "a: " + "x" * 30_000,
    ],
)
def test_what_is_not_ordinary_goes_the_long_way(text: str) -> None:
    assert not as_the_long_way(text.encode())


@pytest.mark.parametrize(
    "text", ["", "a: 1\n", "- 'a'\n", "a: {b: [~, no, 1e3]}\n---\nb\n---\n", '"a": "1"\n']
)
def test_what_is_ordinary_goes_the_short_way(text: str) -> None:
    assert as_the_long_way(text.encode())


def _fields() -> list[tuple[str, tuple[str, ...]]]:
    """Every field of the language with the names that stand beside it."""
    seen: dict[type, None] = {}

    def look(cls: type) -> None:
        if cls not in seen:
            seen[cls] = None
            for shape in shapes(cls).values():
                for part in parts(shape.type):
                    look(part)

    for kind in kind_names():
        look(kind_type(kind))
    return [(name, tuple(shapes(cls))) for cls in seen for name in shapes(cls)]


FIELDS = _fields()


def misspelt(name: str) -> list[str]:
    """Every way to type a name with one slip: a letter lost, doubled, swapped or another one."""
    words = [name[:at] + name[at + 1 :] for at in range(len(name))]
    words += [name[:at] + name[at] + name[at:] for at in range(len(name))]
    words += [name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)]
    words += [name[:at] + "x" + name[at + 1 :] for at in range(len(name))]
    return words


def test_what_is_misspelt_by_one_letter_is_understood() -> None:
    right = total = 0
    for name, known in FIELDS:
        for word in misspelt(name):
            if word in known or not word:
                continue
            total += 1
            right += meant(word, known) == name
    assert total > 3000
    assert right / total >= 0.95
