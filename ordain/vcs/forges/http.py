"""Questions to a forge's API, and one clear answer to each.

An answer is a JSON document of the forge that was asked, whole, with a status that the caller has
thought of; everything else is an error. So that nothing else can be one:

- A token goes to the API's own origin and nowhere else: a redirect or a next page that leaves it is
  refused, and so is one that was seen before.
- A list is whole or an error. The last page is the one that is not full, whatever the headers say:
  something between here and the forge that drops `Link` would otherwise hide the newest reviews.
- What changes something is asked once. A question that only reads is repeated when the forge was
  not there for a moment, within one deadline for the whole of it.
- A limit of the forge is waited out where that takes seconds and handed to the caller, who knows
  what else there is to do, where it takes longer.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, Protocol
from urllib.parse import quote, urlencode, urljoin, urlsplit

from ordain import __version__
from ordain.vcs.errors import HostBusy, HostDenied, HostError
from ordain.vcs.forges.reading import Reading
from ordain.vcs.forges.timed import Broken, Limits, Raw, checked_root, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

PAGE: Final = 100
_AWAY: Final = frozenset({502, 503, 504})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_LINK: Final = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w-]+=(?:"[^"]*"|[^\s",;]+))*)')
_NEXT: Final = re.compile(r';\s*rel="?next"?(?=[\s;]|$)')
_MINUTE: Final = 60.0
_HOPS: Final = 3
_ASK_AGAIN: Final = (
    "ask again; if it stays, something between here and the forge changes answers, or the forge "
    "is of a version that is not known"
)
_UNSURE: Final = "look whether it was done before you try again"


@dataclass(frozen=True, slots=True)
class Times:
    """The clocks, and how to wait; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Credential(Protocol):
    """What a forge knows us by."""

    @property
    def source(self) -> str:
        """The variable it came from, for messages."""

    def headers(self) -> dict[str, str]:
        """What goes with every question; may ask the forge for a fresh token first."""

    def hide(self, text: str) -> str:
        """The text without the secret, should the forge have repeated it."""

    def machine(self) -> str:
        """The login of the account where the forge does not tell it by itself, or nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that may be read; `said` is the reason of a refusal that was expected."""

    status: int
    headers: Mapping[str, str]
    reading: Reading
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    target: str
    body: bytes | None
    ends: float

    @property
    def words(self) -> str:
        return f"{self.method} {self.target.partition('?')[0]}"


