from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.specs.edits import EditError, set_value

if TYPE_CHECKING:
    from ordain.specs.documents import Step

DEPLOYMENT = """\
# The slot that lending uses.
apiVersion: ordain.dev/v1   # the language
kind: Deployment
spec:
  model: credit  # keep me
  'size': "small"

# the end
---
spec: {a: 1, b: {c: 2}}  # flow
"""


@pytest.mark.parametrize(
    ("old", "document", "path", "value", "new"),
    [
        ('"small"\n', 0, ("spec", "version"), 3, '"small"\n  version: 3\n'),
        ("credit  #", 0, ("spec", "model"), "loans", "loans  #"),
        ('"small"', 0, ("spec", "size"), "large", "large"),
        ("{a: 1, b: {c: 2}}", 1, ("spec", "version"), 3, "{a: 1, b: {c: 2}, version: 3}"),
        ("{c: 2}", 1, ("spec", "b", "d"), "yes", '{c: 2, d: "yes"}'),
        ("{c: 2}", 1, ("spec", "b", "d", "e"), None, "{c: 2, d: {e: null}}"),
        (
            '"small"\n',
            0,
            ("spec", "rollout"),
            {"strategy": "canary", "steps": 3},
            '"small"\n  rollout:\n    strategy: canary\n    steps: 3\n',
        ),
        ('"small"\n', 0, ("spec", "x", "y"), True, '"small"\n  x:\n    y: true\n'),
        (
            "credit  #",
            0,
            ("spec", "model"),
            "sha256:915e71e0",
            "sha256:915e71e0  #",
        ),
    ],
)
def test_only_the_value_changes(
    old: str, document: int, path: tuple[Step, ...], value: object, new: str
) -> None:
    assert old in DEPLOYMENT
    changed = set_value(DEPLOYMENT, document, path, value)
    assert changed == DEPLOYMENT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "path", "value", "new"),
    [
        ("spec:\n  a: 1", ("spec", "v"), 1, "spec:\n  a: 1\n  v: 1"),
        ("spec:\r\n  a: 1 # x\r\n", ("spec", "v"), 1, "spec:\r\n  a: 1 # x\r\n  v: 1\r\n"),
        ("spec:\n  v:\n  b: 1\n", ("spec", "v"), 1, "spec:\n  v: 1\n  b: 1\n"),
        ("spec:\n  v:  # later\n", ("spec", "v"), 1, "spec:\n  v: 1  # later\n"),
        ("spec: {}\n", ("spec", "v"), 1, "spec: {v: 1}\n"),
        (
            "spec: {\n  a: 1,  # one\n}\n",
            ("spec", "v"),
            1,
            "spec: {\n  a: 1, v: 1,  # one\n}\n",
        ),
        (
            "spec:\n  a: |\n    one\n    two\nb: 1\n",
            ("spec", "v"),
            1,
            "spec:\n  a: |\n    one\n    two\n  v: 1\nb: 1\n",
        ),
        ("a: |\n  one\nb: 1\n", ("a",), "two", "a: two\nb: 1\n"),
        ("\ufeffspec: {v: 1}\n", ("spec", "v"), 2, "\ufeffspec: {v: 2}\n"),
        ("l:\n  - a: 1\n  - b: 2\n", ("l", 0, "n"), 2, "l:\n  - a: 1\n    n: 2\n  - b: 2\n"),
        ("l: [1, 2]\n", ("l", 1), 2.5, "l: [1, 2.5]\n"),
        ("a: &x 1\nb: *x\n", ("b",), 2, "a: &x 1\nb: 2\n"),
        ("a: é\nb: 1\n", ("b",), "ü: 1", 'a: é\nb: "ü: 1"\n'),
        ("a: x\n", ("a",), "2024-01-01", "a: 2024-01-01\n"),
        ("a: x\n", ("a",), "12", 'a: "12"\n'),
        ("a: x\n", ("a",), "no", 'a: "no"\n'),
        ("a: x\n", ("a",), "", 'a: ""\n'),
    ],
)
def test_every_way_of_writing_is_kept(
    text: str, path: tuple[Step, ...], value: object, new: str
) -> None:
    assert set_value(text, 0, path, value) == new


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("x: &a {v: 1}\ny: *a\n", ("y", "v"), "y.v cannot be set without changing something else"),
        ("a: [1]\n", ("a",), "a holds more than one value"),
        ("a: 1\n", ("a", "b"), "a has a value that is no mapping"),
        ("a: [1]\n", ("a", 3), "a.3 does not exist"),
        ("- 1\n", ("a",), "there is no document number 0"),
        (
            "a: [\n",
            ("a",),
            "the file cannot be read: a value is missing, or a bracket is not closed",
        ),
        ("a: &x 1\nb: *x\n", ("a",), "a cannot be set without changing something else"),
    ],
)
def test_an_edit_that_would_change_more_is_refused(
    text: str, path: tuple[Step, ...], message: str
) -> None:
    with pytest.raises(EditError) as caught:
        set_value(text, 0, path, 2)
    assert caught.value.message == message
    assert caught.value.remedy
