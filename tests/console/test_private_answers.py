"""What somebody says who asks for food or medicine, and where to: read by whom it is for, nowhere stored in clear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.actions import export, given_up, seal
from chalicelib.model import HIDDEN, PLACE, Case
from chalicelib.services import assistance
from chalicelib.storage import keys, sealing
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline
from tests import dump
from tests.console.clerk import employed, seated
from tests.integrations.system import System
from tests.letters import Letters, caught, reached_at
from tests.neighbours import again, newest, passes, presses, volunteers
from tests.shows import Measure
from tests.web import Visitor
from tests.world import World

pytestmark = pytest.mark.early

NOTE, REACH, STREET = "insulin i kefir", "zvonite kod Lipe", "Jorgovanska 77"
CORRECTED = "Jasminova 78"
TRACES = ("insulin", "kefir", "Lipe", "Jorgovan", "Jasmin")


@pytest.fixture
def letters(town: World, monkeypatch: pytest.MonkeyPatch) -> Letters:
    sealing.forget()
    return caught(monkeypatch)


class _Watched:
    """Looks at all that is stored whenever something was done."""

    def __init__(self, town: World) -> None:
        self.town, self.looks, self.seen = town, 0, set(_stored(town.slug))

    def says(self, citizen: str, *texts: str) -> str:
        for text in texts:
            self.town.says(citizen, text)
            self.town.now += 20
            self.look(text)
        return str(self.town.viber.sent[-1]["text"])

    def look(self, step: str) -> None:
        self.looks += 1
        clear = [place for place, text in _stored(self.town.slug) if any(trace in place + text for trace in TRACES)]
        assert clear == [], step


def _stored(slug: str) -> Iterator[tuple[str, str]]:
    """Items that may be this town's, and messages of queues; the conversations begin with the account."""
    yield from ((place, text) for place, text in (*dump.items(), *dump.messages()) if slug in place + text)


def _soon() -> Deadline:
    return Deadline(60)


@pytest.mark.shows("D6", "D13")
def test_note_and_address_of_a_request_for_help_stand_nowhere_in_clear_and_are_read_by_whom_they_are_for(
    town: World, letters: Letters, measured: Measure
) -> None:
    (_, bane) = volunteers(town, "ana", "bane")
    reached_at(town, bane, "bane@primer.example")
    town.calls({"event": "unsubscribed", "user_id": "bane", "timestamp": 1, "message_token": 5})
    watched = _Watched(town)
    # The form, with slips and corrections on the way; the summary says everything back.
    watched.says("mira", "treba mi hrana", NOTE, "komšinici", "Vida Anić", REACH, "danas", "Centar", "Jorgovanska")
    summary = watched.says("mira", STREET, "Mira Anić", "063 123 456", "da")
    assert NOTE in summary and REACH in summary and STREET in summary
    reopened = town.calls({"event": "conversation_started", "type": "open", "user": {"id": "mira"}, "subscribed": True})
    assert NOTE in str(reopened) and STREET in str(reopened), "who opens the chat anew reads where the form was"
    watched.says("mira", f"možda je bolje {CORRECTED}, kod Lipe")
    presses(town, "mira", "form.change.address")
    assert CORRECTED in watched.says("mira", CORRECTED)
    watched.says("mira", "pošalji")
    case = newest(town, "assistance")
    assert (case.place, sorted(case.private)) == (None, ["for_reach", "place", "what"])
    # The card says what, the details say where; by e-mail, too.
    passes(town)
    watched.look("cards")
    card = next(body["text"] for body in reversed(town.viber.sent) if body["receiver"] == "ana")
    assert NOTE in card and CORRECTED not in card
    assert NOTE in letters.to("bane@primer.example")[0]["text"]
    details = watched.says("ana", "preuzimam")
    assert all(said in " ".join(str(body) for body in town.viber.sent[-2:]) for said in (NOTE, CORRECTED, REACH))
    assert details
    passes(town)
    watched.look("taken")
    _read_by_the_town(town, case)
    watched.look("read by staff")
    # What the person asked for is in the copy of their data.
    conversation = town.conversation("mira")
    assert conversation is not None
    copy = str(export.everything(town.town, conversation, town.now, _soon()))
    assert all(said in copy for said in (NOTE, CORRECTED, REACH))
    assert not any(trace in str(conversation) for trace in TRACES)
    # Done, confirmed: the volunteer's log forgets, the case is closed.
    watched.says("ana", "gotovo")
    passes(town)
    watched.says("mira", "da")
    watched.look("closed")
    assert again(town, case).status == "resolved"
    log = town.conversation("ana")
    assert log is not None and "aid_details" not in str(log.log)
    measured("D6", f"{watched.looks} looks at all that is stored, 0 in clear; changed places: 0 opened")


def _read_by_the_town(town: World, case: Case) -> None:
    """The coordinator's page and sheet, each look on record; the case API, by scope."""
    clerk = seated(employed(town.slug, "coordinator"), town.now)
    for page in (clerk.get(f"/console/cases/{case.reference}"), clerk.get(f"/console/cases/{case.reference}/print")):
        assert page.status == 200 and all(said in page.text for said in (NOTE, CORRECTED, REACH)), page.text
    looks = [act.what for act in town.acts() if act.about == case.reference]
    assert {"case_opened", "case_printed"} <= set(looks)
    told = System(town.slug, ["cases:read", "help"]).get(f"cases/{case.reference}").json
    assert (told["fields"]["what"], told["place"]["text"]) == (NOTE, CORRECTED)
    masked = System(town.slug, ["cases:read"]).get(f"cases/{case.reference}").json
    assert (masked["fields"]["what"], masked["place"]) == ("•••", None)


