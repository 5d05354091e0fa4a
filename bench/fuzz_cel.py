"""Compare the engine of the gate with the exact evaluator on generated expressions, at length.

`python bench/fuzz_cel.py --expressions 400000 --seed 1` compares over a million pairs of expression
and document, prints what it counted, and ends with 1 if any answer differed. A seed repeats a run.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from cel_compare import Tally, round_of

from ordain.policies.cel.programs import CelEngine

# An engine keeps what it has compiled; a long run starts a new one now and then.
PER_ENGINE = 2_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--expressions", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    tally, start = Tally(), time.monotonic()
    for number in range(options.expressions):
        if number % PER_ENGINE == 0:
            engine = CelEngine()
        known = len(tally.differences)
        round_of(engine, random.Random(f"{options.seed}/{number}"), tally)
        for difference in tally.differences[known:]:
            print(f"#{number} {difference}\n", flush=True)
        if time.monotonic() - start > options.seconds:
            break
    for name, count in tally.counts.most_common():
        print(f"{count:>10,}  {name}")
    print(f"{len(tally.differences):>10,}  differences in {time.monotonic() - start:.0f} s")
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(main())
