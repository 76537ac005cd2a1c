"""Links by which staff and towns' systems see what citizens attached: signed, short-lived, to checked things only."""

from __future__ import annotations

import os

from chalicelib.model import Attachment
from chalicelib.storage import aws, keys
from chalicelib.storage.media import CHECKED, Medium

MEDIA_LINK_SECONDS = 300
AROUND_LINK_SECONDS = 3600  # a citizen who is asked "is it this one" may look a little later


def link(file: Attachment) -> str | None:
    """The address of a checked attachment, None for any other. A photo or video opens in a browser, a paper is saved.

    Of a photo there is a small copy too, under the key `storage.keys.thumbnail` spells.
    """
    if file.state != CHECKED:
        return None
    return aws.object_link(os.environ["SALTER_MEDIA_BUCKET"], file.key, MEDIA_LINK_SECONDS, file.type == "file")


def small(file: Attachment) -> str | None:
    """The address of the small copy of a checked photo; None for anything else."""
    if file.state != CHECKED or file.type != "photo":
        return None
    return aws.object_link(os.environ["SALTER_MEDIA_BUCKET"], keys.thumbnail(file.key), MEDIA_LINK_SECONDS)


def shown_around(medium: Medium | None) -> str:
    """The small copy of a problem's photo for a neighbour who is about to report the same; "" if there is none."""
    if medium is None or medium.state != CHECKED or medium.type != "photo":
        return ""
    return aws.object_link(os.environ["SALTER_MEDIA_BUCKET"], keys.thumbnail(medium.key), AROUND_LINK_SECONDS)
