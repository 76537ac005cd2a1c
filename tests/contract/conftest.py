"""The public contract holds through both doors: as a REST API hands requests over, and as an HTTP API does."""

from collections.abc import Iterator

import pytest

from tests.product import Product

DOORS = ["rest", pytest.param("http", marks=pytest.mark.campaign)]


@pytest.fixture(scope="session", params=DOORS)
def product(
    request: pytest.FixtureRequest, product_of_all: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """The product with requests coming in by one door; the other one runs in the campaign."""
    if request.param == "rest":
        yield product_of_all
        return
    running = Product(tmp_path_factory.mktemp("http-api"), ENTRY=request.param)
    running.start()
    try:
        yield running
    finally:
        running.stop()
