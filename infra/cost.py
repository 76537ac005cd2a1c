"""`./salter cost`: what the product costs on AWS, from counts (infra/counts.json) and prices (infra/prices.toml).

Nothing here is measured: the counts are `make bench`'s, the waits and prices stand in the price file with their source.
Free tiers are left out.
"""

from __future__ import annotations

import argparse
import functools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.pages import PERFORMANCE, ROOT, write_block

PRICES = Path(__file__).with_name("prices.toml")
COUNTS = Path(__file__).with_name("counts.json")
TOWN_TURNS = 42_000  # a month of a town of 85,000 whose bot is used as the busiest known one: 7,000 talks of 6 turns
TOWNS = (1, 10, 100, 1000)
ENTRIES = ("http", "rest", "function_url")
ARCHITECTURES = ("x86_64", "arm64")
# USD per 1,000 turns on the busiest known town's mix.
BARS = {"rest": 0.0105, "http": 0.008}
# What the messages of such a town are, and what each sets going.
MIX: dict[str, Mapping[str, float]] = {
    "plain": {"turn of a short talk, viber": 0.90},
    "repeated by Viber": {"duplicate, viber": 0.05},
    "with a photo": {"photo sent, viber": 0.04, "photo fetched and checked": 0.04},
    "files a case": {"case filed, viber": 0.01, "case's words indexed": 0.01},
}
LOOKS = ("duplicate, viber", "duplicate, web", "receipt", "poll", "forged")
FROM_THE_QUEUE = ("photo fetched and checked", "case's words indexed")
OBJECTS_OF_A_PHOTO = 2
TURNS_TO_PAY = 1000
MINUTES_A_MONTH = 60 * 24 * 30
# The minute's round: requests and read units whatever there is, and for each town (tests/actions/test_scale.py counts).
ROUND_FIXED, ROUND_A_TOWN = 28, 1.0
ROUND_READS_A_TOWN = 0.51  # a query of its own, and its line in the list of towns (4 KB a half unit)
ROUND_MILLISECONDS_A_TOWN = 6.0
STATIC = {"kms_key_month": 1, "custom_metric_month": 3}


@dataclass(frozen=True)
class Setting:
    """How it is installed."""

    entry: str = "http"
    architecture: str = "x86_64"
    megabytes: int = 1024

    @classmethod
    def configured(cls, entry: str = "http", architecture: str = "") -> Setting:
        """As .chalice/config.json says."""
        config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
        memory = config["lambda_functions"]["api_handler"]["lambda_memory_size"]
        return cls(entry, architecture or config["lambda_architecture"], memory)


@dataclass(frozen=True)
class Bill:
    """USD, by what they are paid for."""

    entry: float = 0
    functions: float = 0
    storage: float = 0
    others: float = 0

    @property
    def total(self) -> float:
        return self.entry + self.functions + self.storage + self.others

    def times(self, factor: float) -> Bill:
        return Bill(self.entry * factor, self.functions * factor, self.storage * factor, self.others * factor)

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            self.entry + other.entry,
            self.functions + other.functions,
            self.storage + other.storage,
            self.others + other.others,
        )


@functools.cache
def prices() -> Mapping[str, Any]:
    return tomllib.loads(PRICES.read_text(encoding="utf-8"))


@functools.cache
def counts() -> Mapping[str, Mapping[str, float]]:
    found: Mapping[str, Mapping[str, float]] = json.loads(COUNTS.read_text(encoding="utf-8"))["scenes"]
    return found


def act(name: str, setting: Setting) -> Bill:
    """One act of that name in the counts."""
    price, one = prices(), counts()[name]
    others = price["others"]
    queued = name in FROM_THE_QUEUE
    lines = one["log_bytes"] + price["billed_milliseconds"]["log_bytes_of_an_invocation"]
    queue = one["sqs"] + (2 if queued else 0)  # taking a message and deleting it
    objects = OBJECTS_OF_A_PHOTO if name.startswith("photo fetched") else 0
    return Bill(
        entry=0 if queued else price["entry"][setting.entry] / 1e6,
        functions=price["lambda"]["million_requests"] / 1e6
        + milliseconds(name, setting)
        / 1000
        * setting.megabytes
        / 1024
        * price["lambda"]["gb_second"][setting.architecture],
        storage=one["reads"] * price["dynamodb"]["million_reads"] / 1e6
        + one["writes"] * price["dynamodb"]["million_writes"] / 1e6,
        others=queue * others["million_queue_requests"] / 1e6
        + objects * others["million_s3_puts"] / 1e6
        + lines * others["gb_of_log"] / 1e9,
    )


