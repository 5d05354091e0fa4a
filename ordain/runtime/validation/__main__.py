"""`python -m ordain.runtime.validation JOBDIR [ORDER]`: validate an artifact, in this process.

The order is JOBDIR/job.json unless its file is given. Exit code 0, `validation.json` and a result,
or exit code 1 and `{"error": {"code", "message", "remedy"}}` in `result.json`, which is written
last and whole. That a version has not passed is no error: the document says so. Progress goes to
standard output, one JSON object a line, and what the run cost to `resources.json`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ordain.runtime.machines import processor
from ordain.runtime.processes import Made, Work, pin_numbers, run
from ordain.runtime.training.order import refuse_processor
from ordain.runtime.validation.order import VALIDATION, read_order, result_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ordain.runtime.training.resources import Meter


def main(arguments: Sequence[str]) -> int:
    """The exit code of the job in this directory."""
    return run(WORK, arguments)


def _validate(order: Path, meter: Meter) -> Made:
    ordered = read_order(order)
    refuse_processor(processor())
    pin_numbers(ordered.threads)
    from ordain.runtime.validation.run import validate

    report = validate(ordered, meter.tell)
    return Made({VALIDATION: report.to_json()}, result_of(report), report.rows)


WORK: Final = Work(
    module="ordain.runtime.validation",
    job="the validation job",
    cancelled="the validation was cancelled",
    unwritable="RUN181",
    carry_out=_validate,
)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
