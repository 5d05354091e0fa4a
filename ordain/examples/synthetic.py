"""The applicants of the credit-union example: synthetic, seeded, and said to be so.

Nobody's data is in here. A latent risk is drawn from a handful of plausible causes, and an outcome
from the risk, so that a model has something real to find, a protected attribute has no effect of
its own, and a downturn (lower incomes, fuller credit lines) is a drift that a monitor must see.
Only the standard library's generator is used, because its stream is the same on every platform; the
files in `credit-union/data` are its output, and a test compares them byte for byte.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

COLUMNS = (
    "applicant_id",
    "applied_on",
    "income",
    "amount",
    "term",
    "purpose",
    "channel",
    "employment_years",
    "utilisation",
    "open_accounts",
    "delinquencies_24m",
    "housing",
    "sex",
    "age_band",
    "default_12m",
)
_PURPOSES = (("car", 34), ("home", 26), ("consolidation", 22), ("education", 12), ("other", 6))
_CHANNELS = (("web", 55), ("branch", 30), ("phone", 15))
_HOUSING = (("rent", 40), ("mortgage", 32), ("own", 18), ("family", 10))
_AGE_BANDS = (("under-30", 24), ("30-49", 46), ("50-plus", 30))
_PURPOSE_RISK = {"car": -0.1, "home": -0.25, "consolidation": 0.45, "education": 0.05, "other": 0.3}
_HOUSING_RISK = {"rent": 0.2, "mortgage": -0.15, "own": -0.3, "family": 0.15}


@dataclass(frozen=True, slots=True)
class Economy:
    """How applicants are doing: factors on income, additions to utilisation and risk."""

    income: float = 1.0
    utilisation: float = 0.0
    risk: float = 0.0


CALM = Economy()
DOWNTURN = Economy(income=0.72, utilisation=0.22, risk=0.5)


def applicants(
    rows: int, *, seed: int, first: date, days: int, economy: Economy = CALM, start: int = 1
) -> list[dict[str, str]]:
    """Draw applicants in the order of their day; every value is the text of its CSV cell."""
    random = Random(seed)  # noqa: S311 - a seeded stream is the point, not secrecy
    drawn = sorted(random.randrange(days) for _ in range(rows))
    return [
        _applicant(random, f"A{start + index:06d}", first + timedelta(days=day), economy)
        for index, day in enumerate(drawn)
    ]


def to_csv(rows: list[dict[str, str]]) -> str:
    """The rows as CSV with a header and Unix line ends."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def files() -> dict[str, str]:
    """The data files of the example by their path inside it."""
    known = applicants(6000, seed=20260101, first=date(2024, 1, 1), days=700)
    drifted = applicants(
        800, seed=20260102, first=date(2026, 1, 5), days=60, economy=DOWNTURN, start=6001
    )
    return {"data/applications.csv": to_csv(known), "data/downturn.csv": to_csv(drifted)}


def _applicant(random: Random, name: str, day: date, economy: Economy) -> dict[str, str]:
    income = round(math.exp(random.gauss(8.02, 0.42)) * economy.income)
    amount = 500 * round(math.exp(random.gauss(9.35, 0.6)) / 500) or 500
    term = random.choice((12, 24, 36, 48, 60, 72))
    purpose, channel, housing = (_draw(random, of) for of in (_PURPOSES, _CHANNELS, _HOUSING))
    employment = round(min(40.0, random.expovariate(1 / 6.5)), 1)
    utilisation = round(min(1.5, max(0.0, random.betavariate(2.0, 3.4) + economy.utilisation)), 3)
    accounts = min(14, int(random.expovariate(1 / 3.4)))
    delinquencies = min(6, int(random.expovariate(1 / 0.75)))
    sex = "female" if random.random() < 0.48 else "male"
    risk = (
        -1.55
        + 1.1 * math.log((amount / term + 150) / (0.16 * income + 90))
        + 3.2 * (utilisation - 0.37)
        + 0.9 * delinquencies
        - 0.045 * min(employment, 20.0)
        + _PURPOSE_RISK[purpose]
        + _HOUSING_RISK[housing]
        + economy.risk
        + random.gauss(0.0, 0.25)
    )
    default = random.random() < 1 / (1 + math.exp(-risk))
    return {
        "applicant_id": name,
        "applied_on": day.isoformat(),
        "income": "" if random.random() < 0.03 else str(income),
        "amount": str(amount),
        "term": str(term),
        "purpose": purpose,
        "channel": channel,
        "employment_years": str(employment),
        "utilisation": "" if random.random() < 0.04 else str(utilisation),
        "open_accounts": str(accounts),
        "delinquencies_24m": str(delinquencies),
        "housing": housing,
        "sex": sex,
        "age_band": _draw(random, _AGE_BANDS),
        "default_12m": str(int(default)),
    }


def _draw(random: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*weighted, strict=True)
    return str(random.choices(names, weights)[0])
