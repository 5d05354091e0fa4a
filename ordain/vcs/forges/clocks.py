"""What time it is where the forge is, by the head of one of its answers.

Approvals that are dated in the future count for nothing, so a clock that is wrong by minutes makes
the gate refuse what people have approved. Every answer of a server has its time (RFC 9110, 6.6.1),
to the second, so nothing else has to be asked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from ordain.vcs.forges.http import Client

if TYPE_CHECKING:
    from ordain.vcs.host import Host

# Whoever we are, this is answered, be it with a refusal.
_PATH: Final = "/user"
_REFUSED: Final = (401, 403, 404)


def time_of(host: Host) -> datetime | None:
    """The time of the host; None where it tells none that can be read.

    Raises `HostError` and its kinds.
    """
    client = getattr(host, "client", None)
    if not isinstance(client, Client):
        return None
    told = client.get(_PATH, accept=_REFUSED).headers.get("date", "")
    try:
        found = parsedate_to_datetime(told)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
