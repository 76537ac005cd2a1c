"""Keys, spelt in one place. The tenant is the first part of every key; conversations begin with the channel account."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from chalicelib.patterns import pattern

NOW = "NOW"
HEAD = "HEAD"
VOLUNTEER = "VOLUNTEER"
REMINDED = "REMINDED"
DATA_KEY = "KEY"  # of a town: its wrapped data key
DUE_SHARDS = 8
HANDLED_KEPT_MAX = 64


def conversation(account: str, citizen: str) -> str:
    return f"A#{account}#U#{citizen}"


def parked_town(town: str) -> str:
    return f"TOWN#{town}"


SEEN = "SEEN#"  # beside a conversation: an id that was handled


def seen(handled: bytes) -> str:
    return f"{SEEN}{handled.hex()}"


OVERFLOW = "OUT#"  # beside a conversation: what is owed and does not fit into it


def overflow(seq: int) -> str:
    return f"{OVERFLOW}{seq:012d}"


def thread(town: str, person: str) -> str:
    """What a citizen and the town's people said to each other, in order."""
    return f"T#{town}#TH#{person}"


def thread_part(seq: int) -> str:
    return f"{seq:012d}"


def day(town: str, date: str) -> str:
    return f"T#{town}#{date}"


def due_shard(pk: str) -> str:
    return str(hashlib.blake2b(pk.encode(), digest_size=1).digest()[0] % DUE_SHARDS)


def dead(town: str) -> str:
    """Hash of the `due` index under which what nobody could deliver stands."""
    return f"dead#{town}"


def sent(town: str) -> str:
    """Hash of the `due` index under which rows stand for a while after they are done."""
    return f"sent#{town}"


def outbox(town: str, row: str) -> str:
    return f"T#{town}#X#{row}"


def town_of(pk: str) -> str:
    """The town of a key that begins with one."""
    return pk.split("#", 2)[1]


def town(slug: str) -> str:
    return f"T#{slug}"


def version_prefix(number: int) -> str:
    return f"V#{number:08d}#"


PUBLISHED = "LOG#"  # beside the versions: who put which in force, when and why


def publication(move: int) -> str:
    """The pointer's `move`-th move."""
    return f"{PUBLISHED}{move:08d}"


def edits(town: str) -> str:
    """What a town's admins prepare, by its path: among the people's things, for whoever serves the console's pages has
    no right to write where towns stand."""
    return f"T#{town}#EDIT"


DROPPED, ORDER = "#dropped#", "#order"  # beside the edits, before every path


def dropped(identifier: str) -> str:
    """Questions that are dealt with."""
    return f"{DROPPED}{identifier}"


TOWNS = "TOWNS"  # the platform's list of published towns: what the minute walks through
SERVED = "SERVED#"  # beside a town: the accounts that list it


def served(account: str) -> str:
    return f"{SERVED}{account}"


def register(town: str) -> str:
    """What of a town stands under keys nobody can guess, as the indexes `audience` and `changed` have it: so that it is
    found when the town's whole data is taken out or away."""
    return f"T#{town}#ALL"


def account(identifier: str) -> str:
    return f"A#{identifier}"


HEARD, REFUSED = "HEARD", "REFUSED"  # beside an account: when its channel last called us, when it last refused us
PACE = "PACE"  # beside an account: how much it called its channel lately


@lru_cache(maxsize=HANDLED_KEPT_MAX)  # a turn asks for its own several times
def handled(inbound: str) -> bytes:
    """The eight bytes by which an inbound id is remembered."""
    return hashlib.blake2b(inbound.encode("utf-8", "surrogatepass"), digest_size=8).digest()


# --- cases ------------------------------------------------------------------------------------------------------

_NUMBER_LABEL = pattern(r"^(?:BROJ|BR|NR|NO|№|БРОЈ|БР)[.:\s]+")
_LOOKALIKES = str.maketrans("АВЕЈКМНОРСТУХІ", "ABEJKMHOPCTYXI")  # typed in Cyrillic, meant as file numbers are printed


def case(town: str, reference: str) -> str:
    return f"T#{town}#K#{reference}"


