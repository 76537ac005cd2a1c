"""Runs the simulator as a process: `python -m infra.local.simulator --port 9000 --callback http://127.0.0.1:8000`."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from infra import towns
from infra.local.simulator.callbacks import AN_HOUR_OF_REPEATS
from infra.local.simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM. Receipts are reported, as on a real phone with the chat open."""
    told = _parser().parse_args(arguments)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        viber = Simulator(told.callback, port=told.port, towns=told.towns, repeats=AN_HOUR_OF_REPEATS)
    except OSError as error:
        trouble = f"The Viber simulator cannot listen on port {told.port} ({error.strerror})"
        print(f"{trouble}: free the port or choose another.", file=sys.stderr)
        return 1
    viber.behave(report_delivered=True, report_seen=True)
    for name in filter(None, told.accounts.split(",")):
        viber.account(name)
    with viber:
        print(f"Viber simulator on {viber.url}", flush=True)
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port to serve on")
    parser.add_argument(
        "--callback", required=True, help="address of the product; callbacks go to CALLBACK/viber/ACCOUNT"
    )
    parser.add_argument("--accounts", default="", help="accounts to list from the start, separated by commas")
    parser.add_argument("--towns", type=Path, default=towns.root(), help="folder of towns whose accounts are listed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
