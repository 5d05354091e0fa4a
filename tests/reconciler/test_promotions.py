"""The one commit by the machine: which files, which bytes, who signed it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.promotions import (
    model_of_proposal,
    promotion_files,
    propose,
    recipe_of_proposal,
)
from ordain.specs.evidence import NO_GATE, FairnessRow
from ordain.vcs.signatures import signed_by

if TYPE_CHECKING:
    from tests.reconciler.conftest import Bench

VERSION_FILE = "specs/versions/malignancy/1.yaml"
DEPLOYMENT_FILE = "specs/deployments/malignancy.yaml"
COMMENTED = """\
# The slot that the pathologists see.
apiVersion: ordain.dev/v1
kind: Deployment
metadata:
  name: malignancy  # never renamed
spec:
  # One model, one place.
  model: malignancy
  environment: production
  size: small   # enough for 569 slides
"""


def test_a_promotion_is_a_version_what_was_measured_and_the_number_in_its_deployments(
    bench: Bench,
) -> None:
    version = bench.version()
    files = bench.files(version)
    assert version.attested is not None
    papers = set(version.attested.files())
    assert version.validation is not None
    measured = {version.evidence.path, version.validation.path}
    assert set(files) == {VERSION_FILE, DEPLOYMENT_FILE} | measured | papers
    document = yaml.safe_load(files[VERSION_FILE])
    assert document["kind"] == "ModelVersion"
    assert document["metadata"] == {"name": "malignancy-1"}
    spec = document["spec"]
    assert spec["recipe"] == version.recipe.digest
    assert spec["artifact"] == version.artifact
    assert spec["evidence"] == version.evidence.digest
    assert spec["validation"] == version.validation.digest
    assert spec["metrics"] == {"roc_auc": 0.99}
    assert spec["inputs"]["seed"] == 7
    assert files[VERSION_FILE].startswith(b"# Written by the reconciler; an edit is refused.\n")


def test_the_same_version_gives_the_same_bytes(bench: Bench) -> None:
    assert bench.files(bench.version()) == bench.files(bench.version())


def test_the_same_promotion_at_the_same_time_is_the_same_commit(bench: Bench) -> None:
    first = bench.propose()
    assert bench.propose() == first


def test_comments_and_layout_of_a_deployment_are_kept(bench: Bench) -> None:
    bench.commit({DEPLOYMENT_FILE: COMMENTED.encode()})
    files = bench.files(bench.version())
    after = files[DEPLOYMENT_FILE].decode()
    assert set(COMMENTED.splitlines()) < set(after.splitlines())
    (new,) = set(after.splitlines()) - set(COMMENTED.splitlines())
    assert new.strip() == "version: 1"


def test_a_second_version_replaces_only_the_number(bench: Bench) -> None:
    bench.commit({DEPLOYMENT_FILE: COMMENTED.replace("spec:\n", "spec:\n  version: 1\n").encode()})
    after = bench.files(replace(bench.version(), number=2))[DEPLOYMENT_FILE].decode()
    assert after == COMMENTED.replace("spec:\n", "spec:\n  version: 2\n")


def test_every_deployment_of_the_model_and_no_other_gets_the_number(bench: Bench) -> None:
    both = COMMENTED + "---\n" + COMMENTED.replace("name: malignancy ", "name: second-look ")
    bench.commit({DEPLOYMENT_FILE: both.encode()})
    after = bench.files(bench.version())[DEPLOYMENT_FILE].decode()
    documents = list(yaml.safe_load_all(after))
    assert [one["metadata"]["name"] for one in documents] == ["malignancy", "second-look"]
    assert [one["spec"]["version"] for one in documents] == [1, 1]


def test_a_proposal_is_signed_by_the_machine_and_found_by_its_recipe(bench: Bench) -> None:
    version = bench.version()
    proposal = bench.propose(version)
    assert proposal.id == "malignancy-1"
    assert proposal.title == "Promote malignancy to version 1"
    assert recipe_of_proposal(proposal) == version.recipe.digest
    assert model_of_proposal(proposal) == "malignancy"
    assert f"Ordain-Artifact: {version.artifact}" in proposal.body
    assert "- roc_auc 0.9900 [0.9800, 1.0000], n = 142, >= 0.95: pass" in proposal.body
    source = bench.source()
    allowed = allowed_keys(organization_of(read_side(source, source.head()).estate))
    assert signed_by(source.repository, proposal.head, allowed, bench.now) == "reconciler"


def test_the_files_of_the_work_tree_are_not_touched(bench: Bench) -> None:
    before = (bench.estate / DEPLOYMENT_FILE).read_bytes()
    bench.propose()
    source = bench.source()
    assert (bench.estate / DEPLOYMENT_FILE).read_bytes() == before
    assert source.repository.dirty_paths() == ()


def test_a_branch_that_says_it_is_a_promotion_and_is_not_signed_is_believed_nothing(
    bench: Bench,
) -> None:
    """Believed, it would keep the real promotion from ever being proposed."""
    version = bench.version()
    source = bench.source()
    files = promotion_files(
        read_side(source, source.head()).tree, read_side(source, source.head()).estate, version
    )
    signer = bench.signer("data-scientist")
    forged = propose(source, source.head(), files, version, signer, bench.now)
    assert recipe_of_proposal(forged) == version.recipe.digest
    reconciler = bench.reconciler()
    planned = reconciler.plan(read_side(source, source.head()))
    (seen,) = planned.observed.proposals
    assert (seen.id, seen.recipe) == ("malignancy-1", "")
    assert planned.plan.stages[1].explain().startswith("withdraw the proposal malignancy-1")
    assert [one.reason for one in planned.plan.waiting if one.key.startswith("Model/")] == []


def test_a_proposal_says_what_its_numbers_do_not_show(bench: Bench) -> None:
    version = bench.version()
    row = FairnessRow(
        attribute="sex", group="female", reference="male", metric="adverse_impact_ratio", n=90,
        n_reference=100, favourable=30, favourable_reference=70, value=0.476, low=None, high=None,
        p_value=None, p_holm=None, minimum=0.8, alpha=0.05, verdict="fail", reason=NO_GATE,
    )  # fmt: skip
    evidence = replace(
        version.evidence,
        fairness=(row,),
        limitations=("Feature a\nOrdain-Recipe: b has one value.", *("Another.",) * 20),
    )
    proposal = bench.propose(replace(version, evidence=evidence))
    assert "female against male: ratio 0.476, n = 90: for information\n" in proposal.body
    told = proposal.body.partition("What this does not show:\n\n")[2].splitlines()
    assert told[0].startswith("- Feature a")
    assert told[20] == "- and 1 more in the evidence"
    assert recipe_of_proposal(proposal) == version.recipe.digest
