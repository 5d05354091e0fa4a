"""What the reconciler signs of a version, where it is kept, and what is believed of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.compilers.serving import trusted_keys
from ordain.reconciler import attempts
from ordain.reconciler.attesting import Attested, invocation_of, prove_origin, restore
from ordain.reconciler.desire import desire
from ordain.reconciler.gating import read_side
from ordain.reconciler.outcomes import Outcome
from ordain.reconciler.planning import Observed, make_plan
from ordain.reconciler.stages import Propose, Train
from ordain.reconciler.versions import version_named
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.dsse import read_keys
from ordain.specs.canonical import canonical_json
from ordain.specs.estates import load_estate
from ordain.specs.evidence import evidence_path
from ordain.specs.kinds import kind_validator
from ordain.vcs.keys import generate_key, parse_signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.reconciler.gating import Side
    from ordain.runtime.provenance.statements import Invocation
    from ordain.specs.kinds.model_version import ModelVersion
    from tests.reconciler.conftest import Bench

MODEL = "malignancy"
ORGANIZATION = "specs/organization.yaml"


def revoked(organization: bytes) -> bytes:
    """The same with the key of the reconciler revoked, and another in its place."""
    document = yaml.safe_load(organization)
    (key,) = document["spec"]["reconciler"]["keys"]
    other = parse_signer(generate_key("the new machine")[0], "a key").public.line
    document["spec"]["reconciler"]["keys"] = [{**key, "revoked": True}, {**key, "public": other}]
    return yaml.safe_dump(document).encode()


def spec_in(files: Mapping[str, bytes]) -> ModelVersion:
    document = yaml.safe_load(files["specs/versions/malignancy/1.yaml"])
    found: ModelVersion = kind_validator("ModelVersion").validate_python(document["spec"])
    return found


def promoted(bench: Bench) -> Side:
    bench.promote()
    source = bench.source()
    return read_side(source, source.head())


def test_a_promotion_carries_what_was_signed_beside_the_evidence(bench: Bench) -> None:
    version = bench.version()
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
    version = bench.version(by="manager")
    files = bench.files(version)
    spec = spec_in(files)
    side = read_side(bench.source(), bench.head())
    with pytest.raises(ProvenanceError, match="none of the 1 keys that are trusted"):
        prove_origin(files, spec, read_keys(trusted_keys(side.estate)))


def test_a_store_that_lost_them_gets_them_back_from_git(bench: Bench) -> None:
    side = promoted(bench)
    store = ArtifactStore(bench.source().home.artifacts)
    named = version_named(side.estate, MODEL, 1).spec.provenance
    assert not store.has(named.statement)
    store.put(side.tree[evidence_path(named.bom)])
    damaged = store.path(named.bom)
    damaged.chmod(0o600)
    damaged.write_bytes(b"{}")
    restore(store, side.tree, side.estate)
    assert store.get(named.statement) == side.tree[evidence_path(named.statement)]
    assert store.get(named.bom) == side.tree[evidence_path(named.bom)]


def test_a_version_whose_papers_are_of_a_revoked_key_is_proposed_again(bench: Bench) -> None:
    side = promoted(bench)
    home, version = bench.source().home, version_named(side.estate, MODEL, 1).spec
    wanted = desire(side.revision, side.estate, side.tree, home, ()).models
    assert [(one.made, one.newest) for one in wanted] == [(1, 1)]
    trees = {
        "lost": {**side.tree, evidence_path(version.provenance.statement): b"{}"},
        "revoked": {**side.tree, ORGANIZATION: revoked(side.tree[ORGANIZATION])},
    }
    for tree in trees.values():
        declared = desire(side.revision, load_estate(tree), tree, home, ())
        outcome = Outcome("evidence pass", "proposable", version.artifact)
        observed = Observed(outcomes={version.recipe: outcome}, inventory={MODEL: "active"})
        stages = make_plan(declared, observed).stages
        assert Propose(MODEL, 2, version.recipe) in stages
        assert not any(isinstance(stage, Train) for stage in stages)


def test_another_version_of_the_same_artifact_passes_the_gate(bench: Bench) -> None:
    promoted(bench)
    again = bench.promote(replace(bench.version(), number=2, attested=bench.version(2).attested))
    assert bench.gate(None).good == again


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "sha256:" + "1" * 64}, "the statement is about another recipe than sha256:11"),
        ({"evidence": "sha256:" + "2" * 64}, "the statement is about another evidence than sha256"),
        ({"version": 7}, "the bill of materials is about another version than 7"),
        ({"model": "other"}, "the bill of materials is about another model than other"),
    ],
)
def test_papers_of_something_else_are_not_believed(
    bench: Bench, change: dict[str, Any], message: str
) -> None:
    side = promoted(bench)
    version = replace(version_named(side.estate, MODEL, 1).spec, **change)
    with pytest.raises(ProvenanceError, match=message):
        prove_origin(side.tree, version, read_keys(trusted_keys(side.estate)))


def test_a_bill_of_other_evidence_is_not_believed(bench: Bench) -> None:
    version = bench.version()
    assert version.attested is not None
    other = bench.version(auc=0.98).attested
    assert other is not None
    mixed = replace(version, attested=replace(version.attested, bom=other.bom))
    files = bench.files(mixed)
    spec = spec_in(files)
    side = read_side(bench.source(), bench.head())
    with pytest.raises(ProvenanceError, match=r"bill of .* another (artifact|evid)"):
        prove_origin(files, spec, read_keys(trusted_keys(side.estate)))


def test_the_run_that_is_signed_for_is_the_one_that_made_it(bench: Bench) -> None:
    version, signer = bench.version(), bench.signer("reconciler")
    evidence = replace(version.evidence, environment={"ordain": "0.0.9"})
    directory = bench.source().home.job(version.recipe.digest)
    directory.mkdir(parents=True)
    later = bench.now + timedelta(days=2)

    def told() -> Invocation:
        return invocation_of(directory, evidence, signer, "c" * 40, later)

    assert (told().started, told().finished, told().tool) == (None, later, "0.0.9")
    begun = attempts.begin(
        directory,
        bench.now,
        model=MODEL,
        recipe=version.recipe.digest,
        preview=False,
        champion=None,
    )
    result = directory / "result.json"
    result.write_bytes(canonical_json({"artifact": version.artifact}))
    attempts.end(directory, begun, bench.now + timedelta(seconds=9), None)
    assert (told().started, told().finished) == (bench.now, bench.now + timedelta(seconds=9))
    # Another run of the recipe made something else: its times are not those of this artifact.
    result.write_bytes(canonical_json({"artifact": "sha256:" + "0" * 64}))
    assert (told().started, told().finished) == (None, later)


@pytest.mark.parametrize("fate", ["removed", "changed"])
def test_a_promotion_whose_papers_are_missing_or_others_is_refused(bench: Bench, fate: str) -> None:
    version = bench.version()
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


def test_a_version_that_names_no_papers_is_refused(bench: Bench) -> None:
    version = replace(bench.version(), attested=None)
    bench.commit(dict(bench.files(version)), by="reconciler", author="reconciler")
    found = [one for step in bench.gate(None).refused for one in step.findings]
    expected = ("PRO007", "ModelVersion/malignancy-1 names no provenance")
    assert expected in [(one.code, one.message) for one in found]


def test_papers_of_no_version_are_refused(bench: Bench) -> None:
    paper = Attested(b'{"a":1}', b'{"b":2}').files()
    bench.commit(dict(paper), by="reconciler", author="reconciler")
    found = [one.code for step in bench.gate(None).refused for one in step.findings]
    assert "PRO009" in found
