"""The Monitor of a Deployment that declares none: what nobody thought of is watched all the same.

All features and the output are watched, and a breach alerts. What the tier decides:

| tier | warns from | breach from | windows |
|---|---|---|---|
| 1 | 0.10 | 0.20 | one is enough |
| 2 | 0.10 | 0.25 | one is enough |
| 3 | 0.10 | 0.25 | two of the last three |

0.10 and 0.25 are the customary limits of the population stability index for "look" and "shifted";
the most material models get the stricter 0.20 that is used as often. Models that matter least may
take a second look before anybody is called. The window is the same for all, because it decides how
sure a number is and not how much the model matters.
"""

from __future__ import annotations

from typing import Final

from ordain.specs.kinds.monitor import Hysteresis, Limits, Monitor, Window

_WARN: Final = 0.10
_FAIL: Final = {1: 0.20, 2: 0.25, 3: 0.25}
_WINDOWS: Final = {1: (1, 1), 2: (1, 1), 3: (2, 3)}
_WINDOW: Final = Window(rows=1000, min_rows=200)


def default_monitor(deployment: str, tier: int) -> Monitor:
    """The Monitor of a Deployment without one, by the tier (1 to 3) of its model.

    Raises:
        KeyError: for a tier that the language does not have.
    """
    limits = Limits(warn=_WARN, fail=_FAIL[tier])
    breaches, of = _WINDOWS[tier]
    return Monitor(
        deployment=deployment,
        psi=limits,
        prediction_psi=limits,
        window=_WINDOW,
        hysteresis=Hysteresis(breaches=breaches, of=of),
        on_breach=("alert",),
    )
