"""The step of a conversation: (town, conversation, inbound, facts) → Turn. Pure: same input, same turn.

A choice names what it does for good, so an old button is answered as what it says as long as that still exists.
An intent is another name for one or more choices (`routes` of the town); typed words and buttons meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from chalicelib.dialogue import (
    about_case,
    about_sheet,
    acting,
    binding,
    blocking,
    case_codes,
    case_words,
    chat,
    closing,
    filling,
    forms,
    handover,
    late_things,
    memory,
    misses,
    opening,
    own_words,
    receipts,
    sharing,
    voices,
)
from chalicelib.dialogue.about_case import Told
from chalicelib.dialogue.forms import Desk, Draft, Filled, Kind, Scene
from chalicelib.dialogue.slots import Heard
from chalicelib.dialogue.words import line
from chalicelib.language.folding import fold
from chalicelib.model import CASE_CHOICE, CITIZEN, Conversation, Facts, Inbound, Line, Need, Say, Town, Turn, Voice
from chalicelib.small_classes import replace
from chalicelib.understanding.entities.numbers import access_code_in
from chalicelib.understanding.understand import Understood

SAYS_MAX = 3
GUESSES_MAX = 3
STATUS_INTENT = "case.status"
CASE_STATUS = "case_status"  # the kind that speaks of single cases, in towns without such a service too
FORM_SCORE_MIN = 0.6


Kinds = Callable[[str], Kind]

# Intents the bot itself answers, as choices; a town may route any of them elsewhere.
_OWN = {
    "chat.menu": "menu",
    "chat.operator": "person",
    "settings.language": "language",
}
# What the bot says when the citizen's words still wait for an answer.
_AGREEING = ("yes", "no", "done", "keep")
_UNANSWERED = ("did_you_mean", "not_understood", "service_not_offered")
_SAID = {"chat.thanks": "thanks", "chat.goodbye": "goodbye", "chat.complaint": "complaint_answer"}
# What no town need answer: the bot does.
SAID_BY_THE_BOT = frozenset((*_OWN, *_SAID, "chat.greeting", "out_of_scope"))


def step(town: Town, conversation: Conversation, inbound: Inbound, facts: Facts, kinds: Kinds) -> Turn | Need:
    """What the bot says to `inbound`, and what it will remember. At most three messages, choices on the last only."""
    voice = voices.heard_in(town, conversation, inbound)
    conversation = memory.begun_anew(conversation)
    heard = _heard(town, conversation, inbound, voice, facts)
    scene = Scene(town, heard, facts, conversation, _kinds_of(town, kinds), lambda: cast(Desk, kinds(CASE_STATUS)))
    if blocking.is_blocked(conversation.state) and not _may_though_blocked(scene):
        return _turn(scene, blocking.polite_line(town), counts=("blocked",))
    if handover.reference(conversation.state):
        return handover.go_on(scene) or _after_talk(replace(scene, conversation=handover.left(conversation)))
    return _by_bot(scene)


def _after_talk(scene: Scene) -> Turn:
    """The bot answers again. The turn's one question to the world was whether it does: what would need another is
    offered as a button."""
    turn = _by_bot(scene)
    if isinstance(turn, Turn):
        return turn
    meant = _candidates(scene.town, scene.heard.understood) if scene.heard.text else []
    return _turn(scene, chat.did_you_mean(scene.town, meant) if meant else chat.menu(scene.town))


def _by_bot(scene: Scene) -> Turn | Need:
    town, facts, conversation = scene.town, scene.facts, scene.conversation
    if facts.closed and not _may_though_blocked(scene, closing.HELPING):
        return _turn(scene, closing.polite_line(facts.closed), counts=("closed",))
    draft = forms.open_draft(conversation.state, conversation.opened)
    if draft and _is_form(scene, draft.service):
        return _with_form(scene, draft)
    if draft:
        return _turn(_without_form(scene), chat.said("form_gone", town), counts=("form_gone",))
    return _ordinary(scene)


def _heard(town: Town, conversation: Conversation, inbound: Inbound, voice: Voice, facts: Facts) -> Heard:
    """The message with personal numbers taken out of its words, so that nothing after this can keep or repeat one."""
    text, numbers = memory.without_numbers(conversation, inbound.text)
    return Heard(replace(inbound, text=text) if numbers else inbound, town, voice, facts.now, numbers)


def _may_though_blocked(scene: Scene, also: tuple[str, ...] = ()) -> bool:
    """Danger, everything about one's own data, and `also` these choices."""
    may = (*blocking.MAY, *also)
    if scene.inbound.kind == "choice":
        return scene.inbound.choice.partition(".")[0] in may
    if scene.heard.danger:
        return True
    pressed = _spoken_choice(scene) or acting.meant(scene)
    if pressed:
        return pressed.partition(".")[0] in may
    understood = scene.heard.understood if scene.heard.text else None
    return (
        understood is not None
        and understood.decision == "answer"
        and (understood.intents[0][0].startswith(blocking.MAY_INTENTS))
    )


