"""A picture for an announcement: uploaded by a signed form, checked and encoded anew as citizens' photos are.

It can be sent once it is checked. Its address names the announcement, whose id nobody can guess, and leads on to a
short-lived link; Viber's servers and web visitors fetch it there.
"""

from __future__ import annotations

from typing import Any

from chalicelib.actions import announce, keep_media, uploads
from chalicelib.actions.keep_media import Arrival
from chalicelib.cases import announcements as rules
from chalicelib.cases.announcements import NotNow
from chalicelib.model import Announcement, Refused, SharedFile, Town
from chalicelib.small_classes import replace
from chalicelib.storage import aws, keys, media, outbox
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.dynamo import Write
from chalicelib.storage.media import CHECKED, WAITING, Medium
from chalicelib.wire import Deadline

ACCOUNT = "announce"  # under which the town's pictures lie in the bucket
NAME, SMALL = "photo.jpg", "small.jpg"
LINK_SECONDS = 600
SECONDS = 8.0  # to open a link
NONE = ""


def upload(town: Town, identifier: str, media_type: str, size: int) -> dict[str, Any]:
    """{"file", "upload"}: a signed form straight to the bucket. Raises Refused 415, 413."""
    name, form = uploads.announced(town.slug, _place(identifier), media_type, size, kinds=("photo",))
    return {"file": name, "upload": form}


def attach(
    town: Town, identifier: str, name: str, origin: str, by: str, now: float, deadline: Deadline
) -> Announcement:
    """The uploaded picture is the draft's, on its way to the check. Raises NotNow, Refused."""
    source, _, _ = uploads.arrived(town.slug, _place(identifier), name, "file", deadline)
    account = f"{ACCOUNT}:{town.slug}"
    arrived = Arrival(source, keys.media_object(town.slug, ACCOUNT, identifier, source), "photo", account, identifier)
    picture = {"key": arrived.key, "url": f"{origin}/pictures/{town.slug}/{identifier}"}
    row = outbox.write(town.slug, keep_media.KIND, keep_media.asked(arrived, now), now)

    def change(found: Announcement) -> Announcement:
        return replace(_draft(found), picture=picture, by=by)

    def rows(after: Announcement) -> list[Write]:
        before = media.load_all(town.slug, [arrived.key], now, deadline).get(arrived.key)
        if before is not None and before.state in (WAITING, CHECKED):  # it counts as it came first
            return []
        new = before or Medium(town.slug, arrived.key, arrived.type)
        return [row, media.item(replace(new, state=WAITING), now)]

    return announce.changed(town, identifier, change, by, "announcement_picture", now, deadline, rows)


def remove(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> Announcement:
    """The draft has no picture any more; the object goes by itself. Raises NotNow, Refused 404."""

    def change(found: Announcement) -> Announcement:
        return replace(_draft(found), picture={}, by=by)

    return announce.changed(town, identifier, change, by, "announcement_picture", now, deadline, None)


def state(found: Announcement, now: float, deadline: Deadline) -> str:
    """What became of its check: "" without a picture, else a state of `storage.media`."""
    if not found.picture:
        return NONE
    record = media.load(found.tenant, found.picture["key"], now, deadline)
    return record.state if record else media.FAILED


def ready(found: Announcement, now: float, deadline: Deadline) -> Announcement:
    """It with the size of its checked picture. Raises NotNow while there is none."""
    if not found.picture:
        return found
    record = media.load(found.tenant, found.picture["key"], now, deadline)
    if record is None or record.state != CHECKED:
        raise NotNow("picture_waits" if record and record.state == WAITING else "picture_refused")
    return replace(found, picture={**found.picture, "size": record.size})


def shared(found: Announcement) -> SharedFile | None:
    """The picture as channels carry it."""
    if not found.picture:
        return None
    url = found.picture["url"]
    return SharedFile("photo", f"{url}/{NAME}", NAME, int(found.picture.get("size", 0)), f"{url}/{SMALL}")


def opened(slug: str, identifier: str, name: str, now: float) -> str:
    """Where the picture is right now. Raises Refused 404."""
    deadline = Deadline(SECONDS)
    sound = identifier.isascii() and identifier.isalnum() and name in (NAME, SMALL)
    found = AnnouncementStore(slug).load(identifier, deadline) if sound else None
    if found is None or state(found, now, deadline) != CHECKED:
        raise Refused(404, "nothing_there", "There is no such picture.")
    key = str(found.picture["key"])
    return aws.object_link(uploads.bucket(), keys.thumbnail(key) if name == SMALL else key, LINK_SECONDS)


def _draft(found: Announcement) -> Announcement:
    if found.state != rules.DRAFT:
        raise NotNow("not_a_draft")
    too_long = [text for text in found.text.values() if len(text) > rules.PICTURE_TEXT_CHARS_MAX]
    if too_long:
        raise NotNow("picture_text_too_long")
    return found


def _place(identifier: str) -> str:
    if not (identifier.isascii() and identifier.isalnum()):
        raise Refused(404, "unknown_announcement", "There is no such announcement.")
    return f"{ACCOUNT}-{identifier}"
