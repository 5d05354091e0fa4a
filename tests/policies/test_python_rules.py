"""Rules in Python: what they see and say, and that whatever goes wrong with them blocks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from wheels import install

from ordain.policies.errors import NoAnswerError
from ordain.policies.gate import Judgement, check
from ordain.policies.python_rules.answers import read_answers
from ordain.policies.waivers import WAIVABLE
from ordain.specs.findings import Finding, Severity, Verdict

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

HERE = "specs/policy/mine.yaml"
ORIGIN = "rule = mine of bank-rules 1.4.2, in Python: not portable to the cluster"
NOTHING = "def rule(values):\n    return []\n"
PURPOSE = """
def rule(values):
    spec = values["object"]["spec"]
    if spec["tier"] < values["params"].get("tier", 2):
        yield {
            "message": "the tier is too low",
            "path": ["spec", "tier"],
            "evidence": {"tier": spec["tier"], "least": values["params"].get("tier", 2)},
        }
"""


EITHER = "a policy has validations, transitions or both, or else python"


class Site:
    """A `site-packages` on the path of this interpreter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def install(self, code: str = PURPOSE, **how: Any) -> Site:  # noqa: ANN401 - see `install`
        """One package with the rule `mine`."""
        module = how.pop("module", "bank_rules/codes.py")
        files = {"bank_rules/__init__.py": "", module: code}
        install(self.path, files, {"mine": "bank_rules.codes:rule"}, **how)
        return self


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    path = tmp_path / "site-packages"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    return Site(path)


def policy(sketch: Sketch, *, kinds: list[str] | None = None, **fields: Any) -> Sketch:  # noqa: ANN401
    """A sketch with one more policy; `fields` of `python` and, with `policy_`, of the policy."""
    more = {name.removeprefix("policy_"): one for name, one in fields.items() if "policy_" in name}
    python = {name: one for name, one in fields.items() if "policy_" not in name}
    named = {"rule": "mine", "package": "bank-rules", "version": "1.4.2", **python}
    return sketch.add(
        "Policy", "mine", **{"match": {"kinds": kinds or ["Model"]}, "python": named, **more}
    )


def judged(workshop: Workshop, **fields: Any) -> Judgement:  # noqa: ANN401
    return check(policy(workshop.serving, **fields).load(), workshop.now)


def only(judgement: Judgement) -> Finding:
    (finding,) = judgement.findings
    return finding


# ── what a rule sees and says ────────────────────────────────────────────────────────────────────


def test_a_finding_stands_at_the_path_that_the_rule_names(workshop: Workshop, site: Site) -> None:
    site.install()
    found = only(judged(workshop, remedy="raise the tier", controls=["SR262-MATERIALITY"]))
    assert found.code == "POL-mine"
    assert found.severity is Severity.ERROR
    assert found.message == "the tier is too low"
    assert str(found.location) == "specs/model/credit.yaml:7:9"
    assert found.evidence == ("object = Model/credit", ORIGIN, "tier = 1", "least = 2")
    assert found.remedy == "raise the tier"
    assert found.controls == ("SR262-MATERIALITY",)
    assert [(place.path, text) for place, text in found.related] == [(HERE, "the policy")]


def test_a_rule_without_findings_is_silent(workshop: Workshop, site: Site) -> None:
    site.install()
    judgement = judged(workshop, policy_params={"tier": 1})
    assert judgement.findings == ()
    assert judgement.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"policy_enforcement": "review"}, Severity.WARNING),
        ({"policy_enforcement": "advise"}, Severity.NOTE),
        ({"policy_enforcement": "advise", "severity": "error"}, Severity.ERROR),
    ],
)
def test_enforcement_and_severity_are_those_of_any_policy(
    workshop: Workshop, site: Site, fields: dict[str, str], severity: Severity
) -> None:
    site.install()
    assert only(judged(workshop, **fields)).severity is severity


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ('["spec", "nothing"]', "specs/model/credit.yaml:4:9"),
        ('["spec", "acceptance", "nothing"]', "specs/model/credit.yaml"),
        ("[]", "specs/model/credit.yaml:4:9"),
        ('["metadata", "name"]', "specs/model/credit.yaml:4:9"),
        ('["spec", -1, "x"]', "specs/model/credit.yaml:4:9"),
    ],
)
def test_a_path_that_leads_nowhere_is_the_nearest_place(
    workshop: Workshop, site: Site, path: str, place: str
) -> None:
    site.install(f"def rule(values):\n    return [{{'message': 'x', 'path': {path}}}]\n")
    assert str(only(judged(workshop)).location).startswith(place)


