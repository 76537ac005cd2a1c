"""Cases between a citizen's chat and the town's office system: what one does, the other reads back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import clock, deliver, sweep
from chalicelib.cases.lifecycle import REOPEN_DAYS
from chalicelib.dialogue.case_codes import CODE_TRIES_MAX
from chalicelib.storage import consents, keys
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Call, Deadline, Reply
from tests.integrations.system import System
from tests.meter import Meter
from tests.viber import message
from tests.web import Visitor
from tests.world import World

WHERE = "ne radi rasveta, Trg Republike 3"


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    yield System(world.slug)


def _files(world: World, dms: System, citizen: str = "mira", where: str = WHERE) -> dict[str, Any]:
    """Somebody reports a lamp on Viber; the case as the office reads it."""
    world.says(citizen, where)
    (receipt,) = world.says(citizen, "pošalji")
    reference = re.search(r"PR-\w{4}-\w{3}", receipt)
    assert reference is not None, receipt
    return _case(dms, reference[0])


def _case(dms: System, reference: str) -> dict[str, Any]:
    return dict(dms.get(f"cases/{reference}").json)


def _code(world: World, citizen: str = "mira") -> str:
    receipt = next(text for text in reversed(world.viber.texts(citizen)) if "Pristupna šifra: " in text)
    return receipt.partition("Pristupna šifra: ")[2][:6]


def _buttons(world: World) -> list[str]:
    return [button["ActionBody"] for button in world.viber.sent[-1]["keyboard"]["Buttons"]]


def _resolves(dms: System, reference: str) -> None:
    answer = dms.post(f"cases/{reference}/events", {"status": "resolved"})
    assert answer.status == 201, answer


# --- consent ----------------------------------------------------------------------------------------------------


@pytest.mark.shows("D5")
def test_a_yes_is_read_back_and_brings_notices_a_no_brings_none(dms: System, world: World) -> None:
    case = _files(world, dms)
    assert case["consent"] is False
    assert "Da li ste saglasni" in world.viber.texts("mira")[-1]
    world.says("mira", "da")
    assert _case(dms, case["reference"])["consent"] is True
    dms.post(f"cases/{case['reference']}/events", {"status": "in_progress"})
    assert "U obradi" in world.viber.texts("mira")[-1]

    other = _files(world, dms, "jovo", "ne radi rasveta, Glavna 7")
    assert other["reference"] in world.says("jovo", "ne")[0]
    said = len(world.viber.texts("jovo"))
    dms.post(f"cases/{other['reference']}/events", {"status": "in_progress"})
    assert _case(dms, other["reference"])["consent"] is False
    assert len(world.viber.texts("jovo")) == said


def test_a_later_report_stands_on_the_same_consent_without_a_second_record(dms: System, world: World) -> None:
    _files(world, dms)
    world.says("mira", "da")
    person = keys.person(world.account.id, "mira")
    before = consents.in_force(world.slug, person, consents.CASES, Deadline(20))
    world.now += 60
    second = _files(world, dms, where="ne radi rasveta, Glavna 7")
    assert second["consent"] is True
    assert "Da li ste saglasni" not in world.viber.texts("mira")[-1]
    assert consents.in_force(world.slug, person, consents.CASES, Deadline(20)) == before


@pytest.mark.shows("D5")
def test_who_follows_a_neighbours_report_gets_notices_only_after_a_yes(dms: System, world: World) -> None:
    case = _files(world, dms)
    for citizen, answer in (("jovo", "da"), ("ana", "ne")):
        world.says(citizen, WHERE)
        assert "Da li ste saglasni" in world.says(citizen, "da")[-1]
        world.says(citizen, answer)
    _resolves(dms, case["reference"])
    assert "Rešeno" in world.viber.texts("jovo")[-1]
    assert "keyboard" not in world.viber.sent[-1]
    assert "Rešeno" not in world.viber.texts("ana")[-1]


def test_the_consent_costs_one_read_at_sending_and_one_at_the_yes(world: World, dms: System, meter: Meter) -> None:
    _files(world, dms)
    world.says("jovo", "ne radi rasveta, Glavna 7")
    meter.reset()
    world.says("jovo", "pošalji")
    assert [each.partition(".")[2] for each in meter.operations] == [
        "GetItem",
        "Query",
        "TransactWriteItems",
        "send_message",
        "UpdateItem",
    ]


@pytest.mark.shows("D5", "F46")
def test_a_notice_that_waited_is_dropped_if_consent_was_withdrawn_meanwhile(dms: System, world: World) -> None:
    case = _files(world, dms)
    world.says("mira", "da")
    world.viber.otherwise = 503
    dms.post(f"cases/{case['reference']}/events", {"status": "in_progress"})
    world.calls(message("mira", f"~1:case.refuse.{case['reference']}"))
    world.viber.otherwise = None
    for _ in range(3):
        world.now += 600
        sweep.sweep(world.now)
    texts = world.viber.texts("mira")
    assert "obaveštenja ne šaljemo" in texts[-1]
    assert not any("U obradi" in text for text in texts)
    stored = world.conversation("mira")
    assert stored is not None
    assert stored.lane == ()


def test_a_notice_that_waited_is_sent_while_the_consent_stands_and_costs_one_read_more(
    dms: System, world: World, meter: Meter
) -> None:
    case = _files(world, dms)
    world.says("mira", "da")
    world.viber.otherwise = 503
    dms.post(f"cases/{case['reference']}/events", {"status": "in_progress"})
    world.viber.otherwise = None
    world.now += 600
    meter.reset()
    sweep.sweep(world.now)
    assert "U obradi" in world.viber.texts("mira")[-1]
    spoken = [each for each in meter.operations if each.startswith("viber.")]
    assert len(spoken) == 1


class _NoAnswer:
    """The store of people answers no query."""

    def before(self, call: Call) -> None:
        if call.operation == "Query":
            raise wire.CallFailed("broken", sent=False)

    def after(self, call: Call, reply: Reply) -> None:
        return


@pytest.mark.shows("F18")
def test_while_the_consent_cannot_be_read_nothing_is_lost_or_said_twice(dms: System, world: World) -> None:
    case = _files(world, dms)
    world.says("mira", "da")
    world.viber.otherwise = 503
    world.says("mira", "radno vreme")
    dms.post(f"cases/{case['reference']}/events", {"status": "in_progress"})
    world.viber.otherwise = None
    stored = world.conversation("mira")
    assert stored is not None
    assert len(stored.lane) == 2
    before, store = len(world.viber.texts("mira")), ConversationStore(world.account, world.town.core["time_zone"])
    tap = _NoAnswer()
    wire.taps.append(tap)
    try:
        deliver.deliver_lane(store, stored, world.now + 600, "holder", Deadline(20))
    finally:
        wire.taps.remove(tap)
    assert len(world.viber.texts("mira")) == before + 1
    world.now += 1200
    sweep.sweep(world.now)
    assert len(world.viber.texts("mira")) == before + 2
    assert "U obradi" in world.viber.texts("mira")[-1]


# --- the access code --------------------------------------------------------------------------------------------


def test_the_code_of_the_receipt_opens_the_case_on_the_web_and_on_another_phone(dms: System, world: World) -> None:
    case = _files(world, dms)
    reference, code = case["reference"], _code(world)
    (told,) = Visitor(world).says(f"{reference} {code}")
    assert ("Primljeno" in told["text"], told["case"]) == (True, reference)
    assert not any(choice["id"].startswith("case.") for choice in told["choices"])
    assert "pristupnu šifru" in world.says("phone", reference)[0]
    assert "Primljeno" in world.says("phone", code.lower())[0]
    assert "nema predmeta" in world.says("third", reference)[0]


@pytest.mark.shows("A21")
def test_who_filed_on_a_page_goes_on_in_viber_by_a_link_that_is_good_once(dms: System, world: World) -> None:
    visitor = Visitor(world)
    visitor.says(WHERE)
    (receipt,) = visitor.says("pošalji")
    reference = receipt["case"]
    links = []
    for _ in range(2):
        (told,) = visitor.chooses(f"case.viber.{reference}")
        assert told["link"]["label"] == "Nastavi u Viberu"
        links.append(told["link"]["url"].rpartition("context=")[2])
    old, new = (
        world.calls({"event": "conversation_started", "user": {"id": name}, "context": context})
        for name, context in zip(("mira", "ana"), links, strict=True)
    )
    assert "iskorišćena" in old["text"]
    assert "saglasni" in new["text"]
    assert "Saglasnost je zabeležena" in world.says("ana", new["keyboard"]["Buttons"][0]["ActionBody"])[0]
    dms.post(f"cases/{reference}/events", {"status": "in_progress"})
    assert "U obradi" in world.viber.texts("ana")[-1]
    assert _case(dms, reference)["consent"] is True
    assert "U obradi" in visitor.says(reference)[0]["text"]
    assert "iskorišćena" in world.says("jovo", new["keyboard"]["Buttons"][0]["ActionBody"])[0]


@pytest.mark.shows("A21")
def test_of_twelve_who_say_yes_to_one_slip_at_the_same_moment_one_has_the_case(dms: System, world: World) -> None:
    filed = dms.file(number="501-777/2026")
    context, people = filed["link"]["viber"].rpartition("context=")[2], [f"person{number}" for number in range(12)]
    pressed = {}
    for name in people:
        asked = world.calls({"event": "conversation_started", "user": {"id": name}, "context": context})
        pressed[name] = asked["keyboard"]["Buttons"][0]["ActionBody"]
    with ThreadPoolExecutor(len(people)) as crowd:
        list(crowd.map(lambda name: world.says(name, pressed[name]), people))
    told = {name: world.viber.texts(name)[-1] for name in people}
    owners = [name for name in people if "Saglasnost je zabeležena" in told[name]]
    assert len(owners) == 1 and sum("iskorišćena" in said for said in told.values()) == len(people) - 1
    dms.post(f"cases/{filed['reference']}/events", {"status": "in_progress"})
    assert [name for name in people if "U obradi" in world.viber.texts(name)[-1]] == owners


def test_a_paper_cases_code_opens_it_by_reference_and_by_file_number(dms: System, world: World) -> None:
    filed = dms.file(number="501-123/2026")
    code = filed["link"]["code"]
    assert "Primljeno" in world.says("mira", f"{filed['reference']} {code}")[0]
    assert "Primljeno" in world.says("jovo", f"501-123/2026 {code}")[0]
    assert "ne slažu" in world.says("ana", f"501-123/2026 {_other(code)}")[0]


def _other(code: str) -> str:
    return code[:-1] + ("2" if code[-1] != "2" else "3")


@pytest.mark.shows("B63", "A27", "A3", "A23")
@pytest.mark.parametrize("numbered", [False, True])
def test_a_stranger_cannot_tell_a_case_there_is_from_one_there_is_not(
    dms: System, world: World, meter: Meter, numbered: bool
) -> None:
    filed = dms.file(number="501-123/2026")
    known, missing = ("501-123/2026", "501-999/2026") if numbered else (filed["reference"], "PR-7KM4-2A9")
    wrong = _other(filed["link"]["code"])
    heard: list[list[Any]] = []
    for number in (known, missing):
        world.says(f"stranger{len(heard)}", "zdravo")
        lines: list[Any] = []
        for typed in (number, wrong, f"{number} {wrong}"):
            meter.reset()
            said = world.says(f"stranger{len(heard)}", typed)
            lines.append(([text.replace(number, "X") for text in said], list(meter.operations)))
        heard.append(lines)
    assert heard[0] == heard[1]


@pytest.mark.shows("A3")
def test_guessing_is_slowed_down_and_looks_nothing_up_any_more(dms: System, world: World, meter: Meter) -> None:
    filed = dms.file()
    code = filed["link"]["code"]
    for _ in range(CODE_TRIES_MAX):
        assert "ne slažu" in world.says("guesser", f"{filed['reference']} {_other(code)}")[0]
    assert "Pokušajte ponovo sutra" in world.says("guesser", f"{filed['reference']} {code}")[0]
    assert "Primljeno" in world.says("honest", f"{filed['reference']} {code}")[0]
    world.now += 86400
    assert "Primljeno" in world.says("guesser", f"{filed['reference']} {code}")[0]


# --- settled or not ---------------------------------------------------------------------------------------------


def test_still_not_fixed_by_the_notices_button_is_read_back_as_reopened_and_received(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("mira", "da")
    _resolves(dms, reference)
    assert f"~1:case.unfixed.{reference}" in _buttons(world)
    assert "ponovo otvoren" in world.says("mira", f"~1:case.unfixed.{reference}")[0]
    case = _case(dms, reference)
    assert case["status"] == "received"
    assert [(entry["event"], entry["status"], entry["by"]) for entry in case["history"]][-2:] == [
        ("status", "resolved", f"api:{case['history'][-2]['by'].partition(':')[2]}"),
        ("reopened", "received", "citizen"),
    ]
    assert case["closed_at"] is None


def test_fixed_and_a_rating_are_read_back(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("mira", "da")
    _resolves(dms, reference)
    assert "Ocenite" in world.says("mira", "rešeno je")[0]
    assert "Hvala" in world.says("mira", "4")[0]
    case = _case(dms, reference)
    assert (case["status"], case["fields"]["rating"], case["history"][-1]["event"]) == ("resolved", 4, "rated")


def test_without_notices_the_state_offers_the_same_until_the_towns_days_are_over(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("mira", "ne")
    _resolves(dms, reference)
    world.says("mira", reference)
    assert f"~1:case.unfixed.{reference}" in _buttons(world)
    world.now += (REOPEN_DAYS - 1) * 86400
    world.says("mira", "zdravo")
    world.now += 2 * 86400
    world.says("mira", reference)
    assert f"~1:case.unfixed.{reference}" not in _buttons(world)
    assert "više od 30 dana" in world.says("mira", f"~1:case.unfixed.{reference}")[0]
    assert _case(dms, reference)["status"] == "resolved"


def test_a_withdrawn_case_is_read_back_as_withdrawn_by_the_citizen(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("mira", reference)
    world.says("mira", "povlačim prijavu")
    assert _case(dms, reference)["status"] == "received"
    world.says("mira", "da")
    case = _case(dms, reference)
    assert (case["status"], case["history"][-1]["by"]) == ("withdrawn", "citizen")


def test_an_open_form_keeps_its_buttons_when_a_notice_arrives(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("mira", "da")
    world.says("mira", "rupa na putu")
    _resolves(dms, reference)
    assert "Rešeno" in world.viber.texts("mira")[-1]
    assert "keyboard" not in world.viber.sent[-1]
    world.says("mira", reference)
    assert _case(dms, reference)["status"] == "resolved"


# --- sent later -------------------------------------------------------------------------------------------------


def test_a_photo_sent_after_filing_is_read_back_with_its_entry_in_the_history(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    photo = {"type": "picture", "media": "https://dl.viber.example/1.jpg", "text": "", "size": 1000}
    world.calls(message("mira", **photo))
    assert f"Da li je ovo za {reference}?" in world.viber.texts("mira")[-1]
    assert _case(dms, reference)["attachments"] == []
    world.says("mira", "da")
    case = _case(dms, reference)
    assert [(file["id"], file["type"], file["state"]) for file in case["attachments"]] == [("1", "photo", "waiting")]
    assert (case["history"][-1]["event"], case["history"][-1]["public"]) == ("attachment", False)
    sweep.sweep(world.now)  # its host is none of Viber's: the check ends, and the case hears of it
    assert [file["state"] for file in _case(dms, reference)["attachments"]] == ["failed"]


@pytest.mark.shows("A27")
def test_nobody_adds_to_anothers_case(dms: System, world: World) -> None:
    reference = _files(world, dms)["reference"]
    world.says("jovo", f"~1:case.add.{reference}")
    world.says("jovo", f"~1:case.withdrawn.{reference}")
    case = _case(dms, reference)
    assert (case["status"], case["attachments"], len(case["history"])) == ("received", [], 1)


# --- from paper to chat by the phone's own number ---------------------------------------------------------------


def _share_button(world: World) -> str:
    """Asks for own cases; the body of the button that shares the phone's number."""
    world.says("mira", "status predmeta")
    (shared,) = [
        button for button in world.viber.sent[-1]["keyboard"]["Buttons"] if button["ActionType"] == "share-phone"
    ]
    assert world.viber.sent[-1]["min_api_version"] == 3
    return str(shared["ActionBody"])


