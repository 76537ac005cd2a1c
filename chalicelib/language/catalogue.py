"""Interface texts by language, and how a template becomes words.

`catalogues/` has a folder for the bot itself and one for each kind of service that says more; a language is one file in
each of them, and one without a file for the bot is not offered. Texts are read when a town is compiled and travel
inside its published version, so nothing is read from disk while answering.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.language.scripts import to_cyrillic
from chalicelib.patterns import pattern

_FOLDER = Path(__file__).parent / "catalogues"
_PLACEHOLDER = pattern(r"\{(\w+)\}")
BOT = "bot"
SECTIONS = ("texts", "widget")
PREFIXED_SECTIONS = ("days", "terms", "status", "category", "holiday")


def names() -> tuple[str, ...]:
    """Every catalogue there is, by file name without ending."""
    return tuple(sorted(path.stem for path in (_FOLDER / BOT).glob("*.toml")))


def folders() -> tuple[str, ...]:
    """What has texts of its own: the bot first, then kinds of service."""
    return (BOT, *sorted(path.name for path in _FOLDER.iterdir() if path.is_dir() and path.name != BOT))


@lru_cache(maxsize=16)
def load(name: str) -> Mapping[str, Any]:
    """One catalogue: `language` (id, name, scripts, plural) and `texts`: key → template or plural forms.

    Texts of the sections `terms`, `days`, `status`, `category`, `holiday` carry the section as prefix (`days.mon`).
    """
    texts: dict[str, Any] = {}
    for folder in folders():
        texts |= texts_in(folder, name)
    return {"language": _read(BOT, name)["language"], "texts": texts}


def texts_in(folder: str, name: str) -> dict[str, Any]:
    """The texts of one folder in the catalogue `name`: key → template or plural forms."""
    part, texts = _read(folder, name), dict[str, Any]()
    for section in SECTIONS:
        texts |= part.get(section, {})
    for section in PREFIXED_SECTIONS:
        texts |= {f"{section}.{key}": value for key, value in part.get(section, {}).items()}
    return texts


def _read(folder: str, name: str) -> Mapping[str, Any]:
    import tomllib  # a published version has its texts: a turn needs no catalogue

    return tomllib.loads((_FOLDER / folder / f"{name}.toml").read_text(encoding="utf-8"))


def placeholders(template: str | Mapping[str, str]) -> frozenset[str]:
    """The names of the placeholders of a template or of all its plural forms."""
    if isinstance(template, str):
        return frozenset(_PLACEHOLDER.findall(template))
    return frozenset().union(*(placeholders(form) for form in template.values()))


def plural_form(n: int, plural: str) -> str:
    """CLDR class of `n`: `slavic` has one, few and other; `two` has one and other."""
    if plural != "slavic":
        return "one" if n == 1 else "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "other"


def word(
    template: str | Mapping[str, str],
    plural: str,
    script: str,
    values: Mapping[str, str | int],
    latin_words: tuple[str, ...] = (),
) -> str:
    """The template in the script asked for, with `values` put in as they are.

    Only named placeholders are replaced, so braces in a citizen's own words are printed as typed. `latin_words` are
    names that stay in Latin inside Cyrillic.
    """
    if not isinstance(template, str):
        template = template[plural_form(int(values.get("n", 0)), plural)]
    if script == "cyrillic":
        template = cyrillic(template, latin_words)
    return _PLACEHOLDER.sub(_value_of(values), template)


def _value_of(values: Mapping[str, str | int]) -> Callable[[re.Match[str]], str]:
    return lambda match: str(values.get(match[1], match[0]))


@lru_cache(maxsize=4096)
def cyrillic(template: str, latin_words: tuple[str, ...] = ()) -> str:
    """`template` in Cyrillic, without the names a town wants in Latin."""
    if not latin_words:
        return to_cyrillic(template)
    names = pattern("|".join(rf"\b{re.escape(name)}\b" for name in sorted(latin_words, key=len, reverse=True)))
    parts, end = [], 0
    for match in names.finditer(template):
        parts += [to_cyrillic(template[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, to_cyrillic(template[end:])])
