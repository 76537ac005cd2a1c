"""Things with a shape in a message: found as people write them, and nothing found where there is none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.language.scripts import to_cyrillic
from chalicelib.understanding.entities import entities_of
from chalicelib.understanding.entities.dates import date_in
from chalicelib.understanding.entities.numbers import REFERENCE_LETTERS, personal_number_flaw
from chalicelib.understanding.entities.phones import phone_of

SETTLEMENTS = ("Gakovo", "Bezdan", "Bački Monoštor", "Petrovac")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("Broj: 03-082 / 20-700/1", "03-082/20-700/1"),
        ("br. 400 – 73 /13-02", "400-73/13-02"),
        ("II-464-78/2020", "II-464-78/2020"),
        ("Gde je predmet 17/14-100/06?", "17/14-100/06"),
        ("01-02-1636/16", "01-02-1636/16"),
        ("rop-srb-15493-cpi-1/2019", "ROP-SRB-15493-CPI-1/2019"),
        ("предмет 501-123/2024", "501-123/2024"),
        ("01-009/25-1543/2", "01-009/25-1543/2"),
    ],
)
def test_a_file_number_is_found_as_it_is_written_and_is_neither_phone_nor_date(typed: str, number: str) -> None:
    assert entities_of(typed, "RS") == {"file_numbers": [number]}


references = st.tuples(
    st.sampled_from(["SO", "BU", "JA", "ST"]), st.text(alphabet=REFERENCE_LETTERS, min_size=7, max_size=7)
).filter(lambda parts: any(letter.isdigit() for letter in parts[1]))


@given(references, st.sampled_from(["", "-", " "]), st.booleans(), st.sampled_from([str, str.lower, to_cyrillic]))
def test_our_reference_is_read_however_it_is_typed(parts, between, grouped, written) -> None:  # type: ignore[no-untyped-def]
    town, rest = parts
    typed = between.join([town, rest[:4], rest[4:]] if grouped else [town, rest])
    assert entities_of(f"dokle je {written(typed)}", "RS")["references"] == [f"{town}-{rest[:4]}-{rest[4:]}"]


@pytest.mark.parametrize(
    ("region", "typed", "phone"),
    [
        ("RS", "063/123-4567", "+381631234567"),
        ("RS", "(025) 468 241", "+38125468241"),
        ("BA", "061/123-456", "+38761123456"),
        ("BA", "033 282-385", "+38733282385"),
        ("ME", "069/123-456", "+38269123456"),
        ("XK", "044 123 456", "+38344123456"),
        ("XK", "063 123 4567", "+381631234567"),
        ("RS", "00387 61 123 456", "+38761123456"),
        ("BA", "381641234567", "+381641234567"),
        ("RS", "+49 151 23456789", "+4915123456789"),
        ("BA", "0043 664 1234567", "+436641234567"),
        ("RS", "+381 (0)63 123 4567", "+381631234567"),
    ],
)
def test_a_phone_becomes_e164_with_the_towns_country_where_the_code_is_missing(
    region: str, typed: str, phone: str
) -> None:
    assert phone_of(typed, region) == phone
    assert entities_of(f"zovite me na {typed} posle podne", region)["phones"] == [phone]


@pytest.mark.shows("B62")
@pytest.mark.parametrize(
    ("region", "typed"), [("RS", "065 123 45"), ("XK", "028 421 000"), ("RS", "12345678"), ("", "063 1234567")]
)
def test_what_nobody_can_call_or_place_is_no_phone(region: str, typed: str) -> None:
    assert phone_of(typed, region) is None


@given(st.integers(1_000_000, 9_999_999), st.lists(st.sampled_from([" ", "/", "-", ""]), min_size=6, max_size=6))
def test_separators_never_change_a_phone(number: int, between: list[str]) -> None:
    digits = str(number)
    typed = "063" + "".join(mark + digit for mark, digit in zip(["/", *between], digits, strict=True))
    assert phone_of(typed, "RS") == f"+38163{digits}"


@pytest.mark.shows("B61")
@pytest.mark.parametrize(
    ("digits", "flaw"),
    [
        *(
            (number, None)
            for number in """0101990660019 1506985665057 2902984660406 2902000660176 3112999669992 0711005665306
            1203975656006 0103931640228 0101990660000""".split()  # noqa: SIM905
        ),
        ("0101990660060", "unusual"),
        ("0101990660018", "checksum"),
        ("3002990660011", "date"),
        ("010199066001", "length"),
        ("01O1990660019", "length"),
    ],
)
def test_a_personal_number_is_checked_by_its_date_and_its_last_figure(digits: str, flaw: str | None) -> None:
    assert personal_number_flaw(digits) == flaw


@given(st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_figure_in_a_personal_number_is_noticed(place: int, step: int) -> None:
    digits = list("1506985665057")
    digits[place] = str((int(digits[place]) + step) % 10)
    assert personal_number_flaw("".join(digits)) is not None


def test_a_personal_number_is_no_phone_and_a_company_number_no_person() -> None:
    assert entities_of("moj jmbg je 1506985665057", "RS") == {"personal_numbers": ["1506985665057"]}
    assert "personal_numbers" not in entities_of("JIB 4400123450001", "BA")


@pytest.mark.parametrize(
    "typed",
    [
        "5.11.1980", "05.11.1980.", "5. 11. 1980.", "5/11/1980", "05-11-1980", "5. novembar 1980", "5 novembra 1980",
        "5. nëntor 1980", "November 5, 1980", "5 November 1980", "5th November 1980", "1980-11-05", "5. новембра 1980.",
    ],
)  # fmt: skip
def test_a_date_is_read_as_people_write_it(typed: str) -> None:
    assert entities_of(f"rođen sam {typed}", "RS") == {"dates": ["1980-11-05"]}


@pytest.mark.shows("B64")
@pytest.mark.parametrize("typed", ["30.2.2020", "5.11.80", "13/13/2020", "5. banana 2020"])
def test_what_is_no_date_is_not_made_one(typed: str) -> None:
    assert "dates" not in entities_of(typed, "RS")


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)), st.sampled_from([".", "/", "-", ". "]))
def test_every_day_survives_being_written(day: dt.date, mark: str) -> None:
    assert date_in(f"{day.day}{mark}{day.month}{mark}{day.year}", dt.date(2026, 1, 1)) == day.isoformat()


@pytest.mark.parametrize(
    ("typed", "date"),
    [
        ("sutra", "2026-03-11"),
        ("сутра ујутру", "2026-03-11"),
        ("gestern", "2026-03-09"),
        ("sot", "2026-03-10"),
        ("?", None),
    ],
)
def test_today_and_tomorrow_are_counted_from_the_day_given(typed: str, date: str | None) -> None:
    assert date_in(typed, dt.date(2026, 3, 10)) == date


@pytest.mark.parametrize(
    ("typed", "street", "number"),
    [
        ("Velika rupa u Venca Petrovića 12 kod škole", "Venca Petrovića", "12"),
        ("rupa u ulici kralja petra 15a", "kralja petra", "15a"),
        ("ne radi lampa, Venac 3", "Venac", "3"),
        ("ul. Zelenih beretki br. 4", "Zelenih beretki", "4"),
        ("Trg Sunca broj 3", "Trg Sunca", "3"),
        ("Njegoševa bb", "Njegoševa", "bb"),
        ("улица Краља Петра 15", "Краља Петра", "15"),
        ("rruga Adem Jashari nr. 5", "Adem Jashari", "5"),
        ("Laterne kaputt, Hauptstraße 12", "Hauptstraße", "12"),
        ("pothole at 12 Main Street", "Main Street", "12"),
    ],
)
def test_street_and_number_are_found(typed: str, street: str, number: str) -> None:
    assert entities_of(typed, "RS")["address"] == {"street": street, "number": number}


@pytest.mark.parametrize(
    "typed", ["imam 3 deteta", "Živim sama, imam 82 godine", "Već 3 dana nema vode", "Nema vode od 12 sati"]
)
def test_a_count_is_no_address(typed: str) -> None:
    assert "address" not in entities_of(typed, "RS")


@pytest.mark.parametrize(
    ("typed", "settlement"),
    [
        ("nema vode u Gakovu", "Gakovo"),
        ("нема воде у Гакову", "Gakovo"),
        ("autobus iz Bezdana", "Bezdan"),
        ("u backom monostoru", "Bački Monoštor"),
        ("Nema vode u Petrovcu od sinoć", "Petrovac"),
    ],
)
def test_a_settlement_is_known_in_every_case_ending_and_script(typed: str, settlement: str) -> None:
    assert entities_of(typed, "RS", SETTLEMENTS)["settlements"] == [settlement]


@given(st.text(max_size=400), st.sampled_from(["RS", "BA", "ME", "XK", ""]))
def test_entities_take_anything(text: str, region: str) -> None:
    for values in entities_of(text, region, SETTLEMENTS).values():
        assert values
