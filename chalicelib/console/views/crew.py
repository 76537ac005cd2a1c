"""The page of a public company's link: what is broken, where, by when; taken, asked, declined, repaired.

Nobody signs in: the link is the key. It is in the town's own language, and needs no script but for photos.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from secrets import token_hex

from chalicelib.actions import serve_company, uploads
from chalicelib.actions.desk import left
from chalicelib.actions.serve_company import Given, LinkEnded
from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import NotAllowed
from chalicelib.console import pages
from chalicelib.console.door import Answer, Visit
from chalicelib.console.link_form import check, mark
from chalicelib.console.views.case import Shown, files, to_file
from chalicelib.console.wording import Wording, wording
from chalicelib.model import Refused
from chalicelib.storage import outbox, staff
from chalicelib.storage.dynamo import Write

WORDS_CHARS_MAX = serve_company.WORDS_CHARS_MAX
SAID = ("taken", "asked", "declined", "done", "photo")


def show(visit: Visit) -> Answer:
    """What the company needs to know, and what it can do."""
    try:
        given = _given(visit)
    except LinkEnded as ended:
        return _ended(visit, ended.given)
    serve_company.opened(given, visit.now, visit.deadline)
    said = visit.query.get("said", "")
    return _page(visit, given, said=said if said in SAID else "")


def act(visit: Visit) -> Answer:
    """One of the buttons."""
    try:
        given = _given(visit)
    except LinkEnded as ended:
        return _ended(visit, ended.given)
    check(visit)
    verb, text = visit.form.get("do", ""), visit.form.get("text", "").strip()[:WORDS_CHARS_MAX]
    try:
        said = _done(visit, given, verb, text)
    except NotAllowed:
        return _page(visit, given, problem="crew_not_now", text=text, status=422)
    except Refused as error:
        if error.code not in ("no_words", "changed_meanwhile", "upload_unfinished", "too_many_photos"):
            raise
        return _page(visit, given, problem=f"crew_{error.code}", text=text, status=error.status)
    return visit.go(f"crew/{visit.params['token']}?said={said}")


def upload(visit: Visit) -> Answer:
    """A signed form for a photo, as JSON for the page's script."""
    given = _given(visit)
    check(visit)
    size = visit.form.get("size", "")
    form = serve_company.upload(given, visit.form.get("type", ""), int(size) if size.isdecimal() else 0)
    return Answer(body=json.dumps(form), content_type="application/json; charset=utf-8")


def file(visit: Visit) -> Answer:
    """On to a photo that is shared, or one of their own."""
    given = _given(visit)
    shared = {one.id for one in _shared(given)}
    if visit.params["number"] not in shared:
        raise Refused(404, "nothing_there", "There is no such file.")
    return to_file(visit, given.case)


# --- parts ------------------------------------------------------------------------------------------------------


def _given(visit: Visit) -> Given:
    return serve_company.find(visit.params["token"], visit.now, visit.deadline)


def _done(visit: Visit, given: Given, verb: str, text: str) -> str:
    match verb:
        case "take":
            serve_company.take(given, visit.now, visit.deadline)
            return "taken"
        case "ask":
            serve_company.ask(given, text, _letter(visit, given, "asked", text), visit.now, visit.deadline)
            return "asked"
        case "decline":
            serve_company.decline(given, text, _letter(visit, given, "declined", text), visit.now, visit.deadline)
            return "declined"
        case "done":
            serve_company.finish(given, text, visit.now, visit.deadline)
            return "done"
        case "photo":
            serve_company.photo(given, visit.form.get("photo", "")[:60], visit.now, visit.deadline)
            return "photo"
    raise Refused(422, "unknown_act", "There is no such button.", "do")


def _letter(visit: Visit, given: Given, what: str, text: str) -> Sequence[Write]:
    """An e-mail to whoever handed the case over, in their language; nothing if they are gone."""
    people = staff.all_of(given.town.slug, visit.deadline)
    reader = next((person for person in people if person.by == given.order.by and not person.disabled), None)
    if reader is None or not text:
        return ()
    say = wording(reader.language, given.town)
    values = {"who": given.order.name, "number": given.case.reference, "what": say.subject(given.case)}
    mail = {
        "to": reader.mail,
        "subject": say.plain(f"crew_mail_{what}_subject", **values),
        "text": say.plain(f"crew_mail_{what}_text", text=text, **values),
    }
    return (outbox.write(given.town.slug, "email", mail, visit.now, row=f"crew-{token_hex(10)}"),)


def _shared(given: Given) -> list[Shown]:
    return [one for one in files(given.case) if one.repair or "photos" in given.order.shares]


def _page(visit: Visit, given: Given, status: int = 200, said: str = "", problem: str = "", text: str = "") -> Answer:
    say = _say(given)
    origin = uploads.origin()
    shared = _shared(given)
    body = pages.draw(
        "crew",
        visit=visit,
        t=say,
        town=given.town,
        case=given.case,
        order=given.order,
        left=left(given.town, given.case, visit.now),
        mark=mark(visit),
        is_open=lifecycle.is_open(given.case),
        description=serve_company.description(given.case) if "description" in given.order.shares else "",
        photos=[one for one in shared if not one.repair],
        repairs=[one for one in shared if one.repair],
        said=said,
        problem=problem,
        text=text,
    )
    return pages.with_media(Answer(body, status), origin, uploads=origin)


def _ended(visit: Visit, given: Given) -> Answer:
    body = pages.draw("crew_ended", visit=visit, t=_say(given), town=given.town, order=given.order)
    return Answer(body, 410)


def _say(given: Given) -> Wording:
    """The town's own language and script."""
    return wording("", given.town)
