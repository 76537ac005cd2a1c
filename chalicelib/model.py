"""The nouns every room shares: frozen data, standard library only.

A `Line` names a text of a catalogue and never holds the text itself, so that whatever a turn decides can be worded
later, in the language and script of the person it goes to. What a citizen or a clerk typed is the exception: it
travels as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any, Protocol

from chalicelib.small_classes import dataclass, replace

LATIN = "latin"
CYRILLIC = "cyrillic"

CITIZEN = "citizen"
BOT = "bot"
CASES, REMINDERS = "cases", "reminders"  # topics of consent: notices about own cases; reminders to staff
OPERATOR = "operator"
PRIVATE, SEALED = "private", "sealed"  # arguments of a line whose text is private: in clear, or as it is stored
HIDDEN = "•••"  # what stands where private words stood, for whoever may not read them
CHOICES_KEPT_MAX = 512  # of those made of their id alone, which every town has
PLACE = "place"  # the name of a case's place among its private answers

ASKS = frozenset(
    """text choice location phone photo file date name email personal_number quantity consent confirmation
    rating""".split()  # noqa: SIM905
)


class SalterError(Exception):
    """Root of our own errors. Each one says who must act and whether trying again helps.

    SalterError
    ├── Refused            the caller must change the request; a retry does not help
    ├── Conflict           somebody else wrote first; load again and decide again
    ├── Unavailable        the store gave no answer in time; nothing was stored, a retry helps
    └── SendFailed         a channel did not take a message; `retryable` says whether a retry helps
    """


class Refused(SalterError):
    """A request we do not accept. `status` is the HTTP status, `code` a stable word for programs."""

    def __init__(self, status: int, code: str, message: str, field_name: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field_name = status, code, message, field_name


class TooMany(Refused):
    """Whoever asks has asked too often; `after_seconds` from now it may be tried again."""

    def __init__(self, after_seconds: int) -> None:
        super().__init__(429, "too_many_requests", f"Try again in {after_seconds} seconds.")
        self.after_seconds = after_seconds


class Conflict(SalterError):
    """Another writer raised the item's version first."""


class Unavailable(SalterError):
    """The store did not answer within the turn's deadline."""


