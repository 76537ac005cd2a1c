"""`make run` from its first line to its last process."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.local import aws as local_aws
from infra.local import processes, stack
from tests.product import ROOT, Product

pytestmark = pytest.mark.alone
LONG = pytest.mark.campaign

READY_SECONDS_MAX = 10.0
STOPPED_SECONDS_MAX = 15.0
GONE_TIMEOUT_SECONDS = 5.0
BURST = 40
BURST_SECONDS_MAX = 5.0
KEY = {"pk": {"S": "T#nobody"}, "sk": {"S": "NOW"}}
TOWN = min(folder.parent.name for folder in (ROOT / "tenants").glob("*/tenant.yaml"))
WORDS = "Dobar dan"

Make = Callable[..., Product]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Products of the test's own; whatever is left of them at the end is taken down."""
    made: list[Product] = []

    def one(data: Path = tmp_path / "data", **rest: Any) -> Product:
        made.append(Product(data, **rest))
        return made[-1]

    yield one
    for product in made:
        product.kill()
        for name, word in (("app", "infra.local.serve"), ("simulator", "infra.local.simulator")):
            if left := processes.recorded(product.run / f"{name}.pid", word):
                processes.stop(left, timeout_seconds=GONE_TIMEOUT_SECONDS)
        if embedded := local_aws.adopt(product.run):
            local_aws.stop(product.run, embedded)


def embedded_aws(product: Product) -> local_aws.Aws:
    running = local_aws.adopt(product.run)
    assert running is not None
    return running


def pids_of(product: Product) -> list[int]:
    return [product.pid("run"), product.pid("app"), product.pid("simulator"), embedded_aws(product).pid]


def write_as_a_citizen(product: Product) -> str:
    """Say something on the web chat of the first town there is; the token of that session."""
    opened = product.post(f"/chat/{TOWN}/sessions", {})
    token = str(opened.json["token"])
    said = product.post(f"/chat/{TOWN}/messages", {"id": "one", "type": "text", "text": WORDS}, **bearer(token))
    assert said.status == 200, said.text
    return token


def remembers(product: Product, token: str) -> bool:
    """Whether the conversation still holds what the citizen said."""
    kept = product.get(f"/chat/{TOWN}/messages", **bearer(token)).json["messages"]
    return WORDS in [message["text"] for message in kept]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("order", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=LONG)])
def test_it_is_ready_in_seconds_and_gone_without_a_trace(make: Make, order: signal.Signals) -> None:
    product = make()
    product.start()
    ready = next(line for line in product.lines if line.startswith("ready"))
    seconds = re.match(r"ready in ([0-9.]+) s", ready)
    assert seconds and float(seconds[1]) < READY_SECONDS_MAX
    assert any(f"{product.url}/local/" in line for line in product.lines)
    assert product.get("/health").json["status"] == "ok"

    pids = pids_of(product)
    assert all(processes.alive(pid) for pid in pids)
    asked = time.monotonic()
    assert product.stop(order) == 0
    assert time.monotonic() - asked < STOPPED_SECONDS_MAX
    assert not [pid for pid in pids if processes.alive(pid)]
    assert not listens(product.port)
    assert not list(product.run.glob("*.pid"))


@pytest.mark.parametrize("after_seconds", [pytest.param(0.3, marks=LONG), 0.8, pytest.param(1.6, marks=LONG)])
def test_it_can_be_stopped_while_it_starts(make: Make, after_seconds: float) -> None:
    product = make()
    product.launch()
    time.sleep(after_seconds)
    assert product.stop() in (0, -signal.SIGTERM)  # before Python listens to signals it simply dies
    assert local_aws.adopt(product.run) is None
    assert not list(product.run.glob("*.pid"))
    assert not listens(product.port)


@pytest.mark.shows("F1")
def test_a_killed_app_leaves_the_embedded_aws_and_the_next_run_adopts_it_with_its_data(make: Make) -> None:
    product = make()
    product.start()
    token = write_as_a_citizen(product)
    before, simulator = embedded_aws(product), product.pid("simulator")

    os.kill(product.pid("app"), signal.SIGKILL)
    again = make(port=product.port)
    again.start()  # at once: it waits for the first to see that its app is gone
    assert product.wait(STOPPED_SECONDS_MAX) == 1
    assert not processes.alive(simulator)
    assert embedded_aws(again) == before
    assert remembers(again, token)
    assert again.get("/health").status == 200
    assert again.stop() == 0
    assert not processes.alive(before.pid)


