"""`ordain demo`: the whole loop, with the commands that anybody would type.

Each step runs the real command in a process of its own and shows it, so that the demonstration
cannot do anything that a user cannot. It needs no network and nothing to be started or edited.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLE = "credit-union"
MODEL = "credit-default"
PROPOSAL = "credit-default-1"
_NUMBERS = {
    "income": float,
    "amount": float,
    "term": int,
    "employment_years": float,
    "utilisation": float,
    "open_accounts": int,
    "delinquencies_24m": int,
}
_WORDS = ("purpose", "channel", "housing")
_BATCH = 200


class DemoFailed(click.ClickException):
    """A step did not go as it must."""

    exit_code = 2


@dataclass(slots=True)
class Stage:
    """Where the demonstration plays, and what it has learnt on the way."""

    root: Path
    estate: Path
    address: str
    key: str = ""
    steps: int = 0
    durations: list[float] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """A home of its own, so that nothing of the user's is touched."""
        return {**os.environ, "ORDAIN_HOME": str(self.root / "home"), "PYTHONUNBUFFERED": "1"}


@click.command()
@click.option(
    "--keep/--no-keep",
    default=None,
    help="Leave the estate and its server there; the default on a terminal.",
)
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Play it here.")
def command(keep: bool | None, directory: Path | None) -> None:
    """Walk through the whole loop in a temporary estate.

    Check, plan, train, propose, approve, merge, serve, predict, explain, drift, report, verify, and
    a change that the gate refuses. No network, nothing to start, nothing to edit.
    """
    keep = sys.stdin.isatty() if keep is None else keep
    root = directory.absolute() if directory else Path(tempfile.mkdtemp(prefix="ordain-demo-"))
    root.mkdir(parents=True, exist_ok=True)
    stage = Stage(root, root / EXAMPLE, f"http://127.0.0.1:{_free_port()}")
    began = time.monotonic()
    try:
        _play(stage)
    except BaseException:
        _clean_up(stage, keep=False)
        raise
    click.secho(f"\nThe whole loop took {time.monotonic() - began:.1f} s.", bold=True)
    _clean_up(stage, keep=keep)


def _play(stage: Stage) -> None:
    """Every step of the loop in its order."""
    _found(stage)
    _promote(stage)
    identifier = _predict(stage)
    _step(stage, "Explain it, by exactly the version that made it")
    _ordain(stage, "reasons", identifier)
    _drift(stage)
    _prove(stage)
    _refuse(stage)
    _step(stage, "What runs where")
    _ordain(stage, "status")


def _found(stage: Stage) -> None:
    _step(stage, "Make an estate with a remote, as a team would have it")
    port = stage.address.rpartition(":")[2]
    _ordain(stage, "init", str(stage.estate), "--example", EXAMPLE, "--port", port, at=stage.root)
    remote = stage.root / "remote.git"
    _git(stage, "clone", "--quiet", "--bare", str(stage.estate), str(remote), at=stage.root)
    _git(stage, "remote", "add", "origin", str(remote))
    _git(stage, "fetch", "--quiet", "origin")
    _step(stage, "Judge it: schema, references, policies")
    _ordain(stage, "check")
    _step(stage, "What would happen")
    _ordain(stage, "plan")


def _promote(stage: Stage) -> None:
    _step(stage, "First pass: train, record the evidence, propose")
    _ordain(stage, "reconcile", "--once")
    _step(stage, "A manager looks at the evidence, approves it, merges it")
    _ordain(stage, "proposals", "show", PROPOSAL)
    _ordain(stage, "proposals", "approve", PROPOSAL, "--as", "manager")
    _ordain(stage, "proposals", "merge", PROPOSAL, "--as", "manager")
    _step(stage, "Second pass: serve what was approved")
    stage.key = _ordain(stage, "keys", "create", "--route", "credit", hide=True).strip()
    _ordain(stage, "reconcile", "--once")


def _predict(stage: Stage) -> str:
    """Real requests through the route; returns the id of a decision that asks for reasons."""
    _step(stage, "Predict over HTTP")
    rows = _rows(stage, "data/applications.csv")[-400:]
    answers = [answer for batch in _batches(rows) for answer in _post(stage, batch)]
    refused = max(answers, key=lambda answer: float(answer["score"]))
    click.echo(f"POST {stage.address}/v1/credit, {len(answers)} applications; the riskiest:")
    click.echo(f"  {json.dumps(refused)}")
    click.echo("An application without an amount, and with a field that must not be asked for:")
    wrong = {name: value for name, value in rows[0].items() if name != "amount"}
    click.echo(f"  {_post_wrong(stage, {**wrong, 'sex': 'female'})}")
    return str(refused["id"])


def _drift(stage: Stage) -> None:
    _step(stage, "The world changes: a downturn arrives over HTTP, and the monitor sees it")
    rows = _rows(stage, "data/downturn.csv")[:600]
    sent = sum(len(_post(stage, batch)) for batch in _batches(rows))
    click.echo(f"POST {stage.address}/v1/credit, {sent} applications of the downturn")
    _ordain(stage, "monitor", "run", expect=1)


def _prove(stage: Stage) -> None:
    _step(stage, "Write the page of evidence")
    _ordain(stage, "report", MODEL, "--out", str(stage.root / f"{MODEL}.html"))
    _step(stage, "Prove that the ledger is whole")
    _ordain(stage, "audit", "verify")


