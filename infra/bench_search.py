"""`make bench-search`: how long staff wait for a search in a town of 10,000 cases, on the embedded AWS.

Prints a table and writes it into docs/performance.md. Ten words a case, drawn from 6,000 of which some are common, as
in real talk; wall time of the whole search, the cases read and judged, nothing drawn.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, write_block

STAGE = "bench"
WORDS, WORDS_A_CASE = 6000, 10
FLATTENED_BY = 6  # the commonest word stands in about a quarter of the cases
EVERYWHERE = "legalizacija"  # in a town's busiest office every case is of one matter
FIRST = 1_773_140_400
ROUNDS = 7


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        running = local_aws.start(Path(folder))
        try:
            local_aws.ensure_stack(running.endpoint, STAGE)
            os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
            table = _measured(asked.cases)
        finally:
            local_aws.stop(Path(folder), running)
    print(table)
    if not asked.dry:
        write_block(PERFORMANCE, "search", table)
    return 0


def _measured(count: int) -> str:
    from chalicelib.actions import find_case, index_case
    from chalicelib.cases import lifecycle, references
    from chalicelib.console import permissions
    from chalicelib.model import Case, Staff, Voice
    from chalicelib.storage import dynamo, search
    from chalicelib.storage.cases import CaseStore
    from chalicelib.wire import Deadline
    from infra import towns
    from infra.proofs import town_of

    town = town_of(towns.compiled(towns.slugs()[0]))
    chance, store, soon = random.Random(1), CaseStore(town.slug), Deadline(1e6)
    vocabulary = _vocabulary(chance)
    weights = [1 / (rank + FLATTENED_BY) for rank in range(WORDS)]  # as words are spread in real talk
    used: Counter[str] = Counter()
    last: Case | None = None
    began = time.perf_counter()
    for number in range(count):
        words = chance.choices(vocabulary, weights, k=WORDS_A_CASE)
        used.update(set(words))
        case = lifecycle.opened(
            Case(
                tenant=town.slug,
                reference=references.reference(town.core["prefix"], chance.randbytes(10)),
                kind="administrative",
                status="received",
                subject=" ".join([EVERYWHERE, *words[2:]]),
                created_at=FIRST + number * 60,
                updated_at=FIRST + number * 60,
                number=f"{number}/26",
                voice=Voice("sr"),
                applicant={"name": " ".join(words[:2]), "phone": f"06{chance.randrange(10**7):08d}"},
            ),
            "api:bench",
        )
        search.write_first(town.slug, index_case.entries(town, case), soon)
        writes = [write.item for write in store.items_for_new(case, soon, indexed=True)]
        dynamo.batch_write("cases", writes, (), soon)
        last = replace(case, v=1)
    filled = time.perf_counter() - began
    assert last is not None
    common, rare = used.most_common(2), [word for word, times in used.items() if times == 1]
    middle = min(used, key=lambda word: abs(used[word] - 300))
    kinds = {
        "reference": last.reference,
        "file number": last.number,
        "phone as dialled here": last.applicant["phone"],
        "phone, last five digits": last.applicant["phone"][-5:],
        "one rare word": rare[0],
        f"a word of {used[middle]} cases": middle,
        f"the commonest word ({common[0][1]} cases)": common[0][0],
        f"two common words ({common[0][1]} and {common[1][1]} cases)": f"{common[0][0]} {common[1][0]}",
        f"a word of all {count} cases": EVERYWHERE,
        "that and a common one": f"{EVERYWHERE} {common[0][0]}",
        "a common word and one nobody has": f"{common[0][0]} qwertzuiop",
    }
    person = Staff(town.slug, "bench", "bench", "admin")
    rows = []
    for name, written in kinds.items():
        times, found = [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = len(find_case.find(town, person, permissions.sees, written, soon).cases)
            times.append((time.perf_counter() - began) * 1000)
        rows.append(f"| {name} | {found} | {statistics.median(times):.0f} | {max(times):.0f} |")
    head = (
        f"{count:,} cases, {len(used):,} words; {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; filled in {filled:.0f} s; {ROUNDS} rounds each.\n\n"
        "| searched | on the page | median, ms | slowest, ms |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _vocabulary(chance: random.Random) -> Sequence[str]:
    made: dict[str, None] = {}
    while len(made) < WORDS:
        made["".join(chance.choice("bcdgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))] = (
            None
        )
    return list(made)


if __name__ == "__main__":
    sys.exit(main())
