"""One record in, one recorded answer out.

The order is fixed: choose, check, score, record, answer. A model's decision that is not in the
ledger is never given. When there is no model's decision to give (no approved version, an
output that no model of its task can give, a ledger that cannot be written, a route that people
stopped) the route's declared fallback answers, or the caller is told that nobody can.

A stopped route asks no rule and no model and needs none: whatever is wrong with them must not keep
the stop from taking effect. Its answers are recorded with the emergency in the place of the rule.

Clock, ids and randomness come from outside; the event loop is met only where the record is awaited.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ordain.ledger.records import Prediction
from ordain.runtime.errors import RowError
from ordain.runtime.serving.contract import MAXIMUM_PROBLEMS, Contract
from ordain.runtime.serving.errors import Problem, RequestError, refused
from ordain.runtime.serving.outputs import is_answer, named_scores
from ordain.runtime.serving.routing import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ordain.ledger.errors import LedgerError
    from ordain.runtime.serving.config import RouteConfig
    from ordain.runtime.serving.metrics import Metrics
    from ordain.runtime.serving.recorder import Recorder
    from ordain.runtime.serving.slots import Slot

NO_VERSION = "no_version"
MODEL_ERROR = "model_error"
MODEL_OUTPUT = "model_output"
LEDGER = "ledger"
STOPPED = "stopped"
_REASONS = {
    NO_VERSION: ("REQ140", "deployment {deployment} has no approved version"),
    MODEL_ERROR: ("REQ141", "deployment {deployment} could not score this record"),
    MODEL_OUTPUT: (
        "REQ142",
        "deployment {deployment} gave an output that no model of its task can give",
    ),
    LEDGER: ("REQ143", "the prediction of deployment {deployment} could not be recorded"),
    STOPPED: ("REQ144", "it was stopped in an emergency"),
}


@dataclass(frozen=True, slots=True)
class World:
    """What a prediction needs that is no function of the request.

    `now` is an aware time, `ticks` a monotonic count of nanoseconds, `random` a number in [0, 1).
    """

    now: Callable[[], datetime]
    ticks: Callable[[], int]
    random: Callable[[], float]
    identify: Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Case:
    """A record on its way: which slot answers (None without a version) and what it accepted."""

    choice: Choice
    slot: Slot | None
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets. `id` is None when the ledger does not hold it; `reason` marks a
    fallback; `scores` are there for more than two classes only.
    """

    id: str | None
    route: str
    case: Case
    score: float | None
    decision: str | None
    reason: str | None
    scores: Mapping[str, float] = field(default_factory=dict)

    def to_plain(self) -> dict[str, object]:
        slot = self.case.slot
        plain: dict[str, object] = {
            "id": self.id,
            "route": self.route,
            "deployment": self.case.choice.deployment,
            "model": slot.model if slot else None,
            "version": slot.version if slot else None,
            "rule": self.case.choice.rule,
            "score": self.score,
            "decision": self.decision,
        }
        if self.scores:
            plain["scores"] = self.scores
        return plain | {"fallback": True, "reason": self.reason} if self.reason else plain


