"""A case in the hands of a public company: by a link from an e-mail, until it is done or taken back."""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.request

import pytest

from chalicelib.actions import work_outbox
from chalicelib.cases import lifecycle
from chalicelib.model import Attachment, Case, Place, Staff, Voice
from chalicelib.storage import audit, orders, outbox
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.console.clerk import ORIGIN, Clerk, Page, employed, filed, seated, soon
from tests.media import samples
from tests.world import World

NAME, PHONE = "Mira Šarić", "+381601234567"
NASTY = "<img src=x onerror=alert(1)> {{7*7}} \u202egnp.exe\u202c" + "W" * 90


@pytest.fixture
def clerk(town: World) -> tuple[Staff, Clerk]:
    person = employed(town.slug, "clerk", name="Ana A.", offices=("putevi",))
    return person, seated(person, town.now)


@pytest.fixture
def case(town: World) -> Case:
    return filed(
        town.slug,
        town.now,
        kind="problem",
        category="road",
        subject="Oštećen put",
        office="putevi",
        voice=Voice("sr"),
        fields={"description": f"Rupa, zovite me {NAME} na 060 123 45 67"},
        place=Place("Venac 3", 45.77, 19.11),
        applicant={"name": NAME, "phone": PHONE},
        attachments=(Attachment("1", "photo", 9, "checked", f"T/{town.slug}/media/y/z"),),
    )


def hand(clerk: Clerk, case: Case, **fields: str) -> Page:
    asked = {"name": "JKP Asfalt", "mail": "posao@putevi.example", "days": "7", "v": str(case.v)}
    asked |= {"share_photos": "1", "share_description": "1"} | fields
    return clerk.post(f"/console/cases/{case.reference}/company", asked, Referer=f"{ORIGIN}/console/cases/x")


def link_of(town: World, clerk: Clerk, case: Case, monkeypatch: pytest.MonkeyPatch, **fields: str) -> str:
    """The address in the e-mail."""
    written = caught(monkeypatch)
    answer = hand(clerk, case, **fields)
    assert answer.status == 303, answer.text
    (mail,) = written
    assert (mail["to"], PHONE in mail["text"], NAME in mail["text"]) == ("posao@putevi.example", False, False)
    found = re.search(rf"{ORIGIN}(/crew/\S+)", mail["text"])
    assert found
    return found[1]


