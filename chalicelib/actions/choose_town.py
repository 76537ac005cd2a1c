"""A bot that serves several towns: the link or the citizen says which; until then it asks and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.dialogue import binding, chat
from chalicelib.model import Account, Choice, Conversation, Inbound, Line, Say, Town, Turn

CHOOSING = "choosing"
CHOICE = "town."
TOWNS_SHOWN_MAX = 20


def named(account: Account, inbound: Inbound) -> str | None:
    """The town that a deep link's context or a pressed button names, if the account serves it.

    A link names it by slug, or by number before the link's secret (`9.x8K…`), as the button of a slip's link does.
    """
    if len(account.towns) < 2:
        return None
    linked = inbound.context or (binding.context_of(inbound.choice) or "")
    number = linked.partition(".")[0]
    for slug in account.towns:
        if slug in (number, inbound.choice.removeprefix(CHOICE)) or str(account.numbers.get(slug, "")) == number != "":
            return slug
    return None


def only_chosen(account: Account, inbound: Inbound) -> bool:
    """Whether this names a town and says nothing more: it is then greeted, and nothing is left to answer."""
    return named(account, inbound) is not None and binding.context_of(inbound.choice) is None


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