def _refuse(stage: Stage) -> None:
    _step(stage, "A branch that loosens the limit instead of facing the drift is refused")
    _git(stage, "checkout", "--quiet", "-b", "quiet-the-alarm")
    file = stage.estate / "specs" / "monitors" / f"{MODEL}.yaml"
    text = file.read_text(encoding="utf-8").replace("fail: 0.25", "fail: 5", 1)
    file.write_text(text, encoding="utf-8")
    _commit(stage, "Quiet the alarm")
    _ordain(stage, "check", "--base", "main", expect=1)
    _step(stage, "Pushed to main all the same, it is refused again and production stays")
    _git(stage, "push", "--quiet", "origin", "quiet-the-alarm:main")
    _ordain(stage, "reconcile", "--once", expect=1)
    _git(stage, "checkout", "--quiet", "main")
    _git(stage, "push", "--quiet", "--force", "origin", "main")


def _commit(stage: Stage, message: str) -> None:
    """Commit the work tree, signed by the data scientist, on machines without ssh-keygen too."""
    from ordain.cli.session import now
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import load_signer
    from ordain.vcs.objects import Identity

    click.secho(f"$ git commit --all --gpg-sign --message '{message}'", fg="bright_black")
    (key,) = (stage.root / "home").glob("*/keys/data-scientist")
    with Repository.open(stage.estate) as repository:
        head, branch = repository.resolve("HEAD"), repository.branch()
        files = {path: (stage.estate / path).read_bytes() for path in repository.dirty_paths()}
        commit = repository.write_commit(
            repository.write_tree(head, dict(files)),
            (head,),
            message,
            Identity("data-scientist", f"data-scientist@{EXAMPLE}.example"),
            now(),
            load_signer(key),
        )
        repository.update_ref(f"refs/heads/{branch}", commit, head)
        repository.ask("read-tree", "HEAD")


# How a step is shown


def _step(stage: Stage, title: str) -> None:
    stage.steps += 1
    click.secho(f"\n{stage.steps:>2}. {title}", bold=True, fg="cyan")


def _ordain(
    stage: Stage, *arguments: str, expect: int = 0, at: Path | None = None, hide: bool = False
) -> str:
    """Run one command of ordain as a process, show it, and insist on its exit code."""
    shown = " ".join(_short(stage, one) for one in arguments)
    click.secho(f"$ ordain {shown}", fg="bright_black")
    color = () if sys.stdout.isatty() else ("--no-color",)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ordain.cli", *color, *arguments],
        cwd=at or stage.estate,
        env=stage.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    stage.durations.append(seconds)
    click.echo((done.stderr if hide else done.stdout + done.stderr).rstrip())
    code = f", exit code {done.returncode}" if done.returncode else ""
    click.secho(f"[{seconds:.1f} s{code}]", fg="bright_black")
    if done.returncode != expect:
        raise DemoFailed(f"ordain {shown} ended with {done.returncode}, not with {expect}")
    return done.stdout


def _git(stage: Stage, *arguments: str, at: Path | None = None) -> None:
    shown = " ".join(_short(stage, one) for one in arguments if one != "--quiet")
    click.secho(f"$ git {shown}", fg="bright_black")
    done = subprocess.run(
        ["git", *arguments],
        cwd=at or stage.estate,
        env=stage.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DemoFailed(f"git {shown}: {done.stderr.strip()}")


def _short(stage: Stage, text: str) -> str:
    return text.replace(f"{stage.root}/", "")


# Talking to the route


def _rows(stage: Stage, path: str) -> list[dict[str, Any]]:
    """The applications of a CSV file as request records; protected columns stay at home."""
    with (stage.estate / path).open(encoding="utf-8", newline="") as file:
        return [_record(row) for row in csv.DictReader(file)]


def _record(row: dict[str, str]) -> dict[str, Any]:
    numbers = {name: kind(row[name]) for name, kind in _NUMBERS.items() if row[name]}
    return numbers | {name: row[name] for name in _WORDS if row[name]}


def _batches(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))


def _post(stage: Stage, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with urllib.request.urlopen(_request(stage, {"records": records}), timeout=30) as answer:
        found: list[dict[str, Any]] = json.load(answer)["predictions"]
    return found


def _post_wrong(stage: Stage, record: dict[str, Any]) -> str:
    try:
        urllib.request.urlopen(_request(stage, record), timeout=30).close()
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()}"
    raise DemoFailed("a request that breaks the contract was answered")


def _request(stage: Stage, body: dict[str, Any]) -> urllib.request.Request:
    headers = {"Content-Type": "application/json", "X-API-Key": stage.key}
    return urllib.request.Request(f"{stage.address}/v1/credit", json.dumps(body).encode(), headers)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clean_up(stage: Stage, *, keep: bool) -> None:
    """Say how to go on, or stop the server and remove the files."""
    if keep:
        home = stage.root / "home"
        click.echo(f"The estate is in {stage.estate}, the report in {stage.root / MODEL}.html.")
        click.echo(f"Next: export ORDAIN_HOME={home}; cd {stage.estate}; ordain status")
        click.echo("Stop serving: ordain down")
        return
    from ordain.runtime.serving import client

    run = stage.root / "home"
    for server in run.glob("*/run/*"):
        client.stop(server)
    shutil.rmtree(stage.root, ignore_errors=True)
    click.echo("The estate and its server are gone; ordain demo --keep leaves them there.")
    click.echo("Next: ordain init my-estate")
