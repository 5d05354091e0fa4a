"""`ordain gate`, run as a pipeline runs it: a shallow clone, an event, a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from forges.github import GitHubStub
from forges.gitlab import GitLabStub

import ordain
from ordain.policies.records import read_record
from ordain.policies.records_schema import record_schema
from ordain.reconciler.workflows import GITHUB_GATE, pipeline_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place

ROUTE = "specs/routes/credit.yaml"
MODEL = "specs/models/credit-default.yaml"
MONITOR = "specs/monitors/credit-default.yaml"
ZERO = "0" * 40


@dataclass
class Pipeline:
    """A runner's clone of a forge's repository."""

    place: Place
    server: Path
    clone: Path
    variables: dict[str, str] = field(default_factory=dict)

    def checkout(self, commit: str, depth: int = 1) -> None:
        """What a runner has: a few commits of one ref, detached."""
        self.clone.mkdir()
        self.git("init", "-q", "-b", "nothing")
        self.git("remote", "add", "origin", self.server.as_uri())
        self.git("fetch", "-q", f"--depth={depth}", "origin", commit)
        self.git("checkout", "-q", "--detach", "FETCH_HEAD")

    def git(self, *arguments: str) -> str:
        return self.place.git("-c", "protocol.file.allow=always", *arguments, at=self.clone)

    def github(self, event: str, content: dict[str, Any]) -> None:
        """The environment of a workflow's step."""
        file = self.place.root / "event.json"
        file.write_text(json.dumps(content))
        self.variables |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
        }

    def gate(self, *arguments: str, expect: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "ordain.cli", "gate", *arguments],
            cwd=self.clone,
            env=self.place.environment | self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
        return done


@pytest.fixture
def pipeline(place: Place) -> Pipeline:
    """A server with the estate, and a place for the runner's clone."""
    server = place.root / "server.git"
    place.git("clone", "-q", "--bare", str(place.estate), str(server))
    place.git("config", "uploadpack.allowAnySHA1InWant", "true", at=server)
    place.git("remote", "add", "origin", str(server))
    return Pipeline(place, server, place.root / "runner")


def offered(pipeline: Pipeline, *edits: tuple[str, str, str], branch: str = "topic") -> str:
    """A pull request's branch on the server, and its commit."""
    place = pipeline.place
    place.git("checkout", "-q", "-b", branch, "main")
    for path, old, new in edits:
        place.edit(path, old, new)
    commit = place.commit("A change")
    place.git("push", "-q", "origin", branch)
    place.git("push", "-q", "origin", f"{commit}:refs/pull/7/head")
    return commit


def main_of(pipeline: Pipeline) -> str:
    return pipeline.place.git("rev-parse", "main").strip()


def pull_request(head: str, *, base: str = "main", source: str = "bank/estate") -> dict[str, Any]:
    """The fields of the event that are documented and read."""
    return {
        "pull_request": {
            "number": 7,
            "head": {"sha": head, "ref": "topic", "repo": {"full_name": source}},
            "base": {"ref": base, "sha": ZERO, "repo": {"full_name": "bank/estate"}},
        }
    }


# The change that an event names


