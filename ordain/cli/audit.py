"""`ordain audit`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.options import output_option
from ordain.cli.session import now, open_session
from ordain.specs.diagnostics import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ordain.cli.session import Session
    from ordain.ledger.chain import Anchor
    from ordain.ledger.records import Event, Prediction
    from ordain.ledger.verification import VerifyReport
    from ordain.specs.findings import Finding


class Instant(click.ParamType[datetime]):
    """A day or an instant; without an offset it is UTC."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the text, or say what it should look like."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-11-20T09:30:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.group()
def command() -> None:
    """Verify and query the ledger."""


@command.command()
@click.pass_obj
@click.pass_context
def verify(ctx: click.Context, directory: Path) -> None:
    """Prove that no record was changed, removed, reordered or cut off.

    Chains are compared with themselves, with the heads that the control chain has recorded, and
    with the heads that were anchored in git.
    """
    from ordain.cli.failures import finding_line
    from ordain.ledger.verification import verify as verify_ledger
    from ordain.reconciler.anchors import LAST_ANCHOR, accept, read_anchors
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of

    with open_session(directory) as session:
        _fetch(session)
        # What is on the branch and was refused may list anybody's key as the reconciler's.
        good = session.state.get("good") or session.source.head()
        organization = organization_of(read_side(session.source, good).estate)
        allowed = allowed_keys(organization)
        accept(session.source, allowed, now())
        known = session.state.get(LAST_ANCHOR)
        anchors = read_anchors(session.source, allowed, now(), known=known)
        report = verify_ledger(session.ledger, anchors=anchors)
    for chain in report.chains:
        head = f"{chain.head.seq} {chain.head.hash[:16]}" if chain.head else "no record"
        click.echo(f"{'ok ' if not chain.findings else 'BAD'} {chain.name:<48} head {head}")
    for finding in report.findings:
        click.echo(finding_line(finding), err=True)
    trouble = [finding.message for finding in report.findings if _counts(finding)]
    if not report.records:
        trouble.append("there is no record, so nothing was verified")
    elif not anchors:
        trouble.append("git holds no anchor, so nobody can say that nothing was removed")
    if trouble:
        click.echo(f"The ledger does not verify: {trouble[0]}.", err=True)
        click.echo(f"Next: {_mending(report)}")
        ctx.exit(1)
    click.echo(
        f"Verified {report.records} records in {len(report.chains)} chains against {len(anchors)}"
        " anchors in git: nothing up to the last anchor is missing or changed."
    )
    later = _after_anchors(report, anchors)
    if later:
        told = "are younger than it; they hold together among themselves"
        if later == 1:
            told = "is younger than it; it holds by itself"
        click.echo(f"{plural(later, 'record')} {told}.")
    click.echo("Next: ordain audit query")


def _mending(report: VerifyReport) -> str:
    """Damage is explained; a record that is only missing its anchor is anchored by a pass."""
    broken = next((finding for finding in report.findings if _counts(finding)), None)
    return "ordain reconcile --once" if broken is None else f"ordain explain {broken.code}"


def _fetch(session: Session) -> None:
    """Ask the remote for its anchors; what is here can be verified without it."""
    from ordain.vcs.errors import GitError

    try:
        session.source.fetch()
    except GitError as error:
        click.echo(f"warning: going on with what was fetched last: {error.message}", err=True)


def _counts(finding: Finding) -> bool:
    """Whether a finding speaks against the ledger; a torn tail does not."""
    return finding.severity.value == "error"


def _after_anchors(report: VerifyReport, anchors: Iterable[Anchor]) -> int:
    """How many records no anchor covers."""
    covered: dict[str, int] = {}
    for one in anchors:
        covered[one.chain] = max(covered.get(one.chain, -1), one.seq)
    return sum(
        chain.head.seq - covered.get(chain.name, -1) for chain in report.chains if chain.head
    )


