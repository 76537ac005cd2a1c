"""Requests for documents: which one, whose, the data the registry needs, how it reaches the citizen.

Choices: `<service>` (begins a request), `<service>.document.<id>` (begins one for that document, or changes it).
It is an intake: what is filed is a request that an office works on, and every text says so. A town's documents are
data of its published version; what each kind of document needs is the same everywhere and stands here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.cases import filing, notices
from chalicelib.dialogue import slots
from chalicelib.dialogue.forms import SEALED, Done, Form, Similar, private_of
from chalicelib.dialogue.slots import Heard, OneOf, Option, Slot
from chalicelib.dialogue.slots.media import MEGABYTES_MAX
from chalicelib.dialogue.slots.wording import OWN_NAME
from chalicelib.language.folding import fold
from chalicelib.language.scripts import to_cyrillic
from chalicelib.model import Case, Conversation, Facts, Line, Need, OpenCase, Say, Town
from chalicelib.patterns import pattern
from chalicelib.services.case_status import date
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.numbers import PERSONAL_NUMBER_DIGITS
from chalicelib.understanding.rules import compile_rule

COPIES_MAX = 10
COPY_UNITS = ("primer", "komad", "kop", "exemplar", "egzemplar")
BIRTH_DATE_EXAMPLE = "5. 11. 1980."
STATEMENT_WORDING = "doc_statement.1"  # the catalogue's text and its edition: raise it when the text changes
AUTHORISATION_WORDING = "doc_authorisation.1"
NUMBER = "personal_number"
# A country that has a personal number of its own beside the old thirteen digits, and how long it is.
OTHER_NUMBER_DIGITS = {"XK": 10}
_NAMED = pattern(r"\b(?=[naiн])(?:na ime|на име|auf den namen|in the name of|në emër të)\s+", re.IGNORECASE)
_OWN_OR_NAMED = pattern(f"{OWN_NAME.pattern}|{_NAMED.pattern}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: which data find its entry, in the order of asking, and how citizens call it.

    `whose`: "either" (asked: one's own or somebody else's), "other" (always somebody else's), "nobody" (not asked).
    `number`: whether the personal number of one person helps to find the entry.
    """

    needs: tuple[str, ...]
    words: str
    whose: str = "either"
    number: bool = False


