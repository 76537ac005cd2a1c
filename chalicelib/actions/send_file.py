"""An operator sends a photo, video or paper: uploaded by a signed form, checked as citizens' are, then said.

The file becomes an attachment of the chat; its message goes out in the commit that settles the check, so that nobody
is shown what was not looked at. Its link (`actions/file_links.py`) opens it as long as a thread is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.actions import file_links, keep_media, known, our_links, reply_as_operator, talk, uploads, work_outbox
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.keep_media import Arrival, with_outcome
from chalicelib.cases import lifecycle
from chalicelib.dialogue import chat, handover
from chalicelib.model import OPERATOR, Attachment, Case, Conversation, Line, Refused, Say, SharedFile, Staff, Town
from chalicelib.small_classes import replace
from chalicelib.storage import keys, media, outbox
from chalicelib.storage.dynamo import Write
from chalicelib.storage.media import CHECKED, WAITING, Medium
from chalicelib.wire import Deadline

ACCOUNT = "staff"  # under which their files lie in the bucket
LINES = {"photo": "operator_sent_photo", "video": "operator_sent_video", "file": "operator_sent_file"}


def announce(town: Town, reference: str, media_type: str, size: int) -> dict[str, Any]:
    """{"file", "upload": {"url", "fields"}}: a signed form straight to the bucket. Raises Refused 415, 413."""
    identifier, form = uploads.announced(town.slug, _place(reference), media_type, size)
    return {"file": identifier, "upload": form}


def send(
    town: Town,
    reference: str,
    staff: Staff,
    identifier: str,
    origin: str,
    now: float,
    holder: str,
    deadline: Deadline,
) -> None:
    """The uploaded file is the chat's and on its way to the check. `origin`: where links lead, as scheme and host.

    Raises Refused, as the verbs of `reply_as_operator` do, and 409 `upload_unfinished`.
    """
    source, kind, size = uploads.arrived(town.slug, _place(reference), identifier, "file", deadline)
    arrived = Arrival(
        source,
        keys.media_object(town.slug, ACCOUNT, reference, source),
        kind,
        f"{ACCOUNT}:{town.slug}",
        reference,
    )
    key, rung = our_links.key(deadline), list[Write]()

    def decide(case: Case, conversation: Conversation) -> talk.Next | None:
        reply_as_operator.check_own(case, staff)
        if any(file.key == arrived.key for file in case.attachments):
            return None
        if len(case.attachments) >= lifecycle.ATTACHMENTS_MAX:
            raise Refused(409, "too_many_files", "This chat takes no more files.", "file")
        file = Attachment("", arrived.type, size, WAITING, arrived.key)
        after = lifecycle.added_to(case, int(now), staff.by, [file])
        link = file_links.link(origin, town.slug, reference, after.attachments[-1], now, key)
        row = outbox.write(town.slug, keep_media.KIND, {**keep_media.asked(arrived, now), "link": link}, now)
        rung[:] = [row]
        record = media.item(Medium(town.slug, arrived.key, arrived.type, cases=(reference,)), now)
        return talk.Next(after, conversation.state, beside=(row, record))

    reply_as_operator.do(town, reference, decide, now, holder, deadline)
    work_outbox.ring(tuple(rung), now, deadline)


def deliver(outcome: Medium, reference: str, link: str, now: float, holder: str, deadline: Deadline) -> None:
    """The check is done: its outcome on record and in the chat, and with a good one the message, all in one commit.

    Raises NoCase, Unreachable.
    """
    town = known.town(outcome.town, deadline)
    if town is None:
        raise NoCase(reference)

    def decide(case: Case, conversation: Conversation) -> talk.Next | None:
        record = media.load(outcome.town, outcome.key, now, deadline)
        if record is None or record.state != WAITING:
            return None
        settled = replace(record, state=outcome.state, type=outcome.type, size=outcome.size)
        files = tuple(with_outcome(file, settled) if file.key == outcome.key else file for file in case.attachments)
        said = outcome.state == CHECKED
        fields = {**case.fields, "last_from": OPERATOR} if said else case.fields
        after = replace(case, attachments=files, fields=fields, updated_at=max(int(now), case.updated_at))
        says = ((OPERATOR, _said(outcome, link, conversation.state)),) if said else ()
        return talk.Next(after, conversation.state, says, beside=(media.item(settled, now),))

    talk.go_on(town, reference, decide, now, holder, deadline)


def is_of_staff(case: Case, file: Attachment) -> bool:
    """Whether somebody of the town sent this file."""
    return file.key.startswith(keys.media_objects(case.tenant, keys.person(ACCOUNT, case.reference)))


# --- parts ------------------------------------------------------------------------------------------------------


def _said(outcome: Medium, link: str, state: Mapping[str, Any]) -> Say:
    name = file_links.NAMES[outcome.type]
    small = f"{link}/{file_links.SMALL}" if outcome.type == "photo" else ""
    file = SharedFile(outcome.type, f"{link}/{name}", name, outcome.size, small)
    ways = chat.choices(handover.END if handover.reference(state) else "menu")
    return Say(lines=(Line(LINES[outcome.type]),), choices=ways, file=file)


def _place(reference: str) -> str:
    return f"{ACCOUNT}-{reference}"
