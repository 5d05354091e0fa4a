from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.ledger.verification import verify
from ordain.reports.errors import ReportError
from ordain.reports.facts import PreviewFacts, ReportInput, count_volumes
from ordain.reports.model_reports import model_report
from ordain.reports.summaries import parts
from ordain.specs.evidence import Evidence
from ordain.specs.findings import Verdict
from ordain.specs.kinds.model import Acceptance, FairnessGate

HOSTILE = "\"><script>alert('x')</script><img src=x onerror=y>&amp;"
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser would see: elements, text, and whether everything was closed in order."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.sections: dict[str, str] = {}
        self.feed(data.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.words = []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            text = " ".join(" ".join(self.words).split())
            self.sections[text.split(" ", 1)[0]] = text

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_preview_says_that_it_is_one_and_is_judged_by_what_was_measured(
    facts: ReportInput,
) -> None:
    preview = PreviewFacts(
        run="3fa2c91b04-p1",
        recipe="sha256:" + "1" * 64,
        artifact="sha256:" + "2" * 64,
        data="sha256:" + "3" * 64,
        pinned=False,
        seed=7,
        threads=1,
        environment="sha256:" + "4" * 64,
        changed=2,
    )
    page = model_report(
        replace(facts, version=None, approvals=None, drift=None, ledger=None, preview=preview)
    )
    seen = Page(page)
    (banner,) = (one for one in seen.all("p") if one.get("class") == "unsigned")
    assert banner["role"] == "note"
    text = page.decode()
    assert "<strong>UNSIGNED PREVIEW: not approved, not served.</strong>" in text
    assert "with 2 changed files, on data that nobody has pinned." in text
    assert "Approvals" not in seen.sections["Summary"]
    assert "Performance" in seen.sections["Summary"]
    assert "ordain audit verify" not in text
    assert preview.artifact in text


def test_the_same_facts_give_the_same_bytes(facts: ReportInput) -> None:
    assert model_report(facts) == model_report(replace(facts))


def test_the_page_is_small_and_well_formed(facts: ReportInput) -> None:
    assert facts.drift is not None
    assert len(facts.drift.features) == 12
    data = model_report(facts)
    page = Page(data)
    assert page.open == []
    assert len(data) <= 60_000


def test_nothing_runs_and_nothing_is_fetched(facts: ReportInput) -> None:
    data = model_report(facts).decode()
    page = Page(data.encode())
    assert {name for name, _ in page.tags}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image"}
    )
    attributes = {name for _, found in page.tags for name in found}
    assert not [name for name in attributes if name.startswith("on") or name == "src"]
    targets = [found["href"] or "" for found in page.all("a")]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|javascript:", data)
    policies = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_links_lead_to_sections_that_are_there(facts: ReportInput) -> None:
    page = Page(model_report(facts))
    ids = [found["id"] for _, found in page.tags if "id" in found]
    assert len(ids) == len(set(ids))
    assert {f"#{name}" for name in ids} >= {str(found["href"]) for found in page.all("a")}


def test_tables_and_charts_can_be_heard(facts: ReportInput) -> None:
    page = Page(model_report(facts))
    assert len(page.all("caption")) == len(page.all("table")) == 9
    assert all("scope" in cell for cell in page.all("th"))
    charts = page.all("svg")
    assert len(charts) == 16
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert any("income, the bins that moved most" in str(one["aria-label"]) for one in charts)
    assert page.all("html") == [{"lang": "en"}]


