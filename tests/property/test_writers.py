"""Whatever a file says, what is written about it can be read by whom it is for."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.specs.findings import Finding, Location, Severity, Verdict
from ordain.specs.writers import FORMATS
from ordain.specs.writers.checked import Checked, Waived

pytestmark = pytest.mark.property

# Halves of surrogate pairs, control characters and all: `st.text()` alone leaves some out.
TEXTS = st.text(st.characters(), max_size=40)
PLACES = st.none() | st.builds(
    Location,
    TEXTS,
    st.integers(0, 4),
    st.integers(1, 50),
    st.integers(1, 50),
)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["SPEC104", "POL-x.y", "POL002", "SOD-QUORUM"]),
    severity=st.sampled_from(Severity),
    message=TEXTS,
    location=PLACES,
    evidence=st.tuples(TEXTS),
    remedy=TEXTS,
    controls=st.tuples(TEXTS),
    related=st.tuples(st.tuples(st.builds(Location, TEXTS), TEXTS)),
)
WAIVED = st.builds(Waived, FINDINGS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
CHECKS = st.builds(
    Checked,
    st.sampled_from(Verdict),
    st.lists(FINDINGS, max_size=4).map(tuple),
    st.just(datetime(2026, 11, 20, tzinfo=UTC)),
    st.dictionaries(TEXTS, st.binary(max_size=60), max_size=2),
    st.lists(WAIVED, max_size=2).map(tuple),
    paths=st.lists(TEXTS, max_size=2).map(tuple),
)


@given(CHECKS)
def test_json_can_be_read_by_a_strict_reader(checked: Checked) -> None:
    for name in ("json", "sarif", "gitlab", "openreports"):
        json.loads(FORMATS[name].write(checked).decode("utf-8", "strict"))


@given(CHECKS)
def test_xml_can_be_read(checked: Checked) -> None:
    root = ET.fromstring(FORMATS["junit"].write(checked))  # noqa: S314 - our own
    cases = len(root.findall(".//testcase"))
    assert root.get("tests") == str(cases)
    assert cases >= len(checked.findings) + len(checked.suppressed)


@given(CHECKS)
def test_an_annotation_is_one_line(checked: Checked) -> None:
    *commands, _ = FORMATS["github"].write(checked).decode().rstrip("\n").split("\n")
    assert len(commands) == len(checked.findings)
    assert all(re.match(r"::(error|warning|notice) [^\r]*::", line) for line in commands)


@given(CHECKS)
def test_a_comment_holds_no_character_that_is_not_one(checked: Checked) -> None:
    for name in ("markdown", "github-summary", "text"):
        text = FORMATS[name].write(checked).decode()
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", text)
