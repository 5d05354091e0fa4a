"""Which packs of policies hold in this estate."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Name, about


@declared
class Pack:
    """A pack of policies that ships with ordain."""

    name: Annotated[Name, about("name of the pack")]
    version: Annotated[str | None, about("version that is expected")] = None
    params: Annotated[
        dict[str, Any],
        about("values that replace the pack's own"),
    ] = field(default_factory=dict)


@declared
class PolicySet:
    """Packs in force."""

    packs: Annotated[tuple[Pack, ...], about("packs", min_length=1)]
