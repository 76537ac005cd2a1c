"""Journeys that the fault tests break: steps as the outside repeats them, and what must be true at the end.

A step is repeated until it is answered, as Viber repeats a callback and as a clerk who saw an error looks and, if
nothing had happened, presses again. Between steps minutes pass in which the sweeper does what is owed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib import wire
from chalicelib.actions import draw_ids, manage_staff, open_case, reply_as_operator
from chalicelib.actions.change_case import change_case
from chalicelib.actions.manage_staff import Work
from chalicelib.actions.sweep import sweep
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Attachment, Case, Follower, SalterError, Staff
from chalicelib.storage import consents, keys, sealing, staff, staff_pool, thread
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from infra.local import mailbox
from tests.faults.breaking import Breaker, Killed
from tests.media import samples
from tests.media.host import MediaHost
from tests.viber import callback, message
from tests.world import World

TRIES_MAX = 4
MINUTES_AFTER = 4
_names = itertools.count(1)
ANA = Staff("", "ana@primer.local", "ana1", "operator", name="Ana")


@dataclass
class Journey:
    """One run of it with a citizen of its own. `steps` are done in order; `outcome` is what must come out alike."""

    world: World
    steps: list[Callable[[], object]] = field(default_factory=list)
    citizens: list[str] = field(default_factory=list)
    outcome: Callable[[], Any] = lambda: None
    delivered: Callable[[str], list[str]] | None = None  # where it is not Viber that brings it

    def sent(self, citizen: str) -> list[str]:
        return self.delivered(citizen) if self.delivered else self.world.viber.texts(citizen)

    def said(self, citizen: str) -> list[tuple[str, ...]]:
        """What stands in the conversation as said, by catalogue keys."""
        conversation = self.world.conversation(citizen)
        entries = conversation.log if conversation else ()
        return [tuple(line.key for line in entry.say.lines) for entry in entries if entry.say]

    def owed(self, citizen: str) -> int:
        conversation = self.world.conversation(citizen)
        return len(conversation.lane) + conversation.parked if conversation else 0


Make = Callable[[World, MediaHost], Journey]


def soon() -> Deadline:
    return Deadline(40)


def run(journey: Journey, breaker: Breaker) -> None:
    """The whole journey with one call broken, every step repeated until it is through, and then some quiet minutes."""
    for step in journey.steps:
        _until_done(journey.world, step, breaker)
        _passes(journey, breaker)
    for _ in range(MINUTES_AFTER):
        _minute(journey.world, breaker)


@contextmanager
def _breaking(breaker: Breaker) -> Iterator[None]:
    """Only what the product does is broken, never a look of the test's own."""
    wire.taps.append(breaker)
    try:
        yield
    finally:
        wire.taps.remove(breaker)


def _until_done(world: World, step: Callable[[], object], breaker: Breaker) -> None:
    for _ in range(TRIES_MAX):
        try:
            with _breaking(breaker):
                step()
            return
        except (SalterError, Killed):
            revived(world)
    raise AssertionError("never answered")


def revived(world: World) -> None:
    """Another process takes over: it remembers nothing."""
    sealing.forget()
    world.warm()


def _passes(journey: Journey, breaker: Breaker) -> None:
    """A citizen goes on when the answer is there."""
    for _ in range(MINUTES_AFTER):
        if not any(journey.owed(citizen) for citizen in journey.citizens):
            return
        _minute(journey.world, breaker)


def _minute(world: World, breaker: Breaker) -> None:
    world.now += 61
    try:
        with _breaking(breaker):
            sweep(world.now)
    except Killed:
        revived(world)


def doubled(journey: Journey, citizen: str) -> int:
    """How many messages reached the citizen more than once in a row, each being said once in the conversation."""
    sent = journey.sent(citizen)
    return sum(first == second for first, second in itertools.pairwise(sent))


# --- the journeys -----------------------------------------------------------------------------------------------


def _citizen(prefix: str = "mira") -> str:
    return f"{prefix}{next(_names):05d}="


def _writes(world: World, citizen: str, text: str | None = None, **content: Any) -> Callable[[], object]:
    """One callback, the same one however often it is delivered."""
    request = callback(world.token, message(citizen, text, **content))
    return lambda: world.takes(request)


def _presses(world: World, citizen: str, choice: str) -> Callable[[], object]:
    return _writes(world, citizen, f"~1:{choice}")


def _own(world: World, citizen: str) -> list[Case]:
    return list(CaseStore(world.slug).own(keys.person(world.account.id, citizen), soon()))


def report_with_photo(world: World, host: MediaHost) -> Journey:
    """A problem in one sentence, a photo, sent; the photo is fetched and checked by the minute's round."""
    citizen = _citizen()
    link = host.link(f"/{citizen[:-1]}.jpg", samples.photo())
    steps = [
        _writes(world, citizen, f"Velika rupa u ulici {street()} 12 kod škole"),
        _writes(world, citizen, type="picture", media=link),
        _presses(world, citizen, "form.send"),
    ]

    def outcome() -> Any:
        return [(case.kind, case.status, _files(case.attachments), len(case.history)) for case in _own(world, citizen)]

    return Journey(world, steps, [citizen], outcome)


