"""No outcome was seen on a day that is still to come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.policies.gate import check
from tests.policies.conftest import NOW

if TYPE_CHECKING:
    from tests.policies.conftest import Workshop


@pytest.mark.parametrize(("days", "told"), [(-400, False), (0, False), (1, False), (2, True)])
def test_outcomes_are_seen_up_to_today(workshop: Workshop, days: int, *, told: bool) -> None:
    day = (NOW + timedelta(days)).date().isoformat()
    sketch = workshop.serving.set("Dataset/applications", "spec.asOf", day)
    found = [one.message for one in check(sketch.load(), NOW).findings if one.code == "DAT001"]
    message = f"outcomes cannot have been seen up to {day}, which is still to come"
    assert found == ([message] if told else [])
