"""The outbox's kind `open311`: a report goes to the endpoint that the town named for its category.

Open311 knows no repetition: to send a report twice makes two of it. So it is noted before it is sent. Whoever finds
such a note (the answer was lost, or the sender died) looks there for a report with our reference in its words, or of
this kind at this place since then, and sends again only if the list was answered and it is not in it. After two lost
answers a person decides, as for every row. What was given up stands in the case's history, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Any

from chalicelib.actions import breaker, file_links, known, our_links, pass_on
from chalicelib.actions.change_case import NoCase, change_case
from chalicelib.cases import erasing, lifecycle, open311
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.integrations import open311_client
from chalicelib.integrations.open311 import time
from chalicelib.integrations.open311_client import Endpoint, Said
from chalicelib.model import Case, Conflict, SendFailed, Town
from chalicelib.small_classes import replace
from chalicelib.storage import open311 as away
from chalicelib.storage import secrets
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.storage.media import CHECKED, WAITING
from chalicelib.storage.open311 import Report
from chalicelib.wire import Deadline

FAILED = "open311_failed"
LOOK_AFTER_SECONDS = 60  # a report that was taken is in the list by then
LOOK_BACK_SECONDS = 600  # its clock may not be ours
PHOTO_SECONDS_MAX = 600  # for a photo that is being checked
GIVE_UP_SECONDS = 20 * 3600  # before the row has had its last try: what is given up must stand in the case
DOUBTS_MAX = 2  # as of every row
SAME_PLACE_DEGREES = 0.0002  # some twenty metres: endpoints round
_CONTACT = ("name", "phone", "email")


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Send it, or find that it was sent. Raises SendFailed, Unavailable."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    case = CaseStore(town).load_whole(str(body["reference"]), deadline)
    report = away.load(town, str(body["endpoint"]), str(body["reference"]), now, deadline)
    if case is None or (report is not None and report.is_there):
        return
    surely_not = report is None or (report.state == away.FAILED and not report.doubts)
    if not lifecycle.is_open(case) and surely_not:  # withdrawn before it left
        return
    try:
        _send(here, case, report, str(body["endpoint"]), now, deadline)
    except SendFailed as failure:
        raise _noted(here, case, str(body["endpoint"]), failure, now, deadline) from failure


def endpoint_of(town: Town, identifier: str, deadline: Deadline) -> tuple[Mapping[str, Any], Endpoint]:
    """One of the town's endpoints, and how it is asked. Raises SendFailed."""
    found = open311.endpoint(town.core, identifier)
    if found is None:
        raise SendFailed("no_such_endpoint", retryable=False)
    key = secrets.open311_key(town.slug, found["key"], deadline) if found["key"] else ""
    if key is None:
        raise SendFailed("no_key", retryable=True)
    return found, Endpoint(found["url"], found["format"], found["jurisdiction"] or "", key)


def _send(town: Town, case: Case, report: Report | None, identifier: str, now: float, deadline: Deadline) -> None:
    route = open311.destination(town.core, case)
    if route is None or route[0]["id"] != identifier:
        raise SendFailed("no_longer_sent_there", retryable=False)
    rules, endpoint = endpoint_of(town, identifier, deadline)
    whom = f"open311:{town.slug}:{identifier}"
    pause = breaker.open_until(whom, now)
    if pause is not None:
        raise SendFailed("waits_for_others", retryable=True, after_seconds=pause - now)
    fields, files = _fields(case, rules, route[1]), 0
    if "photos" in rules["share"]:
        links = photos(case, 0, case.created_at, now, deadline)
        if links:  # the standard has room for one
            files, fields["media_url"] = links[0]
    if report is not None and (report.state == away.SENDING or report.doubts):
        found = _look(endpoint, case, route[1], report, now, deadline)
        if found:
            _arrived(town, case, rules, replace(report, number=found), now, deadline)
            return
    sending = report or Report(town.slug, identifier, case.reference, away.SENDING, int(now))
    try:
        sending = replace(sending, state=away.SENDING, error="", files=files, pin=open311.pin(case.place))
        away.save(sending, deadline)
    except Conflict as error:  # another process has it in its hands
        raise SendFailed("conflict", retryable=True) from error
    sending = replace(sending, v=sending.v + 1)
    try:
        taken = open311_client.post(endpoint, fields, deadline)
    except SendFailed as failure:
        _not_arrived(sending, failure, deadline)
        if failure.retryable:
            breaker.failed(whom, now)
        raise
    breaker.succeeded(whom)
    _arrived(town, case, rules, replace(sending, number=taken.id, token=taken.token), now, deadline)


def _not_arrived(sending: Report, failure: SendFailed, deadline: Deadline) -> None:
    """What surely was not taken may be sent again without a look; the rest is one doubt more."""
    if not failure.uncertain and not sending.doubts:
        away.forget(sending, deadline)
        return
    with suppress(Conflict):
        away.save(replace(sending, doubts=sending.doubts + int(failure.uncertain)), deadline)


def _arrived(town: Town, case: Case, rules: Mapping[str, Any], report: Report, now: float, deadline: Deadline) -> None:
    """Its number (or token) there, the case forwarded, and the first look for news: all in one commit."""
    state = away.SENT if report.number else away.WAITING
    look = pass_on.next_look(town.slug, rules["id"], now, rules["minutes"] * 60)
    arrived = replace(report, state=state, told=1)  # it knows how the case was opened

    def beside(changed: Case) -> list[Write]:
        """With what happened to the case meanwhile still to be told."""
        missed = changed.v != case.v or any(open311.to_tell(case.history, 1, open311.actor(rules["id"])))
        return [
            away.item(arrived),
            *([away.numbered(arrived)] if arrived.number else []),
            replace(look, unique=False),
            *([pass_on.of_arrival(town, changed, rules["id"], now)] if missed else []),
        ]

    event = Event(
        int(now),
        open311.actor(rules["id"]),
        status="forwarded" if lifecycle.may(lifecycle.API, case, "forwarded") else "",
        forwarded_to=str(rules["title"]),
        note=f"{rules['title']}: {report.number or report.token}",
    )
    commit(town, case.reference, event, beside, now, deadline)


