"""What a cluster cannot hold is refused at its very place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from admitted import compiled, expression, policies, rules, said

from ordain.compilers.admission import compile_admission, version_of
from ordain.compilers.clusters import Reading, Version
from ordain.policies.cel.tree import Fold, ListOf, Literal, Name, Tree
from ordain.policies.engine import cel_engine
from ordain.specs.findings import Severity


@pytest.mark.parametrize(
    ("text", "since", "what"),
    [
        ("object.?a.orValue(true)", 29, "optionals, such as `.?` and `orValue`"),
        ("[?object.?a] == []", 29, "optionals, such as `.?` and `orValue`"),
        ("{?'a': object.?a} == {}", 29, "optionals, such as `.?` and `orValue`"),
        ("sets.contains(object.a, [1])", 30, "function `sets.contains`"),
        ("'%s'.format([object.a]) == ''", 30, "function `format`"),
    ],
)
def test_what_a_version_lacks_is_refused_until_it_is_there(
    text: str, since: int, what: str
) -> None:
    spec = f"validations: [{{expression: {json.dumps(text)}, message: no}}]"
    ((code, _, message),) = said(spec, f"1.{since - 1}")[:1]
    assert code == "CMP003"
    assert message == f"Kubernetes 1.{since - 1} has no {what}; 1.{since} has"
    assert policies(compiled(spec, version=f"1.{since}"))


def test_fields_that_a_version_of_the_api_lacks_are_refused_at_the_field() -> None:
    spec = """
        match: {when: "object.a == 1"}
        enforcement: review
        variables: [{name: b, expression: object.b}]
        validations: [{expression: "object.c == 1", message: no, messageExpression: "'x'"}]
        """
    assert said(spec, "1.26") == [
        (
            "CMP003",
            "policies/rule.yaml:5:17",
            "policies of Kubernetes 1.26 have no conditions; 1.27 has",
        ),
        (
            "CMP003",
            "policies/rule.yaml:7:14",
            "policies of Kubernetes 1.26 have no variables; 1.28 has",
        ),
        (
            "CMP003",
            "policies/rule.yaml:8:79",
            "policies of Kubernetes 1.26 have no messageExpression; 1.27 has",
        ),
        (
            "CMP003",
            "policies/rule.yaml:8:17",
            "policies of Kubernetes 1.26 have no way to let a violation pass; 1.27 has",
        ),
    ]
    assert [message for _, _, message in said(spec, "1.27")] == [
        "policies of Kubernetes 1.27 have no variables; 1.28 has"
    ]
    assert policies(compiled(spec, version="1.28"))


REFUSED = {
    "a name of the gate": (
        """
        validations: [{expression: "object.a == 1 && linked.Model == []", message: no}]
        """,
        "CMP002",
        "5:48",
        "`linked` is known to the gate only, and to no cluster",
    ),
    "a name of the gate in a block": (
        """
        validations:
          - message: no
            expression: >-
              object.a
              == now
        """,
        "CMP002",
        "9:12",
        "`now` is known to the gate only, and to no cluster",
    ),
    "a name of the gate in a message": (
        """
        validations: [{expression: 'true', message: no, messageExpression: "'x' + now"}]
        """,
        "CMP002",
        "5:77",
        "`now` is known to the gate only, and to no cluster",
    ),
    "a name of the gate in a condition": (
        """
        matchConditions: [{name: x, expression: model != null}]
        validations: [{expression: 'true', message: no}]
        """,
        "CMP002",
        "5:43",
        "`model` is known to the gate only, and to no cluster",
    ),
    "a function of no version": (
        """
        validations: [{expression: "object.a.reverse() == 'x'", message: no}]
        """,
        "CMP003",
        "5:40",
        "no version of Kubernetes has the function `reverse`",
    ),
    "a message of protobuf": (
        """
        validations: [{expression: "google.protobuf.Timestamp{} == object.a", message: no}]
        """,
        "CMP004",
        "5:31",
        "`google.protobuf.Timestamp` is no type that expressions of a cluster can make",
    ),
    "a list of several types": (
        """
        validations: [{expression: "object.a in [1, 'one']", message: no}]
        """,
        "CMP004",
        "5:47",
        "a cluster wants one type in a literal: int and string",
    ),
    "a map of several types": (
        """
        validations: [{expression: "{'a': 1, 'b': [2]} == object.a", message: no}]
        """,
        "CMP004",
        "5:45",
        "a cluster wants one type in a literal: int and list",
    ),
    "a pattern that is none": (
        """
        validations: [{expression: "object.a.matches('(')", message: no}]
        """,
        "CMP004",
        "5:48",
        "matches() cannot read this literal: invalid regular expression: missing ): (",
    ),
    "variables as a map": (
        """
        validations: [{expression: "'a' in variables", message: no}]
        """,
        "CMP004",
        "5:38",
        "variables of a cluster can be read as variables.NAME and in no other way",
    ),
    "whether there is a variable": (
        """
        variables: [{name: a, expression: object.a}]
        validations: [{expression: "has(variables.a)", message: no}]
        """,
        "CMP004",
        "6:35",
        "variables of a cluster can be read as variables.NAME and in no other way",
    ),
    "a variable that comes later": (
        """
        variables: [{name: a, expression: variables.b}, {name: b, expression: object.b}]
        validations: [{expression: "variables.a", message: no}]
        """,
        "CMP004",
        "5:37",
        "variables.b is not declared before it is used",
    ),
    "two variables of one name": (
        """
        variables: [{name: a, expression: object.b}, {name: a, expression: object.c}]
        validations: [{expression: "variables.a", message: no}]
        """,
        "CMP004",
        "5:55",
        "a cluster takes the name a once only",
    ),
    "a variable with a name that is none": (
        """
        variables: [{name: for, expression: object.b}]
        validations: [{expression: 'true', message: no}]
        """,
        "CMP004",
        "5:22",
        "for is a word of the expression language",
    ),
    "two conditions of one name": (
        """
        matchConditions: [{name: a, expression: object.b}, {name: a, expression: object.c}]
        validations: [{expression: 'true', message: no}]
        """,
        "CMP004",
        "5:61",
        "a cluster takes the name a once only",
    ),
    "a loop that hides variables": (
        """
        params: {a: 1}
        validations: [{expression: "object.x.all(variables, variables > params.a)", message: n}]
        """,
        "CMP004",
        "6:67",
        "parameters become a variable, which a loop over `variables` hides here",
    ),
    "a leading dot": (
        """
        params: {a: 1}
        validations: [{expression: ".params.a == 1", message: no}]
        """,
        "CMP004",
        "6:32",
        "`.params` with a leading dot is not read alike everywhere",
    ),
    "a message of two lines": (
        """
        validations:
          - expression: 'true'
            message: |
              one
              two
        """,
        "CMP004",
        "7:16",
        "a message of a cluster has one line",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_at_the_very_place(case: str) -> None:
    spec, code, place, message = REFUSED[case]
    assert said(spec) == [(code, f"policies/rule.yaml:{place}", message)]


def test_a_loop_over_two_variables_is_of_its_version() -> None:
    """The gate's own language has none today, so the tree is made by hand."""
    true = Literal(2, value=True)
    loop = Fold(1, "i", "v", ListOf(3, (), frozenset()), "r", true, true, true, Name(4, "r"))
    found = [
        Reading("[]", Tree(loop, b""), Version(minor), cel_engine()).refusals(frozenset())
        for minor in (32, 33)
    ]
    assert [[one.message for one in each] for each in found] == [
        ["Kubernetes 1.32 has no loop over two variables; 1.33 has"],
        [],
    ]


