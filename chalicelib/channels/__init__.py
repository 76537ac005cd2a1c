"""Channels: one package each, with the same few names. The folder is the registry.

LIMITS      what a message may hold there
PUSHES      whether we speak first (Viber) or are asked (web)
receive     a request of the channel → what it means, or Refused
pieces      a worded message → the requests that carry it, within the limits
send        one piece to one citizen → Receipt, or SendFailed
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Protocol

from chalicelib.model import Account, Inbound, Message
from chalicelib.small_classes import dataclass
from chalicelib.wire import Deadline

NAMES = ("viber", "web")
NETWORK_BITS = 64  # of an IPv6 address: what a household or a phone is given


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one message: characters of text, UTF-8 bytes of the whole request, buttons."""

    text_chars: int
    request_bytes: int
    choices: int


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as channels see it; header names in lower case. `source` is the internet address it came from
    (see `counted_by`), where the door knows it: to be counted by, never to be stored or logged."""

    body: bytes
    headers: dict[str, str]
    query: dict[str, str]
    source: str = ""


def counted_by(address: str) -> str:
    """What requests from an internet address are counted by: of one of the new kind its network, for whoever has one
    such address has as many as they like."""
    if ":" not in address:
        return address
    import ipaddress  # few come by the new kind

    try:
        return str(ipaddress.ip_network(f"{address}/{NETWORK_BITS}", strict=False))
    except ValueError:
        return address


@dataclass(frozen=True, slots=True)
class Received:
    """What a request brought: `event` by the channel's own word, an inbound if it concerns a citizen's conversation.

    `odd` is a genuine event or message of a kind we do not know: kept for people to look at. `about`: what became of a
    message of ours.
    """

    event: str
    inbound: Inbound | None = None
    odd: bool = False
    about: Sent | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent: to whom, and the channel's id of it."""

    citizen: str
    id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The channel took the message: its id there (64 bits, as text) and how it was billed, where known."""

    id: str
    billing: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secret of an account and the name it speaks under for a town. `town` marks its buttons, where the account
    serves several."""

    token: str
    sender: str
    town: str = ""


class Channel(Protocol):
    LIMITS: Limits
    PUSHES: bool

    def receive(self, request: Request, account: Account, token: str) -> Received: ...
    def pieces(self, message: Message, *, plain: bool, credentials: Credentials) -> list[dict[str, Any]]: ...
    def send(self, citizen: str, piece: dict[str, Any], credentials: Credentials, deadline: Deadline) -> Receipt: ...


@cache
def channel(name: str) -> Channel:
    """The module of a channel; LookupError for one there is not."""
    if name not in NAMES:
        raise LookupError(name)
    return import_module(f"chalicelib.channels.{name}")
