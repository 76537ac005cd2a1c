"""Files go straight to the bucket: announced and given a signed form, then looked for where the form puts them.

Whoever uploads (a visitor, an operator, a public company, the author of an announcement) has a place of their own, so
that nobody can name somebody else's. What arrived is checked by the outbox before anybody is shown it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from chalicelib.model import Refused
from chalicelib.patterns import pattern
from chalicelib.storage import aws, keys
from chalicelib.wire import Deadline

SECONDS = 600  # for which a form is good
BYTES_MAX = {"photo": 10 * 1024 * 1024, "video": 26 * 1024 * 1024, "file": 10 * 1024 * 1024}
TYPES = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "video/mp4": "video",
    "video/quicktime": "video",
    "application/pdf": "file",
}
_NAME = pattern(r"[A-Za-z0-9_-]{1,40}")


def announced(
    slug: str, place: str, media_type: Any, size: Any, kinds: Collection[str] = ("photo", "video", "file")
) -> tuple[str, dict[str, Any]]:
    """A fresh name for the file, and the form for it: {"url", "fields"}. `size` in bytes.

    Raises Refused 415 for a type that is not among `kinds`, 422 for no size, 413 for too much.
    """
    kind = TYPES.get(str(media_type))
    if kind not in kinds:
        allowed = ", ".join(name for name, of in TYPES.items() if of in kinds)
        raise Refused(415, "type_not_allowed", f"Allowed: {allowed}.", "type")
    assert kind is not None
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Refused(422, "bad_size", "size is the number of bytes.", "size")
    most = BYTES_MAX[kind]
    if size > most:
        raise Refused(413, "file_too_large", f"At most {most // 2**20} MB.", "size")
    name = token_urlsafe(18)
    return name, aws.upload_form(bucket(), keys.upload(slug, place, name), str(media_type), most, SECONDS)


def arrived(slug: str, place: str, name: str, field: str, deadline: Deadline) -> tuple[str, str, int]:
    """Where the file lies by now, its kind and its size. `field` is what a form or body calls the name.

    Raises Refused 422 for a name that is none of ours, 409 while nothing is there.
    """
    if not _NAME.fullmatch(name):
        raise Refused(422, f"bad_{field}", f"{field} is the id that came with the upload form.", field)
    source = keys.upload(slug, place, name)
    found = aws.head_object(bucket(), source, deadline)
    if found is None:
        raise Refused(409, "upload_unfinished", "Finish the upload, then send it again.", field)
    return source, TYPES.get(found[1], "file"), found[0]


def origin() -> str:
    """Where signed upload forms lead to, as scheme and host."""
    parts = urlsplit(aws.object_url(bucket(), ""))
    return f"{parts.scheme}://{parts.netloc}"


def bucket() -> str:
    return os.environ["SALTER_MEDIA_BUCKET"]
