"""The platform's model: made by `infra/train.py`, shipped beside this file, opened once per process. Pure Python.

File: a length, a packed JSON head (labels, danger rules, digest), then plain arrays: the package is zipped. A
feature is known by its CRC-32; it has a rarity and a few (label, weight) pairs in eight bits.
"""

from __future__ import annotations

import json
import math
import struct
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.understanding import features as shape

SHAPE = 2
OUT_OF_SCOPE = "out_of_scope"
PATH = Path(__file__).parent / "model.bin"
RARITY_STEP = 1 / 16
_LENGTH = struct.Struct("<I")
_ARRAYS = "IIBBbIB"  # keys, starts, rarities, labels, weights; whole phrases and their labels
WHOLE_WORDS_MAX = 8
PARTS_KEPT_MAX = 1024
LANE_BYTES = 4  # an array's "I"
# Stands for nothing. A part's sum is less, and as many parts as a message can have do not fill a lane.
LANE_MIDDLE = 2**22


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a message adds to its score: the keys of its features, the squares of their rarities, and each
    label's sum of rarity times weight, all in one number with a lane for each label, so that parts are simply added."""

    keys: Sequence[int]
    squares: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt: see `score`. `alarms`: the rules of every danger, in order. `kept`: parts met lately, for people
    use few words, and those again and again."""

    head: Mapping[str, Any]
    rows: Mapping[int, int]
    starts: Sequence[int]
    rarities: Sequence[int]
    labels: Sequence[int]
    weights: Sequence[int]
    wholes: Mapping[int, int]
    alarms: Sequence[str] = ()
    kept: dict[str, Part] = field(default_factory=dict, compare=False)

    @property
    def names(self) -> list[str]:
        return list(self.head["labels"])

    def rarity(self, feature: str) -> float:
        """How telling a feature is; one never seen is as telling as the rarest."""
        row = self.rows.get(key_of(feature))
        return float(self.head["rarest"]) if row is None else self.rarities[row] * RARITY_STEP


def key_of(feature: str) -> int:
    return zlib.crc32(feature.encode())


def whole(model: Model, ordered: Sequence[str]) -> str | None:
    """The intent of which the message, of WHOLE_WORDS_MAX words at most, is a phrase word by word."""
    number = model.wholes.get(key_of(" ".join(ordered))) if len(ordered) <= WHOLE_WORDS_MAX else None
    return None if number is None else str(model.head["labels"][number])


def score(model: Model, ordered: Sequence[str]) -> tuple[list[float], float]:
    """One figure a label (about 0..1) for a message's folded words, and the share of the message the model knows."""
    parts = [model.kept.get(part) or _part(model, part) for part in shape.parts(ordered)]
    met = Counter([key for part in parts for key in part.keys])
    squares = float(sum([part.squares for part in parts]))
    sums = _sums(parts, len(model.head["bias"]))
    for row, times in _repeated(model, met):
        rarity, counted = model.rarities[row], 1.0 + math.log(times)
        squares += rarity * rarity * (counted * counted - times)
        for place in range(model.starts[row], model.starts[row + 1]):
            sums[model.labels[place]] += (counted - times) * rarity * model.weights[place]
    unit = model.head["step"] / (math.sqrt(squares) or 1.0)
    totals = [bias + unit * each for bias, each in zip(model.head["bias"], sums, strict=True)]
    return totals, sum(map(model.rows.__contains__, met)) / len(met) if met else 0.0


def _sums(parts: Sequence[Part], labels: int) -> list[float]:
    """Each label's sum over the parts."""
    lanes = array("I", sum([part.lanes for part in parts]).to_bytes(labels * LANE_BYTES, sys.byteorder))
    above = LANE_MIDDLE * len(parts)
    return [each - above for each in lanes]


def _lanes(sums: Mapping[int, int], labels: int) -> int:
    middle = [LANE_MIDDLE] * labels
    for label, each in sums.items():
        middle[label] += each
    return int.from_bytes(array("I", middle).tobytes(), sys.byteorder)


def _repeated(model: Model, met: Mapping[int, int]) -> list[tuple[int, int]]:
    """Known features that occur more than once, which then count less each time, and how often they occur."""
    return [(model.rows[key], times) for key, times in met.items() if times > 1 and key in model.rows]


def _part(model: Model, part: str) -> Part:
    keys = array("I", map(key_of, shape.of(part)))
    squares, sums = 0, dict[int, int]()
    for row in [model.rows[key] for key in keys if key in model.rows]:
        rarity = model.rarities[row]
        squares += rarity * rarity
        for place in range(model.starts[row], model.starts[row + 1]):
            label = model.labels[place]
            sums[label] = sums.get(label, 0) + rarity * model.weights[place]
    made = Part(keys, squares, _lanes(sums, len(model.head["bias"])))
    if len(model.kept) >= PARTS_KEPT_MAX:
        model.kept.clear()
    model.kept[part] = made
    return made


@lru_cache(maxsize=1)
def platform_model() -> Model:
    """The shipped model, read on first use."""
    return unpack(PATH.read_bytes())


def pack(head: Mapping[str, Any], arrays: Iterable[array[int]]) -> bytes:
    """The file's bytes; the same content gives the same bytes."""
    written = list(arrays)
    head = dict(head) | {"shape": SHAPE, "features": shape.VERSION, "counts": [len(each) for each in written]}
    top = zlib.compress(json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(), 9)
    return _LENGTH.pack(len(top)) + top + b"".join(each.tobytes() for each in written)


def unpack(data: bytes) -> Model:
    length = _LENGTH.unpack_from(data)[0]
    head = json.loads(zlib.decompress(data[_LENGTH.size : _LENGTH.size + length]))
    if (head["shape"], head["features"]) != (SHAPE, shape.VERSION):
        raise ValueError("model.bin is of another shape than this code reads: run `make train`")
    end, arrays = _LENGTH.size + length, []
    for code, count in zip(_ARRAYS, head["counts"], strict=True):
        values = array(code)
        start, end = end, end + count * values.itemsize
        values.frombytes(data[start:end])
        arrays.append(values)
    dangers = head.get("dangers", {}).values()
    for rules in dangers:
        for written in rules.values():
            written.sort()  # as they are looked up
    alarms = sorted({rule for rules in dangers for rule in rules["words"]})
    keys, starts, rarities, labels, weights, wholes, meant = arrays
    rows = dict(zip(keys, range(len(keys)), strict=True))
    return Model(head, rows, starts, rarities, labels, weights, dict(zip(wholes, meant, strict=True)), alarms)
