"""The token that git is lent: for one server, in no file, and only as long as it is needed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ordain.cli.askpass import lent_token

WORKFLOW = {"GITHUB_TOKEN": "ghs_secret", "GITHUB_SERVER_URL": "https://github.example"}


def answer(prompt: str) -> tuple[int, str]:
    """What git would be told."""
    done = subprocess.run(
        [os.environ["GIT_ASKPASS"], prompt], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_git_is_told_name_and_token_of_the_server_of_the_workflow() -> None:
    with lent_token(WORKFLOW):
        assert answer("Username for 'https://github.example': ") == (0, "x-access-token\n")
        prompt = "Password for 'https://x-access-token@github.example': "
        assert answer(prompt) == (0, "ghs_secret\n")


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("github.example", "username=x-access-token\npassword=ghs_secret\n"),
        ("evil.example", ""),
    ],
)
def test_git_itself_asks_like_that(tmp_path: Path, host: str, told: str) -> None:
    environ = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)}
    with lent_token(WORKFLOW):
        done = subprocess.run(
            ["git", "-c", "credential.helper=", "credential", "fill"],
            cwd=tmp_path,
            env={**os.environ, **environ},
            input=f"protocol=https\nhost={host}\n\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == (f"protocol=https\nhost={host}\n{told}" if told else "")
    assert "ghs_secret" not in done.stderr


def test_an_address_that_is_none_is_lent_nothing() -> None:
    before = os.environ.get("GIT_ASKPASS")
    with lent_token(WORKFLOW | {"GITHUB_SERVER_URL": "https://[bad"}):
        assert os.environ.get("GIT_ASKPASS") == before


@pytest.mark.parametrize(
    "prompt",
    [
        "Username for 'https://github.example.evil.example': ",
        "Username for 'http://github.example': ",
        "Password for 'https://x-access-token@evil.example': ",
        "Password for 'https://x-access-token@github.example.evil.example': ",
        "Password for 'https://github.example@evil.example': ",
        "Enter passphrase for key '/home/somebody/.ssh/id': ",
    ],
)
def test_no_other_question_is_answered(prompt: str) -> None:
    with lent_token(WORKFLOW):
        assert answer(prompt) == (1, "")


def test_the_token_is_in_no_file_and_is_gone_afterwards() -> None:
    with lent_token(WORKFLOW):
        script = Path(os.environ["GIT_ASKPASS"])
        assert "ghs_secret" not in script.read_text()
        assert script.stat().st_mode & 0o077 == 0
    assert not script.exists()
    assert not [name for name in os.environ if name.startswith("ORDAIN_ASKED")]
    assert "GIT_ASKPASS" not in os.environ


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GITHUB_TOKEN": "ghs_secret"},
        {**WORKFLOW, "GITHUB_SERVER_URL": "http://github.example"},
        {**WORKFLOW, "GIT_ASKPASS": "/usr/bin/own"},
    ],
)
def test_without_a_token_or_a_server_over_https_nothing_is_lent(environ: dict[str, str]) -> None:
    with lent_token(environ):
        assert "GIT_ASKPASS" not in os.environ
