"""The page of a volunteer's link: first come, first served; details for whoever has it; nothing for anybody else."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest

from chalicelib import signed
from chalicelib.actions import call_by_link, web_pace
from chalicelib.actions.decide_volunteer import decide
from chalicelib.cases import references
from chalicelib.model import Case, Follower, Voice, Volunteer
from chalicelib.storage import dynamo
from chalicelib.storage import volunteers as stored
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.pace import Bucket
from chalicelib.wire import Deadline
from tests.console.clerk import ORIGIN, Clerk, Page, employed, seated
from tests.letters import Letters, caught, reached_at
from tests.neighbours import again, asks_for_help, passes, presses, says, told, volunteers
from tests.world import World

NAMES = ("ana", "bane")
SECRETS = ("Mira Anić", "Glavna 7", "123456", "063 123 456")


@pytest.fixture
def letters(town: World, monkeypatch: pytest.MonkeyPatch) -> Letters:
    return caught(monkeypatch)


def called(town: World, letters: Letters) -> tuple[str, str]:
    """Ana and Bane have left Viber and are asked by e-mail: the paths of their links. Mira asks for help on Viber."""
    for name, reference in zip(NAMES, volunteers(town, *NAMES), strict=True):
        reached_at(town, reference, _mail(name))
        town.calls({"event": "unsubscribed", "user_id": name, "timestamp": 1, "message_token": 5})
    asks_for_help(town)
    passes(town)
    ana, bane = (letters.link(_mail(name)) for name in NAMES)
    return ana, bane


def _mail(name: str) -> str:
    return f"{name}@primer.example"


def sends(link: str, do: str, page: Page | None = None, **headers: str) -> Page:
    """A button of the link's page."""
    browser = Clerk()
    mark = re.search(r'name="form" value="(\w+)"', (page or browser.get(link)).body)
    return browser.form(link, {"form": mark[1] if mark else "", "do": do}, **{"Origin": ORIGIN, **headers})


def case_of(town: World, link: str) -> Case:
    """The request a link is about, as it is now."""
    named = call_by_link.read(link.removeprefix("/help/"), Deadline(20))
    reference = references.normalise(named.reference) if named else None
    found = CaseStore(town.slug).load(reference, Deadline(20)) if reference else None
    assert found is not None
    return found


def profile(town: World, name: str) -> Volunteer:
    found = stored.load(town.slug, Follower(town.account.id, name), Deadline(20))
    assert found is not None
    return found


@pytest.mark.shows("D13")
def test_the_first_to_take_it_reads_the_details_and_the_others_that_it_is_taken(town: World, letters: Letters) -> None:
    ana, bane = called(town, letters)
    seen = Clerk().get(ana)
    assert seen.status == 200 and "Potrebna je pomoć: Hrana i namirnice" in seen.text
    assert "2 vekne hleba i mleko" in seen.text and "Centar" in seen.text
    assert not any(secret in seen.body for secret in SECRETS)
    bane_waits = Clerk().get(bane)
    assert sends(ana, "take").status == 303
    mine = Clerk().get(ana)
    assert "Mira Anić" in mine.text and "Glavna 7, stan 3" in mine.text and 'href="tel:+38163123456"' in mine.body
    case = case_of(town, ana)
    assert (case.status, case.assignee) == ("in_progress", ("volunteer", profile(town, "ana").id, "ana"))
    assert told(town, "mira")[-2:] == ["aid_comes", "aid_comes_how"], "the very words of a claim in a chat"
    late = sends(bane, "take", bane_waits)
    assert late.status == 409 and "je već preuzet" in late.text
    assert not any(secret in late.body for secret in SECRETS)
    assert "je već preuzet" in Clerk().get(bane).text


@pytest.mark.shows("F19")
def test_of_two_who_press_at_once_one_in_a_chat_one_has_it(town: World, letters: Letters) -> None:
    volunteers(town, "ceca")
    ana, _ = called(town, letters)
    page, answers = Clerk().get(ana), list[object]()
    reference = case_of(town, ana).reference
    presses_both = (
        lambda: answers.append(sends(ana, "take", page).status == 303),
        lambda: answers.append(presses(town, "ceca", f"aid.take.{reference}")[0] == "aid_details"),
    )
    threads = [threading.Thread(target=press) for press in presses_both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, answers)) == [False, True]


