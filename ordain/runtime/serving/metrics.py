"""Counters in Prometheus' text format (version 0.0.4).

Written here instead of with the client library: finding a labelled child there costs more than
routing a request, and its import more than loading a model. Labels come from the configuration
(routes, models, decisions) and from the list of HTTP statuses, never from a request, so their
number is bounded by what was declared.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
LATENCY_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Counter:
    """A family of counters; a child is made when its labels are first seen."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self._values: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, by: int = 1) -> None:
        self._values[labels] = self._values.get(labels, 0) + by

    def value(self, *labels: str) -> int:
        return self._values.get(labels, 0)

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.text, "counter")
        for labels, value in sorted(self._values.items()):
            yield f"{self.name}{_labels(self.labels, labels)} {value}"


class Histogram:
    """A family of histograms over seconds."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(LATENCY_SECONDS) + 1)
        counts[bisect_left(LATENCY_SECONDS, seconds)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.text, "histogram")
        bounds = [*map(str, LATENCY_SECONDS), "+Inf"]
        for labels, counts in sorted(self._counts.items()):
            for bound, reached in zip(bounds, accumulate(counts), strict=True):
                named = _labels((*self.labels, "le"), (*labels, bound))
                yield f"{self.name}_bucket{named} {reached}"
            named = _labels(self.labels, labels)
            yield f"{self.name}_sum{named} {self._sums[labels]!r}"
            yield f"{self.name}_count{named} {sum(counts)}"


class Metrics:
    """What one worker counts."""

    def __init__(self) -> None:
        self.predictions = Counter(
            "ordain_predictions_total",
            "Predictions that were answered.",
            ("route", "model", "version", "decision"),
        )
        self.fallbacks = Counter(
            "ordain_fallbacks_total", "Answers without a model.", ("route", "reason")
        )
        self.shadows = Counter(
            "ordain_shadows_total", "Records offered to shadows.", ("route", "deployment", "result")
        )
        self.requests = Counter(
            "ordain_requests_total", "Requests by HTTP status.", ("route", "status")
        )
        self.latency = Histogram(
            "ordain_prediction_latency_seconds",
            "From the last byte of a request to its recorded answer.",
            ("route",),
        )
        self.lost = Counter(
            "ordain_unrecorded_total", "Answers whose record failed after they were given.", ()
        )

    def render(self) -> bytes:
        families = (
            self.predictions,
            self.fallbacks,
            self.shadows,
            self.requests,
            self.latency,
            self.lost,
        )
        return "".join(f"{line}\n" for family in families for line in family.lines()).encode()


def _head(name: str, text: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
