"""The package deployed as a whole, as production is: a town published into it, a citizen writes, the town answers."""

import json
import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from infra import package
from infra.local import aws as local_aws
from tests.infra import viber_server
from tests.infra.bare import MINUTE_EVENT
from tests.infra.deployed import STAGE, Deployed

CITIZEN = "cGFja2FnZWQtY2l0aXplbg=="
ANSWER_SECONDS_MAX = 20
MADE = "EntryIsHttp"  # the one condition that holds without a parameter
HOST_OF_AN_API = ".execute-api.eu-central-1.amazonaws.com/"


def test_the_embedded_aws_made_every_resource_of_the_package(deployed: Deployed, packaged: package.Package) -> None:
    cloudformation = local_aws.client("cloudformation", deployed.endpoint)
    made = cloudformation.describe_stack_resources(StackName=f"salter-{STAGE}")["StackResources"]
    complete = {each["LogicalResourceId"] for each in made if each["ResourceStatus"].endswith("COMPLETE")}
    template = json.loads(packaged.template.read_text(encoding="utf-8"))
    wanted = {name for name, resource in template["Resources"].items() if resource.get("Condition", MADE) == MADE}
    assert wanted <= complete


@pytest.fixture(params=["rest", "http"])
def entered(request: pytest.FixtureRequest, deployed: Deployed) -> Deployed:
    """Called by the address of the REST API, and by that of the HTTP API."""
    return replace(deployed, entry=request.param)


def test_the_address_given_out_is_the_http_apis_and_letters_know_it(deployed: Deployed) -> None:
    assert deployed.installation.url == f"https://{deployed.installation.outputs['HttpApiId']}" + HOST_OF_AN_API
    ssm = local_aws.client("ssm", deployed.endpoint)
    assert ssm.get_parameter(Name=f"/salter/{STAGE}/public-url")["Parameter"]["Value"] == deployed.installation.url


def test_the_deployed_product_says_it_is_well(entered: Deployed) -> None:
    answer = entered.request("GET", "health")
    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "ok", STAGE)


def test_a_signed_callback_is_taken_and_the_citizen_gets_an_answer_from_viber(entered: Deployed) -> None:
    answer = entered.callback(viber_server.written_by(CITIZEN, "Dobar dan"))
    assert answer.status == 200, answer.body
    message = entered.viber.wait_for_message(CITIZEN, seconds=ANSWER_SECONDS_MAX)
    assert message["text"].strip()
    assert message["sender"]["name"]


def test_a_forged_callback_is_refused_and_answered_to_nobody(entered: Deployed) -> None:
    stranger = "Zm9yZ2Vk"
    answer = entered.callback(viber_server.written_by(stranger, "Dobar dan"), token="another token")
    assert answer.status == 403
    assert not entered.viber.sent_to(stranger)


def test_the_web_chat_answers_in_the_deployed_product(entered: Deployed) -> None:
    session = entered.request("POST", f"chat/{entered.town}/sessions", b"{}")
    assert session.status == 201, session.body
    message = json.dumps({"id": "packaged-1", "type": "text", "text": "Dobar dan"}).encode()
    bearer = f"Bearer {session.json['token']}"
    answer = entered.request("POST", f"chat/{entered.town}/messages", message, Authorization=bearer)
    assert answer.status == 200, answer.body
    assert answer.json["messages"]


def test_the_chat_page_and_everything_it_names_is_served_under_the_gateways_path(entered: Deployed) -> None:
    path = f"chat/{entered.town}"
    page = entered.request("GET", path)
    assert page.status == 200, page.body
    assert page.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'(?:href|src)="([^"]+)"', page.body.decode())
    assert links
    for link in links:
        inside = urljoin(entered.url + path, link)
        assert inside.startswith(entered.url), f"{link} leaves the API's stage"
        assert entered.request("GET", inside.removeprefix(entered.url)).status == 200, link


def test_the_widget_and_the_files_it_loads_are_served(entered: Deployed) -> None:
    script = entered.request("GET", "widget.js")
    assert script.status == 200, script.body
    files = re.findall(r"/(assets/[\w.]+)", script.body.decode())
    assert files
    for file in files:
        assert entered.request("GET", file).status == 200, file


def test_the_minutes_round_runs_in_the_deployed_product(deployed: Deployed) -> None:
    deployed.invoke("MinuteFunctionName", MINUTE_EVENT)


def test_the_doorbell_is_answered_in_the_deployed_product(deployed: Deployed) -> None:
    answer = deployed.invoke("DoorbellFunctionName", {"Records": []})
    assert not (answer or {}).get("batchItemFailures")
