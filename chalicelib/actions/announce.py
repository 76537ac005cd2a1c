"""Announcements in people's hands: written, approved by a second person, stopped, resumed, looked at.

Everything that changes one is one transaction with its entry in the audit trail; sending itself is work of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import work_outbox
from chalicelib.actions.take_receipt import LATELY_KEPT_SECONDS
from chalicelib.cases import announcements as rules
from chalicelib.cases.announcements import NotNow, Progress
from chalicelib.dialogue import words
from chalicelib.language.folding import fold
from chalicelib.model import (
    LATIN,
    Announcement,
    Audience,
    Conflict,
    Line,
    PageState,
    Receiver,
    Refused,
    Say,
    SharedFile,
    Town,
    Unavailable,
    Voice,
)
from chalicelib.patterns import pattern
from chalicelib.services import news
from chalicelib.storage import audit, keys, outbox, people
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.dynamo import Write, transact
from chalicelib.wire import Deadline

CHANNELS = ("viber", "web")
CHANGE_TRIES_MAX = 4
AHEAD_DAYS_MAX = 366
KIND, PAGE_KIND = "announce", "announce_page"
RESEND, LEAVE = "resend", "leave"
_ID = pattern(r"[0-9a-zA-Z]{1,40}")
Beside = Callable[[Announcement], Sequence[Write]]


def draft(
    town: Town,
    text: dict[str, str],
    audience: Audience,
    at: int,
    by: str,
    now: float,
    deadline: Deadline,
    beside: Beside | None = None,
) -> Announcement:
    """A new draft with its receivers counted. Raises Refused 422, and whatever `beside` does."""
    checked, text, at = _asked(town, text, audience, at, now)
    receivers, calls = count(town, text, checked, deadline)
    new = Announcement(
        id=token_hex(8),
        tenant=town.slug,
        text=text,
        audience=checked,
        by=by,
        created_at=int(now),
        at=at,
        receivers=receivers,
        calls=calls,
    )
    store = AnnouncementStore(town.slug)
    record = _record(town, new, by, "announcement_written", now)
    transact([store.item(new), store.listed(new), record, *(beside(new) if beside else ())], deadline)
    return new


def rewrite(
    town: Town,
    identifier: str,
    text: dict[str, str],
    audience: Audience,
    at: int,
    by: str,
    seen: int,
    now: float,
    deadline: Deadline,
) -> Announcement:
    """Other words, another audience or time for a draft, over the version that was `seen`. Raises NotNow, Refused."""
    checked, text, at = _asked(town, text, audience, at, now)
    receivers, calls = count(town, text, checked, deadline)

    def change(found: Announcement) -> Announcement:
        return rules.rewritten(_as_seen(found, seen), text, checked, at, by, receivers, calls)

    return changed(town, identifier, change, by, "announcement_rewritten", now, deadline, None, None)


def approve(
    town: Town,
    identifier: str,
    by: str,
    now: float,
    deadline: Deadline,
    beside: Beside | None = None,
    seen: int | None = None,
    *,
    proved: bool,
    undo_seconds: int = 0,
) -> Announcement:
    """Approved; it leaves at its time. `seen`: this version and no other. Above the town's bound only somebody who has
    `proved` it, and not before `undo_seconds` have passed. Raises NotNow, Refused 404."""

    from chalicelib.actions import illustrate

    def change(found: Announcement) -> Announcement:
        found = illustrate.ready(found if seen is None else _as_seen(found, seen), now, deadline)
        receivers, _ = count(town, found.text, found.audience, deadline)
        total = sum(receivers.values())
        return rules.approved(found, by, total, bound(town), now, proved=proved, undo_seconds=undo_seconds)

    def row(after: Announcement) -> list[Write]:
        name, due = f"{KIND}-{after.id}-{after.v}", max(now, after.at, after.leaves_at)
        account = town.core["viber"]["account"]
        marked = [AnnouncementStore(town.slug).announcing_item(after, f"viber:{account}", due)] if account else []
        return [outbox.write(town.slug, KIND, {"id": after.id}, now, row=name, due_at=due), *marked]

    # The first phones report within a second: by then every process must know that the account announces.
    what, wait = "announcement_approved", LATELY_KEPT_SECONDS
    return changed(town, identifier, change, by, what, now, deadline, row, beside, wait)


def stop(
    town: Town, identifier: str, by: str, now: float, deadline: Deadline, beside: Beside | None = None
) -> Announcement:
    """No further page leaves. Raises NotNow, Refused 404."""
    store = AnnouncementStore(town.slug)

    def change(found: Announcement) -> Announcement:
        states = store.page_states(identifier, deadline) if found.began_at else {}
        return rules.stopped(found, tuple(states.values()))

    return changed(town, identifier, change, by, "announcement_stopped", now, deadline, None, beside)


def halt(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> Announcement:
    """What "Stop" on its page does: one that waits to leave is a draft again, of any other no further page leaves.
    Raises NotNow, Refused 404."""
    try:
        return changed(town, identifier, rules.taken_back, by, "announcement_taken_back", now, deadline, None)
    except NotNow:
        return stop(town, identifier, by, now, deadline)


def resume(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> Announcement:
    """A paused one goes on. Raises NotNow, Refused 404."""
    row = _row_of_round(town, now)
    return changed(town, identifier, rules.resumed, by, "announcement_resumed", now, deadline, row, None)


def decide(town: Town, identifier: str, n: int, what: str, by: str, now: float, deadline: Deadline) -> None:
    """A person's word about a page whose answer was lost: send it again, or leave it at that. Raises NotNow."""
    store = AnnouncementStore(town.slug)
    found = _found(store, identifier, deadline)
    shown = {state.n: state for state in progress(town, found, deadline).pages}
    stored = store.page_state(identifier, n, deadline)
    if n not in shown or shown[n].state != rules.UNCERTAIN or stored.state != rules.UNCERTAIN:
        raise NotNow("not_uncertain")
    record = _record(town, found, by, f"announcement_page_{what}", now, {"page": n})
    if what == LEAVE:
        transact([record], deadline)
        return
    waiting = store.page_item(found, PageState(n, skipped=0, v=stored.v))
    after = rules.again(found)
    rows = _row_of_round(town, now)(after)
    try:
        transact([store.item(after), waiting, record, *rows], deadline)
    except Conflict as error:
        raise NotNow("changed_meanwhile") from error
    work_outbox.ring(tuple(rows), now, deadline)