def _kinds_of(town: Town, kinds: Kinds) -> Callable[[str], Any]:
    """Kinds by the town's names of its services; which of them fill forms is seen by `_is_form`."""
    return lambda service: kinds(town.core["services"][service]["kind"])


def _without_form(scene: Scene) -> Scene:
    state = forms.remembered(scene.conversation.state, None)
    return replace(scene, conversation=replace(scene.conversation, state=state))


def _ordinary(scene: Scene) -> Turn | Need:
    """The answer to a message, whether or not a form is open."""
    inbound = scene.inbound
    if inbound.event != "message":
        return _opened(scene)
    if inbound.kind == "choice":
        return _on_choice(scene, inbound.choice)
    if inbound.kind in ("text", "link"):
        return _on_text(scene)
    danger = scene.heard.danger
    if danger:
        return _turn(scene, chat.emergency(scene.town, danger), counts=("emergency",))
    shared = sharing.received(scene) if inbound.kind == "contact" else None
    if shared:
        return shared if isinstance(shared, Need) else _shared(scene, shared)
    act = acting.meant(scene)
    if act:
        return _on_choice(scene, act)
    late = late_things.arrived(scene) if inbound.kind in ("attachment", "location") else None
    if late:
        return _told(scene, about_case.taken(scene, late))
    service = _opened_by(scene, inbound.kind)
    if service:
        return _begin(scene, service)
    return _turn(scene, _other_kind(scene.town, inbound.kind))


# --- forms ------------------------------------------------------------------------------------------------------


def _with_form(scene: Scene, draft: Draft) -> Turn | Need:
    """A message while a form is open: danger first, then the form; what is not the form's is answered beside it."""
    if scene.inbound.event != "message":
        return _filled(scene, opening.ask_to_resume(scene, draft))
    if not scene.heard.danger:
        pressed = _pressed(scene, draft)
        if pressed:
            scene = scene.pressing(pressed)
        outcome = filling.go_on(scene, draft)
        if isinstance(outcome, Need):
            return outcome
        if outcome:
            return _filled(scene, outcome)
    turn = _ordinary(scene)
    return turn if isinstance(turn, Need) else _beside_form(turn, scene, draft)


def _pressed(scene: Scene, draft: Draft) -> str | None:
    """The button somebody typed by its label, or by its number where a number is not an answer."""
    if scene.inbound.kind not in ("text", "link"):
        return None
    slot = scene.form(draft).slot(draft.asked)
    return _spoken_choice(scene, numbers=slot is None or not slot.FIGURES)


def _beside_form(turn: Turn, scene: Scene, draft: Draft) -> Turn:
    """An answer given while a form is open: the form's question follows, or a button back to it.

    Danger and the menu leave the form where it is until the citizen comes back to it.
    """
    if turn.state.get(forms.STATE) != scene.conversation.state.get(forms.STATE):
        return turn  # another form asked whether it may begin
    if handover.reference(turn.state):
        return replace(turn, state=forms.remembered(turn.state, replace(draft, paused=True, at=scene.now)))
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


def _begin(scene: Scene, choice: str, text: str = "") -> Turn | Need:
    """Open the form a choice names, with what was said; if one is open, ask whether to leave it."""
    service, _, option = choice.partition(".")
    draft = forms.open_draft(scene.conversation.state, scene.conversation.opened)
    outcome: Filled | Need
    if draft:
        outcome = opening.take_up(scene, draft, service, option) or opening.ask_to_leave(
            scene, draft, service, option, text or scene.heard.text
        )
    else:
        outcome = opening.start(scene, service, option, text)
    return outcome if isinstance(outcome, Need) else _filled(scene, outcome)


