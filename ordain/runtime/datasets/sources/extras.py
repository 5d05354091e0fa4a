"""Libraries that only one source needs, and the one error for all that are not installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ordain.runtime.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needed(kind: str, extra: str) -> Iterator[None]:
    """Import inside of this what the extra brings.

    Raises:
        SourceError: naming the extra.
    """
    try:
        yield
    except ImportError as error:
        message = f"reading {kind} needs the extra {extra}"
        raise SourceError(message, remedy=f"install ordain[{extra}]") from error
