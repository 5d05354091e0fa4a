"""Files and paths need somebody, and both sides of a change have a say in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.requirements import SECOND

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Case, Workshop

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43


def required(case: Case) -> list[tuple[str, ...]]:
    return [one.roles for one in case.judge().required]


def quorum(case: Case) -> list[str]:
    return [one.message for one in case.judge().findings if one.code == "SOD-QUORUM"]


def organization(sketch: Sketch) -> dict[str, Any]:
    found: dict[str, Any] = sketch.documents["Organization/people"]["spec"]
    return found


def with_file(workshop: Workshop, path: str) -> Case:
    before = workshop.fresh
    before.files[path] = b"one\n"
    after = before.copy()
    after.files[path] = b"two\n"
    return workshop.intention(before, after)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("environment.lock", "manager"),
        ("reasons/credit.yaml", "compliance-manager"),
        ("policies/house.test.yaml", "cto"),
        ("policies/helper.py", "cto"),
        (".github/CODEOWNERS", "cto"),
        (".github/workflows/gate.yml", "cto"),
        (".gitlab-ci.yml", "cto"),
        ("CODEOWNERS", "cto"),
        ("data/applications.csv", None),
        ("README.md", None),
    ],
)
def test_a_file_needs_the_role_of_what_it_decides(
    workshop: Workshop, path: str, role: str | None
) -> None:
    case = with_file(workshop, path)
    assert required(case) == ([(role,)] if role else [])
    if role:
        assert quorum(case) == [f"the approval of a {role} is missing: {path} changes"]
        assert quorum(case.approve(role)) == []


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("spec.digest", None, "data/applications.csv"),
        ("spec.source.query", "queries/rows.sql", "queries/rows.sql"),
    ],
)
def test_data_that_nothing_pins_and_queries_need_a_manager(
    workshop: Workshop, field: str, value: str | None, path: str
) -> None:
    before = workshop.fresh.set("Dataset/applications", field, value)
    before.files[path] = b"one\n"
    after = before.copy()
    after.files[path] = b"two\n"
    assert required(workshop.intention(before, after)) == [("manager",)]


def test_a_file_that_either_side_names_is_named(workshop: Workshop) -> None:
    before = workshop.fresh
    before.files["elsewhere.lock"] = b"numpy==2.4.6\n"
    after = before.copy().set("Estate/examples", "spec.environmentLock", "elsewhere.lock")
    after.files["environment.lock"] = b"numpy==9\n"
    after.files["elsewhere.lock"] = b"numpy==9\n"
    (both, _) = sorted(
        (one for one in workshop.intention(before, after).judge().required),
        key=lambda one: one.roles,
        reverse=True,
    )
    assert (both.roles, both.reason) == (
        ("manager",),
        "elsewhere.lock changes; environment.lock changes",
    )


# Reviews by path


def reviewing(sketch: Sketch, *roles: str, path: str = "specs/model/**") -> Sketch:
    organization(sketch)["reviews"] = [{"paths": [path], "roles": list(roles)}]
    return sketch


def test_a_review_is_asked_for_besides_what_the_kinds_need(workshop: Workshop) -> None:
    before = reviewing(workshop.fresh, "validator", "manager")
    after = before.copy().set("Model/credit", "spec.training.seed", 8)
    case = workshop.intention(before, after)
    assert quorum(case) == [
        (
            "the approval of a manager and a validator is missing: "
            "Organization/people asks for reviews of specs/model/credit.yaml"
        )
    ]
    assert quorum(case.approve("manager").approve("validator")) == []
    elsewhere = before.copy().set("Dataset/applications", "spec.licence", "internal")
    assert required(workshop.intention(before, elsewhere)) == []


def test_a_promotion_is_reviewed_where_its_paths_are(workshop: Workshop) -> None:
    fresh = reviewing(workshop.fresh, "validator", path="specs/modelversion/")
    case = workshop.promotion(fresh).quorum()
    assert len(quorum(case)) == 1
    assert quorum(case.approve("validator")) == []


def test_a_review_that_either_side_wants_is_needed(workshop: Workshop) -> None:
    """Otherwise the change that a review is about could take it away."""
    plain = workshop.fresh
    asked = reviewing(workshop.fresh, "validator", path="specs/organization/people.yaml")
    for before, after in ((asked, plain), (plain, asked)):
        case = workshop.intention(before, after).approve("cto").approve("compliance-manager")
        assert [one[:36] for one in quorum(case)] == ["the approval of a validator is missi"]
        assert quorum(case.approve("validator")) == []


def test_a_forge_that_either_side_has_asks_for_a_look_at_everything(workshop: Workshop) -> None:
    before = workshop.fresh.set("Estate/examples", "spec.forge", {"review": "every-change"})
    after = before.copy()
    after.files["README.md"] = b"hello\n"
    assert required(workshop.intention(before, after)) == [("reviewer",)]


# The key of the machine


def test_the_key_of_the_machine_takes_the_cto_and_somebody_else(workshop: Workshop) -> None:
    before, after = workshop.fresh, workshop.fresh
    organization(after)["reconciler"]["keys"] = [{"public": OTHER_KEY}]
    case = workshop.intention(before, after)
    assert required(case) == [("cto",), ("cto", SECOND)]
    assert quorum(case.approve("cto")) == [
        (
            "the approval of a manager or compliance-manager is missing: "
            "the keys of the reconciler in Organization/people change"
        )
    ]
    for second in ("manager", "compliance-manager"):
        one = workshop.intention(before, after).approve("cto").approve(second)
        assert quorum(one) == []
    alone = workshop.intention(before, after).approve("manager").approve("compliance-manager")
    assert len(quorum(alone)) == 2


def test_nobody_is_the_second_whose_own_entry_changes_too(workshop: Workshop) -> None:
    before, after = workshop.fresh, workshop.fresh
    organization(after)["reconciler"]["keys"] = [{"public": OTHER_KEY}]
    organization(after)["people"][1]["emails"] = ["manager@example.org"]
    case = workshop.intention(before, after).approve("cto").approve("manager")
    assert len(quorum(case)) == 1
    assert quorum(case.approve("compliance-manager")) == []


# Traffic between tiers

THREE = ("manager", "cto", "compliance-manager")


def two_models(workshop: Workshop) -> Sketch:
    """A model of tier 1 that answers, and one of tier 3 that could."""
    sketch = workshop.serving
    lite = {**sketch.documents["Model/credit"]["spec"], "tier": 3}
    sketch.add("Model", "lite", **lite)
    deployment = {**sketch.documents["Deployment/credit"]["spec"], "model": "lite"}
    return sketch.add("Deployment", "lite", **{**deployment, "version": None})


SOME = [
    {
        "when": {"field": "amount", "op": "gt", "value": 1},
        "to": [{"deployment": "credit", "weight": 1}, {"deployment": "lite", "weight": 99}],
    }
]


@pytest.mark.parametrize(
    ("field", "value"), [("spec.default.deployment", "lite"), ("spec.rules", SOME)]
)
def test_traffic_of_tier_1_goes_to_a_lesser_model_by_three_people(
    workshop: Workshop, field: str, value: object
) -> None:
    before = two_models(workshop)
    case = workshop.intention(before, before.copy().set("Route/credit", field, value))
    assert required(case) == [("manager",), THREE]
    assert quorum(case.approve("manager")) == [
        (
            "the approval of a cto and a compliance-manager is missing:"
            " Route/credit moves traffic of tier 1 to a model of tier 3"
        )
    ]
    assert quorum(case.approve("cto").approve("compliance-manager")) == []


def test_another_route_at_the_same_endpoint_takes_its_place(workshop: Workshop) -> None:
    before = two_models(workshop)
    route = before.documents["Route/credit"]["spec"]
    after = before.copy().drop("Route/credit")
    after.add("Route", "other", **{**route, "default": {"deployment": "lite"}})
    assert THREE in required(workshop.intention(before, after))
    same = before.copy().drop("Route/credit").add("Route", "other", **route)
    assert required(workshop.intention(before, same)) == [("manager",)]


def test_a_deployment_is_given_a_lesser_model_by_three_people(workshop: Workshop) -> None:
    before = two_models(workshop).set("Deployment/credit", "spec.version", None)
    after = before.copy().set("Deployment/credit", "spec.model", "lite")
    assert required(workshop.intention(before, after)) == [("manager",), THREE]


def test_other_moves_of_traffic_take_a_manager(workshop: Workshop) -> None:
    before = two_models(workshop)
    lesser = before.copy().set("Route/credit", "spec.default.deployment", "lite")
    mixed = before.copy().set("Route/credit", "spec.rules", SOME)
    for old, new in (
        (lesser, before),
        (mixed, before),
        (mixed, mixed.copy().set("Route/credit", "spec.fallback.decision", "call-the-branch")),
        (before, before.copy().set("Route/credit", "spec.shadow", [{"deployment": "lite"}])),
        (before, before.copy().set("Deployment/lite", "spec.replicas", 2)),
    ):
        assert required(workshop.intention(old, new)) == [("manager",)]


def test_where_everybody_contributed_the_way_out_is_told(workshop: Workshop) -> None:
    case = workshop.promotion()
    case.contributors = ("data-scientist", "manager", "cto")
    (found,) = [one for one in case.judge().findings if one.code == "SOD-QUORUM"]
    assert found.remedy == (
        "ask a manager and a cto and a compliance-manager who did not contribute to approve this"
        " change; as a manager and a cto nobody is left: name another person in the Organization"
        " first"
    )
