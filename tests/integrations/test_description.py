"""The description of the case API keeps its word: schemathesis asks what it says, and a generated client works.

At a plain run `System` holds every answer that any test gets against the description.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chalice.test import Client
from hypothesis import HealthCheck, given, seed, settings

import app
from chalicelib.actions import clock
from chalicelib.integrations.openapi import OPERATIONS, document
from tests.integrations.system import HOST, System
from tests.product import Product
from tests.world import World

EXAMPLES = 60
EXAMPLES_OF_A_CAMPAIGN = 60
CAMPAIGN_SECONDS = 1200
# What the town's rules refuse is 422 by the contract, however well-formed it is.
REFUSED = ["2xx", "401", "403", "404", "409", "422", "429"]


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    yield System(world.slug)


@pytest.mark.campaign
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", [each.name for each in OPERATIONS])
def test_what_is_asked_as_the_description_says_is_answered_as_it_says(dms: System, name: str) -> None:
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    kept = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
    kept += [checks.response_headers_conformance, checks.response_schema_conformance]
    operation = schemathesis.openapi.from_dict(document()).find_operation_by_id(name)

    @seed(7)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        case.path_parameters["tenant"] = dms.town
        case.validate_response(_answered(dms, case), checks=kept)

    ask()


def _answered(dms: System, case: Any) -> Any:
    """What the product answers to a request of schemathesis, through its own routes in this process."""
    from requests import Request
    from schemathesis.core.transport import Response

    sent = case.as_transport_kwargs(base_url=f"https://{HOST}")
    names = ("method", "url", "headers", "params", "json", "data")
    request = Request(**{name: sent[name] for name in names if sent.get(name) is not None}).prepare()
    parts = urlsplit(str(request.url))
    headers = dict(request.headers) | {"Authorization": f"Bearer {dms.token}", "Host": HOST}
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    with Client(app.app) as client:
        answer = client.http.request(case.method, f"{parts.path}?{parts.query}", headers=headers, body=body)
    told = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(answer.status_code, told, answer.body, request, 0.0, False)


@pytest.mark.campaign
def test_schemathesis_finds_nothing_in_the_product_as_it_runs(product: Product, tmp_path: Path) -> None:
    statuses = json.dumps(REFUSED)
    (tmp_path / "schemathesis.toml").write_text(
        f'[parameters]\n"path.tenant" = "sombor"\n[checks.positive_data_acceptance]\nexpected-statuses = {statuses}\n'
    )
    program = Path(sys.executable).parent / "schemathesis"
    command = [program, "run", f"{product.url}/api/v1/openapi.json", "-H", "Authorization: Bearer local-key-sombor"]
    command += ["--mode", "all", "--max-examples", str(EXAMPLES_OF_A_CAMPAIGN), "--seed", "7", "--no-color"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=CAMPAIGN_SECONDS)
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.campaign
@pytest.mark.skipif(find_spec("openapi_python_client") is None, reason="needs openapi-python-client (requirements-dev)")
def test_a_client_made_from_the_description_files_reads_changes_and_lists(product: Product, tmp_path: Path) -> None:
    described = tmp_path / "openapi.json"
    described.write_bytes(product.get("/api/v1/openapi.json").body)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(described), "--meta", "none"]
    made = subprocess.run(
        [*command, "--output-path", str(tmp_path / "town")],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    script = tmp_path / "use.py"
    script.write_text(USE.replace("URL", product.url))
    used = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (used.returncode, used.stdout.strip()) == (0, "in_progress 1 NotTaken"), used.stdout + used.stderr


USE = """
from town import AuthenticatedClient
from town.api.cases import change_case, file_case, list_cases
from town.models import Applicant, CaseEvent, CaseEventStatusType0, Error, NewCase

client = AuthenticatedClient(base_url="URL", token="local-key-sombor")
filed = file_case.sync("sombor", client=client, body=NewCase(
    subject="Letnja bašta", applicant=Applicant(name="Mira M."), number="klijent 1/26"))
changed = change_case.sync("sombor", filed.reference, client=client, body=CaseEvent(
    status=CaseEventStatusType0.IN_PROGRESS))
page = list_cases.sync("sombor", client=client, number="klijent 1/26")
refused = change_case.sync("sombor", filed.reference, client=client, body=CaseEvent(office="nema"))
assert isinstance(refused, Error), refused
print(changed.status if isinstance(changed.status, str) else changed.status.value, len(page.cases), "NotTaken")
"""