@dataclass(slots=True)
class Client:
    """Asks one API, with one credential. `forge` is its name in messages."""

    forge: str
    root: str
    credential: Credential
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    times: Times = field(default_factory=Times)

    def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: Collection[int] = ()
    ) -> Answer:
        """The answer to a question that only reads; `accept` are refusals that the caller reads.

        Raises `HostError` and its kinds.
        """
        return self._ask("GET", self._target(path, query or {}), None, accept, self._ends())

    def send(
        self, method: str, path: str, body: Mapping[str, object], accept: Collection[int] = ()
    ) -> Answer:
        """The answer to a question that changes something.

        Raises `HostError` and its kinds.
        """
        encoded = json.dumps(body, ensure_ascii=True).encode()
        return self._ask(method, self._target(path, {}), encoded, accept, self._ends())

    def pages(
        self, path: str, query: Mapping[str, str] | None = None, accept: Collection[int] = ()
    ) -> list[Reading] | None:
        """All items of a list, or None where the first page was refused with one of `accept`.

        Raises `HostError` and its kinds, also where the list does not end.
        """
        ends, found = self._ends(), []
        asked = {**(query or {}), "per_page": str(PAGE)}
        target, seen = self._target(path, asked), set[str]()
        for number in range(1, self.limits.pages + 1):
            seen.add(target)
            answer = self._ask("GET", target, None, accept if number == 1 else (), ends)
            if answer.status in accept:
                return None
            items = list(answer.reading.items())
            found += items
            following = self._following(answer, target)
            if following is None and len(items) < PAGE:
                return found
            target = following or self._target(path, {**asked, "page": str(number + 1)})
            if target in seen:
                raise self._wrong(f"the pages of {path} go round in a circle")
        raise self._wrong(f"{path} has more than {self.limits.pages} pages of {PAGE}")

    def _ends(self) -> float:
        return self.times.monotonic() + self.limits.whole

    def _target(self, path: str, query: Mapping[str, str]) -> str:
        prefix = checked_root(self.root).path.rstrip("/")
        return f"{prefix}{path}" + (f"?{urlencode(query)}" if query else "")

    def _following(self, answer: Answer, target: str) -> str | None:
        """The next page that the headers name."""
        for address, parameters in _LINK.findall(answer.headers.get("link", "")):
            if _NEXT.search(parameters):
                return self._inside(address, target, "the next page")
        return None

    def _inside(self, address: str, target: str, what: str) -> str:
        """The target of an address of this API; whatever is elsewhere gets no token."""
        root = checked_root(self.root)
        try:
            parts = urlsplit(urljoin(f"{root.scheme}://{root.netloc}{target}", address))
            same = (parts.scheme, parts.hostname, _port(parts.scheme, parts.port)) == (
                root.scheme,
                root.hostname,
                _port(root.scheme, root.port),
            )
        except ValueError:
            same = False
        if not same or parts.username is not None:
            raise self._wrong(
                f"{what} is said to be at another host or without https, and is not asked"
            )
        path = quote(parts.path, safe="/%:@!$&'()*+,;=-._~")
        if ".." in path.split("/") or not path.startswith(f"{root.path.rstrip('/')}/"):
            raise self._wrong(f"{what} is said to be outside of the API, and is not asked")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]")
        return path + (f"?{query}" if query else "")

    def _wrong(self, message: str) -> HostError:
        return HostError(
            f"{self.forge}: {message}",
            remedy="see that spec.forge.url is the forge's own address, as the forge knows it",
        )

    def _ask(
        self, method: str, target: str, body: bytes | None, accept: Collection[int], ends: float
    ) -> Answer:
        question = _Question(method, target, body, ends)
        for _ in range(_HOPS):
            raw = self._patiently(question)
            if raw.status in accept:
                said = self._said(raw) or f"status {raw.status}"
                return Answer(raw.status, raw.headers, self._reading(question, raw), said)
            if raw.status in _MOVED and method == "GET":
                address = raw.headers.get("location", "")
                inside = self._inside(address, question.target, "what was asked for")
                question = _Question(method, inside, None, ends)
                continue
            if not 200 <= raw.status < 300:  # noqa: PLR2004 - what HTTP calls success
                raise self._refusal(question, raw)
            return Answer(raw.status, raw.headers, self._reading(question, raw))
        raise self._wrong(f"{question.words} is answered with one redirect after the other")

    def _patiently(self, question: _Question) -> Raw:
        """The answer, after the repetitions and short waits that are harmless."""
        left = self.limits.tries
        while True:
            left -= 1
            try:
                raw = self._once(question)
            except Broken as error:
                if question.method != "GET":
                    error.remedy = _UNSURE
                    raise
                if not error.again or not self._wait(self._pause(left), question, left):
                    raise
                continue
            away = raw.status in _AWAY
            if away and question.method != "GET":
                return raw
            busy = busy_for(raw, self.times.now())
            if busy is not None:
                if not self._wait(busy, question, left):
                    raise self._busy(busy)
            elif not away or not self._wait(self._pause(left), question, left):
                return raw

    def _pause(self, left: int) -> float:
        return 0.5 * 2.0 ** (self.limits.tries - 1 - left)

    def _wait(self, seconds: float, question: _Question, left: int) -> bool:
        """Wait, if that is short and leaves time for another try."""
        until = self.times.monotonic() + seconds
        if left <= 0 or seconds > self.limits.wait or until >= question.ends:
            return False
        self.times.sleep(seconds)
        return True

    def _busy(self, seconds: float) -> HostBusy:
        return HostBusy(
            f"{self.forge} limits how often it is asked, and may be asked again in {seconds:.0f} s",
            seconds=seconds,
            remedy="ask again then, or use a token of its own for this repository",
        )

    def _once(self, question: _Question) -> Raw:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"ordain/{__version__}",
            **self.headers,
            **self.credential.headers(),
        }
        if question.body is not None:
            headers["Content-Type"] = "application/json"
        return exchange(
            checked_root(self.root),
            question.method,
            question.target,
            headers,
            question.body,
            limits=self.limits,
            left=lambda: question.ends - self.times.monotonic(),
        )

    def _reading(self, question: _Question, raw: Raw) -> Reading:
        """The answer as JSON; what was to be changed may be changed even if it is none."""
        remedy = _ASK_AGAIN if question.method == "GET" else _UNSURE
        words = f"{self.forge} {question.words}"
        kind = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            found = self.credential.hide(_brief(kind)) or "no kind"
            raise HostError(f"{words} is answered with {found}, not JSON", remedy=remedy)
        value = parsed(raw.body)
        if value is _NOTHING:
            message = f"{words} is answered with something that is no JSON"
            raise HostError(message, remedy=remedy)
        return Reading(value, words, remedy)

    def _said(self, raw: Raw) -> str:
        return self.credential.hide(_brief(said_in(raw)))

    def _refusal(self, question: _Question, raw: Raw) -> HostError:
        said = self._said(raw)
        message = f"{self.forge} refuses {question.words} with {raw.status}"
        message += f": {said}" if said else ""
        source = self.credential.source
        if raw.status == 401:  # noqa: PLR2004
            remedy = f"give a token that holds, in {source}"
            return HostDenied(message, remedy=remedy)
        if raw.status == 403:  # noqa: PLR2004
            remedy = f"give the token in {source} the rights that docs/forges.md lists"
            return HostDenied(message, remedy=remedy)
        if raw.status == 404:  # noqa: PLR2004
            remedy = (
                "see that the repository is named as the forge names it, and that the token in "
                f"{source} may see it"
            )
            return HostError(message, remedy=remedy)
        if raw.status in _AWAY or raw.status >= 500:  # noqa: PLR2004
            remedy = "ask again when the forge is well" if question.method == "GET" else _UNSURE
            return Broken(message, again=False, remedy=remedy)
        if raw.status in _MOVED:
            remedy = "set spec.forge.repository to the name that the repository has now"
            return HostError(message, remedy=remedy)
        return HostError(message, remedy="see what the forge says")


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)


