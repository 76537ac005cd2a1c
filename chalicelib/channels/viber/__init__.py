"""Viber: a bot a town (or several towns) has there. Facts of the channel are noted where they bind the code."""

from chalicelib.channels import Limits
from chalicelib.channels.viber.receive import receive
from chalicelib.channels.viber.send import pieces, send

# 7,000 characters of text; requests below 30,000 bytes of UTF-8; a keyboard of at most 24 buttons.
LIMITS = Limits(text_chars=7000, request_bytes=30_000, choices=24)
PUSHES = True

__all__ = ["LIMITS", "PUSHES", "pieces", "receive", "send"]