def street() -> str:
    """A street of the run's own: nobody is asked whether theirs is the hole reported before."""
    number, letters = next(_names), "bdgklmnprstvz"
    syllables = (letters[number // len(letters) ** at % len(letters)] + "aeiou"[(number + at) % 5] for at in range(4))
    return "".join(syllables).capitalize() + "nska"


def _files(attachments: Sequence[Attachment]) -> list[tuple[str, str]]:
    return [(file.type, file.state) for file in attachments]


BEFORE_THE_NUMBER = (
    *("Hoću da naručim izvod rođenih za mene", "Ana Anić", "preskoči", "29. 2. 2000.", "Primer", "Mira i Jovan"),
    "preskoči",
)
NUMBER = "2902000660176"
AFTER_THE_NUMBER = ("domaći", "za školu", "1", "na šalteru", "preskoči", "pošalji")


def document_request(world: World, host: MediaHost) -> Journey:
    """The part of a document request that seals a personal number, up to the filed case."""
    citizen = _citizen()
    for text in BEFORE_THE_NUMBER:
        _writes(world, citizen, text)()
    sealing.forget()
    steps = [_writes(world, citizen, text) for text in (NUMBER, *AFTER_THE_NUMBER)]

    def outcome() -> Any:
        return [(case.kind, case.status, sorted(case.sealed), len(case.history)) for case in _own(world, citizen)]

    return Journey(world, steps, [citizen], outcome)


def status_notice(world: World, host: MediaHost) -> Journey:
    """The office changes a case; whoever filed it hears so."""
    citizen = _citizen()
    _writes(world, citizen, "zdravo")()
    who = Follower(world.account.id, citizen)
    agreed = consents.Consent(consents.CASES, True, int(world.now), "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(who.account, who.citizen), agreed, soon())
    number = draw_ids.new_reference(world.town)
    case = Case(world.slug, number, "problem", "received", "Pukla cev", 0, 0, office="voda", owner=who, consent=True)
    CaseStore(world.slug).add(open_case.completed(world.town, case, "citizen", world.now), soon())

    def change() -> None:
        now = CaseStore(world.slug).load(number, soon())
        if now is not None and now.status == "received":
            event = Event(int(world.now), "staff:ana", status="in_progress")
            change_case(world.town, number, event, world.now, f"h{next(_names)}", soon())

    def outcome() -> Any:
        stored = CaseStore(world.slug).load(number, soon())
        return stored and (stored.status, [entry.event for entry in stored.history])

    return Journey(world, [change], [citizen], outcome)


def operator_chat(world: World, host: MediaHost) -> Journey:
    """A person takes the line, answers, is answered, and closes."""
    citizen = _citizen()
    _writes(world, citizen, "operater")()
    (chat,) = _own(world, citizen)
    person = keys.person(world.account.id, citizen)

    def written() -> list[str]:
        """The thread as staff see it when they look."""
        entries = thread.since(world.slug, person, 0, world.now, soon())
        keyed = [(entry.say.lines[0].args.get("text") or entry.say.lines[0].key) for entry in entries if entry.say]
        return [str(one) for one in keyed]

    def unless(seen: str, verb: Callable[..., Case], *words: str) -> Callable[[], object]:
        def act() -> None:
            if seen not in written():
                verb(world.town, chat.reference, ANA, *words, world.now, f"h{next(_names)}", soon())

        return act

    steps = [
        unless("operator_joined_as", reply_as_operator.take_over),
        unless("Dobar dan.", reply_as_operator.answer, "Dobar dan."),
        _writes(world, citizen, "Hvala, to je sve"),
        unless("operator_left", reply_as_operator.close),
    ]

    def outcome() -> Any:
        (now,) = _own(world, citizen)
        return now.status, [entry.event for entry in now.history], written()

    return Journey(world, steps, [citizen], outcome)


def volunteer_claim(world: World, host: MediaHost) -> Journey:
    """Somebody asks for help, the first volunteer who presses has it. Needs volunteers `ana=` and `bane=`."""
    citizen = _citizen()
    asked = ("treba mi hrana", "2 vekne hleba i mleko", "za mene", "danas", "Centar")
    for text in (*asked, "Glavna 7, stan 3", "Mira Anić", "063 123 456", "da", "pošalji"):
        _writes(world, citizen, text)()
    sweep(world.now)
    reference = _own(world, citizen)[0].reference
    for name in VOLUNTEERS:  # what was said before the claim is no part of it
        world.viber.sent = [body for body in world.viber.sent if body["receiver"] != name]
    steps = [_presses(world, name, f"aid.take.{reference}") for name in VOLUNTEERS]

    def outcome() -> Any:
        case = CaseStore(world.slug).load(reference, soon())
        took = [sum("2 vekne hleba" in text for text in world.viber.texts(name)) > 0 for name in VOLUNTEERS]
        return case and (case.status, case.assignee and case.assignee[2], took)

    return Journey(world, steps, [citizen], outcome)


def staff_invitation(world: World, host: MediaHost) -> Journey:
    """Somebody is taken on: an account in the pool, a record, and a letter."""
    mail = f"{_citizen('eva')[:-1]}-{world.slug}@primer.example"
    letter = {"subject": "Dobro došli", "text": "Vaša prijava"}

    def invite() -> None:
        if staff.load(world.slug, mail, soon()) is None:
            manage_staff.invite(
                world.town, "staff:ana", mail, Work("clerk", name="Eva"), world.now, Deadline(40), letter
            )

    def letters(mail: str) -> list[str]:
        return [one["text"] for one in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if one["to"] == mail]

    def outcome() -> Any:
        person, account = staff.load(world.slug, mail, soon()), staff_pool.account(mail, soon())
        return person and person.role, account and account.town, bool(letters(mail))

    return Journey(world, [invite], [mail], outcome, letters)


VOLUNTEERS = ("ana=", "bane=")
