"""The form engine: one message to an open form.

It asks what is missing, one thing at a time, takes whatever is given, and files only what was confirmed. None means
that the message is not the form's business: the engine then answers as usual and the question is repeated.
"""

from __future__ import annotations

from chalicelib.dialogue.answering import on_text, on_thing
from chalicelib.dialogue.asking import RESUME_AFTER_SECONDS, ask_once_more, land, where_it_was
from chalicelib.dialogue.forms import SUMMARY, Draft, Filled, Outcome, Scene
from chalicelib.dialogue.pressing import on_choice
from chalicelib.small_classes import replace


def go_on(scene: Scene, draft: Draft) -> Outcome:
    """One message to an open form."""
    draft, landed = land(scene, draft)
    kind = scene.heard.inbound.kind
    if kind == "choice":
        outcome = on_choice(scene, draft)
    elif kind in ("text", "link"):
        outcome = on_text(scene, draft, landed)
    elif kind in ("attachment", "location", "phone"):
        outcome = on_thing(scene, replace(draft, paused=False, other={}))
    else:
        outcome = None if draft.paused or kind == "contact" else ask_once_more(scene, draft)
    return _after_silence(scene, draft, outcome)


def _after_silence(scene: Scene, draft: Draft, outcome: Outcome) -> Outcome:
    """After half an hour the citizen is reminded that something is open, and of what was given."""
    if not isinstance(outcome, Filled) or outcome.draft is None:
        return outcome
    after = replace(outcome.draft, at=scene.now)
    if scene.now - draft.at <= RESUME_AFTER_SECONDS or scene.heard.inbound.choice.startswith("form."):
        return replace(outcome, draft=after)
    *others, last = outcome.says
    reminder = () if after.asked == SUMMARY else where_it_was(scene, after)
    last = replace(last, lines=(*reminder, *last.lines))
    return replace(outcome, says=(*others, last), draft=after)
