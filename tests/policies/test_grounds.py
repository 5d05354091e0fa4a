"""Rows that a model is validated on, and labels that policies find it by, do not change unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.policies.loosening import loosened_between

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

DATA = "Dataset/applications"
OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def estate(workshop: Workshop) -> Sketch:
    """A model that is validated on the whole of a Dataset."""
    sketch = workshop.serving.set("Model/credit", "spec.validation", {"dataset": "applications"})
    sketch.set(DATA, "spec.digest", OLD).set(DATA, "spec.asOf", "2026-06-30")
    return sketch.set("Model/credit", "metadata.labels.law", "credit")


def seen(before: Sketch, after: Sketch) -> list[tuple[str, str, str]]:
    found = loosened_between(before.load(), after.load())
    return [(one.subject, one.before, one.after) for one in found]


@pytest.mark.parametrize(
    ("key", "path", "value", "before", "after"),
    [
        (DATA, "spec.digest", NEW, OLD, NEW),
        (DATA, "spec.digest", None, OLD, "removed"),
        (DATA, "spec.asOf", "2026-07-31", "2026-06-30", "2026-07-31"),
        (DATA, "spec.asOf", "2026-05-31", "2026-06-30", "2026-05-31"),
        ("Model/credit", "metadata.labels.law", None, "credit", "removed"),
        ("Model/credit", "metadata.labels.law", "none", "credit", "none"),
    ],
)
def test_another_ground_is_looser(
    workshop: Workshop, key: str, path: str, value: str | None, before: str, after: str
) -> None:
    old = estate(workshop)
    new = old.copy().set(key, path, value)
    assert seen(old, new) == [(f"{key} {path}", before, after)]


def test_rows_from_another_place_are_other_rows(workshop: Workshop) -> None:
    old = estate(workshop)
    new = old.copy().set(DATA, "spec.source", {"type": "csv", "uri": "data/easier.csv"})
    ((subject, _, after),) = seen(old, new)
    assert (subject, after) == (f"{DATA} spec.source", '{"type":"csv","uri":"data/easier.csv"}')


def test_rows_that_only_train_and_new_labels_are_none(workshop: Workshop) -> None:
    old = estate(workshop).set("Model/credit", "spec.validation", None)
    new = old.copy().set(DATA, "spec.digest", NEW)
    assert seen(old, new.set("Model/credit", "metadata.labels.more", "yes")) == []