def test_a_pull_request_is_judged_in_a_shallow_clone_of_one_commit(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    done = pipeline.gate("--record", "../verdict.json", expect=0)
    assert done.stdout == "no findings in 10 files\n"
    record = read_record((pipeline.place.root / "verdict.json").read_bytes())
    jsonschema.validate(record, record_schema())
    assert (record["verdict"], record["revision"]) == ("pass", head)
    assert record["base"] == main_of(pipeline)


def test_what_breaks_a_policy_is_refused_with_annotations_and_a_summary(
    pipeline: Pipeline,
) -> None:
    head = offered(pipeline, (MONITOR, "fail: 0.25", "fail: 5"))
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    summary, output = pipeline.place.root / "summary.md", pipeline.place.root / "output"
    pipeline.variables |= {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    done = pipeline.gate("--record", "../verdict.json", expect=1)
    assert f"::error file={MONITOR},line=" in done.stdout
    assert summary.read_text().startswith("### ❌ ordain: fail")
    assert output.read_text() == "verdict=fail\nrecord=../verdict.json\n"


def test_the_rules_are_those_of_the_base_even_if_the_change_brings_others(
    pipeline: Pipeline,
) -> None:
    place = pipeline.place
    place.git("checkout", "-q", "-b", "topic", "main")
    place.edit(MONITOR, "fail: 0.25", "fail: 5")
    for file in (place.estate / "policies").glob("*.yaml"):
        file.unlink()
    head = place.commit("No rules, no limits")
    place.git("push", "-q", "origin", "topic")
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    told = pipeline.gate("-o", "text", expect=1).stdout
    assert "SOD-QUORUM" in told
    assert "POL-drift-limit.features" in told


@pytest.mark.e2e
def test_an_approval_on_the_server_is_fetched_and_counts(pipeline: Pipeline) -> None:
    head = offered(pipeline, (ROUTE, "endpoint: /v1/credit", "endpoint: /v1/loans"))
    place = pipeline.place
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    missing = pipeline.gate("-o", "text", expect=1).stdout
    assert "SOD-QUORUM" in missing
    place.git("fetch", "-q", "origin")
    place.ordain("proposals", "approve", "topic", "--as", "manager")
    pipeline.gate("-o", "text", "--record", "../verdict.json", expect=0)
    record = read_record((place.root / "verdict.json").read_bytes())
    assert [one["person"] for one in record["approvals"]["counted"]] == ["manager"]


def test_a_head_that_is_not_here_is_fetched_by_the_number(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.place.git("push", "-q", "origin", ":topic")
    pipeline.checkout("main")
    pipeline.github("pull_request", pull_request(head, source="somebody/fork"))
    done = pipeline.gate(expect=0)
    assert "note: no comment: the pipeline of a fork may not write here" in done.stderr


def test_a_push_is_judged_against_what_was_there_before(pipeline: Pipeline) -> None:
    before = main_of(pipeline)
    after = offered(pipeline, (MONITOR, "fail: 0.25", "fail: 5"))
    pipeline.checkout(after)
    pipeline.github("push", {"ref": "refs/heads/main", "before": before, "after": after})
    assert "POL-drift-limit.features" in pipeline.gate("-o", "text", expect=1).stdout


def test_a_queued_merge_is_judged_as_the_commit_that_the_queue_made(pipeline: Pipeline) -> None:
    base = main_of(pipeline)
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head)
    ref = f"refs/heads/gh-readonly-queue/main/pr-7-{base}"
    group = {"head_sha": head, "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/main"}
    pipeline.github("merge_group", {"merge_group": group})
    assert pipeline.gate("--record", "../v.json", expect=0).stderr == ""
    record = read_record((pipeline.place.root / "v.json").read_bytes())
    assert (record["base"], record["revision"]) == (base, head)


def test_a_merge_into_another_branch_leaves_no_check(pipeline: Pipeline) -> None:
    """It would stand at the same commit as that of a merge into the protected branch."""
    head = offered(pipeline, (ROUTE, "/v1/credit", "/v1/loans"))
    pipeline.place.git("push", "-q", "origin", f"{head}:refs/heads/playground")
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head, base="playground"))
    said = pipeline.gate(expect=2).stderr
    assert "this is for a merge into playground, and production follows main" in said


def test_which_branch_counts_is_said_by_the_base_and_not_by_the_change(pipeline: Pipeline) -> None:
    place = pipeline.place
    place.git("push", "-q", "origin", "main:refs/heads/playground")
    place.git("checkout", "-q", "-b", "topic", "main")
    place.edit("ordain.yaml", "protectedBranch: main", "protectedBranch: playground")
    head = place.commit("Production follows another branch")
    place.git("push", "-q", "origin", "topic")
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head, base="playground"))
    assert "this is for a merge into playground" in pipeline.gate(expect=2).stderr
    pipeline.github("pull_request", pull_request(head))
    assert "SOD-QUORUM" in pipeline.gate("-o", "text", expect=1).stdout


def test_what_waits_behind_a_merge_that_is_not_there_yet_is_not_judged(pipeline: Pipeline) -> None:
    """Its rules and its content would be those of a base that may never be merged."""
    place, base = pipeline.place, main_of(pipeline)
    before = offered(pipeline, (ROUTE, "/v1/credit", "/v1/loans"))
    place.git("checkout", "-q", "-b", "queued")
    place.edit(MODEL, "  owner: ", "  owner: retail-")
    head = place.commit("Another change")
    place.git("push", "-q", "origin", "queued")
    pipeline.checkout(head)
    ref = f"refs/heads/gh-readonly-queue/main/pr-8-{before}"
    group = {"head_sha": head, "head_ref": ref, "base_sha": before, "base_ref": "refs/heads/main"}
    pipeline.github("merge_group", {"merge_group": group})
    said = pipeline.gate(expect=2).stderr
    assert f"{before[:12]}, which this merge is queued behind, is not on main yet" in said
    # What is on the branch need not be its tip.
    place.git("push", "-q", "origin", f"{before}:main")
    pipeline.gate(expect=0)
    assert base != before


