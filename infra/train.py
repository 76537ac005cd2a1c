"""`make train`: the platform's phrases → `chalicelib/understanding/model.bin`, the same bytes from the same phrases.

One ridge regression against all intents over TF-IDF weighted pieces of words (`understanding/features.py`), solved by
conjugate gradients; weights that say little are dropped, the rest kept in eight bits. Home side only: needs numpy.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chalicelib.language.folding import fold, words
from chalicelib.understanding import model as stored
from chalicelib.understanding.features import features
from chalicelib.understanding.phrases import platform_phrases
from chalicelib.understanding.rules import KEYWORDS

Matrix = Any  # numpy's array types say little and cost much here


@dataclass(frozen=True)
class Settings:
    """What was chosen on the development set's tuning half."""

    ridge: float = 0.25
    balance: float = 0.5
    rounds: int = 40
    rare_max: int = 2
    keep_weight: float = 0.03
    keyword_weight: float = 1.0


@dataclass(frozen=True)
class Example:
    text: str
    label: str
    weight: float = 1.0
    phrase: bool = True  # as somebody says it; a keyword is only part of what is said


def examples_of(phrases: dict[str, dict[str, list[str]]], settings: Settings) -> list[Example]:
    """Every phrase, and every keyword as a phrase of its own."""
    found = []
    for label, entry in phrases.items():
        for language, texts in entry.items():
            weight = settings.keyword_weight if language == KEYWORDS else 1.0
            found += [Example(text.replace("*", ""), label, weight, language != KEYWORDS) for text in texts]
    return found


class Sparse:
    """Rows of (feature, value), with the two products ridge regression needs."""

    def __init__(self, rows: Sequence[dict[int, float]], columns: int) -> None:
        self.shape = (len(rows), columns)
        self._column = np.fromiter((column for row in rows for column in row), np.int32)
        self._value = np.fromiter((value for row in rows for value in row.values()), np.float32)
        lengths = np.fromiter((len(row) for row in rows), np.int64)
        self._start = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        row_of: Matrix = np.repeat(np.arange(len(rows)), lengths)
        order = np.argsort(self._column, kind="stable")
        self._row_by_column, self._value_by_column = row_of[order], self._value[order]
        self._column_start = np.searchsorted(self._column[order], np.arange(columns))

    def times(self, weights: Matrix) -> Matrix:
        return np.add.reduceat(weights[self._column] * self._value[:, None], self._start)

    def transposed_times(self, targets: Matrix) -> Matrix:
        return np.add.reduceat(targets[self._row_by_column] * self._value_by_column[:, None], self._column_start)


def ridge(rows: Sparse, targets: Matrix, settings: Settings) -> Matrix:
    """Weights that minimise the squared error plus `ridge` times their own square, one column a label."""
    solution = np.zeros((rows.shape[1], targets.shape[1]), np.float32)
    residual = rows.transposed_times(targets)
    direction, square = residual.copy(), (residual * residual).sum(0)
    for _ in range(settings.rounds):
        image = rows.transposed_times(rows.times(direction)) + settings.ridge * direction
        step = square / np.maximum((direction * image).sum(0), 1e-12)
        solution += step * direction
        residual -= step * image
        following = (residual * residual).sum(0)
        direction = residual + following / np.maximum(square, 1e-12) * direction
        square = following
    return solution


# --- features → rows --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vocabulary:
    """Features that occur often enough, with their rarity as it will be stored."""

    columns: dict[str, int]
    rarities: list[int]

    def row(self, text: str) -> dict[int, float]:
        """The unit vector of a text, as the run time computes it."""
        found = {}
        for feature, times in Counter(features(words(fold(text)))).items():
            column = self.columns.get(feature)
            if column is not None:
                found[column] = self.rarities[column] * stored.RARITY_STEP * (1.0 + float(np.log(times)))
        length = sum(value * value for value in found.values()) ** 0.5 or 1.0
        return {column: value / length for column, value in found.items()}