def progress(town: Town, found: Announcement, deadline: Deadline) -> Progress:
    """It as it stands now: two requests more once it was begun."""
    store = AnnouncementStore(town.slug)
    if not found.began_at:
        return rules.progress(found, {}, {})
    return rules.progress(found, store.page_states(found.id, deadline), store.got(found.id, deadline))


def load(town: Town, identifier: str, deadline: Deadline) -> Progress:
    """One announcement. Raises Refused 404."""
    return progress(town, _found(AnnouncementStore(town.slug), identifier, deadline), deadline)


def newest(town: Town, deadline: Deadline) -> list[Progress]:
    """The newest ones; those that have begun cost two requests each only while they may still change."""
    store = AnnouncementStore(town.slug)
    found = store.newest(deadline)
    moving = (rules.SENDING, rules.PAUSED)
    return [
        rules.progress(one, store.page_states(one.id, deadline) if one.state in moving else {}, {}) for one in found
    ]


def bound(town: Town) -> int:
    """With more receivers than this a second person approves."""
    return int(town.core.get("announcements", {}).get("second_person_above", rules.SECOND_PERSON_ABOVE))


def undo_seconds(town: Town) -> int:
    """For so long one with more receivers than that waits once it was approved on its page."""
    return 60 * int(town.core.get("announcements", {}).get("undo_minutes", rules.UNDO_MINUTES))


def price(town: Town, found: Announcement) -> dict[str, Any] | None:
    """What it costs at most by the town's own price list; None where there is none."""
    each = town.core["viber"].get("price")
    amount = rules.price(found.receivers, each["amount"] if each else None)
    return None if amount is None else {"amount": amount, "currency": each["currency"]}


# --- the audience -----------------------------------------------------------------------------------------------


def receivers(town: Town, audience: Audience, deadline: Deadline) -> list[Receiver]:
    """Everybody it is for, each once, in an order that says nothing about them."""
    found: dict[str, Receiver] = {}
    places = [*audience.settlements, people.WHOLE_TOWN] if audience.settlements else [""]
    for topic in audience.topics or topics(town):
        for place in places:
            for item in people.subscribers(town.slug, topic, place, deadline):
                if not _wanted(item, audience):
                    continue
                person = keys.person(item["account"], item["citizen"])
                before = found[person].topics if person in found else ()
                voice = Voice(item["language"], item.get("script") or LATIN)
                found[person] = Receiver(item["account"], item["citizen"], voice, (*before, topic))
    return [found[person] for person in sorted(found)]


def _wanted(item: dict[str, Any], audience: Audience) -> bool:
    channel = str(item["account"]).partition(":")[0]
    spoken_to = not audience.languages or item["language"] in audience.languages
    return spoken_to and (not audience.channels or channel in audience.channels)


def spoken(town: Town, text: Mapping[str, str], voice: Voice) -> tuple[Voice, str]:
    """In which voice somebody gets it, and in which words."""
    kept, native = words.latin_words(town), town.native_language
    language, _ = rules.wording(text, words.spoken(town, voice), native, kept)
    heard = words.spoken(town, Voice(language, voice.script))
    return heard, rules.wording(text, heard, native, kept)[1]


def say(town: Town, text: Mapping[str, str], voice: Voice, file: SharedFile | None = None) -> Say:
    """What a citizen reads, with the picture and the way out under it."""
    lines = (Line("raw", {"text": spoken(town, text, voice)[1]}), Line("unsubscribe_hint"))
    return Say(lines=lines, file=file)


def preview(town: Town, text: dict[str, str], now: float) -> list[tuple[Voice, str]]:
    """Every wording there is of it, exactly as it is sent."""
    text = _text(town, text)
    voices = [Voice(language, script) for language in text for script in town.scripts(language)]
    return [(voice, words.message(say(town, text, voice), town, voice, "", now).text) for voice in voices]


