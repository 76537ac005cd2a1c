"""What the case API answers, as shapes: the functions that make answers are checked against them, and the OpenAPI
document is made from them. Absent is null, unless a field says that it is left out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import Field
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

Kind = Literal["problem", "document", "question", "assistance", "volunteer", "administrative", "chat"]
Status = Literal[
    "received",
    "in_progress",
    "forwarded",
    "awaiting_opinion",
    "awaiting_citizen",
    "stayed",
    "discontinued",
    "dismissed",
    "rejected",
    "resolved",
    "withdrawn",
]
KINDS: tuple[str, ...] = get_args(Kind)
STATUSES: tuple[str, ...] = get_args(Status)
# Words that come from the store, told with those they may be.
KindWord = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
StatusWord = Annotated[str, Field(json_schema_extra={"enum": list(STATUSES)})]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Count = Annotated[int, Field(ge=0)]


class Place(TypedDict):
    """Where it is."""

    latitude: float | None
    longitude: float | None
    text: str | None


class Attachment(TypedDict):
    """A photo, video or file; `url` works for five minutes, null while it may not be fetched."""

    id: str
    type: str
    size: int
    state: str
    url: str | None


class Happening(TypedDict):
    """What happened; `public` notes were told to the citizen."""

    at: Time | None
    event: str
    status: StatusWord
    by: str
    note: str | None
    public: bool


class Assignee(TypedDict):
    """Who has it."""

    kind: Annotated[str, Field(json_schema_extra={"enum": ["staff", "volunteer"]})]
    id: str | None
    name: str | None


class Case(TypedDict):
    """A case. Sealed answers are masked always, chats and help for keys without their scope."""

    reference: str
    number: str | None
    kind: KindWord
    category: str | None
    status: StatusWord
    subject: str
    office: str | None
    official: str | None
    awaiting_institution: str | None
    forwarded_to: str | None
    channel: str | None
    language: str | None
    script: str | None
    created_at: Time | None
    updated_at: Time | None
    due_at: Time | None
    closed_at: Time | None
    fields: dict[str, Any]
    place: Place | None
    attachments: list[Attachment]
    history: list[Happening]
    consent: bool
    assignee: NotRequired[Assignee]


class Page(TypedDict):
    """A page of cases; `cursor` of the next page, null on the last."""

    cases: list[Case]
    cursor: str | None


class SlipLink(TypedDict):
    """What the slip carries, told this once."""

    viber: str | None
    web: str | None
    qr_svg: str
    code: str
    expires: Time


class Filed(TypedDict):
    """A case that was filed."""

    reference: str
    number: str | None
    link: SlipLink


class RejectedRow(TypedDict):
    """A row that was not taken; the header is line 1."""

    line: int
    field: str | None
    reason: str


class Imported(TypedDict):
    """What became of the rows of a file."""

    applied: Count
    unchanged: Count
    rejected: list[RejectedRow]


class UploadForm(TypedDict):
    """Where the file goes: POST it as multipart/form-data with these fields first, the file as `file` last."""

    url: str
    fields: dict[str, str]


class ImportForm(TypedDict):
    """An import that waits for its file."""

    id: str
    upload: UploadForm
    expires: Time


class Import(TypedDict):
    """How far an import has come; `reason` why the file as a whole was refused; `result` the outcome of every row as
    CSV, a link good for five minutes, null until it is done."""

    id: str
    state: Annotated[str, Field(json_schema_extra={"enum": ["waiting", "going", "done", "refused"]})]
    reason: str | None
    rows: Count
    applied: Count
    unchanged: Count
    rejected: Count
    result: str | None


class Audience(TypedDict):
    """For whom; empty is everybody."""

    topics: list[str]
    settlements: list[str]
    languages: list[str]
    channels: list[str]


class Counts(TypedDict):
    """What became of it; sent + failed + uncertain + skipped + left is always the audience."""

    audience: Count
    sent: Count
    delivered: Count
    seen: Count
    failed: Count
    left: Count
    uncertain: Count
    skipped: Count
    web: Count


class Price(TypedDict):
    """What its messages cost."""

    amount: float
    currency: str


class AnnouncementPage(TypedDict):
    """One page of receivers."""

    n: Count
    state: str
    size: Count


class Announcement(TypedDict):
    """An announcement as it stands."""

    id: str
    state: Annotated[
        str, Field(json_schema_extra={"enum": ["draft", "approved", "sending", "paused", "stopped", "done"]})
    ]
    reason: str | None
    text: dict[str, str]
    audience: Audience
    at: Time | None
    created_at: Time | None
    approved_at: Time | None
    began_at: Time | None
    counts: Counts
    calls: Count
    price: Price | None
    pages: list[AnnouncementPage]


Messages = TypedDict("Messages", {"in": Count, "out": Count})


class CaseCount(TypedDict):
    """Cases of one kind and category."""

    kind: str
    category: str | None
    opened: Count
    closed: Count


class Minutes(TypedDict):
    """How long citizens waited for the first answer."""

    median: float | None
    p90: float | None


class Deadlines(TypedDict):
    """How many were kept."""

    kept: Count
    missed: Count


class Ratings(TypedDict):
    """What citizens thought, from one to five."""

    count: Count
    mean: float | None


class Cost(TypedDict):
    """What is not known is null, not nought."""

    currency: str
    messages: float | None
    aws: float | None


Figures = TypedDict(
    "Figures",
    {
        "from": Day,
        "to": Day,
        "people": Count,
        "conversations": Count,
        "messages": Messages,
        "cases": list[CaseCount],
        "first_answer_minutes": Minutes,
        "deadlines": Deadlines,
        "unanswered": float,
        "ratings": Ratings,
        "cost": Cost,
    },
)


class Fault(TypedDict):
    """What is wrong; `field` where it is one field's."""

    code: str
    message: str
    field: NotRequired[str]


class Error(TypedDict):
    """Every error."""

    error: Fault
