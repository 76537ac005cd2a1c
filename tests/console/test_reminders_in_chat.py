"""Deadlines in a chat of a member of staff: linked from the console, agreed to in the chat, ended from either side."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.actions import sweep, watch_deadlines
from chalicelib.model import Case, Follower, Staff
from chalicelib.storage import consents, dynamo, keys, people, staff, views
from tests import dump
from tests.actions.test_own_data import NEWS
from tests.console.clerk import Clerk, Page, employed, filed, record, seated, soon
from tests.web import Visitor
from tests.world import NOON, World

OFF = "consent.end_reminders"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    watch_deadlines.forget()
    yield
    watch_deadlines.forget()


@pytest.fixture
def clerk(town: World) -> Staff:
    return employed(town.slug, name="Ana Anić", offices=("biro",))


def link(page: Page) -> str:
    """The context in the link that the page shows."""
    found = re.search(r'href="(viber://[^"]+)"', page.body)
    assert found, page.text
    return html.unescape(found[1]).partition("context=")[2]


def opens(town: World, citizen: str, context: str) -> dict[str, Any]:
    """Viber opened by the link; what the bot asks."""
    return town.calls(
        {"event": "conversation_started", "user": {"id": citizen}, "context": context, "message_token": 7}
    )


def linked(town: World, clerk: Staff, citizen: str = "ana") -> Clerk:
    """The clerk's browser, once their chat is linked."""
    browser = seated(clerk, town.now)
    town.says(citizen, first_button(opens(town, citizen, link(browser.post("/console/account/reminders")))))
    return browser


def first_button(body: dict[str, Any]) -> str:
    return str(body["keyboard"]["Buttons"][0]["ActionBody"])


def due(town: World, hours: float = 22, **more: object) -> Case:
    """A case that came in after the day's overview; 22 hours from noon five of the office's are left."""
    watch_deadlines.watch_town(town.slug, town.now, soon())
    town.now += 1
    return filed(town.slug, town.now, due_at=int(town.now + 3600 * hours), **more)


def watched(town: World, hours: float = 0) -> list[str]:
    """What the chat of the clerk has got once the minute came."""
    town.now += 3600 * hours
    before = len(town.viber.sent)
    watch_deadlines.watch_town(town.slug, town.now, soon())
    return [body["text"] for body in town.viber.sent[before:] if body["receiver"] == "ana"]


def mails(town: World) -> int:
    return sum(row["kind"] == "email" for row in views.owed(town.slug))


def test_a_clerk_who_linked_a_chat_is_reminded_there_beside_the_e_mail(town: World, clerk: Staff) -> None:
    browser = seated(clerk, town.now)
    assert "Uključi podsetnike" in browser.get("/console/account").text
    asked = opens(town, "ana", link(browser.post("/console/account/reminders")))
    assert "jutarnji pregled" in asked["text"]
    (said,) = town.says("ana", first_button(asked))
    assert "Uključeno" in said
    assert "Isključi podsetnike" in browser.get("/console/account").text

    told_of = {act.what for act in town.acts()}
    case = due(town, subject="Zove se Mira Mirić")
    (told,) = watched(town)
    assert case.reference in told
    assert "rok ističe uskoro" in told
    assert f"https://salter.example/console/cases/{case.reference}" in str(town.viber.sent[-1])
    assert "Mir" not in told
    assert mails(town) == 1
    assert watched(town) == []

    *_, told = watched(town, 22)
    assert "Rok za odgovor je istekao" in told
    assert {"account_chat_on", "account_chat_begun"} <= told_of


def test_the_morning_brings_one_message_with_what_is_due(town: World, clerk: Staff) -> None:
    linked(town, clerk)
    wanted = [due(town, 24, fields={"description": "Tajna"}) for _ in range(10)]
    town.now = NOON + 19 * 3600  # seven in the morning
    (told,) = watched(town)
    assert "10 predmeta Vaše službe" in told
    assert sum(case.reference in told for case in wanted) == 8
    assert "i još 2 predmeta" in told
    assert "Tajna" not in told
    assert watched(town) == []


@pytest.mark.parametrize("word", [OFF, "STOP"])
def test_the_chat_itself_ends_them(town: World, clerk: Staff, word: str) -> None:
    browser = linked(town, clerk)
    (said,) = town.says("ana", first_button(town.viber.sent[-1]) if word == OFF else word)
    assert "Podsetnici o rokovima su isključeni" in said
    assert "Uključi podsetnike" in browser.get("/console/account").text
    due(town)
    assert watched(town) == []
    assert mails(town) == 1