# From the law and the registries' own forms: an excerpt is found by name, date and place, and nothing else is asked.
KINDS: Mapping[str, Kind] = {
    "birth": Kind(
        ("holder", "former_surname", "birth_date", "birth_place", "parents", "registry_place", "form", "purpose"),
        "izvod* rođen*|rodn* list*|kršten*|krsni list|birth certificate*|birth extract*|geburtsurkund*|"
        "certifikat* lindje*|ekstrakt* lindje*",
        number=True,
    ),
    "marriage": Kind(
        ("spouses", "event_date", "event_place", "form", "purpose"),
        "izvod* venčan*|venčan* list*|venčanic*|marriage certificate*|heiratsurkund*|eheurkund*|"
        "certifikat* martes*|certifikat* kurorëz*",
    ),
    "death": Kind(
        ("deceased", "event_date", "event_place", "form", "purpose"),
        "izvod* umrl*|umrlic*|smrtn* list*|death certificate*|sterbeurkund*|certifikat* vdekje*",
        whose="other",
    ),
    "citizenship": Kind(
        ("holder", "birth_date", "birth_place", "registry_place"),
        "državljanstv*|citizenship|staatsangehörig*|staatsbürgerschaft*|shtetësi*",
        number=True,
    ),
    "residence": Kind(
        ("holder", "birth_date", "home"),
        "potvrd* prebivališt*|uveren* prebivališt*|residence|wohnsitzbestätig*|meldebestätig*|vërtetim* vendbanim*",
        number=True,
    ),
    "family": Kind(
        ("holder", "home", "members"),
        "porodičn* zajednic*|obiteljsk* zajednic*|kućn* list*|family community|bashkësi* familjar*|haushalts*",
        number=True,
    ),
    "single_status": Kind(
        ("holder", "birth_date", "birth_place", "marriage_country"),
        "slobodn* bračn*|slobodn* brak*|marital status|ledig*|ehefähig*|gjendje* martesor*",
        number=True,
    ),
    "voter": Kind(("holder", "home"), "biračk* spis*|voter* list*|wählerverzeichnis*|list* votuesve"),
    "entry": Kind(
        ("event", "event_date", "event_place", "about"),
        "upis* rođenj*|upis* smrt*|upis* matičn*|prijav* rođenj*|prijav* smrt*|regjistrim* lindjes|regjistrim* vdekjes",
        whose="nobody",
    ),
}
# Documents with another form for use abroad; where a jurisdiction has forms of its own, by document.
FORMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"XK": {"birth": ("certificate", "extract")}}
_FORMS_ELSEWHERE = ("domestic", "international")
_FORM_WORDS = {
    "domestic": "domać*|inländisch*",
    "international": "međunarodn*|internacional*|višejezičn*|international*|mehrsprachig*|ndërkombëtar*|shumëgjuh*",
    "extract": "ekstrakt*|extract",
}
_WHOM_WORDS = {"self": "za mene|za sebe|for me|for myself|für mich|për mua|për vete"}
_GROUND_WORDS = {
    "parent": "za majk*|moj* majk*|majci|za mam*|za oca|mog* oca|ocu|za tat*|za roditelj*|my mother|my father|"
    "for mother|for father|my mum|my dad|my parent*|meine* mutter|meinen vater|meines vaters|für mutter|"
    "meine* eltern|për nën*|nënës sime|për bab*|babait tim|prindër*",
    "child": "za sin*|mog sina|za ćerk*|za kćer*|za kćerk*|moj* ćerk*|moj* kćerk*|za dete|za dijete|za deca|za decu|"
    "za bebu|my son|my daughter|my child*|meinen sohn|meine* tochter|mein* kind*|për djal*|për vajz*|për fëmij*|"
    "djalin tim|vajzën time",
    "spouse": "za suprug*|za muža|za ženu|mog muža|moje žene|my husband|my wife|meinen mann|meine* frau|"
    "meinen ehemann|për burrin|për gruan|për bashkëshort*",
    "relative": "za brata|mog brata|za sestr*|moj* sestr*|za bab*|za bak*|za ded*|za djed*|za ujak*|za tetk*|"
    "za stric*|za unuk*|my brother|my sister|my grand*|meinen bruder|meine* schwester|meine* oma|meinen opa|"
    "meine* groß*|për vëlla*|për motr*|për gjysh*",
}
_DELIVERY_WORDS = {
    "counter": "na šalter*|lično|at the counter|in person|am schalter|persönlich|në sportel",
    "post": "poštom|by post|by mail|per post|mit der post|me postë",
    "abroad": "živim inostranstv*|iz inostranstv*|živim njemačk*|živim nemačk*|živim austrij*|živim švajcarsk*|"
    "živim švicarsk*|živim švedsk*|živim slovenij*|živim hrvatsk*|u nemačku|u njemačku|u austriju|u švajcarsku|"
    "u švicarsku|u švedsku|u sloveniju|u hrvatsku|konzulat*|ambasad*|konsulat*|botschaft|consulate|embassy|"
    "live abroad|from abroad|live germany|live austria|live switzerland|lebe deutschland|wohne deutschland|"
    "nach deutschland|lebe österreich|wohne österreich|nach österreich|lebe schweiz|wohne schweiz|in die schweiz|"
    "aus dem ausland|lebe ausland|jetoj jashtë|jashtë vendit",
}
_WAY_WORDS = {
    "consulate": "konzulat*|ambasad*|konsulat*|botschaft|consulate|embassy",
    "post": _DELIVERY_WORDS["post"],
}
# Beginnings of countries' names, folded; and endings of "u Njemačku", "iz Austrije" with those of the bare names.
_COUNTRIES = tuple(
    fold(stem)
    for stem in [
        "njemačk",
        "nemačk",
        "austrij",
        "švajcarsk",
        "švicarsk",
        "švedsk",
        "slovenij",
        "hrvatsk",
        "deutschland",
        "österreich",
        "schweiz",
        "germany",
        "austria",
        "switzerland",
        "sweden",
        "slovenia",
        "croatia",
        "gjermani",
        "austri",
        "zvic",
    ]
)
_CASES = tuple(
    ending
    for latin in (("koj", "ka"), ("ske", "ska"), ("čke", "čka"), ("ku", "ka"), ("ju", "ja"), ("je", "ja"), ("ji", "ja"))
    for ending in (latin, (to_cyrillic(latin[0]), to_cyrillic(latin[1])))
)
GROUNDS = ("parent", "child", "spouse", "relative", "proxy", "interest")
EVENTS = ("birth", "marriage", "death")
WAYS = ("consulate", "post")


def _rules(words: Mapping[str, str], option: str) -> tuple[str, ...]:
    entries = words.get(option, "")
    return tuple(compile_rule(entry) for entry in entries.split("|") if entry)


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


