"""The fitted pipeline, the plan and forms that it became, and the proof that all answer alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.runtime.scoring import RowPlan
from ordain.runtime.training.export import export
from ordain.runtime.training.forms import Forms, forms_of
from ordain.runtime.training.parity import ParityProof, prove
from ordain.runtime.training.pipeline import Fitted, fit
from ordain.specs.parity import plan_limit

if TYPE_CHECKING:
    from ordain.runtime.training.features import Floats
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job


@dataclass(frozen=True, slots=True)
class Trained:
    """The fitted pipeline, its plan and other forms, and its scores of every row."""

    fitted: Fitted
    plan: RowPlan
    plan_bytes: bytes
    scores: Floats
    proof: ParityProof
    forms: Forms


def train(job: Job, data: Data) -> Trained:
    fitted = fit(job.spec, data.frame, data.parts.train, data.positive)
    learnt = data.frame.matrix[data.parts.train]
    plan_bytes = export(fitted, data.frame, learnt, job.spec.decision)
    plan = RowPlan.read(plan_bytes)
    limit = plan_limit(job.spec)
    proof = prove(fitted, plan, data.frame, data.held_out, limit)
    onnx = job.spec.acceptance.parity.onnx
    forms = forms_of(fitted, plan, plan_bytes, data.frame, proof.sample, onnx)
    return Trained(fitted, plan, plan_bytes, fitted.scores(data.frame.matrix), proof, forms)
