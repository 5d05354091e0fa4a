"""The socket that callers connect to.

The supervisor binds it and keeps it; workers inherit it. While no worker accepts, connections wait
in the kernel's queue, so a worker may die or be replaced and no caller is turned away.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass

from ordain.runtime.serving.errors import AddressUnusable

BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and the host and port that were asked for (port 0: any free one)."""

    socket: socket.socket
    host: str
    port: int

    @property
    def bound_port(self) -> int:
        return int(self.socket.getsockname()[1])


def listen(host: str, port: int) -> Listener:
    """Bind and listen.

    Raises:
        AddressUnusable: the port is taken or reserved, or the host is not an address of this
            machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise _unusable(host, port, error) from error
    bound.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return Listener(bound, host, port)


def _unusable(host: str, port: int, error: OSError) -> AddressUnusable:
    if error.errno == errno.EADDRINUSE:
        return AddressUnusable(
            f"port {port} of {host} is in use by another program",
            remedy="free the port, or give the environment another one",
        )
    # `create_server` adds its own words to strerror; the system's are clearer.
    known = isinstance(error.errno, int) and error.errno > 0
    reason = os.strerror(error.errno) if known and error.errno else str(error)
    return AddressUnusable(
        f"cannot listen on port {port} of {host}: {reason}",
        remedy="give the environment a host of this machine and a port above 1023",
    )
