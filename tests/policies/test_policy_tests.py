"""Unit tests of policies: what a case sets up, what it expects, and what is said when it fails."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from ordain.policies.engine import cel_engine
from ordain.policies.errors import NoTestsError
from ordain.policies.packs import pack_names, pack_versions
from ordain.policies.testing.benches import run_estate, run_pack
from ordain.policies.testing.printing import as_json, as_junit, as_text
from ordain.specs.errors import FindingsError
from ordain.specs.trees import work_tree

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.policies.testing.reports import Report
    from ordain.specs.findings import Finding

ESTATE = b"""\
apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: tested}
spec: {environments: [{name: production}]}
"""
MODEL = b"""\
apiVersion: ordain.dev/v1
kind: Model
metadata: {name: credit, labels: {line: lending}}
spec:
  purpose: Probability that an applicant defaults
  tier: 1
  owner: credit-risk
  task: classification
  acceptance:
    drift: {psi: {max: 0.2}}
"""
POLICIES = b"""\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: drift}
spec:
  match: {kinds: [Model], when: object.spec.tier <= 2}
  params: {most: 0.25}
  validations:
    - expression: object.spec.?acceptance.?drift.?psi.?max.orValue(0.0) <= params.most
      message: the limit is too high
---
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: two-people}
spec:
  match: {kinds: [Model]}
  validations:
    - expression: approvals.exists(a, !(a.person in change.contributors))
      message: nobody else approved
    - name: intended
      expression: change.kind == 'intention' && timestamp(now).getFullYear() == 2026
      message: no intention of this year
---
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: proven}
spec:
  match: {kinds: [ModelVersion]}
  validations:
    - expression: evidence.verdict == 'pass'
      message: the evidence does not pass
"""
VERSION = """\
{apiVersion: ordain.dev/v1, kind: ModelVersion, metadata: {name: credit-1}, spec: {model: credit,
 version: 1, recipe: &d 'sha256:1111111111111111111111111111111111111111111111111111111111111111',
 artifact: *d, evidence: *d, split: *d, inputs: {spec: *d, dataset: *d, data: *d, environment: *d,
 seed: 7, threads: 1}}}"""


TREE = {
    "ordain.yaml": ESTATE,
    "policies/house.test.yaml": b"policies: {drift: {good: [{}]}}\n",
    "policies/house.yaml": POLICIES,
    "specs/model.yaml": MODEL,
}


def run(
    tests: str, *paths: str, files: dict[str, bytes] | None = None, watch: bool = False
) -> Report:
    tree = {**TREE, "policies/house.test.yaml": tests.encode(), **(files or {})}
    return run_estate(tree, paths, cel_engine(), watch=watch)


def said(report: Report) -> list[tuple[str, str, int]]:
    """Code, message and line of everything that is wrong."""
    return [
        (one.code, one.message, one.location.line if one.location else 0)
        for one in report.all_findings
    ]


def only(report: Report) -> Finding:
    (found,) = report.all_findings
    return found


# ── cases that pass ──────────────────────────────────────────────────────────────────────────────

PASSING = f"""\
policies:
  drift:
    good:
      - {{}}
      - set: {{Model/credit: {{spec.acceptance.drift.psi.max: 0.25}}}}
      - set: {{Model/credit: {{spec.acceptance: null}}}}
      - set: {{Model/credit: {{spec.acceptance.drift.psi.max: 0.9, spec.tier: 3}}}}
    bad:
      - set: {{Model/credit: {{spec.acceptance.drift.psi.max: 0.3}}}}
        finds: POL-drift
        at: 0.3
        line: 9
        message: too high
      - params: {{most: 0.1}}
        finds: {{code: POL-drift, at: "0.2", line: 10, on: Model/credit}}
      - documents:
          - apiVersion: ordain.dev/v1
            kind: Model
            metadata: {{name: other}}
            spec: {{purpose: Another model of this estate, tier: 2, owner: x, task: regression,
              acceptance: {{drift: {{psi: {{max: 0.4}}}}}}}}
        set: {{Model/credit: {{spec.acceptance.drift.psi.max: 0.3}}}}
        finds: [POL-drift, {{code: POL-drift, on: Model/other, at: 0.4}}]
  two-people:
    good:
      - set: {{Model/credit: {{spec.tier: 2}}}}
        by: {{contributors: [data-scientist]}}
        approvals: {{manager: manager}}
    bad:
      - set: {{Model/credit: {{spec.tier: 2}}}}
        by: {{contributors: [manager]}}
        approvals: [{{person: manager, role: manager}}]
        finds: POL-two-people
      - set: {{Model/credit: {{spec.tier: 2}}}}
        change: {{kind: promotion}}
        approvals: {{manager: manager}}
        finds: POL-two-people.intended
      - set: {{Model/credit: {{spec.tier: 2}}}}
        approvals: {{manager: manager}}
        now: 2027-01-01T00:00:00Z
        finds: [POL-two-people.intended]
  proven:
    good:
      - documents: [{VERSION}]
        evidence: {{ModelVersion/credit-1: {{verdict: pass}}}}
    bad:
      - documents: [{VERSION}]
        evidence: {{ModelVersion/credit-1: {{verdict: fail}}}}
        finds: POL-proven
      - name: without evidence it cannot be evaluated
        documents: [{VERSION}]
        finds: POL002
