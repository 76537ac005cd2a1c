"""The step of a conversation: (town, conversation, inbound, facts) → Turn. Pure: same input, same turn.

A choice names what it does for good, so an old button is answered as what it says as long as that still exists.
An intent is another name for one or more choices (`routes` of the town); typed words and buttons meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.dialogue import chat
from chalicelib.language.detect import language_of
from chalicelib.language.scripts import script_of
from chalicelib.model import CYRILLIC, LATIN, Conversation, Facts, Inbound, Line, Need, Say, Town, Turn, Voice
from chalicelib.understanding.understand import Understood, understand

SAYS_MAX = 3
GUESSES_MAX = 3
SOUTH_SLAVIC = ("sr", "bs", "cnr")
TITLE_INTENT = "="


class Kind(Protocol):
    def answer(self, town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | Need | None: ...


Kinds = Callable[[str], Kind]

# Intents the bot itself answers, as choices; a town may route any of them elsewhere.
_OWN = {
    "chat.menu": "menu",
    "chat.operator": "person",
    "settings.language": "language",
}
_SAID = {"chat.thanks": "thanks", "chat.goodbye": "goodbye", "chat.complaint": "complaint_answer"}


def step(town: Town, conversation: Conversation, inbound: Inbound, facts: Facts, kinds: Kinds) -> Turn | Need:
    """What the bot says to `inbound`, and what it will remember. At most three messages, choices on the last only."""
    voice = _voice(town, conversation, inbound)
    if inbound.event != "message":
        return _opened(town, conversation, inbound, voice)
    if inbound.kind == "choice":
        return _on_choice(town, conversation, inbound, voice, facts, kinds)
    if inbound.kind in ("text", "link"):
        return _on_text(town, conversation, inbound, voice, facts, kinds)
    return _turn(conversation, voice, _other_kind(town, inbound.kind))


# --- opening ----------------------------------------------------------------------------------------------------


def _opened(town: Town, conversation: Conversation, inbound: Inbound, voice: Voice) -> Turn:
    """A chat was opened or followed. Who has talked to us before gets the menu, not a second greeting."""
    say = chat.menu(town) if conversation.seq else chat.welcome(town)
    return _turn(conversation, voice, say)


# --- choices ----------------------------------------------------------------------------------------------------


def _on_choice(
    town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds
) -> Turn | Need:
    choice = inbound.choice
    if choice.startswith("language."):
        chosen = _offered_voice(town, choice.removeprefix("language."))
        if chosen:
            turn = _turn(conversation, chosen, chat.said("language_changed", town))
            return replace(turn, voice_chosen=True)
    says = _follow(town, choice, facts, kinds)
    if isinstance(says, Need):
        return says
    return _turn(conversation, voice, *(says or (chat.menu(town),)))


def _offered_voice(town: Town, name: str) -> Voice | None:
    language, _, script = name.partition("-")
    scripts = town.scripts(language)
    if not scripts:
        return None
    return Voice(language, script if script in scripts else scripts[0])


def _follow(town: Town, choice: str, facts: Facts, kinds: Kinds) -> tuple[Say, ...] | Need | None:
    """What a choice says; None if the town has no such choice."""
    if choice == "menu":
        return (chat.menu(town),)
    if choice == "language":
        return (chat.languages(town),)
    if choice == "emergency":
        return (chat.emergency(town, None),)
    if choice == "person":
        return _person(town, facts, kinds)
    name, page = _page(choice)
    service, _, item = name.partition(".")
    declared = town.core["services"].get(service)
    return kinds(declared["kind"]).answer(town, service, item, page, facts) if declared else None


def _page(choice: str) -> tuple[str, int]:
    name, _, page = choice.partition("~")
    return name, int(page) if page.isdigit() and len(page) < 4 else 1


def _person(town: Town, facts: Facts, kinds: Kinds) -> tuple[Say, ...] | Need | None:
    """How to reach a person: the office's line and hours, after the word that a program answers here."""
    says = _follow(town, town.core["person"], facts, kinds)
    if not says or isinstance(says, Need):
        return says
    return (replace(says[0], lines=(Line("person_intro"), *says[0].lines)), *says[1:])


# --- words ------------------------------------------------------------------------------------------------------