def case_event(version: int, position: int) -> str:
    """An older entry of a history; it moved out of the head in the write that made `version`."""
    return f"E#{version:08d}.{position:02d}"


TOLD = "TOLD#"  # beside a case: what its citizen was told, and what became of that
CALLS = "~calls"  # in place of an office: the desk of those who call citizens whom no notice reached


def told(person: str, seq: int) -> str:
    """One notice; `seq` is its number in the person's conversation."""
    return f"{told_to(person)}#{seq:012d}"


def told_to(person: str) -> str:
    """Where all notices to a person begin, whichever way they went."""
    return f"{TOLD}{person}"


SAW = "SAW#"  # beside a case: who of the staff opened it
ORDERS = "ORDER#"  # beside a case: the public companies it was handed to


def order(digest: str) -> str:
    return f"{ORDERS}{digest}"


WORDS = "WORDS"  # beside a case: what it is found by
SEARCH_LETTERS = 3
NEWEST_FIRST = 10**12 - 1  # epoch seconds are taken from it, so that younger sorts first


def search_words(town: str, word: str) -> str:
    """Where the entries of a folded word stand: with all that begin with the same letters."""
    return f"T#{town}#W#{word[:SEARCH_LETTERS]}"


def search_phones(town: str, digits: str) -> str:
    """Where phone numbers that end in the same two digits stand."""
    return f"T#{town}#PH#{digits[-2:]}"


def index_row(reference: str, version: int) -> str:
    """The outbox row that has a case's words written: one for each version of the case that says something new."""
    return f"index-{reference}-{version}"


CALLBACK_ROWS = "callback-"


def callback_row(callback: str, reference: str, version: int, position: int) -> str:
    """The outbox row that tells one of the town's systems of one happening."""
    return f"{CALLBACK_ROWS}{callback}-{reference}-{version}-{position}"


def callbacks(town: str) -> str:
    """How the town's systems took what they were told last."""
    return f"T#{town}#CB"


def file_number(town: str, number: str) -> str:
    """Where a town's own file number stands once, however it is typed."""
    return f"T#{town}#N#{folded_number(number)}"


def folded_number(number: str) -> str:
    """A file number without its label, blanks, long dashes, or Cyrillic letters that look like Latin ones."""
    plain = unicodedata.normalize("NFKC", number).strip().upper()
    plain = _NUMBER_LABEL.sub("", plain).translate(_LOOKALIKES)
    return re.sub(r"\s+", "", re.sub(r"[‐‑‒–—−]", "-", plain))


def open_cases(town: str) -> str:
    return f"T#{town}#O"


def desk(town: str, who: str) -> str:
    """The open cases of one office, or of one member of staff (`staff:<id>`)."""
    return f"T#{town}#O#{who}"


def month(town: str, year_and_month: str) -> str:
    return f"T#{town}#{year_and_month}"


def months(town: str) -> str:
    """Which months have cases: what a list walks through."""
    return f"T#{town}#M"


def retiring(town: str) -> str:
    """How far a town's old cases are looked through today."""
    return f"T#{town}#OLD"


def runs(town: str) -> str:
    """What was deleted of a town's, by day and rule."""
    return f"T#{town}#RUNS"


def watch(town: str) -> str:
    """How far a town's deadlines are looked after."""
    return f"T#{town}#DUE"


def citizens_cases(town: str, person: str) -> str:
    return f"T#{town}#C#{person}"


def case_import(town: str, identifier: str) -> str:
    """A file of cases being worked through."""
    return f"T#{town}#IM#{identifier}"


def import_slice(first_row: int) -> str:
    return f"S#{first_row:06d}"


IMPORT_SLICES_END = "S#~"


def import_upload(town: str, identifier: str) -> str:
    """Where such a file lands. What lies under `incoming/` goes by itself after a day."""
    return f"incoming/T/{town}/cases/{identifier}"


def import_copy(town: str, identifier: str, digest: str) -> str:
    """What is worked of it: no form leads here, and other bytes lie under another name."""
    return f"incoming/T/{town}/cases/{identifier}.{digest}"


def imports(town: str) -> str:
    """A town's imports by when they began."""
    return f"T#{town}#IMS"


_DROPPED = pattern(r"drop/T/([a-z][a-z0-9-]{1,39})/([^/]{1,200})")