"""


def test_a_case_sets_up_everything_that_an_expression_sees() -> None:
    report = run(PASSING)
    assert said(report) == []
    assert len(report.cases) == 14
    assert as_text(report, colour=False) == "14 cases in 1 file: 14 passed"


def test_cases_may_ask_all_policies_in_force_and_those_of_packs_too() -> None:
    tests = """\
cases:
  - set: {Model/credit: {spec.acceptance.drift.psi.max: 0.3}}
    finds: [POL-drift, POL-drift-limit.acceptance, POL-in-the-inventory, POL002]
"""
    assert said(run(tests)) == [
        ("TEST001", "case 1: expected POL002, found nothing of it", 2),
    ]


def test_an_estate_of_its_own_takes_the_place_of_this_one() -> None:
    tests = """\
estate:
  - apiVersion: ordain.dev/v1
    kind: Model
    metadata: {name: small}
    spec: {purpose: A model in a file of tests, tier: 1, owner: x, task: regression}
policies:
  drift:
    good: [{}]
    bad:
      - set: {Model/small: {spec.acceptance: {drift: {psi: {max: 0.5}}}}}
        finds: POL-drift
        at: 0.5
      - set: {Model/credit: {spec.tier: 1}}
        finds: POL-drift
"""
    assert said(run(tests)) == [("TEST003", "the case edits Model/credit, which is not there", 13)]


# ── cases that fail ──────────────────────────────────────────────────────────────────────────────


def test_a_finding_that_nobody_expects_is_shown_with_the_reads_that_led_to_it() -> None:
    report = run("""\
policies:
  drift:
    good:
      - name: a high limit
        set: {Model/credit: {spec.acceptance.drift.psi.max: 0.3}}
""")
    assert (
        as_text(report, colour=False)
        == """\
error[TEST002]: drift: a high limit: expected no finding, found POL-drift
 --> policies/house.test.yaml:4:9
  |
4 |       - name: a high limit
  |         ^^^^^^^^^^^^^^^^^^
 ::: policies/house.test.yaml:5:61
  |
5 |         set: {Model/credit: {spec.acceptance.drift.psi.max: 0.3}}
  |                                                             --- POL-drift is found here
 ::: policies/house.yaml:3:18
  |
3 | metadata: {name: drift}
  |                  ----- the policy
  = note: message = the limit is too high
  = note: at = 0.3
  = note: object = Model/credit
  = note: object.spec.acceptance.drift.psi.max = 0.3
  = note: params.most = 0.25
  = help: mend the policy, or what the case expects of it

1 case in 1 file: 0 passed, 1 failed"""
    )


@pytest.mark.parametrize(
    ("expectation", "difference"),
    [
        ("at: 0.4", "expected at `0.4`, found at `0.3` (policies/house.test.yaml:4:67)"),
        ("line: 3", "expected on line 3, found on line 4"),
        ("message: low", "expected in its message: low; found: the limit is too high"),
        (
            "finds: {code: POL-drift, on: Model/other}",
            "expected on Model/other, found on Model/credit",
        ),
    ],
)
def test_a_finding_that_is_not_as_expected_says_in_what(expectation: str, difference: str) -> None:
    finds = "" if expectation.startswith("finds") else "finds: POL-drift, "
    report = run(f"""\
policies:
  drift:
    bad:
      - {{set: {{Model/credit: {{spec.acceptance.drift.psi.max:      0.3}}}}, {finds}{expectation}}}
