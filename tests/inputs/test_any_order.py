"""Citizens who send anything in any order, over towns that have every kind of service between them: nobody meets a
fault, nothing that was given is lost, and there is always a next step: a question, a choice, or a person on the line.

Short in every run, long among the campaigns; and once more over Viber with everything stored and some of it repeated.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chalicelib import services
from chalicelib.cases import lifecycle
from chalicelib.dialogue import forms, handover, memory
from chalicelib.model import BOT, Conversation, Inbound, Line, Media, Message, Say, Town
from chalicelib.storage import views
from chalicelib.understanding import understand
from infra import towns
from infra.proofs import CITIZEN, Stage, town_of
from tests.viber import message
from tests.world import World

BUILT_IN = {"__init__", "consent", "message", "my_data"}
KINDS = {path.stem for path in Path(services.__file__).parent.glob("*.py")} - {
    "__init__",
    "consent",
    "message",
    "my_data",
}
CLOCKS = ("2026-03-10T10:15:00+01:00", "2026-03-29T01:59:00+01:00", "2026-05-01T23:50:00+02:00")
TEXT_CHARS_MAX = 7000
FILES = ["picture", "video", "file"]
_people = itertools.count(1)
NOBODY = {"link": None, "phone_cases": ()}


@lru_cache(maxsize=1)
def chosen() -> tuple[Town, ...]:
    """The fewest towns, two at least, that have every kind of service between them (what every town has aside)."""
    kinds = {
        slug: set(re.findall(r"kind: (\w+)", (towns.root() / slug / "services.yaml").read_text()))
        for slug in towns.slugs()
    }
    for many in range(2, len(kinds) + 1):
        for group in itertools.combinations(kinds, many):
            if set().union(*(kinds[slug] for slug in group)) >= KINDS:
                return tuple(town_of(towns.compiled(slug)) for slug in group)
    raise LookupError(f"no towns have all of {KINDS}")


PHRASES = [
    phrase
    for entry in tomllib.loads((Path(understand.__file__).parent / "phrases.toml").read_text()).values()
    for language in ("sr", "sq", "en", "de")
    for phrase in entry.get(language, ())[:4]
]
COMMANDS = ["nazad", "preskoči", "odustajem", "izmeni", "da", "ne", "gotovo", "pošalji", "meni", "operater", "kraj"]
COMMANDS += ["stop", "start", "1", "2", "9", "Hello", "Здраво"]
ANSWERS = [
    "Ana Anić",
    "Trg Republike 3",
    "15. 6. 1985.",
    "060 123 45 67",
    "1506985665057",
    "mira@example.com",
    "poštom na Trg 3, 25000 Primer",
    "Rupa na putu kod škole, već dve nedelje",
    "obriši moje podatke",
    "ne, ulica je Trg 5",
    "živim u Beču",
    "jutro",
    "hleb i mleko",
    "gori kuća, ima dima",
    "SO-7KM4-2A9 A2E4J6",
    "351-45/2026",
    "{0} %s {x} ${y}",
    "\u202eabc\u200d",
    "🚰" * 30,
    "dugo " * 60,
    " ",
    "",
]
TEXTS = st.one_of(st.sampled_from(COMMANDS), st.sampled_from(ANSWERS), st.sampled_from(PHRASES), st.text(max_size=60))
FORGED = """
form.back form.skip form.cancel form.send form.change form.resume form.restart form.keep form.done form.leave
form.follow form.new form.change.x form.x menu person language emergency language.en language.sr-cyrillic language.x
town.drugi bind.1.abcdefghijklmnopqrst share.abc case.withdraw.SO-7KM4-2A9 case.x case.. case.rate.x.9 operator.end
operator.rate..5 operator.rate.x.٣ aid.take.SO-7KM4-2A9 aid. my_data my_data.delete.yes procedures~² procedures~99 ~ .
"""
CHOICES = st.one_of(st.sampled_from(FORGED.split()), st.text(max_size=20))
MEDIA = [Media("photo", "a.jpg"), Media("photo", "b.jpg", size=5), Media("video", "v.mp4"), Media("file", "p.pdf")]
CAPTIONS = st.sampled_from(["", "", "rupa", "Trg 5", "gori!", "pasoš"])
PINS = st.sampled_from([(0.0, 0.0), (45.77, 19.11), (42.28, 18.84), (42.9, 20.87), (-33.9, 151.2), (90.0, 180.0)])
OTHERS = st.sampled_from(["sticker", "empty", "unsupported", "contact", "phone", "link", "attachment"])
SILENCES = st.sampled_from([1, 31, 12 * 60, 3 * 24 * 60, 29 * 24 * 60])


class Anything(RuleBasedStateMachine):
    """Two people in one town, by turns."""

    @initialize(town=st.integers(0, 5), clock=st.sampled_from(CLOCKS), channel=st.sampled_from(["viber", "web"]))
    def a_day_begins(self, town: int, clock: str, channel: str) -> None:
        self.scene = Stage(chosen()[town % len(chosen())], channel, clock, **NOBODY)
        self.scene.approve("volunteer:Jovan")
        self.shown: list[str] = ["menu"]
        self.last = Inbound(id="0", citizen="c")

    # --- what people do ---------------------------------------------------------------------------------------

    @rule(text=TEXTS)
    def types(self, text: str) -> None:
        self.sends(text=text)

    @rule(index=st.integers(0, 30))
    def presses_what_is_offered(self, index: int) -> None:
        offered = [choice for message in self.scene.messages for choice, _ in message.choices] or ["menu"]
        self.sends(kind="choice", choice=offered[index % len(offered)])

    @rule(index=st.integers(0, 10))
    def opens_a_service(self, index: int) -> None:
        offered = list(self.scene.town.core["services"])
        self.sends(kind="choice", choice=offered[index % len(offered)])

    @rule(text=st.sampled_from(ANSWERS))
    def answers_what_is_asked(self, text: str) -> None:
        """What the question asks for, so that forms are often filled to their end."""
        asked = self.scene.messages[-1].ask if self.scene.messages else ""
        good = {
            "date": "15. 6. 1985.",
            "phone": "060 123 45 67",
            "personal_number": "1506985665057",
            "email": "mira@example.com",
            "quantity": "2",
            "name": "Ana Anić",
            "location": "Trg Republike 3",
            "confirmation": "pošalji",
            "consent": "da",
        }
        self.sends(text=good.get(asked, text))

    @rule(index=st.integers(0, 200))
    def presses_an_old_button(self, index: int) -> None:
        self.sends(kind="choice", choice=self.shown[index % len(self.shown)])

    @rule(choice=CHOICES)
    def presses_a_forged_button(self, choice: str) -> None:
        self.sends(kind="choice", choice=choice)

    @rule(media=st.sampled_from(MEDIA), caption=CAPTIONS)
    def sends_a_photo(self, media: Media, caption: str) -> None:
        self.sends(kind="attachment", media=media, text=caption)

    @rule(place=PINS)
    def sends_a_pin(self, place: tuple[float, float]) -> None:
        self.sends(kind="location", place=place)

    @rule(kind=OTHERS, text=CAPTIONS)
    def sends_a_voice_note_a_card_a_sticker(self, kind: str, text: str) -> None:
        phone = "+381601234567" if kind in ("phone", "contact") else ""
        self.sends(kind=kind, text=text, phone=phone, choice="share.x" if kind == "contact" else "")

    @rule(index=st.integers(0, 20))
    def switches_the_language(self, index: int) -> None:
        entries = self.scene.town.core["languages"]
        entry = entries[index % len(entries)]
        self.sends(kind="choice", choice=f"language.{entry['id']}-{entry['scripts'][-1]}")

    @rule(context=st.sampled_from(["", "1.abcdefghijklmnopqrst", "x" * 400]))
    def opens_the_chat_again(self, context: str) -> None:
        self.sends(event="started", context=context)

    @rule()
    def says_the_same_again(self) -> None:
        self.hears(self.last)

    @rule(minutes=SILENCES)
    def is_silent(self, minutes: int) -> None:
        self.scene.now += 60 * minutes

    @rule(actor=st.sampled_from([CITIZEN, "neighbour", "volunteer:Jovan"]))
    def somebody_else_goes_on(self, actor: str) -> None:
        self.scene.enter(actor)

    # --- what the town does meanwhile -------------------------------------------------------------------------

    @precondition(lambda self: self.scene.chat is not None)
    @rule()
    def staff_close_the_chat(self) -> None:
        self.scene.chat = None

    @precondition(lambda self: self.scene.cases)
    @rule(index=st.integers(0, 9), status=st.sampled_from(lifecycle.STATUSES))
    def staff_move_a_case(self, index: int, status: str) -> None:
        case = self.scene.cases[index % len(self.scene.cases)]
        event = lifecycle.Event(int(self.scene.now), "staff:x", status=status, note="Razlog.")
        try:
            moved = lifecycle.change(case, event)
        except lifecycle.NotAllowed:
            return
        self.scene.cases = [moved if each.reference == case.reference else each for each in self.scene.cases]

    @rule()
    def the_town_announces_something(self) -> None:
        text = {"sr": "Sutra nema vode."}
        self.scene.announced.insert(0, {"at": int(self.scene.now), "topics": [], "text": text, "texts": text})

    @rule()
    def a_notice_arrives(self) -> None:
        scene = self.scene
        say, voice = Say(lines=(Line("menu_title"),)), scene.town.default_voice
        scene.conversation = memory.appended(scene.conversation, say, voice, BOT, scene.now, push=False)

    # --- and what must hold -------------------------------------------------------------------------------------

    def sends(self, **fields: Any) -> None:
        self.hears(Inbound(id=f"m{self.scene.turns}-{self.scene.conversation.seq}", citizen="c", **fields))

    def hears(self, inbound: Inbound) -> None:
        before, filed = self.scene.conversation, len(self.scene.cases)
        messages = self.scene.say(inbound)
        self.last = inbound
        self.shown += [choice for message in messages for choice, _ in message.choices]
        there_is_a_next_step(messages, self.scene.conversation.state)
        nothing_given_is_lost(
            before.state, self.scene.conversation.state, {*(counts(self.scene.conversation) - counts(before))}
        )
        assert len(self.scene.cases) <= filed + 1


def there_is_a_next_step(messages: list[Message], state: Any) -> None:
    if handover.reference(state):
        return
    assert 1 <= len(messages) <= 3
    assert messages[-1].choices or state.get(memory.ERASED), messages[-1].text
    assert all(0 < len(message.text) <= TEXT_CHARS_MAX for message in messages)
    assert not any(message.choices for message in messages[:-1])


def nothing_given_is_lost(before: Any, after: Any, happened: set[str]) -> None:
    """What stood in an open form stands there still, unless it was sent, given up, or begun anew."""
    old, new = forms.open_draft(before), forms.open_draft(after)
    if old is None or not old.answers or happened & {"form_sent", "form_followed", "form_cancelled"}:
        return
    if after.get(memory.ERASED):
        return  # as was wished, with the counters of what happened
    assert new is not None, "the form is gone"
    if new.service == old.other.get("service") or new.started != old.started:
        return  # left for another, or begun anew, as was wished
    assert new.service == old.service
    lost = {key for key, value in old.answers.items() if value is not None and new.answers.get(key) is None}
    assert not lost, f"lost: {lost}"


def counts(conversation: Conversation) -> Counter[str]:
    """How often what happened in a conversation."""
    return sum((Counter(day) for day in conversation.counts.values()), Counter())


# A story found is short enough as it is; making it shorter takes minutes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
QUICK = settings(
    max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING
)
LONG = settings(QUICK, max_examples=300, stateful_step_count=60)


@pytest.mark.shows("T4")
def test_anything_in_any_order_is_answered_and_loses_nothing() -> None:
    run_state_machine_as_test(Anything, settings=QUICK)


@pytest.mark.campaign
@pytest.mark.shows("T4")
def test_anything_in_any_order_for_long_is_answered_and_loses_nothing() -> None:
    run_state_machine_as_test(Anything, settings=LONG)


# --- over Viber, with everything stored and some of it repeated -----------------------------------------------------

SECONDS_BETWEEN = 30
REPEATED_WITHIN_SECONDS = 23 * 3600
CONTENTS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.builds(lambda choice: {"type": "text", "text": f"~1:{choice}"}, CHOICES),
    st.builds(lambda kind: {"type": kind, "media": "https://m.example/x", "text": "rupa"}, st.sampled_from(FILES)),
    st.builds(lambda place: {"type": "location", "location": {"lat": place[0], "lon": place[1]}}, PINS),
    st.sampled_from([{"type": "sticker", "sticker_id": 1}, {"type": "voice"}, {"type": "contact", "contact": {}}, {}]),
)


class Stored(RuleBasedStateMachine):
    """One person at a published town's bot. `world` is set by the test."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.citizen = f"machine-{next(_people)}"
        self.events: list[tuple[float, dict[str, Any]]] = []

    @rule(content=CONTENTS)
    def sends(self, content: dict[str, Any]) -> None:
        event = message(self.citizen, **content)
        self.events.append((self.world.now, event))
        self.calls(event)

    @rule(index=st.integers(0, 30))
    def presses(self, index: int) -> None:
        mine = [body for body in self.world.viber.sent if body["receiver"] == self.citizen and "keyboard" in body]
        bodies = [button["ActionBody"] for body in mine[-3:] for button in body["keyboard"]["Buttons"]]
        self.sends({"type": "text", "text": bodies[index % len(bodies)] if bodies else "meni"})

    @precondition(lambda self: self.events)
    @rule(back=st.integers(1, 20))
    def viber_repeats_itself(self, back: int) -> None:
        at, event = self.events[-min(back, len(self.events))]
        if self.world.now - at > REPEATED_WITHIN_SECONDS:
            return
        before, said = self.kept(), len(self.world.viber.sent)
        assert self.world.calls(event) == {}
        assert (self.kept(), len(self.world.viber.sent)) == (before, said)

    @rule(event=st.sampled_from(["conversation_started", "subscribed", "unsubscribed"]))
    def comes_or_goes(self, event: str) -> None:
        before = self.kept()
        user = {"user": {"id": self.citizen}, "user_id": self.citizen}
        self.world.calls({"event": event, "message_token": next(_people), **user})
        after = self.kept()
        assert before is None or after is not None and after.state == before.state, "the form is gone"

    @rule(minutes=SILENCES)
    def is_silent(self, minutes: int) -> None:
        self.world.now += 60 * minutes

    def calls(self, event: dict[str, Any]) -> None:
        self.world.now += SECONDS_BETWEEN
        before, said = self.kept(), len(self.world.viber.sent)
        assert self.world.calls(event) == {}
        after, sent = self.kept(), self.world.viber.sent[said:]
        assert after is not None
        dead = views.dead_rows_of(self.world.slug, self.world.account.id, self.citizen)
        assert {row.kind for row in dead} <= {"odd"}, "a bug was met"
        if not handover.reference(after.state):
            assert sent and (sent[-1]["keyboard"]["Buttons"] or after.state.get(memory.ERASED))
        if before is not None:
            nothing_given_is_lost(before.state, after.state, set(counts(after) - counts(before)))

    def kept(self) -> Conversation | None:
        return self.world.conversation(self.citizen)


def told_in_store(town: World, how: settings) -> None:
    machine = type("StoredHere", (Stored,), {"world": town})
    run_state_machine_as_test(machine, settings=how)


@pytest.mark.shows("T4", "R1", "F3")
def test_anything_over_viber_is_stored_once_answered_and_loses_nothing(town: World) -> None:
    told_in_store(town, settings(QUICK, max_examples=3, stateful_step_count=15))


@pytest.mark.campaign
@pytest.mark.shows("T4", "R1", "F3")
def test_anything_over_viber_for_long_is_stored_once_answered_and_loses_nothing(town: World) -> None:
    told_in_store(town, settings(QUICK, max_examples=40, stateful_step_count=40))