def _brief(text: str) -> str:
    """One line of letters that can be printed."""
    line = " ".join(text.split())
    return "".join(letter for letter in line if letter.isprintable())[:200]


_NOTHING: Final = object()


def parsed(body: bytes) -> object:
    """The value of a JSON text, or `_NOTHING`: a name twice in an object is no JSON here."""
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError):
        return _NOTHING


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _constant(_: str) -> NoReturn:
    raise ValueError


def said_in(raw: Raw) -> str:
    """What a refusal gives as its reason, as both forges write it."""
    value = parsed(raw.body)
    if not isinstance(value, dict):
        return ""
    reason = value.get("message", value.get("error", ""))
    parts = [reason, *_errors(value.get("errors"))]
    return "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts if part)


def _errors(value: object) -> Iterator[object]:
    for one in value if isinstance(value, list) else ():
        yield one.get("message") if isinstance(one, dict) else one


def busy_for(raw: Raw, now: float) -> float | None:
    """Seconds until the forge may be asked again, or None where it was no limit that refused.

    The headers are those of https://docs.github.com/en/rest/using-the-rest-api/
    rate-limits-for-the-rest-api and https://docs.gitlab.com/administration/settings/
    user_and_ip_rate_limits/#response-headers. GitHub asks for a minute where it names no time.
    """
    if raw.status not in {403, 429} and not (raw.status in _AWAY and "retry-after" in raw.headers):
        return None
    after = _seconds(raw.headers.get("retry-after", ""))
    if after is not None:
        return max(1.0, after)
    for kind in ("x-ratelimit", "ratelimit"):
        reset = _seconds(raw.headers.get(f"{kind}-reset", ""))
        if raw.headers.get(f"{kind}-remaining") == "0" and reset is not None:
            return max(1.0, reset - now)
    limited = raw.status == 429 or "rate limit" in said_in(raw).lower()  # noqa: PLR2004
    return _MINUTE if limited or raw.status in _AWAY else None


def _seconds(text: str) -> float | None:
    """Whole seconds; a date is not read, because the clocks of two machines differ."""
    return float(text) if re.fullmatch(r"[0-9]{1,10}", text.strip()) else None
