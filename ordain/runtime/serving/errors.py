"""What can go wrong with serving.

    ServingError             SRV100
    ├── ServerConfigError    SRV101  the file that says what to serve cannot be used
    ├── ModelUnusable        SRV102  an artifact does not answer as it did in training
    ├── AddressUnusable      SRV103  the port is taken, or the host is not ours
    ├── ServerBusy           SRV104  another supervisor runs in this directory
    ├── NotReady             SRV105  the workers of a configuration do not become ready
    └── ServerSilent         SRV106  the supervisor says nothing within the time given

`RequestError` is no child of these: it is an answer to a caller, with an HTTP status, and never
reaches a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.runtime.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ServingError(RunError):
    """Serving cannot begin or go on."""

    code = "SRV100"


class ServerConfigError(ServingError):
    code = "SRV101"


class ModelUnusable(ServingError):
    code = "SRV102"


class AddressUnusable(ServingError):
    code = "SRV103"


class ServerBusy(ServingError):
    code = "SRV104"


class NotReady(ServingError):
    code = "SRV105"


class ServerSilent(ServingError):
    code = "SRV106"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request; it never holds a value that was sent.

    `record` is the position in a batch, from 0; None when the request is one record.
    """

    code: str
    message: str
    remedy: str
    field: str | None = None
    record: int | None = None

    def to_plain(self) -> dict[str, object]:
        plain: dict[str, object] = {"code": self.code, "field": self.field}
        if self.record is not None:
            plain["record"] = self.record
        return plain | {"message": self.message, "remedy": self.remedy}


class RequestError(Exception):
    """A request is refused: an HTTP status and every reason for it."""

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.status = status
        self.problems = tuple(problems)


def refused(
    status: int, code: str, message: str, remedy: str, *, field: str | None = None
) -> RequestError:
    """A request error with one reason."""
    return RequestError(status, (Problem(code, message, remedy, field),))
