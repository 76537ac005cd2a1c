"""What a member of staff does in a chat: take it over, answer, hand it to a colleague, close it.

Nothing here asks who may: the console and the command line look at role and office before they call. A chat is worked
by whoever has taken it; somebody else takes it over first, which its citizen and its history see.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.actions import talk
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.owe import Unreachable
from chalicelib.cases import lifecycle, notices
from chalicelib.cases.lifecycle import Event
from chalicelib.dialogue import chat, handover
from chalicelib.model import BOT, OPERATOR, Case, Conversation, Line, Refused, Say, Staff, Town
from chalicelib.services import operator
from chalicelib.small_classes import replace
from chalicelib.wire import Deadline

ANSWER_CHARS_MAX = 2000  # an answer stands in the conversation item until ten turns have passed
STAFF = "staff"


def take_over(town: Town, reference: str, staff: Staff, now: float, holder: str, deadline: Deadline) -> Case:
    """The chat is this person's now, and the citizen reads that somebody answers. Taking it twice says it once.

    Raises Refused (closed, left), as all verbs here do.
    """

    def decide(case: Case, conversation: Conversation) -> talk.Next | None:
        if _has(case, staff) and handover.reference(conversation.state) == reference:
            return None
        return _joined(town, _assigned(case, staff, staff.by, now), conversation, staff)

    return do(town, reference, decide, now, holder, deadline)


def hand_to(
    town: Town, reference: str, staff: Staff, colleague: Staff, now: float, holder: str, deadline: Deadline
) -> Case:
    """A colleague has the chat from here on."""

    def decide(case: Case, conversation: Conversation) -> talk.Next:
        check_own(case, staff)
        return _joined(town, _assigned(case, colleague, staff.by, now), conversation, colleague)

    return do(town, reference, decide, now, holder, deadline)


def answer(town: Town, reference: str, staff: Staff, text: str, now: float, holder: str, deadline: Deadline) -> Case:
    """Words to the citizen, as they are written."""
    text = text.strip()
    if not text:
        raise Refused(422, "no_text", "Write something.", "text")
    if len(text) > ANSWER_CHARS_MAX:
        raise Refused(422, "too_long", f"At most {ANSWER_CHARS_MAX} characters; send it in parts.", "text")

    def decide(case: Case, conversation: Conversation) -> talk.Next:
        check_own(case, staff)
        if handover.reference(conversation.state) != reference:
            raise Refused(409, "not_on_the_line", "Take the chat over again; the citizen talks to the bot.")
        said = Say(lines=(Line("raw", {"text": text}),), choices=chat.choices(handover.END))
        after = replace(case, updated_at=max(int(now), case.updated_at), fields={**case.fields, "last_from": OPERATOR})
        return talk.Next(after, conversation.state, ((OPERATOR, said),))

    return do(town, reference, decide, now, holder, deadline)


def close(town: Town, reference: str, staff: Staff, now: float, holder: str, deadline: Deadline) -> Case:
    """The chat is settled; the bot is back and says so, and asks for a rating that nobody must give."""

    def decide(case: Case, conversation: Conversation) -> talk.Next:
        check_own(case, staff)
        after = lifecycle.change(case, Event(int(now), staff.by, status="resolved"))
        lines = (Line("operator_left"), Line("operator_rate"))
        stars = operator.rating(str(town.core["operator"]), reference) if town.core.get("operator") else ()
        say = Say(lines=lines if stars else lines[:1], choices=(*stars, *chat.choices("menu")))
        return talk.Next(after, handover.ended(conversation.state), ((BOT, say),))

    return do(town, reference, decide, now, holder, deadline)


# --- parts ------------------------------------------------------------------------------------------------------


def do(
    town: Town,
    reference: str,
    decide: Callable[[Case, Conversation], talk.Next | None],
    now: float,
    holder: str,
    deadline: Deadline,
) -> Case:
    """The chat after `decide`; what keeps it from going on as something to be said to staff. Raises Refused."""
    try:
        return talk.go_on(town, reference, decide, now, holder, deadline)
    except NoCase as error:
        raise Refused(404, "unknown_case", "There is no such chat.") from error
    except Unreachable as error:
        raise Refused(409, "gone", "This citizen has left and can no longer be reached here.") from error


def _has(case: Case, staff: Staff) -> bool:
    return case.assignee is not None and case.assignee[:2] == (STAFF, staff.id)


def check_own(case: Case, staff: Staff) -> None:
    """Whether this person may speak in the chat. Raises Refused 409."""
    if not lifecycle.is_open(case):
        raise Refused(409, "closed", "This chat is closed.")
    if not _has(case, staff):
        raise Refused(409, "not_yours", "Somebody else has this chat, or nobody; take it over first.")


def _assigned(case: Case, to: Staff, by: str, now: float) -> Case:
    if not lifecycle.is_open(case):
        raise Refused(409, "closed", "This chat is closed.")
    wanted = "in_progress" if case.status != "in_progress" else ""
    return lifecycle.change(case, Event(int(now), by, status=wanted, assignee=(STAFF, to.id, to.name)))


def _joined(town: Town, case: Case, conversation: Conversation, staff: Staff) -> talk.Next:
    """The person on the line, by name or by office as the town chose."""
    entry = town.core["services"].get(town.core.get("operator") or "", {})
    named = entry.get("shows") == "name" and staff.name
    who: str | Line = staff.name if named else notices.unit(town.core, case.office)
    say = Say(lines=(Line("operator_joined_as", {"who": who}),), choices=chat.choices(handover.END))
    return talk.Next(case, handover.begun(conversation.state, case.reference), ((OPERATOR, say),))
