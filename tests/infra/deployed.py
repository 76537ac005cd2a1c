"""The product as production has it: the package deployed as a whole, behind the API Gateway of the embedded AWS."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from infra import deploy, package
from infra.local import aws as local_aws
from tests.infra import viber_server

STAGE = "packaged"
TOKEN = "packaged-viber-token-of-nobody"
MAIL_FROM = "salter@packaged.example"
REQUEST_SECONDS_MAX = 30
COMMAND_SECONDS_MAX = 60


@dataclass(frozen=True)
class Answer:
    """What the deployed product answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Deployed:
    """The product behind the API Gateway of the embedded AWS."""

    endpoint: str
    installation: deploy.Installation
    viber: viber_server.Viber
    town: str
    entry: str = "rest"

    @property
    def url(self) -> str:
        """The API's address: the embedded AWS serves each under a path of its own."""
        if self.entry == "http":
            return f"{self.endpoint}/_aws/execute-api/{self.installation.outputs['HttpApiId']}/$default/"
        return f"{self.endpoint}/restapis/{self.installation.outputs['RestAPIId']}/api/_user_request_/"

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request from outside."""
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def callback(self, body: bytes, token: str = TOKEN) -> Answer:
        """Viber calls."""
        signed = viber_server.signature(body, token)
        return self.request("POST", f"viber/{self.town}", body, X_Viber_Content_Signature=signed)

    def invoke(self, output: str, event: dict[str, Any]) -> Any:
        """Call the function that the output names, as AWS would; its answer."""
        name = self.installation.outputs[output]
        answer = local_aws.client("lambda", self.endpoint).invoke(FunctionName=name, Payload=json.dumps(event).encode())
        said = answer["Payload"].read()
        assert "FunctionError" not in answer, said
        return json.loads(said or b"null")


def command(*words: str) -> None:
    """One act of the platform admin's command line on the deployed stage."""
    line = [sys.executable, "-m", "infra.cli", *words, "--stage", STAGE]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SALTER_")}
    done = subprocess.run(
        line,
        cwd=package.ROOT,
        env=environment | {"SALTER_STAGE": STAGE},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