def test_the_console_ends_them_and_forgets_which_chat_it_was(town: World, clerk: Staff) -> None:
    browser = linked(town, clerk)
    ended = browser.post("/console/account/reminders/off")
    assert ended.leads_to.endswith("console/account?said=chat_off")
    assert "Podsetnici na Viberu su isključeni" in browser.get("/console/account?said=chat_off").text
    person = keys.person(town.account.id, "ana")
    assert record(clerk).reminders == ""
    assert people.where_reminded(town.slug, person, soon()) is None
    due(town)
    assert watched(town) == []


def test_a_link_is_good_once_and_for_an_hour(town: World, clerk: Staff) -> None:
    browser = seated(clerk, town.now)
    first = link(browser.post("/console/account/reminders"))
    town.says("ana", first_button(opens(town, "ana", first)))
    assert "iskorišćena" in opens(town, "jovo", first)["text"]
    second = link(browser.post("/console/account/reminders"))
    town.now += 3601
    assert "iskorišćena" in opens(town, "jovo", second)["text"]
    assert record(clerk).reminders == keys.person(town.account.id, "ana")


def test_a_link_does_nothing_for_somebody_who_may_not_work_here_any_more(town: World, clerk: Staff) -> None:
    context = link(seated(clerk, town.now).post("/console/account/reminders"))
    yes = first_button(opens(town, "ana", context))
    staff.save(replace(record(clerk), disabled=True), soon())
    assert "iskorišćena" in town.says("ana", yes)[0]
    assert record(clerk).reminders == ""


def test_a_page_that_nothing_can_be_sent_to_is_no_chat_for_reminders(town: World, clerk: Staff) -> None:
    visitor = Visitor(town, context=link(seated(clerk, town.now).post("/console/account/reminders")))
    assert "iskorišćena" in str(visitor.welcome)
    assert record(clerk).reminders == ""


def test_another_phone_takes_over(town: World, clerk: Staff) -> None:
    browser = linked(town, clerk, "stari")
    browser.post("/console/account/reminders/off")
    linked(town, clerk, "ana")
    due(town)
    assert len(watched(town)) == 1
    assert "stari" not in {body["receiver"] for body in town.viber.sent[-2:]}


def test_whoever_asked_for_the_case_themselves_is_told_as_a_citizen_and_not_twice(town: World, clerk: Staff) -> None:
    linked(town, clerk)
    who = Follower(town.account.id, "ana")
    agreed = consents.Consent(consents.CASES, True, int(town.now), "viber", "citizen", "consent_ask.1")
    consents.record(town.slug, keys.person(who.account, who.citizen), agreed, soon())
    due(town, owner=who, consent=True)
    watched(town)
    said = watched(town, 22)  # the day's overview and the word to the citizen
    assert ["Odgovor kasni" in told for told in said] == [False, True]
    assert not any("Rok za odgovor je istekao" in told for told in said)


def test_a_town_that_saves_on_messages_pays_for_none(town: World, clerk: Staff) -> None:
    linked(town, clerk)
    town.says_of_itself(terms="notices: in_session")
    watch_deadlines.forget()
    town.now += 86400
    due(town)
    assert watched(town) == []
    assert mails(town) == 1
    town.says("ana", "zdravo")
    due(town)
    assert len(watched(town)) == 1


def test_staff_who_have_not_written_for_months_are_reminded_all_the_same(town: World, clerk: Staff) -> None:
    linked(town, clerk)
    town.now += 86400 * 62
    dynamo.delete("conversations", keys.conversation(town.account.id, "ana"), keys.NOW, soon())
    due(town)
    assert len(watched(town)) == 1


def test_whoever_leaves_the_bot_or_is_erased_is_reminded_no_more_and_leaves_no_trace(town: World, clerk: Staff) -> None:
    town.offers(NEWS)
    linked(town, clerk, "otisla-ana")
    told = town.says("otisla-ana", "Šta znate o meni?")[0]
    assert "Podsetnici o rokovima za zaposlene" in told
    town.says("otisla-ana", "Obriši moje podatke")
    town.says("otisla-ana", first_button(town.viber.sent[-1]))
    for seconds in (1, 90):
        town.now += seconds
        sweep.sweep(town.now)
    due(town)
    assert watched(town) == []
    emptied = f"conversations {keys.conversation(town.account.id, 'otisla-ana')} {keys.NOW}"  # for a day
    assert {where for where, text in dump.items() if "otisla-ana" in text} == {emptied}
