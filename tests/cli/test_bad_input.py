"""Bad input: one clear error, what to do about it, the documented exit code, nothing half-applied.

Every case is a real process in a real estate. What a command refuses must leave every file of the
estate and of its home as it was.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from places import Place

from ordain.cli import command as root
from ordain.specs.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "specs/models/credit-default.yaml"
DATASET = "specs/datasets/applications.yaml"
DATA = "data/applications.csv"
# What looking may touch: git refreshes its index, SQLite its files beside the database.
MOVING = {"index", "state.db", "state.db-wal", "state.db-shm", "reconciler.lock"}

Break = Callable[[Place], object]


def files(place: Place) -> dict[str, str]:
    """Every file of the estate and its home with the digest of its bytes."""
    return {
        str(path.relative_to(place.root)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.root.rglob("*"))
        if path.is_file() and path.name not in MOVING
    }


def refused(place: Place, command: str, code: int = 2) -> list[str]:
    """The lines of an error; it stands alone, and nothing has changed."""
    before = files(place)
    done = place.ordain(*command.split(), expect=code)
    assert done.stdout == ""
    assert files(place) == before
    return done.stderr.splitlines()


def says(lines: list[str], error: str, remedy: str) -> None:
    """The first line says what is wrong, a later one how to mend it."""
    assert lines[0] == f"error{error}"
    assert f"  = help: {remedy}" in lines[1:]


def replaced(path: str, old: str, new: str) -> Break:
    return lambda place: place.edit(path, old, new)


def written(path: str, data: bytes) -> Break:
    return lambda place: (place.estate / path).write_bytes(data)


def linked_to_nothing(path: str) -> Break:
    def change(place: Place) -> None:
        (place.estate / path).unlink()
        (place.estate / path).symlink_to("nowhere")

    return change


def directory_instead(path: str) -> Break:
    def change(place: Place) -> None:
        (place.estate / path).unlink()
        (place.estate / path).mkdir()

    return change


# ── documents ────────────────────────────────────────────────────────────────────────────────────

DOCUMENTS = {
    "broken YAML": (
        replaced(MODEL, "task: classification", "task: [classification"),
        "[SPEC012]: a bracket that is not closed",
        f"{MODEL}:11:10",
        "close it, and put a comma between its items",
    ),
    "tab": (
        replaced(MODEL, "  tier: 2", "\ttier: 2"),
        "[SPEC012]: this is not YAML",
        f"{MODEL}:8:1",
        "look at this line and the one above it: indentation, quotes, brackets, colons",
    ),
    "wrong type": (
        replaced(MODEL, "tier: 2", "tier: two"),
        "[SPEC102]: `tier` must be an integer, not the text `two`",
        f"{MODEL}:8:9",
        "write it without quotes; true and false are the only truth values",
    ),
    "unknown field": (
        replaced(MODEL, "owner:", "ownr:"),
        "[SPEC104]: unknown field `ownr`",
        f"{MODEL}:9:3",
        "did you mean `owner`?",
    ),
    "missing reference": (
        replaced(MODEL, "dataset: applications", "dataset: application"),
        "[REF001]: there is no Dataset `application`",
        f"{MODEL}:11:12",
        "did you mean `applications`?",
    ),
    "not UTF-8": (
        written(MODEL, b"apiVersion: \xff\xfe\n"),
        "[SPEC010]: the file is not UTF-8: the byte 0xff stands for no character",
        f"{MODEL}:1:13",
        "save the file as UTF-8",
    ),
    "link to nothing": (
        linked_to_nothing(MODEL),
        "[SPEC020]: the file cannot be read: No such file or directory",
        MODEL,
        "check that it is a readable file",
    ),
    "directory in place of a file": (
        directory_instead(MODEL),
        "[REF001]: there is no Model `credit-default`",
        "specs/compliance/credit-default.yaml:6:10",
        "there is no Model yet; add one, or correct the name",
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_broken_document_is_a_finding_with_its_place(place: Place, case: str) -> None:
    change, error, location, remedy = DOCUMENTS[case]
    change(place)
    done = place.ordain("check", expect=1)
    assert done.stderr == ""
    blocks = [block.splitlines() for block in done.stdout.split("\n\n")]
    (block,) = [block for block in blocks if block[0] == f"error{error}" and location in block[1]]
    assert block[1].lstrip() == f"--> {location}"
    assert f"= help: {remedy}" in block[-1] or any(f"= help: {remedy}" in one for one in block)


@pytest.mark.parametrize("command", ["plan", "compile -t local"])
def test_a_committed_break_stops_what_would_act_on_it(place: Place, command: str) -> None:
    place.ordain("status")
    place.edit(MODEL, "tier: 2", "tier: two")
    commit = place.commit("Break the model")
    lines = refused(place, command, code=1)
    assert lines[0] == (
        f"error[SPEC102]: {MODEL}:8:9: `tier` must be an integer, not the text `two`"
    )
    assert any(line.startswith(f"error[ORD001]: {commit[:12]} does not pass") for line in lines)
    assert lines[-1] == "  = help: see: ordain check"


def test_a_committed_break_leaves_production_on_the_last_good_commit(place: Place) -> None:
    place.edit(MODEL, "tier: 2", "tier: two")
    commit = place.commit("Break the model")
    done = place.ordain("check", "--base", "HEAD~1", expect=1)
    assert "error[SPEC102]" in done.stdout
    assert place.git("rev-parse", "HEAD").strip() == commit


def test_a_dirty_work_tree_is_not_planned(place: Place) -> None:
    place.ordain("status")
    place.edit(MODEL, "top: 4", "top: 3")
    says(
        refused(place, "plan"),
        f"[REC002]: 1 file differs from the newest commit: {MODEL}",
        "commit or stash them; a plan is made of commits",
    )


def test_many_changed_files_are_counted_and_some_are_named(place: Place) -> None:
    for path in (MODEL, DATASET, "ordain.yaml", "reasons/credit-default.yaml"):
        (place.estate / path).write_text("# changed\n")
    (line, *_) = place.ordain("plan", expect=2).stderr.splitlines()
    assert line.startswith("error[REC002]: 4 files differ from the newest commit: ")
    assert line.endswith(" and more")


# ── places ───────────────────────────────────────────────────────────────────────────────────────

NEEDS_COMMITS = ("plan", "status", "reconcile --once", "proposals list", "compile -t local")


@pytest.mark.parametrize("command", NEEDS_COMMITS)
def test_no_repository(founded: Place, tmp_path: Path, command: str) -> None:
    place = Place(tmp_path, tmp_path / "estate")
    place.estate.mkdir()
    shutil.copy(founded.estate / "ordain.yaml", place.estate)
    lines = refused(place, command)
    assert lines[0].startswith("error[VCS004]: ")
    assert "not a git repository" in lines[0]
    assert lines[1] == "  = help: run git init, or name the directory of the estate"


@pytest.mark.parametrize("command", NEEDS_COMMITS)
def test_a_repository_without_commits(founded: Place, tmp_path: Path, command: str) -> None:
    place = Place(tmp_path, tmp_path / "estate")
    place.estate.mkdir()
    place.git("init", "--quiet")
    shutil.copy(founded.estate / "ordain.yaml", place.estate)
    says(
        refused(place, command),
        f"[VCS005]: {place.estate} has no commits yet, so 'HEAD' names nothing",
        "commit something first: git add . && git commit",
    )


def test_check_needs_no_git_at_all(founded: Place, tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    shutil.copytree(founded.estate, estate, ignore=shutil.ignore_patterns(".git"))
    assert Place(tmp_path, estate).ordain("check").stdout.startswith("no findings in ")


def test_no_estate_in_the_directory(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    says(
        refused(place, "check"),
        f"[SPEC001]: there is no ordain.yaml in {tmp_path} or above it",
        "go to an estate, or make one with: ordain init DIRECTORY",
    )


def test_no_estate_in_the_repository(place: Place) -> None:
    place.git("checkout", "-q", "--orphan", "other")
    place.git("rm", "-r", "-q", "--force", ".")
    author = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    place.git(*author, "commit", "-q", "--allow-empty", "-m", "Something else")
    says(
        refused(place, "plan"),
        f"[SPEC001]: there is no ordain.yaml in the newest commit of {place.estate}",
        "make an estate with: ordain init DIRECTORY",
    )


@pytest.mark.parametrize(
    ("name", "reason"), [("ordain.yaml", "is a file."), ("nowhere", "does not exist.")]
)
def test_a_directory_that_is_none(founded: Place, name: str, reason: str) -> None:
    lines = refused(founded, f"-C {name} check")
    assert lines[-1] == f"Error: Invalid value for '-C': Directory '{name}' {reason}"
    assert lines[1] == "Try 'ordain --help' for help."


# ── names ────────────────────────────────────────────────────────────────────────────────────────

NAMES = {
    "proposals show nope": (
        "[VCS041]: there is no open proposal 'nope'; open: none",
        "see ordain proposals list",
        2,
    ),
    "proposals approve nope --as manager": (
        "[VCS041]: there is no open proposal 'nope'; open: none",
        "see ordain proposals list",
        2,
    ),
    "proposals merge nope --as manager": (
        "[VCS041]: there is no open proposal 'nope'; open: none",
        "see ordain proposals list",
        2,
    ),
    "report nope": (
        "[CLI003]: there is no Model 'nope' at {head}",
        "one of: credit-default; a model that is not committed: --preview",
        2,
    ),
    "reasons nope": (
        "[REP001]: the ledger holds no prediction nope",
        "list them with: ordain audit query --predictions",
        1,
    ),
    "monitor run nope": ("[REC013]: there is no Deployment 'nope'", "one of: credit-default", 2),
    "keys create --route nope": ("[REC009]: there is no Route 'nope'", "one of: credit", 2),
    "keys revoke nope": ("[REC009]: there is no key 'nope' in force", "see: ordain keys list", 2),
    "pin nope": ("[CLI002]: there is no Dataset 'nope'", "one of: applications", 2),
    "explain Model.spec.tear": (
        "[SPEC003]: Model.spec has no field `tear`",
        "did you mean `tier`?",
        2,
    ),
    "explain SPEC1O9": (
        "[SPEC003]: there is neither a code nor a kind `SPEC1O9`",
        "did you mean `SPEC109`?",
        2,
    ),
    "check --rev nope": (
        "[VCS006]: 'nope' names no commit in {estate}",
        "fetch it, or see git log --all for the commits there are",
        2,
    ),
    "plan --rev nope": (
        "[VCS006]: 'nope' names no commit in {estate}",
        "fetch it, or see git log --all for the commits there are",
        2,
    ),
}


@pytest.mark.parametrize("command", NAMES)
def test_a_name_that_nothing_has(place: Place, command: str) -> None:
    place.ordain("keys", "list")
    error, remedy, code = NAMES[command]
    head = place.git("rev-parse", "--short=12", "HEAD").strip()
    says(refused(place, command, code), error.format(head=head, estate=place.estate), remedy)


def test_a_query_without_a_match_says_so(founded: Place) -> None:
    assert refused(founded, "audit query --id nope", 1) == ["No record matches."]


USAGE = {
    "init new --port 70000": "Invalid value for '--port': 70000 is not in the range 0<=x<=65535.",
    "init new --port x": "Invalid value for '--port': 'x' is not a valid integer range.",
    "init new --example nope": (
        "Invalid value for '--example': 'nope' is not one of 'credit-union', 'clinic'."
    ),
    "reconcile --once --interval 0": (
        "Invalid value for '--interval': 0.0 is not in the range x>=0.1."
    ),
    "audit query --since yesterday": (
        "Invalid value for '--since': 'yesterday' is no instant such as 2026-11-20T09:30:00Z"
    ),
    "compile": "Missing option '-t' / '--target'. Choose from:",
    "compile -t kubernetes": "--image is needed for Kubernetes: NAME@sha256:DIGEST",
    "compile -t local --environment nope": "name one environment with --environment: production",
    "keys create": "Missing option '--route'.",
    "proposals approve credit-default-1": "Missing option '--as'.",
    "apply specs": "Invalid value for '[PLAN_FILE]': File 'specs' is a directory.",
}


@pytest.mark.parametrize("command", USAGE)
def test_a_wrong_option_is_a_usage_error(founded: Place, command: str) -> None:
    lines = refused(founded, command)
    assert lines[0].startswith("Usage: ordain ")
    assert any(line.startswith("Try 'ordain ") for line in lines)
    assert f"Error: {USAGE[command]}" in [line.rstrip() for line in lines]


# ── files that are handed over ───────────────────────────────────────────────────────────────────

PLANS = {
    "no such file": (None, "[REC012]: the plan {path} cannot be read: No such file or directory"),
    "no JSON": (b"plan", "[REC012]: {path} is no saved plan: it is not JSON"),
    "not UTF-8": (b"\xff\xfe", "[REC012]: {path} is no saved plan: it is not JSON"),
    "other JSON": (b"{}", "[REC012]: {path} is no saved plan of the format ordain.plan-file/1"),
    "a list": (b"[]", "[REC012]: {path} is no saved plan of the format ordain.plan-file/1"),
}


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_file_that_is_no_plan(founded: Place, tmp_path: Path, case: str) -> None:
    data, error = PLANS[case]
    path = tmp_path / "plan.json"
    if data is not None:
        path.write_bytes(data)
    says(
        refused(founded, f"apply {path}"),
        error.format(path=path),
        "make one with: ordain plan --out plan.json",
    )


def test_a_plan_that_cannot_be_saved(place: Place) -> None:
    place.ordain("status")
    says(
        refused(place, "plan --out nowhere/plan.json"),
        "[ORD002]: nowhere/plan.json: No such file or directory",
        "check that the path exists, is yours, and that the disk has room",
    )


def test_a_report_that_cannot_be_written(place: Place) -> None:
    place.ordain("status")
    says(
        refused(place, "report credit-default --out nowhere/page.html"),
        "[ORD002]: nowhere/page.html: No such file or directory",
        "check that the path exists, is yours, and that the disk has room",
    )


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def proposed(place: Place) -> Place:
    """An estate with an open proposal, as the reconciler would make it after training."""
    from datetime import UTC, datetime

    from ordain.policies.lookups import recipe_in
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.promotions import Version, promotion_files, propose
    from ordain.reconciler.source import open_source
    from ordain.specs.evidence import Evidence
    from ordain.vcs.keys import load_signer

    source = open_source(place.estate, {"ORDAIN_HOME": str(place.root / "home")})
    side = read_side(source, source.head())
    recipe = recipe_in(side.estate, "credit-default", side.tree)
    assert recipe is not None
    artifact, split = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    evidence = Evidence(
        "credit-default", recipe.digest, artifact, split, {}, (), (), (), {}, verdict="pass"
    )
    version = Version(1, recipe, artifact, evidence, "0.1.0")
    changed = promotion_files(side.tree, side.estate, version)
    signer = load_signer(source.home.key("reconciler"))
    propose(source, side.revision, changed, version, signer, datetime(2026, 11, 20, tzinfo=UTC))
    source.repository.close()
    place.ordain("proposals", "list")
    return place


APPROVE = "proposals approve credit-default-1 --as manager"


def test_a_key_that_is_not_there(proposed: Place) -> None:
    says(
        refused(proposed, f"{APPROVE} --key nowhere"),
        "[VCS021]: cannot read the private key nowhere: No such file or directory",
        "name the file of your private key, or make one: ssh-keygen -t ed25519",
    )


def test_the_usual_key_is_not_there(proposed: Place) -> None:
    path = proposed.home / "keys" / "manager"
    path.unlink()
    says(
        refused(proposed, APPROVE),
        f"[REC006]: there is no private key for manager at {path}",
        "give the key's file with --key",
    )


def test_a_key_that_others_can_read(proposed: Place) -> None:
    path = proposed.home / "keys" / "manager"
    path.chmod(0o644)
    says(
        refused(proposed, APPROVE),
        f"[VCS021]: the private key {path} can be read by others (mode 0644)",
        f"close it: chmod 600 {path}; if others could read it for long, replace it",
    )


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
def test_a_key_with_a_passphrase(proposed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_AUTH_SOCK", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    path = proposed.home / "keys" / "manager"
    lock = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "five words", "-f", str(path)]
    subprocess.run(lock, check=True, capture_output=True)
    says(
        refused(proposed, APPROVE),
        f"[VCS021]: {path} did not sign: it is locked with a passphrase, and nobody unlocked it",
        f"unlock it for this session: ssh-add {path}, or sign at a terminal",
    )


def test_a_file_that_is_no_key(proposed: Place) -> None:
    (proposed.estate / "ordain.yaml").chmod(0o600)
    says(
        refused(proposed, f"{APPROVE} --key ordain.yaml"),
        "[VCS021]: ordain.yaml is not an OpenSSH private key",
        "name the private half (without .pub), or make one: ssh-keygen -t ed25519",
    )


def test_the_key_of_somebody_else(proposed: Place) -> None:
    """Whether it is refused at once or only not counted: it approves nothing."""
    key = proposed.home / "keys" / "cto"
    proposed.ordain(*APPROVE.split(), "--key", str(key), expect=None)
    shown = proposed.ordain("proposals", "show", "credit-default-1").stdout
    assert "  none" in shown.partition("\nApprovals:\n")[2].splitlines()[:2]
    proposed.ordain("proposals", "merge", "credit-default-1", "--as", "manager", expect=1)


def test_the_name_of_a_file_gives_the_terminal_no_orders() -> None:
    from ordain.cli.failures import finding_line

    place = Location("specs/\x1b[2Jhidden.yaml", 1, 1)
    line = finding_line(Finding("X001", Severity.ERROR, "a\x1b]0;b", place, remedy="c\x9b"))
    assert line == (
        "error[X001]: specs/\\u001b[2Jhidden.yaml:1:1: a\\u001b]0;b\n  = help: c\\u009b"
    )


def test_a_proposal_gives_the_terminal_no_orders_and_says_who_signed_it(proposed: Place) -> None:
    proposed.git("checkout", "-q", "-b", "quiet")
    proposed.git("commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", "a \x1b[8m title")
    proposed.git("checkout", "-q", "main")
    listed = proposed.ordain("proposals", "list").stdout
    told = proposed.ordain("proposals", "show", "quiet").stdout
    assert "\x1b" not in listed + told
    assert "quiet: a \\u001b[8m title" in told
    assert "branch quiet, signed by nobody in the Organization" in told
    shown = proposed.ordain("proposals", "show", "credit-default-1").stdout
    assert "branch ordain/promote/credit-default-1, signed by reconciler" in shown


def test_a_person_that_the_organization_does_not_know(proposed: Place) -> None:
    says(
        refused(proposed, "proposals approve credit-default-1 --as nobody"),
        "[SPEC001]: the organization knows nobody called 'nobody'",
        "one of: data-scientist, manager, cto",
    )


# ── a new estate ─────────────────────────────────────────────────────────────────────────────────


def test_init_leaves_a_directory_in_use_alone(founded: Place) -> None:
    says(
        refused(founded, f"init {founded.estate}"),
        f"[CLI001]: {founded.estate} exists and is not empty",
        "name a directory that does not exist yet",
    )


def test_init_leaves_a_file_alone(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    says(
        refused(Place(tmp_path, tmp_path), "init taken"),
        "[CLI001]: taken exists and is not empty",
        "name a directory that does not exist yet",
    )


def test_init_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    says(
        refused(Place(tmp_path, tmp_path), "init taken/estate"),
        "[ORD002]: taken/estate: Not a directory",
        "check that the path exists, is yours, and that the disk has room",
    )


@pytest.mark.parametrize("command", ["init new", "plan"])
def test_without_git(founded: Place, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    says(
        refused(founded, command),
        "[VCS002]: the program git is not on the PATH",
        "install git 2.38 or later and try again",
    )


# ── the home ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["plan", "status", "reconcile --once", "keys list"])
def test_a_home_that_cannot_be_written(founded: Place, tmp_path: Path, command: str) -> None:
    """A file where the home should be; rights would be no obstacle to root."""
    root_commit = founded.git("rev-list", "--max-parents=0", "HEAD").strip()
    (tmp_path / "home").write_text("mine")
    place = Place(tmp_path, founded.estate)
    home = tmp_path / "home" / root_commit[:16]
    lines = refused(place, command)
    assert lines[0].startswith("error[REC005]: ")
    assert str(home) in lines[0]
    assert "Not a directory" in lines[0]
    assert lines[1].startswith("  = help: ")


# ── data ─────────────────────────────────────────────────────────────────────────────────────────

TABLES = {
    "missing column": (
        replaced(DATA, "utilisation,", "utilization,"),
        "[RUN140]: data/applications.csv: column utilisation not found",
        "add the data or take the declaration out of spec.columns",
    ),
    "no file": (
        lambda place: (place.estate / DATA).unlink(),
        "[RUN140]: data/applications.csv: there is no such file",
        "put the file there or correct source.uri",
    ),
    "directory": (
        directory_instead(DATA),
        "[RUN140]: data/applications.csv: this is no file",
        "name one file in source.uri",
    ),
    "empty file": (
        written(DATA, b""),
        "[RUN140]: data/applications.csv: the file is empty",
        "write a line of column names and at least one row",
    ),
    "wrong encoding": (
        lambda place: (place.estate / DATA).write_bytes(
            (place.estate / DATA).read_bytes().replace(b",home,", b",h\xf6me,", 1)
        ),
        "[RUN140]: data/applications.csv: line 4 is not UTF-8 text",
        "save the file as UTF-8",
    ),
}


@pytest.mark.training
@pytest.mark.parametrize("case", TABLES)
def test_data_that_is_not_what_is_declared(place: Place, case: str) -> None:
    change, error, remedy = TABLES[case]
    change(place)
    says(refused(place, "pin"), error, remedy)


def test_data_is_not_pinned_while_the_documents_are_broken(place: Place) -> None:
    place.edit(MODEL, "tier: 2", "tier: two")
    lines = refused(place, "pin", code=1)
    assert lines[-2:] == [
        "error[ORD001]: the documents must pass their schema before data is pinned",
        "  = help: mend what is listed above",
    ]


@pytest.mark.e2e
def test_data_that_was_edited_after_it_was_pinned_is_not_trained_on(place: Place) -> None:
    place.edit(DATA, ",car,", ",home,")
    place.commit("Edit the data behind its digest")
    done = place.ordain("reconcile", "--once", expect=2)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("  !! ")]
    assert "dataset applications: data/applications.csv has the digest sha256:" in line
    assert line.endswith(
        "(restore the pinned data, or run `ordain pin applications` and have the change approved)"
    )
    assert [one for one in (place.home / "artifacts").rglob("*") if one.is_file()] == []
    assert (
        place.ordain("proposals", "list").stdout
        == "There is no open proposal.\nNext: ordain status\n"
    )


def test_the_commands_of_these_tests_exist() -> None:
    """A renamed command would turn every refusal above into a usage error."""
    for line in (*NAMES, *USAGE, *NEEDS_COMMITS):
        assert line.split()[0] in root.list_commands(None)  # type: ignore[arg-type]


def test_an_estate_is_made_in_a_directory_with_a_name(tmp_path: Path) -> None:
    done = Place(tmp_path, tmp_path).ordain("init", "", expect=2)
    assert "Invalid value for 'DIRECTORY': name a directory" in done.stderr


def test_a_query_that_nobody_has_written_is_found(place: Place) -> None:
    source = "{type: postgres, query: queries/loans.sql, dsnFrom: DSN, orderBy: [applicant_id]}"
    file = "specs/datasets/applications.yaml"
    place.edit(file, "{type: csv, uri: data/applications.csv}", source)
    message = "there is no file `queries/loans.sql`"
    done = place.ordain("check", expect=None)
    assert f"error[SPEC129]: {message}" in done.stdout, done.stdout
    (place.estate / "queries").mkdir()
    (place.estate / "queries/loans.sql").write_text("select 1", encoding="utf-8")
    assert message not in place.ordain("check", expect=None).stdout
