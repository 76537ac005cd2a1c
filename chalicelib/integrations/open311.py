"""Open311 GeoReport v2 as it is spoken: what a client may ask, checked, and answers in JSON and XML.

Parsing and wording only; what a request does is `actions.open311`. Nobody's XML is parsed here, so none can harm:
clients send forms. Errors are a list of {"code", "description"}, as the standard has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from chalicelib import bounds
from chalicelib.compact_json import as_json
from chalicelib.model import Refused
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass

JSON, XML = "json", "xml"
TYPES = {JSON: "application/json; charset=utf-8", XML: "text/xml; charset=utf-8"}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
FIELDS_MAX = 200
FIELD_CHARS_MAX = 4000  # of the standard's description; anything else is shorter
NAME_CHARS_MAX = 60
PLACE_CHARS_MAX = 200
LINK_CHARS_MAX = 1000
MEDIA_MAX = 5
IDS_MAX = 50
SPAN_DAYS_MAX = 90  # the standard's
UPDATES_SPAN_DAYS_MAX = 31
UPDATES_DAYS_USUAL = 7
PAGE_SIZE_USUAL, PAGE_SIZE_MAX = 100, 200
FOUND_MAX = 1000  # the standard's bound of a list, over all its pages
_UNPRINTABLE = pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE = pattern(r"attribute\[([A-Za-z0-9_.-]{1,60})\](?:\[[0-9]{0,3}\])?")
_FILE_NAME = pattern(rb'filename\*?="?([^";\r\n]*)')
_FIELD_NAME = pattern(rb'[; ]name="([^"\r\n]{1,100})"')
_ITEMS = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}


class Faults(Refused):
    """What is wrong with a request, all of it at once: (HTTP status, words)."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__(faults[0][0], "open311", faults[0][1])
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted: each field's values in their order, attributes apart, and the bytes of files."""

    fields: Mapping[str, Sequence[str]]
    attributes: Mapping[str, Sequence[str]]
    files: Sequence[bytes] = ()

    def get(self, name: str) -> str:
        """The value of a field, "" if there is none."""
        values = self.fields.get(name, ())
        return values[0].strip() if values else ""

    def links(self) -> list[str]:
        """Where the photos lie that were not sent."""
        named = [*self.fields.get("media_url", ()), *self.fields.get("media_url[]", ())]
        return [link.strip() for link in named if link.strip()]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests a list is to have. Times in epoch seconds; () of anything is all of it."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    created: tuple[int, int] = (0, 0)
    updated: tuple[int, int] = (0, 0)
    page: int = 1
    page_size: int = PAGE_SIZE_USUAL


def resource(written: str) -> tuple[str, str]:
    """`services.xml` → what and in which format. Raises Faults 404 for a format there is not."""
    name, _, suffix = written.rpartition(".")
    if suffix.lower() in TYPES and name:
        return name, suffix.lower()
    raise Faults([(404, "Ask for .json or .xml.")])


def format_of(written: str) -> str:
    """In which format a fault is told: the one that was asked for, else JSON."""
    return XML if written.lower().endswith(".xml") else JSON


# --- what is asked ----------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """Without what no text and no XML may hold."""
    return _UNPRINTABLE.sub("", text)


def form(body: bytes, headers: Mapping[str, str]) -> Form:
    """What was posted. Raises Faults: 415, 413, 400."""
    content_type = headers.get("content-type", FORMS[0])
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in FORMS:
        raise Faults([(415, f"Send {' or '.join(FORMS)}.")])
    if len(body) > bounds.FILE:
        raise Faults([(413, f"At most {bounds.FILE // 2**20} MB; larger photos by media_url.")])
    if media_type == FORMS[0]:
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
        except (UnicodeDecodeError, ValueError) as error:
            raise Faults([(400, f"The form is not UTF-8 or has more than {FIELDS_MAX} fields.")]) from error
        return _sorted(pairs, [])
    return _multipart(body, content_type)


