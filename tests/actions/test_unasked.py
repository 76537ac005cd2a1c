"""Whatever citizens do, in any order: nothing that nobody asked for is sent without a consent that is in force.

Citizens file, agree, subscribe, STOP, START, offer help, are erased, leave and come back; their cases change, deadlines
pass, announcements and calls for help go out, some of it later. The fake Viber's ledger is the judge: the moment a
message arrives there, it looks up in the table of people, by rules of its own, what its receiver had agreed to.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chalicelib.actions import announce, change_case, draw_ids, open_case, send_page
from chalicelib.actions.decide_volunteer import decide
from chalicelib.actions.minute import minute
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.model import Audience, Case, Follower
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline
from tests.neighbours import asks_for_help
from tests.shows import Measure
from tests.viber import message
from tests.world import World

NEWS = """  - id: news
    kind: news
    topics:
      - {id: water, title: {sr: Nestanak vode, en: Water cuts}, words: [voda, vode]}
      - {id: works, title: {sr: Radovi na putu, en: Road works}, words: [radovi]}
"""
NOTICE, ANNOUNCED = "vest iz opštine", "objava opštine"
CASES, ANNOUNCEMENTS = "cases", ("news.water", "news.works")
STATUSES = st.sampled_from(["in_progress", "awaiting_citizen", "stayed", "resolved", "rejected", ""])
WORDS = ["zdravo", "STOP", "START", "stop", "start", "radno vreme"]
BUTTONS = ["news.on.water.all", "consent.end_cases", "consent.start_cases", "news.off.water", "news.on.works.all"]
SILENCES = st.sampled_from([1, 20, 90, 26 * 60, 3 * 24 * 60])  # minutes
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Arrived:
    """A message as it came to Viber: to whom, what, in answer to whom just then, and what they had agreed to."""

    receiver: str
    text: str
    speaking: str
    agreed: frozenset[str]
    announced: bool = False

    @property
    def kind(self) -> str:
        """What of it nobody asked for; "" for an answer."""
        if self.announced or ANNOUNCED in self.text:
            return "announcement"
        if NOTICE in self.text or self.speaking != self.receiver:
            return "notice"
        return ""

    @property
    def is_wanted(self) -> bool:
        if self.kind == "announcement":
            return bool(self.agreed & set(ANNOUNCEMENTS))
        return not self.kind or CASES in self.agreed


class Ledger(list[Any]):
    """What Viber was sent, each entry judged as it comes in."""

    def __init__(self, world: World, seen: list[Arrived]) -> None:
        super().__init__()
        self.world, self.seen, self.speaking = world, seen, ""

    def append(self, body: Any) -> None:
        super().append(body)
        text, announced = body.get("text", ""), "broadcast_list" in body
        for receiver in body.get("broadcast_list") or [body["receiver"]]:
            agreed = agreed_to(self.world, receiver)
            self.seen.append(Arrived(receiver, text, self.speaking, agreed, announced))


def agreed_to(world: World, citizen: str) -> frozenset[str]:
    """The topics whose newest record of consent says yes."""
    asked = {
        "TableName": f"salter-{os.environ['SALTER_STAGE']}-people",
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {
            ":pk": {"S": f"T#{world.slug}#P#{keys.person(world.account.id, citizen)}"},
            ":sk": {"S": "CONSENT#"},
        },
        "ConsistentRead": True,
    }
    newest: dict[str, bool] = {}
    for item in boto3.client("dynamodb").query(**asked)["Items"]:  # by topic, the oldest first
        newest[item["sk"]["S"].split("#")[1]] = item["given"]["BOOL"]
    return frozenset(topic for topic, given in newest.items() if given)


class Unasked(RuleBasedStateMachine):
    """Three citizens of one town by turns, and the town. `world` and `ledger` are set by the test."""

    world: World
    ledger: Ledger

    @initialize()
    def a_day_begins(self) -> None:
        self.people = [f"gradjanin{next(_numbers)}" for _ in range(3)]
        self.cases: list[Case] = []
        for who in range(3):
            self.says(who, "zdravo")
            self.presses(who, BUTTONS[2 * who])

    # --- what citizens do -------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 2), text=st.sampled_from(WORDS))
    def says(self, who: int, text: str) -> None:
        self.hears(self.people[who], message(self.people[who], text))

    @rule(who=st.integers(0, 2), choice=st.sampled_from(BUTTONS))
    def presses(self, who: int, choice: str) -> None:
        self.hears(self.people[who], message(self.people[who], f"~1:{choice}"))

    @rule(who=st.integers(0, 2))
    def has_everything_deleted(self, who: int) -> None:
        for choice in ("my_data.delete", "my_data.delete.yes"):
            self.hears(self.people[who], message(self.people[who], f"~1:{choice}"))

    @rule(who=st.integers(0, 2), event=st.sampled_from(["unsubscribed", "subscribed", "conversation_started"]))
    def leaves_or_comes_back(self, who: int, event: str) -> None:
        user = {"user_id": self.people[who], "user": {"id": self.people[who], "name": "M"}}
        self.hears(self.people[who], {"event": event, "timestamp": 1, "message_token": next(_numbers), **user})

    @rule(who=st.integers(0, 2), agrees=st.booleans())
    def files_a_case(self, who: int, agrees: bool) -> None:
        self.hears(self.people[who], message(self.people[who], "zdravo"))
        self.adds("problem", who, consent=agrees)

    @rule(who=st.integers(0, 2))
    def offers_help(self, who: int) -> None:
        self.hears(self.people[who], message(self.people[who], "zdravo"))
        fields = {"called": self.people[who], "areas": ["centre"]}
        case = self.adds("volunteer", who, consent=True, fields=fields)
        decide(self.world.slug, case.reference, "approved", "platform:x", self.world.now, soon())

    def adds(self, kind: str, who: int, **more: Any) -> Case:
        world, owner = self.world, Follower(self.world.account.id, self.people[who])
        world.now += 1
        at = int(world.now)
        name = {"name": "M Ć", "phone": f"+38163{at % 10**6:06d}"}
        blank = Case(world.slug, "", kind, "received", "Pukla cev", at, at, owner=owner, applicant=name, **more)
        reference = draw_ids.new_reference(world.town)
        case = open_case.completed(world.town, blank, "citizen", world.now)
        dynamo.transact(open_case.items(open_case.replace(case, reference=reference), world.now, soon()), soon())
        self.cases.append(open_case.replace(case, reference=reference))
        self.judged()
        return case if case.reference else self.cases[-1]

    # --- what the town does -----------------------------------------------------------------------------------

    @precondition(lambda self: self.cases)
    @rule(index=st.integers(0, 9), status=STATUSES)
    def a_case_changes(self, index: int, status: str) -> None:
        case = self.cases[index % len(self.cases)]
        self.world.now += 1
        event = Event(int(self.world.now), "staff:ana", status=status, public_note=f"{NOTICE} {next(_numbers)}")
        try:
            change_case.change_case(self.world.town, case.reference, event, self.world.now, "holder", soon())
        except (NotAllowed, change_case.NoCase):
            return
        self.judged()

    @rule(topic=st.sampled_from(["water", "works", ""]))
    def the_town_announces_something(self, topic: str) -> None:
        self.world.now += 1
        audience = Audience(topics=(topic,) if topic else ())
        text = {"sr": f"{ANNOUNCED} {next(_numbers)}"}
        draft = announce.draft(self.world.town, text, audience, 0, "staff:ana", self.world.now, soon())
        announce.approve(self.world.town, draft.id, "staff:boro", self.world.now, soon(), proved=True)
        self.judged()

    @rule()
    def somebody_needs_help(self) -> None:
        self.world.now += 1
        self.ledger.speaking = f"komsija{next(_numbers)}"
        asks_for_help(self.world, self.ledger.speaking)
        self.judged()

    @rule(minutes=SILENCES)
    def time_passes(self, minutes: int) -> None:
        self.world.now += 60 * minutes
        minute(self.world.now)
        self.judged()

    @rule()
    def everything_due_is_done(self) -> None:
        for _ in range(3):
            self.world.now += 61
            minute(self.world.now)
        self.judged()

    # --- and what must hold -----------------------------------------------------------------------------------

    def hears(self, citizen: str, event: dict[str, Any]) -> None:
        self.world.now += 20
        self.ledger.speaking = citizen
        self.world.calls(event)
        self.judged()

    def judged(self) -> None:
        self.ledger.speaking = ""
        unwanted = [one for one in self.ledger.seen if not one.is_wanted]
        assert not unwanted, unwanted[0]


def soon() -> Deadline:
    return Deadline(60)


# A story found is short enough as it is; making it shorter takes minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
LONG = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES
)


@pytest.mark.campaign
@pytest.mark.early
@pytest.mark.shows("D5", "F46")
def test_nothing_unasked_is_sent_without_a_consent_in_force(
    world: World, monkeypatch: pytest.MonkeyPatch, measured: Measure
) -> None:
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    world.offers(NEWS)
    seen: list[Arrived] = []
    Unasked.world = world
    Unasked.ledger = world.viber.sent = world.viber.broadcasts = Ledger(world, seen)
    run_state_machine_as_test(Unasked, settings=LONG)
    kinds = Counter(one.kind for one in seen)
    assert min(kinds["notice"], kinds["announcement"], kinds[""]) > 20, kinds
    measured(
        "D5",
        f"{len(seen):,} messages in {LONG.max_examples} stories: {kinds['notice']:,} notices and calls, "
        f"{kinds['announcement']:,} announcements, each with its consent in force as it arrived; 0 without",
    )
