from __future__ import annotations

from collections.abc import Callable

import pytest

from ordain.specs.addresses import is_address
from ordain.specs.kinds.checks import is_day, is_instant, is_public_key

Check = Callable[..., list[str]]

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
KEY = f"ssh-ed25519 {BLOB}"
ORGANIZATION = """apiVersion: ordain.dev/v1
kind: Organization
metadata: {{name: bank}}
spec:
  people:
    - name: manager
      roles: [manager]
      team: lending
      keys: [{{public: {key}, validFrom: "{since}"}}]
  reconciler: {{keys: [{{public: {machine}}}]}}
"""
MACHINE = f"ssh-ed25519 {BLOB[:25]}{'B' * 43}"
WAIVER = """apiVersion: ordain.dev/v1
kind: Waiver
metadata: {{name: late}}
spec:
  finding: POL100
  object: {{kind: Model, name: credit, digest: "sha256:ZEROS"}}
  reason: the validator is on leave
  requestedBy: data-scientist
  approvedBy: manager
  expires: {day}
""".replace("ZEROS", "0" * 64)


def organization(*, key: str = KEY, since: str = "2026-01-01T00:00:00Z") -> dict[str, str]:
    text = ORGANIZATION.format(key=key, since=since, machine=MACHINE)
    return {"specs/organization.yaml": text}


def test_a_key_with_an_instant_that_exists_is_accepted(check: Check) -> None:
    assert check(organization()) == []


def test_an_instant_that_does_not_exist_is_refused_at_its_place(check: Check) -> None:
    (line,) = check(organization(since="2026-13-01T00:00:00Z"))
    place = f"organization.yaml:9:{len('      keys: [{public: , validFrom: ') + len(KEY) + 1}"
    assert line == (
        f"SPEC112 {place} error: `validFrom`: `2026-13-01T00:00:00Z` is an instant that does not "
        "exist | write a day of the calendar and a time from 00:00:00 to 23:59:59"
    )


def test_a_day_that_does_not_exist_is_refused_at_its_place(check: Check) -> None:
    (line,) = check({"specs/waiver.yaml": WAIVER.format(day="2026-02-30")})
    assert line == (
        "SPEC112 waiver.yaml:10:12 error: `expires`: `2026-02-30` is a day that does not exist "
        "| write a day of the calendar"
    )


@pytest.mark.parametrize("text", ["2026-13-01", "2026-00-10", "2026-02-29", "2026-04-31"])
def test_days_are_those_of_the_calendar(text: str) -> None:
    assert not is_day(text)
    assert not is_instant(f"{text}T00:00:00Z")


@pytest.mark.parametrize("clock", ["24:00:00", "29:10:00"])
def test_hours_are_those_of_the_clock(clock: str) -> None:
    assert not is_instant(f"2026-01-01T{clock}Z")


@pytest.mark.parametrize("text", ["2024-02-29T23:59:59Z", "2026-12-31T00:00:00.123456789Z"])
def test_instants_that_exist_are_accepted(text: str) -> None:
    assert is_instant(text)


def test_a_key_that_cannot_be_read_is_refused_at_its_place(check: Check) -> None:
    (line,) = check(organization(key="ssh-ed25519 AAAA"))
    assert line == (
        "SPEC113 organization.yaml:9:23 error: `public`: `ssh-ed25519 AAAA` is no public key that "
        "can be read | paste one whole line of a .pub file, such as `ssh-ed25519 AAAA... comment`"
    )


@pytest.mark.parametrize(
    "line",
    [
        "ssh-ed25519",
        "ssh-ed25519 not-base64!",
        "ssh-ed25519 AAAA",
        f"ssh-rsa {BLOB}",
        f"ssh-ed25519 {BLOB[:-4]}",
        f"ssh-ed25519 {BLOB}AAAA",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
    ],
)
def test_a_key_is_read_to_its_last_byte(line: str) -> None:
    assert not is_public_key(line)


def test_a_key_of_another_type_is_a_key() -> None:
    from base64 import b64encode

    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    keys = (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048))
    for key in keys:
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        assert is_public_key(line)
        assert is_public_key(f"{line} somebody at somewhere")
        cut = b64encode(b"\0\0\0\x07ssh-rsa").decode()
        assert not is_public_key(f"ssh-rsa {cut}")


MODEL = """apiVersion: ordain.dev/v1
kind: Model
metadata: {{name: bureau}}
spec:
  purpose: score
  tier: 2
  owner: credit-risk
  task: classification
  external: {{provider: a bureau, endpoint: "{endpoint}"}}
"""


def test_an_address_with_credentials_is_refused_and_not_repeated(check: Check) -> None:
    endpoint = f"https://user:{'verysecret' * 6}@bureau.example.org/score"
    (line,) = check({"specs/bureau.yaml": MODEL.format(endpoint=endpoint)})
    assert line.startswith("SPEC148 bureau.yaml:9:44 error: `endpoint`: `https://user:****")
    assert line.endswith(
        "` is no address that may stand in a document | write https://HOST/PATH, without a user, "
        "a password or a query"
    )
    assert "secret" not in line


@pytest.mark.parametrize(
    "text",
    ["", "https://a.example.org/b", "http://10.0.0.1:8080", "a.example.org/b", "models/b.onnx"],
)
def test_addresses_that_a_document_may_hold(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https://@a/",
        "user:password@a",
        "https:/user:password@a",
        "https://a/?k",
        "https://a/#k",
        "https://a:99999/",
        "https://a/ b",
    ],
)
def test_addresses_that_no_document_may_hold(text: str) -> None:
    assert not is_address(text)