SEES = """
def rule(values):
    return [{"message": ", ".join(sorted(values)) + "; " + values["now"]}]
"""


def test_a_rule_sees_what_its_policy_declares_and_the_time_of_the_judgement(
    workshop: Workshop, site: Site
) -> None:
    site.install(SEES)
    assert only(judged(workshop)).message == "now, object, params; 2026-11-20T09:30:00Z"
    everything = judged(workshop, reads=["object", "estate", "linked", "facts", "evidence"])
    assert only(everything).message.startswith(
        "estate, evidence, facts, linked, now, object, params; "
    )


def test_conditions_are_asked_before_the_rule(workshop: Workshop, site: Site) -> None:
    site.install()
    match = {"kinds": ["Model"], "when": "object.spec.tier == 2"}
    assert judged(workshop, policy_match=match).findings == ()
    unclear = {"kinds": ["Model"], "when": "object.spec.nothing == 2"}
    found = only(judged(workshop, policy_match=unclear))
    assert found.code == "POL002"
    assert found.message == (
        "the policy mine could not be evaluated on Model/credit: "
        'match.when: Key not found in map : "nothing"'
    )


def test_all_objects_are_asked_in_one_process_in_order(workshop: Workshop, site: Site) -> None:
    site.install(
        "import os\n"
        "def rule(values):\n"
        "    key = values['object']['kind'] + '/' + values['object']['metadata']['name']\n"
        "    yield {'message': key, 'evidence': {'process': os.getpid()}}\n"
    )
    judgement = judged(workshop, policy_match={})
    estate = policy(workshop.serving).load()
    assert sorted(one.message for one in judgement.findings) == sorted(estate.documents)
    (process,) = {one.evidence[2] for one in judgement.findings}
    assert process != f"process = {os.getpid()}"


def test_two_findings_with_the_same_words_at_two_places_are_two(
    workshop: Workshop, site: Site
) -> None:
    site.install(
        "def rule(values):\n"
        "    return [{'message': 'wrong', 'path': ['spec', name]} for name in ('tier', 'owner')]\n"
    )
    assert [one.message for one in judged(workshop).findings] == ["wrong", "wrong"]


def test_the_order_of_a_set_is_the_same_every_time(workshop: Workshop, site: Site) -> None:
    site.install(
        "def rule(values):\n    return [{'message': ' '.join({f'n{i}' for i in range(30)})}]\n"
    )
    assert only(judged(workshop)) == only(judged(workshop))


def test_what_a_rule_finds_can_be_waived_and_no_answer_cannot() -> None:
    assert "POL-mine".startswith(WAIVABLE)
    assert not "POL002".startswith(WAIVABLE)
    assert not "POL010".startswith(WAIVABLE)


# ── rules that do not answer ─────────────────────────────────────────────────────────────────────


