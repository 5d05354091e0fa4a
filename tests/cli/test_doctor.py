"""`ordain doctor` tells what is wrong, also when it is a library that it needs itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ordain

if TYPE_CHECKING:
    from places import Place


def test_every_line_has_a_state_and_what_is_wrong_has_a_fix(founded: Place) -> None:
    *lines, last, following = founded.ordain("doctor").stdout.splitlines()
    assert re.fullmatch(r"Doctor: \d+ ok, \d+ to look at, 0 failed, \d+ not looked at\.", last)
    assert following == "Next: ordain check"
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        assert re.match(r"(OK  |WARN|FAIL|SKIP)  [a-z]+ +\S|      +fix: \S", line)
        if line.startswith(("WARN", "FAIL")):
            assert below.lstrip().startswith("fix: ")


def test_a_failure_is_the_exit_code(place: Place) -> None:
    place.git("branch", "-m", "main", "elsewhere")
    done = place.ordain("doctor", expect=1)
    assert "FAIL  branch      production follows main, which is not here\n" in done.stdout
    assert done.stdout.endswith("Next: ordain doctor, when that is mended\n")


def test_json_says_the_same(founded: Place) -> None:
    found = json.loads(founded.ordain("doctor", "-o", "json").stdout)
    assert (found["format"], found["version"], found["ok"]) == (
        "ordain.doctor/1",
        ordain.__version__,
        True,
    )
    text = founded.ordain("doctor").stdout
    for check in found["checks"]:
        assert set(check) == {"name", "state", "detail", "remedy"}
        assert f"\n{check['state'].upper():<4}  {check['name']} " in f"\n{text}"


@pytest.mark.parametrize(
    ("library", "failing"),
    [
        ("yaml", {"libyaml", "estate", "commit", "packs", "stores"}),
        ("packaging", {"python", "packages", "extras"}),
        ("cel_expr_python", {"cel"}),
    ],
)
def test_a_missing_library_is_found_and_not_stumbled_over(
    founded: Place, library: str, failing: set[str]
) -> None:
    script = (
        f"import sys; sys.modules[{library!r}] = None; from ordain.cli import main; "
        "main(['doctor', '-o', 'json'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=founded.estate,
        env=founded.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    checks = json.loads(done.stdout)["checks"]
    assert {one["name"] for one in checks if one["state"] == "fail"} == failing
    assert all(one["remedy"] for one in checks if one["state"] == "fail")
