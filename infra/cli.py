"""`./salter`: the platform admin's commands. Exit code 0 only when it did what was asked."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from chalicelib.tenancy.complaints import Rejected
from infra import (
    affected,
    api_keys,
    callbacks,
    chat,
    console_edits,
    cost,
    new_town,
    outbox,
    staff,
    town_data,
    town_states,
    towns,
)
from infra.stage import LOCAL, acting_as, default_stage, enter_stage, first_state

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
        "--state",
        choices=["live", "trial", "suspended"],
        help="set the town's state too, without telling Viber (see live)",
    )
    new_town.add_command(town, stage)
    town_states.add_commands(town, stage)
    town_data.add_commands(town, stage)
    affected.add_command(town, stage)
    console_edits.add_commands(town, stage, default_stage)
    api_keys.add_commands(commands, stage, default_stage)
    staff.add_commands(commands, stage)
    chat.add_commands(commands)
    outbox.add_commands(commands, stage, default_stage)
    callbacks.add_commands(commands, stage, default_stage)
    cost.add_commands(commands)
    understand = commands.add_parser("understand", parents=[stage], help="JSON lines in, intents out; no server needed")
    understand.add_argument("slug")
    understand.set_defaults(run=_understand)
    return parser


def _check(parsed: argparse.Namespace) -> int:
    from chalicelib.tenancy.compile import compile_town
    from infra import check

    files = towns.files_of(parsed.slug)
    version = compile_town(files)
    complaints = check.complaints(files, version)
    if complaints:
        raise Rejected(complaints)
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
    remarks = check.remarks(files, version, dt.datetime.now(dt.UTC).date())
    for remark in remarks:
        print(f"remark: {remark}")
    print(f"{len(remarks)} remarks.")
    if parsed.stage and core["viber"]["account"]:
        print(check.viber_account(files, version))
    return 0


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

    laid = console_edits.laid(towns.compiled(parsed.slug), console_edits.take_of(parsed.take))
    for line in (*changes(parsed.slug, laid.compiled), *console_edits.lines(laid)):
        print(line)
    return 0


def _apply(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    from chalicelib.actions import clock
    from chalicelib.actions.publish_tenant import publish_tenant
    from chalicelib.model import Conflict
    from infra import check

    compiled, state = towns.compiled(parsed.slug), parsed.state or first_state(parsed.slug)
    clashes = check.clashes(parsed.slug, compiled["core"])
    if clashes:
        raise Rejected(clashes)
    laid = console_edits.decided(console_edits.laid(compiled, console_edits.take_of(parsed.take)))
    try:
        pointer = publish_tenant(laid.compiled, clock.now(), state, acting_as(), over=laid.over)
    except Conflict:
        print(
            f"{parsed.slug}: somebody changed it at this very moment; look again: ./salter town plan", file=sys.stderr
        )
        return 1
    if os.environ["SALTER_STAGE"] == LOCAL:
        from infra.local.publish import equip_new

        equip_new(compiled)
    for line in console_edits.lines(laid):
        print(line)
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
                {"id": message.get("id")} | labelled(text, understand(text, index["index"]), index), ensure_ascii=False
            )
        )
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    sys.exit(main())
