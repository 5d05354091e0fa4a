"""`ordain hook`."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from ordain.reconciler.hooks import Hook

_SERVER = click.option(
    "--server", is_flag=True, help="The bare repository that a git server keeps, not a clone."
)


@click.group()
def command() -> None:
    """Let git ask, before a commit or push and on a server."""


@command.command()
@_SERVER
@click.option(
    "--root",
    metavar="COMMIT",
    help="With --server: where trust begins; by default the first commit of the branch.",
)
@click.option("--branch", help="With --server: the branch to protect; by default the estate's.")
@click.option(
    "--force", is_flag=True, help="Put a hook of somebody else aside, as NAME.before-ordain."
)
@click.pass_obj
def install(
    directory: Path, server: bool, root: str | None, branch: str | None, force: bool
) -> None:
    """Write the hooks of this clone, or with --server the one of a server's repository.

    A clone gets pre-commit, which checks what is about to be committed, and pre-push, which judges
    what is pushed against the protected branch. A server gets pre-receive, which refuses every push
    that breaks a rule, and settings that keep broken objects out.
    """
    from ordain.reconciler.hooks import CLONE, SERVER, found_server, loose_settings
    from ordain.reconciler.hooks import install as install_hooks
    from ordain.specs.diagnostics import shown
    from ordain.vcs.git import Repository

    if not server and (root or branch):
        raise click.UsageError("--root and --branch go with --server")
    with Repository.open(directory) as repository:
        _refuse_wrong_place(repository.bare, server)
        trusted = None
        if server:
            trusted = found_server(repository, root, branch, environ=os.environ, now=now())
        loose = loose_settings(repository) if server else ()
        before = install_hooks(repository, SERVER if server else CLONE, force=force)
    for hook in before:
        click.echo(f"{hook.name}: {_DONE[hook.state]} ({hook.path})")
    if trusted is not None:
        ref, start = trusted
        click.echo(f"Protects {ref}; trust begins at {start[:12]}.")
    for line in loose:
        click.echo(shown(line))
    click.echo(f"Next: ordain hook status{' --server' if server else ''}")


_DONE = {
    "ours": "was there",
    "changed": "brought up to date",
    "not executable": "brought up to date",
    "foreign": "put in the place of another, which is kept",
    "missing": "written",
}
_WORDS = {
    "ours": "installed",
    "changed": "not as this ordain writes it, or others may write it",
    "not executable": "not executable, so that git does not run it",
    "foreign": "a hook of somebody else",
    "missing": "not installed",
}


def _refuse_wrong_place(bare: bool, server: bool) -> None:
    from ordain.reconciler.errors import HookRefused

    if bare and not server:
        message = "this is a bare repository, and the hooks of a clone need a work tree"
        raise HookRefused(message, remedy="give --server, if a git server keeps it")


@command.command()
@_SERVER
@click.pass_obj
@click.pass_context
def status(ctx: click.Context, directory: Path, server: bool) -> None:
    """Say whether the hooks are there and as ordain writes them; the exit code is 1 if not.

    On a server the protected branch is judged, too, from where trust begins to its tip.
    """
    from ordain.reconciler.hooks import CLONE, SERVER, loose_settings, untrusted
    from ordain.reconciler.hooks import status as look
    from ordain.reconciler.served import open_served
    from ordain.specs.diagnostics import shown
    from ordain.vcs.git import Repository

    trouble = ""
    with Repository.open(directory) as repository:
        server = server or repository.bare
        hooks = look(repository, SERVER if server else CLONE)
        for hook in hooks:
            click.echo(f"{hook.name}: {_WORDS[hook.state]} ({hook.path})")
        if server:
            served = open_served(repository, os.environ)
            # Somebody with a shell may have put another history there.
            repository.first_parent(served.root, served.base)
            click.echo(f"Protects {served.ref}; trust begins at {served.root[:12]}.")
            for line in loose_settings(repository):
                click.echo(shown(line))
            if served.founded:
                trouble = untrusted(repository, served.ref, served.root, os.environ, now())
            if trouble:
                click.echo(f"Not to be trusted: {shown(trouble)}")
    click.echo(f"Next: {_next(hooks, server, trouble)}")
    ctx.exit(0 if all(hook.state == "ours" for hook in hooks) and not trouble else 1)


def _next(hooks: tuple[Hook, ...], server: bool, trouble: str) -> str:
    if trouble:
        return "revert it, or trust the branch as it is: ordain hook install --server --root TIP"
    if all(hook.state == "ours" for hook in hooks):
        return "ordain doctor" if server else "ordain check"
    return f"ordain hook install{' --server' if server else ''}"


@command.group(hidden=True)
def run() -> None:
    """What the hooks call."""


@run.command("pre-receive")
@click.pass_context
def pre_receive(ctx: click.Context) -> None:
    """Judge a push: its refs on standard input, the pusher in REMOTE_USER or ORDAIN_PUSHER."""
    from ordain.cli.hook_words import push_lines
    from ordain.reconciler.pushes import RefusedUpdate, judge_push, parse_updates, pusher_named
    from ordain.reconciler.served import open_served
    from ordain.specs.errors import FindingsError, OrdainError
    from ordain.vcs.git import Repository

    # The process ends before there is garbage worth looking for.
    gc.disable()
    try:
        updates = parse_updates(sys.stdin.buffer.read())
        login = pusher_named(os.environ)
        # Git starts a hook of a bare repository in it.
        with Repository.open(Path.cwd()) as repository:
            refused = judge_push(open_served(repository, os.environ), updates, login, now())
    except FindingsError as error:
        refused = (RefusedUpdate("", error.findings),)
    except OrdainError as error:
        from ordain.reconciler.refusals import problem

        refused = (RefusedUpdate("", (problem(error.code, error.message, error.remedy),)),)
    for line in push_lines(refused):
        click.echo(line, err=True)
    ctx.exit(1 if refused else 0)


@run.command("pre-commit")
@click.pass_context
def pre_commit(ctx: click.Context) -> None:
    """Check what is about to be committed, which is the index and not the work tree."""
    from ordain.cli.hook_words import finding_lines
    from ordain.policies.gate import check
    from ordain.reconciler.trees import CommitTree
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import ESTATE_FILE
    from ordain.vcs.git import Repository

    with Repository.open(Path.cwd()) as repository:
        tree = CommitTree(repository, repository.index_tree(os.environ.get("GIT_INDEX_FILE")))
        if ESTATE_FILE not in tree:
            return
        judgement = check(load_estate(tree), now(), tree=tree)
    for line in finding_lines(judgement.findings, "ordain check"):
        click.echo(line, err=True)
    if judgement.blocked:
        click.echo("Nothing was committed. Next: mend it, git add, and commit again", err=True)
    ctx.exit(1 if judgement.blocked else 0)


@run.command("pre-push")
@click.argument("remote")
@click.argument("url", default="")
@click.pass_context
def pre_push(ctx: click.Context, remote: str, url: str) -> None:  # noqa: ARG001 - git gives it
    """Judge what is pushed against the protected branch; approvals may still be missing."""
    from ordain.cli.hook_words import finding_lines
    from ordain.reconciler.outgoing import judge_outgoing
    from ordain.reconciler.source import open_source
    from ordain.specs.diagnostics import shown
    from ordain.specs.findings import blocking

    lines = sys.stdin.read()
    source = open_source(Path.cwd(), os.environ)
    try:
        blocked = False
        for one in judge_outgoing(source, remote, lines, now()):
            said = finding_lines(one.findings, one.command)
            if not one.compared:
                said.insert(0, f"not compared with the protected branch: none of {remote} is here")
            for line in [f"ordain: {one.ref}", *said] if said else []:
                click.echo(shown(line), err=True)
            blocked = blocked or blocking(one.findings)
    finally:
        source.repository.close()
    ctx.exit(1 if blocked else 0)
