"""Viber says what became of a message of ours: delivered, `seen`, or `failed` on the phone after it was taken.

An announcement's receipt is counted with its page, one read and one write. Else only a notice's matters, and once: it
is found in the conversation and noted beside the case, one read and one write. What the conversation does not remember
costs one read and no write, that something was delivered nothing at all. The conversation itself stays as it is: to
save it would cost more than the rare repeat to another process, of which the write is refused.
"""

from __future__ import annotations

from collections import OrderedDict

from chalicelib.actions import call_by_link, second_way
from chalicelib.actions.take_receipt import is_announcing, take_receipt
from chalicelib.cases import helping, notices
from chalicelib.channels import Sent
from chalicelib.model import Account, Conflict, Conversation, Follower, Told, Unavailable
from chalicelib.storage import keys, told
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline

SETTLED_KEPT_MAX = 512
DELIVERED, SEEN, FAILED = "delivered", "seen", "failed"
_settled: OrderedDict[tuple[str, str, str], bool] = OrderedDict()  # account, citizen, id of what this process has noted


def hear(event: str, about: Sent, account: Account, now: float, deadline: Deadline) -> None:
    """Write it down with the announcement or beside the case. Whichever is likelier is looked for first.

    Raises Unavailable while the message is still being sent: Viber then repeats.
    """
    first = event == DELIVERED or is_announcing(account.id, now)
    if (first and take_receipt(account.id, about.id, about.citizen, event, now, deadline)) or event == DELIVERED:
        return
    if not _hear_of_notice(event, about, account, now, deadline) and not first:
        take_receipt(account.id, about.id, about.citizen, event, now, deadline)


def forget() -> None:
    """Drop what this process keeps."""
    _settled.clear()


def _hear_of_notice(event: str, about: Sent, account: Account, now: float, deadline: Deadline) -> bool:
    """Whether it is of a notice; then it is written down."""
    store = ConversationStore(account)
    conversation = store.load(about.citizen, now, deadline)
    if conversation is None or not conversation.town:
        return False
    heard = _heard(event, about.id, conversation.told)
    if not heard:
        if _is_speaking(conversation, now):
            raise Unavailable("not marked yet")
        return False
    for notice in _unsettled(event, heard, conversation, deadline):
        _note(event, notice, store, conversation, now, deadline)
        _settle(_named(notice, conversation))
    return True


def _unsettled(event: str, heard: tuple[Told, ...], conversation: Conversation, deadline: Deadline) -> tuple[Told, ...]:
    """Those of which nothing final is known: of several it is asked, in one request."""
    left = tuple(notice for notice in heard if _named(notice, conversation) not in _settled)
    if event == FAILED or len(left) < 2:
        return left
    return told.unseen(left, keys.person(conversation.account, conversation.citizen), deadline)


def _named(notice: Told, conversation: Conversation) -> tuple[str, str, str]:
    return conversation.account, conversation.citizen, notice.id


def _settle(notice: tuple[str, str, str]) -> None:
    """A repeat to the same process costs no write."""
    _settled[notice] = True
    while len(_settled) > SETTLED_KEPT_MAX:
        _settled.popitem(last=False)


def _heard(event: str, identifier: str, waiting: tuple[Told, ...]) -> tuple[Told, ...]:
    """The notices a receipt is about, several if one message carried them. Who opened the chat for one has seen
    all before it: Viber says so only once.
    """
    about = [position for position, notice in enumerate(waiting) if notice.id == identifier]
    if not about:
        return ()
    return waiting[0 if event == SEEN else about[0] : about[-1] + 1]


def _is_speaking(conversation: Conversation, now: float) -> bool:
    """Whether a notice or card is just being sent whose id nobody has written down yet."""
    leased = conversation.lease is not None and conversation.lease.until > now
    waited = (owed.say for owed in conversation.lane if not owed.held)
    return leased and any(notices.is_notice(say) or helping.card_of(say) for say in waited)


def _note(
    event: str, notice: Told, store: ConversationStore, conversation: Conversation, now: float, deadline: Deadline
) -> None:
    person = keys.person(conversation.account, conversation.citizen)
    state = told.SEEN if event == SEEN else told.FAILED
    try:
        new = told.note(notice.town, notice.reference, person, notice.seq, state, now, deadline)
    except Conflict as error:
        raise Unavailable("conflicts") from error
    if event != FAILED or notice.town not in store.account.towns:  # the bot has stopped serving it since
        return
    log = store.with_town(conversation, notice.town, now, deadline).log
    say = next((entry.say for entry in log if entry.seq == notice.seq), None)
    if say and helping.card_of(say):
        whom = Follower(conversation.account, conversation.citizen)
        call_by_link.instead(notice.town, notice.reference, whom, say, now, deadline)
    elif say and new:
        second_way.instead(notice.town, notice.reference, person, say, now, deadline)
