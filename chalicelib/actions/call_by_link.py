"""The second way of a call for help: an e-mail, or an SMS where the town pays for it, with a link to a page.

It goes to a volunteer whose chat does not carry the card: left, refused by Viber, never bound to one, or not paid for
now. The link is signed and names town, request, round and the volunteer's place among those asked in it; it says
nothing of anybody and opens nothing once the round is over, the volunteer suspended or their links revoked. Whoever
stopped messages in a chat that still carries them is left in peace.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from zoneinfo import ZoneInfo

from chalicelib import signed
from chalicelib.actions import deliver, known, our_links, seal, second_way, speaking, work_outbox
from chalicelib.actions.notify import Notice
from chalicelib.cases import helping, moments, notices
from chalicelib.cases.helping import Tell
from chalicelib.channels import channel
from chalicelib.dialogue import words
from chalicelib.model import Case, Follower, Line, Say, Town, Voice, Volunteer
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, outbox, volunteers
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.understanding.entities.phones import phone_of
from chalicelib.wire import Deadline

PURPOSE = "help"
SUBJECT_CHARS_MAX = 120
# The link's content: town, reference without its hyphens, round, place among those asked, number of the volunteer's
# links, end in epoch seconds.
_CONTENT = pattern(r"([a-z][a-z0-9-]{1,39})\.([A-Z]{2}[A-Z0-9]{7})\.(\d{1,4})\.(\d{1,3})\.(\d{1,9})\.(\d{10,11})")


@dataclass(frozen=True, slots=True)
class Named:
    """What a link of ours says: `place` is the volunteer's among those asked in the round."""

    town: str
    reference: str
    round: int
    place: int
    links: int
    until: int


def read(token: str, deadline: Deadline) -> Named | None:
    """What a link names; None for what we did not sign. Raises Refused 503, Unavailable."""
    content = signed.read(PURPOSE, token, our_links.key(deadline))
    found = _CONTENT.fullmatch(content) if content else None
    return Named(found[1], found[2], *(int(part) for part in found.groups()[2:])) if found else None


def letter(town: Town, case: Case, tell: Tell, notice: Notice | None, now: float, deadline: Deadline) -> Write | None:
    """What must be written with an act so that a volunteer is told by another way than `notice`; None where the chat
    does, where there is no other way, and of what is not worth a letter."""
    if not _is_worth_it(case, tell) or _is_carried(notice, town, now, deadline):
        return None
    volunteer = volunteers.load(town.slug, tell.to, deadline)
    if (
        volunteer is None
        or volunteer.state != "approved"
        or (notice is None and _wants_peace(town, tell, now, deadline))
    ):
        return None
    key = tell.say.lines[0].key
    row = _card_row(case, tell.to) if key == helping.CARD_LINE else f"aid-{case.reference}-{token_hex(8)}"
    return _row(town, case, volunteer, tell.say, row, now, deadline)


def instead(slug: str, reference: str, to: Follower, say: Say, now: float, deadline: Deadline) -> None:
    """A card could not be delivered after all: send the link, once, as long as nobody has taken the request."""
    town, case = known.town(slug, deadline), CaseStore(slug).load(reference, deadline)
    if town is None or case is None or to not in helping.asked(case):
        return
    volunteer = volunteers.load(slug, to, deadline)
    wanted = volunteer is not None and helping.standing(case, volunteer) == "free"
    say = speaking.in_clear(say, slug, to.account, to.citizen, deadline)
    row = _row(town, case, volunteer, say, _card_row(case, to), now, deadline) if volunteer and wanted else None
    if row is None:
        return
    try:
        dynamo.transact([row], deadline)
    except Duplicate:
        return
    work_outbox.ring((row,), now, deadline)


# --- parts ------------------------------------------------------------------------------------------------------


def _is_carried(notice: Notice | None, town: Town, now: float, deadline: Deadline) -> bool:
    """Whether the chat carries these words: it rings on the phone, and free or at a price that the town pays now."""
    if notice is None or not channel(notice.account.channel).PUSHES:
        return False
    return notice.conversation.session_until > now or not deliver.saves(town, now, deadline)


def _is_worth_it(case: Case, tell: Tell) -> bool:
    key = tell.say.lines[0].key
    holds = case.call.get("holder") == [tell.to.account, tell.to.citizen]
    return key in helping.BY_LINK_LINES or (key == "aid_over" and holds)


def _wants_peace(town: Town, tell: Tell, now: float, deadline: Deadline) -> bool:
    """Whether the chat would carry it and the volunteer has stopped messages there."""
    kind, _, name = tell.to.account.partition(":")
    account = known.account(kind, name, deadline)
    return account is not None and second_way.is_here(account, town.slug, tell.to.citizen, now, deadline)


def _card_row(case: Case, to: Follower) -> str:
    """The row of a card's letter: one for each volunteer and round, whichever way it came to be needed."""
    return f"aid-{case.reference}-{helping.round_of(case)}-card-{helping.asked(case).index(to)}"


def _row(
    town: Town, case: Case, volunteer: Volunteer, say: Say, row: str, now: float, deadline: Deadline
) -> Write | None:
    phone = phone_of(volunteer.phone, str(town.core["country"])) if town.core.get("sms") else None
    if not volunteer.linked or not (volunteer.mail or phone):
        return None
    until = helping.link_until(case, now, ZoneInfo(town.core["time_zone"]))
    opens = say.lines[0].key in helping.OPEN_LINES
    link = _link(town, case, volunteer, until, deadline) if opens else ""
    if opens and not link:
        return None
    voice = words.spoken(town, volunteer.voice or town.default_voice)
    head, name = words.line(say.lines[0], town, voice).partition("\n")[0], words.name_of(town, voice)
    if volunteer.mail:
        text = words.message(notices.without_buttons(say), town, voice, "", now).text
        text = words.PARAGRAPH.join((text, *_way_in("aid_link_mail", link, until, town, voice), name))
        sealed = seal.closed_text(town.slug, row, text, deadline) if say.is_private else {"text": text}
        body = {"to": volunteer.mail, "subject": head[:SUBJECT_CHARS_MAX], **sealed}
        return outbox.write(town.slug, "email", body, now, row=row)
    said = (name, head, *_way_in("aid_link_sms", link, until, town, voice))
    return outbox.write(town.slug, "sms", {"to": phone, "text": "\n".join(said)}, now, row=row)


def _way_in(key: str, link: str, until: int, town: Town, voice: Voice) -> tuple[str, ...]:
    if not link:
        return ()
    values: Mapping[str, str | int | Line] = {"link": link, **moments.named(town.core, until)}
    return (words.line(Line(key, values), town, voice),)


def _link(town: Town, case: Case, volunteer: Volunteer, until: int, deadline: Deadline) -> str:
    """The whole address; "" where this installation does not know its own."""
    address = our_links.address(town.slug, deadline)
    if not address:
        return ""
    place = helping.asked(case).index(volunteer.at)
    parts = (town.slug, case.reference.replace("-", ""), helping.round_of(case), place, volunteer.links, until)
    return f"{address}/help/{signed.sign(PURPOSE, '.'.join(map(str, parts)), our_links.key(deadline))}"
