"""In which language and script to answer: a chosen voice sticks; otherwise as the citizen writes."""

from __future__ import annotations

from chalicelib.dialogue import forms, own_words
from chalicelib.language.detect import language_of
from chalicelib.language.scripts import script_of
from chalicelib.model import CYRILLIC, LATIN, Conversation, Inbound, Town, Voice
from chalicelib.understanding.wishes import Wish

SOUTH_SLAVIC = ("sr", "bs", "cnr")
_SIGNALS = own_words.whole_phrases("start|stop|operater|operator|kraj|fund|end|ende")


def heard_in(town: Town, conversation: Conversation, inbound: Inbound) -> Voice:
    """The voice to answer in: a chosen one sticks; otherwise as the citizen writes now, else as before."""
    current = conversation.voice or _first_voice(town, inbound)
    if conversation.voice_chosen or inbound.event != "message" or inbound.kind not in ("text", "link"):
        return current
    if _is_signal(inbound.text):
        return current
    family = None if _is_short_answer(conversation, inbound) else language_of(inbound.text)
    script = script_of(inbound.text)
    language = _language(town, current, family)
    scripts = town.scripts(language)
    if script in scripts:
        return Voice(language, script)
    return Voice(language, current.script if current.script in scripts else scripts[0])


def _is_signal(text: str) -> bool:
    """Words that the bot itself asks to send, as it writes them: they tell neither language nor script."""
    return text.isascii() and " ".join(own_words.folded(text)) in _SIGNALS


def _is_short_answer(conversation: Conversation, inbound: Inbound) -> bool:
    """A few words given to a form (a street, a name) do not tell which language somebody speaks."""
    few = len(inbound.text.split()) <= forms.SHORT_WORDS_MAX
    return forms.is_open(conversation.state) and few and not own_words.asks_something(inbound.text)


def _language(town: Town, current: Voice, family: str | None) -> str:
    if family is None:
        return current.language
    if family != "sr":
        return family if family in town.languages else current.language
    return current.language if current.language in SOUTH_SLAVIC else _south_slavic(town, current)


def _south_slavic(town: Town, current: Voice) -> str:
    """The town's own way of writing what sr, bs and cnr share; where it has none, the language spoken so far."""
    offered = (town.native_language, *town.languages)
    return next((language for language in offered if language in SOUTH_SLAVIC), current.language)


def _first_voice(town: Town, inbound: Inbound) -> Voice:
    """Before a word is written: the device's language, if it is one the town speaks beside its own."""
    language, _, rest = inbound.language_hint.lower().partition("-")
    if language in town.languages:
        script = CYRILLIC if rest in ("cyrillic", "cyrl") else LATIN
        return named(town, f"{language}-{script}") or town.default_voice
    return town.default_voice


def wished(town: Town, voice: Voice, wish: Wish | None) -> str | None:
    """The voice somebody asks for in words, as a choice; None if the town does not speak it."""
    if wish is None:
        return None
    language = wish.language or (
        voice.language if wish.script in town.scripts(voice.language) else town.native_language
    )
    if language in SOUTH_SLAVIC and language not in town.languages:
        language = town.native_language
    scripts = town.scripts(language)
    script = wish.script or (voice.script if voice.script in scripts else next(iter(scripts), ""))
    return f"language.{language}-{script}" if script in scripts else None


def named(town: Town, name: str) -> Voice | None:
    """A voice by its choice's name (`sr-cyrillic`), in a script the town has; None if it does not speak it."""
    language, _, script = name.partition("-")
    scripts = town.scripts(language)
    if not scripts:
        return None
    return Voice(language, script if script in scripts else scripts[0])
