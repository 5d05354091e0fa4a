"""One pass: what it does, what it leaves, and where the next one goes on.

Training is paid for in the end-to-end tests; here its outcome lies in the state store already.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.errors import PlanStale
from ordain.reconciler.gating import read_side
from ordain.reconciler.outcomes import Outcome
from ordain.reconciler.source import forget_trust
from ordain.reconciler.standing import standing
from ordain.specs.evidence import EvidenceError
from ordain.vcs.git import Repository

if TYPE_CHECKING:
    from ordain.reconciler.passes import PassReport, Reconciler
    from ordain.reconciler.promotions import Version
    from tests.reconciler.conftest import Bench


def outcome(version: Version, verdict: str = "pass") -> Outcome:
    """What training would have left for this version."""
    evidence = replace(version.evidence, verdict=verdict)
    return Outcome.success(version.artifact, evidence.to_json().decode())


def trained(bench: Bench, verdict: str = "pass") -> Reconciler:
    reconciler = bench.reconciler()
    version = bench.version()
    bench.remember(reconciler.state, version, outcome(version, verdict))
    return reconciler


def told(report: PassReport) -> list[tuple[str, str]]:
    return [(type(one.stage).__name__, one.state) for one in report.result.done]


def test_a_pass_enrols_and_proposes_and_the_next_does_nothing(bench: Bench) -> None:
    reconciler = trained(bench)
    first = reconciler.run()
    assert told(first) == [("Enrol", "done"), ("Propose", "done")]
    assert first.exit_code == 0
    second = reconciler.run()
    assert told(second) == []
    assert second.exit_code == 0
    assert second.planned is not None
    assert {one.reason for one in second.planned.plan.waiting} == {
        "ApprovalPending",
        "NoApprovedVersion",
    }


@pytest.mark.parametrize("data", [b"a: [\n", b"kind: Estate\n", None])
def test_without_a_remote_a_broken_estate_is_refused_and_production_stays(
    bench: Bench, data: bytes | None
) -> None:
    trained(bench).run()
    good = bench.head()
    bad = bench.commit({"ordain.yaml": data})
    # Whoever works on the branch itself has the broken commit checked out.
    with Repository.open(bench.estate) as repository:
        repository.update_ref(
            "refs/heads/desk", bad, repository.refs("refs/heads/desk")["refs/heads/desk"]
        )
    reconciler = bench.reconciler()
    assert reconciler.source.unusable is not None
    report = reconciler.run()
    assert [one.revision for one in report.refused] == [bad]
    assert report.exit_code == 1
    assert report.planned is not None
    assert report.planned.side.revision == good
    assert reconciler.state.get("good") == good
    (refused,) = reconciler.ledger.events(kind="gate.refused")
    assert refused.subject == bad
    found = standing(reconciler, bench.now)
    assert (found.revision, found.head) == (good, bad)
    assert found.refused == report.refused[0].findings[0].message
    bench.commit({"ordain.yaml": bench.source().repository.read(good, "ordain.yaml")})
    assert bench.reconciler().run().refused == ()


def test_every_step_is_in_the_state_and_in_the_record(bench: Bench) -> None:
    reconciler = trained(bench)
    reconciler.run()
    last = reconciler.state.last_pass()
    assert last is not None
    assert (last.result, last.revision) == ("done", bench.head())
    assert [(one.stage["stage"], one.state) for one in reconciler.state.steps(last.id)] == [
        ("Enrol", "done"),
        ("Propose", "done"),
    ]
    assert [one.kind for one in reconciler.ledger.events(kind="stage")] == [
        "stage.started",
        "stage.done",
    ] * 2


def test_a_refused_commit_leaves_production_on_the_last_good_one(bench: Bench) -> None:
    reconciler = trained(bench)
    good = bench.head()
    reconciler.run()
    bad = bench.loosen()
    report = reconciler.run()
    assert report.exit_code == 1
    assert [one.revision for one in report.refused] == [bad]
    assert report.planned is not None
    assert report.planned.side.revision == good
    assert reconciler.state.get("good") == good


def test_a_first_commit_that_breaks_the_rules_serves_nothing(bench: Bench) -> None:
    with Repository.open(bench.estate) as repository:
        old = repository.resolve("main")
    bad = bench.commit(
        bench.edited("specs/monitors/malignancy.yaml", "fail: 0.25", "fail: 5"), parents=(old,)
    )
    with Repository.open(bench.estate) as repository:
        tree, commit = repository.commit(bad).tree, repository.commit(bad)
        lone = repository.write_commit(
            tree, (), "Begin", commit.author, bench.now, bench.signer("data-scientist")
        )
        repository.update_ref("refs/heads/main", lone, bad)
        repository.update_ref("refs/heads/desk", lone, old)
    report = bench.reconciler().run()
    assert report.planned is None
    assert report.exit_code == 1
    assert report.gated.good is None


def test_a_recipe_whose_evidence_fails_is_not_proposed(bench: Bench) -> None:
    reconciler = trained(bench, "fail")
    report = reconciler.run()
    assert told(report) == [("Enrol", "done")]
    assert report.exit_code == 1
    assert report.unwell
    assert reconciler.source.forge.proposals() == ()


def test_a_missing_key_fails_the_proposal_and_says_how_to_mend_it(bench: Bench) -> None:
    reconciler = trained(bench)
    key = reconciler.source.home.key("reconciler")
    data = key.read_bytes()
    key.unlink()
    report = reconciler.run()
    assert told(report) == [("Enrol", "done"), ("Propose", "failed")]
    assert report.exit_code == 2
    assert f"there is no private key for reconciler at {key}" in report.result.done[1].detail
    assert report.warnings == (
        f"the ledger could not be anchored: there is no private key for reconciler at {key}",
    )
    key.touch(mode=0o600)
    key.write_bytes(data)
    again = reconciler.run()
    assert told(again) == [("Propose", "done")]
    assert again.exit_code == 0


def test_a_pass_that_was_interrupted_is_named_by_the_next(bench: Bench) -> None:
    reconciler = trained(bench)
    reconciler.gate(bench.head())
    number = reconciler.state.begin_pass(bench.head(), bench.now)
    reconciler.state.write_step(number, 0, {"stage": "Enrol"}, "running", bench.now)
    report = reconciler.run()
    assert report.resumed == number
    assert [one.data for one in reconciler.ledger.events(kind="pass.resumed")] == [{"pass": number}]
    assert reconciler.state.steps(number)[0].state == "interrupted"
    assert reconciler.run().resumed is None


def test_a_saved_plan_is_carried_out_once(bench: Bench) -> None:
    reconciler = trained(bench)
    side = read_side(reconciler.source, bench.head())
    saved = json.loads(json.dumps(reconciler.plan(side).plan.to_json()))
    assert told(reconciler.run(expected=saved)) == [("Enrol", "done"), ("Propose", "done")]
    with pytest.raises(PlanStale, match="production is not as it was"):
        reconciler.run(expected=saved)


def test_a_saved_plan_is_refused_when_git_moved_and_nothing_is_done(bench: Bench) -> None:
    reconciler = trained(bench)
    saved = reconciler.plan(read_side(reconciler.source, bench.head())).plan.to_json()
    bench.owner("histology")
    with pytest.raises(PlanStale, match="git is at"):
        reconciler.run(expected=saved)
    assert reconciler.state.models() == {}
    assert reconciler.source.forge.proposals() == ()


def test_a_newer_declaration_withdraws_the_proposal_of_the_old_one(bench: Bench) -> None:
    reconciler = trained(bench)
    reconciler.run()
    bench.commit(bench.edited("specs/models/malignancy.yaml", "seed: 7", "seed: 8"))
    version = bench.version(auc=0.98)
    bench.remember(reconciler.state, version)
    assert told(reconciler.run()) == [("Withdraw", "done"), ("Propose", "done")]
    (proposal,) = reconciler.source.forge.proposals()
    assert version.recipe.digest in proposal.body
    assert told(reconciler.run()) == []


def test_a_comment_or_an_owner_retrains_nothing(bench: Bench) -> None:
    reconciler = trained(bench)
    reconciler.run()
    bench.owner("histology")
    bench.commit(
        {"specs/models/malignancy.yaml": b"# why\n" + _bytes(bench, "specs/models/malignancy.yaml")}
    )
    report = reconciler.run()
    assert told(report) == []
    assert report.exit_code == 0
    assert len(report.gated.judged) == 2


def _bytes(bench: Bench, path: str) -> bytes:
    return bench.text(path).encode()


def test_a_failed_training_is_left_alone_for_a_while(bench: Bench) -> None:
    reconciler = bench.reconciler()
    version = bench.version()
    broken = Outcome.failure("no space", "make room")
    reconciler.state.put_outcome(version.recipe.digest, "malignancy", broken, bench.now)
    side = read_side(reconciler.source, bench.head())
    patient = replace(reconciler, retry_after=timedelta(minutes=15))
    assert [type(one).__name__ for one in patient.plan(side).plan.stages] == ["Enrol"]
    bench.now += timedelta(minutes=16)
    names = [type(one).__name__ for one in patient.plan(side).plan.stages]
    assert names == ["Enrol", "Train", "Validate", "Propose"]


def test_a_remote_that_is_away_is_a_warning_and_production_goes_on(bench: Bench) -> None:
    reconciler = trained(bench)
    reconciler.run()
    with Repository.open(bench.estate) as repository:
        head = repository.resolve("main")
        repository.ask("remote", "add", "origin", str(bench.root / "away.git"))
        repository.update_ref("refs/remotes/origin/main", head, None)
        branch = "ordain/promote/malignancy-1"
        proposed = repository.resolve(branch)
        repository.update_ref(f"refs/remotes/origin/{branch}", proposed, None)
    forget_trust(reconciler.state)
    report = bench.reconciler().run()
    assert report.gated.good == head
    assert report.exit_code == 0
    assert report.warnings[0].startswith("going on with what was fetched last: git fetch: ")


def test_a_branch_that_cannot_be_read_is_a_warning_and_the_pass_goes_on(bench: Bench) -> None:
    reconciler = trained(bench)
    with Repository.open(bench.estate) as repository:
        tree = repository.commit("main").tree
    raw = f"tree {tree}\nauthor A <a@b> x +0000\ncommitter A <a@b> x +0000\n\nx\n"
    command = ("git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally")
    done = subprocess.run(
        command, cwd=bench.estate, input=raw.encode(), capture_output=True, check=True
    )
    odd = done.stdout.decode().strip()
    with Repository.open(bench.estate) as repository:
        repository.update_ref("refs/heads/odd", odd, None)
    report = reconciler.run()
    assert report.exit_code == 0
    assert f"the branch odd is no proposal: commit {odd} is malformed" in report.warnings


def test_the_evidence_of_an_outcome_is_the_evidence_that_was_measured(bench: Bench) -> None:
    version = bench.version()
    assert outcome(version).evidence == version.evidence
    other = version.evidence.to_json().decode()
    with pytest.raises(EvidenceError, match="is about another artifact"):
        Outcome.success("sha256:" + "f" * 64, other)


def test_an_outcome_says_what_failed_and_leaves_a_warning_to_people(bench: Bench) -> None:
    version = bench.version()
    assert outcome(version, "warn").fate == "proposable"
    assert outcome(version).summary == "evidence pass, roc_auc 0.9900 on 142 held-out rows"
    (metric,) = version.evidence.metrics
    worse = replace(version.evidence, metrics=(replace(metric, value=0.51, verdict="fail"),))
    failed = outcome(replace(version, evidence=worse), "fail")
    assert failed.fate == "rejected"
    assert failed.summary == "the evidence fails: roc_auc 0.5100 (>= 0.95)"


def test_a_model_that_is_only_listed_is_not_judged(bench: Bench) -> None:
    listed = (
        "apiVersion: ordain.dev/v1\nkind: Model\nmetadata: {name: bought}\n"
        "spec: {purpose: Score of a vendor, tier: 3, owner: risk, task: classification, "
        "external: {provider: A}}\n"
    )
    bench.commit({"specs/models/bought.yaml": listed.encode()})
    found = standing(bench.reconciler(), bench.now).models
    assert {one.model: one.compliance for one in found} == {
        "bought": "Not judged",
        "malignancy": "Compliant",
    }
