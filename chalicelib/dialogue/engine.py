"""The step of a conversation: (town, conversation, inbound, facts) → Turn. Pure: same input, same turn.

A choice names what it does for good, so an old button is answered as what it says as long as that still exists.
An intent is another name for one or more choices (`routes` of the town); typed words and buttons meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.dialogue import binding, chat, filling, forms, misses, opening, own_words
from chalicelib.dialogue.forms import Draft, Filled, Scene
from chalicelib.dialogue.slots import Heard
from chalicelib.dialogue.words import line
from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold
from chalicelib.language.scripts import script_of
from chalicelib.model import CITIZEN, CYRILLIC, LATIN, Conversation, Facts, Inbound, Line, Need, Say, Town, Turn, Voice
from chalicelib.understanding.understand import Understood, understand
from chalicelib.understanding.wishes import Wish

SAYS_MAX = 3
GUESSES_MAX = 3
STATUS_INTENT = "case.status"
FORM_SCORE_MIN = 0.6
SOUTH_SLAVIC = ("sr", "bs", "cnr")


class Kind(Protocol):
    """A kind of service. One that is filled in by a form offers what `forms.FormKind` says, too."""

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
    draft = forms.open_draft(conversation.state)
    if draft and _is_form(town, draft.service, kinds):
        return _with_form(town, conversation, inbound, voice, facts, kinds, draft)
    if draft:
        return _form_gone(town, replace(conversation, state=forms.remembered(conversation.state, None)), voice)
    return _ordinary(town, conversation, inbound, voice, facts, kinds)


def _ordinary(
    town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds
) -> Turn | Need:
    """The answer to a message, whether or not a form is open."""
    if inbound.event != "message":
        return _opened(town, conversation, inbound, voice, facts)
    if inbound.kind == "choice":
        return _on_choice(town, conversation, inbound, voice, facts, kinds)
    if inbound.kind in ("text", "link"):
        return _on_text(town, conversation, inbound, voice, facts, kinds)
    caption = understand(inbound.text, town.index) if inbound.text.strip() else None
    if caption and caption.danger:
        return _turn(conversation, voice, chat.emergency(town, caption.danger), counts=("emergency",))
    service = _opened_by(town, inbound.kind, kinds)
    if service:
        return _begin(town, conversation, inbound, voice, facts, kinds, service)
    return _turn(conversation, voice, _other_kind(town, inbound.kind))


# --- forms ------------------------------------------------------------------------------------------------------


def _with_form(
    town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds, draft: Draft
) -> Turn | Need:
    """A message while a form is open: danger first, then the form; what is not the form's is answered beside it."""
    scene = _scene(town, conversation, inbound, voice, facts, kinds)
    if inbound.event != "message":
        return _filled(conversation, voice, opening.ask_to_resume(scene, draft))
    danger = scene.heard.text and scene.heard.understood.danger
    if not danger:
        pressed = _pressed(town, conversation, inbound, scene, draft)
        if pressed:
            inbound = replace(inbound, kind="choice", choice=pressed)
            scene = _scene(town, conversation, inbound, voice, facts, kinds)
        outcome = filling.go_on(scene, draft)
        if isinstance(outcome, Need):
            return outcome
        if outcome:
            return _filled(conversation, voice, outcome)
    turn = _ordinary(town, conversation, inbound, voice, facts, kinds)
    return turn if isinstance(turn, Need) else _beside_form(turn, scene, draft)


def _pressed(town: Town, conversation: Conversation, inbound: Inbound, scene: Scene, draft: Draft) -> str | None:
    """The button somebody typed by its label, or by its number where a number is not an answer."""
    if inbound.kind not in ("text", "link"):
        return None
    slot = scene.form(draft).slot(draft.asked)
    return _spoken_choice(town, conversation, inbound.text, numbers=slot is None or not slot.FIGURES)