class Predictor:
    """Answers the records of one route."""

    def __init__(
        self,
        route: RouteConfig,
        slots: Mapping[str, Slot],
        recorder: Recorder,
        metrics: Metrics,
        world: World,
    ) -> None:
        self._route = route
        self._recorder = recorder
        self._metrics = metrics
        self._world = world
        targets = () if route.stopped else route.router.targets()
        self._slots = {name: slots[name] for name in targets if name in slots}
        self._contracts = {
            name: Contract.read(slot.plan.inputs, route.router.fields)
            for name, slot in self._slots.items()
        }

    async def answer(
        self, records: Sequence[Mapping[str, object]], *, batch: bool, key: str | None, start: int
    ) -> list[Answer]:
        """Answer every record, or refuse all of them; `start` is `ticks` at the last byte.

        Raises:
            RequestError: 422 for records that break the contract; 503 when no model can answer and
                the route declares no fallback.
        """
        cases = self._cases(records, batch=batch)
        now = self._world.now()
        answers = [self._score(case, self._world.identify(now)) for case in cases]
        elapsed = (self._world.ticks() - start) // 1000
        kept = await self._recorder.keep(
            [self._prediction(answer, now, elapsed, key) for answer in answers]
        )
        answers = [self._or_fallback(*pair) for pair in zip(answers, kept, strict=True)]
        self._count(answers, start)
        return answers

    def _cases(self, records: Sequence[Mapping[str, object]], *, batch: bool) -> list[Case]:
        problems: list[Problem] = []
        cases = []
        for place, record in enumerate(records):
            choice = self._choose(record)
            contract = self._contracts.get(choice.deployment)
            # Without a version there is no schema, and what is not checked is not kept.
            named = place if batch else None
            inputs = contract.accept(record, problems, named) if contract else {}
            cases.append(Case(choice, self._slots.get(choice.deployment), inputs))
            if len(problems) >= MAXIMUM_PROBLEMS:
                break
        if problems:
            raise RequestError(422, problems[:MAXIMUM_PROBLEMS])
        return cases

    def _choose(self, record: Mapping[str, object]) -> Choice:
        router, stopped = self._route.router, self._route.stopped
        if stopped is None:
            return router.choose(record, self._world.random)
        # No rule can be called so: names of rules have no colon.
        return Choice(f"emergency:{stopped}", router.default.deployment, None)

    def _score(self, case: Case, identifier: str) -> Answer:
        if case.slot is None:
            reason = NO_VERSION if self._route.stopped is None else STOPPED
            return self._fallback(case, reason, identifier)
        try:
            scored = case.slot.plan.answer(case.inputs)
        except RowError as error:
            raise refused(
                422, "REQ118", str(error), error.remedy or "correct this field", field=error.field
            ) from None
        except (ArithmeticError, ValueError, TypeError, LookupError):
            return self._fallback(case, MODEL_ERROR, identifier)
        if not is_answer(case.slot.plan, scored):
            return self._fallback(case, MODEL_OUTPUT, identifier)
        scores = named_scores(case.slot.plan, scored)
        route = self._route.name
        return Answer(identifier, route, case, scored.output, scored.decision, None, scores)

    def _fallback(self, case: Case, reason: str, identifier: str | None) -> Answer:
        self._metrics.fallbacks.add(self._route.name, reason)
        if self._route.fallback is None:
            code, message = _REASONS[reason]
            named = message.format(deployment=case.choice.deployment)
            message = f"route {self._route.name}: {named}"
            remedy = "try again later, or declare a fallback on the Route"
            raise refused(503, code, message, remedy)
        return Answer(identifier, self._route.name, case, None, self._route.fallback, reason)

    def _prediction(
        self, answer: Answer, now: datetime, elapsed: int, key: str | None
    ) -> Prediction:
        slot, choice = answer.case.slot, answer.case.choice
        decision = slot.plan.decision if slot else None
        return Prediction(
            id=answer.id or "",
            time=now,
            route=answer.route,
            rule=choice.rule,
            draw=choice.draw,
            deployment=choice.deployment,
            model=slot.model if slot else "",
            version=str(slot.version) if slot else "",
            artifact=slot.artifact if slot else "",
            inputs=answer.case.inputs,
            output=answer.score,
            decision=answer.decision,
            threshold=decision.threshold if decision else None,
            latency_us=elapsed,
            key_id=key,
        )

    def _or_fallback(self, answer: Answer, error: LedgerError | None) -> Answer:
        """The answer, or what is given in its place when the ledger did not take it."""
        return answer if error is None else self._fallback(answer.case, LEDGER, None)

    def _count(self, answers: Sequence[Answer], start: int) -> None:
        for answer in answers:
            slot = answer.case.slot
            model, version = (slot.model, str(slot.version)) if slot else ("", "")
            decision = answer.decision or "none"
            self._metrics.predictions.add(answer.route, model, version, decision)
        self._metrics.latency.observe((self._world.ticks() - start) / 1e9, self._route.name)
