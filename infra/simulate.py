"""`make simulate`: a month of 1,000 towns against AWS's limits on paper, into docs/performance.md.

Arrivals by hour and weekday, announcements and what they set off, incidents, and ten minutes without Viber. What one
act costs comes from infra/counts.json and infra/cost.py. One seed, so the same table every time.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from infra import cost
from infra.pages import PERFORMANCE, write_block

SEED = 20260301
TOWNS = 1000
DAYS = 30
HOURS = DAYS * 24
MINUTES = HOURS * 60
# Shares of a day by hour: nights are empty, offices' mornings full, a second hill after work.
BY_HOUR = (4, 2, 1, 1, 2, 6, 18, 42, 78, 92, 95, 90, 80, 70, 62, 58, 56, 60, 68, 72, 66, 50, 30, 12)
BY_WEEKDAY = (1.25, 1.2, 1.15, 1.1, 1.05, 0.65, 0.6)
SIZES_SIGMA = 1.0  # towns differ: the largest of 1,000 has about ten times the mean

ANNOUNCEMENTS_A_TOWN = 2
RECEIVERS_A_TURN = 0.3  # 12,946 receivers where 42,000 turns a month are written
ANSWERED = 0.03  # of the receivers write back, half of them within ten minutes
HALVED_MINUTES = 10
INCIDENTS = ((6, 20, 10.0, 3), (2, 200, 8.0, 4), (1, 1000, 3.0, 6))  # how often, towns, times the usual, hours
VIBER_AWAY_MINUTES = 10
RETRY_SECONDS = 60

# AWS's default quotas for a new account; all but the partition's can be raised by asking.
CONCURRENT_MAX = 1000
CONCURRENT_IN_TEN_SECONDS_MAX = 1000
REQUESTS_A_SECOND_MAX = 10_000
NEW_TABLE_WRITES_MAX, NEW_TABLE_READS_MAX = 4000, 12_000  # what an on-demand table takes from its first second
PARTITION_WRITES_MAX, PARTITION_READS_MAX = 1000, 3000
PARAMETERS_A_SECOND_MAX = 40
DUE_SHARDS = 8
DUE_WRITES_A_TURN = 2  # a lane's entry in the index `due` comes with the commit and goes with the mark

PROCESS_TURNS = 160_000  # drawn to see what processes keep
KEPT_SECONDS, TOKEN_SECONDS = 55.0, 3600.0
SPARE = 3.0  # processes alive for each one busy: Lambda keeps those of the last minutes


@dataclass(frozen=True)
class Month:
    """Turns by minute, and what stands out."""

    minutes: Sequence[float]
    busiest_second: float
    sizes: Sequence[float]
    announced: int
    receivers: float

    @property
    def turns(self) -> float:
        return sum(self.minutes)


def month(towns: int = TOWNS, turns: int = cost.TOWN_TURNS, seed: int = SEED) -> Month:
    """Let a month pass."""
    chance = random.Random(seed)
    sizes = [chance.lognormvariate(0, SIZES_SIGMA) for _ in range(towns)]
    mean = sum(sizes) / towns
    sizes = [size / mean for size in sizes]  # in mean towns
    rate = _hourly(turns)
    rates = [hour * towns / 60 for hour in rate for _ in range(60)]
    for often, struck, times, hours in INCIDENTS:
        for _ in range(often):
            _strike(rates, rate, sum(chance.sample(sizes, min(struck, towns))), times, hours, chance)
    announced, receivers = _announce(rates, sizes, turns, chance)
    minutes = [max(0.0, chance.gauss(each, math.sqrt(each))) for each in rates]
    return Month(minutes, _busiest_second(minutes, chance), sizes, announced, receivers)


def _hourly(turns: int) -> list[float]:
    """A mean town's turns in each hour of the month."""
    shape = [BY_HOUR[hour % 24] * BY_WEEKDAY[hour // 24 % 7] for hour in range(HOURS)]
    return [turns * each / sum(shape) for each in shape]


def _strike(
    rates: list[float], usual: Sequence[float], struck: float, times: float, hours: int, chance: random.Random
) -> None:
    """Something happens in towns that together are as large as `struck` mean ones, at any hour of a day."""
    first = chance.randrange(DAYS) * 24 + chance.randrange(6, 20)
    for hour in range(first, min(first + hours, HOURS)):
        for minute in range(hour * 60, hour * 60 + 60):
            rates[minute] += usual[hour] / 60 * struck * (times - 1)


def _announce(rates: list[float], sizes: Sequence[float], turns: int, chance: random.Random) -> tuple[int, float]:
    """Every town's announcements, in office hours, and the answers to them."""
    announced, receivers = 0, 0.0
    for size in sizes:
        for _ in range(ANNOUNCEMENTS_A_TOWN):
            minute = (chance.randrange(DAYS) * 24 + chance.randrange(8, 16)) * 60 + chance.randrange(60)
            reached = size * turns * RECEIVERS_A_TURN
            announced, receivers = announced + 1, receivers + reached
            left = reached * ANSWERED
            for later in range(minute, min(minute + 12 * HALVED_MINUTES, MINUTES)):
                now = left * (1 - 0.5 ** (1 / HALVED_MINUTES))
                rates[later] += now
                left -= now
    return announced, receivers


def _busiest_second(minutes: Sequence[float], chance: random.Random) -> float:
    """Seconds of the fullest hundred minutes, as they fall."""
    fullest = sorted(minutes, reverse=True)[:100]
    return max(chance.gauss(each / 60, math.sqrt(each / 60)) for each in fullest for _ in range(60))


@dataclass(frozen=True)
class Known:
    """What processes read because they do not know, or no longer trust, what they know: a turn's share."""

    looks: float
    read_anew: float
    tokens: float


def known(
    sizes: Sequence[float], turns_a_second: float, kept: int, seed: int = SEED, turns: int = PROCESS_TURNS
) -> Known:
    """Turns that fall at random on processes, each of which keeps so many towns."""
    chance = random.Random(seed)
    busy = max(1.0, turns_a_second * _seconds())
    processes = [OrderedDict[int, float]() for _ in range(math.ceil(busy * SPARE))]
    tokens = [dict[int, float]() for _ in processes]
    towns = chance.choices(range(len(sizes)), sizes, k=turns)
    looks = anew = asked = counted = 0
    for turn, town in enumerate(towns):
        now, number = turn / turns_a_second, chance.randrange(len(processes))
        kept_here = processes[number]
        before = kept_here.pop(town, None)
        kept_here[town] = now if before is None or now - before > KEPT_SECONDS else before
        if len(kept_here) > kept:
            kept_here.popitem(last=False)
        fresh_token = now - tokens[number].get(town, -TOKEN_SECONDS) >= TOKEN_SECONDS
        if fresh_token:
            tokens[number][town] = now
        if turn < turns // 2:
            continue  # until the processes have settled
        counted += 1
        looks += before is None or now - before > KEPT_SECONDS
        anew += before is None
        asked += fresh_token
    return Known(looks / counted, anew / counted, asked / counted)


def surge(sizes: Sequence[float], turns_a_second: float, seed: int = SEED) -> float:
    """Secrets asked for a second in a minute in which every process is new."""
    chance = random.Random(seed)
    processes = math.ceil(turns_a_second * _seconds() * SPARE)
    towns = chance.choices(range(len(sizes)), sizes, k=math.ceil(turns_a_second * 60))
    return len({(chance.randrange(processes), town) for town in towns}) / 60


def _seconds() -> float:
    return cost.milliseconds("turn of a short talk, viber", cost.Setting.configured()) / 1000


# --- words ------------------------------------------------------------------------------------------------------------


def tables() -> str:
    passed, kept = month(), cost.Setting.configured().megabytes // 2  # as actions/known.py
    mean = passed.turns / MINUTES / 60
    know, few = (known(passed.sizes, mean, each) for each in (kept, 16))
    held = _held_against_limits(passed, know)
    over = [what for what, used, limit in held if used > limit]
    lines = [
        _what_passed(passed),
        "| what | in this month | limit on paper | used |",
        "|---|---|---|---|",
        f"| turns a second, on average | {mean:.1f} | | |",
        f"| turns a second, busiest hour | {_busiest_hour(passed):.0f} | | |",
        *(f"| {what} | {_short(used)} | {limit:,.0f} | {100 * used / limit:.0f}% |" for what, used, limit in held),
        "",
        f"Limits passed: {'; '.join(over) or 'none'}.",
        "What is throttled is tried again within the turn's 3.5 s, then answered 503 with nothing stored, and repeated",
        "by Viber. The Parameter Store's limit is raised by a switch of the account (higher throughput).",
        "",
        f"Lanes owed when Viber is back: {_owed_while_away(passed):,.0f}, each rung for within {RETRY_SECONDS} s.",
        f"Of 100 turns {100 * know.looks:.0f} look whether their town has changed, {100 * know.read_anew:.0f} read it",
        f"anew (a process keeps {kept} towns; were it 16, {100 * few.read_anew:.0f} would).",
        "",
        _bill(passed, know),
    ]
    return "\n".join(lines) + "\n"


def _what_passed(passed: Month) -> str:
    incidents, largest = sum(each[0] for each in INCIDENTS), max(passed.sizes)
    return (
        f"{TOWNS:,} towns, {cost.TOWN_TURNS:,} turns a month each on average (the largest {largest:.0f} times "
        f"that), {passed.turns / 1e6:.1f} million in all; {passed.announced:,} announcements to "
        f"{passed.receivers / 1e6:.1f} million receivers; {incidents} incidents; Viber away for "
        f"{VIBER_AWAY_MINUTES} of the busiest minutes. Seed {SEED}.\n"
    )


def _held_against_limits(passed: Month, know: Known) -> list[tuple[str, float, float]]:
    """What is used at the worst moment, and what AWS gives."""
    turn, peak, seconds = cost.counts()["plain turn, viber"], passed.busiest_second, _seconds()
    busy, owed = peak * seconds, _owed_while_away(passed)
    return [
        ("turns and receipts in the busiest second", 2 * peak, REQUESTS_A_SECOND_MAX),
        ("functions at work at once", busy + 4 * math.sqrt(busy), CONCURRENT_MAX),
        ("more of them within ten seconds", busy, CONCURRENT_IN_TEN_SECONDS_MAX),
        ("the same to bring out what waited for Viber", owed / RETRY_SECONDS * seconds, CONCURRENT_MAX),
        ("write units a second, conversations", peak * turn["writes"], NEW_TABLE_WRITES_MAX),
        ("read units a second, conversations", peak * 2 * turn["reads"], NEW_TABLE_READS_MAX),
        (
            "write units a second, hottest partition (of the index `due`)",
            peak * DUE_WRITES_A_TURN / DUE_SHARDS,
            PARTITION_WRITES_MAX,
        ),
        ("read units a second, hottest item (a town's pointer)", busy * SPARE / KEPT_SECONDS, PARTITION_READS_MAX),
        ("secrets a second", peak * know.tokens, PARAMETERS_A_SECOND_MAX),
        ("secrets a second, all processes new", surge(passed.sizes, peak), PARAMETERS_A_SECOND_MAX),
    ]


def _short(used: float) -> str:
    return f"{used:,.0f}" if used >= 10 else f"{used:.1f}"


def _busiest_hour(passed: Month) -> float:
    return max(sum(passed.minutes[hour * 60 : hour * 60 + 60]) for hour in range(HOURS)) / 3600


def _owed_while_away(passed: Month) -> float:
    """Viber falls silent in the fullest minutes; who writes meanwhile is owed an answer."""
    fullest = max(range(MINUTES), key=lambda minute: passed.minutes[minute])
    return sum(passed.minutes[max(0, fullest - VIBER_AWAY_MINUTES // 2) :][:VIBER_AWAY_MINUTES])


PAGE_WRITES, PAGE_SIZE = 11, 300  # an announcement's page: 300 ids of 9 kB written once, its state twice


def _bill(passed: Month, know: Known) -> str:
    price = cost.prices()
    rows = ["| the month's bill, USD | HTTP API | REST API |", "|---|---|---|"]
    settings = [cost.Setting.configured(entry) for entry in ("http", "rest")]
    read = price["dynamodb"]["million_reads"] / 1e6
    looks = passed.turns * (2 * know.looks + cost.counts()["town read anew"]["reads"] * know.read_anew) * read
    pages = passed.receivers / PAGE_SIZE * PAGE_WRITES * price["dynamodb"]["million_writes"] / 1e6
    sums = [0.0, 0.0]
    for what, amounts in (
        ("turns", [cost.thousand(each).total * passed.turns / 1000 for each in settings]),
        ("answers seen", [cost.receipts(each).total * passed.turns / 1000 for each in settings]),
        ("towns looked at and read anew", [looks, looks]),
        ("announcements, at AWS", [pages, pages]),
        ("the minute's round, key, alarms", [cost.minutes(TOWNS, each).total for each in settings]),
    ):
        rows.append(f"| {what} | {amounts[0]:,.2f} | {amounts[1]:,.2f} |")
        sums = [before + amount for before, amount in zip(sums, amounts, strict=True)]
    rows.append(f"| **in all** | **{sums[0]:,.2f}** | **{sums[1]:,.2f}** |")
    rows.append(f"| a town | {sums[0] / TOWNS:.2f} | {sums[1] / TOWNS:.2f} |")
    low = min(price["viber"]["message"][country][0] for country in price["viber"]["message"])
    fee = price["viber"]["bot_month"] * TOWNS
    return (
        "\n".join(rows)
        + f"\n\nViber's own: EUR {fee:,.0f} for as many new bots, and at least EUR {passed.receivers * low:,.0f} if "
        "every announced message is billed. That is what a town's message costs; the rest is small beside it."
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    text = tables()
    print(text)
    if not asked.dry:
        write_block(PERFORMANCE, "simulation", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