def _form_choice(scene: Scene, choices: list[str]) -> str | None:
    """The one form that all of these choices lead into; several kinds of one form are asked about by the form."""
    services = {choice.partition(".")[0] for choice in choices}
    service = services.pop() if len(services) == 1 else ""
    if not _is_form(scene, service):
        return None
    return choices[0] if len(choices) == 1 else service


def _likely_form(scene: Scene, understood: Understood) -> str | None:
    """A form that is likelier than all else together: it may begin, for nothing is sent before its summary."""
    best, score = understood.intents[0]
    if score < FORM_SCORE_MIN:
        return None
    narrowed = understood.narrowed.get(best)
    return _form_choice(scene, [narrowed] if narrowed else _routes(scene.town, best))


def _is_form(scene: Scene, service: str) -> bool:
    return service in scene.town.core["services"] and hasattr(scene.kind_of(service), "form")


def _opened_by(scene: Scene, kind: str) -> str | None:
    """The service that a photo or a pin out of the blue begins."""
    for service in scene.town.core["services"]:
        if kind in getattr(scene.kind_of(service), "OPENED_BY", ()):
            return str(service)
    return None


def _filled(scene: Scene, filled: Filled) -> Turn:
    turn = _turn(scene, *filled.says, counts=filled.counts)
    draft = forms.marked(scene.form(filled.draft), filled.draft) if filled.draft else None
    state = receipts.noted(forms.remembered(turn.state, draft), filled.effects, scene.now)
    if filled.kept:
        state = {**state, forms.KEPT: {**state.get(forms.KEPT, {}), **filled.kept}}
    known = scene.conversation.opened
    secrets = {name: said for name, said in draft.secrets.items() if known.get(name) != said} if draft else {}
    private = [said for name, said in secrets.items() if name in forms.private_names(state)]
    return replace(
        turn,
        state=misses.without(state, private) if private else state,
        effects=filled.effects,
        secrets=secrets,
        hides=bool(private) or _may_be_private(scene),
    )


def _may_be_private(scene: Scene) -> bool:
    """Whether words said to the open form may hold a private answer: it asked for one, or has one that may have been
    meant. The form's own commands never do."""
    draft = forms.open_draft(scene.conversation.state, scene.conversation.opened)
    if not draft or not _is_form(scene, draft.service) or scene.heard.command:
        return False
    slot = scene.form(draft).slot(draft.asked)
    return bool(draft.secrets) or (slot is not None and slot.private)


# --- opening ----------------------------------------------------------------------------------------------------


def _opened(scene: Scene) -> Turn | Need:
    """A chat was opened or followed. Who has talked to us before gets the menu, not a second greeting; who scanned a
    slip is asked whether its case is theirs to follow here."""
    context = binding.context_of(scene.inbound.context)
    if context:
        offered = binding.offer(context, scene.conversation, scene.facts)
        return offered if isinstance(offered, Need) else _turn(scene, offered)
    return _turn(scene, chat.menu(scene.town) if scene.conversation.seq else chat.welcome(scene.town))


# --- choices ----------------------------------------------------------------------------------------------------


def _on_choice(scene: Scene, choice: str) -> Turn | Need:
    """What a button says, pressed or meant by words."""
    scene = scene.pressing(choice)
    state = misses.after_choice(scene.conversation, choice, scene.facts.now)
    scene = replace(scene, conversation=replace(scene.conversation, state=state))
    if choice.startswith("language."):
        chosen = voices.named(scene.town, choice.removeprefix("language."))
        if chosen:
            turn = _turn(scene, chat.said("language_changed", scene.town))
            return replace(turn, voice=chosen, voice_chosen=True)
    if choice.startswith(binding.CHOICE):
        return _bind(scene, choice)
    about = _about_case(scene, choice)
    if about:
        return about
    if _is_form(scene, choice.partition(".")[0]):
        return _begin(scene, choice, _said_before(scene.conversation))
    acted = _act(scene, choice)
    if acted:
        return acted
    says = _follow(scene, choice)
    if isinstance(says, Need):
        return says
    return _with_sharing(_turn(scene, *(says or (chat.menu(scene.town),))), scene, choice)


