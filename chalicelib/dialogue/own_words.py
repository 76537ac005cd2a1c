"""What people type instead of pressing a form's button, in every language and either script.

Everything is compared folded, so one entry serves both scripts and typing without diacritics.
"""

from __future__ import annotations

from functools import lru_cache

from chalicelib.language.folding import fold, words
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.places import ENDING_LETTERS_MAX
from chalicelib.understanding.rules import Spoken, compile_rule, first_match


def folded_words(line: str) -> frozenset[str]:
    """A table of words in folded form."""
    return frozenset(fold(word) for word in line.split())


def whole_phrases(line: str) -> frozenset[str]:
    """A table of whole messages, parted by `|`, in folded form."""
    return frozenset(" ".join(words(fold(entry))) for entry in line.split("|"))


_WORDS = {
    "back": """nazad|natrag|vrati|vrati se|vrati me|vrati me nazad|korak nazad|korak unazad|prethodno|prethodno pitanje|
        kthehu|prapa|mbrapa|back|go back|previous|zurück|zurueck|zurück bitte|vorherige""",
    "skip": """preskoči|preskočiti|preskačem|preskočite|dalje|nema|nemam|nemam sliku|nemam fotografiju|nema slike|
        bez slike|bez fotografije|ne mogu da slikam|kapërce|kaperce|kaloje|anashkalo|nuk kam|nuk kam foto|skip|skip it|
        next|no photo|i have none|i have no photo|überspringen|ueberspringen|weiter|kein foto|habe ich nicht|ne znam|
        ne znam to|ne znam tačno|nemam pojma|nisam siguran|nisam sigurna|ne sećam se|ne sjećam se|nije mi poznato|
        nuk e di|nuk e di saktësisht|nuk më kujtohet|i don't know|don't know|i do not know|no idea|not sure|
        weiß ich nicht|ich weiß es nicht|weiß nicht|keine ahnung""",
    "cancel": """da odustanem|odustanem|odustajem|odustani|odustati|odustao sam|odustala sam|otkaži|otkazujem|
        otkazati|otkaži prijavu|prekini|prekidam|poništi|anulo|anuloje|hiq dorë|heq dorë|cancel|cancel it|abort|quit|
        never mind|abbrechen|abbruch|ich breche ab|stornieren""",
    "send": """pošalji|pošaljite|pošalji prijavu|šalji|potvrdi|potvrđujem|u redu pošalji|da pošalji|dërgo|dergo|
        dërgoje|konfirmo|konfirmoj|send|send it|yes send|confirm|submit|senden|absenden|ja senden|bestätigen""",
    "change": """izmeni|izmijeni|izmena|promeni|promijeni|ispravi|ispravka|ndrysho|korrigjo|change|edit|correct|
        ändern|aendern|korrigieren|bearbeiten""",
    "resume": """nastavi|nastavi unos|nastavi prijavu|nastaviti|nastavljam|nastavimo|vazhdo|vazhdoj|continue|resume|
        go on|fortsetzen|weitermachen""",
    "keep": """zadrži|ostavi|ostavi tako|ostaje|mbaje|lëre|keep|keep it|leave it|behalten|lassen""",
    "done": """gotovo|završeno|to je sve|to je to|përfundo|kaq|mbarova|done|that's all|finished|fertig|das ist alles""",
    "yes": """da|jeste|jest|može|važi|naravno|tako je|tačno|tačno je|točno|sve je tačno|sve je točno|sve tačno|u redu|
        sve je u redu|sve u redu|slažem se|saglasan sam|saglasna sam|pristajem|ok|okej|sve ok|po|në rregull|
        gjithçka në rregull|është në rregull|yes|yep|yeah|sure|correct|right|i agree|all good|all correct|looks good|
        that is right|ja|jawohl|genau|stimmt|stimmt so|alles richtig|alles gut|passt|einverstanden|pajtohem|dakord""",
    "no": """ne|nije|nemoj|jok|ne slažem se|nisam saglasan|nisam saglasna|jo|no|nope|nein|nicht|nuk pajtohem""",
}
_COMMANDS = {" ".join(words(fold(entry))): name for name, line in _WORDS.items() for entry in line.split("|")}
_THUMBS = {"👍": "yes", "👎": "no"}
_SKIN_TONES = pattern("[\U0001f3fb-\U0001f3ff\ufe0f]")
AGREEING_WORDS_MAX = 6
_FILLERS = folded_words("molim vas hoću želim bih hvala please bitte ju lutem te i want to ich möchte")

