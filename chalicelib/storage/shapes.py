"""How a conversation lies in its item, and how it is read back: one shape version back, one ahead.

Numbers, keys and what indexes need are attributes; words, lane and counters are one packed body, because DynamoDB
bills by the kilobyte and a packed log costs half. A text is stored by its catalogue key, so a long sheet in the log
takes a few bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import astuple
from functools import lru_cache
from typing import Any

from chalicelib.model import BOT, Choice, Conversation, Entry, Lease, Line, Link, Owed, Say, SharedFile, Told, Voice
from chalicelib.storage import keys

SHAPE = 1
KEPT_DAYS = 30  # after the last message
NAMES_KEPT_MAX = 512  # of texts and choices, which a talk repeats
LANE_INSIDE_MAX = 12  # entries of the lane inside the item; younger ones lie beside it
_RING_ENTRY = struct.Struct(">8sI")


class UnknownShape(Exception):
    """An item of a shape this code does not know; deploy the newer code or migrate."""


def to_item(conversation: Conversation, day: str | None, expires: int) -> dict[str, Any]:
    """`day`: the town's date of the last activity, `expires`: epoch seconds after which nobody may read it."""
    pk = keys.conversation(conversation.account, conversation.citizen)
    due = _due(conversation)
    voice, lease = conversation.voice, conversation.lease
    return {
        "pk": pk,
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
        "ring": b"".join(_RING_ENTRY.pack(handled, at) for handled, at in conversation.ring) or None,
        "body": _pack_body(conversation),
        "lease_by": lease.holder if lease else None,
        "lease_until": int(lease.until) if lease else None,
        "due_shard": keys.due_shard(pk) if due is not None else None,
        "due_at": due,
        "day": keys.day(conversation.town, day) if day else None,
        "exp": expires,
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
    body = json.loads(zlib.decompress(item["body"])) if item.get("body") else {}
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
        log=tuple(entry_from(entry) for entry in body.get("log", ())),
        lane=tuple(owed_from(entry) for entry in body.get("lane", ())),
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
    written = _json(body)
    if conversation.log:
        written = f'{written[:-1]}{"," if body else ""}"log":{_written_log(conversation.log)}}}'
    return zlib.compress(written.encode("utf-8", "replace"), 6)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_last_log: tuple[tuple[Entry, ...], str] = ((), "[]")


def _written_log(log: tuple[Entry, ...]) -> str:
    """A log as JSON. What was sent is marked right after it was stored: the same log again, written once."""
    global _last_log
    last, written = _last_log
    if log is not last:
        written = _json([entry_data(entry) for entry in log])
        _last_log = (log, written)
    return written


def without_lane(item: Mapping[str, Any]) -> dict[str, Any]:
    """A conversation's item as it is if nothing is owed to the citizen and nobody is just sending them anything."""
    body = json.loads(zlib.decompress(item["body"])) if item.get("body") else {}
    kept = {name: value for name, value in body.items() if name not in ("lane", "parked")}
    packed = zlib.compress(_json(kept).encode("utf-8", "replace"), 6)
    left = {name: value for name, value in item.items() if name not in _OWING}
    return left | ({"body": packed} if kept else {"body": None})


_OWING = ("lease_by", "lease_until", "due_shard", "due_at", "body")


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
    )


def _plain_label(choice: Choice) -> bool:
    return choice.label.key == choice.id and not choice.label.args


def _choice(data: Any) -> Choice:
    return _plain_choice(data) if isinstance(data, str) else Choice(data[0], _line(data[1]))


@lru_cache(maxsize=NAMES_KEPT_MAX)
def _plain_choice(name: str) -> Choice:
    return Choice(name, Line(name))


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
