"""Dates as people write them: day before month, months by name in every language the towns speak."""

from __future__ import annotations

import datetime as dt

from chalicelib.language.folding import fold, words
from chalicelib.patterns import pattern
from chalicelib.understanding.entities.masking import take

YEAR_MIN, YEAR_MAX = 1900, 2100
_MONTH_STEMS = (
    ["januar", "jan", "sijecanj", "sijecnj", "janar", "january", "jaener", "janner"],
    ["februar", "feb", "veljac", "shkurt", "february", "feber"],
    ["mart", "mar", "ozujk", "ozujak", "marsh", "march", "marz", "maerz"],
    ["april", "apr", "travanj", "travnj", "prill"],
    ["maj", "svibanj", "svibnj", "may", "mai"],
    ["jun", "juni", "lipanj", "lipnj", "qershor", "june"],
    ["jul", "juli", "srpanj", "srpnj", "korrik", "korik", "july"],
    ["avgust", "august", "kolovoz", "gusht"],
    ["septembar", "septembr", "sept", "rujan", "rujn", "shtator", "september"],
    ["oktobar", "oktobr", "okt", "listopad", "tetor", "october", "oktober"],
    ["novembar", "novembr", "nov", "studeni", "studenog", "nentor", "november"],
    ["decembar", "decembr", "dec", "prosinac", "prosinc", "dhjetor", "december", "dezember"],
)
_MONTHS = {fold(stem): number for number, stems in enumerate(_MONTH_STEMS, 1) for stem in stems}
_ENDING_LETTERS_MAX = 2
_NUMERIC = pattern(r"(?<![\d/.-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?[./-]\s?(\d{4})(?![\d/-])\.?")
_ISO = pattern(r"(?<![\d/.-])(\d{4})-(\d{2})-(\d{2})(?![\d/-])")
_NAMED = pattern(r"(?<![\d/.-])(\d{1,2})(?:\.|st|nd|rd|th)?\s?([^\W\d_]{3,12})\.?,?\s(\d{4})(?!\d)\.?")
_NAME_FIRST = pattern(r"(?<!\w)([^\W\d_]{3,12})\s(\d{1,2})(?:st|nd|rd|th)?,\s?(\d{4})(?!\d)")
_DAYS_FROM_TODAY = {
    "prekjuce": -2, "preksinoc": -2, "juce": -1, "jucer": -1, "sinoc": -1, "danas": 0, "veceras": 0, "sutra": 1,
    "sjutra": 1, "prekosutra": 2, "sot": 0, "neser": 1, "pasneser": 2, "today": 0, "tonight": 0, "tomorrow": 1,
    "yesterday": -1, "heute": 0, "gestern": -1, "ubermorgen": 2, "vorgestern": -2,
}  # fmt: skip
_RELATIVE = {fold(word): days for word, days in _DAYS_FROM_TODAY.items()}


def take_dates(text: str) -> tuple[list[str], str]:
    """Full dates as `YYYY-MM-DD`; a year in two figures is no date."""
    found: list[str] = []
    for written, value_of in (
        (_ISO, lambda m: _date(m[1], m[2], m[3])),
        (_NUMERIC, lambda m: _date(m[4], m[3], m[1])),
        (_NAMED, lambda m: _date(m[3], _month(m[2]), m[1])),
        (_NAME_FIRST, lambda m: _date(m[3], _month(m[1]), m[2])),
    ):
        values, text = take(text, written, value_of)
        found += [value for value in values if value not in found]
    return found, text


def date_in(text: str, today: dt.date) -> str | None:
    """The first date a message names; "sutra" and its like are counted from `today`."""
    full, _ = take_dates(text)
    if full:
        return full[0]
    days = next((_RELATIVE[word] for word in words(fold(text)) if word in _RELATIVE), None)
    return None if days is None else (today + dt.timedelta(days=days)).isoformat()


def _month(name: str) -> int | None:
    folded = fold(name)
    return next(
        (
            _MONTHS[folded[:end]]
            for end in range(len(folded), max(2, len(folded) - _ENDING_LETTERS_MAX) - 1, -1)
            if folded[:end] in _MONTHS
        ),
        None,
    )


def _date(year: str, month: str | int | None, day: str) -> str | None:
    if month is None or not YEAR_MIN <= int(year) <= YEAR_MAX:
        return None
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
