"""The town's own systems that hear of cases: whether they listen, what waits for them, another try."""

from __future__ import annotations

from chalicelib.actions import mend_callback
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import Wording

WAITED_FOR_WORDS = ("TimeoutError", "ConnectionRefusedError", "host_unknown", "no_secret", "switched_off")
SHOWN_MAX = 10  # of what was given up, by system


def show(visit: Visit) -> Answer:
    """Every one of them."""
    found = mend_callback.systems(visit.here, visit.deadline)
    return page(visit, "systems", systems=found, sent=visit.said, reason=_reason, shown_max=SHOWN_MAX)


def again(visit: Visit) -> Answer:
    """Switch one on and have sent again what was given up."""
    done, _ = mend_callback.again(visit.here, visit.params["callback"], visit.person.by, visit.now, visit.deadline)
    return visit.go(f"console/systems?said={done}")


def _reason(say: Wording, reason: str) -> str:
    """Why it did not take something, in words where we have any."""
    last = reason.rpartition(" ")[2]
    if last in WAITED_FOR_WORDS:
        return str(say(f"systems_reason_{last}"))
    kind, _, status = last.partition("_")
    return str(say("systems_reason_http", status=status)) if kind == "http" else last
