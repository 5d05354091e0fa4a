"""What verification can find, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation

_TAMPERED = (
    "Every line carries the hash of its bytes and of the line before it, and heads of chains are "
    "anchored in the control chain and in git. This does not come from a crash: a crash leaves an "
    "unfinished last line and nothing else."
)
_KEEP = "keep a copy of the directory as it is, and find out who can write to it"
_TITLES: Final = {
    "LED001": "a record was changed: its bytes do not have its hash",
    "LED002": "records were removed",
    "LED003": "a record stands there twice",
    "LED004": "records were moved",
    "LED005": "a chain is cut off before a record that was anchored",
    "LED006": "a chain that was anchored is missing",
    "LED007": "a second history: a fork, or records rewritten together with their hashes",
    "LED008": "a line is not a record",
    "LED011": "a segment is missing",
    "LED013": "an anchor event cannot be understood",
    "LED014": "a chain does not begin with its own first record",
}
CODES: Final = {
    **{code: Explanation(title, _TAMPERED, "", _KEEP) for code, title in _TITLES.items()},
    "LED009": Explanation(
        "an unfinished last line",
        "A writer is at work, or was killed while it wrote. Nothing acknowledged is in it.",
        "",
        "none is needed; the next writer sets it aside and says so",
    ),
    "LED010": Explanation(
        "a torn tail was repaired",
        "A crash left part of a line. It was never acknowledged; it stands beside the segment now.",
        "",
        "none is needed",
    ),
    "LED012": Explanation(
        "a segment cannot be read",
        "The file is there and the system refuses it, so nothing is known of its records.",
        "",
        "mend the rights or the disk, then verify again",
    ),
    "LED015": Explanation(
        "more findings than are worth printing",
        "The first hundred of a chain are shown; more would repeat that the file is ruined.",
        "",
        "look at the first findings of the chain",
    ),
}
