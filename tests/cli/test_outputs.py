"""One check, many outputs: where each goes, and what is left behind when one cannot."""

from __future__ import annotations

import json
import resource
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

MONITOR = "specs/monitors/credit-default.yaml"


@pytest.fixture
def red(place: Place) -> Place:
    """An estate with two errors."""
    place.edit(MONITOR, "fail: 0.25", "fail: 5")
    return place


def beside(place: Place) -> list[str]:
    """What stands in the directory of the outputs."""
    return sorted(path.name for path in (place.root / "out").iterdir())


@pytest.fixture
def out(place: Place) -> Path:
    directory = place.root / "out"
    directory.mkdir()
    return directory


def test_one_evaluation_is_written_in_every_format(red: Place, out: Path) -> None:
    names = ("json", "sarif", "junit", "github", "github-summary", "gitlab", "openreports")
    options = [word for name in (*names, "markdown") for word in ("-o", f"{name}={out / name}")]
    done = red.ordain("check", *options, "-o", "text", expect=1)
    assert beside(red) == sorted([*names, "markdown"])
    assert done.stderr == ""
    assert done.stdout.splitlines()[-2:] == [
        "2 errors in 10 files",
        "Next: ordain explain POL-drift-limit.features",
    ]
    content = json.loads((out / "json").read_text())
    (run,) = json.loads((out / "sarif").read_text())["runs"]
    assert len(content["findings"]) == len(run["results"]) == 2
    assert content["as_of"] == run["properties"]["asOf"]
    root = ET.fromstring((out / "junit").read_text())  # noqa: S314 - our own
    assert root.get("failures") == "2"
    # A rule is explained by the page of its code, from whichever room that is.
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert "0.25" in rules["POL-drift-limit.features"]["fullDescription"]["text"]
    # Those of the estate's own rules are there too.
    own = rules["POL-psi-limit-not-loosened"]
    assert own["fullDescription"]["text"].startswith("A breach limit above 0.25 would hide")


def test_json_says_what_was_asked_by_what(founded: Place) -> None:
    found: dict[str, Any] = json.loads(founded.ordain("check", "-o", "json").stdout)
    assert found["verdict"] == "pass"
    assert found["engine"].startswith("cel-expr-python ")
    assert "drift-limit" in {policy["name"] for policy in found["policies"]}
    assert found["revision"] is None
    assert found["summary"]["files"] == 10


def test_a_commit_and_a_change_are_named(founded: Place) -> None:
    head = founded.git("rev-parse", "HEAD").strip()
    of_commit = json.loads(founded.ordain("check", "--rev", "HEAD", "-o", "json").stdout)
    assert (of_commit["revision"], of_commit["base"]) == (head, None)
    change = ("--base", "HEAD", "--rev", "HEAD")
    of_change = json.loads(founded.ordain("check", *change, "-o", "json").stdout)
    assert (of_change["revision"], of_change["base"]) == (head, head)
    assert of_change["change"] is not None
    comment = founded.ordain("check", *change, "-o", "markdown").stdout
    assert f"ordain check --base {head[:12]} --rev {head[:12]}" in comment


def test_what_is_waived_is_said_in_every_format(red: Place) -> None:
    digest = red.ordain("digest", "Monitor/credit-default").stdout.split()[1]
    for code in ("POL-drift-limit.features", "POL-psi-limit-not-loosened"):
        name = code.rpartition(".")[2].lower()[-20:].strip("-")
        (red.estate / f"specs/{name}.yaml").write_text(
            "apiVersion: ordain.dev/v1\n"
            "kind: Waiver\n"
            f"metadata: {{name: {name}}}\n"
            "spec:\n"
            f"  finding: {code}\n"
            f"  object: {{kind: Monitor, name: credit-default, digest: {digest}}}\n"
            "  reason: measured again in March\n"
            "  requestedBy: manager\n"
            "  approvedBy: cto\n"
            f"  expires: '{datetime.now(UTC).date() + timedelta(days=90)}'\n"
        )
    done = red.ordain("check")
    assert "waived[POL-drift-limit.features]: " in done.stdout
    assert done.stdout.splitlines()[-2] == "no findings in 12 files, 2 waived"
    (run,) = json.loads(red.ordain("check", "-o", "sarif").stdout)["runs"]
    accepted = [one["suppressions"][0] for one in run["results"] if "suppressions" in one]
    assert [one["justification"] for one in accepted] == ["measured again in March"] * 2
    assert "#### Waived" in red.ordain("check", "-o", "markdown").stdout


