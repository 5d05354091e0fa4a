"""What the process that reads somebody else's pickle is not allowed, by the kernel.

The reader itself looks up nothing that could do harm. This is the second wall: should a library
that is allowed have a hole, there is no network behind it, no other process or program, no signal
to one, no file but its own directory and the libraries, no more memory and time and no larger file
than a conversion needs, and no way to gain rights. What a kernel or a container does not offer is
said in the result and not hidden.

`seccomp` refuses the calls that start processes, reach other ones, open sockets, and give files to
others, with EPERM. It is a filter of the classic kind (linux/filter.h), written for the two
architectures that servers have. Landlock (Documentation/userspace-api/landlock.rst of the kernel)
opens libraries for reading and one directory for writing, and nothing else. Libraries are loaded
before either holds, and the file to read is read.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.runtime.surroundings import surroundings

if TYPE_CHECKING:
    from pathlib import Path

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
# Of each architecture: its AUDIT_ARCH, and the calls. Both times in this order, as far as there are
# such: execve, execveat, fork, vfork, clone, clone3; socket, connect, bind; kill, tkill, tgkill,
# rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_open, prlimit64; ptrace, process_vm_readv,
# process_vm_writev, io_uring_setup (which can do most of it elsewhere); chmod, fchmod, fchmodat,
# fchmodat2, chown, fchown, lchown, fchownat.
_CALLS: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    "x86_64": (
        0xC000003E,
        (
            *(59, 322, 57, 58, 56, 435, 41, 42, 49, 62, 200, 234, 129, 297, 434, 302),
            *(101, 310, 311, 425, 90, 91, 268, 452, 92, 93, 94, 260),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(221, 281, 220, 435, 198, 203, 200, 129, 130, 131, 138, 240, 434, 261),
            *(117, 270, 271, 425, 52, 53, 452, 55, 54),
        ),
    ),
}
# landlock_create_ruleset, landlock_add_rule and landlock_restrict_self have these numbers on all
# architectures; the rest is of linux/landlock.h.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_FILE = (
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 5,
    1 << 8,
)
_TRUNCATE: Final = 1 << 14
_READ: Final = _READ_FILE | _READ_DIR
_WRITE: Final = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
# How many kinds of access each version knows: everything of the first, REFER, TRUNCATE, IOCTL_DEV.
_KNOWN: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_KNOWN_SINCE: Final = 16
_LIBRARIES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share", "/etc/ld.so.cache")


@dataclass(frozen=True, slots=True)
class Walls:
    """What a process has given up, in words, and what this machine did not let it give up."""

    held: tuple[str, ...]
    missing: tuple[str, ...]


def confine(directory: Path) -> Walls:
    """Give up what a conversion does not need; of files, all but `directory` and the libraries."""
    libc = ctypes.CDLL(None, use_errno=True)
    limited = _limit()
    network = _without_network(libc)
    # Only now: whoever may have no process may have no user namespace either.
    limited = _at_most(resource.RLIMIT_NPROC, 0) and limited
    rights = sys.platform.startswith("linux") and libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    walls = {
        "memory, time and size of files": limited,
        "network": network,
        "new rights": rights,
        "files outside of its directory": rights and _walled_off(libc, directory),
        "processes, programs, signals and sockets": rights and _filtered(libc),
    }
    return Walls(
        tuple(name for name, held in walls.items() if held),
        tuple(name for name, held in walls.items() if not held),
    )


def _limit() -> bool:
    """Whether every limit holds."""
    limits = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    )
    held = [_at_most(which, most) for which, most in limits]  # All are tried.
    return all(held)


def _at_most(which: int, most: int) -> bool:
    _, hard = resource.getrlimit(which)
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(which, (least, least))
    except (OSError, ValueError):
        return False  # Not every system can limit the memory of a process.
    return True


def _without_network(libc: ctypes.CDLL) -> bool:
    """A network namespace of its own, which has no way out; with a user of its own where needed."""
    if not sys.platform.startswith("linux"):
        return False
    flags = (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK)
    return any(libc.unshare(flag) == 0 for flag in flags)


def _walled_off(libc: ctypes.CDLL, directory: Path) -> bool:
    """Whether no file but those of the directory and of the libraries can be opened any more."""
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return False
    known = (1 << _KNOWN.get(version, _KNOWN_SINCE)) - 1
    handled = ctypes.c_uint64(known)
    rules = libc.syscall(_CREATE, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        opened = [_opened(libc, rules, place, _READ & known) for place in _readable()]
        opened.append(_opened(libc, rules, str(directory), _WRITE & known))
        return all(opened) and libc.syscall(_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _readable() -> list[str]:
    """Where the interpreter and what it may still load stand."""
    places = {*_LIBRARIES, sys.prefix, sys.base_prefix, *filter(None, sys.path)}
    return sorted(place for place in places if os.path.exists(place))  # noqa: PTH110 - many texts


def _opened(libc: ctypes.CDLL, rules: int, place: str, access: int) -> bool:
    if not os.path.isdir(place):  # noqa: PTH112 - as above
        access &= _READ_FILE | _WRITE_FILE | _TRUNCATE
    try:
        at = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        rule = struct.pack("=Qi", access, at)  # struct landlock_path_beneath_attr
        return bool(libc.syscall(_ADD, rules, _PATH_BENEATH, rule, 0) == 0)
    finally:
        os.close(at)


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
