"""What a server lets in under refs/ordain, with real git over real HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ordain.reconciler.codes import CODES
from ordain.vcs.emergencies import Signed, Statement, read_statements, write_statement
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, load_signer
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import EMERGENCY, sign
from tests.server.conftest import MODEL

if TYPE_CHECKING:
    from ordain.vcs.keys import Signer
    from tests.server.conftest import Person, Pushed, World

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
    again = manager.push(f"+{head}:{ref}")
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
    assert f"  = help: {CODES['PUSH014'].remedy}" in pushed.said
    assert scientist.push(f"origin/main:{ref}").codes == ["PUSH014"]


def test_a_promotion_is_turned_down_by_whoever_may_approve(world: World) -> None:
    ref = "refs/heads/ordain/promote/malignancy-1"
    assert world["reconciler"].push(f"{world.promotion()}:{ref}").code == 0
    refused = world["data-scientist"].push(f":{ref}")
    assert refused.codes == ["PUSH014"]
    assert f"  = help: {CODES['PUSH014'].remedy}" in refused.said
    assert world["manager"].push(f":{ref}").code == 0


def test_the_machine_pushes_promotions_and_nothing_that_people_write(world: World) -> None:
    machine = world["reconciler"]
    machine.branch("topic", machine.owned_by("histology"))
    pushed = machine.push("topic")
    assert pushed.codes == ["PUSH003"]
    assert f"  = help: {CODES['PUSH003'].remedy}" in pushed.said
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
    by: str = "manager",
    signer: Signer | None = None,
    **how: Any,  # noqa: ANN401 - any field
) -> tuple[str, str]:
    """A stop as `ordain stop` writes it, but for what is given; its commit and its ref."""
    head = person.git("rev-parse", "origin/main")
    with Repository.open(person.clone) as repository:
        said = Statement(
            action="stop",
            name=MODEL,
            version=None,
            reason="it sends healthy people to surgery",
            person=by,
            role="manager",
            time=datetime.now(tz=UTC).replace(microsecond=0),
            estate=repository.root_commit(head),
            revision=head,
            proposal=head,
        )
        who = Identity(by, f"{by}@example.org")
        actor = Actor(by, who, signer or load_signer(person.keys / by))
        one = write_statement(repository, replace(said, **how), actor)
    return one.commit, one.ref


def pushed_emergency(person: Person, **how: Any) -> Pushed:  # noqa: ANN401 - as above
    """What the server says of it."""
    commit, ref = emergency(person, **how)
    return person.push(f"{commit}:{ref}")


@pytest.mark.parametrize("bearer", ["manager", "reconciler"])
def test_an_emergency_is_brought_once_by_whoever_signed_it_or_the_machine(
    world: World, bearer: str
) -> None:
    someone = world[bearer]
    commit, ref = emergency(someone)
    assert someone.push(f"{commit}:{ref}").code == 0
    assert world.refs()[ref] == commit
    assert someone.push(f":{ref}").codes == ["PUSH016"]
    with Repository.open(world.bare) as repository:
        (one,) = read_statements(repository)
    assert isinstance(one, Signed)


def test_an_emergency_is_brought_by_another_manager(world: World) -> None:
    """A clone is used by more than one; what the other has not told yet must not be in the way."""
    cto = world["cto"]
    people = cto.edited("specs/organization.yaml", "roles: [cto,", "roles: [manager, cto,")
    cto.branch("topic", people)
    around = ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)
    assert cto.push("topic:main", options=around, url=str(world.bare)).code == 0
    assert pushed_emergency(cto).code == 0


@pytest.mark.parametrize("bearer", ["data-scientist", "cto"])
def test_an_emergency_of_somebody_else_is_refused(world: World, bearer: str) -> None:
    pushed = pushed_emergency(world[bearer])
    assert pushed.codes == ["PUSH019"]
    assert f"error[PUSH019]: {bearer} cannot push an emergency of manager" in pushed.said
    assert f"  = help: {CODES['PUSH019'].remedy}" in pushed.said


def test_an_emergency_that_another_key_has_signed_is_refused(world: World) -> None:
    """Who knows the password of the manager still has not their key."""
    thief = world.person("data-scientist", account="manager", desk="thief")
    pushed = pushed_emergency(thief, signer=thief.signer)
    said = "it is signed by data-scientist, not by manager"
    assert f"error[PUSH019]: the statement of manager has no effect: {said}" in pushed.said


@pytest.mark.parametrize(
    ("by", "how", "said"),
    [
        ("data-scientist", {}, "data-scientist has no effect: data-scientist is no manager"),
        ("manager", {"role": "cto"}, "manager has no effect: manager is no manager"),
        ("manager", {"estate": "a" * 40}, "manager is of another estate"),
        (
            "manager",
            {"time": datetime(2100, 1, 1, tzinfo=UTC)},
            "manager has no effect: it is dated in the future (2100-01-01 00:00 UTC)",
        ),
    ],
)
def test_an_emergency_that_could_never_have_an_effect_is_refused(
    world: World, by: str, how: dict[str, Any], said: str
) -> None:
    pushed = pushed_emergency(world[by], by=by, **how)
    assert f"error[PUSH019]: the statement of {said}" in pushed.said


@pytest.mark.parametrize("name", ["{0}", "{0}/{1}/{1}", "stop-1/{1}", "-s/{1}", "{0}/" + "1" * 40])
def test_an_emergency_under_another_name_is_refused(world: World, name: str) -> None:
    manager = world["manager"]
    commit, ref = emergency(manager)
    identifier = ref.split("/")[-2]
    pushed = manager.push(f"{commit}:refs/ordain/emergencies/{name.format(identifier, commit)}")
    assert pushed.codes == ["PUSH019"]
    said = "the statement does not hold: its name is not that of its content"
    assert f"error[PUSH019]: {said}" in pushed.said


def test_an_emergency_under_the_name_of_another_is_refused(world: World) -> None:
    manager = world["manager"]
    commit, ref = emergency(manager)
    other = f"refs/ordain/emergencies/stop-20261120-aaaaaaaaaaaa/{commit}"
    pushed = manager.push(f"{commit}:{other}")
    said = f"the statement does not hold: it is the statement of {ref.split('/')[-2]}"
    assert f"error[PUSH019]: {said}" in pushed.said


def test_nothing_rides_along_with_an_emergency(world: World) -> None:
    manager = world["manager"]
    head = proposed(world)
    manager.fetch()
    commit, ref = emergency(manager)
    with Repository.open(manager.clone) as repository:
        names = ("statement.json", "statement.sig")
        files = {name: repository.read(commit, name) for name in names}
    under = ref.removesuffix(commit)
    more = written(manager, files | {"more.txt": b"?"}, manager.git("rev-parse", "origin/main"))
    pushed = manager.push(f"{more}:{under}{more}")
    assert "error[PUSH019]: the statement brings the file more.txt with it" in pushed.said
    longer = written(manager, files, head)
    pushed = manager.push(f"{longer}:{under}{longer}")
    said = "the statement does not hold: it does not stand on the proposal that it names"
    assert f"error[PUSH019]: {said}" in pushed.said


def test_what_is_no_statement_is_no_emergency(world: World) -> None:
    """Nothing there could ever be deleted, and every clone would speak of it for ever."""
    scientist = world["data-scientist"]
    base = scientist.git("rev-parse", "origin/main")
    said = {"person": "data-scientist", "proposal": base, "x": "nonsense"}
    text = json.dumps(said).encode()
    armor = sign(scientist.signer, EMERGENCY, text).encode()
    for files in (
        {"statement.json": text, "statement.sig": armor},
        {"statement.json": b"[]", "statement.sig": b"-"},
    ):
        commit = written(scientist, files, base)
        ref = f"refs/ordain/emergencies/stop-20261120-aaaaaaaaaaaa/{commit}"
        pushed = scientist.push(f"{commit}:{ref}")
        assert pushed.codes == ["PUSH019"]
        assert "the statement is not one of an emergency" in pushed.text
