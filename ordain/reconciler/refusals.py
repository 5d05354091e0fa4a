"""How a push is refused: a finding for a reason, an error where nothing more can be asked."""

from __future__ import annotations

from ordain.specs.errors import FindingsError
from ordain.specs.findings import Finding, Severity


def problem(code: str, message: str, remedy: str) -> Finding:
    """A reason why a ref must not move."""
    return Finding(code, Severity.ERROR, message, remedy=remedy, controls=("HR-SOD",))


def refusal(code: str, message: str, remedy: str) -> FindingsError:
    """A reason that ends the judging of a ref, or of the push."""
    return FindingsError(message, (problem(code, message, remedy),), remedy=remedy)
