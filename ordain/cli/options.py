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


class OutputType(click.ParamType):
    """`FORMAT` or `FORMAT=FILE`, of the formats in which findings are written."""

    name = "FORMAT[=FILE]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Output:
        """Take one value apart."""
        from ordain.cli.outputs import Output, parse_output

        if isinstance(value, Output):
            return value
        try:
            return parse_output(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


outputs_option = click.option(
    "-o",
    "--output",
    "outputs",
    type=OutputType(),
    multiple=True,
    default=("text",),
    show_default=True,
    help="What to write, and where; repeat for more. Without a file: standard output.",
)
