"""Breaks the Nth call to the outside, before or after it took effect, as a failure or as the death of the process."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from _pytest.mark.structures import ParameterSet

from chalicelib.wire import Call, CallFailed, Reply


def _campaign(when: str, how: str, every: int = 1) -> ParameterSet:
    return pytest.param(when, how, every, marks=pytest.mark.campaign)


# How a long sweep breaks calls: when, how, and every how manieth. A plain run takes every fourth call in the way that
# doubles most easily; `make trust` takes every call in every way. Killed before a call is what killed after the one
# before it leaves behind: whole journeys alone are played that way as well.
WAYS = [
    pytest.param("after", "killed", 4),
    _campaign("after", "killed"),
    _campaign("after", "fails"),
    _campaign("before", "fails"),
]

# The same for whole journeys of some dozens of calls: a plain run takes few.
FEW = [pytest.param("after", "killed", 19), *WAYS[1:], _campaign("before", "killed")]

# And for whole towns, of some seconds a call: what fails is played at every third one.
TOWNS = [*WAYS[:2], _campaign("after", "fails", 3), _campaign("before", "fails", 3)]


class Killed(BaseException):
    """The process is gone: no handler of the product may catch this."""


@dataclass
class Breaker:
    """A tap that breaks call number `nth`. `when`: before, after. `how`: fails, killed."""

    nth: int
    when: str
    how: str
    calls: int = 0
    broke: str = ""
    seen: list[str] = field(default_factory=list)

    def before(self, call: Call) -> None:
        self.calls += 1
        self.seen.append(f"{call.service}.{call.operation}")
        if self.when == "before" and self.calls == self.nth:
            self._break(call, sent=False)

    def after(self, call: Call, reply: Reply) -> None:
        if self.when == "after" and self.calls == self.nth:
            self._break(call, sent=True)

    def _break(self, call: Call, *, sent: bool) -> None:
        self.broke = f"{call.service}.{call.operation}"
        if self.how == "killed":
            raise Killed
        raise CallFailed("broken by the test", sent=sent)
