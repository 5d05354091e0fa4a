"""An object store over HTTP, in a thread of the test's own process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "risk"


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
        version: str = self._client().put_object(Bucket=BUCKET, Key=key, Body=data)["VersionId"]
        return version

    def make_bucket(self) -> None:
        client = self._client()
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
        )

    def _client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="correct horse",
        )


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
