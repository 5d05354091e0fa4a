"""A job that is called the gate is read: whether it runs, and whether it can pass all the same."""

from __future__ import annotations

import re

import pytest

from ordain.reconciler.doctor.pipelines import includes_gate, judge_pipelines
from ordain.reconciler.workflows import (
    GATE,
    GITHUB_GATE,
    GITHUB_REVIEWS,
    GITLAB_ENTRY,
    GITLAB_GATE,
    pipeline_files,
)

LINE = '"$RUNNER_TEMP/ordain/bin/ordain" gate --record "$RUNNER_TEMP/ordain-verdict.json"'
SCRIPT = '"$ORDAIN_PLACE/bin/ordain" gate -o text'
RECORD = "--record ordain-verdict.json"
EVENT = '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'
CALLED = """\
"on": {pull_request: , merge_group: }
jobs:
  ordain:
    uses: somebody/ordain/.github/workflows/gate.yml@0123
"""
ACTION = """\
"on": {pull_request: , merge_group: }
jobs:
  gate:
    name: ordain gate
    steps:
      - uses: somebody/ordain@0123
        with: {args: ""}
"""


def files(kind: str) -> dict[str, str]:
    return dict(pipeline_files(kind, version="9.9.9", branch="trunk"))


def seen(kind: str, tree: dict[str, str]) -> tuple[str, str]:
    answer = judge_pipelines(kind, {path: text.encode() for path, text in tree.items()}, "trunk")
    assert bool(answer.remedy) == (answer.state.value != "ok")
    return answer.state.value, answer.detail


def edited(kind: str, path: str, *edits: tuple[str, str]) -> dict[str, str]:
    tree = files(kind)
    for old, new in edits:
        assert old in tree[path]
        tree[path] = tree[path].replace(old, new, 1)
    return tree


def test_what_init_writes_is_the_gate() -> None:
    github = f"{GITHUB_GATE}: the job {GATE} runs on pull_request and merge_group"
    assert seen("github", files("github")) == ("ok", github)
    assert seen("gitlab", files("gitlab")) == ("ok", f"{GITLAB_GATE} has the job {GATE}")


# GitHub


@pytest.mark.parametrize(
    ("old", "new", "state", "said"),
    [
        ("    timeout-minutes:", "    if: false\n    timeout-minutes:", "fail", "can be skipped"),
        ("    timeout-minutes:", "    needs: x\n    timeout-minutes:", "fail", "can be skipped"),
        ("- name: Judge the change\n", "- if: false\n", "fail", "can be skipped"),
        (LINE, f"{LINE}; exit 0", "warn", "is not as ordain init writes it"),
        (LINE, f"{LINE} || true", "fail", "may fail"),
        (LINE, f"exit 0\n          {LINE}", "warn", "is not as ordain init writes it"),
        (LINE, "echo ordain gate", "warn", "is not as ordain init writes it"),
        (LINE, "ordain gate --base HEAD --head HEAD", "warn", "is not as ordain init writes it"),
        (LINE, "ordain check", "fail", "does not run ordain gate"),
        ("- name: Judge the change\n", "- shell: sh {0} || true\n", "warn", "is not as ordain"),
        (LINE, f"{LINE} | tee log", "warn", "is not as ordain init writes it"),
        (LINE, f"{LINE} &", "warn", "is not as ordain init writes it"),
        (LINE, f"set +e\n          {LINE}\n          :", "warn", "is not as ordain init writes it"),
        (LINE, f"{LINE} \\\n            || true", "warn", "is not as ordain init writes it"),
        (LINE, f"if {LINE}; then :; fi", "warn", "is not as ordain init writes it"),
        (LINE, f"# {LINE}", "warn", "is not as ordain init writes it"),
        ("GITHUB_TOKEN:", "BASH_ENV: x\n          GITHUB_TOKEN:", "warn", "is not as ordain"),
        ("    steps:\n", "    container: x\n    steps:\n", "warn", "is not as ordain"),
        ("    steps:\n", "    env: {BASH_ENV: x}\n    steps:\n", "warn", "is not as ordain"),
        (
            "    steps:\n",
            "    steps:\n      - run: echo x >> $GITHUB_PATH\n",
            "warn",
            "not as ordain",
        ),
        ("fetch-depth: 0", "ref: main", "warn", "is not as ordain init writes it"),
        ("jobs:\n", "defaults: {run: {shell: 'true {0}'}}\njobs:\n", "warn", "is not as ordain"),
    ],
)
def test_a_gate_of_github_that_never_stops_anything_is_told(
    old: str, new: str, state: str, said: str
) -> None:
    found = seen("github", edited("github", GITHUB_GATE, (old, new)))
    assert (found[0], said in found[1]) == (state, True), found


