"""Text for people, without colour: the same words that a terminal gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.diagnostics import render_text

if TYPE_CHECKING:
    from ordain.specs.writers.checked import Checked


def render(checked: Checked) -> str:
    """Findings with their source lines, what is waived, and one line that sums up."""
    waived = [(one.finding, one.words) for one in checked.suppressed]
    return render_text(checked.findings, checked.tree, colour=False, waived=waived)
