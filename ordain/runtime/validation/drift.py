"""How far the rows have moved from those that the artifact was measured on when it was made.

The reference is the artifact's own profile, and the verdict is that of monitoring: an index over
the limit that chance explains at this number of rows is insufficient and no breach. Dates are left
out, because later rows have later ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ordain.runtime.errors import RunError
from ordain.runtime.monitoring.bins import follows_calendar
from ordain.runtime.monitoring.profiles import Profile, count_window
from ordain.runtime.monitoring.psi import ALPHA, feature_drift
from ordain.runtime.validation.checks import rows_told, untold
from ordain.specs.findings import Verdict
from ordain.specs.kinds.monitor import Limits
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.monitoring.bins import Bins
    from ordain.runtime.validation.scene import Scene

SECTION = "drift"
NAME = "psi"
SCORE, DECISION = "(score)", "(decision)"


def examine(scene: Scene) -> Iterator[Check]:
    """The index of the score, of the choice among classes, and of every feature, largest first."""
    limit = scene.order.spec.acceptance.drift.psi.max
    shown = f"<= {limit:g}"
    answered = [place for place in range(len(scene.raw)) if place not in scene.given.refused]
    if not answered:
        reason = scene.unreadable or "no row has an answer"
        yield untold(SECTION, NAME, reason, subject=SCORE, limit=shown)
        return
    try:
        before = Profile.read(scene.served.artifact.member("profile.json"))
        after = _counted(scene, before, answered)
    except RunError as error:
        yield untold(SECTION, NAME, error.message, subject=SCORE, limit=shown)
        return
    pairs: list[tuple[str, Bins, Bins]] = [(SCORE, before.output, after.output)]
    if before.decisions is not None and after.decisions is not None:
        pairs.append((DECISION, before.decisions, after.decisions))
    first = [_check(one, limit, len(before.features)) for one in pairs]
    features = [
        _check((name, bins, after.features[name]), limit, len(before.features))
        for name, bins in before.features.items()
        if not follows_calendar(bins)
    ]
    yield from first
    yield from sorted(features, key=lambda check: (-(check.value or 0.0), check.subject))


def _counted(scene: Scene, before: Profile, answered: list[int]) -> Profile:
    given = scene.given
    decisions = None
    if before.decisions is not None:
        decisions = [given.decisions[given.decision[place]] for place in answered]
    rows = [scene.raw[place] for place in answered]
    return count_window(before, rows, given.output[answered].tolist(), decisions)


def _check(pair: tuple[str, Bins, Bins], limit: float, features: int) -> Check:
    """The chance of a false alarm is shared by all features, as in monitoring."""
    name, before, after = pair
    # Monitoring fails at its limit, a gate of acceptance above it: `max` is what may be.
    above = math.nextafter(limit, math.inf)
    found = feature_drift(
        name,
        before,
        after,
        Limits(warn=above, fail=above),
        min_rows=1,
        alpha=ALPHA / max(1, features),
    )
    reason = found.reason
    if found.verdict is Verdict.FAIL:
        reason = f"{found.psi:.3f} in {rows_told(found.n)}, {found.n_reference} in the reference"
    return Check(
        SECTION,
        NAME,
        name,
        found.psi,
        n=found.n,
        limit=f"<= {limit:g}",
        verdict=found.verdict.value,
        reason=reason,
    )
