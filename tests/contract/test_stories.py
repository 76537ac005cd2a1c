"""The towns' own stories told to the running product from outside: on the web by the contract, on Viber by the
simulator; what was filed is read back by the case API. They are the proofs under `tenants/<slug>/conversations`."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from chalicelib.language.folding import fold
from infra import towns
from infra.proofs import CITIZEN, DEFAULT_CLOCK, SECONDS_BETWEEN_TURNS, VOLUNTEER, answered
from tests.contract.test_help_by_volunteers import Phone, _case
from tests.contract.test_web_chat import Chat
from tests.product import Product

pytestmark = pytest.mark.campaign
REFERENCE = re.compile(r"\b[A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{3}\b")
STORIES_MIN, STORIES_OF_A_TOWN_MIN = 40, 5
APART = ("announced",)  # what staff do before the story goes on
TOLD = ("kind", "category", "office", "status")
Heard = Sequence[Any]  # messages with `text` and `choices`, as the proofs' own


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One of its own: the stories move its clock, and nobody else's problem is near theirs."""
    running = Product(tmp_path_factory.mktemp("stories"))
    running.start()
    yield running
    running.stop()


def stories(slug: str) -> list[tuple[Path, dict[str, Any]]]:
    """Those that citizens alone can tell."""
    found = []
    for path in sorted((towns.root() / slug / "conversations").glob("*.yaml")):
        story = yaml.safe_load(path.read_text(encoding="utf-8"))
        on_web = story.get("channel", "web") == "web"
        apart = (*APART, *(("photo", "video", "file") if on_web else ()))
        if not any(
            word in turn or str(turn.get("as", "")).startswith(VOLUNTEER) for turn in story["turns"] for word in apart
        ):
            found.append((path, story))
    return found


