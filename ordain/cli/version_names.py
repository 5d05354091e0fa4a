"""How a version of a model is named on the command line: MODEL@VERSION."""

from __future__ import annotations

import re
from typing import NamedTuple

import click

_NAME = re.compile(r"([a-z0-9][a-z0-9-]*)@([1-9][0-9]{0,8})")


class VersionName(NamedTuple):
    """A model and the number of its version."""

    model: str
    number: int


class VersionParam(click.ParamType[VersionName]):
    """`MODEL@VERSION`, such as credit-default@3."""

    name = "version"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> VersionName:
        """Read the name, or say what it should look like."""
        if isinstance(value, VersionName):
            return value
        match = _NAME.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no version such as credit-default@3", param, ctx)
        return VersionName(match[1], int(match[2]))


version_argument = click.argument("version", type=VersionParam(), metavar="MODEL@VERSION")
