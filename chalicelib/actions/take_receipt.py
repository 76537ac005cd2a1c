"""A channel's receipt about an announcement: delivered, seen, failed. Counted once, however often it is repeated.

A token nobody knows may be of a call whose answer was lost or is not written down yet: then it is kept with the pages
of that account this citizen stands on, and two citizens with the same token settle it.
"""

from __future__ import annotations

from chalicelib.cases import announcements as rules
from chalicelib.storage import announcements
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.wire import Deadline

EVENTS = ("delivered", "seen", "failed")


def take_receipt(account: str, token: str, citizen: str, event: str, now: float, deadline: Deadline) -> bool:
    """Note the receipt if it is an announcement's; False for any other. `account` is the account's id."""
    if event not in EVENTS or not token or not citizen:
        return False
    place = announcements.page_of(account, token, now, deadline)
    if place:
        town, identifier, n = place
        mark = rules.mark(event, token, citizen, known=True)
        AnnouncementStore(town).add_receipt(identifier, n, mark, now, deadline)
        return True
    noted = False
    for town, identifier in announcements.announcing(account, now, deadline):
        noted = _perhaps(town, identifier, account, token, citizen, event, now, deadline) or noted
    return noted


def _perhaps(
    town: str, identifier: str, account: str, token: str, citizen: str, event: str, now: float, deadline: Deadline
) -> bool:
    store = AnnouncementStore(town)
    found = store.load(identifier, deadline)
    states = store.page_states(identifier, deadline) if found else {}
    for page in found.pages if found else ():
        state = states.get(page.n)
        if page.account != account or state is None or state.state not in (rules.CLAIMED, rules.UNCERTAIN):
            continue
        people = store.receivers(found, page, deadline) if found else None
        if any(one.citizen == citizen for one in people or ()):
            mark = rules.mark(event, token, citizen, known=False)
            store.add_receipt(identifier, page.n, mark, now, deadline)
            return True
    return False
