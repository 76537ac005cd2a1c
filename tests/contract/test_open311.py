"""Open311 over real HTTP, as another town's program would use it; with the published clients, too."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from infra import towns
from tests.media import samples
from tests.product import Product

CLIENTS = ("georeport==0.3.1", "three==0.8.0")
INSTALL_SECONDS_MAX = 300
RUN_SECONDS_MAX = 120
CHECKED_SECONDS_MAX = 30
# `three` was written for Python 2; what it misses is a name that the language renamed.
THREE_RUNS_ON = "import itertools; itertools.ifilter = filter"


def _town() -> tuple[str, dict[str, str]]:
    """A town whose place is known, and a report it takes without a photo, a name or questions."""
    for slug in towns.slugs():
        core = towns.compiled(slug)["core"]
        for service in core["services"].values():
            for problem in service.get("problems", ()) if core["centre"] else ():
                if problem["photo"] != "required" and problem["anonymous"] and not problem["questions"]:
                    pin = {"lat": str(core["centre"]["latitude"]), "long": str(core["centre"]["longitude"])}
                    return slug, {"service_code": problem["id"], **pin}
    raise AssertionError("no town takes reports")


def test_a_photo_goes_in_by_multipart_and_the_case_comes_out_in_both_formats(product: Product) -> None:
    slug, report = _town()
    root, key = f"{product.url}/open311/{slug}/v2", f"local-key-{slug}"
    found = requests.get(f"{root}/services.json", timeout=30)
    assert found.headers["Content-Type"] == "application/json; charset=utf-8"
    assert report["service_code"] in [each["service_code"] for each in found.json()]
    words = {"description": "Рупа < 2 m", "first_name": "Mira", "phone": "+381601234567", "api_key": key}
    files = {"media": ("rupa.jpg", samples.photo(), "image/jpeg")}
    filed = requests.post(f"{root}/requests.json", data=report | words, files=files, timeout=30)
    assert filed.status_code == 201, filed.text
    reference = filed.json()[0]["service_request_id"]
    give_up = time.monotonic() + CHECKED_SECONDS_MAX
    while True:  # until the photo is checked
        shown = requests.get(f"{root}/requests/{reference}.xml", params={"api_key": key}, timeout=30)
        request = ET.fromstring(shown.content).find("request")
        assert request is not None and request.findtext("description") == "Рупа < 2 m"
        if request.findtext("media_url") or time.monotonic() > give_up:
            break
        time.sleep(0.2)
    assert shown.headers["Content-Type"] == "text/xml; charset=utf-8"
    photo = requests.get(str(request.findtext("media_url")), timeout=30)
    assert photo.status_code == 200 and photo.content.startswith(b"\xff\xd8")
    public = requests.get(f"{root}/requests.json", timeout=30)
    assert reference in public.text and "Mira" not in public.text and "601234567" not in public.text
    case = product.get(f"/api/v1/{slug}/cases/{reference}", Authorization=f"Bearer {key}").json
    assert (case["kind"], case["channel"], case["status"]) == ("problem", "open311", "received")
    changed = {"status": "in_progress"}
    assert (
        product.post(f"/api/v1/{slug}/cases/{reference}/events", changed, Authorization=f"Bearer {key}").status == 201
    )
    (update,) = [
        each
        for each in requests.get(f"{root}/servicerequestupdates.json", timeout=30).json()
        if each["service_request_id"] == reference
    ]
    assert update["status"] == "in_progress"
    refused = requests.post(f"{root}/requests.xml", data={"api_key": key}, timeout=30)
    assert refused.status_code == 400
    assert ET.fromstring(refused.content).findtext("error/description") == "service_code was not provided."


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the published clients, apart from our own."""
    home = tmp_path_factory.mktemp("clients")
    subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=INSTALL_SECONDS_MAX)
    install = [home / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *CLIENTS]
    done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
    if done.returncode:
        pytest.skip(f"the published clients cannot be installed here: {done.stderr[-200:]}")
    return home / "bin" / "python"


