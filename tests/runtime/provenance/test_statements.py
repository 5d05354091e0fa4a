from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ordain.runtime.errors import ProvenanceError
from ordain.runtime.provenance.dsse import seal
from ordain.runtime.provenance.statements import (
    PAYLOAD,
    Invocation,
    Produced,
    provenance_of,
    sign_statement,
    verify_statement,
)
from ordain.specs.canonical import canonical_json
from ordain.specs.recipes import Recipe
from ordain.vcs.keys import generate_key, parse_signer

A, B, C, D, E, F = ("sha256:" + letter * 64 for letter in "abcdef")
RECIPE = Recipe("credit", A, B, C, D, seed=7, threads=1)
LOCK = {"numpy": "2.4.6", "python": "3.11"}
MADE = Produced(E, {"plan.json": F, "background.json": A}, B, snapshot=D)
RUN = Invocation(
    "https://ordain.dev/reconciler/SHA256:abc",
    "0.1.0",
    "1" * 40,
    finished=datetime(2026, 11, 20, 9, 0, 42, 999_999, tzinfo=UTC),
    started=datetime(2026, 11, 20, 10, 0, 0, tzinfo=timezone(timedelta(hours=1))),
)
SIGNER = parse_signer(generate_key("the machine")[0], "a key of the tests")


def test_the_statement_names_everything_that_went_in_and_came_out() -> None:
    found = json.loads(provenance_of(RECIPE, LOCK, MADE, RUN))
    assert (found["_type"], found["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    assert [(one["name"], one["digest"]["sha256"][0]) for one in found["subject"]] == [
        ("artifact.json", "e"),
        ("background.json", "a"),
        ("plan.json", "f"),
    ]
    definition = found["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["recipe"] == {
        "model": "credit",
        "spec": A,
        "dataset": B,
        "data": C,
        "environment": D,
        "seed": 7,
        "threads": 1,
        "digest": RECIPE.digest,
    }
    assert definition["resolvedDependencies"] == [
        {"name": "rows", "digest": {"ordainTable": "c" * 64, "sha256": "d" * 64}},
        {"name": "estate", "digest": {"gitCommit": "1" * 40}},
        {"name": "environment.lock", "digest": {"sha256": "d" * 64}},
        {"name": "numpy", "uri": "pkg:pypi/numpy@2.4.6"},
        {"name": "python", "uri": "pkg:generic/python@3.11"},
    ]
    details = found["predicate"]["runDetails"]
    assert details["builder"]["version"] == {"ordain": "0.1.0"}
    assert details["metadata"] == {
        "invocationId": RECIPE.digest,
        "startedOn": "2026-11-20T09:00:00Z",
        "finishedOn": "2026-11-20T09:00:42Z",
    }
    assert details["byproducts"] == [{"name": "evidence.json", "digest": {"sha256": "b" * 64}}]


def test_without_a_commit_or_a_snapshot_none_is_claimed() -> None:
    run, made = replace(RUN, commit=""), replace(MADE, snapshot="")
    found = json.loads(provenance_of(RECIPE, {}, made, run))
    dependencies = found["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert [one["name"] for one in dependencies] == ["rows", "environment.lock"]
    assert dependencies[0]["digest"] == {"ordainTable": "c" * 64}


def test_a_signed_statement_is_believed_of_its_artifact_only() -> None:
    envelope = sign_statement(provenance_of(RECIPE, LOCK, MADE, RUN), SIGNER)
    found = verify_statement(envelope, E, [SIGNER.public])
    assert found["subject"][0]["name"] == "artifact.json"
    with pytest.raises(ProvenanceError) as caught:
        verify_statement(envelope, F, [SIGNER.public])
    # F is a member of it, which is not the artifact.
    assert caught.value.message == f"the statement is about another artifact than {F}"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"[]", "the envelope holds no in-toto statement"),
        (b"{}", "the envelope holds no in-toto statement"),
        (
            canonical_json({"_type": "x", "predicateType": "y", "subject": []}),
            (
                "the statement is not of the type https://in-toto.io/Statement/v1 with "
                "https://slsa.dev/provenance/v1"
            ),
        ),
        (
            canonical_json(json.loads(provenance_of(RECIPE, LOCK, MADE, RUN)) | {"subject": []}),
            f"the statement is about another artifact than {E}",
        ),
    ],
)
def test_what_is_signed_and_is_no_statement_on_it_is_refused(payload: bytes, message: str) -> None:
    with pytest.raises(ProvenanceError) as caught:
        verify_statement(seal(PAYLOAD, payload, SIGNER), E, [SIGNER.public])
    assert caught.value.message == message
