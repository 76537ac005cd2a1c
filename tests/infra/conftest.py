"""The package, made once per session for everyone who looks at it."""

import fcntl
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import deploy, package, towns
from infra.local import aws as local_aws
from tests.infra import viber_server
from tests.infra.deployed import MAIL_FROM, STAGE, TOKEN, Deployed, command


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    """The product's package as `make package` makes it: once, for all workers of a run."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    out = tmp_path_factory.getbasetemp() / "package" if alone else tmp_path_factory.getbasetemp().parent / "package"
    out.mkdir(exist_ok=True)
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "made").exists():
            package.build(out=out)
            (out / "made").touch()
    return package.in_folder(out)


@pytest.fixture(scope="session")
def unpacked(packaged: package.Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda makes of the zip."""
    code = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(packaged.zip) as zipped:
        zipped.extractall(code)
    return code


@pytest.fixture(scope="session")
def layer(packaged: package.Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda makes of the layer."""
    opened = tmp_path_factory.mktemp("layer")
    with zipfile.ZipFile(packaged.layer) as zipped:
        zipped.extractall(opened)
    return opened


@pytest.fixture(scope="session")
def deployed(aws: local_aws.Aws, packaged: package.Package) -> Iterator[Deployed]:
    """The package on the embedded AWS through the very code of `make deploy`, with the first town of the repository."""
    town = towns.slugs()[0]
    with viber_server.running() as viber:
        installation = deploy.deploy(packaged, STAGE, parameters={"ViberApiUrl": viber.url, "MailFrom": MAIL_FROM})
        local_aws.client("ssm", aws.endpoint).put_parameter(
            Name=f"/salter/{STAGE}/accounts/{town}/viber-token", Type="SecureString", Value=TOKEN
        )
        command("town", "apply", town, "--state", "live")
        try:
            yield Deployed(aws.endpoint, installation, viber, town)
        finally:
            local_aws.client("cloudformation", aws.endpoint).delete_stack(StackName=f"salter-{STAGE}")