# --- the form ---------------------------------------------------------------------------------------------------


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """The questions one document needs, by what was answered so far."""
    offered = _settings(town, service)
    document = _document(offered, answers.get("document"))
    asked: list[Slot] = [_which(service, offered)]
    if document is None:
        return Form(Line(service), tuple(asked))
    kind = KINDS[document["id"]]
    asked += _whose(kind, offered, answers)
    asked += [_need(need, document["id"], town, answers) for need in kind.needs if _has(need, document["id"], town)]
    wanted = document["personal_number"]
    if kind.number and wanted != "no":
        asked.insert(len(asked) - _asked_late(kind, document["id"], town), _number(town, optional=wanted == "wanted"))
    asked.append(_copies())
    asked += _delivery(service, offered, answers)
    asked += _closing_questions(kind, offered, answers)
    begin = "doc_begin_carried" if offered["carried_by"] else "doc_begin"
    return Form(
        Line(service),
        tuple(asked),
        hint=Line(begin, {"document": Line(f"document.{document['id']}"), "unit": _unit(town, document)}),
        closing=(Line("doc_closing", {"unit": _unit(town, document)}), _payment(town, service, document)),
    )


def _settings(town: Town, service: str) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = town.core["services"][service]
    return settings


def _document(offered: Mapping[str, Any], wanted: Any) -> Mapping[str, Any] | None:
    return next((document for document in offered["documents"] if document["id"] == wanted), None)


def _which(service: str, offered: Mapping[str, Any]) -> OneOf:
    options = tuple(
        Option(
            document["id"],
            Line(f"document.{document['id']}"),
            (*document["intents"], *document["sheets"], f"{service}.document.{document['id']}"),
            tuple(compile_rule(entry) for entry in KINDS[document["id"]].words.split("|")),
        )
        for document in offered["documents"]
    )
    return OneOf(key="document", ask=Line("doc_ask_document"), label=Line("slot_document"), options=options)


def _choice(key: str, options: tuple[str, ...], words: Mapping[str, str]) -> OneOf:
    """A choice whose options are called `doc_<key>_<option>`."""
    return OneOf(
        key=key,
        ask=Line(f"doc_ask_{key}"),
        label=Line(f"slot_{key}"),
        options=tuple(Option(each, Line(f"doc_{key}_{each}"), rules=_rules(words, each)) for each in options),
    )


def _whose(kind: Kind, offered: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Slot]:
    """One's own document or somebody else's, and on what ground."""
    asked: list[Slot] = []
    if kind.whose == "either" and offered["for_others"]:
        others = "|".join(_GROUND_WORDS.values())
        asked.append(_choice("whom", ("self", "other"), _WHOM_WORDS | {"other": others}))
    if _for_another(kind, answers):
        asked.append(_choice("ground", GROUNDS, _GROUND_WORDS))
    return asked


def _for_another(kind: Kind, answers: Mapping[str, Any]) -> bool:
    return kind.whose == "other" or (kind.whose == "either" and answers.get("whom") == "other")


def _has(need: str, document: str, town: Town) -> bool:
    """Whether this data is asked here: a jurisdiction with forms of its own has them for some documents only."""
    return need != "form" or bool(_forms(document, town))


def _forms(document: str, town: Town) -> tuple[str, ...]:
    own = FORMS.get(str(town.core["country"]))
    return _FORMS_ELSEWHERE if own is None else own.get(document, ())


def _asked_late(kind: Kind, document: str, town: Town) -> int:
    """How many of a document's questions follow the personal number: those that find no entry."""
    return sum(1 for need in ("form", "purpose") if need in kind.needs and _has(need, document, town))


def _need(need: str, document: str, town: Town, answers: Mapping[str, Any]) -> Slot:
    """The slot that asks for one thing a registry needs."""
    named: dict[str, Any] = {"key": need, "ask": Line(f"doc_ask_{need}"), "label": Line(f"slot_{need}")}
    match need:
        case "holder":
            other = answers.get("whom") == "other"
            named["ask"] = Line("doc_ask_holder_other" if other else "doc_ask_holder")
            return slots.Name(**named, said_after=_NAMED if other else _OWN_OR_NAMED)
        case "deceased":
            return slots.Name(**named, said_after=_NAMED)
        case "birth_date":
            named["ask"] = Line("ask_birth_date", {"example": BIRTH_DATE_EXAMPLE})
            return slots.Date(**named, future_days_max=0)
        case "event_date":
            named["ask"] = Line(f"doc_ask_date_{document}", {"example": BIRTH_DATE_EXAMPLE})
            return slots.Date(**named, future_days_max=0)
        case "event_place":
            named["ask"] = Line(f"doc_ask_place_{document}")
        case "home":
            return WrittenAddress(**named, private=True)
        case "purpose":
            named["ask"] = Line("ask_purpose")
        case "event":
            return _choice("event", EVENTS, {})
        case "form":
            return _choice("form", _forms(document, town), _FORM_WORDS)
    return slots.Text(**named, chars_max=200, optional=need in ("former_surname", "registry_place"))


