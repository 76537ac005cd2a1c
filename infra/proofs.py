"""A town's conversation proofs: plays `tenants/<slug>/conversations/*.yaml` against the compiled town, no server."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib import services
from chalicelib.cases import helping, lifecycle
from chalicelib.cases.helping import Moved, Tell
from chalicelib.dialogue import engine, memory, words
from chalicelib.language.folding import fold
from chalicelib.model import (
    BOT,
    AddToCase,
    Agree,
    AgreeToNotices,
    Case,
    ChangeCase,
    ChangeVolunteer,
    Conversation,
    Effect,
    Facts,
    FollowCase,
    Follower,
    GivenIds,
    Inbound,
    Media,
    Message,
    MoveHelp,
    Need,
    OpenCase,
    Standing,
    Subscribe,
    Talk,
    Town,
    Turn,
    Unsubscribe,
    Volunteer,
)
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.yaml_file import read as read_yaml
from infra import towns

DEFAULT_CLOCK = "2026-03-10T10:15:00+01:00"
SECONDS_BETWEEN_TURNS = 20
ACCESS_CODE = "A2E4J6"
CITIZEN = "citizen"
SAID = frozenset(("opens", "citizen", "choose", "photo", "video", "file", "location"))
STORY_WORDS = frozenset(("title", "channel", "clock", "turns"))
TURN_WORDS = SAID | frozenset(("as", "bot", "case", "silence", "announced", "wait_minutes", "caption"))
VOLUNTEER = "volunteer:"  # an actor so called is an approved volunteer of that name


@dataclass(frozen=True)
class Result:
    file: str
    title: str
    problem: str | None

    @property
    def passed(self) -> bool:
        return self.problem is None


def town_of(compiled: Mapping[str, Any]) -> Town:
    """A compiled version as the running product sees it."""
    core = compiled["core"]
    return Town(core["slug"], 1, core, compiled["texts"], compiled["sheets"], compiled["index"])


def play_town(slug: str) -> list[Result]:
    """Every proof of a town, in the order of the files' names."""
    return play_folder(towns.compiled(slug), towns.root() / slug)


def play_folder(compiled: Mapping[str, Any], folder: Path) -> list[Result]:
    """Every proof in `folder` against the version `compiled`."""
    town = town_of(compiled)
    return [play(town, path) for path in sorted((folder / "conversations").glob("*.yaml"))]


def complaints(slug: str) -> list[Complaint]:
    """What keeps proofs of a town from being played at all."""
    found: list[Complaint] = []
    for path in sorted((towns.root() / slug / "conversations").glob("*.yaml")):
        try:
            _story(path)
        except Rejected as rejected:
            found += [replace(one, file=f"tenants/{slug}/{one.file}") for one in rejected.complaints]
    return found


def _story(path: Path) -> dict[str, Any]:
    """A proof as its file tells it. Raises Rejected for one that cannot be played."""
    document = read_yaml(f"conversations/{path.name}", path.read_bytes())
    story = document.data if isinstance(document.data, dict) else {}
    problems: list[tuple[tuple[str | int, ...], str, str]] = []
    if not isinstance(story.get("title"), str):
        problems.append(((), "has no title", "say in `title` what it proves"))
    if not isinstance(story.get("turns"), list) or not story["turns"]:
        problems.append(((), "has no turns", "write `turns`, see docs/adding-a-town.md"))
        story["turns"] = []
    unknown = _unknown_words(story)
    problems += [(path, f'"{path[-1]}" means nothing here', f"use one of {known}") for path, known in unknown]
    if problems:
        raise Rejected([Complaint(document.name, document.line(path), what, how) for path, what, how in problems])
    return story


