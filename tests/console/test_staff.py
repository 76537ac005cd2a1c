"""The admin's people: invited, given work, sent away, shut out; one's own account; the platform's way into a town."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import os
import re
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.actions import collect_figures, manage_staff, sign_in, spend_code, town_states, work_outbox
from chalicelib.actions.change_case import change_case
from chalicelib.actions.manage_staff import NotPossible, Work
from chalicelib.cases.lifecycle import Event
from chalicelib.console import door
from chalicelib.model import Conflict
from chalicelib.storage import audit, budget, dynamo, keys, outbox, sessions, staff, staff_pool, views
from chalicelib.storage.staff import PLATFORM
from infra.local import mailbox
from tests.console.clerk import PASSWORD, Clerk, Page, employed, filed, hired, record, seated, soon
from tests.viber import message
from tests.world import World


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "SIGN_IN_SECONDS", 40.0)


@pytest.fixture
def admin(town: World) -> Clerk:
    return seated(employed(town.slug, "admin", name="Ana Anić"), town.now)


def trail(town: World) -> list[audit.Act]:
    day = time.strftime("%Y-%m-%d", time.gmtime(town.now))
    return audit.of_day(town.slug, day, soon())[0]


def invitation(town: World, **more: str) -> dict[str, str]:
    return {"mail": f"eva-{town.slug}@x.si", "name": "Eva", "role": "clerk", "language": "sr-cyrillic"} | more


def password_on(page: Page) -> str:
    found = re.search(r"[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}", page.text)
    assert found, page.text
    return found[0]


def test_who_is_invited_gets_a_password_shown_once_and_speaks_their_language(town: World, admin: Clerk) -> None:
    page = admin.post("/console/staff/new", invitation(town) | {"office.biro": "1"})
    assert page.status == 200
    password = password_on(page)
    person = staff.load(town.slug, f"eva-{town.slug}@x.si", soon())
    assert person is not None
    assert (person.role, person.offices, person.name, person.language) == ("clerk", ("biro",), "Eva", "sr-cyrillic")
    assert [row for row in views.owed(town.slug) if row["kind"] == "email"] == [], "no mail without a word of theirs"
    assert any((act.what, act.about) == ("staff_invited", person.id) for act in trail(town))
    for path in ("/console/staff", f"/console/staff/{person.id}", "/console/audit"):
        assert password not in admin.get(path).body
    eva = Clerk()
    assert eva.sign_in(person.mail, password).status == 200
    assert admin.post("/console/staff/new", invitation(town)).status == 422, "twice is said"
    assert "За рад" in seated(person, town.now).get("/console/inbox").text


def test_an_invitation_by_mail_waits_in_the_outbox_without_the_password(town: World, admin: Clerk) -> None:
    sent = invitation(town, letter="1", language="sq")
    page = admin.post("/console/staff/new", sent, Referer="https://salter.example/console/staff/new")
    (row,) = (row for row in views.owed(town.slug) if row["kind"] == "email")
    assert row["state"] == "due"
    assert work_outbox.work(keys.outbox(town.slug, row["id"]), town.now, soon()) is True
    (mail,) = (mail for mail in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if mail["to"] == sent["mail"])
    assert "https://salter.example/console\n" in mail["text"]
    assert "Mirë dita" in mail["text"], "in the language of whoever is invited"
    assert password_on(page) not in mail["text"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mail": "no-address"}, "Adresa e-pošte nije ispravna"),
        ({"mail": "a b@x.si"}, "Adresa e-pošte nije ispravna"),
        ({"role": "platform"}, "Izaberite ulogu"),
        ({"role": ""}, "Izaberite ulogu"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    town: World, admin: Clerk, wrong: dict[str, str], said: str
) -> None:
    page = admin.post("/console/staff/new", invitation(town) | wrong)
    assert page.status == 422
    assert said in page.text
    assert 'value="Eva"' in page.body
    assert len(staff.all_of(town.slug, soon())) == 1


@pytest.mark.shows("A4")
def test_an_address_of_another_town_cannot_be_taken_over(town: World, admin: Clerk) -> None:
    theirs = hired(f"{town.slug}-b")
    page = admin.post("/console/staff/new", invitation(town, mail=theirs.mail))
    assert page.status == 422 and "nalog na drugom mestu" in page.text
    assert isinstance(staff_pool.enter(theirs.mail, PASSWORD, soon()), staff_pool.Entered)


def test_an_interrupted_invitation_can_be_sent_again(
    town: World, admin: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(dynamo, "transact", lambda *_: (_ for _ in ()).throw(Conflict("broken off")))
        assert admin.post("/console/staff/new", invitation(town)).status == 422
    assert password_on(admin.post("/console/staff/new", invitation(town)))


def test_work_absence_and_deputy_are_changed_on_record(town: World, admin: Clerk) -> None:
    person, deputy = employed(town.slug, "clerk"), employed(town.slug, "clerk")
    here = f"/console/staff/{person.id}"
    assert admin.post(f"{here}/work", {"role": "head", "name": " Eva  E. ", "office.biro": "1"}).status == 303
    assert admin.post(f"{here}/absence", {"deputy": deputy.mail, "until": "2026-03-20"}).status == 303
    after = record(person)
    assert (after.role, after.name, after.offices) == ("head", "Eva E.", ("biro",))
    assert (after.deputy, after.absent_until) == (deputy.mail, "2026-03-20")
    assert "odsustvo do: 20. 3. 2026" in admin.get("/console/staff").text
    assert {"staff_changed", "staff_away"} <= {act.what for act in trail(town)}
    shown = admin.get("/console/audit").text
    assert "uloga ili službe izmenjene · Rukovodilac Eva E." in shown
    assert "odsustvo ili zamena izmenjeni · 20. 3. 2026. Eva E." in shown
    for wrong in ({"until": "2026-03-09"}, {"until": "soon"}, {"deputy": person.mail}, {"deputy": "x@y.si"}):
        assert admin.post(f"{here}/absence", wrong).status == 422
    assert record(person).absent_until == "2026-03-20"


def test_who_is_shut_out_is_out_at_once_and_can_be_let_in_again(town: World, admin: Clerk) -> None:
    person = hired(town.slug)
    clerk = Clerk()
    clerk.sign_in(person.mail)
    assert admin.post(f"/console/staff/{person.id}/out").status == 303
    assert clerk.get("/console/inbox").status == 303
    assert Clerk().sign_in(person.mail).status == 401
    assert admin.post(f"/console/staff/{person.id}/in").status == 303
    assert Clerk().sign_in(person.mail).status == 303
    assert {"staff_disabled", "staff_enabled"} <= {act.what for act in trail(town)}


def test_a_new_password_ends_the_old_one_and_every_sign_in(town: World, admin: Clerk) -> None:
    person = hired(town.slug)
    clerk = Clerk()
    clerk.sign_in(person.mail)
    password = password_on(admin.post(f"/console/staff/{person.id}/password"))
    assert clerk.get("/console/inbox").status == 303
    assert Clerk().sign_in(person.mail).status == 401
    asked = Clerk().sign_in(person.mail, password)
    assert asked.status == 200 and "Izaberite svoju lozinku" in asked.text


@pytest.mark.shows("A15")
def test_an_admin_shuts_out_neither_themself_nor_the_last_admin(town: World) -> None:
    first = employed(town.slug, "admin")
    me = seated(first, town.now)
    assert "Sopstveni pristup" in me.post(f"/console/staff/{first.id}/out").text
    assert me.post(f"/console/staff/{first.id}/work", {"role": "clerk"}).status == 422
    platform = seated(employed(PLATFORM, PLATFORM), town.now)
    platform.post("/console/towns/in", {"town": town.slug})
    assert "bar jedan administrator" in platform.post(f"/console/staff/{first.id}/out").text
    second = employed(town.slug, "admin")
    assert me.post(f"/console/staff/{second.id}/out").status == 303
    assert record(second).disabled and not record(first).disabled


@pytest.mark.shows("A15")
def test_of_two_admins_who_remove_each_other_at_once_one_stays(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, eva = employed(town.slug, "admin"), employed(town.slug, "admin")
    transact, now = dynamo.transact, town.now

    def meanwhile(*asked: object) -> None:
        monkeypatch.setattr(dynamo, "transact", transact)
        manage_staff.shut_out(town.town, eva, ana.id, now, soon())
        transact(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(dynamo, "transact", meanwhile)
    with pytest.raises(NotPossible, match="last_admin"):
        manage_staff.shut_out(town.town, ana, eva.id, now, soon())
    assert record(ana).disabled and not record(eva).disabled


def test_a_record_and_its_place_in_the_trail_are_one_commit(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, person = employed(town.slug, "admin"), employed(town.slug)
    written: list[list[str]] = []
    transact = dynamo.transact

    def heard(writes: list[dynamo.Write], deadline: object) -> None:
        written.append([write.item["pk"].split("#")[2] for write in writes])
        transact(writes, deadline)  # type: ignore[arg-type]

    monkeypatch.setattr(dynamo, "transact", heard)
    manage_staff.give_work(town.town, admin, person.id, Work("head"), town.now, soon())
    manage_staff.send_away(town.town, admin, person.id, "", "", _day(), town.now, soon())
    manage_staff.shut_out(town.town, admin, person.id, town.now, soon())
    manage_staff.let_in(town.town, admin, person.id, town.now, soon())
    assert len(written) == 4
    assert all({"AU", "STAFF"} <= set(one) for one in written)


def _day() -> dt.date:
    return dt.date(2026, 3, 10)


# --- one's own account ----------------------------------------------------------------------------------------


def test_everybody_chooses_language_and_absence_for_themself(town: World) -> None:
    person = employed(town.slug)
    clerk = seated(person, town.now)
    assert "Moj nalog" in clerk.get("/console/account").text
    assert clerk.post("/console/account/language", {"language": "sq"}).status == 303
    assert "Llogaria ime" in clerk.get("/console/account").text
    assert clerk.post("/console/account/language", {"language": "fr"}).status == 422
    assert clerk.post("/console/account/absence", {"until": "2026-03-12"}).status == 303
    assert clerk.post("/console/account/absence", {"until": "2020-01-01"}).status == 422
    after = record(person)
    assert (after.language, after.absent_until, len(after.sessions)) == ("sq", "2026-03-12", 1)
    assert "Llogaria ime" in seated(person, town.now).get("/console/account").text, "in another browser too"


def code_of(secret: str, ago: int = 0) -> str:
    """RFC 6238 with SHA-1, six digits, half a minute."""
    counter = struct.pack(">Q", int(time.time()) // 30 - ago)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def _field(page: Page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.body)
    assert found, name
    return found[1]


@pytest.mark.shows("A17")
def test_a_code_beside_the_password_is_turned_on_asked_for_and_turned_off(town: World) -> None:
    person, clerk = hired(town.slug), Clerk()
    clerk.sign_in(person.mail)
    assert clerk.post("/console/account/code", {"password": "ne-Znam-lozinku-1"}).status == 422
    begun = clerk.post("/console/account/code", {"password": PASSWORD})
    assert begun.status == 200 and 'src="data:image/svg+xml' in begun.body
    secret, access = _field(begun, "secret"), _field(begun, "access")
    wrong = clerk.post("/console/account/code/first", {"secret": secret, "access": access, "code": "000000"})
    assert wrong.status == 422 and _field(wrong, "secret") == secret
    good = {"secret": secret, "access": access, "code": code_of(secret)}
    assert clerk.post("/console/account/code/first", good).status == 303
    assert "uključen" in clerk.get("/console/account").text

    town.now += spend_code.KEPT_SECONDS  # the same code is a new one from here on
    other = Clerk()
    asked = other.sign_in(person.mail)
    assert asked.status == 200 and "Kod sa telefona" in asked.text
    assert other.get("/console/inbox").status == 303
    form = {name: _field(asked, name) for name in ("mail", "challenge", "session", "to")}
    assert other.form("/console/sign-in/answer", form | {"answer": "000000"}).status == 401
    asked = other.sign_in(person.mail)
    form = {name: _field(asked, name) for name in ("mail", "challenge", "session", "to")}
    assert other.form("/console/sign-in/answer", form | {"answer": code_of(secret)}).status == 303

    town.now += spend_code.KEPT_SECONDS
    assert clerk.post("/console/account/code/off", {"password": PASSWORD, "code": "000000"}).status == 422
    assert clerk.post("/console/account/code/off", {"password": PASSWORD, "code": code_of(secret)}).status == 303
    assert Clerk().sign_in(person.mail).status == 303
    assert {"account_code_on", "account_code_off"} <= {act.what for act in trail(town)}


@pytest.mark.shows("A17")
def test_of_twelve_who_give_the_same_code_at_once_one_comes_in_and_nobody_after(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the pool takes: the one on this machine takes a code as often as it is given."""
    monkeypatch.setattr(sign_in, "SIGN_IN_SECONDS", 40.0)
    monkeypatch.setattr(sign_in, "TRIES_MAX", 100)
    monkeypatch.setattr(sign_in, "CLAIM_TRIES_MAX", 100)
    person = hired(town.slug)
    entered = staff_pool.enter(person.mail, PASSWORD, soon())
    assert isinstance(entered, staff_pool.Entered)
    secret = staff_pool.begin_totp(entered.access, soon())
    staff_pool.finish_totp(entered.access, code_of(secret), soon())
    code, asked = code_of(secret), [sign_in.sign_in(person.mail, PASSWORD, town.now) for _ in range(13)]

    def give(one: Any) -> bool:
        return isinstance(sign_in.answer(person.mail, one, code, town.now), sign_in.SignedIn)

    with ThreadPoolExecutor(12) as threads:
        came_in = list(threads.map(give, asked[:12]))
    assert came_in.count(True) == 1
    town.now += 60
    for written in (code, f" {code[:3]} {code[3:]}\n", code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))):
        assert isinstance(sign_in.answer(person.mail, asked[12], written, town.now), sign_in.Denied)


