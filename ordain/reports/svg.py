"""Charts as inline SVG: bars, pairs of bars, histograms, an interval, a line, a grid of cells.

Written by hand because a page must be small, the same byte for byte, without a script and without
a font: a plotting library costs a second and makes a page thirty times larger. Colours come from
the page's style sheet by class, so that a chart follows the screen, the dark mode and the printer.
All bars of one colour are one path. Every chart has a sentence for those who do not see it.

Text is escaped here; the functions return markup as plain strings.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def bars(values: Sequence[tuple[str, float]], *, label: str, unit: str = "") -> str:
    """Horizontal bars from zero, one line each, with names on the left and values on the right.

    Values are at least 0; the longest bar is the largest value.
    """
    row, left, width, right = 22, 170, 320, 110
    largest = max((value for _, value in values), default=0.0) or 1.0
    parts = []
    for index, (name, value) in enumerate(values):
        y = index * row
        length = value / largest * width
        parts.append(
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect class="now" x="{left}" y="{y + 4}" width="{_n(length)}" height="14"/>'
            f'<text class="soft" x="{_n(left + length + 6)}" y="{y + 15}">'
            f"{value:.3g}{escape(unit)}</text>"
        )
    return _svg("".join(parts), left + width + right, max(len(values), 1) * row, label, "bars")


def histograms(before: Sequence[int], after: Sequence[int], *, label: str) -> str:
    """Two histograms over the same bins, side by side, each as shares of its own rows.

    `before` and `after` are counts of equal length.
    """
    width, height, floor = 240, 48, 46
    shares = [_shares(before), _shares(after)]
    tallest = max((share for side in shares for share in side), default=0.0) or 1.0
    step = width / max(len(before), 1)
    bar = max(step * 0.4, 0.6)
    paths = []
    for side, (name, found) in enumerate(zip(("was", "now"), shares, strict=True)):
        path = "".join(
            _bar(index * step + step * 0.1 + side * bar, floor, bar, share / tallest * 42)
            for index, share in enumerate(found)
            if share
        )
        paths.append(f'<path class="{name}" d="{path}"/>' if path else "")
    axis = f'<path class="axis" d="M0 {floor}.5H{width}"/>'
    return _svg("".join(paths) + axis, width, height, label, "hist")


def interval(value: float, low: float, high: float, limit: float, *, label: str) -> str:
    """A value with its interval and a limit, on an axis that holds all of them with a margin."""
    width, height, middle = 140, 20, 10
    ends = (min(value, low, limit), max(value, high, limit))
    margin = (ends[1] - ends[0]) * 0.08 or 0.1
    start, span = ends[0] - margin, ends[1] - ends[0] + 2 * margin

    def x(position: float) -> str:
        return _n((position - start) / span * width)

    body = (
        f'<path class="limit" d="M{x(limit)} 1V19"/>'
        f'<path class="range" d="M{x(low)} {middle}H{x(high)}M{x(low)} 6v8M{x(high)} 6v8"/>'
        f'<circle class="now" cx="{x(value)}" cy="{middle}" r="3.5"/>'
    )
    return _svg(body, width, height, label, "interval")


def pairs(values: Sequence[tuple[str, float, float]], *, label: str) -> str:
    """For each name two bars from a middle axis: the first to the left, the second to the right.

    Values are shares of at least 0; both sides have one scale, so that they can be compared.
    """
    row, left, side, room = 22, 190, 150, 60
    middle = left + room + side
    largest = max((max(one, two) for _, one, two in values), default=0.0) or 1.0
    parts = []
    for index, (name, one, two) in enumerate(values):
        y = index * row
        down, up = one / largest * side, two / largest * side
        parts.append(
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect class="was" x="{_n(middle - down)}" y="{y + 4}" width="{_n(down)}" '
            f'height="14"/>'
            f'<rect class="now" x="{_n(middle)}" y="{y + 4}" width="{_n(up)}" height="14"/>'
            f'<text class="soft" x="{_n(middle - down - 6)}" y="{y + 15}" text-anchor="end">'
            f'{_percent(one)}</text><text class="soft" x="{_n(middle + up + 6)}" y="{y + 15}">'
            f"{_percent(two)}</text>"
        )
    height = max(len(values), 1) * row
    axis = f'<path class="axis" d="M{middle} 0V{height}"/>'
    return _svg("".join(parts) + axis, middle + side + room, height, label, "pairs")


def grid(counts: Sequence[Sequence[int]], *, label: str) -> str:
    """A square of cells, the darker the more of its row is in it; the diagonal is outlined.

    `counts` are rows from top to bottom, of equal length.
    """
    cell, left, bottom = 22, 22, 22
    size = len(counts) * cell
    parts: list[str] = []
    for row, found in enumerate(counts):
        total = sum(found) or 1
        parts += (
            f'<rect class="now" x="{left + column * cell}" y="{row * cell}" width="{cell - 1}" '
            f'height="{cell - 1}" fill-opacity="{0.08 + 0.92 * count / total:.2f}"/>'
            for column, count in enumerate(found)
            if count
        )
        parts.append(
            f'<path class="edge" d="M{left + row * cell} {row * cell}h{cell - 1}v{cell - 1}'
            f'h-{cell - 1}z"/>'
            f'<text class="soft" x="{left - 6}" y="{row * cell + 15}" text-anchor="end">{row + 1}'
            f'</text><text class="soft" x="{left + row * cell + cell // 2}" y="{size + 15}" '
            f'text-anchor="middle">{row + 1}</text>'
        )
    return _svg("".join(parts), left + size, size + bottom, label, "grid")


def line(
    points: Sequence[tuple[str, float]], limits: Iterable[tuple[str, float]], *, label: str
) -> str:
    """Values in their order with horizontal limits; the axis begins at zero.

    `points` are (name, value), of which the first and last names are printed; `limits` likewise.
    """
    width, height, left, right, top, bottom = 640, 170, 40, 70, 10, 24
    marks = list(limits)
    largest = max([value for _, value in (*points, *marks)], default=0.0) * 1.1 or 1.0
    floor, room = height - bottom, height - top - bottom
    step = (width - left - right) / max(len(points) - 1, 1)

    def y(value: float) -> str:
        return _n(floor - value / largest * room)

    places = [(_n(left + index * step), y(value)) for index, (_, value) in enumerate(points)]
    body = [f'<path class="axis" d="M{left} {floor}H{width - right}M{left} {top}V{floor}"/>']
    body.append(f'<text class="soft" x="{left - 6}" y="{floor + 4}" text-anchor="end">0</text>')
    for name, value in marks:
        body.append(
            f'<path class="limit" d="M{left} {y(value)}H{width - right}"/>'
            f'<text class="soft" x="{width - right + 6}" y="{y(value)}" dy="4">'
            f"{escape(name)}</text>"
        )
    body.append('<path class="line" d="M' + "L".join(f"{a} {b}" for a, b in places) + '"/>')
    body += [f'<circle class="now" cx="{a}" cy="{b}" r="3"/>' for a, b in places]
    if points:
        ends = [(places[0][0], points[0][0], "start"), (places[-1][0], points[-1][0], "end")]
        body += [
            f'<text class="soft" x="{a}" y="{height - 6}" text-anchor="{anchor}">'
            f"{escape(name)}</text>"
            for a, name, anchor in (ends if len(points) > 1 else ends[:1])
        ]
    return _svg("".join(body), width, height, label, "line-chart")


def frontier(points: Sequence[tuple[float, float, str]], limit: float, *, label: str) -> str:
    """Points with a value to the right and one upwards, and a line at the least value to the right.

    The third of each is its class: `was` for what is beaten, `now` for what is not, and `chosen`
    for a point that gets a ring besides.
    """
    width, height, edge = 320, 200, 16
    across = [*(x for x, _, _ in points), limit]
    upwards = [y for _, y, _ in points]

    def place(value: float, among: Sequence[float], room: float) -> float:
        span = max(among) - min(among)
        return edge + (value - min(among)) / span * (room - 2 * edge) if span else room / 2

    body = [f'<path class="axis" d="M{edge / 2} {edge / 2}V{height - 8}H{width - edge / 2}"/>']
    line = _n(place(limit, across, width))
    body.append(f'<path class="limit" d="M{line} {edge / 2}V{height - 8}"/>')
    for x, y, kind in points:
        a = _n(place(x, across, width))
        b = _n(height - place(y, upwards, height))
        if kind == "chosen":
            body.append(f'<circle class="range" cx="{a}" cy="{b}" r="7"/>')
        shown = "was" if kind == "was" else "now"
        body.append(f'<circle class="{shown}" cx="{a}" cy="{b}" r="3"/>')
    return _svg("".join(body), width, height, label, "frontier")


def _svg(body: str, width: float, height: float, label: str, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def _bar(x: float, floor: float, width: float, height: float) -> str:
    return f"M{_n(x)} {_n(floor)}v-{_n(max(height, 0.5))}h{_n(width)}V{_n(floor)}z"


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}\u00a0%"


def _n(value: float) -> str:
    """A coordinate with one decimal at most: finer is not seen and only makes the page larger."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
