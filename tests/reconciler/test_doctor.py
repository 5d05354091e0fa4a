"""What the doctor says of an estate and its home, and that looking changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import timedelta
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

import ordain
from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.reconciler.anchors import LAST_ANCHOR
from ordain.reconciler.doctor.checks import Answer, State, look_around
from ordain.reconciler.doctor.examination import GROUPS, _asked, examine
from ordain.reconciler.doctor.machine import fault_of
from ordain.reconciler.hooks import CLONE, SERVER, found_server, install
from ordain.reconciler.source import pin_trust
from ordain.specs.schema import add_modelines, write_schemas
from ordain.vcs.git import Repository
from ordain.vcs.keys import generate_key
from tests.reconciler.conftest import MAIN, MODEL_FILE, NOW

if TYPE_CHECKING:
    from ordain.reconciler.doctor.checks import Check, Surroundings
    from tests.reconciler.conftest import Bench

PACKAGE = Path(ordain.__file__).parent


def examined(
    directory: Path,
    environ: dict[str, str],
    *,
    days: float = 0,
    remote: bool = False,
    patience: float = 10,
    package: Path = PACKAGE,
    bytecode: bool = True,
) -> dict[str, Check]:
    """The checks by name."""
    with look_around(
        directory,
        {"PATH": os.environ["PATH"], **environ},
        NOW + timedelta(days=days),
        package=package,
        bytecode=bytecode,
        remote=remote,
        patience=patience,
    ) as around:
        return {one.name: one for one in examine(around)}


def seen(
    bench: Bench, name: str, *, days: float = 0, at: Path | None = None
) -> tuple[str, str, str]:
    """The answer of one check; the others are not even asked."""
    look = next(found for _, load in GROUPS for one, found in load() if one == name)
    environ = {"PATH": os.environ["PATH"], **bench.environ}
    now = NOW + timedelta(days=days)
    place = at or bench.estate
    with look_around(place, environ, now, package=PACKAGE, bytecode=True) as around:
        answer = _asked(look, around)
    return answer.state.value, answer.detail, answer.remedy


def everything(root: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file; reading leaves no trace in either."""
    found = ((path, path.lstat()) for path in root.rglob("*"))
    return {str(path): (status.st_size, status.st_mtime_ns) for path, status in found}


# All together


def test_a_fresh_estate_has_nothing_that_fails(bench: Bench) -> None:
    checks = examined(bench.estate, bench.environ)
    assert [one.name for one in checks.values() if one.state is State.FAIL] == []
    assert {name for name, one in checks.items() if one.state is State.WARN} <= {
        "bytecode",
        "hooks",
        "schemas",
    }
    assert all(one.remedy for one in checks.values() if one.state in {State.WARN, State.FAIL})


def test_looking_writes_nothing(bench: Bench) -> None:
    bench.promote()
    pin_trust(bench.source(), bench.state())
    bench.close()
    before = everything(bench.root)
    for _ in range(2):
        examined(bench.estate, bench.environ, remote=True)
    assert everything(bench.root) == before


def test_looking_makes_no_home(bench: Bench) -> None:
    environ = {"ORDAIN_HOME": str(bench.root / "nowhere")}
    assert examined(bench.estate, environ)["home"].state is State.OK
    assert not (bench.root / "nowhere").exists()


def test_outside_of_any_repository_every_check_still_answers(tmp_path: Path) -> None:
    checks = examined(tmp_path, {"HOME": str(tmp_path)})
    assert len(checks) == sum(len(load()) for _, load in GROUPS)
    assert {name for name, one in checks.items() if one.state is State.FAIL} == {
        "repository",
        "estate",
    }
    assert checks["trust"].state is State.SKIP
    assert checks["trust"].detail == "not looked at: there is no repository"


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ("click>=8", ""),
        ("click<1", "click is {click}, which is not <1"),
        ("no-such-package>=1", "no-such-package is not installed"),
    ],
)
def test_a_requirement_that_is_not_met_says_why(wanted: str, fault: str) -> None:
    expected = fault.format(click=metadata.version("click"))
    assert fault_of(Requirement(wanted)) == expected


