"""The kinds of document, one module per kind, found by name and imported on first use.

A kind is a frozen dataclass whose annotations carry everything: the validator is built from them,
the JSON Schema and the reference pages are printed from them, and the change class of a field
stands beside its type. Nobody pays for a kind that the estate does not use: building validators for
thirty kinds would cost more than checking two hundred documents.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

API_VERSION = "ordain.dev/v1"

_MODULES = {
    "AlertChannel": "alert_channel",
    "BreakGlass": "break_glass",
    "Comment": "comment",
    "Compliance": "compliance",
    "Dataset": "dataset",
    "Deployment": "deployment",
    "Estate": "estate",
    "Incident": "incident",
    "Model": "model",
    "ModelVersion": "model_version",
    "Monitor": "monitor",
    "Organization": "organization",
    "Policy": "policy",
    "PolicySet": "policy_set",
    "ReportSchedule": "report_schedule",
    "Route": "route",
    "Validation": "validation",
    "Waiver": "waiver",
}


def kind_names() -> tuple[str, ...]:
    """Every kind that the language knows, sorted."""
    return tuple(_MODULES)


@cache
def kind_type(kind: str) -> type[Any]:
    """The dataclass of a kind's `spec`.

    Raises:
        KeyError: for a kind that the language does not know.
    """
    module = importlib.import_module(f"ordain.specs.kinds.{_MODULES[kind]}")
    found: type[Any] = getattr(module, kind)
    return found


@cache
def kind_validator(kind: str) -> SchemaValidator:
    """What turns the YAML value of a kind's `spec` into its dataclass, built once per process.

    Raises:
        KeyError: for a kind that the language does not know.
    """
    from ordain.specs.validators import validator

    return validator(kind_type(kind))
