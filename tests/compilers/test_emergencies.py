"""What is served while people have taken a matter into their own hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ordain.compilers.serving import Measures, amended, served
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from ordain.specs.documents import LoadedEstate
    from tests.compilers.conftest import Desk

STOP: dict[str, Any] = {
    "spec.action": "stop",
    "spec.route": "credit",
    "spec.reason": "it declines everybody",
    "spec.requestedBy": "manager",
    "spec.requestedAt": "2026-11-20T09:30:00Z",
}


def config(estate: LoadedEstate, measures: Measures | None = None) -> dict[str, Any]:
    (settings,) = estate.all("Estate")
    place = settings.spec.environments[0]
    found = served(estate, place.name, measures or Measures())
    return found.config(place, host="127.0.0.1", port=0)


def test_a_stopped_route_says_by_what_and_loads_no_model(desk: Desk) -> None:
    found = config(desk.estate(), Measures(stopped={"credit": "stop-1"}))
    (route,) = found["routes"]
    assert route["stopped"] == "stop-1"
    assert route["fallback"] == {"decision": "refer-to-underwriter"}
    assert found["deployments"] == {}


def test_without_an_emergency_nothing_is_said_of_one(desk: Desk) -> None:
    found = config(desk.estate())
    assert "stopped" not in found["routes"][0]
    assert sorted(found["deployments"]) == ["credit"]


def test_what_another_route_asks_stays(desk: Desk) -> None:
    second = {
        "spec.endpoint": "/v1/second",
        "spec.default": {"deployment": "credit"},
        "spec.fallback": {"decision": "refer-to-underwriter"},
    }
    found = config(desk.estate(Route__second=second), Measures(stopped={"credit": "stop-1"}))
    assert sorted(found["deployments"]) == ["credit"]
    assert [("stopped" in route) for route in found["routes"]] == [True, False]


def test_a_document_keeps_its_route_stopped_until_it_has_ended(desk: Desk) -> None:
    found = config(desk.estate(BreakGlass__one=STOP))
    assert found["routes"][0]["stopped"] == "one"
    ended = {"spec.endedBy": "manager", "spec.endedAt": "2026-11-20T10:30:00Z"}
    found = config(desk.estate(BreakGlass__one=STOP | ended))
    assert "stopped" not in found["routes"][0]


def test_what_runs_can_be_changed_and_nothing_else(desk: Desk) -> None:
    """Stopping what serves gives the same as serving what is declared with the stop."""
    running = config(desk.estate())
    measures = Measures(stopped={"credit": "stop-1"})
    assert amended(running, measures, {}) == config(desk.estate(), measures)
    assert amended(running, Measures(), {}) == running
    slot = {"model": "credit", "version": 7, "artifact": "sha256:" + "7" * 64}
    back = amended(running, Measures(versions={"credit": 7}), {"credit": slot, "other": slot})
    assert back["deployments"] == {"credit": slot}
    assert amended(back, Measures(versions={"credit": 7}), {"credit": slot}) == back


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"deployment": "credit"}, "a stop names a route, and neither deployment nor version"),
        ({"action": "rollback"}, "a rollback names a deployment and a version, and no route"),
        ({"endedBy": "manager"}, "endedBy and endedAt go together"),
    ],
)
def test_a_document_says_what_was_done_to_what(wrong: dict[str, str], message: str) -> None:
    spec = {name.removeprefix("spec."): value for name, value in STOP.items()} | wrong
    lines = [f'  {name}: "{value}"' for name, value in spec.items()]
    head = ["apiVersion: ordain.dev/v1", "kind: BreakGlass", "metadata: {name: one}", "spec:"]
    found = load_estate({"specs/one.yaml": "\n".join([*head, *lines, ""]).encode()})
    assert any(message in one.message for one in found.findings)
