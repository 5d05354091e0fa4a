from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

TWO = {
    "ordain.yaml": (
        "apiVersion: ordain.dev/v1\nkind: Estate\nmetadata: {name: test}\nspec:\n"
        "  environments: [{name: production}, {name: staging}]\n"
    )
}


def test_weights_of_a_rule_sum_to_100(check: Check, edit: Edit) -> None:
    changed = edit("route", "weight: 100}", "weight: 90}, {deployment: credit, weight: 20}")
    assert check(changed) == [
        (
            "REF005 route.yaml:8:7 error: the weights of this rule sum to 110, not to 100 "
            "| change the weights; a share without one has 100"
        ),
        (
            "REF005 route.yaml:8:59 error: the deployment `credit` stands in this rule twice "
            "| add its weights up"
        ),
    ]


def test_two_routes_never_claim_one_endpoint(check: Check, files: dict[str, str]) -> None:
    other = files["specs/route.yaml"].replace("name: credit", "name: loans")
    assert check({"specs/z.yaml": other}) == [
        (
            "REF007 z.yaml:5:13 error: the endpoint /v1/credit is already the one of the route "
            "`credit` "
            "| give one of the two another endpoint or environment"
        )
    ]


def test_of_several_environments_a_route_names_one(check: Check, edit: Edit) -> None:
    assert check(TWO) == [
        (
            "REF006 route.yaml:4:1 error: the route says not in which environment it is "
            "| add `environment:` with one of production, staging"
        )
    ]
    assert (
        check({**TWO, **edit("route", "  default", "  environment: production\n  default")}) == []
    )


def test_a_route_and_its_deployments_share_an_environment(check: Check, edit: Edit) -> None:
    changed = edit("route", "  default", "  environment: staging\n  default")
    assert check({**TWO, **changed}) == [
        (
            "REF006 route.yaml:8:25 error: the deployment `credit` is in `production`, its route "
            "in "
            "`staging` | name a deployment of the same environment"
        ),
        (
            "REF006 route.yaml:10:25 error: the deployment `credit` is in `production`, its "
            "route in "
            "`staging` | name a deployment of the same environment"
        ),
    ]


def test_one_endpoint_in_two_environments_is_right(check: Check, files: dict[str, str]) -> None:
    route, deployment = files["specs/route.yaml"], files["specs/deployment.yaml"]
    staging = {
        "specs/route.yaml": route + "  environment: production\n",
        "specs/y.yaml": deployment.replace("name: credit", "name: trial").replace(
            "production", "staging"
        ),
        "specs/z.yaml": route.replace("name: credit", "name: trial").replace(
            "deployment: credit", "deployment: trial"
        )
        + "  environment: staging\n",
    }
    assert check({**TWO, **staging}) == []


def test_names_are_unique_inside_of_a_document(check: Check) -> None:
    twice = TWO["ordain.yaml"].replace("staging", "production")
    assert "there are two of the environment `production`" in check({"ordain.yaml": twice})[0]


def test_rules_of_a_route_have_names_of_their_own(check: Check, edit: Edit) -> None:
    rule = "    - name: large\n      when: {field: amount, op: gt, value: 1}\n"
    rule += "      to: [{deployment: credit}]\n"
    changed = edit("route", "  rules:\n", f"  rules:\n{rule}{rule}")
    assert check(changed) == [
        "REF013 route.yaml:10:13 error: there are two rules named `large` | rename one of the two"
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shadow", "`shadow` is what the ledger calls predictions that never answered"),
        ('"12"', "`12` would be taken for the position of a rule"),
    ],
)
def test_the_record_must_not_take_a_rule_for_something_else(
    check: Check, edit: Edit, name: str, expected: str
) -> None:
    changed = edit("route", "    - when:", f"    - name: {name}\n      when:")
    assert check(changed) == [
        f"REF014 route.yaml:7:13 error: {expected} | give the rule another name"
    ]
