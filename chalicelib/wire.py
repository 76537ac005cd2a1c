"""The one way out of the process on the hot path: kept-alive HTTP with a deadline, seen by whoever taps it.

Storage and channels both speak through here, so that connections are reused, every call is bounded by the turn's
deadline, and tests can count or break each call. Nothing about a call is logged here: bodies and headers carry
people's words and tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from chalicelib.connections import BadAnswer, Host, pool
from chalicelib.connections import Reply as Reply
from chalicelib.small_classes import dataclass

REPLY_BYTES_MAX = 8 * 1024 * 1024
PLACES_KEPT_MAX = 64


class CallFailed(Exception):
    """No usable answer. `sent`: the request may have taken effect all the same."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason, self.sent = reason, sent


@dataclass(frozen=True, slots=True)
class Call:
    """One request as taps see it: `service` (dynamodb, sqs, ssm, s3, viber) and `operation` name it."""

    service: str
    operation: str
    method: str
    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Whom an address leads to, how they are called in a request, and what is asked of them."""

    host: Host
    called: str
    target: str


class Tap(Protocol):
    """Watches calls; may raise CallFailed before (not sent) or after (sent, answer lost) one."""

    def before(self, call: Call) -> None: ...
    def after(self, call: Call, reply: Reply) -> None: ...


taps: list[Tap] = []


def everybodys_time() -> int:
    """Epoch seconds by the machine's clock, which those we speak to have, too; the product's own may be set."""
    return int(time.time())


class Deadline:
    """Time left for one piece of work, shared by all its calls (seconds, by the machine's clock)."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        return max(0.0, self._end - self._clock())

    def within(self, seconds: float) -> float:
        """At most `seconds`, at most what is left."""
        return min(seconds, self.left())


def call(
    service: str,
    operation: str,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    timeout: float,
    bytes_max: int = REPLY_BYTES_MAX,
) -> Reply:
    """One request, no redirects, no retry. `timeout` in seconds bounds it. Raises CallFailed."""
    made = Call(service, operation, method, url, body)
    return tapped(made, lambda: _exchange(method, url, headers, body, timeout, bytes_max))


def tapped(made: Call, exchange: Callable[[], Reply]) -> Reply:
    """An exchange seen, and maybe broken, by the taps."""
    for tap in taps:
        tap.before(made)
    reply = exchange()
    for tap in taps:
        tap.after(made, reply)
    return reply


def _exchange(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float, bytes_max: int) -> Reply:
    if timeout <= 0:
        raise CallFailed("no time left", sent=False)
    end = time.monotonic() + timeout
    there = place(url)
    connection = pool.take(there.host)
    if connection is None:
        try:
            connection = pool.open(there.host, timeout)
        except OSError as error:
            raise CallFailed("no connection", sent=False) from error
    try:
        named = {"host": there.called, "accept-encoding": "identity", **headers}
        reply = connection.ask(method, there.target, named, body, end, bytes_max)
    except (OSError, ValueError) as error:
        connection.close()
        reason = str(error) if isinstance(error, BadAnswer) else type(error).__name__
        raise CallFailed(reason, sent=True) from error
    pool.give(there.host, connection)
    return reply


@lru_cache(maxsize=PLACES_KEPT_MAX)
def place(url: str) -> Place:
    """Taken apart once: a turn speaks to the same two."""
    parts = urlsplit(url)
    host = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    return Place(host, parts.netloc, parts.path + (f"?{parts.query}" if parts.query else ""))
