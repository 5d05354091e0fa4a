"""The command line: thin, and light until a command is chosen.

`ordain --help` must cost what a terminal user expects of a compiled tool, so this module imports
click and nothing of the house; each command's module is imported when it is called. The table below
therefore carries the one-line help as well, and a test holds it equal to the commands' own.

Exit codes, for every command: 0 it went well, 1 findings (a violation, a refusal, with
`--exit-code` a difference), 2 usage, environment or internal error.
"""

from __future__ import annotations

import sys

# Whoever presses Ctrl-C before the command has begun is told the same as afterwards.
try:
    import atexit
    import gc
    import importlib
    import os
    from pathlib import Path
    from typing import NoReturn

    import click

    import ordain
    from ordain.cli.streams import steady_streams
except KeyboardInterrupt:
    sys.stderr.write("Stopped.\n")
    raise SystemExit(2) from None

COMMANDS = {
    "init": ("init", "Make a new estate from an example."),
    "check": ("check", "Judge the estate: schema, references, policies."),
    "gate": ("gate", "Judge the change that a pipeline runs for."),
    "test": ("test", "Run the unit tests of policies."),
    "lint": ("lint", "Find what is wrong with policies themselves."),
    "train": ("train", "Train what the work tree declares, as an unsigned preview."),
    "validate": (
        "validate",
        "Validate an artifact on rows, as an unsigned preview.",
    ),
    "serve": ("serve", "Serve unsigned previews on this machine."),
    "runs": ("runs", "List, show, compare and prune runs of training."),
    "plan": ("plan", "Show what would be done to make production equal to git."),
    "apply": ("apply", "Carry out a plan, exactly as it was saved or as it is now."),
    "reconcile": ("reconcile", "Make production equal to git, once or for ever."),
    "status": ("status", "Show what runs where, and what waits for what."),
    "proposals": ("proposals", "List, show, approve and merge what the machine proposes."),
    "approve": ("approve", "Approve the content of a proposal, signed with your key."),
    "stop": ("stop", "Stop a route in an emergency."),
    "rollback": ("rollback", "Roll a deployment back in an emergency."),
    "emergencies": ("emergencies", "List, show and end what was done in an emergency."),
    "reasons": ("reasons", "Explain one prediction by the version that made it."),
    "monitor": ("monitor", "Compare recent predictions with the reference."),
    "report": ("report", "Write the page of evidence of a model."),
    "compile": ("compile", "Print what a target would get."),
    "reproduce": ("reproduce", "Make a version again and compare it, byte for byte."),
    "provenance": ("provenance", "Verify and show where a version came from."),
    "audit": ("audit", "Verify and query the ledger."),
    "keys": ("keys", "Keys that may call routes; people's keys as files."),
    "pin": ("pin", "Keep a dataset's rows, and pin their digest."),
    "digest": ("digest", "Print the digest of what a document declares."),
    "codeowners": ("codeowners", "Print the CODEOWNERS that the documents give."),
    "lock": ("lock", "Write the versions that training runs with."),
    "import": ("importing", "Take over models that exist already."),
    "down": ("down", "Stop the serving processes of this machine."),
    "schema": ("schema", "Write JSON Schemas for editors."),
    "hook": ("hook", "Let git ask, before a commit or push and on a server."),
    "doctor": ("doctor", "Look for what is wrong with this machine, clone and home."),
    "explain": ("explain", "Explain a code, a field or a pack of policies."),
    "demo": ("demo", "Walk through the whole loop in a temporary estate."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ordain.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error is told while the context still knows about colours."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the edge of the tool: a defect is said to be one
            from ordain.cli.failures import report_failure

            ctx.exit(report_failure(error))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, and say which one was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 findings, 2 usage or internal error.",
)
@click.version_option(ordain.__version__, prog_name="ordain", message="%(prog)s %(version)s")
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Work on the estate in this directory.",
)
@click.option("--no-color", is_flag=True, help="Never colour the output; NO_COLOR=1 says the same.")
@click.pass_context
def command(ctx: click.Context, directory: Path, no_color: bool) -> None:
    """Declared in git, ordained in production."""
    # https://no-color.org: any text but the empty one. A dumb terminal shows the codes themselves.
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    ctx.obj = directory


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; every expected error becomes one message and an exit code."""
    # A command loads an estate and keeps all of it to its end: looking for garbage among it every
    # 700 objects finds nothing and costs a tenth of the time; once more at the exit, half as much.
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    steady_streams()
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        # Without standalone mode click hands back the code that a command ended with.
        code = command.main(args=arguments, prog_name="ordain", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        click.echo("Stopped.", err=True)
        return 2
    except OSError as error:
        # Help and usage are printed before a command is there to report it.
        from ordain.cli.failures import report_failure

        return report_failure(error)
    return code if isinstance(code, int) else 0
