"""Which repository on which forge a remote of git is, and where a token may go.

The address of the API can stand in a document, and a document can come from anybody who proposes a
change. A token is therefore sent to the host that the remote is on, which only the clone knows, to
a host that the environment names beside the token, and to this machine, and to nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ordain.vcs.errors import HostDenied, HostError
from ordain.vcs.forges.timed import checked_root, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

FORGE_URL: Final = "ORDAIN_FORGE_URL"

_SCP: Final = re.compile(r"(?:[^@/:\s]+@)?(?P<host>\[[0-9A-Fa-f:]+\]|[^@/:\s]+):(?P<path>[^\s]+)")
_PART: Final = re.compile(r"[A-Za-z0-9_.+-]+")
# The same forge under a name that gets through firewalls.
_ALIASES: Final = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
_GIVEN: Final = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote on a host: `authority` has the port where it is one of https."""

    host: str
    authority: str
    path: str


def remote_in(address: str) -> Remote | None:
    """The host and path of a remote; None where it is a path on this machine or no address."""
    if "://" in address:
        return _with_scheme(address)
    found = _SCP.fullmatch(address.strip())
    if found is None or len(found["host"]) == 1:
        return None
    return _remote(found["host"].strip("[]"), "", found["path"])


def _with_scheme(address: str) -> Remote | None:
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"https", "http", "ssh", "git+ssh", "ssh+git"} or not parts.hostname:
        return None
    web = f":{port}" if port and parts.scheme == "https" else ""
    return _remote(parts.hostname, web, unquote(parts.path))


def _remote(host: str, port: str, path: str) -> Remote:
    name = _ALIASES.get(host.lower(), host.lower())
    shown = f"[{name}]" if ":" in name else name
    return Remote(name, f"{shown}{port}", path.strip("/").removesuffix(".git").strip("/"))


def repository_of(forge: str, repository: str, remote: Remote | None) -> str:
    """Owner and name: those that are declared, or those of the remote. Raises `HostError`."""
    found = (repository or (remote.path if remote else "")).strip("/")
    parts = found.split("/")
    sound = all(_PART.fullmatch(part) and part.strip(".") for part in parts)
    if not sound or (len(parts) != 2 if forge == "github" else len(parts) < 2):  # noqa: PLR2004
        whence = "spec.forge.repository" if repository else "the address of the remote"
        raise HostError(
            f"{whence} does not say which repository on {forge} it is",
            remedy="set spec.forge.repository to OWNER/NAME as the forge shows it",
        )
    return found


def root_of(forge: str, url: str, remote: Remote | None) -> str:
    """The address of the API: the declared one, or what the remote's host has. `HostError`."""
    if url:
        return url.rstrip("/")
    if remote is None:
        raise HostError(
            f"it is not known which {forge} is meant: the remote is on no host",
            remedy="set spec.forge.url to the address of the API",
        )
    if forge == "gitlab":
        return f"https://{remote.authority}/api/v4"
    if remote.host == "github.com":
        return "https://api.github.com"
    if remote.host.endswith(".ghe.com"):
        return f"https://api.{remote.host}"
    return f"https://{remote.authority}/api/v3"


def check_trusted(forge: str, root: str, remote: Remote | None, environ: Mapping[str, str]) -> None:
    """`HostDenied` where a token would go to a host that only a document names."""
    host = checked_root(root).hostname or ""
    if is_loopback(host) or host in _trusted(forge, remote, environ):
        return
    raise HostDenied(
        f"no token is sent to {host}: the remote is not there, and nothing but spec.forge.url "
        "names it",
        remedy=f"set {FORGE_URL}={root} beside the token if that is the forge",
    )


def _trusted(forge: str, remote: Remote | None, environ: Mapping[str, str]) -> set[str]:
    roots = [environ.get(FORGE_URL, ""), environ.get(_GIVEN[forge], "")]
    if remote is not None:
        roots.append(root_of(forge, "", remote))
    return {checked_root(root).hostname or "" for root in roots if root}


def is_workflows_own(root: str, environ: Mapping[str, str]) -> bool:
    """Whether the token of a workflow is one of this API and not of another GitHub."""
    given = environ.get("GITHUB_API_URL") or "https://api.github.com"
    mine, theirs = checked_root(root), checked_root(given)
    return is_loopback(mine.hostname) or mine.hostname == theirs.hostname
