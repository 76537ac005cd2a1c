"""What no chat could carry goes another way: by e-mail, else by SMS where the town pays for it, else by a call.

Only for whoever opened the case or brought it to the counter, agreed to its notices and gave an address or a number.
The row is written down with what causes it and leaves by the outbox; the case's history says so.
"""

from __future__ import annotations

from secrets import token_hex

from chalicelib.actions import known, work_outbox
from chalicelib.cases import lifecycle, notices
from chalicelib.dialogue import words
from chalicelib.model import Account, Case, Say, Town
from chalicelib.storage import consents, dynamo, keys, outbox, told
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.understanding.entities.phones import phone_of
from chalicelib.wire import Deadline

SUBJECT_CHARS_MAX = 120
NOBODY = ""  # in place of a person: the applicant of a paper case that nobody has bound


def at_change(town: Town, case: Case, reached: bool, now: float, deadline: Deadline) -> list[Write]:
    """What must be written with a change its citizen cannot be told of in a chat: another way, or the call list.

    `reached`: the notice stands in their lane already. Who stopped notices and is still here is left in peace.
    """
    if reached or not case.consent or case.history[-1].by == lifecycle.CITIZEN:
        return []
    say = notices.notice(case, town.core)
    if say is None:
        return []
    if case.owner is None:
        agreed = consents.is_live(town.slug, keys.paper(case.reference), consents.CASES, deadline)
        rows = _rows(town, case, NOBODY, int(now), say, now) if agreed else []
        return rows or [_to_call(town, case, NOBODY, "chat", now)]
    person = keys.person(case.owner.account, case.owner.citizen)
    channel, _, name = case.owner.account.partition(":")
    account = known.account(channel, name, deadline)
    if account and is_here(account, town.slug, case.owner.citizen, now, deadline):
        return []
    agreed = consents.is_live(town.slug, person, consents.CASES, deadline)
    rows = _rows(town, case, person, int(now), say, now) if agreed else []
    return rows or [_to_call(town, case, person, channel, now)]


def instead(slug: str, reference: str, person: str, say: Say, now: float, deadline: Deadline) -> None:
    """A notice could not be delivered after all: send it another way, once, to whoever still agrees."""
    town, case = known.town(slug, deadline), CaseStore(slug).load(reference, deadline)
    if town is None or case is None or not case.consent or case.owner is None:
        return
    if person != keys.person(case.owner.account, case.owner.citizen):
        return  # somebody who only follows
    if not consents.is_live(slug, person, consents.CASES, deadline):
        return
    number = int.from_bytes(keys.handled(f"{reference} {say}")[:4])
    writes = tuple(_rows(town, case, person, number, say, now, row=f"{number:08x}"))
    if not writes:
        return
    try:
        dynamo.transact(writes, deadline)
    except Duplicate:
        return
    work_outbox.ring(writes, now, deadline)


def is_here(account: Account, town: str, citizen: str, now: float, deadline: Deadline) -> bool:
    """Whether this citizen is known in the chat and has not left it, and the chat still serves the town."""
    if town not in account.towns:
        return False
    store = ConversationStore(account)
    head = store.load(citizen, now, deadline)
    return head is not None and bool(head.town) and store.with_town(head, town, now, deadline).subscribed


def _to_call(town: Town, case: Case, person: str, channel: str, now: float) -> Write:
    return told.write(
        *(town.slug, case.reference, person, int(now)),
        state=told.FAILED,
        channel=channel,
        status=case.status,
        now=now,
    )


def _rows(
    town: Town, case: Case, person: str, number: int, say: Say, now: float, row: str | None = None
) -> list[Write]:
    """The row that carries the notice, and its place in the history; nothing where there is no other way.

    `row` names what must not be sent twice.
    """
    voice = words.spoken(town, case.voice or town.default_voice)
    head = words.line(say.lines[0], town, voice)
    mail = str(case.applicant.get("email") or case.fields.get("email") or "")
    phone = phone_of(case.applicant.get("phone", ""), str(town.core["country"])) if town.core.get("sms") else None
    if mail:
        text = words.message(notices.without_buttons(say), town, voice, "", now).text
        kind, body = "email", {"to": mail, "subject": head[:SUBJECT_CHARS_MAX], "text": text}
    elif phone:
        noted = [words.line(line, town, voice) for line in say.lines[1:] if line.key == "notice_note"]
        kind, body = "sms", {"to": phone, "text": "\n".join((words.name_of(town, voice), head, *noted))}
    else:
        return []
    row = f"notice-{case.reference}-{row or token_hex(8)}"
    entry = told.write(
        *(town.slug, case.reference, f"{person}.{kind}", number),
        state=told.SENT,
        channel=kind,
        status=case.status,
        now=now,
        listed=False,
    )
    return [outbox.write(town.slug, kind, body, now, row=row), entry]
