"""The documented answers as files, with `$names` where an answer names what it is about.

SOURCE.md says where each of them is published. `required.json` is an extract of the published
schemas that the tests of the stubs hold every answer against; nothing is written from a client.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

# What JSON may be; a type checker cannot follow it further.
Json = Any

HERE = Path(__file__).parent


@cache
def _text(name: str) -> str:
    return (HERE / f"{name}.json").read_text("utf-8")


def read(name: str) -> Json:
    """A file as it is, a fresh copy each time."""
    return json.loads(_text(name))


def render(name: str, /, **places: object) -> Json:
    """A file with the names filled in; a text that is one name alone becomes that value."""
    return _fill(read(name), places)


def _fill(value: Json, places: dict[str, object]) -> Json:
    if isinstance(value, dict):
        return {key: _fill(one, places) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, places) for one in value]
    if not isinstance(value, str):
        return value
    alone = value[1:] if value.startswith("$") else ""
    return places[alone] if alone in places else Template(value).safe_substitute(places)
