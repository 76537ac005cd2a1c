"""A document requested of the product as `make run` starts it, by web chat and by Viber, and read back over the API."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable

import boto3
import pytest

from infra.local import stack
from tests import dump
from tests.contract.test_web_chat import Chat
from tests.product import ROOT, Product
from tests.viber import message

TOWN = "sombor"
NUMBER = "1203975656006"
SLIP = "1203975656007"
STORY = [
    "Hoću da naručim izvod rođenih za mene, 2 primerka",
    "Ana Anić",
    "preskoči",
    "12. 3. 1975.",
    "Sombor",
    "Mira i Jovan Anić",
    "preskoči",
    SLIP,
    NUMBER,
    "domaći",
    "za školu",
    "na šalteru",
    "preskoči",
    "pošalji",
]
REFERENCE = re.compile(r"SO-[A-Z0-9]{4}-[A-Z0-9]{3}")


def by_web(product: Product) -> str:
    chat = Chat(product, TOWN)
    answers = [chat.post(text=text).json["messages"] for text in STORY]
    assert "kontrolna cifra" in answers[STORY.index(SLIP)][-1]["text"]
    assert answers[STORY.index(SLIP)][-1]["ask"] == "personal_number"
    return str(answers[-1][-1]["text"])


def by_viber(product: Product) -> str:
    citizen = f"citizen-{os.urandom(6).hex()}=="
    for text in STORY:
        body = json.dumps(message(citizen, text), ensure_ascii=False).encode()
        signature = hmac.new(f"local-viber-token-{TOWN}".encode(), body, hashlib.sha256).hexdigest()
        answer = product.post(f"/viber/{TOWN}", body, **{"X-Viber-Content-Signature": signature})
        assert answer.status == 200
    return next(item for item in _stored(product) if citizen in item and REFERENCE.search(item))


@pytest.mark.parametrize("talk", [by_web, by_viber])
def test_a_request_is_read_back_with_its_number_masked_and_the_number_is_nowhere(
    product: Product, talk: Callable[[Product], str]
) -> None:
    found = REFERENCE.search(talk(product))
    assert found
    told = product.get(f"/api/v1/{TOWN}/cases/{found[0]}", Authorization=f"Bearer {_key(product)}").json
    assert (told["kind"], told["category"], told["status"], told["office"]) == (
        "document",
        "birth",
        "received",
        "maticar",
    )
    assert (told["fields"]["holder"], told["fields"]["copies"]) == ("Ana Anić", 2)
    assert told["fields"]["personal_number"] == "•••"
    stored = _stored(product)
    assert any(found[0] in item for item in stored)
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in product.run.glob("*.log")]
    assert logs
    for secret in (NUMBER, SLIP):
        assert [item for item in [*stored, *logs, *product.lines] if secret in item] == []


def _key(product: Product) -> str:
    """A key of the town's office system, made as a platform admin makes one."""
    command = [sys.executable, "-m", "infra.cli", "apikey", "new", TOWN, "--scope", "cases:read", "--stage", "local"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SALTER_", "VIBER_"))}
    environment = ours | {"DATA": str(product.data)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _stored(product: Product) -> list[str]:
    """Every item of every table of the running stack as text, packed bodies opened."""
    running = stack.read(product.run)
    assert running is not None
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=running.environment["AWS_ENDPOINT_URL"],
        region_name=running.environment.get("AWS_REGION", "eu-central-1"),
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return [dump.text(item) for _, item in dump.stored(dynamodb, "local")]
