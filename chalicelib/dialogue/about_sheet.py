"""What people ask about the sheet they have just read ("a koliko to košta?", "where do I go"): its part that says so.

Only words that name nothing else are taken so: a question with a subject of its own is answered as such.
"""

from __future__ import annotations

from functools import lru_cache

from chalicelib.dialogue import forms
from chalicelib.dialogue.forms import Scene
from chalicelib.dialogue.words import line
from chalicelib.language.folding import fold, words
from chalicelib.model import CITIZEN, Choice, Line, Say
from chalicelib.small_classes import replace
from chalicelib.understanding.rules import Spoken, compile_rule, met

WORDS_MAX = 8
MESSAGES_BACK = 3  # the sheet may have been shown before a word of thanks or a second question
READ_SECONDS = 30 * 60
STEM_LETTERS = 5
_BESIDE = ((Line("thanks"),), (Line("not_understood"),))  # said in between, they change no subject

# Intents whose words are general enough to be about the sheet, where they name nothing of their own.
_GENERAL = ("contact.hours", "contact.office", "doc.generic")
_RULES = {
    "fee": """kolik* kost*|koliko je to|kolik* taks*|taks*|cena|cene|cenu|kolik* plat*|placa*|besplatn*|how much|
        cost*|fee|fees|price*|kost*|gebuhr*|preis*|bezahl*|kushton|kushtojn*|tarif*|pagu*|pages*|cmim*|takse""",
    "term": """kolik* traj*|kolik* cek*|koliko dugo|kolik* vremena|kolik* dana|rok|rokov*|kad* gotov*|kad* spremn*|
        kad* dobi*|how long|how soon|how many days|when ready|deadline|wie lange|wie schnell|dauer*|frist*|
        wann fertig|sa zgjat*|sa koh*|sa dit*|afat*|kur gati""",
    "papers": """sta treba*|sta potreb*|koj* dokument*|kakv* dokument*|koj* papir*|papir*|dokumentacij*|
        dokument* treba*|sta pones*|sta done*|sta prilo*|what need*|what document*|which document*|
        document* need*|what bring|papers|unterlagen|was brauch*|was mitbring*|welche dokument*|
        dokumente brauch*|cfare duhet|cfare dokument*|cilat dokument*|dokument* duhet|dokument* duhen|cfare me duhet""",
    "who": """ko moze|ko sme|ko ima pravo|neko drugi|umesto mene|u moje ime|punomoc*|ovlascen*|who can|who may|
        someone else|somebody else|behalf|wer kann|wer darf|jemand anders|vollmacht|kush mund|dikush tjeter|
        autorizim*""",
    "how": """kako preda*|kako podne*|kako prija*|preko interneta|internetom|onlajn|online|elektronsk*|postom|mejlom|
        how apply|how submit|wie beantrag*|per post|si aplik*|si behet|me poste""",
    "where": """gde preda*|gde podne*|gde podi*|gde ide*|gde ode*|gde da|gde to|gde se|kod koga|kome javi*|kome obrati*|
        kom salter*|koj* salter*|where go|where do i|where submit|where apply|where is it|where is that|
        which office|which counter|wohin|wo ist das|wo gebe|wo beantrag*|welche* schalter|welche* amt|ku shko*|
        ku duhet|ku dorezo*|ku aplik*|ku eshte|adresa|adresu|address|adresse|adresen""",
    "hours": """radno vreme|kad* rade|kad* radi|do kad*|do kolik* sat*|od kolik* sat*|opening hours|when open|
        office hours|offnungszeit*|wann offen|wann geoffnet|orar*|kur punon*""",
    "phone": "telefon*|broj telefona|phone*|telephone|numri",
    "law": "kom zakon*|koj* zakon*|zakonsk* osnov*|which law|what law|welch* gesetz*|rechtsgrundlage|cil* ligj*",
}
_LITTLE_WORDS = """
    a i e to ovo ono taj ta za je li l se si sam su da do u na od kod po mi me ga ih ja bi mora moram treba
    trebam može mogu molim vas vi hvala onda sve tačno koji koja koje kakav kakva broj koliko otprilike obično
    ukupno sada tu tamo još pa ali nego zahtev zahteva zahtevom molba molbu će biti bude dugo preda predam
    podnese podnesem podnosi predaje uzme uzmem
    the it is this that does do i to for a an and ok please can get of there so what which usually about
    exactly total all will be you application request form take takes apply submit need long
    das es ist ich muss kann man bitte der die denn dafür und für welche welcher ungefähr normalerweise
    insgesamt alles antrag den dem wie viel was brauche lange stellen
    kjo ky te të e i per për me më a duhet mund ju lutem po sa cili cila zakonisht rreth kërkesa kërkesën
"""


