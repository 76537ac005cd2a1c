"""The case API's language: what a town's system may say, checked, and how a case is told to it.

Parsing and wording only; what a request does is `actions.case_api`. Never imported on the webhook's path.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from chalicelib import bounds
from chalicelib.integrations import answers
from chalicelib.integrations.answers import Kind, Status
from chalicelib.model import PLACE, Announcement, Attachment, Case, Happening, PageState, Refused
from chalicelib.patterns import pattern

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
SPAN_DAYS_DEFAULT, SPAN_DAYS_MAX = 30, 366
CURSOR_CHARS_MAX = 200
CURSOR_PROOF_BYTES = 12
ANNOUNCEMENT_LANGUAGES_MAX = 10
IDEMPOTENCY_KEY_CHARS_MAX = 200
IDEMPOTENCY_KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?$"
MASKED = "•••"
# Kinds whose words only a key with this scope reads.
MASKED_KINDS = {"chat": "chats", "assistance": "help", "volunteer": "help"}
_IDEMPOTENCY_KEY = pattern(IDEMPOTENCY_KEY_PATTERN)


# What the product notes for itself among a form's answers.
OWN_FIELDS = frozenset({"street_folded"})


def _text(chars_max: int, pattern: str = r"\S") -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=chars_max, strict=True, pattern=pattern)


def _moment(written: object) -> int:
    """A time as epoch seconds."""
    try:
        # A "+" that nobody escaped arrives as a blank.
        plain = str(written).strip()
        read = datetime.fromisoformat(plain.replace(" ", "+" if "T" in plain else "T"))
        at = read if read.tzinfo else read.replace(tzinfo=UTC)
        return max(0, int(at.timestamp()))
    except (ValueError, OverflowError) as error:
        raise ValueError("a time as 2026-03-10T10:15:00+01:00") from error


def _day(written: object) -> date:
    """A day, or the day of a time."""
    plain = str(written)
    try:
        return date.fromisoformat(plain) if _DAY.fullmatch(plain) else datetime.fromisoformat(plain).date()
    except ValueError as error:
        raise ValueError("a day as 2026-03-10") from error


def _number(written: object) -> int:
    """A number as a query writes it: digits alone."""
    if not re.fullmatch(r"[0-9]{1,4}", str(written)):
        raise ValueError("a number")
    return int(str(written))


_DAY = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Name = Annotated[str, _text(120)]
Subject = Annotated[str, _text(300)]
Note = Annotated[str, _text(2000)]
Number = Annotated[str, _text(60)]
AnnouncementText = Annotated[str, _text(1000)]
Phone = Annotated[str, _text(30, r"^\+?[0-9 ()/.-]{5,29}$")]
Email = Annotated[str, _text(120, r"^[^@\s]{1,64}@[^@\s]+\.[A-Za-z]{2,}$")]
LanguageTag = Annotated[str, _text(20, r"^[A-Za-z]{2,3}(-[A-Za-z]{4,8})?$")]
Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX), BeforeValidator(_number)]
YesNo = Literal["0", "1"]
EventName = Annotated[str, _text(40, r"^[a-z][a-z0-9_]{1,39}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Applicant(_Strict):
    """Whose case it is. `language` as `sr`, `sr-Cyrl`, `en` …: notices are written in it once the person is bound."""

    name: Name
    phone: Phone | None = None
    email: Email | None = None
    language: LanguageTag | None = None


class NewCase(_Strict):
    """A file that was opened at the counter or in the office."""

    subject: Subject
    applicant: Applicant
    number: Number | None = None
    office: Name | None = None
    official: Name | None = None
    status: Status | None = None
    awaiting_institution: Name | None = None
    consent: StrictBool | None = None


class CaseEvent(_Strict):
    """What happened to a case. `note` stays in the office, `public_note` is for the citizen."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    status: Status | None = None
    note: Note | None = None
    public_note: Note | None = None
    office: Name | None = None
    official: Name | None = None
    awaiting_institution: Name | None = None
    forwarded_to: Name | None = None
    event: EventName | None = None


class NumberedEvent(CaseEvent):
    """The same, for the case under the town's own file number."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    number: Number


class AnnouncementAudience(_Strict):
    """Whom it is for; what is left out is everybody. Settlements by name."""

    topics: list[Name] | None = None
    settlements: list[Name] | None = None
    languages: list[Name] | None = None
    channels: list[Literal["viber", "web"]] | None = None


class NewAnnouncement(_Strict):
    """The town's words by language; the other script is derived. `at`: when to send it, at once if left out."""

    text: dict[LanguageTag, AnnouncementText] = Field(
        min_length=1,
        max_length=ANNOUNCEMENT_LANGUAGES_MAX,
        json_schema_extra={"additionalProperties": False},
    )
    audience: AnnouncementAudience | None = None
    at: Moment | None = None


class NewImport(_Strict):
    """A file of cases that is about to be laid into the bucket. `name` as the office calls it, for people."""

    name: Name | None = None


