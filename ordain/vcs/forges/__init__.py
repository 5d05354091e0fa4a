"""Forges with accounts, over HTTP: GitHub and GitLab behind `ordain.vcs.host.Host`.

`open_host` is the door. It takes plain texts, because this room knows no documents, and an
environment, because that is where a token comes from. Nothing is asked of the forge before the
first question is, and nothing is imported before that door is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.vcs.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.vcs.forges.http import Times
    from ordain.vcs.forges.timed import Limits
    from ordain.vcs.host import Host


def open_host(
    forge: str,
    *,
    remote: str,
    environ: Mapping[str, str],
    url: str = "",
    repository: str = "",
    limits: Limits | None = None,
    times: Times | None = None,
) -> Host:
    """The forge that a remote of git is on; `forge` is `github` or `gitlab`.

    `url` and `repository` are what the estate declares, empty where the remote's address tells.
    Raises `HostDenied` where there is no token or none may be sent there, and `HostError` where it
    cannot be told which repository is meant.
    """
    from ordain.vcs.forges.addresses import check_trusted, remote_in, repository_of, root_of

    if forge not in {"github", "gitlab"}:
        raise HostError(f"{forge} is no forge with accounts", remedy="use github or gitlab")
    there = remote_in(remote)
    name, root = repository_of(forge, repository, there), root_of(forge, url, there)
    check_trusted(forge, root, there, environ)
    make = _github if forge == "github" else _gitlab
    return make(root, name, environ, limits, times)


def _github(
    root: str,
    repository: str,
    environ: Mapping[str, str],
    limits: Limits | None,
    times: Times | None,
) -> Host:
    from ordain.vcs.forges.addresses import is_workflows_own
    from ordain.vcs.forges.github import HEADERS, GitHub
    from ordain.vcs.forges.http import Client, Credential, Times
    from ordain.vcs.forges.timed import Limits
    from ordain.vcs.forges.tokens import github_credential

    def client(credential: Credential) -> Client:
        return Client("GitHub", root, credential, HEADERS, limits or Limits(), times or Times())

    given = is_workflows_own(root, environ)
    credential = github_credential(environ, repository, client, given=given)
    return GitHub(client(credential), repository)


def _gitlab(
    root: str,
    repository: str,
    environ: Mapping[str, str],
    limits: Limits | None,
    times: Times | None,
) -> Host:
    from ordain.vcs.forges.gitlab import GitLab
    from ordain.vcs.forges.http import Client, Times
    from ordain.vcs.forges.timed import Limits
    from ordain.vcs.forges.tokens import gitlab_credential

    credential = gitlab_credential(environ)
    client = Client("GitLab", root, credential, {}, limits or Limits(), times or Times())
    return GitLab(client, repository)
