"""Why a report cannot be made.

ReportError           REP100   base of this room
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class ReportError(OrdainError):
    """A report cannot be made from the facts that were given."""

    code = "REP100"
