"""Nothing in a route, a reason or a justification goes round what fair lending asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from yaml import CSafeLoader

from ordain.policies.facts import plain_name
from ordain.policies.gate import check, instant
from ordain.policies.loosening import loosened_between
from ordain.policies.packs import load_pack, pack_file
from ordain.policies.world import World

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

PACK = load_pack("fair-lending")
LEAF = {"field": "marital_status", "op": "eq", "value": "single"}
OTHER = {"field": "amount", "op": "gt", "value": 1}
ROUTES = "POL-lending-routes.protected"


@pytest.fixture
def estate(workshop: Workshop) -> Sketch:
    """The estate of the pack's examples, held to the pack."""
    sketch = workshop.sketch(yaml.load(pack_file(PACK.examples), CSafeLoader))
    return sketch.add("PolicySet", "pack", packs=[{"name": PACK.name, "version": PACK.version}])


def found(sketch: Sketch, workshop: Workshop) -> dict[str, str]:
    """What policies find: the message by code."""
    findings = check(sketch.load(), workshop.now, tree=sketch.tree).findings
    return {one.code: one.message for one in findings if one.code.startswith("POL")}


def routed(sketch: Sketch, when: Any, *to: str, **other: Any) -> Sketch:  # noqa: ANN401 - a condition
    names = to or ("credit",)
    shares = [{"deployment": name, "weight": 100 // len(names)} for name in names]
    return sketch.set("Route/credit", "spec.rules", [{"when": when, "to": shares, **other}])


@pytest.mark.parametrize(
    "when",
    [
        LEAF,
        {"not": LEAF},
        {"all": [OTHER, LEAF]},
        {"any": [OTHER, {"not": {"all": [OTHER, {"any": [{"not": LEAF}, OTHER]}]}}]},
        {"all": [{"field": "marital_status", "op": "exists", "value": True}]},
    ],
)
def test_a_protected_attribute_is_found_however_deep_it_stands(
    estate: Sketch, workshop: Workshop, when: dict[str, Any]
) -> None:
    assert found(routed(estate, when), workshop) == {
        ROUTES: "a rule of the route reads marital_status (marital_status)"
    }


@pytest.mark.parametrize(
    ("field", "attribute"),
    [
        ("postcode", "ethnicity"),
        ("PostCode", "ethnicity"),
        ("ethnicity", "ethnicity"),
        ("marital-status", "marital_status"),
        ("household", "marital_status"),
    ],
)
def test_a_proxy_is_found_by_whatever_name_the_request_has_for_it(
    estate: Sketch, workshop: Workshop, field: str, attribute: str
) -> None:
    sketch = routed(estate, {"not": {"field": field, "op": "exists", "value": True}})
    assert found(sketch, workshop) == {ROUTES: f"a rule of the route reads {field} ({attribute})"}


def test_groups_are_given_no_thresholds_of_their_own(estate: Sketch, workshop: Workshop) -> None:
    """The same model with another threshold, for those whom a rule finds: one rule is enough."""
    lenient = estate.load().documents["Model/credit"].raw["spec"] | {
        "decision": {"threshold": 0.4, "above": "decline", "below": "approve"}
    }
    estate.add("Model", "lenient", **lenient)
    estate.add("Deployment", "lenient", model="lenient", environment="production")
    assert ROUTES in found(routed(estate, LEAF, "lenient"), workshop)
    assert ROUTES in found(routed(estate, LEAF, "credit", "lenient"), workshop)
    assert ROUTES not in found(routed(estate, OTHER, "credit", "lenient"), workshop)


def test_an_experiment_is_not_drawn_by_a_protected_attribute(
    estate: Sketch, workshop: Workshop
) -> None:
    assert ROUTES in found(routed(estate, OTHER, sticky="sex"), workshop)
    assert found(routed(estate, OTHER, sticky="applicant_id"), workshop) == {}


def test_the_data_of_a_model_in_the_dark_counts_too(estate: Sketch, workshop: Workshop) -> None:
    data = estate.load().documents["Dataset/applications"].raw["spec"]
    columns = {**data["columns"], "channel": {"type": "category", "proxyFor": ["age"]}}
    model = estate.load().documents["Model/credit"].raw["spec"]
    estate.add("Dataset", "newer", **{**data, "columns": columns})
    estate.add("Model", "dark", **{**model, "dataset": "newer"})
    estate.add("Deployment", "dark", model="dark", environment="production")
    assert ROUTES not in found(estate, workshop)
    estate.set("Route/credit", "spec.shadow", [{"deployment": "dark"}])
    assert found(estate, workshop)[ROUTES] == "a rule of the route reads channel (age)"


def test_a_field_that_the_estate_names_itself_is_found(estate: Sketch, workshop: Workshop) -> None:
    packs = [{"name": PACK.name, "params": {"fields": ["salutation"]}}]
    estate.set("PolicySet/pack", "spec.packs", packs)
    sketch = routed(estate, {"field": "salutation", "op": "eq", "value": "Ms"})
    assert found(sketch, workshop) == {
        "POL-lending-routes.prohibited": "a rule of the route reads salutation, which the fairness "
        "policy or the parameter `fields` prohibits"
    }


def test_names_are_compared_by_letters_and_digits() -> None:
    assert plain_name("Marital-Status 2") == plain_name("marital_status2") == "maritalstatus2"
    assert plain_name("\uff53\uff45\uff58") == "sex"


@pytest.mark.parametrize(
    "text",
    [
        "reasons: [",
        "reasons: {}",
        "[1, 2]",
        "reasons: [{code: R01}, 7, {text: [1]}]",
        "a: 1\n---\nb: 2",
        "",
    ],
)
def test_a_file_of_reasons_that_is_none_says_nothing_and_breaks_nothing(
    estate: Sketch, workshop: Workshop, text: str
) -> None:
    estate.files["reasons/credit.yaml"] = text.encode()
    assert found(estate, workshop) == {}


def test_reasons_are_read_word_by_word(estate: Sketch, workshop: Workshop) -> None:
    estate.files["reasons/credit.yaml"] = (
        b"reasons: [{code: R01, text: 'Marital_Status, or (sex)', features: [income, sex]}]"
    )
    world = World(estate.load(), instant(workshop.now), tree=estate.tree)
    document = world.estate.documents["Model/credit"]
    assert world.value("facts", document)["reasons"] == [
        {
            "code": "R01",
            "text": "Marital_Status, or (sex)",
            "words": " marital status or sex ",
            "features": ["income", "sex"],
        }
    ]
    assert set(found(estate, workshop)) == {
        "POL-lending-reason-texts.texts",
        "POL-lending-reason-texts.features",
    }


def test_a_search_for_alternatives_is_as_good_as_words(estate: Sketch, workshop: Workshop) -> None:
    estate.set("Compliance/credit", "spec.fairness_bias.alternatives", "none")
    assert set(found(estate, workshop)) == {"POL-lending-alternatives.advised"}
    world = World(estate.load(), instant(workshop.now), tree=estate.tree)
    document = world.estate.documents["Model/credit"]
    assert world.value("facts", document)["alternatives"] is False


@pytest.mark.parametrize(
    ("key", "path", "value", "before", "after"),
    [
        ("Dataset/applications", "spec.columns.postcode.proxyFor", [], "ethnicity", "removed"),
        (
            "Model/credit",
            "spec.acceptance.proxies",
            None,
            "max 0.3, joint 0.8",
            "removed",
        ),
        ("Model/credit", "spec.acceptance.proxies.max", 0.5, "0.3", "0.5"),
        ("Model/credit", "spec.acceptance.proxies.joint", 0.9, "0.8", "0.9"),
        (
            "Compliance/credit",
            "spec.fairness_bias.smallGroups",
            [{"attribute": "sex", "reason": "Eleven cases, looked at one by one by a person"}],
            "sex is not excused",
            "excused",
        ),
        (
            "Compliance/credit",
            "spec.fairness_bias.proxies",
            [
                {"feature": "household", "reason": "as before"},
                {"feature": "postcode", "reason": "another one that is justified now"},
            ],
            "postcode is not justified",
            "justified",
        ),
    ],
)
def test_what_is_declared_or_limited_less_is_a_loosening(
    estate: Sketch, key: str, path: str, value: object, before: str, after: str
) -> None:
    head = estate.copy().set(key, path, value)
    (one,) = loosened_between(estate.load(), head.load())
    assert (one.key, one.before, one.after) == (key, before, after)


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("Dataset/applications", "spec.columns.channel.proxyFor", ["sex"]),
        ("Model/credit", "spec.acceptance.proxies.max", 0.2),
        ("Compliance/credit", "spec.fairness_bias.proxies", []),
    ],
)
def test_what_is_declared_or_limited_more_is_none(
    estate: Sketch, key: str, path: str, value: object
) -> None:
    head = estate.copy().set(key, path, value)
    assert loosened_between(estate.load(), head.load()) == ()
