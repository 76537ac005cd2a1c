"""The Lambda package: what `chalice package` makes, finished so that it starts fast and deploys as one stack.

    python -m infra.package [--arch arm64] [--snapstart]   ->  build/deployment.zip, media-layer.zip, template.json,
                                                                     sbom.cdx.json

Chalice builds the zip and a template of the functions, merged with template.yaml and overlay.yaml. Finishing adds what
it cannot: byte code for the runtime (compiling is two thirds of a cold start), botocore without the services we never
call, the image library in a layer of its own for the functions that work the outbox, SnapStart. The runtime is the
Python that runs this.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chalicelib.version import VERSION
from infra import sbom

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
HASHED_REQUIREMENTS = "requirements.hashes"
TEMPLATE = ROOT / "infra" / "template.yaml"
OVERLAY = ROOT / "infra" / "overlay.yaml"

CHALICE_STAGE = "prod"
REGION = "eu-central-1"  # Chalice and the linter want one; the package itself goes to any
ARCHITECTURES = ("x86_64", "arm64")
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}  # as wheels name them
# Minor versions of glibc 2: Lambda's Python 3.11 stands on Amazon Linux 2, later ones on Amazon Linux 2023.
GLIBC_FIRST, GLIBC_OLD, GLIBC = 5, 26, 34
PROJECT_PARTS = ("app.py", "chalicelib", "vendor", "requirements.txt", ".chalice")
NOT_PACKAGED = ("__pycache__", "*.pyc", "deployments", "deployed")

ZIP_BYTES_MAX = 14_000_000
LAYER_BYTES_MAX = 4_000_000
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # one date for all entries: the same sources give the same zip
ZIP_FILE_MODE = 0o100644
LAMBDA_TASK_ROOT = "/var/task"  # where the code lies at run time; tracebacks are to name that place
LAMBDA_LAYER_ROOT = "/opt"

# botocore's descriptions of 400 services are two thirds of the zip. A service missing here fails in its first call;
# tests/infra compares the list with the code.
BOTOCORE_SERVICES_KEPT = frozenset(
    {"cognito-idp", "dynamodb", "kms", "s3", "sesv2", "sns", "sqs", "ssm", "sso", "sso-oidc", "sts"}
)

SNAPSTART_PYTHON_MIN = (3, 12)
SNAPSTART_ALIAS = "live"


class NotPackaged(RuntimeError):
    """The package was not made; the message says what must change. Trying again alone does not help."""


@dataclass(frozen=True)
class Package:
    """A finished package, ready to be deployed."""

    zip: Path
    layer: Path
    template: Path

    @property
    def bill(self) -> Path:
        """The bill of materials beside the zip."""
        return self.zip.with_name("sbom.cdx.json")

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return self.zip.stat().st_size


def build(*, arch: str = ARCHITECTURES[0], snapstart: bool = False, project: Path = ROOT, out: Path = BUILD) -> Package:
    """Make the package of `project` in `out`, replacing an older one."""
    if snapstart and sys.version_info < SNAPSTART_PYTHON_MIN:
        raise NotPackaged("SnapStart needs Python 3.12 or newer: package with a newer interpreter, or without it")
    work = out / "work"
    shutil.rmtree(work, ignore_errors=True)
    staged = stage_project(project, work / "project", arch)
    chalice_package(staged, work / "chalice", arch)
    finish_code(work / "chalice" / "deployment.zip", work / "code", work / "layer")
    package = in_folder(out)
    write_zip(work / "code", package.zip, ZIP_BYTES_MAX)
    write_zip(work / "layer", package.layer, LAYER_BYTES_MAX)
    template = finish_template(json.loads((work / "chalice" / "sam.json").read_text(encoding="utf-8")), snapstart)
    package.template.write_text(json.dumps(template, indent=1, sort_keys=True), encoding="utf-8")
    sbom.write(package.bill, VERSION, package.zip, package.layer)
    shutil.rmtree(work)
    return package


def in_folder(out: Path) -> Package:
    """The package as it lies in a folder."""
    return Package(zip=out / "deployment.zip", layer=out / "media-layer.zip", template=out / "template.json")


def stage_project(project: Path, staged: Path, arch: str) -> Path:
    """Copy what Chalice is to see, without byte code of other interpreters, and its settings for `arch`."""
    staged.mkdir(parents=True)
    for part in PROJECT_PARTS:
        source = project / part
        if source.is_dir():
            shutil.copytree(source, staged / part, ignore=shutil.ignore_patterns(*NOT_PACKAGED))
        elif source.exists():
            shutil.copy2(source, staged / part)
    # With a hash behind each pin pip takes none but those files.
    shutil.copy2(project / HASHED_REQUIREMENTS, staged / "requirements.txt")
    settings = staged / ".chalice" / "config.json"
    config = json.loads(settings.read_text(encoding="utf-8")) | {"lambda_architecture": arch}
    settings.write_text(json.dumps(config), encoding="utf-8")
    merge = merged(load_template(TEMPLATE), load_template(OVERLAY))
    (staged / "merge.json").write_text(json.dumps(merge), encoding="utf-8")
    return staged


def chalice_package(staged: Path, out: Path, arch: str) -> None:
    """Run Chalice in a process of its own: it imports the app, and the app is to be imported afresh."""
    command = [_tool("chalice"), "--project-dir", str(staged), "package", "--stage", CHALICE_STAGE]
    command += ["--merge-template", str(staged / "merge.json"), str(out)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SALTER_"))}
    # No byte code into the staged project: Chalice would pack it.
    environment = clean | {"AWS_DEFAULT_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"} | files_for(arch)
    done = subprocess.run(command, env=environment, cwd=staged, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "Could not install dependencies" in said:
        raise NotPackaged(f"chalice package failed:\n{said}")


def files_for(arch: str) -> dict[str, str]:
    """Has Chalice's pip ask at once, hashes and all, for the wheels of Lambda's processor and C library. Left to itself
    it takes those of this machine, and then by name and version what does not fit."""
    newest = GLIBC_OLD if sys.version_info < (3, 12) else GLIBC
    machine = MACHINES[arch]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, GLIBC_FIRST - 1, -1)]
    return {"PIP_ONLY_BINARY": ":all:", "PIP_PLATFORM": " ".join([*tags, f"manylinux2014_{machine}"])}


def finish_code(chalice_zip: Path, code: Path, layer: Path) -> None:
    """Unpack Chalice's zip into `code`, drop what we never use, move what images need to `layer`, add byte code."""
    with zipfile.ZipFile(chalice_zip) as packed:
        packed.extractall(code)
    prune_botocore(code / "botocore" / "data")
    for record in code.glob("*.dist-info/RECORD"):  # sums of files as they were before this
        record.unlink()
    for name in TRAINING_ONLY:
        (code / name).unlink(missing_ok=True)
    for name in PYTHON_2_ONLY + NOT_OF_DATEUTIL + NOT_OF_POWERTOOLS + NOT_OF_CRYPTODOME:
        shutil.rmtree(code / name, ignore_errors=True)
    prune_ciphers(code / "Cryptodome")
    for pattern in NOT_OF_PILLOW:
        for path in code.glob(pattern):
            path.unlink()
    (layer / "python").mkdir(parents=True)
    for name in IN_LAYER:
        if (code / name).exists():
            (code / name).rename(layer / "python" / name)
    compile_code(code, LAMBDA_TASK_ROOT)
    compile_code(layer, LAMBDA_LAYER_ROOT)


