"""Conversations at rest: versions, towns kept apart, the ring, shapes, and what is too long for one item."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.model import Account, Choice, Conflict, Conversation, Entry, Lease, Line, Link, Owed, Say, Voice
from chalicelib.storage import dynamo, keys, shapes, tables
from chalicelib.storage.conversations import ConversationStore, ForeignTown
from chalicelib.wire import Deadline
from tests.world import NOON

SOON = Deadline(1e6)  # made when tests are collected, which may be long before one runs


@pytest.fixture
def store(aws: Any, town_slug: str) -> ConversationStore:
    return ConversationStore(Account("viber", town_slug, (f"{town_slug}-a", f"{town_slug}-b")), "Europe/Belgrade")


def _begun(store: ConversationStore, citizen: str = "mira", town: int = 0) -> Conversation:
    return Conversation(store.account.id, citizen, store.account.towns[town], last_at=int(NOON))


def _full(store: ConversationStore) -> Conversation:
    say = Say(
        lines=(Line("raw", {"text": "Здраво {x}", "n": 3, "inner": Line("menu")}), Line("thanks")),
        after=(Line("open_now", {"time": "15:30"}),),
        choices=(Choice("menu", Line("menu")), Choice("language.en-latin", Line("raw", {"text": "English"}))),
        ask="text",
        link=Link(Line("menu"), "https://x.example"),
        sheet="procedures.birth",
    )
    voice = Voice("sr", "cyrillic")
    return replace(
        _begun(store),
        seq=7,
        voice=voice,
        voice_chosen=True,
        ring=((keys.handled("a"), 5), (keys.handled("b"), 6)),
        log=(Entry(6, 1, "citizen", "ab12", "нема воде"), Entry(7, 1, "bot", "", say=say, voice=voice)),
        lane=(Owed(7, say, voice, NOON + 2, tries=2, part=1, error="http_503", plain=True),),
        lease=Lease("h1", NOON + 12),
        state={"spilt": True, "form": {"step": 2}},
        sealed={"jmbg": "c2VhbGVk"},
        counts={"2026-03-10": {"in": 1, "out": 2}},
        subscribed=False,
        session_until=9,
        started_at=3,
    )


def test_everything_a_conversation_holds_is_read_back_as_it_was(store: ConversationStore) -> None:
    saved = store.save(_full(store), NOON, SOON)
    assert store.load("mira", NOON, SOON) == saved == replace(_full(store), v=1)


def test_the_declared_table_reads_what_the_hot_path_writes_and_the_other_way_round(store: ConversationStore) -> None:
    saved = store.save(_full(store), NOON, SOON)
    model = tables.Conversation.get(keys.conversation(store.account.id, "mira"), keys.NOW)
    item = {name: value for name, value in model.attribute_values.items() if value is not None}
    assert shapes.from_item(item) == saved
    packed = dynamo.pack(store.item(saved, NOON))
    assert model.serialize() == _raw_bytes(packed)
    model.save()
    assert store.load("mira", NOON, SOON) == saved


def _raw_bytes(packed: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """PynamoDB hands bytes to botocore, which encodes them; the lean client encodes them itself."""
    return {name: {"B": base64.b64decode(typed["B"])} if "B" in typed else typed for name, typed in packed.items()}


def test_a_log_that_lies_on_one_line_as_it_once_did_is_read(store: ConversationStore) -> None:
    full = _full(store)
    item = {name: value for name, value in store.item(full, NOON).items() if value is not None}
    written = json.loads(zlib.decompress(item["body"]))
    assert shapes.from_item(item | {"body": zlib.compress(json.dumps(written).encode())}) == full


def test_a_lane_taken_and_sent_is_marked_without_writing_the_rest_again(store: ConversationStore) -> None:
    whole = replace(_full(store), lease=None)
    stored = store.save(whole, NOON, SOON)
    taken = store.mark(stored, replace(stored, lease=Lease("h2", NOON + 20)), NOON, SOON)
    assert store.load("mira", NOON, SOON) == taken == replace(whole, lease=Lease("h2", NOON + 20), v=2)
    spoken = store.mark(taken, replace(taken, lane=(), lease=None), NOON, SOON)
    assert store.load("mira", NOON, SOON) == spoken == replace(whole, lane=(), v=3)
    with pytest.raises(Conflict):
        store.mark(taken, replace(taken, lane=()), NOON, SOON)
    again = store.save(replace(spoken, lane=whole.lane), NOON, SOON)
    assert store.load("mira", NOON, SOON) == again


def test_a_mark_that_changes_more_than_the_lane_writes_all_of_it(store: ConversationStore) -> None:
    stored = store.save(_full(store), NOON, SOON)
    left = store.mark(stored, replace(stored, lane=(), subscribed=True), NOON, SOON)
    assert store.load("mira", NOON, SOON) == left == replace(_full(store), v=2, lane=(), subscribed=True)
    tried = store.mark(left, replace(left, lane=(replace(stored.lane[0], tries=3),)), NOON, SOON)
    assert store.load("mira", NOON, SOON) == tried


@pytest.mark.shows("F19")
def test_of_two_writers_the_second_is_told_and_overwrites_nothing(store: ConversationStore) -> None:
    first = store.save(_begun(store), NOON, SOON)
    store.save(replace(first, seq=1), NOON, SOON)
    with pytest.raises(Conflict):
        store.save(replace(first, seq=2), NOON, SOON)
    with pytest.raises(Conflict):
        store.save(_begun(store), NOON, SOON)


@pytest.mark.shows("A5")
def test_two_towns_on_one_account_never_see_each_others_talk(store: ConversationStore) -> None:
    store.save(replace(_begun(store, town=0), seq=5), NOON, SOON)
    only_second = ConversationStore(replace(store.account, towns=(store.account.towns[1],)))
    seen = only_second.load("mira", NOON, SOON)
    assert seen is not None
    assert (seen.town, seen.log, seen.state, seen.lane) == ("", (), {}, ())


@pytest.mark.shows("A5")
def test_the_store_refuses_a_town_the_account_does_not_list(store: ConversationStore) -> None:
    with pytest.raises(ForeignTown):
        store.save(replace(_begun(store), town="somebody-elses"), NOON, SOON)
    assert store.load("mira", NOON, SOON) is None
    with pytest.raises(ForeignTown):
        store.with_town(_begun(store), "somebody-elses", NOON, SOON)


def test_the_same_person_on_two_accounts_is_two_conversations(store: ConversationStore, town_slug: str) -> None:
    other = ConversationStore(Account("web", town_slug, store.account.towns))
    store.save(_begun(store), NOON, SOON)
    assert other.load("mira", NOON, SOON) is None


@pytest.mark.shows("D1", "F43")
def test_what_expired_is_absent_though_it_still_lies_there(store: ConversationStore) -> None:
    store.save(_full(store), NOON, SOON)
    later = NOON + 31 * 86400
    seen = store.load("mira", later, SOON)
    assert seen is not None
    assert (seen.log, seen.lane, seen.sealed) == ((), (), {})
    store.save(replace(seen, town=store.account.towns[0]), later, SOON)


@pytest.mark.shows("F3")
def test_an_id_pushed_out_of_the_ring_within_a_day_is_still_known(store: ConversationStore) -> None:
    conversation = _begun(store)
    for number in range(100):
        conversation = store.remember(conversation, f"id{number}", NOON + number, SOON)
    assert len(conversation.ring) == 64
    assert all(store.was_handled(conversation, f"id{number}", NOON + 200, SOON) for number in range(100))
    assert not store.was_handled(conversation, "id100", NOON + 200, SOON)
    assert not store.was_handled(conversation, "id0", NOON + 25 * 3600, SOON)


@pytest.mark.shows("F22")
def test_a_long_lane_lies_beside_the_item_and_comes_back_in_order(store: ConversationStore) -> None:
    voice = Voice("sr")
    owed = [Owed(number, Say((Line("raw", {"text": str(number)}),)), voice, NOON) for number in range(1, 31)]
    conversation = store.save(replace(_begun(store), lane=tuple(owed[:10]), seq=10), NOON, SOON)
    for start in (10, 20):
        conversation = replace(conversation, lane=(*conversation.lane, *owed[start : start + 10]), seq=start + 10)
        conversation = store.save(conversation, NOON, SOON)
    assert (len(conversation.lane), conversation.parked) == (12, 18)
    seen: list[int] = []
    while conversation.lane:
        seen += [entry.seq for entry in conversation.lane]
        conversation = store.save(replace(conversation, lane=()), NOON, SOON)
    assert seen == list(range(1, 31))
    assert conversation.parked == 0
    beside = tables.Conversation.query(
        keys.conversation(store.account.id, "mira"), tables.Conversation.sk.startswith("OUT")
    )
    assert list(beside) == []


@pytest.mark.shows("F39")
def test_an_item_one_shape_ahead_is_read_and_one_further_is_refused(store: ConversationStore) -> None:
    item = store.item(replace(_full(store), v=1), NOON)
    assert shapes.from_item({**item, "shape": shapes.SHAPE + 1, "new": "x"}).seq == 7
    with pytest.raises(shapes.UnknownShape):
        shapes.from_item({**item, "shape": shapes.SHAPE + 2})