""")
    found = only(report)
    assert found.code == "TEST001"
    assert found.message == "drift: bad 1: POL-drift is found, but not as expected"
    assert found.evidence[0] == difference


def test_what_is_found_once_is_not_expected_twice() -> None:
    tests = "policies: {drift: {bad: [{params: {most: 0.1}, finds: [POL-drift, POL-drift]}]}}\n"
    assert said(run(tests)) == [
        ("TEST001", "drift: bad 1: expected POL-drift, found nothing of it", 1)
    ]


def test_another_finding_than_the_expected_one_is_said_once() -> None:
    tests = "policies: {drift: {bad: [{params: {most: 0.1}, finds: POL002}]}}\n"
    assert said(run(tests)) == [("TEST002", "drift: bad 1: expected POL002, found POL-drift", 1)]


@pytest.mark.parametrize(
    ("tests", "code", "message", "remedy"),
    [
        (
            "policies: {drift: {godo: []}}",
            "SPEC104",
            "unknown field `godo`",
            "did you mean `good`?",
        ),
        (
            "policies: {drift: {good: [{sets: {}}]}}",
            "SPEC104",
            "unknown field `sets`",
            "did you mean `set`?",
        ),
        (
            "policies: {drfit: {good: [{}]}}",
            "TEST004",
            "there is no policy drfit in force here",
            "did you mean `drift`?",
        ),
        (
            "policies: {drift: {good: [{params: {mots: 1}}]}}",
            "TEST004",
            "no policy of this case has the parameter mots",
            "did you mean `most`?",
        ),
        (
            "policies: {drift: {good: [{set: {Model/crdit: null}}]}}",
            "TEST003",
            "the case edits Model/crdit, which is not there",
            "did you mean `Model/credit`?",
        ),
        (
            "policies: {drift: {good: [{set: {Model/credit: {spec.owner.x.y: 1}}}]}}",
            "TEST003",
            "there is nothing that `spec.owner.x.y` could be set in",
            "mend the path; lists are counted from 0",
        ),
        (
            "policies: {drift: {good: [{set: {Model/credit: {spec.teir: 1}}}]}}",
            "SPEC104",
            "unknown field `teir`",
            "did you mean `tier`?",
        ),
        (
            "policies: {drift: {good: [{evidence: {ModelVersion/credit-1: {}}}]}}",
            "TEST003",
            "the case has evidence on ModelVersion/credit-1, which is no ModelVersion of it",
            "name a ModelVersion, as ModelVersion/NAME",
        ),
        (
            "policies: {drift: {bad: [{}]}}",
            "TEST003",
            "a bad case finds something",
            "say what: `finds: CODE`",
        ),
        (
            "policies: {drift: {good: [{finds: POL-drift}]}}",
            "TEST003",
            "a good case finds nothing",
            "move it to `bad`, or remove `finds`",
        ),
        (
            "policies: {drift: {good: [{set: {Model/credit: null}}]}}",
            "TEST006",
            "drift: good 1: the policy is asked about nothing here, so the case cannot fail",
            "give the case an object of Model",
        ),
        (
            "policies: {two-people: {good: [{}]}}",
            "TEST006",
            "two-people: good 1: the policy is asked about nothing here, so the case cannot fail",
            "make a change of the case: `before:` edits the estate into what was there before",
        ),
        (
            "[]",
            "TEST003",
            "a file of tests is one mapping with `policies` or `cases`",
            "write `policies: {NAME: {good: [...], bad: [...]}}`",
        ),
        (
            "policies: {drift: [",
            "SPEC012",
            "a value is missing, or a bracket is not closed",
            "write the value, close the bracket, or remove the second of two commas",
        ),
    ],
)
def test_a_case_that_makes_no_sense_says_where_and_why(
    tests: str, code: str, message: str, remedy: str
) -> None:
    found = only(run(tests + "\n"))
    assert (found.code, found.message, found.remedy) == (code, message, remedy)
    assert found.location is not None
    assert found.location.path == "policies/house.test.yaml"


def test_a_wrong_key_of_an_edit_is_underlined_alone() -> None:
    found = only(run("policies: {drift: {good: [{set: {Model/credit: {spec.teir: 1}}}]}}\n"))
    assert found.location is not None
    assert (found.location.column, found.location.length) == (54, 4)
    assert found.related[0][1] == "the case `drift: good 1` cannot be run"


def test_files_are_set_edited_and_taken_away() -> None:
    """Evidence is a file of the tree, and a rule sees what the edits made of it."""
    digest = "1" * 64
    proven = f"evidence/{digest}.json"
    version = VERSION.replace("\n", "\n      ")
    tests = f"""\