def test_a_name_that_a_loop_has_taken_is_no_name_of_the_gate() -> None:
    text = "object.a.all(model, model > 0) && [1].exists(now, now == 1)"
    assert expression(text) == text


def test_an_expression_that_its_parameters_make_too_long_is_refused() -> None:
    spec = f"""
        params: {{long: {"x" * 50_000}}}
        validations: [{{expression: "params.long != params.long + 'x'", message: no}}]
        """
    message = "with its parameters the expression is longer than 100,000 characters"
    assert said(spec) == [("CMP004", "policies/rule.yaml:6:30", message)]


def test_a_policy_is_refused_as_a_whole_and_others_are_not() -> None:
    made = compiled(
        "validations: [{expression: 'true', message: a}, {expression: 'now != null', message: b}]",
        "validations: [{expression: 'true', message: c}]",
    )
    assert made.compiled == ("rule-2",)
    assert [one.name for one in made.refused] == ["rule"]
    assert {one.severity for one in made.refused[0].findings} == {Severity.NOTE}


def test_two_versions_of_a_policy_cannot_have_one_name_in_a_cluster() -> None:
    (rule,) = [one for one in rules() if one.name == "drift-limit"]
    other = replace(rule, params={"psi": 0.1})
    made = compile_admission([rule, rule, other], version_of("1.30"), estate="examples")
    assert made.compiled == ("drift-limit",)
    (refused,) = made.refused
    (finding,) = refused.findings
    assert finding.message == (
        "the policy drift-limit cannot go to a cluster: "
        "another version of this policy has the same name in the cluster"
    )


def test_the_baseline_says_what_stays_with_the_gate() -> None:
    made = compiled()
    assert made.compiled == ("acceptance-metrics", "drift-limit", "reasons-map")
    found = {one.name: one.findings[0].message.partition(": ")[2] for one in made.refused}
    names = {
        "dataset-pinned": "linked",
        "fairness-gate": "facts",
        "no-prohibited-feature": "compliance",
        "documented-when-deployed": "model",
        "route-fallback": "linked",
        "route-access": "linked",
        "route-conditions": "linked",
        "monitored": "linked",
    }
    assert found == {
        policy: f"`{name}` is known to the gate only, and to no cluster"
        for policy, name in names.items()
    }
