"""The page of a volunteer's link: what is needed, until when, where about; taken, given back, done.

Nobody signs in: the link is the key. It speaks the volunteer's language and needs no script. To open it changes
nothing, for programs that look through e-mails open every link in them.
"""

from __future__ import annotations

from chalicelib.actions import serve_volunteer
from chalicelib.actions.serve_volunteer import HELD, Asked, CallEnded
from chalicelib.cases import helping
from chalicelib.console import pages
from chalicelib.console.door import Answer, Visit
from chalicelib.console.link_form import check, mark
from chalicelib.dialogue import words
from chalicelib.model import Case, Line, Refused, Town, Voice
from chalicelib.small_classes import dataclass, replace

STOP = "stop"
_VERBS = {"free": (serve_volunteer.TAKE,), "mine": (serve_volunteer.DONE, serve_volunteer.BACK)}


@dataclass(frozen=True, slots=True)
class Spoken:
    """The citizens' texts in one reader's voice."""

    town: Town
    voice: Voice

    def __call__(self, key: str, **values: str) -> str:
        return self.line(Line(key, values))

    def line(self, line: Line) -> str:
        return words.line(line, self.town, self.voice)

    def name_of_town(self) -> str:
        return words.name_of(self.town, self.voice)

    @property
    def tag(self) -> str:
        return self.voice.tag


def show(visit: Visit) -> Answer:
    """What is asked, and what this volunteer can do about it."""
    return _as_it_stands(visit)


def act(visit: Visit) -> Answer:
    """One of the buttons."""
    try:
        asked = serve_volunteer.find(visit.params["token"], visit.now, visit.deadline)
    except CallEnded as ended:
        return _ended(visit, ended.town)
    check(visit)
    verb = visit.form.get("do", "")
    if verb == STOP:
        serve_volunteer.stop(asked, visit.now, visit.deadline)
        return _last(visit, asked, Line("aid_link_stopped"))
    if verb not in serve_volunteer.ACTS:
        raise Refused(422, "unknown_act", "There is no such button.", "do")
    try:
        serve_volunteer.act(asked, verb, visit.now, visit.deadline)
    except Refused as error:
        if error.status != 409:
            raise
        return _as_it_stands(visit, 409)  # somebody was faster
    if verb == serve_volunteer.BACK:  # from here on the link opens nothing
        return _last(visit, asked, _about("aid_back_said", asked.case))
    return visit.go(f"help/{visit.params['token']}")


# --- parts ------------------------------------------------------------------------------------------------------


def _as_it_stands(visit: Visit, status: int = 200) -> Answer:
    try:
        asked = serve_volunteer.find(visit.params["token"], visit.now, visit.deadline)
    except CallEnded as ended:
        return _ended(visit, ended.town)
    return _page(visit, asked, status)


def _page(visit: Visit, asked: Asked, status: int) -> Answer:
    asked = replace(asked, case=asked.in_clear(visit.deadline))
    say, case, standing = _voice(asked), asked.case, asked.standing
    parts = _parts(asked)
    title, *rest = say.line(parts[0]).split("\n", 1)
    body = pages.draw(
        "help",
        visit=visit,
        t=say,
        town=asked.town,
        reference=case.reference,
        title=title,
        parts=[*rest, *(say.line(part) for part in parts[1:])],
        phone=case.applicant.get("phone", "") if standing in HELD else "",
        note=say("aid_link_waits") if standing == "done" else "",
        verbs=_VERBS.get(standing, ()),
        may_stop=standing not in HELD,
        problem=status == 409,
        mark=mark(visit),
    )
    return Answer(body, status)


def _parts(asked: Asked) -> tuple[Line, ...]:
    """What stands on the page: the details for whoever has the request, else the card, or that it is over."""
    case, standing = asked.case, asked.standing
    if standing in HELD:
        return (*helping.details(case), Line("aid_rules", {"case_no": case.reference}))
    if standing == "free":
        return helping.card(case, str(asked.town.core["country"])).lines
    return helping.kind(case), _about(f"aid_{standing}", case)


def _about(key: str, case: Case) -> Line:
    return Line(key, {"case_no": case.reference, "kind": helping.kind(case)})


def _last(visit: Visit, asked: Asked, line: Line) -> Answer:
    """The end of this link, for whoever ended it."""
    say = _voice(asked)
    return _closing(visit, say, say.line(line), "")


def _ended(visit: Visit, town: Town) -> Answer:
    say = Spoken(town, town.default_voice)
    return _closing(visit, say, say("aid_link_ended"), say("aid_link_ended_why"), 410)


def _closing(visit: Visit, say: Spoken, title: str, why: str, status: int = 200) -> Answer:
    return Answer(pages.draw("help_ended", visit=visit, t=say, town=say.town, title=title, why=why), status)


def _voice(asked: Asked) -> Spoken:
    return Spoken(asked.town, words.spoken(asked.town, asked.volunteer.voice or asked.town.default_voice))
