"""What people type about the case the last message spoke of, instead of pressing its buttons; in every language."""

from __future__ import annotations

from chalicelib.dialogue import own_words, slots
from chalicelib.dialogue.own_words import folded_words
from chalicelib.dialogue.slots import Heard
from chalicelib.language.folding import fold
from chalicelib.model import CASE_CHOICE, Conversation, Line, Say

WORDS_MAX = 8
RATING_WORDS_MAX = 3
STARS_MAX = 5
_SETTLED = tuple(
    fold(stem)
    for stem in """rešen rešil riješil poprav sređen sredil završen završil otklon uklon očišć očistil saniran urađen
    uradil fixed solved resolved repaired settled done behoben erledigt gelöst geloest repariert zgjidh rregullu
    riparu gati""".split()  # noqa: SIM905
)
_AS_BEFORE = tuple(
    f" {fold(phrase)} "
    for phrase in """i dalje|još uvek|još uvijek|ne radi|nije gotovo|still|not yet|immer noch|noch immer|noch nicht|
        ende|akoma""".split("|")  # noqa: SIM905
)
_NOT = folded_words("nije nisu nisam ne nema not no isn't isnt hasn't hasnt nicht nichts nuk ende s'është jo")
_WITHDRAWS = tuple(
    fold(stem)
    for stem in "povlačim povučem povući povuci povlačenje withdraw zurückzieh zurueckzieh tërheq terheq".split()  # noqa: SIM905
)
_STAR_SIGNS = "★⭐🌟"
_YES, _NO = ("btn_yes",), ("btn_no", "btn_new_report")


def meant(conversation: Conversation, heard: Heard) -> str | None:
    """The choice these words stand for, if the last message was about a case; None if they say something else."""
    say = last(conversation)
    if say is None or not heard.text:
        return None
    said = _yes_or_no(say, heard)
    if said or not say.case:
        return said
    if say.ask == "rating":
        rating = rating_in(heard)
        return f"{CASE_CHOICE}rate{rating}.{say.case}" if rating else None
    return _about_it(say, say.case, heard)


def last(conversation: Conversation) -> Say | None:
    """The last thing said to the citizen."""
    return next((entry.say for entry in reversed(conversation.log) if entry.say), None)


def rating_in(heard: Heard) -> int | None:
    """Stars or a figure from 1 to 5, in a message that is little else."""
    stars = sum(heard.text.count(sign) for sign in _STAR_SIGNS)
    if stars:
        return min(stars, STARS_MAX)
    if len(heard.text.split()) > RATING_WORDS_MAX:
        return None
    text = heard.text.partition("/")[0]
    figure = slots.Quantity(key="rating", ask=Line("rate_service"), label=Line("rate_service"), most=STARS_MAX)
    found = figure.take(heard.saying(text.rstrip(".! ")))
    return found if isinstance(found, int) else None


def _yes_or_no(say: Say, heard: Heard) -> str | None:
    """The button that "da" or "nein" means, where the last message asked for one of the two."""
    labels = {"yes": _YES, "no": _NO}.get(heard.command or "", ())
    return next((choice.id for choice in say.choices if choice.label.key in labels), None)


def _about_it(say: Say, reference: str, heard: Heard) -> str | None:
    spoken = own_words.folded(heard.text)
    if len(spoken) > WORDS_MAX or own_words.asks_something(heard.text):
        return None
    if _withdraws(spoken):
        return f"{CASE_CHOICE}withdraw.{reference}"
    offered = {choice.id for choice in say.choices}
    if f"{CASE_CHOICE}unfixed.{reference}" not in offered:
        return None
    settled, said = any(word.startswith(_SETTLED) for word in spoken), f" {' '.join(spoken)} "
    if any(phrase in said for phrase in _AS_BEFORE) or (settled and _NOT.intersection(spoken)):
        return f"{CASE_CHOICE}unfixed.{reference}"
    if settled:
        return f"{CASE_CHOICE}fixed.{reference}"
    alone = heard.text.strip(" .!").removesuffix("/5").isdecimal() or any(sign in heard.text for sign in _STAR_SIGNS)
    rating = rating_in(heard) if alone else None
    return f"{CASE_CHOICE}rate{rating}.{reference}" if rating else None


def _withdraws(spoken: list[str]) -> bool:
    """ "Povlačim prijavu", also the German verb in two parts."""
    apart = "zuruck" in spoken and any(word.startswith("zieh") for word in spoken)
    return apart or any(word.startswith(_WITHDRAWS) for word in spoken)
