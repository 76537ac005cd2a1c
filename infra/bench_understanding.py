"""`make bench-understanding`: how well messages are understood, measured on a development set, as a table.

The set is JSON lines (`text`, `lang`, `script`, `intent`, `also`?, `tenant`?, `split`); its path comes from
`--messages` or `SALTER_DEV_MESSAGES`. Bounds are chosen on its half `tune`; `check` is the half that counts. Rewrites
what stands below the line "## Figures" of docs/understanding.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold, words
from chalicelib.language.scripts import script_of, to_cyrillic
from chalicelib.understanding.model import OUT_OF_SCOPE
from chalicelib.understanding.understand import Understood, understand
from infra import towns
from infra.train import bare

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "understanding.md"
HEADING = "## Figures"
SOUTH_SLAVIC = ("sr", "bs", "cnr")
ACTIONABLE = ("report.", "help.", "settings.stop", "settings.delete_data", "chat.operator", "case.")
NO_TOWN: Mapping[str, Any] = {}
CONFUSIONS_SHOWN = 25
MILLISECONDS = 1000.0


@dataclass(frozen=True)
class Message:
    text: str
    lang: str
    script: str
    intent: str
    also: tuple[str, ...]
    town: str | None
    split: str

    @property
    def right(self) -> frozenset[str]:
        return frozenset((self.intent, *self.also))

    @property
    def in_scope(self) -> bool:
        return self.intent != OUT_OF_SCOPE


Pair = tuple[Message, Understood]


def messages_path() -> Path | None:
    """Where the development set lies: as the environment says, else beside the repository. It is never inside."""
    named = os.environ.get("SALTER_DEV_MESSAGES")
    return Path(named) if named else next(ROOT.parent.glob("*/nlu/dev.jsonl"), None)


def read(path: Path) -> list[Message]:
    """The development messages."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Message(
            row["text"],
            row["lang"],
            row["script"],
            row["intent"],
            tuple(row.get("also", ())),
            row.get("tenant"),
            row["split"],
        )
        for row in rows
    ]


# --- figures ----------------------------------------------------------------------------------------------------


def top(pairs: Sequence[Pair], many: int = 1, lenient: bool = True) -> float:
    """Share of in-scope messages whose label is among the `many` best."""
    asked = [pair for pair in pairs if pair[0].in_scope]
    return _share(
        any(intent in (each.right if lenient else {each.intent}) for intent, _ in said.intents[:many])
        for each, said in asked
    )


def _share(hits: Iterator[bool] | list[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found) if found else 0.0


def _outcomes(pairs: Sequence[Pair]) -> dict[str, float]:
    """What the issue asks of the decisions; shares of the in-scope or the out-of-scope messages."""
    inside = [pair for pair in pairs if pair[0].in_scope]
    outside = [pair for pair in pairs if not pair[0].in_scope]
    unknown_outside = sum(said.decision == "unknown" for _, said in outside)
    unknown_inside = sum(said.decision == "unknown" for _, said in inside)
    return {
        "top-1": top(pairs, lenient=False),
        "top-1, a second label counts": top(pairs),
        "top-3": top(pairs, 3),
        "answered directly": _share(said.decision == "answer" for _, said in inside),
        "right, or right among at most three offered": _share(_helped(each, said) for each, said in inside),
        "answered directly and wrong": _share(_wrong(each, said) for each, said in inside),
        "wrong actionable intent without asking (of all)": _share(
            _wrong(each, said) and said.intents[0][0].startswith(ACTIONABLE) for each, said in pairs
        ),
        "in scope, called unknown": unknown_inside / max(1, len(inside)),
        "out of scope: recall": unknown_outside / max(1, len(outside)),
        "out of scope: precision": unknown_outside / max(1, unknown_outside + unknown_inside),
        "out of scope, answered directly": _share(said.decision == "answer" for _, said in outside),
    }


def _helped(each: Message, said: Understood) -> bool:
    offered = {"answer": 1, "choose": 3, "unknown": 0}[said.decision]
    return any(intent in each.right for intent, _ in said.intents[:offered])


def _wrong(each: Message, said: Understood) -> bool:
    return said.decision == "answer" and said.intents[0][0] not in each.right


def _language_right(pairs: Sequence[Pair]) -> float:
    """Of the messages of two words and more: the family, and where nothing tells the town's own tongue."""
    spoken = [each for each, _ in pairs if len(words(fold(each.text))) > 1]
    return _share(
        (language_of(each.text) or "sr") == ("sr" if each.lang in SOUTH_SLAVIC else each.lang) for each in spoken
    )


def _script_right(pairs: Sequence[Pair]) -> float:
    return _share(
        (script_of(each.text) or "latin") == ("cyrillic" if each.script == "cyrillic" else "latin") for each, _ in pairs
    )


def _calibration(pairs: Sequence[Pair]) -> list[tuple[str, int, float, float]]:
    """Per bin of the best score: messages, mean score, share that was right (out of scope is never right)."""
    rows = []
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.01)):
        inside = [(each, said) for each, said in pairs if said.intents and low <= said.intents[0][1] < high]
        if inside:
            mean = statistics.mean(said.intents[0][1] for _, said in inside)
            rows.append(
                (
                    f"{low:.2f}–{min(high, 1):.2f}",
                    len(inside),
                    mean,
                    _share(said.intents[0][0] in each.right for each, said in inside),
                )
            )
    return rows