@pytest.mark.shows("A16")
def test_guessing_a_password_on_the_own_page_is_counted_like_at_the_door(town: World) -> None:
    person = hired(town.slug)
    clerk = seated(person, town.now)
    for _ in range(5):
        clerk.post("/console/account/code", {"password": "ne-Znam-lozinku-1"})
    assert Clerk().sign_in(person.mail).status == 429


# --- the platform's towns -------------------------------------------------------------------------------------


def test_a_platform_admin_goes_into_a_town_in_the_open_and_on_its_record(town: World) -> None:
    platform = seated(employed(PLATFORM, PLATFORM), town.now)
    assert platform.get("/console").leads_to == "console/towns"
    shown = platform.get(f"/console/towns?after={town.slug[:-1]}").text  # other tests' towns fill pages before it
    assert town.slug in shown and "u radu" in shown
    assert platform.post("/console/towns/in", {"town": "nobody-lives-here"}).status == 404
    assert platform.post("/console/towns/in", {"town": town.slug}).leads_to == "../../console/inbox"
    inside = platform.get("/console/inbox")
    assert "Radite u ime administratora" in inside.text
    assert "Platforma" in platform.get("/console/audit").text
    assert "console/account/reminders" not in platform.get("/console/account").body, "they are no one of this town's"
    town.now += 60
    assert platform.post("/console/towns/out").leads_to == "../../console/towns"
    assert platform.get("/console/inbox").status == 403
    whats = [act.what for act in trail(town) if act.by.startswith("platform:")]
    assert whats == ["platform_left", "platform_came"]


