"""One clear answer to each question, whatever stands at the other end."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ordain import __version__
from ordain.vcs.errors import HostBusy, HostDenied, HostError, HostUnreachable
from ordain.vcs.forges.http import Client, Times
from ordain.vcs.forges.timed import Limits
from ordain.vcs.forges.tokens import Token

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "ghp_this-is-the-secret"
OPEN = "and the token would travel in the open"
NOW = 1_795_000_000.0

Reply = tuple[int, dict[str, str], bytes]
Serve = Callable[[Callable[["Asked"], Reply]], "Server"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """A server that answers as it is told, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@dataclass(slots=True)
class Clock:
    """Time that goes on when somebody waits."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def times(self) -> Times:
        return Times(lambda: self.seconds, lambda: NOW + self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


@contextmanager
def serving(reply: Callable[[Asked], Reply]) -> Iterator[Server]:
    found = Server("")

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(size))
            found.asked.append(asked)
            status, said, body = reply(asked)
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **said,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that are looked up

        def log_message(self, *_: object) -> None:
            """A test prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def raw(
    answer: Callable[[socket.socket], None], seen: list[bytes] | None = None, *, peek: bool = False
) -> Iterator[str]:
    """A server that speaks below HTTP, one connection after the other."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                asked = connection.recv(1 << 16, socket.MSG_PEEK if peek else 0)
                if seen is not None:
                    seen.append(asked)
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def client(url: str, clock: Clock | None = None, limits: Limits | None = None) -> Client:
    times = Times() if clock is None else clock.times()
    return Client("Forge", url, Token(SECRET, "FORGE_TOKEN"), {}, limits or Limits(), times)


def answer(value: object, status: int = 200, **headers: str) -> Reply:
    return status, {name.replace("_", "-"): text for name, text in headers.items()}, dump(value)


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


def refused(url: str, kind: type[HostError] = HostError, limits: Limits | None = None) -> str:
    """The message of the refusal of one question, which never holds the secret."""
    with pytest.raises(kind) as caught:
        client(url, Clock(), limits).get("/thing")
    assert caught.value.remedy
    assert SECRET not in f"{caught.value!r} {caught.value.remedy}"
    return caught.value.message


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


def test_a_question_says_who_asks_and_with_which_token() -> None:
    with serving(lambda _: answer({"login": "manager"})) as server:
        found = client(server.url).get("/user", {"page": "2", "q": "a b"})
    assert found.reading.text("login") == "manager"
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("GET", "/api/user?page=2&q=a+b")
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["user-agent"] == f"ordain/{__version__}"
    assert asked.headers["accept"] == "application/json"


def test_what_is_sent_is_json() -> None:
    with serving(lambda asked: answer(json.loads(asked.body), 201)) as server:
        found = client(server.url).send("POST", "/comments", {"body": "Ω"})
    assert found.status == 201
    assert found.reading.text("body") == "Ω"
    assert server.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_what_was_sent_may_be_done_even_if_the_answer_cannot_be_read(body: bytes) -> None:
    with serving(lambda _: (200, {}, body)) as server, pytest.raises(HostError) as caught:
        client(server.url).send("PUT", "/merge", {}).reading.text("sha")
    assert caught.value.remedy == "look whether it was done before you try again"


def test_the_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(client("https://forge.example"))


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (
            "http://forge.example",
            f"the forge at forge.example is addressed without https, {OPEN}",
        ),
        ("ftp://forge.example", "the address of the forge's API is no https address"),
        ("https:///api", "the address of the forge's API is no https address"),
        ("https://forge.example:port", "the address of the forge's API cannot be read"),
        (
            "https://me@forge.example",
            "the address of the forge's API holds more than host and path",
        ),
        (
            "https://forge.example?a=b",
            "the address of the forge's API holds more than host and path",
        ),
        (
            "https://forge.example/a b",
            "the address of the forge's API has letters that no address has",
        ),
    ],
)
def test_an_address_that_a_token_must_not_go_to_is_not_asked(root: str, message: str) -> None:
    assert refused(root) == message


# ── what is answered ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        (b"<html>", {"Content-Type": "text/html"}, "is answered with text/html, not JSON"),
        (b"{}", {"Content-Type": ""}, "is answered with no kind, not JSON"),
        (b'{"a": ', {}, "is answered with something that is no JSON"),
        (b"", {}, "is answered with something that is no JSON"),
        (b'{"a": NaN}', {}, "is answered with something that is no JSON"),
        (b'{"a": 1, "a": 2}', {}, "is answered with something that is no JSON"),
        (b'"\xff"', {}, "is answered with something that is no JSON"),
        (b"[" * 200_000, {}, "is answered with something that is no JSON"),
        (b"1" * 5_000, {}, "is answered with something that is no JSON"),
    ],
)
def test_what_is_no_json_is_no_answer(body: bytes, headers: dict[str, str], message: str) -> None:
    with serving(lambda _: (200, headers, body)) as server:
        assert refused(server.url) == f"Forge GET /api/thing {message}"


@pytest.mark.parametrize("length", [b"Content-Length: 99999999\r\n", b""])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(length: bytes) -> None:
    def endless(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        connection.sendall(head + length + b"\r\n")
        while True:
            connection.sendall(b" " * (1 << 16))

    with raw(endless) as url:
        message = refused(url, limits=Limits(body=1 << 20))
    assert message == "the forge answered with more than 1 MiB"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"message": "Bad credentials"}, HostDenied, " with 401: Bad credentials"),
        (403, {"message": f"not {SECRET}"}, HostDenied, " with 403: not ***"),
        (404, {"message": "Not Found"}, HostError, " with 404: Not Found"),
        (418, {"message": {"base": ["no"]}}, HostError, ' with 418: {"base": ["no"]}'),
        (
            422,
            {"message": "Validation Failed", "errors": [{"message": "no commits"}, "x", 1]},
            HostError,
            " with 422: Validation Failed; no commits; x; 1",
        ),
        (500, {"error": "a\n\x1b[31mb"}, HostUnreachable, " with 500: a [31mb"),
        (400, [], HostError, " with 400"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_forge(
    status: int, body: object, kind: type[HostError], message: str
) -> None:
    with serving(lambda _: answer(body, status)) as server:
        assert refused(server.url, kind) == f"Forge refuses GET /api/thing{message}"
    assert len(server.asked) == 1


def test_a_refusal_that_is_expected_is_an_answer() -> None:
    with serving(lambda _: answer({"message": "Not Found"}, 404)) as server:
        assert client(server.url).get("/thing", accept=(404,)).status == 404


# ── the other end is not well ────────────────────────────────────────────────────────────────────


def test_a_forge_that_is_down_is_told_with_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    message = refused(f"http://127.0.0.1:{port}", HostUnreachable)
    assert message == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_a_forge_that_is_away_for_a_moment_is_asked_again() -> None:
    replies = iter([answer({}, 502), answer({}, 503), answer({"a": "b"})])
    clock = Clock()
    with serving(lambda _: next(replies)) as server:
        assert client(server.url, clock).get("/thing").reading.text("a") == "b"
    assert clock.waits == [0.5, 1.0]


def test_a_forge_that_stays_away_is_not_asked_for_ever() -> None:
    with serving(lambda _: (504, {"Content-Type": "text/html"}, b"<h1>504</h1>")) as server:
        message = refused(server.url, HostUnreachable)
    assert message == "Forge refuses GET /api/thing with 504"
    assert len(server.asked) == 3


def test_what_changes_something_is_asked_once() -> None:
    always = serving(lambda _: answer({}, 503, Retry_After="1"))
    with always as server, pytest.raises(HostUnreachable) as caught:
        client(server.url, Clock()).send("PUT", "/merge", {})
    assert caught.value.remedy == "look whether it was done before you try again"
    assert len(server.asked) == 1


def test_a_connection_that_breaks_off_is_made_again() -> None:
    heads = iter(
        [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"]
    )
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with raw(lambda connection: connection.sendall(next(heads, whole))) as url:
        assert client(url, Clock()).get("/thing").reading.value == {}


def test_a_connection_that_always_breaks_off_is_no_answer() -> None:
    with raw(
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
    ) as url:
        message = refused(url, HostUnreachable)
    assert re.fullmatch(r"127\.0\.0\.1:\d+ broke off in the middle", message)


def test_a_write_whose_answer_breaks_off_is_not_repeated() -> None:
    seen: list[socket.socket] = []
    with raw(seen.append) as url, pytest.raises(HostUnreachable) as caught:
        client(url, Clock()).send("PUT", "/merge", {})
    assert caught.value.remedy == "look whether it was done before you try again"
    assert len(seen) == 1


def test_what_is_not_http_is_no_answer() -> None:
    with raw(lambda connection: connection.sendall(b"SSH-2.0-x\r\n")) as url:
        message = refused(url, HostUnreachable)
    assert message.endswith(" does not speak HTTP (BadStatusLine)")


def assert_told(done: threading.Event) -> None:
    """Say nothing until the test has seen what it came for."""
    assert done.wait(5)


def test_a_forge_that_is_silent_is_given_up() -> None:
    done = threading.Event()
    with raw(lambda _: assert_told(done)) as url:
        with pytest.raises(HostUnreachable, match="did not answer in time"):
            client(url, limits=Limits(silence=0.05)).get("/thing")
        done.set()


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"]
)
def test_a_forge_that_drips_is_given_up_at_the_deadline(head: bytes) -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        while not done.wait(0.02):
            connection.sendall(b"H" if not head else b" ")

    with raw(drip) as url:
        with pytest.raises(HostUnreachable, match="did not answer in time"):
            client(url, limits=Limits(whole=0.2, silence=10)).get("/thing")
        done.set()


def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with raw(proxy, seen) as url:
        monkeypatch.setenv("https_proxy", url.replace("//", "//me:p%40ss@"))
        message = refused("https://forge.invalid:8443", HostUnreachable)
    assert message == (
        "forge.invalid:8443 cannot be reached: "
        "Tunnel connection failed: 407 Proxy Authentication Required"
    )
    assert seen[0].startswith(b"CONNECT forge.invalid:8443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in seen[0]
    assert SECRET.encode() not in seen[0]


def test_a_certificate_that_does_not_hold_is_no_forge(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    def greet(connection: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with raw(greet, peek=True) as url:
        message = refused(url.replace("http:", "https:"), HostUnreachable)
    assert re.fullmatch(
        r"the certificate of 127\.0\.0\.1:\d+ does not hold: self-signed certificate", message
    )


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forge")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .sign(key, SHA256())
    )
    file = path / "forge.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


# ── limits of the forge ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "90"}, 90),
        (403, {"Retry-After": "61"}, 61),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 600)}, 600),
        (429, {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int(NOW) + 30)}, 30),
        (429, {"Retry-After": "9" * 40}, 60),
        (429, {}, 60),
        (503, {"Retry-After": "120"}, 120),
    ],
)
def test_a_long_limit_is_the_callers_to_wait_for(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    always = serving(lambda _: (status, headers, dump({"message": "slow down"})))
    with always as server, pytest.raises(HostBusy) as caught:
        client(server.url, Clock()).get("/thing")
    assert caught.value.seconds == seconds
    assert caught.value.message == (
        f"Forge limits how often it is asked, and may be asked again in {seconds:.0f} s"
    )
    assert len(server.asked) == 1


def test_a_limit_that_is_told_in_words_alone_is_one_of_a_minute() -> None:
    said = {"message": "You have exceeded a secondary rate limit."}
    with serving(lambda _: answer(said, 403)) as server, pytest.raises(HostBusy) as caught:
        client(server.url, Clock()).get("/thing")
    assert caught.value.seconds == 60


def test_a_short_limit_is_waited_out_and_a_write_then_made() -> None:
    replies = iter([answer({}, 429, Retry_After="2"), answer({"id": 1}, 201)])
    clock = Clock()
    with serving(lambda _: next(replies)) as server:
        assert client(server.url, clock).send("POST", "/x", {}).reading.number("id") == 1
    assert clock.waits == [2.0]


def test_a_limit_is_not_waited_for_beyond_the_deadline() -> None:
    clock = Clock()
    with serving(lambda _: answer({}, 429, Retry_After="3")) as server, pytest.raises(HostBusy):
        client(server.url, clock, Limits(whole=5)).get("/thing")
    assert clock.waits == [3.0]


# ── pages and redirects ──────────────────────────────────────────────────────────────────────────


def page(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


def numbers(client: Client) -> list[int]:
    return [one.number("id") for one in client.pages("/things", {"state": "open"}) or []]


def test_all_pages_of_a_list_are_read() -> None:
    def reply(asked: Asked) -> Reply:
        if "after=7" in asked.target:
            return answer(page(3), Link='</api/things?per_page=100>; rel="first"')
        return answer(page(1, 2), Link='<?after=7>; rel="next", <?after=9>; rel="last"')

    with serving(reply) as server:
        assert numbers(client(server.url)) == [1, 2, 3]
    assert server.asked[0].target == "/api/things?state=open&per_page=100"


def test_a_list_whose_links_were_lost_on_the_way_is_whole_all_the_same() -> None:
    def reply(asked: Asked) -> Reply:
        first = "page=2" not in asked.target
        return answer(page(*range(100)) if first else page(100))

    with serving(reply) as server:
        assert numbers(client(server.url)) == list(range(101))


def test_a_list_of_exactly_one_page_is_whole() -> None:
    with serving(
        lambda asked: answer(page(*range(100)) if "&page=" not in asked.target else [])
    ) as server:
        assert len(numbers(client(server.url))) == 100
    assert len(server.asked) == 2


def test_a_list_that_is_refused_is_none() -> None:
    with serving(lambda _: answer({"message": "Not Found"}, 404)) as server:
        assert client(server.url).pages("/things", accept=(404,)) is None


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("<https://evil.example/api/things?page=2>", "at another host or without https"),
        ("<//evil.example/api/things?page=2>", "at another host or without https"),
        ("<http://127.0.0.1:1/api/things?page=2>", "at another host or without https"),
        ("<http://[/api>", "at another host or without https"),
        ("</other/things?page=2>", "outside of the API"),
        ("</api/../other?page=2>", "outside of the API"),
    ],
)
def test_a_next_page_elsewhere_gets_no_token(link: str, message: str) -> None:
    always = serving(lambda _: answer(page(1), Link=f'{link}; rel="next"'))
    with always as server, pytest.raises(HostError) as caught:
        numbers(client(server.url))
    assert caught.value.message == f"Forge: the next page is said to be {message}, and is not asked"
    assert len(server.asked) == 1


def test_pages_that_go_round_are_noticed() -> None:
    def reply(asked: Asked) -> Reply:
        return answer(page(1), Link=f'<{asked.target}>; rel="next"')

    with serving(reply) as server, pytest.raises(HostError) as caught:
        numbers(client(server.url))
    assert caught.value.message == "Forge: the pages of /things go round in a circle"
    assert len(server.asked) == 1


def test_pages_without_an_end_are_an_error_and_no_list() -> None:
    count = iter(range(99))

    def reply(_: Asked) -> Reply:
        return answer(page(1), Link=f'<?page={next(count)}>; rel="next"')

    with serving(reply) as server, pytest.raises(HostError) as caught:
        numbers(client(server.url, limits=Limits(pages=4)))
    assert caught.value.message == "Forge: /things has more than 4 pages of 100"
    assert len(server.asked) == 4


def test_what_moved_within_the_forge_is_found() -> None:
    def reply(asked: Asked) -> Reply:
        if asked.target == "/api/thing":
            return answer({}, 301, Location="/api/repositories/7")
        return answer({"target": asked.target})

    with serving(reply) as server:
        found = client(server.url).get("/thing").reading
    assert found.text("target") == "/api/repositories/7"


def test_a_redirect_to_another_host_gets_no_token() -> None:
    with serving(lambda _: answer({}, 307, Location="https://evil.example/api/x")) as server:
        message = refused(server.url)
    assert message == (
        "Forge: what was asked for is said to be at another host or without https, and is not asked"
    )


def test_redirects_that_do_not_end_are_noticed() -> None:
    with serving(lambda _: answer({}, 302, Location="/api/thing")) as server:
        message = refused(server.url)
    assert message == "Forge: GET /api/thing is answered with one redirect after the other"


def test_a_write_follows_no_redirect() -> None:
    always = serving(lambda _: answer({}, 307, Location="/api/other"))
    with always as server, pytest.raises(HostError) as caught:
        client(server.url).send("POST", "/thing", {})
    assert (
        caught.value.remedy == "set spec.forge.repository to the name that the repository has now"
    )
    assert len(server.asked) == 1
