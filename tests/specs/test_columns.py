from __future__ import annotations

from collections.abc import Callable

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.features import feature_names

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]

LAST = "decision: {threshold: 0.3}"


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "model",
            LAST,
            f"{LAST}\n  features: {{include: [incme]}}",
            "REF003 model.yaml:12:24 error: there is no column `incme` | did you mean `income`?",
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  features: {{include: [income, sex]}}",
            (
                "REF004 model.yaml:12:32 error: `sex` can be no feature: it is protected: for "
                "fairness "
                "only, never a feature | take it out of `include`"
            ),
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  features: {{include: [income, arrears]}}",
            (
                "REF004 model.yaml:12:32 error: `arrears` can be no feature: it is known only "
                "after "
                "the outcome (`leaks`) | take it out of `include`"
            ),
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  features: {{include: [outcome, income]}}",
            (
                "REF004 model.yaml:12:24 error: `outcome` can be no feature: it is the outcome "
                "| take it out of `include`"
            ),
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  features: {{exclude: [income, purpose]}}",
            (
                "REF004 model.yaml:12:3 error: no column is left as a feature "
                "| every column is protected, a leak, the target, or excluded"
            ),
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  preprocessing: {{numeric: {{monotone: {{purpose: increasing}}}}}}",
            (
                "REF012 model.yaml:12:40 error: `purpose` is no numeric feature, so it has no "
                "direction | remove the line"
            ),
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  preprocessing: {{numeric: {{monotone: {{icome: increasing}}}}}}",
            "REF003 model.yaml:12:40 error: there is no column `icome` | did you mean `income`?",
        ),
        (
            "model",
            LAST,
            f"{LAST}\n  acceptance: {{fairness: [{{attributes: [income]}}]}}",
            (
                "REF003 model.yaml:12:41 error: `income` is no protected column of the Dataset "
                "| give the column `role: protected`"
            ),
        ),
        (
            "model",
            LAST,
            "acceptance: {fairness: [{attributes: [sex]}]}",
            (
                "REF012 model.yaml:11:16 error: fairness compares decisions, and this model "
                "makes none "
                "| add `decision:`, or declare the target's levels if there are more than two"
            ),
        ),
        (
            "model",
            "training: {estimator: hist_gradient_boosting}\n",
            "purpose2: x\n",
            "SPEC104 model.yaml:10:3 error: unknown field `purpose2` | did you mean `purpose`?",
        ),
        (
            "model",
            "  training: {estimator: hist_gradient_boosting}\n",
            "",
            (
                "REF008 model.yaml:4:1 error: a model has one of `training`, `external` and "
                "`imported`; this one has none | keep or add one of them"
            ),
        ),
        (
            "model",
            LAST,
            "external: {provider: bureau}",
            (
                "REF008 model.yaml:4:1 error: a model has one of `training`, `external` and "
                "`imported`; this one has training and external | keep or add one of them"
            ),
        ),
        (
            "model",
            "training: {estimator: hist_gradient_boosting}",
            "training: {seed: 3}",
            (
                "REF008 model.yaml:10:3 error: training is either by a named `estimator` or by "
                "`automl` | write one of the two"
            ),
        ),
        (
            "model",
            "  dataset: applications\n",
            "",
            (
                "REF008 model.yaml:9:3 error: a model that is trained needs a `dataset` "
                "| add `dataset:`"
            ),
        ),
        (
            "dataset",
            "entity: applicant",
            "entity: aplicant",
            (
                "REF003 dataset.yaml:6:11 error: there is no column `aplicant` "
                "| did you mean `applicant`?"
            ),
        ),
        (
            "dataset",
            "leaks: [arrears]",
            "leaks: [xyz]",
            "REF003 dataset.yaml:9:11 error: there is no column `xyz` | declare it in `columns`",
        ),
        (
            "dataset",
            "column: outcome",
            "column: outcomes",
            (
                "REF003 dataset.yaml:8:20 error: there is no column `outcomes` "
                "| did you mean `outcome`?"
            ),
        ),
        (
            "dataset",
            "reference: male}",
            "levels: [f, m], reference: male}",
            (
                "REF003 dataset.yaml:16:71 error: `male` is none of the levels of `sex` "
                "| levels: f, m"
            ),
        ),
        (
            "dataset",
            "income: {type: float}",
            "income: {type: float, range: [9, 1]}",
            (
                "REF012 dataset.yaml:13:34 error: the range of `income` ends before it begins "
                "| write the lowest value first"
            ),
        ),
        (
            "dataset",
            "  target: {column: outcome, favourable: 0}\n",
            "",
            (
                "REF012 model.yaml:9:12 error: the Dataset `applications` has no `target`, so "
                "there is "
                "nothing to learn | add `target:` to the Dataset"
            ),
        ),
        (
            "monitor",
            "[income]",
            "[income, sex]",
            (
                "REF003 monitor.yaml:6:22 error: `sex` is no feature of the model `credit` "
                "| take it out"
            ),
        ),
        (
            "monitor",
            "features: [income]",
            "psi: {warn: 0.5, fail: 0.2}",
            (
                "REF012 monitor.yaml:6:3 error: `psi` warns at 0.5 and fails at 0.2 "
                "| let it warn before it fails"
            ),
        ),
        (
            "monitor",
            "features: [income]",
            "window: {rows: 100}",
            (
                "REF012 monitor.yaml:6:3 error: the window never has as many rows as it needs "
                "| let `minRows` be at most `rows`"
            ),
        ),
    ],
)
def test_columns_and_parts_fit_together(
    check: Check, edit: Edit, name: str, old: str, new: str, expected: str
) -> None:
    assert expected in check(edit(name, old, new))


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (
            "{by: random, train: 60%, validation: 20%, test: 30%}",
            (
                "REF009 model.yaml:12:3 error: the three parts are 110% of the rows "
                "| let train, validation and test sum to 100%; left out, train is 60%, and "
                "validation and test are 20%"
            ),
        ),
        (
            "{by: entity, purge: 30d}",
            (
                "REF009 model.yaml:12:30 error: only a split by time leaves a gap, and this one is "
                "by entity | split by time, or take `purge` out"
            ),
        ),
        (
            "{by: random, train: half}",
            "REF009 model.yaml:12:30 error: `half` is no share | write a share such as 60%",
        ),
        (
            "{by: time, train: ..2024-02-30, validation: 2024-03..2024-04, test: 2024-05..}",
            (
                "REF009 model.yaml:12:28 error: `..2024-02-30` is no range of days "
                "| write a range such as ..2024-06-30, 2024-07..2024-09 or 2024-10.."
            ),
        ),
        (
            "{by: time, train: ..2024-02, validation: 2024-05..2024-04, test: 2024-05..}",
            (
                "REF009 model.yaml:12:51 error: `2024-05..2024-04` ends before it begins "
                "| write the earlier day first"
            ),
        ),
        (
            "{by: time, train: ..2024-02, validation: 20%, test: 2024-05..}",
            (
                "REF009 model.yaml:12:51 error: `20%` is a share, and another part is a range "
                "| write three ranges"
            ),
        ),
        (
            "{by: time, train: ..2024-06, validation: 2024-06-30..2024-09, test: 2024-10..}",
            (
                "REF009 model.yaml:12:3 error: train and validation overlap "
                "| let each day belong to one part"
            ),
        ),
        (
            "{by: time, train: 2024-10.., validation: 2024-07..2024-09, test: ..2024-06}",
            (
                "REF009 model.yaml:12:3 error: validation lies before train "
                "| let train end before validation begins, and validation before test"
            ),
        ),
        (
            "{by: time, train: ..2024-06, validation: 2024-10.., test: 2024-07..2024-09}",
            (
                "REF009 model.yaml:12:3 error: test lies before validation "
                "| let train end before validation begins, and validation before test"
            ),
        ),
    ],
)
def test_a_split_that_divides_nothing_is_refused(
    check: Check, edit: Edit, split: str, expected: str
) -> None:
    assert check(edit("model", LAST, f"{LAST}\n  split: {split}")) == [expected]