_ASKS = folded_words(
    """gde gdje đe kada kad kako koliko ko tko kome koji koja koje šta što zašto čemu odakle dokle jel jeli where when
    how what who why which can ku kur si çfarë cfare kush pse cili wo wann wie was wer wem warum welche kann"""
)
_QUESTION_STARTS = tuple(
    f"{fold(start)} "
    for line in (
        "da li|je li|ima li|može li|mogu li|mogu da li|zanima me|interesuje me",
        "hteo bih da pitam|htela bih da pitam|želim da pitam|hoću da pitam|imam pitanje|a mund|a ka|a keni",
        "dua të di|do you|is there|are there|could you|gibt es|haben sie",
    )
    for start in line.split("|")
)
_WISH_STARTS = tuple(
    f"{fold(start)} "
    for line in (
        "treba mi|trebaju mi|treba nam|trebam|trebalo bi mi|trebala bi mi|može li neko|može neko|da li može neko",
        "da li bi neko mogao|da li neko može|ima li neko|a mund dikush|a ka dikush|më duhet|më duhen|i need|we need",
        "could somebody|could someone|can somebody|can someone|ich brauche|kann jemand|könnte jemand",
    )
    for start in line.split("|")
)
_NEED_STARTS = tuple(
    f"{fold(start)} "
    for start in ["treba mi", "trebaju mi", "treba nam", "trebam", "më duhet", "i need", "ich brauche"]
)
# Words by which a document is ordered rather than asked about, as keyword rules.
_ORDERS = tuple(
    compile_rule(entry)
    for line in (
        "naruč*|poruč*|podnes* zahtev*|podnos* zahtev*|pred* zahtev*|pošalj* mi|pošalj* nam|zahtev za dokument",
        "porosi*|kërkoj|dërgoni më|ma dërgoni|më dërgoni|aplikoj",
        "order|request|apply for|send me|bestellen|bestelle|beantragen|beantrage|schicken mir|senden mir|schicken uns",
    )
    for entry in line.split("|")
)
_PLACE_STARTS = folded_words(
    """u na kod ispred iza pored preko pre prije posle poslije blizu između ispod iznad iz do naspram duž ulica ulici ul
    trg bulevar put te tek pranë afër para përballë rruga in at near behind opposite next by on bei vor hinter neben
    gegenüber am im an auf zwischen"""
)
# What stands somewhere: words that hold one of these, with any ending, may be a place whatever else they mean.
_PLACE_NOUNS = """
    centar zgrada ured uprava kancelarija služba odeljenje odjel opština općina katastar matičar sud pošta
    policija škola vrtić obdanište jaslice fakultet biblioteka muzej dom bolnica ambulanta porodilište apoteka
    zavod crkva manastir džamija kapela groblje pijaca trg park igralište stadion bazen stanica stajalište most
    raskrsnica raskršće križanje semafor kružni put cesta staza prolaz naselje selo kvart blok lamela kuća
    dvorište ulaz haustor ugao ćošak hotel kafić restoran prodavnica trafika market banka pumpa fabrika hala
    garaža parking kanal reka rijeka obala kej šuma polje njiva krst spomenik
    qendër ndërtesë zyrë komunë shkollë kopsht spital ambulancë barnatore kishë xhami varrezë treg shesh park
    stacion urë rrugë udhëkryq fshat lagje banesë shtëpi oborr hyrje hotel dyqan bankë lumë
    centre center building office school kindergarten hospital pharmacy church mosque cemetery market square station
    stop bridge road street crossing village house yard entrance corner hotel shop bank river parking
    zentrum gebäude haus amt büro schule kindergarten krankenhaus apotheke kirche moschee friedhof markt platz
    bahnhof haltestelle brücke straße weg kreuzung dorf hof eingang ecke laden fluss parkplatz rathaus
"""

_MARKS = folded_words(
    """ne nije nisu no not nein nicht jo ipak zapravo greška pogrešno pogrešio pogrešila pogriješio
    pogriješila ispravka ispravljam izmena izmjena umesto umjesto izvinite sorry actually wrong correction falsch
    korrektur gabim korrigjim mistake sam je moja"""
)
_STRONG_MARKS = _MARKS - frozenset(("ne", "no", "jo", "nein", "nicht", "not", "nije", "sam", "je", "moja"))
_INSTEAD = folded_words("nego već vec but sondern por")
_COPULAS = folded_words("je su jeste glasi treba eshte është jane is are ist lautet")
_MARKS_MAX = 3


def command_in(text: str) -> str | None:
    """The form's command a whole message is: back, skip, cancel, send, change, resume, keep, done, yes, no."""
    folded = " ".join(words(fold(text)))
    if folded in _COMMANDS:
        return _COMMANDS[folded]
    if not folded:
        return _THUMBS.get(_SKIN_TONES.sub("", text).strip()[:1])
    said = [word for word in folded.split() if word not in _FILLERS]
    return _COMMANDS.get(" ".join(said)) or (_agreed(said) if len(said) <= AGREEING_WORDS_MAX else None)


def _agreed(said: list[str]) -> str | None:
    """What ways of agreeing after each other come to: "da, može", "yes, send it"."""
    for end in range(len(said), 0, -1):
        first, rest = _COMMANDS.get(" ".join(said[:end])), said[end:]
        after = _agreed(rest) if rest and first in ("yes", "send") else first
        if after in ("yes", "send"):
            return "send" if first == "send" else after
    return None


