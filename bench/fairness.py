"""How often the fairness gate is wrong: false alarms without a disparity, and one that it misses.

Groups of 20 to 250 people are drawn beside a reference group of 1,000, 4,000 times each, and judged
by the gate as training and the gate of a promotion judge them. Beside it stands the bare rule of
four fifths, which fails every ratio below .8. The gate says nothing about a group of less than
`minCell` (30), so it is measured a second time with `minCell: 2`, where only the test holds it
back. Twelve groups of 100 show what looking at many groups at once does. What is insufficient is in
the last column: it is no fail, and no pass either.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ordain.runtime.fairness.judging import Compared, judge
from ordain.runtime.fairness.metrics import ratio_of
from ordain.specs.chance import Counts
from ordain.specs.kinds.model import FairnessGate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.evidence import FairnessRow

SIMULATIONS = 4_000
REFERENCE = 1_000
GROUPS = 12
SIZES = (20, 30, 50, 100, 250)
SEED = 20_260_701
FALSE_ALARMS = 0.05
POWER = {100: 0.55, 250: 0.80}
DISPARITY = 0.7
GATE = FairnessGate()
LENIENT = FairnessGate(min_cell=2)


def samples(
    n: int, rate: float, ratio: float, groups: int = 1
) -> Iterator[tuple[list[Counts], Counts]]:
    """Groups of n people whose rate is `ratio` times that of their reference."""
    generator = np.random.default_rng([SEED, n, int(rate * 100), int(ratio * 100), groups])
    favourable = generator.binomial(n, rate * ratio, (SIMULATIONS, groups)).tolist()
    reference = generator.binomial(REFERENCE, rate, SIMULATIONS).tolist()
    for ours, theirs in zip(favourable, reference, strict=True):
        yield [Counts(one, n) for one in ours], Counts(theirs, REFERENCE)


def judged(
    ours: Sequence[Counts], reference: Counts, gate: FairnessGate
) -> tuple[FairnessRow, ...]:
    compared = [
        Compared(gate, "group", str(place), "reference", ratio_of(one, reference, gate))
        for place, one in enumerate(ours)
    ]
    return judge(compared, tier=2)


def share(n: int, rate: float, ratio: float, groups: int = 1) -> tuple[float, float, float, float]:
    """How often one group or more fails: bare rule, gate, gate of any size; and says nothing."""
    bare = fails = lenient = silent = 0
    for ours, reference in samples(n, rate, ratio, groups):
        bare += any(one.rate < GATE.min * reference.rate for one in ours)
        verdicts = {row.verdict for row in judged(ours, reference, GATE)}
        fails += "fail" in verdicts
        silent += "insufficient" in verdicts and "fail" not in verdicts
        lenient += any(row.verdict == "fail" for row in judged(ours, reference, LENIENT))
    return tuple(count / SIMULATIONS for count in (bare, fails, lenient, silent))  # type: ignore[return-value]


def main() -> int:
    print(f"{SIMULATIONS:,} samples of each kind, a reference of {REFERENCE:,}\n")
    head = ("groups", "n", "base", "ratio", "four fifths", "gate", "minCell 2", "insufficient")
    print("".join(f"{one:>13}" for one in head))
    kinds = [(n, rate, 1.0, 1) for rate in (0.3, 0.6) for n in SIZES]
    kinds += [(n, rate, DISPARITY, 1) for rate in (0.3, 0.6) for n in (50, 100, 250)]
    kinds.append((100, 0.4, 1.0, GROUPS))
    missed = []
    for n, rate, ratio, groups in kinds:
        found = share(n, rate, ratio, groups)
        cells = [
            f"{groups}",
            f"{n}",
            f"{rate:.1f}",
            f"{ratio:.2f}",
            *(f"{one:.3f}" for one in found),
        ]
        print("".join(f"{one:>13}" for one in cells))
        if ratio == 1.0 and max(found[1:3]) > FALSE_ALARMS:
            missed.append(f"false alarms at n = {n}, base {rate}: {max(found[1:3]):.3f}")
        if ratio != 1.0 and rate == 0.3 and found[1] < POWER.get(n, 0.0):
            missed.append(f"power at n = {n}: {found[1]:.3f}")
    wanted = ", ".join(f"{power:.2f} at n = {n}" for n, power in POWER.items())
    print(
        f"\nlimits: at most {FALSE_ALARMS:.0%} false alarms; a ratio of {DISPARITY} found {wanted}"
    )
    print("held" if not missed else "NOT held: " + "; ".join(missed))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
