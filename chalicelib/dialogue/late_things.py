"""A photo, video or pin sent soon after a case was filed: offered to be added to that case, or to begin another.

What was sent waits in the conversation's memory until the citizen says which; after a yes further pictures of the same
album are added without asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat, own_words, receipts
from chalicelib.dialogue.forms import Scene
from chalicelib.dialogue.own_words import folded_words
from chalicelib.dialogue.slots import Complaint, Location, Media
from chalicelib.dialogue.slots.media import joined
from chalicelib.language.folding import fold
from chalicelib.model import AddToCase, Attachment, Effect, Inbound, Line, Place, Say, case_choice
from chalicelib.model import Media as Thing
from chalicelib.small_classes import dataclass, replace

STATE = "late"
LATE_SECONDS = 60 * 60  # after filing
ADDING_SECONDS = 5 * 60  # after a yes
NOTE_CHARS_MAX = 500
WORDS_MAX = 9
_MORE = folded_words("još jos another one more second noch edhe tjetër druga drugu drugi")
_PICTURES = tuple(fold(stem) for stem in "slik fotk fotograf foto snim video photo pictur bild pamj".split())  # noqa: SIM905
_PICTURE_SLOT = Media(key="media", ask=Line("ask_photo"), label=Line("slot_media"))
_PLACE_SLOT = Location(key="place", ask=Line("ask_location"), label=Line("slot_place"))


@dataclass(frozen=True)
class Taken:
    """What is said, what waits in memory, what it causes."""

    say: Say
    state: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()


def arrived(scene: Scene) -> Taken | None:
    """A picture or pin without a form: asked about, or added where a yes was just given; None if nothing was filed, or
    if there is neither: a file may come that nobody could take, with words under it."""
    reference = _recent(scene)
    if reference is None or not (scene.inbound.media or scene.inbound.place):
        return None
    thing = _PICTURE_SLOT.glean(scene.heard) if scene.inbound.media else _PLACE_SLOT.glean(scene.heard)
    if isinstance(thing, Complaint):
        return Taken(Say((thing.line,), choices=chat.choices("menu"), case=reference), scene.conversation.state)
    waiting = _with(_waiting(scene, reference), thing, scene)
    if waiting.get("agreed"):
        return added(scene, waiting)
    return _asked(scene, waiting)


def announced(scene: Scene) -> Taken | None:
    """ "Evo još jedna slika", before the picture itself."""
    spoken = own_words.folded(scene.heard.text)
    if len(spoken) > WORDS_MAX or own_words.asks_something(scene.heard.text) or not _MORE.intersection(spoken):
        return None
    reference = _recent(scene) if any(word.startswith(_PICTURES) for word in spoken) else None
    return _asked(scene, _waiting(scene, reference)) if reference else None


def agreed(scene: Scene, reference: str) -> Taken:
    """Yes, it is for that case: what waits is added, or asked for if nothing came yet."""
    waiting = {**_waiting(scene, reference), "agreed": True, "at": scene.now}
    if waiting.get("media") or _pin(waiting):
        return added(scene, waiting)
    say = Say((Line("case_late_send", {"case_no": reference}),), choices=chat.choices("menu"), case=reference)
    return Taken(say, {**scene.conversation.state, STATE: waiting})


def added(scene: Scene, waiting: Mapping[str, Any]) -> Taken:
    """All that waits joins the case."""
    pin = _pin(waiting)
    effect = AddToCase(
        str(waiting["case"]),
        tuple(Attachment("", kind, size, "waiting", url) for kind, url, size in waiting.get("media", ())),
        Place("", *pin) if pin else None,
        str(waiting.get("note", "")),
    )
    kept = {"case": waiting["case"], "agreed": True, "at": scene.now}
    line = Line("case_added", {"case_no": effect.reference})
    say = Say((line,), choices=chat.choices("menu"), case=effect.reference)
    return Taken(say, {**scene.conversation.state, STATE: kept}, (effect,))


def for_another(scene: Scene, reference: str) -> tuple[Inbound, ...]:
    """What waits, as messages with which another form may begin."""
    waiting, base = _waiting(scene, reference), scene.inbound
    pin, note = _pin(waiting), str(waiting.get("note", ""))
    things = [
        replace(base, kind="attachment", choice="", media=Thing(kind, url, "", size), text=note if not number else "")
        for number, (kind, url, size) in enumerate(waiting.get("media", ()))
    ]
    if pin:
        things.append(replace(base, kind="location", choice="", place=pin))
    return tuple(things)


def _pin(waiting: Mapping[str, Any]) -> tuple[float, float] | None:
    place = waiting.get("place") or {}
    return (place["latitude"], place["longitude"]) if "latitude" in place else None


def forgotten(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The memory without what waited and without the case it might have been for."""
    return {name: value for name, value in state.items() if name not in (STATE, receipts.STATE)}


def _asked(scene: Scene, waiting: Mapping[str, Any]) -> Taken:
    reference = str(waiting["case"])
    ways = (case_choice("add", reference, "btn_yes"), case_choice("another", reference, "btn_new_report"))
    say = Say(
        (Line("case_late_ask", {"case_no": reference}),),
        choices=(*ways, *chat.choices("menu")),
        ask="choice",
        case=reference,
    )
    return Taken(say, {**scene.conversation.state, STATE: waiting})


def _recent(scene: Scene) -> str | None:
    """The case filed here within the last hour."""
    filed = scene.conversation.state.get(receipts.STATE, {})
    fresh = filed and scene.now - filed.get("at", 0) <= LATE_SECONDS
    return str(filed["case"]) if fresh else None


def _waiting(scene: Scene, reference: str | None) -> dict[str, Any]:
    kept = dict(scene.conversation.state.get(STATE, {}))
    if kept.get("case") != reference:
        kept = {}
    if kept.get("agreed") and scene.now - kept.get("at", 0) > ADDING_SECONDS:
        kept = {}
    return {**kept, "case": reference, "at": scene.now}


def _with(waiting: dict[str, Any], thing: Any, scene: Scene) -> dict[str, Any]:
    if scene.inbound.media:
        waiting["media"] = joined(waiting.get("media", ()), thing)
    elif thing:
        waiting["place"] = thing
    if scene.heard.text and not waiting.get("note"):
        waiting["note"] = scene.heard.text[:NOTE_CHARS_MAX]
    return waiting
