"""Who may call: routing keys, of which a server knows the hash only.

A key is 32 random bytes written down, so one SHA-256 is enough: there is nothing to guess that a
slow hash would have to protect. Every stored hash is compared, in constant time each, so that the
time of an answer says nothing about which key came close or stands where.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from ordain.runtime.serving.errors import refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.runtime.serving.config import KeyConfig, RouteConfig

_BEARER = b"bearer "
_ASK = "ask the owner of the route for a key and send it as X-API-Key"


class Keyring:
    """The keys of one server."""

    def __init__(self, keys: Iterable[KeyConfig]) -> None:
        self._keys = tuple((key.sha256.encode(), key) for key in keys)

    def admit(self, route: RouteConfig, presented: bytes | None) -> str | None:
        """The id of the caller's key; None on a route that needs none.

        Raises:
            RequestError: 401 without a key or with an unknown one, 403 when it is not for this
                route.
        """
        if not route.keyed:
            return None
        if presented is None:
            raise refused(401, "REQ120", f"route {route.name} needs a routing key", _ASK)
        key = self._find(presented)
        if key is None:
            raise refused(401, "REQ121", "this routing key is not known", _ASK)
        if route.name not in key.routes:
            raise refused(403, "REQ122", f"this routing key is not for route {route.name}", _ASK)
        return key.id

    def _find(self, presented: bytes) -> KeyConfig | None:
        hashed = sha256(presented).hexdigest().encode()
        found = None
        for stored, key in self._keys:
            if compare_digest(stored, hashed):
                found = key
        return found


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The key in `X-API-Key` or `Authorization: Bearer`, whichever stands first."""
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip()
    return None
