"""A command with limits on its time and memory, and what it took.

The peak memory of a process begins with that of the process it was forked from, so it is this
small program that starts the command and not the tests, which have grown large by then.

    python confined.py REPORT SECONDS BYTES COMMAND...
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path


def main(report: str, seconds: int, size: int, command: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    spent = {"seconds": usage.ru_utime + usage.ru_stime, "bytes": usage.ru_maxrss * 1024}
    Path(report).write_text(json.dumps(spent))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