@pytest.mark.parametrize(
    ("error", "state", "detail"),
    [
        (KeyError("spec"), State.FAIL, "the check itself failed: KeyError: 'spec'"),
        (
            PermissionError(13, "Permission denied", "x"),
            State.FAIL,
            "[Errno 13] Permission denied: 'x'",
        ),
        (ImportError("no yaml"), State.FAIL, "a library cannot be loaded: no yaml"),
    ],
)
def test_a_check_that_breaks_is_an_answer(
    bench: Bench, error: Exception, state: State, detail: str
) -> None:
    def look(_: Surroundings) -> Answer:
        raise error

    with look_around(bench.estate, {}, NOW, package=PACKAGE, bytecode=True) as around:
        found = _asked(look, around)
    assert (found.state, found.detail) == (state, detail)
    assert found.remedy


def test_on_a_server_the_newest_commit_is_the_estate(bench: Bench) -> None:
    path = bench.root / "server.git"
    with Repository.clone(str(bench.estate), path, bare=True) as server:
        server.ask("remote", "remove", "origin")
    checks = examined(path, bench.environ)
    assert [one.name for one in checks.values() if one.state is State.FAIL] == []
    assert checks["estate"].detail == "8 documents in 8 files"
    for name in ("hooks", "signing", "person", "schemas", "lock"):
        assert checks[name].detail == "not looked at: a bare repository has no files"


# The machine


def test_versions_that_are_not_kept_compiled_are_told(bench: Bench, tmp_path: Path) -> None:
    module = tmp_path / "package" / "one.py"
    module.parent.mkdir()
    module.touch()

    def told(*, bytecode: bool, **environ: str) -> tuple[State, str]:
        checks = examined(bench.estate, environ, package=module.parent, bytecode=bytecode)
        return checks["bytecode"].state, checks["bytecode"].detail

    loss = (
        "modules that are not compiled: 1 of 1; "
        "this interpreter keeps nothing, so every start is slow"
    )
    assert told(bytecode=False) == (State.WARN, loss)
    assert told(bytecode=True, PYTHONDONTWRITEBYTECODE="1") == (State.WARN, loss)
    assert told(bytecode=True)[0] is State.OK
    cache = Path(cache_from_source(str(module)))
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.touch()
    assert told(bytecode=False) == (State.OK, "every module is compiled (1)")


def test_libraries_are_named_with_their_versions(bench: Bench) -> None:
    checks = examined(bench.estate, bench.environ)
    assert checks["cel"].detail.startswith("cel-expr-python ")
    assert checks["git"].detail.startswith("git version 2.")
    assert "with libyaml" in checks["libyaml"].detail
    assert checks["packages"].state is State.OK


# The checkout


def test_an_estate_with_errors_names_the_first(bench: Bench) -> None:
    file = bench.estate / MODEL_FILE
    file.write_text(file.read_text().replace("tier: 2", "teir: 2"))
    state, detail, remedy = seen(bench, "estate")
    assert (state, remedy) == ("fail", "ordain check")
    assert detail.startswith(f"2 errors in 8 files; first {MODEL_FILE}:")


@pytest.mark.parametrize("name", ["packs", "lock"])
def test_what_an_unread_document_may_say_is_not_guessed(bench: Bench, name: str) -> None:
    (bench.estate / "ordain.yaml").write_text("kind: [\n")
    assert seen(bench, name) == ("skip", "not looked at: the estate has errors", "")


def test_where_the_branch_stands_is_told_by_the_checkout(bench: Bench) -> None:
    root = bench.head()
    assert seen(bench, "branch") == (
        "ok",
        f"{MAIN} at {root[:12]}; this checkout is there too",
        "",
    )
    head = bench.owner("radiology")
    assert seen(bench, "branch")[1] == (
        f"{MAIN} at {head[:12]}; this checkout is 0 ahead, 1 behind"
    )


