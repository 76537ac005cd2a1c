"""What `make package` makes: the zip and the merged template."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import botocore
import Cryptodome
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import audit, hashes, package

CONFIG = json.loads((package.ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
FUNCTIONS = {
    "APIHandler": "api_handler",
    "RingDoorbell": "ring_doorbell",
    "EveryMinute": "every_minute",
    "PublishTown": "publish_town",
}
ROLES = {
    "APIHandler": "ApiHandlerRole",
    "RingDoorbell": "RingDoorbellRole",
    "EveryMinute": "EveryMinuteRole",
    "PublishTown": "PublishTownRole",
}
LOG_GROUPS = {
    "APIHandler": "ApiHandlerLogGroup",
    "RingDoorbell": "RingDoorbellLogGroup",
    "EveryMinute": "EveryMinuteLogGroup",
    "PublishTown": "PublishTownLogGroup",
}
CLIENT_MADE = re.compile(r"""(?:client|resource)\(\s*["']([a-z0-9-]+)["']""")


@pytest.fixture(scope="session")
def template(packaged: package.Package) -> dict[str, Any]:
    """The merged template."""
    found: dict[str, Any] = json.loads(packaged.template.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def names(packaged: package.Package) -> set[str]:
    """The names in the zip."""
    with zipfile.ZipFile(packaged.zip) as zipped:
        return set(zipped.namelist())


# --- The zip ----------------------------------------------------------------------------------------------------------


def test_the_zip_keeps_its_bound(packaged: package.Package) -> None:
    print(f"{packaged.size / 1e6:.1f} MB")
    assert packaged.size <= package.ZIP_BYTES_MAX


def test_the_packed_part_of_the_cipher_library_seals_and_opens(tmp_path: Path) -> None:
    shutil.copytree(Path(Cryptodome.__file__).parent, tmp_path / "Cryptodome")
    package.prune_ciphers(tmp_path / "Cryptodome")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from Cryptodome.Cipher import AES\n"
        "made = [AES.new(b'k' * 32, AES.MODE_GCM, nonce=b'n' * 12, mac_len=16) for _ in 'ab']\n"
        "sealed = made[0].encrypt_and_digest(b'clear'); print(made[1].decrypt_and_verify(*sealed), AES.__file__)"
    )
    command = [sys.executable, "-I", "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"b'clear' {tmp_path}")
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < 1_000_000


def test_every_module_comes_with_byte_code_for_this_python(names: set[str]) -> None:
    tag = f".{sys.implementation.cache_tag}.pyc"
    modules = [Path(name) for name in names if name.endswith(".py")]
    assert Path("app.py") in modules
    bare = [path for path in modules if f"{path.parent / '__pycache__' / path.stem}{tag}" not in names]
    assert not bare


def test_byte_code_is_trusted_without_looking_at_its_source(packaged: package.Package) -> None:
    unchecked_hash = (0b01).to_bytes(4, "little")
    with zipfile.ZipFile(packaged.zip) as zipped:
        compiled = zipped.read(f"__pycache__/app.{sys.implementation.cache_tag}.pyc")
    assert compiled[4:8] == unchecked_hash


@pytest.mark.shows("A24")
def test_only_what_runs_on_lambda_is_in_the_zip(names: set[str]) -> None:
    top = {name.partition("/")[0] for name in names}
    assert {"app.py", "chalicelib", "chalice"} <= top
    assert not top & {"infra", "tenants", "tests", "docs", "yaml", "moto", "ministack", "pytest"}


@pytest.mark.shows("A24")
def test_every_file_of_the_product_is_in_the_zip_but_what_only_training_reads(names: set[str]) -> None:
    assert not set(package.TRAINING_ONLY) & names
    files = (path for path in (package.ROOT / "chalicelib").rglob("*") if path.is_file() and path.suffix != ".pyc")
    missing = {path.relative_to(package.ROOT).as_posix() for path in files} - names
    assert missing == set(package.TRAINING_ONLY)


def test_botocore_keeps_the_services_we_call_and_the_files_beside_them(names: set[str]) -> None:
    beside = {f"botocore/data/{path.name}" for path in (Path(botocore.__file__).parent / "data").glob("*.json*")}
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert services == package.BOTOCORE_SERVICES_KEPT
    assert beside and beside <= names


def test_every_service_named_in_the_code_is_kept() -> None:
    modules = [package.ROOT / "app.py", *(package.ROOT / "chalicelib").rglob("*.py")]
    called = {service for module in modules for service in CLIENT_MADE.findall(module.read_text(encoding="utf-8"))}
    assert called <= package.BOTOCORE_SERVICES_KEPT


def test_the_same_code_gives_the_same_zip(tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "room").mkdir(parents=True)
    (code / "room" / "b.py").write_text("VALUES = frozenset({'a', 'b', 'c'})\n")
    (code / "a.py").write_text("import room.b\n")
    zips = []
    for name in ("one.zip", "two.zip"):
        package.compile_code(code, package.LAMBDA_TASK_ROOT)
        package.write_zip(code, tmp_path / name, package.ZIP_BYTES_MAX)
        zips.append((tmp_path / name).read_bytes())
    assert zips[0] == zips[1]


@pytest.mark.shows("A24")
def test_every_pinned_library_of_the_package_has_the_hashes_of_its_files() -> None:
    assert hashes.main(["--check"]) == 0
    for path, files in ((hashes.HASHES, hashes.PINS), (hashes.DEV_HASHES, hashes.DEV_PINS)):
        lines = path.read_text(encoding="ascii").splitlines()[2:]
        assert all(re.fullmatch(r"\S+==\S+( --hash=sha256:[0-9a-f]{64})+", line) for line in lines)
        listed = {canonicalize_name(name): version for name, version in audit.pins([path.name])}
        assert {canonicalize_name(name): version for name, version in audit.pins(files)}.items() <= listed.items()
    assert len(audit.pins([hashes.HASHES.name])) == len(audit.pins(hashes.PINS)), "nothing more gets into the package"


# For which `make setup` is: CPython on Linux and macOS, either processor.
ELSEWHERE = [
    {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "sys_platform": system,
        "platform_machine": machine,
    }
    for python in ("3.11", "3.12", "3.13", "3.14")
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
]


@pytest.mark.shows("A24")
@pytest.mark.parametrize("there", ELSEWHERE, ids=lambda there: "-".join(there.values()))
def test_whatever_the_tools_of_development_bring_along_has_its_hashes_on_every_machine(there: dict[str, str]) -> None:
    """As the libraries installed here say it themselves: pip installs nothing without a hash, and misses nothing."""
    listed = {canonicalize_name(name): version for name, version in audit.pins([hashes.DEV_HASHES.name])}
    named = there | {"platform_system": there["sys_platform"].capitalize(), "os_name": "posix"}
    seen, todo = set[tuple[str, str]](), [Requirement(f"{name}=={version}") for name, version in listed.items()]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        assert name in listed and wanted.specifier.contains(listed[name]), wanted
        for extra in {"", *wanted.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            brought = map(Requirement, metadata.requires(name) or ())
            todo += [one for one in brought if one.marker is None or one.marker.evaluate(named | {"extra": extra})]
    assert {name for name, _ in seen} == set(listed)


def test_a_pin_that_changed_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "requirements-dev.txt"
    pins = (package.ROOT / changed.name).read_text(encoding="utf-8")
    changed.write_text(re.sub(r"^ruff==.*$", "ruff==0.0.1", pins, flags=re.MULTILINE), encoding="utf-8")
    monkeypatch.setattr(hashes, "DEV_PINS", ("requirements.txt", str(changed)))
    assert hashes.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "requirements-dev.hashes" in said and "requirements.hashes" not in said and "make hashes" in said


def _project(place: Path, library: str, only: str) -> Path:
    """The project with `only` this hash behind one of its libraries."""
    project = place / "project"
    project.mkdir()
    for part in (*package.PROJECT_PARTS, package.HASHED_REQUIREMENTS):
        source = package.ROOT / part
        if source.exists():
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, project / part)
    listed = project / package.HASHED_REQUIREMENTS
    pin = re.compile(rf"^({library}==\S+) .*$", re.MULTILINE)
    listed.write_text(pin.sub(rf"\1 --hash=sha256:{only}", listed.read_text("ascii")), encoding="ascii")
    return project


@pytest.mark.campaign
@pytest.mark.shows("A24")
def test_a_library_that_is_another_file_than_the_one_looked_at_gets_into_no_package(tmp_path: Path) -> None:
    with pytest.raises(package.NotPackaged, match="(?i)hash|could not install"):
        package.build(project=_project(tmp_path, "six", 64 * "0"), out=tmp_path / "out")
    assert not (tmp_path / "out" / "deployment.zip").exists()


@pytest.mark.campaign
@pytest.mark.shows("A24")
def test_a_file_for_the_other_processor_is_held_to_its_own_hash_too(tmp_path: Path) -> None:
    """With the hash of the file for x86_64 alone there is a package for x86_64, and none for arm64."""
    version = dict(audit.pins([package.HASHED_REQUIREMENTS]))["MarkupSafe"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path / "wheel")]
    environment = os.environ | package.files_for("x86_64")
    subprocess.run([*pip, f"MarkupSafe=={version}"], env=environment, check=True)
    (wheel,) = (tmp_path / "wheel").iterdir()
    project = _project(tmp_path, "MarkupSafe", hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert package.build(project=project, out=tmp_path / "out").zip.exists()
    with pytest.raises(package.NotPackaged, match="(?i)hash|could not install|no matching"):
        package.build(arch="arm64", project=project, out=tmp_path / "arm")


def test_a_zip_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("app = None\n")
    monkeypatch.setattr(package, "ZIP_BYTES_MAX", 10)
    with pytest.raises(package.NotPackaged, match=r"requirements\.txt"):
        package.write_zip(tmp_path / "code", tmp_path / "big.zip", package.ZIP_BYTES_MAX)


# --- The merged template ----------------------------------------------------------------------------------------------


def test_the_merged_template_is_lint_clean(packaged: package.Package) -> None:
    package.lint(packaged.template)


def test_the_merged_template_holds_all_of_the_one_template(template: dict[str, Any]) -> None:
    for name, resource in package.load_template(package.TEMPLATE)["Resources"].items():
        assert template["Resources"][name] == resource


def test_there_are_four_functions_with_names_of_the_stage(template: dict[str, Any]) -> None:
    found = {name: function["Properties"]["FunctionName"] for name, function in package.functions(template).items()}
    assert found == {
        "APIHandler": {"Fn::Sub": "salter-${Stage}-api"},
        "RingDoorbell": {"Fn::Sub": "salter-${Stage}-doorbell"},
        "EveryMinute": {"Fn::Sub": "salter-${Stage}-minute"},
        "PublishTown": {"Fn::Sub": "salter-${Stage}-publish"},
    }


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_its_settings_and_its_own_policy(template: dict[str, Any], name: str) -> None:
    properties = template["Resources"][name]["Properties"]
    settings = CONFIG["lambda_functions"][FUNCTIONS[name]]
    assert properties["MemorySize"] == settings["lambda_memory_size"]
    assert properties["Timeout"] == settings["lambda_timeout"]
    assert properties["Tracing"] == "PassThrough"
    assert properties["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert properties["Role"] == {"Fn::GetAtt": [ROLES[name], "Arn"]}
    policy = json.loads((package.ROOT / ".chalice" / settings["iam_policy_file"]).read_text(encoding="utf-8"))
    (attached,) = template["Resources"][ROLES[name]]["Properties"]["Policies"]
    assert attached["PolicyDocument"] == policy


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_functions_log_is_made_first_and_forgets(template: dict[str, Any], name: str) -> None:
    log = template["Resources"][LOG_GROUPS[name]]["Properties"]
    function_name = template["Resources"][name]["Properties"]["FunctionName"]["Fn::Sub"]
    assert log["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{function_name}"}
    assert log["RetentionInDays"] == CONFIG["log_retention_in_days"]
    assert template["Resources"][name]["DependsOn"] == LOG_GROUPS[name]


def test_functions_are_told_names_by_the_stack_itself(template: dict[str, Any]) -> None:
    told = template["Globals"]["Function"]["Environment"]["Variables"]
    assert told == {
        "SALTER_STAGE": {"Ref": "Stage"},
        "SALTER_DOORBELL_URL": {"Ref": "DoorbellQueue"},
        "SALTER_PUBLISH_URL": {"Ref": "PublishQueue"},
        "SALTER_MEDIA_BUCKET": {"Ref": "MediaBucket"},
        "SALTER_KEY_ID": {"Ref": "SealingKey"},
        "SALTER_MAIL_FROM": {"Ref": "MailFrom"},
        "VIBER_API_URL": {"Ref": "ViberApiUrl"},
        "VIBER_MEDIA_HOSTS": {"Ref": "ViberMediaHosts"},
    }
    assert template["Parameters"]["ViberApiUrl"]["Default"] == "https://chatapi.viber.com/pa"
    own = {
        name: function["Properties"]["Environment"]["Variables"]
        for name, function in package.functions(template).items()
        if "Environment" in function["Properties"]
    }
    assert own == {}
    # Whoever puts links of ours into letters and reports reads the address that is given out.
    told = template["Resources"]["PublicUrlParameter"]["Properties"]["Value"]
    assert told == template["Outputs"]["PublicURL"]["Value"]


@pytest.mark.shows("F17")
@pytest.mark.parametrize(
    ("name", "queue", "at_once"), [("RingDoorbell", "DoorbellQueue", 200), ("PublishTown", "PublishQueue", 2)]
)
def test_a_queues_function_hears_our_queue_may_fail_in_part_and_cannot_take_all_there_are(
    template: dict[str, Any], name: str, queue: str, at_once: int
) -> None:
    (event,) = template["Resources"][name]["Properties"]["Events"].values()
    assert event["Properties"]["Queue"] == {"Fn::Sub": f"${{{queue}.Arn}}"}
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["Properties"]["ScalingConfig"] == {"MaximumConcurrency": at_once}


def test_the_functions_are_watched(template: dict[str, Any]) -> None:
    watched = {"ApiErrorsAlarm", "ApiHandlerErrorsAlarm", "EveryMinuteErrorsAlarm", "EveryMinuteSilentAlarm"}
    for name in watched:
        assert template["Resources"][name]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_nothing_in_the_template_remembers_the_stage_it_was_packaged_in(packaged: package.Package) -> None:
    assert "aws-chalice" not in packaged.template.read_text(encoding="utf-8")


# --- SnapStart --------------------------------------------------------------------------------------------------------


def test_snapstart_sends_the_api_to_the_published_alias_and_is_lint_clean(
    template: dict[str, Any], tmp_path: Path
) -> None:
    changed = package.with_snapstart(template)
    text = json.dumps(changed)
    assert "${APIHandler.Arn}/invocations" not in text
    assert "${APIHandlerAliaslive}/invocations" in text
    assert changed["Resources"]["APIHandlerInvokePermission"]["Properties"]["FunctionName"] == {
        "Ref": "APIHandlerAliaslive"
    }
    (tmp_path / "template.json").write_text(text, encoding="utf-8")
    package.lint(tmp_path / "template.json")


@pytest.mark.skipif(sys.version_info >= package.SNAPSTART_PYTHON_MIN, reason="this Python can be snapshotted")
def test_snapstart_is_refused_for_a_python_that_lambda_cannot_snapshot(tmp_path: Path) -> None:
    with pytest.raises(package.NotPackaged, match=r"3\.12"):
        package.build(snapstart=True, out=tmp_path)


def test_what_opens_images_lies_in_a_layer_that_the_api_does_not_have(
    packaged: package.Package, names: set[str], template: dict[str, Any]
) -> None:
    with zipfile.ZipFile(packaged.layer) as zipped:
        inside = {name.split("/")[1] for name in zipped.namelist()}
    assert inside == set(package.IN_LAYER)
    assert not {name.partition("/")[0] for name in names} & set(package.IN_LAYER)
    having = {name for name, function in package.functions(template).items() if "Layers" in function["Properties"]}
    assert having == {"RingDoorbell", "EveryMinute"}


# --- What the package is made of --------------------------------------------------------------------------------------


@pytest.mark.shows("A24")
def test_the_bill_names_every_library_that_lies_in_the_package_and_no_other(
    packaged: package.Package, names: set[str]
) -> None:
    bill = json.loads(packaged.bill.read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["name"]: one for one in bill["components"]}
    lines = [
        line for line in (package.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    pinned = {name.lower().replace("_", "-"): version for name, version in (line.split("==") for line in lines)}
    assert {name: one["version"] for name, one in listed.items() if name != "chalice"} == pinned
    assert all(one["purl"] == f"pkg:pypi/{name}@{one['version']}" for name, one in listed.items())
    with zipfile.ZipFile(packaged.layer) as layer:
        tops = {name.split("/")[0] for name in names} | {name.split("/")[1] for name in layer.namelist()}
    libraries = {top for top in tops if not top.endswith((".dist-info", ".data", ".libs"))}
    ours = {"app.py", "chalicelib", "__pycache__"}
    stands_for = {"Cryptodome": "pycryptodomex", "PIL": "pillow", "dateutil": "python-dateutil"}
    known = {stands_for.get(top, top.removesuffix(".py").lower().replace("_", "-")) for top in libraries - ours}
    assert known == set(listed)
