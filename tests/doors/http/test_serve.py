"""Starting a server: its port, its folder, that there is one for a folder, and what keeps it from starting."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from comity.app import living, tend
from comity.doors.http.serve import main
from comity.server.folder.port import checksum, derived_port
from tests.doors.http.running import PROGRAM, Server, comity, environment, free_port, repository, serving

Serve = Callable[..., tuple[int, str]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Serve:
    """``comity serve`` within this process, for starts that fail: its exit code, and what it said."""
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)

    def run(folder: Path, *options: str) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        code = main(list(options), living, tend)
        told = capsys.readouterr()
        assert told.out == ""
        return code, told.err

    return run


@pytest.mark.parametrize(
    ("folder", "port"), [("/tmp", 9438), (f"{os.sep}home/user/project", 9624), ("/Users/alice/code/demo", 9612)]
)
def test_the_port_of_a_folder_is_the_one_that_masc_derives(folder: str, port: int) -> None:
    assert 9100 + checksum(folder.encode()) % 900 == port


def test_the_checksum_is_that_of_posix(tmp_path: Path) -> None:
    for content in (b"", b"a", bytes(range(256)) * 9):
        said = subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout
        assert checksum(content) == int(said.split()[0])


def test_print_port_prints_and_makes_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    link = tmp_path / "link"
    link.symlink_to(folder)
    (folder / "src").mkdir()
    wanted = f"{derived_port(folder)}\n"
    for target in (folder, link, folder / "src"):
        assert comity(tmp_path, "serve", "--target-dir", str(target), "--print-port").stdout == wanted
    assert comity(folder, "serve", "--print-port").stdout == wanted
    assert comity(folder, "serve", "--print-port", MASC_MCP_PORT="9111").stdout == "9111\n"
    assert comity(folder, "serve", "--print-port", MASC_MCP_PORT=" ").stdout == wanted
    assert comity(folder, "serve", "--print-port", "--port=9222", MASC_MCP_PORT="9111").stdout == "9222\n"
    assert comity(folder, "serve", "--print-port", "--loopback").stdout == "8935\n"
    assert comity(folder, "serve", "--print-port", "--full").stdout == "8935\n"
    assert {entry.name for entry in folder.iterdir()} == {".git", "src"}


def test_the_folder_is_made_from_what_ships_and_never_overwritten(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    (folder / ".gitignore").write_text(".macp/\n")
    with serving(folder):
        pass
    masc = folder / ".masc"
    personas = masc / "config" / "personas"
    assert sorted(entry.name for entry in personas.iterdir()) == ["builder.toml", "planner.toml", "reviewer.toml"]
    for made in (masc, masc / "config", personas, masc / "logs"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    for file in (*masc.rglob("*.toml"), *masc.rglob("*.jsonl"), masc / "server.lock"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert told == "?? .gitignore\n"
    (personas / "builder.toml").write_text("mine")
    (personas / "planner.toml").unlink()
    (masc / "config" / "server.toml").write_text('log_format = "json"\nallow_host = ["shop.test"]\n')
    own = str(tmp_path / "home")
    with serving(folder, XDG_CONFIG_HOME=own) as server:
        assert server.get("/health", headers={"host": f"shop.test:{server.port}"}).status_code == 421
        told = json.loads(server.said[0])
        assert (told["event"], "allow_host" in told["message"]) == ("setting.aside", True)
    assert comity(folder, "trust", "--yes", XDG_CONFIG_HOME=own).returncode == 0
    with serving(folder, XDG_CONFIG_HOME=own) as server:
        host = {"host": f"shop.test:{server.port}"}
        assert server.get("/health", headers=host).status_code == 200
        assert json.loads(server.said[0])["event"] == "server.started"
    assert (personas / "builder.toml").read_text() == "mine"
    assert not (personas / "planner.toml").exists()


def test_a_second_server_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with serving(folder) as server:
        second = comity(folder, "serve", "--port", str(free_port()))
        assert second.returncode == 6
        assert server.url in second.stderr
        assert f"process {server.process.pid}" in second.stderr
        status = comity(folder, "status", "--json")
        assert json.loads(status.stdout)["server"]["url"] == server.url
        assert server.url in comity(folder, "status").stdout
        assert comity(folder, "tail", "--no-follow").returncode == 0


def test_after_a_kill_the_next_server_takes_over(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    port = free_port()
    with serving(folder, port=port) as first:
        first.post("/api/v1/task.dispatch", {"title": "kept"}, headers={"X-Comity-Agent": "ann"}).raise_for_status()
        assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    assert json.loads(comity(folder, "status", "--json").stdout)["server"] is None
    assert comity(folder, "tail", "--no-follow").returncode == 0
    with serving(folder, port=port) as second:
        assert [one["title"] for one in second.get("/api/v1/task.list").json()["tasks"]] == ["kept"]
        assert second.stop() == 0
    assert json.loads(comity(folder, "status", "--json").stdout)["server"] is None


def test_a_busy_port_is_told(tmp_path: Path, server: Server) -> None:
    folder = repository(tmp_path / "shop")
    refused = comity(folder, "serve", "--port", str(server.port))
    assert refused.returncode == 6
    assert "A Comity server of another folder listens" in refused.stderr
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = comity(folder, "serve", "--port", str(other.getsockname()[1]))
    assert refused.returncode == 6
    assert "Another program listens" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (("--prot", "1"), 2, "--prot"),
        (("--port",), 2, "--port needs a value"),
        (("--port", "65536"), 2, "65536"),
        (("--port", "٣"), 2, "port"),
        (("--host", "nowhere.invalid"), 2, "nowhere.invalid"),
        (("--host", "a b"), 2, "host"),
        (("--loopback", "--host", "0.0.0.0"), 2, "--loopback"),
        (("--host", "0.0.0.0"), 2, "comity token create --role admin"),
        (("--tls-cert", "missing.pem"), 2, "--tls-key"),
        (("--tls-cert", "missing.pem", "--tls-key", "missing.pem"), 2, "certificate"),
        (("--allow-origin", "*"), 2, "allow_origin"),
        (("--allow-host", "a/b"), 2, "allow_host"),
        (("--target-dir", "missing"), 2, "missing"),
        (("--log-format", "xml"), 2, "log_format"),
        (("--retention-days", "-1"), 2, "retention_days"),
    ],
)
def test_what_cannot_be_is_refused(
    serve: Serve, tmp_path: Path, options: tuple[str, ...], code: int, word: str
) -> None:
    refused, said = serve(repository(tmp_path / "shop"), *options)
    assert refused == code
    assert said.startswith("error: ")
    assert word in said
    assert "hint: " in said


@pytest.mark.parametrize("content", ["port = ", 'prot = "1"', "port = true", "port = [1]", "\0"])
def test_a_corrupt_file_of_settings_stops_the_start(serve: Serve, tmp_path: Path, content: str) -> None:
    folder = repository(tmp_path / "shop")
    (folder / ".masc" / "config").mkdir(parents=True)
    (folder / ".masc" / "config" / "server.toml").write_text(content)
    code, said = serve(folder)
    assert code == 2
    assert "server.toml" in said


def test_a_folder_that_cannot_be_written_stops_the_start(serve: Serve, tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    masc = folder / ".masc"
    masc.write_text("not a folder")
    code, said = serve(folder)
    assert code == 8
    assert str(masc) in said
    masc.unlink()
    masc.mkdir()
    (masc / "server.lock").symlink_to(tmp_path / "elsewhere")
    assert serve(folder)[0] == 8
    assert not (tmp_path / "elsewhere").exists()


def test_missing_parts_are_told_with_the_command_that_installs_them(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.doors.http.serve.PARTS", ("granian_", "starlette"))
    code, said = serve(repository(tmp_path / "shop"))
    assert code == 8
    assert "pip install 'comity[server]'" in said
    assert not (tmp_path / "shop" / ".masc").exists()


def test_help_names_every_option(tmp_path: Path) -> None:
    shown = comity(tmp_path, "serve", "--help")
    assert shown.returncode == 0
    for word in ("--target-dir", "--print-port", "--loopback", "--full", "--tls-cert", "MASC_MCP_PORT", "Example"):
        assert word in shown.stdout
    assert "serve" in comity(tmp_path, "--help").stdout


def test_health_answers_while_the_rest_is_loaded(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    port = free_port()
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", str(port)],
        cwd=folder,
        env=environment(),
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        seen = []
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            while 200 not in seen:
                try:
                    seen.append(client.get("/health/ready").status_code)
                except httpx2.TransportError:
                    assert process.poll() is None
        assert set(seen) <= {503, 200}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_server_of_a_subfolder_is_that_of_the_project(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    (folder / "src").mkdir()
    with serving(folder):
        other = start_refused(folder / "src")
        assert "is running" in other


def start_refused(folder: Path) -> str:
    """What a server that does not start says."""
    refused = comity(folder, "serve", "--port", str(free_port()))
    assert refused.returncode == 6, os.fspath(folder)
    return refused.stderr
