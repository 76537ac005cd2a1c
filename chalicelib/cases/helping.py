"""A request for help and the volunteers who are asked: cards in waves, the claim, the timer, done, confirmed. Pure.

Volunteers of the area who are free get a card without name, phone or address: three at first, after a while all the
others. Whoever takes it first has it, and gets the details; a timer gives it back. Done is what the volunteer says,
resolved what the person helped confirms. Every act is a `Moved`: the case after it, whom to tell, what to look at when.

`case.call` says how far that is: `round` (raised when somebody gives it back), `wave`, `asked` (who got a card in this
round, in order), `told` (how many of them know that it is taken), `left` (who gave it back), `back_at`, `done_at`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import Event
from chalicelib.cases.working_time import WEEKDAYS
from chalicelib.language.folding import fold, words
from chalicelib.model import Attachment, Case, Choice, Follower, Line, MoveHelp, Say, Volunteer, private
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.understanding.entities.phones import take_phones

KIND = "assistance"
ANYWHERE = "all"  # the area of a town that has no areas
ASAP = "asap"

FIRST_WAVE = 3
WAVE_SECONDS = 15 * 60  # until all the others are asked too
UNCLAIMED_SECONDS = 2 * 3600  # after the second wave: then the person is told that nobody has taken it yet
ASAP_SECONDS = 4 * 3600  # how long somebody has who took what is needed as soon as possible
LEAST_SECONDS = 2 * 3600  # how long somebody has at least
REMIND_SECONDS = 3600  # before the timer gives the request back
CONFIRM_SECONDS = 24 * 3600  # until the person helped is reminded to say whether it is all right
DAY_ENDS_HOUR = 20
LINK_SECONDS = 2 * 86400  # how long a link to a request is good beyond the time in which it could be done
ASKED_MAX = 100
PHOTOS_MAX = 3

CARD_LINE = "aid_card"
# What a volunteer is told by e-mail or SMS where no chat carries it; of these the first ask for an act.
OPEN_LINES = (CARD_LINE, "aid_remind", "aid_disputed")
BY_LINK_LINES = (*OPEN_LINES, "aid_timed_out", "aid_confirmed")

STATE = "aid"  # what a conversation remembers of help: references under `card`, `task` and `ask`
CARD, TASK, ASK = "card", "task", "ask"
KEPT_MAX = 5

PRIVATE_LETTERS_MIN = 3
ENDING_LETTERS_MAX = 2
_WHERE = pattern(
    r"(?i)(?<!\w)(?=[ubrtskfубтс])(?:ulic\w*|ul\.|улиц\w*|ул\.|rrug\w*|rr\.|trg\w*|трг\w*|bulevar\w*|булевар\w*|street|straße"
    r"|stan[ua]?(?=\s+(?:br\S*\s*)?\d)|стан[уа]?(?=\s+(?:бр\S*\s*)?\d)|sprat\w*|спрат\w*|banes\w*|kati|flat|floor)"
    r"(?!\w)[^,;.\n]*"
)


@dataclass(frozen=True, slots=True)
class Tell:
    """Words for somebody, and under what their conversation remembers the request from now on ("" = no longer)."""

    to: Follower
    say: Say
    place: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """What to look at again at `at` (epoch seconds): `name` says what, once a round."""

    name: str
    at: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A request after an act: the case, whom to tell, and what comes due when."""

    case: Case
    tell: tuple[Tell, ...] = ()
    later: tuple[Later, ...] = ()


def choice(verb: str, case: Case) -> Choice:
    """The button for an act on this request; it says for good what it does."""
    return Choice(f"aid.{verb}.{case.reference}", Line(f"btn_aid_{verb}"))


def noted(state: Mapping[str, Any], reference: str, place: str) -> dict[str, Any]:
    """A conversation's memory with the request under `place` alone, or nowhere. Without a reference: a volunteer's."""
    kept = {name: [each for each in known if each != reference] for name, known in state.get(STATE, {}).items()}
    if not reference:
        kept = {CARD: [], TASK: []} | kept
    elif place:
        kept[place] = [*kept.get(place, []), reference][-KEPT_MAX:]
    return {**state, STATE: kept}


# --- who may be asked -------------------------------------------------------------------------------------------


