"""Who may push which ref, with real git over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import MODEL, MONITOR_FILE

if TYPE_CHECKING:
    from tests.server.conftest import World

pytestmark = pytest.mark.contract
ZERO = "0" * 40


# Who


def test_whoever_gives_no_password_is_turned_away_by_the_server(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    before = world.refs()
    pushed = scientist.push("topic", url=world.server.address())
    assert pushed.code != 0
    assert "could not read Username" in pushed.text
    assert world.refs() == before


def test_a_wrong_password_is_turned_away_by_the_server(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic", url=scientist.url("guess"))
    assert pushed.code != 0
    assert "Authentication failed" in pushed.text


def test_a_server_that_asks_nobody_lets_nobody_push(world: World) -> None:
    """Even where somebody switches pushing on for everybody, the hook wants a name."""
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    world.server.required = False
    world.git("config", "http.receivepack", "true")
    pushed = scientist.push("topic", url=world.server.address())
    assert pushed.code != 0
    assert pushed.said == [
        "ordain refuses this push",
        "error[PUSH001]: nobody is named as the pusher",
        "  = help: push with your account over https, or over ssh with the command that names you",
        "No ref was moved.",
        "Next: ordain explain PUSH001",
    ]


def test_an_account_that_is_nobodys_is_refused(world: World) -> None:
    stranger = world.person("data-scientist", account="stranger", desk="stranger")
    stranger.branch("topic", stranger.owned_by("histology"))
    pushed = stranger.push("topic")
    assert pushed.codes == ["PUSH002"]
    assert "error[PUSH002]: the account 'stranger' is nobody's in the Organization" in pushed.said


def test_two_names_for_one_pusher_are_none(world: World) -> None:
    told = world.hook("", REMOTE_USER="manager", ORDAIN_PUSHER="cto")
    assert (told.code, "two names are given for the pusher" in told.text) == (1, True)
    assert world.hook("", REMOTE_USER="manager", ORDAIN_PUSHER="manager").code == 0


# Branches


def test_any_branch_can_be_pushed_moved_and_deleted(world: World) -> None:
    scientist = world["data-scientist"]
    first = scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code == 0
    second = scientist.branch("topic", scientist.owned_by("cytology"), "--no-gpg-sign")
    assert scientist.push("+topic").code == 0
    assert world.refs()["refs/heads/topic"] == second != first
    assert world["manager"].push(":topic").code == 0
    assert "refs/heads/topic" not in world.refs()


def test_a_direct_push_is_refused_with_the_way_to_do_it(world: World) -> None:
    scientist = world["data-scientist"]
    before = world.refs()
    head = scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic:main")
    assert pushed.code != 0
    assert pushed.said == [
        "ordain refuses refs/heads/main",
        f"error[PUSH009]: {head[:12]} is no merge of one proposal into main",
        (
            "  = help: push it as a branch, then: ordain approve BRANCH, "
            "ordain proposals merge BRANCH"
        ),
        "No ref was moved.",
        "Next: ordain explain PUSH009",
    ]
    assert world.refs() == before


def test_the_protected_branch_is_not_deleted(world: World) -> None:
    before = world.refs()
    pushed = world["cto"].push(":main")
    assert pushed.codes == ["PUSH007"]
    assert world.refs() == before


def test_the_protected_branch_is_not_moved_back(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    root = world.refs()["refs/heads/main"]
    head = scientist.branch("topic", scientist.owned_by("histology"))
    scientist.push("topic")
    manager.approve(head)
    merge = manager.merge(head)
    assert manager.push(f"{merge}:main").code == 0
    pushed = manager.push(f"+{root}:main")
    assert pushed.codes == ["PUSH008"]
    assert world.refs()["refs/heads/main"] == merge


def test_another_history_is_refused(world: World) -> None:
    manager = world["manager"]
    manager.git("switch", "--quiet", "--orphan", "other")
    manager.commit({"ordain.yaml": "kind: Estate\n"})
    assert manager.push("+other:main").codes == ["PUSH008"]


@pytest.mark.parametrize("options", [(), ("--atomic",)])
def test_one_bad_ref_keeps_the_good_ones_from_moving(
    world: World, options: tuple[str, ...]
) -> None:
    scientist = world["data-scientist"]
    before = world.refs()
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push("topic:main", "topic:topic", "topic:refs/tags/v1", options=options)
    assert pushed.code != 0
    assert [line for line in pushed.said if line.startswith("ordain refuses")] == [
        "ordain refuses refs/heads/main",
        "ordain refuses refs/tags/v1",
    ]
    assert pushed.codes == ["PUSH009", "PUSH005"]
    assert world.refs() == before


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/Main",
        "refs/heads/MAIN",
        "refs/heads/\uff4d\uff41\uff49\uff4e",
        "refs/heads/main\ufe0f",
        "refs/heads/HEAD",
        "refs/heads/refs/heads/main",
        "refs/heads/heads/main",
        "refs/heads/Ordain/Promote/malignancy-1",
        "refs/ordain/Approvals/x",
        "refs/heads/ordain",
        "refs/heads/ordain/promote",
        "refs/heads/Ordain",
        "refs/heads/main/topic",
    ],
)
def test_a_name_that_can_be_taken_for_another_is_refused(world: World, ref: str) -> None:
    manager = world["manager"]
    manager.branch("topic", manager.owned_by("histology"))
    assert manager.push(f"topic:{ref}").codes == ["PUSH004"]


@pytest.mark.parametrize("ref", ["refs/heads/ma\u200bin", "refs/heads/a\u2028b", "refs/heads/\x85"])
def test_a_name_with_letters_that_cannot_be_shown_is_refused(world: World, ref: str) -> None:
    manager = world["manager"]
    manager.branch("topic", manager.owned_by("histology"))
    pushed = manager.push(f"topic:{ref}")
    assert pushed.codes == ["PUSH004"]
    assert ref not in pushed.text


def test_one_odd_name_on_the_disk_does_not_stop_everything(world: World) -> None:
    """A branch with a line end of Unicode in its name could otherwise jam every push."""
    world.git("update-ref", "refs/heads/a\u2028b", "refs/heads/main")
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code == 0


@pytest.mark.parametrize(
    "ref", ["refs/tags/v1", "refs/notes/commits", "refs/ordain/remote-anchors", "refs/replace/x"]
)
def test_what_is_neither_branch_nor_statement_is_refused(world: World, ref: str) -> None:
    manager = world["manager"]
    manager.branch("topic", manager.owned_by("histology"))
    pushed = manager.push(f"topic:{ref}")
    assert pushed.codes == ["PUSH005"]
    remedy = "  = help: push it as a branch: git push REMOTE COMMIT:refs/heads/NAME"
    assert remedy in pushed.said


def test_a_branch_is_of_commits(world: World) -> None:
    scientist = world["data-scientist"]
    blob = scientist.git("rev-parse", "origin/main:ordain.yaml")
    pushed = scientist.push(f"{blob}:refs/heads/topic")
    assert pushed.code != 0
    assert "refs/heads/topic" not in world.refs()


def test_a_ref_that_stands_for_the_protected_one_is_no_way_around(world: World) -> None:
    world.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    before = world.refs()
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic:refs/heads/alias").codes == ["PUSH006"]
    assert scientist.push(":refs/heads/alias").codes == ["PUSH006"]
    assert world.refs() == before


def test_what_the_pusher_says_of_the_past_is_not_believed(world: World) -> None:
    main = world.refs()["refs/heads/main"]
    told = world.hook(f"{ZERO} {main} refs/heads/main\n", REMOTE_USER="manager")
    assert (told.code, "error[PUSH023]" in told.text) == (1, True)


def test_lines_that_are_none_of_gits_are_refused(world: World) -> None:
    told = world.hook("nonsense\n", REMOTE_USER="manager")
    assert (told.code, "git asks for something unknown: 'nonsense'" in told.text) == (1, True)


def test_the_answer_has_at_most_twenty_lines(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    pushed = scientist.push(*(f"topic:refs/tags/v{number}" for number in range(30)))
    assert len(pushed.said) <= 20
    assert pushed.said[-3:-1] == ["... and 25 more", "No ref was moved."]


def test_the_command_that_shows_the_rest_names_the_branch_and_the_commit(world: World) -> None:
    scientist, manager = world["data-scientist"], world["manager"]
    (text,) = scientist.edited(MONITOR_FILE, "fail: 0.25", "fail: 5").values()
    copies = {
        f"specs/monitors/copy-{number}.yaml": text.replace(f"name: {MODEL}", f"name: copy-{number}")
        for number in range(20)
    }
    head = scientist.branch("topic", copies)
    assert scientist.push("topic").code == 0
    merge = manager.merge(head)
    (rest,) = [one for one in manager.push(f"{merge}:main").said if one.startswith("... and ")]
    assert rest.endswith(f" more: ordain check --base REMOTE/main --rev {merge[:12]}")


def test_settings_of_the_pusher_change_nothing(world: World) -> None:
    """Push options and a hooks path of the client are the client's own business."""
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    done = scientist.run(
        "git", "-c", "core.hooksPath=/dev/null", "push", scientist.url(), "topic:main"
    )
    assert (done.returncode, "error[PUSH009]" in done.stderr) == (1, True)


