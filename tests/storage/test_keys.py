"""The town is in every key of a town's: no two have one in common."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from chalicelib.storage import keys

TOWNS = ("slug", "town")
# What functions of the keys are given beside the town, by the arguments' names; the others are words.
GIVEN: dict[str, Any] = {"version": 1, "first_row": 1, "number": "1/26", "seq": 1}
OF_TOWNS = {
    name: function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if function.__module__ == keys.__name__ and set(inspect.signature(function).parameters) & set(TOWNS)
}


def spelt(name: str, town: str) -> Any:
    """What the function says for a town, and for the same everything else."""
    names = inspect.signature(OF_TOWNS[name]).parameters
    return OF_TOWNS[name](**{each: town if each in TOWNS else GIVEN.get(each, "T/primer/media/x/y") for each in names})


@pytest.mark.shows("T6")
@pytest.mark.parametrize("name", OF_TOWNS)
def test_two_towns_have_no_key_in_common(name: str) -> None:
    ours, theirs = spelt(name, "primer"), spelt(name, "novigrad")
    assert ours != theirs
    if isinstance(ours, str):
        assert "primer" in ours.removesuffix("/media/x/y") and "novigrad" not in ours
