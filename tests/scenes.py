"""What people do most, played once each with the meter on: what `make bench` prints and `./salter cost` counts with."""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib import wire
from chalicelib.actions import change_case, hear_receipt, known, work_outbox
from chalicelib.actions.draw_ids import new_reference
from chalicelib.actions.open_case import completed
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Follower, Refused
from chalicelib.storage import consents, keys, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.media import samples
from tests.media.host import MediaHost
from tests.meter import Meter
from tests.viber import callback, message
from tests.web import Visitor
from tests.world import World

SOON = Deadline(1e6)
TURNS = 50
TALKS, TALK_TURNS = 5, 6  # a usual conversation is short
BETWEEN_SECONDS = 40.0  # a person who writes on: slow enough not to be a flood
PERCENTILE = 0.95
NOTICE = 6_018_000_000_000_000_001  # the id Viber gives the message with the notice
ASKED = (
    "zdravo",
    "izvod iz matične knjige rođenih",
    "нема воде",
    "radno vreme",
    "meni",
    "hvala",
    "porez na imovinu",
)


@dataclass(frozen=True)
class Count:
    """What one act cost: calls to DynamoDB, its units, calls elsewhere, bytes of log."""

    requests: float
    reads: float
    writes: float
    viber: float = 0
    kms: float = 0
    sqs: float = 0
    ssm: float = 0
    s3: float = 0
    log_bytes: float = 0


@dataclass(frozen=True)
class Sizes:
    """Bytes of the conversation's item over the turns."""

    median: int
    p95: int