@command.command()
@click.option("--since", type=Instant(), help="From this instant on.")
@click.option("--until", type=Instant(), help="Before this instant.")
@click.option("--kind", help="Events of this kind, or of this first word, such as gate.")
@click.option("--subject", help="Events about this subject.")
@click.option("--model", help="Predictions of this model.")
@click.option("--route", help="Predictions through this route.")
@click.option("--version", help="Predictions of this version.")
@click.option("--id", "identifier", help="One prediction.")
@click.option("--predictions", is_flag=True, help="Predictions instead of control events.")
@output_option
@click.pass_obj
@click.pass_context
def query(
    ctx: click.Context,
    directory: Path,
    since: datetime | None,
    until: datetime | None,
    kind: str | None,
    subject: str | None,
    model: str | None,
    route: str | None,
    version: str | None,
    identifier: str | None,
    predictions: bool,
    output: str,
) -> None:
    """List control events or predictions by time, kind, model, version, route or id.

    JSON output is one object per line. Without a match the exit code is 1.
    """
    with open_session(directory) as session:
        if identifier is not None:
            found = session.ledger.prediction(identifier)
            rows: list[Event | Prediction] = [] if found is None else [found]
        elif predictions or model or route or version:
            rows = list(
                session.ledger.predictions(
                    since=since, until=until, route=route, model=model, version=version
                )
            )
        else:
            rows = list(session.ledger.events(since=since, until=until, kind=kind, subject=subject))
    for row in rows:
        click.echo(_as_json(row) if output == "json" else _as_text(row))
    if not rows:
        click.echo("No record matches.", err=True)
        ctx.exit(1)
    if output == "text":
        click.echo(f"Next: {_following(rows[-1])}")


@command.command()
@click.argument("commit")
@output_option
@click.pass_obj
@click.pass_context
def verdict(ctx: click.Context, directory: Path, commit: str, output: str) -> None:
    """Show the record of the newest verdict that the reconciler gave of a commit.

    COMMIT is any name of git for it. The record is believed only when it has the digest that the
    ledger holds. JSON output is the record as it was written. Without a verdict the exit code is 1.
    """
    from ordain.reconciler.verdicts import kept_record

    with open_session(directory) as session:
        subject = session.source.repository.resolve(commit)
        events = list(session.ledger.events(kind="gate", subject=subject))
        record = kept_record(session.source.home.verdicts, events[-1].data) if events else None
    if record is None:
        click.echo(f"The ledger holds no verdict of {subject[:12]}.", err=True)
        ctx.exit(1)
    if output == "json":
        from ordain.policies.records import record_bytes

        click.echo(record_bytes(record), nl=False)
        return
    for line in _verdict_lines(record):
        click.echo(line)
    click.echo("Next: ordain audit verify")


def _verdict_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """A record in words; no text of the estate can draw with it."""
    from ordain.specs.diagnostics import one_line

    base = f" on {record['base'][:12]}" if record["base"] else ""
    change = record["change"] or {"kind": "none", "digest": None, "contributors": []}
    yield f"{record['verdict']}: {record['revision'][:12]}{base}, as of {record['as_of']}"
    yield f"  change        {change['kind']} {change['digest'] or 'without a digest'}"
    yield f"  contributors  {', '.join(change['contributors']) or 'nobody known'}"
    yield f"  rules         {len(record['policies'])} of {record['engine']}"
    for one in record["approvals"]["counted"]:
        yield one_line(f"  approved by   {one['person']} as {one['role']} ({one['proof']})")
    for one in record["approvals"]["refused"]:
        yield one_line(f"  not counted   {one['person']} as {one['role']}: {one['reason']}")
    for one in record["findings"]:
        place = f"{one['location']['path']}: " if one["location"] else ""
        yield one_line(f"  {one['severity']}[{one['code']}]  {place}{one['message']}")
    for one in record["suppressed"]:
        yield one_line(f"  waived[{one['code']}]  {one['message']} ({one['waiver']['name']})")
    yield f"  record        {record['digest']}"


def _following(row: Event | Prediction) -> str:
    """A prediction can be explained; events are proven together."""
    from ordain.ledger.records import Event

    return "ordain audit verify" if isinstance(row, Event) else f"ordain reasons {row.id}"


def _as_json(row: Event | Prediction) -> str:
    from dataclasses import asdict

    head = {"format": "ordain.record/1", "type": type(row).__name__.lower()}
    return json.dumps({**head, **asdict(row)}, default=str, sort_keys=True)


def _as_text(row: Event | Prediction) -> str:
    from ordain.ledger.records import Event
    from ordain.reports.texts import number

    moment = row.time.isoformat(timespec="milliseconds")
    if isinstance(row, Event):
        data = json.dumps(row.data, sort_keys=True)
        return f"{moment}  {row.kind:<20} {row.subject:<32} {row.actor}  {data[:200]}"
    output = "no output" if row.output is None else number(row.output, 6)
    return (
        f"{moment}  {row.id}  {row.route:<16} {row.model}@{row.version}"
        f"  {output}  {row.decision or ''}"
    )
