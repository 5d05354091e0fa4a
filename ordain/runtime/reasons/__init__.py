"""Why the model answered as it did: attributions of a recorded prediction, and reason codes.

- `shapley`: what each input added to the margin, compared with the background of the version
- `explainer`: the same for many rows, made ready once (`sums`, `leaves`, `walks`)
- `codes`: which inputs make up a reason, and its text
- `backgrounds`: what an artifact compares with, and its digest
- `ranking`: the reasons of one recorded prediction, after it was replayed to the bit
- `examining`: whether reasons are steady, tell the right things and would change the decision
"""

from __future__ import annotations

from ordain.runtime.reasons.backgrounds import Background, background_digest, background_of
from ordain.runtime.reasons.codes import ReasonCode, ReasonCodes, read_reason_codes
from ordain.runtime.reasons.explainer import Attribution, Explainer, is_exact
from ordain.runtime.reasons.ranking import Reason, Subject, ranked, reasons_for, replay, subject_of
from ordain.runtime.reasons.shapley import (
    attributions,
    expected_margin,
    unit_of,
)
from ordain.runtime.reasons.sides import favourable_class, unfavourable_side

__all__ = [
    "Attribution",
    "Background",
    "Explainer",
    "Reason",
    "ReasonCode",
    "ReasonCodes",
    "Subject",
    "attributions",
    "background_digest",
    "background_of",
    "expected_margin",
    "favourable_class",
    "is_exact",
    "ranked",
    "read_reason_codes",
    "reasons_for",
    "replay",
    "subject_of",
    "unfavourable_side",
    "unit_of",
]
