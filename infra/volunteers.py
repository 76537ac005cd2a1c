"""`./salter staff volunteer`: sign-ups and volunteers of a town, looked at and decided on the command line."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

BY = "platform:cli"
SECONDS_MAX = 10.0


def add_commands(staff: Any, stage: argparse.ArgumentParser, enter: Callable[[argparse.Namespace], None]) -> None:
    """The commands below `staff`; `enter` takes the environment of the stage."""
    commands = staff.add_parser("volunteer", help="volunteers of a town").add_subparsers(required=True)
    listing = commands.add_parser("list", parents=[stage], help="sign-ups that wait, and everybody approved")
    listing.add_argument("slug")
    listing.set_defaults(run=lambda parsed: _list(parsed, enter))
    for name, state, help_text in (
        ("approve", "approved", "take a sign-up, or let somebody suspended help again"),
        ("suspend", "suspended", "send no more calls for help to somebody"),
    ):
        command = commands.add_parser(name, parents=[stage], help=help_text)
        command.add_argument("slug")
        command.add_argument("id", help="the reference of the sign-up")
        command.set_defaults(run=lambda parsed, state=state: _decide(parsed, state, enter))
    mail = commands.add_parser("mail", parents=[stage], help="where a link goes if Viber does not carry a call")
    mail.add_argument("slug")
    mail.add_argument("id", help="the reference of the sign-up")
    mail.add_argument("address", help="an e-mail address, or `none`; links sent before open nothing any more")
    mail.set_defaults(run=lambda parsed: _reach_by(parsed, enter))


def _list(parsed: argparse.Namespace, enter: Callable[[argparse.Namespace], None]) -> int:
    enter(parsed)
    from chalicelib.actions import clock, decide_volunteer, known
    from chalicelib.storage import volunteers
    from chalicelib.wire import Deadline

    deadline, now = Deadline(SECONDS_MAX), clock.now()
    town = known.town(parsed.slug, deadline)
    if town is None:
        print(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply", file=sys.stderr)
        return 1
    zone = ZoneInfo(town.core["time_zone"])
    for case in decide_volunteer.waiting(parsed.slug, deadline):
        fields, person = case.fields, case.applicant
        print(f"{case.reference}  waits      {person.get('name', '')}, {person.get('phone', '')}", end="")
        print(_limits(fields.get("areas"), fields.get("days"), fields.get("skills")))
    for each in volunteers.everyone(parsed.slug, now, deadline):
        paused = f", pause until {dt.datetime.fromtimestamp(each.paused_until, zone):%Y-%m-%d}"
        print(f"{each.id}  {each.state:9}  {each.name}, {each.phone}" + (f", {each.mail}" if each.mail else ""), end="")
        print(_limits(each.areas, each.days, each.skills) + (paused if each.paused_until > now else ""))
    return 0


def _limits(*several: Any) -> str:
    return "".join(f", {' '.join(each)}" for each in several if each)


def _decide(parsed: argparse.Namespace, state: str, enter: Callable[[argparse.Namespace], None]) -> int:
    enter(parsed)
    from chalicelib.actions import clock, decide_volunteer
    from chalicelib.wire import Deadline

    try:
        decided = decide_volunteer.decide(parsed.slug, parsed.id, state, BY, clock.now(), Deadline(SECONDS_MAX))
    except decide_volunteer.NoVolunteer:
        print(f"{parsed.slug}: no volunteer {parsed.id}; see ./salter staff volunteer list", file=sys.stderr)
        return 1
    said = "and was told" if decided.changed else "already; nothing changed"
    print(f"{decided.volunteer.id}: {decided.volunteer.name} is {state} {said}.")
    return 0


def _reach_by(parsed: argparse.Namespace, enter: Callable[[argparse.Namespace], None]) -> int:
    enter(parsed)
    from chalicelib.actions import clock, decide_volunteer
    from chalicelib.model import Refused
    from chalicelib.wire import Deadline

    address = "" if parsed.address == "none" else parsed.address
    try:
        after = decide_volunteer.reach_by(parsed.slug, parsed.id, address, BY, clock.now(), Deadline(SECONDS_MAX))
    except decide_volunteer.NoVolunteer:
        print(f"{parsed.slug}: no volunteer {parsed.id}; see ./salter staff volunteer list", file=sys.stderr)
        return 1
    except Refused:
        print(f"{parsed.address} is no e-mail address", file=sys.stderr)
        return 1
    print(
        f"{after.id}: {after.name} gets links at {after.mail}." if after.mail else f"{after.id}: no address any more."
    )
    return 0
