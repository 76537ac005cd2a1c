"""Phone numbers as people write them → E.164, with the town's country where the country code is missing.

The plans of the four countries from their public numbering plans; other countries' numbers count when they carry their
country code. A message costs no library: the parts that matter here fit on a page.
"""

from __future__ import annotations

import re

from chalicelib.patterns import pattern
from chalicelib.understanding.entities.masking import take

COUNTRY_CODES = {"RS": "381", "BA": "387", "ME": "382", "XK": "383"}
# Digits after the country code, by how the number begins; the first rule that fits decides.
_PLANS = {
    "381": (("6", 8, 9), ("[123]", 7, 9), ("800", 6, 9)),
    "387": (("6", 8, 9), ("[345]", 8, 8), ("80", 8, 8)),
    "382": (("6", 8, 8), ("[2345]", 8, 8), ("80", 8, 8)),
    "383": (("4[3-9]", 8, 8), ("[23]", 8, 8), ("800", 8, 8)),
}
_ABROAD_DIGITS = (8, 15)
_ABROAD_CODES = pattern(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21\d|22\d|23\d|24\d|25\d|26\d|29\d|35\d|37\d|38[0569]|42\d|"
    r"5[09]\d|67\d|68\d|69\d|85\d|88\d|96\d|97\d|99\d"
)
_CANDIDATE = pattern(r"(?<![\w/.-])(?:\+|00)?\(?\d(?:[ ./()-]{0,2}\d){6,16}(?![\w/-])")
# In the north of Kosovo both countries' numbers are in use and 028 exists in both plans.
_MIXED = {"6": "381", "4": "383", "3": "383"}


def take_phones(text: str, region: str) -> tuple[list[str], str]:
    """Every phone number of a message as E.164, and the text without them."""
    return take(text, _CANDIDATE, lambda match: phone_of(match.group(), region))


def phone_of(text: str, region: str) -> str | None:
    """One phone number as E.164; None if it is none, too short or too long, or of a country nobody can tell."""
    written = text.strip()
    digits = re.sub(r"\D", "", written.replace("(0)", ""))
    if written.startswith("+"):
        return _international(digits)
    if digits.startswith("00"):
        return _international(digits[2:])
    if digits.startswith("0"):
        return _national(digits[1:], region)
    if digits[:3] in _PLANS:
        return _international(digits)
    return None


def _national(digits: str, region: str) -> str | None:
    code = _MIXED.get(digits[:1]) if region == "XK" else COUNTRY_CODES.get(region)
    return _international(code + digits) if code else None


def _international(digits: str) -> str | None:
    plan = _PLANS.get(digits[:3])
    if plan is None:
        fits = _ABROAD_DIGITS[0] <= len(digits) <= _ABROAD_DIGITS[1] and _ABROAD_CODES.match(digits)
        return f"+{digits}" if fits else None
    rest = digits[3:].removeprefix("0")
    for begins, least, most in plan:
        if re.match(begins, rest):
            return f"+{digits[:3]}{rest}" if least <= len(rest) <= most else None
    return None
