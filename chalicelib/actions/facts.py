"""Answers a step's questions to the world: at most two storage requests a turn, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.cases import helping, lifecycle, references
from chalicelib.channels import channel
from chalicelib.model import Conversation, Follower, Inbound, Need, Town
from chalicelib.storage import consents, keys, links, media, near, people, phones, staff, volunteers
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

OWN_CASES_SHOWN_MAX = 20
PHOTOS_LOOKED_AT_MAX = 25  # of problems close by: the others are offered without one
QUEUE_COUNTED_MAX = 100


def load(
    need: Need, town: Town, conversation: Conversation, inbound: Inbound, now: float, deadline: Deadline
) -> dict[str, Any]:
    """What `need` asks for, by name; a word may follow a colon (`near_problems:road`). Raises LookupError."""
    found: dict[str, Any] = {}
    for asked in need.what:
        name, _, word = asked.partition(":")
        found[name] = _LOADERS[name](town, conversation, word, now, deadline)
    return found


def _own_cases(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """The citizen's own cases on this account, newest first."""
    person = keys.person(conversation.account, conversation.citizen)
    return CaseStore(town.slug).own(person, deadline, OWN_CASES_SHOWN_MAX)


def _my_case(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """The case under a reference or file number, if this citizen opened or follows it or its access code follows
    a bar (`SO-7KM4-2A9|A2E4J6`); None for anything else, after the same requests whether it exists or not."""
    number, _, code = word.partition("|")
    store = CaseStore(town.slug)
    reference = references.normalise(number)
    case = store.load(reference, deadline) if reference else store.by_number(number, deadline)
    reference, stored = (case.reference, case.access_hash) if case else (number, "")
    fits = references.code_fits(reference, code, stored)
    asking = Follower(conversation.account, conversation.citizen)
    return case if case and (fits or asking in (case.owner, *case.followers)) else None


def _agreed(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """Whether this citizen's consent to notices is in force."""
    person = keys.person(conversation.account, conversation.citizen)
    return consents.is_live(town.slug, person, consents.CASES, deadline)


def _near_problems(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """Open problems of a category, the newest with a link to the small copy of their photo once that is checked."""
    from chalicelib.actions import show_media

    problems = near.newest(town.slug, word, now, deadline) if word else []
    wanted = [problem["photo"] for problem in problems[:PHOTOS_LOOKED_AT_MAX] if problem["photo"]]
    known = media.load_all(town.slug, wanted, now, deadline) if wanted else {}
    return [{**problem, "photo": show_media.shown_around(known.get(problem["photo"]))} for problem in problems]


def _link(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """What a one-time link leads to, while it may still be used: a slip's case; in a chat that can be sent reminders,
    a member of staff."""
    link = links.find(town.slug, word, now, deadline)
    if link and link.mail:
        pushes = channel(conversation.account.partition(":")[0]).PUSHES
        member = staff.load(town.slug, link.mail, deadline) if pushes else None
        return member if member and not member.disabled else None
    return CaseStore(town.slug).load(link.reference, deadline) if link else None


def _phone_cases(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """The open paper cases with this number on them that nobody has in a chat yet."""
    wanted = phones.references(town.slug, word, now, deadline)
    found = CaseStore(town.slug).several(wanted, deadline)
    return tuple(case for case in found if case.owner is None and case.kind == "administrative")


def _help(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """The request for help under a reference, if this citizen asked for it, has it, or got a card; else None."""
    reference = references.normalise(word)
    case = CaseStore(town.slug).load(reference, deadline) if reference else None
    if case is None or case.kind != helping.KIND:
        return None
    asking = Follower(conversation.account, conversation.citizen)
    if asking not in (case.owner, *helping.asked(case)):
        return None
    holds = case.call.get("holder") in (None, [asking.account, asking.citizen])
    if not (case.private and holds) or asking == case.owner:
        return case
    from chalicelib.actions import seal

    return seal.with_private(case, deadline)


def _volunteer(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    return volunteers.load(town.slug, Follower(conversation.account, conversation.citizen), deadline)


def _standing(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    return people.standing(town.slug, keys.person(conversation.account, conversation.citizen), now, deadline)


def _announced(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """What the town announced lately, newest first."""
    return AnnouncementStore(town.slug).news(now, deadline)


def _own_references(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    person = keys.person(conversation.account, conversation.citizen)
    return CaseStore(town.slug).own_references(person, deadline)


def _chat_queue(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """How many chats of an office nobody has taken yet; beyond the first page it is "that many at least"."""
    return len(CaseStore(town.slug).listed_apart("chat", QUEUE_COUNTED_MAX, deadline, desk=word))


def _chat_case(town: Town, conversation: Conversation, word: str, now: float, deadline: Deadline) -> Any:
    """The chat under a reference while it is open."""
    case = CaseStore(town.slug).load(word, deadline)
    return case if case and lifecycle.is_open(case) else None


Loader = Callable[[Town, Conversation, str, float, Deadline], Any]
_LOADERS: Mapping[str, Loader] = {
    "own_cases": _own_cases,
    "my_case": _my_case,
    "agreed": _agreed,
    "phone_cases": _phone_cases,
    "link": _link,
    "near_problems": _near_problems,
    "help": _help,
    "volunteer": _volunteer,
    "standing": _standing,
    "announced": _announced,
    "own_references": _own_references,
    "chat_queue": _chat_queue,
    "chat_case": _chat_case,
}
