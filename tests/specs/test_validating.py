"""What a Model declares of its validation fits its task, its features, Datasets and its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.edge_cases import EdgeCase, read_edge_cases
from ordain.specs.features import protected_names, with_protected
from ordain.specs.kinds import kind_validator
from ordain.specs.kinds.model import Decision
from ordain.specs.plain import material_digest, spec_digest
from ordain.specs.reason_files import check_reasons
from ordain.specs.validating import check_edge_cases, unlike_groups, unlike_outcome

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]
Load = Callable[..., LoadedEstate]

LAST = "decision: {threshold: 0.3}"
OTHER = """apiVersion: ordain.dev/v1
kind: Dataset
metadata: {name: recent}
spec:
  source: {type: csv, uri: data/recent.csv}
  columns:
    income: {type: float}
    purpose: {type: category}
    sex: {type: category, role: protected, reference: male}
"""


def found(check: Check, edit: Edit, declared: str, task: str = "classification") -> list[str]:
    files = edit("model", LAST, f"{LAST}\n  validation: {declared}")
    (path,) = files
    files[path] = files[path].replace("task: classification", f"task: {task}")
    codes = ("SPEC160", "SPEC161", "SPEC163", "REF00")
    return [one for one in check({**files, "specs/recent.yaml": OTHER}) if one.startswith(codes)]


def test_what_fits_has_no_finding(check: Check, edit: Edit) -> None:
    declared = "{dataset: recent, segments: {columns: [purpose], metric: brier, max: 0.3}}"
    assert found(check, edit, declared) == []


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (
            "{segments: {columns: [purpos]}}",
            (
                "SPEC160 model.yaml:12:37 error: there is no column `purpos` | "
                "did you mean `purpose`?"
            ),
        ),
        (
            "{segments: {columns: [applicant]}}",
            (
                "SPEC160 model.yaml:12:37 error: `applicant` is of the type id, and makes no "
                "groups | name a category, number or date"
            ),
        ),
        (
            "{segments: {columns: [purpose], metric: rmse}}",
            (
                "SPEC161 model.yaml:12:55 error: `rmse` is no metric of a classification that a "
                "group can have | use one of roc_auc, log_loss, brier, accuracy, ece, "
                "balanced_accuracy, macro_f1"
            ),
        ),
        (
            "{segments: {columns: [purpose], min: 0.8, max: 0.7}}",
            (
                "SPEC161 model.yaml:12:52 error: `min` of the segments is above their `max` | "
                "write the lower one first"
            ),
        ),
    ],
)
def test_segments_are_columns_with_a_metric_of_the_task(
    check: Check, edit: Edit, declared: str, expected: str
) -> None:
    assert found(check, edit, declared) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    income: {type: float}\n",
            "",
            (
                "SPEC160 model.yaml:12:25 error: the Dataset `recent` has no column `income`, "
                "which is a feature | declare it in the Dataset `recent`, or validate on another "
                "one"
            ),
        ),
        (
            "income: {type: float}",
            "income: {type: int}",
            (
                "SPEC160 model.yaml:12:25 error: `income` is int in the Dataset `recent`, and a "
                "feature of type float | declare it as float"
            ),
        ),
    ],
)
def test_the_rows_of_a_validation_have_the_features_of_the_model(
    check: Check, edit: Edit, old: str, new: str, expected: str
) -> None:
    files = edit("model", LAST, f"{LAST}\n  validation: {{dataset: recent}}")
    other = OTHER.replace(old, new)
    findings = [one for one in check({**files, "specs/recent.yaml": other}) if "SPEC160" in one]
    assert findings == [expected]


def dataset(**changed: object) -> Dataset:
    """A Dataset of applicants; a keyword changes its target or its protected column."""
    sex = {"type": "category", "role": "protected", "reference": "male", "levels": ["female"]}
    target = {"column": "defaulted", "positive": 1, "favourable": 0}
    spec = {
        "source": {"type": "csv", "uri": "a.csv"},
        "columns": {
            "income": {"type": "float"},
            "sex": sex | {key: one for key, one in changed.items() if key in sex},
            "defaulted": {"type": "int"},
        },
        "target": target | {key: one for key, one in changed.items() if key in target},
    }
    found: Dataset = kind_validator("Dataset").validate_python(spec)
    return found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"role": "feature"}, ["`sex` is not protected in the Dataset `recent`"]),
        (
            {"reference": "female"},
            ["`sex` has another `reference` in the Dataset `recent` than in that of the model"],
        ),
        (
            {"levels": None},
            ["`sex` has another `levels` in the Dataset `recent` than in that of the model"],
        ),
    ],
)
def test_the_rows_of_a_validation_protect_what_the_model_protects(
    changed: dict[str, object], expected: list[str]
) -> None:
    told = unlike_groups(dataset(), "recent", dataset(**changed))
    assert [message for message, _ in told] == expected


def test_who_is_compared_is_what_the_dataset_of_the_model_protects() -> None:
    plain = dataset(role="feature", reference=None)
    assert not protected_names(plain)
    assert with_protected(plain, dataset()).columns["sex"] == dataset().columns["sex"]
    columns = {name: one for name, one in plain.columns.items() if name != "sex"}
    without = with_protected(replace(plain, columns=columns), dataset())
    assert tuple(protected_names(without)) == ("sex",)
    assert with_protected(plain, None) is plain


def test_the_rows_of_a_validation_have_every_protected_column() -> None:
    other = dataset()
    columns = {name: one for name, one in other.columns.items() if name != "sex"}
    (told,) = unlike_groups(dataset(), "recent", replace(other, columns=columns))
    assert told == (
        "the Dataset `recent` has no column `sex`, by which groups are compared",
        "declare it as the Dataset of the model does, with `role: protected`",
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        (
            {"positive": 0},
            ["`target.positive` is `0` in the Dataset `recent`, and `1` in that of the model"],
        ),
        (
            {"favourable": None},
            [
                (
                    "`target.favourable` is not declared in the Dataset `recent`, and `0` in that "
                    "of the model"
                )
            ],
        ),
        (
            {"column": "income"},
            [
                (
                    "`target.column` is `income` in the Dataset `recent`, and `defaulted` in that "
                    "of the model"
                )
            ],
        ),
    ],
)
def test_outcomes_mean_the_same_in_both_datasets(
    changed: dict[str, object], expected: list[str]
) -> None:
    told = unlike_outcome(dataset(), "recent", dataset(**changed))
    assert [message for message, _ in told] == expected


def test_a_dataset_that_is_not_there_is_a_reference_to_nowhere(check: Check, edit: Edit) -> None:
    (finding,) = found(check, edit, "{dataset: recnt}")
    assert finding.startswith("REF001 model.yaml:12:25 error: ")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (
            "{calibration: {maxError: 0.1}}",
            (
                "SPEC163 model.yaml:12:29 error: `calibration` is of probabilities, and a "
                "regression gives none | remove `calibration`"
            ),
        ),
        (
            "{robustness: {maxFlips: 5%}}",
            (
                "SPEC163 model.yaml:12:39 error: `maxFlips` counts decisions, and a regression "
                "makes none | remove `maxFlips`"
            ),
        ),
    ],
)
def test_limits_of_what_a_task_has_not_are_an_error(
    check: Check, edit: Edit, declared: str, expected: str
) -> None:
    assert found(check, edit, declared, "regression") == [expected]


def test_a_validation_never_makes_a_model_train_again() -> None:
    plain = {"purpose": "a", "tier": 1, "owner": "risk", "task": "classification"}
    read = kind_validator("Model").validate_python
    bare, more = read(plain), read(plain | {"validation": {"edgeCases": "cases/a.yaml"}})
    assert material_digest(bare) == material_digest(more)
    assert spec_digest(bare) != spec_digest(more)


# ── edge cases ───────────────────────────────────────────────────────────────────────────────────

GOOD = """\
cases:
  - {name: a, inputs: {income: 0}, expect: {min: 0.1, max: 0.4}, why: because}
  - {name: b, inputs: {income: null}, expect: {refused: true}, why: it must be there}
