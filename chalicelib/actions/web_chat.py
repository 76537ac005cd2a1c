"""The web chat's requests: open a session, say something, fetch what came later, attach a file."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import known, our_links, speaking, uploads, web_pace
from chalicelib.actions.receive_message import NoTown, TooMany, TooOld, open_chat, receive_message
from chalicelib.channels import Request, channel
from chalicelib.channels.web import token as tokens
from chalicelib.channels.web.receive import body_of, session_of
from chalicelib.channels.web.send import as_json
from chalicelib.dialogue import handover, words
from chalicelib.language import catalogue
from chalicelib.model import CITIZEN, Account, Conversation, Entry, Inbound, Media, Message, Refused, Town, Voice
from chalicelib.patterns import pattern
from chalicelib.small_classes import replace
from chalicelib.storage import keys
from chalicelib.storage.conversations import ConversationStore
from chalicelib.understanding.understand import danger_of
from chalicelib.wire import Deadline

REQUEST_SECONDS = 3.5
_AFTER = pattern(r"\d{1,12}$")


def open_session(slug: str, request: Request, now: float) -> dict[str, Any]:
    """A new chat with a town: {"session", "token", "messages"}. Writes nothing."""
    deadline = Deadline(REQUEST_SECONDS)
    town, key = town_on_web(slug, deadline), our_links.key(deadline)
    data = body_of(request)
    web_pace.by_town(town, now, deadline)
    voice = _asked_voice(town, data.get("language"))
    context = data.get("context")
    session = tokens.Session(slug, token_hex(12), int(time.time()), voice)
    inbound = Inbound(
        id="started",
        citizen=session.id,
        event="started",
        language_hint=voice,
        context=context[:400] if isinstance(context, str) else "",
    )
    town, turn = open_chat(inbound, Account("web", slug, (slug,)), now, deadline)
    messages = [words.message(say, town, turn.voice, f"{number:012d}", now) for number, say in enumerate(turn.says)]
    return {"session": session.id, "token": tokens.issue(session, key), "messages": _json(messages, town)}


def post_message(slug: str, request: Request, now: float) -> dict[str, Any]:
    """A citizen's message: {"messages": the replies}, and a renewed token when the old one is more than a day old."""
    deadline = Deadline(REQUEST_SECONDS)
    town, key = town_on_web(slug, deadline), our_links.key(deadline)
    account = Account("web", slug, (slug,))
    inbound = channel("web").receive(request, account, key).inbound
    assert inbound is not None
    if not (inbound.kind == "text" and danger_of(inbound.text)):  # danger always has room
        web_pace.by_town(town, now, deadline)
    if inbound.media:
        inbound = replace(inbound, media=_arrived(town, inbound.citizen, inbound.media.url, deadline))
    try:
        answered = receive_message(inbound, account, now, token_hex(4), deadline)
    except TooOld as error:
        raise Refused(409, "too_old", "This message was answered long ago; its words are no longer kept.") from error
    except TooMany as error:
        raise Refused(429, "too_many", "Many messages in a short time; wait a minute.") from error
    except NoTown as error:
        raise Refused(404, "unknown_town", "There is no such town.") from error
    answer = {
        "messages": _json(
            [_worded(entry, answered.town, inbound.citizen, deadline) for entry in answered.replies], answered.town
        )
    }
    return answer | _renewed(request, slug, key)


def fetch_messages(slug: str, request: Request, now: float) -> dict[str, Any]:
    """What was said since `after`, or all that is kept: {"messages"}. One read."""
    deadline = Deadline(REQUEST_SECONDS)
    town, key = town_on_web(slug, deadline), our_links.key(deadline)
    session = session_of(request, slug, key)
    after = request.query.get("after", "")
    if after and not _AFTER.match(after):
        raise Refused(422, "bad_after", "after is the id of a message.", "after")
    conversation = ConversationStore(Account("web", slug, (slug,))).load(session.id, now, deadline)
    wanted = _since(town, conversation, int(after or 0), now, deadline) if conversation else ()
    return {"messages": _json([_worded(entry, town, session.id, deadline) for entry in wanted], town)} | _renewed(
        request, slug, key
    )


def _since(town: Town, conversation: Conversation, after: int, now: float, deadline: Deadline) -> tuple[Entry, ...]:
    """What was said after that; while a person is on the line the whole thread, read only where the log is too short
    for it."""
    log = conversation.log
    if handover.reference(conversation.state) and (not log or after < log[0].seq - 1):
        from chalicelib.storage import thread

        person = keys.person(conversation.account, conversation.citizen)
        known_from = log[0].seq if log else conversation.seq + 1
        earlier = [entry for entry in thread.since(town.slug, person, after, now, deadline) if entry.seq < known_from]
        log = (*earlier, *log)
    return tuple(entry for entry in log if entry.seq > after)