def test_what_people_wrote_is_escaped_everywhere(facts: ReportInput) -> None:
    assert facts.drift is not None
    assert facts.evidence is not None
    assert facts.changes is not None
    assert facts.approvals is not None
    assert facts.findings is not None
    assert facts.volumes is not None
    feature = facts.drift.features[0]
    bins = tuple(replace(bin_, label=HOSTILE) for bin_ in feature.bins)
    hostile = replace(
        facts,
        name=HOSTILE,
        spec_commit=HOSTILE,
        tool=HOSTILE,
        model=replace(facts.model, purpose=HOSTILE, owner=HOSTILE),
        drift=replace(
            facts.drift,
            deployment=HOSTILE,
            reason=HOSTILE,
            features=(replace(feature, feature=HOSTILE, reason=HOSTILE, bins=bins),),
        ),
        history=tuple(replace(one, feature=HOSTILE) for one in facts.history),
        evidence=replace(
            facts.evidence,
            data={HOSTILE: HOSTILE},
            metrics=(replace(facts.evidence.metrics[0], name=HOSTILE, limit=HOSTILE),),
            fairness=(replace(facts.evidence.fairness[0], group=HOSTILE, reference=HOSTILE),),
            importance=((HOSTILE, 1.0),),
            limitations=(HOSTILE,),
        ),
        approvals=(replace(facts.approvals[0], person=HOSTILE, key="", proof=HOSTILE),),
        changes=(replace(facts.changes[0], subject=HOSTILE, author=HOSTILE, signer=HOSTILE),),
        findings=(replace(facts.findings[0], message=HOSTILE, remedy=HOSTILE),),
        volumes=replace(facts.volumes, decisions=((HOSTILE, 1),)),
    )
    page = Page(model_report(hostile))
    assert page.open == []
    assert {"script", "img"}.isdisjoint(name for name, _ in page.tags)
    assert not [found for _, found in page.tags if "onerror" in found]
    assert model_report(hostile).count(b"<script") == 0


def test_the_cover_says_what_was_judged(facts: ReportInput) -> None:
    data = model_report(facts).decode()
    assert facts.version is not None
    assert "<title>credit-default — model report as of 2026-11-20</title>" in data
    assert "Probability that an applicant defaults within twelve months" in data
    for known in (facts.version.artifact, facts.version.recipe, facts.version.evidence):
        assert f"<code>{known}</code>" in data
    assert f"<code>{facts.spec_commit}</code>" in data
    assert "decline from 0.35 on, else approve" in data


def test_every_part_has_its_facts_and_its_numbers(facts: ReportInput) -> None:
    found = Page(model_report(facts)).sections
    performance = found["Performance"]
    assert "roc_auc ✓ pass test 1,200 0.7712 0.741 to 0.802 (95 %) ≥ 0.74 (lower)" in performance
    assert "log_loss for information" in performance
    fairness = found["Fairness"]
    assert "sex: female adverse impact ratio ✓ pass 590 of 900 (65.6 %)" in fairness
    assert "? insufficient 12 cases, at least 30 are needed 7 of 12 (58.3 %)" in fairness
    assert "no data minimum 0.8" in fairness
    assert "income ✕ fail PSI 0.525 ≥ 0.25 0.525 0.038 0.1, 0.25 1,000 3,000" in found["Drift"]
    assert "warn 0.1" in found["Drift"]
    assert "income 0.9" in found["Explanations"]
    use = found["Use"]
    assert "1,200 predictions from 2026-11-19 16:00 UTC to 2026-11-20 11:59 UTC" in use
    assert "1 shadow answer that decided nothing" in use
    assert "decision approve 1,064 of 1,200 (88.7 %)" in use
    assert "manager-1 manager 2026-11-19 12:00 UTC SHA256:5Zc0d1" in found["Approvals"]
    assert "Tighten the acceptance limit of roc_auc" in found["Approvals"]
    assert "warning POL201 the validation record of tier 1 is older" in found["Open"]
    assert "control 2" in found["Ledger"]
    assert "nothing found" in found["Ledger"]
    assert "parts train 3,600" in found["Data"]
    assert "Not for applicants under 21." in found["Limitations"]


def test_the_worst_part_decides_and_is_named(facts: ReportInput) -> None:
    summary = Page(model_report(facts)).sections["Summary"]
    assert "✕ fail Drift in production 12 features on 1,000 rows: 1 fail, 11 pass" in summary
    assert "? insufficient Fairness 2 groups compared: 1 insufficient, 1 pass." in summary
    assert '<p class="overall fail">' in model_report(facts).decode()
    assert (
        "Decided by drift in production; the parts are judged below."
        in model_report(facts).decode()
    )


