"""`make bench-notices`: what a month of notices costs when changes of a case come in bursts of three.

Prints a table and writes it into docs/performance.md. The month is played through the product's own change of a case
on the embedded AWS, the sweeper looks every minute, and a Viber of our own counts what it is given; no citizen writes
meanwhile, so every message is one that Viber bills.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalicelib.model import Account, Case, Town
from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, write_block

STAGE = "bench"
FIRST = 1_773_140_400.0
MONTH_SECONDS = 30 * 86400
BURST_PAUSE_SECONDS = (5, 110)  # between two changes of a burst
SWEEP_SECONDS, LOOKS = 60, 8
# A case's three bursts; the number of each change stands in its note, by which it is found again.
BURSTS: Sequence[Sequence[Mapping[str, str]]] = (
    (
        {"status": "in_progress", "official": "Službenik A"},
        {},
        {"status": "forwarded", "forwarded_to": "Druga služba"},
    ),
    ({"status": "in_progress"}, {"status": "awaiting_opinion", "awaiting_institution": "Zavod za zaštitu"}, {}),
    ({}, {"status": "in_progress"}, {"status": "resolved"}),
)
# What stands in the words for the citizen beside the note.
SAID = ("official", "forwarded_to", "awaiting_institution")


@dataclass(frozen=True)
class Change:
    """One change of the case of citizen `citizen`, at `at` seconds from the month's beginning."""

    at: float
    citizen: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Played:
    changes: int
    messages: int
    lost: int
    doubled: int


def month(chance: random.Random, cases: int) -> list[Change]:
    """A month in which each of `cases` changes in three bursts of three, in the order in which it happens."""
    changes: list[Change] = []
    for number in range(cases):
        days = sorted(chance.sample(range(29), len(BURSTS)))
        for day, burst in zip(days, BURSTS, strict=True):
            at = day * 86400 + chance.uniform(0, 36000)
            for event in burst:
                note = f"vest {len(changes):05}"
                changes.append(Change(at, f"citizen{number:04}", {**event, "public_note": note}))
                at += chance.uniform(*BURST_PAUSE_SECONDS)
    return sorted(changes, key=lambda change: change.at)


def play(town: Town, account: Account, changes: Sequence[Change], began: float) -> None:
    """Let it all happen from `began` on (epoch seconds), with the sweeper's look at each lane every minute."""
    from chalicelib.actions import change_case, sweep
    from chalicelib.cases.lifecycle import Event
    from chalicelib.wire import Deadline

    cases = {citizen: _filed(town, account, citizen, began) for citizen in {change.citizen for change in changes}}
    looks = [
        Change(change.at + SWEEP_SECONDS * minute, change.citizen, {})
        for change in changes
        for minute in range(1, LOOKS)
    ]
    for each in sorted([*changes, *looks], key=lambda change: change.at):
        now = began + each.at
        if each.event:
            event = Event(int(now), "staff:bench", **each.event)
            change_case.change_case(town, cases[each.citizen].reference, event, now, "bench", Deadline(60))
        else:
            sweep.ring(account.id, each.citizen, now, Deadline(60))


def _filed(town: Town, account: Account, citizen: str, now: float) -> Case:
    """A case of somebody who agreed to notices and has not written for long."""
    from chalicelib.actions.draw_ids import new_reference
    from chalicelib.actions.open_case import completed
    from chalicelib.model import Conversation, Follower, Voice
    from chalicelib.storage import consents, keys
    from chalicelib.storage.cases import CaseStore
    from chalicelib.storage.conversations import ConversationStore
    from chalicelib.wire import Deadline

    soon, who = Deadline(60), Follower(account.id, citizen)
    # Remembered to the month's end: forgetting is not what is measured here.
    talk = Conversation(account.id, citizen, town.slug, voice=Voice(town.default_voice.language, "latin"))
    ConversationStore(account).save(talk, now + MONTH_SECONDS, soon)
    agreed = consents.Consent(consents.CASES, True, int(now), "viber", "citizen", "consent_ask.1")
    consents.record(town.slug, keys.person(who.account, who.citizen), agreed, soon)
    case = Case(town.slug, new_reference(town), "problem", "received", "Voda", 0, 0, owner=who, consent=True)
    return CaseStore(town.slug).add(completed(town, case, "citizen", now), soon)


