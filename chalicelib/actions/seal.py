"""Between the step and the commit: what a turn heard that may be stored only sealed is sealed, and what a case takes
over from the conversation is sealed for the case."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.model import Case, Conversation, OpenCase, Turn
from chalicelib.small_classes import replace
from chalicelib.storage import keys, sealing
from chalicelib.wire import Deadline


def kept(after: Conversation, secrets: Mapping[str, str], deadline: Deadline) -> Conversation:
    """The conversation with this turn's secrets sealed in it, by their names."""
    place = keys.conversation(after.account, after.citizen)
    sealed = {name: sealing.seal(after.town, place, name, clear, deadline) for name, clear in secrets.items()}
    return replace(after, sealed={**after.sealed, **sealed})


def filed(turn: Turn, before: Conversation, deadline: Deadline) -> Turn:
    """The turn with its cases' sealed values taken over from the conversation `before` it.

    A case as the step made it says by which name each value stands there.
    """
    effects = tuple(
        replace(effect, case=_case(effect.case, before, deadline)) if isinstance(effect, OpenCase) else effect
        for effect in turn.effects
    )
    return replace(turn, effects=effects)


def _case(case: Case, before: Conversation, deadline: Deadline) -> Case:
    origin, place = keys.conversation(before.account, before.citizen), keys.case(before.town, case.reference)
    sealed = {
        slot: sealing.moved(before.town, origin, name, before.sealed[name], place, slot, deadline)
        for slot, name in case.sealed.items()
        if name in before.sealed
    }
    return replace(case, sealed=sealed)
