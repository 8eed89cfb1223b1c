"""``make run``: the server on a folder with two agents at work, as a process."""

import subprocess
import sys
from pathlib import Path

from comity.server.folder.layout import masc_folder
from comity.server.folder.lock import running_server
from tests.doors.http.running import comity, environment, free_port, repository, serving


def served(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "comity.demo.served", *options],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_it_ends_by_itself_and_leaves_no_server(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    port = str(free_port())
    done = served(folder, "--port", port)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    for word in ("HTTP /mcp", "stdio", "is done", "reads what ben said", f"http://127.0.0.1:{port}/mcp", "comity init"):
        assert word in done.stdout
    assert running_server(masc_folder(str(folder))) is None
    shown = comity(folder, "tasks", "--status", "done")
    assert "Read the README as a newcomer would" in shown.stdout


def test_it_uses_the_server_that_runs(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with serving(folder) as server:
        done = served(folder)
        assert done.returncode == 0, done.stderr
        assert server.url in done.stdout
        assert server.get("/health").status_code == 200