def _with_sharing(turn: Turn, scene: Scene, choice: str) -> Turn:
    """A list of own cases that shows no case: the phone's number may find one."""
    kind = scene.town.core["services"].get(choice, {}).get("kind")
    if kind != CASE_STATUS or turn.says[-1].case:
        return turn
    say, state = sharing.offered(scene, turn.says[-1], turn.state)
    return replace(turn, says=(*turn.says[:-1], say), state=state)


def _act(scene: Scene, choice: str) -> Turn | Need | None:
    """What a choice does at once, if it is of a kind that does things; a person's line is one where the town has it."""
    acted = acting.acted(scene, str(scene.town.core.get("operator") or choice) if choice == "person" else choice)
    if acted is None or isinstance(acted, Need):
        return acted
    turn = replace(_turn(scene, *acted.says, counts=acted.counts), effects=acted.effects, forgets=acted.forgets)
    return turn if acted.state is None else replace(turn, state=acted.state)


def _bind(scene: Scene, choice: str) -> Turn | Need:
    """Yes to a slip's link: the case becomes this citizen's, if the link still holds."""
    bound = binding.bind(choice.removeprefix(binding.CHOICE), scene.facts)
    if isinstance(bound, Need):
        return bound
    say, effects = bound
    return replace(_turn(scene, say), effects=effects)


def _about_case(scene: Scene, choice: str) -> Turn | Need | None:
    """A button about one case; None for any other."""
    service, _, item = choice.partition(".")
    if choice.startswith(f"{CASE_CHOICE}{about_case.ANOTHER}."):
        return _begin_with(scene, late_things.for_another(scene, choice.rpartition(".")[2]))
    if choice.startswith(CASE_CHOICE):
        return _told(scene, about_case.pressed(scene, choice))
    claimed = sharing.claimed(scene, choice) if choice.startswith(sharing.CLAIM) else None
    if claimed:
        return _shared(scene, claimed)
    if item and scene.town.core["services"].get(service, {}).get("kind") == CASE_STATUS:
        return _told(scene, about_case.look(scene, item))
    return None


def _told(scene: Scene, told: Told | Need) -> Turn | Need:
    if isinstance(told, Need):
        return told
    state = receipts.noted(told.state, told.effects, scene.now)
    return replace(_turn(scene, told.say), state=state, effects=told.effects)


def _shared(scene: Scene, told: sharing.Told) -> Turn:
    say, state, effects = told
    return replace(_turn(scene, say), state=state, effects=effects)


def _begin_with(scene: Scene, things: tuple[Inbound, ...]) -> Turn | Need:
    """A form begun by what was sent before; none of it is lost."""
    service = _opened_by(scene, things[0].kind) if things else next(iter(scene.desk().reports(scene.town)), None)
    state = late_things.forgotten(scene.conversation.state)
    scene = replace(scene, conversation=replace(scene.conversation, state=state))
    if service is None:
        return _turn(scene, chat.menu(scene.town))
    if not things:
        return _begin(scene, service)
    heard = [replace(scene, heard=replace(scene.heard, inbound=thing)) for thing in things]
    outcome: Filled | Need | None = opening.start(heard[0], service)
    for each in heard[1:]:
        if isinstance(outcome, Filled) and outcome.draft:
            outcome = filling.go_on(each, outcome.draft) or outcome
    if outcome is None or isinstance(outcome, Need):
        return outcome or _turn(scene, chat.menu(scene.town))
    return _filled(scene, outcome)


def _said_before(conversation: Conversation) -> str:
    """What the citizen wrote if it still waits for its answer: the button says which, the words say more."""
    last = conversation.log[-1].say if conversation.log else None
    if last is None or not last.lines or last.lines[0].key not in _UNANSWERED:
        return ""
    return next((entry.text for entry in reversed(conversation.log) if entry.origin == CITIZEN), "")


def _follow(scene: Scene, choice: str) -> tuple[Say, ...] | Need | None:
    """What a choice says; None if the town has no such choice."""
    town = scene.town
    if choice == "menu":
        return (chat.menu(town),)
    if choice == "language":
        return (chat.languages(town),)
    if choice == "emergency":
        return (chat.emergency(town, None),)
    if choice == "person":
        return _person(scene)
    name, page = _page(choice)
    service, _, item = name.partition(".")
    if service not in town.core["services"]:
        return None
    return scene.kind_of(service).answer(town, service, item, page, scene.facts)


