"""Models that see the traffic and never answer.

A record reaches its shadows after the answer has been handed to the socket, through a queue of
limited length: when shadows cannot keep up, records are dropped and counted, and no caller waits.
Whatever goes wrong here is a number in the metrics and nothing else. What went well is recorded as
a prediction whose rule is `shadow`, so that champion and challenger can be compared on equal
inputs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.ledger.records import Prediction
from ordain.runtime.errors import RowError
from ordain.runtime.serving.outputs import is_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.runtime.scoring import Scored
    from ordain.runtime.serving.config import RouteConfig
    from ordain.runtime.serving.metrics import Metrics
    from ordain.runtime.serving.predictor import Answer, World
    from ordain.runtime.serving.recorder import Recorder
    from ordain.runtime.serving.slots import Slot

RULE = "shadow"
MAXIMUM_WAITING = 1000

_Offer = tuple[str, "Slot", "Mapping[str, object]", "str | None"]


class Shadows:
    """The queue of one worker."""

    def __init__(
        self,
        routes: Sequence[RouteConfig],
        slots: Mapping[str, Slot],
        recorder: Recorder,
        metrics: Metrics,
        world: World,
    ) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._world = world
        self._of = {
            route.name: [slots[name] for name in route.shadow if name in slots] for route in routes
        }
        self._waiting: deque[_Offer] = deque()
        self._task: asyncio.Task[None] | None = None

    def offer(self, route: str, answers: Sequence[Answer], key: str | None) -> None:
        """Queue what was answered for the route's shadows; returns at once."""
        for slot in self._of[route]:
            for answer in answers:
                if len(self._waiting) >= MAXIMUM_WAITING:
                    self._metrics.shadows.add(route, slot.name, "dropped")
                    continue
                self._waiting.append((route, slot, answer.case.inputs, key))
        if self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def drain(self) -> None:
        """Wait until the queue is empty."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._waiting:
            route, slot, inputs, key = self._waiting.popleft()
            # Between two records the loop may answer whoever waits.
            await asyncio.sleep(0)
            result = await self._one(route, slot, inputs, key)
            self._metrics.shadows.add(route, slot.name, result)
        self._task = None

    async def _one(
        self, route: str, slot: Slot, inputs: Mapping[str, object], key: str | None
    ) -> str:
        start = self._world.ticks()
        row = {one.name: inputs[one.name] for one in slot.plan.inputs if one.name in inputs}
        try:
            scored = slot.plan.answer(row)
        except (RowError, ArithmeticError, ValueError, TypeError, LookupError):
            return "error"
        if not is_answer(slot.plan, scored):
            return "error"
        prediction = self._prediction(route, slot, row, scored, start)
        (error,) = await self._recorder.keep([replace(prediction, key_id=key)])
        return "unrecorded" if error else "recorded"

    def _prediction(
        self, route: str, slot: Slot, row: Mapping[str, object], scored: Scored, start: int
    ) -> Prediction:
        now = self._world.now()
        decision = slot.plan.decision
        return Prediction(
            id=self._world.identify(now),
            time=now,
            route=route,
            rule=RULE,
            draw=None,
            deployment=slot.name,
            model=slot.model,
            version=str(slot.version),
            artifact=slot.artifact,
            inputs=row,
            output=scored.output,
            decision=scored.decision,
            threshold=decision.threshold if decision else None,
            latency_us=(self._world.ticks() - start) // 1000,
            key_id=None,
        )
