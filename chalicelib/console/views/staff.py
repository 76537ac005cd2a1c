"""Who works in the town: the list, the invitation, one person's work, absence and way in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from chalicelib.actions import manage_staff
from chalicelib.actions.manage_staff import ADMIN, TOWN_ROLES, NotPossible, Work
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import VOICES, wording
from chalicelib.days import day_in
from chalicelib.model import Refused, Staff

SAID = ("work", "away", "out", "in")


def show(visit: Visit) -> Answer:
    """Everybody who works here: who may sign in first, then by name."""
    everybody = manage_staff.everybody(visit.here, visit.deadline)
    ranked = sorted(everybody, key=lambda one: (one.disabled, (one.name or one.mail).casefold()))
    return page(visit, "staff", people=ranked, today=_today(visit).isoformat())


def blank(visit: Visit) -> Answer:
    """The form of an invitation."""
    return _invitation(visit)


def invite(visit: Visit) -> Answer:
    """An account for somebody new; the page that answers is the only one that ever shows the password."""
    mail, work = visit.form.get("mail", "").strip(), _work(visit)
    letter = _letter(visit, work) if visit.form.get("letter") else None
    try:
        password = manage_staff.invite(visit.here, visit.person.by, mail, work, visit.now, visit.deadline, letter)
    except NotPossible as error:
        return _invitation(visit, 422, mail=mail, work=work, problem=error.code)
    return page(visit, "staff_password", mail=mail, password=password, invited=True, wrote=letter is not None)


def person(visit: Visit) -> Answer:
    """One member of staff."""
    said = visit.query.get("said", "")
    return _person(visit, said=said if said in SAID else "")


def give_work(visit: Visit) -> Answer:
    """Another role, other offices, another name."""
    work = _work(visit)
    return _done(
        visit,
        "work",
        lambda who: manage_staff.give_work(visit.here, visit.person, who, work, visit.now, visit.deadline),
    )


def send_away(visit: Visit) -> Answer:
    """Who stands in, and until when somebody is away."""
    deputy, until = visit.form.get("deputy", ""), visit.form.get("until", "").strip()
    return _done(
        visit,
        "away",
        lambda who: manage_staff.send_away(
            visit.here, visit.person, who, deputy, until, _today(visit), visit.now, visit.deadline
        ),
    )


def shut_out(visit: Visit) -> Answer:
    """No way in any more."""
    return _done(
        visit, "out", lambda who: manage_staff.shut_out(visit.here, visit.person, who, visit.now, visit.deadline)
    )


def let_in(visit: Visit) -> Answer:
    """A way in again."""
    return _done(visit, "in", lambda who: manage_staff.let_in(visit.here, visit.person, who, visit.now, visit.deadline))


def renew_password(visit: Visit) -> Answer:
    """A new password for one sign-in, shown this once."""
    who = visit.params["person"]
    try:
        one, password = manage_staff.renew_password(visit.here, visit.person, who, visit.now, visit.deadline)
    except NotPossible as error:
        return _person(visit, 422, problem=error.code)
    return page(visit, "staff_password", mail=one.mail, password=password, invited=False, wrote=False)


# --- parts ------------------------------------------------------------------------------------------------------


def _done(visit: Visit, said: str, act: Any) -> Answer:
    try:
        act(visit.params["person"])
    except NotPossible as error:
        return _person(visit, 422, problem=error.code)
    return visit.go(f"console/staff/{visit.params['person']}?said={said}")


def _invitation(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {"mail": "", "work": Work("clerk"), "problem": ""}
    return page(visit, "staff_new", status, roles=TOWN_ROLES, offices=_offices(visit), **blank | shown)


def _person(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    found = manage_staff.person_of(visit.here, visit.params["person"], visit.deadline)
    if found is None:
        raise Refused(404, "unknown_person", "Nobody of that name works here.")
    one, everybody = found
    blank: dict[str, Any] = {"said": "", "problem": ""}
    return page(
        visit,
        "staff_person",
        status,
        one=one,
        others=[other for other in everybody if other.id != one.id and not other.disabled],
        roles=TOWN_ROLES,
        offices=_offices(visit),
        is_me=one.id == visit.person.id,
        is_last_admin=_is_last_admin(one, everybody),
        today=_today(visit).isoformat(),
        **blank | shown,
    )


def _is_last_admin(one: Staff, everybody: Any) -> bool:
    admins = [other for other in everybody if other.role == ADMIN and not other.disabled]
    return admins == [one]


def _work(visit: Visit) -> Work:
    form, offices = visit.form, _offices(visit)
    language = form.get("language", "")
    return Work(
        role=form.get("role", ""),
        offices=tuple(office for office in offices if form.get(f"office.{office}")),
        name=form.get("name", ""),
        language=language if language in VOICES else "",
    )


def _letter(visit: Visit, work: Work) -> dict[str, str]:
    """The invitation in the language of whoever is invited. The password is not in it."""
    say = wording(work.language, visit.here)
    town, address = say.name_of_town(), f"{visit.request.headers.get('referer', '').partition('/console/')[0]}/console"
    return {
        "subject": say.plain("invitation_subject", town=town),
        "text": say.plain("invitation_text", town=town, address=address),
    }


def _offices(visit: Visit) -> list[str]:
    return [office["id"] for office in visit.here.core["offices"]]


def _today(visit: Visit) -> dt.date:
    return day_in(visit.here.core["time_zone"], visit.now)
