"""The environment lock pins what training runs on, and says what differs."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from ordain.runtime.environment import (
    ABSENT,
    check_environment,
    check_estimator,
    installed,
    mismatches,
    read_lock,
    render_lock,
)
from ordain.runtime.errors import LockError

VERSIONS = {"python": "3.12", "numpy": "2.3.4"}


def test_the_installed_versions_are_those_of_the_metadata() -> None:
    found = installed()
    assert found["numpy"] == metadata.version("numpy")
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert list(found) == sorted(found)


def test_a_lock_is_sorted_lines_under_a_comment() -> None:
    lines = render_lock(VERSIONS).decode().splitlines()
    assert lines[0].startswith("# What training runs on")
    assert lines[1:] == ["numpy==2.3.4", "python==3.12"]


def test_a_lock_comes_back_whole() -> None:
    assert read_lock(render_lock(VERSIONS)) == VERSIONS


def test_what_is_not_installed_cannot_be_pinned() -> None:
    with pytest.raises(LockError) as caught:
        render_lock(VERSIONS | {"scipy": ABSENT})
    assert caught.value.message == "not installed: scipy"


@pytest.mark.parametrize(
    ("text", "line"),
    [("numpy>=2", 1), ("# c\n\nnumpy==1\nnumpy==1\n", 4), ("numpy==1 ; rm", 1), ("\udcff", 1)],
)
def test_a_line_that_pins_nothing_is_named(text: str, line: int) -> None:
    with pytest.raises(LockError) as caught:
        read_lock(text.encode(errors="surrogateescape"))
    assert caught.value.message == f"environment.lock:{line}: not one more `name==version`"


def test_every_difference_is_named() -> None:
    lock = {"numpy": "1.0", "gone": "2.0"}
    assert mismatches(lock, {"numpy": "1.1", "new": "3.0"}) == (
        "gone is absent, the lock says 2.0",
        "new is 3.0, the lock says nothing",
        "numpy is 1.1, the lock says 1.0",
    )
    assert mismatches(lock, lock) == ()


def test_a_library_is_pinned_where_a_model_needs_it() -> None:
    assert not installed().keys() & {"lightgbm", "xgboost", "xgboost-cpu"}
    found = installed(["lightgbm", "ridge", "xgboost"])
    assert found["lightgbm"] == metadata.version("lightgbm")
    assert found.keys() & {"xgboost", "xgboost-cpu"}


def test_a_lock_with_a_library_is_compared_with_it() -> None:
    lock = installed(["lightgbm"])
    assert mismatches(lock) == ()
    (told,) = mismatches(lock | {"lightgbm": "0.1"})
    assert told == f"lightgbm is {lock['lightgbm']}, the lock says 0.1"


def test_an_estimator_of_a_library_that_is_not_pinned_is_refused() -> None:
    check_estimator(installed(), "ridge")
    check_estimator({"xgboost-cpu": "3.2.0"}, "xgboost")
    with pytest.raises(LockError) as caught:
        check_estimator(installed(), "xgboost")
    assert caught.value.message == "training.estimator: xgboost is not in the environment lock"
    assert caught.value.remedy == (
        "install ordain[xgboost], run `ordain lock`, and have the change approved"
    )


def test_another_environment_is_refused_with_a_remedy() -> None:
    with pytest.raises(LockError) as caught:
        check_environment({"numpy": "1.0"}, {"numpy": "1.1"})
    expected = "the environment is not the locked one: numpy is 1.1, the lock says 1.0"
    assert caught.value.message == expected
    assert "`ordain lock`" in caught.value.remedy


def test_asking_for_versions_loads_no_package() -> None:
    program = (
        "import sys; from ordain.runtime.environment import installed; installed(); "
        "print({'numpy', 'sklearn', 'pyarrow', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "set()\n"
