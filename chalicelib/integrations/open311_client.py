"""Speaks Open311 to somebody else's endpoint, at public addresses only, and reads its answers with care.

What comes back is a stranger's: XML with a document type is refused before it is parsed, everything is bounded, control
characters are dropped. Imported only by the functions that work the outbox.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from chalicelib import strangers, wire
from chalicelib.integrations.open311 import clean, time
from chalicelib.model import SendFailed
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.wire import Deadline

SERVICE = "open311"
UPDATES = "servicerequestupdates"
MEDIA_BYTES_MAX = 27_262_976  # as any medium
MEDIA_SECONDS_MAX = 20.0
CALL_SECONDS_MAX = 12.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
ENTRIES_MAX = 1000
WORDS_CHARS_MAX = 2000
ID_CHARS_MAX = 100
REFUSAL_CHARS_MAX = 200
_DECLARATION = pattern(r"^\s*<\?xml[^>]*\?>")
_NOT_TAKEN = (429, 503)  # surely: whoever says so has not looked at it
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_ACCEPT = {"json": "application/json", "xml": "text/xml"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask and how; `key` is the secret itself, "" where none is needed."""

    url: str
    form: str
    jurisdiction: str
    key: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What an endpoint said to a report: its number there, or a token for it."""

    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Said:
    """Something an endpoint says of one of its requests; `id` names an update, "" where only a state is told.

    `at` as written there.
    """

    request: str
    status: str
    words: str
    at: str
    id: str = ""
    description: str = ""
    service: str = ""
    pin: tuple[float, float] | None = None


def fetch(link: str, deadline: Deadline) -> bytes:
    """A photo somebody named by its address. Raises SendFailed."""
    address = strangers.address_of(link, lambda host: True)
    try:
        reply = strangers.download(SERVICE, "media", link, address, deadline.within(MEDIA_SECONDS_MAX), MEDIA_BYTES_MAX)
    except wire.CallFailed as failure:
        raise SendFailed(failure.reason, retryable=failure.reason != "too_large") from failure
    if reply.status == 200:
        return reply.body
    raise SendFailed(f"http_{reply.status}", retryable=reply.status in _NOT_TAKEN or reply.status >= 500)


def post(endpoint: Endpoint, fields: Mapping[str, str], deadline: Deadline) -> Taken:
    """File a report there. Raises SendFailed; `uncertain` where it may have been taken all the same."""
    reply = _posted(endpoint, "requests", fields, deadline)
    try:
        taken = next(Taken(_word(each, "service_request_id"), _word(each, "token")) for each in _read(endpoint, reply))
    except (SendFailed, StopIteration) as error:
        raise SendFailed("answer_not_understood", retryable=True, uncertain=True) from error
    if not (taken.id or taken.token):
        raise SendFailed("answer_not_understood", retryable=True, uncertain=True)
    return taken


def tell(endpoint: Endpoint, fields: Mapping[str, str | Sequence[str]], deadline: Deadline) -> None:
    """An update of one of its reports, as FixMyStreet posts it. Raises SendFailed as `post` does."""
    _posted(endpoint, UPDATES, fields, deadline)


def resolve(endpoint: Endpoint, token: str, deadline: Deadline) -> str:
    """The number a token stands for by now, "" while there is none. Raises SendFailed."""
    if not re.fullmatch(r"[\w.~-]{1,100}", token):
        raise SendFailed("bad_token", retryable=False)
    found = _get(endpoint, f"tokens/{token}", {}, deadline, missing=True)
    return _word(found[0], "service_request_id") if found else ""


def requests(endpoint: Endpoint, query: Mapping[str, str], deadline: Deadline) -> list[Said]:
    """How requests stand. Raises SendFailed."""
    return [_state(each) for each in _get(endpoint, "requests", query, deadline)]


def updates(endpoint: Endpoint, start: int, end: int, deadline: Deadline) -> list[Said]:
    """What happened there from `start` to `end` (epoch seconds). Raises SendFailed."""
    span = {"start_date": str(time(start)), "end_date": str(time(end))}
    asked = {**span, **({"api_key": endpoint.key} if endpoint.key else {})}
    found = _get(endpoint, UPDATES, asked, deadline)
    return [
        Said(
            request=_word(each, "service_request_id"),
            status=_word(each, "status"),
            words=_text(each, "description"),
            at=_word(each, "updated_datetime"),
            id=_word(each, "update_id"),
        )
        for each in found
    ]


def _state(each: Mapping[str, Any]) -> Said:
    return Said(
        request=_word(each, "service_request_id"),
        status=_word(each, "status"),
        words=_text(each, "status_notes"),
        at=_word(each, "updated_datetime") or _word(each, "requested_datetime"),
        description=_text(each, "description"),
        service=_word(each, "service_code"),
        pin=_pin(each),
    )


# --- asking -----------------------------------------------------------------------------------------------------


def _posted(endpoint: Endpoint, path: str, fields: Mapping[str, str | Sequence[str]], deadline: Deadline) -> wire.Reply:
    """The answer to something it took. Raises SendFailed; `uncertain` where it may have been taken all the same."""
    said = {**_common(endpoint), **({"api_key": endpoint.key} if endpoint.key else {}), **fields}
    reply = _asked(endpoint, "POST", path, {}, urlencode(said, doseq=True).encode(), deadline)
    if reply.status in _NOT_TAKEN:
        raise SendFailed(f"http_{reply.status}", retryable=True)
    if reply.status >= 500:
        raise SendFailed(f"http_{reply.status}", retryable=True, uncertain=True)
    if reply.status >= 300:
        raise SendFailed(f"http_{reply.status} {_refusal(endpoint, reply)}".strip(), retryable=False)
    return reply


def _common(endpoint: Endpoint) -> dict[str, str]:
    return {"jurisdiction_id": endpoint.jurisdiction} if endpoint.jurisdiction else {}


def _get(
    endpoint: Endpoint, path: str, query: Mapping[str, str], deadline: Deadline, *, missing: bool = False
) -> list[dict[str, Any]]:
    """The entries of a list; with `missing` none where there is nothing yet."""
    reply = _asked(endpoint, "GET", path, {**_common(endpoint), **query}, b"", deadline)
    if reply.status == 404 and missing:
        return []
    if reply.status != 200:
        raise SendFailed(f"http_{reply.status}", retryable=True)
    return _read(endpoint, reply)


def _asked(
    endpoint: Endpoint, method: str, path: str, query: Mapping[str, str], body: bytes, deadline: Deadline
) -> wire.Reply:
    url = f"{endpoint.url}{path}.{endpoint.form}" + (f"?{urlencode(query)}" if query else "")
    address = strangers.address_of(url, lambda host: True)
    headers = {"Accept": _ACCEPT[endpoint.form], "User-Agent": "salter", "Connection": "close"}
    if body:
        headers |= {"Content-Type": _FORM}
    try:
        return strangers.ask(
            SERVICE, path.partition("/")[0], method, url, address, headers, body,
            deadline.within(CALL_SECONDS_MAX), ANSWER_BYTES_MAX,
        )  # fmt: skip
    except wire.CallFailed as failure:
        raise SendFailed("no_answer", retryable=True, uncertain=failure.sent and method == "POST") from failure


# --- reading ----------------------------------------------------------------------------------------------------


def _read(endpoint: Endpoint, reply: wire.Reply) -> list[dict[str, Any]]:
    """The entries of an answer, however it wraps them. Raises SendFailed."""
    try:
        text = reply.body.decode("utf-8-sig")
        found = _of_xml(text) if endpoint.form == "xml" else json.loads(text)
    except (ValueError, ElementTree.ParseError, RecursionError) as error:
        raise SendFailed("answer_not_understood", retryable=True) from error
    if isinstance(found, dict):  # some wrap the list in its name
        found = next((each for each in found.values() if isinstance(each, list)), [found])
    if not isinstance(found, list):
        raise SendFailed("answer_not_understood", retryable=True)
    return [each for each in found[:ENTRIES_MAX] if isinstance(each, dict)]


def _of_xml(text: str) -> list[dict[str, Any]]:
    """Elements two deep: a list and its entries. Raises ValueError for what declares a document type or entities."""
    bare = _DECLARATION.sub("", text, count=1)
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", bare, re.IGNORECASE):
        raise ValueError("a document type")
    root = ElementTree.fromstring(bare)
    return [{_plain(field.tag): field.text for field in each} for each in root]


def _plain(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _refusal(endpoint: Endpoint, reply: wire.Reply) -> str:
    """Why, in its own words: nobody's data is in them but what we sent."""
    try:
        said = "; ".join(_text(each, "description") for each in _read(endpoint, reply))
    except SendFailed:
        return ""
    return said[:REFUSAL_CHARS_MAX]


def _word(each: Mapping[str, Any], name: str) -> str:
    return _text(each, name)[:ID_CHARS_MAX]


def _text(each: Mapping[str, Any], name: str) -> str:
    value = each.get(name)
    return clean(str(value)).strip()[:WORDS_CHARS_MAX] if isinstance(value, str | int | float) else ""


def _pin(each: Mapping[str, Any]) -> tuple[float, float] | None:
    try:
        return float(each["lat"]), float(each["long"])
    except (KeyError, TypeError, ValueError):
        return None
