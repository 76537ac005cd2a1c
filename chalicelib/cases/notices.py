"""What a citizen is told when a case changes: state, office, official, awaited institution, next step. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.cases import deadlines, lifecycle, moments, routing
from chalicelib.model import CASES, REMINDERS, Case, Choice, Happening, Line, Say, case_choice
from chalicelib.small_classes import replace

RESOLVED = "resolved"
# The contract's name → the glossary's, where they differ.
_LABELS = {"awaiting_citizen": "awaiting_applicant"}
# Beside every change of status, these are told; anything else only when it carries a note for the citizen.
_TOLD = frozenset(("forwarded", lifecycle.REOPENED))
_OF_THE_OFFICE = (lifecycle.ATTACHED, lifecycle.REMINDED, lifecycle.ESCALATED)
_NEVER_TOLD = frozenset(("opened", lifecycle.RATED, "notice", "followed", "purged", *_OF_THE_OFFICE))
_HEADLINES = frozenset(
    ("case_reopened", "case_forwarded", "status_changed", "case_news", "overdue_told", "case_validated")
)
_NEWS = "case_news"
_NEXT = "next_"
REMINDING = "remind_"  # how the words to staff begin
_STATES = ("status_changed", _NEWS)  # the headlines that name the status
_STANDING = frozenset(("status_office", "status_officer", "status_awaiting_opinion"))
BUNDLE_LINES_MAX = 60  # far beyond what one quiet window brings
_URGENT = frozenset(("overdue_told",))  # what cannot wait until the citizen writes again, whatever it costs


def notice(case: Case, core: Mapping[str, Any]) -> Say | None:
    """The words for the citizen about the last entry of the case's history; None if it is the office's own business.

    `core` is the town's: an office is named by its title there.
    """
    happening = case.history[-1]
    public_note = happening.note if happening.public else ""
    moved = _moved(case) or happening.event in _TOLD
    starts = _starts_now(case, core)
    if happening.event == lifecycle.OVERDUE:
        return _missed(case, core)
    if happening.event in _NEVER_TOLD or not (moved or starts or public_note):
        return None
    lines = [_headline(case, happening, core, moved), *(moments.due_lines(core, case) if starts else ())]
    lines += _who(case, core)
    if moved:
        lines.append(next_step(happening.status))
    if public_note:
        lines.insert(1, Line("notice_note", {"note": public_note}))
    settled = moved and happening.status == RESOLVED
    return Say(
        lines=tuple(lines),
        choices=settled_or_not(case.reference) if settled else (),
        ask="choice" if settled else None,
        case=case.reference,
    )


def settled_or_not(reference: str) -> tuple[Choice, ...]:
    """What whoever filed a resolved case may answer with one tap."""
    return case_choice("fixed", reference, "btn_fixed"), case_choice("unfixed", reference, "btn_unfixed")


def without_buttons(say: Say) -> Say:
    """The same notice for somebody who only reads it."""
    return replace(say, choices=(), ask=None)


def bundled(says: Sequence[Say]) -> Say:
    """Several notices of one case, oldest first, as one: how the case stands now, then every fact in the order in which
    it happened, then what comes next. Such a one may be bundled again."""
    newest = says[-1]
    if len(says) == 1:
        return newest
    told = [line for say in says for line in say.lines]
    moved = next((say for say in reversed(says) if any(map(_is_next, say.lines))), newest)
    facts = [line for line in told if line.key != _NEWS and not _is_next(line)]
    lines = [*_standing(told), *_without_repeats(facts)[-BUNDLE_LINES_MAX:]]
    lines += [line for line in moved.lines if _is_next(line)]
    return replace(newest, lines=tuple(lines), choices=moved.choices, ask=moved.ask)


def _standing(told: Sequence[Line]) -> Iterator[Line]:
    """How the case stands after all that is told: what comes next, or a headline, says it."""
    number = next(line.args["case_no"] for line in reversed(told) if "case_no" in line.args)
    for line in reversed(told):
        if _is_next(line) or line.key in _STATES:
            status = status_label(line.key.removeprefix(_NEXT)) if _is_next(line) else line.args["status"]
            yield Line(_NEWS, {"case_no": number, "status": status})
            return


def _is_next(line: Line) -> bool:
    return line.key.startswith(_NEXT)


def _without_repeats(lines: Sequence[Line]) -> list[Line]:
    """Office, official and institution are said again only where they became others."""
    said: dict[str, Line] = {}
    kept = []
    for line in lines:
        if line.key not in _STANDING or said.get(line.key) != line:
            kept.append(line)
        said[line.key] = line
    return kept


def status_label(status: str) -> Line:
    """A status as a citizen reads it."""
    return Line(f"status.{_LABELS.get(status, status)}")


def next_step(status: str) -> Line:
    """What happens next to a case of this status, and what the citizen can do."""
    return Line(f"{_NEXT}{status}")


def number_for_citizen(case: Case) -> str:
    """The number a citizen knows the case by: the town's own file number where there is one."""
    return case.number or case.reference


