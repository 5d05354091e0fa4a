"""Training processes as the system sees them, and a model that takes a while."""

from __future__ import annotations

from pathlib import Path

_PENDING = ("SigPnd", "ShdPnd")


def job_in(directory: Path) -> int | None:
    """The process id of the job that works in a directory; None where there is none."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"ordain.runtime.training" in words and str(directory).encode() in words:
            return int(place.parent.name)
    return None


def waits_for(process: int, signal: int) -> bool:
    """Whether a signal was sent to a process that has not heard it, or will hear nothing more."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return True
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return any(int(fields[name], 16) >> (signal - 1) & 1 for name in _PENDING)
