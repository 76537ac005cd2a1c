"""Chats on the line: who waits, one chat with its thread, and what an operator does with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from chalicelib.actions import known_case, live, paper_case, reply_as_operator, send_file, uploads
from chalicelib.actions.desk import left
from chalicelib.cases import lifecycle, references
from chalicelib.console import pages, permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.views import case as case_view
from chalicelib.model import Case, Refused, Voice
from chalicelib.small_classes import replace

TEXT_CHARS_KEPT_MAX = 4 * reply_as_operator.ANSWER_CHARS_MAX
SEQ_DIGITS_MAX = 12
# What a page says in words; anything else that is refused is a page of its own.
PROBLEMS = (
    "no_text",
    "too_long",
    "not_yours",
    "not_on_the_line",
    "closed",
    "gone",
    "no_colleague",
    "upload_unfinished",
    "too_many_files",
)


def show(visit: Visit) -> Answer:
    """The queue alone."""
    return _page(visit, None)


def queue(visit: Visit) -> Answer:
    """Asked every few seconds: nothing (204) while nothing changed, else the queue. One read of cases."""
    rows = live.queue(visit.here, visit.now, visit.deadline)
    if live.mark(rows) == visit.query.get("since", ""):
        return Answer(status=204)
    return page(visit, "live_queue", **_queue(rows), open=visit.query.get("open", ""))


def chat(visit: Visit) -> Answer:
    """One chat with everything said; that it was opened is on record, and colleagues see it."""
    case = _chat(visit)
    others = known_case.seen_by(visit.here, case, visit.person, visit.now, visit.deadline)
    return _page(visit, case, others=others)


def said(visit: Visit) -> Answer:
    """Asked every two seconds: nothing (204) while nobody said anything, else what was said. One read."""
    of, after = visit.query.get("of", ""), _seq(visit.query.get("after", ""))
    told = live.said(visit.here, of, after, visit.now, visit.deadline) if live.is_person(of) else None
    if told == ():
        return Answer(status=204)
    case = _chat(visit)
    if not told or live.person_of(case) != of:
        raise Refused(404, "unknown_case", "There is no such chat.")
    return page(visit, "live_said", case=case, told=told, newest=told[-1].seq, **_standing(visit, case))


def take(visit: Visit) -> Answer:
    """This person has the chat from here on."""
    return _act(visit, lambda case: _take(visit, case))


def answer(visit: Visit) -> Answer:
    """Words to the citizen; a chat nobody has is taken with them. Whatever is refused, the words are kept."""
    case, typed = _chat(visit), visit.form.get("text", "").replace("\r\n", "\n")[:TEXT_CHARS_KEPT_MAX]
    try:
        if case.assignee is None and typed.strip():
            _take(visit, case)
        reply_as_operator.answer(
            visit.here, case.reference, live.named(visit.person), typed, visit.now, token_hex(4), visit.deadline
        )
    except Refused as refused:
        return _refused(visit, case, refused, typed)
    if visit.is_htmx:
        return replace(page(visit, "live_reply", **_reply(visit, case)), headers={"HX-Trigger": "answered"})
    return visit.go(f"console/live/{case.reference}")


def upload(visit: Visit) -> Answer:
    """A signed form for a file, as JSON for the page's script."""
    case, size = _chat(visit), visit.form.get("size", "")
    form = send_file.announce(
        visit.here, case.reference, visit.form.get("type", ""), int(size) if size.isdecimal() else 0
    )
    return Answer(body=json.dumps(form), content_type="application/json; charset=utf-8")


def send(visit: Visit) -> Answer:
    """An uploaded file goes to the citizen once it is checked; a chat nobody has is taken with it."""

    def act(case: Case) -> None:
        if case.assignee is None:
            _take(visit, case)
        send_file.send(
            visit.here,
            case.reference,
            live.named(visit.person),
            visit.form.get("file", "")[:60],
            paper_case.origin_of(visit.request.headers),
            visit.now,
            token_hex(4),
            visit.deadline,
        )
        live.record(visit.here, case, visit.person, "chat_file", visit.now, visit.deadline)

    return _act(visit, act)


def hand(visit: Visit) -> Answer:
    """A colleague has the chat from here on."""
    return _act(visit, lambda case: _hand(visit, case))


def close(visit: Visit) -> Answer:
    """The chat is settled, the bot is back."""

    def act(case: Case) -> None:
        live.close(visit.here, case, live.named(visit.person), visit.now, visit.deadline)
        live.record(visit.here, case, visit.person, "chat_closed", visit.now, visit.deadline)

    return _act(visit, act)


