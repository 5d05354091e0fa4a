"""The hooks of git that ask ordain, put into a clone or a server's repository.

A hook is a few lines of shell that start the interpreter it was installed with, whatever the
environment of the pusher says (`python -I`). What goes wrong on the way ends in a code that is not
0, and git takes that for a refusal: a gate that cannot be asked is closed. A hook of somebody else
is never overwritten unless that is asked for, and then it is kept beside.

Symbolic links to an installed script were refused: an upgrade that moves it would leave no hook,
and git runs none in silence.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ordain
from ordain.reconciler.errors import HookRefused
from ordain.reconciler.gating import gate_history
from ordain.reconciler.served import HEADS, REF, ROOT
from ordain.reconciler.source import protected_branch_of, served_source
from ordain.specs.findings import Severity
from ordain.vcs.objects import is_id
from ordain.vcs.process import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.vcs.git import Repository

CLONE: Final = ("pre-commit", "pre-push")
SERVER: Final = ("pre-receive",)
KEPT: Final = ".before-ordain"
# Nobody but its owner may write what decides over everybody.
FOREIGN: Final = 0o022
MARK: Final = "# Written by `ordain hook install`."
# Objects that git itself calls broken never come in, and one push cannot fill the disk. Who moved
# which ref is written down by git, under the name that the server has asked for.
SETTINGS: Final = (
    ("receive.fsckObjects", "true"),
    ("receive.maxInputSize", "128m"),
    ("core.logAllRefUpdates", "always"),
)
_SCRIPT: Final = """\
#!/bin/sh
{mark} An edit is told by `ordain hook status`.
python={python}
if [ ! -x "$python" ]; then
    echo "ordain: $python is gone, so nothing can be judged: run ordain hook install again" >&2
    exit 1
fi
exec "$python" -I {module} hook run {name} "$@"
"""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: `state` is ours, changed, foreign, missing or not executable."""

    name: str
    path: Path
    state: str


def install(repository: Repository, names: tuple[str, ...], *, force: bool) -> tuple[Hook, ...]:
    """Write hooks; those that are there as they should be stay as they are.

    Raises:
        HookRefused: git would not run them, or there is one of somebody else.
    """
    hooks = status(repository, names)
    foreign = [hook for hook in hooks if hook.state == "foreign"]
    if foreign and not force:
        message = f"there is a hook already: {foreign[0].path}"
        remedy = f"call ordain from it, or use --force, which keeps it as {foreign[0].name}{KEPT}"
        raise HookRefused(message, remedy=remedy)
    for hook in foreign:
        hook.path.replace(_free(hook.path))
    for hook in hooks:
        _write(hook.path, script(hook.name))
    return hooks


def _free(path: Path) -> Path:
    """Where a hook of somebody else is kept; what was kept before stays, too."""
    place = path.with_name(path.name + KEPT)
    count = 1
    while os.path.lexists(place):
        count += 1
        place = path.with_name(f"{path.name}{KEPT}-{count}")
    return place


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a push may come in while this is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.chmod(0o755)
    beside.replace(path)


def status(repository: Repository, names: tuple[str, ...]) -> tuple[Hook, ...]:
    """What stands where git looks for its hooks.

    Raises:
        HookRefused: git looks elsewhere (`core.hooksPath`).
    """
    directory = _directory(repository)
    return tuple(Hook(name, directory / name, _state(directory / name)) for name in names)


def _state(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return "foreign" if os.path.lexists(path) else "missing"
    if MARK not in text:
        return "foreign"
    if text != script(path.name) or path.stat().st_mode & FOREIGN:
        return "changed"
    return "ours" if os.access(path, os.X_OK) else "not executable"


def script(name: str) -> str:
    """The text of a hook for this interpreter and this ordain."""
    python = shlex.quote(sys.executable)
    return _SCRIPT.format(mark=MARK, python=python, module=_module(), name=name)


def _module() -> str:
    """How the interpreter finds this ordain: by itself, or told where, if it runs from sources."""
    home = Path(ordain.__file__).resolve().parents[1]
    look = "import importlib.util as u; s = u.find_spec('ordain'); print(s.origin if s else '')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", look], cwd="/", capture_output=True, text=True, check=False
    )
    if done.stdout.strip() == str(home / "ordain" / "__init__.py"):
        return "-m ordain.cli"
    code = f"import sys; sys.path.insert(0, {str(home)!r}); from ordain.cli import main; main()"
    return f"-c {shlex.quote(code)}"