@pytest.mark.parametrize(
    "said",
    [
        "paths-ignore: ['**']",
        "paths: [specs/**]",
        "branches: [other]",
        "branches: ['**']",
        "branches: [trunk, '!trunk']",
        "branches-ignore: [trunk]",
        "branches: [trunk]\n    types: [opened]",
    ],
)
def test_a_workflow_that_does_not_run_on_every_change_is_told(said: str) -> None:
    tree = files("github")
    tree[GITHUB_GATE] = re.sub(
        r"  pull_request:\n(    .*\n)*", f"  pull_request:\n    {said}\n", tree[GITHUB_GATE]
    )
    message = f"{GITHUB_GATE} does not surely run on every pull_request into trunk"
    assert seen("github", tree) == ("warn", message)


def test_versions_of_actions_and_the_machine_are_the_project_s_own() -> None:
    edits = (
        ("ubuntu-24.04", "[self-hosted, x]"),
        ("checkout@", "checkout@0"),
        ('"3.13"', '"3.12"'),
    )
    assert seen("github", edited("github", GITHUB_GATE, *edits))[0] == "ok"


def test_what_runs_after_the_gate_is_nobody_s_concern() -> None:
    tree = files("github")
    tree[GITHUB_GATE] += "      - run: echo done\n"
    assert seen("github", tree)[0] == "ok"


def test_the_step_may_have_another_name_and_token() -> None:
    edits = (("Judge the change", "Gate"), ("GITHUB_TOKEN:", "ORDAIN_GITHUB_TOKEN:"))
    assert seen("github", edited("github", GITHUB_GATE, *edits))[0] == "ok"


@pytest.mark.parametrize("args", ["--base HEAD", "--no-comment --head=HEAD", "--proposal 1"])
def test_words_of_the_action_that_choose_what_is_judged_are_told(args: str) -> None:
    reviews = files("github")[GITHUB_REVIEWS].replace("ordain.yml", "ci.yml")
    tree = {".github/workflows/ci.yml": ACTION, GITHUB_REVIEWS: reviews}
    assert seen("github", tree)[0] == "ok"
    tree[".github/workflows/ci.yml"] = ACTION.replace('""', f'"{args}"')
    assert seen("github", tree)[0] == "warn"


def test_a_failure_is_told_before_what_may_be_right() -> None:
    edits = ((LINE, "echo ordain gate"), ("  pull_request:\n", "  workflow_call:\n"))
    state, said = seen("github", edited("github", GITHUB_GATE, *edits))
    assert (state, said) == ("fail", f"{GITHUB_GATE} does not run on pull_request")


def test_after_a_review_the_workflow_of_the_gate_runs_again_whatever_it_is_called() -> None:
    ci = ".github/workflows/ci.yml"
    answer = judge_pipelines("github", {ci: CALLED.encode()}, "trunk")
    assert (answer.state.value, answer.remedy) == (
        "warn",
        f"take ordain's {GITHUB_REVIEWS} (docs/ci.md), with ci.yml for ordain.yml in it",
    )
    tree = {ci: CALLED, GITHUB_REVIEWS: files("github")[GITHUB_REVIEWS]}
    message = f"after a review {GITHUB_REVIEWS} runs ordain.yml again, and the gate is in ci.yml"
    assert seen("github", tree) == ("warn", message)
    tree[GITHUB_REVIEWS] = tree[GITHUB_REVIEWS].replace("ordain.yml", "ci.yml")
    assert seen("github", tree)[0] == "ok"


# GitLab


@pytest.mark.parametrize(
    "entry",
    [
        f"include: {GITLAB_GATE}",
        f"include: [{{local: /{GITLAB_GATE}}}]",
        "include: [{project: a/b}, {local: '.gitlab/*.yml'}]",
        f"x: {{script: !reference [.y, script]}}\ninclude: [{GITLAB_GATE}]",
    ],
)
def test_the_file_of_the_gate_may_be_included_in_several_ways(entry: str) -> None:
    assert includes_gate(entry.encode())
    assert seen("gitlab", {**files("gitlab"), GITLAB_ENTRY: entry})[0] == "ok"


@pytest.mark.parametrize(
    "entry",
    [
        "build: {script: [make]}",
        "include: [{project: a/b, file: x.yml}]",
        f"include: [{{local: {GITLAB_GATE}, rules: [{{if: $X}}]}}]",
        "include: [",
        "[]",
    ],
)
def test_a_gate_that_no_pipeline_includes_is_none(entry: str) -> None:
    message = f"{GITLAB_GATE} runs in no merge request: {GITLAB_ENTRY} does not include it"
    assert seen("gitlab", {**files("gitlab"), GITLAB_ENTRY: entry}) == ("fail", message)


