"""One evaluation of a Monitor: the newest predictions of a version against its reference.

A window holds the predictions that the version itself answered. Those of another version are judged
against that version's reference, and shadow predictions belong to no decision. Which rows belong is
decided by time and id, not by the order in which chains are read, so that any order of the same
predictions gives the same report.

Several features are watched at once, so the chance of a false alarm is divided by their number
(Bonferroni). One bad window need not be a breach: with `hysteresis`, a failed window is a warning
until as many of the last ones have failed as the Monitor asks for.
"""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ordain.runtime.monitoring.bins import follows_calendar
from ordain.runtime.monitoring.errors import MonitorError
from ordain.runtime.monitoring.profiles import count_window
from ordain.runtime.monitoring.psi import ALPHA, Bin, FeatureDrift, feature_drift
from ordain.specs.durations import parse_duration
from ordain.specs.findings import Verdict
from ordain.specs.routes import SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ordain.ledger.records import Prediction
    from ordain.runtime.monitoring.bins import Bins
    from ordain.runtime.monitoring.profiles import Profile
    from ordain.specs.kinds.monitor import Limits, Monitor

FORMAT = "ordain.drift/1"
OUTPUT = "output"
DECISIONS = "decisions"
# What an event of the ledger holds at most; the features that moved most are kept.
MAXIMUM_FEATURES = 50
MAXIMUM_LABEL = 40


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What one window showed.

    `features` are in the order of their index, largest first; `window` is the verdict of this
    window alone and `verdict` the one after hysteresis, which alone may cause anything. `since` and
    `until` are the times of the oldest and newest prediction. `decisions` are those of a model that
    chooses among several classes or clusters.
    """

    deployment: str
    artifact: str
    evaluated: datetime
    since: datetime | None
    until: datetime | None
    rows: int
    output: FeatureDrift
    features: tuple[FeatureDrift, ...]
    window: Verdict
    verdict: Verdict
    reason: str
    left_out: int = 0
    decisions: FeatureDrift | None = None

    @property
    def outputs(self) -> tuple[FeatureDrift, ...]:
        """What the model gave: its output and, where it chooses among several, its choice."""
        return (self.output,) if self.decisions is None else (self.output, self.decisions)

    def to_json(self) -> dict[str, Any]:
        """The data of a ledger event, at most 50 features of at most 33 bins each."""
        kept = self.features[:MAXIMUM_FEATURES]
        plain = {
            "format": FORMAT,
            "deployment": self.deployment,
            "artifact": self.artifact,
            "evaluated": self.evaluated.isoformat(),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "rows": self.rows,
            "output": _plain(self.output),
            "features": [_plain(feature) for feature in kept],
            "left_out": self.left_out + len(self.features) - len(kept),
            "window": self.window.value,
            "verdict": self.verdict.value,
            "reason": self.reason,
        }
        if self.decisions is not None:
            plain["decisions"] = _plain(self.decisions)
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DriftReport:
        """A report from the data of a ledger event.

        Raises:
            MonitorError: the data are no drift report of this format.
        """
        try:
            if data["format"] != FORMAT:
                raise ValueError(data["format"])
            return _read(data)
        except (KeyError, TypeError, ValueError) as error:
            message = f"this is no drift report of the format {FORMAT}: {error}"
            raise MonitorError(message, remedy="run `ordain monitor run` again") from error


def evaluate(
    monitor: Monitor,
    profile: Profile,
    predictions: Iterable[Prediction],
    *,
    artifact: str,
    now: datetime,
    past: Sequence[Verdict] = (),
) -> DriftReport:
    """Judge the newest window of the version that has this artifact.

    `profile` is the version's reference; `past` are the `window` verdicts of earlier evaluations,
    newest first.

    Raises:
        MonitorError: the Monitor watches a feature that the version does not have.
        ProfileError: a recorded value does not fit the reference.
    """
    watched = _watched(monitor, profile)
    rows = select(monitor, predictions, artifact=artifact, now=now)
    counted = count_window(
        profile,
        (row.inputs for row in rows),
        (row.output for row in rows),
        # What a fallback decided is no choice of the model.
        (None if row.output is None else row.decision for row in rows),
    )
    drifts, output, decisions = _drifts(monitor, profile, counted, watched)
    given = [output] if decisions is None else [output, decisions]
    window = Verdict.worst(drift.verdict for drift in (*given, *drifts))
    verdict, reason = _settle(monitor, window, past)
    return DriftReport(
        deployment=monitor.deployment,
        artifact=artifact,
        evaluated=now,
        since=rows[-1].time if rows else None,
        until=rows[0].time if rows else None,
        rows=len(rows),
        output=output,
        features=tuple(sorted(drifts, key=lambda drift: (-(drift.psi or 0.0), drift.feature))),
        window=window,
        verdict=verdict,
        reason=reason,
        decisions=decisions,
    )


def _drifts(
    monitor: Monitor, profile: Profile, counted: Profile, watched: Sequence[str]
) -> tuple[list[FeatureDrift], FeatureDrift, FeatureDrift | None]:
    """The drift of each watched feature, of the output and of the decisions.

    They share one chance of a false alarm.
    """
    given = 1 if profile.decisions is None else 2
    least, alpha = monitor.window.min_rows, ALPHA / (len(watched) + given)

    def drift(name: str, before: Bins, after: Bins, limits: Limits) -> FeatureDrift:
        return feature_drift(name, before, after, limits, min_rows=least, alpha=alpha)

    features = [
        drift(name, profile.features[name], counted.features[name], monitor.psi) for name in watched
    ]
    limits = monitor.prediction_psi
    output = drift(OUTPUT, profile.output, counted.output, limits)
    if profile.decisions is None or counted.decisions is None:
        return features, output, None
    return features, output, drift(DECISIONS, profile.decisions, counted.decisions, limits)


def select(
    monitor: Monitor, predictions: Iterable[Prediction], *, artifact: str, now: datetime
) -> list[Prediction]:
    """The predictions of the window, newest first.

    Nothing after `now` belongs to it, so that an evaluation can be repeated later.
    """
    oldest = _oldest(monitor.window.duration, now)
    own = (
        prediction
        for prediction in predictions
        if prediction.deployment == monitor.deployment
        and prediction.artifact == artifact
        and prediction.rule != SHADOW
        and prediction.time <= now
        and (oldest is None or prediction.time >= oldest)
    )
    return heapq.nlargest(monitor.window.rows, own, key=lambda row: (row.time, row.id))


def _oldest(duration: str | None, now: datetime) -> datetime | None:
    """The time before which nothing is in the window; None where everything is young enough."""
    if duration is None:
        return None
    try:
        return now - parse_duration(duration)
    except OverflowError:  # longer ago than there are years to count
        return None


def _watched(monitor: Monitor, profile: Profile) -> tuple[str, ...]:
    """The features that the Monitor names, or all but dates, which are later in each window."""
    if unknown := [name for name in monitor.features if name not in profile.features]:
        raise MonitorError(
            f"the Monitor of {monitor.deployment} watches {', '.join(unknown)}, "
            "which the version does not have",
            remedy=f"watch some of {', '.join(sorted(profile.features))}",
        )
    moving = (name for name, bins in profile.features.items() if not follows_calendar(bins))
    return monitor.features or tuple(sorted(moving))


def _settle(monitor: Monitor, window: Verdict, past: Sequence[Verdict]) -> tuple[Verdict, str]:
    """The verdict after hysteresis."""
    asked = monitor.hysteresis
    if window is not Verdict.FAIL or asked.of == 1:
        return window, ""
    breaches = [window, *past[: asked.of - 1]].count(Verdict.FAIL)
    if breaches >= asked.breaches:
        return Verdict.FAIL, f"{breaches} of the last {asked.of} windows failed"
    return Verdict.WARN, (
        f"{breaches} of the last {asked.of} windows failed; {asked.breaches} are a breach"
    )


def _plain(drift: FeatureDrift) -> dict[str, Any]:
    plain = asdict(drift) | {"verdict": drift.verdict.value}
    plain["bins"] = [
        [bin_.label[:MAXIMUM_LABEL], bin_.reference, bin_.window] for bin_ in drift.bins
    ]
    return plain


def _read(data: Mapping[str, Any]) -> DriftReport:
    return DriftReport(
        deployment=data["deployment"],
        artifact=data["artifact"],
        evaluated=datetime.fromisoformat(data["evaluated"]),
        since=_time(data["since"]),
        until=_time(data["until"]),
        rows=data["rows"],
        output=_read_drift(data["output"]),
        features=tuple(_read_drift(feature) for feature in data["features"]),
        window=Verdict(data["window"]),
        verdict=Verdict(data["verdict"]),
        reason=data["reason"],
        left_out=data["left_out"],
        decisions=_read_drift(data["decisions"]) if "decisions" in data else None,
    )


def _read_drift(data: Mapping[str, Any]) -> FeatureDrift:
    bins = tuple(Bin(label, reference, window) for label, reference, window in data["bins"])
    return FeatureDrift(**{**data, "bins": bins, "verdict": Verdict(data["verdict"])})


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
