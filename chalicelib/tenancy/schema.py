"""The shape of a town's YAML, checked as strictly as code: unknown keys are errors.

A value the town has not confirmed yet is written `to be confirmed by the town`; citizens then read a plain
"ask at the office". Nothing may be invented to fill a gap.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.cases.announcements import SECOND_PERSON_ABOVE, UNDO_MINUTES
from chalicelib.cases.callbacks import CALLBACKS_MAX, USUAL_KINDS, USUAL_TOPICS
from chalicelib.cases.lifecycle import REOPEN_DAYS
from chalicelib.cases.retention import DAYS_MAX, DAYS_MIN
from chalicelib.understanding.entities.phones import phone_of

UNCONFIRMED = "to be confirmed by the town"
VIBER_NAME_CHARS_MAX = 28
TEXT_CHARS_MAX = 2000
TITLE_CHARS_MAX = 60
LIST_ITEMS_MAX = 20
QUIET_MINUTES, QUIET_MINUTES_MAX = 2, 60
UNDO_MINUTES_MAX = 60
OFFICES_MAX = 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OWN_MACHINE = r"http://(localhost|127\.0\.0\.1):\d{2,5}/[^\s\"<>#@\\]{0,300}"  # to try it on the local stage
LANGUAGES = ("sr", "bs", "cnr", "sq", "en", "de")

Language = Literal["sr", "bs", "cnr", "sq", "en", "de"]
CaseKind = Literal["problem", "document", "question", "assistance", "volunteer", "administrative", "chat"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$")]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,38}$")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
HttpsUrl = Annotated[
    str, Field(max_length=300, pattern=r"^(https://[\w-]+(\.[\w-]+)+|https?://localhost)(:\d{1,5})?([/?#][^\s\"<>]*)?$")
]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s,;<>]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}$")]
Unconfirmed = Literal["to be confirmed by the town"]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
Title = Annotated[str, Field(min_length=1, max_length=TITLE_CHARS_MAX)]


class Strict(BaseModel):
    """Nothing unknown, and nothing taken for what it is not: `09001` is no number, `1` is no yes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _phone(value: str) -> str:
    if not re.fullmatch(r"\+\d[\d /-]{5,20}", value):
        raise ValueError('write the number with country code, e.g. "+381 25 468 241"')
    if phone_of(value, "") is None:
        raise ValueError("is no number of its country; count the digits")
    return value


def _spans(value: str) -> str:
    for part in value.split(","):
        match = re.fullmatch(r"\s*([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\s*", part)
        if not match or (match[1], match[2]) >= (match[3], match[4]):
            raise ValueError('write opening hours as "07:30-15:30", split hours with a comma')
    return value


def _callback_url(value: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9][a-z0-9.-]{2,120}(:\d{1,5})?/[^\s\"<>#@\\]{0,300}|" + _OWN_MACHINE, value):
        raise ValueError('write the whole address with https and a path, e.g. "https://dms.example.rs/salter"')
    return value


def _date(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _day(value: str) -> str:
    try:
        dt.date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("there is no such day") from error
    return value


Phone = Annotated[str, AfterValidator(_phone)]
Spans = Annotated[str, AfterValidator(_spans)]
Date = Annotated[str, BeforeValidator(_date), Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]
Hours = dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekdays"], Spans]
LocalText = Text | dict[Language, Text]
LocalTitle = dict[Language, Title]
LocalList = dict[Language, Annotated[list[Short], Field(min_length=1, max_length=LIST_ITEMS_MAX)]]


class LanguageOffer(Strict):
    """A language the town speaks. `variant: ijekavian` picks the ijekavian Serbian catalogue."""

    id: Language
    variant: Literal["ekavian", "ijekavian"] | None = None
    scripts: Annotated[list[Literal["latin", "cyrillic"]], Field(min_length=1)] = ["latin"]

    @property
    def catalogue(self) -> str:
        return "sr-ije" if self.id == "sr" and self.variant == "ijekavian" else self.id


class NameForms(Strict):
    """Grammar forms of the town's name; never built by program. A language without cases gives `plain` alone."""

    plain: Short
    genitive: Short | None = None
    locative: Short | None = None


class Bot(Strict):
    name: Short
    viber_name: Annotated[str, Field(min_length=1, max_length=VIBER_NAME_CHARS_MAX)]


class WebChannel(Strict):
    """`daily_messages`: how many messages a day the chat takes, so that a program that writes without end costs no more
    than that; then visitors are asked to wait."""

    origins: list[HttpsUrl] = []
    daily_messages: Annotated[int, Field(ge=100, le=10_000_000)] = 20_000


class Price(Strict):
    """What one message costs that Viber bills: one sent to somebody who has not written for a day."""

    amount: Annotated[float, Field(ge=0, le=10)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"


class ViberChannel(Strict):
    """`uri`: the bot's public name in Viber's links (`viber://pa?chatURI=…`), where it isn't the account's own.
    `monthly_messages`: how many billed messages a month the town pays for; no bound where nothing is said.
    `notices: in_session` lets notices that would be billed wait until the citizen writes; else they wait until a case
    has been quiet for `quiet_minutes`, so that changes which come together cost one message."""

    account: Slug | None = None
    uri: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    price: Price | Unconfirmed = UNCONFIRMED  # type: ignore[assignment]
    monthly_messages: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    notices: Literal["at_once", "in_session"] = "at_once"
    quiet_minutes: Annotated[int, Field(ge=0, le=QUIET_MINUTES_MAX)] = QUIET_MINUTES


class Channels(Strict):
    web: WebChannel | None = None
    viber: ViberChannel | None = None


class MapTiles(Strict):
    """Where the console's map gets its pictures, and whom it names for them; the browsers of staff fetch them there."""

    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]{4,120}(:\d{1,5})?/[^\s\"<>]{1,300}$")]
    attribution: Title

    @model_validator(mode="after")
    def _names_a_tile(self) -> MapTiles:
        if not all(part in self.url for part in ("{z}", "{x}", "{y}")):
            raise ValueError('write the address with {z}, {x} and {y}, e.g. "https://tiles.example/{z}/{x}/{y}.png"')
        return self


