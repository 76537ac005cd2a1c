"""A Viber of our own, for the local stack and for tests: it answers, calls back, refuses and misbehaves as Viber does.

`python -m infra.local.simulator` runs it as a process with a page to chat on; `Simulator` is the same thing in process.
What it knows of Viber comes from Viber's documentation and from public clients, never from the live service.
"""

from infra.local.simulator.callbacks import Callback, sign
from infra.local.simulator.citizens import Citizen
from infra.local.simulator.faults import Fault
from infra.local.simulator.ledger import Entry
from infra.local.simulator.simulator import Simulator
from infra.local.simulator.world import Account

__all__ = ["Account", "Callback", "Citizen", "Entry", "Fault", "Simulator", "sign"]
