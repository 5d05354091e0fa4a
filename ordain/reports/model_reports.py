"""The report of one model: one HTML page that stands alone.

HTML is the record: no script, no font and no picture from elsewhere, and a policy in the page that
forbids the browser to fetch anything. The same facts give the same bytes, because the moment of the
report is one of the facts. PDF and tables derive from this page and are never kept instead of it.

What people wrote (names, purposes, labels, commit messages) is escaped by the template engine; only
the charts of `svg`, which escape for themselves, are taken as markup.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ordain.reports import charts, summaries, tasks, texts
from ordain.reports.errors import ReportError
from ordain.specs.findings import Verdict
from ordain.specs.validation_text import group_cells, open_groups, shift_cells
from ordain.specs.validation_verdicts import sections, told, uncompared

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from ordain.reports.facts import ReportInput
    from ordain.specs.validations import Shift

# A page of 50 features with their bins would be a megabyte; the rest stands in the ledger event.
MAXIMUM_FEATURES = 30
MAXIMUM_ROWS = 50


def model_report(facts: ReportInput) -> bytes:
    """The page, UTF-8, at most about 60 kB for a dozen features.

    Raises:
        ReportError: the moment of the report has no time zone.
    """
    if facts.as_of.tzinfo is None:
        message = f"the moment {facts.as_of.isoformat()} has no time zone"
        raise ReportError(message, remedy="pass an aware datetime")
    found = summaries.parts(facts)
    page = _template().render(
        facts=facts,
        parts=found,
        overall=summaries.overall(found),
        headline=summaries.headline(found),
        data=_data_rows(facts),
        limits=MAXIMUM_FEATURES,
        rows=MAXIMUM_ROWS,
    )
    return page.encode()


@cache
def _template() -> Template:
    return _environment().get_template("model_report.html.j2")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ordain.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": texts.count,
        "number": texts.number,
        "percent": texts.percent,
        "moment": texts.moment,
        "day": texts.day,
        "plural": texts.plural,
        "verdict": _verdict,
    }
    environment.globals |= {
        "NO_DATA": texts.NO_DATA,
        "bounds": texts.bounds,
        "share": texts.share,
        "chart": _chart,
        "sign": lambda verdict: texts.SIGNS[_verdict(verdict)],
        "task": tasks,
        "sections": sections,
        "uncompared": uncompared,
        "validates": summaries.validates,
        "shift_cells": _shift_cells,
        "check_told": told,
        "open_groups": open_groups,
        "group_cells": group_cells,
    }
    return environment


def _shift_cells(shift: Shift) -> tuple[str, ...]:
    """The cells of a row with shares as this page writes them."""
    return tuple(cell.replace("%", "\u00a0%") for cell in shift_cells(shift))


def _verdict(value: Verdict | str) -> Verdict:
    return value if isinstance(value, Verdict) else texts.verdict_of(value)


def _chart(name: str, *arguments: Any) -> Any:  # noqa: ANN401 - of the chart; a Markup
    """A chart of `charts` as markup; what it holds of others is escaped there."""
    from markupsafe import Markup

    return Markup(getattr(charts, name)(*arguments))  # noqa: S704 - escaped by `svg`


def _data_rows(facts: ReportInput) -> list[tuple[str, str]]:
    """What the evidence says about data, parity and packages; nested values one level deep."""
    if facts.evidence is None:
        return []
    known = {
        **facts.evidence.data,
        "parity": facts.evidence.parity,
        "environment": facts.evidence.environment,
    }
    rows: list[tuple[str, str]] = []
    for name, value in known.items():
        called = tasks.base_rate_of(facts) if name == "base_rate" else name.replace("_", " ")
        inner = sorted(value.items()) if isinstance(value, dict) else [("", value)]
        rows += [(f"{called} {key}".strip().replace("_", " "), _plain(one)) for key, one in inner]
    return rows[:MAXIMUM_ROWS]


def _share(value: object) -> str:
    return texts.percent(value) if isinstance(value, float) else _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: texts.NO_DATA}[value]
    if isinstance(value, int):
        return texts.count(value)
    if isinstance(value, float):
        return texts.count(int(value)) if value.is_integer() else texts.number(value, 4)
    if isinstance(value, dict):
        # The shares of classes or clusters, or counts by what they count.
        return ", ".join(f"{name} {_share(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
