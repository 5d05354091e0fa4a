from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]
    Validate = Callable[[object, str], None]

SCHEMA = "gitlab-codeclimate.json"


def test_every_entry_is_what_gitlab_reads(make: Make, write: Write, validate: Validate) -> None:
    for entry in json.loads(write("gitlab", make())):
        validate(entry, SCHEMA)


def test_hostile_texts_are_entries_all_the_same(
    everywhere: Checked, write: Write, validate: Validate
) -> None:
    entries = json.loads(write("gitlab", everywhere))
    assert len(entries) == 2
    for entry in entries:
        validate(entry, SCHEMA)


def test_entries_are_by_weight_and_each_has_a_line(make: Make, write: Write) -> None:
    entries = json.loads(write("gitlab", make()))
    assert [(one["check_name"], one["severity"]) for one in entries] == [
        ("POL-drift-limit.features", "blocker"),
        ("ACC-METRIC", "minor"),
        ("WVR006", "info"),
    ]
    assert [one["location"] for one in entries] == [
        {"path": "specs/monitor.yaml", "lines": {"begin": 2}},
        {"path": "ordain.yaml", "lines": {"begin": 1}},
        {"path": "ordain.yaml", "lines": {"begin": 1}},
    ]
    assert entries[0]["description"] == "the limit is above 0.25 (set psi.fail to 0.25 or less)"


def test_no_two_entries_have_one_fingerprint(many: Checked, write: Write) -> None:
    entries = json.loads(write("gitlab", many))
    assert len({one["fingerprint"] for one in entries}) == 30_000


def test_nothing_found_is_an_empty_list(make: Make, write: Write) -> None:
    assert write("gitlab", make((), ())) == "[]\n"