def test_without_any_entry_the_gate_is_in_no_pipeline() -> None:
    tree = files("gitlab")
    del tree[GITLAB_ENTRY]
    assert seen("gitlab", tree)[0] == "fail"


def test_the_job_may_stand_in_the_entry_itself() -> None:
    tree = {GITLAB_ENTRY: files("gitlab")[GITLAB_GATE]}
    assert seen("gitlab", tree) == ("ok", f"{GITLAB_ENTRY} has the job {GATE}")


def test_what_the_entry_says_of_the_job_is_put_over_it() -> None:
    entry = f"include: {GITLAB_GATE}\n{GATE}: {{allow_failure: true}}\n"
    tree = {**files("gitlab"), GITLAB_ENTRY: entry}
    assert seen("gitlab", tree) == (
        "fail",
        f"the job {GATE} in {GITLAB_GATE} may fail and pass all the same",
    )


@pytest.mark.parametrize(
    ("old", "new", "state", "said"),
    [
        (EVENT, f"{EVENT}      allow_failure: true\n", "fail", "may fail"),
        (EVENT, f"{EVENT}      when: manual\n", "fail", "does not start by itself"),
        (EVENT, f"{EVENT}      when: never\n", "fail", "does not start by itself"),
        ("  interruptible: true", "  when: manual", "fail", "does not start by itself"),
        (EVENT, "", "fail", "starts it for every merge request"),
        (EVENT, EVENT.replace('event"', 'event" && $X'), "fail", "for every merge request"),
        (EVENT, f"{EVENT}      changes: [specs/**]\n", "fail", "for every merge request"),
        (EVENT, EVENT.replace('"', "'"), "ok", "has the job"),
        (EVENT, "    - if: $CI_MERGE_REQUEST_IID\n", "ok", "has the job"),
        (EVENT, "    - when: always\n", "ok", "has the job"),
        ("  script:\n", "  script:\n    - exit 0\n", "warn", "is not as ordain init writes it"),
        ("  before_script:\n", "  before_script:\n    - exit 0\n", "warn", "is not as ordain"),
        (SCRIPT, f"{SCRIPT} --base HEAD", "warn", "is not as ordain init writes it"),
        ("  stage: test", "  extends: .base", "warn", "is not as ordain init writes it"),
        ("python:3.13-bookworm", "mirror.bank/python:3.13@sha256:0", "ok", "has the job"),
        ("python:3.13-bookworm", "mallory/ordain:1", "warn", "is not as ordain init writes it"),
        ("GIT_DEPTH", "BASH_ENV: x\n    GIT_DEPTH", "warn", "is not as ordain init writes it"),
        (EVENT, f"{EVENT}      variables: {{A: b}}\n", "warn", "is not as ordain init writes it"),
        (RECORD, f"{RECORD} | tee log", "warn", "is not as ordain init writes it"),
    ],
)
def test_a_gate_of_gitlab_that_never_stops_anything_is_told(
    old: str, new: str, state: str, said: str
) -> None:
    found = seen("gitlab", edited("gitlab", GITLAB_GATE, (old, new)))
    assert (found[0], said in found[1]) == (state, True), found


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        ('[{if: $CI_PIPELINE_SOURCE == "push"}]', "warn"),
        ("[{if: $X, when: never}, {when: always}]", "warn"),
        ('[{if: $CI_PIPELINE_SOURCE == "merge_request_event", when: never}]', "warn"),
        ('[{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]', "ok"),
        ('[{if: $CI_PIPELINE_SOURCE == "push", when: never}, {when: always}]', "ok"),
    ],
)
def test_a_workflow_of_gitlab_that_starts_no_pipeline_is_told(rules: str, state: str) -> None:
    entry = f"workflow:\n  rules: {rules}\ninclude: {GITLAB_GATE}\n"
    assert seen("gitlab", {**files("gitlab"), GITLAB_ENTRY: entry})[0] == state


def test_what_is_included_after_the_gate_may_change_it() -> None:
    entry = f"include: [{{local: {GITLAB_GATE}}}, {{project: a/b, file: x.yml}}]"
    message = f"{GITLAB_ENTRY} includes more after {GITLAB_GATE}, which may change its job"
    assert seen("gitlab", {**files("gitlab"), GITLAB_ENTRY: entry}) == ("warn", message)


def test_a_script_in_the_entry_is_put_over_that_of_the_gate() -> None:
    entry = f"include: {GITLAB_GATE}\n{GATE}: {{script: ['true']}}\n"
    said = f"the job {GATE} in {GITLAB_GATE} does not run ordain gate"
    assert seen("gitlab", {**files("gitlab"), GITLAB_ENTRY: entry}) == ("fail", said)
