"""Volunteers of one town: by person, and by the areas they are called in. Bounded reads; the profile is the truth.

A profile lies under the person (`T#<town>#P#<person>` / `VOLUNTEER`); beside it small memberships, one an area
(`T#<town>#VOL#<area>` / person), say whom to look at when somebody needs help there. A membership that expired is
absent, and one of a volunteer who is suspended or on a pause says nothing: whoever calls looks at the profile.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from typing import Any

from chalicelib.model import Follower, Voice, Volunteer
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Item, Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
EVERYONE = "*"  # everybody, whatever the area
ANYWHERE = "all"  # those who help in any area
CALLED_MAX = 100  # of one area at once
LISTED_MAX = 500
AREAS_MAX = 20


def load(town: str, at: Follower, deadline: Deadline) -> Volunteer | None:
    """The profile of whoever talks there; one read."""
    person = keys.person(at.account, at.citizen)
    item = dynamo.get(TABLE, keys.person_of(town, person), keys.VOLUNTEER, deadline)
    return _from_item(item) if item else None


def of_area(town: str, area: str, now: float, deadline: Deadline) -> list[Volunteer]:
    """Those who may be called for this area (all of them where a town has no areas); two or three requests."""
    wanted = [EVERYONE] if area == ANYWHERE else [area, ANYWHERE]
    persons = dict.fromkeys(person for each in wanted for person in _members(town, each, now, CALLED_MAX, deadline))
    return _profiles(town, list(persons)[:CALLED_MAX], deadline)


def everyone(town: str, now: float, deadline: Deadline) -> list[Volunteer]:
    """Everybody who was ever approved and has not left."""
    return _profiles(town, _members(town, EVERYONE, now, LISTED_MAX, deadline), deadline)


def items(town: str, volunteer: Volunteer, now: float, was: Collection[str] = ()) -> list[Write]:
    """The profile as the version after its `v`, and where it is called from now on; `was`: areas it had before.

    Its commit raises Conflict if somebody was faster.
    """
    person = keys.person(volunteer.at.account, volunteer.at.citizen)
    member_of = {EVERYONE, *(volunteer.areas[:AREAS_MAX] or (ANYWHERE,))} if volunteer.state != "left" else set()
    profile = {
        "pk": keys.person_of(town, person),
        "sk": keys.VOLUNTEER,
        "shape": SHAPE,
        "v": volunteer.v + 1,
        "body": zlib.compress(json.dumps(_data(volunteer), ensure_ascii=False).encode("utf-8", "replace")),
    }
    memberships = [
        {"pk": keys.volunteers(town, area), "sk": person, "shape": SHAPE}
        | ({} if area in member_of else {"exp": int(now)})
        for area in sorted({*member_of, *was, EVERYONE, *volunteer.areas})
    ]
    return [Write(TABLE, profile, expected_v=volunteer.v), *(Write(TABLE, item) for item in memberships)]


def _members(town: str, area: str, now: float, limit: int, deadline: Deadline) -> list[str]:
    found = dynamo.page(TABLE, None, ("pk", keys.volunteers(town, area)), deadline, sort="sk", limit=limit)
    return [item["sk"] for item in found if item.get("exp", now + 1) > now]


def _profiles(town: str, persons: list[str], deadline: Deadline) -> list[Volunteer]:
    wanted = [(keys.person_of(town, person), keys.VOLUNTEER) for person in persons]
    found = dynamo.batch_get(TABLE, wanted, deadline) if wanted else {}
    return [_from_item(found[key]) for key in wanted if key in found]


def _data(volunteer: Volunteer) -> dict[str, Any]:
    voice = volunteer.voice
    return {
        "id": volunteer.id,
        "name": volunteer.name,
        "at": [volunteer.at.account, volunteer.at.citizen],
        "state": volunteer.state,
        "phone": volunteer.phone,
        "mail": volunteer.mail,
        "linked": volunteer.linked,
        "links": volunteer.links,
        "areas": list(volunteer.areas),
        "days": list(volunteer.days),
        "skills": list(volunteer.skills),
        "voice": [voice.language, voice.script] if voice else None,
        "paused_until": volunteer.paused_until,
    }


def _from_item(item: Item) -> Volunteer:
    data: Mapping[str, Any] = json.loads(zlib.decompress(item["body"]))
    return Volunteer(
        id=data["id"],
        name=data["name"],
        at=Follower(*data["at"]),
        state=data["state"],
        phone=data.get("phone", ""),
        mail=data.get("mail", ""),
        linked=data.get("linked", True),
        links=data.get("links", 0),
        areas=tuple(data.get("areas", ())),
        days=tuple(data.get("days", ())),
        skills=tuple(data.get("skills", ())),
        voice=Voice(*data["voice"]) if data.get("voice") else None,
        paused_until=data.get("paused_until", 0),
        v=item["v"],
    )