def commit(
    town: Town, reference: str, event: Event, beside: Callable[[Case], list[Write]], now: float, deadline: Deadline
) -> bool:
    """The event with what belongs to it; False if somebody else has done this very thing. Raises SendFailed."""
    try:
        change_case(town, reference, event, now, token_hex(4), deadline, beside)
    except (Duplicate, NoCase):
        return False
    except NotAllowed as error:  # it was changed at this very moment
        raise SendFailed("conflict", retryable=True) from error
    return True


# --- what is sent, and looked for -------------------------------------------------------------------------------


def _fields(case: Case, rules: Mapping[str, Any], route: Mapping[str, Any]) -> dict[str, str]:
    """The report in the standard's words. Who reported is told as far as the town says."""
    fields = {"service_code": str(route["code"]), "description": _description(case)}
    place = case.place
    if place and place.latitude is not None and place.longitude is not None:
        fields |= {"lat": f"{place.latitude:.6f}", "long": f"{place.longitude:.6f}"}
    if place and place.text:
        fields["address_string"] = place.text
    fields |= {f"attribute[{code}]": value for code, value in _attributes(case, route) if value}
    return fields | contact(case, rules["share"])


def _description(case: Case) -> str:
    """The citizen's words without numbers and their name; our reference, by which it is found again."""
    said = erasing.masked(str(case.fields.get("description", "")), case)
    return f"{said or case.subject} [{case.reference}]"


def _attributes(case: Case, route: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (str(code), str(case.fields.get(f"{case.category}_{question}", "")))
        for question, code in route["attributes"].items()
    ]


def contact(case: Case, shared: list[str]) -> dict[str, str]:
    said = {field: str(case.applicant.get(field, "")) for field in _CONTACT if field in shared}
    name = said.pop("name", "").split()
    names = {"first_name": name[0], "last_name": " ".join(name[1:]) or "-"} if name else {}
    return names | {field: value for field, value in said.items() if value}


def photos(case: Case, start: int, since: float, now: float, deadline: Deadline) -> list[tuple[int, str]]:
    """Links to the checked files from the `start`th on, each with how many files there are up to it. They are ours and
    hold for weeks: nobody knows when an endpoint fetches. Raises SendFailed while a check is worth waiting for."""
    there = [(count, file) for count, file in enumerate(case.attachments, 1) if count > start]
    checked = [(count, file) for count, file in there if file.state == CHECKED]
    if not checked and any(file.state == WAITING for _, file in there) and now < since + PHOTO_SECONDS_MAX:
        raise SendFailed("photo_waits", retryable=True)
    origin = our_links.address(case.tenant, deadline) if checked else ""
    if not origin:
        return []
    key = our_links.key(deadline)
    return [(count, file_links.named(origin, case.tenant, case.reference, file, now, key)) for count, file in checked]


def _look(
    endpoint: Endpoint, case: Case, route: Mapping[str, Any], report: Report, now: float, deadline: Deadline
) -> str:
    """Its number there, "" if it is not there. Raises SendFailed if that cannot be told."""
    if now < report.at + LOOK_AFTER_SECONDS:
        raise SendFailed("looked_at_soon", retryable=True, after_seconds=report.at + LOOK_AFTER_SECONDS - now)
    query = {
        "service_code": str(route["code"]),
        "start_date": str(time(report.at - LOOK_BACK_SECONDS)),
        "end_date": str(time(int(now) + LOOK_BACK_SECONDS)),
    }
    found = open311_client.requests(endpoint, query, deadline)
    return next((said.request for said in found if said.request and _is_ours(said, case)), "")


def _is_ours(said: Said, case: Case) -> bool:
    """By our reference; where an endpoint keeps words back, by the place."""
    if said.description:
        return case.reference in said.description
    place = case.place
    if said.pin is None or place is None or place.latitude is None or place.longitude is None:
        return False
    away_by = max(abs(said.pin[0] - place.latitude), abs(said.pin[1] - place.longitude))
    return away_by <= SAME_PLACE_DEGREES


# --- what failed ------------------------------------------------------------------------------------------------


def _noted(town: Town, case: Case, endpoint: str, failure: SendFailed, now: float, deadline: Deadline) -> SendFailed:
    """The failure as the row is told. One that a person must look at stands in the case's history."""
    report = away.load(town.slug, endpoint, case.reference, now, deadline)
    doubtful = failure.uncertain and report is not None and report.doubts >= DOUBTS_MAX
    too_late = now >= case.created_at + GIVE_UP_SECONDS
    if failure.retryable and not doubtful and not too_late:
        if failure.uncertain:
            failure.after_seconds = max(failure.after_seconds, LOOK_AFTER_SECONDS)
        return failure
    rules = open311.endpoint(town.core, endpoint)
    known_of = report or Report(town.slug, endpoint, case.reference, away.FAILED, int(now))
    failed = away.item(replace(known_of, state=away.FAILED, error=failure.reason))
    said = f"{rules['title'] if rules else endpoint}: {failure.reason}"
    event = Event(int(now), lifecycle.SYSTEM, name=FAILED, note=said)
    with suppress(NoCase, NotAllowed):
        change_case(town, case.reference, event, now, token_hex(4), deadline, lambda _: [failed])
    return SendFailed(failure.reason, retryable=failure.retryable and not too_late, uncertain=failure.uncertain)
