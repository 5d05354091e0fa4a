"""Many who push at once, and somebody who goes around the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import gate_history
from ordain.reconciler.source import open_source

if TYPE_CHECKING:
    from ordain.reconciler.gating import Gated
    from tests.server.conftest import World

MANY = 8


@pytest.mark.e2e
def test_of_eight_approved_merges_at_once_exactly_one_wins(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    merges = []
    for number in range(MANY):
        head = scientist.branch(f"topic-{number}", {f"notes/{number}.md": f"{number}\n"})
        assert scientist.push(f"topic-{number}").code == 0
        manager.approve(head)
        person = world["manager" if number % 2 else "cto"]
        merges.append((person, person.merge(head)))
    with ThreadPoolExecutor(MANY) as pool:
        pushed = list(pool.map(lambda one: one[0].push(f"{one[1]}:main"), merges))
    won = [merge for (_, merge), one in zip(merges, pushed, strict=True) if one.code == 0]
    assert len(won) == 1
    assert world.refs()["refs/heads/main"] == won[0]
    for one in pushed:
        lost = "failed to update ref" in one.text or "cannot lock ref" in one.text
        behind = bool({"PUSH008", "PUSH023"} & set(one.codes))
        assert one.code == 0 or lost or behind or "fetch first" in one.text, one.text
    assert world.git("fsck", "--full", "--strict", "--no-dangling") == ""
    assert world.git("rev-list", "--first-parent", "--count", "main") == "2"


@pytest.mark.e2e
def test_each_round_has_one_winner_until_all_are_in(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    waiting = []
    for number in range(3):
        waiting.append(scientist.branch(f"topic-{number}", {f"notes/{number}.md": f"{number}\n"}))
        assert scientist.push(f"topic-{number}").code == 0
        manager.approve(waiting[-1])
    rounds = 0
    while waiting:
        merges = {head: manager.merge(head) for head in waiting}
        with ThreadPoolExecutor(MANY) as pool:
            pushed = list(pool.map(lambda merge: manager.push(f"{merge}:main"), merges.values()))
        won = [head for head, one in zip(merges, pushed, strict=True) if one.code == 0]
        assert len(won) == 1
        waiting.remove(won[0])
        rounds += 1
    assert rounds == 3
    assert world.git("fsck", "--full", "--strict", "--no-dangling") == ""
    assert judged(world).refused == ()


def judged(world: World) -> Gated:
    """What a reconciler says of the server's branch, from the root on."""
    reader = world["reconciler"]
    reader.fetch()
    reader.git("switch", "--quiet", "--detach", "origin/main")
    source = open_source(reader.clone, reader.environment)
    try:
        source.fetch()
        root = source.repository.root_commit(source.head())
        return gate_history(source, root, source.head(), datetime.now(tz=UTC))
    finally:
        source.repository.close()


@pytest.mark.contract
@pytest.mark.parametrize("way", ["receive-pack", "config"])
def test_a_shell_on_the_server_goes_around_the_hook_and_the_reconciler_refuses(
    world: World, way: str
) -> None:
    """What a hook cannot hold: whoever may write the files decides which hooks run."""
    scientist = world["data-scientist"]
    root = world.refs()["refs/heads/main"]
    monitor = "specs/monitors/malignancy.yaml"
    head = scientist.branch("topic", scientist.edited(monitor, "fail: 0.25", "fail: 5"))
    if way == "receive-pack":
        options = ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)
        pushed = scientist.push("topic:main", options=options, url=str(world.bare))
    else:
        scientist.git("config", "--global", "core.hooksPath", "/dev/null")
        pushed = scientist.push("topic:main", url=str(world.bare))
    assert (pushed.code, world.refs()["refs/heads/main"]) == (0, head)
    gated = judged(world)
    assert gated.good == root
    assert [one.revision for one in gated.refused] == [head]


@pytest.mark.contract
def test_the_file_transport_alone_does_not_go_around_the_hook(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic:main", url=str(world.bare))
    assert pushed.codes == ["PUSH001"]


@pytest.mark.contract
def test_after_a_bypass_the_server_still_judges_what_follows(world: World) -> None:
    """The branch is where it is; only what goes through the gate is added to it."""
    scientist, manager = world["data-scientist"], world["manager"]
    scientist.branch("topic", scientist.owned_by("histology"))
    options = ("--receive-pack=git -c core.hooksPath=/dev/null receive-pack",)
    assert scientist.push("topic:main", options=options, url=str(world.bare)).code == 0
    head = scientist.branch("next", scientist.owned_by("cytology"))
    assert scientist.push("next:main").codes == ["PUSH009"]
    scientist.push("next")
    manager.approve(head)
    assert manager.push(f"{manager.merge(head)}:main").code == 0
