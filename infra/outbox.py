"""`./salter outbox`: what a town owes to the outside, and a second try for what was given up."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from typing import Any

EnterStage = Callable[[argparse.Namespace], None]
REVIVE_SECONDS = 5.0


def add_commands(commands: Any, stage: argparse.ArgumentParser, enter: EnterStage) -> None:
    """Put `outbox list` and `outbox revive` on the command line; `enter` takes the stage's environment."""
    outbox = commands.add_parser("outbox", help="what is owed to the outside").add_subparsers(required=True)
    states = "a town's lanes and rows: due, leased, sent, dead, uncertain"
    owed = outbox.add_parser("list", parents=[stage], help=states)
    owed.add_argument("slug")
    owed.set_defaults(run=lambda parsed: _list(parsed, enter))
    again = outbox.add_parser("revive", parents=[stage], help="have a dead row tried again")
    again.add_argument("slug")
    again.add_argument("row", help="its id, as `outbox list` shows it")
    again.set_defaults(run=lambda parsed: _revive(parsed, enter))


def _list(parsed: argparse.Namespace, enter: EnterStage) -> int:
    enter(parsed)
    from chalicelib.storage import views

    rows = views.owed(parsed.slug)
    for row in rows:
        due = dt.datetime.fromtimestamp(row["due_at"], dt.UTC).isoformat(timespec="seconds")
        print(f"{row['id']:36} {row['kind']:12} {row['state']:9} {row['tries']:4} tries  {due}  {row['error'] or ''}")
    print(f"{len(rows)} rows")
    return 0


def _revive(parsed: argparse.Namespace, enter: EnterStage) -> int:
    enter(parsed)
    from chalicelib.actions import clock
    from chalicelib.actions.revive_row import revive_row
    from chalicelib.model import Conflict, Refused
    from chalicelib.wire import Deadline

    try:
        revive_row(parsed.slug, parsed.row, "platform:cli", clock.now(), Deadline(REVIVE_SECONDS))
    except Refused as refused:
        print(refused.message, file=sys.stderr)
        return 1
    except Conflict:
        print(f"{parsed.row} was changed at this very moment; look again: ./salter outbox list", file=sys.stderr)
        return 1
    print(f"{parsed.row} is owed again; the minute's round tries it at the latest.")
    return 0
