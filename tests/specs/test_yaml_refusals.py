from __future__ import annotations

import time

import pytest
import yaml

from ordain.specs import loader
from ordain.specs.loader import MAXIMUM_FINDINGS, Parsed, parse


def findings(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    found = parse(data, "f.yaml").findings
    return [f"{one.code} {one.location}: {one.message} | {one.remedy}" for one in found]


def test_a_key_that_stands_twice_is_shown_at_both_places() -> None:
    parsed = parse(b"a: 1\nb: {c: 2}\na: 3\n", "f.yaml")
    (finding,) = parsed.findings
    assert f"{finding.location}" == "f.yaml:3:1"
    assert finding.message == "the key `a` stands here twice"
    assert [(f"{place}", label) for place, label in finding.related] == [
        ("f.yaml:1:1", "first here")
    ]
    assert not parsed.nodes[0].sound


def test_marks_stay_right_behind_a_duplicate() -> None:
    text = b"a: {b: [1, 2]}\na: {x: &q [1, 2, 3]}\nz: *q\nlast: 5\n"
    parsed = parse(text, "f.yaml")
    marks = parsed.nodes[0].marks
    assert f"{marks.value('last')}" == "f.yaml:4:7"
    assert f"{marks.value('z', 1)}" == "f.yaml:3:4"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: !!python/object/apply:os.getpid []",
            (
                "SPEC014 f.yaml:1:4: the tag `!!python/object/apply:os.getpid` means nothing here "
                "| remove the tag; the kind decides on the type of every field"
            ),
        ),
        (
            "a: !secret b",
            (
                "SPEC014 f.yaml:1:4: the tag `!secret` means nothing here "
                "| remove the tag; the kind decides on the type of every field"
            ),
        ),
        (
            "a: !!int b",
            (
                "SPEC014 f.yaml:1:4: `b` is not of the type that its tag names "
                "| remove the tag, or write such a value"
            ),
        ),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            "SPEC015 f.yaml:3:3: merge keys (`<<`) are not part of YAML 1.2 | write the fields out",
        ),
        ("1: a", "SPEC016 f.yaml:1:1: the key `1` is no text | put the key into quotes"),
        ("null: a", "SPEC016 f.yaml:1:1: the key `null` is no text | put the key into quotes"),
        ("[a]: b", "SPEC016 f.yaml:1:1: this key is no text | put the key into quotes"),
        (
            "a: .nan",
            (
                "SPEC019 f.yaml:1:4: `.nan` is no finite number "
                "| write a finite number; leave the field out where there is no limit"
            ),
        ),
        (
            "a: 1e999",
            (
                "SPEC019 f.yaml:1:4: `1e999` is no finite number "
                "| write a finite number; leave the field out where there is no limit"
            ),
        ),
        (
            "a: 9223372036854775808",
            (
                "SPEC019 f.yaml:1:4: this integer has more than 64 bits "
                "| quote it to keep its digits, or write a float"
            ),
        ),
        (
            "a: " + "9" * 5000,
            (
                "SPEC019 f.yaml:1:4: this integer has more than 64 bits "
                "| quote it to keep its digits, or write a float"
            ),
        ),
        (
            "a: *b",
            (
                "SPEC022 f.yaml:1:4: the alias `*b` refers to nothing above it "
                "| put `&b` before a value above"
            ),
        ),
        (
            "a: &b [*b]",
            (
                "SPEC022 f.yaml:1:8: the alias `*b` stands inside of what it refers to "
                "| write the value out"
            ),
        ),
        (
            "[" * 65 + "]" * 65,
            "SPEC018 f.yaml:1:65: this is nested deeper than 64 levels | write a flatter document",
        ),
    ],
)
def test_what_two_readers_could_understand_differently_is_refused(text: str, expected: str) -> None:
    assert findings(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b"a:\n\tb: 1",
            (
                "SPEC012 f.yaml:2:1: no value can begin with this character "
                "| indent with spaces instead of tabs, and quote text that begins with @, ` or %"
            ),
        ),
        (
            b"a: b: c",
            (
                "SPEC012 f.yaml:1:5: a second `: ` on one line, or a field that is indented too "
                "deep "
                "| quote text that has `: ` in it, and align the field with its neighbours"
            ),
        ),
        (
            b"a: [1, 2\n",
            (
                "SPEC012 f.yaml:2:1: a bracket that is not closed "
                "| close it, and put a comma between its items"
            ),
        ),
        (
            b'a: "b\n',
            "SPEC012 f.yaml:2:1: the file ends inside of a quoted text | close the quote",
        ),
        (
            b"a: 1\n b: 2\n",
            (
                "SPEC012 f.yaml:2:3: a second `: ` on one line, or a field that is indented too "
                "deep "
                "| quote text that has `: ` in it, and align the field with its neighbours"
            ),
        ),
        (
            b"a: \x07",
            (
                "SPEC012 f.yaml:1:4: a control character "
                r"| remove it, or write it as `\x..` in double quotes"
            ),
        ),
        (
            b"ok: 1\nbad: caf\xe9",
            (
                "SPEC010 f.yaml:2:9: the file is not UTF-8: the byte 0xe9 stands for no character "
                "| save the file as UTF-8"
            ),
        ),
        (
            "a: 1".encode("utf-16"),
            (
                "SPEC010 f.yaml:1:1: the file is not UTF-8: the byte 0xff stands for no character "
                "| save the file as UTF-8"
            ),
        ),
    ],
)
def test_text_that_cannot_be_read_is_one_finding_at_its_place(text: bytes, expected: str) -> None:
    assert findings(text) == [expected]


