"""`python -m ordain.runtime.training JOBDIR [ORDER]`: run an order, in this process.

The order is JOBDIR/job.json unless its file is given, as it is in a pod, where it lies in a volume
that nobody can write.

Exit code 0 and a result, or exit code 1 and `{"error": {"code", "message", "remedy"}}` in the same
file, which is written last and whole. Progress goes to standard output, one JSON object a line;
what the run cost goes to `resources.json` and what a search has tried to `trials.json`, because
they are of this machine and not of the artifact.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ordain.runtime.machines import processor
from ordain.runtime.processes import Made, Work, pin_numbers, run
from ordain.runtime.training.order import EVIDENCE, read_order, refuse_processor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ordain.runtime.training.resources import Meter


def main(arguments: Sequence[str]) -> int:
    """The exit code of the job in this directory."""
    return run(WORK, arguments)


def _train(order: Path, directory: Path, meter: Meter) -> Made:
    job = read_order(order)
    refuse_processor(processor())
    pin_numbers(job.recipe.threads)
    from ordain.runtime.training.job import run_job
    from ordain.runtime.training.search.trials import into

    outcome = run_job(job, meter.tell, into(directory))
    evidence = outcome.evidence
    return Made({EVIDENCE: evidence.to_json()}, outcome.to_json(), evidence.data.get("rows"))


WORK: Final = Work(
    module="ordain.runtime.training",
    job="the training job",
    cancelled="training was cancelled",
    unwritable="RUN153",
    carry_out=_train,
)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