def test_files_alone_leave_standard_output_to_nobody(red: Place, out: Path) -> None:
    done = red.ordain("check", "-o", f"sarif={out / 'a.sarif'}", expect=1)
    assert done.stdout == ""
    assert done.stderr == f"2 errors in 10 files: wrote {out / 'a.sarif'}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("sarfi",), "there is no format 'sarfi'; did you mean sarif?"),
        (("xml",), "there is no format 'xml'; choose from text, json, sarif, "),
        (("sarif=",), "'sarif=' names no file; write sarif=FILE, or sarif alone"),
        (("json", "text"), "json and text cannot both go to standard output; give one a file,"),
        (("json=a", "junit=./a"), "two formats cannot both be written to "),
    ],
)
def test_what_cannot_all_be_written_is_refused_before_anything_is_judged(
    founded: Place, options: tuple[str, ...], message: str
) -> None:
    words = [word for option in options for word in ("-o", option)]
    done = founded.ordain("check", *words, expect=2)
    assert done.stdout == ""
    assert message in done.stderr


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("nowhere/x.xml", "No such file or directory"),
        ("taken", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_a_file_that_cannot_be_written_leaves_none(
    red: Place, out: Path, file: str, reason: str
) -> None:
    (out / "taken").mkdir()
    (out / "a.sarif").write_text("of an earlier run")
    options = ("-o", f"sarif={out / 'a.sarif'}", "-o", f"junit={out / file}", "-o", "text")
    done = red.ordain("check", *options, expect=2)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"error[CLI004]: {out / file} cannot be written: {reason}",
        "  = help: check that its directory exists, is yours, and that the disk has room",
    ]
    assert beside(red) == ["a.sarif", "taken"]
    assert (out / "a.sarif").read_text() == "of an earlier run"


def test_a_disk_that_fills_up_leaves_no_half_of_a_file(red: Place, out: Path) -> None:
    """A limit on the size of a file stands for the disk: the write fails in its middle."""
    done = subprocess.run(
        [sys.executable, "-m", "ordain.cli", "check", "-o", f"sarif={out / 'a.sarif'}"],
        cwd=red.estate,
        env=red.environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error[CLI004]: {out / 'a.sarif'} cannot be written: ")
    assert beside(red) == []


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(founded: Place, tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    target.write_text("old")
    target.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(target)
    founded.ordain("check", "-o", f"json={link}")
    assert link.is_symlink()
    assert json.loads(target.read_text())["verdict"] == "pass"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_device_is_written_and_stays_a_device(founded: Place) -> None:
    done = founded.ordain("check", "-o", "json=/dev/stderr", "-o", "junit=/dev/null")
    assert done.stdout == ""
    assert json.loads(done.stderr.partition("\nno findings")[0])["verdict"] == "pass"


def in_a_job(place: Place, summary: Path) -> subprocess.CompletedProcess[str]:
    """The check as a step of GitHub Actions runs it."""
    words = ("check", "-o", "github-summary", "-o", "github")
    return subprocess.run(
        [sys.executable, "-m", "ordain.cli", *words],
        cwd=place.estate,
        env=place.environment | {"GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_summary_of_a_job_is_added_to_its_file(red: Place, out: Path) -> None:
    summary = out / "summary.md"
    summary.write_text("# of an earlier command\n")
    done = in_a_job(red, summary)
    assert done.returncode == 1
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["::error"] * 2 + ["2"]
    lines = summary.read_text().splitlines()
    assert lines[:2] == ["# of an earlier command", "### ❌ ordain: fail"]


def test_a_summary_that_is_full_keeps_what_it_has(founded: Place, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * (1024 * 1024 - 100))
    in_a_job(founded, summary)
    text = summary.read_text()
    assert len(text) <= 1024 * 1024
    assert text.splitlines()[-1] == "The summary of `ordain check` has no room here; see the log."


def test_the_summary_goes_to_standard_output_elsewhere(founded: Place) -> None:
    assert founded.ordain("check", "-o", "github-summary").stdout.startswith("### ✅ ordain: pass")


def test_the_schema_of_findings_is_written_with_the_others(founded: Place, tmp_path: Path) -> None:
    founded.ordain("schema", str(tmp_path))
    schema = json.loads((tmp_path / "findings.schema.json").read_text())
    assert schema["properties"]["format"]["const"] == "ordain.findings/1"
