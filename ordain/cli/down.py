"""`ordain down`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.session import now, open_session, reconciler_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def command(directory: Path) -> None:
    """Stop the serving processes of this machine.

    Nothing is declared by it: the next reconcile starts them again. To take a route out of service
    for good, remove its document.
    """
    from ordain.ledger.records import Event
    from ordain.reconciler.home import sole_reconciler

    with open_session(directory) as session, sole_reconciler(session.source.home):
        driver = reconciler_of(session, click.echo).driver
        found = driver.servers(())
        for environment in found:
            driver.stop(environment)
            session.ledger.record(Event(now(), "local", "serving.stopped", environment, {}))
            click.echo(f"Stopped serving of {environment}.")
    if not found:
        click.echo("Nothing is served here.")
    click.echo("Next: ordain reconcile --once")
