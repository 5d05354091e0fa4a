"""The forges with accounts that a clone speaks with.

They are opened when something is asked of them, so that plain git is judged without any of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ordain.vcs.errors import HostBusy, HostDenied, HostError, HostUnreachable, VcsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ordain.reconciler.answers import Answers
    from ordain.specs.kinds.estate import ForgeSettings
    from ordain.vcs.errors import ForgeError
    from ordain.vcs.forges.timed import Limits
    from ordain.vcs.git import Repository
    from ordain.vcs.host import Host

    Opener = Callable[[ForgeSettings, str, Mapping[str, str]], Host]


def open_for(
    settings: ForgeSettings,
    address: str,
    environ: Mapping[str, str],
    limits: Limits | None = None,
) -> Host:
    """The host that settings name, for the repository that a remote's address names."""
    from ordain.vcs.forges import open_host

    return open_host(
        settings.type,
        remote=address,
        environ=environ,
        url=settings.url,
        repository=settings.repository,
        limits=limits,
    )


# After one of these the next question would wait for nothing, too.
_AWAY: Final = (HostUnreachable, HostDenied, HostBusy)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a clone, each opened once and when it is first asked for.

    One that was away is not asked again until somebody fetches: a history of a hundred commits must
    not wait a hundred times for the same silence.
    """

    repository: Repository
    environ: Mapping[str, str]
    opener: Opener = open_for
    _opened: dict[ForgeSettings, Answers] = field(default_factory=dict)
    _lost: dict[ForgeSettings, ForgeError] = field(default_factory=dict)

    def of(self, settings: ForgeSettings) -> Host | None:
        """The host of these settings; None for plain git.

        Raises:
            ForgeError: its remote is not here, it cannot be told which repository on which host is
                meant, there is no token for it, or it was away a moment ago.
        """
        found = self.answers_of(settings)
        return None if found is None else found.host

    def answers_of(self, settings: ForgeSettings) -> Answers | None:
        """The same host, asked every question once; see `of`."""
        if settings.type == "git":
            return None
        address = self.repository.remotes().get(settings.remote)
        if address is None:
            raise HostError(
                f"the remote {settings.remote} of the forge is not here",
                remedy=f"add it: git remote add {settings.remote} ADDRESS",
            )
        return self._answers(settings, address)

    def lose(self, settings: ForgeSettings, error: VcsError) -> None:
        """Remember that a host was away; any other error says nothing of the next question."""
        if isinstance(error, _AWAY):
            self._lost[settings] = error

    def look_again(self) -> None:
        """Forget which hosts were away, and what may be another answer by now."""
        self._lost.clear()
        for one in self._opened.values():
            one.forget()

    def opened(self, settings: ForgeSettings, address: str) -> Host:
        """The host of settings that name one, whose remote has this address; see `of`."""
        return self._answers(settings, address).host

    def _answers(self, settings: ForgeSettings, address: str) -> Answers:
        if settings in self._lost:
            raise self._lost[settings]
        if settings not in self._opened:
            # Plain git, where nobody is asked, is judged without any of it.
            from ordain.reconciler.answers import Answers

            self._opened[settings] = Answers(self.opener(settings, address, self.environ))
        return self._opened[settings]