def begun(case: Case) -> Moved:
    """A request just filed: the first wave is due at once."""
    opened = replace(case, call={"round": 1, "wave": 0, "asked": [], "left": []})
    return Moved(opened, later=(Later("wave1", case.created_at),))


def called_again(case: Case) -> Moved:
    """A request the person helped has opened again: nobody has it, and all are asked anew."""
    turn = round_of(case) + 1
    free = replace(case, assignee=None, call={"round": turn, "wave": 0, "asked": [], "left": []})
    return Moved(free, later=(Later("wave1", case.updated_at),))


def round_of(case: Case) -> int:
    return int(case.call.get("round", 1))


def asked(case: Case) -> list[Follower]:
    """Who got a card in this round, in order."""
    return [Follower(*each) for each in case.call.get("asked", ())]


def area_of(case: Case) -> str:
    return str(case.fields.get("area") or ANYWHERE)


def is_free(volunteer: Volunteer, case: Case, now: float, zone: ZoneInfo) -> bool:
    """Whether a card for this request may go to this volunteer now."""
    at = [volunteer.at.account, volunteer.at.citizen]
    if volunteer.state != "approved" or volunteer.paused_until > now or volunteer.at == case.owner:
        return False
    if at in case.call.get("asked", ()) or at in case.call.get("left", ()):
        return False
    fits_area = not volunteer.areas or area_of(case) in (*volunteer.areas, ANYWHERE)
    fits_kind = not volunteer.skills or case.category in volunteer.skills
    return fits_area and fits_kind and (not volunteer.days or bool(_days(case, now, zone) & {*volunteer.days}))


def _days(case: Case, now: float, zone: ZoneInfo) -> set[str]:
    """The days of the week on which the request could be done: from today until it is needed."""
    first, last = dt.datetime.fromtimestamp(now, zone).date(), _needed(case, now, zone)
    span = min(max(0, (last - first).days), 6)
    return {WEEKDAYS[(first + dt.timedelta(days=ahead)).weekday()] for ahead in range(span + 1)}


def _needed(case: Case, now: float, zone: ZoneInfo) -> dt.date:
    until = str(case.fields.get("until", ASAP))
    return dt.datetime.fromtimestamp(now, zone).date() if until == ASAP else dt.date.fromisoformat(until)


# --- asking -----------------------------------------------------------------------------------------------------


def is_wanted(case: Case, turn: int) -> bool:
    """Whether volunteers are still to be asked in round `turn`."""
    return lifecycle.is_open(case) and case.assignee is None and round_of(case) == turn


def cards(case: Case, volunteers: Collection[Volunteer], wave: int, left: int, now: float, region: str) -> Moved:
    """The same card to these volunteers; `left`: how many others are free. The second wave ends when nobody is."""
    told = [[volunteer.at.account, volunteer.at.citizen] for volunteer in volunteers]
    call = {**case.call, "asked": [*case.call.get("asked", ()), *told][:ASKED_MAX]}
    later: tuple[Later, ...] = ()
    if left == 0:
        call["wave"] = 2
        later = (Later("unclaimed", now + (UNCLAIMED_SECONDS if call["asked"] else 0)),)
    elif wave == 1:
        call["wave"] = 1
        later = (Later("wave2", now + WAVE_SECONDS),)
    say = card(case, region)
    return Moved(replace(case, call=call), tuple(Tell(volunteer.at, say, CARD) for volunteer in volunteers), later)


def card(case: Case, region: str) -> Say:
    """What a volunteer sees before taking it: what, until when, where about. No name, phone, street or door."""
    lines = [Line(CARD_LINE, {"kind": kind(case), "what": private(discreet(case, region))})]
    lines += [Line("aid_until", {"until": until(case)}), *_area(case), Line("aid_card_how")]
    return Say(lines=tuple(lines), choices=(choice("take", case),))


def card_of(say: Say) -> str:
    """The request whose card these words are; "" if they are none."""
    if not say.lines or say.lines[0].key != CARD_LINE:
        return ""
    return next((choice.id.removeprefix("aid.take.") for choice in say.choices), "")


def kind(case: Case) -> Line:
    return Line(f"aid.kind.{case.category}")


def until(case: Case) -> Line:
    return until_line(str(case.fields.get("until", ASAP)))


