"""Announcements: written, looked at as they will be read, approved by a second person, watched while they are sent."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import announce, illustrate, paper_case, uploads
from chalicelib.cases import announcements as rules
from chalicelib.cases.announcements import NotNow, Progress
from chalicelib.console import pages, permissions, proving
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.proving import Proof
from chalicelib.model import Announcement, Audience, Refused, Town
from chalicelib.services import news
from chalicelib.wire import Deadline

CHOICES = ("topic", "settlement", "language", "channel")
TYPED_CHARS_MAX = 2000
TITLE_CHARS = 70
VERSION_DIGITS_MAX = 9
BAR_WIDTH = 1000.0
PARTS = ("seen", "delivered", "sent", "failed", "uncertain")  # of the bar, each without those before it
SAID = ("rewritten", "approved", "stopped", "taken_back", "resumed", "resend", "leave")


def show(visit: Visit) -> Answer:
    """The newest announcements."""
    found = announce.newest(visit.here, visit.deadline)
    return page(visit, "announcements", found=found, title=_title)


def new(visit: Visit) -> Answer:
    """The form, empty or with the words of an earlier one."""
    typed: dict[str, str] = {}
    if "from" in visit.query:
        earlier = announce.load(visit.here, visit.query["from"], visit.deadline).announcement
        typed = {f"text.{language}": words for language, words in earlier.text.items()}
    return _form(visit, typed)


def write(visit: Visit) -> Answer:
    """A draft with its receivers counted; its page shows it as it will be read."""
    typed = _typed(visit)
    try:
        text, audience, at = _asked(visit, typed)
        draft = announce.draft(visit.here, text, audience, at, visit.person.by, visit.now, visit.deadline)
    except Refused as refusal:
        return _form(visit, typed, 422, wrong=refusal.code, field=refusal.field_name or "")
    return visit.go(f"console/announcements/{draft.id}")


def edit(visit: Visit) -> Answer:
    """The form with a draft's words in it."""
    found = _load(visit).announcement
    if not _fits_the_form(found):
        raise Refused(404, "nothing_there", "There is no such draft.")
    chosen = zip(CHOICES, _choices(found.audience), strict=True)
    typed = {name: values[0] if values else "" for name, values in chosen}
    typed["settlement"] = announce.settlements(visit.here).get(typed["settlement"], "")
    typed |= {f"text.{language}": words for language, words in found.text.items()}
    typed["at"] = _local(visit, found.at).isoformat(timespec="minutes") if found.at else ""
    return _form(visit, typed, editing=found.id, seen=found.v)


def rewrite(visit: Visit) -> Answer:
    """Its new words, unless a colleague was faster; then nothing typed is lost."""
    typed, identifier = _typed(visit), visit.params["identifier"]
    written = visit.form.get("seen", "")
    seen = int(written) if written.isdecimal() and len(written) <= VERSION_DIGITS_MAX else 0
    shown = {"editing": identifier, "seen": seen}
    try:
        text, audience, at = _asked(visit, typed)
        by = visit.person.by
        announce.rewrite(visit.here, identifier, text, audience, at, by, seen, visit.now, visit.deadline)
    except NotNow as error:
        wrong = error.code if error.code == "picture_text_too_long" else "changed_meanwhile"
        return _form(visit, typed, 409, wrong=wrong, **shown)
    except Refused as refusal:
        if refusal.status == 404:
            raise
        return _form(visit, typed, 422, wrong=refusal.code, field=refusal.field_name or "", **shown)
    return visit.go(f"console/announcements/{identifier}?said=rewritten")


def one(visit: Visit) -> Answer:
    """A draft to be approved, or what became of it."""
    return _page(visit, _load(visit))


def state(visit: Visit) -> Answer:
    """The part that changes while it is sent."""
    return page(visit, "announcement_state", **_shown(visit, _load(visit)))


