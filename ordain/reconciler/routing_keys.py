"""Keys that may call routes: made here, kept as hashes, given to serving with its configuration."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from ordain.reconciler.errors import UnknownKey
from ordain.reconciler.state import RoutingKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

PREFIX = "ord_"
_SECRET_BYTES = 32


def make_key(
    routes: Iterable[str], declared: Iterable[str], random: bytes, now: datetime
) -> tuple[str, RoutingKey]:
    """A new key as (the secret to show once, what is kept); `random` is 32 unguessable bytes.

    Raises:
        UnknownKey: a route is not declared.
    """
    if len(random) < _SECRET_BYTES:
        message = "a key needs 32 random bytes"
        raise ValueError(message)
    wanted, known = tuple(dict.fromkeys(routes)), set(declared)
    for route in wanted:
        if route not in known:
            message = f"there is no Route {route!r}"
            raise UnknownKey(message, remedy=f"one of: {', '.join(sorted(known)) or 'none'}")
    secret = PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    return secret, RoutingKey(f"key-{hashed[:10]}", hashed, wanted, now.isoformat())


def keys_in_force(keys: Iterable[RoutingKey]) -> list[dict[str, object]]:
    """The keys as a server configuration lists them."""
    return [
        {"id": key.id, "sha256": key.sha256, "routes": list(key.routes)}
        for key in keys
        if key.revoked is None
    ]