def _page(choice: str) -> tuple[str, int]:
    name, _, page = choice.partition("~")
    return name, int(page) if page.isdecimal() and len(page) < 4 else 1


def _person(scene: Scene) -> tuple[Say, ...] | Need | None:
    """How to reach a person: the office's line and hours, after the word that a program answers here."""
    says = _follow(scene, scene.town.core["person"])
    if not says or isinstance(says, Need):
        return says
    return (replace(says[0], lines=(Line("person_intro"), *says[0].lines)), *says[1:])


# --- words ------------------------------------------------------------------------------------------------------


def _on_text(scene: Scene) -> Turn | Need:
    town, text = scene.town, scene.heard.text
    if not text:
        return _turn(scene, chat.menu(town))
    understood = scene.heard.understood
    if understood.danger:
        return _turn(scene, chat.emergency(town, understood.danger), counts=("emergency",))
    asked = case_codes.awaited(scene)
    if asked:
        return _told(scene, about_case.look(scene, *asked))
    meant = (
        _spoken_choice(scene)
        or acting.meant(scene)
        or case_words.meant(scene.conversation, scene.heard)
        or voices.wished(town, scene.heard.voice, understood.wish)
    )
    if meant:
        return _on_choice(scene, meant)
    idle = _idle(scene)
    if idle:
        return _turn(scene, idle)
    code = access_code_in(text) if understood.entities else ""
    number = _case_number(town, understood, bool(code))
    if number:
        return _told(scene, about_case.look(scene, number, code))
    late = late_things.announced(scene)
    if late:
        return _told(scene, about_case.taken(scene, late))
    asking = _asked_outright(scene)
    if asking:
        return _begin_asking(scene, asking)
    explained = about_sheet.asked(scene)
    if explained:
        return _turn(scene, explained)
    if understood.decision == "unknown":
        return _not_understood(scene)
    intent = understood.intents[0][0]
    if (intent in _SAID or intent == "chat.greeting") and understood.decision == "answer":
        return _turn(scene, _small_talk(town, intent))
    choices = _candidates(town, understood)
    if not choices:
        return _turn(scene, chat.not_offered(town, ["person"]), counts=("not_offered",))
    ordered = _ordered(scene, choices)
    if ordered:
        return _begin(scene, ordered)
    form = _likely_form(scene, understood) or _form_choice(scene, choices)
    if form and (not own_words.asks_something(text) or _takes_questions(scene, form) or _is_wish(scene, form)):
        return _begin(scene, form)
    if form:
        choices = _form_or_office(town, choices)
    if len(choices) > 1:
        return _turn(scene, chat.did_you_mean(town, choices), counts=("guessed",))
    acted = _act(scene, choices[0])
    if acted:
        return acted
    says = _follow(scene, choices[0])
    if isinstance(says, Need):
        return says
    second = [choice for choice in _routes(town, understood.also) if choice not in choices] if understood.also else []
    return _with_sharing(_turn(scene, *chat.with_second(says or (chat.menu(town),), second)), scene, choices[0])


def _idle(scene: Scene) -> Say | None:
    """What answers a word for a form ("pošalji", "ne", "ok") where none is open: it must open none."""
    command = scene.heard.command
    if command is None or forms.is_open(scene.conversation.state):
        return None
    last = case_words.last(scene.conversation)
    if command == "yes" and last and last.lines[:1] == (Line("did_you_mean"),):
        return last  # which of them?
    if command == "back":
        return chat.menu(scene.town)
    return chat.said("all_right" if command in _AGREEING else "nothing_begun", scene.town)


def _is_wish(scene: Scene, form: str) -> bool:
    """Whether words put like a question ("treba mi …", "može li neko …") wish for what this form is for."""
    wished = getattr(scene.kind_of(form.partition(".")[0]), "BEGUN_BY_WISHES", False)
    return wished and own_words.wishes_for(scene.heard.text)


def _ordered(scene: Scene, choices: list[str]) -> str | None:
    """The request that words which order something lead to, where they would otherwise show sheets."""
    if not own_words.orders_something(scene.heard.text):
        return None
    requests = {choice: _request_of(scene.town, choice) for choice in choices}
    named = list(dict.fromkeys(request for request in requests.values() if request))
    if not named:
        return None
    return named[0] if len(named) == 1 else named[0].partition(".")[0]