@pytest.mark.parametrize(
    "split",
    [
        "{by: entity, train: 70%, validation: 10%, test: 20%}",
        "{by: time}",
        "{by: time, train: ..2024, validation: 2025-01, test: 2025-02..}",
        "{by: time, train: ..2024, validation: 2025-01..2025-06, test: 2025-07-01..}",
        "{by: time, train: 2024..2024, validation: 2025-01..2025-01-31, test: 2025-02..}",
    ],
)
def test_splits_that_are_right_pass(check: Check, edit: Edit, split: str) -> None:
    assert check(edit("model", LAST, f"{LAST}\n  split: {split}")) == []


@pytest.mark.parametrize(("by", "field"), [("time", "time"), ("entity", "entity")])
def test_a_split_needs_its_column(
    check: Check, edit: Edit, files: dict[str, str], by: str, field: str
) -> None:
    lines = files["specs/dataset.yaml"].splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith(f"  {field}:"))
    changed = edit("model", LAST, f"{LAST}\n  split: {{by: {by}}}")
    found = check({**changed, "specs/dataset.yaml": without})
    assert found[0].startswith(f"REF009 model.yaml:12:15 error: a split by {by} needs the {by}")


def test_features_are_what_is_left(load: Load) -> None:
    estate = load()
    dataset, model = estate.get("Dataset", "applications"), estate.get("Model", "credit")
    assert dataset is not None
    assert model is not None
    assert feature_names(model.spec.features, dataset.spec) == ("income", "purpose")


def test_what_the_compliance_policy_prohibits_is_no_feature(check: Check) -> None:
    text = (
        "apiVersion: ordain.dev/v1\nkind: Compliance\nmetadata: {name: credit}\nspec:\n"
        "  model: credit\n  fairness_bias:\n    attributes: [sexx]\n    rationale: r\n"
        "    legalBasis: l\n    prohibitedFeatures: [income]\n"
    )
    assert check({"compliance/credit.yaml": text}) == [
        (
            "REF003 compliance/credit.yaml:7:18 error: there is no column `sexx` "
            "| did you mean `sex`?"
        ),
        (
            "REF004 compliance/credit.yaml:10:26 error: `income` is prohibited here and a "
            "feature of "
            "the model `credit` | add it to `features.exclude` of the Model `credit`"
        ),
    ]


@pytest.mark.training
def test_training_policies_and_the_language_name_the_same_features(
    load: Load, files: dict[str, str]
) -> None:
    """A column of the type id without a role is the one that they once disagreed on."""
    from ordain.policies.facts import facts
    from ordain.runtime.training.features import learnt_columns

    columns = "  columns:\n    account: {type: id}\n    zeal: {type: float}\n"
    estate = load(
        {"specs/dataset.yaml": files["specs/dataset.yaml"].replace("  columns:\n", columns)}
    )
    dataset, model = estate.get("Dataset", "applications"), estate.get("Model", "credit")
    assert dataset is not None
    assert model is not None
    names = feature_names(model.spec.features, dataset.spec)
    assert names == ("zeal", "income", "purpose")
    known = facts(model, estate)
    assert (known["features"], known["protected"]) == (list(names), ["sex"])
    assert learnt_columns(model.spec.features, dataset.spec) == tuple(sorted(names))