def _beside_form(turn: Turn, scene: Scene, draft: Draft) -> Turn:
    """An answer given while a form is open: the form's question follows, or a button back to it.

    Danger and the menu leave the form where it is until the citizen comes back to it.
    """
    if turn.state.get(forms.STATE) != scene.conversation.state.get(forms.STATE):
        return turn  # another form asked whether it may begin
    *others, last = turn.says
    way_back = replace(last, choices=(*chat.choices("form.resume"), *last.choices))
    leaves = "emergency" in turn.counts or (last.lines and last.lines[0].key == "menu_title")
    if leaves or draft.paused:
        draft = replace(draft, paused=True, at=scene.now)
        return replace(turn, says=(*others, way_back), state=forms.remembered(turn.state, draft))
    if not _is_final(last, scene.town):
        return replace(turn, says=(*others, way_back))
    resumed = opening.ask_again(scene, draft)
    assert resumed.draft is not None
    says = (*others, replace(last, choices=()))[: SAYS_MAX - 1]
    return replace(turn, says=(*says, *resumed.says), state=forms.remembered(turn.state, resumed.draft))


def _is_final(say: Say, town: Town) -> bool:
    """Whether an answer is complete in itself, rather than a list to choose from."""
    general = {"person", "menu", "language", "emergency", *town.core["menu"]}
    return say.sheet is not None or all(choice.id in general for choice in say.choices)


def _begin(
    town: Town,
    conversation: Conversation,
    inbound: Inbound,
    voice: Voice,
    facts: Facts,
    kinds: Kinds,
    choice: str,
    text: str = "",
) -> Turn | Need:
    """Open the form a choice names, with what was said; if one is open, ask whether to leave it."""
    service, _, option = choice.partition(".")
    scene = _scene(town, conversation, inbound, voice, facts, kinds)
    draft = forms.open_draft(conversation.state)
    outcome: Filled | Need
    if draft:
        outcome = opening.ask_to_leave(scene, draft, service, option, text or scene.heard.text)
    else:
        outcome = opening.start(scene, service, option, text)
    return outcome if isinstance(outcome, Need) else _filled(conversation, voice, outcome)


def _form_choice(town: Town, choices: list[str], kinds: Kinds) -> str | None:
    """The one form that all of these choices lead into; several kinds of one form are asked about by the form."""
    services = {choice.partition(".")[0] for choice in choices}
    service = services.pop() if len(services) == 1 else ""
    if not _is_form(town, service, kinds):
        return None
    return choices[0] if len(choices) == 1 else service


def _likely_form(town: Town, understood: Understood, kinds: Kinds) -> str | None:
    """A form that is likelier than all else together: it may begin, for nothing is sent before its summary."""
    best, score = understood.intents[0]
    if score < FORM_SCORE_MIN:
        return None
    narrowed = understood.narrowed.get(best)
    return _form_choice(town, [narrowed] if narrowed else _routes(town, best), kinds)


def _form_gone(town: Town, conversation: Conversation, voice: Voice) -> Turn:
    return _turn(conversation, voice, chat.said("form_gone", town), counts=("form_gone",))


def _is_form(town: Town, service: str, kinds: Kinds) -> bool:
    declared = town.core["services"].get(service)
    return declared is not None and hasattr(kinds(declared["kind"]), "form")


def _opened_by(town: Town, kind: str, kinds: Kinds) -> str | None:
    """The service that a photo or a pin out of the blue begins."""
    for service, declared in town.core["services"].items():
        if kind in getattr(kinds(declared["kind"]), "OPENED_BY", ()):
            return str(service)
    return None


def _scene(town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds) -> Scene:
    def kind_of(service: str) -> Any:
        return kinds(town.core["services"][service]["kind"])

    return Scene(town, Heard(inbound, town, voice, facts.now), facts, conversation, kind_of)


def _filled(conversation: Conversation, voice: Voice, filled: Filled) -> Turn:
    turn = _turn(conversation, voice, *filled.says, counts=filled.counts)
    return replace(turn, state=forms.remembered(conversation.state, filled.draft), effects=filled.effects)


