"""Generated expressions: every part stands where it is said to, and what lint calls constant is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.cel.conditions import conditions, core
from ordain.policies.cel.extents import passage
from ordain.policies.engine import cel_engine
from ordain.policies.lint.constants import Constants
from ordain.policies.lint.inference import Inference
from ordain.policies.lint.scope import scope_of
from ordain.policies.lint.types import record

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

pytestmark = pytest.mark.property

OBJECTS: list[dict[str, Any]] = [
    {"kind": "Model", "spec": {"tier": 1, "task": "regression", "owner": "(a"}},
    {"kind": "Model", "spec": {"tier": 2, "task": "clustering", "owner": "b)", "dataset": "d"}},
    {"kind": "Model", "spec": {"tier": 3, "task": "classification", "owner": "", "dataset": ""}},
]
ATOMS = st.sampled_from(
    [
        "true",
        "false",
        "1 < 2",
        "size('a)b') == 2",
        "object.spec.tier == 1",
        "object.spec.tier >= 2.5",
        "object.spec.tier == '1'",
        "object.kind == 'Route'",
        "object.spec.task == 'regression'",
        "object.spec.task in [ 'clustering' , 'x' ]",
        "has(object.spec.dataset)",
        "has( object . spec.dataset )",
        "object.spec.owner.contains(')')",
        'object.spec.?dataset.orValue("(") == "("',
        "object['spec']['tier'] != 3",
        "[1, 2].all(x, x > 0 && x < 3)",
        "object.spec.?missing.hasValue()",
        "[object.spec.tier].exists(t, t == 2 || t == 3)",
    ]
)


def larger(smaller: SearchStrategy[str]) -> SearchStrategy[str]:
    pair = st.tuples(smaller, smaller)
    return st.one_of(
        pair.map(lambda two: f"{two[0]} && {two[1]}"),
        pair.map(lambda two: f"({two[0]} || {two[1]})"),
        pair.map(lambda two: f"( {two[0]} ) && ({two[1]})"),
        smaller.map(lambda one: f"!({one})"),
        smaller.map(lambda one: f"({one})  ==  true"),
        st.tuples(smaller, smaller, smaller).map(
            lambda three: f"(({three[0]}) ? ({three[1]}) : ({three[2]}))"
        ),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=6)


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_a_part_says_alone_what_the_probe_was_told_of_it(expression: str) -> None:
    engine = cel_engine()
    program = engine.compile(expression)
    tree = program.tree
    assert tree is not None
    parts = {node.id: passage(expression, tree, node) for node in conditions(tree)}
    told: list[tuple[int, bool]] = []

    def probe(node: int, answer: bool) -> bool:  # noqa: FBT001 - the protocol of a probe
        told.append((node, answer))
        return answer

    function = program.probed(probe)
    assert function is not None
    for one in OBJECTS:
        told.clear()
        assert function({"object": one}) is program.run(engine.bind({"object": one})).value
        for node, answer in told:
            text = parts.get(node, "")
            # A part of a loop's body names the loop's variable and cannot stand alone.
            if text and not text.startswith(("x ", "t ")):
                alone = engine.compile(text).run(engine.bind({"object": one}))
                assert (alone.value, alone.error) == (answer, ""), text


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_what_is_called_constant_has_this_answer_for_every_object(expression: str) -> None:
    engine = cel_engine()
    program = engine.compile(expression)
    tree = program.tree
    assert tree is not None
    inference = Inference({**scope_of(("Model",), {}), "variables": record("variables", {})})
    inference.infer(tree.root)
    constants = Constants(program, engine, inference.decided)
    answers = {program.run(engine.bind({"object": one})).value for one in OBJECTS}
    constant = constants.answer(tree, tree.root)
    assert constant is None or answers == {constant}
    for node, answer in constants.parts(tree):
        text = passage(expression, tree, node)
        if not text.startswith(("x ", "t ")):
            part = engine.compile(text)
            found = {part.run(engine.bind({"object": one})).value for one in OBJECTS}
            assert found == {answer}, text
    assert core(tree.root).id not in {node.id for node in conditions(tree)}
