"""The codes of the compilers, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

CODES: Final = {
    "CMP001": Page(
        "what is declared cannot become resources of this target",
        "A compiler refuses what a target could not hold, instead of leaving it to the target.",
        "ordain compile -t kubernetes --image registry.example/ordain:latest",
        "do what the message asks for",
    ),
}