@pytest.mark.shows("D6")
def test_what_is_moved_to_another_case_citizen_or_town_does_not_open(town: World, letters: Letters) -> None:
    volunteers(town, "ana")
    mine, other = (_asked(town, citizen, street) for citizen, street in (("mira", STREET), ("vera", CORRECTED)))
    assert _opened(mine) == {"what": NOTE, PLACE: STREET}
    assert _opened(replace(other, private=mine.private)) == {"what": HIDDEN, PLACE: HIDDEN}
    assert _opened(replace(mine, private={"what": mine.private[PLACE], PLACE: mine.private["what"]})) == {
        "what": HIDDEN,
        PLACE: HIDDEN,
    }
    foreign = f"{town.slug}-b"
    sealing.seal(foreign, "item", "what", "its own", _soon())
    for slug, reference in ((town.slug, other.reference), (foreign, mine.reference)):
        with pytest.raises(sealing.NotOpened):
            sealing.unseal(slug, keys.case(slug, reference), "what", mine.private["what"], _soon())
    conversation = town.conversation("mira")
    assert conversation is not None
    (summary,) = (entry.say for entry in conversation.log if entry.say and entry.say.ask == "confirmation")
    for slug, citizen, reads in ((town.slug, "mira", True), (town.slug, "vera", False), (foreign, "mira", False)):
        assert (STREET in str(seal.opened(summary, slug, town.account.id, citizen, _soon()))) == reads


def _asked(town: World, citizen: str, street: str) -> Case:
    for text in ("treba mi hrana", NOTE, "za mene", "danas", "Centar", street, "Mira Anić", "063 123 456", "da"):
        town.says(citizen, text)
        town.now += 20
    town.says(citizen, "pošalji")
    return newest(town, "assistance")


def _opened(case: Case) -> dict[str, str]:
    return seal.with_private(case, _soon()).private_said()


def test_what_was_stored_in_clear_before_is_read_as_ever_and_goes_on_sealed(town: World, letters: Letters) -> None:
    volunteers(town, "ana")
    case = _asked(town, "mira", STREET)
    old = replace(seal.with_private(case, _soon()), private={})
    CaseStore(town.slug).save(old, _soon())
    assert dump.where(town.slug, NOTE) != []
    passes(town)
    assert NOTE in str(town.viber.sent) and town.says("ana", "preuzimam")
    assert STREET in next(body["text"] for body in reversed(town.viber.sent) if body["receiver"] == "ana")
    clerk = seated(employed(town.slug, "coordinator"), town.now)
    assert STREET in clerk.get(f"/console/cases/{case.reference}").text
    # A form that was begun before: its answers are sealed with the next turn.
    for text in ("treba mi hrana", NOTE, "za mene"):
        town.says("vera", text)
        town.now += 20
    store = ConversationStore(town.account, "Europe/Belgrade")
    begun = store.load("vera", town.now, _soon())
    assert begun is not None and begun.sealed
    form = {**begun.state["form"], "answers": {**begun.state["form"]["answers"], "what": NOTE}}
    store.save(replace(begun, state={**begun.state, "form": form}, sealed={}), town.now, _soon())
    for text in ("danas", "Centar", CORRECTED):
        town.says("vera", text)
        town.now += 20
    after = town.conversation("vera")
    assert after is not None and after.state["form"]["answers"]["what"] == {"private": "what"}
    assert set(after.sealed) == {"what", "address"}


def test_on_the_web_the_own_summary_is_read_again_and_a_repeat_says_the_same(town: World, letters: Letters) -> None:
    visitor = Visitor(town)
    for text in ("treba mi hrana", NOTE, "za mene", "danas", "Centar", STREET, "Mira Anić", "063 123 456"):
        visitor.says(text)
        town.now += 20
    said = visitor.says("da", id="last")
    assert NOTE in said[-1]["text"] and STREET in said[-1]["text"]
    assert visitor.says("da", id="last") == said
    fetched = visitor.fetches()
    assert said[-1] in fetched
    assert [one["text"] for one in fetched if one["from"] == "citizen"][1] == HIDDEN
    assert [place for place, text in _stored(town.slug) if any(trace in text for trace in TRACES)] == []


@pytest.mark.shows("D6")
def test_the_address_to_which_a_document_is_sent_stands_nowhere_in_clear(town: World, letters: Letters) -> None:
    watched = _Watched(town)
    form = ["Hoću da naručim izvod rođenih za mene", "Mira Anić", "preskoči", "29. 2. 2000.", "Primer", "Mira i Jovan"]
    form += ["preskoči", "2902000660176", "domaći", "za školu", "1", "poštom"]
    for text in form:
        town.says("mira", text)
        town.now += 20
    assert STREET in watched.says("mira", STREET, "preskoči")
    watched.says("mira", "pošalji")
    case = newest(town, "document")
    assert set(case.private) == {"address"} and "address" not in case.fields
    clerk = seated(employed(town.slug, "admin"), town.now)
    assert STREET in clerk.get(f"/console/cases/{case.reference}").text
    told = System(town.slug, ["cases:read"]).get(f"cases/{case.reference}").json
    assert (told["fields"]["address"], told["fields"]["personal_number"]) == (STREET, "•••")


def test_an_answer_that_met_a_bug_is_kept_sealed_and_can_be_taken_again(
    town: World, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = _Watched(town)
    watched.says("mira", "treba mi hrana")
    with monkeypatch.context() as bug:
        bug.setattr(assistance.Wanted, "take", lambda *_: 1 // 0)
        watched.says("mira", NOTE)
    (row,) = given_up.of_town(town.slug, _soon())
    assert given_up.again(town.slug, [row.id], "platform:test", town.now, _soon()) == 1
    watched.look("taken again")
    conversation = town.conversation("mira")
    assert conversation is not None and set(conversation.sealed) == {"what"}
