"""`ordain init`."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("directory", type=click.Path())
@click.option(
    "--example",
    type=click.Choice(("credit-union", "clinic")),
    default="credit-union",
    show_default=True,
    help="The estate to begin with.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the local environment; 0 is any."
)
@click.pass_obj
def command(base: Path, directory: str, example: str, port: int | None) -> None:
    """Make a new estate from an example.

    Writes the documents, makes keys for three people and the reconciler (outside the repository),
    pins the data and commits everything, signed.
    """
    from ordain.cli.founding import found_estate

    if not directory:
        raise click.BadParameter("name a directory", param_hint="'DIRECTORY'")
    made = found_estate(base / directory, example, port=port, now=now(), environ=os.environ)
    click.echo(f"Made the estate {example} in {made.directory} (commit {made.commit[:12]}).")
    click.echo(f"Private keys of data-scientist, manager, cto and reconciler: {made.home.keys}")
    click.echo(f"Next: cd {shlex.quote(str(made.directory))} && ordain check")
