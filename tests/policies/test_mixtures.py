"""A limit is loosened in a change of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.policies.changes import Kind
from ordain.policies.owners import owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketches import Sketch

    from ordain.specs.findings import Finding
    from tests.policies.conftest import Workshop


def loosen(sketch: Sketch) -> Sketch:
    return sketch.set("Monitor/credit", "spec.psi.fail", 0.25)


def mixed(workshop: Workshop, before: Sketch, after: Sketch) -> list[Finding]:
    judgement = workshop.intention(before, after).judge(enforce=False)
    return [one for one in judgement.findings if one.code == "CHG002"]


@pytest.mark.parametrize(
    ("edit", "beside"),
    [
        (
            lambda s: s.set("Route/credit", "spec.fallback.decision", "call"),
            "Route/credit spec.fallback.decision",
        ),
        (lambda s: s.set("Monitor/credit", "spec.psi.warn", 0.05), "Monitor/credit spec.psi.warn"),
        (
            lambda s: s.set("Model/credit", "spec.training.seed", 8),
            "Model/credit spec.training.seed",
        ),
        (lambda s: s.drop("Route/credit"), "Route/credit"),
        (lambda s: s.files.update({"environment.lock": b"numpy==9\n"}), "environment.lock"),
        (lambda s: s.files.update({"reasons/credit.yaml": b"{}\n"}), "reasons/credit.yaml"),
        (
            lambda s: s.files.update({".github/workflows/gate.yml": b"{}\n"}),
            ".github/workflows/gate.yml",
        ),
        # On plain git nobody generates it.
        (lambda s: s.files.update({"CODEOWNERS": b"* @me\n"}), "CODEOWNERS"),
    ],
)
def test_a_loosening_beside_anything_else_is_refused(
    workshop: Workshop, edit: Callable[[Sketch], object], beside: str
) -> None:
    after = loosen(workshop.fresh)
    edit(after)
    (finding,) = mixed(workshop, workshop.fresh, after)
    assert finding.message == (
        "limits are loosened beside other changes: Monitor/credit spec.psi.fail"
    )
    assert finding.evidence == (f"beside it = {beside}",)
    assert finding.location is not None
    assert finding.location.path == "specs/monitor/credit.yaml"


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s,
        lambda s: s.set("Model/credit", "spec.owner", "somebody-else"),
        lambda s: s.set("Route/credit", "metadata.labels", {"line": "retail"}),
        lambda s: s.set("Monitor/credit", "spec.predictionPsi.fail", 0.3),
        lambda s: s.set("Model/credit", "spec.acceptance.metrics.0.min", 0.6),
        lambda s: s.files.update({"README.md": b"hello\n"}),
        lambda s: s.files.update({"policies/house.test.yaml": b"tests: []\n"}),
    ],
)
def test_descriptions_tests_and_other_loosened_limits_may_stand_beside_it(
    workshop: Workshop, edit: Callable[[Sketch], object]
) -> None:
    before = workshop.fresh
    after = loosen(before.copy())
    edit(after)
    case = workshop.intention(before, after)
    assert case.facts.kind is Kind.LOOSENING
    assert mixed(workshop, before, after) == []


def test_what_is_tightened_is_no_loosening(workshop: Workshop) -> None:
    after = workshop.fresh.set("Monitor/credit", "spec.psi.fail", 0.15)
    after.set("Route/credit", "spec.fallback.decision", "call")
    assert workshop.intention(workshop.fresh, after).facts.kind is Kind.INTENTION
    assert mixed(workshop, workshop.fresh, after) == []


def test_expressions_know_a_loosening_as_the_intention_that_it_is(workshop: Workshop) -> None:
    """Rules of pinned packs ask something of intentions, and must not fall silent."""
    facts = workshop.intention(workshop.fresh, loosen(workshop.fresh)).facts
    assert facts.to_plain()["kind"] == "intention"


def test_a_model_is_not_renamed_past_its_limits(workshop: Workshop) -> None:
    before = workshop.fresh
    spec = before.documents["Model/credit"]["spec"]
    after = before.copy().drop("Model/credit").add("Model", "other", **spec)
    after.set("Deployment/credit", "spec.model", "other")
    after.set("Compliance/credit", "spec.model", "other")
    (finding,) = mixed(workshop, before, after)
    assert "Model/credit" in finding.message
    assert "beside it = Model/other" in finding.evidence


def test_a_model_that_never_ran_goes_as_it_came(workshop: Workshop) -> None:
    before = workshop.fresh.add("Model", "idea", **workshop.fresh.documents["Model/credit"]["spec"])
    after = before.copy().drop("Model/idea")
    assert workshop.intention(before, after).facts.kind is Kind.INTENTION


def test_a_model_is_retired_with_all_that_watched_it(workshop: Workshop) -> None:
    before = workshop.fresh
    after = before.copy()
    for kind in ("Model", "Deployment", "Monitor", "Compliance", "Route"):
        after.drop(f"{kind}/credit")
    case = workshop.intention(before, after)
    assert case.facts.kind is Kind.LOOSENING
    assert mixed(workshop, before, after) == []
    assert ("compliance-manager",) in [one.roles for one in case.judge().required]
    # Put something in its place, and it is no retirement.
    after.add("Dataset", "new", **before.documents["Dataset/applications"]["spec"])
    assert len(mixed(workshop, before, after)) == 1


def test_a_policy_may_change_with_its_words(workshop: Workshop) -> None:
    rule = {"validations": [{"expression": "true", "message": "never"}]}
    before = workshop.fresh.add("Policy", "mine", **rule)
    other = {"validations": [{"expression": "1 == 1", "message": "hardly ever"}]}
    after = before.copy().add("Policy", "mine", **other)
    assert mixed(workshop, before, after) == []


def test_a_long_list_of_what_stands_beside_is_cut(workshop: Workshop) -> None:
    after = loosen(workshop.fresh)
    for number in range(12):
        after.add(
            "Route", f"r{number}", endpoint=f"/v1/r{number}", default={"deployment": "credit"}
        )
    (finding,) = mixed(workshop, workshop.fresh, after)
    assert len(finding.evidence) == 11
    assert finding.evidence[-1] == "beside it = 2 more"


def test_an_estate_may_leave_its_forge_in_a_change_of_its_own(workshop: Workshop) -> None:
    before = workshop.fresh.set("Estate/examples", "spec.forge", {"type": "github"})
    after = before.copy().set("Estate/examples", "spec.forge", {"type": "git"})
    assert workshop.intention(before, after).facts.kind is Kind.LOOSENING
    assert mixed(workshop, before, after) == []
    after.set("Estate/examples", "spec.protectedBranch", "trunk")
    assert len(mixed(workshop, before, after)) == 1


def test_code_owners_that_follow_the_loosening_may_change_with_it(workshop: Workshop) -> None:
    account = {"forge": "github", "login": "v", "id": 5}
    before = workshop.fresh.set("Estate/examples", "spec.forge", {"type": "github"})
    before.set("Organization/people", "spec.people.4.accounts", [account])
    reviews = [{"paths": ["/specs/**"], "roles": ["validator"]}]
    before.set("Organization/people", "spec.reviews", reviews)
    before.files[".github/CODEOWNERS"] = owners(before.load(), "github")
    after = before.copy().set("Organization/people", "spec.reviews", None)
    after.files[".github/CODEOWNERS"] = owners(after.load(), "github")
    assert workshop.intention(before, after).facts.kind is Kind.LOOSENING
    assert ".github/CODEOWNERS" in workshop.intention(before, after).change.names
    assert mixed(workshop, before, after) == []
    after.files[".github/CODEOWNERS"] += b"* @me\n"
    (finding,) = mixed(workshop, before, after)
    assert finding.evidence == ("beside it = .github/CODEOWNERS",)