def caught(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The e-mails that are owed from here on."""
    written: list[dict[str, str]] = []
    write = outbox.write

    def kept(town: str, kind: str, body: dict[str, str], *more: object, **named: object) -> object:
        if kind == "email":
            written.append(body)
        return write(town, kind, body, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "write", kept)
    return written


def presses(crew: Clerk, link: str, do: str, **fields: str) -> Page:
    mark = re.search(r'name="form" value="(\w+)"', crew.get(link).body)
    return crew.form(link, {"form": mark[1] if mark else "", "do": do, **fields}, Origin=ORIGIN)


def stored(town: World, case: Case) -> Case:
    found = CaseStore(town.slug).load_whole(case.reference, soon())
    assert found is not None
    return found


def test_a_crew_takes_a_case_asks_and_repairs_it(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(town, clerk[1], case, monkeypatch)
    assert (stored(town, case).status, stored(town, case).forwarded_to) == ("forwarded", "JKP Asfalt")
    crew = Clerk()
    page = crew.get(link)
    assert page.status == 200
    assert "Oštećen put" in page.text and "Venac 3" in page.text and "JKP Asfalt" in page.text and "Rupa" in page.text
    assert not [part for part in (NAME, "Mira", PHONE, "123 45 67") if part in page.body]
    assert "Otvoreno" in clerk[1].get(f"/console/cases/{case.reference}").text
    assert presses(crew, link, "take").leads_to.endswith("said=taken")
    assert stored(town, case).status == "in_progress"
    letters = caught(monkeypatch)
    assert presses(crew, link, "ask", text="Čiji je šaht?").leads_to.endswith("said=asked")
    after = stored(town, case)
    assert (after.history[-1].event, after.history[-1].note, after.history[-1].public) == (
        "asked",
        "Čiji je šaht?",
        False,
    )
    assert letters[0]["to"] == clerk[0].mail and "Čiji je šaht?" in letters[0]["text"]
    assert "Pitanje preduzeća : Čiji je šaht?" in clerk[1].get(f"/console/cases/{case.reference}").text
    assert presses(crew, link, "done", text="Zakrpljeno.").leads_to.endswith("said=done")
    after = stored(town, case)
    assert (after.status, after.history[-1].note, after.history[-1].public) == ("resolved", "Zakrpljeno.", False)
    assert lifecycle.CLOSED[0] == after.status and after.history[-1].by.startswith("company:")
    assert "Preuzimamo" not in crew.get(link).text
    acts, _ = audit.of_day(town.slug, dt.datetime.fromtimestamp(town.now, dt.UTC).date().isoformat(), soon())
    assert {"handed", "order_opened", "order_taken", "order_asked", "order_done"} <= {act.what for act in acts}


def test_a_photo_of_the_repair_is_checked_like_any_other_and_shown_to_both(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, crew = link_of(town, clerk[1], case, monkeypatch), Clerk()
    rung: list[str] = []
    monkeypatch.setattr(work_outbox, "ring", lambda writes, now, left: rung.extend(w.item["pk"] for w in writes))
    mark = re.search(r'name="form" value="(\w+)"', crew.get(link).body)
    assert mark
    data = samples.photo(exif=True)
    for kind, size, status in (("text/html", 9, 415), ("image/jpeg", 10**9, 413), ("image/jpeg", len(data), 200)):
        asked = crew.form(f"{link}/upload", {"form": mark[1], "type": kind, "size": str(size)}, Origin=ORIGIN)
        assert asked.status == status
    form = json.loads(asked.body)
    assert presses(crew, link, "photo", photo=form["photo"]).status == 409, "it is not there yet"
    put(form["upload"], data)
    for _ in range(2):
        assert presses(crew, link, "photo", photo=form["photo"]).leads_to.endswith("said=photo")
    assert [file.state for file in stored(town, case).attachments] == ["checked", "waiting"], "and only once"
    assert "proverava se" in crew.get(link).text
    (row,) = set(rung)
    assert work_outbox.work(row, town.now, Deadline(30))
    after = stored(town, case)
    assert [file.state for file in after.attachments] == ["checked", "checked"]
    assert "Posle popravke, 1" in crew.get(link).text
    assert "Posle popravke, 1" in clerk[1].get(f"/console/cases/{case.reference}").text
    assert crew.get(f"{link}/files/2").status == 302


def put(upload: dict[str, object], data: bytes) -> None:
    mark, fields = "----mark", upload["fields"]
    assert isinstance(fields, dict)
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = "".join([*parts, head]).encode() + data + f"\r\n--{mark}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    urllib.request.urlopen(urllib.request.Request(str(upload["url"]), body, kind), timeout=20).close()


def test_what_is_not_shared_is_not_shown(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(town, clerk[1], case, monkeypatch, share_photos="", share_description="")
    page = Clerk().get(link)
    assert "Rupa" not in page.text and "Prikaži fotografiju" not in page.text
    assert Clerk().get(f"{link}/files/1").status == 404


@pytest.mark.shows("A23")
def test_a_link_that_is_none_is_as_unknown_as_any_other(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(town, clerk[1], case, monkeypatch)
    other = filed(town.slug, town.now, kind="problem", category="road")
    compact, theirs = (one.reference.replace("-", "") for one in (case, other))
    said = set()
    for bad in (
        f"{link[:-1]}{'a' if link[-1] != 'a' else 'b'}",
        link.replace(compact, theirs),
        link.replace(town.slug, "nijedan-grad"),
        "/crew/nothing",
        f"/crew/{'x' * 4000}",
        f"/crew/{town.slug}.{compact}.{'A' * 32}",
    ):
        for answer in (
            Clerk().get(bad),
            Clerk().form(bad, {"do": "done"}, Origin=ORIGIN),
            Clerk().get(f"{bad}/files/1"),
        ):
            assert answer.status == 404
            said.add(answer.text)
    assert len(said) == 1, "and nobody is told why"
    assert stored(town, case).status == "forwarded"


def test_a_link_taken_back_or_run_out_says_so_and_does_nothing(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = link_of(town, clerk[1], case, monkeypatch)
    mark = re.search(r'name="form" value="(\w+)"', Clerk().get(first).body)
    assert mark
    (order,) = orders.of_case(town.slug, case.reference, town.now, soon())
    answer = clerk[1].post(f"/console/cases/{case.reference}/company/revoke", {"order": order.digest})
    assert answer.status == 303
    shown = Clerk().get(first)
    assert shown.status == 410 and "Ova veza više ne važi" in shown.text and "Oštećen put" not in shown.text
    for do in ("take", "done", "ask", "decline"):
        gone = Clerk().form(first, {"form": mark[1], "do": do, "text": "x"}, Origin=ORIGIN)
        assert gone.status == 410
    assert Clerk().get(f"{first}/files/1").status in (404, 410)
    assert stored(town, case).status == "forwarded"
    assert "Veza opozvana" in clerk[1].get(f"/console/cases/{case.reference}").text


def test_a_link_ends_after_the_days_that_were_named(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(town, clerk[1], case, monkeypatch, days="3")
    town.now += 3 * 86400 - 60
    assert Clerk().get(link).status == 200
    town.now += 120
    assert Clerk().get(link).status == 410


def test_a_form_that_is_not_from_the_page_does_nothing(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_of(town, clerk[1], case, monkeypatch)
    for fields in ({}, {"form": ""}, {"form": "0" * 40}):
        assert Clerk().form(link, {"do": "done", **fields}, Origin=ORIGIN).status == 403
    assert Clerk().form(link, {"do": "done"}, Origin="https://evil.example").status == 403
    assert stored(town, case).status == "forwarded"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"mail": "nema adrese"}, "Adresa e-pošte nije ispravna"),
        ({"mail": "a@b.rs\nBcc: c@d.rs"}, "Adresa e-pošte nije ispravna"),
        ({"name": " "}, "upišite njegov naziv"),
        ({"days": "4000"}, "Izaberite koliko dana"),
    ],
)
def test_an_order_that_cannot_leave_keeps_what_was_typed(
    town: World, clerk: tuple[Staff, Clerk], case: Case, fields: dict[str, str], says: str
) -> None:
    clerk[1].cookies["salter_voice"] = "sr"
    answer = hand(clerk[1], case, **fields)
    assert answer.status == 422 and says in answer.text
    assert ("JKP Asfalt" in answer.body) == ("name" not in fields)
    assert stored(town, case).status == "received"


def test_only_a_problem_is_handed_over_and_only_while_it_can_be(town: World, clerk: tuple[Staff, Clerk]) -> None:
    about_a_person = filed(town.slug, town.now, kind="document", category="birth", office="putevi")
    assert hand(clerk[1], about_a_person).status == 422
    assert "Prosledi preduzeću" not in clerk[1].get(f"/console/cases/{about_a_person.reference}").text


def test_a_case_changed_meanwhile_is_not_handed_over_and_nothing_leaves(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk[1].post(f"/console/cases/{case.reference}/note", {"public_note": "Stigao nov podatak"})
    answer = hand(clerk[1], case)
    assert answer.status == 409 and "posao@putevi.example" in answer.body
    assert orders.of_case(town.slug, case.reference, town.now, soon()) == ()


@pytest.mark.shows("A6")
def test_what_a_company_writes_is_only_read(
    town: World, clerk: tuple[Staff, Clerk], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, crew = link_of(town, clerk[1], case, monkeypatch, name=NASTY[:79]), Clerk()
    presses(crew, link, "decline", text=NASTY)
    for page in (crew.get(link), clerk[1].get(f"/console/cases/{case.reference}")):
        assert "<img src=x" not in page.body and "{{7*7}}" in page.text
    assert "Preduzeće: nije naše" in page.text
