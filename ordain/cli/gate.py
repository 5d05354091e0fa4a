"""`ordain gate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ordain.cli.options import outputs_option
from ordain.cli.session import now
from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ordain.cli.judging import Seen
    from ordain.cli.offers import Offer
    from ordain.cli.outputs import Output
    from ordain.cli.pipelines import Pipeline

# What the outputs of a step are collected in; the workflow's own names for them.
_OUTPUT: Final = "GITHUB_OUTPUT"


@click.command()
@click.option("--base", help="Judge against this commit, instead of the one that the event names.")
@click.option("--head", help="Judge this commit, instead of the one that the event names.")
@click.option(
    "--proposal",
    type=click.IntRange(min=1),
    help="The number of the pull or merge request, whose reviews count.",
)
@click.option(
    "--fetch/--no-fetch",
    default=True,
    show_default=True,
    help="Bring the base, the whole history and all approvals here first.",
)
@click.option(
    "--comment/--no-comment",
    default=True,
    show_default=True,
    help="Write the one comment under the proposal, in a pipeline that has a token.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the record of the verdict to this file.",
)
@outputs_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    base: str | None,
    head: str | None,
    proposal: int | None,
    fetch: bool,
    comment: bool,
    record: Path | None,
    outputs: tuple[Output, ...],
) -> None:
    """Judge the change that a pipeline runs for.

    On GitHub Actions (pull_request, merge_group, push) and GitLab (merge requests, merge trains,
    pushes) the change is the one that the event names; elsewhere say it with --base and --head.
    The merge is judged by the rules of its base. The exit code is the verdict: 0 it may be merged,
    1 it may not, 2 it could not be judged, which is never a pass.

    Without -o, GitHub gets annotations and a summary of the job, everybody else text.
    """
    from ordain.cli.offers import prepared
    from ordain.cli.outputs import settle
    from ordain.cli.pipelines import pipeline_of, settled
    from ordain.cli.places import refuse_place
    from ordain.specs.findings import Severity

    pipeline = settled(pipeline_of(os.environ), base, head, proposal)
    chosen = settle(_outputs(ctx, outputs, pipeline), os.environ)
    if record is not None:
        refuse_place(record)
    files = [one.file for one in chosen if one.file is not None and not one.append]
    for file in files if record is None else [record, *files]:
        _make_room(file, _top(directory))
    moment = now()
    with prepared(directory, pipeline, os.environ, fetch=fetch) as offer:
        seen = _seen(offer, pipeline, moment)
        _tell(ctx, offer, seen, moment, record, chosen)
        if comment:
            _comment(offer, seen, pipeline, moment)
    _tell_workflow(seen, record)
    ctx.exit(1 if seen.failed(Severity.ERROR) else 0)


def _top(directory: Path) -> Path:
    """The work tree that a change has filled."""
    place = Path(os.path.abspath(directory))  # noqa: PTH100 - a link stays one
    return next((one for one in (place, *place.parents) if (one / ".git").exists()), place)


def _make_room(file: Path, top: Path) -> None:
    """Take away what stands in the place of the record or of a report.

    A change may bring a file of that name, which would be kept as that of a run that gave no
    verdict, or a link, through which it would be written into somebody else's file. Links that no
    change brings, such as /dev/stdout, stay.

    Raises:
        click.UsageError: the way there goes through a link of the change.
    """
    place = Path(os.path.abspath(file))  # noqa: PTH100 - a link stays one
    inside = place.is_relative_to(top)
    way = [one for one in place.parents if one != top and one.is_relative_to(top)]
    if any(one.is_symlink() for one in way):
        raise click.UsageError(f"the way to {file} goes through a link; name another file")
    if inside if place.is_symlink() else place.is_file():
        place.unlink()


def _outputs(
    ctx: click.Context, outputs: tuple[Output, ...], pipeline: Pipeline
) -> tuple[Output, ...]:
    """What was asked for, or what the forge shows best."""
    from ordain.cli.outputs import SUMMARY_VARIABLE, Output
    from ordain.cli.pipelines import System

    asked = ctx.get_parameter_source("outputs") is not click.core.ParameterSource.DEFAULT
    if asked or pipeline.system is not System.GITHUB:
        return outputs
    summary = (Output("github-summary"),) if os.environ.get(SUMMARY_VARIABLE) else ()
    return (Output("github"), *summary)


def _seen(offer: Offer, pipeline: Pipeline, moment: datetime) -> Seen:
    from ordain.cli.judging import judge_change, judge_pushed
    from ordain.cli.pipelines import Occasion

    if pipeline.occasion is Occasion.PUSH:
        return judge_pushed(offer.source, offer.base, offer.head, moment)
    number = pipeline.proposal
    return judge_change(offer.source, offer.base, offer.head, moment, number=number)


def _tell(
    ctx: click.Context,
    offer: Offer,
    seen: Seen,
    moment: datetime,
    record: Path | None,
    chosen: Sequence[Output],
) -> None:
    """Say it everywhere; the record first, because without it nothing is said."""
    from ordain.cli.judging import described, record_of, show_text, write_out, write_record

    if record is not None:
        write_record(record, record_of(offer.source, seen, moment))
    if any(one.file is not None or one.format != "text" for one in chosen):
        write_out(described(seen, moment, settled=chosen), chosen)
    if any(one.file is None and one.format == "text" for one in chosen):
        show_text(ctx, seen)


def _comment(offer: Offer, seen: Seen, pipeline: Pipeline, moment: datetime) -> None:
    """Write the comment; that it cannot be written changes no verdict, and is said."""
    from ordain.cli.pipelines import Occasion

    if pipeline.occasion is not Occasion.PROPOSAL or pipeline.proposal is None:
        return
    if pipeline.fork:
        _note("no comment: the pipeline of a fork may not write here")
        return
    try:
        said = _posted(offer, seen, pipeline, moment)
    except OrdainError as error:
        said = f"no comment: {error.message}"
    _note(said)


def _posted(offer: Offer, seen: Seen, pipeline: Pipeline, moment: datetime) -> str:
    from ordain.cli.judging import described
    from ordain.cli.pipelines import open_host
    from ordain.reconciler.comments import MARKER, render_comment
    from ordain.reconciler.preview import preview

    host = open_host(pipeline, offer.source.repository, os.environ)
    proposal = host.proposal(pipeline.proposal or 0)
    if proposal.head != seen.revision:
        return f"no comment: {pipeline.system.value} has a newer commit of this proposal"
    found = None if seen.change is None else preview(*seen.change, head=seen.revision)
    settings = seen.estates[0].all("Estate")
    reviews = bool(settings) and settings[0].spec.forge.type == pipeline.system.value
    body = render_comment(described(seen, moment), found, reviews=reviews)
    return f"comment {host.comment(proposal, MARKER, body).value}"


def _note(text: str) -> None:
    from ordain.specs.diagnostics import one_line

    click.echo(f"note: {one_line(text)}", err=True)


def _tell_workflow(seen: Seen, record: Path | None) -> None:
    """The outputs of a step of GitHub Actions, for the steps after it."""
    place = os.environ.get(_OUTPUT)
    if not place:
        return
    from ordain.policies.gate import verdict_of

    lines = [f"verdict={verdict_of(seen.findings).value}"]
    # A line break in a name would let it say more than one output.
    if record is not None and str(record).isprintable():
        lines.append(f"record={record}")
    with Path(place).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