# --- the same words written otherwise ---------------------------------------------------------------------------


def _variants(each: Message) -> dict[str, str]:
    """The message as others would write the same words."""
    forms = {
        "upper case": each.text.upper(),
        "with “!!!”": each.text + "!!!",
        "with an emoji": each.text + " 😀",
        "doubled blanks": each.text.replace(" ", "  "),
        "without diacritics": bare(each.text),
    }
    if each.lang in SOUTH_SLAVIC and each.script != "cyrillic":
        forms["in Cyrillic"] = to_cyrillic(each.text)
    return forms


def _invariance(pairs: Sequence[Pair]) -> dict[str, float]:
    kept: dict[str, list[bool]] = {}
    for each, said in pairs:
        for name, text in _variants(each).items():
            again = understand(text, NO_TOWN)
            kept.setdefault(name, []).append(_first(again) == _first(said))
    return {name: _share(hits) for name, hits in kept.items()}


def _first(said: Understood) -> str:
    return said.intents[0][0] if said.intents else ""


# --- time -------------------------------------------------------------------------------------------------------


def _times(messages: Sequence[Message]) -> dict[str, float]:
    spent = []
    for each in messages:
        began = time.perf_counter()
        understand(each.text, NO_TOWN)
        spent.append((time.perf_counter() - began) * MILLISECONDS)
    spent.sort()
    hard = {"10,000 characters": "voda " * 2000, "one repeated letter": "a" * 10_000, "5,000 emoji": "😀" * 5000}
    figures = {
        "a message, median": statistics.median(spent),
        "a message, 95 of 100 under": spent[int(len(spent) * 0.95)],
        "the slowest message": spent[-1],
        "opening the model in a fresh process": _fresh_load(),
    }
    return figures | {name: _clocked(text) for name, text in hard.items()}


def _clocked(text: str) -> float:
    began = time.perf_counter()
    understand(text, NO_TOWN)
    return (time.perf_counter() - began) * MILLISECONDS


def _fresh_load() -> float:
    code = (
        "import time\nfrom chalicelib.language import detect\n"
        "from chalicelib.understanding.model import platform_model\n"
        "began = time.perf_counter(); platform_model(); detect.language_of('dobar dan')\n"
        "print((time.perf_counter() - began) * 1000)"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        for _ in range(5)
    ]
    return statistics.median(runs)


# --- the report -------------------------------------------------------------------------------------------------


