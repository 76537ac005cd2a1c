"""Everything of a town is found without a scan, and what the bucket gives up is gone with all its versions."""

from __future__ import annotations

import inspect
import uuid
from typing import Any

import boto3
import pytest

from chalicelib.storage import aws as storage
from chalicelib.storage import keys, whole
from chalicelib.wire import Deadline

SOON = Deadline(1e6)
# Partitions of indexes: they lead to items that stand under other keys. And what is the platform's.
OF_INDEXES = {"open_cases", "desk", "month", "citizens_cases", "audience", "register", "day"}
THE_PLATFORMS = {"sign_in_tries", "used_code"}  # under the platform's own name, for an address may work anywhere


def _families() -> dict[str, str]:
    """The third part of every key that begins with a town, by the function that spells it."""
    found = {}
    for name, spell in inspect.getmembers(keys, inspect.isfunction):
        if name in OF_INDEXES | THE_PLATFORMS or "town" not in inspect.signature(spell).parameters:
            continue
        made = spell(*("grad" if each == "town" else "x" for each in inspect.signature(spell).parameters))
        if isinstance(made, str) and made.startswith("T#grad"):
            found[name] = (made.split("#") + [""])[2]
    return found


def test_every_family_of_keys_says_how_it_is_found_when_a_towns_data_is_taken_out_or_away() -> None:
    spelt = _families()
    assert len(spelt) > 25
    missing = {name for name, family in spelt.items() if family not in whole.FAMILIES}
    assert not missing, "name it in whole.FAMILIES, let whole.everything find it, and live it in test_town_data.lives"


@pytest.mark.shows("D3")
def test_what_the_product_takes_away_is_gone_with_all_its_versions(aws: Any) -> None:
    s3, bucket = boto3.client("s3"), f"versions-{uuid.uuid4().hex[:10]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    mine, beside = "T/grad/media/a b/ć", "T/grad/media/a b/ć.jpg"
    for key, body in ((mine, b"1"), (mine, b"2"), (beside, b"3")):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    s3.delete_object(Bucket=bucket, Key=mine)  # by hand: a mark, and the versions below it
    storage.delete_object(bucket, mine, SOON)
    left = s3.list_object_versions(Bucket=bucket)
    assert [found["Key"] for found in (*left.get("Versions", ()), *left.get("DeleteMarkers", ()))] == [beside]
    storage.delete_object(bucket, beside, SOON)
    storage.delete_object(bucket, beside, SOON)
    assert storage.versions(bucket, "T/", SOON) == []