def _request_of(town: Town, choice: str) -> str | None:
    """The choice with which a procedure's document is asked for here."""
    service, _, item = choice.partition(".")
    if town.core["services"].get(service, {}).get("kind") != "procedures":
        return None
    return next((entry.get("request") for entry in town.core["procedures"] if entry["id"] == item), None)


def _asked_outright(scene: Scene) -> str | None:
    """The service that takes questions, if the words say themselves that one is to be asked."""
    service = chat.asking_service(scene.town)
    asks_outright = getattr(scene.kind_of(service), "asks_outright", None) if service else None
    return service if asks_outright and asks_outright(scene.town, service, scene.heard) else None


def _takes_questions(scene: Scene, choice: str) -> bool:
    return bool(scene.town.core["services"][choice.partition(".")[0]]["kind"] == chat.QUESTION)


def _begin_asking(scene: Scene, service: str) -> Turn | Need:
    """A question to an office begins; where the bot knows an answer itself, that is a button away."""
    begun, understood = _begin(scene, service), scene.heard.understood
    if isinstance(begun, Need) or understood.decision != "answer" or "form" not in begun.state:
        return begun
    known = [choice for choice in _candidates(scene.town, understood) if _has_sheet(scene.town, choice)]
    return replace(begun, says=chat.with_second(begun.says, known[:1], "question_known"))


def _has_sheet(town: Town, choice: str) -> bool:
    return choice in town.sheets[town.native_language]


def _not_understood(scene: Scene) -> Turn:
    turn = _turn(scene, chat.not_understood(scene.town), counts=("unknown",))
    return replace(turn, state=misses.noted(turn.state, scene.heard.text, misses.UNKNOWN, scene.facts.now))


def _case_number(town: Town, understood: Understood, coded: bool) -> str | None:
    """A reference, or a file number where the town tells of those, asks after that case: with its access code always,
    else unless the message is clearly about something else."""
    numbers = list(understood.entities.get("references", ()))
    if any(entry["kind"] == CASE_STATUS for entry in town.core["services"].values()):
        numbers += understood.entities.get("file_numbers", ())
    if not numbers:
        return None
    best = understood.intents[0][0] if understood.intents else STATUS_INTENT
    return str(numbers[0]) if coded or best == STATUS_INTENT or understood.decision != "answer" else None


def _form_or_office(town: Town, choices: list[str]) -> list[str]:
    """A question about a problem ("when is it collected?") may want the office as well as a report."""
    contacts = str(town.core["person"]).partition(".")[0]
    problems = town.core.get("routing", {}).get("problem", {})
    offices = [problems.get(choice.rpartition(".")[2], {}).get("office", "") for choice in choices]
    asked = [f"{contacts}.{office}" for office in dict.fromkeys(offices) if office] or [str(town.core["person"])]
    return [*choices[: GUESSES_MAX - 1], asked[0]]


def _small_talk(town: Town, intent: str) -> Say:
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


def _spoken_choice(scene: Scene, *, numbers: bool = True) -> str | None:
    """A choice of the last message typed as it is labelled, or by its number ("2", "2.")."""
    last = next((entry for entry in reversed(scene.conversation.log) if entry.say), None)
    if last is None or last.say is None or not last.say.choices:
        return None
    number = scene.heard.text.rstrip(".)")
    if number.isascii() and number.isdigit():
        within = len(number) < 3 and 1 <= int(number) <= len(last.say.choices)
        return last.say.choices[int(number) - 1].id if numbers and within else None
    town = scene.town
    wanted, voice = fold(scene.heard.text), last.voice or town.default_voice
    labelled = [choice.id for choice in last.say.choices if _folded(choice.label, town, voice) == wanted]
    return labelled[0] if wanted and len(labelled) == 1 else None


def _folded(label: Line, town: Town, voice: Voice) -> str:
    if label.args:
        return fold(line(label, town, voice))
    name = ("label", voice.language, voice.script, label.key)
    return str(town.once(name, lambda: fold(line(label, town, voice))))


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


def _turn(scene: Scene, *says: Say, counts: tuple[str, ...] = ()) -> Turn:
    return Turn(
        says=tuple(says[:SAYS_MAX]),
        voice=scene.heard.voice,
        state=scene.conversation.state,
        voice_chosen=scene.conversation.voice_chosen,
        counts=counts,
    )
