"""No model's decision is given that the ledger does not hold."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.runtime.serving import client

if TYPE_CHECKING:
    from tests.runtime.serving.conftest import Place

pytestmark = pytest.mark.e2e

GOOD = {"income": 2500.0, "age": 40, "purpose": "car"}
FALLBACK = {"fallback": {"decision": "refer-to-underwriter"}}
MODES = ["durable", "bounded", "async"]


def fill_disk(place: Place) -> None:
    """Let the worker write no byte more: to a process, a file-size limit is a full disk."""
    largest = max(one.stat().st_size for one in place.ledger.rglob("*.jsonl"))
    _limit(place, largest)


def free_disk(place: Place) -> None:
    _limit(place, resource.RLIM_INFINITY)


def _limit(place: Place, size: int) -> None:
    (worker,) = place.status.workers
    _, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, hard))


def recorded(place: Place) -> set[str]:
    return {one.id for one in Ledger(place.ledger).predictions()}


@pytest.mark.parametrize("mode", MODES)
def test_every_answer_is_recorded(place: Place, mode: str) -> None:
    place.start(place.config(durability=mode))
    answers = [place.ask(GOOD)[2] for _ in range(20)]
    client.stop(place.rundir)
    assert {one["id"] for one in answers} == recorded(place)


def test_a_full_disk_without_a_fallback_is_503(place: Place) -> None:
    place.start()
    assert place.ask(GOOD)[0] == 200
    fill_disk(place)
    status, _, answer = place.ask(GOOD)
    assert status == 503
    assert answer["error"]["code"] == "REQ143"
    assert answer["error"]["message"] == (
        "route credit: the prediction of deployment champion could not be recorded"
    )
    assert place.ask(method="GET", path="/readyz")[::2] == (503, "ledger: LED103\n")
    free_disk(place)
    assert place.ask(GOOD)[0] == 200
    assert place.ask(method="GET", path="/readyz")[0] == 200


def test_a_full_disk_with_a_fallback_is_the_declared_decision(place: Place) -> None:
    place.start(place.config(route=FALLBACK))
    fill_disk(place)
    status, headers, answer = place.ask(GOOD)
    assert status == 200
    assert headers["x-ordain-fallback"] == "ledger"
    assert answer == {
        "id": None,
        "route": "credit",
        "deployment": "champion",
        "model": "credit",
        "version": 1,
        "rule": None,
        "score": None,
        "decision": "refer-to-underwriter",
        "fallback": True,
        "reason": "ledger",
    }
    free_disk(place)
    assert "fallback" not in place.ask(GOOD)[2]


@pytest.mark.parametrize("mode", ["bounded", "async"])
def test_an_answer_that_did_not_wait_is_the_last_that_can_be_lost(place: Place, mode: str) -> None:
    place.start(place.config(durability=mode, route=FALLBACK))
    fill_disk(place)
    first = place.ask(GOOD)[2]
    assert "fallback" not in first
    # The worker learns of it in its own time; from then on every answer waits.
    answers = [first]
    while "fallback" not in answers[-1]:
        answers.append(place.ask(GOOD)[2])
    assert all(place.ask(GOOD)[2]["reason"] == "ledger" for _ in range(5))
    free_disk(place)
    lost = len(answers) - 1
    _, _, page = place.ask(method="GET", path="/metrics")
    assert f"ordain_unrecorded_total {lost}\n" in page


def test_a_deployment_without_a_version(place: Place) -> None:
    deployments = {"champion": {"model": "credit", "version": 1, "artifact": place.champion}}
    place.start(place.config(deployments=deployments))
    status, _, answer = place.ask(GOOD | {"amount": 50000})
    assert status == 503
    assert answer["error"]["code"] == "REQ140"
    assert answer["error"]["message"] == (
        "route credit: deployment challenger has no approved version"
    )
    client.replace(place.rundir, place.config(deployments=deployments, route=FALLBACK))
    status, headers, answer = place.ask(GOOD | {"amount": 50000, "sex": "female"})
    assert (status, headers["x-ordain-fallback"]) == (200, "no_version")
    assert (answer["deployment"], answer["model"]) == ("challenger", None)
    assert answer["decision"] == "refer-to-underwriter"
    found = Ledger(place.ledger).prediction(answer["id"])
    assert found is not None
    assert (found.output, found.decision, found.inputs) == (None, "refer-to-underwriter", {})


def test_a_shadow_sees_what_was_answered_and_changes_nothing(place: Place) -> None:
    deployments = place.config()["deployments"] | {
        "next": {"model": "credit", "version": 9, "artifact": place.challenger}
    }
    shadow = {"shadow": [{"deployment": "next"}, {"deployment": "waiting"}]}
    place.start(place.config(deployments=deployments, route=shadow))
    answers = [place.ask(GOOD | {"age": age})[2] for age in range(20, 30)]
    client.stop(place.rundir)
    found = list(Ledger(place.ledger).predictions())
    shadows = [one for one in found if one.rule == "shadow"]
    assert len(found) == 20
    assert {one["id"] for one in answers} == {one.id for one in found} - {one.id for one in shadows}
    assert [one.deployment for one in shadows] == ["next"] * 10
    assert [one.output for one in shadows] == [
        place.expected(GOOD | {"age": age}, 2.0) for age in range(20, 30)
    ]


def test_a_stopped_route_asks_no_rule_and_no_model(place: Place) -> None:
    """Not even one that cannot be loaded any more: that may be why it was stopped."""
    stopped = {"stopped": "stop-20261120-0123456789ab"}
    place.start(place.config(deployments={}, route=FALLBACK | stopped))
    status, headers, answer = place.ask({"amount": 50000, "nonsense": True})
    assert (status, headers["x-ordain-fallback"]) == (200, "stopped")
    assert answer["rule"] == "emergency:stop-20261120-0123456789ab"
    assert (answer["deployment"], answer["model"]) == ("champion", None)
    assert (answer["decision"], answer["reason"]) == ("refer-to-underwriter", "stopped")
    found = Ledger(place.ledger).prediction(answer["id"])
    assert found is not None
    assert (found.rule, found.inputs, found.output) == (answer["rule"], {}, None)


def test_a_stopped_route_without_a_fallback_is_503(place: Place) -> None:
    place.start(place.config(route={"stopped": "stop-20261120-0123456789ab"}))
    status, _, answer = place.ask(GOOD)
    assert status == 503
    assert answer["error"] == {
        "code": "REQ144",
        "field": None,
        "message": "route credit: it was stopped in an emergency",
        "remedy": "try again later, or declare a fallback on the Route",
    }
    client.replace(place.rundir, place.config())
    assert place.ask(GOOD)[0] == 200
    running = client.in_force(place.rundir, place.status)
    assert running == place.config()
