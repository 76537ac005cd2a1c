"""Callbacks to a town's own system, signed after Standard Webhooks (https://www.standardwebhooks.com), version 1.

The signature is over id, time and the exact bytes of the body. A system of somebody else's is asked at its public
address only, is given five seconds, and what it answers beside a status and `Retry-After` is not read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chalicelib import strangers, wire
from chalicelib.model import SendFailed

SECONDS_MAX = 5.0
RETRY_AFTER_SECONDS_MAX = 3600.0
PORTS = (443, 8443)
SECRET_PREFIX = "whsec_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64


def secret(random: bytes) -> str:
    """A secret as it is handed over, made of random bytes."""
    if not SECRET_BYTES_MIN <= len(random) <= SECRET_BYTES_MAX:
        raise ValueError(f"{SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes")
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signature(written: str, identifier: str, at: int, body: bytes) -> str:
    """`v1,<base64>` by one secret. Raises ValueError for what is no secret."""
    try:
        key = base64.b64decode(written.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is whsec_ and base64") from error
    signed = f"{identifier}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(url: str, secrets: Sequence[str], identifier: str, at: int, body: bytes, deadline: wire.Deadline) -> None:
    """Tell it; with several secrets each signs. Raises SendFailed: final for what the other side refuses for good."""
    address = strangers.address_of(url, lambda host: True, PORTS)
    headers = {
        "content-type": "application/json",
        "user-agent": "Salter",
        "webhook-id": identifier,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(each, identifier, at, body) for each in secrets),
    }
    try:
        reply = strangers.tell("callback", "tell", url, address, headers, body, deadline.within(SECONDS_MAX))
    except wire.CallFailed as failure:
        raise SendFailed(f"no_answer {failure.reason}", retryable=True) from failure
    if 200 <= reply.status < 300:
        return
    passing = reply.status == 429 or reply.status >= 500
    wait = _retry_after(reply.headers.get("retry-after", ""), at) if passing else 0.0
    raise SendFailed(f"http_{reply.status}", retryable=passing, after_seconds=wait)


def _retry_after(written: str, at: int) -> float:
    """Seconds or a date, bounded; nought for anything else."""
    if written.isascii() and written.isdecimal():
        return min(RETRY_AFTER_SECONDS_MAX, float(written[:9]))
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    ahead = (moment - datetime.fromtimestamp(at, UTC)).total_seconds()
    return max(0.0, min(RETRY_AFTER_SECONDS_MAX, ahead))
