"""A version is proposed with a validation of its artifact, and never without one that passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import read_side
from ordain.reconciler.orders import Ground
from ordain.reconciler.outcomes import Validated
from ordain.reconciler.planning import validation_key
from ordain.reconciler.validating import ValidationJob, basis_of, order_validation
from ordain.specs.errors import FindingsError
from ordain.specs.findings import Severity
from ordain.specs.validations import Check, ValidationDocumentError
from tests.reconciler.conftest import MODEL, MODEL_FILE
from tests.reconciler.test_challenges import appointed

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.passes import PassReport
    from ordain.reconciler.promotions import Version
    from ordain.runtime.validation.order import ValidationOrder
    from tests.reconciler.conftest import Bench

FAILING = Check("edge-cases", "no-slide", value=0.2, n=1, limit=">= 0.5", verdict="fail")
HELD_OUT = """\
apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: later-slides}
spec:
  source: {type: csv, uri: data/later.csv}
  columns: {mean_radius: {type: float}}
"""


def refused(version: Version) -> Validated:
    """What a validation leaves that did not pass."""
    assert version.validation is not None
    checks = (*version.validation.checks, FAILING)
    report = replace(version.validation, checks=checks, verdict="fail")
    return Validated.success(report.to_json().decode())


def told(report: PassReport) -> list[tuple[str, str]]:
    return [(type(one.stage).__name__, one.state) for one in report.result.done]


def ordered(bench: Bench) -> ValidationOrder:
    """The order for the version that would be proposed."""
    source = bench.source()
    side = read_side(source, source.head())
    version = bench.version()
    ground = Ground(side.estate, side.tree, source.home.artifacts)
    return order_validation(ground, version.recipe, version.basis, version.evidence).order


def basis(bench: Bench) -> object:
    source = bench.source()
    side = read_side(source, source.head())
    recipe = bench.version().recipe
    return basis_of(side.estate, side.tree, recipe)


# What a validation says of itself


def test_what_keeps_a_validation_from_passing_is_told_in_one_line(bench: Bench) -> None:
    version = bench.version()
    assert version.validation is not None
    passed = Validated.success(version.validation.to_json().decode())
    assert (passed.fate, passed.summary) == ("passed", "validation pass, 4 checks on 142 rows")
    assert passed.report == version.validation
    found = refused(version)
    assert (found.fate, found.summary) == (
        "rejected",
        "the validation does not pass: edge-cases: no-slide is 0.2 (>= 0.5): fail",
    )
    assert Validated.from_json(found.to_json()) == found


def test_a_text_that_is_no_validation_is_no_outcome() -> None:
    with pytest.raises(ValidationDocumentError, match="is not a validation of the format"):
        Validated.success('{"format": "ordain.evidence/1"}\n')


def test_a_verdict_is_that_of_its_checks(bench: Bench) -> None:
    version = bench.version()
    assert version.validation is not None
    report = replace(version.validation, checks=(FAILING,), verdict="pass")
    with pytest.raises(
        ValidationDocumentError, match=r"^a validation says pass, and its checks say fail$"
    ):
        Validated.success(report.to_json().decode())


def test_a_document_is_taken_only_as_its_result_names_it(bench: Bench, tmp_path: Path) -> None:
    report = bench.version().validation
    assert report is not None
    job = ValidationJob(ordered(bench), "sha256:" + "1" * 64)
    job = replace(job, order=replace(job.order, artifact=report.artifact, dataset=report.dataset))
    job = replace(job, order=replace(job.order, part=report.part))
    result = {"validation": report.digest}
    assert job.made(tmp_path, result) is None
    (tmp_path / "validation.json").write_bytes(report.to_json())
    made = job.made(tmp_path, result)
    assert made is not None
    assert made.report == report
    edited = replace(report, rows=report.rows + 1)
    (tmp_path / "validation.json").write_bytes(edited.to_json())
    assert job.made(tmp_path, result) is None
    # Nor is one that says what its checks do not, or that is about something else.
    lying = replace(report, checks=(FAILING,))
    (tmp_path / "validation.json").write_bytes(lying.to_json())
    assert job.made(tmp_path, {"validation": lying.digest}) is None
    other = replace(report, artifact="sha256:" + "0" * 64)
    (tmp_path / "validation.json").write_bytes(other.to_json())
    assert job.made(tmp_path, {"validation": other.digest}) is None


def test_what_reasons_must_show_is_validated_again_and_not_trained_again(bench: Bench) -> None:
    recipe, before = bench.version().recipe, basis(bench)
    gates = "  explanation:\n    gates: {flips: 0.95}\n"
    bench.commit(bench.edited(MODEL_FILE, "  explanation:\n", gates))
    assert bench.version().recipe == recipe
    assert basis(bench) != before


# Passes


def test_a_version_whose_validation_fails_is_not_proposed(bench: Bench) -> None:
    reconciler, version = bench.reconciler(), bench.version()
    bench.remember(reconciler.state, version)
    key = validation_key(version.basis, version.artifact)
    reconciler.state.put_validation(key, MODEL, refused(version), bench.now)
    report = reconciler.run()
    assert told(report) == [("Enrol", "done")]
    assert (report.exit_code, report.unwell) == (1, True)
    assert report.planned is not None
    (waits,) = [one for one in report.planned.plan.waiting if one.key == f"Model/{MODEL}"]
    assert (waits.reason, waits.message) == (
        "ValidationFails",
        "the validation does not pass: edge-cases: no-slide is 0.2 (>= 0.5): fail",
    )
    assert reconciler.source.forge.proposals() == ()


def test_a_proposal_that_was_validated_otherwise_is_made_again(bench: Bench) -> None:
    reconciler, version = bench.reconciler(), bench.version()
    bench.remember(reconciler.state, version)
    reconciler.run()
    text = bench.text(MODEL_FILE)
    more = f"{text.rstrip()}\n  validation: {{robustness: {{noise: 20%}}}}\n"
    bench.commit({MODEL_FILE: more.encode()})
    again = bench.version()
    assert again.recipe == version.recipe
    assert again.basis != version.basis
    bench.remember(reconciler.state, again)
    assert told(reconciler.run()) == [("Withdraw", "done"), ("Propose", "done")]
    (proposal,) = reconciler.source.forge.proposals()
    assert f"Ordain-Validation: {again.basis}" in proposal.body
    assert told(reconciler.run()) == []


def test_rows_that_are_not_pinned_are_waited_for(bench: Bench) -> None:
    text = bench.text(MODEL_FILE)
    bench.commit(
        {
            "specs/datasets/later.yaml": HELD_OUT.encode(),
            MODEL_FILE: f"{text.rstrip()}\n  validation: {{dataset: later-slides}}\n".encode(),
        }
    )
    reconciler = bench.reconciler()
    source = bench.source()
    found = reconciler.plan(read_side(source, source.head()))
    assert [type(one).__name__ for one in found.plan.stages] == ["Enrol", "Train"]
    (waits,) = [one for one in found.plan.waiting if one.key == f"Model/{MODEL}"]
    assert waits.message == (
        f"the data of later-slides, on which {MODEL} is validated, is not pinned; "
        "run `ordain pin later-slides`"
    )


def test_an_owner_is_no_part_of_what_a_validation_depends_on(bench: Bench) -> None:
    before = basis(bench)
    bench.owner("histology")
    assert basis(bench) == before
    bench.promote()
    # Another version runs now, and what is promoted next is compared with it.
    assert basis(bench) != before


# The gate


def test_a_proposal_without_a_validation_cannot_be_merged(bench: Bench) -> None:
    proposal = bench.propose(replace(bench.version(), validation=None))
    bench.approve(proposal)
    with pytest.raises(FindingsError, match="malignancy-1 may not be merged") as caught:
        bench.merge(proposal)
    errors = [one for one in caught.value.findings if one.severity is Severity.ERROR]
    assert [(one.code, one.message) for one in errors] == [
        ("PRO011", "ModelVersion/malignancy-1 names no validation of its artifact")
    ]


def test_what_a_validator_of_another_team_rejects_cannot_be_merged(bench: Bench) -> None:
    _, signer = appointed(bench, "model-validation")
    version = bench.version()
    text = (
        "apiVersion: ordain.dev/v1\nkind: Validation\nmetadata: {name: malignancy-1}\n"
        f"spec: {{model: {MODEL}, artifact: '{version.artifact}', validator: validator, "
        "outcome: rejected, performedOn: 2026-11-19}\n"
    )
    bench.commit({"specs/validations/malignancy-1.yaml": text.encode()}, by=signer)
    proposal = bench.propose()
    bench.approve(proposal)
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal)
    assert [(one.code, one.message) for one in caught.value.findings] == [
        ("VAL001", "Validation/malignancy-1 rejects the artifact of ModelVersion/malignancy-1")
    ]