def dropped_file(town: str, name: str) -> str:
    """Where in the bucket a town's office program lays a file, and finds what became of it."""
    return f"drop/T/{town}/{name}"


def dropped_parts(key: str) -> tuple[str, str] | None:
    """The town and the name of a file that was laid there; None for any other object."""
    found = _DROPPED.fullmatch(key)
    return (found[1], found[2]) if found else None


# --- reports sent to another system -----------------------------------------------------------------------------


def sent_away(town: str, endpoint: str) -> str:
    """What a town sent to another system by Open311."""
    return f"T#{town}#GEO#{endpoint}"


def report_row(reference: str) -> str:
    """The outbox row that sends a case there."""
    return f"open311-{reference}"


def told_row(reference: str, version: int) -> str:
    """The outbox row that tells of what this version of a case brought."""
    return f"open311-told-{reference}-{version}"


def news_row(endpoint: str, stretch: int) -> str:
    """The outbox row that asks for news in one stretch of time."""
    return f"open311-news-{endpoint}-{stretch}"


def away_report(reference: str) -> str:
    return f"R#{reference}"


def away_at_rest(reference: str) -> str:
    """A report of which no news is asked for any more."""
    return f"Z#{reference}"


def away_number(digest: str) -> str:
    """What the other system calls a report; as a digest, for it may call it anything."""
    return f"X#{digest}"


def away_news(digest: str) -> str:
    return f"U#{digest}"


# --- media ------------------------------------------------------------------------------------------------------


def media_object(town: str, account: str, citizen: str, source: str) -> str:
    """Where in the bucket what came from `source` (a channel's link, an upload) lies once it is checked."""
    digest = hashlib.blake2b(f"{account}#U#{citizen}#{source}".encode("utf-8", "surrogatepass"), digest_size=16)
    return f"{media_objects(town, person(account, citizen))}{digest.hexdigest()}"


def media_objects(town: str, person: str) -> str:
    """Under which all checked media of one person lie."""
    return f"T/{town}/media/{person}/"


def exports(town: str, person: str) -> str:
    """Under which the copies of their data lie that a person asked for."""
    return f"T/{town}/export/{person}/"


def objects(town: str) -> tuple[str, ...]:
    """Under which everything of a town lies in the bucket that may be somebody's; what lasts is under the first."""
    return f"T/{town}/", f"incoming/T/{town}/", f"drop/T/{town}/"


def erased(town: str) -> str:
    """Under which stands who was erased in a town and when: `<person>/<epoch seconds>`, and nothing else of them. Apart
    from the town's own, for it has to outlive that; the bucket forgets it by itself."""
    return f"erased/T/{town}/"


def is_export(key: str) -> bool:
    """Whether an object is such a copy."""
    return key.split("/")[2:3] == ["export"]


def thumbnail(media: str) -> str:
    """Beside a checked photo: the same at 400 pixels, a JPEG."""
    return f"{media}.jpg"


def is_object_of(town: str, key: str) -> bool:
    """Whether an object in the bucket, checked or just uploaded, is this town's."""
    return key.removeprefix("incoming/").startswith(f"T/{town}/") and ".." not in key


def upload(town: str, session: str, identifier: str) -> str:
    """Where a web visitor's upload lands. What lies under `incoming/` goes by itself after a day."""
    return f"incoming/T/{town}/web/{session}/{identifier}"


def media_of(town: str, media: str) -> str:
    """The record of a medium, by its object's key."""
    return f"T#{town}#MEDIA#{media.rpartition('/')[2]}"


# --- announcements ----------------------------------------------------------------------------------------------

PAGES, GOT, RECEIVERS = "P#", "R#", "IDS#"  # beside an announcement: its pages' states, receipts, whom they reach


def announcement(town: str, identifier: str) -> str:
    return f"T#{town}#AN#{identifier}"


def announcements(town: str) -> str:
    """The list of a town's announcements, by when they were written."""
    return f"T#{town}#ANS"


def sent_news(town: str) -> str:
    """What a town announced lately, by when it was sent."""
    return f"T#{town}#NEWS"


def page_state(n: int) -> str:
    return f"{PAGES}{n:05d}"