def vocabulary_of(examples: Sequence[Example], settings: Settings) -> Vocabulary:
    seen: Counter[str] = Counter()
    for example in examples:
        seen.update(set(features(words(fold(example.text)))))
    kept = sorted(feature for feature, count in seen.items() if count > settings.rare_max)
    rarities = [1.0 + float(np.log((1 + len(examples)) / (1 + seen[feature]))) for feature in kept]
    return Vocabulary(
        {feature: column for column, feature in enumerate(kept)},
        [min(255, round(rarity / stored.RARITY_STEP)) for rarity in rarities],
    )


# --- training ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    labels: list[str]
    vocabulary: Vocabulary
    weights: Matrix  # features × labels
    bias: Matrix
    wholes: dict[int, int]  # checksum of a short phrase → its label


def train(examples: Sequence[Example], settings: Settings) -> Trained:
    """Examples of a label with many weigh less each, so that no label wins by being talked about most."""
    labels = sorted({example.label for example in examples})
    vocabulary = vocabulary_of(examples, settings)
    many = Counter(example.label for example in examples)
    middle = float(np.median(list(many.values())))
    force = [(example.weight * (middle / many[example.label]) ** settings.balance) ** 0.5 for example in examples]
    constant = len(vocabulary.columns)
    rows = []
    for example, weight in zip(examples, force, strict=True):
        row = vocabulary.row(example.text) | {constant: 1.0}
        rows.append({column: value * weight for column, value in row.items()})
    targets: Matrix = np.zeros((len(examples), len(labels)), np.float32)
    for number, (example, weight) in enumerate(zip(examples, force, strict=True)):
        targets[number, labels.index(example.label)] = weight
    solved = ridge(Sparse(rows, constant + 1), targets, settings)
    return Trained(labels, vocabulary, solved[:-1], solved[-1], whole_phrases(examples, labels))


def whole_phrases(examples: Sequence[Example], labels: Sequence[str]) -> dict[int, int]:
    """Phrases of few words, which a message may repeat word by word."""
    short: dict[int, int] = {}
    for example in examples:
        ordered = words(fold(example.text))
        if example.phrase and ordered and len(ordered) <= stored.WHOLE_WORDS_MAX:
            short.setdefault(stored.key_of(" ".join(ordered)), labels.index(example.label))
    return dict(sorted(short.items()))


def packed(trained: Trained, settings: Settings, extra: dict[str, Any]) -> bytes:
    """The trained weights as the run time reads them."""
    from array import array

    step = float(np.abs(trained.weights).max()) / 127
    small = np.abs(trained.weights) < settings.keep_weight
    eighths = np.where(small, 0, np.round(trained.weights / step)).astype(int)
    entries = []
    for feature, column in trained.vocabulary.columns.items():
        kept = [(int(label), int(eighths[column, label])) for label in np.flatnonzero(eighths[column])]
        entries.append((stored.key_of(feature), trained.vocabulary.rarities[column], kept))
    entries.sort()
    keys, starts, rarities = array("I"), array("I", [0]), array("B")
    labels, weights = array("B"), array("b")
    for key, rarity, kept in entries:
        if keys and key == keys[-1]:
            continue  # two features of one checksum: the first speaks for both
        keys.append(key)
        rarities.append(rarity)
        labels.extend(label for label, _ in kept)
        weights.extend(weight for _, weight in kept)
        starts.append(len(labels))
    head = extra | {
        "labels": trained.labels,
        "bias": [round(float(value), 5) for value in trained.bias],
        "step": step,
        "rarest": max(trained.vocabulary.rarities) * stored.RARITY_STEP,
    }
    wholes, meant = array("I", trained.wholes), array("B", trained.wholes.values())
    return stored.pack(head, [keys, starts, rarities, labels, weights, wholes, meant])


# --- languages --------------------------------------------------------------------------------------------------

