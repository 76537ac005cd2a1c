"""A bot that serves several towns: the link or the citizen says which; until then it asks and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.dialogue import chat
from chalicelib.model import Account, Choice, Conversation, Inbound, Line, Say, Town, Turn

CHOOSING = "choosing"
CHOICE = "town."
TOWNS_SHOWN_MAX = 20


def named(account: Account, inbound: Inbound) -> str | None:
    """The town that a deep link's context or a pressed button names, if the account serves it."""
    if len(account.towns) < 2:
        return None
    for name in (inbound.context.partition(".")[0], inbound.choice.removeprefix(CHOICE)):
        if name in account.towns:
            return name
    return None


def undecided(account: Account, stored: Conversation | None, inbound: Inbound) -> bool:
    """Whether nobody has said yet which town this conversation is with."""
    if len(account.towns) < 2 or named(account, inbound):
        return False
    return stored is None or not stored.town or bool(stored.state.get(CHOOSING))


def ask(town: Town, account: Account, names: Mapping[str, str], conversation: Conversation) -> Turn:
    """The question; worded by `town`, which stands in until one is chosen."""
    towns = account.towns[:TOWNS_SHOWN_MAX]
    choices = tuple(Choice(f"{CHOICE}{slug}", Line("raw", {"text": names.get(slug, slug)})) for slug in towns)
    voice = conversation.voice or town.default_voice
    return Turn((Say((Line("town_choose"),), choices=choices),), voice, {CHOOSING: True}, counts=("choosing",))


def greet(town: Town, conversation: Conversation) -> Turn:
    """The first words of the town just chosen."""
    return Turn((chat.welcome(town),), conversation.voice or town.default_voice)
