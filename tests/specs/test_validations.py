"""A document of a validation is read strictly: whoever wrote it may not have been the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordain.specs.validations import (
    Behaviour,
    Check,
    Shift,
    ValidationDocumentError,
    ValidationReport,
    read_validation,
)

DIGEST = "sha256:" + "a" * 64
CHECK = Check("performance", "roc_auc", value=0.8, n=100, limit=">= 0.7", verdict="pass")
SHIFT = Shift("", 100, 3, 1, 0.5, 0.48, 0.6)
REPORT = ValidationReport(
    model="credit",
    artifact=DIGEST,
    dataset="applications",
    data=DIGEST,
    part="test",
    rows=100,
    task="classification",
    checks=(CHECK,),
    behaviour=Behaviour(DIGEST, (SHIFT,)),
    verdict="pass",
)


def test_what_is_written_is_read_again() -> None:
    assert read_validation(REPORT.to_json(), REPORT.path) == REPORT


@pytest.mark.parametrize(
    "changed",
    [
        {"checks": (replace(CHECK, value="0.9"),)},  # type: ignore[arg-type]
        {"checks": (replace(CHECK, value=True),)},
        {"checks": (replace(CHECK, verdict="fine"),)},
        {"checks": (replace(CHECK, n=1.5),)},  # type: ignore[arg-type]
        {"behaviour": Behaviour(DIGEST, (replace(SHIFT, up="3"),))},  # type: ignore[arg-type]
        {"rows": "100"},
        {"verdict": "passed"},
        {"limitations": (1,)},
    ],
)
def test_what_is_of_another_kind_is_refused(changed: dict[str, Any]) -> None:
    report = replace(REPORT, **changed)
    with pytest.raises(ValidationDocumentError) as caught:
        read_validation(report.to_json(), report.path)
    assert caught.value.message.endswith("is not a validation of the format ordain.validation/1")