def _on_text(
    town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds
) -> Turn | Need:
    if not inbound.text.strip():
        return _turn(conversation, voice, chat.menu(town))
    understood = understand(inbound.text, town.index)
    if understood.danger:
        return _turn(conversation, voice, chat.emergency(town, understood.danger), counts=("emergency",))
    picked = _spoken_choice(town, conversation, inbound.text)
    if picked:
        return _on_choice(town, conversation, replace(inbound, kind="choice", choice=picked), voice, facts, kinds)
    if understood.decision == "unknown":
        return _turn(conversation, voice, chat.not_understood(town), counts=("unknown",))
    intent = understood.intents[0][0]
    if (intent in _SAID or intent == "chat.greeting") and understood.decision == "answer":
        return _turn(conversation, voice, _small_talk(town, conversation, intent))
    choices = _candidates(town, understood)
    if not choices:
        return _turn(conversation, voice, chat.not_offered(["person"]), counts=("not_offered",))
    if len(choices) > 1:
        return _turn(conversation, voice, chat.did_you_mean(choices), counts=("guessed",))
    says = _follow(town, choices[0], facts, kinds)
    if isinstance(says, Need):
        return says
    return _turn(conversation, voice, *(says or (chat.menu(town),)))


def _small_talk(town: Town, conversation: Conversation, intent: str) -> Say:
    if intent == "chat.greeting":
        return chat.welcome(town)
    return chat.said(_SAID[intent], town)


def _candidates(town: Town, understood: Understood) -> list[str]:
    """The choices the message may mean: all of the best intent's when sure, else of the best three."""
    intents = [intent for intent, _ in understood.intents]
    if understood.decision == "answer":
        intents = intents[:1]
    choices: list[str] = []
    for intent in intents:
        for choice in _routes(town, intent):
            if choice not in choices:
                choices.append(choice)
    return choices[:GUESSES_MAX]


def _routes(town: Town, intent: str) -> list[str]:
    if intent.startswith(TITLE_INTENT):
        return [intent.removeprefix(TITLE_INTENT)]
    routes: Mapping[str, Any] = town.core["routes"]
    if intent in routes:
        return list(routes[intent])
    if intent in _OWN:
        return [_OWN[intent]]
    return _family_routes(town, intent)


def _family_routes(town: Town, intent: str) -> list[str]:
    """Where a town says nothing of an intent: the list its family belongs to."""
    family = intent.partition(".")[0]
    kind = {"doc": "procedures", "info": "procedures", "contact": "contacts"}.get(family)
    return [service for service, entry in town.core["services"].items() if entry["kind"] == kind][:1]


def _spoken_choice(town: Town, conversation: Conversation, text: str) -> str | None:
    """A choice of the last message typed as it is labelled, or by its number ("2", "2.")."""
    last = next((entry for entry in reversed(conversation.log) if entry.say), None)
    if last is None or last.say is None or not last.say.choices:
        return None
    number = text.strip().rstrip(".)")
    if number.isdigit() and 1 <= int(number[:3]) <= len(last.say.choices) and len(number) < 3:
        return last.say.choices[int(number) - 1].id
    return None


# --- everything else --------------------------------------------------------------------------------------------


def _other_kind(town: Town, kind: str) -> Say:
    key = {
        "attachment": "media_not_forwarded",
        "location": "place_not_forwarded",
        "phone": "phone_not_needed",
        "contact": "phone_not_needed",
        "sticker": "menu_title",
        "empty": "menu_title",
    }.get(kind, "message_unsupported")
    if key in ("media_not_forwarded", "place_not_forwarded"):
        contacts = [service for service, entry in town.core["services"].items() if entry["kind"] == "contacts"]
        return Say(lines=(Line(key),), choices=chat.choices(*contacts, "person", "menu"))
    return chat.said(key, town)


# --- voice ------------------------------------------------------------------------------------------------------


def _voice(town: Town, conversation: Conversation, inbound: Inbound) -> Voice:
    """The voice to answer in: a chosen one sticks; otherwise as the citizen writes now, else as before."""
    current = conversation.voice or _first_voice(town, inbound)
    if conversation.voice_chosen or inbound.event != "message" or inbound.kind not in ("text", "link"):
        return current
    family = language_of(inbound.text, town.index["languages"])
    script = script_of(inbound.text)
    language = _language(town, current, family)
    scripts = town.scripts(language)
    if script in scripts:
        return Voice(language, script)
    return Voice(language, current.script if current.script in scripts else scripts[0])


def _language(town: Town, current: Voice, family: str | None) -> str:
    if family is None:
        return current.language
    if family != "sr":
        return family if family in town.languages else current.language
    return current.language if current.language in SOUTH_SLAVIC else town.native_language


def _first_voice(town: Town, inbound: Inbound) -> Voice:
    """Before a word is written: the device's language, if it is one the town speaks beside its own."""
    language, _, rest = inbound.language_hint.lower().partition("-")
    if language in town.languages:
        script = CYRILLIC if rest in ("cyrillic", "cyrl") else LATIN
        return _offered_voice(town, f"{language}-{script}") or town.default_voice
    return town.default_voice


def _turn(conversation: Conversation, voice: Voice, *says: Say, counts: tuple[str, ...] = ()) -> Turn:
    return Turn(
        says=tuple(says[:SAYS_MAX]),
        voice=voice,
        state=conversation.state,
        voice_chosen=conversation.voice_chosen,
        counts=counts,
    )
