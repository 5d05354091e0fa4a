"""The repository, the estate in it, and what is around: branch, hooks, schemas, packs, remote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ordain.reconciler.doctor.checks import (
    Missing,
    desk,
    fail,
    hook_of_server,
    need,
    ok,
    serving,
    skip,
    warn,
    whole,
)
from ordain.specs.diagnostics import plural
from ordain.specs.findings import Severity
from ordain.specs.trees import misplaced
from ordain.vcs.errors import GitTimeout
from ordain.vcs.process import ask, last_line

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.doctor.checks import Answer, Surroundings
    from ordain.reconciler.source import Source
    from ordain.vcs.git import Repository

# What `ordain hook install` writes; its module needs libraries that may be what is missing here.
_HOOKS: Final = ("pre-commit", "pre-push")
_SCHEMAS: Final = "schemas"


def repository(around: Surroundings) -> Answer:
    """The directory is in a git repository."""
    found = around.repository
    if isinstance(found, Missing):
        return fail(found.reason, found.remedy)
    return ok(str(found.path))


def estate(around: Surroundings) -> Answer:
    """The files declare an estate that can be read."""
    found, root = around.estate, around.root
    if isinstance(found, Missing):
        return fail(found.reason, found.remedy)
    errors = [one for one in found.findings if one.severity is Severity.ERROR]
    if errors:
        first = f"{errors[0].location}: {errors[0].message}"
        where = f"{plural(len(errors), 'error')} in {plural(len(found.files), 'file')}"
        return fail(f"{where}; first {first}", "ordain check")
    elsewhere = None if isinstance(root, Missing) else misplaced(root)
    if elsewhere is not None:
        return fail(elsewhere.message, elsewhere.remedy)
    return ok(f"{plural(len(found.documents), 'document')} in {plural(len(found.files), 'file')}")


def commit(around: Surroundings) -> Answer:
    """The newest commit declares an estate, with its whole history."""
    need(around.repository)
    found = around.source
    if isinstance(found, Missing):
        return fail(found.reason, found.remedy)
    if found.unusable is not None:
        return fail(found.unusable.message, found.unusable.remedy)
    dirty = found.repository.dirty_paths()
    differ = f"; not in it: {plural(len(dirty), 'changed file')}" if dirty else ""
    return ok(
        f"{found.repository.resolve('HEAD')[:12]}, rooted in {found.root_commit[:12]}{differ}"
    )


def branch(around: Surroundings) -> Answer:
    """The branch that production follows is there."""
    server = serving(around)
    if server is not None:
        return _served_branch(need(around.repository), *server)
    source = need(around.source)
    if source.ref not in source.repository.refs(source.ref):
        where = source.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        make = f"make it where production should begin: git branch {where} COMMIT"
        remedy = make if source.forge.remote is None else _fetching(source, source.forge.remote)
        return fail(f"production follows {where}, which is not here", remedy)
    head = source.head()
    count = source.repository.ask("rev-list", "--left-right", "--count", f"{head}...HEAD").out
    behind, ahead = count.decode().split()
    if (behind, ahead) == ("0", "0"):
        return ok(f"{source.ref} at {head[:12]}; this checkout is there too")
    return ok(f"{source.ref} at {head[:12]}; this checkout is {ahead} ahead, {behind} behind")


def _served_branch(repository: Repository, ref: str, root: str) -> Answer:
    """What a server protects; whoever pushes has made it, and nothing is fetched here."""
    tip = repository.refs(ref).get(ref)
    if tip is None:
        return warn(f"{ref} is not here yet; trust begins at {root[:12]}", "push the estate")
    return ok(f"{ref} at {tip[:12]} is protected here; trust begins at {root[:12]}")


def _fetching(source: Source, name: str) -> str:
    """The command that brings the remote's branches here; a bare clone does not do so by itself."""
    if source.repository.ask("config", "--get-all", f"remote.{name}.fetch").out.strip():
        return f"git fetch {name}"
    return f"git fetch {name} '+refs/heads/*:refs/remotes/{name}/*'"


def hooks(around: Surroundings) -> Answer:
    """A commit that does not pass is noticed before anybody reviews it."""
    server = serving(around)
    if server is not None:
        return hook_of_server(need(around.repository), server)
    top, settings = desk(around), need(around.settings)
    elsewhere = settings.get("core.hookspath")
    place = _hooks_directory(top.path, elsewhere, around)
    shared = top.path / ".pre-commit-config.yaml"
    if shared.is_file() and b"ordain" in shared.read_bytes():
        return ok(f"{shared.name} runs ordain")
    asleep = [place / name for name in _HOOKS if not _asks(place / name)]
    if not asleep:
        return ok(f"{' and '.join(_HOOKS)} in {place} run ordain")
    remedy = "ordain hook install"
    if elsewhere is not None or any(os.path.lexists(one) and not _written(one) for one in asleep):
        # Where git looks elsewhere, or somebody else's hook stands, nothing would be installed.
        calls = (f'call `ordain hook run {one.name} "$@"` from {one}' for one in asleep)
        remedy = f"{', '.join(calls)} (executable)"
    return warn(f"no hook runs ordain: {', '.join(one.name for one in asleep)}", remedy)