def _shares(world: World, body: str | None, number: str = "381641234567", citizen: str = "mira") -> str:
    card = {"name": "Mira", "phone_number": number}
    world.calls(message(citizen, type="contact", contact=card, **({"text": body} if body else {})))
    return world.viber.texts(citizen)[-1]


def test_the_phones_own_number_finds_the_paper_case_and_a_yes_binds_it(dms: System, world: World) -> None:
    filed = dms.file(number="501-123/2026", applicant={"name": "Mira Š.", "phone": "064/123-45-67"})
    asked = _shares(world, _share_button(world))
    assert "501-123/2026" in asked
    assert "Da li ste saglasni" in asked
    assert _case(dms, filed["reference"])["consent"] is False
    world.says("mira", "da")
    assert _case(dms, filed["reference"])["consent"] is True
    _resolves(dms, filed["reference"])
    assert "Rešeno" in world.viber.texts("mira")[-1]
    assert "Rešeno" in world.says("mira", "moji predmeti")[0]


@pytest.mark.shows("B37", "A27")
@pytest.mark.parametrize(
    "how", ["no button", "old nonce", "another's number", "used", "typed", "somebody else's button"]
)
def test_any_other_card_or_number_links_nothing(dms: System, world: World, how: str) -> None:
    filed = dms.file(number="501-123/2026", applicant={"name": "Mira Š.", "phone": "+381641234567"})
    button = _share_button(world)
    if how == "no button":
        said = _shares(world, None)
    elif how == "old nonce":
        world.now += 2 * 3600
        said = _shares(world, button)
    elif how == "another's number":
        said = _shares(world, button, "381649999999")
    elif how == "used":
        _shares(world, button, "381649999999")
        said = _shares(world, button)
    elif how == "typed":
        said = world.says("mira", "+381641234567")[-1]
    else:
        world.says("jovo", "zdravo")
        said = _shares(world, button, citizen="jovo")
    assert "501-123/2026" not in said
    world.says("mira", "da")
    assert _case(dms, filed["reference"])["consent"] is False


