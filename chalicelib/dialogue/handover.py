"""A person of the town is on the line: the bot is silent, but for danger and for the way back to itself.

Which chat it is lies in the conversation's memory; the chat itself is a case, whose state decides. A chat that was
closed elsewhere gives the conversation back to the bot with the next message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat, own_words
from chalicelib.dialogue.forms import Scene
from chalicelib.model import Attachment, Case, Conversation, Line, Need, Say, Talk, Turn
from chalicelib.small_classes import replace

STATE = "handover"
CHAT = "chat_case"
END = "operator.end"
TEXT_CHARS_MAX = 7000  # of one message, as Viber allows
_END_WORDS = own_words.whole_phrases(
    """kraj|kraj razgovora|završi|završi razgovor|završite razgovor|zatvori razgovor|nazad na bota|vrati bota|
    vrati me na bota|nazad na program|nazad na asistenta|fund|përfundo|përfundo bisedën|kthehu te boti|end|
    end chat|end the chat|back to the bot|back to bot|ende|chat beenden|gespräch beenden|zurück zum bot|exit"""
)


def reference(state: Mapping[str, Any]) -> str:
    """The chat a person has the line for; "" while the bot answers."""
    return str(state.get(STATE, {}).get("case", ""))


def begun(state: Mapping[str, Any], case: str) -> dict[str, Any]:
    """The memory of a conversation that a person takes over."""
    return {**state, STATE: {"case": case}}


def ended(state: Mapping[str, Any]) -> dict[str, Any]:
    """The memory of a conversation that is the bot's again."""
    return {name: value for name, value in state.items() if name != STATE}


def left(conversation: Conversation) -> Conversation:
    return replace(conversation, state=ended(conversation.state))


def go_on(scene: Scene) -> Turn | Need | None:
    """One message while a person has the line; None if the chat is over and the bot answers."""
    if scene.inbound.event != "message" or _is_old_button(scene):
        return _turn(scene, (Say(lines=(Line("operator_still"),), choices=chat.choices(END)),))
    if CHAT not in scene.facts.found:
        return Need((f"{CHAT}:{reference(scene.conversation.state)}",))
    case: Case | None = scene.facts.found[CHAT]
    if case is None:
        return None
    if _is_end(scene):
        back = Say(lines=(Line("operator_left"),), choices=chat.menu_choices(scene.town))
        turn = _turn(scene, (back,), Talk(case, _text(scene), ends=True))
        return replace(turn, state=ended(turn.state))
    danger = scene.heard.danger
    says = (replace(chat.emergency(scene.town, danger), choices=chat.choices(END)),) if danger else ()
    media = scene.inbound.media
    file = Attachment("", media.type, media.size, "waiting", media.url) if media else None
    turn = _turn(scene, says, Talk(case, _text(scene), file))
    return replace(turn, counts=("emergency",)) if says else turn


def _is_old_button(scene: Scene) -> bool:
    """A button of the bot's: nothing to tell a person, and no wish to leave them either."""
    return scene.inbound.kind == "choice" and not _is_end(scene)


def _is_end(scene: Scene) -> bool:
    if scene.inbound.kind == "choice":
        return scene.inbound.choice in (END, "menu")
    return " ".join(own_words.folded(scene.heard.text)) in _END_WORDS


def _text(scene: Scene) -> str:
    """What the person on the line reads of the message."""
    inbound = scene.inbound
    if inbound.place:
        return f"{inbound.place[0]:.5f}, {inbound.place[1]:.5f}"
    return (inbound.text or inbound.phone or ("" if inbound.media else f"[{inbound.kind}]"))[:TEXT_CHARS_MAX]


def _turn(scene: Scene, says: tuple[Say, ...], *effects: Talk) -> Turn:
    conversation = scene.conversation
    return Turn(says, scene.heard.voice, conversation.state, conversation.voice_chosen, effects=effects)
