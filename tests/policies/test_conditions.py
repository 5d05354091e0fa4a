"""What is true or false inside an expression, where it stands, and what a probe sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.policies.cel.conditions import conditions, core
from ordain.policies.cel.extents import extent, passage
from ordain.policies.engine import cel_engine
from ordain.policies.packs import load_pack
from ordain.specs.insides import offset_of, place_inside
from ordain.specs.loader import parse
from ordain.specs.reading import read_document

if TYPE_CHECKING:
    from ordain.policies.cel.tree import Tree
    from ordain.specs.documents import Document


def tree_of(expression: str) -> Tree:
    tree = cel_engine().compile(expression).tree
    assert tree is not None
    return tree


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("object.a", []),
        ("!object.a", []),
        ("object.a == 1", []),
        ("has(object.a.b)", []),
        ("object.a && !object.b", ["object.a", "object.b"]),
        ("object.a && object.b && object.c", ["object.a", "object.b", "object.c"]),
        (
            "object.a && ( object.b || has(object.c) )",
            ["object.a", "object.b || has(object.c)", "object.b", "has(object.c)"],
        ),
        ("object.a ? object.b == 1 : true", ["object.a", "object.b == 1"]),
        (
            "object.?a.orValue([]).all(g, g.?min.orValue(0.8) >= 1e-5 && 'x' in g.names)",
            [
                "g.?min.orValue(0.8) >= 1e-5 && 'x' in g.names",
                "g.?min.orValue(0.8) >= 1e-5",
                "'x' in g.names",
            ],
        ),
        ("object.a.filter(x, x.on).size() > 0", ["x.on"]),
        ("object.a.map(x, x.n > 1, x.m).exists_one(z, z)", ["z", "x.n > 1"]),
        ("object.a.map(x, x.m == 1) == [true]", ["x.m == 1"]),
        (
            "size(object['k'][0]) == -1 || object.t.startsWith(')')",
            ["size(object['k'][0]) == -1", "object.t.startsWith(')')"],
        ),
        (
            "object.?a.hasValue() && object.?b[?0].hasValue()",
            ["object.?a.hasValue()", "object.?b[?0].hasValue()"],
        ),
        (
            r"""object.a.matches(r"\(") || object.b.contains("(")""",
            [r"""object.a.matches(r"\(")""", 'object.b.contains("(")'],
        ),
    ],
)
def test_the_parts_are_those_that_somebody_wrote(expression: str, parts: list[str]) -> None:
    tree = tree_of(expression)
    found = [passage(expression, tree, node) for node in conditions(tree)]
    assert sorted(found) == sorted(parts)


@pytest.mark.parametrize(
    "expression",
    [
        "( object.a )",
        "object.a[ 'b' ] . c",
        "timestamp( now ).getFullYear() > 2020",
        "-object.a < {'a': 1}.a",
        "object.?a.optMap(v, v + 1).orValue(2) == 3",
        "linked.Model.exists(m, (m.a || m.b) && (m.c))",
    ],
)
def test_the_whole_begins_at_its_first_letter_and_ends_behind_its_last(expression: str) -> None:
    tree = tree_of(expression)
    assert extent(expression, tree, tree.root) in {
        (0, len(expression)),
        # Parentheses around the whole are no part of it.
        (2, len(expression) - 2),
    }


def test_the_code_of_every_shipped_policy_tells_of_every_condition() -> None:
    """Whatever is counted can be covered."""
    checked = 0
    for policy in load_pack("baseline").policies:
        for validation in policy.spec.validations:
            program = cel_engine().compile(validation.expression)
            assert program.tree is not None
            function = program.probed(lambda _, answer: answer)
            assert function is not None
            numbers = {one for one in function.__code__.co_consts if isinstance(one, int)}
            wanted = {node.id for node in conditions(program.tree)}
            assert wanted <= numbers
            assert core(program.tree.root).id not in wanted
            checked += len(wanted)
    assert checked > 40


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("object.a && object.b", {"object.a": [True], "object.b": [False]}),
        ("object.b && object.a", {"object.b": [False]}),
        (
            "object.list.all(x, x > 1 || x == 1)",
            {
                "x > 1 || x == 1": [True, True],
                "x > 1": [False, True],
                "x == 1": [True],
            },
        ),
        ("(object.a ? object.b : object.c) || true", {"object.a ? object.b : object.c": [False]}),
    ],
)
def test_a_probe_is_told_what_each_part_answers(
    expression: str, told: dict[str, list[bool]]
) -> None:
    tree = tree_of(expression)
    wanted = {node.id: passage(expression, tree, node) for node in conditions(tree)}
    heard: dict[str, list[bool]] = {}

    def probe(node: int, answer: bool) -> bool:  # noqa: FBT001 - the protocol of a probe
        if node in wanted:
            heard.setdefault(wanted[node], []).append(answer)
        return answer

    function = cel_engine().compile(expression).probed(probe)
    assert function is not None
    plain = cel_engine().compile(expression).function
    assert plain is not None
    values = {"object": {"a": True, "b": False, "list": [1, 2]}}
    assert function(values) == plain(values)
    assert {part: answers for part, answers in heard.items() if part in told} == told


TEXT = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: a}
spec:
  match: {kinds: [Model], when: 'object.spec.task == ''regression'''}
  validations:
    - expression: object.spec.tier == 1
      message: plain
    - expression: "object.spec.owner == \\"\\u00e4\\" || object.spec.tier == 2"
      message: quoted
    - expression: >-
        object.spec.tier == 3
        && object.spec.tier
        == 4
      message: folded
    - expression: |
        object.spec.tier == 5

          || object.spec.tier == 6
      message: literal
    - expression: >
        object.spec.tier == 7

        || object.spec.tier == 8
      message: folded with a blank line
    - expression: object.spec.tier == 9
        || object.spec.tier == 10
      message: plain over two lines
    - {expression: &x object.spec.tier == 11, message: anchored}
    - {expression: *x, message: again}
"""


