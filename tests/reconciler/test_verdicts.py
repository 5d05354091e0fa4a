"""The record of a verdict: complete, the same twice, and believed only as it was written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from ordain.policies.errors import RecordDamaged
from ordain.policies.records import (
    MOST_IN_LEDGER,
    described,
    essentials,
    read_record,
    record_bytes,
    verdict_record,
)
from ordain.policies.records_schema import record_schema
from ordain.reconciler.review import Reviewer, approve, judge_sides
from ordain.reconciler.verdicts import inputs_of, kept_record, record_of
from ordain.specs.canonical import canonical_json, digest
from ordain.specs.findings import Finding, Location, Severity
from ordain.vcs.changes import FORMAT as CHANGE
from tests.reconciler.conftest import MODEL_FILE, MONITOR_FILE, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reconciler.conftest import Bench

TOPIC = "refs/heads/topic"


def recorded(bench: Bench, head: str = TOPIC) -> dict[str, Any]:
    source = bench.source()
    onto, commit = source.head(), source.repository.resolve(head)
    _, _, judged = judge_sides(source, onto, commit, bench.now)
    return record_of(source, judged, bench.now, revision=commit)


def valid(record: dict[str, Any]) -> dict[str, Any]:
    jsonschema.Draft7Validator(record_schema()).validate(json.loads(record_bytes(record)))
    return record


@pytest.fixture
def loosened(bench: Bench) -> Bench:
    bench.loosen(branch=TOPIC)
    return bench


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(record_schema())


def test_a_record_says_what_was_judged_by_what_and_when(loosened: Bench) -> None:
    source = loosened.source()
    record = valid(recorded(loosened))
    head, base = source.repository.resolve(TOPIC), source.head()
    assert record["revision"] == head
    assert record["base"] == base
    assert record["tree"] == source.repository.commit(head).tree
    assert record["base_tree"] == source.repository.commit(base).tree
    assert (record["verdict"], record["blocked"]) == ("fail", True)
    assert record["as_of"] == "2026-11-20T09:30:00Z"
    assert record["engine"].startswith("cel")
    assert all(one["digest"].startswith("sha256:") for one in record["policies"])
    assert [path for path, *_ in record["change"]["paths"]] == [MONITOR_FILE]
    assert record["change"]["contributors"] == ["data-scientist"]
    assert record["change"]["loosened"][0]["after"] == "5.0"


def test_the_digest_of_the_change_follows_from_the_record_alone(loosened: Bench) -> None:
    change = recorded(loosened)["change"]
    assert digest({"format": CHANGE, "paths": change["paths"]}) == change["digest"]


def test_the_same_inputs_give_the_same_bytes_and_another_time_others(loosened: Bench) -> None:
    first = record_bytes(recorded(loosened))
    assert record_bytes(recorded(loosened)) == first
    loosened.now = NOW.replace(hour=10)
    assert record_bytes(recorded(loosened)) != first


def test_findings_stand_there_as_the_json_of_a_check_has_them(loosened: Bench) -> None:
    record = recorded(loosened)
    (limit,) = [one for one in record["findings"] if one["code"] == "POL-drift-limit.features"]
    assert limit["location"]["path"] == MONITOR_FILE
    assert limit["location"]["range"]["start"]["line"] > 1
    assert limit["fingerprint"]
    assert record["summary"]["error"] == sum(
        one["severity"] == "error" for one in record["findings"]
    )


def test_approvals_stand_there_with_their_proofs(bench: Bench) -> None:
    route = "specs/routes/malignancy.yaml"
    bench.commit(bench.edited(route, "/v1/malignancy", "/v1/tumours"), branch=TOPIC)
    before = recorded(bench)
    assert before["approvals"]["counted"] == []
    assert before["required"][0]["missing"] == before["required"][0]["roles"]
    source = bench.source()
    reconciler = bench.reconciler(source)
    approve(source, reconciler.ledger, "topic", by=Reviewer("manager"), now=bench.now)
    record = valid(recorded(bench))
    (counted,) = record["approvals"]["counted"]
    assert (counted["person"], counted["role"]) == ("manager", "manager")
    assert counted["proof"].startswith("refs/ordain/approvals/")
    assert counted["key"].startswith("SHA256:")
    assert record["required"][0]["missing"] == []
    assert record["digest"] != before["digest"]


def test_an_edited_record_is_not_believed(loosened: Bench) -> None:
    data = record_bytes(recorded(loosened))
    assert read_record(data)["verdict"] == "fail"
    for edited, why in (
        (data.replace(b'"verdict":"fail"', b'"verdict":"pass"'), "what its digest says"),
        (data.replace(b'"verdict":', b'"verdict": '), "not as it was written"),
        (b"{}", "its format is not ordain.verdict/1"),
        (b"\xff", "it is not JSON"),
    ):
        assert edited != data
        with pytest.raises(RecordDamaged, match=why):
            read_record(edited)


def test_names_that_are_no_text_are_in_a_record_that_can_be_written(bench: Bench) -> None:
    bench.commit({"notes/\udcff.md": b"x"}, branch=TOPIC)
    record = valid(recorded(bench))
    assert record["change"]["digest"] is None
    assert record["change"]["paths"][0][0] == "notes/\ufffd.md"
    assert record["blocked"]


def test_the_ledger_gets_a_short_form_of_bounded_length(loosened: Bench) -> None:
    source = loosened.source()
    onto, head = source.head(), source.repository.resolve(TOPIC)
    _, after, judged = judge_sides(source, onto, head, loosened.now)
    many = tuple(
        Finding(f"POL-{number}", Severity.WARNING, "w" * 5_000, Location(MODEL_FILE, number + 1))
        for number in range(5_000)
    )
    loud = replace(judged.judgement, findings=(*many, *judged.judgement.findings))
    told = described(loud, loosened.now, after.tree, revision=head, base=onto)
    inputs = inputs_of(source.repository, after.revision, onto, judged)
    record = verdict_record(told, loud, inputs)
    short = essentials(record)
    assert len(canonical_json(short)) < 25_000
    assert short["record"] == record["digest"]
    # What blocks is never cut before what does not.
    assert short["findings"][0][1] == "error"
    assert len(short["findings"]) == MOST_IN_LEDGER
    assert short["more"] == len(loud.findings) - MOST_IN_LEDGER
    assert short["summary"]["warning"] >= 5_000


# In a pass


def test_a_pass_records_what_it_lets_through_and_what_it_refuses(bench: Bench) -> None:
    reconciler = bench.reconciler()
    (good,) = [one.revision for one in reconciler.gate(bench.head()).judged]
    bad = bench.loosen()
    reconciler.gate(bad)
    home = reconciler.source.home.verdicts
    (passed,) = reconciler.ledger.events(kind="gate.passed")
    (refused,) = reconciler.ledger.events(kind="gate.refused")
    first, second = kept_record(home, passed.data), kept_record(home, refused.data)
    assert (first["revision"], first["blocked"], first["base"]) == (good, False, None)
    assert (second["revision"], second["blocked"], second["base"]) == (bad, True, good)
    assert refused.data["verdict"] == "fail"
    codes = [code for code, severity, _ in refused.data["findings"] if severity == "error"]
    assert "POL-drift-limit.features" in codes
    valid(first)
    valid(second)


def test_a_record_that_is_gone_or_another_one_is_told(bench: Bench) -> None:
    reconciler = bench.reconciler()
    reconciler.gate(bench.head())
    home = reconciler.source.home.verdicts
    (event,) = reconciler.ledger.events(kind="gate.passed")
    place = home / f"{event.data['record'].removeprefix('sha256:')}.json"
    record = read_record(place.read_bytes())
    other = {**{key: value for key, value in record.items() if key != "digest"}, "verdict": "warn"}
    place.write_bytes(record_bytes({**other, "digest": digest(other)}))
    with pytest.raises(RecordDamaged, match="is not the one that the ledger holds"):
        kept_record(home, event.data)
    place.unlink()
    with pytest.raises(RecordDamaged, match="is not in"):
        kept_record(home, event.data)
    with pytest.raises(RecordDamaged, match="names no record"):
        kept_record(home, {"record": "../../../etc/passwd"})


def test_a_record_that_cannot_be_written_ends_the_pass(bench: Bench, tmp_path: Path) -> None:
    from ordain.reconciler.errors import StateDamaged

    reconciler = bench.reconciler()
    home = reconciler.source.home.verdicts
    home.parent.mkdir(parents=True, exist_ok=True)
    home.write_text("in the way")
    with pytest.raises(StateDamaged, match="the record of a verdict cannot be written"):
        reconciler.gate(bench.head())
    assert list(reconciler.ledger.events(kind="gate.passed")) == []
    assert tmp_path.is_dir()