class _Query(BaseModel):
    """Parameters of an address; what is unknown is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Listing(_Query):
    """What a list of cases was asked for. `updated_after` in epoch seconds, 0 = from the beginning."""

    number: Number | None = Field(None, description="the town's own file number")
    status: Status | None = None
    kind: Kind | None = None
    office: Name | None = Field(None, description="id or exact title")
    updated_after: Moment = Field(0, description="at this second or later")
    call: YesNo = Field("0", description="1: whose citizen somebody should call, longest waiting first")
    cursor: Annotated[str, Field(max_length=CURSOR_CHARS_MAX)] = Field(
        "", description="of the page before; a page may be short and still have one"
    )
    limit: Limit = LIMIT_DEFAULT


class OneCase(_Query):
    """How one case is asked for."""

    notices: YesNo = Field("0", description="1: its history also says what became of each notice")


class Span(_Query):
    """From which day to which, both in; the last thirty days if none are named."""

    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: bytes, headers: Mapping[str, str]) -> Model:
    """The request's body as `model`. Raises Refused: 415, 413, 400 for what is no JSON object, 422 naming the field."""
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "type_not_allowed", "Send application/json.")
    if len(body) > bounds.MESSAGE:
        raise Refused(413, "too_large", f"At most {bounds.MESSAGE // 1024} kB.")
    try:
        data = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed", "The body is not JSON.") from error
    if not isinstance(data, dict):
        raise Refused(400, "malformed", "The body is not a JSON object.")
    return checked(model, data)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def checked(model: type[Model], data: Mapping[str, Any]) -> Model:
    """`data` as `model`, whoever sent it. Raises Refused 422 naming the field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # Only where and which rule: what was sent may be somebody's name or number.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:80].encode("utf-8", "replace").decode()
        raise Refused(422, "bad_value", f"{field}: {first['msg']}", field) from error


def asked(model: type[Model], query: Mapping[str, str]) -> Model:
    """The parameters of an address as `model`. Raises Refused 422 naming the parameter."""
    return checked(model, query)


def span(query: Mapping[str, str], today: date) -> tuple[date, date]:
    """From which day to which figures were asked for. Raises Refused 422 naming the parameter."""
    wanted = asked(Span, query)
    last = wanted.last or today
    first = wanted.first or max(date.min + timedelta(days=SPAN_DAYS_MAX), last) - timedelta(days=SPAN_DAYS_DEFAULT - 1)
    if first > last or (last - first).days >= SPAN_DAYS_MAX:
        raise Refused(422, "bad_span", f"from lies before to, at most {SPAN_DAYS_MAX} days.", "from")
    return first, last


def cursor_of(token: str, walk: str, position: str | None) -> str | None:
    """Where a walk through a list goes on, for the holder of this key alone."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(_proof(token, walk, position) + position.encode()).decode().rstrip("=")


def position_of(token: str, walk: str, cursor: str) -> str:
    """The position in a cursor we gave, "" for none. Raises Refused 422 for any other."""
    if not cursor:
        return ""
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = plain[CURSOR_PROOF_BYTES:].decode()
    except ValueError:
        position, plain = "", b""
    if not position or not hmac.compare_digest(plain[:CURSOR_PROOF_BYTES], _proof(token, walk, position)):
        raise Refused(422, "bad_cursor", "Use the cursor of the page before.", "cursor")
    return position


def _proof(token: str, walk: str, position: str) -> bytes:
    return hmac.new(token.encode(), f"cursor {walk} {position}".encode(), hashlib.sha256).digest()[:CURSOR_PROOF_BYTES]


def idempotency_key(headers: Mapping[str, str]) -> str:
    """The caller's own name of this request; "" if it has none. Raises Refused 422 for one of another shape."""
    key = headers.get("idempotency-key")
    if key is not None and not (len(key) <= IDEMPOTENCY_KEY_CHARS_MAX and _IDEMPOTENCY_KEY.fullmatch(key)):
        raise Refused(422, "bad_idempotency_key", f"1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters.")
    return key or ""


def bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


# --- what is told -----------------------------------------------------------------------------------------------


def hides(case: Case, scopes: frozenset[str]) -> bool:
    """Whether a key reads nothing of what was said in this case."""
    return case.kind in MASKED_KINDS and MASKED_KINDS[case.kind] not in scopes


