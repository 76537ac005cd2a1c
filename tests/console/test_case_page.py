"""The page of one case: what staff read of it, what they may do with it, and what is on record afterwards."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from chalicelib.actions import known_case
from chalicelib.console.routes import PAGES
from chalicelib.model import Attachment, Case, Follower, Place, Staff, Voice
from chalicelib.storage import audit, consents, keys, sealing
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import transact
from chalicelib.storage.near import item as near_item
from tests.console.clerk import Clerk, Page, employed, filed, seated, soon
from tests.meter import Meter
from tests.viber import message
from tests.world import World

ZONE = ZoneInfo("Europe/Belgrade")
OVERRIDE = "\u202egnp.exe\u202c"
NASTY = (
    f"<img src=x onerror=alert(1)> {{{{7*7}}}} {{citizen}} {OVERRIDE} </textarea><script>alert(2)</script> " + "W" * 90
)


@pytest.fixture
def head(town: World) -> tuple[Staff, Clerk]:
    person = employed(town.slug, "head", name="Vera Vuk")
    return person, seated(person, town.now)


def page_of(clerk: Clerk, case: Case) -> Page:
    clerk.cookies["salter_voice"] = clerk.cookies.get("salter_voice", "sr")
    return clerk.get(f"/console/cases/{case.reference}")


def stored(town: World, case: Case) -> Case:
    found = CaseStore(town.slug).load_whole(case.reference, soon())
    assert found is not None
    return found


def problem(town: World, **more: object) -> Case:
    settings = {
        "kind": "problem",
        "category": "road",
        "subject": "Oštećen put",
        "office": "putevi",
        "channel": "viber",
        "voice": Voice("sr"),
        "fields": {"description": "Rupa kod škole"},
        "place": Place("Venac 3", 45.77, 19.11),
        "due_at": int(town.now) + 5 * 86400,
    }
    return filed(town.slug, town.now, **(settings | more))


def does(clerk: Clerk, case: Case, verb: str, **fields: str) -> Page:
    return clerk.post(f"/console/cases/{case.reference}/{verb}", fields)


# --- read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voice", "words"),
    [
        (
            "sr",
            [
                "Za koga",
                "Za drugu osobu",
                "Obrazac",
                "Domaći obrazac",
                "Preuzimanje",
                "Na šalteru",
                "Izjava o pravu",
                "Da",
            ],
        ),
        ("sr-cyrillic", ["За кога", "За другу особу", "Образац", "На шалтеру"]),
        ("en", ["For whom", "For another person", "Form", "At the counter"]),
        ("sq", ["Për një person tjetër"]),
    ],
)
def test_answers_are_read_in_the_readers_language_by_their_titles(
    town: World, head: tuple[Staff, Clerk], voice: str, words: list[str]
) -> None:
    fields = {
        "whom": "other",
        "ground": "parent",
        "form": "domestic",
        "delivery": "counter",
        "copies": 2,
        "birth_date": "1975-03-12",
    }
    fields |= {"holder": "Ana Anić", "statement": "doc_statement.1"}
    case = filed(town.slug, town.now, kind="document", category="birth", subject="Izvod", fields=fields)
    head[1].cookies["salter_voice"] = voice
    shown = page_of(head[1], case).text
    assert [word for word in words if word not in shown] == []
    assert "Ana Anić" in shown, "what a citizen typed stays as it was typed"
    assert "domestic" not in shown and "doc_" not in shown


def test_a_problems_own_question_and_kind_are_shown_by_their_titles(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town, category="sewage", fields={"description": "Poklopac", "sewage_since": "longer"})
    shown = page_of(head[1], case).text
    assert "Traje Duže" in shown
    assert "sewage_since" not in shown


def test_answers_of_a_form_that_changed_are_still_all_there(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town, category="no_more", fields={"description": "Rupa", "old_question": "nekad", "since": ["x"]})
    shown = page_of(head[1], case).text
    assert "Rupa" in shown and "nekad" in shown


def test_words_of_the_citizen_carry_their_language(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town, voice=Voice("sr", "cyrillic"), fields={"description": "Рупа код школе"})
    assert re.search(r'<blockquote[^>]* lang="sr-Cyrl"[^>]*>Рупа код школе<', page_of(head[1], case).body)


@pytest.mark.parametrize(
    ("state", "words"), [("waiting", "proverava se"), ("refused", "nije prihvaćena"), ("failed", "nije stigla")]
)
def test_what_cannot_be_shown_is_said_in_words(town: World, head: tuple[Staff, Clerk], state: str, words: str) -> None:
    case = problem(town, attachments=(Attachment("1", "photo", 9, state, "T/x/media/y/z"),))
    page = page_of(head[1], case)
    assert f"Fotografija 1: {words}" in page.text
    assert "X-Amz-Signature" not in page.body
    assert head[1].get(f"/console/cases/{case.reference}/files/1").status == 404


def test_checked_media_open_by_links_of_some_minutes_and_from_the_bucket_alone(
    town: World, head: tuple[Staff, Clerk]
) -> None:
    kinds = ("photo", "video", "file")
    files = tuple(
        Attachment(str(number), kind, 9, "checked", f"T/{town.slug}/media/y/{kind}")
        for number, kind in enumerate(kinds, 1)
    )
    case = problem(town, attachments=files)
    page = page_of(head[1], case)
    assert page.body.count("X-Amz-Signature") == 1, "of the little picture; the rest is asked for when it is opened"
    for number, kind in enumerate(kinds, 1):
        answer = head[1].get(f"/console/cases/{case.reference}/files/{number}")
        assert answer.status == 302
        assert f"/media/y/{kind}?" in answer.leads_to and "X-Amz-Expires=300" in answer.leads_to
        assert ("response-content-disposition=attachment" in answer.leads_to) == (kind == "file")
        origin = "/".join(answer.leads_to.split("/")[:3])
    policy = page.headers["Content-Security-Policy"]
    assert f"img-src 'self' data: 'self' {origin};" in policy
    assert f"media-src 'self' {origin};" in policy
    assert head[1].get(f"/console/cases/{case.reference}/files/4").status == 404


def test_a_map_is_drawn_only_where_the_town_named_its_tiles(town: World, head: tuple[Staff, Clerk]) -> None:
    page = page_of(head[1], problem(town))
    assert "leaflet" not in page.body and "openstreetmap.org/?mlat=45.77&amp;mlon=19.11" in page.body
    tiles = {"url": "https://tiles.example/{z}/{x}/{y}.png", "attribution": "© Karte"}
    town.town.core["map_tiles"] = tiles  # type: ignore[index]
    page = page_of(head[1], problem(town))
    assert "leaflet" in page.body and 'data-tiles="https://tiles.example/{z}/{x}/{y}.png"' in page.body
    assert "https://tiles.example;" in page.headers["Content-Security-Policy"].replace(" media-src", "; media-src")


def test_similar_problems_nearby_are_linked_and_others_are_not(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town)
    close = problem(town, place=Place("", 45.7705, 19.1105))
    far = problem(town, place=Place("", 45.80, 19.20))
    for one in (case, close, far):
        written = near_item(one, int(town.now))
        assert written is not None
        transact([written], soon())
    shown = page_of(head[1], case)
    assert f"cases/{close.reference}" in shown.body and far.reference not in shown.body
    assert re.search(r"na \d+ m", shown.text)


@pytest.mark.shows("A6")
def test_whatever_a_citizen_writes_is_only_read(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(
        town,
        number=f"501/{NASTY[:30]}",
        fields={"description": NASTY, "unknown": NASTY},
        place=Place(NASTY, 45.77, 19.11),
        applicant={"name": NASTY, "phone": "+381601234567"},
        official=NASTY[:60],
        awaiting_institution=NASTY[:60],
    )
    does(head[1], case, "note", public_note=NASTY)
    for path in ("", "/print"):
        page = head[1].get(f"/console/cases/{case.reference}{path}")
        assert "<img src=x" not in page.body and "<script>alert" not in page.body
        assert "{{7*7}}" in page.text and "{citizen}" in page.text
        assert not re.search(r"\son\w+=|style=", re.sub(r"onerror=alert\(1\)&gt;", "", page.body))


# --- done -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["rejected", "dismissed", "discontinued"])
def test_nothing_is_refused_without_a_reason(town: World, head: tuple[Staff, Clerk], status: str) -> None:
    case = problem(town)
    answer = does(head[1], case, "change", status=status, v=str(case.v))
    assert answer.status == 422 and "Upišite razlog" in answer.text
    assert stored(town, case).status == "received"
    assert does(head[1], case, "change", status=status, v=str(case.v), public_note="Nije uredno.").status == 303
    assert stored(town, case).history[-1].note == "Nije uredno."


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"competent": "mup"}, "Policijska uprava"), ({"competent_typed": "Putevi Srbije"}, "Putevi Srbije")],
)
def test_not_our_competence_says_where_to_go_in_the_citizens_script(
    town: World, head: tuple[Staff, Clerk], fields: dict[str, str], named: str
) -> None:
    case = problem(town, voice=Voice("sr", "cyrillic"))
    assert "Navedite ko je nadležan" in does(head[1], case, "change", status="elsewhere", v=str(case.v)).text
    answer = does(head[1], case, "change", status="elsewhere", public_note="Hvala.", v=str(case.v), **fields)
    assert answer.status == 303
    after = stored(town, case)
    assert after.status == "dismissed"
    assert after.history[-1].public and after.history[-1].note.startswith("Ово није у нашој надлежности. Надлежно је:")
    assert after.history[-1].note.endswith("Hvala.")
    if "competent_typed" in fields:
        assert named in after.history[-1].note


def test_a_closed_case_is_reopened(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town)
    does(head[1], case, "change", status="resolved", v=str(case.v))
    closed = stored(town, case)
    assert "Ponovo otvori" in page_of(head[1], closed).text
    does(head[1], closed, "change", status="reopened", v=str(closed.v))
    assert stored(town, case).status == "received"


def test_a_request_found_complete_is_so_once(town: World, head: tuple[Staff, Clerk]) -> None:
    case = filed(town.slug, town.now, kind="document", category="birth", subject="Izvod")
    assert "Zahtev je potpun" in page_of(head[1], case).text
    assert does(head[1], case, "complete").status == 303
    after = stored(town, case)
    assert after.history[-1].event == "validated"
    assert does(head[1], after, "complete").status == 422
    assert len(stored(town, case).history) == len(after.history)


def test_the_head_gives_a_case_to_a_colleague_and_only_to_one_whose_business_it_is(
    town: World, head: tuple[Staff, Clerk]
) -> None:
    ana = employed(town.slug, "clerk", name="Ana A.", offices=("putevi",))
    other = employed(town.slug, "clerk", name="Oto O.", offices=("voda",))
    case = problem(town)
    shown = page_of(head[1], case).text
    assert "Ana A." in shown and "Oto O." not in shown
    assert does(head[1], case, "assign", to=other.id).status == 422
    assert does(head[1], case, "assign", to=ana.id).status == 303
    assert stored(town, case).assignee == ("staff", ana.id, "Ana A.")
    assert does(seated(ana, town.now), case, "assign", to=ana.id).status == 403


def test_the_head_moves_a_deadline_with_a_reason(town: World, head: tuple[Staff, Clerk]) -> None:
    case = problem(town)
    to = dt.datetime.fromtimestamp(town.now, ZONE) + dt.timedelta(days=9)
    due = f"{to:%Y-%m-%dT%H:%M}"
    past = f"{to - dt.timedelta(days=20):%Y-%m-%dT%H:%M}"
    for fields in ({"due": due}, {"due": past, "reason": "x"}, {"due": "sutra", "reason": "x"}):
        answer = does(head[1], case, "deadline", v=str(case.v), **fields)
        assert answer.status == 422 and stored(town, case).due_at == case.due_at
    answer = does(head[1], case, "deadline", due=due, reason="Čeka se asfalt.", v=str(case.v + 5))
    assert answer.status == 409 and "Čeka se asfalt." in answer.body and due in answer.body
    assert does(head[1], case, "deadline", due=due, reason="Čeka se asfalt.", v=str(case.v)).status == 303
    after = stored(town, case)
    assert abs(after.due_at - to.timestamp()) < 60
    assert (after.history[-1].event, after.history[-1].note, after.history[-1].public) == (
        "deadline",
        "Čeka se asfalt.",
        False,
    )
    assert "Rok promenjen : Čeka se asfalt." in page_of(head[1], after).text


@pytest.mark.shows("F34", "R12")
def test_a_colleagues_change_in_between_keeps_what_was_typed_in_either_form(
    town: World, head: tuple[Staff, Clerk]
) -> None:
    ana = employed(town.slug, "clerk", name="Ana A.")
    for fields in ({"status": "in_progress"}, {"status": "elsewhere", "competent_typed": "Putevi Srbije"}):
        case = problem(town)
        does(seated(ana, town.now), case, "change", status="stayed", v=str(case.v))
        answer = does(head[1], case, "change", public_note="Moj dugi tekst.", v=str(case.v), **fields)
        assert answer.status == 409
        assert "Moj dugi tekst." in answer.body and "Ana A." in answer.text
        assert fields.get("competent_typed", "") in answer.body
        assert stored(town, case).status == "stayed"


@pytest.mark.shows("A26")
def test_a_sealed_answer_is_shown_only_after_it_is_on_record(town: World, head: tuple[Staff, Clerk]) -> None:
    case = filed(town.slug, town.now, kind="document", category="birth", subject="Izvod")
    sealed = sealing.seal(town.slug, keys.case(town.slug, case.reference), "personal_number", "1203975656006", soon())
    case = CaseStore(town.slug).save(replace(case, sealed={"personal_number": sealed}), soon())
    page = page_of(head[1], case)
    assert "JMBG" in page.text and "1203975656006" not in page.body
    assert does(head[1], case, "unmask", what="personal_number").body == "1203975656006"
    acts, _ = audit.of_day(town.slug, dt.datetime.fromtimestamp(town.now, dt.UTC).date().isoformat(), soon())
    assert [(act.by, act.detail.get("slot")) for act in acts if act.what == "unmasked"] == [
        (head[0].by, "personal_number")
    ]


@pytest.fixture
def on_viber(town: World) -> Case:
    """A problem whose citizen writes on Viber and agreed to notices."""
    citizen = "Y2l0aXplbg=="
    town.calls(message(citizen, "dobar dan"))
    owner = Follower(town.account.id, citizen)
    agreed = consents.Consent(consents.CASES, True, int(town.now), "viber", "citizen", "consent_ask.1")
    consents.record(town.slug, keys.person(owner.account, owner.citizen), agreed, soon())
    return problem(town, owner=owner, followers=(owner,), consent=True)


def test_a_person_is_blocked_and_unblocked_from_their_case(
    town: World, head: tuple[Staff, Clerk], on_viber: Case
) -> None:
    assert "Blokiraj osobu" in page_of(head[1], on_viber).text
    assert does(head[1], on_viber, "block").status == 303
    assert "Ova osoba je blokirana." in page_of(head[1], on_viber).text
    assert does(head[1], on_viber, "unblock").status == 303
    assert "Ova osoba je blokirana." not in page_of(head[1], on_viber).text


def test_the_price_of_a_notice_depends_on_the_open_session(
    town: World, head: tuple[Staff, Clerk], on_viber: Case
) -> None:
    shown = does(head[1], on_viber, "preview", status="in_progress").text
    assert "1 na Viberu besplatno: razgovor je otvoren do" in shown
    town.now += 2 * 86400
    clerk = seated(head[0], town.now)
    clerk.cookies["salter_voice"] = "sr"
    shown = does(clerk, on_viber, "preview", status="in_progress").text
    assert "1 na Viberu se plaća" in shown
    assert "Odlazi kad na predmetu 2 minuta nema nove izmene" in shown
    town.town.core["viber"].update(price={"amount": 0.015, "currency": "EUR"})
    assert "Cena poruke: 0.015 EUR." in does(clerk, on_viber, "preview", status="in_progress").text
    town.town.core["viber"].update(notices="in_session")
    assert "čeka da građanin prvi piše" in does(clerk, on_viber, "preview", status="in_progress").text


def test_what_became_of_a_notice_stands_in_the_history(town: World, head: tuple[Staff, Clerk], on_viber: Case) -> None:
    does(head[1], on_viber, "change", status="in_progress", v=str(on_viber.v))
    assert "Obaveštenje : Viber: poslato" in page_of(head[1], stored(town, on_viber)).text


def test_every_page_about_a_case_is_a_page_of_the_table(town: World) -> None:
    about = [page for page in PAGES if page.path.startswith("/console/cases/")]
    assert {page.permission for page in about} == {"cases", "steer"}


def test_a_page_that_stays_open_hears_who_else_opened_it_took_it_or_changed_it(
    town: World, head: tuple[Staff, Clerk], meter: Meter
) -> None:
    case = problem(town)
    person = employed(town.slug, "head", name="Boban")
    boban, page = seated(person, town.now), head[1].get(f"/console/cases/{case.reference}")

    def asks(page: Page) -> Page:
        found = re.search(r'id="standing"[^>]* hx-get="[./]*(console/cases/[^"]+)"', page.body)
        assert found
        return head[1].get("/" + found[1].replace("&amp;", "&"))

    meter.reset()
    assert asks(page).status == 204
    assert meter.operations == ["dynamodb.GetItem"] * 2 + ["dynamodb.Query"], "the sign-in, the case, who looks"
    assert boban.get(f"/console/cases/{case.reference}").status == 200
    opened = asks(page)
    assert "Boban ga takođe ima otvorenog" in opened.text
    assert asks(opened).status == 204
    boban.post(f"/console/cases/{case.reference}/claim")
    taken = asks(opened)
    assert "Predmet vodi Boban" in taken.text
    assert "u međuvremenu izmenjen" in taken.text
    town.now += known_case.LOOKING_SECONDS + 1
    assert "takođe ima otvorenog" not in asks(taken).text