estate:
  - {version}
files:
  {proven}: '{{"verdict": "pass", "drift": {{"income": 0.1}}}}'
policies:
  proven:
    good:
      - {{}}
      - set: {{{proven}: {{drift.income: 0.9}}, other.txt: text}}
    bad:
      - set: {{{proven}: {{verdict: fail}}}}
        finds: POL-proven
      - set: {{{proven}: null}}
        finds: POL002
      - set: {{{proven}: "no JSON"}}
        finds: POL002
      - set: {{other.txt: {{a: 1}}}}
        finds: POL002
      - before: {{}}
        set: {{{proven}: "no JSON", reasons/credit.txt: text}}
        finds: POL002
"""
    found = only(run(tests))
    assert found.message == "the case edits other.txt, which is neither a document nor a file"
    assert found.remedy == "name a document as Kind/name"


@pytest.mark.parametrize("text", ["no JSON", "[" * 5000])
def test_only_values_of_json_can_be_edited(text: str) -> None:
    tests = f"""\
estate: []
files: {{notes.txt: "{text}"}}
policies: {{drift: {{good: [{{set: {{notes.txt: {{a: 1}}}}}}]}}}}
"""
    found = only(run(tests))
    assert found.message == "only values of JSON can be edited, and notes.txt is none"
    assert found.remedy == "write the whole text of the file"


def test_what_other_policies_find_is_listed_under_also() -> None:
    tests = """\
policies:
  drift:
    bad:
      - set: {Model/credit: {spec.acceptance.drift.psi.max: 0.3}}
        finds: POL-drift
        at: 0.3
        also: [POL-drift-limit.acceptance]
      - params: {most: 0.1}
        finds: POL-drift
        also: [POL-drift-limit.acceptance]
"""
    assert said(run(tests)) == [
        ("TEST001", "drift: bad 2: expected POL-drift-limit.acceptance, found nothing of it", 8)
    ]


def test_a_whole_spec_adds_a_document_and_a_pack_hears_the_params_of_a_policy_set() -> None:
    tests = """\
policies:
  drift-limit:
    good:
      - {}
    bad:
      - set:
          PolicySet/packs: {spec: {packs: [{name: baseline, params: {psi: 0.1}}]}}
        finds: POL-drift-limit.acceptance
        at: 0.2
      - set:
          Policy/packs: {spec: {packs: []}}
        finds: POL002
