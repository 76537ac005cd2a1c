"""Our own links to checked files of a case: signed, good for weeks, leading on to a short-lived one when opened.

They go to whoever fetches later than such a link lives: Viber's servers, web visitors, another town's system. A link
names the file by its object too, so that it ends with the file: erased, retired or refused, it opens nothing.
"""

from __future__ import annotations

import hashlib

from chalicelib import signed
from chalicelib.actions import our_links, show_media
from chalicelib.cases import references
from chalicelib.model import Attachment, Refused
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

LINK_DAYS = 30  # as long as what was said is kept
NAMES = {"photo": "photo.jpg", "video": "video.mp4", "file": "document.pdf"}
SMALL = "small.jpg"
TOKEN_CHARS_MAX = 120
SECONDS = 8.0  # to open a link


def link(origin: str, slug: str, reference: str, file: Attachment, now: float, key: str) -> str:
    """The way to a file of a case; a name of NAMES, or SMALL, is put behind it. `origin`: where we are reached."""
    return f"{origin.rstrip('/')}/files/{slug}/{token(slug, reference, file, now, key)}"


def named(origin: str, slug: str, reference: str, file: Attachment, now: float, key: str) -> str:
    """The same with its name behind it, as whoever fetches it later needs it."""
    return f"{link(origin, slug, reference, file, now, key)}/{NAMES[file.type]}"


def token(slug: str, reference: str, file: Attachment, now: float, key: str) -> str:
    """What names the file in the link; `key` is the stage's signing key."""
    until = int(now) + LINK_DAYS * 86400
    return signed.sign(f"file:{slug}", f"{reference}.{file.id}.{until}.{_digest(file)}", key)


def opened(slug: str, written: str, name: str, now: float) -> str:
    """Where the file of a link is right now. Raises Refused 404 for a link that is none or is over."""
    deadline = Deadline(SECONDS)
    file = _file_of(slug, written, now, deadline)
    found = (show_media.small(file) if name == SMALL else show_media.link(file)) if file else None
    if found is None:
        raise Refused(404, "nothing_there", "There is no such file.")
    return found


def _file_of(slug: str, written: str, now: float, deadline: Deadline) -> Attachment | None:
    """The file of a link that is ours and holds."""
    if len(written) > TOKEN_CHARS_MAX:
        return None
    parts = (signed.read(f"file:{slug}", written, our_links.key(deadline)) or "").split(".")
    if len(parts) != 4:
        return None
    reference, number, until, digest = parts
    plain = references.normalise(reference)
    case = CaseStore(slug).load(plain, deadline) if plain and int(until) > now else None
    files = case.attachments if case else ()
    return next((file for file in files if file.id == number and _digest(file) == digest), None)


def _digest(file: Attachment) -> str:
    return hashlib.blake2b(file.key.encode(), digest_size=6).hexdigest()
