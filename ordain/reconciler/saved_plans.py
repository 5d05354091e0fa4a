"""A plan in a file, and whether it is still the plan.

Saved is the whole list of stages with the commit and the digest of what was observed; applying
makes the plan again and compares, so that a file can hold back what moved but never add anything.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ordain.reconciler.errors import PlanStale, PlanUnreadable
from ordain.reconciler.planning import FORMAT

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.planning import Plan


def read_plan(path: Path) -> dict[str, Any]:
    """A saved plan.

    Raises:
        PlanUnreadable: the file is missing or is no plan.
    """
    remedy = "make one with: ordain plan --out plan.json"
    try:
        saved = json.loads(path.read_bytes())
    except OSError as error:
        message = f"the plan {path} cannot be read: {error.strerror}"
        raise PlanUnreadable(message, remedy=remedy) from error
    except ValueError as error:
        message = f"{path} is no saved plan: it is not JSON"
        raise PlanUnreadable(message, remedy=remedy) from error
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        message = f"{path} is no saved plan of the format {FORMAT}"
        raise PlanUnreadable(message, remedy=remedy)
    return saved


def refuse_stale(saved: dict[str, Any], plan: Plan) -> None:
    """Compare a saved plan with the one that would be made now.

    Raises:
        PlanStale: they differ, with the reason.
    """
    now = plan.to_json()
    if saved == now:
        return
    if saved.get("revision") != now["revision"]:
        reason = (
            f"it was made for {str(saved.get('revision'))[:12]}, git is at {plan.revision[:12]}"
        )
    elif saved.get("observed") != now["observed"]:
        reason = "production is not as it was when the plan was made"
    else:
        reason = "its stages are not those that would be planned now"
    message = f"the plan is out of date: {reason}"
    raise PlanStale(message, remedy="look at it again: ordain plan --out plan.json")