# --- parts ------------------------------------------------------------------------------------------------------


def _chat(visit: Visit) -> Case:
    reference = references.normalise(visit.params["reference"])
    case = live.chat(visit.here, reference, visit.deadline) if reference else None
    if case is None:
        raise Refused(404, "unknown_case", "There is no such chat.")
    return case


def _act(visit: Visit, act: Callable[[Case], None]) -> Answer:
    case = _chat(visit)
    try:
        act(case)
    except Refused as refused:
        return _refused(visit, case, refused)
    return visit.go(f"console/live/{case.reference}")


def _take(visit: Visit, case: Case) -> None:
    me = live.named(visit.person)
    reply_as_operator.take_over(visit.here, case.reference, me, visit.now, token_hex(4), visit.deadline)
    live.record(visit.here, case, me, "chat_taken", visit.now, visit.deadline)


def _hand(visit: Visit, case: Case) -> None:
    wanted = visit.form.get("to", "")
    others = live.colleagues(visit.here, visit.person, visit.deadline)
    colleague = next((one for one in others if one.id == wanted), None)
    if colleague is None:
        raise Refused(422, "no_colleague", "There is no such colleague.")
    reply_as_operator.hand_to(
        visit.here,
        case.reference,
        live.named(visit.person),
        live.named(colleague),
        visit.now,
        token_hex(4),
        visit.deadline,
    )
    live.record(visit.here, case, visit.person, "chat_handed", visit.now, visit.deadline)


def _refused(visit: Visit, case: Case, refused: Refused, typed: str = "") -> Answer:
    """What was refused, in words, with everything typed; the chat is shown as it is by now."""
    if refused.code not in PROBLEMS:
        raise refused
    now = live.chat(visit.here, case.reference, visit.deadline) or case
    if visit.is_htmx:
        return page(visit, "live_reply", **_reply(visit, now, refused.code, typed))
    return _page(visit, now, refused.status, problem=refused.code, typed=typed)


def _page(visit: Visit, case: Case | None, status: int = 200, **more: Any) -> Answer:
    rows = live.queue(visit.here, visit.now, visit.deadline)
    shown: dict[str, Any] = {
        **_queue(rows),
        "case": case,
        "open": case.reference if case else "",
        "others": (),
        "files": (),
    }
    if case:
        shown |= _thread(visit, case) | _reply(visit, case)
    origin = uploads.origin()
    return pages.with_media(page(visit, "live", status, **shown | more), origin, uploads=origin)


def _queue(rows: tuple[live.Row, ...]) -> dict[str, Any]:
    waiting = [row for row in rows if row.state != live.TALKS]
    longest = max((row.minutes for row in waiting), default=0)
    return {"rows": rows, "mark": live.mark(rows), "waiting": len(waiting), "longest": longest}


def _thread(visit: Visit, case: Case) -> dict[str, Any]:
    told = live.said(visit.here, live.person_of(case), 0, visit.now, visit.deadline)
    voice, ready = live.ready(visit.here, case, told)
    return {
        "files": case_view.files(case),
        "told": told,
        "newest": told[-1].seq if told else 0,
        "ready": ready,
        "spoken": voice,
        "spoken_tag": _tag(voice),
        "colleagues": live.colleagues(visit.here, visit.person, visit.deadline),
        "elsewhere": [
            (one, left(visit.here, one, visit.now), permissions.sees(visit.person, one))
            for one in live.others(visit.here, case, visit.deadline)
        ],
        **_standing(visit, case),
    }


def _standing(visit: Visit, case: Case) -> dict[str, Any]:
    """Whose the chat is, and as whom its citizen is known to the page that asks for news."""
    return {
        "of": live.person_of(case),
        "is_open": lifecycle.is_open(case),
        "mine": case.assignee is not None and case.assignee[:2] == ("staff", visit.person.id),
        "tag": _tag,
    }


def _reply(visit: Visit, case: Case, problem: str = "", typed: str = "") -> dict[str, Any]:
    return {"case": case, "problem": problem, "typed": typed, "chars_max": reply_as_operator.ANSWER_CHARS_MAX}


def _tag(voice: Voice | None) -> str:
    """The `lang` of words said in a voice; "" where nobody knows."""
    return voice.tag if voice else ""


def _seq(written: str) -> int:
    return int(written) if written.isdecimal() and len(written) <= SEQ_DIGITS_MAX else 0