@dataclass
class OnWeb:
    """Somebody at the town's web chat."""

    product: Product
    slug: str
    chat: Chat | None = None
    heard: Heard = ()
    case: str = ""

    def does(self, turn: Mapping[str, Any]) -> None:
        if "opens" in turn or self.chat is None:
            self.chat = Chat(self.product, self.slug, **({"language": turn["opens"]} if turn.get("opens") else {}))
            self._hears(self.chat.welcome)
        if "citizen" in turn:
            self._says(type="text", text=str(turn["citizen"]))
        elif "choose" in turn:
            self._says(type="choice", choice=_chosen(self.heard, str(turn["choose"]))[0])
        elif "location" in turn:
            latitude, longitude = turn["location"]
            self._says(type="location", latitude=latitude, longitude=longitude)

    def _says(self, **body: Any) -> None:
        assert self.chat is not None
        answer = self.chat.post(**body)
        assert answer.status == 200, answer.text
        self._hears(answer.json["messages"])

    def _hears(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self.heard = [
            SimpleNamespace(text=one["text"], choices=[(each["id"], each["label"]) for each in one["choices"]])
            for one in messages
        ]
        self.case = next((one["case"] for one in reversed(messages) if one.get("case")), self.case)


@dataclass
class OnViber:
    """Somebody with Viber, in the simulator."""

    product: Product
    slug: str
    phone: Phone = field(init=False)
    read: int = 0
    heard: Heard = ()
    case: str = ""

    def __post_init__(self) -> None:
        self.phone = Phone(self.product, self.slug, "Gost")
        self._hears()

    def does(self, turn: Mapping[str, Any]) -> None:
        if "opens" in turn:
            return
        if "citizen" in turn:
            self.phone.does("say", text=str(turn["citizen"]))
        elif "choose" in turn:
            self.phone.does("press", button=_chosen(self.heard, str(turn["choose"]))[1])
        elif "photo" in turn:
            self.phone.does("picture", text=str(turn.get("caption", "")))
        elif "location" in turn:
            self.phone.does("location", latitude=turn["location"][0], longitude=turn["location"][1])
        else:
            self.phone.does("video" if "video" in turn else "file")
        self._hears()

    def _hears(self) -> None:
        bodies = self.phone.reads()
        new, self.read = bodies[self.read :], len(bodies)
        self.heard = [SimpleNamespace(text=str(body.get("text", "")), choices=_buttons(body)) for body in new]
        named = REFERENCE.findall("\n".join(message.text for message in self.heard))
        self.case = named[-1] if named else self.case


def _buttons(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    boards = (body.get("keyboard") or {}, body.get("rich_media") or {})
    labels = [
        re.sub(r"<[^>]+>", "", str(button.get("Text", ""))) for board in boards for button in board.get("Buttons", ())
    ]
    return [(label, label) for label in labels]


def _chosen(heard: Heard, label: str) -> tuple[str, str]:
    """The button that is called so, however it is spelt."""
    offered = [pair for message in reversed(heard) for pair in message.choices]
    found = [pair for pair in offered if fold(pair[1]) == fold(label) or pair[0] == label]
    assert found, f"no choice “{label}” among {offered}"
    return found[0]


def tell(product: Product, slug: str, story: Mapping[str, Any]) -> str:
    """What is wrong with the answers; "" if nothing is."""
    now = dt.datetime.fromisoformat(str(story.get("clock", DEFAULT_CLOCK)))
    kind = OnWeb if story.get("channel", "web") == "web" else OnViber
    people: dict[str, OnWeb | OnViber] = {}
    for number, turn in enumerate(story["turns"], 1):
        now += dt.timedelta(minutes=float(turn.get("wait_minutes", 0)))
        product.post("/local/clock", {"now": now.isoformat()})
        who = str(turn.get("as", CITIZEN))
        person = people[who] if who in people else people.setdefault(who, kind(product, slug))
        person.does(turn)
        problem = _problem(product, slug, turn, person)
        if problem:
            said = "\n".join(f"{message.text} {message.choices}" for message in person.heard)
            return f"turn {number}: {problem}\n{said}"
        now += dt.timedelta(seconds=SECONDS_BETWEEN_TURNS)
    for person in people.values():  # nobody waits for a person when the next story begins
        person.does({"citizen": "kraj"})
    return ""


def _problem(product: Product, slug: str, turn: Mapping[str, Any], person: OnWeb | OnViber) -> str:
    if turn.get("silence"):
        return "the bot should be silent" if person.heard else ""
    wanted = [turn["bot"]] if isinstance(turn.get("bot"), str) else turn.get("bot", [])
    missing = [pattern for pattern in wanted if not answered(pattern, person.heard)]
    if missing:
        return f"not said: {missing}"
    if "case" not in turn:
        return ""
    case = (
        _case(product, slug, urllib.parse.quote(person.case))
        if person.case
        else _untold(product, slug, turn["case"]["kind"])
    )
    filed = {**case.get("fields", {}), **{name: case.get(name) for name in TOLD}}
    filed |= {"photos": len(case.get("attachments", ())), "place": (case.get("place") or {}).get("text")}
    different = {name: filed.get(name) for name, value in turn["case"].items() if filed.get(name) != value}
    return f"the case has {different}" if different else ""


def _untold(product: Product, slug: str, kind: str) -> dict[str, Any]:
    """A talk has a reference that nobody is told: the newest of its kind."""
    found = product.get(f"/api/v1/{slug}/cases?kind={kind}", Authorization=f"Bearer local-key-{slug}").json["cases"]
    return dict(max(found, key=lambda case: case["created_at"], default={}))


@pytest.mark.parametrize("slug", towns.slugs())
def test_a_town_tells_its_stories_to_the_running_product(product: Product, slug: str) -> None:
    problems = {}
    for path, story in stories(slug):
        problem = tell(product, slug, story)
        if problem:
            problems[path.name] = problem
    assert problems == {}, "\n\n".join(f"{name}: {problem}" for name, problem in problems.items())


def test_there_are_forty_of_them_on_both_channels() -> None:
    told = {slug: [story.get("channel", "web") for _, story in stories(slug)] for slug in towns.slugs()}
    assert min(map(len, told.values())) >= STORIES_OF_A_TOWN_MIN
    channels = [channel for town in told.values() for channel in town]
    assert len(channels) >= STORIES_MIN and min(channels.count("web"), channels.count("viber")) >= STORIES_MIN // 4
