"""A bot that serves several towns: a link, a button or the citizen's words say which one a message is for.

Until somebody has said so, the bot asks and does nothing else; but danger is answered at once.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.actions import known
from chalicelib.dialogue import binding, chat, forms, handover, towns, voices, words
from chalicelib.language import catalogue
from chalicelib.model import CITIZEN, CYRILLIC, Account, Choice, Conversation, Inbound, Line, Say, Town, Turn, Voice
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import aside
from chalicelib.understanding.understand import danger_of
from chalicelib.wire import Deadline

CHOICE = "town."
LIST = "towns"  # the choice that asks which town
TOWNS_SHOWN_MAX = 20
QUESTION = "town_choose"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a message leads: to `town` ("" for the one the citizen is with), or to the question which one it is
    (`asks`). `alone`: it says nothing more than that."""

    town: str = ""
    asks: bool = False
    alone: bool = False


STAY = Goal()


def goal(account: Account, stored: Conversation | None, inbound: Inbound) -> Goal:
    """Which town of the account a message is for."""
    if not is_shared(account):
        return STAY
    slug = named(account, inbound)
    if slug:
        return Goal(slug, alone=binding.context_of(inbound.context or inbound.choice) is None)
    if inbound.choice == LIST or inbound.choice.startswith(CHOICE):
        return Goal(asks=True)
    if inbound.town in account.towns:
        return Goal(inbound.town)
    decided = stored is not None and aside.is_decided(stored)
    said = _said(account, stored, inbound) if inbound.kind == "text" else None
    return said or (STAY if decided else Goal(asks=True))


def is_shared(account: Account) -> bool:
    return len(account.towns) > 1


def named(account: Account, inbound: Inbound) -> str | None:
    """The town that a deep link's context or a pressed button names, if the account serves it.

    A link names it by slug, or by number before the link's secret (`9.x8K…`), as the button of a slip's link does.
    """
    if not is_shared(account):
        return None
    linked = inbound.context or (binding.context_of(inbound.choice) or "")
    number = linked.partition(".")[0]
    for slug in account.towns:
        if number == slug or inbound.choice == CHOICE + slug or str(account.numbers.get(slug, "")) == number != "":
            return slug
    return None


def _said(account: Account, stored: Conversation | None, inbound: Inbound) -> Goal | None:
    """The town that is meant by a number of the list just shown, or by words."""
    pressed = _by_number(stored, inbound.text)
    if pressed:
        return goal(account, stored, replace(inbound, kind="choice", choice=pressed, text=""))
    wish = towns.wished(inbound.text, {slug: _spoken(account, slug) for slug in account.towns})
    if wish is None or (wish.town and not _may_be_meant(wish, stored)):
        return None
    return Goal(wish.town, asks=not wish.town, alone=wish.alone)


def _by_number(stored: Conversation | None, text: str) -> str | None:
    """The button with a town, or the way to the list, that a number typed stands for."""
    last = next((entry.say for entry in reversed(stored.log) if entry.say), None) if stored else None
    number = text.strip().rstrip(".)")
    if last is None or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    at = int(number) - 1
    choice = last.choices[at].id if 0 <= at < len(last.choices) else ""
    return choice if choice == LIST or choice.startswith(CHOICE) else None


def _may_be_meant(wish: towns.Wish, stored: Conversation | None) -> bool:
    """Whether a town's name means that town: in a form or to a person on the line it may be anything, and within a
    sentence it only counts until a town is chosen."""
    if stored is None or not aside.is_decided(stored) or wish.clear:
        return True
    last = next((entry.say for entry in reversed(stored.log) if entry.say), None)
    asked = last is not None and last.lines[:1] == (Line(QUESTION),)
    busy = forms.is_open(stored.state) or bool(handover.reference(stored.state))
    return wish.alone and wish.town != stored.town and (asked or not busy)


def _spoken(account: Account, slug: str) -> tuple[str, ...]:
    return tuple(account.spoken.get(slug, ())) or towns.names_of(slug, [account.names.get(slug, slug)])


# --- what is said -----------------------------------------------------------------------------------------------


def answer(
    goal: Goal,
    town: Town,
    account: Account,
    head: Conversation | None,
    before: Conversation,
    heard: Inbound,
    decide: Callable[[Inbound], Turn],
    deadline: Deadline,
    *,
    closed: bool,
) -> Turn:
    """The turn of a bot that serves several towns. `head` is the conversation as it was found, `before` as it is with
    `town`; `decide` is the town's own step. A town that is `closed` to this person greets nobody."""
    if goal.asks:
        return _ask(town, account, before, heard, deadline)
    comes_in = goal.alone and not closed
    turn = _come_in(town, account, head, before, heard, decide) if comes_in else decide(heard)
    return _with_way_out(turn)