def milliseconds(name: str, setting: Setting) -> float:
    """How long the function is billed for an act."""
    waits, one = prices()["billed_milliseconds"], counts()[name]
    cpu = waits["cpu_of_a_look"] if name.startswith(LOOKS) else waits["cpu_of_a_turn"]
    reading = min(one["reads"], one["requests"])
    return float(
        waits["around"]
        + cpu * max(1.0, waits["megabytes_of_one_cpu"] / setting.megabytes)
        + reading * waits["read"]
        + (one["requests"] - reading) * waits["write"]
        + one["viber"] * waits["viber"]
    )


def thousand(setting: Setting) -> Bill:
    """1,000 messages of citizens, as they are mixed."""
    bill = Bill()
    for acts in MIX.values():
        for name, share in acts.items():
            bill += act(name, setting).times(share * TURNS_TO_PAY)
    return bill


def receipts(setting: Setting) -> Bill:
    """What Viber tells of 1,000 messages being seen: apart, for it depends on whether people open the chat."""
    return act("receipt that came too late", setting).times(TURNS_TO_PAY)


def minutes(towns: int, setting: Setting) -> Bill:
    """A month of the minute's round, the queue's idle asking, the key and the alarms' metrics, whether or not anybody
    writes."""
    price = prices()
    seconds = (ROUND_FIXED + towns * ROUND_A_TOWN) * ROUND_MILLISECONDS_A_TOWN / 1000
    reads = ROUND_FIXED * 0.5 + towns * ROUND_READS_A_TOWN
    compute = seconds * 0.5 * price["lambda"]["gb_second"][setting.architecture]
    polls = 5 * 3 * MINUTES_A_MONTH  # five of Lambda's askers, each every 20 seconds
    return Bill(
        functions=MINUTES_A_MONTH * (compute + price["lambda"]["million_requests"] / 1e6),
        storage=MINUTES_A_MONTH * reads * price["dynamodb"]["million_reads"] / 1e6,
        others=polls * price["others"]["million_queue_requests"] / 1e6
        + sum(price["others"][name] * number for name, number in STATIC.items()),
    )


# --- words ------------------------------------------------------------------------------------------------------------


def tables(turns: int, architecture: str = "") -> str:
    """All of it, as Markdown."""
    price = prices()
    parts = [
        f"{price['source']} ({price['region']}, {price['as_of']}); {turns:,} turns a town and month; mix: 90% plain, "
        "5% repeated by Viber, 4% with a photo, 1% files a case; Lambda with "
        f"{Setting.configured().megabytes} MB; free tiers left out.\n",
        _per_thousand(architecture),
        _per_month(turns, architecture),
        _viber(turns),
        _instead(turns, architecture),
    ]
    return "\n".join(parts)


def _settings(architecture: str) -> list[Setting]:
    wanted = (architecture,) if architecture else ARCHITECTURES
    return [Setting.configured(entry, each) for entry in ENTRIES for each in wanted]


