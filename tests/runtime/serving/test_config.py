"""A server's configuration is read in whole or refused with what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ordain.runtime.serving.config import read_config
from ordain.runtime.serving.errors import ServerConfigError
from ordain.specs.canonical import digest

ROUTE = {
    "name": "credit",
    "endpoint": "/v1/credit",
    "rules": [],
    "default": {"deployment": "main"},
    "shadow": [{"deployment": "next"}],
    "fallback": {"decision": "refer"},
    "keys": "required",
}
BASE: dict[str, Any] = {
    "format": "ordain.server/1",
    "environment": "prod",
    "host": "127.0.0.1",
    "port": 8080,
    "artifacts": "store",
    "ledger": "ledger",
    "durability": "durable",
    "deployments": {"main": {"model": "m", "version": 3, "artifact": "sha256:" + "a" * 64}},
    "routes": [ROUTE],
    "keys": [{"id": "k", "sha256": "b" * 64, "routes": ["credit"]}],
}


def test_reading() -> None:
    config = read_config(json.dumps(BASE, indent=3).encode())
    (route,) = config.routes
    assert (route.name, route.shadow, route.fallback, route.keyed) == (
        "credit",
        ("next",),
        "refer",
        True,
    )
    assert config.artifacts == Path("store")
    assert config.slots["main"].version == 3
    assert config.digest == digest(BASE)
    assert config.preview is False


def test_a_preview_is_one_where_it_is_said() -> None:
    assert read_config(json.dumps(BASE | {"preview": True}).encode()).preview is True


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in BASE.items() if key != name}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (without("port"), "config.json: port is missing"),
        (
            BASE | {"format": "x"},
            "config.json: the format is 'x', this server reads 'ordain.server/1'",
        ),
        (BASE | {"port": "80"}, "config.json: port '80' is not a whole number from 0 to 65535"),
        (BASE | {"port": True}, "config.json: port True is not a whole number from 0 to 65535"),
        (
            BASE | {"durability": "some"},
            "config.json: durability 'some' is not durable, bounded or async",
        ),
        (BASE | {"preview": "no"}, "config.json: 'no' is not true or false"),
        (BASE | {"routes": [ROUTE, ROUTE]}, "config.json: two routes are named credit"),
        (
            BASE | {"routes": [ROUTE, ROUTE | {"name": "b"}]},
            "config.json: two routes answer at /v1/credit",
        ),
        (
            BASE | {"routes": [ROUTE | {"endpoint": "/metrics"}]},
            "config.json: the endpoint of route credit does not begin with /v1/",
        ),
        (
            BASE | {"keys": [{"id": "k", "sha256": "plain", "routes": []}]},
            "config.json: the sha256 of key k is not 64 hex digits",
        ),
    ],
)
def test_what_is_wrong_is_said(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ServerConfigError) as caught:
        read_config(json.dumps(raw).encode())
    assert caught.value.message == message
    assert caught.value.remedy


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100000, b"[]", b"null"])
def test_bytes_that_are_no_configuration(data: bytes) -> None:
    with pytest.raises(ServerConfigError):
        read_config(data)