def _ask(town: Town, account: Account, before: Conversation, heard: Inbound, deadline: Deadline) -> Turn:
    """The question; worded by `town`, which stands in until one is chosen. Danger is answered above it."""
    voice = voices.heard_in(town, before, heard)
    danger = danger_of(heard.text) if heard.kind == "text" else None
    urgent = _emergency(account, danger, voice, deadline) if danger else ()
    shown = account.towns[:TOWNS_SHOWN_MAX]
    question = Say((Line(QUESTION),), choices=tuple(_button(account, slug, voice) for slug in shown))
    chosen = bool(before.last_at) and aside.is_decided(before)
    state = before.state if chosen else {**before.state, aside.CHOOSING: True}
    return Turn((*urgent, question), voice, state, before.voice_chosen, counts=("choosing",))


def _emergency(account: Account, danger: str, voice: Voice, deadline: Deadline) -> tuple[Say, ...]:
    """The numbers of all the towns there are to choose from; those that have the same ones are named together."""
    by_numbers: dict[str, list[str]] = {}
    for slug in account.towns[:TOWNS_SHOWN_MAX]:
        town = known.town(slug, deadline)
        if town:
            numbers = words.line(Line("emergency_numbers"), town, words.spoken(town, voice))
            by_numbers.setdefault(numbers, []).append(_called(account, slug, voice))
    lines = [
        Line("raw", {"text": f"{', '.join(of)}: {numbers}" if len(by_numbers) > 1 else numbers})
        for numbers, of in by_numbers.items()
    ]
    return (Say((Line(f"emergency_{danger}"), *lines)),)


def _come_in(
    town: Town,
    account: Account,
    head: Conversation | None,
    before: Conversation,
    heard: Inbound,
    decide: Callable[[Inbound], Turn],
) -> Turn:
    """The first words of a town the citizen turned to: its greeting and the answer to what they wrote before they
    chose it, or what they were at when they left."""
    plain = replace(heard, kind="text", choice="", context="", text=_words_waiting(head, heard))
    if before.last_at:
        turn = decide(replace(plain, event="started", text=""))
        first, *rest = turn.says
        return replace(turn, says=(replace(first, lines=(Line("town_chosen"), *first.lines)), *rest))
    welcome = chat.welcome(town)
    if not plain.text:
        return Turn((welcome,), voices.heard_in(town, before, heard))
    turn = decide(replace(plain, event="message"))
    greeted = turn.says[0].lines[:1] == welcome.lines[:1]
    return turn if greeted else replace(turn, says=(replace(welcome, choices=()), *turn.says))


def _words_waiting(head: Conversation | None, heard: Inbound) -> str:
    """What somebody wrote last while the bot asked which town it is for; a chat just opened has room for a greeting."""
    if head is None or heard.event != "message" or not head.state.get(aside.CHOOSING):
        return ""
    said = (entry.text for entry in reversed(head.log) if entry.origin == CITIZEN)
    return next((text for text in said if text and not text.startswith("[")), "")


def _with_way_out(turn: Turn) -> Turn:
    """The turn; where it ends in the menu, with the way to another town in it."""
    if not turn.says or "emergency" not in [choice.id for choice in turn.says[-1].choices]:
        return turn
    *others, last = turn.says
    way = Choice(LIST, Line("btn_other_town"))
    return replace(turn, says=(*others, replace(last, choices=(*last.choices, way))))


def with_ways(say: Say, account: Account, town: str, current: str, voice: Voice) -> Say:
    """Words of a town the citizen is not with now: its own buttons, the way to it, and the way on where they are."""
    ways = tuple(_button(account, slug, voice) for slug in (town, current))
    return replace(say, choices=(*say.choices, *ways))


def kept_for_others(before: Conversation, after: Conversation) -> Conversation:
    """What other towns of the bot need outlives an erasure in this one: the address, what they owe beside the item. So
    no word of this town's stays with it."""
    return (
        replace(after, parked=before.parked, parked_from=before.parked_from, log=())
        if after.state.get(aside.ERASED)
        else after
    )


def _called(account: Account, slug: str, voice: Voice) -> str:
    """How a town is called on a button, in the script of `voice`."""
    name = account.names.get(slug, slug)
    return catalogue.cyrillic(name, ()) if voice.script == CYRILLIC else name


def _button(account: Account, slug: str, voice: Voice) -> Choice:
    return Choice(CHOICE + slug, Line("raw", {"text": _called(account, slug, voice)}))


def voice_in(town: Town, voice: Voice | None) -> Voice | None:
    """The voice of another town's conversation, as this town speaks it: a South Slavic language goes on as the
    town's own one, in the same script."""
    if voice is None or voice.language in town.languages:
        return words.spoken(town, voice) if voice else None
    native = town.native_language
    if voice.language in voices.SOUTH_SLAVIC and native in voices.SOUTH_SLAVIC:
        return voices.named(town, f"{native}-{voice.script}")
    return town.default_voice
