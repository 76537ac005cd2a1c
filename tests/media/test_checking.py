"""What is kept of a file is decided by its bytes."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

from chalicelib.actions import check_media
from chalicelib.actions.check_media import NotTaken, checked
from tests.media import samples


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.shows("B51", "F31")
def test_a_photo_is_encoded_anew_without_place_maker_or_notes() -> None:
    taken = samples.photo(exif=True)
    assert samples.CANARY.encode() in taken and opened(taken).getexif().get_ifd(0x8825)
    kept = checked(taken)
    for data in (kept.data, kept.thumbnail):
        assert b"Exif" not in data and samples.CANARY.encode() not in data and b"garden" not in data
        assert not opened(data).getexif()
        assert set(opened(data).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert (kept.media_type, kept.type) == ("image/jpeg", "photo")


@pytest.mark.shows("F31")
def test_a_photo_that_lies_on_its_side_stands_up() -> None:
    kept = opened(checked(samples.photo(1200, 800, turned=True)).data)
    assert kept.size == (800, 1200)
    right, left = kept.getpixel((790, 600)), kept.getpixel((10, 600))
    assert (right[0] > 200, left[2] > 200) == (True, True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_photos_are_brought_to_a_bounded_size_with_a_small_copy(kind: str) -> None:
    kept = checked(samples.photo(5000, 2500, kind=kind))
    assert opened(kept.data).size == (check_media.PHOTO_SIDE_MAX, check_media.PHOTO_SIDE_MAX // 2)
    assert opened(kept.thumbnail).size == (400, 200)
    assert opened(kept.data).format == "JPEG"


def test_a_transparent_picture_stands_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    assert opened(checked(out.getvalue()).data).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.shows("B35", "B51", "B52", "B55", "B56", "B57", "F30")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unknown_type"),
        (b"<html><script>alert(1)</script>", "unknown_type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unknown_type"),
        (b"GIF89a" + bytes(40), "unknown_type"),
        (b"MZ" + bytes(200), "unknown_type"),
        (b"PK\x03\x04" + bytes(200), "unknown_type"),
        (b"%PDF-1.4 without an end", "unknown_type"),
        (samples.box(b"ftyp", b"heic" + bytes(8)) + bytes(64), "heif"),
        (samples.box(b"ftyp", b"avif" + bytes(8)) + bytes(64), "heif"),
        (b"\xff\xd8\xff" + bytes(300), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "damaged"),
        (b"RIFF\x10\x00\x00\x00WEBP" + bytes(300), "damaged"),
        (samples.photo()[:2000], "damaged"),
        (samples.bomb(), "too_many_pixels"),
        (samples.photo(8001, 5000), "too_many_pixels"),
        (samples.photo(4001, 3300, kind="PNG"), "too_many_pixels"),
        (samples.paper()[:-6] + bytes(check_media.FILE_BYTES_MAX) + b"%%EOF", "too_large"),
        (samples.video() + bytes(check_media.VIDEO_BYTES_MAX), "too_large"),
    ],
)
def test_what_is_not_a_photo_a_video_or_a_paper_or_would_harm_is_not_taken(data: bytes, reason: str) -> None:
    with pytest.raises(NotTaken) as refusal:
        checked(data)
    assert refusal.value.reason == reason


@pytest.mark.shows("B55", "F31")
def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    code = (
        "import resource\n"
        "from tests.media import samples\n"
        "from chalicelib.actions.check_media import NotTaken, checked\n"
        "checked(samples.photo(100, 100))\n"
        "bombs = [samples.bomb(), samples.photo(100, 100)]\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    checked(bombs[0])\n"
        "except NotTaken:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20 * 1024  # kB


@pytest.mark.parametrize(("brand", "media_type"), [(b"isom", "video/mp4"), (b"qt  ", "video/quicktime")])
def test_a_video_keeps_its_bytes_but_not_the_place_where_it_was_taken(brand: bytes, media_type: str) -> None:
    taken = samples.video(brand)
    kept = checked(taken)
    assert (kept.media_type, kept.type, len(kept.data)) == (media_type, "video", len(taken))
    assert b"+45.7742" not in kept.data and b"Mira" not in kept.data and b"udta" not in kept.data
    assert b"\x07" * 64 in kept.data and b"tkhd" in kept.data


@pytest.mark.shows("B58")
def test_a_video_whose_boxes_make_no_sense_is_kept_as_it_came() -> None:
    begun = samples.box(b"ftyp", b"mp42" + bytes(8))
    for taken in (begun + b"\xff\xff\xff\xffmoov" + bytes(50), begun + samples.box(b"mdat", bytes(50))):
        assert checked(taken).data == taken


def test_a_paper_is_kept_as_it_is() -> None:
    assert checked(samples.paper()) == check_media.Checked(samples.paper(), "application/pdf")


@pytest.mark.shows("F30")
def test_names_and_headers_decide_nothing() -> None:
    assert checked(samples.photo(kind="PNG")).type == "photo"
    assert checked(samples.video()).type == "video"
