"""The unpacked zip run by an interpreter with nothing else on its path, as Lambda runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RUN_SECONDS_MAX = 60
BARE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"

MINUTE_EVENT = {
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "version": "0",
    "id": "00000000-0000-4000-8000-000000000003",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {},
}

NOWHERE = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_LAMBDA_FUNCTION_NAME": "salter-bare-api",
    "SALTER_STAGE": "bare",
    "SALTER_DOORBELL_URL": "http://127.0.0.1:9/123456789012/salter-bare-doorbell",
    "SALTER_PUBLISH_URL": "http://127.0.0.1:9/123456789012/salter-bare-publish",
    "SALTER_MEDIA_BUCKET": "salter-bare-media-123456789012",
    "SALTER_KEY_ID": "none",
    "VIBER_API_URL": "http://127.0.0.1:9/pa",
}

INVOKE = """
import json, sys
handler, *paths = sys.argv[1:]
sys.path[:0] = paths
import app

class Context:
    function_name = "salter-bare-api"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:salter-bare-api"
    memory_limit_in_mb = 1024
    aws_request_id = "00000000-0000-4000-8000-000000000000"
    log_group_name = "/aws/lambda/salter-bare-api"
    log_stream_name = "bare"

    def get_remaining_time_in_millis(self):
        return 10_000

answers = [getattr(app, handler)(event, Context()) for event in json.load(sys.stdin)]
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
print("ANSWER" + json.dumps({"answers": answers, "files": files, "cached": app.__spec__.cached}))
"""


def api_event(method: str, path: str, *, route: str | None = None, **fields: Any) -> dict[str, Any]:
    """What API Gateway hands to the function of a REST API; `route` is the pattern that the path matched."""
    return {
        "resource": route or path,
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "example.execute-api.eu-central-1.amazonaws.com"},
        "multiValueHeaders": {"Host": ["example.execute-api.eu-central-1.amazonaws.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route or path,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "requestId": "00000000-0000-4000-8000-000000000001",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
        },
        "body": None,
        "isBase64Encoded": False,
    } | fields


def invoke(
    task: Path, *events: dict[str, Any], handler: str = "app", layer: Path | None = None, **environment: str
) -> Any:
    """Import app.py of the unpacked zip without site-packages and let a handler answer the events, one after another.

    `layer` is the unpacked layer of those handlers that have one.

    Unless the environment says otherwise no AWS is reachable: what needs none must answer without it.
    """
    paths = [str(task), *([str(layer / "python")] if layer else [])]
    done = subprocess.run(
        [str(BARE_PYTHON), "-S", "-s", "-E", "-B", "-c", INVOKE, handler, *paths],
        input=json.dumps(events),
        env=NOWHERE | environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER")]
    assert answers, done.stdout + done.stderr
    return json.loads(answers[-1].removeprefix("ANSWER"))
