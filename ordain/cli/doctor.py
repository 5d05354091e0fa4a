"""`ordain doctor`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import ordain
from ordain.cli.options import output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.reconciler.doctor.checks import Check

FORMAT = "ordain.doctor/1"
_WORDS = {"ok": "ok", "warn": "to look at", "fail": "failed", "skip": "not looked at"}
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--remote", is_flag=True, help="Also ask the remote, over the network.")
@click.option(
    "--forge", is_flag=True, help="Also ask the forge whether the gate is on, over the network."
)
@output_option
@click.pass_obj
@click.pass_context
def command(ctx: click.Context, directory: Path, remote: bool, forge: bool, output: str) -> None:
    """Look for what is wrong with this machine, clone and home.

    Writes nothing. Every line is OK, WARN, FAIL or, where a check could not look, SKIP; behind it
    stands what was seen, and below it what to do. The exit code is 1 with a FAIL.

    With --forge each setting that protects the branch is read back: what lets a merge past the gate
    is a FAIL, and what the token may not see is never OK.
    """
    from ordain.reconciler.doctor.checks import look_around
    from ordain.reconciler.doctor.examination import examine

    with look_around(
        directory,
        os.environ,
        now(),
        package=Path(ordain.__file__).parent,
        bytecode=not sys.dont_write_bytecode,
        remote=remote,
        forge=forge,
    ) as around:
        checks = tuple(examine(around))
    failed = any(one.state.value == "fail" for one in checks)
    if output == "json":
        found = [one.to_json() for one in checks]
        result = {"format": FORMAT, "version": ordain.__version__, "ok": not failed}
        click.echo(json.dumps({**result, "checks": found}, sort_keys=True))
    else:
        _show(checks, failed=failed)
    ctx.exit(1 if failed else 0)


def _show(checks: Sequence[Check], *, failed: bool) -> None:
    from ordain.specs.diagnostics import one_line

    width = max(len(one.name) for one in checks)
    for one in checks:
        state = click.style(f"{one.state.value.upper():<4}", fg=_COLOURS.get(one.state.value))
        click.echo(f"{state}  {one.name:<{width}}  {one_line(one.detail)}")
        if one.remedy:
            click.echo(f"{'':<{width + 6}}  fix: {one_line(one.remedy)}")
    counts = [sum(one.state.value == state for one in checks) for state in _WORDS]
    told = ", ".join(f"{n} {word}" for n, word in zip(counts, _WORDS.values(), strict=True))
    click.echo(f"Doctor: {told}.")
    click.echo("Next: ordain doctor, when that is mended" if failed else "Next: ordain check")
