"""A pattern covers the paths that the same line of CODEOWNERS would."""

from __future__ import annotations

import pytest

from ordain.specs.patterns import matches, matching, overlap


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("specs/models/**", "specs/models/a.yaml"),
        ("specs/models/**", "specs/models/retail/a.yaml"),
        ("specs/**/a.yaml", "specs/a.yaml"),
        ("specs/**/a.yaml", "specs/one/two/a.yaml"),
        ("specs/*.yaml", "specs/a.yaml"),
        ("specs/?.yaml", "specs/a.yaml"),
        ("specs/models", "specs/models"),
        ("specs/models", "specs/models/retail/a.yaml"),
        ("specs/models/", "specs/models/retail/a.yaml"),
        ("/ordain.yaml", "ordain.yaml"),
        ("**", "anything/at/all"),
        ("**/a.yaml", "a.yaml"),
        ("specs/[ab].yaml", "specs/[ab].yaml"),
        ("specs/**", "specs/a\nb.yaml"),
    ],
)
def test_a_pattern_covers(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("specs/models/**", "specs/modelss/a.yaml"),
        ("specs/**/a.yaml", "specs/one/two/ba.yaml"),
        ("specs/*.yaml", "specs/models/a.yaml"),
        ("specs/?.yaml", "specs//.yaml"),
        ("specs/models", "specs/models-old/a.yaml"),
        ("specs/models/", "specs/models"),
        ("ordain.yaml", "other/ordain.yaml"),
        ("ordain.yaml", "ordain-yaml"),
        ("specs/[ab].yaml", "specs/a.yaml"),
    ],
)
def test_a_pattern_covers_nothing_else(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_any_of_several_patterns_is_enough() -> None:
    paths = ("a/x.yaml", "b/y.yaml", "c/z.yaml")
    assert matching(("c/*", "/a"), paths) == ("a/x.yaml", "c/z.yaml")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("specs/**", "specs/model/**"),
        ("policies/", "policies/tests/**"),
        ("policies", "/policies/tests/a.yaml"),
        ("**/a.yaml", "specs/*.yaml"),
        ("specs/a*", "specs/*b"),
        ("specs/**/a.yaml", "specs/a.yaml"),
        ("specs/?.yaml", "**"),
        ("a/**/b", "a/*/*/b"),
    ],
)
def test_patterns_overlap_where_one_path_is_covered_by_both(one: str, other: str) -> None:
    assert overlap(one, other)
    assert overlap(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("specs/**", "policies/**"),
        ("specs/*", "specs/model/*.yaml"),
        ("specs/model", "specs/models"),
        ("**/a*.yaml", "specs/*/b*.yaml"),
        ("**/?", "specs/ab*"),
        ("specs/[ab].yaml", "specs/a.yaml"),
    ],
)
def test_patterns_without_a_common_path_do_not_overlap(one: str, other: str) -> None:
    assert not overlap(one, other)
    assert not overlap(other, one)
