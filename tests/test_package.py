"""What is built is whole: the wheel holds every file that the code reads, and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
USERS = [
    Requirement(line)
    for line in (*PROJECT["project"]["dependencies"], *(line for name in EXTRAS for line in EXTRAS[name]))
    if not line.startswith("comity[")
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
        yield packed


def test_wheel_holds_the_whole_package(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src/comity"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    wanted = {name.removeprefix("src/") for name in listed if name and (ROOT / name).is_file()}
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == wanted


def test_wheel_has_command_and_licence(wheel: zipfile.ZipFile) -> None:
    info = {name.split("/", 1)[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert b"comity = comity.__main__:main" in wheel.read(info["entry_points.txt"])
    assert "licenses/LICENSE" in info


@pytest.mark.parametrize("wanted", USERS, ids=str)
def test_what_users_get_is_bounded_and_what_the_tests_run_with(wanted: Requirement) -> None:
    assert {one.operator for one in wanted.specifier} == {">=", "<"}, "it may break an installation, or be too old"
    locked = dict(
        line.split(" ", 1)[0].split("==")
        for line in (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    )
    found = Version(locked[canonicalize_name(wanted.name)])
    assert found in wanted.specifier
    group = {one.name: one for one in map(Requirement, PROJECT["dependency-groups"]["dev"])}
    direct = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    assert wanted.name in direct or group[wanted.name].specifier == wanted.specifier, "the lock would take another"
