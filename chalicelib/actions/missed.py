"""What citizens asked and the bot did not understand, grouped, and what a town's admins make of it.

A draft is text for the town's files; nothing here changes what citizens read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from zoneinfo import ZoneInfo

from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold
from chalicelib.model import Staff, Town
from chalicelib.storage import audit, drafts, dynamo, views
from chalicelib.storage.audit import Act
from chalicelib.storage.drafts import ANSWER, Draft
from chalicelib.tenancy.schema import UNCONFIRMED
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
    aside = drafts.dropped(town.slug, now, deadline)
    today = dt.datetime.fromtimestamp(now, ZoneInfo(town.core["time_zone"])).date()
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


def keep_draft(
    town: Town, person: Staff, kind: str, node: str, texts: Sequence[str], now: float, deadline: Deadline
) -> None:
    """Keep these questions as a draft; the questions leave the list."""
    draft = Draft(token_hex(6), kind, tuple(texts), person.by, int(now), node)
    aside = drafts.dropped_item(town.slug, draft.id, _folded(texts), now)
    act = Act(now, person.by, "draft_kept", node, {"kind": kind})
    dynamo.transact([drafts.item(town.slug, draft), aside, audit.item(town.slug, act, token_hex(4))], deadline)


def remove_draft(town: Town, person: Staff, identifier: str, now: float, deadline: Deadline) -> None:
    """The draft is done with."""
    act = Act(now, person.by, "draft_removed", identifier)
    dynamo.transact([drafts.gone(town.slug, identifier, now), audit.item(town.slug, act, token_hex(4))], deadline)


def dismiss(town: Town, person: Staff, texts: Sequence[str], now: float, deadline: Deadline) -> None:
    """These questions are none of the town's and leave the list."""
    aside = drafts.dropped_item(town.slug, token_hex(6), _folded(texts), now)
    act = Act(now, person.by, "misses_dismissed")
    dynamo.transact([aside, audit.item(town.slug, act, token_hex(4))], deadline)


def yaml_of(town: Town, draft: Draft) -> str:
    """The draft as it goes into the town's files."""
    phrases = {draft.node or "procedures.NAME": {"examples": _by_language(town, draft.texts)}}
    written = f"# phrases.yaml\n{_dumped(phrases)}"
    return f"# procedures/NAME.yaml\n{_dumped(_sheet(town, draft))}\n{written}" if draft.kind == ANSWER else written


# --- parts ------------------------------------------------------------------------------------------------------


def _nearest(town: Town, text: str) -> tuple[str, ...]:
    understood = understand(text, town.index)
    found = [understood.narrowed.get(intent, intent) for intent, _ in understood.intents]
    return tuple(dict.fromkeys(node for node in found if "." in node))


def _folded(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(fold(text) for text in texts)


def _by_language(town: Town, texts: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        language = language_of(text)
        found.setdefault(language if language in town.languages else town.native_language, []).append(text)
    return found


def _sheet(town: Town, draft: Draft) -> dict[str, object]:
    native = town.native_language
    return {
        "group": "other",
        "mode": "explain",
        "title": {native: draft.texts[0]},
        "who": UNCONFIRMED,
        "bring": UNCONFIRMED,
        "fee": UNCONFIRMED,
        "term": UNCONFIRMED,
        "office": str(town.core["person"]).rpartition(".")[2],
        "how": UNCONFIRMED,
        "source": {native: UNCONFIRMED},
        "checked": dt.datetime.fromtimestamp(draft.at, ZoneInfo(town.core["time_zone"])).date(),
    }


def _dumped(data: object) -> str:
    import yaml

    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110))
