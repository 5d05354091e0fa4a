"""One byte string for one value, and its digest.

Digests bind approvals, versions, artifacts and ledger records, so there is exactly one way to turn
a value into bytes: JSON with sorted keys, no white space, UTF-8, and Python's shortest
round-tripping decimal for floats. NaN and infinities have no canonical form and are refused.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Encode a JSON value (dict, list, tuple, str, int, float, bool, None).

    Raises:
        ValueError: for NaN, infinity.
        TypeError: for anything that JSON cannot say.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256(data: bytes) -> str:
    """The digest of bytes as `sha256:<64 hex digits>`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """The digest of a JSON value."""
    return sha256(canonical_json(value))