# What the platform's model was trained from: half a megabyte that nothing reads while answering.
TRAINING_ONLY = ("chalicelib/understanding/phrases.toml",)
# Of `future`, which viberbot asks for, one no-op decorator is used; the rest served Python 2.
PYTHON_2_ONLY = ("past", "libfuturize", "libpasteurize", "future/backports", "future/moves", "future/tests")
# Time zones of its own, beside those of tzdata: botocore asks it for UTC and this machine's time alone.
NOT_OF_DATEUTIL = ("dateutil/zoneinfo",)
# The API's function never looks at an image: its zip, and with it its cold start, stays free of this.
IN_LAYER = ("PIL", "pillow.libs")
# We log with it; its web framework, parsers and helpers for other services are two megabytes.
NOT_OF_POWERTOOLS = (
    "aws_lambda_powertools/event_handler",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in ("data_classes", "parser", "kafka", "idempotency", "batch")
    ),
)
# We seal with AES alone: no asymmetric keys, no arithmetic for them, no tests of its own.
NOT_OF_CRYPTODOME = tuple(f"Cryptodome/{name}" for name in ("IO", "Math", "PublicKey", "SelfTest", "Signature"))
# We decode JPEG, PNG and WebP and encode JPEG: no fonts, no colour management, no AVIF, no windows.
NOT_OF_PILLOW = tuple(
    f"PIL/{module}.*.so"
    for module in ("_avif", "_imagingcms", "_imagingft", "_imagingmath", "_imagingmorph", "_imagingtk")
) + tuple(f"pillow.libs/lib{library}*" for library in ("avif", "brotli", "freetype", "harfbuzz", "lcms2", "png16"))
# What AES-GCM needs of pycryptodomex, on either processor: a tenth of it. A part missing here fails in the first
# sealing; tests/infra seals with these parts alone.
CIPHER_PARTS_KEPT = frozenset(
    """__init__ Cipher/__init__ Cipher/AES Cipher/_mode_ctr Cipher/_mode_ecb Cipher/_mode_gcm Cipher/_raw_aes
    Cipher/_raw_aesni Cipher/_raw_ctr Cipher/_raw_ecb Hash/__init__ Hash/BLAKE2s Hash/_BLAKE2s Hash/_ghash_clmul
    Hash/_ghash_portable Random/__init__ Util/__init__ Util/_cpu_features Util/_cpuid_c Util/_file_system Util/_raw_api
    Util/number Util/py3compat""".split()  # noqa: SIM905
)


