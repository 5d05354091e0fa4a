"""A way to ask a stub that is not the client: `urllib`, nothing followed, nothing tried again."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forges.published import Json
    from forges.web import Site


@dataclass(frozen=True, slots=True)
class Got:
    """What came back: JSON parsed, or bytes that are none."""

    status: int
    headers: Mapping[str, str]
    body: Json


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def ask(site: Site, path: str, method: str = "GET", body: object = None, **headers: str) -> Got:
    """One request with the stub's own token, unless another `Authorization` is given."""
    named = {"Authorization": f"Bearer {getattr(site, 'token', '')}"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    url = path if path.startswith("http://127.0.0.1:") else site.url + path
    request = urllib.request.Request(url, data, named, method=method)  # noqa: S310 - loopback
    try:
        with OPENER.open(request, timeout=2) as answer:
            return Got(answer.status, answer.headers, _parsed(answer.read()))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Got(refusal.code, refusal.headers, _parsed(refusal.read()))


def _parsed(text: bytes) -> Json:
    try:
        return json.loads(text or b"null")
    except ValueError:
        return text


def rels(header: str | None) -> dict[str, str]:
    """The links of a `Link` header by their relation."""
    parts = [part.split("; rel=") for part in (header or "").split(", ") if part]
    return {rel.strip('"'): url.strip("<>") for url, rel in parts}
