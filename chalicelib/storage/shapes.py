"""How a conversation lies in its item, and how it is read back: one shape version back, one ahead.

Numbers, keys and what indexes need are attributes; words, lane and counters are one packed body, because DynamoDB
bills by the kilobyte and a packed log costs half. A text is stored by its catalogue key, so a long sheet in the log
takes a few bytes. The body is JSON with each entry of the log on a line of its own: most of them are neither read nor
written anew in a turn. That a lane was sent stands beside the body, which need not be written again for it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import astuple
from functools import lru_cache
from itertools import chain
from typing import Any, cast

from chalicelib.compact_json import as_json, from_json
from chalicelib.model import (
    BOT,
    Choice,
    Conversation,
    Entry,
    Lease,
    Line,
    Link,
    Owed,
    Say,
    SharedFile,
    Told,
    Voice,
    own_choice,
)
from chalicelib.storage import keys

SHAPE = 1
KEPT_DAYS = 30  # after the last message
NAMES_KEPT_MAX = 512  # of texts and choices, which a talk repeats
LANE_INSIDE_MAX = 12  # entries of the lane inside the item; younger ones lie beside it
COMPRESSION_LEVEL, WINDOW_BITS, HASH_LEVEL = 6, 13, 5  # what is further back than 8 kB is not looked for
_RING_ENTRY_OF = "8sI"
_RING_ENTRY = struct.Struct(f">{_RING_ENTRY_OF}")


class UnknownShape(Exception):
    """An item of a shape this code does not know; deploy the newer code or migrate."""


def to_item(conversation: Conversation, day: str | None, expires: int) -> dict[str, Any]:
    """`day`: the town's date of the last activity, `expires`: epoch seconds after which nobody may read it."""
    voice, ring = conversation.voice, conversation.ring
    return {
        "pk": keys.conversation(conversation.account, conversation.citizen),
        "sk": keys.NOW,
        "shape": SHAPE,
        "town": conversation.town,
        "v": conversation.v,
        "seq": conversation.seq,
        "language": voice.language if voice else None,
        "script": voice.script if voice else None,
        "chosen": True if conversation.voice_chosen else None,
        "left": None if conversation.subscribed else True,
        "session_until": conversation.session_until or None,
        "started_at": conversation.started_at or None,
        "last_at": conversation.last_at or None,
        "ring": struct.pack(f">{_RING_ENTRY_OF * len(ring)}", *chain.from_iterable(ring)) or None,
        "body": _pack_body(conversation),
        **_lease_and_due(conversation),
        "day": keys.day(conversation.town, day) if day else None,
        "exp": expires,
    }


def marks(conversation: Conversation) -> dict[str, Any]:
    """The attributes, None: absent, that make of the item as it was the item as it is, if nobody but whoever sends what
    is owed has done anything since: they took the lane, or all of it was sent."""
    return {"sent": None if conversation.lane else True, **_lease_and_due(conversation)}


def _lease_and_due(conversation: Conversation) -> dict[str, Any]:
    due, lease = _due(conversation), conversation.lease
    return {
        "lease_by": lease.holder if lease else None,
        "lease_until": int(lease.until) if lease else None,
        "due_shard": keys.due_shard(keys.conversation(conversation.account, conversation.citizen))
        if due is not None
        else None,
        "due_at": due,
    }