class Look(Strict):
    """`map_tiles`: none unless the town says so; then places are shown by their words and a link."""

    colour: Colour
    map_tiles: MapTiles | None = None


class Emergency(Strict):
    """Numbers shown at once, without a form. `general` is 112 where it is in force."""

    police: Short
    fire: Short
    ambulance: Short
    general: Short | Unconfirmed = UNCONFIRMED
    other: dict[Language, list[Short]] = {}


class Centre(Strict):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    radius_km: Annotated[float, Field(gt=0, le=100)]


class Person(Strict):
    """The office that answers when a citizen wants a person."""

    office: Id


def _endpoint(value: str) -> str:
    own = re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:\d{2,5})?/[^\s\"<>#?@\\]{0,200}", value)
    if not own and not re.fullmatch(r"https://[a-z0-9][a-z0-9.-]{2,120}(:443)?/[^\s\"<>#?@\\]{0,200}", value):
        raise ValueError('write the whole address with https, e.g. "https://311.example.rs/open311/v2/"')
    return value if value.endswith("/") else f"{value}/"


Open311Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]
# What another system may make of a case; the rest of the graph is not its to cause.
Open311Becomes = Literal["", "in_progress", "stayed", "discontinued", "dismissed", "rejected", "resolved"]


class Open311Endpoint(Strict):
    """Another system that takes reports by Open311, of a public company or of the town's own.

    `key`: the name under which its api_key stands among the stage's secrets. `updates`: it answers
    `servicerequestupdates`, too; `takes_updates`: it takes them. `statuses`: what a case becomes when it says so, where
    the platform's table does not fit. `share`: what it is told of whoever reported beside place and description.
    """

    id: Id
    title: LocalTitle
    url: Annotated[str, AfterValidator(_endpoint)]
    jurisdiction: Annotated[str, Field(pattern=r"^[\w.-]{1,80}$")] | None = None
    key: Slug | None = None
    format: Literal["json", "xml"] = "json"
    updates: bool = False
    takes_updates: bool = False
    statuses: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")], Open311Becomes] = {}
    share: list[Literal["name", "phone", "email", "photos"]] = []
    minutes: Annotated[int, Field(ge=5, le=1440)] = 15  # how often it is asked what became of what it has


class Open311(Strict):
    """What whoever asks by Open311 without a key sees of problem reports, and the systems that reports go to.

    `public: false` shows nothing without a key. `place`: how exactly. `descriptions`: also what citizens wrote in a
    chat, without numbers and their names; `photos`: also checked photos.
    """

    public: bool = True
    place: Literal["exact", "near", "none"] = "exact"
    descriptions: bool = False
    photos: bool = False
    jurisdiction: Annotated[str, Field(pattern=r"^[\w.-]{1,80}$")] | None = None
    endpoints: Annotated[list[Open311Endpoint], Field(max_length=LIST_ITEMS_MAX)] = []


class Announcements(Strict):
    """`second_person_above`: with more receivers somebody else than the author approves; once that was done in the
    console, `undo_minutes` pass before it leaves."""

    second_person_above: Annotated[int, Field(ge=50, le=100_000)] = SECOND_PERSON_ABOVE
    undo_minutes: Annotated[int, Field(ge=0, le=UNDO_MINUTES_MAX)] = UNDO_MINUTES


PublicFigure = Literal["kept", "answer", "people", "problems", "rating"]


class Callback(Strict):
    """A system of the town's that is told what happens to cases: where, of which events, of which kinds of case.

    Its secret is made by `./salter callback secret` and stands in no file.
    """

    id: Id
    url: Annotated[str, AfterValidator(_callback_url)]
    events: Annotated[
        list[Literal["opened", "status", "attachment", "assignment", "deadline", "note"]], Field(min_length=1)
    ] = list(USUAL_TOPICS)  # type: ignore[arg-type]
    kinds: Annotated[list[CaseKind], Field(min_length=1)] = list(USUAL_KINDS)  # type: ignore[arg-type]


