"""Errors of the compilers.

CompileError             what is declared cannot become resources of this target
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class CompileError(OrdainError):
    """What is declared cannot become resources of this target."""

    code = "CMP001"
