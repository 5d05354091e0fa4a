"""What a caller sees, over HTTP from a real server."""

from __future__ import annotations

import http.client
import json
import random
import socket
from typing import TYPE_CHECKING, Any

import pytest

from ordain.ledger.ledger import Ledger

if TYPE_CHECKING:
    from tests.runtime.serving.conftest import Place

pytestmark = pytest.mark.e2e

GOOD = {"income": 2500.0, "age": 40, "purpose": "car"}


def test_a_record_is_answered_by_the_default(shared: Place) -> None:
    status, headers, answer = shared.ask(GOOD)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert answer | {"id": "x"} == {
        "id": "x",
        "route": "credit",
        "deployment": "champion",
        "model": "credit",
        "version": 1,
        "rule": None,
        "score": shared.expected(GOOD),
        "decision": "approve",
    }


def test_a_rule_sends_it_elsewhere(shared: Place) -> None:
    _, _, answer = shared.ask(GOOD | {"amount": 40001})
    assert (answer["rule"], answer["deployment"], answer["version"]) == ("large", "challenger", 2)
    assert (answer["score"], answer["decision"]) == (shared.expected(GOOD, 2.0), "refer")


def test_a_batch_is_answered_in_order(shared: Place) -> None:
    rows = [{"age": age, "amount": 50000 * (age % 2)} for age in range(20, 40)]
    status, _, answer = shared.ask({"records": rows})
    assert status == 200
    assert [one["score"] for one in answer["predictions"]] == [
        shared.expected(row, 2.0 if row["amount"] else -1.0) for row in rows
    ]
    assert len({one["id"] for one in answer["predictions"]}) == 20


def test_each_answer_is_in_the_ledger(shared: Place) -> None:
    row = GOOD | {"amount": 90000}
    answers = [shared.ask(GOOD)[2], *shared.ask({"records": [row, GOOD]})[2]["predictions"]]
    ledger = Ledger(shared.ledger)
    for answer, inputs in zip(answers, (GOOD, row, GOOD), strict=True):
        found = ledger.prediction(answer["id"])
        assert found is not None
        assert found.inputs == inputs
        assert (found.output, found.decision) == (answer["score"], answer["decision"])
        assert (found.rule, found.deployment) == (answer["rule"], answer["deployment"])
        assert (found.model, found.version) == ("credit", str(answer["version"]))
        assert found.artifact in (shared.champion, shared.challenger)
        assert found.threshold == 0.3
        assert found.latency_us >= 0
        assert (found.draw is None) == (found.rule is None)


def test_an_empty_text_is_answered_and_recorded_as_missing(shared: Place) -> None:
    missing = {"age": 40, "income": 2500.0}
    _, _, answer = shared.ask(missing | {"purpose": ""})
    assert answer["score"] == shared.ask(missing)[2]["score"] == shared.expected(missing)
    found = Ledger(shared.ledger).prediction(answer["id"])
    assert found is not None
    assert found.inputs == missing