def broken(body: str) -> str:
    return "import os, sys\ndef rule(values):\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return values['model']", "KeyError: 'model' (bank_rules/codes.py, line 3)"),
        ("sys.exit(0)", "SystemExit: 0 (bank_rules/codes.py, line 3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (bank_rules/codes.py, line 3)"),
        ("x = []\nwhile True: x.append('x' * 2**26)", "MemoryError"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("return None", "TypeError: the rule gave NoneType, not a list of findings"),
        ("return {'message': 'x'}", "TypeError: the rule gave dict, not a list of findings"),
        ("return 'all is well'", "TypeError: the rule gave str, not a list of findings"),
        ("return True", "TypeError: 'bool' object is not iterable"),
        ("return ['x']", "a finding is a mapping with message, path and evidence"),
        ("return [{}]", "the message of a finding is text of 1 to 1000 characters"),
        ("return [{'message': ' '}]", "the message of a finding is text of 1 to 1000 characters"),
        (
            "return [{'message': 'x' * 1001}]",
            "the message of a finding is text of 1 to 1000 characters",
        ),
        (
            "return [{'message': 'x', 'object': 'Model/other'}]",
            "a finding has message, path and evidence, not object",
        ),
        (
            "return [{'message': 'x', 'path': 'spec.tier'}]",
            "the path of a finding is a list of keys and indexes",
        ),
        (
            "return [{'message': 'x', 'path': ['spec', True]}]",
            "the path of a finding is a list of keys and indexes",
        ),
        (
            "return [{'message': 'x', 'evidence': {'a': []}}]",
            "the evidence of a finding is a mapping of at most 20 scalars",
        ),
        ("return [{'message': {1}}]", "TypeError: Object of type set is not JSON serializable"),
        (
            "return [{'message': 'x', 'evidence': {'a': float('nan')}}]",
            "ValueError: Out of range float values are not JSON compliant",
        ),
        ("return [{'message': 'x'}] * 1001", "it gave more than 1000 findings"),
        (
            "def endless():\n    while True: yield {'message': 'x'}\nreturn endless()",
            "it gave more than 1000 findings",
        ),
    ],
)
def test_a_rule_that_fails_on_an_object_blocks_there(
    workshop: Workshop, site: Site, body: str, reason: str
) -> None:
    site.install(broken(body))
    judgement = judged(workshop, policy_enforcement="advise")
    found = only(judgement)
    assert found.code == "POL002"
    assert found.message.startswith(
        f"the policy mine could not be evaluated on Model/credit: {reason}"
    )
    assert found.evidence == ("object = Model/credit", ORIGIN)
    assert found.remedy == "mend the rule mine in a new version of bank-rules"
    assert str(found.location) == "specs/model/credit.yaml:4:9"
    assert judgement.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os._exit(0)", "it answered 0 of 1 questions"),
        ("os._exit(3)", "its process ended with the code 3"),
        ("os.abort()", "its process was ended by SIGABRT"),
        ("while True: pass", "it did not end within 1 s"),
        ("import time\ntime.sleep(60)", "it did not end within 1 s"),
        ("return [{'message': 'x' * 10_000_000}]", "it answered more than 4 MiB"),
        (
            "os.write(4, b'nonsense\\n')\nos._exit(0)",
            "its answer is no JSON object",
        ),
        ("os.write(4, b'{}\\n')\nreturn []", "it answered 2 of 1 questions"),
        ("os.write(4, b'[' * 100000 + b'\\n')\nos._exit(0)", "its answer is no JSON object"),
    ],
)
def test_a_process_without_an_answer_blocks_once(
    workshop: Workshop, site: Site, body: str, reason: str
) -> None:
    site.install(broken(body))
    judgement = judged(workshop, policy_enforcement="advise", timeout="1s")
    found = only(judgement)
    assert found.code == "POL002"
    assert found.message == f"the policy mine could not be evaluated: {reason}"
    assert found.evidence == (ORIGIN,)
    assert str(found.location) == f"{HERE}:10:11"
    assert judgement.verdict is Verdict.FAIL


