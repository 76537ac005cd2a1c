"""What staff find cases by: an entry for each word under its first three letters, and one for the phone.

`T#<town>#W#<abc>` / word#newest#reference and `T#<town>#PH#<last two digits>` / reversed digits#reference: an entry
holds nothing but its key. Beside the case (`WORDS`) stands which entries it has, so that a change removes what no
longer holds. Two writings of one case at once leave at worst an entry that leads to a case which no longer says so;
whoever searches looks at the case itself.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Item, Key
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
CANDIDATES_MAX = 500  # entries of one word that are looked at: the newest
PHONES_MAX = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that a word may lead to; `sort` orders candidates newest first."""

    sort: str
    reference: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a case is to be found by; `created_at` in epoch seconds, `phone` digits with country code or ""."""

    reference: str
    created_at: int
    words: tuple[str, ...] = ()
    phone: str = ""


def write(town: str, wanted: Wanted, deadline: Deadline) -> None:
    """Make the entries of a case these and no others; only what changed is written.

    First it is noted what will stand, then it is made so, then that it is: killed in between, the next try knows
    everything that may be there. Raises Conflict when somebody does the same at this moment, Unavailable.
    """
    noted = dynamo.get(TABLE, keys.case(town, wanted.reference), keys.WORDS, deadline)
    stood, is_settled, version = _noted(noted)
    now = _entries(town, wanted)
    if is_settled and stood == set(now):
        return
    missing = set(now) - stood if is_settled else set(now)
    dynamo.put(TABLE, _note(town, wanted, stood | set(now), version, settled=False), deadline, expected_v=version)
    dynamo.batch_write(TABLE, [_entry(key) for key in sorted(missing)], sorted(stood - set(now)), deadline)
    dynamo.put(TABLE, _note(town, wanted, set(now), version + 1, settled=True), deadline, expected_v=version + 1)


def write_first(town: str, wanted: Wanted, deadline: Deadline) -> None:
    """The entries of a case that is just about to be filed, at once: they lead nowhere until it is.

    Their note is in the register, for a case that is never filed leads nobody to them.
    """
    entries = _entries(town, wanted)
    note = _note(town, wanted, set(entries), 0, settled=True)
    note |= register.of_cases(town, note["pk"])
    dynamo.batch_write(TABLE, [*map(_entry, entries), note], (), deadline)


def forget(town: str, reference: str, deadline: Deadline) -> None:
    """The case is found by nothing any more; what says so goes with the rest that stands beside it."""
    entries, _, _ = _noted(dynamo.get(TABLE, keys.case(town, reference), keys.WORDS, deadline))
    dynamo.batch_write(TABLE, (), sorted(entries), deadline)


def of_word(town: str, word: str, deadline: Deadline) -> list[Candidate]:
    """Cases under a word, newest first; where few have exactly it, those too that have a word beginning so."""
    exact = _under(keys.search_words(town, word), f"{word}#", CANDIDATES_MAX, deadline)
    if len(exact) >= CANDIDATES_MAX or len(word) < keys.SEARCH_LETTERS:
        return exact
    begun = _under(keys.search_words(town, word), word, CANDIDATES_MAX, deadline)
    return sorted({*exact, *begun}, key=lambda found: found.sort)[:CANDIDATES_MAX]


def of_phone(town: str, digits: str, deadline: Deadline) -> list[str]:
    """References of cases whose phone ends in `digits` (two at least); one request."""
    reversed_digits = digits[::-1]
    items = dynamo.page(
        TABLE,
        None,
        ("pk", keys.search_phones(town, digits)),
        deadline,
        sort="sk",
        start=reversed_digits,
        end=f"{reversed_digits}~",
        limit=PHONES_MAX,
        eventual=True,
    )
    return [item["sk"].rpartition("#")[2] for item in items]


def _under(pk: str, start: str, limit: int, deadline: Deadline) -> list[Candidate]:
    items = dynamo.page(
        TABLE, None, ("pk", pk), deadline, sort="sk", start=start, end=f"{start}~", limit=limit, eventual=True
    )
    return [Candidate(f"{newest}#{reference}", reference) for _, newest, reference in (_parts(item) for item in items)]


def _parts(item: Item) -> list[str]:
    return str(item["sk"]).split("#")


def _entries(town: str, wanted: Wanted) -> list[Key]:
    newest = f"{keys.NEWEST_FIRST - wanted.created_at:012d}"
    found = [(keys.search_words(town, word), f"{word}#{newest}#{wanted.reference}") for word in wanted.words]
    if wanted.phone:
        found.append((keys.search_phones(town, wanted.phone), f"{wanted.phone[::-1]}#{wanted.reference}"))
    return found


def _entry(key: Key) -> Item:
    return {"pk": key[0], "sk": key[1], "shape": SHAPE}


def _note(town: str, wanted: Wanted, entries: set[Key], version: int, *, settled: bool) -> Item:
    body: dict[str, Any] = {"entries": sorted(entries), "settled": settled}
    return {
        "pk": keys.case(town, wanted.reference),
        "sk": keys.WORDS,
        "shape": SHAPE,
        "v": version + 1,
        "body": zlib.compress(json.dumps(body, separators=(",", ":")).encode("utf-8", "replace")),
    }


def _noted(item: Item | None) -> tuple[set[Key], bool, int]:
    """Which entries there may be, whether they are exactly those, and the note's version."""
    if item is None:
        return set(), True, 0
    body = json.loads(zlib.decompress(item["body"]))
    return {(pk, sk) for pk, sk in body["entries"]}, bool(body["settled"]), int(item["v"])
