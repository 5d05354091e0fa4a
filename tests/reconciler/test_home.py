"""Where an estate lives outside git, and that only one reconciler works on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ordain.reconciler.errors import Busy, KeyMissing, StateDamaged
from ordain.reconciler.home import Home, home_of, sole_reconciler

ROOT = "0123456789abcdef" + "0" * 24

_HOLD = """
import sys
from pathlib import Path
from ordain.reconciler.home import Home, sole_reconciler

with sole_reconciler(Home(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({"ORDAIN_HOME": "/srv/estates", "HOME": "/home/x"}, "/srv/estates"),
        ({"XDG_DATA_HOME": "/data", "HOME": "/home/x"}, "/data/ordain"),
        ({"HOME": "/home/x"}, "/home/x/.local/share/ordain"),
    ],
)
def test_the_root_commit_names_the_home(environ: dict[str, str], base: str) -> None:
    assert home_of(ROOT, environ).root == Path(base) / "0123456789abcdef"


def test_nothing_is_made_by_asking_where_it_would_be(tmp_path: Path) -> None:
    home = home_of(ROOT, {"ORDAIN_HOME": str(tmp_path / "home")})
    assert home.job("sha256:" + "a" * 64) == home.root / "jobs" / ("a" * 32)
    assert home.server("production") == home.root / "run" / "production"
    assert not (tmp_path / "home").exists()


def test_a_missing_key_says_where_it_was_expected(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(KeyMissing) as caught:
        home.key("manager")
    assert caught.value.message == (
        f"there is no private key for manager at {tmp_path / 'keys' / 'manager'}"
    )
    assert caught.value.remedy == "give the key's file with --key"


def test_a_second_reconciler_is_told_that_the_first_works(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        said = "another reconciler works on this estate"
        with pytest.raises(Busy, match=said) as caught, sole_reconciler(home):
            pytest.fail("two reconcilers held the same estate")
        assert caught.value.remedy == "wait for it, or stop it"
        first.stdin.close()
        first.wait()
    with sole_reconciler(home):
        pass


def test_the_lock_of_a_killed_reconciler_is_free(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
        first.wait()
    with sole_reconciler(home):
        pass


def test_a_home_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StateDamaged) as caught, sole_reconciler(Home(tmp_path / "home" / "x")):
        pytest.fail("held a lock in no directory")
    assert caught.value.message.endswith("cannot be written: Not a directory")
    assert caught.value.remedy == "make it writable, or set ORDAIN_HOME"
