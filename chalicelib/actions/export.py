"""Everything kept about one citizen, as a file to read and a file for computers, by a link that soon ends.

Work of an outbox row: the links arrive as messages of the conversation. The files' end is on record before they are.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex, token_urlsafe
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import known, seal, speaking
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.dialogue import words
from chalicelib.model import (
    BOT,
    CITIZEN,
    Account,
    Case,
    Conversation,
    Entry,
    Follower,
    Line,
    Link,
    Say,
    SendFailed,
    Town,
    Voice,
)
from chalicelib.storage import aws, dynamo, keys, outbox, people, thread, views, volunteers
from chalicelib.storage.cases import HISTORY_INSIDE_MAX, CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline

LINK_SECONDS = 3600
REMOVE = "forget_media"


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Write the files and owe the links. Who has left or erased everything meanwhile gets none."""
    channel, _, name = str(body["account"]).partition(":")
    published, account = known.town(town, deadline), known.account(channel, name, deadline)
    if published is None or account is None or town not in account.towns:
        raise SendFailed("no_town", retryable=True)
    store = ConversationStore(account)
    head = store.load(str(body["citizen"]), now, deadline)
    if head is None or not head.town:
        return
    conversation = store.with_town(head, town, now, deadline)
    if not conversation.subscribed:
        return
    voice = words.spoken(published, conversation.voice or published.default_voice)
    data = everything(published, conversation, now, deadline)
    files = (
        ("txt", "text/plain; charset=utf-8", readable(published, voice, data), "export_ready", "export_text_file"),
        ("json", "application/json", json.dumps(data, ensure_ascii=False, indent=1), "export_data", "export_json_file"),
    )
    until = _local(published, now + LINK_SECONDS)
    says = tuple(
        _say(town, conversation, ending, kind, text, (Line(told, {"time": until}), label), now, deadline)
        for ending, kind, text, told, label in files
    )
    _send(says, account, conversation, now, deadline)


def everything(town: Town, conversation: Conversation, now: float, deadline: Deadline) -> dict[str, Any]:
    """All that is stored of a citizen in a town, as JSON."""
    person = keys.person(conversation.account, conversation.citizen)
    store = CaseStore(town.slug)
    records = people.records(town.slug, person, now, deadline)
    followed = [case for one in people.read(records).followed if (case := store.load(one, deadline))]
    voice, private = conversation.voice, dict(seal.with_answers(conversation, deadline).opened)
    return {
        "town": town.core["names"][town.native_language],
        "at": _stamp(town, now),
        "conversation": {
            "channel": conversation.account.partition(":")[0],
            "id": conversation.citizen,
            "language": voice.language if voice else None,
            "script": voice.script if voice else None,
            "kept_until": _stamp(town, (conversation.last_at or now) + 30 * 86400),
            "counts": {day: dict(counts) for day, counts in conversation.counts.items()},
            "begun": dict(conversation.state) | ({"private": private} if private else {}),
            "said": [_said(town, _in_clear(town, conversation, entry, deadline)) for entry in conversation.log],
        },
        "thread": [
            _said(town, _in_clear(town, conversation, entry, deadline))
            for entry in thread.whole(town.slug, person, now, deadline)
        ],
        "cases": [_case(town, seal.with_private(case, deadline)) for case in _own_cases(store, person, deadline)],
        "followed": [{"reference": case.reference, "status": case.status} for case in followed],
        "records": [_record(town, item) for item in records],
        "volunteer": _volunteer(town, conversation, deadline),
        "undelivered": [
            {"kind": row.kind, "body": _body(town, views.body(row), deadline)}
            for row in views.dead_rows_of(town.slug, conversation.account, conversation.citizen)
        ],
    }


def _own_cases(store: CaseStore, person: str, deadline: Deadline) -> Iterator[Case]:
    """All that somebody opened, the newest first, each with its whole history."""
    for case in store.several(list(reversed(store.every_own(person, deadline))), deadline):
        more = len(case.history) >= HISTORY_INSIDE_MAX  # then older entries may stand beside it
        yield (store.load_whole(case.reference, deadline) or case) if more else case


def readable(town: Town, voice: Voice, data: Mapping[str, Any]) -> str:
    """The same as text, headings in the citizen's language."""
    parts = [
        (f"{words.line(Line('export_title'), town, voice)} · {data['town']} · {data['at']}", ()),
        (words.line(Line("export_talk"), town, voice), _talk_lines(data["conversation"]["said"])),
        (words.line(Line("export_thread"), town, voice), _talk_lines(data["thread"])),
        (words.line(Line("export_cases"), town, voice), _plain(data["cases"] + data["followed"])),
        (words.line(Line("export_records"), town, voice), _plain(data["records"])),
    ]
    if data["volunteer"]:
        parts.append((words.line(Line("vol_subject"), town, voice), _plain([data["volunteer"]])))
    kept = {name: value for name, value in data["conversation"].items() if name != "said"}
    parts.insert(1, (words.line(Line("my_data_conversation"), town, voice), _plain([kept])))
    return "\n\n".join("\n".join([title, *lines]) for title, lines in parts) + "\n"


