from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ordain.reports import charts, svg


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - made by the function under test


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?[0-9]+(?:\.[0-9]+)?", text)]


def test_the_longest_bar_is_the_largest_value_and_the_others_are_in_proportion() -> None:
    chart = parsed(svg.bars([("a", 4.0), ("b", 1.0), ("c", 0.0)], label="importance"))
    widths = [float(rect.get("width", "")) for rect in chart.iter("rect")]
    assert widths == [320.0, 80.0, 0.0]


def test_a_long_name_is_cut_and_a_hostile_one_escaped() -> None:
    chart = parsed(svg.bars([("<b>" + "x" * 40, 1.0)], label='"><script>'))
    text = next(iter(chart.iter("text"))).text or ""
    assert (len(text), text[:3], text[-1]) == (24, "<b>", "…")
    assert chart.get("aria-label") == '"><script>'


def test_histograms_are_shares_so_that_windows_of_any_size_compare() -> None:
    small = parsed(svg.histograms([10, 30], [1, 3], label=""))
    was, now = (path.get("d", "") for path in list(small.iter("path"))[:2])
    heights = [[float(one) for one in re.findall(r"v-([0-9.]+)", path)] for path in (was, now)]
    assert heights == [[14.0, 42.0], [14.0, 42.0]]


def test_an_empty_bin_draws_nothing_and_a_tiny_one_can_be_seen() -> None:
    chart = parsed(svg.histograms([1, 0, 99_999], [1, 1, 1], label=""))
    was = next(iter(chart.iter("path"))).get("d", "")
    assert re.findall(r"v-([0-9.]+)", was) == ["0.5", "42"]


def test_histograms_of_no_rows_are_an_axis() -> None:
    assert [
        path.get("class") for path in parsed(svg.histograms([], [], label="")).iter("path")
    ] == ["axis"]


@pytest.mark.parametrize("limit", [0.1, 0.8, 2.0])
def test_an_interval_holds_value_bounds_and_limit_inside_the_picture(limit: float) -> None:
    chart = parsed(svg.interval(0.9, 0.7, 1.1, limit, label=""))
    circle = next(iter(chart.iter("circle")))
    marks = {path.get("class"): numbers(path.get("d", "")) for path in chart.iter("path")}
    low, high = marks["range"][0], marks["range"][2]
    assert 0 < low < float(circle.get("cx", "")) < high < 140
    assert 0 < marks["limit"][0] < 140
    assert (marks["limit"][0] < low) == (limit < 0.7)


def test_an_interval_of_one_point_is_drawn() -> None:
    assert parsed(svg.interval(1.0, 1.0, 1.0, 1.0, label="")).find("circle") is not None


def test_a_line_rises_with_its_values_and_shows_its_limits() -> None:
    chart = parsed(svg.line([("mon", 0.0), ("tue", 0.2)], [("fail 0.25", 0.25)], label=""))
    first, last = chart.findall("circle")
    assert float(first.get("cy", "")) == 146.0
    limit = numbers(next(p for p in chart.iter("path") if p.get("class") == "limit").get("d", ""))
    assert limit[1] < float(last.get("cy", "")) < float(first.get("cy", ""))
    assert [text.text for text in chart.iter("text")] == ["0", "fail 0.25", "mon", "tue"]


def test_one_point_is_named_once() -> None:
    chart = parsed(svg.line([("mon", 0.1)], [], label=""))
    assert [text.text for text in chart.iter("text")] == ["0", "mon"]


def test_a_frontier_shows_who_is_beaten_who_is_not_and_who_was_chosen() -> None:
    """As the search for less discriminatory alternatives has recorded it."""
    points = [
        {"number": 0, "family": "a", "performance": 0.80, "ratio": 0.70, "best": True},
        {"number": 1, "family": "a", "performance": 0.79, "ratio": 0.85, "best": True},
        {"number": 2, "family": "a", "performance": 0.70, "ratio": 0.60, "best": False},
    ]
    found = {
        "points": points,
        "candidates": 3,
        "performer": 0,
        "chosen": 1,
        "max_loss": 0.02,
        "reason": "confirmed",
    }
    chart = parsed(charts.frontier(found))
    assert chart.get("aria-label") == (
        "3 candidates; the best performer has an area of 0.800 and a smallest ratio of 0.700, "
        "the alternative 0.790 and 0.850: confirmed"
    )
    drawn = [(one.get("class"), float(one.get("cx", ""))) for one in chart.iter("circle")]
    assert [name for name, _ in drawn] == ["now", "range", "now", "was"]
    assert drawn[0][1] > drawn[2][1] > drawn[3][1]


def test_a_frontier_of_one_point_is_drawn() -> None:
    assert parsed(svg.frontier([(0.8, 0.7, "now")], 0.8, label="")).find("circle") is not None
