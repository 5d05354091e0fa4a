"""How much memory this process may still use, by whoever would end it.

The system kills without a word, and what it kills leaves no result. So work that knows how much it
needs asks first. The least of three limits counts: the control group (version 2) of a container or
a service, the limit of addresses of the process, and what the machine has free. Where none can be
read, as on other systems than Linux, nothing is refused.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Room:
    """So many bytes, and who allows no more."""

    size: int
    limit: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a machine tells of its memory."""

    proc: Path = Path("/proc")
    groups: Path = Path("/sys/fs/cgroup")

    def room(self) -> Room | None:
        """What may still be used; None where nothing is known."""
        return min(self._rooms(), key=lambda one: one.size, default=None)

    def _rooms(self) -> Iterator[Room]:
        with suppress(OSError, ValueError):
            yield Room(
                _table(self.proc / "meminfo")["MemAvailable"] * 1024, "memory of the machine"
            )
        with suppress(OSError, ValueError, ImportError):
            yield from self._addresses()
        with suppress(OSError, ValueError):
            yield from self._groups()

    def _addresses(self) -> Iterator[Room]:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int((self.proc / "self/statm").read_text().split()[0])
            yield Room(limit - pages * resource.getpagesize(), "limit of the process (RLIMIT_AS)")

    def _groups(self) -> Iterator[Room]:
        """The limits of our group and of those that it is in; what is cached counts as free."""
        own = (self.proc / "self/cgroup").read_text().strip().rpartition("::")[2]
        place = self.groups / own.lstrip("/")
        for group in (place, *place.parents):
            if not group.is_relative_to(self.groups):
                return
            with suppress(FileNotFoundError):
                limit = (group / "memory.max").read_text().strip()
                if limit != "max":
                    used = int((group / "memory.current").read_text())
                    cached = _table(group / "memory.stat").get("inactive_file", 0)
                    yield Room(int(limit) - used + cached, "limit of the control group")


def _table(path: Path) -> dict[str, int]:
    """A file of lines with a name and a number."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) > 1}


def words(size: int) -> str:
    """Bytes as people say them."""
    if size < 10**9:
        return f"{max(0, size) / 10**6:.0f} MB"
    return f"{size / 10**9:.1f} GB"