"""
    assert [code for code, _, _ in said(run(tests))] == ["SPEC104"]


# ── where tests stand ────────────────────────────────────────────────────────────────────────────


def test_only_the_files_that_are_named_are_run() -> None:
    other = {"policies/deep/er.test.yml": b"policies: {drift: {good: [{}, {}]}}\n"}
    tests = "policies: {drift: {good: [{}]}}\n"
    assert len(run(tests, files=other).cases) == 3
    assert len(run(tests, "policies/deep", files=other).cases) == 2
    assert len(run(tests, "policies/house.test.yaml", files=other).cases) == 1


def test_a_run_without_tests_is_an_error() -> None:
    with pytest.raises(NoTestsError) as raised:
        run("{}\n", "policies/deep")
    assert raised.value.message == "there are no tests of policies in policies/deep"
    with pytest.raises(NoTestsError) as raised:
        run_estate({"ordain.yaml": ESTATE}, (), cel_engine(), watch=False)
    assert raised.value.message == "this estate has no tests of policies"


@pytest.mark.parametrize(
    ("tests", "message", "line"),
    [
        ("{}\n", "this file of tests has no case", 0),
        ("policies: {drift: {good: []}}\n", "there is no case for drift", 1),
        (
            "policies: {drift: {good: [{}]},\n two-people: {}}\n",
            "there is no case for two-people",
            2,
        ),
    ],
)
def test_what_has_no_case_is_no_test(tests: str, message: str, line: int) -> None:
    assert said(run(tests)) == [("TEST003", message, line)]


def test_a_file_that_cannot_be_read_does_not_stop_the_tests_of_others(tmp_path: Path) -> None:
    root = tmp_path / "estate"
    for path, data in TREE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    (tmp_path / "outside.yaml").write_text("{}")
    os.mkfifo(root / "policies/pipe.test.yaml")
    (root / "policies/gone.test.yaml").symlink_to("nowhere")
    (root / "policies/out.test.yaml").symlink_to(tmp_path / "outside.yaml")
    report = run_estate(work_tree(root), (), cel_engine(), watch=False)
    assert said(report) == [
        ("SPEC020", "the file cannot be read: No such file or directory", 0),
        ("SPEC021", "the link leads out of the estate", 0),
        ("SPEC020", "the file cannot be read: it is no regular file", 0),
    ]
    assert [one.passed for one in report.cases] == [True]
    assert as_text(report, colour=False).splitlines()[0].startswith("error[SPEC020]: the file")


def test_policies_that_do_not_compile_are_not_tested() -> None:
    broken = POLICIES.replace(b"object.spec.tier <= 2", b"object.spec.tier <= ")
    with pytest.raises(FindingsError) as raised:
        run("policies: {drift: {good: [{}]}}\n", files={"policies/house.yaml": broken})
    assert [one.code for one in raised.value.findings] == ["POL001"]


# ── the packs ────────────────────────────────────────────────────────────────────────────────────

PACKS = [(name, version) for name in pack_names() for version in pack_versions(name)]


@pytest.mark.parametrize(("name", "version"), PACKS)
def test_the_examples_of_every_pack_pass_as_its_tests(name: str, version: str) -> None:
    report = run_pack(name, version, cel_engine(), watch=True)
    assert said(report) == []
    assert report.coverage is not None
    assert all(one.percent > 60 for one in report.coverage)


# ── for programs ─────────────────────────────────────────────────────────────────────────────────

TWO = """\
policies:
  drift:
    bad: [{name: "<high> & wide", params: {most: 0.1}, finds: POL002}]
    good: [{}]
"""


def test_json_lists_cases_findings_and_coverage() -> None:
    found = json.loads(as_json(run(TWO, watch=True), datetime(2026, 11, 20, tzinfo=UTC), "9.9"))
    assert found["tool"]["version"] == "9.9"
    assert found["engine"] == cel_engine().name
    assert {"drift", "two-people", "proven"} <= {one["name"] for one in found["policies"]}
    assert found["format"] == "ordain.tests/1"
    assert found["summary"] == {"files": 1, "cases": 2, "passed": 1, "failed": 1}
    assert found["cases"] == [
        {
            "path": "policies/house.test.yaml",
            "line": 3,
            "policy": "drift",
            "name": "drift: <high> & wide",
            "passed": False,
        },
        {
            "path": "policies/house.test.yaml",
            "line": 4,
            "policy": "drift",
            "name": "drift: good 1",
            "passed": True,
        },
    ]
    assert [one["code"] for one in found["findings"]] == ["TEST002"]
    drift = found["coverage"]["policies"][0]
    assert (drift["policy"], drift["covered"], drift["possible"]) == ("drift", 3, 4)
    assert drift["expressions"][1] == {"name": "POL-drift", "answers": [True, False], "errors": 0}
    assert drift["gaps"] == [
        {
            "name": "match.when",
            "path": "policies/house.yaml",
            "line": 5,
            "column": 33,
            "text": "object.spec.tier <= 2",
            "never": [False],
        }
    ]


def test_junit_has_a_suite_for_each_file_and_the_failure_as_text() -> None:
    root = ET.fromstring(as_junit(run(TWO)))  # noqa: S314 - our own
    (suite,) = root
    assert suite.attrib == {
        "name": "policies/house.test.yaml",
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    failed, passed = suite
    assert (failed.get("classname"), failed.get("name")) == ("drift", "drift: <high> & wide")
    assert failed[0].get("message") == "drift: <high> & wide: expected POL002, found POL-drift"
    assert (failed[0].text or "").startswith("error[TEST002]: drift: <high> & wide")
    assert len(passed) == 0


def test_junit_has_the_files_that_cannot_be_read_as_errors() -> None:
    root = ET.fromstring(as_junit(run("policies: {drift: {godo: []}}\n")))  # noqa: S314 - our own
    (suite,) = root
    assert (suite.get("name"), suite.get("errors")) == ("files", "1")
    assert suite[0][0].get("message") == "unknown field `godo`"