# --- opening ----------------------------------------------------------------------------------------------------


def _opened(town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts) -> Turn | Need:
    """A chat was opened or followed. Who has talked to us before gets the menu, not a second greeting; who scanned a
    slip is asked whether its case is theirs to follow here."""
    context = binding.context_of(inbound.context)
    if context:
        offered = binding.offer(context, conversation, facts)
        return offered if isinstance(offered, Need) else _turn(conversation, voice, offered)
    say = chat.menu(town) if conversation.seq else chat.welcome(town)
    return _turn(conversation, voice, say)


# --- choices ----------------------------------------------------------------------------------------------------


def _on_choice(
    town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts, kinds: Kinds
) -> Turn | Need:
    choice = inbound.choice
    conversation = replace(conversation, state=misses.after_choice(conversation, choice, facts.now))
    if choice.startswith("language."):
        chosen = _offered_voice(town, choice.removeprefix("language."))
        if chosen:
            turn = _turn(conversation, chosen, chat.said("language_changed", town))
            return replace(turn, voice_chosen=True)
    if choice.startswith(binding.CHOICE):
        return _bind(conversation, choice, voice, facts)
    if _is_form(town, choice.partition(".")[0], kinds):
        said = _said_before_guesses(conversation)
        return _begin(town, conversation, inbound, voice, facts, kinds, choice, said)
    says = _follow(town, choice, facts, kinds)
    if isinstance(says, Need):
        return says
    return _turn(conversation, voice, *(says or (chat.menu(town),)))


def _bind(conversation: Conversation, choice: str, voice: Voice, facts: Facts) -> Turn | Need:
    """Yes to a slip's link: the case becomes this citizen's, if the link still holds."""
    bound = binding.bind(choice.removeprefix(binding.CHOICE), facts)
    if isinstance(bound, Need):
        return bound
    say, effects = bound
    return replace(_turn(conversation, voice, say), effects=effects)


def _said_before_guesses(conversation: Conversation) -> str:
    """What the citizen wrote when the last answer was "did you mean": the button says which, the words say more."""
    last = conversation.log[-1].say if conversation.log else None
    if last is None or not last.lines or last.lines[0].key != "did_you_mean":
        return ""
    return next((entry.text for entry in reversed(conversation.log) if entry.origin == CITIZEN), "")


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
    wished = _wished(town, voice, understood.wish)
    if wished:
        return _on_choice(town, conversation, replace(inbound, kind="choice", choice=wished), voice, facts, kinds)
    numbered = _numbered_case(town, understood)
    if numbered:
        return _on_choice(town, conversation, replace(inbound, kind="choice", choice=numbered), voice, facts, kinds)
    if understood.decision == "unknown":
        missed = replace(conversation, state=misses.noted(conversation.state, inbound.text, misses.UNKNOWN, facts.now))
        return _turn(missed, voice, chat.not_understood(town), counts=("unknown",))
    intent = understood.intents[0][0]
    if (intent in _SAID or intent == "chat.greeting") and understood.decision == "answer":
        return _turn(conversation, voice, _small_talk(town, conversation, intent))
    choices = _candidates(town, understood)
    if not choices:
        return _turn(conversation, voice, chat.not_offered(["person"]), counts=("not_offered",))
    form = _likely_form(town, understood, kinds) or _form_choice(town, choices, kinds)
    if form and not own_words.asks_something(inbound.text):
        return _begin(town, conversation, inbound, voice, facts, kinds, form)
    if form:
        choices = _form_or_office(town, choices)
    if len(choices) > 1:
        return _turn(conversation, voice, chat.did_you_mean(choices), counts=("guessed",))
    says = _follow(town, choices[0], facts, kinds)
    if isinstance(says, Need):
        return says
    second = [choice for choice in _routes(town, understood.also) if choice not in choices] if understood.also else []
    return _turn(conversation, voice, *chat.with_second(says or (chat.menu(town),), second))