def until_line(value: str) -> Line:
    """By when: as soon as possible, or a day."""
    if value == ASAP:
        return Line("aid_asap")
    day = dt.date.fromisoformat(value)
    return Line("days.date_format", {"d": day.day, "m": day.month, "y": day.year})


def _area(case: Case) -> list[Line]:
    area = area_of(case)
    return [] if area == ANYWHERE else [Line("aid_area", {"area": Line(f"aid.area.{area}")})]


def discreet(case: Case, region: str) -> str:
    """What is needed, without a phone number, a name of the request or an address that slipped into the words."""
    _, text = take_phones(str(case.fields.get("what", "")), region)
    text = _WHERE.sub(" ", text)
    place = case.place.text if case.place else ""
    names = (case.applicant.get("name", ""), str(case.fields.get("for_name", "")), place)
    stems = {_stem(word) for word in words(fold(" ".join(names)))}
    private = tuple(stem for stem in stems if len(stem) >= PRIVATE_LETTERS_MIN)
    kept = [part for part in text.split() if not any(_is_of(word, private) for word in words(fold(part)))]
    return " ".join(kept) or "…"


def _stem(word: str) -> str:
    return word[:-1] if word[-1] in "aeiou" else word


def _is_of(word: str, stems: tuple[str, ...]) -> bool:
    """Whether a word is one of the names, whatever its ending: "Mira", "za Miru"."""
    return any(word.startswith(stem) and len(word) - len(stem) <= ENDING_LETTERS_MAX for stem in stems)


def unclaimed(case: Case) -> Moved | None:
    """Nobody has taken it yet: the person is told so, once a round, and whom else to ask."""
    marked = _once(case, "nobody")
    say = Say(lines=(_line("aid_nobody_yet", case),), choices=(choice("off", case),))
    return Moved(marked, _to_helped(case, say)) if marked else None


def taken_told(case: Case, several: Collection[Follower]) -> Moved:
    """The next of those who got a card hear that it is taken, or no longer needed."""
    call = {**case.call, "told": int(case.call.get("told", 0)) + len(several)}
    say = Say(lines=(_line("aid_taken", case),)) if lifecycle.is_open(case) else _over(case)
    holder = case.call.get("holder")
    others = [each for each in several if [each.account, each.citizen] != holder]
    return Moved(replace(case, call=call), tuple(Tell(each, say) for each in others))


# --- acts -------------------------------------------------------------------------------------------------------


def standing(case: Case | None, volunteer: Volunteer | None) -> str:
    """How a request stands for a volunteer: free, mine, done, taken, over; "unknown" to whoever got no card."""
    if case is None or volunteer is None or volunteer.state != "approved":
        return "unknown"
    mine = case.assignee is not None and case.assignee[:2] == ("volunteer", volunteer.id)
    if not mine and volunteer.at not in asked(case):
        return "unknown"
    if not lifecycle.is_open(case):
        return "over"
    if mine:
        return "done" if case.call.get("done_at") else "mine"
    return "taken" if case.assignee else "free"


def act(case: Case, did: MoveHelp, by: Follower, now: float, zone: ZoneInfo) -> Moved | None:
    """The request after what somebody did; None if it cannot be done (any more): look again how it stands."""
    name, volunteer = did.act, did.volunteer
    by_volunteer = {"take": ("free", _take), "back": ("mine", _back), "done": ("mine", _done)}
    if name in by_volunteer:
        wanted, move = by_volunteer[name]
        return move(case, volunteer, now, zone) if volunteer and standing(case, volunteer) == wanted else None
    if name == "photo":
        return _photo(case, did.file) if did.file and standing(case, volunteer) in ("mine", "done") else None
    if by != case.owner or not lifecycle.is_open(case):
        return None
    if name == "off":
        return _off(case, now)
    if case.assignee is None or not case.call.get("done_at"):
        return None
    return _confirmed(case, now) if name == "yes" else _disputed(case, now, zone)