def test_a_process_that_cannot_be_run_blocks(
    workshop: Workshop, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert only(judged(workshop)).message == (
        "the policy mine could not be evaluated: "
        "its process cannot be run: No such file or directory"
    )


def test_a_rule_adds_findings_and_takes_none_away(workshop: Workshop, site: Site) -> None:
    site.install(broken("values['object'].clear()\nvalues.clear()\nreturn []"))
    sketch = policy(workshop.serving).set("Model/credit", "spec.acceptance.drift.psi.max", 0.4)
    found = check(sketch.load(), workshop.now).findings
    assert "POL-drift-limit.acceptance" in {one.code for one in found}


def test_text_is_one_line_without_what_a_terminal_acts_on(workshop: Workshop, site: Site) -> None:
    site.install(
        broken(
            r"return [{'message': 'a\n::error::b\x1b[31m \ud800', 'evidence': {'a\nb': 'c\rd'}}]"
        )
    )
    found = only(judged(workshop))
    assert found.message == "a ::error::b\ufffd[31m \ufffd"
    assert found.evidence[2] == "a b = c d"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "path", "evidence", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.mark.property
@settings(max_examples=500)
@given(
    st.lists(
        st.binary(max_size=20)
        | st.builds(
            lambda name, value: json.dumps({name: value}).encode(),
            st.sampled_from(["findings", "error", "load", "x"]),
            st.lists(_JSON, max_size=3) | _JSON,
        ),
        max_size=3,
    ),
    st.integers(1, 3),
)
def test_no_answer_is_taken_for_another(lines: list[bytes], count: int) -> None:
    """Either every question has an answer of the one form, or there is none."""
    try:
        answers, unloaded = read_answers(lines, count)
    except NoAnswerError:
        return
    assert unloaded or len(answers) == count
    for answer, line in zip(answers, lines, strict=False):
        given_ = json.loads(line).get("findings")
        assert answer.error or (isinstance(given_, list) and len(answer.said) == len(given_))
        for said in answer.said:
            assert said.message.isprintable()
            assert all(one.isprintable() for one in said.evidence)
            assert all(type(step) in (str, int) for step in said.path)


# ── what a rule cannot reach ─────────────────────────────────────────────────────────────────────


def test_what_a_rule_prints_and_asks_for_goes_nowhere(
    workshop: Workshop, site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    site.install(
        broken(
            "print('{\"findings\": []}', flush=True)\n"
            "os.write(2, b'noise')\n"
            "yield {'message': 'read ' + repr(sys.stdin.read())}"
        )
    )
    assert only(judged(workshop)).message == "read ''"
    assert capfd.readouterr() == ("", "")


def test_a_rule_has_no_environment_and_an_empty_directory(
    workshop: Workshop, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANK_TOKEN", "secret")
    site.install(
        broken(
            "yield {'message': ' '.join(sorted(os.environ))}\n"
            "yield {'message': f'holds {os.listdir()}'}"
        )
    )
    names, directory = sorted(one.message for one in judged(workshop).findings)
    assert set(names.split()) <= {
        "LC_ALL",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "PYTHONHASHSEED",
        "PYTHONUTF8",
        "TZ",
    }
    assert directory == "holds []"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("open('/etc/hostname')", "a rule may read its values and its package only: /etc/hostname"),
        ("open('../../x')", "a rule may read its values and its package only: ../../x"),
        ("os.listdir('/')", "a rule may read its values and its package only: /"),
        ("open('note', 'w')", "a rule may not write: note"),
        ("os.open('note', os.O_CREAT)", "a rule may not write: note"),
        ("os.remove(__file__)", "a rule may not do this: os.remove"),
        ("os.system('true')", "a rule may not do this: os.system"),
        ("os.fork()", "a rule may not do this: os.fork"),
        ("os.kill(os.getppid(), 9)", "a rule may not do this: os.kill"),
        ("import subprocess\nsubprocess.run(['true'])", "a rule may not do this: subprocess.Popen"),
        ("import socket\nsocket.socket()", "a rule may not do this: socket.__new__"),
        ("import ctypes", "a rule may not do this: ctypes.dlopen"),
        ("import sqlite3\nsqlite3.connect('x')", "a rule may not do this: sqlite3.connect"),
        (
            "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
            "a rule may not do this: resource.setrlimit",
        ),
    ],
)
def test_a_rule_that_reaches_out_of_its_values_has_not_answered(
    workshop: Workshop, site: Site, body: str, reason: str
) -> None:
    site.install(broken(body))
    found = only(judged(workshop))
    assert found.code == "POL002"
    assert f": PermissionError: {reason}" in found.message


def test_a_rule_imports_the_standard_library_and_its_package_only(
    workshop: Workshop, site: Site
) -> None:
    site.install(broken("import decimal, zoneinfo, sqlite3, bank_rules\nimport yaml"))
    assert "ModuleNotFoundError: No module named 'yaml'" in only(judged(workshop)).message


def test_a_rule_reads_the_files_of_its_package(workshop: Workshop, site: Site) -> None:
    code = (
        "from importlib.resources import files\n"
        "def rule(values):\n"
        "    yield {'message': files('bank_rules').joinpath('codes.txt').read_text()}\n"
    )
    content = {
        "bank_rules/__init__.py": "",
        "bank_rules/codes.py": code,
        "bank_rules/codes.txt": "R01 R02",
    }
    install(site.path, content, {"mine": "bank_rules.codes:rule"})
    assert only(judged(workshop)).message == "R01 R02"


def test_what_a_rule_leaves_running_is_ended(workshop: Workshop, site: Site) -> None:
    """The watch is told nothing of this way to start a process, so the session has to end it."""
    site.install(
        broken(
            "import _posixsubprocess as p\n"
            "r, w = os.pipe()\n"
            "args = [b'/bin/sleep', b'300']\n"
            "child = p.fork_exec(args, [args[0]], True, (), None, None, -1, -1, -1, -1, -1, -1,"
            " r, w, True, False, -1, None, None, None, -1, None, False)\n"
            "yield {'message': 'started', 'evidence': {'child': child}}"
        )
    )
    found = only(judged(workshop))
    if found.code == "POL002":
        # Anybody but root is refused by the kernel.
        assert "BlockingIOError" in found.message
        return
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(int(found.evidence[2].removeprefix("child = ")))
        ended, _, _ = select.select([process], [], [], 1)
        os.close(process)
        assert ended


# ── packages that are not what the policy names ──────────────────────────────────────────────────


def absent(judgement: Judgement) -> tuple[str, str, str]:
    found = only(judgement)
    assert found.code == "POL010"
    assert found.severity is Severity.ERROR
    assert judgement.verdict is Verdict.FAIL
    return str(found.location), found.message, found.remedy


def test_a_package_that_is_not_installed(workshop: Workshop) -> None:
    assert absent(judged(workshop)) == (
        f"{HERE}:11:14",
        "the policy mine cannot be asked: the package bank-rules is not installed",
        "install it beside ordain: pip install bank-rules==1.4.2",
    )


def test_another_version_than_the_one_that_is_named(workshop: Workshop, site: Site) -> None:
    site.install(version="1.5.0")
    assert absent(judged(workshop)) == (
        f"{HERE}:12:14",
        "the policy mine cannot be asked: bank-rules 1.5.0 is installed, the policy names 1.4.2",
        "install the one that is named: pip install bank-rules==1.4.2",
    )


def test_a_rule_that_the_package_does_not_have(workshop: Workshop, site: Site) -> None:
    site.install()
    assert absent(judged(workshop, rule="mien")) == (
        f"{HERE}:10:11",
        "the policy mine cannot be asked: bank-rules 1.4.2 has no rule mien",
        "did you mean `mine`?",
    )


def test_a_file_that_was_changed_after_the_installation(workshop: Workshop, site: Site) -> None:
    site.install()
    (site.path / "bank_rules/codes.py").write_text(NOTHING)
    assert absent(judged(workshop)) == (
        f"{HERE}:11:14",
        (
            "the policy mine cannot be asked: the package bank-rules 1.4.2 cannot be used: "
            "bank_rules/codes.py was changed after it was installed"
        ),
        "install it again from its wheel",
    )


def test_a_file_that_is_missing(workshop: Workshop, site: Site) -> None:
    site.install()
    (site.path / "bank_rules/codes.py").unlink()
    assert "bank_rules/codes.py cannot be read: No such file" in absent(judged(workshop))[1]


def test_an_editable_installation_holds_no_files(workshop: Workshop, site: Site) -> None:
    files = {"_bank_rules.pth": "/src/bank-rules\n"}
    install(site.path, files, {"mine": "bank_rules.codes:rule"})
    _, message, remedy = absent(judged(workshop))
    assert message.endswith("cannot be used: its files do not hold bank_rules.codes")
    assert remedy == "install it from a wheel, not in editable mode"


def test_an_installation_without_a_record(workshop: Workshop, site: Site) -> None:
    site.install()
    next(site.path.glob("*.dist-info/RECORD")).unlink()
    assert "it has no list of its files (RECORD)" in absent(judged(workshop))[1]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import yaml\n", "ModuleNotFoundError: No module named 'yaml'"),
        ("def rule(\n", "SyntaxError: '(' was never closed (codes.py, line 1)"),
        ("rule = 1\n", "TypeError: bank_rules.codes:rule is no function"),
        ("", "AttributeError: module 'bank_rules.codes' has no attribute 'rule'"),
        ("raise SystemExit(0)\n", "SystemExit: 0 (bank_rules/codes.py, line 1)"),
        ("open('/etc/passwd')\n", "PermissionError: a rule may read its values and its package"),
    ],
)
def test_a_rule_that_does_not_load(workshop: Workshop, site: Site, code: str, reason: str) -> None:
    site.install(code)
    place, message, _ = absent(judged(workshop, policy_match={}))
    assert place == f"{HERE}:8:11"
    assert message.startswith(f"the rule mine of bank-rules 1.4.2 does not load: {reason}")


