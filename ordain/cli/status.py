"""`ordain status`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.emergencies import tell_emergency
from ordain.cli.options import output_option
from ordain.cli.session import now, open_session, reconciler_of
from ordain.specs.diagnostics import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_COLOURS = {
    "Synced": "green",
    "OutOfSync": "yellow",
    "Waiting": "yellow",
    "Retired": None,
    "Healthy": "green",
    "Degraded": "red",
    "Missing": "red",
    "Idle": None,
    "Compliant": "green",
    "Violating": "red",
    "Waived": "yellow",
}


@click.command()
@output_option
@click.pass_obj
def command(directory: Path, output: str) -> None:
    """Show what runs where, and what waits for what.

    Every model has three axes: Sync (is production what git declares), Health (does it run), and
    Compliance (does it pass the policies). A model that is only listed, because it was imported or
    is bought, is not judged before there is a Compliance document or evidence.
    """
    from ordain.reconciler.standing import standing

    with open_session(directory) as session:
        found = standing(reconciler_of(session, click.echo), now())
    if output == "json":
        click.echo(json.dumps(found.to_json(), sort_keys=True))
        return
    click.echo(
        f"revision  {found.revision[:12]}   branch at {found.head[:12]}"
        f"   last pass {found.last_pass}"
    )
    if found.refused:
        click.secho(f"refused   {found.head[:12]}: {found.refused}", fg="red", bold=True)
    for one in found.emergencies:
        tell_emergency(one["text"], in_force=one["in_force"])
    for one in found.alarms:
        code = f"{one['severity']}[{one['code']}]"
        click.secho(shown(f"{code}: {one['message']}\n  = help: {one['remedy']}"), fg="red")
    for name, address in found.servers.items():
        click.echo(f"serving   {name}: {address}")
    _table(
        ("MODEL", "TIER", "VERSION", "SYNC", "HEALTH", "COMPLIANCE", "WAITS FOR"),
        _rows(found.models),
    )
    click.echo(f"Next: {found.next_command}")


def _rows(models: Iterable[Any]) -> list[tuple[str, ...]]:
    return [
        (
            one.model,
            str(one.tier or ""),
            one.version,
            one.sync,
            one.health,
            one.compliance,
            one.waits_for,
        )
        for one in models
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    widths[-1] = 0  # Nothing stands to the right of the last column.
    for row in (header, *rows):
        cells = []
        for cell, width in zip(row, widths, strict=True):
            colour = _COLOURS.get(cell) if row is not header else None
            cells.append(click.style(cell.ljust(width), fg=colour, bold=row is header))
        click.echo("  ".join(cells).rstrip())
