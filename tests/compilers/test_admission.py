"""Policies as admission control of a cluster: the objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from admitted import compiled, policies, policy, said

from ordain.compilers.admission import plural, version_of
from ordain.compilers.errors import CompileError
from ordain.compilers.kubernetes import render
from ordain.specs.kinds import kind_names

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["acceptance-metrics", "drift-limit", "reasons-map"])
def test_the_baseline_gives_what_it_gave(name: str) -> None:
    made = compiled(names=(name,))
    assert render(made.manifests) == (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")


def test_the_same_policies_give_the_same_bytes() -> None:
    assert render(compiled().manifests) == render(compiled().manifests)


def test_a_rule_about_the_object_alone_becomes_a_policy_and_its_binding() -> None:
    made = compiled(
        """
        match: {kinds: [Route, Policy], when: "has(object.spec.access)"}
        matchConditions: [{name: named, expression: "object.metadata.name != 'x'"}]
        validations:
          - expression: object.spec.access.keys == 'required'
            message: answers without a key
            messageExpression: "'no key: ' + object.metadata.name"
            remedy: require one
            controls: [A-1, B-2]
        """
    )
    found, binding = made.manifests
    assert found["apiVersion"] == "admissionregistration.k8s.io/v1beta1"
    assert found["metadata"]["name"] == "rule.estate.ordain.dev"
    assert found["metadata"]["annotations"] == {
        "ordain.dev/policy": "rule",
        "ordain.dev/origin": "estate",
        "ordain.dev/digest": found["metadata"]["annotations"]["ordain.dev/digest"],
        "ordain.dev/kube-version": "1.29",
        "ordain.dev/severity": "error",
        "controls.ordain.dev/1": "A-1, B-2",
        "remedy.ordain.dev/1": "require one",
    }
    assert found["spec"] == {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["ordain.dev"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["policies", "routes"],
                }
            ]
        },
        "matchConditions": [
            {"name": "match.when", "expression": "has(object.spec.access)"},
            {"name": "named", "expression": "object.metadata.name != 'x'"},
        ],
        "validations": [
            {
                "expression": "object.spec.access.keys == 'required'",
                "message": "answers without a key",
                "messageExpression": "'no key: ' + object.metadata.name",
                "reason": "Invalid",
            }
        ],
    }
    assert binding["metadata"]["name"] == "rule.estate.ordain.dev"
    assert binding["spec"] == {
        "policyName": "rule.estate.ordain.dev",
        "validationActions": ["Deny"],
    }


def test_a_rule_about_every_kind_matches_every_resource_of_the_group() -> None:
    found = policy("validations: [{expression: 'true', message: no}]")
    assert found["matchConstraints"]["resourceRules"][0]["resources"] == ["*"]


def test_resources_are_the_plurals_of_kinds() -> None:
    irregular = {kind: plural(kind) for kind in kind_names() if plural(kind) != f"{kind.lower()}s"}
    assert irregular == {
        "BreakGlass": "breakglasses",
        "Policy": "policies",
    }


@pytest.mark.parametrize(
    ("enforcement", "actions"),
    [("block", ["Deny"]), ("review", ["Warn", "Audit"]), ("advise", ["Audit"])],
)
def test_enforcement_becomes_what_a_violation_does(enforcement: str, actions: list[str]) -> None:
    made = compiled(
        f"{{enforcement: {enforcement}, validations: [{{expression: a, message: b}}]}}".replace(
            "expression: a", "expression: 'true'"
        )
    )
    assert made.manifests[1]["spec"]["validationActions"] == actions


def test_validations_of_different_weight_become_policies_of_their_own() -> None:
    made = compiled(
        """
        enforcement: review
        validations:
          - {name: first, expression: 'object.a', message: one}
          - {name: second, expression: 'object.b', message: two, severity: error, remedy: mend}
          - {name: third, expression: 'object.c', message: three, severity: note}
        """
    )
    found = {
        one["metadata"]["name"]: [each["message"] for each in one["spec"]["validations"]]
        for one in policies(made)
    }
    assert found == {
        "error.rule.estate.ordain.dev": ["two"],
        "rule.estate.ordain.dev": ["one"],
        "note.rule.estate.ordain.dev": ["three"],
    }
    told = made.manifests[0]["metadata"]["annotations"]
    assert told["remedy.ordain.dev/second"] == "mend"


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("1.26", "v1alpha1"),
        ("1.27", "v1alpha1"),
        ("1.28", "v1beta1"),
        ("v1.29.3", "v1beta1"),
        ("1.30", "v1"),
        ("1.35+", "v1"),
    ],
)
def test_every_version_has_its_api(version: str, api: str) -> None:
    made = compiled("validations: [{expression: 'true', message: no}]", version=version)
    assert {one["apiVersion"] for one in made.manifests} == {f"admissionregistration.k8s.io/{api}"}


def test_the_first_version_denies_without_being_told_and_has_no_variables() -> None:
    spec = "params: {a: 1}\nvalidations: [{expression: 'object.a > params.a', message: no}]"
    found, binding = compiled(spec, version="1.26").manifests
    assert binding["spec"] == {"policyName": "rule.estate.ordain.dev"}
    assert "variables" not in found["spec"]
    (validation,) = found["spec"]["validations"]
    assert validation["expression"] == 'object.a > dyn({"a": 1}).a'


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("1.25", "Kubernetes 1.25 has no ValidatingAdmissionPolicy"),
        ("2.0", "`2.0` is no version of Kubernetes"),
        ("latest", "`latest` is no version of Kubernetes"),
        ("1.29 ", "`1.29 ` is no version of Kubernetes"),
    ],
)
def test_a_version_without_such_policies_is_refused(version: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        version_of(version)
    assert caught.value.message == message


TRANSITION = """
match: {kinds: [Model], when: "object.spec.tier == 1"}
transitions: [{expression: object.spec.tier <= oldObject.spec.tier, message: lowered}]
"""


def test_transitions_are_a_policy_of_their_own_that_needs_an_old_object() -> None:
    spec = TRANSITION + "validations: [{expression: object.spec.tier > 0, message: no}]"
    first, second = policies(compiled(spec))
    assert first["metadata"]["name"] == "rule.estate.ordain.dev"
    assert second["metadata"]["name"] == "transition.rule.estate.ordain.dev"
    names = [one["name"] for one in second["spec"]["matchConditions"]]
    assert names == ["match.when", "transition"]
    assert second["spec"]["matchConditions"][1]["expression"] == "oldObject != null"
    assert [one["message"] for one in second["spec"]["validations"]] == ["lowered"]


def test_transitions_stay_where_the_validations_of_their_policy_stay() -> None:
    spec = TRANSITION + "validations: [{expression: model.spec.tier > 0, message: no}]"
    made = compiled(spec)
    assert made.manifests == ()
    assert [one.name for one in made.refused] == ["rule"]


def test_a_transition_is_refused_at_its_own_place() -> None:
    spec = "transitions: [{expression: size(approvals) > 1, message: no}]"
    ((_, place, reason),) = said(spec)
    assert place == "policies/rule.yaml:5:35"
    assert reason == "`approvals` is known to the gate only, and to no cluster"


def test_a_rule_in_python_stays_with_the_gate() -> None:
    # The package is not installed, so only the admission's own reason is looked at.
    from dataclasses import replace

    from admitted import rules

    from ordain.compilers.admission import compile_admission
    from ordain.specs.kinds.policy import PythonRule

    (rule,) = rules("validations: [{expression: object.a == 1, message: no}]")
    spec = replace(
        rule.document.spec,
        validations=(),
        python=PythonRule(rule="x", package="bank-rules", version="1.0.0"),
    )
    python = replace(rule, document=replace(rule.document, spec=spec), checks=())
    made = compile_admission([python], version_of("1.29"), estate="examples")
    assert made.manifests == ()
    assert made.refused[0].findings[0].message == (
        "the policy rule cannot go to a cluster: a rule in Python is not portable to the cluster"
    )
