"""`ordain audit verdict`: the record that the ledger names, or why it is not believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from ordain.cli.session import open_session, reconciler_of
from ordain.policies.records import read_record
from ordain.policies.records_schema import record_schema

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

MONITOR = "specs/monitors/credit-default.yaml"


@pytest.fixture
def gated(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An estate whose first commit passed the gate and whose second one did not."""
    place.edit(MONITOR, "fail: 0.25", "fail: 5")
    place.commit("A looser limit")
    monkeypatch.setenv("ORDAIN_HOME", str(place.root / "home"))
    with open_session(place.estate) as session:
        reconciler_of(session, lambda _: None).gate(session.source.head())
    return place


def records(place: Place) -> Path:
    return place.home / "verdicts"


def test_the_verdict_of_a_commit_is_told_with_what_it_rests_on(gated: Place) -> None:
    told = gated.ordain("audit", "verdict", "HEAD").stdout.splitlines()
    head, base = (gated.git("rev-parse", name).strip()[:12] for name in ("HEAD", "HEAD~1"))
    assert told[0].startswith(f"fail: {head} on {base}, as of ")
    assert told[1].startswith("  change        loosening sha256:")
    assert told[2] == "  contributors  data-scientist"
    assert any("error[POL-drift-limit.features]" in line for line in told)
    assert told[-2].startswith("  record        sha256:")
    assert told[-1] == "Next: ordain audit verify"
    assert gated.ordain("audit", "verdict", "HEAD~1").stdout.startswith("pass: ")


def test_json_is_the_record_as_it_was_written(gated: Place) -> None:
    text = gated.ordain("audit", "verdict", "HEAD", "-o", "json").stdout
    record = read_record(text.encode())
    jsonschema.validate(record, record_schema())
    (file,) = [one for one in records(gated).iterdir() if one.stem in record["digest"]]
    assert file.read_text() == text


def test_a_commit_without_a_verdict_is_told(gated: Place) -> None:
    gated.edit(MONITOR, "fail: 5", "fail: 0.25")
    head = gated.commit("Back again")
    refused = gated.ordain("audit", "verdict", "HEAD", expect=1)
    assert refused.stderr == f"The ledger holds no verdict of {head[:12]}.\n"


def test_a_record_that_somebody_has_edited_is_not_shown(gated: Place) -> None:
    for file in records(gated).iterdir():
        content = json.loads(file.read_text())
        file.write_text(json.dumps({**content, "verdict": "pass"}))
    refused = gated.ordain("audit", "verdict", "HEAD", expect=2)
    assert "error[VDT001]: this is no verdict that can be believed" in refused.stderr
    assert refused.stdout == ""
