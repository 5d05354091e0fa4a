"""Where hooks are written, what they hold, and what they leave alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.errors import HookRefused, ServerUnready
from ordain.reconciler.hooks import (
    CLONE,
    SERVER,
    found_server,
    install,
    loose_settings,
    script,
    status,
    untrusted,
)
from ordain.reconciler.served import open_served, trusted
from ordain.vcs.git import Repository
from tests.reconciler.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reconciler.conftest import Bench


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Repository]:
    with Repository.init(tmp_path / "clone") as repository:
        yield repository


@pytest.fixture
def server(bench: Bench, tmp_path: Path) -> Iterator[Repository]:
    """A bare copy of the clinic, on whose HEAD the branch `main` is."""
    with Repository.clone(str(bench.estate), tmp_path / "srv.git", bare=True) as repository:
        repository.ask("symbolic-ref", "HEAD", "refs/heads/main")
        yield repository


def states(repository: Repository) -> list[str]:
    return [hook.state for hook in status(repository, CLONE)]


def test_installing_twice_is_installing_once(clone: Repository) -> None:
    assert states(clone) == ["missing", "missing"]
    install(clone, CLONE, force=False)
    before = {hook.path: hook.path.read_bytes() for hook in status(clone, CLONE)}
    assert states(clone) == ["ours", "ours"]
    install(clone, CLONE, force=False)
    assert {hook.path: hook.path.read_bytes() for hook in status(clone, CLONE)} == before
    assert sorted(one.name for one in (clone.path / ".git" / "hooks").iterdir()) == list(CLONE)


def test_an_edit_is_seen_and_put_right(clone: Repository) -> None:
    first, second = install(clone, CLONE, force=False)
    first.path.write_text(first.path.read_text().replace("exec ", "true || exec "))
    second.path.chmod(0o644)
    assert states(clone) == ["changed", "not executable"]
    second.path.chmod(0o775)
    assert states(clone) == ["changed", "changed"]
    install(clone, CLONE, force=False)
    assert states(clone) == ["ours", "ours"]


def test_a_hook_of_somebody_else_stays(clone: Repository) -> None:
    hooks = clone.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-push").write_text("#!/bin/sh\necho theirs\n")
    with pytest.raises(HookRefused) as refused:
        install(clone, CLONE, force=False)
    assert refused.value.message == f"there is a hook already: {hooks / 'pre-push'}"
    assert "which keeps it as pre-push.before-ordain" in refused.value.remedy
    assert states(clone) == ["missing", "foreign"]


def test_force_keeps_every_hook_that_it_puts_aside(clone: Repository) -> None:
    hooks = clone.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for text in ("first", "second"):
        (hooks / "pre-push").write_text(text)
        install(clone, CLONE, force=True)
    assert states(clone) == ["ours", "ours"]
    assert (hooks / "pre-push.before-ordain").read_text() == "first"
    assert (hooks / "pre-push.before-ordain-2").read_text() == "second"


def test_a_link_that_leads_nowhere_is_somebody_elses_too(clone: Repository) -> None:
    hooks = clone.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-commit").symlink_to(clone.path / "nowhere")
    assert states(clone) == ["foreign", "missing"]


def test_where_git_looks_elsewhere_nothing_is_installed(clone: Repository) -> None:
    clone.ask("config", "core.hooksPath", "/usr/hooks")
    with pytest.raises(HookRefused) as refused:
        install(clone, CLONE, force=True)
    assert refused.value.message == "git looks for hooks in /usr/hooks (core.hooksPath, local)"
    assert "git config --local --unset-all core.hooksPath" in refused.value.remedy


def test_work_trees_share_the_hooks_of_their_clone(bench: Bench, tmp_path: Path) -> None:
    with Repository.open(bench.estate) as repository:
        repository.ask("worktree", "add", str(tmp_path / "beside"), "main")
    with Repository.open(tmp_path / "beside") as beside:
        (first, _) = install(beside, CLONE, force=False)
    assert first.path == (bench.estate / ".git" / "hooks" / "pre-commit").resolve()


@pytest.mark.parametrize("name", [*CLONE, *SERVER])
def test_the_script_starts_this_interpreter_and_this_ordain_apart_from_the_environment(
    name: str, tmp_path: Path
) -> None:
    """Whoever pushes may bring a module of the same name along."""
    (tmp_path / "ordain.py").write_text("raise SystemExit('not this one')")
    hook = tmp_path / name
    hook.write_text(script(name).replace(f"hook run {name}", "--version"))
    hook.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/x"}
    done = subprocess.run(
        [hook], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()[0]) == (0, "ordain"), done.stderr
    assert sys.executable in hook.read_text()


# Servers


def found(repository: Repository, root: str | None) -> tuple[str, str]:
    environ = {"ORDAIN_HOME": str(repository.path.parent / "home")}
    return found_server(repository, root, None, environ=environ, now=NOW)


def test_a_server_takes_branch_and_root_from_the_estate_that_is_there(server: Repository) -> None:
    root = server.root_commit("main")
    assert found(server, None) == ("refs/heads/main", root)
    assert trusted(server) == ("refs/heads/main", root)
    settings = {
        name: server.ask("config", "--get", name).out.decode().strip()
        for name in ("receive.fsckObjects", "receive.maxInputSize", "core.logAllRefUpdates")
    }
    assert list(settings.values()) == ["true", "128m", "always"]


def test_what_whoever_runs_the_server_has_set_stays(server: Repository) -> None:
    server.ask("config", "receive.maxInputSize", "1g")
    found(server, None)
    server.ask("update-ref", "refs/heads/release", "refs/heads/main")
    server.ask("config", "ordain.ref", "refs/heads/release")
    assert found(server, None)[0] == "refs/heads/release"
    assert server.ask("config", "--get", "receive.maxInputSize").out == b"1g\n"


def test_a_later_commit_of_the_branch_can_be_the_root_of_trust(
    bench: Bench, server: Repository
) -> None:
    later = bench.owner("histology")
    server.fetch(str(bench.estate), ["main:main"])
    assert found(server, later[:12]) == ("refs/heads/main", later)
    side = bench.commit({"README.md": b"?"}, branch="refs/heads/side")
    server.fetch(str(bench.estate), ["side:side"])
    with pytest.raises(Exception, match="is not on the first-parent line of"):
        found(server, side)


def test_what_differs_from_what_ordain_would_set_is_told(server: Repository) -> None:
    found(server, None)
    assert loose_settings(server) == ()
    server.ask("config", "receive.fsckObjects", "false")
    found(server, None)
    assert loose_settings(server) == (
        "receive.fsckObjects is false here and stays; ordain would set true",
    )


def test_trust_does_not_begin_below_a_branch_that_nobody_has_judged(
    bench: Bench, server: Repository
) -> None:
    root = server.root_commit("main")
    bad = bench.owner("histology", by=None)
    server.fetch(str(bench.estate), ["main:main"])
    with pytest.raises(HookRefused) as caught:
        found(server, None)
    assert caught.value.message == (
        f"{bad[:12]} of refs/heads/main does not pass the gate: [GATE001] commit {bad[:12]} is not"
        " signed by anybody in the Organization"
    )
    assert caught.value.remedy.endswith(f"ordain hook install --server --root {bad}")
    with pytest.raises(ServerUnready):
        trusted(server)
    assert found(server, bad) == ("refs/heads/main", bad)
    home = {"ORDAIN_HOME": str(server.path.parent / "home")}
    assert untrusted(server, "refs/heads/main", bad, home, NOW) == ""
    assert "[GATE001]" in untrusted(server, "refs/heads/main", root, home, NOW)


def test_a_work_tree_is_no_servers_repository(clone: Repository) -> None:
    with pytest.raises(HookRefused, match="has a work tree"):
        found(clone, None)


@pytest.mark.parametrize("root", [None, "HEAD", "abc"])
def test_an_empty_server_needs_the_whole_id_of_a_root(tmp_path: Path, root: str | None) -> None:
    with (
        Repository.init(tmp_path / "empty.git", bare=True) as empty,
        pytest.raises(HookRefused, match="it must be said where trust begins"),
    ):
        found(empty, root)


def test_a_server_that_was_not_set_up_is_not_ready(server: Repository) -> None:
    with pytest.raises(ServerUnready, match="does not know which branch it protects"):
        open_served(server, {"ORDAIN_HOME": "/nowhere"})


def test_the_people_of_a_server_are_found_however_their_document_is_written(
    bench: Bench, server: Repository
) -> None:
    text = bench.text("specs/organization.yaml")
    escaped = text.replace("kind: Organization", 'kind: "Organi\\x7aation"')
    bench.commit({"specs/organization.yaml": escaped.encode()})
    server.fetch(str(bench.estate), ["main:main"])
    found(server, None)
    served = open_served(server, {"ORDAIN_HOME": "/nowhere"})
    assert [one.name for one in served.organization.people] == ["data-scientist", "manager", "cto"]
