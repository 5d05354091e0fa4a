"""The fitted pipeline, the plan and forms that it became, and the proof that all answer alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.calibration import calibrated, refuse_uncalibrated
from ordain.runtime.training.export import export
from ordain.runtime.training.forms import Forms, forms_of
from ordain.runtime.training.parity import ParityProof, prove
from ordain.runtime.training.pipeline import Fitted, fit
from ordain.specs.parity import plan_limit

if TYPE_CHECKING:
    from ordain.runtime.training.answering import Answers
    from ordain.runtime.training.features import Floats
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job


@dataclass(frozen=True, slots=True)
class Trained:
    """The fitted pipeline, its plan and other forms, and its answers to every row."""

    fitted: Fitted
    plan: RowPlan
    plan_bytes: bytes
    answers: Answers
    proof: ParityProof
    forms: Forms

    @property
    def scores(self) -> Floats:
        """The output of every row."""
        return self.answers.output


def train(job: Job, data: Data) -> Trained:
    """Fit, write every form, and prove it.

    Raises:
        TrainingError: when nothing can be learnt, or what was learnt cannot be said or served.
        ParityError: when a form answers otherwise than the pipeline.
    """
    validation = data.parts.validation
    refuse_uncalibrated(job.spec, data.outcomes, validation)
    fitted = fit(job.spec, data.frame, data.parts.train, data.outcomes)
    fitted = calibrated(job.spec, fitted, data.frame, validation, data.outcomes)
    learnt = data.frame.matrix[data.parts.train]
    answers = fitted.answers(data.frame.matrix)
    refuse_infinite(answers)
    plan_bytes = export(fitted, data.frame, learnt, job.spec.decision)
    plan = RowPlan.read(plan_bytes)
    limit = plan_limit(job.spec)
    proof = prove(fitted, plan, data.frame, data.held_out, limit)
    onnx = job.spec.acceptance.parity.onnx
    forms = forms_of(fitted, plan, plan_bytes, data.frame, proof.sample, onnx)
    return Trained(fitted, plan, plan_bytes, answers, proof, forms)


def refuse_infinite(answers: Answers) -> None:
    """Refuse answers that can be neither measured nor served.

    Raises:
        TrainingError: naming the first row.
    """
    odd = np.flatnonzero(~np.isfinite(answers.output))
    if len(odd):
        rows = "1 row" if len(odd) == 1 else f"{len(odd)} rows"
        message = f"training: the answer to {rows} is not finite, first row {odd[0] + 1}"
        remedy = "clip outliers, declare ranges, or take out the feature that overflows"
        raise TrainingError(message, remedy=remedy)
