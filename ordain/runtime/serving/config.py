"""What one server serves, as a file that the compiler writes and the worker reads.

It is JSON with a format name and no defaults that matter: everything a worker does stands in it, so
that its digest names a behaviour. It is read without pydantic, because a worker's cold start is a
promise, and because its author is our own compiler: a mistake in it is a defect to report, not a
document to help somebody write.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ordain.runtime.serving.errors import ServerConfigError
from ordain.runtime.serving.routing import Router
from ordain.specs.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "ordain.server/1"
Durability = Literal["durable", "bounded", "async"]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_REMEDY = "write it with `ordain apply`, which compiles it from the estate"


@dataclass(frozen=True, slots=True)
class SlotConfig:
    """The version that a Deployment runs.

    `statement` is the envelope that says where the artifact came from, empty where there is none.
    """

    name: str
    model: str
    version: int
    artifact: str
    statement: str


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """One endpoint. `fallback` is the decision when no model can give one.

    `stopped` is the name of the emergency that keeps every model from answering here, None while
    all is well.
    """

    name: str
    endpoint: str
    router: Router
    shadow: tuple[str, ...]
    fallback: str | None
    keyed: bool
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class KeyConfig:
    """A routing key: its name, the SHA-256 of it (hex), and the routes it opens."""

    id: str
    sha256: str
    routes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """A server of one environment; `digest` names all of it.

    `trusted` are the public keys of the reconciler: no version is loaded that none of them has
    signed. A `preview` serves what somebody has just trained, and says so in every answer.
    """

    environment: str
    host: str
    port: int
    artifacts: Path
    ledger: Path
    durability: Durability
    slots: Mapping[str, SlotConfig]
    routes: tuple[RouteConfig, ...]
    keys: tuple[KeyConfig, ...]
    trusted: tuple[str, ...]
    digest: str
    preview: bool = False


def read_config(data: bytes, path: str = "config.json") -> ServerConfig:
    """Read a server's configuration.

    Raises:
        ServerConfigError: not JSON, another format, a field missing or of another type.
    """
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise ServerConfigError(f"{path}: not JSON: {error}", remedy=_REMEDY) from error
    except RecursionError as error:
        raise ServerConfigError(f"{path}: nested too deeply", remedy=_REMEDY) from error
    try:
        return _config(raw)
    except KeyError as error:
        raise ServerConfigError(f"{path}: {error.args[0]} is missing", remedy=_REMEDY) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ServerConfigError(f"{path}: {error}", remedy=_REMEDY) from error


def _config(raw: Mapping[str, Any]) -> ServerConfig:
    if raw.get("format") != FORMAT:
        raise ValueError(f"the format is {raw.get('format')!r}, this server reads {FORMAT!r}")
    if raw["durability"] not in ("durable", "bounded", "async"):
        raise ValueError(f"durability {raw['durability']!r} is not durable, bounded or async")
    config = ServerConfig(
        environment=_text(raw["environment"]),
        host=_text(raw["host"]),
        port=_port(raw["port"]),
        artifacts=Path(_text(raw["artifacts"])),
        ledger=Path(_text(raw["ledger"])),
        durability=cast("Durability", raw["durability"]),
        slots={name: _slot(name, one) for name, one in raw["deployments"].items()},
        routes=tuple(map(_route, raw["routes"])),
        keys=tuple(map(_key, raw.get("keys", ()))),
        trusted=tuple(map(_text, raw.get("trusted", ()))),
        digest=digest(raw),
        preview=_flag(raw.get("preview", False)),
    )
    _refuse_twins([route.name for route in config.routes], "routes are named")
    _refuse_twins([route.endpoint for route in config.routes], "routes answer at")
    _refuse_twins([key.id for key in config.keys], "keys are named")
    return config


def _slot(name: str, raw: Mapping[str, Any]) -> SlotConfig:
    version = raw["version"]
    if type(version) is not int:
        raise TypeError(f"the version of deployment {name} is not a whole number")
    if not _DIGEST.fullmatch(raw["artifact"]):
        raise ValueError(f"the artifact of deployment {name} is not a sha256 digest")
    statement = raw.get("statement")
    if statement is not None and not _DIGEST.fullmatch(statement):
        raise ValueError(f"the statement of deployment {name} is not a sha256 digest")
    return SlotConfig(name, _text(raw["model"]), version, raw["artifact"], statement or "")


def _route(raw: Mapping[str, Any]) -> RouteConfig:
    name, endpoint = _text(raw["name"]), _text(raw["endpoint"])
    if not endpoint.startswith("/v1/"):
        raise ValueError(f"the endpoint of route {name} does not begin with /v1/")
    access = raw["keys"]
    if access not in ("required", "none"):
        raise ValueError(f"keys of route {name} is {access!r}, not required or none")
    fallback, stopped = raw.get("fallback"), raw.get("stopped")
    return RouteConfig(
        name=name,
        endpoint=endpoint,
        router=Router.read(name, raw.get("rules", ()), _text(raw["default"]["deployment"])),
        shadow=tuple(_text(one["deployment"]) for one in raw.get("shadow", ())),
        fallback=None if fallback is None else _text(fallback["decision"]),
        keyed=access == "required",
        stopped=None if stopped is None else _text(stopped),
    )


def _key(raw: Mapping[str, Any]) -> KeyConfig:
    if not _HEX.fullmatch(raw["sha256"]):
        raise ValueError(f"the sha256 of key {raw['id']} is not 64 hex digits")
    return KeyConfig(_text(raw["id"]), raw["sha256"], frozenset(map(_text, raw["routes"])))


def _port(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 65535:  # noqa: PLR2004 - the range of ports
        raise ValueError(f"port {value!r} is not a whole number from 0 to 65535")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is not a text")
    return value


def _refuse_twins(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {what} {name}")