def _number(town: Town, *, optional: bool) -> slots.PersonalNumber:
    other = OTHER_NUMBER_DIGITS.get(str(town.core["country"]), 0)
    args = {"digits": PERSONAL_NUMBER_DIGITS} | ({"other": other} if other else {})
    ask = Line("doc_ask_number_or" if other else "doc_ask_number", args)
    return slots.PersonalNumber(
        key=NUMBER, ask=ask, label=Line("slot_personal_number"), optional=optional, other_digits=other
    )


def _copies() -> slots.Quantity:
    return slots.Quantity(
        key="copies", ask=Line("doc_ask_copies"), label=Line("slot_copies"), most=COPIES_MAX, units=COPY_UNITS
    )


def _delivery(service: str, offered: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Slot]:
    """How the document reaches the citizen, and what is needed for it."""
    ways = tuple(offered["delivery"])
    asked: list[Slot] = []
    if len(ways) > 1:
        options = tuple(Option(each, Line(_delivery_text(each)), rules=_rules(_DELIVERY_WORDS, each)) for each in ways)
        asked.append(Delivery(key="delivery", ask=Line("ask_delivery"), label=Line("slot_delivery"), options=options))
    way = _way(offered, answers)
    if way == "abroad":
        asked.append(Country(key="country", ask=Line("doc_ask_country"), label=Line("slot_country")))
        asked.append(_choice("abroad_way", WAYS, _WAY_WORDS))
        if answers.get("abroad_way") == "consulate":
            asked.append(_consulate(service, offered))
    if way in ("post", "volunteer") or (way == "abroad" and answers.get("abroad_way") == "post"):
        ask = Line(f"doc_ask_address_{way}")
        asked.append(WrittenAddress(key="address", ask=ask, label=Line("slot_address"), private=True))
    return asked


def _delivery_text(way: str) -> str:
    return f"delivery_{way}" if way in ("counter", "post") else f"doc_delivery_{way}"


