"""`ordain down`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.cli.session import now, open_session

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
    from ordain.reconciler.anchors import anchor_and_remember
    from ordain.reconciler.drivers import LocalDriver
    from ordain.reconciler.home import sole_reconciler

    with open_session(directory) as session, sole_reconciler(session.source.home):
        driver = LocalDriver(session.source.home, now)
        found = driver.servers(())
        for environment in found:
            driver.stop(environment)
            click.echo(f"Stopped serving of {environment}.")
        # What must stop is stopped before anything is written: the disk may be what is wrong.
        for environment in found:
            session.ledger.record(Event(now(), "local", "serving.stopped", environment, {}))
        anchor_and_remember(session.source, session.ledger, session.state, now())
    if not found:
        click.echo("Nothing is served here.")
    click.echo("Next: ordain reconcile --once")