def test_a_package_in_the_directory_of_a_checkout_is_not_installed(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that brings its own package must not choose what it is judged by."""
    Site(tmp_path).install(NOTHING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "is not installed" in absent(judged(workshop))[1]


def test_of_several_versions_the_one_that_is_named_is_asked(
    workshop: Workshop, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install()
    other = tmp_path / "other" / "site-packages"
    Site(other).install(NOTHING, version="1.5.0")
    monkeypatch.syspath_prepend(str(other))
    assert only(judged(workshop)).message == "the tier is too low"
    assert judged(workshop, version="1.5.0").findings == ()


# ── digests ──────────────────────────────────────────────────────────────────────────────────────


def test_the_record_has_the_digest_of_the_package_however_it_was_installed(
    workshop: Workshop, site: Site
) -> None:
    site.install()
    first = dict(judged(workshop).policies)
    assert first["package bank-rules 1.4.2"].startswith("sha256:")
    site.install(installer="uv")
    assert dict(judged(workshop).policies) == first
    site.install(PURPOSE + "# another\n")
    second = dict(judged(workshop).policies)
    assert {name for name in first if first[name] != second[name]} == {
        "mine",
        "package bank-rules 1.4.2",
    }


def test_a_digest_pins_the_content(workshop: Workshop, site: Site) -> None:
    site.install()
    digest = dict(judged(workshop).policies)["package bank-rules 1.4.2"]
    assert only(judged(workshop, digest=digest)).code == "POL-mine"
    place, message, _ = absent(judged(workshop, digest="sha256:" + "0" * 64))
    assert place == f"{HERE}:13:13"
    assert message == (
        f"the policy mine cannot be asked: the files of bank-rules 1.4.2 have the digest {digest}"
    )


# ── changes ──────────────────────────────────────────────────────────────────────────────────────


def mine(judgement: Judgement) -> list[tuple[str, str]]:
    """What is found, but for the approvals that are missing."""
    return [
        (one.code, one.message) for one in judgement.findings if one.code.startswith(("POL", "CHG"))
    ]


def test_a_change_that_removes_a_rule_is_judged_by_it(workshop: Workshop, site: Site) -> None:
    site.install()
    before = policy(workshop.serving)
    case = workshop.intention(before, before.copy().drop("Policy/mine"))
    assert mine(case.judge()) == [("POL-mine", "the tier is too low")]
    assert [(one.key, one.after) for one in case.facts.loosened] == [("Policy/mine", "removed")]


def test_a_change_that_alters_a_rule_is_judged_by_both(workshop: Workshop, site: Site) -> None:
    site.install(broken("yield {'message': str(values['params']['n'])}"))
    before = policy(workshop.serving, policy_params={"n": 1})
    after = before.copy().set("Policy/mine", "spec.params.n", 2)
    case = workshop.intention(before, after)
    assert mine(case.judge()) == [("POL-mine", "1"), ("POL-mine", "2")]
    assert [one.field for one in case.facts.loosened] == ["spec.params.n"]


@pytest.mark.parametrize(
    ("path", "value", "loosened"),
    [
        ("timeout", "20s", ["spec.python.timeout"]),
        ("reads", ["object", "model"], ["spec.python.reads"]),
        ("severity", "note", ["spec.python.severity"]),
        ("remedy", "do it", []),
        ("controls", ["SR262-CHANGE"], []),
    ],
)
def test_what_acts_is_a_loosening_and_words_are_not(
    workshop: Workshop, path: str, value: object, loosened: list[str]
) -> None:
    before = policy(workshop.serving)
    after = before.copy().set("Policy/mine", f"spec.python.{path}", value)
    assert [one.field for one in workshop.intention(before, after).facts.loosened] == loosened


def test_a_rule_that_both_share_is_asked_once(workshop: Workshop, site: Site) -> None:
    site.install()
    before = policy(workshop.serving)
    after = before.copy().set("Model/credit", "metadata.labels", {"a": "b"})
    judgement = workshop.intention(before, after).judge()
    assert mine(judgement) == [("POL-mine", "the tier is too low")]
    assert len([one for one in judgement.policies if one[0] == "mine"]) == 1


def test_a_rule_about_a_change_is_asked_of_what_it_touches(workshop: Workshop, site: Site) -> None:
    site.install(
        broken(
            "for key in values['change']['changed']:\n"
            "    yield {'message': values['object']['kind'] + ' in ' + key}"
        )
    )
    before = policy(workshop.serving, reads=["object", "change"], policy_match={})
    assert check(before.load(), workshop.now).findings == ()
    after = before.copy().set("Model/credit", "metadata.labels", {"a": "b"})
    assert mine(workshop.intention(before, after).judge()) == [
        ("POL-mine", "Model in Model/credit")
    ]


def test_a_rule_of_the_base_that_nobody_can_ask_blocks(workshop: Workshop) -> None:
    before = policy(workshop.serving)
    after = before.copy().drop("Policy/mine")
    judgement = workshop.intention(before, after).judge()
    message = "the policy mine cannot be asked: the package bank-rules is not installed"
    assert mine(judgement) == [("POL010", message)]
    assert judgement.blocked
    same = before.copy().set("Model/credit", "metadata.labels", {"a": "b"})
    assert mine(workshop.intention(before, same).judge()) == [("POL010", message)]


def test_a_rule_is_upgraded_by_a_change_that_does_nothing_else(
    workshop: Workshop, site: Site
) -> None:
    site.install(version="1.5.0")
    before = policy(workshop.serving, policy_params={"tier": 1})
    after = before.copy().set("Policy/mine", "spec.python.version", "1.5.0")
    case = workshop.intention(before, after)
    (found,) = [one for one in case.judge().findings if one.code == "POL010"]
    assert found.severity is Severity.WARNING
    assert found.message == (
        "the policy mine is asked of bank-rules 1.5.0 only: "
        "bank-rules 1.4.2, which is in force, is not installed"
    )
    assert str(found.location) == f"{HERE}:12:14"
    assert [one.field for one in case.facts.loosened] == ["spec.python.version"]
    more = after.copy().set("Policy/mine", "spec.params.tier", 0)
    assert [
        one.severity
        for one in workshop.intention(before, more).judge().findings
        if one.code == "POL010"
    ] == [Severity.ERROR]


def test_an_upgrade_with_both_versions_installed_is_judged_by_both(
    workshop: Workshop, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(broken("yield {'message': 'old'}"))
    other = tmp_path / "other" / "site-packages"
    Site(other).install(broken("yield {'message': 'new'}"), version="1.5.0")
    monkeypatch.syspath_prepend(str(other))
    before = policy(workshop.serving)
    after = before.copy().set("Policy/mine", "spec.python.version", "1.5.0")
    judgement = workshop.intention(before, after).judge()
    assert mine(judgement) == [("POL-mine", "new"), ("POL-mine", "old")]
    packages = [name for name, _ in judgement.policies if name.startswith("package")]
    assert packages == ["package bank-rules 1.4.2", "package bank-rules 1.5.0"]


# ── the language ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        (
            {"policy_validations": [{"expression": "true", "message": "x"}]},
            "SPEC107",
            EITHER,
        ),
        (
            {"policy_python": None},
            "SPEC107",
            EITHER,
        ),
        (
            {"policy_variables": [{"name": "a", "expression": "1"}]},
            "SPEC107",
            "variables are for validations; a Python rule cannot see them",
        ),
        ({"timeout": "90s"}, "SPEC106", "`timeout` cannot be `90s`"),
        ({"reads": ["objects"]}, "SPEC103", "`reads`, item 1 cannot be `objects`"),
    ],
)
def test_a_policy_says_one_thing(
    workshop: Workshop, fields: dict[str, Any], code: str, message: str
) -> None:
    found = policy(workshop.serving, **fields).load().findings
    assert [(one.code, one.message) for one in found] == [(code, message)]


# ── the page that says how ───────────────────────────────────────────────────────────────────────


def blocks(language: str) -> str:
    page = Path(__file__).parents[2] / "docs" / "python-rules.md"
    (found,) = re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(found)


def test_the_rule_of_the_page_finds_a_wrong_check_digit(workshop: Workshop, site: Site) -> None:
    files = {"bank_rules/__init__.py": "", "bank_rules/identifiers.py": blocks("python")}
    points = tomllib.loads(blocks("toml"))["project"]["entry-points"]["ordain.rules"]
    install(site.path, files, points)
    sketch = workshop.serving
    sketch.documents["Policy/vendor-lei"] = yaml.safe_load(blocks("yaml"))
    sketch.set("Policy/vendor-lei", "spec.match.when", None)
    sketch.set("Model/credit", "metadata.labels", {"lei": "5493001KJTIIGC8Y1R12"})
    assert check(sketch.load(), workshop.now).findings == ()
    sketch.set("Model/credit", "metadata.labels", {"lei": "5493001KJTIIGC8Y1R21"})
    found = only(check(sketch.load(), workshop.now))
    assert found.code == "POL-vendor-lei"
    assert found.message == "5493001KJTIIGC8Y1R21 is no legal entity identifier"
    assert found.evidence[2] == "check digits = 21"
    assert found.remedy == "look it up at gleif.org"
    assert found.location is not None
    assert found.location.length == 20
