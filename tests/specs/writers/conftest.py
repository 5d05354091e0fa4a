"""One check with everything that can be in one, and values that try to break each format."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ordain.specs.explanations import Explanation
from ordain.specs.findings import Finding, Location, Severity, Verdict
from ordain.specs.writers import FORMATS
from ordain.specs.writers.checked import Checked, Waived

Make = Callable[..., Checked]
Write = Callable[..., str]
Validate = Callable[[object, str], None]

SCHEMAS = Path(__file__).parents[2] / "data" / "schemas"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LINE = "  psi: {warn: 0.1, fail: 5}"
TREE = {
    "ordain.yaml": b"kind: Estate\n",
    "specs/monitor.yaml": f"kind: Monitor\n{LINE}\n".encode(),
    "specs/gr\u00f6\u00dfe 50%.yaml": b"x\n",
}
HOSTILE = {
    "a command": "::error::owned\n::set-output name=x::y\r\n##[error]z",
    "percent": "100% of %0A and %25",
    "the end of CDATA": "a ]]> b <![CDATA[ c",
    "control characters": "\x00\x07\x1b[2J\x7f\x85\u202e\u2028\ufeff",
    "no characters": "\ufffe\uffff",
    "half a pair": "a\ud800b\udfff",
    "a table": "a | b || `c` ``d`` |---|",
    "markup": "<script>alert(1)</script><img src=x onerror=y> & &lt; </code> <!-- --> -->",
    "links": "[x](http://evil.example) ![i](//evil.example/i.png) https://a.example www.a.example",
    "mentions": "@everyone #1 !2 a@b.example /approve\n/merge",
    "details": "</details></sub>\n# heading\n- list\n```\nfence",
    "emphasis": "*a* _b_ **c** ~~d~~ $x$ \\| \\",
    "very long": "x" * 100_000,
    "braces": "{0} {{1}} [a, b] ](",
    "empty": "",
}


def finding(message: str = "the limit is above 0.25", **more: object) -> Finding:
    values: dict[str, Any] = {
        "code": "POL-drift-limit.features",
        "severity": Severity.ERROR,
        "location": Location("specs/monitor.yaml", 2, 26, 1),
    }
    return Finding(message=message, **{**values, **more})


RICH = finding(
    evidence=("object = Monitor/credit", "object.spec.psi.fail = 5"),
    remedy="set psi.fail to 0.25 or less",
    controls=("SR262-MON", "SS123-4.4"),
    related=((Location("ordain.yaml", 1, 7, 6), "the policy"),),
)
FINDINGS = (
    RICH,
    finding("a warning", severity=Severity.WARNING, code="ACC-METRIC", location=None),
    finding("a note", severity=Severity.NOTE, code="WVR006", location=Location("ordain.yaml")),
)
WAIVED = Waived(
    finding("an old one", code="POL-monitored", location=Location("ordain.yaml", 1, 1, 4)),
    "Waiver/monitored",
    "the monitor comes with the next release",
    "compliance-manager",
    "2026-12-31",
    "Model/credit",
)


@pytest.fixture
def make() -> Make:
    """A check; by default one with an error, a warning, a note and a waived finding."""

    def made(
        findings: tuple[Finding, ...] = FINDINGS,
        suppressed: tuple[Waived, ...] = (WAIVED,),
        **more: object,
    ) -> Checked:
        values: dict[str, Any] = {
            "tree": TREE,
            "paths": tuple(TREE),
            "tool_version": "1.2.3",
            "engine": "cel 1.0",
            "policies": (("drift-limit", "sha256:1"), ("monitored", "sha256:2"), ("quiet", "x")),
            "revision": "a" * 40,
            "pages": {"POL-monitored": Explanation("no monitor", "because", "a: 1\n", "add one")},
        }
        return Checked(Verdict.FAIL, findings, NOW, suppressed=suppressed, **{**values, **more})

    return made


@pytest.fixture
def write() -> Write:
    """What a format makes of a check, as text; it must be UTF-8 and end with a line break."""

    def written(name: str, checked: Checked) -> str:
        data = FORMATS[name].write(checked)
        assert data.endswith(b"\n")
        return data.decode()

    return written


@pytest.fixture
def validate() -> Validate:
    """Hold a document against a schema that is stored beside the tests."""

    def valid(content: Any, name: str) -> None:  # noqa: ANN401 - any JSON
        schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        validator = jsonschema.validators.validator_for(schema, jsonschema.Draft7Validator)
        validator(schema).validate(content)

    return valid


@pytest.fixture(params=HOSTILE, ids=lambda name: name.replace(" ", "-"))
def hostile(request: pytest.FixtureRequest) -> str:
    """A text that means something else to one of the formats."""
    return HOSTILE[request.param]


@pytest.fixture
def everywhere(make: Make, hostile: str) -> Checked:
    """A check in which every text that a file can bring is the hostile one."""
    one = finding(
        hostile,
        evidence=(hostile,),
        remedy=hostile,
        controls=(hostile,),
        location=Location(f"specs/{hostile[:80]}.yaml", 3, 5, 2),
        related=((Location(hostile[:80], 1, 1), hostile),),
    )
    nowhere = finding(hostile, code="SOD-QUORUM", location=None, remedy=hostile)
    waived = Waived(one, hostile, hostile, hostile, hostile, hostile)
    return make((one, nowhere), (waived,))


@pytest.fixture
def many(make: Make) -> Checked:
    """30,000 findings, of which the last are the heaviest."""
    severities = [Severity.NOTE] * 10_000 + [Severity.WARNING] * 10_000 + [Severity.ERROR] * 10_000
    return make(
        tuple(
            finding(f"number {number}", severity=severity, location=Location("a.yaml", number + 1))
            for number, severity in enumerate(severities)
        ),
        (),
    )
