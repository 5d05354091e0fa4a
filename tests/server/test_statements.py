"""What a server lets in under refs/ordain, with real git over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.git import Repository
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import sign

if TYPE_CHECKING:
    from tests.server.conftest import Person, World

pytestmark = pytest.mark.contract
HEADS_FILE = b'{"control":{"hash":"sha256:00","seq":1}}\n'


def proposed(world: World) -> str:
    scientist = world["data-scientist"]
    head = scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code == 0
    return head


def written(person: Person, files: dict[str, bytes], *parents: str) -> str:
    """A commit of these files in somebody's clone, signed by them."""
    with Repository.open(person.clone) as repository:
        tree = repository.write_tree(None, dict(files))
        who, now = Identity(person.name, f"{person.name}@example.org"), datetime.now(tz=UTC)
        return repository.write_commit(tree, parents, "A statement", who, now, person.signer)


# Approvals


def test_ones_own_approval_passes_once_and_stays(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    spec = manager.approval(head)
    ref = spec.partition(":")[2]
    assert manager.push(spec).code == 0
    again = manager.push(f"+{manager.approval(head)}")
    assert again.codes == ["PUSH016"]
    assert f"error[PUSH016]: an approval is evidence, it is not replaced: {ref}" in again.said
    assert manager.push(f":{ref}").codes == ["PUSH016"]
    assert ref in world.refs()


def test_an_approval_in_the_name_of_another_is_refused(world: World) -> None:
    head, scientist = proposed(world), world["data-scientist"]
    pushed = scientist.push(scientist.approval(head, "manager", name="manager"))
    assert pushed.codes == ["PUSH015"]
    assert "error[PUSH015]: data-scientist cannot push an approval of manager" in pushed.said


def test_an_approval_that_another_key_has_signed_is_refused(world: World) -> None:
    """Who knows the password of the manager still has not their key."""
    head = proposed(world)
    thief = world.person("data-scientist", account="manager", desk="thief")
    pushed = thief.push(thief.approval(head, "manager", name="manager"))
    assert pushed.codes == ["PUSH017"]
    assert any("it is signed by data-scientist, not by manager" in line for line in pushed.said)


def test_an_approval_in_a_role_that_one_has_not_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    pushed = manager.push(manager.approval(head, "cto"))
    assert pushed.codes == ["PUSH015"]
    assert "error[PUSH015]: manager does not hold the role cto" in pushed.said


def test_the_machine_approves_nothing(world: World) -> None:
    head, machine = proposed(world), world["reconciler"]
    assert machine.push(machine.approval(head, "manager")).code != 0


def test_an_approval_under_the_ref_of_another_change_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    commit, _, ref = manager.approval(head).partition(":")
    _, _, _, digest, rest = ref.split("/", 4)
    other = f"refs/ordain/approvals/{digest[::-1]}/{rest}"
    assert manager.push(f"{commit}:{other}").codes == ["PUSH017"]


@pytest.mark.parametrize("name", ["manager", "x/manager/manager/y", "x/y/z/a/b"])
def test_an_approval_under_another_name_is_refused(world: World, name: str) -> None:
    head, manager = proposed(world), world["manager"]
    commit = manager.approval(head).partition(":")[0]
    assert manager.push(f"{commit}:refs/ordain/approvals/{name}").codes == ["PUSH017"]


def test_a_commit_that_is_no_statement_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    ref = manager.approval(head).partition(":")[2]
    assert manager.push(f"{head}:{ref}").codes == ["PUSH017"]


def test_nothing_rides_along_with_an_approval(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    commit, _, ref = manager.approval(head).partition(":")
    with Repository.open(manager.clone) as repository:
        names = ("statement.json", "statement.sig")
        files = {name: repository.read(commit, name) for name in names}
    more = written(manager, files | {"more.txt": b"?"})
    pushed = manager.push(f"{more}:{ref}")
    assert pushed.codes == ["PUSH017"]
    assert "error[PUSH017]: the statement brings the file more.txt with it" in pushed.said
    longer = written(manager, files, head)
    assert "the statement brings a history with it" in manager.push(f"{longer}:{ref}").text


def test_an_approval_in_the_same_push_as_the_merge_comes_too_late(world: World) -> None:
    """The merge is judged by what was there before: somebody must have looked in between."""
    head, manager = proposed(world), world["manager"]
    spec = manager.approval(head)
    pushed = manager.push(f"{manager.merge(head)}:main", spec)
    assert pushed.codes == ["SOD-QUORUM"]


# Promotions


def test_the_branch_of_a_promotion_is_the_machines(world: World) -> None:
    scientist = world["data-scientist"]
    head = scientist.branch("topic", scientist.owned_by("histology"))
    ref = "refs/heads/ordain/promote/malignancy-1"
    pushed = scientist.push(f"topic:{ref}")
    assert pushed.codes == ["PUSH014"]
    assert (
        f"error[PUSH014]: {ref} is for promotions by the reconciler: commit {head[:12]} is not "
        "signed by the reconciler"
    ) in pushed.said
    assert scientist.push(f"origin/main:{ref}").codes == ["PUSH014"]


def test_a_promotion_is_turned_down_by_whoever_may_approve(world: World) -> None:
    ref = "refs/heads/ordain/promote/malignancy-1"
    assert world["reconciler"].push(f"{world.promotion()}:{ref}").code == 0
    assert world["data-scientist"].push(f":{ref}").codes == ["PUSH014"]
    assert world["manager"].push(f":{ref}").code == 0


def test_the_machine_pushes_promotions_and_nothing_that_people_write(world: World) -> None:
    machine = world["reconciler"]
    machine.branch("topic", machine.owned_by("histology"))
    pushed = machine.push("topic")
    assert pushed.codes == ["PUSH003"]
    assert "the reconciler pushes promotions, and refs/heads/topic is none" in pushed.text


# Anchors


def test_anchors_go_forward_when_the_machine_has_signed_them(world: World) -> None:
    machine = world["reconciler"]
    machine.fetch()
    first = written(machine, {"heads.json": HEADS_FILE})
    second = written(machine, {"heads.json": HEADS_FILE.replace(b"1", b"2")}, first)
    assert machine.push(f"{first}:refs/ordain/anchors").code == 0
    assert machine.push(f"{second}:refs/ordain/anchors").code == 0
    assert machine.push(f"+{first}:refs/ordain/anchors").codes == ["PUSH018"]
    assert machine.push(":refs/ordain/anchors").codes == ["PUSH018"]


@pytest.mark.parametrize("person", ["manager", "cto"])
def test_anchors_of_anybody_else_are_refused(world: World, person: str) -> None:
    someone = world[person]
    commit = written(someone, {"heads.json": HEADS_FILE})
    pushed = someone.push(f"{commit}:refs/ordain/anchors")
    assert pushed.codes == ["PUSH018"]
    assert f"the anchor {commit[:12]} is not signed by the reconciler" in pushed.text


def test_what_the_machine_has_signed_for_something_else_is_no_anchor(world: World) -> None:
    machine = world["reconciler"]
    commit = written(machine, {"notes.txt": b"?"})
    assert machine.push(f"{commit}:refs/ordain/anchors").codes == ["PUSH018"]


# Emergencies


def emergency(
    person: Person,
    *,
    claims: str = "",
    signer: Person | None = None,
    beside: dict[str, bytes] | None = None,
    on: str = "",
) -> str:
    """A statement on the proposal that it names, as a refspec."""
    proposal = person.git("rev-parse", "origin/main")
    said = {"action": "stop", "person": claims or person.name, "proposal": proposal}
    text = json.dumps(said).encode()
    armor = sign((signer or person).signer, "ordain-emergency", text).encode()
    files = {"statement.json": text, "statement.sig": armor} | (beside or {})
    commit = written(person, files, on or proposal)
    return f"{commit}:refs/ordain/emergencies/stop-1/{commit}"


def test_an_emergency_is_brought_by_whoever_signed_it_or_the_machine(world: World) -> None:
    manager, machine = world["manager"], world["reconciler"]
    spec = emergency(manager)
    assert manager.push(spec).code == 0
    assert manager.push(f":{spec.partition(':')[2]}").codes == ["PUSH016"]
    machine.fetch()
    assert machine.push(emergency(machine, claims="manager", signer=manager)).code == 0


def test_an_emergency_of_somebody_else_is_refused(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    assert scientist.push(emergency(scientist, claims="manager")).codes == ["PUSH019"]
    pushed = scientist.push(emergency(scientist, signer=manager, claims="manager"))
    assert pushed.codes == ["PUSH019"]
    assert "data-scientist cannot push an emergency of manager" in pushed.text


def test_an_emergency_that_another_key_has_signed_is_refused(world: World) -> None:
    thief = world.person("data-scientist", account="manager", desk="thief")
    pushed = thief.push(emergency(thief, claims="manager"))
    assert pushed.codes == ["PUSH019"]
    said = "the statement is of manager: data-scientist has signed it"
    assert f"error[PUSH019]: {said}" in pushed.said


@pytest.mark.parametrize("name", ["stop-1", "stop-1/{0}/{0}", "-s/{0}", f"stop-1/{'1' * 40}"])
def test_an_emergency_under_another_name_is_refused(world: World, name: str) -> None:
    manager = world["manager"]
    commit = emergency(manager).partition(":")[0]
    pushed = manager.push(f"{commit}:refs/ordain/emergencies/{name.format(commit)}")
    assert pushed.codes == ["PUSH019"]
    assert "is not named as an emergency is" in pushed.text


def test_nothing_rides_along_with_an_emergency(world: World) -> None:
    manager = world["manager"]
    head = proposed(world)
    manager.fetch()
    assert manager.push(emergency(manager, beside={"more.txt": b"?"})).codes == ["PUSH019"]
    assert manager.push(emergency(manager, on=head)).codes == ["PUSH019"]


def test_an_emergency_that_nobody_has_signed_is_refused(world: World) -> None:
    manager = world["manager"]
    commit = written(manager, {"statement.json": b"[]", "statement.sig": b"-"})
    spec = f"{commit}:refs/ordain/emergencies/stop-1/{commit}"
    assert manager.push(spec).codes == ["PUSH019"]