LANGUAGE_RIDGE = 0.3
LANGUAGE_RARE_MAX = 3
LANGUAGE_BYTE_MAX = 127
LANGUAGE_KEEP_UNITS = 8


COMMON_TEXTS = "bot"


def language_examples(phrases: dict[str, dict[str, list[str]]]) -> list[Example]:
    """Phrases and the bot's common texts by family, each as written and without its marks. Not every text we have: what
    a sheet or a page says is no more like what citizens write, and would weigh more than they do."""
    from chalicelib.language import catalogue
    from chalicelib.language.detect import FAMILIES

    texts: list[tuple[str, str]] = []
    for entry in phrases.values():
        texts += [(language, text) for language, lines in entry.items() if language in FAMILIES for text in lines]
    for name in catalogue.names():
        loaded = catalogue.load(name)
        family = loaded["language"]["id"] if loaded["language"]["id"] in FAMILIES else "sr"
        for value in catalogue.texts_in(COMMON_TEXTS, name).values():
            texts += [(family, text) for text in ([value] if isinstance(value, str) else value.values())]
    return [Example(text, family) for family, text in texts] + [Example(bare(text), family) for family, text in texts]


def bare(text: str) -> str:
    """As typed without marks: č as c, đ as dj, ü as u."""
    import unicodedata

    plain = text.replace("đ", "dj").replace("Đ", "Dj").replace("ß", "ss")
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))


def train_languages(examples: Sequence[Example]) -> bytes:
    from chalicelib.language import detect

    bags = [(Counter(detect.pieces(example.text)), example) for example in examples]
    seen = Counter(piece for bag, _ in bags for piece in bag)
    columns = {
        piece: number for number, piece in enumerate(sorted(p for p, n in seen.items() if n > LANGUAGE_RARE_MAX))
    }
    many = Counter(example.label for example in examples)
    rows, targets = [], []
    for bag, example in bags:
        known = {columns[piece]: float(times) for piece, times in bag.items() if piece in columns}
        if known:
            force = (len(examples) / many[example.label] / len(detect.FAMILIES)) ** 0.5
            length = sum(known.values()) ** 0.5
            rows.append({column: value / length * force for column, value in known.items()})
            targets.append([force if family == example.label else 0.0 for family in detect.FAMILIES])
    weights = ridge(
        Sparse(rows, len(columns)), np.array(targets, np.float32), Settings(ridge=LANGUAGE_RIDGE, rounds=60)
    )
    weights -= weights.mean(1, keepdims=True)
    step = float(np.abs(weights).max()) / LANGUAGE_BYTE_MAX
    units = np.round(weights / step).astype(int)
    kept = {
        piece: tuple(int(unit) for unit in units[column]) for piece, column in columns.items() if units[column].any()
    }
    return detect.pack(step, kept)


# --- the command ------------------------------------------------------------------------------------------------


def made() -> tuple[bytes, bytes]:
    """The two files, from the phrases as they stand: intents and languages."""
    from chalicelib.understanding.phrases import digest, emergency_rules

    phrases, settings = platform_phrases(), Settings()
    extra = {"digest": digest(), "dangers": emergency_rules()}
    model = packed(train(examples_of(phrases, settings), settings), settings, extra)
    return model, train_languages(language_examples(phrases))


def main() -> int:
    """Writes both files, or with `--check` says whether they are those the phrases make."""
    from chalicelib.language import detect
    from chalicelib.understanding.phrases import digest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the model was made from these phrases")
    if parser.parse_args().check:
        fresh = stored.platform_model().head["digest"] == digest()
        print("the model is made from these phrases" if fresh else "the phrases are newer than the model: `make train`")
        return 0 if fresh else 1
    for path, content in zip((stored.PATH, detect.PATH), made(), strict=True):
        written = path.with_suffix(".part")
        written.write_bytes(content)
        written.replace(path)
        print(
            f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}: {len(content) / 1000:.0f} kB"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
