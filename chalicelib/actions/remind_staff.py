"""Reminders of deadlines in a chat of a member of staff who linked it: beside the e-mail, never in place of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chalicelib.actions import deliver, notify, our_links
from chalicelib.actions.notify import Notice
from chalicelib.channels import channel
from chalicelib.model import REMINDERS, Say, Staff, Town
from chalicelib.storage import people
from chalicelib.wire import Deadline


def notices(
    town: Town,
    readers: Iterable[Staff],
    say: Callable[[str], Say],
    beside: Iterable[Notice],
    now: float,
    deadline: Deadline,
) -> tuple[Notice, ...]:
    """What `say` makes of our own address, for those of `readers` who linked a chat, agreed and did not stop it. Two or
    three reads each; none where nobody linked one.

    Whoever hears of the case as a citizen (`beside`) is not told twice. Where a town saves on messages, only those go
    out that cost nothing: the e-mail says the same.
    """
    linked = [reader for reader in readers if reader.reminders]
    if not linked:
        return ()
    words = say(our_links.address(town.slug, deadline))
    told = {(note.account.id, note.conversation.citizen) for note in beside}
    made = []
    for reader in linked:
        note = _notice(town, reader, words, now, deadline)
        if note and (note.account.id, note.conversation.citizen) not in told:
            told.add((note.account.id, note.conversation.citizen))
            made.append(note)
    return tuple(made)


def _notice(town: Town, reader: Staff, say: Say, now: float, deadline: Deadline) -> Notice | None:
    who = people.where_reminded(town.slug, reader.reminders, deadline)
    note = notify.notice_to(town, who, say, now, deadline, topic=REMINDERS) if who else None
    if note is None or not channel(note.account.channel).PUSHES:
        return None
    costs = note.head.session_until <= now
    return None if costs and deliver.saves(town, now, deadline) else note
