from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ordain.ledger.records import Prediction
from ordain.runtime.artifacts import Artifact, ArtifactStore, load_artifact, save_artifact
from ordain.runtime.errors import ArtifactError
from ordain.runtime.reasons import (
    Attribution,
    ReasonCode,
    ReasonCodes,
    background_digest,
    background_of,
    ranked,
    read_reason_codes,
    reasons_for,
)
from ordain.runtime.reasons.errors import ReasonCodesError, ReasonsError, ReplayError
from ordain.runtime.scoring import RowPlan

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = {"income": -0.5, "debt": 0.75, "tenure": -0.25, "term": 0.125}
RECIPE = "sha256:" + "c" * 64
CODES = ReasonCodes(
    (
        ReasonCode("R01", "Income too low for the debt", ("income", "debt")),
        ReasonCode("R02", "Too few years with the present employer", ("tenure",)),
        ReasonCode("R03", "The loan runs too long", ("term",)),
    )
)


def plan() -> bytes:
    names = list(WEIGHTS)
    inputs = [
        {
            "name": name,
            "type": "float",
            "missing": True,
            "range": None,
            "levels": None,
            "unknown": "bucket",
        }
        for name in names
    ]
    columns = [
        {
            "op": "number",
            "input": name,
            "impute": 0.0,
            "low": None,
            "high": None,
            "center": 0.0,
            "scale": 1.0,
        }
        for name in names
    ]
    raw = {
        "format": "ordain.plan/2",
        "task": "classification",
        "classes": [],
        "inputs": inputs,
        "columns": columns,
        "keep": None,
        "names": names,
        "sources": [[name] for name in names],
        "model": {
            "kind": "linear",
            "coefficients": [list(WEIGHTS.values())],
            "intercepts": [0.25],
        },
        "link": "logit",
        "calibration": None,
        "decision": {"threshold": 0.5, "above": "decline", "below": "approve"},
    }
    return json.dumps(raw).encode()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


@pytest.fixture
def artifact(store: ArtifactStore) -> Artifact:
    background = {"rows": [dict.fromkeys(WEIGHTS, 1.0), dict.fromkeys(WEIGHTS, 3.0)]}
    members = {"plan.json": plan(), "background.json": json.dumps(background).encode()}
    return save_artifact(store, "credit-default", RECIPE, members)


def prediction(artifact: Artifact, **inputs: float | None) -> Prediction:
    read = RowPlan.read(artifact.member("plan.json"))
    score = read.score(inputs)
    given: dict[str, Any] = dict.fromkeys(("rule", "draw", "key_id"))
    return Prediction(
        id="0193-1",
        time=datetime(2026, 11, 20, tzinfo=UTC),
        route="credit",
        deployment="credit-default",
        model="credit-default",
        version="1",
        artifact=artifact.digest,
        inputs=inputs,
        output=score,
        decision=read.decide(score),
        threshold=0.5,
        latency_us=90,
        **given,
    )


def test_reasons_are_the_families_that_spoke_against_the_applicant_strongest_first(
    artifact: Artifact,
) -> None:
    asked = prediction(artifact, income=0.0, debt=4.0, tenure=0.0, term=1.0)
    first, second = reasons_for(asked, artifact, CODES)
    # Against a mean of 2: income -.5·(0-2), debt .75·(4-2), tenure -.25·(0-2), term .125·(1-2).
    assert (first.rank, first.code, first.feature) == (1, "R01", "debt")
    assert first.text == "Income too low for the debt"
    assert math.isclose(first.contribution, 1.0 + 1.5)
    assert (second.rank, second.code) == (2, "R02")
    assert math.isclose(second.contribution, 0.5)


def test_a_decision_that_the_version_does_not_give_is_not_explained(artifact: Artifact) -> None:
    asked = replace(prediction(artifact, income=0.0, debt=4.0, tenure=0.0), decision="approve")
    with pytest.raises(ReplayError) as caught:
        reasons_for(asked, artifact, CODES)
    assert caught.value.message == (
        "prediction 0193-1 replays to the decision 'decline', the ledger says 'approve'"
    )


def test_an_answer_of_the_fallback_has_no_reasons(artifact: Artifact) -> None:
    asked = replace(prediction(artifact, income=0.0), output=None)
    with pytest.raises(ReplayError, match="was answered by the route's fallback, not by a model"):
        reasons_for(asked, artifact, CODES)


def test_what_spoke_for_the_applicant_is_no_reason(artifact: Artifact) -> None:
    asked = prediction(artifact, income=9.0, debt=0.0, tenure=9.0, term=0.0)
    assert reasons_for(asked, artifact, CODES) == ()


