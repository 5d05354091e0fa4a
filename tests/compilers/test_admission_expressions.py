"""Expressions for a cluster mean what they mean for the gate."""

from __future__ import annotations

import pytest
from admitted import expression, policy


def test_parameters_become_a_variable_of_no_type() -> None:
    found = policy(
        """
        params: {limit: 0.5, names: [a, 'b"c'], mixed: [1, null], deep: {x: [[]], y: true}}
        validations: [{expression: "object.spec.x < params.limit", message: no}]
        """
    )
    assert found["variables"] == [
        {
            "name": "params",
            "expression": (
                'dyn({"limit": dyn(0.5), "names": dyn(["a", "b\\"c"]), '
                '"mixed": dyn([dyn(1), dyn(null)]), "deep": dyn({"x": dyn([[]]), "y": dyn(true)})})'
            ),
        }
    ]
    assert found["validations"][0]["expression"] == "object.spec.x < variables.params.limit"


def test_parameters_that_nothing_reads_are_left_out() -> None:
    found = policy("params: {limit: 1}\nvalidations: [{expression: 'true', message: no}]")
    assert "variables" not in found


def test_parameters_stand_themselves_in_a_condition_because_it_has_no_variables() -> None:
    found = policy(
        """
        match: {when: "object.spec.tier <= params.tier"}
        params: {tier: 2}
        validations: [{expression: "true", message: no}]
        """
    )
    condition = {"name": "match.when", "expression": 'object.spec.tier <= dyn({"tier": 2}).tier'}
    assert found["matchConditions"] == [condition]
    assert "variables" not in found


def test_a_variable_called_params_keeps_its_name() -> None:
    found = policy(
        """
        params: {limit: 1}
        variables: [{name: params, expression: params.limit}]
        validations: [{expression: "variables.params == params.limit", message: no}]
        """
    )
    assert [one["name"] for one in found["variables"]] == ["params_", "params"]
    assert found["variables"][1]["expression"] == "variables.params_.limit"
    assert found["validations"][0]["expression"] == "variables.params == variables.params_.limit"


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        # The same letters in a text, in a field and as the name of a loop are no parameters.
        ("'params' != params.a", "'params' != variables.params.a"),
        ("object.params == params.params", "object.params == variables.params.params"),
        (
            "params.all(params, params.x) && params.y",
            "variables.params.all(params, params.x) && variables.params.y",
        ),
        ("'é😀' != params['a']", "'é😀' != variables.params['a']"),
        ("has(params.a)", "has(variables.params.a)"),
        (
            "params.?a.optMap(y, y == params.b).orValue(false)",
            "variables.params.?a.optMap(y, y == variables.params.b).orValue(false)",
        ),
        (
            "[params.a].exists(p, p == params . b)",
            "[variables.params.a].exists(p, p == variables.params . b)",
        ),
    ],
)
def test_names_are_replaced_where_they_are_names(written: str, rewritten: str) -> None:
    found = expression(written, more="params: {a: 1, b: 2}")
    assert found.removeprefix("dyn(").removesuffix(") ? true : false") == rewritten


def test_variables_have_no_type_as_in_the_gate() -> None:
    found = policy(
        """
        variables:
          - {name: count, expression: "size(object.spec.items)"}
          - {name: free, expression: object.spec.x}
          - {name: told, expression: "'a' // why"}
        validations: [{expression: "variables.count == variables.free", message: no}]
        """
    )
    assert [one["expression"] for one in found["variables"]] == [
        "dyn(size(object.spec.items))",
        "object.spec.x",
        "dyn('a' // why\n)",
    ]


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ("object.spec.on", "dyn(object.spec.on) ? true : false"),
        ("object.a ? true : object.b", "dyn(object.a ? true : object.b) ? true : false"),
        ("object.spec.?a.orValue(true)", "dyn(object.spec.?a.orValue(true)) ? true : false"),
        ("object.a ? object.b > 1 : true", "object.a ? object.b > 1 : true"),
        ("!object.a", "!object.a"),
        ("has(object.a)", "has(object.a)"),
        ("object.a.exists_one(x, x == 1)", "object.a.exists_one(x, x == 1)"),
        ("object.a.all(x, x)", "object.a.all(x, x)"),
    ],
)
def test_what_may_be_no_bool_is_an_error_if_it_is_none(written: str, rewritten: str) -> None:
    assert expression(written) == rewritten


def test_a_message_that_may_be_no_text_is_an_error_if_it_is_none() -> None:
    found = policy(
        """
        validations:
          - {expression: "object.a > 1", message: no, messageExpression: object.b}
          - {expression: "object.a > 2", message: no, messageExpression: "'b' + object.b"}
        """
    )
    said_by = [one["messageExpression"] for one in found["validations"]]
    assert said_by == ["dyn(object.b) + ''", "'b' + object.b"]
