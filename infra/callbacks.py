"""`./salter callbacks`: how a town's own systems take what they are told, their secrets, another try."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.model import Town

EnterStage = Callable[[argparse.Namespace], None]
READ_SECONDS = 10.0
SEND_AGAIN_SECONDS = 60.0
BY = "platform:cli"


def add_commands(commands: Any, stage: argparse.ArgumentParser, enter: EnterStage) -> None:
    """Put `callbacks list`, `secret`, `try` and `again` on the command line; `enter` takes the stage's environment."""
    verbs = commands.add_parser("callbacks", help="a town's own systems that hear of cases").add_subparsers(
        required=True
    )
    for name, run, help_text in (
        ("list", _list, "where they are, how they do, what waits, what was given up"),
        ("secret", _secret, "make a secret and print it, this once; the one before signs for a day more"),
        ("try", _try, "tell it something harmless now"),
        ("again", _again, "switch it on and send again what was given up"),
    ):
        verb = verbs.add_parser(name, parents=[stage], help=help_text)
        verb.add_argument("slug")
        if run is not _list:
            verb.add_argument("callback", help="its id in tenant.yaml")
        verb.set_defaults(run=lambda parsed, run=run: _entered(parsed, enter, run))


def _entered(parsed: argparse.Namespace, enter: EnterStage, run: Callable[[argparse.Namespace, Town], int]) -> int:
    enter(parsed)
    from chalicelib.actions import known
    from chalicelib.model import Refused, SendFailed
    from chalicelib.wire import Deadline

    town = known.town(parsed.slug, Deadline(READ_SECONDS))
    if town is None:
        print(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply", file=sys.stderr)
        return 1
    try:
        return run(parsed, town)
    except Refused as refused:
        print(f"{refused.message} They stand in tenant.yaml, and are known once applied.", file=sys.stderr)
    except SendFailed as failure:
        print(f"{parsed.callback} did not take it: {failure.reason}", file=sys.stderr)
    return 1


def _list(parsed: argparse.Namespace, town: Town) -> int:
    from chalicelib.actions.mend_callback import systems
    from chalicelib.wire import Deadline

    found = systems(town, Deadline(READ_SECONDS))
    for one in found:
        print(f"{one.id:16} {one.state:8} {one.url}  ({', '.join(one.events)})")
        print(
            f"  taken {_when(one.health.taken_at)}, failed {_when(one.health.failed_at)} {one.health.reason}".rstrip()
        )
        print(f"  {one.waiting} waiting, {len(one.given_up)} given up")
        for row in one.given_up:
            print(f"    {row.row}  {_when(row.at)}  {row.reason}")
    print(f"{len(found)} callbacks")
    return 0


def _secret(parsed: argparse.Namespace, town: Town) -> int:
    from chalicelib.actions import clock
    from chalicelib.actions.mend_callback import new_secret
    from chalicelib.wire import Deadline

    print(new_secret(town, parsed.callback, BY, clock.now(), Deadline(READ_SECONDS)))
    return 0


def _try(parsed: argparse.Namespace, town: Town) -> int:
    from chalicelib.actions import clock
    from chalicelib.actions.mend_callback import trial
    from chalicelib.wire import Deadline

    at = dt.datetime.fromtimestamp(clock.now(), dt.UTC).isoformat(timespec="seconds")
    trial(town, parsed.callback, at, Deadline(READ_SECONDS))
    print(f"{parsed.callback} took it.")
    return 0


def _again(parsed: argparse.Namespace, town: Town) -> int:
    from chalicelib.actions import clock
    from chalicelib.actions.mend_callback import again
    from chalicelib.wire import Deadline

    done, left = again(town, parsed.callback, BY, clock.now(), Deadline(SEND_AGAIN_SECONDS))
    print(f"{parsed.callback} is on; {done} are sent again" + (f", {left} are left: once more." if left else "."))
    return 0


def _when(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds") if at else "never"
