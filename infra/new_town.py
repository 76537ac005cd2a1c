"""`./salter town new`: asks for what a new town is called and speaks, and has its first folder written.

Flags say the same as the questions; on a terminal, whatever no flag says is asked for.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import string
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from chalicelib.language.folding import fold
from chalicelib.tenancy.schema import LANGUAGES, VIBER_NAME_CHARS_MAX
from infra import first_folder, towns
from infra.first_folder import Wishes, table

SLUG_PATTERN = r"[a-z][a-z0-9-]{1,38}[a-z0-9]"
NUMBER_MAX = 9999
# Languages whose names change by case: all three forms are needed, for nothing is inflected by program.
INFLECTED = ("sr", "bs", "cnr")
FORMS = ("plain", "genitive", "locative")
CYRILLIC_TOO = ("sr", "bs", "cnr")
NAME_EXAMPLE = "Grad Primer / Grada Primera / Gradu Primeru"
# Not what a town is told from others by, when its prefix is made.
PLACE_WORDS = ("grad", "opstina", "opcina", "komuna", "municipality", "city", "gemeinde", "stadt", "the", "of")


class Wrong(ValueError):
    """An answer that cannot be used; its words say what can."""


def add_command(town: Any, stage: argparse.ArgumentParser) -> None:
    """Put `new` beside the other verbs of `./salter town`."""
    command = town.add_parser("new", parents=[stage], help="write the folder of a new town; asks for what no flag says")
    command.add_argument("slug", help="the folder's name: small letters, digits, hyphens")
    command.add_argument("--country", choices=sorted(table("jurisdictions")), help="whose library of sheets fits")
    languages = f"{', '.join(LANGUAGES)}, the town's own first; sr=latin for one script"
    command.add_argument("--language", action="append", default=[], help=languages)
    names = f'en=Primer; where names change by case, three forms: "sr={NAME_EXAMPLE}"'
    command.add_argument("--name", action="append", default=[], help=names)
    command.add_argument("--web", action="append", nargs="?", const="", help="web chat; a site that may embed it")
    command.add_argument("--viber", nargs="?", const="", help="Viber; the bot's account (default: the slug)")
    command.add_argument("--viber-name", default="", help=f"shown in Viber, at most {VIBER_NAME_CHARS_MAX} characters")
    command.add_argument("--bot-name", default="", help="what the bot calls itself")
    command.add_argument("--time-zone", default="", help="default: the country's")
    command.add_argument("--prefix", default="", help="two letters before every reference; default: free ones")
    command.add_argument("--number", type=int, default=0, help="default: a free one")
    command.add_argument("--kind", choices=["municipality", "ngo"], default="municipality")
    command.add_argument("--colour", default=first_folder.COLOUR, help="the town's colour, #rrggbb")
    command.set_defaults(run=_new)


def _new(parsed: argparse.Namespace) -> int:
    try:
        _may_be_made(parsed.slug)
        wishes = _said(parsed)
        if sys.stdin.isatty():
            ask(wishes, input)
        complete(wishes)
    except Wrong as wrong:
        print(f"{parsed.slug}: {wrong}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print(f"\n{parsed.slug}: stopped asking; nothing was written", file=sys.stderr)
        return 1
    made = first_folder.write(wishes, dt.datetime.now(dt.UTC).date().isoformat())
    print(f"{towns.root() / wishes.slug} is written: {made} files, and it answers already. Next:")
    print(f"  ./salter town check {wishes.slug}   what is still to be confirmed, and what hangs loose")
    print(f"  ./salter town test {wishes.slug}    plays its conversations")
    print(f"  ./salter town plan {wishes.slug}    what publishing would change")
    print(f"  ./salter town apply {wishes.slug}   publishes it")
    return 0


# --- what was said ------------------------------------------------------------------------------------------------


def _may_be_made(slug: str) -> None:
    if not re.fullmatch(SLUG_PATTERN, slug):
        raise Wrong("cannot be a folder's name; use 3 to 40 small letters, digits and hyphens, e.g. novo-selo")
    if (towns.root() / slug).exists():
        raise Wrong(f"{towns.root() / slug} is there already; nothing was changed")


def _said(parsed: argparse.Namespace) -> Wishes:
    """The flags, each checked by itself. Raises Wrong."""
    wishes = Wishes(parsed.slug, jurisdiction=parsed.country or "", kind=parsed.kind, colour=parsed.colour)
    for one in parsed.language:
        _add_language(wishes, one)
    for one in parsed.name:
        language, _, forms = one.partition("=")
        wishes.names[language.strip()] = _forms(language.strip(), forms)
    if parsed.web is not None:
        wishes.web = [origin for origin in parsed.web if origin]
    wishes.viber = None if parsed.viber is None else parsed.viber or parsed.slug
    wishes.viber_name = _viber_name(parsed.viber_name) if parsed.viber_name else ""
    wishes.bot_name, wishes.time_zone = parsed.bot_name, parsed.time_zone
    wishes.prefix, wishes.number = parsed.prefix.upper(), parsed.number
    return wishes


def _add_language(wishes: Wishes, said: str) -> None:
    language, _, scripts = said.strip().partition("=")
    if language not in LANGUAGES:
        raise Wrong(f'--language: "{language}" is not offered; use {", ".join(LANGUAGES)}')
    usual = ["latin", "cyrillic"] if language in CYRILLIC_TOO else ["latin"]
    wanted = [script.strip() for script in scripts.split(",")] if scripts else usual
    if not set(wanted) <= set(usual):
        raise Wrong(f"--language {said}: scripts of {language} are {', '.join(usual)}")
    wishes.languages[language] = wanted


def _forms(language: str, said: str) -> dict[str, str]:
    """`Grad Primer / Grada Primera / Gradu Primeru` as the forms of the schema. Raises Wrong."""
    if language not in LANGUAGES:
        raise Wrong(f'--name: write it as LANGUAGE=NAME; "{language}" is none of {", ".join(LANGUAGES)}')
    parts = [part.strip() for part in said.split("/")]
    needed = len(FORMS) if language in INFLECTED else 1
    if not all(parts) or len(parts) not in (needed, len(FORMS)):
        example = f"sr={NAME_EXAMPLE}" if needed > 1 else f"{language}=Primer"
        forms = f"{needed} forms" if needed > 1 else "the name"
        raise Wrong(f'--name: "{language}={said}" needs {forms}, e.g. --name "{example}"')
    return dict(zip(FORMS, parts, strict=False))


def _viber_name(said: str) -> str:
    if not 0 < len(said) <= VIBER_NAME_CHARS_MAX:
        raise Wrong(f"the name in Viber has 1 to {VIBER_NAME_CHARS_MAX} characters, not {len(said)}")
    return said


# --- asking -------------------------------------------------------------------------------------------------------


def ask(wishes: Wishes, read_line: Callable[[str], str]) -> None:
    """Ask for whatever no flag said, each question until its answer can be used."""
    if not wishes.jurisdiction:
        known = sorted(table("jurisdictions"))
        question = f"Country or entity ({', '.join(known)}): "
        wishes.jurisdiction = _until(read_line, question, lambda said: _one_of(said, known))
    if not wishes.languages:
        question = f"Languages, the town's own first (of {', '.join(LANGUAGES)}; sr=latin for one script): "
        _until(read_line, question, lambda said: _languages(wishes, said))
    for language in wishes.languages:
        if language not in wishes.names:
            wishes.names[language] = _until(read_line, _name_question(language), partial(_forms, language))
    if wishes.web is None and wishes.viber is None:
        _until(read_line, "Channels (web, viber, or both): ", lambda said: _channels(wishes, said))
    if not (wishes.viber_name or _short_viber_name(wishes)):
        question = f"Name shown in Viber (at most {VIBER_NAME_CHARS_MAX} characters): "
        wishes.viber_name = _until(read_line, question, _viber_name)
    if not wishes.time_zone:
        usual = table("jurisdictions")[wishes.jurisdiction]["time_zone"]
        wishes.time_zone = read_line(f"Time zone [{usual}]: ").strip() or usual


def _until(read_line: Callable[[str], str], question: str, take: Callable[[str], Any]) -> Any:
    while True:
        try:
            return take(read_line(question).strip())
        except Wrong as wrong:
            print(wrong)


def _one_of(said: str, known: list[str]) -> str:
    if said.upper() not in known:
        raise Wrong(f"one of {', '.join(known)}")
    return said.upper()


def _languages(wishes: Wishes, said: str) -> None:
    if not said:
        raise Wrong("at least one")
    wishes.languages.clear()
    for one in said.split():
        _add_language(wishes, one.strip(","))


def _name_question(language: str) -> str:
    wanted = "three forms" if language in INFLECTED else "one form, or three like"
    return f"Name in {language}, {wanted} {NAME_EXAMPLE}: "


def _channels(wishes: Wishes, said: str) -> None:
    chosen = said.replace(",", " ").split()
    if not chosen or not set(chosen) <= {"web", "viber"}:
        raise Wrong("web, viber or both")
    wishes.web = [] if "web" in chosen else None
    wishes.viber = wishes.slug if "viber" in chosen else None


# --- what follows from it -----------------------------------------------------------------------------------------


def complete(wishes: Wishes) -> None:
    """Say what is missing, then fill in what follows. Raises Wrong."""
    missing = [*_missing(wishes)]
    if missing:
        raise Wrong("not enough is said; add " + " ".join(missing))
    own = wishes.own_language
    offered = first_folder.library_languages(wishes.jurisdiction)
    if own not in offered:
        raise Wrong(f"the sheets of {wishes.jurisdiction} are written in {', '.join(offered)}: name one of these first")
    wishes.time_zone = wishes.time_zone or table("jurisdictions")[wishes.jurisdiction]["time_zone"]
    # The checkout's own towns count wherever the folders lie: both may be published on one stage.
    taken = [*towns.identities().values(), *towns.identities(towns.OWN_ROOT).values()]
    numbers, prefixes = {number for number, _ in taken}, {prefix for _, prefix in taken}
    if wishes.number in numbers or wishes.prefix in prefixes:
        raise Wrong(
            f"number {wishes.number} or prefix {wishes.prefix} is another town's; leave it out to get a free one"
        )
    wishes.number = wishes.number or _free_number(numbers)
    wishes.prefix = wishes.prefix or _free_prefix(wishes.names[own]["plain"], prefixes)
    wishes.viber_name = wishes.viber_name or _short_viber_name(wishes)


def _missing(wishes: Wishes) -> Iterator[str]:
    if not wishes.jurisdiction:
        yield "--country"
    if not wishes.languages:
        yield "--language"
    for language in wishes.languages:
        if language not in wishes.names:
            yield f"--name {language}=…"
    if wishes.web is None and wishes.viber is None:
        yield "--web or --viber"
    if wishes.names and not (wishes.viber_name or _short_viber_name(wishes)):
        yield "--viber-name"


def _short_viber_name(wishes: Wishes) -> str:
    """The town's name, if Viber has room for it."""
    plain = wishes.names.get(wishes.own_language, {}).get("plain", "")
    return plain if len(plain) <= VIBER_NAME_CHARS_MAX else ""


def _free_number(taken: set[int]) -> int:
    """After the highest, so that a number is not used again while an old link may still be in somebody's drawer."""
    after = max((number for number in taken if isinstance(number, int)), default=0) + 1
    return after if after <= NUMBER_MAX else next(each for each in range(1, NUMBER_MAX + 1) if each not in taken)


def _free_prefix(name: str, taken: set[str]) -> str:
    """Two letters of the town's own name where they are free, else any."""
    letters = "".join(word for word in fold(name).split() if word not in PLACE_WORDS)
    letters = "".join(letter for letter in letters.upper() if letter in string.ascii_uppercase)
    wanted = (first + second for at, first in enumerate(letters) for second in letters[at + 1 :])
    anything = (first + second for first in string.ascii_uppercase for second in string.ascii_uppercase)
    return next(pair for pair in (*wanted, *anything) if pair not in taken)
