"""`./salter staff`: who works in a town, for which offices, who stands in for whom; the first admin's way in."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import replace

from chalicelib.actions import clock, manage_staff
from chalicelib.actions.manage_staff import TOWN_ROLES, NotPossible, Work
from chalicelib.model import Staff, Town
from chalicelib.storage import staff, tenants
from chalicelib.wire import Deadline
from infra import volunteers
from infra.stage import default_stage

SECONDS = 10.0
BY = Staff(staff.PLATFORM, "", "command-line", staff.PLATFORM)
WHY = {
    "mail_wrong": "this is no e-mail address",
    "mail_known": "this person has an account there already",
    "mail_taken": "this address has an account in another town",
    "last_admin": "at least one admin with access must stay; add another one first",
    "person_unknown": "nobody of this address works there; see ./salter staff list",
}


def add_commands(commands: argparse._SubParsersAction, stage: argparse.ArgumentParser) -> None:
    """The commands below `./salter staff`."""
    own = commands.add_parser("staff", help="who works in a town").add_subparsers(required=True)
    add = own.add_parser("add", parents=[stage], help="add somebody and print the first password, or change the record")
    add.add_argument("slug")
    add.add_argument("email")
    add.add_argument("--role", required=True, choices=TOWN_ROLES)
    add.add_argument("--office", action="append", default=[], help="an id of contacts.yaml; none: all of them")
    add.add_argument("--name", default="")
    add.add_argument("--deputy", default="", help="e-mail of who stands in")
    add.add_argument("--language", default="", help="of the e-mails; the town's own if not given")
    add.set_defaults(run=_add)
    listing = own.add_parser("list", parents=[stage], help="everybody who works in a town")
    listing.add_argument("slug")
    listing.set_defaults(run=_list)
    absent = own.add_parser("absent", parents=[stage], help="until when somebody is away; their deputy hears instead")
    absent.add_argument("slug")
    absent.add_argument("email")
    absent.add_argument("--until", required=True, help="the last day away, e.g. 2026-03-20; `back` ends it")
    absent.set_defaults(run=_absent)
    for name, run, help_text in (
        ("disable", _disable, "take somebody's access away, at once and everywhere"),
        ("password", _password, "a new password for the first sign-in, printed this once; turns codes off too"),
    ):
        command = own.add_parser(name, parents=[stage], help=help_text)
        command.add_argument("slug")
        command.add_argument("email")
        command.set_defaults(run=run)
    platform = own.add_parser("platform", parents=[stage], help="add somebody who looks after all towns")
    platform.add_argument("email")
    platform.add_argument("--name", default="")
    platform.set_defaults(run=_platform)
    volunteers.add_commands(own, stage, default_stage)


def _add(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    town = _town(parsed.slug)
    if town is None:
        return _refuse(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply")
    offices = {office["id"] for office in town.core["offices"]}
    if strange := [office for office in parsed.office if office not in offices]:
        return _refuse(f"{parsed.slug} has no office {', '.join(strange)}; there are {', '.join(sorted(offices))}")
    if parsed.language and parsed.language not in town.languages:
        return _refuse(f"{parsed.slug} does not speak {parsed.language}; it speaks {', '.join(town.languages)}")
    if wrong := [mail for mail in (parsed.email, parsed.deputy) if mail and not _is_mail(mail)]:
        return _refuse(f"{wrong[0]} is no e-mail address")
    return _asked(lambda: _recorded(town, parsed))


def _recorded(town: Town, parsed: argparse.Namespace) -> None:
    """Somebody new gets an account; of somebody known the record changes, and their sign-ins end."""
    known = staff.load(town.slug, parsed.email, Deadline(SECONDS))
    work = Work(parsed.role, tuple(parsed.office), parsed.name or (known.name if known else ""), parsed.language)
    password = ""
    if known:
        manage_staff.give_work(town, BY, known.id, work, clock.now(), Deadline(SECONDS))
    else:
        password = manage_staff.invite(town, BY.by, parsed.email, work, clock.now(), Deadline(SECONDS))
    after = _load(town.slug, parsed.email)
    if parsed.deputy or parsed.language:
        after = replace(after, deputy=parsed.deputy or after.deputy, language=parsed.language or after.language)
        staff.save(after, Deadline(SECONDS))
    print(f"{after.mail}: {after.role} of {', '.join(after.offices) or 'all offices'} in {town.slug}")
    if password:
        _hand_over(password)


def _disable(parsed: argparse.Namespace) -> int:
    def disable(town: Town) -> None:
        person = _load(town.slug, parsed.email)
        manage_staff.shut_out(town, BY, person.id, clock.now(), Deadline(SECONDS))
        print(f"{person.mail}: no access any more")

    return _in_town(parsed, disable)


def _password(parsed: argparse.Namespace) -> int:
    def renew(town: Town) -> None:
        person = _load(town.slug, parsed.email)
        _hand_over(manage_staff.renew_password(town, BY, person.id, clock.now(), Deadline(SECONDS))[1])

    return _in_town(parsed, renew)


def _platform(parsed: argparse.Namespace) -> int:
    default_stage(parsed)

    def appoint() -> None:
        password = manage_staff.appoint(parsed.email, parsed.name, BY.by, clock.now(), Deadline(SECONDS))
        print(f"{parsed.email}: looks after all towns")
        _hand_over(password)

    return _asked(appoint)


def _in_town(parsed: argparse.Namespace, act: Callable[[Town], None]) -> int:
    default_stage(parsed)
    town = _town(parsed.slug)
    if town is None:
        return _refuse(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply")
    return _asked(lambda: act(town))


def _asked(act: Callable[[], None]) -> int:
    try:
        act()
    except NotPossible as error:
        return _refuse(WHY.get(error.code, error.code))
    return 0


def _town(slug: str) -> Town | None:
    pointer = tenants.pointer(slug, Deadline(SECONDS))
    return tenants.town(slug, pointer.version, Deadline(SECONDS)) if pointer else None


def _load(slug: str, mail: str) -> Staff:
    person = staff.load(slug, mail, Deadline(SECONDS))
    if person is None:
        raise NotPossible("person_unknown")
    return person


def _hand_over(password: str) -> None:
    print(f"first password: {password}")
    print("Hand it over in person or by phone: it is shown this once, and another is chosen at the first sign-in.")


def _list(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    for member in staff.all_of(parsed.slug, Deadline(SECONDS)):
        more = [f"deputy {member.deputy}"] if member.deputy else []
        more += [f"away until {member.absent_until}"] if member.absent_until else []
        offices = ", ".join(member.offices) or "all offices"
        print(f"{member.mail:32} {member.role:12} {offices}" + (f" ({', '.join(more)})" if more else ""))
    return 0


def _absent(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    until = "" if parsed.until == "back" else parsed.until
    try:
        if until:
            dt.date.fromisoformat(until)
    except ValueError:
        return _refuse(f"{until} is no date; write it as 2026-03-20, or `back`")
    member = staff.load(parsed.slug, parsed.email, Deadline(SECONDS))
    if member is None:
        return _refuse(f"{parsed.email} does not work in {parsed.slug}; see ./salter staff list {parsed.slug}")
    staff.save(replace(member, absent_until=until), Deadline(SECONDS))
    instead = f"; {member.deputy} hears instead" if until and member.deputy else ""
    print(f"{member.mail}: " + (f"away until {until}{instead}" if until else "back"))
    return 0


def _is_mail(written: str) -> bool:
    name, at, domain = written.strip().rpartition("@")
    return bool(name and at and "." in domain) and " " not in written.strip()


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1
