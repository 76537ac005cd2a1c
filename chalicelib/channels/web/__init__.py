"""The web chat: the citizen's page asks, we answer in the same breath; what comes later is fetched."""

from chalicelib.channels import Limits
from chalicelib.channels.web.receive import receive
from chalicelib.channels.web.send import pieces, send

LIMITS = Limits(text_chars=7000, request_bytes=64 * 1024, choices=24)
PUSHES = False

__all__ = ["LIMITS", "PUSHES", "pieces", "receive", "send"]
