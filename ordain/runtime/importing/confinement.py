"""What the process that reads somebody else's pickle is not allowed, by the kernel.

The reader itself looks up nothing that could do harm. This is the second wall: should a library
that is allowed have a hole, there is no network behind it, no other program, no more memory, time
or disk than a conversion needs, and no way to gain rights. What a kernel or a container does not
offer is said in the result and not hidden.

`seccomp` refuses the calls that start programs and open sockets, with EPERM, for this process and
its threads. It is a filter of the classic kind (linux/filter.h), written for the two architectures
that servers have. Libraries are loaded before it holds.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import Final

from ordain.runtime.surroundings import surroundings

MEMORY: Final = 4 << 30
SECONDS: Final = 120
FILE_BYTES: Final = 256 << 20
OPEN_FILES: Final = 64

_NO_NEW_PRIVILEGES: Final = 38  # prctl(2): PR_SET_NO_NEW_PRIVS
_SET_SECCOMP: Final = 22  # prctl(2): PR_SET_SECCOMP
_FILTER: Final = 2  # SECCOMP_MODE_FILTER
_NEW_USER: Final = 0x10000000  # unshare(2): CLONE_NEWUSER
_NEW_NETWORK: Final = 0x40000000  # unshare(2): CLONE_NEWNET
_ALLOW: Final = 0x7FFF0000  # SECCOMP_RET_ALLOW
_REFUSE: Final = 0x00050001  # SECCOMP_RET_ERRNO | EPERM
# struct seccomp_data: the number of the call, then the architecture.
_AT_NUMBER: Final = 0
_AT_ARCHITECTURE: Final = 4
_FOREIGN: Final = 0x40000000  # From here on numbers are of x32, another way into the same calls.
# Of each architecture: its AUDIT_ARCH, and execve, execveat, fork, vfork, socket, connect, bind,
# ptrace, process_vm_readv, process_vm_writev, io_uring_setup (which can do most of it elsewhere).
_CALLS: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    "x86_64": (0xC000003E, (59, 322, 57, 58, 41, 42, 49, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (221, 281, 198, 203, 200, 117, 270, 271, 425)),
}


def confine() -> tuple[str, ...]:
    """Give up what a conversion does not need; what was given up, in words."""
    _limit()
    libc = ctypes.CDLL(None, use_errno=True)
    held = ["memory, time and disk"]
    if _without_network(libc):
        held.append("network")
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        held.append("new rights")
        if _filtered(libc):
            held.append("programs and sockets")
    return tuple(held)


def _limit() -> None:
    for which, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (least, least))


def _without_network(libc: ctypes.CDLL) -> bool:
    """A network namespace of its own, which has no way out; with a user of its own where needed."""
    if not sys.platform.startswith("linux"):
        return False
    flags = (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK)
    return any(libc.unshare(flag) == 0 for flag in flags)


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _filtered(libc: ctypes.CDLL) -> bool:
    known = _CALLS.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return False
    code = _program(*known)
    program = _Program(len(code) // 8, code)
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


def _program(architecture: int, refused: tuple[int, ...]) -> bytes:
    """Instructions that refuse these calls, and every call of another architecture."""
    # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K
    load, equal, least, give = 0x20, 0x15, 0x35, 0x06
    code = [
        (load, 0, 0, _AT_ARCHITECTURE),
        (equal, 1, 0, architecture),
        (give, 0, 0, _REFUSE),
        (load, 0, 0, _AT_NUMBER),
        (least, len(refused) + 1, 0, _FOREIGN),
    ]
    for place, number in enumerate(refused):
        # Each comparison jumps over those that are left and the one that allows.
        code.append((equal, len(refused) - place, 0, number))
    code += [(give, 0, 0, _ALLOW), (give, 0, 0, _REFUSE)]
    return b"".join(struct.pack("HBBI", *one) for one in code)


def bare_environment() -> dict[str, str]:
    """The environment of the child: nothing of ours, and one thread in every library."""
    ours = surroundings(os.environ)
    kept = {name: ours[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in ours}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return kept | dict.fromkeys(threads, "1") | {"HOME": "/nonexistent"}
