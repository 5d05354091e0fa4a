"""CODEOWNERS says what the documents say, in the words of each forge, and to the byte."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.policies.gate import check
from ordain.policies.owners import HEAD, owners
from ordain.specs.estates import load_estate
from ordain.specs.findings import Severity

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Case, Workshop

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PEOPLE = ("data-scientist", "manager", "cto", "compliance-manager", "validator")


def hosted(workshop: Workshop, forge: str = "github") -> Sketch:
    """An estate on a forge, where everybody has an account."""
    sketch = workshop.fresh.set("Estate/examples", "spec.forge", {"type": forge})
    for index, person in enumerate(PEOPLE):
        account = {"forge": forge, "login": f"the-{person}", "id": index + 1}
        sketch.set("Organization/people", f"spec.people.{index}.accounts", [account])
    return sketch


def lines(sketch: Sketch, forge: str = "github") -> dict[str, str]:
    """Owners by pattern."""
    text = owners(sketch.load(), forge).decode()
    found = (line.partition(" ") for line in text.splitlines() if line.startswith(("/", "*")))
    return {pattern: names for pattern, _, names in found}


def test_github_is_told_everyone_whom_a_path_may_need(workshop: Workshop) -> None:
    assert owners(hosted(workshop).load(), "github").decode() == HEAD + (
        "* @the-compliance-manager @the-cto @the-manager\n"
        "/.github/ @the-cto\n"
        "/.gitlab/ @the-cto\n"
        "/policies/ @the-cto\n"
        "/.github/CODEOWNERS @the-cto\n"
        "/.gitlab-ci.yml @the-cto\n"
        "/environment.lock @the-manager\n"
        "/ordain.yaml @the-cto\n"
        "/reasons/credit.yaml @the-compliance-manager\n"
        "/specs/compliance/credit.yaml @the-compliance-manager\n"
        "/specs/deployment/credit.yaml @the-compliance-manager @the-cto @the-manager\n"
        "/specs/organization/people.yaml @the-cto\n"
        "/specs/route/credit.yaml @the-manager\n"
    )


def test_gitlab_has_a_section_for_each_role(workshop: Workshop) -> None:
    text = owners(hosted(workshop, "gitlab").load(), "gitlab").decode()
    assert text.startswith(HEAD + "\n[compliance-manager]\n")
    sections = {
        part.partition("]\n")[0]: part.partition("]\n")[2].splitlines()
        for part in text.split("\n[")[1:]
    }
    assert list(sections) == ["compliance-manager", "cto", "manager", "reviewer"]
    assert sections["manager"] == [
        "/environment.lock @the-manager",
        "/specs/deployment/credit.yaml @the-manager",
        "/specs/route/credit.yaml @the-manager",
    ]
    assert "/CODEOWNERS @the-cto" in sections["cto"]
    assert sections["reviewer"] == ["* @the-compliance-manager @the-cto @the-manager"]


def test_the_tier_of_a_model_decides_who_is_asked_for_its_deployment(workshop: Workshop) -> None:
    sketch = hosted(workshop).set("Model/credit", "spec.tier", 2)
    assert lines(sketch)["/specs/deployment/credit.yaml"] == "@the-manager"


def test_a_later_line_hides_no_review(workshop: Workshop) -> None:
    reviews = [{"paths": ["/specs/route/**", "policies/"], "roles": ["validator"]}]
    sketch = hosted(workshop).set("Organization/people", "spec.reviews", reviews)
    found = lines(sketch)
    assert found["/specs/route/**"] == "@the-validator"
    assert found["/specs/route/credit.yaml"] == "@the-manager @the-validator"
    assert list(found).index("/specs/route/**") < list(found).index("/specs/route/credit.yaml")
    text = owners(sketch.load(), "github").decode()
    assert text.index("/policies/ @the-validator") < text.index(
        "/policies/ @the-cto @the-validator"
    )


def test_reviews_hide_no_other_reviews_and_no_folder(workshop: Workshop) -> None:
    reviews = [
        {"paths": ["policies/tests/**"], "roles": ["validator"]},
        {"paths": ["specs/model/**"], "roles": ["manager"]},
        {"paths": ["specs/**"], "roles": ["cto"]},
        {"paths": ["data/**"], "roles": ["manager"]},
    ]
    sketch = hosted(workshop).set("Organization/people", "spec.reviews", reviews)
    found = lines(sketch)
    # Whatever their order is: on GitHub the last line that matches is the only one.
    assert list(found)[:8] == [
        "*",
        "/data/**",
        "/specs/**",
        "/.github/",
        "/.gitlab/",
        "/policies/",
        "/specs/model/**",
        "/policies/tests/**",
    ]
    assert found["/policies/tests/**"] == "@the-cto @the-validator"
    assert found["/specs/model/**"] == "@the-cto @the-manager"
    assert found["/specs/**"] == "@the-cto"
    assert found["/data/**"] == "@the-manager"
    # GitLab asks in every section that matches, and needs nobody twice.
    there = hosted(workshop, "gitlab").set("Organization/people", "spec.reviews", reviews)
    assert lines(there, "gitlab")["/specs/model/**"] == "@the-manager"


def test_a_pattern_is_escaped_but_for_its_wildcards(workshop: Workshop) -> None:
    reviews = [{"paths": ["/data/[a] #1/*.csv"], "roles": ["manager"]}]
    sketch = hosted(workshop).set("Organization/people", "spec.reviews", reviews)
    text = owners(sketch.load(), "github").decode()
    assert "/data/\\[a\\]\\ \\#1/*.csv @the-manager\n" in text


def test_a_role_without_an_account_takes_nobody_away(workshop: Workshop) -> None:
    sketch = hosted(workshop).set("Organization/people", "spec.people.1.accounts", None)
    text = owners(sketch.load(), "github").decode()
    assert "# Nobody with an account there holds the role manager.\n" in text
    # Without owners the line would free the file from those of the first line.
    assert "/specs/route/credit.yaml" not in text
    assert "* @the-compliance-manager @the-cto\n" in text
    other = hosted(workshop, "gitlab")
    assert "@" not in owners(other.load(), "github").decode()


def test_the_name_of_a_file_begins_no_line_of_its_own(workshop: Workshop) -> None:
    sketch = hosted(workshop)
    route = sketch.tree["specs/route/credit.yaml"]
    tree = dict(sketch.drop("Route/credit").tree)
    tree["specs/a b\n* @stranger [x]#*.yaml"] = route
    text = owners(load_estate(tree), "github").decode()
    assert "/specs/a\\ b?\\*\\ @stranger\\ \\[x\\]\\#\\*.yaml @the-manager\n" in text
    assert not any(line.startswith("* @stranger") for line in text.splitlines())


# The file and the documents


def said(sketch: Sketch) -> list[tuple[str, tuple[str, ...]]]:
    judgement = check(sketch.load(), NOW, tree=sketch.tree)
    return [(one.message, one.evidence) for one in judgement.findings if one.code == "OWN001"]


@pytest.mark.parametrize(
    ("forge", "path"), [("github", ".github/CODEOWNERS"), ("gitlab", "CODEOWNERS")]
)
def test_the_file_is_what_the_documents_give(workshop: Workshop, forge: str, path: str) -> None:
    sketch = hosted(workshop, forge)
    assert said(sketch) == [(f"{path} is missing", ())]
    right = owners(sketch.load(), forge)
    sketch.files[path] = right
    assert said(sketch) == []
    sketch.files[path] = right.replace(b"\n", b"\r\n")
    assert said(sketch) == [
        (f"{path} has line ends of Windows (CRLF), and is right but for them", ())
    ]
    sketch.files[path] = right.replace(b"* @the-compliance-manager", b"* @the-data-scientist")
    number = next(at for at, line in enumerate(right.split(b"\n"), 1) if line.startswith(b"* "))
    assert said(sketch) == [
        (
            f"{path} is not what the documents give",
            (
                f"line {number} = '* @the-data-scientist @the-cto @the-manager'",
                "generated = '* @the-compliance-manager @the-cto @the-manager'",
            ),
        )
    ]
    sketch.files[path] = right + b"\n"
    assert len(said(sketch)) == 1


def test_plain_git_asks_for_no_file(workshop: Workshop) -> None:
    assert said(workshop.fresh) == []


def errors(case: Case) -> list[str]:
    found = case.judge().findings
    blocking = (one for one in found if one.severity is Severity.ERROR)
    return [one.code for one in blocking if one.code.startswith(("OWN", "SOD", "CHG"))]


def test_a_change_keeps_the_file_right(workshop: Workshop) -> None:
    before = hosted(workshop)
    before.files[".github/CODEOWNERS"] = owners(before.load(), "github")
    after = before.copy().set("Organization/people", "spec.people.4.accounts.0.login", "renamed")
    reviews = [{"paths": ["specs/model/"], "roles": ["validator"]}]
    after.set("Organization/people", "spec.reviews", reviews)
    case = workshop.intention(before, after).approve("cto")
    assert errors(case) == ["OWN001"]
    after.files[".github/CODEOWNERS"] = owners(after.load(), "github")
    case = workshop.intention(before, after).approve("cto")
    assert errors(case) == []


def test_nobody_approves_a_file_that_follows_the_documents(workshop: Workshop) -> None:
    before = hosted(workshop)
    before.files[".github/CODEOWNERS"] = owners(before.load(), "github")
    route = before.documents["Route/credit"]["spec"] | {"endpoint": "/v1/second"}
    after = before.copy().add("Route", "second", **route)
    after.files[".github/CODEOWNERS"] = owners(after.load(), "github")

    def asked() -> list[tuple[str, ...]]:
        return [one.roles for one in workshop.intention(before, after).judge().required]

    assert ".github/CODEOWNERS" in workshop.intention(before, after).change.names
    assert asked() == [("manager",)]
    # What is not generated is somebody's own work, and so is the file of another forge.
    after.files["CODEOWNERS"] = owners(after.load(), "gitlab")
    assert asked() == [("cto",), ("manager",)]
    del after.files["CODEOWNERS"]
    after.files[".github/CODEOWNERS"] += b"#\n"
    assert asked() == [("cto",), ("manager",)]
