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


def same(left: Any, right: Any) -> bool:  # noqa: ANN401 - any JSON values
    """Whether two JSON values have the same canonical form, without making it.

    Python's `==` takes False for 0 and 1 for 1.0, which are different declarations.
    """
    if left is right:
        # Most of an estate is, where two commits of it were read one beside the other.
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(
            same(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    # 0.0 and -0.0 are equal, and their quotients are not.
    return repr(left) == repr(right) if isinstance(left, float) else bool(left == right)