def _due(conversation: Conversation) -> int | None:
    """When the sweeper should look: at once after a lease ran out, else when the head of the lane is due."""
    first = conversation.next_owed
    if first is None:
        return None
    if conversation.lease:
        return int(conversation.lease.until) + 1
    return int(-(-first.due_at // 1))


def from_item(item: Mapping[str, Any]) -> Conversation:
    """Raises UnknownShape for an item two or more shapes ahead."""
    if item.get("shape", SHAPE) > SHAPE + 1:
        raise UnknownShape(item["shape"])
    account, citizen = item["pk"].removeprefix("A#").split("#U#", 1)
    body, log = _unpack_body(item["body"]) if item.get("body") else ({}, ())
    lane = () if item.get("sent") else body.get("lane", ())
    ring = item.get("ring", b"")
    usable = len(ring) - len(ring) % _RING_ENTRY.size
    return Conversation(
        account=account,
        citizen=citizen,
        town=item["town"],
        v=item["v"],
        seq=item["seq"],
        voice=Voice(item["language"], item.get("script", "latin")) if item.get("language") else None,
        voice_chosen=bool(item.get("chosen", False)),
        subscribed=not item.get("left", False),
        session_until=item.get("session_until", 0),
        started_at=item.get("started_at", 0),
        last_at=item.get("last_at", 0),
        ring=tuple(_RING_ENTRY.iter_unpack(ring[:usable])),
        lease=Lease(item["lease_by"], item["lease_until"]) if item.get("lease_by") else None,
        log=log,
        lane=tuple(owed_from(entry) for entry in lane),
        parked=body.get("parked", 0),
        parked_from=body.get("parked_from", 0),
        told=tuple(Told(*entry) for entry in body.get("told", ())),
        state=body.get("state", {}),
        sealed=body.get("sealed", {}),
        counts=body.get("counts", {}),
    )


def _pack_body(conversation: Conversation) -> bytes | None:
    body: dict[str, Any] = {}
    if conversation.state:
        body["state"] = dict(conversation.state)
    if conversation.sealed:
        body["sealed"] = dict(conversation.sealed)
    if conversation.lane:
        body["lane"] = [owed_data(owed) for owed in conversation.lane]
    if conversation.parked:
        body["parked"] = conversation.parked
        body["parked_from"] = conversation.parked_from
    if conversation.told:
        body["told"] = [[told.id, told.town, told.reference, told.seq] for told in conversation.told]
    if conversation.counts:
        body["counts"] = {day: dict(counts) for day, counts in conversation.counts.items()}
    if not body and not conversation.log:
        return None
    written = as_json(body)
    if conversation.log:
        lines = ",\n".join(
            [entry.line if isinstance(entry, StoredEntry) else as_json(entry_data(entry)) for entry in conversation.log]
        )
        written = f"{written[:-1]}{',' if body else ''}{_LOG_BEGINS}{lines}\n]}}"
    return _compressed(written)


def _compressed(written: str) -> bytes:
    """As `zlib.compress` does it, with as much room as so few bytes can use: half of its time goes into making more."""
    squeezed = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, WINDOW_BITS, HASH_LEVEL)
    return squeezed.compress(written.encode("utf-8", "replace")) + squeezed.flush()


def _unpack_body(packed: bytes) -> tuple[dict[str, Any], tuple[Entry, ...]]:
    """Body and log. One that is not in lines, as it once was, is read all the same."""
    head, begins, rest = zlib.decompress(packed).decode().partition(_LOG_BEGINS)
    if begins:
        body = from_json(head.removesuffix(",") + "}")
        return body, cast("tuple[Entry, ...]", tuple(map(StoredEntry, rest.removesuffix("\n]}").split(",\n"))))
    body = from_json(head)
    return body, tuple(entry_from(entry) for entry in body.get("log", ()))


_LOG_BEGINS = '\n"log":[\n'  # JSON has no line ends inside of words, so what stands between two is one entry


class StoredEntry:
    """An entry as it lies in the log: taken apart only if somebody wants to know more than who spoke."""

    __slots__ = ("_entry", "line")

    def __init__(self, line: str) -> None:
        self.line = line
        self._entry: Entry | None = None

    @property
    def origin(self) -> str:
        return _ORIGINS[self.line.split(",", 3)[2][1]]  # as it stands there: "b"

    def whole(self) -> Entry:
        if self._entry is None:
            self._entry = entry_from(from_json(self.line))
        return self._entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole(), name)

    def __eq__(self, other: object) -> bool:
        return self.whole() == (other.whole() if isinstance(other, StoredEntry) else other)

    def __hash__(self) -> int:
        return hash(self.whole())

    def __repr__(self) -> str:
        return repr(self.whole())


