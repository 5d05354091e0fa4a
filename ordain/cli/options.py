"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ordain.cli.outputs import Output

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
