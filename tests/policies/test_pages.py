"""`ordain explain` of a policy says everything about it that whoever gets its finding must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.policies.codes import CODES
from ordain.policies.errors import PackError
from ordain.policies.gate import check
from ordain.policies.packs import load_pack, pack_names, pack_versions
from ordain.policies.pages import (
    by_code,
    pack_pages,
    pack_topic,
    policy_pages,
    policy_topic,
    shipped_policies,
)
from ordain.specs.explanations import explain, explanations, register
from ordain.specs.plain import spec_digest

if TYPE_CHECKING:
    from tests.policies.conftest import Workshop

WAIVER = "Accepted for a time by"


def test_a_rule_is_explained_by_all_that_its_pack_says_of_it() -> None:
    register(pack_pages())
    assert explain("pol-drift-limit.FEATURES") == (
        "POL-drift-limit.features: the monitor calls a drift of features a breach only above the "
        "largest that is allowed\n\n"
        "A population stability index above 0.25 is the usual mark of a population that has "
        "changed. A higher limit does not measure drift, it hides it.\n\n"
        "Example:\n\n    Monitor/credit spec.psi.fail = 0.5\n\n"
        "Remedy: set psi.fail to 0.25 or less\n\n"
        "Controls: SR262-MON, SS123-4.4\n\n"
        "Asked of: Model, Monitor\n\n"
        "Where it does not hold: it blocks\n\n"
        "Pack: baseline 1.1.0, 1.0.0\n\n"
        "Expression:\n\n    object.spec.?psi.?fail.orValue(params.psi) <= params.psi\n\n"
        "Parameters, with their defaults:\n\n    psi: 0.25\n\n"
        "Left alone:\n\n    Monitor/credit spec.psi is not set\n\n"
        "Accepted for a time by:\n\n"
        "    apiVersion: ordain.dev/v1\n"
        "    kind: Waiver\n"
        "    metadata: {name: drift-limit-for-now}\n"
        "    spec:\n"
        "      finding: POL-drift-limit.features\n"
        "      object: {kind: Monitor, name: credit, digest: DIGEST}    "
        "# ordain digest Monitor/credit\n"
        "      reason: why it is accepted, what makes up for it, and what happens until then\n"
        "      requestedBy: PERSON\n"
        "      approvedBy: COMPLIANCE-MANAGER\n"
        "      expires: YYYY-MM-DD\n"
    )


def test_the_example_of_a_change_says_who_made_and_approved_it() -> None:
    page = pack_pages()["POL-tier1-independent-approval"]
    assert page.example == (
        "before:\n"
        "  Deployment/credit spec.version is not set\n"
        "then:\n"
        "  Deployment/credit spec.version = 1\n"
        "contributors: data-scientist\n"
        "pusher: cto\n"
        "signers: cto\n"
        "approved by second-manager as manager\n"
        "approved by second-cto as cto\n"
    )


def test_variables_and_the_parameters_inside_of_them_are_shown() -> None:
    sections = dict(pack_pages()["POL-machines-approve-nothing"].sections)
    assert sections["Variables"].startswith(
        "machines = object.spec.people.filter(p, p.name.matches"
    )
    assert [line.partition(":")[0] for line in _lines(sections)] == ["approvers", "machines"]


def _lines(sections: dict[str, str]) -> list[str]:
    return sections["Parameters, with their defaults"].splitlines()


def test_every_validation_of_every_version_has_a_whole_page() -> None:
    pages = pack_pages()
    codes = {
        code
        for name in pack_names()
        for version in pack_versions(name)
        for policy in load_pack(name, version).policies
        for code in by_code(policy)
    }
    assert set(pages) == codes
    assert all(page.title and page.why and page.example and page.remedy for page in pages.values())
    wanted = {"Controls", "Asked of", "Pack", "Expression", "Left alone", WAIVER}
    assert [code for code, page in pages.items() if not wanted <= dict(page.sections).keys()] == []


def test_a_page_names_the_versions_that_have_the_rule() -> None:
    pages = pack_pages()
    assert dict(pages["POL-monitored.declared"].sections)["Pack"] == "baseline 1.1.0, 1.0.0"
    assert dict(pages["POL-in-the-inventory"].sections)["Pack"] == "baseline 1.1.0"


def test_the_pages_go_beside_those_of_the_language() -> None:
    register(CODES)
    register(pack_pages())
    register(pack_pages())
    assert {"POL002", "POL-in-the-inventory"} <= explanations().keys()


def test_the_waiver_of_a_page_is_a_waiver(workshop: Workshop) -> None:
    """What is shown is accepted as it stands, once the words in capitals are filled in."""
    text = dict(pack_pages()["POL-drift-limit.features"].sections)[WAIVER]
    document: dict[str, Any] = yaml.safe_load(text)
    assert document["spec"]["expires"] == "YYYY-MM-DD"
    sketch = workshop.serving.set("Monitor/credit", "spec.psi.fail", 0.5)
    monitor = sketch.load().get("Monitor", "credit")
    assert monitor is not None
    document["spec"]["object"]["digest"] = spec_digest(monitor.spec)
    document["spec"] |= {
        "requestedBy": "manager",
        "approvedBy": "compliance-manager",
        "expires": "2026-12-31",
    }
    name = document["metadata"]["name"]
    judgement = check(sketch.add("Waiver", name, **document["spec"]).load(), workshop.now)
    assert [one.finding.code for one in judgement.suppressed] == ["POL-drift-limit.features"]
    assert judgement.findings == ()


def test_a_pack_lists_its_rules_parameters_and_versions() -> None:
    page = pack_topic("baseline")
    assert page is not None
    lines = page.splitlines()
    assert lines[0] == "baseline 1.1.0: 14 policies"
    assert lines[2].startswith("The baseline: what every estate is held to")
    assert "drift-limit (Model, Monitor; it blocks)" in lines
    assert (
        "    POL-route-access: a route to a model of tier 1 or 2 answers without a routing key"
        in (lines)
    )
    assert "    psi: 0.25" in lines
    assert "Other versions: 1.0.0" in lines
    assert "        - {name: baseline, version: 1.1.0}" in lines


def test_one_version_of_a_pack_is_explained_by_its_number() -> None:
    page = pack_topic("baseline@1.0.0")
    assert page is not None
    assert page.startswith("baseline 1.0.0: 11 policies\n")
    assert "route-targets" not in page
    assert "Other versions: 1.1.0\n" in page


def test_what_is_no_pack_is_left_to_others() -> None:
    assert pack_topic("Model.spec.tier") is None
    with pytest.raises(PackError, match=r"there is no version 9\.0\.0 of baseline"):
        pack_topic("baseline@9.0.0")


def test_a_policy_whose_name_is_no_code_lists_its_codes() -> None:
    page = policy_topic("POL-Route-Targets", shipped_policies())
    assert page is not None
    assert page.startswith(
        "route-targets (Route; a warning asks for a look)\n"
        "    POL-route-targets.approved: some deployments of this route run a version, and others"
    )
    assert policy_topic("POL-nothing", shipped_policies()) is None


def test_a_policy_of_an_estate_is_explained_by_what_it_says(workshop: Workshop) -> None:
    sketch = workshop.serving.add(
        "Policy",
        "mine",
        match={"kinds": ["Model"]},
        enforcement="advise",
        validations=[
            {"expression": "object.spec.tier == 1", "message": "the tier is not 1"},
            {"expression": "true", "message": "never", "severity": "warning", "remedy": "nothing"},
        ],
    )
    pages = dict(policy_pages(sketch.load().documents["Policy/mine"]))
    assert list(pages) == ["POL-mine", "POL-mine.2"]
    assert pages["POL-mine"].why == "The policy gives no rationale."
    assert pages["POL-mine"].remedy == "ask whoever owns the policy"
    assert dict(pages["POL-mine"].sections) == {
        "Controls": "none is named",
        "Asked of": "Model",
        "Where it does not hold": "a note is given",
        "Policy": "specs/policy/mine.yaml:4:9",
        "Expression": "object.spec.tier == 1\n",
        WAIVER: dict(pages["POL-mine"].sections)[WAIVER],
    }
    assert (
        "object: {kind: Model, name: NAME, digest: DIGEST}"
        in dict(pages["POL-mine"].sections)[WAIVER]
    )
    assert dict(pages["POL-mine.2"].sections)["Where it does not hold"] == (
        "a warning asks for a look"
    )
