"""HTTP: a raw ASGI application.

    POST /v1/{route}   one record, or {"records": [...]}
    GET  /healthz      the event loop answers
    GET  /readyz       and the ledger takes records, and the worker is not leaving
    GET  /metrics      Prometheus text

A web framework was refused: validation, routing and answers are ours here, and what is left of a
framework costs more than the model.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from ordain.runtime.serving.contract import MAXIMUM_BYTES, parse_body, too_large
from ordain.runtime.serving.errors import RequestError, refused
from ordain.runtime.serving.keys import Keyring, presented_key
from ordain.runtime.serving.metrics import CONTENT_TYPE, Metrics
from ordain.runtime.serving.predictor import Predictor
from ordain.runtime.serving.shadows import Shadows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.runtime.serving.config import RouteConfig, ServerConfig
    from ordain.runtime.serving.predictor import Answer, World
    from ordain.runtime.serving.recorder import Recorder
    from ordain.runtime.serving.slots import Slot

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_SECONDS = 10.0  # a caller who needs longer for one mebibyte holds a connection, not a request
DISCARDED_BYTES = 16 << 20
_JSON = (b"content-type", b"application/json")
_NO_ROUTE = "unknown"
_log = logging.getLogger("ordain.serving")


class _CallerGone(Exception):
    """The connection ended before the body did: there is nobody to answer and nothing to score."""


class App:
    """The ASGI application of one worker."""

    def __init__(
        self, config: ServerConfig, slots: Mapping[str, Slot], recorder: Recorder, world: World
    ) -> None:
        self.metrics = Metrics()
        self.leaving = False
        self._recorder = recorder
        self._world = world
        self._preview = config.preview
        self._keys = Keyring(config.keys)
        self._routes = {route.endpoint: route for route in config.routes}
        self._predictors = {
            route.name: Predictor(route, slots, recorder, self.metrics, world)
            for route in config.routes
        }
        self.shadows = Shadows(config.routes, slots, recorder, self.metrics, world)
        self._pages = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        page = self._pages.get(scope["path"])
        if page is not None:
            await self._page(page, scope["method"], send)
            return
        route = self._routes.get(scope["path"])
        name = _NO_ROUTE if route is None else route.name
        try:
            await self._predict(route, scope, receive, send)
        except _CallerGone:
            return
        except RequestError as error:
            await self._refuse(name, error, send)
        except Exception as error:  # noqa: BLE001 - the boundary of the daemon: logged and counted
            # Neither message nor values: both may hold what the caller sent.
            trace = "".join(traceback.format_tb(error.__traceback__))
            _log.error("%s while answering route %s\n%s", type(error).__name__, name, trace)
            await self._refuse(name, _defect(), send)

    async def _predict(
        self, route: RouteConfig | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if route is None:
            raise refused(
                404, "REQ130", "there is no such route", "look at `ordain status` for the routes"
            )
        if scope["method"] != "POST":
            raise refused(405, "REQ131", f"route {route.name} takes POST only", "send a POST")
        key = self._keys.admit(route, presented_key(scope["headers"]))
        body = await _body_in_time(receive)
        start = self._world.ticks()
        records, batch = parse_body(body)
        predictor = self._predictors[route.name]
        answers = await predictor.answer(records, batch=batch, key=key, start=start)
        self.metrics.requests.add(route.name, "200")
        headers = [_JSON, *_fallback_header(answers), *_preview_header(preview=self._preview)]
        body = _render(answers, batch=batch, preview=self._preview)
        await _send(send, 200, body, headers)
        if route.shadow:
            self.shadows.offer(route.name, answers, key)

    async def _refuse(self, route: str, error: RequestError, send: Send) -> None:
        self.metrics.requests.add(route, str(error.status))
        problems = [problem.to_plain() for problem in error.problems]
        body = json.dumps({"error": problems[0], "errors": problems}).encode()
        headers = [_JSON, *_preview_header(preview=self._preview)]
        if error.status == 405:  # noqa: PLR2004 - RFC 9110 asks for the header
            headers.append((b"allow", b"POST"))
        if error.status == 401:  # noqa: PLR2004 - as above
            headers.append((b"www-authenticate", b"Bearer"))
        if error.status in (408, 413):
            # The rest of the body is not read, so the connection cannot be used again.
            headers.append((b"connection", b"close"))
        await _send(send, error.status, body, headers)

    async def _page(
        self, page: Callable[[], tuple[int, bytes, bytes]], method: str, send: Send
    ) -> None:
        if method not in ("GET", "HEAD"):
            await _send(send, 405, b"", [(b"allow", b"GET, HEAD")])
            return
        status, body, kind = page()
        await _send(send, status, body, [(b"content-type", kind)])

    def _healthz(self) -> tuple[int, bytes, bytes]:
        return 200, b"ok\n", b"text/plain"

    def _readyz(self) -> tuple[int, bytes, bytes]:
        if self.leaving:
            return 503, b"leaving\n", b"text/plain"
        if self._recorder.failure is not None:
            return 503, f"ledger: {self._recorder.failure.code}\n".encode(), b"text/plain"
        return 200, b"ready\n", b"text/plain"

    def _metrics(self) -> tuple[int, bytes, bytes]:
        lost = self._recorder.lost - self.metrics.lost.value()
        self.metrics.lost.add(by=lost)
        return 200, self.metrics.render(), CONTENT_TYPE


async def _body_in_time(receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_body(receive)
    except TimeoutError:
        message = f"the body did not come within {BODY_SECONDS:g} s"
        raise refused(408, "REQ104", message, "send the body at once") from None


async def _read_body(receive: Receive) -> bytes:
    """The whole body.

    What is above the limit is read and thrown away, up to a limit of its own: a caller who is still
    sending does not see an answer, only a broken connection.

    Raises:
        RequestError: 413 above the limit.
        _CallerGone: the connection ended before the body.
    """
    body = bytearray()
    size = 0
    more = True
    while more and size <= DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        part = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(part)
        if size <= MAXIMUM_BYTES:
            body += part
    if size > MAXIMUM_BYTES:
        raise too_large()
    return bytes(body)


async def _send(send: Send, status: int, body: bytes, headers: Headers) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _render(answers: Sequence[Answer], *, batch: bool, preview: bool) -> bytes:
    mark = {"preview": True} if preview else {}
    plain = [answer.to_plain() | mark for answer in answers]
    return json.dumps({"predictions": plain} if batch else plain[0]).encode()


def _preview_header(*, preview: bool) -> Headers:
    """Who reads only the head of an answer must not take it for one of production."""
    return [(b"x-ordain-preview", b"unsigned")] if preview else []


def _fallback_header(answers: Sequence[Answer]) -> Headers:
    reasons = sorted({answer.reason for answer in answers if answer.reason})
    return [(b"x-ordain-fallback", ",".join(reasons).encode())] if reasons else []


def _defect() -> RequestError:
    return refused(
        500, "REQ190", "the server failed on this request", "report it with the server's log"
    )