def prune_botocore(data: Path) -> None:
    """Remove the descriptions of all services but those we use; the files beside them stay, every client reads them."""
    for service in data.iterdir():
        if service.is_dir() and service.name not in BOTOCORE_SERVICES_KEPT:
            shutil.rmtree(service)


def prune_ciphers(folder: Path) -> None:
    """Remove all of pycryptodomex but what seals and opens."""
    for file in list(folder.rglob("*")):
        name = file.relative_to(folder).as_posix().partition(".")[0]
        if file.is_file() and (name not in CIPHER_PARTS_KEPT or file.suffix == ".pyi"):
            file.unlink()


def compile_code(code: Path, root: str) -> None:
    """Put byte code beside every module. Its validity is not checked at run time: the task folder never changes."""
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(code), "-p", root, str(code)]
    # A fixed hash seed keeps the order inside frozen sets, and so the bytes, the same from run to run.
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPackaged(f"a packaged module does not compile:\n{done.stdout}{done.stderr}")


def write_zip(code: Path, target: Path, bytes_max: int) -> None:
    """Pack `code` in a fixed order with a fixed date, and hold the bound on its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(path for path in code.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(code).as_posix(), date_time=ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = ZIP_FILE_MODE << 16
            packed.writestr(entry, file.read_bytes())
    if (size := target.stat().st_size) > bytes_max:
        raise NotPackaged(
            f"{target.name} has {size:,} bytes, more than {bytes_max:,}: see what was added to requirements.txt"
        )


def finish_template(template: dict[str, Any], snapstart: bool) -> dict[str, Any]:
    """Chalice's merged template with our tags (its own would name its stage, not ours), and SnapStart if asked."""
    for function in functions(template).values():
        function["Properties"]["Tags"] = {"salter-stage": {"Ref": "Stage"}}
    return with_snapstart(template) if snapstart else template


def with_snapstart(template: dict[str, Any]) -> dict[str, Any]:
    """Let the API call a published, snapshotted version of its function through an alias."""
    alias = f"APIHandlerAlias{SNAPSTART_ALIAS}"  # the logical name that the SAM transform gives it
    text = json.dumps(template).replace(
        "functions/${APIHandler.Arn}/invocations", f"functions/${{{alias}}}/invocations"
    )
    changed: dict[str, Any] = json.loads(text)
    resources = changed["Resources"]
    resources["APIHandler"]["Properties"]["AutoPublishAlias"] = SNAPSTART_ALIAS
    resources["APIHandler"]["Properties"]["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    for permission in ("APIHandlerInvokePermission", "HttpApiInvokePermission"):
        resources[permission]["Properties"]["FunctionName"] = {"Ref": alias}
    return changed


def functions(template: dict[str, Any]) -> dict[str, Any]:
    """The template's Lambda functions by logical name."""
    return of_type(template, "AWS::Serverless::Function")


def of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """The template's resources of one type by logical name."""
    return {name: resource for name, resource in template["Resources"].items() if resource.get("Type") == kind}


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags (`!Ref`); a class of its own, for other YAML is not to know them."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


def load_template(path: Path) -> dict[str, Any]:
    """A CloudFormation template in YAML, short tags written out."""
    template: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_TemplateLoader)
    return template


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both mappings in one; where they meet, mappings are merged again and anything else is taken from `over`."""
    both = dict(under)
    for key, value in over.items():
        deeper = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if deeper else value
    return both


def lint(template: Path) -> None:
    """Refuse a template that cfn-lint finds fault with."""
    command = [_tool("cfn-lint"), "-r", REGION, "-t", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPackaged(f"cfn-lint on {template}:\n{done.stdout}{done.stderr}")


def _tool(name: str) -> str:
    """A command line tool of this very virtual environment."""
    return str(Path(sys.executable).with_name(name))


def main() -> None:
    """`make package`."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.package", description="Make the Lambda zip and the merged template."
    )
    parser.add_argument("--arch", choices=ARCHITECTURES, default=ARCHITECTURES[0])
    parser.add_argument(
        "--snapstart", action="store_true", help="start the API's function from a snapshot (Python 3.12+)"
    )
    arguments = parser.parse_args()
    try:
        package = build(arch=arguments.arch, snapstart=arguments.snapstart)
        lint(package.template)
    except NotPackaged as refused:
        sys.exit(f"not packaged: {refused}")
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    print(f"{package.zip.relative_to(ROOT)}: {package.size / 1e6:.1f} MB for {runtime}, {arguments.arch}")
    print(f"{package.template.relative_to(ROOT)}: lint-clean")
    print(f"{package.bill.relative_to(ROOT)}: every library in the package (CycloneDX)")


if __name__ == "__main__":
    main()