def test_where_the_lower_side_is_unfavourable_the_signs_turn(artifact: Artifact) -> None:
    asked = prediction(artifact, income=9.0, debt=0.0, tenure=2.0, term=1.0)
    found = reasons_for(asked, artifact, CODES, unfavourable="below")
    assert [reason.code for reason in found] == ["R01", "R03"]


def test_at_most_as_many_reasons_as_asked_for(artifact: Artifact) -> None:
    asked = prediction(artifact, income=0.0, debt=4.0, tenure=0.0, term=4.0)
    assert len(reasons_for(asked, artifact, CODES)) == 3
    assert [reason.code for reason in reasons_for(asked, artifact, CODES, top=1)] == ["R01"]


def test_without_reason_codes_every_input_is_its_own_reason(artifact: Artifact) -> None:
    asked = prediction(artifact, income=0.0, debt=4.0, tenure=2.0, term=2.0)
    assert [(reason.code, reason.text) for reason in reasons_for(asked, artifact)] == [
        ("debt", "debt"),
        ("income", "income"),
    ]


def test_equal_reasons_stand_in_the_order_of_their_codes(artifact: Artifact) -> None:
    # tenure and term both add .25 to the log-odds.
    asked = prediction(artifact, income=2.0, debt=2.0, tenure=1.0, term=4.0)
    assert [reason.code for reason in reasons_for(asked, artifact, CODES)] == ["R02", "R03"]


def test_missing_inputs_are_explained_too(artifact: Artifact) -> None:
    asked = prediction(artifact, income=None, debt=2.0)
    assert reasons_for(asked, artifact, CODES)[0].code == "R01"


def test_another_artifact_explains_nothing(artifact: Artifact) -> None:
    asked = replace(prediction(artifact, income=1.0), artifact="sha256:" + "d" * 64)
    with pytest.raises(ReplayError) as caught:
        reasons_for(asked, artifact, CODES)
    assert caught.value.message == (
        f"prediction 0193-1 was made by artifact sha256:{'d' * 64}, not by {artifact.digest}"
    )


def test_an_output_that_does_not_replay_to_the_bit_is_not_explained(artifact: Artifact) -> None:
    asked = prediction(artifact, income=1.0)
    changed = replace(asked, output=math.nextafter(asked.output, 1.0))
    with pytest.raises(ReplayError) as caught:
        reasons_for(changed, artifact, CODES)
    assert caught.value.message == (
        f"prediction 0193-1 replays to {asked.output!r}, the ledger says {changed.output!r}"
    )
    assert caught.value.code == "RUN171"


def test_inputs_that_were_changed_afterwards_are_noticed(artifact: Artifact) -> None:
    asked = prediction(artifact, income=1.0)
    with pytest.raises(ReplayError, match="replays to"):
        reasons_for(replace(asked, inputs={"income": 2.0}), artifact, CODES)


def test_a_tampered_artifact_is_not_even_opened(store: ArtifactStore, artifact: Artifact) -> None:
    path = store.path(artifact.digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"credit-default", b"credit-defaulT"))
    with pytest.raises(ArtifactError):
        load_artifact(store, artifact.digest)


def test_a_background_that_was_changed_is_not_compared_with(
    store: ArtifactStore, artifact: Artifact
) -> None:
    path = store.path(background_digest(artifact))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"3.0", b"9.0"))
    with pytest.raises(ArtifactError, match=r"the bytes under sha256:.* are sha256:"):
        load_artifact(store, artifact.digest)


def test_the_digest_of_a_background_is_that_of_the_manifest(
    store: ArtifactStore, artifact: Artifact
) -> None:
    manifest = json.loads(store.get(artifact.digest))
    found = background_of(artifact)
    assert found.digest == background_digest(artifact)
    assert found.digest == manifest["members"]["background.json"]["digest"]
    assert (len(found.rows), found.of) == (2, "all")


@pytest.mark.parametrize("data", [b'{"rows": 3}', b'{"row": []}', b'{"rows": [1]}'])
def test_a_background_that_is_no_list_of_rows_cannot_be_read(
    store: ArtifactStore, data: bytes
) -> None:
    members = {"plan.json": plan(), "background.json": data}
    odd = save_artifact(store, "credit-default", RECIPE, members)
    with pytest.raises(ReasonsError) as caught:
        background_of(odd)
    assert caught.value.message == f"background.json of artifact {odd.digest} cannot be read"


def test_of_an_input_that_was_not_given_another_sentence_is_told(artifact: Artifact) -> None:
    told = ReasonCodes(
        tuple(replace(code, missing=f"{code.code} not given") for code in CODES.codes)
    )
    given = dict.fromkeys(WEIGHTS, 2.0)
    for name, weight in WEIGHTS.items():
        found = reasons_for(prediction(artifact, **{**given, name: None}), artifact, told)
        # A missing number is taken for 0: what would have spoken for the applicant is not there.
        assert (name in {reason.feature for reason in found}) == (weight < 0)
        assert all(
            (reason.text == f"{reason.code} not given") == (reason.feature == name)
            for reason in found
        )


