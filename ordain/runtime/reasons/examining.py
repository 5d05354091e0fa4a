"""Whether the reasons of a version hold: steady, about the right thing, and enough to change it.

A reason for a refusal has legal weight, and an attribution is a number about a model *and* a
background. What is looked at here is therefore what may go wrong between the two and the sentence
that somebody reads:

- replay: explained twice, a row has the same attributions, and they add up to what the plan itself
  answers: its margin less the mean margin of the background, summed without the explainer
- background: at least 100 rows; ten give the first reason of every fourth refusal to another one
- agreement: other backgrounds, drawn from other rows, give the same four reasons
- flips: with the inputs of these reasons at what is usual for favourable decisions, the decision
  is another one; reasons for which that is not so are not what decided
- moves: with the inputs of one reason at what is usual, that decision is farther away; the sign of
  a contribution itself is no check, because what does not speak against somebody is no reason
- directions: a value that is told to be low is low, where the reason declares a direction
- inputs: each belongs to a reason, and none of these is a sentence that names no factor

All of it decides where a Model declares reason codes, which is where somebody is told reasons; it
informs elsewhere. A share fails where its value is below the limit; its Wilson interval is shown
and does not soften that. With fewer than 50 unfavourable rows nothing is judged. Rows are compared
by families of inputs, because attributions of correlated inputs trade places from one background
to the next.

The work is bounded: 200 unfavourable rows against the background and four others, of an estimate
50 against two.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from statistics import correlation, fmean
from typing import TYPE_CHECKING

from ordain.runtime.reasons.cases import Deciding, drawn, mean_of, usual_row
from ordain.runtime.reasons.codes import ReasonCodes
from ordain.runtime.reasons.errors import ReasonsError
from ordain.runtime.reasons.explainer import Explainer
from ordain.runtime.reasons.ranking import is_missing, ranked
from ordain.runtime.training.intervals import quantile, wilson
from ordain.specs.findings import Verdict
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ordain.runtime.reasons.cases import Case
    from ordain.runtime.reasons.explainer import Attribution
    from ordain.runtime.reasons.ranking import Reason, Side
    from ordain.runtime.scoring import RowPlan

    Row = Mapping[str, object]

SECTION = "explanations"
FEWEST_BACKGROUND, FEWEST_ROWS, TOP = 100, 50, 4
ROWS, BACKGROUNDS = 200, 4
ESTIMATED_ROWS, ESTIMATED_BACKGROUNDS = 50, 2
MOVES, DIRECTIONS = 0.95, 0.9
_CONFIDENCE = 0.95
_SUMS = 1e-6
# Sentences that name no factor; Regulation B, comment 9(b)(2)-3 onwards, calls them insufficient.
_NAMES_NOTHING = re.compile(
    r"^others?\b|\binsufficient score\b|\bscore (is |was )?(too low|insufficient)\b"
    r"|\binternal (standards|policy|policies)\b|\bqualifying score\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ReasonLimits:
    """What shares must reach: agreement with other backgrounds, and decisions that flip."""

    agreement: float = 0.8
    flips: float = 0.9


@dataclass(frozen=True, slots=True)
class Examined:
    """The rows that are examined, their attributions, and their reasons."""

    cases: list[Case]
    found: list[Attribution]
    reasons: list[tuple[Reason, ...]]


def examine_explanations(  # noqa: PLR0913 - what a validation knows
    plan: RowPlan,
    background: Sequence[Row],
    rows: Sequence[Row],
    codes: ReasonCodes | None,
    *,
    unfavourable: Side,
    favourable: str | None,
    pool: Sequence[Row],
    seed: int,
    limits: ReasonLimits | None = None,
) -> tuple[Check, ...]:
    """The section "explanations" of a validation.

    `pool` are rows of the kind that the background was drawn from, and other ones than it.

    Raises:
        RowError: a row does not fit the plan.
    """
    if plan.task == "clustering":
        return (Check(SECTION, "reasons", reason="a clustering has no attributions"),)
    deciding = Deciding(plan, unfavourable, favourable)
    known = codes or ReasonCodes.plain(given.name for given in plan.inputs)
    work = _Work(plan, background, pool, deciding, known, limits or ReasonLimits(), seed)
    checks = work.checks(rows)
    if codes is None or deciding.without:
        return tuple(_informing(check) for check in checks)
    return tuple(checks)


_UNDECIDED = Verdict.INSUFFICIENT.value


@dataclass(frozen=True, slots=True)
class _Work:
    plan: RowPlan
    background: Sequence[Row]
    pool: Sequence[Row]
    deciding: Deciding
    codes: ReasonCodes
    limits: ReasonLimits
    seed: int

    def checks(self, rows: Sequence[Row]) -> list[Check]:
        size = len(self.background)
        checks = [_size_of(size), *self._codes_checks()]
        if not size:
            return checks
        explainer = Explainer.of(self.plan, self.background, seed=self.seed)
        most = ROWS if explainer.exact else ESTIMATED_ROWS
        cases = self._cases(rows, most)
        try:
            examined = self._examined(explainer, cases)
            again = Explainer.of(self.plan, self.background, seed=self.seed)
            checks.append(self._replayed(examined, self._examined(again, cases)))
        except ReasonsError as error:
            return [*checks, _failed("replay", "= 1", error.message)]
        checks += self._steady(examined, exact=explainer.exact)
        if self.deciding.without:
            return [*checks, Check(SECTION, "reasons", reason=self.deciding.without)]
        return [*checks, *self._about(examined)]

    def _replayed(self, one: Examined, two: Examined) -> Check:
        """Whether both explanations are equal, and add up to what the plan answers."""
        if not one.found:
            return Check(SECTION, "replay", limit="= 1", reason="there is no row to explain")
        usual: dict[int, float] = {}
        for output in {case.subject.output for case in one.cases}:
            margins = [margin_of(self.plan, row, output) for row in self.background]
            usual[output] = fmean(margins)
        same = sum(
            found == again and adds_up(self.plan, case.row, found, case.subject.output, usual)
            for case, found, again in zip(one.cases, one.found, two.found, strict=True)
        )
        n = len(one.found)
        return _judged("replay", same / n, "= 1", same == n, n)

    def _cases(self, rows: Sequence[Row], most: int) -> list[Case]:
        if not self.deciding.without:
            return self.deciding.cases(rows, most, self.seed)
        return [self.deciding.case(row) for row in drawn(rows, most, self.seed)]

    def _examined(self, explainer: Explainer, cases: list[Case]) -> Examined:
        """Cases of one output are explained together."""
        found: dict[int, Attribution] = {}
        for output in sorted({case.subject.output for case in cases}):
            places = [at for at, case in enumerate(cases) if case.subject.output == output]
            rows = [cases[at].row for at in places]
            found.update(zip(places, explainer.explain(rows, output), strict=True))
        ordered = [found[at] for at in range(len(cases))]
        reasons = [
            ranked(self.codes, one, case.row, sign=case.subject.sign)[:TOP]
            for one, case in zip(ordered, cases, strict=True)
        ]
        return Examined(cases, ordered, reasons)

    # ── codes ────────────────────────────────────────────────────────────────────────────────────

    def _codes_checks(self) -> Iterator[Check]:
        inputs = [given.name for given in self.plan.inputs]
        mapped = {name for code in self.codes.codes for name in code.features}
        without = [name for name in inputs if name not in mapped]
        share = 1 - len(without) / len(inputs)
        why = f"without a reason: {', '.join(without)}" if without else ""
        yield _judged("inputs with a reason", share, "= 1", not without, len(inputs), why)
        empty = [code.code for code in self.codes.codes if _NAMES_NOTHING.search(code.text.strip())]
        why = f"these name no factor: {', '.join(empty)}" if empty else ""
        count = len(self.codes.codes)
        yield _judged("reasons that name no factor", len(empty), "= 0", not empty, count, why)

    # ── other backgrounds ────────────────────────────────────────────────────────────────────────

    def _steady(self, examined: Examined, *, exact: bool) -> Iterator[Check]:
        limit = f">= {self.limits.agreement:g}"
        if len(self.pool) < FEWEST_BACKGROUND:
            why = f"other backgrounds need {FEWEST_BACKGROUND} rows, and {len(self.pool)} are given"
            yield Check(SECTION, "agreement", limit=limit, reason=why)
            return
        others = list(self._others(examined.cases, exact=exact))
        yield _stability(examined, others)
        if self.deciding.without:
            return
        n = len(examined.cases)
        yield _share("agreement", _agreeing(examined, others, _set), n, self.limits.agreement)
        found = _share("agreement", _agreeing(examined, others, _first), n, 0.0)
        yield _informing(replace(found, subject="reason 1"))

    def _others(self, cases: list[Case], *, exact: bool) -> Iterator[Examined]:
        """The same cases against other backgrounds."""
        size = min(len(self.background), max(FEWEST_BACKGROUND, len(self.pool) // 2))
        for number in range(1, 1 + (BACKGROUNDS if exact else ESTIMATED_BACKGROUNDS)):
            background = drawn(self.pool, size, self.seed + number)
            yield self._examined(Explainer.of(self.plan, background, seed=self.seed), cases)

    # ── what reasons are about ───────────────────────────────────────────────────────────────────

    def _about(self, examined: Examined) -> Iterator[Check]:
        good = [row for row in self.background if not self.deciding.against(row)]
        if good:
            usual = usual_row(self.plan.inputs, good)
            yield self._flips(examined, usual)
            yield from self._moves(examined, usual)
        else:
            why = "no row of the background is decided favourably"
            yield Check(SECTION, "flips", limit=f">= {self.limits.flips:g}", reason=why)
        yield from self._directions(examined)
        yield from self._frequencies(examined)

    def _flips(self, examined: Examined, usual: Row) -> Check:
        flipped = 0
        for case, reasons in zip(examined.cases, examined.reasons, strict=True):
            moved = self._moved(case.row, reasons, usual)
            flipped += not self.deciding.against(moved)
        return _share("flips", flipped, len(examined.cases), self.limits.flips)

    def _moves(self, examined: Examined, usual: Row) -> Iterator[Check]:
        """One share for each rank: the first reason decides, weaker ones inform.

        A contribution is a mean over the background, and what is usual is one row: of a weak reason
        the two may well point apart without either being wrong.
        """
        away, told = [0] * TOP, [0] * TOP
        for case, reasons in zip(examined.cases, examined.reasons, strict=True):
            margin = case.margin(self.plan, case.row)
            for rank, reason in enumerate(reasons):
                moved = self._moved(case.row, [reason], usual)
                away[rank] += case.margin(self.plan, moved) < margin
                told[rank] += 1
        for rank in range(TOP):
            found = _share("moves", away[rank], told[rank], MOVES)
            named = replace(found, subject=f"reason {rank + 1}")
            if rank == 0:
                yield named
            elif told[rank]:
                yield _informing(named)

    def _moved(self, row: Row, reasons: Iterable[Reason], usual: Row) -> Row:
        families = {code.code: code.features for code in self.codes.codes}
        names = {name for reason in reasons for name in families[reason.code]}
        return {**row, **{name: usual[name] for name in names if name in usual}}

    def _directions(self, examined: Examined) -> Iterator[Check]:
        """Only numbers have a side; one that was not given has none."""
        for code in self.codes.codes:
            if code.direction == "either":
                continue
            sign = 1 if code.direction == "high" else -1
            right = told = 0
            for case, reasons in zip(examined.cases, examined.reasons, strict=True):
                for reason in (one for one in reasons if one.code == code.code):
                    mean = mean_of(self.background, reason.feature)
                    value = case.row.get(reason.feature)
                    if mean is None or not isinstance(value, int | float) or is_missing(value):
                        continue
                    told += 1
                    right += sign * (value - mean) >= 0
            if told:
                yield replace(_share("directions", right, told, DIRECTIONS), subject=code.code)

    def _frequencies(self, examined: Examined) -> Iterator[Check]:
        first = Counter(reasons[0].code for reasons in examined.reasons if reasons)
        for code in sorted(first):
            found = _share("first reason", first[code], len(examined.cases), 0.0)
            yield _informing(replace(found, subject=code))


def margin_of(plan: RowPlan, row: Row, output: int) -> float:
    """What the plan adds up for a row, before it is a probability."""
    return plan.margins(plan.encode(row))[output]


def adds_up(
    plan: RowPlan, row: Row, found: Attribution, output: int, usual: Mapping[int, float]
) -> bool:
    """Whether attributions give the margin of the row, less the usual one of this output."""
    gap = margin_of(plan, row, output) - usual[output]
    return math.isclose(math.fsum(found.values.values()), gap, rel_tol=_SUMS, abs_tol=_SUMS)


def _size_of(size: int) -> Check:
    enough = size >= FEWEST_BACKGROUND
    return Check(
        SECTION,
        "background rows",
        value=float(size),
        n=size,
        limit=f">= {FEWEST_BACKGROUND}",
        verdict=(Verdict.PASS if enough else Verdict.INSUFFICIENT).value,
        reason="" if enough else f"{size} rows are too few for steady reasons",
    )


def _stability(examined: Examined, others: list[Examined]) -> Check:
    """The lowest rank correlation (Spearman 1904) of the mean absolute attributions."""
    if not examined.found:
        return Check(SECTION, "importance", reason="there is no row to explain")
    ours = _ranks(_importance(examined))
    found = [_correlation(ours, _ranks(_importance(other))) for other in others]
    return Check(SECTION, "importance", value=min(found), n=len(examined.found))


def _importance(examined: Examined) -> list[float]:
    columns = zip(*(one.values.values() for one in examined.found), strict=True)
    return [math.fsum(map(abs, column)) for column in columns]


def _ranks(values: list[float]) -> list[float]:
    """Ranks from 1; equal values have the mean of theirs."""
    return [
        sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values
    ]


def _correlation(one: list[float], two: list[float]) -> float:
    if len(set(one)) == 1 or len(set(two)) == 1:
        return 1.0 if one == two else 0.0
    return correlation(one, two)


def _agreeing(
    examined: Examined, others: list[Examined], told: Callable[[tuple[Reason, ...]], object]
) -> float:
    """How many rows are told the same; one that is by half of the others counts as a half."""
    return math.fsum(
        fmean(told(reasons) == told(other.reasons[at]) for other in others)
        for at, reasons in enumerate(examined.reasons)
    )


def _set(reasons: Iterable[Reason]) -> frozenset[str]:
    return frozenset(reason.code for reason in reasons)


def _first(reasons: tuple[Reason, ...]) -> str | None:
    return reasons[0].code if reasons else None


def _informing(check: Check) -> Check:
    """The same without a limit."""
    return replace(check, limit="", verdict=_UNDECIDED)


def _share(name: str, right: float, n: int, limit: float) -> Check:
    """A share of rows with its Wilson interval; it fails where the value is below the limit."""
    shown = "= 1" if limit == 1 else f">= {limit:g}"
    if not n:
        return Check(SECTION, name, limit=shown, reason="there is no row to explain")
    share = right / n
    low, high = wilson(right, n, quantile(_CONFIDENCE))
    check = Check(SECTION, name, "", share, low, high, _CONFIDENCE, n, shown)
    # Shares are sums of fractions: the last digit is not what decides.
    verdict = Verdict.PASS if share >= limit - 1e-12 else Verdict.FAIL
    return _enough(replace(check, verdict=verdict.value), n)


def _enough(check: Check, rows: int) -> Check:
    if rows >= FEWEST_ROWS or check.value is None:
        return check
    why = f"{rows} unfavourable rows, fewer than {FEWEST_ROWS}"
    return replace(check, verdict=_UNDECIDED, reason=why)


def _judged(name: str, value: float, limit: str, held: bool, n: int, why: str = "") -> Check:  # noqa: FBT001 - told by every caller
    verdict = Verdict.PASS if held else Verdict.FAIL
    return Check(SECTION, name, value=value, n=n, limit=limit, verdict=verdict.value, reason=why)


def _failed(name: str, limit: str, why: str) -> Check:
    return Check(SECTION, name, limit=limit, verdict=Verdict.FAIL.value, reason=why)
