"""Breaks the Nth call to the outside, before or after it took effect, as a failure or as the death of the process."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chalicelib.wire import Call, CallFailed, Reply

# Of the four ways to break a call, long sweeps try the one that doubles most easily at every run, the others in
# `make trust`.
WAYS = [
    pytest.param("after", "killed"),
    *(
        pytest.param(when, how, marks=pytest.mark.campaign)
        for when, how in (("after", "fails"), ("before", "fails"), ("before", "killed"))
    ),
]


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
