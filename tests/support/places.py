"""An estate that is driven as a person would: real processes, real git, real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """An estate's directory and a home of its own."""

    root: Path
    estate: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return kept | {
            "ORDAIN_HOME": str(self.root / "home"),
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def ordain(
        self, *arguments: str, expect: int | None = 0, at: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command and insist on its exit code; no command may ever show a traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "ordain.cli", *arguments],
            cwd=at or self.estate,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        if expect is not None:
            assert done.returncode == expect, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git and insist on success."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.estate,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def commit(self, message: str, person: str = "data-scientist") -> str:
        """Commit the work tree, signed by a person, without needing ssh-keygen."""
        from datetime import UTC, datetime

        from ordain.vcs.git import Repository
        from ordain.vcs.keys import load_signer
        from ordain.vcs.objects import Identity

        self.git("add", "-A")
        with Repository.open(self.estate) as repository:
            tree = self.git("write-tree").strip()
            head = repository.resolve("HEAD")
            commit = repository.write_commit(
                tree,
                (head,),
                message,
                Identity(person, f"{person}@example.org"),
                datetime.now(tz=UTC),
                load_signer(self.home / "keys" / person),
            )
            branch = repository.branch()
            assert branch is not None
            repository.update_ref(f"refs/heads/{branch}", commit, head)
        return commit

    @property
    def home(self) -> Path:
        # Beside the homes of estates stands what checks remember.
        (found,) = (one for one in (self.root / "home").iterdir() if one.name != "cache")
        return found

    def address(self) -> str:
        """Where the only environment serves."""
        (status,) = self.home.glob("run/*/status.json")
        found = json.loads(status.read_bytes())
        return f"http://{found['host']}:{found['port']}"

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        file = self.estate / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def stop(self) -> None:
        """End every serving process of this home."""
        from ordain.runtime.serving import client

        for server in self.root.glob("home/*/run/*"):
            client.stop(server)


def post(url: str, body: object, key: str = "") -> tuple[int, Any]:
    """POST JSON, or bytes as they are; gives status and answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
