"""`ordain report`."""

from __future__ import annotations

from pathlib import Path

import click

from ordain.cli.session import now, open_session


@click.command()
@click.argument("model")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; MODEL.html in the current directory by default.",
)
@click.pass_obj
def command(directory: Path, model: str, out: Path | None) -> None:
    """Write the page of evidence of a model.

    One HTML file without scripts and without references to anything outside of it.
    """
    from ordain.cli.places import refuse_place
    from ordain.cli.reporting import gather
    from ordain.reports.model_reports import model_report
    from ordain.specs.files import write_whole

    place = out or Path(f"{model}.html")
    refuse_place(place)
    with open_session(directory) as session:
        page = model_report(gather(session, model, now()))
    write_whole(place, page)
    click.echo(f"Wrote {place} ({len(page) // 1024 + 1} kB).")
    click.echo("Next: ordain audit verify")
