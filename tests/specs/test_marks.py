from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.loader import parse

if TYPE_CHECKING:
    from ordain.specs.documents import Marks, Step
    from ordain.specs.findings import Location

TEXT = b"""\
# a comment
kind: Model
spec:
  tier: 1
  "quoted key": 'a value'
  list: [1, {deep: x}, [2, 3]]
  block:
    - one
    - two: 2
  empty:
  wide: \xc3\xa9\xc3\xa9: no
"""


def marks(text: bytes = TEXT) -> Marks:
    return parse(text.replace(b": no", b""), "f.yaml").nodes[0].marks


def shown(place: Location) -> tuple[int, int, int]:
    return place.line, place.column, place.length


def test_every_key_and_value_has_its_place() -> None:
    expected: dict[tuple[Step, ...], tuple[tuple[int, int, int], tuple[int, int, int]]] = {
        ("kind",): ((2, 1, 4), (2, 7, 5)),
        ("spec", "tier"): ((4, 3, 4), (4, 9, 1)),
        ("spec", "quoted key"): ((5, 3, 12), (5, 17, 9)),
        ("spec", "list"): ((6, 3, 4), (6, 9, 22)),
        ("spec", "list", 1): ((6, 13, 9), (6, 13, 9)),
        ("spec", "list", 1, "deep"): ((6, 14, 4), (6, 20, 1)),
        ("spec", "list", 2, 1): ((6, 28, 1), (6, 28, 1)),
        ("spec", "block", 1, "two"): ((9, 7, 3), (9, 12, 1)),
        ("spec", "wide"): ((11, 3, 4), (11, 9, 2)),
    }
    found = marks()
    for path, (key, value) in expected.items():
        assert (shown(found.key(*path)), shown(found.value(*path))) == (key, value), path


def test_an_empty_value_is_shown_at_its_key() -> None:
    assert shown(marks().value("spec", "empty")) == (10, 3, 5)


def test_a_path_that_does_not_exist_leads_to_what_encloses_it() -> None:
    found = marks()
    assert shown(found.key("spec", "nowhere", "deeper")) == (3, 1, 4)
    assert shown(found.key("spec", "list", 9)) == (6, 3, 4)
    assert found.value("nowhere").line == 2


def test_places_behind_an_alias_are_those_of_the_anchor() -> None:
    found = marks(b"a: &x\n  b: 1\nc: *x\n")
    assert shown(found.value("c")) == (3, 4, 2)
    assert shown(found.value("c", "b")) == (2, 6, 1)


def test_lines_are_counted_as_editors_do() -> None:
    found = marks(b"a: 1\r\nb: 2\rc: 3\nd: 4\n")
    assert [found.key(name).line for name in ("a", "b", "c", "d")] == [1, 2, 3, 4]


def test_a_value_of_several_lines_is_underlined_on_its_first() -> None:
    assert shown(marks(b"a: 'one\n  two'\n").value("a")) == (1, 4, 4)


def test_each_document_of_a_file_has_its_own_places() -> None:
    first, second = parse(b"a: {b: 1}\n---\na: {b: 2}\n", "f.yaml").nodes
    assert shown(first.marks.value("a", "b")) == (1, 8, 1)
    assert shown(second.marks.value("a", "b")) == (3, 8, 1)


def test_a_span_covers_exactly_the_value() -> None:
    text = "a:\n  b: 1  # note\n  c: [x,\n    y]  # more\n\n# end\n"
    found = parse(text.encode(), "f.yaml").nodes[0].marks
    start, end = found.span("a")
    assert text[start:end] == "b: 1  # note\n  c: [x,\n    y]"
    start, end = found.span("a", "c")
    assert text[start:end] == "[x,\n    y]"


def test_among_many_siblings_each_stands_where_it_stands() -> None:
    text = "".join(f"k{n}: {{a: [{n}, x]}}\n" for n in range(200)) + "items:\n"
    text += "".join(f"  - {{b: {n}}}\n" for n in range(200))
    (node,) = parse(text.encode(), "a.yaml").nodes
    for number in range(200):
        assert str(node.marks.key(f"k{number}")) == f"a.yaml:{number + 1}:1"
        assert node.marks.value(f"k{number}", "a", 0).length == len(str(number))
        assert str(node.marks.value("items", number, "b")) == f"a.yaml:{202 + number}:9"


def test_marks_stay_right_behind_duplicates_in_duplicates() -> None:
    text = b"""\
a: {b: 1, b: 2, c: {d: 1, d: 2}}
a: {b: 1, c: {d: 1, e: &e [1], d: 2, d: 3}, b: 2}
a: {b: 3, b: 4}
f: {b: 5, g: 6, b: 7, h: *e}
last: [7, {i: 8}]
"""
    found = marks(text)
    assert shown(found.value("a", "c", "d")) == (1, 24, 1)
    assert shown(found.value("f", "g")) == (4, 14, 1)
    assert shown(found.key("f", "h")) == (4, 23, 1)
    assert shown(found.value("last", 1, "i")) == (5, 15, 1)


def test_every_place_is_the_same_in_whatever_order_it_is_asked_for() -> None:
    paths: list[tuple[Step, ...]] = [
        ("spec", "list", 2, 1),
        ("spec", "block", 1, "two"),
        ("spec", "wide"),
        ("spec", "list", 1, "deep"),
        ("kind",),
    ]
    alone = [shown(marks().value(*path)) for path in paths]
    forwards, backwards = marks(), marks()
    assert [shown(forwards.value(*path)) for path in paths] == alone
    assert [shown(backwards.value(*path)) for path in reversed(paths)] == alone[::-1]
