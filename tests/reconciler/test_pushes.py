"""Who a pusher is, and which names of refs are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.reconciler.pushes import (
    Update,
    parse_updates,
    pusher_named,
    pusher_of,
)
from ordain.reconciler.ref_names import folded, twin_of
from ordain.specs.errors import FindingsError
from ordain.specs.kinds.organization import Account, Key, Organization, Person, Reconciler

ONE, TWO, ZERO = "1" * 40, "2" * 40, "0" * 40


def person(name: str, *accounts: tuple[str, str], role: str = "manager") -> Person:
    found = tuple(
        Account(forge=forge, login=login, id=None if forge == "git" else 7)  # type: ignore[arg-type]
        for forge, login in accounts
    )
    return Person(name=name, roles=(role,), team="team", accounts=found)  # type: ignore[arg-type]


def organization(*people: Person) -> Organization:
    machine = Reconciler(keys=(Key(public="ssh-ed25519 AAAA"),))
    return Organization(people=people, reconciler=machine)


def refused(*people: Person, login: str) -> str:
    with pytest.raises(FindingsError) as error:
        pusher_of(organization(*people), login)
    (finding,) = error.value.findings
    return f"{finding.code}: {finding.message}"


def test_people_are_known_by_their_account_on_a_git_server() -> None:
    people = organization(person("manager", ("git", "m.smith"), ("git", "msmith")), person("cto"))
    assert pusher_of(people, "m.smith") == "manager"
    assert pusher_of(people, "msmith") == "manager"


def test_who_lists_no_account_is_known_by_name() -> None:
    people = organization(person("manager", ("github", "octo")), person("cto"))
    assert pusher_of(people, "manager") == "manager"
    assert pusher_of(people, "reconciler") == "reconciler"


def test_who_lists_accounts_is_not_known_by_name() -> None:
    said = refused(person("manager", ("git", "m.smith")), login="manager")
    assert said == "PUSH002: the account 'manager' is nobody's in the Organization"


def test_an_account_of_another_forge_is_none_here() -> None:
    assert "is nobody's" in refused(person("manager", ("github", "octo")), login="octo")


@pytest.mark.parametrize("login", ["Manager", "manager ", "", "MANAGER", "cto,manager"])
def test_an_account_is_exactly_its_name(login: str) -> None:
    assert "is nobody's" in refused(person("manager"), person("cto"), login=login)


def test_an_account_that_could_be_two_people_is_neither() -> None:
    two = (person("cto"), person("manager", ("git", "cto")))
    assert refused(*two, login="cto") == "PUSH002: the account 'cto' stands for several people"


def test_a_person_with_the_account_of_the_machine_is_neither() -> None:
    assert "several" in refused(person("manager", ("git", "reconciler")), login="reconciler")


def test_an_auditor_reads() -> None:
    said = refused(person("auditor", role="auditor"), login="auditor")
    assert said == "PUSH003: auditor may read and not write"


def test_the_pusher_is_named_by_the_server() -> None:
    assert pusher_named({"REMOTE_USER": "manager"}) == "manager"
    assert pusher_named({"ORDAIN_PUSHER": "manager", "REMOTE_USER": ""}) == "manager"
    for environ in ({}, {"REMOTE_USER": ""}, {"REMOTE_USER": "a", "ORDAIN_PUSHER": "b"}):
        with pytest.raises(FindingsError):
            pusher_named(environ)


def test_the_lines_of_git_are_read_as_they_are() -> None:
    data = f"{ZERO} {ONE} refs/heads/a\n{ONE} {ZERO} refs/heads/b c\n".encode()
    assert parse_updates(data) == (
        Update("refs/heads/a", None, ONE),
        Update("refs/heads/b c", ONE, None),
    )
    assert parse_updates(f"{ONE} {TWO} refs/heads/a\u2028b\n".encode())[0].ref.endswith("a\u2028b")
    assert parse_updates(f"{ONE} {TWO} refs/".encode() + b"\xff\n")[0].ref == "refs/\udcff"


@pytest.mark.parametrize("line", ["x", f"{ONE} refs/heads/a", f"{ONE} {TWO} HEAD", f"{ONE} {TWO} "])
def test_a_line_that_is_none_of_gits_is_refused(line: str) -> None:
    with pytest.raises(FindingsError):
        parse_updates(line.encode())


@pytest.mark.parametrize(
    ("name", "protected"),
    [
        ("refs/heads/cafe\u0301", "refs/heads/caf\u00e9"),
        ("refs/heads/STRASSE", "refs/heads/stra\u00dfe"),
        ("refs/heads/ﬁnal", "refs/heads/final"),
        ("refs/heads/ma\u034fin", "refs/heads/main"),
        ("REFS/heads/main", "refs/heads/main"),
    ],
)
def test_two_ways_to_write_a_name_are_one_name(name: str, protected: str) -> None:
    assert twin_of(name, protected) == protected
    assert twin_of(protected, name) == name


@pytest.mark.parametrize("name", ["refs/heads/mainly", "refs/heads/topic/main", "refs/heads/x"])
def test_a_name_that_only_holds_the_protected_one_is_another(name: str) -> None:
    assert twin_of(name, "refs/heads/main") is None


@pytest.mark.property
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_afolded_name_isfolded(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