def upload(visit: Visit) -> Answer:
    """A signed form for a picture, as JSON for the page's script."""
    size, found = visit.form.get("size", ""), _load(visit).announcement
    form = illustrate.upload(visit.here, found.id, visit.form.get("type", ""), int(size) if size.isdecimal() else 0)
    return Answer(body=json.dumps(form), content_type="application/json; charset=utf-8")


def picture(visit: Visit) -> Answer:
    """The uploaded picture is the draft's; without one the draft has none any more."""
    name, origin = visit.form.get("file", "")[:60], paper_case.origin_of(visit.request.headers)
    if not name:
        return _done(visit, "rewritten", illustrate.remove)

    def attach(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> None:
        illustrate.attach(town, identifier, name, origin, by, now, deadline)

    return _done(visit, "rewritten", attach)


def approve(visit: Visit) -> Answer:
    """Let it be sent as it was looked at; above the town's bound whoever wrote it may not, and whoever may shows once
    more who they are, and it waits a while."""
    written = visit.form.get("seen", "")
    seen = int(written) if written.isdecimal() and len(written) <= VERSION_DIGITS_MAX else None
    proof = proving.brought(visit)
    if proof.refused_with:
        return _page(visit, _load(visit), proof.refused_with, proof=proof)
    wait = announce.undo_seconds(visit.here)
    act = partial(announce.approve, seen=seen, proved=proof.given, undo_seconds=wait)
    return _done(proof.visit, "approved", act)


def stop(visit: Visit) -> Answer:
    """Take it back while it waits to leave; else send no further page."""
    identifier = visit.params["identifier"]
    try:
        after = announce.halt(visit.here, identifier, visit.person.by, visit.now, visit.deadline)
    except NotNow as error:
        return _page(visit, _load(visit), 422, problem=error.code)
    said = "taken_back" if after.state == rules.DRAFT else "stopped"
    return visit.go(f"console/announcements/{identifier}?said={said}")


def resume(visit: Visit) -> Answer:
    """Go on after a pause."""
    return _done(visit, "resumed", announce.resume)


def decide(visit: Visit) -> Answer:
    """Send a page again whose answer was lost, or leave it at that."""
    written, what = visit.form.get("n", ""), visit.form.get("what", "")
    if what not in (announce.RESEND, announce.LEAVE) or not written.isdecimal() or len(written) > 5:
        raise Refused(404, "nothing_there", "There is no such page.")
    identifier = visit.params["identifier"]
    try:
        announce.decide(visit.here, identifier, int(written), what, visit.person.by, visit.now, visit.deadline)
    except NotNow as error:
        return _page(visit, _load(visit), 422, problem=error.code)
    return visit.go(f"console/announcements/{identifier}?said={what}")


# --- parts ------------------------------------------------------------------------------------------------------


def _typed(visit: Visit) -> dict[str, str]:
    return {name: value[:TYPED_CHARS_MAX] for name, value in visit.form.items()}


def _asked(visit: Visit, typed: dict[str, str]) -> tuple[dict[str, str], Audience, int]:
    """What stands on the form: words, audience, time. Raises Refused 422."""
    text = {language: typed.get(f"text.{language}", "") for language in visit.here.languages}
    chosen = [(typed[name],) if typed.get(name) else () for name in CHOICES]
    return text, Audience(*chosen), _at(visit, typed.get("at", ""))


def _choices(audience: Audience) -> tuple[tuple[str, ...], ...]:
    return audience.topics, audience.settlements, audience.languages, audience.channels


def _fits_the_form(found: Announcement) -> bool:
    """A draft whose audience the form can show; a town's system may choose several topics at once."""
    return found.state == rules.DRAFT and all(len(chosen) <= 1 for chosen in _choices(found.audience))


def _load(visit: Visit) -> Progress:
    return announce.load(visit.here, visit.params["identifier"], visit.deadline)


def _done(visit: Visit, said: str, act: Any) -> Answer:
    identifier = visit.params["identifier"]
    try:
        act(visit.here, identifier, visit.person.by, visit.now, visit.deadline)
    except NotNow as error:
        return _page(visit, _load(visit), 422, problem=error.code)
    return visit.go(f"console/announcements/{identifier}?said={said}")


def _form(visit: Visit, typed: dict[str, str], status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {"wrong": "", "field": "", "editing": "", "seen": 0}
    return page(
        visit,
        "announcement_new",
        status,
        typed=typed,
        topics=announce.topics(visit.here),
        service=news.service_of(visit.here) or "",
        settlements=visit.here.core["settlements"],
        channels=announce.CHANNELS,
        chars_max=rules.TEXT_CHARS_MAX,
        **(blank | shown),
    )


def _page(visit: Visit, progress: Progress, status: int = 200, problem: str = "", proof: Proof | None = None) -> Answer:
    found, said = progress.announcement, visit.query.get("said", "")
    many = sum(found.receivers.values()) > announce.bound(visit.here) or problem == proving.NEEDED
    mine = found.state == rules.DRAFT and found.by != visit.person.by and visit.may(permissions.APPROVE)
    drawn = page(
        visit,
        "announcement",
        status,
        problem=problem,
        proof=proof,
        asked=proving.asked(visit, wanted=many and mine),
        undo_minutes=announce.undo_seconds(visit.here) // 60 if many else 0,
        said=said if said in SAID else "",
        previews=announce.preview(visit.here, dict(found.text), visit.now),
        service=news.service_of(visit.here) or "",
        places=announce.settlements(visit.here),
        title=_title,
        picture_chars=rules.PICTURE_TEXT_CHARS_MAX,
        picture=illustrate.state(found, visit.now, visit.deadline),
        picture_at=f"pictures/{visit.here.slug}/{found.id}/{illustrate.SMALL}",
        **_shown(visit, progress),
    )
    origin = uploads.origin()
    return pages.with_media(drawn, origin, uploads=origin)


def _shown(visit: Visit, progress: Progress) -> dict[str, Any]:
    found = progress.announcement
    total = sum(found.receivers.values())
    bound = announce.bound(visit.here)
    return {
        "progress": progress,
        "found": found,
        "can_edit": _fits_the_form(found),
        "moving": progress.state in (rules.APPROVED, rules.SENDING),
        "waits": rules.waits(found),
        "price": announce.price(visit.here, found),
        "bound": bound,
        "second": total > bound and found.by == visit.person.by,
        "bar": _bar(progress),
        "uncertain": [one for one in progress.pages if one.state == rules.UNCERTAIN],
        "sizes": {one.n: one.size for one in found.pages},
        "reasons": sorted(progress.reasons.items(), key=lambda item: -item[1]),
    }


def _bar(progress: Progress) -> list[tuple[str, float, float]]:
    """Name, left edge and width of the parts of the bar."""
    counts, total = progress.counts, max(1, progress.counts["audience"])
    numbers = {
        "seen": counts["seen"],
        "delivered": counts["delivered"] - counts["seen"],
        "sent": counts["sent"] - counts["delivered"],
        "failed": counts["failed"],
        "uncertain": counts["uncertain"],
    }
    bar, left = [], 0.0
    for name in PARTS:
        width = round(BAR_WIDTH * numbers[name] / total, 1)
        bar.append((name, round(left, 1), width))
        left += width
    return bar


def _title(found: Announcement) -> str:
    """The beginning of its words, to know it by."""
    first = next(iter(found.text.values())).partition("\n")[0]
    return first if len(first) <= TITLE_CHARS else first[: TITLE_CHARS - 1].rstrip() + "…"


def _at(visit: Visit, written: str) -> int:
    """The time on a form, in the town's own time. Raises Refused 422."""
    if not written:
        return 0
    try:
        local = dt.datetime.fromisoformat(written)
    except ValueError as error:
        raise Refused(422, "bad_time", "Not a time.", "at") from error
    return int(local.replace(tzinfo=ZoneInfo(visit.here.core["time_zone"])).timestamp())


def _local(visit: Visit, at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, ZoneInfo(visit.here.core["time_zone"])).replace(tzinfo=None)
