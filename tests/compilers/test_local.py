"""What should run on this machine, from documents alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.compilers.errors import CompileError
from ordain.compilers.local import LocalSettings, compile_local
from ordain.compilers.resources import Resource, Waiting, in_order
from ordain.runtime.serving.config import read_config
from ordain.specs.canonical import canonical_json
from ordain.specs.recipes import Recipe

if TYPE_CHECKING:
    from tests.compilers.conftest import Desk

ARTIFACT = "sha256:" + "2" * 64


def test_a_model_is_trained_and_its_route_is_served(desk: Desk) -> None:
    compiled = compile_local(desk.estate(), "production")
    assert [one.key for one in compiled.resources] == ["Server/production", "Training/credit"]
    assert compiled.waiting == ()
    server, training = compiled.resources
    assert server.spec["deployments"] == {
        "credit": {"model": "credit", "version": 1, "artifact": ARTIFACT}
    }
    (route,) = server.spec["routes"]
    assert route["endpoint"] == "/v1/credit"
    assert route["rules"][0]["when"]["all"][0] == {"field": "amount", "op": "gt", "value": 40000}
    assert route["fallback"] == {"decision": "refer-to-underwriter"}
    assert route["keys"] == "required"
    assert training.spec["model"]["tier"] == 1
    assert training.spec["dataset"]["name"] == "applications"
    recipe = Recipe(**training.spec["recipe"])
    assert recipe.model == "credit"
    assert training.identity == recipe.digest


def test_the_server_understands_what_is_compiled(desk: Desk) -> None:
    _, *rest = compile_local(desk.estate(), "production").resources
    (server,) = [
        one for one in compile_local(desk.estate(), "production").resources if one.kind == "Server"
    ]
    host = {"artifacts": "/store", "ledger": "/ledger", "durability": "durable", "keys": []}
    config = read_config(canonical_json({**server.spec, **host}))
    assert config.environment == "production"
    assert config.slots["credit"].artifact == ARTIFACT
    assert config.routes[0].fallback == "refer-to-underwriter"
    assert rest


def test_the_same_estate_compiles_to_the_same_digests(desk: Desk) -> None:
    first, second = (compile_local(desk.estate(), "production") for _ in range(2))
    assert [one.digest for one in first.resources] == [one.digest for one in second.resources]


@pytest.mark.parametrize(
    ("edits", "retrains"),
    [
        ({"Model__credit": {"spec.owner": "somebody-else"}}, False),
        ({"Model__credit": {"spec.purpose": "Another purpose"}}, False),
        ({"Model__credit": {"spec.tier": 2}}, False),
        ({"Model__credit": {"spec.training.seed": 8}}, True),
        ({"Model__credit": {"spec.training.seed": 7}}, False),
        ({"Dataset__applications": {"spec.digest": "sha256:" + "e" * 64}}, True),
        ({"Dataset__applications": {"spec.columns.income.unit": "EUR"}}, False),
        ({"Dataset__applications": {"spec.columns.income.type": "int"}}, True),
    ],
)
def test_only_what_is_material_is_another_training(
    desk: Desk, edits: dict[str, dict[str, object]], *, retrains: bool
) -> None:
    before = compile_local(desk.estate(), "production").resources[1]
    after = compile_local(desk.estate(**edits), "production").resources[1]
    assert (before.digest != after.digest) is retrains


def test_another_environment_lock_is_another_training(desk: Desk) -> None:
    before = compile_local(desk.estate(), "production").resources[1]
    settings = LocalSettings(lock=b"numpy==2.4.6\n")
    after = compile_local(desk.estate(), "production", settings).resources[1]
    assert before.digest != after.digest


def test_a_deployment_without_a_version_waits_and_so_does_its_route(desk: Desk) -> None:
    estate = desk.estate(Deployment__credit={"spec.version": None})
    compiled = compile_local(estate, "production")
    assert [one.key for one in compiled.resources] == ["Training/credit"]
    assert compiled.waiting == (
        Waiting(
            "Deployment/credit",
            "NoApprovedVersion",
            "no version of credit is approved for credit yet",
        ),
        Waiting(
            "Route/credit",
            "NoApprovedVersion",
            "its default deployment credit has no approved version",
        ),
    )


def test_a_rule_may_lead_to_a_deployment_that_still_waits(desk: Desk) -> None:
    shares = [{"deployment": "credit", "weight": 90}, {"deployment": "challenger", "weight": 10}]
    rule = {"when": {"field": "amount", "op": "gt", "value": 1}, "to": shares}
    estate = desk.estate(
        Deployment__challenger={"spec.model": "credit", "spec.environment": "production"},
        Route__credit={"spec.rules": [rule], "spec.shadow": [{"deployment": "challenger"}]},
    )
    compiled = compile_local(estate, "production")
    server = compiled.resources[0]
    assert server.spec["routes"][0]["rules"] == [rule]
    assert server.spec["routes"][0]["shadow"] == []
    assert [one.key for one in compiled.waiting] == ["Deployment/challenger"]


def test_a_model_waits_for_data_that_is_pinned(desk: Desk) -> None:
    compiled = compile_local(desk.estate(Dataset__applications={"spec.digest": None}), "production")
    assert [one.kind for one in compiled.resources] == ["Server"]
    assert compiled.waiting == (
        Waiting(
            "Model/credit",
            "DigestNotPinned",
            "the data of applications is not pinned; run `ordain pin applications`",
        ),
    )


def test_a_model_of_a_vendor_is_only_observed(desk: Desk) -> None:
    edits = {"spec.external": {"provider": "vendor"}, "spec.training": None}
    (waiting,) = compile_local(desk.estate(Model__credit=edits), "production").waiting
    assert (waiting.key, waiting.reason) == ("Model/credit", "External")


def test_other_environments_are_left_out(desk: Desk) -> None:
    estate = desk.estate(
        Estate__examples={"spec.environments": [{"name": "production"}, {"name": "test"}]},
        Route__credit={"spec.environment": "production"},
    )
    assert [one.kind for one in compile_local(estate, "test").resources] == ["Training"]
    assert [one.kind for one in compile_local(estate, "production").resources] == [
        "Server",
        "Training",
    ]


def test_an_unknown_environment_is_refused(desk: Desk) -> None:
    with pytest.raises(CompileError) as raised:
        compile_local(desk.estate(), "produktion")
    assert raised.value.message == "there is no environment `produktion`"
    assert raised.value.remedy == "declared: production"


def test_resources_come_behind_what_they_depend_on() -> None:
    def one(name: str, *needs: str) -> Resource:
        return Resource("Thing", name, {}, tuple(f"Thing/{need}" for need in needs))

    ordered = in_order((one("a", "c"), one("b"), one("c", "b", "elsewhere")))
    assert [resource.name for resource in ordered] == ["b", "c", "a"]
