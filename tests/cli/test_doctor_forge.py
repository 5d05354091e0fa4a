"""`ordain doctor --forge`: what the forge enforces, and what cannot be seen is never OK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from forges.github import GitHubStub
from forges.gitlab import GitLabStub

import ordain
from ordain.reconciler.doctor.checks import look_around
from ordain.reconciler.doctor.examination import PROTECTING, examine
from ordain.reconciler.workflows import GATE, GITHUB_GATE, GITLAB_GATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place

    from ordain.reconciler.doctor.checks import Check

# Everything on, in the words of GitHub.
RULES: list[dict[str, object]] = [
    {"type": "deletion"},
    {"type": "non_fast_forward"},
    {
        "type": "pull_request",
        "parameters": {
            "required_approving_review_count": 1,
            "dismiss_stale_reviews_on_push": True,
            "require_code_owner_review": True,
            "require_last_push_approval": True,
        },
    },
    {
        "type": "required_status_checks",
        "parameters": {
            "strict_required_status_checks_policy": True,
            "required_status_checks": [{"context": GATE, "integration_id": 15368}],
        },
    },
]
NAMES = [name for name, _ in PROTECTING[1]()]


@dataclass
class Desk:
    """An estate whose forge is a stub, and the token that is used."""

    place: Place
    stub: GitHubStub
    token: str

    def checks(self, *, now: datetime | None = None) -> dict[str, Check]:
        """The answers about the forge, by name."""
        environ = self.place.environment | {"ORDAIN_GITHUB_TOKEN": self.token}
        with look_around(
            self.place.estate,
            environ,
            now or datetime.now(tz=UTC),
            package=Path(ordain.__file__).parent,
            bytecode=True,
            forge=True,
        ) as around:
            return {one.name: one for one in examine(around) if one.name in {*NAMES, "forge"}}

    def states(self) -> dict[str, str]:
        return {name: one.state.value for name, one in self.checks().items()}


def settle(place: Place, kind: str, url: str) -> None:
    """Name the forge in the estate, with its pipelines and its code owners."""
    server = place.root / "server.git"
    place.git("clone", "-q", "--bare", str(place.estate), str(server))
    place.git("remote", "add", "origin", str(server))
    place.git("fetch", "-q", "origin")
    forge = f"{{type: {kind}, remote: origin, url: '{url}', repository: bank/estate}}"
    place.edit("ordain.yaml", "{type: git, remote: origin}", forge)
    place.ordain("init", ".", "--ci", kind)
    place.ordain("codeowners", "--write")
    place.commit("The forge")
    place.git("push", "-q", "origin", "main")
    place.git("fetch", "-q", "origin")


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    """An estate on GitHub, where everything is on."""
    server = place.root / "server.git"
    with GitHubStub(server, name="bank/estate", me="cto") as stub:
        settle(place, "github", stub.url)
        stub.ruleset("main", deepcopy(RULES))
        yield Desk(place, stub, stub.token)


def changed(desk: Desk, kind: str, **parameters: object) -> None:
    """Another setting of one rule."""
    rule = next(one for one in desk.stub.rulesets[0].rules if one["type"] == kind)
    rule["parameters"] = {**rule["parameters"], **parameters}


def dropped(desk: Desk, kind: str) -> None:
    rules = desk.stub.rulesets[0].rules
    rules[:] = [one for one in rules if one["type"] != kind]


def test_where_everything_is_on_nothing_has_to_be_done(desk: Desk) -> None:
    states = desk.states()
    assert list(states) == ["forge", *NAMES]
    assert {name: state for name, state in states.items() if state != "ok"} == {}


@pytest.mark.parametrize(
    ("kind", "setting", "name", "state", "said"),
    [
        (
            "required_status_checks",
            {"required_status_checks": [{"context": "lint"}]},
            "check",
            "fail",
            "the gate stops nothing: required are lint",
        ),
        (
            "required_status_checks",
            {"strict_required_status_checks_policy": False},
            "strict",
            "warn",
            "what was judged may not be what is merged; the reconciler judges that again",
        ),
        (
            "pull_request",
            {"required_approving_review_count": 0},
            "approvals",
            "warn",
            "none is required there: a review that is taken back leaves the check green",
        ),
        (
            "pull_request",
            {"dismiss_stale_reviews_on_push": False},
            "stale",
            "warn",
            "approvals stay after new commits there; ordain does not count them",
        ),
        (
            "pull_request",
            {"require_code_owner_review": False},
            "owners",
            "warn",
            "anybody's review is enough there, also for workflows and policies",
        ),
        (
            "pull_request",
            {"require_last_push_approval": False},
            "pusher",
            "warn",
            "whoever pushed last can approve there; ordain does not count that",
        ),
    ],
)
def test_a_setting_that_is_off_is_told_with_what_to_click(
    desk: Desk, kind: str, setting: dict[str, object], name: str, state: str, said: str
) -> None:
    changed(desk, kind, **setting)
    found = desk.checks()
    assert (found[name].state.value, found[name].detail) == (state, said)
    assert "Settings, Branches or Rules" in found[name].remedy
    assert [one.name for one in found.values() if one.state.value != "ok"] == [name]


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("non_fast_forward", "rewriting", "the history can be rewritten"),
        ("deletion", "deletion", "the branch can be deleted and made anew"),
        ("pull_request", "pushes", "it can be pushed to without a proposal"),
        ("required_status_checks", "check", "the gate stops nothing: none is required"),
    ],
)
def test_a_rule_that_is_not_there_fails(desk: Desk, kind: str, name: str, said: str) -> None:
    dropped(desk, kind)
    found = desk.checks()[name]
    assert (found.state.value, found.detail) == ("fail", said)


def test_who_may_pass_over_the_rules_is_a_failure(desk: Desk) -> None:
    desk.stub.rulesets[0].bypass_actors.append(
        {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
    )
    found = desk.checks()["admins"]
    assert (found.state.value, found.detail) == ("fail", "administrators can merge past it")


def test_a_check_of_a_workflow_that_is_called_is_the_gate_s_too(desk: Desk) -> None:
    check: dict[str, object] = {"context": f"ordain / {GATE}", "integration_id": 15368}
    changed(desk, "required_status_checks", required_status_checks=[check])
    assert desk.states()["check"] == "ok"


def test_a_check_that_any_app_may_leave_is_told(desk: Desk) -> None:
    changed(desk, "required_status_checks", required_status_checks=[{"context": GATE}])
    found = desk.checks()["check"]
    said = f"any App or token that may write checks can leave {GATE} there"
    assert (found.state.value, found.detail) == ("warn", said)


def test_a_queue_that_judges_the_last_of_a_group_only_is_a_failure(desk: Desk) -> None:
    rules = desk.stub.rulesets[0].rules
    rules.append({"type": "merge_queue", "parameters": {"grouping_strategy": "HEADGREEN"}})
    found = desk.checks()["queue"]
    said = "its merge queue needs the checks of the last of a group only"
    assert (found.state.value, found.detail) == ("fail", said)


def test_signatures_that_the_forge_insists_on_are_a_trap(desk: Desk) -> None:
    desk.stub.rulesets[0].rules.append({"type": "required_signatures"})
    found = desk.checks()["signed"]
    assert found.state.value == "warn"
    assert "the reconciler's are signed by no account" in found.detail


def test_an_unprotected_branch_fails_line_by_line(desk: Desk) -> None:
    desk.stub.rulesets.clear()
    failed = {name for name, state in desk.states().items() if state == "fail"}
    assert failed == {"protected", "check", "admins", "pushes", "rewriting", "deletion"}


def test_what_the_token_may_not_see_is_never_ok(desk: Desk) -> None:
    desk.stub.rulesets.clear()
    desk.stub.protect()
    desk.token = desk.stub.token_for("cto", {"contents": "read", "metadata": "read"})
    found = desk.checks()
    hidden = ("check", "strict", "approvals", "stale", "owners", "pusher", "pushes")
    for name in hidden:
        assert found[name].state.value == "warn", name
        assert "does not tell this token" in found[name].detail
    assert found["rights"].state.value == "warn"
    assert "checks" in found["rights"].detail


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_forge_that_cannot_be_asked_is_one_failure_and_nothing_is_ok(
    desk: Desk, token: str
) -> None:
    desk.token = token
    found = desk.checks()
    assert found["forge"].state.value == "fail"
    assert found["forge"].detail.startswith("github cannot be asked: ")
    assert found["forge"].remedy
    # What stands in git needs nobody's word, and every refusal says what time it is.
    others = {"workflow", "codeowners", "time"}
    asked = [found[name].state.value for name in NAMES if name not in others]
    assert set(asked) == {"skip"}


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "ok"), (-90, "warn"), (900, "fail"), (-900, "fail")]
)
def test_the_clock_is_compared_with_the_forge_s(desk: Desk, seconds: int, state: str) -> None:
    now = datetime.now(tz=UTC) + timedelta(seconds=seconds)
    assert desk.checks(now=now)["time"].state.value == state


@pytest.mark.parametrize(
    ("edit", "state", "said"),
    [
        (("  merge_group:\n", ""), "warn", "a merge queue would wait for ever"),
        (("  pull_request:\n", "  workflow_call:\n"), "fail", "does not run on pull_request"),
        (("  pull_request:\n", "  pull_request_target:\n"), "fail", "runs on pull_request_target"),
        (("name: ordain gate", "name: gate"), "fail", f"has a job named {GATE}"),
        (('"on":', "on:"), "ok", "runs on pull_request and merge_group"),
        (("jobs:", "jobs: ["), "fail", f"has a job named {GATE}"),
        (('bin/ordain" gate --record', 'bin/ordain" check'), "fail", "does not run ordain gate"),
        (
            ("    timeout-minutes:", "    continue-on-error: true\n    timeout-minutes:"),
            "fail",
            "may fail",
        ),
    ],
)
def test_the_workflow_of_the_protected_branch_is_read(
    desk: Desk, edit: tuple[str, str], state: str, said: str
) -> None:
    desk.place.edit(GITHUB_GATE, *edit)
    desk.place.commit("Another workflow")
    desk.place.git("push", "-q", "origin", "main")
    desk.place.git("fetch", "-q", "origin")
    found = desk.checks()["workflow"]
    assert (found.state.value, said in found.detail) == (state, True), found.detail


def test_without_a_run_after_a_review_that_is_told(desk: Desk) -> None:
    desk.place.git("rm", "-q", ".github/workflows/ordain-reviews.yml")
    desk.place.commit("No reviews")
    desk.place.git("push", "-q", "origin", "main")
    desk.place.git("fetch", "-q", "origin")
    found = desk.checks()["workflow"]
    assert found.state.value == "warn"
    assert "does not run the gate again" in found.detail


def test_a_missing_file_of_code_owners_is_told(desk: Desk) -> None:
    desk.place.git("rm", "-q", ".github/CODEOWNERS")
    desk.place.commit("Nobody")
    desk.place.git("push", "-q", "origin", "main")
    desk.place.git("fetch", "-q", "origin")
    found = desk.checks()["codeowners"]
    assert (found.state.value, found.detail) == ("warn", ".github/CODEOWNERS is missing")


def test_gitlab_is_asked_for_its_own_settings(place: Place) -> None:
    with GitLabStub(place.root / "server.git", path="bank/estate", me="cto") as stub:
        settle(place, "gitlab", stub.url)
        environ = place.environment | {"ORDAIN_GITLAB_TOKEN": stub.token}
        package = Path(ordain.__file__).parent
        now = datetime.now(tz=UTC)
        with look_around(
            place.estate, environ, now, package=package, bytecode=True, forge=True
        ) as around:
            found = {one.name: one for one in examine(around)}
    assert found["workflow"].detail == f"{GITLAB_GATE} has the job {GATE}"
    assert found["forge"].state.value == "ok"
    owners = "CODEOWNERS is there, and the gate has nothing against it"
    assert (found["codeowners"].state.value, found["codeowners"].detail) == ("ok", owners)
    assert found["check"].state.value == "fail"
    assert "require pipelines to succeed" in found["check"].remedy


# By hand


def test_without_the_word_nobody_is_asked(desk: Desk) -> None:
    told = desk.place.ordain("doctor").stdout
    assert "not asked whether the gate is on" in told
    assert "fix: ordain doctor --forge" in told
    assert desk.stub.requests == []


def test_the_exit_code_is_1_where_something_lets_a_merge_past(desk: Desk) -> None:
    dropped(desk, "deletion")
    done = subprocess.run(
        [sys.executable, "-m", "ordain.cli", "doctor", "--forge", "-o", "json"],
        cwd=desk.place.estate,
        env=desk.place.environment | {"ORDAIN_GITHUB_TOKEN": desk.token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    found = {one["name"]: one["state"] for one in json.loads(done.stdout)["checks"]}
    assert found["deletion"] == "fail"
    assert desk.token not in done.stdout + done.stderr


def test_hooks_of_a_plain_server_cannot_be_read_back(place: Place) -> None:
    assert "nothing but the reconciler holds a merge back" in place.ordain("doctor").stdout
    place.git("remote", "add", "origin", os.devnull)
    place.git("update-ref", "refs/remotes/origin/main", "main")
    told = place.ordain("doctor", expect=None).stdout
    assert "plain git: nobody can read back which hooks origin has" in told
    assert "fix: on the server: ordain hook install --server" in told