"""


def test_a_suite_is_read() -> None:
    cases, findings = read_edge_cases(GOOD.encode(), "cases/credit.yaml")
    assert findings == ()
    assert cases == (
        EdgeCase("a", {"income": 0}, "because", 0.1, 0.4),
        EdgeCase("b", {"income": None}, "it must be there", refused=True),
    )
    assert [one.expected for one in cases] == ["output >= 0.1 and <= 0.4", "refused"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("cases: []\n", "1:8", "`cases` is a list of at least one case"),
        ("suite: []\n", "1:1", "edge cases have one key, `cases`"),
        (
            GOOD.replace(", why: because", ""),
            "2:5",
            "a case has exactly the keys name, inputs, expect and why",
        ),
        (GOOD.replace("name: b", "name: a"), "3:5", "the case 'a' is listed twice"),
        (GOOD.replace("because", "''"), "2:5", "name and why of a case are text that is not empty"),
        (
            GOOD.replace("income: 0", "income: [0]"),
            "2:32",
            "the input income of 'a' is neither a number, a text nor a truth value",
        ),
        (
            GOOD.replace("min: 0.1", "least: 0.1"),
            "2:44",
            "what is expected of 'a' is not understood",
        ),
        (GOOD.replace("min: 0.1", "min: low"), "2:50", "`min` of 'a' is no finite number"),
        (GOOD.replace("min: 0.1", "min: 0.9"), "2:44", "`min` of 'a' is above its `max`"),
        (
            GOOD.replace("refused: true", "refused: true, max: 1"),
            "3:47",
            "`refused` of 'b' is true, and stands alone",
        ),
    ],
)
def test_a_case_that_is_not_understood_is_told_at_its_place(
    text: str, place: str, message: str
) -> None:
    _, findings = read_edge_cases(text.encode(), "cases/credit.yaml")
    told = [(one.code, str(one.location), one.message) for one in findings]
    assert told == [("SPEC162", f"cases/credit.yaml:{place}", message)]


def suite(load: Load, edit: Edit, files: dict[str, bytes]) -> list[tuple[str, str]]:
    declared = "validation: {edgeCases: cases/credit.yaml}"
    estate = load(edit("model", LAST, f"{LAST}\n  {declared}"))
    document = estate.documents["Model/credit"]
    return [(one.message, one.remedy) for one in check_edge_cases(document, estate, files)]


def reasons(load: Load, edit: Edit, files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    declared = "explanation: {reasons: reasons/credit.yaml}"
    estate = load(edit("model", LAST, f"{LAST}\n  {declared}"))
    document = estate.documents["Model/credit"]
    found = check_reasons(document, estate, files)
    return [(one.code, one.message, one.remedy) for one in found]


def test_a_file_of_reasons_that_is_not_in_the_estate_is_an_error(load: Load, edit: Edit) -> None:
    message = "the file `reasons/credit.yaml` is not in the estate"
    assert reasons(load, edit, {}) == [("SPEC168", message, "write it, or correct the path")]


def test_reasons_and_features_are_each_others(load: Load, edit: Edit) -> None:
    text = "reasons: [{code: R1, text: The income is low, features: [incme]}]"
    told = reasons(load, edit, {"reasons/credit.yaml": text.encode()})
    assert told[0] == (
        "SPEC168",
        "a reason in `reasons/credit.yaml` speaks for `incme`, which is no feature",
        "did you mean `income`?",
    )
    assert told[1] == (
        "SPEC168",
        "no reason in `reasons/credit.yaml` speaks for the feature `income`",
        "add it to the features of a reason",
    )


@pytest.mark.parametrize(
    "text", ["text", "reasons: 7", "reasons: [7]", "reasons: [{}]", "a: [", ""]
)
def test_a_file_that_holds_no_reasons_is_an_error(load: Load, edit: Edit, text: str) -> None:
    assert reasons(load, edit, {"reasons/credit.yaml": text.encode()}) == [
        (
            "SPEC168",
            "`reasons/credit.yaml` is no file of reason codes",
            "write `reasons:` as a list of {code: R01, text: …, features: [name, …]}",
        )
    ]


def test_a_suite_that_is_not_in_the_estate_is_an_error(load: Load, edit: Edit) -> None:
    assert suite(load, edit, {}) == [
        (
            "the file `cases/credit.yaml` is not in the estate",
            "write it at the root or in `cases/`, or correct the path",
        )
    ]


def test_a_case_that_names_no_feature_is_an_error(load: Load, edit: Edit) -> None:
    text = GOOD.replace("{income: 0}", "{incme: 0}").encode()
    assert suite(load, edit, {"cases/credit.yaml": text}) == [
        ("the edge case 'a' names `incme`, which is no feature", "did you mean `income`?")
    ]
    assert suite(load, edit, {"cases/credit.yaml": GOOD.encode()}) == []


def test_a_case_that_expects_what_the_model_never_decides_is_an_error(
    load: Load, edit: Edit
) -> None:
    text = """\
cases:
  - {name: a, inputs: {income: 0}, expect: {decision: declne}, why: nothing is paid from nothing}
  - {name: b, inputs: {income: 0}, expect: {decision: decline}, why: nothing is paid from nothing}
"""
    declared = "validation: {edgeCases: cases/credit.yaml}"
    estate = load(edit("model", LAST, f"{LAST}\n  {declared}"))
    document = estate.documents["Model/credit"]
    decision = Decision(above="decline", below="approve")
    document = replace(document, spec=replace(document.spec, decision=decision))
    files = {"cases/credit.yaml": text.encode()}
    found = [
        (one.code, one.message, one.remedy) for one in check_edge_cases(document, estate, files)
    ]
    assert found == [
        (
            "SPEC162",
            (
                "the edge case 'a' expects the decision 'declne', and credit decides 'decline' or "
                "'approve'"
            ),
            "did you mean `decline`?",
        )
    ]
