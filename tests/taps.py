"""Taps of the wire for as long as a test wants them, and one that keeps what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from chalicelib import wire
from chalicelib.wire import Call, Reply, Tap

T = TypeVar("T", bound=Tap)


@contextmanager
def tapped(tap: T) -> Iterator[T]:
    """The wire with `tap` on it."""
    wire.taps.append(tap)
    try:
        yield tap
    finally:
        wire.taps.remove(tap)


class Written:
    """Keeps the body of every write to the tables."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def before(self, call: Call) -> None:
        if call.service == "dynamodb" and re.match("Put|Update|Delete|Transact|BatchWrite", call.operation):
            self.bodies.append(call.body.decode())

    def after(self, call: Call, reply: Reply) -> None:
        return