@pytest.fixture(scope="module")
def policy() -> Document:
    document, findings = read_document(parse(TEXT.encode(), "a.yaml").nodes[0], "a.yaml")
    assert document is not None, findings
    return document


def underlined(policy: Document, expression: str, start: int, end: int, *path: str | int) -> str:
    place = place_inside(policy.marks, path, expression, start, end)
    return TEXT.splitlines()[place.line - 1][place.column - 1 :][: place.length]


@pytest.mark.parametrize("index", range(6))
def test_every_word_of_an_expression_is_found_in_its_file(policy: Document, index: int) -> None:
    expression = policy.spec.validations[index].expression
    path = ("spec", "validations", index, "expression")
    words = expression.split()
    at = 0
    for word in words:
        at = expression.index(word, at)
        found = underlined(policy, expression, at, at + len(word), *path)
        assert found.replace("\\u00e4", "ä").replace('\\"', '"') == word
        at += len(word)
    assert len(words) >= 3


def test_single_quotes_are_undone(policy: Document) -> None:
    expression = policy.spec.match.when
    at = expression.index("'regression'")
    path = ("spec", "match", "when")
    assert underlined(policy, expression, at, at + 12, *path) == "''regression''"


def test_an_alias_is_pointed_at_as_a_whole(policy: Document) -> None:
    expression = policy.spec.validations[7].expression
    assert underlined(policy, expression, 0, 6, "spec", "validations", 7, "expression") == "*x"


@pytest.mark.parametrize(
    ("line", "column", "offset"), [(1, 1, 0), (1, 3, 2), (2, 1, 4), (2, 9, 5), (9, 9, 5)]
)
def test_line_and_column_of_the_compiler_become_an_offset(
    line: int, column: int, offset: int
) -> None:
    assert offset_of("one\nab", line, column) == offset