def _written(hook: Path) -> bool:
    """Whether `ordain hook install` has written a hook."""
    from ordain.reconciler.hooks import MARK

    return hook.is_file() and MARK.encode() in hook.read_bytes()


def _hooks_directory(top: Path, setting: str | None, around: Surroundings) -> Path:
    if setting is not None:
        home = around.environ.get("HOME", "~")
        return top / (setting.replace("~", home, 1) if setting.startswith("~/") else setting)
    answer = need(around.repository).ask("rev-parse", "--git-common-dir")
    return top / os.fsdecode(answer.out[:-1]) / "hooks"


def _asks(hook: Path) -> bool:
    """Whether a hook is there, can be run, and calls ordain."""
    if not (hook.is_file() and os.access(hook, os.X_OK)):
        return False
    return b"ordain" in hook.read_bytes()


def schemas(around: Surroundings) -> Answer:
    """The editor knows the language of this version."""
    from ordain.specs.schema import MODELINE, schema_files

    root, found = need(around.root), need(around.estate)
    place, remedy = root / _SCHEMAS, "ordain schema --modelines"
    if not place.is_dir():
        return warn("no schemas for editors are written", remedy)
    stale = [
        name
        for name, text in schema_files().items()
        if not (place / name).is_file() or (place / name).read_bytes() != text.encode()
    ]
    if stale:
        return warn(f"schemas of another version: {len(stale)}", remedy)
    bare = [path for path in found.files if MODELINE.encode() not in (root / path).read_bytes()]
    if bare:
        return warn(f"files without a schema line: {len(bare)} of {len(found.files)}", remedy)
    return ok(f"current in {place}")


def packs(around: Surroundings) -> Answer:
    """The packs that the estate names ship with this version of ordain."""
    from ordain.policies.packs import DEFAULT, pack_versions

    sets = whole(around).all("PolicySet")
    named = [pack for document in sets for pack in document.spec.packs]
    if not sets:
        return ok(f"none is named, so {DEFAULT} {pack_versions(DEFAULT)[0]} holds")
    told = []
    for pack in named:
        versions = pack_versions(pack.name)
        if pack.version is not None and pack.version not in versions:
            message = f"{pack.name} {pack.version} does not ship with this version of ordain"
            return fail(message, f"use the ordain that it came with, or pin {versions[0]}")
        told.append(f"{pack.name} {pack.version or versions[0]}")
    return ok(", ".join(told))


def lock(around: Surroundings) -> Answer:
    """Training on this machine would run with the versions that the estate locks."""
    from ordain.runtime.environment import (
        ABSENT,
        installed,
        locked_estimators,
        mismatches,
        read_lock,
    )

    root = need(around.root)
    (settings,) = whole(around).all("Estate")
    path = settings.spec.environment_lock
    if not (root / path).is_file():
        return warn("no environment is locked, so no training can be repeated", "ordain lock")
    locked = read_lock((root / path).read_bytes(), path)
    found = installed(locked_estimators(locked))
    if ABSENT in found.values():
        return ok(f"{path}; this machine has not all it takes to train")
    differing = mismatches(locked, found)
    if differing:
        remedy = "install the versions of the lock, or train elsewhere"
        return warn(f"not those of {path}: {'; '.join(differing)}", remedy)
    return ok(f"those of {path}")


def remote(around: Surroundings) -> Answer:
    """The remote that production follows answers."""
    source = need(around.source)
    name = source.forge.remote
    if name is None:
        return ok("none: production follows the branch of this repository")
    if not around.remote:
        return skip(f"{name} was not asked", "ordain doctor --remote")
    # Neither git nor ssh may ask anybody for a password, or wait for a host that is not there.
    seconds = max(1, int(around.patience))
    quiet = f"ssh -oBatchMode=yes -oConnectTimeout={seconds}"
    extra = {"GIT_SSH_COMMAND": around.environ.get("GIT_SSH_COMMAND", quiet)}
    extra |= {"GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
    command = ("ls-remote", "--exit-code", name, f"refs/heads/{source.settings.protected_branch}")
    try:
        answer = ask(source.repository.path, command, extra=extra, timeout=around.patience)
    except GitTimeout as error:
        return fail(f"{name}: {error.message}", error.remedy)
    if answer.code == 0:
        tip = answer.out.decode().split()[0]
        here = source.repository.refs(source.ref).get(source.ref)
        state = "as it was fetched" if tip == here else f"not fetched yet: git fetch {name}"
        return ok(f"{name} has {source.settings.protected_branch} at {tip[:12]}, {state}")
    reason = last_line(answer.error) if answer.error.strip() else "it has no such branch"
    return fail(f"{name}: {reason}", f"try it by hand: git ls-remote {name}")
