"""What previews answer is a server's configuration that says so and asks for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ordain.compilers.errors import CompileError
from ordain.compilers.previewing import config_of, tried
from ordain.specs.estates import load_estate

MODEL = """\
apiVersion: ordain.dev/v1
kind: Model
metadata: {{name: {name}}}
spec:
  purpose: x
  tier: 3
  owner: x
  task: classification
  {rest}
"""
TRAINED = "dataset: rows\n  training: {estimator: logistic_regression}"
DEPLOYMENT = """\
apiVersion: ordain.dev/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{model: {model}, environment: production}}
"""
ROUTE = """\
apiVersion: ordain.dev/v1
kind: Route
metadata: {name: credit}
spec:
  endpoint: /v1/credit
  environment: production
  rules:
    - when: {field: amount, op: gt, value: 40000}
      to: [{deployment: large, weight: 100}]
    - when: {field: amount, op: gt, value: 20000}
      to: [{deployment: bought, weight: 100}]
  default: {deployment: small}
  shadow: [{deployment: large}]
  fallback: {decision: refer}
"""


def estate(**more: str) -> Any:  # noqa: ANN401 - a loaded estate
    documents = {
        "small": MODEL.format(name="small-model", rest=TRAINED),
        "large": MODEL.format(name="large-model", rest=TRAINED),
        "alone": MODEL.format(name="alone", rest=TRAINED),
        "bought": MODEL.format(name="bought-model", rest="external: {provider: a vendor}"),
        "small-d": DEPLOYMENT.format(name="small", model="small-model"),
        "large-d": DEPLOYMENT.format(name="large", model="large-model"),
        "bought-d": DEPLOYMENT.format(name="bought", model="bought-model"),
        "route": ROUTE,
    }
    files = {f"specs/{name}.yaml": text.encode() for name, text in (documents | more).items()}
    return load_estate(files)


def test_all_routes_answer_and_models_without_one_as_well() -> None:
    found = tried(estate(), None)
    assert found.models == ("alone", "large-model", "small-model")
    endpoints = {one["endpoint"]: one["default"] for one in found.routes}
    assert endpoints == {
        "/v1/credit": {"deployment": "small"},
        "/v1/large-model": {"deployment": "large-model"},
        "/v1/alone": {"deployment": "alone"},
    }


def test_a_route_brings_every_model_that_it_asks() -> None:
    found = tried(estate(), "credit")
    assert dict(found.deployments) == {"small": "small-model", "large": "large-model"}
    (route,) = found.routes
    assert (route["keys"], route["shadow"]) == ("none", [])
    assert route["fallback"] == {"decision": "refer"}


def test_a_model_is_served_where_routes_lead_to_it_by_default() -> None:
    assert [one["name"] for one in tried(estate(), "small-model").routes] == ["credit"]
    assert [one["endpoint"] for one in tried(estate(), "large-model").routes] == ["/v1/large-model"]


def test_the_configuration_says_that_it_is_a_preview() -> None:
    artifact = "sha256:" + "a" * 64
    config = config_of(tried(estate(), "alone"), {"alone": artifact}, 8081)
    assert (config["preview"], config["host"], config["port"]) == (True, "127.0.0.1", 8081)
    slot = {"model": "alone", "version": 0, "artifact": artifact}
    assert config["deployments"] == {"alone": slot}


def test_one_endpoint_is_served_once() -> None:
    twin = ROUTE.replace("name: credit}", "name: staged}")
    names = [one["name"] for one in tried(estate(twin=twin), None).routes]
    assert len([one for one in names if one in {"credit", "staged"}]) == 1


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        ("credti", "there is no Route or Model 'credti'", "did you mean `credit`?"),
        (
            "bought-model",
            "bought-model leads to no model that is trained here",
            "declare `training` on a Model",
        ),
    ],
)
def test_what_cannot_be_tried_is_refused(name: str, message: str, remedy: str) -> None:
    with pytest.raises(CompileError) as error:
        tried(estate(), name)
    assert (error.value.message, error.value.remedy) == (message, remedy)


def test_an_estate_without_training_has_nothing_to_try() -> None:
    with pytest.raises(CompileError, match=r"^nothing of this estate is trained here$"):
        tried(load_estate({}), None)
