"""`ordain lock` pins what the models of the estate need, and nothing else."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

pytestmark = pytest.mark.training
MODEL = "specs/models/credit-default.yaml"


def test_a_library_is_locked_while_a_model_names_it(place: Place) -> None:
    lock = place.estate / "environment.lock"
    before = lock.read_text()
    assert "lightgbm" not in before
    text = (place.estate / MODEL).read_text()
    (estimator,) = [line for line in text.splitlines() if "estimator:" in line]
    place.edit(MODEL, estimator, estimator.replace("hist_gradient_boosting", "lightgbm"))
    assert place.ordain("lock").stdout.splitlines()[0] == "~ environment.lock"
    assert lock.read_text().splitlines() == sorted(
        [*before.splitlines(), f"lightgbm=={metadata.version('lightgbm')}"]
    )
    place.edit(MODEL, "lightgbm", "hist_gradient_boosting")
    place.ordain("lock")
    assert lock.read_text() == before
