"""`./salter staff`: who works in a town, for which offices, who stands in for whom. Signing in is another matter."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from secrets import token_hex

from chalicelib.model import ROLES, Staff
from chalicelib.storage import staff, tenants
from chalicelib.wire import Deadline
from infra import volunteers
from infra.stage import default_stage

SECONDS = 5.0
TOWN_ROLES = tuple(role for role in ROLES if role != staff.PLATFORM)


def add_commands(commands: argparse._SubParsersAction, stage: argparse.ArgumentParser) -> None:
    """The commands below `./salter staff`."""
    own = commands.add_parser("staff", help="who works in a town").add_subparsers(required=True)
    add = own.add_parser("add", parents=[stage], help="add somebody, or change what is recorded")
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
    volunteers.add_commands(own, stage, default_stage)


def _add(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    pointer = tenants.pointer(parsed.slug, Deadline(SECONDS))
    town = tenants.town(parsed.slug, pointer.version, Deadline(SECONDS)) if pointer else None
    if town is None:
        return _refuse(f"{parsed.slug}: not published on this stage; publish it first: ./salter town apply")
    offices = {office["id"] for office in town.core["offices"]}
    if strange := [office for office in parsed.office if office not in offices]:
        return _refuse(f"{parsed.slug} has no office {', '.join(strange)}; there are {', '.join(sorted(offices))}")
    if parsed.language and parsed.language not in town.languages:
        return _refuse(f"{parsed.slug} does not speak {parsed.language}; it speaks {', '.join(town.languages)}")
    if wrong := [mail for mail in (parsed.email, parsed.deputy) if mail and not _is_mail(mail)]:
        return _refuse(f"{wrong[0]} is no e-mail address")
    known = staff.load(parsed.slug, parsed.email, Deadline(SECONDS))
    before = known or Staff(parsed.slug, staff.folded(parsed.email), token_hex(6), parsed.role)
    after = replace(
        before,
        role=parsed.role,
        offices=tuple(parsed.office),
        name=parsed.name or before.name,
        deputy=parsed.deputy or before.deputy,
        language=parsed.language or before.language,
    )
    staff.save(after, Deadline(SECONDS))
    print(f"{after.mail}: {after.role} of {', '.join(after.offices) or 'all offices'} in {parsed.slug}")
    return 0


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