def case_json(
    case: Case, time_zone: str, scopes: frozenset[str], link: Callable[[Attachment], str | None]
) -> answers.Case:
    """A case as the contract tells it. Sealed slots are masked always, chats and help for keys without their scope.

    `link` gives the address under which an attachment may be fetched for a short while, None while it may not.
    """
    zone = ZoneInfo(time_zone)
    hidden = hides(case, scopes)
    place, voice, assignee = case.place, case.voice, case.assignee
    fields = {slot: MASKED if hidden else value for slot, value in case.fields.items() if slot not in OWN_FIELDS}
    fields |= {slot: MASKED for slot in case.private if slot not in fields and slot != PLACE}
    told: answers.Case = {
        "reference": case.reference,
        "number": case.number or None,
        "kind": case.kind,
        "category": case.category or None,
        "status": case.status,
        "subject": MASKED if hidden else case.subject,
        "office": case.office or None,
        "official": case.official or None,
        "awaiting_institution": case.awaiting_institution or None,
        "forwarded_to": case.forwarded_to or None,
        "channel": case.channel or None,
        "language": voice.language if voice else None,
        "script": voice.script if voice else None,
        "created_at": _time(case.created_at, zone),
        "updated_at": _time(case.updated_at, zone),
        "due_at": _time(case.due_at, zone),
        "closed_at": _time(case.closed_at, zone),
        "fields": fields | dict.fromkeys(case.sealed, MASKED),
        "place": None
        if place is None or hidden
        else {"latitude": place.latitude, "longitude": place.longitude, "text": place.text or None},
        "attachments": []
        if hidden
        else [
            {"id": file.id, "type": file.type, "size": file.size, "state": file.state, "url": link(file)}
            for file in case.attachments
        ],
        "history": [_happening(entry, zone, hidden) for entry in case.history],
        "consent": case.consent,
    }
    if assignee:
        kind, identifier, name = assignee
        told["assignee"] = {"kind": kind, "id": identifier, "name": MASKED if hidden else name}
    return told


def announcement_json(
    found: Announcement,
    state: str,
    counts: answers.Counts,
    pages: Iterable[PageState],
    price: answers.Price | None,
    time_zone: str,
) -> answers.Announcement:
    """An announcement as the contract tells it; nobody's id is in it."""
    zone, sizes = ZoneInfo(time_zone), {page.n: page.size for page in found.pages}
    audience = found.audience
    return {
        "id": found.id,
        "state": state,
        "reason": found.reason or None,
        "text": dict(found.text),
        "audience": {
            "topics": list(audience.topics),
            "settlements": list(audience.settlements),
            "languages": list(audience.languages),
            "channels": list(audience.channels),
        },
        "at": _time(found.at, zone),
        "created_at": _time(found.created_at, zone),
        "approved_at": _time(found.approved_at, zone),
        "began_at": _time(found.began_at, zone),
        "counts": counts,
        "calls": found.calls,
        "price": price,
        "pages": [{"n": page.n, "state": page.state, "size": sizes[page.n]} for page in pages],
    }


class Summed(Protocol):
    """A town's figures of a span of days (`cases.figures.Figures`)."""

    @property
    def first(self) -> str: ...
    @property
    def last(self) -> str: ...
    @property
    def people(self) -> int: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def cases(self) -> tuple[tuple[str, str, int, int], ...]: ...
    @property
    def conversations(self) -> int: ...
    @property
    def answer_median(self) -> int | None: ...
    @property
    def answer_p90(self) -> int | None: ...
    @property
    def kept(self) -> int: ...
    @property
    def missed(self) -> int: ...
    @property
    def unanswered(self) -> float: ...
    @property
    def rating_count(self) -> int: ...
    @property
    def rating_mean(self) -> float | None: ...


def figures_json(figures: Summed, spent: tuple[float, str] | None = None) -> answers.Figures:
    """Figures as the contract tells them. What costs money and is not known is null, not nought.

    `spent`: for messages, and in which currency; None where the town has no confirmed price.
    """
    cost, currency = spent or (None, "EUR")
    return {
        "from": figures.first,
        "to": figures.last,
        "people": figures.people,
        "conversations": figures.conversations,
        "messages": {"in": figures.counts.get("in", 0), "out": figures.counts.get("out", 0)},
        "cases": [
            {"kind": kind, "category": category or None, "opened": opened, "closed": closed}
            for kind, category, opened, closed in figures.cases
        ],
        "first_answer_minutes": {"median": figures.answer_median, "p90": figures.answer_p90},
        "deadlines": {"kept": figures.kept, "missed": figures.missed},
        "unanswered": figures.unanswered,
        "ratings": {"count": figures.rating_count, "mean": figures.rating_mean},
        "cost": {"currency": currency, "messages": cost, "aws": None},
    }


def _happening(entry: Happening, zone: ZoneInfo, hidden: bool) -> answers.Happening:
    return {
        "at": _time(entry.at, zone),
        "event": entry.event,
        "status": entry.status,
        "by": entry.by,
        "note": (MASKED if hidden else entry.note) if entry.note else None,
        "public": entry.public,
    }


def _time(at: int, zone: ZoneInfo) -> str | None:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds") if at else None


def qr_svg(content: str, *, sized: bool = True) -> str:
    """A QR code to print, as SVG; without a size of its own it fills what it stands in."""
    import io

    import segno

    drawn = io.BytesIO()
    segno.make(content, error="m", micro=False).save(
        drawn, kind="svg", scale=4, xmldecl=False, svgclass=None, omitsize=not sized
    )
    return drawn.getvalue().decode().strip()
