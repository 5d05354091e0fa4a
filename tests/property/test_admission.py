"""Whatever expression a policy has: if a cluster takes it, it says there what the gate says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from admitted import ESTATE, HEAD
from clusters_mind import ERROR, ClusterPolicy
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.compilers.admission import compile_admission, version_of
from ordain.policies.engine import cel_engine
from ordain.policies.rulebook import rulebook
from ordain.policies.world import World
from ordain.specs.estates import load_estate

pytestmark = pytest.mark.property

PARAMS = {"p": 1, "q": [1, 2.5, "a"], "r": {"a": True, "b": None}}
VALUES = [None, True, 1, 2.5, "a", [], [1, 2], ["a"], {"a": 1}]
# Names that mean something else inside a loop over them are the point of it.
LOOPS = st.sampled_from(["x", "params", "variables", "object", "model"])
# No type is known of these, so that most of what is made of them compiles.
NAMES = st.sampled_from(
    [
        "object.spec.x",
        "object.spec.?x.orValue(1)",
        "params.p",
        "params . r.a",
        "params['r'].b",
        "params.gone",
        "oldObject",
        "object.?params",
    ]
)
LISTS = st.sampled_from(["params.q", "[1, 2]", "object.spec.x", "params.r", "['a', 'params']"])
LITERALS = st.sampled_from(["1", "2.5", "'a'", "null", "true"])
FLAGS = st.sampled_from(
    ["has(object.spec.y)", "has(params.p)", "true", "object.spec.x", "params.p"]
)


def larger(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions that are or may be a bool, of smaller ones."""
    pairs = st.tuples(inside, st.sampled_from(["&&", "||", "==", "!="]), inside)
    loops = st.tuples(LISTS, st.sampled_from(["all", "exists", "exists_one"]), LOOPS, inside)
    return st.one_of(
        pairs.map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        loops.map(lambda one: f"{one[0]}.{one[1]}({one[2]}, {one[2]} == 1 || {one[3]})"),
        loops.map(lambda one: f"({one[0]}.filter({one[2]}, {one[3]}) == [])"),
        st.tuples(inside, inside, inside).map(lambda one: f"({one[0]} ? {one[1]} : {one[2]})"),
        inside.map(lambda one: f"!{one}"),
        inside.map(lambda one: f"{one} // params\n"),
    )


RIGHT = st.one_of(NAMES, LITERALS)
COMPARED = st.tuples(NAMES, st.sampled_from(["==", "!=", "<", ">="]), RIGHT).map(" ".join)
WITHIN = st.tuples(RIGHT, LISTS).map(" in ".join)
BOOLS = st.recursive(st.one_of(COMPARED, WITHIN, FLAGS), larger, max_leaves=4)
TERMS = st.one_of(
    NAMES,
    LITERALS,
    BOOLS,
    st.tuples(NAMES, st.sampled_from("+-/"), RIGHT).map(" ".join),
    LISTS.map("size({})".format),
)
USES = st.sampled_from(["variables.v", "variables.v == 1", "variables.v in params.q"])
VALIDATIONS = st.one_of(
    BOOLS, USES, st.tuples(USES, st.sampled_from(["&&", "||"]), BOOLS).map(" ".join)
)
MESSAGES = st.one_of(TERMS, st.sampled_from(["'x: ' + string(variables.v)", "variables.v", "''"]))


@settings(max_examples=150)
@given(condition=BOOLS, variable=TERMS, validation=VALIDATIONS, message=MESSAGES)
def test_a_cluster_says_what_the_gate_says(
    condition: str, variable: str, validation: str, message: str
) -> None:
    spec = {
        "params": PARAMS,
        "match": {"when": condition},
        "variables": [{"name": "v", "expression": variable}],
        "validations": [
            {"expression": validation, "message": "plain", "messageExpression": message}
        ],
    }
    policy = HEAD.replace("spec:\n", "") + f"spec: {json.dumps(spec)}\n"
    loaded = load_estate({"ordain.yaml": ESTATE, "policies/rule.yaml": policy.encode()})
    assert loaded.findings == ()
    rules = [one for one in rulebook(loaded, cel_engine()).rules if one.name == "rule"]
    made = compile_admission(rules, version_of("1.29"), estate="examples")
    for found in made.refused:
        assert all(one.code == "CMP004" for one in found.findings)
    if not made.compiled:
        return
    cluster = ClusterPolicy(made.manifests[0], 29)
    world = World(loaded, "2026-11-20T09:30:00Z")
    for x in VALUES:
        raw: dict[str, Any] = {"metadata": {"name": "x"}, "spec": {"x": x}}
        document = replace(rules[0].document, kind="Dataset", name="x", raw=raw)
        told = [
            ERROR if one.code == "POL002" else one.message for one in rules[0].ask(document, world)
        ]
        assert list(cluster.ask(raw).violations) == told
