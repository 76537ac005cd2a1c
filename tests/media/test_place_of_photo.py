"""A photo that says where it was taken: the place is proposed for the report, and used only if the citizen says so."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest
from PIL.TiffImagePlugin import IFDRational

from chalicelib.actions import photo_place
from chalicelib.actions.sweep import sweep
from chalicelib.model import Case, Place
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Call, CallFailed, Deadline, Reply
from tests.dump import objects
from tests.media import samples
from tests.media.test_journey import uploads
from tests.taps import tapped
from tests.web import Visitor
from tests.world import World

HERE = (45.775, 19.11222)
PROPOSED = "Na fotografiji je zapisano mesto"
ASKED = "Gde je problem?"
HOLE = "Velika rupa na putu, propada točak"


def degrees(*parts: Any) -> tuple[IFDRational, ...]:
    return tuple(part if isinstance(part, IFDRational) else IFDRational(part) for part in parts)


def sent(visitor: Visitor, data: bytes, media_type: str = "image/jpeg") -> dict[str, Any]:
    """The answer to a photo that is sent with a report that lacks its place."""
    visitor.says(HOLE)
    return visitor.posts(type="attachment", attachment=uploads(visitor, data, media_type))[-1]


def filed(world: World) -> Case:
    (case,) = CaseStore(world.slug).changed_page(5, Deadline(20)).cases
    return case


@pytest.mark.shows("F31")
def test_the_place_in_a_photo_is_proposed_and_taken_when_the_citizen_says_yes(world: World) -> None:
    visitor = Visitor(world)
    answer = sent(visitor, samples.photo(exif=True) + bytes(200_000))  # only its beginning is looked at
    assert PROPOSED in answer["text"] and answer["ask"] == "choice"
    labels = {choice["label"]: choice["id"] for choice in answer["choices"]}
    yes = visitor.chooses(labels["Da, to je mesto"])[-1]
    assert "mesto označeno na mapi" in yes["text"]
    visitor.chooses("form.send")
    assert filed(world).place == Place("", *HERE)
    sweep(world.now)
    (photo,) = filed(world).attachments
    body = boto3.client("s3").get_object(Bucket=os.environ["SALTER_MEDIA_BUCKET"], Key=photo.key)["Body"].read()
    assert photo.state == "checked" and b"Exif" not in body
    assert "45.775" not in "".join(f"{place} {text}" for place, text in objects(world.slug) if "/media/" in place)


@pytest.mark.parametrize("said", ["da", "ne", "Drugo mesto"])
@pytest.mark.shows("F31")
def test_words_answer_the_proposal_and_another_place_is_asked_for_as_ever(world: World, said: str) -> None:
    visitor = Visitor(world)
    assert PROPOSED in sent(visitor, samples.photo(exif=True))["text"]
    answer = visitor.says(said)[-1]
    if said == "da":
        assert "mesto označeno na mapi" in answer["text"]
        return
    assert ASKED in answer["text"] and not any("photo" in choice["id"] for choice in answer["choices"])
    assert "Venac 3" in visitor.says("Venac 3")[-1]["text"]
    visitor.chooses("form.send")
    assert filed(world).place == Place("Venac 3")


def test_another_place_typed_at_once_is_the_answer_and_a_photo_first_is_asked_about_later(world: World) -> None:
    visitor = Visitor(world)
    first = visitor.posts(type="attachment", attachment=uploads(visitor, samples.photo(exif=True), "image/jpeg"))
    assert PROPOSED not in first[-1]["text"]
    assert PROPOSED in visitor.says(HOLE)[-1]["text"]
    assert "Venac 3" in visitor.says("Venac 3")[-1]["text"]
    visitor.chooses("form.send")
    assert filed(world).place == Place("Venac 3")


NOWHERE: dict[str, dict[int, object]] = {
    "null island": {2: degrees(0, 0, 0), 4: degrees(0, 0, 0)},
    "not a number": {2: degrees(IFDRational(0, 0), 46, 30)},
    "no angle": {4: degrees(19, 66, 44)},
    "no such latitude": {2: degrees(4_000_000_000, 46, 30)},
    "no side": {3: "Q"},
    "the telephone doubts it": {31: IFDRational(5000)},
}


@pytest.mark.shows("F31")
@pytest.mark.parametrize("place", NOWHERE.values(), ids=NOWHERE)
def test_what_can_be_no_place_is_none(place: dict[int, object]) -> None:
    assert photo_place.place_in(samples.photo(60, 40, exif=True, place=place)) is None


@pytest.mark.shows("F31")
def test_a_place_outside_the_town_is_not_proposed(world: World) -> None:
    photo = samples.photo(60, 40, exif=True, place={2: degrees(44, 49, 0), 4: degrees(20, 27, 0)})
    assert photo_place.place_in(photo) == (44.81667, 20.45)
    assert ASKED in sent(Visitor(world), photo)["text"]


class _Silent:
    """A bucket that hands out nothing."""

    def before(self, call: Call) -> None:
        if (call.service, call.operation) == ("s3", "GetObject"):
            raise CallFailed("no answer", sent=True)

    def after(self, call: Call, reply: Reply) -> None:
        """What was answered stays as it is."""


def test_without_a_place_a_readable_beginning_or_time_nothing_is_proposed(world: World) -> None:
    taken = samples.photo(exif=True)
    cut = taken.index(b"Exif")
    for data in (b"", taken[: cut + 20], taken[: cut + 60], taken.replace(b"MM\0*", b"MM\0+"), b"\xff\xd8" * 900):
        assert photo_place.place_in(data) is None
    assert photo_place.place_in(taken) == HERE
    assert ASKED in sent(Visitor(world), samples.photo())["text"]

    with tapped(_Silent()):
        assert ASKED in sent(Visitor(world), taken)["text"]


def test_every_flip_of_a_byte_in_the_exif_says_a_place_or_none(world: World) -> None:
    taken = bytearray(samples.photo(60, 40, exif=True))
    for at in range(2, taken.index(b"\xff\xdb")):
        for value in (0, 255, taken[at] ^ 1):
            changed = bytes(taken[:at]) + bytes([value]) + bytes(taken[at + 1 :])
            found = photo_place.place_in(changed)
            assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)