@dataclass(frozen=True)
class Counts:
    scenes: dict[str, Count]
    items: dict[str, Sizes]

    def written(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"


def counts(world: World, meter: Meter) -> Counts:
    """Play all scenes."""
    scenes: dict[str, Count] = {}
    items: dict[str, Sizes] = {}
    for channel, says in (("viber", _viber(world)), ("web", _web(world))):
        says("zdravo")
        meter.reset()
        with _log() as log:
            for turn in range(TURNS):
                world.now += BETWEEN_SECONDS
                says(f"{ASKED[turn % len(ASKED)]} {turn}")
        scenes[f"plain turn, {channel}"] = _count(meter, log, TURNS)
        items[channel] = _sizes(meter.item_sizes)
    for channel, opened in (("viber", _viber), ("web", _web)):
        talkers = [opened(world, f"talker{talk}") for talk in range(TALKS)]
        meter.reset()
        with _log() as log:
            for says in talkers:
                _talks(world, says)
        scenes[f"turn of a short talk, {channel}"] = _count(meter, log, TALKS * TALK_TURNS)
    with _photos() as link:
        for name, act in _single(world, link).items():
            meter.reset()
            with _log() as log:
                act()
            scenes[name] = _count(meter, log)
    return Counts(scenes, items)


def _talks(world: World, says: Callable[[str], Any]) -> None:
    for turn in range(TALK_TURNS):
        world.now += BETWEEN_SECONDS
        says(ASKED[turn])


@contextlib.contextmanager
def _photos() -> Iterator[str]:
    """Where a photo lies as Viber would have it."""
    host, hosts = MediaHost(), os.environ.get("VIBER_MEDIA_HOSTS")
    os.environ["VIBER_MEDIA_HOSTS"] = "127.0.0.1"
    yield host.link("/1.jpg", samples.photo())
    host.stop()
    os.environ.pop("VIBER_MEDIA_HOSTS")
    if hosts is not None:
        os.environ["VIBER_MEDIA_HOSTS"] = hosts


def _viber(world: World, citizen: str = "mira") -> Callable[[str], Any]:
    return lambda text: world.says(citizen, text)


def _web(world: World, visitor: str = "") -> Callable[[str], Any]:
    return Visitor(world).says


def _single(world: World, photo: str) -> dict[str, Callable[[], Any]]:
    """Acts by name; what must be there before each is there already."""
    repeated, visitor = message("jovo", "zdravo"), Visitor(world)
    world.calls(repeated)
    visitor.posts(id="again", type="text", text="zdravo")
    _until_summary(world, "ana")
    case = _followed_case(world, "vesna")
    world.now += 600
    return {
        "conversation opened, viber": lambda: world.calls(
            {"event": "conversation_started", "message_token": 7, "type": "open", "user": {"id": "new", "name": "N"}}
        ),
        "conversation opened, web": lambda: Visitor(world),
        "duplicate, viber": lambda: world.calls(repeated),
        "duplicate, web": lambda: visitor.posts(id="again", type="text", text="zdravo"),
        "forged": lambda: _forged(world),
        "receipt nobody waits for": lambda: world.calls({"event": "delivered", "message_token": 1, "user_id": "mira"}),
        "poll with nothing new": lambda: visitor.fetches("999999999999"),
        "photo sent, viber": lambda: world.calls(message("jovo", type="picture", media=photo)),
        "photo fetched and checked": lambda: _worked(world, "media"),
        "own cases looked up": lambda: world.says("vesna", "status predmeta"),
        "case filed, viber": lambda: world.says("ana", "pošalji"),
        "case's words indexed": lambda: _worked(world, "index_case"),
        "status changed, citizen told": lambda: _changed(world, case),
        "receipt that counts": lambda: _receipt(world, NOTICE),
        "receipt repeated elsewhere": lambda: _receipt(world, NOTICE),
        "receipt that came too late": lambda: _receipt(world, NOTICE - 1),
        "town read anew": lambda: _known_again(world, wholly=True),
        "town looked at again": lambda: _known_again(world, wholly=False),
    }


def _until_summary(world: World, citizen: str) -> None:
    """A report all but sent: what is left is to say yes."""
    said = world.says(citizen, "ne radi rasveta, Glavna 7")
    assert "Pošalji" in str(world.viber.sent[-1]) or "pošalj" in " ".join(said).lower(), said


def _followed_case(world: World, citizen: str) -> Case:
    world.says(citizen, "zdravo")
    who = Follower(world.account.id, citizen)
    agreed = consents.Consent(consents.CASES, True, int(world.now), "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(who.account, who.citizen), agreed, SOON)
    case = Case(world.slug, new_reference(world.town), "problem", "received", "Cev", 0, 0, owner=who, consent=True)
    return CaseStore(world.slug).add(completed(world.town, case, "citizen", world.now), SOON)


def _worked(world: World, kind: str) -> None:
    """The newest row of that kind is due. Finding it is the minute's round's business and not counted here."""
    wire.taps.remove(world.meter)
    due = [row for row in views.owed(world.slug) if row["kind"] == kind and row["state"] == "due"]
    row = max(due, key=lambda row: float(row["due_at"]))
    wire.taps.append(world.meter)
    work_outbox.work(keys.outbox(world.slug, row["id"]), world.now + 120, SOON)


def _forged(world: World) -> None:
    with contextlib.suppress(Refused):
        world.takes(callback("another-token", message("mira", "zdravo")))


def _changed(world: World, case: Case) -> None:
    event = Event(int(world.now), "staff:ana", status="in_progress")
    world.viber.otherwise = {"status": 0, "status_message": "ok", "message_token": NOTICE}
    change_case.change_case(world.town, case.reference, event, world.now, "holder", SOON)
    world.viber.otherwise = None


def _receipt(world: World, token: int) -> None:
    """A citizen opened the chat and saw the message; a process hears of it that has heard of none."""
    hear_receipt.forget()
    world.calls({"event": "seen", "timestamp": 1763700010000, "message_token": token, "user_id": "vesna"})


def _known_again(world: World, *, wholly: bool) -> None:
    """As a process that has not met the town yet, or has not looked at it for a minute."""
    if wholly:
        known._towns.pop(world.slug)
    else:
        known._towns[world.slug].until = 0
    known.town(world.slug, SOON)


def _count(meter: Meter, log: io.StringIO, times: int = 1) -> Count:
    of = {service: round(number / times, 3) for service, number in meter.requests.items()}
    return Count(
        requests=of.get("dynamodb", 0),
        reads=round(meter.reads / times, 3),
        writes=round(meter.writes / times, 3),
        viber=of.get("viber", 0),
        kms=of.get("kms", 0),
        sqs=of.get("sqs", 0),
        ssm=of.get("ssm", 0),
        s3=of.get("s3", 0),
        log_bytes=round(len(log.getvalue().encode()) / times, 1),
    )


def _sizes(sizes: list[int]) -> Sizes:
    ordered = sorted(sizes)
    return Sizes(int(statistics.median(ordered)), ordered[int(PERCENTILE * len(ordered))])


@contextlib.contextmanager
def _log() -> Iterator[io.StringIO]:
    """What the product writes to its log meanwhile."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        yield written
    sys.stdout.flush()


# --- what was promised ------------------------------------------------------------------------------------------------

ITEM_MEDIAN_MAX, ITEM_P95_MAX = 1536, 3072  # bytes
# Scene → at most so many requests to DynamoDB, read units, write units. Looking up own cases and the consent of whoever
# files one are questions of the dialogue to the store (`Need`): two requests at most, beside the turn's own.
BARS: dict[str, tuple[float, float, float]] = {
    "plain turn, viber": (3, 1, 6),
    "plain turn, web": (2, 1, 2),
    "conversation opened, viber": (1, 1, 0),
    "conversation opened, web": (1, 1, 0),
    "duplicate, viber": (1, 1, 0),
    "duplicate, web": (1, 1, 0),
    "forged": (0, 0, 0),
    "receipt nobody waits for": (0, 0, 0),
    "receipt that counts": (2, 1, 2),
    "receipt repeated elsewhere": (2, 1, 1),
    "receipt that came too late": (2, 2, 0),
    "poll with nothing new": (1, 1, 0),
    "turn of a short talk, viber": (3, 1, 6),
    "turn of a short talk, web": (2, 1, 2),
    "photo sent, viber": (4, 2, 16),
    "photo fetched and checked": (12, 8, 12),
    "own cases looked up": (5, 3, 6),
    "case filed, viber": (4, 2, 18),
    "case's words indexed": (20, 8, 22),
    "status changed, citizen told": (7, 4, 22),
    "town read anew": (2, 26, 0),
    "town looked at again": (1, 1, 0),
}
SIZE_TOLERANCE = 0.03  # a conversation's body is compressed: random ids in it make some bytes more or less
UNITS_TOLERANCE = 0.15  # and now and then an item passes a kilobyte a turn earlier or later


def complaints(counted: Counts) -> list[str]:
    """Where a count is above what was promised; a scene without a promise is one, too."""
    found = [f"{name}: nothing is promised" for name in counted.scenes.keys() - BARS.keys()]
    for name, (requests, reads, writes) in BARS.items():
        one = counted.scenes[name]
        for what, value, most in (
            ("requests", one.requests, requests),
            ("read units", one.reads, reads),
            ("write units", one.writes, writes),
            ("calls to KMS", one.kms, 0),
            ("calls to the Parameter Store", one.ssm, 0),
        ):
            if value > most:
                found.append(f"{name}: {value:g} {what}, promised are {most:g}")
    for channel, sizes in counted.items.items():
        if sizes.median > ITEM_MEDIAN_MAX or sizes.p95 > ITEM_P95_MAX:
            found.append(f"conversation on {channel}: {sizes}")
    return found


def differences(counted: Counts, written: dict[str, Any]) -> list[str]:
    """Where what was counted is no longer what was written down."""
    now = asdict(counted)
    found = [f"{name}: written down or counted, not both" for name in now["scenes"].keys() ^ written["scenes"].keys()]
    for name in now["scenes"].keys() & written["scenes"].keys():
        for what, value in now["scenes"][name].items():
            before = written["scenes"][name][what]
            if abs(value - before) > (UNITS_TOLERANCE if what in ("reads", "writes") and "turn" in name else 0):
                found.append(f"{name}: {what} {before:g} → {value:g}")
    for channel, sizes in now["items"].items():
        for what, value in sizes.items():
            if abs(value - written["items"][channel][what]) > SIZE_TOLERANCE * value:
                found.append(f"conversation on {channel}: {what} {written['items'][channel][what]} → {value}")
    return found


def table(counted: Counts) -> str:
    """For people: Markdown."""
    lines = [
        "| act | DynamoDB requests | read units | write units | promised | calls to Viber | log, bytes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in counted.scenes.items():
        bar = " / ".join(f"{most:g}" for most in BARS[name])
        units = f"{one.requests:g} | {one.reads:g} | {one.writes:g}"
        lines.append(f"| {name} | {units} | {bar} | {one.viber:g} | {one.log_bytes:g} |")
    sizes = "; ".join(f"{channel} {one.median:,} / {one.p95:,} bytes" for channel, one in counted.items.items())
    return (
        "\n".join([*lines, "", f"The conversation's item over {TURNS} turns, median / 95th percentile: {sizes}."])
        + "\n"
    )
