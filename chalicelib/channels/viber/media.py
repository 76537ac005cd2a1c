"""Fetches what a citizen sent from Viber's media hosts, and from nowhere else.

The link comes in a signed callback, yet nothing else vouches for it: so only https, only hosts of the list
`VIBER_MEDIA_HOSTS`, only public addresses, looked up once and then kept to, no redirects, a bounded size and time.
Stages `local` and `test` may also fetch from this machine, by plain http, if its name is on the list.
"""

from __future__ import annotations

import os

from chalicelib import strangers, wire
from chalicelib.model import SendFailed

BYTES_MAX = 27_262_976  # Viber's own bound for a video
SECONDS_MAX = 20.0


def fetch(link: str, deadline: wire.Deadline) -> bytes:
    """The bytes behind `link`. Raises SendFailed: final where the link is not Viber's, dead, or leads to too much."""
    address = strangers.address_of(link, _listed)
    try:
        reply = strangers.download("viber", "media", link, address, deadline.within(SECONDS_MAX), BYTES_MAX)
    except wire.CallFailed as failure:
        raise SendFailed(failure.reason, retryable=failure.reason != "too_large") from failure
    if reply.status == 200:
        return reply.body
    passing = reply.status == 429 or reply.status >= 500
    raise SendFailed(f"http_{reply.status}", retryable=passing)


def _listed(host: str) -> bool:
    """Whether the list names this host, or by `.example.com` the domain it is in."""
    names = [name.strip().lower() for name in os.environ.get("VIBER_MEDIA_HOSTS", "").split(",")]
    return any(host == name or (name.startswith(".") and host.endswith(name)) for name in names if name)
