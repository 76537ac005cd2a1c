"""Which time zone a place abroad has, by the names that people from here give to countries and cities."""

from __future__ import annotations

from functools import lru_cache

from chalicelib.language.folding import fold, words

_USA = ("sad", "u sad", "iz sad")  # the word means "now", too
SEVERAL = "several"  # a country with more than one time: only its city tells

# Zone → names in any of our languages; * stands for endings. A city beats its country.
_PLACES = {
    "Europe/Berlin": """njemack* nemack* germany deutschland gjerman* berlin* minhen* munchen* frankfurt* hamburg* keln*
        koln stutgart* austrij* austria osterreich bec becu wien viena grac* graz salcburg* salzburg* linc* linz
        svicarsk* svajcarsk* switzerland schweiz zvicer* cirih* zurich* bern bernu bazel* basel zenev* geneva genf
        francusk* france frankreich pariz* paris italij* italy italien italia rim rimu milan* holandij* nizozemsk*
        netherlands niederlande amsterdam* belgij* belgium belgien brisel* luksemburg* luxembourg luxemburg dansk*
        denmark danemark kopenhag* svedsk* sweden schweden suedi stokholm* stockholm malme malmo geteborg* norvesk*
        norway norwegen oslo oslu slovenij* slovenia slowenien ljubljan* hrvatsk* croatia kroatien zagreb* split splitu
        srbij* serbia serbien beograd* crna crnoj crne crnu montenegro podgoric* bosn* hercegovin* sarajev* kosov*
        pristin* makedonij* skoplj* albanij* tiran* spanij* spain spanien madrid* barcelon* cesk* prag pragu poljsk*
        poland polen slovack* madarsk* hungary ungarn malta malti""",
    "Europe/London": """englesk* england velsk* britanij* britain british grosbritanien london* skotsk* birmingham*
        mancester* uk irsk* ireland irland dablin* dublin* portugal* lisabon* lisbon""",
    "Europe/Athens": """grck* greece griechenland atin* bugarsk* bulgaria sofij* rumunij* romania finsk* finland
        helsinki* kipar kipru""",
    "Europe/Istanbul": "tursk* turkey turkei turqi* istanbul* ankar*",
    "Europe/Moscow": "moskv* moscow moskau peterburg*",
    "Asia/Dubai": "dubai* uae emirat* dabi",
    "Asia/Qatar": "katar* qatar* doha dohi kuvajt* saudij*",
    "America/New_York": """njujork* newyork* york* boston* vasington* washington florid* majami* miami* atlant*
        filadelfij* dzordzij* ohajo ohio micigen* michigan detroit* dzeksonvil* jacksonvile pensilvanij*""",
    "America/Chicago": """cikag* chicago luis* misuri misouri ajov* iowa moines teksas* texas dalas* dallas hjuston*
        houston minesot* ilinois""",
    "America/Denver": "denver* kolorad* colorado utah juta",
    "America/Boise": "boise boisi ajdah* idaho",
    "America/Phoenix": "finiks* phoenix arizon*",
    "America/Los_Angeles": """kalifornij* california andeles* angeles francisk* francisco sijetl* seattle portland*
        nevad* vegas*""",
    "America/Toronto": "toront* otav* otawa montreal* ontario hamilton* kicener* kitchener",
    "America/Edmonton": "edmonton* kalgari* calgary albert*",
    "America/Vancouver": "vankuver* vancouver",
    "Australia/Sydney": "sidnej* sydney melburn* melbourne kanber* canbera viktorij* victoria hobart*",
    "Australia/Brisbane": "brizbejn* brisbane kvinslend* queensland",
    "Australia/Adelaide": "adelaid* adelajd*",
    "Australia/Perth": "pert pertu perth",
    "Pacific/Auckland": "zeland* zealand neuseeland okland* auckland",
    SEVERAL: """usa amerik* america sjedinjen* states staaten kanad* canada kanada australij* australia australien
        rusij* russia russland brazil* meksik* mexico indonezij*""",
}


def zone_in(text: str) -> str | None:
    """The zone of the first place the words name, SEVERAL for a country that has more than one, None for no place."""
    folded = fold(text)
    if folded in _USA:
        return SEVERAL
    spoken = words(folded)
    found = [zone for word in spoken for zone in (_zone_of(word),) if zone]
    return next((zone for zone in found if zone != SEVERAL), found[0] if found else None)


def _zone_of(word: str) -> str | None:
    whole, begun = _names()
    if word in whole:
        return whole[word]
    return next((zone for start, zone in begun if word.startswith(start) and len(word) <= len(start) + 4), None)


@lru_cache(maxsize=1)
def _names() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Whole names, and beginnings of names, the longest first."""
    whole: dict[str, str] = {}
    begun: dict[str, str] = {}
    for zone, names in _PLACES.items():
        for name in names.split():
            target = begun if name.endswith("*") else whole
            target[fold(name.rstrip("*"))] = zone
    return whole, tuple(sorted(begun.items(), key=lambda entry: -len(entry[0])))