def _take(case: Case, volunteer: Volunteer, now: float, zone: ZoneInfo) -> Moved:
    event = Event(int(now), f"volunteer:{volunteer.id}", status="in_progress", name=lifecycle.ASSIGNED)
    event = replace(event, assignee=("volunteer", volunteer.id, volunteer.name))
    back_at = time_up(case, now, zone)
    call = {**case.call, "back_at": back_at, "told": 0, "holder": [volunteer.at.account, volunteer.at.citizen]}
    after = replace(lifecycle.change(case, event), call=call)
    say = Say(
        lines=(_line("aid_comes", case, name=volunteer.name), Line("aid_comes_how", {"case_no": case.reference})),
        choices=(choice("off", case),),
    )
    timers = (Later("remind", back_at - REMIND_SECONDS), Later("back", back_at), Later("taken", now))
    return Moved(after, _to_helped(case, say), timers)


def time_up(case: Case, now: float, zone: ZoneInfo) -> int:
    """When the timer gives the request back: the evening of the day it is needed, or some hours from now."""
    if case.fields.get("until", ASAP) == ASAP:
        return int(now) + ASAP_SECONDS
    evening = dt.datetime.combine(_needed(case, now, zone), dt.time(DAY_ENDS_HOUR), zone).timestamp()
    return int(max(evening, now + LEAST_SECONDS))


def link_until(case: Case, now: float, zone: ZoneInfo) -> int:
    """Until when a link that is sent now opens the request."""
    return time_up(case, now, zone) + LINK_SECONDS


def details(case: Case) -> tuple[Line, ...]:
    """What whoever took it needs: whom, where, which phone; for a neighbour how to reach that person."""
    fields, place = case.fields, case.place
    args: dict[str, str | int | Line] = {
        "kind": kind(case),
        "what": private(str(fields.get("what", ""))),
        "until": until(case),
        "name": case.applicant.get("name", ""),
        "phone": case.applicant.get("phone", ""),
        "address": private(place.text if place else ""),
    }
    lines = [Line("aid_details", args)]
    if fields.get("for_name"):
        reach = private(str(fields.get("for_reach", "")))
        lines.append(Line("aid_details_other", {"name": str(fields["for_name"]), "reach": reach}))
    return tuple(lines)


def _back(case: Case, volunteer: Volunteer, now: float, zone: ZoneInfo) -> Moved:
    return _returned(case, f"volunteer:{volunteer.id}", now)


def _returned(case: Case, by: str, now: float) -> Moved:
    """Nobody has it any more: a new round, without whoever gave it back."""
    released = lifecycle.change(case, Event(int(now), by, name=lifecycle.RELEASED))
    left = [*case.call.get("left", ()), case.call.get("holder")]
    after = replace(released, call={"round": round_of(case) + 1, "wave": 0, "asked": [], "left": left})
    say = Say(lines=(_line("aid_searching_again", case),), choices=(choice("off", case),))
    return Moved(after, _to_helped(case, say), (Later("wave1", now),))


def timed_out(case: Case, now: float) -> Moved:
    """The timer ran out: the request goes to the others, and whoever had it hears so."""
    moved = _returned(case, lifecycle.SYSTEM, now)
    said = Tell(_holder(case), Say(lines=(_line("aid_timed_out", case),)))
    return replace(moved, tell=(*moved.tell, said))


def is_running(case: Case, turn: int, ends_by: float) -> bool:
    """Whether the timer of round `turn` runs and ends by then: somebody has it and has not said that it is done."""
    running = lifecycle.is_open(case) and round_of(case) == turn and case.assignee and not case.call.get("done_at")
    return bool(running) and int(case.call.get("back_at", 0)) <= ends_by


def reminded(case: Case) -> Moved | None:
    """The volunteer is reminded before the timer runs out."""
    say = Say(lines=(_line("aid_remind", case),), choices=(choice("done", case), choice("back", case)))
    marked = _once(case, "reminded")
    return Moved(marked, (Tell(_holder(case), say, TASK),)) if marked else None


def _done(case: Case, volunteer: Volunteer, now: float, zone: ZoneInfo) -> Moved:
    after = lifecycle.change(case, Event(int(now), f"volunteer:{volunteer.id}", name="done"))
    after = replace(after, call={**case.call, "done_at": int(now)})
    return Moved(after, _ask_whether_good(case, "aid_done_ask"), (Later(f"confirm{int(now)}", now + CONFIRM_SECONDS),))