@LONG
def test_what_a_killed_supervisor_left_is_stopped_by_the_next_run(make: Make) -> None:
    product = make()
    product.start()
    token = write_as_a_citizen(product)
    left = [product.pid("app"), product.pid("simulator")]
    os.kill(product.pid("run"), signal.SIGKILL)
    product.wait(GONE_TIMEOUT_SECONDS)
    assert all(processes.alive(pid) for pid in left)

    again = make(port=product.port)
    again.start()
    assert not [pid for pid in left if processes.alive(pid)]
    assert remembers(again, token)


def test_data_survive_a_clean_restart_when_they_have_a_directory(make: Make) -> None:
    product = make()
    product.start()
    product.post("/local/clock", {"now": "2026-03-10T10:15:00+01:00"})
    token = write_as_a_citizen(product)
    product.stop()

    again = make()
    again.start()
    assert remembers(again, token)
    assert again.get("/local/clock").json["now"].startswith("2026-03-10")


def test_nothing_is_kept_without_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.local` of the checkout belongs to whoever works in it, so this is asked of the settings alone."""
    monkeypatch.delenv("DATA", raising=False)
    assert stack.data_directory() == stack.DEFAULT_DATA
    run = tmp_path / "run"
    first = local_aws.start(run)
    local_aws.ensure_stack(first.endpoint, "local")
    local_aws.client("dynamodb", first.endpoint).put_item(TableName="salter-local-people", Item=KEY)
    local_aws.stop(run, first)
    second = local_aws.start(run)
    try:
        assert local_aws.client("dynamodb", second.endpoint).list_tables()["TableNames"] == []
    finally:
        local_aws.stop(run, second)


def test_a_port_in_use_is_said_in_one_line(make: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        product = make(port=taken.getsockname()[1])
        product.launch()
        assert product.wait(STOPPED_SECONDS_MAX) == 1
    (line,) = product.lines
    assert f"port {product.port} is in use" in line
    assert local_aws.adopt(product.run) is None


@pytest.mark.parametrize("port", ["abc", "0", "70000"])
def test_a_port_that_is_none_is_said_in_one_line(make: Make, port: str) -> None:
    product = make()
    product.launch(PORT=port)
    assert product.wait(STOPPED_SECONDS_MAX) == 1
    (line,) = product.lines
    assert f"PORT={port} is not a port" in line


@LONG
def test_a_second_run_on_the_same_data_is_refused_and_the_first_goes_on(make: Make) -> None:
    first = make()
    first.start()
    second = make()
    second.launch()
    assert second.wait(STOPPED_SECONDS_MAX) == 1
    (line,) = second.lines
    assert "runs already" in line
    assert first.get("/health").status == 200


@LONG
def test_with_another_viber_the_built_in_one_stays_away(make: Make) -> None:
    product = make(VIBER_API_URL="http://127.0.0.1:1/pa")
    product.start()
    assert not (product.run / "simulator.pid").exists()
    assert any("http://127.0.0.1:1/pa" in line for line in product.lines)
    assert "Viber simulator" not in product.get("/local/").text


def test_an_app_that_cannot_start_is_said_with_the_end_of_its_log(make: Make, tmp_path: Path) -> None:
    """A module that cannot be imported, say: the reason stands on the screen, and nothing stays behind."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "chalice.py").write_text("raise ImportError('no chalice here')\n")
    product = make(PYTHONPATH=str(broken))
    product.launch()
    assert product.wait(READY_SECONDS_MAX * 2) == 1
    assert any("no chalice here" in line for line in product.lines)
    assert local_aws.adopt(product.run) is None
    assert not list(product.run.glob("*.pid"))


def test_a_burst_of_connections_is_answered_at_once(product: Product) -> None:
    """More of them than the accept queue of Python's own server holds: its kernel would let the sixth wait a second."""
    with ThreadPoolExecutor(BURST) as clients:
        begun = time.monotonic()
        answers = list(clients.map(lambda _: product.get("/health").status, range(BURST)))
        assert time.monotonic() - begun < BURST_SECONDS_MAX
    assert answers == [200] * BURST
