"""Between the step and the commit: what a turn heard that may be stored only sealed is sealed, what a case takes
over from the conversation is sealed for the case, and so are private words of what is said (`model.private`).

What is private is opened for whoever may read it: a form's answers for its next step, words for their citizen, a case's
answers for whoever works on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.dialogue import forms
from chalicelib.model import HIDDEN, PRIVATE, SEALED, Case, Conversation, Line, OpenCase, Say, Turn
from chalicelib.small_classes import replace
from chalicelib.storage import keys, sealing
from chalicelib.wire import Deadline

SAID, TEXT = "said", "text"  # the names under which words are sealed, for a conversation and for an outbox row


def with_answers(conversation: Conversation, deadline: Deadline) -> Conversation:
    """The conversation with its open form's private answers in clear. What does not open is left out: the form then
    asks anew."""
    names = forms.private_names(conversation.state) & conversation.sealed.keys()
    if not names:
        return conversation
    place = keys.conversation(conversation.account, conversation.citizen)
    opened = {
        name: clear
        for name in names
        if (clear := _opened(conversation.town, place, name, conversation.sealed[name], deadline)) is not None
    }
    return replace(conversation, opened=opened)


def closed(say: Say, town: str, account: str, citizen: str, deadline: Deadline) -> Say:
    """Words for a citizen as they may be stored."""
    place = keys.conversation(account, citizen)

    def seal(line: Line) -> Line:
        if PRIVATE not in line.args:
            return line
        sealed = sealing.seal(town, place, SAID, str(line.args["text"]), deadline)
        return Line(line.key, {"text": HIDDEN, SEALED: sealed})

    return _each(say, seal)


def opened(say: Say, town: str, account: str, citizen: str, deadline: Deadline) -> Say:
    """Words as their citizen reads them; what does not open stays hidden."""
    place = keys.conversation(account, citizen)

    def open_(line: Line) -> Line:
        if SEALED not in line.args:
            return line
        clear = _opened(town, place, SAID, str(line.args[SEALED]), deadline)
        return line if clear is None else Line(line.key, {"text": clear, PRIVATE: 1})

    return _each(say, open_)


def _each(say: Say, change: Callable[[Line], Line]) -> Say:
    """The words with every line in them changed; the very same where nothing does."""
    lines, after = (tuple(_line(line, change) for line in lines) for lines in (say.lines, say.after))
    return say if (lines, after) == (say.lines, say.after) else replace(say, lines=lines, after=after)


def _line(line: Line, change: Callable[[Line], Line]) -> Line:
    parts = {name: _line(part, change) if isinstance(part, Line) else part for name, part in line.args.items()}
    return change(Line(line.key, parts) if parts != line.args else line)


def _opened(town: str, place: str, name: str, sealed: str, deadline: Deadline) -> str | None:
    try:
        return sealing.unseal(town, place, name, sealed, deadline)
    except sealing.NotOpened:
        return None


def closed_text(town: str, row: str, text: str, deadline: Deadline) -> dict[str, str]:
    """Text that may hold private words (a letter's, a message's that met a bug) as the outbox keeps it in `row`.
    Raises Unavailable."""
    return {"row": row, SEALED: sealing.seal(town, row, TEXT, text, deadline)}


def text_of(body: Mapping[str, Any], town: str, deadline: Deadline) -> str:
    """The text of an outbox row's body, sealed or not. Raises NotOpened, Unavailable."""
    return sealing.unseal(town, body["row"], TEXT, body[SEALED], deadline) if SEALED in body else str(body[TEXT])


def with_private(case: Case, deadline: Deadline) -> Case:
    """The case with its private answers in clear, for whoever works on it: on record where that is asked for. Storing
    it stores none of them in clear. Raises Unavailable."""
    place = keys.case(case.tenant, case.reference)
    clear = {name: _opened(case.tenant, place, name, sealed, deadline) for name, sealed in case.private.items()}
    return case.with_private({name: HIDDEN if said is None else said for name, said in clear.items()})


def kept(after: Conversation, secrets: Mapping[str, str], deadline: Deadline) -> Conversation:
    """The conversation with this turn's secrets sealed in it, by their names."""
    place = keys.conversation(after.account, after.citizen)
    sealed = {name: sealing.seal(after.town, place, name, clear, deadline) for name, clear in secrets.items()}
    return replace(after, sealed={**after.sealed, **sealed})


def filed(turn: Turn, before: Conversation, deadline: Deadline) -> Turn:
    """The turn with its cases' private answers sealed, and sealed values taken over from the conversation `before` it.

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
    private = {
        name: sealing.seal(before.town, place, name, clear, deadline) for name, clear in case.private_said().items()
    }
    return replace(case.without_private(), sealed=sealed, private=private)