def test_what_stood_above_the_broken_place_is_still_there() -> None:
    parsed = parse(b"a: 1\n---\nb: [\n", "f.yaml")
    assert [node.value for node in parsed.nodes] == [{"a": 1}]
    assert parsed.nodes[0].sound


def test_an_alias_bomb_is_one_finding_and_no_work() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    text = "\n".join(["l0: &l0 [lol]", *levels]).encode()
    begun = time.process_time()
    (line,) = findings(text)
    assert time.process_time() - begun < 0.5
    assert line == (
        "SPEC017 f.yaml:7:10: more than 250,000 values, counting what aliases repeat "
        "| split the file; repeat less by alias"
    )


def quick(data: bytes) -> Parsed:
    begun = time.process_time()
    parsed = parse(data, "f.yaml")
    assert time.process_time() - begun < 1.5
    return parsed


def test_a_file_of_ten_megabytes_is_refused_unread() -> None:
    (finding,) = quick(b"a: " + b"x" * 10_000_000).findings
    assert finding.message == "the file has 10,000,003 bytes; the limit is 10,000,000"


@pytest.mark.parametrize("unit", [b"- \n", b"---\n", b"a, ", b"[", b"- - - - ", b"&a *a "])
def test_a_large_file_of_little_things_is_not_read_to_its_end(unit: bytes) -> None:
    head = b"[" if unit == b"a, " else b""
    assert len(quick(head + unit * (3_000_000 // len(unit))).findings) == 1


def test_a_byte_order_mark_moves_nothing() -> None:
    parsed = parse("\ufeffa: 1\nb: é\n".encode(), "f.yaml")
    assert f"{parsed.nodes[0].marks.value('a')}" == "f.yaml:1:4"
    assert f"{parsed.nodes[0].marks.value('b')}" == "f.yaml:2:4"


def test_without_libyaml_the_same_events_come_from_pyyaml_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = b"a: &x [1, no, {b: 1.5}]\nc: *x\nd: |\n  text\na: 2\n"
    fast = parse(text, "f.yaml")
    monkeypatch.setattr(loader, "_Parser", yaml.BaseLoader)
    slow = parse(text, "f.yaml")
    assert slow.nodes[0].value == fast.nodes[0].value
    assert slow.findings == fast.findings
    assert slow.nodes[0].marks.value("c", 2, "b") == fast.nodes[0].marks.value("c", 2, "b")


@pytest.mark.parametrize("escape", [r"\0", r"\x00", r"\u0000", r"\U00000000"])
def test_a_text_with_a_null_character_is_refused(escape: str) -> None:
    parsed = parse(f'a: 1\nb: ["x{escape}y"]\n'.encode(), "a.yaml")
    (finding,) = parsed.findings
    assert (finding.code, str(finding.location)) == ("SPEC023", "a.yaml:2:5")
    assert parsed.nodes == ()


def test_a_backslash_and_a_nought_are_no_null_character() -> None:
    parsed = parse(
        rb"""a: 'x\0y'
b: "x\\0y"
""",
        "a.yaml",
    )
    assert parsed.findings == ()
    assert parsed.nodes[0].value == {"a": r"x\0y", "b": r"x\0y"}


def test_a_file_of_nothing_but_mistakes_is_not_read_to_its_end() -> None:
    parsed = parse(b"".join(b"? [a]\n: b\n" for _ in range(5_000)), "a.yaml")
    assert [one.code for one in parsed.findings] == ["SPEC016"] * 100 + ["SPEC024"]
    assert parsed.findings[-1].message == (
        "there are 100 mistakes above; the rest of the file is unread"
    )
    assert parsed.nodes == ()


@pytest.mark.parametrize("code", [0x85, 0x2028, 0x2029, 0x202E, 0x2066])
def test_a_field_cannot_hide_in_what_looks_like_a_comment(code: int) -> None:
    parsed = parse(f"a: 1  # one{chr(code)}b: 2\n".encode(), "a.yaml")
    (finding,) = parsed.findings
    assert (finding.code, str(finding.location)) == ("SPEC025", "a.yaml:1:12")
    assert f"U+{code:04X}" in finding.message


def test_other_letters_of_the_world_are_text() -> None:
    assert parse("a: Prévision 予測 🙂\n".encode(), "a.yaml").findings == ()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "again",
    ["".join(f"k{n}: 2\n" for n in range(5_000)), "k1: 2\n" * 5_000],
    ids=["each key twice", "one key many times"],
)
def test_many_duplicates_take_as_long_as_they_are_many(again: str) -> None:
    text = "".join(f"k{n}: &a{n} 1\nl{n}: *a{n}\n" for n in range(5_000)) + again
    start = time.process_time()
    assert len(parse(text.encode(), "f.yaml").findings) == MAXIMUM_FINDINGS + 1
    assert time.process_time() - start < 2.0
