"""Invitations by SMS: a list of numbers, the ground to write to them, words and price before anything leaves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chalicelib.actions import announce, invite
from chalicelib.actions.invite import Progress
from chalicelib.cases import invitations as rules
from chalicelib.cases.announcements import NotNow
from chalicelib.console import permissions, proving
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.proving import Proof
from chalicelib.model import Refused, Voice
from chalicelib.storage.invitations import DRAFT

SAID = ("approved", "stopped")
WRONG = ("no_basis", "no_where", "no_numbers", "too_many", "no_bot")
PROBLEMS = ("second_person", "prove_again", "nothing_to_stop")


def show(visit: Visit) -> Answer:
    """The form, and the newest ones."""
    return _form(visit, {})


def write(visit: Visit) -> Answer:
    """A draft; its page shows words, number and price."""
    typed = dict(visit.form)
    try:
        draft = invite.draft(
            visit.here,
            typed.get("numbers", ""),
            _voice(visit, typed.get("voice", "")),
            typed.get("basis", ""),
            typed.get("where", ""),
            visit.person.by,
            visit.now,
            visit.deadline,
        )
    except Refused as refusal:
        return _form(visit, typed, 422, wrong=refusal.code, field=refusal.field_name or "")
    return visit.go(f"console/invitations/{draft.id}")


def one(visit: Visit) -> Answer:
    """A draft to be approved, or what became of it."""
    return _page(visit, _load(visit))


def approve(visit: Visit) -> Answer:
    """Have it sent; above the town's bound whoever wrote it may not, and whoever may shows once more who they are."""
    proof = proving.brought(visit)
    if proof.refused_with:
        return _page(visit, _load(visit), proof.refused_with, proof=proof)
    return _done(proof.visit, "approved", partial(invite.approve, proved=proof.given))


def stop(visit: Visit) -> Answer:
    """Send no further message."""
    return _done(visit, "stopped", invite.stop)


# --- parts ------------------------------------------------------------------------------------------------------


def _load(visit: Visit) -> Progress:
    return invite.load(visit.here, visit.params["identifier"], visit.deadline)


def _done(visit: Visit, said: str, act: Callable[..., Any]) -> Answer:
    identifier = visit.params["identifier"]
    try:
        act(visit.here, identifier, visit.person.by, visit.now, visit.deadline)
    except NotNow as error:
        return _page(visit, _load(visit), 422, problem=error.code if error.code in PROBLEMS else "other")
    return visit.go(f"console/invitations/{identifier}?said={said}")


def _form(visit: Visit, typed: dict[str, str], status: int = 200, wrong: str = "", field: str = "") -> Answer:
    return page(
        visit,
        "invitations",
        status,
        typed=typed,
        wrong=wrong if wrong in WRONG else "",
        field=field,
        spoken=_voices(visit),
        bases=rules.BASES,
        phones_max=rules.PHONES_MAX,
        where_max=invite.WHERE_CHARS_MAX,
        possible=invite.is_possible(visit.here),
        found=invite.newest(visit.here, visit.deadline),
    )


def _page(visit: Visit, progress: Progress, status: int = 200, problem: str = "", proof: Proof | None = None) -> Answer:
    found, said = progress.invitation, visit.query.get("said", "")
    bound = announce.bound(visit.here)
    may = found.state == DRAFT and found.by != visit.person.by and visit.may(permissions.APPROVE)
    return page(
        visit,
        "invitation",
        status,
        progress=progress,
        found=found,
        parts=rules.parts(found.text),
        price=invite.price(visit.here, found),
        bound=bound,
        second=found.size > bound and found.by == visit.person.by,
        said=said if said in SAID else "",
        problem=problem,
        proof=proof,
        asked=proving.asked(visit, wanted=may and found.size > bound),
    )


def _voices(visit: Visit) -> list[tuple[str, Voice]]:
    """Every language and script of the town, with the words in it."""
    spoken = visit.here.languages
    return [
        (f"{language}-{script}", Voice(language, script))
        for language in spoken
        for script in visit.here.scripts(language)
    ]


def _voice(visit: Visit, written: str) -> Voice:
    return dict(_voices(visit)).get(written, visit.here.default_voice)
