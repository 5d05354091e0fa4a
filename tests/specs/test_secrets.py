"""A password in an address is printed nowhere."""

from __future__ import annotations

import pytest

from ordain.specs.diagnostics import render_text
from ordain.specs.differences import differences
from ordain.specs.estates import load_estate
from ordain.specs.findings import Finding, Severity
from ordain.specs.secrets import masked, without_secrets

DATASET = """apiVersion: ordain.dev/v1
kind: Dataset
metadata: {{name: applications}}
spec:
  source: {{type: csv, uri: "{uri}"}}
  columns: {{income: {{type: float}}}}
"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "postgres://reader:swordfish@db.example.org/x",
            "postgres://reader:*********@db.example.org/x",
        ),
        ("https://x.example.org/a?sig=abc&v=1", "https://x.example.org/a?sig=***&v=1"),
        ("https://x.example.org/a?v=1&API_KEY=abc", "https://x.example.org/a?v=1&API_KEY=***"),
        ("https://x.example.org:8443/a", "https://x.example.org:8443/a"),
        ("postgres://u:p@ss@h/db", "postgres://u:****@h/db"),
        (
            "https://ghp_0123456789abcdef@example.org/x",
            "https://********************@example.org/x",
        ),
        ("https://reader@example.org/x", "https://reader@example.org/x"),
        ("host=db password=swordfish user=x", "host=db password=********* user=x"),
        ("?X-Amz-Signature=abc&client_secret=de", "?X-Amz-Signature=***&client_secret=**"),
        ("object.token == 'x' && a.secret=='y'", "object.token == 'x' && a.secret=='y'"),
        ("s3://bucket/key=value/part", "s3://bucket/key=value/part"),
        ("a: b@c", "a: b@c"),
    ],
)
def test_what_is_a_password_becomes_stars(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert len(masked(text)) == len(text)
    assert without_secrets({"a": [text, 1]}) == {"a": [shown, 1]}


def dataset(password: str) -> dict[str, bytes]:
    uri = f"https://reader:{password}@data.example.org/a.csv"
    return {"specs/data.yaml": DATASET.format(uri=uri).encode()}


def test_the_line_of_a_finding_is_shown_without_it() -> None:
    tree = dataset("swordfish")
    document = load_estate(tree).documents["Dataset/applications"]
    place = document.marks.value("spec", "source", "uri")
    text = render_text([Finding("X", Severity.ERROR, "no", place)], tree, colour=False)
    assert "swordfish" not in text
    assert "https://reader:*********@data.example.org/a.csv" in text


def test_a_difference_is_shown_without_it() -> None:
    old, new = (
        load_estate(dataset(word)).documents["Dataset/applications"] for word in ("one", "two")
    )
    (found,) = differences(old, new)
    assert found.before == found.after == "https://reader:***@data.example.org/a.csv"


def test_no_finding_quotes_it() -> None:
    uri = "postgres://reader:swordfish@db.example.org/x"
    finding = Finding("X", Severity.ERROR, f"no: {uri}", None, (f"a = {uri}",), f"not {uri}")
    assert "swordfish" not in repr(finding)