def _way(offered: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    ways = offered["delivery"]
    return str(answers.get("delivery") or (ways[0] if len(ways) == 1 else ""))


class WrittenAddress(slots.Address):
    """An address given when it is asked for: other answers here hold names, dates and places that look like one."""

    def glean(self, heard: Heard) -> Any:
        return None


class Country(slots.Text):
    """A country in the citizen's words; those most people write from are heard before it is asked."""

    def glean(self, heard: Heard) -> Any:
        for word in re.findall(r"\w+", heard.text):
            if fold(word).startswith(_COUNTRIES):
                return next((word[: -len(end)] + named for end, named in _CASES if word.endswith(end)), word)
        return None


class Delivery(OneOf):
    """Where the document goes. Somebody abroad who says "by post" means both; the way is asked after the place."""

    def _ruled(self, heard: Heard) -> str | None:
        abroad = next((option for option in self.options if option.id == "abroad"), None)
        if abroad and OneOf(key=self.key, ask=self.ask, label=self.label, options=(abroad,))._ruled(heard):
            return "abroad"
        return OneOf._ruled(self, heard)


def _consulate(service: str, offered: Mapping[str, Any]) -> Slot:
    """One of those the town names, or whichever the citizen says."""
    named: dict[str, Any] = {
        "key": "consulate",
        "ask": Line("doc_ask_consulate"),
        "label": Line("slot_consulate"),
    }
    if offered["consulates"]:
        return OneOf(
            **named, options=tuple(Option(each, Line(f"{service}.consulate.{each}")) for each in offered["consulates"])
        )
    return slots.Text(**named, chars_max=200)


def _closing_questions(kind: Kind, offered: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Slot]:
    """Who asks, proof where the town wants it, and what has to be confirmed."""
    another, carried = _for_another(kind, answers), bool(offered["carried_by"])
    asked: list[Slot] = []
    if another or kind.whose == "nobody":
        asked.append(
            slots.Name(
                key="applicant", ask=Line("doc_ask_applicant"), label=Line("slot_applicant"), said_after=OWN_NAME
            )
        )
    if _wants_proof(offered, another, answers):
        ask = Line("doc_ask_proof", {"max_mb": MEGABYTES_MAX})
        asked.append(slots.Paper(key="media", ask=ask, label=Line("slot_media"), optional=True))
    ask = Line("doc_ask_phone_carried" if carried else "doc_ask_phone")
    asked.append(slots.Phone(key="phone", ask=ask, label=Line("slot_phone"), optional=not carried))
    if another:
        asked.append(slots.Confirmation(key="statement", ask=Line("doc_statement"), label=Line("slot_statement")))
    if carried:
        asked.append(
            slots.Confirmation(key="authorisation", ask=Line("doc_authorisation"), label=Line("slot_authorisation"))
        )
    return asked


def _wants_proof(offered: Mapping[str, Any], another: bool, answers: Mapping[str, Any]) -> bool:
    match offered["proof"]:
        case "always":
            return True
        case "others":
            return another
        case "abroad":
            return _way(offered, answers) == "abroad"
    return False


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """Nothing beyond what the slots themselves hear in the words that began the request."""
    return {}


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | Need | None:
    """Two requests for the same document are two requests."""
    return None


def follow(reference: str) -> Done:
    """Nobody follows another's request for a document."""
    return Done(())


# --- filed ------------------------------------------------------------------------------------------------------


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """The case, and the receipt: what was taken, that it is a request, what to pay, bring and collect, until when."""
    offered = _settings(town, service)
    document = _document(offered, answers["document"])
    assert document is not None
    case = _case(town, service, document, answers, filer, heard, facts)
    lines = [
        Line("doc_created", {"document": Line(f"document.{document['id']}"), "case_no": case.reference}),
        Line("doc_next_carried" if offered["carried_by"] else "doc_next", {"unit": _unit(town, document)}),
    ]
    if case.due_at:
        lines.append(Line("case_due", {"date": date(town, case.due_at)}))
    lines.append(_payment(town, service, document))
    lines.append(_collecting(town, offered, document, answers, case.reference))
    if _for_another(KINDS[document["id"]], answers):
        lines.append(Line("doc_bring_ground"))
    if case.sealed:
        lines.append(Line("doc_number_kept", {"days": Line("days", {"n": offered["number_kept_days"]})}))
    return Done(tuple(lines), (OpenCase(case),))


def _unit(town: Town, document: Mapping[str, Any]) -> Line | str:
    return notices.unit(town.core, document["office"])


def _payment(town: Town, service: str, document: Mapping[str, Any]) -> Line:
    """Account, purpose and reference where the town confirmed them with a date; else where to ask."""
    payment = document["payment"]
    if not payment:
        return Line("doc_pay_ask", {"unit": _unit(town, document)})
    year, month, day = (int(part) for part in payment["valid_as_of"].split("-"))
    return Line(
        "doc_pay",
        {
            "amount": payment["amount"],
            "account": payment["account"],
            "reference": payment["reference"],
            "purpose": Line(f"{service}.payment.{document['id']}"),
            "date": Line("days.date_format", {"d": day, "m": month, "y": year}),
        },
    )


def _collecting(
    town: Town, offered: Mapping[str, Any], document: Mapping[str, Any], answers: Mapping[str, Any], reference: str
) -> Line:
    way = _way(offered, answers)
    if way == "abroad":
        way = "consulate" if answers.get("abroad_way") == "consulate" else "abroad"
    return Line(f"doc_collect_{way}", {"unit": _unit(town, document), "case_no": reference})


_APART = frozenset(("document", "media", "applicant", "phone", NUMBER))


def _case(
    town: Town,
    service: str,
    document: Mapping[str, Any],
    answers: Mapping[str, Any],
    filer: Conversation,
    heard: Heard,
    facts: Facts,
) -> Case:
    category = str(document["id"])
    fields = {key: value for key, value in answers.items() if key not in _APART} | _confirmed(answers)
    name = answers.get("applicant") or answers.get("holder") or ""
    return filing.filed(
        town,
        "document",
        f"document.{category}",
        filer,
        heard.voice,
        facts,
        **filing.routed(town, "document", category, facts),
        fields={"delivery": _way(_settings(town, service), answers)} | fields,
        sealed={NUMBER: str(answers[NUMBER][SEALED])} if answers.get(NUMBER) else {},
        private=dict.fromkeys(private_of(form(town, service, answers), answers), ""),
        attachments=filing.media(answers),
        followers=(filing.owner(filer),),
        applicant={key: str(value) for key, value in (("name", name), ("phone", answers.get("phone"))) if value},
    )


def _confirmed(answers: Mapping[str, Any]) -> dict[str, str]:
    """What was confirmed, on record by the wording that was confirmed."""
    wordings = {"statement": STATEMENT_WORDING, "authorisation": AUTHORISATION_WORDING}
    return {key: wording for key, wording in wordings.items() if answers.get(key) == "yes"}