def test_done_is_asked_about_and_confirmed_and_then_the_details_are_gone(town: World, letters: Letters) -> None:
    ana, _ = called(town, letters)
    sends(ana, "take")
    assert sends(ana, "done").status == 303
    waits = Clerk().get(ana)
    assert "Pitamo osobu kojoj pomažete" in waits.text and "Glavna 7" in waits.text
    assert told(town, "mira")[-1] == "aid_done_ask"
    assert sends(ana, "back").status == 403, "no button, no form"
    reference = case_of(town, ana).reference
    assert presses(town, "mira", f"aid.yes.{reference}") == ["aid_yes_said"]
    assert "Potvrđeno" in letters.to(_mail("ana"))[-1]["subject"]
    over = Clerk().get(ana)
    assert not any(secret in over.body for secret in SECRETS)
    assert case_of(town, ana).status == "resolved"


def test_given_back_the_link_is_over_and_the_other_gets_a_new_one(town: World, letters: Letters) -> None:
    ana, bane = called(town, letters)
    sends(ana, "take")
    given_back = sends(ana, "back")
    assert given_back.status == 200 and "nudimo drugima" in given_back.text
    passes(town)
    assert told(town, "mira")[-1] == "aid_searching_again"
    for old in (ana, bane):
        gone = Clerk().get(old)
        assert gone.status == 410 and not any(secret in gone.body for secret in SECRETS)
    again_asked = letters.link(_mail("bane"))
    assert again_asked != bane and sends(again_asked, "take").status == 303
    assert letters.link(_mail("ana")) == ana, "who gave it back is not asked again"


def test_what_was_taken_in_the_chat_and_given_back_by_link_leaves_the_chat_too(town: World, letters: Letters) -> None:
    (reference,) = volunteers(town, "ana")
    reached_at(town, reference, _mail("ana"))
    case = asks_for_help(town)
    passes(town)
    says(town, "ana", "preuzimam")
    assert "aid_details" in told(town, "ana")
    named = call_by_link.Named(town.slug, case.reference, 1, 0, 1, int(town.now) + 9999)
    parts = (named.town, named.reference.replace("-", ""), 1, 0, 1, named.until)
    token = signed.sign(call_by_link.PURPOSE, ".".join(map(str, parts)), "test-key")
    assert "Glavna 7" in Clerk().get(f"/help/{token}").text
    assert sends(f"/help/{token}", "back").status == 200
    assert again(town, case).assignee is None
    assert "aid_details" not in told(town, "ana")
    assert not any(secret in str(town.conversation("ana")) for secret in ("Glavna", "Mira"))


def test_looking_changes_nothing_and_each_act_is_on_record(town: World, letters: Letters) -> None:
    ana, _ = called(town, letters)
    before = case_of(town, ana).v
    for _ in range(3):
        assert Clerk().get(ana).status == 200
    assert case_of(town, ana).v == before, "programs that look through e-mails open every link"
    for do in ("take", "done"):
        sends(ana, do)
    acts = [(act.what, act.by.partition(":")[0]) for act in town.acts() if act.what.startswith("link_")]
    assert sorted(acts) == [("link_done", "volunteer"), ("link_take", "volunteer")]


@pytest.mark.shows("A23")
def test_a_link_that_is_none_is_as_unknown_as_any_other(town: World, letters: Letters) -> None:
    ana, _ = called(town, letters)
    content, _, signature = ana.removeprefix("/help/").rpartition(".")
    slug, reference, turn, place, links, until = content.split(".")
    others = [
        ".".join((slug, reference, turn, str(1 - int(place)), links, until)),  # the other one's
        ".".join((slug, reference, "2", place, links, until)),
        ".".join((f"{slug}-b", reference, turn, place, links, until)),
        ".".join((slug, reference, turn, place, links, str(int(until) + 1))),
    ]
    tried = [f"{other}.{signature}" for other in others] + [
        f"{content}.",
        "nothing",
        "x" * 4000,
        f"{content}.{'0' * 32}",
    ]
    tried.append(signed.sign("file:" + town.slug, content, "test-key"))  # ours, for another purpose
    said = set()
    for token in tried:
        for answer in (Clerk().get(f"/help/{token}"), Clerk().form(f"/help/{token}", {"do": "take"}, Origin=ORIGIN)):
            assert answer.status == 404, token
            said.add(answer.text)
    assert len(said) == 1
    assert case_of(town, ana).assignee is None