def test_an_object_that_git_calls_broken_does_not_come_in(world: World) -> None:
    scientist = world["data-scientist"]
    tree = scientist.git("rev-parse", "origin/main^{tree}")
    scientist.place.joinpath("bad").write_text(
        f"tree {tree}\nauthor nobody 1 +0000\ncommitter nobody 1 +0000\n\nbroken\n"
    )
    options = ("hash-object", "-t", "commit", "-w", "--literally")
    bad = scientist.git(*options, str(scientist.place / "bad"))
    pushed = scientist.push(f"{bad}:refs/heads/topic")
    assert pushed.code != 0
    assert "refs/heads/topic" not in world.refs()


# Over ssh


def forced(person: str) -> tuple[str, ...]:
    """What sshd runs for a key with the forced command of docs/server.md, without the sshd."""
    return (f"--receive-pack=env -u REMOTE_USER ORDAIN_PUSHER={person} git receive-pack",)


def test_the_forced_command_of_a_key_names_the_pusher(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    bare = str(world.bare)
    named = scientist.push("topic", options=forced("data-scientist"), url=bare)
    assert (named.code, named.said) == (0, [])
    assert scientist.push("topic:other", options=forced("nobody"), url=bare).codes == ["PUSH002"]


def test_who_moved_a_ref_is_written_down_by_git(world: World) -> None:
    scientist = world["data-scientist"]
    scientist.branch("topic", scientist.owned_by("histology"))
    assert scientist.push("topic").code == 0
    entry = (world.bare / "logs/refs/heads/topic").read_text()
    assert " data-scientist <data-scientist@http.127.0.0.1> " in entry