def test_a_branch_that_is_not_here_fails(bench: Bench) -> None:
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, None, bench.head())
    assert seen(bench, "branch") == (
        "fail",
        "production follows main, which is not here",
        "make it where production should begin: git branch main COMMIT",
    )
    with_remote(bench, "nowhere.git")
    assert seen(bench, "branch") == (
        "fail",
        "production follows origin/main, which is not here",
        "git fetch origin",
    )


def test_a_bare_clone_is_told_how_to_fetch_the_branch(bench: Bench, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    Repository.clone(str(bench.estate), bare, bare=True).close()
    found = examined(bare, bench.environ)["branch"]
    assert (found.state.value, found.remedy) == (
        "fail",
        "git fetch origin '+refs/heads/*:refs/remotes/origin/*'",
    )


def test_a_newest_commit_without_an_estate_fails(bench: Bench) -> None:
    bench.commit({"ordain.yaml": None}, branch="refs/heads/desk")
    state, detail, remedy = seen(bench, "commit")
    assert (state, remedy) == ("fail", "make an estate with: ordain init DIRECTORY")
    assert detail.startswith("there is no ordain.yaml in the newest commit of ")


def test_an_estate_in_a_subdirectory_fails(bench: Bench, tmp_path: Path) -> None:
    Repository.init(tmp_path / "mono").close()
    place = tmp_path / "mono" / "banks" / "one"
    shutil.copytree(bench.estate, place, ignore=shutil.ignore_patterns(".git"))
    found = examined(place, bench.environ)["estate"]
    assert (found.state.value, found.detail, found.remedy) == (
        "fail",
        "ordain.yaml stands in banks/one, which is not the root of the repository",
        "move the estate to the root of the repository, or give it one of its own",
    )


def test_a_hook_counts_when_it_can_run_and_calls_ordain(bench: Bench) -> None:
    assert seen(bench, "hooks") == (
        "warn",
        "no hook runs ordain: pre-commit, pre-push",
        "ordain hook install",
    )
    with Repository.open(bench.estate) as repository:
        install(repository, CLONE, force=False)
    state, detail, _ = seen(bench, "hooks")
    assert (state, detail.startswith("pre-commit and pre-push in ")) == ("ok", True)
    hook = bench.estate / ".git/hooks/pre-commit"
    hook.chmod(0o644)
    assert seen(bench, "hooks")[1:] == ("no hook runs ordain: pre-commit", "ordain hook install")


def test_a_hook_of_somebody_else_is_told_what_to_call(bench: Bench) -> None:
    """`ordain hook install` would refuse, or put it aside."""
    hook = bench.estate / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nmake lint\n")
    hook.chmod(0o755)
    push = hook.with_name("pre-push")
    assert seen(bench, "hooks")[2] == (
        f'call `ordain hook run pre-commit "$@"` from {hook}, '
        f'call `ordain hook run pre-push "$@"` from {push} (executable)'
    )
    for one in (hook, push):
        one.write_text(f'#!/bin/sh\nexec ordain hook run {one.name} "$@"\n')
        one.chmod(0o755)
    assert seen(bench, "hooks")[0] == "ok"


def test_hooks_are_looked_for_where_git_would(bench: Bench) -> None:
    with Repository.open(bench.estate) as repository:
        repository.ask("config", "core.hooksPath", "tools/hooks")
    assert f"from {bench.estate}/tools/hooks/pre-commit" in seen(bench, "hooks")[2]
    (bench.estate / ".pre-commit-config.yaml").write_text("repos: [{hooks: [{id: ordain}]}]\n")
    assert seen(bench, "hooks") == ("ok", ".pre-commit-config.yaml runs ordain", "")


def test_a_server_that_ordain_guards_is_asked_for_its_hook(bench: Bench) -> None:
    path = bench.root / "server.git"
    with Repository.clone(str(bench.estate), path, bare=True) as server:
        server.ask("symbolic-ref", "HEAD", MAIN)
        found_server(server, None, None, environ=bench.environ, now=bench.now)
        (hook,) = install(server, SERVER, force=False)
    judged = ("ok", f"pre-receive judges every push to {MAIN}", "")
    checks = examined(path, bench.environ)
    for name in ("hooks", "forge"):
        assert (checks[name].state.value, checks[name].detail, checks[name].remedy) == judged
    # It protects a branch of its own, and follows no remote.
    assert checks["branch"].state is State.OK
    assert f"{MAIN} at {bench.head()[:12]} is protected here" in checks["branch"].detail
    hook.path.write_text("#!/bin/sh\nexit 0\n")
    assert seen(bench, "forge", at=path) == (
        "fail",
        f"pushes to {MAIN} are not held back: pre-receive is foreign ({hook.path})",
        "ordain hook install --server",
    )
    hook.path.write_text("#!/bin/sh\nmake lint && exec ordain hook run pre-receive\n")
    assert seen(bench, "forge", at=path)[0] == "warn"
    hook.path.unlink()
    assert "pre-receive is missing" in seen(bench, "hooks", at=path)[1]


def test_schemas_are_current_or_told(bench: Bench) -> None:
    again = "ordain schema --modelines"
    place = bench.estate / "schemas"
    assert seen(bench, "schemas") == ("warn", "no schemas for editors are written", again)
    write_schemas(place)
    assert seen(bench, "schemas") == ("warn", "files without a schema line: 8 of 8", again)
    add_modelines(bench.estate, place)
    assert seen(bench, "schemas") == ("ok", f"current in {place}", "")
    (place / "Model.schema.json").write_text("{}")
    assert seen(bench, "schemas")[1] == "schemas of another version: 1"


def test_a_pack_of_another_version_of_ordain_fails(bench: Bench) -> None:
    (bench.estate / "specs/packs.yaml").write_text(
        "apiVersion: ordain.dev/v1\nkind: PolicySet\nmetadata: {name: packs}\n"
        "spec: {packs: [{name: baseline, version: 9.9.9}]}\n"
    )
    state, detail, _ = seen(bench, "packs")
    assert (state, detail) == (
        "fail",
        "baseline 9.9.9 does not ship with this version of ordain",
    )


def test_an_environment_that_is_not_the_locked_one_is_told(bench: Bench) -> None:
    assert seen(bench, "lock") == ("ok", "those of environment.lock", "")
    file = bench.estate / "environment.lock"
    line = next(one for one in file.read_text().splitlines() if one.startswith("scipy=="))
    file.write_text(file.read_text().replace(line, "scipy==0.1"))
    state, detail, _ = seen(bench, "lock")
    installed = line.partition("==")[2]
    assert (state, detail) == (
        "warn",
        f"not those of environment.lock: scipy is {installed}, the lock says 0.1",
    )


# Signing


def test_the_key_that_signs_belongs_to_a_person(bench: Bench) -> None:
    assert seen(bench, "signing")[:2] == ("ok", "every commit is signed with an SSH key")
    state, detail, _ = seen(bench, "person")
    assert (state, detail.endswith(" is a key of data-scientist")) == ("ok", True)


def test_a_key_of_nobody_is_told_before_the_gate_refuses_it(bench: Bench, tmp_path: Path) -> None:
    private, public = generate_key("stranger")
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_bytes(private)
    with Repository.open(bench.estate) as repository:
        repository.ask("config", "user.signingkey", str(key))
        state, detail, remedy = seen(bench, "person")
        assert (state, detail.endswith(": commits by it will be refused")) == ("warn", True)
        assert public.split()[1] in remedy
        repository.ask("config", "user.signingkey", f"key::{public}")
        assert seen(bench, "person")[:2] == (state, detail)


def test_settings_without_which_git_signs_nothing_are_named(bench: Bench) -> None:
    with Repository.open(bench.estate) as repository:
        repository.ask("config", "--unset", "commit.gpgsign")
        repository.ask("config", "gpg.format", "openpgp")
    assert seen(bench, "signing") == (
        "warn",
        "commits will not be signed with an SSH key: set gpg.format, commit.gpgsign",
        "git config gpg.format ssh && git config commit.gpgsign true",
    )


# The home


def test_a_home_that_others_may_look_into_fails(bench: Bench) -> None:
    root = bench.source().home.root
    root.chmod(0o755)
    assert seen(bench, "home") == (
        "fail",
        f"others may look into {root}",
        f"chmod 700 {root}",
    )


def test_which_part_this_machine_has_follows_from_the_key(bench: Bench) -> None:
    key = bench.source().home.key("reconciler")
    assert seen(bench, "reconciler")[1].startswith("present: this machine can reconcile (SHA256:")
    foreign = bench.source().home.key("manager").read_bytes()
    own = key.read_bytes()
    key.write_bytes(foreign)
    state, detail, _ = seen(bench, "reconciler")
    assert (state, detail) == (
        "fail",
        f"{key} is not the reconciler's: it is a key of manager",
    )
    key.write_bytes(own)
    key.chmod(0o644)
    assert seen(bench, "reconciler")[0] == "fail"
    key.unlink()
    assert seen(bench, "reconciler")[:2] == (
        "ok",
        "absent: this machine is a desk, and does not reconcile",
    )
    bench.state()
    assert seen(bench, "reconciler")[:2] == ("warn", "absent, although passes have run here")


def test_what_was_trusted_is_compared_with_what_is_here(bench: Bench) -> None:
    assert seen(bench, "trust")[1] == "nothing is pinned yet; the first pass pins what it finds"
    state = bench.state()
    pin_trust(bench.source(), state)
    root = bench.source().root_commit
    # Read while somebody else has it open, from its log.
    assert seen(bench, "trust")[1] == f"{MAIN} of local, from {root[:12]}"
    state.put("trust.root", "f" * 40)
    assert seen(bench, "trust") == (
        "fail",
        f"the root is {root}, but {'f' * 40} was trusted",
        "if the move is right: ordain reconcile --trust-again",
    )


def desk_of(bench: Bench) -> tuple[Path, Path]:
    """A second clone on the same machine, of a remote that the first one reconciles."""
    remote = bench.root / "remote.git"
    Repository.clone(str(bench.estate), remote, bare=True).close()
    with Repository.open(bench.estate) as repository:
        repository.ask("remote", "add", "origin", str(remote))
        repository.ask("fetch", "-q", "origin")
    desk = bench.root / "desk"
    Repository.clone(str(remote), desk).close()
    return desk, remote


def test_a_clone_that_does_not_reconcile_is_not_told_to_move_trust(bench: Bench) -> None:
    desk, remote = desk_of(bench)
    pin_trust(bench.source(), bench.state())
    root = bench.source().root_commit
    same = ("ok", f"{MAIN} of {remote}, from {root[:12]}", "")
    assert seen(bench, "trust") == seen(bench, "trust", at=desk) == same
    with Repository.open(desk) as repository:
        repository.ask("remote", "set-url", "origin", "../remote.git")
        assert seen(bench, "trust", at=desk) == same
        repository.ask("remote", "set-url", "origin", "../fork.git")
    assert seen(bench, "trust", at=desk) == (
        "warn",
        (
            f"the remote is ../fork.git, but {remote} was trusted in {bench.estate}, "
            "where passes run"
        ),
        f"look there: ordain -C {bench.estate} doctor",
    )
    bench.state().put("trust.root", "f" * 40)
    assert seen(bench, "trust", at=desk)[0] == "fail"


def test_a_clone_without_the_newest_anchor_is_told_to_fetch_it(bench: Bench) -> None:
    desk, _ = desk_of(bench)
    pin_trust(bench.source(), bench.state())
    Ledger(bench.source().home.ledger).record(Event(NOW, "cto", "test.made", "1", {}))
    bench.state().put(LAST_ANCHOR, "a" * 40)
    assert seen(bench, "ledger", at=desk) == (
        "warn",
        f"not compared: the newest anchor is in {bench.estate} and not here",
        "git fetch origin 'refs/ordain/*:refs/ordain/*'",
    )
    state, detail, _ = seen(bench, "ledger")
    assert (state, detail[:20]) == ("fail", "refs/ordain/anchors ")


def test_a_state_store_that_cannot_be_read_fails(bench: Bench) -> None:
    assert seen(bench, "state")[:2] == ("ok", "no pass has run here yet")
    store = bench.source().home.state
    store.write_bytes(b"no database at all" * 100)
    state, detail, _ = seen(bench, "state")
    assert (state, detail) == ("fail", "file is not a database")
    store.unlink()
    bench.state().close()
    with closing(sqlite3.connect(store)) as database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        database.commit()
    assert seen(bench, "state")[1] == "its schema is 99, this version reads 2"


def test_a_ledger_that_was_touched_fails(bench: Bench) -> None:
    assert seen(bench, "ledger")[1] == "nothing is recorded yet"
    ledger = Ledger(bench.source().home.ledger)
    for number in range(3):
        ledger.record(Event(NOW, "cto", "test.made", str(number), {}))
    assert seen(bench, "ledger")[:2] == ("ok", "everything holds (chains: 1, records: 4)")
    (segment,) = ledger.root.rglob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b'"subject":"1"', b'"subject":"7"'))
    state, _, remedy = seen(bench, "ledger")
    assert (state, remedy) == ("fail", "ordain audit verify")


