from __future__ import annotations

from collections.abc import Callable

import pytest

from ordain.specs.kinds import kind_type
from ordain.specs.shapes import type_at
from ordain.specs.support import _LOCAL, UNSUPPORTED

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

LAST = "decision: {threshold: 0.3}"


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "monitor",
            "features: [income]",
            "onBreach: [alert, rollback]",
            (
                "SPEC120 monitor.yaml:6:21 error: `onBreach: rollback` is declared, but this "
                "version "
                "of ordain does not do it: a breach is recorded and shown | write alert"
            ),
        ),
    ],
)
def test_what_nobody_does_yet_is_refused_where_it_is_declared(
    check: Check, edit: Edit, name: str, old: str, new: str, expected: str
) -> None:
    assert expected in check(edit(name, old, new))


def test_a_default_that_is_written_out_is_supported(check: Check, edit: Edit) -> None:
    text = (
        f"{LAST}\n  preprocessing: {{categorical: {{encode: one_hot}}}}\n"
        "  acceptance: {parity: {plan: 1.0e-9, onnx: 1.0e-5}}"
    )
    assert check(edit("model", LAST, text)) == []


def test_a_kind_that_nobody_acts_on_is_a_warning(check: Check) -> None:
    text = (
        "apiVersion: ordain.dev/v1\nkind: AlertChannel\nmetadata: {name: ops}\n"
        "spec: {type: webhook, addressFrom: OPS_URL}\n"
    )
    assert check({"specs/alerts.yaml": text}) == [
        (
            "SPEC120 alerts.yaml:3:18 warning: the kind AlertChannel is declared, but this "
            "version of "
            "ordain does not do it: it sends no alert yet | remove it for now"
        )
    ]


WARNED = "declared, but this version of ordain does not do it"


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("deployment", "version: 1", "schedule: 0 5 * * *", "error `schedule: 0 5 * * *`"),
        ("deployment", "version: 1", "source: s3://in", "error `source: s3://in`"),
        ("deployment", "version: 1", "sink: s3://out", "error `sink: s3://out`"),
        ("deployment", "version: 1", "replicas: 3", "warning `replicas: 3`"),
        ("deployment", "version: 1", "size: large", "warning `size: large`"),
        (
            "deployment",
            "version: 1",
            "objectives: {availability: 99%}",
            "warning `availability: 99%`",
        ),
        ("ordain.yaml", "spec:", "spec:\n  stateStore: s3://a", "error `stateStore: s3://a`"),
        ("ordain.yaml", "spec:", "spec:\n  artifactStore: s3://a", "error `artifactStore: s3://a`"),
        (
            "ordain.yaml",
            "spec:",
            "spec:\n  catalogueDate: 2030-01-01",
            "warning `catalogueDate: 2030-01-01`",
        ),
    ],
)
def test_nothing_is_accepted_and_silently_not_done(
    check: Check, edit: Edit, name: str, old: str, new: str, place: str
) -> None:
    (line,) = [line for line in check(edit(name, old, new)) if line.startswith("SPEC120")]
    severity, _, subject = place.partition(" ")
    assert f" {severity}: {subject} is {WARNED}" in line


def test_a_cluster_gives_the_replicas_and_the_size_that_a_machine_does_not(
    check: Check, edit: Edit
) -> None:
    changed = edit("deployment", "version: 1", "version: 1\n  replicas: 3\n  size: large")
    changed |= edit("ordain.yaml", "{name: production}", "{name: production, target: kubernetes}")
    assert check(changed) == []


def test_every_row_names_a_field_of_the_language() -> None:
    for kind, rows in (*UNSUPPORTED.items(), ("Deployment", _LOCAL)):
        for row in rows:
            steps = [0 if step == "*" else step for step in row.path.split(".")[1:]]
            assert type_at(kind_type(kind), tuple(steps)) is not None, row.path


@pytest.mark.parametrize(
    "block",
    [
        "external: {provider: A vendor}",
        "imported: {format: onnx, file: 'sha256:" + "1" * 64 + "', origin: a.onnx}",
    ],
)
def test_an_entry_of_the_inventory_is_no_field_to_be_removed(check: Check, block: str) -> None:
    text = (
        "apiVersion: ordain.dev/v1\nkind: Model\nmetadata: {name: listed}\n"
        "spec:\n  purpose: Score of a vendor\n  tier: 3\n  owner: credit-risk\n"
        f"  task: classification\n  {block}\n"
    )
    assert check({"specs/listed.yaml": text}) == []
