"""One exchange over HTTP, with a deadline that holds for every byte.

The standard library is enough: a question is one request and one JSON answer, and each commit that
waits costs a pass two or three. A
client library was refused as one more thing that an estate's core would have to trust, and so was
`urllib.request`, which follows redirects with the token and bounds no more than the silence
between two packets. A server that drips one byte a second would hold such a client for ever.
"""

from __future__ import annotations

import http.client
import io
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote, urlsplit

from ordain.vcs.errors import HostError, HostUnreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

_CHUNK: Final = 1 << 16
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts that no answer may go beyond.

    `connect` and `silence` bound one step, `whole` a question with all its pages and repetitions.
    `wait` is how long a limit of the forge is waited out; a longer one is the caller's to decide.
    """

    connect: float = 10.0
    silence: float = 20.0
    whole: float = 60.0
    wait: float = 5.0
    body: int = 16 << 20
    pages: int = 100
    tries: int = 3


class Broken(HostUnreachable):
    """The exchange broke; `again` says that the same question may be asked once more."""

    def __init__(self, message: str, *, again: bool, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.again = again


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Timed(io.RawIOBase):
    """A socket that is read under a deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, left: Callable[[], float]) -> None:
        super().__init__()
        self._raw, self._sock, self._left = raw, sock, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._sock.settimeout(self._left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reader:
    """What `HTTPResponse` takes for a socket: the one thing that it asks of it is `makefile`."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock, self._left = sock, left

    def makefile(self, mode: str) -> io.BufferedReader:
        if mode != "rb":
            raise ValueError(mode)
        raw = self._sock.makefile("rb", buffering=0)
        return io.BufferedReader(_Timed(raw, self._sock, self._left))


def is_loopback(host: str | None) -> bool:
    return host in _LOOPBACK


def checked_root(root: str) -> SplitResult:
    """The address of an API, refused where a token would travel in the open.

    Raises `HostError`.
    """
    remedy = "set spec.forge.url to the address of the API, such as https://forge.example/api/v4"
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        raise HostError("the address of the forge's API cannot be read", remedy=remedy) from None
    if not parts.hostname or port == 0 or parts.scheme not in {"http", "https"}:
        raise HostError("the address of the forge's API is no https address", remedy=remedy)
    if parts.username is not None or parts.query or parts.fragment:
        message = "the address of the forge's API holds more than host and path"
        raise HostError(message, remedy=remedy)
    if any(not " " < letter < "\x7f" for letter in root):
        message = "the address of the forge's API has letters that no address has"
        raise HostError(message, remedy=remedy)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise HostError(
            f"the forge at {parts.hostname} is addressed without https, and the token would "
            "travel in the open",
            remedy="set spec.forge.url to an address that begins with https://",
        )
    return parts


def _connection(root: SplitResult, timeout: float) -> http.client.HTTPConnection:
    """A connection that is not open yet, through the proxy that the environment names."""
    host, port = root.hostname or "", root.port
    if root.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    from urllib.request import getproxies, proxy_bypass

    context = ssl.create_default_context()
    proxy = getproxies().get("https")
    if proxy is None or is_loopback(host) or proxy_bypass(host):
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return _tunnel(root, proxy, timeout, context)


def _tunnel(
    root: SplitResult, proxy: str, timeout: float, context: ssl.SSLContext
) -> http.client.HTTPConnection:
    """TLS to the forge through a proxy, which sees the name of the host and nothing else."""
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if through.scheme != "http" or not through.hostname:
        raise HostError(
            "the proxy for https is no http address",
            remedy="set HTTPS_PROXY to http://HOST:PORT, or name the forge in NO_PROXY",
        )
    headers = {}
    if through.username is not None:
        import base64

        pair = f"{unquote(through.username)}:{unquote(through.password or '')}"
        encoded = base64.b64encode(pair.encode()).decode()
        headers["Proxy-Authorization"] = f"Basic {encoded}"
    connection = http.client.HTTPSConnection(
        through.hostname, through.port or 80, timeout=timeout, context=context
    )
    connection.set_tunnel(root.hostname or "", root.port or 443, headers)
    return connection


def exchange(
    root: SplitResult,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    limits: Limits,
    left: Callable[[], float],
) -> Raw:
    """Ask once and read the answer whole; `left` are the seconds until the deadline.

    Raises `HostUnreachable` where there is none, `HostError` where it is too large.
    """

    def step(most: float) -> float:
        seconds = left()
        if seconds <= 0:
            raise TimeoutError
        return min(most, seconds)

    place = root.netloc
    remedy = f"see whether {place} is up and can be reached from here"
    connection = None
    try:
        connection = _connection(root, step(limits.connect))
        connection.request(method, target, body, dict(headers))
        return _read(connection, method, limits, lambda: step(limits.silence))
    except TimeoutError:
        message = f"{place} did not answer in time"
        raise Broken(message, again=False, remedy=remedy) from None
    except ssl.SSLCertVerificationError as error:
        message = f"the certificate of {place} does not hold: {error.verify_message}"
        raise Broken(message, again=False, remedy="mend the certificate or the clock") from None
    except (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead):
        message = f"{place} broke off in the middle"
        raise Broken(message, again=True, remedy=remedy) from None
    except http.client.HTTPException as error:
        message = f"{place} does not speak HTTP ({type(error).__name__})"
        raise Broken(message, again=False, remedy=remedy) from None
    except OSError as error:
        message = f"{place} cannot be reached: {error.strerror or error}"
        raise Broken(message, again=False, remedy=remedy) from None
    finally:
        if connection is not None:
            connection.close()


def _read(
    connection: http.client.HTTPConnection, method: str, limits: Limits, left: Callable[[], float]
) -> Raw:
    reader = cast("socket.socket", _Reader(connection.sock, left))
    with http.client.HTTPResponse(reader, method=method) as response:
        response.begin()
        body = _body(response, limits.body)
        headers: dict[str, str] = {}
        for name, value in response.getheaders():
            before = headers.get(name.lower())
            headers[name.lower()] = value if before is None else f"{before}, {value}"
        return Raw(response.status, headers, body)


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    """All of the body and nothing less than was announced."""
    announced = response.length
    parts, size = [], 0
    while size <= most and (announced is None or announced <= most):
        part = response.read(_CHUNK)
        if not part:
            break
        parts.append(part)
        size += len(part)
    else:
        raise HostError(
            f"the forge answered with more than {most >> 20} MiB",
            remedy="look at what answers at this address",
        )
    if announced is not None and size < announced:
        raise http.client.IncompleteRead(b"", announced - size)
    return b"".join(parts)
