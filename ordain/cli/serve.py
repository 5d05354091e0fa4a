"""`ordain serve`."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import click

from ordain.cli.train import progress_option

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.compilers.previewing import Tried
    from ordain.reconciler.home import Home
    from ordain.reconciler.source import Source
    from ordain.reconciler.unsigned_previews import Workshop
    from ordain.runtime.serving.status import Status

_STOPPING: Final = frozenset((signal.SIGINT, signal.SIGTERM))
_LOOK_SECONDS: Final = 1.0


@click.command()
@click.argument("name", required=False)
@click.option("--local", is_flag=True, help="Serve previews of the work tree on this machine.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@progress_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context, directory: Path, name: str | None, local: bool, port: int, progress: str
) -> None:
    """Serve unsigned previews on this machine.

    Until Ctrl-C, the routes of the work tree answer by what it declares now; what has no preview is
    trained first. NAME is one Route or Model; a model without a Route answers at /v1/MODEL. Every
    answer says that it is a preview, nothing of it is recorded in the estate, and no routing key is
    asked for.
    """
    from ordain.cli.previews import heeding_signals, workshop_at
    from ordain.compilers.previewing import config_of, tried
    from ordain.reconciler.unsigned_serving import previews_served, sole_preview_server

    if not local:
        message = "what is approved is served by `ordain reconcile`; for previews give --local"
        raise click.UsageError(message, ctx)
    with heeding_signals(), workshop_at(directory) as (source, workshop):
        home = workshop.home
        found = tried(workshop.estate, name)
        with sole_preview_server(home):
            artifacts = {
                model: _artifact(source, workshop, model, progress) for model in found.models
            }
            config = config_of(found, artifacts, port)
            try:
                with previews_served(home, config) as status:
                    _tell(found, status)
                    _wait(home)
            except KeyboardInterrupt:
                click.echo("Stopped.", err=True)


def _artifact(source: Source, workshop: Workshop, model: str, mode: str) -> str:
    """The preview of a model as it is declared now, trained if there is none."""
    from ordain.cli.previews import preview_of

    return preview_of(source, workshop, model, mode).artifact


def _tell(found: Tried, status: Status) -> None:
    from ordain.cli.previews import MARK

    click.secho(f"Serving an {MARK}; stop with Ctrl-C.", bold=True)
    for route in found.routes:
        models = sorted({found.deployments[one] for one in _asked(route, found)})
        click.echo(f"  http://{status.host}:{status.port}{route['endpoint']}  {', '.join(models)}")


def _asked(route: dict[str, object], found: Tried) -> list[str]:
    from ordain.compilers.previewing import targets

    return [one for one in sorted(targets(route)) if one in found.deployments]


def _wait(home: Home) -> None:
    """Wait for somebody to stop it; a server that has gone is not waited for.

    Raises:
        KeyboardInterrupt: it was stopped.
        DriverFailed: the server has ended.
    """
    from ordain.reconciler.errors import DriverFailed
    from ordain.reconciler.unsigned_serving import still_serves

    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        while signal.sigtimedwait(_STOPPING, _LOOK_SECONDS) is None:
            if not still_serves(home):
                place = home.preview_server / "run" / "log"
                raise DriverFailed("the server of the preview has ended", remedy=f"read {place}")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    raise KeyboardInterrupt
