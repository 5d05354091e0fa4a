"""The whole way with the commands of ordain, each person at their own desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