def confirm_again(case: Case) -> Moved | None:
    """The person helped is asked once more."""
    marked = _once(case, "asked_again")
    return Moved(marked, _ask_whether_good(case, "aid_done_ask_again")) if marked else None


def awaits_word(case: Case, done_at: int) -> bool:
    """Whether the person helped has not said yet whether what was done at `done_at` is all right."""
    return lifecycle.is_open(case) and case.call.get("done_at") == done_at


def _ask_whether_good(case: Case, key: str) -> tuple[Tell, ...]:
    name = case.assignee[2] if case.assignee else ""
    say = Say(lines=(_line(key, case, name=name),), choices=(choice("yes", case), choice("no", case)))
    return _to_helped(case, say, ASK)


def _confirmed(case: Case, now: float) -> Moved:
    """The volunteer's work, confirmed by the person helped: by the contract that is the volunteer's to resolve."""
    assert case.assignee is not None
    event = Event(int(now), f"volunteer:{case.assignee[1]}", status="resolved", name="confirmed")
    say = Say(lines=(_line("aid_confirmed", case),))
    after = replace(lifecycle.change(case, event), call={**case.call, "over": True})
    return Moved(after, (Tell(_holder(case), say),))


def _disputed(case: Case, now: float, zone: ZoneInfo) -> Moved:
    """Not all right: whoever has it hears so, and the timer runs anew."""
    after = lifecycle.change(case, Event(int(now), lifecycle.CITIZEN, name="disputed"))
    back_at = int(now) + ASAP_SECONDS
    again = ("done_at", "asked_again", "reminded")
    call = {name: value for name, value in case.call.items() if name not in again} | {"back_at": back_at}
    say = Say(lines=(_line("aid_disputed", case),), choices=(choice("done", case), choice("back", case)))
    timer = Later(f"back{int(now)}", back_at)
    return Moved(replace(after, call=call), (Tell(_holder(case), say, TASK),), (timer,))


def by_office(before: Case, after: Case, now: float) -> Moved | None:
    """What follows when staff changed a request: opened again, all are asked anew; closed, volunteers hear of it."""
    if after.history[-1].event == lifecycle.REOPENED:
        return called_again(after)
    if not lifecycle.is_open(before) or lifecycle.is_open(after):
        return None
    return Moved(replace(after, call={**after.call, "told": 0}), later=(Later(f"closed{int(now)}", now),))


def over_told(case: Case) -> Moved | None:
    """Whoever has a request that the office closed meanwhile hears so, once."""
    marked = _once(case, "over") if case.assignee and case.call.get("holder") else None
    done = case.call.get("done_at") and case.status == "resolved"
    say = Say(lines=(_line("aid_confirmed", case),)) if done else _over(case)
    return Moved(marked, (Tell(_holder(case), say),)) if marked else None


def _once(case: Case, what: str) -> Case | None:
    """The case with a mark that this was said in this round; None if it was."""
    return None if case.call.get(what) else replace(case, call={**case.call, what: True})


def _over(case: Case) -> Say:
    return Say(lines=(_line("aid_over", case),))


def _off(case: Case, now: float) -> Moved:
    """No longer needed: whoever has it or got a card hears so."""
    after = lifecycle.change(case, Event(int(now), lifecycle.CITIZEN, name=lifecycle.WITHDRAWN))
    if case.assignee:
        return Moved(replace(after, call={**case.call, "over": True}), (Tell(_holder(case), _over(case)),))
    return Moved(replace(after, call={**case.call, "told": 0}), later=(Later("over", now),))


def _photo(case: Case, file: tuple[str, str, int]) -> Moved | None:
    """A photo of the receipt."""
    if len(case.attachments) >= PHOTOS_MAX:
        return None
    sort, key, size = file
    number = str(len(case.attachments) + 1)
    return Moved(replace(case, attachments=(*case.attachments, Attachment(number, sort, size, "waiting", key))))


def _holder(case: Case) -> Follower:
    return Follower(*case.call["holder"])


def _to_helped(case: Case, say: Say, place: str = "") -> tuple[Tell, ...]:
    return (Tell(case.owner, say, place),) if case.owner else ()


def _line(key: str, case: Case, **more: str) -> Line:
    args: dict[str, str | int | Line] = {"case_no": case.reference, "kind": kind(case), **more}
    return Line(key, args)
