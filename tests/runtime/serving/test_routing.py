"""Who answers a request, and the proof of it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import pytest

from ordain.runtime.serving.routing import Choice, Router, Step, sticky_draw

LARGE = {"field": "amount", "op": "gt", "value": 100}
ANY = {"field": "amount", "op": "exists"}


def shares(**weights: int) -> list[dict[str, Any]]:
    return [{"deployment": name, "weight": weight} for name, weight in weights.items()]


def never() -> float:
    raise AssertionError("no draw is needed here")


def test_the_first_rule_that_holds_decides() -> None:
    rules = [
        {"name": "large", "when": LARGE, "to": shares(big=100)},
        {"when": ANY, "to": shares(small=100)},
    ]
    router = Router.read("credit", rules, "usual")
    assert router.choose({"amount": 500}, lambda: 0.5) == Choice("large", "big", 0.5)
    assert router.choose({"amount": 50}, lambda: 0.5) == Choice("2", "small", 0.5)
    assert router.choose({}, never) == Choice(None, "usual", None)
    assert router.targets() == {"big", "small", "usual"}


def test_the_steps_to_a_choice_can_be_shown() -> None:
    rules = [
        {"name": "large", "when": LARGE, "to": shares(big=100)},
        {"when": ANY, "to": shares(small=100)},
    ]
    router = Router.read("credit", rules, "usual")
    assert router.explain({"amount": 50}, lambda: 0.5) == (
        [Step("large", holds=False), Step("2", holds=True)],
        Choice("2", "small", 0.5),
    )


@pytest.mark.parametrize(
    ("draw", "deployment"),
    [(0.0, "a"), (0.8999, "a"), (0.9, "c"), (0.9999999999999999, "c")],
)
def test_a_draw_falls_into_a_share(draw: float, deployment: str) -> None:
    router = Router.read("r", [{"when": ANY, "to": shares(a=90, b=0, c=10)}], "d")
    assert router.choose({"amount": 1}, lambda: draw).deployment == deployment


def test_weights_are_met() -> None:
    router = Router.read("r", [{"when": ANY, "to": shares(a=70, b=30)}], "d")
    random = Random(7)
    counted = Counter(router.choose({"amount": 1}, random.random).deployment for _ in range(20000))
    assert counted["a"] / 20000 == pytest.approx(0.7, abs=0.01)


def test_sticky_keys_meet_the_weights_and_keep_their_model() -> None:
    rule = {"when": ANY, "to": shares(a=90, b=10), "sticky": "applicant"}
    router = Router.read("credit", [rule], "d")
    assert router.fields == {"amount", "applicant"}
    requests = [{"amount": 1, "applicant": f"P{number}"} for number in range(20000)]
    first = [router.choose(request, never) for request in requests]
    again = Router.read("credit", [rule], "d")
    assert first == [again.choose(request, never) for request in requests]
    counted = Counter(choice.deployment for choice in first)
    assert counted["a"] / 20000 == pytest.approx(0.9, abs=0.005)


def test_a_sticky_draw_is_the_same_in_every_process() -> None:
    program = "from ordain.runtime.serving.routing import sticky_draw; print(sticky_draw('r', 'k'))"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    # Worked out apart: SHA-256 of the bytes `r`, newline, `"k"`; the first 53 bits over 2**53.
    assert drawn == {"0.8595862447619499"} == {repr(sticky_draw("r", "k"))}


def test_routes_draw_independently_and_types_are_told_apart() -> None:
    draws = {
        sticky_draw("r", 1),
        sticky_draw("s", 1),
        sticky_draw("r", "1"),
        sticky_draw("r", value=True),
    }
    assert len(draws) == 4


@pytest.mark.parametrize("value", [None, [], {"a": 1}])
def test_without_a_usable_sticky_field_the_draw_is_random(value: object) -> None:
    rule = {"when": ANY, "to": shares(a=100), "sticky": "applicant"}
    router = Router.read("r", [rule], "d")
    assert router.choose({"amount": 1, "applicant": value}, lambda: 0.25).draw == 0.25


def test_a_rule_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="rule 1 gives no deployment any weight"):
        Router.read("r", [{"when": ANY, "to": shares(a=0)}], "d")