def _numbered_case(town: Town, understood: Understood) -> str | None:
    """A reference or file number asks after that case, unless the message is clearly about something else."""
    numbers = [*understood.entities.get("references", ()), *understood.entities.get("file_numbers", ())]
    service = next((name for name, entry in town.core["services"].items() if entry["kind"] == "case_status"), None)
    if not numbers or service is None:
        return None
    best = understood.intents[0][0] if understood.intents else STATUS_INTENT
    return f"{service}.{numbers[0]}" if best == STATUS_INTENT or understood.decision != "answer" else None


def _form_or_office(town: Town, choices: list[str]) -> list[str]:
    """A question about a problem ("when is it collected?") may want the office as well as a report."""
    contacts = str(town.core["person"]).partition(".")[0]
    offices = [town.core["problems"].get(choice.rpartition(".")[2], {}).get("office", "") for choice in choices]
    asked = [f"{contacts}.{office}" for office in dict.fromkeys(offices) if office] or [str(town.core["person"])]
    return [*choices[: GUESSES_MAX - 1], asked[0]]


def _small_talk(town: Town, conversation: Conversation, intent: str) -> Say:
    if intent == "chat.greeting":
        return chat.welcome(town)
    return chat.said(_SAID[intent], town)


def _wished(town: Town, voice: Voice, wish: Wish | None) -> str | None:
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


def _candidates(town: Town, understood: Understood) -> list[str]:
    """The choices the message may mean: all of the best intent's when sure, else of the best three."""
    intents = [intent for intent, _ in understood.intents]
    if understood.decision == "answer":
        intents = intents[:1]
    choices: list[str] = []
    for intent in intents:
        narrowed = understood.narrowed.get(intent)
        for choice in [narrowed] if narrowed else _routes(town, intent):
            if choice not in choices:
                choices.append(choice)
    return choices[:GUESSES_MAX]


def _routes(town: Town, intent: str) -> list[str]:
    routes: Mapping[str, Any] = town.core["routes"]
    if intent in routes:
        return list(routes[intent])
    if intent in _OWN:
        return [_OWN[intent]]
    if intent in town.texts[town.native_language]:
        return [intent]  # a choice of the town that none of the platform's intents speaks of
    return _family_routes(town, intent)


def _family_routes(town: Town, intent: str) -> list[str]:
    """Where a town says nothing of an intent: the list its family belongs to."""
    family = intent.partition(".")[0]
    kind = {"doc": "procedures", "info": "procedures", "contact": "contacts"}.get(family)
    return [service for service, entry in town.core["services"].items() if entry["kind"] == kind][:1]


def _spoken_choice(town: Town, conversation: Conversation, text: str, *, numbers: bool = True) -> str | None:
    """A choice of the last message typed as it is labelled, or by its number ("2", "2.")."""
    last = next((entry for entry in reversed(conversation.log) if entry.say), None)
    if last is None or last.say is None or not last.say.choices:
        return None
    number = text.strip().rstrip(".)")
    if number.isascii() and number.isdigit():
        within = len(number) < 3 and 1 <= int(number) <= len(last.say.choices)
        return last.say.choices[int(number) - 1].id if numbers and within else None
    wanted, voice = fold(text), last.voice or town.default_voice
    labelled = [choice.id for choice in last.say.choices if fold(line(choice.label, town, voice)) == wanted]
    return labelled[0] if wanted and len(labelled) == 1 else None


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
    family = None if _is_short_answer(conversation, inbound) else language_of(inbound.text)
    script = script_of(inbound.text)
    language = _language(town, current, family)
    scripts = town.scripts(language)
    if script in scripts:
        return Voice(language, script)
    return Voice(language, current.script if current.script in scripts else scripts[0])


def _is_short_answer(conversation: Conversation, inbound: Inbound) -> bool:
    """A few words given to a form (a street, a name) do not tell which language somebody speaks."""
    few = len(inbound.text.split()) <= forms.SHORT_WORDS_MAX
    return forms.open_draft(conversation.state) is not None and few and not own_words.asks_something(inbound.text)


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
