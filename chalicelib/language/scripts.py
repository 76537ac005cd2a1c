"""Serbian, Bosnian and Montenegrin in their two scripts: which one a text is in, and one made from the other.

Latin is what towns write; Cyrillic is derived. Protected spans (addresses, references, brands, units, placeholders)
stay as they are. Three pairs of letters are usually one sound (lj, nj, dž) but not across the seam of a prefix or in
a foreign stem; the stems below come from the free Serbian Cyrillic spelling dictionary.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chalicelib.patterns import pattern

_CYRILLIC = "абвгдђежзијклљмнњопрстћуфхцчџш"
_LATIN = "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š".split()  # noqa: SIM905
_TO_LATIN = dict(zip(_CYRILLIC, _LATIN, strict=True))
_TO_CYRILLIC = {latin: cyrillic for cyrillic, latin in _TO_LATIN.items()}
# Letters of neighbours' alphabets that citizens' keyboards produce.
_TO_LATIN |= {
    "ѓ": "đ",
    "ќ": "ć",
    "ѕ": "dz",
    "щ": "š",
    "ы": "i",
    "э": "e",
    "я": "ja",
    "ю": "ju",
    "й": "j",
    "ё": "jo",
    "ь": "",
    "ъ": "",
}
_LOOKALIKES = str.maketrans("аеорсухјкмтвнАЕОРСУХЈКМТВН", "aeopcyxjkmtbhAEOPCYXJKMTBH")

_LETTERS = pattern(r"[^\W\d_]")
_IS_CYRILLIC = pattern(r"[Ѐ-ӿ]+")
_IS_LATIN = pattern(r"[A-Za-zÀ-ž]+")
_WORD = pattern(r"[^\W\d_]+")

_BRANDS = """Viber WhatsApp Facebook Instagram Android iOS GIZ NALED UNDP IOM PDF JPG PNG JSON MP4 QR IBAN MB kB GB km
    kWh RSD EUR BAM CEOP Google Apple Windows""".split()  # noqa: SIM905
_PROTECTED = pattern(
    r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+|(?<![\w-])[\w-]+\.(?:rs|ba|me|com|org|net|info|eu|gov)(?:\.\w+)?(?:/\S*)?\b"
    r"|\{[^{}]*\}|<[^<>]*>"
    r"|\b[A-Z]{2,4}-[A-Z0-9]+(?:-[A-Z0-9]+)*\b"  # references: SO-7KM4-2A9, ROP-SRB-1
    r"|\b(?:X{1,3}(?:IX|IV|V?I{0,3})|IX|IV|VI{0,3}|I{2,3})\b"  # Roman numerals; a lone I is the word "i" in capitals
    r"|\b(?:" + "|".join(map(re.escape, _BRANDS)) + r")\b"
    r"|\b\w*[wqyWQY]\w*\b"  # letters no Serbian word has
)
_SEAMS = pattern(
    r"(?i)(?<![^\W\d_])(?=[ikvtšnopa])(?:"
    r"(?P<n>(?:in|kon)(?=jekc|jekt|junk|jug)|(?:an)(?=jon)|(?:van)(?=jezič|jedarn)|(?:tan)(?=jug)|(?:šen)(?=jang))"
    r"|(?P<d>(?:na)d(?=živ|žnj|žup|žet|že\b)|(?:o)d(?=živ|žal|žar[^k])|(?:po)d(?=žan|žup|žd|žut)|(?:pre)d(?=že|živ)|(?:an)d(?=žej))"
    r")"
)
_SEAM = "\u2060"  # word joiner: marks where two letters stay two letters
_DIGRAPH = pattern(r"[Dd][Žž]|[Ll][Jj]|[Nn][Jj]")


def script_of(text: str) -> str | None:
    """`latin` or `cyrillic`, by the letters; None when there are none."""
    cyrillic = _letters(_IS_CYRILLIC, text)
    latin = _letters(_IS_LATIN, text)
    if cyrillic == latin == 0:
        return None
    return "cyrillic" if cyrillic > latin else "latin"


def _letters(runs: re.Pattern[str], text: str) -> int:
    """How many letters there are in such runs."""
    return sum(map(len, runs.findall(text)))


def to_cyrillic(text: str) -> str:
    """Serbian Latin to Cyrillic, protected spans left alone."""
    parts, end = [], 0
    for match in _PROTECTED.finditer(text):
        parts += [_letters_to_cyrillic(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, _letters_to_cyrillic(text[end:])])


def _letters_to_cyrillic(text: str) -> str:
    seamed = _SEAMS.sub(lambda match: match.group() + _SEAM, text)
    joined = _DIGRAPH.sub(lambda match: _cased(match.group(), _TO_CYRILLIC[match.group().lower()]), seamed)
    return joined.translate(_SINGLES)


def _cased(latin: str, cyrillic: str) -> str:
    return cyrillic.upper() if latin[0].isupper() else cyrillic


_SINGLES = {ord(latin): cyrillic for latin, cyrillic in _TO_CYRILLIC.items() if len(latin) == 1}
_SINGLES |= {ord(latin.upper()): cyrillic.upper() for latin, cyrillic in _TO_CYRILLIC.items() if len(latin) == 1}
_SINGLES[ord(_SEAM)] = ""


def to_latin(text: str) -> str:
    """Cyrillic to Serbian Latin; a word in capitals gives LJ, NJ, DŽ, a capitalised one Lj, Nj, Dž."""
    if not _IS_CYRILLIC.search(text):
        return text
    return _WORD.sub(lambda match: _word_to_latin(match.group()), text)


@lru_cache(maxsize=2048)
def _word_to_latin(word: str) -> str:
    latin_letters = _letters(_IS_LATIN, word)
    if latin_letters and latin_letters * 2 >= len(word):
        # A Cyrillic letter slipped into a Latin word: it was meant as the Latin letter it looks like.
        word = word.translate(_LOOKALIKES)
    capitals = len(word) > 1 and word.isupper()
    letters = []
    for letter in word:
        latin = _TO_LATIN.get(letter.lower())
        if latin is None:
            letters.append(letter)
        elif letter.islower():
            letters.append(latin)
        else:
            letters.append(latin.upper() if capitals else latin.capitalize())
    return "".join(letters)