def without_lane(item: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation's item as it is if nothing is owed to the citizen and nobody is just sending them anything."""
    body = json.loads(zlib.decompress(item["body"])) if item.get("body") else {}
    kept = {name: value for name, value in body.items() if name not in ("lane", "parked")}
    left = {name: value for name, value in item.items() if name not in _OWING}
    return left | {"body": _compressed(as_json(kept)) if kept else None}


_OWING = ("sent", "lease_by", "lease_until", "due_shard", "due_at", "body")


# --- the parts of the body --------------------------------------------------------------------------------------


def entry_data(entry: Entry) -> list[Any]:
    data: list[Any] = [entry.seq, entry.at, entry.origin[0], entry.turn, entry.text]
    if entry.say:
        data.append(say_data(entry.say))
        data.append(_voice_data(entry.voice) if entry.voice else "")
    return data


_ORIGINS = {"b": BOT, "c": "citizen", "o": "operator"}


def entry_from(data: list[Any]) -> Entry:
    seq, at, origin, turn, text, *rest = data
    say = say_from(rest[0]) if rest else None
    voice = _voice(rest[1]) if len(rest) > 1 and rest[1] else None
    return Entry(seq, at, _ORIGINS[origin], turn, text, say, voice)


def owed_data(owed: Owed) -> dict[str, Any]:
    data: dict[str, Any] = {
        "n": owed.seq,
        "s": say_data(owed.say),
        "v": _voice_data(owed.voice),
        "d": round(owed.due_at, 1),
    }
    optional = {"t": owed.tries, "p": owed.part, "e": owed.error, "x": owed.plain, "h": owed.held, "w": owed.town}
    return data | {name: value for name, value in optional.items() if value}


def owed_from(data: Mapping[str, Any]) -> Owed:
    return Owed(
        seq=data["n"],
        say=say_from(data["s"]),
        voice=_voice(data["v"]),
        due_at=data["d"],
        tries=data.get("t", 0),
        part=data.get("p", 0),
        error=data.get("e", ""),
        plain=data.get("x", False),
        held=data.get("h", False),
        town=data.get("w", ""),
    )


def _voice_data(voice: Voice) -> str:
    return f"{voice.language}-{voice.script}"


def _voice(data: str) -> Voice:
    language, script = data.split("-")
    return Voice(language, script)


def say_data(say: Say) -> dict[str, Any]:
    """A `Say` as JSON; a choice labelled by the text of its own id is just that id."""
    data: dict[str, Any] = {}
    if say.lines:
        data["l"] = [_line_data(line) for line in say.lines]
    if say.after:
        data["f"] = [_line_data(line) for line in say.after]
    if say.choices:
        data["c"] = [
            choice.id if _plain_label(choice) else [choice.id, _line_data(choice.label)] for choice in say.choices
        ]
    if say.ask:
        data["a"] = say.ask
    if say.link:
        data["u"] = [_line_data(say.link.label), say.link.url]
    if say.sheet:
        data["h"] = say.sheet
    if say.part:
        data["p"] = say.part
    if say.case:
        data["k"] = say.case
    if say.file:
        data["m"] = astuple(say.file)
    return data


def say_from(data: Mapping[str, Any]) -> Say:
    link = data.get("u")
    return Say(
        lines=tuple(_line(line) for line in data.get("l", ())),
        after=tuple(_line(line) for line in data.get("f", ())),
        choices=tuple(_choice(choice) for choice in data.get("c", ())),
        ask=data.get("a"),
        link=Link(_line(link[0]), link[1]) if link else None,
        sheet=data.get("h"),
        case=data.get("k"),
        file=SharedFile(*data["m"]) if "m" in data else None,
        part=data.get("p"),
    )


def _plain_label(choice: Choice) -> bool:
    return choice.label.key == choice.id and not choice.label.args


def _choice(data: Any) -> Choice:
    return own_choice(data) if isinstance(data, str) else Choice(data[0], _line(data[1]))


def _line_data(line: Line) -> Any:
    if not line.args:
        return line.key
    return [
        line.key,
        {name: {"l": _line_data(value)} if isinstance(value, Line) else value for name, value in line.args.items()},
    ]


def _line(data: Any) -> Line:
    if isinstance(data, str):
        return _plain_line(data)
    return Line(
        data[0], {name: _line(value["l"]) if isinstance(value, dict) else value for name, value in data[1].items()}
    )


_plain_line = lru_cache(maxsize=NAMES_KEPT_MAX)(Line)
