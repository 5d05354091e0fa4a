"""What the reconciler signs of a version, where it is kept, and what is believed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from ordain.compilers.serving import trusted_keys
from ordain.reconciler.attesting import Attested, attest, builder_of, prove_origin, restore
from ordain.reconciler.gating import read_side
from ordain.reconciler.versions import version_named
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.bom import Versioned
from ordain.runtime.provenance.dsse import read_keys
from ordain.runtime.provenance.statements import Run
from ordain.specs.evidence import evidence_path

if TYPE_CHECKING:
    from ordain.reconciler.gating import Side
    from ordain.reconciler.promotions import Version
    from tests.reconciler.conftest import Bench

MODEL = "malignancy"


def attested(bench: Bench, by: str = "reconciler") -> Version:
    """A version with what the machine, or somebody in its place, has signed of it."""
    from dataclasses import replace

    source, version = bench.source(), bench.version()
    side = read_side(source, source.head())
    model = side.estate.documents[f"Model/{MODEL}"]
    dataset = side.estate.documents[f"Dataset/{model.spec.dataset}"]
    signer = bench.signer(by)
    made = Versioned(MODEL, 1, model.spec, dataset.name, dataset.spec, version.evidence)
    run = Run(builder_of(signer.public), "0.1.0", side.revision, bench.now)
    store = ArtifactStore(source.home.artifacts)
    lock = side.tree["environment.lock"]
    return replace(version, attested=attest(store, version.recipe, lock, made, run, signer))


def promoted(bench: Bench) -> Side:
    bench.promote(attested(bench))
    source = bench.source()
    return read_side(source, source.head())


def test_a_promotion_carries_what_was_signed_beside_the_evidence(bench: Bench) -> None:
    version = attested(bench)
    files = bench.files(version)
    assert version.attested is not None
    paths = set(version.attested.files())
    assert paths < set(files)
    assert all(path.startswith("evidence/") for path in paths)
    spec = yaml.safe_load(files["specs/versions/malignancy/1.yaml"])["spec"]
    assert {evidence_path(digest) for digest in spec["provenance"].values()} == paths


def test_what_was_signed_passes_the_gate_and_is_believed(bench: Bench) -> None:
    side = promoted(bench)
    assert bench.gate(None).good == side.revision
    version = version_named(side.estate, MODEL, 1).spec
    proven = prove_origin(side.tree, version, read_keys(trusted_keys(side.estate)))
    recipe = proven.statement["predicate"]["buildDefinition"]["externalParameters"]["recipe"]
    assert recipe["digest"] == version.recipe
    assert proven.bom["metadata"]["component"]["version"] == "1"
    assert proven.key.is_same(bench.signer("reconciler").public)


def test_what_somebody_else_signed_is_not_believed(bench: Bench) -> None:
    version = attested(bench, by="manager")
    files = bench.files(version)
    document = yaml.safe_load(files["specs/versions/malignancy/1.yaml"])
    from ordain.specs.kinds import kind_validator

    spec = kind_validator("ModelVersion").validate_python(document["spec"])
    side = read_side(bench.source(), bench.head())
    with pytest.raises(ProvenanceError, match="none of the 1 keys that are trusted"):
        prove_origin(files, spec, read_keys(trusted_keys(side.estate)))


def test_a_store_that_lost_them_gets_them_back_from_git(bench: Bench) -> None:
    side = promoted(bench)
    store = ArtifactStore(bench.source().home.artifacts)
    named = version_named(side.estate, MODEL, 1).spec.provenance
    assert not store.has(named.statement)
    restore(store, side.tree, side.estate)
    assert store.get(named.statement) == side.tree[evidence_path(named.statement)]
    assert store.has(named.bom)


@pytest.mark.parametrize("fate", ["removed", "changed"])
def test_a_promotion_whose_papers_are_missing_or_others_is_refused(bench: Bench, fate: str) -> None:
    version = attested(bench)
    assert version.attested is not None
    files: dict[str, bytes | None] = dict(bench.files(version))
    path = next(iter(version.attested.files()))
    if fate == "removed":
        del files[path]
    else:
        files[path] = b"{}"
    bench.commit(files, by="reconciler", author="reconciler")
    found = [one.code for step in bench.gate(None).refused for one in step.findings]
    assert "PRO007" in found


def test_papers_of_no_version_are_refused(bench: Bench) -> None:
    paper = Attested(b'{"a":1}', b'{"b":2}').files()
    bench.commit(dict(paper), by="reconciler", author="reconciler")
    found = [one.code for step in bench.gate(None).refused for one in step.findings]
    assert "PRO009" in found
