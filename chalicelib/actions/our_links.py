"""Our own links: the key they are signed with, and the address they begin with where no request tells it."""

from __future__ import annotations

from chalicelib.actions.journal import log
from chalicelib.model import Refused
from chalicelib.storage import secrets
from chalicelib.wire import Deadline


def key(deadline: Deadline) -> str:
    """What tokens and links of this stage are signed with. Raises Refused 503, Unavailable."""
    found = secrets.chat_signing_key(deadline)
    if not found:
        raise Refused(503, "not_set_up", "The platform admin must set the chat signing key.")
    return found


def address(slug: str, deadline: Deadline) -> str:
    """Where this installation is reached, without a slash at the end; "" where nobody wrote it down (`slug`: the town
    whose words go without a link, for the log). Raises Unavailable."""
    found = secrets.public_url(deadline)
    if not found:
        log.warning("no_public_url", tenant=slug)
        return ""
    return found.rstrip("/")
