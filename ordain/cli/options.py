"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

import click

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)