def refusal(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["error"]["code"], answer["error"]["message"]


@pytest.mark.parametrize(
    ("request_", "status", "code", "message"),
    [
        ({"body": b"{"}, 400, "REQ100", "the body is not JSON: line 1 column 2"),
        ({"body": GOOD, "path": "/v1/nowhere"}, 404, "REQ130", "there is no such route"),
        ({"body": GOOD, "path": "/"}, 404, "REQ130", "there is no such route"),
        ({"method": "GET"}, 405, "REQ131", "route credit takes POST only"),
        (
            {"body": b" " * (1024 * 1024 + 1)},
            413,
            "REQ102",
            "the body is larger than 1048576 bytes",
        ),
        (
            {"body": GOOD, "path": "/v1/closed"},
            401,
            "REQ120",
            "route closed needs a routing key",
        ),
        (
            {"body": GOOD, "path": "/v1/closed", "headers": {"X-API-Key": "wrong"}},
            401,
            "REQ121",
            "this routing key is not known",
        ),
        (
            {
                "body": GOOD,
                "path": "/v1/other",
                "headers": {"X-API-Key": "a-key-of-the-tests"},
            },
            403,
            "REQ122",
            "this routing key is not for route other",
        ),
        ({"body": {"age": 5}}, 422, "REQ114", "age is not from 18 to 120"),
        ({"body": b'{"age": NaN}'}, 422, "REQ113", "age is not a finite number"),
        ({"body": b'{"age": 1e999}'}, 422, "REQ113", "age is not a finite number"),
    ],
)
def test_a_refusal_says_what_and_how_to_mend_it(
    shared: Place, request_: dict[str, Any], status: int, code: str, message: str
) -> None:
    found, _, answer = shared.ask(**request_)
    assert found == status
    assert refusal(answer) == (code, message)
    assert answer["error"]["remedy"]


def test_all_faults_are_named_and_no_value_is_repeated(shared: Place) -> None:
    secret = "never-repeat-this"
    status, _, answer = shared.ask({"income": secret, "sex": secret, "amount": [secret]})
    assert status == 422
    assert [one["field"] for one in answer["errors"]] == ["income", "age", "amount", "sex"]
    assert secret not in json.dumps(answer)
    batch = {"records": [GOOD, {"age": secret}]}
    _, _, answer = shared.ask(batch)
    assert answer["errors"] == [
        {
            "code": "REQ112",
            "field": "age",
            "record": 1,
            "message": "age is not a number",
            "remedy": "send a JSON number",
        }
    ]
    log = (shared.rundir / "log").read_text()
    ledger = b"".join(one.read_bytes() for one in shared.ledger.rglob("*") if one.is_file())
    assert secret not in log
    assert secret.encode() not in ledger


def test_a_key_opens_its_route(shared: Place) -> None:
    for headers in (
        {"X-API-Key": "a-key-of-the-tests"},
        {"Authorization": "Bearer a-key-of-the-tests"},
    ):
        status, _, answer = shared.ask(GOOD, path="/v1/closed", headers=headers)
        assert status == 200
        found = Ledger(shared.ledger).prediction(answer["id"])
        assert found is not None
        assert found.key_id == "branch"


def test_health_readiness_and_metrics(shared: Place) -> None:
    assert shared.ask(method="GET", path="/healthz")[::2] == (200, "ok\n")
    assert shared.ask(method="GET", path="/readyz")[::2] == (200, "ready\n")
    shared.ask(GOOD)
    shared.ask(GOOD, path="/v1/made-up-by-the-caller")
    status, headers, page = shared.ask(method="GET", path="/metrics")
    assert status == 200
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    name = 'ordain_predictions_total{route="credit",model="credit",version="1",decision="approve"}'
    assert name in page
    assert 'ordain_requests_total{route="unknown",status="404"}' in page
    assert "made-up" not in page
    assert shared.ask(method="POST", path="/metrics")[0] == 405


def test_a_connection_is_kept(shared: Place) -> None:
    status = shared.status
    connection = http.client.HTTPConnection(status.host, status.port, timeout=5)
    for _ in range(3):
        connection.request("POST", "/v1/credit", json.dumps(GOOD))
        assert connection.getresponse().read().startswith(b'{"id": ')
    connection.close()


def test_a_body_in_pieces_is_one_body_and_is_bounded(shared: Place) -> None:
    status = shared.status

    def pieces(data: bytes, size: int) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(status.host, status.port, timeout=5)
        body = (data[start : start + size] for start in range(0, len(data), size))
        connection.request("POST", "/v1/credit", body, encode_chunked=True)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    assert pieces(json.dumps(GOOD).encode(), 7)[0] == 200
    code, answer = pieces(b" " * (1024 * 1024 + 1), 256 * 1024)
    assert (code, answer["error"]["code"]) == (413, "REQ102")


def test_a_caller_who_leaves_before_the_end_leaves_no_record(shared: Place) -> None:
    before = len(list(Ledger(shared.ledger).predictions()))
    status = shared.status
    whole = json.dumps(GOOD).encode()
    with socket.create_connection((status.host, status.port), timeout=5) as caller:
        caller.sendall(b"POST /v1/credit HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        caller.sendall(b"%x\r\n%b\r\n" % (len(whole), whole))
    assert shared.ask(GOOD)[0] == 200
    assert len(list(Ledger(shared.ledger).predictions())) == before + 1


def mutate(dice: random.Random) -> bytes:
    data = bytearray(json.dumps(GOOD | {"amount": 3, "employed": True}).encode())
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(data) + 1)
        match dice.randrange(3):
            case 0:
                data[place:place] = bytes([dice.randrange(256)])
            case 1:
                del data[place : place + dice.randint(1, 5)]
            case _:
                data[place:place] = dice.choice([b"1e400", b"{", b"[", b"null", b"\\ud800", b'"'])
    return bytes(data)


def test_malformed_bodies_are_refused_and_never_break_the_server(shared: Place) -> None:
    dice = random.Random(7)
    worker = shared.status.workers[0].pid
    bodies = [mutate(dice) for _ in range(400)]
    found = [shared.ask(body) for body in bodies]
    assert {status for status, _, _ in found} <= {200, 400, 422}
    assert {400, 422} <= {status for status, _, _ in found}
    assert shared.ask(GOOD)[0] == 200
    assert shared.status.workers[0].pid == worker
    _, _, page = shared.ask(method="GET", path="/metrics")
    assert 'status="500"' not in page
