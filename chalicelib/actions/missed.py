"""What citizens asked and the bot did not understand, grouped. What is made of it is written in the content's forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from secrets import token_hex

from chalicelib.days import day_in
from chalicelib.language.folding import fold
from chalicelib.model import Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import audit, dynamo, edits, views
from chalicelib.storage.audit import Act
from chalicelib.understanding.misses import grouped
from chalicelib.understanding.understand import understand
from chalicelib.wire import Deadline

READ_MAX = 1000  # questions of one page, the newest days first
GROUPS_SHOWN_MAX = 40
EXAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions that ask alike. `nearest`: what the bot knows that is nearest, best first."""

    texts: tuple[str, ...]
    count: int
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """`count`: questions read; `cut`: there are older ones that were not."""

    groups: tuple[Asked, ...]
    count: int
    cut: bool


def missed(town: Town, days: int, now: float, deadline: Deadline) -> Missed:
    """The questions of the last `days`, most asked first. One request a day and one a hundred conversations."""
    aside = edits.dropped(town.slug, now, deadline)
    today = day_in(town.core["time_zone"], now)
    texts: list[str] = []
    for back in range(days):
        if len(texts) >= READ_MAX:
            break
        day = (today - dt.timedelta(days=back)).isoformat()
        texts += [str(miss["text"]) for miss in views.misses(town.slug, day)]
    read = texts[:READ_MAX]
    groups = [group for group in grouped(read) if not aside & {fold(text) for text in group.texts}]
    shown = tuple(
        Asked(group.texts, group.count, _nearest(town, group.texts[0])) for group in groups[:GROUPS_SHOWN_MAX]
    )
    return Missed(shown, len(read), len(texts) >= READ_MAX)


def dismiss(town: Town, person: Staff, texts: Sequence[str], now: float, deadline: Deadline) -> None:
    """These questions are none of the town's and leave the list."""
    aside = edits.dropped_item(town.slug, token_hex(6), _folded(texts), now)
    act = Act(now, person.by, "misses_dismissed")
    dynamo.transact([aside, audit.item(town.slug, act, token_hex(4))], deadline)


# --- parts ------------------------------------------------------------------------------------------------------


def _nearest(town: Town, text: str) -> tuple[str, ...]:
    understood = understand(text, town.index)
    found = [understood.narrowed.get(intent, intent) for intent, _ in understood.intents]
    return tuple(dict.fromkeys(node for node in found if "." in node))


def _folded(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(fold(text) for text in texts)
