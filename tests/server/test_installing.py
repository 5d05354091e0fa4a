"""What `ordain hook install --server` says about a branch that is there already."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import World

pytestmark = pytest.mark.contract


def hook(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "ordain.cli", "hook", *arguments],
        cwd=world.bare,
        env=kept | {"HOME": str(world.root), "ORDAIN_HOME": str(world.root / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def past_the_hook(world: World) -> str:
    """A commit that nobody has signed, put on the branch by somebody with a shell."""
    scientist = world["data-scientist"]
    head = scientist.branch("odd", scientist.owned_by("histology"), "--no-gpg-sign")
    world.git("fetch", "--quiet", str(scientist.clone), head)
    world.git("update-ref", "refs/heads/main", head)
    return head


def test_status_tells_what_came_past_the_hook(world: World) -> None:
    assert hook(world, "status", "--server").returncode == 0
    head = past_the_hook(world)
    world.git("config", "receive.fsckObjects", "false")
    told = hook(world, "status", "--server")
    assert told.returncode == 1
    assert told.stdout.splitlines()[2:] == [
        "receive.fsckObjects is false here and stays; ordain would set true",
        (
            f"Not to be trusted: {head[:12]} of refs/heads/main does not pass the gate: [GATE001] "
            f"commit {head[:12]} is not signed by anybody in the Organization"
        ),
        "Next: revert it, or trust the branch as it is: ordain hook install --server --root TIP",
    ]


def test_over_a_branch_that_does_not_pass_whoever_installs_names_the_tip(world: World) -> None:
    head = past_the_hook(world)
    world.git("config", "--unset", "ordain.root")
    refused = hook(world, "install", "--server")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error[PUSH028]: {head[:12]} of refs/heads/main does not")
    done = hook(world, "install", "--server", "--root", head)
    assert done.returncode == 0
    assert f"Protects refs/heads/main; trust begins at {head[:12]}." in done.stdout
    assert hook(world, "status", "--server").returncode == 0
