"""E-mails to staff about deadlines, files of cases and the town's systems, and the words of reminders in their chat.

No citizen's word or name is in any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.cases import moments, notices
from chalicelib.dialogue import chat, words
from chalicelib.model import Case, Line, Link, Say, Staff, Town, Voice
from chalicelib.services import case_status
from chalicelib.storage.imports import REFUSED, Import

LISTED_MAX = 60  # cases one digest lists; of more it gives the number
LISTED_IN_CHAT_MAX = 8


def digest(town: Town, reader: Staff, cases: Sequence[Case], until: int, now: float) -> Mapping[str, str]:
    """What is overdue and what is due until then, office by office, the most urgent first."""
    day = {"date": case_status.date(town, until)}
    late, soon = _by_urgency(cases, now)
    shown = (late + soon)[:LISTED_MAX]
    parts = [Line("mail_digest", day)]
    for office in dict.fromkeys(case.office for case in shown):
        parts.append(Line("mail_office", {"unit": notices.unit(town.core, office) if office else "–"}))
        for title, some in (("mail_late", late), ("mail_soon", soon)):
            listed = [case for case in shown if case.office == office and case in some]
            if listed:
                parts += [Line(title), *(_line(town, case) for case in listed)]
    if len(cases) > LISTED_MAX:
        parts.append(Line("mail_more", {"n": len(cases) - LISTED_MAX}))
    subject = Line("mail_digest_subject", {"n": len(cases), **day})
    return _letter(town, reader, subject, parts)


def about(town: Town, reader: Staff, case: Case, stage: str) -> Mapping[str, str]:
    """One case whose deadline asks for something: reminded, escalated, overdue."""
    subject = Line(f"mail_{stage}_subject", _of(town, case))
    office = Line("mail_office", {"unit": notices.unit(town.core, case.office) if case.office else "–"})
    return _letter(town, reader, subject, [Line(f"mail_{stage}"), _line(town, case), office])


def digest_in_chat(town: Town, cases: Sequence[Case], until: int, now: float, origin: str) -> Say:
    """The same in a chat, shorter. `origin`: where the console is reached, "" for no link."""
    late, soon = _by_urgency(cases, now)
    lines = [Line("remind_digest", {"n": len(cases), "date": case_status.date(town, until)})]
    shown = late[:LISTED_IN_CHAT_MAX]
    for title, some in (("mail_late", shown), ("mail_soon", soon[: LISTED_IN_CHAT_MAX - len(shown)])):
        if some:
            lines += [Line(title), *(_line(town, case) for case in some)]
    if len(cases) > LISTED_IN_CHAT_MAX:
        lines.append(Line("mail_more", {"n": len(cases) - LISTED_IN_CHAT_MAX}))
    return _in_chat(lines, origin and f"{origin}/console/inbox")


def about_in_chat(town: Town, case: Case, stage: str, origin: str) -> Say:
    """One case whose deadline asks for something, in a chat."""
    office = [Line("mail_office", {"unit": notices.unit(town.core, case.office)})] if case.office else []
    lines = [Line(f"remind_{stage}"), _line(town, case), *office]
    return _in_chat(lines, origin and f"{origin}/console/cases/{case.reference}")


def imported(town: Town, reader: Staff, job: Import) -> Mapping[str, str]:
    """What became of a file that the town's program laid into the bucket: numbers only."""
    named: dict[str, Any] = {"file": job.name or job.source}
    if job.state == REFUSED:
        return _letter(town, reader, Line("mail_import_refused_subject", named), [Line("mail_import_refused", named)])
    counts = {"applied": job.applied, "unchanged": job.unchanged, "rejected": job.rejected}
    parts = [Line("mail_imported", named | counts), *([Line("mail_import_look")] if job.rejected else [])]
    return _letter(town, reader, Line("mail_imported_subject", named | counts), parts)


def switched_off(town: Town, reader: Staff, callback: str, since: int) -> Mapping[str, str]:
    """A system of the town's that took nothing for days and is told nothing more."""
    told: dict[str, Any] = {"name": callback, "date": case_status.date(town, since)}
    return _letter(town, reader, Line("mail_callback_off_subject", told), [Line("mail_callback_off", told)])


def _letter(town: Town, reader: Staff, subject: Line, parts: Sequence[Line]) -> Mapping[str, str]:
    voice = words.spoken(town, Voice(reader.language or town.native_language))
    text = "\n".join(words.line(part, town, voice) for part in parts)
    foot = words.line(Line("mail_foot"), town, voice)
    return {"to": reader.mail, "subject": words.line(subject, town, voice), "text": f"{text}\n\n{foot}"}


def _by_urgency(cases: Sequence[Case], now: float) -> tuple[list[Case], list[Case]]:
    """Those overdue, and the others."""
    return [case for case in cases if case.due_at <= now], [case for case in cases if case.due_at > now]


def _in_chat(lines: Sequence[Line], address: str) -> Say:
    link = Link(Line("remind_open"), address) if address else None
    return Say(lines=tuple(lines), choices=chat.choices("consent.end_reminders"), link=link)


def _line(town: Town, case: Case) -> Line:
    return Line("mail_line", _of(town, case))


def _of(town: Town, case: Case) -> dict[str, Any]:
    return {
        "case_no": notices.number_for_citizen(case),
        "what": case_status.what(case),
        "status": notices.status_label(case.status),
        **moments.named(town.core, case.due_at),
    }
