"""The first folder of a new town: it answers at once and claims nothing that nobody has said.

What the country decides, the offices' usual names and the words stand in `infra/starter/`; the sheets come out of the
library. The folder is written beside its place, checked and played there, and moved only if all is well.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chalicelib.language import catalogue
from chalicelib.language.folding import fold
from chalicelib.language.scripts import to_cyrillic
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.load import LIBRARY, load, read_folder
from chalicelib.tenancy.schema import LANGUAGES, UNCONFIRMED
from chalicelib.tenancy.yaml_file import read
from infra import towns

STARTER = Path(__file__).parent / "starter"
COLOUR = "#1f6b52"
PROBLEMS = ("road", "light", "waste", "water", "sewage", "greenery", "dogs", "snow", "parking", "noise", "illegal_dump")
WITHOUT_PHOTO = ("light", "water", "noise")
OFFICE_OF_PROBLEMS, OFFICE_OF_ORDER = "komunalni_poslovi", "inspekcija"
PROBLEMS_OF_ORDER = ("parking", "noise", "illegal_dump")
CITY = "grad"
WORD_CHARS_MIN = 4  # shorter ones tell no topic from another
SOUTH_SLAVIC = ("sr", "bs", "cnr")


@dataclass
class Wishes:
    """What the platform admin has said about the new town so far. A channel that is not wanted is None."""

    slug: str
    jurisdiction: str = ""
    languages: dict[str, list[str]] = field(default_factory=dict)  # id → scripts, the town's own first
    names: dict[str, dict[str, str]] = field(default_factory=dict)  # language → form → name
    web: list[str] | None = None
    viber: str | None = None
    viber_name: str = ""
    bot_name: str = ""
    time_zone: str = ""
    prefix: str = ""
    number: int = 0
    kind: str = "municipality"
    colour: str = COLOUR

    @property
    def own_language(self) -> str:
        return next(iter(self.languages), "")

    def catalogue(self, language: str) -> str:
        """The catalogue of a language, in the variant of Serbian that the country writes."""
        ijekavian = table("jurisdictions")[self.jurisdiction]["variant"] == "ijekavian"
        return "sr-ije" if language == "sr" and ijekavian else language


def write(wishes: Wishes, today: str) -> int:
    """Write, check and play the folder beside its place, then move it there; the number of files.

    Raises Rejected, with nothing left behind, for a town that would not check.
    """
    from infra.proofs import play_folder

    towns.root().mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=towns.root()))
    try:
        _write_files(beside, files(wishes, today))
        version = _compiled(wishes.slug, beside)
        _write_files(beside, proofs(wishes, version))
        failed = [result for result in play_folder(version, beside) if not result.passed]
        if failed:
            raise Rejected([Complaint(f"conversations/{one.file}", 0, str(one.problem)) for one in failed])
        made = sum(path.is_file() for path in beside.rglob("*"))
        beside.chmod(0o755)
        beside.rename(towns.root() / wishes.slug)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return made


def _write_files(folder: Path, contents: Mapping[str, str]) -> None:
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _compiled(slug: str, folder: Path) -> dict[str, Any]:
    from chalicelib.tenancy.compile import compile_town

    return compile_town(load(slug, read_folder(folder)))


def files(wishes: Wishes, today: str) -> dict[str, str]:
    """The town's files by name, without its proofs."""
    jurisdiction = table("jurisdictions")[wishes.jurisdiction]
    sheets = [path for path in _sheets(wishes.jurisdiction) if path.stem not in jurisdiction["left_out"]]
    offices = [_office(name, office, wishes) for name, office in table("offices").items() if _is_needed(office, sheets)]
    values = {
        **vars(wishes),
        "calendar": wishes.jurisdiction,
        "jurisdiction": jurisdiction,
        "emergency": jurisdiction["emergency"],
        "languages": [_language(language, scripts, jurisdiction) for language, scripts in wishes.languages.items()],
        "names": {language: wishes.names[language] for language in wishes.languages},
        "bot_name": wishes.bot_name or _in_languages(table("words")["bot_name"], wishes)[wishes.own_language],
        "today": today,
        "offices": offices,
        "problems": [_problem(name) for name in PROBLEMS] + [_problem("other", ", place: false")],
        "topics": [office for office in offices if not office["competent"]],
        **_words(wishes),
    }
    made = {f"{name}.yaml": _rendered(name, values) for name in ("tenant", "contacts", "services", "phrases")}
    for language in wishes.languages:
        greeting = catalogue.load(wishes.catalogue(language))["texts"]["greeting"]
        made[f"texts.{language}.yaml"] = _rendered("texts", {"greeting": greeting})
    return made | {f"procedures/{path.stem}.yaml": _procedure(path, wishes.jurisdiction) for path in sheets}


