"""`ordain reasons`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ordain.cli.options import output_option
from ordain.cli.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ordain.cli.session import Session
    from ordain.reconciler.gating import Side
    from ordain.reports.decisions import Explained

_LONGEST = 60


@click.command()
@click.argument("identifier")
@output_option
@click.pass_obj
def command(directory: Path, identifier: str, output: str) -> None:
    """Explain one prediction by the version that made it.

    IDENTIFIER is the id that the prediction was answered with. The recorded inputs are put through
    the recorded version again; if that gives another output, this is said and nothing is explained.
    """
    from ordain.reports.decisions import explain_decision, find_decision

    with open_session(directory) as session:
        prediction = find_decision(identifier, session.ledger)
        side = _as_approved(session, prediction.model, prediction.version)
        found = explain_decision(prediction, session.artifacts, side.estate, side.tree)
    if output == "json":
        click.echo(json.dumps(found.to_json(), sort_keys=True))
        return
    for line in lines_of(found):
        click.echo(line)
    click.echo(f"Next: ordain report {prediction.model}")


def lines_of(found: Explained) -> Iterator[str]:
    """The explanation as text.

    What is explained is said where it is not the unfavourable one of two decisions.
    """
    from ordain.reports.texts import number
    from ordain.runtime.reasons.ranking import UNFAVOURABLE

    prediction, subject = found.prediction, found.subject
    yield (
        f"{prediction.id}  {prediction.time:%Y-%m-%d %H:%M:%S} UTC  route {prediction.route}"
        f"  {prediction.model}@{prediction.version}"
    )
    decision = f", decision {prediction.decision}" if prediction.decision else ""
    yield f"output {number(prediction.output, 6)}{decision} (replayed: identical)"
    if subject.about != UNFAVOURABLE:
        yield f"Explained is {subject.about}, in the unit: {subject.unit}"
    for reason in found.reasons:
        strongest = f"{reason.feature} = {_short(prediction.inputs.get(reason.feature))}"
        amount = _amount(reason.contribution, subject.unit)
        if not found.exact:
            amount += f", estimated, ± {1.96 * reason.error:.2g}"
        yield f"  {reason.rank}. {reason.code}  {reason.text}  ({amount}; {strongest})"
        if not reason.separated:
            yield "     Its place before the next one is within the error of the estimate."
    if not found.reasons:
        yield "  No feature pushed towards this decision."
    yield _method(found)


def _method(found: Explained) -> str:
    """How the contributions were found, and what they compare with."""
    background = found.background
    method = "Exact" if found.exact else "Estimated"
    count = len(background.rows)
    rows = "1 training row" if count == 1 else f"{count} training rows"
    of = "" if background.of == "all" else " that are decided favourably"
    return f"{method} Shapley values against {rows}{of}, {background.digest}"


def _short(value: object) -> str:
    """A value as it was sent; of a free text the beginning."""
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _amount(contribution: float, unit: str) -> str:
    if unit == "value":
        return f"{contribution:+.6g}"
    return f"{contribution:+.3f} {unit}"


def _as_approved(session: Session, model: str, version: str) -> Side:
    """The estate at the commit that brought a version to the protected branch."""
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.history import merged_by

    side = session.in_force()
    for document in side.estate.all("ModelVersion"):
        if document.spec.model == model and str(document.spec.version) == version:
            step = merged_by(session.source.repository, side.revision, document.path)
            return side if step is None else read_side(session.source, step[1])
    return side