def test_where_nothing_is_known_it_says_so(bare: ReportInput) -> None:
    data = model_report(bare).decode()
    found = Page(data.encode()).sections
    parts = (
        "Performance",
        "Fairness",
        "Drift in production",
        "Explanations",
        "Use",
        "Ledger",
        "Limitations",
    )
    assert all(found[part.split()[0]] == f"{part} no data" for part in parts)
    assert found["Approvals"] == "Approvals and changes no data Changes no data"
    assert "waiting for an approved version" in data
    assert '<p class="overall insufficient">' in data
    assert "The same for all 6 parts." in data


def test_looked_up_and_empty_is_not_the_same_as_not_known(bare: ReportInput) -> None:
    found = Page(model_report(replace(bare, approvals=(), changes=(), findings=()))).sections
    assert found["Approvals"] == "Approvals and changes no approvals Changes no changes"
    assert found["Open"] == "Open findings none open"
    assert "Nobody has approved this version." in found["Summary"]
    assert "✓ pass Open findings None open." in found["Summary"]


def test_a_window_of_another_artifact_is_pointed_out(facts: ReportInput) -> None:
    assert facts.drift is not None
    other = replace(facts.drift, artifact="sha256:" + "9" * 64)
    said = Page(model_report(replace(facts, drift=other))).sections["Drift"]
    assert "The window belongs to another artifact: sha256:9999" in said


def test_a_damaged_ledger_fails_the_report_and_says_where(
    facts: ReportInput, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "damaged")
    for index in range(3):
        ledger.record(Event(facts.as_of, "reconciler", "stage.done", f"Model/m{index}", {}))
    (segment,) = ledger.directory("control").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"Model/m1", b"Model/mX"))
    damaged = replace(facts, drift=None, ledger=verify(ledger))
    found = Page(model_report(damaged)).sections
    assert "✕ fail Ledger" in found["Summary"]
    assert "LED" in found["Ledger"]
    assert "error:" in found["Ledger"]


def test_many_features_are_cut_and_counted(facts: ReportInput) -> None:
    assert facts.drift is not None
    many = tuple(
        replace(facts.drift.features[1], feature=f"feature-{index:03}") for index in range(40)
    )
    drift = replace(facts.drift, features=many, left_out=5)
    said = Page(model_report(replace(facts, drift=drift))).sections["Drift"]
    assert "15 features with a smaller index are left out here." in said
    assert len(model_report(replace(facts, drift=drift))) < 100_000


def test_the_commands_to_verify_name_the_commit_and_the_evidence(facts: ReportInput) -> None:
    assert facts.version is not None
    hex_digits = facts.version.evidence.removeprefix("sha256:")
    said = Page(model_report(facts)).sections["How"]
    assert f"git verify-commit {facts.spec_commit}" in said
    assert f"evidence/{hex_digits}.json | sha256sum # {hex_digits}" in said
    assert "ordain audit verify ordain report credit-default #" in said


def test_a_moment_without_a_time_zone_is_refused(bare: ReportInput) -> None:
    naive = replace(bare, as_of=datetime(2026, 11, 20))  # noqa: DTZ001 - what is refused
    with pytest.raises(ReportError) as caught:
        model_report(naive)
    assert caught.value.message == "the moment 2026-11-20T00:00:00 has no time zone"


def test_no_predictions_are_counted_as_none(facts: ReportInput) -> None:
    empty = count_volumes([])
    assert (empty.predictions, empty.shadow, empty.since) == (0, 0, None)
    said = Page(model_report(replace(facts, volumes=empty))).sections["Use"]
    assert "0 predictions from no data to no data" in said
    assert "decision no data 0" in said


def test_a_pass_of_all_parts_is_a_pass(facts: ReportInput) -> None:
    assert facts.evidence is not None
    assert facts.drift is not None
    good = replace(
        facts,
        evidence=replace(facts.evidence, fairness=facts.evidence.fairness[:1]),
        drift=replace(facts.drift, verdict=Verdict.PASS),
        findings=(),
    )
    assert '<p class="overall pass">' in model_report(good).decode()


