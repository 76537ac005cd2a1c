"""A channel's receipt about an announcement: delivered, seen, failed. Counted once, however often it is repeated.

Whether an account announced anything lately is kept for some seconds, so that a receipt of any other account costs
nothing here. A token nobody knows may be of a call whose answer was lost or is not written down yet: while there is
such a call, it is kept with the pages of that account this citizen stands on, and two citizens with the same token
settle it.
"""

from __future__ import annotations

from collections import OrderedDict

from chalicelib.cases import announcements as rules
from chalicelib.small_classes import dataclass
from chalicelib.storage import announcements
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.wire import Deadline

EVENTS = ("delivered", "seen", "failed")
LATELY_KEPT_SECONDS = 5.0
ACCOUNTS_KEPT_MAX = 256
DOUBTFUL_DAYS = 3  # for so long a receipt may still tell that a page arrived


@dataclass(frozen=True, slots=True)
class _Lately:
    """What a process knows of an account's announcements: since when, whether there are any, and those (town, id) with
    a call whose token nobody knows."""

    at: float
    any: bool
    doubtful: tuple[tuple[str, str], ...]


_accounts: OrderedDict[str, _Lately] = OrderedDict()


def take_receipt(account: str, token: str, citizen: str, event: str, now: float, deadline: Deadline) -> bool:
    """Note the receipt if it is an announcement's; False for any other. `account` is the account's id."""
    if event not in EVENTS or not token or not citizen:
        return False
    lately = known_lately(account, now, deadline)
    if not lately.any:
        return False
    place = announcements.page_of(account, token, now, deadline)
    if place:
        town, identifier, n = place
        mark = rules.mark(event, token, citizen, known=True)
        AnnouncementStore(town).add_receipt(identifier, n, mark, now, deadline)
        return True
    noted = False
    for town, identifier in lately.doubtful:
        noted = _perhaps(town, identifier, account, token, citizen, event, now, deadline) or noted
    return noted


def known_lately(account: str, now: float, deadline: Deadline) -> _Lately:
    """What this process knows of the account, asked anew after some seconds."""
    kept = _accounts.get(account)
    if kept and 0 <= now - kept.at < LATELY_KEPT_SECONDS:
        _accounts.move_to_end(account)
        return kept
    found = announcements.announcing(account, now, deadline)
    young = [(town, identifier) for town, identifier, began in found if began > now - DOUBTFUL_DAYS * 86400]
    doubtful = tuple(one for one in young if _is_doubtful(*one, deadline))
    _accounts[account] = lately = _Lately(now, bool(found), doubtful)
    while len(_accounts) > ACCOUNTS_KEPT_MAX:
        _accounts.popitem(last=False)
    return lately


def is_announcing(account: str, now: float) -> bool:
    """Whether this process knows, without asking, that the account announced something lately."""
    kept = _accounts.get(account)
    return bool(kept and kept.any and 0 <= now - kept.at < LATELY_KEPT_SECONDS)


def forget() -> None:
    """Drop what this process keeps."""
    _accounts.clear()


def _is_doubtful(town: str, identifier: str, deadline: Deadline) -> bool:
    """Whether pages are still being sent, or one's answer was lost."""
    store = AnnouncementStore(town)
    found = store.load(identifier, deadline)
    if found is None or not found.began_at:
        return False
    states = store.page_states(identifier, deadline).values()
    is_open = rules.told_state(found, tuple(states)) == rules.SENDING
    return is_open or any(state.state in (rules.CLAIMED, rules.UNCERTAIN) for state in states)


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
        people = store.receivers(found, page, now, deadline) if found else None
        if any(one.citizen == citizen for one in people or ()):
            mark = rules.mark(event, token, citizen, known=False)
            store.add_receipt(identifier, page.n, mark, now, deadline)
            return True
    return False
