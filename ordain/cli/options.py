"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ordain.cli.outputs import Output

key_option = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your key: the private half, locked or not, or the public half of one in an agent or on a"
    " token. By default the one that ordain init made, else the one that git signs with.",
)
output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)


def _parsed(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Output, ...]:
    from ordain.cli.outputs import parse_output

    try:
        return tuple(map(parse_output, values))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


outputs_option = click.option(
    "-o",
    "--output",
    "outputs",
    metavar="FORMAT[=FILE]",
    multiple=True,
    default=("text",),
    show_default=True,
    callback=_parsed,
    help="What to write, and where; repeat for more. Without a file: standard output.",
)
