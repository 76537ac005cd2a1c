"""What every test may ask for: the embedded AWS with our stack in it, a town nobody else uses, the product running.

The environment of stage `test` is set before any test module is imported, because the tables take their names from it.
Nothing listens at the embedded AWS's port until the first test asks for `aws`.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from infra.local import aws as local_aws
from tests.product import Product

pytest_plugins = ["tests.turns", "tests.shows", "tests.logs"]

STAGE = "test"
LETTERS = str.maketrans("0123456789", "ghijkmnpqr")
AWS_PORT = local_aws.free_port()


def _end_in_order(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment of stage `test`, free of whatever the developer's own shell says about AWS."""
    environment = local_aws.process_environment(f"http://{local_aws.HOST}:{AWS_PORT}", STAGE)
    os.environ.clear()
    os.environ.update(environment)
    # How long made-up input takes tells of the machine alone; what must be quick measures that itself.
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")
    # A time-out ends us by SIGTERM; as an interrupt it still takes down what the fixtures started.
    signal.signal(signal.SIGTERM, _end_in_order)


def fresh_slug() -> str:
    """Letters alone: digits by chance look like a phone number to whoever reads the log."""
    return f"proba-{uuid.uuid4().hex[:10].translate(LETTERS)}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is quicker while little is stored comes first."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_aws.Aws]:
    """The embedded AWS, one for all tests of a session, with the one stack in it for stage `test`."""
    run = tmp_path_factory.mktemp("aws")
    running = local_aws.start(run, port=AWS_PORT)
    try:
        local_aws.ensure_stack(running.endpoint, STAGE)
        yield running
    finally:
        local_aws.stop(run, running)


@pytest.fixture
def town_slug() -> str:
    """The slug of a town, and the name of an account, that no other test of this session knows."""
    return fresh_slug()


@pytest.fixture(scope="session")
def product_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product as `make run` starts it, on a port and with data of its own, shared by black-box tests."""
    running = Product(tmp_path_factory.mktemp("product"))
    running.start()
    try:
        yield running
    finally:
        running.stop()
    from tests import logs

    assert logs.strange_in_files(running.run) == []  # after every journey that any test made with it


@pytest.fixture(scope="session")
def product(product_of_all: Product) -> Product:
    """The same, by the name that a folder of tests may give a narrower sense."""
    return product_of_all
