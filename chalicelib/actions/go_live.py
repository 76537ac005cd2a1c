"""A town goes live: Viber is told where to call, it is seen that it does, then the town's state is changed.

Whatever does not work out leaves the bot's webhook where it was and the town in its trial; repeating is harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.actions import town_states
from chalicelib.model import Refused, SalterError, SendFailed, Unavailable
from chalicelib.small_classes import dataclass
from chalicelib.storage import account_health, secrets, tenants
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

if TYPE_CHECKING:
    from chalicelib.channels.viber.account import ViberAccount

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bot:
    """A Viber account as it was found: where it called before, "" for nowhere."""

    name: str
    viber: ViberAccount
    webhook: str


def go_live(slug: str, base_url: str, by: str, now: float, deadline: Deadline, tell: Tell) -> Pointer:
    """Everybody is answered from now on. `tell` hears each step in words.

    Raises Refused, with what to do, when Viber does not reach us or the town is suspended; Conflict, Unavailable.
    """
    current = town_states.pointer_of(slug, deadline)
    if current.state == tenants.SUSPENDED:
        raise Refused(409, "suspended", f"{slug} is suspended; first: ./salter town resume {slug}")
    bot = connect(current.account, base_url, deadline, tell) if current.account else None
    try:
        return town_states.open_to_all(slug, by, now, deadline)
    except SalterError:
        if bot:
            _put_back(bot, base_url, tell)
        raise


def connect(account: str, base_url: str, deadline: Deadline, tell: Tell) -> Bot:
    """Have Viber call the account's address here, and see that it does. Returns the bot as it was before.

    Raises Refused; the webhook is then where it was.
    """
    bot = _bot(account, deadline)
    wanted = webhook_of(account, base_url)
    known_mark = account_health.of([f"viber:{account}"], deadline)[f"viber:{account}"].mark
    try:
        bot.viber.receive_at(wanted)
        _verify(bot, wanted, known_mark, deadline)
    except (SendFailed, Unavailable, Refused) as error:
        _put_back(bot, base_url, tell)
        raise Refused(502, "webhook_refused", _in_words(error, wanted)) from error
    tell(f"Viber calls {wanted}; its call was seen.")
    return bot


def webhook_of(account: str, base_url: str) -> str:
    """The address at which an account's callbacks are taken."""
    return f"{base_url.rstrip('/')}/viber/{account}"


def _bot(account: str, deadline: Deadline) -> Bot:
    from chalicelib.channels.viber.account import ViberAccount  # viberbot: for the platform admin alone

    token = secrets.viber_token(account, deadline)
    if not token:
        raise Refused(
            409,
            "no_token",
            f"the account {account} has no token; put it into the Parameter Store (docs/adding-a-town.md)",
        )
    viber = ViberAccount(token, account)
    try:
        info = viber.info()
    except SendFailed as error:
        raise Refused(502, "viber_refused", f"Viber does not talk to the account {account}: {error.reason}") from error
    return Bot(account, viber, str(info.get("webhook") or ""))


def _verify(bot: Bot, wanted: str, known_mark: str, deadline: Deadline) -> None:
    """Viber says so itself, and its call reached this very installation."""
    named = str(bot.viber.info().get("webhook") or "")
    if named != wanted:
        raise Refused(502, "webhook_elsewhere", f"Viber names another address: {named or 'none'}")
    if account_health.of([f"viber:{bot.name}"], deadline)[f"viber:{bot.name}"].mark == known_mark:
        raise Refused(502, "webhook_not_seen", "somebody answered Viber's call there, but not this installation")


def _put_back(bot: Bot, base_url: str, tell: Tell) -> None:
    """The webhook as it was. If it led here already, it stays: taking it away would cut off a town that works."""
    if bot.webhook == webhook_of(bot.name, base_url):
        return
    with suppress(SendFailed):
        if bot.webhook:
            bot.viber.receive_at(bot.webhook)
        else:
            bot.viber.call_nowhere()
        tell(f"Viber's webhook is as it was: {bot.webhook or 'none'}.")
        return
    tell(f"Viber's webhook could not be put back to {bot.webhook or 'none'}; do it again: ./salter town live")


def _in_words(error: SalterError, wanted: str) -> str:
    why = error.message if isinstance(error, Refused) else str(error)
    return f"Viber does not reach {wanted} ({why}); the town stays as it was"
