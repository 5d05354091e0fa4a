"""The hooks of a clone: what git runs before a commit and before a push."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

MONITOR = "specs/monitors/credit-default.yaml"
MODEL = "specs/models/credit-default.yaml"


def git(place: Place, *arguments: str) -> tuple[int, list[str]]:
    """Run git as a person would, with its hooks and without ssh-keygen; gives code and stderr."""
    done = subprocess.run(
        ["git", "-c", "commit.gpgsign=false", *arguments],
        cwd=place.estate,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def hooked(place: Place) -> Place:
    told = place.ordain("hook", "install").stdout.splitlines()
    assert [line.partition(" (")[0] for line in told] == [
        "pre-commit: written",
        "pre-push: written",
        "Next: ordain hook status",
    ]
    return place


# Before a commit


def test_what_breaks_a_rule_is_not_committed(hooked: Place) -> None:
    hooked.edit(MONITOR, "fail: 0.25", "fail: 5")
    code, told = git(hooked, "commit", "--quiet", "--all", "-m", "Loosen")
    assert code == 1
    assert told[0].startswith(f"error[POL-drift-limit.features]: {MONITOR}:")
    assert told[-1] == "Nothing was committed. Next: mend it, git add, and commit again"
    assert git(hooked, "commit", "--quiet", "--all", "-m", "Loosen", "--no-verify")[0] == 0


def test_what_is_committed_counts_and_not_the_work_tree(hooked: Place) -> None:
    hooked.edit(MONITOR, "fail: 0.25", "fail: 5")
    hooked.git("add", MONITOR)
    hooked.edit(MONITOR, "fail: 5", "fail: 0.25")
    assert git(hooked, "commit", "--quiet", "-m", "Loosen")[0] == 1
    hooked.git("add", MONITOR)
    hooked.edit(MONITOR, "fail: 0.25", "fail: 5")
    hooked.edit(MODEL, "owner: ", "owner: new-")
    hooked.git("add", MODEL)
    assert git(hooked, "commit", "--quiet", "-m", "Own") == (0, [])


def test_a_commit_of_some_files_is_judged_as_it_will_be(hooked: Place) -> None:
    """Git makes an index of its own for it, and tells only the hook where."""
    hooked.edit(MONITOR, "fail: 0.25", "fail: 5")
    hooked.edit(MODEL, "owner: ", "owner: new-")
    hooked.git("add", MONITOR)
    assert git(hooked, "commit", "--quiet", "-m", "Own", "--", MODEL) == (0, [])
    assert git(hooked, "commit", "--quiet", "-m", "Loosen", "--", MONITOR)[0] == 1


def test_a_repository_without_an_estate_is_left_alone(hooked: Place) -> None:
    hooked.git("rm", "--quiet", "-r", ".")
    (hooked.estate / "README.md").write_text("Nothing here.\n")
    hooked.git("add", "README.md")
    assert git(hooked, "commit", "--quiet", "-m", "Clear") == (0, [])


# Before a push


@pytest.fixture
def pushed(hooked: Place) -> Place:
    """With a remote that has the first commit."""
    remote = hooked.root / "remote.git"
    hooked.git("init", "--quiet", "--bare", str(remote))
    hooked.git("remote", "add", "origin", str(remote))
    assert git(hooked, "push", "--quiet", "origin", "main") == (0, [])
    hooked.git("switch", "--quiet", "--create", "topic")
    return hooked


def test_a_proposal_that_waits_for_approval_is_pushed_and_told(pushed: Place) -> None:
    pushed.edit(MODEL, "owner: ", "owner: new-")
    pushed.edit(MONITOR, "warn: 0.1", "warn: 0.2")
    pushed.commit("Look later")
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    assert code == 0, told
    assert told[0] == "ordain: refs/heads/topic"
    assert told[1].startswith("warning[SOD-QUORUM]: ")


def test_a_rule_about_approvals_only_waits_for_them(pushed: Place) -> None:
    """Of three rules that a new set of packs breaks, no approval mends the last."""
    rules = "  packs: [{name: baseline}, {name: separation-of-duties}]\n"
    head = "apiVersion: ordain.dev/v1\nkind: PolicySet\nmetadata: {name: packs}\nspec:\n"
    file = pushed.estate / "policies" / "packs.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(head + rules)
    pushed.commit("Separate duties")
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    found = [line.partition(":")[0] for line in told]
    assert code == 1
    assert "warning[POL-authority-takes-two]" in found
    assert "warning[SOD-QUORUM]" in found
    assert "error[POL-somebody-else.challengers]" in found


def test_a_proposal_that_breaks_a_rule_is_not_pushed(pushed: Place) -> None:
    pushed.edit(MONITOR, "fail: 0.25", "fail: 5")
    pushed.commit("Loosen")
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    assert code == 1
    assert any(line.startswith("error[POL-drift-limit.features]: ") for line in told)


def test_an_unsigned_commit_is_not_pushed(pushed: Place) -> None:
    pushed.edit(MODEL, "owner: ", "owner: new-")
    assert git(pushed, "commit", "--quiet", "--all", "-m", "Own")[0] == 0
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    assert (code, told[1].partition(":")[0]) == (1, "error[GATE001]")


def test_to_the_protected_branch_itself_approvals_must_be_there(pushed: Place) -> None:
    pushed.edit(MONITOR, "warn: 0.1", "warn: 0.2")
    pushed.commit("Look later")
    code, told = git(pushed, "push", "--quiet", "origin", "topic:main")
    assert (code, told[1].partition(":")[0]) == (1, "error[SOD-QUORUM]")


def test_deleting_and_pushing_nothing_new_ask_nothing(pushed: Place) -> None:
    assert git(pushed, "push", "--quiet", "origin", "main:refs/heads/same") == (0, [])
    assert git(pushed, "push", "--quiet", "origin", ":same") == (0, [])


def test_a_conflict_with_the_protected_branch_is_told_before_the_push(pushed: Place) -> None:
    pushed.edit(MODEL, "owner: ", "owner: new-")
    pushed.commit("Own")
    pushed.git("switch", "--quiet", "main")
    pushed.edit(MODEL, "owner: ", "owner: other-")
    pushed.commit("Own differently")
    assert git(pushed, "push", "--quiet", "--no-verify", "origin", "main") == (0, [])
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    assert (code, told[1].partition(":")[0]) == (1, "error[VCS009]")


def test_the_command_that_shows_the_rest_is_said_whole(pushed: Place) -> None:
    monitor = (pushed.estate / MONITOR).read_text(encoding="utf-8")
    for number in range(20):
        text = monitor.replace("name: credit-default", f"name: copy-{number}")
        file = pushed.estate / f"specs/monitors/copy-{number}.yaml"
        file.write_text(text.replace("fail: 0.25", "fail: 5"), encoding="utf-8")
    pushed.git("add", "specs/monitors")
    pushed.commit("Loosen")
    head = pushed.git("rev-parse", "HEAD").strip()
    code, told = git(pushed, "push", "--quiet", "origin", "topic")
    assert code == 1
    command = f"ordain check --base origin/main --rev {head[:12]}"
    rest = [line for line in told if line.startswith("... and ")]
    assert [line.partition(" more: ")[2] for line in rest] == [command]
    shown = pushed.ordain(*command.split()[1:], expect=1).stdout
    assert "specs/monitors/copy-19.yaml" in shown


def test_what_goes_to_an_address_is_said_to_be_compared_with_nothing(pushed: Place) -> None:
    address = str(pushed.root / "remote.git")
    pushed.edit(MODEL, "owner: ", "owner: new-")
    pushed.commit("Own")
    assert git(pushed, "push", "--quiet", address, "topic") == (
        0,
        [
            "ordain: refs/heads/topic",
            f"not compared with the protected branch: none of {address} is here",
        ],
    )


# What can be seen of them


def test_status_says_what_is_not_as_it_should_be(hooked: Place) -> None:
    assert hooked.ordain("hook", "status").stdout.splitlines()[-1] == "Next: ordain check"
    (hooked.estate / ".git/hooks/pre-push").unlink()
    told = hooked.ordain("hook", "status", expect=1).stdout.splitlines()
    assert [line.partition(" (")[0] for line in told] == [
        "pre-commit: installed",
        "pre-push: not installed",
        "Next: ordain hook install",
    ]


def test_a_clone_is_no_server(place: Place) -> None:
    told = place.ordain("hook", "install", "--server", expect=2).stderr
    assert told.startswith("error[PUSH028]: ")
    told = place.ordain("hook", "install", "--root", "HEAD", expect=2).stderr
    assert "--root and --branch go with --server" in told
