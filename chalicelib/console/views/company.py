"""A case handed to a public company: the link leaves by e-mail, and can be taken back."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.actions import hand_to_company
from chalicelib.actions.hand_to_company import NotHanded, Wanted
from chalicelib.actions.work_case import ChangedMeanwhile
from chalicelib.console.door import Answer, Visit
from chalicelib.console.views.case import conflict, shown, the_case, version
from chalicelib.console.wording import wording
from chalicelib.storage.orders import Order


def hand(visit: Visit) -> Answer:
    """Send the order."""
    case, wanted = the_case(visit), _wanted(visit)
    say = wording("", visit.here)
    # The e-mail must name the whole address; the browser says by which one it came here.
    address = visit.request.headers.get("referer", "").partition("/console/")[0]

    def letter(order: Order, token: str) -> Mapping[str, str]:
        town = say.name_of_town()
        what, until = say.subject(case), say.day(order.until)
        place = case.place.text if case.place and case.place.text else say.plain("crew_place_in_link")
        text = say.plain(
            "crew_mail_text", town=town, what=what, place=place, address=f"{address}/crew/{token}", until=until
        )
        return {"subject": say.plain("crew_mail_subject", what=what, number=case.reference), "text": text}

    try:
        hand_to_company.hand(visit.here, case, visit.person, wanted, version(visit), letter, visit.now, visit.deadline)
    except NotHanded as error:
        return shown(visit, case, handing=wanted, problem=error.code, status=422)
    except ChangedMeanwhile as meanwhile:
        return conflict(visit, meanwhile, handing=wanted)
    return visit.go(f"console/cases/{case.reference}?said=handed")


def revoke(visit: Visit) -> Answer:
    """Take the link back."""
    case = the_case(visit)
    hand_to_company.revoke(visit.here, case, visit.person, visit.form.get("order", "")[:64], visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=revoked")


def _wanted(visit: Visit) -> Wanted:
    form = visit.form
    days = form.get("days", "")
    return Wanted(
        company=form.get("company", "")[:60],
        name=form.get("name", "")[: hand_to_company.NAME_CHARS_MAX],
        mail=form.get("mail", "")[: hand_to_company.MAIL_CHARS_MAX],
        days=int(days) if days.isdecimal() and len(days) < 4 else 0,
        shares=tuple(share for share in hand_to_company.SHARES if form.get(f"share_{share}")),
    )