def _language(language: str, scripts: list[str], jurisdiction: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": language, "scripts": scripts, "variant": jurisdiction["variant"] if language == "sr" else None}


def _is_needed(office: Mapping[str, Any], sheets: list[Path]) -> bool:
    return bool(office["intents"]) or any(_takes(office, path) for path in sheets)


def _takes(office: Mapping[str, Any], path: Path) -> bool:
    """Whether a sheet of the library is this office's."""
    sheet = _sheet(path)
    if sheet["mode"] == "redirect":
        return False
    named = [other for other in table("offices").values() if path.stem in other["sheets"]]
    return office in named if named else sheet["group"] in office["groups"]


def _office(name: str, office: Mapping[str, Any], wishes: Wishes) -> dict[str, Any]:
    return {
        "id": name,
        "title": _in_languages(office["title"], wishes),
        "about": _in_languages(office["about"], wishes),
        "competent": office.get("competent"),
        "intents": office["intents"],
    }


def _problem(name: str, more: str = "") -> dict[str, Any]:
    office = OFFICE_OF_ORDER if name in PROBLEMS_OF_ORDER else OFFICE_OF_PROBLEMS
    photo = ', photo: "no"' if name in WITHOUT_PHOTO else ""
    intents = [] if name in ("illegal_dump", "other") else [f"report.{name}"]
    return {"id": name, "intents": intents, "office": office, "more": photo + more}


def _procedure(path: Path, jurisdiction: str) -> str:
    """A sheet that says what the library says; what it does not know, citizens are told to ask for."""
    lines = [f"extends: {jurisdiction}/{path.stem}"]
    office = next((name for name, office in table("offices").items() if _takes(office, path)), None)
    lines += [f"office: {office}"] if office else []
    unknown = [key for key in ("fee", "term") if _sheet(path).get(key) == UNCONFIRMED]
    lines += [f"# {key}: …  # once the town has said it, with `source` and `checked`" for key in unknown]
    return "\n".join(lines) + "\n"


def _words(wishes: Wishes) -> dict[str, Any]:
    words = table("words")
    titles = {key: _in_languages(words[key], wishes) for key in ("ask_title", "news_title", "water_title")}
    found = _in_languages(words["find_town"], wishes)
    asked = {language: [_named(one, wishes.names[language]) for one in found[language]] for language in found}
    return titles | {
        "find_town": asked,
        "news_words": [*titles["news_title"].values()],
        "water_words": sorted({word for title in titles["water_title"].values() for word in _telling(title)}),
    }


def _telling(title: str) -> list[str]:
    return [word for word in title.split() if len(word) >= WORD_CHARS_MIN]


def _named(template: str, forms: Mapping[str, str]) -> str:
    plain = forms["plain"]
    return template.replace("{town}", plain).replace("{of}", forms.get("genitive", plain))


def _in_languages(texts: Mapping[str, Any], wishes: Wishes) -> dict[str, Any]:
    """A text of the starter in the town's languages, in its variant of Serbian and as a city's where it is one."""
    city = fold(wishes.names[wishes.own_language]["plain"]).split()[:1] == [CITY]
    chosen = {}
    for language in wishes.languages:
        names = [wishes.catalogue(language), language]
        names = [f"{name}.city" for name in names] * city + names
        chosen[language] = next(texts[name] for name in names if name in texts)
    return chosen


# --- the first proofs ---------------------------------------------------------------------------------------------


def proofs(wishes: Wishes, version: Mapping[str, Any]) -> dict[str, str]:
    """A greeting, danger, a document and a report in every language: what must go on working while it is edited."""
    channel = "web" if wishes.web is not None else "viber"
    made: dict[str, str] = {}
    for language, scripts in wishes.languages.items():
        ending = "" if language == wishes.own_language else f"_{language}"
        for name, title, told in _stories(wishes, version, language):
            turns = [*_asking_for(wishes, language), *told]
            made[f"conversations/{name}{ending}.yaml"] = _story(title, channel, turns)
            if name == "greeting" and "cyrillic" in scripts:
                turns = [turn | {"citizen": to_cyrillic(turn["citizen"])} for turn in turns]
                made[f"conversations/{name}{ending}_cyrillic.yaml"] = _story(f"{title}, in Cyrillic", channel, turns)
    return made


Story = tuple[str, str, list[dict[str, Any]]]


def _stories(wishes: Wishes, version: Mapping[str, Any], language: str) -> Iterator[Story]:
    """(file, title, turns) of one language."""
    words = {
        key: _in_languages(table("words")[key], wishes)[language] for key in ("hello", "fire", "pothole", "street")
    }
    texts = version["texts"][language]
    spoken = version["core"]["languages"][list(wishes.languages).index(language)]["name"]
    town = "|".join(dict.fromkeys(_pattern(form) for form in wishes.names[language].values()))
    menu = _pattern(texts[version["core"]["menu"][0]])
    yield "greeting", f"{spoken}: a greeting in the town's name", [{"citizen": words["hello"], "bot": [town, menu]}]
    fire = version["core"]["emergency"]["fire"]
    yield "emergency", f"{spoken}: danger brings the numbers at once", [{"citizen": words["fire"], "bot": [fire]}]
    title = _sheet(LIBRARY / wishes.jurisdiction / "birth.yaml")["title"].get(language)
    if title:
        yield "documents", f"{spoken}: a document is explained", [{"citizen": title, "bot": [_pattern(title)]}]
    report = [
        {"citizen": words["pothole"]},
        {"choose": texts["btn_skip"]},
        {"citizen": words["street"], "bot": [_pattern(words["street"])]},
        {
            "choose": texts["btn_send"],
            "bot": [f"{wishes.prefix}-"],
            "case": {"kind": "problem", "category": "road", "office": OFFICE_OF_PROBLEMS},
        },
    ]
    yield "report", f"{spoken}: a pothole is reported, and the receipt has a number", report


def _asking_for(wishes: Wishes, language: str) -> list[dict[str, Any]]:
    """How a proof begins in a language that another one of the town is taken for."""
    sisters = [each for each in wishes.languages if each in SOUTH_SLAVIC]
    return [{"citizen": table("words")["speak"][language]}] if language in sisters[1:] else []


def _pattern(text: str) -> str:
    return re.sub(r"[^\w ]", ".", text)


def _story(title: str, channel: str, turns: list[dict[str, Any]]) -> str:
    lines = [f"title: {_yaml(title)}", f"channel: {channel}", "turns:"]
    for turn in turns:
        for position, (key, value) in enumerate(turn.items()):
            lines.append(f"  {' ' if position else '-'} {key}: {_yaml(value)}")
    return "\n".join(lines) + "\n"


# --- files of the starter -----------------------------------------------------------------------------------------


def table(name: str) -> dict[str, Any]:
    """A table of the starter: `jurisdictions`, `offices`, `words`."""
    return tomllib.loads((STARTER / f"{name}.toml").read_text(encoding="utf-8"))


def library_languages(jurisdiction: str) -> list[str]:
    """The languages that every sheet of a jurisdiction is written in."""
    titles = [set(_sheet(path)["title"]) for path in _sheets(jurisdiction)]
    return [language for language in LANGUAGES if all(language in title for title in titles)]


def _sheets(jurisdiction: str) -> list[Path]:
    return sorted((LIBRARY / jurisdiction).glob("*.yaml"))


@cache
def _sheet(path: Path) -> Mapping[str, Any]:
    return MappingProxyType(read(path.name, path.read_bytes()).data)


def _yaml(value: Any) -> str:
    """`value` in one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _rendered(name: str, values: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    world = Environment(
        loader=FileSystemLoader(STARTER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    world.filters["y"] = _yaml
    return world.get_template(f"{name}.yaml.j2").render(values)