def test_reasons_whose_order_an_error_could_have_made_are_not_separated() -> None:
    codes = ReasonCodes.plain(["a", "b", "c"])
    values, errors = {"a": 1.0, "b": 0.9, "c": 0.1}, {"a": 0.1, "b": 0.1, "c": 0.01}
    found = ranked(codes, Attribution(values, errors), {})
    assert [(one.feature, one.error, one.separated) for one in found] == [
        ("a", 0.1, False),
        ("b", 0.1, True),
        ("c", 0.01, True),
    ]
    assert all(one.separated for one in ranked(codes, Attribution(values), {}))


def test_an_artifact_without_background_is_not_explained(store: ArtifactStore) -> None:
    bare = save_artifact(store, "credit-default", RECIPE, {"plan.json": plan()})
    with pytest.raises(ArtifactError, match=r"has no member background\.json"):
        reasons_for(prediction(bare, income=1.0), bare, CODES)


def test_an_input_without_a_reason_is_named(artifact: Artifact) -> None:
    partial = ReasonCodes(CODES.codes[:1])
    with pytest.raises(ReasonCodesError) as caught:
        reasons_for(prediction(artifact, income=1.0), artifact, partial)
    assert caught.value.message == "no reason code speaks for tenure, term"
    assert caught.value.remedy == "add each of them to the features of a reason"


def test_a_reason_for_an_input_that_the_model_lacks_is_named(artifact: Artifact) -> None:
    extra = ReasonCodes((*CODES.codes, ReasonCode("R04", "Postcode", ("postcode",))))
    with pytest.raises(ReasonCodesError, match="the model has no input postcode"):
        reasons_for(prediction(artifact, income=1.0), artifact, extra)


YAML = b"""\
reasons:
  - {code: R01, text: Income too low for the debt, features: [income, debt]}
  - code: R02
    text: Too few years with the present employer
    features: [tenure]
  - {code: R03, text: The loan runs too long, features: [term]}
"""


def test_reason_codes_are_read_from_yaml() -> None:
    assert read_reason_codes(YAML, "reason-codes.yaml") == CODES


def test_a_reason_may_have_a_direction_and_a_sentence_for_what_was_not_given() -> None:
    text = "reasons:\n- {code: R, text: Too low, features: [a], direction: low, missing: Not given}"
    assert read_reason_codes(text.encode(), "codes.yaml").codes == (
        ReasonCode("R", "Too low", ("a",), "low", "Not given"),
    )


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("reasons: []", "`reasons` is a list of at least one reason", 1),
        ("reason: []", "reason codes have one key, `reasons`", 1),
        (
            "reasons:\n  - {code: R01, text: a}",
            "a reason has the keys code, text and features, and may have direction and missing",
            2,
        ),
        (
            "reasons:\n  - {code: R01, text: ' ', features: [a]}",
            "code and text of a reason are text that is not empty",
            2,
        ),
        (
            "reasons:\n  - {code: R01, text: a, features: [a], direction: down}",
            "the direction of R01 is high, low or either",
            2,
        ),
        (
            "reasons:\n  - {code: R01, text: a, features: [a], missing: ''}",
            "`missing` of R01 is text that is not empty",
            2,
        ),
        (
            "reasons:\n  - {code: R01, text: a, features: []}",
            "the features of R01 are a list of at least one name",
            2,
        ),
        (
            "reasons:\n- {code: R, text: a, features: [a]}\n- {code: R, text: b, features: [b]}",
            "reason code R is listed twice",
            3,
        ),
        (
            "reasons:\n- {code: R, text: a, features: [a]}\n- {code: S, text: b, features: [a]}",
            "feature a is listed twice",
            3,
        ),
    ],
)
def test_wrong_reason_codes_are_refused_at_their_place(text: str, message: str, line: int) -> None:
    with pytest.raises(ReasonCodesError) as caught:
        read_reason_codes(text.encode(), "reason-codes.yaml")
    assert caught.value.message == message
    assert caught.value.location is not None
    assert (caught.value.location.path, caught.value.location.line) == ("reason-codes.yaml", line)


def test_yaml_that_cannot_be_read_is_refused_with_the_finding_of_the_loader() -> None:
    with pytest.raises(ReasonCodesError) as caught:
        read_reason_codes(b"reasons: [", "reason-codes.yaml")
    assert caught.value.location is not None


def test_two_documents_are_not_one() -> None:
    with pytest.raises(ReasonCodesError, match="holds 2 documents, not one"):
        read_reason_codes(b"reasons: 1\n---\nreasons: 2\n", "reason-codes.yaml")
