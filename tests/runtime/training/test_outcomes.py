"""What is learnt is found in the data, and what cannot be learnt is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.errors import DataError, RunError, TrainingError
from ordain.runtime.training.outcomes import (
    Outcomes,
    class_name,
    read_outcomes,
    refuse_unlearnable,
)
from ordain.specs.kinds import kind_validator

pytestmark = pytest.mark.training


def outcomes(task: str, values: list[Any], kind: str = "category", **target: object) -> Outcomes:
    declared = kind_validator("Dataset").validate_python(
        {
            "source": {"type": "csv", "uri": "data/a.csv"},
            "columns": {"y": {"type": kind}, "x": {"type": "float"}},
            "target": {"column": "y", **target},
        }
    )
    return read_outcomes(task, declared, pa.table({"y": values}))


def test_two_outcomes_are_told_apart_by_the_positive_one() -> None:
    found = outcomes("classification", ["no", "yes", "no"], positive="yes")
    assert (found.task, found.declared, found.classes) == ("binary", "classification", ())
    assert found.values.tolist() == [0, 1, 0]


def test_more_outcomes_are_classes_in_the_order_of_their_names() -> None:
    found = outcomes("classification", ["car", "boat", "car", "study"])
    assert (found.task, found.classes) == ("classification", ("boat", "car", "study"))
    assert found.values.tolist() == [1, 0, 1, 2]


def test_classes_may_be_numbers() -> None:
    found = outcomes("classification", [10, 9, 2, 9], "int")
    assert found.classes == ("10", "2", "9")
    assert found.values.tolist() == [0, 2, 1, 2]


@pytest.mark.parametrize(
    ("value", "name"), [(True, "true"), (False, "false"), (3, "3"), (3.0, "3"), (0.5, "0.5")]
)
def test_a_class_has_the_name_that_yaml_would_write(value: object, name: str) -> None:
    assert class_name(value) == name


def test_a_regression_learns_numbers() -> None:
    found = outcomes("regression", [1, 5, 2], "int")
    assert (found.task, found.classes, found.values.tolist()) == ("regression", (), [1.0, 5.0, 2.0])


def test_a_clustering_learns_from_no_outcome() -> None:
    found = outcomes("clustering", ["a", "b", None])
    assert (found.task, found.values.tolist()) == ("clustering", [0, 0, 0])


@pytest.mark.parametrize(
    ("task", "values", "kind", "message"),
    [
        ("classification", ["a", "a"], "category", "all 2 rows have the same outcome"),
        ("classification", ["a", "b", None], "category", "1 rows without an outcome"),
        ("classification", ["a", "b"], "category", "no row has the positive outcome 1"),
        (
            "classification",
            list(range(101)),
            "int",
            "101 different outcomes, a classification takes 100",
        ),
        (
            "regression",
            ["a", "b"],
            "category",
            "its type is category, and a regression learns a number",
        ),
        ("regression", [1.0, float("inf"), 3.0], "float", "1 rows are not finite, first row 2"),
        ("regression", [1.0, None, 3.0], "float", "1 rows without an outcome"),
        ("regression", [4.5, 4.5, 4.5], "float", "all 3 rows have the same outcome"),
    ],
)
def test_outcomes_that_are_not_those_of_the_task_are_refused(
    task: str, values: list[Any], kind: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        outcomes(task, values, kind)
    assert caught.value.message == f"target y: {message}"
    assert caught.value.remedy


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_without_a_target_there_is_nothing_to_learn(task: str) -> None:
    declared = kind_validator("Dataset").validate_python(
        {"source": {"type": "csv", "uri": "a.csv"}, "columns": {"x": {"type": "float"}}}
    )
    with pytest.raises(TrainingError) as caught:
        read_outcomes(task, declared, pa.table({"x": [1.0, 2.0]}))
    assert caught.value.message == f"a {task} needs a target, and the Dataset names none"


def test_every_class_is_learnt_from_two_rows() -> None:
    found = outcomes("classification", ["a", "b", "c", "a", "b", "c", "b"])
    refuse_unlearnable(found, np.arange(6))
    with pytest.raises(TrainingError) as caught:
        refuse_unlearnable(found, np.array([0, 1, 2, 3, 4]))
    assert caught.value.message == "split: class c has 1 row in the training part, 2 are needed"


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_training_part_of_one_outcome_is_refused(task: str) -> None:
    found = outcomes(task, [1, 1, 0, 2], "int")
    with pytest.raises(RunError) as caught:
        refuse_unlearnable(found, np.array([0, 1]))
    assert caught.value.message == "split: all rows of the training part have the same outcome"
    refuse_unlearnable(Outcomes("clustering", np.zeros(4)), np.array([0, 1]))
