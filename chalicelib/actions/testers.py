"""Who may try a town before it goes live: whoever opened the link that `./salter town tester` printed.

The link's context is signed and ends by itself; so many people may open it. Who did is remembered in the conversation,
on whichever channel it was opened, until the conversation is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from chalicelib import signed
from chalicelib.actions import our_links
from chalicelib.dialogue import closing
from chalicelib.model import Account, Conflict, Conversation, Town
from chalicelib.small_classes import replace
from chalicelib.storage import audit, dynamo, keys, register
from chalicelib.storage.audit import Act
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
VALID_DAYS = 14
VALID_DAYS_MAX = 90
PEOPLE = 20
PEOPLE_MAX = 200
MARK = "tester"
ADMIT_TRIES_MAX = 4


def new_link(slug: str, by: str, people: int, days: int, now: float, deadline: Deadline) -> str:
    """The context of a new link, good for so many people and days; it stands in the town's audit trail."""
    identifier, until = token_hex(8), int(now) + days * 86400
    pk = keys.tester_link(slug, identifier)
    link = {"pk": pk, "sk": keys.NOW, "shape": SHAPE, "v": 1, "people": people, "exp": until}
    link |= register.of_people(slug, pk)
    act = Act(now, by, "tester_link", identifier, {"people": people, "days": days})
    dynamo.transact([Write(TABLE, link, unique=True), audit.item(slug, act, token_hex(4))], deadline)
    return signed.sign(MARK, f"{slug}.{MARK}.{until}.{identifier}", our_links.key(deadline))


def admitted(
    context: str,
    conversation: Conversation,
    account: Account,
    town: Town,
    now: float,
    deadline: Deadline,
    beside: Sequence[Write] = (),
) -> tuple[Conversation, bool]:
    """The conversation of somebody who opened the chat with `context`: let in and stored so, if the link is good.

    `beside` is written with it: what a citizen leaves who comes from another town of the bot. Raises Conflict then, if
    somebody was faster.
    """
    identifier = _identifier(context, town.slug, now, deadline)
    store = ConversationStore(account, town.core["time_zone"])
    for _ in range(ADMIT_TRIES_MAX if identifier else 0):
        link = dynamo.get(TABLE, keys.tester_link(town.slug, identifier), keys.NOW, deadline)
        if link is None or link["exp"] <= now or link["people"] < 1:
            break
        used = Write(TABLE, link | {"people": link["people"] - 1, "v": link["v"] + 1}, expected_v=link["v"])
        after = replace(conversation, state=closing.as_tester(conversation.state, now))
        try:
            return store.save(after, now, deadline, [used, *beside]), True
        except Conflict:  # somebody else opened the link, or this person did twice
            if beside:
                raise
            conversation = store.load(conversation.citizen, now, deadline) or conversation
            conversation = replace(conversation, town=town.slug)
            if conversation.state.get(closing.TESTER):
                return conversation, True
    return conversation, False


def _identifier(context: str, slug: str, now: float, deadline: Deadline) -> str:
    """Which link of the town this is; "" for anything that is none, is forged, or has ended."""
    parts = context.split(".")
    if len(parts) != 5 or parts[:2] != [slug, MARK] or not parts[2].isascii() or not parts[2].isdigit():
        return ""
    good = signed.read(MARK, context, our_links.key(deadline)) is not None
    return parts[3] if good and int(parts[2]) > now else ""