def report(messages: Sequence[Message]) -> Iterator[str]:
    """The figures as Markdown."""
    indexes: dict[str | None, Mapping[str, Any]] = {None: NO_TOWN}
    indexes |= {slug: towns.compiled(slug)["index"] for slug in towns.slugs()}
    pairs = [(each, understand(each.text, indexes.get(each.town, NO_TOWN))) for each in messages]
    halves = {name: [pair for pair in pairs if pair[0].split == name] for name in ("tune", "check")}
    yield f"{platform.machine()}, {os.cpu_count()} shared cores, Python {platform.python_version()}. "
    yield f"{len(pairs)} messages, {sum(each.in_scope for each, _ in pairs)} in scope.\n"
    outcomes = {name: _outcomes(half) for name, half in (*halves.items(), ("all", pairs))}
    yield "| | tune | check | all |\n|---|---|---|---|"
    for name in outcomes["all"]:
        yield f"| {name} | " + " | ".join(f"{outcomes[half][name]:.1%}" for half in ("tune", "check", "all")) + " |"
    yield f"| language, from two words on | | | {_language_right(pairs):.1%} |"
    yield f"| script | | | {_script_right(pairs):.1%} |"
    yield from _by("language", pairs, lambda each: each.lang)
    yield from _by("script (South Slavic)", [p for p in pairs if p[0].lang in SOUTH_SLAVIC], lambda each: each.script)
    yield from _by("intent", pairs, lambda each: each.intent)
    yield from _confusions(pairs)
    yield "\n### How often a score is right\n\n| best score | messages | mean score | right |\n|---|---|---|---|"
    for name, many, mean, right in _calibration(halves["check"]):
        yield f"| {name} | {many} | {mean:.2f} | {right:.2f} |"
    yield "\n### The same message written otherwise keeps its label\n\n| written | kept |\n|---|---|"
    for name, share in _invariance([(each, understand(each.text, NO_TOWN)) for each, _ in pairs]).items():
        yield f"| {name} | {share:.1%} |"
    yield "\n### With every town's words on top\n\n| town | top-1 of all messages | index, kB |\n|---|---|---|"
    for slug in towns.slugs():
        again = [(each, understand(each.text, indexes[slug])) for each in messages]
        size = len(json.dumps(indexes[slug], ensure_ascii=False, separators=(",", ":")).encode()) / 1000
        yield f"| {slug} | {top(again, lenient=False):.1%} | {size:.0f} |"
    yield "\n### Time, milliseconds\n\n| | |\n|---|---|"
    for name, spent in _times(messages).items():
        yield f"| {name} | {spent:.2f} |"


def _by(what: str, pairs: Sequence[Pair], key: Callable[[Message], str]) -> Iterator[str]:
    yield f"\n### By {what}\n\n| {what} | messages | top-1, both halves | top-1, check | top-3 |\n|---|---|---|---|---|"
    for name in sorted({key(each) for each, _ in pairs if each.in_scope}):
        chosen = [pair for pair in pairs if key(pair[0]) == name and pair[0].in_scope]
        checked = [pair for pair in chosen if pair[0].split == "check"]
        shares = (top(chosen, lenient=False), top(checked, lenient=False), top(chosen, 3))
        yield f"| {name} | {len(chosen)} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"


def _confusions(pairs: Sequence[Pair]) -> Iterator[str]:
    wrong = Counter(
        (each.intent, _first(said)) for each, said in pairs if each.in_scope and _first(said) not in each.right
    )
    yield "\n### What was taken for what\n\n| meant | taken for | times |\n|---|---|---|"
    for (meant, taken), times in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:CONFUSIONS_SHOWN]:
        yield f"| {meant} | {taken} | {times} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=Path, default=messages_path())
    parser.add_argument("--print", action="store_true", help="print only; leave the document alone")
    parsed = parser.parse_args()
    if parsed.messages is None or not parsed.messages.is_file():
        print("no development set there: name it with --messages or SALTER_DEV_MESSAGES", file=sys.stderr)
        return 1
    text = "\n".join(report(read(parsed.messages))) + "\n"
    print(text)
    if not parsed.print:
        before = DOCUMENT.read_text(encoding="utf-8").split(HEADING)[0] if DOCUMENT.is_file() else ""
        DOCUMENT.write_text(f"{before}{HEADING}\n\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