def count(town: Town, text: Mapping[str, str], audience: Audience, deadline: Deadline) -> tuple[dict[str, int], int]:
    """How many people it reaches by channel, and with how many calls to Viber."""
    found = receivers(town, audience, deadline)
    cut = rules.cut_up((one, spoken(town, text, one.voice)[0]) for one in found)
    sizes = {name: sum(page.size for page, _ in cut if page.channel == name) for name in CHANNELS}
    return {name: size for name, size in sizes.items() if size}, sum(page.channel == "viber" for page, _ in cut)


def topics(town: Town) -> tuple[str, ...]:
    """What can be subscribed to in this town."""
    service = news.service_of(town)
    return tuple(topic["id"] for topic in town.core["services"][service]["topics"]) if service else ()


def settlements(town: Town) -> dict[str, str]:
    """The town's settlements as subscriptions name them."""
    return {fold(name).replace(" ", "_"): name for name in town.core["settlements"]}


def _asked(
    town: Town, text: dict[str, str], audience: Audience, at: int, now: float
) -> tuple[Audience, dict[str, str], int]:
    """What somebody wrote, in the town's own names. Raises Refused 422."""
    if at > now + AHEAD_DAYS_MAX * 86400:
        raise Refused(422, "bad_time", f"At most {AHEAD_DAYS_MAX} days ahead.", "at")
    return _audience(town, audience), _text(town, text), max(0, at)


def _as_seen(found: Announcement, seen: int) -> Announcement:
    if found.v != seen:
        raise NotNow("changed_meanwhile")
    return found


def _audience(town: Town, asked: Audience) -> Audience:
    """What was asked for in the town's own names. Raises Refused 422."""
    places = settlements(town)
    named = tuple(fold(name).replace(" ", "_") for name in asked.settlements)
    for field, chosen, known in (
        ("topics", asked.topics, topics(town)),
        ("settlements", named, tuple(places)),
        ("languages", asked.languages, town.languages),
        ("channels", asked.channels, CHANNELS),
    ):
        if unknown := [one for one in chosen if one not in known]:
            raise Refused(422, f"unknown_{field}", f"{unknown[0]} is none of: {', '.join(known)}", f"audience.{field}")
    return Audience(*(tuple(dict.fromkeys(one)) for one in (asked.topics, named, asked.languages, asked.channels)))


def _text(town: Town, text: dict[str, str]) -> dict[str, str]:
    """The words by language. Raises Refused 422."""
    stripped = {language: written.strip() for language, written in text.items() if written.strip()}
    if not stripped:
        raise Refused(422, "no_text", "Write it in one language at least.", "text")
    for language, written in stripped.items():
        if language not in town.languages:
            raise Refused(422, "unknown_language", f"The town speaks {', '.join(town.languages)}.", f"text.{language}")
        if len(written) > rules.TEXT_CHARS_MAX:
            raise Refused(422, "too_long", f"At most {rules.TEXT_CHARS_MAX} characters.", f"text.{language}")
        if rules.PLACEHOLDER in written:
            raise Refused(422, "placeholder", "Viber would put something else there.", f"text.{language}")
    return stripped


# --- changing ---------------------------------------------------------------------------------------------------


def changed(
    town: Town,
    identifier: str,
    change: Callable[[Announcement], Announcement],
    by: str,
    what: str,
    now: float,
    deadline: Deadline,
    rows: Callable[[Announcement], list[Write]] | None,
    beside: Beside | None = None,
    wait: float = 0.0,
) -> Announcement:
    """Change it, with the entry in the trail, what is owed for it and what stands beside, in one transaction.

    `wait`: for so many seconds nobody rings for what is owed. Raises NotNow, Refused 404, Unavailable.
    """
    store = AnnouncementStore(town.slug)
    for _ in range(CHANGE_TRIES_MAX):
        after = change(_found(store, identifier, deadline))
        owed = rows(after) if rows else []
        writes = [store.item(after), _record(town, after, by, what, now), *owed]
        try:
            transact([*writes, *(beside(after) if beside else ())], deadline)
        except Conflict:
            continue
        work_outbox.ring(tuple(owed), now - wait, deadline)
        return after
    raise Unavailable("conflicts")


def _row_of_round(town: Town, now: float) -> Callable[[Announcement], list[Write]]:
    def rows(after: Announcement) -> list[Write]:
        name = f"{KIND}-{after.id}-{after.v}"
        return [outbox.write(town.slug, KIND, {"id": after.id}, now, row=name)]

    return rows


def _found(store: AnnouncementStore, identifier: str, deadline: Deadline) -> Announcement:
    found = store.load(identifier, deadline) if _ID.fullmatch(identifier) else None
    if found is None:
        raise Refused(404, "unknown_announcement", "There is no such announcement.")
    return found


def _record(
    town: Town, found: Announcement, by: str, what: str, now: float, detail: dict[str, Any] | None = None
) -> Write:
    told = detail or {"receivers": sum(found.receivers.values())}
    return audit.item(town.slug, audit.Act(now, by, what, found.id, told), token_hex(4))