def _per_thousand(architecture: str) -> str:
    rows = [
        "| USD per 1,000 turns | entry | Lambda | DynamoDB | queue, S3, log | in all | bar | if every answer is seen |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for setting in _settings(architecture):
        bill = thousand(setting)
        bar = BARS.get(setting.entry, 0)
        rows.append(
            f"| {_name(setting)} | {bill.entry:.4f} | {bill.functions:.4f} | {bill.storage:.4f} | {bill.others:.4f} | "
            f"**{bill.total:.4f}** | {bar or '-'} | + {receipts(setting).total:.4f} |"
        )
    return "\n".join(rows) + "\n"


def month(towns: int, turns: int, setting: Setting) -> Bill:
    """A month of so many towns, answers seen and the minute's round included."""
    return (thousand(setting) + receipts(setting)).times(towns * turns / TURNS_TO_PAY) + minutes(towns, setting)


def _per_month(turns: int, architecture: str) -> str:
    head = " | ".join(f"{towns:,} town{'s' if towns > 1 else ''}" for towns in TOWNS)
    rows = [f"| USD a month, all in | {head} | nobody writes, 1 town |", "|---" * (len(TOWNS) + 2) + "|"]
    for setting in _settings(architecture):
        sums = " | ".join(f"{month(towns, turns, setting).total:,.2f}" for towns in TOWNS)
        rows.append(f"| {_name(setting)} | {sums} | {month(1, 0, setting).total:,.2f} |")
    return (
        "\n".join(rows)
        + "\n\nReading what processes do not know of their towns comes on top: cents up to 100 towns, about an "
        "eighth more for 1,000 (the simulated month below has it).\n"
    )


def _viber(turns: int) -> str:
    viber = prices()["viber"]
    fees = " | ".join(f"{viber['bot_month'] * towns:,.0f}" for towns in TOWNS)
    ranges = ", ".join(f"{country} {low}-{high}" for country, (low, high) in viber["message"].items())
    each = thousand(Setting.configured()).total / TURNS_TO_PAY
    lows = [low for low, _ in viber["message"].values()]
    return (
        f"Viber's own fees, {viber['currency']} a month for {', '.join(f'{towns:,}' for towns in TOWNS)} bots made "
        f"since February 2024: {fees.replace(' | ', ', ')}. Towns that share a bot share the fee. A message outside a "
        f"conversation costs {ranges} more (a range, not a quote); as much as {min(lows) / each:,.0f} turns or more.\n"
    )


def _instead(turns: int, architecture: str) -> str:
    ours = Setting.configured("http", architecture)
    rows = ["| instead, USD a month | 1 town | 10 | 100 | remark |", "|---|---|---|---|---|"]
    here = [month(towns, turns, ours).total for towns in TOWNS[:3]]
    rows.append(
        f"| this product ({_name(ours)}) | {' | '.join(f'{one:,.2f}' for one in here)} | without Viber's fees |"
    )
    for other in prices()["instead"]:
        spans = " | ".join(f"{low:,}" if low == high else f"{low:,}-{high:,}" for low, high in other["month"])
        rows.append(f"| {other['name']} | {spans} | {other['remark']} |")
    return "\n".join(rows) + "\n\n" + _cheaper(here) + "\n"


def _cheaper(here: list[float]) -> str:
    """Where another choice costs less, said plainly."""
    cheaper = [
        f"{other['name']} for {towns:,} town{'s' if towns > 1 else ''} ({low:,} against {ours:,.2f})"
        for other in prices()["instead"]
        for towns, (low, _), ours in zip(TOWNS, other["month"], here, strict=False)
        if low < ours
    ]
    if not cheaper:
        return "At these loads none of them is cheaper than this product's AWS bill, people's work not counted."
    return f"Cheaper than this product's AWS bill, people's work not counted: {'; '.join(cheaper)}."


def _name(setting: Setting) -> str:
    entry = {"http": "HTTP API", "rest": "REST API", "function_url": "function URL"}[setting.entry]
    return f"{entry}, {setting.architecture}"


# --- command line -----------------------------------------------------------------------------------------------------


def add_commands(commands: Any) -> None:
    """`./salter cost`."""
    command = commands.add_parser("cost", help="what it costs: per 1,000 turns, a town and month, 10 to 1,000 towns")
    command.add_argument("--turns", type=_turns, default=TOWN_TURNS, help="a town's turns in a month")
    command.add_argument("--arch", choices=ARCHITECTURES, default="", help="of the functions; without: both")
    command.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    command.set_defaults(run=_run, stage=None)


def _turns(written: str) -> int:
    turns = int(written)
    if not 0 <= turns <= 10**9:
        raise argparse.ArgumentTypeError("0 to 1,000,000,000 turns")
    return turns


def _run(parsed: argparse.Namespace) -> int:
    text = tables(parsed.turns, parsed.arch)
    print(text)
    if parsed.write:
        write_block(PERFORMANCE, "cost", text)
    return 0
