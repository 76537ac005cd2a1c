"""Questions to an office, answered by a promised time: the citizen's own words, which office, and a receipt with both.

Choices: `<service>` (begins a question), `<service>.topic.<topic>` (begins one to that office, or changes it). What was
already said is taken: behind "I have a question: …", and what the bot did not understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.cases import filing, moments, notices
from chalicelib.dialogue import slots
from chalicelib.dialogue.forms import Done, Form
from chalicelib.dialogue.slots import Heard, Option, Slot
from chalicelib.dialogue.slots.wording import TEXT_CHARS_MAX
from chalicelib.language.folding import fold, words
from chalicelib.model import Case, Conversation, Facts, Line, Need, OpenCase, Say, Town

TELLING_WORDS_MIN = 2
WISH_WORDS_MAX = 8  # "whom may I send a question to the municipality" asks nothing yet
LEAD_WORDS_MAX = 9


def _folded(line: str) -> tuple[str, ...]:
    """Phrases as the words of a message are compared with them."""
    return tuple(" ".join(words(fold(each))) for each in line.split("|"))


_ONE_WORD_LEADS = _folded("pitanje|pyetje|question|frage")
_GREETINGS = _folded(
    "dobar dan|dobro veče|dobra večer|dobro jutro|poštovani|pozdrav|zdravo|selam|hello|hi|guten tag|hallo|përshëndetje|"
    "mirëdita"
)
_LEADS = _folded(
    "imam pitanje|imam jedno pitanje|imam još jedno pitanje|imao bih pitanje|imala bih pitanje|želim da pitam|"
    "želim pitati|želio bih pitati|željela bih pitati|hteo bih da pitam|htela bih da pitam|htio bih pitati|"
    "htjela bih pitati|htio bih da pitam|htjela bih da pitam|hoću da pitam|želim da postavim pitanje|"
    "želim postaviti pitanje|mogu li pitati|mogu li postaviti pitanje|mogu li da pitam|moje pitanje je|"
    "pitanje za opštinu|pitanje za općinu|pitanje za grad|pitanje iz dijaspore|"
    "kam një pyetje|dua të pyes|i have a question|i would like to ask|i want to ask|may i ask|can i ask|"
    "ich habe eine frage|ich hätte eine frage|ich habe noch eine frage|ich möchte fragen|darf ich fragen"
)
_TAILS = _folded(
    "za opštinu|za općinu|za grad|za vas|za službu|iz dijaspore|iz inostranstva|for the municipality|from abroad|"
    "an die gemeinde|für die gemeinde|aus dem ausland|për komunën"
)


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


# --- the form ---------------------------------------------------------------------------------------------------


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """The question, and what else the town needs to answer it."""
    entry = town.core["services"][service]
    asked: list[Slot] = [slots.Question(key="question", ask=Line("ask_question"), label=Line("slot_question"))]
    if len(entry["topics"]) > 1:
        asked.append(_topic(town, service))
    if entry["abroad"]:
        asked.append(slots.Zone(key=moments.ZONE, ask=Line("ask_zone"), label=Line("slot_zone")))
    if "name" in entry["contact"]:
        asked.append(slots.Name(key="name", ask=Line("ask_full_name"), label=Line("slot_name")))
    if "phone" in entry["contact"]:
        asked.append(slots.Phone(key="phone", ask=Line("ask_phone"), label=Line("slot_phone")))
    hint = Line(f"{service}.note") if entry["note"] else None
    return Form(Line(service), tuple(asked), notes="question", hint=hint)


def _topic(town: Town, service: str) -> slots.OneOf:
    options = tuple(
        Option(topic["id"], Line(f"{service}.topic.{topic['id']}"), tuple(topic["intents"]))
        for topic in town.core["services"][service]["topics"]
    )
    return slots.OneOf(key="topic", ask=Line("ask_topic"), label=Line("slot_topic"), options=options)


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """The question that stands in the words that began the form, and whom it is for if that is certain."""
    question = _question_in(town, service, heard)
    if not question:
        return {}
    topic = _topic(town, service).glean(heard.saying(question))
    return {"question": question} | ({"topic": topic} if topic else {})


def asks_outright(town: Town, service: str, heard: Heard) -> bool:
    """Whether the words say themselves that a question is to be asked: "I have a question: …"."""
    return _after_lead(heard.text, _leads(town, service)) is not None


def _question_in(town: Town, service: str, heard: Heard) -> str:
    text = heard.text[:TEXT_CHARS_MAX]
    after = _after_lead(text, _leads(town, service))
    if after is not None:
        return after if len(words(fold(after))) >= TELLING_WORDS_MIN else ""
    spoken = words(fold(text))
    if len(spoken) < TELLING_WORDS_MIN or " ".join(spoken) in _titles(town, service):
        return ""
    understood = heard.understood
    best = understood.intents[0][0] if understood.intents and understood.decision != "unknown" else ""
    wish = best == service or best in town.core["services"][service]["intents"]
    return "" if wish and len(spoken) <= WISH_WORDS_MAX else text


def _leads(town: Town, service: str) -> tuple[str, ...]:
    """What people say before a question: phrases of every language, and the service's own name."""
    return (*_LEADS, *_titles(town, service))


def _titles(town: Town, service: str) -> tuple[str, ...]:
    return tuple(" ".join(words(fold(str(texts[service])))) for texts in town.texts.values())


def _after_lead(text: str, leads: tuple[str, ...]) -> str | None:
    """The words behind a lead ("" if there are none), as they were written; None if the message opens otherwise."""
    rest = _without(text, _GREETINGS)
    rest = text if rest is None else rest
    behind = _without(rest, leads)
    first, _, further = rest.partition(" ")
    if behind is None and fold(first.rstrip(":")) in _ONE_WORD_LEADS and (first.endswith(":") or not further):
        behind = further
    if behind is None:
        return None
    addressed = _without(behind, _TAILS)
    return (behind if addressed is None else addressed).strip()


def _without(text: str, openings: tuple[str, ...]) -> str | None:
    """`text` without the longest of the openings it begins with, and the mark behind it; None if with none."""
    parts = text.split()
    for width in range(min(LEAD_WORDS_MAX, len(parts)), 0, -1):
        if " ".join(words(fold(" ".join(parts[:width])))) in openings:
            return " ".join(parts[width:]).lstrip(" :,;.!–-")
    return None


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Need | None:
    """Two questions are never the same one."""
    return None


def follow(reference: str) -> Done:
    """Nobody follows another's question."""
    raise LookupError(reference)


# --- filed ------------------------------------------------------------------------------------------------------


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """The case, and the receipt: reference, who answers, until when in the citizen's own time, too."""
    case = _case(town, service, answers, filer, heard, facts)
    unit = notices.unit(town.core, case.office)
    lines = [Line("question_created", {"case_no": case.reference, "unit": unit}), *moments.due_lines(town.core, case)]
    if not case.due_at:
        lines.append(Line("question_due_later"))
    return Done(tuple(lines), (OpenCase(case),))


def _case(
    town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts
) -> Case:
    category = str(answers.get("topic") or town.core["services"][service]["topics"][0]["id"])
    living = answers.get(moments.ZONE) or {}
    return filing.filed(
        town,
        "question",
        f"{service}.topic.{category}",
        filer,
        heard.voice,
        facts,
        **filing.routed(town, "question", category, facts),
        fields={"question": answers["question"]} | ({moments.ZONE: dict(living)} if living.get("zone") else {}),
        followers=(filing.owner(filer),),
        applicant=filing.person(answers),
    )
