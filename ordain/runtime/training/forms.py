"""The forms of a model beside its plan, each proven against the fitted pipeline before it is kept.

The stored pipeline is read back as anybody would read it and has to give the same floats, bit for
bit. The ONNX form scores the rows of the parity proof (held-out rows, missing values, unknown
levels, numbers far outside) in the runtime that others will use, within the limit that the Model
declares. A conversion that runs without an error and scores otherwise is a known defect of
converters; it ends here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.pipeline import Pipeline

from ordain.runtime.errors import FormError, ParityError
from ordain.runtime.formats.onnx_checks import open_onnx
from ordain.runtime.formats.onnx_files import write_onnx
from ordain.runtime.formats.skops_files import dump_pipeline, load_pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.training.features import Floats, Frame, Row
    from ordain.runtime.training.pipeline import Fitted

PIPELINE, ONNX = "pipeline.skops", "model.onnx"
_HOLDS_TEXTS = "a model that reads free text needs the texts of the training part beside it"
_NAMES = {PIPELINE: "skops", ONNX: "onnx"}


@dataclass(frozen=True, slots=True)
class Forms:
    """Members of the artifact by name, and what the evidence says of them.

    `difference` is the largest between the ONNX form and the fitted pipeline; `left_out` says in
    sentences which form there is not, and why.
    """

    members: dict[str, bytes]
    difference: float
    left_out: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What there is beside the plan, sorted."""
        return tuple(sorted(_NAMES[member] for member in self.members))


def forms_of(
    fitted: Fitted,
    plan: RowPlan,
    plan_bytes: bytes,
    frame: Frame,
    rows: Sequence[Row],
    limit: float,
) -> Forms:
    """Write every form that there is, and prove it on these rows.

    Raises:
        ParityError: when a form does not score as the fitted pipeline does.
    """
    matrix = frame.encode(rows)
    onnx = write_onnx(json.loads(plan_bytes))
    encoded = np.array([plan.encode(row) for row in rows])
    difference = prove_onnx(onnx, encoded, _scores(fitted, matrix), limit)
    members, left_out = {ONNX: onnx}, []
    if any(column.type == "text" for column in frame.columns):
        left_out.append(f"The artifact has no {PIPELINE}: {_HOLDS_TEXTS}.")
        return Forms(members, difference, tuple(left_out))
    try:
        members[PIPELINE] = stored_pipeline(fitted, matrix)
    except FormError as error:
        left_out.append(f"The artifact has no {PIPELINE}: {error.message}.")
    return Forms(members, difference, tuple(left_out))


def stored_pipeline(fitted: Fitted, matrix: Floats) -> bytes:
    """The fitted pipeline as bytes that, read back, score these rows to the same bits.

    Raises:
        FormError: when it holds what no stored pipeline may hold.
        ParityError: when it scores otherwise.
    """
    data = dump_pipeline(Pipeline([("columns", fitted.columns), ("estimator", fitted.whole)]))
    steps = load_pipeline(data).named_steps
    calibrated = None if fitted.calibrated is None else steps["estimator"]
    estimator = steps["estimator"] if calibrated is None else calibrated.estimator
    again = replace(fitted, columns=steps["columns"], estimator=estimator, calibrated=calibrated)
    if not np.array_equal(_scores(again, matrix), _scores(fitted, matrix), equal_nan=True):
        raise _differs(f"parity: {PIPELINE} does not score as the pipeline that was fitted")
    return data


def prove_onnx(data: bytes, encoded: Floats, expected: Floats, limit: float) -> float:
    """How far the ONNX form is from these scores (rows by outputs) at most.

    The difference is of a probability as it is, and of a value above 1 as a share of it. Where the
    pipeline says one number and the form one for each cluster, the nearest counts.

    Raises:
        ParityError: when that is more than the limit, or not a number.
    """
    found = open_onnx(data)(np.ascontiguousarray(encoded, dtype=np.float64))
    if expected.shape[1] == 1 < found.shape[1]:
        found = found.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    # Two values beyond the floats are equal.
    difference = float(np.max(np.where(found == expected, 0.0, gaps), initial=0.0))
    if not difference <= limit:
        message = f"parity: {ONNX} and pipeline differ by {difference:.3g}, accepted is {limit:g}"
        raise _differs(message)
    return difference


def _differs(message: str) -> ParityError:
    remedy = "report this as a defect of ordain; raise acceptance.parity.onnx only with reason"
    return ParityError(message, remedy=remedy)


def _scores(fitted: Fitted, matrix: Floats) -> Floats:
    """What the fitted pipeline says, as rows by outputs."""
    answers = fitted.answers(matrix)
    return answers.scores if answers.scores.shape[1] else answers.output[:, np.newaxis]
