"""A name is one person and a key one holder, over all Organizations together."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]

KEYS = {letter: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letter * 43}" for letter in "ABC"}
THEIRS = (
    "this key belongs to someone else already "
    "| everyone has a key of their own; the machine has one, too"
)


def organization(name: str, people: dict[str, str], machine: str) -> str:
    entries = "".join(
        f"    - {{name: {person}, roles: [manager], team: a, keys: [{{public: {key}}}]}}\n"
        for person, key in people.items()
    )
    return (
        f"apiVersion: ordain.dev/v1\nkind: Organization\nmetadata: {{name: {name}}}\nspec:\n"
        f"  people:\n{entries}  reconciler: {{keys: [{{public: {machine}}}]}}\n"
    )


def test_everyone_has_a_key_of_their_own(check: Check) -> None:
    people = {"manager": f"{KEYS['A']} m", "cto": f"{KEYS['B']} c"}
    assert check({"specs/organization.yaml": organization("bank", people, KEYS["C"])}) == []


def test_a_key_belongs_to_one_person(check: Check) -> None:
    people = {"manager": f"{KEYS['A']} m", "cto": f"{KEYS['A']} c"}
    found = check({"specs/organization.yaml": organization("bank", people, KEYS["C"])})
    assert found == [f"REF013 organization.yaml:7:62 error: {THEIRS}"]


def test_a_person_does_not_hold_the_key_of_the_machine(check: Check) -> None:
    found = check({"specs/organization.yaml": organization("bank", {"cto": KEYS["A"]}, KEYS["A"])})
    assert found == [f"REF013 organization.yaml:7:32 error: {THEIRS}"]


def test_a_key_is_the_same_however_its_text_is_spelled(check: Check) -> None:
    one, other = "AAAAB3NzaC1yc2EAAAABAwAAAAMFBwc=", "AAAAB3NzaC1yc2EAAAABAwAAAAMFBwd="
    # The last character before the padding holds bits that decoding drops.
    assert b64decode(one) == b64decode(other)
    people = {"manager": f"ssh-rsa {one}", "cto": f"ssh-rsa  {other}"}
    found = check({"specs/organization.yaml": organization("bank", people, KEYS["C"])})
    assert len(found) == 1
    assert THEIRS in found[0]


def test_a_second_organization_shares_neither_names_nor_keys(check: Check) -> None:
    found = check(
        {
            "specs/organization.yaml": organization("bank", {"cto": KEYS["A"]}, KEYS["C"]),
            "specs/z.yaml": organization("branch", {"cto": KEYS["A"]}, KEYS["C"]),
        }
    )
    assert found == [
        (
            "REF013 z.yaml:6:14 error: there are two of the person `cto` "
            "| rename or remove one of the two"
        ),
        f"REF013 z.yaml:6:62 error: {THEIRS}",
    ]


def test_no_person_is_called_like_the_machine(check: Check) -> None:
    people = {"reconciler": KEYS["A"]}
    assert check({"specs/organization.yaml": organization("bank", people, KEYS["C"])}) == [
        (
            "REF015 organization.yaml:6:14 error: no person can be called `reconciler`: it is the "
            "name of the machine account | give the person another name; keys of the machine "
            "stand under `reconciler`"
        )
    ]


@pytest.mark.parametrize("name", ["cto", "reconciler-owner"])
def test_any_other_name_is_free(check: Check, name: str) -> None:
    text = organization("bank", {name: KEYS["A"]}, KEYS["C"])
    assert check({"specs/organization.yaml": text}) == []


def known_by(name: str, **people: str) -> str:
    """An Organization whose people differ in what they are known by beside their keys."""
    entries = "".join(
        f"    - {{name: {person}, roles: [manager], team: a, {marks}}}\n"
        for person, marks in people.items()
    )
    return (
        f"apiVersion: ordain.dev/v1\nkind: Organization\nmetadata: {{name: {name}}}\nspec:\n"
        f"  people:\n{entries}  reconciler: {{keys: [{{public: {KEYS['C']}}}]}}\n"
    )


@pytest.mark.parametrize(
    ("one", "other", "column"),
    [
        (
            "accounts: [{forge: github, login: Octo-Cat, id: 1}]",
            "accounts: [{forge: github, login: octo-cat, id: 2}]",
            80,
        ),
        (
            "accounts: [{forge: github, login: before, id: 1}]",
            "accounts: [{forge: github, login: after, id: 1}]",
            91,
        ),
        ("accounts: [{forge: git, login: one}]", "accounts: [{forge: git, login: One}]", 77),
    ],
)
def test_an_account_belongs_to_one_person(check: Check, one: str, other: str, column: int) -> None:
    found = check({"specs/organization.yaml": known_by("bank", manager=one, cto=other)})
    assert found == [
        (
            f"REF013 organization.yaml:7:{column} error: this account belongs to someone else "
            "already | list the account once, with whose it is"
        )
    ]


def test_logins_of_two_forges_and_two_accounts_of_one_person_are_fine(check: Check) -> None:
    one = "accounts: [{forge: github, login: a, id: 1}, {forge: github, login: A, id: 2}]"
    other = "accounts: [{forge: gitlab, login: a, id: 1}]"
    assert check({"specs/organization.yaml": known_by("bank", manager=one, cto=other)}) == []


def test_an_address_belongs_to_one_person_in_all_organizations(check: Check) -> None:
    found = check(
        {
            "specs/organization.yaml": known_by("bank", manager="emails: [m@example.org]"),
            "specs/z.yaml": known_by("branch", cto="emails: [c@example.org, M@Example.ORG]"),
        }
    )
    assert found == [
        (
            "REF013 z.yaml:6:70 error: this address belongs to someone else already "
            "| list the address once, with whose it is"
        )
    ]
