"""The keys of the town's own systems: made and shown once, looked through, revoked."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import manage_keys
from chalicelib.actions.manage_keys import NotPossible
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.storage.api_keys import NAME_CHARS_MAX, SCOPES


def show(visit: Visit) -> Answer:
    """Every key with its last use, those that work first."""
    return _page(visit, said="revoked" if visit.query.get("said") == "revoked" else "")


def make(visit: Visit) -> Answer:
    """A new key; the page that answers is the only one that ever shows it."""
    name, scopes = visit.form.get("name", ""), [scope for scope in SCOPES if visit.form.get(f"scope.{scope}")]
    try:
        token = manage_keys.make(visit.here, name, scopes, visit.person.by, visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 422, problem=error.code, name=name, chosen=scopes)
    return page(visit, "key_made", name=name, token=token)


def revoke(visit: Visit) -> Answer:
    """The end of a key."""
    try:
        manage_keys.revoke(visit.here, visit.params["key"], visit.person.by, visit.now, visit.deadline)
    except NotPossible as error:
        return _page(visit, 404, problem=error.code)
    return visit.go("console/keys?said=revoked")


def _page(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {"said": "", "problem": "", "name": "", "chosen": []}
    keys = manage_keys.all_of(visit.here, visit.now, visit.deadline)
    return page(visit, "keys", status, keys=keys, scopes=SCOPES, name_max=NAME_CHARS_MAX, **blank | shown)
