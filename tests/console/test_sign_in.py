"""Coming in: few tries, no hints, no old cookie kept; and every way in which a sign-in ends really ends it."""

from __future__ import annotations

import base64
import html
import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.local import LambdaContext

import app
from chalicelib.actions import guesses, manage_staff, sign_in
from chalicelib.actions.manage_staff import Work
from chalicelib.console import door
from chalicelib.model import Unavailable
from chalicelib.storage import audit, sessions, staff, staff_pool
from chalicelib.storage.staff_pool import Asked, NotTheirs
from chalicelib.wire import Deadline
from infra.local import http_api
from tests.console.clerk import HOST, ORIGIN, PASSWORD, Clerk, Page, employed, hired, record, seated, soon
from tests.shows import Measure
from tests.world import World

HOUR = 3600
INBOX = "/console/inbox"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "SIGN_IN_SECONDS", 40.0)


def acts(town: World) -> list[str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(town.now))
    return [act.what for act in audit.of_day(town.slug, day, soon())[0]]


def test_the_right_password_opens_the_page_that_was_asked_for_and_is_on_record(town: World) -> None:
    person, clerk = hired(town.slug), Clerk()
    led = clerk.get("/console/search?q=PR-1&x=%3C")
    assert "to=console%2Fsearch%3Fq%3DPR-1" in led.leads_to
    entered = clerk.sign_in(person.mail.upper(), to="console/search?q=PR-1")
    assert (entered.status, entered.leads_to) == (303, "../console/search?q=PR-1")
    assert clerk.get(INBOX).status == 200
    assert "signed_in" in acts(town)


@pytest.mark.shows("A18")
@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "console//evil", "javascript:x", "../x"])
def test_after_signing_in_nobody_is_led_to_another_site(town: World, to: str) -> None:
    assert Clerk().sign_in(hired(town.slug).mail, to=to).leads_to == "../console"


@pytest.mark.shows("A16")
def test_after_five_wrong_passwords_the_address_rests_for_a_quarter_of_an_hour(town: World) -> None:
    person, clerk = hired(town.slug), Clerk()
    for left in (4, 3, 2, 1):
        wrong = clerk.sign_in(person.mail, "ne-Znam-lozinku-1")
        assert wrong.status == 401
        assert f"Još {left} pokušaj" in wrong.text
    assert clerk.sign_in(person.mail, "ne-Znam-lozinku-1").status == 429
    assert clerk.sign_in(person.mail).status == 429, "the right one is not looked at either"
    town.now += 15 * 60 - 2
    assert clerk.sign_in(person.mail).status == 429
    town.now += 4
    assert clerk.sign_in(person.mail, "ne-Znam-lozinku-1").status == 401, "and counts from the beginning"
    assert clerk.sign_in(person.mail).status == 303


@pytest.mark.shows("A16")
def test_twelve_guesses_at_once_are_no_more_than_one_after_the_other(
    town: World, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, looked_at = hired(town.slug), list[str]()
    enter = staff_pool.enter

    def counted(mail: str, password: str, deadline: Deadline) -> Any:
        looked_at.append(password)
        return enter(mail, password, deadline)

    monkeypatch.setattr(staff_pool, "enter", counted)

    def guess(number: int) -> int:
        try:
            outcome = sign_in.sign_in(person.mail, f"ne-Znam-lozinku-{number}", town.now)
        except Unavailable:
            return 503
        return 429 if isinstance(outcome, sign_in.Denied) and outcome.rests_seconds else 401

    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(guess, range(12)))
    assert len(looked_at) <= sign_in.TRIES_MAX
    assert statuses.count(401) < sign_in.TRIES_MAX
    measured("A16", f"12 guesses at once: {len(looked_at)} passwords looked at, {sign_in.TRIES_MAX} are the bound")


def _from(address: str, mail: str, password: str) -> int:
    """A try from somewhere in the net, through the product's door."""
    fields = urlencode({"mail": mail, "password": password, "to": ""}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "host": HOST, "origin": ORIGIN}
    event = http_api.event("POST", "/console/sign-in", headers | {"x-forwarded-proto": "https"}, fields)
    event["requestContext"]["http"]["sourceIp"] = address
    return int(app.app(event, LambdaContext("api", 1024))["statusCode"])


