"""What acts cost in requests and units, counted on the embedded AWS: part of `make bench`.

Writes infra/counts.json, with which `./salter cost` counts, and the table in docs/performance.md. With --check it only
compares. The scenes, what was promised for each and the meter are the tests' own. Counts do not depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, write_block

COUNTS = Path(__file__).with_name("counts.json")
STAGE = "test"  # the scenes' own
SLUG = "proba-0123456789"  # as long as the towns of tests, for names are part of an item's size


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare with what is written down, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        running = local_aws.start(Path(folder))
        try:
            local_aws.ensure_stack(running.endpoint, STAGE)
            environment = local_aws.process_environment(running.endpoint, STAGE)
            os.environ.clear()
            os.environ.update(environment)
            return _counted(check)
        finally:
            local_aws.stop(Path(folder), running)


def _counted(check: bool) -> int:
    from chalicelib import wire
    from tests import scenes
    from tests.viber import FakeViber
    from tests.world import World

    viber = FakeViber()
    world = World(SLUG, viber)
    wire.taps.append(world.meter)
    counted = scenes.counts(world, world.meter)
    viber.stop()
    print(scenes.table(counted))
    wrong = scenes.complaints(counted)
    if check:
        wrong += scenes.differences(counted, written())
    elif not wrong:
        COUNTS.write_text(counted.written(), encoding="utf-8")
        write_block(PERFORMANCE, "counts", scenes.table(counted))
    for complaint in wrong:
        print(f"MISSED {complaint}", file=sys.stderr)
    return 1 if wrong else 0


def written() -> dict[str, Any]:
    """The counts as they are written down."""
    found: dict[str, Any] = json.loads(COUNTS.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
