"""`./salter town export | restore | retire`: one town's whole data out, back, and away."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from chalicelib.model import SalterError
from infra.stage import acting_as, default_stage

OWN_NAME_ONLY = (
    "a town comes back under its own name only: its personal numbers are sealed for that name and no key opens them "
    "for another, and links already given out, phone numbers and who was erased are known under it. Nothing was done. "
    "A second town is made with ./salter town new; what citizens read as its name is `name` and `bot` of tenant.yaml."
)


def add_commands(town: Any, stage: argparse.ArgumentParser) -> None:
    """The commands below `./salter town`."""
    export = town.add_parser("export", parents=[stage], help="a town's whole data into one file")
    export.add_argument("slug")
    export.add_argument("to", type=Path, help="a file, or a folder in which it is named by town and time")
    export.add_argument(
        "--as-of",
        type=_moment,
        default=None,
        help="when the tables hold an earlier moment (point-in-time recovery): that moment, e.g. 2026-03-10T10:00:00Z",
    )
    export.set_defaults(run=_export)
    restore = town.add_parser("restore", parents=[stage], help="a town back from such a file, where there is none")
    restore.add_argument("file", type=Path)
    restore.add_argument("--resume", action="store_true", help="go on with a restore of this file that was interrupted")
    restore.add_argument("--as", dest="other", metavar="SLUG", default="", help="not possible; says why")
    restore.set_defaults(run=_restore)
    retire = town.add_parser("retire", parents=[stage], help="take a town away with everything that is its")
    retire.add_argument("slug")
    retire.add_argument("--yes", metavar="SLUG", default="", help="the town's name once more, instead of being asked")
    retire.set_defaults(run=_retire)


def _export(parsed: argparse.Namespace) -> int:
    _enter(parsed)
    from chalicelib.actions import clock
    from infra.take_out import take_out

    now = clock.now()
    name = f"{parsed.slug}-{dt.datetime.fromtimestamp(now, dt.UTC):%Y%m%dT%H%M%SZ}.zip"
    path = parsed.to / name if parsed.to.is_dir() else parsed.to

    def export() -> None:
        manifest = take_out(parsed.slug, path, acting_as(), token_hex(8), now, _tell, as_of=parsed.as_of)
        _print_counts(manifest["counts"])
        print(f"{path}: whole, {path.stat().st_size / 1e6:.1f} MB, checksum {manifest['checksum'][:16]}")
        print("It holds people's data in clear: keep it encrypted, and delete it when its time is over.")

    return _timed(export)


def _restore(parsed: argparse.Namespace) -> int:
    if parsed.other:
        print(f"{parsed.other}: {OWN_NAME_ONLY}", file=sys.stderr)
        return 1
    _enter(parsed)
    from chalicelib.actions import clock
    from infra.bring_back import bring_back

    def restore() -> None:
        brought = bring_back(parsed.file, parsed.resume, acting_as(), token_hex(8), clock.now(), _tell)
        _print_counts(brought.counts)
        print(
            f"left out: {brought.expired} expired, {brought.held_back} owed or for sending, {brought.foreign} of others"
        )
        print(f"erased once more: {brought.erased} people who asked for it after the file was made")
        print(f"{brought.town}: everything stands as in the file, and the town is suspended. What is left to do:")
        print("docs/operations.md, “After a restore”: Viber's token and webhook, staff's passwords, then live.")

    return _timed(restore)


def _retire(parsed: argparse.Namespace) -> int:
    _enter(parsed)
    from chalicelib.actions import clock
    from infra import retire_town

    slug, now = parsed.slug, clock.now()
    if not retire_town.is_there(slug, now):
        print(f"{slug}: there is nothing of it on this stage", file=sys.stderr)
        return 0 if retire_town.was_retired(slug, now) else 1
    if (parsed.yes or _asked(slug)) != slug:
        print(f"{slug}: nothing was done; the name typed was another", file=sys.stderr)
        return 1

    def retire() -> None:
        retired = retire_town.retire(slug, acting_as(), token_hex(8), now, _tell)
        _print_counts(retired.counts)
        for line in retired.left_to_do:
            print(f"left to do: {line}")
        print(f"{slug}: nothing is left of it; the act is in the platform's audit trail.")

    return _timed(retire)


def _enter(parsed: argparse.Namespace) -> None:
    """The stage, and the bucket its stack names."""
    default_stage(parsed)
    if "SALTER_MEDIA_BUCKET" not in os.environ:
        import boto3

        from infra.deploy import outputs

        stack = f"salter-{os.environ['SALTER_STAGE']}"
        os.environ["SALTER_MEDIA_BUCKET"] = outputs(boto3.client("cloudformation"), stack)["MediaBucketName"]


def _moment(written: str) -> float:
    moment = dt.datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("say the time zone, too: …Z or …+01:00")
    return moment.timestamp()


def _asked(slug: str) -> str:
    print(f"Everything of {slug} will be gone: cases, conversations, people, photos, versions. There is no way back")
    print("but a file of `./salter town export`.")
    return input(f"Type the town's name ({slug}) to go on: ").strip()


def _timed(act: Callable[[], None]) -> int:
    begun = time.monotonic()
    try:
        act()
    except (SalterError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"{time.monotonic() - begun:.1f} s")
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_counts(counts: Mapping[str, int]) -> None:
    for name, count in sorted(counts.items()):
        print(f"{count:8}  {name}")
