"""The pipelines that an estate is given: valid, pinned, least in rights, and run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import ordain
from ordain.reconciler.workflows import (
    FORGES,
    GATE,
    GITHUB_GATE,
    GITLAB_ENTRY,
    GITLAB_GATE,
    pipeline_files,
)

ROOT = Path(ordain.__file__).parents[1]
SCHEMAS = ROOT / "tests" / "data" / "schemas"
BRANCHES = ("main", "release/1.0", "it's", "on", "1.0", "größe")
REVIEWS = ".github/workflows/ordain-reviews.yml"
RECONCILE = ".github/workflows/ordain-reconcile.yml"
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+( .*)?")


def written(forge: str = "github", branch: str = "main") -> dict[str, str]:
    return dict(pipeline_files(forge, version="0.1.0", branch=branch))


def loaded(text: str) -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load(text)


def ours() -> dict[str, str]:
    """Every file of GitHub that comes from us, by where it stands."""
    own = {name: (ROOT / name).read_text() for name in ("action.yml", ".github/workflows/gate.yml")}
    return {**written(), **own}


def steps_of(text: str) -> list[dict[str, Any]]:
    found = loaded(text)
    jobs = found["jobs"].values() if "jobs" in found else [found["runs"]]
    return [step for job in jobs for step in job["steps"]]


def script(text: str, name: str) -> str:
    """The shell lines of a step."""
    (found,) = [step["run"] for step in steps_of(text) if step["name"] == name]
    return str(found)


def schema(name: str) -> Any:  # noqa: ANN401 - a JSON schema
    return json.loads((SCHEMAS / name).read_text())


# Valid


@pytest.mark.parametrize("branch", BRANCHES)
def test_workflows_are_what_the_schema_of_github_says(branch: str) -> None:
    validator = jsonschema.Draft7Validator(schema("github-workflow.json"))
    for text in written(branch=branch).values():
        validator.validate(loaded(text))
    validator.validate(loaded((ROOT / ".github/workflows/gate.yml").read_text()))
    assert loaded(written(branch=branch)[GITHUB_GATE])["on"]["push"]["branches"] == [branch]


def test_the_action_is_what_the_schema_of_github_says() -> None:
    action = loaded((ROOT / "action.yml").read_text())
    jsonschema.Draft7Validator(schema("github-action.json")).validate(action)
    assert action["inputs"].keys() == {"version", "python", "args", "token"}
    assert action["outputs"].keys() == {"verdict", "record"}


def test_the_pipeline_is_what_the_schema_of_gitlab_says() -> None:
    validator = jsonschema.Draft7Validator(schema("gitlab-ci.json"))
    for text in written("gitlab").values():
        validator.validate(loaded(text))


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("zizmor")
    program = str(beside) if beside.is_file() else shutil.which("zizmor")
    if program is None:
        pytest.skip("zizmor is not installed; it is in the group `dev`")
    for path, text in ours().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = subprocess.run(
        [program, "--offline", "--no-progress", "--persona=pedantic", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# Safe


def test_every_action_of_others_is_named_by_its_commit_and_its_version() -> None:
    for path, text in ours().items():
        used = [line.partition("uses: ")[2] for line in text.splitlines() if " uses: " in line]
        calls = [one for one in used if not one.startswith("OWNER/")]
        assert all(PINNED.fullmatch(one) for one in calls), path


def test_no_expression_stands_in_a_script() -> None:
    for path, text in ours().items():
        scripts = [step["run"] for step in steps_of(text) if "run" in step]
        assert not [one for one in scripts if "${{" in one], path


def test_python_is_never_asked_for_a_module_of_the_checkout() -> None:
    for forge in FORGES:
        for path, text in {**written(forge), **ours()}.items():
            lines = [line for line in text.splitlines() if re.search(r"python3? .*-m ", line)]
            assert all(" -I -m " in line for line in lines), path


def test_nothing_has_a_right_that_it_does_not_need() -> None:
    found = {path: loaded(text) for path, text in ours().items() if path != "action.yml"}
    assert all(one["permissions"] == {} for one in found.values())
    rights = {
        path: [job["permissions"] for job in one["jobs"].values()] for path, one in found.items()
    }
    gate = [{"contents": "read", "pull-requests": "write"}]
    assert rights == {
        GITHUB_GATE: gate,
        ".github/workflows/gate.yml": gate,
        REVIEWS: [{"actions": "write"}],
        RECONCILE: [{"contents": "read"}],
    }


def test_the_gate_runs_where_it_must_and_never_for_a_stranger_with_our_rights() -> None:
    gate = loaded(written()[GITHUB_GATE])
    assert gate["on"].keys() == {"pull_request", "merge_group", "push"}
    assert [job["name"] for job in gate["jobs"].values()] == [GATE]
    # A check stands at a commit: one of a pull request into another branch would count here.
    assert gate["on"]["pull_request"]["branches"] == ["main"]
    assert {"opened", "synchronize", "reopened", "edited"} == {*gate["on"]["pull_request"]["types"]}
    for text in ours().values():
        on = loaded(text).get("on", {})
        assert "pull_request_target" not in on
    checkout = next(step for step in steps_of(written()[GITHUB_GATE]) if "uses" in step)
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}


def test_only_the_protected_branch_reaches_the_key_of_the_app() -> None:
    (job,) = loaded(written(branch="it's")[RECONCILE])["jobs"].values()
    assert job["if"] == "${{ github.ref_name == 'it''s' }}"
    assert job["environment"] == "ordain-reconciler"


def test_what_serves_outlives_the_job_that_started_it() -> None:
    """A runner ends whatever has its mark in the environment when a job ends."""
    (step,) = [one for one in steps_of(written()[RECONCILE]) if one["name"] == "Reconcile once"]
    assert step["env"]["RUNNER_TRACKING_ID"] == ""


def test_an_included_file_decides_over_no_pipeline_but_its_own() -> None:
    assert loaded(written("gitlab")[GITLAB_GATE]).keys() == {GATE}


def test_the_gate_that_is_called_says_what_its_caller_must_add() -> None:
    text = (ROOT / ".github/workflows/gate.yml").read_text()
    head = [line[2:] for line in text.splitlines() if line.startswith("# ") and "    " in line]
    example = loaded("\n".join(head))
    mine = loaded(written()[GITHUB_GATE])
    assert example["concurrency"] == mine["concurrency"]
    assert example["jobs"]["ordain"]["permissions"] == mine["jobs"]["gate"]["permissions"]


def test_on_gitlab_the_job_is_called_alike_and_writes_what_gitlab_shows() -> None:
    files = written("gitlab")
    assert loaded(files[GITLAB_ENTRY]) == {"include": [{"local": GITLAB_GATE}]}
    job = loaded(files[GITLAB_GATE])[GATE]
    assert job["variables"]["GIT_DEPTH"] == "0"
    (line,) = job["script"]
    for report in job["artifacts"]["reports"].values():
        assert f"={report}" in line
    assert f"--record {job['artifacts']['paths'][0]}" in line
    # What a change brings under these names is no report of the run.
    kept = {*job["artifacts"]["reports"].values(), *job["artifacts"]["paths"]}
    assert set(job["before_script"][0].removeprefix("rm -rf ").split()) == kept


# One text, several places


def test_the_workflow_that_is_called_has_the_steps_of_the_one_that_is_written() -> None:
    called = (ROOT / ".github/workflows/gate.yml").read_text()
    mine = [dict(step) for step in steps_of(written()[GITHUB_GATE])]
    theirs = [dict(step) for step in steps_of(called)]
    for step in (*mine, *theirs):
        if step["name"] == "Install ordain":
            step["env"] = {}
    assert mine == theirs


def test_the_template_for_gitlab_is_what_init_writes() -> None:
    text = (ROOT / "ci" / "gitlab" / "ordain.gitlab-ci.yml").read_text()
    assert text == pipeline_files("gitlab", version=ordain.__version__, branch="main")[GITLAB_GATE]


# Run


def run(
    text: str, step: str, at: Path, environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """The shell lines of a step as a runner runs them."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script(text, step)],
        cwd=at,
        env={"PATH": os.environ["PATH"], "HOME": str(at), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def program(place: Path, name: str, lines: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(f"#!/bin/sh\n{lines}\n")
    (place / name).chmod(0o755)


@pytest.mark.e2e
def test_the_install_step_runs_nothing_of_the_checkout(tmp_path: Path) -> None:
    checkout, temp = tmp_path / "checkout", tmp_path / "temp"
    checkout.mkdir()
    temp.mkdir()
    for name in ("venv", "pip", "ensurepip", "sitecustomize"):
        (checkout / f"{name}.py").write_text("raise SystemExit('it was run')\n")
    environ = {
        "RUNNER_TEMP": str(temp),
        "VERSION": "0.0.0",
        "PIP_NO_INDEX": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = run(written()[GITHUB_GATE], "Install ordain", checkout, environ)
    # Without an index there is nothing to install, and pip says so: it is the real one.
    assert "ordain==0.0.0" in done.stderr
    assert "it was run" not in done.stdout + done.stderr
    assert (temp / "ordain" / "bin" / "python").exists()


@pytest.mark.parametrize("path", [GITHUB_GATE, "action.yml"])
def test_the_step_of_the_gate_writes_the_record_and_ends_as_the_gate_does(
    tmp_path: Path, path: str
) -> None:
    program(
        tmp_path / "ordain" / "bin", "ordain", f"printf '%s\\n' \"$@\" > {tmp_path}/words\nexit 1"
    )
    environ = {"RUNNER_TEMP": str(tmp_path), "ARGS": "--no-comment -o\ntext;id $(id) *\n"}
    done = run(ours()[path], "Judge the change", tmp_path, environ)
    assert done.returncode == 1
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:3] == ["gate", "--record", f"{tmp_path}/ordain-verdict.json"]
    # Words that somebody gave stay words.
    more = ["--no-comment", "-o", "text;id", "$(id)", "*"]
    assert words[3:] == (more if path == "action.yml" else [])


@pytest.mark.parametrize(("found", "asked"), [("", 1), ("42", 2)])
def test_a_review_runs_the_newest_gate_again(tmp_path: Path, found: str, asked: int) -> None:
    program(tmp_path / "bin", "gh", f'echo "$@" >> {tmp_path}/asked\necho {found}')
    environ = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "bank/estate",
        "HEAD": "a" * 40,
        "NUMBER": "7",
    }
    done = run(written()[REVIEWS], "Run the gate once more", tmp_path, environ)
    assert done.returncode == 0
    lines = (tmp_path / "asked").read_text().splitlines()
    assert len(lines) == asked
    assert f"workflows/ordain.yml/runs?event=pull_request&head_sha={'a' * 40}" in lines[0]
    assert "any(.pull_requests[]; .number == 7)" in lines[0]
    assert lines[1:] == ["api --method POST repos/bank/estate/actions/runs/42/rerun"][: asked - 1]