def attach(slug: str, request: Request, now: float) -> dict[str, Any]:
    """Announce a file: {"attachment", "upload": {"url", "fields"}}, a signed form straight to the bucket."""
    deadline = Deadline(REQUEST_SECONDS)
    town, key = town_on_web(slug, deadline), our_links.key(deadline)
    session = session_of(request, slug, key)
    web_pace.by_town(town, now, deadline)
    data = body_of(request)
    identifier, form = uploads.announced(town.slug, session.id, data.get("type"), data.get("size"))
    return {"attachment": identifier, "upload": form}


def look(slug: str, query: Mapping[str, str]) -> dict[str, Any]:
    """What the widget needs before anybody writes: names, colours, its texts in the voice asked for."""
    deadline = Deadline(REQUEST_SECONDS)
    town = town_on_web(slug, deadline)
    voice = words.spoken(
        town,
        _voice(_asked_voice(town, "-".join(filter(None, (query.get("language"), query.get("script"))))))
        or town.default_voice,
    )
    kept = words.latin_words(town)
    texts = {key: text for key, text in town.texts[voice.language].items() if key.startswith(("w_", "widget_"))}
    return {
        "tenant": slug,
        "name": words.name_of(town, voice),
        "bot": scripted(town.core["bot"], voice, kept),
        "colours": town.core["colours"],
        "language": voice.language,
        "script": voice.script,
        "languages": [
            {"id": entry["id"], "script": script, "label": entry["labels"][script]}
            for entry in town.core["languages"]
            for script in entry["scripts"]
        ],
        "texts": {key: scripted(text, voice, kept) for key, text in texts.items()},
        "links": {"privacy": f"/t/{slug}", "person": None},
    }


def origins(slug: str) -> list[str]:
    """The sites on which a town has its widget."""
    return list(town_on_web(slug, Deadline(REQUEST_SECONDS)).core["web"]["origins"])


# --- parts ------------------------------------------------------------------------------------------------------


def town_on_web(slug: str, deadline: Deadline) -> Town:
    """A town that has a chat on the web. Raises Refused for any other name."""
    town = known.town(slug, deadline) if re.fullmatch(r"[a-z][a-z0-9-]{1,39}", slug) else None
    if town is None or town.core["web"]["origins"] is None:
        raise Refused(404, "unknown_town", "There is no such town.")
    return town


def _asked_voice(town: Town, asked: Any) -> str:
    """`en`, `sr-cyrillic` or `sr-Cyrl` as a voice the town speaks, else nothing."""
    language, _, script = str(asked or "").partition("-")
    if language not in town.languages:
        return ""
    script = {"cyrl": "cyrillic", "latn": "latin"}.get(script.lower(), script.lower())
    return f"{language}-{script}" if script in town.scripts(language) else language


def _voice(name: str) -> Voice | None:
    language, _, script = name.partition("-")
    return Voice(language, script or "latin") if language else None


def scripted(text: Any, voice: Voice, kept: tuple[str, ...]) -> Any:
    if voice.script != "cyrillic":
        return text
    if isinstance(text, str):
        return catalogue.cyrillic(text, kept)
    return {form: catalogue.cyrillic(part, kept) for form, part in text.items()}


def _worded(entry: Entry, town: Town, citizen: str, deadline: Deadline) -> Message:
    """An entry as its citizen reads it."""
    identifier = f"{entry.seq:012d}"
    if entry.origin == CITIZEN or entry.say is None:
        return Message(identifier, entry.at, entry.origin, entry.text)
    say = speaking.in_clear(entry.say, town.slug, f"web:{town.slug}", citizen, deadline)
    return words.message(say, town, entry.voice or town.default_voice, identifier, entry.at, entry.origin)


def _json(messages: list[Message], town: Town) -> list[dict[str, Any]]:
    return [as_json(message, town.core["time_zone"]) for message in messages]


def _renewed(request: Request, slug: str, key: str) -> dict[str, str]:
    session = session_of(request, slug, key)
    if session.issued_at + tokens.RENEWED_AFTER_SECONDS > time.time():
        return {}
    return {"token": tokens.issue(replace(session, issued_at=int(time.time())), key)}


def _arrived(town: Town, session: str, identifier: str, deadline: Deadline) -> Media:
    """The uploaded object, looked at. Raises Refused 409 while it is not there."""
    source, kind, size = uploads.arrived(town.slug, session, identifier, "attachment", deadline)
    media = Media(kind, source, "", size)
    if kind != "photo":
        return media
    from chalicelib.actions import photo_place  # nobody else pays for it

    return photo_place.with_place(media, deadline)
