"""`./salter`: the platform admin's commands. Exit code 0 only when it did what was asked."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.tenancy.complaints import Rejected
from infra import outbox, staff, town_data, towns
from infra.stage import default_stage, enter_stage

MISSES_DAYS = 7


def main(arguments: list[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    if parsed.stage:
        enter_stage(parsed.stage)
    try:
        command: Callable[[argparse.Namespace], int] = parsed.run
        return command(parsed)
    except Rejected as rejected:
        print(rejected, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="salter", description="Towns of Šalter: check, preview, publish, list.")
    stage = argparse.ArgumentParser(add_help=False)
    stage.add_argument("--stage", default=None, help="local, or a deployed stage (default: local)")
    commands = parser.add_subparsers(required=True)
    town = commands.add_parser("town", help="work on towns").add_subparsers(required=True)
    for name, run, help_text in (
        ("check", _check, "check a town's folder: file, line, what to do"),
        ("test", _test, "play the town's conversations"),
        ("plan", _plan, "say what publishing would change"),
        ("apply", _apply, "publish the folder as one version"),
        ("misses", _misses, "what citizens asked and the bot did not understand, grouped"),
    ):
        command = town.add_parser(name, parents=[stage], help=help_text)
        command.add_argument("slug")
        command.set_defaults(run=run)
    town.choices["apply"].add_argument(
        "--state", choices=["live", "trial", "suspended"], help="set the town's state too"
    )
    town_data.add_commands(town, stage)
    listing = town.add_parser("list", parents=[stage], help="every town: folder, state, version")
    listing.set_defaults(run=_list)
    apikey = commands.add_parser("apikey", help="keys of towns' systems").add_subparsers(required=True)
    new_key = apikey.add_parser("new", parents=[stage], help="make a key and print it, this once")
    new_key.add_argument("slug")
    new_key.add_argument("--scope", action="append", required=True, help="e.g. cases:read; may be given several times")
    new_key.add_argument("--name", default="", help="which system it is for")
    new_key.set_defaults(run=_new_key)
    staff.add_commands(commands, stage)
    outbox.add_commands(commands, stage, default_stage)
    understand = commands.add_parser("understand", parents=[stage], help="JSON lines in, intents out; no server needed")
    understand.add_argument("slug")
    understand.set_defaults(run=_understand)
    return parser


def _check(parsed: argparse.Namespace) -> int:
    from infra import reach

    version = towns.compiled(parsed.slug)
    clashes = towns.number_clashes(_all_that_compile(parsed.slug))
    clashes = [clash for clash in clashes if clash.file.startswith(f"tenants/{parsed.slug}/")]
    if clashes:
        raise Rejected(clashes)
    core = version["core"]
    voices = ", ".join(label for entry in core["languages"] for label in entry["labels"].values())
    print(
        f"{parsed.slug}: good. {len(core['procedures'])} procedures, {len(core['offices'])} offices; speaks {voices}."
    )
    unknown = sum(
        "ask" in section
        for sheet in version["sheets"][core["languages"][0]["id"]].values()
        for section in sheet["sections"]
    )
    print(f"{unknown} values are to be confirmed by the town; citizens read “ask at the office” there.")
    for remark in (*reach.collisions(version["index"]), *reach.unreached(version)):
        print(f"phrases: {remark}")
    return 0


def _all_that_compile(always: str) -> dict[str, dict[str, Any]]:
    versions: dict[str, dict[str, Any]] = {}
    for slug in towns.slugs():
        try:
            versions[slug] = towns.compiled(slug)
        except Rejected:
            if slug == always:
                raise
    return versions


def _test(parsed: argparse.Namespace) -> int:
    from infra.proofs import play_town

    results = play_town(parsed.slug)
    for result in results:
        print(
            f"{'ok  ' if result.passed else 'FAIL'} {result.file}: {result.title}"
            + ("" if result.passed else f"\n     {result.problem}")
        )
    passed = sum(result.passed for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if results and passed == len(results) else 1


def _plan(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from infra.plan import changes

    for line in changes(parsed.slug, towns.compiled(parsed.slug)):
        print(line)
    return 0


def _apply(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from chalicelib.actions import clock
    from chalicelib.actions.publish_tenant import publish_tenant

    pointer = publish_tenant(towns.compiled(parsed.slug), clock.now(), parsed.state)
    print(f"{parsed.slug}: version {pointer.version} is in force, {pointer.state}; warm processes see it within 60 s.")
    return 0


def _misses(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from chalicelib.actions import clock
    from chalicelib.storage import views
    from chalicelib.understanding.misses import grouped

    today = dt.datetime.fromtimestamp(clock.now(), dt.UTC).date()
    days = [(today - dt.timedelta(days=back)).isoformat() for back in range(-1, MISSES_DAYS)]
    groups = grouped(miss["text"] for day in days for miss in views.misses(parsed.slug, day))
    for group in groups:
        print(f"{group.count:4} × {group.texts[0]}" + "".join(f"\n       {text}" for text in group.texts[1:5]))
    print(f"{len(groups)} questions in {MISSES_DAYS} days; answer them in phrases.yaml or with a sheet.")
    return 0


def _list(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from chalicelib.storage import tenants
    from chalicelib.wire import Deadline

    for slug in towns.slugs():
        pointer = tenants.pointer(slug, Deadline(5.0))
        print(f"{slug:24}" + (f"version {pointer.version:<4} {pointer.state}" if pointer else "not published"))
    return 0


def _new_key(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from secrets import token_urlsafe

    from chalicelib.actions import clock
    from chalicelib.storage import api_keys, tenants
    from chalicelib.wire import Deadline

    if tenants.pointer(parsed.slug, Deadline(5.0)) is None:
        print(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply", file=sys.stderr)
        return 1
    scopes = [scope for part in parsed.scope for scope in part.replace(",", " ").split()]
    try:
        key = api_keys.make(parsed.slug, parsed.name, scopes, token_urlsafe(32), clock.now(), Deadline(5.0))
    except api_keys.UnknownScope as error:
        print(error, file=sys.stderr)
        return 1
    print(key)
    return 0


def _understand(parsed: argparse.Namespace) -> int:
    from chalicelib.understanding.understand import understand
    from infra.labels import labelled

    index = towns.compiled(parsed.slug)
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            message = json.loads(line)
            text = str(message["text"])
        except (ValueError, TypeError, KeyError):
            print(f'line {number}: write one JSON object a line with "id" and "text"', file=sys.stderr)
            return 1
        print(
            json.dumps(
                {"id": message.get("id")} | labelled(understand(text, index["index"]), index), ensure_ascii=False
            )
        )
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    sys.exit(main())
