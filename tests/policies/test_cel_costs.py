"""The exact evaluator is asked whenever it surely ends soon, and not when it might not."""

from __future__ import annotations

from typing import Any

import pytest

from ordain.policies.cel.costs import costly, may_grow, weight
from ordain.policies.cel.patterns import effort
from ordain.policies.cel.programs import CelEngine

ENGINE = CelEngine()
ESTATE = {
    "models": [
        {"name": f"model-{number}", "spec": {"tier": 1, "owners": ["a", "b"], "text": "x" * 60}}
        for number in range(300)
    ]
}


def is_costly(expression: str, **values: Any) -> bool:  # noqa: ANN401 - any JSON
    tree = ENGINE.compile(expression).tree
    assert tree is not None
    return costly(tree.root, values)


@pytest.mark.parametrize(
    "expression",
    [
        "object.name == 'model-1' && object.gone",
        "estate.models.all(m, m.spec.tier == 1 && m.gone)",
        "estate.models.filter(m, m.spec.tier == 1).map(m, m.name + ':' + m.spec.text).join(', ')",
        "estate.models.all(m, estate.models.exists(n, n.name == m.name && n.gone))",
        "estate.models.all(m, m.spec.owners.all(o, o in ['a', 'b'] && m.gone))",
        "'%s has %d'.format([object.name, object.size])",
        "object.name.replace('-', '_').matches('^[a-z_0-9]+$')",
        "estate.models.map(m, m.spec.owners.map(o, o + m.name)).size() > 0",
        "{'a': object.name, 'b': [object]}.b[0].?name.optMap(n, n + n).orValue('')",
    ],
)
def test_an_ordinary_rule_over_an_estate_is_not_costly(expression: str) -> None:
    assert not is_costly(expression, estate=ESTATE, object=ESTATE["models"][0])


@pytest.mark.parametrize(
    "expression",
    [
        "object.big.replace('a', object.big).size() > 0",
        "object.l.map(x, object.big).join(object.big)",
        "object.big.format(object.l)",
        "sets.contains(object.l, object.l)",
        "['a'].all(a, [a.replace('', object.big)].all(b, b.replace('', object.big) == ''))",
        "object.l.map(x, object.l.map(y, object.big.upperAscii()))",
        "object.l.map(x, object.big + 'a') == object.l.map(x, object.big + 'b')",
        "[[object]].all(a, [[a, a, a, a, a, a]].all(b, [[b, b, b, b, b, b]].all(c, c == [c])))",
        "[[object]].map(a, [[a, a, a, a, a, a]].map(b, [[b, b, b, b, b, b]].map(c, [c, c, c])))",
    ],
)
def test_what_multiplies_large_values_is_costly(expression: str) -> None:
    assert is_costly(expression, object={"big": "a" * 700_000, "l": list(range(10_000))})


def test_a_value_of_a_list_counts_once_over_the_whole_loop() -> None:
    texts = {"l": ["a" * 10_000] * 100}
    assert not is_costly("object.l.all(x, x.contains('b'))", object=texts)
    assert is_costly("object.l.all(x, x.replace('a', x) == '')", object=texts)


def test_only_what_can_grow_is_estimated() -> None:
    plain = ENGINE.compile("object.a == 1 && object.b.startsWith('x')").tree
    loop = ENGINE.compile("object.l.all(x, x)").tree
    assert plain is not None
    assert loop is not None
    assert not may_grow(plain.nodes())
    assert may_grow(loop.nodes())


def test_the_weight_is_one_for_each_value_and_each_character() -> None:
    assert weight({"ab": [1, None, "xyz"]}) == 2 + 1 + 1 + 1 + 1 + 4
    assert weight([0] * 2_000_000) == float("inf")


def test_a_rule_that_errs_on_a_large_document_still_says_why() -> None:
    values = {"l": [{"n": number} for number in range(2_000)]}
    outcome = ENGINE.compile("object.l.all(x, x.gone > 1)").run(ENGINE.bind({"object": values}))
    assert outcome.error == 'Key not found in map : "gone"'


@pytest.mark.parametrize(
    ("pattern", "written_out"),
    [
        ("(ab){3}c{2}", "abababcc"),
        ("(?:a{2}|b){3}", "(aa|b)(aa|b)(aa|b)"),
        ("(?i)(?P<name>[])x]){2}", "[])x][])x]"),
        (r"\pL{3}", r"\pL\pL\pL"),
        (r"[\p{Greek}\pN]{2}", r"\pL\pL\pL\pL"),
        (r"\({2}a{1,3}b*", r"\(\(aaab"),
        ("a{2,}", "aa"),
    ],
)
def test_a_pattern_costs_what_it_costs_when_it_is_written_out(
    pattern: str, written_out: str
) -> None:
    assert effort(pattern, 0) == effort(written_out, 0)


def test_what_hides_its_counts_is_taken_for_large() -> None:
    assert effort(r"\Q(\Ea{900}", 0) > effort("a{900}", 0)
