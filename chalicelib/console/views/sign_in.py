"""Coming in and going out."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import sign_in
from chalicelib.actions.sign_in import Asked, Denied, NoPlace, SignedIn, WeakPassword
from chalicelib.console import door
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import VOICES

MAIL_CHARS_MAX = 254


def front(visit: Visit) -> Answer:
    """`/console`: to the work, or to the sign-in page."""
    if visit.session is None:
        return visit.go("console/sign-in")
    return visit.go("console/inbox" if visit.town else "console/towns")


def show(visit: Visit) -> Answer:
    if visit.session is not None:
        return visit.go(door.return_path(visit.query.get("to", "")))
    return _form(visit, to=visit.query.get("to", ""), ended=bool(visit.query.get("ended")))


def enter(visit: Visit) -> Answer:
    """A try with a password."""
    mail = visit.form.get("mail", "")[:MAIL_CHARS_MAX]
    try:
        outcome = sign_in.sign_in(mail, visit.form.get("password", ""), visit.now, visit.request.source)
    except NoPlace:
        return _form(visit, 403, mail=mail, problem="no_place")
    return _after(visit, outcome, mail, None)


def answer(visit: Visit) -> Answer:
    """The first password of one's own, or the code of the second factor."""
    mail = visit.form.get("mail", "")[:MAIL_CHARS_MAX]
    asked = Asked(visit.form.get("challenge", ""), visit.form.get("session", ""))
    if asked.challenge not in sign_in.CHALLENGES:  # nothing that is ever asked: the way in begins anew
        return _form(visit, 401, mail=mail)
    try:
        outcome = sign_in.answer(mail, asked, visit.form.get("answer", ""), visit.now, visit.request.source)
    except WeakPassword:
        return _form(visit, 422, mail=mail, asked=asked, problem="weak_password")
    except NoPlace:
        return _form(visit, 403, mail=mail, problem="no_place")
    return _after(visit, outcome, mail, asked)


def voice(visit: Visit) -> Answer:
    """Another language or script for the console, kept in the browser."""
    chosen = visit.query.get("to", "")
    cookies = (door.voice_cookie(chosen, visit.request),) if chosen in VOICES else ()
    return visit.go(door.return_path(door.came_from(visit.request)), *cookies)


def leave(visit: Visit) -> Answer:
    assert visit.session is not None
    sign_in.sign_out(visit.session, visit.now)
    return visit.go("console/sign-in", door.cookie("", visit.request, seconds=0))


def leave_everywhere(visit: Visit) -> Answer:
    assert visit.session is not None
    sign_in.sign_out_everywhere(visit.session, visit.now)
    return visit.go("console/sign-in", door.cookie("", visit.request, seconds=0))


def stay(visit: Visit) -> Answer:
    """Somebody is still there; looking up the session has noted it. How many seconds the sign-in lasts now."""
    return Answer(str(visit.seconds_left), content_type="text/plain; charset=utf-8")


def _after(visit: Visit, outcome: SignedIn | Asked | Denied, mail: str, asked: Asked | None) -> Answer:
    if isinstance(outcome, SignedIn):
        to = door.return_path(visit.form.get("to", ""))
        return visit.go(to, door.cookie(outcome.word, visit.request))
    if isinstance(outcome, Denied):
        return _form(visit, 429 if outcome.rests_seconds else 401, mail=mail, denied=outcome, asked=asked)
    return _form(visit, mail=mail, asked=outcome)


def _form(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {"mail": "", "asked": None, "denied": None, "problem": "", "ended": False}
    return page(visit, "sign_in", status, **blank | {"to": visit.form.get("to", "")} | shown)
