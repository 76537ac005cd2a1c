"""Our references, towns' own file numbers, personal numbers."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Literal

from chalicelib.language.scripts import to_latin
from chalicelib.patterns import pattern
from chalicelib.understanding.entities.masking import take

REFERENCE_LETTERS = "AEJKMT23456789"
PERSONAL_NUMBER_DIGITS = 13
ACCESS_CODE_LETTERS = 6
# One Latin letter for each, so that places in the text stay the same; towns' prefixes have no marks.
_ONE_FOR_ONE = str.maketrans("АБВГДЂЕЖЗИЈКЛЉМНЊОПРСТЋУФХЦЧЏШČĆŠŽĐ", "ABVGDDEZZIJKLLMNNOPRSTCUFHCCDSCCSZD")
_SEPARATOR = r"[ \t.-]{0,3}"
_REFERENCE = pattern(
    rf"(?<!\w)([A-Z]{{2}}){_SEPARATOR}" + _SEPARATOR.join(f"([{REFERENCE_LETTERS}])" for _ in range(7)) + r"(?!\w)"
)
_ACCESS_CODE = pattern(rf"(?<![\w-])[{REFERENCE_LETTERS}]{{3}}-?[{REFERENCE_LETTERS}]{{3}}(?![\w-])")
_DASH, _SLASH = r"\s?[-–—]\s?", r"\s?/\s?"
_FILE_NUMBER = pattern(
    rf"(?<![\w/-])(?=[\dRIVX])(?:ROP{_DASH}[A-Z]{{2,4}}{_DASH}\d{{1,6}}{_DASH}[A-Z]{{2,5}}{_DASH}\d{{1,3}}/\d{{4}}"
    rf"|(?:[IVX]{{1,4}}{_DASH})?\d{{2,3}}{_DASH}\d{{1,6}}{_SLASH}\d{{2,4}}(?:{_DASH}\d{{1,6}})?(?:{_SLASH}\d{{1,4}})?(?:{_DASH}(?:[IVX]{{1,4}}|\d{{2}}))?"
    rf"|\d{{2}}{_SLASH}\d{{2}}{_DASH}\d{{1,6}}{_SLASH}\d{{2}}"
    rf"|\d{{2}}{_DASH}\d{{2}}{_DASH}\d{{1,6}}{_SLASH}\d{{2,4}}"
    rf"|\d{{5}}{_DASH}\d{{3}}{_DASH}\d{{1,6}}{_SLASH}\d{{2,4}}"
    r"|\d{9} \d{4} \d{5} \d{3} \d{3} \d{3} \d{3})(?![\w/-])",
    re.IGNORECASE,
)
MASK = "•" * PERSONAL_NUMBER_DIGITS
_ASKED_DIGITS_MIN = 9  # where a personal number was asked for, whatever is longer than a date may be one with a slip
_THIRTEEN = pattern(r"(?<!\d)\d(?: ?\d){12}(?![\d/])")
_PERHAPS_THIRTEEN = pattern(r"(?<![\d/])\d(?:[ .\-]?\d){12}(?![\d/])")
_FIGURE = r"[\dOoОоIl]"  # letters that are typed for 0 and 1
_PERHAPS_ASKED = pattern(rf"\d(?:[ .\-/]?{_FIGURE}){{{_ASKED_DIGITS_MIN - 1},}}")
_WEIGHTS = (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)

Flaw = Literal["length", "date", "checksum", "unusual"]


def take_references(text: str) -> tuple[list[str], str]:
    """Our references as `SO-7KM4-2A9`, typed in either script and case, with or without hyphens and blanks."""
    plain = text.upper().translate(_ONE_FOR_ONE)
    if len(plain) != len(text):
        return [], text
    values, masked = take(plain, _REFERENCE, lambda match: _reference(match, text))
    if not values:
        return [], text
    return values, "".join(old if new != " " else " " for old, new in zip(text, masked, strict=True))


def _reference(match: re.Match[str], text: str) -> str | None:
    letters = "".join(match.groups())
    written = text[match.start() : match.end()]
    if not any(letter.isdigit() for letter in letters) and written != written.upper():
        return None  # an ordinary word of nine letters
    if " " in written.strip() and not any(letter.isdigit() for letter in letters):
        return None
    return f"{letters[:2]}-{letters[2:6]}-{letters[6:]}"


def take_file_numbers(text: str) -> tuple[list[str], str]:
    """Numbers under which towns file their cases, upper case, with plain hyphens and no blanks."""
    return take(text, _FILE_NUMBER, _file_number)


def _file_number(match: re.Match[str]) -> str:
    return re.sub(r"\s?([-/])\s?", r"\1", re.sub("[–—]", "-", to_latin(match.group()).upper()))


def access_code_in(text: str) -> str:
    """The access code of a receipt beside a reference or file number, or among a few words; empty if there is none."""
    rest = take_file_numbers(take_references(text)[1])[1]
    plain = rest.upper().translate(_ONE_FOR_ONE)
    for match in _ACCESS_CODE.finditer(plain):
        written = rest[match.start() : match.end()]
        if any(letter.isdigit() for letter in written) or written == written.upper():
            return match.group().replace("-", "")
    return ""


def as_access_code(text: str) -> str:
    """A whole message that is, or is meant as, an access code: six letters or figures, a figure among them or all of
    a code's own letters. Empty for anything else."""
    plain = re.sub(r"[\W_]", "", text[:20].upper().translate(_ONE_FOR_ONE))
    if len(plain) != ACCESS_CODE_LETTERS or not plain.isascii():
        return ""
    meant = any(letter.isdigit() for letter in plain) or all(letter in REFERENCE_LETTERS for letter in plain)
    return plain if meant else ""


def take_personal_numbers(text: str) -> tuple[list[str], str]:
    """Valid personal numbers (JMBG, JMB), digits only; company numbers of as many digits are left alone."""
    return take(text, _THIRTEEN, _personal_number)


def _personal_number(match: re.Match[str]) -> str | None:
    digits = match.group().replace(" ", "")
    return digits if personal_number_flaw(digits) in (None, "unusual") else None


def hide_personal_numbers(text: str, *, asked: bool = False) -> tuple[str, tuple[str, ...]]:
    """`text` with a mask where personal numbers stood, and their figures in order, wrong letters among them too.

    Thirteen digits that begin with a date are taken for one even if they hold a slip; where one was `asked` for, every
    longer number is.
    """
    hidden: list[str] = []

    def mask(match: re.Match[str]) -> str:
        digits = unicodedata.normalize("NFKC", re.sub(r"[ .\-/]", "", match.group()))
        if not asked and _birth_date(digits) is None:
            return match.group()
        hidden.append(digits)
        return MASK

    return (_PERHAPS_ASKED if asked else _PERHAPS_THIRTEEN).sub(mask, text), tuple(hidden)


def personal_number_flaw(digits: str) -> Flaw | None:
    """What is wrong with a personal number, None if nothing. `unusual`: such a number should never have been issued."""
    if len(digits) != PERSONAL_NUMBER_DIGITS or not (digits.isascii() and digits.isdigit()):
        return "length"
    if _birth_date(digits) is None:
        return "date"
    rest = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False)) % 11
    if rest == 1:
        return "unusual" if digits[-1] == "0" else "checksum"
    return None if int(digits[-1]) == (11 - rest) % 11 else "checksum"


def _birth_date(digits: str) -> dt.date | None:
    """The date a personal number opens with: day, month, last three figures of the year."""
    short = int(digits[4:7])
    if 300 <= short < 900:
        return None
    year = 1000 + short if short >= 900 else 2000 + short
    try:
        return dt.date(year, int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None
