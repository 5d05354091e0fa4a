from __future__ import annotations

import re
from pathlib import Path

import pytest

import ordain.specs
from ordain.specs.codes import CODES
from ordain.specs.explanations import (
    Explanation,
    UnknownTopicError,
    explain,
    explanations,
    register,
)

ROOM = Path(ordain.specs.__file__).parent


def test_every_code_that_is_reported_has_a_page() -> None:
    used = {
        code
        for path in ROOM.rglob("*.py")
        if path.name != "codes.py"
        for code in re.findall(r'"((?:SPEC|REF|ORD|EVID)\d{3})"', path.read_text())
    }
    assert used == set(CODES)
    assert all(page.title and page.why and page.example and page.remedy for page in CODES.values())


def test_a_code_is_explained_with_its_reason_example_and_remedy() -> None:
    assert explain("spec104") == (
        "SPEC104: an unknown field\n\n"
        "A field that nobody reads looks as if it were in force. A misspelt limit is no limit.\n\n"
        "Example:\n\n    teir: 1\n\n"
        "Remedy: correct the name; `ordain explain KIND` lists the fields\n"
    )


def test_case_matters_neither_in_codes_nor_in_kinds() -> None:
    assert explain("model.spec.tier") == explain("Model.spec.tier")
    assert explain("ROUTE") == explain("Route")


def test_a_field_is_explained_by_its_declaration() -> None:
    assert explain("Model.spec.tier") == (
        "Model.spec.tier: 1 is the most material; the tier sets the quorum\n\n"
        "type: integer\n"
        "limits: at least 1, at most 3\n"
        "default: none, the field is required\n"
        "change class: metadata; when it changes, nothing is trained\n"
    )


@pytest.mark.parametrize(
    ("topic", "lines"),
    [
        ("Route", ["Route: One endpoint.", "  endpoint           path of the endpoint"]),
        ("Route.endpoint", ["limits: a path below /v1/ such as /v1/credit"]),
        ("Model.spec.acceptance.metrics.min", ["type: number", "default: absent"]),
        ("Dataset.columns.role", ["type: one of feature, protected, entity, time, id"]),
        ("Model.spec.split", ["type: mapping", "default: its own defaults", "Fields:"]),
        ("Monitor.spec.onBreach", ["default: alert"]),
    ],
)
def test_kinds_lists_and_mappings_are_passed_through(topic: str, lines: list[str]) -> None:
    page = explain(topic).splitlines()
    assert [line for line in lines if line not in page] == []


@pytest.mark.parametrize(
    ("topic", "message", "remedy"),
    [
        ("Modle", "there is neither a code nor a kind `Modle`", "did you mean `Model`?"),
        ("SPEC999", "there is neither a code nor a kind `SPEC999`", "did you mean `SPEC"),
        ("Model.spec.teir", "Model.spec has no field `teir`", "did you mean `tier`?"),
        ("Model.tier.x", "Model.spec.tier has no field `x`", "this is a plain value"),
    ],
)
def test_what_does_not_exist_gets_a_hint(topic: str, message: str, remedy: str) -> None:
    with pytest.raises(UnknownTopicError) as caught:
        explain(topic)
    assert caught.value.message == message
    assert caught.value.remedy.startswith(remedy)


def test_a_room_adds_its_codes_once() -> None:
    page = Explanation("a test", "because", "x: 1", "nothing")
    register({"DEMO001": page})
    register({"DEMO001": page})
    assert explanations()["DEMO001"] == page
    with pytest.raises(ValueError, match="DEMO001 has two explanations"):
        register({"DEMO001": Explanation("other", "because", "x: 1", "nothing")})


@pytest.mark.parametrize(
    ("topic", "same"),
    [
        ("Policy.spec.validations.0.expression", "Policy.spec.validations.expression"),
        ("Policy.spec.validations[0].expression", "Policy.spec.validations.expression"),
        ("Dataset.spec.columns.income.range", "Dataset.spec.columns.range"),
        ("Dataset.spec.columns['income'].range", "Dataset.spec.columns.range"),
    ],
)
def test_a_field_is_explained_as_findings_write_it(topic: str, same: str) -> None:
    assert explain(topic) == explain(same)


def test_what_every_document_has_is_explained() -> None:
    assert explain("Model.metadata.name") == (
        "Model.metadata.name: its name, once for each kind: small letters, digits and hyphens\n"
    )
    assert explain("model.kind").startswith("Model.kind: what the document declares")


def test_the_beginning_of_codes_lists_them() -> None:
    lines = explain("spec02").splitlines()
    assert lines[0] == "SPEC020: a file cannot be read"
    assert all(line.startswith("SPEC02") for line in lines)


def test_what_nobody_knows_is_not_repeated_at_length() -> None:
    with pytest.raises(UnknownTopicError) as raised:
        explain("x" * 100_000)
    assert len(raised.value.message) < 200
    # Other rooms may have registered theirs by now.
    assert {"REF", "SPEC"} <= set(re.findall(r"[A-Z]+", raised.value.remedy))
