"""`ordain reproduce`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.options import output_option
from ordain.cli.session import now, open_session
from ordain.cli.version_names import version_argument

if TYPE_CHECKING:
    from ordain.cli.version_names import VersionName
    from ordain.reconciler.reproducing import Reproduced


@click.command()
@version_argument
@output_option
@click.pass_obj
@click.pass_context
def command(ctx: click.Context, directory: Path, version: VersionName, output: str) -> None:
    """Make a version again and compare it, byte for byte.

    Documents and lock come from the commit that brought MODEL@VERSION, rows from their snapshot.
    The estate and its artifact store are only read. Exit code 0: everything is equal; 1:
    something is not, and is named; 2: it could not be tried.
    """
    from ordain.reconciler.reproducing import birth_of, reproduce
    from ordain.reconciler.versions import version_named

    with open_session(directory) as session, tempfile.TemporaryDirectory() as place:
        side = session.in_force()
        birth = birth_of(session.source, side, version_named(side.estate, *version))
        found = reproduce(session.source, birth, Path(place), now, lambda _line: None)
    if output == "json":
        click.echo(json.dumps(_plain(found), sort_keys=True))
    else:
        _tell(found)
    if found.differences:
        ctx.exit(1)


def _plain(found: Reproduced) -> dict[str, object]:
    return {
        "version": found.version,
        "equal": not found.differences,
        "artifact": found.artifact,
        "made": found.made,
        "differences": list(found.differences),
    }


def _tell(found: Reproduced) -> None:
    if not found.differences:
        click.echo(f"{found.version} was made again and is equal, byte for byte: {found.artifact}")
        click.echo("Equal are the artifact with every member, the split, the metrics.")
        click.echo(f"Next: ordain provenance {found.version}")
        return
    came = f"came out as {found.made}" if found.made else "cannot come out the same here"
    click.echo(f"{found.version} is {found.artifact}, and {came}:")
    for difference in found.differences:
        click.echo(f"  - {difference}")
    click.echo("Next: mend what differs, and run it again")