def _talk_lines(said: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{one['at']}  {one['from']}: {one['text']}" for one in said]


def _plain(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line for entry in entries for line in (*_flat(entry), "")]


def _flat(value: Any, name: str = "") -> Iterator[str]:
    """Nested data as `name: value` lines; what is empty is left out."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value, 1):
            yield from _flat(part, f"{name}.{number}")
    elif value not in (None, "", 0, False):
        yield f"{name}: {value}"


def _body(town: Town, body: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
    """What could not be said or understood, as it was meant."""
    if "sealed" not in body:
        return dict(body)
    kept = {name: value for name, value in body.items() if name not in ("row", "sealed")}
    return kept | {"text": seal.text_of(body, town.slug, deadline)}


def _in_clear(town: Town, conversation: Conversation, entry: Entry, deadline: Deadline) -> Entry:
    if entry.say is None:
        return entry
    place = (town.slug, conversation.account, conversation.citizen)
    return entry.but(say=speaking.in_clear(entry.say, *place, deadline))


def _said(town: Town, entry: Entry) -> dict[str, Any]:
    text = entry.text
    if entry.origin != CITIZEN and entry.say:
        text = words.message(entry.say, town, entry.voice or town.default_voice, "", entry.at).text
    return {"at": _stamp(town, entry.at), "from": entry.origin, "text": text}


def _case(town: Town, case: Case) -> dict[str, Any]:
    """A case as its citizen may have it: the office's own notes are the office's."""
    place = case.place
    return {
        "reference": case.reference,
        "number": case.number,
        "kind": case.kind,
        "category": case.category,
        "status": case.status,
        "subject": case.subject,
        "office": case.office,
        "created_at": _stamp(town, case.created_at),
        "updated_at": _stamp(town, case.updated_at),
        "applicant": dict(case.applicant),
        "fields": dict(case.fields),
        "sealed": dict.fromkeys(case.sealed, "•••"),
        "place": [place.text, place.latitude, place.longitude] if place else None,
        "attachments": [{"type": file.type, "size": file.size} for file in case.attachments],
        "consent": case.consent,
        "history": [
            {"at": _stamp(town, entry.at), "event": entry.event, "status": entry.status}
            | ({"note": entry.note} if entry.public else {})
            for entry in case.history
        ],
    }


def _record(town: Town, item: Mapping[str, Any]) -> dict[str, Any]:
    names = ("given", "wording", "channel", "by", "settlement", "language", "script", "account", "citizen")
    kept = {name: item[name] for name in names if name in item}
    return {"what": item["sk"], "at": _stamp(town, item["at"]) if "at" in item else None} | kept


def _volunteer(town: Town, conversation: Conversation, deadline: Deadline) -> dict[str, Any]:
    """The profile of somebody who signed up to help; {} for whoever did not."""
    found = volunteers.load(town.slug, Follower(conversation.account, conversation.citizen), deadline)
    names = ("id", "name", "state", "phone", "mail", "areas", "days", "skills")
    return {name: getattr(found, name) for name in names} if found else {}


def _stamp(town: Town, at: float) -> str:
    return dt.datetime.fromtimestamp(at, ZoneInfo(town.core["time_zone"])).isoformat(timespec="minutes")


def _local(town: Town, at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, ZoneInfo(town.core['time_zone'])):%H:%M}"


# --- files ------------------------------------------------------------------------------------------------------


def _say(
    town: str,
    conversation: Conversation,
    ending: str,
    media_type: str,
    text: str,
    told: tuple[Line, str],
    now: float,
    deadline: Deadline,
) -> Say:
    """One file written, and the words that lead to it."""
    person = keys.person(conversation.account, conversation.citizen)
    key = f"{keys.exports(town, person)}{token_urlsafe(24)}.{ending}"
    end = outbox.write(town, REMOVE, {"key": key}, now, due_at=now + LINK_SECONDS)
    dynamo.put(outbox.TABLE, end.item, deadline)
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    aws.put_object(bucket, key, text.encode(), media_type, deadline)
    line, label = told
    return Say(lines=(line,), link=Link(Line(label), aws.object_link(bucket, key, LINK_SECONDS, as_file=True)))


def _send(says: tuple[Say, ...], account: Account, conversation: Conversation, now: float, deadline: Deadline) -> None:
    for say in says:
        try:
            owe(account, conversation.citizen, say, BOT, now, token_hex(4), deadline, town=conversation.town)
        except Unreachable:
            return
