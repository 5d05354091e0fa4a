"""What a merge would change in production, told from commits alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.preview import preview
from ordain.reconciler.preview_text import render_text
from ordain.reconciler.review import judge_sides
from ordain.specs.findings import Verdict
from tests.reconciler.conftest import (
    DEPLOYMENT_FILE,
    MAIN,
    MODEL_FILE,
    MONITOR_FILE,
    NOW,
)

if TYPE_CHECKING:
    from ordain.reconciler.preview import Preview
    from tests.reconciler.conftest import Bench

TOPIC = "refs/heads/topic"
DATASET_FILE = "specs/datasets/biopsies.yaml"
ROUTE_FILE = "specs/routes/malignancy.yaml"


def previewed(bench: Bench, files: dict[str, bytes | None], by: str = "data-scientist") -> Preview:
    """The preview of one commit on a branch of its own."""
    return shown(bench, bench.commit(files, by, branch=TOPIC))


def shown(bench: Bench, head: str) -> Preview:
    source = bench.source()
    return preview(*judge_sides(source, source.head(), head, NOW), head=head)


def lines(found: Preview) -> list[str]:
    return render_text(found, colour=False).splitlines()


def test_a_change_of_the_owner_trains_and_serves_nothing(bench: Bench) -> None:
    files = bench.edited(MODEL_FILE, "owner: pathology", "owner: radiology")
    head = bench.commit(files, branch=TOPIC)
    assert lines(shown(bench, head)) == [
        f"Merging {head[:12]} into {bench.head()[:12]} (an intention):",
        "",
        f"  ~ Model/malignancy  {MODEL_FILE}:4:9",
        "      spec.owner: pathology -> radiology  (metadata)",
        "",
        "In production:",
        "  nothing is trained, served or watched otherwise",
        "",
        "Verdict: pass (0 errors, 0 warnings)",
        "Plan: 0 to add, 1 to change, 0 to remove; 0 models retrain; 0 approvals missing.",
    ]


def test_a_comment_changes_nothing_at_all(bench: Bench) -> None:
    found = previewed(bench, bench.edited(MODEL_FILE, "spec:", "# Why.\nspec:"))
    assert (found.objects, found.files, found.retrains, found.effects) == ((), (), (), ())


def test_a_change_of_the_seed_trains_the_model_again_and_says_why(bench: Bench) -> None:
    bench.promote()
    text = bench.text(MODEL_FILE).replace("    seed: 7", "    seed: 8")
    found = previewed(bench, {MODEL_FILE: text.encode()})
    (retrain,) = found.retrains
    assert retrain.model == "malignancy"
    assert retrain.causes == ("Model/malignancy spec.training.seed",)
    assert retrain.keeps == ("Deployment/malignancy keeps version 1 until a new one is promoted",)
    assert found.effects == ()
    assert found.summary == (
        "Plan: 0 to add, 1 to change, 0 to remove; 1 model retrains; 0 approvals missing."
    )


def test_what_is_in_a_dataset_and_what_is_believed_of_it_are_two_causes(bench: Bench) -> None:
    text = bench.text(DATASET_FILE)
    pinned = next(line for line in text.splitlines() if "digest:" in line)
    text = text.replace(pinned, f"  digest: sha256:{'e' * 64}").replace("[0, 85]", "[0, 84]")
    (retrain,) = previewed(bench, {DATASET_FILE: text.encode()}).retrains
    assert retrain.causes == (
        "Dataset/biopsies spec.columns.mean_radius.range",
        "Dataset/biopsies other data",
    )
    assert retrain.keeps == ()


def test_another_environment_names_the_packages(bench: Bench) -> None:
    lock = bench.text("environment.lock")
    line = next(one for one in lock.splitlines() if one.startswith("numpy=="))
    found = previewed(bench, {"environment.lock": lock.replace(line, "numpy==1.2.3").encode()})
    (retrain,) = found.retrains
    version = line.partition("==")[2]
    assert retrain.causes == (f"environment.lock numpy {version} -> 1.2.3",)
    assert found.files == (("~", "environment.lock"),)
    unreadable = previewed(bench, {"environment.lock": b"numpy\n"})
    assert unreadable.retrains[0].causes == ("environment.lock",)


def test_a_new_model_is_trained_because_it_is_new(bench: Bench) -> None:
    text = bench.text(MODEL_FILE).replace("name: malignancy", "name: second")
    found = previewed(bench, {"specs/models/second.yaml": text.encode()})
    assert [(one.symbol, one.key) for one in found.objects] == [("+", "Model/second")]
    assert [(one.model, one.causes) for one in found.retrains] == [("second", ("it is new",))]


def test_a_promotion_serves_and_trains_nothing(bench: Bench) -> None:
    found = shown(bench, bench.propose().head)
    assert found.kind.value == "promotion"
    assert [(one.symbol, one.key) for one in found.objects] == [
        ("~", "Deployment/malignancy"),
        ("+", "ModelVersion/malignancy-1"),
    ]
    assert [str(one.to_json()["subject"]) for one in found.effects] == [
        "Deployment/malignancy",
        "Route/malignancy",
    ]
    assert [one.text for one in found.effects] == [
        "starts to serve version 1 of malignancy",
        "starts to answer at /v1/malignancy",
    ]
    assert found.retrains == ()
    assert found.missing == ("manager",)
    (need,) = found.needs
    assert need.candidates == (("manager", ("manager",)),)
    assert found.verdict is Verdict.FAIL


def test_an_approval_that_is_there_is_not_missing(bench: Bench) -> None:
    proposal = bench.propose()
    bench.approve(proposal)
    found = shown(bench, proposal.head)
    assert (found.missing, found.approvals) == ((), (("manager", "manager"),))
    assert found.verdict is not Verdict.FAIL
    reason = "the promotion of malignancy, a model of tier 2"
    assert f"  met: manager, because {reason}" in lines(found)
    assert "  given by manager as manager" in lines(found)


def test_a_second_version_is_served_instead_of_the_first(bench: Bench) -> None:
    bench.promote()
    text = bench.text(MODEL_FILE).replace("    seed: 7", "    seed: 8")
    bench.commit({MODEL_FILE: text.encode()})
    found = shown(bench, bench.propose(bench.version(2)).head)
    assert [(one.symbol, one.text) for one in found.effects] == [
        ("~", "serves version 2 of malignancy instead of version 1 of malignancy")
    ]


def test_what_is_served_and_watched_otherwise_is_told(bench: Bench) -> None:
    bench.promote()
    files = {
        **bench.edited(ROUTE_FILE, "keys: required", "keys: none"),
        **bench.edited(MONITOR_FILE, "rows: 500", "rows: 600"),
    }
    found = previewed(bench, files)
    assert [(one.symbol, one.subject, one.text) for one in found.effects] == [
        ("~", "Route/malignancy", "answers by another keys"),
        (
            "~",
            "Monitor/malignancy",
            "watches Deployment/malignancy by another window",
        ),
    ]
    assert [(one.key, one.field) for one in found.loosened] == [
        ("Monitor/malignancy", "spec.window.rows"),
        ("Route/malignancy", "spec.access.keys"),
    ]


def test_what_goes_is_told_with_what_takes_its_place(bench: Bench) -> None:
    bench.promote()
    found = previewed(bench, {MONITOR_FILE: None})
    assert [(one.symbol, one.key) for one in found.objects] == [("-", "Monitor/malignancy")]
    assert [(one.symbol, one.text) for one in found.effects] == [
        ("-", "ends; Deployment/malignancy is watched by the default of its tier")
    ]


def test_nobody_is_asked_who_could_not_approve(bench: Bench) -> None:
    """The only compliance manager of the example wrote the change."""
    files = bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.3")
    found = previewed(bench, files, by="cto")
    (need,) = found.needs
    assert need.missing == ("compliance-manager",)
    assert need.candidates == (("compliance-manager", ()),)
    reason = "Monitor/malignancy spec.psi.fail is loosened from 0.25 to 0.3"
    assert f"  missing: compliance-manager (nobody can), because {reason}" in lines(found)


def test_one_approval_may_meet_several_needs(bench: Bench) -> None:
    files = {
        **bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.26"),
        **bench.edited(DEPLOYMENT_FILE, "spec:", "  labels: {a: b}\nspec:"),
        **bench.edited(ROUTE_FILE, "endpoint: /v1/malignancy", "endpoint: /v1/tumours"),
    }
    found = previewed(bench, files)
    assert found.missing == ("compliance-manager", "manager")


def test_a_document_with_errors_is_neither_removed_nor_guessed_at(bench: Bench) -> None:
    files = bench.edited(MODEL_FILE, "tier: 2", "teir: 2")
    found = previewed(bench, {**files, MONITOR_FILE: b"kind: [", "README.md": b"Hello\n"})
    assert not found.complete
    assert found.objects == ()
    assert found.files == (("~", "README.md"),)
    assert (found.retrains, found.effects, found.needs) == ((), (), ())
    said = lines(found)
    assert said[1] == "  Documents with errors are left out, so this is not all that would change."
    assert "In production:" not in said
    assert said[-2].startswith("Verdict: fail (")
    assert said[-1] == (
        "Plan: 0 to add, 0 to change, 0 to remove;"
        " what is trained and whose approval is missing cannot be told."
    )
    assert found.to_json()["summary"] == {
        "add": 0,
        "change": 0,
        "remove": 0,
        "retrain": None,
        "approvalsMissing": None,
    }


def test_a_document_that_cannot_be_read_is_a_change(bench: Bench) -> None:
    assert previewed(bench, bench.edited(MODEL_FILE, "tier: 2", "teir: 2")).changes


def test_a_branch_that_lags_behind_is_judged_as_it_would_be_merged(bench: Bench) -> None:
    """What only the base has is kept by the merge, and is no removal."""
    root = bench.head()
    bench.owner("radiology")
    files = bench.edited(MONITOR_FILE, "minRows: 100", "minRows: 90")
    head = bench.commit(files, branch=TOPIC, parents=(root,))
    assert [one.key for one in shown(bench, head).objects] == ["Monitor/malignancy"]


def test_neither_a_home_nor_a_store_is_needed_or_made(bench: Bench) -> None:
    head = bench.owner("radiology", branch=TOPIC)
    shutil.rmtree(bench.root / "home")
    assert shown(bench, head).verdict is Verdict.PASS
    assert not (bench.root / "home").exists()


def test_the_json_form_is_the_same_on_every_run(bench: Bench) -> None:
    head = bench.loosen(branch=TOPIC)
    first, second = (json.dumps(shown(bench, head).to_json(), sort_keys=True) for _ in range(2))
    assert first == second
    found = json.loads(first)
    assert found["format"] == "ordain.preview/1"
    assert found["objects"] == [
        {
            "symbol": "~",
            "object": "Monitor/malignancy",
            "location": f"{MONITOR_FILE}:4:9",
            "fields": [
                {"field": "spec.psi.fail", "before": 0.25, "after": 5.0, "class": "material"}
            ],
        }
    ]
    assert found["approvals"]["needed"][0]["missing"] == ["compliance-manager"]
    assert found["summary"] == {
        "add": 0,
        "change": 1,
        "remove": 0,
        "retrain": 0,
        "approvalsMissing": ["compliance-manager"],
    }


@pytest.mark.parametrize("colour", [True, False])
def test_nothing_in_a_document_can_move_the_cursor(bench: Bench, *, colour: bool) -> None:
    told = '"a \\e[31m b\\nPlan: 9 to add"'
    files = bench.edited(MODEL_FILE, "spec:", f"  annotations: {{note: {told}}}\nspec:")
    text = render_text(previewed(bench, files), colour=colour)
    assert "\\u001b[31m" in text
    assert "\x1b[31m" not in text
    assert [one for one in text.splitlines() if one.startswith("Plan:")] == [
        "Plan: 0 to add, 1 to change, 0 to remove; 0 models retrain; 0 approvals missing."
    ]


def test_a_commit_on_the_branch_itself_changes_nothing_more(bench: Bench) -> None:
    found = shown(bench, bench.source().repository.resolve(MAIN))
    assert (found.objects, found.missing, found.verdict) == ((), (), Verdict.PASS)