def _multipart(body: bytes, content_type: str) -> Form:
    named = re.search(r'boundary="?([^";,]{1,70})"?', content_type)
    if not named or not named[1].isascii():
        raise Faults([(400, "multipart/form-data without a boundary.")])
    parts = (b"\r\n" + body).split(b"\r\n--" + named[1].strip().encode())
    if len(parts) < 2 or len(parts) > FIELDS_MAX + 2 or not parts[-1].startswith(b"--"):
        raise Faults([(400, "The multipart form is cut off or has too many parts.")])
    pairs, files = list[tuple[str, str]](), list[bytes]()
    for part in parts[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _FIELD_NAME.search(head)
        if not blank or not name:
            raise Faults([(400, "A part of the multipart form has no name.")])
        if _FILE_NAME.search(head):
            files += [content] if content else []
            continue
        try:
            pairs.append((name[1].decode(), content.decode()))
        except UnicodeDecodeError as error:
            raise Faults([(400, "A field of the form is not UTF-8.")]) from error
    return _sorted(pairs, files)


def _sorted(pairs: Iterable[tuple[str, str]], files: Sequence[bytes]) -> Form:
    fields, attributes = dict[str, list[str]](), dict[str, list[str]]()
    for name, value in pairs:
        if len(value) > FIELD_CHARS_MAX:
            raise Faults([(400, f"{clean(name)[:60]} has more than {FIELD_CHARS_MAX} characters.")])
        attribute = _ATTRIBUTE.fullmatch(name)
        where = attributes if attribute else fields
        where.setdefault(attribute[1] if attribute else name, []).append(clean(value))
    return Form(fields, attributes, files)


def pin(given: Form) -> tuple[float, float] | None:
    """Latitude and longitude, None if neither is given. Raises ValueError."""
    written = given.get("lat"), given.get("long")
    if not any(written):
        return None
    latitude, longitude = (float(degrees) for degrees in written)
    # Nought and nought is what a telephone says that knows nothing; comparisons with NaN are false.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or latitude == longitude == 0:
        raise ValueError
    return latitude, longitude


def wanted(query: Mapping[str, str], now: float) -> Wanted:
    """The parameters of a list of requests. Raises Faults 400."""
    ids = _several(query.get("service_request_id", ""))
    if len(ids) > IDS_MAX:
        raise Faults([(400, f"At most {IDS_MAX} service_request_id at once.")])
    page, size = _page(query)
    statuses = tuple(each.lower() for each in _several(query.get("status", "")))
    updated = _moment(query, "updated_after"), _moment(query, "updated_before")
    return Wanted(
        ids=ids,
        codes=_several(query.get("service_code", "")),
        statuses=statuses,
        created=span(query, now, SPAN_DAYS_MAX, SPAN_DAYS_MAX, needed=not any(updated)),
        updated=updated,
        page=page,
        page_size=size,
    )


def updates_wanted(query: Mapping[str, str], now: float) -> Wanted:
    """The parameters of a list of updates. Raises Faults 400."""
    page, size = _page(query)
    created = span(query, now, UPDATES_SPAN_DAYS_MAX, UPDATES_DAYS_USUAL, needed=True)
    return Wanted(created=created, page=page, page_size=size)


def span(query: Mapping[str, str], now: float, days_max: int, days_usual: int, *, needed: bool) -> tuple[int, int]:
    """From when to when; (0, 0) where nothing is said and nothing `needed`. Raises Faults 400."""
    start, end = _moment(query, "start_date"), _moment(query, "end_date")
    if not (start or end or needed):
        return 0, 0
    day = int(timedelta(days=1).total_seconds())
    if start and not end:
        end = min(max(int(now), start), start + days_max * day)
    end = end or int(now)
    start = start or max(1, end - days_usual * day)
    if start > end:
        raise Faults([(400, "start_date lies after end_date.")])
    if end - start > days_max * day:
        raise Faults([(400, f"start_date and end_date span more than {days_max} days.")])
    return start, end


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    page, size = query.get("page", "1"), query.get("page_size", str(PAGE_SIZE_USUAL))
    if not re.fullmatch(r"[0-9]{1,4}", page) or int(page) < 1:
        raise Faults([(400, "page is a number from 1.")])
    if not re.fullmatch(r"[0-9]{1,4}", size) or not 1 <= int(size) <= PAGE_SIZE_MAX:
        raise Faults([(400, f"page_size is a number from 1 to {PAGE_SIZE_MAX}.")])
    if (int(page) - 1) * int(size) >= FOUND_MAX:
        raise Faults([(400, f"A list has at most {FOUND_MAX} entries; narrow start_date and end_date.")])
    return int(page), int(size)


def _several(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in written.split(",") if part.strip()))


def _moment(query: Mapping[str, str], name: str) -> int:
    """A time of the query in epoch seconds, 0 for none; one without a zone is UTC. Raises Faults 400."""
    said = query.get(name, "").strip()
    if not said:
        return 0
    try:
        # A "+" that nobody escaped arrives as a blank.
        read = datetime.fromisoformat(said.replace(" ", "+" if "T" in said else "T"))
        return max(0, int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()))
    except (ValueError, OverflowError) as error:
        raise Faults([(400, f"{name} is a time as 2026-03-10T10:15:00Z.")]) from error


# --- what is told -----------------------------------------------------------------------------------------------


def time(at: int) -> str | None:
    """As the standard writes times; None for none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def discovery(town: str, page: str, endpoint: str, stage: str, changeset: str) -> dict[str, Any]:
    """Where what is: who to ask, for keys too, and the one endpoint."""
    return {
        "changeset": changeset,
        "contact": f"{town}, {page}",
        "key_service": f"{town}, {page}",
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": endpoint,
                "changeset": changeset,
                "type": "production" if stage == "prod" else "test",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


def faults(error: Refused) -> list[dict[str, Any]]:
    """A refusal in the standard's words."""
    several = error.faults if isinstance(error, Faults) else ((error.status, error.message),)
    return [{"code": code, "description": clean(words)} for code, words in several]


def written(data: Any, form: str, root: str, item: str = "") -> str:
    """An answer in its format. A list is called `root` in XML, its entries `item`; in JSON it has no name."""
    if form == JSON:
        return as_json(data)
    inside = "".join(_element(item, each) for each in data) if item else _inside(data)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>{inside}</{root}>'


def _element(name: str, value: Any) -> str:
    return f"<{name}>{_inside(value, name)}</{name}>"


def _inside(value: Any, name: str = "") -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "".join(_element(key, each) for key, each in value.items())
        case list():
            return "".join(_element(_ITEMS[name], each) for each in value)
    return escape(clean(str(value)))
