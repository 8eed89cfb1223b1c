"""Real agent hosts in a real repository, each with a home of its own and a model that follows a script."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import apsw

from comity.testing import ScriptedModel, Use
from tests.e2e.hosts import programs
from tests.e2e.hosts.programs import PROGRAMS, executable, modules

COMITY = Path(os.environ.get("COMITY_PROGRAM") or Path(sys.executable).with_name("comity"))
TIMEOUT_S = 300.0  # for a loaded machine
_PASSED = ("PATH", "LANG", "TZ", "TMPDIR")
_QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "NO_PROXY": "127.0.0.1,localhost",
}
Json = dict[str, Any]


def write(path: Path, content: Json | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")


def _surroundings(home: Path) -> dict[str, str]:
    """A home of its own, and Comity on the path, where committed configuration looks for it."""
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**kept, "HOME": str(home), "PATH": f"{COMITY.parent}{os.pathsep}{programs.path()}"}


class Host:
    """How one host is set up, started and talked to. Subclasses fill in the rest."""

    name: str
    program: str = ""  # its key in ``PROGRAMS``, where that is not its name
    shell_tool: str
    success: str  # what it says when a file was written
    mcp_name: str  # of Comity's tools, as the model calls them

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        """Write the host's configuration: its model, and nothing else that asks a user."""

    def environment(self, home: Path, url: str) -> Mapping[str, str]:
        return {}

    def command(self, prompt: str) -> list[str]:
        raise NotImplementedError

    def shell(self, command: str) -> Use:
        return Use(self.shell_tool, {"command": command, "description": "run"})

    def edit(self, path: Path, old: str, new: str) -> Use:
        raise NotImplementedError

    def read(self, path: Path) -> Use:
        return self.shell(f"cat {path}")

    def write(self, path: Path, content: str) -> Use:
        """Write a file whole, after it was read."""
        raise NotImplementedError

    def wrote(self, news: str) -> bool:
        """Whether the host says that it did."""
        return self.success in news

    def tool(self, name: str, **arguments: Any) -> Use:
        """A tool of Comity's MCP server."""
        return Use(self.mcp_name.format(name), arguments)

    def surroundings(self, home: Path, url: str) -> dict[str, str]:
        """All that its process sees of the world."""
        return {**_surroundings(home), **_QUIET, **self.environment(home, url)}

    def start(self, repo: Path, home: Path, url: str, prompt: str, **extra: str) -> subprocess.Popen[str]:
        env = {**self.surroundings(home, url), **extra}
        with open(home / "out.txt", "a", encoding="utf-8") as out:
            return subprocess.Popen(
                [str(executable(self.program or self.name)), *self.command(prompt)],
                cwd=repo,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )


class ClaudeCode(Host):
    name = "claude-code"
    shell_tool = "Bash"
    success = "has been updated successfully"
    mcp_name = "mcp__macp__{}"

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        write(home / ".claude/settings.json", {"enableAllProjectMcpServers": True})

    def environment(self, home: Path, url: str) -> Mapping[str, str]:
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "any"}

    def command(self, prompt: str) -> list[str]:
        allowed = "Bash,Edit,Read,Write,mcp__macp"
        return ["-p", prompt, "--permission-mode", "acceptEdits", "--allowedTools", allowed, "--output-format", "json"]

    def read(self, path: Path) -> Use:
        return Use("Read", {"file_path": str(path)})

    def edit(self, path: Path, old: str, new: str) -> Use:
        return Use("Edit", {"file_path": str(path), "old_string": old, "new_string": new})

    def write(self, path: Path, content: str) -> Use:
        return Use("Write", {"file_path": str(path), "content": content})


class Codex(Host):
    name = "codex"
    success = "Process exited with code 0"
    mcp_name = "mcp__macp/{}"

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        lines = [
            'model = "gpt-5.5"',
            'model_provider = "scripted"',
            "check_for_update_on_startup = false",
            "[model_providers.scripted]",
            'name = "scripted"',
            f'base_url = "{url}/v1"',
            'wire_api = "responses"',
            'env_key = "SCRIPTED_KEY"',
            f'[projects."{repo}"]',
            'trust_level = "trusted"',
        ]
        write(home / ".codex/config.toml", "\n".join(lines) + "\n")

    def environment(self, home: Path, url: str) -> Mapping[str, str]:
        return {"CODEX_HOME": str(home / ".codex"), "SCRIPTED_KEY": "any"}

    def command(self, prompt: str) -> list[str]:
        free = ["--dangerously-bypass-hook-trust", "--dangerously-bypass-approvals-and-sandbox"]
        return ["exec", *free, "--skip-git-repo-check", prompt]

    def shell(self, command: str) -> Use:
        return Use("exec_command", {"cmd": command})

    def edit(self, path: Path, old: str, new: str) -> Use:
        lines = ["*** Begin Patch", f"*** Update File: {path}", "@@", f"-{old}", f"+{new}", "*** End Patch"]
        return Use("apply_patch", "\n".join(lines) + "\n")

    def write(self, path: Path, content: str) -> Use:
        return self.shell(f"cat > {path} <<'END'\n{content}END")


