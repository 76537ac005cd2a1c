"""`./salter town list | rollback | suspend | resume | tester | live`: how towns are, and what state they are in."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from infra import towns
from infra.stage import acting_as, default_stage, public_url

Run = Callable[[argparse.Namespace], int]
SECONDS = 30.0
LIVE_SECONDS = 90.0


def add_commands(town: Any, stage: argparse.ArgumentParser) -> None:
    """Put them below `./salter town`."""
    own: dict[str, argparse.ArgumentParser] = {}
    for name, run, help_text in (
        ("list", _list, "every town: state, version, last webhook, age of what waits"),
        ("rollback", _rollback, "put an earlier version in force again, at once and whole"),
        ("suspend", _suspend, "citizens get one polite line with the town's phone; staff go on working"),
        ("resume", _resume, "end a suspension"),
        ("tester", _tester, "print links for those who try the town before it is live"),
        ("live", _live, "set Viber's webhook, see that it works, and answer everybody"),
    ):
        own[name] = town.add_parser(name, parents=[stage], help=help_text)
        own[name].set_defaults(run=_spoken(run))
        if name != "list":
            own[name].add_argument("slug")
    own["rollback"].add_argument("version", nargs="?", type=int, help="the one before, if not given")
    own["rollback"].add_argument("--plan", action="store_true", help="only say what would change")
    own["suspend"].add_argument(
        "--reason", default="", help="for the list and the audit trail; citizens do not read it"
    )
    own["tester"].add_argument("--people", type=int, default=20, help="how many may open the link (default 20)")
    own["tester"].add_argument("--days", type=int, default=14, help="how long it can be opened (default 14)")
    own["tester"].add_argument(
        "--webhook", action="store_true", help="have Viber call here already; others read that the town is coming soon"
    )
    for name in ("tester", "live"):
        own[name].add_argument("--url", default="", help="where the product answers, if not where it was deployed to")


def _spoken(run: Run) -> Run:
    """The command with refusals said in words."""

    def spoken(parsed: argparse.Namespace) -> int:
        default_stage(parsed)
        from chalicelib.model import Conflict, Refused, Unavailable

        try:
            return run(parsed)
        except Refused as refused:
            return _refuse(refused.message)
        except Conflict:
            return _refuse(f"{parsed.slug}: somebody changed it at this very moment; look again: ./salter town list")
        except Unavailable as silent:
            return _refuse(f"the store did not answer ({silent}); nothing is half done, try again")

    return spoken


def _list(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock
    from chalicelib.actions.look_after_towns import towns as look
    from chalicelib.wire import Deadline

    now, after = clock.now(), ""
    seen: set[str] = set()
    while True:
        found = look(after, now, Deadline(SECONDS))
        for standing in found.standings:
            seen.add(standing.slug)
            print(_line(standing, now))
        if not found.more:
            break
        after = found.more
    for slug in towns.slugs():
        if slug not in seen:
            print(f"{slug:24} not published")
    return 0


def _line(standing: Any, now: float) -> str:
    pointer = standing.pointer
    heard = "never" if not standing.heard_at else _moment(standing.heard_at)
    heard = heard if pointer.account else "no Viber"
    parts = [
        f"{standing.slug:24} {pointer.state:10} version {pointer.version:<4}",
        f"last webhook {heard:17}",
        f"queue {_span(standing.queue_seconds)}",
    ]
    parts += [f"dead letters {standing.dead}"] if standing.dead else []
    parts += [f"Viber refuses: {standing.refused}"] if standing.refused else []
    parts += [f"reason: {pointer.reason}"] if pointer.reason and pointer.state == "suspended" else []
    return "  ".join(parts)


def _rollback(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock, town_states
    from chalicelib.storage import tenants
    from chalicelib.wire import Deadline
    from infra.plan import between

    current = town_states.pointer_of(parsed.slug, Deadline(SECONDS))
    kept = tenants.earlier(current, parsed.version)
    back = tenants.town(parsed.slug, kept.version, Deadline(SECONDS)) if kept else None
    if kept is None or back is None:
        there = ", ".join(str(one.version) for one in current.kept if one.version != current.version) or "none"
        return _refuse(
            f"{parsed.slug}: there is no such version; besides {current.version}, in force, there are: {there}"
        )
    for line in between(current, back):
        print(line)
    if parsed.plan:
        return 0
    after = town_states.roll_back(parsed.slug, kept.version, acting_as(), clock.now(), Deadline(SECONDS))
    print(
        f"{parsed.slug}: version {after.version} is in force again, {after.state}; warm processes see it within 60 s."
    )
    return 0


def _suspend(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock, town_states
    from chalicelib.wire import Deadline

    town_states.suspend(parsed.slug, acting_as(), parsed.reason, clock.now(), Deadline(SECONDS))
    print(f"{parsed.slug}: suspended; within 60 s citizens read one line with the town's phone. Staff go on working.")
    return 0


def _resume(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock, town_states
    from chalicelib.wire import Deadline

    after = town_states.resume(parsed.slug, acting_as(), clock.now(), Deadline(SECONDS))
    print(f"{parsed.slug}: {after.state}; warm processes see it within 60 s.")
    return 0


def _tester(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock, go_live, testers, town_states
    from chalicelib.dialogue.going_on import viber_link
    from chalicelib.storage import tenants
    from chalicelib.wire import Deadline

    for name, value, most in (
        ("people", parsed.people, testers.PEOPLE_MAX),
        ("days", parsed.days, testers.VALID_DAYS_MAX),
    ):
        if not 0 < value <= most:
            return _refuse(f"--{name} is a number from 1 to {most}")
    current, now = town_states.pointer_of(parsed.slug, Deadline(SECONDS)), clock.now()
    town = tenants.town(parsed.slug, current.version, Deadline(SECONDS))
    url = public_url(parsed.url)
    if parsed.webhook and current.account:
        go_live.connect(current.account, url, Deadline(LIVE_SECONDS), print)
    context = testers.new_link(parsed.slug, acting_as(), parsed.people, parsed.days, now, Deadline(SECONDS))
    print(f"web:   {url.rstrip('/')}/chat/{parsed.slug}?context={quote(context)}")
    link = viber_link(town, context) if town else None
    if link:
        print(f"Viber: {link}")
    until = _moment(int(now) + parsed.days * 86400)
    print(f"{parsed.people} people may open it until {until} UTC; they are answered while {parsed.slug} is in trial.")
    if current.state != tenants.TRIAL:
        print(f"{parsed.slug} is {current.state}, not in trial: the link changes nothing now.")
    return 0


def _live(parsed: argparse.Namespace) -> int:
    from chalicelib.actions import clock, town_states
    from chalicelib.actions.go_live import go_live
    from chalicelib.wire import Deadline

    town_states.pointer_of(parsed.slug, Deadline(SECONDS))
    go_live(parsed.slug, public_url(parsed.url), acting_as(), clock.now(), Deadline(LIVE_SECONDS), print)
    print(f"{parsed.slug}: live; within 60 s everybody is answered.")
    return 0


def _moment(at: int) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M")


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1
