"""A real HTTP server in a thread that answers from a table of routes and writes down what it heard.

A recorded cassette was refused: it answers what it was asked once, so a client that asks something
else fails for the wrong reason, and one that asks twice is never noticed. A mock of the client's
own transport was refused as well: it shares the client's beliefs about headers, paging and
connections.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forges.published import Json

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: `target` is the path with its query, header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def is_write(self) -> bool:
        return self.method in WRITES

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    def number(self, name: str, default: int) -> int:
        """A whole number of the query; what is not one counts as not given."""
        value = self.query.get(name, "")
        return int(value) if value.isdecimal() else default


@dataclass(slots=True)
class Answer:
    """What goes back.

    With `cut` only so many bytes of the body are sent before the line is closed; with `drip` the
    body comes byte by byte, so many seconds apart.
    """

    status: int
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    drip: float | None = None

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.status in {204, 304} else json.dumps(self.body).encode()


class Refused(Exception):
    """An answer that a handler gives from anywhere below it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body}")
        self.answer = answer


class HungUp(Exception):
    """The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What trouble may look at: the site, the request, and the answer it would have got."""

    site: Site
    request: Request
    proceed: Callable[[], Answer]


Trouble = Callable[[Trial], Answer]


@dataclass(slots=True)
class Planned:
    """Trouble that waits for a request that fits; `times` of None never ends."""

    make: Trouble
    path: re.Pattern[str]
    method: str | None
    times: int | None
    met: int = 0

    def fits(self, request: Request) -> bool:
        right_method = self.method is None or self.method == request.method
        left = self.times is None or self.met < self.times
        return right_method and left and self.path.search(request.target) is not None


@dataclass(frozen=True, slots=True)
class Route:
    """`needs` are permissions, each `read` or `write`, of which one is enough; empty asks none."""

    method: str
    pattern: re.Pattern[str]
    handler: Callable[..., Answer]
    needs: tuple[tuple[str, str], ...]


def route(
    method: str, pattern: str, handler: Callable[..., Answer], needs: str = "metadata:read"
) -> Route:
    """A route; `{name}` in the pattern is one segment, `{name+}` may have slashes.

    `needs` is `permission:level`, several with `|` between them.
    """
    expression = re.sub(r"\{\w+\+\}", "(.+)", pattern)
    expression = re.sub(r"\{\w+\}", "([^/]+)", expression)
    pairs = (one.partition(":") for one in needs.split("|") if one)
    asked = tuple((name, level) for name, _, level in pairs)
    return Route(method, re.compile(f"^{expression}$"), handler, asked)


class Site:
    """A server on 127.0.0.1 that lives inside a `with`.

    `now` is the clock of the site and stands still until a test moves it. `requests` is everything
    that arrived, in order, trouble included.
    """

    prefix = ""

    def __init__(self) -> None:
        self.now = NOW
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.faults: list[BaseException] = []
        self._planned: list[Planned] = []
        self._lines: set[socket.socket] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        with self.lock:
            lines = list(self._lines)
        for line in lines:
            hang_up(line)
        # Waits for the threads of all connections, which have nothing to read any more.
        self._server.server_close()
        if self.faults:
            raise AssertionError("the stub itself failed") from self.faults[0]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """What stands before the paths of the documentation."""
        return self.origin + self.prefix

    @property
    def writes(self) -> list[Request]:
        """The requests that would have changed something."""
        return [one for one in self.requests if one.is_write]

    def trouble(
        self,
        make: Trouble,
        path: str = "",
        *,
        method: str | None = None,
        times: int | None = 1,
    ) -> Planned:
        """Let the next `times` requests that fit meet this trouble (see `forges.trouble`).

        `path` is a regular expression that is searched in path and query. `met` of the result
        counts how often it struck.
        """
        planned = Planned(make, re.compile(path), method, times)
        with self.lock:
            self._planned.append(planned)
        return planned

    def answer(self, request: Request) -> Answer:
        """The answer of the site, trouble first; `HungUp` where there is none."""
        with self.lock:
            self.requests.append(request)
            planned = next((one for one in self._planned if one.fits(request)), None)
            if planned is not None:
                planned.met += 1
        if planned is None:
            return self.settle(request)
        return planned.make(Trial(self, request, lambda: self.settle(request)))

    def settle(self, request: Request) -> Answer:
        """One request at a time, as if the forge were one database."""
        with self.lock:
            try:
                answer = self.handle(request)
            except Refused as refused:
                answer = refused.answer
        answer.headers = {**self.headers(answer), **answer.headers}
        return self._unchanged(request, answer)

    def handle(self, request: Request) -> Answer:
        """What a site without routes says to everybody."""
        return Answer(200, {"path": request.path})

    def headers(self, answer: Answer) -> dict[str, str]:
        """Headers that every answer of this forge carries."""
        del answer
        return {}

    @staticmethod
    def _unchanged(request: Request, answer: Answer) -> Answer:
        """A conditional GET: both forges send entity tags and answer 304 to `If-None-Match`."""
        if request.method != "GET" or answer.status != 200:
            return answer
        tag = f'W/"{hashlib.sha256(answer.payload()).hexdigest()}"'
        answer.headers["ETag"] = tag
        if request.headers.get("if-none-match") != tag:
            return answer
        return Answer(304, None, answer.headers)

    def connected(self, line: socket.socket) -> None:
        with self.lock:
            self._lines.add(line)

    def disconnected(self, line: socket.socket) -> None:
        with self.lock:
            self._lines.discard(line)


def find_route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, list[str]] | None:
    """The first route that fits, and the unquoted parts of the path that it names."""
    for one in routes:
        found = one.pattern.match(path) if one.method == method else None
        if found is not None:
            return one, [unquote(part) for part in found.groups()]
    return None


def refuse(status: int, body: Json, **headers: str) -> NoReturn:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raise Refused(Answer(status, body, named))


def page_of(request: Request, default: int) -> tuple[int, int]:
    """The page asked for and its size; both forges give at most 100 however much is asked."""
    size = min(max(request.number("per_page", default), 1), 100)
    return max(request.number("page", 1), 1), size


def links(base: str, request: Request, pages: dict[str, int | None]) -> str:
    """A `Link` header to pages of the same query (RFC 8288)."""

    def one(rel: str, page: int) -> str:
        return f'<{base}?{urlencode({**request.query, "page": page})}>; rel="{rel}"'

    return ", ".join(one(rel, page) for rel, page in pages.items() if page is not None)


def hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The other side was faster.


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is part of the tests; anything else is a fault of the stub."""
        del request, client_address
        fault = sys.exc_info()[1]
        if fault is not None and not isinstance(fault, ConnectionError):
            self.site.faults.append(fault)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.site.connected(self.connection)

    def finish(self) -> None:
        self.server.site.disconnected(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Nothing: `requests` is the log."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        try:
            self._send(self.server.site.answer(request))
        except HungUp:
            self._leave()

    def _leave(self) -> None:
        self.close_connection = True
        hang_up(self.connection)

    def _send(self, answer: Answer) -> None:
        payload = answer.payload()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        for piece in self._pieces(answer, payload):
            self.wfile.write(piece)
        if answer.cut is not None:
            self._leave()

    def _pieces(self, answer: Answer, payload: bytes) -> Iterator[bytes]:
        if answer.drip is None:
            yield payload if answer.cut is None else payload[: answer.cut]
            return
        for index in range(len(payload)):
            if self.server.site.closing.wait(answer.drip):
                raise HungUp
            yield payload[index : index + 1]

    def __getattr__(self, name: str) -> object:
        """Every method of HTTP is served alike; the base class looks for `do_GET` and the rest."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)