class TenantFile(Strict):
    """tenant.yaml"""

    slug: Slug
    number: Annotated[int, Field(ge=1, le=9999)]
    kind: Literal["municipality", "ngo"] = "municipality"
    country: Literal["RS", "BA", "ME", "XK"]
    calendar: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2,5})?$")]
    time_zone: Annotated[str, Field(pattern=r"^Europe/[A-Za-z]+$")]
    reference_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    languages: Annotated[list[LanguageOffer], Field(min_length=1)]
    name: dict[Language, NameForms]
    bot: Bot
    channels: Channels
    look: Look
    emergency: Emergency
    centre: Centre | None = None
    person: Person
    open311: Open311 = Open311()
    settlements: list[Short] = []
    announcements: Announcements = Announcements()
    reopen_days: Annotated[int, Field(ge=1, le=365)] = REOPEN_DAYS  # for "still not fixed"
    retention: dict[CaseKind, Annotated[int, Field(ge=DAYS_MIN, le=DAYS_MAX)]] = {}  # days after closing, by kind
    public_figures: list[Literal["kept", "answer", "people", "problems", "rating"]] = [
        "kept",
        "answer",
        "people",
        "problems",
    ]
    sms_price: Price | Unconfirmed = UNCONFIRMED  # type: ignore[assignment]  # of one SMS to the town's own country
    sms: bool = False  # whether the town pays for notices by SMS where no chat reaches
    callbacks: Annotated[list[Callback], Field(max_length=CALLBACKS_MAX)] = []
    latin_words: Annotated[list[Short], Field(max_length=LIST_ITEMS_MAX)] = []  # names kept in Latin inside Cyrillic

    @model_validator(mode="after")
    def _name_in_every_language(self) -> TenantFile:
        missing = [offer.id for offer in self.languages if offer.id not in self.name]
        if missing:
            raise ValueError(f"name: add the forms for {', '.join(missing)}")
        return self


class Office(Strict):
    """An entry of the directory. `competent: other` marks a body that is not the town's own."""

    id: Id
    title: LocalTitle
    about: LocalText | None = None
    competent: Literal["town", "other"] = "town"
    phones: Unconfirmed | Annotated[list[Phone], Field(min_length=1, max_length=6)] = UNCONFIRMED  # type: ignore[assignment]
    emails: Unconfirmed | list[Email] | None = None
    address: Unconfirmed | LocalText = UNCONFIRMED
    hours: Unconfirmed | Hours = UNCONFIRMED  # type: ignore[assignment]
    web: HttpsUrl | None = None
    intents: list[str] = []
    listed: bool = True
    confirmed: bool = False
    source: Short
    checked: Date


class ContactsFile(Strict):
    """contacts.yaml"""

    offices: Annotated[list[Office], Field(min_length=1, max_length=OFFICES_MAX)]


class Competent(Strict):
    """The body that is competent instead of the town, and where it explains itself."""

    body: LocalText
    url: HttpsUrl | None = None


GROUPS = ("documents", "family", "taxes", "building", "business", "education", "other")
MODES = ("explain", "accept", "redirect")
COMPETENT = ("town", "other")


class Procedure(Strict):
    """procedures/<id>.yaml, after its `extends` was laid under it: one sheet in the order every town uses."""

    id: Id
    group: Literal["documents", "family", "taxes", "building", "business", "education", "other"]
    mode: Literal["explain", "accept", "redirect"]
    title: LocalTitle
    order: Annotated[int, Field(ge=1, le=99)] = 50  # place within its group
    intents: list[str] = []
    who: Unconfirmed | LocalText | None = None
    bring: Unconfirmed | LocalList | None = None
    fee: Unconfirmed | LocalText | None = None
    term: Unconfirmed | LocalText | None = None
    office: Id | None = None
    how: Unconfirmed | LocalText | None = None
    note: LocalText | None = None
    law: LocalText | None = None
    competent: Competent | None = None
    confirmed: bool = False
    source: LocalText
    checked: Date

    @model_validator(mode="after")
    def _says_where_to_go(self) -> Procedure:
        if self.mode == "redirect" and self.competent is None:
            raise PydanticCustomError("no_competent", "mode redirect needs `competent` (body and url)")
        if self.mode != "redirect" and self.office is None:
            raise PydanticCustomError("no_office", "name the `office` of contacts.yaml where this is handled")
        return self


class Term(Strict):
    """How long the office may take, in one of three units. `starts: validation` waits until the request is complete."""

    working_days: Annotated[int, Field(ge=1, le=200)] | None = None
    working_hours: Annotated[int, Field(ge=1, le=400)] | None = None
    hours: Annotated[int, Field(ge=1, le=2000)] | None = None
    starts: Literal["receipt", "validation"] = "receipt"

    @model_validator(mode="after")
    def _one_unit(self) -> Term:
        if sum(each is not None for each in (self.working_days, self.working_hours, self.hours)) != 1:
            raise ValueError("give one of working_days, working_hours, hours")
        return self


class Phrases(Strict):
    """What citizens of this town type for one intent or choice, beyond the platform's own phrases."""

    examples: dict[Language, list[Short]] = {}
    keywords: list[Short] = []
