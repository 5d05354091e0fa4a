"""An object store over HTTP, in a thread of the test's own process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "risk"
VERSIONED = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Status>Enabled</Status></VersioningConfiguration>"
)


@dataclass(frozen=True)
class ObjectStore:
    url: str

    @property
    def environ(self) -> dict[str, str]:
        """What a client of the store needs in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "correct horse",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def put(self, key: str, data: bytes) -> str:
        """Write one object; returns its version."""
        import obstore
        from obstore.store import S3Store

        store = S3Store(
            BUCKET,
            endpoint=self.url,
            region="us-east-1",
            access_key_id="key",
            secret_access_key="correct horse",
            client_options={"allow_http": True},
        )
        return obstore.put(store, key, data)["version"] or ""

    def make_bucket(self) -> None:
        """One that keeps every version of an object."""
        self._send(BUCKET, b"")
        self._send(f"{BUCKET}?versioning", VERSIONED)

    def _send(self, path: str, data: bytes) -> None:
        # The address is that of the server in this process.
        kind = {"Content-Type": "application/octet-stream"}
        request = Request(f"{self.url}/{path}", data, kind, method="PUT")  # noqa: S310
        urlopen(request).close()  # noqa: S310


@contextmanager
def running_object_store() -> Iterator[ObjectStore]:
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        store = ObjectStore(f"http://127.0.0.1:{port}")
        store.make_bucket()
        yield store
    finally:
        server.stop()