def page_receivers(cut: str, n: int) -> str:
    return f"{RECEIVERS}{cut}#{n:05d}"


def page_receipts(n: int, part: int) -> str:
    return f"{GOT}{n:05d}#{part}"


def announced_to(person: str) -> str:
    """Beside an announcement: that it stands in this web visitor's conversation."""
    return f"W#{person}"


INVITED = "INVITED"  # beside a phone's hash: that it was invited by SMS


def invitation(town: str, identifier: str) -> str:
    """One invitation by SMS."""
    return f"T#{town}#INV#{identifier}"


def invitations(town: str) -> str:
    """The list of a town's invitations, by when they were written."""
    return f"T#{town}#INVS"


def invited_page(n: int) -> str:
    return f"P#{n:05d}"


def invited_outcome(n: int) -> str:
    return f"R#{n:05d}"


def receipt(account: str, token: str) -> str:
    """What a message of ours was, by the channel's token of it."""
    return f"A#{account}#TK#{token}"


def announcing(account: str) -> str:
    """The announcements an account was used for lately: whose a receipt with an unknown token may be."""
    return f"A#{account}#AN"


# --- people -----------------------------------------------------------------------------------------------------


def person(account: str, citizen: str) -> str:
    """Who a citizen is to one town: a hash of channel account and id there, so that neither stands in keys."""
    return hashlib.blake2b(f"{account}#U#{citizen}".encode(), digest_size=16).hexdigest()


def person_of(town: str, person: str) -> str:
    return f"T#{town}#P#{person}"


CONSENTS, SUBSCRIPTIONS, FOLLOWED = "CONSENT#", "SUB#", "FOLLOW#"


def subscription(topic: str) -> str:
    return f"{SUBSCRIPTIONS}{topic}"


def audience(town: str, topic: str) -> str:
    """Who subscribed to a topic, as the `audience` index has them."""
    return f"T#{town}#SUB#{topic}"


def followed(reference: str) -> str:
    """Beside the person: a case of somebody else's that they follow."""
    return f"{FOLLOWED}{reference}"


def consent(topic: str, at: int) -> str:
    return f"CONSENT#{topic}#{at:012d}"


def volunteers(town: str, area: str) -> str:
    """Who is called when somebody needs help in an area."""
    return f"T#{town}#VOL#{area}"


def api_key(town: str, digest: str) -> str:
    return f"T#{town}#KEY#{digest}"


def api_keys(town: str) -> str:
    """Which keys a town's systems have, by when they were made."""
    return f"T#{town}#KEYS"


def pace(town: str, key: str) -> str:
    """How fast an API key may ask, by the key's id."""
    return f"T#{town}#PACE#{key}"


def staff(town: str) -> str:
    return f"T#{town}#STAFF"


def session(town: str, digest: str) -> str:
    return f"T#{town}#SES#{digest}"


def sign_in_tries(town: str, digest: str) -> str:
    return f"T#{town}#TRY#{digest}"


def used_code(town: str, digest: str) -> str:
    """A code beside the password, once it was given."""
    return f"T#{town}#CODE#{digest}"


def figures(town: str) -> str:
    return f"T#{town}#FIG"


def budget(town: str) -> str:
    """How many messages a town has paid for, by day."""
    return f"T#{town}#BUDGET"


def audit(town: str, day: str) -> str:
    return f"T#{town}#AU#{day}"


def link(town: str, digest: str) -> str:
    return f"T#{town}#L#{digest}"


def tester_link(town: str, identifier: str) -> str:
    """A link for those who try the town before it is live, and how many may still open it."""
    return f"T#{town}#TESTER#{identifier}"


def phone(town: str, digest: str) -> str:
    """The paper cases a phone number stands on; `digest` is a keyed hash of it."""
    return f"T#{town}#TEL#{digest}"


def idempotency(town: str, digest: str) -> str:
    return f"T#{town}#IDEM#{digest}"


def paper(reference: str) -> str:
    """Who stands in the records of consent for whoever brought a paper case to the counter."""
    return person("paper", reference)


def secret_digest(secret: str) -> str:
    """What is stored of a key or a one-time link. They are long and random, so a plain hash does."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:40]
