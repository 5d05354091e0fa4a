"""What a forge does on a bad day, to be asked for with `site.trouble(…)`.

Each function returns trouble: something that is handed the request and a promise of the honest
answer, and makes of them what the client gets. Nothing here sleeps: what is slow waits for an
event, and the site sets its own when it closes.

Sources: GitHub's "Rate limits for the REST API" and "Troubleshooting the REST API"; GitLab's "User
and IP rate limits", "REST API troubleshooting".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges.web import Answer, HungUp, Trial, Trouble

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from forges.published import Json

GITHUB_DOCS = "https://docs.github.com"
LIMITS = f"{GITHUB_DOCS}/rest/overview/rate-limits-for-the-rest-api"
SECONDARY = f"{GITHUB_DOCS}/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api"


def always(answer: Answer) -> Trouble:
    """The same answer to everybody, whatever was asked."""

    def make(_: Trial) -> Answer:
        return Answer(answer.status, answer.body, dict(answer.headers), answer.cut, answer.drip)

    return make


def status(code: int, body: Json = None, headers: Mapping[str, str] | None = None) -> Trouble:
    """Any status with any body (bytes are sent as they are)."""
    return always(Answer(code, {"message": "no"} if body is None else body, dict(headers or {})))


def primary_limit(reset: int, *, code: int = 403) -> Trouble:
    """GitHub: the requests of this hour are used up until `reset` (seconds since 1970)."""
    body = {"message": "API rate limit exceeded for user ID 1.", "documentation_url": LIMITS}
    limit = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000"}
    more = {"x-ratelimit-reset": str(reset), "x-ratelimit-resource": "core"}
    return always(Answer(code, {**body, "status": str(code)}, {**limit, **more}))


def secondary_limit(*, code: int = 403, retry_after: int | None = 60) -> Trouble:
    """GitHub: too much at once; without `retry_after` the client must know to wait on its own."""
    body = {
        "documentation_url": f"{SECONDARY}#about-secondary-rate-limits",
        "message": "You have exceeded a secondary rate limit. Please wait a few minutes before "
        "you try again.",
        "status": str(code),
    }
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return always(Answer(code, body, headers))


def gitlab_limit(reset: int, *, retry_after: int | None = 60) -> Trouble:
    """GitLab: 429 in plain text, not JSON."""
    headers = {
        "Content-Type": "text/plain",
        "RateLimit-Limit": "60",
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": "67",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(reset),
    }
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return always(Answer(429, b"Retry later\n", headers))


def server_error(code: int = 502) -> Trouble:
    """500, 502 or 503 as a proxy in front of the forge gives it: a page for people."""
    page = b"<html><head><title>Unicorn!</title></head><body>We had issues.</body></html>"
    return always(Answer(code, page, {"Content-Type": "text/html; charset=utf-8"}))


def slow(event: threading.Event | None = None) -> Trouble:
    """Hold the answer until `event` is set; without one for as long as the site lives."""

    def make(trial: Trial) -> Answer:
        if event is None:
            trial.site.closing.wait()
            raise HungUp
        while not event.wait(0.02):
            if trial.site.closing.is_set():
                raise HungUp
        return trial.proceed()

    return make


def slow_after(event: threading.Event | None = None) -> Trouble:
    """Do what was asked at once, and hold the answer: the client must not think it failed."""

    def make(trial: Trial) -> Answer:
        answer = trial.proceed()
        return slow(event)(Trial(trial.site, trial.request, lambda: answer))

    return make


def drip(seconds: float = 0.05) -> Trouble:
    """A byte now and then: no single read times out, and yet it never ends."""

    def make(trial: Trial) -> Answer:
        answer = trial.proceed()
        answer.drip = seconds
        return answer

    return make


def cut_off(after: int | None = None) -> Trouble:
    """Close the connection in the middle of the body, or after so many bytes of it."""

    def make(trial: Trial) -> Answer:
        answer = trial.proceed()
        answer.cut = len(answer.payload()) // 2 if after is None else after
        return answer

    return make


def hang_up(_: Trial) -> Answer:
    """Close the connection before the first byte; what was asked was not done."""
    raise HungUp


def hang_up_after(trial: Trial) -> Answer:
    """Do what was asked and close the connection before the first byte."""
    trial.proceed()
    raise HungUp


def not_json(body: bytes = b"<html>Sign in</html>") -> Trouble:
    """200 with something else, as a captive portal gives it."""
    return always(Answer(200, body, {"Content-Type": "text/html"}))


def other_shape(body: Json = None) -> Trouble:
    """200 with JSON that nobody documented: a list for an object, an object for a list, a null."""

    def make(trial: Trial) -> Answer:
        answer = trial.proceed()
        turned: Json = {"items": answer.body} if isinstance(answer.body, list) else [answer.body]
        return Answer(200, turned if body is None else body)

    return make


def edited(edit: Callable[[Json], Json]) -> Trouble:
    """The honest answer after `edit` has changed its body: a forge that lies in one place."""

    def make(trial: Trial) -> Answer:
        answer = trial.proceed()
        answer.body = edit(answer.body)
        return answer

    return make


def meanwhile(action: Callable[[], object]) -> Trouble:
    """Let something happen just before the request is looked at: the other side of a race."""

    def make(trial: Trial) -> Answer:
        action()
        return trial.proceed()

    return make


def endless(trial: Trial) -> Answer:
    """A page whose next page is itself; ask for it with `times=None`."""
    answer = trial.proceed()
    answer.headers["Link"] = f'<{trial.site.origin}{trial.request.target}>; rel="next"'
    answer.headers["X-Next-Page"] = trial.request.query.get("page", "1")
    return answer


def redirect(to: str, *, code: int = 301) -> Trouble:
    """The same path at another origin (301, 302, 307, 308): where no token may follow."""

    def make(trial: Trial) -> Answer:
        headers = {"Location": to.rstrip("/") + trial.request.target}
        return Answer(code, {"message": "Moved Permanently", "url": headers["Location"]}, headers)

    return make


def huge(size: int = 64 << 20) -> Trouble:
    """Valid JSON of about this many bytes."""

    def make(_: Trial) -> Answer:
        return Answer(200, b'["' + b"a" * size + b'"]')

    return make
