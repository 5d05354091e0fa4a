"""Whether the engine answers as the exact evaluator does, and where it may not.

Four differences are allowed, because they are meant: the engine goes on for more steps than the
evaluator does, it stops at a size that the evaluator does not know, a comprehension over a map goes
through the keys as the document has them, where the evaluator has no order at all, and a substring
may reach to the end, which the evaluator takes for an error.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cel_grammar import Documents, Expressions, same

from ordain.policies.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.programs import CelEngine, CelProgram
    from ordain.policies.engine import Outcome

DOCUMENTS: Final = 3
TO_THE_END: Final = "<string>.substring(<start>, <end>): <start> or <end> is greater than"


@dataclass(frozen=True)
class Difference:
    """One answer that is not the exact one."""

    expression: str
    values: dict[str, Any]
    given: Outcome
    exact: Outcome

    def __str__(self) -> str:
        used = {name: held for name, held in self.values.items() if name in self.expression}
        return f"{self.expression}\n  engine {self.given}\n  exact  {self.exact}\n  over   {used}"


@dataclass
class Tally:
    """What was compared, by how it went."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def round_of(
    engine: CelEngine, chance: random.Random, tally: Tally, over: random.Random | None = None
) -> None:
    """One expression over a few documents; `over` makes the documents, where it is another."""
    expressions, documents = Expressions(chance), Documents(over or chance)
    text = expressions.expression(chance.choice((1, 2, 3, 3, 4)))
    tally.counts["expressions"] += 1
    try:
        program = engine.compile(text)
    except ExpressionError:
        tally.counts["refused"] += 1
        return
    if program.function is None:
        tally.counts["not translated"] += 1
    for _ in range(DOCUMENTS):
        values = documents.values()
        tally.counts["pairs"] += 1
        tally.differences += compared(engine, program, values, tally)


def compared(
    engine: CelEngine, program: CelProgram, values: dict[str, Any], tally: Tally
) -> Iterator[Difference]:
    """The engine as it is, and its fast code alone, against the exact evaluator."""
    exact = program.exact(engine.bind(values))
    fast = program.fast(engine.bind(values).plain)
    given = program.run(engine.bind(values))
    if fast is None:
        # The answer is the evaluator's own. It need not be the same twice: over a map, and of two
        # keys that are one in Python, such as 0 and 0u, it takes now the one and now the other.
        tally.counts["asked exactly" if exact.error else "asked exactly, with a value"] += 1
        tally.counts["too costly for us"] += "could take too" in given.error
        return
    for one in (given, fast):
        verdict = judged(one, exact)
        tally.counts[verdict] += 1
        if verdict == "different":
            yield Difference(program.text, values, one, exact)


def judged(given: Outcome, exact: Outcome) -> str:  # noqa: PLR0911 - one for each case
    """How an answer stands to the exact one."""
    if given.error and exact.error:
        return "both errors"
    if exact.error == "Iteration budget exceeded":
        return "within our steps only"
    if given.error:
        return "too large for us" if "more than" in given.error else "different"
    if exact.error.startswith(TO_THE_END):
        return "substring to the end"
    if exact.error:
        return "different"
    if same(given.value, exact.value):
        return "equal"
    return "other order" if reordered(given.value, exact.value) else "different"


def reordered(given: object, exact: object) -> bool:
    """The same items of a list in another order."""
    if not isinstance(given, list) or not isinstance(exact, list) or len(given) != len(exact):
        return False
    rest = list(exact)
    for one in given:
        found = next((place for place, two in enumerate(rest) if same(one, two)), None)
        if found is None:
            return False
        del rest[found]
    return True


def tallied(engine: CelEngine, seed: int, rounds: int, tally: Tally) -> Tally:
    """Many rounds, each of which its number alone repeats."""
    for number in range(rounds):
        round_of(engine, random.Random(f"{seed}/{number}"), tally)
    return tally
