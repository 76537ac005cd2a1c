"""Help by volunteers on the running product: two on Viber, somebody in need on the web, staff at the command line, the
town's system at the API; the product's own clock moves the timers."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from infra import towns
from infra.local import stack
from tests.contract.test_web_chat import Chat
from tests.product import ROOT, Product

NOW = "2026-11-23T10:15:00+01:00"
_names = itertools.count(1)


@pytest.fixture(scope="module")
def slug() -> str:
    """A town in which volunteers help."""
    found = [
        each for each in towns.slugs() if "kind: assistance" in (towns.root() / each / "services.yaml").read_text()
    ]
    return found[0]


@pytest.fixture
def clock(product: Product) -> Iterator[None]:
    product.post("/local/clock", {"now": NOW})
    yield
    product.post("/local/clock", {"now": None})


class Phone:
    """Somebody with Viber, in the simulator."""

    def __init__(self, product: Product, slug: str, name: str) -> None:
        self.key = f"{name}-{next(_names)}"
        self.url = f"{_simulator(product)}/{slug}"
        self._post("citizens", {"key": self.key, "name": name, "language": "sr"})
        self.does("open")

    def does(self, verb: str, **told: Any) -> None:
        self._post(f"citizens/{self.key}/{verb}", told)

    def says(self, *texts: str) -> None:
        for text in texts:
            self.does("say", text=text)

    def reads(self) -> list[dict[str, Any]]:
        """What the bot has sent here, oldest first."""
        with urllib.request.urlopen(f"{self.url}/state") as answer:
            citizens = json.loads(answer.read())["citizens"]
        thread = next(one["thread"] for one in citizens if one["key"] == self.key)
        return [line["body"] for line in thread if not line["mine"]]

    def texts(self) -> str:
        return "\n".join(str(body.get("text", "")) for body in self.reads())

    def _post(self, path: str, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        request = urllib.request.Request(f"{self.url}/{path}", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


def _simulator(product: Product) -> str:
    running = stack.read(product.run)
    assert running is not None
    return str(running.simulator)


def _signs_up(product: Product, slug: str, phone: Phone, name: str) -> str:
    """A sign-up on Viber, approved on the command line; its reference."""
    phone.says("hoću da volontiram", f"{name} Petrović", name, "063123456", "preskoči", "preskoči")
    phone.says("da", "da", "pošalji")
    found = re.search(r"[A-Z]{2}-\w{4}-\w{3}", phone.texts())
    assert found, phone.texts()
    approved = _salter(product, "staff", "volunteer", "approve", slug, found[0])
    assert (approved.returncode, f"{name} is approved" in approved.stdout) == (0, True), approved.stderr
    return found[0]


def _salter(product: Product, *arguments: str) -> subprocess.CompletedProcess[str]:
    ours = ("AWS_", "SALTER_", "VIBER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment["DATA"] = str(product.data)
    command = [sys.executable, "-m", "infra.cli", *arguments, "--stage", "local"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _case(product: Product, slug: str, reference: str) -> dict[str, Any]:
    key = {"Authorization": f"Bearer local-key-{slug}"}
    return dict(product.get(f"/api/v1/{slug}/cases/{reference}", **key).json)


def test_a_request_goes_from_the_web_to_volunteers_on_viber_and_back(product: Product, slug: str, clock: None) -> None:
    jelena, marko = Phone(product, slug, "Jelena"), Phone(product, slug, "Marko")
    signed_up = _signs_up(product, slug, jelena, "Jelena")
    _signs_up(product, slug, marko, "Marko")
    assert "je odobrena" in jelena.texts()

    person = Chat(product, slug)
    for text in ("treba mi hrana", "2 vekne hleba i mleko", "za mene", "danas", "Kralja Petra 12, stan 5", "Mira Anić"):
        person.post(text=text)
    person.post(text="063 765 432")
    person.post(text="da")
    receipt = person.post(text="pošalji").json["messages"][-1]
    reference = receipt["case"]
    assert "slobodno vreme" in receipt["text"] and "194" in receipt["text"]
    product.post("/local/tick")

    for phone in (jelena, marko):
        card = phone.reads()[-1]
        assert "2 vekne hleba" in card["text"]
        assert not any(secret in card["text"] for secret in ("Mira", "Kralja", "stan 5", "765"))
    jelena.does("press", button="Preuzimam")
    marko.does("press", button="Preuzimam")
    assert "Kralja Petra 12, stan 5" in jelena.texts() and "+381637654" in jelena.texts()
    assert "je već preuzet" in marko.texts() and "Kralja" not in marko.texts()
    assert "preuzima: Jelena" in person.get().json["messages"][-1]["text"]
    case = _case(product, slug, reference)
    assert (case["status"], case["assignee"]) == (
        "in_progress",
        {"kind": "volunteer", "id": signed_up, "name": "Jelena"},
    )

    product.post("/local/clock", {"now": "2026-11-23T19:05:00+01:00"})
    product.post("/local/tick")
    assert "Podsećamo" in jelena.reads()[-1]["text"]
    product.post("/local/clock", {"now": "2026-11-23T20:01:00+01:00"})
    product.post("/local/tick")
    assert "je isteklo" in jelena.reads()[-1]["text"]
    assert "assignee" not in _case(product, slug, reference)
    assert "ponovo pitamo" in person.get().json["messages"][-1]["text"].lower()

    marko.says("preuzimam", "gotovo")
    assert person.post(text="da").json["messages"][-1]["text"].startswith("Hvala na potvrdi")
    assert "Potvrđeno" in marko.reads()[-1]["text"]
    case = _case(product, slug, reference)
    assert (case["status"], case["assignee"]["name"]) == ("resolved", "Marko")
    assert [entry["event"] for entry in case["history"]] == [
        "opened", "assigned", "released", "assigned", "done", "confirmed"
    ]  # fmt: skip