ENDS = ("suspended", "another address", "stopped", "closed")


@pytest.mark.parametrize("how", ["time", *(pytest.param(how, marks=pytest.mark.campaign) for how in ENDS)])
def test_a_link_ends_with_its_call_its_time_or_when_it_is_revoked(town: World, letters: Letters, how: str) -> None:
    ana, _ = called(town, letters)
    page, reference = Clerk().get(ana), profile(town, "ana").id
    match how:
        case "time":
            town.now += 4 * 86400
        case "suspended":
            decide(town.slug, reference, "suspended", "platform:test", town.now, Deadline(20))
        case "another address":
            reached_at(town, reference, "nova@primer.example")
        case "stopped":
            stopped = sends(ana, "stop")
            assert stopped.status == 200 and "više ne stižu" in stopped.text
        case "closed":
            presses(town, "mira", f"aid.off.{case_of(town, ana).reference}")
    status = 409 if how == "closed" else 410
    assert sends(ana, "take", page).status == status
    shown = Clerk().get(ana)
    assert shown.status == (200 if how == "closed" else 410) and "vekne" not in shown.text
    assert case_of(town, ana).assignee is None
    if how == "stopped":
        asks_for_help(town, "jovo")
        passes(town)
        assert len(letters.to(_mail("ana"))) == 1


def test_a_form_that_is_not_from_the_page_does_nothing(town: World, letters: Letters) -> None:
    ana, bane = called(town, letters)
    theirs = Clerk().get(bane)
    for fields in ({}, {"form": ""}, {"form": "0" * 40}):
        assert Clerk().form(ana, {"do": "take", **fields}, Origin=ORIGIN).status == 403
    assert sends(ana, "take", theirs).status == 403, "another link's form"
    assert sends(ana, "take", Origin="https://evil.example").status == 403
    assert sends(ana, "photo").status == 422
    assert case_of(town, ana).assignee is None


def test_whoever_asks_too_often_is_told_to_wait(town: World, letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, _ = called(town, letters)
    monkeypatch.setattr(web_pace, "ADDRESS", Bucket(burst=3, per_second=0.1))
    web_pace.forget()
    assert [Clerk().get(ana).status for _ in range(5)] == [200, 200, 200, 429, 429]


def test_the_page_speaks_the_volunteers_language(town: World, letters: Letters) -> None:
    (reference,) = volunteers(town, "ana")
    speaks = replace(profile(town, "ana"), voice=Voice("en"))
    dynamo.transact(stored.items(town.slug, speaks, town.now), Deadline(20))
    reached_at(town, reference, _mail("ana"))
    town.calls({"event": "unsubscribed", "user_id": "ana", "timestamp": 1, "message_token": 5})
    asks_for_help(town)
    passes(town)
    assert letters.to(_mail("ana"))[-1]["subject"] == "Help is needed: Food and groceries"
    page = Clerk().get(letters.link(_mail("ana")))
    assert "I'll take it" in page.text and '<html lang="en-Latn">' in page.body


def test_the_coordinator_gives_an_address_and_revokes_links(town: World, letters: Letters) -> None:
    (ana,) = volunteers(town, "ana")
    desk = seated(employed(town.slug, "coordinator"), town.now)
    at = f"/console/volunteers/{ana}/mail"
    assert desk.post(at, {"mail": "nije adresa"}).leads_to.endswith("said=mail_wrong")
    assert "nije ispravna" in desk.get("/console/volunteers?said=mail_wrong").text
    assert desk.post(at, {"mail": " ana@primer.example "}).leads_to.endswith("said=mail")
    assert 'value="ana@primer.example"' in desk.get("/console/volunteers").body
    town.calls({"event": "unsubscribed", "user_id": "ana", "timestamp": 1, "message_token": 5})
    asks_for_help(town)
    passes(town)
    link = letters.link(_mail("ana"))
    assert Clerk().get(link).status == 200
    desk.post(at, {"mail": "ana@primer.example"})
    assert Clerk().get(link).status == 410
    assert seated(employed(town.slug, "clerk"), town.now).post(at, {"mail": "x@y.rs"}).status == 403
    assert desk.post("/console/volunteers/PR-AAAA-AAA/mail", {"mail": "x@y.rs"}).status == 404
    assert sum(act.what == "volunteer_mail" for act in town.acts()) == 2