def _run(python: Path, program: str, /, **values: Any) -> Any:
    """What a program of the clients prints, as JSON."""
    line = [str(python), "-c", program, json.dumps(values)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.campaign
@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_published_client_georeport_reads_services_and_requests(product: Product, python: Path, form: str) -> None:
    slug, report = _town()
    root = f"{product.url}/open311/{slug}/v2"
    body = urlencode(report | {"api_key": f"local-key-{slug}", "description": "Rupa"}).encode()
    filed = product.request(
        "POST", f"/open311/{slug}/v2/requests.json", body, {"Content-Type": "application/x-www-form-urlencoded"}
    )
    reference = filed.json[0]["service_request_id"]
    code = """
import json, sys
from georeport import GeoReport
asked = json.loads(sys.argv[1])
client = GeoReport(asked["root"], jurisdiction=asked["town"], output_format=asked["form"])
several = client.get_service_requests(service_code=asked["code"], status="open")
print(json.dumps({
    "services": [each["service_code"] for each in client.get_service_list()],
    "definition": client.get_service_definition(asked["code"])["service_code"],
    "several": [each["service_request_id"] for each in (several if isinstance(several, list) else [several])],
    "one": client.get_service_request(asked["reference"]),
}))
"""
    asked = {"root": root, "town": slug, "form": form, "code": report["service_code"], "reference": reference}
    said = _run(python, code, **asked)
    assert report["service_code"] in said["services"] and said["definition"] == report["service_code"]
    assert reference in said["several"]
    assert said["one"]["service_request_id"] == reference and said["one"]["status"] == "open"
    assert float(said["one"]["lat"]) == pytest.approx(float(report["lat"]))


@pytest.mark.campaign
def test_the_published_client_three_files_with_a_photo_and_reads_it_back(
    product: Product, python: Path, tmp_path: Path
) -> None:
    slug, report = _town()
    photo = tmp_path / "rupa.jpg"
    photo.write_bytes(samples.photo())
    code = (
        THREE_RUNS_ON
        + """
import json, sys
from three import Three
asked = json.loads(sys.argv[1])
town = Three(asked["root"], api_key=asked["key"], jurisdiction=asked["town"])
with open(asked["photo"], "rb") as photo:
    filed = town.post(asked["code"], description="Rupa", name="Mira Anic", phone="060111", media=photo,
                      **asked["pin"], address="Trg 1")
with open(asked["photo"], "rb") as photo:
    refused = Three(asked["root"], api_key="wrong").post(asked["code"], media=photo, **asked["pin"])
reference = filed[0]["service_request_id"]
print(json.dumps({
    "filed": reference, "refused": refused, "discovery": town.discovery(),
    "services": [each["service_code"] for each in town.services()],
    "definition": town.services(asked["code"]),
    "requests": town.requests(asked["code"], status="open", count=200),
    "between": town.requests(between=["01-01-2020", "02-01-2020"]),
    "one": town.request(reference), "token": town.token(reference),
}))
"""
    )
    asked = {"root": f"{product.url}/open311/{slug}/v2", "town": slug, "key": f"local-key-{slug}", "photo": str(photo)}
    pin = {"lat": report["lat"], "long": report["long"]}
    said = _run(python, code, **asked, code=report["service_code"], pin=pin)
    reference = said["filed"]
    assert said["refused"][0]["code"] == 403
    assert said["discovery"]["endpoints"][0]["url"].endswith(f"/open311/{slug}/v2/")
    assert report["service_code"] in said["services"]
    assert said["definition"]["service_code"] == report["service_code"]
    assert reference in [each["service_request_id"] for each in said["requests"]]
    assert said["between"] == []
    assert said["one"][0]["address"] == "Trg 1" and "Mira" not in json.dumps(said["one"])
    assert said["token"] == [{"service_request_id": reference, "token": reference}]
    case = product.get(f"/api/v1/{slug}/cases/{reference}", Authorization=f"Bearer {asked['key']}").json
    assert len(case["attachments"]) == 1
