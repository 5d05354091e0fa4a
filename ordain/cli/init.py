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
    "--ci",
    type=click.Choice(("github", "gitlab")),
    help="Also write the pipelines of this forge; in an estate that is there, write only them.",
)
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
def command(base: Path, directory: str, ci: str | None, example: str, port: int | None) -> None:
    """Make a new estate from an example.

    Writes the documents, makes keys for three people and the reconciler (outside the repository),
    pins the data and commits everything, signed.

    With --ci in a directory that holds an estate, adds the files that let its forge run the gate.
    No file that is there is replaced, and nothing is committed.
    """
    from ordain.cli.founding import found_estate
    from ordain.specs.trees import ESTATE_FILE

    if not directory:
        raise click.BadParameter("name a directory", param_hint="'DIRECTORY'")
    place = base / directory
    if ci is not None and (place / ESTATE_FILE).is_file():
        _add_pipelines(place, ci)
        return
    made = found_estate(place, example, port=port, now=now(), environ=os.environ, ci=ci)
    click.echo(f"Made the estate {example} in {made.directory} (commit {made.commit[:12]}).")
    click.echo(f"Private keys of data-scientist, manager, cto and reconciler: {made.home.keys}")
    click.echo(f"Next: cd {shlex.quote(str(made.directory))} && ordain check")


def _add_pipelines(place: Path, ci: str) -> None:
    from ordain.cli.founding import FoundingError, add_pipelines
    from ordain.reconciler.doctor.pipelines import includes_gate
    from ordain.reconciler.workflows import GITLAB_ENTRY, GITLAB_GATE, INCLUDED
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import ESTATE_FILE, WorkTree

    found = load_estate(WorkTree(place)).all("Estate")
    if not found:
        message = f"{ESTATE_FILE} is no valid Estate, so nobody can say which branch is protected"
        raise FoundingError(message, remedy="see: ordain check")
    settings = found[0].spec
    added = add_pipelines(place, ci, branch=settings.protected_branch)
    for path in added.written:
        click.echo(f"Wrote {path}.")
    for path in added.kept:
        click.echo(f"Kept {path}, which was there already.")
    entry = place / GITLAB_ENTRY
    if GITLAB_ENTRY in added.kept and not (entry.is_file() and includes_gate(entry.read_bytes())):
        click.echo(f"It runs no gate until it includes {GITLAB_GATE}; add:\n{INCLUDED}", nl=False)
    if settings.forge.type != ci:
        click.echo(f"Reviews there count when ordain.yaml says: spec.forge.type: {ci}")
    click.echo(
        "Next: ordain codeowners --write, commit the files, protect the branch, "
        "then ordain doctor --forge"
    )
