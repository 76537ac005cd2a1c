"""Cases at rest: one winner, unique numbers, lists in their order, towns kept apart, and what filing one costs."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.cases import lifecycle, references
from chalicelib.cases.lifecycle import Event
from chalicelib.model import (
    Account,
    Attachment,
    Case,
    Conflict,
    Conversation,
    Entry,
    Follower,
    Line,
    Place,
    Say,
    Unavailable,
    Voice,
)
from chalicelib.storage import cases, consents, dynamo, keys, tables
from chalicelib.storage.cases import CaseStore, ForeignCase
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.storage.shapes import UnknownShape
from chalicelib.wire import Call, Deadline, Reply
from tests.meter import Meter, size
from tests.world import NOON

SOON = Deadline(1e6)
AT = int(NOON)
MIRA = Follower("viber:primer", "mira")


@pytest.fixture
def store(aws: Any, town_slug: str) -> CaseStore:
    return CaseStore(town_slug)


def a_case(store: CaseStore, number: int = 1, **more: Any) -> Case:
    reference = references.reference("PR", number.to_bytes(8, "big"))
    plain: dict[str, Any] = {"kind": "problem", "category": "water", "office": "voda", "due_at": AT + 86400}
    case = Case(
        store.town, reference, status="received", subject="Pukla cev", created_at=AT, updated_at=AT, **(plain | more)
    )
    return lifecycle.opened(case, "citizen")


def _full(store: CaseStore) -> Case:
    return replace(
        a_case(store),
        number="501-123/2026",
        official="A. Anić",
        awaiting_institution="Zavod",
        forwarded_to="voda",
        channel="viber",
        voice=Voice("sr", "cyrillic"),
        closed_at=AT,
        fields={"description": "Вода на све стране {x}", "since": 2, "agreed": True},
        sealed={"jmbg": "c2VhbGVk"},
        place=Place("Venac 3", 45.77, 19.11),
        attachments=(Attachment("a1", "photo", 812, "checked", "T/x/a1"),),
        owner=MIRA,
        followers=(Follower("web:primer", "s1"),),
        consent=True,
        assignee=("staff", "ana", "A. Anić"),
        applicant={"name": "Mira", "phone": "+38125000"},
        access_hash="abc",
    )


def test_everything_a_case_holds_is_read_back_as_it_was(store: CaseStore) -> None:
    saved = store.add(_full(store), SOON)
    assert store.load(saved.reference, SOON) == saved == replace(_full(store), v=1)
    assert store.load_whole(saved.reference, SOON) == saved


def test_the_declared_table_reads_what_the_lean_client_writes(store: CaseStore) -> None:
    saved = store.add(_full(store), SOON)
    model = tables.Case.get(keys.case(store.town, saved.reference), keys.HEAD)
    assert (
        cases.from_item({name: value for name, value in model.attribute_values.items() if value is not None}) == saved
    )
    packed = dynamo.pack(cases.to_item(saved))
    assert model.serialize() == {
        name: {"B": base64.b64decode(typed["B"])} if "B" in typed else typed for name, typed in packed.items()
    }


@pytest.mark.shows("A5")
def test_a_case_of_another_town_cannot_be_written_and_is_not_found(store: CaseStore) -> None:
    saved = store.add(a_case(store), SOON)
    other = CaseStore(f"{store.town}-b")
    assert other.load(saved.reference, SOON) is None
    assert other.load_whole(saved.reference, SOON) is None
    assert other.changed_page(10, SOON).cases == ()
    with pytest.raises(ForeignCase):
        other.save(saved, SOON)


@pytest.mark.shows("F34", "R12")
def test_of_two_writers_the_second_is_told_and_overwrites_nothing(store: CaseStore) -> None:
    first = store.add(a_case(store), SOON)
    store.save(replace(first, official="A."), SOON)
    with pytest.raises(Conflict):
        store.save(replace(first, official="B."), SOON)
    with pytest.raises(Conflict):
        store.save(replace(first, official="B."), SOON, [Write("cases", {"pk": "T#x#M", "sk": "2026-01"})])
    found = store.load(first.reference, SOON)
    assert found is not None
    assert (found.official, found.v) == ("A.", 2)


def test_a_reference_and_a_file_number_are_taken_once_however_it_is_typed(store: CaseStore) -> None:
    saved = store.add(a_case(store, number=1), SOON)
    with pytest.raises(Duplicate) as taken:
        store.add(a_case(store, number=1), SOON)
    assert taken.value.pk == keys.case(store.town, saved.reference)
    numbered = store.add(replace(a_case(store, 2), number="400-73/13-02"), SOON)
    for typed in ("400-73/13-02", "br. 400 – 73 /13-02", " Broj: 400-73/13-02"):
        found = store.by_number(typed, SOON)
        assert found is not None
        assert found.reference == numbered.reference
        with pytest.raises(Duplicate) as taken:
            store.add(replace(a_case(store, 3), number=typed), SOON)
        assert taken.value.pk == keys.file_number(store.town, typed)
    assert store.load(a_case(store, 3).reference, SOON) is None
    assert store.by_number("400-73/13-03", SOON) is None


@pytest.mark.shows("R1")
def test_of_twelve_who_file_the_same_number_at_once_one_does(store: CaseStore) -> None:
    outcomes: list[str] = []

    def file(number: int) -> None:
        for _ in range(50):
            try:
                store.add(replace(a_case(store, number), number="17/14-100/06"), Deadline(60))
                outcomes.append("filed")
                return
            except Duplicate:
                outcomes.append("taken")
                return
            except Conflict:
                continue

    threads = [threading.Thread(target=file, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["filed"] + ["taken"] * 11
    assert len(store.changed_page(50, SOON).cases) == 1


def test_a_case_and_what_stands_beside_it_come_into_being_together_or_not_at_all(store: CaseStore) -> None:
    beside = {"pk": keys.person_of(store.town, "p"), "sk": "WHO", "v": 1}
    store.add(a_case(store, 1), SOON, [Write("people", beside, expected_v=0)])
    with pytest.raises(Conflict) as refused:
        store.add(a_case(store, 2), SOON, [Write("people", beside, expected_v=0)])
    assert not isinstance(refused.value, Duplicate)
    assert store.load(a_case(store, 2).reference, SOON) is None


@pytest.mark.shows("F22")
def test_a_long_history_lies_beside_the_head_and_is_read_whole_in_order(store: CaseStore) -> None:
    case = store.add(a_case(store), SOON)
    for number in range(30):
        case = lifecycle.change(case, Event(AT + number, "staff:ana", note=f"i{number}", public_note=f"p{number}"))
        store.save(case, SOON)
        loaded = store.load(case.reference, SOON)
        assert loaded is not None
        case = loaded
    assert len(case.history) == cases.HISTORY_INSIDE_MAX
    whole = store.load_whole(case.reference, SOON)
    assert whole is not None
    assert [entry.note for entry in whole.history] == [""] + [f"{side}{n}" for n in range(30) for side in "ip"]


def test_a_citizens_own_cases_come_newest_first_and_nobody_elses(store: CaseStore) -> None:
    for number in range(3):
        store.add(replace(a_case(store, number), owner=MIRA, created_at=AT + number), SOON)
    store.add(replace(a_case(store, 9), owner=Follower("web:primer", "mira")), SOON)
    own = store.own(keys.person(MIRA.account, MIRA.citizen), SOON)
    assert [case.created_at for case in own] == [AT + 2, AT + 1, AT]


def test_open_cases_come_most_urgent_first_in_pages_and_closed_ones_leave(store: CaseStore) -> None:
    filed = [
        store.add(replace(a_case(store, number), due_at=due, office=office), SOON)
        for number, (due, office) in enumerate([(AT + 30, "voda"), (0, "voda"), (AT + 10, "voda"), (AT + 20, "put")])
    ]
    first = store.open_page(2, SOON)
    assert first.cursor
    rest = store.open_page(2, SOON, first.cursor)
    assert rest.cursor is None
    assert [case.due_at for case in (*first.cases, *rest.cases)] == [AT + 10, AT + 20, AT + 30, 0]
    assert [case.due_at for case in store.open_page(9, SOON, desk="voda").cases] == [AT + 10, AT + 30, 0]
    store.save(replace(filed[2], assignee=("staff", "ana", "A."), updated_at=AT + 1), SOON)
    assert [case.due_at for case in store.open_page(9, SOON, desk="staff:ana").cases] == [AT + 10]
    assert [case.due_at for case in store.open_page(9, SOON, desk="voda").cases] == [AT + 30, 0]
    store.save(lifecycle.change(filed[3], Event(AT + 5, "staff:ana", "resolved")), SOON)
    assert len(store.open_page(9, SOON).cases) == 3
    assert store.open_page(9, SOON, desk="put").cases == ()


def test_all_cases_are_paged_across_months_last_changed_first(store: CaseStore) -> None:
    month = 31 * 86400
    for number in range(7):
        at = AT + number // 2 * month
        store.add(replace(a_case(store, number), updated_at=at), SOON)
    seen: list[Case] = []
    cursor: str | None = ""
    while cursor is not None:
        page = store.changed_page(2, SOON, cursor)
        seen += page.cases
        cursor = page.cursor
    assert [case.updated_at for case in seen] == [AT + n * month for n in (3, 2, 2, 1, 1, 0, 0)]
    assert len({case.reference for case in seen}) == 7
    assert len(store.changed_page(9, SOON, since=AT + 2 * month).cases) == 3
    assert len(store.changed_page(9, SOON, wanted=lambda case: case.updated_at == AT).cases) == 2


def test_a_list_that_looks_long_hands_back_a_cursor(store: CaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "LISTED_AT_ONCE", 3)
    monkeypatch.setattr(cases, "LOOKED_AT_MAX", 6)
    for number in range(10):
        store.add(replace(a_case(store, number), updated_at=AT + number), SOON)
    first = store.changed_page(50, SOON, wanted=lambda case: case.updated_at == AT)
    assert (first.cases, first.cursor is not None) == ((), True)
    assert first.cursor
    rest = store.changed_page(50, SOON, first.cursor, wanted=lambda case: case.updated_at == AT)
    assert ([case.updated_at for case in rest.cases], rest.cursor) == ([AT], None)


@pytest.mark.shows("F39")
def test_an_item_one_shape_ahead_is_read_and_one_further_is_refused(store: CaseStore) -> None:
    item = {name: value for name, value in cases.to_item(replace(_full(store), v=1)).items() if value is not None}
    assert cases.from_item({**item, "shape": cases.SHAPE + 1, "new": "x"}).reference == _full(store).reference
    with pytest.raises(UnknownShape):
        cases.from_item({**item, "shape": cases.SHAPE + 2})


# --- what it costs ----------------------------------------------------------------------------------------------


@pytest.fixture
def meter(aws: Any) -> Iterator[Meter]:
    made = Meter()
    wire.taps.append(made)
    yield made
    wire.taps.remove(made)


def test_a_case_filed_with_its_conversation_and_consent_is_one_request_and_at_most_eighteen_write_units(
    store: CaseStore, meter: Meter
) -> None:
    store.add(a_case(store, 77), SOON)  # the month is known from here on
    conversations = ConversationStore(Account("viber", store.town, (store.town,)))
    say = Say(lines=(Line("report_created", {"case_no": "PR-2222-222"}), Line("thanks")))
    log = tuple(Entry(seq, AT, "citizen", f"{seq:016x}", "Velika rupa u Venca Petrovića 12") for seq in range(8))
    conversation = Conversation(
        f"viber:{store.town}", "mira", store.town, v=1, log=(*log, Entry(9, AT, "bot", "", say=say))
    )
    case = replace(
        _full(store), status="received", closed_at=0, number="", reference="PR-2222-222", assignee=None, applicant={}
    )
    consent = consents.item(store.town, "p1", consents.Consent("cases", True, AT, "viber", "citizen", "consent_ask.1"))
    meter.reset()
    writes = [Write("conversations", conversations.item(conversation, NOON)), consent]
    store.add(case, SOON, writes)
    assert meter.operations == ["dynamodb.TransactWriteItems"]
    assert size(dynamo.pack(cases.to_item(case))) <= 1024
    assert meter.writes <= 18


def test_reading_costs_what_was_planned(store: CaseStore, meter: Meter) -> None:
    saved = store.add(replace(a_case(store), number="1/26", owner=MIRA), SOON)
    meter.reset()
    store.load(saved.reference, SOON)
    assert (meter.operations, meter.reads) == (["dynamodb.GetItem"], 1)
    meter.reset()
    store.by_number("1/26", SOON)
    assert (meter.operations, meter.reads) == (["dynamodb.GetItem"] * 2, 2)
    meter.reset()
    store.own(keys.person(MIRA.account, MIRA.citizen), SOON)
    assert meter.operations == ["dynamodb.Query", "dynamodb.BatchGetItem"]


@pytest.mark.shows("F21")
def test_a_transaction_repeated_after_a_lost_answer_takes_effect_once(store: CaseStore) -> None:
    class LoseFirstAnswer:
        lost = 0

        def before(self, call: Call) -> None:
            return

        def after(self, call: Call, reply: Reply) -> None:
            if call.operation == "TransactWriteItems" and not self.lost:
                self.lost += 1
                raise wire.CallFailed("lost", sent=True)

    store.add(a_case(store, 50), SOON)
    tap = LoseFirstAnswer()
    wire.taps.append(tap)
    try:
        saved = store.add(replace(a_case(store), number="2/26"), SOON)
    finally:
        wire.taps.remove(tap)
    assert tap.lost == 1
    assert store.load(saved.reference, SOON) == saved


@pytest.mark.shows("F18")
def test_a_store_that_is_silent_is_unavailable(store: CaseStore) -> None:
    with pytest.raises(Unavailable):
        dynamo.transact([Write("cases", {"pk": "T#x#K#y", "sk": "HEAD"})], Deadline(0))
