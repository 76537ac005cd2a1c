"""The shipped model: made from the phrases as they stand, small, quick to open, and the same every time."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest

from chalicelib.language import detect
from chalicelib.language.folding import fold, words
from chalicelib.understanding import model
from chalicelib.understanding.features import features
from chalicelib.understanding.model import OUT_OF_SCOPE
from chalicelib.understanding.phrases import digest, platform_phrases
from chalicelib.understanding.rules import KEYWORDS
from infra import bench_understanding
from tests.understanding.near_copies import near_copies, plain

ROOT = Path(__file__).resolve().parents[2]
MODEL_BYTES_MAX = 512 * 1024
OWN_PHRASES_SHARE_MIN = 0.97


def test_the_model_is_made_from_the_phrases_as_they_stand() -> None:
    assert model.platform_model().head["digest"] == digest(), "the phrases are newer than the model: run `make train`"


def test_the_model_is_small_where_it_travels_which_is_packed() -> None:
    assert len(zlib.compress(model.PATH.read_bytes(), 9)) <= MODEL_BYTES_MAX
    assert len(zlib.compress(detect.PATH.read_bytes(), 9)) <= MODEL_BYTES_MAX // 2


def test_understanding_needs_no_library() -> None:
    code = (
        "import sys; from chalicelib.understanding.understand import understand; understand('zdravo', {})\n"
        "print(*{name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"chalicelib", "__main__"}


def test_the_platforms_own_phrases_lead_to_their_intents() -> None:
    shipped = model.platform_model()
    right = []
    for intent, entry in platform_phrases().items():
        for language, texts in entry.items():
            for text in texts if language != KEYWORDS and intent != OUT_OF_SCOPE else ():
                figures, _ = model.score(shipped, words(fold(text)))
                right.append(shipped.names[figures.index(max(figures))] == intent)
    assert sum(right) / len(right) >= OWN_PHRASES_SHARE_MIN


def _feature_by_feature(shipped: model.Model, ordered: list[str]) -> list[float]:
    """What a score is by definition."""
    met = [(shipped.rows.get(model.key_of(one)), times) for one, times in Counter(features(ordered)).items()]
    known = [(row, shipped.rarities[row] * (1 + math.log(times))) for row, times in met if row is not None]
    unit = shipped.head["step"] / (math.sqrt(sum(value * value for _, value in known)) or 1.0)
    totals = list(shipped.head["bias"])
    for row, value in known:
        for place in range(shipped.starts[row], shipped.starts[row + 1]):
            totals[shipped.labels[place]] += value * unit * shipped.weights[place]
    return totals


@pytest.mark.parametrize(
    "text", ["nema vode", "da da da li li", "voda vode vodi vodu", "", "qqqq", "x" * 300, "nema vode nema struje nema"]
)
def test_a_score_is_what_its_features_add_up_to_whether_or_not_the_words_were_met_before(text: str) -> None:
    shipped, ordered = model.unpack(model.PATH.read_bytes()), words(fold(text))
    expected = _feature_by_feature(shipped, ordered)
    for _ in range(2):
        assert model.score(shipped, ordered)[0] == pytest.approx(expected, abs=1e-12)


def test_a_process_keeps_so_many_words_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "PARTS_KEPT_MAX", 10)
    shipped = model.unpack(model.PATH.read_bytes())
    for number in range(50):
        model.score(shipped, [f"rec{number}"])
        assert len(shipped.kept) <= 10


def test_no_phrase_stands_under_two_intents() -> None:
    seen: dict[str, str] = {}
    twice = [
        (text, intent, seen[plain(text)])
        for intent, entry in platform_phrases().items()
        for language, texts in entry.items()
        for text in (texts if language != KEYWORDS else ())
        if seen.setdefault(plain(text), intent) != intent
    ]
    assert twice == []


def test_training_again_gives_the_same_bytes() -> None:
    from infra.train import Example, Settings, packed, train

    examples = [
        Example(text, label)
        for label, texts in {"a": ["voda curi", "nema vode"], "b": ["rupa", "velika rupa"]}.items()
        for text in texts
    ]
    settings = Settings(rare_max=0)
    first, again = (packed(train(examples, settings), settings, {}) for _ in range(2))
    assert first == again
    tiny = model.unpack(first)
    figures, known = model.score(tiny, words(fold("rupa")))
    assert tiny.names[figures.index(max(figures))] == "b"
    assert known == 1.0


def test_a_model_of_another_shape_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "SHAPE", model.SHAPE + 1)
    with pytest.raises(ValueError, match="make train"):
        model.unpack(model.PATH.read_bytes())


def test_no_phrase_is_a_copy_or_near_copy_of_a_development_message() -> None:
    """Everyday phrases of one or two words that the set was made beside ("hvala", "porez") are nobody's copy."""
    path = bench_understanding.messages_path()
    if path is None or not path.is_file():
        pytest.skip("the development set is not on this machine (SALTER_DEV_MESSAGES)")
    messages = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    given = _given(path.with_name("training.yaml"))
    phrases = [
        text
        for entry in platform_phrases().values()
        for language, texts in entry.items()
        for text in texts
        if language != KEYWORDS and not (plain(text) in given and plain(text).count(" ") < 2)
    ]
    assert list(near_copies(phrases, messages)) == []


def _given(path: Path) -> set[str]:
    """The phrases the development set was made beside, if they lie there."""
    import yaml

    return (
        {plain(text) for text in _texts(yaml.safe_load(path.read_text(encoding="utf-8")))} if path.is_file() else set()
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inside for text in _texts(each)]