def test_the_room_loads_no_template_engine_before_a_report_is_made() -> None:
    import subprocess

    code = (
        "import sys, ordain.reports.model_reports, ordain.runtime.monitoring.windows, "
        "ordain.runtime.reasons; "
        "print(sorted({'jinja2', 'numpy', 'shap', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"


def test_groups_that_no_gate_asks_for_are_shown_and_decide_nothing(facts: ReportInput) -> None:
    assert facts.evidence is not None
    rows = tuple(
        replace(row, verdict="fail", reason="the ratio is low; no gate is declared")
        for row in facts.evidence.fairness
    )
    shown = replace(facts, evidence=replace(facts.evidence, fairness=rows))
    assert "Fairness" not in [part.title for part in parts(shown)]
    text = Page(model_report(shown)).sections["Fairness"]
    assert "for information" in text
    assert "No gate is declared" in text
    # What the evidence says of itself does not take a declared gate away.
    gated = replace(facts.model, acceptance=Acceptance(fairness=(FairnessGate(),)))
    (part,) = (one for one in parts(replace(shown, model=gated)) if one.title == "Fairness")
    assert part.verdict is Verdict.FAIL


def test_drift_of_the_evidence_stands_beside_that_of_production(bare: ReportInput) -> None:
    measured = Evidence(
        model="m", recipe="", artifact="", split="", data={}, metrics=(), fairness=(),
        importance=(), parity={}, drift={"income": 0.01, "month": 2.09},
    )  # fmt: skip
    text = Page(model_report(replace(bare, evidence=measured))).sections["Drift"]
    assert "No data" in text or "no data" in text
    assert "Between training and test part" in text
    assert "month ✕ fail 2.090" in " ".join(text.split())
    assert "income ✓ pass 0.01" in " ".join(text.split())


def test_a_search_tells_what_was_tried_and_what_discriminates_less(facts: ReportInput) -> None:
    points = [
        {"number": 1, "family": "a", "performance": 0.80, "ratio": 0.70, "best": True}
        | {"rate": 0.612, "threshold": 0.3},
        {"number": 2, "family": "a", "performance": 0.79, "ratio": 0.85, "best": True}
        | {"rate": 0.613, "threshold": 0.35},
    ]
    answer = {
        "points": points,
        "candidates": 2,
        "performer": 1,
        "chosen": 2,
        "max_loss": 0.02,
        "reason": "confirmed",
        "incomparable": 2,
        "confirmation": {"gain": 0.15, "low": 0.05, "high": 0.2, "loss": 0.01, "n": 900}
        | {"rate": 0.604, "rate_performer": 0.61},
    }
    alternatives = {
        "metric": "adverse_impact_ratio",
        "max_loss": 0.02,
        "rows": {"select": 901, "confirm": 900},
        "attributes": {"sex": answer, "age": {"reason": "no group is <large>"}},
    }
    search = {
        "metric": "log_loss",
        "trials": {"done": 2, "stopped": 1, "failed": 0},
        "chosen": {"number": 1, "family": "extra_trees", "mean": 0.41},
        "folds": {"declared": 5, "judged": 5, "rows": 1801},
        "notes": ["logistic_regression was tried although no family names it."],
        "alternatives": alternatives,
    }
    assert facts.evidence is not None
    shown = replace(facts, evidence=replace(facts.evidence, search=search))
    page = Page(model_report(shown)).sections["Search"]
    assert "Of 3 trials, trial 1 (extra_trees) was chosen by its log_loss of 0.410" in page
    assert "sex: confirmed" in page
    assert "age: no group is <large>" in page
    assert "Trial 2 beside trial 1 on the other rows (n = 900): the smallest ratio is 0.150" in page
    assert "Chosen on 901 rows of the training part, confirmed on 900 rows of the valid" in page
    assert "2 (alternative) a 0.790 0.850 61.3 % 0.350" in page
    assert "theirs gives as many the favourable decision: 2 candidates." in page
    assert "Favourable decisions: 60.4 % beside 61.0 %." in page
    assert "Search" not in Page(model_report(facts)).sections