class GeminiCli(Host):
    name = "gemini-cli"
    success = "Successfully overwrote file"
    shell_tool = "run_shell_command"
    mcp_name = "mcp_macp_{}"

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        settings = {
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
            "telemetry": {"enabled": False},
            "privacy": {"usageStatisticsEnabled": False},
            "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        }
        write(home / ".gemini/settings.json", settings)

    def environment(self, home: Path, url: str) -> Mapping[str, str]:
        return {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "any"}

    def command(self, prompt: str) -> list[str]:
        return ["-m", "gemini-2.5-flash", "--approval-mode", "yolo", "-p", prompt]

    def edit(self, path: Path, old: str, new: str) -> Use:
        changed = {"file_path": str(path), "old_string": old, "new_string": new, "instruction": "change it"}
        return Use("replace", changed)

    def write(self, path: Path, content: str) -> Use:
        return Use("write_file", {"file_path": str(path), "content": content})


class OpenCode(Host):
    name = "opencode"
    shell_tool = "bash"
    success = "Wrote file successfully"
    mcp_name = "macp_{}"

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "name": "scripted",
            "options": {"baseURL": "{env:SCRIPTED_URL}/v1", "apiKey": "any"},
            "models": {"scripted": {"name": "scripted", "tool_call": True}},
        }
        settings = {
            "provider": {"scripted": provider},
            "model": "scripted/scripted",
            "small_model": "scripted/scripted",
            "autoupdate": False,
            "share": "disabled",
        }
        write(home / ".config/opencode/opencode.json", settings)
        for folder in (home / ".config/opencode", repo / ".opencode"):
            self._no_fetching(folder)

    def _no_fetching(self, folder: Path) -> None:
        """OpenCode installs a package of its own beside each configuration, unless it is there."""
        program = PROGRAMS[self.name]
        wanted = {"dependencies": dict.fromkeys(program.beside, program.version)}
        write(folder / "package.json", wanted)
        write(folder / "package-lock.json", {"lockfileVersion": 3, "packages": {"": wanted}})
        if not (folder / "node_modules").exists():
            (folder / "node_modules").symlink_to(modules(self.name))

    def environment(self, home: Path, url: str) -> Mapping[str, str]:
        return {"SCRIPTED_URL": url}

    def command(self, prompt: str) -> list[str]:
        return ["run", prompt]

    def read(self, path: Path) -> Use:
        return Use("read", {"filePath": str(path)})

    def edit(self, path: Path, old: str, new: str) -> Use:
        return Use("edit", {"filePath": str(path), "oldString": old, "newString": new})

    def write(self, path: Path, content: str) -> Use:
        return Use("write", {"filePath": str(path), "content": content})


class NewerClaudeCode(ClaudeCode):
    """One that reads AGENTS.md, where there is no CLAUDE.md."""

    program = "claude-code newer"


class OlderClaudeCode(ClaudeCode):
    """One to which an event that it does not know costs the whole file."""

    program = "claude-code older"


class OlderCodex(Codex):
    """One that takes a context before a tool for a failure of the hook, and does not know what hook trust is."""

    program = "codex older"

    def prepare(self, repo: Path, home: Path, url: str) -> None:
        super().prepare(repo, home, url)
        path = home / ".codex/config.toml"
        path.write_text(path.read_text().replace("gpt-5.5", "gpt-5.4") + "[features]\ncodex_hooks = true\n")

    def command(self, prompt: str) -> list[str]:
        return [word for word in super().command(prompt) if word != "--dangerously-bypass-hook-trust"]


HOSTS: dict[str, Host] = {host.name: host for host in (ClaudeCode(), Codex(), GeminiCli(), OpenCode())}


class Stage:
    """A repository, in which ``init`` has run unless ``ready`` says otherwise, and the agents that work there."""

    def __init__(self, repo: Path, folder: Path, ready: bool = True) -> None:
        self.repo, self.folder = repo, folder
        self._homes = 0
        if ready:
            self.init()

    def init(self, on_path: Iterable[str] = tuple(HOSTS)) -> str:
        """Run ``comity init`` for all hosts, where the programs ``on_path`` tell their versions; what it says."""
        env = _surroundings(self.folder)
        env["PATH"] = f"{COMITY.parent}{os.pathsep}{programs.path_to(on_path)}"
        done = subprocess.run(
            [str(COMITY), "init", "--hosts", ",".join(HOSTS)],
            cwd=self.repo,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    @property
    def database(self) -> Path:
        """The file that the agents share."""
        return Path(json.loads((self.repo / ".macp/config.json").read_text())["dbPath"])

    def start(
        self, host: Host, model: ScriptedModel, prompt: str = "Do the work.", below: str = "", **extra: str
    ) -> Running:
        """Start one agent in a home of its own, in the repository or a folder ``below`` it."""
        self._homes += 1
        home = self.folder / f"home-{self._homes}"
        home.mkdir()
        host.prepare(self.repo, home, model.url)
        return Running(host, model, home, host.start(self.repo / below, home, model.url, prompt, **extra))

    def log(self) -> list[Json]:
        """What the hooks wrote down."""
        path = Path(f"{self.database}.hooks.log")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.database), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(connection.execute(sql, values).fetchall())
        finally:
            connection.close()


class Running:
    """One agent at work."""

    def __init__(self, host: Host, model: ScriptedModel, home: Path, process: subprocess.Popen[str]) -> None:
        self.host, self.model, self.home, self.process = host, model, home, process

    def finish(self, timeout_s: float = TIMEOUT_S) -> str:
        """Wait for its end; what it printed. It must have gone well."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        printed = (self.home / "out.txt").read_text(encoding="utf-8", errors="replace")
        assert code == 0, f"{self.host.name} ended with {code}:\n{printed[-3000:]}"
        if self.model.errors:
            raise self.model.errors[0]
        return printed

    def kill(self) -> None:
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
