"""The part of a page on which somebody shows once more who they are, before very many people are written to."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import prove_again
from chalicelib.actions.sign_in import Asked, Denied
from chalicelib.console.door import Visit
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage.staff_pool import TOTP

CODE_CHARS_MAX = 12
NEEDED = "prove_again"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a form brought: whether it is given, else what is wrong or `missing`; the visit goes on with its session."""

    visit: Visit
    given: bool
    denied: Denied | None = None
    missing: str = ""

    @property
    def refused_with(self) -> int:
        """The status of the page that says what is wrong with it; 0 if nothing is."""
        if self.denied and self.denied.rests_seconds:
            return 429
        return 422 if self.denied or self.missing else 0


def brought(visit: Visit) -> Proof:
    """The proof on a form; given already for a while after the last one. Raises Unavailable."""
    assert visit.session is not None
    password = visit.form.get("password", "")
    if visit.session.is_proved(visit.now) or not password:
        return Proof(visit, visit.session.is_proved(visit.now))
    code, source = visit.form.get("code", "").strip()[:CODE_CHARS_MAX], visit.request.source
    outcome = prove_again.prove(visit.session, visit.here.slug, password, code, visit.now, source, visit.deadline)
    if isinstance(outcome, Denied):
        return Proof(visit, False, denied=outcome)
    if isinstance(outcome, Asked):
        return Proof(visit, False, missing="code_needed" if outcome.challenge == TOTP else "sign_in_again")
    return Proof(replace(visit, session=outcome), True)


def asked(visit: Visit, *, wanted: bool) -> dict[str, Any] | None:
    """What the form of a page asks for: None if nothing is `wanted`, or what was given lately is still good."""
    assert visit.session is not None
    if not wanted or visit.session.is_proved(visit.now):
        return None
    return {"mail": visit.person.mail, "code": prove_again.has_code(visit.person, visit.deadline)}