def test_the_platforms_page_shows_how_each_town_is(town: World) -> None:
    platform = seated(employed(PLATFORM, PLATFORM), town.now)

    def shown() -> str:
        text = platform.get(f"/console/towns?after={town.slug[:-1]}").text
        return text.partition(town.slug)[2].partition("Uđi")[0]

    assert "u radu" in shown() and "ništa" in shown() and "Viber odbija" not in shown()
    town.viber.otherwise = {"status": 2}  # the token is refused
    town.calls(message("mira", "zdravo"))
    outbox.write_dead(town.slug, "row", "reply", {}, "bad_request", town.now, soon(), account="", citizen="")
    town_states.suspend(town.slug, "platform:x", "ugovor istekao", town.now, soon())
    town.now += 1500
    for part in ("obustavljeno", "ugovor istekao", "Viber odbija token", "25 min", "10. 3. 2026. 12:00"):
        assert part in shown()
    assert shown().split()[-3:] == ["1", "Odustalo:", town.slug]


def test_the_platforms_page_shows_how_fast_a_town_answers_what_it_pays_and_who_suspended_it(town: World) -> None:
    town.says_of_itself(terms="price: {amount: 0.05, currency: EUR}")
    platform = seated(employed(PLATFORM, PLATFORM), town.now)
    town.calls(message("mira", "zdravo"))
    case = filed(town.slug, town.now)
    change_case(
        town.town,
        case.reference,
        Event(int(town.now) + 25 * 60, "staff:x", status="in_progress"),
        town.now,
        "h",
        soon(),
    )
    for _ in range(3):
        budget.count(town.slug, "2026-03-10", 1, soon())
    town_states.suspend(town.slug, "platform:nada", "ugovor istekao", town.now, soon())
    collect_figures.collect(town.slug, town.now, soon())
    shown = platform.get(f"/console/towns?after={town.slug[:-1]}").text.partition(town.slug)[2].partition("Uđi")[0]
    for part in ("ugovor istekao (nada)", "služba: 25 min", "3 plaćene poruke 0,15 EUR"):
        assert part in shown, part
    assert re.search(r"\b[1-9]\d{0,4} ms\b", shown)


def test_going_in_without_a_record_of_it_is_not_possible(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = seated(employed(PLATFORM, PLATFORM), town.now)
    with monkeypatch.context() as broken:
        broken.setattr(dynamo, "transact", lambda *_: (_ for _ in ()).throw(Conflict("broken off")))
        assert platform.post("/console/towns/in", {"town": town.slug}).status == 503
    session = sessions.find(platform.cookies[door.COOKIE], town.now, soon())
    assert session is not None and session.acting_for == ""