def test_a_merge_request_of_gitlab_is_judged_and_told_in_its_reports(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MONITOR, "fail: 0.25", "fail: 5"))
    pipeline.checkout(head)
    pipeline.variables |= {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "bank/fork",
        "CI_MERGE_REQUEST_PROJECT_PATH": "bank/estate",
        "CI_COMMIT_SHA": head,
    }
    done = pipeline.gate("-o", "text", "-o", "gitlab=../quality.json", expect=1)
    assert "POL-drift-limit.features" in done.stdout
    (entry, *_) = json.loads((pipeline.place.root / "quality.json").read_text())
    assert entry["location"]["path"] == MONITOR


@pytest.mark.parametrize("path", [GITHUB_GATE, "action.yml"])
def test_the_step_of_the_workflow_judges_for_real(pipeline: Pipeline, path: str) -> None:
    head = offered(pipeline, (MONITOR, "fail: 0.25", "fail: 5"))
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    temp = pipeline.place.root / "temp"
    program = temp / "ordain" / "bin" / "ordain"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ordain.cli "$@"\n')
    program.chmod(0o755)
    own = {GITHUB_GATE: pipeline_files("github", version="0", branch="main")[GITHUB_GATE]}
    text = own.get(path) or (Path(ordain.__file__).parents[1] / path).read_text()
    content = yaml.safe_load(text)
    job = content["runs"] if "runs" in content else content["jobs"]["gate"]
    (step,) = [one["run"] for one in job["steps"] if one["name"] == "Judge the change"]
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step],
        cwd=pipeline.clone,
        env=pipeline.place.environment
        | pipeline.variables
        | {"RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(temp / "output"), "ARGS": "--no-comment"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert f"::error file={MONITOR},line=" in done.stdout
    record = f"{temp}/ordain-verdict.json"
    assert (temp / "output").read_text() == f"verdict=fail\nrecord={record}\n"
    assert read_record(Path(record).read_bytes())["blocked"]


def test_outside_of_a_pipeline_base_and_head_are_said(pipeline: Pipeline) -> None:
    offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.clone = pipeline.place.estate
    done = pipeline.gate("--base", "main", "--head", "topic", "--no-fetch", expect=0)
    assert done.stdout.splitlines()[-1] == "Next: ordain plan"
    refused = pipeline.gate(expect=2)
    assert "error[CLI010]: nothing here says which change to judge" in refused.stderr


# What gives no verdict


def test_pull_request_target_is_refused_whatever_else_is_said(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head)
    pipeline.github("pull_request_target", pull_request(head))
    for words in ((), ("--base", "main", "--head", head)):
        refused = pipeline.gate(*words, expect=2)
        assert "error[CLI011]: pull_request_target runs with the rights" in refused.stderr
        assert refused.stdout == ""


@pytest.mark.parametrize(
    ("event", "content", "said"),
    [
        ("pull_request", {}, "pull_request.number of this run is not what its forge documents"),
        (
            "pull_request",
            pull_request("main"),
            "pull_request.head.sha of this run is not what its forge documents",
        ),
        (
            "pull_request",
            pull_request("a" * 40, base="main:refs/heads/other"),
            "pull_request.base.ref of this run is not what its forge documents",
        ),
        (
            "push",
            {"ref": "refs/heads/new", "before": ZERO, "after": "a" * 40},
            "this push made the branch, so there is no commit before it",
        ),
        ("push", {"ref": "refs/tags/v1"}, "this run is for a tag, which changes nothing"),
        ("workflow_dispatch", {}, "nothing here says which change to judge"),
    ],
)
def test_an_event_that_names_no_change_gets_no_verdict(
    pipeline: Pipeline, event: str, content: dict[str, Any], said: str
) -> None:
    pipeline.clone = pipeline.place.estate
    pipeline.github(event, content)
    refused = pipeline.gate(expect=2)
    assert f"error[CLI010]: {said}" in refused.stderr
    assert refused.stdout == ""


def test_a_history_that_was_rewritten_gets_no_verdict(pipeline: Pipeline) -> None:
    place, before = pipeline.place, main_of(pipeline)
    place.git("checkout", "-q", "--orphan", "other")
    after = place.git("commit-tree", "-m", "anew", f"{before}^{{tree}}").strip()
    place.git("push", "-q", "origin", f"{after}:refs/heads/other")
    pipeline.checkout(before)
    pipeline.github("push", {"ref": "refs/heads/main", "before": before, "after": after})
    refused = pipeline.gate(expect=2)
    assert "does not go on from" in refused.stderr


def test_a_server_that_does_not_answer_gives_no_verdict(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head, depth=100)
    pipeline.github("pull_request", pull_request(head))
    pipeline.server.rename(pipeline.place.root / "gone")
    output = pipeline.place.root / "output"
    output.touch()
    pipeline.variables |= {"GITHUB_OUTPUT": str(output)}
    refused = pipeline.gate("--record", "../verdict.json", expect=2)
    assert output.read_text() == ""
    assert refused.stderr.startswith("error[VCS")
    assert not (pipeline.place.root / "verdict.json").exists()


def test_a_shallow_clone_that_cannot_be_completed_gives_no_verdict(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    pipeline.server.rename(pipeline.place.root / "gone")
    refused = pipeline.gate(expect=2)
    assert "error[VCS013]" in refused.stderr
    assert "fetch-depth: 0" in refused.stderr


def test_a_record_that_cannot_be_written_is_no_verdict(pipeline: Pipeline) -> None:
    pipeline.clone = pipeline.place.estate
    refused = pipeline.gate("--base", "HEAD", "--record", "../nowhere/v.json", expect=2)
    assert "error[VDT002]: the record cannot be written to ../nowhere/v.json" in refused.stderr
    assert refused.stdout == ""


def test_a_comment_that_cannot_be_written_changes_no_verdict(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    done = pipeline.gate(expect=0)
    assert done.stderr.startswith("note: no comment: ")
    assert pipeline.gate("--no-comment", expect=0).stderr == ""


# The comment


@pytest.fixture
def forge(pipeline: Pipeline) -> Iterator[GitHubStub]:
    """GitHub, as a workflow reaches it with its own token."""
    with GitHubStub(pipeline.server, name="bank/estate", me="github-actions[bot]") as stub:
        stub.person("data-scientist")
        pipeline.variables |= {
            "GITHUB_API_URL": stub.url,
            "GITHUB_REPOSITORY": "bank/estate",
            "GITHUB_TOKEN": stub.token,
        }
        yield stub


def pulled(pipeline: Pipeline, forge: GitHubStub, *edits: tuple[str, str, str]) -> int:
    """A pull request, and the runner's clone of its head; the number."""
    head = offered(pipeline, *edits)
    number = forge.open_pull("topic").number
    event = pull_request(head)
    event["pull_request"]["number"] = number
    pipeline.checkout(head)
    pipeline.github("pull_request", event)
    return number


def writes(forge: GitHubStub) -> list[str]:
    return [one.method for one in forge.requests if one.method != "GET"]


def test_one_comment_tells_verdict_findings_and_what_changes_in_production(
    pipeline: Pipeline, forge: GitHubStub
) -> None:
    number = pulled(pipeline, forge, (MONITOR, "fail: 0.25", "fail: 5"))
    done = pipeline.gate(expect=1)
    assert done.stderr == "note: comment made\n"
    (comment,) = forge.pulls[number].comments
    assert comment.body.startswith("<!-- ordain:gate sha256:")
    titles = [line for line in comment.body.splitlines() if line.startswith("#")]
    assert titles[0] == "### ❌ ordain: fail"
    assert titles.index("#### Findings") < titles.index("### What merging changes")
    assert titles[-1] == "#### Next"
    assert "ordain explain" in comment.body


@pytest.mark.e2e
def test_the_same_verdict_again_edits_nothing_and_another_one_edits_the_same_comment(
    pipeline: Pipeline, forge: GitHubStub
) -> None:
    number = pulled(pipeline, forge, (ROUTE, "/v1/credit", "/v1/loans"))
    pipeline.gate(expect=1)
    assert writes(forge) == ["POST"]
    assert pipeline.gate(expect=1).stderr == "note: comment unchanged\n"
    assert writes(forge) == ["POST"]
    place = pipeline.place
    place.git("fetch", "-q", "origin")
    place.ordain("proposals", "approve", "topic", "--as", "manager")
    assert pipeline.gate(expect=0).stderr == "note: comment edited\n"
    assert writes(forge) == ["POST", "PATCH"]
    (comment,) = forge.pulls[number].comments
    assert "Nothing blocks: it may be merged." in comment.body


def test_a_token_that_may_only_read_changes_no_verdict(
    pipeline: Pipeline, forge: GitHubStub
) -> None:
    pulled(pipeline, forge, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.variables["GITHUB_TOKEN"] = forge.token_for("github-actions[bot]")
    done = pipeline.gate(expect=0)
    assert done.stderr.startswith("note: no comment: ")
    assert pipeline.variables["GITHUB_TOKEN"] not in done.stdout + done.stderr


def test_an_older_run_does_not_speak_of_a_newer_commit(
    pipeline: Pipeline, forge: GitHubStub
) -> None:
    number = pulled(pipeline, forge, (MODEL, "  owner: ", "  owner: retail-"))
    pipeline.place.edit(MODEL, "  owner: ", "  owner: more-")
    pipeline.place.commit("Another one")
    pipeline.place.git("push", "-q", "origin", "topic")
    done = pipeline.gate(expect=0)
    assert "note: no comment: github has a newer commit of this proposal" in done.stderr
    assert forge.pulls[number].comments == []


def test_a_change_of_the_forge_s_address_gets_no_token(
    pipeline: Pipeline, forge: GitHubStub
) -> None:
    with GitHubStub(pipeline.server, name="bank/estate", me="thief[bot]") as thief:
        other = f"{{type: github, url: '{thief.url}', repository: bank/estate}}"
        number = pulled(pipeline, forge, ("ordain.yaml", "{type: git, remote: origin}", other))
        assert "SOD-QUORUM" in pipeline.gate("-o", "text", expect=1).stdout
        assert thief.requests == []
        assert len(forge.pulls[number].comments) == 1


def test_on_gitlab_the_comment_is_a_note(pipeline: Pipeline) -> None:
    head = offered(pipeline, (MODEL, "  owner: ", "  owner: retail-"))
    with GitLabStub(pipeline.server, path="bank/estate", me="ordain-bot") as stub:
        stub.person("data-scientist")
        number = stub.open_merge_request("topic").iid
        pipeline.checkout(head)
        pipeline.variables |= {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": stub.url,
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "bank/estate",
            "CI_MERGE_REQUEST_PROJECT_PATH": "bank/estate",
            "CI_COMMIT_SHA": head,
            "ORDAIN_GITLAB_TOKEN": stub.token,
        }
        assert pipeline.gate(expect=0).stderr == "note: comment made\n"
        assert pipeline.gate(expect=0).stderr == "note: comment unchanged\n"
        (note,) = [one for one in stub.merge_requests[number].notes if not one.system]
    assert note.body.startswith("<!-- ordain:gate sha256:")


# Reviews


@pytest.fixture
def reviewed(pipeline: Pipeline, forge: GitHubStub) -> int:
    """A pull request to an estate that names its forge and the account of the manager."""
    place = pipeline.place
    account = forge.person("boss")
    settings = f"{{type: github, url: '{forge.url}', repository: bank/estate}}"
    place.edit("ordain.yaml", "{type: git, remote: origin}", settings)
    listed = f"accounts: [{{forge: github, login: boss, id: {account.id}}}]"
    place.edit("specs/organization.yaml", "- name: manager\n", f"- name: manager\n      {listed}\n")
    place.ordain("codeowners", "--write")
    place.commit("Who is who on the forge")
    place.git("push", "-q", "origin", "main")
    return pulled(pipeline, forge, (ROUTE, "/v1/credit", "/v1/loans"))


@pytest.mark.e2e
def test_a_review_counts_until_it_is_taken_back(
    pipeline: Pipeline, forge: GitHubStub, reviewed: int
) -> None:
    pipeline.gate(expect=1)
    review = forge.review(reviewed, "boss")
    pipeline.gate("--record", "../verdict.json", expect=0)
    record = read_record((pipeline.place.root / "verdict.json").read_bytes())
    jsonschema.validate(record, record_schema())
    (approval,) = record["approvals"]["counted"]
    assert (approval["person"], approval["key"]) == ("manager", "")
    forge.dismiss(review)
    assert "SOD-QUORUM" in pipeline.gate("-o", "text", expect=1).stdout


def test_a_forge_that_does_not_answer_is_no_approval(
    pipeline: Pipeline, forge: GitHubStub, reviewed: int
) -> None:
    forge.review(reviewed, "boss")
    pipeline.variables["GITHUB_TOKEN"] = "wrong"
    told = pipeline.gate("-o", "text", expect=1)
    assert "error[GATE010]" in told.stdout
    assert "note: no comment: " in told.stderr


# Texts of strangers


def test_no_text_of_a_change_becomes_a_command_of_the_runner(pipeline: Pipeline) -> None:
    place = pipeline.place
    place.git("checkout", "-q", "-b", "topic", "main")
    file = place.estate / "specs" / "models" / "x\n::set-output name=a::b.yaml"
    file.write_text("kind: '::error::%0A::stop-commands::x'\n")
    head = place.commit("::add-mask::all")
    place.git("push", "-q", "origin", "topic")
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    done = pipeline.gate(expect=1)
    commands = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("::")]
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in commands)


def test_no_name_of_a_change_is_an_older_command_of_the_runner(pipeline: Pipeline) -> None:
    """It looks for `##[` anywhere in a line."""
    place = pipeline.place
    place.git("checkout", "-q", "-b", "topic", "main")
    file = place.estate / "specs" / "models" / "a##[stop-commands]b.yaml"
    file.write_text("kind: '##[add-mask]error'\napiVersion: '##[stop-commands]x'\n")
    head = place.commit("x")
    place.git("push", "-q", "origin", "topic")
    pipeline.checkout(head)
    pipeline.github("pull_request", pull_request(head))
    done = pipeline.gate("-o", "text", expect=1)
    assert "# #[stop-commands]b.yaml" in done.stdout
    assert "##[" not in done.stdout + done.stderr


def test_a_record_that_the_change_brings_is_none_of_this_run(pipeline: Pipeline) -> None:
    pipeline.clone = pipeline.place.estate
    theirs, other = pipeline.clone / "verdict.json", pipeline.place.root / "other"
    theirs.write_text("pass")
    refused = pipeline.gate("--base", "nowhere", "--record", "verdict.json", expect=2)
    assert "error[VCS006]" in refused.stderr
    assert not theirs.exists()
    other.write_text("somebody else's")
    theirs.symlink_to(other)
    pipeline.gate("--base", "HEAD", "--record", "verdict.json", expect=0)
    assert other.read_text() == "somebody else's"
    assert read_record(theirs.read_bytes())["verdict"] == "pass"


def test_no_report_is_written_through_a_link_that_the_change_brings(pipeline: Pipeline) -> None:
    place, other = pipeline.place.estate, pipeline.place.root / "other"
    pipeline.clone = place
    other.write_text("somebody else's")
    (place / "junit.xml").symlink_to(other)
    pipeline.gate("--base", "HEAD", "-o", "junit=junit.xml", expect=0)
    assert other.read_text() == "somebody else's"
    assert (place / "junit.xml").read_text().startswith("<?xml")
    (place / "reports").symlink_to(pipeline.place.root)
    for words in (["-o", "junit=reports/other"], ["--record", "reports/other"]):
        said = pipeline.gate("--base", "HEAD", *words, expect=2).stderr
        assert "the way to reports/other goes through a link" in said
    assert other.read_text() == "somebody else's"


def test_a_report_that_the_change_brings_is_none_of_this_run(pipeline: Pipeline) -> None:
    pipeline.clone = pipeline.place.estate
    theirs = pipeline.clone / "junit.xml"
    theirs.write_text("pass")
    pipeline.gate("--base", "nowhere", "-o", "junit=junit.xml", expect=2)
    assert not theirs.exists()


def test_a_link_of_the_machine_stays(pipeline: Pipeline) -> None:
    pipeline.clone = pipeline.place.estate
    link, other = pipeline.place.root / "out", pipeline.place.root / "other"
    other.write_text("")
    link.symlink_to(other)
    pipeline.gate("--base", "HEAD", "-o", f"junit={link}", expect=0)
    assert link.is_symlink()
    assert other.read_text().startswith("<?xml")


def test_a_name_of_a_record_adds_no_output_of_its_own(pipeline: Pipeline) -> None:
    output = pipeline.place.root / "output"
    pipeline.variables |= {"GITHUB_OUTPUT": str(output)}
    pipeline.clone = pipeline.place.estate
    name = "../a\nverdict=pass"
    pipeline.gate("--base", "HEAD", "--record", name, expect=0)
    assert output.read_text() == "verdict=pass\n"
    assert os.path.lexists(pipeline.place.estate / name)