def counted(changes: Sequence[Change], said: Mapping[str, Sequence[str]]) -> Played:
    """How many messages told of `changes`, and how many facts of them nobody was told, or twice. `said`: by citizen."""
    lost = doubled = 0
    for change in changes:
        texts = said.get(change.citizen, ())
        where = [text for text in texts if change.event["public_note"] in text]
        doubled += len(where) > 1
        facts = [change.event[name] for name in SAID if name in change.event]
        lost += not where or not all(fact in where[0] for fact in facts)
    for citizen, texts in said.items():
        told = re.findall(r"vest \d+", " ".join(texts))
        wanted = [change.event["public_note"] for change in changes if change.citizen == citizen]
        lost += told != wanted  # out of order
    return Played(len(changes), sum(map(len, said.values())), lost, doubled)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    with _viber() as (url, said), tempfile.TemporaryDirectory() as folder:
        running = local_aws.start(Path(folder))
        try:
            local_aws.ensure_stack(running.endpoint, STAGE)
            os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
            os.environ["VIBER_API_URL"] = url
            rows = [_row(minutes, asked.cases, running.endpoint, said) for minutes in (0, 2, 5)]
        finally:
            local_aws.stop(Path(folder), running)
    head = (
        f"{asked.cases} cases, three bursts of three changes each, {BURST_PAUSE_SECONDS[0]} to "
        f"{BURST_PAUSE_SECONDS[1]} seconds apart; {platform.machine()}, Python {platform.python_version()}.\n\n"
        "| quiet window, minutes | changes | billable messages | messages a change | facts lost | said twice |\n"
        "|---|---|---|---|---|---|\n"
    )
    table = head + "\n".join(rows) + "\n"
    print(table)
    if not asked.dry:
        write_block(PERFORMANCE, "notices", table)
    return 0


def _row(minutes: int, cases: int, endpoint: str, said: dict[str, list[str]]) -> str:
    from chalicelib.actions import known
    from chalicelib.actions.publish_tenant import publish_tenant
    from chalicelib.wire import Deadline
    from infra import towns

    version = towns.compiled(towns.slugs()[0])
    slug, name = version["core"]["slug"], version["core"]["viber"]["account"]
    version["core"]["viber"]["quiet_minutes"] = minutes
    began = FIRST + minutes * 2 * MONTH_SECONDS
    publish_tenant(version, began, "live")
    parameter = f"/salter/{STAGE}/accounts/{name}/viber-token"
    local_aws.client("ssm", endpoint).put_parameter(Name=parameter, Type="SecureString", Value="bench", Overwrite=True)
    known.forget()
    town, account = known.town(slug, Deadline(5)), known.account("viber", name, Deadline(5))
    assert town is not None
    assert account is not None
    said.clear()
    changes = [
        Change(change.at, f"{change.citizen}-{minutes}", change.event) for change in month(random.Random(1), cases)
    ]
    play(town, account, changes, began)
    played = counted(changes, said)
    share = played.messages / played.changes
    return f"| {minutes} | {played.changes} | {played.messages} | {share:.2f} | {played.lost} | {played.doubled} |"


@contextmanager
def _viber() -> Iterator[tuple[str, dict[str, list[str]]]]:
    """A Viber that takes everything and remembers what it was given, by receiver."""
    said: dict[str, list[str]] = {}
    body = json.dumps({"status": 0, "status_message": "ok", "message_token": 6017000000000000100}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            said.setdefault(asked.get("receiver", ""), []).append(asked.get("text", ""))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/pa", said
    finally:
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