def _unknown_words(story: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a word stands that a proof does not know, and those it does know there."""
    for name in set(story) - STORY_WORDS:
        yield (name,), ", ".join(sorted(STORY_WORDS))
    for number, turn in enumerate(story["turns"]):
        for word in set(turn) - TURN_WORDS if isinstance(turn, dict) else [str(turn)]:
            yield ("turns", number, word), ", ".join(sorted(TURN_WORDS))


def play(town: Town, path: Path) -> Result:
    try:
        story = _story(path)
    except Rejected as rejected:
        return Result(path.name, "cannot be played", "; ".join(map(str, rejected.complaints)))
    stage = Stage(town, str(story.get("channel", "web")), str(story.get("clock", DEFAULT_CLOCK)))
    stage.approve(*dict.fromkeys(str(turn.get("as", "")) for turn in story["turns"]))
    for number, turn in enumerate(story["turns"], 1):
        problem = stage.play(turn)
        if problem:
            return Result(path.name, story["title"], f"turn {number}: {problem}")
    return Result(path.name, story["title"], None)


class Stage:
    """One story being played: its actors' conversations, the clock, the last answer, and what was filed so far.

    `loaded`: facts by their name in a `Need`; `near_problems` are the story's own cases where nothing else is given.
    """

    def __init__(
        self, town: Town, channel: str, clock: str, kinds: engine.Kinds = services.kind, **loaded: Any
    ) -> None:
        self.town, self.kinds, self.loaded = town, kinds, loaded
        self.channel, self.actor = channel, CITIZEN
        self.now = dt.datetime.fromisoformat(clock).timestamp()
        self.others: dict[str, tuple[Conversation, list[Message]]] = {}
        self.conversation = Conversation(f"{channel}:{town.slug}", CITIZEN, town.slug)
        self.messages: list[Message] = []
        self.turns = 0
        self.cases: list[Case] = []
        self.followed: list[str] = []
        self.agreed: dict[str, bool] = {}  # by citizen: whether notices may be sent
        self.codes: dict[str, str] = {}  # by reference
        self.standings: dict[str, Standing] = {}
        self.announced: list[dict[str, Any]] = []  # newest first
        self.chat: Case | None = None  # the one a person was last asked for in
        self.filed: Case | None = None  # by the last turn
        self.acted_on = ""  # the request for help that the last turn did something about
        self.volunteers: dict[str, Volunteer] = {}

    def play(self, turn: Mapping[str, Any]) -> str | None:
        """Play one turn; what is wrong with the answer, if anything. Who says nothing reads what came meanwhile."""
        self.enter(str(turn.get("as", CITIZEN)))
        self.now += 60 * float(turn.get("wait_minutes", 0))
        if "announced" in turn:
            self.announced.insert(0, {"at": int(self.now), "topics": [], **turn["announced"]})
        if SAID.intersection(turn):
            try:
                inbound = self._inbound(turn)
            except LookupError as missing:
                return f"no choice “{missing.args[0]}” among: {', '.join(self._labels()) or 'none'}"
            self.say(inbound)
        if turn.get("silence") and self.messages:
            return f"the bot should be silent, but says:\n{self.messages[-1].text}"
        for pattern in [turn["bot"]] if isinstance(turn.get("bot"), str) else turn.get("bot", []):
            if not answered(pattern, self.messages):
                return f"“{pattern}” is not in the answer:\n{self.messages[-1].text if self.messages else '(silence)'}"
        return self._case_problem(turn.get("case"))

    def approve(self, *actors: str) -> None:
        """Those among the actors who are volunteers: approved by staff before the story begins."""
        for actor in actors:
            if actor.startswith(VOLUNTEER):
                at, name = Follower(self.conversation.account, actor), actor.removeprefix(VOLUNTEER)
                self.volunteers[actor] = Volunteer(f"V-{name}", name, at)
                self.others[actor] = (self._fresh(actor, helping.noted({}, "", "")), [])

    def enter(self, actor: str) -> None:
        """Another person goes on with a conversation of their own."""
        if actor == self.actor:
            return
        self.others[self.actor] = (self.conversation, self.messages)
        self.conversation, self.messages = self.others.pop(actor, (self._fresh(actor, {}), []))
        self.actor = actor

    def _fresh(self, actor: str, state: Mapping[str, Any]) -> Conversation:
        return Conversation(f"{self.channel}:{self.town.slug}", actor, self.town.slug, state=state)

    def say(self, inbound: Inbound) -> list[Message]:
        """What the bot answers to `inbound`; the conversation goes on from there."""
        decided = self._decided(inbound)
        self._may_be_sent(decided.effects)
        self.acted_on = next((effect.reference for effect in decided.effects if isinstance(effect, MoveHelp)), "")
        self.filed = next((effect.case for effect in decided.effects if isinstance(effect, OpenCase)), None)
        if any(isinstance(effect, Talk) and effect.ends for effect in decided.effects):
            self.chat = None
        self.chat = self.filed if self.filed and self.filed.kind == "chat" else self.chat
        self.messages = [
            words.message(say, self.town, decided.voice, f"{self.conversation.seq + number:012d}", self.now)
            for number, say in enumerate(decided.says, 2)
        ]
        after = memory.after_turn(self.conversation, inbound, inbound.id, decided, self.now, "2026-01-01", push=False)
        self.conversation = replace(after, v=self.conversation.v + 1)
        for effect in decided.effects:
            self._happens(effect)
        self.now += SECONDS_BETWEEN_TURNS
        return self.messages

    # --- help by volunteers: everything due at once is done at once, as the product does between turns ---------------

    def _moved(self, moved: Moved) -> None:
        """The case after an act, its words in the conversations of whoever is told, and what is due at once."""
        self.cases = [moved.case if case.reference == moved.case.reference else case for case in self.cases]
        for tell in moved.tell:
            self._tell(tell, moved.case.reference)
        for later in moved.later:
            if later.at <= self.now:
                self._due(later.name, moved.case)

    def _due(self, name: str, case: Case) -> None:
        if name == "wave1":
            free = [each for each in self.volunteers.values() if helping.is_free(each, case, self.now, self._zone)]
            size, region = helping.FIRST_WAVE, str(self.town.core["country"])
            self._moved(helping.cards(case, free[:size], 1, len(free[size:]), self.now, region))
        elif name in ("taken", "over"):
            self._moved(helping.taken_told(case, helping.asked(case)))
        elif name == "unclaimed":
            moved = helping.unclaimed(case)
            if moved:
                self._moved(moved)

    def _tell(self, tell: Tell, reference: str) -> None:
        """Words that nobody's message asked for: they stand as the last messages of that conversation."""
        actor, here = tell.to.citizen, tell.to.citizen == self.actor
        conversation, messages = (self.conversation, self.messages) if here else self.others[actor]
        voice = conversation.voice or self.town.default_voice
        after = memory.appended(conversation, tell.say, voice, BOT, self.now, push=False)
        after = replace(after, state=helping.noted(after.state, reference, tell.place))
        shown = [*messages, words.message(tell.say, self.town, voice, f"{after.seq:012d}", self.now)]
        if here:
            self.conversation, self.messages = after, shown
        else:
            self.others[actor] = (after, shown)

    @property
    def case(self) -> Case | None:
        """What the last turn filed, or the request for help it did something about."""
        return self.filed or (self._case(self.acted_on) if self.acted_on else None)

    def _case(self, reference: str) -> Case:
        return next(case for case in self.cases if case.reference == reference)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.town.core["time_zone"])

    def _decided(self, inbound: Inbound) -> Turn:
        """The step, with its question to the world answered once as the product does."""
        reference = f"{self.town.core['prefix']}-7KM4-2A{len(self.cases) + 2}"
        facts = Facts(self.now, GivenIds(reference, ACCESS_CODE, f"nonce{self.turns}"))
        decided = engine.step(self.town, self.conversation, inbound, facts, self.kinds)
        if isinstance(decided, Need):
            found = {what.partition(":")[0]: self._found(*what.partition(":")[::2]) for what in decided.what}
            decided = engine.step(self.town, self.conversation, inbound, replace(facts, found=found), self.kinds)
        assert isinstance(decided, Turn)
        return decided

    def _found(self, fact: str, word: str) -> Any:
        """What the product would find: of this story's own cases and consents where nothing else is given."""
        if fact in self.loaded:
            return self.loaded[fact]
        match fact:
            case "agreed":
                return self.agreed.get(self.conversation.citizen, False)
            case "my_case":
                return self._seen(*word.partition("|")[::2])
            case "volunteer":
                return self.volunteers.get(self.actor)
            case "help":
                named = (case for case in self.cases if case.reference == word)
                return next((case for case in named if self._me in (case.owner, *helping.asked(case))), None)
            case "standing":
                return self.standings.get(self.actor, Standing())
            case "announced":
                return self.announced
            case "own_references":
                return tuple(case.reference for case in reversed(self.cases))
            case "chat_queue":
                return sum(case.kind == "chat" for case in self.cases)
            case "chat_case":
                return self.chat
            case "own_cases":
                return tuple(case for case in self.cases if case.owner == self._me)
        return [_as_near(case) for case in self.cases]

    def _seen(self, number: str, code: str) -> Case | None:
        """A case for whoever filed or follows it, or knows its code."""
        case = next((case for case in self.cases if number in (case.reference, case.number)), None)
        coded = case is not None and code and self.codes.get(case.reference) == code
        known = case is not None and (self._me in (case.owner, *case.followers) or case.reference in self.followed)
        return case if known or coded else None

    @property
    def _me(self) -> Follower:
        return Follower(self.conversation.account, self.conversation.citizen)

    def _happens(self, effect: Effect) -> None:
        """An effect as this story's own cases show it."""
        match effect:
            case OpenCase(case, code):
                self.cases.append(case)
                self.codes[case.reference] = code
                if case.kind == helping.KIND:
                    self._moved(helping.begun(case))
            case MoveHelp(reference):
                moved = helping.act(self._case(reference), effect, self._me, self.now, self._zone)
                assert moved is not None, f"{effect.act} is not possible"
                self._moved(moved)
            case ChangeVolunteer(volunteer):
                self.volunteers[self.actor] = volunteer
            case FollowCase(reference):
                self.followed.append(reference)
            case AgreeToNotices(reference, given):
                self.agreed[self.conversation.citizen] = given
                self._change(reference, lambda case: replace(case, consent=given))
            case ChangeCase(reference, name, note):
                event = lifecycle.Event(int(self.now), lifecycle.CITIZEN, name=name, note=note)
                self._change(reference, lambda case: lifecycle.change(case, event))
            case AddToCase(reference, files, place, note):
                added = partial(lifecycle.added_to, attachments=files, place=place, note=note)
                self._change(reference, lambda case: added(case, int(self.now), lifecycle.CITIZEN))

    def _change(self, reference: str, change: Callable[[Case], Case]) -> None:
        self.cases = [change(case) if case.reference == reference else case for case in self.cases]

    def _may_be_sent(self, effects: Sequence[Effect]) -> None:
        """What the actor's words changed of what may be sent to them unasked."""
        old = self.standings.get(self.actor, Standing())
        topics, consents = dict(old.subscriptions), dict(old.consents)
        for effect in effects:
            match effect:
                case Subscribe(topic, _, settlement):
                    topics[topic] = settlement
                case Unsubscribe(ended):
                    topics = {topic: place for topic, place in topics.items() if topic not in ended}
                case Agree(topic, given):
                    consents[topic] = given
                case AgreeToNotices(_, given):
                    consents["cases"] = given
        if "cases" in consents:
            self.agreed[self.conversation.citizen] = consents["cases"]
        self.standings[self.actor] = Standing(topics, consents)

    def _case_problem(self, wanted: Mapping[str, Any] | None) -> str | None:
        """What differs between the case this turn filed and the one the story promises."""
        if wanted is None:
            return None
        case = self.case
        if case is None:
            return "no case was filed"
        filed = {**case.fields, **{name: getattr(case, name) for name in ("kind", "category", "office", "status")}}
        filed |= {"photos": len(case.attachments), "place": case.place.text if case.place else None}
        filed |= {"assignee": case.assignee[2] if case.assignee else None}
        different = {name: filed.get(name) for name, value in wanted.items() if filed.get(name) != value}
        return f"the case has {different}" if different else None

    def _inbound(self, turn: Mapping[str, Any]) -> Inbound:
        self.turns += 1
        base = Inbound(id=f"proof-{self.turns}", citizen=self.actor, level=7)
        if "opens" in turn:
            return replace(base, event="started", language_hint=str(turn["opens"] or ""))
        if "choose" in turn:
            return replace(base, kind="choice", choice=self._choice(str(turn["choose"])))
        if "photo" in turn:
            caption = str(turn.get("caption", ""))
            return replace(base, kind="attachment", media=Media("photo", str(turn["photo"])), text=caption)
        for kind in ("video", "file"):
            if kind in turn:
                caption = str(turn.get("caption", ""))
                return replace(base, kind="attachment", media=Media(kind, str(turn[kind])), text=caption)
        if "location" in turn:
            latitude, longitude = turn["location"]
            return replace(base, kind="location", place=(float(latitude), float(longitude)))
        return replace(base, kind="text", text=str(turn["citizen"]))

    def _choice(self, label: str) -> str:
        for message in reversed(self.messages):
            for choice, shown in message.choices:
                if fold(shown) == fold(label) or choice == label:
                    return choice
        raise LookupError(label)

    def _labels(self) -> list[str]:
        return [shown for message in self.messages for _, shown in message.choices]


def _as_near(case: Case) -> dict[str, Any]:
    """A case as the product's look at recent problems tells of it."""
    place = case.place
    return {
        "reference": case.reference,
        "category": case.category,
        "text": place.text if place else "",
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "street_folded": case.fields.get("street_folded", ""),
        "created_at": case.created_at,
    }


def answered(pattern: str, messages: Sequence[Message]) -> bool:
    """Whether a line of an answer, or of its buttons, holds the pattern, however it is spelt."""
    labels = [shown for message in messages for _, shown in message.choices]
    heard = " ".join(fold(line) for message in messages for line in [*message.text.split("\n"), *labels])
    return re.search(_folded_pattern(pattern), heard) is not None


def _folded_pattern(pattern: str) -> str:
    """The pattern with its letters folded and its operators kept."""
    return "".join(
        part if part in "|()[].*+?^$\\" else fold(part) if part.strip() else part
        for part in re.split(r"([|()\[\].*+?^$\\])", pattern)
    )
