"""`ordain report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now, open_session

if TYPE_CHECKING:
    from ordain.reports.facts import ReportInput


@click.command()
@click.argument("model")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; MODEL.html in the current directory by default.",
)
@click.option("--preview", is_flag=True, help="Of what the work tree declares, trained or not yet.")
@click.pass_obj
def command(directory: Path, model: str, out: Path | None, preview: bool) -> None:
    """Write the page of evidence of a model.

    One HTML file without scripts and without references to anything outside of it. With --preview
    it is the page of an unsigned preview, and says so.
    """
    from ordain.cli.places import refuse_place
    from ordain.cli.reporting import gather
    from ordain.reports.model_reports import model_report
    from ordain.specs.files import write_whole

    place = out or Path(f"{model}.html")
    refuse_place(place)
    if preview:
        page = model_report(_preview(directory, model))
    else:
        with open_session(directory) as session:
            page = model_report(gather(session, model, now()))
    write_whole(place, page)
    click.echo(f"Wrote {place} ({len(page) // 1024 + 1} kB).")
    click.echo(f"Next: ordain {'serve --local' if preview else 'audit verify'}")


def _preview(directory: Path, model: str) -> ReportInput:
    """The facts of a preview, which is trained if there is none."""
    from ordain.cli.previews import facts_of, heeding_signals, preview_of, workshop_at

    with heeding_signals(), workshop_at(directory) as (source, workshop):
        return facts_of(source, workshop, preview_of(source, workshop, model, "auto"), now())