def unit(core: Mapping[str, Any], written: str) -> Line | str:
    """An office by its title, in the reader's language; anything else as it was written."""
    if any(office["id"] == written for office in core["offices"]):
        return Line(f"{routing.contacts_service(core)}.{written}")
    return written


def is_notice(say: Say) -> bool:
    """Whether these words are such a notice."""
    return bool(say.lines) and say.lines[0].key in _HEADLINES


def stands_on(say: Say) -> str:
    """The topic of the consent without which these words may not go out; "" where they need none."""
    if say.lines and say.lines[0].key.startswith(REMINDING):
        return REMINDERS
    return CASES if is_notice(say) else ""


def may_wait(say: Say) -> bool:
    """Whether a town that pays for it may let these words wait until the citizen writes again."""
    return is_notice(say) and say.lines[0].key not in _URGENT


def _moved(case: Case) -> bool:
    """Whether the status became another with the last entry, by whatever name."""
    return len(case.history) > 1 and case.history[-2].status != case.history[-1].status


def _starts_now(case: Case, core: Mapping[str, Any]) -> bool:
    """Whether the clock has just started, because the request was found complete."""
    term = routing.route(core, case.kind, case.category).term
    validated = case.history[-1].event == lifecycle.VALIDATED and bool(case.due_at)
    return validated and term is not None and term.starts == deadlines.VALIDATION


def _headline(case: Case, happening: Happening, core: Mapping[str, Any], moved: bool) -> Line:
    number = number_for_citizen(case)
    if _starts_now(case, core):
        return Line("case_validated", {"case_no": number})
    if happening.event == lifecycle.REOPENED:
        return Line("case_reopened", {"case_no": number})
    forwarded_to = case.forwarded_to or (case.office if happening.status == "forwarded" else "")
    if happening.event == "forwarded" and forwarded_to:
        return Line("case_forwarded", {"case_no": number, "unit": unit(core, forwarded_to)})
    if moved:
        return Line("status_changed", {"case_no": number, "status": status_label(happening.status)})
    return Line(_NEWS, {"case_no": number, "status": status_label(happening.status)})


def _missed(case: Case, core: Mapping[str, Any]) -> Say:
    """The answer is late: since when, who has it, what the citizen can do."""
    told = Line("overdue_told", {"case_no": number_for_citizen(case), **moments.named(core, case.due_at)})
    state = Line("overdue_state", {"status": status_label(case.status)})
    return Say(lines=(told, state, *_who(case, core), Line("overdue_ways")), case=case.reference)


def _who(case: Case, core: Mapping[str, Any]) -> list[Line]:
    lines = []
    if case.office:
        lines.append(Line("status_office", {"unit": unit(core, case.office)}))
    if case.official:
        lines.append(Line("status_officer", {"officer": case.official}))
    if case.awaiting_institution:
        lines.append(Line("status_awaiting_opinion", {"institution": case.awaiting_institution}))
    return lines