def asks_something(text: str) -> bool:
    """Whether the words are put as a question or a wish of their own rather than as somebody's answer."""
    folded = " ".join(words(fold(text)))
    first = folded.partition(" ")[0]
    return "?" in text or first in _ASKS or f"{folded} ".startswith(_QUESTION_STARTS + _NEED_STARTS)


def orders_something(text: str) -> bool:
    """Whether the words order a document instead of asking what it takes: "hoću da naručim", "pošaljite mi"."""
    ordered = words(fold(text))
    asks = "?" in text or (ordered and ordered[0] in _ASKS) or f"{' '.join(ordered)} ".startswith(_QUESTION_STARTS)
    return not asks and first_match(_ORDERS, Spoken(ordered)) is not None


def wishes_for(text: str) -> bool:
    """Whether words wish for something, even if they are put as a question: "može li neko doneti hleb"."""
    return f"{' '.join(words(fold(text)))} ".startswith(_WISH_STARTS)


def folded(text: str) -> list[str]:
    """The words of a message, folded."""
    return words(fold(text))


def names_a_place(text: str) -> bool:
    """Whether the message opens as places do: "kod škole", "near the church"."""
    return next(iter(words(fold(text))), "") in _PLACE_STARTS


def may_be_a_place(text: str) -> bool:
    """Whether the message opens as places do, or holds a word for something that stands somewhere."""
    return names_a_place(text) or any(
        word.startswith(stem) and len(word) - len(stem) <= ENDING_LETTERS_MAX
        for word in words(fold(text))
        for stem in _place_stems()
    )


@lru_cache(maxsize=1)
def _place_stems() -> tuple[str, ...]:
    """Folded when somebody first names something as a place."""
    return tuple(word[:-1] if word[-1] in "aeiou" else word for word in folded_words(_PLACE_NOUNS))


@dataclass(frozen=True, slots=True)
class Correction:
    """`text` is what should stand instead; `noun` the citizen's word for what is corrected, if one was said."""

    text: str
    noun: str = ""
    marked: bool = False  # opened with "ne", "ispravka" and the like


def correction_in(text: str, nouns: frozenset[str]) -> Correction | None:
    """A correction in own words: "ne, ulica je Staparski put", "adresa: Trg 5", "nije Trg 5 nego Trg 6".

    `nouns`: folded words by which the form's answers are called.
    """
    parts = text.split()
    marked, rest = _without_marks(parts, nouns)
    instead = next((at for at, word in enumerate(rest) if _plain(word) in _INSTEAD), None)
    if marked and instead is not None and rest[instead + 1 :]:
        return Correction(" ".join(rest[instead + 1 :]), marked=True)
    named = _named(rest, nouns, marked)
    if named:
        return named
    return Correction(" ".join(rest), marked=True) if marked and rest else None


def change_in(text: str, nouns: frozenset[str]) -> str | None:
    """The noun of "promeni adresu", "change the address"; None if the message is no such wish."""
    spoken = words(fold(text))
    if not spoken or _COMMANDS.get(spoken[0]) != "change":
        return None
    return next((noun for word in spoken[1:4] for noun in nouns if _like(word, noun)), None)


def _without_marks(parts: list[str], nouns: frozenset[str]) -> tuple[bool, list[str]]:
    """The words after what marks a correction. A bare "ne" marks one only before a comma or one of the nouns."""
    marked = False
    for _ in range(_MARKS_MAX):
        if not parts or _plain(parts[0]) not in _MARKS:
            break
        following = _plain(parts[1]) if len(parts) > 1 else ""
        strong = _plain(parts[0]) in _STRONG_MARKS or parts[0][-1] in ",.;:!–-"
        instead = any(_plain(word) in _INSTEAD for word in parts)
        if not (marked or strong or instead or any(_like(following, noun) for noun in nouns)):
            break
        marked, parts = True, parts[1:]
    return marked, parts


def _named(parts: list[str], nouns: frozenset[str], marked: bool) -> Correction | None:
    for width in (1, 2):
        if len(parts) <= width:
            return None
        noun = next((noun for noun in nouns if _like(_plain(parts[0]), noun)), None)
        if noun is None:
            return None
        last, following = parts[width - 1], parts[width]
        if _plain(following) in _COPULAS and parts[width + 1 :]:
            return Correction(" ".join(parts[width + 1 :]), noun, marked)
        if last.endswith(":") or (marked and width == 1 and noun not in _PLACE_STARTS):
            return Correction(" ".join(parts[width:]), noun, marked)
    return None


def _plain(word: str) -> str:
    return "".join(words(fold(word)))


def _like(word: str, noun: str) -> bool:
    """The same noun whatever its ending."""
    stem = noun[: max(4, len(noun) - 1)]
    return word == noun or (len(noun) > 4 and word.startswith(stem) and len(word) <= len(noun) + 2)