def _directory(repository: Repository) -> Path:
    """Where git looks for hooks, which must be inside of this repository."""
    answer = repository.ask("config", "--show-scope", "-z", "--get-all", "core.hooksPath")
    parts = os.fsdecode(answer.out).split("\0")[:-1]
    elsewhere = [
        (scope, path)
        for scope, path in zip(parts[::2], parts[1::2], strict=True)
        # Our own git is told to run no hooks.
        if scope != "command"
    ]
    if elsewhere:
        scope, path = elsewhere[-1]
        message = f"git looks for hooks in {path} (core.hooksPath, {scope})"
        remedy = f"call ordain from there, or: git config --{scope} --unset-all core.hooksPath"
        raise HookRefused(message, remedy=remedy)
    command = ("rev-parse", "--git-common-dir")
    found = os.fsdecode(checked(repository.ask(*command), command)[:-1])
    return (repository.path / found / "hooks").resolve()


# Servers


def found_server(
    repository: Repository,
    root: str | None,
    branch: str | None,
    *,
    environ: Mapping[str, str],
    now: datetime,
) -> tuple[str, str]:
    """Settle which branch a server protects and where trust begins; returns both.

    A branch that is there brings its own root, and passes the gate from there to its tip, or
    whoever runs the server names a later commit. Running it again changes nothing.

    Raises:
        HookRefused: it is no bare repository, nobody knows where trust begins, or what the branch
            holds is nothing to begin with.
    """
    if not repository.bare:
        message = f"{repository.path} has a work tree, and a server's repository has none"
        raise HookRefused(message, remedy="make one with: git clone --bare ESTATE SERVER.git")
    known = _configured(repository)
    ref = f"{HEADS}{branch}" if branch else known.get(REF) or _ref_of(repository)
    tip = repository.refs(ref).get(ref)
    start = root or known.get(ROOT) or (repository.root_commit(tip) if tip else "")
    if root is not None and tip is not None:
        start = repository.resolve(root)
        repository.first_parent(start, tip)
    if not is_id(start):
        message = f"there is no {ref} yet, so it must be said where trust begins"
        remedy = "give the whole id of the estate's first commit: --root COMMIT"
        raise HookRefused(message, remedy=remedy)
    # What was settled once is not asked again: keys that end would keep out every upgrade.
    new = (ref, start) != (known.get(REF), known.get(ROOT))
    if new and tip and (trouble := untrusted(repository, ref, start, environ, now)):
        how = f"ordain hook install --server --root {tip}"
        remedy = f"revert it, or trust the branch as it is: {how}"
        raise HookRefused(trouble, remedy=remedy)
    for name, value in ((REF, ref), (ROOT, start)):
        _set(repository, name, value)
    for name, value in SETTINGS:
        if name.lower() not in known:
            _set(repository, name, value)
    return ref, start


def untrusted(
    repository: Repository, ref: str, start: str, environ: Mapping[str, str], now: datetime
) -> str:
    """Why the gate does not let a branch pass from where trust begins to its tip; empty if it does.

    The hook judges only what is pushed through it: it would build on what came before it, or past
    it by somebody with a shell.
    """
    tip = repository.refs(ref)[ref]
    source = served_source(repository, ref.removeprefix(HEADS), tip, environ)
    refused = gate_history(source, start, tip, now).refused
    if not refused:
        return ""
    first = refused[0]
    found = next(one for one in first.findings if one.severity is Severity.ERROR)
    return f"{first.revision[:12]} of {ref} does not pass the gate: [{found.code}] {found.message}"


def loose_settings(repository: Repository) -> tuple[str, ...]:
    """What somebody has set otherwise than ordain would, and what ordain leaves so."""
    known = _configured(repository)
    return tuple(
        f"{name} is {known[name.lower()]} here and stays; ordain would set {value}"
        for name, value in SETTINGS
        if known.get(name.lower(), value) != value
    )


def _ref_of(repository: Repository) -> str:
    """The branch that the estate of `HEAD` names, or the one that `HEAD` will be on."""
    branch = repository.branch() or "main"
    if f"{HEADS}{branch}" in repository.refs(HEADS):
        branch = protected_branch_of(repository, f"{HEADS}{branch}")
    return f"{HEADS}{branch}"


def _configured(repository: Repository) -> dict[str, str]:
    command = ("config", "--local", "-z", "--list")
    records = os.fsdecode(checked(repository.ask(*command), command)).split("\0")[:-1]
    pairs = (record.partition("\n") for record in records)
    return {name: value for name, _, value in pairs}


def _set(repository: Repository, name: str, value: str) -> None:
    command = ("config", "--local", name, value)
    checked(repository.ask(*command), command)