def test_a_case_somebody_has_bound_by_its_slip_is_not_found_by_its_number(dms: System, world: World) -> None:
    filed = dms.file(number="501-123/2026", applicant={"name": "Mira Š.", "phone": "+381641234567"})
    context = filed["link"]["web"].rpartition("=")[2]
    world.says("jovo", f"~1:bind.{context}")
    assert "nema predmeta koji čeka" in _shares(world, _share_button(world))


def test_on_the_web_no_number_is_asked_for(dms: System, world: World) -> None:
    dms.file(applicant={"name": "Mira Š.", "phone": "+381641234567"})
    visitor = Visitor(world)
    (told,) = visitor.says("status predmeta")
    assert not any(choice["id"].startswith("share.") for choice in told["choices"])
    (said,) = visitor.posts(type="phone", phone="+381641234567")
    assert "nije potreban" in said["text"]


# --- the web ----------------------------------------------------------------------------------------------------


def test_messages_about_a_case_carry_its_reference_on_the_web(dms: System, world: World) -> None:
    visitor = Visitor(world)
    visitor.says(WHERE)
    receipt = visitor.says("pošalji")[-1]
    reference = receipt["case"]
    assert (reference in receipt["text"], receipt["ask"]) == (True, "consent")
    assert _case(dms, reference)["channel"] == "web"
    assert "zatvorite ovu stranicu" in receipt["text"]
    assert visitor.says("da")[-1]["case"] == reference
    _resolves(dms, reference)
    notice = visitor.fetches()[-1]
    assert notice["case"] == reference
    assert [choice["id"] for choice in notice["choices"]] == [f"case.fixed.{reference}", f"case.unfixed.{reference}"]
    assert visitor.says(reference)[-1]["case"] == reference
    assert "case" not in visitor.says("zdravo")[-1]
