"""Plain tables of at most 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ordain.specs.diagnostics import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.specs.evidence import Evidence, Metric

INFORMS = "for information"
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "insufficient": "yellow"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their heads; the last column is coloured where it is a verdict."""
    plain = [tuple(one_line(cell) for cell in row) for row in rows]
    widths = [max(len(row[place]) for row in (head, *plain)) for place in range(len(head))]
    click.echo(_line(head, widths))
    for row in plain:
        line = _line(row, widths)
        end = row[-1]
        if end in _COLOURS:
            line = f"{line[: len(line) - len(end)]}{click.style(end, fg=_COLOURS[end])}"
        click.echo(line)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def metric_rows(evidence: Evidence) -> list[tuple[str, ...]]:
    """What was measured on the test part, and every group that was compared."""
    return [*_metrics(evidence), *_groups(evidence)]


def _metrics(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    for one in evidence.metrics:
        if one.part == "test" or one.limit:
            verdict = one.verdict if one.limit else ""
            yield (one.name, f"{one.value:.4f}", interval(one), one.limit, verdict)


def _groups(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    for row in evidence.fairness:
        value = "none" if row.value is None else f"{row.value:.4f}"
        bounds = "" if row.low is None or row.high is None else f"{row.low:.4f} to {row.high:.4f}"
        group = f"{row.attribute}: {row.group}"
        if row.informs:
            yield (group, value, bounds, row.named, INFORMS)
        else:
            yield (group, value, bounds, f"{row.named}, {row.limited}", row.verdict)


def interval(metric: Metric) -> str:
    """The interval of a metric; empty without one."""
    if metric.low is None or metric.high is None:
        return ""
    return f"{metric.low:.4f} to {metric.high:.4f}"


def tell_limitations(evidence: Evidence) -> None:
    """Print what the numbers cannot show, as notes."""
    for limitation in evidence.limitations:
        click.echo(f"note: {one_line(limitation)}")
