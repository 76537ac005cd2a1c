"""A case without the person: what stays of it when its citizen has everything about them erased. Pure.

Three fates. What the registry leads by a number of its own stays as the town wrote it, only the tie to the chat is cut.
A communal problem stays a problem: kind, place and a description without numbers and names. Anything else was for the
person alone: while open it is withdrawn, and of its answers nothing stays.
"""

from __future__ import annotations

from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import Event
from chalicelib.language.folding import fold, words
from chalicelib.model import Case, Follower, Happening
from chalicelib.patterns import pattern
from chalicelib.small_classes import replace
from chalicelib.understanding.entities import read

_NUMBER = pattern(r"\+?\d(?:[\s./-]?\d){3,}")
_MAIL = pattern(r"(?<![^\s@])[^\s@]++@\S+")  # begun at a word's beginning only: a long word is read once
_WORD = pattern(r"\w+")
NAME_LETTERS_MIN = 3
ENDING_LETTERS_MAX = 3  # of a name in another case: -a, -om, -ima
KEPT_FIELDS = ("rating", "street_folded")


def is_the_towns_own(case: Case) -> bool:
    """Whether the town itself opened it (at the counter, by its own system) and must keep it."""
    return case.kind == "administrative" or (bool(case.history) and case.history[0].by.startswith(("api", "staff")))


def without(case: Case, who: Follower, at: int) -> Case:
    """The case with `who` taken out of it."""
    followers = tuple(follower for follower in case.followers if follower != who)
    if case.owner != who:
        return replace(case, followers=followers)
    apart = replace(case, owner=None, followers=followers, consent=False, voice=None, access_hash="")
    if is_the_towns_own(case):
        return apart
    blank = replace(
        apart,
        applicant={},
        sealed={},
        private={},
        attachments=(),
        call={},
        fields=_fields(case),
        place=case.place if case.kind == "problem" else None,
        history=tuple(cleaned(case, entry) for entry in case.history),
    )
    if case.kind != "problem" and lifecycle.is_open(case):
        return lifecycle.change(blank, Event(at, lifecycle.CITIZEN, name=lifecycle.WITHDRAWN))
    return replace(blank, updated_at=max(at, case.updated_at))


def cleaned(case: Case, entry: Happening) -> Happening:
    """An entry of the history: the citizen's own words go, others lose the citizen's name and numbers."""
    if entry.by == lifecycle.CITIZEN:
        return replace(entry, note=entry.note if entry.event == lifecycle.RATED else "")
    return replace(entry, note=masked(entry.note, case)) if entry.note else entry


def masked(text: str, case: Case) -> str:
    """Words without numbers, addresses of e-mail, and what the applicant is called, in whichever case."""
    stems = {_stem(part) for value in case.applicant.values() for part in words(fold(str(value)))}
    called = tuple(stem for stem in stems if len(stem) >= NAME_LETTERS_MIN)
    rest = _NUMBER.sub(" ", read(_MAIL.sub(" ", text))[1])
    named = _WORD.sub(lambda word: " " if _names(fold(word[0]), called) else word[0], rest)
    return " ".join(named.split())


def _stem(name: str) -> str:
    """What every case of a name begins with: Mira, Miru, Mirom."""
    return name[:-1] if len(name) > NAME_LETTERS_MIN and name[-1] in "aeiou" else name


def _names(word: str, stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stem) and len(word) - len(stem) <= ENDING_LETTERS_MAX for stem in stems)


def _fields(case: Case) -> dict[str, object]:
    if case.kind != "problem":
        return {name: value for name, value in case.fields.items() if name == "rating"}
    return {
        name: value if name in KEPT_FIELDS or not isinstance(value, str) else masked(value, case)
        for name, value in case.fields.items()
    }
