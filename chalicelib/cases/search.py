"""By which words staff find a case: folded to one Latin form, so that script and diacritics do not matter. Pure.

What is sealed is never among them. A case stands under at most `WORDS_MAX` words; what else it says is looked at when
it was found by one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.language.folding import fold, words
from chalicelib.model import Case
from chalicelib.patterns import pattern
from chalicelib.understanding.entities.phones import phone_of

WORDS_MAX = 13  # with the phone, and the note of what stands where written twice, 16 write units
WORD_LETTERS_MIN = 3
NAME_LETTERS_MIN = 2
WORD_LETTERS_MAX = 24
ASKED_WORDS_MAX = 6
PHONE_DIGITS_MIN = 4
DIALLED_DIGITS_MIN = 8  # of the shortest whole number, as one dials it in the own country
# What the citizen wrote, of all a form asks for.
OWN_TEXT = ("description", "question", "text")
_YEAR = pattern(r"(19|20)\d\d")
# Words so common that nobody is found by them.
_EMPTY = frozenset(
    """
    ali ako bez bila bilo biti bude do dok gde ima iz iza ja jer jos kada kako kod koja koje koji kroz mi mu na
    nad nam nas nego neki nema ni nije ne niz no od oko ona oni ono ovaj ova ovo po pod posle prema preko pri sa
    samo sam se smo su sto sta ta taj tako te to tu uz va vas vec vise za zbog zahtev predmet per dhe nga nje
    the and for with und der die das von
    """.split()  # noqa: SIM905
)


def words_of(case: Case) -> tuple[str, ...]:
    """The words a case is found by, each once, who and where before what."""
    named = _worth(case.applicant.get("name", ""), NAME_LETTERS_MIN)
    place = _worth(case.place.text if case.place else "", WORD_LETTERS_MIN)
    number = [word for word in _worth(case.number, WORD_LETTERS_MIN) if not _YEAR.fullmatch(word)]
    said = [word for text in _said(case) for word in _worth(text, WORD_LETTERS_MIN)]
    subject = _worth(case.subject, WORD_LETTERS_MIN)
    return tuple(dict.fromkeys([*named, *number, *subject, *place, *said]))[:WORDS_MAX]


def phone_of_case(case: Case, country: str) -> str:
    """The digits of the applicant's phone with its country code; "" if there is none that can be one."""
    return (phone_of(case.applicant.get("phone", ""), country) or "").removeprefix("+")


def asked(written: str) -> tuple[str, ...]:
    """The words somebody looks for."""
    found = dict.fromkeys(word[:WORD_LETTERS_MAX] for word in words(fold(written)) if len(word) >= NAME_LETTERS_MIN)
    telling = [word for word in found if word not in _EMPTY] or list(found)
    return tuple(telling[:ASKED_WORDS_MAX])


def matches(case: Case, wanted: Iterable[str]) -> bool:
    """Whether each of `wanted` begins a word of the case, indexed or not."""
    texts = (case.applicant.get("name", ""), case.number, case.subject, case.place.text if case.place else "")
    said = {word for text in (*texts, *_said(case)) for word in words(fold(text))}
    return all(any(word.startswith(each) for word in said) for each in wanted)


def digits(written: str) -> str:
    """A phone number, or its ending, as typed: digits alone; of a whole number without the zeros that only the own
    country needs. The ending of one may begin with a zero."""
    plain = re.sub(r"\D", "", written)
    return plain.lstrip("0") if len(plain) >= DIALLED_DIGITS_MIN else plain


def is_phone(written: str) -> bool:
    """Whether this may be a phone number or the ending of one."""
    plain = written.strip()
    return bool(re.fullmatch(r"\+?[\d ()/.-]+", plain)) and len(digits(plain)) >= PHONE_DIGITS_MIN


def _said(case: Case) -> list[str]:
    return [str(case.fields[name]) for name in OWN_TEXT if case.fields.get(name)]


def _worth(text: str, letters_min: int) -> list[str]:
    found = (word[:WORD_LETTERS_MAX] for word in words(fold(text)))
    return [word for word in found if len(word) >= letters_min and word not in _EMPTY]