def test_a_clock_behind_what_happened_fails(bench: Bench) -> None:
    assert seen(bench, "clock")[0] == "ok"
    state, detail, _ = seen(bench, "clock", days=-2)
    assert (state, detail) == (
        "fail",
        (
            "the newest commit is of 2026-11-19T09:30:00+00:00, "
            "the clock says 2026-11-18T09:30:00+00:00"
        ),
    )
    Ledger(bench.source().home.ledger).record(
        Event(NOW + timedelta(days=3), "cto", "test.made", "x", {})
    )
    assert seen(bench, "clock")[:2] == (
        "fail",
        (
            "the ledger has test.made of 2026-11-23T09:30:00+00:00, "
            "the clock says 2026-11-20T09:30:00+00:00"
        ),
    )


# The remote


def with_remote(bench: Bench, url: str) -> None:
    with Repository.open(bench.estate) as repository:
        repository.ask("remote", "add", "origin", url)


def test_the_remote_is_asked_when_that_is_wanted_and_not_before(bench: Bench) -> None:
    path = bench.root / "remote.git"
    Repository.clone(str(bench.estate), path, bare=True).close()
    with_remote(bench, str(path))
    bench.source().fetch()
    assert seen(bench, "remote") == ("skip", "origin was not asked", "ordain doctor --remote")
    found = examined(bench.estate, bench.environ, remote=True)["remote"]
    assert found.detail == f"origin has main at {bench.head()[:12]}, as it was fetched"
    path.rename(bench.root / "moved.git")
    found = examined(bench.estate, bench.environ, remote=True)["remote"]
    assert (found.state, found.remedy) == (State.FAIL, "try it by hand: git ls-remote origin")


def test_a_remote_that_never_answers_is_given_up(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with_remote(bench, f"http://127.0.0.1:{server.getsockname()[1]}/estate.git")
        found = examined(bench.estate, bench.environ, remote=True, patience=0.2)["remote"]
    assert (found.state, found.detail) == (
        State.FAIL,
        "origin: git ls-remote did not end within 0.2 s",
    )
