"""A git server as people run one: HTTP with Basic auth in front of `git http-backend`.

The password file and the CGI are all that there is; who may do what is the hook's business.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REALM = 'Basic realm="estate"'


class GitServer(ThreadingHTTPServer):
    """Serves the bare repositories below a directory to the people of a password file.

    Without `required` whoever sends no password is let through as nobody.
    """

    daemon_threads = True

    def __init__(
        self, root: Path, passwords: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.passwords = dict(passwords)
        self.environment = dict(environment)
        self.required = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no concern of the tests."""

    def address(self, person: str | None = None, password: str | None = None) -> str:
        """The URL of the estate, with the credentials of somebody."""
        word = self.passwords.get(person or "", "") if password is None else password
        who = f"{person}:{word}@" if person else ""
        return f"http://{who}127.0.0.1:{self.server_address[1]}/estate.git"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GitServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._body()
        person = self._person()
        if person is None:
            self._send(401, {"WWW-Authenticate": REALM}, b"who are you?\n")
            return
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env=self._environment(person, len(body)),
            capture_output=True,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().splitlines()]
        headers = {name: value for name, _, value in lines}
        status = int(headers.pop("Status", "200").split()[0])
        self._send(status, headers, content)

    def _person(self) -> str | None:
        """The name that goes with the password; empty for nobody, None for a wrong one."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None if self.server.required else ""
        try:
            person, _, word = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self.server.passwords.get(person)
        return person if known is not None and word == known else None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return body

    def _environment(self, person: str, size: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        own = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "REMOTE_ADDR": self.client_address[0],
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        return self.server.environment | own | ({"REMOTE_USER": person} if person else {})

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(root: Path, passwords: Mapping[str, str], home: Path) -> Iterator[GitServer]:
    """Serve until the end of the block, with an environment as bare as that of a web server."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    with GitServer(root, passwords, environment) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
