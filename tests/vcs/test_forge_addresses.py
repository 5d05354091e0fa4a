"""Which repository a remote is, and where its token may go."""

from __future__ import annotations

import pytest

from ordain.vcs.errors import HostDenied, HostError
from ordain.vcs.forges import open_host
from ordain.vcs.forges.addresses import remote_in, repository_of, root_of
from ordain.vcs.forges.github import GitHub
from ordain.vcs.forges.gitlab import GitLab

TOKENS = {"ORDAIN_GITHUB_TOKEN": "ghp_x", "ORDAIN_GITLAB_TOKEN": "glpat-x"}


@pytest.mark.parametrize(
    ("forge", "remote", "root", "repository"),
    [
        ("github", "https://github.com/o/n.git", "https://api.github.com", "o/n"),
        ("github", "https://github.com/o/n/", "https://api.github.com", "o/n"),
        ("github", "https://me:pw@GitHub.com/o/n", "https://api.github.com", "o/n"),
        ("github", "git@github.com:o/n.git", "https://api.github.com", "o/n"),
        ("github", "github.com:o/.github", "https://api.github.com", "o/.github"),
        ("github", "ssh://git@ssh.github.com:443/o/n.git", "https://api.github.com", "o/n"),
        ("github", "git@acme.ghe.com:o/n.git", "https://api.acme.ghe.com", "o/n"),
        ("github", "git@git.example:o/n", "https://git.example/api/v3", "o/n"),
        ("github", "https://git.example:8443/o/n", "https://git.example:8443/api/v3", "o/n"),
        ("gitlab", "git@gitlab.com:a/b/c.git", "https://gitlab.com/api/v4", "a/b/c"),
        ("gitlab", "ssh://git@altssh.gitlab.com:443/a/b", "https://gitlab.com/api/v4", "a/b"),
        ("gitlab", "ssh://git@git.example:2222/a/b.git", "https://git.example/api/v4", "a/b"),
        ("gitlab", "https://[fe80::1]:444/a/b", "https://[fe80::1]:444/api/v4", "a/b"),
        ("gitlab", "http://git.example/a/b", "https://git.example/api/v4", "a/b"),
    ],
)
def test_a_remote_tells_the_repository_and_its_api(
    forge: str, remote: str, root: str, repository: str
) -> None:
    found = remote_in(remote)
    assert root_of(forge, "", found) == root
    assert repository_of(forge, "", found) == repository
    host = open_host(forge, remote=remote, environ=TOKENS)
    assert isinstance(host, GitHub | GitLab)
    assert (host.client.root, host.repository, host.name) == (root, repository, forge)


@pytest.mark.parametrize(
    "remote",
    ["/srv/estate.git", "../estate", "file:///srv/estate.git", "C:/estate", "https://[x/y"],
)
def test_a_remote_on_no_host_tells_nothing(remote: str) -> None:
    assert remote_in(remote) is None
    with pytest.raises(HostError) as caught:
        open_host("github", remote=remote, repository="o/n", environ=TOKENS)
    assert caught.value.message == "it is not known which github is meant: the remote is on no host"


@pytest.mark.parametrize(
    ("forge", "path"),
    [
        ("github", "n"),
        ("github", "a/b/c"),
        ("github", "../n"),
        ("github", "o/n?x"),
        ("github", "o//n"),
        ("github", "o/%2e%2e"),
        ("gitlab", "n"),
        ("gitlab", "a/../b"),
    ],
)
def test_a_path_that_is_no_repository_is_not_asked_for(forge: str, path: str) -> None:
    with pytest.raises(HostError) as caught:
        open_host(forge, remote=f"git@git.example:{path}", environ=TOKENS)
    assert caught.value.message == (
        f"the address of the remote does not say which repository on {forge} it is"
    )
    with pytest.raises(HostError, match=r"^spec\.forge\.repository does not say"):
        open_host(forge, remote="git@git.example:o/n", repository=path, environ=TOKENS)


def test_a_host_that_only_a_document_names_gets_no_token() -> None:
    with pytest.raises(HostDenied) as caught:
        open_host(
            "github",
            remote="git@github.com:o/n.git",
            url="https://evil.example/api",
            environ=TOKENS,
        )
    assert caught.value.message == (
        "no token is sent to evil.example: the remote is not there, and nothing but spec.forge.url "
        "names it"
    )
    assert caught.value.remedy == (
        "set ORDAIN_FORGE_URL=https://evil.example/api beside the token if that is the forge"
    )


@pytest.mark.parametrize("name", ["ORDAIN_FORGE_URL", "GITHUB_API_URL"])
def test_a_host_that_the_environment_names_gets_the_token(name: str) -> None:
    environ = {**TOKENS, name: "https://api.example/v3"}
    url = "https://api.example/v3/"
    host = open_host("github", remote="git@git.example:o/n", url=url, environ=environ)
    assert isinstance(host, GitHub)
    assert host.client.root == "https://api.example/v3"


def test_the_token_of_a_workflow_goes_to_no_other_github() -> None:
    environ = {"GITHUB_TOKEN": "ghs_x", "GITHUB_API_URL": "https://api.github.com"}
    assert open_host("github", remote="git@github.com:o/n", environ=environ).name == "github"
    with pytest.raises(HostDenied, match="there is no token for GitHub"):
        open_host("github", remote="git@git.example:o/n", environ=environ)


def test_plain_git_is_no_forge_with_accounts() -> None:
    with pytest.raises(HostError) as caught:
        open_host("git", remote="git@git.example:o/n", environ=TOKENS)
    assert caught.value.message == "git is no forge with accounts"
