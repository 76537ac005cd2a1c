"""The page and the handles behind it, as a browser or a test in another process uses them."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.simulator import Citizen, Simulator
from infra.local.simulator.rules import cards_of, rows_needed
from infra.local.simulator.towns import read_bots
from tests.simulator.bot import ACCOUNT, Answer, Bot, Call, request, text_to

ROOT = Path(__file__).resolve().parents[2]
TOWN = """
name: {sr: {plain: Grad Proba}, en: {plain: Proba}}
languages: [{id: sr, scripts: [latin, cyrillic]}, {id: en}]
channels: {viber: {account: zajednicki}}
look: {colour: "#176b3a"}
centre: {latitude: 45.5, longitude: 19.5}
"""


def told(viber: Simulator, path: str, **what: Any) -> Answer:
    return request(f"{viber.url}{path}", json.dumps(what).encode())


def state(viber: Simulator, account: str = ACCOUNT) -> dict[str, Any]:
    return request(f"{viber.url}/{account}/state").json


def test_a_person_can_be_made_and_can_act_over_http(viber: Simulator, bot: Bot) -> None:
    made = told(viber, f"/{ACCOUNT}/citizens", key="z", name="Zora", language="sq", country="XK", api_version="4")
    assert (made.json["name"], made.json["api_version"]) == ("Zora", 4)
    done = told(viber, f"/{ACCOUNT}/citizens/z/say", text="përshëndetje").json["callback"]
    assert (done["state"], done["tries"][0]["status"]) == ("delivered", 200)
    assert isinstance(done["message_token"], str)
    assert bot.events()[0]["sender"]["language"] == "sq"


@pytest.mark.parametrize(
    ("path", "what", "code"),
    [
        (f"/{ACCOUNT}/citizens/nobody/say", {"text": "a"}, 404),
        (f"/{ACCOUNT}/citizens/a/dance", {}, 404),
        (f"/{ACCOUNT}/citizens/a/press", {"button": "Nema ga"}, 404),
        (f"/{ACCOUNT}/citizens/a/press", {}, 400),
        ("/control", {"fault": {"kind": "tired"}}, 400),
        ("/control", {"mode": "slow"}, 400),
        ("/unknown/citizens", {}, 404),
    ],
)
def test_a_wrong_handle_is_refused_with_a_reason(path: str, what: dict[str, Any], code: int, viber: Simulator) -> None:
    viber.citizen(ACCOUNT, "a")
    answer = told(viber, path, **what)
    assert answer.code == code and answer.json["error"]["message"]


def test_the_four_modes_are_set_and_told(viber: Simulator, mira: Citizen, bot: Bot, call: Call) -> None:
    told(viber, "/control", account=ACCOUNT, mode="fails")
    assert call("send_message", text_to(mira.id)).code == 500
    told(viber, "/control", account=ACCOUNT, mode="twice")
    assert call("send_message", text_to(mira.id)).status == 0
    mira.says("rupa")
    assert len(bot.heard) == 2
    for mode in ("slow", "normal"):
        assert told(viber, "/control", account=ACCOUNT, mode=mode).json["mode"] == mode
    told(viber, "/control", account=ACCOUNT, fault={"kind": "status", "code": 12, "calls": 2})
    assert state(viber)["mode"] == "custom"
    assert told(viber, "/control", clear=True).json == {"faults": []}


def test_the_ledger_and_the_callbacks_are_told_over_http(viber: Simulator, mira: Citizen, call: Call) -> None:
    call("send_message", text_to(mira.id, text=""))
    call("send_message", text_to(mira.id))
    entries = request(f"{viber.url}/ledger?account={ACCOUNT}&method=send_message").json["entries"]
    assert [(entry["accepted"], entry["status"]) for entry in entries] == [(False, 3), (True, 0)]
    assert entries[0]["problems"][0]["says"] and entries[1]["body"]["text"] == "Dobar dan"
    assert request(f"{viber.url}/ledger?after=1").json["entries"] == entries[1:]
    mira.says("hvala")
    [callback] = request(f"{viber.url}/callbacks?account={ACCOUNT}").json["callbacks"]
    assert callback["event"] == "message" and callback["tries"][0]["status"] == 200


def test_the_page_has_no_inline_script_or_style_and_finds_all_its_files(viber: Simulator) -> None:
    page = request(f"{viber.url}/{ACCOUNT}").raw.decode()
    assert "style=" not in page and "<style" not in page and not re.search(r"<script(?![^>]* src=)", page)
    for link in re.findall(r'(?:href|src)="(/[^"]+\.(?:css|js|svg))"', page):
        assert request(viber.url + link).code == 200, link


def test_a_page_opens_with_two_people_who_are_the_same_after_a_restart(bot: Bot) -> None:
    ids = []
    for _ in range(2):
        with Simulator(bot.url) as viber:
            people = state(viber)["citizens"]
            ids.append([one["id"] for one in people])
            assert [one["script"] for one in people] == ["latin", "cyrillic"]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/pages.py", "/nothing.here", "/media/x/a.jpg"])
def test_nothing_but_its_own_files_is_served(path: str, viber: Simulator) -> None:
    assert request(viber.url + path).code == 404


def test_a_file_of_ones_own_is_sent_under_a_link_that_serves_it(viber: Simulator, mira: Citizen, bot: Bot) -> None:
    request(f"{viber.url}/{ACCOUNT}/citizens/{mira.key}/upload?name=../moja%20slika.PNG", b"\x89PNG")
    message = bot.events()[0]["message"]
    assert message["type"] == "picture" and message["media"].endswith("/moja%20slika.PNG")
    assert request(message["media"]).raw == b"\x89PNG"


def test_media_links_die_after_an_hour(bot: Bot) -> None:
    now = [1_763_722_800.0]
    with Simulator(bot.url, clock=lambda: now[0]) as viber:
        link = viber.media.sample("photo.jpg")
        assert request(link).code == 200
        now[0] += 3600
        assert request(link).code == 404


def test_towns_give_their_accounts_a_name_a_colour_and_a_place(tmp_path: Path, bot: Bot) -> None:
    for slug, config in (("jedan", TOWN), ("dva", "[not a town"), ("tri", "slug: tri")):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "tenant.yaml").write_text(config, "utf-8")
    assert [one.account for one in read_bots(tmp_path)] == ["zajednicki", "tri"]
    with Simulator(bot.url, towns=tmp_path) as viber:
        assert "Grad Proba" in request(viber.url + "/zajednicki").raw.decode()
        assert '[data-town="zajednicki"] { --town: #176b3a; }' in request(viber.url + "/look.css").raw.decode()
        assert state(viber, "zajednicki")["citizens"][0]["latitude"] == 45.5


def test_buttons_are_packed_into_rows_and_cards() -> None:
    big, half = {"Columns": 2, "Rows": 2}, {"Columns": 4, "Rows": 1}
    assert rows_needed([big, half, half, {}], 6) == 3
    cards = cards_of({"ButtonsGroupColumns": 6, "ButtonsGroupRows": 3, "Buttons": [{"Rows": 2}, {}, {"Rows": 3}, {}]})
    assert [len(card) for card in cards] == [2, 1, 1]


# --- as a process -----------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "infra.local.simulator", "--port", str(port), "--callback", "http://127.0.0.1:9"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_process_serves_and_ends_cleanly_at_sigterm() -> None:
    port = free_port()
    with start(port) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        assert request(f"http://127.0.0.1:{port}/health").json == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=5)
    assert (process.returncode, complaints) == (0, "")


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with start(taken.getsockname()[1]) as process:
            _, complaints = process.communicate(timeout=5)
    assert process.returncode == 1
    assert len(complaints.splitlines()) == 1 and "port" in complaints
