from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]


def test_a_policy_of_base_and_head_is_one_and_a_package_is_none(make: Make, write: Write) -> None:
    checked = make(policies=(("a", "1"), ("a", "2"), ("b", "3"), ("package rules 1.0", "4")))
    assert checked.policy_names == ("a", "b")
    assert ", 2 policies." in write("markdown", checked)
    assert '"policy": "package' not in write("openreports", checked)
    one = make(policies=(("a", "1"),))
    assert ", 1 policy." in write("markdown", one)
