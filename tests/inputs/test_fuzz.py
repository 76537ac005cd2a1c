"""Minutes at each door with whatever can be made up: `make fuzz MINUTES=10`; among the campaigns a quarter of a minute.

What is found becomes a fixed example of the tests beside this one.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from chalicelib.actions.check_media import TYPES, NotTaken, checked
from chalicelib.cases import case_file, references
from chalicelib.channels.viber.receive import receive
from chalicelib.console.routes import PAGES
from chalicelib.language.folding import fold
from chalicelib.language.scripts import to_cyrillic, to_latin
from chalicelib.model import Refused
from chalicelib.understanding.entities import entities_of
from chalicelib.understanding.entities.numbers import access_code_in, hide_personal_numbers
from chalicelib.understanding.understand import understand
from tests.console.clerk import Clerk, filed
from tests.inputs.test_any_order import LONG, PHRASES, Anything
from tests.inputs.test_console import FIELDS, LEAVING, looked, seats
from tests.inputs.test_console import sent as presses
from tests.inputs.test_faces import ASKED, GETS, POSTS, filled, key, sent, unhurried
from tests.inputs.test_faces import TYPES as BODY_TYPES
from tests.inputs.test_town_files import MUTATIONS, is_a_town_or_refused
from tests.inputs.test_viber import ACCOUNT, ANYTHING, EVENTS, any_event_is_understood_or_dropped
from tests.inputs.test_web import MESSAGES, is_understood_or_refused
from tests.inputs.test_words import REFUSED, SLOTS, taken
from tests.media import samples
from tests.shows import Measure
from tests.understanding.test_understand import TOWN as INDEX
from tests.viber import callback
from tests.world import World

__all__ = ["key", "seats", "unhurried"]  # fixtures
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0.25"))
AT_ONCE = 500
QUIET = settings(max_examples=AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck))

# --- what is made up ------------------------------------------------------------------------------------------------

MARKS = list(".,-–/+()'\"’ \t\n\u00a0\u200d\u202e\u0301•:;@#|~") + ["00381", "+387", "06", "bb", "İ", "ß", "ǅ", "１２"]
MARKS += ["1506985665057", "15. 6. 1985.", "31.02.", "juče", "Kralja Petra 12", "zovem se Ana Anić", "١٢٣"]
MARKS += ["SO-7KM4-2A9", "351-45/2026", "A2E4J6"]
BITS = st.one_of(st.sampled_from(MARKS), st.text("0123456789", max_size=6), st.text(max_size=4))
TYPED = st.one_of(
    st.text(max_size=80),
    st.lists(BITS, max_size=14).map("".join),
    st.tuples(st.sampled_from(PHRASES), st.sampled_from(MARKS), st.text(max_size=20)).map(" ".join),
)
PHOTOS = [samples.photo(90, 60, exif=True), samples.photo(90, 60, kind="PNG"), samples.photo(90, 60, kind="WEBP")]
FILES = [*PHOTOS, samples.video(), samples.paper()]
TABLE = 'broj;predmet;ime;telefon;jezik;saglasnost\r\n1/26;"Rupa; velika";Ana;060 123 45 67;sr-Cyrl;da\r\n'
TABLES = [TABLE.encode(), TABLE.encode("utf-16"), TABLE.encode("cp1250"), TABLE.replace(";", ",").encode("utf-8-sig")]
EVENT = {"event": "message", "message_token": 1, "sender": {"id": "a"}, "message": {"type": "text", "text": "zdravo"}}


def changed(whole: list[bytes]) -> Any:
    """One of these files with pieces cut out and put in."""
    cut = st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12))

    def with_(raw: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
        for at, many, put in cuts:
            start = int(at * len(raw))
            raw = raw[:start] + put + raw[start + many :]
        return raw

    return st.one_of(st.builds(with_, st.sampled_from(whole), st.lists(cut, max_size=5)), st.binary(max_size=200))


# --- what must hold ---------------------------------------------------------------------------------------------------


def any_bytes_from_viber(raw: bytes) -> None:
    try:
        receive(callback("token", raw), ACCOUNT, "token")
    except Refused as refused:
        assert refused.status < 500


def is_an_answer_or_none(said: tuple[str, str]) -> None:
    kind, typed = said
    answer = taken(kind, typed)
    assert answer is REFUSED or SLOTS[kind].holds(answer)


def is_read(said: tuple[str, str]) -> None:
    text, region = said
    assert all(entities_of(text, region, ("Gakovo", "Bački Monoštor")).values())
    shown, found = hide_personal_numbers(text, asked=True)
    assert not any(number in shown for number in found if number)
    number = references.normalise(text)
    assert number is None or references.normalise(number) == number
    access_code_in(text)
    assert fold(fold(fold(text))) == fold(fold(text))
    to_latin(to_cyrillic(text)).encode()
    assert understand(text, INDEX).decision in ("answer", "choose", "unknown")


def is_kept_or_not_taken(data: bytes) -> None:
    try:
        kept = checked(data)
    except NotTaken as refused:
        assert refused.reason
        return
    assert kept.media_type in TYPES and kept.data
    assert kept.type != "photo" or samples.CANARY.encode() not in kept.data + kept.thumbnail


def is_a_table_or_none(raw: bytes) -> None:
    try:
        rows = case_file.rows(raw)
    except case_file.BadFile as bad:
        assert bad.reason in ("empty", "not_csv", "no_number_column")
        return
    for row in rows:
        for cell in row.cells.values():
            cell.encode()
            assert case_file.safe_cell(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")


DOORS: dict[str, tuple[Any, Callable[[Any], None]]] = {
    "events of Viber": (EVENTS, any_event_is_understood_or_dropped),
    "bytes of Viber": (changed([json.dumps(EVENT).encode()]), any_bytes_from_viber),
    "messages of the web chat": (st.one_of(MESSAGES, ANYTHING), is_understood_or_refused),
    "answers in forms": (st.tuples(st.sampled_from(sorted(SLOTS)), TYPED), is_an_answer_or_none),
    "words": (st.tuples(TYPED, st.sampled_from(["RS", "BA", "ME", "XK", ""])), is_read),
    "photos, videos, papers": (changed(FILES), is_kept_or_not_taken),
    "files of cases": (changed(TABLES), is_a_table_or_none),
    "files of towns": (MUTATIONS, is_a_town_or_refused),
}


class Fuzzing:
    """Examples at one door until its time is over."""

    def __init__(self, minutes: float = MINUTES) -> None:
        self.end, self.seen = time.monotonic() + 60 * minutes, 0

    def at(self, strategy: Any, holds: Callable[[Any], None]) -> int:
        while time.monotonic() < self.end:

            @seed(random.randrange(2**32))
            @settings(QUIET)
            @given(strategy)
            def one(made_up: Any) -> None:
                if time.monotonic() < self.end:
                    self.seen += 1
                    holds(made_up)

            one()
        return self.seen


@pytest.mark.campaign
@pytest.mark.shows("T4")
@pytest.mark.parametrize("door", DOORS)
def test_nothing_made_up_for_minutes_is_met_with_a_fault(door: str, measured: Measure) -> None:
    seen = Fuzzing().at(*DOORS[door])
    assert seen > 0
    measured("T4", f"{door}: {seen:,} made up in {MINUTES:g} minutes, clean")


@pytest.mark.campaign
@pytest.mark.shows("T4")
def test_no_conversation_made_up_for_minutes_meets_a_fault(measured: Measure) -> None:
    end, many = time.monotonic() + 60 * MINUTES, 0
    while time.monotonic() < end:
        how = settings(LONG, max_examples=20, database=None)
        run_state_machine_as_test(Anything, settings=how, _min_steps=0)
        many += 20
    measured("T4", f"conversations: {many:,} of up to 60 steps made up in {MINUTES:g} minutes, clean")


@pytest.mark.campaign
@pytest.mark.shows("T4", "R5")
def test_no_request_made_up_for_minutes_meets_a_fault(town: World, key: str, measured: Measure) -> None:
    """Every route but the staff's pages, with bodies, questions and addresses."""
    objects = st.one_of(ANYTHING, MESSAGES).map(lambda body: json.dumps(body).encode())
    bodies = st.one_of(objects, changed(TABLES), st.binary(max_size=60))
    parts = st.text(st.characters(codec="utf-8", exclude_characters="/?#%\\"), min_size=1, max_size=20)
    asked = st.tuples(st.sampled_from(ASKED), st.text(max_size=20))
    routes = st.sampled_from([("POST", path) for path in POSTS] + [("GET", path) for path in GETS])
    requests = st.tuples(routes, parts, bodies, asked)

    def is_answered(request: Any) -> None:
        (method, path), part, body, (name, value) = request
        kind = BODY_TYPES[len(body) % len(BODY_TYPES)]
        address = filled(town, path, quote(part, safe="")) + f"?{name}={quote(value.encode('utf-8', 'replace'))}"
        given = sent(town, key, method, address, body if method == "POST" else b"", Content_Type=kind)
        assert given.status < 500, (method, address, body)

    seen = Fuzzing().at(requests, is_answered)
    measured("T4", f"requests at {len(POSTS) + len(GETS)} routes: {seen:,} made up in {MINUTES:g} minutes, clean")


@pytest.mark.campaign
@pytest.mark.shows("T4")
def test_no_page_or_form_of_the_staff_made_up_for_minutes_meets_a_fault(
    town: World, seats: dict[str, Clerk], measured: Measure
) -> None:
    pages = st.sampled_from([page for page in PAGES if page.path not in LEAVING])
    parts = st.one_of(st.just(filed(town.slug, town.now).reference), st.text(min_size=1, max_size=20))
    fields = st.dictionaries(st.sampled_from([name for name in FIELDS if name != "csrf"]), TYPED, max_size=8)

    def is_answered(request: Any) -> None:
        page, part, filled_in = request
        path = re.sub(r"\{\w+\}", lambda _: quote(part, safe=""), page.path)
        clerk = seats["platform" if page.permission == "towns" else "admin"]
        given = (
            presses(clerk, path, filled_in) if page.writes else looked(town, clerk, f"{path}?{urlencode(filled_in)}")
        )
        assert given.status < 500, (page.method, path, filled_in)

    seen = Fuzzing().at(st.tuples(pages, parts, fields), is_answered)
    measured("T4", f"staff's pages and forms, {len(PAGES)} of them: {seen:,} made up in {MINUTES:g} minutes, clean")
