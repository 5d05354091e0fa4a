"""What a forge knows us by, out of the environment.

A token stands in a variable of the environment and nowhere else: not in a document of the estate,
where everybody could read it, not on a command line, where every process of the machine can. It is
in no message and in no `repr`.

`CI_JOB_TOKEN` of GitLab is refused by name. It may read merge requests but neither approvals nor
accounts (https://docs.gitlab.com/ci/jobs/ci_job_token/#job-token-access), so that a gate that had
nothing else would see no approval and say so as if there were none.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordain.vcs.errors import HostDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from ordain.vcs.forges.http import Client, Credential

APP_ID: Final = "ORDAIN_GITHUB_APP_ID"
APP_KEY: Final = "ORDAIN_GITHUB_APP_KEY"
APP_INSTALLATION: Final = "ORDAIN_GITHUB_APP_INSTALLATION"
ACTIONS: Final = "github-actions[bot]"

# GitHub takes no claim that lives longer than ten minutes, and advises to date it a minute back.
_BACK, _LIFE = 60, 480
_SPARE: Final = 120.0
_LARGEST: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was given."""

    value: str = field(repr=False)
    source: str
    login: str = ""

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.value}"}

    def hide(self, text: str) -> str:
        return text.replace(self.value, "***")

    def machine(self) -> str:
        return self.login


class AppToken:
    """A token of an installation of a GitHub App, asked for when there is none that holds.

    It is asked for one repository, whatever else the App is installed on. `client` makes a client
    of the API for a credential.
    """

    source = APP_KEY

    def __init__(
        self,
        app: str,
        key: RSAPrivateKey,
        installation: int | None,
        repository: str,
        client: Callable[[Credential], Client],
    ) -> None:
        self._app, self._key = app, key
        self._installation, self._repository = installation, repository
        self._make = client
        self._now = client(self).times.now
        self._value, self._ends, self._login = "", 0.0, ""

    def __repr__(self) -> str:
        return f"AppToken(app={self._app!r}, repository={self._repository!r})"

    def headers(self) -> dict[str, str]:
        if self._now() >= self._ends - _SPARE:
            self._renew()
        return {"Authorization": f"Bearer {self._value}"}

    def hide(self, text: str) -> str:
        return text.replace(self._value, "***") if self._value else text

    def machine(self) -> str:
        """The account of the App, which no user can have: no login has brackets."""
        if not self._login:
            app = self._as_app().get("/app").reading
            self._login = f"{app.name('slug')}[bot]"
        return self._login

    def _as_app(self) -> Client:
        return self._make(Token(claim(self._app, self._key, self._now()), APP_KEY))

    def _renew(self) -> None:
        client = self._as_app()
        if self._installation is None:
            found = client.get(f"/repos/{self._repository}/installation").reading
            self._installation = found.identifier("id")
        path = f"/app/installations/{self._installation}/access_tokens"
        wanted = {"repositories": [self._repository.partition("/")[2]]}
        token = client.send("POST", path, wanted).reading
        ends = token.time("expires_at").timestamp()
        self._value, self._ends = checked(token.name("token"), APP_KEY), ends


def claim(app: str, key: RSAPrivateKey, now: float) -> str:
    """A JSON Web Token (RFC 7519) that says which App asks, signed with RS256 (RFC 7518, 3.3)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    head = {"alg": "RS256", "typ": "JWT"}
    said = {"iat": int(now) - _BACK, "exp": int(now) + _LIFE, "iss": app}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, said))
    return b".".join((signed, _encoded(key.sign(signed, PKCS1v15(), SHA256())))).decode()


def _encoded(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def checked(value: str, source: str) -> str:
    """The token without the end of line that files leave; `HostDenied` if it can be none."""
    token = value.strip()
    if not token or any(not " " < letter < "\x7f" for letter in token):
        raise HostDenied(
            f"{source} holds something that is no token", remedy=f"set {source} to the token alone"
        )
    return token


def github_credential(
    environ: Mapping[str, str],
    repository: str,
    client: Callable[[Credential], Client],
    *,
    given: bool,
) -> Credential:
    """What the environment has for GitHub; `given` is whether GITHUB_TOKEN is one for this API.

    The token of a workflow is taken last: whoever sets another one means it. Raises `HostDenied`.
    """
    if environ.get("ORDAIN_GITHUB_TOKEN"):
        return _token(environ, "ORDAIN_GITHUB_TOKEN")
    if any(environ.get(name) for name in (APP_ID, APP_KEY, APP_INSTALLATION)):
        return _app(environ, repository, client)
    if given and environ.get("GITHUB_TOKEN"):
        login = ACTIONS if environ.get("GITHUB_ACTIONS") == "true" else ""
        return _token(environ, "GITHUB_TOKEN", login)
    raise HostDenied(
        "there is no token for GitHub",
        remedy="set ORDAIN_GITHUB_TOKEN, or GITHUB_TOKEN in a workflow; docs/forges.md says which "
        "rights it needs",
    )


def gitlab_credential(environ: Mapping[str, str]) -> Credential:
    """What the environment has for GitLab. Raises `HostDenied`."""
    if environ.get("ORDAIN_GITLAB_TOKEN"):
        return _token(environ, "ORDAIN_GITLAB_TOKEN")
    remedy = (
        "set ORDAIN_GITLAB_TOKEN to a project access token; docs/forges.md says which rights it "
        "needs"
    )
    if environ.get("CI_JOB_TOKEN"):
        message = "the token of a job on GitLab may read no approvals, and there is no other"
        raise HostDenied(message, remedy=remedy)
    raise HostDenied("there is no token for GitLab", remedy=remedy)


def _token(environ: Mapping[str, str], name: str, login: str = "") -> Token:
    return Token(checked(environ[name], name), name, login)


def _app(
    environ: Mapping[str, str], repository: str, client: Callable[[Credential], Client]
) -> AppToken:
    for name in (APP_ID, APP_KEY):
        if not environ.get(name):
            raise HostDenied(
                f"a GitHub App is named, but {name} is not set",
                remedy=f"set {APP_ID} and {APP_KEY}, the path of its private key",
            )
    text = environ.get(APP_INSTALLATION, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise HostDenied(
            f"{APP_INSTALLATION} is no number", remedy="set it to the id of the installation"
        )
    app = checked(environ[APP_ID], APP_ID)
    return AppToken(app, _key(environ[APP_KEY]), int(text) if text else None, repository, client)


def _key(path: str) -> RSAPrivateKey:
    """The private key of an App; whatever is wrong with it, nothing of it is repeated."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    remedy = f"set {APP_KEY} to the path of the PEM file that GitHub made for the App"
    try:
        with Path(path).open("rb") as file:
            key = load_pem_private_key(file.read(_LARGEST), None)
    except OSError as error:
        message = f"the file that {APP_KEY} names cannot be read: {error.strerror}"
        raise HostDenied(message, remedy=remedy) from None
    except (ValueError, TypeError):
        message = f"the file that {APP_KEY} names holds no private key without a password"
        raise HostDenied(message, remedy=remedy) from None
    if not isinstance(key, RSAPrivateKey):
        message = f"the key that {APP_KEY} names is no RSA key"
        raise HostDenied(message, remedy=remedy)
    return key