@pytest.mark.shows("A16")
def test_whoever_tries_one_password_on_many_accounts_rests_and_rings_the_alarm_and_others_do_not(
    town: World, capsys: pytest.CaptureFixture[str]
) -> None:
    there, elsewhere = (f"2001:db8:{uuid.uuid4().hex[:4]}:1" for _ in range(2))
    person = hired(town.slug)
    for number in range(guesses.WRONG_MAX):
        assert _from(f"{there}::{number:x}", f"nobody{number}-{town.slug}@primer.example", "Leto-2026-leto") == 401
    assert capsys.readouterr().out.count("passwords_guessed") == 1
    assert _from(f"{there}::f", person.mail, PASSWORD) == 429, "the right one is not looked at either"
    assert _from(f"{elsewhere}::f", person.mail, PASSWORD) == 303
    town.now += guesses.WINDOW_SECONDS
    assert _from(f"{there}::f", person.mail, PASSWORD) == 303


@pytest.mark.shows("A16", "A17")
def test_whoever_has_the_password_gets_no_more_guesses_at_the_code(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Giving the right password again does not begin the count of wrong codes anew."""
    person, asked = hired(town.slug), Asked(staff_pool.TOTP, "session")
    monkeypatch.setattr(staff_pool, "enter", lambda mail, password, deadline: asked)

    def wrong(*args: object) -> None:
        raise staff_pool.WrongPassword("code")

    monkeypatch.setattr(staff_pool, "answer", wrong)
    guessed = 0
    for _ in range(20):
        if sign_in.sign_in(person.mail, PASSWORD, town.now) is not asked:
            break
        outcome = sign_in.answer(person.mail, asked, "000000", town.now)
        assert isinstance(outcome, sign_in.Denied)
        guessed += 1
    assert guessed == sign_in.TRIES_MAX


@pytest.mark.shows("A16", "A23")
def test_an_address_nobody_has_is_answered_just_like_a_wrong_password(town: World) -> None:
    person, nobody = hired(town.slug).mail, f"nobody-{town.slug}@primer.example"

    def asked(mail: str) -> list[tuple[int, str]]:
        tries = [Clerk().sign_in(mail, "ne-Znam-lozinku-1") for _ in range(6)]
        return [(answer.status, answer.body.replace(mail, "")) for answer in tries]

    assert asked(person) == asked(nobody)


def test_the_first_password_is_changed_before_anything_opens_and_must_be_strong(town: World) -> None:
    given = manage_staff.invite(town.town, "staff:x", f"ana-{town.slug}@x.si", Work("clerk"), town.now, soon())
    clerk, mail = Clerk(), f"ana-{town.slug}@x.si"
    asked = clerk.sign_in(mail, given)
    assert asked.status == 200 and "Izaberite svoju lozinku" in asked.text
    assert clerk.get(INBOX).status == 303
    form = _hidden(asked)
    weak = clerk.form("/console/sign-in/answer", form | {"answer": "kratka"})
    assert weak.status == 422 and "preslaba" in weak.text
    assert clerk.form("/console/sign-in/answer", form | {"answer": PASSWORD}).status == 303
    assert clerk.get(INBOX).status == 200
    assert Clerk().sign_in(mail, given).status == 401, "the first password was good once"
    assert Clerk().sign_in(mail).status == 303


def test_somebody_without_access_or_without_a_record_does_not_come_in(town: World) -> None:
    shut = hired(town.slug)
    staff.save(replace(shut, disabled=True), soon())
    assert Clerk().sign_in(shut.mail).status == 403
    stray = f"stray-{town.slug}@x.si"
    staff_pool.invite(stray, town.slug, PASSWORD, soon())
    staff_pool.set_password(stray, PASSWORD, soon(), lasting=True)
    assert Clerk().sign_in(stray).status == 403


@pytest.mark.shows("A13")
def test_the_cookie_is_a_new_one_at_every_sign_in_and_a_planted_one_opens_nothing(town: World) -> None:
    person = hired(town.slug)
    planted = f"{town.slug}.{'a' * 43}"
    clerk = Clerk({door.COOKIE: planted})
    page = clerk.sign_in(person.mail)
    first = clerk.cookies[door.COOKIE]
    assert first != planted
    cookie = page.headers["Set-Cookie"][0]
    assert cookie.startswith("__Host-") and "Secure" in cookie and "Domain" not in cookie
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert Clerk({door.COOKIE: planted}).get(INBOX).status == 303
    clerk.sign_in(person.mail)
    assert clerk.cookies[door.COOKIE] != first


@pytest.mark.shows("A13")
def test_away_from_this_machine_the_cookie_travels_encrypted_only(monkeypatch: Any) -> None:
    monkeypatch.setenv("SALTER_STAGE", "prod-like")
    from chalicelib.channels import Request
    from chalicelib.console import door

    assert "; Secure" in door.cookie("x", Request(b"", {}, {}))


@pytest.mark.shows("A13")
def test_a_sign_in_ends_after_half_an_hour_of_nothing_and_after_twelve_hours_of_work(town: World) -> None:
    clerk = seated(employed(town.slug), town.now)
    town.now += 29 * 60
    assert clerk.get("/console/stay").body == str(30 * 60)
    town.now += 29 * 60
    assert clerk.get(INBOX).status == 200
    town.now += 31 * 60
    assert clerk.get(INBOX).status == 303
    assert "ended=1" in clerk.get(INBOX).leads_to
    clerk = seated(employed(town.slug), town.now)
    for _ in range(35):
        town.now += 20 * 60
        assert clerk.get(INBOX).status == 200
    assert int(clerk.get("/console/stay").body) == 12 * HOUR - 35 * 20 * 60
    town.now += 21 * 60
    assert clerk.get(INBOX).status == 303


@pytest.mark.shows("A13")
def test_signing_out_ends_it_for_whoever_kept_the_cookie(town: World) -> None:
    person = employed(town.slug)
    clerk, elsewhere = seated(person, town.now), seated(person, town.now)
    kept = Clerk(dict(clerk.cookies))
    assert clerk.post("/console/sign-out").status == 303
    assert not clerk.cookies[door.COOKIE]
    assert kept.get(INBOX).status == 303
    assert elsewhere.get(INBOX).status == 200
    elsewhere.post("/console/sign-out/everywhere")
    assert elsewhere.get(INBOX).status == 303


def test_a_note_that_somebody_is_there_never_revives_a_sign_in_that_was_ended(town: World) -> None:
    person = employed(town.slug)
    clerk = seated(person, town.now)
    session = sessions.find(clerk.cookies[door.COOKIE], town.now, soon())
    assert session is not None
    sessions.end(session, town.now, soon())
    with pytest.raises(Exception, match="people"):
        sessions.touch(session, town.now + 300, soon())
    town.now += 300
    assert clerk.get(INBOX).status == 303


@pytest.mark.shows("A13", "A15")
def test_another_role_ends_what_was_open_under_the_old_one(town: World) -> None:
    person, admin = employed(town.slug, "head"), employed(town.slug, "admin")
    clerk = seated(person, town.now)
    boss = seated(admin, town.now)
    assert clerk.get("/console/figures").status == 200
    assert boss.post(f"/console/staff/{person.id}/work", {"role": "clerk", "name": "Ana"}).status == 303
    assert clerk.get(INBOX).status == 303
    assert record(person).role == "clerk"
    assert seated(person, town.now).get("/console/figures").status == 403


# --- tokens of the pool, with its real keys -------------------------------------------------------------------


def _token(town: World) -> tuple[str, str]:
    """An id token and an access token as the pool issues them."""
    person = hired(town.slug)
    payload = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": staff_pool._client(soon()),
        "AuthParameters": {"USERNAME": person.mail, "PASSWORD": PASSWORD},
    }
    result = staff_pool._call("InitiateAuth", payload, soon())["AuthenticationResult"]
    return result["IdToken"], result["AccessToken"]


def _written(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _read(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.mark.shows("A17")
def test_a_token_is_believed_only_whole_ours_and_in_time(town: World) -> None:
    token, access = _token(town)
    head, body, signature = token.split(".")
    claims = staff_pool.checked(token, soon())
    assert claims[staff_pool.TOWN_CLAIM] == town.slug
    other_town = _written(_read(body) | {staff_pool.TOWN_CLAIM: "somewhere-else"})
    bent = ("A" if signature[0] != "A" else "B") + signature[1:]
    forged = {
        "another claim": f"{head}.{other_town}.{signature}",
        "another signature": f"{head}.{body}.{bent}",
        "no signature": f"{head}.{body}.",
        "signed by nobody": f"{_written({'alg': 'none'})}.{body}.",
        "alg none with our key's name": f"{_written(_read(head) | {'alg': 'none'})}.{body}.{signature}",
        "a shared secret instead of a key": f"{_written(_read(head) | {'alg': 'HS256'})}.{body}.{signature}",
        "a key nobody has": f"{_written(_read(head) | {'kid': 'x'})}.{body}.{signature}",
        "the access token": access,
        "two parts": f"{head}.{body}",
        "not a token": "a.b.c",
    }
    for what, one in forged.items():
        with pytest.raises(NotTheirs):
            staff_pool.checked(one, soon())
            pytest.fail(what)
    with pytest.raises(NotTheirs, match="expired"):
        staff_pool.checked(token, Deadline(40), now=time.time() + 2 * HOUR)


def _hidden(page: Page) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.body)
    return {name: html.unescape(value) for name, value in found}
