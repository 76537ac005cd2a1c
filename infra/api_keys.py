"""`./salter apikey` (or `key`): the keys of a town's systems, made, looked through, revoked."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable

from chalicelib.actions import clock, manage_keys
from chalicelib.actions.manage_keys import NotPossible
from chalicelib.model import Town
from chalicelib.storage import tenants
from chalicelib.storage.api_keys import SCOPES
from chalicelib.wire import Deadline

SECONDS = 10.0
BY = "platform:command-line"
WHY = {
    "key_scopes": f"name at least one scope; there are {', '.join(SCOPES)}",
    "key_many": "the town has too many keys already; revoke those nobody uses",
    "key_unknown": "there is no key of this id; see ./salter apikey list",
}


def add_commands(
    commands: argparse._SubParsersAction,
    stage: argparse.ArgumentParser,
    default_stage: Callable[[argparse.Namespace], None],
) -> None:
    """The commands below `./salter apikey`."""

    def of_town(act: Callable[[argparse.Namespace, Town], None]) -> Callable[[argparse.Namespace], int]:
        def run(parsed: argparse.Namespace) -> int:
            default_stage(parsed)
            return _in_town(parsed, act)

        return run

    own = commands.add_parser("apikey", aliases=["key"], help="keys of towns' systems").add_subparsers(required=True)
    new = own.add_parser("new", parents=[stage], help="make a key and print it, this once")
    new.add_argument("slug")
    new.add_argument("--scope", action="append", required=True, help="e.g. cases:read; may be given several times")
    new.add_argument("--name", default="command line", help="which system it is for")
    new.set_defaults(run=of_town(_new))
    listing = own.add_parser("list", parents=[stage], help="a town's keys: id, name, scopes, last use")
    listing.add_argument("slug")
    listing.set_defaults(run=of_town(_list))
    revoke = own.add_parser("revoke", parents=[stage], help="end a key, at once")
    revoke.add_argument("slug")
    revoke.add_argument("id", help="as ./salter apikey list shows it")
    revoke.set_defaults(run=of_town(_revoke))


def _new(parsed: argparse.Namespace, town: Town) -> None:
    scopes = [scope for part in parsed.scope for scope in part.replace(",", " ").split()]
    print(manage_keys.make(town, parsed.name, scopes, BY, clock.now(), Deadline(SECONDS)))


def _list(parsed: argparse.Namespace, town: Town) -> None:
    for key in manage_keys.all_of(town, clock.now(), Deadline(SECONDS)):
        state = f"revoked {_day(key.revoked_at)}" if key.revoked_at else f"last used {_hour(key.used_at)}"
        print(f"{key.id}  {key.name:24}  made {_day(key.made_at)}  {state:28}  {' '.join(sorted(key.scopes))}")


def _revoke(parsed: argparse.Namespace, town: Town) -> None:
    key = manage_keys.revoke(town, parsed.id, BY, clock.now(), Deadline(SECONDS))
    print(f"{key.id} ({key.name}): revoked")


def _in_town(parsed: argparse.Namespace, act: Callable[[argparse.Namespace, Town], None]) -> int:
    pointer = tenants.pointer(parsed.slug, Deadline(SECONDS))
    town = tenants.town(parsed.slug, pointer.version, Deadline(SECONDS)) if pointer else None
    if town is None:
        print(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply", file=sys.stderr)
        return 1
    try:
        act(parsed, town)
    except NotPossible as error:
        print(WHY.get(error.code, error.code), file=sys.stderr)
        return 1
    return 0


def _day(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat()


def _hour(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:00 UTC") if at else "never"
