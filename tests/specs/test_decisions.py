"""What a model declares about decisions and reasons fits what its task can give."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

CLASSIFICATION = "task: classification"
LAST = "decision: {threshold: 0.3}"
OUTCOME = "outcome: {type: int}"
GRADES = "outcome: {type: category, levels: [good, watch, bad]}"


def found(check: Check, files: dict[str, str]) -> list[str]:
    """The findings of this part; a task that is not trained yet is another one's."""
    return [one for one in check(files) if one.startswith(("SPEC142", "SPEC143", "SPEC167"))]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("regression", "a regression gives a number and decides nothing"),
        ("clustering", "a clustering gives a cluster and decides nothing"),
    ],
)
def test_a_threshold_of_what_decides_nothing_is_an_error(
    check: Check, edit: Edit, task: str, message: str
) -> None:
    findings = found(check, edit("model", CLASSIFICATION, f"task: {task}"))
    assert (
        "SPEC142 model.yaml:11:3 error: `decision` parts two outcomes by a threshold: "
        f"{message} | remove `decision`"
    ) in findings


def test_a_threshold_of_a_target_with_more_than_two_levels_is_an_error(
    check: Check, edit: Edit
) -> None:
    assert found(check, edit("dataset", OUTCOME, GRADES)) == [
        (
            "SPEC142 model.yaml:11:3 error: `decision` parts two outcomes by a threshold: the "
            "target has 3 levels, of which the most probable is decided | remove `decision`"
        )
    ]
    two = GRADES.replace(", bad", "")
    assert found(check, edit("dataset", OUTCOME, two)) == []


@pytest.mark.parametrize(
    ("task", "explanation", "expected"),
    [
        (
            "clustering",
            "{top: 2}",
            (
                "SPEC143 model.yaml:11:3 error: `explanation` is declared, and a clustering has no "
                "reasons | remove `explanation`"
            ),
        ),
        (
            "regression",
            "{reasons: reasons.yaml}",
            (
                "SPEC143 model.yaml:11:17 error: `reasons` tell why a decision was unfavourable, "
                "and a regression gives a number and decides nothing | remove `reasons`"
            ),
        ),
    ],
)
def test_reasons_for_what_has_none_are_an_error(
    check: Check, edit: Edit, task: str, explanation: str, expected: str
) -> None:
    files = edit("model", LAST, f"explanation: {explanation}")
    (path,) = files
    files[path] = files[path].replace(CLASSIFICATION, f"task: {task}")
    assert expected in found(check, files)


def test_a_value_may_be_explained(check: Check, edit: Edit) -> None:
    files = edit("model", LAST, "explanation: {top: 2}")
    (path,) = files
    files[path] = files[path].replace(CLASSIFICATION, "task: regression")
    assert found(check, files) == []


@pytest.mark.parametrize(
    ("explanation", "expected"),
    [
        (
            "{gates: {flips: 0.95}}",
            [
                (
                    "SPEC167 model.yaml:12:17 error: `gates` judge reasons, and no reason codes "
                    "are declared | declare `reasons`"
                )
            ],
        ),
        ("{gates: {flips: 0.95}, reasons: reasons.yaml}", []),
        ("{background: {of: favourable}}", []),
    ],
)
def test_gates_of_reasons_need_reason_codes(
    check: Check, edit: Edit, explanation: str, expected: list[str]
) -> None:
    files = edit("model", LAST, f"{LAST}\n  explanation: {explanation}")
    assert found(check, files) == expected


@pytest.mark.parametrize(
    ("place", "old", "new", "why"),
    [
        ("dataset", ", favourable: 0}", "}", "the Dataset declares no favourable outcome"),
        ("dataset", OUTCOME, "outcome: {type: category, levels: [good, bad]}", ""),
    ],
)
def test_a_background_of_favourable_decisions_needs_them(
    check: Check, edit: Edit, place: str, old: str, new: str, why: str
) -> None:
    background = "explanation: {background: {of: favourable}}"
    model = edit("model", LAST, background if not why else f"{LAST}\n  {background}")
    files = model | edit(place, old, new)
    why = why or "the Model declares no decision"
    assert [one.partition(" error: ")[2] for one in found(check, files)] == [
        (
            f"the background is of favourable decisions, and {why} | "
            "remove `of`, or declare what is not there"
        )
    ]
