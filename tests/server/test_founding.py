"""How a server begins, and what it says when it cannot know what it protects."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import World

pytestmark = pytest.mark.contract


def install(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ordain.cli", "hook", "install", "--server", *options]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def emptied(world: World, *options: str) -> str:
    """The same server with nothing in it yet; returns the root of the estate."""
    root = world.refs()["refs/heads/main"]
    # A clone that has the history has to be there before the server has not.
    assert world["data-scientist"].git("rev-parse", "origin/main") == root
    shutil.rmtree(world.bare)
    Repository.init(world.bare, bare=True).close()
    done = install(world.bare, *options)
    assert done.returncode == (0 if options else 2), done.stderr
    return root


def test_an_empty_server_wants_to_know_where_trust_begins(world: World) -> None:
    root = emptied(world)
    done = install(world.bare)
    assert done.stderr.splitlines() == [
        "error[PUSH028]: there is no refs/heads/main yet, so it must be said where trust begins",
        "  = help: give the whole id of the estate's first commit: --root COMMIT",
    ]
    done = install(world.bare, "--root", root)
    assert done.stdout.splitlines()[-2:] == [
        f"Protects refs/heads/main; trust begins at {root[:12]}.",
        "Next: ordain hook status --server",
    ]


def test_the_first_push_brings_the_root(world: World) -> None:
    root = world.refs()["refs/heads/main"]
    emptied(world, "--root", root)
    scientist = world["data-scientist"]
    pushed = scientist.push("origin/main:refs/heads/main")
    assert (pushed.code, pushed.said) == (0, [])
    assert world.refs() == {"refs/heads/main": root}


def test_before_the_root_is_there_nothing_else_comes_in(world: World) -> None:
    root = world.refs()["refs/heads/main"]
    emptied(world, "--root", root)
    scientist = world["data-scientist"]
    scientist.git("switch", "--quiet", "--orphan", "other")
    scientist.commit({"README.md": "Another.\n"})
    pushed = scientist.push("other:main")
    assert pushed.codes == ["PUSH029"]
    assert (
        f"error[PUSH029]: there is no refs/heads/main yet, and the push does not bring {root[:12]},"
        " where trust begins"
    ) in pushed.said


def test_a_history_of_another_root_is_refused(world: World) -> None:
    root = world.refs()["refs/heads/main"]
    emptied(world, "--root", root)
    scientist = world["data-scientist"]
    scientist.git("switch", "--quiet", "--orphan", "other")
    scientist.commit({"README.md": "Another.\n"})
    pushed = scientist.push("other:main", f"{root}:refs/heads/topic")
    assert pushed.codes == ["PUSH022"]


def test_what_comes_after_the_root_in_the_first_push_is_judged(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    root = world.refs()["refs/heads/main"]
    head = scientist.branch("topic", scientist.owned_by("histology"))
    scientist.push("topic")
    manager.approve(head)
    merge = manager.merge(head)
    emptied(world, "--root", root)
    refused = manager.push(f"{merge}:refs/heads/main")
    assert refused.codes == ["SOD-QUORUM"]
    assert manager.push(f"{root}:refs/heads/main", f"{head}:refs/heads/topic").code == 0
    approvals = [ref for ref in manager.git("for-each-ref", "--format=%(refname)").split()
                 if ref.startswith("refs/ordain/approvals/")]  # fmt: skip
    assert manager.push(*approvals).code == 0
    assert manager.push(f"{merge}:refs/heads/main").code == 0


def test_a_root_that_breaks_a_rule_is_refused(world: World) -> None:
    """Who made it is trusted; what it declares is judged all the same."""
    scientist = world["data-scientist"]
    monitor = "specs/monitors/malignancy.yaml"
    head = scientist.branch("topic", scientist.edited(monitor, "fail: 0.25", "fail: 5"))
    emptied(world, "--root", head)
    pushed = scientist.push("topic:refs/heads/main")
    assert pushed.codes == ["POL-drift-limit.features"]


def test_what_is_before_the_root_of_trust_is_not_judged(world: World) -> None:
    """An estate that has lived without signatures can begin to be judged from a commit on."""
    scientist = world["data-scientist"]
    head = scientist.branch("topic", scientist.owned_by("histology"), "--no-gpg-sign")
    emptied(world, "--root", head)
    assert scientist.push("topic:refs/heads/main").code == 0
    later = scientist.commit(scientist.owned_by("cytology"))
    assert scientist.push(f"{later}:refs/heads/main").codes == ["PUSH009"]


def test_a_broken_ref_stops_everything_and_says_so(world: World) -> None:
    """Git would leave it out, and the branch could be pushed anew."""
    scientist = world["data-scientist"]
    head = scientist.branch("topic", scientist.owned_by("histology"))
    (world.bare / "packed-refs").unlink()
    (world.bare / "refs" / "heads").mkdir(exist_ok=True)
    (world.bare / "refs" / "heads" / "main").write_text("garbage\n")
    told = world.hook(f"{'0' * 40} {head} refs/heads/topic\n", REMOTE_USER="data-scientist")
    assert told.code == 1
    assert "error[PUSH029]: a ref of this repository cannot be read" in told.text


def test_a_branch_that_points_nowhere_stops_everything(world: World) -> None:
    (world.bare / "packed-refs").unlink()
    (world.bare / "refs" / "heads").mkdir(exist_ok=True)
    (world.bare / "refs" / "heads" / "main").write_text("1" * 40 + "\n")
    told = world.hook(f"{'0' * 40} {'2' * 40} refs/heads/topic\n", REMOTE_USER="data-scientist")
    assert told.code == 1
    assert "error[PUSH029]" in told.text


def look(world: World) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ordain.cli", "hook", "status", "--server"]
    return subprocess.run(command, cwd=world.bare, capture_output=True, text=True, check=False)


def test_status_says_whether_the_gate_is_on(world: World) -> None:
    hook = world.bare / "hooks" / "pre-receive"
    told = look(world)
    assert (told.returncode, told.stdout.splitlines()[0]) == (
        0,
        f"pre-receive: installed ({hook})",
    )
    hook.write_text(f"{hook.read_text()}exit 0\n")
    told = look(world)
    assert (told.returncode, told.stdout.splitlines()[-1]) == (
        1,
        "Next: ordain hook install --server",
    )


def test_status_sees_that_another_history_was_put_in_place(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.fetch()
    scientist.git("switch", "--quiet", "--orphan", "other")
    scientist.git("checkout", "--quiet", "origin/main", "--", ".")
    scientist.commit({"README.md": "Another root.\n"})
    bypass = ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)
    assert scientist.push("+other:main", options=bypass, url=str(world.bare)).code == 0
    told = look(world)
    assert told.returncode == 2
    assert "is not on the first-parent line of" in told.stderr


def test_an_estate_that_follows_another_branch_than_the_server_protects(world: World) -> None:
    world.git("config", "ordain.ref", "refs/heads/release")
    world.git("update-ref", "refs/heads/release", "refs/heads/main")
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic")
    assert pushed.codes == ["PUSH029"]
    said = "error[PUSH029]: the estate follows the branch main, this server protects release"
    assert said in pushed.said


def test_a_hook_without_its_settings_accepts_nothing(world: World) -> None:
    world.git("config", "--unset", "ordain.root")
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic")
    assert pushed.codes == ["PUSH029"]


@pytest.mark.parametrize("broken", ["exec false", "exec kill -9 $$", "exit 127"])
def test_a_hook_that_breaks_accepts_nothing(world: World, broken: str) -> None:
    hook = world.bare / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n{broken}\n")
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code != 0
    assert "refs/heads/topic" not in world.refs()


def test_a_hook_whose_interpreter_is_gone_accepts_nothing_and_says_so(world: World) -> None:
    hook = world.bare / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace(sys.executable, "/nowhere/python"))
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic")
    assert pushed.code != 0
    assert pushed.said == [
        "ordain: /nowhere/python is gone, so nothing can be judged: run ordain hook install again"
    ]


def test_a_proposal_of_a_thousand_files_gets_one_answer(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    files = {f"notes/{number}.md": f"{number}\n" for number in range(1000)}
    scientist.fetch()
    scientist.git("switch", "--quiet", "--create", "topic", "origin/main")
    for path, text in files.items():
        file = scientist.clone / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    scientist.git("add", "notes")
    scientist.git("commit", "--quiet", "-m", "Many notes")
    head = scientist.git("rev-parse", "HEAD")
    assert scientist.push("topic").code == 0
    merge = manager.merge(head)
    assert manager.push(f"{merge}:main").codes == ["SOD-QUORUM"]
    manager.approve(head)
    assert manager.push(f"{merge}:main").code == 0