class SendFailed(SalterError):
    """A channel did not take a message.

    `reason` is a word of `channels`, `retryable` tells whether the same message may be tried later, `uncertain` that
    it may have arrived all the same, `gone` that this citizen can no longer be reached there.
    """

    def __init__(
        self,
        reason: str,
        *,
        retryable: bool,
        uncertain: bool = False,
        gone: bool = False,
        plain: bool = False,
        account_wide: bool = False,
        after_seconds: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.reason, self.retryable, self.uncertain, self.gone = reason, retryable, uncertain, gone
        self.plain, self.account_wide, self.after_seconds = plain, account_wide, after_seconds


@dataclass(frozen=True, slots=True)
class Voice:
    """The language (`sr`, `bs`, `cnr`, `sq`, `en`, `de`) and script (`latin`, `cyrillic`) to speak in."""

    language: str
    script: str = LATIN

    @property
    def tag(self) -> str:
        """As pages name it in `lang`: "sr-Cyrl"."""
        return f"{self.language}-{'Cyrl' if self.script == CYRILLIC else 'Latn'}"


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a catalogue by its key. An argument is a number, a citizen's own words, or another line."""

    key: str
    args: Mapping[str, str | int | Line] = field(default_factory=dict)

    def holds(self, mark: str) -> bool:
        """Whether private words stand in it: in clear (`PRIVATE`), or as they are stored (`SEALED`)."""
        if not self.args:
            return False
        return mark in self.args or any(isinstance(part, Line) and part.holds(mark) for part in self.args.values())


def private(text: str) -> Line:
    """Words that nobody but who is spoken to may read: whoever stores them seals them first (`actions.seal`)."""
    return Line("raw", {"text": text, PRIVATE: 1})


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what it does (`id`, understood at any later time) and what is written on it."""

    id: str
    label: Line


@lru_cache(maxsize=CHOICES_KEPT_MAX)
def own_choice(name: str) -> Choice:
    """The one that is labelled by the text of its own id, as most are."""
    return Choice(name, Line(name))


@dataclass(frozen=True, slots=True)
class Link:
    label: Line
    url: str


@dataclass(frozen=True, slots=True)
class Say:
    """One thing the bot says, not yet worded: paragraphs, then a sheet (named by its choice id), then more.

    `case`: the reference of the case it speaks of; `file`: what the town sends with it; `part`: of the sheet only what
    answers this (`words.PARTS`).
    """

    lines: tuple[Line, ...] = ()
    after: tuple[Line, ...] = ()
    choices: tuple[Choice, ...] = ()
    ask: str | None = None
    link: Link | None = None
    sheet: str | None = None
    case: str | None = None
    file: SharedFile | None = None
    part: str | None = None

    @property
    def is_private(self) -> bool:
        return any(line.holds(PRIVATE) for line in (*self.lines, *self.after))

    @property
    def is_sealed(self) -> bool:
        return any(line.holds(SEALED) for line in (*self.lines, *self.after))


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A photo, video or file of the town's, as channels carry it: `url` and, of a photo, `small` are whole links;
    `size` in bytes."""

    type: str
    url: str
    name: str
    size: int
    small: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A worded message as a channel carries it; `sheet` repeats the text as parts for channels that can draw it.

    `ask_label`: what stands on the channel's own button for what is asked (a place, a phone number).
    """

    id: str
    at: float
    origin: str
    text: str
    choices: tuple[tuple[str, str], ...] = ()
    ask: str | None = None
    ask_label: str = ""
    link: tuple[str, str] | None = None
    sheet: Mapping[str, Any] | None = None
    media: SharedFile | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """What a citizen attached. `url` is the channel's own link or the key in our bucket; `size` in bytes; `place` is
    where a photo itself says it was taken, as latitude and longitude."""

    type: str
    url: str
    name: str = ""
    size: int = 0
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing that reached us from a citizen, whatever the channel.

    `event`: message, started (chat opened), subscribed, unsubscribed.
    `kind` of a message: text, choice, location, attachment, phone, contact, sticker, link, unsupported, empty.
    `town`: whose button it came by, where a bot serves several.
    """

    id: str
    citizen: str
    event: str = "message"
    kind: str = "text"
    text: str = ""
    choice: str = ""
    place: tuple[float, float] | None = None
    media: Media | None = None
    phone: str = ""
    context: str = ""
    language_hint: str = ""
    subscribed: bool | None = None
    level: int = 1
    town: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One bot of one channel. It may serve several towns; a conversation belongs to exactly one of them at a time.

    `names`: slug → how the town is called on a button; `numbers`: slug → the number that stands in links of the town;
    `spoken`: slug → what citizens call it, folded.
    """

    channel: str
    name: str
    towns: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    numbers: Mapping[str, int] = field(default_factory=dict, hash=False)
    spoken: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def id(self) -> str:
        return f"{self.channel}:{self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a conversation's log. `turn` is the handled id that caused it; a bot's entry keeps its `say`."""

    seq: int
    at: int
    origin: str
    turn: str
    text: str = ""
    say: Say | None = None
    voice: Voice | None = None

    def but(self, **changes: Any) -> Entry:
        """The entry with something else in it, also where it was not taken apart yet."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Owed:
    """One message owed to a citizen: an entry of the lane. `due_at` in epoch seconds, `part` = pieces already sent.

    `held`: it would cost money now and may wait until the citizen writes; younger entries pass it by. With a `due_at`
    it waits no longer than until then: news of one case that come meanwhile go out with it (the quiet window). `town`:
    who says it, if that is not the town the conversation is with.
    """

    seq: int
    say: Say
    voice: Voice
    due_at: float
    tries: int = 0
    part: int = 0
    error: str = ""
    plain: bool = False
    held: bool = False
    town: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was sent lately and may be seen by now: the channel's id of it, whose case it speaks of, and its
    number in the conversation."""

    id: str
    town: str
    reference: str
    seq: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may speak to this citizen now, and until when (epoch seconds)."""

    holder: str
    until: float


@dataclass(frozen=True, slots=True)
class Conversation:
    """What we remember of one citizen on one account. `v` is the stored version (0 = not stored yet).

    ring: handled inbound ids, oldest first, as (8-byte hash, epoch seconds).
    lane: what is owed, in order; `parked` counts further entries stored beside the item, from number
        `parked_from` on.
    told: the last notices nobody is known to have seen yet, oldest first.
    state: the dialogue's own memory (open form, misses). counts: day → counter → number, the last three days.
    opened: the private answers of the open form in clear, by name; never stored, `sealed` holds them.
    """

    account: str
    citizen: str
    town: str
    v: int = 0
    seq: int = 0
    voice: Voice | None = None
    voice_chosen: bool = False
    ring: tuple[tuple[bytes, int], ...] = ()
    log: tuple[Entry, ...] = ()
    lane: tuple[Owed, ...] = ()
    parked: int = 0
    parked_from: int = 0
    told: tuple[Told, ...] = ()
    lease: Lease | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    opened: Mapping[str, str] = field(default_factory=dict, compare=False)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    subscribed: bool = True
    session_until: int = 0
    started_at: int = 0
    last_at: int = 0

    @property
    def next_owed(self) -> Owed | None:
        """What goes out next: the first entry that is not held, or one before it whose own time comes sooner; None if
        all of it waits for the citizen to write."""
        if not self.lane or not self.lane[0].held:
            return self.lane[0] if self.lane else None
        first = next((at for at, owed in enumerate(self.lane) if not owed.held), len(self.lane))
        timed = (owed for owed in self.lane[: first + 1] if owed.due_at or not owed.held)
        return min(timed, key=lambda owed: owed.due_at, default=None)


# --- cases ------------------------------------------------------------------------------------------------------

CASE_CHOICE = "case."


def case_choice(verb: str, reference: str, label: str) -> Choice:
    """A button that does something with one case, in whichever message it stands: `case.<verb>.<reference>`."""
    return Choice(f"{CASE_CHOICE}{verb}.{reference}", Line(label))


KINDS = ("problem", "document", "question", "assistance", "volunteer", "administrative", "chat")


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a case's history. `event` says what happened (opened, status, note, forwarded, assigned, notice …),
    `by` who caused it ("system", "citizen", "staff:<id>", "api:<key>", "volunteer:<id>"), `public` whether the
    citizen may read `note`. `at` in epoch seconds."""

    at: int
    event: str
    status: str
    by: str
    note: str = ""
    public: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where: a pin, words, or both."""

    text: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo, video or file of a case. `state`: waiting, checked, refused, failed; `key` in our bucket."""

    id: str
    type: str
    size: int
    state: str
    key: str


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody whose conversation gets this case's notices. `account` is the account's id, e.g. `viber:primer`."""

    account: str
    citizen: str


@dataclass(frozen=True)
class Case:
    """Everything a citizen can have done, whatever its kind. Times are epoch seconds; `v` is the stored version.

    `fields` are the form's answers; personal numbers and the like stand in `sealed` only, masked everywhere else.
    `private` names answers that are stored sealed, too, and shown to whoever works on the case: by name, as sealed (""
    until they are); in clear they stand where any answer does (`PLACE`: the words of `place`), and are never stored so.
    `owner` is who opened it; `followers` get notices too. `consent`: notices were agreed to.
    """

    tenant: str
    reference: str
    kind: str
    status: str
    subject: str
    created_at: int
    updated_at: int
    category: str = ""
    number: str = ""
    office: str = ""
    official: str = ""
    awaiting_institution: str = ""
    forwarded_to: str = ""
    channel: str = ""
    voice: Voice | None = None
    due_at: int = 0
    closed_at: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
    attachments: tuple[Attachment, ...] = ()
    history: tuple[Happening, ...] = ()
    owner: Follower | None = None
    followers: tuple[Follower, ...] = ()
    consent: bool = False
    assignee: tuple[str, str, str] | None = None  # kind (staff, volunteer), id, name
    applicant: Mapping[str, str] = field(default_factory=dict)
    access_hash: str = ""  # of the receipt's access code
    call: Mapping[str, Any] = field(default_factory=dict)  # how volunteers are asked: `cases.helping`
    slip: str = ""  # digest of the one-time link on the slip that was handed out last
    searched: str = field(default="", compare=False)  # digest of what staff find it by, as last owed to the search
    recorded: int = field(default=0, compare=False)  # how many entries the history had when it was read
    v: int = 0

    def private_said(self) -> dict[str, str]:
        """The private answers that stand here in clear, by name."""
        clear = {name: str(self.fields[name]) for name in self.private if name in self.fields}
        return clear | ({PLACE: self.place.text} if PLACE in self.private and self.place and self.place.text else {})

    def without_private(self) -> Case:
        """The case as it may be stored: nothing private in clear."""
        if not self.private:
            return self
        place = self.place
        if PLACE in self.private and place:
            place = None if place.latitude is None else replace(place, text="")
        kept = {name: value for name, value in self.fields.items() if name not in self.private}
        return replace(self, fields=kept, place=place)

    def with_private(self, clear: Mapping[str, str]) -> Case:
        """The case with private answers in clear, as whoever works on it reads it."""
        fields = {name: value for name, value in clear.items() if name != PLACE}
        place = replace(self.place or Place(), text=clear[PLACE]) if PLACE in clear else self.place
        return replace(self, fields={**self.fields, **fields}, place=place)


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody the town's staff approved to help. `id` is the reference of the sign-up, `name` what people are told.

    `state`: approved, suspended, left. Without `areas`, `days` or `skills` there is no limit to them. `paused_until`
    in epoch seconds; `v` is the stored version.

    `mail`: where a link goes if the chat does not carry a call; `linked`: whether any link may go out, by e-mail or
    SMS. A link names `links`; those of another number open nothing any more.
    """

    id: str
    name: str
    at: Follower
    state: str = "approved"
    phone: str = ""
    mail: str = ""
    linked: bool = True
    links: int = 0
    areas: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    voice: Voice | None = None
    paused_until: int = 0
    v: int = 0


# --- staff ------------------------------------------------------------------------------------------------------

ROLES = ("clerk", "operator", "head", "coordinator", "admin", "platform")


@dataclass(frozen=True, slots=True)
class Staff:
    """One member of staff. `offices`: ids of the town's directory, () for all of them. `absent_until`: ISO date;
    `language`: what the console and its e-mails speak to them, with the script (`sr-cyrillic`), "" for the town's own.

    `reminders` is the person who linked a chat of theirs to be reminded there, too, "" for none.
    `sessions` are the open ones' hashes, so that a change of role ends them in its own commit; `id` stands for the
    person in histories, where no name does.
    """

    town: str
    mail: str
    id: str
    role: str
    name: str = ""
    offices: tuple[str, ...] = ()
    deputy: str = ""
    absent_until: str = ""
    language: str = ""
    disabled: bool = False
    sessions: tuple[str, ...] = ()
    reminders: str = ""
    v: int = 0

    @property
    def by(self) -> str:
        """As histories and records name the person."""
        return f"{'platform' if self.role == 'platform' else 'staff'}:{self.id}"


# --- announcements ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an announcement is for; () of anything is all of it. `settlements` as subscriptions name them."""

    topics: tuple[str, ...] = ()
    settlements: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody an announcement reaches, once, however many of its `topics` they subscribed to."""

    account: str
    citizen: str
    voice: Voice
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Receivers who get the same words in one call; on the web one after another. `n` counts from 1."""

    n: int
    account: str
    voice: Voice
    size: int

    @property
    def channel(self) -> str:
        return self.account.partition(":")[0]


@dataclass(frozen=True, slots=True)
class PageState:
    """What became of a page: waiting, claimed, sent, failed, uncertain, skipped. `v` 0 = nobody touched it yet.

    `token` is the channel's for the call, `failed` reason → receivers, `skipped` those who had ended it meanwhile.
    """

    n: int
    state: str = "waiting"
    holder: str = ""
    token: str = ""
    failed: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    error: str = ""
    v: int = 0


@dataclass(frozen=True, slots=True)
class Announcement:
    """The town's words to whoever subscribed. Times in epoch seconds; `v` is the stored version.

    `state`: draft, approved, sending, paused, stopped; done is what a sending one is once no page is left.
    `text`: language → words as written. `receivers` and `calls` as counted when it was written, by channel.
    `pages` stand once it was cut, their receivers under `cut`; `round` counts how often its rows were written.
    `leaves_at`: until then it may be taken back, 0 for one that leaves at its time; `proved`: whoever approved it may
    have it go to any number of people.
    """

    id: str
    tenant: str
    text: Mapping[str, str]
    audience: Audience
    by: str
    created_at: int
    state: str = "draft"
    at: int = 0
    receivers: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    approved_by: str = ""
    approved_at: int = 0
    began_at: int = 0
    reason: str = ""
    cut: str = ""
    round: int = 0
    pages: tuple[Page, ...] = ()
    picture: Mapping[str, Any] = field(default_factory=dict)  # `key` in the bucket, `url`; `size` once it is checked
    leaves_at: int = 0
    proved: bool = True
    v: int = 0


# --- what a turn decides ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Effect: this case comes into being, in the same commit as the turn.

    `code` is the access code on its receipt; `agreed`: its notices stand on a consent that was given earlier.
    """

    case: Case
    code: str = ""
    agreed: bool = False


@dataclass(frozen=True, slots=True)
class FollowCase:
    """Effect: the citizen of this turn follows an existing case instead of filing another."""

    reference: str


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """Effect: an event on an existing case (withdrawn, reopened, rated), through the one lifecycle."""

    reference: str
    event: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AddToCase:
    """Effect: what the owner sent after filing joins the case. A file's id is given when it is written."""

    reference: str
    attachments: tuple[Attachment, ...] = ()
    place: Place | None = None
    note: str = ""  # what was written with it


@dataclass(frozen=True, slots=True)
class AgreeToNotices:
    """Effect: the citizen's yes or no to notices, asked about this case, goes on record."""

    reference: str
    given: bool


@dataclass(frozen=True, slots=True)
class BindCase:
    """Effect: a paper case becomes this citizen's, by a slip's one-time link; notices were agreed to."""

    context: str
    reference: str


@dataclass(frozen=True, slots=True)
class TakeReminders:
    """Effect: this chat is where a member of staff (by e-mail) is reminded of deadlines from now on, by the one-time
    link of their console; they agreed to it."""

    context: str
    mail: str


@dataclass(frozen=True, slots=True)
class LinkCase:
    """Effect: a one-time link that binds this citizen's case to another chat of theirs; an earlier one ends."""

    reference: str
    context: str


@dataclass(frozen=True, slots=True)
class ClaimCases:
    """Effect: paper cases that nobody has in a chat yet become this citizen's, whose shared phone number stands on
    them; notices were agreed to."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveHelp:
    """Effect: a volunteer, or the person helped, does something about a request for help: an act of `cases.helping`.

    `file` is a photo that came with it: its type, where the channel keeps it, its size in bytes.
    """

    reference: str
    act: str
    volunteer: Volunteer | None = None
    file: tuple[str, str, int] | None = None


@dataclass(frozen=True, slots=True)
class ChangeVolunteer:
    """Effect: a volunteer pauses, comes back or leaves; `volunteer` is as it will be, with the version it had."""

    volunteer: Volunteer


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Effect: the town's announcements of a topic reach this citizen. `settlement` "" is the whole town, `wording`
    which text was agreed to."""

    topic: str
    wording: str
    settlement: str = ""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Effect: they no longer do."""

    topics: tuple[str, ...]
    wording: str


@dataclass(frozen=True, slots=True)
class Agree:
    """Effect: a consent given or withdrawn goes on record."""

    topic: str
    given: bool
    wording: str


@dataclass(frozen=True, slots=True)
class BeginTalk:
    """Effect: a person takes over from the bot; what was said so far is copied to where that person reads it."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Effect: words for the person on the line, kept in the thread of this chat (`case`, as just read).

    With `ends` the citizen closes the chat; `file` is what came with the words.
    """

    case: Case
    text: str
    file: Attachment | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """Effect: something to be done after the turn, as an outbox row of that kind. `personal`: the row must know for
    whom; else no trace of the citizen is in it."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)
    after_seconds: int = 0
    personal: bool = True


Effect = (
    OpenCase
    | FollowCase
    | ChangeCase
    | AddToCase
    | AgreeToNotices
    | BindCase
    | TakeReminders
    | LinkCase
    | ClaimCases
    | MoveHelp
    | ChangeVolunteer
    | Subscribe
    | Unsubscribe
    | Agree
    | BeginTalk
    | Talk
    | Errand
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a town has on record of one citizen beside cases: subscriptions (topic → settlement, "" for the whole
    town), the newest consent of each topic, and the references of cases only followed."""

    subscriptions: Mapping[str, str] = field(default_factory=dict)
    consents: Mapping[str, bool] = field(default_factory=dict)
    followed: tuple[str, ...] = ()


class Ids(Protocol):
    """What nobody can guess, drawn for one turn, should it be needed: a case's reference, a receipt's access code, what
    marks a button that is good once. Asked again, each is the same; "" where there are none."""

    @property
    def reference(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def nonce(self) -> str: ...


@dataclass(frozen=True, slots=True)
class GivenIds:
    """Ids that are known beforehand."""

    reference: str = ""
    code: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a pure step may know of the world: the time, ids nobody can guess, and what a `Need` asked for.

    `closed`: why the town serves this citizen nothing now (trial, suspended), "" where it does.
    """

    now: float
    ids: Ids = GivenIds()
    found: Mapping[str, Any] = field(default_factory=dict)
    closed: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A step's question to the world. The action answers it (at most two storage requests) and steps once more."""

    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step decided: words, the dialogue's next memory, the voice it spoke in, and what to count.

    `secrets`: what was said and may be stored only sealed, by its name; whoever commits the turn seals it before.
    `forgets`: a case whose details this citizen has no business with any more; they leave the log.
    `hides`: the citizen's words held a private answer, or tried to; of them nothing is kept.
    """

    says: tuple[Say, ...]
    voice: Voice
    state: Mapping[str, Any] = field(default_factory=dict)
    voice_chosen: bool = False
    counts: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    forgets: str = ""
    hides: bool = False


@dataclass(frozen=True)
class Town:
    """One published version of a town, as `tenancy.compile` wrote it. Texts and sheets by language, then by key."""

    slug: str
    version: int
    core: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, Any]]
    sheets: Mapping[str, Mapping[str, Any]]
    index: Mapping[str, Any]

    def once(self, name: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """What `make` works out of this version, worked out once; `name` begins with who asks."""
        known: dict[tuple[str, ...], Any] = self.__dict__.setdefault("_known", {})
        if name not in known:
            known[name] = make()
        return known[name]

    @property
    def default_voice(self) -> Voice:
        first = self.core["languages"][0]
        return Voice(first["id"], first["scripts"][0])

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(entry["id"] for entry in self.core["languages"])

    def scripts(self, language: str) -> tuple[str, ...]:
        for entry in self.core["languages"]:
            if entry["id"] == language:
                return tuple(entry["scripts"])
        return ()

    @property
    def native_language(self) -> str:
        """The town's own South Slavic language, which every South Slavic message is answered in."""
        return str(self.core["languages"][0]["id"])
