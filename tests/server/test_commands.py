"""The whole way with the commands of ordain, each person at their own desk."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.source import open_source
from ordain.vcs.emergencies import PREFIX, branch_of
from tests.server.conftest import MODEL

if TYPE_CHECKING:
    from tests.server.conftest import Person, World

pytestmark = pytest.mark.e2e


def key(person: Person) -> tuple[str, ...]:
    return ("--as", person.name, "--key", str(person.keys / person.name))


def at_main(person: Person) -> None:
    """Commands read the settings of HEAD."""
    person.git("switch", "--quiet", "--force-create", "main", "origin/main")


def test_a_proposal_goes_its_way_with_ordain_alone(world: World) -> None:
    scientist, manager, cto = world["data-scientist"], world["manager"], world["cto"]
    scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code == 0
    at_main(manager)
    listed = manager.ordain("proposals", "list")
    assert (listed.returncode, listed.stdout.split()[0]) == (0, "topic"), listed.stderr
    shown = manager.ordain("proposals", "show", "topic")
    assert "signed by data-scientist" in shown.stdout
    refused = manager.ordain("proposals", "merge", "topic", *key(manager))
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "error[VCS011]: the remote refused refs/heads/main (pre-receive hook declined): "
        "error[SOD-QUORUM]: the approval of a reviewer is missing"
    )
    at_main(cto)
    approved = cto.ordain("proposals", "approve", "topic", "--role", "cto", *key(cto))
    assert approved.returncode == 0, approved.stderr
    merged = manager.ordain("proposals", "merge", "topic", *key(manager))
    assert merged.returncode == 0, merged.stderr
    assert "refs/heads/topic" not in world.refs()
    assert world.git("rev-list", "--first-parent", "--count", "main") == "2"


def test_what_the_machine_proposes_is_merged_with_ordain_alone(world: World) -> None:
    machine, manager = world["reconciler"], world["manager"]
    head = world.promotion()
    assert machine.push(f"{head}:refs/heads/ordain/promote/malignancy-1").code == 0
    at_main(manager)
    for verb in ("approve", "merge"):
        done = manager.ordain("proposals", verb, "malignancy-1", *key(manager))
        assert done.returncode == 0, done.stderr
    assert "refs/heads/ordain/promote/malignancy-1" not in world.refs()
    assert world.git("rev-list", "--first-parent", "--count", "main") == "2"


def with_its_key(machine: Person) -> None:
    """Give the reconciler the key that signs what it proposes and anchors."""
    source = open_source(machine.clone, machine.environment)
    source.repository.close()
    source.home.keys.mkdir(mode=0o700, parents=True)
    shutil.copy2(machine.keys / "reconciler", source.home.keys)


def done(person: Person, *arguments: str) -> str:
    """What a command said that ended well."""
    found = person.ordain(*arguments)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_an_emergency_goes_its_way_with_ordain_alone(world: World) -> None:
    """A manager stops a route where passes run, and two people at their desks bring it to git."""
    machine, manager, cto = world["reconciler"], world["manager"], world["cto"]
    at_main(machine)
    with_its_key(machine)
    done(machine, "reconcile", "--once")
    told = done(machine, "stop", MODEL, "--reason", "it harms people", *key(manager))
    identifier = told.partition("(")[2].partition(")")[0]
    assert told.splitlines()[-1] == f"Next: ordain approve {branch_of(identifier)} --as PERSON"
    refs = world.refs()
    assert [one for one in refs if one.startswith(f"{PREFIX}{identifier}/")]
    assert f"refs/heads/{branch_of(identifier)}" in refs
    at_main(cto)
    done(cto, "approve", branch_of(identifier), *key(cto))
    at_main(manager)
    done(manager, "proposals", "merge", branch_of(identifier), *key(manager))
    done(machine, "reconcile", "--once")
    listed = done(machine, "emergencies", "list")
    assert f"{identifier}  the route {MODEL} was stopped by manager (approved)" in listed
    assert world.git("show", f"main:specs/emergencies/{identifier}.yaml").startswith("# The trace")
