"""The form engine with an invented form of every kind of slot, and with whatever people send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib import services
from chalicelib.dialogue import forms, memory, own_words, slots
from chalicelib.dialogue.forms import Done, Draft, Form
from chalicelib.dialogue.slots import Heard, Option
from chalicelib.model import Conversation, Facts, Line, Need, Say, Town, Voice
from chalicelib.storage import shapes
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, heard, presses, says, sends, sends_photo, sends_pin, waits
from tests.world import compiled

CLOCK = "2026-03-10T10:15:00+01:00"
PRIMER = town_of(compiled("primer"))
LABELS = "words who kind several day phone mail sealed home spot pictures amount agreed sure".split()  # noqa: SIM905


class Everything:
    """A kind of service whose form has every slot there is. `left_out` are gone in a newer version."""

    def __init__(self, *left_out: str) -> None:
        self.left_out = left_out
        self.filed: list[Mapping[str, Any]] = []

    def answer(self, town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
        return None

    def form(self, town: Town, service: str, answers: Mapping[str, Any]) -> Form:
        def named(key: str) -> dict[str, Any]:
            text = Line("raw", {"text": key})
            return {"key": key, "ask": Line("raw", {"text": f"{key}?"}), "label": text}

        options = tuple(Option(each, Line("raw", {"text": each})) for each in ("red", "green", "blue"))
        asked = (
            slots.Text(**named("words")),
            slots.Name(**named("who")),
            slots.OneOf(**named("kind"), options=options),
            slots.SomeOf(**named("several"), options=options),
            slots.Date(**named("day")),
            slots.Phone(**named("phone")),
            slots.Email(**named("mail"), optional=True),
            slots.PersonalNumber(**named("sealed")),
            slots.Address(**named("home")),
            slots.Location(**named("spot")),
            slots.Media(**named("pictures"), optional=True),
            slots.Quantity(**named("amount"), most=9),
            slots.Consent(**named("agreed")),
            slots.Confirmation(**named("sure")),
        )
        return Form(
            Line("raw", {"text": "All"}), tuple(slot for slot in asked if slot.key not in self.left_out), "words"
        )

    def opening(self, town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
        return {}

    def similar(self, town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Need | None:
        return None

    def follow(self, reference: str) -> Done:
        raise AssertionError

    def done(
        self, town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts
    ) -> Done:
        self.filed.append(answers)
        return Done((Line("raw", {"text": f"filed {facts.ids.reference}"}),))


def stage(kind: Everything | None = None) -> Stage:
    core = {**PRIMER.core, "services": {**PRIMER.core["services"], "all": {"kind": "everything"}}}
    texts = {language: {**known, "all": "All"} for language, known in PRIMER.texts.items()}
    town = replace(PRIMER, core=core, texts=texts)
    every = kind or Everything()
    return Stage(town, "web", CLOCK, lambda name: every if name == "everything" else services.kind(name))


def draft(scene: Stage) -> Draft:
    found = forms.open_draft(scene.conversation.state)
    assert found is not None, heard(scene)
    return found


GOOD = {
    "words": "Nešto treba popraviti",
    "who": "Ana Anić",
    "kind": "green",
    "several": "red, blue",
    "day": "1. maja 2026.",
    "phone": "060/123-45-67",
    "mail": "Ana@Example.com",
    "sealed": "0101990710008",
    "home": "Trg Republike 3",
    "spot": "kod škole",
    "pictures": "preskoči",
    "amount": "tri",
    "agreed": "da",
    "sure": "slažem se",
}
KEPT = {
    "who": "Ana Anić",
    "kind": "green",
    "several": ["red", "blue"],
    "day": "2026-05-01",
    "phone": "+381601234567",
    "mail": "ana@example.com",
    "sealed": {"sealed": "sealed"},
    "home": "Trg Republike 3",
    "spot": {"text": "kod škole"},
    "pictures": None,
    "amount": 3,
    "agreed": "yes",
    "sure": "yes",
}


def up_to(key: str, kind: Everything | None = None) -> Stage:
    """A form filled in order up to the question of `key`."""
    scene = stage(kind)
    presses(scene, "all")
    for name in LABELS[: LABELS.index(key)]:
        says(scene, GOOD[name])
    assert draft(scene).asked == key
    return scene


def test_every_kind_of_slot_is_asked_in_order_and_kept_as_it_should() -> None:
    every = Everything()
    scene = up_to("sure", every)
    summary = says(scene, GOOD["sure"])
    assert dict(draft(scene).answers) == {"words": GOOD["words"], **KEPT}
    assert summary.text.count("\n") >= len(LABELS)
    assert "mail: ana@example.com" in summary.text
    assert "day: 1. 5. 2026." in summary.text
    assert "several: red, blue" in summary.text
    says(scene, "pošalji")
    assert [set(answers) for answers in every.filed] == [set(LABELS) - {"pictures"}]


@pytest.mark.parametrize(
    ("key", "wrong", "reason"),
    [
        ("who", "ana", "Ana Anić"),
        ("kind", "žuto", "Izaberite jednu"),
        ("several", "žuto, plavo", "1, 3"),
        ("day", "31. 2. 2026.", "10. 3. 2026."),
        ("day", "1.1.2035", "10. 3. 2026."),
        ("phone", "12", "060 123 4567"),
        ("mail", "ana@", "ime.prezime@example.com"),
        ("sealed", "0101990710007", "13 cifara"),
        ("sealed", "3213990710008", "13 cifara"),
        ("home", "negde tamo", "Trg 3"),
        ("amount", "10", "od 1 do 9"),
        ("amount", "2 ili 3", "od 1 do 9"),
        ("agreed", "možda", "„Da“ ili „Ne“"),
        ("sure", "ne", "Bez potvrde"),
    ],
)
def test_wrong_input_is_refused_with_the_reason_and_the_third_time_a_way_out(key: str, wrong: str, reason: str) -> None:
    scene = up_to(key)
    for attempt in (1, 2, 3):
        answer = says(scene, wrong)
        assert reason in answer.text
        assert ("person" in buttons(answer)) == (attempt == 3)
        assert draft(scene).asked == key
    says(scene, GOOD[key])
    assert draft(scene).asked != key
    assert draft(scene).tries == 0


def test_a_sealed_answer_stands_nowhere_in_clear() -> None:
    scene = up_to("sure")
    says(scene, GOOD["sure"])
    assert GOOD["sealed"] not in json.dumps(scene.conversation.state)
    assert GOOD["sealed"] not in heard(scene)
    assert not any(GOOD["sealed"] in entry.text for entry in scene.conversation.log)


def test_several_can_be_chosen_by_buttons_one_after_the_other() -> None:
    scene = up_to("several")
    after = presses(scene, "all.several.red")
    assert "form.done" in buttons(after)
    assert "all.several.red" not in buttons(after)
    presses(scene, "all.several.blue", "form.done")
    assert draft(scene).answers["several"] == ["red", "blue"]


def test_a_number_typed_is_a_button_except_where_a_number_is_an_answer() -> None:
    scene = up_to("kind")
    says(scene, "2")
    assert draft(scene).answers["kind"] == "green"
    scene = up_to("amount")
    says(scene, "2")
    assert draft(scene).answers["amount"] == 2


def test_one_message_fills_several_slots() -> None:
    scene = up_to("words")
    says(scene, "Pišite na ana@example.com ili zovite 060 123 45 67, Venca Petrovića 12")
    answers = draft(scene).answers
    assert answers["mail"] == "ana@example.com"
    assert answers["phone"] == "+381601234567"
    assert answers["spot"] == {"text": "Venca Petrovića 12"}


@pytest.mark.parametrize("key", LABELS)
def test_cancel_and_back_work_at_every_step(key: str) -> None:
    scene = up_to(key)
    assert "form.cancel" in buttons(scene.messages[-1])
    says(scene, "nazad")
    before = LABELS[max(0, LABELS.index(key) - 1)]
    assert draft(scene).asked == before
    says(scene, "Одустајем")
    assert "Ништа није послато" in heard(scene)
    assert forms.open_draft(scene.conversation.state) is None


@pytest.mark.parametrize("key", [key for key in LABELS if key not in ("mail", "pictures")])
def test_only_what_is_optional_can_be_skipped(key: str) -> None:
    scene = up_to(key)
    says(scene, "preskoči")
    assert draft(scene).asked == key


@pytest.mark.parametrize("key", LABELS)
def test_a_form_survives_storage_at_every_step(key: str) -> None:
    scene = up_to(key)
    item = shapes.to_item(replace(scene.conversation, v=1), None, 2_000_000_000)
    stored = shapes.from_item({name: value for name, value in item.items() if value is not None})
    assert forms.open_draft(stored.state) == draft(scene)
    scene.conversation = stored
    says(scene, GOOD[key])
    assert key in draft(scene).answers


@pytest.mark.shows("F38")
def test_a_step_that_a_new_version_no_longer_has_leads_to_the_first_missing_answer() -> None:
    scene = up_to("day")
    every = Everything("day")
    scene.kinds = lambda name: every if name == "everything" else services.kind(name)
    says(scene, "nešto")
    assert draft(scene).asked == "phone"
    assert draft(scene).answers["who"] == "Ana Anić"


@pytest.mark.shows("F38")
def test_an_option_that_a_new_version_no_longer_has_is_asked_for_again() -> None:
    scene = up_to("day")
    state = scene.conversation.state
    gone = {**state["form"], "answers": {**state["form"]["answers"], "kind": "yellow"}}
    scene.conversation = replace(scene.conversation, state={**state, "form": gone})
    says(scene, GOOD["day"])
    assert draft(scene).asked == "kind"


@pytest.mark.shows("F38")
def test_a_service_that_is_gone_says_so_and_that_nothing_was_sent() -> None:
    scene = up_to("day")
    scene.town = PRIMER
    assert "Ništa nije poslato" in says(scene, "1. 5. 2026.").text
    assert forms.open_draft(scene.conversation.state) is None
    assert "Izaberite uslugu" in says(scene, "meni").text


@pytest.mark.shows("F39")
def test_a_draft_of_a_far_newer_shape_is_left_alone() -> None:
    assert forms.open_draft({"form": {"service": "all", "shape": forms.SHAPE + 2}}) is None
    assert forms.open_draft({"form": {"service": "all", "shape": forms.SHAPE + 1, "news": 1}}) is not None


def test_another_form_asks_before_it_takes_the_place_of_an_open_one() -> None:
    scene = up_to("day")
    offered = presses(scene, "report.category.road")
    assert {"form.leave", "form.resume"} <= buttons(offered)
    assert "All" in offered.text
    presses(scene, "form.resume")
    assert draft(scene).asked == "day"
    presses(scene, "report.category.road")
    says(scene, "da")
    assert draft(scene).service == "report"
    assert draft(scene).answers["category"] == "road"


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("NAZAD!", "back"),
        ("назад", "back"),
        ("Preskoci", "skip"),
        ("прескочи молим", "skip"),
        ("odustajem", "cancel"),
        ("hoću nazad", "back"),
        ("Kapërce", "skip"),
        ("zurück", "back"),
        ("Pošalji", "send"),
        ("po", "yes"),
        ("Yes, send it please", "send"),
        ("da, može, pošalji", "send"),
        ("sve je tačno", "yes"),
        ("u redu, tačno je", "yes"),
        ("stimmt, absenden", "send"),
        ("да пошаљи", "send"),
        ("da, ali promeni broj", None),
        ("pošalji sliku", None),
        ("rupa", None),
        ("nazad na put", None),
        ("yes send " * 500, None),
    ],
)
def test_commands_are_known_in_every_language_and_script(typed: str, command: str | None) -> None:
    assert own_words.command_in(typed) == command


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ne, ulica je Staparski put", "Staparski put"),
        ("Ulica je Staparski put", "Staparski put"),
        ("pogrešio sam, ulica je Staparski put", "Staparski put"),
        ("no, the street is Staparski put", None),
        ("nije Trg 3 nego Trg 5", "Trg 5"),
        ("ne radi lampa", None),
        ("Nema vode", None),
        ("ne", None),
    ],
)
def test_corrections_are_told_from_ordinary_words(typed: str, text: str | None) -> None:
    found = own_words.correction_in(typed, frozenset({"ulica", "adresa"}))
    assert (found.text if found and (found.noun or found.marked) else None) == text or text is None


# --- anything in any order --------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*GOOD.values(), "nazad", "preskoči", "odustajem", "izmeni", "da", "ne", "gotovo", "pošalji", "1"]),
    st.sampled_from(["meni", "operater", "Koje je radno vreme?", "gori kuća", "ne, ulica je Trg 5", "rupa na putu"]),
    st.sampled_from(["Hello", "Здраво", "treba mi krštenica", "🚰" * 30, "{0} %s {x}", "a" * 2000, "promeni who"]),
)
CHOICES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        """form.back form.skip form.cancel form.send form.change form.resume form.restart form.keep form.done form.leave
        form.follow form.new form.change.who form.change.gone menu person language emergency contacts contacts.biro all
        all.kind.red all.kind.gone all.several.red all.several.blue all.kind~2 all.gone.x report report.category.road
        report.category~2 language.en language.sr-cyrillic""".split()  # noqa: SIM905
    ),
)


class AnyOrder(RuleBasedStateMachine):
    """A citizen who sends anything at any time: always answered, always with a next step, nothing given is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = stage()
        presses(self.scene, "all")
        self.given: set[str] = set()

    def after(self, *, forgets: bool = False) -> None:
        messages = self.scene.messages
        assert 1 <= len(messages) <= 3
        assert messages[-1].choices or self.scene.conversation.state.get(
            memory.ERASED
        )  # who is forgotten may begin anew
        assert all(0 < len(message.text) <= 7000 for message in messages)
        assert all(not message.choices for message in messages[:-1])
        found = forms.open_draft(self.scene.conversation.state)
        if found is None or found.service != "all" or forgets:
            self.given = set(found.answers) if found else set()
            return
        assert self.given <= set(found.answers), "an answer was lost"
        self.given = set(found.answers)
        assert json.loads(json.dumps(found.data())) == found.data()

    @rule(text=TEXTS)
    def types(self, text: str) -> None:
        command = own_words.command_in(text) if text else None
        says(self.scene, text)
        self.after(forgets=command in ("cancel", "yes"))

    @rule(choice=CHOICES)
    def presses(self, choice: str) -> None:
        presses(self.scene, choice)
        self.after(forgets=choice in ("form.restart", "form.leave", "form.cancel", "form.send"))

    @rule(index=st.integers(0, 8))
    def presses_what_is_offered(self, index: int) -> None:
        offered = self.scene.messages[-1].choices or (("menu", ""),)
        choice = offered[index % len(offered)][0]
        self.presses(choice)

    @rule(key=st.sampled_from(LABELS))
    def answers_what_is_asked(self, key: str) -> None:
        found = forms.open_draft(self.scene.conversation.state)
        asked = found.asked if found and found.asked in GOOD else key
        says(self.scene, GOOD[asked])
        self.after(forgets=True)

    @rule(name=st.sampled_from(["a.jpg", "b.jpg"]), caption=st.sampled_from(["", "rupa", "Trg 5"]))
    def sends_a_photo(self, name: str, caption: str) -> None:
        sends_photo(self.scene, name, caption=caption)
        self.after()

    @rule(far=st.booleans())
    def sends_a_pin(self, far: bool) -> None:
        sends_pin(self.scene, *((0.0, 0.0) if far else (45.771, 19.112)))
        self.after()

    @rule(kind=st.sampled_from(["sticker", "empty", "unsupported", "contact", "phone", "attachment"]))
    def sends_anything(self, kind: str) -> None:
        sends(self.scene, kind, phone="060 123 45 67" if kind == "phone" else "")
        self.after()

    @rule(minutes=st.sampled_from([1, 31, 3000]))
    def is_silent(self, minutes: int) -> None:
        waits(self.scene, minutes)

    @rule()
    def a_new_version_leaves_a_step_out(self) -> None:
        every = Everything("day")
        self.scene.kinds = lambda name: every if name == "everything" else services.kind(name)

    @invariant()
    def the_memory_stays_small(self) -> None:
        assert len(json.dumps(dict(self.scene.conversation.state))) < 8000


AnyOrder.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyOrder = AnyOrder.TestCase


def test_the_voice_of_a_form_is_worded_in_every_language() -> None:
    scene = up_to("sure")
    says(scene, GOOD["sure"])
    say = scene.conversation.log[-1].say
    assert say is not None
    from chalicelib.dialogue import words

    for language in PRIMER.languages:
        worded = words.message(say, scene.town, Voice(language), "1", 0)
        assert "{" not in worded.text
        assert all("{" not in label for _, label in worded.choices)
