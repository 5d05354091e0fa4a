from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.writers.fingerprints import marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]

LINE = "psi: {warn: 0.1, fail: 5}\n"


def at(line: int, column: int = 24, message: str = "5 is too high") -> Finding:
    return Finding("POL-x", Severity.ERROR, message, Location("a.yaml", line, column, 1))


def prints(make: Make, text: str, *findings: Finding) -> list[str]:
    checked = make(findings, (), tree={"a.yaml": text.encode()})
    return [one.fingerprint for one in marked(checked)]


def test_a_fingerprint_moves_with_its_line(make: Make) -> None:
    before = prints(make, LINE, at(1))
    assert prints(make, f"kind: Monitor\nspec:\n{LINE}", at(3)) == before
    assert prints(make, f"spec:\n    {LINE}", at(2, 28)) == before


def test_a_measured_value_in_the_message_changes_nothing(make: Make) -> None:
    assert prints(make, LINE, at(1)) == prints(make, LINE, at(1, message="6 is too high"))
    nowhere = [Finding("WVR006", Severity.NOTE, f"ends in {days} days") for days in (3, 12)]
    assert prints(make, LINE, nowhere[0]) == prints(make, LINE, nowhere[1])


def test_another_text_code_file_or_place_is_another_finding(make: Make) -> None:
    (first,) = prints(make, LINE, at(1))
    (changed,) = prints(make, LINE.replace("5", "6"), at(1))
    (beside,) = prints(make, LINE, at(1, 13))
    elsewhere = Finding("POL-x", Severity.ERROR, "", Location("b.yaml", 1, 24, 1))
    (moved,) = prints(make, LINE, elsewhere)
    (other,) = prints(make, LINE, Finding("POL-y", Severity.ERROR, "", at(1).location))
    assert len({first, changed, beside, moved, other}) == 5


def test_equal_ones_are_numbered_in_the_order_of_the_file(make: Make) -> None:
    two = prints(make, LINE + LINE, at(1), at(2))
    assert len(set(two)) == 2
    assert prints(make, LINE + LINE, at(2), at(1)) == two[::-1]


def test_a_waiver_changes_no_fingerprint(make: Make) -> None:
    from ordain.specs.writers.checked import Waived

    tree = {"a.yaml": (LINE + LINE).encode()}
    both = marked(make((at(1), at(2)), (), tree=tree))
    waived = Waived(at(1), "Waiver/w", "why", "cto", "2026-12-31")
    second, first = marked(make((at(2),), (waived,), tree=tree))
    assert [first.fingerprint, second.fingerprint] == [one.fingerprint for one in both]
    assert first.waived is waived


def test_a_file_that_is_gone_has_a_fingerprint_all_the_same(make: Make) -> None:
    gone = Finding("SPEC001", Severity.ERROR, "gone", Location("gone.yaml", 3, 1))
    (found,) = prints(make, LINE, gone)
    assert len(found) == 64
