"""Words by which a citizen turns to another town of the same bot, in every language and either script. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.dialogue.own_words import folded, folded_words, whole_phrases
from chalicelib.small_classes import dataclass

NAME_WORDS_MAX = 8

# Whole messages, without fillers; the button's own words in every language are among them.
_OTHER = whole_phrases(
    """drugi grad|drugi gradovi|ostali gradovi|drugog grada|gradovi|lista gradova|promeni grad|promenite grad|
    promenim grad|promeniti grad|promena grada|zameni grad|izaberi grad|odaberi grad|izbor grada|druga opština|
    drugu opštinu|druge opštine|promeni opštinu|promenite opštinu|promenim opštinu|promeniti opštinu|promena opštine|
    izaberi opštinu|izbor opštine|druga općina|drugu općinu|druge općine|promeni općinu|promenite općinu|
    promenim općinu|promena općine|odaberi općinu|izbor općine|drugo mesto|promeni mesto|drugi grad ili opština|
    drugi grad ili općina|
    qytet tjetër|tjetër qytet|qytetet|ndrysho qytetin|ndryshoj qytetin|ndërro qytetin|zgjidh qytetin|komunë tjetër|
    tjetër komunë|komunat|ndrysho komunën|ndryshoj komunën|ndërro komunën|zgjidh komunën|
    other town|another town|different town|change town|switch town|choose town|other towns|towns|other city|
    another city|different city|change city|switch city|other municipality|another municipality|change municipality|
    andere stadt|andere städte|andere gemeinde|anderer ort|anderen ort|stadt wechseln|gemeinde wechseln|ort wechseln|
    stadt ändern|ort ändern|stadt wählen|ort wählen|wechsle die stadt"""
)
_SWITCHING = folded_words(
    """prebaci prebacite pređi predji pređite prelazim prelazak promeni promenite promenim promeniti menjam zameni
    izaberi odaberi biram switch change choose wechsle wechseln wechsel kalo kaloj ndrysho ndryshoj ndërro zgjidh"""
)
_KINDS = folded_words(
    """grad grada gradu gradom opština opštine opštini opštinu općina općine općini općinu mesto kommuna komuna komunë
    komunën komunës qytet qyteti qytetin qytetit town city municipality stadt gemeinde ort"""
)
_FILLERS = folded_words(
    """hoću želim želela želeo bih hteo htela molim vas te me da mi na u za iz od sa i ja sam pišem moj moja je sad sada
    please i want to the a an of my in into from for bitte ich möchte will nach zu zur die den eine einen der in aus
    ju lutem dua të një në nga e i për"""
)


@dataclass(frozen=True, slots=True)
class Wish:
    """`town`: the one that is named, "" where just another one is wanted. `clear`: no answer to a question could mean
    this. `alone`: nothing else is said."""

    town: str = ""
    clear: bool = True
    alone: bool = True


def wished(text: str, spoken: Mapping[str, Sequence[str]]) -> Wish | None:
    """Which town the words turn to, if they do. `spoken`: slug → the names of that town, as `names_of` gives them."""
    said = folded(text)
    if " ".join(word for word in said if word not in _FILLERS) in _OTHER or " ".join(said) in _OTHER:
        return Wish()
    found = _named(said, spoken)
    if found is None:
        return None
    slug, others = found
    alone = all(word in _SWITCHING or word in _KINDS or word in _FILLERS for word in others)
    return Wish(slug, alone and any(word in _SWITCHING for word in others), alone)


def names_of(slug: str, names: Iterable[str]) -> tuple[str, ...]:
    """What a town may be called by, folded, without "the City of" before it; its slug, too."""
    made = {" ".join(_without_kind(folded(name))[:NAME_WORDS_MAX]) for name in (slug, *names)}
    return tuple(sorted(made - {""}))


def _without_kind(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) - 1 and (words[at] in _KINDS or words[at] in ("the", "of", "e", "i")):
        at += 1
    return words[at:]


def _named(said: list[str], spoken: Mapping[str, Sequence[str]]) -> tuple[str, list[str]] | None:
    """The one town named, by the longest name there is, and the other words; None where that could be two towns."""
    best: list[tuple[str, int, int]] = []
    for slug, names in spoken.items():
        for name in names:
            wanted = name.split()
            places = [at for at in range(len(said) - len(wanted) + 1) if said[at : at + len(wanted)] == wanted]
            best += [(slug, len(wanted), at) for at in places[:1]]
    longest = max((length for _, length, _ in best), default=0)
    named = {slug: at for slug, length, at in best if length == longest}
    if len(named) != 1:
        return None
    ((slug, at),) = named.items()
    return slug, [*said[:at], *said[at + longest :]]
