"""The unpacked zip stands on its own: an interpreter with nothing else on its path runs it, as on Lambda."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra.bare import api_event, invoke


@pytest.fixture(scope="module")
def healthy(unpacked: Path) -> Any:
    """The answer to `GET /health`."""
    return invoke(unpacked, api_event("GET", "/health"))


def test_the_unpacked_zip_answers_an_event_of_api_gateway(healthy: Any) -> None:
    assert healthy["answers"][0]["statusCode"] == 200
    assert json.loads(healthy["answers"][0]["body"])["status"] == "ok"
    assert json.loads(healthy["answers"][0]["body"])["stage"] == "bare"


def test_nothing_outside_the_zip_and_the_standard_library_is_imported(healthy: Any, unpacked: Path) -> None:
    homes = (str(unpacked), f"{sys.base_prefix}/lib/python{sys.version_info.major}.{sys.version_info.minor}/")
    strangers = [file for file in healthy["files"] if not file.startswith(homes) or "site-packages" in file]
    assert not strangers


def test_the_byte_code_of_the_package_is_where_the_interpreter_looks_for_it(healthy: Any) -> None:
    assert Path(healthy["cached"]).exists()


def test_a_path_nobody_serves_is_refused_by_the_packaged_app(unpacked: Path) -> None:
    answer = invoke(unpacked, api_event("POST", "/health"))["answers"][0]
    assert answer["statusCode"] == 405
