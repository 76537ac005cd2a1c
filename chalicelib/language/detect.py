"""Which of the four language families a message is in: South Slavic (`sr`), Albanian, English or German."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.language.folding import fold, words
from chalicelib.language.scripts import script_of

FAMILIES = ("sr", "sq", "en", "de")
STEM_LETTERS = 5

_FUNCTION_WORDS = {
    "sr": """i u na je da se su za od sa kako gde sta kada kad koji koje koja mi nam moj moja li bi bih sam smo
        ste ili ne nema treba mogu moze hocu zelim ima iz po do kod dobar dan molim hvala oko jel
        jeli sto zasto ko kome koliko imam nisam dje sutra danas""",
    "sq": """une dua te per ne me nga si ku cfare kur eshte jam kam mund duhet nje dhe apo a po jo ju lutem prej
        deri tek mua im ime tim nuk ka cka qysh pershendetje mirdita a mundem keni dokumente rruge""",
    "en": """the a an is are i you to of in for my how where what when do does can need want get have with on it
        please there any this that from and or not who whom which would like am was our we is""",
    "de": """der die das ein eine einen ich wir sie ist sind zu fur mit und oder wo wie was wan kan brauche
        mochte bekomme von im in meine meinen mein nicht bite gibt es auf den dem habe haben einer
        guten tag mus wer wen beantrage""",
}
_MARKS = {"sq": "ëç", "de": "äöüß", "sr": "čćšžđ"}
_SHARED_PENALTY = 0.4


def _word_weights() -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {}
    for family, line in _FUNCTION_WORDS.items():
        for word in line.split():
            table.setdefault(word, {})[family] = 1.0
    for families in table.values():
        if len(families) > 1:
            for family in families:
                families[family] = _SHARED_PENALTY
    return table


_WORDS = _word_weights()


def language_of(text: str, telling: Mapping[str, str] | None = None) -> str | None:
    """The family, or None when nothing tells (a number, an emoji, one unknown word).

    `telling`: stem → family, from the town's index.
    """
    if script_of(text) == "cyrillic":
        return "sr"
    scores = dict.fromkeys(FAMILIES, 0.0)
    lowered = text.lower()
    for family, marks in _MARKS.items():
        scores[family] += 0.7 * min(3, sum(lowered.count(mark) for mark in marks))
    for word in words(fold(text)):
        for family, weight in _WORDS.get(word, {}).items():
            scores[family] += weight
        family = (telling or {}).get(word[:STEM_LETTERS], "")
        if family:
            scores[family] += 0.8
    best, second = sorted(scores, key=lambda family: scores[family], reverse=True)[:2]
    return best if scores[best] >= 0.7 and scores[best] > scores[second] else None
