"""What everybody settles for themselves: language, absence, the code beside the password, reminders in a chat."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import own_account
from chalicelib.actions.manage_staff import NotPossible
from chalicelib.actions.sign_in import Denied
from chalicelib.console import door
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import VOICES
from chalicelib.dialogue import going_on
from chalicelib.model import Refused

SAID = ("language", "away", "code_on", "code_off", "chat_off")
TOKEN_CHARS_MAX = 4096
CODE_CHARS_MAX = 12


def show(visit: Visit) -> Answer:
    """The page; on a phone also the way to everything that has no place in the bar."""
    said = visit.query.get("said", "")
    return _page(visit, said=said if said in SAID else "")


def speak(visit: Visit) -> Answer:
    """The language and script of the console, in every browser of this person."""
    chosen = visit.form.get("language", "")
    if chosen not in VOICES:
        raise Refused(422, "unknown_language", "The console does not speak that.")
    own_account.speak(visit.person, chosen, visit.now, visit.deadline)
    return visit.go("console/account?said=language", door.voice_cookie(chosen, visit.request))


def be_away(visit: Visit) -> Answer:
    """Away until a day, or back."""
    until = visit.form.get("until", "").strip()
    try:
        own_account.be_away(visit.person, until, _today(visit), visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 422, problem=error.code)
    return visit.go("console/account?said=away")


def begin_code(visit: Visit) -> Answer:
    """With the password once more, a QR code for the authenticator."""
    try:
        begun = own_account.begin_code(visit.person, visit.form.get("password", ""), visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 422, problem=error.code)
    if isinstance(begun, Denied):
        return _page(visit, 422, denied=begun)
    secret, access = begun
    return _code_page(visit, secret, access)


def finish_code(visit: Visit) -> Answer:
    """The first code; a wrong one may be tried again with the same QR code."""
    form = visit.form
    secret, access = form.get("secret", "")[: CODE_CHARS_MAX * 12], form.get("access", "")[:TOKEN_CHARS_MAX]
    code = "".join(form.get("code", "").split())[:CODE_CHARS_MAX]
    denied = own_account.finish_code(visit.person, access, code, visit.now, visit.deadline)
    if denied:
        return _code_page(visit, secret, access, 422, denied=denied)
    return visit.go("console/account?said=code_on")


def end_code(visit: Visit) -> Answer:
    """No code any more."""
    code = "".join(visit.form.get("code", "").split())[:CODE_CHARS_MAX]
    try:
        denied = own_account.end_code(visit.person, visit.form.get("password", ""), code, visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 422, problem=error.code)
    return _page(visit, 422, denied=denied) if denied else visit.go("console/account?said=code_off")


def begin_reminders(visit: Visit) -> Answer:
    """A QR code and a link into the town's bot, good once."""
    try:
        if not _can_be_reminded(visit):
            raise NotPossible("no_viber")
        link = own_account.begin_reminders(visit.person, visit.here, visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 422, problem=error.code)
    return page(visit, "account_chat", picture=_drawn(link), link=link)


def end_reminders(visit: Visit) -> Answer:
    """Reminders by e-mail alone."""
    own_account.end_reminders(visit.person, visit.now, visit.deadline)
    return visit.go("console/account?said=chat_off")


# --- parts ------------------------------------------------------------------------------------------------------


def _page(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    mine = own_account.mine(visit.person, visit.deadline)
    blank: dict[str, Any] = {"said": "", "problem": "", "denied": None}
    return page(
        visit,
        "account",
        status,
        me=mine.record,
        has_code=mine.has_code,
        reminded=mine.reminded,
        can_be_reminded=_can_be_reminded(visit),
        today=_today(visit).isoformat(),
        **blank | shown,
    )


def _can_be_reminded(visit: Visit) -> bool:
    """Who works in a town that has a bot on Viber; whoever looks after all of them has none."""
    town = visit.town
    return town is not None and visit.person.town == town.slug and going_on.account(town) is not None


def _code_page(visit: Visit, secret: str, access: str, status: int = 200, denied: Denied | None = None) -> Answer:
    picture = _drawn(own_account.otpauth(visit.person, secret))
    return page(visit, "account_code", status, picture=picture, secret=secret, access=access, denied=denied)


def _drawn(said: str) -> str:
    """A QR code as an address of a picture."""
    import segno  # nothing else of the console needs it

    return str(segno.make(said, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff"))


def _today(visit: Visit) -> dt.date:
    zone = ZoneInfo(visit.town.core["time_zone"]) if visit.town else dt.UTC
    return dt.datetime.fromtimestamp(visit.now, zone).date()
