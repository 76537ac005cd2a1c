"""Files a case that came on paper, for the counter, the town's system and files of rows alike, and makes its slip.

A slip carries a one-time link into the chat and an access code, both made from one seed that is stored nowhere. A new
slip ends the one before.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Mapping, Sequence
from secrets import token_bytes, token_hex
from urllib.parse import quote

from chalicelib.actions.open_case import CONSENT_WORDING, CONSENT_WORDINGS, completed, open_case
from chalicelib.cases import lifecycle, references
from chalicelib.cases.lifecycle import Event
from chalicelib.dialogue import going_on, words
from chalicelib.model import Case, Conflict, SalterError, Town, Unavailable, Voice
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, consents, keys, links, phones
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.consents import Consent
from chalicelib.storage.dynamo import Write
from chalicelib.understanding.entities.phones import phone_of
from chalicelib.wire import Deadline

SEED_BYTES = 32
SLIP_TRIES_MAX = 6
JITTER_SECONDS = 0.05
_HOST = pattern(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Paper:
    """What is known of a paper case. `office` is an office's id; `language` a tag as `sr-Cyrl`; empty = not said."""

    subject: str
    name: str
    number: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""
    office: str = ""
    official: str = ""
    status: str = ""
    awaiting_institution: str = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed for the applicant; `expires` in epoch seconds, `viber` and `web` None where the town has none."""

    viber: str | None
    web: str | None
    context: str
    code: str
    expires: int

    @property
    def target(self) -> str:
        """What the QR code holds."""
        return self.viber or self.web or self.context


class AlreadyBound(SalterError):
    """Somebody has the case in a chat; a new link would hand it to somebody else."""


def file(
    town: Town,
    paper: Paper,
    by: str,
    channel: str,
    now: float,
    deadline: Deadline,
    seed_of: Callable[[str], bytes] = lambda reference: token_bytes(SEED_BYTES),
    beside: Callable[[Case], Sequence[Write]] = lambda case: (),
    *,
    indexed: Callable[[Case], bool] = lambda case: False,
) -> tuple[Case, bytes]:
    """The case as filed, and the seed of its slip. `seed_of` makes the seed for a reference.

    Consent is put on record with who asked, when and in which wording. Raises Duplicate (the number is taken),
    NotAllowed (a new case cannot have this status), Unavailable.
    """
    seeds: dict[str, bytes] = {}

    def make(reference: str) -> Case:
        seeds[reference] = seed_of(reference)
        return _case(town, paper, by, channel, now, reference, seeds[reference])

    def together(case: Case) -> list[Write]:
        link = links.item_for_new(town.slug, _context(town, seeds[case.reference]), case.reference, by, now)
        consent = _consent(case, by, channel, now, on_viber=bool(town.core["viber"]["account"]))
        return [link, *consent, *_phone(town, case, now, deadline), *beside(case)]

    case = open_case(town, make, deadline, together, indexed=indexed)
    return case, seeds[case.reference]


def slip(town: Town, seed: bytes, at: float, origin: str) -> Slip:
    """What is printed. `origin`: where this product is reached, for on paper a link must be whole."""
    context, core = _context(town, seed), town.core
    web = f"{origin}/chat/{town.slug}?context={quote(context)}" if core["web"]["origins"] is not None else None
    return Slip(going_on.viber_link(town, context), web, context, _code(seed), links.expires_at(at))


def new_slip(town: Town, reference: str, by: str, now: float, deadline: Deadline) -> tuple[Case, bytes]:
    """Another slip for a case: the link and the code before it end in the same commit, and it is on record.

    Raises AlreadyBound, LookupError (no such case), Unavailable.
    """
    store = CaseStore(town.slug)
    for attempt in range(SLIP_TRIES_MAX):
        case, seed = store.load(reference, deadline), token_bytes(SEED_BYTES)
        if case is None:
            raise LookupError(reference)
        if case.owner is not None:
            raise AlreadyBound(reference)
        changed = replace(case, slip=_digest(town, seed), access_hash=references.access_hash(reference, _code(seed)))
        act = Act(now, by, "slip_printed_again", reference)
        writes = [
            links.item_for_new(town.slug, _context(town, seed), reference, by, now),
            *links.items_for_end(town.slug, case.slip, now, deadline),
            audit.item(town.slug, act, token_hex(4)),
        ]
        try:
            return store.save(changed, deadline, writes), seed
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def origin_of(headers: Mapping[str, str]) -> str:
    """Where whoever asks reached us, as scheme and host."""
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        return ""
    loopback = host.rpartition(":")[0] in _LOOPBACK or host in _LOOPBACK
    return f"{'http' if loopback else 'https'}://{host}"


def voice_of(town: Town, tag: str) -> Voice:
    """`sr-Cyrl`, `sr-cyrillic`, `en`: what the town speaks of it, else the town's own voice."""
    language, _, script = tag.lower().partition("-")
    if language not in town.languages:
        return town.default_voice
    wanted = {"cyrl": "cyrillic", "latn": "latin"}.get(script, script)
    return words.spoken(town, Voice(language, wanted or town.scripts(language)[0]))


# --- parts ------------------------------------------------------------------------------------------------------


def _case(town: Town, paper: Paper, by: str, channel: str, now: float, reference: str, seed: bytes) -> Case:
    case = Case(
        tenant=town.slug,
        reference=reference,
        kind="administrative",
        status="received",
        subject=paper.subject,
        created_at=int(now),
        updated_at=int(now),
        number=paper.number,
        office=paper.office,
        official=paper.official,
        awaiting_institution=paper.awaiting_institution,
        channel=channel,
        voice=voice_of(town, paper.language),
        consent=paper.consent,
        applicant={
            name: value
            for name, value in (("name", paper.name), ("phone", paper.phone), ("email", paper.email))
            if value
        },
        access_hash=references.access_hash(reference, _code(seed)),
        slip=_digest(town, seed),
    )
    case = completed(town, case, by, now)
    if not paper.status or paper.status == case.status:
        return case
    return lifecycle.change(case, Event(int(now), by, paper.status, awaiting_institution=paper.awaiting_institution))


def _consent(case: Case, by: str, channel: str, now: float, *, on_viber: bool) -> list[Write]:
    """The yes that was said before whoever files the case. Whoever is bound later says their own in the chat."""
    if not case.consent:
        return []
    wording = CONSENT_WORDING if on_viber else CONSENT_WORDINGS["web"]
    consent = Consent(consents.CASES, True, int(now), channel, by, wording)
    return [consents.item(case.tenant, keys.paper(case.reference), consent)]


def _phone(town: Town, case: Case, now: float, deadline: Deadline) -> list[Write]:
    """Where a number shared from the phone finds the case."""
    phone = phone_of(case.applicant.get("phone", ""), str(town.core["country"]))
    written = phones.item(town.slug, phone, case.reference, now, deadline) if phone else None
    return [written] if written else []


def _context(town: Town, seed: bytes) -> str:
    secret = base64.urlsafe_b64encode(seed[: links.SECRET_BYTES]).decode().rstrip("=")
    return links.context(town.core["number"], secret)


def _digest(town: Town, seed: bytes) -> str:
    return keys.secret_digest(_context(town, seed))


def _code(seed: bytes) -> str:
    return references.access_code(seed[links.SECRET_BYTES :])
