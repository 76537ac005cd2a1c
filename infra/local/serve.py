"""The app process of the local stack: the product's own `app` with the `/local/*` conveniences, over HTTP.

It is Chalice's local server, threaded, with two differences: no access log (it would hold citizens' links) and no
Nagle's algorithm, which costs a keep-alive client 44 ms an answer.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalDevServer,
    LocalGateway,
    ThreadedHTTPServer,
    create_local_server,
)

from infra.local import pumps, routes
from infra.local.aws import HOST
from infra.local.stack import ROOT, STAGE

ACCEPT_QUEUE = 128
HTTP_API = "http"  # ENTRY: requests come in as through an HTTP API instead of a REST API
IN_FLIGHT_TIMEOUT_SECONDS = 4.0
IN_FLIGHT_POLL_SECONDS = 0.02


def main() -> int:
    """Serve until SIGTERM, then let the requests under way end."""
    arguments = _arguments()
    import app as product  # the module a Lambda function loads; from the repository's root, our working directory

    stop = threading.Event()
    for order in (signal.SIGTERM, signal.SIGINT):
        signal.signal(order, lambda *_: stop.set())

    routes.register(product.app, run=arguments.run, simulator=arguments.simulator)
    config = chalice_config(ROOT)
    if os.environ.get("ENTRY") == HTTP_API:
        from infra.local.http_api import HttpApi

        QuietHandler.gateway = HttpApi
    server = make_server(product.app, config, arguments.port)
    pumps.start(
        product.ring_doorbell,
        product.publish_town,
        product.every_minute,
        config=config,
        queue_url=os.environ["SALTER_DOORBELL_URL"],
        publish_url=os.environ["SALTER_PUBLISH_URL"],
        stop=stop,
    )
    threading.Thread(target=server.server.serve_forever, name="http", daemon=True).start()
    stop.wait()
    server.server.shutdown()
    _wait_for_requests_under_way()
    return 0


def chalice_config(root: Path) -> Config:
    """Chalice's own settings for stage `local`: the time-outs and sizes the functions have on AWS."""
    file = root / ".chalice" / "config.json"
    return Config(chalice_stage=STAGE, config_from_disk=json.loads(file.read_text()) if file.exists() else {})


def make_server(app: Chalice, config: Config, port: int) -> LocalDevServer:
    """Chalice's local server, listening but not serving yet."""
    served = create_local_server(
        app, config, HOST, 0
    )  # makes `current_request` each thread's own; its port is not used
    served.server.server_close()
    return LocalDevServer(app, config, HOST, port, handler_cls=QuietHandler, server_cls=PatientServer)


class PatientServer(ThreadedHTTPServer):
    """Holds a burst of new connections instead of letting the kernel refuse the sixth."""

    request_queue_size = ACCEPT_QUEUE


class QuietHandler(ChaliceRequestHandler):
    """Writes no access log, answers without Nagle's delay, and counts the requests under way."""

    disable_nagle_algorithm = True
    gateway: type[LocalGateway] = LocalGateway
    under_way = 0
    _counting = threading.Lock()

    def __init__(
        self, request: Any, client_address: tuple[str, int], server: Any, app_object: Chalice, config: Config
    ) -> None:
        self.local_gateway = self.gateway(app_object, config)
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the path may hold a token."""

    def _generic_handle(self) -> None:
        with self._counting:
            QuietHandler.under_way += 1
        try:
            super()._generic_handle()
        finally:
            with self._counting:
                QuietHandler.under_way -= 1

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle
    do_TRACE = do_QUERY = _generic_handle  # methods no route knows are 405 like any other, not 501


def _wait_for_requests_under_way() -> None:
    give_up = time.monotonic() + IN_FLIGHT_TIMEOUT_SECONDS
    while QuietHandler.under_way and time.monotonic() < give_up:
        time.sleep(IN_FLIGHT_POLL_SECONDS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.serve")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--run", type=Path, required=True, help="directory of pid files and logs")
    parser.add_argument("--simulator", help="address of the Viber simulator, if one runs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
