"""``comity service``: the units that it writes, by what they hold."""

import json
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comity.kernel.problem import Invalid
from comity.server.folder.unit import unit_of
from tests.doors.http.running import comity, repository

ODD = 'a "b" $HOME %h \\ shop & <c>'


def test_a_unit_of_systemd_is_written_and_removed(tmp_path: Path) -> None:
    folder, home = repository(tmp_path / "My Shop"), tmp_path / "home"
    home.mkdir()
    shown = comity(folder, "service", "install", "--print", HOME=str(home))
    assert shown.returncode == 0, shown.stderr
    assert list(home.iterdir()) == []
    if sys.platform == "darwin":
        return
    done = json.loads(comity(folder, "service", "install", "--json", HOME=str(home)).stdout)
    path = Path(done["path"])
    assert path.parent == home / ".config" / "systemd" / "user"
    assert path.read_text() == done["content"]
    assert f'--target-dir "{folder}"' in done["content"]
    assert any("enable --now comity-my-shop-" in line for line in done["run"])
    status = json.loads(comity(folder, "service", "status", "--json", HOME=str(home)).stdout)
    assert (status["installed"], status["current"], status["server"]) == (True, True, None)
    assert "Removed" in comity(folder, "service", "uninstall", HOME=str(home)).stdout
    assert not path.exists()
    path.write_text("[Unit]\n")
    assert comity(folder, "service", "install", HOME=str(home)).returncode == 6
    assert path.read_text() == "[Unit]\n"


def test_systemd_itself_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze here")
    folder = tmp_path / ODD
    folder.mkdir()
    unit = unit_of(str(folder), str(tmp_path), "linux")
    file = tmp_path / unit.name
    file.write_text(unit.content)
    checked = subprocess.run([program, "--user", "verify", str(file)], capture_output=True, text=True, check=False)
    assert str(file) not in checked.stderr


def test_odd_paths_stay_one_word() -> None:
    content = unit_of(f"/srv/{ODD}", "/nowhere", "linux", "/usr/bin/python3").content
    assert r'--target-dir "/srv/a \"b\" $$HOME %%h \\ shop & <c>"' in content
    written = plistlib.loads(unit_of(f"/srv/{ODD}", "/nowhere", "darwin", "/usr/bin/python3").content.encode())
    assert written["ProgramArguments"][-1] == f"/srv/{ODD}"
    assert written["KeepAlive"] == {"SuccessfulExit": False}
    with pytest.raises(Invalid):
        unit_of("/srv/a\nExecStart=x", "/nowhere", "linux")


def test_two_folders_of_one_name_have_two_units() -> None:
    assert unit_of("/srv/a/shop", "/nowhere").name != unit_of("/srv/b/shop", "/nowhere").name
