"""The forms on pages of a link without an account: who sends one must have had the page of this very link."""

from __future__ import annotations

import hashlib
import hmac

from chalicelib.console.door import Visit
from chalicelib.model import Refused

FORM_MARK = "form"


def mark(visit: Visit) -> str:
    """What proves a form to be one of this link's pages: of the link and its room, "crew" or "help"."""
    room = visit.page.path.split("/")[1]
    return hmac.new(visit.params["token"].encode(), room.encode(), hashlib.sha256).hexdigest()[:40]


def check(visit: Visit) -> None:
    """Raises Refused 403 for a form that is not from this link's page."""
    if not hmac.compare_digest(visit.form.get(FORM_MARK, "").encode(), mark(visit).encode()):
        raise Refused(403, "csrf", "This form is not from this page. Reload it and try again.")
