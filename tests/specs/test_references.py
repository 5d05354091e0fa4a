from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.references import check_references, dependencies, in_order

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
HEAD = "apiVersion: ordain.dev/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
ORGANIZATION = HEAD.format(
    "Organization",
    "bank",
    "{people: [{name: manager, roles: [manager], team: lending}], "
    f"reconciler: {{keys: [{{public: {KEY}}}]}}}}",
)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "model",
            "dataset: applications",
            "dataset: aplications",
            (
                "REF001 model.yaml:9:12 error: there is no Dataset `aplications` "
                "| did you mean `applications`?"
            ),
        ),
        (
            "deployment",
            "model: credit",
            "model: loans",
            "REF001 deployment.yaml:5:10 error: there is no Model `loans` | declared: credit",
        ),
        (
            "deployment",
            "production",
            "prodution",
            (
                "REF006 deployment.yaml:6:16 error: there is no environment `prodution` "
                "| did you mean `production`?"
            ),
        ),
        (
            "deployment",
            "version: 1",
            "version: 9",
            (
                "REF010 deployment.yaml:7:12 error: the model `credit` has no version 9 "
                "| remove `version`: a promotion writes it when a version is approved"
            ),
        ),
        (
            "route",
            "default: {deployment: credit}",
            "default: {deployment: credits}",
            (
                "REF001 route.yaml:9:25 error: there is no Deployment `credits` "
                "| did you mean `credit`?"
            ),
        ),
        (
            "route",
            "to: [{deployment: credit,",
            "to: [{deployment: loans,",
            "REF001 route.yaml:8:25 error: there is no Deployment `loans` | declared: credit",
        ),
        (
            "monitor",
            "deployment: credit",
            "deployment: cerdit",
            (
                "REF001 monitor.yaml:5:15 error: there is no Deployment `cerdit` "
                "| did you mean `credit`?"
            ),
        ),
        (
            "version",
            "model: credit",
            "model: retired",
            "REF001 version.yaml:5:10 note: there is no Model `retired` | declared: credit",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_shown_at_its_value(
    check: Check, edit: Edit, name: str, old: str, new: str, expected: str
) -> None:
    assert expected in check(edit(name, old, new))


def test_people_are_known_to_the_organization(check: Check) -> None:
    comment = HEAD.format("Comment", "why", "{model: credit, breach: b1, author: manger, text: x}")
    changed = {"specs/comment.yaml": comment, "specs/organization.yaml": ORGANIZATION}
    assert check(changed) == [
        "REF001 comment.yaml:4:43 warning: there is no Person `manger` | did you mean `manager`?"
    ]
    assert check({"specs/comment.yaml": comment}) == []


def test_a_waiver_names_something_that_exists(check: Check) -> None:
    subject = f"{{kind: Model, name: cedit, digest: sha256:{'0' * 64}}}"
    spec = (
        f"{{finding: REF003, object: {subject}, reason: known, "
        "requestedBy: a, approvedBy: b, expires: 2027-01-01}"
    )
    assert check({"specs/waiver.yaml": HEAD.format("Waiver", "w", spec)}) == [
        "REF001 waiver.yaml:4:53 warning: there is no Model `cedit` | did you mean `credit`?"
    ]


def test_a_policy_for_an_unknown_kind_would_never_speak(check: Check) -> None:
    spec = "{match: {kinds: [Modle]}, validations: [{expression: 'true', message: x}]}"
    assert check({"policies/p.yaml": HEAD.format("Policy", "p", spec)}) == [
        "REF001 policies/p.yaml:4:24 error: there is no kind `Modle` | did you mean `Model`?"
    ]


def test_a_circle_of_references_is_one_finding_that_shows_every_step(load: Load) -> None:
    spec = "{{type: webhook, addressFrom: URL, escalation: {{after: 5m, channel: {}}}}}"
    ring = {
        f"specs/{one}.yaml": HEAD.format("AlertChannel", one, spec.format(other))
        for one, other in (("a", "b"), ("b", "c"), ("c", "a"))
    }
    found = [finding for finding in check_references(load(ring)) if finding.code == "REF002"]
    (finding,) = found
    assert finding.message == (
        "these documents refer to each other in a circle: "
        "AlertChannel/a -> AlertChannel/b -> AlertChannel/c -> AlertChannel/a"
    )
    assert f"{finding.location}" == "specs/a.yaml:4:74"
    assert [f"{place}" for place, _ in finding.related] == [
        "specs/b.yaml:4:74",
        "specs/c.yaml:4:74",
    ]


def test_a_document_that_leads_into_a_circle_is_not_part_of_it(load: Load) -> None:
    spec = "{{type: webhook, addressFrom: URL, escalation: {{after: 5m, channel: {}}}}}"
    ring = {
        f"specs/{one}.yaml": HEAD.format("AlertChannel", one, spec.format(other))
        for one, other in (("a", "b"), ("b", "c"), ("c", "b"), ("d", "d"))
    }
    found = [finding for finding in check_references(load(ring)) if finding.code == "REF002"]
    assert [finding.message.partition(": ")[2] for finding in found] == [
        "AlertChannel/b -> AlertChannel/c -> AlertChannel/b",
        "AlertChannel/d -> AlertChannel/d",
    ]


@pytest.mark.timeout(10)
def test_a_long_circle_and_a_long_way_into_one_end_soon(load: Load) -> None:
    def channels(letter: str, last: int) -> str:
        """Each escalates to the next one, and that at the end to `last`."""
        spec = "{{type: webhook, addressFrom: URL, escalation: {{after: 5m, channel: {}-{}}}}}"
        following = [*range(1, 2_000), last]
        return "---\n".join(
            HEAD.format("AlertChannel", f"{letter}-{at}", spec.format(letter, other))
            for at, other in enumerate(following)
        )

    estate = load({"specs/round.yaml": channels("a", 0), "specs/long.yaml": channels("b", 1_999)})
    start = time.process_time()
    found = [finding for finding in check_references(estate) if finding.code == "REF002"]
    assert time.process_time() - start < 1.0
    assert [len(finding.related) for finding in found] == [0, 1_999]


def test_everything_comes_after_what_it_refers_to(load: Load) -> None:
    graph = dependencies(load())
    assert graph["Deployment/credit"] == ("Model/credit", "ModelVersion/credit-1")
    assert graph["Route/credit"] == ("Deployment/credit",)
    order, stuck = in_order(graph)
    assert stuck == ()
    assert sorted(order) == sorted(graph)
    assert all(order.index(need) < order.index(key) for key in graph for need in graph[key])


def test_a_version_that_is_declared_twice_is_refused(check: Check, files: dict[str, str]) -> None:
    again = files["specs/version.yaml"].replace("credit-1", "credit-one")
    assert check({"specs/z.yaml": again}) == [
        (
            "REF013 z.yaml:6:12 error: version 1 of the model `credit` is declared twice "
            "| versions are written by the machine: remove the one that it did not write"
        )
    ]


@pytest.mark.timeout(20)
def test_many_references_that_lead_nowhere_take_as_long_as_they_are_many(load: Load) -> None:
    spec = "{{model: {}, breach: b1, author: manager, text: x}}"
    model = "{purpose: Probability of default, tier: 2, owner: risk, task: classification}"
    texts = [HEAD.format("Comment", f"c-{n:04}", spec.format(f"m-{n}x")) for n in range(1_000)]
    texts += [HEAD.format("Model", f"m-{n}", model) for n in range(1_000)]
    estate = load({"specs/many.yaml": "---\n".join(texts)})
    start = time.process_time()
    found = [one for one in check_references(estate) if one.code == "REF001"]
    assert time.process_time() - start < 1.5
    assert len(found) == 1_000
    assert found[0].remedy == "did you mean `m-0`?"
    assert found[-1].remedy.startswith("declared: credit, m-0, m-1, m-10, ")
