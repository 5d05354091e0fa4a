"""What may reach the protected branch, with real git over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.vcs.git import Repository
from tests.server.conftest import MODEL_FILE

if TYPE_CHECKING:
    from tests.server.conftest import World

pytestmark = pytest.mark.contract
MONITOR = "specs/monitors/malignancy.yaml"


def proposed(world: World, owner: str = "histology") -> str:
    """A pushed proposal of the data scientist."""
    scientist = world["data-scientist"]
    head = scientist.branch("topic", scientist.owned_by(owner))
    assert scientist.push("topic").code == 0
    return head


def test_an_approved_merge_passes(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    manager.approve(head)
    merge = manager.merge(head)
    pushed = manager.push(f"{merge}:main", ":topic")
    assert (pushed.code, pushed.said) == (0, [])
    assert world.refs()["refs/heads/main"] == merge
    assert "refs/heads/topic" not in world.refs()


def test_one_person_approves_and_another_merges(world: World) -> None:
    head = proposed(world)
    world["cto"].approve(head)
    merge = world["manager"].merge(head)
    assert world["manager"].push(f"{merge}:main").code == 0


def test_what_nobody_has_looked_at_is_refused(world: World) -> None:
    """No kind asks an approval for the owner of a model; a server wants one all the same."""
    head, manager = proposed(world), world["manager"]
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes == ["SOD-QUORUM"]
    assert (
        "error[SOD-QUORUM]: the approval of a reviewer is missing: every change is looked at by "
        "somebody who did not contribute"
    ) in pushed.said


def test_a_merge_of_ones_own_work_is_refused(world: World) -> None:
    manager = world["manager"]
    head = manager.branch("topic", manager.owned_by("histology"))
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes == ["PUSH013", "SOD-QUORUM"]
    assert (
        "error[PUSH013]: manager made this change and merges it, and nobody else has approved it"
    ) in pushed.said


def test_a_merge_that_one_has_approved_oneself_is_refused(world: World) -> None:
    manager = world["manager"]
    head = manager.branch("topic", manager.owned_by("histology"))
    manager.push("topic")
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes[:2] == ["PUSH013", "SOD-QUORUM"]
    assert any(
        line.endswith("the approval of manager does not count: manager contributed to what this "
                      "change pins")
        for line in pushed.said
    )  # fmt: skip


def test_ones_own_work_may_be_merged_when_somebody_else_has_approved_it(world: World) -> None:
    manager = world["manager"]
    head = manager.branch("topic", manager.owned_by("histology"))
    manager.push("topic")
    world["cto"].approve(head)
    assert manager.push(f"{manager.merge(head)}:main").code == 0


def test_who_may_not_approve_may_not_merge(world: World) -> None:
    head, scientist = proposed(world), world["data-scientist"]
    world["manager"].approve(head)
    pushed = scientist.push(f"{scientist.merge(head)}:main")
    assert pushed.codes == ["PUSH011"]
    assert "error[PUSH011]: data-scientist has no role that may merge" in pushed.said


def test_the_machine_merges_nothing(world: World) -> None:
    head, machine = proposed(world), world["reconciler"]
    world["manager"].approve(head)
    assert machine.push(f"{machine.merge(head)}:main").codes == ["PUSH011"]


def test_a_merge_of_somebody_else_is_refused(world: World) -> None:
    head = proposed(world)
    world["manager"].approve(head)
    merge = world["manager"].merge(head)
    world["manager"].push(f"{merge}:refs/heads/merged")
    cto = world["cto"]
    cto.fetch()
    pushed = cto.push(f"{merge}:main")
    assert pushed.codes == ["PUSH010"]
    said = f"error[PUSH010]: the merge {merge[:12]} is signed by manager and pushed by cto"
    assert said in pushed.said


def test_a_merge_that_is_not_signed_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    manager.approve(head)
    merge = manager.merge(head, "--no-gpg-sign")
    pushed = manager.push(f"{merge}:main")
    assert pushed.codes == ["PUSH010"]
    assert any("signed by nobody in the Organization" in line for line in pushed.said)


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ("validUntil: 2026-01-01T00:00:00Z", "expired on 2026-01-01"),
        ("revoked: true", "is revoked"),
    ],
)
def test_a_key_that_is_no_longer_good_merges_nothing(world: World, dates: str, reason: str) -> None:
    """Whatever date its commits claim; the branch is set up as if this had been merged before."""
    head, manager, cto = proposed(world), world["manager"], world["cto"]
    manager.approve(head)
    text = manager.text("specs/organization.yaml")
    key = next(one for one in text.splitlines() if one.strip().startswith("keys:") and
               "manager@" in one)  # fmt: skip
    dead = text.replace(key, key.replace("}]", f", {dates}}}]"))
    cto.branch("keys", {"specs/organization.yaml": dead})
    bypass = ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)
    assert cto.push("keys:main", options=bypass, url=str(world.bare)).code == 0
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes == ["PUSH010"]
    assert reason in pushed.text


def test_an_approved_change_that_breaks_a_policy_is_refused(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    head = scientist.branch("topic", scientist.edited(MONITOR, "fail: 0.25", "fail: 5"))
    scientist.push("topic")
    manager.approve(head)
    world["cto"].approve(head, "compliance-manager")
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert "POL-drift-limit.features" in pushed.codes
    assert any(f"{MONITOR}:" in line for line in pushed.said)
    assert len(pushed.said) <= 20


def test_a_proposal_that_loosens_the_policies_is_judged_under_the_old_ones(world: World) -> None:
    """The rule goes and what breaks it comes, in one proposal that everybody has approved."""
    scientist, manager, cto = world["data-scientist"], world["manager"], world["cto"]
    rules = (
        "apiVersion: ordain.dev/v1\nkind: PolicySet\nmetadata: {name: packs}\nspec:\n"
        "  packs:\n    - {name: baseline, params: {psi: 9}}\n"
    )
    files = scientist.edited(MONITOR, "fail: 0.25", "fail: 5") | {"policies/packs.yaml": rules}
    head = scientist.branch("topic", files)
    scientist.push("topic")
    manager.approve(head)
    cto.approve(head, "cto")
    cto.approve(head, "compliance-manager")
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert "POL-drift-limit.features" in pushed.codes


def test_a_merge_that_adds_something_of_its_own_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    manager.approve(head)
    manager.merge(head)
    (manager.clone / "README.md").write_text("What nobody has seen.\n")
    manager.git("commit", "--quiet", "--all", "--amend", "--no-edit")
    pushed = manager.push("HEAD:main")
    assert "GATE002" in pushed.codes
    assert any("holds something else than its two parents give" in line for line in pushed.said)


def test_a_merge_that_adds_what_changes_nothing_is_refused(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head, '--strategy=ours')}:main")
    assert pushed.codes[0] == "PUSH012"


def test_a_commit_after_the_approval_voids_it(world: World) -> None:
    head, scientist, manager = proposed(world), world["data-scientist"], world["manager"]
    manager.approve(head)
    scientist.git("switch", "--quiet", "topic")
    later = scientist.commit({"specs/README.md": "And this.\n"})
    scientist.push("topic")
    pushed = manager.push(f"{manager.merge(later)}:main")
    assert pushed.codes == ["SOD-QUORUM"]


def test_why_an_approval_of_another_time_does_not_count_is_told(world: World) -> None:
    """There, back, and there again: the third change is the first one, and long approved."""
    scientist, manager = world["data-scientist"], world["manager"]
    scientist.fetch()
    line = next(one for one in scientist.text(MODEL_FILE).splitlines() if "  owner:" in one)
    first = line.partition(": ")[2]
    for owner in ("histology", first):
        head = proposed(world, owner)
        manager.approve(head)
        assert manager.push(f"{manager.merge(head)}:main").code == 0
    pushed = manager.push(f"{manager.merge(proposed(world, 'histology'))}:main")
    assert pushed.codes == ["SOD-QUORUM"]
    (said,) = [one for one in pushed.said if "PUSH024" in one]
    assert said.startswith("note[PUSH024]: an approval of manager does not count: it was given on ")
    assert said.endswith(", and these files have changed since")


def test_an_unsigned_commit_in_a_proposal_is_refused(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    head = scientist.branch("topic", scientist.owned_by("histology"), "--no-gpg-sign")
    scientist.push("topic")
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes == ["GATE001"]
    said = f"error[GATE001]: commit {head[:12]} is not signed by anybody in the Organization"
    assert said in pushed.said


def test_an_author_who_is_only_claimed_is_nobodys_independence(world: World) -> None:
    """The manager writes in the name of the data scientist, and approves it."""
    manager = world["manager"]
    author = "--author=data-scientist <data-scientist@example.org>"
    head = manager.branch("topic", manager.owned_by("histology"), author)
    manager.push("topic")
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.codes == ["PUSH013", "GATE006", "SOD-QUORUM"]
    said = f"commit {head[:12]} names data-scientist as its author; manager signed it"
    assert f"error[GATE006]: {said}" in pushed.said


def test_a_merge_the_other_way_round_is_refused(world: World) -> None:
    """A proposal that has merged main makes main the second parent, and itself the branch."""
    head, manager, cto = proposed(world), world["manager"], world["cto"]
    other = cto.branch("other", {"specs/README.md": "More.\n"})
    cto.push("other")
    manager.approve(head)
    manager.approve(other)
    assert manager.push(f"{manager.merge(other)}:main").code == 0
    manager.fetch()
    manager.git("switch", "--quiet", "--detach", head)
    manager.git("merge", "--quiet", "--no-ff", "-m", "Turned", "origin/main")
    pushed = manager.push("HEAD:main")
    assert pushed.codes == ["PUSH008"]
    assert any("its first parent is the protected branch" in line for line in pushed.said)


def test_three_parents_are_no_merge_of_one_proposal(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    other = world["cto"].branch("other", {"specs/README.md": "More.\n"})
    world["cto"].push("other")
    manager.approve(head)
    manager.fetch()
    tree = manager.git("rev-parse", f"{head}^{{tree}}")
    parents = ("-p", "origin/main", "-p", head, "-p", other)
    merge = manager.git("commit-tree", tree, "-S", *parents, "-m", "All at once")
    assert manager.push(f"{merge}:main").codes == ["PUSH009"]


def test_two_merges_in_one_push_are_judged_one_after_the_other(world: World) -> None:
    head, manager = proposed(world), world["manager"]
    cto = world["cto"]
    other = cto.branch("other", {"specs/README.md": "More.\n"})
    cto.push("other")
    manager.approve(head)
    manager.fetch()
    first = manager.merge(head)
    manager.git("merge", "--quiet", "--no-ff", "-m", "Merge another", other)
    second = manager.git("rev-parse", "HEAD")
    assert manager.push(f"{second}:main").codes == ["SOD-QUORUM"]
    assert manager.push(f"{first}:main").code == 0


# Promotions


def test_a_promotion_by_the_machine_passes_with_its_quorum(world: World) -> None:
    machine, manager = world["reconciler"], world["manager"]
    head = world.promotion()
    branch = "refs/heads/ordain/promote/malignancy-1"
    assert machine.push(f"{head}:{branch}").code == 0
    manager.fetch()
    assert manager.push(f"{manager.merge(head)}:main").codes == ["SOD-QUORUM"]
    manager.approve(head)
    assert manager.push(f"{manager.merge(head)}:main", f":{branch}").code == 0


def test_edited_evidence_is_refused(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    world["reconciler"].push(f"{world.promotion()}:refs/heads/ordain/promote/malignancy-1")
    scientist.fetch()
    scientist.git("switch", "--quiet", "--create", "better", "origin/ordain/promote/malignancy-1")
    (file,) = (
        one
        for one in (scientist.clone / "evidence").iterdir()
        if b"ordain.evidence/1" in one.read_bytes()
    )
    text = file.read_text().replace("0.98,", "0.99,")
    head = scientist.commit({f"evidence/{file.name}": text})
    scientist.push("better")
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert pushed.code != 0
    assert any(code.startswith(("PRO", "EVID", "CHG")) for code in pushed.codes), pushed.said


def test_a_promotion_that_the_machine_has_not_signed_is_refused(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    scientist.fetch()
    head = world.promotion(signed_by="data-scientist")
    assert world["reconciler"].push(f"{head}:refs/heads/topic").codes == ["PUSH003"]
    with Repository.open(scientist.clone) as repository:
        repository.fetch(str(world["reconciler"].clone), [f"{head}:refs/heads/forged"])
    assert scientist.push("forged").code == 0
    manager.approve(head)
    pushed = manager.push(f"{manager.merge(head)}:main")
    assert any(code.startswith("PRO") for code in pushed.codes), pushed.said