def asked(scene: Scene) -> Say | None:
    """The part of the sheet shown last that answers the message; None if it asks nothing of that kind."""
    if not scene.conversation.log:
        return None
    spoken = words(fold(scene.heard.text))
    part, matched = _part(spoken) if len(spoken) <= WORDS_MAX else ("", [])
    read = (_of_form(scene) or _read_lately(scene)) if part else None
    if read is None or read.sheet is None or read.sheet not in scene.town.sheets[scene.town.native_language]:
        return None
    if _names_another(scene, spoken, matched, read.sheet):
        return None
    whole = Choice(read.sheet, Line(read.sheet))
    others = tuple(choice for choice in read.choices if choice.id != read.sheet)
    return replace(read, lines=(), after=(), part=part, choices=(whole, *others))


@lru_cache(maxsize=1)
def rules() -> list[list[str]]:
    """Each rule with its part, in order; folded when somebody first asks on."""
    return sorted([compile_rule(rule), part] for part, said in _RULES.items() for rule in said.split("|"))


@lru_cache(maxsize=1)
def _little() -> frozenset[str]:
    return frozenset(words(fold(_LITTLE_WORDS)))


def _part(spoken: list[str]) -> tuple[str, list[str]]:
    """What the words ask for (of several things the first of _RULES), and all rules they meet."""
    found = met(rules(), Spoken(spoken))
    asked_for = {part for _, part in found}
    return next((part for part in _RULES if part in asked_for), ""), [rule for rule, _ in found]


def _of_form(scene: Scene) -> Say | None:
    """The sheet of what an open form requests."""
    draft = forms.open_draft(scene.conversation.state) if forms.is_open(scene.conversation.state) else None
    if draft is None:
        return None
    chosen = {f"{draft.service}.{name}.{value}" for name, value in draft.answers.items() if isinstance(value, str)}
    services, entries = scene.town.core["services"], scene.town.core["procedures"]
    sheet = next((str(entry["id"]) for entry in entries if entry.get("request") in chosen), None)
    explains = next((name for name, service in services.items() if service["kind"] == "procedures"), None)
    return Say(sheet=f"{explains}.{sheet}") if sheet and explains else None


def _read_lately(scene: Scene) -> Say | None:
    """What was said with the last sheet, if that was a moment ago and nothing else was spoken of since."""
    messages = 0
    for entry in reversed(scene.conversation.log):
        messages += entry.origin == CITIZEN
        if messages > MESSAGES_BACK or entry.at < scene.now - READ_SECONDS:
            return None
        if entry.say and entry.say.sheet:
            return entry.say
        if entry.say and entry.say.lines[:1] not in _BESIDE:
            return None
    return None


def _names_another(scene: Scene, spoken: list[str], matched: list[str], sheet: str) -> bool:
    """Whether the words name something that is not the sheet's matter."""
    understood = scene.heard.understood
    title = {word[:STEM_LETTERS] for word in words(fold(line(Line(sheet), scene.town, scene.town.default_voice)))}
    title |= {word[:STEM_LETTERS] for word in words(fold(line(Line(sheet), scene.town, scene.heard.voice)))}
    rest = [word for word in spoken if word not in _little() and not _is_of(word, matched)]
    if any(word[:STEM_LETTERS] not in title for word in rest):
        return True
    general = bool(understood.intents) and understood.intents[0][0] in _GENERAL and not understood.narrowed
    return understood.decision == "answer" and not (rest or general)


def _is_of(word: str, matched: list[str]) -> bool:
    pieces = (piece for rule in matched for piece in rule.split())
    return any(word.startswith(piece[:-1]) if piece[-1] == "*" else word == piece for piece in pieces)
